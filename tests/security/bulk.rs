//! Many lines and long lines: no token may affect another one, the run, or the reader of the rows.

use std::io::{self, Read};

use jotmill::{Reason, RunOptions};
use serde_json::{Value, json};

use super::{NOW, judges, judges_with, plain};
use crate::judges::{Judges, Row, audit, time_of};
use crate::oracle;
use crate::token_maker::{HEADER, SECRET, TokenMaker, encode, token};

fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .map(|row| serde_json::from_str(row).expect("rows are JSON"))
        .collect()
}

fn options(threads: usize, block_bytes: usize) -> RunOptions {
    let now = time_of(&plain());
    RunOptions::new(now)
        .threads(threads)
        .block_bytes(block_bytes)
}

/// A reader of a pattern, repeated this many times.
struct Endless {
    pattern: Vec<u8>,
    left: u64,
}

impl Endless {
    fn new(pattern: &[u8], total: u64) -> Self {
        Self {
            // A large piece of it, so that filling a buffer is a few copies.
            pattern: pattern.repeat((1 << 16) / pattern.len()),
            left: total,
        }
    }
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = buffer.len().min(left).min(self.pattern.len());
        buffer[..count].copy_from_slice(&self.pattern[..count]);
        self.left -= count as u64;
        Ok(count)
    }
}

/// A header of 500 MB took 4 GB (authlib, CVE-2025-61920), and every dot of a line an allocation
/// (golang-jwt, CVE-2025-30204). A line beyond the limit is one row, and the next is judged.
#[test]
fn a_line_of_hundreds_of_megabytes_is_skipped_and_the_next_is_judged() {
    let policy = oracle::Policy {
        max_token_bytes: 1 << 20,
        ..plain()
    };
    let validator = Judges::of_secret(policy, SECRET).validator;
    let good = token(HEADER, "{}");
    let total: u64 = 100 << 20;
    for (threads, pattern) in [(1, &b"A"[..]), (2, b"."), (1, b"e30."), (1, b" ")] {
        let line = || Endless::new(pattern, total).chain(&b"\n"[..]);
        let log = line().chain(&good[..]).chain(&b"\r\n"[..]).chain(line());
        let (text, finished) = audit(&validator, log, &options(threads, 1 << 16));
        let rows = rows(&text);
        assert_eq!(rows.len(), 3);
        for (row, number) in [(&rows[0], 1), (&rows[2], 3)] {
            assert_eq!(row["reasons"], json!(["too-long"]));
            assert_eq!(
                (&row["length"], &row["line"]),
                (&json!(total), &json!(number))
            );
        }
        assert_eq!(
            (&rows[1]["verdict"], &rows[1]["line"]),
            (&json!("valid"), &json!(2))
        );
        assert_eq!(rows[1]["offset"], json!(total + 1));
        assert_eq!(
            finished.report.bytes(),
            2 * (total + 1) + good.len() as u64 + 2
        );
        assert_eq!(finished.report.tally.tokens.total(), 3);
    }
    // Without any line ending at all.
    let (text, finished) = audit(&validator, Endless::new(b"A.", total), &options(2, 1 << 18));
    assert_eq!(rows(&text)[0]["length"], json!(total));
    assert_eq!(finished.report.tally.reasons[Reason::TooLong.index()], 1);
}

/// Of two million dots within the limit, none after the fifth is searched.
#[test]
fn a_line_of_millions_of_dots_is_not_split() {
    let judges = judges();
    assert_eq!(judges.codes(vec![b'.'; 2_000_000]), "segment-count");
    let good = token(HEADER, "{}");
    let line = [&good[..], &vec![b'.'; 1_000_000]].concat();
    assert_eq!(judges.codes(line), "segment-count");
}

