//! X.509 certificates (RFC 5280), as a form that public keys come in.
//!
//! Owns the way to the key, the validity period and the two names. The signature of a certificate,
//! its chain and its extensions are not judged: a certificate is here because somebody put it into
//! a key set, and that is what it is trusted for. What the names are compared for is `pem.rs`.

use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::der::{self, Fault};
use crate::time::UnixTime;

/// The validity period of a certificate (RFC 5280 section 4.1.2.5), in seconds since 1970. Both
/// ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

impl Validity {
    /// Whether the certificate has expired.
    #[must_use]
    pub fn is_over(self, now: UnixTime) -> bool {
        now.seconds() > self.not_after
    }

    /// Whether the certificate is not valid yet.
    #[must_use]
    pub fn is_ahead(self, now: UnixTime) -> bool {
        now.seconds() < self.not_before
    }
}

/// Whom a certificate is for and who issued it, as they stand in DER.
pub(super) struct Names {
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
}

/// The names of a certificate in DER, also of one that is refused for something else.
pub(super) fn names(der: &[u8]) -> Option<Names> {
    let content = *der::elements(der).ok()?.first()?;
    let members = der::elements(content).ok()?;
    // The version is left out of certificates of version 1.
    let has_version = members.first()?.starts_with(&[0xa0]);
    // After it: serial number, algorithm, issuer, validity, subject.
    let member = |at: usize| members.get(at + usize::from(has_version));
    Some(Names {
        issuer: member(2)?.to_vec(),
        subject: member(4)?.to_vec(),
    })
}

/// The validity period and the SubjectPublicKeyInfo of a certificate in DER.
pub(super) fn read(der: &[u8]) -> Result<(Validity, Vec<u8>), Fault> {
    let refused = |_| Fault::new("not a certificate in DER (RFC 5280 section 4.1)");
    let certificate = Certificate::from_der(der).map_err(refused)?;
    let content = certificate.tbs_certificate();
    let validity = Validity {
        not_before: content.validity().not_before.to_unix_duration().as_secs(),
        not_after: content.validity().not_after.to_unix_duration().as_secs(),
    };
    let key = content
        .subject_public_key_info()
        .to_der()
        .map_err(refused)?;
    Ok((validity, key))
}
