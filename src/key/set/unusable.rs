//! Keys that cannot be used.

use crate::key::fault::problem;

/// A key that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnusableKey {
    /// The file that it is in.
    pub origin: String,
    /// Its index in the set, or in a file of several keys; none where the file as a whole cannot be
    /// used.
    pub index: Option<usize>,
    /// Its `kid`, where it has one.
    pub kid: Option<String>,
    /// The member of the JWK at fault; none where it is the key as a whole.
    pub member: Option<&'static str>,
    /// What is wrong with it; never quotes any part of a key.
    pub why: String,
}

impl UnusableKey {
    /// What is wrong, after the member at fault where there is one.
    #[must_use]
    pub fn problem(&self) -> String {
        problem(self.member, &self.why)
    }
}
