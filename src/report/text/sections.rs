//! Sections on tokens and keys: reasons for rejection, expiry, findings, and what was not judged.

use std::cmp::Reverse;

use super::layout::{Page, Span, Tone, grouped, plural, shown};
use super::{FEW, NAMES, SHORT, bad, blank_row, faint, few, plain, rank, share_row};
use crate::display;
use crate::key::{Key, KeyFinding, UnusableKey};
use crate::report::tally::{EXPIRY_EDGES, Sample};
use crate::report::{Counts, Report};
use crate::signature::{Algorithm, AlgorithmSet, REGISTERED};
use crate::verdict::{Finding, Reason, Stage};

impl Report {
    pub(super) fn reasons(&self, page: &mut Page) {
        let mut ranked: Vec<(Reason, u64)> = self.reason_counts().collect();
        // The sort is stable: reasons of equal counts stay in the order of the rules.
        ranked.sort_by_key(|(_, count)| Reverse(*count));
        let Some((_, largest)) = ranked.first().copied() else {
            return;
        };
        let rejected = self.tally.tokens.rejected;
        let sum: u64 = ranked.iter().map(|(_, count)| count).sum();
        let tokens = plural(rejected, "token");
        let verb = if rejected == 1 { "was" } else { "were" };
        let several = if sum > rejected {
            " (some for several reasons)"
        } else {
            ""
        };
        let title = format!("why {tokens} {verb} rejected{several}");
        page.heading(["tokens", "share"], &title);
        let widest = ranked.iter().map(|(reason, _)| reason.code().len()).max();
        let widest = widest.unwrap_or(0);
        for (reason, count) in ranked {
            let bar = page.bar(widest, count, largest);
            let code = format!("{:widest$}", reason.code());
            page.row(
                share_row(count, rejected),
                &[(Tone::Plain, code), plain("  "), bad(&bar)],
            );
            page.below(&[faint(reason.meaning())]);
            let may_lack_a_key = matches!(reason.stage(), Stage::Key | Stage::Signature)
                && !matches!(
                    reason,
                    Reason::IssuerUnknown | Reason::TooManyKeys | Reason::SignatureBase64url
                );
            if may_lack_a_key {
                self.could_have_signed(reason, page);
            }
            let places = self.places(&self.tally.samples[reason.index()], count);
            page.below(&[faint(places)]);
        }
    }

    /// The unusable keys that could have signed rejected tokens. A report that does not name them reads
    /// as if the tokens were forged.
    fn could_have_signed(&self, reason: Reason, page: &mut Page) {
        let rejected: AlgorithmSet = (self.algorithm_counts())
            .filter(|(_, counts)| counts.rejected > 0)
            .filter_map(|(name, _)| Algorithm::from_name(name))
            .collect();
        // A `kid` that is the id of no usable key may be that of an unusable one.
        let unknown_kids = self.tally.unknown_kids.sorted();
        let is_named = |key: &UnusableKey| {
            let kid = key.kid.as_deref().map(display::shown);
            kid.is_some_and(|kid| unknown_kids.iter().any(|(name, _)| **name == *kid))
        };
        // What a key of an unknown type can do is unknown; tokens that name it are such a mismatch.
        let may_be_named = |key: &UnusableKey| {
            reason == Reason::KeyMismatch && key.kid.is_some() && key.algorithms.is_empty()
        };
        let fits = |key: &&UnusableKey| {
            let is_of_type = !key.algorithms.intersection(rejected).is_empty();
            is_of_type || is_named(key) || may_be_named(key)
        };
        let keys = self.validator.keys().unusable_keys().iter().filter(fits);
        let count = keys.clone().count();
        for key in keys.take(FEW) {
            let (place, problem) = (
                shown(&key.place(), SHORT),
                shown(&key.problem(), usize::MAX),
            );
            let text = format!("{place} may have signed some, but cannot be used: {problem}");
            page.below(&[(Tone::Warning, text)]);
        }
        if count > FEW {
            let more = plural((count - FEW) as u64, "more unusable key");
            page.below(&[(Tone::Warning, format!("and {more}"))]);
        }
    }

    /// The places of the samples of a reason or finding: `at a.log:3, 17; b.log:1`.
    fn places(&self, samples: &[Sample], count: u64) -> String {
        let is_all = samples.len() as u64 == count;
        let mut text = String::from(if is_all { "at " } else { "first at " });
        for (index, sample) in samples.iter().enumerate() {
            let previous = index.checked_sub(1).and_then(|index| samples.get(index));
            if previous.is_some_and(|previous| previous.input == sample.input) {
                text.push_str(&format!(", {}", sample.line));
            } else {
                let input = self.inputs.get(sample.input);
                let name = input.map_or_else(String::new, |input| shown(input.label(), SHORT));
                text.push_str(if index == 0 { "" } else { "; " });
                text.push_str(&format!("{name}:{}", sample.line));
            }
        }
        text
    }

