//! Where a block has line ends and dots: one scan for both, since whoever splits lines into tokens
//! needs both.
//!
//! A scan by `memchr` for each of them looks at every byte three times and starts anew at every
//! hit. Here a bit is made for each byte, [`SPAN`] bytes at a time, and the bits are walked.

mod arch;

pub(super) use arch::Marker;

/// Bytes that are marked at a time: few enough for their bits to stay in registers' reach, enough
/// that the call is nothing.
const WORDS: usize = 64;
/// [`WORDS`] in bytes.
pub(super) const SPAN: usize = 64 * WORDS;

/// The bits of a span: bit `i % 64` of word `i / 64` is set where byte `i` is LF or a dot.
pub(super) type Words = [u64; WORDS];

/// Walks the places of LF and `.` in a block, from front to back.
pub(super) struct Marks<'b> {
    marker: Marker,
    block: &'b [u8],
    words: Words,
    /// Where the span of `words` begins.
    base: usize,
    /// The word that `bits` are what is left of.
    word: usize,
    bits: u64,
}

impl<'b> Marks<'b> {
    pub(super) fn new(marker: Marker, block: &'b [u8]) -> Self {
        let mut marks = Self {
            marker,
            block,
            words: [0; WORDS],
            base: 0,
            word: 0,
            bits: 0,
        };
        marks.mark();
        marks
    }

    /// Marks the span that begins at `base`.
    fn mark(&mut self) {
        let rest = &self.block[self.base..];
        let span = &rest[..rest.len().min(SPAN)];
        let (chunks, tail) = span.as_chunks::<64>();
        self.marker.mark(chunks, &mut self.words);
        if !tail.is_empty() {
            let mut last = [0; 64];
            last[..tail.len()].copy_from_slice(tail);
            self.marker.mark(&[last], &mut self.words[chunks.len()..]);
        }
        self.words[span.len().div_ceil(64)..].fill(0);
        (self.word, self.bits) = (0, self.words[0]);
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.word += 1;
            match self.words.get(self.word) {
                Some(bits) => self.bits = *bits,
                None => {
                    self.base += SPAN;
                    if self.base >= self.block.len() {
                        self.base = self.block.len();
                        return None;
                    }
                    self.mark();
                }
            }
        }
        let bit = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.base + self.word * 64 + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_those_of_a_search_byte_by_byte() {
        let mut state = 7_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for len in (0..300).chain([SPAN - 1, SPAN, SPAN + 1, SPAN + 64, 3 * SPAN + 17]) {
            for sparse in [2, 10, 200] {
                let block: Vec<u8> = (0..len)
                    .map(|_| match (next(sparse), next(256).to_le_bytes()[0]) {
                        (0, _) => b'\n',
                        (1, _) => b'.',
                        (_, any) => any,
                    })
                    .collect();
                let expected: Vec<usize> = (0..len)
                    .filter(|at| matches!(block[*at], b'\n' | b'.'))
                    .collect();
                for marker in Marker::available() {
                    let found: Vec<usize> = Marks::new(marker, &block).collect();
                    assert_eq!(found, expected, "{len} {marker:?}");
                }
            }
        }
    }

    #[test]
    fn no_other_byte_is_marked_beside_any_neighbour() {
        for around in [0, 9, 10, 11, b'-', b'.', b'/', 0x7f, 0x80, 0x8a, 0xae, 0xff] {
            for byte in 0..=u8::MAX {
                let mut block = [around; 64];
                block[13] = byte;
                for marker in Marker::available() {
                    let expected = (0..64)
                        .filter(|at| matches!(block[*at], b'\n' | b'.'))
                        .fold(0, |bits, at| bits | 1_u64 << at);
                    let mut words = [0];
                    marker.mark(&[block], &mut words);
                    assert_eq!(words, [expected], "{byte:#x} in {around:#x}, {marker:?}");
                }
            }
        }
    }
}
