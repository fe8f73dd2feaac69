//! The lines of a block: one scan for line ends and dots, and the blanks around a token cut off.

use super::marks::{Marker, Marks};

/// A line, without its ending and the blanks around its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    /// The token: the line without its ending, spaces and tabs; empty for a blank line.
    pub(crate) token: &'b [u8],
    /// Where the token begins, in bytes from the start of the block. For a blank line, its end.
    pub(crate) start: usize,
    /// Where the line begins.
    pub(crate) begin: usize,
    /// The length of the line without its ending, before the blanks were cut off.
    pub(crate) length: usize,
    /// The dots in the line.
    pub(crate) dots: Dots,
}

/// The dots in a line: how many, and where the first two are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dots {
    /// How many dots there are.
    pub(crate) count: usize,
    /// Where the first two are, in bytes from the start of the block.
    pub(crate) first_two: [usize; 2],
}

impl Dots {
    #[inline]
    fn add(&mut self, position: usize) {
        // Two places and no index, so that both are in registers.
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

/// How many blanks a line of more than `limit` bytes begins with; 0 if they are all that may be
/// looked at. Whether the line was kept or not, the answer is the same.
pub(crate) fn leading_blanks(line: &[u8], limit: usize) -> usize {
    let head = &line[..line.len().min(limit + 1)];
    head.iter().position(|byte| !is_blank(*byte)).unwrap_or(0)
}

impl<'b> Line<'b> {
    /// Reads a line that begins at `start`, is `bytes` long and was `ended` by LF or by the end of
    /// the input.
    #[inline]
    fn new(bytes: &'b [u8], start: usize, ended: bool, dots: Dots) -> Self {
        // Only LF ends a line, and one CR before it belongs to the ending.
        let line = match bytes {
            [line @ .., b'\r'] if ended => line,
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
            start: start + lead,
            begin: start,
            length: line.len(),
            dots,
        }
    }
}

/// The lines of `block`, which is empty or begins with a line; the last one may lack its LF.
pub(crate) fn lines(block: &[u8]) -> Lines<'_> {
    Lines {
        block,
        marks: Marks::new(Marker::best(), block),
        start: 0,
    }
}

/// The iterator of [`lines`].
pub(crate) struct Lines<'b> {
    block: &'b [u8],
    marks: Marks<'b>,
    /// Where the next line begins.
    start: usize,
}

impl<'b> Iterator for Lines<'b> {
    type Item = Line<'b>;

    /// It is a part of its caller, so that a line stays in registers.
    #[inline(always)]
    fn next(&mut self) -> Option<Line<'b>> {
        let (begin, mut dots) = (self.start, Dots::default());
        for mark in self.marks.by_ref() {
            if self.block[mark] == b'\n' {
                self.start = mark + 1;
                return Some(Line::new(&self.block[begin..mark], begin, true, dots));
            }
            dots.add(mark);
        }
        self.start = self.block.len();
        (begin < self.start).then(|| Line::new(&self.block[begin..], begin, false, dots))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_and_blanks_are_cut_off() {
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
}
