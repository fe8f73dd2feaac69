//! Four judges of the same hostile lines: `run` over whole logs, the validator one token at a time,
//! a `Judge` over slices of tokens, and the oracle, which shares no code with the others. They must
//! agree on every line, and a run must give the same bytes for any number of threads and any size of
//! blocks.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jotmill::{
    Algorithm, Finding, Judge, KeySet, Policy, Reason, RunOptions, UnixTime, Validator, Verdict,
};
use jotmill_datasets::Algorithm as DatasetAlgorithm;

use crate::judges::{self, Judges, Row, comparable, output_for_log, trimmed};
use crate::oracle::CODES;
use crate::token_maker::{SECRET, TokenMaker, encode, token};
use crate::{fuzz_bodies, hostile, oracle, payloads};
use jotmill_test_support::rng::Rng;

/// How many hostile lines are judged by all four.
const CASES: usize = 1_000_000;
/// How many lines are in one log.
const LOG: usize = 50_000;

/// A policy with every rule that there is.
fn policy(algorithms: &[Algorithm], max_token_bytes: usize) -> oracle::Policy {
    let alg = |algorithm: &Algorithm| algorithm.name().to_owned();
    oracle::Policy {
        now: (hostile::NOW, hostile::NOW_NANOS),
        leeway: hostile::LEEWAY,
        max_age: Some(hostile::MAX_AGE),
        max_lifetime: Some(hostile::MAX_LIFETIME),
        issuers: vec![hostile::ISSUER.to_owned()],
        audiences: vec![hostile::AUDIENCE.to_owned()],
        subjects: vec![hostile::SUBJECT.to_owned()],
        require: hostile::REQUIRE.map(str::to_owned).to_vec(),
        typ: vec![hostile::TYP.to_owned()],
        algs: Some(algorithms.iter().map(alg).collect()),
        max_token_bytes,
        max_key_tries: hostile::MAX_KEY_TRIES,
        rules: oracle::Rules {
            claims: vec![(
                "sub".to_owned(),
                oracle::Wanted::Text(hostile::SUBJECT.to_owned()),
            )],
            ..oracle::Rules::default()
        },
    }
}

/// Judges `cases` lines by all four, in logs of [`LOG`] lines.
fn agree(seed: u64, cases: usize, policy: oracle::Policy) -> Agreed {
    let judges = Judges::new(policy, &hostile::keys());
    let judged = agree_on(hostile::cases(seed), cases, &judges);
    // Blank lines are few.
    let count: usize = judged.codes.values().sum();
    assert!(count > cases * 9 / 10, "{count}");
    judged
}

/// How often all judges said the same.
#[derive(Debug, Default)]
pub(crate) struct Agreed {
    /// By the codes of a line, joined by spaces.
    pub(crate) codes: BTreeMap<String, usize>,
    findings: BTreeMap<&'static str, u64>,
}

