//! Adds keys to a set: secrets, and key files of every form.

use super::{Key, KeySet, UnusableKey};
use crate::error::KeyError;
use crate::key::parsed::{Content, KeyEntry, KeyFile, ParsedKey};
use crate::key::secret::Encoding;
use crate::key::{file, health, jwk};
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

    /// Adds a secret written in an [`Encoding`]. A byte order mark and a final line ending are
    /// ignored, but belong to the secret if it is raw.
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
            _ => jwk::without_bom(text),
        };
        let secret = encoding
            .decode(text)
            .map_err(|problem| error(origin, format!("the secret is {problem}")))?;
        let secret = ParsedKey::unrestricted(Content::Secret(secret), AlgorithmSet::HMAC);
        self.push(None, secret, origin)
    }

    /// Adds the keys of a file of any form: PEM with one or more keys, certificates or private keys,
    /// the same in DER, or JSON as for [`KeySet::add_jwks`]. Of a private key the public half is
    /// taken, and [`KeyFinding::PrivateMaterial`](crate::KeyFinding::PrivateMaterial) reports it. A
    /// key from PEM or DER has no id.
    ///
    /// Of several keys those that cannot be used are listed in [`KeySet::unusable_keys`]. So is a
    /// certificate that issued another one of the file, by their names (RFC 5280 section 4.1.2.4):
    /// the keys of a chain are those of its leaves.
    ///
    /// # Errors
    /// [`KeyError`] for a file of another form, and for one without a usable key.
    pub fn add_key(&mut self, file: &[u8], origin: &str) -> Result<(), KeyError> {
        self.add_file(file::read(file, origin)?, origin)
    }

    /// Adds the keys of a JWK Set, or a single JWK (RFC 7517).
    ///
    /// JSON with a member `keys` is a set, and its other members are ignored. A key of a set that is
    /// malformed or of another type is listed in [`KeySet::unusable_keys`] and fails nothing but the
    /// tokens that name it. A JWK in which a member name occurs twice, at any depth, is malformed
    /// (RFC 7517 section 4). A byte order mark at the start is ignored.
    ///
    /// # Errors
    /// [`KeyError`] for text that is neither, for a member name that occurs twice at the top, for
    /// a single JWK that cannot be used, and for a set without a usable key.
    pub fn add_jwks(&mut self, text: &[u8], origin: &str) -> Result<(), KeyError> {
        self.add_file(jwk::read(text, origin)?, origin)
    }

    /// Lists a file as unusable instead of failing for it, as for one of many in a folder. Does
    /// nothing where its keys are listed already, one by one.
    pub fn add_unusable_file(&mut self, error: KeyError) {
        let is_same_file = |key: &UnusableKey| key.origin == error.origin;
        if self.unusable.last().is_some_and(is_same_file) {
            return;
        }
        self.unusable.push(UnusableKey {
            origin: error.origin,
            index: None,
            kid: None,
            member: None,
            why: error.problem,
        });
    }

    fn add_file(&mut self, file: KeyFile, origin: &str) -> Result<(), KeyError> {
        let mut usable = 0;
        let mut first_problem = None;
        for (index, KeyEntry { id, key }) in file.keys.into_iter().enumerate() {
            let fault = match key {
                Ok(key) => {
                    usable += 1;
                    self.push(id, key, origin)?;
                    continue;
                }
                Err(fault) => fault,
            };
            if !file.is_set {
                let problem = fault.problem();
                return Err(error(origin, format!("the key cannot be used: {problem}")));
            }
            first_problem.get_or_insert_with(|| match fault.member {
                Some(member) => format!("keys[{index}].{member}: {}", fault.why),
                None => format!("keys[{index}]: {}", fault.why),
            });
            if let Some(id) = &id {
                let added = self.index.add_unusable(id, fault.is_other_type);
                added.ok_or_else(|| too_many(origin))?;
            }
            self.unusable.push(UnusableKey {
                origin: origin.to_owned(),
                index: Some(index),
                kid: id,
                member: fault.member,
                why: fault.why,
            });
        }
        if usable == 0 {
            let problem = match first_problem {
                Some(problem) => format!("no key of the set can be used; the first: {problem}"),
                None => "the set has no keys".to_owned(),
            };
            return Err(error(origin, problem));
        }
        Ok(())
    }

    fn push(&mut self, id: Option<String>, key: ParsedKey, origin: &str) -> Result<(), KeyError> {
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
            ruled_out_by: key.ruled_out_by,
            verifying,
            secret_len,
            is_notorious,
            alg: key.alg,
            purpose: key.purpose,
            operations: key.operations,
            certificate: key.certificate,
            is_private: key.is_private,
        });
        Ok(())
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
