//! Estimates the number of distinct tokens to about 1 % in 16 KiB: a HyperLogLog sketch.
//!
//! The sketch is that of Flajolet, Fusy, Gandouet and Meunier ("HyperLogLog: the analysis of a
//! near-optimal cardinality estimation algorithm", 2007) with 64-bit hashes. The estimator is that
//! of Ertl ("New cardinality estimation algorithms for HyperLogLog sketches", 2017, algorithm 6),
//! which needs no tables and is as good for small numbers as for large ones.
//!
//! The hash has no random seed and merging takes the larger of two registers, so that neither
//! threads nor the order of tokens change the estimate. The hash does not resist chosen tokens:
//! whoever writes the log can make the estimate wrong, but nothing else in the report.

/// The bits of a hash that choose a register.
const BITS: u32 = 14;
const REGISTERS: usize = 1 << BITS;
/// The remaining bits, which give the rank.
const RANKS: usize = 64 - BITS as usize;

/// A sketch of a set of tokens.
#[derive(Clone, Debug)]
pub struct Distinct {
    /// The largest rank of each register: one more than the number of leading zeros of the remaining
    /// bits.
    registers: Box<[u8; REGISTERS]>,
    /// In the sketch of a block, the registers that are not zero.
    touched: Vec<u16>,
}

impl Default for Distinct {
    fn default() -> Self {
        Self {
            registers: Box::new([0; REGISTERS]),
            touched: Vec::new(),
        }
    }
}

impl Distinct {
    /// The standard deviation of the estimate, relative to the true number.
    pub const STANDARD_ERROR: f64 = 1.04 / 128.0; // the square root of 2^14

    /// Adds a token.
    pub(crate) fn add(&mut self, token: &[u8]) {
        let hash = hash(token);
        let register = (hash >> (64 - BITS)).to_le_bytes();
        let register = u16::from_le_bytes([register[0], register[1]]);
        // The added bit bounds the rank where all remaining bits are zero.
        let rest = hash << BITS | 1 << (BITS - 1);
        let rank = rest.leading_zeros().to_le_bytes()[0] + 1;
        let own = &mut self.registers[usize::from(register)];
        if *own == 0 {
            self.touched.push(register);
        }
        *own = rank.max(*own);
    }

    /// Moves the tokens of a block into this sketch.
    pub(crate) fn drain(&mut self, block: &mut Self) {
        for register in block.touched.drain(..) {
            let register = usize::from(register);
            let rank = std::mem::take(&mut block.registers[register]);
            self.registers[register] = self.registers[register].max(rank);
        }
    }

    /// Adds the tokens of another sketch.
    pub fn merge(&mut self, other: &Self) {
        for (own, rank) in self.registers.iter_mut().zip(other.registers.iter()) {
            *own = rank.max(own).to_owned();
        }
    }

    /// The estimated number of distinct tokens.
    #[must_use]
    pub fn estimate(&self) -> u64 {
        let mut counts = [0_u32; RANKS + 2];
        for rank in self.registers.iter() {
            counts[usize::from(*rank)] += 1;
        }
        let m = REGISTERS as f64;
        let mut sum = m * tau(1.0 - f64::from(counts[RANKS + 1]) / m);
        for rank in (1..=RANKS).rev() {
            sum = 0.5 * (sum + f64::from(counts[rank]));
        }
        sum += m * sigma(f64::from(counts[0]) / m);
        let estimate = m * m / (2.0 * std::f64::consts::LN_2) / sum;
        // The conversion saturates, far beyond any number of tokens.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let rounded = estimate.round() as u64;
        rounded
    }
}

/// Ertl's σ, the correction for empty registers: `x + x^2 + 2 x^4 + 4 x^8 + …`.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut sum) = (1.0, x);
    loop {
        x *= x;
        let before = sum;
        sum += x * y;
        y += y;
        if sum <= before {
            return sum;
        }
    }
}

