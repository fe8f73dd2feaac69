//! The key set: every key that may verify, indexed by id and by algorithm.
//!
//! Choosing a key costs one look-up, however many keys there are: which keys go by an id, and which
//! algorithms each of them fits, is settled when the set is built.

use std::collections::HashMap;
use std::fmt;

use super::certificate::Validity;
use super::group::Group;
use super::health::{self, KeyFinding};
use super::jwk;
use super::loaded::{Certificate, Content, Unusable, Usable};
use super::secret::Encoding;
use super::thumbprint::thumbprint;
use super::{der, pem};
use crate::display::cut;
use crate::error::{Error, KeyError};
use crate::policy::Policy;
use crate::signature::lanes::MidstateStore;
use crate::signature::public::PublicMaterial;
use crate::signature::{Algorithm, AlgorithmSet, Candidate, Candidates, MacKey, VerifyingKey};
use crate::time::UnixTime;
use crate::verdict::Reason;

/// One key that may verify: a secret or a public key.
pub struct Key {
    id: Option<String>,
    name: String,
    origin: String,
    realm: u32,
    group: u32,
    algorithms: AlgorithmSet,
    ruled_out_by: Option<&'static str>,
    verifying: VerifyingKey,
    /// The length of a secret, in bytes.
    secret_len: Option<usize>,
    is_notorious: bool,
    alg: Option<String>,
    purpose: Option<String>,
    operations: Option<Vec<String>>,
    certificate: Certificate,
    is_private: bool,
}

impl Key {
    /// The `kid` it goes by, if it has one.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The name it has in rows and reports, which no other key of the set has: its id, unless that
    /// is empty; else for a public key its thumbprint; else `secret-1`, `secret-2`, … in the
    /// order in which secrets were given. No hash of a secret is ever shown (RFC 7638 section 7).
    ///
    /// Names are given in the order of the keys. Where an id or a thumbprint is a name already, the
    /// key is called `ID#2`, `ID#3`, …; where a number is, the secret takes the next one that is
    /// free. An id over 256 bytes is cut and ends in `…`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it came from: a path, or the name of an environment variable.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Which of a validator's policies it verifies tokens for; 0 where there is one.
    #[must_use]
    pub const fn policy_index(&self) -> usize {
        self.realm as usize
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

    /// Its curve or its set of parameters, where the type alone does not say everything.
    #[must_use]
    pub fn subtype(&self) -> Option<&'static str> {
        self.material().and_then(PublicMaterial::subtype)
    }

    /// Its size in bits: of a secret, of a modulus, of the field of a curve, of a whole key.
    #[must_use]
    pub fn bits(&self) -> usize {
        match self.material() {
            Some(material) => material.bits(),
            None => self.secret_len.unwrap_or_default() * 8,
        }
    }

    /// The algorithm that its JWK binds it to, whatever that says.
    #[must_use]
    pub fn alg(&self) -> Option<&str> {
        self.alg.as_deref()
    }

    /// What its JWK says in `use`.
    #[must_use]
    pub fn purpose(&self) -> Option<&str> {
        self.purpose.as_deref()
    }

    /// What its JWK says in `key_ops`.
    #[must_use]
    pub fn operations(&self) -> Option<&[String]> {
        self.operations.as_deref()
    }

    /// The member of its JWK that leaves it no algorithm to verify: `use`, `key_ops` or `alg`, the
    /// first of them (RFC 7517 sections 4.2 to 4.4). None where there is an algorithm.
    #[must_use]
    pub const fn ruled_out_by(&self) -> Option<&'static str> {
        self.ruled_out_by
    }

    /// The thumbprint of a public key (RFC 7638); none for a secret.
    #[must_use]
    pub fn thumbprint(&self) -> Option<String> {
        self.material().map(thumbprint)
    }

    /// The validity period of its certificate. Nothing is verified by it.
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

    /// How long the signatures are that it verifies by this algorithm, in bytes.
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

/// A key that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The file it stands in.
    pub origin: String,
    /// Its index in the set, or in a file of several keys; none where no key could be made out in
    /// the file.
    pub index: Option<usize>,
    /// Its `kid`, where it has one.
    pub kid: Option<String>,
    /// The member of the JWK that is at fault; none where it is the key as a whole.
    pub member: Option<&'static str>,
    /// What is wrong with it.
    pub why: String,
}

