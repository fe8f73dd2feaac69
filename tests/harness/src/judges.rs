//! The judges of one line: the validator, a `Judge`, a run over a log that holds the line, and the
//! oracle. It owns the question whether they agree, down to the row; what the answer should be is
//! left to the tests that ask.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jotmill::{
    Algorithm, Error, Finding, Finished, Input, Judge, KeySet, Policy, Reason, RowOptions, RowSink,
    RunOptions, UnixTime, Validator, Verdict, Watch, run,
};
use serde_json::{Number, Value};
use sha2::{Digest, Sha256};

use crate::oracle;

/// A row, or what is expected of one.
pub type Row = BTreeMap<String, Value>;

/// The judges, under one policy and one key set, or those of several issuers.
pub struct Judges {
    /// The validator of the library.
    pub validator: Validator,
    /// The instant at which all judge.
    pub now: UnixTime,
    /// The policy and the keys of each issuer; or of all, where there is one.
    policies: Vec<(oracle::Policy, Vec<oracle::Key>)>,
    /// By their place among the keys of all policies.
    key_names: Vec<(usize, String)>,
}

/// What all say of a line.
#[derive(Debug)]
pub struct Judged {
    /// In the order of the table; empty for a valid token.
    pub codes: Vec<&'static str>,
    /// What the validator says.
    pub verdict: Verdict,
    /// The row that the run wrote.
    pub row_text: String,
    /// The row as values.
    pub row: Row,
}

impl Judged {
    /// The codes of the findings.
    pub fn findings(&self) -> Vec<&'static str> {
        findings(&self.verdict)
    }
}

/// The codes of the findings of a verdict.
pub fn findings(verdict: &Verdict) -> Vec<&'static str> {
    let findings = verdict.findings.iter();
    findings.map(|finding| finding.code()).collect()
}

impl Judges {
    /// Judges by this policy and the keys of a JWK Set.
    pub fn new(policy: oracle::Policy, jwks: &str) -> Self {
        let mut keys = KeySet::new();
        keys.add_key(jwks.as_bytes(), "the test's keys")
            .expect("usable keys");
        Self::with(policy, keys, oracle::keys_from_jwks(jwks))
    }

    /// Judges by this policy and one secret without an id.
    pub fn of_secret(policy: oracle::Policy, secret: &[u8]) -> Self {
        let mut keys = KeySet::new();
        keys.add_secret(secret, "the test's secret")
            .expect("a usable secret");
        Self::with(policy, keys, vec![oracle::Key::secret(secret)])
    }

    fn with(policy: oracle::Policy, keys: KeySet, expected_keys: Vec<oracle::Key>) -> Self {
        Self {
            validator: Validator::new(policy_like(&policy), keys).expect("a key"),
            now: time_of(&policy),
            key_names: key_names(&expected_keys),
            policies: vec![(policy, expected_keys)],
        }
    }

    /// Judges by the policies of several issuers, each with the keys of a JWK Set.
    pub fn of_issuers(policies: impl IntoIterator<Item = (oracle::Policy, String)>) -> Self {
        let (mut own, mut expected, mut all_keys) = (Vec::new(), Vec::new(), Vec::new());
        for (policy, jwks) in policies {
            let mut keys = KeySet::new();
            keys.add_key(jwks.as_bytes(), "the keys of an issuer")
                .expect("usable keys");
            own.push((policy_like(&policy), keys));
            all_keys.extend(oracle::keys_from_jwks(&jwks));
            expected.push((policy, oracle::keys_from_jwks(&jwks)));
        }
        assert!(expected.iter().all(|(it, _)| it.now == expected[0].0.now));
        Self {
            validator: Validator::with_issuers(own).expect("policies that go together"),
            now: time_of(&expected[0].0),
            key_names: key_names(&all_keys),
            policies: expected,
        }
    }

    /// A run at their instant.
    pub fn options(&self) -> RunOptions {
        RunOptions::new(self.now)
    }

    /// What the validator says of a token at their instant.
    pub fn validate(&self, token: &[u8]) -> Verdict {
        self.validator.validate_at(token, self.now)
    }

