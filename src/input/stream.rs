//! A stream, read from front to back into blocks of whole lines.
//!
//! Memory is bounded by the blocks in flight whatever the input holds: a line longer than the limit
//! is measured and skipped.

use std::time::{Duration, Instant};

use super::PIECE;
use super::block::{BYTE_ORDER_MARK, Block, LineLimit, LineMeter};
use super::peek::Chunk;
use super::source::Source;
use crate::error::Error;

/// How long to wait for the rest of a line before control returns to the caller.
const PATIENCE: Duration = Duration::from_millis(100);

/// What [`StreamReader::fill`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Fill {
    /// The block holds lines.
    Block,
    /// The input is silent at the moment, and no whole line is complete.
    Idle,
    /// The input has ended.
    End,
}

/// Cuts one source into blocks of whole lines.
pub struct StreamReader<'a> {
    source: Source<'a>,
    input: usize,
    limit: LineLimit,
    /// The most bytes of a line with its ending that are kept.
    line_limit: usize,
    /// What was read beyond the last block's lines.
    pub(super) carry: Vec<u8>,
    /// The offset in the input at which `carry` begins.
    offset: u64,
    state: State,
}

enum State {
    Start,
    Lines,
    /// Within a line that is skipped.
    Skipping(LineMeter),
    /// The source has ended or failed; its last bytes are in `carry`.
    Over(Option<Error>),
}

impl<'a> StreamReader<'a> {
    /// A reader of `source`, the `input`-th input of the run.
    #[must_use]
    pub(crate) fn new(source: Source<'a>, input: usize, limit: LineLimit) -> Self {
        Self {
            source,
            input,
            limit,
            line_limit: limit.line_bytes(),
            carry: Vec::new(),
            offset: 0,
            state: State::Start,
        }
    }

