//! Decimal numbers compared by their exact value.
//!
//! A double cannot tell 9007199254740993 from 9007199254740992, so no number goes through one here.

/// A number as JSON writes it: `digits` times ten to the power of `exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    is_negative: bool,
    /// Without leading and trailing zeros; empty for zero.
    digits: Box<str>,
    exponent: i64,
}

impl Decimal {
    /// Parses a JSON number. `None` for any other text, and where the exponent of a number other
    /// than zero is beyond 64 bits.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if ![whole, fraction, unsigned].into_iter().all(is_number) {
            return None;
        }
        let digits = [whole, fraction].concat();
        let trimmed = digits.trim_end_matches('0');
        let zeros = digits.len() - trimmed.len();
        let digits = trimmed.trim_start_matches('0');
        if digits.is_empty() {
            return Some(Self {
                is_negative: false,
                digits: "".into(),
                exponent: 0,
            });
        }
        let exponent: i64 = exponent.parse().ok()?;
        let exponent = exponent
            .checked_sub(i64::try_from(fraction.len()).ok()?)?
            .checked_add(i64::try_from(zeros).ok()?)?;
        Some(Self {
            is_negative,
            digits: digits.into(),
            exponent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_equal() {
        for same in [
            &[
                "1", "1.0", "1e0", "10e-1", "0.1E+1", "1000e-3", "1.000", "1e-0",
            ][..],
            &[
                "0",
                "-0",
                "0.0",
                "0e5",
                "-0.0e-99",
                "0e99999999999999999999",
            ],
            &["-1.5", "-15e-1", "-0.15e1", "-150E-2"],
            &[
                "1000000",
                "1e6",
                "1e+06",
                "10E5",
                "0.001e9",
                "1e00000000000000000000006",
            ],
            &[
                "9007199254740993",
                "9007199254740993.0",
                "9.007199254740993e15",
            ],
            &["0.1", "1e-1", "100e-3"],
        ] {
            for (one, other) in same.iter().zip(&same[1..]) {
                assert_eq!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
                assert!(Decimal::parse(one).is_some(), "{one}");
            }
        }
    }

    #[test]
    fn values_that_one_double_stands_for_are_told_apart() {
        for (one, other) in [
            ("9007199254740993", "9007199254740992"),
            ("0.1", "0.1000000000000000055511151231257827"),
            ("18446744073709551615", "18446744073709551616"),
            ("1e-400", "0"),
            ("1e-400", "2e-400"),
            ("1", "-1"),
            ("1", "10"),
            ("1.01", "1.1"),
        ] {
            assert_ne!(Decimal::parse(one), Decimal::parse(other), "{one} {other}");
        }
    }

    #[test]
    fn what_is_no_number_has_no_value() {
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "0x1",
            "1 ",
            "e5",
            "--1",
            "1e99999999999999999999",
        ] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
    }
}
