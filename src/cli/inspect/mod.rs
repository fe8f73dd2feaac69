//! `jotmill inspect`: one token, decoded and explained stage by stage.
//!
//! This room owns what is said of one token, in text and in JSON. It decides nothing: the verdict
//! comes from the library's [`Validator`], and everything else here is display. What is decoded
//! for display goes through code of its own and never through the library's claims, which exist
//! only where a signature held. Reading the token and loading keys are left to the caller.

mod content;
mod details;
mod escape;
mod json_text;
mod keys;
mod object;
mod page;
mod run;
mod segment;
mod times;
mod words;

use std::io::{self, Write};

use jotmill::{
    Algorithm, FindingSet, Key, KeyFinding, KeySet, Policy, Reason, ReasonSet, Stage, UnixTime,
    Validator,
};

pub(crate) use run::run;
use segment::{JsonSegment, Segment};

/// How the explanation is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InspectOptions {
    /// Adds colours, which say nothing that the text does not.
    pub(crate) color: bool,
    /// The columns of the page; less than 60 is taken as 60.
    pub(crate) width: usize,
    /// Writes one JSON object in the place of a page.
    pub(crate) json: bool,
}

/// What became of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Its signature held and every rule passed.
    Valid,
    /// A rule rejected it.
    Rejected,
    /// There was no key, so that nothing was verified.
    NotVerified,
}

/// Explains one token, exactly the bytes given. `validator` is `None` when no key was given; the
/// token is judged by the validator's policy when there is one, and times are told by `policy`
/// otherwise.
pub(crate) fn explain(
    token: &[u8],
    validator: Option<&Validator>,
    policy: &Policy,
    now: UnixTime,
    options: &InspectOptions,
    out: &mut dyn Write,
) -> io::Result<Outcome> {
    let facts = Facts::gather(token, validator, policy, now);
    if options.json {
        object::write(&facts, out)?;
    } else {
        page::write(&facts, options, out)?;
    }
    Ok(facts.outcome)
}

/// Segments beyond this number are not told one by one.
const MAX_SEGMENTS: usize = 6;

/// Everything that is told of a token.
struct Facts<'a> {
    token: &'a [u8],
    policy: &'a Policy,
    now: UnixTime,
    /// The issuers that there are policies for, where a policy is chosen by them.
    issuers: Vec<String>,
    /// The keys, where any were given.
    keys: Option<&'a KeySet>,
    outcome: Outcome,
    /// Why it is rejected. Without a key: why it would be, whatever the key.
    reasons: ReasonSet,
    findings: FindingSet,
    /// Whether a verified signature covers header and payload.
    is_covered: bool,
    /// The key that verified it.
    key: Option<&'a Key>,
    /// What makes that key weak.
    key_findings: Vec<KeyFinding>,
    dots: usize,
    segments: Vec<Segment<'a>>,
    header: JsonSegment<'a>,
    /// What stands in the place of a payload, where there is one in the clear.
    payload: Option<JsonSegment<'a>>,
    /// What to do about the shape of the input.
    hint: Option<String>,
}

impl<'a> Facts<'a> {
    fn gather(
        token: &'a [u8],
        validator: Option<&'a Validator>,
        policy: &'a Policy,
        now: UnixTime,
    ) -> Self {
        let (outcome, reasons, findings, key_index) = match validator {
            Some(validator) => {
                let verdict = validator.validate_at(token, now);
                let outcome = if verdict.is_valid() {
                    Outcome::Valid
                } else {
                    Outcome::Rejected
                };
                (outcome, verdict.reasons, verdict.findings, verdict.key)
            }
            None => {
                let (reasons, findings) = judge_without_key(token, policy, now);
                (Outcome::NotVerified, reasons, findings, None)
            }
        };
        let parts = || token.split(|byte| *byte == b'.');
        let dots = parts().count() - 1;
        let header = JsonSegment::new(parts().next().unwrap_or_default());
        let used = validator.zip(key_index);
        let used =
            used.and_then(|(validator, index)| Some((validator, validator.keys().get(index)?)));
        // The second segment of a JWE is an encrypted key, and nothing to be read.
        let payload = parts().nth(1).filter(|_| dots != 4).map(JsonSegment::new);
        Self {
            token,
            policy: validator.map_or(policy, Validator::policy),
            now,
            issuers: (validator.into_iter())
                .flat_map(Validator::policies)
                .flat_map(|policy| policy.issuers().to_vec())
                .collect(),
            keys: validator.map(Validator::keys),
            outcome,
            reasons,
            findings,
            is_covered: key_index.is_some(),
            key: used.map(|(_, key)| key),
            key_findings: used
                .map(|(validator, key)| validator.key_findings(key, now))
                .unwrap_or_default(),
            dots,
            segments: parts().take(MAX_SEGMENTS).map(Segment::new).collect(),
            header,
            payload,
            hint: hint(token),
        }
    }

