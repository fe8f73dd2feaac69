//! Rows as JSON lines.
//!
//! This file owns the names and the order of the members, which are API, and how strings are
//! escaped. What a row may show is decided in [`Row`].

use std::fmt::{Display, Write};

use super::{Row, RowWriter, push_number};
use crate::display::is_deceptive;
use crate::time::NumericDate;
use crate::verdict::Reason;

/// One JSON object a line, `{"line":1,"offset":0,…}`, without blanks. A member is left out where
/// the row has no value for it.
pub(crate) struct JsonLines;

impl RowWriter for JsonLines {
    fn before_line(&self, text: &mut String, file: Option<&str>) {
        text.push('{');
        if let Some(file) = file {
            text.push_str("\"file\":\"");
            escape_onto(text, file);
            text.push_str("\",");
        }
        text.push_str("\"line\":");
    }

    fn after_line(&self, text: &mut String, row: &Row<'_>) {
        text.push_str(",\"offset\":");
        push_number(text, row.offset);
        if row.reasons.is_empty() {
            text.push_str(",\"verdict\":\"valid\"");
        } else {
            text.push_str(",\"verdict\":\"rejected\"");
            let codes = row.reasons.iter().map(Reason::code);
            push_array(text, ",\"reasons\":[", codes);
        }
        if let Some(at) = row.at {
            text.push_str(",\"at\":\"");
            push_display(text, at);
            text.push('"');
        }
        if let Some(is_valid) = row.is_valid_now {
            text.push_str(match is_valid {
                true => ",\"verdict_now\":\"valid\"",
                false => ",\"verdict_now\":\"rejected\"",
            });
        }
        push_string(text, ",\"alg\":\"", row.alg.as_deref());
        push_string(text, ",\"kid\":\"", row.kid.as_deref());
        push_string(text, ",\"key\":\"", row.key);
        push_string(text, ",\"iss\":\"", row.iss.as_deref());
        push_string(text, ",\"sub\":\"", row.sub.as_deref());
        push_date(text, ",\"exp\":", row.exp);
        push_date(text, ",\"nbf\":", row.nbf);
        push_date(text, ",\"iat\":", row.iat);
        push_string(text, ",\"jti\":\"", row.jti.as_deref());
        if !row.missing.is_empty() {
            push_array(text, ",\"missing\":[", row.missing.iter());
        }
        if let Some(digest) = row.sha256 {
            text.push_str(",\"sha256\":\"");
            push_hex(text, digest);
            text.push('"');
        }
        push_string(text, ",\"token\":\"", row.token.as_deref());
        if let Some(length) = row.length {
            text.push_str(",\"length\":");
            push_number(text, length);
        }
        text.push_str("}\n");
    }
}

/// Appends a string member; `opening` is everything up to the string.
fn push_string(text: &mut String, opening: &str, value: Option<&str>) {
    if let Some(value) = value {
        text.push_str(opening);
        escape_onto(text, value);
        text.push('"');
    }
}

/// Appends a member that is an array of strings; `opening` is everything up to the first.
fn push_array(text: &mut String, opening: &str, values: impl Iterator<Item = impl AsRef<str>>) {
    text.push_str(opening);
    for (index, value) in values.enumerate() {
        text.push_str(if index == 0 { "\"" } else { ",\"" });
        escape_onto(text, value.as_ref());
        text.push('"');
    }
    text.push(']');
}

/// Appends a member that is a NumericDate; `opening` is everything up to the number.
fn push_date(text: &mut String, opening: &str, date: Option<NumericDate>) {
    if let Some(date) = date {
        text.push_str(opening);
        push_display(text, date);
    }
}

fn push_display(text: &mut String, value: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}

fn push_hex(text: &mut String, bytes: [u8; 8]) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// Appends `value` as the inside of a JSON string.
fn escape_onto(text: &mut String, value: &str) {
    if value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\')
    {
        text.push_str(value);
        return;
    }
    for c in value.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            _ if is_deceptive(c) => push_display(text, format_args!("\\u{:04x}", u32::from(c))),
            _ => text.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::digest;
    use super::*;

    #[test]
    fn escaped_strings_read_back_and_deceive_nobody() {
        let deceptive: String = ('\u{0}'..='\u{2100}').collect();
        for value in ["", "plain", "a\"b\\c", "é😀", &deceptive] {
            let mut text = String::from("\"");
            escape_onto(&mut text, value);
            text.push('"');
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), value);
            assert!(!text.chars().any(is_deceptive), "{text}");
        }
        let mut text = String::new();
        escape_onto(&mut text, "\u{1b}[31m\u{202e}\u{2028}");
        assert_eq!(text, r"\u001b[31m\u202e\u2028");
    }

    #[test]
    fn digests_are_written_in_hexadecimal() {
        let mut text = String::new();
        // FIPS 180-4's "abc".
        push_hex(&mut text, digest(b"abc"));
        assert_eq!(text, "ba7816bf8f01cfea");
    }
}
