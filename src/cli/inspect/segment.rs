//! A segment of a token, decoded for display as far as it goes.
//!
//! The library takes canonical base64url only, and that decision stands. Here the place of the
//! fault is found, and what can be read around it is read, to be shown and for nothing else.

use base64_simd::URL_SAFE_NO_PAD;

use super::escape::escaped;
use super::json_text::{JsonFault, JsonText};

/// Encoded segments beyond this length are not decoded for display.
const MAX_SHOWN: usize = 8 << 20;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Why a text is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// The 1-based character that is not in the alphabet.
    Foreign { position: usize, character: char },
    /// The length is one more than a multiple of four.
    Length(usize),
    /// The last character carries bits that belong to no byte.
    TrailingBits { found: char, canonical: char },
    /// For some other reason.
    Other,
}

impl Spelling {
    fn find(encoded: &[u8]) -> Option<Self> {
        if URL_SAFE_NO_PAD.check(encoded).is_ok() {
            return None;
        }
        if let Some(index) = encoded.iter().position(|byte| !ALPHABET.contains(byte)) {
            let around = encoded.get(index..).unwrap_or_default();
            let around = String::from_utf8_lossy(around.get(..4).unwrap_or(around)).into_owned();
            let character = around.chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
            return Some(Self::Foreign {
                position: index + 1,
                character,
            });
        }
        if encoded.len() % 4 == 1 {
            return Some(Self::Length(encoded.len()));
        }
        let last = *encoded.last()?;
        let canonical = zero_trailing_bits(last, encoded.len());
        if canonical == last {
            return Some(Self::Other);
        }
        Some(Self::TrailingBits {
            found: last.into(),
            canonical: canonical.into(),
        })
    }

    pub(super) fn words(self) -> String {
        match self {
            Self::Foreign {
                position,
                character,
            } => {
                let what = match character {
                    '=' => "\"=\": base64url in a token has no padding".to_owned(),
                    '+' => "\"+\" of base64, where base64url has \"-\"".to_owned(),
                    '/' => "\"/\" of base64, where base64url has \"_\"".to_owned(),
                    ' ' | '\t' | '\r' | '\n' => {
                        "white space; was the token wrapped when it was copied?".to_owned()
                    }
                    '!'..='~' => format!("\"{character}\", which is not in the alphabet"),
                    _ => format!("U+{:04X}, which is not ASCII text", u32::from(character)),
                };
                format!("character {position} is {what}")
            }
            Self::Length(length) => {
                format!("{length} characters encode no whole number of bytes; is it cut short?")
            }
            Self::TrailingBits { found, canonical } => format!(
                "the last character is \"{found}\", whose unused bits are not zero; the one \
                 canonical spelling ends in \"{canonical}\""
            ),
            Self::Other => "it is not the canonical spelling".to_owned(),
        }
    }
}

/// The last character of `len` as the canonical spelling has it.
fn zero_trailing_bits(last: u8, len: usize) -> u8 {
    let mask = match len % 4 {
        2 => 0b11_0000,
        3 => 0b11_1100,
        _ => 0b11_1111,
    };
    let value = ALPHABET.iter().position(|byte| *byte == last);
    value
        .and_then(|value| ALPHABET.get(value & mask))
        .copied()
        .unwrap_or(last)
}

/// Decodes what can be decoded: other spellings are understood, and the rest from a foreign
/// character on is left out.
fn decode_leniently(encoded: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(encoded.len());
    for byte in encoded {
        match byte {
            b'+' => text.push(b'-'),
            b'/' => text.push(b'_'),
            b' ' | b'\t' | b'\r' | b'\n' => {}
            _ if ALPHABET.contains(byte) => text.push(*byte),
            _ => break,
        }
    }
    if text.len() % 4 == 1 {
        text.pop();
    }
    let len = text.len();
    if let Some(last) = text.last_mut() {
        *last = zero_trailing_bits(*last, len);
    }
    URL_SAFE_NO_PAD.decode_to_vec(&text).unwrap_or_default()
}

/// A segment, and what is in it.
pub(super) struct Segment<'t> {
    pub(super) encoded: &'t [u8],
    /// What is wrong with its base64url, if anything.
    pub(super) spelling: Option<Spelling>,
    /// Its bytes, as far as they can be decoded; `None` where it is too long to be shown.
    pub(super) bytes: Option<Vec<u8>>,
}

impl<'t> Segment<'t> {
    pub(super) fn new(encoded: &'t [u8]) -> Self {
        let spelling = Spelling::find(encoded);
        let bytes = (encoded.len() <= MAX_SHOWN).then(|| match spelling {
            None => URL_SAFE_NO_PAD.decode_to_vec(encoded).unwrap_or_default(),
            Some(_) => decode_leniently(encoded),
        });
        Self {
            encoded,
            spelling,
            bytes,
        }
    }

