//! Finds the keys for a token: by realm, `kid` and algorithm.
//!
//! A look-up costs the same however many keys there are: which keys have an id, and which
//! algorithms each of them fits, is computed when the set is built.

mod group;

use std::collections::HashMap;

use self::group::Group;
use crate::policy::Policy;
use crate::signature::{Algorithm, AlgorithmSet, Candidate, Candidates};
use crate::verdict::Reason;

/// Keys by realm, id and algorithm.
#[derive(Clone)]
pub(super) struct Index {
    groups: Vec<Group>,
    /// At least one; keys are added to the last.
    realms: Vec<Realm>,
}

/// The keys that verify tokens for one policy. No selection of one realm contains a key of another.
#[derive(Clone)]
struct Realm {
    /// The group of all its keys.
    every: u32,
    /// The group of the keys without an id.
    anonymous: u32,
    by_id: HashMap<String, u32>,
}

/// How many realms and groups an index had before another was appended.
pub(super) struct Offsets {
    pub(super) realms: u32,
    pub(super) groups: u32,
}

/// The keys that a header selects for one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    algorithm: Algorithm,
    first: First,
    /// The group to fall back on.
    fallback: Option<u32>,
    /// Whether there are more keys than may be tried.
    is_truncated: bool,
}

/// The keys that are tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The only key of its group that fits, as nearly every key with an id is. It saves reading the
    /// group once more, which would be a cache miss.
    Key(Candidate),
    Group(u32),
}

impl Selection {
    pub(crate) const fn algorithm(self) -> Algorithm {
        self.algorithm
    }
}

impl Index {
    /// An index with one realm and no key.
    pub(super) fn new() -> Self {
        let realm = Realm {
            every: 0,
            anonymous: 1,
            by_id: HashMap::new(),
        };
        Self {
            groups: vec![Group::default(), Group::default()],
            realms: vec![realm],
        }
    }

    /// The realm that keys are added to.
    pub(super) const fn last_realm(&self) -> usize {
        self.realms.len() - 1
    }

    /// Adds a key that may verify these algorithms, which may be none, and returns its group. `None`
    /// when there are too many ids.
    pub(super) fn add(
        &mut self,
        id: Option<&str>,
        key: Candidate,
        algorithms: AlgorithmSet,
    ) -> Option<u32> {
        let realm = &self.realms[self.last_realm()];
        let (every, anonymous) = (realm.every, realm.anonymous);
        let group = match id {
            Some(id) => self.group_of(id)?,
            None => anonymous,
        };
        self.groups[group as usize].add(key, algorithms);
        self.groups[every as usize].add(key, algorithms);
        Some(group)
    }

    /// Adds the id of a key that cannot be used, so that tokens naming it select no other key.
    /// `is_sound` if the key is merely of another type. `None` when there are too many ids.
    pub(super) fn add_unusable(&mut self, id: &str, is_sound: bool) -> Option<()> {
        let group = self.group_of(id)?;
        self.groups[group as usize].has_sound |= is_sound;
        Some(())
    }

    /// Removes the keys with these numbers, in ascending order, and renumbers the others. Their groups
    /// stay, so that an id of theirs is still taken.
    pub(super) fn remove(&mut self, numbers: &[u32]) {
        for group in &mut self.groups {
            group.retain(|candidate| match numbers.binary_search(&candidate.key) {
                Ok(_) => false,
                Err(before) => {
                    // There are no more numbers than keys.
                    candidate.key -= u32::try_from(before).unwrap_or(u32::MAX);
                    true
                }
            });
        }
    }

    fn group_of(&mut self, id: &str) -> Option<u32> {
        let next = u32::try_from(self.groups.len()).ok()?;
        let last = self.last_realm();
        let by_id = &mut self.realms[last].by_id;
        if let Some(group) = by_id.get(id) {
            return Some(*group);
        }
        by_id.insert(id.to_owned(), next);
        self.groups.push(Group::default());
        Some(next)
    }

