//! What a report says of tokens beyond their verdicts: findings with their places, and names in
//! `crit`.

use serde_json::{Value, json};

use crate::program::{Place, code, stderr, stdout, token};
use crate::token_maker::TokenMaker;

const SECRET: &str = "a secret of thirty-two bytes, ok";
const NOW: &str = "1790000000";

fn signed(header: &str, payload: &str) -> String {
    let made = TokenMaker::new().header(header).payload(payload);
    String::from_utf8(made.secret(SECRET).sign()).expect("a token is text")
}

/// The report on these lines, as text and as JSON.
fn audit(lines: &[String], options: &[&str]) -> (String, Value) {
    let place = Place::new();
    place.write("secret", SECRET);
    place.write("log", lines.join("\n"));
    let own = ["audit", "log", "--secret-file", "secret", "--now", NOW];
    let report = |format| {
        let output = place.run(&[&own[..], options, &["--format", format]].concat());
        assert!(code(&output) < 2, "{}", stderr(&output));
        stdout(&output)
    };
    let json = serde_json::from_str(&report("json")).expect("JSON");
    let text = report("text");
    let words: Vec<&str> = text.split_whitespace().collect();
    (words.join(" "), json)
}

fn lines_of(report: &Value, code: &str) -> Vec<Value> {
    let places = report["finding_samples"][code].as_array();
    let places = places.map_or(&[][..], Vec::as_slice);
    places.iter().map(|place| place["line"].clone()).collect()
}