    /// The payload that the validator gives of a token at their instant.
    pub fn accept(&self, token: &[u8]) -> Result<Vec<u8>, Verdict> {
        self.validator.payload_at(token, self.now)
    }

    /// What a line without LF comes to; `None` for a blank line. Fails where the judges differ.
    pub fn judge(&self, line: &[u8]) -> Option<Judged> {
        assert!(!line.contains(&b'\n'), "a line holds no LF");
        // On the second line a byte order mark is no longer one, and with a LF behind it a final
        // CR is always part of the ending.
        let log = [b"\n", line, b"\n"].concat();
        let (rows, finished) = audit(&self.validator, &log[..], &self.options());
        let tally = &finished.report.tally;
        let shown = String::from_utf8_lossy(line);

        let Some((expected, expected_row)) = self.expected((2, 1), line) else {
            assert_eq!((rows.as_str(), tally.blank_lines), ("", 2), "{shown}");
            return None;
        };
        let row: Row = serde_json::from_str(&rows).expect("one row, in JSON");
        assert_eq!(comparable(row.clone()), expected_row, "{shown}");
        assert_eq!(tally.tokens.total(), 1, "{shown}");
        for reason in Reason::ALL {
            let count = u64::from(expected.codes.contains(&reason.code()));
            assert_eq!(tally.reasons[reason.index()], count, "{reason}: {shown}");
        }
        for (finding, found) in Finding::ALL.iter().zip(tally.findings) {
            let count = u64::from(expected.findings.contains(&finding.code()));
            assert_eq!(found, count, "{}: {shown}", finding.code());
        }

        let token = trimmed(line);
        let mut verdict = self.validate(token);
        let mut judge = Judge::new(&self.validator).expect("a kernel");
        // From the third time on, a judge takes the verdict from its cache.
        for _ in 0..3 {
            let repeated = judge.validate_all_at(&[token], self.now);
            assert_eq!(repeated, [verdict], "a slice: {shown}");
        }
        if expected.codes == ["too-long"] {
            // The validator takes a token, and the limit is that of the line around it.
            verdict = Verdict::rejected(Reason::TooLong);
        }
        let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes, expected.codes, "one token: {shown}");
        assert_eq!(findings(&verdict), expected.findings, "{shown}");
        assert_eq!(verdict.is_valid(), expected.codes.is_empty(), "{shown}");
        assert_eq!(
            verdict.key.is_some(),
            expected.key.is_some(),
            "a key is named where the signature held: {shown}"
        );
        if verdict.is_valid() {
            let payload = token.split(|byte| *byte == b'.').nth(1);
            let payload = payload.and_then(|encoded| {
                let bare = encoded.strip_suffix(b"=").unwrap_or(encoded);
                URL_SAFE_NO_PAD
                    .decode(bare.strip_suffix(b"=").unwrap_or(bare))
                    .ok()
            });
            assert_eq!(self.accept(token).ok(), payload, "{shown}");
        }
        Some(Judged {
            codes: expected.codes,
            verdict,
            row_text: rows,
            row,
        })
    }

    /// What the oracle says of a line with this number and offset, given without its LF, and the
    /// row that this calls for; `None` for a blank line.
    pub fn expected(
        &self,
        (number, offset): (usize, usize),
        line: &[u8],
    ) -> Option<(oracle::Judgement, Row)> {
        let judgement = match &self.policies[..] {
            [(policy, keys)] => oracle::judge(line, policy, keys)?,
            policies => oracle::judge_by_issuer(line, policies)?,
        };
        let max_token_bytes = self.policies[0].0.max_token_bytes;
        let mut row = Row::new();
        let mut put = |name: &str, value: Value| drop(row.insert(name.to_owned(), value));
        put("line", number.into());
        let bare = line.strip_suffix(b"\r").unwrap_or(line);
        let first = bare.iter().position(|byte| !is_blank(*byte));
        if judgement.codes == ["too-long"] {
            put("length", bare.len().into());
            // No more of such a line is looked at than shows that it is one.
            let first = first.filter(|first| *first <= max_token_bytes);
            put("offset", (offset + first.unwrap_or(0)).into());
        } else {
            put("sha256", digest(trimmed(line)).into());
            put("offset", (offset + first.unwrap_or(0)).into());
        }
        if judgement.codes.is_empty() {
            put("verdict", "valid".into());
        } else {
            put("verdict", "rejected".into());
            put("reasons", judgement.codes.clone().into());
        }
        let key = judgement.key.map(|index| {
            let mut names = self.key_names.iter();
            let name = names.find_map(|(known, name)| (*known == index).then_some(name));
            name.expect("every key that verifies has a name").clone()
        });
        for (name, text) in [
            ("alg", &judgement.alg),
            ("kid", &judgement.kid),
            ("iss", &judgement.iss),
            ("sub", &judgement.sub),
            ("jti", &judgement.jti),
        ] {
            if let Some(text) = text {
                put(name, cut(text).into());
            }
        }
        if let Some(key) = key {
            put("key", key.into());
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
            let names: Vec<String> = judgement.missing.iter().map(|name| cut(name)).collect();
            put("missing", names.into());
        }
        Some((judgement, row))
    }

    /// The codes of a line, joined by spaces.
    pub fn codes(&self, line: impl AsRef<[u8]>) -> String {
        let judged = self.judge(line.as_ref()).expect("not a blank line");
        judged.codes.join(" ")
    }
}

