//! What a run keeps of the verdicts: counts, first places, rows.

mod groups;

use crate::anchor::Chain;
use crate::batch::{Cached, GroupId, Sink};
use crate::extract::{Content, Found};
use crate::key::Key;
use crate::policy::time_dependent;
use crate::report::rows::{self, JsonLines, Row, RowOptions, Rows};
use crate::report::tally::{Placed, Sample, Tally};
use crate::time::UnixTime;
use crate::token::{Claims, Dates};
use crate::validator::{Judged, Validator};
use crate::verdict::{Reason, ReasonSet, Verdict};
use groups::CountGroups;

/// The result of a batch: bounded by its tokens, and reused.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    /// What enough places are known of from earlier batches.
    pub(crate) placed: Placed,
}

impl Outcome {
    pub(crate) fn new(now: UnixTime, distinct: bool, uses: bool) -> Self {
        Self {
            tally: Tally::of_block(now).with_distinct(distinct).with_uses(uses),
            rows: Rows::new(&JsonLines),
            placed: Placed::default(),
        }
    }
}

/// Records verdicts: a worker's own.
pub(crate) struct Recorder {
    validator: Validator,
    rows: Option<RowOptions>,
    now: UnixTime,
    groups: CountGroups,
}

impl Recorder {
    /// A recorder of a run at `now`.
    pub(crate) fn new(validator: Validator, rows: Option<RowOptions>, now: UnixTime) -> Self {
        Self {
            validator,
            rows,
            now,
            groups: CountGroups::default(),
        }
    }

    /// A sink that records into an outcome; `input` is the index of the input of its tokens.
    pub(crate) fn record<'r>(
        &'r mut self,
        input: usize,
        outcome: &'r mut Outcome,
    ) -> Recording<'r> {
        Recording {
            recorder: self,
            input,
            outcome,
        }
    }

    /// Moves what was counted together to the tally of the batch.
    pub(crate) fn end_batch(&mut self, outcome: &mut Outcome) {
        self.groups.drain(&mut outcome.tally);
    }
}

/// The sink of one batch.
pub(crate) struct Recording<'r> {
    recorder: &'r mut Recorder,
    input: usize,
    outcome: &'r mut Outcome,
}

impl Recording<'_> {
    fn add_distinct(&mut self, found: &Found<'_>) {
        if let Some(distinct) = &mut self.outcome.tally.distinct
            && let Some(token) = found.content.bytes()
        {
            distinct.add(token);
        }
    }

    /// Counts a token by the time of its use, where that is wanted. Returns whether it is valid at the
    /// instant of the run.
    fn add_use(
        &mut self,
        found: &Found<'_>,
        verdict: &Verdict,
        dates: Option<&Dates>,
    ) -> Option<bool> {
        let now = self.recorder.now;
        let uses = self.outcome.tally.uses.as_mut()?;
        let validator = &self.recorder.validator;
        let at = found.is_timed.then_some(found.at);
        let has_anchor = |key| validator.keys().get(key).is_some_and(Key::is_anchor);
        // The signature itself may depend on the instant.
        let is_chained =
            verdict.key.is_some_and(has_anchor) || verdict.reasons.contains(Reason::ChainInvalid);
        let reasons = match (at, found.content.bytes()) {
            (None, _) => verdict.reasons,
            (Some(_), Some(token)) if is_chained => validator.validate_at(token, now).reasons,
            (Some(_), _) => {
                let lasting = verdict.reasons.without(time_dependent());
                let policy = validator.policy_of(verdict.key);
                let at_now = dates.map(|dates| policy.check_at(dates, now));
                lasting.union(at_now.unwrap_or(ReasonSet::EMPTY))
            }
        };
        uses.add(at, verdict, dates, reasons);
        Some(reasons.is_empty())
    }

    /// Counts a `kid` that is the id of no key, unless the token was meant for others or a key
    /// without an id verified it, which may have any `kid`.
    #[cold]
    fn add_unknown_kid(&mut self, judged: &Judged<'_>) {
        let keys = self.recorder.validator.keys();
        let verdict = &judged.verdict;
        let key = verdict.key.and_then(|key| keys.get(key));
        let is_anonymous = key.is_some_and(|key| key.id().is_none());
        if let Some(kid) = judged.kid
            && !is_anonymous
            && !verdict.reasons.contains(Reason::IssuerUnknown)
        {
            (self.outcome.tally).count_unknown_kid(kid, verdict.is_valid());
        }
    }
}

