//! Keys that tokens bring along in `x5c`, and that an anchor of the caller vouches for.
//!
//! Owns what of a chain is checked, and the cache of chains. The anchors are keys of the key set.
//! Without an anchor no certificate in a header gives a key: a chain up to the certificate of a given
//! key is only a finding.

mod cache;
mod chain;
mod x5c;

use std::fmt;
use std::sync::Arc;

pub use chain::ChainError;

use self::cache::Cache;
use crate::key::{Anchor, KeySet, Validity};
use crate::signature::{Algorithm, AlgorithmSet, VerifyingKey};
use crate::time::UnixTime;
use crate::token::{JsonScratch, Token};

/// A valid chain, and the key of its leaf.
pub(crate) struct Leaf {
    pub(crate) key: VerifyingKey,
    algorithms: AlgorithmSet,
    pub(crate) chain: Chain,
}

/// What is known of a chain that leads to an anchor. Its revocation is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The anchor, an index as in [`Verdict::key`](crate::Verdict::key).
    pub anchor: u32,
    /// When every certificate of the path is valid, the anchor too.
    pub validity: Validity,
    /// The extended key usage of the leaf, as object identifiers; empty where it has none. It is not
    /// checked.
    pub purposes: Vec<String>,
}

impl Leaf {
    /// Whether its key verifies an algorithm.
    pub(crate) const fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(algorithm)
    }
}

/// The anchors of a validator, and the chains that were seen.
#[derive(Default)]
pub(crate) struct Chains {
    /// By number and realm.
    anchors: Vec<(u32, u32, Arc<Anchor>)>,
    cache: Cache,
}

impl Chains {
    pub(crate) fn new(keys: &KeySet) -> Self {
        let anchors = keys.anchors();
        Self {
            anchors: anchors
                .map(|(number, realm, anchor)| (number, realm, Arc::clone(anchor)))
                .collect(),
            cache: Cache::default(),
        }
    }

    /// The chains up to the certificates of authorities that were given as keys. None of them gives a
    /// key.
    pub(crate) fn of_roots(keys: &KeySet) -> Self {
        let roots = keys.roots().iter();
        Self {
            anchors: roots
                .map(|(realm, root)| (0, *realm, Arc::clone(root)))
                .collect(),
            cache: Cache::default(),
        }
    }

    /// Whether the chain of a token leads to a certificate that was given as a key: its path is valid
    /// at this instant, and its leaf may sign.
    pub(crate) fn leads_to_root(
        &self,
        token: Token<'_>,
        realm: u32,
        at: UnixTime,
        scratch: &mut JsonScratch,
    ) -> bool {
        // The names are compared after all that; no leaf has one of those of a root, which has none.
        self.has_anchor(realm)
            && matches!(self.leaf(token, realm, at, scratch), Err(ChainError::Name))
    }

    /// Whether there is no anchor.
    pub(crate) const fn is_empty(&self) -> bool {
        self.anchors.is_empty()
    }

    /// Whether a realm has an anchor.
    pub(crate) fn has_anchor(&self, realm: u32) -> bool {
        self.anchors.iter().any(|(_, own, _)| *own == realm)
    }

    /// The leaf of a token's chain, if that leads to an anchor of the realm at this instant.
    pub(crate) fn leaf(
        &self,
        token: Token<'_>,
        realm: u32,
        at: UnixTime,
        scratch: &mut JsonScratch,
    ) -> Result<Arc<Leaf>, ChainError> {
        let x5c = x5c::read(token.header(), scratch)?;
        self.cache.get(realm, x5c.digest(), at, || {
            let of_realm = (self.anchors.iter()).filter(|(_, own, _)| *own == realm);
            let anchors = of_realm.map(|(number, _, anchor)| (*number, &**anchor));
            chain::validate(&x5c.certificates()?, anchors, at)
        })
    }
}

/// Prints the number of anchors alone.
impl fmt::Debug for Chains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} anchors", self.anchors.len())
    }
}
