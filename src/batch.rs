//! One block of lines at a time: the path that is fast.
//!
//! [`BatchJudge`] is a worker's own: it borrows the [`Validator`], owns every buffer that judging
//! needs, and gives the same verdicts as the validator gives one by one. What it saves is work that
//! a log repeats: [`headers`] remembers what a header decides, [`repeats`] what was found of a whole
//! token, [`precedents`] what was found of tokens like it; and [`kinds`] counts what such tokens
//! have in common. What it does not save it does for many tokens at once.

mod attention;
mod headers;
mod kinds;
mod precedents;
mod repeats;

use std::sync::atomic::AtomicBool;

pub(crate) use headers::HeaderMemo;
use headers::Said;
use kinds::{Kinds, Known};
use precedents::{Case, Precedents};
use repeats::{Repeats, Seen, Sighting, Sought, Unseen};

use crate::input::{Block, Line, Lines, leading_blanks, lines};
use crate::pipeline::RunOptions;
use crate::policy::Policy;
use crate::prefetch::CACHE_LINE;
use crate::report::rows::{self, RowOptions, Rows, Subject};
use crate::report::tally::{SAMPLES, Sample, Tally};
use crate::signature::{BatchVerifier, Pending, recycle};
use crate::time::UnixTime;
use crate::token::{Claims, Payload, PayloadScratch, Token};
use crate::validator::{Judged, Validator};
use crate::verdict::{FindingSet, Reason, ReasonSet};

/// What came of a block: bounded by the block's lines, and reused with it.
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) rows: Rows,
    /// The reasons of which enough places are known from lines before these.
    pub(crate) placed: ReasonSet,
    /// How many lines were judged.
    pub(crate) lines: u64,
    /// How many bytes of the block they are.
    pub(crate) bytes: usize,
    /// How many tokens were judged by what was known of them already.
    pub(crate) repeated: u64,
    /// The run was stopped in the middle of the block, and nothing above counts.
    pub(crate) was_stopped: bool,
}

/// The most lines that are judged at a time, since each of them may become a row.
pub(crate) const MAX_LINES: usize = 8192;

/// How many lines go through the stages before the signatures together, and are told of together
/// behind them. What they need of what is remembered is asked for before the first is looked at: one
/// by one they would wait for the memory behind the nearest caches, for one piece of it after the
/// other; together they wait once for each piece. It is few enough for all of that to stay in the
/// nearest cache.
pub(crate) const AHEAD: usize = 16;

/// As many bytes as memory comes in, and from where on.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct CacheLine([u128; CacheLine::BYTES / WORD]);

impl CacheLine {
    const BYTES: usize = CACHE_LINE;
    const EMPTY: Self = Self([0; Self::BYTES / WORD]);
}

/// The bytes of a word that is compared.
const WORD: usize = size_of::<u128>();

/// The words of a piece.
#[inline(always)]
fn words<const BYTES: usize, const WORDS: usize>(piece: &[u8; BYTES]) -> [u128; WORDS] {
    const { assert!(BYTES == WORDS * WORD) };
    let words = piece.as_chunks().0;
    std::array::from_fn(|at| u128::from_ne_bytes(words[at]))
}

/// Whether two pieces are the same. What differs is gathered before anything is decided on it, which
/// is one guess of the processor instead of many.
#[inline(always)]
fn is_same<const WORDS: usize>(one: &[u128; WORDS], other: &[u128; WORDS]) -> bool {
    let differences = one.iter().zip(other).map(|(one, other)| one ^ other);
    differences.fold(0, |all, difference| all | difference) == 0
}

/// An odd number that products with spread over 64 bits: 2^64 over the golden ratio.
const SPREADING: u64 = 0x9e37_79b9_7f4a_7c15;

impl Outcome {
    pub(crate) fn new(now: UnixTime, distinct: bool) -> Self {
        Self {
            tally: Tally::of_block(now).with_distinct(distinct),
            rows: Rows::default(),
            placed: ReasonSet::EMPTY,
            lines: 0,
            bytes: 0,
            repeated: 0,
            was_stopped: false,
        }
    }
}