    pub(super) fn expiry(&self, page: &mut Page) {
        let buckets = &self.tally.expiry;
        let dated: u64 = buckets.iter().sum();
        let total = dated + self.tally.no_expiry;
        if total == 0 {
            return;
        }
        let mut rows: Vec<(String, u64, Tone)> = Vec::new();
        let first = buckets.iter().position(|count| *count > 0);
        let last = buckets.iter().rposition(|count| *count > 0);
        if let (Some(first), Some(last)) = (first, last) {
            for (bucket, count) in buckets.iter().enumerate().take(last + 1).skip(first) {
                let tone = if bucket <= EXPIRY_EDGES.len() {
                    Tone::Bad
                } else {
                    Tone::Good
                };
                rows.push((expiry_label(bucket), *count, tone));
            }
        }
        if self.tally.no_expiry > 0 {
            let label = "no usable exp".to_owned();
            rows.push((label, self.tally.no_expiry, Tone::Warning));
        }
        let title = format!(
            "expiry of {} with a verified signature",
            plural(total, "token")
        );
        page.heading(["tokens", "share"], &title);
        let widest = rows.iter().map(|row| row.0.len()).max().unwrap_or(0);
        let largest = rows.iter().map(|row| row.1).max().unwrap_or(0);
        for (label, count, tone) in rows {
            let bar = page.bar(widest, count, largest);
            let label = format!("{label:widest$}  ");
            page.row(share_row(count, total), &[plain(label), (tone, bar)]);
        }
    }

    /// Findings on tokens, checks and keys, which reject no token.
    pub(super) fn findings(&self, page: &mut Page) {
        let mut texts: Vec<([Span; 2], Vec<Span>)> = Vec::new();
        let total = self.tally.tokens.total();
        for (finding, count) in self.finding_counts() {
            // Half of all ECDSA signatures have a high s, so that it is no warning.
            let tone = match finding {
                Finding::EcdsaHighS => Tone::Plain,
                _ => Tone::Warning,
            };
            let text = vec![
                (tone, finding.code().to_owned()),
                plain(format!(": {}", finding.meaning())),
            ];
            texts.push((share_row(count, total), text));
            let places = self.places(&self.tally.finding_samples[finding as usize], count);
            texts.push((blank_row(), vec![faint(places)]));
        }
        let unchecked = self.unchecked();
        if !unchecked.is_empty() {
            let text = vec![
                (Tone::Warning, "not checked".to_owned()),
                plain(match self.validator.policies() {
                    [_] => format!(": {} (no expected value is set)", unchecked.join(", ")),
                    _ => format!(
                        ": {} (no expected value is set for some issuer)",
                        unchecked.join(", ")
                    ),
                }),
            ];
            texts.push((blank_row(), text));
        }
        let keys = self.validator.keys();
        let duplicates = keys.duplicate_ids();
        if !duplicates.is_empty() {
            let names = few(duplicates.iter().copied(), duplicates.len(), ", ");
            let text = plain(format!(": more than one key has this id: {names}"));
            let label = (Tone::Warning, "duplicate kid".to_owned());
            texts.push((blank_row(), vec![label, text]));
        }
        // Duplicate ids are listed above, and short secrets in the table of keys that verified tokens.
        let is_shown = |finding: &KeyFinding, tokens: u64| match finding {
            KeyFinding::DuplicateKid => true,
            KeyFinding::ShortSecret => tokens > 0,
            _ => false,
        };
        for finding in KeyFinding::ALL {
            let affected = || {
                let keys = self.keys_by_name().into_iter();
                keys.filter(|(_, key)| {
                    key.findings.contains(&finding) && !is_shown(&finding, key.counts.total())
                })
                .map(|(name, _)| name)
            };
            let count = affected().count();
            if count > 0 {
                let names = few(affected(), count, ", ");
                let text = plain(format!(": {}: {names}", finding.meaning()));
                let label = (Tone::Warning, finding.code().to_owned());
                texts.push((blank_row(), vec![label, text]));
            }
        }
        let unusable = keys.unusable_keys();
        for key in unusable.iter().take(NAMES / 2) {
            let file = shown(&key.origin, SHORT);
            let kid = key
                .kid
                .as_deref()
                .map(|kid| format!(" ({})", shown(kid, SHORT)));
            let kid = kid.unwrap_or_default();
            let problem = shown(&key.problem(), usize::MAX);
            let (what, text) = match key.index {
                Some(index) => ("key", format!(": keys[{index}]{kid} of {file}: {problem}")),
                None => ("file", format!(": {file}: {problem}")),
            };
            let label = (Tone::Warning, format!("unusable {what}"));
            texts.push((blank_row(), vec![label, plain(text)]));
        }
        if unusable.len() > NAMES / 2 {
            let more = plural((unusable.len() - NAMES / 2) as u64, "more unusable key");
            texts.push((blank_row(), vec![plain(more)]));
        }
        for other in self.other_readings().into_iter().take(NAMES / 2) {
            let key = keys.get(other.key).map_or("", Key::name);
            let text = format!(
                ": {} verified nothing; {} it verifies {} of {}: {}",
                shown(key, SHORT),
                other.reading,
                other.verifies,
                plural(other.tokens as u64, "token"),
                shown(&other.advice, usize::MAX),
            );
            let label = (Tone::Warning, "other reading".to_owned());
            texts.push((blank_row(), vec![label, plain(text)]));
        }
        if let Some(hint) = self.kid_hint() {
            let text = format!(
                ": kid names no key; with --kid-hint, the signatures of {} of {} tried hold",
                grouped(hint.verifies as u64),
                plural(hint.tokens as u64, "token"),
            );
            let label = (Tone::Warning, "kid-hint-would-verify".to_owned());
            texts.push((blank_row(), vec![label, plain(text)]));
            let place = self.places(&[hint.first], u64::MAX);
            texts.push((blank_row(), vec![faint(place)]));
        }
        section(page, "findings", texts);
    }

