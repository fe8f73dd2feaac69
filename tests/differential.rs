//! Three judges of the same hostile lines: `run` over whole logs, the validator one token at a
//! time, and the oracle, which shares no code with either. They must agree on every line, and a
//! run must give the same bytes for any number of threads and any size of blocks.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use jotmill::dataset::Algorithm as DatasetAlgorithm;
use jotmill::{
    Algorithm, Input, KeySet, Policy, Report, RowOptions, RowSink, RunOptions, UnixTime, Validator,
    Watch, run,
};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::judges::key_names;
use crate::{hostile, oracle};

/// How many hostile lines are judged by all three.
const CASES: usize = 1_000_000;
/// How many lines are in one log.
const LOG: usize = 50_000;

/// The same policy, once for the program and once for the oracle.
fn policies(algorithms: &[Algorithm], max_token_bytes: usize) -> (Policy, oracle::Policy) {
    let seconds = u64::try_from(hostile::NOW).expect("after 1970");
    let now = UnixTime::new(seconds, hostile::NOW_NANOS).expect("before 10000");
    let mut policy = Policy::new(now)
        .issuer(hostile::ISSUER)
        .subject(hostile::SUBJECT)
        .audience(hostile::AUDIENCE)
        .typ(hostile::TYP)
        .algorithms(algorithms.iter().copied().collect())
        .leeway(hostile::LEEWAY)
        .and_then(|policy| policy.max_age(hostile::MAX_AGE))
        .and_then(|policy| policy.max_lifetime(hostile::MAX_LIFETIME))
        .and_then(|policy| policy.max_token_bytes(max_token_bytes))
        .and_then(|policy| policy.max_key_tries(hostile::MAX_KEY_TRIES))
        .expect("a sound policy");
    for name in hostile::REQUIRE {
        policy = policy.require(name).expect("a sound policy");
    }
    let expected = oracle::Policy {
        now: (hostile::NOW, hostile::NOW_NANOS),
        leeway: hostile::LEEWAY,
        max_age: Some(hostile::MAX_AGE),
        max_lifetime: Some(hostile::MAX_LIFETIME),
        issuers: vec![hostile::ISSUER.to_owned()],
        audiences: vec![hostile::AUDIENCE.to_owned()],
        subjects: vec![hostile::SUBJECT.to_owned()],
        require: hostile::REQUIRE.map(str::to_owned).to_vec(),
        typ: Some(hostile::TYP.to_owned()),
        algs: Some(
            algorithms
                .iter()
                .map(|algorithm| algorithm.name().to_owned())
                .collect(),
        ),
        max_token_bytes,
        max_key_tries: hostile::MAX_KEY_TRIES,
    };
    (policy, expected)
}

fn validator(policy: Policy) -> Validator {
    validator_of(policy, &hostile::keys())
}

fn validator_of(policy: Policy, jwks: &str) -> Validator {
    let mut keys = KeySet::new();
    keys.add_jwks(jwks.as_bytes(), "hostile keys")
        .expect("usable keys");
    Validator::new(policy, keys).expect("a validator")
}

/// Runs over one log; gives the rows and the report, its times taken out.
fn audit(
    validator: &Validator,
    log: &[u8],
    threads: usize,
    block_bytes: usize,
) -> (String, String) {
    let repeat_bytes = RunOptions::default().repeat_bytes;
    audit_with(validator, log, threads, block_bytes, repeat_bytes).1
}

/// The same with so many bytes for tokens that come again; says how many did.
fn audit_with(
    validator: &Validator,
    log: &[u8],
    threads: usize,
    block_bytes: usize,
    repeat_bytes: usize,
) -> (u64, (String, String)) {
    let input = Input::Reader {
        name: "log".to_owned(),
        reader: Box::new(log),
    };
    let mut rows = Vec::new();
    let sink = RowSink {
        out: &mut rows,
        options: RowOptions::default(),
    };
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let options = RunOptions {
        threads,
        block_bytes,
        repeat_bytes,
        ..RunOptions::default()
    };
    let mut finished = run(validator, vec![input], &options, Some(sink), watch);
    assert!(finished.report.complete, "{:?}", finished.errors);
    finished.report.elapsed = std::time::Duration::ZERO;
    let rows = String::from_utf8(rows).expect("rows are UTF-8");
    (finished.repeated, (rows, json(&finished.report)))
}

fn json(report: &Report<'_>) -> String {
    let mut text = Vec::new();
    report.write_json(&mut text).expect("writing to memory");
    String::from_utf8(text).expect("JSON is UTF-8")
}

