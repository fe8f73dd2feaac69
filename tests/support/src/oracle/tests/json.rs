//! What is JSON, an object, and without duplicates, in the header and in the payload.

use super::*;

/// Texts that are not JSON by the contract, each as a whole header or payload.
fn not_json() -> Vec<Vec<u8>> {
    let deep = |open: &str, count: usize, close: &str| {
        (open.repeat(count) + "0" + &close.repeat(count)).into_bytes()
    };
    let mut texts: Vec<Vec<u8>> = [
        "",
        " ",
        "{",
        "}",
        "{}}",
        "{}x",
        "{} {}",
        "{},",
        "{},{}",
        "\u{feff}{}",
        "{}\u{feff}",
        "{}\0",
        "\u{a0}{}",
        "\u{b}{}",
        "\u{c}{}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1,,\"b\":2}",
        "{\"a\":[1,]}",
        "{\"a\":[,]}",
        "{1:2}",
        "{null:2}",
        "{}//",
        "{}/**/",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":undefined}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":-Infinity}",
        "nul",
        "tru",
        "\"",
        "\"a",
        "[",
        "[1",
        "]",
        // Strings: bare control characters, unknown escapes, half and lone surrogates.
        "{\"a\":\"\t\"}",
        "{\"a\":\"\u{0}\"}",
        "{\"a\":\"\u{1f}\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x41\"}",
        "{\"a\":\"\\'\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u00g0\"}",
        "{\"a\":\"\\U0041\"}",
        "{\"a\":\"\\u{41}\"}",
        "{\"a\":\"\\\"}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\udc00\"}",
        "{\"a\":\"\\ud800\\u0041\"}",
        "{\"a\":\"\\ud800x\"}",
        "{\"a\":\"\\ud800\\n\"}",
        "{\"a\":\"\\udc00\\ud800\"}",
        "{\"a\":\"\\ud83d\\ud83d\\ude00\"}",
        "{\"\\ud800\":1}",
        "{\"a\":{\"\\udfff\":1}}",
        "{\"a\":[\"\\uDBFF\"]}",
        // Numbers: forms that are none, and values beyond the largest double.
        "{\"a\":01}",
        "{\"a\":-01}",
        "{\"a\":00}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":-.5}",
        "{\"a\":+1}",
        "{\"a\":-}",
        "{\"a\":--1}",
        "{\"a\":1e}",
        "{\"a\":1e+}",
        "{\"a\":1.e5}",
        "{\"a\":0x1}",
        "{\"a\":1_0}",
        "{\"a\":1 0}",
        "{\"a\":1e400}",
        "{\"a\":-1e400}",
        "{\"a\":1e309}",
        "{\"a\":1.7976931348623159e308}",
        "{\"a\":1.797693134862315808e308}",
        "{\"a\":1e99999999999999999999}",
        "{\"a\":[{\"b\":1e400}]}",
        "{\"a\":1e400,\"a\":1}",
    ]
    .into_iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for bad in [
        &b"\x80"[..],
        b"\xff",
        b"\xc0\xaf",         // an overlong slash
        b"\xc1\xbf",         // another overlong form
        b"\xe0\x80\xaf",     // overlong in three bytes
        b"\xed\xa0\x80",     // a surrogate
        b"\xed\xbf\xbf",     // the last surrogate
        b"\xf4\x90\x80\x80", // beyond U+10FFFF
        b"\xf5\x80\x80\x80", // no such lead byte
        b"\xe2\x82",         // cut short
        b"\xf0\x9f\x98",     // cut short
    ] {
        texts.push([b"{\"a\":\"", bad, b"\"}"].concat());
        texts.push([b"{\"", bad, b"\":1}"].concat());
        texts.push([b"{}", bad].concat());
        texts.push([b"{\"a\":{\"b\":\"", bad, b"\"}}"].concat());
    }
    // 65 levels, the top one included; then where recursion would run out of stack.
    for count in [65, 66, 127, 128, 129, 10_000, 1_000_000] {
        texts.push(deep("[", count, "]"));
        texts.push(deep("{\"a\":", count, "}"));
        texts.push("[".repeat(count).into_bytes());
    }
    texts.push(format!("{{\"a\":{}}}", "9".repeat(309)).into_bytes());
    texts.push(format!("{{\"a\":-1{}}}", "0".repeat(309)).into_bytes());
    // What is too deep stays too deep when a later member of that name replaces it.
    let replaced = format!(
        "{{\"a\":{{\"x\":{}{},\"x\":1}}}}",
        "[".repeat(63),
        "]".repeat(63)
    );
    texts.push(replaced.into_bytes());
    texts
}

