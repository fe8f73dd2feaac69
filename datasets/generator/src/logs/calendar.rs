//! Instants, and the forms in which logs write them.
//!
//! Owns the calendar of the Gregorian proleptic year and the spelling of each form. Which log uses
//! which form is left to the formats.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A moment after 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instant {
    /// Unix seconds.
    pub(super) seconds: i64,
    /// Nanoseconds of the second.
    pub(super) nanos: u32,
}

/// A moment on the calendar of a zone.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Instant {
    /// The calendar of a zone that is `zone` minutes east of UTC.
    fn civil(self, zone: i64) -> Civil {
        let local = self.seconds + 60 * zone;
        let (days, second) = (local.div_euclid(86_400), local.rem_euclid(86_400));
        // Years begin in March here, so that a leap day is the last of its year: 400 years have
        // 146,097 days.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Civil {
            year: era * 400 + year_of_era + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * shifted_month + 2) / 5 + 1,
            hour: second / 3_600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    /// So many digits of the second's fraction.
    fn fraction(self, digits: u32) -> u32 {
        self.nanos / 10_u32.pow(9 - digits.min(9))
    }

    /// Unix time in units of 10^-`digits` seconds: 3 for milliseconds.
    pub(super) fn unix(self, digits: u32) -> String {
        let width = width(digits);
        match digits {
            0 => self.seconds.to_string(),
            _ => format!("{}{:0width$}", self.seconds, self.fraction(digits)),
        }
    }

    /// The clock time, with a fraction behind `point` where there are digits.
    pub(super) fn clock(self, zone: i64, point: char, digits: u32) -> String {
        let Civil {
            hour,
            minute,
            second,
            ..
        } = self.civil(zone);
        let width = width(digits);
        match digits {
            0 => format!("{hour:02}:{minute:02}:{second:02}"),
            _ => format!(
                "{hour:02}:{minute:02}:{second:02}{point}{:0width$}",
                self.fraction(digits)
            ),
        }
    }

    /// The date, year first.
    pub(super) fn date(self, zone: i64, separator: char) -> String {
        let Civil {
            year, month, day, ..
        } = self.civil(zone);
        format!("{year:04}{separator}{month:02}{separator}{day:02}")
    }

    /// RFC 3339: `2025-10-10T13:55:36.123Z`, with the offset of other zones than UTC.
    pub(super) fn rfc3339(self, zone: i64, digits: u32) -> String {
        let (date, clock) = (self.date(zone, '-'), self.clock(zone, '.', digits));
        match zone {
            0 => format!("{date}T{clock}Z"),
            _ => format!("{date}T{clock}{}", offset(zone, ":")),
        }
    }

    /// The common log format: `10/Oct/2025:13:55:36 +0200`.
    pub(super) fn common_log(self, zone: i64) -> String {
        let Civil {
            year, month, day, ..
        } = self.civil(zone);
        let (month, clock) = (month_name(month), self.clock(zone, '.', 0));
        format!("{day:02}/{month}/{year:04}:{clock} {}", offset(zone, ""))
    }

    /// The time of RFC 3164, which has no year and no zone: `Oct  1 22:14:15`.
    pub(super) fn bsd_syslog(self) -> String {
        let Civil { month, day, .. } = self.civil(0);
        format!("{} {day:2} {}", month_name(month), self.clock(0, '.', 0))
    }
}

fn width(digits: u32) -> usize {
    usize::try_from(digits).unwrap_or(0)
}

fn month_name(month: i64) -> &'static str {
    let place = usize::try_from(month - 1).unwrap_or(0);
    MONTHS.get(place).copied().unwrap_or_default()
}

fn offset(zone: i64, colon: &str) -> String {
    let sign = if zone < 0 { '-' } else { '+' };
    let minutes = zone.abs();
    format!("{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_the_forms_of_their_logs() {
        let at = Instant {
            seconds: 1_760_104_536,
            nanos: 7_089_123,
        };
        assert_eq!(at.rfc3339(0, 0), "2025-10-10T13:55:36Z");
        assert_eq!(at.rfc3339(120, 3), "2025-10-10T15:55:36.007+02:00");
        assert_eq!(at.rfc3339(-570, 6), "2025-10-10T04:25:36.007089-09:30");
        assert_eq!(at.common_log(120), "10/Oct/2025:15:55:36 +0200");
        assert_eq!(at.common_log(0), "10/Oct/2025:13:55:36 +0000");
        assert_eq!(at.bsd_syslog(), "Oct 10 13:55:36");
        assert_eq!(at.unix(0), "1760104536");
        assert_eq!(at.unix(3), "1760104536007");
        assert_eq!(at.unix(9), "1760104536007089123");
        assert_eq!(at.clock(0, ',', 3), "13:55:36,007");
    }

    #[test]
    fn the_calendar_has_leap_days_and_the_ends_of_years() {
        let date = |seconds| Instant { seconds, nanos: 0 }.date(0, '-');
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_709_164_800, "2024-02-29"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            // 2100 is no leap year.
            (4_107_542_400, "2100-03-01"),
            (253_402_300_799, "9999-12-31"),
        ] {
            assert_eq!(date(seconds), expected);
        }
        // A day of one digit is padded with a space.
        let first = Instant {
            seconds: 1_759_356_855,
            nanos: 0,
        };
        assert_eq!(first.bsd_syslog(), "Oct  1 22:14:15");
    }
}
