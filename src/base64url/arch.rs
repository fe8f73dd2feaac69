//! Decoding in wide registers: the only `unsafe` of base64url. Each of the functions gives the same
//! answer; which one runs is decided once, by what the processor has. Where it has none of them,
//! and behind AVX2 texts that are shorter than its registers, `base64-simd` decodes.

#![allow(unsafe_code)]

use std::sync::OnceLock;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod vbmi;

/// A function that decodes; made only for a processor that has what the function needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Decoder {
    entry: Entry,
}

/// Decodes the text to the front of the slice; to be called only where the processor has its
/// instructions.
type Entry = unsafe fn(&[u8], &mut [u8]) -> bool;

impl Decoder {
    /// The fastest here, looked up once in the life of the process.
    #[inline]
    pub(super) fn best() -> Self {
        static BEST: OnceLock<Decoder> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().next().unwrap_or(BY_CRATE))
    }

    /// All that this processor can run, the fastest first.
    pub(super) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = {
            let vbmi = vbmi::is_here().then_some(vbmi::decode as Entry);
            let avx2 = avx2::is_here().then_some(avx2::decode as Entry);
            [vbmi, avx2]
        };
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = [None; 0];
        let decoders = vectors.into_iter().flatten().map(|entry| Self { entry });
        decoders.chain([BY_CRATE])
    }

    /// Decodes `text` to the front of `out` and says whether it is canonical; what it leaves in
    /// `out` means nothing otherwise. Bytes behind the decoded ones may be overwritten.
    ///
    /// # Panics
    /// If `out` is shorter than the decoded text.
    #[inline]
    pub(super) fn decode(self, text: &[u8], out: &mut [u8]) -> bool {
        // SAFETY: an entry asks for its instruction set alone, and was taken after the processor
        // said that it has it; the field is private to this module.
        unsafe { (self.entry)(text, out) }
    }
}

const BY_CRATE: Decoder = Decoder {
    entry: super::decode_by_crate,
};

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
