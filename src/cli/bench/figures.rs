//! The results of a bench as data: the object of `--format json`, whose members are part of the
//! interface, and the source of the tables in text.

use std::time::Duration;

use serde::Serialize;

use super::machine::Machine;

/// The schema of the object. Members may be added without a new number.
const SCHEMA: &str = "jotmill.bench/1";

/// All results.
#[derive(Serialize)]
pub(super) struct Bench {
    schema: &'static str,
    pub(super) tool: Tool,
    pub(super) machine: Machine,
    /// The number of rounds; every figure is their median.
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

/// The program that measured.
#[derive(Serialize)]
pub(super) struct Tool {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
}

/// A kernel and its state on this processor.
#[derive(Serialize)]
pub(super) struct KernelState {
    pub(super) name: &'static str,
    pub(super) available: bool,
    pub(super) chosen: bool,
    pub(super) self_test: SelfTest,
}

/// The outcome of a kernel's known-answer test.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SelfTest {
    Passed,
    Failed,
    NotAvailable,
}

/// The results for one data set.
#[derive(Serialize)]
pub(super) struct Measured {
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) tokens: u64,
    /// The number of distinct tokens.
    pub(super) distinct: u64,
    pub(super) repeats: Repeats,
    pub(super) valid: u64,
    pub(super) rejected: u64,
    pub(super) bytes: u64,
    /// Only the signatures, MACs with the fastest kernel, on one thread; `None` if no token has
    /// one.
    pub(super) bound: Option<Bound>,
    /// Whole runs with the chosen kernel, by number of threads.
    pub(super) threads: Vec<Threads>,
    /// The stages on one thread with the chosen kernel.
    pub(super) stages: Vec<Stage>,
    /// The time of a whole run beyond its stages, per token. Noise can make it negative.
    pub(super) rest_ns_per_token: f64,
    pub(super) kernels: Vec<OfKernel>,
    /// The library's `Validator`, one token per call.
    pub(super) one_by_one: Rate,
}

/// Repeated tokens, and the hits of the cache of repeated tokens.
#[derive(Serialize)]
pub(super) struct Repeats {
    pub(super) tokens: u64,
    /// Their share of all tokens.
    pub(super) share: f64,
    /// Cache hits of one thread.
    pub(super) recalled: u64,
    /// The share of cache hits among all tokens.
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

/// The origin of a data set.
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

/// The bound of a run, and the kernel that set it, if there are MACs.
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
    /// The speed relative to one thread.
    pub(super) scaling: f64,
    /// The speed relative to the bound of the same number of threads.
    pub(super) share_of_bound: Option<f64>,
    /// The peak memory of the process without the data set, if the system reports it.
    pub(super) peak_bytes: Option<u64>,
}

/// A stage on its own.
#[derive(Serialize)]
pub(super) struct Stage {
    pub(super) stage: &'static str,
    #[serde(flatten)]
    pub(super) rate: Rate,
    /// Its share of the time of all stages.
    pub(super) share: f64,
}

/// The speed of a kernel: signatures alone, if there are MACs, and whole runs.
#[derive(Serialize)]
pub(super) struct OfKernel {
    pub(super) kernel: &'static str,
    pub(super) signatures: Option<Rate>,
    /// With one thread, and with the largest number.
    pub(super) runs: Vec<Run>,
}

#[derive(Serialize)]
pub(super) struct Run {
    pub(super) threads: usize,
    #[serde(flatten)]
    pub(super) rate: Rate,
}

/// The speed of something over all tokens of a data set.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Rate {
    pub(super) ns_per_token: f64,
    pub(super) tokens_per_s: f64,
    /// In units of 10^9 bytes, line feeds included.
    pub(super) gb_per_s: f64,
}

impl Rate {
    pub(super) fn new(time: Duration, tokens: u64, bytes: u64) -> Self {
        // A clock that did not tick would give an infinite rate, which JSON cannot express.
        let seconds = time.as_secs_f64().max(1e-9);
        let tokens = tokens.max(1) as f64;
        Self {
            ns_per_token: rounded(seconds * 1e9 / tokens),
            tokens_per_s: (tokens / seconds).round(),
            gb_per_s: rounded(bytes as f64 / seconds / 1e9),
        }
    }
}

/// Rounded to three decimals: more would be noise.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// The quotient of two times.
pub(super) fn ratio(time: Duration, other: Duration) -> f64 {
    rounded(time.as_secs_f64() / other.as_secs_f64().max(1e-9))
}
