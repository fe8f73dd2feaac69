//! What was typed: the flags, and the parsing of single values. No file is touched here.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser, ValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jotmill::{Algorithm, Encoding, Kernel, UnixTime};
use jotmill_datasets as dataset;

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
    /// Judge every token of files or standard input, one a line, and report.
    #[command(after_help = EXIT_CODES)]
    Audit(Box<AuditFlags>),
    /// Explain one token, stage by stage, without sending it anywhere.
    #[command(after_help = INSPECT_HELP)]
    Inspect(Box<InspectFlags>),
    /// List keys: type, size, thumbprint, validity, and what is wrong with them.
    Keys(Box<KeysFlags>),
    /// Write a seeded data set: tokens, their keys, and what an audit must say of each.
    Gen(GenFlags),
    /// Measure what judging costs here: stages, kernels, threads, memory.
    #[command(after_help = BENCH_HELP)]
    Bench(Box<BenchFlags>),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page.
    Man,
}

#[derive(Args)]
pub(crate) struct AuditFlags {
    /// Files of tokens, one a line; - or none reads standard input.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
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
    /// About how many bytes are judged at a time; changes no result.
    #[arg(long, value_name = "N", value_parser = ValueParser::new(bytes), hide = true)]
    pub(crate) block_bytes: Option<usize>,
    /// What computes MACs: shani, avx512, avx2, aarch64-sha2 or portable; changes no result
    /// [default: $JOTMILL_KERNEL, or the fastest here].
    #[arg(long, value_name = "NAME", value_parser = kernel)]
    pub(crate) kernel: Option<Kernel>,
    /// Estimate as well how many tokens differ, to about 1 %.
    #[arg(long)]
    pub(crate) distinct: bool,
    #[command(flatten)]
    pub(crate) output: OutputFlags,
}

/// Where the keys come from.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Keys")]
pub(crate) struct KeyFlags {
    /// A file that holds an HMAC secret; ENC is raw (default), base64, base64url or hex. A secret
    /// is never an argument: other users of the machine can read those.
    #[arg(long, value_name = "[ENC:]PATH", value_parser = SecretParser { place: "the path of a file" })]
    pub(crate) secret_file: Vec<Secret>,
    /// An environment variable that holds an HMAC secret, by its name and never by its value,
    /// which other users could read; ENC as for --secret-file.
    #[arg(long, value_name = "[ENC:]VAR", value_parser = SecretParser { place: "the name of a variable" })]
    pub(crate) secret_env: Vec<Secret>,
    /// A JWK Set, or a single JWK.
    #[arg(long, value_name = "PATH")]
    pub(crate) jwks: Vec<PathBuf>,
    /// Public keys or X.509 certificates in PEM or DER, or a folder of such files and of JWK Sets.
    /// Of a certificate and its chain in one file, those that issued another are set aside.
    #[arg(long, value_name = "PATH")]
    pub(crate) key: Vec<PathBuf>,
    /// Refuse weak keys: short or well-known secrets, certificates that are expired or not valid
    /// yet, ids that occur twice, private keys. A secret has to be as long as the hash of each
    /// algorithm that it may verify: 64 bytes for HS512, unless its alg or the list of allowed
    /// algorithms leaves that out.
    #[arg(long)]
    pub(crate) strict_keys: bool,
}

/// What is expected of tokens.
#[derive(Args, Clone, Default, PartialEq)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyFlags {
    /// A file of policies, one for each issuer, in TOML: in place of all options for keys and
    /// policy but --now, --max-token-bytes and --strict-keys, which are for the whole run.
    #[arg(long, value_name = "PATH", conflicts_with_all = PER_ISSUER)]
    pub(crate) policy: Option<PathBuf>,
    /// Allow these algorithms alone [default: those that the keys allow].
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = algorithm)]
    pub(crate) alg: Vec<Algorithm>,
    /// Expect this issuer (iss); may be repeated.
    #[arg(long, value_name = "ISS", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) issuer: Vec<String>,
    /// Expect this audience (aud); may be repeated.
    #[arg(long, value_name = "AUD", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) audience: Vec<String>,
    /// Expect this subject (sub); may be repeated.
    #[arg(long, value_name = "SUB", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) subject: Vec<String>,
    /// Require these claims.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(crate) require: Vec<String>,
    /// Expect this media type (typ), such as JWT or at+jwt.
    #[arg(long, value_name = "T")]
    pub(crate) typ: Option<String>,
    /// Forgive clocks that differ by so much, such as 90, 90s, 5m, 2h or 7d.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) leeway: Option<u64>,
    /// Reject tokens issued longer ago than this.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_age: Option<u64>,
    /// Reject tokens that were issued for longer than this.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_lifetime: Option<u64>,
    /// Judge times by this moment, in Unix seconds or RFC 3339 [default: the clock].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<UnixTime>,
    /// Take a longer line as too-long; suffixes K, M and G [default: 1M].
    #[arg(long, value_name = "N", value_parser = ValueParser::new(bytes))]
    pub(crate) max_token_bytes: Option<usize>,
    /// Try at most so many keys on a token [default: 1000].
    #[arg(long, value_name = "N")]
    pub(crate) max_key_tries: Option<usize>,
    /// Take kid as a hint: where the key that it names did not sign, try the others.
    #[arg(long)]
    pub(crate) kid_hint: bool,
}

