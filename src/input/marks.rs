//! Where a block has line ends and dots: one scan for both, since whoever splits lines into tokens
//! needs both.
//!
//! A scan by `memchr` for each of them looks at every byte three times and starts anew at every
//! hit. Here a bit is made for each byte, [`SPAN`] bytes at a time, and the bits become places.

mod arch;

pub(super) use arch::Marker;

/// Words of bits that are made at a time: few enough for what comes of them to stay in the nearest
/// cache, enough that the call is nothing.
const WORDS: usize = 16;
/// [`WORDS`] in bytes.
pub(super) const SPAN: usize = 64 * WORDS;
/// Places that are written at a time.
const STEP: usize = 2;

/// Walks the places of LF and `.` in a block, from front to back.
pub(super) struct Marks<'b> {
    marker: Marker,
    block: &'b [u8],
    /// Where the span begins whose places these are, and where the next one does.
    base: usize,
    end: usize,
    /// The places from `next` to `count` are still to come.
    places: [u32; SPAN + STEP],
    next: usize,
    count: usize,
}

impl<'b> Marks<'b> {
    pub(super) const fn new(marker: Marker, block: &'b [u8]) -> Self {
        Self {
            marker,
            block,
            base: 0,
            end: 0,
            places: [0; _],
            next: 0,
            count: 0,
        }
    }

    /// Marks the next span.
    #[inline(never)]
    fn mark(&mut self) {
        let rest = &self.block[self.end..];
        let span = &rest[..rest.len().min(SPAN)];
        (self.base, self.end) = (self.end, self.end + span.len());
        let (chunks, tail) = span.as_chunks::<64>();
        let mut words = [0; WORDS];
        self.marker.mark(chunks, &mut words);
        if !tail.is_empty() {
            let mut last = [0; 64];
            last[..tail.len()].copy_from_slice(tail);
            self.marker.mark(&[last], &mut words[chunks.len()..]);
        }
        (self.next, self.count) = (0, 0);
        for (start, mut bits) in (0..).step_by(64).zip(words) {
            // How many marks a word has changes with every word, and a loop over them would guess
            // its end wrongly again and again. In logs it is two at the most; so two places are
            // written, and as many are counted as there are.
            loop {
                for _ in 0..STEP {
                    self.places[self.count] = start + bits.trailing_zeros();
                    self.count += usize::from(bits != 0);
                    bits &= bits.wrapping_sub(1);
                }
                if bits == 0 {
                    break;
                }
            }
        }
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.next == self.count {
            if self.end == self.block.len() {
                return None;
            }
            self.mark();
        }
        let place = self.places[self.next];
        self.next += 1;
        Some(self.base + place as usize)
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
