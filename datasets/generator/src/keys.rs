//! The keys of a data set: those that sign, and those that only a defect needs.
//!
//! Owns the secrets and the JWK Set (RFC 7517), whose members are written in `jwk`. Everything is
//! derived from the seed, so the secrets protect nothing. Which key signs a token is drawn here
//! too, because it decides whether the token may lack a `kid`. Keys that a validator must refuse
//! are in `refused_keys`, other forms than a JWK in `key_form`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::algorithm::{Algorithm, KeyType};
use super::defect::Defect;
use super::error::SpecError;
use super::jwk::{new_id, oct_jwk, public_jwk};
use super::key_form::{KeyFile, KeyForm};
use super::mac::Mac;
use super::private::PrivateKey;
use super::refused_keys::{self, RefusedKey, RefusedKeyMaker};
use super::rng::{Rng, Streams};
use super::signing::Signing;
use super::spec::{Shape, Spec};
use super::text::push_json_string;

/// The default of `--max-key-tries`: with more keys that fit, a token must name its key.
const DEFAULT_KEY_TRIES: u64 = 1_000;

/// The `kid` of no key, as JSON text: it still finds the keys without an id.
pub(super) const RETIRED_KID: &[u8] = b"\"retired-2024\"";

/// A key that signs.
pub(super) struct Key {
    /// Its id, if it has one.
    pub(super) id: Option<String>,
    /// The id as a JSON string; empty without one.
    pub(super) id_json: Vec<u8>,
    /// The secret itself; empty for a private key.
    pub(super) secret: Vec<u8>,
    key_type: KeyType,
    /// Ready for every algorithm of the data set that it may be used with; never empty.
    signings: Vec<(Algorithm, Signing)>,
    place: Place,
}

/// Where an audit finds a key.
enum Place {
    /// In the key set: a JWK.
    Set(Vec<u8>),
    /// In a file of its own.
    File(KeyFile),
}

/// What a key is to be, before it is made.
struct Order {
    number: u32,
    id: Option<String>,
    key_type: KeyType,
    bound: Option<Algorithm>,
    form: KeyForm,
    /// Makes the key; the id has been drawn from it already.
    rng: Rng,
}

/// How a token names the key that signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// The id of the key.
    Own,
    /// No `kid`: every key that fits is tried.
    Absent,
    /// A `kid` that is no key's id: the keys without an id are tried.
    Unknown,
}

/// The key, the algorithm and the way of naming it for one token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer {
    pub(super) key: usize,
    pub(super) algorithm: Algorithm,
    pub(super) naming: Naming,
}

/// All keys of a data set.
pub(super) struct KeyRing {
    keys: Vec<Key>,
    decoys: Vec<Key>,
    mismatched: Vec<RefusedKey>,
    unusable: Vec<RefusedKey>,
    ids: BTreeSet<String>,
    outsider: [(Algorithm, Mac); 3],
    /// Signs where a signer has no key for its algorithm, which does not happen.
    fallback: Signing,
    empty: [(Algorithm, Mac); 3],
    /// Private keys that are not in the set, one of each type.
    strangers: Vec<Arc<PrivateKey>>,
    shape: Shape,
    without_kid: u32,
    /// For each algorithm of the data set, how many keys a token without `kid` must try.
    fitting: Vec<(Algorithm, u64)>,
    crowded: bool,
}