/// Ertl's τ, the correction for full registers.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut sum) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = sum;
        y *= 0.5;
        sum -= (1.0 - x) * (1.0 - x) * y;
        if sum >= before {
            return sum / 3.0;
        }
    }
}

/// A multiply-and-fold hash: each 16 bytes are mixed into the state by a product of 128 bits, whose
/// halves are XORed.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    // The fractional digits of pi.
    const A: u64 = 0x243f_6a88_85a3_08d3;
    const B: u64 = 0x1319_8a2e_0370_7344;
    const C: u64 = 0xa409_3822_299f_31d0;
    let fold = |one: u64, other: u64| {
        let product = u128::from(one) * u128::from(other);
        #[allow(clippy::cast_possible_truncation)] // the lower half
        let folded = product as u64 ^ (product >> 64) as u64;
        folded
    };
    let mut state = A ^ bytes.len() as u64;
    let (chunks, tail) = bytes.as_chunks::<16>();
    let mut last = [0; 16];
    last[..tail.len()].copy_from_slice(tail);
    for chunk in chunks.iter().chain([&last]) {
        let word = u128::from_le_bytes(*chunk);
        #[allow(clippy::cast_possible_truncation)] // the lower half
        let (low, high) = (word as u64, (word >> 64) as u64);
        state = fold(low ^ B, high ^ state);
    }
    fold(state ^ C, bytes.len() as u64 ^ A)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(numbers: impl Iterator<Item = u64>) -> Distinct {
        let mut distinct = Distinct::default();
        for number in numbers {
            distinct.add(format!("header.{number}.signature").as_bytes());
        }
        distinct
    }

    #[test]
    fn estimates_are_within_the_documented_error() {
        for count in [0, 1, 2, 10, 100, 1000, 10_000, 50_000, 100_000, 1_000_000] {
            let estimate = sketch(0..count).estimate();
            // Four standard errors, and rounding.
            let slack = 4.0 * Distinct::STANDARD_ERROR * count as f64 + 0.5;
            let error = (estimate as f64 - count as f64).abs();
            assert!(error <= slack, "{count}: {estimate}");
        }
    }

    #[test]
    fn the_standard_error_is_the_documented_one() {
        // The root of the mean square over many sets.
        let (sets, count) = (60_u64, 20_000_u64);
        let squares = (0..sets).map(|set| {
            let from = set * 1_000_000;
            let estimate = sketch(from..from + count).estimate() as f64;
            (estimate / count as f64 - 1.0).powi(2)
        });
        let error = (squares.sum::<f64>() / sets as f64).sqrt();
        let expected = Distinct::STANDARD_ERROR;
        assert!((0.6 * expected..1.4 * expected).contains(&error), "{error}");
    }

    #[test]
    fn order_parts_and_repetition_change_nothing() {
        let whole = sketch(0..30_000);
        let backwards = sketch((0..30_000).rev().chain(0..500));
        let mut merged = sketch(0..10_000);
        merged.merge(&sketch(5000..30_000));
        let mut drained = Distinct::default();
        let mut block = Distinct::default();
        for part in 0..30 {
            for number in part * 1000..(part + 1) * 1000 {
                block.add(format!("header.{number}.signature").as_bytes());
            }
            drained.drain(&mut block);
        }
        assert!(block.registers.iter().all(|rank| *rank == 0));
        for other in [backwards, merged, drained] {
            assert!(other.registers == whole.registers);
        }
    }

    #[test]
    fn every_byte_and_the_length_count() {
        let token = b"eyJhbGciOiJIUzI1NiJ9.e30.0123456789abcdef0123456789".to_vec();
        for at in 0..token.len() {
            let mut other = token.clone();
            other[at] ^= 1;
            assert_ne!(hash(&token), hash(&other), "{at}");
            assert_ne!(hash(&token[..at]), hash(&token[..=at]), "{at}");
        }
        assert_ne!(hash(b"a"), hash(b"a\0"));
    }
}
