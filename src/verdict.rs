//! The verdict on a token: valid, or rejected for one or more reasons.
//!
//! This module knows no bytes, no keys and no JSON. The codes are API: they appear in rows and
//! reports, and a code never changes its meaning.

mod finding;
mod reason;

use std::fmt;

pub use finding::{Finding, FindingSet};
pub use reason::{Reason, ReasonSet, Stage};

/// The verdict on one token; for a rejected one it is an error.
///
/// It holds no part of the token, so it is safe to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Verdict {
    /// Why the token was rejected; empty for a valid token.
    pub reasons: ReasonSet,
    /// Warnings, which do not affect the verdict.
    pub findings: FindingSet,
    /// The key that verified the signature, as an index into the key set; `None` if none did.
    pub key: Option<u32>,
}

impl Verdict {
    /// A rejection for one reason, before a signature was verified.
    pub const fn rejected(reason: Reason) -> Self {
        let mut reasons = ReasonSet::EMPTY;
        reasons.insert(reason);
        Self {
            reasons,
            findings: FindingSet::EMPTY,
            key: None,
        }
    }

    /// Whether the token is valid: its signature was verified and every claim passed.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        // The absence of a reason is not evidence, so a verified signature is required as well.
        self.reasons.is_empty() && self.key.is_some()
    }
}

/// `valid`, or `rejected: ` and the codes of the reasons.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_valid() {
            return f.write_str("valid");
        }
        f.write_str("rejected")?;
        for (index, reason) in self.reasons.iter().enumerate() {
            let separator = if index == 0 { ": " } else { ", " };
            write!(f, "{separator}{}", reason.code())?;
        }
        Ok(())
    }
}

impl std::error::Error for Verdict {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_reads_as_an_error() {
        let mut verdict = Verdict::rejected(Reason::Expired);
        verdict.reasons.insert(Reason::AudienceMismatch);
        let error: Box<dyn std::error::Error> = verdict.into();
        assert_eq!(error.to_string(), "rejected: expired, audience-mismatch");
        (verdict.reasons, verdict.key) = (ReasonSet::EMPTY, Some(0));
        assert_eq!(verdict.to_string(), "valid");
    }

    #[test]
    fn a_verdict_without_a_key_is_never_valid() {
        let verdict = Verdict {
            reasons: ReasonSet::EMPTY,
            findings: FindingSet::EMPTY,
            key: None,
        };
        assert!(!verdict.is_valid());
        assert!(
            Verdict {
                key: Some(0),
                ..verdict
            }
            .is_valid()
        );
    }
}