/// Judges blocks under one validator.
///
/// A block goes through stage by stage, and what a stage leaves is in the buffers here: lines and
/// dots, tokens seen before, headers first, of [`AHEAD`] lines at a time; then all signatures at
/// once; then payload, claims and the record of each line in order. A token that only needs to be
/// counted is through as soon as it is recognised, or has a precedent.
pub(crate) struct BatchJudge<'v> {
    validator: &'v Validator,
    now: UnixTime,
    rows: Option<RowOptions>,
    /// Whether what is told of a token takes the `kid` of its header: rows tell it, and where there
    /// are several issuers it may turn out to be unknown.
    wants_kid: bool,
    stop: &'v AtomicBool,
    headers: HeaderMemo,
    repeats: Repeats,
    lines: Vec<Judging<'static>>,
    kinds: Kinds,
    precedents: Precedents<'v>,
    pending: Vec<Pending<'static>>,
    verifier: BatchVerifier,
    payload: PayloadScratch,
}

/// A line that is not blank, on its way through the stages.
struct Judging<'b> {
    /// The number of the line in the block, from 1.
    number: u32,
    /// The index of its header, and what counts take of that, once it was looked up.
    header: Option<(u32, Said)>,
    /// Its entry among the tokens that are remembered, if it is to have one.
    entry: Option<u32>,
    standing: Standing,
    line: LineAt,
    /// The token, if the line is one of three segments.
    token: Option<Token<'b>>,
}

/// Where a line stands in its block.
#[derive(Clone, Copy)]
struct LineAt {
    start: usize,
    end: usize,
}

/// How far a token has come.
#[derive(Clone, Copy)]
enum Standing {
    /// The line is too long, and so many bytes long.
    TooLong(u64),
    Rejected(Reason),
    /// Nothing was found against it yet, and its signature is not looked at.
    Open,
    /// Its signature is the one of this number among those pending.
    Signed(u32),
    /// The token's entry knows what it comes to.
    Known,
}

impl<'b> Judging<'b> {
    const fn new(number: u32, line: LineAt, token: Option<Token<'b>>, standing: Standing) -> Self {
        Self {
            number,
            header: None,
            entry: None,
            standing,
            line,
            token,
        }
    }

    /// The line that a block may stand for without having kept it.
    fn passed_over(block: &Block<'_>) -> Option<Self> {
        let line = block.passed_over?;
        let at = LineAt {
            start: line.blanks,
            end: line.blanks,
        };
        Some(Self::new(1, at, None, Standing::TooLong(line.length)))
    }

    /// Whether its header has a `kid` that a key is looked for by, and no key has this id.
    const fn is_kid_unknown(&self) -> bool {
        matches!(self.header, Some((_, said)) if said.is_kid_unknown)
    }

    /// What was found of its header.
    fn findings(&self) -> FindingSet {
        self.header
            .map_or(FindingSet::EMPTY, |(_, said)| said.findings)
    }

    /// The token, if it goes on to the next stage.
    const fn open(&self) -> Option<Token<'b>> {
        match self.standing {
            Standing::Open => self.token,
            _ => None,
        }
    }

    /// Leaves the token to what is known of it, or will be.
    const fn recall(&mut self, seen: Seen, said: Said) {
        (self.entry, self.header) = (Some(seen.entry), Some((seen.header, said)));
        self.standing = match seen.pending {
            Some(number) => Standing::Signed(number),
            None => Standing::Known,
        };
    }
}

impl<'v> BatchJudge<'v> {
    /// A judge that renders rows if `rows` says how, remembers tokens in about `repeat_bytes`, and
    /// gives up once `stop` turns true.
    pub(crate) fn new(
        validator: &'v Validator,
        rows: Option<RowOptions>,
        options: &RunOptions,
        repeat_bytes: usize,
        stop: &'v AtomicBool,
    ) -> Self {
        let has_issuers = validator.policies().len() > 1;
        Self {
            validator,
            now: options.now,
            rows,
            wants_kid: rows.is_some() || has_issuers || validator.policy().takes_kid_as_hint(),
            stop,
            headers: HeaderMemo::new(),
            repeats: Repeats::new(repeat_bytes),
            lines: Vec::new(),
            kinds: Kinds::new(),
            precedents: Precedents::new(),
            pending: Vec::new(),
            verifier: BatchVerifier::new(options.kernel),
            payload: PayloadScratch::new(),
        }
    }

