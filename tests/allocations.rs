//! Bulk validation allocates nothing per token. This is a program of its own, because the counting
//! allocator applies to a whole program. A single call is counted for its thread alone, and allocates
//! nothing.

#![allow(
    clippy::expect_used,
    unsafe_code,
    reason = "a global allocator is unsafe to implement; a broken assumption should stop the test"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jotmill::{
    DEFAULT_BLOCK_BYTES, Input, Judge, KeySet, Policy, RowOptions, RowSink, RunOptions, UnixTime,
    Validator, Watch, run,
};
use jotmill_datasets as dataset;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Those of this thread. It has no destructor, so that an allocator may use it at any time.
    static OWN_ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
    OWN_ALLOCATIONS.set(OWN_ALLOCATIONS.get() + 1);
}

/// The system's allocator, which counts its calls.
struct Counting;

// SAFETY: every call is passed to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps the contract of this very method.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The options of a run.
#[derive(Clone, Copy, Debug)]
struct Way {
    threads: usize,
    rows: bool,
    /// The size of the cache of repeated tokens.
    cache_bytes: usize,
}

/// The allocations of a run over a log.
fn allocations(validator: &Validator, log: &[u8], way: Way) -> u64 {
    let inputs = vec![Input::Reader {
        name: "log".to_owned(),
        reader: Box::new(log),
    }];
    let options = RunOptions::new(now())
        .threads(way.threads)
        .cache_bytes(way.cache_bytes);
    let (stop, mut sink) = (AtomicBool::new(false), io::sink());
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let sink = way.rows.then(|| RowSink {
        out: &mut sink,
        options: RowOptions::default(),
    });
    let before = ALLOCATIONS.load(Ordering::SeqCst);
    let finished = run(validator, inputs, &options, sink, watch);
    let after = ALLOCATIONS.load(Ordering::SeqCst);
    assert!(finished.report.complete);
    assert!(finished.report.tally.tokens.total() > 0);
    after - before
}

/// The instant that data sets are generated for.
fn now() -> UnixTime {
    UnixTime::new(1_790_000_000, 0).expect("a time")
}

/// A validator for the keys of a data set, and its tokens.
fn data(spec: dataset::Spec) -> (Validator, Vec<u8>) {
    let made = dataset::Dataset::new(spec).expect("a data set");
    let mut tokens = Vec::new();
    made.write(&mut tokens, None, |_| ()).expect("in memory");
    let mut keys = KeySet::new();
    keys.add_key(made.jwks().as_bytes(), "keys.json")
        .expect("usable keys");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    (validator, tokens)
}

/// Held by the test that counts, since it would count the others as well.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn judging_a_token_allocates_nothing_after_the_first_blocks() {
    let _turn = TURN.lock();
    let plain = dataset::Spec {
        count: 10_000,
        ..dataset::Spec::default()
    };
    let defects = "expired=5%,signature-mismatch=5%,payload-json=2%,segment-count=2%";
    let mixed = dataset::Spec {
        defects: dataset::Spec::parse_defects(defects).expect("shares"),
        ..plain.clone()
    };
    for (name, spec) in [("valid", plain), ("mixed", mixed)] {
        let (validator, log) = data(spec);
        for rows in [false, true] {
            let way = Way {
                threads: 1,
                rows,
                // Tokens that are cached take memory, up to its bound.
                cache_bytes: 0,
            };
            let (few_times, many_times) = (log.repeat(10), log.repeat(40));
            let few = allocations(&validator, &few_times, way);
            let many = allocations(&validator, &many_times, way);
            // Nothing per token. A block of some hundred tokens may allocate a little, for its rows
            // and for new names.
            let blocks = (30 * log.len() / DEFAULT_BLOCK_BYTES) as u64;
            let allowed = if rows || name == "mixed" {
                4 * blocks
            } else {
                8
            };
            let more = many.saturating_sub(few);
            assert!(
                more <= allowed,
                "{name}, rows {rows}: {more} for 300,000 tokens more"
            );
            // The system schedules when each of several threads takes its first blocks, so the
            // bound covers their whole lives: each warms up like a single one.
            for threads in [2, 4] {
                let all = allocations(&validator, &many_times, Way { threads, ..way });
                let allowed = threads as u64 * (few + 100) + allowed;
                assert!(
                    all <= allowed,
                    "{name}, rows {rows}, {threads} threads: {all} for 400,000 tokens"
                );
            }
        }
    }
}

#[test]
fn tokens_that_occur_once_are_not_cached() {
    let _turn = TURN.lock();
    let (validator, log) = data(dataset::Spec {
        count: 200_000,
        // Some unusual tokens have a header of their own, which is cached.
        edges: "0%".parse().expect("a share"),
        ..dataset::Spec::default()
    });
    for threads in [1, 2] {
        let way = Way {
            threads,
            rows: false,
            cache_bytes: RunOptions::new(now()).cache_bytes,
        };
        // To the end of a line; all lines have about the same length.
        let end = log[..log.len() / 4].iter().rposition(|byte| *byte == b'\n');
        let few = allocations(&validator, &log[..=end.expect("a line")], way);
        let all = allocations(&validator, &log, way);
        let more = all.saturating_sub(threads as u64 * few);
        assert!(more <= 100, "{way:?}: {more} for 150,000 tokens more");
    }
}

/// What a piece of work takes from the heap on this thread.
fn own_allocations(work: impl FnOnce()) -> u64 {
    let before = OWN_ALLOCATIONS.get();
    work();
    OWN_ALLOCATIONS.get() - before
}

#[test]
fn a_call_for_one_token_allocates_nothing_and_one_for_many_its_result() {
    let _turn = TURN.lock();
    let defects = "expired=5%,signature-mismatch=5%,payload-json=2%,segment-count=2%";
    let (validator, log) = data(dataset::Spec {
        count: 8000,
        defects: dataset::Spec::parse_defects(defects).expect("shares"),
        // Some unusual tokens have a header of their own, which is cached.
        edges: "0%".parse().expect("a share"),
        ..dataset::Spec::default()
    });
    let tokens: Vec<&[u8]> = log.split(|byte| *byte == b'\n').collect();
    let (first, others) = tokens.split_at(tokens.len() / 2);

    let validate = |tokens: &[&[u8]]| {
        let valid = tokens
            .iter()
            .filter(|it| validator.validate_at(it, now()).is_valid());
        assert!(valid.count() > tokens.len() / 2);
    };
    validate(first);
    assert_eq!(own_allocations(|| validate(others)), 0, "a validator");

    let mut judge = Judge::new(&validator).expect("a kernel");
    let mut validate = |tokens: &[&[u8]]| {
        let mut valid = 0;
        for token in tokens {
            valid += usize::from(judge.validate_at(token, now()).is_valid());
            valid += usize::from(judge.payload_at(token, now()).is_ok());
        }
        assert!(valid > tokens.len());
    };
    validate(first);
    assert_eq!(own_allocations(|| validate(others)), 0, "a judge");
    // These are in its cache by now.
    validate(others);
    assert_eq!(own_allocations(|| validate(others)), 0, "cached");

    let mut judge = Judge::new(&validator).expect("a kernel");
    let mut validate = |tokens: &[&[u8]]| {
        let verdicts = judge.validate_all_at(tokens, now());
        assert!(verdicts.iter().filter(|it| it.is_valid()).count() > tokens.len() / 2);
    };
    validate(first);
    assert_eq!(own_allocations(|| validate(others)), 1, "a slice");
}
