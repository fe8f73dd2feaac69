//! The flags of `bench`.

use std::path::PathBuf;

use clap::Args;
use jotmill::Kernel;
use jotmill_datasets as dataset;

use super::values::kernel;
use super::{KeyFlags, PageFormat, PolicyFlags, When};

pub(super) const HELP: &str = "\
Every round must count as many valid and rejected tokens as the data set has; with files, as the \
first round. Times are those of this machine and this hour: compare ratios of one run.

Exit codes: 0 measured; 2 could not measure, or a count or a kernel was wrong.";

#[derive(Args)]
pub(crate) struct BenchFlags {
    /// Files of tokens, one a line, to measure with [default: data sets made from a seed].
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) keys: KeyFlags,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
    #[command(flatten)]
    pub(crate) made: MadeFlags,
    /// Measure with 1 to N threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// How often to measure each; the figures are medians.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) rounds: u16,
    /// The kernel of the stages and of the table of threads [default: $JOTMILL_KERNEL, or the
    /// fastest here].
    #[arg(long, value_name = "NAME", value_parser = kernel)]
    pub(crate) kernel: Option<Kernel>,
    /// List the kernels, test each, and measure nothing.
    #[arg(long)]
    pub(crate) list_kernels: bool,
    /// text writes tables, json one object.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PageFormat::Text)]
    pub(crate) format: PageFormat,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// No progress.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Progress on standard error.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
}

/// The data set that is made where no file is given.
#[derive(Args)]
#[command(next_help_heading = "Data set, where no file is given; --alg makes one for each")]
pub(crate) struct MadeFlags {
    /// How many tokens.
    #[arg(long, value_name = "N", default_value_t = 100_000, conflicts_with = "paths",
        value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: u64,
    /// Which data set of this description; the same seed gives the same bytes everywhere.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "paths")]
    pub(crate) seed: u64,
    /// How many keys sign.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "paths")]
    pub(crate) keys: u32,
    /// How many of them have no id: their tokens are tried on each in turn.
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "paths")]
    pub(crate) keys_without_id: u32,
    /// What is wrong, and how often: expired=5%,signature-mismatch=1%.
    #[arg(
        long,
        value_name = "CODE=SHARE,…",
        default_value = "",
        conflicts_with = "paths"
    )]
    pub(crate) defects: String,
    /// What tokens look like: bench (all of 375 bytes, HS256), bench:BYTES of payload, or mixed.
    #[arg(long, value_name = "SHAPE", default_value = "bench", conflicts_with = "paths",
        value_parser = str::parse::<dataset::Shape>)]
    pub(crate) shape: dataset::Shape,
    /// How often each token occurs.
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "paths")]
    pub(crate) repeat: u32,
}