impl SetAside {
    /// What is wrong, with the member at fault in front where there is one.
    #[must_use]
    pub fn problem(&self) -> String {
        problem(self.member, &self.why)
    }
}

fn problem(member: Option<&str>, why: &str) -> String {
    member.map_or_else(|| why.to_owned(), |member| format!("{member}: {why}"))
}

/// The names that keys were given, each of them once.
#[derive(Default)]
struct Names {
    /// For each name the last number that was tried behind it.
    given: HashMap<String, usize>,
    secrets: usize,
}

impl Names {
    fn give(&mut self, id: Option<&str>) -> String {
        let Some(id) = id else {
            loop {
                self.secrets += 1;
                let name = format!("secret-{}", self.secrets);
                if self.is_new(&name) {
                    return name;
                }
            }
        };
        let base = cut(id);
        if self.is_new(&base) {
            return base.into_owned();
        }
        let mut number = self.given.get(&*base).copied().unwrap_or(1);
        let name = loop {
            number += 1;
            let name = format!("{base}#{number}");
            if self.is_new(&name) {
                break name;
            }
        };
        // Counting on from here, a thousand keys of one id are not a million tries.
        self.given.insert(base.into_owned(), number);
        name
    }

    fn is_new(&mut self, name: &str) -> bool {
        let is_new = !self.given.contains_key(name);
        if is_new {
            self.given.insert(name.to_owned(), 1);
        }
        is_new
    }
}

/// What a key is called before it is seen whether another is called the same; none for a secret
/// without an id, which gets a number.
fn own_name(id: Option<&str>, verifying: &VerifyingKey) -> Option<String> {
    // An id may be empty, and in a row that would be no name.
    match (id.filter(|id| !id.is_empty()), verifying) {
        (Some(id), _) => Some(id.to_owned()),
        (None, VerifyingKey::Public(public)) => Some(thumbprint(public.material())),
        (None, VerifyingKey::Mac(_)) => None,
    }
}

/// Which keys a header selects for one algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Selection {
    algorithm: Algorithm,
    first: First,
    /// The group to fall back on.
    then: Option<u32>,
    /// Whether there are more keys than may be tried.
    is_cut: bool,
}

/// The keys that are tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum First {
    /// The only one of its group that fits, as nearly every key with an id is. So no token has to
    /// wait for the memory of a group.
    Key(Candidate),
    Group(u32),
}

impl Selection {
    pub(crate) const fn algorithm(self) -> Algorithm {
        self.algorithm
    }
}

/// The keys among which a token chooses: all of a set, unless it was put together from those of
/// several issuers. No selection of one realm ever holds a key of another.
struct Realm {
    /// The group of all its keys.
    every: u32,
    /// The group of those without an id.
    anonymous: u32,
    by_id: HashMap<String, u32>,
}

impl Realm {
    /// A realm without a key, and its groups.
    fn new() -> (Self, [Group; 2]) {
        let realm = Self {
            every: 0,
            anonymous: 1,
            by_id: HashMap::new(),
        };
        (realm, Default::default())
    }

    /// The same realm behind so many other groups.
    fn shifted(mut self, groups: u32) -> Self {
        self.every += groups;
        self.anonymous += groups;
        self.by_id.values_mut().for_each(|group| *group += groups);
        self
    }
}

/// The keys of a run. Build it with [`KeySet::add_secret`], [`KeySet::add_jwks`] and
/// [`KeySet::add_key`].
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
pub struct KeySet {
    keys: Vec<Key>,
    /// What lanes take of each secret.
    states: MidstateStore,
    groups: Vec<Group>,
    /// At least one; keys are added to the last.
    realms: Vec<Realm>,
    set_aside: Vec<SetAside>,
    names: Names,
}

impl Default for KeySet {
    fn default() -> Self {
        Self::new()
    }
}

impl KeySet {
    /// The set without a key.
    #[must_use]
    pub fn new() -> Self {
        let (realm, groups) = Realm::new();
        Self {
            keys: Vec::new(),
            states: MidstateStore::default(),
            groups: groups.into(),
            realms: vec![realm],
            set_aside: Vec::new(),
            names: Names::default(),
        }
    }