    /// Judges the lines of a block, the first [`MAX_LINES`] of them. `outcome` is one that was
    /// drained.
    pub(crate) fn judge(&mut self, block: &Block<'_>, outcome: &mut Outcome) {
        outcome.rows.clear();
        (outcome.bytes, outcome.repeated) = (0, 0);
        let mut waiting = recycle(std::mem::take(&mut self.lines));
        let mut pending = recycle(std::mem::take(&mut self.pending));
        let are_headers_new = self.headers.begin_block();
        self.repeats.begin_block(are_headers_new);
        waiting.extend(Judging::passed_over(block));
        outcome.lines = waiting.len() as u64;
        let mut unread = lines(block.bytes());
        let mut sought = [Sought::default(); AHEAD];
        loop {
            let begin = waiting.len();
            let is_end = self.split(block, &mut unread, &mut waiting, outcome);
            self.recall(&mut waiting, begin, &mut sought, outcome);
            self.enlist(&mut waiting[begin..], &sought, &mut pending);
            if is_end {
                break;
            }
        }
        let keys = self.validator.keys();
        let is_done = self.verifier.verify(
            &mut pending,
            keys.states(),
            |key| keys.verifying(key),
            self.stop,
        );
        outcome.was_stopped = !is_done;
        if is_done {
            for lines in waiting.chunks(AHEAD) {
                let entries = lines.iter().filter_map(|it| it.entry);
                self.repeats.prefetch_lasting(entries);
                if self.wants_kid {
                    let headers = lines.iter().filter_map(|it| it.header);
                    self.headers.prefetch_told(headers.map(|(index, _)| index));
                }
                for judging in lines {
                    self.tell(block, judging, &pending, outcome);
                }
            }
        }
        self.kinds.drain(&mut outcome.tally);
        self.lines = recycle(waiting);
        self.pending = recycle(pending);
    }