/// Judges `cases` of these lines by all four.
pub(crate) fn agree_on(
    mut lines: impl Iterator<Item = Vec<u8>>,
    cases: usize,
    judges: &Judges,
) -> Agreed {
    let mut judged = Agreed::default();
    let mut judge = Judge::new(&judges.validator).expect("a kernel");
    for log_number in 0..cases.div_ceil(LOG) {
        let count = LOG.min(cases - log_number * LOG);
        let mut log_lines: Vec<Vec<u8>> = lines.by_ref().take(count).collect();
        let log = log_lines.join(&b"\n"[..]);
        // The end of the last line is that of the log: no LF takes a CR with it, so that it is one
        // of two.
        if let Some(last) = log_lines.last_mut().filter(|line| line.ends_with(b"\r")) {
            last.push(b'\r');
        }
        let (threads, block_bytes) = [(1, 1 << 18), (2, 1 << 16), (8, 5000)][log_number % 3];
        let options = judges.options().threads(threads).block_bytes(block_bytes);
        let (rows, finished) = judges::audit(&judges.validator, &log[..], &options);
        let mut rows = rows.lines();
        let mut offset = 0;
        let mut findings = BTreeMap::new();
        let tokens: Vec<&[u8]> = log_lines.iter().map(|line| trimmed(line)).collect();
        let verdicts: Vec<Verdict> = tokens.iter().map(|token| judges.validate(token)).collect();
        slices_agree(judges, &mut judge, &tokens, &verdicts);
        if log_number == 0 {
            parallel_slices_agree(judges, &tokens, &verdicts);
        }
        for (index, line) in log_lines.iter().enumerate() {
            if let Some((judgement, expected_row)) = judges.expected((index + 1, offset), line) {
                *judged.codes.entry(judgement.codes.join(" ")).or_default() += 1;
                for finding in &judgement.findings {
                    *findings.entry(*finding).or_insert(0) += 1;
                }
                let row = rows.next().expect("a row a token");
                let row: Row = serde_json::from_str(row).expect("rows are JSON");
                let shown = String::from_utf8_lossy(line);
                assert_eq!(comparable(row), expected_row, "{shown}");
                if judgement.codes != ["too-long"] {
                    let verdict = &verdicts[index];
                    let codes: Vec<&str> = verdict.reasons.iter().map(Reason::code).collect();
                    assert_eq!(codes, judgement.codes, "one token: {shown}");
                    let findings = judges::findings(verdict);
                    assert_eq!(findings, judgement.findings, "{shown}");
                }
            }
            offset += line.len() + 1;
        }
        assert_eq!(rows.next(), None, "no row without a token");
        for (finding, found) in Finding::ALL.iter().zip(finished.report.tally.findings) {
            let code = finding.code();
            let count = findings.get(code).copied().unwrap_or(0);
            assert_eq!(found, count, "{code}");
            *judged.findings.entry(code).or_insert(0) += found;
        }
    }
    judged
}

/// Tokens without the lines around them, in slices and a part of them one by one: the same verdicts
/// as the validator's, whatever is in the judge's caches.
fn slices_agree(judges: &Judges, judge: &mut Judge, tokens: &[&[u8]], verdicts: &[Verdict]) {
    assert_same(tokens, &judge.validate_all_at(tokens, judges.now), verdicts);
    for (token, verdict) in tokens.iter().zip(verdicts).step_by(7) {
        let shown = || String::from_utf8_lossy(token);
        let found = judge.validate_at(token, judges.now);
        assert_eq!(found, *verdict, "{}", shown());
        let payload = judge.payload_at(token, judges.now).map(<[u8]>::to_vec);
        assert_eq!(payload, judges.accept(token), "{}", shown());
    }
}

/// [`slices_agree`] on several threads, and with an instant for each token.
fn parallel_slices_agree(judges: &Judges, tokens: &[&[u8]], verdicts: &[Verdict]) {
    let validator = &judges.validator;
    let found = validator
        .validate_all_at(tokens, judges.now)
        .expect("a kernel");
    assert_same(tokens, &found, verdicts);
    let instants = (0_u64..).map(|at| {
        let seconds = judges.now.seconds() - 3600 + at % 7 * 1200;
        UnixTime::new(seconds, 0).expect("a time")
    });
    let timed: Vec<(&[u8], UnixTime)> = tokens.iter().copied().zip(instants).collect();
    let each = timed
        .iter()
        .map(|(token, at)| validator.validate_at(token, *at));
    let expected: Vec<Verdict> = each.collect();
    let found = validator.validate_each_at(&timed).expect("a kernel");
    assert_same(tokens, &found, &expected);
    let mut judge = Judge::new(validator).expect("a kernel");
    // Most are in its cache by the third time.
    for _ in 0..3 {
        assert_same(tokens, &judge.validate_each_at(&timed), &expected);
    }
}

fn assert_same(tokens: &[&[u8]], found: &[Verdict], expected: &[Verdict]) {
    assert_eq!(found.len(), expected.len());
    for ((token, found), expected) in tokens.iter().zip(found).zip(expected) {
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(token));
    }
}

