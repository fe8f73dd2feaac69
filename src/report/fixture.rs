//! Reports for tests: tokens are signed here with plain crates, and judged by a real run.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base64_simd::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha512};

use super::Report;
use crate::input::Input;
use crate::key::KeySet;
use crate::pipeline::{RunOptions, Watch, run};
use crate::policy::Policy;
use crate::time::UnixTime;
use crate::validator::Validator;

/// 2026-09-21T14:13:20Z.
pub(super) const NOW: u64 = 1_790_000_000;
/// The secret of `2026-10`.
pub(crate) const OCTOBER: &[u8] = b"october-october-october-october-";
/// The secret of `2026-09`, which is for HS512.
const SEPTEMBER: &[u8] = b"september-september-september-september-september-september-sept";
/// A secret without an id, shorter than any hash.
const WEAK: &[u8] = b"password";

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// A token signed with `secret`.
pub(crate) fn mint(header: &str, payload: &str, secret: &[u8]) -> String {
    let input = format!(
        "{}.{}",
        encoded(header.as_bytes()),
        encoded(payload.as_bytes())
    );
    let mac = if header.contains("HS512") {
        let keyed = Hmac::<Sha512>::new_from_slice(secret).unwrap();
        encoded(&keyed.chain_update(&input).finalize().into_bytes())
    } else {
        let keyed = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        encoded(&keyed.chain_update(&input).finalize().into_bytes())
    };
    format!("{input}.{mac}")
}

fn october(payload: &str) -> String {
    mint(r#"{"alg":"HS256","kid":"2026-10"}"#, payload, OCTOBER)
}

/// Claims of this issuer that expire `ahead` seconds after `now`.
pub(crate) fn claims(iss: &str, ahead: i64, number: u64) -> String {
    let exp = NOW.cast_signed() + ahead;
    format!(
        r#"{{"iss":"{iss}","sub":"user-{number}","aud":"api://orders","exp":{exp},"jti":"{number}"}}"#
    )
}

/// The keys of the example; all have an id.
pub(crate) fn named_keys() -> KeySet {
    let set = format!(
        r#"{{"keys":[
            {{"kty":"oct","kid":"2026-10","alg":"HS256","k":"{}"}},
            {{"kty":"oct","kid":"2026-09","alg":"HS512","k":"{}"}},
            {{"kty":"OKP","kid":"agree-1","crv":"X25519","x":"AQAB"}},
            {{"kty":"oct","kid":"2026-11","alg":"HS256","k":"{}"}},
            {{"kty":"oct","kid":"2026-11","alg":"HS256","k":"{}"}},
            {{"kty":"oct","kid":"broken","k":"?"}}
        ]}}"#,
        encoded(OCTOBER),
        encoded(SEPTEMBER),
        encoded(&[1; 32]),
        encoded(&[2; 32]),
    );
    let mut keys = KeySet::new();
    keys.add_key(set.as_bytes(), "keys.json").unwrap();
    keys
}

/// A policy without expected values.
pub(crate) fn bare_policy() -> Policy {
    Policy::new()
}

/// The instant of the example.
pub(crate) fn now() -> UnixTime {
    UnixTime::new(NOW, 0).unwrap()
}

/// The options that the example is run with.
pub(crate) fn options() -> RunOptions {
    RunOptions::new(now())
}

/// The validator of the example.
pub(super) fn validator() -> Validator {
    let policy = bare_policy()
        .issuer(AUTH)
        .audience("api://orders")
        .require("exp")
        .and_then(|policy| policy.leeway(60))
        .unwrap();
    Validator::new(policy, named_keys()).unwrap()
}

/// The same, and a second issuer with the same keys and no expected values.
pub(super) fn two_issuers() -> Validator {
    let other = bare_policy().issuer("https://other.example/");
    let first = validator().policy().clone();
    Validator::with_issuers([(first, named_keys()), (other, named_keys())]).unwrap()
}

/// The same with a weak secret that has no id, so that it is tried for every unknown one.
pub(super) fn lenient_validator() -> Validator {
    let mut keys = named_keys();
    keys.add_secret(WEAK, "LEGACY_SECRET").unwrap();
    Validator::new(bare_policy(), keys).unwrap()
}

const AUTH: &str = "https://auth.example.com/";

