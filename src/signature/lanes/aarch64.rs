//! SHA-256 by the SHA-2 extension of AArch64, three messages at a time.
//!
//! `sha256h` and `sha256h2` both wait for the results of the rounds before, sixteen times a block.
//! How much three messages gain over one depends on the latency of these instructions.

use core::arch::aarch64::{
    uint32x4_t, vaddq_u32, vdupq_n_u32, vld1q_u8, vld1q_u32, vreinterpretq_u8_u32,
    vreinterpretq_u32_u8, vrev32q_u8, vsetq_lane_u32, vsha256h2q_u32, vsha256hq_u32,
    vsha256su0q_u32, vsha256su1q_u32, vst1q_u8,
};

use super::{
    Job256,
    constants::K256,
    interleaved::interleaved_batch,
    picked,
    stream::{Stream, Tail},
};
use crate::platform::Sha2;

/// The HMAC-SHA-256 tags of the jobs in `order`, longest first.
pub(super) fn hmac256(_: Sha2, jobs: &[Job256<'_>], order: &[u32], tags: &mut [[u8; 32]]) {
    // SAFETY: a `Sha2` proves that the processor has the features of this function.
    unsafe { batch(jobs, order, tags) }
}

interleaved_batch! { features: "neon,sha2" }

/// The eight words of a state.
#[derive(Clone, Copy)]
struct State {
    abcd: uint32x4_t,
    efgh: uint32x4_t,
}

impl State {
    #[inline]
    #[target_feature(enable = "neon,sha2")]
    fn load(words: &[u32; 8]) -> Self {
        // SAFETY: eight words are readable there, those of the array.
        unsafe {
            Self {
                abcd: vld1q_u32(words.as_ptr()),
                efgh: vld1q_u32(words.as_ptr().add(4)),
            }
        }
    }

    #[inline]
    #[target_feature(enable = "neon,sha2")]
    fn tag(self) -> [u8; 32] {
        let mut tag = [0; 32];
        // SAFETY: 32 bytes are writable there, those of the array.
        unsafe {
            vst1q_u8(
                tag.as_mut_ptr(),
                vrev32q_u8(vreinterpretq_u8_u32(self.abcd)),
            );
            vst1q_u8(
                tag.as_mut_ptr().add(16),
                vrev32q_u8(vreinterpretq_u8_u32(self.efgh)),
            );
        }
        tag
    }

    #[inline]
    #[target_feature(enable = "neon,sha2")]
    fn plus(self, other: Self) -> Self {
        Self {
            abcd: vaddq_u32(self.abcd, other.abcd),
            efgh: vaddq_u32(self.efgh, other.efgh),
        }
    }

    /// A state has its words in the order of a block.
    #[inline]
    #[target_feature(enable = "neon,sha2")]
    fn words(self) -> [Words; 2] {
        [self.abcd, self.efgh]
    }
}

/// Four words of a block, the first one lowest.
type Words = uint32x4_t;

#[inline]
#[target_feature(enable = "neon,sha2")]
fn zero() -> Words {
    vdupq_n_u32(0)
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn first(word: u32) -> Words {
    vsetq_lane_u32::<0>(word, zero())
}

#[inline]
#[target_feature(enable = "neon,sha2")]
fn last(word: u32) -> Words {
    vsetq_lane_u32::<3>(word, zero())
}

/// The sixteen words of a block.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn load(block: &[u8; 64]) -> [Words; 4] {
    // SAFETY: 64 bytes are readable there, those of the array; the loads need no alignment.
    let bytes = unsafe {
        [
            vld1q_u8(block.as_ptr()),
            vld1q_u8(block.as_ptr().add(16)),
            vld1q_u8(block.as_ptr().add(32)),
            vld1q_u8(block.as_ptr().add(48)),
        ]
    };
    [
        vreinterpretq_u32_u8(vrev32q_u8(bytes[0])),
        vreinterpretq_u32_u8(vrev32q_u8(bytes[1])),
        vreinterpretq_u32_u8(vrev32q_u8(bytes[2])),
        vreinterpretq_u32_u8(vrev32q_u8(bytes[3])),
    ]
}

/// Rounds `4 * STEP` to `4 * STEP + 3` of each of `N` messages.
#[inline]
#[target_feature(enable = "neon,sha2")]
fn four_rounds<const N: usize, const STEP: usize>(
    states: &mut [State; N],
    words: &mut [[Words; 4]; N],
) {
    let k: &[u32; 4] = &K256.0.as_flattened().as_chunks().0[STEP];
    // SAFETY: four words are readable there, those of the array.
    let k = unsafe { vld1q_u32(k.as_ptr()) };
    for i in 0..N {
        let w = &mut words[i];
        if STEP >= 4 {
            let sum = vsha256su0q_u32(w[STEP % 4], w[(STEP + 1) % 4]);
            w[STEP % 4] = vsha256su1q_u32(sum, w[(STEP + 2) % 4], w[(STEP + 3) % 4]);
        }
        let sum = vaddq_u32(w[STEP % 4], k);
        let State { abcd, efgh } = states[i];
        states[i].abcd = vsha256hq_u32(abcd, efgh, sum);
        states[i].efgh = vsha256h2q_u32(efgh, abcd, sum);
    }
}
