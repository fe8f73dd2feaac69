//! Counts of tokens by the time of their use: when they were used, how they were judged then and how
//! they would be judged now.
//!
//! Adding is associative and commutative, as for the tally.

use std::collections::BTreeMap;

use super::tally::{Counts, EXPIRY_EDGES};
use crate::extract::FindCounts;
use crate::time::{NumericDate, UnixTime};
use crate::token::{Dates, Member};
use crate::verdict::{Reason, ReasonSet, Verdict};

/// The number of buckets of lateness: up to each edge of the buckets of expiry, and beyond.
pub const LATE_BUCKETS: usize = EXPIRY_EDGES.len() + 1;

/// The counts of the uses of tokens, where inputs have times.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    /// Tokens judged at the time of their use, by that verdict.
    pub timed: Counts,
    /// Tokens without a readable time, judged at the instant of the run.
    pub untimed: u64,
    /// Tokens whose time had no zone.
    pub assumed_zone: u64,
    /// Tokens whose time had no year.
    pub assumed_year: u64,
    /// The verdicts on all tokens at the instant of the run.
    pub now: Counts,
    /// Tokens by why they would be rejected at the instant of the run, by [`Reason::index`].
    pub reasons_now: Vec<u64>,
    /// Tokens used after they had expired, leeway included, by how long after `exp`: the buckets are
    /// those of the histogram of expiry.
    pub late: [u64; LATE_BUCKETS],
    /// Tokens used before their `nbf`.
    pub early: u64,
    /// Tokens issued after they were used, by their `iat`.
    pub issued_later: u64,
    /// The first and the last use.
    pub span: Option<(UnixTime, UnixTime)>,
    /// Uses over time.
    pub timeline: Timeline,
}

impl Uses {
    /// Counts a token that was judged at `at`; `reasons_now` are those at the instant of the run.
    pub(crate) fn add(
        &mut self,
        at: Option<UnixTime>,
        verdict: &Verdict,
        dates: Option<&Dates>,
        reasons_now: ReasonSet,
    ) {
        self.now.add(Counts::one(reasons_now.is_empty()));
        self.reasons_now.resize(Reason::COUNT, 0);
        for reason in reasons_now.iter() {
            self.reasons_now[reason.index()] += 1;
        }
        let Some(at) = at else {
            self.untimed += 1;
            return;
        };
        let counts = Counts::one(verdict.is_valid());
        self.timed.add(counts);
        self.timeline.add(at, counts);
        self.add_span((at, at));
        if verdict.reasons.contains(Reason::Expired)
            && let Some(Member::Is(exp)) = dates.map(|dates| dates.exp)
        {
            self.late[late_bucket(exp, at)] += 1;
        }
        self.early += u64::from(verdict.reasons.contains(Reason::NotYetValid));
        self.issued_later += u64::from(verdict.reasons.contains(Reason::IssuedInFuture));
    }

    /// Adds what the extractor knows of the times of a block.
    pub(crate) const fn add_found(&mut self, found: &FindCounts) {
        self.assumed_zone += found.assumed_zone;
        self.assumed_year += found.assumed_year;
    }

    fn add_span(&mut self, (first, last): (UnixTime, UnixTime)) {
        self.span = Some(match self.span {
            Some((earliest, latest)) => (earliest.min(first), latest.max(last)),
            None => (first, last),
        });
    }

    /// Adds other counts of the same run.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.timed.add(other.timed);
        self.untimed += other.untimed;
        self.assumed_zone += other.assumed_zone;
        self.assumed_year += other.assumed_year;
        self.now.add(other.now);
        self.reasons_now.resize(Reason::COUNT, 0);
        let own = self.reasons_now.iter_mut().chain(&mut self.late);
        let further = other.reasons_now.iter().chain(&other.late);
        // Without a token the other has no reasons, and nothing that is late.
        if !other.reasons_now.is_empty() {
            own.zip(further).for_each(|(own, other)| *own += other);
        }
        self.early += other.early;
        self.issued_later += other.issued_later;
        if let Some(span) = other.span {
            self.add_span(span);
        }
        self.timeline.merge(&other.timeline);
    }

    /// How many tokens were used after they had expired.
    #[must_use]
    pub fn late_total(&self) -> u64 {
        self.late.iter().sum()
    }
}

/// The first bucket that a token fits which was used this long after its `exp`.
fn late_bucket(exp: NumericDate, at: UnixTime) -> usize {
    let is_within = |(seconds, ..): &(u64, &str, &str)| exp.is_after(at.point().minus(*seconds));
    let bucket = EXPIRY_EDGES.iter().position(is_within);
    bucket.unwrap_or(EXPIRY_EDGES.len())
}

