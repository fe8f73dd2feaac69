//! Count groups: tokens that share algorithm, findings and issuer, counted together.
//!
//! What a report counts by these three is the same for very many tokens, and to find each name in
//! its table for each token would cost more than all else that is counted. So a token finds its
//! group, which is nearly always that of the token before, and adds one to its counts; the groups
//! are moved to the tally at the end of the batch.

use crate::display::cut;
use crate::report::{Counts, tally::Tally};
use crate::validator::Judged;
use crate::verdict::FindingSet;

/// The most groups; a token of yet another one is counted by itself.
const MAX_GROUPS: usize = 64;

/// The number of a group, for as long as its [`CountGroups`] live.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GroupId(u8);

/// The groups of one worker.
#[derive(Default)]
pub(super) struct CountGroups {
    groups: Vec<CountGroup>,
    /// The group of the last token.
    last: usize,
}

struct CountGroup {
    alg: Option<Box<str>>,
    findings: FindingSet,
    /// Cut as the counts cut it, so that groups take little memory.
    iss: Option<Box<str>>,
    /// Those of the batch.
    counts: Counts,
}

impl CountGroup {
    fn is_of(&self, judged: &Judged<'_>, iss: Option<&str>) -> bool {
        self.iss.as_deref() == iss
            && self.alg.as_deref() == judged.alg
            && self.findings == judged.verdict.findings
    }
}

impl CountGroups {
    /// The group of a token, if it has one: only tokens whose claims were read do.
    pub(super) fn find(&mut self, judged: &Judged<'_>) -> Option<GroupId> {
        let iss = judged.claims?.iss.value().map(cut);
        let iss = iss.as_deref();
        let is_it = |index: &usize| self.groups[*index].is_of(judged, iss);
        let count = self.groups.len();
        // From the last one on: issuers that take turns do so in much the same order.
        let indices = || (self.last..count).chain(0..self.last);
        self.last = match indices().find(is_it) {
            Some(index) => index,
            None if count == MAX_GROUPS => return None,
            None => {
                self.groups.push(CountGroup {
                    alg: judged.alg.map(Box::from),
                    findings: judged.verdict.findings,
                    iss: iss.map(Box::from),
                    counts: Counts::default(),
                });
                count
            }
        };
        u8::try_from(self.last).ok().map(GroupId)
    }

    /// Counts one token of a group.
    #[inline]
    pub(super) fn count(&mut self, GroupId(id): GroupId, is_valid: bool) {
        self.groups[usize::from(id)]
            .counts
            .add(Counts::one(is_valid));
    }

    /// Moves the counts of the batch to its tally.
    pub(super) fn drain(&mut self, tally: &mut Tally) {
        for group in &mut self.groups {
            let counts = std::mem::take(&mut group.counts);
            if counts.total() > 0 {
                let (alg, iss) = (group.alg.as_deref(), group.iss.as_deref());
                tally.count_shared(alg, group.findings, iss, counts);
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
    fn counting_by_group_and_one_by_one_give_the_same_tally() {
        let now = UnixTime::new(1_790_000_000, 0).unwrap();
        let mut groups = CountGroups::default();
        let (mut together, mut one_by_one) = (Tally::of_block(now), Tally::of_block(now));
        let issuers = [Member::Absent, Member::Is("one"), Member::Is("two")];
        let mut one = FindingSet::EMPTY;
        one.insert(Finding::ALL[0]);
        for times in [1, 5, 2] {
            for alg in ["HS256", "ES256"] {
                for iss in issuers {
                    for findings in [FindingSet::EMPTY, one] {
                        let claims = Claims {
                            iss,
                            ..Claims::none()
                        };
                        let judged = judged(alg, &claims, findings);
                        for _ in 0..times {
                            one_by_one.count(&judged);
                            let group = groups.find(&judged).unwrap();
                            groups.count(group, true);
                            let verdict = &judged.verdict;
                            together.count_own(verdict.reasons, verdict.key, Some(claims.exp));
                        }
                    }
                }
            }
            groups.drain(&mut together);
        }
        assert_eq!(groups.groups.len(), 12);
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
    fn the_number_of_groups_is_bounded() {
        let mut groups = CountGroups::default();
        let names: Vec<String> = (0..300).map(|number| format!("issuer {number}")).collect();
        for _ in 0..2 {
            for (index, name) in names.iter().enumerate() {
                let claims = Claims {
                    iss: Member::Is(name),
                    ..Claims::none()
                };
                let group = groups.find(&judged("HS256", &claims, FindingSet::EMPTY));
                let number = group.map(|GroupId(number)| usize::from(number));
                assert_eq!(number, (index < MAX_GROUPS).then_some(index));
            }
        }
        let unread = Judged::unsigned(None, None, FindingSet::EMPTY);
        assert!(groups.find(&unread).is_none());
    }
}