    /// The stage at which the token was rejected.
    fn failed_stage(&self) -> Option<Stage> {
        self.reasons.iter().next().map(Reason::stage)
    }

    /// A string of the header, whether anything covers it or not.
    fn header_string(&self, name: &str) -> Option<String> {
        self.header.text()?.member(name)?.string()
    }

    /// The algorithm that the header names, if jotmill verifies it.
    fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(&self.header_string("alg")?)
    }

    /// What the `index`-th segment is called.
    const fn segment_name(&self, index: usize) -> &'static str {
        match (self.dots, index) {
            (_, 0) => "header",
            (4, 1) => "encrypted key",
            (4, 2) => "initialization vector",
            (4, 3) => "ciphertext",
            (4, 4) => "authentication tag",
            (_, 1) => "payload",
            (2, 2) => "signature",
            _ => "one more",
        }
    }
}

/// What the stages that need no key say of a token.
fn judge_without_key(token: &[u8], policy: &Policy, now: UnixTime) -> (ReasonSet, FindingSet) {
    // The library judges with keys only. This one is in the source for everyone to read, so
    // whatever a stage says that depends on the key is dropped: a token "verified" by it is not.
    let mut keys = KeySet::new();
    let verdict = keys
        .add_secret(&[1; 64], "no key")
        .ok()
        .and_then(|()| Validator::new(policy.clone(), keys).ok())
        .map(|validator| validator.validate_at(token, now));
    let Some(verdict) = verdict else {
        return (ReasonSet::EMPTY, FindingSet::EMPTY);
    };
    let needs_no_key = |reason: &Reason| {
        reason.stage() <= Stage::Header
            || matches!(reason, Reason::SignatureBase64url | Reason::SignatureLength)
    };
    let mut findings = FindingSet::EMPTY;
    for finding in verdict
        .findings
        .iter()
        .filter(|finding| finding.stage() == Stage::Header)
    {
        findings.insert(finding);
    }
    (
        verdict.reasons.iter().filter(needs_no_key).collect(),
        findings,
    )
}

/// What to do about an input that has more around the token than a token.
fn hint(token: &[u8]) -> Option<String> {
    let starts_with = |prefix: &[u8]| {
        token
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_within =
        |mark: u8| token.len() > 1 && token.starts_with(&[mark]) && token.ends_with(&[mark]);
    let is_blank = |line: &&[u8]| line.trim_ascii().is_empty();
    let lines = token.split(|byte| *byte == b'\n');
    let has_several_lines = lines.filter(|line| !is_blank(line)).nth(1).is_some();
    let text = if token.is_empty() {
        "the input is empty; give a token as the argument or on standard input"
    } else if token.starts_with(b"{") {
        "this is JSON; a token in compact serialization is three base64url texts with dots between"
    } else if has_several_lines {
        "there is more than one line; inspect takes one token on one line, and audit takes many, \
         one a line"
    } else if starts_with(b"bearer ") || starts_with(b"bearer:") {
        "drop the word Bearer: it belongs to the HTTP header, and not to the token"
    } else if starts_with(b"authorization:") {
        "drop \"Authorization: Bearer\": it belongs to HTTP, and not to the token"
    } else if is_within(b'"') || is_within(b'\'') || is_within(b'`') {
        "drop the quotes around the token"
    } else if token.contains(&b'%') {
        "there is a percent sign; was the token taken from a URL without being decoded?"
    } else {
        return None;
    };
    Some(text.to_owned())
}

#[cfg(test)]
mod tests;
