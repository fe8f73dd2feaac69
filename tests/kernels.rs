//! Kernels, threads, block sizes, files and cache sizes change no byte of rows and reports: every
//! kernel that this processor has, over data sets of every shape.
//!
//! The first run is compared with the validator, which judges one token at a time and computes no
//! MAC in lanes; every other run is compared with the first.

use std::io::Write;

use jotmill::{DEFAULT_BLOCK_BYTES, Input, Kernel, Key, RunOptions, UnixTime, Validator};
use jotmill_datasets::{Algorithm, Dataset, Defect, KeyForm, Share, Spec};
use serde_json::Value;

use crate::ground_truth;
use crate::judges::{Output, output};

/// Sizes of blocks: a token or two, too few to fill the lanes, some lanes full, most of a log, all
/// of it. Five sizes, so that cycles of two and three meet all of them.
const BLOCKS: [usize; 5] = [600, 5_000, 30_000, 1 << 16, DEFAULT_BLOCK_BYTES];
/// Sizes of the cache of repeated tokens: none, tiny, and the default.
const CACHES: [usize; 3] = [0, 64 << 10, 16 << 20];

/// A log as a stream and as a regular file, under one name.
struct Log {
    bytes: Vec<u8>,
    file: tempfile::NamedTempFile,
}

impl Log {
    fn new(bytes: Vec<u8>) -> Self {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(&bytes).expect("written");
        Self { bytes, file }
    }

    fn stream(&self) -> Input<'_> {
        Input::Reader {
            name: self.file.path().display().to_string(),
            reader: Box::new(&self.bytes[..]),
        }
    }

    fn file(&self) -> Input<'static> {
        Input::Path(self.file.path().to_owned())
    }
}

/// Runs over a data set in every way, and expects the same result.
fn every_way_gives_the_same_output(spec: Spec) {
    let dataset = Dataset::new(spec).expect("a data set");
    let validator = ground_truth::validator(&dataset);
    let now = ground_truth::now(&dataset);
    let log = Log::new(dataset.buffer());
    let mut first = None;
    let mut kernels = Vec::new();
    for kernel in Kernel::available() {
        kernels.push(kernel.name());
        let mut blocks = BLOCKS.into_iter().cycle();
        for threads in [1, 2, 8] {
            for cache_bytes in CACHES {
                for input in [log.stream(), log.file()] {
                    let block_bytes = blocks.next().unwrap_or(DEFAULT_BLOCK_BYTES);
                    let way = format!(
                        "{}, {threads} threads, blocks of {block_bytes}, {cache_bytes} for \
                         repeats, file: {}",
                        kernel.name(),
                        matches!(input, Input::Path(_)),
                    );
                    let options = (RunOptions::new(now).threads(threads))
                        .block_bytes(block_bytes)
                        .kernel(kernel)
                        .cache_bytes(cache_bytes)
                        .distinct(true);
                    let (output, repeated) = output(&validator, input, &options);
                    assert!(cache_bytes > 0 || repeated == 0, "{way}");
                    let first = first.get_or_insert_with(|| {
                        check_against_the_validator(&validator, now, &log.bytes, &output);
                        output.clone()
                    });
                    assert!(output.rows == first.rows, "rows: {way}");
                    assert_eq!(output.report, first.report, "{way}");
                }
            }
        }
    }
    assert!(kernels.contains(&"portable"), "{kernels:?}");
}

/// Compares each token's row with the validator's codes and key, and the report with the counts.
fn check_against_the_validator(validator: &Validator, now: UnixTime, log: &[u8], output: &Output) {
    let mut rows = output.rows.lines();
    let (mut valid, mut rejected) = (0, 0);
    for token in log.split(|byte| *byte == b'\n').filter(|it| !it.is_empty()) {
        let row = rows.next().expect("a row a token");
        let row: Value = serde_json::from_str(row).expect("a row is JSON");
        if row.get("length").is_some() {
            // The limit applies to the line, not to the token.
            rejected += 1;
            continue;
        }
        let verdict = validator.validate_at(token, now);
        let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
        let found = row.get("reasons").cloned().unwrap_or(Value::Array(vec![]));
        assert_eq!(found, Value::from(codes), "{row}");
        let key = verdict.key.and_then(|key| validator.keys().get(key));
        assert_eq!(row["key"].as_str(), key.map(Key::name), "{row}");
        *(if verdict.is_valid() {
            &mut valid
        } else {
            &mut rejected
        }) += 1;
    }
    assert_eq!(rows.next(), None, "no row without a token");
    let report: Value = serde_json::from_str(&output.report).expect("the report is JSON");
    assert_eq!(
        (&report["valid"], &report["rejected"]),
        (&valid.into(), &rejected.into())
    );
}