/// The instant of an oracle's policy.
pub fn time_of(policy: &oracle::Policy) -> UnixTime {
    let seconds = u64::try_from(policy.now.0).expect("not before 1970");
    UnixTime::new(seconds, policy.now.1).expect("before 10000")
}

/// The policy of the library that has the rules of the oracle's.
pub fn policy_like(wanted: &oracle::Policy) -> Policy {
    let mut policy = Policy::new()
        .leeway(wanted.leeway)
        .and_then(|policy| policy.max_token_bytes(wanted.max_token_bytes))
        .and_then(|policy| policy.max_key_tries(wanted.max_key_tries))
        .expect("limits that can be set");
    if let Some(seconds) = wanted.max_age {
        policy = policy.max_age(seconds).expect("an age that can be set");
    }
    if let Some(seconds) = wanted.max_lifetime {
        policy = policy
            .max_lifetime(seconds)
            .expect("a lifetime that can be set");
    }
    for typ in &wanted.typ {
        policy = policy.typ(typ);
    }
    if let Some(algs) = &wanted.algs {
        policy = policy.algorithms(
            algs.iter()
                .filter_map(|name| Algorithm::from_name(name))
                .collect(),
        );
    }
    for name in &wanted.issuers {
        policy = policy.issuer(name);
    }
    for name in &wanted.audiences {
        policy = policy.audience(name);
    }
    for name in &wanted.subjects {
        policy = policy.subject(name);
    }
    for name in &wanted.require {
        policy = policy.require(name).expect("a claim that can be required");
    }
    with_rules(policy, &wanted.rules).expect("rules that can be set")
}

fn with_rules(mut policy: Policy, rules: &oracle::Rules) -> Result<Policy, Error> {
    for (name, wanted) in &rules.claims {
        policy = match wanted {
            oracle::Wanted::Text(text) => policy.claim(name, text)?,
            oracle::Wanted::Json(json) => policy.claim_json(name, json)?,
        };
    }
    for scope in &rules.scopes {
        policy = policy.scope(scope)?;
    }
    for template in &rules.issuers {
        policy = policy.issuer_template(template)?;
    }
    for name in &rules.crit {
        policy = policy.crit(name)?;
    }
    Ok(match rules.accept_padding {
        true => policy.accept_padding(),
        false => policy,
    })
}

/// Runs over one log; gives the rows and what the run came to, which must be complete.
pub fn audit(validator: &Validator, log: impl Read, options: &RunOptions) -> (String, Finished) {
    let input = Input::Reader {
        name: "log".to_owned(),
        reader: Box::new(log),
    };
    audit_input(validator, input, options)
}

