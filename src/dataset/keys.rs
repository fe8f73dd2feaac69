//! The keys of a data set: those that sign, and those that are there for a defect's sake.
//!
//! Owns the secrets, their ids and the JWK Set text (RFC 7517). Everything is derived from the
//! seed, so the secrets are worth nothing outside the data set. Which key signs a token is drawn
//! here too, because it decides whether the token may go without `kid`.

use std::collections::BTreeSet;

use super::defect::Defect;
use super::mac::{Algorithm, Mac};
use super::rng::{Rng, Streams};
use super::spec::{Shape, Spec, SpecError};
use super::text::{push_hex, push_json_string, push_random, push_uuid};

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
    /// The secret itself.
    pub(super) secret: Vec<u8>,
    /// Ready for every algorithm of the data set that it may be used with; never empty.
    macs: Vec<(Algorithm, Mac)>,
    jwk: Vec<u8>,
}

/// A key that no valid token can name: of another type, bound to something else, or malformed.
pub(super) struct Trap {
    /// Its id as a JSON string.
    pub(super) id_json: Vec<u8>,
    /// The algorithm of the tokens that name it.
    pub(super) algorithm: Algorithm,
    /// What such tokens are signed with: what a confused validator would take for the secret.
    pub(super) mac: Mac,
    jwk: Vec<u8>,
}

/// How a token says which key signed it.
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
    mismatched: Vec<Trap>,
    broken: Vec<Trap>,
    ids: BTreeSet<String>,
    outsider: [(Algorithm, Mac); 3],
    empty: [(Algorithm, Mac); 3],
    shape: Shape,
    without_kid: u32,
    /// For each algorithm of the data set, how many keys a token without `kid` must try.
    fitting: Vec<(Algorithm, u64)>,
    crowded: bool,
}

impl KeyRing {
    /// Makes the keys.
    ///
    /// # Errors
    /// A defect that these keys or algorithms cannot produce.
    pub(super) fn new(spec: &Spec) -> Result<KeyRing, SpecError> {
        let impossible = |defect, why| Err(SpecError::Impossible { defect, why });
        let idless = spec.keys_without_id > 0;
        if idless && spec.has(Defect::KeyNotFound) {
            let why = "an unknown `kid` tries the keys that have no id; give every key an id";
            return impossible(Defect::KeyNotFound, why);
        }
        if idless && spec.has(Defect::TooManyKeys) {
            let why = "valid tokens must name their key; give every key an id";
            return impossible(Defect::TooManyKeys, why);
        }
        let every = Algorithm::ALL
            .iter()
            .all(|alg| spec.algorithms.contains(alg));
        if every && spec.has(Defect::AlgNotAllowed) {
            let why = "every HMAC algorithm is in use; leave one of HS256, HS384, HS512 out";
            return impossible(Defect::AlgNotAllowed, why);
        }
        let Some(&first) = spec.algorithms.first() else {
            return Err(SpecError::NoAlgorithm);
        };

        let streams = Streams::new(spec.seed, 0x6b65_7973);
        let mut ids = BTreeSet::new();
        let mut keys = Vec::new();
        for (number, &bound) in (0..spec.keys).zip(spec.algorithms.iter().cycle()) {
            let mut rng = streams.at(number.into());
            let bound = (number % 7 != 6).then_some(bound);
            let id = (number < spec.keys - spec.keys_without_id)
                .then(|| new_id(number, &mut rng, &mut ids));
            keys.push(Key::new(number, id, bound, &spec.algorithms, &mut rng));
        }
        let count = |keys: &[Key], algorithm| {
            let fits = |key: &&Key| key.mac(algorithm).is_some();
            u64::try_from(keys.iter().filter(fits).count()).unwrap_or(u64::MAX)
        };
        let mut rng = streams.at(u64::MAX);
        let crowded = spec.has(Defect::TooManyKeys);
        let mut decoys = Vec::new();
        if crowded {
            // At least one, so that the last key that fits is a decoy; at least three that fit.
            let wanted = 3_u64.saturating_sub(count(&keys, first)).max(1);
            for number in 0..u32::try_from(wanted).unwrap_or(1) {
                let id = format!("spare-{number}");
                ids.insert(id.clone());
                decoys.push(Key::new(
                    number,
                    Some(id),
                    Some(first),
                    &spec.algorithms,
                    &mut rng,
                ));
            }
        }
        let mismatched = if spec.has(Defect::KeyMismatch) {
            mismatched(first, &mut rng)
        } else {
            Vec::new()
        };
        let broken = if spec.has(Defect::KeyUnusable) {
            broken(first, &mut rng)
        } else {
            Vec::new()
        };
        let traps = u64::try_from(mismatched.len()).unwrap_or(0);
        let fitting = spec.algorithms.iter().map(|&algorithm| {
            // Whether a trap fits is for the validator to say: counted as if each did.
            (
                algorithm,
                count(&keys, algorithm) + count(&decoys, algorithm) + traps,
            )
        });
        let fitting = fitting.collect();
        let mut secret = [0; 64];
        rng.fill(&mut secret);
        Ok(KeyRing {
            keys,
            decoys,
            mismatched,
            broken,
            ids,
            outsider: Algorithm::ALL.map(|algorithm| (algorithm, Mac::new(algorithm, &secret))),
            empty: Algorithm::ALL.map(|algorithm| (algorithm, Mac::new(algorithm, b""))),
            shape: spec.shape,
            without_kid: spec.without_kid.millionths(),
            fitting,
            crowded,
        })
    }