#[test]
fn what_explains_a_token_is_counted_with_its_first_places() {
    let good = token(SECRET, r#"{"sub":"a"}"#);
    let (covered, signature) = good.rsplit_once('.').expect("three segments");
    let (header, _) = covered.split_once('.').expect("three segments");
    let milliseconds = [
        token(SECRET, r#"{"exp":1790003600123}"#),
        token(SECRET, r#"{"nbf":1.790e12}"#),
        token(SECRET, r#"{"iat":1789990000000}"#),
        token(SECRET, r#"{"exp":253402300799}"#),
        token(SECRET, r#"{"exp":1790003600123456}"#),
    ];
    for (code, lines, count) in [
        ("date-in-milliseconds", &milliseconds[..], 3),
        (
            "padded",
            &[
                format!("{covered}.{signature}="),
                format!("{header}=.e30=.{signature}"),
            ],
            2,
        ),
        (
            "nonce-header",
            &[signed(r#"{"alg":"HS256","nonce":"n"}"#, "{}")],
            1,
        ),
        (
            "compressed",
            &[
                signed(r#"{"alg":"HS256","zip":"DEF"}"#, "deflated"),
                signed(r#"{"alg":"HS256","zip":null}"#, "{}"),
            ],
            2,
        ),
        (
            "detached",
            &[
                format!("{header}..{signature}"),
                format!("{header}.."),
                format!("?..{signature}"),
            ],
            2,
        ),
        (
            "sd-jwt",
            &[
                format!("{good}~"),
                format!("{good}~WyJhIl0~{good}"),
                format!("{covered}.~WyJhIl0~"),
                format!("{covered}~WyJhIl0~"),
            ],
            3,
        ),
        (
            "bearer-or-quoted",
            &[
                format!("Bearer {good}"),
                format!("AUTHORIZATION: bearer {good}"),
                format!("\"{good}\""),
                format!("`{good}`"),
                "Bearer opaque".to_owned(),
            ],
            4,
        ),
    ] {
        let mut log = vec![good.clone()];
        log.extend_from_slice(lines);
        let (text, report) = audit(&log, &["--input", "tokens"]);
        assert_eq!(report["findings"], json!({ code: count }), "{code}: {text}");
        let places: Vec<Value> = (2..2 + count).map(Value::from).collect();
        assert_eq!(lines_of(&report, code), places, "{code}");
        assert!(text.contains(&format!("{code}: ")), "{text}");
        assert!(text.contains(" at log:2"), "{text}");
        assert!(!text.contains("changed"), "{text}");
    }
}

/// The first places are the same for any number of threads, and repeated tokens have them too.
#[test]
fn the_first_places_of_a_finding_are_those_of_the_first_tokens() {
    let weak = token("too short", r#"{"sub":"a"}"#);
    let log = vec![weak; 20_000];
    let place = Place::new();
    place.write("secret", "too short");
    place.write("log", log.join("\n"));
    for threads in ["1", "4"] {
        let output = place.run(&[
            "audit",
            "log",
            "--secret-file",
            "secret",
            "--now",
            NOW,
            "--format",
            "json",
            "--threads",
            threads,
        ]);
        let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(report["findings"], json!({"weak-key": 20_000}));
        assert_eq!(lines_of(&report, "weak-key"), [1, 2, 3, 4, 5]);
    }
}

#[test]
fn a_padded_token_that_is_accepted_has_the_finding_too() {
    // Header and payload are whole groups of three bytes, so that only the signature is padded.
    let padded = signed(r#"{"alg":"HS256"}"#, r#"{"a":"bcde"}"#) + "=";
    for (options, valid) in [(&["--accept-padding"][..], 1), (&[], 0)] {
        let (text, report) = audit(std::slice::from_ref(&padded), options);
        assert_eq!(report["valid"], valid, "{text}");
        assert_eq!(report["findings"], json!({"padded": 1}));
    }
}

#[test]
fn names_in_crit_that_are_not_understood_are_counted() {
    let crit = |names: &[&str]| {
        let members: String = names.iter().map(|name| format!(r#","{name}":1"#)).collect();
        let names = json!(names);
        signed(
            &format!(r#"{{"alg":"HS256","crit":{names}{members}}}"#),
            "{}",
        )
    };
    let url = "http://openbanking.org.uk/iat";
    let secret = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl";
    let log = [
        crit(&["exp"]),
        crit(&["exp", url]),
        crit(&["known", "exp"]),
        crit(&["known"]),
        crit(&[secret]),
        signed(r#"{"alg":"HS256","crit":["missing"]}"#, "{}"),
    ];
    let (text, report) = audit(&log, &["--crit", "known"]);
    assert_eq!(report["reasons"]["crit-unsupported"], 4, "{text}");
    let counted = json!({"exp": 3, url: 1, "eyJhbGciOi…": 1});
    assert_eq!(report["unsupported_crits"], counted);
    assert!(
        text.contains("not understood (--crit NAME accepts one)"),
        "{text}"
    );
    assert!(!text.contains("c2lnbmF0dXJl"), "{text}");
    // The advice, followed.
    let (_, report) = audit(
        &log[..3],
        &["--crit", "known", "--crit", "exp", "--crit", url],
    );
    assert_eq!(report["valid"], 3);
    assert_eq!(report.get("unsupported_crits"), None);
}

/// The advice of the finding, followed: its certificate as an anchor makes the token valid.
#[test]
fn a_chain_to_a_certificate_given_as_a_key_is_counted_with_its_first_places() {
    let place = Place::new();
    place.write("root.cer", include_bytes!("../keyfiles/anchor.cer"));
    let anchored = include_str!("../keyfiles/anchored.jwt");
    place.write("log", format!("x.y.z\n{anchored}\n{anchored}"));
    place.write("one", anchored);
    let args = ["log", "--now", NOW, "--format", "json"];
    let output = place.run(&[&["audit", "--key", "root.cer"], &args[..]].concat());
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    let code = "x5c-chain-to-given-root";
    assert_eq!(report["rejected"], 3);
    assert_eq!(report["findings"][code], 2);
    assert_eq!(lines_of(&report, code), [2, 4]);
    let anchor = ["audit", "--anchor", "root.cer", "--anchor-name", "CN=leaf"];
    let output = place.run(&[&anchor[..], &args].concat());
    let report: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["valid"], 2);
    assert_eq!(report["findings"].get(code), None);
    let output = place.run(&[
        "inspect",
        "--key",
        "root.cer",
        "--now",
        NOW,
        anchored.trim(),
    ]);
    let page = stdout(&output);
    assert!(page.contains(code) && page.contains("--anchor"), "{page}");
    assert!(!page.contains("was changed"), "{page}");
}

/// Keys with ids, keys without one beside them, and keys of another type than those.
#[test]
fn what_a_kid_hint_would_verify_is_told_and_never_done() {
    let jwk = |secret: &str| {
        let k = base64_simd::URL_SAFE_NO_PAD.encode_to_string(secret);
        json!({"keys": [
            {"kty": "oct", "kid": "other", "k": "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI"},
            {"kty": "oct", "kid": "now", "k": k},
        ]})
    };
    let signed = |kid: &str, number: usize| {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        signed(&header, &format!(r#"{{"jti":"{number}"}}"#))
    };
    let mut log: Vec<String> = (0..3).map(|number| signed("now", number)).collect();
    let forged = signed("gone", 0);
    log.push(format!("{}AAAA", &forged[..forged.len() - 4]));
    log.extend((0..3000).map(|number| signed("gone", number)));
    let place = Place::new();
    place.write("keys.json", jwk(SECRET).to_string());
    place.write("without-id", "a secret without an id that made no token");
    place.write("log", log.join("\n"));
    for (keys, reason) in [
        (&["--jwks", "keys.json"][..], "key-not-found"),
        (
            &["--jwks", "keys.json", "--secret-file", "without-id"],
            "signature-mismatch",
        ),
    ] {
        let run = |more: &[&str]| {
            let args = ["audit", "log", "--now", NOW];
            let output = place.run(&[&args[..], keys, more].concat());
            assert!(code(&output) < 2, "{}", stderr(&output));
            stdout(&output)
        };
        for threads in ["1", "4"] {
            let json = run(&["--format", "json", "--threads", threads]);
            let report: Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(report["reasons"], json!({reason: 3001}));
            let hint = &report["kid_hint_would_verify"];
            assert_eq!(
                (&hint["verifies"], &hint["tokens"]),
                (&json!(39), &json!(40))
            );
            assert_eq!(hint["first"]["line"], 5);
        }
        let text = run(&[]);
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            text.contains("the signatures of 39 of 40 tokens tried hold"),
            "{text}"
        );
        assert!(text.contains("first at log:5"), "{text}");
        // The advice, followed.
        let report: Value =
            serde_json::from_str(&run(&["--format", "json", "--kid-hint"])).expect("JSON");
        assert_eq!(report["valid"], 3003);
        assert_eq!(report.get("kid_hint_would_verify"), None);
        for (line, is_told) in [(3, false), (4, true)] {
            let args = ["inspect", "--now", NOW, &log[line]];
            let page = stdout(&place.run(&[&args[..], keys].concat()));
            let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(
                page.contains("with --kid-hint, its signature holds"),
                is_told,
                "{page}"
            );
            assert!(!page.contains("was changed"), "{page}");
        }
    }
}

/// A key that cannot be used and that only the `kid` of rejected tokens names.
#[test]
fn an_unusable_key_that_a_kid_names_may_have_signed() {
    let place = Place::new();
    place.write("log", signed(r#"{"alg":"HS256","kid":"odd"}"#, "{}"));
    for odd in [
        json!({"kty": "XYZ", "kid": "odd"}),
        json!({"kty": "ec", "crv": "P-256", "kid": "odd"}),
    ] {
        let good = json!({"kty": "oct", "k": "b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXI"});
        place.write("keys.json", json!({"keys": [good, odd]}).to_string());
        let output = place.run(&["audit", "log", "--jwks", "keys.json", "--now", NOW]);
        let text = stdout(&output);
        assert!(text.contains("may have signed some"), "{text}");
    }
}
