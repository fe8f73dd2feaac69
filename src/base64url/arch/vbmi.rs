//! AVX-512 VBMI, which looks up sixty-four characters in one instruction.
//!
//! ```text
//! value = VALUES[lower seven bits]
//! wrong = top bit of the value or of the character
//! four values of six bits become three bytes: two multiply-adds join them, one permutation orders
//! them. The rest of a text is filled up with `A`, which is all zeros.
//! ```

use core::arch::x86_64::{
    __m512i, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_maddubs_epi16, _mm512_mask_loadu_epi8,
    _mm512_movepi8_mask, _mm512_or_si512, _mm512_permutex2var_epi8, _mm512_permutexvar_epi8,
    _mm512_set1_epi8, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_storeu_si512,
    _mm512_test_epi8_mask,
};

use super::VALUES;

/// Where each byte of 48 decoded ones is once four characters are 24 bits of a little-endian word.
static ORDER: [u8; 64] = {
    let mut order = [0; 64];
    let mut at = 0;
    while at < 48 {
        order[at] = (at / 3 * 4 + 2 - at % 3).to_le_bytes()[0];
        at += 1;
    }
    order
};

#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
pub(super) fn decode(text: &[u8], out: &mut [u8]) -> bool {
    let (chunks, tail) = text.as_chunks::<64>();
    if tail.len() % 4 == 1 {
        return false;
    }
    let tables = Tables::load();
    let mut wrong = _mm512_setzero_si512();
    let (mut at, mut left_over) = (0, 0);
    for chunk in chunks {
        // SAFETY: this reads the 64 bytes of the array, at any alignment.
        let characters = unsafe { _mm512_loadu_si512(chunk.as_ptr().cast()) };
        let decoded = tables.decode(characters, &mut wrong);
        store(decoded, &mut out[at..], 48);
        at += 48;
    }
    if !tail.is_empty() {
        let kept = !(u64::MAX << tail.len());
        // SAFETY: the mask keeps the load within the tail; what it leaves out is not accessed.
        let characters = unsafe {
            _mm512_mask_loadu_epi8(
                _mm512_set1_epi8(b'A'.cast_signed()),
                kept,
                tail.as_ptr().cast(),
            )
        };
        let decoded = tables.decode(characters, &mut wrong);
        let len = tail.len() * 3 / 4;
        store(decoded, &mut out[at..], len);
        // The bits that the last character has beyond the last byte are the top of the next one.
        // (There is a next one among the 48, since a tail is shorter than a chunk.)
        left_over = _mm512_test_epi8_mask(decoded, decoded) & (1 << len);
    }
    _mm512_movepi8_mask(wrong) | left_over == 0
}

/// Stores the first `len` of the decoded bytes.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
#[inline]
fn store(decoded: __m512i, out: &mut [u8], len: usize) {
    if let Some(whole) = out.first_chunk_mut::<64>() {
        // SAFETY: this writes the 64 bytes of the array, at any alignment.
        unsafe { _mm512_storeu_si512(whole.as_mut_ptr().cast(), decoded) };
    } else {
        let mut whole = [0; 64];
        // SAFETY: as above.
        unsafe { _mm512_storeu_si512(whole.as_mut_ptr().cast(), decoded) };
        out[..len].copy_from_slice(&whole[..len]);
    }
}

/// The tables in registers.
#[derive(Clone, Copy)]
struct Tables {
    low: __m512i,
    high: __m512i,
    order: __m512i,
}

impl Tables {
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn load() -> Self {
        // SAFETY: these read 64 bytes each of arrays that have 128 and 64, at any alignment.
        unsafe {
            Self {
                low: _mm512_loadu_si512(VALUES.as_ptr().cast()),
                high: _mm512_loadu_si512(VALUES[64..].as_ptr().cast()),
                order: _mm512_loadu_si512(ORDER.as_ptr().cast()),
            }
        }
    }

    /// Forty-eight bytes of 64 characters; marks in `wrong` those that are not of the alphabet.
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi")]
    #[inline]
    fn decode(self, characters: __m512i, wrong: &mut __m512i) -> __m512i {
        // The look-up ignores the top bit of a character, so it is kept beside the value's.
        let values = _mm512_permutex2var_epi8(self.low, characters, self.high);
        *wrong = _mm512_or_si512(*wrong, _mm512_or_si512(values, characters));
        let twelve = _mm512_maddubs_epi16(values, _mm512_set1_epi32(0x0140_0140));
        let words = _mm512_madd_epi16(twelve, _mm512_set1_epi32(0x0001_1000));
        _mm512_permutexvar_epi8(self.order, words)
    }
}
