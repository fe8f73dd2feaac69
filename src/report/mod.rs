//! What is told of a run: the [`Tally`] that workers sum up, the rows, and the [`Report`] in text
//! and JSON.
//!
//! This room knows no cryptography. Whatever it prints of a token is escaped and cut, and no token
//! or secret is printed unless asked for.

mod distinct;
#[cfg(test)]
pub(crate) mod fixture;
mod json;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod tally;
mod text;

pub use distinct::Distinct;
pub use json::REPORT_SCHEMA;
pub use names::{MAX_NAMES, NameCounts};
pub use rows::{Only, RowOptions};
pub use tally::{Counts, EXPIRY_BUCKETS, Sample, Tally};
pub use text::TextOptions;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::key::KeyFinding;
use crate::policy::Policy;
use crate::signature::AlgorithmSet;
use crate::time::UnixTime;
use crate::validator::Validator;

/// One input of a run, as the report lists it.
#[derive(Clone, Debug, Default)]
pub struct InputReport {
    /// The input's name, as given.
    pub name: String,
    /// How many bytes of it were judged.
    pub bytes: u64,
    /// How many lines of it were judged.
    pub lines: u64,
    /// Why it was not judged to its end, if it was not.
    pub error: Option<String>,
    /// By how many bytes a file grew after it was opened; these were not judged.
    pub grown: u64,
}

/// The result of a run.
pub struct Report {
    /// The policies and keys that tokens were validated by.
    pub validator: Validator,
    /// The instant that tokens were validated at.
    pub now: UnixTime,
    /// What was counted.
    pub tally: Tally,
    /// The inputs, in the order given.
    pub inputs: Vec<InputReport>,
    /// Whether every line of every input was judged.
    pub complete: bool,
    /// What ended the run before the end of its inputs, where no input is to blame.
    pub ended_by: Option<String>,
    /// How long the run took.
    pub elapsed: Duration,
}

/// What is told of a key.
struct KeySum {
    /// The tokens that it verified.
    counts: Counts,
    /// The algorithms that the policy allows it and for which it is too short (RFC 7518
    /// section 3.2).
    weak_for: AlgorithmSet,
    /// What makes it weak.
    findings: Vec<KeyFinding>,
}

impl Report {
    /// The checks that were not made under at least one of the policies.
    fn unchecked(&self) -> Vec<&'static str> {
        let mut all: Vec<&str> = Vec::new();
        for name in self.validator.policies().iter().flat_map(Policy::unchecked) {
            if !all.contains(&name) {
                all.push(name);
            }
        }
        all
    }

    /// The keys by their names, of which each has its own.
    fn keys_by_name(&self) -> BTreeMap<&str, KeySum> {
        let set = self.validator.keys();
        let keys = set.iter().zip(&self.tally.keys);
        keys.map(|(key, counts)| {
            let policy = &self.validator.policies()[key.policy_index()];
            let is_weak = |algorithm: &_| policy.allows(*algorithm) && key.is_weak_for(*algorithm);
            let sum = KeySum {
                counts: *counts,
                weak_for: key.algorithms().iter().filter(is_weak).collect(),
                findings: self.validator.key_findings(key, self.now),
            };
            (key.name(), sum)
        })
        .collect()
    }

    /// The bytes of all inputs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum()
    }
}
