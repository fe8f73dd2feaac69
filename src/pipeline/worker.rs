//! A worker validates pieces of work, which circulate between the threads.
//!
//! If it panics, its buffers are replaced, the piece is marked and not counted, and the run ends
//! with an error.

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam::channel::{Receiver, Sender};

use super::sampled::Sampled;
use super::{MIN_CACHE_BYTES, RunOptions};
use crate::batch::{BatchJudge, MAX_TOKENS};
use crate::error::Error;
use crate::extract::{FindCounts, Finds, LineTokens, LogZone, TextSearch, TimeReader};
use crate::input::{Block, InputForm, LineLimit, Origin, Section, SectionRead};
use crate::record::{Outcome, Recorder};
use crate::report::RowOptions;
use crate::stage::NoClock;
use crate::time::UnixTime;
use crate::validator::Validator;

/// A piece of work: lines to judge, and their outcome.
pub(super) struct Work<'t> {
    /// The number of this piece in the order of all work, from 0.
    pub(super) sequence: u64,
    /// The lines, unless there is a section.
    pub(super) block: Block<'t>,
    /// Lines for the worker to read itself.
    pub(super) section: Option<Section>,
    /// How tokens lie in them.
    pub(super) form: InputForm,
    pub(super) outcome: Outcome,
    /// The index of the input, and the byte offsets between which lines were judged.
    pub(super) input: usize,
    pub(super) begin: u64,
    pub(super) end: u64,
    /// Of a stream: what is known of the input itself, and how many bytes of it were read.
    pub(super) origin: Option<Origin>,
    /// How many lines were read, and how many bytes of the block they are.
    pub(super) lines: u64,
    pub(super) bytes: usize,
    /// What was found besides tokens.
    pub(super) found: FindCounts,
    /// How many tokens are not in the sample.
    pub(super) left_out: u64,
    /// How many tokens were known from the cache.
    pub(super) repeated: u64,
    pub(super) rest: Rest,
    /// The run was stopped in the middle, and nothing of the outcome counts.
    pub(super) was_stopped: bool,
    pub(super) has_panicked: bool,
}

/// What remains of a piece of work after it was judged.
#[derive(Debug)]
pub(super) enum Rest {
    Nothing,
    /// More lines, from `end` on.
    Lines,
    /// The section could not be read to its end.
    Fault(Error),
}

/// The state of a thread that judges.
pub(super) struct Worker<'v> {
    judge: BatchJudge,
    recorder: Recorder,
    now: UnixTime,
    times: TimeReader,
    /// Whether tokens are judged at the time of their use.
    is_timed: bool,
    decodes_base64: bool,
    /// One in so many tokens is judged, if that is not every one.
    sample: Option<NonZero<u64>>,
    token_limit: usize,
    stop: &'v AtomicBool,
    finds: Finds,
    /// The buffer for sections; each worker has its own, so that it stays in its core's cache.
    pub(super) block: Block<'static>,
}

impl<'v> Worker<'v> {
    pub(super) fn new(
        validator: &Validator,
        rows: Option<RowOptions>,
        options: &RunOptions,
        stop: &'v AtomicBool,
    ) -> Self {
        let cache_bytes = match options.cache_bytes {
            0 => 0,
            all => (all / options.threads.max(1)).max(MIN_CACHE_BYTES),
        };
        Self {
            judge: BatchJudge::new(
                validator.clone(),
                options.kernel,
                cache_bytes,
                rows.is_some(),
            ),
            recorder: Recorder::new(validator.clone(), rows, options.now),
            now: options.now,
            times: (options.times.clone())
                .unwrap_or_else(|| TimeReader::new(None, LogZone::UTC, options.now)),
            is_timed: options.times.is_some(),
            decodes_base64: options.decodes_base64,
            sample: options.sample,
            token_limit: validator.policy().token_limit(),
            stop,
            finds: Finds::default(),
            block: Block::default(),
        }
    }

