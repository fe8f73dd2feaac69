//! The marks of sixty-four bytes in wide registers: the only `unsafe` of the splitter. Each of the
//! functions gives the same bits; which one runs is decided once, by what the processor has.

#![allow(unsafe_code)]

use std::sync::OnceLock;

/// A function that marks; made only for a processor that has what the function needs.
#[derive(Clone, Copy, Debug)]
pub(in crate::input) struct Marker {
    entry: Entry,
}

/// Sets one word for each chunk; to be called only where the processor has its instructions.
type Entry = unsafe fn(&[[u8; 64]], &mut [u64]);

impl Marker {
    /// The fastest here, looked up once in the life of the process.
    pub(in crate::input) fn best() -> Self {
        static BEST: OnceLock<Marker> = OnceLock::new();
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

    /// Sets bit `i` of a chunk's word where its byte `i` is LF or a dot.
    ///
    /// # Panics
    /// With fewer words than chunks.
    #[inline]
    pub(super) fn mark(self, chunks: &[[u8; 64]], words: &mut [u64]) {
        let words = &mut words[..chunks.len()];
        // SAFETY: an entry asks for its instruction set alone, and was taken after the processor
        // said that it has it; the field is private to this file.
        unsafe { (self.entry)(chunks, words) }
    }
}

const PORTABLE: Marker = Marker { entry: portable };

/// Eight bytes at a time in a general register.
fn portable(chunks: &[[u8; 64]], words: &mut [u64]) {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    // The top bit of each byte that is zero; exact, since no carry leaves a byte.
    let zeros = |word: u64| !(((word & LOW) + LOW) | word | LOW);
    for (chunk, marks) in chunks.iter().zip(words) {
        *marks = 0;
        for (index, eight) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*eight);
            let tops = zeros(word ^ (ONES * 0x0a)) | zeros(word ^ (ONES * 0x2e));
            // Gathers the top bits of the eight bytes in the highest byte.
            let bits = (tops >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            *marks |= bits << (8 * index);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{
        _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_or_si256,
        _mm256_set1_epi8, _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_set1_epi8,
    };

    use super::Marker;

    const LF: i8 = b'\n'.cast_signed();
    const DOT: i8 = b'.'.cast_signed();

    pub(super) fn avx512() -> Option<Marker> {
        (is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw"))
            .then_some(Marker { entry: mark_avx512 })
    }

    pub(super) fn avx2() -> Option<Marker> {
        is_x86_feature_detected!("avx2").then_some(Marker { entry: mark_avx2 })
    }

    #[target_feature(enable = "avx512f,avx512bw")]
    fn mark_avx512(chunks: &[[u8; 64]], words: &mut [u64]) {
        let (lf, dot) = (_mm512_set1_epi8(LF), _mm512_set1_epi8(DOT));
        for (chunk, word) in chunks.iter().zip(words) {
            // SAFETY: this reads the 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
            *word = _mm512_cmpeq_epi8_mask(bytes, lf) | _mm512_cmpeq_epi8_mask(bytes, dot);
        }
    }

    #[target_feature(enable = "avx2")]
    fn mark_avx2(chunks: &[[u8; 64]], words: &mut [u64]) {
        let (lf, dot) = (_mm256_set1_epi8(LF), _mm256_set1_epi8(DOT));
        for (chunk, word) in chunks.iter().zip(words) {
            *word = 0;
            for (index, half) in chunk.as_chunks::<32>().0.iter().enumerate() {
                // SAFETY: this reads the 32 bytes of the array, at any alignment.
                let bytes = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
                let marks =
                    _mm256_or_si256(_mm256_cmpeq_epi8(bytes, lf), _mm256_cmpeq_epi8(bytes, dot));
                let bits = _mm256_movemask_epi8(marks).cast_unsigned();
                *word |= u64::from(bits) << (32 * index);
            }
        }
    }
}
