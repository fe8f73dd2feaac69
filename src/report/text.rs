//! The report as text, for people at a terminal of 80 columns.
//!
//! Owns the sections, their order and their words. The layout is left to `text/layout.rs`, the
//! counts to `tally.rs`. Colour adds escape sequences and changes nothing else. Elapsed time and
//! speed share one line; all others are the same for every run over the same input.

mod layout;
mod sections;
mod tables;
mod uses;

use std::cmp::Reverse;
use std::io::{self, Write};

use layout::{Page, Span, Tone};
use layout::{duration, elapsed, grouped, per_second, plural, scaled_bytes, share, shown};

use super::{Counts, Distinct, InputReport, Report};
use crate::policy::{DEFAULT_MAX_KEY_TRIES, DEFAULT_MAX_TOKEN_BYTES, Policy};
use crate::signature::Algorithm;

/// How many names a table lists; half as many for unknown kids and keys.
const NAMES: usize = 10;
/// How many names a sentence lists.
const FEW: usize = 3;
/// The longest name in a sentence, in characters.
const SHORT: usize = 48;
/// How many policies are listed one by one.
const POLICIES: usize = 10;
/// The width in columns of the labels of the lines on the run and the policy.
const LABEL: usize = 9;

/// How the text report looks.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Adds ANSI colours; without them the text is the same.
    pub color: bool,
    /// The width of the page in columns, at least 60.
    pub width: usize,
}

impl Default for TextOptions {
    /// 80 columns without colour.
    fn default() -> Self {
        Self {
            color: false,
            width: 80,
        }
    }
}

impl Report {
    /// Writes the report as text, in UTF-8.
    ///
    /// Empty sections are left out. Names of tokens, files and keys are shortened in the middle to
    /// fit, and characters in them that could deceive a reader or a terminal are written as `\uXXXX`.
    /// The text may change between versions; programs read [`Report::write_json`].
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_text(&self, out: &mut dyn Write, options: &TextOptions) -> io::Result<()> {
        let largest = self.tally.tokens.total().max(self.lines());
        let mut page = Page::new(options.color, options.width, largest);
        self.headline(&mut page);
        self.basis(&mut page);
        self.inputs(&mut page);
        self.reasons(&mut page);
        self.algorithms(&mut page);
        self.keys(&mut page);
        self.issuers(&mut page);
        self.unknown_kids(&mut page);
        self.unsupported_crits(&mut page);
        self.uses(&mut page);
        self.expiry(&mut page);
        self.findings(&mut page);
        self.not_judged(&mut page);
        out.write_all(page.into_text().as_bytes())
    }

    fn lines(&self) -> u64 {
        self.inputs.iter().map(|input| input.lines).sum()
    }

    fn failed_inputs(&self) -> impl Iterator<Item = &str> {
        self.inputs
            .iter()
            .filter_map(|input| input.error.as_deref())
    }

    /// The counts in a sentence, and the speed.
    fn headline(&self, page: &mut Page) {
        if !self.complete {
            let why = self.why_incomplete();
            page.paragraph("", 0, &[bad("INCOMPLETE: "), (Tone::Warning, why)]);
        }
        page.paragraph("", 0, &self.verdict());
        let mut speed = elapsed(self.elapsed);
        let tokens = per_second(self.tally.tokens.total(), self.elapsed);
        let bytes = per_second(self.bytes(), self.elapsed);
        if let (Some(tokens), Some(bytes)) = (tokens, bytes) {
            let (tokens, bytes) = (grouped(tokens), scaled_bytes(bytes));
            speed.push_str(&format!(": {tokens} tokens/s, {bytes}/s"));
        }
        page.paragraph("", 0, &[faint(speed)]);
    }

    fn why_incomplete(&self) -> String {
        let mut failed = self.failed_inputs();
        match (failed.next(), failed.count()) {
            (None, _) => match &self.ended_by {
                Some(cause) => cause.clone(),
                None => "the run ended before the end of its input".to_owned(),
            },
            (Some(error), 0) => shown(error, usize::MAX),
            (Some(_), more) => format!(
                "{} of {} inputs were not judged to their end (see below)",
                grouped(more as u64 + 1),
                grouped(self.inputs.len() as u64),
            ),
        }
    }

