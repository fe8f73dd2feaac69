//! The ordered end of a run: counts outcomes, writes rows, and reuses buffers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender};

use super::feeder::{Fed, Feeder, InputEnd};
use super::worker::{Rest, Work, work_guarded};
use super::{
    FIRST_BYTES, Finished, MAX_BYTES, MIN_BYTES, PATIENCE, Progress, RowSink, RunOptions, Watch,
};
use crate::error::Error;
use crate::extract::MAX_LINES;
use crate::input::{Input, Origin};
use crate::record::Outcome;
use crate::report::tally::Tally;
use crate::report::{InputReport, Report, SampleReport};
use crate::time::UnixTime;
use crate::validator::Validator;

/// The ends of the channels that the calling thread holds.
pub(super) struct Channels<'t> {
    pub(super) to_workers: Sender<Work<'t>>,
    /// The workers' end; the calling thread takes work from it when it has nothing to read.
    pub(super) from_reader: Receiver<Work<'t>>,
    pub(super) from_workers: Receiver<Work<'t>>,
}

/// The counts so far, and the work that is not in flight.
pub(super) struct Aggregator<'v, 'r, 'w, 't> {
    validator: &'v Validator,
    now: UnixTime,
    tally: Tally,
    inputs: Vec<InputReport>,
    rows: Option<RowSink<'r>>,
    watch: Watch<'w>,
    free: Vec<Work<'t>>,
    /// Outcomes that arrived before their turn, by sequence.
    early: BTreeMap<u64, Work<'t>>,
    next: u64,
    /// Work that was judged in part, to be sent to the workers again.
    unfinished: Option<Work<'t>>,
    /// The last file that could not be read to its end; the rest of it is not judged.
    faulty: Option<usize>,
    /// The size of the next piece of work in bytes.
    target: usize,
    block_bytes: usize,
    repeated: u64,
    sample: Option<SampleReport>,
    bytes: u64,
    errors: Vec<Error>,
    /// Set if the run ends before its inputs do: nothing more is read.
    is_cut_short: bool,
    /// Set once an outcome is missing in the order: nothing more is counted.
    is_broken: bool,
    stopped: bool,
}

impl<'v, 'r, 'w, 't> Aggregator<'v, 'r, 'w, 't> {
    pub(super) fn new(
        validator: &'v Validator,
        inputs: &[Input<'_>],
        rows: Option<RowSink<'r>>,
        watch: Watch<'w>,
        free: Vec<Work<'t>>,
        options: &RunOptions,
    ) -> Self {
        let block_bytes = options.block_bytes.clamp(1, MAX_BYTES);
        let distinct = options.distinct;
        let report = |input: &Input<'_>| InputReport {
            name: input.name(),
            ..Default::default()
        };
        Self {
            validator,
            now: options.now,
            tally: Tally::new(options.now, validator.keys())
                .with_distinct(distinct)
                .with_uses(options.times.is_some()),
            inputs: inputs.iter().map(report).collect(),
            rows,
            watch,
            free,
            early: BTreeMap::new(),
            next: 0,
            unfinished: None,
            faulty: None,
            target: block_bytes.min(FIRST_BYTES),
            block_bytes,
            repeated: 0,
            sample: options.sample.map(|one_in| SampleReport {
                one_in,
                left_out: 0,
            }),
            bytes: 0,
            errors: Vec::new(),
            is_cut_short: false,
            is_broken: false,
            stopped: false,
        }
    }

