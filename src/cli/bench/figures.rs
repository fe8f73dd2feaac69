//! What a bench found, as data: the object of `--format json`, whose members are part of the
//! interface, and what the tables in text are made from.

use std::time::Duration;

use serde::Serialize;

use super::machine::Machine;

/// The name of the object's form. Members may be added without a new number.
const SCHEMA: &str = "jotmill.bench/1";

/// All that was found.
#[derive(Serialize)]
pub(super) struct Bench {
    schema: &'static str,
    pub(super) tool: Tool,
    pub(super) machine: Machine,
    /// Every figure is the median of so many.
    pub(super) rounds: u16,
    pub(super) kernels: Vec<KernelState>,
    pub(super) data: Vec<Measured>,
}

impl Bench {
    pub(super) fn new(kernels: Vec<KernelState>, rounds: u16) -> Self {
        Self {
            schema: SCHEMA,
            tool: Tool {
                name: "jotmill",
                version: env!("CARGO_PKG_VERSION"),
            },
            machine: Machine::this(),
            rounds,
            kernels,
            data: Vec::new(),
        }
    }
}

/// What measured.
#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// A kernel, and how it stands on this processor.
#[derive(Serialize)]
pub(super) struct KernelState {
    pub(super) name: &'static str,
    pub(super) available: bool,
    pub(super) chosen: bool,
    pub(super) self_test: SelfTest,
}

/// What came of a kernel's known answers.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SelfTest {
    Passed,
    Failed,
    NotAvailable,
}

/// What was found with one data set.
#[derive(Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) tokens: u64,
    /// How many of them differ.
    pub(super) distinct: u64,
    pub(super) repeats: Repeats,
    pub(super) valid: u64,
    pub(super) rejected: u64,
    pub(super) bytes: u64,
    /// The signatures alone, MACs in the fastest kernel, on one thread; none where no token has one.
    pub(super) bound: Option<Bound>,
    /// Whole runs with the chosen kernel.
    pub(super) threads: Vec<Threads>,
    /// The stages of one thread with the chosen kernel.
    pub(super) stages: Vec<Stage>,
    /// What a whole run takes longer than its stages, per token: counting, recording, copying.
    /// Noise can make it negative.
    pub(super) rest_ns_per_token: f64,
    pub(super) kernels: Vec<OfKernel>,
    /// The library's `Validator`, a token a call.
    pub(super) one_by_one: Rate,
}

/// Tokens that occurred before, and what the memory of judged tokens made of them.
#[derive(Serialize)]
pub(super) struct Repeats {
    pub(super) tokens: u64,
    /// Their part of all tokens.
    pub(super) share: f64,
    /// Those that were not judged anew, by one thread.
    pub(super) recalled: u64,
    /// Their part of all tokens.
    pub(super) hit_rate: f64,
}

impl Repeats {
    pub(super) fn new(tokens: u64, distinct: u64, recalled: u64) -> Self {
        let repeats = tokens.saturating_sub(distinct);
        let share = |part: u64| rounded(part as f64 / tokens.max(1) as f64);
        Self {
            tokens: repeats,
            share: share(repeats),
            recalled,
            hit_rate: share(recalled),
        }
    }
}

/// Where a data set is from.
#[derive(Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Source {
    Made {
        seed: u64,
        shape: String,
        keys: u32,
        keys_without_id: u32,
        repeat: u32,
    },
    Own {
        files: Vec<String>,
    },
}

/// A bound, and whose it is; no kernel's where there are no MACs.
#[derive(Serialize)]
pub(super) struct Bound {
    pub(super) kernel: Option<&'static str>,
    #[serde(flatten)]
    pub(super) rate: Rate,
}

/// A whole run.
#[derive(Serialize)]
pub(super) struct Threads {
    pub(super) threads: usize,
    #[serde(flatten)]
    pub(super) rate: Rate,
    /// How many times as fast as one thread.
    pub(super) scaling: f64,
    /// How near to the bound, which is that of as many threads.
    pub(super) share_of_bound: Option<f64>,
    /// The most memory that the process had, but for the data set, where the system tells.
    pub(super) peak_bytes: Option<u64>,
}

/// A stage by itself.
#[derive(Serialize)]
pub(super) struct Stage {
    pub(super) stage: &'static str,
    #[serde(flatten)]
    pub(super) rate: Rate,
    /// Its part of all stages.
    pub(super) share: f64,
}

/// A kernel, with the signatures alone, where it matters for them, and with whole runs.
#[derive(Serialize)]
pub(super) struct OfKernel {
    pub(super) kernel: &'static str,
    pub(super) signatures: Option<Rate>,
    /// With one thread, and with the most.
    pub(super) runs: Vec<Run>,
}

#[derive(Serialize)]
pub(super) struct Run {
    pub(super) threads: usize,
    #[serde(flatten)]
    pub(super) rate: Rate,
}

/// How fast something went over all tokens of a data set.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Rate {
    pub(super) ns_per_token: f64,
    pub(super) tokens_per_s: f64,
    /// In units of 10^9 bytes, line feeds included.
    pub(super) gb_per_s: f64,
}

impl Rate {
    pub(super) fn new(time: Duration, tokens: u64, bytes: u64) -> Self {
        // A clock that did not tick would make a rate that is no number, which JSON cannot say.
        let seconds = time.as_secs_f64().max(1e-9);
        let tokens = tokens.max(1) as f64;
        Self {
            ns_per_token: rounded(seconds * 1e9 / tokens),
            tokens_per_s: (tokens / seconds).round(),
            gb_per_s: rounded(bytes as f64 / seconds / 1e9),
        }
    }
}

/// To three places: more would be noise.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The quotient of two times.
pub(super) fn ratio(time: Duration, other: Duration) -> f64 {
    rounded(time.as_secs_f64() / other.as_secs_f64().max(1e-9))
}
