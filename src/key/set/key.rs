//! One key of a set, and what is known of it.

use std::fmt;
use std::sync::Arc;

use crate::key::anchor::Anchor;
use crate::key::health::{self, KeyFinding};
use crate::key::parsed::{Certificate, Certified};
use crate::key::readings::Given;
use crate::key::thumbprint::thumbprint;
use crate::key::validity::Validity;
use crate::signature::public::PublicMaterial;
use crate::signature::{Algorithm, AlgorithmSet, VerifyingKey};
use crate::time::UnixTime;

/// One key that may verify: a secret or a public key.
#[derive(Clone)]
pub struct Key {
    pub(super) id: Option<String>,
    pub(super) name: String,
    pub(super) origin: String,
    pub(super) realm: u32,
    /// The group of the index that holds the keys of its realm with the same id.
    pub(super) group: u32,
    pub(super) algorithms: AlgorithmSet,
    pub(super) ruled_out_by: Option<&'static str>,
    pub(super) verifying: VerifyingKey,
    /// The length of a secret, in bytes.
    pub(super) secret_len: Option<usize>,
    pub(super) alg: Option<String>,
    pub(super) purpose: Option<String>,
    pub(super) operations: Option<Vec<String>>,
    pub(super) certificate: Certificate,
    /// Its certificate in PEM or DER.
    pub(super) certified: Option<Box<Certified>>,
    /// Its place in a file of several keys.
    pub(super) index: Option<usize>,
    /// Its certificate and the names of its leaves, if it is an anchor, which verifies no token itself.
    pub(super) anchor: Option<Arc<Anchor>>,
    /// The text of a secret, for its other readings.
    pub(super) given: Option<Arc<Given>>,
    /// The findings that depend neither on the time nor on a policy nor on other keys.
    pub(super) own_findings: Vec<KeyFinding>,
}

impl Key {
    /// Its `kid`, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Its name in rows and reports, unique in the set: its id, unless that is empty; else the
    /// thumbprint of a public key; else `secret-1`, `secret-2`, … in the order in which secrets were
    /// added. No hash of a secret is ever shown (RFC 7638 section 7).
    ///
    /// Keys are named in the order in which they were added. Where an id or a thumbprint is taken,
    /// the name is `ID#2`, `ID#3`, …; where the name of a secret is taken, it gets the next free
    /// number. An id over 256 bytes is cut and ends in `…`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it comes from: a path, or the name of an environment variable.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The index of the validator's policy that it verifies tokens for; 0 where there is only one.
    #[must_use]
    pub const fn policy_index(&self) -> usize {
        self.realm as usize
    }

    /// Whether it is an anchor: the root of certificate chains, which verifies no token itself.
    #[must_use]
    pub const fn is_anchor(&self) -> bool {
        self.anchor.is_some()
    }

    /// The names of which an anchor's leaf certificate must have one; none for other keys.
    pub fn anchor_names(&self) -> impl Iterator<Item = &str> {
        self.anchor.iter().flat_map(|anchor| anchor.names())
    }

    /// The algorithms it may verify.
    #[must_use]
    pub const fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Its type, as `kty` names it: `oct`, `RSA`, `EC`, `OKP` or `AKP`.
    #[must_use]
    pub fn kty(&self) -> &'static str {
        self.material().map_or("oct", PublicMaterial::kty)
    }

    /// Its curve or its parameter set, for types that have several.
    #[must_use]
    pub fn subtype(&self) -> Option<&'static str> {
        self.material().and_then(PublicMaterial::subtype)
    }

    /// Its size in bits: of a secret, of the modulus of an RSA key, of the field of a curve, of a
    /// whole ML-DSA key.
    #[must_use]
    pub fn bits(&self) -> usize {
        match self.material() {
            Some(material) => material.bits(),
            None => self.secret_len.unwrap_or_default() * 8,
        }
    }

    /// The `alg` of its JWK, known to jotmill or not.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// The `use` of its JWK.
    #[must_use]
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// The `key_ops` of its JWK.
    #[must_use]
    pub fn operations(&self) -> Option<&[String]> {
        self.operations.as_deref()
    }

    /// The first of `use`, `key_ops` and `alg` of its JWK that keeps it from verifying anything
    /// (RFC 7517 sections 4.2 to 4.4). None where it may verify.
    #[must_use]
    pub const fn ruled_out_by(&self) -> Option<&'static str> {
        self.ruled_out_by
    }

    /// The thumbprint of a public key (RFC 7638); none for a secret.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.material().map(thumbprint)
    }

    /// The validity period of its certificate. It affects findings and no verdict.
    #[must_use]
    pub const fn validity(&self) -> Option<Validity> {
        match self.certificate {
            Certificate::Valid(validity) => Some(validity),
            Certificate::None | Certificate::Unreadable => None,
        }
    }

    /// Whether the secret is shorter than the algorithm's hash, which RFC 7518 section 3.2 forbids.
    #[must_use]
    pub const fn is_weak_for(&self, algorithm: Algorithm) -> bool {
        match self.secret_len {
            Some(secret_len) => algorithm.is_short_secret(secret_len),
            None => false,
        }
    }

    /// Whether the secret is too short for any algorithm that it may verify.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.is_short_for(AlgorithmSet::ALL)
    }

    /// Whether the secret is too short for any of these algorithms that it may verify.
    fn is_short_for(&self, allowed: AlgorithmSet) -> bool {
        let algorithms = self.algorithms.intersection(allowed);
        (self.secret_len).is_some_and(|len| health::is_short(len, algorithms))
    }

    /// The length of its signatures by this algorithm, in bytes; none where it may not verify them.
    #[must_use]
    pub fn signature_len(&self, algorithm: Algorithm) -> Option<usize> {
        if !self.algorithms.contains(algorithm) {
            return None;
        }
        match self.material() {
            Some(material) => Some(material.signature_len()),
            None => algorithm.mac_len(),
        }
    }

    /// What makes the key weak where only these algorithms are allowed, in the order of
    /// [`KeyFinding::ALL`]. `has_duplicate_id` if another key of its realm has the same id.
    pub(super) fn findings(
        &self,
        now: UnixTime,
        allowed: AlgorithmSet,
        has_duplicate_id: bool,
    ) -> Vec<KeyFinding> {
        let validity = self.validity();
        let holds = |finding: &KeyFinding| match finding {
            KeyFinding::ShortSecret => self.is_short_for(allowed),
            KeyFinding::CertificateExpired => validity.is_some_and(|it| it.is_over(now)),
            KeyFinding::CertificateNotYetValid => validity.is_some_and(|it| it.is_ahead(now)),
            KeyFinding::DuplicateKid => has_duplicate_id,
            KeyFinding::NotoriousSecret
            | KeyFinding::CertificateUnreadable
            | KeyFinding::PrivateMaterial
            | KeyFinding::CertificateAuthority
            | KeyFinding::NotCanonical
            | KeyFinding::EmptyMember => self.own_findings.contains(finding),
        };
        KeyFinding::ALL.into_iter().filter(holds).collect()
    }

    /// The text of a secret that has other readings.
    pub(crate) fn given(&self) -> Option<&Given> {
        self.given.as_deref()
    }

    fn material(&self) -> Option<&PublicMaterial> {
        match &self.verifying {
            VerifyingKey::Mac(_) => None,
            VerifyingKey::Public(key) => Some(key.material()),
        }
    }
}

/// Prints the name and the type alone.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {})", self.name, self.kty())
    }
}