fn hmac(algorithms: &[Algorithm]) -> Spec {
    Spec {
        count: 600,
        algorithms: algorithms.to_vec(),
        ..Spec::default()
    }
}

/// Every defect but these, in three tokens of four.
fn defects_but(left_out: &[Defect]) -> Vec<(Defect, Share)> {
    let kept = Defect::OF_ONE_ISSUER
        .iter()
        .filter(|it| !left_out.contains(it));
    let kept: Vec<Defect> = kept.copied().collect();
    let each = 750_000 / u32::try_from(kept.len()).expect("a few");
    let share = Share::from_millionths(each).expect("a share");
    kept.into_iter().map(|defect| (defect, share)).collect()
}

#[test]
fn one_algorithm_alone() {
    for algorithm in Algorithm::HMAC {
        every_way_gives_the_same_output(hmac(&[algorithm]));
    }
}

#[test]
fn algorithms_mixed_with_every_defect() {
    every_way_gives_the_same_output(Spec {
        count: 1_000,
        keys: 9,
        // With all three of them there is none that is not allowed.
        defects: defects_but(&[Defect::AlgNotAllowed]),
        ..hmac(&Algorithm::HMAC)
    });
}

#[test]
fn repeated_tokens_valid_and_rejected() {
    for repeat in [2, 50] {
        every_way_gives_the_same_output(Spec {
            repeat,
            defects: defects_but(&[]),
            ..hmac(&[Algorithm::Hs256, Algorithm::Hs512])
        });
    }
}

#[test]
fn valid_tokens_that_are_unusual() {
    every_way_gives_the_same_output(Spec {
        edges: Share::ALL,
        leeway: 30,
        ..hmac(&Algorithm::HMAC)
    });
}

#[test]
fn tokens_without_a_kid_for_which_many_keys_are_tried() {
    every_way_gives_the_same_output(Spec {
        count: 300,
        keys: 60,
        without_kid: Share::ALL,
        defects: defects_but(&[Defect::AlgNotAllowed, Defect::TooManyKeys]),
        ..hmac(&Algorithm::HMAC)
    });
    every_way_gives_the_same_output(Spec {
        count: 300,
        keys: 25,
        keys_without_id: 25,
        ..hmac(&[Algorithm::Hs256])
    });
}

#[test]
fn more_keys_than_tokens() {
    every_way_gives_the_same_output(Spec {
        keys: 1_000,
        ..hmac(&Algorithm::HMAC)
    });
}

#[test]
fn tokens_of_one_size_from_three_blocks_of_the_hash_to_hundreds() {
    // 85 bytes is the least that an issuer and an audience leave. With 16,000 there are more blocks
    // than lanes sort by counting.
    for (payload, count) in [(85, 600), (220, 600), (2_000, 100), (16_000, 20)] {
        every_way_gives_the_same_output(Spec {
            count,
            shape: format!("bench:{payload}").parse().expect("a shape"),
            ..hmac(&Algorithm::HMAC)
        });
    }
}

#[test]
fn public_keys_among_secrets() {
    let algorithms = [
        Algorithm::Hs256,
        Algorithm::Es256,
        Algorithm::Hs384,
        Algorithm::Ed25519,
    ];
    every_way_gives_the_same_output(Spec {
        count: 120,
        algorithms: algorithms.to_vec(),
        keys: 8,
        key_forms: vec![KeyForm::Jwk, KeyForm::X5cJwk],
        repeat: 2,
        defects: defects_but(&[]),
        ..Spec::default()
    });
}
