//! The lines of a block: one scan for `\n`, and the blanks around a token cut off.

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
    fn new(bytes: &'b [u8], start: usize, ended: bool) -> Self {
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
        }
    }
}

/// The lines of `block`, which is empty or begins with a line; the last one may lack its LF.
pub(crate) fn lines(block: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut ends = memchr::memchr_iter(b'\n', block);
    let mut start = 0;
    std::iter::from_fn(move || {
        let begin = start;
        match ends.next() {
            Some(end) => {
                start = end + 1;
                Some(Line::new(&block[begin..end], begin, true))
            }
            None if begin < block.len() => {
                start = block.len();
                Some(Line::new(&block[begin..], begin, false))
            }
            None => None,
        }
    })
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