    /// The loop of the calling thread.
    pub(super) fn drive<J: FnMut(&mut Work<'_>)>(
        &mut self,
        channels: Channels<'t>,
        feeder: &mut Feeder<'t>,
        new_judge: &impl Fn() -> J,
        alive: &AtomicUsize,
        workers: usize,
    ) {
        let Channels {
            to_workers,
            from_reader,
            from_workers,
        } = channels;
        let mut judge = new_judge();
        let mut in_flight = 0_usize;
        let mut is_fed = false;
        loop {
            while let Ok(work) = from_workers.try_recv() {
                in_flight -= 1;
                self.take(work);
            }
            if let Some(input) = self.faulty {
                feeder.skip(input);
            }
            if let Some(work) = self.unfinished.take() {
                in_flight += 1;
                if to_workers.send(work).is_err() {
                    return self.fail(Error::ChannelClosed);
                }
            }
            if !self.stopped && self.watch.stop.load(Ordering::SeqCst) {
                self.stopped = true;
                self.is_cut_short = true;
            }
            if self.is_cut_short {
                // Blocks leave the channel in order, so those still in it are the last ones.
                while let Ok(work) = from_reader.try_recv() {
                    in_flight -= 1;
                    self.free.push(work);
                }
            } else if !is_fed && let Some(mut work) = self.free.pop() {
                work.outcome.placed = self.tally.placed();
                let fed = feeder.feed(&mut work, self.target, in_flight > 0);
                if let Fed::Work = fed {
                    in_flight += 1;
                    if to_workers.send(work).is_err() {
                        return self.fail(Error::ChannelClosed);
                    }
                    continue;
                }
                self.free.push(work);
                match fed {
                    // While the input is silent, its rows so far are wanted.
                    Fed::Idle if in_flight == 0 => self.flush_rows(),
                    // There may be work to judge meanwhile.
                    Fed::Idle => {}
                    Fed::Opened(input, form) => {
                        self.inputs[input].form = form.or(self.inputs[input].form);
                        continue;
                    }
                    Fed::Work => continue,
                    Fed::InputOver(input, end) => {
                        self.end_input(input, end);
                        continue;
                    }
                    Fed::End => is_fed = true,
                }
            }
            if let Ok(mut work) = from_reader.try_recv() {
                work_guarded(&mut judge, new_judge, &mut work);
                in_flight -= 1;
                self.take(work);
            } else if in_flight == 0 {
                if is_fed || self.is_cut_short {
                    return;
                }
            } else {
                match from_workers.recv_timeout(PATIENCE) {
                    Ok(work) => {
                        in_flight -= 1;
                        self.take(work);
                    }
                    Err(RecvTimeoutError::Timeout) if alive.load(Ordering::SeqCst) == workers => {}
                    Err(_) => return self.fail(Error::ChannelClosed),
                }
            }
        }
    }

    /// Takes an outcome, and handles every outcome whose turn has come.
    fn take(&mut self, work: Work<'t>) {
        self.early.insert(work.sequence, work);
        while self.unfinished.is_none()
            && let Some(work) = self.early.remove(&self.next)
        {
            self.put_in_order(work);
        }
    }

    /// Handles the outcome whose turn has come.
    fn put_in_order(&mut self, mut work: Work<'t>) {
        let input = &mut self.inputs[work.input];
        if std::mem::take(&mut work.has_panicked) {
            let error = Error::Worker {
                input: input.name.clone(),
                offset: work.begin,
            };
            input.error = Some(error.to_string());
            work.outcome = self.empty_outcome();
            self.fail(error);
        } else if std::mem::take(&mut work.was_stopped) {
            // It was judged only in part, so the counts end before it.
            work.outcome = self.empty_outcome();
            (self.is_cut_short, self.is_broken, self.stopped) = (true, true, true);
        } else if self.is_broken || self.faulty == Some(work.input) {
            // Lines after a fault are not counted.
            work.outcome = self.empty_outcome();
        } else {
            self.count(&mut work);
            match std::mem::replace(&mut work.rest, Rest::Nothing) {
                Rest::Lines if !self.is_cut_short => {
                    work.resume();
                    self.unfinished = Some(work);
                    return;
                }
                // The lines are missing, so nothing after them is counted.
                Rest::Lines => self.is_broken = true,
                Rest::Fault(error) => {
                    self.faulty = Some(work.input);
                    self.end_input(work.input, error.into());
                }
                Rest::Nothing => {
                    if let Some(section) = work.section.as_ref().filter(|it| it.is_last()) {
                        let growth = section.file().growth();
                        self.end_input(work.input, growth.into());
                    }
                }
            }
        }
        // Closes its file, if this was the last section of it.
        work.section = None;
        self.next += 1;
        self.free.push(work);
    }

