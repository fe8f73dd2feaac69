//! Warnings about a token, which do not affect the verdict.

use super::reason::Stage;

/// A warning about a token; it never affects the verdict.
///
/// With `jwk`, `jku`, `x5c` and `x5u` a token brings its own key. jotmill never trusts or fetches
/// one (RFC 8725 section 3.10), but an auditor wants to know who tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
pub enum Finding {
    /// A segment of three ends with `=`, the padding of base64, which base64url in a token has not
    /// (RFC 7515 section 2). Accepted only with `--accept-padding`.
    Padded,
    /// The text begins with `Bearer` or `Authorization: Bearer` in any case, or is in quotation marks
    /// (`"`, `'` or a backtick), and what it names or holds has two dots or more.
    BearerOrQuoted,
    /// An SD-JWT (RFC 9901): three segments of base64url, then `~`, then disclosures. The token that
    /// its issuer signed is in front of the first `~`.
    SdJwt,
    /// The payload is empty, between two dots, and the header has an `alg`: what was signed is
    /// somewhere else (RFC 7515 appendix F).
    Detached,
    /// The header has a `nonce`, as tokens for Microsoft Graph do: it was changed after signing, so
    /// that only Graph can verify them.
    NonceHeader,
    /// The header has a `zip`: the payload is compressed (as in SMART Health Cards), which a signed
    /// JWT never is.
    Compressed,
    /// The header carries a public key.
    JwkHeader,
    /// The header carries the URL of a key set.
    JkuHeader,
    /// The header carries a certificate chain.
    X5cHeader,
    /// The header carries the URL of a certificate chain.
    X5uHeader,
    /// No key verified the token, and the certificate chain in its header is valid and leads to a
    /// certificate that was given as a key, by the rules of
    /// [`KeySet::add_anchor`](crate::KeySet::add_anchor) but for the name of the signer. Whether that
    /// signed the token is not checked. Not where the policy has an anchor.
    X5cChainToGivenRoot,
    /// The secret that verified the token is shorter than the hash (RFC 7518 section 3.2).
    WeakKey,
    /// `kid` named another key than the one that verified the token.
    KidOfAnotherKey,
    /// An ECDSA signature whose s is the greater of two: from one signature anyone can compute
    /// another with n - s. RFC 7518 section 3.4 accepts both, and most signers produce both.
    EcdsaHighS,
    /// `exp`, `nbf` or `iat` of an authentic token is from 10^12 to below 10^13: as seconds this is
    /// after the year 33,000, as milliseconds from 2001 to 2286.
    DateInMilliseconds,
}

