//! Decoding in wide registers: the only `unsafe` of base64url. Each of the functions gives the same
//! answer. Where the processor has none of these instructions, and behind AVX2 for texts that are
//! shorter than its registers, `base64-simd` decodes.

#![allow(unsafe_code)]

use crate::platform::Platform;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod vbmi;

/// Decodes `text` to the front of `out`, and says whether it is canonical; if not, what it leaves in
/// `out` means nothing. Bytes behind the decoded ones may be overwritten.
///
/// # Panics
/// If `out` is shorter than the decoded text.
#[inline]
pub(super) fn decode(platform: Platform, text: &[u8], out: &mut [u8]) -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        if platform.vbmi.is_some() {
            // SAFETY: a `Vbmi` proves that the processor has the features of this function.
            return unsafe { vbmi::decode(text, out) };
        }
        if platform.avx2.is_some() {
            // SAFETY: an `Avx2` proves that the processor has the features of this function.
            return unsafe { avx2::decode(text, out) };
        }
    }
    let _ = platform; // other architectures do not ask it
    super::decode_by_crate(text, out)
}

/// The six bits of each character, by the character; `0x80` for one that is not of the alphabet.
#[cfg(target_arch = "x86_64")]
static VALUES: [u8; 128] = {
    let mut values = [0x80; 128];
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut value = 0;
    while value < alphabet.len() {
        values[alphabet[value] as usize] = value.to_le_bytes()[0];
        value += 1;
    }
    values
};
