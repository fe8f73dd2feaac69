//! Line ends and dots in wide registers: the only `unsafe` of the splitter. Each of the functions
//! finds the same; which one runs is decided once, by what the processor has.

#![allow(unsafe_code)]

use std::sync::OnceLock;

use super::Found;

/// A function that finds; made only for a processor that has what the function needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder {
    entry: Entry,
}

/// Finds the first line of a text; to be called only where the processor has its instructions.
type Entry = unsafe fn(&[u8]) -> Found;

/// Where a chunk has LF, and where it has dots: a bit for each byte.
struct Bits {
    ends: u64,
    dots: u64,
}

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

/// The first line of a text, by the bits of its chunks. A part of each entry, so that those are made
/// in its registers.
#[inline(always)]
fn find(text: &[u8], bits_of: impl Fn(&[u8; 64]) -> Bits) -> Found {
    let mut found = Found::none(text.len());
    let (chunks, tail) = text.as_chunks::<64>();
    let mut begin = 0;
    for chunk in chunks {
        if take(&mut found, begin, bits_of(chunk)) {
            return found;
        }
        begin += 64;
    }
    if !tail.is_empty() {
        let mut last = [0; 64];
        last[..tail.len()].copy_from_slice(tail);
        take(&mut found, begin, bits_of(&last));
    }
    found
}

/// Takes what a chunk has up to the end of the line, and says whether that is in it.
#[inline(always)]
fn take(found: &mut Found, begin: usize, Bits { ends, dots }: Bits) -> bool {
    if ends | dots == 0 {
        return false;
    }
    // The bits below the lowest of the ends; all if there is none.
    let mut inside = dots & (ends & ends.wrapping_neg()).wrapping_sub(1);
    while inside != 0 {
        found.dots.add(begin + inside.trailing_zeros() as usize);
        inside &= inside - 1;
    }
    if ends != 0 {
        found.end = begin + ends.trailing_zeros() as usize;
        found.is_ended = true;
    }
    ends != 0
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
        let mut bits = Bits { ends: 0, dots: 0 };
        for (index, eight) in chunk.as_chunks::<8>().0.iter().enumerate() {
            let word = u64::from_le_bytes(*eight);
            let (ends, dots) = (zeros(word ^ (ONES * 0x0a)), zeros(word ^ (ONES * 0x2e)));
            if ends | dots != 0 {
                bits.ends |= gather(ends) << (8 * index);
                bits.dots |= gather(dots) << (8 * index);
            }
        }
        bits
    })
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use core::arch::x86_64::{
        __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8,
        _mm512_cmpeq_epi8_mask, _mm512_loadu_si512, _mm512_set1_epi8,
    };

    use super::{Bits, Finder, Found, find};

    const LF: i8 = b'\n'.cast_signed();
    const DOT: i8 = b'.'.cast_signed();

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
        let (lf, dot) = (_mm512_set1_epi8(LF), _mm512_set1_epi8(DOT));
        find(text, |chunk| {
            // SAFETY: this reads the 64 bytes of the array, at any alignment.
            let bytes = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
            Bits {
                ends: _mm512_cmpeq_epi8_mask(bytes, lf),
                dots: _mm512_cmpeq_epi8_mask(bytes, dot),
            }
        })
    }

    #[target_feature(enable = "avx2,bmi1")]
    fn find_avx2(text: &[u8]) -> Found {
        let (lf, dot) = (_mm256_set1_epi8(LF), _mm256_set1_epi8(DOT));
        let mask = |bytes: [__m256i; 2], wanted| {
            let [low, high] = bytes
                .map(|half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, wanted)).cast_unsigned());
            u64::from(high) << 32 | u64::from(low)
        };
        find(text, |chunk| {
            let [low, high] = [0, 32].map(|at| chunk[at..].as_ptr());
            // SAFETY: these read 32 bytes each, from the first and from the middle of the 64 of the
            // array, at any alignment.
            let bytes = unsafe { [low, high].map(|half| _mm256_loadu_si256(half.cast())) };
            Bits {
                ends: mask(bytes, lf),
                dots: mask(bytes, dot),
            }
        })
    }
}
