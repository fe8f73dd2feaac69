//! Blocks of whole lines, in buffers that come back.
//!
//! [`BlockReader`] cuts a [`Source`], which can only be read from front to back, into [`Block`]s.
//! Memory is bounded by the blocks in flight whatever the input holds: a line longer than the limit
//! is passed over without being kept. [`Stretches`] does the same to a text that is in memory
//! already, whose blocks lend from it.

use std::ops::Range;
use std::time::{Duration, Instant};

use super::lines::leading_blanks;
use super::source::{Chunk, Source};
use crate::error::Error;

/// How many bytes a block gathers before it is passed on, unless told otherwise: small enough to
/// stay in a core's own cache while it is worked on, large enough that a block's overhead is lost
/// in it.
pub const DEFAULT_BLOCK_BYTES: usize = 256 << 10;
/// How long a line may take to come before the caller may look around.
const PATIENCE: Duration = Duration::from_millis(100);
/// How much of a line that is passed over is read at a time.
const PIECE: usize = 64 << 10;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Whole lines of one input.
#[derive(Default)]
pub struct Block<'t> {
    /// The index of the input among all inputs.
    pub input: usize,
    /// The offset in the input of the buffer's first byte.
    pub(super) offset: u64,
    /// What the block has in place of its buffer, if it lends its lines.
    lent: Option<&'t [u8]>,
    /// The lines' bytes are `from..len` of the buffer.
    pub(super) buffer: Vec<u8>,
    pub(super) from: usize,
    pub(super) len: usize,
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

