//! Instants: [`UnixTime`], which tokens are judged at, and [`NumericDate`], which tokens claim
//! (RFC 7519 section 2).
//!
//! A NumericDate is any JSON number, and comparisons are exact over all of them: nothing wraps,
//! saturates or is rounded before it is compared. Parsing instants that a person typed is left to
//! the command line.

use std::cmp::Ordering;
use std::fmt;
use std::time::{Duration, SystemTime};

use crate::error::Error;

const NANOS: i128 = 1_000_000_000;

/// A moment as seconds and nanoseconds since 1970-01-01T00:00:00Z, without leap seconds, from 1970
/// to the end of 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime {
    seconds: u64,
    nanos: u32,
}

impl UnixTime {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self {
        seconds: 0,
        nanos: 0,
    };
    /// The last second of the year 9999, the end of what RFC 3339 can write.
    pub const MAX_SECONDS: u64 = 253_402_300_799;

    /// The moment `seconds` and `nanos` after the epoch; `None` after the year 9999 or for a
    /// billion nanoseconds and more.
    #[must_use]
    pub const fn new(seconds: u64, nanos: u32) -> Option<Self> {
        if seconds <= Self::MAX_SECONDS && nanos < 1_000_000_000 {
            Some(Self { seconds, nanos })
        } else {
            None
        }
    }

    /// The time of the system clock.
    ///
    /// # Errors
    /// [`Error::Clock`] when the clock is before 1970 or after 9999: no expiry can be judged by it.
    pub fn now() -> Result<Self, Error> {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .ok();
        since
            .and_then(|d: Duration| Self::new(d.as_secs(), d.subsec_nanos()))
            .ok_or(Error::Clock)
    }

    /// Whole seconds since the epoch.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.seconds
    }

    /// Nanoseconds beyond the whole second.
    #[must_use]
    pub const fn subsec_nanos(self) -> u32 {
        self.nanos
    }

    /// This moment as a [`Point`], to compare NumericDates with.
    pub(crate) const fn point(self) -> Point {
        Point {
            seconds: self.seconds.cast_signed(),
            nanos: self.nanos,
        }
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = jiff::SignedDuration::new(self.seconds.cast_signed(), self.nanos.cast_signed());
        match jiff::civil::date(1970, 1, 1)
            .at(0, 0, 0, 0)
            .checked_add(since)
        {
            Ok(civil) => write!(f, "{civil}Z"),
            Err(_) => write!(f, "{}", self.seconds),
        }
    }
}

/// A time limit: an instant plus or minus leeway and ages, so it may lie before 1970. It cannot
/// overflow: instants and the durations of a policy are far below 2^62 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    seconds: i64,
    nanos: u32,
}

impl Point {
    pub(crate) const fn plus(self, seconds: u64) -> Self {
        debug_assert!(seconds <= 1 << 62);
        Self {
            seconds: self.seconds + seconds.cast_signed(),
            nanos: self.nanos,
        }
    }

    pub(crate) const fn minus(self, seconds: u64) -> Self {
        debug_assert!(seconds <= 1 << 62);
        Self {
            seconds: self.seconds - seconds.cast_signed(),
            nanos: self.nanos,
        }
    }
}

/// A JSON number that names a moment, in seconds since the epoch (RFC 7519 section 2).
///
/// Integers within 64 bits are exact; every other number is the nearest double. A `Float` is
/// always finite, since a number that overflows a double is not accepted as JSON.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NumericDate {
    /// An integer from -2^63 to 2^63-1.
    Int(i64),
    /// An integer from 2^63 to 2^64-1.
    Uint(u64),
    /// Any other number.
    Float(f64),
}

/// Doubles from here on are whole numbers and lie further apart than any duration that a policy
/// can hold, so that comparing them as doubles is exact.
const HUGE: f64 = (1u128 << 120) as f64;

/// Doubles below have whole parts of 64 bits.
const LARGE: f64 = (1u64 << 62) as f64;

