//! Malformed text: base64url that is not canonical, JSON that does not parse.
//!
//! Owns the ways of spoiling a good text, shared by header, payload and signature. Whether the
//! spoiled text is then signed is left to the caller.

use super::rng::Rng;
use super::text::{BASE64URL, push_escaped, push_random};

/// Spoils canonical base64url in one of the ways RFC 4648 leaves open and RFC 7515 does not. The
/// text needs at least four characters; neither its first nor its last becomes white space.
pub(super) fn break_base64url(text: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(7) {
        0 => pad(text),
        1 => replace(text, rng, b"+/"),
        2 => loosen(text),
        3 => {
            // No whole number of bytes has a length of 1 modulo 4.
            while text.len() % 4 != 1 {
                text.push(b'A');
            }
        }
        4 => {
            let at = 1 + rng.index(text.len().saturating_sub(1));
            text.insert(at.min(text.len()), rng.pick(b" \t\r"));
        }
        5 => replace(text, rng, b"%*!:,;~$\0\x7f"),
        _ => {
            // A character outside ASCII, and a byte that is no character at all.
            let at = 1 + rng.index(text.len().saturating_sub(1));
            let bytes: &[u8] = rng.pick(&["é".as_bytes(), "–".as_bytes(), b"\xff"]);
            text.splice(
                at.min(text.len())..at.min(text.len()),
                bytes.iter().copied(),
            );
        }
    }
}

/// Appends the padding that RFC 7515 section 2 leaves off, or one `=` too many.
fn pad(text: &mut Vec<u8>) {
    text.push(b'=');
    while !text.len().is_multiple_of(4) {
        text.push(b'=');
    }
}

/// Puts one of `bytes` in the place of a character that is neither the first nor the last.
fn replace<const N: usize>(text: &mut [u8], rng: &mut Rng, bytes: &[u8; N]) {
    let at = 1 + rng.index(text.len().saturating_sub(2));
    let byte = rng.pick(bytes);
    if let Some(place) = text.get_mut(at) {
        *place = byte;
    }
}

/// Sets the last of the bits behind the last byte, or pads where there are none.
fn loosen(text: &mut Vec<u8>) {
    let spare = text.len() % 4;
    let value = |byte: u8| BASE64URL.iter().position(|&b| b == byte);
    match text.last_mut() {
        Some(last) if spare > 1 => {
            let loose = value(*last).and_then(|at| BASE64URL.get(at | 1)).copied();
            *last = loose.unwrap_or(b'=');
        }
        _ => pad(text),
    }
}

/// Values that are no JSON values (RFC 8259).
const NO_VALUES: [&[u8]; 29] = [
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"undefined",
    b"True",
    b"None",
    b"nul",
    b".5",
    b"+1",
    b"01",
    b"-",
    b"1.",
    b"1e",
    b"1e+",
    b"0x10",
    b"1_000",
    b"'text'",
    b"`text`",
    b"",
    b"[1,]",
    b"{\"a\":1,}",
    b"[1",
    b"{\"a\"}",
    b"{1:2}",
    b"\"open",
    b"[1 2]",
    b"\"a\"\"b\"",
    b"(1)",
    b"-01",
];

/// Contents that are no contents of a JSON string in UTF-8, or that no string can hold.
const NO_STRINGS: [&[u8]; 21] = [
    // Lone surrogates, high and low, and the two in the wrong order.
    b"\\ud800",
    b"\\udfff",
    b"\\uD83D x",
    b"\\ude00\\ud83d",
    b"\\ud800\\u0041",
    b"\\ud800\\n",
    // Escapes that do not exist.
    b"\\x41",
    b"\\u00g0",
    b"\\u12",
    b"\\'",
    b"\\0",
    b"\\U0001f600",
    // Control characters as they are.
    b"\x01",
    b"a\nb",
    b"a\tb",
    b"\0",
    // Not UTF-8: a byte by itself, a cut sequence, overlong, a surrogate, beyond U+10FFFF.
    b"\xff",
    b"\xc3",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
];

/// Numbers whose nearest double is infinite.
const OVERFLOWS: [&[u8]; 5] = [
    b"1e400",
    b"-1e400",
    b"1E+309",
    b"2e308",
    b"123456789e999999999",
];

/// Text after a JSON value, which a lenient parser ignores.
const TRAILS: [&[u8]; 9] = [
    b"{}",
    b" x",
    b",",
    b"}",
    b"]",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"//",
];

