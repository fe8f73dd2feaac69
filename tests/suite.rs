//! The tests that see jotmill through its public API, as one program.
//!
//! `differential` and `judges` compare the library with the oracle, `ground_truth` with the
//! generator, `vectors` and `public_keys` with signatures of others, `kernels` every way of running
//! with every other; `many_keys` has key sets of thousands, `reasons` a case for every code,
//! `issuers` several issuers in one run, `logs` the labelled corpus of logs, `anchors` chains of certificates in tokens, `security` a case for every known bug of this class of
//! software, and `service` rotates keys under load. `fuzz_seeds` runs the bodies of the fuzz
//! targets. The command line has its own tests in `cli/`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken assumption of a test should stop the test"
)]

mod anchors;
mod certificates;
mod claim_rules;
mod dataset;
mod der;
mod differential;
mod fuzz_seeds;
mod ground_truth;
mod issuers;
mod kernels;
mod logs;
mod many_keys;
mod pss_keys;
mod public_keys;
mod reach;
mod reasons;
mod samples;
mod security;
mod service;
mod vectors;

use std::path::Path;

use jotmill_test_harness::{fuzz_bodies, judges};
use jotmill_test_support::{hostile, oracle, payloads, token_maker};

/// The top of the repository.
fn root() -> &'static Path {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ is in the repository")
}
