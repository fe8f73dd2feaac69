//! The scanner's vector code, and its only `unsafe`. It owns what is asked of an instruction set, and
//! what is read faster with less checking than safe code has; the grammar of JSON it leaves to the
//! scanner.
//!
//! In plain words: a payload is looked at in blocks of sixty-four bytes. An instruction set answers
//! one question about a block, [`Vector::masks`], with a bit for each byte. All else is written once.
//!
//! ```text
//! masks(block):    stop = bytes that are `"`, `\` or below 0x20    (they end the plain text)
//!                  high = bytes above 0x7f                         (they are not ASCII)
//! string from i:   ends before the first stop from i on; is ASCII if no high bit is before that
//! template match:  each byte is within its two bounds, and is no `"` or `\` where that is forbidden
//! ```
//!
//! [`strings`] finds strings, [`template`] compares a payload with one of the same layout, [`cursor`]
//! reads what is between strings.

#![allow(unsafe_code)]

mod cursor;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
mod strings;
mod template;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(super) use cursor::Cursor;
pub(super) use strings::Strings;
pub(super) use template::Template;

/// One instruction set. A value is a proof that the processor has it: those of
/// [`platform`](crate::platform), or [`Portable`], which needs none.
pub(super) trait Vector: Copy {
    fn masks(self, block: &[u8; 64]) -> Masks;

    /// Calls `f`, compiled with these instructions and never inlined. The whole walk is called like
    /// this, so that `masks` is inlined into it; and what the walk needs rarely, so that it has the
    /// registers for itself.
    #[inline(never)]
    fn call<R>(self, f: impl FnOnce() -> R) -> R {
        f()
    }
}

/// Bit i for byte i of a block.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    /// `"`, `\` and the bytes below 0x20.
    stop: u64,
    /// The bytes above 0x7f.
    high: u64,
}

/// Eight bytes at a time in a general register, on any processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Portable;

impl Vector for Portable {
    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const TOPS: u64 = 0x8080_8080_8080_8080;
        // The top bit of each byte that is below `n`, for `n` up to 0x80. No borrow leaves a byte.
        let below = |word: u64, n: u64| !((word & !TOPS) + ONES * (0x80 - n)) & !word & TOPS;
        // The top bits of eight bytes, moved together.
        let gather = |tops: u64| ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56;
        let mut masks = Masks { stop: 0, high: 0 };
        for (i, &word) in block.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(word);
            let quote = below(word ^ (ONES * 0x22), 1);
            let backslash = below(word ^ (ONES * 0x5c), 1);
            masks.stop |= gather(quote | backslash | below(word, 0x20)) << (8 * i);
            masks.high |= gather(word & TOPS) << (8 * i);
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Scanner, with_vector};
    use super::*;

    /// Every byte value at every place of a block, among neighbours that a borrow or a carry could
    /// come from.
    fn masks_are_those_of_each_byte(vector: impl Vector) {
        for around in [
            0, b' ', b'!', b'"', b'#', b'[', b'\\', b']', 0x7f, 0x80, 0xff,
        ] {
            for at in 0..64 {
                for byte in 0..=u8::MAX {
                    let mut block = [around; 64];
                    block[at] = byte;
                    let bits = |is: fn(u8) -> bool| {
                        (0..64).fold(0, |bits, i| bits | u64::from(is(block[i])) << i)
                    };
                    let masks = vector.masks(&block);
                    assert_eq!(masks.stop, bits(|b| b < 0x20 || b == b'"' || b == b'\\'));
                    assert_eq!(masks.high, bits(|b| b > 0x7f));
                }
            }
        }
    }

    #[test]
    fn the_masks_of_every_instruction_set_are_those_of_each_byte() {
        for scanner in Scanner::each() {
            with_vector!(scanner, vector => masks_are_those_of_each_byte(vector));
        }
    }
}
