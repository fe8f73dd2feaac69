//! Whether a signature holds, and the proof of it.
//!
//! This room knows bytes, algorithms and key material; it knows no JSON and chooses no key. The
//! proof is a value: [`Authentic`] can be made only here, and claims can be read only from it.

mod algorithm;
mod batch;
mod hmac;
pub(crate) mod lanes;

pub use algorithm::{Algorithm, AlgorithmSet, REGISTERED};
pub(crate) use batch::{BatchVerifier, Pending};
pub use hmac::MacKey;
pub use lanes::{Kernel, SelfTestError};

use base64_simd::URL_SAFE_NO_PAD;

use crate::token::base64url;
use crate::verdict::Reason;

/// The bytes that a signature covers: the encoded header, a dot, and the encoded payload
/// (RFC 7515 section 5.1). Nothing is decoded in place before they are verified.
#[derive(Clone, Copy)]
pub struct SigningInput<'b> {
    bytes: &'b [u8],
    dot: usize,
}

impl<'b> SigningInput<'b> {
    pub(crate) const fn new(bytes: &'b [u8], dot: usize) -> Self {
        Self { bytes, dot }
    }

    /// All of the bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }
}

/// An encoded payload whose signature held.
///
/// The fields are private and nothing outside this module makes one.
#[derive(Clone, Copy)]
pub struct Authentic<'b> {
    payload: &'b [u8],
    proof: Proof,
}

/// That a signature held, and under what. As [`Authentic`], it can be made only here; it may be
/// kept with the token that it is about.
#[derive(Clone, Copy)]
pub(crate) struct Proof {
    key: u32,
    algorithm: Algorithm,
}

impl Proof {
    /// The number that the caller gave the key.
    pub(crate) const fn key(self) -> u32 {
        self.key
    }

    /// The algorithm that it held under.
    pub(crate) const fn algorithm(self) -> Algorithm {
        self.algorithm
    }
}

impl<'b> Authentic<'b> {
    /// The encoded payload.
    pub(crate) const fn payload(&self) -> &'b [u8] {
        self.payload
    }

    /// What makes it authentic.
    pub(crate) const fn proof(&self) -> Proof {
        self.proof
    }
}

/// Verifies an encoded signature under each candidate in turn (RFC 7515 section 5.2).
///
/// # Errors
/// [`Reason::SignatureBase64url`], [`Reason::SignatureLength`] when the length cannot be that of
/// the algorithm, [`Reason::SignatureMismatch`] when no candidate made the signature.
pub(crate) fn verify<'b, 'k>(
    input: SigningInput<'b>,
    signature: &[u8],
    algorithm: Algorithm,
    candidates: impl Iterator<Item = (u32, &'k MacKey)>,
) -> Result<Authentic<'b>, Reason> {
    let mut buffer = [0; 64];
    let mac = &mut buffer[..algorithm.mac_len()];
    decode_mac(signature, mac)?;
    for (key, secret) in candidates {
        if secret.verify(algorithm, input.bytes(), mac) {
            return Ok(Authentic {
                payload: &input.bytes[input.dot + 1..],
                proof: Proof { key, algorithm },
            });
        }
    }
    Err(Reason::SignatureMismatch)
}

/// Decodes a signature that must fill `mac`.
fn decode_mac(signature: &[u8], mac: &mut [u8]) -> Result<(), Reason> {
    if base64url::decoded_len(signature.len()) != mac.len() {
        // However long it is, no copy is needed to know whether it is base64url at all.
        return Err(match URL_SAFE_NO_PAD.check(signature) {
            Ok(()) => Reason::SignatureLength,
            Err(_) => Reason::SignatureBase64url,
        });
    }
    base64url::decode(signature, mac).map_err(|_| Reason::SignatureBase64url)?;
    Ok(())
}
