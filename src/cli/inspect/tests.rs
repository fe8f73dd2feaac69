//! Whole explanations: what they say, and what they never do.

mod claims;
mod keys;
mod segments;

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jotmill::{KeySet, Policy, UnixTime, Validator};
use serde_json::{Value, json};
use sha2::Sha256;

use super::columns::columns;
use super::explanation::Explanation;
use super::facts::Outcome;
use super::{only_line, text};

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
    keys.add_key(set.to_string().as_bytes(), "keys.json")
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
fn hostile_strings_are_escaped_everywhere() {
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
    named.add_key(set.as_bytes(), evil).unwrap();
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

/// The line rules of `audit` and of `inspect` are the same.
#[test]
fn a_line_is_trimmed_as_audit_trims_it() {
    for (text, expected) in [
        ("a.b.c", "a.b.c"),
        ("a.b.c\n", "a.b.c"),
        ("\n \r\n\ta.b.c \r\n\n", "a.b.c"),
        ("a.b.c\r\r\n", "a.b.c\r"),
        ("a.b.c\r", "a.b.c\r"),
        ("\x0ca.b.c\n", "\x0ca.b.c"),
        ("a.b.c\u{a0}", "a.b.c\u{a0}"),
        ("  a.b.c      ", "  a.b.c      "),
        ("a\nb\n", "a\nb"),
    ] {
        let token = only_line(text.as_bytes(), 12).unwrap();
        assert_eq!(std::str::from_utf8(token).unwrap(), expected, "{text:?}");
        // `audit` on the same lines.
        let mut keys = jotmill::KeySet::new();
        keys.add_secret(b"secret", "here").unwrap();
        let policy = jotmill::Policy::new().max_token_bytes(12).unwrap();
        let validator = jotmill::Validator::new(policy, keys).unwrap();
        let now = jotmill::UnixTime::EPOCH;
        let reasons = jotmill::audit(&validator, now, text.as_bytes())
            .report
            .tally
            .reasons;
        let own = validator.validate_at(token, now).reasons;
        if !expected.contains('\n') {
            for reason in own.iter() {
                assert_eq!(reasons[reason.index()], 1, "{text:?}: {reason}");
            }
        }
    }
    for text in ["", "\n", " \t\r\n", "\r\n"] {
        assert!(only_line(text.as_bytes(), 12).is_err(), "{text:?}");
    }
}
