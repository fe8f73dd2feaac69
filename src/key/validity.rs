//! The validity period of a certificate.

use crate::time::UnixTime;

/// The validity period of a certificate (RFC 5280 section 4.1.2.5), in seconds since 1970, both
/// ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: u64,
    /// The last second.
    pub not_after: u64,
}

impl Validity {
    /// Whether the certificate has expired.
    #[must_use]
    pub fn is_over(self, now: UnixTime) -> bool {
        now.seconds() > self.not_after
    }

    /// Whether the certificate is not valid yet.
    #[must_use]
    pub fn is_ahead(self, now: UnixTime) -> bool {
        now.seconds() < self.not_before
    }
}
