//! The tests that see jotmill from outside, as one program.
//!
//! `oracle` judges tokens a second time without any code of the library, `hostile` makes lines to
//! judge, and `differential` holds the library against the oracle.

#![allow(
    clippy::expect_used,
    reason = "a broken assumption of a test should stop the test"
)]

mod cli;
mod dataset;
mod differential;
mod ground_truth;
mod hostile;
mod oracle;
mod reach;
mod samples;
