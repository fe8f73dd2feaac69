//! Moments and lengths of time, in words.

use jotmill::{NumericDate, UnixTime};

use super::escape::plural;

const UNITS: [(u64, &str); 5] = [
    (31_536_000, "year"),
    (86_400, "day"),
    (3600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// A million years in seconds, beyond which lengths are all the same.
const AGES: f64 = 3.2e13;

/// A length of time in its two largest units; the sign is dropped.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.abs();
    if seconds >= AGES || seconds.is_nan() {
        return "more than a million years".to_owned();
    }
    if seconds > 0.0 && seconds < 0.001 {
        return "less than a millisecond".to_owned();
    }
    if seconds < 10.0 && seconds.fract() != 0.0 {
        let text = format!("{seconds:.3}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        return format!("{text} seconds");
    }
    // A whole number below 10^14, so that its text is one of a u64.
    let whole = format!("{:.0}", seconds.round());
    whole_duration(whole.parse().unwrap_or(u64::MAX))
}

/// A whole number of seconds in its two largest units.
pub(super) fn whole_duration(seconds: u64) -> String {
    let units = UNITS.into_iter().skip_while(|(size, _)| seconds < *size);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in units.take(2) {
        let count = usize::try_from(rest / size).unwrap_or(usize::MAX);
        rest %= size;
        if count > 0 {
            parts.push(plural(count, name));
        }
        // After 30 days, hours do not matter.
        if count >= 30 {
            break;
        }
    }
    if seconds == 0 {
        "0 seconds".to_owned()
    } else {
        parts.join(" ")
    }
}

/// How far a moment lies from `now`: "in 1 hour", "3 days ago", "now".
pub(super) fn relative(seconds: f64) -> String {
    if seconds == 0.0 {
        "now".to_owned()
    } else if seconds > 0.0 {
        format!("in {}", duration(seconds))
    } else {
        format!("{} ago", duration(seconds))
    }
}

/// A JSON number as a moment.
pub(super) fn date(text: &str) -> Option<NumericDate> {
    if !text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return None;
    }
    let int = text.parse().map(NumericDate::Int);
    let uint = || text.parse().map(NumericDate::Uint);
    let float = || text.parse::<f64>().ok().filter(|value| value.is_finite());
    int.or_else(|_| uint())
        .ok()
        .or_else(|| float().map(NumericDate::Float))
}

/// The seconds without an exponent, and in no more digits than the number has.
fn decimal(date: NumericDate) -> String {
    match date {
        NumericDate::Int(value) => value.to_string(),
        NumericDate::Uint(value) => value.to_string(),
        NumericDate::Float(value) => value.to_string(),
    }
}

/// A moment between 1970 and 9999, to the nanosecond.
pub(super) fn moment(date: NumericDate) -> Option<UnixTime> {
    let text = decimal(date);
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let nanos = format!("{fraction:0<9}");
    // "-0" is zero, and "-0.5" is before 1970.
    UnixTime::new(whole.parse().ok()?, nanos.get(..9)?.parse().ok()?)
}

/// A moment in RFC 3339; without one, on which side of the calendar it lies by its `seconds`.
pub(super) fn calendar(moment: Option<UnixTime>, seconds: f64) -> String {
    match moment {
        Some(moment) => moment.to_string(),
        None if seconds < 0.0 => "before 1970".to_owned(),
        None => "after 9999".to_owned(),
    }
}

/// The moment that a number means if it counts milliseconds, where that is likely.
pub(super) fn as_milliseconds(date: NumericDate) -> Option<UnixTime> {
    // From 2001 to 2286. As seconds these would be beyond the year 30000.
    let likely = 1_000_000_000_000..10_000_000_000_000_u64;
    let value = decimal(date)
        .parse()
        .ok()
        .filter(|value| likely.contains(value))?;
    UnixTime::new(value / 1000, u32::try_from(value % 1000).ok()? * 1_000_000)
}

/// A moment as seconds since the epoch, with a fraction only where there is one.
pub(super) fn unix(moment: UnixTime) -> String {
    let text = format!("{}.{:09}", moment.seconds(), moment.subsec_nanos());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_two_units_at_most() {
        for (seconds, expected) in [
            (0.0, "0 seconds"),
            (1e-9, "less than a millisecond"),
            (0.25, "0.25 seconds"),
            (1.0, "1 second"),
            (9.9999, "10 seconds"),
            (59.0, "59 seconds"),
            (61.0, "1 minute 1 second"),
            (3_600.0, "1 hour"),
            (-3_661.0, "1 hour 1 minute"),
            (259_200.0, "3 days"),
            (3_456_123.0, "40 days"),
            (31_536_000.0 * 2.5, "2 years 182 days"),
            (31_536_000.0 * 56.9, "56 years"),
            (1e308, "more than a million years"),
            (f64::MAX, "more than a million years"),
        ] {
            assert_eq!(duration(seconds), expected, "{seconds}");
        }
        assert_eq!(relative(-0.0), "now");
        assert_eq!(relative(3600.0), "in 1 hour");
        assert_eq!(relative(-259_200.0), "3 days ago");
        assert!(whole_duration(u64::MAX).ends_with("years"));
    }

    #[test]
    fn moments_are_shown_where_the_calendar_has_them() {
        let now = UnixTime::new(1_790_000_000, 0).unwrap();
        for (text, expected) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("-0", "1970-01-01T00:00:00Z"),
            ("-1", "before 1970"),
            ("-0.5", "before 1970"),
            ("1790003600", "2026-09-21T15:13:20Z"),
            ("1790003600.5", "2026-09-21T15:13:20.5Z"),
            ("1.7900036e9", "2026-09-21T15:13:20Z"),
            ("1790003600.000", "2026-09-21T15:13:20Z"),
            ("253402300799", "9999-12-31T23:59:59Z"),
            ("253402300800", "after 9999"),
            ("18446744073709551615", "after 9999"),
            ("184467440737095516150", "after 9999"),
            ("1e308", "after 9999"),
            ("-1e308", "before 1970"),
            ("1e-300", "1970-01-01T00:00:00Z"),
        ] {
            let date = date(text).unwrap();
            let found = calendar(moment(date), date.seconds_from(now));
            assert_eq!(found, expected, "{text}");
        }
        for text in ["null", "true", "\"1\"", "[]", "1e999"] {
            assert!(date(text).is_none(), "{text}");
        }
    }

    #[test]
    fn milliseconds_are_recognised() {
        let found = as_milliseconds(date("1790003600123").unwrap()).unwrap();
        assert_eq!(found.to_string(), "2026-09-21T15:13:20.123Z");
        for text in [
            "1790003600",
            "253402300799",
            "1e308",
            "-1790003600123",
            "1.5",
        ] {
            assert_eq!(as_milliseconds(date(text).unwrap()), None, "{text}");
        }
    }
}
