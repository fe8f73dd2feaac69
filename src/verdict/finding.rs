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
    /// The header carries a public key.
    JwkHeader,
    /// The header carries the URL of a key set.
    JkuHeader,
    /// The header carries a certificate chain.
    X5cHeader,
    /// The header carries the URL of a certificate chain.
    X5uHeader,
    /// The secret that verified the token is shorter than the hash (RFC 7518 section 3.2).
    WeakKey,
    /// `kid` named another key than the one that verified the token.
    KidOfAnotherKey,
    /// An ECDSA signature whose s is the greater of two: from one signature anyone can compute
    /// another with n - s. RFC 7518 section 3.4 accepts both, and most signers produce both.
    EcdsaHighS,
}

impl Finding {
    /// Every finding, in order: the discriminant is the index.
    pub const ALL: &'static [Self] = &[
        Self::JwkHeader,
        Self::JkuHeader,
        Self::X5cHeader,
        Self::X5uHeader,
        Self::WeakKey,
        Self::KidOfAnotherKey,
        Self::EcdsaHighS,
    ];

    /// The stable code, used in rows and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::JwkHeader => "jwk-header",
            Self::JkuHeader => "jku-header",
            Self::X5cHeader => "x5c-header",
            Self::X5uHeader => "x5u-header",
            Self::WeakKey => "weak-key",
            Self::KidOfAnotherKey => "kid-of-another-key",
            Self::EcdsaHighS => "ecdsa-high-s",
        }
    }

    /// The meaning of the finding, as part of a sentence.
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::JwkHeader => "the header brings a key of its own (not trusted)",
            Self::JkuHeader => "the header points to a key set (not fetched)",
            Self::X5cHeader => "the header brings a certificate chain (not trusted)",
            Self::X5uHeader => "the header points to a certificate chain (not fetched)",
            Self::WeakKey => "verified by a secret shorter than its hash",
            Self::KidOfAnotherKey => "verified by a key that kid does not name",
            Self::EcdsaHighS => {
                "of two ECDSA signatures that are as good, the one with the greater s"
            }
        }
    }

    /// The stage that makes the finding.
    #[must_use]
    pub const fn stage(self) -> Stage {
        match self {
            Self::JwkHeader | Self::JkuHeader | Self::X5cHeader | Self::X5uHeader => Stage::Header,
            Self::WeakKey | Self::KidOfAnotherKey | Self::EcdsaHighS => Stage::Signature,
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
