//! The report as JSON: schema `jotmill.report/1`.
//!
//! This file owns the names and the order of the members, which are API, and how they are laid
//! out in lines. What is counted is decided in `tally.rs`, and the text for people is `text.rs`.
//!
//! A structure of borrowed values mirrors the schema, so that serde writes it without a copy of
//! the whole; the schema itself is described once, at [`Report::write_json`], and a test holds
//! that table against a report.

use std::io::{self, BufWriter, Write};

use serde::ser::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::tally::{EXPIRY_EDGES, Sample};
use super::{Counts, Distinct, KeySum, NameCounts, Report};
use crate::display::is_deceptive;
use crate::key::UnusableKey;
use crate::policy::Policy;
use crate::signature::{Algorithm, REGISTERED};
use crate::verdict::{Finding, Reason};

/// The name of the schema that [`Report::write_json`] writes. Members may be added under this
/// name; none is removed or changes its meaning.
pub const REPORT_SCHEMA: &str = "jotmill.report/1";

impl Report {
    /// Writes the report as one JSON object and a line feed.
    ///
    /// Members come in the order of this table. A name in capitals stands for names that the run
    /// gives, sorted by their UTF-8 bytes. Members marked `?` are left out where there is nothing
    /// to say; `null` means that there is none of it. Counts are whole numbers of at most 64 bits.
    /// `valid` and `rejected` count tokens wherever they occur.
    ///
    /// | member | what it holds |
    /// |---|---|
    /// | `schema` | `jotmill.report/1` |
    /// | `complete` | whether every line of every input was judged |
    /// | `tool.name` | `jotmill` |
    /// | `tool.version` | the version that judged |
    /// | `now` | the moment that times were judged against: RFC 3339 in UTC, with as many digits of a second as it has and no more, so that equal moments are equal strings. `--now` takes it back |
    /// | `policy.issuers` | the expected issuers; `[]`: `iss` was not compared |
    /// | `policy.subjects` | the expected subjects; `[]`: `sub` was not compared |
    /// | `policy.audiences` | the expected audiences; `[]`: `aud` was not compared |
    /// | `policy.required` | the claims that a token must have: the registered ones in the order of RFC 7519, then others in the order given |
    /// | `policy.typ` | the expected media type, or null |
    /// | `policy.algorithms` | the allow-list, or null where the keys decided |
    /// | `policy.leeway_s` | what clocks were forgiven, in seconds |
    /// | `policy.max_age_s` | the maximal age in seconds, or null |
    /// | `policy.max_lifetime_s` | the maximal lifetime in seconds, or null |
    /// | `policy.max_token_bytes` | the longest line that was taken as a token |
    /// | `policy.max_key_tries` | how many keys were tried on one token at most |
    /// | `policy.kid_hint` | whether `kid` was a hint alone, and other keys were tried as well |
    /// | `policy.by_issuer` ? | with several policies: an array of them in the order given, each with the members above; `policy` itself then has `issuers`, those of all, and `max_token_bytes`, and none of the others |
    /// | `unchecked` | the checks that were not made, under one of several policies at least, because no value was expected: `issuer`, `audience`, `typ` |
    /// | `inputs.name` | the input as it was given; `inputs` is an array in the order given |
    /// | `inputs.bytes` | how many of its bytes were judged |
    /// | `inputs.lines` | how many of its lines were judged |
    /// | `inputs.error` | why it was not judged to its end, or null |
    /// | `inputs.grown` ? | by how many bytes it grew after it was opened; these were not judged |
    /// | `tokens` | all tokens: `valid` + `rejected` |
    /// | `valid` | tokens whose signature held and whose claims all passed |
    /// | `rejected` | all others |
    /// | `blank_lines` | lines without a token, which are no tokens |
    /// | `distinct.estimate` ? | about how many tokens differ, if that was asked for; lines that were too long are not among them |
    /// | `distinct.standard_error` ? | the standard deviation of the estimate, relative to the true number |
    /// | `bytes` | the sum of `inputs.bytes` |
    /// | `reasons.CODE` | how often a token was rejected for this [`Reason`]; a token may have several. Reasons that did not occur are left out |
    /// | `algs.NAME.valid` | by the header's `alg`: names registered with IANA, and `other` for everything else. Tokens whose `alg` could not be read are in none |
    /// | `algs.NAME.rejected` | the same |
    /// | `keys.NAME.valid` | by the key that verified the signature. Every key is listed, those that verified nothing too, and each has a name of its own: see [`Key::name`](crate::Key::name) |
    /// | `keys.NAME.rejected` | tokens whose signature held under it, rejected for what they say |
    /// | `keys.NAME.weak_for` ? | the algorithms that it and the policy allow and whose hash is longer than its secret (RFC 7518 section 3.2) |
    /// | `keys.NAME.findings` ? | what makes it weak, by the codes of [`KeyFinding`](crate::KeyFinding) |
    /// | `issuers.NAME.valid` | by `iss`, of the tokens whose signature held. Names over 256 bytes are cut and end in `…` |
    /// | `issuers.NAME.rejected` | the same |
    /// | `issuers_rest.valid` ? | there were more than [`MAX_NAMES`](super::MAX_NAMES) issuers: `issuers` holds exact counts of those with the smallest SHA-256, and this is the sum over all others |
    /// | `issuers_rest.rejected` ? | the same |
    /// | `unknown_kids.NAME` | how many tokens for which a key was looked for by this `kid`, which is the id of none. Those that a key without an id verified are not among them; cut like issuers |
    /// | `unknown_kids_rest` ? | the sum over further kids, like `issuers_rest` |
    /// | `expiry.expired.BUCKET` | by `exp`, of the tokens whose signature held, without leeway. `within_minute`, `_hour`, `_day`, `_week`, `_month` and `_year` are 60, 3,600, 86,400, 604,800, 2,592,000 and 31,536,000 seconds; the rest is `beyond_year`. A token is in the first bucket that it fits. Here: `exp` is on or before `now`, by less than that |
    /// | `expiry.unexpired.BUCKET` | `exp` is after `now`, by no more than that |
    /// | `expiry.none` | tokens without a usable `exp` |
    /// | `findings.CODE` | how often something was found beside the verdict, by the code of a [`Finding`] |
    /// | `set_aside.origin` | `set_aside` is an array of the keys that could not be used; the file that holds the key set |
    /// | `set_aside.index` | the key's index in its set or file, from 0, or null where no key could be made out in the file |
    /// | `set_aside.kid` | its id, or null |
    /// | `set_aside.member` | the member of the JWK at fault, or null where it is the key as a whole |
    /// | `set_aside.why` | what is wrong with it |
    /// | `duplicate_kids` | the ids that more than one key goes by; each of these keys was tried |
    /// | `samples.CODE.file` | for each reason an array of its first five places, by input and offset; the input's name |
    /// | `samples.CODE.line` | the line, from 1 |
    /// | `samples.CODE.offset` | the byte offset of the token, from 0 |
    /// | `samples.CODE.sha256` ? | the first 16 hexadecimal digits of the token's SHA-256; not for a line that was too long to keep |
    /// | `elapsed_s` | how long the run took, in seconds: the only member that depends on time |
    ///
    /// Reports of one `schema`, `policy` and `now` can be merged: counts are added, and the first
    /// five samples kept. Where one has an `issuers_rest`, the names of the other whose SHA-256 is
    /// larger than that of every name it lists move to the sum; the same goes for unknown kids.
    ///
    /// Control characters, characters that change the direction of writing, and separators of
    /// lines are written as `\uXXXX`. No token, no secret and no hash of a secret is in it.
    ///
    /// # Errors
    /// What `out` gives.
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
    bytes: u64,
    reasons: Entries<&'static str, u64>,
    algs: Entries<&'static str, CountsMembers>,
    keys: Entries<&'r str, KeyMembers>,
    issuers: Entries<&'r str, CountsMembers>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuers_rest: Option<CountsMembers>,
    unknown_kids: Entries<&'r str, u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown_kids_rest: Option<u64>,
    expiry: Expiry,
    findings: Entries<&'static str, u64>,
    set_aside: Vec<SetAsideMembers<'r>>,
    duplicate_kids: Vec<&'r str>,
    samples: Entries<&'static str, Vec<SampleMembers<'r>>>,
    elapsed_s: f64,
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

/// One policy is told as it is; of several, what they share and then each.
#[derive(serde::Serialize)]
#[serde(untagged)]
enum PolicySection<'r> {
    One(PolicyMembers<'r>),
    Several {
        issuers: Vec<&'r str>,
        max_token_bytes: usize,
        by_issuer: Vec<PolicyMembers<'r>>,
    },
}

#[derive(serde::Serialize)]
struct PolicyMembers<'r> {
    issuers: &'r [String],
    subjects: &'r [String],
    audiences: &'r [String],
    required: Vec<&'r str>,
    typ: Option<&'r str>,
    algorithms: Option<Vec<&'static str>>,
    leeway_s: u64,
    max_age_s: Option<u64>,
    max_lifetime_s: Option<u64>,
    max_token_bytes: usize,
    max_key_tries: usize,
    kid_hint: bool,
}