/// Text before a JSON value, which a lenient parser skips.
const LEADS: [&[u8]; 7] = [
    b"\xef\xbb\xbf",
    b"\xc2\xa0",
    b"\x0c",
    b")]}',\n",
    b"/* */",
    b"\xff\xfe",
    b",",
];

/// The depth allowed, counting the object at the top.
pub(super) const DEPTH: usize = 64;

/// Spoils a JSON object in compact form, so that it is no longer JSON by the rules that jotmill
/// documents (RFC 8259, UTF-8, no lone surrogate, no overflow, 64 levels).
pub(super) fn break_json(text: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(13) {
        0 | 1 => {
            let lead = rng.pick(&LEADS);
            text.splice(0..0, lead.iter().copied());
        }
        2 => text.extend_from_slice(rng.pick(&TRAILS)),
        3 | 4 => insert(text, |out| {
            out.extend_from_slice(b"\"note\":\"");
            out.extend_from_slice(rng.pick(&NO_STRINGS));
            out.push(b'"');
        }),
        5 => insert(text, |out| {
            out.extend_from_slice(b"\"n\":");
            out.extend_from_slice(rng.pick(&OVERFLOWS));
        }),
        6 => {
            // One level too deep, and sometimes far too deep.
            let levels = if rng.percent(90) {
                DEPTH
            } else {
                200 + rng.index(800)
            };
            insert(text, |out| nest(out, levels, rng));
        }
        7 | 8 => insert(text, |out| {
            out.extend_from_slice(b"\"n\":");
            out.extend_from_slice(rng.pick(&NO_VALUES));
        }),
        // Cut short: a part of an object is never a whole text. Sometimes nothing is left.
        9 => {
            let keep = if rng.percent(10) {
                0
            } else {
                rng.index(text.len())
            };
            text.truncate(keep);
        }
        10 => insert(text, |out| {
            let forms: [&[u8]; 6] = [
                b"",
                b"\"a\"",
                b"a:1",
                b"\"a\" 1",
                b"/* c */\"a\":1",
                b"\"a\":1 \"b\":2",
            ];
            out.extend_from_slice(rng.pick(&forms));
        }),
        11 => {
            for byte in text.iter_mut().filter(|byte| **byte == b'"') {
                *byte = b'\'';
            }
        }
        // UTF-16.
        _ => *text = text.iter().flat_map(|&byte| [byte, 0]).collect(),
    }
}

/// Writes a member before the closing brace of a JSON object that has others.
fn insert(text: &mut Vec<u8>, member: impl FnOnce(&mut Vec<u8>)) {
    text.pop();
    text.push(b',');
    member(text);
    text.push(b'}');
}

/// Writes a member whose value has `levels` levels.
pub(super) fn nest(out: &mut Vec<u8>, levels: usize, rng: &mut Rng) {
    out.extend_from_slice(b"\"nested\":");
    let (open, close): (&[u8], u8) = if rng.percent(50) {
        (b"[", b']')
    } else {
        (b"{\"a\":", b'}')
    };
    for _ in 1..levels {
        out.extend_from_slice(open);
    }
    out.extend_from_slice(b"[]");
    out.extend(std::iter::repeat_n(close, levels.saturating_sub(1)));
}

/// Replaces the text by JSON whose top is no object.
pub(super) fn not_object(text: &mut Vec<u8>, rng: &mut Rng) {
    match rng.below(4) {
        0 => {
            text.insert(0, b'[');
            text.push(b']');
        }
        1 => {
            text.clear();
            text.push(b'"');
            push_random(text, rng, 24);
            text.push(b'"');
        }
        2 => {
            let forms: [&[u8]; 5] = [b"[]", b"[[]]", b"[1,2]", b"[\"alg\",\"HS256\"]", b"[null]"];
            text.clear();
            text.extend_from_slice(rng.pick(&forms));
        }
        _ => {
            let forms: [&[u8]; 9] = [
                b"null",
                b"true",
                b"false",
                b"0",
                b"-1.5e3",
                b"1790003600",
                b"\"\"",
                b" 7 ",
                b"1e308",
            ];
            text.clear();
            text.extend_from_slice(rng.pick(&forms));
        }
    }
}

