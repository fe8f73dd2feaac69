//! The key set: every key that may verify, and the choice among them.

mod anchors;
mod authorities;
mod index;
mod key;
mod load;
mod names;
#[cfg(test)]
mod tests;
mod unusable;

use std::fmt;
use std::sync::Arc;

use self::authorities::Authorities;
use self::index::Index;
pub(crate) use self::index::Selection;
pub use self::key::Key;
use self::names::Names;
pub use self::unusable::UnusableKey;
use super::anchor::Anchor;
use super::health::KeyFinding;
use crate::error::Error;
use crate::policy::Policy;
use crate::signature::lanes::MidstateStore;
use crate::signature::{Algorithm, AlgorithmSet, Candidates, VerifyingKey};
use crate::time::UnixTime;
use crate::verdict::Reason;

/// The keys of a run or a service. Build it with [`KeySet::add_secret`] and [`KeySet::add_key`].
///
/// ```
/// use jotmill::KeySet;
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"a secret of at least 32 bytes, please", "the README")?;
/// assert_eq!(keys.iter().next().map(|key| key.name()), Some("secret-1"));
/// # Ok(())
/// # }
/// ```
///
/// A clone shares secrets and public keys with the original, and the last of them wipes the secrets.
/// So a service can keep a set of fixed keys, and add to a clone of it whenever other keys are
/// rotated.
#[derive(Clone)]
pub struct KeySet {
    keys: Vec<Key>,
    /// The HMAC states of each secret, for the lanes.
    states: MidstateStore,
    index: Index,
    unusable: Vec<UnusableKey>,
    names: Names,
    authorities: Authorities,
    /// The certificates of authorities that were given as keys, usable or not, each with its realm.
    roots: Vec<(u32, Arc<Anchor>)>,
}

impl Default for KeySet {
    fn default() -> Self {
        Self::new()
    }
}

impl KeySet {
    /// A set without keys.
    #[must_use]
    pub fn new() -> Self {
        Self {
            keys: Vec::new(),
            states: MidstateStore::default(),
            index: Index::new(),
            unusable: Vec::new(),
            names: Names::default(),
            authorities: Authorities::default(),
            roots: Vec::new(),
        }
    }

    /// Appends another set, whose keys stay in realms of their own. They are renamed, so that names
    /// stay unique.
    pub(crate) fn append(&mut self, other: Self) -> Result<(), Error> {
        let too_many = || Error::Policy {
            message: "too many keys".to_owned(),
        };
        // The last number still has to fit.
        u32::try_from(self.keys.len() + other.keys.len()).map_err(|_| too_many())?;
        let keys = u32::try_from(self.keys.len()).map_err(|_| too_many())?;
        let pieces = self.states.append(other.states);
        let offsets = self.index.append(other.index, |mut candidate| {
            candidate.key += keys;
            if let Some(place) = &mut candidate.states {
                *place = place.behind(pieces)?;
            }
            Some(candidate)
        });
        let offsets = offsets.ok_or_else(too_many)?;
        for mut key in other.keys {
            key.realm += offsets.realms;
            key.group += offsets.groups;
            key.name = match key.is_anchor() {
                true => self.names.numbered_anchor(),
                false => self.names.assign(key.id(), &key.verifying),
            };
            self.keys.push(key);
        }
        for (realm, root) in other.roots {
            self.roots.push((realm + offsets.realms, root));
        }
        for mut key in other.unusable {
            key.policy_index += offsets.realms as usize;
            self.unusable.push(key);
        }
        Ok(())
    }

    /// Whether there is no key to verify with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The number of keys that may verify.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether a secret has a text with other readings.
    pub(crate) fn has_other_readings(&self) -> bool {
        self.keys.iter().any(|key| key.given().is_some())
    }

