//! A parsed key: what every reader of key files returns, whatever form the key came in.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::anchor::Anchor;
use super::certificate::{self, Names};
use super::fault::Fault;
use super::health;
use super::validity::Validity;
use crate::signature::public::PublicMaterial;
use crate::signature::{AlgorithmSet, PublicKey};

/// The keys of a file.
pub(super) struct KeyFile {
    pub(super) keys: Vec<KeyEntry>,
    /// Whether the file may hold several keys, so that one bad key does not fail the file.
    pub(super) is_set: bool,
}

/// One key of a file.
pub(super) struct KeyEntry {
    /// Its `kid`; none in PEM and DER.
    pub(super) id: Option<String>,
    pub(super) key: Result<ParsedKey, Fault>,
    /// What is known of the certificate that is the key in PEM or DER, even of one that cannot be
    /// used.
    pub(super) certified: Option<Box<Certified>>,
    /// The certificate itself, which an anchor is.
    pub(super) der: Option<Vec<u8>>,
}

/// A certificate in PEM or DER.
#[derive(Clone)]
pub(super) struct Certified {
    pub(super) names: Names,
    /// The line of the file in which it begins; none in DER.
    pub(super) line: Option<usize>,
    /// The certificate in DER, if it may issue others.
    pub(super) root: Option<Arc<Anchor>>,
}

/// A key that may verify.
pub(super) struct ParsedKey {
    pub(super) content: Content,
    /// The algorithms of its type that its `alg`, `use` and `key_ops` allow; may be none.
    pub(super) algorithms: AlgorithmSet,
    /// The member that allows none, and why; what it fits is what its type does.
    pub(super) ruled_out: Option<Fault>,
    /// Its `alg`, known or not.
    pub(super) alg: Option<String>,
    /// Its `use`, known or not.
    pub(super) purpose: Option<String>,
    /// Its `key_ops`, known or not.
    pub(super) operations: Option<Vec<String>>,
    pub(super) certificate: Certificate,
    /// Whether its certificate may only sign certificates.
    pub(super) is_authority: bool,
    /// Whether the file has the private half of a public key.
    pub(super) is_private: bool,
    /// Whether a member is null or an empty array, which count as absent.
    pub(super) has_empty_member: bool,
    /// Whether every value is written in the one form that its RFC allows.
    pub(super) is_canonical: bool,
}

/// The secret or the public key itself.
pub(super) enum Content {
    Secret(Zeroizing<Vec<u8>>),
    Public(PublicKey),
}

/// The certificate that contains a key or accompanies it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Certificate {
    None,
    Valid(Validity),
    Unreadable,
}

/// A public key from DER, whose numbers are not checked yet.
pub(super) struct DerKey {
    pub(super) material: PublicMaterial,
    pub(super) certificate: Certificate,
    /// Whether its certificate may only sign certificates.
    pub(super) is_authority: bool,
    /// Whether it was a private key, of which the public half was taken.
    pub(super) is_private: bool,
    /// The algorithms that it is restricted to, beside those of its type.
    pub(super) restricted_to: AlgorithmSet,
}

impl Certified {
    /// `None` for a DER that does not begin with a certificate.
    pub(super) fn new(der: &[u8], line: Option<usize>) -> Option<Self> {
        Some(Self {
            names: certificate::names(der)?,
            line,
            root: Anchor::of_key(der).map(Arc::new),
        })
    }
}

impl KeyEntry {
    /// A key in DER, which has no id.
    pub(super) fn from_der(key: Result<DerKey, Fault>) -> Self {
        Self {
            id: None,
            key: ParsedKey::from_der(key),
            certified: None,
            der: None,
        }
    }

    /// The same for the certificate with these names.
    pub(super) fn certified(self, certified: Certified, der: Vec<u8>) -> Self {
        Self {
            certified: Some(Box::new(certified)),
            der: Some(der),
            ..self
        }
    }
}

impl ParsedKey {
    /// A key of these algorithms that nothing restricts.
    pub(super) const fn unrestricted(content: Content, algorithms: AlgorithmSet) -> Self {
        Self {
            content,
            algorithms,
            ruled_out: None,
            alg: None,
            purpose: None,
            operations: None,
            certificate: Certificate::None,
            is_authority: false,
            is_private: false,
            has_empty_member: false,
            is_canonical: true,
        }
    }

    /// A key from PEM or DER, which restricts it to nothing but its type.
    fn from_der(key: Result<DerKey, Fault>) -> Result<Self, Fault> {
        let DerKey {
            material,
            certificate,
            is_authority,
            is_private,
            restricted_to,
        } = key?;
        let algorithms = material.algorithms().intersection(restricted_to);
        // The health check names members of a JWK, and this is none.
        let key = checked(material).map_err(|fault| fault.with_member(None).fitting(algorithms))?;
        Ok(Self {
            certificate,
            is_authority,
            is_private,
            ..Self::unrestricted(Content::Public(key), algorithms)
        })
    }
}

/// Makes a key of its numbers, unless it is broken.
pub(super) fn checked(material: PublicMaterial) -> Result<PublicKey, Fault> {
    health::check(&material)?;
    let (member, why) = match &material {
        PublicMaterial::Rsa { .. } => ("n", "not a key"),
        PublicMaterial::Ec { .. } | PublicMaterial::Ed25519(_) | PublicMaterial::Ed448(_) => {
            ("x", "not a point on its curve")
        }
        PublicMaterial::MlDsa { .. } => ("pub", "not a key"),
    };
    PublicKey::new(material).ok_or_else(|| Fault::at(member, why))
}
