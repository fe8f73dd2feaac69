//! A labelled corpus of logs: twelve formats, a token in every second record, and the verdict of each
//! at its use and now.
//!
//! Owns the division into files, the order of records, and the ground truth's form. Tokens and
//! their verdicts are in `uses`, the texts around them in `place` and `entry`, the formats in
//! `access`, `messages`, `records` and `documents`. Compression and files are left to the caller.

mod access;
mod calendar;
mod documents;
mod entry;
mod format;
mod messages;
mod piece;
mod place;
mod records;
#[cfg(test)]
mod tests;
mod uses;

use std::fmt;
use std::io::{self, Write};

use calendar::Instant;
use entry::Entry;
pub use format::LogFormat;
use piece::Piece;
use place::Place;
use uses::{Form, Token, Uses};

use crate::defect::Defect;
use crate::error::SpecError;
use crate::rng::{Rng, Streams};
use crate::share::Share;
use crate::spec::{MAX_NOW, Spec};
use crate::text::{push_json_string, push_u64};
use crate::{Dataset, token::Plan};

/// How long before `now` the logs begin, in seconds: thirty days.
const SPAN: i64 = 30 * 86_400;
/// The earliest `now` of a corpus: its tokens may have expired weeks before the logs begin.
const MIN_NOW: i64 = 2 * SPAN;
/// How much is gathered before it is written, in bytes.
const CHUNK: usize = 64 * 1024;

/// A corpus of logs, described. The same description gives the same bytes on every machine, and
/// the bytes of a file depend on its format and number of records alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSpec {
    /// How many records the files have together; every second one has a token.
    pub records: u64,
    /// The formats, each at most once, at least one.
    pub formats: Vec<LogFormat>,
    /// The tokens: of its own, a corpus has `count`, `defects`, `edges`, and `repeat`. There is one
    /// issuer.
    pub tokens: Spec,
}

impl Default for LogSpec {
    fn default() -> LogSpec {
        LogSpec {
            records: 1_000,
            formats: LogFormat::ALL.to_vec(),
            tokens: Spec::default(),
        }
    }
}

/// A corpus of logs, ready to be written.
pub struct Logs {
    dataset: Dataset,
    spec: LogSpec,
}

impl fmt::Debug for Logs {
    /// The description; the keys stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Logs").field(&self.spec).finish()
    }
}

/// What a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogCounts {
    /// Records, heads and tails not counted.
    pub records: u64,
    /// Tokens, one a line of the ground truth.
    pub tokens: u64,
    /// Tokens that were cut short in their payload.
    pub cut: u64,
    /// Bearer credentials that are no tokens of this kind.
    pub credentials: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Logs {
    /// Makes the keys. `progress` gets, from any thread, the number of keys done so far.
    ///
    /// # Errors
    /// As for [`Dataset::new`]; no format, a format twice, several issuers, or a `now` before March
    /// 1970.
    pub fn new(mut spec: LogSpec, progress: &(dyn Fn(u64) + Sync)) -> Result<Logs, SpecError> {
        if spec.formats.is_empty() {
            return Err(SpecError::NoLogFormat);
        }
        for (at, format) in spec.formats.iter().enumerate() {
            if spec
                .formats
                .iter()
                .take(at)
                .any(|earlier| earlier == format)
            {
                return Err(SpecError::DuplicateLogFormat(*format));
            }
        }
        for (what, given, min, max) in [
            ("now", spec.tokens.now, MIN_NOW, MAX_NOW),
            ("issuers of logs", spec.tokens.issuers.into(), 1, 1),
        ] {
            if !(min..=max).contains(&given) {
                return Err(SpecError::OutOfRange {
                    what,
                    given,
                    min,
                    max,
                });
            }
        }
        spec.tokens.defects = uses::defects();
        spec.tokens.edges = Share::NONE;
        spec.tokens.repeat = 1;
        let dataset = Dataset::with_progress(spec.tokens.clone(), progress)?;
        Ok(Logs { dataset, spec })
    }

    /// The keys, and the audit options under which the ground truth holds. Its own tokens are not
    /// those of the logs.
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The files, in the order of the formats given.
    pub fn files(&self) -> Vec<LogFile<'_>> {
        let (pairs, files) = (self.spec.records / 2, self.spec.formats.len());
        let files = u64::try_from(files).unwrap_or(1).max(1);
        let formats = (0_u64..).zip(&self.spec.formats);
        let file = |(number, format): (u64, &LogFormat)| LogFile {
            plan: &self.dataset.plan,
            format: *format,
            // Records in pairs, so that half of them all have a token; the first takes the odd one.
            records: 2 * (pairs / files + u64::from(number < pairs % files))
                + if number == 0 {
                    self.spec.records % 2
                } else {
                    0
                },
        };
        formats.map(file).collect()
    }
}

