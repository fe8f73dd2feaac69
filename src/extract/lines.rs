//! One token per line: every line that is not blank is a token or is rejected.

use super::{Content, Found};
use crate::input::{Block, Lines, leading_blanks, lines};
use crate::time::UnixTime;

/// The most lines taken from a block at a time, which bounds the memory for their rows.
pub(crate) const MAX_LINES: u32 = 8192;

/// The tokens of the lines of a block.
pub(crate) struct LineTokens<'b> {
    block: &'b Block<'b>,
    lines: Lines<'b>,
    /// The most bytes of a token.
    limit: usize,
    now: UnixTime,
    /// Whether the block's skipped line is still to be returned.
    has_skipped: bool,
    /// Lines taken, blank ones included.
    count: u32,
    blank: u32,
}

impl<'b> LineTokens<'b> {
    /// The first [`MAX_LINES`] lines of a block, all to be validated at `now`; a line of more than
    /// `limit` bytes is too long.
    pub(crate) fn new(block: &'b Block<'_>, limit: usize, now: UnixTime) -> Self {
        Self {
            block,
            lines: lines(block.bytes()),
            limit,
            now,
            has_skipped: block.skipped.is_some(),
            count: 0,
            blank: 0,
        }
    }

    /// The number of lines taken, blank ones included.
    pub(crate) const fn taken(&self) -> u32 {
        self.count
    }

    /// The number of blank lines among them.
    pub(crate) const fn blank(&self) -> u32 {
        self.blank
    }

    /// Their length in bytes of the block.
    pub(crate) const fn consumed(&self) -> usize {
        self.lines.position()
    }

    fn found(&self, at: usize, content: Content<'b>) -> Found<'b> {
        Found::plain(self.count, self.block.offset_of(at), self.now, content)
    }

    #[cold]
    fn skipped_line(&mut self) -> Option<Found<'b>> {
        self.has_skipped = false;
        let line = self.block.skipped?;
        self.count += 1;
        Some(self.found(line.blanks, Content::TooLong(line.length)))
    }
}

impl<'b> Iterator for LineTokens<'b> {
    type Item = Found<'b>;

    #[inline]
    fn next(&mut self) -> Option<Found<'b>> {
        if self.has_skipped {
            return self.skipped_line();
        }
        while self.count < MAX_LINES {
            let line = self.lines.next()?;
            self.count += 1;
            if line.length > self.limit {
                let rest = &self.block.bytes()[line.begin..];
                let at = line.begin + leading_blanks(rest, self.limit);
                let length = self.block.length_of(line.begin..line.begin + line.length);
                return Some(self.found(at, Content::TooLong(length)));
            }
            if line.token.is_empty() {
                self.blank += 1;
                continue;
            }
            let content = Content::of(line.token, (line.dots.count, line.dots.first_two));
            return Some(self.found(line.start, content));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::SliceReader;
    use crate::verdict::Reason;

    fn block(text: &[u8]) -> Block<'_> {
        let mut block = Block::default();
        assert!(SliceReader::new(text, 0).fill(&mut block, usize::MAX));
        block
    }

    #[test]
    fn every_line_that_is_not_blank_is_found_at_its_place() {
        let text = b"a.b.c\n\n  d\r\n \t\nx.............y\na.b.c.d.e";
        let block = block(text);
        let mut tokens = LineTokens::new(&block, 9, UnixTime::EPOCH);
        let mut seen = Vec::new();
        for found in &mut tokens {
            let content = match found.content {
                Content::Token(token) => String::from_utf8(token.bytes().to_vec()).unwrap(),
                Content::Malformed(_, reason) => reason.code().to_owned(),
                Content::TooLong(length) => length.to_string(),
            };
            seen.push((found.line, found.offset, content));
        }
        let expected = [
            (1, 0, "a.b.c"),
            (3, 9, Reason::SegmentCount.code()),
            (5, 15, "15"),
            (6, 31, Reason::SegmentCount.code()),
        ];
        assert!(
            seen.iter()
                .map(|(line, at, it)| (*line, *at, &**it))
                .eq(expected)
        );
        assert_eq!((tokens.taken(), tokens.blank()), (6, 2));
        assert_eq!(tokens.consumed(), text.len());
    }

    #[test]
    fn no_more_lines_are_taken_than_may_become_rows() {
        let lines = MAX_LINES as usize + 1;
        for text in ["x\n".repeat(lines), "\n".repeat(2 * lines)] {
            let block = block(text.as_bytes());
            let mut tokens = LineTokens::new(&block, 9, UnixTime::EPOCH);
            assert!(tokens.by_ref().count() <= MAX_LINES as usize);
            assert_eq!(tokens.taken(), MAX_LINES);
            let line_bytes = text.find('\n').unwrap() + 1;
            assert_eq!(tokens.consumed(), line_bytes * MAX_LINES as usize);
        }
    }
}
