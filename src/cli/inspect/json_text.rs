//! JSON as it is written: its pieces, its members, and the place of a fault. The order, the
//! spelling of numbers and strings, and members that occur twice are all kept.
//!
//! Whether a token's JSON is acceptable is the library's decision.

use std::borrow::Cow;
use std::collections::HashMap;

use super::escape::{escaped, push_escaped};

/// How deep jotmill lets objects and arrays be nested; the top object is level 1.
const MAX_DEPTH: usize = 64;

/// A bracket, comma, colon, string, number or name. Strings keep their quotes.
#[derive(Clone, Copy)]
pub(super) struct Piece<'t> {
    pub(super) text: &'t str,
    /// Its offset in bytes.
    at: usize,
    /// How many objects and arrays it is in. A bracket is not in what it opens or closes.
    pub(super) depth: usize,
}

impl Piece<'_> {
    pub(super) fn opens(&self) -> bool {
        matches!(self.text, "{" | "[")
    }

    pub(super) fn closes(&self) -> bool {
        matches!(self.text, "}" | "]")
    }
}

/// The pieces of a text. On text that is not JSON they make no sense, but each is still a piece of
/// the text.
#[derive(Clone)]
pub(super) struct Pieces<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Pieces<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = Piece<'t>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text.get(self.at..)?.trim_ascii_start();
        let at = self.text.len() - rest.len();
        let is_end = |c: char| c.is_ascii_whitespace() || "{}[],:\"".contains(c);
        let len = match rest.chars().next()? {
            '{' | '[' | '}' | ']' | ',' | ':' => 1,
            '"' => string_len(rest),
            _ => rest.find(is_end).unwrap_or(rest.len()),
        };
        self.at = at + len;
        let mut piece = Piece {
            text: rest.get(..len)?,
            at,
            depth: self.depth,
        };
        if piece.opens() {
            self.depth += 1;
        } else if piece.closes() {
            self.depth = self.depth.saturating_sub(1);
            piece.depth = self.depth;
        }
        Some(piece)
    }
}

/// The length of the string that `text` begins with, both quotes included.
fn string_len(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

/// A member of the object at the top.
pub(super) struct Member {
    /// Its name, unescaped.
    pub(super) name: String,
    /// Its value as it is written.
    pub(super) value: String,
    /// Whether the name is written with escapes.
    pub(super) is_escaped: bool,
}

impl Member {
    /// The value, where it is a string.
    pub(super) fn string(&self) -> Option<String> {
        serde_json::from_str(&self.value).ok()
    }
}

/// A text that is JSON.
pub(super) struct JsonText {
    pub(super) text: String,
    /// The members of the object at the top; none where the top is no object.
    pub(super) members: Vec<Member>,
    /// Names that occur more than once at the top, in the order of their second occurrence.
    pub(super) repeated: Vec<String>,
    /// Line and column of what is nested deeper than jotmill reads.
    pub(super) too_deep: Option<(usize, usize)>,
}

/// Why bytes are not JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct JsonFault {
    pub(super) words: Cow<'static, str>,
    /// Line and column, both 1-based and the column in bytes.
    place: Option<(usize, usize)>,
}

impl JsonFault {
    /// There is so much of it that it was not decoded.
    pub(super) const TOO_LONG: Self = Self::new("too long to be shown");

    const fn new(words: &'static str) -> Self {
        Self {
            words: Cow::Borrowed(words),
            place: None,
        }
    }

    /// The line of `bytes` that has the fault, cut to `width` columns around it, and the number of
    /// characters in front of the fault.
    pub(super) fn surroundings(&self, bytes: &[u8], width: usize) -> Option<(String, usize)> {
        let (line, column) = self.place?;
        let line = bytes
            .split(|byte| *byte == b'\n')
            .nth(line.saturating_sub(1))?;
        let (before, after) = line.split_at(column.saturating_sub(1).min(line.len()));
        // Every byte takes a column or more, so that no more than `width` of them are shown.
        let before = before.get(before.len().saturating_sub(width)..)?;
        let before: Vec<char> = escaped(&String::from_utf8_lossy(before)).chars().collect();
        let before = before.get(before.len().saturating_sub(width / 2)..)?;
        let after = escaped(&String::from_utf8_lossy(
            after.get(..width).unwrap_or(after),
        ));
        let after = after.chars().take(width.saturating_sub(before.len()));
        Some((before.iter().copied().chain(after).collect(), before.len()))
    }
}