    pub(super) fn work(&mut self, work: &mut Work<'_>) {
        let mut rest = Rest::Nothing;
        let block = match &work.section {
            None => &work.block,
            Some(section) => {
                match section.read(
                    line_limit(work.form, self.token_limit),
                    self.stop,
                    &mut self.block,
                ) {
                    SectionRead::All => {}
                    SectionRead::Part => rest = Rest::Lines,
                    SectionRead::Fault(error) => rest = Rest::Fault(error),
                    SectionRead::Stopped => {
                        work.was_stopped = true;
                        return;
                    }
                }
                &self.block
            }
        };
        let outcome = &mut work.outcome;
        outcome.rows.clear();
        (work.found, work.repeated, work.left_out) = (FindCounts::default(), 0, 0);
        let mut is_done = true;
        match work.form {
            InputForm::Tokens => {
                let mut tokens = LineTokens::new(block, self.token_limit, self.now);
                let mut sink = self.recorder.record(block.input, outcome);
                let mut sampled = Sampled::new(&mut tokens, self.sample, &mut work.left_out);
                is_done = (self.judge).judge(&mut sampled, self.stop, &mut sink, &mut NoClock);
                work.repeated = self.judge.repeated();
                outcome.tally.blank_lines += u64::from(tokens.blank());
                (work.lines, work.bytes) = (tokens.taken().into(), tokens.consumed());
            }
            InputForm::Auto | InputForm::Text => {
                let search = TextSearch {
                    token_limit: self.token_limit,
                    decodes_base64: self.decodes_base64,
                    times: &self.times,
                    is_timed: self.is_timed,
                };
                let taken = search.find(block, &mut self.finds);
                let found = self.finds.found(block, self.now);
                let sampled = Sampled::new(found, self.sample, &mut work.left_out);
                let mut tokens = sampled.peekable();
                let mut sink = self.recorder.record(block.input, outcome);
                while is_done && tokens.peek().is_some() {
                    let mut batch = tokens.by_ref().take(MAX_TOKENS);
                    is_done = (self.judge).judge(&mut batch, self.stop, &mut sink, &mut NoClock);
                    work.repeated += self.judge.repeated();
                }
                work.found = self.finds.counts;
                (work.lines, work.bytes) = (taken.lines.into(), taken.bytes);
            }
        }
        self.recorder.end_batch(outcome);
        work.was_stopped = !is_done;
        if work.bytes < block.bytes().len() {
            // A fault after them will occur again when the rest is read.
            rest = Rest::Lines;
        }
        work.input = block.input;
        work.begin = block.offset();
        // Without a line nothing was judged, not even a byte order mark.
        work.end = match work.lines {
            0 if work.bytes == 0 => 0,
            _ => block.end_of(work.bytes),
        };
        work.rest = rest;
    }
}

/// What becomes of a long line of an input of this form.
pub(super) const fn line_limit(form: InputForm, token_limit: usize) -> LineLimit {
    match form {
        InputForm::Tokens => LineLimit::Skip(token_limit),
        InputForm::Auto | InputForm::Text => LineLimit::Cut(TextSearch::piece_bytes(token_limit)),
    }
}

impl Work<'_> {
    pub(super) fn new(options: &RunOptions) -> Self {
        Self {
            sequence: 0,
            block: Block::default(),
            section: None,
            form: InputForm::Tokens,
            outcome: Outcome::new(options.now, options.distinct, options.times.is_some()),
            input: 0,
            begin: 0,
            end: 0,
            origin: None,
            lines: 0,
            bytes: 0,
            found: FindCounts::default(),
            left_out: 0,
            repeated: 0,
            rest: Rest::Nothing,
            was_stopped: false,
            has_panicked: false,
        }
    }

    /// Reduces the work to the lines that were not judged yet.
    pub(super) fn resume(&mut self) {
        self.begin = self.end;
        match &mut self.section {
            Some(section) => section.resume(self.end),
            None => self.block.resume(self.bytes),
        }
    }
}

/// Decrements the number of live workers when a worker ends, however it ends.
pub(super) struct WorkforceGuard<'a>(pub(super) &'a AtomicUsize);

impl Drop for WorkforceGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The loop of a worker: takes work and returns outcomes until the channel closes.
pub(super) fn work_until_closed<'t, J: FnMut(&mut Work<'_>)>(
    new_judge: &impl Fn() -> J,
    from_reader: &Receiver<Work<'t>>,
    to_aggregator: &Sender<Work<'t>>,
) {
    let mut judge = new_judge();
    for mut work in from_reader {
        work_guarded(&mut judge, new_judge, &mut work);
        if to_aggregator.send(work).is_err() {
            return;
        }
    }
}

/// Judges a piece of work. After a panic the work is marked and the judge replaced, since its
/// buffers may be in any state.
pub(super) fn work_guarded<J: FnMut(&mut Work<'_>)>(
    judge: &mut J,
    new_judge: &impl Fn() -> J,
    work: &mut Work<'_>,
) {
    if catch_unwind(AssertUnwindSafe(|| judge(work))).is_err() {
        work.has_panicked = true;
        *judge = new_judge();
    }
}