/// The lines of the example: something of everything.
pub(super) fn example() -> [(&'static str, String); 2] {
    let valid = |number| october(&claims(AUTH, 600, number));
    let other_key = |number| {
        let payload = claims(AUTH, 2 * 86_400, number);
        mint(r#"{"alg":"HS512","kid":"2026-09"}"#, &payload, SEPTEMBER)
    };
    let first = [
        valid(1),
        valid(2),
        String::new(),
        other_key(3),
        october(&claims(AUTH, -7200, 4)),
        october(&claims("https://login.example.net/", -40 * 86_400, 5)),
        valid(6) + "AAAA",
    ];
    let second = [
        mint(r#"{"alg":"RSA1_5","kid":"rsa-1"}"#, "{}", b"-"),
        mint(r#"{"alg":"HS256","kid":"2025-12"}"#, "{}", b"-"),
        "eyJlbmMiOjF9....".to_owned(), // {"enc":1}
        mint(
            r#"{"alg":"HS256","kid":"2026-10","jku":"https://evil.example/"}"#,
            &claims(AUTH, 30, 7),
            OCTOBER,
        ),
    ];
    [("a.log", first.join("\n")), ("b.log", second.join("\r\n"))]
}

/// The report on [`example`].
pub(super) fn example_report(validator: &Validator) -> Report {
    let example = example();
    let inputs: Vec<(&str, &str)> = example.iter().map(|(name, log)| (*name, &**log)).collect();
    judged(validator, &inputs, &options())
}

/// A log of `count` lines: mostly valid tokens, and something of everything.
pub(super) fn log(count: u64) -> String {
    let mut log = String::new();
    for number in 0..count {
        // Scattered, but the same in every run.
        let spread = i64::try_from(number * 7919 % 3500).unwrap();
        let valid = || claims(AUTH, 100 + spread, number);
        let line = match number * 37 % 101 {
            0 => String::new(),
            1..=4 => october(&claims(AUTH, -3600 - 700 * spread, number)),
            5 => october(&claims(AUTH, -20 * 86_400, number)),
            6 => october(&valid()) + "A",
            7 | 8 => {
                let mut token = october(&valid()).into_bytes();
                let end = token.len() - 10;
                token[end] ^= 1;
                String::from_utf8(token).unwrap()
            }
            9 => format!("{}.e30.", encoded(br#"{"alg":"none"}"#)),
            10 | 11 => mint(r#"{"alg":"RSA1_5","kid":"rsa-1"}"#, &valid(), b"-"),
            12 => mint(r#"{"alg":"HS1"}"#, &valid(), b"-"),
            13 => mint(r#"{"alg":"FOO"}"#, &valid(), b"-"),
            14 => "eyJlbmMiOjF9....".to_owned(),
            15 => "127.0.0.1 - - GET /login".to_owned(),
            16 => mint(r#"{"alg":"HS512","kid":"2025-12"}"#, &valid(), SEPTEMBER),
            17 => mint(r#"{"alg":"HS512","kid":"2025-11"}"#, &valid(), SEPTEMBER),
            18 => october(&claims("https://login.example.net/tenant", -5, number)),
            19 => october(r#"{"iss":"https://auth.example.com/","aud":"api://other"}"#),
            20 => mint(
                r#"{"alg":"HS256","kid":"2026-10","jku":"https://evil.example/"}"#,
                &valid(),
                OCTOBER,
            ),
            21..=30 => mint(r#"{"alg":"HS256"}"#, &valid(), WEAK),
            31..=60 => mint(r#"{"alg":"HS512","kid":"2026-09"}"#, &valid(), SEPTEMBER),
            61 => october(&claims(AUTH, 400 * 86_400, number)),
            62..=65 => october(&claims(AUTH, 2 * 86_400, number)),
            _ => october(&valid()),
        };
        log.push_str(&line);
        log.push('\n');
    }
    log
}

/// The report of a run over these inputs, with a fixed elapsed time.
pub(super) fn judged(
    validator: &Validator,
    inputs: &[(&str, &str)],
    options: &RunOptions,
) -> Report {
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let inputs = inputs
        .iter()
        .map(|(name, text)| Input::Reader {
            name: (*name).to_owned(),
            reader: Box::new(text.as_bytes()),
        })
        .collect();
    let finished = run(validator, inputs, options, None, watch);
    assert!(finished.report.complete);
    Report {
        elapsed: Duration::from_micros(12_300),
        ..finished.report
    }
}