/// The row that the oracle expects, in the form of `product`'s rows.
fn expected_row(
    line_number: usize,
    offset: usize,
    line: &[u8],
    judgement: &oracle::Judgement,
    keys: &[(usize, String)],
) -> BTreeMap<String, Value> {
    let mut row = BTreeMap::new();
    let mut put = |name: &str, value: Value| row.insert(name.to_owned(), value);
    let token = trimmed(line);
    let lead = line
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    put("line", line_number.into());
    put("offset", (offset + lead).into());
    put(
        "verdict",
        if judgement.codes.is_empty() {
            "valid"
        } else {
            "rejected"
        }
        .into(),
    );
    if !judgement.codes.is_empty() {
        put("reasons", judgement.codes.clone().into());
    }
    if judgement.codes == ["too-long"] {
        put(
            "length",
            line.strip_suffix(b"\r").unwrap_or(line).len().into(),
        );
    } else {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let hex: String = digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        put("sha256", hex.into());
    }
    let key = judgement.key.map(|index| {
        let (_, name) = keys
            .iter()
            .find(|(known, _)| *known == index)
            .expect("a usable key");
        name.clone()
    });
    for (name, text) in [
        ("alg", &judgement.alg),
        ("kid", &judgement.kid),
        ("key", &key),
        ("iss", &judgement.iss),
        ("sub", &judgement.sub),
        ("jti", &judgement.jti),
    ] {
        if let Some(text) = text {
            put(name, cut(text).into());
        }
    }
    for (name, number) in [
        ("exp", &judgement.exp),
        ("nbf", &judgement.nbf),
        ("iat", &judgement.iat),
    ] {
        if let Some(number) = number {
            put(name, plain_zero(number).into());
        }
    }
    if !judgement.missing.is_empty() {
        put("missing", judgement.missing.clone().into());
    }
    row
}

/// serde_json reads the integer -0 as a double; the rows write the integer 0. One number.
fn plain_zero(number: &Number) -> Number {
    if number.as_f64() == Some(0.0) {
        0.into()
    } else {
        number.clone()
    }
}

fn cut(text: &str) -> String {
    match (0..=256.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end))
    {
        Some(end) if end < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

fn trimmed(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = line
        .iter()
        .position(|byte| !is_blank(byte))
        .unwrap_or(line.len());
    let end = line
        .iter()
        .rposition(|byte| !is_blank(byte))
        .map_or(start, |last| last + 1);
    &line[start..end]
}

/// Judges `cases` lines by all three, in logs of [`LOG`] lines.
fn agree(seed: u64, cases: usize, policy: Policy, expected: &oracle::Policy) {
    let lines = hostile::cases(seed);
    let judged = agree_on(lines, cases, policy, &hostile::keys(), expected);
    // Blank lines are few.
    let judged: usize = judged.values().sum();
    assert!(judged > cases * 9 / 10, "{judged}");
}

/// Judges `cases` of these lines by all three under a JWK Set; says how often each codes came.
fn agree_on(
    mut lines: impl Iterator<Item = Vec<u8>>,
    cases: usize,
    policy: Policy,
    jwks: &str,
    expected: &oracle::Policy,
) -> BTreeMap<String, usize> {
    let validator = validator_of(policy, jwks);
    let keys = oracle::keys_from_jwks(jwks);
    let names = key_names(&keys);
    let mut judged = BTreeMap::new();
    for log_number in 0..cases.div_ceil(LOG) {
        let count = LOG.min(cases - log_number * LOG);
        let log_lines: Vec<Vec<u8>> = lines.by_ref().take(count).collect();
        let log = log_lines.join(&b"\n"[..]);
        let (threads, block_bytes) = [(1, 1 << 18), (2, 1 << 16), (8, 5000)][log_number % 3];
        let (rows, _) = audit(&validator, &log, threads, block_bytes);
        let mut rows = rows.lines();
        let mut offset = 0;
        for (index, line) in log_lines.iter().enumerate() {
            // The end of the last line is that of the log: no LF takes a CR with it.
            let bare_cr = index + 1 == log_lines.len() && line.ends_with(b"\r");
            let judgement = oracle::judge(line, expected, &keys);
            let codes = |token: &[u8]| -> Vec<&str> {
                validator
                    .validate(token)
                    .reasons
                    .iter()
                    .map(|reason| reason.code())
                    .collect()
            };
            if let Some(judgement) = &judgement
                && !bare_cr
            {
                *judged.entry(judgement.codes.join(" ")).or_default() += 1;
                let mut row: BTreeMap<String, Value> =
                    serde_json::from_str(rows.next().expect("a row a token"))
                        .expect("rows are JSON");
                for name in ["exp", "nbf", "iat"] {
                    if let Some(Value::Number(number)) = row.get_mut(name) {
                        *number = plain_zero(number);
                    }
                }
                let expected_row = expected_row(index + 1, offset, line, judgement, &names);
                let shown = String::from_utf8_lossy(line);
                assert_eq!(row, expected_row, "{shown}");
                if judgement.codes != ["too-long"] {
                    assert_eq!(codes(trimmed(line)), judgement.codes, "one token: {shown}");
                }
            } else if bare_cr {
                rows.next();
            }
            offset += line.len() + 1;
        }
        assert_eq!(rows.next(), None, "no row without a token");
    }
    judged
}

#[test]
fn every_judge_agrees_on_a_million_hostile_lines() {
    let (policy, expected) = policies(&Algorithm::ALL, 1 << 20);
    agree(1, CASES, policy, &expected);
}

#[test]
fn every_judge_agrees_under_a_stricter_policy() {
    let (policy, expected) = policies(&[Algorithm::Hs256, Algorithm::Hs512], 16 << 10);
    agree(2, CASES / 10, policy, &expected);
    let (policy, expected) = policies(&[Algorithm::Hs256], 300);
    agree(3, CASES / 10, policy, &expected);
}

/// Nothing is expected of claims: these lines are about keys and signatures.
fn lenient_policies() -> (Policy, oracle::Policy) {
    let seconds = u64::try_from(hostile::NOW).expect("after 1970");
    let policy = Policy::new(UnixTime::new(seconds, 0).expect("before 10000"));
    let expected = oracle::Policy {
        now: (hostile::NOW, 0),
        ..oracle::Policy::default()
    };
    (policy, expected)
}

#[test]
fn every_judge_agrees_on_hostile_tokens_of_every_algorithm() {
    let mut tokens = hostile::PublicTokens::new(1, DatasetAlgorithm::ALL);
    let keys = tokens.good_keys();
    let (policy, expected) = lenient_policies();
    let lines = std::iter::repeat_with(|| tokens.line());
    let judged = agree_on(lines, 6000, policy, &keys, &expected);
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
            judged.get(codes).is_some_and(|count| *count > 20),
            "{codes}: {judged:?}"
        );
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
            let (policy, expected) = lenient_policies();
            let mut set = KeySet::new();
            set.add_jwks(keys.as_bytes(), "hostile keys")
                .expect("some are usable");
            let aside: Vec<usize> = set.set_aside().iter().map(|key| key.index).collect();
            let wanted = oracle::keys_from_jwks(&keys).into_iter().enumerate();
            let wanted: Vec<usize> = wanted
                .filter(|(_, key)| key.broken || matches!(key.kind, oracle::Kind::Other))
                .map(|(index, _)| index)
                .collect();
            assert_eq!(aside, wanted, "{:#?} {keys}", set.set_aside());
            let lines = std::iter::repeat_with(|| tokens.line());
            agree_on(lines, 150, policy, &keys, &expected);
        }
    }
}

