//! Every way to read an input gives the lines that a naive splitter gives.

use super::block::BYTE_ORDER_MARK;
use super::*;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A reader of at most this many bytes at a time, which at the end fails or ends.
pub(super) struct Drip<'a>(pub(super) &'a [u8], pub(super) usize, pub(super) bool);

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
    if let Some(line) = block.skipped {
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

/// The lines of a regular file, read in sections of `section` bytes from the last to the first. It
/// fails because it became shorter.
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
            let read = section.read(LineLimit::Skip(limit), &never, &mut block);
            see_block(&block, limit, &mut seen);
            match read {
                SectionRead::All => break,
                SectionRead::Part => section.resume(block.end_of(block.bytes().len())),
                SectionRead::Fault(error) => {
                    assert!(fails, "{error}");
                    break;
                }
                SectionRead::Stopped => panic!("`never` was set"),
            }
        }
        parts.push(seen);
    }
    parts.into_iter().rev().flatten().collect()
}

/// The lines of a reader that gives `drip` bytes at a time.
fn see_stream(
    text: &[u8],
    drip: usize,
    block_bytes: usize,
    limit: usize,
    fails: bool,
) -> Vec<Seen> {
    let reader = Box::new(Drip(text, drip, fails));
    let source = Input::Reader {
        name: "drip".to_owned(),
        reader,
    }
    .open(DEFAULT_MAX_WINDOW)
    .unwrap();
    let Opened::Stream(source) = source else {
        panic!("a reader is a stream");
    };
    let mut reader = StreamReader::new(source, 0, LineLimit::Skip(limit));
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

/// The lines of a text in memory.
fn see_slice(text: &[u8], block_bytes: usize, limit: usize) -> Vec<Seen> {
    let mut reader = SliceReader::new(text, 0);
    let (mut seen, mut block) = (Vec::new(), Block::default());
    while reader.fill(&mut block, block_bytes) {
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
                        let found = see_stream(text, drip, block_bytes, limit, fails);
                        assert_eq!(found, expected, "{shown:?} {limit} {drip} {block_bytes}");
                    }
                    let found = see_sections(text, block_bytes, limit, fails);
                    assert_eq!(
                        found, expected,
                        "{shown:?} {limit} {block_bytes} in sections"
                    );
                    if !fails {
                        let found = see_slice(text, block_bytes, limit);
                        assert_eq!(found, expected, "{shown:?} {limit} {block_bytes} borrowed");
                    }
                }
            }
        }
    }
}

#[test]
fn a_long_line_is_skipped_in_constant_memory() {
    let mut text = b"a\n".to_vec();
    text.resize(10 << 20, b'x');
    text.extend_from_slice(b"\nb\n");
    let source = Input::Reader {
        name: "x".to_owned(),
        reader: Box::new(&text[..]),
    };
    let Opened::Stream(source) = source.open(DEFAULT_MAX_WINDOW).unwrap() else {
        panic!("a reader is a stream");
    };
    let mut reader = StreamReader::new(source, 0, LineLimit::Skip(5000));
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
