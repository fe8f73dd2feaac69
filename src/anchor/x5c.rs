//! The member `x5c` of a header (RFC 7515 section 4.1.6): an array of certificates in base64, the
//! leaf first. Owns its form and its bounds.

use base64_simd::STANDARD;
use rustls_pki_types::CertificateDer;
use sha2::{Digest, Sha256};

use super::ChainError;
use crate::token::JsonScratch;

/// The most certificates of a chain, the leaf and the anchor included.
pub(super) const MAX_CERTIFICATES: usize = 8;
/// The most characters of base64 of all certificates of a chain.
pub(super) const MAX_CHARS: usize = 64 << 10;

/// The certificates as they are in the header.
pub(super) struct X5c<'h>(Vec<&'h str>);

/// Reads the member of an encoded header.
pub(super) fn read<'h>(
    encoded: &[u8],
    scratch: &'h mut JsonScratch,
) -> Result<X5c<'h>, ChainError> {
    let object = scratch.read(encoded).map_err(|_| ChainError::NotStrings)?;
    let member = object.members().find(|(name, _)| *name == "x5c");
    let strings = member.and_then(|(_, value)| value.strings().into_value());
    let strings = strings.ok_or(ChainError::NotStrings)?;
    let certificates: Vec<&str> = strings.take(MAX_CERTIFICATES + 1).collect();
    let chars: usize = certificates.iter().map(|text| text.len()).sum();
    match certificates.len() {
        0 => Err(ChainError::NotStrings),
        count if count > MAX_CERTIFICATES => Err(ChainError::TooLong),
        _ if chars > MAX_CHARS => Err(ChainError::TooLong),
        _ => Ok(X5c(certificates)),
    }
}

impl X5c<'_> {
    /// A digest that no other chain has.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for text in &self.0 {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }

    /// The certificates in DER.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, ChainError> {
        let decode = |(number, text): (usize, &&str)| {
            let der = STANDARD.decode_to_vec(text.as_bytes());
            let der = der.map_err(|_| ChainError::Base64 { number })?;
            Ok(CertificateDer::from(der))
        };
        (1..).zip(&self.0).map(decode).collect()
    }
}
