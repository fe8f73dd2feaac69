//! AVX2: thirty-two characters at a time, by tables for their upper and lower four bits (after Muła
//! and Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions", 2018; the tables here
//! are those of base64url).
//!
//! ```text
//! kind  = KINDS[upper four bits]            which lower halves are allowed with it
//! wrong = kind & WRONG[lower four bits]     not zero: no character of the alphabet
//! value = character + ADDED[upper four bits], and 33 more for `_`
//! four values of six bits become three bytes: two multiply-adds join them, one shuffle orders them
//! ```

use core::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_add_epi8, _mm256_alignr_epi8, _mm256_and_si256,
    _mm256_andnot_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_or_si256, _mm256_permute2x128_si256,
    _mm256_permutevar8x32_epi32, _mm256_set1_epi8, _mm256_set1_epi32, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi32, _mm256_storeu_si256,
    _mm256_testz_si256,
};

use super::VALUES;

/// Which lower halves an upper half goes with, as a bit: the same for `A` to `O` and `a` to `o`.
static KINDS: [u8; 16] = {
    const NONE: u8 = 32;
    let mut kinds = [NONE; 16];
    (kinds[2], kinds[3]) = (1, 2);
    (kinds[4], kinds[6]) = (4, 4);
    (kinds[5], kinds[7]) = (8, 16);
    kinds
};

/// For a lower half, the kinds of upper halves that it makes no character of the alphabet with.
static WRONG: [u8; 16] = {
    let mut wrong = [0; 16];
    let mut byte = 0;
    while byte < VALUES.len() {
        if VALUES[byte] > 63 {
            wrong[byte % 16] |= KINDS[byte / 16];
        }
        byte += 1;
    }
    wrong
};

/// Added to a character of this upper half, it gives its six bits. `_` alone differs from its
/// neighbours: see [`Tables::decode`].
static ADDED: [u8; 16] = {
    let mut added = [0; 16];
    let firsts = *b"-0APap";
    let mut at = 0;
    while at < firsts.len() {
        let first = firsts[at] as usize;
        added[first / 16] = VALUES[first].wrapping_sub(firsts[at]);
        at += 1;
    }
    added
};

/// Where each of twelve decoded bytes is once four characters are 24 bits of a little-endian word;
/// the last four do not matter.
static ORDER: [u8; 16] = [2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, 0, 0, 0, 0];

/// Which bytes of the last 24 are decoded, for each number of characters that the last group of four
/// lacks; no canonical text lacks three.
static MADE: [[u8; 32]; 3] = {
    let mut made = [[0xff; 32]; 3];
    made[1][23] = 0;
    (made[2][22], made[2][23]) = (0, 0);
    made
};

/// Decodes 32 characters at a time, and then the last 32 of the text. The last group of four is
/// filled up with `A`, which is all zeros: so in a canonical text the bytes beyond the end are zeros,
/// too.
#[target_feature(enable = "avx2")]
pub(super) fn decode(text: &[u8], out: &mut [u8]) -> bool {
    let lacking = text.len().wrapping_neg() % 4;
    let (Some(last), Some(made)) = (text.last_chunk(), MADE.get(lacking)) else {
        return super::super::decode_by_crate(text, out);
    };
    let tables = Tables::load();
    let mut wrong = _mm256_setzero_si256();
    let (windows, behind) = text.as_chunks::<32>();
    let before_last = windows.len() - usize::from(behind.is_empty());
    let mut rest = &mut *out;
    for characters in &windows[..before_last] {
        let decoded = tables.decode(load(characters), &mut wrong);
        store(decoded, rest, 24);
        rest = &mut rest[24..];
    }
    let decoded = tables.decode(completed(load(last), lacking), &mut wrong);
    wrong = _mm256_or_si256(wrong, _mm256_andnot_si256(load(made), decoded));
    let rest = &mut out[(text.len() + lacking) / 4 * 3 - 24..];
    store(decoded, rest, 24 - lacking);
    _mm256_testz_si256(wrong, wrong) == 1
}

