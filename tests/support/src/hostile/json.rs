//! Pieces of hostile JSON text: numbers, strings, nesting, white space, and damage to a text.

use std::io::Write;

use super::{LEEWAY, MAX_AGE, MAX_LIFETIME, NOW};
use crate::rng::Rng;

/// Numbers at which representations change, valid JSON all of them.
const NUMBERS: [&str; 63] = [
    // Around the numbers that seem to count milliseconds.
    "999999999999",
    "1000000000000",
    "9999999999999",
    "10000000000000",
    "1.7900036e12",
    "0",
    "-0",
    "0.0",
    "-0.0",
    "0e0",
    "0E+5",
    "-0e-5",
    "1",
    "-1",
    "0.5",
    "-0.5",
    "1e0",
    "1E3",
    "1e+3",
    "1e-3",
    "0.1",
    "1.0",
    "10e-1",
    // Around 2^53, where doubles stop being exact; then the ends of i64 and u64.
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "9223372036854775809",
    "-9223372036854775807",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551614",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "18446744073709551615.0",
    "-18446744073709551615",
    "-18446744073709551616",
    "4294967296",
    "2147483647",
    "-2147483649",
    // The largest double, what still rounds to it, and small ones that round to zero or do not.
    "1e308",
    "-1e308",
    "1.7976931348623157e308",
    "1.7976931348623158e308",
    "1.797693134862315807e308",
    "2.2250738585072014e-308",
    "2.2250738585072011e-308",
    "4.9406564584124654e-324",
    "5e-324",
    "2.4703282292062328e-324",
    "2.4703282292062327e-324",
    "1e-400",
    "-1e-400",
    "1e-99999999999999999999",
    "0e400",
    "0e99999999999999999999",
    "0.000e+2147483648",
    "1790000000000",
    "1.79e12",
];

/// Too large for a double, or no number at all.
const NOT_NUMBERS: [&str; 38] = [
    "1e309",
    "1e400",
    "-1e400",
    "1.7976931348623159e308",
    "1.797693134862315808e308",
    "1e99999999999999999999",
    "1e2147483648",
    "0.1e310",
    "01",
    "-01",
    "00",
    "-",
    "+1",
    "--1",
    ".5",
    "-.5",
    "1.",
    "-1.",
    "1.e5",
    "1e",
    "1e+",
    "1e-",
    "1ee5",
    "1.5.5",
    "1e5.5",
    "0x10",
    "0b1",
    "0o7",
    "1_000",
    "1,000",
    "1 000",
    "NaN",
    "nan",
    "Infinity",
    "-Infinity",
    "inf",
    "1f",
    "\u{661}",
];

/// A number that JSON has, and rarely one that it has not.
pub(super) fn number(rng: &mut Rng, out: &mut Vec<u8>) {
    match rng.below(24) {
        0 => out.extend_from_slice(rng.pick(&NOT_NUMBERS).as_bytes()),
        1 => digits(rng, out, 330),
        2 => {
            digits(rng, out, 30);
            out.push(b'.');
            let count = 1 + rng.length(400);
            out.extend((0..count).map(|_| b'0' + (rng.next_u64() % 10) as u8));
        }
        3 => {
            digits(rng, out, 20);
            let _ = write!(out, "e{}", rng.below(700) as i64 - 350);
        }
        // A long way round to a number of ordinary size.
        4 => {
            let zeros = rng.length(400);
            let _ = write!(
                out,
                "{}{}e-{zeros}",
                rng.below(2_000_000_000),
                "0".repeat(zeros)
            );
        }
        5 => {
            let zeros = rng.length(400);
            let _ = write!(out, "0.{}179e{}", "0".repeat(zeros), zeros + 10);
        }
        6..=13 => near_an_edge(rng, out),
        14 => {
            let _ = write!(out, "{}", rng.next_u64() as i64);
        }
        15 => {
            let _ = write!(out, "{}", rng.next_u64());
        }
        _ => out.extend_from_slice(rng.pick(&NUMBERS).as_bytes()),
    }
}

fn digits(rng: &mut Rng, out: &mut Vec<u8>, most: usize) {
    out.push(b'1' + (rng.next_u64() % 9) as u8);
    let count = rng.below(most);
    out.extend((0..count).map(|_| b'0' + (rng.next_u64() % 10) as u8));
}

/// A moment within a second of where some rule changes its mind, if now is half past `NOW`.
pub(super) fn near_an_edge(rng: &mut Rng, out: &mut Vec<u8>) {
    let (leeway, age, lifetime) = (LEEWAY as i64, MAX_AGE as i64, MAX_LIFETIME as i64);
    let edges = [
        0,
        leeway,
        -leeway,
        -age,
        -age - leeway,
        lifetime,
        -lifetime,
        lifetime - age,
    ];
    let second = NOW + edges[rng.below(edges.len())] + rng.below(5) as i64 - 2;
    // Doubles here are 2^-22 apart: some of these are .5 after rounding and some are not.
    const FRACTIONS: [&str; 18] = [
        "",
        "",
        "",
        ".0",
        ".5",
        ".500",
        ".4999999",
        ".4999998",
        ".5000001",
        ".5000002",
        ".50000012",
        ".499999",
        ".500001",
        ".50000000000000000000000000000001",
        ".49999999999999999999999999999",
        ".999999999999",
        ".000001",
        ".50000011920928955078125",
    ];
    let _ = write!(out, "{second}{}", rng.pick(&FRACTIONS));
    if rng.one_in(6) {
        out.extend_from_slice(rng.pick(&["e0", "E0", "e+0", "e-0", "E-00"]).as_bytes());
    }
}

