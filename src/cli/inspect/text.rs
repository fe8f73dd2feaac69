//! The explanation as a page of text: the verdict and why, then a heading for each stage, and under
//! it what the stage saw.
//!
//! The first two columns are a margin. It holds a question mark on every line that quotes the
//! token while no verified signature covers it; lines of our own never have one. Nothing of the
//! token is ever at the beginning of a line, where the headings are.

use jotmill::Stage;

use super::columns::{columns, fold, wrap};
use super::dates::{calendar, unix};
use super::escape::{escaped, excerpt, grouped};
use super::explanation::{Explanation, StageReport, State};
use super::facts::{Facts, Outcome};
use super::json_layout::layout;
use super::json_text::JsonFault;
use super::note::Note;
use super::segment::Content;

/// The headings take this much; a narrower terminal breaks lines itself.
const MIN_WIDTH: usize = 60;

/// How many lines are shown of a header or payload.
const MAX_JSON_LINES: usize = 150;

/// How many times are listed; only members that occur twice can make more than five.
const MAX_TIMES: usize = 10;

/// The page, in `width` columns; less than 60 is taken as 60.
pub(super) fn page(explanation: &Explanation<'_>, width: usize, color: bool) -> String {
    let mut page = Page {
        text: String::new(),
        color,
        width: width.max(MIN_WIDTH),
        is_covered: explanation.facts.key.is_some(),
    };
    page.verdict(explanation);
    for report in &explanation.stages {
        page.text.push('\n');
        page.stage(explanation, report);
    }
    page.text
}

struct Page {
    text: String,
    color: bool,
    width: usize,
    is_covered: bool,
}

/// What a text is, which decides its colour. Colours say nothing that the text does not.
#[derive(Clone, Copy)]
enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Doubt,
}

