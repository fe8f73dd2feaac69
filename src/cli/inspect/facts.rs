//! What is known of a token: its parts, what it was judged by, and the verdict.
//!
//! The sentences about it are made elsewhere, from this alone.

use jotmill::{
    Algorithm, Chain, ChainError, Finding, FindingSet, Key, KeyFinding, KeySet, OtherReading,
    Policy, Reason, ReasonSet,
};
use jotmill::{Stage, UnixTime, Validator, Verdict};
use sha2::{Digest, Sha256};

use super::json_text::{JsonText, Member};
use super::segment::{Content, Segment};

/// Segments beyond this number are counted and not listed.
const MAX_SEGMENTS: usize = 6;

/// What became of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Its signature holds and every rule passed.
    Valid,
    /// A rule rejected it.
    Rejected,
    /// There was no key, so that nothing was verified.
    NotVerified,
}

/// The key that verified the token.
pub(super) struct VerifyingKey<'a> {
    pub(super) key: &'a Key,
    /// What makes it weak.
    pub(super) findings: Vec<KeyFinding>,
}

/// A token, what it was judged by, and the verdict.
pub(super) struct Facts<'a> {
    pub(super) token: &'a [u8],
    pub(super) policy: &'a Policy,
    /// The issuers of all policies.
    pub(super) issuers: Vec<&'a str>,
    /// `None` without a key.
    pub(super) keys: Option<&'a KeySet>,
    /// The instant that the token is judged at.
    pub(super) now: UnixTime,
    pub(super) outcome: Outcome,
    /// Why it is rejected. Without a key: why it would be, whatever the key.
    pub(super) reasons: ReasonSet,
    pub(super) findings: FindingSet,
    /// Its certificate chain, where that may lead to an anchor.
    pub(super) chain: Option<Result<Chain, ChainError>>,
    /// The other readings of secrets that would verify it.
    pub(super) other_readings: Vec<OtherReading>,
    /// The key that `--kid-hint` would verify it with.
    pub(super) key_by_kid_hint: Option<&'a Key>,
    /// The key that verified it, so that header and payload are authentic.
    pub(super) key: Option<VerifyingKey<'a>>,
    pub(super) dots: usize,
    pub(super) segments: Vec<Segment>,
    pub(super) header: Content,
    /// `None` where there is no payload, or an encrypted one.
    pub(super) payload: Option<Content>,
}

impl<'a> Facts<'a> {
    /// Judges `token`, exactly the bytes given, by `validator` and `policy`, which is its policy.
    /// Without a validator only the checks that need no key are made.
    pub(super) fn new(
        token: &'a [u8],
        validator: Option<&'a Validator>,
        policy: &'a Policy,
        now: UnixTime,
    ) -> Self {
        let verdict = match validator {
            Some(validator) => validator.validate_at(token, now),
            None => verdict_without_key(token, policy, now),
        };
        let key = validator.zip(verdict.key).and_then(|(validator, index)| {
            let key = validator.keys().get(index)?;
            let findings = validator.key_findings(key, now);
            Some(VerifyingKey { key, findings })
        });
        let bare = without_padding(token, policy.accepts_padding());
        let parts = || bare.iter().copied();
        let dots = parts().count() - 1;
        let is_encrypted = verdict.reasons.contains(Reason::Encrypted);
        let policies = validator.map_or(&[][..], Validator::policies);
        let issuers = policies.iter().flat_map(Policy::issuer_names);
        let segment =
            |(index, encoded)| Segment::new(segment_name(dots, is_encrypted, index), encoded);
        Self {
            token,
            policy,
            issuers: issuers.collect(),
            keys: validator.map(Validator::keys),
            now,
            outcome: match (validator, verdict.is_valid()) {
                (None, _) => Outcome::NotVerified,
                (Some(_), true) => Outcome::Valid,
                (Some(_), false) => Outcome::Rejected,
            },
            reasons: verdict.reasons,
            findings: verdict.findings,
            chain: validator.and_then(|validator| validator.chain_at(token, now)),
            other_readings: (validator)
                .filter(|_| verdict.reasons.contains(Reason::SignatureMismatch))
                .map(|validator| validator.other_secret_readings(&[token]))
                .unwrap_or_default(),
            key_by_kid_hint: validator.and_then(|validator| {
                let key = validator.key_by_kid_hint(token, now)?;
                validator.keys().get(key)
            }),
            key,
            dots,
            segments: (parts().take(MAX_SEGMENTS).enumerate().map(segment)).collect(),
            header: Content::new(parts().next().unwrap_or_default()),
            // The second segment of a JWE is an encrypted key.
            payload: parts().nth(1).filter(|_| !is_encrypted).map(Content::new),
        }
    }

    /// The stage at which the token was rejected.
    pub(super) fn failed_stage(&self) -> Option<Stage> {
        self.reasons.iter().next().map(Reason::stage)
    }

    /// A string of the header, authentic or not.
    pub(super) fn header_string(&self, name: &str) -> Option<String> {
        self.header.text()?.member(name)?.string()
    }

