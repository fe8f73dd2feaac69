//! A segment of a token, decoded for display as far as it goes.
//!
//! The library accepts canonical base64url only. Here the place of the fault is found, and what
//! can be read around it is read, to be shown and for nothing else.

use base64_simd::URL_SAFE_NO_PAD;

use super::json_text::{JsonFault, JsonText};

/// Encoded segments beyond this length are not decoded for display.
const MAX_SHOWN: usize = 8 << 20;

/// A segment as it is listed.
pub(super) struct Segment {
    pub(super) name: &'static str,
    pub(super) characters: usize,
    /// Why it is not canonical base64url; `None` where it is.
    pub(super) misspelling: Option<String>,
}

impl Segment {
    pub(super) fn new(name: &'static str, encoded: &[u8]) -> Self {
        let (characters, misspelling) = (encoded.len(), misspelling(encoded));
        Self {
            name,
            characters,
            misspelling,
        }
    }

    /// How many bytes it decodes to; `None` where it is not base64url.
    pub(super) fn bytes(&self) -> Option<usize> {
        let len = self.characters;
        (self.misspelling.is_none()).then_some(len / 4 * 3 + len % 4 * 3 / 4)
    }
}

/// A header or payload: a segment that should be JSON.
pub(super) struct Content {
    /// Why it is not canonical base64url; `None` where it is.
    pub(super) misspelling: Option<String>,
    /// Its bytes, as far as they can be decoded; empty where it is too long to be shown.
    pub(super) bytes: Vec<u8>,
    pub(super) json: Result<JsonText, JsonFault>,
}

impl Content {
    pub(super) fn new(encoded: &[u8]) -> Self {
        let (bytes, json);
        if encoded.len() > MAX_SHOWN {
            (bytes, json) = (vec![], Err(JsonFault::TOO_LONG));
        } else {
            bytes = decode_leniently(encoded);
            json = JsonText::read(&bytes);
        }
        let misspelling = misspelling(encoded);
        Self {
            misspelling,
            bytes,
            json,
        }
    }

    pub(super) fn text(&self) -> Option<&JsonText> {
        self.json.as_ref().ok()
    }

    /// What keeps it from being read: its base64url, its JSON, its depth.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        problems.extend(
            self.misspelling
                .as_ref()
                .map(|fault| format!("base64url: {fault}")),
        );
        match &self.json {
            Ok(text) if text.too_deep.is_none() => {}
            Ok(_) => problems.push("nested deeper than 64 levels".to_owned()),
            Err(fault) if *fault == JsonFault::TOO_LONG => problems.push(fault.words.to_string()),
            Err(fault) => problems.push(format!("JSON: {}", fault.words)),
        }
        problems
    }
}

/// Why a text is not canonical base64url, and where.
fn misspelling(encoded: &[u8]) -> Option<String> {
    if URL_SAFE_NO_PAD.check(encoded).is_ok() {
        return None;
    }
    let is_foreign = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-_".contains(byte);
    if let Some(index) = encoded.iter().position(is_foreign) {
        // A character of UTF-8 has at most four bytes.
        let around = encoded.get(index..).unwrap_or_default();
        let around = String::from_utf8_lossy(around.get(..4).unwrap_or(around));
        let what = match around.chars().next()? {
            '=' => "\"=\": base64url in a token has no padding",
            '+' => "\"+\" of base64, where base64url has \"-\"",
            '/' => "\"/\" of base64, where base64url has \"_\"",
            ' ' | '\t' | '\r' | '\n' => "white space; was the token wrapped when it was copied?",
            c @ '!'..='~' => &format!("\"{c}\", which is not in the alphabet"),
            c => &format!("U+{:04X}, which is not ASCII text", u32::from(c)),
        };
        return Some(format!("character {} is {what}", index + 1));
    }
    let len = encoded.len();
    if len % 4 == 1 {
        return Some(format!(
            "{len} characters encode no whole number of bytes; is it cut short?"
        ));
    }
    let canonical = URL_SAFE_NO_PAD.encode_to_string(decode_leniently(encoded));
    Some(format!(
        "the last character is \"{}\", whose unused bits are not zero; the one canonical spelling \
         ends in \"{}\"",
        char::from(*encoded.last()?),
        canonical.chars().last()?
    ))
}

/// Decodes what can be decoded: other spellings are understood, and the rest from a foreign
/// character on is left out.
fn decode_leniently(encoded: &[u8]) -> Vec<u8> {
    let of_base64 = |byte: &u8| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => *other,
    };
    let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/ \t\r\n".contains(byte);
    let mut text: Vec<u8> = encoded.iter().map(of_base64).take_while(is_known).collect();
    text.retain(|byte| !byte.is_ascii_whitespace());
    if text.len() % 4 == 1 {
        text.pop();
    }
    base64_simd::forgiving_decode_to_vec(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn faults_of_spelling_have_a_place() {
        for text in ["", "QUFB"] {
            assert_eq!(misspelling(text.as_bytes()), None);
        }
        for (text, expected) in [
            (
                &b"QQ=="[..],
                "character 3 is \"=\": base64url in a token has no padding",
            ),
            (
                b"Q+Q/",
                "character 2 is \"+\" of base64, where base64url has \"-\"",
            ),
            (
                "QQ\u{202e}".as_bytes(),
                "character 3 is U+202E, which is not ASCII text",
            ),
            (b"QQ\xff", "character 3 is U+FFFD, which is not ASCII text"),
            (
                b"QUFBQ",
                "5 characters encode no whole number of bytes; is it cut short?",
            ),
            (
                b"QR",
                "the last character is \"R\", whose unused bits are not zero; the one canonical \
                 spelling ends in \"Q\"",
            ),
        ] {
            assert_eq!(misspelling(text).as_deref(), Some(expected));
        }
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
}