/// [`audit`] of any input.
pub fn audit_input(
    validator: &Validator,
    input: Input<'_>,
    options: &RunOptions,
) -> (String, Finished) {
    let mut rows = Vec::new();
    let sink = RowSink {
        out: &mut rows,
        options: RowOptions::default(),
    };
    let finished = run_to_end(validator, input, options, Some(sink));
    (String::from_utf8(rows).expect("rows are UTF-8"), finished)
}

/// Runs over one input, which must be judged to its end.
fn run_to_end(
    validator: &Validator,
    input: Input<'_>,
    options: &RunOptions,
    rows: Option<RowSink<'_>>,
) -> Finished {
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let finished = run(validator, vec![input], options, rows, watch);
    assert!(finished.report.complete, "{:?}", finished.errors);
    finished
}

/// The output of a run over one input.
#[derive(Clone, PartialEq)]
pub struct Output {
    /// In NDJSON.
    pub rows: String,
    /// In JSON, without the time that the run took.
    pub report: String,
}

/// The output of a run over one input, and how many tokens were taken from the cache.
pub fn output(validator: &Validator, input: Input<'_>, options: &RunOptions) -> (Output, u64) {
    let (rows, finished) = audit_input(validator, input, options);
    let repeated = finished.repeated;
    let report = report(finished);
    (Output { rows, report }, repeated)
}

/// The [`output`] for one log. Whether a run writes rows or not, it must report the same.
pub fn output_for_log(validator: &Validator, log: &[u8], options: &RunOptions) -> (Output, u64) {
    let input = || Input::Reader {
        name: "log".to_owned(),
        reader: Box::new(log),
    };
    let (output, repeated) = output(validator, input(), options);
    let without_rows = run_to_end(validator, input(), options, None);
    // Each worker has a cache of its own, and which lines it gets differs between runs.
    assert!(repeated == without_rows.repeated || options.threads > 1);
    let report = report(without_rows);
    assert!(report == output.report, "{report}\n{}", output.report);
    (output, repeated)
}

/// A report in JSON, without the time that its run took.
fn report(mut finished: Finished) -> String {
    finished.report.elapsed = Duration::ZERO;
    let mut report = Vec::new();
    let written = finished.report.write_json(&mut report);
    written.expect("writing to memory");
    String::from_utf8(report).expect("JSON is UTF-8")
}

/// A row in which equal numbers are written the same.
pub fn comparable(mut row: Row) -> Row {
    for name in ["exp", "nbf", "iat"] {
        if let Some(Value::Number(number)) = row.get_mut(name) {
            *number = plain_zero(number);
        }
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

/// The first 16 hexadecimal digits of the SHA-256.
pub fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn cut(text: &str) -> String {
    let mut ends = (0..=256.min(text.len())).rev();
    match ends.find(|end| text.is_char_boundary(*end)) {
        Some(end) if end < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// The token of a line.
pub fn trimmed(line: &[u8]) -> &[u8] {
    let mut token = line.strip_suffix(b"\r").unwrap_or(line);
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = token {
        token = rest;
    }
    token
}

/// The names that the keys must have in rows, by their place in the set.
pub fn key_names(keys: &[oracle::Key]) -> Vec<(usize, String)> {
    let mut names: Vec<(usize, String)> = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        if key.broken || matches!(key.kind, oracle::Kind::Other) {
            continue;
        }
        let is_free = |name: &String| names.iter().all(|(_, taken)| taken != name);
        let thumbprint = match &key.kind {
            oracle::Kind::Public(key) => Some(&key.thumbprint),
            oracle::Kind::Secret(_) | oracle::Kind::Other => None,
        };
        // An empty id is an id, and no name.
        let id = key.id.as_ref().filter(|id| !id.is_empty());
        let name = match id.or(thumbprint) {
            None => (1..).map(|n| format!("secret-{n}")).find(is_free),
            Some(name) => std::iter::once(cut(name))
                .chain((2..).map(|n| format!("{}#{n}", cut(name))))
                .find(is_free),
        };
        names.push((index, name.expect("numbers do not run out")));
    }
    names
}
