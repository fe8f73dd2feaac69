//! Verifies signatures, and proves by type that one is valid.
//!
//! Owns bytes, algorithms and key material; JSON and the selection of keys are left to others. Only
//! this room can construct [`Authentic`], and claims can be read only from it.

mod algorithm;
mod batch;
mod hmac;
pub(crate) mod lanes;
pub(crate) mod public;

pub use algorithm::{Algorithm, AlgorithmSet, REGISTERED};
pub(crate) use batch::{BatchVerifier, Pending, recycle};
pub use hmac::MacKey;
pub(crate) use lanes::Place;
pub use lanes::{Kernel, SelfTestError};
pub(crate) use public::PublicKey;

use std::sync::Arc;

use base64_simd::URL_SAFE_NO_PAD;

use crate::base64url;
use crate::verdict::{FindingSet, Reason};

/// The bytes that a signature covers: the encoded header, a dot, and the encoded payload
/// (RFC 7515 section 5.1). They must not be decoded in place before the signature is verified.
#[derive(Clone, Copy)]
pub struct SigningInput<'b> {
    bytes: &'b [u8],
    dot: u32,
    /// The padding characters at the end, which are signed and are no part of the payload.
    padding: u8,
}

impl<'b> SigningInput<'b> {
    pub(crate) const fn new(bytes: &'b [u8], dot: u32, padding: u8) -> Self {
        Self {
            bytes,
            dot,
            padding,
        }
    }

    /// All of the bytes.
    #[must_use]
    pub const fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The encoded payload, which nothing covers before the signature is verified.
    fn payload(&self) -> &'b [u8] {
        &self.bytes[self.dot as usize + 1..self.bytes.len() - usize::from(self.padding)]
    }
}

/// An encoded payload whose signature is valid.
///
/// The fields are private, so that nothing outside this module can construct one.
#[derive(Clone, Copy)]
pub struct Authentic<'b> {
    payload: &'b [u8],
    proof: Proof,
}

/// Proof that a signature is valid, and by which key. Like [`Authentic`], only this module can
/// construct it; it may be cached with its token.
#[derive(Clone, Copy)]
pub(crate) struct Proof {
    key: u32,
    findings: FindingSet,
}

impl Proof {
    /// The caller's number of the key.
    pub(crate) const fn key(self) -> u32 {
        self.key
    }

    /// The warnings about the signature itself.
    pub(crate) const fn findings(self) -> FindingSet {
        self.findings
    }

    /// The payload of a token that is equal, byte for byte, to the one that this proof is about: the
    /// caller has compared them.
    pub(crate) fn of_same_token(self, input: SigningInput<'_>) -> Authentic<'_> {
        Authentic {
            payload: input.payload(),
            proof: self,
        }
    }
}

impl<'b> Authentic<'b> {
    /// The encoded payload.
    pub(crate) const fn payload(&self) -> &'b [u8] {
        self.payload
    }

    /// The proof that the signature is valid.
    pub(crate) const fn proof(&self) -> Proof {
        self.proof
    }
}

/// A key that verifies: a secret or a public key. Clones share it.
#[derive(Clone)]
pub(crate) enum VerifyingKey {
    Mac(Arc<MacKey>),
    Public(Arc<PublicKey>),
}

impl VerifyingKey {
    /// `None` for an empty secret.
    pub(crate) fn mac(secret: &[u8]) -> Option<Self> {
        MacKey::new(secret).map(Arc::new).map(Self::Mac)
    }

    pub(crate) fn public(key: PublicKey) -> Self {
        Self::Public(Arc::new(key))
    }

    /// The length of its signatures in bytes, if it is a public key.
    fn signature_len(&self) -> Option<usize> {
        match self {
            Self::Mac(_) => None,
            Self::Public(key) => Some(key.material().signature_len()),
        }
    }

    /// Verifies a signature. Returns its warnings if it is valid.
    fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> Option<FindingSet> {
        match self {
            Self::Mac(key) => key
                .verify(algorithm, message, signature)
                .then(|| key.findings(algorithm)),
            Self::Public(key) => (key.material().signature_len() == signature.len()
                && key.verify(algorithm, message, signature))
            .then(|| key.material().findings(signature)),
        }
    }
}

/// A key to try on a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The number of the key.
    pub(crate) key: u32,
    /// Where its HMAC states are, if it is a secret.
    pub(crate) states: Option<Place>,
}

