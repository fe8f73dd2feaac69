//! The values of flags: secrets' places, durations, sizes, times and names, each parsed alone. Policy
//! files have the same values.

use std::ffi::{OsStr, OsString};

use clap::builder::TypedValueParser;
use jotmill::{Algorithm, Encoding, Error, Kernel, Policy, UnixTime};

/// Where a secret is, and how it is encoded there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Secret {
    pub(crate) encoding: Encoding,
    /// A path or the name of a variable.
    pub(crate) place: OsString,
}

impl Secret {
    /// Parses `[ENC:]PLACE`. A place may hold colons: only a known encoding in front of one counts.
    pub(crate) fn parse(value: &OsStr) -> Self {
        let prefixed = value.to_str().and_then(|text| text.split_once(':'));
        let prefixed = prefixed.and_then(|(name, place)| Some((Encoding::from_name(name)?, place)));
        match prefixed {
            Some((encoding, place)) => Self {
                encoding,
                place: place.into(),
            },
            None => Self {
                encoding: Encoding::Raw,
                place: value.to_owned(),
            },
        }
    }
}

/// The names of the encodings, for messages.
pub(crate) const ENCODINGS: &str = "raw:, base64:, base64url:, hex:";

/// Parses `[ENC:]PLACE`, which must not be empty.
#[derive(Clone)]
pub(super) struct SecretParser {
    /// What a place is, for messages.
    pub(super) place: &'static str,
}

impl TypedValueParser for SecretParser {
    type Value = Secret;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<Secret, clap::Error> {
        let secret = Secret::parse(value);
        if secret.place.is_empty() {
            let flag = argument
                .map(|argument| format!("'{argument}': "))
                .unwrap_or_default();
            let message = format!("{flag}{} is missing", self.place);
            let error = clap::Error::raw(clap::error::ErrorKind::ValueValidation, message + "\n");
            return Err(error.with_cmd(command));
        }
        Ok(secret)
    }
}

pub(crate) fn algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::from_name(name).ok_or_else(|| {
        let known: Vec<&str> = Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.name())
            .collect();
        format!("jotmill verifies {} (case matters)", known.join(", "))
    })
}

