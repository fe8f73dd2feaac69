//! The members on the times of use.

use serde::Serialize;

use super::{CountsMembers, Entries, bucket_names};
use crate::report::{Report, Uses};
use crate::time::UnixTime;
use crate::verdict::Reason;

/// What a report says of uses.
#[derive(Serialize)]
pub(super) struct UsesMembers {
    first: Option<String>,
    last: Option<String>,
    timed: CountsMembers,
    untimed: u64,
    assumed_zone: u64,
    assumed_year: u64,
    now: CountsMembers,
    reasons_now: Entries<&'static str, u64>,
    after_expiry: Entries<String, u64>,
    before_nbf: u64,
    before_iat: u64,
    interval_s: u64,
    timeline: Vec<Interval>,
}

#[derive(Serialize)]
struct Interval {
    start: String,
    valid: u64,
    rejected: u64,
}

impl UsesMembers {
    pub(super) fn of(report: &Report) -> Option<Self> {
        report.tally.uses.as_deref().map(Self::new)
    }

    fn new(uses: &Uses) -> Self {
        let reasons = Reason::ALL.iter().zip(&uses.reasons_now);
        let occurred = reasons.filter(|(_, count)| **count > 0);
        let text =
            |seconds| UnixTime::new(seconds, 0).map_or_else(String::new, |it| it.to_string());
        Self {
            first: uses.span.map(|(first, _)| first.to_string()),
            last: uses.span.map(|(_, last)| last.to_string()),
            timed: uses.timed.into(),
            untimed: uses.untimed,
            assumed_zone: uses.assumed_zone,
            assumed_year: uses.assumed_year,
            now: uses.now.into(),
            reasons_now: Entries::sorted(occurred.map(|(reason, count)| (reason.code(), *count))),
            after_expiry: Entries(bucket_names().zip(uses.late.iter().copied()).collect()),
            before_nbf: uses.early,
            before_iat: uses.issued_later,
            interval_s: uses.timeline.width_seconds(),
            timeline: (uses.timeline.intervals())
                .map(|(start, counts)| Interval {
                    start: text(start),
                    valid: counts.valid,
                    rejected: counts.rejected,
                })
                .collect(),
        }
    }
}
