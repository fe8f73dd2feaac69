//! The tests that see jotmill from outside, as one program.
//!
//! `oracle` judges tokens a second time without any code of the library; `hostile` makes lines to
//! judge, `payloads` strategies of payloads, `token_maker` tokens to order. `differential` and
//! `judges` hold the library against the oracle, `ground_truth` against the generator, `vectors`
//! and `public_keys` against signatures of others, `kernels` every way of running against every
//! other; `many_keys` has key sets of thousands, `reasons` a case for every code, `issuers` several
//! issuers in one run, and `security` a case for every known bug of this class of software. `cli`
//! is the program as its user meets it, `policy` its policy files, `bench` its subcommand that
//! measures, `generate` the one that makes data sets.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken assumption of a test should stop the test"
)]

#[cfg(feature = "cli")]
mod bench;
#[path = "../fuzz/bodies.rs"]
mod bodies;
#[cfg(feature = "cli")]
mod cli;
mod dataset;
mod differential;
mod fuzz_seeds;
#[cfg(feature = "cli")]
mod generate;
mod ground_truth;
mod hostile;
mod issuers;
mod judges;
mod kernels;
mod many_keys;
mod oracle;
mod payloads;
#[cfg(feature = "cli")]
mod policy;
mod public_keys;
mod reach;
mod reasons;
mod samples;
mod security;
mod token_maker;
mod vectors;
