//! Bugs that validators of tokens have had, each as a test named for the behaviour that rules it
//! out here.
//!
//! Every line is judged by the validator, by a run and by the oracle, which must agree. More of keys
//! and their forms is in `public_keys.rs`; how much memory a run takes and which code
//! it exits with are tested elsewhere.

mod algorithms;
mod bulk;
mod claims;
mod encoding;
mod header;
mod keys;
mod public;
mod table;

use crate::judges::Judges;
use crate::oracle;
use crate::token_maker::{SECRET, encode};

/// The second against which times are judged.
const NOW: i64 = 1_790_000_000;

/// Expects nothing but a signature that holds and times that fit, and takes long lines.
fn plain() -> oracle::Policy {
    oracle::Policy {
        now: (NOW, 0),
        max_token_bytes: 16 << 20,
        ..oracle::Policy::default()
    }
}

/// The plain policy and one secret without an id.
fn judges() -> Judges {
    Judges::of_secret(plain(), SECRET)
}

/// The plain policy and a set of one secret named `main` and these other keys.
fn judges_with(others: &str) -> Judges {
    let k = encode(SECRET);
    let comma = if others.is_empty() { "" } else { "," };
    let jwks = format!(r#"{{"keys":[{{"kty":"oct","kid":"main","k":"{k}"}}{comma}{others}]}}"#);
    Judges::new(plain(), &jwks)
}

/// A line as it can be shown when a test fails.
fn shown(line: &[u8]) -> String {
    String::from_utf8_lossy(&line[..line.len().min(300)]).into_owned()
}