impl Finding {
    /// Every finding, in order: the discriminant is the index.
    pub const ALL: &'static [Self] = &[
        Self::Padded,
        Self::BearerOrQuoted,
        Self::SdJwt,
        Self::Detached,
        Self::NonceHeader,
        Self::Compressed,
        Self::JwkHeader,
        Self::JkuHeader,
        Self::X5cHeader,
        Self::X5uHeader,
        Self::X5cChainToGivenRoot,
        Self::WeakKey,
        Self::KidOfAnotherKey,
        Self::EcdsaHighS,
        Self::DateInMilliseconds,
    ];

    /// The stable code, used in rows and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Padded => "padded",
            Self::BearerOrQuoted => "bearer-or-quoted",
            Self::SdJwt => "sd-jwt",
            Self::Detached => "detached",
            Self::NonceHeader => "nonce-header",
            Self::Compressed => "compressed",
            Self::JwkHeader => "jwk-header",
            Self::JkuHeader => "jku-header",
            Self::X5cHeader => "x5c-header",
            Self::X5uHeader => "x5u-header",
            Self::X5cChainToGivenRoot => "x5c-chain-to-given-root",
            Self::WeakKey => "weak-key",
            Self::KidOfAnotherKey => "kid-of-another-key",
            Self::EcdsaHighS => "ecdsa-high-s",
            Self::DateInMilliseconds => "date-in-milliseconds",
        }
    }

    /// The meaning of the finding, as part of a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Padded => "a segment ends with \"=\"; --accept-padding accepts exact padding",
            Self::BearerOrQuoted => {
                "the word Bearer is in front of the token, or quotation marks are around it: \
                 --input text finds it"
            }
            Self::SdJwt => {
                "an SD-JWT (RFC 9901): the token is what is in front of the first \"~\", and the \
                 disclosures behind it are not judged"
            }
            Self::Detached => {
                "the payload is detached (RFC 7515 appendix F): what was signed is not in the token"
            }
            Self::NonceHeader => {
                "the header has a nonce: if the token is for Microsoft Graph, nobody but Graph can \
                 verify it"
            }
            Self::Compressed => {
                "the header has a zip: the payload is compressed, and jotmill does not unpack it"
            }
            Self::JwkHeader => "the header brings a key of its own (not trusted)",
            Self::JkuHeader => "the header points to a key set (not fetched)",
            Self::X5cHeader => "the header brings a certificate chain (not trusted)",
            Self::X5uHeader => "the header points to a certificate chain (not fetched)",
            Self::X5cChainToGivenRoot => {
                "the certificate chain in the header is valid and leads to a certificate given as a \
                 key; if that authority vouches for signers, give it as --anchor FILE \
                 --anchor-name NAME, which tries the signer's key"
            }
            Self::WeakKey => "verified by a secret shorter than its hash",
            Self::KidOfAnotherKey => "verified by a key that kid does not name",
            Self::EcdsaHighS => {
                "of two ECDSA signatures that are as good, the one with the greater s"
            }
            Self::DateInMilliseconds => {
                "exp, nbf or iat counts milliseconds, where the RFC counts seconds: taken as \
                 seconds it is millennia away"
            }
        }
    }

    /// The stage that makes the finding.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::Padded | Self::BearerOrQuoted | Self::SdJwt | Self::Detached => Stage::Structure,
            Self::NonceHeader
            | Self::Compressed
            | Self::JwkHeader
            | Self::JkuHeader
            | Self::X5cHeader
            | Self::X5uHeader => Stage::Header,
            Self::X5cChainToGivenRoot => Stage::Key,
            Self::WeakKey | Self::KidOfAnotherKey | Self::EcdsaHighS => Stage::Signature,
            Self::DateInMilliseconds => Stage::Claims,
        }
    }
}

// A set has one bit per finding.
const _: () = assert!(Finding::ALL.len() <= 32);

/// A set of [`Finding`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct FindingSet(u32);

impl FindingSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Adds a finding.
    pub const fn insert(&mut self, finding: Finding) {
        self.0 |= 1 << finding as u8;
    }

    /// The set without a finding.
    pub(crate) const fn without(self, finding: Finding) -> Self {
        Self(self.0 & !(1 << finding as u8))
    }

    /// The findings of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the finding is in the set.
    #[must_use]
    pub const fn contains(self, finding: Finding) -> bool {
        self.0 >> finding as u8 & 1 == 1
    }

    /// Whether every finding of this set is in the other.
    pub(crate) const fn is_subset(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The findings, in order.
    pub fn iter(self) -> impl Iterator<Item = Finding> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let finding = *Finding::ALL.get(rest.trailing_zeros() as usize)?;
            rest &= rest - 1;
            Some(finding)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_iterates_over_its_findings_in_order() {
        let mut one = FindingSet::EMPTY;
        one.insert(Finding::EcdsaHighS);
        let mut other = FindingSet::EMPTY;
        other.insert(Finding::JwkHeader);
        let codes: Vec<_> = one.union(other).iter().map(Finding::code).collect();
        assert_eq!(codes, ["jwk-header", "ecdsa-high-s"]);
        assert!(one.contains(Finding::EcdsaHighS) && !one.contains(Finding::JwkHeader));
        for (index, finding) in Finding::ALL.iter().enumerate() {
            assert_eq!(*finding as usize, index, "its index in counts");
        }
        let stages: Vec<Stage> = Finding::ALL.iter().map(|finding| finding.stage()).collect();
        assert!(stages.is_sorted());
    }
}
