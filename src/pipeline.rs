//! A run: inputs → work → workers → tally and rows.
//!
//! The thread that calls [`run`] sends work into a bounded channel: a block that it has read from a
//! stream, lines of a text in memory, or a section of a regular file, which the worker reads itself.
//! Rayon workers judge; the caller takes the outcomes back, puts them in order, counts them, writes
//! their rows and reuses their buffers. Where there is nothing to send it judges itself, so that
//! `threads` threads do all the work there is, and one thread is the same loop without workers.
//! Memory is bounded by the work in flight, of which there is a fixed number.
//!
//! Of lines that are very short a worker judges as many as may become rows at a time; the rest of
//! the work goes around once more.
//!
//! Nothing that goes wrong looks like the end of the input: every way out of the loop says whether
//! all lines were judged.

use std::collections::BTreeMap;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};

use crate::batch::{BatchJudge, Outcome, Recorder};
use crate::error::Error;
use crate::extract::{LineTokens, MAX_LINES};
use crate::input::{
    Block, BlockReader, DEFAULT_BLOCK_BYTES, Fill, Input, Opened, RegularFile, Section,
    SectionRead, Stretches,
};
use crate::report::tally::Tally;
use crate::report::{InputReport, Report, RowOptions};
use crate::signature::Kernel;
use crate::stage::NoClock;
use crate::time::UnixTime;
use crate::validator::Validator;

/// How long to wait for an outcome before looking around.
const PATIENCE: Duration = Duration::from_millis(50);
/// The least bytes that are judged at a time where lines are short: at two bytes a line, as many
/// lines as are judged at a time.
const LEAST_BYTES: usize = 2 * MAX_LINES as usize;
/// The most bytes that are judged at first, so that the first results come soon.
const FIRST_BYTES: usize = 64 << 10;
/// The most that is aimed at: with one more line, which has a GiB at most, places within a block are
/// numbers of 32 bits.
const MOST_BYTES: usize = 1 << 30;

/// The instant of a run, and how it is carried out. Only `now` changes verdicts, rows and counts.
///
/// ```
/// use jotmill::{RunOptions, UnixTime};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let options = RunOptions::new(UnixTime::now()?).threads(2);
/// # assert_eq!(options.threads, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
#[must_use]
pub struct RunOptions {
    /// The instant that dates are compared with.
    pub now: UnixTime,
    /// How many threads work, the calling one included; at least 1.
    pub threads: usize,
    /// About how many bytes a block has; at least 1, and of more than 1 GiB no more is taken.
    pub block_bytes: usize,
    /// The kernel that computes MACs.
    pub kernel: Kernel,
    /// The size in bytes of the cache of repeated tokens, over all threads; each thread has at least
    /// 512 KiB. With 0 there is no such cache.
    pub cache_bytes: usize,
    /// Whether to estimate how many tokens differ.
    pub distinct: bool,
}

/// The default size of the cache of repeated tokens.
const CACHE_BYTES: usize = 16 << 20;
/// The smallest cache of a thread: a smaller one evicts tokens before they are repeated.
const MIN_CACHE_BYTES: usize = 512 << 10;

impl RunOptions {
    /// A run at this instant: one thread, blocks of [`DEFAULT_BLOCK_BYTES`], the fastest kernel.
    pub fn new(now: UnixTime) -> Self {
        Self {
            now,
            threads: 1,
            block_bytes: DEFAULT_BLOCK_BYTES,
            kernel: Kernel::best(),
            cache_bytes: CACHE_BYTES,
            distinct: false,
        }
    }

    /// Sets [`threads`](Self#structfield.threads).
    pub const fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Sets [`block_bytes`](Self#structfield.block_bytes).
    pub const fn block_bytes(mut self, bytes: usize) -> Self {
        self.block_bytes = bytes;
        self
    }

    /// Sets [`kernel`](Self#structfield.kernel).
    pub const fn kernel(mut self, kernel: Kernel) -> Self {
        self.kernel = kernel;
        self
    }

    /// Sets [`cache_bytes`](Self#structfield.cache_bytes).
    pub const fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets [`distinct`](Self#structfield.distinct).
    pub const fn distinct(mut self, distinct: bool) -> Self {
        self.distinct = distinct;
        self
    }
}

/// Where rows go, and how they are written.
pub struct RowSink<'a> {
    /// What takes the rows; flushed whenever the input is silent and at the end.
    pub out: &'a mut dyn Write,
    /// How they are written.
    pub options: RowOptions,
}

/// How far a run has come, for whoever wants to watch it.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Tokens judged.
    pub tokens: u64,
    /// Tokens rejected.
    pub rejected: u64,
    /// Bytes judged.
    pub bytes: u64,
}