/// The text of a flag whose value the policy takes or refuses.
pub(crate) fn for_policy(
    text: &str,
    add: impl FnOnce(Policy, &str) -> Result<Policy, Error>,
) -> Result<String, String> {
    match add(Policy::new(), text) {
        Ok(_) => Ok(text.to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// An issuer, perhaps with placeholders in braces.
pub(crate) fn issuer(text: &str) -> Result<String, String> {
    match text {
        "" => Err("a value is required: the issuer".to_owned()),
        _ => for_policy(text, Policy::issuer_template),
    }
}

/// The name of a claim that must be there.
pub(crate) fn required(name: &str) -> Result<String, String> {
    if name.contains('=') {
        // The text may be a value that nobody else should read, so it is not repeated.
        let message = "--require takes names of claims; for a claim with a value use --claim \
                       NAME=TEXT, or NAME:=JSON for a number or a boolean";
        return Err(message.to_owned());
    }
    for_policy(name, Policy::require)
}

/// A media type.
pub(crate) fn media_type(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("a media type is missing".to_owned());
    }
    match text.contains(',') {
        true => Err("a media type has no comma; for several, repeat --typ".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Adds what `NAME=TEXT` or `NAME:=JSON` says to a policy. A name ends at the first `=`.
pub(crate) fn add_claim(policy: Policy, text: &str) -> Result<Policy, Error> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Error::Policy {
            message:
                "the expected claim has no value; write NAME=TEXT for a string, NAME:=JSON for \
                      a number or a boolean, or --require NAME for a claim of any value"
                    .to_owned(),
        });
    };
    match name.strip_suffix(':') {
        Some(name) => policy.claim_json(name, value),
        None => policy.claim(name, value),
    }
}

/// What [`add_claim`] takes.
pub(crate) fn claim(text: &str) -> Result<String, String> {
    for_policy(text, add_claim)
}

/// Scopes, separated by spaces.
pub(crate) fn scope(text: &str) -> Result<String, String> {
    for_policy(text, Policy::scope)
}

/// An extension that `crit` may list.
pub(crate) fn crit(name: &str) -> Result<String, String> {
    for_policy(name, Policy::crit)
}

/// A number from 1 on, as TOML can write it.
pub(crate) fn count(text: &str) -> Result<usize, String> {
    digits(text)
        .filter(|number| (1..=i64::MAX.unsigned_abs()).contains(number))
        .and_then(|number| usize::try_from(number).ok())
        .ok_or_else(|| format!("at least one key must be tried, and at most {}", i64::MAX))
}

/// A kernel that this processor can run.
pub(crate) fn kernel(name: &str) -> Result<Kernel, String> {
    let available = || {
        Kernel::available()
            .map(Kernel::name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    Kernel::by_name(name)
        .filter(Kernel::is_available)
        .ok_or_else(|| format!("this processor can run {}", available()))
}

/// Seconds, from `90`, `90s`, `5m`, `2h` or `7d`.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "s"),
    };
    let factor = match unit {
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 1,
    };
    digits(number)
        .and_then(|number| number.checked_mul(factor))
        .filter(|seconds| *seconds <= jotmill::MAX_DURATION_SECONDS)
        .ok_or_else(|| "a duration is like 90, 90s, 5m, 2h or 7d, up to 10,000 years".to_owned())
}

/// Bytes, from `4096`, `64K`, `1M` or `1G`, each with an optional `iB`.
pub(crate) fn bytes(text: &str) -> Result<usize, String> {
    size(text)
        .filter(|bytes| (1..=1 << 30).contains(bytes))
        .ok_or_else(|| "a size is like 4096, 64K or 1M, from 1 byte to 1G".to_owned())
}

/// A window of a compressed input, in bytes.
pub(super) fn window(text: &str) -> Result<u64, String> {
    size(text)
        .and_then(|bytes| u64::try_from(bytes).ok())
        .filter(|bytes| (1 << 10..=2 << 30).contains(bytes))
        .ok_or_else(|| "a window is like 8388608, 256M or 2G, from 1K to 2G".to_owned())
}

fn size(text: &str) -> Option<usize> {
    let (number, shift) = match text.strip_suffix("iB").unwrap_or(text) {
        plain if plain.ends_with('K') => (&plain[..plain.len() - 1], 10),
        plain if plain.ends_with('M') => (&plain[..plain.len() - 1], 20),
        plain if plain.ends_with('G') => (&plain[..plain.len() - 1], 30),
        _ => (text, 0),
    };
    digits(number).and_then(|number| usize::try_from(number).ok()?.checked_mul(1 << shift))
}

fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

/// An instant, from Unix seconds with an optional fraction, or RFC 3339.
pub(super) fn time(text: &str) -> Result<UnixTime, String> {
    const RANGE: &str = "a time lies between the years 1970 and 9999";
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let (Some(seconds), true) = (digits(whole), fraction.bytes().all(|b| b.is_ascii_digit())) {
        if whole.len() == 13 {
            return Err(format!(
                "this looks like milliseconds; try {}",
                &whole[..10]
            ));
        }
        if fraction.len() > 9 || (fraction.is_empty() && text.contains('.')) {
            return Err("a fraction of a second has one to nine digits".to_owned());
        }
        let nanos = format!("{fraction:0<9}").parse().map_err(|_| RANGE)?;
        return UnixTime::new(seconds, nanos).ok_or_else(|| RANGE.to_owned());
    }
    if text.get(17..19) == Some("60") {
        return Err("a leap second is no Unix time; give the second before or after".to_owned());
    }
    let since = since_epoch(text).ok_or_else(|| {
        "a time is Unix seconds, such as 1790000000, or RFC 3339, such as 2026-09-21T14:13:20Z"
            .to_owned()
    })?;
    match (
        u64::try_from(since.as_secs()),
        u32::try_from(since.subsec_nanos()),
    ) {
        (Ok(seconds), Ok(nanos)) => UnixTime::new(seconds, nanos).ok_or_else(|| RANGE.to_owned()),
        _ => Err(RANGE.to_owned()),
    }
}

/// How long after 1970-01-01T00:00:00Z a time in RFC 3339 is. jiff's own instants end a day before the
/// year 9999 does, so the offset is subtracted here.
fn since_epoch(text: &str) -> Option<jiff::SignedDuration> {
    use jiff::fmt::temporal::{DateTimeParser, PiecesOffset};
    let pieces = DateTimeParser::new().parse_pieces(text).ok()?;
    let offset = match pieces.offset()? {
        PiecesOffset::Zulu => jiff::SignedDuration::ZERO,
        PiecesOffset::Numeric(offset) => {
            jiff::SignedDuration::from_secs(offset.offset().seconds().into())
        }
        _ => return None,
    };
    if pieces.time_zone_annotation().is_some() {
        return None;
    }
    let time = pieces.date().to_datetime(pieces.time()?);
    let epoch = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);
    Some(time.duration_since(epoch) - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_take_a_unit() {
        for (text, seconds) in [
            ("0", 0),
            ("90", 90),
            ("90s", 90),
            ("5m", 300),
            ("2h", 7200),
            ("7d", 604_800),
        ] {
            assert_eq!(duration(text), Ok(seconds));
        }
        for text in [
            "",
            "s",
            "-1",
            "+1",
            "1.5h",
            "1w",
            "5 m",
            "99999999999999d",
            "1ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_take_a_suffix() {
        for (text, size) in [
            ("1", 1),
            ("64K", 65_536),
            ("64KiB", 65_536),
            ("1M", 1 << 20),
        ] {
            assert_eq!(bytes(text), Ok(size));
        }
        for text in ["0", "", "K", "1T", "-1", "2G", "1.5M", "1iB2"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_unix_seconds_or_rfc_3339() {
        let expected = UnixTime::new(1_790_000_000, 500_000_000);
        for text in [
            "1790000000.5",
            "2026-09-21T14:13:20.5Z",
            "2026-09-21T16:13:20.500000000+02:00",
        ] {
            assert_eq!(time(text).ok(), expected, "{text}");
        }
        assert_eq!(time("0").ok(), UnixTime::new(0, 0));
        let last = UnixTime::new(UnixTime::MAX_SECONDS, 0);
        for text in [
            "253402300799",
            "9999-12-31T23:59:59Z",
            "9999-12-31T23:58:59-00:01",
        ] {
            assert_eq!(time(text).ok(), last, "{text}");
        }
        assert!(time("1790000000000").unwrap_err().contains("1790000000"));
        for text in [
            "",
            "-1",
            "1.",
            ".5",
            "1e9",
            "now",
            "2026-09-21",
            "2026-09-21T14:13:20",
            "1969-12-31T23:59:59Z",
            "2026-09-21T14:13:60Z",
            "253402300800",
            "1.1234567890",
            "99999999999999999999",
            "9999-12-31T23:59:59-00:01",
            "1970-01-01T00:00:00+00:01",
            "2026-09-21T14:13:20+02:00[Europe/Vienna]",
        ] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_known_encoding_is_taken_off_a_place() {
        let parse = |text: &str| {
            let command = clap::Command::new("x");
            SecretParser { place: "a path" }
                .parse_ref(&command, None, text.as_ref())
                .unwrap()
        };
        let secret = |encoding, place: &str| Secret {
            encoding,
            place: place.into(),
        };
        assert_eq!(parse("hex:a:b"), secret(Encoding::Hex, "a:b"));
        assert_eq!(parse("raw:hex:a"), secret(Encoding::Raw, "hex:a"));
        assert_eq!(parse("C:secret"), secret(Encoding::Raw, "C:secret"));
    }
}