impl JsonText {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, JsonFault> {
        if bytes.is_empty() {
            return Err(JsonFault::new("there is nothing"));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| JsonFault {
            words: format!("byte {} is not UTF-8", error.valid_up_to() + 1).into(),
            place: Some(place(bytes, error.valid_up_to())),
        })?;
        if text.starts_with('\u{feff}') {
            return Err(JsonFault::new("it begins with a byte order mark"));
        }
        // The value is dropped: only reading all of it finds every fault.
        serde_json::from_str::<serde_json::Value>(text).map_err(|error| {
            let (line, column, message) = (error.line(), error.column(), error.to_string());
            let message = escaped(message.split(" at line ").next().unwrap_or_default());
            JsonFault {
                words: format!("{message}, at line {line} column {column}").into(),
                place: Some((line, column)),
            }
        })?;
        let members = members(text);
        let mut repeated = Vec::new();
        let mut counts = HashMap::new();
        for Member { name, .. } in &members {
            let count: &mut usize = counts.entry(name).or_default();
            *count += 1;
            if *count == 2 {
                repeated.push(name.clone());
            }
        }
        let too_deep = Pieces::new(text).find(|piece| piece.opens() && piece.depth >= MAX_DEPTH);
        Ok(Self {
            too_deep: too_deep.map(|piece| place(bytes, piece.at)),
            text: text.to_owned(),
            members,
            repeated,
        })
    }

    /// What kind of value is at the top.
    pub(super) fn kind(&self) -> &'static str {
        kind(&self.text)
    }

    /// The last member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().rfind(|member| member.name == name)
    }

    /// The text without white space between its pieces, and without characters that deceive.
    pub(super) fn compact(&self) -> String {
        let mut compact = String::with_capacity(self.text.len());
        for piece in Pieces::new(&self.text) {
            push_escaped(&mut compact, piece.text);
        }
        compact
    }
}

/// The line and column of an offset.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = || bytes.iter().take(at);
    let column = before().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (before().filter(|byte| **byte == b'\n').count() + 1, column)
}

/// The kind of a JSON value, with its article.
pub(super) fn kind(value: &str) -> &'static str {
    match value.trim_ascii_start().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// The members of the object that `text` is.
fn members(text: &str) -> Vec<Member> {
    let mut members = Vec::new();
    if kind(text) != "an object" {
        return members;
    }
    // The name, and the offset of the value, as soon as they are found.
    let (mut name, mut value, mut end) = (None, None, 0);
    for piece in Pieces::new(text).skip(1) {
        match (piece.text, piece.depth) {
            (",", 1) | ("}", 0) => {
                if let (Some(raw), Some(start)) = (name.take(), value.take()) {
                    let raw: &str = raw;
                    members.push(Member {
                        name: serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()),
                        value: text.get(start..end).unwrap_or_default().to_owned(),
                        is_escaped: raw.contains('\\'),
                    });
                }
            }
            (":", 1) => {}
            (raw, 1) if name.is_none() => name = Some(raw),
            _ => value = value.or(Some(piece.at)),
        }
        end = piece.at + piece.text.len();
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_with_their_values_as_written() {
        let text = "{ \"a\" : {\"x\":[1, 2]} ,\"\\u0062\":[ ] ,\"c\": 1e3 , \"a\":\"}\" }";
        let text = JsonText::read(text.as_bytes()).ok().unwrap();
        let members: Vec<_> = text
            .members
            .iter()
            .map(|member| (&*member.name, &*member.value))
            .collect();
        assert_eq!(
            members,
            [
                ("a", r#"{"x":[1, 2]}"#),
                ("b", "[ ]"),
                ("c", "1e3"),
                ("a", r#""}""#)
            ]
        );
        assert_eq!(text.repeated, ["a"]);
        assert!(text.members[1].is_escaped);
        assert_eq!(text.member("a").unwrap().string().unwrap(), "}");
    }

    #[test]
    fn faults_have_a_place() {
        let fault = |bytes: &[u8]| JsonText::read(bytes).err().unwrap();
        for (bytes, words, place) in [
            (&b""[..], "there is nothing", None),
            (b"{\n\"\xff\":1}", "byte 4 is not UTF-8", Some((2, 2))),
            (b"\xef\xbb\xbf{}", "it begins with a byte order mark", None),
            (
                b"{\n\"a\":1,}",
                "trailing comma, at line 2 column 7",
                Some((2, 7)),
            ),
            (
                b"{\"a\":1e999}",
                "number out of range, at line 1 column 10",
                Some((1, 10)),
            ),
        ] {
            let found = fault(bytes);
            assert_eq!((&*found.words, found.place), (words, place));
        }
        let deep = format!("{{\"a\":\n{}{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(
            JsonText::read(deep.as_bytes()).ok().unwrap().too_deep,
            Some((2, 64))
        );
    }

    #[test]
    fn the_place_of_a_fault_is_shown() {
        let around = |text: &str| {
            let fault = JsonText::read(text.as_bytes()).err().unwrap();
            fault.surroundings(text.as_bytes(), 60).unwrap()
        };
        assert_eq!(around("{\n\"a\":1,}"), ("\"a\":1,}".to_owned(), 6));
        let long = format!("{{\"a\":\"{}\" x}}", "\u{1f600}".repeat(500));
        let (shown, caret) = around(&long);
        assert_eq!(shown.chars().nth(caret), Some('x'));
    }
}
