//! What the fuzz targets run. Everything below but this file is also part of jotmill's own tests:
//! `tests/fuzz_seeds.rs` runs the bodies on stable, over the seeds and mutations of them.

pub mod bodies;

#[path = "../tests/judges.rs"]
mod judges;
#[path = "../tests/oracle/mod.rs"]
mod oracle;
#[path = "../tests/token_maker.rs"]
mod token_maker;
