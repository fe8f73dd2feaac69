//! The lines of a block. One scan finds line ends and dots, since splitting lines into tokens needs
//! both; the blanks around a token are trimmed.
//!
//! Each line is scanned from its own beginning, sixty-four bytes at a time, with a bit for each
//! byte. The lines of a log are much alike, so their ends and dots are found at the same steps, and
//! the processor predicts the branches. (`memchr` would read every byte three times and start anew
//! at every hit.)

mod arch;

use arch::find;

use crate::platform::Platform;

/// A line, without its ending and the blanks around its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    /// The token: the line without its ending, spaces and tabs; empty for a blank line.
    pub(crate) token: &'b [u8],
    /// Where the token begins, in bytes from the start of the block. For a blank line, its end.
    pub(crate) start: usize,
    /// Where the line begins.
    pub(crate) begin: usize,
    /// The length of the line without its ending, before the blanks were trimmed.
    pub(crate) length: usize,
    /// The dots in the line.
    pub(crate) dots: Dots,
}

/// The dots in a line: how many, and where the first two are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dots {
    /// How many dots there are.
    pub(crate) count: usize,
    /// Where the first two are, in bytes from the start of the token; meaningless where there are
    /// fewer.
    pub(crate) first_two: [usize; 2],
}

impl Dots {
    #[inline]
    fn add(&mut self, position: usize) {
        // No index, so that both stay in registers.
        let [first, second] = &mut self.first_two;
        match self.count {
            0 => *first = position,
            1 => *second = position,
            _ => {}
        }
        self.count += 1;
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// How many blanks a line of more than `limit` bytes begins with; 0 if its first `limit + 1` bytes
/// are nothing else. So the answer is the same whether or not the rest of the line is in memory.
pub(crate) fn leading_blanks(line: &[u8], limit: usize) -> usize {
    let head = &line[..line.len().min(limit + 1)];
    head.iter().position(|byte| !is_blank(*byte)).unwrap_or(0)
}

impl<'b> Line<'b> {
    /// The first line of `rest`, which begins at `begin` in the block.
    #[inline]
    fn new(rest: &'b [u8], begin: usize, found: &Found) -> Self {
        let (bytes, behind) = rest.split_at(found.end);
        // Only LF ends a line, and one CR before it belongs to the ending.
        let line = match bytes {
            [line @ .., b'\r'] if !behind.is_empty() => line,
            _ => bytes,
        };
        let lead = line
            .iter()
            .position(|byte| !is_blank(*byte))
            .unwrap_or(line.len());
        let tail = line
            .iter()
            .rposition(|byte| !is_blank(*byte))
            .map_or(lead, |last| last + 1);
        Self {
            token: &line[lead..tail],
            start: begin + lead,
            begin,
            length: line.len(),
            dots: Dots {
                count: found.dots.count,
                // A blank is no dot, so the line has the dots of its token.
                first_two: found.dots.first_two.map(|dot| dot.wrapping_sub(lead)),
            },
        }
    }
}

/// Where a line of a text ends, and the dots in it.
struct Found {
    /// Where its LF is; the length of the text if it has none.
    end: usize,
    /// Their positions are relative to the start of the text.
    dots: Dots,
}

impl Found {
    /// For a text of `len` bytes without LF or dots.
    const fn none(len: usize) -> Self {
        Self {
            end: len,
            dots: Dots {
                count: 0,
                first_two: [0; 2],
            },
        }
    }
}

/// The lines of `block`, which is empty or begins with a line; the last one may lack its LF.
pub(crate) fn lines(block: &[u8]) -> Lines<'_> {
    Lines {
        platform: Platform::detect(),
        block,
        start: 0,
    }
}

impl Lines<'_> {
    /// Where the next line begins.
    pub(crate) const fn position(&self) -> usize {
        self.start
    }
}

/// The iterator of [`lines`].
pub(crate) struct Lines<'b> {
    platform: Platform,
    block: &'b [u8],
    /// Where the next line begins.
    start: usize,
}

