//! What jotmill is tested with, and nothing of jotmill.
//!
//! [`token_maker`] makes tokens to order and [`rfc_vectors`] has those of the RFCs; `payloads`
//! are random payloads for property tests; [`log_times`] finds times in logs a second time; `oracle`
//! judges a line a second time, by other crates and in another style, and `hostile` makes the lines
//! that both have to judge.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "a broken assumption of a test should stop the test"
)]

#[cfg(feature = "oracle")]
pub mod hostile;
pub mod log_times;
#[cfg(feature = "oracle")]
pub mod oracle;
#[cfg(feature = "payloads")]
pub mod payloads;
pub mod rfc_vectors;
pub mod rng;
pub mod token_maker;
