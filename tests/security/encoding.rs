//! One token, one spelling: base64url, JSON, and what is not a compact serialization at all.

use serde_json::json;

use super::{judges, plain, shown};
use crate::judges::Judges;
use crate::token_maker::{HEADER, SECRET, TokenMaker, encode, token};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Other spellings of a segment, that lenient decoders take for the same bytes (fast-jwt #606,
/// panva #879; jwcrypto and jose take white space; Wycheproof has a vector with `?`).
fn spellings(segment: &str) -> Vec<Vec<u8>> {
    let bytes = segment.as_bytes();
    let mut all: Vec<Vec<u8>> = Vec::new();
    for suffix in [
        "=", "==", "===", "====", "A", "A=", "?", "%3D", "\0", "+", "/", ",",
    ] {
        // One character more is canonical where it completes a group, and then another value.
        all.push([bytes, suffix.as_bytes()].concat());
    }
    for place in [0, 1, bytes.len() / 2, bytes.len() - 1] {
        for inserted in [
            " ", "\t", "\r", "\n", "\r\n", "\u{a0}", "=", "?", "+", "/", "\0", "\u{7f}",
        ] {
            // Blanks at the end of a token are blanks around it, so none is put there.
            all.push([&bytes[..place], inserted.as_bytes(), &bytes[place..]].concat());
        }
    }
    let standard = segment.replace('-', "+").replace('_', "/");
    if standard != segment {
        all.push(standard.into_bytes());
    }
    all
}

/// The canonical spelling alone is accepted, in each segment, where everything else about the
/// token is right: the signature is made over the spelling that is used.
#[test]
fn a_segment_has_one_spelling_and_every_other_is_refused() {
    let judges = judges();
    // Of every length modulo 3, and with both of the characters that base64 writes otherwise.
    let headers = [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256" }"#,
        r#"{"alg":"HS256"  }"#,
    ];
    let payloads = [
        r#"{"a":"~~~???"}"#,
        r#"{"a":"~~~???" }"#,
        r#"{"a":"~~~???"  }"#,
    ];
    for (header, payload) in headers.into_iter().zip(payloads) {
        let made = TokenMaker::new().header(header).payload(payload);
        assert_eq!(judges.codes(made.sign()), "");
        let accepts = |line: &[u8], spelled: &[u8], code: &str| {
            // A LF is the end of a line, so that only the validator sees it within a token.
            if line.contains(&b'\n') {
                let verdict = judges.validate(line);
                assert!(!verdict.is_valid(), "{}", shown(spelled));
            } else {
                assert_eq!(judges.codes(line), code, "{}", shown(spelled));
            }
        };
        for spelled in spellings(&encode(header)) {
            let line = made.clone().header_segment(&spelled[..]).sign();
            // A space in front of the token is not part of it, and not signed either.
            let code = match spelled[0] {
                b' ' | b'\t' => "signature-mismatch",
                _ if is_canonical(&spelled) => "header-json",
                _ => "header-base64url",
            };
            accepts(&line, &spelled, code);
        }
        for spelled in spellings(&encode(payload)) {
            let line = made.clone().payload_segment(&spelled[..]).sign();
            let is_other = is_canonical(&spelled);
            accepts(
                &line,
                &spelled,
                if is_other {
                    "payload-json"
                } else {
                    "payload-base64url"
                },
            );
        }
        for spelled in spellings(&encode(made.mac())) {
            let is_other = is_canonical(&spelled);
            let code = if is_other {
                "signature-length"
            } else {
                "signature-base64url"
            };
            accepts(&made.with_signature(&spelled), &spelled, code);
        }
    }
}

fn is_canonical(segment: &[u8]) -> bool {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(segment)
        .is_ok()
}

/// The bits of the last character that no byte uses (Wycheproof's `ModifiedUnusedBitsInPayload`):
/// were they ignored, one signature would fit several tokens.
#[test]
fn unused_bits_are_zero_in_every_segment() {
    let judges = judges();
    let last_characters = |segment: &str, accepted: &dyn Fn(&str) -> String| {
        let head = &segment[..segment.len() - 1];
        let all = ALPHABET
            .iter()
            .map(|last| format!("{head}{}", char::from(*last)));
        all.filter(|spelled| !accepted(spelled).contains("base64url"))
            .count()
    };
    // MACs of 32 and 64 bytes leave 2 and 4 bits, one of 48 bytes none.
    for (alg, canonical) in [("HS256", 16), ("HS384", 64), ("HS512", 4)] {
        let made = TokenMaker::new()
            .header(format!(r#"{{"alg":"{alg}"}}"#))
            .alg(alg);
        let count = last_characters(&encode(made.mac()), &|spelled| {
            judges.codes(made.with_signature(spelled))
        });
        assert_eq!(count, canonical, "{alg}");
        let valid = ALPHABET.iter().filter(|last| {
            let mut line = made.sign();
            line.pop();
            line.push(**last);
            judges.codes(line).is_empty()
        });
        assert_eq!(valid.count(), 1, "{alg}");
    }
    for (spaces, canonical) in [(0, 64), (1, 4), (2, 16)] {
        let header = format!(r#"{{"alg":"HS256"}}{}"#, " ".repeat(spaces));
        let count = last_characters(&encode(header), &|spelled| {
            judges.codes(TokenMaker::new().header_segment(spelled).sign())
        });
        assert_eq!(count, canonical, "header, {spaces}");
        let payload = format!(r#"{{"a":1}}{}"#, " ".repeat(spaces + 2));
        let count = last_characters(&encode(payload), &|spelled| {
            judges.codes(TokenMaker::new().payload_segment(spelled).sign())
        });
        assert_eq!(count, canonical, "payload, {spaces}");
    }
}

/// JSON and compact serialization in one (CVE-2022-39227): the line is either three segments of
/// base64url or no token.
#[test]
fn only_the_compact_serialization_is_a_token() {
    let judges = judges();
    let good = String::from_utf8(token(HEADER, r#"{"sub":"me"}"#)).unwrap();
    let segments: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (segments[0], segments[1], segments[2]);
    let fake = encode(r#"{"sub":"admin"}"#);
    let flattened =
        json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    let general = json!({
        "payload": payload,
        "signatures": [{"protected": header, "signature": signature}],
    })
    .to_string();
    for (line, code) in [
        (flattened.clone(), "segment-count"),
        (general, "segment-count"),
        (format!("[{flattened}]"), "segment-count"),
        // The polyglot of the advisory: as JSON it is signed, as a compact token it is forged.
        (
            format!(
                r#"{{"  {header}.{fake}.":"","protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#
            ),
            "header-base64url",
        ),
        (format!("{{\"{good}\":0}}"), "header-base64url"),
        (format!("\"{good}\""), "header-base64url"),
        (format!("'{good}'"), "header-base64url"),
        (format!("<{good}>"), "header-base64url"),
        (format!("Bearer {good}"), "header-base64url"),
        (format!("token={good}"), "header-base64url"),
        (format!("{good},"), "signature-base64url"),
        (format!("{good};"), "signature-base64url"),
        (format!("{good} {good}"), "segment-count"),
        (format!("{good}{flattened}"), "signature-base64url"),
        (format!("{good}\0"), "signature-base64url"),
        (format!("\u{feff}{good}"), "header-base64url"),
        (format!("\u{a0}{good}"), "header-base64url"),
        (format!("{good}\u{2028}"), "signature-base64url"),
        (format!("{good}\u{b}"), "signature-base64url"),
        (format!("\r{good}"), "header-base64url"),
        (format!("{good}\r\r"), "signature-base64url"),
        (good.replace('.', "\u{ff0e}"), "segment-count"),
        (good.replace('.', "%2E"), "segment-count"),
        (good.replace('.', ":"), "segment-count"),
    ] {
        assert_eq!(judges.codes(&line), code, "{line}");
    }
    assert_eq!(
        judges.codes(format!(" \t{good}\t \r")),
        "",
        "blanks and one CR around it"
    );
}

/// A member that occurs twice: two readers, two tokens (RFC 7515 sections 4 and 10.12).
#[test]
fn a_member_that_occurs_twice_is_refused_however_it_is_spelled() {
    let judges = judges();
    let codes = |header: &str, payload: &str| judges.codes(token(header, payload));
    for more in [
        r#""alg":"HS256""#,
        r#""alg":"none""#,
        r#""\u0061lg":"none""#,
        r#""\u0061\u006c\u0067":"HS256""#,
        r#""\u0061\u006C\u0067":null"#,
        r#""kid":"a","kid":"b""#,
        r#""crit":["x"],"crit":["x"],"x":1"#,
        r#""b64":true,"b64":false"#,
        r#""x":1,"x":1"#,
        r#""x":{},"y":[{}],"\u0078":0"#,
        r#""":1,"":1"#,
        r#""\u0000":1,"\u0000":2"#,
        r#""\/":1,"/":1"#,
        r#""\ud83d\ude00":1,"😀":1"#,
    ] {
        for header in [
            format!(r#"{{"alg":"HS256",{more}}}"#),
            format!(r#"{{{more},"alg":"HS256"}}"#),
        ] {
            assert_eq!(codes(&header, "{}"), "header-duplicate-member", "{header}");
        }
        let payload = format!(r#"{{"exp":9e9,"alg":1,{more}}}"#);
        assert_eq!(
            codes(HEADER, &payload),
            "payload-duplicate-member",
            "{payload}"
        );
    }
    for payload in [
        r#"{"exp":9000000000,"exp":1}"#,
        r#"{"exp":1,"exp":9000000000}"#,
        r#"{"exp":1,"\u0065xp":9000000000}"#,
        r#"{"aud":"a","sub":"s","aud":"a"}"#,
        r#"{"iss":null,"iss":null}"#,
    ] {
        assert_eq!(
            codes(HEADER, payload),
            "payload-duplicate-member",
            "{payload}"
        );
    }
    // At any two positions among many.
    for count in [2, 23, 24, 25, 26, 1000] {
        for (first, second) in [
            (0, 1),
            (0, count - 1),
            (count - 2, count - 1),
            (count / 2, 0),
        ] {
            if first == second {
                continue;
            }
            let name = |n: usize| if n == second { first } else { n };
            let members: Vec<String> = (0..count)
                .map(|n| format!(r#""m{}":{n}"#, name(n)))
                .collect();
            let payload = format!("{{{}}}", members.join(","));
            assert_eq!(
                codes(HEADER, &payload),
                "payload-duplicate-member",
                "{count}"
            );
        }
    }
    // Names that differ are two, and what is nested is not judged.
    for inside in [
        r#""EXP":1,"Exp":2,"exp ":3"#,
        r#""a":{"b":1,"b":2},"c":[{"exp":1,"exp":2}]"#,
        r#""é":1,"e\u0301":2"#,
        r#""\\u0065xp":1"#,
    ] {
        assert_eq!(
            codes(HEADER, &format!(r#"{{"exp":9e9,{inside}}}"#)),
            "",
            "{inside}"
        );
        let header = format!(r#"{{"alg":"HS256","exp":9e9,{inside}}}"#);
        assert_eq!(codes(&header, "{}"), "", "{header}");
    }
}

/// What is not an object of valid JSON in UTF-8 (RFC 7515 section 5.2; panva, fast-jwt #639).
#[test]
fn a_header_and_a_payload_are_objects_of_strict_json() {
    let judges = judges();
    let not_json: [&[u8]; 36] = [
        b"",
        b" ",
        b"\0",
        b"{",
        b"}",
        b"{}{}",
        b"{}x",
        b"{}\0",
        b"{},",
        b"\xef\xbb\xbf{}",
        b"{}\xef\xbb\xbf",
        b"\xff\xfe{\0}\0",
        b"\0{\0}",
        b"{'a':1}",
        b"{a:1}",
        b"{\"a\":1,}",
        b"{\"a\":1}//",
        b"{/**/}",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":\"\xc3\"}",
        b"{\"a\":\"\xc0\x80\"}",
        b"{\"a\":\"\xed\xa0\x80\"}",
        b"{\"a\":\"\xf4\x90\x80\x80\"}",
        b"{\"\xff\":1}",
        b"{\"a\":1}\xff",
        b"\xff{\"a\":1}",
        b"{\"a\":\"\\ud800\"}",
        b"{\"a\":\"\\udc00\\ud800\"}",
        b"{\"a\":\"\n\"}",
        b"{\"a\":\"\t\"}",
        b"{\"a\":\"\\x\"}",
        b"{\"a\":tRue}",
        b"{\"a\":1 2}",
        b"[",
        b"\"",
        b"nul",
    ];
    let not_objects: [&[u8]; 10] = [
        b"[]", b"[{}]", b"\"\"", b"\"{}\"", b"0", b"-1.5e3", b"true", b"false", b"null", b" 1 ",
    ];
    for (texts, code) in [(&not_json[..], "json"), (&not_objects, "not-object")] {
        for text in texts {
            let made = TokenMaker::new();
            let name = shown(text);
            let line = made.clone().header(text).sign();
            assert_eq!(judges.codes(line), format!("header-{code}"), "{name}");
            let line = made.payload(text).sign();
            assert_eq!(judges.codes(line), format!("payload-{code}"), "{name}");
        }
    }
}

/// Nesting without end must not exhaust the stack: 64 levels are read, a million are refused.
#[test]
fn nesting_of_any_depth_is_judged_without_recursion() {
    let judges = judges();
    let nested = |open: &str, close: &str, inner: usize, more: &str| {
        format!(
            r#"{{{more}"a":{}1{}}}"#,
            open.repeat(inner),
            close.repeat(inner)
        )
    };
    // Unclosed as well, since a parser may go down before it knows.
    for (open, close) in [
        ("[", "]"),
        (r#"{"a":"#, "}"),
        ("[", ""),
        (r#"{"a":"#, ""),
        ("[[],", "]"),
    ] {
        for levels in [63, 64, 100, 1000, 100_000] {
            let is_sound = levels == 63 && !close.is_empty() && open != "[[],";
            let payload = nested(open, close, levels, "");
            let codes = judges.codes(token(HEADER, &payload));
            assert_eq!(
                codes,
                if is_sound { "" } else { "payload-json" },
                "{open} {levels}"
            );
            let header = nested(open, close, levels, r#""alg":"HS256","#);
            let codes = judges.codes(token(&header, "{}"));
            assert_eq!(
                codes,
                if is_sound { "" } else { "header-json" },
                "{open} {levels}"
            );
        }
    }
    let payload = nested("[", "]", 1_000_000, "");
    assert_eq!(judges.codes(token(HEADER, payload)), "payload-json");
    let header = nested("[", "", 1_000_000, r#""alg":"HS256","#);
    assert_eq!(judges.codes(token(header, "{}")), "header-json");
    // Wide is not deep.
    let wide = format!(r#"{{"a":[{}[]]}}"#, "[],".repeat(100_000));
    assert_eq!(judges.codes(token(HEADER, wide)), "");
}

/// Sizes within the limit are judged, however odd their shares; beyond it nothing is parsed.
#[test]
fn a_large_segment_is_judged_up_to_the_limit_and_not_read_beyond() {
    let judges = judges();
    let big = "x".repeat(1 << 20);
    let header = format!(r#"{{"alg":"HS256","x":"{big}"}}"#);
    assert_eq!(judges.codes(token(&header, "{}")), "");
    assert_eq!(
        judges.codes(token(HEADER, format!(r#"{{"x":"{big}"}}"#))),
        ""
    );
    let many: Vec<String> = (0..50_000).map(|n| format!(r#""m{n}":0"#)).collect();
    assert_eq!(
        judges.codes(token(HEADER, format!("{{{}}}", many.join(",")))),
        ""
    );
    let line = TokenMaker::new().header_segment(vec![b'!'; 1 << 20]).sign();
    assert_eq!(judges.codes(line), "header-base64url");

    let line = token(HEADER, r#"{"x":"the last byte counts"}"#);
    for (limit, expected) in [(line.len(), ""), (line.len() - 1, "too-long")] {
        let policy = crate::oracle::Policy {
            max_token_bytes: limit,
            ..plain()
        };
        let judges = Judges::of_secret(policy, SECRET);
        assert_eq!(judges.codes(&line), expected);
        assert_eq!(
            judges.codes([&line[..], b"\r"].concat()),
            expected,
            "CR is the ending's"
        );
        assert_eq!(
            judges.codes([&line[..], b" "].concat()),
            "too-long",
            "a blank is the line's"
        );
    }
}
