//! The text around a key: byte order marks, UTF-16, quotes, variables, and base64 without PEM.
//!
//! Owns what can be taken off where there is one reading. What is inside is left to `file.rs`.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use super::der;

const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Drops a byte order mark, which RFC 8259 section 8.1 allows and some editors write.
pub(super) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(UTF_8_MARK).unwrap_or(text)
}

/// What was taken off a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    Utf16,
    /// Quotes, or a variable that is set.
    Quotes,
    Base64,
}

impl Layer {
    /// The command that takes it off, for other programs that do not.
    pub(super) const fn command(self) -> Option<&'static str> {
        match self {
            Self::Utf16 => Some("iconv -f UTF-16 -t UTF-8 FILE > FILE.txt"),
            Self::Base64 => Some("base64 -d FILE > FILE.der"),
            Self::Quotes => None,
        }
    }
}

/// Takes the outermost layer off; `None` where there is none.
pub(super) fn unwrap(file: &[u8]) -> Option<(Layer, Zeroizing<Vec<u8>>)> {
    if let Some(text) = from_utf16(file) {
        return Some((Layer::Utf16, text));
    }
    let text = without_bom(file).trim_ascii();
    if let Some(value) = unquoted(text) {
        return Some((Layer::Quotes, value));
    }
    Some((Layer::Base64, from_base64(text)?))
}

/// UTF-16 as UTF-8: with a byte order mark, or ASCII alone without one.
pub(super) fn from_utf16(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (decode, text): (fn([u8; 2]) -> u16, _) = match text {
        [0xff, 0xfe, text @ ..] => (u16::from_le_bytes, text),
        [0xfe, 0xff, text @ ..] => (u16::from_be_bytes, text),
        [1..=0x7f, 0, ..] if is_ascii(text, 1) => (u16::from_le_bytes, text),
        [0, 1..=0x7f, ..] if is_ascii(text, 0) => (u16::from_be_bytes, text),
        _ => return None,
    };
    let (units, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    // Three bytes at most for a unit, reserved so that no part of a secret stays behind unwiped.
    let mut utf8 = Zeroizing::new(Vec::with_capacity(units.len() * 3));
    for c in char::decode_utf16(units.iter().map(|unit| decode(*unit))) {
        let mut buffer = [0; 4];
        utf8.extend_from_slice(c.ok()?.encode_utf8(&mut buffer).as_bytes());
    }
    Some(utf8)
}

/// Whether each pair of bytes is a zero at this place and a character of ASCII.
fn is_ascii(text: &[u8], zero: usize) -> bool {
    let (units, rest) = text.as_chunks::<2>();
    let is_unit = |unit: &[u8; 2]| unit[zero] == 0 && matches!(unit[1 - zero], 1..=0x7f);
    rest.is_empty() && units.iter().all(is_unit)
}

/// The value of a text in quotes or of `NAME=VALUE`. PEM that is not in JSON needs none of it.
fn unquoted(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let value = value(text).unwrap_or(text);
    let inner = match value {
        // A string of JSON or of a shell.
        [b'"', inner @ .., b'"'] => {
            let string = serde_json::from_slice(value).map(String::into_bytes);
            Zeroizing::new(string.unwrap_or_else(|_| inner.to_vec()))
        }
        [b'\'', inner @ .., b'\''] => Zeroizing::new(inner.to_vec()),
        _ if value.len() < text.len() => Zeroizing::new(value.to_vec()),
        _ => return None,
    };
    let is_json = matches!(inner.trim_ascii_start(), [b'{' | b'[', ..]);
    let is_pem = memchr::memmem::find(&inner, b"-----BEGIN ").is_some();
    (is_json || !is_pem).then_some(inner)
}

/// The value of `NAME=VALUE` or `export NAME=VALUE`, as .env files have it.
fn value(text: &[u8]) -> Option<&[u8]> {
    let text = text.strip_prefix(b"export ").unwrap_or(text);
    let name = text.iter().position(|byte| *byte == b'=')?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let value = text[name + 1..].trim_ascii();
    // Base64 ends in padding.
    let is_padding = value.iter().all(|byte| *byte == b'=');
    let has_name = name > 0 && text[..name].iter().all(is_name) && !text[0].is_ascii_digit();
    (has_name && !is_padding).then_some(value)
}

/// The DER, or the key of OpenSSH, that a text of nothing but base64 holds.
fn from_base64(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let is_inside = |byte: &u8| !byte.is_ascii_whitespace();
    let mut base64 = Zeroizing::new(Vec::with_capacity(text.len()));
    base64.extend(text.iter().copied().filter(is_inside));
    let padding = base64
        .iter()
        .rev()
        .take_while(|byte| **byte == b'=')
        .count();
    let body = &base64[..base64.len() - padding.min(2)];
    let bytes = (STANDARD_NO_PAD.decode_to_vec(body))
        .or_else(|_| URL_SAFE_NO_PAD.decode_to_vec(body))
        .ok()?;
    let bytes = Zeroizing::new(bytes);
    let is_der = bytes.first() == Some(&0x30) && der::first(&bytes).is_some();
    (is_der || bytes.starts_with(b"\0\0\0")).then_some(bytes)
}
