//! X.509 certificates (RFC 5280), as a form of public keys.
//!
//! Owns the key, the validity period and the two names. The signature of a certificate, its chain
//! and its extensions are not verified: it is trusted because somebody put it into a key set. The
//! comparison of names is left to `pem.rs`.

use x509_cert::Certificate;
use x509_cert::der::{Decode, Encode};

use super::der;
use super::fault::Fault;
use super::parsed::{self, DerKey};
use super::validity::Validity;

/// The subject and the issuer of a certificate, in DER.
pub(super) struct Names {
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
}

/// The names of a certificate in DER, even of one that cannot be used as a key.
pub(super) fn names(der: &[u8]) -> Option<Names> {
    let content = *der::elements(der).ok()?.first()?;
    let members = der::elements(content).ok()?;
    // Certificates of version 1 have no version.
    let has_version = members.first()?.starts_with(&[0xa0]);
    // After it: serial number, algorithm, issuer, validity, subject.
    let member = |at: usize| members.get(at + usize::from(has_version));
    Some(Names {
        issuer: member(2)?.to_vec(),
        subject: member(4)?.to_vec(),
    })
}

/// A certificate and nothing else.
pub(super) fn read(der: &[u8]) -> Result<DerKey, Fault> {
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
    Ok(DerKey {
        certificate: parsed::Certificate::Valid(validity),
        ..der::public_key_info(&key)?
    })
}
