//! The explanation as a page of text: a heading for each stage, and under it what the stage saw.
//!
//! The first two columns are a margin. It holds a question mark on every line that quotes the
//! token while no verified signature covers it; lines of our own never have one. Nothing of the
//! token ever stands at the beginning of a line, where the headings are.

use std::io::{self, Write};

use jotmill::{Algorithm, Finding, Reason, Stage};

use super::details::{self, Note};
use super::escape::{columns, excerpt, grouped, wrap};
use super::json_text::JsonText;
use super::keys;
use super::segment::{JsonSegment, Segment};
use super::times::{time_words, times};
use super::{Facts, InspectOptions, Outcome, words};

/// The headings take this much; a narrower terminal breaks lines itself.
const MIN_WIDTH: usize = 60;

/// How many lines of JSON are shown.
const MAX_HEADER_LINES: usize = 60;
const MAX_PAYLOAD_LINES: usize = 150;

/// How many times are told in words; only members that occur twice can make more than five.
const MAX_TIMES: usize = 10;

/// Where a heading says how a stage ended, and what comes after that.
const STATE_COLUMN: usize = 11;
const REST_COLUMN: usize = 24;

#[derive(Clone, Copy)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Good,
    Bad,
    Doubt,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Good => "32",
            Self::Bad => "1;31",
            Self::Doubt => "33",
        }
    }
}

/// How a stage ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Passed,
    Failed,
    NotReached,
    /// There is no key to do it with.
    NotDone,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotReached => "not reached",
            Self::NotDone => "not done",
        }
    }

    const fn style(self) -> Style {
        match self {
            Self::Passed => Style::Good,
            Self::Failed => Style::Bad,
            Self::NotReached | Self::NotDone => Style::Doubt,
        }
    }

    fn of(facts: &Facts<'_>, stage: Stage) -> Self {
        match facts.failed_stage() {
            Some(failed) if stage == failed => Self::Failed,
            _ if facts.outcome == Outcome::NotVerified && stage >= Stage::Key => Self::NotDone,
            Some(failed) if stage > failed => Self::NotReached,
            _ => Self::Passed,
        }
    }
}

/// Writes the page.
pub(super) fn write(
    facts: &Facts<'_>,
    options: &InspectOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut page = Page {
        out,
        color: options.color,
        width: options.width.max(MIN_WIDTH),
        is_covered: facts.is_covered,
        is_bare: false,
    };
    page.verdict(facts)?;
    for stage in Stage::ALL {
        page.stage(facts, stage)?;
    }
    Ok(())
}

pub(super) struct Page<'o> {
    out: &'o mut dyn Write,
    color: bool,
    pub(super) width: usize,
    is_covered: bool,
    /// Whether the stage written last is a heading alone.
    is_bare: bool,
}