impl Candidate {
    /// Where the HMAC states are of a key that was selected for an HMAC algorithm.
    fn secret(self) -> Place {
        match self.states {
            Some(place) => place,
            // The key set selects a key only for algorithms of its type.
            None => unreachable!("a public key was selected to verify a MAC"),
        }
    }
}

/// The keys to try on a token, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates<'k> {
    /// The key to try first if it is the only one; then `first` is empty.
    pub(crate) only: Option<Candidate>,
    /// The keys to try first, if there are several.
    pub(crate) first: &'k [Candidate],
    /// The keys to try if none of these made the signature.
    pub(crate) fallback: &'k [Candidate],
    /// Whether there are more keys than may be tried. A failure is then no proof that the signature
    /// is invalid.
    pub(crate) is_truncated: bool,
}

impl<'k> Candidates<'k> {
    pub(crate) const fn len(self) -> usize {
        self.only.is_some() as usize + self.first.len() + self.fallback.len()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Candidate> + Clone + 'k {
        let lists = self.first.iter().chain(self.fallback).copied();
        self.only.into_iter().chain(lists)
    }

    /// The numbers of the keys.
    pub(crate) fn keys(self) -> impl Iterator<Item = u32> + Clone + 'k {
        self.iter().map(|candidate| candidate.key)
    }

    /// The final reason once all candidates failed.
    const fn exhausted(self, reason: Reason) -> Reason {
        match reason {
            Reason::SignatureMismatch | Reason::SignatureLength if self.is_truncated => {
                Reason::TooManyKeys
            }
            reason => reason,
        }
    }
}

/// Verifies an encoded signature with each candidate in turn (RFC 7515 section 5.2). `key` looks up a
/// key by its number.
///
/// # Errors
/// [`Reason::SignatureBase64url`], [`Reason::SignatureLength`] when no candidate's signatures have
/// its length, [`Reason::SignatureMismatch`] when no candidate made it; [`Reason::TooManyKeys`] in
/// place of the last two when not all keys may be tried.
pub(crate) fn verify<'b, 'k>(
    input: SigningInput<'b>,
    signature: &[u8],
    algorithm: Algorithm,
    candidates: Candidates<'_>,
    key: impl Fn(u32) -> &'k VerifyingKey,
) -> Result<Authentic<'b>, Reason> {
    let (mut mac, mut buffer) = ([0; 64], Vec::new());
    let decoded = match algorithm.mac_len() {
        Some(mac_len) => decode_mac(signature, mac_len, &mut mac).map(|()| &mac[..mac_len]),
        None => {
            let lengths = candidates.keys().map(|number| key(number).signature_len());
            decode_signature(signature, lengths, &mut buffer)
        }
    };
    let signature = decoded.map_err(|reason| candidates.exhausted(reason))?;
    for number in candidates.keys() {
        if let Some(findings) = key(number).verify(algorithm, input.bytes(), signature) {
            return Ok(Authentic {
                payload: input.payload(),
                proof: Proof {
                    key: number,
                    findings,
                },
            });
        }
    }
    Err(candidates.exhausted(Reason::SignatureMismatch))
}

/// Decodes a signature, whose length in bytes must be one of `lengths`.
fn decode_signature<'s>(
    signature: &[u8],
    mut lengths: impl Iterator<Item = Option<usize>>,
    buffer: &'s mut Vec<u8>,
) -> Result<&'s [u8], Reason> {
    let len = base64url::decoded_len(signature.len());
    if len > public::MAX_SIGNATURE_LEN || !lengths.any(|fitting| fitting == Some(len)) {
        return Err(misfit(signature));
    }
    buffer.resize(len, 0);
    match base64url::decode(signature, buffer) {
        Ok(decoded) if decoded == len => Ok(buffer),
        _ => Err(Reason::SignatureBase64url),
    }
}

/// Decodes a signature of `mac_len` bytes to the front of `mac`. Bytes behind it may be overwritten.
fn decode_mac(signature: &[u8], mac_len: usize, mac: &mut [u8; 64]) -> Result<(), Reason> {
    if base64url::decoded_len(signature.len()) != mac_len {
        return Err(misfit(signature));
    }
    base64url::decode(signature, mac).map_err(|_| Reason::SignatureBase64url)?;
    Ok(())
}

/// Why a signature of the wrong length is rejected. Checks base64url without a copy, since it may be
/// long.
fn misfit(signature: &[u8]) -> Reason {
    match URL_SAFE_NO_PAD.check(signature) {
        Ok(()) => Reason::SignatureLength,
        Err(_) => Reason::SignatureBase64url,
    }
}
