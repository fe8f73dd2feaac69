//! The signatures that the RFCs print.

use jotmill::{KeySet, Policy, UnixTime, Validator};
use jotmill_test_support::rfc_vectors::VECTORS;

use crate::judges::audit;

fn validator(key: &str) -> Validator {
    let mut keys = KeySet::new();
    keys.add_key(key.as_bytes(), "the RFC")
        .expect("a sound key");
    Validator::new(Policy::new(), keys).expect("a validator")
}

fn codes(validator: &Validator, token: &[u8]) -> (String, bool) {
    // Before the tokens of RFC 7515 expired.
    let now = UnixTime::new(1_300_819_379, 0).expect("a time");
    let verdict = validator.validate_at(token, now);
    let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
    // A run says the same.
    let (_, finished) = audit(validator, token, &jotmill::RunOptions::new(now));
    let tally = &finished.report.tally;
    for code in jotmill::Reason::ALL {
        let count = u64::from(verdict.reasons.contains(*code));
        assert_eq!(tally.reasons[code.index()], count, "{code}");
    }
    (codes.join(" "), verdict.key.is_some())
}

#[test]
fn the_signatures_of_the_rfcs_hold() {
    for vector in &VECTORS {
        let (codes, holds) = codes(&validator(vector.key), vector.token.as_bytes());
        assert_eq!((&*codes, holds), (vector.codes, true), "{}", vector.source);
    }
}

#[test]
fn no_signature_of_the_rfcs_holds_with_a_bit_changed() {
    for vector in &VECTORS {
        let validator = validator(vector.key);
        let token = vector.token.as_bytes();
        let signature = token.iter().rposition(|byte| *byte == b'.').expect("a dot") + 1;
        let middle = token.iter().position(|byte| *byte == b'.').expect("a dot") + 5;
        for position in [
            middle,
            signature,
            signature + 1,
            (signature + token.len()) / 2,
        ] {
            let mut changed = token.to_vec();
            changed[position] = if changed[position] == b'B' {
                b'C'
            } else {
                b'B'
            };
            let (codes, holds) = codes(&validator, &changed);
            assert_eq!(
                (&*codes, holds),
                ("signature-mismatch", false),
                "{} {position}",
                vector.source
            );
        }
    }
}

/// A key verifies the algorithm that its own `alg` names, and no other of its type.
#[test]
fn a_key_bound_to_another_algorithm_is_a_mismatch() {
    for vector in &VECTORS {
        let other = match vector.alg {
            "RS256" => "PS256",
            "PS384" => "RS384",
            "EdDSA" => "Ed25519",
            "HS256" => "HS384",
            _ => "RS256",
        };
        let mut key: serde_json::Value = serde_json::from_str(vector.key).expect("a JWK");
        key["alg"] = vector.alg.into();
        let (found, holds) = codes(&validator(&key.to_string()), vector.token.as_bytes());
        assert_eq!((&*found, holds), (vector.codes, true), "{}", vector.source);

        key["alg"] = other.into();
        let header = vector.token.split('.').next().expect("a header");
        let names_its_key = header.len() > 30;
        let expected = if names_its_key {
            "key-mismatch"
        } else {
            "key-not-found"
        };
        let (found, holds) = codes(&validator(&key.to_string()), vector.token.as_bytes());
        assert_eq!((&*found, holds), (expected, false), "{}", vector.source);
    }
}
