//! SHA-2 by AVX2: eight messages of SHA-256 at a time, four of SHA-512.
//!
//! For processors that have neither AVX-512 nor, for SHA-256, the SHA extensions.

use super::{Job256, Job512, portable::Few};
use crate::platform::Avx2;

/// The HMAC-SHA-256 tags of the jobs in `order`, longest first; a rest of fewer than `below` lanes
/// goes to `few`.
pub(super) fn hmac256(
    _: Avx2,
    jobs: &[Job256<'_>],
    order: &[u32],
    tags: &mut [[u8; 32]],
    few: &dyn Few<u32, 64, [u8; 32]>,
    below: usize,
) {
    // SAFETY: an `Avx2` proves that the processor has the features of this function.
    unsafe { sha256::batch(jobs, order, tags, few, below) }
}

/// The same for HMAC-SHA-384 and HMAC-SHA-512.
pub(super) fn hmac512(
    _: Avx2,
    jobs: &[Job512<'_>],
    order: &[u32],
    tags: &mut [[u8; 64]],
    few: &dyn Few<u64, 128, [u8; 64]>,
    below: usize,
) {
    // SAFETY: an `Avx2` proves that the processor has the features of this function.
    unsafe { sha512::batch(jobs, order, tags, few, below) }
}

mod sha256 {
    use core::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_set_epi64x, _mm_storeu_si128, _mm256_add_epi32,
        _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_castsi128_si256,
        _mm256_cmpgt_epi32, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_set_epi32,
        _mm256_set1_epi32, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32,
        _mm256_unpackhi_epi32, _mm256_unpackhi_epi64, _mm256_unpacklo_epi32, _mm256_unpacklo_epi64,
        _mm256_xor_si256,
    };

    use super::super::{constants::K256, vector::vector_batch};

    type V = __m256i;

    vector_batch! {
        features: "avx2", word: u32, lanes: 8, block: 64, tag: 32,
        constants: K256.0,
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(word: u32) -> V {
        _mm256_set1_epi32(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(x: V, y: V) -> V {
        _mm256_add_epi32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn and(x: V, y: V) -> V {
        _mm256_and_si256(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor(x: V, y: V) -> V {
        _mm256_xor_si256(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn ch(x: V, y: V, z: V) -> V {
        xor(z, _mm256_and_si256(x, xor(y, z)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn maj(x: V, y: V, z: V) -> V {
        xor(x, _mm256_and_si256(xor(x, y), xor(x, z)))
    }

    /// A rotation to the right by `RIGHT`; `LEFT` is what is missing to a whole word.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate<const RIGHT: i32, const LEFT: i32>(x: V) -> V {
        const { assert!(RIGHT + LEFT == 32) };
        xor(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn big0(x: V) -> V {
        xor(
            xor(rotate::<2, 30>(x), rotate::<13, 19>(x)),
            rotate::<22, 10>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn big1(x: V) -> V {
        xor(
            xor(rotate::<6, 26>(x), rotate::<11, 21>(x)),
            rotate::<25, 7>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn small0(x: V) -> V {
        xor(
            xor(rotate::<7, 25>(x), rotate::<18, 14>(x)),
            _mm256_srli_epi32::<3>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn small1(x: V) -> V {
        xor(
            xor(rotate::<17, 15>(x), rotate::<19, 13>(x)),
            _mm256_srli_epi32::<10>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn select(live: usize, new: V, old: V) -> V {
        let lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
        let live = _mm256_cmpgt_epi32(splat(live as u32), lanes);
        _mm256_blendv_epi8(old, new, live)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn swap(words: V) -> V {
        let order = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
        _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(order))
    }

    /// Sixteen bytes of rows `i` and `i + 4`, one after the other.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn stack<const B: usize>(rows: &[&[u8; B]; LANES], i: usize, part: usize) -> V {
        let [low, high] = [read(rows[i], part), read(rows[i + 4], part)];
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn gather_square<const B: usize>(rows: &[&[u8; B]; LANES], part: usize) -> [V; SQUARE] {
        transpose([
            stack(rows, 0, part),
            stack(rows, 1, part),
            stack(rows, 2, part),
            stack(rows, 3, part),
        ])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn scatter_square(words: [V; SQUARE]) -> [__m128i; LANES] {
        let [p, q, r, s] = transpose(words);
        [
            _mm256_extracti128_si256::<0>(p),
            _mm256_extracti128_si256::<0>(q),
            _mm256_extracti128_si256::<0>(r),
            _mm256_extracti128_si256::<0>(s),
            _mm256_extracti128_si256::<1>(p),
            _mm256_extracti128_si256::<1>(q),
            _mm256_extracti128_si256::<1>(r),
            _mm256_extracti128_si256::<1>(s),
        ]
    }

    /// Transposes each square of four by four words.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose([p, q, r, s]: [V; SQUARE]) -> [V; SQUARE] {
        let [pq_low, pq_high] = [_mm256_unpacklo_epi32(p, q), _mm256_unpackhi_epi32(p, q)];
        let [rs_low, rs_high] = [_mm256_unpacklo_epi32(r, s), _mm256_unpackhi_epi32(r, s)];
        [
            _mm256_unpacklo_epi64(pq_low, rs_low),
            _mm256_unpackhi_epi64(pq_low, rs_low),
            _mm256_unpacklo_epi64(pq_high, rs_high),
            _mm256_unpackhi_epi64(pq_high, rs_high),
        ]
    }
}

mod sha512 {
    use core::arch::x86_64::{
        __m128i, __m256i, _mm_loadu_si128, _mm_set_epi64x, _mm_storeu_si128, _mm256_add_epi64,
        _mm256_and_si256, _mm256_blendv_epi8, _mm256_broadcastsi128_si256, _mm256_castsi128_si256,
        _mm256_cmpgt_epi64, _mm256_extracti128_si256, _mm256_inserti128_si256, _mm256_set_epi64x,
        _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_slli_epi64, _mm256_srli_epi64,
        _mm256_unpackhi_epi64, _mm256_unpacklo_epi64, _mm256_xor_si256,
    };

    use super::super::{constants::K512, vector::vector_batch};

    type V = __m256i;

    vector_batch! {
        features: "avx2", word: u64, lanes: 4, block: 128, tag: 64,
        constants: K512.0,
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(word: u64) -> V {
        _mm256_set1_epi64x(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(x: V, y: V) -> V {
        _mm256_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn and(x: V, y: V) -> V {
        _mm256_and_si256(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor(x: V, y: V) -> V {
        _mm256_xor_si256(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn ch(x: V, y: V, z: V) -> V {
        xor(z, _mm256_and_si256(x, xor(y, z)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn maj(x: V, y: V, z: V) -> V {
        xor(x, _mm256_and_si256(xor(x, y), xor(x, z)))
    }

    /// A rotation to the right by `RIGHT`; `LEFT` is what is missing to a whole word.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn rotate<const RIGHT: i32, const LEFT: i32>(x: V) -> V {
        const { assert!(RIGHT + LEFT == 64) };
        xor(_mm256_srli_epi64::<RIGHT>(x), _mm256_slli_epi64::<LEFT>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn big0(x: V) -> V {
        xor(
            xor(rotate::<28, 36>(x), rotate::<34, 30>(x)),
            rotate::<39, 25>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn big1(x: V) -> V {
        xor(
            xor(rotate::<14, 50>(x), rotate::<18, 46>(x)),
            rotate::<41, 23>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn small0(x: V) -> V {
        xor(
            xor(rotate::<1, 63>(x), rotate::<8, 56>(x)),
            _mm256_srli_epi64::<7>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn small1(x: V) -> V {
        xor(
            xor(rotate::<19, 45>(x), rotate::<61, 3>(x)),
            _mm256_srli_epi64::<6>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn select(live: usize, new: V, old: V) -> V {
        let lanes = _mm256_set_epi64x(3, 2, 1, 0);
        let live = _mm256_cmpgt_epi64(splat(live as u64), lanes);
        _mm256_blendv_epi8(old, new, live)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn swap(words: V) -> V {
        let order = _mm_set_epi64x(0x0809_0A0B_0C0D_0E0F, 0x0001_0203_0405_0607);
        _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(order))
    }

    /// Sixteen bytes of rows `i` and `i + 2`, one after the other.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn stack<const B: usize>(rows: &[&[u8; B]; LANES], i: usize, part: usize) -> V {
        let [low, high] = [read(rows[i], part), read(rows[i + 2], part)];
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(low), high)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn gather_square<const B: usize>(rows: &[&[u8; B]; LANES], part: usize) -> [V; SQUARE] {
        transpose([stack(rows, 0, part), stack(rows, 1, part)])
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn scatter_square(words: [V; SQUARE]) -> [__m128i; LANES] {
        let [p, q] = transpose(words);
        [
            _mm256_extracti128_si256::<0>(p),
            _mm256_extracti128_si256::<0>(q),
            _mm256_extracti128_si256::<1>(p),
            _mm256_extracti128_si256::<1>(q),
        ]
    }

    /// Transposes each square of two by two words.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn transpose([p, q]: [V; SQUARE]) -> [V; SQUARE] {
        [_mm256_unpacklo_epi64(p, q), _mm256_unpackhi_epi64(p, q)]
    }
}