/// Whoever watches a run and may end it.
pub struct Watch<'a> {
    /// Ends the run soon after it turns true; what was judged by then is reported.
    pub stop: &'a AtomicBool,
    /// Told of progress after each block.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// The result of a run.
pub struct Finished {
    /// What was counted, of all lines or, if it is not complete, of those before it ended.
    pub report: Report,
    /// What kept lines from being judged or rows from being written.
    pub errors: Vec<Error>,
    /// Whether it was stopped.
    pub stopped: bool,
    /// How many tokens were not judged from the start, because the same worker had judged them
    /// before. It depends on how the threads took turns, and so is no part of the report.
    pub repeated: u64,
}

/// Judges every line of every input.
///
/// Rows and counts are the same for any number of threads and any size of blocks. An input that
/// cannot be opened or read is reported, and the others are still judged.
///
/// ```
/// use std::sync::atomic::AtomicBool;
/// use jotmill::{Input, KeySet, Policy, RunOptions, UnixTime, Validator, Watch, run};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
/// let validator = Validator::new(Policy::new(), keys)?;
/// let log = Input::Reader { name: "log".to_owned(), reader: Box::new(&b"a.b.c\n\nd\n"[..]) };
///
/// let stop = AtomicBool::new(false);
/// let watch = Watch { stop: &stop, progress: &mut |_| () };
/// let options = RunOptions::new(UnixTime::now()?);
/// let finished = run(&validator, vec![log], &options, None, watch);
/// assert!(finished.report.complete);
/// assert_eq!(finished.report.tally.tokens.rejected, 2);
/// assert_eq!(finished.report.tally.blank_lines, 1);
/// # Ok(())
/// # }
/// ```
pub fn run(
    validator: &Validator,
    inputs: Vec<Input<'_>>,
    options: &RunOptions,
    rows: Option<RowSink<'_>>,
    watch: Watch<'_>,
) -> Finished {
    let row_options = rows.as_ref().map(|sink| sink.options);
    let stop = watch.stop;
    let new_judge = || {
        let mut worker = Worker::new(validator, row_options, options, stop);
        move |work: &mut Work<'_>| worker.work(work)
    };
    run_with(&new_judge, validator, inputs, options, rows, watch)
}

/// Validates every line of one reader at `now` on the calling thread: [`run`] with its defaults.
///
/// ```
/// use jotmill::{KeySet, Policy, UnixTime, Validator, audit};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
/// let validator = Validator::new(Policy::new(), keys)?;
/// let finished = audit(&validator, UnixTime::now()?, &b"a.b.c\n"[..]);
/// assert!(finished.report.complete);
/// assert_eq!(finished.report.tally.tokens.rejected, 1);
/// # Ok(())
/// # }
/// ```
pub fn audit(validator: &Validator, now: UnixTime, reader: impl std::io::Read) -> Finished {
    let input = Input::Reader {
        name: "-".to_owned(),
        reader: Box::new(reader),
    };
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    run(validator, vec![input], &RunOptions::new(now), None, watch)
}

/// What circulates: lines to judge, and what came of them.
struct Work<'t> {
    /// The place in the order of all work, from 0.
    sequence: u64,
    /// Lines that are in memory, unless there is a section.
    block: Block<'t>,
    /// Lines that the worker reads.
    section: Option<Section>,
    outcome: Outcome,
    /// The index of the input, and the offsets in it between which lines were judged.
    input: usize,
    begin: u64,
    end: u64,
    rest: Rest,
    has_panicked: bool,
}

/// What is left of a piece of work that was judged.
#[derive(Debug)]
enum Rest {
    Nothing,
    /// More lines, from `end` on.
    Lines,
    /// What could not be read.
    Fault(Error),
}

/// What a thread needs to judge.
struct Worker<'v> {
    judge: BatchJudge,
    recorder: Recorder,
    now: UnixTime,
    max_token_bytes: usize,
    stop: &'v AtomicBool,
    /// What sections are read into: a worker's own, so that it stays in its core's cache.
    block: Block<'static>,
}

