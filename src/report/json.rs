//! The report as JSON: schema `jotmill.report/1`.
//!
//! Owns the names and the order of the members, which are API. What is counted is left to
//! `tally.rs`, the layout in lines to `layout.rs`.
//!
//! Structures of borrowed values mirror the schema, and serde writes them. The schema is documented
//! at [`Report::write_json`], and a test compares that table with a report.

mod layout;
mod uses;

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, Serializer};

use super::tally::{EXPIRY_EDGES, Sample};
use super::{Counts, Distinct, KeySummary, NameCounts, Report};
use crate::input::Compression;
use crate::key::{Key, OtherReading, UnusableKey};
use crate::policy::Policy;
use crate::redact::redacted;
use crate::signature::Algorithm;
use crate::verdict::{Finding, Reason};
use layout::Layout;
use uses::UsesMembers;

/// The name of the schema that [`Report::write_json`] writes. Members may be added under this
/// name; none is removed or changes its meaning.
pub const REPORT_SCHEMA: &str = "jotmill.report/1";

impl Report {
    /// Writes the report as one JSON object and a line feed.
    ///
    /// Members come in the order of this table. A name in capitals is a placeholder for names from
    /// the run, sorted by their UTF-8 bytes. Members marked `?` are left out where they have no
    /// value; `null` means none. Counts are integers of at most 64 bits. `valid` and `rejected`
    /// always count tokens.
    ///
    /// | member | what it holds |
    /// |---|---|
    /// | `schema` | `jotmill.report/1` |
    /// | `complete` | whether every line of every input was judged |
    /// | `tool.name` | `jotmill` |
    /// | `tool.version` | the version of jotmill |
    /// | `now` | the instant that tokens were judged at: RFC 3339 in UTC, without trailing zeros in the fraction, so that equal instants are equal strings. `--now` accepts it |
    /// | `policy.issuers` | the expected issuers, those with placeholders last; `[]`: `iss` was not compared |
    /// | `policy.subjects` | the expected subjects; `[]`: `sub` was not compared |
    /// | `policy.audiences` | the expected audiences; `[]`: `aud` was not compared |
    /// | `policy.required` | the claims that a token must have: the registered ones in the order of RFC 7519, then others in the order given |
    /// | `policy.typ` | the expected media type, the first of several, or null |
    /// | `policy.typs` ? | all of several expected media types |
    /// | `policy.algorithms` | the allow-list, or null where the keys decided |
    /// | `policy.leeway_s` | the leeway in seconds |
    /// | `policy.max_age_s` | the maximum age in seconds, or null |
    /// | `policy.max_lifetime_s` | the maximum lifetime in seconds, or null |
    /// | `policy.max_token_bytes` | the longest token, in bytes |
    /// | `policy.max_key_tries` | the most keys tried for one token |
    /// | `policy.kid_hint` | whether `kid` was only a hint, so that other keys were tried as well |
    /// | `policy.claims` ? | the expected values of claims, as `--claim` takes them: `NAME=TEXT` for a string, `NAME:=JSON` for a number or a boolean. Values of one name are alternatives |
    /// | `policy.scopes` ? | the scopes that a token must have |
    /// | `policy.crit` ? | the extensions in `crit` that were declared understood |
    /// | `policy.accept_padding` ? | true where padded tokens were accepted |
    /// | `policy.by_issuer` ? | with several policies: an array of them in the order given, each with the members above; `policy` itself then has only `max_token_bytes` and `issuers`, those of all policies |
    /// | `unchecked` | the checks that were not made because a policy has no expected value: `issuer`, `audience`, `typ`; and `revocation` where a key is an anchor |
    /// | `inputs.name` | the name as given; `inputs` is an array in the order given |
    /// | `inputs.bytes` | how many of its bytes were judged; of a compressed input, unpacked bytes |
    /// | `inputs.lines` | how many of its lines were judged |
    /// | `inputs.error` | why it was not judged to its end, or null |
    /// | `inputs.grown` ? | how many bytes were added after it was opened; they were not judged |
    /// | `inputs.cut_line` ? | the number of the last line, if it had no ending yet and was judged as far as it was written |
    /// | `inputs.form` ? | the form that it was read in: `tokens` or `text`; left out if it was not opened |
    /// | `inputs.form_why` ? | why that form was taken |
    /// | `inputs.has_times` ? | true where the line of its first token has a time, and `--time` was not given |
    /// | `inputs.tokens` | how many tokens were found in it |
    /// | `inputs.cut_tokens` ? | how many tokens in it were cut short; they were not judged |
    /// | `inputs.other_credentials` ? | how many Bearer credentials in it are no JWTs |
    /// | `inputs.compression` ? | how it was compressed: `gzip`, `zstd`, `bzip2` or `xz` |
    /// | `inputs.packed_bytes` ? | how many bytes were read of a compressed input |
    /// | `inputs.encoding` ? | the encoding, if the text was transcoded: `UTF-16LE` or `UTF-16BE` |
    /// | `tokens` | all tokens: `valid` + `rejected` |
    /// | `valid` | tokens whose signature and claims passed every check |
    /// | `rejected` | all other tokens |
    /// | `blank_lines` | blank lines, which are not counted as tokens |
    /// | `distinct.estimate` ? | the estimated number of distinct tokens, if enabled; lines that were too long are not included |
    /// | `distinct.standard_error` ? | the standard deviation of the estimate, relative to the true number |
    /// | `sample.one_in` ? | if only a sample was judged: one in so many tokens, by a hash of the token. All counts of tokens are of the sample |
    /// | `sample.left_out` ? | how many tokens were found and left out |
    /// | `bytes` | the sum of `inputs.bytes` |
    /// | `reasons.CODE` | tokens rejected for this [`Reason`]; a token may have several. Reasons that did not occur are left out |
    /// | `algs.NAME.valid` | by the header's `alg`: names registered with IANA, and `other` for everything else. Tokens whose `alg` could not be read are not included |
    /// | `algs.NAME.rejected` | the same |
    /// | `keys.NAME.valid` | by the key that verified the signature. Every key is listed, under its unique [`Key::name`](crate::Key::name) |
    /// | `keys.NAME.rejected` | tokens that it verified and that were rejected for other reasons |
    /// | `keys.NAME.weak_for` ? | the algorithms that it and the policy allow and whose hash is longer than its secret (RFC 7518 section 3.2) |
    /// | `keys.NAME.findings` ? | its weaknesses, as codes of [`KeyFinding`](crate::KeyFinding) |
    /// | `keys.NAME.anchor_names` ? | of an anchor: the names of which the signers of its chains must have one. Its counts are those of the tokens verified through it |
    /// | `extended_key_usages.OID` ? | with an anchor: tokens verified through a chain, by the extended key usage of the signer's certificate, which is not checked; `none` where it has none |
    /// | `issuers.NAME.valid` | tokens with a verified signature, by `iss`. Names over 256 bytes are cut and end in `…` |
    /// | `issuers.NAME.rejected` | the same |
    /// | `issuers_rest.valid` ? | with more than [`MAX_NAMES`](super::MAX_NAMES) issuers: `issuers` holds exact counts of those with the smallest SHA-256, and this is the sum over all others |
    /// | `issuers_rest.rejected` ? | the same |
    /// | `unknown_kids.NAME` | tokens whose `kid` is the id of no key, unless a key without an id verified them; cut like issuers |
    /// | `unknown_kids_rest` ? | the sum over all others, like `issuers_rest` |
    /// | `unsupported_crits.NAME` ? | tokens rejected for a `crit` with this name, which is not understood; cut like issuers. Of a `crit` with more than eight names only the first are counted |
    /// | `unsupported_crits_rest` ? | the sum over all others, like `issuers_rest` |
    /// | `expiry.expired.BUCKET` | tokens with a verified signature, by `exp`, without leeway. `within_minute`, `_hour`, `_day`, `_week`, `_month` and `_year` are 60, 3,600, 86,400, 604,800, 2,592,000 and 31,536,000 seconds; the rest is `beyond_year`. A token is in the first bucket that it fits. Here `exp` is on or before `now`, by less than that |
    /// | `expiry.unexpired.BUCKET` | `exp` is after `now`, by no more than that |
    /// | `expiry.none` | tokens without a usable `exp` |
    /// | `uses.first` ? | with `--time`: when the first token was used, or null. `valid`, `rejected`, `reasons` and the exit code are then those at the time of use; a token whose record has no readable time is judged at `now` |
    /// | `uses.last` ? | when the last token was used, or null |
    /// | `uses.timed.valid` ? | tokens that were judged at the time of their use |
    /// | `uses.timed.rejected` ? | the same |
    /// | `uses.untimed` ? | tokens without a readable time |
    /// | `uses.assumed_zone` ? | tokens whose time had no zone, so that `--time-zone` was taken |
    /// | `uses.assumed_year` ? | tokens whose time had no year, so that the latest was taken which is not after `now` |
    /// | `uses.now.valid` ? | all tokens, by the verdict at `now`: these are still valid |
    /// | `uses.now.rejected` ? | the same |
    /// | `uses.reasons_now.CODE` ? | like `reasons`, at `now` |
    /// | `uses.after_expiry.BUCKET` ? | tokens used after they had expired, by how long after `exp`, in the buckets of `expiry` |
    /// | `uses.before_nbf` ? | tokens used before their `nbf` |
    /// | `uses.before_iat` ? | tokens issued after they were used, by their `iat` |
    /// | `uses.interval_s` ? | the width in seconds of the intervals of `timeline` |
    /// | `uses.timeline.start` ? | `timeline` is an array of the intervals with a use; when it begins |
    /// | `uses.timeline.valid` ? | uses in it |
    /// | `uses.timeline.rejected` ? | the same |
    /// | `findings.CODE` | tokens with this [`Finding`](crate::Finding), which does not affect the verdict |
    /// | `set_aside.origin` | `set_aside` is an array of the keys that can verify nothing; the file of the key |
    /// | `set_aside.index` | the key's index in its set or file, from 0, or null where the file as a whole is unusable |
    /// | `set_aside.kid` | its id, or null |
    /// | `set_aside.member` | the member of the JWK at fault, or null where the key as a whole is at fault |
    /// | `set_aside.why` | what is wrong with it |
    /// | `other_readings.key` ? | where a secret verified nothing and another reading of its text would verify tokens, which is never done: an array; the [`Key::name`](crate::Key::name) of the secret |
    /// | `other_readings.reading` | what the other reading is, for people |
    /// | `other_readings.verifies` | how many of `tokens` it would verify |
    /// | `other_readings.tokens` | how many tokens were tried: the first of the run that the secret could have signed, at most 40 |
    /// | `other_readings.advice` | the option that gives the secret so, after a command where the file has to be changed |
    /// | `kid_hint_would_verify.verifies` ? | where tokens were rejected whose `kid` names no key, and `--kid-hint` would verify the signatures of some: of how many of `tokens` |
    /// | `kid_hint_would_verify.tokens` ? | how many tokens were tried: the first of the run that were rejected so, at most 40 |
    /// | `kid_hint_would_verify.first.file` ? | the first token that it would verify, like `samples` |
    /// | `kid_hint_would_verify.first.line` ? | the same |
    /// | `kid_hint_would_verify.first.offset` ? | the same |
    /// | `kid_hint_would_verify.first.sha256` ? | the same |
    /// | `duplicate_kids` | the ids that several keys share; each of these keys was tried |
    /// | `samples.CODE.file` | for each reason an array of the first five tokens, by input and offset; the input's name |
    /// | `samples.CODE.line` | the line, from 1 |
    /// | `samples.CODE.offset` | the byte offset of the token, from 0 |
    /// | `samples.CODE.sha256` ? | the first 16 hexadecimal digits of the token's SHA-256; not for a line that was too long to keep |
    /// | `finding_samples.CODE.file` ? | for each finding an array of the first five tokens, like `samples` |
    /// | `finding_samples.CODE.line` ? | the same |
    /// | `finding_samples.CODE.offset` ? | the same |
    /// | `finding_samples.CODE.sha256` ? | the same |
    /// | `elapsed_s` | the duration of the run in seconds: the only member that differs between equal runs |
    ///
    /// Reports of one `schema`, `policy` and `now` can be merged: counts are added, and the first
    /// five samples kept. Where one has an `issuers_rest`, the issuers of the other whose SHA-256 is
    /// larger than that of every issuer it lists are added to `issuers_rest`; likewise unknown kids
    /// and names in `crit`.
    ///
    /// Control characters, characters that change the writing direction, and line separators are
    /// written as `\uXXXX`. A report contains no token, no secret and no hash of a secret.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_json(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        let mut serializer = serde_json::Serializer::with_formatter(&mut out, Layout::default());
        Document::new(self).serialize(&mut serializer)?;
        out.write_all(b"\n")?;
        out.flush()
    }
}

