//! Tables of counts by name: inputs, algorithms, keys, issuers and unknown kids.

use std::cmp::Reverse;

use super::layout::{Page, Span, Tone, grouped, length, plural, scaled_bytes, shown};
use super::{NAMES, counts_row, faint, few, plain, rank, share_row};
use crate::report::{Counts, InputReport, NameCounts, Report};
use crate::signature::{Algorithm, AlgorithmSet, REGISTERED};
use crate::verdict::Finding;

impl Report {
    pub(super) fn inputs(&self, page: &mut Page) {
        let noteworthy = |input: &InputReport| input.error.is_some() || input.grown > 0;
        let is_original = |input: &InputReport| input.stored_as().is_none();
        if self.inputs.len() < 2
            && !self.inputs.iter().any(noteworthy)
            && self.inputs.iter().all(is_original)
        {
            return;
        }
        page.heading(["lines", "bytes"], "input");
        // If not all fit, list those with a note first, then the largest.
        let mut order: Vec<&InputReport> = self.inputs.iter().collect();
        if order.len() > NAMES {
            order.sort_by_key(|input| (!noteworthy(input), Reverse(input.bytes)));
        }
        let rest = order.split_off(order.len().min(NAMES));
        for input in order {
            let note = match (&input.error, input.grown) {
                (Some(_), _) => "not judged to its end",
                (None, 0) => "",
                (None, _) => "grew during the run",
            };
            let numbers = inputs_row(input.lines, input.bytes);
            let stored_as = input.stored_as().map(|form| format!("  {form}"));
            let room = length(stored_as.as_deref().unwrap_or_default());
            let room = page.text_width().saturating_sub(room);
            let mut spans = noted_within(room, input.label(), note);
            spans.extend(stored_as.map(faint));
            page.row(numbers, &spans);
        }
        if !rest.is_empty() {
            let lines = rest.iter().map(|input| input.lines).sum();
            let bytes = rest.iter().map(|input| input.bytes).sum();
            let more = plural(rest.len() as u64, "more input");
            page.row(inputs_row(lines, bytes), &[faint(more)]);
        }
    }

    pub(super) fn algorithms(&self, page: &mut Page) {
        let mut algorithms: Vec<(&str, Counts)> = self.algorithm_counts().collect();
        if algorithms.is_empty() {
            return;
        }
        rank(&mut algorithms);
        page.heading(["valid", "rejected"], "algorithm");
        let mut known = 0;
        for (name, counts) in algorithms {
            known += counts.total();
            let note = match (Algorithm::from_name(name), name) {
                (Some(_), _) => "",
                (None, "none") => "unsigned",
                (None, "other") => "not registered",
                (None, _) => "not verified by jotmill",
            };
            page.row(counts_row(counts), &noted(page, name, note));
        }
        let unknown = self.tally.tokens.total().saturating_sub(known);
        if unknown > 0 {
            let counts = Counts {
                valid: 0,
                rejected: unknown,
            };
            page.row(counts_row(counts), &[faint("alg could not be read")]);
        }
    }

    pub(super) fn keys(&self, page: &mut Page) {
        if self.tally.tokens.total() == 0 {
            return;
        }
        let (mut used, unused): (Vec<_>, Vec<_>) = self
            .keys_by_name()
            .into_iter()
            .partition(|(_, key)| key.counts.total() > 0);
        // The sort is stable: keys of equal counts stay in the order of their names.
        used.sort_by_key(|(_, key)| Reverse(key.counts.total()));
        page.heading(["valid", "rejected"], "key that verified the signature");
        let rest = used.split_off(used.len().min(NAMES));
        for (name, key) in used {
            let note = self.weakness(key.weak_for);
            page.row(counts_row(key.counts), &noted(page, name, &note));
        }
        if !rest.is_empty() {
            let mut sum = Counts::default();
            rest.iter().for_each(|(_, key)| sum.add(key.counts));
            let more = plural(rest.len() as u64, "more key");
            page.row(counts_row(sum), &[faint(more)]);
        }
        if !unused.is_empty() {
            let names = few(unused.iter().map(|(name, _)| *name), unused.len(), ", ");
            let keys = plural(unused.len() as u64, "key");
            let text = format!("{keys} unused: {names}");
            page.row(counts_row(Counts::default()), &[faint(text)]);
        }
    }

