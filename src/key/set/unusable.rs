//! Keys that can verify nothing.

use crate::key::fault::problem;
use crate::signature::{Algorithm, AlgorithmSet};

/// A key that can verify nothing, and why: it is broken, malformed or of another type, or its JWK
/// rules verifying out.
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
    /// The algorithms of its type, as far as that can be read: all of them for a key of which nothing
    /// is known, none for what is no key.
    pub algorithms: AlgorithmSet,
    /// The index of the validator's policy that it was given for; 0 where there is only one.
    pub policy_index: usize,
}

impl UnusableKey {
    /// What is wrong, after the member at fault where there is one.
    #[must_use]
    pub fn problem(&self) -> String {
        problem(self.member, &self.why)
    }

    /// Where the key is: the file, and the index in it where there are several.
    #[must_use]
    pub fn place(&self) -> String {
        match self.index {
            Some(index) => format!("keys[{index}] of {}", self.origin),
            None => self.origin.clone(),
        }
    }

    /// Whether it could have signed a token with this algorithm, as far as can be known.
    #[must_use]
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithms.contains(algorithm)
    }
}
