//! jotmill validates JSON Web Tokens in bulk: which failed, where and why.
mod batch;
pub mod dataset;
mod error;
mod input;
mod key;
mod pipeline;
mod policy;
mod report;
mod signature;
mod time;
mod token;
mod validator;
mod verdict;

pub use error::{Error, KeyError};
pub use input::{DEFAULT_BLOCK_BYTES, Input};
pub use key::{Encoding, Key, KeySet, SetAside};
pub use pipeline::{Finished, Progress, RowSink, RunOptions, Watch, run};
pub use policy::{
    DEFAULT_MAX_KEY_TRIES, DEFAULT_MAX_TOKEN_BYTES, MAX_DURATION_SECONDS, MAX_EXTRA_CLAIMS, Policy,
    RegisteredClaim,
};
pub use report::{
    Counts, EXPIRY_BUCKETS, InputReport, MAX_NAMES, NameCounts, Only, REPORT_SCHEMA, Report,
    RowOptions, Sample, Tally, TextOptions,
};
pub use signature::{Algorithm, AlgorithmSet, Kernel, SelfTestError};
pub use time::{NumericDate, UnixTime};
pub use token::{Claims, Member};
pub use validator::Validator;
pub use verdict::{Finding, FindingSet, Reason, ReasonSet, Stage, Verdict};
