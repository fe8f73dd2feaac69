//! A run: inputs are read, validated on several threads, and reported in order.
//!
//! The thread that calls [`run`] sends work into a bounded channel ([`feeder`]): a block of a
//! stream, lines of a text in memory, or a section of a regular file, which the worker reads
//! itself. Rayon workers validate it ([`worker`]). The calling thread takes the outcomes back, puts
//! them in order, counts them, writes their rows and reuses their buffers ([`aggregator`]). When it
//! has nothing to send, it validates too, so `threads` counts all threads, and one thread is the
//! same loop without workers. Memory is bounded, since the number of pieces in flight is fixed.
//!
//! A worker takes at most [`MAX_LINES`] lines of a piece at a time; a piece with more of them is
//! sent to the workers again.
//!
//! No failure looks like the end of the input: every way out of the loop says whether all lines
//! were validated.

mod aggregator;
mod feeder;
mod sampled;
mod worker;

use std::io::Write;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::{Duration, Instant};

use crossbeam::channel::bounded;

use aggregator::{Aggregator, Channels};
use feeder::Feeder;
use worker::{Work, Worker, WorkforceGuard, work_until_closed};

use crate::error::Error;
use crate::extract::{MAX_LINES, TimeReader};
use crate::input::{DEFAULT_BLOCK_BYTES, DEFAULT_MAX_WINDOW, Input, InputForm};
use crate::report::{Report, RowOptions};
use crate::signature::Kernel;
use crate::time::UnixTime;
use crate::validator::Validator;

/// How long to wait for an outcome before checking for a stop and for lost workers.
const PATIENCE: Duration = Duration::from_millis(50);
/// The smallest target for a piece of work, in bytes: [`MAX_LINES`] lines of two bytes.
const MIN_BYTES: usize = 2 * MAX_LINES as usize;
/// The target of the first piece, in bytes: small, so that the first results appear soon.
const FIRST_BYTES: usize = 64 << 10;
/// The largest target in bytes. With one more line of at most 1 GiB, offsets within a block fit in
/// 32 bits.
const MAX_BYTES: usize = 1 << 30;

/// The options of a run. Only the instants, the sample and how inputs are read affect verdicts, rows and counts.
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
    /// The number of threads, including the calling one; at least 1.
    pub threads: usize,
    /// The approximate size of a block in bytes; clamped to 1 byte and 1 GiB.
    pub block_bytes: usize,
    /// The kernel that computes MACs.
    pub kernel: Kernel,
    /// The size in bytes of the cache of repeated tokens, over all threads; each thread has at
    /// least 512 KiB. 0 disables the cache.
    pub cache_bytes: usize,
    /// Whether to estimate the number of distinct tokens.
    pub distinct: bool,
    /// Judges one token in this many, chosen by a hash of the token that is the same in every run;
    /// whoever writes tokens can choose them by it, too. Those that are too long are always judged.
    pub sample: Option<NonZero<u64>>,
    /// How tokens lie in the inputs.
    pub form: InputForm,
    /// In text: whether tokens in one more layer of base64 are found as well.
    pub decodes_base64: bool,
    /// In text: what reads the time of a line, at which its tokens are then judged. Without, and in a
    /// line without a time, a token is judged at `now`.
    pub times: Option<TimeReader>,
    /// The largest window of zstd and dictionary of xz, in bytes; for zstd rounded up to a power of
    /// two. An input that needs a larger one is an error. It bounds the memory for unpacking.
    pub max_window: u64,
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
            sample: None,
            form: InputForm::Tokens,
            decodes_base64: false,
            times: None,
            max_window: DEFAULT_MAX_WINDOW,
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

    /// Sets [`form`](Self#structfield.form).
    pub const fn form(mut self, form: InputForm) -> Self {
        self.form = form;
        self
    }

    /// Sets [`decodes_base64`](Self#structfield.decodes_base64).
    pub const fn decodes_base64(mut self, decodes: bool) -> Self {
        self.decodes_base64 = decodes;
        self
    }

    /// Sets [`times`](Self#structfield.times).
    pub fn times(mut self, times: Option<TimeReader>) -> Self {
        self.times = times;
        self
    }

    /// Sets [`distinct`](Self#structfield.distinct).
    pub const fn distinct(mut self, distinct: bool) -> Self {
        self.distinct = distinct;
        self
    }

    /// Sets [`sample`](Self#structfield.sample).
    pub const fn sample(mut self, one_in: Option<NonZero<u64>>) -> Self {
        self.sample = one_in;
        self
    }

    /// Sets [`max_window`](Self#structfield.max_window).
    pub const fn max_window(mut self, bytes: u64) -> Self {
        self.max_window = bytes;
        self
    }
}