    /// What this run could not judge.
    pub(super) fn not_judged(&self, page: &mut Page) {
        let mut texts: Vec<([Span; 2], Vec<Span>)> = Vec::new();
        let total = self.tally.tokens.total();
        let mut tokens = |count: u64, text: String| {
            if count > 0 {
                texts.push((share_row(count, total), vec![plain(text)]));
            }
        };
        let encrypted = self.tally.reasons[Reason::Encrypted.index()];
        tokens(encrypted, "encrypted tokens (JWE)".to_owned());
        // Every token of a registered but unsupported algorithm has this reason; the rest of the
        // count has names that are not registered.
        let mut unnamed = self.tally.reasons[Reason::AlgUnsupported.index()];
        let mut unsupported: Vec<(&str, Counts)> = REGISTERED
            .into_iter()
            .zip(self.tally.algs)
            .filter(|(name, _)| Algorithm::from_name(name).is_none() && *name != "none")
            .collect();
        rank(&mut unsupported);
        for (name, counts) in unsupported {
            unnamed = unnamed.saturating_sub(counts.total());
            tokens(
                counts.total(),
                format!("{name}, which jotmill does not verify"),
            );
        }
        tokens(unnamed, "algorithms that are not registered".to_owned());
        tokens(
            self.tally.reasons[Reason::TooLong.index()],
            "lines that were too long to be tokens".to_owned(),
        );
        for input in self
            .inputs
            .iter()
            .filter(|input| input.grown > 0)
            .take(NAMES)
        {
            let (grown, name) = (plural(input.grown, "byte"), shown(input.label(), SHORT));
            let mut text = format!("{grown} added to {name} after it was opened");
            if input.has_cut_line {
                text += &format!(
                    "; its last line, {}, was judged half-written",
                    grouped(input.lines)
                );
            }
            texts.push((blank_row(), vec![plain(text)]));
        }
        let failed: Vec<_> = self.failed_inputs().collect();
        // A single failure is in the headline.
        if failed.len() > 1 || (self.complete && !failed.is_empty()) {
            for error in failed.iter().take(NAMES) {
                texts.push((blank_row(), vec![bad(&shown(error, usize::MAX))]));
            }
            if failed.len() > NAMES {
                let more = plural((failed.len() - NAMES) as u64, "more input");
                let text = format!("{more} not judged to the end");
                texts.push((blank_row(), vec![plain(text)]));
            }
        }
        section(page, "not judged", texts);
    }
}

/// The label of a bucket of expiry.
fn expiry_label(bucket: usize) -> String {
    let middle = EXPIRY_EDGES.len() + 1;
    let is_past = bucket < middle;
    // `distance` counts buckets away from `now`, in either direction.
    let distance = if is_past {
        middle - 1 - bucket
    } else {
        bucket - middle
    };
    let near = distance
        .checked_sub(1)
        .and_then(|edge| EXPIRY_EDGES.get(edge));
    match (near, EXPIRY_EDGES.get(distance), is_past) {
        (None, Some((_, far, _)), true) => format!("expired within the last {far}"),
        (Some((_, _, near)), Some((_, _, far)), true) => format!("expired {near} to {far} ago"),
        (Some((_, _, near)), None, true) => format!("expired {near} ago or more"),
        (None, Some((_, _, far)), false) => format!("expires within {far}"),
        (Some((_, _, near)), Some((_, _, far)), false) => format!("expires in {near} to {far}"),
        (Some((_, _, near)), None, false) => format!("expires in more than {near}"),
        (None, None, _) => String::new(),
    }
}

/// Writes a section of rows, if there are any. The number columns have titles if a row has numbers.
fn section(page: &mut Page, title: &str, texts: Vec<([Span; 2], Vec<Span>)>) {
    if texts.is_empty() {
        return;
    }
    let has_numbers = texts.iter().any(|(numbers, _)| !numbers[0].1.is_empty());
    page.heading(
        if has_numbers {
            ["tokens", "of all"]
        } else {
            ["", ""]
        },
        title,
    );
    for (numbers, text) in texts {
        page.row(numbers, &text);
    }
}
