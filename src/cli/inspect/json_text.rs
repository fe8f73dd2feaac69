//! JSON as it is written: laid out again for reading, with the order, the spelling of numbers and
//! strings, and members that occur twice all kept.
//!
//! Whether a token's JSON is acceptable is the library's decision. This file only shows text, and
//! finds the place of a fault for the explanation.

use std::collections::HashSet;

use super::escape::{columns, escaped, fold, push_escaped};

/// How deep jotmill lets objects and arrays be nested; the top object is level 1.
const MAX_DEPTH: usize = 64;

/// A piece of JSON text. Strings keep their quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Open(&'t str),
    Close(&'t str),
    Comma,
    Colon,
    /// A string, number or name.
    Scalar(&'t str),
}

/// The pieces of a text with their offsets. On text that is not JSON the pieces make no sense, but
/// each is still a piece of the text.
#[derive(Clone)]
pub(super) struct Pieces<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Pieces<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }
}

impl<'t> Iterator for Pieces<'t> {
    type Item = (usize, Piece<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        let start = self.at;
        let rest = bytes.get(start..)?;
        let len = match rest.first()? {
            b'{' | b'[' | b'}' | b']' | b',' | b':' => 1,
            b'"' => string_len(rest),
            _ => rest
                .iter()
                .position(|b| b.is_ascii_whitespace() || b"{}[],:\"".contains(b))
                .unwrap_or(rest.len()),
        };
        self.at += len;
        let piece = self.text.get(start..self.at)?;
        Some((
            start,
            match piece {
                "{" | "[" => Piece::Open(piece),
                "}" | "]" => Piece::Close(piece),
                "," => Piece::Comma,
                ":" => Piece::Colon,
                _ => Piece::Scalar(piece),
            },
        ))
    }
}

/// The length of the string that `bytes` begin with, both quotes included.
fn string_len(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
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
    /// What kind of value stands at the top.
    pub(super) kind: &'static str,
    /// Names that occur more than once at the top, each told once.
    pub(super) twice: Vec<String>,
    /// Line and column of what is nested deeper than jotmill reads.
    pub(super) too_deep: Option<(usize, usize)>,
}

/// Why bytes are not JSON text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum JsonFault {
    Empty,
    /// The 1-based byte that is not UTF-8.
    NotUtf8(usize),
    ByteOrderMark,
    Syntax {
        line: usize,
        column: usize,
        message: String,
    },
}

impl JsonFault {
    pub(super) fn words(&self) -> String {
        match self {
            Self::Empty => "there is nothing".to_owned(),
            Self::NotUtf8(byte) => format!("byte {byte} is not UTF-8"),
            Self::ByteOrderMark => "it begins with a byte order mark".to_owned(),
            Self::Syntax {
                line,
                column,
                message,
            } => {
                format!("{message}, at line {line} column {column}")
            }
        }
    }
}

impl JsonText {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, JsonFault> {
        if bytes.is_empty() {
            return Err(JsonFault::Empty);
        }
        let text =
            std::str::from_utf8(bytes).map_err(|e| JsonFault::NotUtf8(e.valid_up_to() + 1))?;
        if text.starts_with('\u{feff}') {
            return Err(JsonFault::ByteOrderMark);
        }
        // The value is read to be thrown away: only this much reading finds every fault.
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            JsonFault::Syntax {
                line: error.line(),
                column: error.column(),
                message: escaped(message),
            }
        })?;
        let members = if value.is_object() {
            members(text)
        } else {
            Vec::new()
        };
        let (mut seen, mut told) = (HashSet::new(), HashSet::new());
        let mut twice = Vec::new();
        for name in members.iter().map(|member| member.name.as_str()) {
            if !seen.insert(name) && told.insert(name) {
                twice.push(name.to_owned());
            }
        }
        Ok(Self {
            kind: kind_of(&value),
            members,
            twice,
            too_deep: too_deep(text),
            text: text.to_owned(),
        })
    }

    pub(super) const fn is_object(&self) -> bool {
        matches!(self.kind.as_bytes(), b"an object")
    }

    /// The last member of this name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().rfind(|member| member.name == name)
    }

    /// The text without white space between its pieces, and without characters that deceive.
    pub(super) fn compact(&self) -> String {
        let mut compact = String::with_capacity(self.text.len());
        for (_, piece) in Pieces::new(&self.text) {
            match piece {
                Piece::Open(text) | Piece::Close(text) => compact.push_str(text),
                Piece::Scalar(text) => push_escaped(&mut compact, text),
                Piece::Comma => compact.push(','),
                Piece::Colon => compact.push(':'),
            }
        }
        compact
    }
}