/// The whole report. The order of the fields is the order of the members, here and below.
#[derive(serde::Serialize)]
struct Document<'r> {
    schema: &'static str,
    complete: bool,
    tool: Tool,
    now: String,
    policy: PolicySection<'r>,
    unchecked: Vec<&'static str>,
    inputs: Vec<InputMembers<'r>>,
    tokens: u64,
    valid: u64,
    rejected: u64,
    blank_lines: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    distinct: Option<DistinctMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<SampledMembers>,
    bytes: u64,
    reasons: Entries<&'static str, u64>,
    algs: Entries<&'static str, CountsMembers>,
    keys: Entries<&'r str, KeyMembers<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extended_key_usages: Option<Entries<&'r str, u64>>,
    issuers: Entries<&'r str, CountsMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuers_rest: Option<CountsMembers>,
    unknown_kids: Entries<&'r str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_kids_rest: Option<u64>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    unsupported_crits: Entries<&'r str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported_crits_rest: Option<u64>,
    expiry: Expiry,
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<UsesMembers>,
    findings: Entries<&'static str, u64>,
    set_aside: Vec<UnusableKeyMembers<'r>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    other_readings: Vec<OtherReadingMembers<'r>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid_hint_would_verify: Option<KidHintMembers<'r>>,
    duplicate_kids: Vec<&'r str>,
    samples: Entries<&'static str, Vec<SampleMembers<'r>>>,
    #[serde(skip_serializing_if = "Entries::is_empty")]
    finding_samples: Entries<&'static str, Vec<SampleMembers<'r>>>,
    elapsed_s: f64,
}

