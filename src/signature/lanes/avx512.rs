//! SHA-2 by AVX-512: sixteen messages of SHA-256 at a time, eight of SHA-512.
//!
//! AVX-512 has what SHA-2 needs: a rotation, any function of three bits in one instruction, and
//! enough registers for a state and a whole schedule. It needs no SHA extension.

use super::{Job256, Job512, portable::Few};
use crate::platform::Avx512;

/// The HMAC-SHA-256 tags of the jobs in `order`, longest first; a rest of fewer than `below` lanes
/// goes to `few`.
pub(super) fn hmac256(
    _: Avx512,
    jobs: &[Job256<'_>],
    order: &[u32],
    tags: &mut [[u8; 32]],
    few: &dyn Few<u32, 64, [u8; 32]>,
    below: usize,
) {
    // SAFETY: an `Avx512` proves that the processor has the features of this function.
    unsafe { sha256::batch(jobs, order, tags, few, below) }
}

/// The same for HMAC-SHA-384 and HMAC-SHA-512.
pub(super) fn hmac512(
    _: Avx512,
    jobs: &[Job512<'_>],
    order: &[u32],
    tags: &mut [[u8; 64]],
    few: &dyn Few<u64, 128, [u8; 64]>,
    below: usize,
) {
    // SAFETY: an `Avx512` proves that the processor has the features of this function.
    unsafe { sha512::batch(jobs, order, tags, few, below) }
}

/// Truth tables of three bits, for `ternarylogic`: the value for inputs `xyz` is bit `4x + 2y + z`.
const XOR: i32 = 0x96;
const CHOOSE: i32 = 0xCA;
const MAJORITY: i32 = 0xE8;

mod sha256 {
    use core::arch::x86_64::{
        __m128i, __m512i, _mm_loadu_si128, _mm_set_epi64x, _mm_storeu_si128, _mm512_add_epi32,
        _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_extracti32x4_epi32,
        _mm512_mask_broadcast_i32x4, _mm512_mask_mov_epi32, _mm512_ror_epi32, _mm512_set1_epi32,
        _mm512_shuffle_epi8, _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_unpackhi_epi32,
        _mm512_unpackhi_epi64, _mm512_unpacklo_epi32, _mm512_unpacklo_epi64,
    };

    use super::super::{constants::K256, vector::vector_batch};
    use super::{CHOOSE, MAJORITY, XOR};

    type V = __m512i;

    vector_batch! {
        features: "avx512f,avx512bw", word: u32, lanes: 16, block: 64, tag: 32,
        constants: K256.0,
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn splat(word: u32) -> V {
        _mm512_set1_epi32(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add(x: V, y: V) -> V {
        _mm512_add_epi32(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn and(x: V, y: V) -> V {
        _mm512_and_si512(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn xor(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi32::<XOR>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn ch(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi32::<CHOOSE>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn maj(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi32::<MAJORITY>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn big0(x: V) -> V {
        xor(
            _mm512_ror_epi32::<2>(x),
            _mm512_ror_epi32::<13>(x),
            _mm512_ror_epi32::<22>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn big1(x: V) -> V {
        xor(
            _mm512_ror_epi32::<6>(x),
            _mm512_ror_epi32::<11>(x),
            _mm512_ror_epi32::<25>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn small0(x: V) -> V {
        xor(
            _mm512_ror_epi32::<7>(x),
            _mm512_ror_epi32::<18>(x),
            _mm512_srli_epi32::<3>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn small1(x: V) -> V {
        xor(
            _mm512_ror_epi32::<17>(x),
            _mm512_ror_epi32::<19>(x),
            _mm512_srli_epi32::<10>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn select(live: usize, new: V, old: V) -> V {
        _mm512_mask_mov_epi32(old, u16::MAX >> (LANES - live), new)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn swap(words: V) -> V {
        let order = _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203);
        _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order))
    }

    /// Sixteen bytes of rows `i`, `i + 4`, `i + 8` and `i + 12`, one after another.
    ///
    /// Each becomes a masked load, which needs none of the units that shuffle.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn stack<const B: usize>(rows: &[&[u8; B]; LANES], i: usize, part: usize) -> V {
        let stack = _mm512_broadcast_i32x4(read(rows[i], part));
        let stack = _mm512_mask_broadcast_i32x4(stack, 0x00F0, read(rows[i + 4], part));
        let stack = _mm512_mask_broadcast_i32x4(stack, 0x0F00, read(rows[i + 8], part));
        _mm512_mask_broadcast_i32x4(stack, 0xF000, read(rows[i + 12], part))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn gather_square<const B: usize>(rows: &[&[u8; B]; LANES], part: usize) -> [V; SQUARE] {
        transpose([
            stack(rows, 0, part),
            stack(rows, 1, part),
            stack(rows, 2, part),
            stack(rows, 3, part),
        ])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn scatter_square(words: [V; SQUARE]) -> [__m128i; LANES] {
        let [p, q, r, s] = transpose(words);
        [
            _mm512_extracti32x4_epi32::<0>(p),
            _mm512_extracti32x4_epi32::<0>(q),
            _mm512_extracti32x4_epi32::<0>(r),
            _mm512_extracti32x4_epi32::<0>(s),
            _mm512_extracti32x4_epi32::<1>(p),
            _mm512_extracti32x4_epi32::<1>(q),
            _mm512_extracti32x4_epi32::<1>(r),
            _mm512_extracti32x4_epi32::<1>(s),
            _mm512_extracti32x4_epi32::<2>(p),
            _mm512_extracti32x4_epi32::<2>(q),
            _mm512_extracti32x4_epi32::<2>(r),
            _mm512_extracti32x4_epi32::<2>(s),
            _mm512_extracti32x4_epi32::<3>(p),
            _mm512_extracti32x4_epi32::<3>(q),
            _mm512_extracti32x4_epi32::<3>(r),
            _mm512_extracti32x4_epi32::<3>(s),
        ]
    }

    /// Transposes each square of four by four words.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn transpose([p, q, r, s]: [V; SQUARE]) -> [V; SQUARE] {
        let [pq_low, pq_high] = [_mm512_unpacklo_epi32(p, q), _mm512_unpackhi_epi32(p, q)];
        let [rs_low, rs_high] = [_mm512_unpacklo_epi32(r, s), _mm512_unpackhi_epi32(r, s)];
        [
            _mm512_unpacklo_epi64(pq_low, rs_low),
            _mm512_unpackhi_epi64(pq_low, rs_low),
            _mm512_unpacklo_epi64(pq_high, rs_high),
            _mm512_unpackhi_epi64(pq_high, rs_high),
        ]
    }
}

mod sha512 {
    use core::arch::x86_64::{
        __m128i, __m512i, _mm_loadu_si128, _mm_set_epi64x, _mm_storeu_si128, _mm512_add_epi64,
        _mm512_and_si512, _mm512_broadcast_i32x4, _mm512_extracti32x4_epi32,
        _mm512_mask_broadcast_i32x4, _mm512_mask_mov_epi64, _mm512_ror_epi64, _mm512_set1_epi64,
        _mm512_shuffle_epi8, _mm512_srli_epi64, _mm512_ternarylogic_epi64, _mm512_unpackhi_epi64,
        _mm512_unpacklo_epi64,
    };

    use super::super::{constants::K512, vector::vector_batch};
    use super::{CHOOSE, MAJORITY, XOR};

    type V = __m512i;

    vector_batch! {
        features: "avx512f,avx512bw", word: u64, lanes: 8, block: 128, tag: 64,
        constants: K512.0,
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn splat(word: u64) -> V {
        _mm512_set1_epi64(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn add(x: V, y: V) -> V {
        _mm512_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn and(x: V, y: V) -> V {
        _mm512_and_si512(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn xor(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi64::<XOR>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn ch(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi64::<CHOOSE>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn maj(x: V, y: V, z: V) -> V {
        _mm512_ternarylogic_epi64::<MAJORITY>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn big0(x: V) -> V {
        xor(
            _mm512_ror_epi64::<28>(x),
            _mm512_ror_epi64::<34>(x),
            _mm512_ror_epi64::<39>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn big1(x: V) -> V {
        xor(
            _mm512_ror_epi64::<14>(x),
            _mm512_ror_epi64::<18>(x),
            _mm512_ror_epi64::<41>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn small0(x: V) -> V {
        xor(
            _mm512_ror_epi64::<1>(x),
            _mm512_ror_epi64::<8>(x),
            _mm512_srli_epi64::<7>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn small1(x: V) -> V {
        xor(
            _mm512_ror_epi64::<19>(x),
            _mm512_ror_epi64::<61>(x),
            _mm512_srli_epi64::<6>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn select(live: usize, new: V, old: V) -> V {
        _mm512_mask_mov_epi64(old, u8::MAX >> (LANES - live), new)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn swap(words: V) -> V {
        let order = _mm_set_epi64x(0x0809_0A0B_0C0D_0E0F, 0x0001_0203_0405_0607);
        _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order))
    }

    /// Sixteen bytes of rows `i`, `i + 2`, `i + 4` and `i + 6`, one after another.
    ///
    /// Each becomes a masked load, which needs none of the units that shuffle.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn stack<const B: usize>(rows: &[&[u8; B]; LANES], i: usize, part: usize) -> V {
        let stack = _mm512_broadcast_i32x4(read(rows[i], part));
        let stack = _mm512_mask_broadcast_i32x4(stack, 0x00F0, read(rows[i + 2], part));
        let stack = _mm512_mask_broadcast_i32x4(stack, 0x0F00, read(rows[i + 4], part));
        _mm512_mask_broadcast_i32x4(stack, 0xF000, read(rows[i + 6], part))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn gather_square<const B: usize>(rows: &[&[u8; B]; LANES], part: usize) -> [V; SQUARE] {
        transpose([stack(rows, 0, part), stack(rows, 1, part)])
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn scatter_square(words: [V; SQUARE]) -> [__m128i; LANES] {
        let [p, q] = transpose(words);
        [
            _mm512_extracti32x4_epi32::<0>(p),
            _mm512_extracti32x4_epi32::<0>(q),
            _mm512_extracti32x4_epi32::<1>(p),
            _mm512_extracti32x4_epi32::<1>(q),
            _mm512_extracti32x4_epi32::<2>(p),
            _mm512_extracti32x4_epi32::<2>(q),
            _mm512_extracti32x4_epi32::<3>(p),
            _mm512_extracti32x4_epi32::<3>(q),
        ]
    }

    /// Transposes each square of two by two words.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn transpose([p, q]: [V; SQUARE]) -> [V; SQUARE] {
        [_mm512_unpacklo_epi64(p, q), _mm512_unpackhi_epi64(p, q)]
    }
}