    /// The source.
    #[must_use]
    pub const fn source(&self) -> &Source<'a> {
        &self.source
    }

    /// Fills `block` with the next lines, about `target` bytes of them if they are available.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Shrunk`], after every whole line before the fault was returned.
    /// The line that the fault cuts is dropped.
    pub fn fill(&mut self, block: &mut Block<'_>, target: usize) -> Result<Fill, Error> {
        block.begin_with(&mut self.carry, self.input, self.offset);
        block.is_utf16 = self.source.encoding().is_utf16();
        // The first bytes of the block, as many as are known to hold no LF.
        let mut searched = 0;
        let started = Instant::now();
        loop {
            match &mut self.state {
                State::Skipping(..) => return self.skip(block, target),
                State::Over(error) => {
                    if block.len == 0 {
                        return error.take().map_or(Ok(Fill::End), Err);
                    }
                    // The last lines, without one that a fault cuts.
                    let has_failed = error.is_some();
                    match memchr::memrchr(b'\n', &block.bytes()[searched..]) {
                        Some(end) if has_failed => block.len = searched + end + 1,
                        None if has_failed => block.len = 0,
                        _ => {}
                    }
                    if block.len > 0 {
                        self.offset = block.read_to();
                        return Ok(Fill::Block);
                    }
                }
                State::Start | State::Lines => {
                    let last_lf = memchr::memrchr(b'\n', &block.bytes()[searched..]);
                    if let Some(end) = last_lf
                        && block.len >= target
                    {
                        self.cut(block, searched + end + 1);
                        return Ok(Fill::Block);
                    }
                    if last_lf.is_none() {
                        // A byte order mark may still be removed at the start.
                        if matches!(self.state, State::Lines) {
                            searched = block.len;
                        }
                        if block.len >= self.line_limit {
                            return Ok(self.end_long_line(block));
                        }
                        // A line that arrives in drops must not block the caller.
                        if started.elapsed() > PATIENCE && matches!(self.state, State::Lines) {
                            self.cut(block, 0);
                            return Ok(Fill::Idle);
                        }
                    }
                    match self.read_more(block, target, last_lf.is_none())? {
                        Fill::Idle => match last_lf {
                            Some(end) => {
                                self.cut(block, searched + end + 1);
                                return Ok(Fill::Block);
                            }
                            None => {
                                self.cut(block, 0);
                                return Ok(Fill::Idle);
                            }
                        },
                        Fill::Block | Fill::End => {}
                    }
                }
            }
        }
    }

    /// Reads once into the free part of the block. An error is kept until the lines before it
    /// were returned.
    fn read_more(
        &mut self,
        block: &mut Block<'_>,
        target: usize,
        wait: bool,
    ) -> Result<Fill, Error> {
        // Beyond the target only an incomplete line is read further, up to the limit.
        let end = if block.len < target {
            target
        } else {
            block.len.saturating_mul(2).min(self.line_limit)
        };
        if block.buffer.len() < end {
            block.buffer.resize(end, 0);
        }
        match self.source.read(&mut block.buffer[block.len..end], wait) {
            Ok(Chunk::Bytes(count)) => {
                block.len += count;
                block.is_utf16 = self.source.encoding().is_utf16();
                if matches!(self.state, State::Start) {
                    self.skip_byte_order_mark(block);
                }
                Ok(Fill::Block)
            }
            Ok(Chunk::Idle) => Ok(Fill::Idle),
            Ok(Chunk::End) => {
                self.state = State::Over(None);
                Ok(Fill::End)
            }
            Err(error) => {
                self.state = State::Over(Some(error));
                Ok(Fill::End)
            }
        }
    }

    fn skip_byte_order_mark(&mut self, block: &mut Block<'_>) {
        if block.len < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(block.bytes()) {
            return; // it may still become one
        }
        self.state = State::Lines;
        if block.bytes().starts_with(BYTE_ORDER_MARK) {
            let len = BYTE_ORDER_MARK.len();
            let width = block.length_of(0..len);
            block.drop_start(len, width);
        }
    }

    /// Keeps the first `end` bytes of the block and carries the rest over to the next.
    fn cut(&mut self, block: &mut Block<'_>, end: usize) {
        self.carry.extend_from_slice(&block.buffer[end..block.len]);
        self.offset = block.offset_of(end);
        block.len = end;
    }

    /// Cuts a line that is too long, or starts to skip it; the block holds its first bytes.
    fn end_long_line(&mut self, block: &mut Block<'_>) -> Fill {
        let limit = match self.limit {
            LineLimit::Skip(limit) => limit,
            LineLimit::Cut(limit) => {
                let len = block.len;
                block.cut_line(limit);
                let end = std::mem::replace(&mut block.len, len);
                self.cut(block, end);
                return Fill::Block;
            }
        };
        let meter = LineMeter::new(block.bytes(), limit, block.is_utf16);
        self.state = State::Skipping(meter);
        self.offset = block.offset;
        block.len = 0;
        Fill::Idle
    }

    /// Reads one piece of a line that is too long, and keeps none of it.
    fn skip(&mut self, block: &mut Block<'_>, target: usize) -> Result<Fill, Error> {
        let State::Skipping(mut meter) = std::mem::replace(&mut self.state, State::Lines) else {
            return Ok(Fill::Idle);
        };
        block.offset = self.offset;
        if block.buffer.len() < PIECE {
            block.buffer.resize(PIECE, 0);
        }
        match self.source.read(&mut block.buffer[..PIECE], true) {
            Ok(Chunk::Bytes(count)) => {
                let bytes = &block.buffer[..count];
                let Some(end) = meter.add(bytes) else {
                    // Returns after each piece, so that the caller can stop within an endless line.
                    self.state = State::Skipping(meter);
                    return Ok(Fill::Idle);
                };
                self.carry.extend_from_slice(&bytes[end..]);
            }
            Ok(Chunk::Idle) => {
                self.state = State::Skipping(meter);
                return Ok(Fill::Idle);
            }
            Ok(Chunk::End) => self.state = State::Over(None),
            Err(error) => {
                // A line cut by a fault is not judged, too long or not.
                self.state = State::Over(Some(error));
                return self.fill(block, target);
            }
        }
        let line = meter.line();
        self.offset += line.consumed;
        block.skipped = Some(line);
        Ok(Fill::Block)
    }
}
