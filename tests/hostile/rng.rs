//! Seeded chance: SplitMix64, so that a seed names the same lines on every machine.

pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, near enough to evenly.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    pub fn pick<'a, T: ?Sized>(&mut self, table: &[&'a T]) -> &'a T {
        table[self.below(table.len())]
    }

    /// Mostly short, rarely long: each doubling of the length is half as likely.
    pub fn length(&mut self, longest: usize) -> usize {
        let scale = 8usize << self.next().trailing_zeros().min(16);
        self.below(scale.min(longest) + 1)
    }
}
