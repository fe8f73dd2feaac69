//! The stages of bulk validation, and the clock that measures them.

/// A stage of bulk validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Finding the tokens: lines, and the two dots of each token.
    Extract,
    /// Looking up each token in the cache of repeated tokens.
    Cache,
    /// Looking up each header in the cache of headers, and with it the keys to try; with several
    /// issuers, also decoding each payload and reading its issuer.
    Header,
    /// Decoding each signature from base64url.
    SignatureBase64url,
    /// Computing and comparing the signatures, in lanes where there are any.
    Signature,
    /// Decoding each payload, reading its claims, applying the rules, counting the verdict.
    Claims,
}

impl Stage {
    /// Every stage, in order: the discriminant is the index.
    pub const ALL: [Self; 6] = [
        Self::Extract,
        Self::Cache,
        Self::Header,
        Self::SignatureBase64url,
        Self::Signature,
        Self::Claims,
    ];

    /// The name in tables and data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Extract => "extract",
            Self::Cache => "cache",
            Self::Header => "header",
            Self::SignatureBase64url => "signature-base64url",
            Self::Signature => "signature",
            Self::Claims => "claims",
        }
    }
}

/// Measures stages, or does nothing.
pub(crate) trait Clock {
    /// The time since the last call was spent on this stage.
    fn lap(&mut self, stage: Stage);
}

/// The clock of runs that nobody measures.
pub(crate) struct NoClock;

impl Clock for NoClock {
    #[inline(always)]
    fn lap(&mut self, _: Stage) {}
}
