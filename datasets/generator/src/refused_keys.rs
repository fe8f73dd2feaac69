//! Keys that a validator must refuse: sound ones that are for something else, and malformed ones.
//!
//! Owns the members of a key set behind `key-mismatch` and `key-unusable`, and the keys that sign
//! the tokens that name them: those that a confused validator would verify with. Keys that sign
//! valid tokens are in `keys`.

use std::sync::Arc;

use super::algorithm::{Algorithm, KeyType};
use super::defect::Defect;
use super::der;
use super::key_form::spki;
use super::mac::Mac;
use super::private::PrivateKey;
use super::rng::{Rng, Streams};
use super::signing::Signing;
use super::spec::Spec;
use super::text::{base64url, push_random};

/// A key that a validator must refuse.
pub(super) struct RefusedKey {
    /// Its id as a JSON string.
    pub(super) id_json: Vec<u8>,
    /// The algorithm of the tokens that name it.
    pub(super) algorithm: Algorithm,
    /// What such tokens are signed with.
    pub(super) signing: Signing,
    /// The JWK; `None` where an earlier refused key has the same one.
    pub(super) jwk: Option<Vec<u8>>,
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

/// Keys that are well-formed and not for a token of this HMAC algorithm.
pub(super) fn mismatched(algorithm: Algorithm, rng: &mut Rng) -> Vec<RefusedKey> {
    let mut secret = [0; 64];
    rng.fill(&mut secret);
    let k = base64url(&secret);
    let other = match algorithm {
        Algorithm::Hs512 => Algorithm::Hs256,
        _ => Algorithm::Hs512,
    };
    let refused = |id: &str, jwk: String, secret: Option<&[u8]>| {
        let mac = Mac::new(algorithm, secret.unwrap_or(jwk.as_bytes()));
        RefusedKey::new(id, algorithm, Signing::Mac(mac), Some(jwk))
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
        // The text of the public key serves as the secret.
        refused("rsa-2025", rsa, None),
        // A validator may mistake a key without `alg` for an empty secret.
        refused("rsa-bare", bare, Some(b"")),
        refused("ec-2025", ec, Some(EC_X.as_bytes())),
        refused("ed-2025", ed, None),
        // The right secret in a key for another use.
        refused(&format!("for-{other}"), bound, Some(&secret)),
        refused("for-encryption", enc, Some(&secret)),
        refused("for-wrapping", ops, Some(&secret)),
    ]
}

/// Shared secrets whose `k` is malformed.
pub(super) fn unusable(algorithm: Algorithm, rng: &mut Rng) -> Vec<RefusedKey> {
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
        ("broken-alphabet", format!(r#","k":".~{good}AA""#)),
    ];
    let refused = |(id, k): (&str, String)| {
        let jwk = format!(r#"{{"kty":"oct","kid":"{id}","alg":"{algorithm}"{k}}}"#);
        let mac = Mac::new(algorithm, b"");
        RefusedKey::new(id, algorithm, Signing::Mac(mac), Some(jwk))
    };
    forms.into_iter().map(refused).collect()
}

impl RefusedKey {
    fn new(id: &str, algorithm: Algorithm, signing: Signing, jwk: Option<String>) -> RefusedKey {
        RefusedKey {
            id_json: format!("\"{id}\"").into_bytes(),
            algorithm,
            signing,
            jwk: jwk.map(String::into_bytes),
        }
    }
}

/// Makes refused keys from private keys: one of each type, since RSA keys are slow to make.
pub(super) struct RefusedKeyMaker {
    keys: Vec<Arc<PrivateKey>>,
    streams: Streams,
}

impl RefusedKeyMaker {
    pub(super) fn new(seed: u64) -> RefusedKeyMaker {
        RefusedKeyMaker {
            keys: Vec::new(),
            streams: Streams::new(seed, 0x7472_6170),
        }
    }

    fn get(&mut self, key_type: KeyType) -> Option<Arc<PrivateKey>> {
        let known = self.keys.iter().find(|key| key.key_type() == key_type);
        if let Some(key) = known {
            return Some(Arc::clone(key));
        }
        let number = u64::try_from(self.keys.len()).unwrap_or(0);
        let key = Arc::new(PrivateKey::new(key_type, &mut self.streams.at(number))?);
        self.keys.push(Arc::clone(&key));
        Some(key)
    }

    /// Well-formed keys that do not fit tokens signed with a private key, and public keys under
    /// tokens with a MAC.
    pub(super) fn mismatched(&mut self, spec: &Spec) -> Vec<RefusedKey> {
        let mut refused = Vec::new();
        let bits = &spec.rsa_bits[..spec.rsa_bits.len().min(1)];
        for &algorithm in spec.algorithms.iter().filter(|alg| !alg.is_hmac()) {
            let key_type = algorithm.key_type(0, bits);
            let other_type = other_type(key_type);
            let (Some(key), Some(other)) = (self.get(key_type), self.get(other_type)) else {
                continue;
            };
            let own = key.public_members();
            let mut add = |what: &str, members: &str, signing: &Arc<PrivateKey>| {
                let id = format!("{what}-{algorithm}");
                let jwk = format!(r#"{{"kid":"{id}",{members}}}"#);
                let signing = Signing::Private(Arc::clone(signing));
                refused.push(RefusedKey::new(&id, algorithm, signing, Some(jwk)));
            };
            let alg = format!(r#""alg":"{algorithm}""#);
            // The right key for another use.
            add("enc", &format!(r#"{own},{alg},"use":"enc""#), &key);
            let ops = r#""key_ops":["encrypt","wrapKey"]"#;
            add("ops", &format!("{own},{alg},{ops}"), &key);
            if let Some(bound) = other_algorithm(algorithm) {
                add("bound", &format!(r#"{own},"alg":"{bound}""#), &key);
            }
            // A sound key of another type or curve, which signs.
            let natural = natural_algorithm(other_type);
            let members = format!(r#"{},"alg":"{natural}""#, other.public_members());
            add("other", &members, &other);
            if matches!(key_type, KeyType::Ed25519 | KeyType::Ed448) {
                // For key agreement (RFC 8037 section 3.2).
                let members = format!(r#""kty":"OKP","crv":"X25519","x":"{ED_X}""#);
                add("agreement", &members, &key);
            }
        }
        self.confused(spec, &mut refused);
        refused
    }

    /// Public keys named by tokens with a MAC, whose secret is the public key in some encoding.
    fn confused(&mut self, spec: &Spec, refused: &mut Vec<RefusedKey>) {
        let mut hmacs = spec.algorithms.iter().copied().filter(|alg| alg.is_hmac());
        let hmac = match hmacs.next() {
            Some(hmac) => hmac,
            // Another algorithm would be refused before its key is looked at.
            None if spec.has(Defect::AlgNotAllowed) => return,
            None => Algorithm::Hs256,
        };
        for key in self.keys.clone() {
            let id = format!("public-{:?}", key.key_type())
                .replace('(', "-")
                .replace(')', "");
            let natural = natural_algorithm(key.key_type());
            let members = key.public_members();
            let jwk = format!(r#"{{"kid":"{id}",{members},"alg":"{natural}"}}"#);
            let pem = der::pem("PUBLIC KEY", &spki(&key));
            let trimmed = pem.trim_ascii_end().to_vec();
            let spaced = [b"\n ", &pem[..]].concat();
            let secrets = [
                jwk.clone().into_bytes(),
                pem,
                trimmed,
                spaced,
                spki(&key),
                key.public_bytes(),
                Vec::new(),
            ];
            let mut jwk = Some(jwk);
            for secret in secrets {
                let signing = Signing::Mac(Mac::new(hmac, &secret));
                refused.push(RefusedKey::new(&id, hmac, signing, jwk.take()));
            }
        }
    }

    /// Public keys that are malformed. The tokens are signed well.
    pub(super) fn unusable(&mut self, spec: &Spec) -> Vec<RefusedKey> {
        let mut refused = Vec::new();
        let bits = &spec.rsa_bits[..spec.rsa_bits.len().min(1)];
        for &algorithm in spec.algorithms.iter().filter(|alg| !alg.is_hmac()) {
            let Some(key) = self.get(algorithm.key_type(0, bits)) else {
                continue;
            };
            for (what, members) in spoiled(&key) {
                let id = format!("broken-{algorithm}-{what}");
                let alg = if what == "no-alg" {
                    String::new()
                } else {
                    format!(r#","alg":"{algorithm}""#)
                };
                let jwk = format!(r#"{{"kid":"{id}",{members}{alg}}}"#);
                let signing = Signing::Private(Arc::clone(&key));
                refused.push(RefusedKey::new(&id, algorithm, signing, Some(jwk)));
            }
        }
        refused
    }
}

/// A type of key that a careless comparison of names confuses with this one.
fn other_type(key_type: KeyType) -> KeyType {
    match key_type {
        KeyType::P256 => KeyType::P384,
        KeyType::P384 => KeyType::P521,
        KeyType::P521 | KeyType::Secp256k1 | KeyType::Rsa(_) | KeyType::Secret => KeyType::P256,
        KeyType::Ed25519 => KeyType::Ed448,
        KeyType::Ed448 => KeyType::Ed25519,
        KeyType::MlDsa44 => KeyType::MlDsa65,
        KeyType::MlDsa65 => KeyType::MlDsa87,
        KeyType::MlDsa87 => KeyType::MlDsa44,
    }
}

/// The algorithm that a key of this type is most often for.
fn natural_algorithm(key_type: KeyType) -> Algorithm {
    let fits = |algorithm: &&Algorithm| key_type.signs(**algorithm);
    let named = Algorithm::ALL.iter().rev().find(fits);
    match key_type {
        KeyType::Rsa(_) => Algorithm::Rs256,
        _ => named.copied().unwrap_or(Algorithm::Hs256),
    }
}

/// Another algorithm that a key of the same type can be bound to.
fn other_algorithm(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm {
        Algorithm::Rs256 => "PS256",
        Algorithm::Rs384 => "RS256",
        Algorithm::Rs512 => "RS384",
        Algorithm::Ps256 => "RS256",
        Algorithm::Ps384 => "PS512",
        Algorithm::Ps512 => "RSA-OAEP-256",
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => "ECDH-ES+A256KW",
        _ => return None,
    })
}

/// The members of a JWK, with something wrong in each.
fn spoiled(key: &PrivateKey) -> Vec<(&'static str, String)> {
    let members = key.public_members();
    let bytes = key.public_bytes();
    let cut = |name: &str| without(&members, name);
    let with = |name: &str, value: &str| format!(r#"{},"{name}":{value}"#, cut(name));
    let text = |bytes: &[u8]| format!("\"{}\"", base64url(bytes));
    match key.key_type() {
        KeyType::Rsa(_) => vec![
            ("no-n", cut("n")),
            ("no-e", cut("e")),
            ("text-n", with("n", "\"not base64url!\"")),
            ("empty-n", with("n", "\"\"")),
            ("number-n", with("n", "1790000000")),
            ("padded-e", with("e", "\"AQAB==\"")),
            ("empty-e", with("e", "\"\"")),
            // With the exponent 1 every message is its own signature.
            ("one-e", with("e", "\"AQ\"")),
        ],
        KeyType::P256 | KeyType::P384 | KeyType::P521 | KeyType::Secp256k1 => {
            let coordinates = bytes.get(1..).unwrap_or_default();
            let (x, y) = coordinates.split_at(coordinates.len() / 2);
            let zero = text(&vec![0; x.len()]);
            let mut off = y.to_vec();
            if let Some(last) = off.last_mut() {
                *last ^= 1;
            }
            let origin = format!(r#"{},"y":{zero}"#, without(&with("x", &zero), "y"));
            vec![
                ("no-x", cut("x")),
                ("no-y", cut("y")),
                ("no-crv", cut("crv")),
                ("number-x", with("x", "7")),
                // Zeros in front would change nothing.
                (
                    "short-x",
                    with("x", &text(x.split_last().map_or(x, |(_, x)| x))),
                ),
                ("long-x", with("x", &text(&[x, &[0]].concat()))),
                ("off-curve", with("y", &text(&off))),
                ("origin", origin),
            ]
        }
        KeyType::Ed25519 | KeyType::Ed448 => vec![
            ("no-x", cut("x")),
            ("no-crv", cut("crv")),
            ("null-x", with("x", "null")),
            (
                "short-x",
                with("x", &text(bytes.get(1..).unwrap_or_default())),
            ),
            ("long-x", with("x", &text(&[&bytes[..], &[0]].concat()))),
        ],
        _ => vec![
            ("no-pub", cut("pub")),
            ("no-alg", members.clone()),
            ("text-pub", with("pub", "\"not base64url!\"")),
            (
                "short-pub",
                with("pub", &text(bytes.get(1..).unwrap_or_default())),
            ),
            ("long-pub", with("pub", &text(&[&bytes[..], &[0]].concat()))),
        ],
    }
}

/// JSON members without the one of this name, which holds no comma.
fn without(members: &str, name: &str) -> String {
    let start = format!("\"{name}\":");
    let kept = members.split(',').filter(|part| !part.starts_with(&start));
    kept.collect::<Vec<_>>().join(",")
}
