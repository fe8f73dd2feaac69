//! The results of a run: the [`Tally`] of counts, the rows, and the [`Report`] as text and JSON.
//!
//! Owns what may be printed of a token: strings that tokens chose are cut and escaped, a whole
//! token is printed only on request, and a secret never. Verdicts are left to `validator` and
//! `batch`.

pub(crate) mod distinct;
#[cfg(test)]
pub(crate) mod fixture;
mod json;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod suspects;
pub(crate) mod tally;
mod text;
pub(crate) mod uses;

pub use distinct::Distinct;
pub use json::REPORT_SCHEMA;
pub use names::{MAX_NAMES, NameCounts};
pub use rows::{Only, RowOptions};
pub use tally::{Counts, EXPIRY_BUCKETS, Sample, Tally};
pub use text::TextOptions;
pub use uses::{LATE_BUCKETS, Timeline, Uses};

use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Duration;

use self::suspects::KidHint;
use crate::input::{Compression, FormChoice};
use crate::key::{KeyFinding, OtherReading};
use crate::policy::Policy;
use crate::signature::{AlgorithmSet, REGISTERED};
use crate::time::UnixTime;
use crate::validator::Validator;
use crate::verdict::{Finding, Reason};

/// One input of a run, as the report lists it.
#[derive(Clone, Debug, Default)]
pub struct InputReport {
    /// The input's name, as given.
    pub name: String,
    /// How many bytes of it were judged; of a compressed input, unpacked bytes.
    pub bytes: u64,
    /// How many lines of it were judged.
    pub lines: u64,
    /// The form that it was read in, and why; `None` if it was not opened.
    pub form: Option<FormChoice>,
    /// Whether the line of its first token has a time, where tokens were not judged at that.
    pub has_times: bool,
    /// How many tokens were found in it.
    pub tokens: u64,
    /// How many tokens in it were cut short; they were not judged.
    pub cut_tokens: u64,
    /// How many Bearer credentials in it are no JWTs.
    pub other_credentials: u64,
    /// Why it was not judged to its end, if it was not.
    pub error: Option<String>,
    /// How many bytes were added to a file after it was opened; they were not judged.
    pub grown: u64,
    /// Whether the last line had no ending yet and something was added after it: it was judged as far
    /// as it was written.
    pub has_cut_line: bool,
    /// How it was compressed, if it was.
    pub compression: Option<Compression>,
    /// How many bytes were read of a compressed input; 0 for others.
    pub packed_bytes: u64,
    /// The encoding, if the text was transcoded: `UTF-16LE` or `UTF-16BE`.
    pub encoding: Option<&'static str>,
}

/// A sample of the tokens, by a hash of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleReport {
    /// One in so many tokens is in the sample.
    pub one_in: NonZero<u64>,
    /// How many tokens were found and left out.
    pub left_out: u64,
}

/// The result of a run; text and JSON are two renderings of it.
pub struct Report {
    /// The policies and keys that tokens were judged by.
    pub validator: Validator,
    /// The instant that tokens were judged at.
    pub now: UnixTime,
    /// The counts.
    pub tally: Tally,
    /// The inputs, in the order given.
    pub inputs: Vec<InputReport>,
    /// The sample, if only one in so many tokens was judged.
    pub sample: Option<SampleReport>,
    /// Whether every line of every input was judged.
    pub complete: bool,
    /// Why the run ended early, unless an error of an input did it.
    pub ended_by: Option<String>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// What a report shows of a key.
struct KeySummary<'k> {
    /// The tokens that it verified.
    counts: Counts,
    /// The algorithms that the policy allows it and for which it is too short (RFC 7518
    /// section 3.2).
    weak_for: AlgorithmSet,
    /// Its weaknesses.
    findings: Vec<KeyFinding>,
    /// The names that belong to it, if it is an anchor.
    anchor_names: Vec<&'k str>,
}

impl Report {
    /// The checks that at least one of the policies did not make.
    fn unchecked(&self) -> Vec<&'static str> {
        let mut all: Vec<&str> = Vec::new();
        for name in self.validator.policies().iter().flat_map(Policy::unchecked) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// The other readings of secrets that verified nothing, with which tokens of the run would verify.
    fn other_readings(&self) -> Vec<OtherReading> {
        let verified = |key: usize| self.tally.keys.get(key).is_some_and(|it| it.total() > 0);
        (self.tally.suspects).other_readings(&self.validator, verified)
    }

    /// What `--kid-hint` would do for tokens of the run whose `kid` names no key.
    fn kid_hint(&self) -> Option<KidHint> {
        self.tally.suspects.kid_hint(&self.validator, self.now)
    }

    /// The reasons that occurred, in the order of the rules, and how often each did.
    fn reason_counts(&self) -> impl Iterator<Item = (Reason, u64)> {
        let all = Reason::ALL.iter().copied().zip(self.tally.reasons);
        all.filter(|(_, count)| *count > 0)
    }

    /// The findings that occurred, and how often each did.
    fn finding_counts(&self) -> impl Iterator<Item = (Finding, u64)> {
        let all = Finding::ALL.iter().copied().zip(self.tally.findings);
        all.filter(|(_, count)| *count > 0)
    }

    /// The registered algorithms that occurred, and `other` for all names that are not registered.
    fn algorithm_counts(&self) -> impl Iterator<Item = (&'static str, Counts)> {
        let names = REGISTERED.into_iter().chain(["other"]);
        names
            .zip(self.tally.algs)
            .filter(|(_, counts)| counts.total() > 0)
    }

    /// The keys by name; names are unique.
    fn keys_by_name(&self) -> BTreeMap<&str, KeySummary<'_>> {
        let set = self.validator.keys();
        let keys = set.iter().zip(&self.tally.keys);
        keys.map(|(key, counts)| {
            let policy = &self.validator.policies()[key.policy_index()];
            let is_weak = |algorithm: &_| policy.allows(*algorithm) && key.is_weak_for(*algorithm);
            let summary = KeySummary {
                counts: *counts,
                weak_for: key.algorithms().iter().filter(is_weak).collect(),
                findings: self.validator.key_findings(key, self.now),
                anchor_names: key.anchor_names().collect(),
            };
            (key.name(), summary)
        })
        .collect()
    }

    /// How many bytes of all inputs were judged.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum()
    }
}
