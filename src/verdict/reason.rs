//! Why a token is rejected: the stages, and the reasons of each with code, meaning and rule.

use std::fmt;

/// The stages a token passes, in order. Validation ends at the first stage that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Reading the line of the token.
    Line,
    /// The three segments of the compact serialization (RFC 7515 section 7.1).
    Structure,
    /// The JOSE header (RFC 7515 section 4).
    Header,
    /// Choosing the key (RFC 7515 section 6). With several issuers, the unverified `iss` first
    /// chooses the policy, and is used for nothing else before verification (RFC 8725 section 3.8).
    Key,
    /// Verifying the signature (RFC 7515 section 5.2).
    Signature,
    /// Decoding the payload (RFC 7519 section 7.2). From here on, the bytes are authentic.
    Payload,
    /// Checking the claims (RFC 7519 section 4).
    Claims,
}

impl Stage {
    /// All stages, in order.
    pub const ALL: [Self; 7] = [
        Self::Line,
        Self::Structure,
        Self::Header,
        Self::Key,
        Self::Signature,
        Self::Payload,
        Self::Claims,
    ];

    /// The stage's name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Structure => "structure",
            Self::Header => "header",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Payload => "payload",
            Self::Claims => "claims",
        }
    }
}

macro_rules! reasons {
    ($($stage:ident { $($name:ident $code:literal $meaning:literal $rule:literal;)+ })+) => {
        /// Why a token was rejected, in the order in which the rules are applied.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Reason {
            $($(
                #[doc = concat!("`", $code, "`: ", $meaning, " (", $rule, ").")]
                $name,
            )+)+
        }

        impl Reason {
            /// Every reason, in order: the discriminant is the index.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            /// The stable code, used in rows and reports.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $($(Self::$name => $code,)+)+ }
            }

            /// The meaning of the code, as part of a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $($(Self::$name => $meaning,)+)+ }
            }

            /// The document and section that the rule comes from.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $($(Self::$name => $rule,)+)+ }
            }

            /// The stage that rejects for this reason.
            #[must_use]
            pub const fn stage(self) -> Stage {
                match self { $($(Self::$name => Stage::$stage,)+)+ }
            }
        }
    };
}

reasons! {
    Line {
        TooLong "too-long" "the line is longer than --max-token-bytes" "jotmill limit";
    }
    Structure {
        SegmentCount "segment-count" "a signed token has exactly two dots" "RFC 7515 section 7.1";
        Encrypted "encrypted" "a JWE, which jotmill does not decrypt" "RFC 7516 section 7.1";
    }
    Header {
        HeaderBase64url "header-base64url" "the header is not canonical base64url"
            "RFC 7515 section 2";
        HeaderJson "header-json" "the header is not JSON in UTF-8" "RFC 7515 section 5.2";
        HeaderNotObject "header-not-object" "the header is JSON, but not an object"
            "RFC 7515 section 4";
        HeaderDuplicateMember "header-duplicate-member" "a header member occurs twice"
            "RFC 7515 section 4";
        AlgMissing "alg-missing" "the header names no algorithm" "RFC 7515 section 4.1.1";
        AlgType "alg-type" "alg is not a string" "RFC 7515 section 4.1.1";
        AlgNone "alg-none" "the token is unsigned" "RFC 8725 section 3.2";
        AlgUnsupported "alg-unsupported" "jotmill does not verify this algorithm"
            "RFC 7515 section 5.2";
        AlgNotAllowed "alg-not-allowed" "the algorithm is not on the allow-list"
            "RFC 8725 section 3.1";
        KidType "kid-type" "kid is not a string" "RFC 7515 section 4.1.4";
        TypType "typ-type" "typ is not a string" "RFC 7515 section 4.1.9";
        CtyType "cty-type" "cty is not a string" "RFC 7515 section 4.1.10";
        TypMismatch "typ-mismatch" "typ is not the expected media type" "RFC 8725 section 3.11";
        CritInvalid "crit-invalid" "crit breaks its own rules" "RFC 7515 section 4.1.11";
        B64Unsupported "b64-unsupported" "an unencoded payload is not accepted"
            "RFC 7797 section 7";
        CritUnsupported "crit-unsupported" "crit names an extension that is not understood"
            "RFC 7515 section 4.1.11";
    }
    Key {
        IssuerUnknown "issuer-unknown" "iss is absent, unreadable or in no policy"
            "RFC 8725 section 3.8";
        KeyNotFound "key-not-found" "no key for this kid and algorithm" "RFC 7515 section 6";
        ChainInvalid "chain-invalid" "the certificates of x5c do not lead to an anchor by its rules"
            "RFC 5280 section 6.1";
        KeyMismatch "key-mismatch" "the key that kid names does not verify this algorithm"
            "RFC 8725 section 3.1";
        KeyUnusable "key-unusable" "the key that kid names is unusable: it is malformed"
            "RFC 7517 section 5";
        TooManyKeys "too-many-keys" "more keys fit than --max-key-tries allows" "jotmill limit";
    }
    Signature {
        SignatureBase64url "signature-base64url" "the signature is not canonical base64url"
            "RFC 7515 section 2";
        SignatureLength "signature-length" "the signature's length fits no candidate key"
            "RFC 7515 section 5.2";
        SignatureMismatch "signature-mismatch" "no candidate key made this signature"
            "RFC 7515 section 5.2";
    }
    Payload {
        PayloadBase64url "payload-base64url" "the payload is not canonical base64url"
            "RFC 7515 section 2";
        PayloadJson "payload-json" "the payload is not JSON in UTF-8" "RFC 7519 section 7.2";
        PayloadNotObject "payload-not-object" "the payload is JSON, but not an object"
            "RFC 7519 section 7.2";
        PayloadDuplicateMember "payload-duplicate-member" "a claim occurs twice"
            "RFC 7519 section 4";
    }
    Claims {
        ExpType "exp-type" "exp is not a number" "RFC 7519 section 4.1.4";
        NbfType "nbf-type" "nbf is not a number" "RFC 7519 section 4.1.5";
        IatType "iat-type" "iat is not a number" "RFC 7519 section 4.1.6";
        IssType "iss-type" "iss is not a string" "RFC 7519 section 4.1.1";
        SubType "sub-type" "sub is not a string" "RFC 7519 section 4.1.2";
        AudType "aud-type" "aud is not a string or an array of strings" "RFC 7519 section 4.1.3";
        JtiType "jti-type" "jti is not a string" "RFC 7519 section 4.1.7";
        Expired "expired" "now is on or after exp" "RFC 7519 section 4.1.4";
        NotYetValid "not-yet-valid" "now is before nbf" "RFC 7519 section 4.1.5";
        IssuedInFuture "issued-in-future" "iat is after now" "RFC 7519 section 4.1.6";
        TooOld "too-old" "issued longer ago than --max-age" "RFC 7519 section 4.1.6";
        LifetimeTooLong "lifetime-too-long" "exp is further from iat than --max-lifetime"
            "RFC 7519 section 4.1.4";
        IssuerMismatch "issuer-mismatch" "iss is not an expected issuer" "RFC 7519 section 4.1.1";
        SubjectMismatch "subject-mismatch" "sub is not an expected subject"
            "RFC 7519 section 4.1.2";
        AudienceMismatch "audience-mismatch" "aud names no expected audience"
            "RFC 7519 section 4.1.3";
        MissingIss "missing-iss" "iss is required and absent" "RFC 7519 section 4";
        MissingSub "missing-sub" "sub is required and absent" "RFC 7519 section 4";
        MissingAud "missing-aud" "aud is required and absent" "RFC 7519 section 4";
        MissingExp "missing-exp" "exp is required and absent" "RFC 7519 section 4";
        MissingNbf "missing-nbf" "nbf is required and absent" "RFC 7519 section 4";
        MissingIat "missing-iat" "iat is required and absent" "RFC 7519 section 4";
        MissingJti "missing-jti" "jti is required and absent" "RFC 7519 section 4";
        MissingClaim "missing-claim" "a required claim is absent or null" "RFC 7519 section 4";
        ClaimMismatch "claim-mismatch" "a claim has none of its expected values"
            "RFC 7519 section 4";
    }
}

