//! The claims stage: types, moments, expected values and required names.

use super::*;

#[test]
fn a_claim_of_the_wrong_type_gets_its_type_code_and_no_other() {
    for name in ["exp", "nbf", "iat"] {
        for bad in ["null", "\"1\"", "true", "[]", "{}", "[1]", "\"\""] {
            assert_eq!(
                payload_codes(format!(r#"{{"{name}":{bad}}}"#)),
                format!("{name}-type")
            );
        }
    }
    for name in ["iss", "sub", "jti"] {
        for bad in ["null", "1", "true", "[]", "{}", "[\"a\"]"] {
            assert_eq!(
                payload_codes(format!(r#"{{"{name}":{bad}}}"#)),
                format!("{name}-type")
            );
        }
    }
    for bad in [
        "null",
        "1",
        "true",
        "{}",
        "[1]",
        "[\"a\",null]",
        "[[\"a\"]]",
        "{\"a\":1}",
    ] {
        assert_eq!(
            payload_codes(format!(r#"{{"aud":{bad}}}"#)),
            "aud-type",
            "{bad}"
        );
    }
    let all = r#"{"jti":1,"aud":1,"sub":1,"iss":1,"iat":"","nbf":"","exp":""}"#;
    let types = "exp-type nbf-type iat-type iss-type sub-type aud-type jti-type";
    assert_eq!(payload_codes(all), types);
    let strict = Policy {
        max_age: Some(0),
        max_lifetime: Some(0),
        issuers: strings(&["i"]),
        subjects: strings(&["s"]),
        audiences: strings(&["a"]),
        require: strings(&["exp", "nbf", "iat", "iss", "sub", "aud", "jti"]),
        ..policy()
    };
    assert_eq!(claim_codes(&strict, all), types);
    // A mistyped `iat` silences what is computed from it, not what `exp` deserves of itself.
    assert_eq!(
        claim_codes(
            &Policy {
                max_lifetime: Some(0),
                ..policy()
            },
            r#"{"iat":""}"#
        ),
        "iat-type missing-exp"
    );
}

#[test]
fn every_claim_code_that_applies_is_given_in_table_order() {
    let strict = Policy {
        leeway: 10,
        max_age: Some(0),
        max_lifetime: Some(5),
        issuers: strings(&["i"]),
        subjects: strings(&["s"]),
        audiences: strings(&["a"]),
        require: strings(&["tenant", "jti", "nbf", "scope", "tenant"]),
        ..policy()
    };
    let seen = judgement(token(HEADER, "{}"), &strict);
    let missing = "missing-iss missing-sub missing-aud missing-exp missing-nbf missing-iat \
                   missing-jti missing-claim";
    assert_eq!(seen.codes.join(" "), missing);
    assert_eq!(seen.missing, ["tenant", "scope"]);
    let payload = r#"{"iss":"x","sub":"x","aud":"x","exp":1000,"nbf":1e30,"iat":990,"jti":5}"#;
    assert_eq!(
        claim_codes(&strict, payload),
        "jti-type expired not-yet-valid too-old lifetime-too-long issuer-mismatch \
         subject-mismatch audience-mismatch missing-claim"
    );
    assert_eq!(
        claim_codes(
            &Policy {
                max_lifetime: Some(5),
                ..policy()
            },
            r#"{"exp":1e30,"iat":1e29}"#
        ),
        "issued-in-future lifetime-too-long"
    );
}

#[test]
fn an_expected_value_is_one_exact_string() {
    let expected = strings(&["https://a/", "b"]);
    let iss = Policy {
        issuers: expected.clone(),
        ..policy()
    };
    let sub = Policy {
        subjects: expected.clone(),
        ..policy()
    };
    let aud = Policy {
        audiences: expected,
        ..policy()
    };
    for (policy, name, word) in [
        (&iss, "iss", "issuer"),
        (&sub, "sub", "subject"),
        (&aud, "aud", "audience"),
    ] {
        let of = |value: &str| claim_codes(policy, &format!(r#"{{"{name}":{value}}}"#));
        for good in [r#""b""#, r#""https://a/""#, r#""https:\/\/\u0061/""#] {
            assert_eq!(of(good), "", "{good}");
        }
        for bad in [
            "",
            "https://a",
            "https://a//",
            "HTTPS://a/",
            " b",
            "b\\u0000",
            "a",
            "bb",
        ] {
            assert_eq!(
                of(&format!("\"{bad}\"")),
                format!("{word}-mismatch"),
                "{bad}"
            );
        }
        assert_eq!(claim_codes(policy, "{}"), format!("missing-{name}"));
        assert_eq!(of("null"), format!("{name}-type"));
    }
    assert_eq!(claim_codes(&aud, r#"{"aud":[]}"#), "audience-mismatch");
    assert_eq!(
        claim_codes(&aud, r#"{"aud":["x","B"]}"#),
        "audience-mismatch"
    );
    assert_eq!(claim_codes(&aud, r#"{"aud":["x","b","x"]}"#), "");
    assert_eq!(claim_codes(&aud, r#"{"aud":["b",1]}"#), "aud-type");
    assert_eq!(claim_codes(&iss, r#"{"iss":["b"]}"#), "iss-type");
    assert_eq!(payload_codes(r#"{"aud":[],"iss":"","sub":""}"#), "");
}

#[test]
fn required_is_present_and_an_unregistered_null_is_not() {
    let require = |names: &[&str]| Policy {
        require: strings(names),
        ..policy()
    };
    for name in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"] {
        assert_eq!(
            claim_codes(&require(&[name]), "{}"),
            format!("missing-{name}")
        );
        assert_eq!(
            claim_codes(&require(&[name]), &format!(r#"{{"{name}":null}}"#)),
            format!("{name}-type")
        );
    }
    assert_eq!(claim_codes(&require(&["aud"]), r#"{"aud":[]}"#), "");
    assert_eq!(claim_codes(&require(&["jti"]), r#"{"jti":""}"#), "");
    for present in ["\"\"", "[]", "{}", "false", "0"] {
        assert_eq!(
            claim_codes(&require(&["t"]), &format!(r#"{{"t":{present}}}"#)),
            ""
        );
    }
    for payload in ["{}", r#"{"t":null}"#, r#"{"T":1}"#, r#"{"x":{"t":1}}"#] {
        assert_eq!(claim_codes(&require(&["t"]), payload), "missing-claim");
    }
    assert_eq!(claim_codes(&require(&["t"]), r#"{"\u0074":1}"#), "");
    assert_eq!(
        claim_codes(
            &Policy {
                max_age: Some(1),
                ..policy()
            },
            "{}"
        ),
        "missing-iat"
    );
    let lifetime = Policy {
        max_lifetime: Some(1),
        ..policy()
    };
    assert_eq!(claim_codes(&lifetime, "{}"), "missing-exp missing-iat");
}

/// Holds `name` at each value against a policy; the value is applied where the flag says so.
fn edges(policy: &Policy, name: &str, code: &str, values: &[(&str, bool)]) {
    for &(value, applies) in values {
        let got = claim_codes(policy, &format!(r#"{{"{name}":{value}}}"#));
        assert_eq!(got, if applies { code } else { "" }, "{name} {value}");
    }
}

#[test]
fn expired_is_on_or_after_the_moment() {
    // Now is 1790000000.5, and doubles there are 2^-22 s apart.
    edges(
        &policy(),
        "exp",
        "expired",
        &[
            ("1790000000", true),
            ("1790000000.5", true),
            ("1790000000.5000001", true), // Rounds to .5.
            ("1790000000.5000002", false),
            ("1790000000.4999999", true),
            ("1790000001", false),
            ("1790000001.0", false),
            ("0.1790000001e10", false),
            ("179000000050e-2", true),
            ("17900000006E-1", false),
            ("0", true),
            ("-0", true),
            ("-1", true),
            ("-1e300", true),
            ("1e300", false),
            ("1.7976931348623157e308", false),
            ("-1.7976931348623157e308", true),
            ("1e-400", true),
            ("5e-324", true),
            ("9007199254740993", false),
            ("9223372036854775807", false),
            ("9223372036854775808", false),
            ("18446744073709551615", false),
            ("18446744073709551616", false),
            ("-9223372036854775808", true),
            ("-9223372036854775809", true),
        ],
    );
    let lenient = Policy {
        leeway: 30,
        ..policy()
    };
    edges(
        &lenient,
        "exp",
        "expired",
        &[
            ("1789999970.5", true),
            ("1789999970.5000002", false),
            ("1789999971", false),
        ],
    );
}

#[test]
fn not_yet_valid_and_issued_in_future_are_strictly_after() {
    for (name, code) in [("nbf", "not-yet-valid"), ("iat", "issued-in-future")] {
        edges(
            &policy(),
            name,
            code,
            &[
                ("1790000000.5", false),
                ("1790000000.5000002", true),
                ("1790000001", true),
                ("-1e308", false),
                ("1e308", true),
                ("18446744073709551615", true),
            ],
        );
        let lenient = Policy {
            leeway: 30,
            ..policy()
        };
        edges(
            &lenient,
            name,
            code,
            &[("1790000030.5", false), ("1790000030.75", true)],
        );
        let forever = Policy {
            leeway: u64::MAX,
            ..policy()
        };
        edges(
            &forever,
            name,
            code,
            &[("18446744073709551615", false), ("1e20", true)],
        );
    }
}

#[test]
fn age_and_lifetime_are_compared_without_rounding() {
    let aged = Policy {
        leeway: 5,
        max_age: Some(10),
        ..policy()
    };
    edges(
        &aged,
        "iat",
        "too-old",
        &[
            ("1789999985.5", false),
            ("1789999985.4999998", true),
            ("1789999985", true),
            ("1789999986", false),
            ("-1e308", true),
            ("-9223372036854775808", true),
        ],
    );
    let patient = Policy {
        max_age: Some(u64::MAX),
        leeway: u64::MAX,
        ..policy()
    };
    edges(
        &patient,
        "iat",
        "too-old",
        &[("0", false), ("-1e19", false), ("-1e20", true)],
    );

    let of = |max: u64, exp: &str, iat: &str| {
        let policy = Policy {
            now: (0, 0),
            leeway: u64::MAX,
            max_lifetime: Some(max),
            ..policy()
        };
        let got = claim_codes(&policy, &format!(r#"{{"exp":{exp},"iat":{iat}}}"#));
        assert!(["", "lifetime-too-long"].contains(&got.as_str()), "{got}");
        !got.is_empty()
    };
    assert!(!of(10, "110", "100"));
    assert!(of(10, "110.00000000000002", "100"));
    assert!(of(10, "111", "100"));
    assert!(!of(0, "100", "100"));
    assert!(!of(0, "100", "200"));
    // One second apart beyond 2^53, where doubles would call them equal.
    assert!(of(0, "9007199254740993", "9007199254740992"));
    assert!(!of(1, "9007199254740993", "9007199254740992"));
    assert!(of(0, "18446744073709551615", "18446744073709551614"));
    assert!(!of(1, "18446744073709551615", "18446744073709551614"));
    assert!(!of(0, "9007199254740993.0", "9007199254740992"));
    // The difference of the extremes needs 65 bits.
    let min = "-9223372036854775808";
    assert!(of(u64::MAX, "9223372036854775808", min));
    assert!(!of(u64::MAX, "9223372036854775807", min));
    // A difference that the sum of two doubles would swallow.
    assert!(of(0, "5e-324", "0"));
    assert!(!of(1, "5e-324", "0"));
    assert!(of(0, "1", "0.99999999999999988"));
}

#[test]
fn a_clock_at_the_ends_of_its_range_does_not_wrap() {
    for (seconds, nanos) in [
        (i64::MAX, 999_999_999),
        (i64::MIN, 0),
        (0, 0),
        (-1, 500_000_000),
    ] {
        let policy = Policy {
            now: (seconds, nanos),
            leeway: u64::MAX,
            max_age: Some(u64::MAX),
            ..policy()
        };
        assert_eq!(
            claim_codes(&policy, r#"{"exp":1e30,"nbf":-1e30,"iat":0}"#),
            ""
        );
        assert_eq!(
            claim_codes(&policy, r#"{"exp":-1e30,"iat":-1e30}"#),
            "expired too-old"
        );
    }
    let before = Policy {
        now: (-1, 500_000_000),
        ..policy()
    };
    edges(
        &before,
        "exp",
        "expired",
        &[("-0.5", true), ("-0.25", false), ("-1", true), ("0", false)],
    );
}

#[test]
fn exact_sums_agree_with_wide_integers() {
    // Where everything is a whole number below 2^90, an i128 knows the answer too.
    let whole = [
        0,
        1,
        -1,
        2,
        1_790_000_000,
        i64::MAX,
        i64::MIN,
        1 << 53,
        -(1 << 62),
    ];
    for a in whole {
        for b in whole {
            for c in whole {
                let sum = Exact::now((a, 0)) + Exact::date(&Number::from(b));
                let expected = (i128::from(a) + i128::from(b)).cmp(&i128::from(c));
                assert_eq!(sum.cmp(&Exact::now((c, 0))), expected, "{a} + {b} ? {c}");
            }
        }
    }
    let doubles = [
        -1e300,
        -2.5,
        -5e-324,
        -0.0,
        0.0,
        5e-324,
        0.1,
        1.0,
        2.5,
        1e19,
        f64::MAX,
    ];
    for a in doubles {
        for b in doubles {
            let exact = |double| Exact::date(&Number::from_f64(double).unwrap());
            assert_eq!(
                Some(exact(a).cmp(&exact(b))),
                a.partial_cmp(&b),
                "{a} ? {b}"
            );
        }
    }
}
