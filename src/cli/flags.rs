//! What was typed: the flags of each command. No file is read here, and no environment; `args.rs`
//! says what flags mean.

mod bench;
mod files;
mod generate;
mod input;
mod rules;
mod values;

use std::path::PathBuf;

use clap::builder::ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jotmill::{Kernel, UnixTime};

pub(crate) use bench::BenchFlags;
pub(crate) use files::FileFlags;
pub(crate) use generate::{Compress, GenFlags};
pub(crate) use input::{InputFlags, TimeSource};
pub(crate) use rules::{KeyFlags, PolicyFlags};
pub(crate) use values::{
    ENCODINGS, Secret, add_claim, algorithm, bytes, claim, crit, duration, issuer, kernel,
    media_type, required, scope,
};
use values::{time, window};

const EXIT_CODES: &str = "\
Exit codes: 0 every token is valid; 1 at least one was rejected; 2 jotmill could not judge \
(usage, keys, input or output, or not one token); 130 interrupted; 141 the reader of the output \
went away; 143 terminated.";

/// Validates JSON Web Tokens in bulk: which failed, where and why.
#[derive(Parser)]
#[command(name = "jotmill", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Judge every token of files or standard input, lists and logs alike, and report.
    #[command(after_help = EXIT_CODES)]
    Audit(Box<AuditFlags>),
    /// Explain one token, stage by stage, without sending it anywhere.
    #[command(after_help = INSPECT_HELP)]
    Inspect(Box<InspectFlags>),
    /// List keys: type, size, thumbprint, validity, and what is wrong with them.
    Keys(Box<KeysFlags>),
    /// Write a seeded data set: tokens, their keys, and what an audit must say of each.
    Gen(Box<GenFlags>),
    /// Measure what judging costs here: stages, kernels, threads, memory.
    #[command(after_help = bench::HELP)]
    Bench(Box<BenchFlags>),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

impl Command {
    /// Whether it writes its results to standard output.
    pub(crate) const fn writes_to_stdout(&self) -> bool {
        match self {
            Self::Audit(flags) => flags.output.output.is_none(),
            Self::Bench(flags) => flags.output.is_none(),
            _ => true,
        }
    }
}

#[derive(Args)]
pub(crate) struct AuditFlags {
    /// Files with tokens: lists, logs; - or none reads standard input. gzip, zstd, bzip2, xz and
    /// UTF-16 are recognized.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) files: FileFlags,
    #[command(flatten)]
    pub(crate) input: InputFlags,
    #[command(flatten)]
    pub(crate) keys: KeyFlags,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
    /// Print the effective policy as a file that --policy takes, and judge nothing. Files are
    /// named by their absolute paths, secrets by their places.
    #[arg(long, help_heading = "Policy")]
    pub(crate) print_policy: bool,
    /// Threads that do any work; 1 is serial [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
    /// About how many bytes a block has; changes no result.
    #[arg(long, value_name = "N", value_parser = ValueParser::new(bytes), hide = true)]
    pub(crate) block_bytes: Option<usize>,
    /// What computes MACs: shani, avx512, avx2, aarch64-sha2 or portable; changes no result
    /// [default: $JOTMILL_KERNEL, or the fastest here].
    #[arg(long, value_name = "NAME", value_parser = kernel)]
    pub(crate) kernel: Option<Kernel>,
    /// Also estimate the number of distinct tokens, to about 1 %.
    #[arg(long)]
    pub(crate) distinct: bool,
    /// The largest window (zstd) or dictionary (xz) that unpacking may take, such as 256M; up to 2G
    /// [default: 128M].
    #[arg(long, value_name = "BYTES", value_parser = window)]
    pub(crate) max_window: Option<u64>,
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}

/// What is written, where, and in which form.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// text and json write the report; ndjson a row a token, and the report on standard error.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write a row a token to this file as well, as ndjson.
    #[arg(long, value_name = "PATH")]
    pub(crate) rows: Option<PathBuf>,
    /// Write rows of these tokens alone; totals and exit code do not change.
    #[arg(long, value_name = "WHICH", value_enum)]
    pub(crate) only: Option<OnlyRows>,
    /// Write whole tokens into rows. Whoever reads them can use the tokens.
    #[arg(long)]
    pub(crate) show_tokens: bool,
    /// Write to this file instead of standard output.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// No progress, no warnings, no report on standard error; errors are still shown.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Colours in the report.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,
    /// Progress on standard error.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
}

#[derive(Args)]
pub(crate) struct InspectFlags {
    /// The token, or a text with one in it: a header, a cookie, a URL, JSON. - or none reads standard
    /// input, which keeps it out of the shell's history.
    #[arg(value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    #[command(flatten)]
    pub(crate) keys: KeyFlags,
    #[command(flatten)]
    pub(crate) policy: PolicyFlags,
    /// text writes a page, json one object.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PageFormat::Text)]
    pub(crate) format: PageFormat,
    /// Colours on the page.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) color: When,
}

#[derive(Args)]
pub(crate) struct KeysFlags {
    #[command(flatten)]
    pub(crate) keys: KeyFlags,
    /// Judge certificates at this time, in Unix seconds or RFC 3339 [default: the clock].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<UnixTime>,
    /// text writes a table, json one object.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = PageFormat::Text)]
    pub(crate) format: PageFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    Text,
    Json,
}

const INSPECT_HELP: &str = "\
Exit codes: 0 the token is valid; 1 it was rejected; 2 nothing was verified, for want of a key or \
for an error.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Ndjson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnlyRows {
    Valid,
    Rejected,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

impl When {
    /// Whether to do it, where `auto` would do as `auto` says.
    pub(crate) const fn or(self, auto: bool) -> bool {
        match self {
            Self::Auto => auto,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}
