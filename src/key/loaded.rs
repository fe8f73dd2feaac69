//! A key as it was loaded, whatever form it came in: what it verifies, or why it is set aside.

use zeroize::Zeroizing;

use super::certificate::Validity;
use super::der::{Fault, Found};
use super::health;
use crate::signature::public::PublicMaterial;
use crate::signature::{AlgorithmSet, PublicKey};

/// A key that may verify.
pub(crate) struct Usable {
    pub(crate) content: Content,
    /// The algorithms of its type that its `alg`, `use` and `key_ops` leave to it; may be none.
    pub(crate) algorithms: AlgorithmSet,
    /// The member that leaves none to it.
    pub(crate) ruled_out_by: Option<&'static str>,
    /// Its `alg`, whatever it says.
    pub(crate) alg: Option<String>,
    /// Its `use`, whatever it says.
    pub(crate) purpose: Option<String>,
    /// Its `key_ops`, whatever they say.
    pub(crate) operations: Option<Vec<String>>,
    pub(crate) certificate: Certificate,
    /// Whether the private half stood beside it. Of a secret that is no finding.
    pub(crate) is_private: bool,
}

/// What a key is made of.
pub(crate) enum Content {
    Secret(Zeroizing<Vec<u8>>),
    Public(PublicKey),
}

/// The certificate that a key came in or with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Certificate {
    None,
    Valid(Validity),
    Unreadable,
}

/// Why a key is set aside.
pub(crate) struct Unusable {
    /// The member at fault; none where it is the key as a whole.
    pub(crate) member: Option<&'static str>,
    /// What is wrong with it; never any part of a key.
    pub(crate) why: String,
    /// Whether the key is sound but of a type that jotmill does not verify with: a token that
    /// names it is a mismatch, not the victim of a broken key.
    pub(crate) is_other_type: bool,
}

/// A key that is broken or not well-formed.
pub(super) fn malformed(
    member: impl Into<Option<&'static str>>,
    why: impl Into<String>,
) -> Unusable {
    Unusable {
        member: member.into(),
        why: why.into(),
        is_other_type: false,
    }
}

/// A key that is for something else.
pub(super) fn other_type(member: &'static str, why: impl Into<String>) -> Unusable {
    Unusable {
        member: Some(member),
        why: why.into(),
        is_other_type: true,
    }
}

/// Makes a key of its numbers, unless it is broken.
pub(super) fn sound(material: PublicMaterial) -> Result<PublicKey, Unusable> {
    health::check(&material).map_err(|(member, why)| malformed(member, why))?;
    let member = match &material {
        PublicMaterial::Rsa { .. } => "n",
        PublicMaterial::Ec { .. } | PublicMaterial::Ed25519(_) | PublicMaterial::Ed448(_) => "x",
        PublicMaterial::MlDsa { .. } => "pub",
    };
    PublicKey::new(material).ok_or_else(|| {
        malformed(
            member,
            if member == "x" {
                "not a point on its curve"
            } else {
                "not a key"
            },
        )
    })
}

impl Usable {
    /// A key that came as PEM or DER, which binds it to nothing but its type.
    pub(super) fn from_der(found: Result<Found, Fault>) -> Result<Self, Unusable> {
        let found = found?;
        let algorithms = found.material.algorithms();
        // The member is one of a JWK, and this is none.
        let key = sound(found.material).map_err(|fault| Unusable {
            member: None,
            ..fault
        })?;
        Ok(Self {
            content: Content::Public(key),
            algorithms,
            ruled_out_by: None,
            alg: None,
            purpose: None,
            operations: None,
            certificate: found.validity.map_or(Certificate::None, Certificate::Valid),
            is_private: found.is_private,
        })
    }
}

impl From<Fault> for Unusable {
    fn from(fault: Fault) -> Self {
        Self {
            member: None,
            why: fault.why,
            is_other_type: fault.is_other_type,
        }
    }
}
