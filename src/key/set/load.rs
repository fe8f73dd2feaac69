//! Adds keys to a set: secrets, and key files of every form.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::{Key, KeySet, UnusableKey};
use crate::error::KeyError;
use crate::key::KeyFinding;
use crate::key::certificate::Names;
use crate::key::fault::Fault;
use crate::key::parsed::{Certificate, Certified, Content, KeyEntry, KeyFile, ParsedKey};
use crate::key::readings::Given;
use crate::key::secret::Encoding;
use crate::key::text::without_bom;
use crate::key::{file, health};
use crate::signature::{AlgorithmSet, Candidate, VerifyingKey};

impl KeySet {
    /// Adds a secret without an id, which may verify every HMAC algorithm. `origin` says where it
    /// comes from, for messages.
    ///
    /// # Errors
    /// [`KeyError`] for an empty secret, with which anyone can sign.
    pub fn add_secret(&mut self, secret: &[u8], origin: &str) -> Result<(), KeyError> {
        self.add_encoded_secret(secret, Encoding::Raw, origin)
    }

    /// Adds a secret written in an [`Encoding`]. A byte order mark and white space are ignored, but
    /// belong to the secret if it is raw. The text is kept, so that
    /// [`Validator::other_secret_readings`](crate::Validator::other_secret_readings) can try its
    /// other readings. It is wiped with the secret.
    ///
    /// # Errors
    /// [`KeyError`] for a text that cannot be decoded, and for an empty secret.
    pub fn add_encoded_secret(
        &mut self,
        text: &[u8],
        encoding: Encoding,
        origin: &str,
    ) -> Result<(), KeyError> {
        let text = match encoding {
            Encoding::Raw => text,
            _ => without_bom(text),
        };
        let secret = encoding
            .decode(text)
            .map_err(|problem| error(origin, format!("the secret is {problem}")))?;
        let secret = ParsedKey::unrestricted(Content::Secret(secret), AlgorithmSet::HMAC);
        let place = Place {
            index: None,
            certified: None,
        };
        self.push(None, secret, origin, place)?;
        if let Some(key) = self.keys.last_mut() {
            let text = Zeroizing::new(text.to_vec());
            key.given = Some(Arc::new(Given { text, encoding }));
        }
        Ok(())
    }

    /// Adds the keys of a file of any form: a JWK or a JWK Set (RFC 7517), PEM with one or more keys,
    /// certificates or private keys, or the same in DER. The text may also be UTF-16, in quotes, the
    /// value of `NAME=`, or base64 of DER, and PEM may have literal `\n`. Of a private key the public
    /// half is taken, and [`KeyFinding::PrivateMaterial`](crate::KeyFinding::PrivateMaterial) reports
    /// it.
    ///
    /// JSON with a member `keys` is a set, and its other members are ignored; so are an array of JWKs,
    /// and an object whose members all are JWKs or all are PEM, as Google publishes them. There a name
    /// is the id of each key that has none, unless it is a number and the key a JWK. A JWK in which a
    /// member name occurs twice, at any depth, is malformed (RFC 7517 section 4). Other keys from PEM
    /// and DER have no id.
    ///
    /// Of several keys those that cannot be used are listed in [`KeySet::unusable_keys`]. So is a
    /// certificate that issued another one of the set, from whatever file and in whatever order, by
    /// their names (RFC 5280 sections 4.1.2.4 and 7.1): the keys of a chain are those of its leaves.
    /// And so is one of several that may only sign certificates; in a file of its own it is used, and
    /// [`KeyFinding::CertificateAuthority`](crate::KeyFinding::CertificateAuthority) reports it.
    ///
    /// # Errors
    /// [`KeyError`] for a file of another form, with the way to a key file where it is known; for a
    /// member name that occurs twice at the top; and for a file without a usable key, unless all that
    /// is wrong is that its certificates issued others of the set. Commands in it name `origin` as the
    /// file.
    pub fn add_key(&mut self, file: &[u8], origin: &str) -> Result<(), KeyError> {
        self.add_file(file::read(file, origin)?, origin, false)
    }

    /// Adds the keys of one of the files of a folder. It differs from [`KeySet::add_key`] in two
    /// ways. A certificate that may only sign certificates is not used, even in a file of its own.
    /// And a file that fails is listed in [`KeySet::unusable_keys`].
    ///
    /// # Errors
    /// As for [`KeySet::add_key`]. The other files of the folder can still be added.
    pub fn add_key_of_folder(&mut self, file: &[u8], origin: &str) -> Result<(), KeyError> {
        match file::read(file, origin) {
            Ok(file) => self.add_file(file, origin, true),
            Err(KeyError { origin, problem }) => {
                self.add_unusable_file(error(&origin, problem.clone()));
                Err(error(&origin, problem))
            }
        }
    }