#[derive(serde::Serialize)]
struct SampledMembers {
    one_in: u64,
    left_out: u64,
}

#[derive(serde::Serialize)]
struct DistinctMembers {
    estimate: u64,
    standard_error: f64,
}

#[derive(serde::Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

/// One policy, or several with what they share.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum PolicySection<'r> {
    One(Box<PolicyMembers<'r>>),
    Several {
        issuers: Vec<&'r str>,
        max_token_bytes: usize,
        by_issuer: Vec<PolicyMembers<'r>>,
    },
}

#[derive(serde::Serialize)]
struct PolicyMembers<'r> {
    issuers: Vec<&'r str>,
    subjects: &'r [String],
    audiences: &'r [String],
    required: Vec<&'r str>,
    typ: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typs: Option<&'r [String]>,
    algorithms: Option<Vec<&'static str>>,
    leeway_s: u64,
    max_age_s: Option<u64>,
    max_lifetime_s: Option<u64>,
    max_token_bytes: usize,
    max_key_tries: usize,
    kid_hint: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claims: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<&'r str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    crit: &'r [Box<str>],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    accept_padding: bool,
}

#[derive(serde::Serialize)]
struct InputMembers<'r> {
    name: &'r str,
    bytes: u64,
    lines: u64,
    error: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grown: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    form_why: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    has_times: bool,
    tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other_credentials: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compression: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    packed_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<&'static str>,
}