impl<'v> Worker<'v> {
    fn new(
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
            judge: BatchJudge::new(validator.clone(), options.kernel, cache_bytes),
            recorder: Recorder::new(validator.clone(), rows),
            now: options.now,
            max_token_bytes: validator.policy().token_limit(),
            stop,
            block: Block::default(),
        }
    }

    fn work(&mut self, work: &mut Work<'_>) {
        let mut rest = Rest::Nothing;
        let block = match &work.section {
            None => &work.block,
            Some(section) => {
                match section.read(self.max_token_bytes, self.stop, &mut self.block) {
                    SectionRead::All => {}
                    SectionRead::Part => rest = Rest::Lines,
                    SectionRead::Fault(error) => rest = Rest::Fault(error),
                    SectionRead::Stopped => {
                        work.outcome.was_stopped = true;
                        return;
                    }
                }
                &self.block
            }
        };
        let outcome = &mut work.outcome;
        outcome.rows.clear();
        let mut tokens = LineTokens::new(block, self.max_token_bytes);
        let mut sink = self.recorder.record(block.input, outcome);
        let is_done = (self.judge).judge(&mut tokens, self.now, self.stop, &mut sink, &mut NoClock);
        self.recorder.end_batch(outcome);
        outcome.was_stopped = !is_done;
        outcome.tally.blank_lines += u64::from(tokens.blank());
        (outcome.lines, outcome.bytes) = (tokens.taken().into(), tokens.consumed());
        outcome.repeated = self.judge.repeated();
        if work.outcome.bytes < block.bytes().len() {
            // A fault behind them is met again.
            rest = Rest::Lines;
        }
        work.input = block.input;
        work.begin = block.offset();
        // A byte order mark without a line behind it is as little judged as a section in which no
        // line begins.
        work.end = match work.outcome.lines {
            0 => 0,
            _ => block.end_of(work.outcome.bytes),
        };
        work.rest = rest;
    }
}

/// [`run`] with any judge: each worker makes one of its own.
fn run_with<J: FnMut(&mut Work<'_>)>(
    new_judge: &(impl Fn() -> J + Sync),
    validator: &Validator,
    inputs: Vec<Input<'_>>,
    options: &RunOptions,
    rows: Option<RowSink<'_>>,
    watch: Watch<'_>,
) -> Finished {
    let started = Instant::now();
    let workers = options.threads.saturating_sub(1);
    // One block for the only thread; with workers, enough that neither side waits for the other.
    let in_flight = if workers == 0 { 1 } else { 2 * (workers + 1) };
    let (to_workers, from_reader) = bounded::<Work<'_>>(in_flight);
    let (to_aggregator, from_workers) = bounded::<Work<'_>>(in_flight);
    let alive = AtomicUsize::new(workers);

    let line = Line {
        from_reader: from_reader.clone(),
        to_workers,
        from_workers,
    };
    let free = (0..in_flight).map(|_| Work::new(options)).collect();
    let mut aggregator = Aggregator::new(validator, &inputs, rows, watch, free, options);
    let mut feeder = Feeder::new(validator, inputs, workers + 1);
    if options.kernel.self_test().is_err() {
        aggregator.fail(Error::Kernel {
            kernel: options.kernel.name(),
        });
    } else if workers == 0 {
        aggregator.drive(line, &mut feeder, new_judge, &alive, workers);
    } else {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(workers)
            .thread_name(|index| format!("jotmill-{index}"))
            .build();
        match pool {
            Ok(pool) => pool.in_place_scope(|scope| {
                for _ in 0..workers {
                    let (from_reader, to_aggregator) = (from_reader.clone(), to_aggregator.clone());
                    let alive = &alive;
                    scope.spawn(move |_| {
                        let _guard = LeavesWorkforce(alive);
                        // A panic that gets past the guard of a block is seen as the loss of the
                        // worker; rayon would hand it on to the caller.
                        let life = || work_off(new_judge, &from_reader, &to_aggregator);
                        let _ = catch_unwind(AssertUnwindSafe(life));
                    });
                }
                // The workers' ends are theirs alone, so that losing them all can be seen.
                drop((from_reader, to_aggregator));
                aggregator.drive(line, &mut feeder, new_judge, &alive, workers);
            }),
            Err(error) => aggregator.fail(Error::Threads {
                message: error.to_string(),
            }),
        }
    }
    aggregator.finish(started.elapsed())
}

/// Counts a worker out, however it ends.
struct LeavesWorkforce<'a>(&'a AtomicUsize);

impl Drop for LeavesWorkforce<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A worker's life: blocks in, outcomes out, until the channel closes.
fn work_off<'t, J: FnMut(&mut Work<'_>)>(
    new_judge: &impl Fn() -> J,
    from_reader: &Receiver<Work<'t>>,
    to_aggregator: &Sender<Work<'t>>,
) {
    let mut judge = new_judge();
    for mut work in from_reader {
        judge_guarded(&mut judge, new_judge, &mut work);
        if to_aggregator.send(work).is_err() {
            return;
        }
    }
}