impl<'b> Iterator for Lines<'b> {
    type Item = Line<'b>;

    /// Inlined, so that a line stays in registers.
    #[inline(always)]
    fn next(&mut self) -> Option<Line<'b>> {
        let (begin, rest) = (self.start, &self.block[self.start..]);
        if rest.is_empty() {
            return None;
        }
        let found = find(self.platform, rest);
        self.start = self.block.len().min(begin + found.end + 1);
        Some(Line::new(rest, begin, &found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_blanks_are_trimmed() {
        let text = b"a\nbc\r\n\n \t d e\t \r\n\r\r\nx\r";
        let found: Vec<_> = lines(text)
            .map(|line| {
                (
                    std::str::from_utf8(line.token).unwrap(),
                    line.start,
                    line.length,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a", 0, 1),
                ("bc", 2, 2),
                ("", 6, 0),
                ("d e", 10, 8),
                ("\r", 17, 1),
                ("x\r", 20, 2)
            ]
        );
        assert_eq!(lines(b"").count(), 0);
        assert_eq!(lines(b"\n").count(), 1);
        assert_eq!(lines(b" ").count(), 1);
    }

    #[test]
    fn every_platform_finds_what_a_search_byte_by_byte_finds() {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for len in (0..300).chain([4095, 4096, 4097, 12_345]) {
            for sparse in [2, 10, 200, 2000] {
                let text: Vec<u8> = (0..len)
                    .map(|_| match (next(sparse), next(256).to_le_bytes()[0]) {
                        (0, _) => b'\n',
                        (1, _) => b'.',
                        (_, any) => any,
                    })
                    .collect();
                check(&text);
            }
        }
    }

    #[test]
    fn no_other_byte_is_mistaken_for_a_line_end_or_a_dot() {
        for around in [
            0, 9, 10, 11, b'-', b'.', b'/', 0x7f, 0x80, 0x8a, 0x8b, 0xae, 0xaf, 0xff,
        ] {
            for byte in 0..=u8::MAX {
                // One in a whole chunk, and one in what is left.
                for at in [13, 70] {
                    let mut text = [around; 80];
                    text[at] = byte;
                    check(&text);
                }
            }
        }
    }

    /// Compares the lines that each platform finds in a text with those found the obvious way.
    fn check(text: &[u8]) {
        let expected = line_by_line(text);
        for platform in Platform::each() {
            let mut found: Vec<_> = Lines {
                platform,
                block: text,
                start: 0,
            }
            .collect();
            // Positions beyond `count` are unspecified.
            for Dots { count, first_two } in found.iter_mut().map(|line| &mut line.dots) {
                first_two.iter_mut().skip(*count).for_each(|dot| *dot = 0);
            }
            assert_eq!(found, expected, "{platform:?} {text:x?}");
        }
    }

    /// The lines of a text, the obvious way.
    fn line_by_line(text: &[u8]) -> Vec<Line<'_>> {
        let mut begin = 0;
        let mut lines = Vec::new();
        for with_ending in text.split_inclusive(|byte| *byte == b'\n') {
            let line = match with_ending {
                [line @ .., b'\r', b'\n'] | [line @ .., b'\n'] => line,
                line => line,
            };
            let lead = line.iter().take_while(|byte| is_blank(**byte)).count();
            let mut token = &line[lead..];
            while let [rest @ .., b' ' | b'\t'] = token {
                token = rest;
            }
            let mut dots = (0..token.len()).filter(|at| token[*at] == b'.');
            let first_two = [dots.next(), dots.next()];
            let count = first_two.iter().flatten().count() + dots.count();
            lines.push(Line {
                token,
                start: begin + lead,
                begin,
                length: line.len(),
                dots: Dots {
                    count,
                    first_two: first_two.map(Option::unwrap_or_default),
                },
            });
            begin += with_ending.len();
        }
        lines
    }
}
