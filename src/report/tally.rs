//! The tally: the counts of a run, and the first places of each reason and finding.
//!
//! A worker counts each block into a tally of its own, which the run drains into the total. Adding
//! is associative and commutative, so that neither threads nor blocks can change a count. How counts
//! are shown is left to the renderers.

use super::distinct::Distinct;
use super::names::NameCounts;
use super::suspects::Suspects;
use super::uses::Uses;
use crate::anchor::Chain;
use crate::display::shown;
use crate::key::KeySet;
use crate::signature::REGISTERED;
use crate::time::{NumericDate, Point, UnixTime};
use crate::token::Member;
use crate::validator::Judged;
use crate::verdict::{Finding, FindingSet, Reason, ReasonSet, Verdict};

/// How many samples of each reason and each finding are kept.
pub(crate) const SAMPLES: usize = 5;

/// How many tokens are valid and rejected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Valid tokens.
    pub valid: u64,
    /// Rejected tokens.
    pub rejected: u64,
}

impl Counts {
    pub(crate) fn one(is_valid: bool) -> Self {
        Self {
            valid: u64::from(is_valid),
            rejected: u64::from(!is_valid),
        }
    }

    pub(crate) const fn add(&mut self, other: Self) {
        self.valid += other.valid;
        self.rejected += other.rejected;
    }

    /// Valid and rejected together.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.valid + self.rejected
    }
}

/// The place of a token that was rejected or has a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The index of the input.
    pub input: usize,
    /// The line in it, from 1.
    pub line: u64,
    /// The byte offset of the token in it.
    pub offset: u64,
    /// The first bytes of the token's SHA-256; `None` for a line that was too long to keep.
    pub sha256: Option<[u8; 8]>,
}

/// The reasons and findings whose samples are complete: no later token can be among them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Placed {
    reasons: ReasonSet,
    findings: FindingSet,
}

impl Placed {
    /// Whether no more is wanted of this reason.
    pub(crate) const fn has(&self, reason: Reason) -> bool {
        self.reasons.contains(reason)
    }

