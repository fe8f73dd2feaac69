//! A position in a padded payload, from where a few bytes are read without a check each.

use super::super::PADDING;

/// A position in a padded payload; [`PADDING`] bytes from there on are readable without a check.
#[derive(Clone, Copy)]
pub(in super::super) struct Cursor<'s> {
    bytes: &'s [u8],
    /// At most `bytes.len() - PADDING`: `new` and `go` see to it.
    at: usize,
}

impl<'s> Cursor<'s> {
    /// At the start of `bytes`, padding included; None if they are fewer than the padding.
    #[inline(always)]
    pub(in super::super) fn new(bytes: &'s [u8]) -> Option<Self> {
        if bytes.len() >= PADDING {
            Some(Self { bytes, at: 0 })
        } else {
            None
        }
    }

    #[inline(always)]
    pub(in super::super) fn at(self) -> usize {
        self.at
    }

    /// Goes to `at`; None, and nothing done, when that is in the padding.
    #[inline(always)]
    pub(in super::super) fn go(&mut self, at: usize) -> Option<()> {
        if at > self.bytes.len() - PADDING {
            return None;
        }
        self.at = at;
        Some(())
    }

    /// Goes behind the quote at `at`; None, and nothing done, when that is in the padding or there
    /// is none.
    #[inline(always)]
    pub(in super::super) fn pass_quote(&mut self, at: usize) -> Option<()> {
        let mut quote = *self;
        quote.go(at)?;
        if quote.peek::<0, 1>() != *b"\"" || at >= self.bytes.len() - PADDING {
            return None;
        }
        self.at = at + 1;
        Some(())
    }

    /// `N` bytes, `OFFSET` bytes behind the position.
    #[inline(always)]
    pub(in super::super) fn peek<const OFFSET: usize, const N: usize>(self) -> [u8; N] {
        const { assert!(OFFSET + N <= PADDING) }
        // SAFETY: `at` is at most `bytes.len() - PADDING` (see the field), so PADDING bytes from
        // there are in `bytes`, and with them the N at OFFSET, as was just asserted. An array of
        // bytes has no alignment.
        unsafe { *self.bytes.as_ptr().add(self.at + OFFSET).cast::<[u8; N]>() }
    }

    /// Eight bytes, the first the lowest, `OFFSET` bytes behind the position.
    #[inline(always)]
    pub(in super::super) fn word<const OFFSET: usize>(self) -> u64 {
        u64::from_le_bytes(self.peek::<OFFSET, 8>())
    }
}