    /// Lists a file of a folder that is no key.
    pub fn add_unusable_file(&mut self, error: KeyError) {
        self.unusable.push(UnusableKey {
            origin: error.origin,
            index: None,
            kid: None,
            member: None,
            why: error.problem,
            algorithms: AlgorithmSet::EMPTY,
            policy_index: self.index.last_realm(),
        });
    }

    fn add_file(
        &mut self,
        file: KeyFile,
        origin: &str,
        is_of_folder: bool,
    ) -> Result<(), KeyError> {
        let is_one_of_several = file.is_set || is_of_folder;
        let names = || {
            file.keys
                .iter()
                .filter_map(|entry| entry.certified.as_deref())
        };
        let issuers = names().map(|certified| &certified.names);
        self.set_aside_issuers_of(issuers)?;
        let roots = names().filter_map(|certified| certified.root.clone());
        let roots: Vec<_> = roots.collect();
        self.add_roots(roots.into_iter());
        let (mut usable, mut has_chain) = (0, false);
        let mut first_problem = None;
        for (index, entry) in file.keys.into_iter().enumerate() {
            let KeyEntry {
                id, key, certified, ..
            } = entry;
            let index = file.is_set.then_some(index);
            let line = certified.as_ref().and_then(|certified| certified.line);
            let has_issued = (certified.as_ref())
                .is_some_and(|certified| self.authorities.has_issued(&certified.names));
            let mut is_issuer = false;
            let fault = match key {
                Ok(key) if has_issued => {
                    is_issuer = true;
                    in_line(has_issued_another(), line).fitting(key.algorithms)
                }
                Ok(key) if key.is_authority && certified.is_some() && is_one_of_several => {
                    in_line(is_authority(), line).fitting(key.algorithms)
                }
                Ok(key) => {
                    usable += 1;
                    self.push(id, key, origin, Place { index, certified })?;
                    continue;
                }
                Err(fault) => fault,
            };
            // What it issued is a usable key of another file.
            let is_chain = is_issuer && !self.is_empty();
            has_chain |= is_chain;
            if !is_one_of_several && !is_chain {
                let problem = fault.problem();
                return Err(error(origin, format!("the key cannot be used: {problem}")));
            }
            first_problem.get_or_insert_with(|| match (index, fault.member) {
                (Some(index), Some(member)) => format!("keys[{index}].{member}: {}", fault.why),
                (Some(index), None) => format!("keys[{index}]: {}", fault.why),
                (None, _) => fault.problem(),
            });
            if let Some(id) = &id {
                let added = self.index.add_unusable(id, fault.is_other_type);
                added.ok_or_else(|| too_many(origin))?;
            }
            self.add_unusable(id, fault, origin, index);
        }
        if usable == 0 && !has_chain {
            let problem = match (first_problem, file.is_set) {
                (Some(problem), true) => {
                    format!("no key of the set can be used; the first: {problem}")
                }
                (Some(problem), false) => format!("the key cannot be used: {problem}"),
                (None, true) => "the set has no keys".to_owned(),
                (None, false) => {
                    "parameters of a curve (EC PARAMETERS) and no key; give the public \
                                  key (openssl pkey -pubout)"
                        .to_owned()
                }
            };
            return Err(error(origin, problem));
        }
        Ok(())
    }

    fn add_unusable(
        &mut self,
        id: Option<String>,
        fault: Fault,
        origin: &str,
        index: Option<usize>,
    ) {
        self.unusable.push(UnusableKey {
            origin: origin.to_owned(),
            index,
            kid: id,
            member: fault.member,
            why: fault.why,
            algorithms: fault.fits,
            policy_index: self.index.last_realm(),
        });
    }