#[derive(serde::Serialize)]
struct InputMembers<'r> {
    name: &'r str,
    bytes: u64,
    lines: u64,
    error: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grown: Option<u64>,
}

#[derive(serde::Serialize)]
struct CountsMembers {
    valid: u64,
    rejected: u64,
}

#[derive(serde::Serialize)]
struct KeyMembers {
    valid: u64,
    rejected: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    weak_for: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    findings: Vec<&'static str>,
}

#[derive(serde::Serialize)]
struct Expiry {
    expired: Entries<String, u64>,
    unexpired: Entries<String, u64>,
    none: u64,
}

#[derive(serde::Serialize)]
struct SetAsideMembers<'r> {
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

/// An object whose member names are not known to the schema, in the order in which they stand.
struct Entries<K, V>(Vec<(K, V)>);

impl<K: Serialize, V: Serialize> Serialize for Entries<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<V> Entries<&'static str, V> {
    /// Codes, which come in the order of the rules, in the order of their names.
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
            unchecked: report.unchecked(),
            inputs: inputs(report),
            tokens: tally.tokens.total(),
            valid: tally.tokens.valid,
            rejected: tally.tokens.rejected,
            blank_lines: tally.blank_lines,
            distinct: tally.distinct.as_ref().map(|distinct| DistinctMembers {
                estimate: distinct.estimate(),
                standard_error: Distinct::STANDARD_ERROR,
            }),
            bytes: report.bytes(),
            reasons: Entries::sorted(counted(
                Reason::ALL.iter().map(|reason| reason.code()),
                &tally.reasons,
            )),
            algs: algs(report),
            keys: keys(report),
            issuers: Entries(
                (tally.issuers.sorted().into_iter())
                    .map(|(name, counts)| (name, counts.into()))
                    .collect(),
            ),
            issuers_rest: tally.issuers.rest().map(CountsMembers::from),
            unknown_kids: totals(&tally.unknown_kids),
            unknown_kids_rest: tally.unknown_kids.rest().map(Counts::total),
            expiry: Expiry::new(report),
            findings: Entries::sorted(counted(
                Finding::ALL.iter().map(|finding| finding.code()),
                &tally.findings,
            )),
            set_aside: (report.validator.keys().unusable_keys().iter())
                .map(SetAsideMembers::new)
                .collect(),
            duplicate_kids: report.validator.keys().duplicate_ids(),
            samples: samples(report),
            elapsed_s: report.elapsed.as_secs_f64(),
        }
    }
}