    /// Appends the realms of another index. `moved` gives the new place of each of its keys. `None`
    /// when there are too many ids or `moved` gives none.
    pub(super) fn append(
        &mut self,
        other: Self,
        moved: impl Fn(Candidate) -> Option<Candidate>,
    ) -> Option<Offsets> {
        // The last number still has to fit.
        u32::try_from(self.groups.len() + other.groups.len()).ok()?;
        let groups = u32::try_from(self.groups.len()).ok()?;
        let realms = u32::try_from(self.realms.len()).ok()?;
        for mut group in other.groups {
            for candidate in group.candidates_mut() {
                *candidate = moved(*candidate)?;
            }
            self.groups.push(group);
        }
        for mut realm in other.realms {
            realm.every += groups;
            realm.anonymous += groups;
            realm.by_id.values_mut().for_each(|group| *group += groups);
            self.realms.push(realm);
        }
        Some(Offsets { realms, groups })
    }

    /// Whether a group has several keys. One of an id then has several keys with that id.
    pub(super) fn has_several(&self, group: u32) -> bool {
        self.groups[group as usize].has_several()
    }

    /// Whether a key of this realm has this id, usable or not.
    pub(super) fn has_id(&self, realm: u32, kid: &str) -> bool {
        self.realms[realm as usize].by_id.contains_key(kid)
    }

    /// Whether a key of any realm has this id, usable or not.
    pub(super) fn has_id_in_any_realm(&self, kid: &str) -> bool {
        let has_it = |realm: &Realm| realm.by_id.contains_key(kid);
        self.realms.iter().any(has_it)
    }

    /// See [`KeySet::select`](super::KeySet::select).
    pub(super) fn select(
        &self,
        realm: u32,
        kid: Option<&str>,
        algorithm: Algorithm,
        policy: &Policy,
    ) -> Result<Selection, Reason> {
        let realm = &self.realms[realm as usize];
        let named = kid.and_then(|kid| realm.by_id.get(kid)).copied();
        let group = match (named, kid) {
            (Some(group), _) => group,
            (None, Some(_)) => realm.anonymous,
            (None, None) => realm.every,
        };
        let fitting = |group: u32| self.groups[group as usize].fitting(algorithm);
        let limit = policy.key_limit();
        let (group, fallback) = match (policy.takes_kid_as_hint(), kid) {
            (false, _) | (true, None) => (group, None),
            // A key without an id is no better a guess than any other.
            (true, Some(_)) if fitting(group).is_empty() || named.is_none() => (realm.every, None),
            (true, Some(_)) => (group, Some(realm.every)),
        };
        let is_truncated = fallback.is_some_and(|fallback| fitting(fallback).len() > limit);
        let first = match fitting(group) {
            [] => {
                return Err(match named {
                    None => Reason::KeyNotFound,
                    Some(named) if self.groups[named as usize].has_sound => Reason::KeyMismatch,
                    Some(_) => Reason::KeyUnusable,
                });
            }
            keys if keys.len() > limit => return Err(Reason::TooManyKeys),
            [key] => First::Key(*key),
            _ => First::Group(group),
        };
        Ok(Selection {
            algorithm,
            first,
            fallback: fallback.filter(|_| !is_truncated),
            is_truncated,
        })
    }

    /// The keys of a selection, in the order in which they are tried.
    pub(super) fn candidates(&self, selection: Selection) -> Candidates<'_> {
        let fitting = |group: u32| self.groups[group as usize].fitting(selection.algorithm);
        let (only, first) = match selection.first {
            First::Key(key) => (Some(key), &[][..]),
            First::Group(group) => (None, fitting(group)),
        };
        Candidates {
            only,
            first,
            fallback: selection.fallback.map(fitting).unwrap_or_default(),
            is_truncated: selection.is_truncated,
        }
    }
}