#[derive(serde::Serialize)]
struct CountsMembers {
    valid: u64,
    rejected: u64,
}

#[derive(serde::Serialize)]
struct KeyMembers<'r> {
    valid: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weak_for: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    anchor_names: Vec<&'r str>,
}

#[derive(serde::Serialize)]
struct Expiry {
    expired: Entries<String, u64>,
    unexpired: Entries<String, u64>,
    none: u64,
}

#[derive(serde::Serialize)]
struct OtherReadingMembers<'r> {
    key: &'r str,
    reading: String,
    verifies: usize,
    tokens: usize,
    advice: String,
}

impl<'r> OtherReadingMembers<'r> {
    fn new(report: &'r Report, other: OtherReading) -> Self {
        let key = report.validator.keys().get(other.key);
        Self {
            key: key.map_or("", Key::name),
            reading: other.reading,
            verifies: other.verifies,
            tokens: other.tokens,
            advice: redacted(&other.advice).into_owned(),
        }
    }
}

#[derive(serde::Serialize)]
struct KidHintMembers<'r> {
    verifies: usize,
    tokens: usize,
    first: SampleMembers<'r>,
}

#[derive(serde::Serialize)]
struct UnusableKeyMembers<'r> {
    origin: &'r str,
    index: Option<usize>,
    kid: Option<&'r str>,
    member: Option<&'static str>,
    why: &'r str,
}

#[derive(serde::Serialize)]
struct SampleMembers<'r> {
    file: &'r str,
    line: u64,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// An object whose member names are not in the schema. It keeps their order.