#[test]
fn threads_and_blocks_change_no_byte_of_rows_or_report() {
    let (policy, _) = policies(&Algorithm::ALL, 2000);
    let validator = validator(policy);
    let mut log = Vec::new();
    for (index, line) in hostile::cases(4).take(20_000).enumerate() {
        log.extend_from_slice(&line);
        log.extend_from_slice([&b"\n"[..], b"\r\n", b"\n\n", b" \n"][index % 4]);
    }
    let first = audit(&validator, &log, 1, 1 << 18);
    for threads in [1, 2, 8] {
        for block_bytes in [1, 100, 4096, 1 << 16, 1 << 20] {
            let other = audit(&validator, &log, threads, block_bytes);
            assert!(
                other == first,
                "{threads} threads, blocks of {block_bytes} bytes"
            );
        }
    }
}

/// A log in which hostile lines come again, at once and later.
fn repetitive_log(seed: u64, distinct: usize, lines: usize) -> Vec<u8> {
    let cases: Vec<Vec<u8>> = hostile::cases(seed).take(distinct).collect();
    let mut log = Vec::new();
    let mut number = seed;
    for _ in 0..lines {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let [.., low, high] = number.to_le_bytes();
        let at = usize::from(high) << 8 | usize::from(low);
        // Half of the lines are near the last one, which is often in the same block.
        let case = &cases[if low % 2 == 0 { at % distinct } else { at % 8 }];
        log.extend_from_slice(case);
        log.push(b'\n');
    }
    log
}

#[test]
fn tokens_that_come_again_are_told_of_as_if_they_did_not() {
    let (policy, _) = policies(&Algorithm::ALL, 2000);
    let validator = validator(policy);
    for (seed, distinct) in [(5, 20), (6, 500), (7, 5000)] {
        let log = repetitive_log(seed, distinct, 20_000);
        let (_, never) = audit_with(&validator, &log, 1, 1 << 18, 0);
        for threads in [1, 2, 8] {
            for block_bytes in [100, 4096, 1 << 16, 1 << 20] {
                // With little room most tokens take the place of others.
                for repeat_bytes in [16 << 20, 100 << 10] {
                    let (repeated, again) =
                        audit_with(&validator, &log, threads, block_bytes, repeat_bytes);
                    let case = format!("{distinct} {threads} {block_bytes} {repeat_bytes}");
                    assert!(again == never, "{case}");
                    assert!(repeated > 0 || threads > 1, "{case}");
                }
            }
        }
    }
}
