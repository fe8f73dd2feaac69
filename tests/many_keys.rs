//! Key sets of thousands of keys, as an identity provider of many tenants has: the right one is
//! found wherever it stands. What that costs is for the benches to say.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jotmill::{KeySet, Policy, UnixTime, Validator};
use jotmill_datasets::{Algorithm, Dataset, Defect, Share, Spec};
use serde_json::Value;

use crate::ground_truth;
use crate::token_maker::{TokenMaker, encode};

const KEYS: u32 = 10_000;

/// Secrets and public keys in turn, all with ids, all named by the tokens.
fn spec() -> Spec {
    Spec {
        count: 3_000,
        algorithms: vec![
            Algorithm::Hs256,
            Algorithm::Es256,
            Algorithm::Hs512,
            Algorithm::Ed25519,
        ],
        keys: KEYS,
        without_kid: Share::NONE,
        defects: [
            Defect::KeyNotFound,
            Defect::KeyMismatch,
            Defect::SignatureMismatch,
        ]
        .map(|defect| (defect, Share::from_percent(5)))
        .to_vec(),
        ..Spec::default()
    }
}

#[test]
fn each_of_ten_thousand_keys_verifies_the_tokens_that_name_it() {
    ground_truth::check(spec());
    // Not a few keys over and over.
    let dataset = Dataset::new(spec()).expect("a data set");
    let mut lines = dataset.lines();
    let mut used = HashSet::new();
    while let Some(line) = lines.next() {
        used.extend(line.key.map(str::to_owned));
    }
    assert!(used.len() > 2_000, "{}", used.len());
}

/// The id and the bytes of a secret that verifies HS256.
fn secret(member: &Value) -> Option<(&str, Vec<u8>)> {
    let may = member["kty"] == "oct" && (member["alg"].is_null() || member["alg"] == "HS256");
    let id = member["kid"].as_str().filter(|_| may)?;
    let k = URL_SAFE_NO_PAD.decode(member["k"].as_str()?);
    Some((id, k.ok()?))
}

#[test]
fn the_first_the_middle_and_the_last_of_ten_thousand_keys_are_found_and_no_other_is() {
    // A defect of keys would put keys into the set that verify nothing.
    let dataset = Dataset::new(Spec {
        defects: vec![],
        ..spec()
    });
    let dataset = dataset.expect("a data set");
    let jwks = dataset.jwks();
    let document: Value = serde_json::from_str(&jwks).expect("JSON");
    let members = document["keys"].as_array().expect("keys");
    let mut keys = KeySet::new();
    keys.add_jwks(jwks.as_bytes(), "keys.json")
        .expect("usable keys");
    let count = usize::try_from(KEYS).expect("a count");
    assert_eq!(keys.len(), count);
    let now = UnixTime::new(1_790_000_000, 0).expect("a time");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    // The name of the key, or the codes.
    let judge = |kid: &str, alg: &str, secret: &[u8]| {
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        let made = TokenMaker::new().header(header).alg(alg).secret(secret);
        let verdict = validator.validate_at(&made.sign(), now);
        let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
        match verdict.key.and_then(|key| validator.keys().get(key)) {
            Some(key) if codes.is_empty() => Ok(key.name().to_owned()),
            _ => Err(codes.join(" ")),
        }
    };

    let secrets: Vec<(&str, Vec<u8>)> = members.iter().filter_map(secret).collect();
    assert!(secrets.len() > count / 5, "{}", secrets.len());
    let last = secrets.len() - 1;
    for at in [0, 1, last / 2, last - 1, last] {
        let (id, secret) = &secrets[at];
        assert_eq!(judge(id, "HS256", secret).as_deref(), Ok(*id));
        // It is this key, and none beside it.
        for other in [at.wrapping_sub(1), at + 1] {
            if let Some((_, secret)) = secrets.get(other) {
                assert_eq!(judge(id, "HS256", secret), Err("signature-mismatch".into()));
            }
        }
        for unknown in [
            format!("{id}x"),
            id.to_uppercase() + "-",
            id[1..].to_owned(),
        ] {
            let judged = judge(&unknown, "HS256", secret);
            assert_eq!(judged, Err("key-not-found".into()), "{unknown}");
        }
    }
    // A public key among them verifies no MAC, whatever is taken for the secret.
    let public = members.iter().filter(|member| member["kty"] == "EC");
    let ids: Vec<&str> = public.filter_map(|member| member["kid"].as_str()).collect();
    for id in [ids[0], ids[ids.len() / 2], ids[ids.len() - 1]] {
        for secret in [&b""[..], id.as_bytes(), encode(id).as_bytes()] {
            assert_eq!(
                judge(id, "HS256", secret),
                Err("key-mismatch".into()),
                "{id}"
            );
        }
    }
}
