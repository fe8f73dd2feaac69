//! Count groups: tokens that share algorithm, findings and issuer, counted together.
//!
//! To find these three names in their tables for each token would cost more than all else that is
//! counted. So a token finds its group, which is nearly always that of the token before, and adds
//! one to its counts; they are moved to the tally at the end of the batch.

use crate::batch::GroupId;
use crate::display::cut;
use crate::report::{Counts, tally::Tally};
use crate::validator::Judged;
use crate::verdict::FindingSet;

/// The most groups; a token of yet another one is counted by itself.
const MAX_GROUPS: usize = 64;

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

impl CountGroups {
    /// The group of a token, if it has one: only tokens whose claims were read do.
    #[inline]
    pub(super) fn find(&mut self, judged: &Judged<'_>) -> Option<GroupId> {
        let iss = judged.claims?.iss.value().map(cut);
        let iss = iss.as_deref();
        let is_it = |index: &usize| {
            let group = &self.groups[*index];
            group.iss.as_deref() == iss
                && group.alg.as_deref() == judged.alg
                && group.findings == judged.verdict.findings
        };
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
        (self.groups[usize::from(id)].counts).add(Counts::one(is_valid));
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

    #[test]
    fn counting_by_group_and_one_by_one_give_the_same_tally() {
        let now = UnixTime::new(1_790_000_000, 0).unwrap();
        let mut groups = CountGroups::default();
        let (mut together, mut one_by_one) = (Tally::of_block(now), Tally::of_block(now));
        let names: Vec<String> = (0..300).map(|number| format!("issuer {number}")).collect();
        for number in (0..300).chain(0..100).chain(0..300) {
            let mut claims = Claims::none();
            if number > 0 {
                claims.iss = Member::Is(&*names[number / 3]);
            }
            let mut findings = FindingSet::EMPTY;
            if number % 2 == 1 {
                findings.insert(Finding::ALL[0]);
            }
            let alg = Some(["HS256", "ES256"][number % 5 / 3]);
            let mut judged = Judged::unsigned(alg, None, findings);
            (judged.verdict.key, judged.claims) = (Some(3), Some(&claims));
            one_by_one.count(&judged);
            match groups.find(&judged) {
                Some(group) => {
                    groups.count(group, true);
                    let verdict = &judged.verdict;
                    together.count_own(verdict.reasons, verdict.key, Some(claims.exp));
                }
                None => together.count(&judged),
            }
            if number % 7 == 0 {
                groups.drain(&mut together);
            }
        }
        groups.drain(&mut together);
        assert_eq!(groups.groups.len(), MAX_GROUPS);
        let counts = |tally: &Tally| {
            let fixed = (tally.tokens, tally.algs, tally.findings, tally.no_expiry);
            format!("{fixed:?} {:?}", tally.issuers.sorted())
        };
        assert_eq!(together.tokens.valid, 700);
        assert_eq!(counts(&together), counts(&one_by_one));
        let unread = Judged::unsigned(None, None, FindingSet::EMPTY);
        assert!(groups.find(&unread).is_none());
    }
}