#[test]
fn every_judge_agrees_on_a_million_hostile_lines() {
    let judged = agree(1, CASES, policy(Algorithm::ALL, 1 << 20));
    for finding in [
        "padded",
        "bearer-or-quoted",
        "sd-jwt",
        "detached",
        "nonce-header",
        "compressed",
        "date-in-milliseconds",
    ] {
        let count = judged.findings[finding];
        assert!(count > 20, "{finding}: {:?}", judged.findings);
    }
}

#[test]
fn every_judge_agrees_under_a_stricter_policy() {
    let two = [Algorithm::Hs256, Algorithm::Hs512];
    agree(2, CASES / 10, policy(&two, 16 << 10));
    agree(3, CASES / 10, policy(&[Algorithm::Hs256], 300));
}

#[test]
fn every_judge_agrees_on_payloads_of_any_members() {
    let seen = RefCell::new(fuzz_bodies::Seen::new());
    payloads::hold(1500, |payload| {
        seen.borrow_mut().extend(fuzz_bodies::claims(payload))
    });
    let seen = seen.into_inner();
    let first = CODES.iter().position(|code| *code == "payload-json");
    for code in &CODES[first.expect("a code")..] {
        assert!(seen.contains(code), "no payload gives {code}");
    }
    assert!(seen.contains("valid"));
}

/// Nothing is expected of claims: these lines are about keys and signatures.
fn lenient_policy() -> oracle::Policy {
    oracle::Policy {
        now: (hostile::NOW, 0),
        ..oracle::Policy::default()
    }
}

#[test]
fn every_judge_agrees_on_hostile_tokens_of_every_algorithm() {
    let mut tokens = hostile::PublicTokens::new(1, DatasetAlgorithm::ALL);
    let keys = tokens.good_keys();
    let lines = std::iter::repeat_with(|| tokens.line());
    let judged = agree_on(lines, 6000, &Judges::new(lenient_policy(), &keys));
    for codes in [
        "",
        "alg-none",
        "alg-unsupported",
        "key-not-found",
        "key-mismatch",
        "signature-base64url",
        "signature-length",
        "signature-mismatch",
    ] {
        assert!(
            judged.codes.get(codes).is_some_and(|count| *count > 20),
            "{codes}: {judged:?}"
        );
    }
    for finding in ["jwk-header", "ecdsa-high-s"] {
        let count = judged.findings[finding];
        assert!(count > 20, "{finding}: {judged:?}");
    }
}

#[test]
fn every_judge_agrees_on_which_hostile_keys_are_broken() {
    let is_quick = |alg: &DatasetAlgorithm| !matches!(alg.name().as_bytes()[0], b'R' | b'P');
    let quick: Vec<_> = DatasetAlgorithm::ALL
        .iter()
        .copied()
        .filter(is_quick)
        .collect();
    for (seed, algorithms) in [
        (2, quick.clone()),
        (3, vec![DatasetAlgorithm::Rs256, DatasetAlgorithm::Ps512]),
        (4, quick),
    ] {
        let mut tokens = hostile::PublicTokens::new(seed, &algorithms);
        for _ in 0..10 {
            let keys = tokens.hostile_keys();
            let mut set = KeySet::new();
            set.add_key(keys.as_bytes(), "hostile keys")
                .expect("some are usable");
            let aside = set.unusable_keys().iter();
            let aside: Vec<usize> = aside.filter_map(|key| key.index).collect();
            let wanted = oracle::keys_from_jwks(&keys).into_iter().enumerate();
            let wanted: Vec<usize> = wanted
                .filter(|(_, key)| key.is_useless())
                .map(|(index, _)| index)
                .collect();
            assert_eq!(aside, wanted, "{:#?} {keys}", set.unusable_keys());
            let lines = std::iter::repeat_with(|| tokens.line());
            agree_on(lines, 150, &Judges::new(lenient_policy(), &keys));
        }
    }
}

