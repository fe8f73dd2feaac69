//! X.509 certificates (RFC 5280), as a form of public keys.
//!
//! Owns the key, the validity period, the two names, and whether the key is that of an authority.
//! The signature of a certificate and its chain are not verified: it is trusted because somebody put
//! it into a key set. Which certificates issued which is left to `set/authorities.rs`.
//!
//! Only what is needed is read, element by element: a certificate with a sound key is usable,
//! whatever its serial number or its dates are.

use super::der;
use super::distinguished_name;
use super::fault::Fault;
use super::parsed::{self, DerKey};
use super::validity::Validity;
use crate::signature::PublicKey;

/// The subject and the issuer of a certificate, in a form that is equal for equal names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) subject: Vec<u8>,
    pub(super) issuer: Vec<u8>,
}

impl Names {
    /// Whether it was issued for itself, as an old and a new certificate of one signer are.
    pub(super) fn is_self_issued(&self) -> bool {
        self.subject == self.issuer
    }
}

/// The elements of a certificate that are read (RFC 5280 section 4.1), each with its tag and length.
struct Elements<'d> {
    issuer: &'d [u8],
    validity: &'d [u8],
    subject: &'d [u8],
    key: &'d [u8],
    /// The optional ones: unique identifiers and extensions.
    rest: Vec<&'d [u8]>,
}

// Tags of context-specific elements (RFC 5280 section 4.1).
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;

impl<'d> Elements<'d> {
    /// The elements of one certificate. `None` for anything else.
    fn new(certificate: &'d [u8]) -> Option<Self> {
        let [content, _algorithm, _signature] = der::elements(certificate)?[..] else {
            return None;
        };
        let mut members = der::elements(content)?.into_iter().peekable();
        // Certificates of version 1 have no version.
        members.next_if(|member| member.starts_with(&[VERSION]));
        let _serial = members.next()?;
        let _algorithm = members.next()?;
        Some(Self {
            issuer: members.next()?,
            validity: members.next()?,
            subject: members.next()?,
            key: members.next()?,
            rest: members.collect(),
        })
    }

    fn names(&self) -> Names {
        Names {
            subject: distinguished_name::comparable(self.subject),
            issuer: distinguished_name::comparable(self.issuer),
        }
    }

    /// The value of an extension, by the content of its object identifier.
    fn extension(&self, oid: &[u8]) -> Option<&'d [u8]> {
        let extensions = self.rest.iter().find(|it| it.starts_with(&[EXTENSIONS]))?;
        let extensions = der::elements(der::content(extensions, EXTENSIONS)?)?;
        extensions.into_iter().find_map(|extension| {
            let parts = der::elements(extension)?;
            let is_named = der::content(parts.first()?, OBJECT_IDENTIFIER)? == oid;
            is_named.then(|| der::content(parts.last()?, OCTET_STRING))?
        })
    }

    /// Whether the key may sign certificates and nothing else. Its use decides (RFC 5280 section
    /// 4.2.1.3). Without one, a certificate that an authority issued for an authority is meant for
    /// that; one that was issued for itself is what tools make for any key.
    fn is_authority(&self) -> bool {
        let usage = self.extension(&KEY_USAGE);
        match usage.and_then(|usage| der::content(usage, BIT_STRING)) {
            // The number of unused bits, then the bits from the highest on.
            Some([_, bits, ..]) => {
                bits & (KEY_CERT_SIGN | CRL_SIGN) != 0
                    && bits & (DIGITAL_SIGNATURE | NON_REPUDIATION) == 0
            }
            _ => self.has_ca() && !self.names().is_self_issued(),
        }
    }

    /// Whether basicConstraints say that it is an authority (RFC 5280 section 4.2.1.9).
    fn has_ca(&self) -> bool {
        let constraints = self.extension(&BASIC_CONSTRAINTS);
        let members = constraints.and_then(der::elements).unwrap_or_default();
        let ca = members.first().and_then(|ca| der::content(ca, BOOLEAN));
        ca.is_some_and(|ca| ca != [0])
    }
}

// Tags (X.690 section 8), object identifiers (RFC 5280 sections 4.2.1.3 and 4.2.1.9), and bits of
// keyUsage.
const BOOLEAN: u8 = 0x01;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x0f];
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];
pub(crate) const DIGITAL_SIGNATURE: u8 = 0x80;
const NON_REPUDIATION: u8 = 0x40;
pub(crate) const KEY_CERT_SIGN: u8 = 0x04;
const CRL_SIGN: u8 = 0x02;

/// Whether a certificate may issue others: it is an authority's, and its keyUsage, if it has one,
/// has keyCertSign (RFC 5280 sections 4.2.1.3 and 4.2.1.9).
pub(super) fn may_issue(der: &[u8]) -> bool {
    Elements::new(der).is_some_and(|it| it.has_ca())
        && usage(der).is_none_or(|bits| bits & KEY_CERT_SIGN != 0)
}

/// The first eight bits of the keyUsage of a certificate, the highest first; `None` where it has
/// none. One that cannot be read has no bit.
pub(crate) fn usage(der: &[u8]) -> Option<u8> {
    let usage = Elements::new(der)?.extension(&KEY_USAGE)?;
    match der::content(usage, BIT_STRING) {
        Some([_, bits, ..]) => Some(*bits),
        _ => Some(0),
    }
}

/// The validity period of a certificate.
pub(super) fn validity(der: &[u8]) -> Option<Validity> {
    Validity::from_der(Elements::new(der)?.validity)
}

/// The key in a certificate, unless it is broken.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn own_key(der: &[u8]) -> Result<PublicKey, String> {
    let key = read(der).map_err(|fault| fault.problem())?;
    parsed::checked(key.material).map_err(|fault| fault.with_member(None).problem())
}

/// The names of a certificate at the start of a DER, even of one that cannot be used as a key.
pub(super) fn names(der: &[u8]) -> Option<Names> {
    // OpenSSL writes trust settings behind a certificate.
    let (certificate, _) = der::first(der)?;
    Some(Elements::new(certificate)?.names())
}

/// A certificate and nothing else.
pub(super) fn read(der: &[u8]) -> Result<DerKey, Fault> {
    let elements = Elements::new(der)
        .ok_or_else(|| Fault::new("not a certificate in DER (RFC 5280 section 4.1)"))?;
    let key = der::public_key_info(elements.key)?;
    Ok(DerKey {
        certificate: match Validity::from_der(elements.validity) {
            Some(validity) => parsed::Certificate::Valid(validity),
            None => parsed::Certificate::Unreadable,
        },
        is_authority: elements.is_authority(),
        ..key
    })
}