/// Judges a block; a panic is put on record and costs the judge, whose buffers it may have left
/// in any state.
fn judge_guarded<J: FnMut(&mut Work<'_>)>(
    judge: &mut J,
    new_judge: &impl Fn() -> J,
    work: &mut Work<'_>,
) {
    if catch_unwind(AssertUnwindSafe(|| judge(work))).is_err() {
        work.has_panicked = true;
        *judge = new_judge();
    }
}

impl Work<'_> {
    fn new(options: &RunOptions) -> Self {
        Self {
            sequence: 0,
            block: Block::default(),
            section: None,
            outcome: Outcome::new(options.now, options.distinct),
            input: 0,
            begin: 0,
            end: 0,
            rest: Rest::Nothing,
            has_panicked: false,
        }
    }

    /// Leaves what has not been judged yet.
    fn resume(&mut self) {
        self.begin = self.end;
        match &mut self.section {
            Some(section) => section.resume(self.end),
            None => self.block.resume(self.end),
        }
    }
}

/// The ends of the channels that the calling thread holds.
struct Line<'t> {
    to_workers: Sender<Work<'t>>,
    /// The workers' end: the calling thread takes a block from it when it has nothing to read.
    from_reader: Receiver<Work<'t>>,
    from_workers: Receiver<Work<'t>>,
}

/// Gives the work of all inputs, in order.
struct Feeder<'a> {
    inputs: std::iter::Enumerate<std::vec::IntoIter<Input<'a>>>,
    current: Option<(usize, Current<'a>)>,
    max_token_bytes: usize,
    threads: usize,
    sequence: u64,
}

/// The input that is being read.
enum Current<'a> {
    Stream(BlockReader<'a>),
    /// A file, and how far it has been given out.
    File(Arc<RegularFile>, u64),
    Bytes(Stretches<'a>),
}

impl Current<'_> {
    /// How many bytes are still to be given out, where anyone knows.
    fn rest(&self) -> Option<u64> {
        match self {
            Self::Stream(_) => None,
            Self::File(file, begin) => Some(file.size() - begin),
            Self::Bytes(stretches) => Some(stretches.rest() as u64),
        }
    }
}

/// What became of an attempt to feed.
enum Fed {
    Work,
    Opened,
    /// The input is silent, or in the middle of a line that is passed over.
    Idle,
    /// A stream is over, for this reason if it is not its end; or a file could not be opened.
    InputOver(usize, Option<Error>, u64),
    End,
}

impl<'a> Feeder<'a> {
    fn new(validator: &Validator, inputs: Vec<Input<'a>>, threads: usize) -> Self {
        Self {
            inputs: inputs.into_iter().enumerate(),
            current: None,
            max_token_bytes: validator.policy().token_limit(),
            threads,
            sequence: 0,
        }
    }

    /// About how many bytes to give out: `target`, and less towards the end, so that no thread is
    /// left with much work when the others have none.
    fn portion(&self, target: usize) -> usize {
        match self
            .current
            .as_ref()
            .and_then(|(_, current)| current.rest())
        {
            Some(rest) if self.threads > 1 => {
                let fair = usize::try_from(rest).unwrap_or(usize::MAX) / (2 * self.threads);
                target.min(fair.max(LEAST_BYTES))
            }
            _ => target,
        }
    }

    /// Makes `work` of about `target` bytes.
    fn feed(&mut self, work: &mut Work<'a>, target: usize) -> Fed {
        let target = self.portion(target);
        let Some((input, current)) = &mut self.current else {
            return self.open_next();
        };
        let input = *input;
        work.sequence = self.sequence;
        match current {
            Current::File(file, begin) => {
                let end = begin.saturating_add(target as u64).min(file.size());
                work.section = Some(Section::new(Arc::clone(file), input, *begin, end));
                // What a panic would leave unjudged.
                (work.input, work.begin) = (input, *begin);
                if end == file.size() {
                    self.current = None;
                } else {
                    *begin = end;
                }
            }
            Current::Bytes(stretches) => {
                work.section = None;
                if !stretches.fill(&mut work.block, target) {
                    self.current = None;
                    return Fed::InputOver(input, None, 0);
                }
                (work.input, work.begin) = (input, work.block.offset());
            }
            Current::Stream(reader) => {
                work.section = None;
                match reader.fill(&mut work.block, target) {
                    Ok(Fill::Block) => {
                        (work.input, work.begin) = (input, work.block.offset());
                    }
                    Ok(Fill::Idle) => return Fed::Idle,
                    Ok(Fill::End) => {
                        let growth = reader.source().growth();
                        self.current = None;
                        return Fed::InputOver(input, None, growth);
                    }
                    Err(error) => {
                        self.current = None;
                        return Fed::InputOver(input, Some(error), 0);
                    }
                }
            }
        }
        self.sequence += 1;
        Fed::Work
    }

