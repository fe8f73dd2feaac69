//! Blocks of whole lines, in buffers that come back.
//!
//! [`BlockReader`] cuts a [`Source`] into [`Block`]s. Memory is bounded by the blocks in flight
//! whatever the input holds: a line longer than the limit is passed over without being kept, and a
//! block holds at most [`MAX_BLOCK_LINES`] lines, since every line may become a row.

use std::time::{Duration, Instant};

use super::lines::leading_blanks;
use super::source::{Chunk, Source};
use crate::error::Error;

/// How many bytes a block gathers before it is passed on, unless told otherwise: small enough to
/// stay in a core's own cache while it is worked on, large enough that a block's overhead is lost
/// in it.
pub const DEFAULT_BLOCK_BYTES: usize = 256 << 10;
/// The most lines a block holds.
pub const MAX_BLOCK_LINES: usize = 8192;
/// How long a line may take to come before the caller may look around.
const PATIENCE: Duration = Duration::from_millis(100);
/// The least a block gathers where lines are short.
const MIN_FILL: usize = 16 << 10;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of one input.
#[derive(Default)]
pub struct Block {
    /// The place in the order of all blocks, from 0.
    pub sequence: u64,
    /// The index of the input among all inputs.
    pub input: usize,
    /// The byte offset at which the block begins in its input.
    pub offset: u64,
    /// The lines' bytes: the first `len` of the buffer.
    buffer: Vec<u8>,
    len: usize,
    /// Set where the block stands for one line that was too long to keep.
    pub(crate) passed_over: Option<PassedOver>,
}

/// A line that was too long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassedOver {
    /// Its length in bytes without its ending.
    pub(crate) length: u64,
    /// Its length with its ending.
    pub(crate) consumed: u64,
    /// How many blanks it begins with; 0 if as much of it as may be kept is blank.
    pub(crate) blanks: usize,
}

impl Block {
    /// The lines, each with its LF but perhaps the last; empty for a line that was passed over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// How many bytes of the input the block stands for.
    #[must_use]
    pub fn consumed(&self) -> u64 {
        self.passed_over
            .map_or(self.len as u64, |line| line.consumed)
    }

    fn reset(&mut self, input: usize, offset: u64, carry: &mut Vec<u8>) {
        (self.input, self.offset, self.passed_over) = (input, offset, None);
        self.len = carry.len();
        if self.buffer.len() < carry.len() {
            self.buffer.resize(carry.len(), 0);
        }
        self.buffer[..carry.len()].copy_from_slice(carry);
        carry.clear();
    }
}

/// What [`BlockReader::fill`] did.
#[derive(Debug, PartialEq, Eq)]
pub enum Fill {
    /// The block holds lines.
    Block,
    /// The input is silent at the moment, and has no whole line to give.
    Idle,
    /// The input has ended.
    End,
}

/// Cuts one source into blocks of whole lines.
pub struct BlockReader<'a> {
    source: Source<'a>,
    input: usize,
    block_bytes: usize,
    /// The most bytes of a line with its ending that are kept.
    line_limit: usize,
    /// How much to gather for the next block: less while lines are short.
    target: usize,
    /// What was read beyond the last block's lines.
    carry: Vec<u8>,
    /// The offset in the input at which `carry` begins.
    offset: u64,
    state: State,
}

enum State {
    Start,
    Lines,
    /// Within a line that is passed over.
    PassingOver(PassedOver, LastByte),
    /// The source has ended or failed; what it still holds is in `carry`.
    Over(Option<Error>),
}

/// Whether the last byte of an unfinished line was a CR, which a LF would make part of the ending.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LastByte {
    Cr,
    Other,
}

impl LastByte {
    const fn of(byte: u8) -> Self {
        if byte == b'\r' { Self::Cr } else { Self::Other }
    }
}