/// Exactly this second, or a fraction of a second later, in one of the ways to write it.
pub(super) fn moment(rng: &mut Rng, second: i64, out: &mut Vec<u8>) {
    let _ = match rng.below(16) {
        0 => write!(out, "{second}.0"),
        1 => write!(out, "{second}.25"),
        2 => write!(out, "{second}e0"),
        3 => write!(out, "{second}000E-3"),
        4 => write!(
            out,
            "{}.{:09}e+9",
            second / 1_000_000_000,
            second % 1_000_000_000
        ),
        5 => write!(out, "{second}.0000000000000000000000000000001"),
        _ => write!(out, "{second}"),
    };
}

/// String contents that are valid JSON, though odd.
const CONTENTS: [&str; 24] = [
    "",
    "a",
    "user-1",
    "\\u0000",
    "\\u0061",
    "\\/",
    "\\\\",
    "\\\"",
    "\\b\\f\\n\\r\\t",
    "\\ud83d\\ude00",
    "\\uDBFF\\uDFFF",
    "\\uffff",
    "\\ufeff",
    "\u{7f}",
    "\u{e9}",
    "e\u{301}",
    "\u{2028}",
    "\u{202e}",
    "\u{ffff}",
    "\u{1f511}",
    "\u{10ffff}",
    "[{\\\"",
    "../../etc/passwd",
    "' OR 1=1 --",
];

/// String contents that are not: half surrogates, unknown escapes, bare control characters.
const NOT_CONTENTS: [&str; 22] = [
    "\\ud800",
    "\\udc00",
    "\\uDFFF",
    "\\ud800\\u0041",
    "\\ud800\\n",
    "\\ud800x",
    "\\udc00\\ud800",
    "\\ud83d\\ud83d\\ude00",
    "\\u12",
    "\\u00g0",
    "\\uD83D\\u",
    "\\U0041",
    "\\u{41}",
    "\\x41",
    "\\'",
    "\\0",
    "\\",
    "\0",
    "\t",
    "\u{1f}",
    "\r",
    "\"",
];

/// Not UTF-8: stray and missing continuations, overlong forms, surrogates, beyond U+10FFFF.
const NOT_UTF8: [&[u8]; 10] = [
    b"\x80",
    b"\xff",
    b"\xc0\xaf",
    b"\xe0\x80\xaf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
];