/// Uses over time, in intervals of one width: a minute, 5 or 15 of them, an hour, 6 of them, a day, a
/// week, 52 of them or 5,200. It is the smallest with which at most 512 intervals have a use.
///
/// Some of the tokens never need a larger width than all of them, so that no order or partition of the
/// tokens changes the result.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The width, an index of [`WIDTHS`].
    width: usize,
    intervals: BTreeMap<u64, Counts>,
}

/// The widths of intervals in seconds, each a multiple of the one before.
///
/// The last is a century, of which there are no more than eighty up to the year 9999.
const WIDTHS: [u64; 9] = [
    60,
    300,
    900,
    3600,
    21_600,
    86_400,
    604_800,
    52 * 604_800,
    5200 * 604_800,
];

/// The most intervals with a use.
const MAX_INTERVALS: usize = 512;

impl Timeline {
    fn add(&mut self, at: UnixTime, counts: Counts) {
        self.add_at(at.seconds(), counts);
    }

    fn add_at(&mut self, seconds: u64, counts: Counts) {
        let interval = seconds / WIDTHS[self.width];
        self.intervals.entry(interval).or_default().add(counts);
        while self.intervals.len() > MAX_INTERVALS {
            self.widen();
        }
    }

    fn widen(&mut self) {
        let factor = WIDTHS[self.width + 1] / WIDTHS[self.width];
        self.width += 1;
        for (interval, counts) in std::mem::take(&mut self.intervals) {
            let wider = self.intervals.entry(interval / factor).or_default();
            wider.add(counts);
        }
    }

    fn merge(&mut self, other: &Self) {
        while self.width < other.width {
            self.widen();
        }
        for (start, counts) in other.intervals() {
            self.add_at(start, counts);
        }
    }

    /// The widths of intervals, in seconds.
    pub(crate) fn widths() -> impl Iterator<Item = u64> {
        WIDTHS.into_iter()
    }

    /// The width of an interval in seconds.
    #[must_use]
    pub const fn width_seconds(&self) -> u64 {
        WIDTHS[self.width]
    }

    /// The intervals with a use: their first second since 1970, and the uses in them.
    pub fn intervals(&self) -> impl Iterator<Item = (u64, Counts)> {
        let width = self.width_seconds();
        self.intervals
            .iter()
            .map(move |(interval, counts)| (interval * width, *counts))
    }
}

const _: () = assert!(UnixTime::MAX_SECONDS / WIDTHS[WIDTHS.len() - 1] < MAX_INTERVALS as u64);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::new(seconds, 0).unwrap()
    }

    #[test]
    fn a_timeline_is_the_same_for_any_order_and_partition() {
        let mut state = 5_u64;
        let mut next = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        for span in [3000, 3_000_000, 300_000_000, UnixTime::MAX_SECONDS] {
            let uses: Vec<u64> = (0..5000).map(|_| next(span)).collect();
            let (mut forward, mut backward, mut parts) = (
                Timeline::default(),
                Timeline::default(),
                Timeline::default(),
            );
            for seconds in &uses {
                forward.add(at(*seconds), Counts::one(seconds % 2 == 0));
            }
            for seconds in uses.iter().rev() {
                backward.add(at(*seconds), Counts::one(seconds % 2 == 0));
            }
            for part in uses.chunks(77) {
                let mut own = Timeline::default();
                for seconds in part {
                    own.add(at(*seconds), Counts::one(seconds % 2 == 0));
                }
                parts.merge(&own);
            }
            let seen = |timeline: &Timeline| {
                let intervals: Vec<_> = timeline.intervals().collect();
                (timeline.width_seconds(), intervals)
            };
            assert_eq!(seen(&forward), seen(&backward));
            assert_eq!(seen(&forward), seen(&parts));
            let total: u64 = forward.intervals().map(|(_, counts)| counts.total()).sum();
            assert_eq!(total, 5000);
            assert!(forward.intervals.len() <= MAX_INTERVALS, "{span}");
        }
    }

    #[test]
    fn lateness_is_counted_from_exp() {
        let exp = NumericDate::Int(1_000_000);
        for (after, bucket) in [
            (0, 0),
            (59, 0),
            (60, 1),
            (3600, 2),
            (86_400, 3),
            (1 << 40, 6),
        ] {
            let used = at((1_000_000 + after).min(UnixTime::MAX_SECONDS));
            assert_eq!(late_bucket(exp, used), bucket, "{after}");
        }
    }
}