    /// Lines and dots, of [`AHEAD`] lines that are not blank or of as many as are left. Says
    /// whether none are, or none that are judged with these.
    fn split<'b>(
        &self,
        block: &'b Block<'_>,
        unread: &mut Lines<'b>,
        judged: &mut Vec<Judging<'b>>,
        outcome: &mut Outcome,
    ) -> bool {
        let limit = self.validator.policy().token_limit();
        let mut left = AHEAD;
        while left > 0 {
            let Some(line) = unread.next() else {
                outcome.bytes = block.bytes().len();
                return true;
            };
            if outcome.lines == MAX_LINES as u64 {
                outcome.bytes = line.begin;
                return true;
            }
            outcome.lines += 1;
            let mut at = LineAt {
                start: line.start,
                end: line.start + line.token.len(),
            };
            let mut token = None;
            let standing = if line.length > limit {
                at.start = line.begin + leading_blanks(&block.bytes()[line.begin..], limit);
                Standing::TooLong(line.length as u64)
            } else if line.token.is_empty() {
                outcome.tally.blank_lines += 1;
                continue;
            } else {
                match split(&line) {
                    Err(reason) => Standing::Rejected(reason),
                    Ok(it) => {
                        token = Some(it);
                        Standing::Open
                    }
                }
            };
            // There are at most MAX_LINES.
            let number = u32::try_from(outcome.lines).unwrap_or(u32::MAX);
            judged.push(Judging::new(number, at, token, standing));
            left -= 1;
        }
        false
    }

    /// The tokens that were seen before, of the lines from `begin` on, at most [`AHEAD`] of them.
    /// Those that only had to be counted are no longer among the lines; `sought` takes where the
    /// others are to be looked for.
    fn recall(
        &mut self,
        lines: &mut Vec<Judging<'_>>,
        begin: usize,
        sought: &mut [Sought; AHEAD],
        outcome: &mut Outcome,
    ) {
        if !self.repeats.is_looking() {
            return;
        }
        let mut tokens = [None; AHEAD];
        for (token, judging) in tokens.iter_mut().zip(&lines[begin..]) {
            *token = judging.open().map(|it| it.bytes());
        }
        self.repeats.look_ahead(&tokens, sought);
        let mut kept = 0;
        for (index, token) in tokens.iter().enumerate().take(lines.len() - begin) {
            if let Some(token) = token
                && let Some(entry) = self.repeats.find(token, &sought[index])
            {
                if self.count_seen(token, entry, outcome) {
                    self.repeats.hit(&sought[index], entry);
                    continue;
                }
                if let Some(seen) = self.repeats.meet(&sought[index], entry) {
                    lines[begin + index].recall(seen, self.headers.said(seen.header));
                }
            }
            if kept < index {
                lines.swap(begin + kept, begin + index);
                sought[kept] = sought[index];
            }
            kept += 1;
        }
        lines.truncate(begin + kept);
    }

    /// Counts the token of an entry, if nothing else is to be told of it: no row, no place, no
    /// unknown `kid`.
    #[inline]
    fn count_seen(&mut self, token: &[u8], entry: u32, outcome: &mut Outcome) -> bool {
        let Some(known) = self.repeats.known(entry) else {
            return false;
        };
        let policy = self.validator.policy_of(Some(known.key));
        let is_counted = count(&mut self.kinds, policy, self.now, known, token, outcome);
        outcome.repeated += u64::from(is_counted);
        is_counted
    }

    /// Headers, and the signatures to verify by the keys that each selects, of at most [`AHEAD`]
    /// lines: those of all tokens but the ones that were seen before.
    fn enlist<'b>(
        &mut self,
        lines: &mut [Judging<'b>],
        sought: &[Sought; AHEAD],
        pending: &mut Vec<Pending<'b>>,
    ) where
        'v: 'b,
    {
        let validator = self.validator;
        let headers = lines.iter().filter_map(Judging::open).map(|it| it.header());
        let mut likely = self.headers.look_ahead(headers).into_iter();
        for (judging, sought) in lines.iter_mut().zip(sought) {
            let Some(token) = judging.open() else {
                continue;
            };
            let likely = likely.next().flatten();
            let payload = &mut self.payload;
            let (index, selection) = self.headers.select(validator, token, likely, payload);
            let selection = selection.copied();
            let said = self.headers.said(index);
            judging.header = Some((index, said));
            let selection = match selection {
                Ok(selection) => selection,
                Err(reason) => {
                    judging.standing = Standing::Rejected(reason);
                    continue;
                }
            };
            // A block has at most MAX_LINES.
            let number = u32::try_from(pending.len()).unwrap_or(u32::MAX);
            let unseen = Unseen {
                header: index,
                number,
                is_mac: selection.algorithm().is_hmac(),
            };
            match self.repeats.see(token.bytes(), sought, unseen) {
                Sighting::Again(seen) => {
                    judging.recall(seen, said);
                    continue;
                }
                Sighting::New(entry) => judging.entry = Some(entry),
                Sighting::Unknown => {}
            }
            judging.standing = Standing::Signed(number);
            let candidates = validator.keys().candidates(selection);
            let (input, signature) = (token.signing_input(), token.signature());
            Pending::push(pending, input, signature, selection.algorithm(), candidates);
        }
    }

    /// The payload of a line, its claims, and its record.
    fn tell(
        &mut self,
        block: &Block<'_>,
        judging: &Judging<'_>,
        pending: &[Pending<'_>],
        outcome: &mut Outcome,
    ) {
        let (validator, now) = (self.validator, self.now);
        let record = Record {
            validator,
            rows: self.rows,
            input: block.input,
        };
        let LineAt { start, end } = judging.line;
        let bytes = || block.bytes().get(start..end).unwrap_or_default();
        let subject = || match judging.standing {
            Standing::TooLong(length) => Subject::TooLong(length),
            _ => Subject::Token(bytes()),
        };
        let mut claims = Claims::none();
        // What an earlier line of this very block found out is known by now, too.
        let known = (judging.entry).filter(|entry| self.repeats.is_known(*entry));
        let mut judged = match (judging.standing, known) {
            (Standing::TooLong(_), _) => self
                .headers
                .unsigned(judging.header, self.wants_kid)
                .with(Reason::TooLong),
            (Standing::Rejected(reason), _) => self
                .headers
                .unsigned(judging.header, self.wants_kid)
                .with(reason),
            (Standing::Signed(_) | Standing::Known, Some(entry)) => {
                outcome.repeated += 1;
                let mut judged = self.headers.unsigned(judging.header, self.wants_kid);
                self.repeats.recall(entry, &mut judged, &mut claims);
                judged
            }
            (Standing::Signed(number), None) => {
                let signed = &pending[number as usize];
                match self.judge_signed(judging, signed, bytes, &mut claims, outcome) {
                    Some(judged) => judged,
                    None => return,
                }
            }
            (Standing::Open | Standing::Known, _) => {
                unreachable!("its signature is verified, or known")
            }
        };
        validator.judge_at(&mut judged, now);
        // With several issuers, another one may have a key of this id.
        if judging.is_kid_unknown() || judged.verdict.reasons.contains(Reason::KeyNotFound) {
            record.add_unknown_kid(&judged, outcome);
        }
        let offset = block.offset() + start as u64;
        record.add(judging.number.into(), offset, subject, &judged, outcome);
    }

    /// What a signature that was verified just now, and what it covers, come to at any instant.
    /// None for a token that has a precedent and was counted.
    #[inline]
    fn judge_signed<'s, 'b>(
        &'s mut self,
        judging: &Judging<'_>,
        signed: &Pending<'_>,
        token: impl Fn() -> &'b [u8],
        claims: &'s mut Claims<'s>,
        outcome: &mut Outcome,
    ) -> Option<Judged<'s>> {
        let validator = self.validator;
        let may_be_counted = self.rows.is_none() && !judging.is_kid_unknown();
        let judged = match signed.outcome() {
            Err(reason) => self
                .headers
                .unsigned(judging.header, self.wants_kid)
                .with(reason),
            Ok(authentic) => {
                let proof = authentic.proof();
                let policy = validator.policy_of(Some(proof.key()));
                let payload = Payload::decode(authentic, policy.wanted(), &mut self.payload);
                // No token has a precedent any longer.
                let laid_out = payload.as_ref().ok().filter(|_| false);
                let case = laid_out.and_then(Payload::gist).map(|gist| Case {
                    policy,
                    algorithm: signed.algorithm(),
                    findings: judging.findings().union(proof.findings()),
                    gist,
                });
                let ruling = case.as_ref().and_then(|case| self.precedents.find(case));
                if let (Some(case), Some(ruling)) = (&case, ruling)
                    && let known = case.known(ruling, proof.key())
                    && count(&mut self.kinds, policy, self.now, known, token(), outcome)
                {
                    return None;
                }
                let unsigned = self.headers.unsigned(judging.header, self.wants_kid);
                let read = payload.and_then(|payload| payload.read(claims));
                let judged =
                    validator.judge_time_invariant(proof, unsigned, read.map(|()| &*claims));
                let reasons = judged.verdict.reasons;
                match (&case, ruling) {
                    (Some(case), None) => {
                        let kind = || self.kinds.of(&judged);
                        self.precedents.set(case, reasons, kind);
                    }
                    (_, Some(ruling)) => debug_assert!(ruling.reasons == reasons),
                    (None, None) => {}
                }
                judged
            }
        };
        if let Some(entry) = judging.entry
            && self.repeats.learn(entry, &judged)
            && may_be_counted
            && let Some(kind) = self.kinds.of(&judged)
        {
            self.repeats.set_kind(entry, kind);
        }
        Some(judged)
    }
}

