//! Line ends and dots in wide registers: the only `unsafe` of the splitter. Every instruction set
//! finds the same.
//!
//! ```text
//! for each chunk of 64 bytes:
//!     marks = a bit for each byte that is LF or a dot     (the only step that instruction sets differ in)
//!     for each bit, from the lowest on: LF ends the line; a dot is counted, and the first two are kept
//! ```

#![allow(unsafe_code)]

use super::Found;
use crate::platform::Platform;
use crate::prefetch::prefetch;

/// Where the first line of a text ends, and the dots in it.
#[inline]
pub(super) fn find(platform: Platform, text: &[u8]) -> Found {
    #[cfg(target_arch = "x86_64")]
    {
        if platform.avx512.is_some() {
            // SAFETY: an `Avx512` proves that the processor has the features of this function.
            return unsafe { x86::find_avx512(text) };
        }
        if platform.avx2.is_some() {
            // SAFETY: an `Avx2` proves that the processor has the features of this function.
            return unsafe { x86::find_avx2(text) };
        }
    }
    let _ = platform; // other architectures do not ask it
    find_portable(text)
}

/// Prefetch distance in bytes. The hardware prefetcher sees that a text is read in order, but stops
/// at the end of each page.
const PREFETCH_DISTANCE: usize = 4 << 10;

/// [`find`] by the marks of chunks. Inlined into each instruction set's function, so that marks
/// stay in its registers.
#[inline(always)]
fn find_by(text: &[u8], marks_of: impl Fn(&[u8; 64]) -> u64) -> Found {
    let mut found = Found::none(text.len());
    let (chunks, tail) = text.as_chunks::<64>();
    let mut begin = 0;
    for chunk in chunks {
        if let Some(ahead) = text.get(begin + PREFETCH_DISTANCE) {
            prefetch(ahead);
        }
        if take(&mut found, begin, chunk, marks_of(chunk)) {
            return found;
        }
        begin += 64;
    }
    if !tail.is_empty() {
        let mut last = [0; 64];
        last[..tail.len()].copy_from_slice(tail);
        take(&mut found, begin, &last, marks_of(&last));
    }
    found
}

/// Reads the marks of a chunk up to the end of the line, and says whether that is in it.
#[inline(always)]
fn take(found: &mut Found, begin: usize, chunk: &[u8; 64], mut marks: u64) -> bool {
    while marks != 0 {
        let at = marks.trailing_zeros() as usize;
        if chunk[at % 64] == b'\n' {
            found.end = begin + at;
            return true;
        }
        found.dots.add(begin + at);
        marks &= marks - 1;
    }
    false
}

/// Eight bytes at a time in a general register.
fn find_portable(text: &[u8]) -> Found {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // The top bit of each byte that is zero; exact, since no carry leaves a byte.
    let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
    // Gathers the top bits of the eight bytes in the highest byte.
    let gather = |tops: u64| (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    find_by(text, |chunk| {
        let mut marks = 0;
        for (index, eight) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*eight);
            let tops = zeros(word ^ (ONES * 0x0a)) | zeros(word ^ (ONES * 0x2e));
            if tops != 0 {
                marks |= gather(tops) << (8 * index);
            }
        }
        marks
    })
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{
        _mm_loadu_si128, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_movemask_epi8, _mm256_shuffle_epi8, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512,
        _mm512_set1_epi8,
    };

    use super::{Found, find_by};

    const LF: u8 = b'\n';
    const DOT: u8 = b'.';

    /// By the lower four bits of a byte: the only byte with these bits that is marked; where there
    /// is none, a byte with other lower bits.
    static MARKED: [u8; 16] = {
        let mut marked = [0x01; 16];
        marked[1] = 0x00;
        marked[LF as usize % 16] = LF;
        marked[DOT as usize % 16] = DOT;
        marked
    };

    #[target_feature(enable = "avx512f,avx512bw,bmi1")]
    pub(super) fn find_avx512(text: &[u8]) -> Found {
        let [lf, dot] = [LF, DOT].map(|byte| _mm512_set1_epi8(byte.cast_signed()));
        find_by(text, |chunk| {
            // SAFETY: this reads the 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
            _mm512_cmpeq_epi8_mask(bytes, lf) | _mm512_cmpeq_epi8_mask(bytes, dot)
        })
    }

    #[target_feature(enable = "avx2,bmi1")]
    pub(super) fn find_avx2(text: &[u8]) -> Found {
        // SAFETY: this reads the 16 bytes of the array, at any alignment.
        let marked = unsafe { _mm_loadu_si128(MARKED.as_ptr().cast()) };
        let marked = _mm256_broadcastsi128_si256(marked);
        find_by(text, |chunk| {
            let [low, high] = [0, 32].map(|at| {
                // SAFETY: this reads 32 bytes, the first or the second half of the 64 of the array,
                // at any alignment.
                let bytes = unsafe { _mm256_loadu_si256(chunk[at..].as_ptr().cast()) };
                // A look-up by a byte from 0x80 on gives 0, which is another byte.
                let is_marked = _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(marked, bytes));
                u64::from(_mm256_movemask_epi8(is_marked).cast_unsigned())
            });
            high << 32 | low
        })
    }
}