impl KeyRing {
    /// Makes the keys in parallel; `progress` gets the number of keys done so far. No key gets an
    /// id of `taken`.
    ///
    /// # Errors
    /// A defect that these keys or algorithms cannot produce.
    pub(super) fn new(
        spec: &Spec,
        taken: &BTreeSet<String>,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<KeyRing, SpecError> {
        let impossible = |defect, why| Err(SpecError::Impossible { defect, why });
        let orders = orders(spec, taken);
        let idless = orders.iter().any(|order| order.id.is_none());
        if idless && spec.has(Defect::KeyNotFound) {
            let why = "an unknown `kid` tries the keys that have no id; give every key an id";
            return impossible(Defect::KeyNotFound, why);
        }
        if idless && spec.has(Defect::ForeignIssuerKey) {
            let why = "a key without an id cannot be named; give every key an id";
            return impossible(Defect::ForeignIssuerKey, why);
        }
        if idless && spec.has(Defect::TooManyKeys) {
            let why = "valid tokens must name their key; give every key an id";
            return impossible(Defect::TooManyKeys, why);
        }
        if Algorithm::left_out(&spec.algorithms).is_empty() && spec.has(Defect::AlgNotAllowed) {
            let why = "every algorithm of the kind is in use; leave one out";
            return impossible(Defect::AlgNotAllowed, why);
        }
        let Some(&first) = spec.algorithms.first() else {
            return Err(SpecError::NoAlgorithm);
        };

        let streams = Streams::new(spec.seed, 0x6b65_7973);
        let mut ids: BTreeSet<String> =
            orders.iter().filter_map(|order| order.id.clone()).collect();
        let done = AtomicU64::new(0);
        let made = orders.into_par_iter().map(|order| {
            let key = Key::new(order, &spec.algorithms);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            key
        });
        let keys: Vec<Key> = made.collect();
        let count = |keys: &[Key], algorithm| {
            let fits = |key: &&Key| key.signing(algorithm).is_some();
            u64::try_from(keys.iter().filter(fits).count()).unwrap_or(u64::MAX)
        };
        let mut rng = streams.at(u64::MAX);
        let crowded = spec.has(Defect::TooManyKeys);
        let mut decoys = Vec::new();
        if crowded {
            // At least one, so that the last key that fits is a decoy; at least three keys fit.
            let key_type = first.key_type(0, &spec.rsa_bits);
            let alike = |key: &&Key| key.key_type == key_type && key.signing(first).is_some();
            let alike = keys.iter().filter(alike).count();
            let wanted = 3_usize.saturating_sub(alike).max(1);
            for number in 0..u32::try_from(wanted).unwrap_or(1) {
                let id = format!("spare-{number}");
                ids.insert(id.clone());
                let order = Order {
                    number,
                    id: Some(id),
                    key_type,
                    bound: Some(first),
                    form: KeyForm::Jwk,
                    rng,
                };
                let (decoy, rest) = Key::with_rest(order, &spec.algorithms);
                decoys.push(decoy);
                rng = rest;
            }
        }
        let hmac = spec.algorithms.iter().copied().find(|alg| alg.is_hmac());
        let mut refused_maker = RefusedKeyMaker::new(spec.seed);
        let mut mismatched = Vec::new();
        if spec.has(Defect::KeyMismatch) {
            mismatched = hmac.map_or(Vec::new(), |alg| refused_keys::mismatched(alg, &mut rng));
            mismatched.extend(refused_maker.mismatched(spec));
        }
        let mut unusable = Vec::new();
        if spec.has(Defect::KeyUnusable) {
            unusable = hmac.map_or(Vec::new(), |alg| refused_keys::unusable(alg, &mut rng));
            unusable.extend(refused_maker.unusable(spec));
        }
        let refused = u64::try_from(mismatched.len()).unwrap_or(0);
        let fitting = spec.algorithms.iter().map(|&algorithm| {
            // Whether a refused key fits is for the validator to say: each counts as if it did.
            (
                algorithm,
                count(&keys, algorithm) + count(&decoys, algorithm) + refused,
            )
        });
        let fitting = fitting.collect();
        let mut secret = [0; 64];
        rng.fill(&mut secret);
        Ok(KeyRing {
            outsider: Algorithm::HMAC.map(|algorithm| (algorithm, Mac::new(algorithm, &secret))),
            fallback: Signing::Mac(Mac::new(first, &secret)),
            empty: Algorithm::HMAC.map(|algorithm| (algorithm, Mac::new(algorithm, b""))),
            strangers: strangers(&keys, spec),
            keys,
            decoys,
            mismatched,
            unusable,
            ids,
            shape: spec.shape,
            without_kid: spec.without_kid.millionths(),
            fitting,
            crowded,
        })
    }

    /// How many keys the audit may try for a token without `kid`, where that is limited: one less
    /// than fit the first algorithm and are of the type of the last of them. So the limit is met
    /// whether or not a validator leaves out keys whose signatures have another length.
    pub(super) fn max_key_tries(&self) -> Option<u32> {
        let &(first, _) = self.fitting.first()?;
        let key_type = self.decoys.last()?.key_type;
        let fits = self
            .keys
            .iter()
            .chain(&self.decoys)
            .filter(|key| key.key_type == key_type && key.signing(first).is_some());
        self.crowded.then(|| {
            u32::try_from(fits.count())
                .unwrap_or(u32::MAX)
                .saturating_sub(1)
        })
    }

    /// Draws the key of a token.
    pub(super) fn draw(&self, rng: &mut Rng) -> Signer {
        let at = rng.index(self.keys.len());
        let key = self.key(at);
        let choice = rng.index(key.signings.len());
        let algorithm = key
            .signings
            .get(choice)
            .map_or(Algorithm::Hs256, |(algorithm, _)| *algorithm);
        let fitting = self.fitting.iter().find(|(fits, _)| *fits == algorithm);
        let fitting = fitting.map_or(0, |&(_, number)| number);
        let may_be_absent = !self.crowded && fitting <= DEFAULT_KEY_TRIES;
        let naming = match (&key.id, self.shape) {
            (None, _) if !may_be_absent || rng.percent(50) => Naming::Unknown,
            (None, _) => Naming::Absent,
            (Some(_), Shape::Bench { .. }) if fitting == 1 && may_be_absent => Naming::Absent,
            (Some(_), Shape::Bench { .. }) => Naming::Own,
            (Some(_), Shape::Mixed) if may_be_absent && rng.chance(self.without_kid) => {
                Naming::Absent
            }
            (Some(_), Shape::Mixed) => Naming::Own,
        };
        Signer {
            key: at,
            algorithm,
            naming,
        }
    }

    /// The signer of a token with too many keys: the last of those that fit the first algorithm,
    /// so that no validator reaches it within its limit of tries.
    pub(super) fn last_decoy(&self) -> Option<(Algorithm, &Signing)> {
        self.decoys
            .last()?
            .signings
            .first()
            .map(|(algorithm, signing)| (*algorithm, signing))
    }

    /// How many keys sign.
    pub(super) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The key with this number.
    pub(super) fn key(&self, number: usize) -> &Key {
        // Numbers come from `draw` alone, and a ring has at least one key.
        &self.keys[number.min(self.keys.len() - 1)]
    }

    /// What signs for a signer.
    pub(super) fn signing(&self, signer: Signer) -> &Signing {
        let signing = self.key(signer.key).signing(signer.algorithm);
        signing.unwrap_or(&self.fallback)
    }

    /// One of the keys behind `key-mismatch`.
    pub(super) fn mismatched(&self, rng: &mut Rng) -> Option<&RefusedKey> {
        self.mismatched.get(rng.index(self.mismatched.len()))
    }

    /// One of the keys behind `key-unusable`.
    pub(super) fn unusable(&self, rng: &mut Rng) -> Option<&RefusedKey> {
        self.unusable.get(rng.index(self.unusable.len()))
    }

    /// A private key of this type that is not in the set.
    pub(super) fn stranger(&self, key_type: KeyType) -> Option<&PrivateKey> {
        let mut strangers = self.strangers.iter();
        strangers
            .find(|key| key.key_type() == key_type)
            .map(AsRef::as_ref)
    }

    /// A secret that is not in the set.
    pub(super) fn outsider(&self, algorithm: Algorithm) -> &Mac {
        of(&self.outsider, algorithm)
    }

    /// The empty key.
    pub(super) fn empty(&self, algorithm: Algorithm) -> &Mac {
        of(&self.empty, algorithm)
    }

    /// The ids of its keys.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.keys.iter().filter_map(|key| key.id.as_ref())
    }

