//! Wording: times relative to `now`, lengths of time, and what the names in a header stand for.

use jotmill::{NumericDate, UnixTime};

use super::escape::grouped;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// A million years in seconds: beyond that, nobody counts.
const AGES: f64 = 3.2e13;

/// A length of time in its two largest units; the sign is dropped.
pub(super) fn duration(seconds: f64) -> String {
    let seconds = seconds.abs();
    if seconds >= AGES || seconds.is_nan() {
        return "more than a million years".to_owned();
    }
    if seconds < 0.001 {
        return if seconds == 0.0 {
            "0 seconds"
        } else {
            "less than a millisecond"
        }
        .to_owned();
    }
    if seconds < 10.0 && seconds.fract() != 0.0 {
        let text = format!("{seconds:.3}");
        return format!(
            "{} seconds",
            text.trim_end_matches('0').trim_end_matches('.')
        );
    }
    // A whole number below 10^14, so that the text of it is one of a u64.
    whole_duration(
        format!("{:.0}", seconds.round())
            .parse()
            .unwrap_or(u64::MAX),
    )
}

/// A whole number of seconds in its two largest units.
pub(super) fn whole_duration(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (YEAR, "year"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
        (1, "second"),
    ];
    let Some(largest) = UNITS.iter().position(|(size, _)| seconds >= *size) else {
        return "0 seconds".to_owned();
    };
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, name) in UNITS.iter().skip(largest).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            parts.push(format!("{} {name}{plural}", grouped(count)));
        }
        // Whoever waits for 40 days does not mind the hours.
        if count >= 30 {
            break;
        }
    }
    parts.join(" ")
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
    if let Ok(value) = text.parse() {
        return Some(NumericDate::Int(value));
    }
    if let Ok(value) = text.parse() {
        return Some(NumericDate::Uint(value));
    }
    text.parse()
        .ok()
        .filter(|value: &f64| value.is_finite())
        .map(NumericDate::Float)
}

/// A moment between 1970 and 9999, to the nanosecond.
pub(super) fn moment(date: NumericDate) -> Option<UnixTime> {
    let text = match date {
        NumericDate::Int(value) => value.to_string(),
        NumericDate::Uint(value) => value.to_string(),
        // Without an exponent, and in no more digits than the double has.
        NumericDate::Float(value) => format!("{value}"),
    };
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = format!("{fraction:0<9}");
    let nanos = fraction.get(..9).and_then(|digits| digits.parse().ok())?;
    // "-0" is zero, and "-0.5" is not in the years that can be written.
    UnixTime::new(whole.parse().ok()?, nanos)
}

/// A moment in RFC 3339, or on which side of the calendar it lies.
pub(super) fn calendar(date: NumericDate, now: UnixTime) -> String {
    match moment(date) {
        Some(moment) => moment.to_string(),
        None if date.seconds_from(now) < 0.0 => "before 1970".to_owned(),
        None => "after 9999".to_owned(),
    }
}

/// The moment that a number means if it counts milliseconds, where that is likely.
pub(super) fn as_milliseconds(date: NumericDate) -> Option<UnixTime> {
    let value = match date {
        NumericDate::Int(value) => u64::try_from(value).ok()?,
        NumericDate::Uint(value) => value,
        NumericDate::Float(value) => format!("{value}").parse().ok()?,
    };
    // From 2001 to 2286, when the seconds of that number are far beyond the year 30000.
    (1_000_000_000_000..10_000_000_000_000)
        .contains(&value)
        .then_some(())?;
    UnixTime::new(value / 1000, u32::try_from(value % 1000).ok()? * 1_000_000)
}

/// What an `alg` stands for.
pub(super) fn algorithm(name: &str) -> Option<&'static str> {
    Some(match name {
        "HS256" => "HMAC with SHA-256; one shared secret signs and verifies",
        "HS384" => "HMAC with SHA-384; one shared secret signs and verifies",
        "HS512" => "HMAC with SHA-512; one shared secret signs and verifies",
        "RS256" => "RSA (PKCS #1 v1.5) with SHA-256; a public key verifies",
        "RS384" => "RSA (PKCS #1 v1.5) with SHA-384; a public key verifies",
        "RS512" => "RSA (PKCS #1 v1.5) with SHA-512; a public key verifies",
        "PS256" => "RSA (PSS) with SHA-256; a public key verifies",
        "PS384" => "RSA (PSS) with SHA-384; a public key verifies",
        "PS512" => "RSA (PSS) with SHA-512; a public key verifies",
        "ES256" => "ECDSA on P-256 with SHA-256; a public key verifies",
        "ES384" => "ECDSA on P-384 with SHA-384; a public key verifies",
        "ES512" => "ECDSA on P-521 with SHA-512; a public key verifies",
        "ES256K" => "ECDSA on secp256k1 with SHA-256; a public key verifies",
        "EdDSA" => "an Edwards-curve signature; a public key verifies",
        "Ed25519" => "EdDSA on Ed25519; a public key verifies",
        "Ed448" => "EdDSA on Ed448; a public key verifies",
        "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87" => {
            "a module-lattice signature (FIPS 204); a public key verifies"
        }
        "HS1" | "RS1" => "based on SHA-1, which is broken",
        "dir" => "a shared key encrypts directly",
        "RSA1_5" | "RSA-OAEP" | "RSA-OAEP-256" | "RSA-OAEP-384" | "RSA-OAEP-512" => {
            "the content key is encrypted with RSA"
        }
        "A128KW" | "A192KW" | "A256KW" => "the content key is wrapped with AES",
        "A128GCMKW" | "A192GCMKW" | "A256GCMKW" => "the content key is encrypted with AES-GCM",
        "ECDH-ES" => "the content key is agreed by elliptic-curve Diffie-Hellman",
        "ECDH-ES+A128KW" | "ECDH-ES+A192KW" | "ECDH-ES+A256KW" => {
            "the content key is wrapped under one agreed by elliptic-curve Diffie-Hellman"
        }
        "PBES2-HS256+A128KW" | "PBES2-HS384+A192KW" | "PBES2-HS512+A256KW" => {
            "the content key is wrapped under a password"
        }
        _ if name.eq_ignore_ascii_case("none") => {
            "no signature at all; anyone can write this token"
        }
        _ => return None,
    })
}

/// What a `typ` stands for.
pub(super) fn media_type(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    Some(match name.strip_prefix("application/").unwrap_or(&name) {
        "jwt" => "a JSON Web Token (RFC 7519)",
        "at+jwt" => "an OAuth 2.0 access token (RFC 9068)",
        "dpop+jwt" => "a proof of possession (RFC 9449)",
        "secevent+jwt" => "a security event (RFC 8417)",
        "logout+jwt" => "a logout token (OpenID Connect Back-Channel Logout)",
        "token-introspection+jwt" => "an answer to token introspection (RFC 9701)",
        "oauth-authz-req+jwt" => "an authorization request (RFC 9101)",
        "jose" => "a JOSE object in compact serialization",
        "jose+json" => "a JOSE object in JSON serialization",
        _ => return None,
    })
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
            assert_eq!(calendar(date(text).unwrap(), now), expected, "{text}");
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
