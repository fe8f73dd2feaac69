//! Numbers as bytes, as far as faulty signatures need them.
//!
//! Owns addition and subtraction on bytes, the most significant first. Not constant-time, which
//! nothing here has to be.

/// Adds `b` to `a` in place; false, and `a` spoiled, where the sum does not fit.
pub(super) fn add(a: &mut [u8], b: &[u8]) -> bool {
    let mut carry = 0;
    let mut b = b.iter().rev();
    for digit in a.iter_mut().rev() {
        let sum = u16::from(*digit) + u16::from(b.next().copied().unwrap_or(0)) + carry;
        let [high, low] = sum.to_be_bytes();
        *digit = low;
        carry = u16::from(high);
    }
    carry == 0 && b.all(|digit| *digit == 0)
}

/// `a - b`, as long as `a`; false, with `out` unspecified, if the result is negative.
pub(super) fn subtract_from(a: &[u8], b: &mut [u8]) -> bool {
    let mut borrow = 0;
    for (digit, a) in b.iter_mut().rev().zip(a.iter().rev()) {
        let difference = 0x100 + u16::from(*a) - u16::from(*digit) - borrow;
        let [high, low] = difference.to_be_bytes();
        *digit = low;
        borrow = 1 - u16::from(high);
    }
    borrow == 0
}

/// The bytes behind hexadecimal digits.
pub(super) fn from_hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u32> = digits.chars().filter_map(|c| c.to_digit(16)).collect();
    let byte = |pair: &[u32]| pair.iter().fold(0, |sum, digit| sum * 16 + digit);
    let bytes = digits.rchunks(2).rev().map(byte);
    bytes.map(|byte| u8::try_from(byte).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn carries_and_borrows_reach_the_top() {
        let mut a = [0, 0xff, 0xff];
        assert!(add(&mut a, &[1]) && a == [1, 0, 0]);
        let mut b = [0, 0, 1];
        assert!(subtract_from(&a, &mut b) && b == [0, 0xff, 0xff]);
        assert!(!add(&mut [0xff], &[1]) && !add(&mut [0], &[1, 0]));
        assert!(!subtract_from(&[1], &mut [2]));
    }

    #[test]
    fn hexadecimal_digits_may_be_odd_in_number() {
        assert_eq!(from_hex("1ff"), [1, 0xff]);
        assert_eq!(from_hex("00Ff"), [0, 0xff]);
    }
}