/// The flags for which a policy file has a member for each issuer.
const PER_ISSUER: [&str; 15] = [
    "secret_file",
    "secret_env",
    "jwks",
    "key",
    "alg",
    "issuer",
    "audience",
    "subject",
    "require",
    "typ",
    "leeway",
    "max_age",
    "max_lifetime",
    "max_key_tries",
    "kid_hint",
];

/// What is written, where, and how it looks.
#[derive(Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// text and json write the report; ndjson a row a token, and the report on standard error.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Write a row a token to this file as well, as ndjson.
    #[arg(long, value_name = "PATH")]
    pub(crate) rows: Option<PathBuf>,
    /// Write rows of these tokens alone; totals and exit code stay.
    #[arg(long, value_name = "WHICH", value_enum)]
    pub(crate) only: Option<OnlyRows>,
    /// Write whole tokens into rows. Whoever reads them can use the tokens.
    #[arg(long)]
    pub(crate) show_tokens: bool,
    /// Write to this file what would go to standard output.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// No progress, no warnings, no report on standard error; errors are still told.
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
    /// The token; - or none reads standard input, which keeps it out of the shell's history.
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
    /// Judge certificates by this moment, in Unix seconds or RFC 3339 [default: the clock].
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

#[derive(Args)]
#[command(after_help = GEN_HELP)]
pub(crate) struct GenFlags {
    /// The folder that takes tokens.txt, keys.json, truth.ndjson and keys in files of their own; of
    /// several issuers policy.toml, and the keys of each in a folder.
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// How many tokens.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) count: u64,
    /// Which data set of this description; the same seed gives the same bytes everywhere.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many issuers there are, up to 6: with several, each has keys of its own and a table in
    /// policy.toml. Tokens of the shape bench have one.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) issuers: u32,
    /// Sign with these algorithms: HS256, RS256, PS256, ES256, ES256K, EdDSA, Ed25519, Ed448,
    /// ML-DSA-44 and their like.
    #[arg(
        long, value_name = "A,B", value_delimiter = ',', default_value = "HS256",
        value_parser = str::parse::<dataset::Algorithm>,
    )]
    pub(crate) alg: Vec<dataset::Algorithm>,
    /// How many keys of each issuer sign.
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) keys: u32,
    /// The sizes of RSA keys in bits, in turn: 2048, 3072 or 4096.
    #[arg(
        long,
        value_name = "N,…",
        value_delimiter = ',',
        default_value = "2048"
    )]
    pub(crate) rsa_bits: Vec<u32>,
    /// The forms of public keys, in turn: jwk, private-jwk, x5c-jwk, or a file: spki, spki-der,
    /// pkcs1, certificate, certificate-der.
    #[arg(
        long, value_name = "FORM,…", value_delimiter = ',', default_value = "jwk",
        value_parser = str::parse::<dataset::KeyForm>,
    )]
    pub(crate) key_forms: Vec<dataset::KeyForm>,
    /// How many of them have no id.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) keys_without_id: u32,
    /// The moment to judge by, in Unix seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1_790_000_000)]
    pub(crate) now: i64,
    /// The leeway to judge with, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub(crate) leeway: u32,
    /// What is wrong, and how often: expired=5%,signature-mismatch=1%.
    #[arg(long, value_name = "CODE=SHARE,…", default_value = "")]
    pub(crate) defects: String,
    /// The share of valid tokens that are valid in an unusual way.
    #[arg(long, value_name = "SHARE", default_value = "2%", value_parser = str::parse::<dataset::Share>)]
    pub(crate) edges: dataset::Share,
    /// The share of tokens that do not say which key signed them.
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = str::parse::<dataset::Share>)]
    pub(crate) without_kid: dataset::Share,
    /// What tokens look like: mixed, bench (all of 375 bytes), or bench:BYTES of payload.
    #[arg(long, value_name = "SHAPE", default_value = "mixed", value_parser = str::parse::<dataset::Shape>)]
    pub(crate) shape: dataset::Shape,
    /// How often each token occurs.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) repeat: u32,
    /// Replace an earlier data set. Those of its key files (keys.json, key-NNN.pem, key-NNN.der)
    /// and the policy.toml that the new one does not have are removed, where tokens.txt and
    /// truth.ndjson are beside them. Other files stay.
    #[arg(long)]
    pub(crate) force: bool,
    /// No progress and no summary.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Progress on standard error.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
}

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
    /// Write to this file what would go to standard output.
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
    /// No progress.
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// Progress on standard error.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto)]
    pub(crate) progress: When,
}