/// Where rows are written, and how.
pub struct RowSink<'a> {
    /// The destination; flushed whenever the input is silent and at the end.
    pub out: &'a mut dyn Write,
    /// The options of the rows.
    pub options: RowOptions,
}

/// The progress of a run.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Tokens validated so far.
    pub tokens: u64,
    /// Tokens rejected so far.
    pub rejected: u64,
    /// Bytes of input so far; of compressed inputs, their compressed bytes.
    pub bytes: u64,
}

/// Watches a run, and can stop it.
pub struct Watch<'a> {
    /// Stops the run soon after it is set; the report then covers the lines before.
    pub stop: &'a AtomicBool,
    /// Called after each block.
    pub progress: &'a mut dyn FnMut(Progress),
}

/// The result of a run.
pub struct Finished {
    /// The counts: of all lines, or of those before the end of a run that is not complete.
    pub report: Report,
    /// Why lines were not validated or rows not written.
    pub errors: Vec<Error>,
    /// Whether it was stopped by [`Watch::stop`].
    pub stopped: bool,
    /// Hits in the cache of repeated tokens. They depend on the scheduling of the threads, so they
    /// are not part of the report.
    pub repeated: u64,
}

/// Validates every line of every input.
///
/// Rows and counts are the same for any number of threads and any size of blocks. An input that
/// cannot be opened or read is reported, and the others are still validated.
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
    // One thread needs one piece; with workers, enough that neither side waits for the other.
    let in_flight = if workers == 0 { 1 } else { 2 * (workers + 1) };
    let (to_workers, from_reader) = bounded::<Work<'_>>(in_flight);
    let (to_aggregator, from_workers) = bounded::<Work<'_>>(in_flight);
    let alive = AtomicUsize::new(workers);

    let channels = Channels {
        from_reader: from_reader.clone(),
        to_workers,
        from_workers,
    };
    let free = (0..in_flight).map(|_| Work::new(options)).collect();
    let mut aggregator = Aggregator::new(validator, &inputs, rows, watch, free, options);
    let mut feeder = Feeder::new(validator, inputs, options);
    if options.kernel.self_test().is_err() {
        aggregator.fail(Error::Kernel {
            kernel: options.kernel.name(),
        });
    } else if workers == 0 {
        aggregator.drive(channels, &mut feeder, new_judge, &alive, workers);
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
                        let _guard = WorkforceGuard(alive);
                        // A panic outside `work_guarded` counts as a lost worker; rayon would
                        // propagate it to the caller.
                        let life = || work_until_closed(new_judge, &from_reader, &to_aggregator);
                        let _ = catch_unwind(AssertUnwindSafe(life));
                    });
                }
                // Only the workers hold these ends, so the channel closes if all workers are lost.
                drop((from_reader, to_aggregator));
                aggregator.drive(channels, &mut feeder, new_judge, &alive, workers);
            }),
            Err(error) => aggregator.fail(Error::Threads {
                message: error.to_string(),
            }),
        }
    }
    aggregator.finish(started.elapsed())
}

#[cfg(test)]
mod tests;
