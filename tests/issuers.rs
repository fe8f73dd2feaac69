//! Several issuers in one run: which policy judges a token, that only the keys of that policy may
//! have signed it, and that nothing but the issuer's exact name chooses.

use jotmill::Reason;
use serde_json::{Value, json};

use crate::hostile;
use crate::judges::{Judges, audit, comparable, output_for_log};
use crate::oracle;
use crate::token_maker::{SECRET, TokenMaker, encode};

const NOW: i64 = 1_790_000_000;
const OURS: &str = "https://auth.example.com/";
const THEIRS: &str = "https://sts.example.net/";
const THEIR_SECRET: &[u8] = b"another secret, of sixty-four bytes as well, which is theirs....";

/// Ours takes HS256 and wants an audience; theirs HS512, a `typ` and a claim, and is lenient.
fn judges() -> Judges {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let ours = oracle::Policy {
        now: (NOW, 0),
        issuers: strings(&[OURS, "https://auth.example.com/old"]),
        audiences: strings(&["api://orders"]),
        algs: Some(strings(&["HS256"])),
        ..oracle::Policy::default()
    };
    let theirs = oracle::Policy {
        now: (NOW, 0),
        leeway: 60,
        issuers: strings(&[THEIRS]),
        require: strings(&["tenant"]),
        typ: vec!["at+jwt".to_owned()],
        algs: Some(strings(&["HS512"])),
        ..oracle::Policy::default()
    };
    let set = |secret: &[u8]| {
        let k = encode(secret);
        format!(r#"{{"keys":[{{"kty":"oct","kid":"main","k":"{k}"}},{{"kty":"oct","k":"{k}"}}]}}"#)
    };
    let only_theirs = set(THEIR_SECRET).replace(
        "\"keys\":[",
        r#""keys":[{"kty":"oct","kid":"theirs alone","k":"YQ"},"#,
    );
    Judges::of_issuers([(ours, set(SECRET)), (theirs, only_theirs)])
}

fn ours(payload: &Value) -> TokenMaker {
    TokenMaker::new()
        .header(r#"{"alg":"HS256","kid":"main"}"#)
        .payload(payload.to_string())
}

fn theirs(payload: &Value) -> TokenMaker {
    TokenMaker::new()
        .header(r#"{"alg":"HS512","kid":"main","typ":"at+jwt"}"#)
        .alg("HS512")
        .secret(THEIR_SECRET)
        .payload(payload.to_string())
}

fn our_claims() -> Value {
    json!({"iss": OURS, "aud": "api://orders", "exp": NOW + 1})
}

fn their_claims() -> Value {
    json!({"iss": THEIRS, "tenant": 1, "exp": NOW - 59})
}

#[test]
fn each_issuer_is_judged_by_its_own_policy_and_keys() {
    let judges = judges();
    for (token, key) in [
        (ours(&our_claims()).sign(), "main"),
        (theirs(&their_claims()).sign(), "main#2"),
        (
            ours(&our_claims()).header(r#"{"alg":"HS256"}"#).sign(),
            "main",
        ),
        (
            ours(&our_claims())
                .header(r#"{"alg":"HS256","kid":"nobody's"}"#)
                .sign(),
            "secret-1",
        ),
    ] {
        let judged = judges.judge(&token).expect("a token");
        assert!(judged.codes.is_empty(), "{:?}", judged.codes);
        assert_eq!(judged.row["key"], *key);
    }
    let with = |mut claims: Value, name: &str, value: Value| {
        claims[name] = value;
        claims
    };
    for (token, expected) in [
        (
            ours(&with(our_claims(), "exp", (NOW - 59).into())),
            "expired",
        ),
        (
            ours(&with(our_claims(), "aud", "else".into())),
            "audience-mismatch",
        ),
        (
            theirs(&with(their_claims(), "exp", (NOW - 60).into())),
            "expired",
        ),
        (
            theirs(&with(their_claims(), "tenant", Value::Null)),
            "missing-claim",
        ),
        (
            ours(&with(
                our_claims(),
                "iss",
                "https://auth.example.com/old".into(),
            )),
            "",
        ),
        // The header is checked by the policy of the issuer that the payload names.
        (ours(&their_claims()), "alg-not-allowed"),
        (theirs(&our_claims()), "alg-not-allowed"),
        (
            theirs(&their_claims()).header(r#"{"alg":"HS512"}"#),
            "typ-mismatch",
        ),
    ] {
        assert_eq!(judges.codes(token.sign()), expected);
    }
}

#[test]
fn a_key_of_one_issuer_signs_nothing_for_another() {
    let judges = judges();
    let forged = |token: TokenMaker, secret: &[u8]| judges.codes(token.secret(secret).sign());
    assert_eq!(
        forged(ours(&our_claims()), THEIR_SECRET),
        "signature-mismatch"
    );
    assert_eq!(
        forged(theirs(&their_claims()), SECRET),
        "signature-mismatch"
    );
    // The id of a key of theirs is no id of ours: the keys of ours without one are tried.
    let header = r#"{"alg":"HS256","kid":"theirs alone"}"#;
    let token = ours(&our_claims()).header(header);
    assert_eq!(forged(token.clone(), b"a"), "signature-mismatch");
    assert_eq!(forged(token, SECRET), "");
    let no_kid = ours(&our_claims()).header(r#"{"alg":"HS256"}"#);
    assert_eq!(forged(no_kid, THEIR_SECRET), "signature-mismatch");
}

#[test]
fn a_kid_of_another_issuer_is_not_found_where_every_key_has_an_id() {
    let policy = |issuer: &str| oracle::Policy {
        now: (NOW, 0),
        issuers: vec![issuer.to_owned()],
        ..oracle::Policy::default()
    };
    let set = |kid: &str, secret: &[u8]| {
        format!(
            r#"{{"keys":[{{"kty":"oct","kid":"{kid}","k":"{}"}}]}}"#,
            encode(secret)
        )
    };
    let judges = Judges::of_issuers([
        (policy(OURS), set("ours", SECRET)),
        (policy(THEIRS), set("theirs", THEIR_SECRET)),
    ]);
    let token = |kid: &str| {
        TokenMaker::new()
            .header(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#))
            .payload(format!(r#"{{"iss":"{OURS}"}}"#))
    };
    assert_eq!(judges.codes(token("ours").sign()), "");
    let borrowed = token("theirs").secret(THEIR_SECRET);
    assert_eq!(judges.codes(borrowed.sign()), "key-not-found");
}

/// Payloads whose issuer is unreadable or in no policy, each signed by a good key.
fn unknown() -> Vec<(&'static str, TokenMaker)> {
    let text = |payload: &str| ours(&json!({})).payload(payload.replace("OURS", OURS));
    vec![
        ("absent", text(r#"{"aud":"api://orders"}"#)),
        ("another", text(r#"{"iss":"https://evil.example/"}"#)),
        ("null", text(r#"{"iss":null}"#)),
        ("a number", text(r#"{"iss":1}"#)),
        ("an array", text(r#"{"iss":["OURS"]}"#)),
        ("twice", text(r#"{"iss":"OURS","iss":"OURS"}"#)),
        (
            "twice, once escaped",
            text(r#"{"iss":"OURS","\u0069ss":"x"}"#),
        ),
        (
            "another member twice",
            text(r#"{"iss":"OURS","x":1,"x":2}"#),
        ),
        (
            "in capitals",
            text(r#"{"iss":"HTTPS://AUTH.EXAMPLE.COM/"}"#),
        ),
        ("its name in capitals", text(r#"{"ISS":"OURS"}"#)),
        ("with a blank behind", text(r#"{"iss":"OURS "}"#)),
        (
            "without its end",
            text(r#"{"iss":"https://auth.example.com"}"#),
        ),
        ("with a NUL", text(r#"{"iss":"OURS\u0000"}"#)),
        ("further down", text(r#"{"x":{"iss":"OURS"}}"#)),
        ("empty", text(r#"{"iss":""}"#)),
        ("not JSON", text(r#"{"iss":"OURS""#)),
        ("not an object", text(r#"["iss","OURS"]"#)),
        ("with a byte order mark", text("\u{feff}{\"iss\":\"OURS\"}")),
        ("no payload", ours(&json!({})).payload_segment("")),
        ("not base64url", ours(&json!({})).payload_segment("e30=")),
    ]
}

#[test]
fn an_issuer_that_no_policy_expects_is_unknown() {
    let judges = judges();
    for (name, token) in unknown() {
        assert_eq!(judges.codes(token.sign()), "issuer-unknown", "{name}");
        // It is the first code of its stage, and the signature is not verified.
        let nowhere = token.header(r#"{"alg":"HS256","kid":"nobody's"}"#);
        assert_eq!(
            judges.codes(nowhere.with_signature("!")),
            "issuer-unknown",
            "{name}"
        );
    }
    let row = judges
        .judge(&unknown()[1].1.sign())
        .expect("a token")
        .row_text;
    assert!(!row.contains("evil.example"), "{row}");
}

#[test]
fn the_spelling_of_the_member_is_that_of_json() {
    let judges = judges();
    for payload in [
        r#"{"\u0069ss":"https://auth.example.com/","aud":"api://orders"}"#,
        r#"{"aud":"api://orders" , "iss" : "https:\/\/auth.example.com\/" }"#,
    ] {
        assert_eq!(
            judges.codes(ours(&json!({})).payload(payload).sign()),
            "",
            "{payload}"
        );
    }
}

/// Header rules that need no policy apply first.
#[test]
fn header_reasons_come_before_issuer_unknown() {
    let judges = judges();
    for (header, expected) in [
        (r#"{"alg":"none"}"#, "alg-none"),
        (r#"{"alg":"HS1"}"#, "alg-unsupported"),
        (r#"{"alg":"HS256","kid":1}"#, "kid-type"),
        (r#"{"alg":"HS256","crit":[]}"#, "crit-invalid"),
        (r#"{"alg":"HS384","typ":"x"}"#, "issuer-unknown"),
        ("{", "header-json"),
    ] {
        let token = ours(&json!({"iss": "x"})).header(header);
        assert_eq!(judges.codes(token.sign()), expected, "{header}");
    }
    // Under a policy its allow-list comes before the type of kid.
    let token = ours(&our_claims()).header(r#"{"alg":"HS384","kid":1}"#);
    assert_eq!(judges.codes(token.sign()), "alg-not-allowed");
}

/// A log in which tokens of both issuers share headers and are repeated.
#[test]
fn repeated_tokens_keep_their_policy_for_any_threads_and_blocks() {
    let judges = judges();
    let header = r#"{"alg":"HS256"}"#;
    let mut lines = Vec::new();
    for round in 0..40 {
        for number in 0..20 {
            let claims = json!({
                "iss": if number % 2 == 0 { OURS } else { THEIRS },
                "aud": "api://orders", "tenant": 1, "n": number, "exp": NOW + 1
            });
            lines.push(ours(&claims).header(header).sign());
            lines.push(theirs(&claims).sign());
            let (_, token) = &unknown()[number % 12];
            lines.push(token.sign());
            if round % 7 == 0 {
                lines.push(ours(&claims).header(header).secret(THEIR_SECRET).sign());
            }
        }
    }
    let rows = rows_of(&judges, &lines);
    let log = lines.join(&b'\n');
    let repeated = audit(&judges.validator, &log[..], &judges.options());
    assert!(repeated.1.repeated > 100, "{}", repeated.1.repeated);
    assert!(rows.contains("issuer-unknown") && rows.contains("\"main#2\""));
}

/// The rows of a log, which must agree with the oracle for any number of threads and block size.
fn rows_of(judges: &Judges, lines: &[Vec<u8>]) -> String {
    let log = lines.join(&b'\n');
    let rows_with = |threads, block_bytes, cache_bytes| {
        let options = (judges.options().threads(threads))
            .block_bytes(block_bytes)
            .cache_bytes(cache_bytes);
        output_for_log(&judges.validator, &log, &options).0.rows
    };
    let rows = rows_with(1, 1 << 20, 16 << 20);
    for (threads, block_bytes, cache_bytes) in
        [(1, 4000, 16 << 20), (2, 9000, 16 << 20), (4, 1 << 16, 0)]
    {
        let other = rows_with(threads, block_bytes, cache_bytes);
        assert!(rows == other, "{threads} {block_bytes} {cache_bytes}");
    }
    let (mut found, mut offset) = (rows.lines(), 0);
    for (index, line) in lines.iter().enumerate() {
        if let Some((judgement, expected)) = judges.expected((index + 1, offset), line) {
            let row = found.next().expect("a row a token");
            let row = serde_json::from_str(row).expect("a row is JSON");
            let shown = String::from_utf8_lossy(line);
            assert_eq!(comparable(row), expected, "{shown}");
            if judgement.codes != ["too-long"] {
                let verdict = judges.validate(crate::judges::trimmed(line));
                let codes: Vec<_> = verdict.reasons.iter().map(Reason::code).collect();
                assert_eq!(codes, judgement.codes, "one token: {shown}");
            }
        }
        offset += line.len() + 1;
    }
    assert_eq!(found.next(), None, "no row without a token");
    rows
}

#[test]
fn every_judge_agrees_on_hostile_lines_of_several_issuers() {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let usual = oracle::Policy {
        now: (hostile::NOW, hostile::NOW_NANOS),
        leeway: hostile::LEEWAY,
        issuers: strings(&[hostile::ISSUER]),
        typ: vec![hostile::TYP.to_owned()],
        ..oracle::Policy::default()
    };
    let other = oracle::Policy {
        now: usual.now,
        issuers: strings(&["https://auth.example.com", "", "x", "null"]),
        algs: Some(strings(&["HS384"])),
        ..oracle::Policy::default()
    };
    let judges = Judges::of_issuers([(other, hostile::keys()), (usual, hostile::keys())]);
    // A final CR before the end of the log would be part of its token.
    let lines = hostile::cases(11).filter(|line| !line.ends_with(b"\r"));
    let lines: Vec<Vec<u8>> = lines.take(20_000).collect();
    let rows = rows_of(&judges, &lines);
    for code in [
        "issuer-unknown",
        "signature-mismatch",
        "key-not-found",
        "expired",
    ] {
        assert!(rows.contains(code), "{code}");
    }
    assert!(rows.contains("\"valid\""));
}
