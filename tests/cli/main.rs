//! The command line, run as its user runs it.
//!
//! `program` has exit codes, messages and signals, `outputs` where results go, `redaction` what is
//! never shown, `key_forms` key files of every form, `policy` policy files, `bench` the subcommand that
//! measures, `generate` the one that makes data sets, `logs` its logs, `rules` what a policy expects
//! beyond the registered claims, `findings` what a report says of tokens beyond their verdicts,
//! `compressed` compressed inputs and UTF-16, `folders` folders and lists of files, `pasted` what
//! `inspect` finds in a text, `sample` samples of tokens.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a broken assumption of a test should stop the test"
)]

mod anchors;
mod bench;
mod compressed;
mod findings;
mod folders;
mod generate;
mod key_forms;
mod logs;
mod outputs;
mod pasted;
mod policy;
mod program;
mod redaction;
mod rules;
mod sample;

use jotmill_test_support::token_maker;