/// One file of a corpus.
pub struct LogFile<'l> {
    plan: &'l Plan,
    format: LogFormat,
    records: u64,
}

impl fmt::Debug for LogFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogFile")
            .field("format", &self.format)
            .field("records", &self.records)
            .finish()
    }
}

/// What a record has in the place of a token.
enum Subject<'p> {
    Token(Token<'p>),
    /// Cut by an ellipsis, or else by the end of the line.
    Cut {
        has_ellipsis: bool,
    },
    Credential,
    Nothing,
}

impl LogFile<'_> {
    /// Its format.
    pub fn format(&self) -> LogFormat {
        self.format
    }

    /// Writes the log, and a line of JSON for each token to `truth`:
    /// `{"file":"nginx.log","line":2,"offset":310,"length":401,"shape":"cookie","token":"signed",
    /// "at":"2026-09-21T14:13:20Z","verdict":"valid","reasons":[],"verdict_now":"rejected",
    /// "reasons_now":["expired"],"key":"2026-10"}`, in one line. `file` is `name`; `offset` and
    /// `length` are of the token as it is written, in bytes of the log; `at` is the time of the
    /// record, to the digits that the record has. In an HTTP archive `pointer` is a JSON Pointer to
    /// the string with the token.
    ///
    /// `progress` gets the number of records done so far. Writes are of 64 KiB and more, so the
    /// writers need no buffers.
    ///
    /// # Errors
    /// The first error of either writer.
    pub fn write(
        &self,
        name: &str,
        log: &mut dyn Write,
        truth: &mut dyn Write,
        mut progress: impl FnMut(u64),
    ) -> io::Result<LogCounts> {
        let layout = self.format.layout();
        let mut position = LogFormat::ALL.iter();
        let position = position.position(|format| *format == self.format);
        let position = u64::try_from(position.unwrap_or(0)).unwrap_or(0);
        let mut rng = Streams::new(self.plan.spec.seed, 0x6c6f_6773).at(position);
        // No file has more tokens than that.
        let mut uses = Uses::new(self.plan, position << 48);
        let mut counts = LogCounts::default();
        let mut line = 1;
        let mut page = Piece::plain(layout.head);
        let mut rows = Vec::new();
        let mut flushed = 0_u64;
        line += newlines(&page.text);
        while counts.records < self.records {
            let start = page.text.len();
            let at = self.instant(counts.records, &mut rng);
            let subject = self.subject(counts.records, at, &mut uses, &mut rng);
            let mut entry = self.entry(&subject, at, counts.records, &mut uses, &mut rng);
            let place = entry.place;
            page.token = None;
            let digits = (layout.record)(&mut page, &mut entry);
            let pointer = entry.pointer.take();
            if let (
                Subject::Cut {
                    has_ellipsis: false,
                },
                Some(cut),
            ) = (&subject, &page.token)
            {
                page.text.truncate(cut.end);
                page.text.push(b'\n');
            }
            match &subject {
                Subject::Token(token) => {
                    let range = page.token.clone().unwrap_or_default();
                    let before = page.text.get(start..range.start).unwrap_or_default();
                    let row = Row {
                        file: name,
                        line: line + newlines(before),
                        offset: flushed + u64::try_from(range.start).unwrap_or(0),
                        length: u64::try_from(range.len()).unwrap_or(0),
                        place,
                        token,
                        at: &at.rfc3339(0, digits),
                        pointer,
                    };
                    let leeway = self.plan.spec.leeway;
                    let now = Instant {
                        seconds: self.plan.spec.now,
                        nanos: 0,
                    };
                    row.push(
                        &token.reasons(at, leeway),
                        &token.reasons(now, leeway),
                        &mut rows,
                    );
                    counts.tokens += 1;
                }
                Subject::Cut { .. } => counts.cut += 1,
                Subject::Credential => counts.credentials += 1,
                Subject::Nothing => {}
            }
            counts.records += 1;
            line += newlines(page.text.get(start..).unwrap_or_default());
            if page.text.len() >= CHUNK {
                log.write_all(&page.text)?;
                truth.write_all(&rows)?;
                flushed += u64::try_from(page.text.len()).unwrap_or(0);
                page.text.clear();
                rows.clear();
                progress(counts.records);
            }
        }
        page.add(layout.tail);
        log.write_all(&page.text)?;
        truth.write_all(&rows)?;
        counts.bytes = flushed + u64::try_from(page.text.len()).unwrap_or(0);
        Ok(counts)
    }

    /// When a record is written: they are spread evenly over the span, in order.
    fn instant(&self, number: u64, rng: &mut Rng) -> Instant {
        let span = u64::try_from(SPAN).unwrap_or(0) * 1_000_000_000;
        let step = span / self.records.max(1);
        let offset = number.saturating_mul(step) + rng.below(step);
        let seconds = i64::try_from(offset / 1_000_000_000).unwrap_or(0);
        Instant {
            seconds: self.plan.spec.now - SPAN + seconds,
            nanos: u32::try_from(offset % 1_000_000_000).unwrap_or(0),
        }
    }

    fn subject<'p>(
        &self,
        number: u64,
        at: Instant,
        uses: &mut Uses<'p>,
        rng: &mut Rng,
    ) -> Subject<'p> {
        let layout = self.format.layout();
        if number % 2 == 1 {
            return Subject::Token(uses.draw(at, rng));
        }
        match rng.below(100) {
            0..20 => Subject::Cut {
                has_ellipsis: !layout.is_cut_by_lines || rng.percent(50),
            },
            20..35 if layout.has_credentials => Subject::Credential,
            _ => Subject::Nothing,
        }
    }

    fn entry<'r>(
        &self,
        subject: &Subject,
        at: Instant,
        number: u64,
        uses: &mut Uses,
        rng: &'r mut Rng,
    ) -> Entry<'r> {
        let layout = self.format.layout();
        let place = layout.places.get(rng.index(layout.places.len()));
        let mut place = place.copied().unwrap_or(Place::Bare);
        let mut piece = Piece::default();
        match subject {
            Subject::Token(token) => {
                if token.form == Form::Padded && place.is_escaped() {
                    place = Place::Query;
                }
                piece.add_token(&token.text).add(&token.tail);
            }
            Subject::Cut { has_ellipsis } => {
                place = match place {
                    Place::UrlEncoded | Place::JsonEscaped => Place::Query,
                    // The dot of a sentence behind an ellipsis is one dot too many.
                    Place::Sentence => Place::Quoted,
                    other => other,
                };
                piece.add_token(&uses.cut(at, rng));
                if *has_ellipsis {
                    let unicode = !layout.is_ascii && rng.percent(50);
                    piece.add(if unicode { "…" } else { "..." });
                }
            }
            Subject::Credential => {
                place = Place::Header;
                piece.add_token(&entry::opaque(rng));
            }
            Subject::Nothing => {}
        }
        Entry {
            at,
            number,
            place,
            subject: (!matches!(subject, Subject::Nothing)).then_some(piece),
            pointer: None,
            rng,
        }
    }
}