    fn verdict(&self) -> Vec<Span> {
        let Counts { valid, rejected } = self.tally.tokens;
        let total = self.tally.tokens.total();
        let tokens = plural(total, "token");
        // Without the rest of the input, "all valid" must not read as the final result.
        let so_far = match (self.complete, &self.ended_by) {
            (true, _) => "",
            (false, None) if self.failed_inputs().next().is_some() => "Of the rest, ",
            (false, _) => "Until then, ",
        };
        let mut text = vec![(Tone::Heading, so_far.to_owned())];
        match (valid, rejected) {
            (0, 0) if self.sample.is_some_and(|it| it.left_out > 0) => {
                text.push(heading("no tokens: none is in the sample"));
            }
            (0, 0) if self.lines() == 0 => text.push(heading("no tokens: the input is empty")),
            (0, 0) if self.lines() == self.tally.blank_lines => {
                text.push(heading("no tokens: only blank lines"));
            }
            (0, 0) => text.push(heading("no tokens")),
            (1, 0) => text.push((Tone::Good, "1 token, valid".to_owned())),
            (0, 1) => text.push(bad("1 token, rejected")),
            (_, 0) => text.push((Tone::Good, format!("{tokens}, all valid"))),
            (0, _) => text.push(bad(&format!("{tokens}, all rejected"))),
            _ => {
                let words =
                    |part, what| format!("{} {what} ({})", grouped(part), share(part, total));
                text.push((Tone::Heading, format!("{tokens}: ")));
                text.push((Tone::Good, words(valid, "valid")));
                text.push(heading(", "));
                text.push(bad(&words(rejected, "rejected")));
            }
        }
        text
    }

    /// The input, the instant and the policies.
    fn basis(&self, page: &mut Page) {
        page.blank();
        let mut read = plural(self.lines(), "line");
        if self.tally.blank_lines > 0 {
            read.push_str(&format!(" ({} blank)", grouped(self.tally.blank_lines)));
        }
        read.push_str(&format!(", {}", plural(self.bytes(), "byte")));
        match &self.inputs[..] {
            [] => {}
            [input] => read.push_str(&format!(" from {}", shown(input.label(), SHORT))),
            inputs => read.push_str(&format!(" from {} inputs", grouped(inputs.len() as u64))),
        }
        page.paragraph("read", LABEL, &[plain(read)]);
        self.forms(page);
        if let Some(distinct) = &self.tally.distinct {
            let distinct = format!(
                "about {} (standard error {:.1}%)",
                plural(distinct.estimate(), "distinct token"),
                100.0 * Distinct::STANDARD_ERROR
            );
            page.paragraph("", LABEL, &[plain(distinct)]);
        }
        let now = self.now;
        let now = format!("{now}, by jotmill {}", env!("CARGO_PKG_VERSION"));
        page.paragraph("as of", LABEL, &[plain(now)]);
        let policies = self.validator.policies();
        let listed = policies.iter().take(POLICIES).map(summary);
        for (index, text) in listed.enumerate() {
            let label = if index == 0 { "policy" } else { "" };
            page.paragraph(label, LABEL, &[plain(text)]);
        }
        if policies.len() > POLICIES {
            let more = plural((policies.len() - POLICIES) as u64, "more issuer");
            let more = format!("and {more}, each with its own policy");
            page.paragraph("", LABEL, &[plain(more)]);
        }
        self.anchors(page);
    }

    /// The anchors, whose chains give keys.
    fn anchors(&self, page: &mut Page) {
        let anchors = || self.validator.keys().iter().filter(|key| key.is_anchor());
        for (index, anchor) in anchors().take(POLICIES).enumerate() {
            let label = if index == 0 { "anchors" } else { "" };
            let names: Vec<String> = anchor.anchor_names().map(|it| shown(it, SHORT)).collect();
            let names = few(names.iter().map(String::as_str), names.len(), " or ");
            let (name, origin) = (anchor.name(), shown(anchor.origin(), SHORT));
            let text = format!("{name}, {origin}: the chains of {names}");
            page.paragraph(label, LABEL, &[plain(text)]);
        }
        let count = anchors().count();
        if count > POLICIES {
            let more = plural((count - POLICIES) as u64, "more anchor");
            page.paragraph("", LABEL, &[plain(format!("and {more}"))]);
        }
        if count > 0 {
            let text = "the revocation of certificates is not checked".to_owned();
            page.paragraph("", LABEL, &[(Tone::Warning, text)]);
        }
        let purposes = self.tally.purposes.sorted();
        if !purposes.is_empty() {
            let each = |(name, counts): &(&str, Counts)| {
                format!("{name} ({})", plural(counts.total(), "token"))
            };
            let all: Vec<String> = purposes.iter().map(each).collect();
            let all = few(all.iter().map(String::as_str), all.len(), ", ");
            let text = format!("extended key usage of their signers: {all}");
            page.paragraph("", LABEL, &[plain(text)]);
        }
    }
}

