//! Strings found by masks: where the plain text of a string ends, and whether it is ASCII.
//!
//! ```text
//! mark(from):  for each of eight blocks: keep masks(block), without bits for padding
//! plain(at):   if at is outside of the marks: mark the blocks from at on
//!              length = distance from bit `at` to the next stop bit, over two neighbouring words
//! ```

use super::super::PADDING;
use super::{Masks, Vector};

/// Blocks that are marked at a time: most payloads have no more.
const BLOCKS: usize = 8;

/// Finds the plain text of strings, by the masks of [`BLOCKS`] blocks at a time.
///
/// A search at the start of each string would be simpler, but it could begin only when the string
/// before has been found: some twenty cycles each, one after the other. The marks leave eleven.
pub(in super::super) struct Strings<'s, V> {
    vector: V,
    bytes: &'s [u8],
    /// Where the marked blocks begin. Only `mark` sets the fields from here on, from `bytes`.
    base: usize,
    /// [`Masks::stop`] of each marked block, without the bits of padding; and a word of zeros.
    stop: [u64; BLOCKS + 1],
    /// [`Masks::high`], the same way.
    high: [u64; BLOCKS + 1],
    /// Zero if all of `high` is.
    any_high: u64,
}

impl<'s, V: Vector> Strings<'s, V> {
    /// Nothing is marked yet.
    #[inline(always)]
    pub(in super::super) fn new(vector: V, bytes: &'s [u8]) -> Self {
        let none = [0; BLOCKS + 1];
        Self {
            vector,
            bytes,
            base: usize::MAX / 2, // no position is within it
            stop: none,
            high: none,
            any_high: 0,
        }
    }

    #[inline(always)]
    pub(in super::super) fn vector(&self) -> V {
        self.vector
    }

    /// All of the text, padding included.
    #[inline(always)]
    pub(in super::super) fn bytes(&self) -> &'s [u8] {
        self.bytes
    }

    /// The plain text from `at` on; None where it does not end before sixty-four bytes of padding
    /// are left.
    #[inline(always)]
    pub(in super::super) fn plain(&mut self, at: usize) -> Option<Plain<'s>> {
        let mut offset = at.wrapping_sub(self.base);
        if offset >= 64 * BLOCKS {
            let (vector, this) = (self.vector, &mut *self);
            vector.call(move || this.mark(at & !63))?;
            offset = at & 63;
        }
        let (i, shift) = (offset / 64 % BLOCKS, offset % 64);
        let stop = window(self.stop[i], self.stop[i + 1], shift);
        if stop == 0 {
            return self.vector.call(move || self.long_plain(at));
        }
        let len = stop.trailing_zeros() as usize;
        // SAFETY: `mark` sets bit j of word i only for a byte of `bytes`, the one at
        // `base + 64 * i + j`. The lowest bit of the window is the one of `at`, whose offset from
        // `base` was checked to be in the marks. So there is a byte at `at + len`, and these are
        // before it.
        let bytes = unsafe { self.bytes.get_unchecked(at..at + len) };
        let before = stop ^ (stop - 1); // up to the stop itself, which is ASCII
        let ascii =
            self.any_high == 0 || window(self.high[i], self.high[i + 1], shift) & before == 0;
        Some(Plain { bytes, ascii })
    }

    /// Marks the blocks from `from` on.
    #[inline(always)]
    fn mark(&mut self, from: usize) -> Option<()> {
        let part = self.bytes.get(from..)?;
        let len = part.len().checked_sub(PADDING)?;
        (self.base, self.any_high) = (from, u64::MAX);
        (self.stop, self.high) = ([0; _], [0; _]);
        let (blocks, full) = (part.as_chunks::<64>().0, (len / 64).min(BLOCKS));
        let mut any_high = 0;
        for (i, block) in blocks.iter().enumerate().take(full) {
            let Masks { stop, high } = self.vector.masks(block);
            (self.stop[i], self.high[i]) = (stop, high);
            any_high |= high;
        }
        // The block in which the padding begins.
        if full < BLOCKS {
            let before = !(u64::MAX << (len % 64));
            let Masks { stop, high } = self.vector.masks(blocks.get(full)?);
            (self.stop[full], self.high[full]) = (stop & before, high & before);
            any_high |= high & before;
        }
        self.any_high = any_high;
        Some(())
    }

    /// The plain text from `from` on, which does not end in the marked blocks.
    #[inline(always)]
    fn long_plain(&self, from: usize) -> Option<Plain<'s>> {
        let text = self.bytes.get(from..)?;
        let (mut at, mut seen) = (0, 0);
        loop {
            let Masks { stop, high } = self.vector.masks(text.get(at..)?.first_chunk()?);
            if stop != 0 {
                let before = stop ^ (stop - 1);
                let bytes = text.get(..at + stop.trailing_zeros() as usize)?;
                return Some(Plain {
                    bytes,
                    ascii: (seen | (high & before)) == 0,
                });
            }
            seen |= high;
            at += 64;
        }
    }
}

/// The sixty-four bits from bit `shift` of `word` on, which go on in `next`; `shift` is below 64.
#[inline(always)]
fn window(word: u64, next: u64, shift: usize) -> u64 {
    let next = (next << (63 - shift)) << 1;
    word >> shift | next
}

/// The plain beginning of a string: its bytes up to the first `"`, `\` or control byte.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Plain<'s> {
    bytes: &'s [u8],
    /// No byte of `bytes` is above 0x7f. [`Plain::text`] relies on it, so only [`Strings`] makes a
    /// `Plain`.
    ascii: bool,
}

impl<'s> Plain<'s> {
    /// As text; None when it is not UTF-8.
    #[inline(always)]
    pub(in super::super) fn text(self) -> Option<&'s str> {
        if self.ascii {
            // SAFETY: ASCII is UTF-8, and `ascii` is true only where the masks show the top bit of
            // each byte of `bytes` to be clear.
            Some(unsafe { core::str::from_utf8_unchecked(self.bytes) })
        } else {
            core::str::from_utf8(self.bytes).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Portable;
    use super::*;

    #[test]
    fn plain_text_ends_where_a_search_byte_by_byte_ends_it() {
        let mut state = 1_u64;
        for len in (0..200).chain([440, 447, 448, 449, 511, 512, 513, 575, 576, 577, 1024, 1500]) {
            for sparse in [8, 60, 400] {
                let mut bytes: Vec<u8> = (0..len + PADDING)
                    .map(|_| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        let [.., low, high] = state.to_le_bytes();
                        let special = b"\"\\\n\xc3\xff"[usize::from(high) % 5];
                        let is_special = usize::from(low) * 2 % sparse == 0;
                        if is_special { special } else { b'a' + low % 26 }
                    })
                    .collect();
                if len % 2 == 0 {
                    bytes[len..].fill(0xff); // no stop in the padding
                }
                let mut strings = Strings::new(Portable, &bytes);
                for at in 0..=len {
                    let is_stop = |&b: &u8| b < 0x20 || b == b'"' || b == b'\\';
                    let found = strings.plain(at);
                    match bytes[at..].iter().position(is_stop) {
                        Some(stop) if at + stop < len => {
                            let found = found.expect("a stop before the padding is found");
                            assert_eq!(found.bytes, &bytes[at..at + stop]);
                            assert_eq!(found.ascii, found.bytes.is_ascii());
                        }
                        // One in the padding may be found or not.
                        _ => {
                            assert!(found.is_none_or(|plain| plain.ascii == plain.bytes.is_ascii()))
                        }
                    }
                }
            }
        }
    }
}
