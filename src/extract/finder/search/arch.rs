//! Both scans in wide registers: the only `unsafe` of the finder. Every instruction set finds the
//! same.
//!
//! ```text
//! for each chunk of 64 bytes:
//!     marks = a bit for each byte that is sought     (the only step that instruction sets differ in)
//!     return the place of the lowest bit, if any
//! ```
//!
//! Case is ignored, and the second and third characters of all starts are pooled, so that one
//! look-up by the lower four bits of a byte decides about each.

#![allow(unsafe_code)]

use crate::platform::Platform;

const CHUNK: usize = 64;
/// A chunk, and the bytes behind it that decide about its last positions.
type Window = [u8; CHUNK + 2];

/// Sets of bytes, of which no two have the lower four bits in common: by these bits, the byte;
/// where there is none, a byte with other lower bits.
const fn by_lower_bits(bytes: &[u8]) -> [u8; 16] {
    let mut set = [0x01; 16];
    set[1] = 0x00;
    let mut index = 0;
    while index < bytes.len() {
        set[bytes[index] as usize % 16] = bytes[index];
        index += 1;
    }
    set
}

/// The second and the third character of a start, in lower case.
static SECOND: [u8; 16] = by_lower_bits(b"ayw");
static THIRD: [u8; 16] = by_lower_bits(b"aijklo0r");

/// The first position at or behind `from` at which the text is like a start in its first three
/// bytes.
#[inline]
pub(super) fn like_start(platform: Platform, text: &[u8], from: usize) -> Option<usize> {
    #[cfg(target_arch = "x86_64")]
    {
        if platform.avx512.is_some() {
            // SAFETY: an `Avx512` proves that the processor has the features of this function.
            return unsafe { x86::like_start_avx512(text, from) };
        }
        if platform.avx2.is_some() {
            // SAFETY: an `Avx2` proves that the processor has the features of this function.
            return unsafe { x86::like_start_avx2(text, from) };
        }
    }
    let _ = platform; // other architectures do not ask it
    first_marked(text, from, like_starts)
}

/// Where the run of base64url from `from` on ends.
#[inline]
pub(super) fn run_end(platform: Platform, text: &[u8], from: usize) -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        if platform.avx512.is_some() {
            // SAFETY: an `Avx512` proves that the processor has the features of this function.
            return unsafe { x86::run_end_avx512(text, from) };
        }
        if platform.avx2.is_some() {
            // SAFETY: an `Avx2` proves that the processor has the features of this function.
            return unsafe { x86::run_end_avx2(text, from) };
        }
    }
    let _ = platform; // other architectures do not ask it
    let run = text[from..]
        .iter()
        .take_while(|byte| super::is_base64url(**byte));
    from + run.count()
}

/// The first position at or behind `from` whose bit `marks_of` sets in its chunk. Behind the text
/// are zeros. Inlined into each instruction set's function.
#[inline(always)]
fn first_marked(text: &[u8], mut from: usize, marks_of: impl Fn(&Window) -> u64) -> Option<usize> {
    while let Some(window) = text.get(from..).and_then(|rest| rest.first_chunk()) {
        let marks = marks_of(window);
        if marks != 0 {
            return Some(from + marks.trailing_zeros() as usize);
        }
        from += CHUNK;
    }
    while let Some(rest) = text.get(from..).filter(|rest| !rest.is_empty()) {
        let mut window = [0; CHUNK + 2];
        window[..rest.len()].copy_from_slice(rest);
        let marks = marks_of(&window);
        let at = from + marks.trailing_zeros() as usize;
        if marks != 0 && at < text.len() {
            return Some(at);
        }
        from += CHUNK;
    }
    None
}

/// A bit for each position of a chunk that is like a start, eight bytes at a time.
fn like_starts(window: &Window) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut marks = 0;
    for begin in (0..CHUNK).step_by(8) {
        let eight = |at: usize| {
            let bytes = window[begin + at..].first_chunk().copied();
            u64::from_le_bytes(bytes.unwrap_or_default()) | (0x20 * ONES)
        };
        let is = |word: u64, byte: u8| zeros(word ^ (ONES * u64::from(byte)));
        let (first, second) = (eight(0), eight(1));
        let second = is(second, b'y') | is(second, b'w') | is(second, b'a');
        marks |= gather(is(first, b'e') & second) << begin;
    }
    marks
}

/// The top bit of each byte that is zero; exact, since no carry leaves a byte.
const fn zeros(word: u64) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    !(((word & LOW) + LOW) | word | LOW)
}