/// A quoted string of a few odd pieces, rarely one that is not JSON.
pub(super) fn string(rng: &mut Rng, out: &mut Vec<u8>) {
    out.push(b'"');
    for _ in 0..rng.below(4) {
        match rng.below(40) {
            0 => out.extend_from_slice(rng.pick(&NOT_CONTENTS).as_bytes()),
            1 => out.extend_from_slice(rng.pick(&NOT_UTF8)),
            2 => {
                let _ = write!(out, "\\u{:04x}", rng.next_u64() as u16);
            }
            3 => {
                let character = char::from_u32(rng.below(0x11_0000) as u32).unwrap_or('?');
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            4 => {
                let count = rng.length(2000);
                out.extend((0..count).map(|at| b'a' + (at % 26) as u8));
            }
            _ => out.extend_from_slice(rng.pick(&CONTENTS).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Containers in containers: around the limit of 64, around that of other parsers, or far beyond.
pub(super) fn nested(rng: &mut Rng, out: &mut Vec<u8>) {
    let depth = match rng.below(200) {
        0 => 10_000,
        1..=10 => 125 + rng.below(6),
        // The object around this value is level 1, so 63 is the last that is good.
        11..=100 => 61 + rng.below(5),
        _ => 1 + rng.below(40),
    };
    let first = out.len();
    for _ in 0..depth {
        out.extend_from_slice(if rng.one_in(3) { b"{\"a\":" } else { b"[" });
    }
    let opened: Vec<u8> = out[first..]
        .iter()
        .copied()
        .filter(|b| b"{[".contains(b))
        .collect();
    if rng.one_in(2) || opened.last() == Some(&b'{') {
        out.push(b'0');
    }
    if rng.one_in(40) {
        return;
    }
    out.extend(
        opened
            .iter()
            .rev()
            .map(|&open| if open == b'{' { b'}' } else { b']' }),
    );
}

/// Values for where another type was meant.
const VALUES: [&str; 22] = [
    "null",
    "true",
    "false",
    "0",
    "1",
    "\"\"",
    "\"1\"",
    "[]",
    "{}",
    "[null]",
    "[\"a\"]",
    "[[]]",
    "[{}]",
    "{\"a\":1,\"a\":2}",
    "\"1790000000\"",
    "\"null\"",
    "[1790009999]",
    "{\"exp\":1}",
    "[1,2,3]",
    "\"true\"",
    "[\"\",\"\"]",
    "[ 1 , 2 ]",
];

/// No values at all.
const NOT_VALUES: [&str; 14] = [
    "",
    "True",
    "nul",
    "undefined",
    "'a'",
    "[1,]",
    "[,]",
    "{,}",
    "{\"a\"}",
    "{a:1}",
    "[1 2]",
    "[",
    "}",
    "/**/1",
];

/// Any value.
pub(super) fn value(rng: &mut Rng, out: &mut Vec<u8>) {
    match rng.below(20) {
        0 => out.extend_from_slice(rng.pick(&NOT_VALUES).as_bytes()),
        1..=5 => number(rng, out),
        6..=9 => string(rng, out),
        10 => nested(rng, out),
        11 => {
            out.push(b'[');
            for index in 0..rng.below(5) {
                if index > 0 {
                    out.push(b',');
                }
                value(rng, out);
            }
            out.push(b']');
        }
        12 => {
            out.push(b'{');
            for index in 0..rng.below(4) {
                if index > 0 {
                    out.push(b',');
                }
                string(rng, out);
                out.push(b':');
                value(rng, out);
            }
            out.push(b'}');
        }
        _ => out.extend_from_slice(rng.pick(&VALUES).as_bytes()),
    }
}

/// `name`, quoted, with some of its characters escaped. It is still that name.
pub(super) fn escaped_name(rng: &mut Rng, name: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let always = rng.below(name.len().max(1));
    for (index, character) in name.chars().enumerate() {
        if index == always || rng.one_in(3) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = match rng.one_in(2) {
                    true => write!(out, "\\u{unit:04x}"),
                    false => write!(out, "\\u{unit:04X}"),
                };
            }
        } else {
            let _ = write!(out, "{character}");
        }
    }
    out.push(b'"');
}

/// White space that JSON allows between any two tokens.
pub(super) fn gap(rng: &mut Rng, out: &mut Vec<u8>) {
    for _ in 0..rng.below(3) {
        out.push(b" \t\r\n"[rng.below(4)]);
    }
}

/// Spoils a whole text, or so it seems: some of the results are as good as before.
pub(super) fn damage(rng: &mut Rng, text: &mut Vec<u8>) {
    const PREFIXES: [&[u8]; 8] = [
        b"\xef\xbb\xbf",
        b"\xfe\xff",
        b"\0",
        b" \n",
        b"\xc2\xa0",
        b"\x0b",
        b"//\n",
        b"{}",
    ];
    const SUFFIXES: [&[u8]; 14] = [
        b" \r\n\t",
        b"\n",
        b"}",
        b"{}",
        b",",
        b"x",
        b"\0",
        b"]",
        b" null",
        b"\xef\xbb\xbf",
        b"\xff",
        b"//",
        b"\x1a",
        b"\x0c",
    ];
    const WHOLES: [&str; 16] = [
        "", " ", "null", "true", "0", "-1e5", "\"a\"", "\"{}\"", "[]", "[{}]", "{}", "{ }", "{",
        "nul", "\"", "1e400",
    ];
    match rng.below(14) {
        0 | 1 => drop(text.splice(0..0, rng.pick(&PREFIXES).iter().copied())),
        2 | 3 => text.extend_from_slice(rng.pick(&SUFFIXES)),
        4 => *text = rng.pick(&WHOLES).as_bytes().to_vec(),
        5 => {
            text.clear();
            value(rng, text);
        }
        6 => {
            text.clear();
            nested(rng, text);
        }
        7 => text.truncate(rng.below(text.len() + 1)),
        8 => drop(text.pop()),
        _ => bytes(rng, text),
    }
}

/// Changes a few bytes of anything: flip, replace, delete, insert, double.
pub(super) fn bytes(rng: &mut Rng, text: &mut Vec<u8>) {
    // Bytes that mean something to JSON, to base64url, to lines or to UTF-8.
    const MEANINGFUL: &[u8] = b"\"\\{}[],:.-+eE01 \t\r\0tfn=/_\xef\x80\xc0\xed\xf4\xffA";
    for _ in 0..=rng.next_u64().trailing_ones() {
        if text.is_empty() {
            return;
        }
        let at = rng.below(text.len());
        match rng.below(6) {
            0 => text[at] ^= 1 << rng.below(8),
            1 => text[at] = rng.byte(),
            2 => text[at] = MEANINGFUL[rng.below(MEANINGFUL.len())],
            3 => drop(text.remove(at)),
            4 => text.insert(at, MEANINGFUL[rng.below(MEANINGFUL.len())]),
            _ => {
                let end = (at + 1 + rng.below(8)).min(text.len());
                text.extend_from_within(at..end);
                let count = end - at;
                text[at..].rotate_right(count);
            }
        }
    }
}
