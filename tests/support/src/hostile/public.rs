//! Hostile tokens of every algorithm: good ones of a data set, with something done to a signature, a
//! header or a key; and a key set in which most keys have had something done to them as well.
//!
//! Here nothing is signed anew. A token stays valid where what was done to it or its key changes
//! nothing that counts, as when a header is left alone or a key loses its id.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jotmill_datasets::{Algorithm, Dataset, KeyForm, Share, Spec};
use serde_json::{Value, json};

use super::token::spoil_segment;
use crate::rng::Rng;

/// Tokens that are valid under [`PublicTokens::good_keys`], and mutants of them.
pub struct PublicTokens {
    rng: Rng,
    keys: Vec<Value>,
    tokens: Vec<String>,
}

impl PublicTokens {
    /// Signs a few tokens by each of these algorithms.
    pub fn new(seed: u64, algorithms: &[Algorithm]) -> PublicTokens {
        let count = algorithms.len() as u32;
        let dataset = Dataset::new(Spec {
            count: 12 * u64::from(count),
            seed,
            algorithms: algorithms.to_vec(),
            keys: 2 * count,
            keys_without_id: count / 2,
            key_forms: vec![KeyForm::Jwk, KeyForm::PrivateJwk],
            without_kid: Share::from_percent(30),
            now: super::NOW,
            ..Spec::default()
        });
        let dataset = dataset.expect("a data set");
        let text = |token: Vec<u8>| String::from_utf8(token).expect("base64url and dots");
        let mut set: Value = serde_json::from_str(&dataset.jwks()).expect("a JWK Set");
        let keys = set["keys"].as_array_mut().map(std::mem::take);
        PublicTokens {
            rng: Rng::new(seed),
            keys: keys.expect("keys"),
            tokens: dataset.tokens().into_iter().map(text).collect(),
        }
    }

    /// The keys that signed, as a JWK Set.
    pub fn good_keys(&self) -> String {
        json!({ "keys": self.keys }).to_string()
    }

    /// A JWK Set of the same keys, good and with something done to them.
    pub fn hostile_keys(&mut self) -> String {
        let mut keys = Vec::new();
        for key in self.keys.clone() {
            let copies = self.rng.below(3);
            let first = keys.len();
            keys.push(key.clone());
            for _ in 0..copies {
                let mut key = key.clone();
                self.spoil_key(&mut key);
                keys.push(key);
            }
            // The bad one may be met first, or alone.
            let last = keys.len() - 1;
            keys.swap(first, last);
            if self.rng.one_in(4) {
                keys.pop();
            }
        }
        json!({ "keys": keys }).to_string()
    }

    fn spoil_key(&mut self, key: &mut Value) {
        const NUMBERS: [&str; 6] = ["n", "e", "x", "y", "pub", "k"];
        let rng = &mut self.rng;
        let other = self.keys[rng.below(self.keys.len())].clone();
        let numbers: Vec<&str> = NUMBERS
            .into_iter()
            .filter(|name| key.get(name).is_some())
            .collect();
        let name = numbers[rng.below(numbers.len())];
        match rng.below(17) {
            0..=4 => {
                let text = key[name].as_str().unwrap_or_default();
                let mut bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
                spoil_bytes(rng, &mut bytes);
                key[name] = URL_SAFE_NO_PAD.encode(bytes).into();
            }
            5 => {
                let mut text = key[name].as_str().unwrap_or_default().to_owned();
                spoil_segment(rng, &mut text);
                key[name] = text.into();
            }
            6 => key[name] = other[name].clone(),
            7 => {
                key.as_object_mut().map(|key| key.remove(name));
            }
            8 => {
                let names: Vec<Value> =
                    Algorithm::ALL.iter().map(|alg| alg.name().into()).collect();
                key["alg"] = names[rng.below(names.len())].clone();
            }
            9 => {
                const CURVES: [&str; 8] = [
                    "P-256",
                    "P-384",
                    "P-521",
                    "secp256k1",
                    "Ed25519",
                    "Ed448",
                    "X25519",
                    "P-192",
                ];
                key["crv"] = rng.pick(&CURVES).into();
            }
            10 => {
                key["kty"] = rng
                    .pick(&["oct", "RSA", "EC", "OKP", "AKP", "rsa", ""])
                    .into()
            }
            11 => key["use"] = rng.pick(&["sig", "enc", ""]).into(),
            12 => {
                let operations = [
                    json!(["verify"]),
                    json!(["sign"]),
                    json!([]),
                    json!("verify"),
                ];
                key["key_ops"] = operations[rng.below(4)].clone();
            }
            // Other ways to write the same number, and to say nothing.
            13 => {
                let text = key[name].as_str().unwrap_or_default();
                let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
                let zeros = vec![0; 1 + rng.below(3)];
                key[name] = URL_SAFE_NO_PAD.encode([zeros, bytes].concat()).into();
            }
            14 => {
                let text = key[name].as_str().unwrap_or_default();
                let padding = "=".repeat((4 - text.len() % 4) % 4);
                let text = match rng.below(3) {
                    0 => text.replace('-', "+").replace('_', "/"),
                    1 => format!("{text}{padding}"),
                    _ => format!("\t{text}\r\n"),
                };
                key[name] = text.into();
            }
            15 => {
                let members = [
                    ("use", Value::Null),
                    ("alg", Value::Null),
                    ("d", Value::Null),
                    ("d", "".into()),
                    ("oth", json!([])),
                    ("key_ops", Value::Null),
                ];
                let (name, value) = &members[rng.below(members.len())];
                key[*name] = value.clone();
            }
            _ => key["kid"] = other["kid"].clone(),
        }
    }