    /// Whether some key has this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The key set as text: a JWK Set, one key a line.
    pub(super) fn jwks(&self) -> String {
        let own = self.keys.iter().chain(&self.decoys);
        let own = own.filter_map(|key| match &key.place {
            Place::Set(jwk) => Some(jwk),
            Place::File(_) => None,
        });
        let refused = self
            .mismatched
            .iter()
            .chain(&self.unusable)
            .filter_map(|key| key.jwk.as_ref());
        let mut out = b"{\"keys\":[".to_vec();
        for (at, jwk) in own.chain(refused).enumerate() {
            out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
            out.extend_from_slice(jwk);
        }
        out.extend_from_slice(b"\n]}\n");
        String::from_utf8(out).unwrap_or_default()
    }

    /// The keys in files of their own, in order.
    pub(super) fn files(&self) -> impl Iterator<Item = &KeyFile> {
        self.keys.iter().filter_map(|key| match &key.place {
            Place::Set(_) => None,
            Place::File(file) => Some(file),
        })
    }
}

/// What the keys of a data set are to be.
fn orders(spec: &Spec, taken: &BTreeSet<String>) -> Vec<Order> {
    let streams = Streams::new(spec.seed, 0x6b65_7973);
    let mut ids = taken.clone();
    let mut orders = Vec::new();
    let algorithms = spec.algorithms.len().max(1);
    let numbered = (0..spec.keys).zip(spec.algorithms.iter().cycle());
    for (at, (number, &algorithm)) in numbered.enumerate() {
        let mut rng = streams.at(number.into());
        // How many keys of this algorithm there are already.
        let round = at / algorithms;
        let key_type = algorithm.key_type(round, &spec.rsa_bits);
        let forms = spec.key_forms.len().max(1);
        let form = match spec.key_forms.get((at % algorithms + round) % forms) {
            Some(form) if key_type != KeyType::Secret => *form,
            _ => KeyForm::Jwk,
        };
        let is_bound = (number % 7 != 6 || key_type.is_always_bound()) && form.has_alg();
        let has_id = number < spec.keys - spec.keys_without_id && form.has_id();
        // Without an id, it is in no object of ids.
        let form = match form {
            KeyForm::PemById if !has_id => KeyForm::Certificate,
            KeyForm::JwkById if !has_id => KeyForm::JwkArray,
            form => form,
        };
        let id = has_id.then(|| new_id(number, key_type, &mut rng, &mut ids));
        orders.push(Order {
            number,
            id,
            key_type,
            bound: is_bound.then_some(algorithm),
            form,
            rng,
        });
    }
    orders
}

