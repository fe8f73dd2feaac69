//! Whole explanations: what they say, and what they never do.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jotmill::{Algorithm, Encoding, KeySet, Policy, UnixTime, Validator};
use serde_json::{Value, json};
use sha2::Sha256;

use super::columns::columns;
use super::explanation::Explanation;
use super::facts::Outcome;
use super::text;

const NOW: u64 = 1_790_000_000;
const SECRET: &[u8] = b"a secret of at least 32 bytes, please";

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A token of this header and payload, signed with HS256 by `secret`.
fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>, secret: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let mac = Hmac::<Sha256>::new_from_slice(secret)
        .unwrap()
        .chain_update(&input)
        .finalize();
    format!("{input}.{}", encode(mac.into_bytes()))
}

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT","kid":"k1"}"#;

fn token(payload: impl AsRef<[u8]>) -> String {
    signed(HEADER, payload, SECRET)
}

fn policy() -> Policy {
    Policy::new()
}

fn keys() -> KeySet {
    let mut keys = KeySet::new();
    let k = encode(SECRET);
    let set = json!({"keys": [
        {"kty": "oct", "kid": "k1", "k": k},
        {"kty": "oct", "kid": "other-alg", "alg": "HS512", "k": k},
        {"kty": "oct", "kid": "for-encryption", "use": "enc", "k": k},
        {"kty": "OKP", "kid": "rsa", "crv": "X25519", "x": "AQAB"},
        {"kty": "oct", "kid": "broken", "k": "?"},
    ]});
    keys.add_jwks(set.to_string().as_bytes(), "keys.json")
        .unwrap();
    keys
}

struct Explained {
    outcome: Outcome,
    page: String,
    json: Value,
    json_text: String,
}

impl Explained {
    /// Whether the page has these words, wherever its lines end.
    fn says(&self, words: &str) -> bool {
        let words: Vec<_> = words.split_whitespace().collect();
        let page = self.page.replace("\n?", "\n");
        page.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains(&words.join(" "))
    }

    #[track_caller]
    fn must_say(&self, words: &[&str]) {
        for words in words {
            assert!(self.says(words), "{words:?} is not in\n{}", self.page);
        }
    }

    fn codes(&self) -> Vec<&str> {
        let reasons = self.json["reasons"].as_array().unwrap();
        reasons
            .iter()
            .map(|reason| reason["code"].as_str().unwrap())
            .collect()
    }
}

fn explain_by(token: &[u8], policy: &Policy, keys: Option<KeySet>) -> Explained {
    explain_at(NOW, token, policy, keys)
}