struct Entries<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Entries<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<K, V> Entries<K, V> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<V> Entries<&'static str, V> {
    /// Sorts codes, which come in the order of the rules, by name.
    fn sorted(entries: impl Iterator<Item = (&'static str, V)>) -> Self {
        let mut entries: Vec<_> = entries.collect();
        entries.sort_unstable_by_key(|(name, _)| *name);
        Self(entries)
    }
}

impl<'r> Document<'r> {
    fn new(report: &'r Report) -> Self {
        let tally = &report.tally;
        Self {
            schema: REPORT_SCHEMA,
            complete: report.complete,
            tool: Tool {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            },
            now: report.now.to_string(),
            policy: PolicySection::new(report.validator.policies()),
            unchecked: {
                let has_anchor = report.validator.keys().iter().any(Key::is_anchor);
                let revocation = has_anchor.then_some("revocation");
                report.unchecked().into_iter().chain(revocation).collect()
            },
            inputs: inputs(report),
            tokens: tally.tokens.total(),
            valid: tally.tokens.valid,
            rejected: tally.tokens.rejected,
            blank_lines: tally.blank_lines,
            distinct: tally.distinct.as_ref().map(|distinct| DistinctMembers {
                estimate: distinct.estimate(),
                standard_error: Distinct::STANDARD_ERROR,
            }),
            sample: report.sample.map(|sample| SampledMembers {
                one_in: sample.one_in.get(),
                left_out: sample.left_out,
            }),
            bytes: report.bytes(),
            reasons: Entries::sorted(
                (report.reason_counts()).map(|(reason, count)| (reason.code(), count)),
            ),
            algs: Entries::sorted(
                (report.algorithm_counts()).map(|(name, counts)| (name, counts.into())),
            ),
            keys: keys(report),
            extended_key_usages: (!tally.purposes.is_empty()).then(|| totals(&tally.purposes)),
            issuers: Entries(
                (tally.issuers.sorted().into_iter())
                    .map(|(name, counts)| (name, counts.into()))
                    .collect(),
            ),
            issuers_rest: tally.issuers.rest().map(CountsMembers::from),
            unknown_kids: totals(&tally.unknown_kids),
            unknown_kids_rest: tally.unknown_kids.rest().map(Counts::total),
            unsupported_crits: totals(&tally.unsupported_crits),
            unsupported_crits_rest: tally.unsupported_crits.rest().map(Counts::total),
            expiry: Expiry::new(report),
            uses: UsesMembers::of(report),
            findings: Entries::sorted(
                (report.finding_counts()).map(|(finding, count)| (finding.code(), count)),
            ),
            set_aside: (report.validator.keys().unusable_keys().iter())
                .map(UnusableKeyMembers::new)
                .collect(),
            other_readings: (report.other_readings().into_iter())
                .map(|reading| OtherReadingMembers::new(report, reading))
                .collect(),
            kid_hint_would_verify: (report.kid_hint()).map(|hint| KidHintMembers {
                verifies: hint.verifies,
                tokens: hint.tokens,
                first: SampleMembers::new(report, &hint.first),
            }),
            duplicate_kids: report.validator.keys().duplicate_ids(),
            samples: samples(report, &tally.samples, |index| Reason::ALL[index].code()),
            finding_samples: samples(report, &tally.finding_samples, |index| {
                Finding::ALL[index].code()
            }),
            elapsed_s: report.elapsed.as_secs_f64(),
        }
    }
}

impl<'r> PolicySection<'r> {
    fn new(policies: &'r [Policy]) -> Self {
        if let [policy] = policies {
            return Self::One(Box::new(PolicyMembers::new(policy)));
        }
        Self::Several {
            issuers: policies.iter().flat_map(Policy::issuer_names).collect(),
            max_token_bytes: policies.first().map_or(0, Policy::token_limit),
            by_issuer: policies.iter().map(PolicyMembers::new).collect(),
        }
    }
}

impl<'r> PolicyMembers<'r> {
    fn new(policy: &'r Policy) -> Self {
        let names = |set: crate::AlgorithmSet| set.iter().map(Algorithm::name).collect();
        Self {
            issuers: policy.issuer_names().collect(),
            subjects: policy.subjects(),
            audiences: policy.audiences(),
            required: policy.required_names().collect(),
            typ: policy.expected_typs().first().map(String::as_str),
            typs: Some(policy.expected_typs()).filter(|typs| typs.len() > 1),
            algorithms: policy.allowed_algorithms().map(names),
            leeway_s: policy.leeway_seconds(),
            max_age_s: policy.max_age_seconds(),
            max_lifetime_s: policy.max_lifetime_seconds(),
            max_token_bytes: policy.token_limit(),
            max_key_tries: policy.key_limit(),
            kid_hint: policy.takes_kid_as_hint(),
            claims: policy.expected_claims(),
            scopes: policy.expected_scopes().collect(),
            crit: policy.understood_crit(),
            accept_padding: policy.accepts_padding(),
        }
    }
}