fn newlines(bytes: &[u8]) -> u64 {
    let count = bytes.iter().filter(|byte| **byte == b'\n').count();
    u64::try_from(count).unwrap_or(0)
}

/// The ground truth of one token.
struct Row<'a> {
    file: &'a str,
    line: u64,
    offset: u64,
    length: u64,
    place: Place,
    token: &'a Token<'a>,
    at: &'a str,
    pointer: Option<String>,
}

impl Row<'_> {
    fn push(&self, at_use: &[Defect], now: &[Defect], out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"file\":");
        push_json_string(out, self.file);
        for (name, number) in [
            (",\"line\":", self.line),
            (",\"offset\":", self.offset),
            (",\"length\":", self.length),
        ] {
            out.extend_from_slice(name.as_bytes());
            push_u64(out, number);
        }
        let (place, form, at) = (self.place, self.token.form, self.at);
        let texts = format!(",\"shape\":\"{place}\",\"token\":\"{form}\",\"at\":\"{at}\"");
        out.extend_from_slice(texts.as_bytes());
        for (suffix, reasons) in [("", at_use), ("_now", now)] {
            let verdict = if reasons.is_empty() {
                "valid"
            } else {
                "rejected"
            };
            let codes: Vec<String> = reasons
                .iter()
                .map(|it| format!("\"{}\"", it.code()))
                .collect();
            let codes = codes.join(",");
            let texts = format!(",\"verdict{suffix}\":\"{verdict}\",\"reasons{suffix}\":[{codes}]");
            out.extend_from_slice(texts.as_bytes());
        }
        for (name, text) in [
            (",\"key\":", self.token.key),
            (",\"pointer\":", self.pointer.as_deref()),
        ] {
            if let Some(text) = text {
                out.extend_from_slice(name.as_bytes());
                push_json_string(out, text);
            }
        }
        out.extend_from_slice(b"}\n");
    }
}