impl Page<'_> {
    fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    fn paint(&self, style: Style, text: &str) -> String {
        match style {
            Style::Plain => text.to_owned(),
            _ if !self.color || text.is_empty() => text.to_owned(),
            _ => format!("\u{1b}[{}m{text}\u{1b}[0m", style.code()),
        }
    }

    /// A line that begins behind the margin.
    pub(super) fn line(&mut self, is_token: bool, style: Style, text: &str) -> io::Result<()> {
        let margin = if is_token && !self.is_covered {
            self.paint(Style::Doubt, "?")
        } else {
            " ".into()
        };
        let text = self.paint(style, text);
        writeln!(self.out, "{}", format!("{margin} {text}").trim_end())
    }

    /// A paragraph behind the margin.
    pub(super) fn paragraph(
        &mut self,
        is_token: bool,
        style: Style,
        indent: usize,
        text: &str,
    ) -> io::Result<()> {
        let room = self.width.saturating_sub(2 + indent);
        for line in wrap(text, room) {
            self.line(is_token, style, &format!("{}{line}", " ".repeat(indent)))?;
        }
        Ok(())
    }

    fn notes(&mut self, indent: usize, notes: &[Note]) -> io::Result<()> {
        notes
            .iter()
            .try_for_each(|note| self.paragraph(note.quotes, Style::Plain, indent, &note.text))
    }

    fn verdict(&mut self, facts: &Facts<'_>) -> io::Result<()> {
        let codes: Vec<_> = facts.reasons.iter().map(Reason::code).collect();
        let codes = codes.join(", ");
        let (style, head) = match facts.outcome {
            Outcome::Valid => (
                Style::Good,
                "VALID: the signature holds, and every rule passed".into(),
            ),
            Outcome::Rejected => (Style::Bad, format!("REJECTED: {codes}")),
            Outcome::NotVerified => (Style::Doubt, "NOT VERIFIED: no key was given".into()),
        };
        for line in wrap(&head, self.width) {
            writeln!(self.out, "{}", self.paint(style, &line))?;
        }
        let marked = "anyone can write what stands on the lines marked with \"?\".";
        let banner = match facts.outcome {
            Outcome::NotVerified => {
                format!("Nothing below is covered by a verified signature: {marked}")
            }
            _ if facts.is_covered => String::new(),
            _ => {
                format!("NOT VERIFIED: nothing below is covered by a verified signature; {marked}")
            }
        };
        if !banner.is_empty() {
            self.paragraph(false, Style::Doubt, 0, &banner)?;
        }
        if facts.outcome == Outcome::NotVerified {
            if codes.is_empty() {
                let what = match facts.algorithm().map(Algorithm::is_hmac) {
                    Some(true) => "the secret (--secret-file)",
                    Some(false) => "its public key or certificate (--key)",
                    None => "the secret (--secret-file), a key (--key)",
                };
                let text = format!("To verify it, give {what} or a key set (--jwks).");
                self.paragraph(false, Style::Bold, 0, &text)?;
            } else {
                let text = format!("Whatever the key, jotmill rejects it: {codes}.");
                self.paragraph(false, Style::Bad, 0, &text)?;
            }
        }
        if let Some(hint) = &facts.hint {
            self.paragraph(false, Style::Bold, 0, &format!("Hint: {hint}."))?;
        }
        Ok(())
    }

    fn stage(&mut self, facts: &Facts<'_>, stage: Stage) -> io::Result<()> {
        let state = State::of(facts, stage);
        let rest = match state {
            State::Passed => rule(stage),
            State::NotDone if stage == Stage::Key => "no key was given",
            State::NotDone | State::NotReached
                if stage == Stage::Payload && facts.payload.is_some() =>
            {
                "shown below, and not to be trusted"
            }
            State::NotDone if stage == Stage::Signature => "nothing was verified",
            State::NotDone => "nothing was judged",
            State::Failed | State::NotReached => "",
        };
        let heading = format!(
            "{}{}{}",
            self.paint(Style::Bold, &format!("{:<STATE_COLUMN$}", stage.name())),
            self.paint(state.style(), state.name()),
            match rest {
                "" => String::new(),
                _ => {
                    let gap = REST_COLUMN - STATE_COLUMN - state.name().len();
                    format!("{:gap$}{}", "", self.paint(Style::Dim, rest))
                }
            }
        );
        // Stages of which there is nothing to say stand together.
        if !self.is_bare || !is_bare(stage, state) {
            self.blank()?;
        }
        self.is_bare = is_bare(stage, state);
        writeln!(self.out, "{heading}")?;
        if state == State::Failed {
            for reason in facts.reasons.iter() {
                let text = format!("{reason}: {} ({})", reason.meaning(), reason.rule());
                self.paragraph(false, Style::Bad, 0, &text)?;
                self.notes(4, &details::of(facts, reason))?;
            }
        }
        match stage {
            Stage::Line => self.token_line(facts, state),
            Stage::Structure => self.structure(facts),
            Stage::Header => self.header(facts, state),
            Stage::Key if state == State::Passed => self.notes(0, &details::choice(facts)),
            Stage::Key => Ok(()),
            Stage::Signature => self.signature(facts, state),
            Stage::Payload => self.payload(facts, state),
            Stage::Claims => self.claims(facts, state),
        }
    }

    fn token_line(&mut self, facts: &Facts<'_>, state: State) -> io::Result<()> {
        if state == State::Passed {
            let text = format!(
                "{} bytes, of at most {}",
                grouped(facts.token.len()),
                grouped(facts.policy.token_limit())
            );
            self.paragraph(false, Style::Plain, 0, &text)?;
        }
        let text = format!(
            "sha256 {}, by which audit's rows name it",
            super::object::digest(facts)
        );
        self.paragraph(false, Style::Plain, 0, &text)
    }

    fn structure(&mut self, facts: &Facts<'_>) -> io::Result<()> {
        let count = facts.segments.len();
        let characters = |segment: &Segment<'_>| grouped(segment.encoded.len());
        let names = (0..count).map(|index| facts.segment_name(index));
        let name_wide = names.clone().map(str::len).max().unwrap_or_default();
        let number_wide = facts
            .segments
            .iter()
            .map(|segment| characters(segment).len())
            .max()
            .unwrap_or_default();
        for (segment, name) in facts.segments.iter().zip(names) {
            let bytes = match segment.decoded_len() {
                Some(bytes) => format!("{:>number_wide$} bytes", grouped(bytes)),
                None => "not base64url".to_owned(),
            };
            let characters = characters(segment);
            let text =
                format!("{name:<name_wide$}  {characters:>number_wide$} characters  {bytes}");
            self.line(false, Style::Plain, &text)?;
        }
        if facts.dots >= count {
            let text = format!("and {} segments more", grouped(facts.dots + 1 - count));
            self.line(false, Style::Plain, &text)?;
        }
        Ok(())
    }

    fn header(&mut self, facts: &Facts<'_>, state: State) -> io::Result<()> {
        self.json(&facts.header, MAX_HEADER_LINES, state == State::Failed)?;
        let Some(text) = facts.header.text() else {
            return Ok(());
        };
        let mut notes = Vec::new();
        let mut say = |name: &str, words: &str| notes.push((name.to_owned(), words.to_owned()));
        for name in ["alg", "enc", "typ", "cty", "kid", "crit", "b64", "zip"] {
            let Some(member) = text.member(name) else {
                continue;
            };
            let value = member.string().unwrap_or_default();
            match name {
                "alg" => say(
                    name,
                    words::algorithm(&value).unwrap_or("a name that is not known"),
                ),
                "enc" => say(name, "how the payload is encrypted (RFC 7518 section 5)"),
                "typ" => say(
                    name,
                    words::media_type(&value).unwrap_or("the type of the token"),
                ),
                "cty" if value.eq_ignore_ascii_case("jwt") => {
                    say(
                        name,
                        "the payload is a token itself, signed or encrypted once more",
                    );
                }
                "cty" => say(name, "the type of the payload"),
                "kid" => say(name, "the id of the key to verify with"),
                "crit" => say(name, "what a verifier must understand, or reject the token"),
                "b64" if member.value == "true" => {
                    say(name, "the payload is encoded, as without b64 (RFC 7797)");
                }
                "b64" => say(name, "false means a payload that is not encoded (RFC 7797)"),
                _ => say(name, "the payload is compressed"),
            }
        }
        for (name, words) in notes {
            self.paragraph(true, Style::Plain, 2, &format!("{name:<4}  {words}"))?;
        }
        for finding in facts
            .findings
            .iter()
            .filter(|finding| finding.stage() == Stage::Header)
        {
            let text = format!(
                "{}: {} (RFC 8725 section 3.10)",
                finding.code(),
                finding.meaning()
            );
            self.paragraph(false, Style::Bad, 2, &text)?;
        }
        Ok(())
    }

    fn signature(&mut self, facts: &Facts<'_>, state: State) -> io::Result<()> {
        if state != State::Passed {
            return Ok(());
        }
        let algorithm = facts.algorithm().map_or("", |algorithm| algorithm.name());
        let key = facts.key.map(details::key_words).unwrap_or_default();
        let text = format!("{algorithm} holds under the key {key}");
        self.paragraph(false, Style::Plain, 0, &text)?;
        if let Some(key) = facts.key {
            self.notes(2, &keys::notes(key, &facts.key_findings))?;
        }
        self.paragraph(false, Style::Plain, 0, "header and payload are authentic")?;
        if facts.findings.contains(Finding::WeakKey) {
            let len = facts.algorithm().and_then(Algorithm::mac_len).unwrap_or(0);
            let text = format!(
                "weak-key: the secret is shorter than the {len} bytes that {algorithm} asks for, \
                 and may be guessed (RFC 7518 section 3.2)"
            );
            self.paragraph(false, Style::Doubt, 0, &text)?;
        }
        if facts.findings.contains(Finding::KidOfAnotherKey) {
            let text = "kid-of-another-key: kid names another key than this one (--kid-hint)";
            self.paragraph(false, Style::Doubt, 0, text)?;
        }
        if facts.findings.contains(Finding::EcdsaHighS) {
            let text = "ecdsa-high-s: of the two signatures that anyone can make of one, this has \
                        the greater s; it is as good, and about as frequent (RFC 7518 section 3.4)";
            self.paragraph(false, Style::Plain, 0, text)?;
        }
        Ok(())
    }

    fn payload(&mut self, facts: &Facts<'_>, state: State) -> io::Result<()> {
        let Some(payload) = &facts.payload else {
            let why = if facts.dots == 4 {
                "it is encrypted"
            } else {
                "there is none"
            };
            return self.line(false, Style::Plain, why);
        };
        self.json(payload, MAX_PAYLOAD_LINES, state == State::Failed)
    }

    fn claims(&mut self, facts: &Facts<'_>, state: State) -> io::Result<()> {
        let policy = facts.policy;
        let now = super::object::unix(facts.now);
        let mut text = format!("now is {now}, {}", facts.now);
        if policy.leeway_seconds() > 0 {
            text += &format!(
                "; the leeway is {}",
                words::whole_duration(policy.leeway_seconds())
            );
        }
        self.paragraph(false, Style::Plain, 0, &text)?;
        let Some(text) = facts.payload.as_ref().and_then(JsonSegment::text) else {
            return Ok(());
        };
        self.times(facts, text)?;
        if !matches!(state, State::Passed | State::Failed) {
            return Ok(());
        }
        let holding = holding(facts, text);
        if !holding.is_empty() {
            self.paragraph(
                false,
                Style::Good,
                0,
                &format!("passed: {}", holding.join(", ")),
            )?;
        }
        let unchecked: Vec<_> = policy
            .unchecked()
            .into_iter()
            .map(|name| format!("--{name}"))
            .collect();
        if !unchecked.is_empty() {
            let text = format!("not compared, for want of {}", unchecked.join(", "));
            self.paragraph(false, Style::Doubt, 0, &text)?;
        }
        Ok(())
    }

    /// The times of the payload in words, a line each.
    fn times(&mut self, facts: &Facts<'_>, text: &JsonText) -> io::Result<()> {
        let rows: Vec<_> = times(text)
            .take(MAX_TIMES)
            .map(|(name, value, date)| {
                (name, excerpt(value), words::calendar(date, facts.now), date)
            })
            .collect();
        let value_wide = rows
            .iter()
            .map(|row| columns(&row.1))
            .max()
            .unwrap_or_default()
            .min(20);
        let date_wide = rows.iter().map(|row| row.2.len()).max().unwrap_or_default();
        let name_wide = rows.iter().map(|row| row.0.len()).max().unwrap_or_default();
        for (name, value, calendar, date) in rows {
            let words = time_words(name, date, facts);
            let text = format!("{name:<name_wide$}  {value:<value_wide$}  {calendar:<date_wide$}");
            if columns(&text) + 2 + words.len() + 4 <= self.width {
                self.line(true, Style::Plain, &format!("  {text}  {words}"))?;
            } else {
                for line in wrap(text.trim_end(), self.width.saturating_sub(4)) {
                    self.line(true, Style::Plain, &format!("  {line}"))?;
                }
                self.paragraph(true, Style::Plain, 4 + name_wide, &words)?;
            }
            if let Some(moment) = words::as_milliseconds(date) {
                let text = format!("in milliseconds? That would be {moment}; RFC 7519 has seconds");
                self.paragraph(true, Style::Doubt, 4 + name_wide, &text)?;
            }
        }
        Ok(())
    }
}

