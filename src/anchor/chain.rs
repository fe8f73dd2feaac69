//! A chain of certificates up to an anchor.
//!
//! The path (signatures, dates, basicConstraints, path lengths, nameConstraints, critical
//! extensions) is validated by webpki. Owns what webpki leaves open: the order of the certificates,
//! keyUsage, the names of the leaf, and its key.

use std::fmt;
use std::time::Duration;

use rustls_pki_types::{CertificateDer, UnixTime as PathTime};
use webpki::{
    ALL_VERIFICATION_ALGS, EndEntityCert, Error as PathError, ExtendedKeyUsageValidator,
    KeyPurposeIdIter, anchor_from_trusted_cert,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

use super::x5c::{MAX_CERTIFICATES, MAX_CHARS};
use super::{Chain, Leaf};
use crate::key::{Anchor, DIGITAL_SIGNATURE, KEY_CERT_SIGN, NameType, Validity, own_key, usage};
use crate::signature::VerifyingKey;
use crate::time::UnixTime;

/// The most extended key usages that are kept of a leaf.
const MAX_PURPOSES: usize = 16;

/// Why a chain gives no key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChainError {
    /// `x5c` is no array of strings, or an empty one.
    NotStrings,
    /// `x5c` has more certificates, or longer ones, than jotmill reads.
    TooLong,
    /// A certificate is not canonical base64 with padding; its number is counted from 1.
    Base64 {
        /// The number of the certificate.
        number: usize,
    },
    /// A certificate is not a certificate of RFC 5280.
    NotACertificate {
        /// The number of the certificate.
        number: usize,
    },
    /// There is no valid path to an anchor at the instant of the token.
    Path {
        /// What is wrong with the path that came closest.
        why: String,
    },
    /// The certificates are not those of the path, each followed by its issuer.
    Order,
    /// The path is valid, and its anchor is not at the instant of the token.
    AnchorNotValid,
    /// A certificate issued another, and its keyUsage has no keyCertSign.
    IssuerUsage {
        /// The number of the certificate.
        number: usize,
    },
    /// The keyUsage of the leaf is absent or has no digitalSignature.
    LeafUsage,
    /// The leaf has none of the names that belong to the anchor.
    Name,
    /// The key of the leaf cannot be used.
    Key {
        /// What is wrong with it.
        why: String,
    },
}

impl fmt::Display for ChainError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStrings => f.write_str(
                "x5c is not an array of strings with at least one certificate (RFC 7515 section \
                 4.1.6)",
            ),
            Self::TooLong => write!(
                f,
                "x5c has more than {MAX_CERTIFICATES} certificates or {MAX_CHARS} characters, \
                 which is more than jotmill reads",
            ),
            Self::Base64 { number } => write!(
                f,
                "certificate {number} of x5c is not base64 with padding and without white space \
                 (RFC 4648 section 4)"
            ),
            Self::NotACertificate { number } => write!(
                f,
                "certificate {number} of x5c is not a certificate in DER (RFC 5280 section 4.1)"
            ),
            Self::Path { why } => write!(f, "no valid path leads to an anchor: {why}"),
            Self::Order => f.write_str(
                "x5c is not the path in order: each certificate must be followed by its issuer, up \
                 to the anchor, and by nothing else (RFC 7515 section 4.1.6)",
            ),
            Self::AnchorNotValid => f.write_str(
                "the anchor's own certificate has expired or is not valid yet at the instant of the \
                 token",
            ),
            Self::IssuerUsage { number } => write!(
                f,
                "certificate {number} of x5c may not issue another: its keyUsage lacks keyCertSign"
            ),
            Self::LeafUsage => f.write_str(
                "the first certificate may not sign tokens: its keyUsage lacks digitalSignature \
                 (RFC 5280 section 4.2.1.3)",
            ),
            Self::Name => f.write_str(
                "the path is valid, but the first certificate has none of the names that are given \
                 for its anchor (--anchor-name), byte by byte",
            ),
            Self::Key { why } => write!(f, "the key of the first certificate: {why}"),
        }
    }
}

impl std::error::Error for ChainError {}

/// Any extended key usage: none is registered for tokens.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, purposes: KeyPurposeIdIter<'_, '_>) -> Result<(), PathError> {
        for purpose in purposes {
            purpose?;
        }
        Ok(())
    }
}