    fn open_next(&mut self) -> Fed {
        let Some((index, input)) = self.inputs.next() else {
            return Fed::End;
        };
        let current = match input.open() {
            Ok(Opened::Stream(source)) => {
                Current::Stream(BlockReader::new(source, index, self.max_token_bytes))
            }
            Ok(Opened::File(file)) => Current::File(Arc::new(file), 0),
            Ok(Opened::Bytes(text)) => Current::Bytes(Stretches::new(text, index)),
            Err(error) => return Fed::InputOver(index, Some(error), 0),
        };
        self.current = Some((index, current));
        Fed::Opened
    }

    /// Gives no more of an input that failed.
    fn skip(&mut self, input: usize) {
        if self
            .current
            .as_ref()
            .is_some_and(|(index, _)| *index == input)
        {
            self.current = None;
        }
    }
}

/// The ordered end: counts, writes rows, and gives buffers back.
struct Aggregator<'v, 'r, 'w, 't> {
    validator: &'v Validator,
    now: UnixTime,
    tally: Tally,
    inputs: Vec<InputReport>,
    rows: Option<RowSink<'r>>,
    watch: Watch<'w>,
    free: Vec<Work<'t>>,
    /// Outcomes that came before their turn, by sequence.
    early: BTreeMap<u64, Work<'t>>,
    next: u64,
    /// Work of which a part is still to be judged.
    again: Option<Work<'t>>,
    /// The last file that could not be read to its end: nothing more of it is judged.
    faulty: Option<usize>,
    /// About how many bytes to judge at a time.
    target: usize,
    block_bytes: usize,
    repeated: u64,
    bytes: u64,
    errors: Vec<Error>,
    /// Set once nothing more is taken from the inputs before they have ended.
    is_cut_short: bool,
    /// Set once what follows could no longer be put in order: nothing more is counted.
    is_broken: bool,
    stopped: bool,
}

impl<'v, 'r, 'w, 't> Aggregator<'v, 'r, 'w, 't> {
    fn new(
        validator: &'v Validator,
        inputs: &[Input<'_>],
        rows: Option<RowSink<'r>>,
        watch: Watch<'w>,
        free: Vec<Work<'t>>,
        options: &RunOptions,
    ) -> Self {
        let block_bytes = options.block_bytes.clamp(1, MOST_BYTES);
        let distinct = options.distinct;
        let report = |input: &Input<'_>| InputReport {
            name: input.name(),
            ..Default::default()
        };
        Self {
            validator,
            now: options.now,
            tally: Tally::new(options.now, validator.keys()).with_distinct(distinct),
            inputs: inputs.iter().map(report).collect(),
            rows,
            watch,
            free,
            early: BTreeMap::new(),
            next: 0,
            again: None,
            faulty: None,
            target: block_bytes.min(FIRST_BYTES),
            block_bytes,
            repeated: 0,
            bytes: 0,
            errors: Vec::new(),
            is_cut_short: false,
            is_broken: false,
            stopped: false,
        }
    }