/// Counts a token of which this is known, where no rows are written, unless its place is to be
/// told, too.
#[inline(always)]
fn count(
    kinds: &mut Kinds,
    policy: &Policy,
    now: UnixTime,
    known: Known,
    token: &[u8],
    outcome: &mut Outcome,
) -> bool {
    let reasons = known.reasons.union(policy.check_at(&known.dates, now));
    if !reasons.is_subset(outcome.placed) {
        return false;
    }
    kinds.count(known.kind, reasons.is_empty());
    (outcome.tally).count_own(reasons, Some(known.key), Some(known.dates.exp));
    if let Some(distinct) = &mut outcome.tally.distinct {
        distinct.add(token);
    }
    true
}

/// The token of a line that is not blank.
pub(crate) fn split<'b>(line: &Line<'b>) -> Result<Token<'b>, Reason> {
    Token::from_dots(line.token, line.dots.count, line.dots.first_two)
}

/// Puts what was judged on record: counts, places, a row.
struct Record<'r> {
    validator: &'r Validator,
    rows: Option<RowOptions>,
    input: usize,
}

impl Record<'_> {
    /// Counts a `kid` that is the id of no key, unless the token was meant for others or found its
    /// key after all: one without an id says nothing against any `kid`.
    #[cold]
    fn add_unknown_kid(&self, judged: &Judged<'_>, outcome: &mut Outcome) {
        let keys = self.validator.keys();
        let verdict = &judged.verdict;
        let key = verdict.key.and_then(|key| keys.get(key));
        let is_anonymous = key.is_some_and(|key| key.id().is_none());
        if let Some(kid) = judged.kid
            && !is_anonymous
            && !verdict.reasons.contains(Reason::IssuerUnknown)
        {
            outcome.tally.count_unknown_kid(kid, verdict.is_valid());
        }
    }

    /// `subject` is asked for where it is needed, which for most tokens it is not.
    fn add<'b>(
        &self,
        line: u64,
        offset: u64,
        subject: impl Fn() -> Subject<'b>,
        judged: &Judged<'_>,
        outcome: &mut Outcome,
    ) {
        outcome.tally.count(judged);
        if let Some(distinct) = &mut outcome.tally.distinct
            && let Subject::Token(token) = subject()
        {
            distinct.add(token);
        }
        for reason in judged.verdict.reasons.iter() {
            // Lines come in order, so that no later one is among the first of this outcome.
            let own = outcome.tally.samples[reason.index()].len();
            if own == SAMPLES || outcome.placed.contains(reason) {
                continue;
            }
            let sha256 = match subject() {
                Subject::Token(token) => Some(rows::digest(token)),
                Subject::TooLong(_) => None,
            };
            outcome.tally.add_sample(
                reason,
                Sample {
                    input: self.input,
                    line,
                    offset,
                    sha256,
                },
            );
        }
        if let Some(options) = &self.rows
            && options.wants(&judged.verdict)
        {
            let policy = self.validator.policy_of(judged.verdict.key);
            let context = (policy, self.validator.keys(), options);
            outcome.rows.push(line, offset, &subject(), judged, context);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Stretches, lines as lines_of};
    use crate::report::fixture::{OCTOBER, bare_policy, claims, mint, named_keys, now, options};

    /// What a block tells, but for rows.
    fn told(validator: &Validator, outcome: &mut Outcome) -> String {
        let mut tally = Tally::new(now(), validator.keys()).with_distinct(true);
        tally.drain(&mut outcome.tally, 0);
        let distinct = tally.distinct.as_ref().map(|it| it.estimate());
        let names = (tally.issuers.sorted(), tally.unknown_kids.sorted());
        let fixed = (tally.tokens, tally.blank_lines, tally.reasons, tally.algs);
        let dates = (tally.expiry, tally.no_expiry);
        let rest = (&tally.keys, tally.findings, &tally.samples);
        format!("{distinct:?} {names:?} {fixed:?} {dates:?} {rest:?}")
    }

    /// What came again is still recalled after many blocks, and so is what came later than others.
    #[test]
    fn tokens_that_come_again_are_recalled_for_as_long_as_they_do() {
        let validator = Validator::new(bare_policy(), named_keys()).unwrap();
        let lines: Vec<String> = (10..40)
            .map(|number| mint(r#"{"alg":"HS256"}"#, &claims("one", 90, number), OCTOBER))
            .collect();
        let every_third: Vec<String> = lines.iter().step_by(3).cloned().collect();
        // One of them is not text.
        let texts = [every_third, lines].map(|lines| {
            [
                lines.join("\n").as_bytes(),
                b"\n",
                lines[0].as_bytes(),
                b"\xff",
            ]
            .concat()
        });
        let blocks = texts.each_ref().map(|text| {
            let mut block = Block::default();
            assert!(Stretches::new(text, 0).fill(&mut block, usize::MAX));
            block
        });
        let stop = AtomicBool::new(false);
        let mut judge = BatchJudge::new(&validator, None, &options(), 1 << 20, &stop);
        let mut outcome = Outcome::new(now(), false);
        outcome.placed = Reason::ALL.iter().copied().collect();
        for (block, (times, tokens)) in blocks.iter().zip([(3, 10), (400, 30)]) {
            for _ in 0..times {
                judge.judge(block, &mut outcome);
            }
            assert_eq!(outcome.repeated, tokens + 1);
            let mut tally = Tally::new(now(), validator.keys());
            tally.drain(&mut outcome.tally, 0);
            let wanted = (times * tokens, times);
            assert_eq!((tally.tokens.valid, tally.tokens.rejected), wanted);
        }
    }

    /// A block is told of by its own lines, whatever is known of them from blocks before.
    #[test]
    fn tokens_that_are_known_are_counted_like_those_that_are_not() {
        let validator = Validator::new(bare_policy().kid_as_hint(), named_keys()).unwrap();
        let mut lines = Vec::new();
        for (kid, ahead, number) in [
            ("2026-10", 90, 1),
            ("2026-10", 90, 2),
            ("2026-10", -90, 3),
            // The id of no key, and that of another one than the one that signed.
            ("2026-12", 90, 4),
            ("2026-11", 90, 5),
            ("2026-11", -90, 5),
        ] {
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
            let token = mint(&header, &claims("one", ahead, number), OCTOBER);
            // Forged, and not a token at all.
            let forged = format!("{}AA", &token[..token.len() - 2]);
            lines.extend([token, forged, format!("x{number}")]);
        }
        let text = lines.join("\n");
        let mut block = Block::default();
        assert!(Stretches::new(text.as_bytes(), 0).fill(&mut block, usize::MAX));
        for placed in [ReasonSet::EMPTY, Reason::ALL.iter().copied().collect()] {
            let stop = AtomicBool::new(false);
            let mut judge = BatchJudge::new(&validator, None, &options(), 1 << 20, &stop);
            let mut first = None;
            for round in 0..5 {
                let mut outcome = Outcome::new(now(), true);
                outcome.placed = placed;
                judge.judge(&block, &mut outcome);
                // Noted, then remembered, then recalled: all but those that are no tokens.
                assert_eq!(outcome.repeated, if round < 2 { 0 } else { 12 }, "{round}");
                let told = told(&validator, &mut outcome);
                assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "{round}");
            }
            let first = first.unwrap();
            assert!(first.contains(r#"("2026-12", "#), "{first}");

            // Those of the first lines that are through before any signature: not the one of an
            // unknown key, and not those of which a place is to be told.
            let mut outcome = Outcome::new(now(), true);
            outcome.placed = placed;
            let (mut unread, mut left) = (lines_of(block.bytes()), Vec::new());
            judge.repeats.begin_block(false);
            judge.split(&block, &mut unread, &mut left, &mut outcome);
            judge.recall(&mut left, 0, &mut Default::default(), &mut outcome);
            let counted = if placed == ReasonSet::EMPTY { 3 } else { 5 };
            assert_eq!(left.len(), AHEAD - counted);
        }
    }
}
