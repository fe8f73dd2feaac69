//! Blocks of whole lines, in buffers that are reused.
//!
//! This file owns what a block is, however it was read, and how the length of a line that is too
//! long is measured. Filling blocks is left to `stream`, `section` and `slice`.

use std::ops::Range;

use super::lines::leading_blanks;

/// The size in bytes at which a block is passed on by default: small enough to stay in a core's
/// cache, large enough that the overhead of a block does not matter.
pub const DEFAULT_BLOCK_BYTES: usize = 256 << 10;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of one input.
#[derive(Default)]
pub struct Block<'t> {
    /// The index of the input among all inputs.
    pub input: usize,
    /// The offset in the input of the buffer's first byte.
    pub(super) offset: u64,
    /// A text in memory that the block borrows in place of its buffer.
    borrowed: Option<&'t [u8]>,
    /// The lines are bytes `from..len` of the buffer.
    pub(super) buffer: Vec<u8>,
    pub(super) from: usize,
    pub(super) len: usize,
    /// A line that was too long to keep. The block then has no other line, and no bytes.
    pub(crate) skipped: Option<SkippedLine>,
}

/// A line that was too long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SkippedLine {
    /// Its length in bytes without its ending.
    pub(crate) length: u64,
    /// Its length with its ending.
    pub(crate) consumed: u64,
    /// How many blanks it begins with; 0 if as much of it as may be kept is blank.
    pub(crate) blanks: usize,
}

impl<'t> Block<'t> {
    /// The lines. Each has its LF, except perhaps the last; empty if a line was skipped.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.borrowed.unwrap_or(&self.buffer)[self.from..self.len]
    }

    /// The byte offset at which the lines begin in their input.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset + self.from as u64
    }

    /// The byte offset after the first `consumed` bytes, or after the skipped line.
    #[must_use]
    pub fn end_of(&self, consumed: usize) -> u64 {
        self.offset() + self.skipped.map_or(consumed as u64, |line| line.consumed)
    }

    /// Drops the lines before `offset`, which is the start of a line.
    pub(crate) fn resume(&mut self, offset: u64) {
        self.from = usize::try_from(offset - self.offset).map_or(self.len, |at| at.min(self.len));
    }

    /// The byte offset up to which the block was read.
    pub(super) const fn read_to(&self) -> u64 {
        self.offset + self.len as u64
    }

    /// Empties the block, for bytes from `offset` on.
    pub(super) const fn clear(&mut self, input: usize, offset: u64) {
        (self.input, self.offset, self.skipped) = (input, offset, None);
        (self.borrowed, self.from, self.len) = (None, 0, 0);
    }

    /// Makes this the block of `lines` of a text in memory, without a copy.
    pub(super) fn borrow(&mut self, input: usize, text: &'t [u8], lines: Range<usize>) {
        self.clear(input, 0);
        (self.borrowed, self.from, self.len) = (Some(text), lines.start, lines.end);
    }

    /// Empties the block and moves the bytes of `carry` into it, which begin at `offset`.
    pub(super) fn begin_with(&mut self, carry: &mut Vec<u8>, input: usize, offset: u64) {
        self.clear(input, offset);
        self.len = carry.len();
        if self.buffer.len() < carry.len() {
            self.buffer.resize(carry.len(), 0);
        }
        self.buffer[..carry.len()].copy_from_slice(carry);
        carry.clear();
    }
}

/// Measures a line that is too long to keep, piece by piece.
#[derive(Clone, Copy)]
pub(super) struct LineMeter {
    line: SkippedLine,
    /// Whether the last byte so far is a CR, which belongs to the ending if a LF follows.
    ends_with_cr: bool,
}

impl LineMeter {
    /// Begins with the first bytes of the line, which are more than `max_token_bytes` and hold no
    /// LF.
    pub(super) fn new(head: &[u8], max_token_bytes: usize) -> Self {
        let length = head.len() as u64;
        Self {
            line: SkippedLine {
                length,
                consumed: length,
                blanks: leading_blanks(head, max_token_bytes),
            },
            ends_with_cr: head.ends_with(b"\r"),
        }
    }

    /// Adds the next bytes. Where the line ends in them, this gives the number of bytes up to its
    /// end, LF included.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Option<usize> {
        let end = memchr::memchr(b'\n', bytes);
        let rest = &bytes[..end.unwrap_or(bytes.len())];
        if let Some(last) = rest.last() {
            self.ends_with_cr = *last == b'\r';
        }
        self.line.length += rest.len() as u64;
        self.line.consumed = self.line.length;
        let end = end? + 1;
        self.line.consumed += 1;
        self.line.length -= u64::from(self.ends_with_cr);
        Some(end)
    }

    /// The line as measured so far.
    pub(super) const fn line(&self) -> SkippedLine {
        self.line
    }
}
