//! Which certificates of a set issued others of it, whatever file they came from.

use std::collections::HashSet;

use crate::key::certificate::Names;

/// The names in the certificates of a set.
#[derive(Clone, Default)]
pub(super) struct Authorities {
    /// The issuers of all certificates, unusable ones too.
    issuers: HashSet<Vec<u8>>,
    /// The subjects of the certificates in use.
    subjects: HashSet<Vec<u8>>,
}

impl Authorities {
    /// Takes the issuer of a certificate. Returns whether that makes a certificate in use one that
    /// issued another.
    ///
    /// Self-issued certificates do not count: a signer whose key was replaced has two of one name.
    pub(super) fn add(&mut self, names: &Names) -> bool {
        !names.is_self_issued()
            && self.issuers.insert(names.issuer.clone())
            && self.subjects.contains(&names.issuer)
    }

    /// Takes a certificate whose key is used.
    pub(super) fn use_certificate(&mut self, names: &Names) {
        self.subjects.insert(names.subject.clone());
    }

    /// Whether a certificate issued another one.
    pub(super) fn has_issued(&self, names: &Names) -> bool {
        self.issuers.contains(&names.subject)
    }
}
