use super::*;
use crate::key::KeySet;
use crate::policy::Policy;
use crate::time::UnixTime;
use std::io;
use std::sync::atomic::Ordering;

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

/// Runs in small blocks, with a judge that calls `before` first.
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
fn a_panicking_worker_ends_the_run_and_keeps_earlier_results() {
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
        // Rows, lines and tokens are those before the lost block.
        let lines = memchr::memchr_iter(b'\n', &log[..usize::try_from(*offset).unwrap()]);
        let lines = lines.count() as u64;
        assert_eq!(finished.report.inputs[0].lines, lines);
        assert_eq!(finished.report.tally.tokens.rejected, lines);
        assert_eq!(memchr::memchr_iter(b'\n', &rows).count() as u64, lines);
    }
}

#[test]
fn outcomes_that_arrive_out_of_order_are_put_in_order() {
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
fn a_file_in_sections_and_a_stream_give_the_same() {
    let policy = Policy::new();
    let mut keys = KeySet::new();
    keys.add_secret(b"secret", "test").unwrap();
    let validator = Validator::new(policy.max_token_bytes(300).unwrap(), keys).unwrap();
    // Tens of thousands of short lines, blank ones, long ones and one too long for any block.
    let mut log = b"\xef\xbb\xbfa.b.c\r\n".to_vec();
    log.extend(b"x\n".repeat(3 * MAX_LINES as usize + 1));
    log.extend(b"\n \t\n".repeat(1000));
    for length in 280..320 {
        log.extend(b"  ".iter().chain(&b"y".repeat(length)).chain(b"\r\n"));
    }
    log.extend(b"z".repeat(200_000));
    log.extend(b"\n.\n..\n...\nend");
    let logs = ["", "\n", "\r", "a", "\u{feff}", "\u{feff}\n", "\u{feff}a"].map(str::as_bytes);
    // More blank lines than a worker takes at a time: the piece is sent again, and finished after
    // the pieces that follow it.
    let late = [
        b"\n".repeat(MAX_LINES as usize + 1000),
        b"x\n".repeat(300_000),
    ]
    .concat();
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

/// Panics once when dropped, outside the guard of a block, so that the worker and its block are
/// lost.
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
            // After a panic the guard replaces the judge, and drops this one.
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
fn a_stopped_run_reports_the_lines_before() {
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
