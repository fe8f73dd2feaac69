//! Shares of a whole, as `--defects` and its like take them.

use std::fmt;
use std::str::FromStr;

use super::error::SpecError;

/// A share of a whole, exact to one millionth. As text: `5%`, `0.25%`, `0.05`, `1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Share(u32);

impl Share {
    /// Nothing.
    pub const NONE: Share = Share(0);
    /// Everything.
    pub const ALL: Share = Share(1_000_000);

    /// A share in millionths, at most a million.
    pub const fn from_millionths(millionths: u32) -> Option<Share> {
        if millionths <= Share::ALL.0 {
            Some(Share(millionths))
        } else {
            None
        }
    }

    /// A share in per cent; everything beyond 100.
    pub const fn from_percent(percent: u32) -> Share {
        if percent < 100 {
            Share(percent * 10_000)
        } else {
            Share::ALL
        }
    }

    /// How many millionths.
    pub const fn millionths(self) -> u32 {
        self.0
    }
}

impl FromStr for Share {
    type Err = SpecError;

    /// # Errors
    /// Anything but digits with an optional fraction and an optional `%`, a share above 100 %, or
    /// one finer than a millionth.
    fn from_str(text: &str) -> Result<Share, SpecError> {
        let bad = || SpecError::BadShare {
            text: text.to_owned(),
        };
        let (number, places) = match text.strip_suffix('%') {
            Some(number) => (number.trim_end(), 4),
            None => (text, 6),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let ends_in_dot = number.ends_with('.');
        let digits = whole.bytes().chain(fraction.bytes());
        if whole.is_empty() || ends_in_dot || !digits.clone().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        let kept = fraction.trim_end_matches('0');
        if kept.len() > places {
            return Err(SpecError::ShareTooFine {
                text: text.to_owned(),
            });
        }
        let mut value = 0_u64;
        let zeros = std::iter::repeat_n(b'0', places - kept.len());
        for digit in whole.bytes().chain(kept.bytes()).chain(zeros) {
            value = value
                .saturating_mul(10)
                .saturating_add(u64::from(digit - b'0'));
        }
        u32::try_from(value)
            .ok()
            .and_then(Share::from_millionths)
            .ok_or_else(bad)
    }
}

impl fmt::Display for Share {
    /// As a percentage, without trailing zeros: `0.25%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, fraction) = (self.0 / 10_000, self.0 % 10_000);
        if fraction == 0 {
            return write!(f, "{whole}%");
        }
        let fraction = format!("{fraction:04}");
        write!(f, "{whole}.{}%", fraction.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(text: &str) -> Option<u32> {
        text.parse::<Share>().ok().map(Share::millionths)
    }

    #[test]
    fn shares_are_exact_to_a_millionth() {
        for (text, millionths) in [
            ("5%", 50_000),
            ("0.05", 50_000),
            ("0.0001%", 1),
            ("0.000001", 1),
            ("33.3333%", 333_333),
            ("100%", 1_000_000),
            ("1", 1_000_000),
            ("1.000000000", 1_000_000),
            ("0", 0),
            ("007 %", 70_000),
        ] {
            assert_eq!(share(text), Some(millionths), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_share_is_refused() {
        for text in [
            "",
            "%",
            ".5",
            "5.",
            "-1%",
            "+1%",
            "1e-3",
            "5",
            "100.0001%",
            "1.000001",
            "0.0000001",
            "0.00001%",
            "5%%",
            "0.5.5",
            "٣%",
            "99999999999999999999999999",
            "nan",
            "1_0%",
        ] {
            assert_eq!(share(text), None, "{text}");
        }
    }

    #[test]
    fn shares_print_as_they_are_read() {
        for millionths in [0, 1, 10, 12_345, 50_000, 999_999, 1_000_000] {
            let share = Share::from_millionths(millionths).unwrap();
            assert_eq!(share.to_string().parse(), Ok(share));
        }
        assert_eq!(Share::from_millionths(1_000_001), None);
    }
}