/// Validates a chain by each anchor in turn, and returns its leaf.
///
/// # Errors
/// Those of the anchor that came furthest.
pub(super) fn validate<'a>(
    certificates: &[CertificateDer<'static>],
    anchors: impl Iterator<Item = (u32, &'a Anchor)>,
    at: UnixTime,
) -> Result<Leaf, ChainError> {
    let [leaf, issuers @ ..] = certificates else {
        return Err(ChainError::NotStrings);
    };
    let end = EndEntityCert::try_from(leaf).map_err(|error| match error {
        PathError::UnsupportedCriticalExtension => not_a_path(&error),
        _ => ChainError::NotACertificate { number: 1 },
    })?;
    let mut closest = not_a_path(&PathError::UnknownIssuer);
    for (number, anchor) in anchors {
        match path(&end, issuers, anchor, at) {
            Ok(length) => match read_leaf(leaf, &issuers[..length], number, anchor) {
                Ok(leaf) => return Ok(leaf),
                Err(error) => closest = error,
            },
            Err(error) if closest == not_a_path(&PathError::UnknownIssuer) => closest = error,
            Err(_) => {}
        }
    }
    Err(closest)
}

/// Validates the path of a leaf to an anchor. Returns how many issuers are between them.
fn path(
    leaf: &EndEntityCert<'_>,
    issuers: &[CertificateDer<'static>],
    anchor: &Anchor,
    at: UnixTime,
) -> Result<usize, ChainError> {
    let trusted = [anchor_from_trusted_cert(&anchor.certificate).map_err(|it| not_a_path(&it))?];
    let time = PathTime::since_unix_epoch(Duration::from_secs(at.seconds()));
    let algorithms = ALL_VERIFICATION_ALGS;
    let path = leaf
        .verify_for_usage(algorithms, &trusted, issuers, time, AnyPurpose, None, None)
        .map_err(|error| not_a_path(&error))?;
    let mut rest = issuers;
    for issuer in path.intermediate_certificates() {
        match rest.split_first() {
            Some((next, after)) if *next == issuer.der() => rest = after,
            _ => return Err(ChainError::Order),
        }
    }
    let is_anchor = |last: &CertificateDer<'static>| {
        let [anchor] = &trusted;
        anchor_from_trusted_cert(last).is_ok_and(|last| {
            last.subject == anchor.subject
                && last.subject_public_key_info == anchor.subject_public_key_info
        })
    };
    match rest {
        [] => {}
        [last] if is_anchor(last) => {}
        _ => return Err(ChainError::Order),
    }
    let length = issuers.len() - rest.len();
    if anchor.validity.is_over(at) || anchor.validity.is_ahead(at) {
        return Err(ChainError::AnchorNotValid);
    }
    Ok(length)
}

/// Checks what webpki does not check of a valid path, and reads the key.
fn read_leaf(
    leaf: &CertificateDer<'static>,
    issuers: &[CertificateDer<'static>],
    number: u32,
    anchor: &Anchor,
) -> Result<Leaf, ChainError> {
    for (issuer, number) in issuers.iter().zip(2..) {
        if usage(issuer).is_some_and(|bits| bits & KEY_CERT_SIGN == 0) {
            return Err(ChainError::IssuerUsage { number });
        }
    }
    if usage(leaf).is_none_or(|bits| bits & DIGITAL_SIGNATURE == 0) {
        return Err(ChainError::LeafUsage);
    }
    let certificate =
        Certificate::from_der(leaf).map_err(|_| ChainError::NotACertificate { number: 1 })?;
    if !has_name(&certificate, anchor)? {
        return Err(ChainError::Name);
    }
    let mut validity = anchor.validity;
    for (der, number) in std::iter::once(leaf).chain(issuers).zip(1..) {
        let own = Validity::of_certificate(der).ok_or(ChainError::NotACertificate { number })?;
        validity.not_before = validity.not_before.max(own.not_before);
        validity.not_after = validity.not_after.min(own.not_after);
    }
    let public = own_key(leaf).map_err(|why| ChainError::Key { why })?;
    let algorithms = public.material().algorithms();
    Ok(Leaf {
        key: VerifyingKey::public(public),
        algorithms,
        chain: Chain {
            anchor: number,
            validity,
            purposes: purposes(&certificate)?,
        },
    })
}

/// Whether a certificate has a name of an anchor: in its subjectAltName, or as its subject.
fn has_name(certificate: &Certificate, anchor: &Anchor) -> Result<bool, ChainError> {
    let certificate = certificate.tbs_certificate();
    let names = certificate.get_extension::<SubjectAltName>();
    let names = names.map_err(|_| ChainError::NotACertificate { number: 1 })?;
    let is_own = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => anchor.has_name(NameType::Dns, name.as_str()),
        GeneralName::Rfc822Name(name) => anchor.has_name(NameType::Email, name.as_str()),
        GeneralName::UniformResourceIdentifier(name) => {
            anchor.has_name(NameType::Uri, name.as_str())
        }
        _ => false,
    };
    let subject = certificate.subject().to_string();
    Ok(anchor.has_name(NameType::Subject, &subject)
        || names.is_some_and(|(_, names)| names.0.iter().any(is_own)))
}

/// The extended key usage of a leaf, each once and sorted.
fn purposes(certificate: &Certificate) -> Result<Vec<String>, ChainError> {
    let usage = (certificate.tbs_certificate()).get_extension::<ExtendedKeyUsage>();
    let usage = usage.map_err(|_| ChainError::NotACertificate { number: 1 })?;
    let usage = usage.map_or_else(Vec::new, |(_, usage)| usage.0);
    let mut purposes: Vec<String> = usage.iter().map(ToString::to_string).collect();
    purposes.sort_unstable();
    purposes.dedup();
    purposes.truncate(MAX_PURPOSES);
    Ok(purposes)
}

/// What is wrong with a path.
fn not_a_path(error: &PathError) -> ChainError {
    let why = match error {
        PathError::UnknownIssuer => "the issuer of a certificate is neither in x5c nor an anchor",
        PathError::CertExpired { .. } => "a certificate had expired at the instant of the token",
        PathError::CertNotValidYet { .. } => {
            "a certificate was not valid yet at the instant of the token"
        }
        PathError::CaUsedAsEndEntity => "the first certificate is that of an authority",
        PathError::EndEntityUsedAsCa => "a certificate that is no authority's issued another",
        PathError::InvalidSignatureForPublicKey => "the signature of a certificate does not hold",
        PathError::NameConstraintViolation => "a name is outside of the nameConstraints",
        PathError::PathLenConstraintViolated => "the path is longer than a certificate allows",
        PathError::UnsupportedCriticalExtension => "a critical extension is not understood",
        // The name of an error of webpki, which quotes nothing of a certificate but dates.
        _ => {
            return ChainError::Path {
                why: format!("{error}").chars().take(100).collect(),
            };
        }
    };
    ChainError::Path {
        why: why.to_owned(),
    }
}
