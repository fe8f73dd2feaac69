//! Claims: of the wrong type, absent, matched in part, and times at the ends of arithmetic.

use serde_json::json;

use super::{NOW, plain};
use crate::judges::Judges;
use crate::oracle::Policy;
use crate::token_maker::{HEADER, SECRET, token};

fn codes(policy: &Policy, payload: impl AsRef<[u8]>) -> String {
    Judges::of_secret(policy.clone(), SECRET).codes(token(HEADER, payload))
}

fn one(name: &str) -> Vec<String> {
    vec![name.to_owned()]
}

/// The number with this much added to its last digits: dates written as text lose nothing.
fn now_plus(seconds: i64) -> String {
    (NOW + seconds).to_string()
}

/// A date of the wrong type taken for one that is absent (jsonwebtoken, CVE-2026-25537), or for a
/// number (PyJWT took a numeric string as `iat`).
#[test]
fn a_date_that_is_not_a_number_is_neither_absent_nor_accepted() {
    let future = now_plus(100);
    for date in [
        format!(r#""{future}""#),
        r#""""#.to_owned(),
        r#""NaN""#.to_owned(),
        r#""Infinity""#.to_owned(),
        r#""2026-09-21T00:00:00Z""#.to_owned(),
        "true".to_owned(),
        "false".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        format!("[{future}]"),
        "{}".to_owned(),
        format!(r#"{{"$numberLong":"{future}"}}"#),
    ] {
        for name in ["exp", "nbf", "iat"] {
            let payload = format!(r#"{{"{name}":{date}}}"#);
            let expected = format!("{name}-type");
            assert_eq!(codes(&plain(), &payload), expected, "{payload}");
            // Required or not, bounded or not: one code, and that one.
            let policy = Policy {
                require: one(name),
                max_age: Some(1 << 32).filter(|_| name == "iat"),
                ..plain()
            };
            assert_eq!(codes(&policy, &payload), expected, "{payload}");
        }
    }
    // What JSON does not know is no payload.
    for date in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "-1e400",
        "+1",
        "01",
        "1.",
        ".5",
        "0x10",
    ] {
        for name in ["exp", "nbf", "iat", "else"] {
            let payload = format!(r#"{{"{name}":{date}}}"#);
            assert_eq!(codes(&plain(), &payload), "payload-json", "{payload}");
        }
    }
}

/// Dates are any JSON number (RFC 7519 section 2), and none is rounded, wrapped or saturated into
/// another answer. (jsonwebtoken rounds, PyJWT truncates.)
#[test]
fn a_date_of_any_size_and_fraction_is_compared_exactly() {
    for (date, expired, not_yet) in [
        ("0", true, false),
        ("-0", true, false),
        ("-1", true, false),
        ("-9223372036854775808", true, false),
        ("-9223372036854775809", true, false),
        ("-1e308", true, false),
        ("5e-324", true, false),
        ("9007199254740993", false, true),
        ("9223372036854775807", false, true),
        ("9223372036854775808", false, true),
        ("18446744073709551615", false, true),
        ("18446744073709551616", false, true),
        ("18446744075499551616", false, true), // 2^64 + now
        ("1e308", false, true),
        ("1790000000", true, false),
        ("1790000000.0", true, false),
        ("1.79e9", true, false),
        ("17900000000E-1", true, false),
        ("1790000001", false, true),
        // Half a second and less before and after.
        ("1789999999.5", true, false),
        ("1789999999.9999998", true, false),
        ("1790000000.0000002", false, true),
        ("1790000000.4", false, true),
        ("1790000000.5", false, true),
    ] {
        let expected = if expired { "expired" } else { "" };
        assert_eq!(
            codes(&plain(), format!(r#"{{"exp":{date}}}"#)),
            expected,
            "exp {date}"
        );
        let expected = if not_yet { "not-yet-valid" } else { "" };
        assert_eq!(
            codes(&plain(), format!(r#"{{"nbf":{date}}}"#)),
            expected,
            "nbf {date}"
        );
        let expected = if not_yet { "issued-in-future" } else { "" };
        assert_eq!(
            codes(&plain(), format!(r#"{{"iat":{date}}}"#)),
            expected,
            "iat {date}"
        );
    }
    // 2^53 + 1 and 2^53 are one double, and one second apart.
    let policy = Policy {
        max_lifetime: Some(0),
        ..plain()
    };
    let lifetime = |exp: &str, iat: &str| {
        codes(&policy, format!(r#"{{"exp":{exp},"iat":{iat}}}"#)).contains("lifetime-too-long")
    };
    assert!(lifetime("9007199254740993", "9007199254740992"));
    assert!(!lifetime("9007199254740992", "9007199254740993"));
    assert!(lifetime("18446744073709551615", "18446744073709551614"));
    assert!(lifetime("18446744073709551615", "-9223372036854775808"));
    assert!(!lifetime("-9223372036854775808", "18446744073709551615"));
}

/// `now - leeway` on an unsigned number wraps to the end of time (jsonwebtoken).
#[test]
fn a_leeway_longer_than_time_itself_does_not_wrap() {
    let early = |now: i64, leeway: u64| Policy {
        now: (now, 0),
        leeway,
        ..plain()
    };
    for (now, leeway, payload, expected) in [
        (0, 0, r#"{"exp":0}"#, "expired"),
        (0, 0, r#"{"exp":1}"#, ""),
        (0, 100, r#"{"exp":0}"#, ""),
        (10, 100, r#"{"exp":0}"#, ""),
        (10, 100, r#"{"exp":-89}"#, ""),
        (10, 100, r#"{"exp":-90}"#, "expired"),
        (10, 100, r#"{"exp":-9223372036854775808}"#, "expired"),
        (10, 100, r#"{"exp":18446744073709551615}"#, ""),
        (10, 100, r#"{"nbf":110}"#, ""),
        (10, 100, r#"{"nbf":110.5}"#, "not-yet-valid"),
        (10, 100, r#"{"nbf":18446744073709551615}"#, "not-yet-valid"),
        (10, 100, r#"{"iat":-9223372036854775808}"#, ""),
        (
            10,
            100,
            r#"{"iat":18446744073709551615}"#,
            "issued-in-future",
        ),
        (NOW, jotmill::MAX_DURATION_SECONDS, r#"{"exp":0}"#, ""),
        (
            NOW,
            jotmill::MAX_DURATION_SECONDS,
            r#"{"exp":-1e300}"#,
            "expired",
        ),
        (
            NOW,
            jotmill::MAX_DURATION_SECONDS,
            r#"{"nbf":1e300}"#,
            "not-yet-valid",
        ),
        (
            NOW,
            jotmill::MAX_DURATION_SECONDS,
            r#"{"nbf":18446744073709551615}"#,
            "not-yet-valid",
        ),
    ] {
        assert_eq!(
            codes(&early(now, leeway), payload),
            expected,
            "{now} {leeway} {payload}"
        );
    }
    // The same below zero for the age.
    let policy = Policy {
        max_age: Some(1000),
        ..early(10, 100)
    };
    assert_eq!(codes(&policy, r#"{"iat":-1090}"#), "");
    assert_eq!(codes(&policy, r#"{"iat":-1091}"#), "too-old");
    assert_eq!(codes(&policy, r#"{"iat":-9223372036854775808}"#), "too-old");
    // Longer than can be meant is refused when it is set.
    let far = jotmill::Policy::new();
    assert!(far.clone().leeway(u64::MAX).is_err());
    assert!(far.clone().max_age(u64::MAX).is_err());
    assert!(far.max_lifetime(u64::MAX).is_err());
}

/// An expected claim that is absent passed (jsonwebtoken #493, josekit #59; fast-jwt accepts a
/// token without the `aud` that it was configured to expect).
#[test]
fn an_expected_claim_is_required() {
    let expecting = |name: &str| {
        let value = one("expected");
        match name {
            "iss" => Policy {
                issuers: value,
                ..plain()
            },
            "sub" => Policy {
                subjects: value,
                ..plain()
            },
            _ => Policy {
                audiences: value,
                ..plain()
            },
        }
    };
    for (name, mismatch) in [
        ("iss", "issuer-mismatch"),
        ("sub", "subject-mismatch"),
        ("aud", "audience-mismatch"),
    ] {
        let policy = expecting(name);
        let said = |value: &str| codes(&policy, format!(r#"{{"{name}":{value}}}"#));
        let wrong_type = format!("{name}-type");
        assert_eq!(codes(&policy, "{}"), format!("missing-{name}"));
        // In another place, or in other letters, it is absent.
        for payload in [
            json!({"claims": {(name): "expected"}}),
            json!({(name.to_uppercase()): "expected"}),
            json!({(format!("{name} ")): "expected"}),
        ] {
            assert_eq!(
                codes(&policy, payload.to_string()),
                format!("missing-{name}")
            );
        }
        for value in ["null", "true", "0", "{}", r#"{"expected":true}"#] {
            assert_eq!(said(value), wrong_type, "{name} {value}");
        }
        assert_eq!(said(r#""""#), mismatch);
        assert_eq!(said(r#""expected""#), "");
        // In the header it is none of the claims.
        let header = json!({"alg": "HS256", (name): "expected"}).to_string();
        let judges = Judges::of_secret(policy.clone(), SECRET);
        assert_eq!(judges.codes(token(header, "{}")), format!("missing-{name}"));
    }
    for (policy, name) in [
        (
            Policy {
                max_age: Some(60),
                ..plain()
            },
            "iat",
        ),
        (
            Policy {
                require: one("exp"),
                ..plain()
            },
            "exp",
        ),
        (
            Policy {
                require: one("nbf"),
                ..plain()
            },
            "nbf",
        ),
        (
            Policy {
                require: one("jti"),
                ..plain()
            },
            "jti",
        ),
    ] {
        assert_eq!(codes(&policy, "{}"), format!("missing-{name}"));
        assert_eq!(
            codes(&policy, format!(r#"{{"{name}":null}}"#)),
            format!("{name}-type")
        );
    }
    let policy = Policy {
        max_lifetime: Some(60),
        ..plain()
    };
    assert_eq!(codes(&policy, "{}"), "missing-exp missing-iat");
    // A name of one's own: null is as good as absent, and what is empty is there.
    let policy = Policy {
        require: one("tenant"),
        ..plain()
    };
    assert_eq!(codes(&policy, "{}"), "missing-claim");
    assert_eq!(codes(&policy, r#"{"tenant":null}"#), "missing-claim");
    assert_eq!(
        codes(&policy, r#"{"Tenant":1,"x":{"tenant":1}}"#),
        "missing-claim"
    );
    for value in [r#""""#, "[]", "{}", "false", "0"] {
        assert_eq!(
            codes(&policy, format!(r#"{{"tenant":{value}}}"#)),
            "",
            "{value}"
        );
    }
}

/// `iss` and `sub` compared in part, or against an array (GHSA-75c5-xw7c-p5pm, CVE-2025-30144).
#[test]
fn issuer_and_subject_are_matched_whole_and_are_never_arrays() {
    let expected = "https://auth.example.com/";
    let others = [
        "",
        "https://auth.example.com",
        "https://auth.example.com/ ",
        " https://auth.example.com/",
        "https://auth.example.com//",
        "https://auth.example.com/.evil.example",
        "https://auth.example.com/\0",
        "\0https://auth.example.com/",
        "HTTPS://AUTH.EXAMPLE.COM/",
        "https://Auth.example.com/",
        "http://auth.example.com/",
        "auth.example.com",
        "/",
        "h",
        "https://auth.example.com:443/",
        "https://auth%2Eexample.com/",
        "https://\u{430}uth.example.com/",
        "https://auth.example.com/,https://auth.example.com/",
        "*",
        ".*",
    ];
    for (name, mismatch, policy) in [
        (
            "iss",
            "issuer-mismatch",
            Policy {
                issuers: one(expected),
                ..plain()
            },
        ),
        (
            "sub",
            "subject-mismatch",
            Policy {
                subjects: one(expected),
                ..plain()
            },
        ),
    ] {
        let said = |value: serde_json::Value| codes(&policy, json!({(name): value}).to_string());
        assert_eq!(said(json!(expected)), "");
        for other in others {
            assert_eq!(said(json!(other)), mismatch, "{name} {other:?}");
        }
        let wrong_type = format!("{name}-type");
        for value in [
            json!([expected]),
            json!([expected, "https://evil.example/"]),
            json!(["https://evil.example/", expected]),
            json!([]),
            json!([[expected]]),
            json!({"0": expected}),
        ] {
            assert_eq!(said(value.clone()), wrong_type, "{name} {value}");
        }
        // An escape equals its character.
        let escaped = format!(r#"{{"{name}":"https:\/\/auth.example.c\u006fm/"}}"#);
        assert_eq!(codes(&policy, escaped), "");
    }
}

/// `aud` compared in part, by letter, or through an empty or nested array (CVE-2020-26160).
#[test]
fn one_audience_of_the_token_is_matched_whole() {
    let policy = Policy {
        audiences: vec!["api://orders".to_owned(), "api://billing".to_owned()],
        ..plain()
    };
    let said = |value: serde_json::Value| codes(&policy, json!({"aud": value}).to_string());
    for value in [
        json!("api://orders"),
        json!("api://billing"),
        json!(["api://billing"]),
        json!(["x", "", "api://orders"]),
        json!(["api://orders", "api://orders"]),
    ] {
        assert_eq!(said(value.clone()), "", "{value}");
    }
    for value in [
        json!(""),
        json!([]),
        json!([""]),
        json!("api://order"),
        json!("api://orders/"),
        json!("pi://orders"),
        json!("API://ORDERS"),
        json!("a"),
        json!("api://orders api://billing"),
        json!("api://orders,api://billing"),
        json!("[\"api://orders\"]"),
        json!(["api://order", "s"]),
        json!(["x", "y"]),
        json!("api://orders\0"),
        json!("*"),
    ] {
        assert_eq!(said(value.clone()), "audience-mismatch", "{value}");
    }
    for value in [
        json!(null),
        json!(true),
        json!(1),
        json!({}),
        json!({"api://orders": true}),
        json!([null]),
        json!([["api://orders"]]),
        json!(["api://orders", null]),
        json!(["api://orders", 1]),
        json!(["api://orders", ["api://orders"]]),
        json!([["x"], "api://orders"]),
        json!([[], "api://orders"]),
        json!([{}, "api://orders"]),
    ] {
        assert_eq!(said(value.clone()), "aud-type", "{value}");
        // With nothing expected, the type is still that of RFC 7519.
        let payload = json!({"aud": value}).to_string();
        assert_eq!(codes(&plain(), &payload), "aud-type", "{payload}");
    }
}

/// RFC 7519 section 4.1.4 says "on or after": the last moment is the one before.
#[test]
fn a_token_is_expired_on_the_moment_that_exp_names() {
    let at = |nanos: u32| Policy {
        now: (NOW, nanos),
        ..plain()
    };
    let exp = format!(r#"{{"exp":{}}}"#, now_plus(1));
    assert_eq!(codes(&at(999_999_999), &exp), "");
    let exp = format!(r#"{{"exp":{NOW}}}"#);
    assert_eq!(codes(&at(0), &exp), "expired");
    assert_eq!(codes(&at(1), &exp), "expired");
    // A fraction that is cut off would let the token live on, or die early.
    let exp = format!(r#"{{"exp":{NOW}.5}}"#);
    assert_eq!(codes(&at(499_999_999), &exp), "");
    assert_eq!(codes(&at(500_000_000), &exp), "expired");
    let nbf = format!(r#"{{"nbf":{NOW}.5}}"#);
    assert_eq!(codes(&at(499_999_999), &nbf), "not-yet-valid");
    assert_eq!(codes(&at(500_000_000), &nbf), "");
}