impl Page {
    fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Doubt => "33",
        };
        if !self.color || code.is_empty() || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// A line that fits. What quotes the token has an indent, for the margin.
    fn line(&mut self, is_quoting: bool, tone: Tone, indent: usize, text: &str) {
        let is_marked = is_quoting && !self.is_covered;
        let margin = self.paint(Tone::Doubt, if is_marked { "?" } else { "" });
        let indent = indent.saturating_sub(usize::from(is_marked));
        let line = format!("{margin}{:indent$}{}", "", self.paint(tone, text));
        self.text += line.trim_end();
        self.text.push('\n');
    }

    /// Text of any length.
    fn paragraph(&mut self, is_quoting: bool, tone: Tone, indent: usize, text: &str) {
        for line in wrap(text, self.width - indent) {
            self.line(is_quoting, tone, indent, &line);
        }
    }

    fn own(&mut self, text: &str) {
        self.paragraph(false, Tone::Plain, 2, text);
    }

    fn quote(&mut self, lines: &[String]) {
        for line in lines {
            self.line(true, Tone::Plain, 4, line);
        }
    }

    fn notes(&mut self, indent: usize, notes: &[Note]) {
        for Note { text, is_quoting } in notes {
            self.paragraph(*is_quoting, Tone::Plain, indent, text);
        }
    }

    fn verdict(&mut self, explanation: &Explanation<'_>) {
        let tone = match explanation.facts.outcome {
            Outcome::Valid => Tone::Good,
            Outcome::Rejected => Tone::Bad,
            Outcome::NotVerified => Tone::Doubt,
        };
        self.paragraph(false, tone, 0, &explanation.verdict);
        if let Some(place) = &explanation.place {
            self.notes(2, &place.notes());
        }
        self.notes(2, &explanation.advice);
        for (reason, details) in &explanation.rejections {
            let text = format!("{reason}: {} ({})", reason.meaning(), reason.rule());
            self.paragraph(false, Tone::Bad, 2, &text);
            self.notes(6, details);
        }
    }

    fn stage(&mut self, explanation: &Explanation<'_>, report: &StageReport) {
        let (state, tone) = match report.state {
            State::Passed => ("passed", Tone::Good),
            State::Failed => ("FAILED", Tone::Bad),
            State::NotReached => ("not reached", Tone::Doubt),
            State::NotDone => ("not done", Tone::Doubt),
        };
        let name = self.paint(Tone::Strong, &format!("{:<11}", report.stage.name()));
        let state = self.paint(tone, &format!("{state:<13}"));
        let remark = self.paint(Tone::Faint, report.remark);
        self.line(false, Tone::Plain, 0, &format!("{name}{state}{remark}"));
        let facts = &explanation.facts;
        match (report.stage, &facts.payload) {
            (Stage::Structure, _) => self.segments(facts),
            (Stage::Header, _) => self.content(&facts.header),
            (Stage::Payload, Some(payload)) => self.content(payload),
            (Stage::Claims, _) => self.times(explanation),
            _ => {}
        }
        self.notes(2, &report.notes);
    }

    fn segments(&mut self, facts: &Facts<'_>) {
        for segment in &facts.segments {
            let (name, characters) = (segment.name, grouped(segment.characters));
            let bytes = match segment.bytes() {
                Some(bytes) => format!("{:>9} bytes", grouped(bytes)),
                None => "not base64url".to_owned(),
            };
            self.own(&format!("{name:<9}  {characters:>9} characters  {bytes}"));
        }
        if facts.dots >= facts.segments.len() {
            let more = grouped(facts.dots + 1 - facts.segments.len());
            self.own(&format!("and {more} segments more"));
        }
    }

    /// A header or payload as JSON, or as much of it as can be read.
    fn content(&mut self, content: &Content) {
        for problem in content.problems() {
            self.paragraph(true, Tone::Bad, 2, &problem);
        }
        let width = self.width - 4;
        let text = match &content.json {
            Ok(text) => &text.text,
            Err(fault) => return self.unreadable(content, fault, width),
        };
        if content.misspelling.is_some() {
            self.own("decoded in spite of that, for display only:");
        }
        let (lines, is_all) = layout(text, width, MAX_JSON_LINES);
        self.quote(&lines);
        if !is_all {
            let all = format!("--format json shows all {} bytes", grouped(text.len()));
            self.own(&format!("cut after {MAX_JSON_LINES} lines; {all}"));
        }
    }

    /// What can be decoded of something that is not JSON.
    fn unreadable(&mut self, content: &Content, fault: &JsonFault, width: usize) {
        let bytes = &content.bytes;
        let is_like_json = bytes.trim_ascii_start().starts_with(b"{");
        if content.misspelling.is_some() && is_like_json {
            self.own("what can be decoded begins with:");
            // A limit far beyond what fits, so that little is escaped in vain.
            let text = String::from_utf8_lossy(bytes.get(..2000).unwrap_or(bytes));
            let text = text.replace(char::REPLACEMENT_CHARACTER, "");
            self.quote(&fold(&escaped(&text), width, 6));
        } else if !is_like_json && std::str::from_utf8(bytes).is_err() {
            self.own(&format!("{} bytes that are no text", grouped(bytes.len())));
        } else if let Some((text, at)) = fault.surroundings(bytes, width) {
            let before: String = text.chars().take(at).collect();
            self.line(true, Tone::Plain, 4, &text);
            self.line(true, Tone::Doubt, 4 + columns(&before), "^");
        }
    }

    /// The times of the payload in words, a line each, below `now`.
    fn times(&mut self, explanation: &Explanation<'_>) {
        let now = explanation.facts.now;
        self.own(&format!("now  {:<10}  {now}", unix(now)));
        for time in explanation.times.iter().take(MAX_TIMES) {
            let (value, when) = (excerpt(&time.value), calendar(time.moment, time.seconds));
            let text = format!("{:<3}  {value:<10}  {when:<20}  {}", time.name, time.words);
            self.paragraph(true, Tone::Plain, 2, &text);
            if let Some(moment) = time.as_milliseconds {
                let text = format!("in milliseconds? That would be {moment}; RFC 7519 has seconds");
                self.paragraph(true, Tone::Doubt, 8, &text);
            }
        }
    }
}