/// Objects that are JSON by the contract, though some parsers refuse them.
fn odd_objects() -> Vec<String> {
    let mut texts: Vec<String> = [
        "{}",
        " \t\r\n{ \t\r\n}\n",
        "{\"\":1}",
        "{\"a\":\"\u{7f}\"}",
        "{\"a\":\"\u{ffff}\"}",
        "{\"a\":\"\u{10ffff}\"}",
        "{\"a\":\"\u{feff}\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\\uffff\"}",
        "{\"a\":\"\\ud83d\\ude00\"}",
        "{\"a\":\"\\uDBFF\\uDFFF\"}",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}",
        "{\"a\":\"[[[[{{{{\"}",
        "{\"a\":\"\\\\\"}",
        "{\"a\":-0}",
        "{\"a\":-0.0}",
        "{\"a\":0e0}",
        "{\"a\":1E+2}",
        "{\"a\":1e-2}",
        "{\"a\":1e-400}",
        "{\"a\":-1e-99999999999999999999}",
        "{\"a\":0e400}",
        "{\"a\":0.000e99999999999999999999}",
        "{\"a\":1e308}",
        "{\"a\":1.7976931348623157e308}",
        "{\"a\":1.7976931348623158e308}",
        "{\"a\":1.797693134862315807e308}",
        "{\"a\":5e-324}",
        "{\"a\":9223372036854775808}",
        "{\"a\":18446744073709551616}",
        "{\"a\":-9223372036854775809}",
        "{\"a\":{\"x\":1,\"x\":2}}",
        "{\"a\":[{\"x\":1,\"\\u0078\":2}]}",
        "{\"a\":1,\"A\":2}",
    ]
    .into_iter()
    .map(str::to_owned)
    .collect();
    texts.push(format!("{{\"a\":1{}}}", "0".repeat(308)));
    texts.push(format!("{{\"a\":{}{}}}", "[".repeat(63), "]".repeat(63)));
    texts.push(format!("{}{{}}{}", "{\"a\":".repeat(63), "}".repeat(63)));
    texts.push(format!("{{\"a\":[{}0]}}", "[],".repeat(1000)));
    texts.push(format!("{{\"a\":\"{}\"}}", "[".repeat(1_000_000)));
    // An escaped quote does not end the string, nor what is in it.
    texts.push(format!("{{\"\\\"{0}\":\"\\\\\\\"{0}\"}}", "[".repeat(70)));
    texts
}

#[test]
fn what_is_not_json_is_refused_in_the_header_and_in_the_payload() {
    for text in not_json() {
        let shown = String::from_utf8_lossy(&text[..text.len().min(60)]).into_owned();
        assert_eq!(header_codes(&text), "header-json", "{shown}");
        assert_eq!(payload_codes(&text), "payload-json", "{shown}");
    }
}

#[test]
fn odd_json_that_is_json_is_read() {
    for text in odd_objects() {
        let shown = &text[..text.char_indices().nth(60).map_or(text.len(), |(at, _)| at)];
        assert_eq!(header_codes(&text), "alg-missing", "{shown}");
        assert_eq!(payload_codes(&text), "", "{shown}");
    }
}

#[test]
fn another_value_at_the_top_is_not_an_object() {
    let deepest = format!("{}{}", "[".repeat(64), "]".repeat(64));
    for text in [
        "null", " true", "false", "0", "-0.5e3", "\"a\"", "\"{}\"", "[]", "[{}]", &deepest,
    ] {
        assert_eq!(header_codes(text), "header-not-object", "{text}");
        assert_eq!(payload_codes(text), "payload-not-object", "{text}");
    }
}

#[test]
fn a_top_level_name_occurs_once_after_unescaping() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"b":2,"\u0061":3}"#,
        r#"{"exp":1,"\u0065xp":2}"#,
        r#"{"\u0065\u0078\u0070":1,"e\u0078p":2}"#,
        r#"{"":1,"":2}"#,
        r#"{"/":1,"\/":2}"#,
        "{\"\\ud83d\\ude00\":1,\"\u{1f600}\":2}",
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","\u0061lg":5}"#,
    ] {
        assert_eq!(header_codes(text), "header-duplicate-member", "{text}");
        assert_eq!(payload_codes(text), "payload-duplicate-member", "{text}");
    }
    // The same text in two normal forms is two names.
    assert_eq!(payload_codes("{\"\u{e9}\":1,\"e\u{301}\":2}"), "");
}

#[test]
fn numbers_become_the_nearest_double() {
    let digits = "123456789".repeat(30);
    for text in [
        "1.7976931348623157e308",
        "2.2250738585072011e-308",
        "2.2250738585072014e-308",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "4.9406564584124654e-324",
        "9007199254740993.0",
        "9007199254740992.9999999999999999999999999",
        "18446744073709551616",
        "18446744073709553664.5",
        "1790000000.50000011920928955078125",
        "1790000000.500000119209289550781250000000000000000000000000000000000000001",
        "0.1e1",
        "179e7",
        &digits,
        &format!("0.{}1e400", "0".repeat(390)),
        &format!("1{}e-390", "0".repeat(400)),
        &format!("0.{digits}e-300"),
    ] {
        for sign in ["", "-"] {
            let text = format!("{sign}{text}");
            let members =
                super::super::json::object(format!("{{\"a\":{text}}}").as_bytes()).unwrap();
            let read = members["a"].as_f64().unwrap();
            assert_eq!(
                read.to_bits(),
                text.parse::<f64>().unwrap().to_bits(),
                "{text}"
            );
        }
    }
}
