//! The validity period of a certificate.

use std::fmt;

use jiff::civil;

use super::der;
use crate::time::UnixTime;

/// The validity period of a certificate (RFC 5280 section 4.1.2.5), in seconds since 1970, both
/// ends included. Seconds before 1970 are negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: i64,
    /// The last second.
    pub not_after: i64,
}

// Tags of times (X.690 section 8).
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

impl Validity {
    /// Reads a Validity. `None` for times in another form than RFC 5280 allows.
    pub(super) fn from_der(der: &[u8]) -> Option<Self> {
        let [not_before, not_after] = der::elements(der)?[..] else {
            return None;
        };
        Some(Self {
            not_before: seconds(not_before)?,
            not_after: seconds(not_after)?,
        })
    }

    /// That of a certificate.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        super::certificate::validity(der)
    }

    /// Whether the certificate has expired.
    #[must_use]
    pub fn is_over(self, now: UnixTime) -> bool {
        now.seconds().cast_signed() > self.not_after
    }

    /// Whether the certificate is not valid yet.
    #[must_use]
    pub fn is_ahead(self, now: UnixTime) -> bool {
        now.seconds().cast_signed() < self.not_before
    }
}

/// Both ends in RFC 3339, in UTC.
impl fmt::Display for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, to] = self.dates();
        write!(f, "{from} to {to}")
    }
}

impl Validity {
    /// The first and the last second in RFC 3339, in UTC.
    #[must_use]
    pub fn dates(self) -> [String; 2] {
        [self.not_before, self.not_after].map(|seconds| {
            let date = EPOCH.checked_add(jiff::SignedDuration::from_secs(seconds));
            date.map_or_else(|_| seconds.to_string(), |date| format!("{date}Z"))
        })
    }
}

const EPOCH: civil::DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// The seconds of a UTCTime or a GeneralizedTime (RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2).
fn seconds(der: &[u8]) -> Option<i64> {
    let tag = *der.first()?;
    let text = der::content(der, tag)?.strip_suffix(b"Z")?;
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = |digits: &[u8]| {
        digits
            .iter()
            .fold(0, |sum, digit| 10 * sum + i16::from(digit - b'0'))
    };
    let (year, rest) = match (tag, text.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = text.split_at(2);
            // 50 to 99 are of the last century.
            let year = number(year);
            (if year >= 50 { 1900 + year } else { 2000 + year }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = text.split_at(4);
            (number(year), rest)
        }
        _ => return None,
    };
    let mut pairs = rest.chunks_exact(2).map(number);
    let mut next = || i8::try_from(pairs.next()?).ok();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let date = civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(date.duration_since(EPOCH).as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tag: u8, text: &str) -> Option<i64> {
        let len = u8::try_from(text.len()).unwrap();
        seconds(&[&[tag, len], text.as_bytes()].concat())
    }

    #[test]
    fn times_are_read_from_the_year_0_to_9999() {
        for (tag, text, expected) in [
            (UTC_TIME, "700101000000Z", Some(0)),
            (UTC_TIME, "691231235959Z", Some(-1)),
            (UTC_TIME, "500101000000Z", Some(-631_152_000)),
            (UTC_TIME, "491231235959Z", Some(2_524_607_999)),
            (GENERALIZED_TIME, "99991231235959Z", Some(253_402_300_799)),
            (GENERALIZED_TIME, "00000101000000Z", Some(-62_167_219_200)),
            (GENERALIZED_TIME, "20260229000000Z", None),
            (GENERALIZED_TIME, "20260101000000", None),
            (GENERALIZED_TIME, "20260101000000.5Z", None),
            (GENERALIZED_TIME, "700101000000Z", None),
            (UTC_TIME, "7001010000Z", None),
            (UTC_TIME, "70010100000\u{e9}Z", None),
            (UTC_TIME, "", None),
            (0x0c, "700101000000Z", None),
        ] {
            assert_eq!(read(tag, text), expected, "{text}");
        }
    }

    #[test]
    fn dates_are_written_before_1970_as_well() {
        let validity = Validity {
            not_before: -631_152_000,
            not_after: 253_402_300_799,
        };
        let text = "1950-01-01T00:00:00Z to 9999-12-31T23:59:59Z";
        assert_eq!(validity.to_string(), text);
    }
}