impl Reason {
    /// How many reasons there are.
    pub const COUNT: usize = Self::ALL.len();

    /// The reason with this code, if there is one.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|reason| reason.code() == code)
    }

    /// The index in [`Reason::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

// A set has one bit per reason.
const _: () = assert!(Reason::COUNT <= 128);

/// A set of [`Reason`]s; empty for a valid token.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ReasonSet(u128);

impl ReasonSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Adds a reason.
    pub const fn insert(&mut self, reason: Reason) {
        self.0 |= 1 << reason as u8;
    }

    /// The reasons of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of these reasons are in the other set.
    pub(crate) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all of its reasons are in `other`.
    pub(crate) const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the reason is in the set.
    #[must_use]
    pub const fn contains(self, reason: Reason) -> bool {
        self.0 >> reason as u8 & 1 == 1
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many reasons are in the set.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// The reasons, in the order of the rules.
    pub fn iter(self) -> impl Iterator<Item = Reason> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let reason = *Reason::ALL.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(reason)
        })
    }
}

impl From<Reason> for ReasonSet {
    fn from(reason: Reason) -> Self {
        let mut set = Self::EMPTY;
        set.insert(reason);
        set
    }
}

impl FromIterator<Reason> for ReasonSet {
    fn from_iter<I: IntoIterator<Item = Reason>>(reasons: I) -> Self {
        let mut set = Self::EMPTY;
        reasons.into_iter().for_each(|reason| set.insert(reason));
        set
    }
}

impl fmt::Debug for ReasonSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Reason::code))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_round_trip() {
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(reason.index(), index);
            assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        }
    }

    #[test]
    fn stages_follow_the_order_of_the_reasons() {
        let stages: Vec<Stage> = Reason::ALL.iter().map(|reason| reason.stage()).collect();
        assert!(stages.is_sorted());
        assert_eq!(Stage::ALL.len(), 7);
    }

    #[test]
    fn a_set_iterates_over_its_reasons_in_order() {
        let set: ReasonSet = [Reason::MissingClaim, Reason::Expired, Reason::TooLong]
            .into_iter()
            .collect();
        let codes: Vec<_> = set.iter().map(Reason::code).collect();
        assert_eq!(codes, ["too-long", "expired", "missing-claim"]);
        assert_eq!(set.len(), 3);
        assert!(!set.contains(Reason::ExpType));
    }
}
