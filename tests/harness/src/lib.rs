//! Runs jotmill through its public API beside the oracle, and fails where the two differ.
//!
//! [`judges`] compares the validator, a run and the oracle on one line; [`fuzz_bodies`] is what the
//! fuzz targets execute, over any bytes. The oracle itself is in `jotmill-test-support`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken assumption of a test should stop the test"
)]

pub mod fuzz_bodies;
pub mod judges;

use jotmill_test_support::{oracle, token_maker};
