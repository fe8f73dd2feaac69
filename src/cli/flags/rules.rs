//! The flags for keys and policy, which several commands share.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, ValueParser};
use jotmill::{Algorithm, UnixTime};

use super::values::{
    Secret, SecretParser, algorithm, bytes, claim, count, crit, duration, issuer, media_type,
    required, scope, time,
};

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
    /// A file of keys in any form, as --key takes it: mostly a JWK Set or a single JWK; - is standard
    /// input.
    #[arg(long, value_name = "PATH")]
    pub(crate) jwks: Vec<PathBuf>,
    /// Public keys or X.509 certificates in PEM or DER, JWKs, or a folder of such files; - is standard
    /// input.
    /// Of all certificates that are given, those that issued another are not used; one that may only
    /// sign certificates is used in a file of its own alone.
    #[arg(long, value_name = "PATH")]
    pub(crate) key: Vec<PathBuf>,
    /// The certificate of an authority, in PEM or DER or any form of --key: a token whose x5c is a valid certificate
    /// chain that ends in it is verified by the key of the first certificate, if that has a name of
    /// --anchor-name and may sign (digitalSignature). The chain is checked at the time of judging;
    /// revocation is not checked. May be repeated.
    #[arg(long, value_name = "PATH", requires = "anchor_name")]
    pub(crate) anchor: Vec<PathBuf>,
    /// A name that the first certificate of such a chain must have, byte by byte: a DNS name, URI or
    /// email address of its subjectAltName, or its whole subject, such as CN=signer,O=Example. May
    /// be repeated; one of them suffices, for every --anchor.
    #[arg(long, value_name = "NAME", requires = "anchor", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) anchor_name: Vec<String>,
    /// Refuse weak keys: short or well-known secrets, certificates that are expired or not valid
    /// yet, those of authorities, ids that occur twice, private keys, JWKs whose values are not
    /// written as their RFC says. A secret has to be as long as the hash of each
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
    /// policy but --now, --max-token-bytes, --accept-padding and --strict-keys, which are for the
    /// whole run.
    #[arg(long, value_name = "PATH", conflicts_with_all = PER_ISSUER)]
    pub(crate) policy: Option<PathBuf>,
    /// Allow these algorithms alone [default: those that the keys allow].
    #[arg(long, value_name = "A,B", value_delimiter = ',', value_parser = algorithm)]
    pub(crate) alg: Vec<Algorithm>,
    /// Expect this issuer (iss); may be repeated. {NAME} in it stands for one or more characters
    /// other than /, which the claim NAME of the token must equal, as in
    /// https://login.example.com/{tid}/v2.0.
    #[arg(long, value_name = "ISS", value_parser = issuer)]
    pub(crate) issuer: Vec<String>,
    /// Expect this audience (aud); may be repeated.
    #[arg(long, value_name = "AUD", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) audience: Vec<String>,
    /// Expect this subject (sub); may be repeated.
    #[arg(long, value_name = "SUB", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) subject: Vec<String>,
    /// Require these claims.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',', value_parser = required)]
    pub(crate) require: Vec<String>,
    /// Expect this value of a claim: NAME=TEXT for a string, NAME:=JSON for a number or a boolean.
    /// May be repeated; values of one name are alternatives. A name that begins with / is a JSON
    /// Pointer, such as /realm_access/level.
    #[arg(long, value_name = "NAME=TEXT", value_parser = claim)]
    pub(crate) claim: Vec<String>,
    /// Expect these scopes, with spaces between them, in scope or scp; all of them must be there.
    #[arg(long, value_name = "S", value_parser = scope)]
    pub(crate) scope: Vec<String>,
    /// Expect this media type (typ), such as JWT or at+jwt; may be repeated.
    #[arg(long, value_name = "T", value_parser = media_type)]
    pub(crate) typ: Vec<String>,
    /// Accept this extension in crit: you do what it demands. May be repeated.
    #[arg(long, value_name = "NAME", value_parser = crit)]
    pub(crate) crit: Vec<String>,
    /// Accept tokens with base64url padding, each of whose segments is padded exactly. The
    /// signature is over the bytes as they are.
    #[arg(long)]
    pub(crate) accept_padding: bool,
    /// Allow clocks to differ by this much, such as 90, 90s, 5m, 2h or 7d.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) leeway: Option<u64>,
    /// Reject tokens issued longer ago than this.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_age: Option<u64>,
    /// Reject tokens that were issued for longer than this.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) max_lifetime: Option<u64>,
    /// Judge at this time, in Unix seconds or RFC 3339 [default: the clock].
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) now: Option<UnixTime>,
    /// Reject a longer line as too-long; suffixes K, M and G [default: 1M]. Each thread may keep ten
    /// times as much, and a hostile header takes sixteen times its length while it is read, one at
    /// a time.
    #[arg(long, value_name = "N", value_parser = ValueParser::new(bytes))]
    pub(crate) max_token_bytes: Option<usize>,
    /// Try at most this many keys on a token [default: 1000].
    #[arg(long, value_name = "N", value_parser = count)]
    pub(crate) max_key_tries: Option<usize>,
    /// Take kid as a hint: where the key that it names did not sign, try the others.
    #[arg(long)]
    pub(crate) kid_hint: bool,
}

/// The flags for which a policy file has a member for each issuer.
const PER_ISSUER: [&str; 20] = [
    "secret_file",
    "secret_env",
    "jwks",
    "key",
    "anchor",
    "anchor_name",
    "alg",
    "issuer",
    "audience",
    "subject",
    "require",
    "claim",
    "scope",
    "typ",
    "crit",
    "leeway",
    "max_age",
    "max_lifetime",
    "max_key_tries",
    "kid_hint",
];
