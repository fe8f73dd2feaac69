//! A comparison of a payload with one of the same layout: two bounds for each byte.

use std::ops::Range;

use super::super::{Scanner, with_vector};
use super::Vector;

/// What each byte of a payload may be for it to have the layout of another one.
#[derive(Debug, Default)]
pub(in super::super) struct Template {
    len: usize,
    /// For every sixty-four bytes, the last of which may be padding. Only [`Template::fix`] and
    /// [`Template::allow`] set them, and neither allows a byte above 0x7f in the first `len`.
    blocks: Vec<Bounds>,
}

/// What each of sixty-four bytes may be.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bounds {
    least: [u8; 64],
    most: [u8; 64],
    /// All bits set where `"` and `\` are forbidden, which are between the bounds of a text.
    text: [u8; 64],
}

impl Bounds {
    const ANY: Self = Self {
        least: [0; 64],
        most: [0xff; 64],
        text: [0; 64],
    };
}

impl Template {
    /// One that nothing matches, with memory for a payload of `len` bytes.
    pub(in super::super) fn with_room(len: usize) -> Self {
        Self {
            len: 0,
            blocks: Vec::with_capacity(len.div_ceil(64)),
        }
    }

    /// Whether nothing matches.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes it one that nothing matches.
    pub(in super::super) fn clear(&mut self) {
        self.blocks.clear();
        self.len = 0;
    }

    /// Makes it one that `text` alone matches; None if that is not ASCII.
    pub(in super::super) fn fix(&mut self, text: &str) -> Option<()> {
        self.clear();
        if !text.is_ascii() {
            return None;
        }
        self.blocks.resize(text.len().div_ceil(64), Bounds::ANY);
        self.len = text.len();
        for (bounds, bytes) in self.blocks.iter_mut().zip(text.as_bytes().chunks(64)) {
            bounds.least[..bytes.len()].copy_from_slice(bytes);
            bounds.most[..bytes.len()].copy_from_slice(bytes);
        }
        Some(())
    }

    /// Allows any text without escapes in `place`.
    pub(in super::super) fn allow_text(&mut self, place: Range<usize>) {
        self.allow(place, b' ', 0x7f, 0xff);
    }

    /// Allows any number of as many digits in `place`.
    pub(in super::super) fn allow_number(&mut self, place: Range<usize>) {
        let first = place.start;
        self.allow(place, b'0', b'9', 0);
        self.allow(first..first + 1, b'1', b'9', 0);
    }

    fn allow(&mut self, place: Range<usize>, least: u8, most: u8, text: u8) {
        debug_assert!(most <= 0x7f && place.end <= self.len);
        for at in place {
            if let Some(bounds) = self.blocks.get_mut(at / 64) {
                bounds.least[at % 64] = least;
                bounds.most[at % 64] = most;
                bounds.text[at % 64] = text;
            }
        }
    }

    /// The payload `padded[..len]` as text, if it matches. The arguments are those of
    /// [`Scanner::scan`].
    #[inline(always)]
    pub(in super::super) fn matching<'s>(
        &self,
        scanner: Scanner,
        padded: &'s [u8],
        len: usize,
    ) -> Option<&'s str> {
        if len != self.len || len == 0 {
            return None;
        }
        let bytes = padded.get(..len)?;
        if with_vector!(scanner, vector => vector.call(move || self.is_matched(padded))) {
            // SAFETY: ASCII is UTF-8. Each byte is at most its upper bound, and none of the first
            // `self.len` bounds is above 0x7f: see `blocks`.
            Some(unsafe { core::str::from_utf8_unchecked(bytes) })
        } else {
            None
        }
    }

    /// Whether a padded payload matches, whatever its length is. The compiler makes vectors of
    /// this, as wide as the caller has them.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the index is one of four arrays"
    )]
    fn is_matched(&self, padded: &[u8]) -> bool {
        let blocks = padded.as_chunks::<64>().0;
        blocks.len() >= self.blocks.len()
            && self.blocks.iter().zip(blocks).all(|(bounds, bytes)| {
                let mut wrong = 0;
                for i in 0..64 {
                    let byte = bytes[i];
                    let nearest = byte.max(bounds.least[i]).min(bounds.most[i]);
                    let ends_text = (byte == b'"') | (byte == b'\\');
                    let all_or_none = u8::from(ends_text).wrapping_neg();
                    wrong |= byte ^ nearest | all_or_none & bounds.text[i];
                }
                wrong == 0
            })
    }
}