#[test]
fn threads_and_blocks_change_no_byte_of_rows_or_report() {
    let judges = Judges::new(policy(Algorithm::ALL, 2000), &hostile::keys());
    let mut log = Vec::new();
    for (index, line) in hostile::cases(4).take(20_000).enumerate() {
        log.extend_from_slice(&line);
        log.extend_from_slice([&b"\n"[..], b"\r\n", b"\n\n", b" \n"][index % 4]);
    }
    let rows_and_report = |threads, block_bytes| {
        let options = judges.options().threads(threads).block_bytes(block_bytes);
        output_for_log(&judges.validator, &log, &options).0
    };
    let first = rows_and_report(1, 1 << 18);
    for threads in [1, 2, 8] {
        for block_bytes in [1, 100, 4096, 1 << 16, 1 << 20] {
            assert!(
                rows_and_report(threads, block_bytes) == first,
                "{threads} threads, blocks of {block_bytes} bytes"
            );
        }
    }
}

/// A log in which hostile lines are repeated, at once and later.
fn repetitive_log(seed: u64, distinct: usize, lines: usize) -> Vec<u8> {
    let cases: Vec<Vec<u8>> = hostile::cases(seed).take(distinct).collect();
    let (mut log, mut rng) = (Vec::new(), Rng::new(seed));
    for _ in 0..lines {
        // Half of the lines are among a few, which are often in the same block.
        let among = if rng.one_in(2) { distinct } else { 8 };
        log.extend_from_slice(&cases[rng.below(among)]);
        log.push(b'\n');
    }
    log
}

#[test]
fn repeated_tokens_are_reported_as_without_a_cache() {
    let judges = Judges::new(policy(Algorithm::ALL, 2000), &hostile::keys());
    for (seed, distinct) in [(5, 20), (6, 500), (7, 5000)] {
        let log = repetitive_log(seed, distinct, 20_000);
        let options = judges.options().distinct(true);
        let (uncached, _) =
            output_for_log(&judges.validator, &log, &options.clone().cache_bytes(0));
        for threads in [1, 2, 8] {
            for block_bytes in [100, 4096, 1 << 16, 1 << 20] {
                // In the small cache most tokens evict others.
                for cache_bytes in [16 << 20, 100 << 10] {
                    let options = (options.clone().threads(threads))
                        .block_bytes(block_bytes)
                        .cache_bytes(cache_bytes);
                    let (cached, repeated) = output_for_log(&judges.validator, &log, &options);
                    let case = format!("{distinct} {threads} {block_bytes} {cache_bytes}");
                    assert!(cached == uncached, "{case}");
                    assert!(repeated > 0 || threads > 1, "{case}");
                }
            }
        }
    }
}

/// Tokens that are as long as each other and laid out alike, and differ in one thing or another that
/// is judged or counted.
fn log_of_one_layout(lines: usize) -> Vec<u8> {
    let now = hostile::NOW;
    let headers = [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"one"}"#,
        r#"{"alg":"HS256","kid":"two"}"#,
        r#"{"alg":"HS256","kid":"who"}"#,
        r#"{"alg":"HS256","jku":"x"}"#,
        r#"{"alg":"HS512"}"#,
    ];
    let (mut log, mut rng) = (Vec::new(), Rng::new(1));
    let mut at = [0; 7];
    for line in 0..lines {
        // One thing changes at a time, and most lines are like the one before.
        if rng.one_in(4) {
            let changed = rng.below(at.len());
            at[changed] = rng.below(60);
        }
        let iss = ["https://one.example/", "https://two.example/"][at[0] % 2];
        let aud = [
            r#""api://1""#,
            r#""api://2""#,
            r#"["api:1"]"#,
            r#"["1","2"]"#,
        ][at[1] % 4];
        let exp = now + [600, -600, 90 * 86_400][at[2] % 3];
        let iat = now - [60, 86_400, -600][at[3] % 3];
        let sub = ["alice", "peter"][at[4] % 2];
        // As long as each other, but that one claim or another has another name.
        let name = |own, index| if at[6] % 5 == index { "own" } else { own };
        let [iss_name, sub_name, iat_name, jti_name] = [
            name("iss", 1),
            name("sub", 2),
            name("iat", 3),
            name("jti", 4),
        ];
        let payload = format!(
            r#"{{"{iss_name}":"{iss}","{sub_name}":"{sub}","aud":{aud},"exp":{exp},"{iat_name}":{iat},"{jti_name}":"{line:06}"}}"#
        );
        let header = headers[at[5] % headers.len()];
        let alg = if header.contains("HS512") {
            "HS512"
        } else {
            "HS256"
        };
        log.extend(
            TokenMaker::new()
                .header(header)
                .payload(payload)
                .alg(alg)
                .sign(),
        );
        log.push(b'\n');
    }
    log
}

