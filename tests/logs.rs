//! Logs, as they are: the labelled corpus of the generator, read as text.
//!
//! Every token of the ground truth is found at its place and none besides, and is judged as the truth
//! says, at the time of its use and at the instant of the run; the same however the log is read.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jotmill::{
    Input, InputForm, LogZone, RowOptions, RowSink, RunOptions, TimeReader, UnixTime, Validator,
    Watch, run,
};
use jotmill_datasets::{LogCounts, LogFormat, LogSpec, Logs, Spec};
use serde_json::Value;

use crate::ground_truth;

/// A log, the truth about its tokens by their offsets, and what else it holds.
struct Log {
    format: LogFormat,
    text: Vec<u8>,
    truth: BTreeMap<u64, Value>,
    counts: LogCounts,
}

fn corpus(records: u64, seed: u64) -> (Validator, UnixTime, Vec<Log>) {
    let spec = LogSpec {
        records,
        tokens: Spec {
            seed,
            keys: 5,
            ..Spec::default()
        },
        ..LogSpec::default()
    };
    let corpus = Logs::new(spec, &|_| ()).expect("a corpus");
    let log = |file: jotmill_datasets::LogFile<'_>| {
        let (mut text, mut truth) = (Vec::new(), Vec::new());
        let format = file.format();
        let counts = (file.write(format.file(), &mut text, &mut truth, |_| ())).expect("in memory");
        let truth = String::from_utf8(truth).expect("UTF-8");
        let row = |line: &str| {
            let row: Value = serde_json::from_str(line).expect("JSON");
            (row["offset"].as_u64().expect("an offset"), row)
        };
        Log {
            format,
            text,
            truth: truth.lines().map(row).collect(),
            counts,
        }
    };
    let validator = ground_truth::validator(corpus.dataset());
    let now = ground_truth::now(corpus.dataset());
    (
        validator,
        now,
        corpus.files().into_iter().map(log).collect(),
    )
}

/// The rows and the report of a run over one input, as text and without the elapsed time.
fn audit(validator: &Validator, input: Input<'_>, options: &RunOptions) -> (String, String) {
    let (mut rows, mut report) = (Vec::new(), Vec::new());
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let sink = RowSink {
        out: &mut rows,
        options: RowOptions {
            show_tokens: true,
            ..RowOptions::default()
        },
    };
    let mut finished = run(validator, vec![input], options, Some(sink), watch);
    assert!(finished.report.complete);
    finished.report.elapsed = Duration::ZERO;
    finished.report.write_json(&mut report).expect("in memory");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(rows), text(report))
}

fn options(now: UnixTime) -> RunOptions {
    let times = TimeReader::new(None, LogZone::UTC, now);
    RunOptions::new(now)
        .form(InputForm::Text)
        .times(Some(times))
}

fn bytes(text: &[u8]) -> Input<'_> {
    Input::Bytes {
        name: "log".to_owned(),
        bytes: text,
    }
}

/// What is written at a place, without its escapes.
fn unescaped(written: &[u8]) -> String {
    let text = String::from_utf8(written.to_vec()).expect("a token is ASCII");
    let text = text
        .replace("%2E", ".")
        .replace("%2e", ".")
        .replace("%3D", "=");
    text.replace("\\u002e", ".").replace("\\u002E", ".")
}

/// Instants are compared without the zeros at the end of their fractions.
fn instant(text: &Value) -> String {
    let text = text.as_str().expect("an instant").trim_end_matches('Z');
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}

#[test]
fn every_token_of_a_log_is_found_at_its_place_and_judged_at_its_time() {
    for seed in [1, 2] {
        let (validator, now, logs) = corpus(6000, seed);
        for log in &logs {
            let name = log.format.file();
            let (rows, report) = audit(&validator, bytes(&log.text), &options(now));
            assert_eq!(rows.lines().count(), log.truth.len(), "{name}");
            // A reader of lines sees neither the column nor the record that these times are in.
            let has_times = !matches!(log.format, LogFormat::Csv | LogFormat::Har);
            for row in rows.lines() {
                let row: Value = serde_json::from_str(row).expect("JSON");
                let offset = row["offset"].as_u64().expect("an offset");
                let truth = log.truth.get(&offset);
                let truth = truth.unwrap_or_else(|| panic!("{name} has no token there: {row}"));
                let length = row["length"].as_u64().expect("a length");
                let written = usize::try_from(offset).expect("a place")..;
                let written = &log.text[written][..usize::try_from(length).expect("a length")];
                assert_eq!(row["token"].as_str(), Some(&*unescaped(written)), "{name}");
                for member in ["line", "length", "verdict_now"] {
                    assert_eq!(row[member], truth[member], "{member}: {name} {row} {truth}");
                }
                if has_times {
                    assert_eq!(instant(&row["at"]), instant(&truth["at"]), "{name} {row}");
                    assert_eq!(row["verdict"], truth["verdict"], "{name} {row} {truth}");
                    let reasons = row
                        .get("reasons")
                        .cloned()
                        .unwrap_or_else(|| Value::Array(vec![]));
                    assert_eq!(reasons, truth["reasons"], "{name} {row} {truth}");
                }
            }
            let report: Value = serde_json::from_str(&report).expect("JSON");
            let input = &report["inputs"][0];
            let count = |member| input.get(member).map_or(Some(0), Value::as_u64);
            assert_eq!(count("tokens"), Some(log.counts.tokens), "{name}");
            assert_eq!(count("cut_tokens"), Some(log.counts.cut), "{name}");
            assert_eq!(
                count("other_credentials"),
                Some(log.counts.credentials),
                "{name}"
            );
        }
    }
}

