//! Masks by AVX2, twice thirty-two bytes, and by SSE2, four times sixteen.
//!
//! AVX-512 gains nothing here: most strings are shorter than its registers.

use core::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8,
};

use super::{Masks, Vector};
use crate::platform::{Avx2, Sse2};

const QUOTE: i8 = b'"'.cast_signed();
const BACKSLASH: i8 = b'\\'.cast_signed();

impl Vector for Avx2 {
    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        #[inline]
        fn half(half: &[u8; 32]) -> (u64, u64) {
            // SAFETY: this reads the 32 bytes of the array, at any alignment.
            let bytes = unsafe { _mm256_loadu_si256(half.as_ptr().cast()) };
            let stop = _mm256_or_si256(
                _mm256_or_si256(
                    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(QUOTE)),
                    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(BACKSLASH)),
                ),
                _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)), bytes),
            );
            let (stop, high) = (_mm256_movemask_epi8(stop), _mm256_movemask_epi8(bytes));
            (
                u64::from(stop.cast_unsigned()),
                u64::from(high.cast_unsigned()),
            )
        }
        // One function with the features, since intrinsics that are inlined through code without
        // them may stay calls.
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        #[inline]
        fn masks(block: &[u8; 64]) -> Masks {
            let [one, two] = block.as_chunks().0 else {
                unreachable!("64 is twice 32")
            };
            let (one, two) = (half(one), half(two));
            Masks {
                stop: one.0 | two.0 << 32,
                high: one.1 | two.1 << 32,
            }
        }
        // SAFETY: an `Avx2` proves that the processor has these features.
        unsafe { masks(block) }
    }

    #[inline(always)]
    fn call<R>(self, f: impl FnOnce() -> R) -> R {
        #[target_feature(enable = "avx2,bmi1,bmi2")]
        #[inline(never)]
        fn call<R>(f: impl FnOnce() -> R) -> R {
            f()
        }
        // SAFETY: an `Avx2` proves that the processor has these features.
        unsafe { call(f) }
    }
}

impl Vector for Sse2 {
    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        let mut masks = Masks { stop: 0, high: 0 };
        for (i, quarter) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: an `Sse2` proves that the processor has SSE2, which is in the baseline
            // besides. The load reads the 16 bytes of the array, at any alignment.
            let (stop, high) = unsafe {
                let bytes = _mm_loadu_si128(quarter.as_ptr().cast());
                let stop = _mm_or_si128(
                    _mm_or_si128(
                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(QUOTE)),
                        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(BACKSLASH)),
                    ),
                    _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes),
                );
                (_mm_movemask_epi8(stop), _mm_movemask_epi8(bytes))
            };
            masks.stop |= u64::from(stop.cast_unsigned()) << (16 * i);
            masks.high |= u64::from(high.cast_unsigned()) << (16 * i);
        }
        masks
    }
}
