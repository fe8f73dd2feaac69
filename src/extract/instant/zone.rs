//! The zone that is assumed where a time has none.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::EPOCH;
use super::written::offset_of;
use crate::time::UnixTime;

/// An offset from UTC, or a time zone by its name in the IANA database.
///
/// The database is part of the program, so that a log is read in the same way on every machine.
///
/// ```
/// use jotmill::LogZone;
///
/// for zone in ["UTC", "+02:00", "-0330", "Europe/Berlin"] {
///     assert!(zone.parse::<LogZone>().is_ok());
/// }
/// assert!("Middle/Earth".parse::<LogZone>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogZone(Kind);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// Seconds east of UTC.
    Offset(i32),
    Named(TimeZone),
}

impl LogZone {
    /// Coordinated Universal Time.
    pub const UTC: Self = Self(Kind::Offset(0));

    /// The instant of a local time; `None` before 1970 and after 9999.
    pub(super) fn instant(&self, civil: DateTime) -> Option<UnixTime> {
        let timestamp = match &self.0 {
            Kind::Offset(seconds) => return at_offset(civil, *seconds),
            Kind::Named(zone) => zone.to_ambiguous_timestamp(civil).compatible().ok()?,
        };
        unix_time(timestamp.as_second(), timestamp.subsec_nanosecond())
    }
}

/// The instant of a local time, given the seconds that it is east of UTC.
pub(super) fn at_offset(civil: DateTime, seconds: i32) -> Option<UnixTime> {
    let since = civil.duration_since(EPOCH) - SignedDuration::from_secs(seconds.into());
    unix_time(since.as_secs(), since.subsec_nanos())
}

fn unix_time(seconds: i64, nanos: i32) -> Option<UnixTime> {
    UnixTime::new(seconds.try_into().ok()?, nanos.try_into().ok()?)
}

impl FromStr for LogZone {
    type Err = UnknownZone;

    /// `UTC`, `Z`, an offset such as `+02:00`, `+0200` or `+02`, or a name in any case.
    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        if ["UTC", "Z"]
            .iter()
            .any(|utc| name.eq_ignore_ascii_case(utc))
        {
            return Ok(Self::UTC);
        }
        if name.starts_with(['+', '-']) {
            let offset = offset_of(name.as_bytes()).filter(|(length, _)| *length == name.len());
            let seconds = offset.and_then(|(_, seconds)| seconds);
            return seconds
                .map(|seconds| Self(Kind::Offset(seconds)))
                .ok_or(UnknownZone);
        }
        let zone = TimeZoneDatabase::bundled().get(name);
        zone.map(|zone| Self(Kind::Named(zone)))
            .map_err(|_| UnknownZone)
    }
}

/// `UTC`, `+02:00` or the name in the database.
impl fmt::Display for LogZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Offset(0) => f.write_str("UTC"),
            Kind::Offset(seconds) => {
                let (sign, minutes) = (if *seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Kind::Named(zone) => f.write_str(zone.iana_name().unwrap_or("UTC")),
        }
    }
}

/// Neither an offset nor the name of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownZone;

impl fmt::Display for UnknownZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "unknown time zone; give an offset such as `+02:00`, or a name of the IANA time zone \
             database such as `Europe/Berlin`",
        )
    }
}

impl Error for UnknownZone {}