    /// Adds a secret without an id, which may verify every HMAC algorithm. `origin` says where it
    /// comes from, for messages.
    ///
    /// # Errors
    /// [`KeyError`] for an empty secret, with which anyone can sign.
    pub fn add_secret(&mut self, secret: &[u8], origin: &str) -> Result<(), KeyError> {
        self.add_encoded_secret(secret, Encoding::Raw, origin)
    }

    /// Adds a secret written in an [`Encoding`]. In all of them but raw a byte order mark and a
    /// final line ending are passed over.
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
        let secret = encoding.decode(text).map_err(|problem| KeyError {
            origin: origin.to_owned(),
            problem: format!("the secret is {problem}"),
        })?;
        let usable = Usable {
            content: Content::Secret(secret),
            algorithms: AlgorithmSet::HMAC,
            ruled_out_by: None,
            alg: None,
            purpose: None,
            operations: None,
            certificate: Certificate::None,
            is_private: false,
        };
        self.push(None, usable, origin)
    }

    /// Adds the keys of a file of any form: PEM with one key, certificate or private key or
    /// several, the same in DER, or JSON as for [`KeySet::add_jwks`]. Of a private key the public
    /// half is taken, and [`KeyFinding::PrivateMaterial`] tells of it. A key from PEM or DER has no
    /// id.
    ///
    /// Of several keys those that cannot be used are set aside and listed. So is a certificate that
    /// issued another one of the file, by their names (RFC 5280 section 4.1.2.4): the keys of a
    /// chain are those of its leaves.
    ///
    /// # Errors
    /// [`KeyError`] for a file of another form, and for one without a usable key.
    pub fn add_key(&mut self, file: &[u8], origin: &str) -> Result<(), KeyError> {
        let text = jwk::without_bom(file).trim_ascii_start();
        let found = if text.starts_with(b"{") {
            return self.add_jwks(file, origin);
        } else if pem::is_pem(text) {
            pem::read(file)
        } else if file.first() == Some(&0x30) {
            vec![der::read(file)]
        } else {
            let problem = "neither PEM, DER nor a JWK Set; a public key in PEM begins with \
                           -----BEGIN PUBLIC KEY-----";
            return Err(KeyError {
                origin: origin.to_owned(),
                problem: problem.to_owned(),
            });
        };
        let is_set = found.len() > 1;
        let keys = found
            .into_iter()
            .map(|found| (None, Usable::from_der(found)));
        self.add_loaded(keys, is_set, origin)
    }

    /// Adds the keys of a JWK Set, or a single JWK (RFC 7517).
    ///
    /// What has a member `keys` is a set, and its other members are ignored. A member of `keys`
    /// that is malformed or of another type is set aside and listed, and fails nothing but the
    /// tokens that name it. A JWK in which a member name occurs twice, at any depth, is malformed
    /// (RFC 7517 section 4). A byte order mark in front is passed over.
    ///
    /// # Errors
    /// [`KeyError`] for text that is neither, for a member name that occurs twice at the top, for
    /// a single JWK that cannot be used, and for a set without a usable key.
    pub fn add_jwks(&mut self, text: &[u8], origin: &str) -> Result<(), KeyError> {
        let document = jwk::read(text, origin)?;
        let keys = document.keys.into_iter().map(|key| (key.id, key.content));
        self.add_loaded(keys, document.is_set, origin)
    }

    /// Adds keys with their ids, or sets them aside.
    fn add_loaded(
        &mut self,
        keys: impl Iterator<Item = (Option<String>, Result<Usable, Unusable>)>,
        is_set: bool,
        origin: &str,
    ) -> Result<(), KeyError> {
        let error = |problem| KeyError {
            origin: origin.to_owned(),
            problem,
        };
        let mut usable = 0;
        let mut first_problem = None;
        for (index, (kid, content)) in keys.enumerate() {
            match content {
                Ok(content) => {
                    usable += 1;
                    self.push(kid, content, origin)?;
                }
                Err(fault) if is_set => {
                    first_problem.get_or_insert_with(|| match fault.member {
                        Some(member) => format!("keys[{index}].{member}: {}", fault.why),
                        None => format!("keys[{index}]: {}", fault.why),
                    });
                    if let Some(id) = &kid {
                        let group = self.group_of(id.clone());
                        // Sound, but never fitting: a token that names it is a mismatch.
                        self.groups[group].has_sound |= fault.is_other_type;
                    }
                    self.set_aside.push(SetAside {
                        origin: origin.to_owned(),
                        index: Some(index),
                        kid,
                        member: fault.member,
                        why: fault.why,
                    });
                }
                Err(fault) => {
                    let problem = problem(fault.member, &fault.why);
                    return Err(error(format!("the key cannot be used: {problem}")));
                }
            }
        }
        if usable == 0 {
            return Err(error(match first_problem {
                Some(problem) => format!("no key of the set can be used; the first: {problem}"),
                None => "the set has no keys".to_owned(),
            }));
        }
        Ok(())
    }

    /// Lists a file as set aside, in place of failing the run for it: one of a folder. Where its
    /// keys are listed already, one by one, nothing is added.
    pub fn set_file_aside(&mut self, error: KeyError) {
        let is_listed = |key: &SetAside| key.origin == error.origin;
        if self.set_aside.last().is_some_and(is_listed) {
            return;
        }
        self.set_aside.push(SetAside {
            origin: error.origin,
            index: None,
            kid: None,
            member: None,
            why: error.problem,
        });
    }

    fn push(&mut self, id: Option<String>, key: Usable, origin: &str) -> Result<(), KeyError> {
        let error = |problem: &str| KeyError {
            origin: origin.into(),
            problem: problem.into(),
        };
        let index = u32::try_from(self.keys.len()).map_err(|_| error("too many keys"))?;
        let (verifying, states, secret_len, is_notorious) = match key.content {
            Content::Secret(secret) => {
                let mac = MacKey::new(&secret).ok_or_else(|| error("the secret is empty"))?;
                let states = (self.states.add(&secret)).ok_or_else(|| error("too many keys"))?;
                let is_notorious = health::is_notorious(&secret);
                let verifying = VerifyingKey::Mac(Box::new(mac));
                (verifying, Some(states), Some(secret.len()), is_notorious)
            }
            Content::Public(public) => {
                let verifying = VerifyingKey::Public(Box::new(public));
                (verifying, None, None, false)
            }
        };
        let name = (self.names).give(own_name(id.as_deref(), &verifying).as_deref());
        let realm = self.realms.len() - 1;
        let group = match &id {
            Some(id) => self.group_of(id.clone()),
            None => self.realms[realm].anonymous as usize,
        };
        let every = self.realms[realm].every as usize;
        let candidate = Candidate { key: index, states };
        self.groups[group].add(candidate, key.algorithms);
        self.groups[every].add(candidate, key.algorithms);
        let number = |place: usize| u32::try_from(place).map_err(|_| error("too many keys"));
        self.keys.push(Key {
            id,
            name,
            origin: origin.to_owned(),
            realm: number(realm)?,
            group: number(group)?,
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

    fn group_of(&mut self, id: String) -> usize {
        let next = self.groups.len();
        let last = self.realms.len() - 1;
        let group = *self.realms[last]
            .by_id
            .entry(id)
            .or_insert(u32::try_from(next).unwrap_or(u32::MAX));
        if group as usize == next {
            self.groups.push(Group::default());
        }
        group as usize
    }

    /// Adds the keys of another set as a realm of their own. They are named anew, so that each key
    /// still has a name that no other has.
    pub(crate) fn append(&mut self, other: Self) -> Result<(), Error> {
        let too_many = || Error::Policy {
            message: "too many keys".to_owned(),
        };
        let number = |count: usize| u32::try_from(count).map_err(|_| too_many());
        // The last index of either kind still has to be a number.
        number(self.keys.len() + other.keys.len())?;
        number(self.groups.len() + other.groups.len())?;
        let (keys, groups) = (number(self.keys.len())?, number(self.groups.len())?);
        let realms = number(self.realms.len())?;
        let pieces = self.states.append(other.states);
        for mut group in other.groups {
            for candidate in group.candidates_mut() {
                candidate.key += keys;
                if let Some(place) = &mut candidate.states {
                    *place = place.behind(pieces).ok_or_else(too_many)?;
                }
            }
            self.groups.push(group);
        }
        for mut key in other.keys {
            key.realm += realms;
            key.group += groups;
            let own_name = own_name(key.id.as_deref(), &key.verifying);
            key.name = self.names.give(own_name.as_deref());
            self.keys.push(key);
        }
        let shifted = other.realms.into_iter().map(|realm| realm.shifted(groups));
        self.realms.extend(shifted);
        self.set_aside.extend(other.set_aside);
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

    /// The keys, in the order given.
    pub fn iter(&self) -> std::slice::Iter<'_, Key> {
        self.keys.iter()
    }

    /// The members of key sets that cannot be used, in the order given.
    #[must_use]
    pub fn set_aside(&self) -> &[SetAside] {
        &self.set_aside
    }

    /// The ids that more than one key of an issuer goes by, sorted.
    #[must_use]
    pub fn duplicate_ids(&self) -> Vec<&str> {
        let shared = self.keys.iter().filter(|key| self.shares_its_id(key));
        let mut twice: Vec<&str> = shared.filter_map(Key::id).collect();
        twice.sort_unstable();
        twice.dedup();
        twice
    }

    fn shares_its_id(&self, key: &Key) -> bool {
        key.id.is_some() && self.groups[key.group as usize].has_several()
    }

    /// The realm of a key: that of the set which it came with.
    pub(crate) fn realm_of(&self, index: u32) -> u32 {
        self.get(index).map_or(0, |key| key.realm)
    }

    /// The key of this index, as a [`Verdict`](crate::Verdict) names it.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&Key> {
        self.keys.get(index as usize)
    }

    /// Whether a key of this realm goes by this id, be it a usable one or not.
    pub(crate) fn has_id(&self, realm: u32, kid: &str) -> bool {
        self.realms[realm as usize].by_id.contains_key(kid)
    }

    /// Whether a key of any realm goes by this id.
    pub(crate) fn has_id_somewhere(&self, kid: &str) -> bool {
        self.realms
            .iter()
            .any(|realm| realm.by_id.contains_key(kid))
    }

    /// Chooses the keys of a realm to try (RFC 7515 section 6): those of the id that `kid` names,
    /// else those without an id; without `kid`, every key that fits.
    pub(crate) fn select(
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
        let fitting = |group: u32| self.groups[group as usize].fitting(algorithm).len();
        let limit = policy.key_limit();
        let (group, then) = match (policy.takes_kid_as_hint(), kid) {
            (false, _) | (true, None) => (group, None),
            // A key without an id is no better a guess than any other.
            (true, Some(_)) if fitting(group) == 0 || named.is_none() => (realm.every, None),
            (true, Some(_)) => (group, Some(realm.every)),
        };
        let is_cut = then.is_some_and(|then| fitting(then) > limit);
        match fitting(group) {
            0 if named.is_none() => Err(Reason::KeyNotFound),
            0 if named.is_some_and(|named| self.groups[named as usize].has_sound) => {
                Err(Reason::KeyMismatch)
            }
            0 => Err(Reason::KeyUnusable),
            count if count > limit => Err(Reason::TooManyKeys),
            count => Ok(Selection {
                algorithm,
                first: match self.groups[group as usize].fitting(algorithm) {
                    [key] if count == 1 => First::Key(*key),
                    _ => First::Group(group),
                },
                then: then.filter(|_| !is_cut),
                is_cut,
            }),
        }
    }

    /// The keys of a selection, by their indices, in the order in which they are tried.
    pub(crate) fn candidates(&self, selection: Selection) -> Candidates<'_> {
        let fitting = |group: u32| self.groups[group as usize].fitting(selection.algorithm);
        let (only, first) = match selection.first {
            First::Key(key) => (Some(key), &[][..]),
            First::Group(group) => (None, fitting(group)),
        };
        Candidates {
            only,
            first,
            then: selection.then.map(fitting).unwrap_or_default(),
            is_cut: selection.is_cut,
        }
    }

    /// What a key that a selection names verifies with.
    pub(crate) fn verifying(&self, index: u32) -> &VerifyingKey {
        &self.keys[index as usize].verifying
    }

    /// What lanes take of the secrets.
    pub(crate) const fn states(&self) -> &MidstateStore {
        &self.states
    }

    /// What makes a key of this set weak at this moment, in the order of [`KeyFinding::ALL`].
    /// Under a policy it may be less: see [`Validator::key_findings`](crate::Validator::key_findings).
    #[must_use]
    pub fn findings(&self, key: &Key, now: UnixTime) -> Vec<KeyFinding> {
        self.findings_under(key, now, AlgorithmSet::ALL)
    }

    /// What makes a key weak where these algorithms alone are allowed.
    pub(crate) fn findings_under(
        &self,
        key: &Key,
        now: UnixTime,
        allowed: AlgorithmSet,
    ) -> Vec<KeyFinding> {
        let is_over = |validity: Validity| validity.is_over(now);
        let is_ahead = |validity: Validity| validity.is_ahead(now);
        let holds = |finding: &KeyFinding| match finding {
            KeyFinding::ShortSecret => key.is_short_for(allowed),
            KeyFinding::NotoriousSecret => key.is_notorious,
            KeyFinding::CertificateExpired => key.validity().is_some_and(is_over),
            KeyFinding::CertificateNotYetValid => key.validity().is_some_and(is_ahead),
            KeyFinding::CertificateUnreadable => key.certificate == Certificate::Unreadable,
            KeyFinding::DuplicateKid => self.shares_its_id(key),
            KeyFinding::PrivateMaterial => key.is_private,
        };
        KeyFinding::ALL.into_iter().filter(holds).collect()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.keys).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(keys: &str) -> KeySet {
        let mut set = KeySet::new();
        set.add_jwks(format!(r#"{{"keys":[{keys}]}}"#).as_bytes(), "here")
            .unwrap();
        set
    }

    fn chosen(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> Result<Vec<u32>, Reason> {
        let policy = Policy::new().max_key_tries(3).unwrap();
        let selection = set.select(0, kid, algorithm, &policy)?;
        Ok(set.candidates(selection).keys().collect())
    }

    #[test]
    fn a_kid_selects_its_keys_alone_and_the_anonymous_ones_otherwise() {
        let set = set(r#"{"kty":"oct","k":"YQ","kid":"a"}, {"kty":"oct","k":"Yg"},
               {"kty":"oct","k":"Yw","kid":"a"}, {"kty":"oct","k":"ZA","kid":"","alg":"HS512"}"#);
        let hs256 = Algorithm::Hs256;
        assert_eq!(chosen(&set, Some("a"), hs256), Ok(vec![0, 2]));
        assert_eq!(chosen(&set, Some("b"), hs256), Ok(vec![1]));
        assert_eq!(chosen(&set, Some(""), hs256), Err(Reason::KeyMismatch));
        assert_eq!(chosen(&set, Some(""), Algorithm::Hs512), Ok(vec![3]));
        assert_eq!(chosen(&set, None, hs256), Ok(vec![0, 1, 2]));
        assert_eq!(
            chosen(&set, None, Algorithm::Hs512),
            Err(Reason::TooManyKeys)
        );
        assert_eq!(set.duplicate_ids(), ["a"]);
        let names: Vec<_> = set.iter().map(Key::name).collect();
        assert_eq!(names, ["a", "secret-1", "a#2", "secret-2"]);
    }

    #[test]
    fn every_key_has_a_name_of_its_own() {
        let mut keys = KeySet::new();
        keys.add_secret(b"first", "file").unwrap();
        let key = |kid: &str| format!(r#"{{"kty":"oct","k":"YQ","kid":"{kid}"}}"#);
        let long = "é".repeat(200);
        let kids = [
            "secret-1", "secret-2", "a", "a", "a#3", "a", "a#3", "", "", &long, &long,
        ];
        let set = kids.map(key).join(",");
        keys.add_jwks(format!(r#"{{"keys":[{set}]}}"#).as_bytes(), "set")
            .unwrap();
        keys.add_secret(b"second", "file").unwrap();
        let names: Vec<_> = keys.iter().map(Key::name).collect();
        let cut = format!("{}…", "é".repeat(128));
        let expected = [
            "secret-1",
            "secret-1#2",
            "secret-2",
            "a",
            "a#2",
            "a#3",
            "a#4",
            "a#3#2",
            "secret-3",
            "secret-4",
            &cut,
            &format!("{cut}#2"),
            "secret-5",
        ];
        assert_eq!(names, expected);
        // Ids are what the set says, whatever the name; an empty one is no name.
        let ids: Vec<_> = keys.iter().filter_map(Key::id).collect();
        assert_eq!(ids, kids);
    }

    #[test]
    fn a_hundred_thousand_keys_of_one_id_are_named_at_once() {
        let mut names = Names::default();
        let last = (0..100_000).map(|_| names.give(Some("a"))).last();
        assert_eq!(last.as_deref(), Some("a#100000"));
    }

    #[test]
    fn a_jwk_with_a_member_name_twice_is_set_aside() {
        let set = set(r#"{"kty":"oct","k":"YQ","kid":"a"},
               {"kty":"oct","k":"YQ","k":"Yg","kid":"b"},
               {"kty":"oct","k":"YQ","kid":"x","k\u0069d":"c"},
               {"kty":"oct","k":"YQ","kid":"d","x":[{"y":1,"y":1}]},
               {"kty":"oct","k":"YQ","kid":"e","key_ops":["verify",{"y":1,"y":1}]},
               {"kty":"RSA","kid":"f","n":"AQAB","n":"AQAB","e":"AQAB"},
               {"kty":"oct","k":"YQ","kid":"g","x":{"k":1,"y":{"k":1}}}"#);
        let unusable = Err(Reason::KeyUnusable);
        for (kid, expected) in [
            ("a", Ok(vec![0])),
            ("b", unusable.clone()),
            // Of two, the last is the one that parsers take (RFC 7517 section 4).
            ("x", Err(Reason::KeyNotFound)),
            ("c", unusable.clone()),
            ("d", unusable.clone()),
            ("e", unusable.clone()),
            ("f", unusable),
            ("g", Ok(vec![1])),
        ] {
            assert_eq!(chosen(&set, Some(kid), Algorithm::Hs256), expected, "{kid}");
        }
        let problems: Vec<_> = set.set_aside().iter().map(SetAside::problem).collect();
        let expected = [
            "k: occurs twice",
            "kid: occurs twice",
            "x: a member name occurs twice in it",
            "key_ops: a member name occurs twice in it",
            "n: occurs twice",
        ]
        .map(|problem| format!("{problem} (RFC 7517 section 4)"));
        assert_eq!(problems, expected);
    }

    #[test]
    fn keys_set_aside_keep_their_id_taken() {
        let set = set(
            r#"{"kty":"oct","k":"YQ","kid":"a"}, {"kty":"oct","k":"?","kid":"broken"},
               {"kty":"OKP","crv":"X25519","kid":"rsa","x":"AQ"}, {"kty":"oct","k":"!","kid":"a"}, 7"#,
        );
        assert_eq!(
            chosen(&set, Some("broken"), Algorithm::Hs256),
            Err(Reason::KeyUnusable)
        );
        assert_eq!(
            chosen(&set, Some("rsa"), Algorithm::Hs256),
            Err(Reason::KeyMismatch)
        );
        assert_eq!(chosen(&set, Some("a"), Algorithm::Hs256), Ok(vec![0]));
        assert_eq!(
            chosen(&set, Some("else"), Algorithm::Hs256),
            Err(Reason::KeyNotFound)
        );
        let aside: Vec<_> = set
            .set_aside()
            .iter()
            .map(|key| (key.index, key.member))
            .collect();
        let expected = [(1, Some("k")), (2, Some("crv")), (3, Some("k")), (4, None)];
        let expected = expected.map(|(index, member)| (Some(index), member));
        assert_eq!(aside, expected);
        assert_eq!(set.set_aside()[3].problem(), "the member is not an object");
    }

    #[test]
    fn a_set_without_a_usable_key_and_a_lone_malformed_key_are_errors() {
        for text in [
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"RSA"}]}"#,
            r#"{"kty":"oct","k":"?"}"#,
            r#"{"kty":"RSA"}"#,
            r#"{"kty":"unheard-of"}"#,
        ] {
            let error = KeySet::new().add_jwks(text.as_bytes(), "here").unwrap_err();
            assert_eq!(error.origin, "here");
        }
    }

    #[test]
    fn a_key_prints_its_name_and_nothing_else() {
        let mut set = set(r#"{"kty":"oct","k":"c2VjcmV0","kid":"k1"}"#);
        set.add_secret(b"secret", "file").unwrap();
        assert_eq!(format!("{set:?}"), "[Key(k1, oct), Key(secret-1, oct)]");
        assert!(set.iter().all(Key::is_weak));
    }
}