/// The claims that were judged, and have no part in any reason.
fn holding(facts: &Facts<'_>, text: &JsonText) -> Vec<&'static str> {
    let policy = facts.policy;
    let is_judged = |name: &str| match name {
        "iss" => !policy.issuers().is_empty(),
        "sub" => !policy.subjects().is_empty(),
        "aud" => !policy.audiences().is_empty(),
        _ => true,
    };
    let failed: Vec<_> = facts.reasons.iter().filter_map(claim_of).collect();
    ["iss", "sub", "aud", "exp", "nbf", "iat"]
        .into_iter()
        .filter(|name| is_judged(name) && text.member(name).is_some() && !failed.contains(name))
        .collect()
}

/// The claim that a reason of the claims stage speaks of.
const fn claim_of(reason: Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::IssType | Reason::IssuerMismatch | Reason::MissingIss => "iss",
        Reason::SubType | Reason::SubjectMismatch | Reason::MissingSub => "sub",
        Reason::AudType | Reason::AudienceMismatch | Reason::MissingAud => "aud",
        Reason::ExpType | Reason::Expired | Reason::LifetimeTooLong | Reason::MissingExp => "exp",
        Reason::NbfType | Reason::NotYetValid | Reason::MissingNbf => "nbf",
        Reason::IatType | Reason::IssuedInFuture | Reason::TooOld | Reason::MissingIat => "iat",
        _ => return None,
    })
}

/// Whether a stage is a heading with nothing under it.
fn is_bare(stage: Stage, state: State) -> bool {
    matches!(stage, Stage::Key | Stage::Signature)
        && matches!(state, State::NotReached | State::NotDone)
}

/// The section that a stage follows.
const fn rule(stage: Stage) -> &'static str {
    match stage {
        Stage::Line => "",
        Stage::Structure => "RFC 7515 section 7.1",
        Stage::Header => "RFC 7515 section 4",
        Stage::Key => "RFC 7515 section 6",
        Stage::Signature => "RFC 7515 section 5.2",
        Stage::Payload => "RFC 7519 section 7.2",
        Stage::Claims => "RFC 7519 section 4",
    }
}
