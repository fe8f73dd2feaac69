//! The flags of `gen`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jotmill_datasets as dataset;

use super::When;

const HELP: &str = "\
The keys are made from the seed as well, so they protect nothing. A token with a defect gets \
exactly that code from the audit command that is printed at the end. With several issuers there is \
foreign-issuer-key as well: tokens that the key of another issuer signed, which get key-not-found.

With --logs the tokens are in records of logs, and truth.ndjson has the place of each, its time of \
use, and its verdict then and now.";

/// How the files of a corpus are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compress {
    None,
    Gzip,
    Zstd,
}

#[derive(Args)]
#[command(after_help = HELP)]
pub(crate) struct GenFlags {
    /// The folder that takes tokens.txt, keys.json, truth.ndjson and keys in files of their own; of
    /// several issuers policy.toml, and the keys of each in a folder.
    #[arg(value_name = "FOLDER", required_unless_present = "logs")]
    pub(crate) folder: Option<PathBuf>,
    /// How many tokens [default: 1000].
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Write logs with tokens in them to this folder instead, with keys.json, truth.ndjson and
    /// counts.ndjson.
    #[arg(
        long,
        value_name = "DIR",
        help_heading = "Logs",
        conflicts_with_all = ["folder", "edges", "issuers", "repeat"],
    )]
    pub(crate) logs: Option<PathBuf>,
    /// How many records the logs have together; every second one has a token [default: 1000].
    #[arg(long, value_name = "N", help_heading = "Logs")]
    pub(crate) records: Option<u64>,
    /// The formats of the logs: nginx, apache, envoy, alb, cloudfront, json, k8s-audit, otlp, csv,
    /// har, application, syslog [default: all].
    #[arg(
        long, value_name = "A,B", value_delimiter = ',', help_heading = "Logs",
        value_parser = str::parse::<dataset::LogFormat>,
    )]
    pub(crate) formats: Vec<dataset::LogFormat>,
    /// Compress the logs.
    #[arg(
        long, value_name = "FORM", value_enum, default_value_t = Compress::None,
        help_heading = "Logs",
    )]
    pub(crate) compress: Compress,
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
    /// The forms of public keys, in turn: jwk, private-jwk, x5c-jwk, unusual-jwk, or a file: spki,
    /// spki-der, pkcs1, certificate, certificate-der, spki-base64, spki-escaped, spki-variable,
    /// spki-utf16, pem-by-id, jwk-array, jwk-by-id.
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
    /// Replace an earlier data set. Those of its key files (keys.json, key-NNN.pem, …)
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