/// What a data set made for the purpose is like.
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

const BENCH_HELP: &str = "\
Every round must count as many valid and rejected tokens as the data set has; with files, as the \
first round. Times are those of this machine and this hour: compare ratios of one run.

Exit codes: 0 measured; 2 could not measure, or a count or a kernel was wrong.";

const GEN_HELP: &str = "\
The keys are made from the seed as well, so they protect nothing. A token with a defect gets \
exactly that code from the audit command that is printed at the end. With several issuers there is \
foreign-issuer-key as well: tokens that the key of another issuer signed, which get key-not-found.";

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
    /// What it comes to where `auto` would do this.
    pub(crate) const fn or(self, auto: bool) -> bool {
        match self {
            Self::Auto => auto,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Where a secret stands, and how it is written there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) encoding: Encoding,
    /// A path or the name of a variable.
    pub(crate) place: OsString,
}

impl Secret {
    /// Parses `[ENC:]PLACE`. A place may hold colons: only a known encoding in front of one counts.
    pub(crate) fn parse(value: &OsStr) -> Self {
        let prefixed = value.to_str().and_then(|text| text.split_once(':'));
        let prefixed = prefixed.and_then(|(name, place)| Some((Encoding::from_name(name)?, place)));
        match prefixed {
            Some((encoding, place)) => Self {
                encoding,
                place: place.into(),
            },
            None => Self {
                encoding: Encoding::Raw,
                place: value.to_owned(),
            },
        }
    }
}

/// The names of the encodings, for messages.
pub(crate) const ENCODINGS: &str = "raw:, base64:, base64url:, hex:";

/// Parses `[ENC:]PLACE`, which must not be empty.
#[derive(Clone)]
struct SecretParser {
    /// What a place is, for messages.
    place: &'static str,
}

impl TypedValueParser for SecretParser {
    type Value = Secret;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Secret, clap::Error> {
        let secret = Secret::parse(value);
        if secret.place.is_empty() {
            let flag = argument
                .map(|argument| format!("'{argument}': "))
                .unwrap_or_default();
            let message = format!("{flag}{} is missing", self.place);
            let error = clap::Error::raw(clap::error::ErrorKind::ValueValidation, message + "\n");
            return Err(error.with_cmd(command));
        }
        Ok(secret)
    }
}

pub(crate) fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.name())
            .collect();
        format!("jotmill verifies {} (case matters)", known.join(", "))
    })
}

/// A kernel that this processor can run.
pub(crate) fn kernel(name: &str) -> Result<Kernel, String> {
    let available = || {
        Kernel::available()
            .map(Kernel::name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Kernel::by_name(name)
        .filter(Kernel::is_available)
        .ok_or_else(|| format!("this processor can run {}", available()))
}

/// Seconds, from `90`, `90s`, `5m`, `2h` or `7d`.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 1,
    };
    digits(number)
        .and_then(|number| number.checked_mul(factor))
        .filter(|seconds| *seconds <= jotmill::MAX_DURATION_SECONDS)
        .ok_or_else(|| "a duration is like 90, 90s, 5m, 2h or 7d, up to 10,000 years".to_owned())
}

