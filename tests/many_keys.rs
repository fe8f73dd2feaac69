//! Key sets of thousands of keys, as an identity provider of many tenants has: the right one is
//! found at any place. The benches measure what that costs.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jotmill::{KeySet, Policy, RunOptions, UnixTime, Validator};
use jotmill_datasets::{Algorithm, Dataset, Defect, Share, Spec};
use serde_json::Value;

use crate::ground_truth;
use crate::judges::audit;
use crate::token_maker::{TokenMaker, encode};

const KEYS: u32 = 10_000;

/// Secrets and public keys alternately, all with ids, all named by the tokens.
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
    // The tokens use many different keys.
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
    keys.add_key(jwks.as_bytes(), "keys.json")
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
    // A public key among them verifies no MAC, whichever text serves as the secret.
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

/// A service keeps its fixed keys, and adds the rotated ones to a clone. Keys added to one set are
/// in no other, and a set outlives the one that it was cloned from.
#[test]
fn a_set_and_its_clone_grow_apart_and_share_their_keys() {
    let secret =
        |id: &str| format!("{id}, a secret that is long enough for every algorithm of HMAC");
    let add = |keys: &mut KeySet, id: &str| {
        let k = encode(secret(id));
        let jwk = format!(r#"{{"kty":"oct","kid":"{id}","k":"{k}"}}"#);
        keys.add_key(jwk.as_bytes(), "set").expect("a usable key");
    };
    let sign = |id: &str| {
        let header = format!(r#"{{"alg":"HS256","kid":"{id}"}}"#);
        TokenMaker::new()
            .header(header)
            .payload("{}")
            .secret(secret(id))
            .sign()
    };
    // By the plain path and by the lanes.
    let check = |keys: KeySet, known: &[String], unknown: &str| {
        let now = UnixTime::new(1_790_000_000, 0).expect("a time");
        let validator = Validator::new(Policy::new(), keys).expect("a key");
        assert_eq!(validator.keys().len(), known.len());
        for id in known {
            let verdict = validator.validate_at(&sign(id), now);
            assert!(verdict.is_valid(), "{id}");
            let key = verdict.key.and_then(|key| validator.keys().get(key));
            assert_eq!(key.map(|key| key.name()), Some(&**id));
        }
        let codes = validator.validate_at(&sign(unknown), now).reasons;
        let codes: Vec<_> = codes.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes, ["key-not-found"]);
        let tokens: Vec<_> = known.iter().map(|id| sign(id)).collect();
        let log = tokens.join(&b'\n');
        let (_, finished) = audit(&validator, &log[..], &RunOptions::new(now));
        assert_eq!(finished.report.tally.tokens.valid, known.len() as u64);
    };
    // Around the number of secrets whose states share a chunk of memory.
    for count in [1, 2, 5, 63, 64, 65, 200] {
        let ids = |what: &str, count: usize| -> Vec<String> {
            (0..count)
                .map(|number| format!("{what}-{number}"))
                .collect()
        };
        let (fixed, first, second) = (ids("fixed", count), ids("first", 70), ids("second", 3));
        let mut original = KeySet::new();
        fixed.iter().for_each(|id| add(&mut original, id));
        let mut clone = original.clone();
        first.iter().for_each(|id| add(&mut clone, id));
        second.iter().for_each(|id| add(&mut original, id));
        check(original, &[&fixed[..], &second].concat(), "first-0");
        check(clone, &[&fixed[..], &first].concat(), "second-0");
    }
}
