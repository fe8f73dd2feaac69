//! Masks by AArch64's Advanced SIMD: four times sixteen bytes.

use core::arch::aarch64::{
    uint8x16_t, vandq_u8, vceqq_u8, vcltq_u8, vdupq_n_u8, vgetq_lane_u64, vld1q_u8, vorrq_u8,
    vpaddq_u8, vreinterpretq_u64_u8, vshrq_n_u8,
};

use super::{Masks, Vector};
use crate::platform::Neon;

impl Vector for Neon {
    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        const WEIGHTS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
        let [a, b, c, d] = block.as_chunks::<16>().0 else {
            unreachable!("64 is 4 times 16")
        };
        // SAFETY: a `Neon` proves that the processor has Advanced SIMD, which is in the baseline
        // besides; each load reads an array of 16 bytes.
        unsafe {
            let weights = vld1q_u8(WEIGHTS.as_ptr());
            let stop = |bytes: uint8x16_t| {
                let quote = vceqq_u8(bytes, vdupq_n_u8(b'"'));
                let backslash = vceqq_u8(bytes, vdupq_n_u8(b'\\'));
                let control = vcltq_u8(bytes, vdupq_n_u8(0x20));
                vandq_u8(vorrq_u8(vorrq_u8(quote, backslash), control), weights)
            };
            let high = |bytes: uint8x16_t| {
                let set = vcltq_u8(vdupq_n_u8(0), vshrq_n_u8::<7>(bytes));
                vandq_u8(set, weights)
            };
            // Neighbours are added until each byte has the weights of eight.
            let gather = |a, b, c, d| {
                let sums = vpaddq_u8(vpaddq_u8(a, b), vpaddq_u8(c, d));
                vgetq_lane_u64::<0>(vreinterpretq_u64_u8(vpaddq_u8(sums, sums)))
            };
            let [a, b, c, d] = [a, b, c, d].map(|quarter| vld1q_u8(quarter.as_ptr()));
            Masks {
                stop: gather(stop(a), stop(b), stop(c), stop(d)),
                high: gather(high(a), high(b), high(c), high(d)),
            }
        }
    }
}