/// Repeats a member of a JSON object: `name` with its value as before or another one, plain or
/// escaped; or a name of no meaning, twice.
pub(super) fn repeat_member(text: &mut Vec<u8>, name: &str, value: &[u8], rng: &mut Rng) {
    insert(text, |out| {
        if rng.percent(25) {
            out.extend_from_slice(b"\"x-note\":1,\"x-note\":1");
            return;
        }
        out.push(b'"');
        if rng.percent(50) {
            push_escaped(out, name.as_bytes(), rng);
        } else {
            out.extend_from_slice(name.as_bytes());
        }
        out.extend_from_slice(b"\":");
        out.extend_from_slice(if rng.percent(50) { value } else { b"null" });
    });
}

/// Puts white space between the tokens of a JSON text, where RFC 8259 allows it.
pub(super) fn space_out(text: &mut Vec<u8>, rng: &mut Rng) {
    let spaces: [&[u8]; 5] = [b" ", b"\n", b"\t", b"\r\n  ", b""];
    let old = std::mem::take(text);
    let (mut quoted, mut escaped) = (false, false);
    for byte in old {
        let structural = !quoted && b"{}[]:,".contains(&byte);
        if structural {
            text.extend_from_slice(rng.pick(&spaces));
        }
        text.push(byte);
        if structural {
            text.extend_from_slice(rng.pick(&spaces));
        }
        quoted ^= byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use serde_json::Value;

    const JSON: &[u8] = br#"{"iss":"https://auth.example.com/","exp":1790003600,"a":[1,{"b":2}]}"#;

    #[test]
    fn broken_base64url_is_refused_by_a_strict_decoder() {
        for index in 0..5_000 {
            let mut rng = Streams::new(1, 1).at(index);
            let mut bytes = vec![0; 3 + rng.index(60)];
            rng.fill(&mut bytes);
            let mut text = URL_SAFE_NO_PAD.encode(&bytes).into_bytes();
            break_base64url(&mut text, &mut rng);
            assert!(
                URL_SAFE_NO_PAD.decode(&text).is_err(),
                "{}",
                text.escape_ascii()
            );
            assert_eq!(text, text.trim_ascii());
            assert!(!text.contains(&b'\n') && !text.contains(&b'.'));
        }
    }

    fn depth(value: &Value) -> usize {
        match value {
            Value::Array(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
            Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }

    #[test]
    fn broken_json_is_refused_by_serde_json_or_too_deep() {
        for index in 0..5_000 {
            let mut text = JSON.to_vec();
            break_json(&mut text, &mut Streams::new(1, 2).at(index));
            if let Ok(value) = serde_json::from_slice::<Value>(&text) {
                assert!(depth(&value) > DEPTH, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn every_list_of_spoilers_is_refused_one_by_one() {
        let refused = |text: &[u8]| serde_json::from_slice::<Value>(text).is_err();
        for value in NO_VALUES.iter().chain(&OVERFLOWS) {
            assert!(
                refused(&[b"{\"n\":", *value, b"}"].concat()),
                "{}",
                value.escape_ascii()
            );
        }
        for text in NO_STRINGS {
            assert!(
                refused(&[b"{\"n\":\"", text, b"\"}"].concat()),
                "{}",
                text.escape_ascii()
            );
        }
        for lead in LEADS {
            assert!(refused(&[lead, JSON].concat()));
        }
        for trail in TRAILS {
            assert!(refused(&[JSON, trail].concat()));
        }
    }

    #[test]
    fn nesting_counts_the_object_at_the_top() {
        for levels in [1, DEPTH - 1, DEPTH] {
            let mut text = JSON.to_vec();
            let mut rng = Streams::new(1, 3).at(0);
            insert(&mut text, |out| nest(out, levels, &mut rng));
            assert_eq!(
                depth(&serde_json::from_slice(&text).unwrap()),
                1 + levels.max(2)
            );
        }
    }

    #[test]
    fn what_is_not_an_object_is_still_json() {
        for index in 0..200 {
            let mut text = JSON.to_vec();
            not_object(&mut text, &mut Streams::new(1, 4).at(index));
            assert!(!serde_json::from_slice::<Value>(&text).unwrap().is_object());
        }
    }

    #[test]
    fn spacing_does_not_change_the_meaning() {
        let source = br#"{"a":"q\"{,\\","b":[1,2,{"c":null}],"d":{}}"#;
        for index in 0..200 {
            let mut text = source.to_vec();
            space_out(&mut text, &mut Streams::new(1, 5).at(index));
            let read = |text: &[u8]| serde_json::from_slice::<Value>(text).unwrap();
            assert_eq!(read(&text), read(source));
        }
    }
}
