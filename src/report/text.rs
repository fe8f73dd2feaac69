//! The report as text, for people at a terminal of 80 columns.
//!
//! This file owns what is said, in which order and in which words; how it is laid out is
//! `text/layout.rs`, and what is counted is `tally.rs`. Colour adds escape sequences and changes
//! nothing else. Elapsed time and speed stand on one line: all others are the same for every run
//! over the same input.

mod layout;
mod sections;
mod tables;

use std::cmp::Reverse;
use std::io::{self, Write};

use layout::{Page, Span, Tone};
use layout::{duration, elapsed, grouped, per_second, plural, scaled_bytes, share, shown};

use super::{Counts, Distinct, InputReport, Report};
use crate::policy::{DEFAULT_MAX_KEY_TRIES, DEFAULT_MAX_TOKEN_BYTES, Policy};
use crate::signature::Algorithm;

/// How many names of a kind are listed; of unknown kids, half as many.
const NAMES: usize = 10;
/// How many names are listed within a sentence.
const FEW: usize = 3;
/// The longest name within a sentence, in characters.
const SHORT: usize = 48;
/// How many policies are told one by one.
const POLICIES: usize = 10;
/// The column at which the lines on the run and the policy begin.
const LABEL: usize = 9;

/// How the text report looks.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Adds ANSI colours; without them the text is the same.
    pub color: bool,
    /// The columns of the page; fewer than 60 are taken as 60.
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
    /// Sections with nothing to say are left out. Names that tokens, files and keys chose are
    /// shortened in the middle to fit, and characters in them that could deceive a reader or a
    /// terminal are written as `\uXXXX`. What programs read is [`Report::write_json`].
    ///
    /// # Errors
    /// What `out` gives.
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
        self.expiry(&mut page);
        self.beside_verdicts(&mut page);
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

    /// The verdict in a sentence, and how fast it was reached.
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
        // Praise is for what is known in full.
        let so_far = match (self.complete, &self.ended_by) {
            (true, _) => "",
            (false, None) if self.failed_inputs().next().is_some() => "Of the rest, ",
            (false, _) => "Until then, ",
        };
        let mut text = vec![(Tone::Heading, so_far.to_owned())];
        match (valid, rejected) {
            (0, 0) if self.lines() == 0 => text.push(heading("no token, and not one line")),
            (0, 0) => text.push(heading("no token, blank lines only")),
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

    /// What was judged, when, and by what.
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
        if let Some(distinct) = &self.tally.distinct {
            let distinct = format!(
                "about {}; the standard error is {:.1}%",
                plural(distinct.estimate(), "distinct token"),
                100.0 * Distinct::STANDARD_ERROR
            );
            page.paragraph("", LABEL, &[plain(distinct)]);
        }
        let now = self.now;
        let now = format!("{now}, by jotmill {}", env!("CARGO_PKG_VERSION"));
        page.paragraph("as of", LABEL, &[plain(now)]);
        let policies = self.validator.policies();
        let listed = policies.iter().take(POLICIES).map(in_words);
        for (index, words) in listed.enumerate() {
            let label = if index == 0 { "policy" } else { "" };
            page.paragraph(label, LABEL, &[plain(words)]);
        }
        if policies.len() > POLICIES {
            let more = plural((policies.len() - POLICIES) as u64, "more issuer");
            let more = format!("and {more}, each by a policy of its own");
            page.paragraph("", LABEL, &[plain(more)]);
        }
    }
}

/// A policy as part of a sentence.
fn in_words(policy: &Policy) -> String {
    let mut parts = Vec::new();
    for (claim, expected) in [
        ("issuer", policy.issuers()),
        ("subject", policy.subjects()),
        ("audience", policy.audiences()),
    ] {
        if !expected.is_empty() {
            let names = few(expected.iter().map(String::as_str), expected.len(), " or ");
            parts.push(format!("{claim} {names}"));
        }
    }
    if let Some(typ) = policy.expected_typ() {
        parts.push(format!("typ {}", shown(typ, SHORT)));
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
    /// The name as people know it, not yet fit to be shown.
    fn label(&self) -> &str {
        if self.name == "-" {
            "standard input"
        } else {
            &self.name
        }
    }
}

/// Orders names by their counts; names of one count stay in their order.
fn rank(names: &mut [(&str, Counts)]) {
    names.sort_by_key(|(_, counts)| Reverse(counts.total()));
}

/// The first names of many, as part of a sentence.
fn few<'n>(names: impl Iterator<Item = &'n str>, count: usize, separator: &str) -> String {
    // "And 1 more" would be as long as most names.
    let listed = if count == FEW + 1 { count } else { FEW };
    let first: Vec<String> = names.take(listed).map(|name| shown(name, SHORT)).collect();
    let mut text = first.join(separator);
    if count > listed {
        text.push_str(&format!(" and {} more", grouped((count - listed) as u64)));
    }
    text
}

/// The columns of valid and rejected tokens.
fn counts_row(counts: Counts) -> [Span; 2] {
    [counts.valid, counts.rejected].map(|count| match count {
        0 => faint("0"),
        _ => plain(grouped(count)),
    })
}

/// The columns of a count and its share.
fn share_row(count: u64, whole: u64) -> [Span; 2] {
    match count {
        0 => [faint("0"), faint(share(0, whole))],
        _ => [plain(grouped(count)), plain(share(count, whole))],
    }
}

/// The columns of a row without numbers.
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