/// Bytes, from `4096`, `64K`, `1M` or `1G`, each with an optional `iB`.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    let (number, shift) = match text.strip_suffix("iB").unwrap_or(text) {
        plain if plain.ends_with('K') => (&plain[..plain.len() - 1], 10),
        plain if plain.ends_with('M') => (&plain[..plain.len() - 1], 20),
        plain if plain.ends_with('G') => (&plain[..plain.len() - 1], 30),
        _ => (text, 0),
    };
    digits(number)
        .and_then(|number| usize::try_from(number).ok()?.checked_mul(1 << shift))
        .filter(|bytes| (1..=1 << 30).contains(bytes))
        .ok_or_else(|| "a size is like 4096, 64K or 1M, from 1 byte to 1G".to_owned())
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// A moment, from Unix seconds with an optional fraction, or RFC 3339.
fn time(text: &str) -> Result<UnixTime, String> {
    const RANGE: &str = "a time lies between the years 1970 and 9999";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let (Some(seconds), true) = (digits(whole), fraction.bytes().all(|b| b.is_ascii_digit())) {
        if whole.len() == 13 {
            return Err(format!(
                "this looks like milliseconds; try {}",
                &whole[..10]
            ));
        }
        if fraction.len() > 9 || (fraction.is_empty() && text.contains('.')) {
            return Err("a fraction of a second has one to nine digits".to_owned());
        }
        let nanos = format!("{fraction:0<9}").parse().map_err(|_| RANGE)?;
        return UnixTime::new(seconds, nanos).ok_or_else(|| RANGE.to_owned());
    }
    if text.get(17..19) == Some("60") {
        return Err("a leap second is no Unix time; give the second before or after".to_owned());
    }
    let stamp: jiff::Timestamp = text.parse().map_err(|_| {
        "a time is Unix seconds, such as 1790000000, or RFC 3339, such as 2026-09-21T14:13:20Z"
            .to_owned()
    })?;
    match (
        u64::try_from(stamp.as_second()),
        u32::try_from(stamp.subsec_nanosecond()),
    ) {
        (Ok(seconds), Ok(nanos)) => UnixTime::new(seconds, nanos).ok_or_else(|| RANGE.to_owned()),
        _ => Err(RANGE.to_owned()),
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

    #[test]
    fn durations_take_a_unit() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            ("2h", 7200),
            ("7d", 604_800),
        ] {
            assert_eq!(duration(text), Ok(seconds));
        }
        for text in [
            "",
            "s",
            "-1",
            "+1",
            "1.5h",
            "1w",
            "5 m",
            "99999999999999d",
            "1ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_take_a_suffix() {
        for (text, size) in [
            ("1", 1),
            ("64K", 65_536),
            ("64KiB", 65_536),
            ("1M", 1 << 20),
        ] {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["0", "", "K", "1T", "-1", "2G", "1.5M", "1iB2"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_unix_seconds_or_rfc_3339() {
        let expected = UnixTime::new(1_790_000_000, 500_000_000);
        for text in [
            "1790000000.5",
            "2026-09-21T14:13:20.5Z",
            "2026-09-21T16:13:20.500000000+02:00",
        ] {
            assert_eq!(time(text).ok(), expected, "{text}");
        }
        assert_eq!(time("0").ok(), UnixTime::new(0, 0));
        assert!(time("1790000000000").unwrap_err().contains("1790000000"));
        for text in [
            "",
            "-1",
            "1.",
            ".5",
            "1e9",
            "now",
            "2026-09-21",
            "2026-09-21T14:13:20",
            "1969-12-31T23:59:59Z",
            "2026-09-21T14:13:60Z",
            "253402300800",
            "1.1234567890",
            "99999999999999999999",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_known_encoding_is_taken_off_a_place() {
        let parse = |text: &str| {
            let command = clap::Command::new("x");
            SecretParser { place: "a path" }
                .parse_ref(&command, None, text.as_ref())
                .unwrap()
        };
        let secret = |encoding, place: &str| Secret {
            encoding,
            place: place.into(),
        };
        assert_eq!(parse("hex:a:b"), secret(Encoding::Hex, "a:b"));
        assert_eq!(parse("raw:hex:a"), secret(Encoding::Raw, "hex:a"));
        assert_eq!(parse("C:secret"), secret(Encoding::Raw, "C:secret"));
    }
}