    /// The keys, in the order in which they were added, anchors ([`Key::is_anchor`]) among them.
    pub fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.keys.iter()
    }

    /// The keys and files that can verify nothing, in the order in which they were added. A key of
    /// which only its JWK says so ([`Key::ruled_out_by`]) is one of [`KeySet::iter`] as well.
    #[must_use]
    pub fn unusable_keys(&self) -> &[UnusableKey] {
        &self.unusable
    }

    /// The unusable keys of a policy that could have signed a token with this `kid` and algorithm:
    /// those that `kid` names, and those of a fitting type. Where `kid` names a key that can be used,
    /// one with another id could not.
    pub fn unusable_for(
        &self,
        policy_index: usize,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &UnusableKey> {
        let is_usable = |key: &Key| {
            let is_of_policy = key.policy_index() == policy_index;
            is_of_policy && key.ruled_out_by().is_none() && key.id() == kid
        };
        let names_usable = kid.is_some() && self.keys.iter().any(is_usable);
        self.unusable.iter().filter(move |key| {
            let is_named = kid.is_some() && key.kid.as_deref() == kid;
            let is_other = names_usable && key.kid.is_some();
            key.policy_index == policy_index && (is_named || key.fits(algorithm) && !is_other)
        })
    }

    /// The ids that several keys of one policy have, sorted.
    #[must_use]
    pub fn duplicate_ids(&self) -> Vec<&str> {
        let duplicates = self.keys.iter().filter(|key| self.has_duplicate_id(key));
        let mut ids: Vec<&str> = duplicates.filter_map(Key::id).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn has_duplicate_id(&self, key: &Key) -> bool {
        key.id().is_some() && self.index.has_several(key.group)
    }

    /// The realm of the key with this index.
    pub(crate) fn realm_of(&self, index: u32) -> u32 {
        self.get(index).map_or(0, |key| key.realm)
    }

    /// The key with this index, as in [`Verdict::key`](crate::Verdict::key).
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Key> {
        self.keys.get(index as usize)
    }

    /// Whether a key of this realm has this id, usable or not.
    pub(crate) fn has_id(&self, realm: u32, kid: &str) -> bool {
        self.index.has_id(realm, kid)
    }

    /// Whether a key of any realm has this id, usable or not.
    pub(crate) fn has_id_somewhere(&self, kid: &str) -> bool {
        self.index.has_id_in_any_realm(kid)
    }

    /// Selects the keys of a realm to try (RFC 7515 section 6): with `kid` those of this id, or
    /// those without an id if no key has it; without `kid` every key that fits the algorithm.
    ///
    /// # Errors
    /// [`Reason::KeyNotFound`], [`Reason::KeyMismatch`] when the keys named are for something else,
    /// [`Reason::KeyUnusable`], and [`Reason::TooManyKeys`].
    pub(crate) fn select(
        &self,
        realm: u32,
        kid: Option<&str>,
        algorithm: Algorithm,
        policy: &Policy,
    ) -> Result<Selection, Reason> {
        self.index.select(realm, kid, algorithm, policy)
    }

    /// The keys of a selection, in the order in which they are tried.
    pub(crate) fn candidates(&self, selection: Selection) -> Candidates<'_> {
        self.index.candidates(selection)
    }

    /// The secret or the public key of a candidate.
    pub(crate) fn verifying(&self, index: u32) -> &VerifyingKey {
        &self.keys[index as usize].verifying
    }

    /// The HMAC states of the secrets, for the lanes.
    pub(crate) const fn states(&self) -> &MidstateStore {
        &self.states
    }

    /// What makes a key of this set weak at a given time, in the order of [`KeyFinding::ALL`].
    /// A policy may allow fewer algorithms, so that
    /// [`Validator::key_findings`](crate::Validator::key_findings) may be fewer.
    #[must_use]
    pub fn findings(&self, key: &Key, now: UnixTime) -> Vec<KeyFinding> {
        self.findings_under(key, now, AlgorithmSet::ALL)
    }

    /// What makes a key weak where only these algorithms are allowed.
    pub(crate) fn findings_under(
        &self,
        key: &Key,
        now: UnixTime,
        allowed: AlgorithmSet,
    ) -> Vec<KeyFinding> {
        key.findings(now, allowed, self.has_duplicate_id(key))
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}