    /// An outcome in place of one that does not count.
    fn empty_outcome(&self) -> Outcome {
        let (distinct, uses) = (self.tally.distinct.is_some(), self.tally.uses.is_some());
        Outcome::new(self.now, distinct, uses)
    }

    fn count(&mut self, work: &mut Work<'_>) {
        let outcome = &mut work.outcome;
        let input = &mut self.inputs[work.input];
        let line_base = input.lines;
        if input.tokens == 0 {
            input.has_times = work.found.has_time == Some(true);
        }
        input.tokens += outcome.tally.tokens.total();
        input.cut_tokens += work.found.cut;
        input.other_credentials += work.found.other_credentials;
        if let Some(uses) = &mut self.tally.uses {
            uses.add_found(&work.found);
        }
        self.tally.drain(&mut outcome.tally, line_base);
        input.lines += work.lines;
        self.repeated += work.repeated;
        if let Some(sample) = &mut self.sample {
            sample.left_out += work.left_out;
        }
        // If no line begins in a section, an earlier section has counted its bytes.
        let bytes = work.end.saturating_sub(input.bytes);
        input.bytes = input.bytes.max(work.end);
        let packed = describe(input, work.origin);
        self.bytes += packed.unwrap_or(bytes);
        self.target = match work.rest {
            Rest::Lines => work.bytes.max(MIN_BYTES),
            _ if work.lines > u64::from(MAX_LINES) / 2 => self.target,
            _ => self.target.saturating_mul(2),
        }
        .min(self.block_bytes);
        if let Some(sink) = &mut self.rows {
            let file = sink.options.with_file.then_some(&*input.name);
            if let Err(source) = outcome.rows.write(sink.out, file, line_base) {
                self.fail(Error::Write { source });
            }
        }
        (self.watch.progress)(Progress {
            tokens: self.tally.tokens.total(),
            rejected: self.tally.tokens.rejected,
            bytes: self.bytes,
        });
    }

    fn end_input(&mut self, index: usize, end: InputEnd) {
        let InputEnd {
            error,
            growth,
            origin,
        } = end;
        let input = &mut self.inputs[index];
        self.bytes += describe(input, origin).unwrap_or(0);
        (input.grown, input.has_cut_line) = (growth.bytes, growth.cuts_line);
        if let Some(error) = error {
            input.error = Some(error.to_string());
            self.errors.push(error);
        }
    }

    fn flush_rows(&mut self) {
        if let Some(sink) = &mut self.rows
            && let Err(source) = sink.out.flush()
        {
            self.fail(Error::Write { source });
        }
    }

    /// Ends the run early.
    pub(super) fn fail(&mut self, error: Error) {
        self.errors.push(error);
        self.is_cut_short = true;
        self.is_broken = true;
    }

    pub(super) fn finish(mut self, elapsed: Duration) -> Finished {
        if !self.is_broken || self.stopped {
            self.flush_rows();
        }
        // An interrupt that arrives before the report takes precedence over the end of the input.
        let stopped = self.stopped || self.watch.stop.load(Ordering::SeqCst);
        let ended_by = if stopped {
            Some("interrupted".to_owned())
        } else if self.is_broken {
            self.errors.last().map(ToString::to_string)
        } else {
            None
        };
        Finished {
            report: Report {
                validator: self.validator.clone(),
                now: self.now,
                tally: self.tally,
                inputs: self.inputs,
                sample: self.sample,
                complete: self.errors.is_empty() && !stopped,
                ended_by,
                elapsed,
            },
            errors: self.errors,
            stopped,
            repeated: self.repeated,
        }
    }
}

/// Adds to the report of an input what is known of the input itself. Of a compressed one, returns how
/// many more of its bytes were read.
fn describe(input: &mut InputReport, origin: Option<Origin>) -> Option<u64> {
    let origin = origin?;
    (input.encoding, input.compression) = (origin.encoding, origin.compression);
    origin.compression?;
    let more = origin.bytes.saturating_sub(input.packed_bytes);
    input.packed_bytes += more;
    Some(more)
}