#[target_feature(enable = "avx2")]
#[inline]
fn load(bytes: &[u8; 32]) -> __m256i {
    // SAFETY: this reads the 32 bytes of the array, at any alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

/// Stores the first `len` of the decoded bytes.
#[target_feature(enable = "avx2")]
#[inline]
fn store(decoded: __m256i, out: &mut [u8], len: usize) {
    if let Some(whole) = out.first_chunk_mut() {
        store_whole(decoded, whole);
    } else {
        store_part(decoded, &mut out[..len]);
    }
}

/// A call, so that its buffer is not on the stack of the caller.
#[target_feature(enable = "avx2")]
#[inline(never)]
fn store_part(decoded: __m256i, out: &mut [u8]) {
    let mut whole = [0; 32];
    store_whole(decoded, &mut whole);
    out.copy_from_slice(&whole[..out.len()]);
}

#[target_feature(enable = "avx2")]
#[inline]
fn store_whole(decoded: __m256i, out: &mut [u8; 32]) {
    // SAFETY: this writes the 32 bytes of the array, at any alignment.
    unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), decoded) };
}

/// The last of these characters, and an `A` for each that the last group lacks.
#[target_feature(enable = "avx2")]
#[inline]
fn completed(characters: __m256i, lacking: usize) -> __m256i {
    let zeros = _mm256_set1_epi8(b'A'.cast_signed());
    let behind = _mm256_permute2x128_si256::<0x21>(characters, zeros);
    match lacking {
        0 => characters,
        1 => _mm256_alignr_epi8::<1>(behind, characters),
        _ => _mm256_alignr_epi8::<2>(behind, characters),
    }
}

/// The tables in registers, twice each: a look-up is one of sixteen bytes.
#[derive(Clone, Copy)]
struct Tables {
    kinds: __m256i,
    wrong: __m256i,
    added: __m256i,
    order: __m256i,
}

impl Tables {
    #[target_feature(enable = "avx2")]
    #[inline]
    fn load() -> Self {
        #[target_feature(enable = "avx2")]
        #[inline]
        fn twice(table: &[u8; 16]) -> __m256i {
            // SAFETY: this reads the 16 bytes of the array, at any alignment.
            let once: __m128i = unsafe { _mm_loadu_si128(table.as_ptr().cast()) };
            _mm256_broadcastsi128_si256(once)
        }
        Self {
            kinds: twice(&KINDS),
            wrong: twice(&WRONG),
            added: twice(&ADDED),
            order: twice(&ORDER),
        }
    }

    /// Twenty-four bytes of 32 characters; marks in `wrong` those that are not of the alphabet.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn decode(self, characters: __m256i, wrong: &mut __m256i) -> __m256i {
        let low_bits = _mm256_set1_epi8(0x0f);
        let lower = _mm256_and_si256(characters, low_bits);
        let upper = _mm256_and_si256(_mm256_srli_epi32::<4>(characters), low_bits);
        let faults = _mm256_and_si256(
            _mm256_shuffle_epi8(self.kinds, upper),
            _mm256_shuffle_epi8(self.wrong, lower),
        );
        *wrong = _mm256_or_si256(*wrong, faults);
        let is_underscore = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8(b'_'.cast_signed()));
        let added = _mm256_add_epi8(
            _mm256_shuffle_epi8(self.added, upper),
            // 63 is 33 more than what `_` would be behind `Z`.
            _mm256_and_si256(is_underscore, _mm256_set1_epi8(33)),
        );
        let values = _mm256_add_epi8(characters, added);
        let twelve = _mm256_maddubs_epi16(values, _mm256_set1_epi32(0x0140_0140));
        let words = _mm256_madd_epi16(twelve, _mm256_set1_epi32(0x0001_1000));
        let bytes = _mm256_shuffle_epi8(words, self.order);
        _mm256_permutevar8x32_epi32(bytes, _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7))
    }
}