impl Sink for Recording<'_> {
    /// Counts a token of a group; not where a row or its place is wanted.
    #[inline]
    fn take_cached(&mut self, found: &Found<'_>, verdict: &Verdict, cached: &Cached) -> bool {
        let (Some(group), Some(dates)) = (cached.group, &cached.dates) else {
            return false;
        };
        let has_own_findings = !found.findings.is_empty();
        if self.recorder.rows.is_some() || has_own_findings || !self.outcome.placed.covers(verdict)
        {
            return false;
        }
        self.recorder.groups.count(group, verdict.is_valid());
        (self.outcome.tally).count_own(verdict.reasons, verdict.key, Some(dates.exp));
        self.add_distinct(found);
        self.add_use(found, verdict, Some(dates));
        true
    }

    #[inline(always)]
    fn take(
        &mut self,
        found: &Found<'_>,
        judged: &Judged<'_>,
        is_kid_unknown: bool,
    ) -> Option<GroupId> {
        let Verdict { reasons, key, .. } = judged.verdict;
        // With several issuers, another one may have a key of this id.
        let is_kid_unknown = is_kid_unknown || reasons.contains(Reason::KeyNotFound);
        if is_kid_unknown {
            self.add_unknown_kid(judged);
        }
        let group = self.recorder.groups.find(judged);
        match group {
            Some(group) => {
                self.recorder.groups.count(group, judged.verdict.is_valid());
                let exp = judged.claims.map(|claims| claims.exp);
                self.outcome.tally.count_own(reasons, key, exp);
            }
            None => self.outcome.tally.count(judged),
        }
        self.add_distinct(found);
        let dates = judged.claims.map(Claims::dates);
        let is_valid_now = self.add_use(found, &judged.verdict, dates.as_ref());
        let tally = &mut self.outcome.tally;
        let sample = || Sample {
            input: self.input,
            line: found.line.into(),
            offset: found.offset,
            sha256: found.content.bytes().map(rows::digest),
        };
        tally.add_samples(&judged.verdict, &self.outcome.placed, sample);
        if let Some(token) = found.content.bytes() {
            if is_kid_unknown && judged.kid.is_some() {
                tally.suspects.add_unknown_kid(judged, sample, token);
            }
            if reasons.contains(Reason::SignatureMismatch)
                && !self.outcome.placed.has(Reason::SignatureMismatch)
            {
                tally.suspects.add_mac(judged.alg, sample, token);
            }
        }
        if reasons.contains(Reason::CritUnsupported)
            && let Content::Token(token) = found.content
        {
            let count = |name: &str| tally.count_unsupported_crit(name);
            self.recorder.validator.unsupported_crit(token, count);
        }
        if let Some(options) = &self.recorder.rows
            && options.wants(&judged.verdict)
        {
            let row = Row::new(
                found,
                judged,
                &self.recorder.validator,
                options,
                is_valid_now,
            );
            self.outcome.rows.push(found.line.into(), &row);
        }
        // An unknown `kid` is counted for each token, which a group does not do, and what surrounds this
        // token does not surround the next.
        group.filter(|_| !is_kid_unknown && found.findings.is_empty())
    }

    fn take_chain(&mut self, chain: &Chain, is_valid: bool) {
        self.outcome.tally.count_chain(chain, is_valid);
    }
}
