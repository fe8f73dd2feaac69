//! The random numbers of a data set: xoshiro256** seeded through splitmix64.
//!
//! Owns every draw the generator makes. Only 64-bit and 128-bit integer arithmetic is used, so a
//! seed gives the same numbers on every machine. It is not a cryptographic generator: the keys of
//! a data set are as public as its seed. What the numbers are used for is left to the callers.

/// The golden-ratio increment of splitmix64.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// One step of splitmix64: advances `state` and returns a well mixed word.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(GOLDEN);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A family of generators for one purpose: one per index, independent of the order of use.
///
/// Each token has a generator of its own, so a token's bytes depend on the seed, its index and its
/// defect, and not on how much randomness the tokens before it consumed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Streams {
    base: u64,
}

impl Streams {
    /// The family for `purpose` (any constant that differs from the other purposes).
    pub(super) fn new(seed: u64, purpose: u64) -> Streams {
        let mut state = seed;
        let mut state = splitmix(&mut state) ^ purpose.wrapping_mul(GOLDEN);
        Streams {
            base: splitmix(&mut state),
        }
    }

    /// The generator number `index` of this family.
    pub(super) fn at(self, index: u64) -> Rng {
        let mut state = self
            .base
            .wrapping_add(index.wrapping_mul(0xd134_2543_de82_ef95));
        let mut state = splitmix(&mut state);
        let s = [(); 4].map(|()| splitmix(&mut state));
        // The all-zero state is the one fixed point of the generator.
        Rng {
            s: if s == [0; 4] { [GOLDEN; 4] } else { s },
        }
    }
}

/// One generator.
#[derive(Debug, Clone)]
pub(super) struct Rng {
    s: [u64; 4],
}

impl Rng {
    /// The next 64 random bits.
    pub(super) fn next_u64(&mut self) -> u64 {
        let [s0, s1, s2, s3] = self.s;
        let result = s1.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let s2 = s2 ^ s0;
        let s3 = s3 ^ s1;
        self.s = [s0 ^ s3, s1 ^ s2, s2 ^ (s1 << 17), s3.rotate_left(45)];
        result
    }

    /// A number below `n`; 0 when `n` is 0. The bias is below `n / 2^64`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.next_u64()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number from `low` to `high`, both included; `low` when the range is empty.
    pub(super) fn range(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high.saturating_sub(low).saturating_add(1)).unwrap_or(0);
        low.saturating_add(i64::try_from(self.below(span)).unwrap_or(0))
    }

    /// An index below `len`; 0 when `len` is 0.
    pub(super) fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(u64::try_from(len).unwrap_or(0))).unwrap_or(0)
    }

    /// True `millionths` times in a million.
    pub(super) fn chance(&mut self, millionths: u32) -> bool {
        self.below(1_000_000) < u64::from(millionths)
    }

    /// True `percent` times in a hundred.
    pub(super) fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One member of a list that is not empty.
    pub(super) fn pick<T: Copy, const N: usize>(&mut self, list: &[T; N]) -> T {
        const { assert!(N > 0) };
        // `index` is below N by construction, for every N above 0.
        list[self.index(N)]
    }

    /// Fills `bytes` with random bytes.
    pub(super) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            for (to, from) in chunk.iter_mut().zip(self.next_u64().to_le_bytes()) {
                *to = from;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitmix_gives_its_published_sequence() {
        // The first outputs for the seed 1234567, as listed with the reference implementation.
        let mut state = 1_234_567;
        assert_eq!(splitmix(&mut state), 6_457_827_717_110_365_317);
        assert_eq!(splitmix(&mut state), 3_203_168_211_198_807_973);
        assert_eq!(splitmix(&mut state), 9_817_491_932_198_370_423);
    }

    #[test]
    fn xoshiro_gives_its_published_sequence() {
        // The reference implementation from the state 1, 2, 3, 4.
        let mut rng = Rng { s: [1, 2, 3, 4] };
        assert_eq!(rng.next_u64(), 11_520);
        assert_eq!(rng.next_u64(), 0);
        assert_eq!(rng.next_u64(), 1_509_978_240);
        assert_eq!(rng.next_u64(), 1_215_971_899_390_074_240);
    }

    #[test]
    fn draws_stay_in_their_range_at_the_edges() {
        let mut rng = Streams::new(1, 2).at(3);
        assert_eq!(rng.below(0), 0);
        assert_eq!(rng.below(1), 0);
        assert_eq!(rng.range(5, 4), 5);
        assert_eq!(rng.range(-3, -3), -3);
        for _ in 0..1_000 {
            assert!((-2..=2).contains(&rng.range(-2, 2)));
            assert!(rng.below(7) < 7);
        }
        assert!(!rng.chance(0));
        assert!(rng.chance(1_000_000));
        // The widest range must not overflow.
        rng.range(i64::MIN, i64::MAX);
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let word = |seed, purpose, index| Streams::new(seed, purpose).at(index).next_u64();
        let words = [word(1, 1, 0), word(2, 1, 0), word(1, 2, 0), word(1, 1, 1)];
        for (i, a) in words.iter().enumerate() {
            assert!(words.iter().skip(i + 1).all(|b| a != b));
        }
    }
}