impl<'t> Block<'t> {
    /// The lines, each with its LF but perhaps the last; empty for a line that was passed over.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.lent.unwrap_or(&self.buffer)[self.from..self.len]
    }

    /// The byte offset at which the lines begin in their input.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset + self.from as u64
    }

    /// The byte offset behind the first `judged` bytes, or behind the line that was passed over.
    #[must_use]
    pub fn end_of(&self, judged: usize) -> u64 {
        self.offset() + self.passed_over.map_or(judged as u64, |line| line.consumed)
    }

    /// Forgets the lines before `offset`, where a line begins.
    pub(crate) fn resume(&mut self, offset: u64) {
        self.from = usize::try_from(offset - self.offset).map_or(self.len, |at| at.min(self.len));
    }

    /// The byte offset up to which the block was read.
    pub(super) const fn read_to(&self) -> u64 {
        self.offset + self.len as u64
    }

    /// Empties the block, for bytes from `offset` on.
    pub(super) const fn clear(&mut self, input: usize, offset: u64) {
        (self.input, self.offset, self.passed_over) = (input, offset, None);
        (self.lent, self.from, self.len) = (None, 0, 0);
    }

    /// Makes this the block of `lines` of a text.
    fn lend(&mut self, input: usize, text: &'t [u8], lines: Range<usize>) {
        self.clear(input, 0);
        (self.lent, self.from, self.len) = (Some(text), lines.start, lines.end);
    }

    fn reset(&mut self, input: usize, offset: u64, carry: &mut Vec<u8>) {
        self.clear(input, offset);
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
    /// The most bytes of a line with its ending that are kept.
    line_limit: usize,
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
pub(super) enum LastByte {
    Cr,
    Other,
}

impl LastByte {
    const fn of(byte: u8) -> Self {
        if byte == b'\r' { Self::Cr } else { Self::Other }
    }

    pub(super) fn of_all(bytes: &[u8]) -> Self {
        bytes.last().map_or(Self::Other, |byte| Self::of(*byte))
    }
}

impl<'a> BlockReader<'a> {
    /// Reads `source`, the `input`-th of the run; a line beyond `max_token_bytes`, its ending not
    /// counted, is passed over.
    #[must_use]
    pub fn new(source: Source<'a>, input: usize, max_token_bytes: usize) -> Self {
        Self {
            source,
            input,
            line_limit: max_token_bytes.saturating_add(2),
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

    /// Fills `block` with the next lines, about `target` bytes of them where they are there.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Shrunk`], after every whole line before the fault was given.
    /// The line that the fault cuts is not.
    pub fn fill(&mut self, block: &mut Block<'_>, target: usize) -> Result<Fill, Error> {
        block.reset(self.input, self.offset, &mut self.carry);
        // How many bytes of the block are known to hold no LF.
        let mut searched = 0;
        let started = Instant::now();
        loop {
            match &mut self.state {
                State::PassingOver(..) => return self.pass_over(block, target),
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
    /// have been given.
    fn read_more(
        &mut self,
        block: &mut Block<'_>,
        target: usize,
        wait: bool,
    ) -> Result<Fill, Error> {
        // Beyond the target only a line that is not complete is read on, up to the limit.
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
            block
                .buffer
                .copy_within(BYTE_ORDER_MARK.len()..block.len, 0);
            block.len -= BYTE_ORDER_MARK.len();
            block.offset += BYTE_ORDER_MARK.len() as u64;
        }
    }

    /// Keeps the first `end` bytes of the block and carries the rest over to the next.
    fn cut(&mut self, block: &mut Block<'_>, end: usize) {
        self.carry.extend_from_slice(&block.buffer[end..block.len]);
        block.len = end;
        self.offset = block.offset + end as u64;
    }

    /// The block holds the beginning of a line that is too long.
    fn begin_passing_over(&mut self, block: &mut Block<'_>) -> Fill {
        let blanks = leading_blanks(block.bytes(), self.line_limit - 2);
        let last = LastByte::of_all(block.bytes());
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
    fn pass_over(&mut self, block: &mut Block<'_>, target: usize) -> Result<Fill, Error> {
        let State::PassingOver(mut line, mut last) =
            std::mem::replace(&mut self.state, State::Lines)
        else {
            return Ok(Fill::Idle);
        };
        block.offset = self.offset;
        if block.buffer.len() < PIECE {
            block.buffer.resize(PIECE, 0);
        }
        match self.source.read(&mut block.buffer[..PIECE], true) {
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
                return self.fill(block, target);
            }
        }
        self.offset += line.consumed;
        block.passed_over = Some(line);
        Ok(Fill::Block)
    }
}

/// Cuts a text in memory into blocks of whole lines, and copies nothing.
pub(crate) struct Stretches<'t> {
    text: &'t [u8],
    input: usize,
    /// Where the next block begins.
    begin: usize,
}

impl<'t> Stretches<'t> {
    /// Cuts `text`, the `input`-th of the run.
    pub(crate) fn new(text: &'t [u8], input: usize) -> Self {
        let begin = if text.starts_with(BYTE_ORDER_MARK) {
            BYTE_ORDER_MARK.len()
        } else {
            0
        };
        Self { text, input, begin }
    }

    /// How many bytes are left.
    pub(crate) const fn rest(&self) -> usize {
        self.text.len() - self.begin
    }

    /// Makes `block` the next lines, about `target` bytes of them; false at the end.
    pub(crate) fn fill(&mut self, block: &mut Block<'t>, target: usize) -> bool {
        let rest = &self.text[self.begin..];
        if rest.is_empty() {
            return false;
        }
        let (head, tail) = rest.split_at(target.min(rest.len()));
        let len = if tail.is_empty() {
            rest.len()
        } else if let Some(end) = memchr::memrchr(b'\n', head) {
            end + 1
        } else {
            // A line that is longer than a block should be.
            let end = memchr::memchr(b'\n', tail);
            end.map_or(rest.len(), |end| head.len() + end + 1)
        };
        let end = self.begin + len;
        block.lend(self.input, self.text, self.begin..end);
        self.begin = end;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::section::{RegularFile, Section, SectionRead};
    use crate::input::{Input, Opened, lines};
    use std::io::{self, Read};
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

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

    /// The lines of a block, as a run sees them.
    fn see_block(block: &Block<'_>, limit: usize, seen: &mut Vec<Seen>) {
        if let Some(line) = block.passed_over {
            let offset = block.offset() + line.blanks as u64;
            seen.push(Seen::TooLong(offset, line.length));
        }
        let bytes = block.bytes();
        for line in lines(bytes) {
            if line.length > limit {
                let blanks = leading_blanks(&bytes[line.begin..], limit);
                let offset = block.offset() + (line.begin + blanks) as u64;
                seen.push(Seen::TooLong(offset, line.length as u64));
            } else {
                let offset = block.offset() + line.start as u64;
                seen.push(Seen::Token(offset, line.token.to_vec()));
            }
        }
    }

    /// A regular file, in sections of so many bytes, read from the last to the first. It fails by
    /// having become shorter.
    fn see_sections(text: &[u8], section: usize, limit: usize, fails: bool) -> Vec<Seen> {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, text).unwrap();
        let file = Arc::new(RegularFile {
            name: "file".to_owned(),
            file,
            size: text.len() as u64 + u64::from(fails),
        });
        let (never, mut block) = (AtomicBool::new(false), Block::default());
        let mut parts = Vec::new();
        let mut begins: Vec<u64> = (0..file.size()).step_by(section).collect();
        begins.reverse();
        for begin in begins {
            let end = (begin + section as u64).min(file.size());
            let mut section = Section::new(Arc::clone(&file), 0, begin, end);
            let mut seen = Vec::new();
            loop {
                let read = section.read(limit, &never, &mut block);
                see_block(&block, limit, &mut seen);
                match read {
                    SectionRead::All => break,
                    SectionRead::Part => section.resume(block.end_of(block.bytes().len())),
                    SectionRead::Fault(error) => {
                        assert!(fails, "{error}");
                        break;
                    }
                    SectionRead::Stopped => panic!("nobody told it to stop"),
                }
            }
            parts.push(seen);
        }
        parts.into_iter().rev().flatten().collect()
    }

    fn see(text: &[u8], drip: usize, block_bytes: usize, limit: usize, fails: bool) -> Vec<Seen> {
        let reader = Box::new(Drip(text, drip, fails));
        let source = Input::Reader {
            name: "drip".to_owned(),
            reader,
        }
        .open()
        .unwrap();
        let Opened::Stream(source) = source else {
            panic!("a reader is a stream");
        };
        let mut reader = BlockReader::new(source, 0, limit);
        let (mut seen, mut block, mut offset) = (Vec::new(), Block::default(), 0);
        loop {
            match reader.fill(&mut block, block_bytes) {
                Ok(Fill::Idle) => continue,
                Ok(Fill::Block) => {}
                Ok(Fill::End) => {
                    assert!(!fails);
                    break;
                }
                Err(error) => {
                    assert!(fails, "{error}");
                    let after = reader.fill(&mut block, block_bytes);
                    assert_eq!(after.unwrap(), Fill::End, "and no more");
                    break;
                }
            }
            let has_mark = offset == 0 && text.starts_with(BYTE_ORDER_MARK);
            assert_eq!(block.offset(), if has_mark { 3 } else { offset });
            offset = block.end_of(block.bytes().len());
            assert!(offset > block.offset());
            see_block(&block, limit, &mut seen);
        }
        seen
    }

    /// A text in memory, in stretches of so many bytes.
    fn see_stretches(text: &[u8], block_bytes: usize, limit: usize) -> Vec<Seen> {
        let mut stretches = Stretches::new(text, 0);
        let (mut seen, mut block) = (Vec::new(), Block::default());
        while stretches.fill(&mut block, block_bytes) {
            assert!(!block.bytes().is_empty());
            see_block(&block, limit, &mut seen);
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
                    let shown = String::from_utf8_lossy(text);
                    for block_bytes in [1, 2, 3, 7, 16, 1 << 16] {
                        for drip in [1, 2, 3, 5, 1000] {
                            let found = see(text, drip, block_bytes, limit, fails);
                            assert_eq!(found, expected, "{shown:?} {limit} {drip} {block_bytes}");
                        }
                        let found = see_sections(text, block_bytes, limit, fails);
                        assert_eq!(
                            found, expected,
                            "{shown:?} {limit} {block_bytes} in sections"
                        );
                        if !fails {
                            let found = see_stretches(text, block_bytes, limit);
                            assert_eq!(found, expected, "{shown:?} {limit} {block_bytes} lent");
                        }
                    }
                }
            }
        }
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
        let Opened::Stream(source) = source.open().unwrap() else {
            panic!("a reader is a stream");
        };
        let mut reader = BlockReader::new(source, 0, 5000);
        let mut block = Block::default();
        while reader.fill(&mut block, 4096).unwrap() != Fill::End {
            assert!(block.buffer.len() <= PIECE, "{}", block.buffer.len());
            assert!(
                reader.carry.capacity() <= PIECE,
                "{}",
                reader.carry.capacity()
            );
        }
    }
}
