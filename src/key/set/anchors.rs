//! Adds anchors to a set. They are among its keys, so that reports and rows name them, and are no
//! candidates for any token.

use std::sync::Arc;

use super::{Key, KeySet};
use crate::error::KeyError;
use crate::key::anchor::Anchor;
use crate::key::file;
use crate::key::parsed::Certificate;
use crate::signature::{AlgorithmSet, Candidate, VerifyingKey};

/// How many certificates of authorities among the keys are compared with the chains of tokens: each
/// may cost some signatures for each chain.
const MAX_ROOTS: usize = 64;

impl KeySet {
    /// Adds anchors: the certificates of authorities, in a file of any form that
    /// [`KeySet::add_key`] takes. A token whose header
    /// has a certificate chain (`x5c`, RFC 7515 section 4.1.6) that leads to one of them is then
    /// verified by the key of its first certificate, the leaf, if
    ///
    /// - the path is valid at the instant of the token (RFC 5280 section 6.1), and `x5c` has its
    ///   certificates in order, with or without the anchor at the end;
    /// - the keyUsage of the leaf has digitalSignature, and it is no authority. Any extended key
    ///   usage is allowed;
    /// - the leaf has exactly one of `names`, byte by byte: a URI, an email address or a DNS name of
    ///   its subjectAltName, or its subject as RFC 4514 writes it, such as `CN=signer,O=Example`.
    ///
    /// Revocation is not checked. Keys of the set are tried first. All other certificates in headers
    /// stay untrusted.
    ///
    /// # Errors
    /// [`KeyError`] for a file with anything but certificates, for one that may not issue
    /// certificates or has a broken key, and without a name.
    pub fn add_anchor(
        &mut self,
        file: &[u8],
        names: &[&str],
        origin: &str,
    ) -> Result<(), KeyError> {
        let error = |problem: String| KeyError {
            origin: origin.to_owned(),
            problem: format!("the anchor cannot be used: {problem}"),
        };
        let certificates = file::certificates(file, origin).map_err(|e| error(e.problem))?;
        // A file that fails leaves no anchor.
        let anchors: Vec<_> = (certificates.into_iter())
            .map(|der| Anchor::new(der, names).map_err(|fault| error(fault.problem())))
            .collect::<Result<_, _>>()?;
        for (anchor, public) in anchors {
            let too_many = || error("too many keys".to_owned());
            let number = u32::try_from(self.keys.len()).map_err(|_| too_many())?;
            let candidate = Candidate {
                key: number,
                states: None,
            };
            let group = (self.index).add(None, candidate, AlgorithmSet::EMPTY);
            self.keys.push(Key {
                given: None,
                name: self.names.numbered_anchor(),
                id: None,
                origin: origin.to_owned(),
                realm: u32::try_from(self.index.last_realm()).map_err(|_| too_many())?,
                group: group.ok_or_else(too_many)?,
                algorithms: AlgorithmSet::EMPTY,
                ruled_out_by: None,
                verifying: VerifyingKey::public(public),
                secret_len: None,
                alg: None,
                purpose: None,
                operations: None,
                certificate: Certificate::Valid(anchor.validity),
                certified: None,
                index: None,
                anchor: Some(Arc::new(anchor)),
                own_findings: Vec::new(),
            });
        }
        Ok(())
    }

    /// Takes the certificates of authorities that are given as keys.
    pub(super) fn add_roots(&mut self, roots: impl Iterator<Item = Arc<Anchor>>) {
        let realm = u32::try_from(self.index.last_realm()).unwrap_or(u32::MAX);
        let free = MAX_ROOTS.saturating_sub(self.roots.len());
        self.roots
            .extend(roots.take(free).map(|root| (realm, root)));
    }

    /// The certificates of authorities that were given as keys, each with its realm.
    pub(crate) fn roots(&self) -> &[(u32, Arc<Anchor>)] {
        &self.roots
    }

    /// The anchors, each with its number and its realm.
    pub(crate) fn anchors(&self) -> impl Iterator<Item = (u32, u32, &Arc<Anchor>)> {
        let all = (0..).zip(&self.keys);
        all.filter_map(|(number, key)| Some((number, key.realm, key.anchor.as_ref()?)))
    }
}