impl<'r> PolicySection<'r> {
    fn new(policies: &'r [Policy]) -> Self {
        if let [policy] = policies {
            return Self::One(PolicyMembers::new(policy));
        }
        let issuers = policies.iter().flat_map(Policy::issuers);
        Self::Several {
            issuers: issuers.map(String::as_str).collect(),
            max_token_bytes: policies.first().map_or(0, Policy::token_limit),
            by_issuer: policies.iter().map(PolicyMembers::new).collect(),
        }
    }
}

impl<'r> PolicyMembers<'r> {
    fn new(policy: &'r Policy) -> Self {
        let names = |set: crate::AlgorithmSet| set.iter().map(Algorithm::name).collect();
        Self {
            issuers: policy.issuers(),
            subjects: policy.subjects(),
            audiences: policy.audiences(),
            required: policy.required_names().collect(),
            typ: policy.expected_typ(),
            algorithms: policy.allowed_algorithms().map(names),
            leeway_s: policy.leeway_seconds(),
            max_age_s: policy.max_age_seconds(),
            max_lifetime_s: policy.max_lifetime_seconds(),
            max_token_bytes: policy.token_limit(),
            max_key_tries: policy.key_limit(),
            kid_hint: policy.takes_kid_as_hint(),
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

impl<'r> SetAsideMembers<'r> {
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

impl Expiry {
    fn new(report: &Report) -> Self {
        let (expired, unexpired) = report.tally.expiry.split_at(EXPIRY_EDGES.len() + 1);
        let names = || {
            let within = EXPIRY_EDGES.iter().map(|edge| format!("within_{}", edge.1));
            let beyond = EXPIRY_EDGES.last().map(|edge| format!("beyond_{}", edge.1));
            within.chain(beyond)
        };
        Self {
            // The tally counts from long ago on; the report counts from `now` on, on either side.
            expired: Entries(names().zip(expired.iter().rev().copied()).collect()),
            unexpired: Entries(names().zip(unexpired.iter().copied()).collect()),
            none: report.tally.no_expiry,
        }
    }
}

/// What occurred, with how often it did.
fn counted<'c>(
    codes: impl Iterator<Item = &'static str> + 'c,
    counts: &'c [u64],
) -> impl Iterator<Item = (&'static str, u64)> + 'c {
    codes
        .zip(counts.iter().copied())
        .filter(|(_, count)| *count > 0)
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
    });
    members.collect()
}

fn algs(report: &Report) -> Entries<&'static str, CountsMembers> {
    let named = REGISTERED.into_iter().chain(["other"]);
    let occurring = named
        .zip(report.tally.algs)
        .filter(|(_, counts)| counts.total() > 0);
    Entries::sorted(occurring.map(|(name, counts)| (name, counts.into())))
}

fn keys(report: &Report) -> Entries<&str, KeyMembers> {
    let members = |(name, sum): (_, KeySum)| {
        let weak_for = sum.weak_for.iter().map(Algorithm::name).collect();
        let Counts { valid, rejected } = sum.counts;
        let members = KeyMembers {
            valid,
            rejected,
            weak_for,
            findings: sum.findings.iter().map(|finding| finding.code()).collect(),
        };
        (name, members)
    };
    Entries(report.keys_by_name().into_iter().map(members).collect())
}

fn samples<'r>(report: &'r Report) -> Entries<&'static str, Vec<SampleMembers<'r>>> {
    let members = |sample: &Sample| SampleMembers {
        file: (report.inputs.get(sample.input)).map_or("", |input| &input.name),
        line: sample.line,
        offset: sample.offset,
        sha256: (sample.sha256).map(|digest| format!("{:016x}", u64::from_be_bytes(digest))),
    };
    let with_places = Reason::ALL.iter().zip(&report.tally.samples);
    Entries::sorted(
        with_places
            .filter(|(_, places)| !places.is_empty())
            .map(|(reason, places)| (reason.code(), places.iter().map(members).collect())),
    )
}

/// One line for each member of the report and each entry of a member, whatever the entry holds:
/// lines that eyes, `grep` and `diff` can use.
#[derive(Default)]
struct Layout {
    depth: usize,
    is_empty: bool,
}

impl Layout {
    /// Values at this depth and above stand on lines of their own.
    const LINES: usize = 2;

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(bracket)
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, is_first: bool) -> io::Result<()> {
        if self.depth <= Self::LINES {
            out.write_all(if is_first { b"\n" } else { b",\n" })?;
            return self.indent(out);
        }
        out.write_all(if is_first { b"" } else { b", " })
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !std::mem::take(&mut self.is_empty) && self.depth < Self::LINES {
            out.write_all(b"\n")?;
            self.indent(out)?;
        }
        out.write_all(bracket)
    }

    fn indent<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
    }
}

impl Formatter for Layout {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _out: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    /// Escapes what JSON would allow and a terminal should not see. All of it lies in the basic
    /// plane, so one escape a character is enough.
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((position, c)) = rest.char_indices().find(|(_, c)| is_deceptive(*c)) {
            out.write_all(&rest.as_bytes()[..position])?;
            write!(out, "\\u{:04x}", u32::from(c))?;
            rest = &rest[position + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests;