#[test]
fn tokens_of_one_layout_are_reported_each_by_its_own_claims() {
    let log = log_of_one_layout(20_000);
    let now = UnixTime::new(hostile::NOW.cast_unsigned(), 0).expect("a time");
    let bare = Policy::new;
    let (one, two) = ("https://one.example/", "https://two.example/");
    let keys = || {
        let secret = encode(SECRET);
        let set = format!(
            r#"{{"keys":[{{"kty":"oct","kid":"one","k":"{secret}"}},
                {{"kty":"oct","kid":"two","k":"{secret}"}},{{"kty":"oct","k":"{secret}"}}]}}"#
        );
        let mut keys = KeySet::new();
        keys.add_key(set.as_bytes(), "a test").expect("keys");
        keys
    };
    let alone = [
        bare(),
        bare().issuer(one),
        bare().audience("api://1").audience("2"),
        bare().subject("alice"),
        bare().max_lifetime(86_400).expect("a lifetime"),
        bare().max_age(3600).expect("an age").issuer(two),
        bare().require("nbf").expect("a claim"),
        bare().require("jti").expect("a claim"),
        bare()
            .require("iss")
            .and_then(|it| it.require("iat"))
            .expect("claims"),
        bare().require("sub").expect("a claim"),
        bare().require("own").expect("a claim"),
        bare().kid_as_hint(),
    ]
    .map(|policy| Validator::new(policy, keys()).expect("a validator"));
    let of_issuers = Validator::with_issuers([
        (bare().issuer(one).audience("api://1"), keys()),
        (bare().issuer(two).audience("api://2"), keys()),
    ])
    .expect("a validator");
    for validator in alone.into_iter().chain([of_issuers]) {
        let mut first = None;
        for threads in [1, 2] {
            for (block_bytes, cache_bytes) in [(1 << 18, 0), (4096, 0), (1 << 18, 16 << 20)] {
                let options = (RunOptions::new(now).threads(threads))
                    .block_bytes(block_bytes)
                    .cache_bytes(cache_bytes)
                    .distinct(true);
                // Rows are made one by one, so the report without rows has to be theirs.
                let (output, _) = output_for_log(&validator, &log, &options);
                assert!(*first.get_or_insert_with(|| output.clone()) == output);
            }
        }
    }
}

#[test]
fn evicted_headers_are_parsed_again_for_cached_tokens() {
    let mut keys = KeySet::new();
    // Without an id, so that it may have signed for any `kid`.
    keys.add_secret(SECRET, "a test").expect("a secret");
    let now = UnixTime::new(hostile::NOW.cast_unsigned(), 0).expect("a time");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    // More headers than a judge keeps from block to block, and each token soon and late again.
    let tokens: Vec<Vec<u8>> = (0..14_000)
        .map(|kid| token(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#), "{}"))
        .collect();
    let places = (0..3).flat_map(|_| (0..14_000).flat_map(|at| [at, at / 2]));
    let log: Vec<u8> = places
        .flat_map(|at| [&tokens[at][..], b"\n"].concat())
        .collect();
    let output_with = |cache_bytes| {
        let options = RunOptions::new(now)
            .block_bytes(1 << 16)
            .cache_bytes(cache_bytes);
        output_for_log(&validator, &log, &options)
    };
    let (uncached, none) = output_with(0);
    let (cached, repeated) = output_with(64 << 20);
    assert_eq!(none, 0);
    assert!(cached == uncached);
    // All that are the third or a later one of their token.
    assert_eq!(repeated, 56_000);
}