impl NumericDate {
    /// The whole seconds, rounded towards zero, and the fraction in `-1.0..1.0`, both exact; `None`
    /// for a huge double.
    fn split(self) -> Option<(i128, f64)> {
        match self {
            Self::Int(value) => Some((value.into(), 0.0)),
            Self::Uint(value) => Some((value.into(), 0.0)),
            // 64 bits nearly always suffice and are much faster. The difference is exact: a double
            // with 53 bits before the point has no fraction. Adding 0.0 turns -0.0 into 0.0.
            #[allow(clippy::cast_possible_truncation)] // within 2^62
            Self::Float(value) if value.abs() < LARGE => {
                let whole = value as i64;
                Some((whole.into(), value - whole as f64 + 0.0))
            }
            #[allow(clippy::cast_possible_truncation)] // far below 2^127
            Self::Float(value) if value.abs() < HUGE => Some((value as i128, value.fract())),
            Self::Float(_) => None,
        }
    }

    const fn as_f64(self) -> f64 {
        match self {
            Self::Int(value) => value as f64,
            Self::Uint(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Whether this number is more likely to count milliseconds: it is from 10^12 to below 10^13. As
    /// seconds this is after the year 33,000, as milliseconds from 2001 to 2286.
    #[inline]
    pub(crate) fn is_in_milliseconds(self) -> bool {
        match self {
            Self::Int(value) => (1_000_000_000_000..10_000_000_000_000).contains(&value),
            Self::Uint(_) => false,
            Self::Float(value) => (1e12..1e13).contains(&value),
        }
    }

    /// Orders this moment and `point`.
    #[inline]
    pub(crate) fn compare(self, point: Point) -> Ordering {
        match self {
            // Nearly every date is an integer.
            Self::Int(seconds) => seconds.cmp(&point.seconds).then(0.cmp(&point.nanos)),
            Self::Uint(seconds) => compare_parts(seconds.into(), 0.0, point),
            Self::Float(seconds) => compare_double(seconds, point),
        }
    }

    /// Whether this moment is later than `point`.
    #[inline]
    pub(crate) fn is_after(self, point: Point) -> bool {
        match self {
            // A whole second is after a point only if it is after the point's second.
            Self::Int(seconds) => seconds > point.seconds,
            _ => self.compare(point).is_gt(),
        }
    }

    /// Whether this moment is more than `seconds` after `start`.
    pub(crate) fn is_later_by_more_than(self, seconds: u64, start: Self) -> bool {
        let (Some((end, end_part)), Some((start, start_part))) = (self.split(), start.split())
        else {
            return self.as_f64() > start.as_f64();
        };
        // The fractions differ by less than two. Their difference is `high + low` exactly
        // (Knuth's two-sum), and `low` is so small that it matters only in a tie.
        let whole = (end - start - i128::from(seconds)).clamp(-2, 2) as f64;
        let high = end_part - start_part;
        let back = high - end_part;
        let low = (end_part - (high - back)) + (-start_part - back);
        high > -whole || (high == -whole && low > 0.0)
    }

    /// Seconds from `now` to this moment, to the nearest double; negative for the past.
    #[must_use]
    pub fn seconds_from(self, now: UnixTime) -> f64 {
        match self.split() {
            Some((seconds, fraction)) => {
                let whole = seconds - i128::from(now.seconds);
                whole as f64 + (fraction - f64::from(now.nanos) / NANOS as f64)
            }
            None => self.as_f64(),
        }
    }
}

/// [`NumericDate::compare`] for doubles. It takes the double by value, so that the caller can keep
/// its date in registers.
#[cold]
fn compare_double(date: f64, point: Point) -> Ordering {
    match NumericDate::Float(date).split() {
        Some((seconds, fraction)) => compare_parts(seconds, fraction, point),
        None if date > 0.0 => Ordering::Greater,
        None => Ordering::Less,
    }
}

/// Compares a date that [was split](NumericDate::split).
#[cold]
fn compare_parts(seconds: i128, fraction: f64, point: Point) -> Ordering {
    if fraction < 0.0 {
        // Count from the second below, so that both fractions are positive.
        (seconds - 1)
            .cmp(&point.seconds.into())
            .then_with(|| compare_fraction(-fraction, 1_000_000_000 - point.nanos).reverse())
    } else {
        seconds
            .cmp(&point.seconds.into())
            .then_with(|| compare_fraction(fraction, point.nanos))
    }
}

/// Compares a fraction of a second in `0.0..1.0` with nanoseconds, exactly.
fn compare_fraction(fraction: f64, nanos: u32) -> Ordering {
    // The fraction is `mantissa / 2^scale`, so it is `mantissa * 10^9` against `nanos * 2^scale`.
    const EXPLICIT_BITS: u64 = 52;
    const BIAS: u64 = 1023;
    let bits = fraction.to_bits();
    let exponent = bits >> EXPLICIT_BITS;
    let mantissa = bits & ((1 << EXPLICIT_BITS) - 1) | u64::from(exponent > 0) << EXPLICIT_BITS;
    let scale = BIAS + EXPLICIT_BITS - exponent.max(1);
    if scale >= 96 {
        // The fraction is below 2^-43, which is less than a nanosecond.
        return if nanos == 0 {
            mantissa.cmp(&0)
        } else {
            Ordering::Less
        };
    }
    (u128::from(mantissa) * NANOS.cast_unsigned()).cmp(&(u128::from(nanos) << scale))
}

/// As a JSON number: integers in full, doubles in the shortest form that reads back the same.
impl fmt::Display for NumericDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Uint(value) => value.fmt(f),
            Self::Float(value) => write!(f, "{value:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64, nanos: u32) -> Point {
        UnixTime::new(seconds, nanos).unwrap().point()
    }

    fn compare(date: NumericDate, point: Point) -> Ordering {
        let ordering = date.compare(point);
        assert_eq!(date.is_after(point), ordering.is_gt(), "{date:?} {point:?}");
        ordering
    }

    #[test]
    fn integers_compare_exactly_at_the_ends_of_their_range() {
        assert_eq!(
            compare(NumericDate::Int(i64::MIN), at(0, 0)),
            Ordering::Less
        );
        assert_eq!(
            compare(NumericDate::Uint(u64::MAX), at(0, 0)),
            Ordering::Greater
        );
        assert_eq!(compare(NumericDate::Int(5), at(5, 0)), Ordering::Equal);
        assert_eq!(compare(NumericDate::Int(5), at(5, 1)), Ordering::Less);
        assert_eq!(
            compare(NumericDate::Int(-3), at(2, 0).minus(5)),
            Ordering::Equal
        );
        assert_eq!(
            compare(
                NumericDate::Int(i64::MAX),
                at(0, 0).plus(crate::MAX_DURATION_SECONDS)
            ),
            Ordering::Greater
        );
    }

    #[test]
    fn fractions_compare_exactly_with_nanoseconds() {
        let below_zero = at(0, 999_999_999).minus(1);
        assert_eq!(
            compare(NumericDate::Float(-1e-300), below_zero),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(-1e-9), below_zero),
            Ordering::Less
        );
        assert_eq!(
            compare(NumericDate::Float(1.5), at(1, 500_000_000)),
            Ordering::Equal
        );
        assert_eq!(
            compare(NumericDate::Float(1.5), at(1, 499_999_999)),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(1.5), at(1, 500_000_001)),
            Ordering::Less
        );
        // 0.1 as a double lies a little above one tenth.
        assert_eq!(
            compare(NumericDate::Float(0.1), at(0, 100_000_000)),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(1e-9), at(0, 1)),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(f64::MIN_POSITIVE), at(0, 1)),
            Ordering::Less
        );
        assert_eq!(
            compare(NumericDate::Float(1e-300), at(0, 0)),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(-1e-300), at(0, 0)),
            Ordering::Less
        );
        assert_eq!(compare(NumericDate::Float(-0.0), at(0, 0)), Ordering::Equal);
        assert_eq!(
            compare(NumericDate::Float(-0.25), at(0, 750_000_000).minus(1)),
            Ordering::Equal
        );
    }

    #[test]
    #[allow(clippy::cast_possible_truncation)] // far below 2^127
    fn doubles_split_alike_by_64_bits_and_by_128() {
        let edge = LARGE.next_down();
        let values = [
            0.0,
            0.5,
            1.0,
            1.5,
            5e-324,
            0.999_999_999_999_999_9,
            1_790_000_000.000_000_2,
            4_503_599_627_370_495.5,
            9_007_199_254_740_991.0,
            9_007_199_254_740_993.0,
            edge,
            LARGE,
            LARGE * 1.5,
            1e30,
        ];
        for value in values.into_iter().flat_map(|value: f64| [value, -value]) {
            let (whole, fraction) = NumericDate::Float(value).split().unwrap();
            assert_eq!((whole, fraction), (value as i128, value.fract()), "{value}");
            // The bits of -0.0 would compare as a large fraction.
            assert!(fraction != 0.0 || fraction.is_sign_positive(), "{value}");
        }
        let zero = UnixTime::new(0, 0).unwrap().point();
        assert_eq!(NumericDate::Float(-0.0).compare(zero), Ordering::Equal);
    }

    #[test]
    fn huge_doubles_neither_wrap_nor_saturate_into_a_wrong_answer() {
        assert_eq!(
            compare(NumericDate::Float(1e308), at(0, 0)),
            Ordering::Greater
        );
        assert_eq!(
            compare(NumericDate::Float(-1e308), at(0, 0)),
            Ordering::Less
        );
        assert_eq!(
            compare(
                NumericDate::Float(1e30),
                at(0, 0).plus(crate::MAX_DURATION_SECONDS)
            ),
            Ordering::Greater
        );
        assert!(NumericDate::Float(1e308).is_later_by_more_than(u64::MAX, NumericDate::Int(0)));
        assert!(!NumericDate::Int(0).is_later_by_more_than(0, NumericDate::Float(1e308)));
        assert!(!NumericDate::Float(1e308).is_later_by_more_than(0, NumericDate::Float(1e308)));
    }

    #[test]
    fn lifetimes_are_compared_exactly() {
        let later = |end, seconds, start| {
            NumericDate::Float(end).is_later_by_more_than(seconds, NumericDate::Float(start))
        };
        assert!(!later(10.5, 10, 0.5));
        assert!(later(10.75, 10, 0.5));
        assert!(!later(10.25, 10, 0.5));
        assert!(later(11.25, 10, 0.5));
        assert!(!later(11.0, 10, 1.0));
        assert!(!later(11.5, 11, 0.75));
        assert!(later(-1e-300, 0, -2e-300));
        assert!(!later(-2e-300, 0, -1e-300));
        assert!(later(0.5, 1, -0.500_000_000_000_000_1));
        assert!(!later(0.5, 1, -0.5));
        assert!(!NumericDate::Int(3600).is_later_by_more_than(3600, NumericDate::Int(0)));
        assert!(NumericDate::Int(3601).is_later_by_more_than(3600, NumericDate::Int(0)));
        assert!(
            NumericDate::Uint(u64::MAX)
                .is_later_by_more_than(u64::MAX, NumericDate::Float(-f64::MIN_POSITIVE))
        );
        assert!(
            NumericDate::Uint(u64::MAX).is_later_by_more_than(u64::MAX, NumericDate::Int(i64::MIN))
        );
    }

    #[test]
    fn numbers_print_as_json_that_reads_back() {
        assert_eq!(NumericDate::Int(-1).to_string(), "-1");
        assert_eq!(
            NumericDate::Uint(u64::MAX).to_string(),
            "18446744073709551615"
        );
        assert_eq!(NumericDate::Float(1e300).to_string(), "1e300");
        assert_eq!(NumericDate::Float(1790003600.5).to_string(), "1790003600.5");
    }

    #[test]
    fn a_moment_prints_as_rfc_3339() {
        assert_eq!(
            UnixTime::new(1_790_000_000, 0).unwrap().to_string(),
            "2026-09-21T14:13:20Z"
        );
        let last = UnixTime::new(UnixTime::MAX_SECONDS, 999_999_999).unwrap();
        assert_eq!(last.to_string(), "9999-12-31T23:59:59.999999999Z");
        assert_eq!(UnixTime::new(UnixTime::MAX_SECONDS + 1, 0), None);
    }
}
