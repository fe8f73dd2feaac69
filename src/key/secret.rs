//! The encodings of shared secrets: raw bytes, base64, base64url or hex.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// How the bytes of a secret are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// Exactly the bytes.
    #[default]
    Raw,
    /// Base64 (RFC 4648 section 4), with or without padding.
    Base64,
    /// base64url (RFC 4648 section 5), with or without padding.
    Base64url,
    /// Hexadecimal digits of either case.
    Hex,
}

impl Encoding {
    /// The encoding with this name, as in front of the colon of `ENC:PATH`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "raw" => Some(Self::Raw),
            "base64" => Some(Self::Base64),
            "base64url" => Some(Self::Base64url),
            "hex" => Some(Self::Hex),
            _ => None,
        }
    }

    /// The name, as in front of the colon of `ENC:PATH`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Base64 => "base64",
            Self::Base64url => "base64url",
            Self::Hex => "hex",
        }
    }

    /// Decodes a secret. White space belongs to the secret if it is raw, and is skipped otherwise:
    /// tools break lines of base64.
    ///
    /// # Errors
    /// What is wrong with the text, without quoting any of it.
    pub(super) fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let mut inner = Zeroizing::new(Vec::with_capacity(text.len()));
        inner.extend(text.iter().filter(|byte| !byte.is_ascii_whitespace()));
        let decoded = match self {
            Self::Raw => text.to_vec(),
            Self::Base64 => STANDARD_NO_PAD
                .decode_to_vec(unpadded(&inner))
                .map_err(|_| "not base64; check the alphabet (+ and /) and the length")?,
            Self::Base64url => URL_SAFE_NO_PAD
                .decode_to_vec(unpadded(&inner))
                .map_err(|_| "not base64url; check the alphabet (- and _) and the length")?,
            Self::Hex => from_hex(&inner)
                .ok_or("not hexadecimal; it takes an even number of digits 0-9, a-f")?,
        };
        let secret = Zeroizing::new(decoded);
        if secret.is_empty() {
            return Err("empty, and with an empty secret anyone can sign");
        }
        Ok(secret)
    }
}

/// Drops padding, where it completes a group of four characters.
fn unpadded(text: &[u8]) -> &[u8] {
    match text {
        [body @ .., b'=', b'='] if text.len().is_multiple_of(4) => body,
        [body @ .., b'='] if text.len().is_multiple_of(4) => body,
        _ => text,
    }
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    text.chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(encoding: Encoding, text: &str) -> Result<Vec<u8>, String> {
        let secret = encoding.decode(text.as_bytes());
        secret.map(|secret| secret.to_vec()).map_err(str::to_owned)
    }

    #[test]
    fn encodings_decode_with_and_without_padding_and_line_end() {
        for (encoding, text) in [
            (Encoding::Raw, "\u{1}ÿ"),
            (Encoding::Base64, "AcO/"),
            (Encoding::Base64, "AcO/\n"),
            (Encoding::Base64url, "AcO_"),
            (Encoding::Hex, "01c3BF\r\n"),
            // Of `base64`, `openssl rand -base64` and `xxd -p`, which break lines.
            (Encoding::Base64, " Ac\nO/\n"),
            (Encoding::Base64url, "A\tc\r\nO_"),
            (Encoding::Hex, "01 c3\nbf"),
        ] {
            assert_eq!(
                decoded(encoding, text).unwrap(),
                "\u{1}ÿ".as_bytes(),
                "{text:?}"
            );
        }
        for text in ["QQ", "QQ==", "QQ==\n"] {
            assert_eq!(decoded(Encoding::Base64, text).unwrap(), b"A", "{text:?}");
        }
        assert_eq!(
            decoded(Encoding::Raw, "a\n").unwrap(),
            b"a\n",
            "raw is exact"
        );
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_without_showing_it() {
        for (encoding, text) in [
            (Encoding::Base64, "se.cret"),
            (Encoding::Base64, "c2VjcmV0_"),
            (Encoding::Base64url, "c2VjcmV0+"),
            (Encoding::Base64, "QQ="),
            (Encoding::Base64, "Q==="),
            (Encoding::Hex, "abc"),
            (Encoding::Hex, "zz"),
            (Encoding::Raw, ""),
            (Encoding::Hex, "\n"),
        ] {
            let problem = decoded(encoding, text).unwrap_err();
            let trimmed = text.trim();
            assert!(
                trimmed.is_empty() || !problem.contains(trimmed),
                "{problem}"
            );
        }
    }

    /// A secret of zero bytes is weak, which `health.rs` reports, but it is a secret.
    #[test]
    fn a_secret_of_zero_bytes_is_decoded_in_every_encoding() {
        for (encoding, text, len) in [
            (Encoding::Raw, "\0", 1),
            (Encoding::Raw, &"\0".repeat(64), 64),
            (Encoding::Hex, &"00".repeat(32), 32),
            (Encoding::Base64, "AAAA", 3),
            (Encoding::Base64url, "AA==", 1),
        ] {
            let secret = decoded(encoding, text).unwrap();
            assert_eq!(secret, vec![0; len], "{encoding:?} {text:?}");
        }
    }
}