    /// The algorithm that the header names, if jotmill verifies it.
    pub(super) fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_name(&self.header_string("alg")?)
    }

    /// A claim, authentic or not: the last of this name.
    pub(super) fn claim(&self, name: &str) -> Option<&Member> {
        self.claims()?.member(name)
    }

    /// What was found at a stage beside the verdict.
    pub(super) fn findings_at(&self, stage: Stage) -> impl Iterator<Item = Finding> {
        let findings = self.findings.iter();
        findings.filter(move |finding| finding.stage() == stage)
    }

    /// The payload as JSON, authentic or not.
    pub(super) fn claims(&self) -> Option<&JsonText> {
        self.payload.as_ref()?.text()
    }

    /// The digest by which rows name a token. It is of the token, and never of a secret.
    pub(super) fn sha256(&self) -> String {
        let digest = Sha256::digest(self.token);
        let start = digest.first_chunk().copied().unwrap_or_default();
        format!("{:016x}", u64::from_be_bytes(start))
    }

    /// What to do about an input that is more than a token.
    pub(super) fn hint(&self) -> Option<&'static str> {
        let token = self.token;
        let starts_with = |prefix: &[u8]| {
            (token.get(..prefix.len())).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        let is_within =
            |mark: u8| token.len() > 1 && token.starts_with(&[mark]) && token.ends_with(&[mark]);
        let lines = token.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let lines = lines.filter(|line| !line.is_empty()).count();
        Some(if token.is_empty() {
            "the input is empty; give a token as the argument or on standard input"
        } else if token.starts_with(b"{") {
            "this is JSON; a token in compact serialization is three base64url texts with dots \
             between"
        } else if lines > 1 {
            "there is more than one line; inspect takes one token on one line, and audit takes \
             many, one a line"
        } else if starts_with(b"bearer ") || starts_with(b"bearer:") {
            "drop the word Bearer: it belongs to the HTTP header, and not to the token"
        } else if starts_with(b"authorization:") {
            "drop \"Authorization: Bearer\": it belongs to HTTP, and not to the token"
        } else if b"\"'`".iter().any(|mark| is_within(*mark)) {
            "drop the quotes around the token"
        } else if starts_with(b"https://") || starts_with(b"http://") {
            "this is a URL; if a token is in it, give that token alone"
        } else if is_sd_jwt(token) {
            "this looks like an SD-JWT (RFC 9901): a signed token, then disclosures and perhaps a \
             key binding, with ~ between; give what is in front of the first ~, which is the token \
             that the issuer signed"
        } else if token
            .iter()
            .any(|byte| byte.is_ascii_whitespace() || *byte == b',')
        {
            "there is white space or a comma within; if there are several tokens, give one of \
             them, or give audit many, one a line"
        } else if token.contains(&b'%') {
            "there is a percent sign; was the token taken from a URL without being decoded?"
        } else {
            return None;
        })
    }
}

/// Whether a signed token is in front of the first `~`.
fn is_sd_jwt(token: &[u8]) -> bool {
    let first = token.iter().position(|byte| *byte == b'~');
    let signed = first.and_then(|at| token.get(..at));
    signed.is_some_and(|signed| signed.iter().filter(|byte| **byte == b'.').count() == 2)
}

/// The segments of a token; where padding is accepted and each is padded exactly, without it.
fn without_padding(token: &[u8], is_accepted: bool) -> Vec<&[u8]> {
    let bare = |segment: &'_ [u8]| {
        let padding = segment
            .iter()
            .rev()
            .take_while(|byte| **byte == b'=')
            .count();
        (segment.len().is_multiple_of(4) && padding <= 2).then(|| segment.len() - padding)
    };
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let lens: Option<Vec<usize>> = parts.iter().map(|part| bare(part)).collect();
    match lens {
        Some(lens) if is_accepted && lens.len() == 3 => parts
            .iter()
            .zip(lens)
            .map(|(part, len)| &part[..len])
            .collect(),
        _ => parts,
    }
}

/// What a segment is called in a token of so many dots.
const fn segment_name(dots: usize, is_encrypted: bool, index: usize) -> &'static str {
    match (dots, index) {
        (_, 0) => "header",
        (_, 1) if is_encrypted => "encrypted key",
        (_, 2) if is_encrypted => "initialization vector",
        (_, 3) if is_encrypted => "ciphertext",
        (_, 4) if is_encrypted => "authentication tag",
        (_, 1) => "payload",
        (2, 2) => "signature",
        _ => "one more",
    }
}

/// What the stages that need no key say of a token.
fn verdict_without_key(token: &[u8], policy: &Policy, now: UnixTime) -> Verdict {
    // The library judges with keys only. This one is in the source for everyone to read, so
    // whatever depends on the key is dropped: a token "verified" by it is not.
    let mut keys = KeySet::new();
    let added = keys.add_secret(&[1; 64], "no key").ok();
    let validator = added.and_then(|()| Validator::new(policy.clone(), keys).ok());
    let verdict = validator.map(|validator| validator.validate_at(token, now));
    let (all_reasons, all_findings) = verdict
        .map(|verdict| (verdict.reasons, verdict.findings))
        .unwrap_or_default();
    let needs_no_key = |reason: &Reason| {
        reason.stage() <= Stage::Header
            || matches!(reason, Reason::SignatureBase64url | Reason::SignatureLength)
    };
    let reasons = all_reasons.iter().filter(needs_no_key).collect();
    let mut findings = FindingSet::EMPTY;
    for finding in all_findings.iter() {
        if finding.stage() <= Stage::Header {
            findings.insert(finding);
        }
    }
    Verdict {
        reasons,
        findings,
        key: None,
    }
}
