//! The times that are in logs: bytes to [`UnixTime`].
//!
//! [`TimeReader`] finds the first time in a text, or reads a field that holds nothing else. It owns
//! the layouts of the usual logs, and what is assumed where a time lacks a zone or a year. Lines,
//! records, tokens, and which time of a record counts, are left to the extractors; the rules of the
//! calendar and of time zones to jiff.
//!
//! Most layouts have `hh:mm:ss`, so colons are searched for and the date is read backwards from
//! there; see `written`. Numbers of seconds are in `unix`.
//!
//! What is decided here:
//! - A time that does not exist (`2025-02-30`, `25:61`) is none, and the search goes on behind it.
//!   So is one before 1970 or after 9999; by a named time zone, one in the last 26 hours of 9999.
//! - A leap second (`:60`) is the last nanosecond before it, so that it stays within its minute.
//! - A local time that occurs twice, as clocks are set back, is the earlier one. One that a clock set
//!   forward skips is read by the offset from before.
//! - An offset, `Z`, `UTC` and `GMT` are zones. An abbreviation such as `CST` means several, so the
//!   zone of the reader is assumed.
//! - Month and day without a year are the latest such day whose time is not after `now`.

mod form;
#[cfg(test)]
mod tests;
mod unix;
mod written;
mod zone;

use std::ops::Range;

use jiff::civil;

pub use form::{TimeForm, UnknownTimeForm};
pub use zone::{LogZone, UnknownZone};

use crate::time::UnixTime;
use form::Layouts;
use written::Written;

/// A time read from a log, and what was assumed to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogTime {
    /// The instant.
    pub at: UnixTime,
    /// The time has no zone; that of the reader was taken.
    pub assumed_zone: bool,
    /// The time has no year; the latest that is not after `now` was taken.
    pub assumed_year: bool,
}

impl LogTime {
    const fn exact(at: UnixTime) -> Self {
        Self {
            at,
            assumed_zone: false,
            assumed_year: false,
        }
    }
}

/// Reads the times of logs. Cloning it is cheap, and it never allocates to read a valid time.
///
/// ```
/// use jotmill::{LogZone, TimeReader, UnixTime};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let reader = TimeReader::new(None, LogZone::UTC, UnixTime::now()?);
/// let line = br#"203.0.113.7 - - [10/Oct/2025:13:55:36 +0200] "GET / HTTP/1.1" 200 5"#;
/// let found = reader.first_in(line);
/// assert!(found.is_some_and(|(range, time)| {
///     &line[range] == b"10/Oct/2025:13:55:36 +0200"
///         && time.at.to_string() == "2025-10-10T11:55:36Z"
///         && !time.assumed_zone
/// }));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct TimeReader {
    layouts: Layouts,
    zone: LogZone,
    now: UnixTime,
    /// The year after that of `now`, which is as late as a time zone can make it.
    last_year: i16,
}

/// 1970-01-01T00:00:00.
const EPOCH: civil::DateTime = civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Years from one 29 February to the next are at most eight; two more are lost at the end, since
/// the search begins in the year after `now`.
const YEARS_BACK: i16 = 9;

impl TimeReader {
    /// A reader of times in one form, or in any of them; `zone` is taken for times without a zone,
    /// and `now` for times without a year.
    #[must_use]
    pub fn new(form: Option<TimeForm>, zone: LogZone, now: UnixTime) -> Self {
        let since = jiff::SignedDuration::from_secs(now.seconds().cast_signed());
        let year = EPOCH.checked_add(since).map_or(9999, |civil| civil.year());
        Self {
            layouts: form.map_or(Layouts::ALL, TimeForm::layouts),
            zone,
            now,
            last_year: year + 1,
        }
    }

    /// The first time in a text, and its range there, with its zone.
    ///
    /// Numbers count only where they can hardly be anything else, unless the form of the reader is
    /// one of them: as seconds with 3, 6 or 9 decimals between blanks, brackets, quotes or commas
    /// (`1760104536.123`), or as the value of a key that names a time (`ts=1760104536`,
    /// `"time":1760104536123`), always from 2001 to 2286. If the form is one of them, any number of
    /// that length does.
    #[must_use]
    pub fn first_in(&self, text: &[u8]) -> Option<(Range<usize>, LogTime)> {
        let clock = memchr::memchr_iter(b':', text).find_map(|colon| {
            let written = Written::around(text, colon, self.layouts)?;
            Some((written.range.clone(), self.resolve(&written)?))
        });
        let end = clock.as_ref().map_or(text.len(), |(range, _)| range.start);
        match unix::first_in(text, end, self.layouts) {
            Some((range, at)) => Some((range, LogTime::exact(at))),
            None => clock,
        }
    }

    /// The time that a field holds, and nothing else but blanks, one pair of quotes or brackets, and
    /// the name of a zone at the end.
    ///
    /// Without a form, a number counts seconds below 10^11, milliseconds below 10^14, microseconds
    /// below 10^17, and nanoseconds from there on.
    #[must_use]
    pub fn parse(&self, value: &[u8]) -> Option<LogTime> {
        let value = unquoted(value.trim_ascii());
        if let Some(at) = unix::parse(value, self.layouts) {
            return Some(LogTime::exact(at));
        }
        memchr::memchr_iter(b':', value).find_map(|colon| {
            let written = Written::around(value, colon, self.layouts)?;
            let is_whole = written.range.start == 0 && is_zone_name(&value[written.range.end..]);
            is_whole.then(|| self.resolve(&written))?
        })
    }

    /// `None` for a date that does not exist, and for one before 1970 or after 9999.
    fn resolve(&self, written: &Written) -> Option<LogTime> {
        let at = match written.year {
            Some(year) => self.instant(written, year)?,
            None => (0..=YEARS_BACK).find_map(|back| {
                let at = self.instant(written, self.last_year - back)?;
                (at <= self.now).then_some(at)
            })?,
        };
        Some(LogTime {
            at,
            assumed_zone: written.offset.is_none(),
            assumed_year: written.year.is_none(),
        })
    }

    fn instant(&self, written: &Written, year: i16) -> Option<UnixTime> {
        let Written { month, day, .. } = *written;
        let first = (0..=9999)
            .contains(&year)
            .then(|| civil::Date::new(year, month, 1).ok())??;
        if day < 1 || day > first.days_in_month() {
            return None;
        }
        let date = civil::Date::new(year, month, day).ok()?;
        let civil = date.to_datetime(written.time);
        match written.offset {
            Some(seconds) => zone::at_offset(civil, seconds),
            None => self.zone.instant(civil),
        }
    }
}

/// Whether this may follow a time in a field: nothing, `CEST`, `(CEST)` or `[Europe/Berlin]`.
fn is_zone_name(rest: &[u8]) -> bool {
    match rest.trim_ascii() {
        [] | [b'[', .., b']'] | [b'(', .., b')'] => true,
        name => name.len() <= 5 && name.iter().all(u8::is_ascii_uppercase),
    }
}

/// A value without the quotes or brackets around it.
fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] | [b'[', inner @ .., b']'] => {
            inner.trim_ascii()
        }
        _ => value,
    }
}