    /// The algorithms for which a key is too short, of those that occurred, if any token was verified
    /// by a weak key.
    fn weakness(&self, weak_for: AlgorithmSet) -> String {
        let occurs = |algorithm: &Algorithm| {
            let slot = REGISTERED.binary_search(&algorithm.name());
            slot.is_ok_and(|slot| self.tally.algs[slot].total() > 0)
        };
        let names: Vec<&str> = weak_for
            .iter()
            .filter(occurs)
            .map(Algorithm::name)
            .collect();
        if names.is_empty() || self.tally.findings[Finding::WeakKey as usize] == 0 {
            return String::new();
        }
        format!("weak for {}", names.join(", "))
    }

    pub(super) fn issuers(&self, page: &mut Page) {
        let issuers = &self.tally.issuers;
        if issuers.is_empty() {
            return;
        }
        let (ranked, more, rest) = top(issuers, NAMES);
        page.heading(
            ["valid", "rejected"],
            "issuer of tokens with a verified signature",
        );
        for (name, counts) in ranked {
            let name = shown(name, page.text_width());
            page.row(counts_row(counts), &[plain(name)]);
        }
        if more > 0 {
            let more = more_names(issuers, more, "issuer");
            page.row(counts_row(rest), &[faint(more)]);
        }
    }

    pub(super) fn unknown_kids(&self, page: &mut Page) {
        self.rejected_names(page, "unknown kid", &self.tally.unknown_kids, "kid");
    }

    pub(super) fn unsupported_crits(&self, page: &mut Page) {
        let title = "extension in crit that is not understood (--crit NAME accepts one)";
        self.rejected_names(page, title, &self.tally.unsupported_crits, "extension");
    }

    /// Names that tokens chose, with the tokens of each.
    fn rejected_names(&self, page: &mut Page, title: &str, names: &NameCounts, noun: &str) {
        if names.is_empty() {
            return;
        }
        let (ranked, more, rest) = top(names, NAMES / 2);
        let total = self.tally.tokens.total();
        page.heading(["tokens", "of all"], title);
        for (name, counts) in ranked {
            let name = shown(name, page.text_width());
            page.row(share_row(counts.total(), total), &[plain(name)]);
        }
        if more > 0 {
            let more = more_names(names, more, noun);
            page.row(share_row(rest.total(), total), &[faint(more)]);
        }
    }
}

/// The largest names by count, the number of other names, and the sum over these.
fn top(names: &NameCounts, count: usize) -> (Vec<(&str, Counts)>, usize, Counts) {
    let mut ranked = names.sorted();
    rank(&mut ranked);
    let rest = ranked.split_off(ranked.len().min(count));
    let mut sum = names.rest().unwrap_or_default();
    rest.iter().for_each(|(_, counts)| sum.add(*counts));
    (ranked, rest.len(), sum)
}

/// `12 more kids`; beyond the names that are counted their number is not known.
fn more_names(names: &NameCounts, count: usize, noun: &str) -> String {
    match names.rest() {
        None => plural(count as u64, &format!("more {noun}")),
        Some(_) => format!("all other {noun}s, too many to count by name"),
    }
}

/// A name and a note; only the name is shortened.
fn noted(page: &Page, name: &str, note: &str) -> Vec<Span> {
    noted_within(page.text_width(), name, note)
}

/// The same, in so many columns.
fn noted_within(width: usize, name: &str, note: &str) -> Vec<Span> {
    if note.is_empty() {
        return vec![plain(shown(name, width))];
    }
    let note = format!("  {note}");
    let room = width.saturating_sub(length(&note));
    vec![plain(shown(name, room)), (Tone::Warning, note)]
}

fn inputs_row(lines: u64, bytes: u64) -> [Span; 2] {
    [plain(grouped(lines)), plain(scaled_bytes(bytes.into()))]
}