    /// Whether no place of a token with this verdict is needed.
    #[inline]
    pub(crate) fn covers(&self, verdict: &Verdict) -> bool {
        verdict.reasons.is_subset(self.reasons) && verdict.findings.is_subset(self.findings)
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn everything() -> Self {
        let mut findings = FindingSet::EMPTY;
        Finding::ALL.iter().for_each(|it| findings.insert(*it));
        Self {
            reasons: Reason::ALL.iter().copied().collect(),
            findings,
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// The bounds of the buckets of expiry: seconds from `now`, the name in JSON and that in text.
pub(crate) const EXPIRY_EDGES: [(u64, &str, &str); 6] = [
    (MINUTE, "minute", "1 minute"),
    (HOUR, "hour", "1 hour"),
    (DAY, "day", "1 day"),
    (7 * DAY, "week", "7 days"),
    (30 * DAY, "month", "30 days"),
    (365 * DAY, "year", "1 year"),
];
/// The number of buckets of expiry: seven before `now` and seven after it.
pub const EXPIRY_BUCKETS: usize = 2 * (EXPIRY_EDGES.len() + 1);

/// The bounds around `now`, ascending. The bucket of a token is the number of bounds that its `exp`
/// is after.
fn expiry_points(now: UnixTime) -> [Point; EXPIRY_BUCKETS - 1] {
    let now = now.point();
    let middle = EXPIRY_EDGES.len();
    std::array::from_fn(|index| match index.cmp(&middle) {
        std::cmp::Ordering::Less => now.minus(EXPIRY_EDGES[middle - 1 - index].0),
        std::cmp::Ordering::Equal => now,
        std::cmp::Ordering::Greater => now.plus(EXPIRY_EDGES[index - middle - 1].0),
    })
}

/// A run of tokens in a block that one key verified; a run too long for the counts becomes two.
#[derive(Clone, Copy, Debug)]
struct Verified {
    key: u32,
    valid: u16,
    rejected: u16,
}

/// The counts of a run, or of a block of it.
#[derive(Clone, Debug)]
pub struct Tally {
    /// Valid and rejected tokens.
    pub tokens: Counts,
    /// Lines without a token.
    pub blank_lines: u64,
    /// Tokens rejected for each reason, by [`Reason::index`]. A token may have several.
    pub reasons: [u64; Reason::COUNT],
    /// Tokens by registered algorithm, in the order of `REGISTERED`, and last those of all other
    /// names. A token whose header could not be read is in none.
    pub algs: [Counts; REGISTERED.len() + 1],
    /// Tokens by the key that verified them, by its index in the key set; empty for a block.
    pub keys: Vec<Counts>,
    /// The same for a block, as runs: counts of thousands of keys in every block under way would not
    /// fit into the L1 and L2 caches.
    verified: Vec<Verified>,
    /// Tokens with a verified signature, by issuer.
    pub issuers: NameCounts,
    /// Tokens by a `kid` that is the id of no key, unless a key without an id verified them.
    pub unknown_kids: NameCounts,
    /// Tokens by each name in their `crit` that is not understood; of a long `crit` by the first.
    pub unsupported_crits: NameCounts,
    /// Tokens verified by a key of a certificate chain, by the extended key usage of its leaf as object
    /// identifiers; `none` where it has none. A token may have several.
    pub purposes: NameCounts,
    /// Tokens with a verified signature, by bucket of `exp`: from the past to the future.
    pub expiry: [u64; EXPIRY_BUCKETS],
    /// Tokens with a verified signature and no usable `exp`.
    pub no_expiry: u64,
    /// Tokens with each finding, by its place in [`Finding::ALL`].
    pub findings: [u64; Finding::ALL.len()],
    /// The estimated number of distinct tokens, if enabled, without lines that were too long.
    pub distinct: Option<Distinct>,
    /// Tokens by the time of their use, if they are judged at that.
    pub uses: Option<Box<Uses>>,
    /// The first samples of each reason, by [`Reason::index`].
    pub samples: [Vec<Sample>; Reason::COUNT],
    /// The first samples of each finding, by its place in [`Finding::ALL`].
    pub finding_samples: [Vec<Sample>; Finding::ALL.len()],
    /// The first tokens that another way of using the keys may explain.
    pub(crate) suspects: Suspects,
    expiry_points: [Point; EXPIRY_BUCKETS - 1],
    /// The slots of the last token: logs have runs of one algorithm and one bucket.
    last_alg: usize,
    last_bucket: usize,
}

impl Tally {
    /// No tokens yet, of a run at `now`.
    #[must_use]
    pub fn new(now: UnixTime, keys: &KeySet) -> Self {
        Self {
            keys: vec![Counts::default(); keys.len()],
            suspects: Suspects::new(keys),
            ..Self::of_block(now)
        }
    }

    /// No tokens yet, of a block that will be [drained](Self::drain) into another tally.
    pub(crate) fn of_block(now: UnixTime) -> Self {
        Self {
            tokens: Counts::default(),
            blank_lines: 0,
            reasons: [0; Reason::COUNT],
            algs: [Counts::default(); REGISTERED.len() + 1],
            keys: Vec::new(),
            verified: Vec::new(),
            issuers: NameCounts::default(),
            unknown_kids: NameCounts::default(),
            unsupported_crits: NameCounts::default(),
            purposes: NameCounts::default(),
            expiry: [0; EXPIRY_BUCKETS],
            no_expiry: 0,
            findings: [0; Finding::ALL.len()],
            distinct: None,
            uses: None,
            samples: std::array::from_fn(|_| Vec::new()),
            finding_samples: std::array::from_fn(|_| Vec::new()),
            suspects: Suspects::of_block(),
            expiry_points: expiry_points(now),
            last_alg: 0,
            last_bucket: 0,
        }
    }

    /// Enables the estimate of distinct tokens, or not.
    pub(crate) fn with_distinct(mut self, is_enabled: bool) -> Self {
        self.distinct = is_enabled.then(Distinct::default);
        self
    }

    /// Enables the counts of uses, or not.
    pub(crate) fn with_uses(mut self, is_enabled: bool) -> Self {
        self.uses = is_enabled.then(Box::default);
        self
    }

    /// Counts one token of a block.
    pub(crate) fn count(&mut self, judged: &Judged<'_>) {
        let verdict = &judged.verdict;
        let iss = judged.claims.and_then(|claims| claims.iss.value());
        self.count_shared(
            judged.alg,
            verdict.findings,
            iss,
            Counts::one(verdict.is_valid()),
        );
        let exp = judged.claims.map(|claims| claims.exp);
        self.count_own(verdict.reasons, verdict.key, exp);
    }

    /// Counts what many tokens of a block share: `alg`, findings and, where their signatures are
    /// verified, the issuer.
    pub(crate) fn count_shared(
        &mut self,
        alg: Option<&str>,
        findings: FindingSet,
        iss: Option<&str>,
        counts: Counts,
    ) {
        self.tokens.add(counts);
        for finding in findings.iter() {
            self.findings[finding as usize] += counts.total();
        }
        if let Some(alg) = alg {
            let slot = self.alg_slot(alg);
            self.algs[slot].add(counts);
        }
        if let Some(iss) = iss {
            self.issuers.add(&shown(iss), counts);
        }
    }

    /// Counts what one token has: its reasons, the key that verified it, and `exp` where its payload
    /// could be read.
    #[inline]
    pub(crate) fn count_own(
        &mut self,
        reasons: ReasonSet,
        key: Option<u32>,
        exp: Option<Member<NumericDate>>,
    ) {
        for reason in reasons.iter() {
            self.reasons[reason.index()] += 1;
        }
        if let Some(key) = key {
            let is_valid = u16::from(reasons.is_empty());
            match self.verified.last_mut() {
                Some(run) if run.key == key && run.valid + run.rejected < u16::MAX => {
                    run.valid += is_valid;
                    run.rejected += 1 - is_valid;
                }
                _ => self.verified.push(Verified {
                    key,
                    valid: is_valid,
                    rejected: 1 - is_valid,
                }),
            }
        }
        match exp {
            None => {}
            Some(Member::Is(exp)) => {
                let bucket = self.expiry_bucket(exp);
                self.expiry[bucket] += 1;
            }
            Some(Member::Absent | Member::WrongType) => self.no_expiry += 1,
        }
    }

    /// Counts a token whose `kid` named no key.
    pub(crate) fn count_unknown_kid(&mut self, kid: &str, is_valid: bool) {
        (self.unknown_kids).add(&shown(kid), Counts::one(is_valid));
    }

    /// Counts a rejected token by a name in its `crit` that is not understood.
    pub(crate) fn count_unsupported_crit(&mut self, name: &str) {
        (self.unsupported_crits).add(&shown(name), Counts::one(false));
    }

    /// Counts a token whose key came from a certificate chain.
    pub(crate) fn count_chain(&mut self, chain: &Chain, is_valid: bool) {
        let none = ["none".to_owned()];
        let purposes = match &chain.purposes[..] {
            [] => &none[..],
            purposes => purposes,
        };
        for purpose in purposes {
            self.purposes.add(&shown(purpose), Counts::one(is_valid));
        }
    }

    fn alg_slot(&mut self, alg: &str) -> usize {
        if REGISTERED
            .get(self.last_alg)
            .is_none_or(|last| *last != alg)
        {
            self.last_alg = REGISTERED.binary_search(&alg).unwrap_or(REGISTERED.len());
        }
        self.last_alg
    }

    fn expiry_bucket(&mut self, exp: NumericDate) -> usize {
        let is_after = |point: &Point| exp.is_after(*point);
        let last = self.last_bucket;
        let is_same = last
            .checked_sub(1)
            .is_none_or(|before| is_after(&self.expiry_points[before]))
            && self
                .expiry_points
                .get(last)
                .is_none_or(|point| !is_after(point));
        if !is_same {
            self.last_bucket = self.expiry_points.partition_point(is_after);
        }
        self.last_bucket
    }

    /// Keeps the place of a token of a block where it is among the first of a reason or finding, and
    /// not `placed` already.
    #[inline]
    pub(crate) fn add_samples(
        &mut self,
        verdict: &Verdict,
        placed: &Placed,
        sample: impl Fn() -> Sample,
    ) {
        // Tokens come in order, so that no later one is among the first of a block.
        let add = |samples: &mut Vec<Sample>, is_placed: bool| {
            if samples.len() < SAMPLES && !is_placed {
                add_sample(samples, sample());
            }
        };
        for reason in verdict.reasons.iter() {
            let is_placed = placed.reasons.contains(reason);
            add(&mut self.samples[reason.index()], is_placed);
        }
        for finding in verdict.findings.iter() {
            let is_placed = placed.findings.contains(finding);
            add(&mut self.finding_samples[finding as usize], is_placed);
        }
    }

    /// The reasons and findings whose samples are complete, and the suspects of a mismatch.
    pub(crate) fn placed(&self) -> Placed {
        let is_full = |samples: &Vec<Sample>| samples.len() == SAMPLES;
        let is_placed = |reason: &Reason| {
            let is_known = *reason != Reason::SignatureMismatch || self.suspects.has_all_macs();
            is_known && is_full(&self.samples[reason.index()])
        };
        let mut findings = FindingSet::EMPTY;
        for finding in Finding::ALL {
            if is_full(&self.finding_samples[*finding as usize]) {
                findings.insert(*finding);
            }
        }
        Placed {
            reasons: Reason::ALL.iter().copied().filter(is_placed).collect(),
            findings,
        }
    }

    /// Moves the counts of a block into this tally. The lines of its samples count from its start,
    /// which is line `line_base` + 1.
    pub(crate) fn drain(&mut self, block: &mut Self, line_base: u64) {
        self.add_fixed(block);
        for run in block.verified.drain(..) {
            self.keys[run.key as usize].add(Counts {
                valid: run.valid.into(),
                rejected: run.rejected.into(),
            });
        }
        self.issuers.drain(&mut block.issuers);
        self.unknown_kids.drain(&mut block.unknown_kids);
        (self.unsupported_crits).drain(&mut block.unsupported_crits);
        self.purposes.drain(&mut block.purposes);
        if let (Some(own), Some(block)) = (&mut self.distinct, &mut block.distinct) {
            own.drain(block);
        }
        if let (Some(own), Some(block)) = (&mut self.uses, &mut block.uses) {
            own.merge(block);
            **block = Uses::default();
        }
        let own = self.samples.iter_mut().chain(&mut self.finding_samples);
        let further = (block.samples.iter_mut()).chain(&mut block.finding_samples);
        for (own, further) in own.zip(further) {
            for sample in further.drain(..) {
                let line = sample.line + line_base;
                add_sample(own, Sample { line, ..sample });
            }
        }
        self.suspects.drain(&mut block.suspects, line_base);
        block.tokens = Counts::default();
        block.blank_lines = 0;
        block.reasons = [0; Reason::COUNT];
        block.algs = [Counts::default(); REGISTERED.len() + 1];
        block.expiry = [0; EXPIRY_BUCKETS];
        block.no_expiry = 0;
        block.findings = [0; Finding::ALL.len()];
    }

    /// Adds another tally of the same policy, instant, keys and inputs.
    pub fn merge(&mut self, other: &Self) {
        debug_assert!(other.verified.is_empty(), "a block is drained, not merged");
        self.add_fixed(other);
        for (own, counts) in self.keys.iter_mut().zip(&other.keys) {
            own.add(*counts);
        }
        self.issuers.merge(&other.issuers);
        self.unknown_kids.merge(&other.unknown_kids);
        self.unsupported_crits.merge(&other.unsupported_crits);
        self.purposes.merge(&other.purposes);
        if let (Some(own), Some(other)) = (&mut self.distinct, &other.distinct) {
            own.merge(other);
        }
        if let (Some(own), Some(other)) = (&mut self.uses, &other.uses) {
            own.merge(other);
        }
        let own = self.samples.iter_mut().chain(&mut self.finding_samples);
        let further = other.samples.iter().chain(&other.finding_samples);
        for (own, further) in own.zip(further) {
            further.iter().for_each(|sample| add_sample(own, *sample));
        }
        self.suspects.drain(&mut other.suspects.clone(), 0);
    }

    fn add_fixed(&mut self, other: &Self) {
        fn sum(own: &mut [u64], other: &[u64]) {
            own.iter_mut()
                .zip(other)
                .for_each(|(own, other)| *own += other);
        }
        self.tokens.add(other.tokens);
        self.blank_lines += other.blank_lines;
        self.no_expiry += other.no_expiry;
        sum(&mut self.reasons, &other.reasons);
        sum(&mut self.expiry, &other.expiry);
        sum(&mut self.findings, &other.findings);
        self.algs
            .iter_mut()
            .zip(&other.algs)
            .for_each(|(own, other)| own.add(*other));
    }
}

/// Keeps a sample if it is among the first.
fn add_sample(samples: &mut Vec<Sample>, sample: Sample) {
    let order = |sample: &Sample| (sample.input, sample.offset);
    let position = samples.partition_point(|other| order(other) < order(&sample));
    if position < SAMPLES {
        samples.truncate(SAMPLES - 1);
        samples.insert(position, sample);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> UnixTime {
        UnixTime::new(1_790_000_000, 0).unwrap()
    }

    fn tally() -> Tally {
        Tally::new(now(), &KeySet::new())
    }

    #[test]
    fn expiry_falls_into_the_bucket_that_its_edges_name() {
        let mut tally = tally();
        let mut bucket = |exp: i64| tally.expiry_bucket(NumericDate::Int(1_790_000_000 + exp));
        let middle = EXPIRY_BUCKETS / 2;
        assert_eq!(bucket(0), middle - 1, "on now is expired");
        assert_eq!(bucket(1), middle);
        assert_eq!(bucket(60), middle, "within a minute");
        assert_eq!(bucket(61), middle + 1);
        assert_eq!(bucket(-59), middle - 1);
        assert_eq!(bucket(-60), middle - 2, "a minute ago and more");
        assert_eq!(bucket(-400 * 86_400), 0);
        assert_eq!(bucket(400 * 86_400), EXPIRY_BUCKETS - 1);
    }

    #[test]
    fn the_first_places_are_kept_whatever_the_order() {
        let mut tally = tally();
        for offset in [70, 10, 60, 20, 50, 30, 40] {
            let sample = Sample {
                input: 0,
                line: offset,
                offset,
                sha256: None,
            };
            add_sample(&mut tally.samples[Reason::Expired.index()], sample);
        }
        let places: Vec<u64> = tally.samples[Reason::Expired.index()]
            .iter()
            .map(|sample| sample.offset)
            .collect();
        assert_eq!(places, [10, 20, 30, 40, 50]);
    }

    #[test]
    fn draining_a_block_moves_its_counts_and_leaves_none() {
        let mut keys = KeySet::new();
        for secret in [b"one", b"two"] {
            keys.add_secret(secret, "a test").unwrap();
        }
        let (mut total, mut block) = (Tally::new(now(), &keys), Tally::of_block(now()));
        for _ in 0..2 {
            block.count(&Judged::rejected(Reason::TooLong));
            for reasons in [ReasonSet::EMPTY, ReasonSet::EMPTY, Reason::Expired.into()] {
                let mut judged = Judged::unsigned(Some("HS256"), None, FindingSet::EMPTY);
                (judged.verdict.key, judged.verdict.reasons) = (Some(1), reasons);
                block.count(&judged);
            }
            block.blank_lines += 1;
            let mut verdict = Verdict::rejected(Reason::TooLong);
            verdict.findings.insert(Finding::Padded);
            block.add_samples(&verdict, &Placed::default(), || Sample {
                input: 0,
                line: 1,
                offset: 0,
                sha256: None,
            });
            block.add_samples(&verdict, &Placed::everything(), || unreachable!());
            total.drain(&mut block, 10);
        }
        assert_eq!(
            total.tokens,
            Counts {
                valid: 4,
                rejected: 4
            }
        );
        let of_key = Counts {
            valid: 4,
            rejected: 2,
        };
        assert_eq!(total.keys, [Counts::default(), of_key]);
        assert_eq!(total.reasons[Reason::TooLong.index()], 2);
        assert_eq!(total.blank_lines, 2);
        for samples in [
            &total.samples[Reason::TooLong.index()],
            &total.finding_samples[Finding::Padded as usize],
        ] {
            let lines: Vec<u64> = samples.iter().map(|sample| sample.line).collect();
            assert_eq!(lines, [11, 11]);
        }
        assert!(block.finding_samples.iter().all(Vec::is_empty));
        assert_eq!(block.tokens.total() + block.blank_lines, 0);
        let mut doubled = total.clone();
        doubled.merge(&total);
        assert_eq!(doubled.tokens.rejected, 8);
        assert_eq!(doubled.keys[1].total(), 12);
    }
}
