//! SHA-256 by the SHA extensions of x86-64, three messages at a time.
//!
//! `sha256rnds2` has a latency of four cycles, and each of its 32 calls a block waits for the one
//! before: 128 cycles for one message alone. Three messages reach the throughput of the unit; a
//! fourth would gain nothing, and there are no registers for it.

use core::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_blend_epi16, _mm_loadu_si128, _mm_set_epi32,
    _mm_set_epi64x, _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32,
    _mm_sha256rnds2_epu32, _mm_shuffle_epi8, _mm_shuffle_epi32, _mm_storeu_si128,
};

use super::{
    Job256,
    constants::K256,
    interleaved::interleaved_batch,
    picked,
    portable::Few,
    stream::{Stream, Tail},
};
use crate::platform::Shani;

impl Few<u32, 64, [u8; 32]> for Shani {
    fn absorb(&self, states: &mut [[u32; 8]], streams: &[Stream<'_, 64>], from: usize) {
        // SAFETY: a `Shani` proves that the processor has the features of this function.
        unsafe { finish(states, streams, from) }
    }

    fn hmac(&self, jobs: &[Job256<'_>], order: &[u32], tags: &mut [[u8; 32]]) {
        // SAFETY: a `Shani` proves that the processor has the features of this function.
        unsafe { batch(jobs, order, tags) }
    }
}

interleaved_batch! { features: "sha,sse4.1,ssse3" }

/// Finishes streams that wider lanes began, three by three.
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn finish(states: &mut [[u32; 8]], streams: &[Stream<'_, 64>], from: usize) {
    for (states, streams) in states.chunks_mut(LANES).zip(streams.chunks(LANES)) {
        let mut registers = [State::load(&[0; 8]); LANES];
        for (register, state) in registers.iter_mut().zip(&*states) {
            *register = State::load(state);
        }
        absorb(&mut registers[..streams.len()], streams, from);
        for (register, state) in registers.iter().zip(states) {
            *state = register.store();
        }
    }
}

/// The eight words of a state in the order of `sha256rnds2`: `a b e f` and `c d g h`, from the
/// highest down.
#[derive(Clone, Copy)]
struct State {
    abef: __m128i,
    cdgh: __m128i,
}

impl State {
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn load(words: &[u32; 8]) -> Self {
        let at: *const __m128i = words.as_ptr().cast();
        // SAFETY: 32 bytes are readable at `at`, those of the array; the load needs no alignment.
        let [dcba, hgfe] = unsafe { [_mm_loadu_si128(at), _mm_loadu_si128(at.add(1))] };
        let cdab = _mm_shuffle_epi32(dcba, 0xB1);
        let efgh = _mm_shuffle_epi32(hgfe, 0x1B);
        Self {
            abef: _mm_alignr_epi8(cdab, efgh, 8),
            cdgh: _mm_blend_epi16(efgh, cdab, 0xF0),
        }
    }

    /// The words in their own order, `a` and `e` lowest.
    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn words(self) -> [Words; 2] {
        let feba = _mm_shuffle_epi32(self.abef, 0x1B);
        let dchg = _mm_shuffle_epi32(self.cdgh, 0xB1);
        [
            _mm_blend_epi16(feba, dchg, 0xF0),
            _mm_alignr_epi8(dchg, feba, 8),
        ]
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn store(self) -> [u32; 8] {
        let mut words = [0; 8];
        let [low, high] = self.words();
        let at: *mut __m128i = words.as_mut_ptr().cast();
        // SAFETY: 32 bytes are writable at `at`, those of the array; the store needs no alignment.
        unsafe {
            _mm_storeu_si128(at, low);
            _mm_storeu_si128(at.add(1), high);
        }
        words
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn tag(self) -> [u8; 32] {
        let mut tag = [0; 32];
        let [low, high] = self.words();
        let at: *mut __m128i = tag.as_mut_ptr().cast();
        // SAFETY: 32 bytes are writable at `at`, those of the array; the store needs no alignment.
        unsafe {
            _mm_storeu_si128(at, swap(low));
            _mm_storeu_si128(at.add(1), swap(high));
        }
        tag
    }

    #[inline]
    #[target_feature(enable = "sha,sse4.1,ssse3")]
    fn plus(self, other: Self) -> Self {
        Self {
            abef: _mm_add_epi32(self.abef, other.abef),
            cdgh: _mm_add_epi32(self.cdgh, other.cdgh),
        }
    }
}

/// Four words of a block, the first one lowest.
type Words = __m128i;

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn zero() -> Words {
    _mm_setzero_si128()
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn first(word: u32) -> Words {
    _mm_set_epi32(0, 0, 0, word.cast_signed())
}

#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn last(word: u32) -> Words {
    _mm_set_epi32(word.cast_signed(), 0, 0, 0)
}

/// The sixteen words of a block.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn load(block: &[u8; 64]) -> [Words; 4] {
    let at: *const __m128i = block.as_ptr().cast();
    // SAFETY: 64 bytes are readable at `at`, those of the array; the loads need no alignment.
    let bytes = unsafe {
        [
            _mm_loadu_si128(at),
            _mm_loadu_si128(at.add(1)),
            _mm_loadu_si128(at.add(2)),
            _mm_loadu_si128(at.add(3)),
        ]
    };
    [
        swap(bytes[0]),
        swap(bytes[1]),
        swap(bytes[2]),
        swap(bytes[3]),
    ]
}

/// Reverses the bytes of each word: SHA-2 is big-endian.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn swap(words: Words) -> Words {
    _mm_shuffle_epi8(
        words,
        _mm_set_epi64x(0x0C0D_0E0F_0809_0A0B, 0x0405_0607_0001_0203),
    )
}

/// Rounds `4 * STEP` to `4 * STEP + 3` of each of `N` messages.
///
/// The loop over messages is in here, so that their instructions alternate: the processor looks
/// ahead a few hundred instructions, about as many as one message's block has.
#[inline]
#[target_feature(enable = "sha,sse4.1,ssse3")]
fn four_rounds<const N: usize, const STEP: usize>(
    states: &mut [State; N],
    words: &mut [[Words; 4]; N],
) {
    let k = K256.0.as_flattened().as_chunks::<4>().0[STEP].map(u32::cast_signed);
    let k = _mm_set_epi32(k[3], k[2], k[1], k[0]);
    for i in 0..N {
        let w = &mut words[i];
        if STEP >= 4 {
            let last = w[(STEP + 3) % 4];
            let sum = _mm_sha256msg1_epu32(w[STEP % 4], w[(STEP + 1) % 4]);
            let sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, w[(STEP + 2) % 4], 4));
            w[STEP % 4] = _mm_sha256msg2_epu32(sum, last);
        }
        let sum = _mm_add_epi32(w[STEP % 4], k);
        let State { abef, cdgh } = &mut states[i];
        *cdgh = _mm_sha256rnds2_epu32(*cdgh, *abef, sum);
        *abef = _mm_sha256rnds2_epu32(*abef, *cdgh, _mm_shuffle_epi32(sum, 0x0E));
    }
}
