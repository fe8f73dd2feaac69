//! A piece of text that knows where the token in it is, and how texts are escaped inside others.
//!
//! Owns the mapping of the token's place through every layer of escapes, so that the ground truth
//! has the place in the file. What the texts are is left to the formats.

use std::ops::Range;

/// How a text is written inside another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is.
    None,
    /// In a JSON string (RFC 8259 section 7).
    Json,
    /// The same, with `/` as `\/`, as some libraries write it.
    JsonSlash,
    /// The same as [`Escape::Json`], with each dot of the token as `\u002e`.
    JsonDots,
    /// In a URL (RFC 3986 section 2.1), every dot as `%2E`.
    Percent,
    /// Quotes, backslashes and control characters as `\xXX`, as web servers write them.
    Hex,
    /// A space as `%20`, as in logs that are separated by white space.
    Space,
    /// In a quoted field of CSV (RFC 4180 section 2): a quote is doubled.
    Csv,
}

/// Text, and the range of the token in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) text: Vec<u8>,
    /// Of the token as it is written, or of what is left of one that was cut short.
    pub(super) token: Option<Range<usize>>,
}

impl Piece {
    /// Text without a token.
    pub(super) fn plain(text: impl AsRef<[u8]>) -> Piece {
        Piece {
            text: text.as_ref().to_vec(),
            token: None,
        }
    }

    /// Appends text as it is.
    pub(super) fn add(&mut self, text: impl AsRef<[u8]>) -> &mut Piece {
        self.text.extend_from_slice(text.as_ref());
        self
    }

    /// Appends a token as it is, and notes its place.
    pub(super) fn add_token(&mut self, token: &[u8]) -> &mut Piece {
        let start = self.text.len();
        self.text.extend_from_slice(token);
        self.token = Some(start..self.text.len());
        self
    }

    /// Appends another piece, escaped, and takes over its token.
    pub(super) fn push(&mut self, piece: &Piece, escape: Escape) -> &mut Piece {
        let token = piece.token.clone().unwrap_or(0..0);
        let (before, rest) = piece.text.split_at(token.start);
        let (inside, after) = rest.split_at(token.len());
        self.escape(before, escape, false);
        let start = self.text.len();
        self.escape(inside, escape, true);
        if piece.token.is_some() {
            self.token = Some(start..self.text.len());
        }
        self.escape(after, escape, false);
        self
    }

    /// What is left without the first `count` bytes, none of which is of the token.
    pub(super) fn since(&self, count: usize) -> Piece {
        let token = self.token.clone();
        Piece {
            text: self.text.get(count..).unwrap_or_default().to_vec(),
            token: token.map(|token| token.start - count..token.end - count),
        }
    }

    fn escape(&mut self, bytes: &[u8], escape: Escape, in_token: bool) {
        for &byte in bytes {
            match (escape, byte) {
                (Escape::Percent, b'-' | b'_' | b'~') => self.text.push(byte),
                (Escape::Percent, _) if !byte.is_ascii_alphanumeric() => {
                    self.add(format!("%{byte:02X}"));
                }
                (Escape::Hex, b'"' | b'\\' | 0..0x20) => {
                    self.add(format!("\\x{byte:02X}"));
                }
                (Escape::Space, b' ') => {
                    self.add("%20");
                }
                (Escape::Csv, b'"') => {
                    self.add("\"\"");
                }
                (Escape::JsonSlash, b'/') => {
                    self.add("\\/");
                }
                (Escape::JsonDots, b'.') if in_token => {
                    self.add("\\u002e");
                }
                (Escape::Json | Escape::JsonSlash | Escape::JsonDots, _) => match byte {
                    b'"' | b'\\' => self.text.extend_from_slice(&[b'\\', byte]),
                    b'\n' => self.text.extend_from_slice(b"\\n"),
                    0..0x20 => {
                        self.add(format!("\\u{byte:04x}"));
                    }
                    _ => self.text.push(byte),
                },
                _ => self.text.push(byte),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_token_is_kept_through_layers_of_escapes() {
        let mut inner = Piece::plain("\"a/\\\u{1}\n");
        inner.add_token(b"h.p_s").add(".\"");
        for (escape, text, token) in [
            (Escape::None, "\"a/\\\u{1}\nh.p_s.\"", "h.p_s"),
            (Escape::Json, r#"\"a/\\\u0001\nh.p_s.\""#, "h.p_s"),
            (Escape::JsonSlash, r#"\"a\/\\\u0001\nh.p_s.\""#, "h.p_s"),
            (
                Escape::JsonDots,
                r#"\"a/\\\u0001\nh\u002ep_s.\""#,
                r"h\u002ep_s",
            ),
            (Escape::Percent, "%22a%2F%5C%01%0Ah%2Ep_s%2E%22", "h%2Ep_s"),
            (Escape::Hex, r"\x22a/\x5C\x01\x0Ah.p_s.\x22", "h.p_s"),
            (Escape::Space, "\"a/\\\u{1}\nh.p_s.\"", "h.p_s"),
            (Escape::Csv, "\"\"a/\\\u{1}\nh.p_s.\"\"", "h.p_s"),
        ] {
            let mut outer = Piece::plain("<");
            outer.push(&inner, escape).add(">");
            assert_eq!(outer.text, format!("<{text}>").as_bytes(), "{escape:?}");
            let range = outer.token.expect("a token");
            assert_eq!(&outer.text[range], token.as_bytes(), "{escape:?}");
        }
        let mut none = Piece::default();
        assert_eq!(none.push(&Piece::plain("a.b"), Escape::None).token, None);
    }
}