    /// Takes the issuers of certificates that are about to be added, and sets aside the certificates
    /// in use that are theirs.
    fn set_aside_issuers_of<'n>(
        &mut self,
        added: impl Iterator<Item = &'n Names>,
    ) -> Result<(), KeyError> {
        let mut has_new = false;
        for names in added {
            has_new |= self.authorities.add(names);
        }
        if !has_new {
            return Ok(());
        }
        let has_issued = |key: &Key| {
            let certified = key.certified.as_deref();
            certified.is_some_and(|certified| self.authorities.has_issued(&certified.names))
        };
        let (removed, kept) = std::mem::take(&mut self.keys)
            .into_iter()
            .enumerate()
            .partition::<Vec<_>, _>(|(_, key)| has_issued(key));
        self.keys = kept.into_iter().map(|(_, key)| key).collect();
        let mut numbers = Vec::new();
        for (number, key) in removed {
            numbers.push(u32::try_from(number).map_err(|_| too_many(&key.origin))?);
            self.names.release(&key.name);
            let line = key.certified.and_then(|certified| certified.line);
            let fault = in_line(has_issued_another(), line).fitting(key.algorithms);
            self.add_unusable(key.id, fault, &key.origin, key.index);
        }
        self.index.remove(&numbers);
        Ok(())
    }

    fn push(
        &mut self,
        id: Option<String>,
        key: ParsedKey,
        origin: &str,
        place: Place,
    ) -> Result<(), KeyError> {
        let too_many = || too_many(origin);
        let index = u32::try_from(self.keys.len()).map_err(|_| too_many())?;
        let realm = u32::try_from(self.index.last_realm()).map_err(|_| too_many())?;
        let (verifying, states, secret_len, is_notorious) = match key.content {
            Content::Secret(secret) => {
                let mac = VerifyingKey::mac(&secret)
                    .ok_or_else(|| error(origin, "the secret is empty".to_owned()))?;
                let states = self.states.add(&secret).ok_or_else(too_many)?;
                let is_notorious = health::is_notorious(&secret);
                (mac, Some(states), Some(secret.len()), is_notorious)
            }
            Content::Public(public) => (VerifyingKey::public(public), None, None, false),
        };
        let mut own_findings = Vec::new();
        for (holds, finding) in [
            (is_notorious, KeyFinding::NotoriousSecret),
            (
                key.certificate == Certificate::Unreadable,
                KeyFinding::CertificateUnreadable,
            ),
            (key.is_private, KeyFinding::PrivateMaterial),
            (key.is_authority, KeyFinding::CertificateAuthority),
            (!key.is_canonical, KeyFinding::NotCanonical),
            (key.has_empty_member, KeyFinding::EmptyMember),
        ] {
            if holds {
                own_findings.push(finding);
            }
        }
        let ruled_out_by = key.ruled_out.as_ref().and_then(|fault| fault.member);
        if let Some(fault) = key.ruled_out {
            self.add_unusable(id.clone(), fault, origin, place.index);
        }
        if let Some(certified) = &place.certified {
            self.authorities.use_certificate(&certified.names);
        }
        let candidate = Candidate { key: index, states };
        let group = (self.index)
            .add(id.as_deref(), candidate, key.algorithms)
            .ok_or_else(too_many)?;
        self.keys.push(Key {
            name: self.names.assign(id.as_deref(), &verifying),
            id,
            origin: origin.to_owned(),
            realm,
            group,
            algorithms: key.algorithms,
            ruled_out_by,
            verifying,
            secret_len,
            alg: key.alg,
            purpose: key.purpose,
            operations: key.operations,
            certificate: key.certificate,
            certified: place.certified,
            index: place.index,
            anchor: None,
            given: None,
            own_findings,
        });
        Ok(())
    }
}

/// Where a key is in its file.
struct Place {
    index: Option<usize>,
    certified: Option<Box<Certified>>,
}

/// Why a certificate is not used that issued another. Servers keep a certificate and its chain
/// together, and an authority does not sign tokens: used as a key, its certificate would make valid
/// what nobody meant to trust.
fn has_issued_another() -> Fault {
    Fault::new(
        "it issued another of the certificates that were given, so it signs certificates and not \
         tokens; to trust its key all the same, give that as a public key in a file of its own \
         (openssl x509 -noout -pubkey -in CERTIFICATE > FILE.pem)",
    )
}

/// Why a certificate is not used that may only sign certificates.
fn is_authority() -> Fault {
    Fault::new(
        "it may only sign certificates, by its keyUsage or basicConstraints; to trust its key all \
         the same, give that as a public key in a file of its own (openssl x509 -noout -pubkey -in \
         CERTIFICATE > FILE.pem)",
    )
}

fn in_line(fault: Fault, line: Option<usize>) -> Fault {
    match line {
        Some(line) => fault.in_line(line),
        None => fault,
    }
}

fn error(origin: &str, problem: String) -> KeyError {
    KeyError {
        origin: origin.to_owned(),
        problem,
    }
}

fn too_many(origin: &str) -> KeyError {
    error(origin, "too many keys".to_owned())
}