impl<'a> BlockReader<'a> {
    /// Reads `source`, the `input`-th of the run, in blocks of about `block_bytes`; a line beyond
    /// `max_token_bytes`, its ending not counted, is passed over.
    #[must_use]
    pub fn new(
        source: Source<'a>,
        input: usize,
        block_bytes: usize,
        max_token_bytes: usize,
    ) -> Self {
        Self {
            source,
            input,
            block_bytes: block_bytes.max(1),
            line_limit: max_token_bytes.saturating_add(2),
            target: block_bytes.clamp(1, MIN_FILL * 4),
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

    /// The index of the input among all inputs.
    #[must_use]
    pub const fn input(&self) -> usize {
        self.input
    }

    /// Fills `block` with the next lines.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Shrunk`], after every whole line before the fault was given.
    /// The line that the fault cuts is not.
    pub fn fill(&mut self, block: &mut Block) -> Result<Fill, Error> {
        block.reset(self.input, self.offset, &mut self.carry);
        // How many bytes of the block are known to hold no LF.
        let mut searched = 0;
        let started = Instant::now();
        loop {
            match &mut self.state {
                State::PassingOver(..) => return self.pass_over(block),
                State::Over(error) => {
                    if block.len == 0 {
                        return error.take().map_or(Ok(Fill::End), Err);
                    }
                    // The last lines. One that a fault cuts is not given.
                    let has_failed = error.is_some();
                    match memchr::memrchr(b'\n', &block.bytes()[searched..]) {
                        Some(end) if has_failed => block.len = searched + end + 1,
                        None if has_failed => block.len = 0,
                        _ => {}
                    }
                    if block.len > 0 {
                        return Ok(self.finish(block));
                    }
                }
                State::Start | State::Lines => {
                    let last_lf = memchr::memrchr(b'\n', &block.bytes()[searched..]);
                    if let Some(end) = last_lf
                        && block.len >= self.target
                    {
                        self.cut(block, searched + end + 1);
                        return Ok(self.finish(block));
                    }
                    if last_lf.is_none() {
                        // At the start a byte order mark may yet be cut off.
                        if matches!(self.state, State::Lines) {
                            searched = block.len;
                        }
                        if block.len >= self.line_limit {
                            return Ok(self.begin_passing_over(block));
                        }
                        // A line that comes in drops must not keep the caller waiting.
                        if started.elapsed() > PATIENCE && matches!(self.state, State::Lines) {
                            self.cut(block, 0);
                            return Ok(Fill::Idle);
                        }
                    }
                    match self.read_more(block, last_lf.is_none())? {
                        Fill::Idle => match last_lf {
                            Some(end) => {
                                self.cut(block, searched + end + 1);
                                return Ok(self.finish(block));
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
    /// have been given.
    fn read_more(&mut self, block: &mut Block, wait: bool) -> Result<Fill, Error> {
        // Beyond the target only a line that is not complete is read on, up to the limit.
        let end = if block.len < self.target {
            self.target
        } else {
            block.len.saturating_mul(2).min(self.line_limit)
        };
        if block.buffer.len() < end {
            block.buffer.resize(end, 0);
        }
        match self.source.read(&mut block.buffer[block.len..end], wait) {
            Ok(Chunk::Bytes(count)) => {
                block.len += count;
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

    fn skip_byte_order_mark(&mut self, block: &mut Block) {
        if block.len < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(block.bytes()) {
            return; // it may still become one
        }
        self.state = State::Lines;
        if block.bytes().starts_with(BYTE_ORDER_MARK) {
            block
                .buffer
                .copy_within(BYTE_ORDER_MARK.len()..block.len, 0);
            block.len -= BYTE_ORDER_MARK.len();
            block.offset += BYTE_ORDER_MARK.len() as u64;
        }
    }

    /// Keeps the first `end` bytes of the block and carries the rest over to the next.
    fn cut(&mut self, block: &mut Block, end: usize) {
        self.carry.extend_from_slice(&block.buffer[end..block.len]);
        block.len = end;
        self.offset = block.offset + end as u64;
    }

    /// Sees to it that the block has no more lines than it may, and learns from it how much to
    /// gather for the next one.
    fn finish(&mut self, block: &mut Block) -> Fill {
        // Counting is several times faster than finding, and nearly always enough.
        let is_many = memchr::memchr_iter(b'\n', block.bytes()).count() > MAX_BLOCK_LINES;
        let end = is_many
            .then(|| memchr::memchr_iter(b'\n', block.bytes()).nth(MAX_BLOCK_LINES - 1))
            .flatten();
        match end {
            Some(end) => {
                let beyond = block.buffer[end + 1..block.len].to_vec();
                self.carry.splice(..0, beyond);
                block.len = end + 1;
                self.target = block.len.max(MIN_FILL).min(self.block_bytes);
            }
            None => self.target = self.target.saturating_mul(2).min(self.block_bytes),
        }
        self.offset = block.offset + block.len as u64;
        Fill::Block
    }

    /// The block holds the beginning of a line that is too long.
    fn begin_passing_over(&mut self, block: &mut Block) -> Fill {
        let blanks = leading_blanks(block.bytes(), self.line_limit - 2);
        let last = block
            .bytes()
            .last()
            .map_or(LastByte::Other, |byte| LastByte::of(*byte));
        let seen = block.len as u64;
        self.state = State::PassingOver(
            PassedOver {
                length: seen,
                consumed: seen,
                blanks,
            },
            last,
        );
        self.offset = block.offset;
        block.len = 0;
        Fill::Idle
    }

    /// Reads on to the end of a line that is too long, keeping none of it.
    fn pass_over(&mut self, block: &mut Block) -> Result<Fill, Error> {
        let State::PassingOver(mut line, mut last) =
            std::mem::replace(&mut self.state, State::Lines)
        else {
            return Ok(Fill::Idle);
        };
        block.offset = self.offset;
        let wanted = MIN_FILL * 4;
        if block.buffer.len() < wanted {
            block.buffer.resize(wanted, 0);
        }
        match self.source.read(&mut block.buffer[..wanted], true) {
            Ok(Chunk::Bytes(count)) => {
                let bytes = &block.buffer[..count];
                let Some(end) = memchr::memchr(b'\n', bytes) else {
                    line.length += count as u64;
                    line.consumed = line.length;
                    last = LastByte::of(bytes[count - 1]);
                    // The caller looks around between the pieces of a line without an end.
                    self.state = State::PassingOver(line, last);
                    return Ok(Fill::Idle);
                };
                let before = if end > 0 {
                    LastByte::of(bytes[end - 1])
                } else {
                    last
                };
                line.length += end as u64;
                line.consumed = line.length + 1;
                line.length -= u64::from(before == LastByte::Cr);
                self.carry.extend_from_slice(&bytes[end + 1..]);
            }
            Ok(Chunk::Idle) => {
                self.state = State::PassingOver(line, last);
                return Ok(Fill::Idle);
            }
            Ok(Chunk::End) => self.state = State::Over(None),
            Err(error) => {
                // A line cut by a fault is not judged, too long or not.
                self.state = State::Over(Some(error));
                return self.fill(block);
            }
        }
        self.offset += line.consumed;
        block.passed_over = Some(line);
        Ok(Fill::Block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Input, lines};
    use std::io::{self, Read};

    /// A reader that gives at most so many bytes at a time, and fails or ends at the end.
    struct Drip<'a>(&'a [u8], usize, bool);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() && self.2 {
                return Err(io::Error::other("the disk is on fire"));
            }
            let count = self.0.len().min(self.1).min(buffer.len());
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    /// A line as a run sees it: its offset, and its token or the length of one too long.
    #[derive(Debug, PartialEq)]
    enum Seen {
        Token(u64, Vec<u8>),
        TooLong(u64, u64),
    }

    fn see(text: &[u8], drip: usize, block_bytes: usize, limit: usize, fails: bool) -> Vec<Seen> {
        let reader = Box::new(Drip(text, drip, fails));
        let source = Input::Reader {
            name: "drip".to_owned(),
            reader,
        }
        .open()
        .unwrap();
        let mut reader = BlockReader::new(source, 0, block_bytes, limit);
        let (mut seen, mut block, mut offset) = (Vec::new(), Block::default(), 0);
        loop {
            match reader.fill(&mut block) {
                Ok(Fill::Idle) => continue,
                Ok(Fill::Block) => {}
                Ok(Fill::End) => {
                    assert!(!fails);
                    break;
                }
                Err(error) => {
                    assert!(fails, "{error}");
                    assert_eq!(reader.fill(&mut block).unwrap(), Fill::End, "and no more");
                    break;
                }
            }
            let has_mark = offset == 0 && text.starts_with(BYTE_ORDER_MARK);
            assert_eq!(block.offset, if has_mark { 3 } else { offset });
            offset = block.offset + block.consumed();
            if let Some(line) = block.passed_over {
                seen.push(Seen::TooLong(
                    block.offset + line.blanks as u64,
                    line.length,
                ));
                continue;
            }
            let bytes = block.bytes();
            assert!(!bytes.is_empty());
            assert!(memchr::memchr_iter(b'\n', bytes).count() <= MAX_BLOCK_LINES);
            for line in lines(bytes) {
                if line.length > limit {
                    let blanks = leading_blanks(&bytes[line.begin..], limit);
                    let offset = block.offset + (line.begin + blanks) as u64;
                    seen.push(Seen::TooLong(offset, line.length as u64));
                } else {
                    let offset = block.offset + line.start as u64;
                    seen.push(Seen::Token(offset, line.token.to_vec()));
                }
            }
        }
        seen
    }

    /// The obvious way: everything in memory, one line after the other.
    fn naive(text: &[u8], limit: usize, fails: bool) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut start = if text.starts_with(BYTE_ORDER_MARK) {
            3
        } else {
            0
        };
        while start < text.len() {
            let (end, next) = match text[start..].iter().position(|byte| *byte == b'\n') {
                Some(length) => {
                    let end = start + length;
                    let has_cr = length > 0 && text[end - 1] == b'\r';
                    (end - usize::from(has_cr), end + 1)
                }
                None if fails => break, // cut by the fault
                None => (text.len(), text.len()),
            };
            let line = &text[start..end];
            let lead = line
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            if line.len() > limit {
                let lead = if lead <= limit { lead } else { 0 };
                seen.push(Seen::TooLong((start + lead) as u64, line.len() as u64));
            } else {
                let token = line.trim_ascii_end_of_blanks();
                seen.push(Seen::Token(
                    (start + lead) as u64,
                    token[lead.min(token.len())..].to_vec(),
                ));
            }
            start = next;
        }
        seen
    }

    trait Trim {
        fn trim_ascii_end_of_blanks(&self) -> &[u8];
    }

    impl Trim for [u8] {
        fn trim_ascii_end_of_blanks(&self) -> &[u8] {
            let mut rest = self;
            while let [before @ .., b' ' | b'\t'] = rest {
                rest = before;
            }
            rest
        }
    }

    #[test]
    fn blocks_give_the_lines_of_the_naive_splitter_whatever_their_size() {
        let mut texts: Vec<Vec<u8>> = [
            "",
            "\n",
            "\r\n",
            "\r",
            "a",
            "a\n",
            "a\r\n",
            "a\r",
            "\n\n\n",
            " a \t\n",
            " \n \t",
            "\u{feff}",
            "\u{feff}a\nb",
            "\u{feff}\n",
            "\u{fefe}a\n",
            "a\n\u{feff}b\n",
            "aaaaaaaa\naaaaaaaaa\naaaaaaaa\r\naaaaaaaaa\r\naaaaaaaaaa\r\r\n",
            "         \n          a\n               \n",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "b\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\nb\n",
            "aaaaaaaaaaaaaaaaaaaa\r",
        ]
        .map(|text| text.as_bytes().to_vec())
        .to_vec();
        // Lines of every length around the limit, with each ending.
        for ending in ["\n", "\r\n", "\r\r\n"] {
            texts.push(
                (0..16)
                    .flat_map(|n| format!("{}{ending}", "x".repeat(n)).into_bytes())
                    .collect(),
            );
        }
        for text in &texts {
            for limit in [1, 2, 8, 9, 1000] {
                for fails in [false, true] {
                    let expected = naive(text, limit, fails);
                    for drip in [1, 2, 3, 5, 1000] {
                        for block_bytes in [1, 2, 3, 7, 16, 1 << 16] {
                            let found = see(text, drip, block_bytes, limit, fails);
                            let shown = String::from_utf8_lossy(text);
                            assert_eq!(found, expected, "{shown:?} {limit} {drip} {block_bytes}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn many_short_lines_are_dealt_out_in_bounded_blocks() {
        let text = b"a\n".repeat(5 * MAX_BLOCK_LINES + 3);
        let found = see(&text, 1 << 20, 1 << 20, 100, false);
        assert_eq!(found.len(), 5 * MAX_BLOCK_LINES + 3);
        assert_eq!(found, naive(&text, 100, false));
        let failed = see(&text[..text.len() - 1], 1 << 20, 1 << 20, 100, true);
        assert_eq!(
            failed.len(),
            5 * MAX_BLOCK_LINES + 2,
            "less the line that was cut"
        );
    }

    #[test]
    fn a_long_line_is_passed_over_in_constant_memory() {
        let mut text = b"a\n".to_vec();
        text.resize(10 << 20, b'x');
        text.extend_from_slice(b"\nb\n");
        let source = Input::Reader {
            name: "x".to_owned(),
            reader: Box::new(&text[..]),
        };
        let mut reader = BlockReader::new(source.open().unwrap(), 0, 4096, 5000);
        let mut block = Block::default();
        while reader.fill(&mut block).unwrap() != Fill::End {
            assert!(block.buffer.len() <= MIN_FILL * 4, "{}", block.buffer.len());
            assert!(
                reader.carry.capacity() <= MIN_FILL * 4,
                "{}",
                reader.carry.capacity()
            );
        }
    }
}
