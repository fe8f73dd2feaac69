//! Line ends and dots in wide registers: the only `unsafe` of the splitter. Each of the functions
//! finds the same; which one runs is decided once, by what the processor has.

#![allow(unsafe_code)]

use std::sync::OnceLock;

use super::Found;
use crate::prefetch::prefetch;

/// A function that finds; made only for a processor that has what the function needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder {
    entry: Entry,
}

/// Finds the first line of a text; to be called only where the processor has its instructions.
type Entry = unsafe fn(&[u8]) -> Found;

impl Finder {
    /// The fastest here, looked up once in the life of the process.
    pub(super) fn best() -> Self {
        static BEST: OnceLock<Finder> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().next().unwrap_or(PORTABLE))
    }

    /// All that this processor can run, the fastest first.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = [x86::avx512(), x86::avx2()];
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = [None; 0];
        vectors.into_iter().flatten().chain([PORTABLE])
    }

    /// Where the first line of a text ends, and the dots in it.
    #[inline]
    pub(super) fn find(self, text: &[u8]) -> Found {
        // SAFETY: an entry asks for its instruction set alone, and was taken after the processor
        // said that it has it; the field is private to this file.
        unsafe { (self.entry)(text) }
    }
}

/// So many bytes ahead a text is asked for. A log that lies in memory comes from behind all caches,
/// and the processor, which sees that it is read in order, looks no further than to a page's end.
const PREFETCH_DISTANCE: usize = 4 << 10;

/// The first line of a text, by the marks of its chunks: a bit for each byte that is LF or a dot. A
/// part of each entry, so that those are made in its registers.
#[inline(always)]
fn find(text: &[u8], marks_of: impl Fn(&[u8; 64]) -> u64) -> Found {
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

/// Takes what a chunk has up to the end of the line, and says whether that is in it.
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

const PORTABLE: Finder = Finder { entry: portable };

/// Eight bytes at a time in a general register.
fn portable(text: &[u8]) -> Found {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // The top bit of each byte that is zero; exact, since no carry leaves a byte.
    let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
    // Gathers the top bits of the eight bytes in the highest byte.
    let gather = |tops: u64| (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
    find(text, |chunk| {
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

    use super::{Finder, Found, find};

    const LF: u8 = b'\n';
    const DOT: u8 = b'.';

    /// The only byte with these lower four bits that is marked; where there is none, one with other
    /// lower bits.
    static MARKED: [u8; 16] = {
        let mut marked = [0x01; 16];
        marked[1] = 0x00;
        marked[LF as usize % 16] = LF;
        marked[DOT as usize % 16] = DOT;
        marked
    };

    pub(super) fn avx512() -> Option<Finder> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("bmi1"))
        .then_some(Finder { entry: find_avx512 })
    }

    pub(super) fn avx2() -> Option<Finder> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("bmi1"))
            .then_some(Finder { entry: find_avx2 })
    }

    #[target_feature(enable = "avx512f,avx512bw,bmi1")]
    fn find_avx512(text: &[u8]) -> Found {
        let [lf, dot] = [LF, DOT].map(|byte| _mm512_set1_epi8(byte.cast_signed()));
        find(text, |chunk| {
            // SAFETY: this reads the 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
            _mm512_cmpeq_epi8_mask(bytes, lf) | _mm512_cmpeq_epi8_mask(bytes, dot)
        })
    }

    #[target_feature(enable = "avx2,bmi1")]
    fn find_avx2(text: &[u8]) -> Found {
        // SAFETY: this reads the 16 bytes of the array, at any alignment.
        let marked = unsafe { _mm_loadu_si128(MARKED.as_ptr().cast()) };
        let marked = _mm256_broadcastsi128_si256(marked);
        find(text, |chunk| {
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