/// The first place where two texts differ, with what is there.
fn difference(one: &(String, String), other: &(String, String)) -> Option<String> {
    let lines = |texts: &(String, String)| -> Vec<String> {
        let both = texts.0.lines().chain(texts.1.lines());
        both.map(str::to_owned).collect()
    };
    let (one, other) = (lines(one), lines(other));
    let differing = one.iter().zip(&other).find(|(one, other)| one != other);
    match differing {
        Some((one, other)) => Some(format!("{one}\n{other}")),
        None if one.len() != other.len() => Some(format!("{} {}", one.len(), other.len())),
        None => None,
    }
}

/// Gives so many bytes at a time.
struct Drip<'t>(&'t [u8], usize);

impl Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(self.1).min(buffer.len());
        let (head, rest) = self.0.split_at(count);
        buffer[..count].copy_from_slice(head);
        self.0 = rest;
        Ok(count)
    }
}

#[test]
fn a_log_has_the_same_rows_and_report_however_it_is_read() {
    let (validator, now, logs) = corpus(1200, 3);
    let mut text: Vec<u8> = logs.iter().flat_map(|log| log.text.clone()).collect();
    // Ten thousand tokens on one line, which is more than a batch has, and no line end behind them.
    let token = "eyJhbGciOiJIUzI1NiJ9.e30.AA";
    text.extend_from_slice(
        format!(
            "\n2026-09-01T00:00:00Z {}",
            format!("{token},").repeat(10_000)
        )
        .as_bytes(),
    );
    let expected = audit(&validator, bytes(&text), &options(now));
    assert_eq!(expected.0.lines().count(), 10_600);
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(&text).expect("room");
    // The name of a file is part of the report.
    let name = "log".to_owned();
    let same_name = |report: String| {
        let path = serde_json::to_string(&file.path().to_string_lossy()).expect("JSON");
        report.replace(&path, "\"log\"")
    };
    for threads in [1, 2, 8] {
        for block in [1, 4096, 1 << 20] {
            let mut options = options(now).threads(threads).block_bytes(block);
            if block == 1 && threads > 1 {
                // Enough for one size that no line fits in.
                options = options.cache_bytes(0);
            }
            let path = Input::Path(file.path().to_owned());
            let (rows, report) = audit(&validator, path, &options);
            let found = (rows, same_name(report));
            assert_eq!(
                difference(&found, &expected),
                None,
                "{threads} {block} file"
            );
            let found = audit(&validator, bytes(&text), &options);
            assert_eq!(difference(&found, &expected), None, "{threads} {block}");
            for drip in [7, 5000] {
                let reader = Box::new(Drip(&text, drip));
                let name = name.clone();
                let reader = Input::Reader { name, reader };
                let found = audit(&validator, reader, &options);
                assert_eq!(
                    difference(&found, &expected),
                    None,
                    "{threads} {block} {drip}"
                );
            }
        }
    }
}

/// A token may be this long here; a line of more than this and 64 KiB is searched in pieces.
const LIMIT: usize = 2000;

#[test]
fn no_token_is_lost_where_a_long_line_is_cut() {
    let (validator, now, _) = corpus(24, 4);
    let policy = validator
        .policy()
        .clone()
        .max_token_bytes(LIMIT)
        .expect("a limit");
    let validator = Validator::new(policy, validator.keys().clone()).expect("keys");
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{}.c2ln", "e30A".repeat(400));
    let piece = LIMIT + (64 << 10);
    for before in (piece - token.len() - 40..piece + 40).step_by(37) {
        // Words, or one run of what may be part of a token.
        for filling in [&b"word "[..], b"x"] {
            let mut text: Vec<u8> = filling.iter().copied().cycle().take(before).collect();
            text.extend_from_slice(format!(" {token} {token}\n{token}").as_bytes());
            let offsets = [
                before + 1,
                before + 2 + token.len(),
                before + 3 + 2 * token.len(),
            ];
            let (rows, report) = audit(&validator, bytes(&text), &options(now));
            let rows_of = |rows: &str| -> Vec<(u64, u64)> {
                let place = |row: &str| {
                    let row: Value = serde_json::from_str(row).expect("JSON");
                    let number = |member: &str| row[member].as_u64().expect("a number");
                    (number("line"), number("offset"))
                };
                rows.lines().map(place).collect()
            };
            let lines = [1, 1, 2];
            let expected: Vec<_> = (lines.into_iter())
                .zip(offsets.map(|offset| offset as u64))
                .collect();
            assert_eq!(rows_of(&rows), expected, "{before}");
            for drip in [1 << 12, 1 << 20] {
                let reader = Box::new(Drip(&text, drip));
                let name = "log".to_owned();
                let options = options(now).block_bytes(8192);
                let found = audit(&validator, Input::Reader { name, reader }, &options);
                let expected = (rows.clone(), report.clone());
                assert_eq!(difference(&found, &expected), None, "{before} {drip}");
            }
        }
    }
}