    /// The loop of the calling thread.
    fn drive<J: FnMut(&mut Work<'_>)>(
        &mut self,
        line: Line<'t>,
        feeder: &mut Feeder<'t>,
        new_judge: &impl Fn() -> J,
        alive: &AtomicUsize,
        workers: usize,
    ) {
        let Line {
            to_workers,
            from_reader,
            from_workers,
        } = line;
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
            if let Some(work) = self.again.take() {
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
                let fed = feeder.feed(&mut work, self.target);
                if let Fed::Work = fed {
                    in_flight += 1;
                    if to_workers.send(work).is_err() {
                        return self.fail(Error::ChannelClosed);
                    }
                    continue;
                }
                self.free.push(work);
                match fed {
                    // Whoever reads the rows of a silent input wants to see them.
                    Fed::Idle if in_flight == 0 => self.flush_rows(),
                    // There may be a block to judge meanwhile.
                    Fed::Idle => {}
                    Fed::Work | Fed::Opened => continue,
                    Fed::InputOver(input, error, growth) => {
                        self.end_input(input, error, growth);
                        continue;
                    }
                    Fed::End => is_fed = true,
                }
            }
            if let Ok(mut work) = from_reader.try_recv() {
                judge_guarded(&mut judge, new_judge, &mut work);
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

    /// Takes an outcome, and deals with every one whose turn has come.
    fn take(&mut self, work: Work<'t>) {
        self.early.insert(work.sequence, work);
        while self.again.is_none()
            && let Some(work) = self.early.remove(&self.next)
        {
            self.put_in_order(work);
        }
    }

    /// Counts what came of the work whose turn it is.
    fn put_in_order(&mut self, mut work: Work<'t>) {
        let input = &mut self.inputs[work.input];
        if std::mem::take(&mut work.has_panicked) {
            let error = Error::Worker {
                input: input.name.clone(),
                offset: work.begin,
            };
            input.error = Some(error.to_string());
            work.outcome = Outcome::new(self.now, self.tally.distinct.is_some());
            self.fail(error);
        } else if work.outcome.was_stopped {
            // Judged in part, so not at all: what is in order ends before it.
            work.outcome = Outcome::new(self.now, self.tally.distinct.is_some());
            (self.is_cut_short, self.is_broken, self.stopped) = (true, true, true);
        } else if self.is_broken || self.faulty == Some(work.input) {
            // What is behind a fault is not judged.
            work.outcome = Outcome::new(self.now, self.tally.distinct.is_some());
        } else {
            self.count(&mut work);
            match std::mem::replace(&mut work.rest, Rest::Nothing) {
                Rest::Lines if !self.is_cut_short => {
                    work.resume();
                    self.again = Some(work);
                    return;
                }
                // Nothing that follows them is counted without them.
                Rest::Lines => self.is_broken = true,
                Rest::Fault(error) => {
                    self.faulty = Some(work.input);
                    self.end_input(work.input, Some(error), 0);
                }
                Rest::Nothing => {
                    if let Some(section) = work.section.as_ref().filter(|it| it.is_last()) {
                        self.end_input(work.input, None, section.file().growth());
                    }
                }
            }
        }
        self.next += 1;
        self.free.push(work);
    }

    fn count(&mut self, work: &mut Work<'_>) {
        let outcome = &mut work.outcome;
        let input = &mut self.inputs[work.input];
        let line_base = input.lines;
        self.tally.drain(&mut outcome.tally, line_base);
        input.lines += outcome.lines;
        self.repeated += outcome.repeated;
        // A section in which no line begins is a piece of one that was counted before it.
        self.bytes += work.end.saturating_sub(input.bytes);
        input.bytes = input.bytes.max(work.end);
        self.target = match work.rest {
            Rest::Lines => outcome.bytes.max(LEAST_BYTES),
            _ if outcome.lines > u64::from(MAX_LINES) / 2 => self.target,
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

    fn end_input(&mut self, index: usize, error: Option<Error>, growth: u64) {
        let input = &mut self.inputs[index];
        input.grown = growth;
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
    fn fail(&mut self, error: Error) {
        self.errors.push(error);
        self.is_cut_short = true;
        self.is_broken = true;
    }

    fn finish(mut self, elapsed: Duration) -> Finished {
        if !self.is_broken || self.stopped {
            self.flush_rows();
        }
        // An interrupt that is seen before the report is made wins over the end of the input.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeySet;
    use crate::policy::Policy;
    use crate::time::UnixTime;
    use std::io;

    static NEVER: AtomicBool = AtomicBool::new(false);

    fn options() -> RunOptions {
        RunOptions::new(UnixTime::new(0, 0).unwrap())
    }

    fn validator() -> Validator {
        let mut keys = KeySet::new();
        keys.add_secret(b"secret", "test").unwrap();
        Validator::new(Policy::new(), keys).unwrap()
    }

    fn log(lines: usize) -> Vec<u8> {
        (0..lines)
            .flat_map(|n| format!("line {n}\n").into_bytes())
            .collect()
    }

    fn input<'a>(name: &str, bytes: &'a [u8]) -> Input<'a> {
        Input::Reader {
            name: name.to_owned(),
            reader: Box::new(bytes),
        }
    }

    /// Runs in small blocks, with a judge that does `before` and then its work.
    fn run_disturbed(
        validator: &Validator,
        inputs: Vec<Input<'_>>,
        threads: usize,
        before: impl Fn(&Work) + Sync,
        rows: &mut Vec<u8>,
    ) -> Finished {
        let row_options = RowOptions::default();
        let new_judge = || {
            let mut worker = Worker::new(validator, Some(row_options), &options(), &NEVER);
            let before = &before;
            move |work: &mut Work| {
                before(work);
                worker.work(work);
            }
        };
        let options = RunOptions {
            threads,
            block_bytes: 100,
            ..options()
        };
        let sink = RowSink {
            out: rows,
            options: row_options,
        };
        let stop = AtomicBool::new(false);
        let watch = Watch {
            stop: &stop,
            progress: &mut |_| (),
        };
        run_with(&new_judge, validator, inputs, &options, Some(sink), watch)
    }

    #[test]
    fn a_panicking_worker_ends_the_run_and_what_was_found_before_stands() {
        let (validator, log) = (validator(), log(1000));
        for threads in [1, 2, 8] {
            let panics = |work: &Work| {
                assert!(work.sequence != 20, "by design, for the test");
            };
            let mut rows = Vec::new();
            let inputs = vec![input("log", &log), input("other", &log)];
            let finished = run_disturbed(&validator, inputs, threads, panics, &mut rows);
            assert!(!finished.report.complete);
            let [Error::Worker { input, offset }] = &finished.errors[..] else {
                panic!("{:?}", finished.errors);
            };
            assert_eq!(input, "log");
            // Rows, lines and tokens are all those before the block that was lost.
            let lines = memchr::memchr_iter(b'\n', &log[..usize::try_from(*offset).unwrap()]);
            let lines = lines.count() as u64;
            assert_eq!(finished.report.inputs[0].lines, lines);
            assert_eq!(finished.report.tally.tokens.rejected, lines);
            assert_eq!(memchr::memchr_iter(b'\n', &rows).count() as u64, lines);
        }
    }

    #[test]
    fn outcomes_that_come_out_of_order_are_put_in_order() {
        let (validator, log) = (validator(), log(2000));
        let run = |threads, before: &(dyn Fn(&Work) + Sync)| {
            let mut rows = Vec::new();
            let inputs = vec![input("log", &log)];
            let finished = run_disturbed(&validator, inputs, threads, before, &mut rows);
            assert!(finished.report.complete);
            rows
        };
        let in_order = run(1, &|_| ());
        let dawdle = |work: &Work| {
            let pause = 300 * (work.sequence * 7 % 5);
            std::thread::sleep(Duration::from_micros(pause));
        };
        assert!(run(4, &dawdle) == in_order);
    }

    #[test]
    fn a_file_in_sections_gives_what_a_stream_gives() {
        let policy = Policy::new();
        let mut keys = KeySet::new();
        keys.add_secret(b"secret", "test").unwrap();
        let validator = Validator::new(policy.max_token_bytes(300).unwrap(), keys).unwrap();
        // Short lines by the ten thousand, blank ones, long ones and one too long for any block.
        let mut log = b"\xef\xbb\xbfa.b.c\r\n".to_vec();
        log.extend(b"x\n".repeat(3 * MAX_LINES + 1));
        log.extend(b"\n \t\n".repeat(1000));
        for length in 280..320 {
            log.extend(b"  ".iter().chain(&b"y".repeat(length)).chain(b"\r\n"));
        }
        log.extend(b"z".repeat(200_000));
        log.extend(b"\n.\n..\n...\nend");
        let logs = ["", "\n", "\r", "a", "\u{feff}", "\u{feff}\n", "\u{feff}a"].map(str::as_bytes);
        // More lines than are judged at a time, before anything that is told of: work that goes
        // around again comes after work that follows it.
        let late = [b"\n".repeat(MAX_LINES + 1000), b"x\n".repeat(300_000)].concat();
        for log in logs.into_iter().chain([&log[..], &late]) {
            file_and_stream_agree(&validator, log);
        }
    }

    fn file_and_stream_agree(validator: &Validator, log: &[u8]) {
        let path = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(path.path(), log).unwrap();

        let run = |from_file: bool, threads, block_bytes| {
            let input = if from_file {
                Input::Path(path.path().to_owned())
            } else {
                input("log", log)
            };
            let mut rows = Vec::new();
            let sink = RowSink {
                out: &mut rows,
                options: RowOptions::default(),
            };
            let watch = Watch {
                stop: &NEVER,
                progress: &mut |_| (),
            };
            let options = RunOptions {
                threads,
                block_bytes,
                ..options()
            };
            let inputs = vec![input];
            let report = run(validator, inputs, &options, Some(sink), watch).report;
            assert!(report.complete);
            let input = &report.inputs[0];
            let tally = &report.tally;
            let counts = (tally.tokens, tally.blank_lines, tally.samples.clone());
            (rows, input.lines, input.bytes, counts)
        };
        let expected = run(false, 1, 1 << 20);
        let ends = memchr::memchr_iter(b'\n', log).count() as u64;
        let marked = log.strip_prefix(b"\xef\xbb\xbf").unwrap_or(log);
        let last = u64::from(marked.last().is_some_and(|byte| *byte != b'\n'));
        assert_eq!(expected.1, ends + last);
        if expected.1 > 0 {
            assert_eq!(expected.2, log.len() as u64);
        }
        for threads in [1, 2, 8] {
            for block_bytes in [50, 1000, 4096, 1 << 20] {
                for from_file in [false, true] {
                    let found = run(from_file, threads, block_bytes);
                    assert!(found == expected, "{threads} {block_bytes} {from_file}");
                }
            }
        }
    }

    /// Kills the worker that drops it, once: outside the guard of a block, taking its block along.
    struct Bomb<'a>(&'a AtomicBool);

    impl Drop for Bomb<'_> {
        fn drop(&mut self) {
            assert!(
                !is_worker() || self.0.swap(true, Ordering::SeqCst),
                "by design, for the test"
            );
        }
    }

    fn is_worker() -> bool {
        std::thread::current()
            .name()
            .is_some_and(|name| name.starts_with("jotmill-"))
    }

    #[test]
    fn losing_a_worker_is_an_error_and_never_the_end_of_the_input() {
        let (validator, log) = (validator(), log(100_000));
        let has_exploded = AtomicBool::new(false);
        let new_judge = || {
            let bomb = Bomb(&has_exploded);
            let mut worker = Worker::new(&validator, None, &options(), &NEVER);
            move |work: &mut Work| {
                let _held = &bomb;
                // The guard of the block answers a panic with a new judge, and drops this one.
                assert!(!is_worker(), "by design, for the test");
                worker.work(work);
            }
        };
        let options = RunOptions {
            threads: 3,
            block_bytes: 100,
            ..options()
        };
        let stop = AtomicBool::new(false);
        let watch = Watch {
            stop: &stop,
            progress: &mut |_| (),
        };
        let inputs = vec![input("log", &log)];
        let finished = run_with(&new_judge, &validator, inputs, &options, None, watch);
        assert!(has_exploded.load(Ordering::SeqCst));
        assert!(!finished.report.complete);
        assert!(!finished.errors.is_empty());
    }

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn rows_that_cannot_be_written_end_the_run() {
        let (validator, log) = (validator(), log(10_000));
        for (kind, is_broken_pipe) in [
            (io::ErrorKind::BrokenPipe, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let mut out = Broken(kind);
            let sink = RowSink {
                out: &mut out,
                options: RowOptions::default(),
            };
            let stop = AtomicBool::new(false);
            let watch = Watch {
                stop: &stop,
                progress: &mut |_| (),
            };
            let options = RunOptions {
                threads: 2,
                block_bytes: 100,
                ..options()
            };
            let inputs = vec![input("log", &log)];
            let finished = run(&validator, inputs, &options, Some(sink), watch);
            assert!(!finished.report.complete);
            assert_eq!(finished.errors.len(), 1);
            assert_eq!(finished.errors[0].is_broken_pipe(), is_broken_pipe);
        }
    }

    #[test]
    fn a_run_that_is_stopped_reports_a_beginning() {
        let (validator, log) = (validator(), log(100_000));
        for threads in [1, 2, 8] {
            let stop = AtomicBool::new(false);
            let mut rows = Vec::new();
            let sink = RowSink {
                out: &mut rows,
                options: RowOptions::default(),
            };
            let mut progress = |progress: Progress| {
                stop.store(progress.tokens > 5000, Ordering::SeqCst);
            };
            let watch = Watch {
                stop: &stop,
                progress: &mut progress,
            };
            let options = RunOptions {
                threads,
                block_bytes: 1000,
                ..options()
            };
            let inputs = vec![input("log", &log)];
            let finished = run(&validator, inputs, &options, Some(sink), watch);
            assert!(finished.stopped && !finished.report.complete);
            let tokens = finished.report.tally.tokens.total();
            assert!((5000..100_000).contains(&tokens), "{tokens}");
            assert_eq!(finished.report.inputs[0].lines, tokens);
            assert_eq!(memchr::memchr_iter(b'\n', &rows).count() as u64, tokens);
        }
    }
}
