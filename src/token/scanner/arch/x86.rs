//! The x86-64 kernels: where the stops of a block are, by AVX-512 BW, AVX2 or SSE2. Which one is
//! used, and for what, is left to the parent.

use core::arch::x86_64::{
    _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set1_epi8,
    _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_loadu_si512,
    _mm512_movepi8_mask, _mm512_set1_epi8,
};

use super::{Json, Masks, Others, Run, Runs, Template, Vector, walk};
use crate::token::Claims;

const QUOTE: i8 = b'"'.cast_signed();
const BACKSLASH: i8 = b'\\'.cast_signed();

pub(super) fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw") && has_avx2()
}

pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// Proof of AVX-512 BW: made only by `scan_avx512`.
#[derive(Clone, Copy)]
struct Avx512(());

#[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2")]
pub(super) fn scan_avx512<'s>(
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    walk(Avx512(()), padded, len, extra, claims)
}

#[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2")]
pub(super) fn is_match_avx512(template: &Template, padded: &[u8]) -> bool {
    template.is_matched(padded)
}

impl Vector for Avx512 {
    calls!(Avx512, #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2")]);

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        /// One function with the features, since it is inlined into another that has them as a
        /// whole, while intrinsics that pass through code without them may stay calls.
        #[target_feature(enable = "avx512f,avx512bw,avx2,bmi1,bmi2")]
        #[inline]
        fn masks(block: &[u8; 64]) -> Masks {
            // SAFETY: this reads the 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(block.as_ptr().cast()) };
            let stop = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(QUOTE))
                | _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(BACKSLASH))
                | _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20));
            Masks {
                stop,
                high: _mm512_movepi8_mask(bytes),
            }
        }
        // SAFETY: an Avx512 exists only where these features are enabled.
        unsafe { masks(block) }
    }
}

/// Proof of AVX2: made only by `scan_avx2`.
#[derive(Clone, Copy)]
struct Avx2(());

#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn scan_avx2<'s>(
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    walk(Avx2(()), padded, len, extra, claims)
}

#[target_feature(enable = "avx2,bmi1,bmi2")]
pub(super) fn is_match_avx2(template: &Template, padded: &[u8]) -> bool {
    template.is_matched(padded)
}

impl Vector for Avx2 {
    calls!(Avx2, #[target_feature(enable = "avx2,bmi1,bmi2")]);

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
        // SAFETY: an Avx2 exists only where these features are enabled.
        unsafe { masks(block) }
    }
}

/// SSE2 is part of the x86-64 baseline: no proof needed.
#[derive(Clone, Copy)]
struct Sse2;

pub(super) fn scan_sse2<'s>(
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    walk(Sse2, padded, len, extra, claims)
}

impl Vector for Sse2 {
    calls!(Sse2);

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        let mut masks = Masks { stop: 0, high: 0 };
        for (i, quarter) in block.as_chunks::<16>().0.iter().enumerate() {
            // SAFETY: SSE2 is in the baseline of x86-64. The load reads the 16 bytes of the
            // array, at any alignment.
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

#[cfg(test)]
mod tests {
    use super::super::tests::masks_are_those_of_each_byte;
    use super::*;

    #[test]
    fn vector_masks_are_those_of_each_byte() {
        masks_are_those_of_each_byte(Sse2);
        if has_avx2() {
            masks_are_those_of_each_byte(Avx2(()));
        }
        if has_avx512() {
            masks_are_those_of_each_byte(Avx512(()));
        }
    }
}