/// A row and a count for each of the shortest lines: empty ones, and ones of a single byte.
#[test]
fn the_shortest_lines_are_counted_one_by_one() {
    let judges = judges();
    let (text, finished) = audit(
        &judges.validator,
        Endless::new(b"\n", 100_000),
        &options(2, 100),
    );
    assert_eq!(
        (text.as_str(), finished.report.tally.blank_lines),
        ("", 100_000)
    );
    let (text, finished) = audit(
        &judges.validator,
        Endless::new(b".\n", 100_000),
        &options(2, 1 << 16),
    );
    assert_eq!(finished.report.tally.tokens.rejected, 50_000);
    assert_eq!(text.lines().count(), 50_000);
    assert!(
        text.lines()
            .last()
            .unwrap()
            .starts_with(r#"{"line":50000,"offset":99998,"#)
    );
}

/// A verdict that depends on earlier tokens: a stateful regular expression made every other token
/// fail (fast-jwt PR #593).
#[test]
fn the_verdict_on_a_token_does_not_depend_on_the_tokens_before_it() {
    let judges = judges_with(
        r#"{"kty":"OKP","kid":"rsa","crv":"X25519","x":"AQAB"},{"kty":"oct","kid":"broken","k":""}"#,
    );
    let good = TokenMaker::new().payload(r#"{"iss":"me","exp":9000000000}"#);
    let kid = |kid: &str| {
        good.clone()
            .header(json!({"alg": "HS256", "kid": kid}).to_string())
    };
    let lines: Vec<Vec<u8>> = vec![
        good.sign(),
        good.clone().secret(*b"guess").sign(),
        kid("main").sign(),
        kid("main").with_signature(""),
        kid("rsa").sign(),
        kid("broken").sign(),
        kid("nobody").sign(),
        good.clone().payload(r#"{"iss":1,"exp":1}"#).sign(),
        good.clone().payload("[").sign(),
        good.clone().header("{").sign(),
        good.clone().header(r#"{"alg":"none"}"#).with_signature(""),
        token(r#"{"alg":"HS256","crit":["x"],"x":1}"#, "{}"),
        b"..".to_vec(),
        b".e30.".to_vec(),
        b"x".to_vec(),
    ];
    let expected: Vec<Value> = lines
        .iter()
        .map(|line| json!(judges.judge(line).unwrap().codes))
        .collect();
    // Every line after every other, and after itself.
    let mut order = Vec::new();
    for first in 0..lines.len() {
        for second in 0..lines.len() {
            order.extend([first, second, second]);
        }
    }
    let log: Vec<&[u8]> = order.iter().map(|index| &lines[*index][..]).collect();
    let log = log.join(&b"\n"[..]);
    for options in [options(1, 1 << 18), options(2, 300), options(8, 1)] {
        let (text, _) = audit(&judges.validator, &log[..], &options);
        let rows = rows(&text);
        assert_eq!(rows.len(), order.len());
        for (row, index) in rows.iter().zip(&order) {
            let none = json!([]);
            assert_eq!(
                row.get("reasons").unwrap_or(&none),
                &expected[*index],
                "{row:?}"
            );
            let verdict = judges.validate(&lines[*index]);
            assert_eq!(verdict.is_valid(), expected[*index] == none);
        }
    }
}

/// A cache keyed on too little (fast-jwt, GHSA-rp9m-7r4c-75qg): a cached header must serve only the
/// same header, and never replace a signature.
#[test]
fn a_cached_header_serves_no_other_token() {
    let judges = judges_with("");
    let kid = |kid: &str| TokenMaker::new().header(json!({"alg": "HS256", "kid": kid}).to_string());
    // More headers than the cache holds, each valid once and forged twice with one byte changed; of
    // every length around the word size of a fast hash, some too long for the cache.
    let mut lines = Vec::new();
    let mut expected = Vec::new();
    let mut add = |line: Vec<u8>, code: &'static str| {
        lines.push(line);
        expected.push(code);
    };
    for n in 0..4200 {
        let pad = " ".repeat(n % 420);
        let header = |kid: &str| {
            TokenMaker::new().header(format!(r#"{{"alg":"HS256","n":{n},{pad}"kid":"{kid}"}}"#))
        };
        add(header("main").sign(), "");
        add(
            header("main")
                .payload(r#"{"admin":true}"#)
                .with_signature(encode(header("main").mac())),
            "signature-mismatch",
        );
        add(header("maim").sign(), "key-not-found");
        add(
            header("main").secret(*b"guess").sign(),
            "signature-mismatch",
        );
    }
    for _ in 0..2 {
        let log = lines.join(&b"\n"[..]);
        let (text, _) = audit(&judges.validator, &log[..], &options(1, 1 << 18));
        for ((row, line), code) in rows(&text).iter().zip(&lines).zip(&expected) {
            let codes = row
                .get("reasons")
                .map_or("", |codes| codes[0].as_str().unwrap());
            assert_eq!(codes, *code, "{}", super::shown(line));
        }
        lines.reverse();
        expected.reverse();
    }
    // A header that is empty is a header, whether it is the first or comes after others.
    for log in ["..\n..", ".e30.\n..\n.e30.AAAA"] {
        let (text, _) = audit(&judges.validator, log.as_bytes(), &judges.options());
        for row in rows(&text) {
            assert_eq!(row["reasons"], json!(["header-json"]), "{log}");
        }
    }
    // Other keys and another policy, in turn with the first.
    let others = Judges::of_secret(plain(), b"another secret altogether, and long enough");
    let stricter = Judges::of_secret(
        oracle::Policy {
            algs: Some(vec!["HS512".to_owned()]),
            ..plain()
        },
        SECRET,
    );
    for _ in 0..2 {
        let line = kid("main").sign();
        assert_eq!(judges.codes(&line), "");
        assert_eq!(others.codes(&line), "signature-mismatch");
        assert_eq!(stricter.codes(&line), "alg-not-allowed");
    }
}

/// Texts that revealed the right signature or the token (CVE-2019-7644). Rows and reports go into
/// tickets and mails: none of them contains a token, a part of one that verifies, or a secret.
#[test]
fn no_row_report_or_error_reveals_a_token_a_mac_or_a_secret() {
    let secret: &[u8] = b"S3cr3t-S3cr3t-S3cr3t-S3cr3t-S3cr3t";
    let judges = Judges::of_secret(plain(), secret);
    let good = TokenMaker::new()
        .secret(secret)
        .payload(json!({"iss": "me", "exp": NOW - 1, "password": "hunter2"}).to_string());
    let mac = good.mac();
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = String::from_utf8(good.sign()).unwrap();
    let mut forbidden: Vec<String> = parts.split('.').map(str::to_owned).collect();
    forbidden.extend([
        parts,
        hex,
        format!("{:?}", &mac[..8]).replace(']', ""),
        "S3cr3t".to_owned(),
        encode(secret),
        "hunter2".to_owned(),
    ]);
    let mut wrong = mac;
    wrong[0] ^= 1;
    let lines = [
        good.sign(),
        good.with_signature(encode(&wrong)),
        good.with_signature(""),
        good.with_signature("!"),
        good.clone()
            .header(r#"{"alg":"HS256","kid":"x"}"#)
            .secret(*b"guess")
            .sign(),
        good.signing_input(),
        [&good.sign()[..], b".AA.AA"].concat(),
    ];
    let log = lines.join(&b"\n"[..]);
    let (rows, finished) = audit(&judges.validator, &log[..], &judges.options());
    let mut texts = vec![rows];
    for line in &lines {
        texts.push(format!("{:?}", judges.validate(line)));
        texts.push(format!("{:?}", judges.accept(line)));
    }
    texts.push(format!("{:?}", judges.validator));
    texts.push(format!("{:?}", finished.report.tally));
    let mut report = Vec::new();
    finished.report.write_json(&mut report).unwrap();
    finished
        .report
        .write_text(&mut report, &jotmill::TextOptions::default())
        .unwrap();
    texts.push(String::from_utf8(report).unwrap());
    // Keys that cannot be used, each with the secret in it.
    for jwk in [
        r#"{"kty":"oct","k":"S3cr3t*S3cr3t"}"#,
        r#"{"kty":"oct","k":"S3cr3t S3cr3t="}"#,
        r#"{"kty":"oct","k":["S3cr3t"]}"#,
        r#"{"kty":"oct","k":"S3cr3t","kid":1}"#,
        r#"{"kty":"oct","k":"S3cr3t","alg":7}"#,
        r#"{"kty":"S3cr3t","k":"S3cr3t"}"#,
        r#"{"kty":"oct","k":"S3cr3t","use":["S3cr3t"]}"#,
        r#"{"kty":"oct","k":"S3cr3t","k":"S3cr3t2"}"#,
        r#"{"kty":"oct","k":"YQ","S3cr3t":{"S3cr3t":1,"S3cr3t":2}}"#,
        r#"{"kty":"oct","S3cr3t":1,"S3cr3t":2,"k":"S3cr3t"}"#,
        r#"{"kty":"oct","k":"S3cr3t"} trailing"#,
        r#"{"kty":"oct","k":"S3cr3t"#,
        r#"["S3cr3t"]"#,
        "S3cr3t",
    ] {
        let mut keys = jotmill::KeySet::new();
        let error = keys.add_key(jwk.as_bytes(), "keys").unwrap_err();
        texts.extend([error.to_string(), format!("{error:?}")]);
        let set = format!(r#"{{"keys":[{{"kty":"oct","k":"YQ"}},{jwk}]}}"#);
        match keys.add_key(set.as_bytes(), "keys") {
            Ok(()) => texts.push(format!("{:?} {keys:?}", keys.unusable_keys())),
            Err(error) => texts.push(error.to_string()),
        }
    }
    for encoding in [jotmill::Encoding::Hex, jotmill::Encoding::Base64] {
        let error = jotmill::KeySet::new()
            .add_encoded_secret(b"S3cr3t!", encoding, "file")
            .unwrap_err();
        texts.extend([error.to_string(), format!("{error:?}")]);
    }
    for text in &texts {
        for part in &forbidden {
            assert!(!text.contains(part.as_str()), "{part} in {text}");
        }
    }
}

/// The payload is neither read nor shown before the signature is verified.
#[test]
fn claims_are_shown_only_after_the_signature_is_verified() {
    let judges = judges();
    let payload = json!({
        "iss": "shown-iss", "sub": "shown-sub", "jti": "shown-jti", "exp": 4_000_000_001_u64,
        "nbf": 4_000_000_002_u64, "iat": 4_000_000_003_u64,
    });
    let made = TokenMaker::new().payload(payload.to_string());
    let shown = |line: Vec<u8>| {
        let text = judges.judge(&line).unwrap().row_text;
        let claims = [
            "shown-iss",
            "shown-sub",
            "shown-jti",
            "4000000001",
            "4000000002",
            "4000000003",
        ];
        claims.iter().filter(|claim| text.contains(**claim)).count()
    };
    assert_eq!(
        shown(made.sign()),
        6,
        "rejected for its dates, and authentic"
    );
    assert_eq!(shown(made.clone().secret(*b"guess").sign()), 0);
    assert_eq!(shown(made.with_signature("")), 0);
    assert_eq!(
        shown(made.clone().header(r#"{"alg":"none"}"#).with_signature("")),
        0
    );
    assert_eq!(shown(made.header("{").sign()), 0);
}
