//! What is told of a run: the [`Tally`] that workers sum up, the rows, and the [`Report`] in text
//! and JSON.
//!
//! This room knows no cryptography. Whatever it prints of a token is escaped and cut, and no token
//! or secret is printed unless asked for.

mod json;
pub(crate) mod names;
pub(crate) mod rows;
pub(crate) mod tally;
mod text;

pub use names::{MAX_NAMES, NameCounts};
pub use rows::{Only, RowOptions};
pub use tally::{Counts, EXPIRY_BUCKETS, Sample, Tally};
pub use text::TextOptions;

use std::time::Duration;

use crate::policy::Policy;
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

/// Everything that is told of a run at its end.
pub struct Report<'a> {
    /// What was judged by.
    pub validator: &'a Validator,
    /// What was counted.
    pub tally: Tally,
    /// The inputs, in the order given.
    pub inputs: Vec<InputReport>,
    /// Whether every line of every input was judged.
    pub complete: bool,
    /// How long the run took.
    pub elapsed: Duration,
}

impl Report<'_> {
    fn policy(&self) -> &Policy {
        self.validator.policy()
    }

    /// The bytes of all inputs.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum()
    }
}
