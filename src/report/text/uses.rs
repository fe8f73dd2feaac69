//! The section on the times of use, and the lines on the forms of inputs.

use super::layout::{Page, Tone, grouped, plural};
use super::{LABEL, faint, plain, share_row};
use crate::input::InputForm;
use crate::report::tally::EXPIRY_EDGES;
use crate::report::{Counts, Report, Timeline};
use crate::time::UnixTime;

/// The longest sparkline, and its label, in columns.
const SPARKS: usize = 48;
const LABELS: usize = 10;

impl Report {
    /// How inputs were read, where that was not one token a line as given, and what was found besides
    /// tokens.
    pub(super) fn forms(&self, page: &mut Page) {
        let choices: Vec<_> = self.inputs.iter().filter_map(|input| input.form).collect();
        let is_plain = |form: InputForm| form == InputForm::Tokens;
        match &choices[..] {
            [] => {}
            [only] if is_plain(only.form) && only.why == InputForm::AS_GIVEN => {}
            [only] => {
                let text = format!("as {}: {}", only.form.name(), only.why);
                page.paragraph("", LABEL, &[plain(text)]);
            }
            all if all.iter().all(|it| is_plain(it.form)) => {}
            all => {
                let each = |form: &InputForm| {
                    let count = all.iter().filter(|it| it.form == *form).count();
                    (count > 0).then(|| format!("{} as {}", grouped(count as u64), form.name()))
                };
                let each: Vec<String> = InputForm::ALL.iter().filter_map(each).collect();
                page.paragraph("", LABEL, &[plain(each.join(", "))]);
            }
        }
        if self.inputs.iter().any(|input| input.has_times) {
            let text = "lines have times: --time auto judges each token at the time of its use";
            page.paragraph("", LABEL, &[plain(text)]);
        }
        if let Some(sample) = &self.sample {
            let text = format!(
                "a sample of 1 in {} tokens, by their hash; {} left out",
                grouped(sample.one_in.get()),
                plural(sample.left_out, "token")
            );
            page.paragraph("", LABEL, &[(Tone::Warning, text)]);
        }
        let cut: u64 = self.inputs.iter().map(|input| input.cut_tokens).sum();
        if cut > 0 {
            let text = format!("{} cut short, not judged", plural(cut, "token"));
            page.paragraph("", LABEL, &[(Tone::Warning, text)]);
        }
        let others: u64 = (self.inputs.iter()).map(|it| it.other_credentials).sum();
        if others > 0 {
            let verb = if others == 1 {
                "is no JWT"
            } else {
                "are no JWTs"
            };
            let text = format!("{} {verb}", plural(others, "Bearer credential"));
            page.paragraph("", LABEL, &[plain(text)]);
        }
    }

    /// When tokens were used, and how they fare now.
    pub(super) fn uses(&self, page: &mut Page) {
        let Some(uses) = &self.tally.uses else {
            return;
        };
        let total = self.tally.tokens.total();
        if total == 0 {
            return;
        }
        page.heading(["tokens", "share"], "judged at the time of their use");
        let timed = uses.timed.total();
        let mut row = |count: u64, text: String, tone: Tone| {
            if count > 0 {
                page.row(share_row(count, total), &[(tone, text)]);
            }
        };
        if let Some((first, last)) = uses.span {
            row(timed, format!("used from {first} to {last}"), Tone::Plain);
        }
        row(
            uses.untimed,
            "without a readable time: judged at the instant of the run".to_owned(),
            Tone::Warning,
        );
        row(
            uses.late_total(),
            "used after they had expired".to_owned(),
            Tone::Bad,
        );
        for (bucket, count) in uses.late.iter().enumerate() {
            row(*count, format!("  {}", late_label(bucket)), Tone::Plain);
        }
        row(uses.early, "used before their nbf".to_owned(), Tone::Bad);
        row(
            uses.issued_later,
            "issued after they were used, by their iat: a wrong clock or a forgery".to_owned(),
            Tone::Bad,
        );
        row(
            uses.now.valid,
            format!(
                "still valid at {}: whoever reads the log can use them",
                self.now
            ),
            Tone::Warning,
        );
        row(
            uses.now.rejected,
            format!("rejected at {}", self.now),
            Tone::Plain,
        );
        let assumed = [
            (
                uses.assumed_zone,
                "times had no zone: --time-zone was taken",
            ),
            (
                uses.assumed_year,
                "times had no year: the latest past one was taken",
            ),
        ];
        for (count, what) in assumed {
            row(count, what.to_owned(), Tone::Warning);
        }
        timeline(page, &uses.timeline);
    }
}

/// Uses and rejections over time, each as a line of bars.
fn timeline(page: &mut Page, timeline: &Timeline) {
    let intervals: Vec<(u64, Counts)> = timeline.intervals().collect();
    let (Some((first, _)), Some((last, _))) = (intervals.first(), intervals.last()) else {
        return;
    };
    let sparks = SPARKS.min(page.text_width().saturating_sub(LABELS)) as u64;
    let widths = Timeline::widths().skip_while(|width| *width < timeline.width_seconds());
    let bars = |width: &u64| last / width - first / width + 1;
    let Some(width) = widths.into_iter().find(|width| bars(width) <= sparks) else {
        return;
    };
    let count = usize::try_from(bars(&width)).unwrap_or(SPARKS);
    if count < 2 {
        return;
    }
    let mut sums = vec![Counts::default(); count];
    for (start, counts) in &intervals {
        let spark = start / width - first / width;
        if let Some(sum) = usize::try_from(spark).ok().and_then(|it| sums.get_mut(it)) {
            sum.add(*counts);
        }
    }
    let most = sums.iter().map(|sum| sum.total()).max().unwrap_or(0);
    let line = |of: fn(&Counts) -> u64| -> String {
        sums.iter().map(|sum| spark(of(sum), most)).collect()
    };
    page.below(&[plain(format!("{}  uses", line(|sum| sum.total())))]);
    page.below(&[(Tone::Bad, format!("{}  rejected", line(|sum| sum.rejected)))]);
    let begin = UnixTime::new(first / width * width, 0).unwrap_or(UnixTime::EPOCH);
    let text = format!("each bar is {}, from {begin}", super::duration(width));
    page.below(&[faint(text)]);
}

fn spark(count: u64, most: u64) -> char {
    const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    if count == 0 {
        return ' ';
    }
    let index = u128::from(count) * 7 / u128::from(most.max(1));
    EIGHTHS[usize::try_from(index).unwrap_or(7).min(7)]
}

fn late_label(bucket: usize) -> String {
    match EXPIRY_EDGES.get(bucket) {
        Some((.., name)) if bucket == 0 => format!("by less than {name}"),
        Some((.., name)) => {
            let (.., from) = EXPIRY_EDGES[bucket - 1];
            format!("by {from} to {name}")
        }
        None => {
            let (.., from) = EXPIRY_EDGES[EXPIRY_EDGES.len() - 1];
            format!("by {from} and more")
        }
    }
}