impl From<Counts> for CountsMembers {
    fn from(counts: Counts) -> Self {
        Self {
            valid: counts.valid,
            rejected: counts.rejected,
        }
    }
}

impl<'r> UnusableKeyMembers<'r> {
    fn new(key: &'r UnusableKey) -> Self {
        Self {
            origin: &key.origin,
            index: key.index,
            kid: key.kid.as_deref(),
            member: key.member,
            why: &key.why,
        }
    }
}

impl<'r> SampleMembers<'r> {
    fn new(report: &'r Report, sample: &Sample) -> Self {
        Self {
            file: (report.inputs.get(sample.input)).map_or("", |input| &input.name),
            line: sample.line,
            offset: sample.offset,
            sha256: (sample.sha256).map(|digest| format!("{:016x}", u64::from_be_bytes(digest))),
        }
    }
}

impl Expiry {
    fn new(report: &Report) -> Self {
        let (expired, unexpired) = report.tally.expiry.split_at(EXPIRY_EDGES.len() + 1);
        Self {
            // The tally begins in the past; the report begins at `now` in both directions.
            expired: Entries(bucket_names().zip(expired.iter().rev().copied()).collect()),
            unexpired: Entries(bucket_names().zip(unexpired.iter().copied()).collect()),
            none: report.tally.no_expiry,
        }
    }
}

/// The names of the buckets on one side of an instant, from it on.
fn bucket_names() -> impl Iterator<Item = String> {
    let within = EXPIRY_EDGES.iter().map(|edge| format!("within_{}", edge.1));
    let beyond = EXPIRY_EDGES.last().map(|edge| format!("beyond_{}", edge.1));
    within.chain(beyond)
}

fn totals(counts: &NameCounts) -> Entries<&str, u64> {
    let total = |(name, counts): (_, Counts)| (name, counts.total());
    Entries(counts.sorted().into_iter().map(total).collect())
}

fn inputs<'r>(report: &'r Report) -> Vec<InputMembers<'r>> {
    let members = report.inputs.iter().map(|input| InputMembers {
        name: &input.name,
        bytes: input.bytes,
        lines: input.lines,
        error: input.error.as_deref(),
        grown: (input.grown > 0).then_some(input.grown),
        cut_line: input.has_cut_line.then_some(input.lines),
        form: input.form.map(|choice| choice.form.name()),
        form_why: input.form.map(|choice| choice.why),
        has_times: input.has_times,
        tokens: input.tokens,
        cut_tokens: (input.cut_tokens > 0).then_some(input.cut_tokens),
        other_credentials: (input.other_credentials > 0).then_some(input.other_credentials),
        compression: input.compression.map(Compression::name),
        packed_bytes: input.compression.map(|_| input.packed_bytes),
        encoding: input.encoding,
    });
    members.collect()
}

fn keys<'r>(report: &'r Report) -> Entries<&'r str, KeyMembers<'r>> {
    let members = |(name, key): (&'r str, KeySummary<'r>)| {
        let weak_for = key.weak_for.iter().map(Algorithm::name).collect();
        let Counts { valid, rejected } = key.counts;
        let members = KeyMembers {
            valid,
            rejected,
            weak_for,
            findings: key.findings.iter().map(|finding| finding.code()).collect(),
            anchor_names: key.anchor_names,
        };
        (name, members)
    };
    Entries(report.keys_by_name().into_iter().map(members).collect())
}

fn samples<'r>(
    report: &'r Report,
    all: &'r [Vec<Sample>],
    code: impl Fn(usize) -> &'static str,
) -> Entries<&'static str, Vec<SampleMembers<'r>>> {
    let members = |sample: &Sample| SampleMembers::new(report, sample);
    let all = all.iter().enumerate();
    Entries::sorted(
        all.filter(|(_, samples)| !samples.is_empty())
            .map(|(index, samples)| (code(index), samples.iter().map(members).collect())),
    )
}

#[cfg(test)]
mod tests;
