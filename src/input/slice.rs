//! A text in memory, cut into blocks of whole lines that borrow it.

use super::block::{BYTE_ORDER_MARK, Block};

/// Cuts a text in memory into blocks of whole lines, without a copy.
pub(crate) struct SliceReader<'t> {
    text: &'t [u8],
    input: usize,
    /// Where the next block begins.
    begin: usize,
}

impl<'t> SliceReader<'t> {
    /// A reader of `text`, the `input`-th input of the run.
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
            // A line that is longer than `target`.
            let end = memchr::memchr(b'\n', tail);
            end.map_or(rest.len(), |end| head.len() + end + 1)
        };
        let end = self.begin + len;
        block.borrow(self.input, self.text, self.begin..end);
        self.begin = end;
        true
    }
}
