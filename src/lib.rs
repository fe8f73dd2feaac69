//! jotmill validates JSON Web Tokens in bulk: which failed, where and why.
//!
//! There are three ways in. [`Validator`] validates one token at a time and can be shared between
//! threads; it is what a service wants. [`Judge`] keeps caches, and takes one token or many that are
//! in memory. [`run`] validates every line of any number of inputs on several threads and gives a
//! [`Report`]; the command `jotmill audit` is a thin layer over it. All of them take the same
//! [`Policy`] and [`KeySet`], and give the same verdicts.
//!
//! ```
//! use jotmill::{KeySet, Policy, UnixTime, Validator};
//!
//! # fn main() -> Result<(), jotmill::Error> {
//! // The token of RFC 7515 appendix A.1, its key, and a moment before it expired.
//! let mut keys = KeySet::new();
//! keys.add_key(
//!     br#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
//!     "RFC 7515",
//! )?;
//! let now = UnixTime::new(1_300_819_000, 0).unwrap_or(UnixTime::now()?);
//! let validator = Validator::new(Policy::service().issuer("joe"), keys)?;
//!
//! let token = b"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
//!               eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
//!               dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
//! assert!(validator.validate_at(token, now).is_valid());
//! # Ok(())
//! # }
//! ```
//!
//! A rejection is data: a [`Verdict`] holds a set of [`Reason`]s with stable codes. What keeps
//! jotmill from judging is an [`Error`]. The two never mix.
//!
//! Without default features the library has none of the command line's dependencies.

mod anchor;
mod base64url;
mod batch;
mod display;
mod error;
mod extract;
mod hash;
mod input;
mod judge;
mod key;
pub mod measure;
mod pipeline;
mod platform;
mod policy;
mod prefetch;
mod record;
mod redact;
mod report;
mod signature;
mod stage;
mod time;
mod token;
mod validator;
mod verdict;

pub use anchor::{Chain, ChainError};
pub use error::{AcceptError, Error, KeyError, OutputError};
pub use extract::{
    FoundToken, LogTime, LogZone, TimeForm, TimeReader, UnknownTimeForm, UnknownZone, find_tokens,
};
pub use input::{
    Compression, DEFAULT_BLOCK_BYTES, FormChoice, Input, InputForm, SNIFFED_BYTES, UnpackProblem,
};
pub use judge::Judge;
pub use key::{Encoding, Key, KeyFinding, KeySet, OtherReading, UnusableKey, Validity};
pub use pipeline::{Finished, Progress, RowSink, RunOptions, Watch, audit, run};
pub use policy::{
    DEFAULT_MAX_KEY_TRIES, DEFAULT_MAX_TOKEN_BYTES, MAX_CRIT, MAX_DURATION_SECONDS,
    MAX_EXTRA_CLAIMS, Policy, RegisteredClaim,
};
pub use redact::redacted;
pub use report::{
    Counts, Distinct, EXPIRY_BUCKETS, InputReport, LATE_BUCKETS, MAX_NAMES, NameCounts, Only,
    REPORT_SCHEMA, Report, RowOptions, Sample, SampleReport, Tally, TextOptions, Timeline, Uses,
};
pub use signature::{Algorithm, AlgorithmSet, Kernel, SelfTestError};
pub use time::{NumericDate, UnixTime};
pub use validator::Validator;
pub use verdict::{Finding, FindingSet, Reason, ReasonSet, Stage, Verdict};

/// The examples of the README are run as well.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
