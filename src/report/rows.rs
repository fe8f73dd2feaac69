//! Rows: what is told of each token, as a line of JSON.
//!
//! Workers render rows, but a block does not know at which line of the input it begins. So a row
//! is rendered without its beginning, which the ordered end puts in front as it writes.

use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::display::{cut, is_deceptive};
use crate::key::KeySet;
use crate::policy::Policy;
use crate::token::{Claims, Member};
use crate::validator::Judged;
use crate::verdict::{Reason, Verdict};

/// Which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Rows of valid tokens.
    Valid,
    /// Rows of rejected tokens.
    Rejected,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowOptions {
    /// Which rows; all without.
    pub only: Option<Only>,
    /// Adds the whole token to its row. Whoever reads the row can then use the token.
    pub show_tokens: bool,
    /// Adds the name of the input to each row.
    pub with_file: bool,
}

impl RowOptions {
    pub(crate) const fn wants(&self, verdict: &Verdict) -> bool {
        match self.only {
            None => true,
            Some(Only::Valid) => verdict.is_valid(),
            Some(Only::Rejected) => !verdict.is_valid(),
        }
    }
}

/// The rows of a block, each without its beginning.
#[derive(Default)]
pub(crate) struct Rows {
    text: String,
    /// For each row its line, counted from the start of the block, and where its text ends.
    ends: Vec<(u64, usize)>,
}

/// What a row says beside the verdict.
pub(crate) enum Subject<'t> {
    /// A token.
    Token(&'t [u8]),
    /// A line that was too long to be one, of so many bytes.
    TooLong(u64),
}

impl Rows {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Renders a row for the `line`-th line of the block.
    pub(crate) fn push(
        &mut self,
        line: u64,
        offset: u64,
        subject: &Subject<'_>,
        judged: &Judged<'_>,
        (policy, keys, options): (&Policy, &KeySet, &RowOptions),
    ) {
        let text = &mut self.text;
        let verdict = &judged.verdict;
        text.push_str(",\"offset\":");
        push_number(text, offset);
        if verdict.is_valid() {
            text.push_str(",\"verdict\":\"valid\"");
        } else {
            text.push_str(",\"verdict\":\"rejected\",\"reasons\":[");
            for (index, reason) in verdict.reasons.iter().enumerate() {
                text.push_str(if index == 0 { "\"" } else { ",\"" });
                text.push_str(reason.code());
                text.push('"');
            }
            text.push(']');
        }
        push_member(text, "alg", judged.alg);
        push_member(text, "kid", judged.kid);
        if let Some(key) = verdict.key.and_then(|key| keys.get(key)) {
            // It is cut before it is made unique, and not once more.
            text.push_str(",\"key\":\"");
            escape_onto(text, key.name());
            text.push('"');
        }
        if let Some(claims) = judged.claims {
            push_claims(text, claims);
            if verdict.reasons.contains(Reason::MissingClaim) {
                push_missing(text, policy, claims.extra);
            }
        }
        match subject {
            Subject::Token(token) => {
                text.push_str(",\"sha256\":\"");
                push_hex(text, &digest(token));
                text.push('"');
                if options.show_tokens {
                    text.push_str(",\"token\":\"");
                    escape_onto(text, &String::from_utf8_lossy(token));
                    text.push('"');
                }
            }
            Subject::TooLong(length) => {
                text.push_str(",\"length\":");
                push_number(text, *length);
            }
        }
        text.push_str("}\n");
        self.ends.push((line, text.len()));
    }

    /// Writes the rows, with the beginning that they lack. `file` is given where rows name it.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        file: Option<&str>,
        line_base: u64,
    ) -> io::Result<()> {
        let mut beginning = String::with_capacity(64 + file.map_or(0, str::len));
        beginning.push('{');
        if let Some(file) = file {
            beginning.push_str("\"file\":\"");
            escape_onto(&mut beginning, file);
            beginning.push_str("\",");
        }
        beginning.push_str("\"line\":");
        let fixed = beginning.len();
        let mut start = 0;
        for (line, end) in &self.ends {
            beginning.truncate(fixed);
            push_number(&mut beginning, line_base + line);
            out.write_all(beginning.as_bytes())?;
            out.write_all(&self.text.as_bytes()[start..*end])?;
            start = *end;
        }
        Ok(())
    }
}

/// The first bytes of a token's SHA-256, by which it can be found again without being shown.
pub(crate) fn digest(token: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(token).into();
    std::array::from_fn(|index| digest[index])
}

fn push_claims(text: &mut String, claims: &Claims<'_>) {
    push_member(text, "iss", claims.iss.value());
    push_member(text, "sub", claims.sub.value());
    for (name, date) in [
        ("exp", claims.exp),
        ("nbf", claims.nbf),
        ("iat", claims.iat),
    ] {
        if let Member::Is(date) = date {
            text.push_str(",\"");
            text.push_str(name);
            text.push_str("\":");
            push_display(text, date);
        }
    }
    push_member(text, "jti", claims.jti.value());
}

/// Names the required claims that are absent or null.
fn push_missing(text: &mut String, policy: &Policy, present: u64) {
    text.push_str(",\"missing\":[");
    let missing = policy
        .extra_names()
        .iter()
        .enumerate()
        .filter(|(i, _)| present >> i & 1 == 0);
    for (count, (_, name)) in missing.enumerate() {
        text.push_str(if count == 0 { "\"" } else { ",\"" });
        escape_onto(text, &cut(name));
        text.push('"');
    }
    text.push(']');
}

fn push_member(text: &mut String, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        text.push_str(",\"");
        text.push_str(name);
        text.push_str("\":\"");
        escape_onto(text, &cut(value));
        text.push('"');
    }
}

fn push_display(text: &mut String, value: impl std::fmt::Display) {
    use std::fmt::Write as _;
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}

fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)]);
        text.push(DIGITS[usize::from(byte & 15)]);
    }
}

/// The hexadecimal digits of a sample's digest.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    push_hex(&mut text, bytes);
    text
}

/// Appends `value` as the inside of a JSON string.
pub(crate) fn escape_onto(text: &mut String, value: &str) {
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
    fn numbers_and_digests_are_written_in_full() {
        let mut text = String::new();
        for number in [0, 7, 10, u64::MAX] {
            push_number(&mut text, number);
            text.push(' ');
        }
        assert_eq!(text, "0 7 10 18446744073709551615 ");
        // FIPS 180-4's "abc".
        assert_eq!(hex(&digest(b"abc")), "ba7816bf8f01cfea");
    }
}
