//! Kinds of tokens: what tokens have in common of which nothing is told but counts.
//!
//! Where no rows are written, that is all there is to tell of a token that was seen before, or that
//! has a precedent. Most of what is counted is then the same for very many: the algorithm, the
//! findings, the issuer. Those tokens are of one kind, and of each of them only what is its own is
//! counted by itself: the reasons against it, its key and its dates.

use std::num::NonZero;

use crate::report::tally::Tally;
use crate::report::{Counts, rows};
use crate::token::Dates;
use crate::validator::Judged;
use crate::verdict::{FindingSet, ReasonSet};

/// How many kinds there may be: few enough to be looked through for each token that is remembered or
/// makes a precedent.
const MOST: usize = 64;

/// The first kinds that one worker has met. A token that would be of yet another one is of none, and
/// counted by itself altogether: that costs what it costs to tell of it, and no more.
pub(super) struct Kinds(Vec<Kind>);

/// The number of a kind, from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct KindNumber(NonZero<u8>);

/// What tokens have in common whose signatures held and whose payloads could be read.
struct Kind {
    alg: Option<Box<str>>,
    findings: FindingSet,
    /// Cut as the counts cut it, so that kinds take little memory.
    iss: Option<Box<str>>,
    /// Those of the block.
    counts: Counts,
}

/// What was found at any instant of a token that is of a kind, but for what the kind says.
pub(super) struct Known {
    pub(super) kind: KindNumber,
    pub(super) reasons: ReasonSet,
    /// The key that verified it.
    pub(super) key: u32,
    pub(super) dates: Dates,
}

impl Kinds {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The kind of a token, if it can be of one: what was found of it at any instant has its claims.
    pub(super) fn of(&mut self, lasting: &Judged<'_>) -> Option<KindNumber> {
        let iss = lasting.claims?.iss.value().map(rows::cut);
        let is_same = |kind: &Kind| {
            kind.alg.as_deref() == lasting.alg
                && kind.findings == lasting.verdict.findings
                && kind.iss.as_deref() == iss.as_deref()
        };
        let index = match self.0.iter().position(is_same) {
            Some(index) => index,
            None if self.0.len() == MOST => return None,
            None => {
                self.0.push(Kind {
                    alg: lasting.alg.map(Box::from),
                    findings: lasting.verdict.findings,
                    iss: iss.as_deref().map(Box::from),
                    counts: Counts::default(),
                });
                self.0.len() - 1
            }
        };
        let number = u8::try_from(index + 1).ok()?;
        NonZero::new(number).map(KindNumber)
    }

    /// Counts one token of this kind.
    #[inline]
    pub(super) fn count(&mut self, KindNumber(number): KindNumber, is_valid: bool) {
        let kind = &mut self.0[usize::from(number.get()) - 1];
        kind.counts.add(Counts::one(is_valid));
    }

    /// Moves the counts of the block to its tally.
    pub(super) fn drain(&mut self, tally: &mut Tally) {
        for kind in &mut self.0 {
            let counts = std::mem::take(&mut kind.counts);
            if counts.total() > 0 {
                tally.count_alike(
                    kind.alg.as_deref(),
                    kind.findings,
                    kind.iss.as_deref(),
                    counts,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;
    use crate::token::{Claims, Member};
    use crate::verdict::Finding;

    fn judged<'s>(alg: &'s str, claims: &'s Claims<'s>, findings: FindingSet) -> Judged<'s> {
        let mut judged = Judged::unsigned(Some(alg), None, findings);
        (judged.verdict.key, judged.claims) = (Some(3), Some(claims));
        judged
    }

    #[test]
    fn what_is_counted_by_kind_is_what_is_counted_one_by_one() {
        let mut kinds = Kinds::new();
        let now = UnixTime::new(1_790_000_000, 0).unwrap();
        let (mut together, mut one_by_one) = (Tally::of_block(now), Tally::of_block(now));
        let issuers = [Member::Absent, Member::Is("one"), Member::Is("two")];
        let mut one = FindingSet::EMPTY;
        one.insert(Finding::ALL[0]);
        let findings = [FindingSet::EMPTY, one];
        for times in [1, 5, 2] {
            for alg in ["HS256", "ES256"] {
                for iss in issuers {
                    for findings in findings {
                        let claims = Claims {
                            iss,
                            ..Claims::none()
                        };
                        let judged = judged(alg, &claims, findings);
                        let kind = kinds.of(&judged).unwrap();
                        for _ in 0..times {
                            one_by_one.count(&judged);
                            kinds.count(kind, true);
                            let verdict = &judged.verdict;
                            together.count_own(verdict.reasons, verdict.key, Some(claims.exp));
                        }
                    }
                }
            }
            kinds.drain(&mut together);
        }
        assert_eq!(kinds.0.len(), 12);
        let counts = |tally: &Tally| {
            let names = tally.issuers.sorted();
            let names: Vec<_> = names
                .iter()
                .map(|(name, counts)| (name.to_string(), *counts))
                .collect();
            (
                tally.tokens,
                tally.algs,
                tally.findings,
                tally.no_expiry,
                names,
            )
        };
        assert_eq!(together.tokens.valid, 96);
        assert_eq!(counts(&together), counts(&one_by_one));
    }

    #[test]
    fn there_are_only_so_many() {
        let mut kinds = Kinds::new();
        let names: Vec<String> = (0..300).map(|number| format!("issuer {number}")).collect();
        for _ in 0..2 {
            for (index, name) in names.iter().enumerate() {
                let claims = Claims {
                    iss: Member::Is(name),
                    ..Claims::none()
                };
                let kind = kinds.of(&judged("HS256", &claims, FindingSet::EMPTY));
                let number = kind.map(|KindNumber(number)| usize::from(number.get()));
                assert_eq!(number, (index < MOST).then_some(index + 1));
            }
        }
        assert!(
            kinds
                .of(&Judged::unsigned(None, None, FindingSet::EMPTY))
                .is_none()
        );
    }
}