/// A private key of each type among these that is not one of them.
fn strangers(keys: &[Key], spec: &Spec) -> Vec<Arc<PrivateKey>> {
    let streams = Streams::new(spec.seed, 0x6f75_7473_6964_6572);
    let mut types: Vec<KeyType> = Vec::new();
    for key in keys {
        if key.key_type != KeyType::Secret && !types.contains(&key.key_type) {
            types.push(key.key_type);
        }
    }
    // Only this defect signs with them.
    if !spec.has(Defect::SignatureMismatch) {
        types.clear();
    }
    let made = types.into_par_iter().enumerate().map(|(at, key_type)| {
        let mut rng = streams.at(u64::try_from(at).unwrap_or(0));
        PrivateKey::new(key_type, &mut rng).map(Arc::new)
    });
    made.flatten().collect()
}

fn of(macs: &[(Algorithm, Mac); 3], algorithm: Algorithm) -> &Mac {
    let [(_, hs256), (_, hs384), (_, hs512)] = macs;
    match algorithm {
        Algorithm::Hs384 => hs384,
        Algorithm::Hs512 => hs512,
        _ => hs256,
    }
}

impl Key {
    fn new(order: Order, algorithms: &[Algorithm]) -> Key {
        Key::with_rest(order, algorithms).0
    }

    /// Makes the key, and returns the generator it was made from.
    fn with_rest(mut order: Order, algorithms: &[Algorithm]) -> (Key, Rng) {
        let mut id_json = Vec::new();
        if let Some(id) = &order.id {
            push_json_string(&mut id_json, id);
        }
        let (bound, key_type) = (order.bound, order.key_type);
        let may_use = |algorithm: &&Algorithm| {
            bound.map_or(key_type.signs(**algorithm), |bound| bound == **algorithm)
        };
        let mine = algorithms.iter().copied().filter(|alg| may_use(&alg));
        let rng = &mut order.rng;
        let (mut secret, signings, place);
        if let Some(private) = PrivateKey::new(key_type, rng).map(Arc::new) {
            secret = Vec::new();
            let (number, form) = (order.number, order.form);
            place = if form.has_alg() {
                let is_named_outside = form == KeyForm::JwkById;
                let own_id: &[u8] = if is_named_outside { b"" } else { &id_json };
                let jwk = public_jwk(number, own_id, bound, form, &private, rng);
                match form.is_file() {
                    true => Place::File(KeyFile::of_jwk(number, form, &id_json, &jwk)),
                    false => Place::Set(jwk),
                }
            } else {
                Place::File(KeyFile::new(number, form, &id_json, &private, rng))
            };
            let ready = |algorithm| (algorithm, Signing::Private(Arc::clone(&private)));
            signings = mine.map(ready).collect();
        } else {
            // As long as the hash (RFC 7518 section 3.2), and sometimes longer than a block.
            let mut len = match bound {
                Some(Algorithm::Hs256) => 32,
                Some(Algorithm::Hs384) => 48,
                _ => 64,
            };
            if rng.percent(25) {
                len += rng.index(100);
            }
            secret = vec![0; len];
            rng.fill(&mut secret);
            let ready = |algorithm| (algorithm, Signing::Mac(Mac::new(algorithm, &secret)));
            signings = mine.map(ready).collect();
            place = Place::Set(oct_jwk(order.number, &id_json, bound, &secret));
        }
        let key = Key {
            id: order.id,
            id_json,
            secret,
            key_type,
            signings,
            place,
        };
        (key, order.rng)
    }

    /// The key ready for an algorithm, if it may be used with it.
    pub(super) fn signing(&self, algorithm: Algorithm) -> Option<&Signing> {
        self.signings
            .iter()
            .find(|(fits, _)| *fits == algorithm)
            .map(|(_, signing)| signing)
    }
}

#[cfg(test)]
mod tests;