/// The kind of a value, with its article.
pub(super) const fn kind_of(value: &serde_json::Value) -> &'static str {
    match value {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "an array",
        serde_json::Value::Object(_) => "an object",
    }
}

/// The members of the object that `text` is.
fn members(text: &str) -> Vec<Member> {
    let mut members = Vec::new();
    let mut depth = 0_usize;
    let mut name = None;
    let mut value = None;
    let mut finish = |name: &mut Option<&str>, value: &mut Option<usize>, end: usize| {
        if let (Some(raw), Some(start)) = (name.take(), value.take()) {
            members.push(Member {
                name: serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned()),
                value: text
                    .get(start..end)
                    .unwrap_or_default()
                    .trim_end()
                    .to_owned(),
                is_escaped: raw.contains('\\'),
            });
        }
    };
    for (offset, piece) in Pieces::new(text) {
        match piece {
            Piece::Comma | Piece::Close(_) if depth == 1 => finish(&mut name, &mut value, offset),
            Piece::Scalar(raw) if depth == 1 && name.is_none() => name = Some(raw),
            Piece::Colon => {}
            _ if name.is_some() => value = value.or(Some(offset)),
            _ => {}
        }
        match piece {
            Piece::Open(_) => depth += 1,
            Piece::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    members
}

/// Where the nesting first exceeds what jotmill reads.
fn too_deep(text: &str) -> Option<(usize, usize)> {
    let mut depth = 0_usize;
    for (offset, piece) in Pieces::new(text) {
        match piece {
            Piece::Open(_) => depth += 1,
            Piece::Close(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            let before = text.get(..offset).unwrap_or_default();
            let line = before.matches('\n').count() + 1;
            return Some((
                line,
                offset - before.rfind('\n').map_or(0, |end| end + 1) + 1,
            ));
        }
    }
    None
}

/// Lines of a text laid out again, and whether these are all.
pub(super) struct Layout {
    pub(super) lines: Vec<String>,
    pub(super) is_cut: bool,
}

/// Lays a text out with a member or element to a line, in at most `width` columns and `max_lines`
/// lines. Arrays of scalars stay on one line where they fit. A long string is folded, and cut
/// where it would take too many lines; either is marked.
pub(super) fn layout(text: &str, width: usize, max_lines: usize) -> Layout {
    let mut writer = Writer {
        lines: Vec::new(),
        line: String::new(),
        depth: 0,
        width,
        max_lines,
    };
    let mut pieces = Pieces::new(text);
    let mut before = None;
    while let Some((_, piece)) = pieces.next() {
        if writer.lines.len() >= max_lines {
            return Layout {
                lines: writer.lines,
                is_cut: true,
            };
        }
        match piece {
            Piece::Open(bracket) => {
                if let Some((inline, after)) = inline(bracket, &pieces, writer.room()) {
                    writer.line.push_str(&inline);
                    pieces = after;
                    before = Some(Piece::Close("]"));
                    continue;
                }
                writer.line.push_str(bracket);
                writer.end_line();
                writer.depth += 1;
            }
            Piece::Close(bracket) => {
                if !matches!(before, Some(Piece::Open(_))) {
                    writer.end_line();
                }
                writer.depth = writer.depth.saturating_sub(1);
                writer.line.push_str(bracket);
            }
            Piece::Comma => {
                writer.line.push(',');
                writer.end_line();
            }
            Piece::Colon => writer.line.push_str(": "),
            Piece::Scalar(scalar) => push_escaped(&mut writer.line, scalar),
        }
        before = Some(piece);
    }
    writer.end_line();
    let is_cut = writer.lines.len() > max_lines;
    writer.lines.truncate(max_lines);
    Layout {
        lines: writer.lines,
        is_cut,
    }
}

struct Writer {
    lines: Vec<String>,
    line: String,
    depth: usize,
    width: usize,
    max_lines: usize,
}

impl Writer {
    /// Deep nesting is not indented out of the page.
    fn indent(&self) -> usize {
        (self.depth * 2).min(self.width / 2)
    }

    /// The columns that are left on the line.
    fn room(&self) -> usize {
        self.width
            .saturating_sub(self.indent() + columns(&self.line) + 1)
    }

    fn end_line(&mut self) {
        if self.line.is_empty() {
            return;
        }
        let indent = " ".repeat(self.indent());
        let room = self.width.saturating_sub(indent.len());
        for folded in fold(&self.line, room, MAX_FOLDS) {
            if self.lines.len() <= self.max_lines {
                self.lines.push(format!("{indent}{folded}"));
            }
        }
        self.line.clear();
    }
}

/// How many lines one member may take.
const MAX_FOLDS: usize = 8;

/// An empty object or array, or an array of scalars that fits into `room`, on one line; and the
/// pieces after it.
fn inline<'t>(open: &str, inside: &Pieces<'t>, room: usize) -> Option<(String, Pieces<'t>)> {
    let mut pieces = inside.clone();
    let mut line = open.to_owned();
    while let Some((_, piece)) = pieces.next() {
        match piece {
            Piece::Scalar(scalar) if open == "[" && scalar.len() <= room * 6 => {
                push_escaped(&mut line, scalar);
            }
            Piece::Comma => line.push_str(", "),
            Piece::Close(bracket) => {
                line.push_str(bracket);
                return (columns(&line) <= room).then_some((line, pieces));
            }
            _ => return None,
        }
        if columns(&line) > room {
            return None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, width: usize) -> Vec<String> {
        layout(text, width, 100).lines
    }

    #[test]
    fn order_duplicates_and_spelling_are_kept() {
        let text = r#"{"b":1e2 ,"a" : -0.0,"b":"\u0041\/","c":{"d":[1,[]],"e":{}},"f":[1, 2]}"#;
        assert_eq!(
            lines(text, 40),
            [
                "{",
                r#"  "b": 1e2,"#,
                r#"  "a": -0.0,"#,
                r#"  "b": "\u0041\/","#,
                r#"  "c": {"#,
                r#"    "d": ["#,
                "      1,",
                "      []",
                "    ],",
                r#"    "e": {}"#,
                "  },",
                r#"  "f": [1, 2]"#,
                "}"
            ]
        );
    }

    #[test]
    fn a_layout_reads_back_as_the_same_value() {
        for text in [
            "{}",
            "[]",
            "7",
            r#""x""#,
            r#"[{},[],[[]],{"a":[]}]"#,
            r#"{"a":"{[,:\"\\","b":[true,null,"]"]}"#,
            " {\n\t\"a\" : [ 1 , 2 ] }\r\n",
        ] {
            let value: serde_json::Value = serde_json::from_str(text).unwrap();
            let again = lines(text, 200).join("\n");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&again).unwrap(),
                value,
                "{text}"
            );
            let compact = JsonText::read(text.as_bytes()).ok().unwrap().compact();
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&compact).unwrap(),
                value
            );
        }
    }

    #[test]
    fn lines_keep_within_the_width_and_escapes_are_not_broken() {
        let long = format!(
            r#"{{"name":"{}","n":{}1}}"#,
            "\u{202e}é漢".repeat(40),
            "[".repeat(0)
        );
        for width in 30..60 {
            let lines = lines(&long, width);
            assert!(lines.len() > 4);
            for line in &lines {
                assert!(columns(line) <= width, "{width} {line}");
                assert_eq!(
                    line.matches('\\').count(),
                    line.matches("\\u202e").count(),
                    "{line}"
                );
            }
        }
    }

    #[test]
    fn a_long_layout_is_cut() {
        let text = format!("[{}]", "{},".repeat(1000).trim_end_matches(','));
        let cut = layout(&text, 80, 10);
        assert!(cut.is_cut);
        assert_eq!(cut.lines.len(), 10);
        assert!(!layout("{\"a\":1}", 80, 3).is_cut);
    }

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
        assert_eq!(text.twice, ["a"]);
        assert!(text.members[1].is_escaped);
        assert_eq!(text.member("a").unwrap().string().unwrap(), "}");
    }

    #[test]
    fn faults_have_a_place() {
        let fault = |bytes: &[u8]| JsonText::read(bytes).err().unwrap();
        assert_eq!(fault(b""), JsonFault::Empty);
        assert_eq!(fault(b"{\"\xff\":1}"), JsonFault::NotUtf8(3));
        assert_eq!(fault(b"\xef\xbb\xbf{}"), JsonFault::ByteOrderMark);
        assert_eq!(
            fault(b"{\n\"a\":1,}").words(),
            "trailing comma, at line 2 column 7"
        );
        assert!(
            fault(b"{\"a\":1e999}")
                .words()
                .starts_with("number out of range")
        );
        let deep = format!("{{\"a\":\n{}{}}}", "[".repeat(64), "]".repeat(64));
        assert_eq!(
            JsonText::read(deep.as_bytes()).ok().unwrap().too_deep,
            Some((2, 64))
        );
    }
}
