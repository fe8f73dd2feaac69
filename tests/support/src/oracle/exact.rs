//! Exact arithmetic on NumericDates: any double, any 64-bit integer and a clock with nanoseconds
//! are multiples of one very small unit, so all of them are integers of fixed width.

use std::cmp::Ordering;
use std::ops::Add;

use serde_json::Number;

/// A signed integer, two's complement, least significant limb first, in units of 2^-1074 of a
/// nanosecond.
///
/// 2^-1074 is the smallest double. The largest, below 2^1024, takes 1024 + 1074 bits and 30 more
/// for the 10^9 nanoseconds; what is left of 2,304 bits holds the sign and the carry of any sum
/// that is formed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exact([u64; LIMBS]);

const LIMBS: usize = 36;
const UNITS_LOG2: usize = 1074;
const NANOS: i128 = 1_000_000_000;

impl Exact {
    pub(super) fn now((seconds, nanos): (i64, u32)) -> Exact {
        Exact::shifted(i128::from(seconds) * NANOS + i128::from(nanos), UNITS_LOG2)
    }

    pub(super) fn seconds(seconds: u64) -> Exact {
        Exact::shifted(i128::from(seconds) * NANOS, UNITS_LOG2)
    }

    /// A NumericDate: an integer of up to 64 bits as it is, anything else as the double it became.
    pub(super) fn date(number: &Number) -> Exact {
        if let Some(integer) = number.as_i128() {
            return Exact::shifted(integer * NANOS, UNITS_LOG2);
        }
        let double = number
            .as_f64()
            .expect("without arbitrary precision, a number has a double");
        assert!(
            double.is_finite(),
            "JSON has no infinity, and an overflow was refused"
        );
        let bits = double.to_bits();
        let fraction = i128::from(bits & ((1 << 52) - 1));
        let exponent = usize::try_from(bits >> 52 & 0x7ff).expect("eleven bits");
        let sign = if double.is_sign_negative() { -1 } else { 1 };
        match exponent {
            // Subnormal: the fraction counts the smallest unit.
            0 => Exact::shifted(sign * fraction * NANOS, 0),
            _ => Exact::shifted(sign * (fraction | 1 << 52) * NANOS, exponent - 1),
        }
    }

    /// `value * 2^shift`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a limb is the low 64 bits of what has been shifted down to it"
    )]
    fn shifted(value: i128, shift: usize) -> Exact {
        let mut limbs = [0; LIMBS];
        for (index, limb) in limbs.iter_mut().enumerate() {
            // The lowest bit of this limb, counted in `value`.
            *limb = match (64 * index).checked_sub(shift) {
                // Beyond its top an i128 goes on with its sign bit.
                Some(bit) => (value >> bit.min(127)) as u64,
                None if shift - 64 * index < 64 => (value as u64) << (shift - 64 * index),
                None => 0,
            };
        }
        Exact(limbs)
    }
}

impl Add for Exact {
    type Output = Exact;

    fn add(self, other: Exact) -> Exact {
        let mut carry = false;
        Exact(std::array::from_fn(|index| {
            let (sum, first) = self.0[index].overflowing_add(other.0[index]);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            carry = first || second;
            sum
        }))
    }
}

impl Ord for Exact {
    fn cmp(&self, other: &Exact) -> Ordering {
        let negative = |exact: &Exact| exact.0[LIMBS - 1] >> 63 == 1;
        // Of two with one sign, the greater has the greater limbs, from the top.
        negative(other)
            .cmp(&negative(self))
            .then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }
}

impl PartialOrd for Exact {
    fn partial_cmp(&self, other: &Exact) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
