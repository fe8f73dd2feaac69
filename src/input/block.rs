//! Blocks of whole lines, in buffers that are reused.
//!
//! This file owns what a block is, however it was read, and how the length of a line that is too
//! long is measured. Filling blocks is left to `stream`, `section` and `slice`.

use std::cell::Cell;
use std::ops::Range;

use super::lines::leading_blanks;
use super::utf16::width;

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
    /// Whether the input is UTF-16: the text is UTF-8, and offsets are those of the original.
    pub(super) is_utf16: bool,
    /// A place in the buffer of UTF-16 text, and its offset from the buffer's first byte in the
    /// original: the last one that was counted, so that places in order are counted once.
    counted: Cell<(usize, u64)>,
    /// A text in memory that the block borrows in place of its buffer.
    borrowed: Option<&'t [u8]>,
    /// The lines are bytes `from..len` of the buffer.
    pub(super) buffer: Vec<u8>,
    pub(super) from: usize,
    pub(super) len: usize,
    /// A line that was too long to keep. The block then has no other line, and no bytes.
    pub(crate) skipped: Option<SkippedLine>,
    /// Whether its last line goes on in the next block.
    pub(crate) cuts_line: bool,
}

/// What becomes of a long line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineLimit {
    /// A line longer than this many bytes, its ending not counted, may be skipped.
    Skip(usize),
    /// A line of this many bytes or more is cut into pieces of at most as many.
    Cut(usize),
}

impl LineLimit {
    /// The most bytes of a line, with its ending, that a block holds.
    pub(super) const fn line_bytes(self) -> usize {
        match self {
            Self::Skip(limit) => limit.saturating_add(2),
            Self::Cut(limit) => limit,
        }
    }
}

/// How long the first piece of a line is, of which there are at least `limit` bytes: up to the last
/// byte that no token contains, however it is escaped; `limit` if there is none. It depends on nothing
/// else, so that any way to read a line gives the same pieces.
pub(crate) fn piece_end(line: &[u8], limit: usize) -> usize {
    let piece = &line[..limit];
    let is_of_token = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'-' | b'_' | b'.' | b'=' | b'~' | b'%' | b'\\' | b'/' | b'+'
            )
    };
    let last = piece.iter().rposition(|byte| !is_of_token(byte));
    last.map_or(limit, |last| last + 1)
}

/// A line that was too long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SkippedLine {
    /// Its length in bytes of the input, without its ending.
    pub(crate) length: u64,
    /// Its length with its ending.
    pub(crate) consumed: u64,
    /// How many blanks it begins with, of one character each; 0 if as much of it as may be kept is blank.
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
    pub fn offset(&self) -> u64 {
        self.offset_of(0)
    }

    /// The byte offset in the input of a place in the lines, or in the blanks that a skipped line
    /// begins with.
    #[must_use]
    #[inline]
    pub fn offset_of(&self, at: usize) -> u64 {
        if self.is_utf16 {
            return self.utf16_offset_of(self.from + at);
        }
        self.offset + (self.from + at) as u64
    }

    /// The same for a place in the buffer of UTF-16 text.
    fn utf16_offset_of(&self, at: usize) -> u64 {
        if self.skipped.is_some() {
            return self.offset + 2 * at as u64;
        }
        let (mut from, mut counted) = self.counted.get();
        if from > at {
            (from, counted) = (0, 0);
        }
        counted += width(&self.buffer[from..at]);
        self.counted.set((at, counted));
        self.offset + counted
    }

    /// The byte offset after the first `consumed` bytes, or after the skipped line.
    #[must_use]
    pub fn end_of(&self, consumed: usize) -> u64 {
        match self.skipped {
            Some(line) => self.offset + line.consumed,
            None => self.offset_of(consumed),
        }
    }

    /// The length in the input of a piece of the lines, in bytes.
    #[must_use]
    pub fn length_of(&self, piece: Range<usize>) -> u64 {
        self.offset_of(piece.end) - self.offset_of(piece.start)
    }

    /// Drops the first `consumed` bytes, which are whole lines.
    pub(crate) fn resume(&mut self, consumed: usize) {
        self.from = self.len.min(self.from + consumed);
    }

    /// The byte offset up to which the block was read.
    pub(super) fn read_to(&self) -> u64 {
        self.offset_of(self.len - self.from)
    }

    /// Empties the block, for bytes from `offset` on.
    pub(super) fn clear(&mut self, input: usize, offset: u64) {
        (self.input, self.offset, self.skipped) = (input, offset, None);
        (self.borrowed, self.from, self.len) = (None, 0, 0);
        self.cuts_line = false;
        self.is_utf16 = false;
        self.counted = Cell::default();
    }

    /// Ends the block within its only line, whose first `limit` bytes it holds at least.
    pub(super) fn cut_line(&mut self, limit: usize) {
        self.len = self.from + piece_end(self.bytes(), limit);
        self.cuts_line = true;
    }

    /// Drops the first `len` bytes of the buffer, which are `width` bytes of the input.
    pub(super) fn drop_start(&mut self, len: usize, width: u64) {
        self.buffer.copy_within(len..self.len, 0);
        self.len -= len;
        self.offset += width;
        self.counted = Cell::default();
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
    /// Whether lengths are those of UTF-16.
    is_utf16: bool,
}

impl LineMeter {
    /// Begins with the first bytes of the line, which are more than `max_token_bytes` and hold no
    /// LF.
    pub(super) fn new(head: &[u8], max_token_bytes: usize, is_utf16: bool) -> Self {
        let length = Self::length(head, is_utf16);
        Self {
            line: SkippedLine {
                length,
                consumed: length,
                blanks: leading_blanks(head, max_token_bytes),
            },
            ends_with_cr: head.ends_with(b"\r"),
            is_utf16,
        }
    }

    fn length(text: &[u8], is_utf16: bool) -> u64 {
        if is_utf16 {
            width(text)
        } else {
            text.len() as u64
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
        self.line.length += Self::length(rest, self.is_utf16);
        self.line.consumed = self.line.length;
        let end = end? + 1;
        let ending = if self.is_utf16 { 2 } else { 1 };
        self.line.consumed += ending;
        self.line.length -= ending * u64::from(self.ends_with_cr);
        Some(end)
    }

    /// The line as measured so far.
    pub(super) const fn line(&self) -> SkippedLine {
        self.line
    }
}