    /// The next line: sometimes a good token, mostly one with something done to it.
    pub fn line(&mut self) -> Vec<u8> {
        let rng = &mut self.rng;
        let token = &self.tokens[rng.below(self.tokens.len())];
        let other = &self.tokens[rng.below(self.tokens.len())];
        let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
        let others: Vec<&str> = other.split('.').collect();
        match rng.below(16) {
            0 | 1 => {}
            2..=7 => {
                let mut signature = URL_SAFE_NO_PAD.decode(&segments[2]).expect("base64url");
                spoil_signature(rng, &mut signature);
                segments[2] = URL_SAFE_NO_PAD.encode(signature);
            }
            8..=11 => {
                let text = URL_SAFE_NO_PAD.decode(&segments[0]).expect("base64url");
                let mut header: Value = serde_json::from_slice(&text).expect("JSON");
                let text = URL_SAFE_NO_PAD.decode(others[0]).expect("base64url");
                let other: Value = serde_json::from_slice(&text).expect("JSON");
                spoil_header(rng, &mut header, &other);
                segments[0] = URL_SAFE_NO_PAD.encode(header.to_string());
            }
            12 | 13 => {
                let at = rng.below(3);
                segments[at] = others[at].to_owned();
            }
            _ => {
                let at = rng.below(3);
                spoil_segment(rng, &mut segments[at]);
            }
        }
        segments.join(".").replace('\n', "\r").into_bytes()
    }
}

fn spoil_bytes(rng: &mut Rng, bytes: &mut Vec<u8>) {
    let at = rng.below(bytes.len().max(1));
    match rng.below(8) {
        0..=2 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << rng.below(8);
            }
        }
        3 => bytes.insert(0, 0),
        4 => bytes.push(rng.byte() & 1),
        5 => drop(bytes.pop()),
        6 => bytes.reverse(),
        _ => bytes.fill(if rng.one_in(2) { 0 } else { 0xff }),
    }
}

fn spoil_signature(rng: &mut Rng, signature: &mut Vec<u8>) {
    let half = signature.len() / 2;
    let (r, s) = signature.split_at_mut(half);
    match rng.below(10) {
        0 => r.fill(0),
        1 => s.fill(0),
        2 => s.fill(0xff),
        // The places of r and s change: `swap_with_slice` needs one length.
        3 if r.len() == s.len() => r.swap_with_slice(s),
        4 => {
            // r and s in DER, as X.509 has them.
            let der = |number: &[u8]| {
                let zeros = number.iter().take_while(|byte| **byte == 0).count();
                let number = [&[0], &number[zeros..]].concat();
                [&[2, number.len() as u8][..], &number].concat()
            };
            let both = [der(r), der(s)].concat();
            *signature = [&[0x30, 0x81, both.len() as u8][..], &both].concat();
        }
        5 => {
            // The sign of a point of EdDSA, or the topmost bit of a number.
            let at = [0, half.saturating_sub(1), half][rng.below(3)];
            if let Some(byte) = signature.get_mut(at) {
                *byte ^= 0x80;
            }
        }
        _ => spoil_bytes(rng, signature),
    }
}

fn spoil_header(rng: &mut Rng, header: &mut Value, other: &Value) {
    match rng.below(6) {
        0..=2 => {
            let names = Algorithm::ALL;
            header["alg"] = names[rng.below(names.len())].name().into();
        }
        3 => {
            header["alg"] = rng
                .pick(&["none", "rs256", "RS1", "ES256k", "ed25519", "PS"])
                .into()
        }
        4 => match other.get("kid") {
            Some(kid) => header["kid"] = kid.clone(),
            None => drop(header.as_object_mut().map(|header| header.remove("kid"))),
        },
        _ => {
            const MORE: [&str; 6] = ["jwk", "x5c", "crit", "b64", "nonce", "zip"];
            header[rng.pick(&MORE)] =
                [json!({}), json!([]), json!(["b64"]), json!(true)][rng.below(4)].clone();
        }
    }
}