/// Gathers the top bits of the eight bytes in the lowest byte.
const fn gather(tops: u64) -> u64 {
    (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{
        __m128i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8,
        _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _mm256_shuffle_epi8, _mm256_sub_epi8, _mm512_broadcast_i32x4,
        _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512, _mm512_or_si512,
        _mm512_set1_epi8, _mm512_shuffle_epi8, _mm512_sub_epi8,
    };

    use super::{SECOND, THIRD, Window, first_marked};

    #[target_feature(enable = "avx512f,avx512bw,bmi1")]
    pub(super) fn like_start_avx512(text: &[u8], from: usize) -> Option<usize> {
        let [second, third] = [&SECOND, &THIRD].map(|set| _mm512_broadcast_i32x4(load(set)));
        let lower = _mm512_set1_epi8(0x20);
        first_marked(text, from, |window| {
            let [a, b, c] = [0, 1, 2].map(|at| {
                // SAFETY: this reads 64 bytes of the 66 of the array from 0, 1 or 2 on.
                let bytes = unsafe { _mm512_loadu_si512(window[at..].as_ptr().cast()) };
                _mm512_or_si512(bytes, lower)
            });
            // A look-up by a byte from 0x80 on gives 0, which is another byte.
            _mm512_cmpeq_epi8_mask(a, _mm512_set1_epi8(b'e'.cast_signed()))
                & _mm512_cmpeq_epi8_mask(b, _mm512_shuffle_epi8(second, b))
                & _mm512_cmpeq_epi8_mask(c, _mm512_shuffle_epi8(third, c))
        })
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1")]
    pub(super) fn run_end_avx512(text: &[u8], from: usize) -> usize {
        let set = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
        let marks_of = |window: &Window| {
            // SAFETY: this reads the first 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(window.as_ptr().cast()) };
            let within = |bytes, first: u8, count: u8| {
                _mm512_cmplt_epu8_mask(_mm512_sub_epi8(bytes, set(first)), set(count))
            };
            let is_letter = within(_mm512_or_si512(bytes, set(0x20)), b'a', 26);
            let is_other = within(bytes, b'0', 10)
                | _mm512_cmpeq_epi8_mask(bytes, set(b'-'))
                | _mm512_cmpeq_epi8_mask(bytes, set(b'_'));
            !(is_letter | is_other)
        };
        first_marked(text, from, marks_of).unwrap_or(text.len())
    }

    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn like_start_avx2(text: &[u8], from: usize) -> Option<usize> {
        let [second, third] = [&SECOND, &THIRD].map(|set| _mm256_broadcastsi128_si256(load(set)));
        let lower = _mm256_set1_epi8(0x20);
        first_marked(text, from, |window| {
            let [low, high] = [0, 32].map(|half| {
                let [a, b, c] = [0, 1, 2].map(|at| {
                    // SAFETY: this reads 32 bytes of the 66 of the array from 0 to 34 on.
                    let bytes = unsafe { _mm256_loadu_si256(window[half + at..].as_ptr().cast()) };
                    _mm256_or_si256(bytes, lower)
                });
                let is_first = _mm256_cmpeq_epi8(a, _mm256_set1_epi8(b'e'.cast_signed()));
                // A look-up by a byte from 0x80 on gives 0, which is another byte.
                let is_second = _mm256_cmpeq_epi8(b, _mm256_shuffle_epi8(second, b));
                let is_third = _mm256_cmpeq_epi8(c, _mm256_shuffle_epi8(third, c));
                let is_all = _mm256_and_si256(is_first, _mm256_and_si256(is_second, is_third));
                u64::from(_mm256_movemask_epi8(is_all).cast_unsigned())
            });
            high << 32 | low
        })
    }

    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn run_end_avx2(text: &[u8], from: usize) -> usize {
        let set = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
        let marks_of = |window: &Window| {
            let [low, high] = [0, 32].map(|half| {
                // SAFETY: this reads 32 bytes, the first or the second half of the first 64.
                let bytes = unsafe { _mm256_loadu_si256(window[half..].as_ptr().cast()) };
                let within = |bytes, first: u8, count: u8| {
                    let from_first = _mm256_sub_epi8(bytes, set(first));
                    let last = set(count - 1);
                    _mm256_cmpeq_epi8(_mm256_min_epu8(from_first, last), from_first)
                };
                let is_letter = within(_mm256_or_si256(bytes, set(0x20)), b'a', 26);
                let is_digit = within(bytes, b'0', 10);
                let is_other = _mm256_or_si256(
                    _mm256_cmpeq_epi8(bytes, set(b'-')),
                    _mm256_cmpeq_epi8(bytes, set(b'_')),
                );
                let is_any = _mm256_or_si256(_mm256_or_si256(is_letter, is_digit), is_other);
                u64::from(_mm256_movemask_epi8(is_any).cast_unsigned())
            });
            !(high << 32 | low)
        };
        first_marked(text, from, marks_of).unwrap_or(text.len())
    }

    #[target_feature(enable = "sse2")]
    fn load(bytes: &[u8; 16]) -> __m128i {
        // SAFETY: this reads the 16 bytes of the array, at any alignment.
        unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
    }
}
