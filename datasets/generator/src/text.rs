//! Writing small pieces of text into a byte buffer: numbers, random identifiers, JSON strings.
//!
//! Owns the spelling of these pieces and nothing of their meaning. Everything appends to a buffer
//! that the caller reuses, so no piece allocates once the buffer has grown.

use super::rng::Rng;

/// The base64url alphabet (RFC 4648 section 5).
pub(super) const BASE64URL: &[u8; 64] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Bytes in base64url, without padding.
pub(super) fn base64url(bytes: &[u8]) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(bytes)
}

/// Appends `n` in decimal.
pub(super) fn push_u64(out: &mut Vec<u8>, n: u64) {
    push_all_but(out, n, 0);
}

/// Appends `n` in decimal without the first `skip` digits.
fn push_all_but(out: &mut Vec<u8>, mut n: u64, skip: usize) {
    let mut digits = [b'0'; 20];
    let mut start = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = digit_of(n);
        n /= 10;
        start = at;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(start + skip..).unwrap_or_default());
}

/// The last digit of a number in ASCII.
fn digit_of(n: u64) -> u8 {
    b'0' + u8::try_from(n % 10).unwrap_or(0)
}

/// Appends `n` in decimal, with a minus sign when negative.
pub(super) fn push_i64(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    push_u64(out, n.unsigned_abs());
}

/// Appends `len` random decimal digits, the first one not 0.
pub(super) fn push_digits(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    const DRAW: usize = 18;
    let mut left = len;
    while left > 0 {
        let take = left.min(DRAW);
        // A one in front keeps the zeros that follow it. 2 * 10^18 fits into 64 bits.
        let scale = (0..take).fold(1, |scale: u64, _| scale.saturating_mul(10));
        let first = if left == len { scale / 10 } else { 0 };
        push_all_but(out, scale + first + rng.below(scale - first), 1);
        left -= take;
    }
}

/// Appends `len` random characters of the base64url alphabet.
pub(super) fn push_random(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    let mut left = len;
    while left > 0 {
        let mut word = [0; 8];
        for (to, byte) in word.iter_mut().zip(rng.next_u64().to_le_bytes()) {
            *to = BASE64URL[usize::from(byte & 63)];
        }
        let take = left.min(word.len());
        out.extend_from_slice(word.get(..take).unwrap_or_default());
        left -= take;
    }
}

/// Appends `len` random lower-case hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, rng: &mut Rng, len: usize) {
    let mut left = len;
    while left > 0 {
        for byte in rng.next_u64().to_le_bytes().into_iter().take(left) {
            out.push(HEX[usize::from(byte & 15)]);
        }
        left = left.saturating_sub(8);
    }
}

/// Appends a random UUID (version 4).
pub(super) fn push_uuid(out: &mut Vec<u8>, rng: &mut Rng) {
    let wide = (u128::from(rng.next_u64()) << 64) | u128::from(rng.next_u64());
    let wide = (wide & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let mut text = [b'-'; 36];
    let mut digits = wide
        .to_be_bytes()
        .into_iter()
        .flat_map(|b| [b >> 4, b & 15]);
    for (at, to) in text.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            *to = digits.next().map_or(b'0', |d| HEX[usize::from(d & 15)]);
        }
    }
    out.extend_from_slice(&text);
}

/// Appends `text` as a JSON string (RFC 8259 section 7), non-ASCII characters as they are.
pub(super) fn push_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    for &byte in text.as_bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => push_escape(out, byte, false),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// Appends the escape `\u00XX` of one ASCII character.
fn push_escape(out: &mut Vec<u8>, byte: u8, upper: bool) {
    out.extend_from_slice(b"\\u00");
    for digit in [byte >> 4, byte & 15] {
        let digit = HEX[usize::from(digit)];
        out.push(if upper {
            digit.to_ascii_uppercase()
        } else {
            digit
        });
    }
}

/// Appends the ASCII `text` with one of its letters written as a `\u` escape.
pub(super) fn push_escaped(out: &mut Vec<u8>, text: &[u8], rng: &mut Rng) {
    let chosen = rng.index(text.len());
    let upper = rng.percent(50);
    for (at, &byte) in text.iter().enumerate() {
        // A byte inside a multi-byte character or an escape sequence has no escape of its own.
        if at == chosen && byte.is_ascii_alphanumeric() {
            push_escape(out, byte, upper);
        } else {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Streams;

    fn text(write: impl FnOnce(&mut Vec<u8>, &mut Rng)) -> String {
        let mut out = Vec::new();
        write(&mut out, &mut Streams::new(7, 7).at(7));
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_standard_library_writes_them() {
        for n in [0, 1, 9, 10, 99, 100, 1_790_000_000, u64::MAX] {
            assert_eq!(text(|out, _| push_u64(out, n)), n.to_string());
        }
        for n in [i64::MIN, -1, 0, i64::MAX] {
            assert_eq!(text(|out, _| push_i64(out, n)), n.to_string());
        }
    }

    #[test]
    fn random_text_has_the_requested_length_and_alphabet() {
        for len in [0, 1, 7, 8, 9, 18, 19, 37, 43] {
            assert_eq!(text(|out, rng| push_random(out, rng, len)).len(), len);
            let hex = text(|out, rng| push_hex(out, rng, len));
            assert!(hex.len() == len && hex.bytes().all(|b| HEX.contains(&b)));
            let digits = text(|out, rng| push_digits(out, rng, len));
            assert!(digits.len() == len && !digits.starts_with('0'));
        }
    }

    #[test]
    fn a_uuid_is_of_version_four() {
        let uuid = text(push_uuid);
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]));
    }

    #[test]
    fn json_strings_read_back() {
        for original in ["", "plain", "quote\" slash\\ nul\0 tab\t", "ключ"] {
            let json = text(|out, _| push_json_string(out, original));
            assert_eq!(serde_json::from_str::<String>(&json).unwrap(), original);
        }
        let json = format!("\"{}\"", text(|out, rng| push_escaped(out, b"exp", rng)));
        assert!(json.contains("\\u00"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), "exp");
    }
}