fn explain_at(now: u64, token: &[u8], policy: &Policy, keys: Option<KeySet>) -> Explained {
    let now = UnixTime::new(now, 0).unwrap();
    let validator = keys.map(|keys| Validator::new(policy.clone(), keys).unwrap());
    let explanation = Explanation::new(token, validator.as_ref(), policy, now);
    let outcome = explanation.facts.outcome;
    let page = text::page(&explanation, 80, false);
    // Whatever the token is, these hold.
    let is_plain = |text: &str| text.chars().all(|c| c == '\n' || !c.is_control());
    let turns = |text: &str| text.contains(['\u{202e}', '\u{2066}', '\u{200f}', '\u{200b}']);
    assert!(is_plain(&page) && !turns(&page), "{page:?}");
    for line in page.lines() {
        assert!(columns(line) <= 80, "{line}");
        assert!(!line.ends_with(' '), "{line:?}");
    }
    assert!(!page.contains("a secret of at least") && !page.contains(&encode(SECRET)));
    let has_mark = page.lines().any(|line| line.starts_with('?'));
    let verdict = validator
        .as_ref()
        .map(|validator| validator.validate_at(token, now));
    let is_covered = verdict.is_some_and(|verdict| verdict.key.is_some());
    assert!(!(has_mark && is_covered), "{page}");
    assert_eq!(page.contains("NOT VERIFIED"), !is_covered, "{page}");
    match verdict {
        None => assert_eq!(outcome, Outcome::NotVerified),
        Some(verdict) => assert_eq!(outcome == Outcome::Valid, verdict.is_valid()),
    }
    // Colours add nothing but themselves.
    let colored = text::page(&explanation, 80, true);
    let mut plain = String::new();
    for (index, part) in colored.split("\u{1b}[").enumerate() {
        plain += if index == 0 {
            part
        } else {
            part.split_once('m').unwrap().1
        };
    }
    let trimmed = |text: &str| {
        text.lines()
            .map(str::trim_end)
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(trimmed(&plain), trimmed(&page));
    for width in [0, 60, 67, 120, 1000] {
        let page = text::page(&explanation, width, false);
        assert!(
            page.lines().all(|line| columns(line) <= width.max(60)),
            "{width}\n{page}"
        );
    }
    let json_text = super::json::document(&explanation);
    assert!(json_text.ends_with('\n') && is_plain(&json_text) && !turns(&json_text));
    let json: Value = serde_json::from_str(&json_text).unwrap();
    assert_eq!(json["covered_by_signature"], is_covered);
    assert_eq!(json["verified"], outcome == Outcome::Valid);
    Explained {
        outcome,
        page,
        json,
        json_text,
    }
}

fn explained(token: impl AsRef<[u8]>) -> Explained {
    explain_by(token.as_ref(), &policy(), Some(keys()))
}

fn without_key(token: impl AsRef<[u8]>) -> Explained {
    explain_by(token.as_ref(), &policy(), None)
}

#[test]
fn a_valid_token_is_shown_as_authentic() {
    let payload = format!(
        r#"{{"iss":"https://a/","aud":["x","y"],"iat":{},"exp":{},"name":"Zoë 山田"}}"#,
        NOW - 60,
        NOW + 3600
    );
    let policy = policy().issuer("https://a/").audience("y");
    let valid = explain_by(token(&payload).as_bytes(), &policy, Some(keys()));
    assert_eq!(valid.outcome, Outcome::Valid);
    valid.must_say(&[
        "VALID: the signature holds, and every rule passed",
        r#"kid "k1" names 1 key to try: "k1""#,
        r#"HS256 holds under the key "k1" from "keys.json""#,
        "header and payload are authentic",
        "exp 1790003600 2026-09-21T15:13:20Z in 1 hour",
        "iat 1789999940 2026-09-21T14:12:20Z 1 minute ago",
        "passed: iss, aud, exp, iat",
        "not compared, for want of --typ",
        r#""name": "Zoë 山田""#,
        "a JSON Web Token (RFC 7519)",
    ]);
    assert_eq!(valid.json["key"]["origin"], "keys.json");
    assert_eq!(valid.json["times"]["exp"]["words"], "in 1 hour");
    assert!(
        valid.json_text.contains(&format!("\"payload\":{payload}")),
        "as it is written"
    );
}

#[test]
fn all_failing_claims_are_shown_and_by_how_much_each_fails() {
    let payload = json!({
        "iss": "https://A", "sub": "me", "aud": "z", "nbf": NOW + 300, "iat": NOW - 7200,
        "exp": NOW - 3 * 86_400, "jti": 5, "role": null,
    });
    let policy = policy()
        .issuer("https://a/")
        .audience("y")
        .leeway(60)
        .unwrap()
        .max_age(3600)
        .unwrap()
        .require("role")
        .unwrap();
    let expired = explain_by(token(payload.to_string()).as_bytes(), &policy, Some(keys()));
    assert_eq!(expired.outcome, Outcome::Rejected);
    let codes = [
        "jti-type",
        "expired",
        "not-yet-valid",
        "too-old",
        "issuer-mismatch",
        "audience-mismatch",
        "missing-claim",
    ];
    assert_eq!(expired.codes(), codes);
    expired.must_say(&[
        "expired: now is on or after exp (RFC 7519 section 4.1.4)",
        "it expired 3 days ago; the leeway of 1 minute does not reach",
        "it becomes valid in 5 minutes",
        "it was issued 2 hours ago; --max-age is 1 hour",
        r#"iss is "https://A"; expected "https://a/""#,
        "they differ only in case, a final slash or white space",
        r#"aud is "z"; expected "y""#,
        "jti is a number: 5",
        r#""role" is null"#,
    ]);
    assert!(!expired.page.contains("\n?"), "the signature holds");
}

#[test]
fn a_lifetime_and_a_missing_claim_name_their_option() {
    let policy = policy()
        .max_lifetime(60)
        .unwrap()
        .subject("me")
        .require("nbf")
        .unwrap();
    let payload = json!({"iat": NOW, "exp": NOW + 3600});
    let long = explain_by(token(payload.to_string()).as_bytes(), &policy, Some(keys()));
    assert_eq!(
        long.codes(),
        ["lifetime-too-long", "missing-sub", "missing-nbf"]
    );
    long.must_say(&[
        "exp is 1 hour after iat; --max-lifetime is 1 minute",
        "--subject asks for it",
        "--require asks for it",
    ]);
}

#[test]
fn the_leeway_is_shown_where_it_matters() {
    let payload = json!({"exp": NOW - 20, "iat": NOW + 20}).to_string();
    let policy = policy().leeway(60).unwrap();
    let valid = explain_by(token(&payload).as_bytes(), &policy, Some(keys()));
    assert_eq!(valid.outcome, Outcome::Valid);
    valid.must_say(&[
        "expired 20 seconds ago, within the leeway",
        "in 20 seconds, within the leeway",
        "the leeway is 1 minute",
    ]);
    assert!(!explained(token(&payload)).says("within the leeway"));
    assert!(!explain_by(token(&payload).as_bytes(), &policy, None).says("within the leeway"));
}

#[test]
fn without_a_key_every_line_of_content_is_marked_and_nothing_is_verified() {
    let unverified = without_key(token(
        json!({"secret-claim": "x", "exp": NOW + 5}).to_string(),
    ));
    assert_eq!(unverified.outcome, Outcome::NotVerified);
    unverified.must_say(&[
        "NOT VERIFIED: no key was given",
        "(--secret-file)",
        "(--jwks)",
    ]);
    assert!(unverified.codes().is_empty());
    assert_eq!(unverified.json["verdict"], "not-verified");
    for word in ["HS256", "secret-claim", "1790000005", "in 5 seconds", "k1"] {
        let mut lines = unverified
            .page
            .lines()
            .filter(|line| line.contains(word))
            .peekable();
        assert!(lines.peek().is_some(), "{word}");
        assert!(
            lines.all(|line| line.starts_with("? ")),
            "{word}\n{}",
            unverified.page
        );
    }
    assert!(!unverified.page.contains("authentic"));
    assert!(
        !unverified.says("VALID"),
        "beside NOT VERIFIED there is no VALID"
    );
}

#[test]
fn a_token_made_with_the_key_that_stands_in_for_none_is_not_verified() {
    let forged = signed(r#"{"alg":"HS256"}"#, "{}", &[1; 64]);
    let forged = without_key(forged);
    assert_eq!(forged.outcome, Outcome::NotVerified);
    assert!(forged.json["key"].is_null());
    assert_eq!(forged.json["findings"], json!([]));
    assert!(!forged.says("weak") && !forged.says("authentic"));
}

#[test]
fn a_token_that_no_key_makes_valid_says_so_without_a_key() {
    for (token, code) in [
        (
            format!("{}.{}.", encode(r#"{"alg":"None"}"#), encode("{}")),
            "alg-none",
        ),
        (signed("[]", "{}", SECRET), "header-not-object"),
        (token("{}") + "*", "signature-base64url"),
        (
            token("{}")[..token("{}").len() - 3].to_owned(),
            "signature-length",
        ),
        ("a.b".to_owned(), "segment-count"),
    ] {
        let bad = without_key(&token);
        assert_eq!(bad.outcome, Outcome::NotVerified);
        assert_eq!(bad.codes(), [code]);
        bad.must_say(&["Whatever the key, jotmill rejects it:", code]);
    }
}

#[test]
fn a_signature_that_does_not_hold_tells_what_was_tried() {
    let forged = explained(signed(HEADER, r#"{"admin":true}"#, b"guess"));
    assert_eq!(forged.codes(), ["signature-mismatch"]);
    forged.must_say(&[r#"1 key tried: "k1""#, "--secret-file base64:PATH"]);
    assert!(
        forged.page.contains("?     \"admin\": true"),
        "{}",
        forged.page
    );
    let good = token("{}");
    let short = explained(&good[..good.len() - 3]);
    short.must_say(&["it has 30 bytes; HS256 has 32; is it cut short?"]);
    explained(format!("{good}*")).must_say(&[r#"character 44 is "*", which is not in"#]);
    let unsigned = explained(good.rsplit_once('.').unwrap().0.to_owned() + ".");
    unsigned.must_say(&["it has 0 bytes; HS256 has 32; it is not signed at all"]);
}

#[test]
fn a_key_that_cannot_be_chosen_is_explained() {
    for (kid, code, words) in [
        (
            "nobody",
            "key-not-found",
            r#"kid "nobody" is the id of no key"#,
        ),
        (
            "other-alg",
            "key-mismatch",
            r#"key "other-alg" from "keys.json": it is a secret, bound to "HS512" by its alg"#,
        ),
        (
            "for-encryption",
            "key-mismatch",
            r#"it is a secret, for "enc" by its use (RFC 7517 section 4.2)"#,
        ),
        (
            "rsa",
            "key-mismatch",
            r#"keys[3] of "keys.json" is set aside: crv"#,
        ),
        (
            "broken",
            "key-unusable",
            r#"keys[4] of "keys.json" is set aside: k: not base64url"#,
        ),
    ] {
        let header = json!({"alg": "HS256", "kid": kid}).to_string();
        let rejected = explained(signed(header, "{}", SECRET));
        assert_eq!(rejected.codes(), [code]);
        rejected.must_say(&[words]);
    }
    let mut anonymous = KeySet::new();
    for secret in [b"one".as_slice(), b"two", SECRET] {
        anonymous
            .add_encoded_secret(secret, Encoding::Raw, "file")
            .unwrap();
    }
    let header = r#"{"alg":"HS256","kid":"x"}"#;
    let found = explain_by(
        signed(header, "{}", b"two").as_bytes(),
        &policy(),
        Some(anonymous),
    );
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&[
        r#"kid "x" is the id of no key; 3 keys without an id are tried: "secret-1", "secret-2""#,
        r#"holds under the key "secret-2" from "file""#,
        "weak-key: the secret is shorter than the 32 bytes",
    ]);
    let few = policy().max_key_tries(2).unwrap();
    let many = explain_by(
        signed(r#"{"alg":"HS256"}"#, "{}", SECRET).as_bytes(),
        &few,
        {
            let mut keys = KeySet::new();
            (0..3).for_each(|_| keys.add_secret(SECRET, "file").unwrap());
            Some(keys)
        },
    );
    assert_eq!(many.codes(), ["too-many-keys"]);
    many.must_say(&["3 keys fit HS256; the limit is 2"]);
}

#[test]
fn every_fault_of_a_header_is_explained() {
    let only_hs512 = [Algorithm::Hs512].into_iter().collect();
    let strict = policy().typ("at+jwt");
    for (policy, header, code, words) in [
        (
            policy(),
            r#"{"alg":"none"}"#,
            "alg-none",
            "anyone can write such a token",
        ),
        (
            policy(),
            r#"{"alg":"RSA1_5"}"#,
            "alg-unsupported",
            "encrypted with RSA",
        ),
        (
            policy(),
            r#"{"alg":"hs256"}"#,
            "alg-unsupported",
            "are case-sensitive: HS256",
        ),
        (
            policy(),
            r#"{}"#,
            "alg-missing",
            "the header names no algorithm",
        ),
        (
            policy(),
            r#"{"alg":["HS256"]}"#,
            "alg-type",
            r#"alg is an array: ["HS256"]"#,
        ),
        (
            policy().algorithms(only_hs512),
            HEADER,
            "alg-not-allowed",
            "--alg allows HS512",
        ),
        (
            policy(),
            r#"{"alg":"HS256","kid":7}"#,
            "kid-type",
            "kid is a number: 7",
        ),
        (
            strict.clone(),
            HEADER,
            "typ-mismatch",
            r#"typ is "JWT"; --typ expects "at+jwt""#,
        ),
        (
            strict,
            r#"{"alg":"HS256"}"#,
            "typ-mismatch",
            "there is no typ; --typ expects",
        ),
        (
            policy(),
            r#"{"alg":"HS256","crit":["x"]}"#,
            "crit-invalid",
            r#"crit is ["x"]"#,
        ),
        (
            policy(),
            r#"{"alg":"HS256","b64":false}"#,
            "b64-unsupported",
            "b64 is false",
        ),
        (
            policy(),
            r#"{"alg":"HS256","x":1,"crit":["x"]}"#,
            "crit-unsupported",
            "crit is",
        ),
        (
            policy(),
            r#"{"alg":"HS256","alg":"none"}"#,
            "header-duplicate-member",
            r#""alg" occurs 2 times: "HS256" and "none""#,
        ),
        (
            policy(),
            r#"{"alg":"HS256",}"#,
            "header-json",
            "at line 1 column 16",
        ),
        (
            policy(),
            r#"["HS256"]"#,
            "header-not-object",
            "it is an array",
        ),
    ] {
        let rejected = explain_by(
            signed(header, "{}", SECRET).as_bytes(),
            &policy,
            Some(keys()),
        );
        assert_eq!(rejected.codes(), [code], "{header}");
        rejected.must_say(&[words]);
    }
}

#[test]
fn a_header_that_brings_a_key_is_a_finding() {
    let header = r#"{"alg":"HS256","kid":"k1","jwk":{},"jku":"u","x5c":[],"x5u":"u"}"#;
    let found = explained(signed(header, "{}", SECRET));
    assert_eq!(found.outcome, Outcome::Valid);
    for code in ["jwk-header", "jku-header", "x5c-header", "x5u-header"] {
        found.must_say(&[code]);
    }
    assert_eq!(found.json["findings"].as_array().unwrap().len(), 4);
}

#[test]
fn the_greater_s_of_ecdsa_is_shown_with_the_signature() {
    // RFC 7515 appendix A.3.
    let token = concat!(
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5d",
        "jxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
    );
    let key = concat!(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","#,
        r#""y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let mut keys = KeySet::new();
    keys.add_jwks(key.as_bytes(), "RFC 7515 A.3").unwrap();
    let found = explain_at(1_300_819_379, token.as_bytes(), &policy(), Some(keys));
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&["ecdsa-high-s: of the two signatures"]);
    let count = found.page.matches("ecdsa-high-s").count();
    assert_eq!(count, 1, "not with the header as well");
    let findings = found.json["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0]["code"], "ecdsa-high-s");
}

#[test]
fn the_wrong_number_of_segments_is_counted() {
    let good = token(r#"{"sub":"me"}"#);
    let two = explained(good.rsplit_once('.').unwrap().0);
    two.must_say(&["there is 1 dot; the signature is missing", r#""sub": "me""#]);
    explained("opaque").must_say(&["there is no dot at all"]);
    explained(format!("{good}.x")).must_say(&["there are 3 dots"]);
    let many = explained(".".repeat(1000));
    many.must_say(&["there are 1,000 dots", "and 995 segments more"]);
    assert!(many.page.lines().count() < 60);
    let jwe = explained(format!(
        "{}.a.b.c.d",
        encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)
    ));
    assert_eq!(jwe.codes(), ["encrypted"]);
    jwe.must_say(&[
        r#"alg "RSA-OAEP""#,
        r#"enc "A256GCM""#,
        "authentication tag",
        "encrypted",
    ]);
    assert!(jwe.json["payload"].is_null());
}

#[test]
fn bad_base64url_has_a_place_and_is_shown_as_far_as_it_goes() {
    let good = token(r#"{"sub":"me"}"#);
    let (header, rest) = good.split_once('.').unwrap();
    let padded = explained(format!("{header}=.{rest}"));
    assert_eq!(padded.codes(), ["header-base64url"]);
    padded.must_say(&[
        &format!(
            "character {} is \"=\": base64url in a token has no padding",
            header.len() + 1
        ),
        "decoded in spite of that, for display only",
        r#""alg": "HS256""#,
    ]);
    let broken = explained(format!("{}*{}.{rest}", &header[..20], &header[20..]));
    broken.must_say(&["character 21 is \"*\"", "begins with:", r#"{"alg":"HS256""#]);
    let bearer = explained(format!("bEaReR {good}"));
    assert_eq!(bearer.codes(), ["header-base64url"]);
    bearer.must_say(&["drop the word Bearer"]);
    explained(format!("\"{good}\"")).must_say(&["drop the quotes"]);
    // In the payload it is found after the signature only.
    let payload = signed(HEADER, "{}", SECRET).replace(&encode("{}"), "e30=");
    explained(payload).must_say(&["base64url: character 4 is \"=\""]);
}

#[test]
fn bad_json_has_a_place() {
    let bad = explained(token("{\"a\":1,\n \"exp\":tru}"));
    assert_eq!(bad.codes(), ["payload-json"]);
    bad.must_say(&["at line 2 column 11", "\"exp\":tru}"]);
    explained(token(b"\xff\xfe")).must_say(&["byte 1 is not UTF-8", "2 bytes that are no text"]);
    explained(token("")).must_say(&["there is nothing"]);
    explained(token("\u{feff}{}")).must_say(&["byte order mark"]);
    explained(token("[1]")).must_say(&["it is an array"]);
    for levels in [64, 65, 100, 127, 128, 200, 100_000] {
        let deep = format!(
            "{{\"a\":{}{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        );
        let deep = explained(token(deep));
        assert_eq!(deep.outcome == Outcome::Valid, levels == 64, "{levels}");
        assert!(deep.page.lines().count() < 200);
        if (65..128).contains(&levels) {
            deep.must_say(&["it is nested deeper than 64 levels, at line 1 column 69"]);
        }
    }
}

#[test]
fn a_member_that_occurs_twice_is_named_and_no_value_is_taken_for_it() {
    let twice = explained(token(r#"{"exp":1,"\u0065xp":1790003600}"#));
    assert_eq!(twice.codes(), ["payload-duplicate-member"]);
    twice.must_say(&[
        r#""exp" occurs 2 times, once written with escapes: 1 and 1790003600"#,
        r#"a name is written with escapes: it is "exp""#,
        "expired 56 years ago",
        "in 1 hour",
    ]);
    assert!(twice.json["times"]["exp"].is_null());
    assert_eq!(
        twice.json["payload_problems"],
        json!(["a member occurs twice: exp"])
    );
}

#[test]
fn hostile_strings_are_escaped_wherever_they_stand() {
    let evil = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\u{2066}\u{200b}\u{9b}1m\r\nVALID: all is well\n";
    let header = json!({"alg": "HS256", "kid": evil, "typ": evil, evil: evil}).to_string();
    let payload = json!({"iss": evil, "aud": [evil], "exp": evil, evil: {evil: evil}}).to_string();
    let policy = policy()
        .issuer(evil)
        .audience("x")
        .require(evil)
        .unwrap()
        .typ(evil);
    let mut named = KeySet::new();
    let set = json!({"kty": "oct", "kid": evil, "k": encode(SECRET)}).to_string();
    named.add_jwks(set.as_bytes(), evil).unwrap();
    // The checks that hold for every page are the test.
    let token = signed(&header, &payload, SECRET);
    let found = explain_by(token.as_bytes(), &policy, Some(named));
    assert_eq!(found.codes(), ["exp-type", "audience-mismatch"]);
    let not_found = explain_by(token.as_bytes(), &policy, Some(keys()));
    assert_eq!(not_found.codes(), ["key-not-found"]);
    for page in [found.page, not_found.page, without_key(&token).page] {
        assert!(
            !page
                .lines()
                .any(|line| line.trim_start().starts_with("VALID: all")),
            "{page}"
        );
    }
    let name = Value::from(evil);
    let twice = explained(self::token(format!("{{{name}:1,{name}:2}}")));
    assert_eq!(twice.codes(), ["payload-duplicate-member"]);
    explained(evil);
    explained(evil.repeat(3).replace('\n', "."));
    explained(format!("{}{evil}.{evil}.{evil}", encode(header)));
}

#[test]
fn times_far_away_are_shown_and_never_wrap() {
    let payload = r#"{"exp":1e308,"nbf":-1e308,"iat":-0.5,"auth_time":1790003600123,
        "updated_at":123456789012345678901234567890123456789012345678901234567890123456789.5}"#;
    let far = explained(token(payload));
    assert_eq!(far.outcome, Outcome::Valid);
    far.must_say(&[
        "exp 1e308 after 9999 in more than a million years",
        "nbf -1e308 before 1970 more than a million years ago",
        "iat -0.5 before 1970 56 years ago",
        "in milliseconds? That would be 2026-09-21T15:13:20.123Z",
    ]);
    assert_eq!(far.json["times"]["exp"]["seconds_from_now"], 1e308);
    let fractional = explained(token(r#"{"exp":1790000000.25}"#));
    fractional.must_say(&["2026-09-21T14:13:20.25Z", "in 0.25 seconds"]);
    explained(token(r#"{"exp":1790000000}"#)).must_say(&["it expires right now", "expires now"]);
    explained(token(r#"{"exp":-1e308}"#)).must_say(&["it expired more than a million years ago"]);
}

#[test]
fn a_giant_is_cut_and_does_not_take_long() {
    let names: Vec<String> = (0..20_000)
        .map(|n| format!("\"n{n}\":0,\"n{n}\":1"))
        .collect();
    let start = Instant::now();
    for payload in [
        json!({"groups": vec!["g"; 100_000], "exp": NOW + 5}).to_string(),
        json!({"x": "\u{202e}".repeat(200_000)}).to_string(),
        format!("{{{}}}", names.join(",")),
        format!("{{{}}}", vec!["\"exp\":1"; 50_000].join(",")),
        format!("{{\"a\":[{}]}}", vec!["[]"; 200_000].join(",")),
        format!("{{\"a\":\"{}\u{1}\"}}", "x".repeat(700_000)),
        "[".repeat(700_000),
    ] {
        let giant = explained(token(payload));
        assert!(
            giant.page.lines().count() < 250,
            "{}",
            giant.page.lines().count()
        );
        assert!(giant.page.len() < 30_000);
    }
    assert!(start.elapsed().as_secs() < 120, "{:?}", start.elapsed());
    let long = explained(token(json!({"x": "y".repeat(5000)}).to_string()));
    long.must_say(&["… (5,007 characters)"]);
    let many = explained(token(json!({"groups": vec!["g"; 1000]}).to_string()));
    many.must_say(&["cut after 150 lines"]);
    assert_eq!(
        many.json["payload"]["groups"].as_array().unwrap().len(),
        1000
    );
    let too_long = explain_by(
        &[b'a'; 100],
        &policy().max_token_bytes(99).unwrap(),
        Some(keys()),
    );
    assert_eq!(too_long.codes(), ["too-long"]);
    too_long.must_say(&["it has 100 bytes; the limit is 99 (--max-token-bytes)"]);
}

#[test]
fn empty_input_is_explained() {
    let empty = explained("");
    assert_eq!(empty.codes(), ["segment-count"]);
    empty.must_say(&["the input is empty", "there is nothing"]);
    assert_eq!(without_key("").outcome, Outcome::NotVerified);
}

#[test]
fn random_changes_to_a_token_are_always_explained() {
    let good = token(r#"{"iss":"a","exp":1790003600,"x":["\u00e9",{"y":null}]}"#).into_bytes();
    let mut state = 7_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 40).unwrap()
    };
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..=random() % 3 {
            let at = random() % bad.len();
            match random() % 4 {
                0 => bad[at] = random().to_le_bytes()[0],
                1 => bad.insert(at, b"._-=A\n\xff"[random() % 7]),
                2 => drop(bad.remove(at)),
                _ => bad.truncate(at.max(1)),
            }
        }
        // The checks that hold for every page are the test.
        explained(&bad);
        without_key(&bad);
    }
}

/// Keys and certificates by OpenSSL, made for the tests under `tests/`.
macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/keyfiles/", $name))
    };
}

/// A token signed with the private key of `ec.pub` and `ec.crt`.
fn signed_by_ec(header: &str) -> String {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};

    let pem = String::from_utf8_lossy(file!("ec.p8"));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::engine::general_purpose::STANDARD
        .decode(body)
        .unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der).unwrap();
    let input = format!("{}.{}", encode(header), encode("{}"));
    let random = aws_lc_rs::rand::SystemRandom::new();
    let signature = pair.sign(&random, input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

fn files(files: &[(&str, &[u8])]) -> KeySet {
    let mut keys = KeySet::new();
    for (name, file) in files {
        keys.add_key(file, name).unwrap();
    }
    keys
}

#[test]
fn the_public_key_that_verified_is_described() {
    let token = signed_by_ec(r#"{"alg":"ES256"}"#);
    let explain = |keys| explain_by(token.as_bytes(), &policy(), Some(keys));
    let keys = files(&[("ed.pub", file!("ed.pub")), ("ec.pub", file!("ec.pub"))]);
    let thumbprint = keys.get(1).unwrap().thumbprint().unwrap();
    let found = explain(keys);
    assert_eq!(found.outcome, Outcome::Valid);
    found.must_say(&[&format!(
        r#"ES256 holds under the key "{thumbprint}" from "ec.pub" it is an EC key on P-256"#
    )]);
    assert!(!found.says("certificate") && !found.says("its thumbprint"));
    let key = &found.json["key"];
    assert_eq!(
        (&key["kty"], &key["subtype"]),
        (&json!("EC"), &json!("P-256"))
    );
    assert_eq!(key["bits"], 256);
    assert_eq!(key["thumbprint"], *thumbprint);
    assert_eq!(
        (&key["validity"], &key["findings"]),
        (&Value::Null, &json!([]))
    );

    // NOW is before the certificate was made.
    let found = explain(files(&[("ec.crt", file!("ec.crt"))]));
    found.must_say(&[
        "its certificate is valid from 20",
        "certificate-not-yet-valid: its certificate is not valid yet",
    ]);
    let key = &found.json["key"];
    assert!(key["validity"]["not_after"].is_string());
    assert_eq!(key["findings"], json!(["certificate-not-yet-valid"]));

    let found = explain(files(&[("ec.p8", file!("ec.p8"))]));
    found.must_say(&["private-material: the file holds the private key"]);
}

#[test]
fn a_key_with_an_id_has_its_thumbprint_beside_it() {
    let numbers = files(&[("ec.pub", file!("ec.pub"))]);
    let thumbprint = numbers.get(0).unwrap().thumbprint().unwrap();
    let pem = String::from_utf8_lossy(file!("ec.crt"));
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let mut keys = KeySet::new();
    let jwk = json!({"kty": "EC", "kid": "k", "alg": "ES256", "x5c": [body]});
    keys.add_jwks(jwk.to_string().as_bytes(), "keys.json")
        .unwrap();
    let token = signed_by_ec(r#"{"alg":"ES256","kid":"k"}"#);
    let found = explain_by(token.as_bytes(), &policy(), Some(keys));
    found.must_say(&[
        r#"kid "k" names 1 key to try: "k""#,
        &format!("its thumbprint is {thumbprint} (RFC 7638)"),
    ]);
}

#[test]
fn a_public_key_that_does_not_fit_is_explained() {
    let rsa_n = "w".repeat(342);
    let set = json!({"keys": [
        {"kty": "oct", "kid": "oct", "k": encode(SECRET)},
        {"kty": "RSA", "kid": "short", "n": encode([0xff; 128]), "e": "AQAB"},
        {"kty": "RSA", "kid": "factor", "n": rsa_n, "e": "AQAB"},
        {"kty": "OKP", "kid": "low", "crv": "Ed25519", "x": encode([0; 32])},
    ]});
    let keys = |more: &[(&str, &[u8])]| {
        let mut keys = files(more);
        keys.add_jwks(set.to_string().as_bytes(), "keys.json")
            .unwrap();
        keys
    };
    let judge = |alg: &str, kid: Option<&str>, keys| {
        let mut header = json!({ "alg": alg });
        if let Some(kid) = kid {
            header["kid"] = kid.into();
        }
        let token = format!("{}.e30.{}", encode(header.to_string()), encode([1; 64]));
        explain_by(token.as_bytes(), &policy(), Some(keys))
    };
    let found = judge("ES256", Some("oct"), keys(&[]));
    assert_eq!(found.codes(), ["key-mismatch"]);
    found.must_say(&["it is a secret; ES256 takes an EC key on P-256 (RFC 7518 section 3.4)"]);
    for (kid, why) in [
        (
            "short",
            "n: 1024 bits; RFC 7518 section 3.3 asks for 2048 or more",
        ),
        ("low", "x: a point of low order"),
    ] {
        let found = judge("RS256", Some(kid), keys(&[]));
        assert_eq!(found.codes(), ["key-unusable"]);
        found.must_say(&[why]);
    }
    // A key on another curve, of another size of ML-DSA, of another curve of Edwards.
    let others: [(&str, &[u8]); 3] = [
        ("p384", file!("secp384r1.pub")),
        ("ed448", file!("ed448.pub")),
        ("rsa", file!("rsa.pub")),
    ];
    for kid in [None, Some("nobody")] {
        for (alg, words) in [
            (
                "ES256",
                "it is an EC key on P-384; ES256 takes an EC key on P-256",
            ),
            (
                "Ed25519",
                "it is an Ed448 key; Ed25519 takes an Ed25519 key",
            ),
            (
                "ML-DSA-44",
                "it is an RSA key of 2,048 bits; ML-DSA-44 takes an ML-DSA-44 key",
            ),
            (
                "HS256",
                "it is an RSA key of 2,048 bits; HS256 takes a secret",
            ),
        ] {
            let mut found = files(&others);
            if alg != "HS256" {
                found = keys(&others);
            }
            let found = judge(alg, kid, found);
            assert_eq!(found.codes(), ["key-not-found"], "{alg}");
            found.must_say(&[words]);
        }
    }
    // Without a kid any unusable key may be the missing one.
    judge("RS256", None, keys(&[]))
        .must_say(&["keys[1] of \"keys.json\" is set aside: n: 1024 bits"]);
    let bound = json!({"kty": "EC", "kid": "b", "alg": "ECDH-ES", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    for (member, value, words) in [
        (
            "alg",
            json!("ECDH-ES"),
            r#"it is an EC key on P-256, bound to "ECDH-ES" by its alg"#,
        ),
        (
            "use",
            json!("enc"),
            r#"it is an EC key on P-256, for "enc" by its use"#,
        ),
        (
            "key_ops",
            json!(["deriveKey"]),
            "its key_ops do not verify (RFC 7517 section 4.3)",
        ),
    ] {
        let mut jwk = bound.clone();
        jwk["alg"] = "ES256".into();
        jwk[member] = value;
        let mut keys = KeySet::new();
        keys.add_jwks(jwk.to_string().as_bytes(), "keys.json")
            .unwrap();
        let found = judge("ES256", Some("b"), keys);
        assert_eq!(found.codes(), ["key-mismatch"]);
        found.must_say(&[words]);
    }
}

#[test]
fn a_signature_of_pss_that_does_not_hold_may_have_another_salt() {
    let header = encode(r#"{"alg":"PS256"}"#);
    let token = format!("{header}.e30.{}", encode([1; 256]));
    let keys = files(&[("rsa.pub", file!("rsa.pub"))]);
    let found = explain_by(token.as_bytes(), &policy(), Some(keys));
    assert_eq!(found.codes(), ["signature-mismatch"]);
    found.must_say(&["or its salt is not as long as the hash (RFC 7518 section 3.5)"]);
    assert!(!found.says("--secret-file"));
    without_key(&token).must_say(&["give its public key or certificate (--key) or a key set"]);
    let hmac = without_key(signed(HEADER, "{}", SECRET));
    hmac.must_say(&["give the secret (--secret-file) or a key set (--jwks)"]);
}
