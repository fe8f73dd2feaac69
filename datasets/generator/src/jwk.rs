//! Keys as JWKs (RFC 7517), and their ids.
//!
//! Owns the text of a JWK, in the orders of members that providers use. The numbers of a public key
//! are in `private`, the key set as a whole is in `keys`.

use std::collections::BTreeSet;

use super::algorithm::{Algorithm, KeyType};
use super::key_form::{KeyForm, x5c};
use super::private::PrivateKey;
use super::rng::Rng;
use super::text::{base64url, push_hex, push_random, push_uuid};

/// An id in one of the forms that identity providers use, different from all before it.
pub(super) fn new_id(
    number: u32,
    key_type: KeyType,
    rng: &mut Rng,
    ids: &mut BTreeSet<String>,
) -> String {
    let mut text = Vec::new();
    let prefix = match key_type {
        KeyType::Secret => "hs",
        KeyType::Rsa(_) => "rsa",
        KeyType::Ed25519 | KeyType::Ed448 => "ed",
        KeyType::P256 | KeyType::P384 | KeyType::P521 | KeyType::Secp256k1 => "ec",
        KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 => "ml",
    };
    match number % 16 {
        0 | 5 | 10 => text.extend_from_slice(format!("{prefix}-2026-{number:03}").as_bytes()),
        1 | 6 | 11 => push_random(&mut text, rng, 43),
        2 | 7 | 12 => push_uuid(&mut text, rng),
        3 | 8 | 13 => push_hex(&mut text, rng, 16),
        15 => text.extend_from_slice(format!("schlüssel-{number}").as_bytes()),
        _ => push_random(&mut text, rng, 27),
    }
    let mut id = String::from_utf8(text).unwrap_or_default();
    while ids.contains(&id) {
        id = format!("{id}-{number}");
    }
    ids.insert(id.clone());
    id
}

/// The JWK of a shared secret, its members in one of several orders.
pub(super) fn oct_jwk(
    number: u32,
    id_json: &[u8],
    bound: Option<Algorithm>,
    secret: &[u8],
) -> Vec<u8> {
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

/// The JWK of a private key's public half, its members in one of several orders.
pub(super) fn public_jwk(
    number: u32,
    id_json: &[u8],
    bound: Option<Algorithm>,
    form: KeyForm,
    key: &PrivateKey,
    rng: &mut Rng,
) -> Vec<u8> {
    let kid = match std::str::from_utf8(id_json) {
        Ok(id) if !id.is_empty() => format!(r#","kid":{id}"#),
        _ => String::new(),
    };
    let alg = bound.map_or(String::new(), |alg| format!(r#","alg":"{alg}""#));
    let mut members = key.public_members();
    let mut operations = r#"["verify"]"#;
    match form {
        KeyForm::PrivateJwk => {
            members.push_str(&key.private_members());
            // Who may sign may verify (and a public key that says so would be another matter).
            operations = r#"["sign"]"#;
        }
        KeyForm::X5cJwk => {
            let kty = members.split(',').next().unwrap_or_default();
            members = format!("{kty}{}", x5c(key, rng));
        }
        KeyForm::UnusualJwk => members = unusual(&members),
        _ => {}
    }
    let text = match number % 4 {
        0 => format!(r#"{{{members}{kid}{alg}}}"#),
        1 => format!(r#"{{{members}{kid},"use":"sig"{alg}}}"#),
        2 => format!(r#"{{{members}{alg}{kid},"key_ops":{operations}}}"#),
        _ => format!(r#"{{"use":"sig",{members}{kid}{alg}}}"#),
    };
    text.into_bytes()
}

/// The members of a public key in another spelling, and members that say nothing.
fn unusual(members: &str) -> String {
    let respelled = members.split(',').map(|member| {
        let Some((name, value)) = member.split_once(":\"") else {
            return member.to_owned();
        };
        let text = value.trim_end_matches('"');
        let text = match name {
            // Four characters more are three zero bytes more.
            "\"n\"" | "\"e\"" | "\"y\"" => format!("AAAA{text}"),
            "\"x\"" if members.contains("\"y\"") => format!("AAAA{text}"),
            "\"x\"" | "\"pub\"" => {
                let padding = "=".repeat((4 - text.len() % 4) % 4);
                let text = text.replace('-', "+").replace('_', "/");
                format!(" {text}{padding}")
            }
            _ => text.to_owned(),
        };
        format!("{name}:\"{text}\"")
    });
    let members: Vec<String> = respelled.collect();
    let nothing = r#""d":null,"oth":[],"x5c":[],"x5t":null"#;
    format!("{},{nothing}", members.join(","))
}
