//! Every reason code, each with cases that earn it and nothing else.
//!
//! One policy expects all that can be expected, one token meets it, and each case changes one
//! thing about the token. All three judges have to say the same of it.

use std::collections::BTreeSet;

use jotmill::{Reason, Stage};
use serde_json::{Map, Value, json};

use crate::judges::Judges;
use crate::oracle;
use crate::token_maker::{SECRET, TokenMaker, encode};

const NOW: i64 = 1_790_000_000;
const MAX_AGE: i64 = 3600;
const MAX_LIFETIME: i64 = 7200;
/// The longest line in bytes that is taken as a token.
const MAX_TOKEN_BYTES: usize = 4096;
/// Fewer than the three keys that share the id `triplet`.
const MAX_KEY_TRIES: usize = 2;

/// The codes that one policy without anchors cannot give: `issuers` and `anchors` have their cases.
const DOES_NOT_APPLY: [Reason; 2] = [Reason::IssuerUnknown, Reason::ChainInvalid];

fn judges() -> Judges {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let policy = oracle::Policy {
        now: (NOW, 0),
        leeway: 0,
        max_age: Some(MAX_AGE.unsigned_abs()),
        max_lifetime: Some(MAX_LIFETIME.unsigned_abs()),
        issuers: strings(&["https://auth.example.com/"]),
        audiences: strings(&["api://orders"]),
        subjects: strings(&["user-12"]),
        require: strings(&["exp", "nbf", "iat", "jti", "tenant", "scope"]),
        typ: vec!["JWT".to_owned()],
        algs: Some(strings(&["HS256", "HS512"])),
        max_token_bytes: MAX_TOKEN_BYTES,
        max_key_tries: MAX_KEY_TRIES,
        rules: oracle::Rules {
            claims: vec![
                ("level".to_owned(), oracle::Wanted::Json("3".to_owned())),
                ("level".to_owned(), oracle::Wanted::Text("three".to_owned())),
            ],
            ..oracle::Rules::default()
        },
    };
    let k = encode(SECRET);
    let jwks = format!(
        r#"{{"keys":[
            {{"kty":"oct","kid":"main","alg":"HS256","k":"{k}"}},
            {{"kty":"oct","kid":"bound to HS512","alg":"HS512","k":"{k}"}},
            {{"kty":"oct","kid":"for encryption","use":"enc","k":"{k}"}},
            {{"kty":"oct","kid":"for wrapping","key_ops":["wrapKey"],"k":"{k}"}},
            {{"kty":"OKP","kid":"rsa","crv":"X25519","x":"{k}"}},
            {{"kty":"oct","kid":"not base64url","k":"{k}="}},
            {{"kty":"oct","kid":"empty","k":""}},
            {{"kty":"oct","kid":"triplet","k":"{k}"}},
            {{"kty":"oct","kid":"triplet","k":"Yg"}},
            {{"kty":"oct","kid":"triplet","k":"Yw"}}
        ]}}"#
    );
    Judges::new(policy, &jwks)
}

/// The header that is accepted, with these members set, or removed where they are null.
fn header(changes: Value) -> String {
    changed(
        json!({"alg": "HS256", "kid": "main", "typ": "JWT"}),
        changes,
    )
}

/// The claims that are accepted, with these members set, or removed where they are null.
fn claims(changes: Value) -> String {
    let good = json!({
        "iss": "https://auth.example.com/",
        "sub": "user-12",
        "aud": ["api://billing", "api://orders"],
        "exp": NOW + 600,
        "nbf": NOW,
        "iat": NOW - 600,
        "jti": "5b8f",
        "tenant": "t-1",
        "scope": "read",
        "level": 3
    });
    changed(good, changes)
}

