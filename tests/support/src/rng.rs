//! Random numbers from a seed (SplitMix64), the same on every machine.

/// A generator.
#[derive(Debug)]
pub struct Rng(u64);

impl Rng {
    /// Each seed has its own sequence.
    pub fn new(seed: u64) -> Rng {
        Rng(seed)
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`, near enough to evenly.
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next_u64()) * bound as u128) >> 64) as usize
    }

    /// True once in `count` times.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        self.next_u64() as u8
    }

    /// One of a table that is not empty.
    pub fn pick<'a, T: ?Sized>(&mut self, table: &[&'a T]) -> &'a T {
        table[self.below(table.len())]
    }

    /// Mostly short, rarely long: each doubling of the length is half as likely.
    pub fn length(&mut self, longest: usize) -> usize {
        let scale = 8usize << self.next_u64().trailing_zeros().min(16);
        self.below(scale.min(longest) + 1)
    }
}