/// A policy in one sentence.
fn summary(policy: &Policy) -> String {
    let mut parts = Vec::new();
    let issuers: Vec<&str> = policy.issuer_names().collect();
    fn all(names: &[String]) -> Vec<&str> {
        names.iter().map(String::as_str).collect()
    }
    let claims = policy.expected_claims();
    for (what, expected, separator) in [
        ("issuer", issuers, " or "),
        ("subject", all(policy.subjects()), " or "),
        ("audience", all(policy.audiences()), " or "),
        ("typ", all(policy.expected_typs()), " or "),
        ("claim", all(&claims), ", "),
        ("scope", policy.expected_scopes().collect(), ", "),
    ] {
        if !expected.is_empty() {
            let names = few(expected.iter().copied(), expected.len(), separator);
            parts.push(format!("{what} {names}"));
        }
    }
    let crit = policy.understood_crit();
    if !crit.is_empty() {
        let names = few(crit.iter().map(AsRef::as_ref), crit.len(), ", ");
        parts.push(format!("crit understood: {names}"));
    }
    if policy.accepts_padding() {
        parts.push("padding accepted".to_owned());
    }
    if let Some(allowed) = policy.allowed_algorithms() {
        let names: Vec<&str> = allowed.iter().map(Algorithm::name).collect();
        parts.push(format!("algorithms {}", names.join(", ")));
    }
    let required: Vec<String> = policy
        .required_names()
        .map(|name| shown(name, SHORT))
        .collect();
    if !required.is_empty() {
        parts.push(format!("required {}", required.join(", ")));
    }
    for (name, seconds) in [
        ("max age", policy.max_age_seconds()),
        ("max lifetime", policy.max_lifetime_seconds()),
    ] {
        parts.extend(seconds.map(|seconds| format!("{name} {}", duration(seconds))));
    }
    if policy.token_limit() != DEFAULT_MAX_TOKEN_BYTES {
        let limit = grouped(policy.token_limit() as u128);
        parts.push(format!("at most {limit} bytes a token"));
    }
    if policy.key_limit() != DEFAULT_MAX_KEY_TRIES {
        let limit = grouped(policy.key_limit() as u128);
        parts.push(format!("at most {limit} keys tried a token"));
    }
    if policy.takes_kid_as_hint() {
        parts.push("kid as a hint".to_owned());
    }
    parts.push(match policy.leeway_seconds() {
        0 => "no leeway".to_owned(),
        seconds => format!("leeway {}", duration(seconds)),
    });
    parts.join("; ")
}

impl InputReport {
    /// How the input is stored, unless it is plain text.
    fn stored_as(&self) -> Option<String> {
        let compression = self.compression.map(|compression| {
            let bytes = scaled_bytes(self.packed_bytes.into());
            format!("{}, {bytes}", compression.name())
        });
        match (self.encoding, compression) {
            (Some(encoding), Some(compression)) => Some(format!("{compression}; {encoding}")),
            (Some(encoding), None) => Some(encoding.to_owned()),
            (None, compression) => compression,
        }
    }

    /// The name for people, not yet escaped.
    fn label(&self) -> &str {
        if self.name == "-" {
            "standard input"
        } else {
            &self.name
        }
    }
}

/// Orders names by count; the sort is stable.
fn rank(names: &mut [(&str, Counts)]) {
    names.sort_by_key(|(_, counts)| Reverse(counts.total()));
}

/// The first few of many names, for a sentence.
fn few<'n>(names: impl Iterator<Item = &'n str>, count: usize, separator: &str) -> String {
    // " and 1 more" would be as long as most names.
    let listed = if count == FEW + 1 { count } else { FEW };
    let first: Vec<String> = names.take(listed).map(|name| shown(name, SHORT)).collect();
    let mut text = first.join(separator);
    if count > listed {
        text.push_str(&format!(" and {} more", grouped((count - listed) as u64)));
    }
    text
}

/// The number columns: valid and rejected tokens.
fn counts_row(counts: Counts) -> [Span; 2] {
    [counts.valid, counts.rejected].map(|count| match count {
        0 => faint("0"),
        _ => plain(grouped(count)),
    })
}

/// The number columns: a count and its share.
fn share_row(count: u64, whole: u64) -> [Span; 2] {
    match count {
        0 => [faint("0"), faint(share(0, whole))],
        _ => [plain(grouped(count)), plain(share(count, whole))],
    }
}

/// The number columns of a row without numbers.
fn blank_row() -> [Span; 2] {
    [plain(""), plain("")]
}

fn plain(text: impl Into<String>) -> Span {
    (Tone::Plain, text.into())
}

fn faint(text: impl Into<String>) -> Span {
    (Tone::Faint, text.into())
}

fn heading(text: &str) -> Span {
    (Tone::Heading, text.to_owned())
}

fn bad(text: &str) -> Span {
    (Tone::Bad, text.to_owned())
}

#[cfg(test)]
mod tests;