    /// How many bytes it decodes to; `None` where it is not base64url.
    pub(super) const fn decoded_len(&self) -> Option<usize> {
        let len = self.encoded.len();
        if self.spelling.is_some() {
            None
        } else {
            Some(len / 4 * 3 + len % 4 * 3 / 4)
        }
    }
}

/// A segment that should be JSON.
pub(super) struct JsonSegment<'t> {
    pub(super) segment: Segment<'t>,
    /// Its text; `None` where it is too long to be shown.
    pub(super) json: Option<Result<JsonText, JsonFault>>,
}

impl<'t> JsonSegment<'t> {
    pub(super) fn new(encoded: &'t [u8]) -> Self {
        let segment = Segment::new(encoded);
        let json = segment.bytes.as_deref().map(JsonText::read);
        Self { segment, json }
    }

    pub(super) fn text(&self) -> Option<&JsonText> {
        self.json.as_ref()?.as_ref().ok()
    }

    pub(super) fn fault(&self) -> Option<&JsonFault> {
        self.json.as_ref()?.as_ref().err()
    }

    /// The line in which the fault stands, around the fault, and the column of the fault in it.
    pub(super) fn around_fault(&self, width: usize) -> Option<(String, usize)> {
        let bytes = self.segment.bytes.as_deref()?;
        let (line, column) = match self.fault()? {
            JsonFault::Syntax { line, column, .. } => (*line, *column),
            JsonFault::NotUtf8(byte) => {
                let before = bytes.get(..byte - 1)?;
                let start = before
                    .iter()
                    .rposition(|b| *b == b'\n')
                    .map_or(0, |end| end + 1);
                (
                    before.iter().filter(|b| **b == b'\n').count() + 1,
                    byte - start,
                )
            }
            JsonFault::Empty | JsonFault::ByteOrderMark => return None,
        };
        let line = bytes
            .split(|byte| *byte == b'\n')
            .nth(line.saturating_sub(1))?;
        let at = column.saturating_sub(1).min(line.len());
        // Every byte takes at most six columns as an escape, and most take one.
        let before = escaped(&String::from_utf8_lossy(
            line.get(at.saturating_sub(width)..at)?,
        ));
        let after = line.get(at..)?;
        let after = after.get(..width).unwrap_or(after);
        let after = escaped(&String::from_utf8_lossy(after));
        let skipped = before.chars().count().saturating_sub(width / 2);
        let mut shown: String = before.chars().skip(skipped).collect();
        let caret = shown.chars().count();
        shown.extend(after.chars().take(width.saturating_sub(caret)));
        Some((shown, caret))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn spelling(text: &str) -> Option<Spelling> {
        Spelling::find(text.as_bytes())
    }

    #[test]
    fn faults_of_spelling_have_a_place() {
        assert_eq!(spelling(""), None);
        assert_eq!(spelling("QUFB"), None);
        let foreign = |position, character| {
            Some(Spelling::Foreign {
                position,
                character,
            })
        };
        assert_eq!(spelling("QQ=="), foreign(3, '='));
        assert_eq!(spelling("Q+Q/"), foreign(2, '+'));
        assert_eq!(spelling("QQ\u{202e}"), foreign(3, '\u{202e}'));
        assert_eq!(spelling("QUFBQ"), Some(Spelling::Length(5)));
        assert_eq!(
            spelling("QR"),
            Some(Spelling::TrailingBits {
                found: 'R',
                canonical: 'Q'
            })
        );
        let found = Spelling::find(b"QQ\xff");
        assert_eq!(found, foreign(3, char::REPLACEMENT_CHARACTER));
    }

    #[test]
    fn what_can_be_read_is_read() {
        let json = br#"{"alg":"HS256","x":"??>>"}"#;
        for text in [
            base64::engine::general_purpose::STANDARD.encode(json),
            base64::engine::general_purpose::URL_SAFE.encode(json),
            base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json),
        ] {
            assert_eq!(decode_leniently(text.as_bytes()), json);
            let wrapped = format!("{}\n {}", &text[..10], &text[10..]);
            assert_eq!(decode_leniently(wrapped.as_bytes()), json);
        }
        assert_eq!(decode_leniently(b"QUFB*QUFB"), b"AAA");
        assert_eq!(decode_leniently(b"QR"), b"A");
        assert_eq!(decode_leniently(b"Q"), b"");
    }

    #[test]
    fn the_place_of_a_fault_is_shown() {
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode("{\n\"a\":1,}");
        let (shown, caret) = JsonSegment::new(encoded.as_bytes())
            .around_fault(60)
            .unwrap();
        assert_eq!((shown.as_str(), caret), ("\"a\":1,}", 6));
        let long = format!("{{\"a\":\"{}\" x}}", "\u{1f600}".repeat(500));
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(long);
        let (shown, caret) = JsonSegment::new(encoded.as_bytes())
            .around_fault(60)
            .unwrap();
        assert_eq!(shown.chars().nth(caret), Some('x'));
    }
}
