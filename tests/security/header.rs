//! What a header demands: critical extensions and the unencoded payload.

use serde_json::json;

use super::judges;
use crate::token_maker::{ALGORITHMS, TokenMaker, encode, token};

/// The header parameters that RFC 7515 and RFC 7518 register: `crit` must not name one.
const REGISTERED: [&str; 20] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "epk",
    "apu", "apv", "iv", "tag", "p2s", "p2c", "enc", "zip",
];

fn codes(header: impl AsRef<[u8]>) -> String {
    judges().codes(token(header, "{}"))
}

/// `crit` ignored (CVE-2025-59420, GHSA-752w-5fwx-jx9f, and several libraries to this day): an
/// extension that is not understood must fail the token (RFC 7515 section 4.1.11).
#[test]
fn a_critical_extension_that_is_not_known_is_refused_under_every_algorithm() {
    for (alg, _) in ALGORITHMS {
        for extension in [
            "exp",
            "x",
            "http://example.invalid/UNDEFINED",
            "bork",
            "B64",
            "b64 ",
            "ALG",
            "cnf",
            "\u{e9}",
            "__proto__",
        ] {
            let header = json!({"alg": alg, "crit": [extension], (extension): true}).to_string();
            let line = TokenMaker::new().header(&header).alg(alg).sign();
            assert_eq!(judges().codes(line), "crit-unsupported", "{header}");
        }
    }
    // One that is known does not vouch for another.
    for crit in [r#"["b64","x"]"#, r#"["x","b64"]"#] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit},"b64":true,"x":1}}"#);
        assert_eq!(codes(header), "crit-unsupported", "{crit}");
    }
    // The order of members makes no difference, nor does an escape.
    assert_eq!(
        codes(r#"{"x":1,"crit":["x"],"alg":"HS256"}"#),
        "crit-unsupported"
    );
    assert_eq!(
        codes(r#"{"\u0063rit":["x"],"x":1,"alg":"HS256"}"#),
        "crit-unsupported"
    );
    assert_eq!(
        codes(r#"{"crit":["\u0078"],"x":1,"alg":"HS256"}"#),
        "crit-unsupported"
    );
    // `b64` that says what is so anyway is the one extension that is understood.
    assert_eq!(codes(r#"{"alg":"HS256","crit":["b64"],"b64":true}"#), "");
}

/// `crit` that breaks its own rules: empty, not an array, not of strings, with duplicates, with
/// registered names, with names of members that are not there.
#[test]
fn a_malformed_crit_is_refused() {
    for crit in [
        "null",
        "true",
        "0",
        r#""x""#,
        r#""b64""#,
        "{}",
        r#"{"x":1}"#,
        "[]",
        "[null]",
        "[1]",
        r#"[""]"#,
        r#"["x",1]"#,
        r#"["x",null]"#,
        r#"[["x"]]"#,
        r#"["x",["x"]]"#,
        r#"[["x"],"x"]"#,
        r#"["x",{}]"#,
        r#"["x","x"]"#,
        r#"["x","\u0078"]"#,
        r#"["b64","b64"]"#,
        r#"["absent"]"#,
        r#"["x","absent"]"#,
        r#"["X"]"#,
        r#"["x "]"#,
    ] {
        let header = format!(r#"{{"alg":"HS256","crit":{crit},"x":1,"b64":true}}"#);
        assert_eq!(codes(&header), "crit-invalid", "{header}");
    }
    for name in REGISTERED {
        for names in [json!([name]), json!(["x", name]), json!([name, "x"])] {
            let mut header = json!({"alg": "HS256", "crit": names, "x": 1});
            if !["alg", "kid", "typ", "cty", "crit"].contains(&name) {
                header[name] = json!("there");
            }
            assert_eq!(codes(header.to_string()), "crit-invalid", "{header}");
        }
    }
    // A member of the payload is none of the header.
    let line = token(r#"{"alg":"HS256","crit":["x"]}"#, r#"{"x":1}"#);
    assert_eq!(judges().codes(line), "crit-invalid");
    // A hostile crit is long: each of its names is checked once.
    let names: Vec<String> = (0..40_000).map(|n| format!("x{n}")).collect();
    assert_eq!(
        codes(json!({"alg": "HS256", "crit": names}).to_string()),
        "crit-invalid"
    );
    let mut header = json!({"alg": "HS256", "crit": names});
    for name in &names {
        header[name] = json!(1);
    }
    assert_eq!(codes(header.to_string()), "crit-unsupported");
}

/// `b64: false` (RFC 7797): one side signs the payload as it is, the other decodes it. It is
/// refused in any form, listed in `crit` or not, and however the payload is encoded in the token.
#[test]
fn an_unencoded_payload_is_refused_whether_critical_or_not() {
    let judges = judges();
    for b64 in [
        "false",
        "null",
        "0",
        "1",
        r#""true""#,
        r#""false""#,
        "[]",
        "{}",
        "[true]",
    ] {
        for crit in ["", r#","crit":["b64"]"#] {
            let header = format!(r#"{{"alg":"HS256","b64":{b64}{crit}}}"#);
            let made = TokenMaker::new().header(&header);
            // Encoded as ever, and as it is.
            assert_eq!(judges.codes(made.sign()), "b64-unsupported", "{header}");
            for payload in ["{}", r#"{"sub":"admin"}"#, "", "e30", "$"] {
                let line = made.clone().payload_segment(payload).sign();
                assert_eq!(judges.codes(line), "b64-unsupported", "{header} {payload}");
            }
            // A payload with dots in it is another number of segments.
            let line = made
                .clone()
                .payload_segment(r#"{"iss":"example.com"}"#)
                .sign();
            assert_eq!(judges.codes(line), "segment-count", "{header}");
            let line = made.clone().payload_segment("a.b.c").sign();
            assert_eq!(judges.codes(line), "segment-count", "{header}");
            // Signed over the decoded payload, as RFC 7797 requires.
            let signing_input = format!("{}.{{}}", encode(&header));
            let mac = crate::token_maker::mac(
                "HS256",
                crate::token_maker::SECRET,
                signing_input.as_bytes(),
            );
            let line = made.with_signature(encode(mac));
            assert_eq!(judges.codes(line), "b64-unsupported", "{header}");
        }
    }
    // In the payload it is a claim like any other.
    assert_eq!(
        judges.codes(token(
            r#"{"alg":"HS256"}"#,
            r#"{"b64":false,"crit":["b64"]}"#
        )),
        ""
    );
    assert_eq!(codes(r#"{"alg":"HS256","b64":true}"#), "");
}