fn changed(good: Value, changes: Value) -> String {
    let members = |value| match value {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut object = members(good);
    for (name, value) in members(changes) {
        match value {
            Value::Null => drop(object.remove(&name)),
            _ => drop(object.insert(name, value)),
        }
    }
    Value::Object(object).to_string()
}

fn good() -> TokenMaker {
    TokenMaker::new()
        .header(header(json!({})))
        .payload(claims(json!({})))
}

/// A good token under another header.
fn headed(changes: Value) -> Vec<u8> {
    good().header(header(changes)).sign()
}

/// A good token under another header, which is text.
fn header_text(text: impl AsRef<[u8]>) -> Vec<u8> {
    good().header(text).sign()
}

/// A good token with other claims.
fn claiming(changes: Value) -> Vec<u8> {
    good().payload(claims(changes)).sign()
}

/// A good token with another payload, which is text.
fn payload_text(text: impl AsRef<[u8]>) -> Vec<u8> {
    good().payload(text).sign()
}

struct Case {
    code: &'static str,
    name: &'static str,
    line: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let groups = [
        line_and_structure(),
        header_form(),
        header_members(),
        key_and_signature(),
        payload_form(),
        claim_types(),
        claim_times(),
        claim_values(),
        claims_missing(),
        claims_of_other_values(),
    ];
    let cases = groups.into_iter().flatten();
    cases
        .map(|(code, name, line)| Case { code, name, line })
        .collect()
}

type Group = Vec<(&'static str, &'static str, Vec<u8>)>;

fn line_and_structure() -> Group {
    let padded = |len: usize| {
        let mut line = good().sign();
        line.resize(len, b' ');
        line
    };
    let good = String::from_utf8(good().sign()).expect("ASCII");
    let text = |text: String| text.into_bytes();
    vec![
        (
            "too-long",
            "a good token and too many blanks",
            padded(MAX_TOKEN_BYTES + 1),
        ),
        (
            "too-long",
            "no token at all",
            vec![b'x'; 10 * MAX_TOKEN_BYTES],
        ),
        ("segment-count", "no dot", b"eyJhbGciOiJIUzI1NiJ9".to_vec()),
        (
            "segment-count",
            "one dot",
            b"eyJhbGciOiJIUzI1NiJ9.e30".to_vec(),
        ),
        (
            "segment-count",
            "a dot behind a good token",
            text(format!("{good}.")),
        ),
        ("segment-count", "five dots", b".....".to_vec()),
        ("segment-count", "four dots", b"....".to_vec()),
        (
            "segment-count",
            "a good token with two more segments",
            text(format!("{good}.AA.AA")),
        ),
        (
            "segment-count",
            "a good token with disclosures and a key binding",
            text(format!("{good}~WyJhIl0~{good}")),
        ),
        (
            "encrypted",
            "the header of a JWE and four dots",
            text(format!(
                "{}....",
                encode(r#"{"alg":"dir","enc":"A128GCM"}"#)
            )),
        ),
        (
            "encrypted",
            "a name with an escape, and anything behind it",
            text(format!("{}.!.?.x.y", encode(r#"{"\u0065nc":1}"#))),
        ),
    ]
}

fn header_form() -> Group {
    let member = header(json!({}));
    let raw = |segment: String| good().header_segment(segment).sign();
    vec![
        (
            "header-base64url",
            "padded",
            raw(encode(r#"{"alg":"HS256" }"#) + "=="),
        ),
        (
            "header-base64url",
            "JSON as it is",
            raw(r#"{"alg":"HS256"}"#.to_owned()),
        ),
        ("header-json", "empty", header_text("")),
        (
            "header-json",
            "cut",
            header_text(&member[..member.len() - 1]),
        ),
        (
            "header-json",
            "a byte order mark",
            header_text(format!("\u{feff}{member}")),
        ),
        (
            "header-not-object",
            "an array",
            header_text(format!("[{member}]")),
        ),
        ("header-not-object", "a string", header_text(r#""HS256""#)),
        ("header-not-object", "null", header_text("null")),
        (
            "header-duplicate-member",
            "alg twice",
            header_text(r#"{"alg":"HS256","kid":"main","typ":"JWT","alg":"HS256"}"#),
        ),
        (
            "header-duplicate-member",
            "alg and its escaped spelling",
            header_text(r#"{"alg":"HS256","kid":"main","typ":"JWT","\u0061lg":"none"}"#),
        ),
    ]
}

fn header_members() -> Group {
    let null = |name: &str| {
        let text = header(json!({name: "NULL"})).replace(r#""NULL""#, "null");
        header_text(text)
    };
    let hs384 = good()
        .header(header(json!({"alg": "HS384"})))
        .alg("HS384")
        .sign();
    vec![
        ("alg-missing", "absent", headed(json!({"alg": null}))),
        (
            "alg-missing",
            "in capitals",
            headed(json!({"alg": null, "ALG": "HS256"})),
        ),
        ("alg-type", "null", null("alg")),
        ("alg-type", "an array", headed(json!({"alg": ["HS256"]}))),
        ("alg-none", "in lower case", headed(json!({"alg": "none"}))),
        ("alg-none", "in mixed case", headed(json!({"alg": "NoNe"}))),
        (
            "alg-unsupported",
            "another one that is registered",
            headed(json!({"alg": "RSA1_5"})),
        ),
        (
            "alg-unsupported",
            "in lower case",
            headed(json!({"alg": "hs256"})),
        ),
        ("alg-unsupported", "empty", headed(json!({"alg": ""}))),
        ("alg-not-allowed", "verifiable, and not on the list", hs384),
        ("kid-type", "a number", headed(json!({"kid": 1}))),
        ("kid-type", "null", null("kid")),
        ("typ-type", "an array", headed(json!({"typ": ["JWT"]}))),
        ("typ-type", "null", null("typ")),
        ("cty-type", "a truth value", headed(json!({"cty": true}))),
        ("cty-type", "null", null("cty")),
        ("typ-mismatch", "another", headed(json!({"typ": "at+jwt"}))),
        ("typ-mismatch", "absent", headed(json!({"typ": null}))),
        ("crit-invalid", "empty", headed(json!({"crit": []}))),
        (
            "crit-invalid",
            "a name that is registered",
            headed(json!({"crit": ["alg"]})),
        ),
        (
            "crit-invalid",
            "a name that is absent",
            headed(json!({"crit": ["exp"]})),
        ),
        ("b64-unsupported", "false", headed(json!({"b64": false}))),
        (
            "b64-unsupported",
            "false, and critical",
            headed(json!({"b64": false, "crit": ["b64"]})),
        ),
        (
            "crit-unsupported",
            "an extension",
            headed(json!({"x": 1, "crit": ["x"]})),
        ),
    ]
}

fn key_and_signature() -> Group {
    let good = good();
    let mac = good.mac();
    let mut wrong = mac.clone();
    wrong[31] ^= 1;
    let canonical = encode(&mac);
    vec![
        (
            "key-not-found",
            "a kid of no key",
            headed(json!({"kid": "nobody"})),
        ),
        (
            "key-mismatch",
            "bound to another alg",
            headed(json!({"kid": "bound to HS512"})),
        ),
        (
            "key-mismatch",
            "for encryption",
            headed(json!({"kid": "for encryption"})),
        ),
        (
            "key-mismatch",
            "for wrapping",
            headed(json!({"kid": "for wrapping"})),
        ),
        (
            "key-mismatch",
            "of another type",
            headed(json!({"kid": "rsa"})),
        ),
        (
            "key-unusable",
            "not base64url",
            headed(json!({"kid": "not base64url"})),
        ),
        ("key-unusable", "empty", headed(json!({"kid": "empty"}))),
        (
            "too-many-keys",
            "three of one id",
            headed(json!({"kid": "triplet"})),
        ),
        ("too-many-keys", "no kid", headed(json!({"kid": null}))),
        (
            "signature-base64url",
            "padded",
            good.with_signature(format!("{canonical}=")),
        ),
        ("signature-base64url", "a star", good.with_signature("*")),
        ("signature-length", "empty", good.with_signature("")),
        (
            "signature-length",
            "cut",
            good.with_signature(encode(&mac[..31])),
        ),
        (
            "signature-length",
            "that of HS512",
            good.clone().alg("HS512").sign(),
        ),
        (
            "signature-mismatch",
            "one bit",
            good.with_signature(encode(wrong)),
        ),
        (
            "signature-mismatch",
            "another secret",
            good.clone().secret(*b"guess").sign(),
        ),
    ]
}

fn payload_form() -> Group {
    let object = claims(json!({}));
    let raw = |segment: String| good().payload_segment(segment).sign();
    let twice = object.replacen('{', r#"{"exp":1,"#, 1);
    let escaped = object.replacen('{', r#"{"\u0061ud":"api://orders","#, 1);
    vec![
        ("payload-base64url", "padded", raw(encode("{ }") + "=")),
        (
            "payload-base64url",
            "JSON as it is",
            raw(object.clone().replace('.', "")),
        ),
        ("payload-json", "empty", payload_text("")),
        (
            "payload-json",
            "cut",
            payload_text(&object[..object.len() - 1]),
        ),
        (
            "payload-json",
            "not UTF-8",
            payload_text(b"{\"a\":\"\xff\"}"),
        ),
        (
            "payload-not-object",
            "an array",
            payload_text(format!("[{object}]")),
        ),
        ("payload-not-object", "a number", payload_text("1790000000")),
        ("payload-duplicate-member", "exp twice", payload_text(twice)),
        (
            "payload-duplicate-member",
            "aud and its escaped spelling",
            payload_text(escaped),
        ),
    ]
}

fn claim_types() -> Group {
    let null =
        |name: &str| payload_text(claims(json!({name: "NULL"})).replace(r#""NULL""#, "null"));
    vec![
        (
            "exp-type",
            "a string",
            claiming(json!({"exp": "1790000600"})),
        ),
        ("exp-type", "null", null("exp")),
        ("nbf-type", "a truth value", claiming(json!({"nbf": false}))),
        ("nbf-type", "null", null("nbf")),
        ("iat-type", "an array", claiming(json!({"iat": [NOW]}))),
        ("iat-type", "null", null("iat")),
        (
            "iss-type",
            "an array",
            claiming(json!({"iss": ["https://auth.example.com/"]})),
        ),
        ("iss-type", "null", null("iss")),
        ("sub-type", "a number", claiming(json!({"sub": 12}))),
        ("sub-type", "null", null("sub")),
        (
            "aud-type",
            "not only strings",
            claiming(json!({"aud": ["api://orders", 1]})),
        ),
        ("aud-type", "null", null("aud")),
        ("jti-type", "an object", claiming(json!({"jti": {}}))),
        ("jti-type", "null", null("jti")),
    ]
}

fn claim_times() -> Group {
    let just_after = NOW as f64 + 0.000_001;
    vec![
        (
            "expired",
            "on this very second",
            claiming(json!({"exp": NOW})),
        ),
        ("expired", "the epoch", claiming(json!({"exp": 0}))),
        (
            "not-yet-valid",
            "the next second",
            claiming(json!({"nbf": NOW + 1})),
        ),
        (
            "not-yet-valid",
            "a microsecond from now",
            claiming(json!({"nbf": just_after})),
        ),
        (
            "issued-in-future",
            "the next second",
            claiming(json!({"iat": NOW + 1})),
        ),
        (
            "too-old",
            "by a second",
            claiming(json!({"iat": NOW - MAX_AGE - 1})),
        ),
        (
            "lifetime-too-long",
            "by a second",
            claiming(json!({"iat": NOW, "exp": NOW + MAX_LIFETIME + 1})),
        ),
        (
            "lifetime-too-long",
            "beyond 64 bits",
            claiming(json!({"exp": 1e30})),
        ),
    ]
}

fn claim_values() -> Group {
    vec![
        (
            "issuer-mismatch",
            "no slash",
            claiming(json!({"iss": "https://auth.example.com"})),
        ),
        ("issuer-mismatch", "empty", claiming(json!({"iss": ""}))),
        (
            "subject-mismatch",
            "a longer one",
            claiming(json!({"sub": "user-123"})),
        ),
        ("subject-mismatch", "empty", claiming(json!({"sub": ""}))),
        (
            "audience-mismatch",
            "in capitals",
            claiming(json!({"aud": "API://ORDERS"})),
        ),
        ("audience-mismatch", "nobody", claiming(json!({"aud": []}))),
    ]
}

fn claims_missing() -> Group {
    let null = claims(json!({"tenant": "NULL"})).replace(r#""NULL""#, "null");
    vec![
        ("missing-iss", "absent", claiming(json!({"iss": null}))),
        ("missing-sub", "absent", claiming(json!({"sub": null}))),
        ("missing-aud", "absent", claiming(json!({"aud": null}))),
        ("missing-exp", "absent", claiming(json!({"exp": null}))),
        ("missing-nbf", "absent", claiming(json!({"nbf": null}))),
        ("missing-iat", "absent", claiming(json!({"iat": null}))),
        ("missing-jti", "absent", claiming(json!({"jti": null}))),
        ("missing-claim", "absent", claiming(json!({"tenant": null}))),
        ("missing-claim", "null", payload_text(null)),
    ]
}

fn claims_of_other_values() -> Group {
    vec![
        (
            "claim-mismatch",
            "another number",
            claiming(json!({"level": 4})),
        ),
        (
            "claim-mismatch",
            "a number in a string",
            claiming(json!({"level": "3"})),
        ),
        (
            "claim-mismatch",
            "an array of it",
            claiming(json!({"level": [3]})),
        ),
    ]
}

#[test]
fn the_token_that_every_case_changes_is_valid() {
    let judged = judges().judge(&good().sign()).unwrap();
    assert!(judged.verdict.is_valid());
    assert_eq!(judged.row["key"], "main");
    assert_eq!(judged.verdict.key, Some(0));
}

#[test]
fn every_case_has_exactly_its_code() {
    let judges = judges();
    for Case { code, name, line } in cases() {
        let judged = judges.judge(&line).unwrap();
        assert_eq!(judged.codes, [code], "{code}: {name}");
        assert_eq!(judged.row["reasons"], json!([code]), "{code}: {name}");
        let reason = Reason::from_code(code).unwrap();
        // A key is named, and claims are shown, from the moment the signature held.
        let held = reason.stage() > Stage::Signature;
        assert_eq!(judged.verdict.key.is_some(), held, "{code}: {name}");
        let shows_claims = ["iss", "sub", "exp", "nbf", "iat", "jti"]
            .iter()
            .any(|claim| judged.row.contains_key(*claim));
        assert_eq!(
            shows_claims,
            reason.stage() == Stage::Claims,
            "{code}: {name}"
        );
    }
}

#[test]
fn there_is_a_case_for_every_code() {
    let cases = cases();
    let covered: BTreeSet<&str> = cases.iter().map(|case| case.code).collect();
    for reason in Reason::ALL {
        let applies = !DOES_NOT_APPLY.contains(reason);
        assert_eq!(covered.contains(reason.code()), applies, "{reason}");
    }
    let names: BTreeSet<_> = cases.iter().map(|case| (case.code, case.name)).collect();
    assert_eq!(
        names.len(),
        cases.len(),
        "two cases of one code have one name"
    );
}

#[test]
fn a_log_of_every_case_has_a_row_for_each_in_order() {
    let (judges, cases) = (judges(), cases());
    let lines: Vec<&[u8]> = cases.iter().map(|case| &case.line[..]).collect();
    let options = judges.options().threads(2).block_bytes(1000);
    let log = lines.join(&b"\r\n"[..]);
    let (rows, finished) = crate::judges::audit(&judges.validator, &log[..], &options);
    assert_eq!(finished.report.tally.tokens.rejected, cases.len() as u64);
    assert_eq!(rows.lines().count(), cases.len());
    for (row, case) in rows.lines().zip(&cases) {
        let row: Value = serde_json::from_str(row).unwrap();
        assert_eq!(
            row["reasons"],
            json!([case.code]),
            "{}: {}",
            case.code,
            case.name
        );
    }
}

#[test]
fn rows_name_the_required_claims_that_are_missing_in_the_order_of_the_policy() {
    let judges = judges();
    for (changes, missing) in [
        (json!({"tenant": null}), json!(["tenant"])),
        (json!({"scope": null}), json!(["scope"])),
        (
            json!({"scope": null, "tenant": null}),
            json!(["tenant", "scope"]),
        ),
    ] {
        let judged = judges.judge(&claiming(changes)).unwrap();
        assert_eq!(judged.codes, ["missing-claim"]);
        assert_eq!(judged.row["missing"], missing);
    }
    // A registered claim has a code of its own, and what is present is not named.
    let judged = judges.judge(&claiming(json!({"jti": null}))).unwrap();
    assert!(!judged.row.contains_key("missing"));
    for present in [json!(""), json!([]), json!({}), json!(false), json!(0)] {
        let judged = judges.judge(&claiming(json!({"tenant": present}))).unwrap();
        assert!(judged.verdict.is_valid(), "{present}");
    }
}

#[test]
fn claims_have_every_code_that_applies_in_the_order_of_the_table() {
    let judges = judges();
    let codes = |payload: String| judges.codes(good().payload(payload).sign());
    assert_eq!(
        codes("{}".to_owned()),
        "missing-iss missing-sub missing-aud missing-exp missing-nbf missing-iat missing-jti \
         missing-claim"
    );
    let mistyped = r#"{"jti":1,"aud":1,"sub":1,"iss":1,"iat":"","nbf":"","exp":"","level":null}"#;
    assert_eq!(
        codes(mistyped.to_owned()),
        "exp-type nbf-type iat-type iss-type sub-type aud-type jti-type missing-claim",
        "a claim of the wrong type has no other code"
    );
    let wrong = json!({
        "exp": NOW - 1, "nbf": NOW + 1, "iat": NOW - 2 * MAX_LIFETIME,
        "iss": "x", "sub": "x", "aud": "x", "jti": null, "scope": null, "level": 2
    });
    assert_eq!(
        codes(claims(wrong)),
        "expired not-yet-valid too-old lifetime-too-long issuer-mismatch subject-mismatch \
         audience-mismatch missing-jti missing-claim claim-mismatch"
    );
    let mixed = json!({"exp": null, "nbf": "now", "iat": NOW + 1, "iss": [], "aud": []});
    assert_eq!(
        codes(claims(mixed)),
        "nbf-type iss-type issued-in-future audience-mismatch missing-exp"
    );
}

/// A token that is wrong everywhere is mended from the front: each time the next stage speaks, and
/// it alone.
#[test]
fn the_first_stage_that_fails_ends_the_judging() {
    let judges = judges();
    let bad_payload = TokenMaker::new().payload_segment("!");
    let with_header = |changes| bad_payload.clone().header(header(changes));
    let expired = good().payload(claims(json!({"exp": 1, "sub": "x"})));
    for (line, expected) in [
        (vec![b'.'; MAX_TOKEN_BYTES + 1], "too-long"),
        (b"!.!.!.!".to_vec(), "segment-count"),
        (b"!.!.!".to_vec(), "header-base64url"),
        (
            with_header(json!({"alg": "none", "kid": 1})).with_signature("!"),
            "alg-none",
        ),
        (
            with_header(json!({"kid": "nobody"})).with_signature("!"),
            "key-not-found",
        ),
        (
            with_header(json!({})).with_signature("!"),
            "signature-base64url",
        ),
        (
            with_header(json!({})).with_signature("AAAA"),
            "signature-length",
        ),
        (
            with_header(json!({})).secret(*b"guess").sign(),
            "signature-mismatch",
        ),
        (with_header(json!({})).sign(), "payload-base64url"),
        (expired.sign(), "expired subject-mismatch"),
        (good().sign(), ""),
    ] {
        let shown = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        assert_eq!(judges.codes(&line), expected, "{shown}");
    }
}
