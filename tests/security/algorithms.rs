//! The algorithm and the signature: what is not signed, signed with something else, or signed in
//! part.

use super::{judges, judges_with, shown};
use crate::judges::audit;
use crate::token_maker::{ALGORITHMS, HEADER, SECRET, TokenMaker, encode, mac};

/// The names that IANA registers and jotmill does not verify.
const OTHERS: [&str; 7] = [
    "HS1",
    "RS1",
    "dir",
    "A128KW",
    "A128GCM",
    "RSA1_5",
    "PBES2-HS256+A128KW",
];
/// The asymmetric algorithms.
const PUBLIC: [&str; 16] = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "Ed448",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// A header with this `alg` under each of the signatures that an attacker would try: none, one
/// taken from a good token, a correct one, and one made with an empty key.
fn attempts(alg: &str) -> Vec<Vec<u8>> {
    let alg = serde_json::to_string(alg).expect("JSON");
    let made = TokenMaker::new().header(format!(r#"{{"alg":{alg}}}"#));
    let taken = TokenMaker::new().mac();
    vec![
        made.with_signature(""),
        made.with_signature(encode(taken)),
        made.sign(),
        made.clone().alg("HS512").sign(),
        made.secret(*b"").sign(),
    ]
}

/// `alg: none` (CVE-2022-23540, CVE-2026-23993; Wycheproof's `rejectsNoneAlgorithm`).
#[test]
fn an_unsigned_token_is_refused_in_every_spelling_of_none() {
    let judges = judges();
    let mut lines = Vec::new();
    // Each of the four letters in either case.
    for bits in 0..16_u8 {
        let letters = "none".chars().enumerate();
        let alg: String = letters
            .map(|(place, letter)| match bits >> place & 1 {
                0 => letter,
                _ => letter.to_ascii_uppercase(),
            })
            .collect();
        for line in attempts(&alg) {
            assert_eq!(judges.codes(&line), "alg-none", "{alg}: {}", shown(&line));
            lines.push(line);
        }
    }
    let unsigned = lines.len() as u64;
    // What only looks like it: spaces, other alphabets, a NUL, nothing.
    for alg in [
        "",
        " ",
        "none ",
        " none",
        "n\u{43e}ne",
        "\u{ff4e}one",
        "none\0",
        "non",
        "null",
    ] {
        for line in attempts(alg) {
            assert_eq!(judges.codes(&line), "alg-unsupported", "{alg:?}");
            lines.push(line);
        }
    }
    // An escape equals its letter.
    for header in [r#"{"alg":"\u006eone"}"#, r#"{"\u0061lg":"none"}"#] {
        let line = TokenMaker::new().header(header).with_signature("");
        assert_eq!(judges.codes(line), "alg-none", "{header}");
    }
    for (header, code) in [
        ("{}", "alg-missing"),
        (r#"{"ALG":"HS256"}"#, "alg-missing"),
        (r#"{"alg":null}"#, "alg-type"),
        (r#"{"alg":false}"#, "alg-type"),
        (r#"{"alg":0}"#, "alg-type"),
        (r#"{"alg":[]}"#, "alg-type"),
        (r#"{"alg":["none"]}"#, "alg-type"),
        (r#"{"alg":{"none":"none"}}"#, "alg-type"),
    ] {
        let made = TokenMaker::new().header(header);
        assert_eq!(judges.codes(made.with_signature("")), code, "{header}");
        assert_eq!(judges.codes(made.sign()), code, "{header}");
    }
    // None of them goes uncounted.
    let log = lines.join(&b"\n"[..]);
    let (_, finished) = audit(&judges.validator, &log[..], &judges.options());
    let tally = &finished.report.tally;
    assert_eq!(tally.tokens.valid, 0);
    assert_eq!(tally.tokens.rejected, lines.len() as u64);
    assert_eq!(tally.reasons[jotmill::Reason::AlgNone.index()], unsigned);
}

/// No policy can allow `none`: there is no such [`jotmill::Algorithm`] to put on the list.
#[test]
fn none_cannot_be_put_on_the_allow_list() {
    for name in ["none", "None", "NONE", ""] {
        assert_eq!(jotmill::Algorithm::from_name(name), None);
    }
    assert!(
        jotmill::Algorithm::ALL
            .iter()
            .all(|algorithm| algorithm.mac_len().is_none_or(|len| len >= 32))
    );
}

/// A signature that is not there (CVE-2020-28042).
#[test]
fn an_empty_signature_is_refused_under_every_algorithm() {
    let judges = judges();
    for (alg, _) in ALGORITHMS {
        let made = TokenMaker::new().header(format!(r#"{{"alg":"{alg}"}}"#));
        assert_eq!(
            judges.codes(made.with_signature("")),
            "signature-length",
            "{alg}"
        );
        assert_eq!(
            judges.codes(made.with_signature("AA")),
            "signature-length",
            "{alg}"
        );
        assert_eq!(
            judges.codes(made.with_signature("A")),
            "signature-base64url",
            "{alg}"
        );
        assert_eq!(
            judges.codes(made.with_signature("=")),
            "signature-base64url",
            "{alg}"
        );
        // Blanks around a token are no part of it: this one is empty as well.
        assert_eq!(
            judges.codes(made.with_signature(" \t")),
            "signature-length",
            "{alg}"
        );
        // Without its last dot it is no token.
        assert_eq!(judges.codes(made.signing_input()), "segment-count", "{alg}");
    }
    for alg in OTHERS {
        for line in attempts(alg) {
            assert_eq!(judges.codes(&line), "alg-unsupported", "{alg}");
        }
    }
    // A secret verifies none of them, so that there is no key.
    for alg in PUBLIC {
        for line in attempts(alg) {
            assert_eq!(judges.codes(&line), "key-not-found", "{alg}");
        }
    }
    assert_eq!(judges.codes(".."), "header-json", "three empty segments");
}

/// MACs compared in part, or only as far as the shorter one goes (the class of CVE-2024-25189;
/// RFC 7518 section 3.2 knows no truncation).
#[test]
fn a_mac_is_compared_over_its_full_length() {
    let judges = judges();
    for (alg, len) in ALGORITHMS {
        let made = TokenMaker::new()
            .header(format!(r#"{{"alg":"{alg}"}}"#))
            .alg(alg);
        let good = made.mac();
        assert_eq!(good.len(), len);
        assert_eq!(judges.codes(made.sign()), "");
        for bit in 0..8 * len {
            let mut wrong = good.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            let line = made.with_signature(encode(wrong));
            assert_eq!(judges.codes(line), "signature-mismatch", "{alg}, bit {bit}");
        }
        for shorter in 0..len {
            let line = made.with_signature(encode(&good[..shorter]));
            assert_eq!(
                judges.codes(line),
                "signature-length",
                "{alg}, {shorter} bytes"
            );
        }
        for more in [1, 2, 16, 32, 64, 100, 20_000] {
            let longer = [&good[..], &vec![0; more]].concat();
            let line = made.with_signature(encode(longer));
            assert_eq!(
                judges.codes(line),
                "signature-length",
                "{alg}, {more} bytes more"
            );
        }
        let line = made.with_signature(encode([&good[..], &good].concat()));
        assert_eq!(judges.codes(line), "signature-length", "{alg}, twice");
        for constant in [0, 0xff] {
            let line = made.with_signature(encode(vec![constant; len]));
            assert_eq!(
                judges.codes(line),
                "signature-mismatch",
                "{alg}, {constant}"
            );
        }
    }
}

/// The header's algorithm is the one that is verified, and the MAC of another one never passes,
/// even cut or stretched to its length.
#[test]
fn the_mac_of_another_algorithm_is_refused() {
    let judges = judges();
    for (named, len) in ALGORITHMS {
        for (used, _) in ALGORITHMS.iter().filter(|(used, _)| *used != named) {
            let made = TokenMaker::new()
                .header(format!(r#"{{"alg":"{named}"}}"#))
                .alg(used);
            assert_eq!(
                judges.codes(made.sign()),
                "signature-length",
                "{used} as {named}"
            );
            let mut fitted = made.mac();
            fitted.resize(len, 0);
            let line = made.with_signature(encode(fitted));
            assert_eq!(
                judges.codes(line),
                "signature-mismatch",
                "{used} as {named}"
            );
        }
    }
}

/// The signature covers exactly this header and this payload, as encoded.
#[test]
fn a_signature_covers_header_payload_and_the_dot_between_them() {
    let judges = judges();
    let one = TokenMaker::new().payload(r#"{"sub":"one"}"#);
    let two = TokenMaker::new().payload(r#"{"sub":"two"}"#);
    assert_eq!(
        judges.codes(one.with_signature(encode(two.mac()))),
        "signature-mismatch"
    );
    // The same JSON in another spelling.
    let spaced = TokenMaker::new()
        .header(r#"{"alg": "HS256"}"#)
        .payload(r#"{"sub":"one"}"#);
    assert_eq!(
        judges.codes(spaced.with_signature(encode(one.mac()))),
        "signature-mismatch"
    );
    // MACs over less: the payload alone, no dot, the decoded segments.
    let (header, payload) = (encode(HEADER), encode(r#"{"sub":"one"}"#));
    for message in [
        payload.clone(),
        header.clone() + &payload,
        format!("{header}.{payload}."),
        format!(r#"{HEADER}.{{"sub":"one"}}"#),
        String::new(),
    ] {
        let line = one.with_signature(encode(mac("HS256", SECRET, message.as_bytes())));
        assert_eq!(judges.codes(line), "signature-mismatch", "{message}");
    }
    // The dot is moved; the other signed bytes are the same.
    let joined = header + &payload;
    let moved = TokenMaker::new()
        .header_segment(&joined[..joined.len() - 4])
        .payload_segment(&joined[joined.len() - 4..]);
    assert_ne!(judges.codes(moved.with_signature(encode(one.mac()))), "");
}

/// haproxy overran a buffer on a long ECDSA signature; a long signature is only too long.
#[test]
fn a_signature_of_any_length_is_judged() {
    let judges = judges_with("");
    for alg in ["HS256", "HS512", "ES256"] {
        let made = TokenMaker::new().header(format!(r#"{{"alg":"{alg}","kid":"main"}}"#));
        let expected = if alg == "ES256" {
            "key-mismatch"
        } else {
            "signature-length"
        };
        for len in [21_828, 21_830, 1 << 20, 4 << 20] {
            assert_eq!(
                judges.codes(made.with_signature(vec![b'A'; len])),
                expected,
                "{len}"
            );
        }
        let expected = if alg == "ES256" {
            "key-mismatch"
        } else {
            "signature-base64url"
        };
        assert_eq!(
            judges.codes(made.with_signature(vec![b'A'; 21_829])),
            expected
        );
    }
}