    /// How many keys the audit may try for a token without `kid`, where that is limited: one less
    /// than fit the first algorithm.
    pub(super) fn max_key_tries(&self) -> Option<u32> {
        let &(first, _) = self.fitting.first()?;
        let fits = self
            .keys
            .iter()
            .chain(&self.decoys)
            .filter(|key| key.mac(first).is_some());
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
        let choice = rng.index(key.macs.len());
        let algorithm = key
            .macs
            .get(choice)
            .map_or(Algorithm::Hs256, |&(algorithm, _)| algorithm);
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
    /// so that no validator meets it by trying as many as it may.
    pub(super) fn last_decoy(&self) -> Option<(Algorithm, &Mac)> {
        self.decoys
            .last()?
            .macs
            .first()
            .map(|(algorithm, mac)| (*algorithm, mac))
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

    /// One of the keys behind `key-mismatch`.
    pub(super) fn mismatched(&self, rng: &mut Rng) -> Option<&Trap> {
        self.mismatched.get(rng.index(self.mismatched.len()))
    }

    /// One of the keys behind `key-unusable`.
    pub(super) fn broken(&self, rng: &mut Rng) -> Option<&Trap> {
        self.broken.get(rng.index(self.broken.len()))
    }

    /// A key that is not in the set.
    pub(super) fn outsider(&self, algorithm: Algorithm) -> &Mac {
        of(&self.outsider, algorithm)
    }

    /// The empty key.
    pub(super) fn empty(&self, algorithm: Algorithm) -> &Mac {
        of(&self.empty, algorithm)
    }

    /// Whether some key has this id.
    pub(super) fn has_id(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// The key set as text: a JWK Set, one key a line.
    pub(super) fn jwks(&self) -> String {
        let own = self.keys.iter().chain(&self.decoys).map(|key| &key.jwk);
        let traps = self
            .mismatched
            .iter()
            .chain(&self.broken)
            .map(|trap| &trap.jwk);
        let mut out = b"{\"keys\":[".to_vec();
        for (at, jwk) in own.chain(traps).enumerate() {
            out.extend_from_slice(if at == 0 { b"\n" } else { b",\n" });
            out.extend_from_slice(jwk);
        }
        out.extend_from_slice(b"\n]}\n");
        String::from_utf8(out).unwrap_or_default()
    }
}

fn of(macs: &[(Algorithm, Mac); 3], algorithm: Algorithm) -> &Mac {
    let [(_, hs256), (_, hs384), (_, hs512)] = macs;
    match algorithm {
        Algorithm::Hs256 => hs256,
        Algorithm::Hs384 => hs384,
        Algorithm::Hs512 => hs512,
    }
}

impl Key {
    fn new(
        number: u32,
        id: Option<String>,
        bound: Option<Algorithm>,
        algorithms: &[Algorithm],
        rng: &mut Rng,
    ) -> Key {
        // As long as the hash (RFC 7518 section 3.2), and sometimes longer than a block.
        let mut len = bound.unwrap_or(Algorithm::Hs512).signature_len();
        if rng.percent(25) {
            len += rng.index(100);
        }
        let mut secret = vec![0; len];
        rng.fill(&mut secret);
        let may_use = |algorithm: &&Algorithm| bound.is_none_or(|bound| bound == **algorithm);
        let ready = |&algorithm: &Algorithm| (algorithm, Mac::new(algorithm, &secret));
        let macs = algorithms.iter().filter(may_use).map(ready).collect();
        let mut id_json = Vec::new();
        if let Some(id) = &id {
            push_json_string(&mut id_json, id);
        }
        let jwk = oct_jwk(number, &id_json, bound, &secret);
        Key {
            id,
            id_json,
            secret,
            macs,
            jwk,
        }
    }

    /// The key ready for an algorithm, if it may be used with it.
    pub(super) fn mac(&self, algorithm: Algorithm) -> Option<&Mac> {
        self.macs
            .iter()
            .find(|(fits, _)| *fits == algorithm)
            .map(|(_, mac)| mac)
    }
}

/// An id in one of the forms that identity providers use, different from all before it.
fn new_id(number: u32, rng: &mut Rng, ids: &mut BTreeSet<String>) -> String {
    let mut text = Vec::new();
    match number % 16 {
        0 | 5 | 10 => text.extend_from_slice(format!("hs-2026-{number:03}").as_bytes()),
        1 | 6 | 11 => push_random(&mut text, rng, 43),
        2 | 7 | 12 => push_uuid(&mut text, rng),
        3 | 8 | 13 => push_hex(&mut text, rng, 16),
        15 => text.extend_from_slice(format!("schlüssel-{number}").as_bytes()),
        _ => push_random(&mut text, rng, 27),
    }
    let mut id = String::from_utf8(text).unwrap_or_default();
    if ids.contains(&id) {
        id = format!("{id}-{number}");
    }
    ids.insert(id.clone());
    id
}

/// The JWK of a shared secret, its members in one of several orders.
fn oct_jwk(number: u32, id_json: &[u8], bound: Option<Algorithm>, secret: &[u8]) -> Vec<u8> {
    let k = base64url(secret);
    let kid = match std::str::from_utf8(id_json) {
        Ok(id) if !id.is_empty() => format!(r#","kid":{id}"#),
        _ => String::new(),
    };
    let alg = bound.map_or(String::new(), |alg| format!(r#","alg":"{alg}""#));
    let text = match number % 4 {
        0 => format!(r#"{{"kty":"oct"{kid}{alg},"k":"{k}"}}"#),
        1 => format!(r#"{{"kty":"oct"{kid},"use":"sig"{alg},"k":"{k}"}}"#),
        2 => format!(r#"{{"kty":"oct","k":"{k}"{kid}{alg},"key_ops":["verify"]}}"#),
        _ => format!(r#"{{"k":"{k}"{alg},"key_ops":["sign","verify"],"kty":"oct"{kid}}}"#),
    };
    text.into_bytes()
}

fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// The RSA key of RFC 7638 section 3.1.
const RSA_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFF\
    xuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-\
    65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFT\
    WhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
/// The P-256 key of RFC 7517 appendix A.1.
const EC_X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
const EC_Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";
/// The Ed25519 key of RFC 8037 appendix A.2.
const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

/// Keys that are well-formed and not for a token of `algorithm`.
fn mismatched(algorithm: Algorithm, rng: &mut Rng) -> Vec<Trap> {
    let mut secret = [0; 64];
    rng.fill(&mut secret);
    let k = base64url(&secret);
    let other = match algorithm {
        Algorithm::Hs512 => Algorithm::Hs256,
        Algorithm::Hs256 | Algorithm::Hs384 => Algorithm::Hs512,
    };
    let trap = |id: &str, jwk: String, secret: Option<&[u8]>| {
        let mac = Mac::new(algorithm, secret.unwrap_or(jwk.as_bytes()));
        let id_json = format!("\"{id}\"").into_bytes();
        Trap {
            id_json,
            algorithm,
            mac,
            jwk: jwk.into_bytes(),
        }
    };
    let rsa = format!(r#"{{"kty":"RSA","kid":"rsa-2025","alg":"RS256","n":"{RSA_N}","e":"AQAB"}}"#);
    let bare = format!(r#"{{"kty":"RSA","kid":"rsa-bare","n":"{RSA_N}","e":"AQAB"}}"#);
    let ec = format!(r#"{{"kty":"EC","kid":"ec-2025","crv":"P-256","x":"{EC_X}","y":"{EC_Y}"}}"#);
    let ed = format!(r#"{{"kty":"OKP","kid":"ed-2025","crv":"Ed25519","x":"{ED_X}"}}"#);
    let bound = format!(r#"{{"kty":"oct","kid":"for-{other}","alg":"{other}","k":"{k}"}}"#);
    let enc = format!(
        r#"{{"kty":"oct","kid":"for-encryption","use":"enc","alg":"{algorithm}","k":"{k}"}}"#
    );
    let ops = format!(
        r#"{{"kty":"oct","kid":"for-wrapping","key_ops":["wrapKey","unwrapKey"],"k":"{k}"}}"#
    );
    vec![
        // The text of the public key as the secret.
        trap("rsa-2025", rsa, None),
        // A key without `alg` taken for an empty secret.
        trap("rsa-bare", bare, Some(b"")),
        trap("ec-2025", ec, Some(EC_X.as_bytes())),
        trap("ed-2025", ed, None),
        // These three hold the right secret and are not to be used for this.
        trap(&format!("for-{other}"), bound, Some(&secret)),
        trap("for-encryption", enc, Some(&secret)),
        trap("for-wrapping", ops, Some(&secret)),
    ]
}

/// Shared secrets whose `k` is malformed.
fn broken(algorithm: Algorithm, rng: &mut Rng) -> Vec<Trap> {
    let mut text = Vec::new();
    push_random(&mut text, rng, 44);
    let good = String::from_utf8(text).unwrap_or_default();
    let forms = [
        ("broken-text", r#","k":"not base64url!""#.to_owned()),
        ("broken-empty", r#","k":"""#.to_owned()),
        ("broken-missing", String::new()),
        ("broken-number", r#","k":1790000000"#.to_owned()),
        ("broken-null", r#","k":null"#.to_owned()),
        // No whole number of bytes has 45 characters.
        ("broken-length", format!(r#","k":"{good}A""#)),
        ("broken-alphabet", format!(r#","k":"+/{good}AA""#)),
    ];
    let trap = |(id, k): (&str, String)| Trap {
        id_json: format!("\"{id}\"").into_bytes(),
        algorithm,
        mac: Mac::new(algorithm, b""),
        jwk: format!(r#"{{"kty":"oct","kid":"{id}","alg":"{algorithm}"{k}}}"#).into_bytes(),
    };
    forms.into_iter().map(trap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::spec::Share;
    use serde_json::Value;

    fn spec(defects: &[Defect]) -> Spec {
        let defects = defects
            .iter()
            .map(|&defect| (defect, Share::from_percent(1)))
            .collect();
        Spec {
            defects,
            ..Spec::default()
        }
    }

    fn members(ring: &KeyRing) -> Vec<Value> {
        let set: Value = serde_json::from_str(&ring.jwks()).unwrap();
        set["keys"].as_array().unwrap().clone()
    }

    #[test]
    fn every_key_is_in_the_set_with_an_id_of_its_own_and_a_long_enough_secret() {
        let algorithms = Algorithm::ALL.to_vec();
        let ring = KeyRing::new(&Spec {
            algorithms,
            keys: 100,
            ..spec(&[])
        })
        .unwrap();
        let members = members(&ring);
        assert_eq!(members.len(), 100);
        let ids: BTreeSet<_> = members.iter().map(|m| m["kid"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 100);
        for (member, key) in members.iter().zip(&ring.keys) {
            let k = member["k"].as_str().unwrap();
            assert_eq!(k, base64url(&key.secret));
            let least = match member["alg"].as_str() {
                Some(alg) => alg.parse::<Algorithm>().unwrap().signature_len(),
                None => 64,
            };
            assert!(key.secret.len() >= least);
        }
        assert!(members.iter().any(|m| m["alg"].is_null()));
    }

    #[test]
    fn keys_without_an_id_are_the_last_and_are_named_by_no_kid_or_an_unknown_one() {
        let ring = KeyRing::new(&Spec {
            keys: 4,
            keys_without_id: 1,
            ..spec(&[])
        })
        .unwrap();
        let members = members(&ring);
        assert!(members[2]["kid"].is_string() && members[3]["kid"].is_null());
        let mut rng = Streams::new(1, 1).at(1);
        for _ in 0..1_000 {
            let signer = ring.draw(&mut rng);
            match ring.key(signer.key).id {
                Some(_) => assert_ne!(signer.naming, Naming::Unknown),
                None => assert_ne!(signer.naming, Naming::Own),
            }
        }
    }

    #[test]
    fn too_many_keys_leaves_one_try_too_few_and_no_valid_token_unnamed() {
        for keys in [1, 2, 3, 40] {
            let ring = KeyRing::new(&Spec {
                keys,
                ..spec(&[Defect::TooManyKeys])
            })
            .unwrap();
            let fits = members(&ring).len();
            assert!(fits >= 3);
            assert_eq!(ring.max_key_tries(), Some(u32::try_from(fits - 1).unwrap()));
            let mut rng = Streams::new(1, 1).at(1);
            assert!((0..1_000).all(|_| ring.draw(&mut rng).naming == Naming::Own));
        }
        assert_eq!(KeyRing::new(&spec(&[])).unwrap().max_key_tries(), None);
    }

    #[test]
    fn traps_are_in_the_set_only_when_asked_for() {
        assert_eq!(members(&KeyRing::new(&spec(&[])).unwrap()).len(), 3);
        let ring = KeyRing::new(&spec(&[Defect::KeyMismatch, Defect::KeyUnusable])).unwrap();
        assert_eq!(members(&ring).len(), 3 + 7 + 7);
    }

    #[test]
    fn what_the_keys_cannot_produce_is_an_error() {
        let idless = |defect| Spec {
            keys_without_id: 1,
            ..spec(&[defect])
        };
        assert!(KeyRing::new(&idless(Defect::KeyNotFound)).is_err());
        assert!(KeyRing::new(&idless(Defect::TooManyKeys)).is_err());
        let algorithms = Algorithm::ALL.to_vec();
        let every = Spec {
            algorithms,
            ..spec(&[Defect::AlgNotAllowed])
        };
        assert!(KeyRing::new(&every).is_err());
    }
}
