//! Shared secrets as people keep them: raw bytes, base64, base64url or hex.

use base64_simd::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// How the bytes of a secret are written down.
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
    /// The encoding of this name, as it stands before the colon of `ENC:PATH`.
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

    /// Decodes a secret, or says what it is instead of one, without showing any of it. A final
    /// line ending belongs to the secret if it is raw, and is dropped otherwise.
    pub(super) fn decode(self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, &'static str> {
        let trimmed = text.trim_ascii_end();
        let decoded = match self {
            Self::Raw => text.to_vec(),
            Self::Base64 => STANDARD_NO_PAD
                .decode_to_vec(unpadded(trimmed))
                .map_err(|_| "not base64; check the alphabet (+ and /) and the length")?,
            Self::Base64url => URL_SAFE_NO_PAD
                .decode_to_vec(unpadded(trimmed))
                .map_err(|_| "not base64url; check the alphabet (- and _) and the length")?,
            Self::Hex => from_hex(trimmed)
                .ok_or("not hexadecimal; it takes an even number of digits 0-9, a-f")?,
        };
        let secret = Zeroizing::new(decoded);
        if secret.is_empty() {
            return Err("empty, and with an empty secret anyone can sign");
        }
        if secret.len() <= MAX_BLOCK && secret.iter().all(|byte| *byte == 0) {
            return Err(
                "nothing but zero bytes: the same key as an empty one (RFC 2104 section 2)",
            );
        }
        Ok(secret)
    }
}

/// The block of SHA-384 and SHA-512 in bytes, the largest that HMAC fills up with zeros.
const MAX_BLOCK: usize = 128;

/// Drops the padding where it completes a group of four.
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
            (Encoding::Base64, "se cret"),
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

    /// RFC 2104 section 2 fills a key up with zeros to the block: an empty one becomes the same.
    #[test]
    fn a_secret_of_zero_bytes_up_to_the_largest_block_is_an_empty_one() {
        for len in [1, 32, 64, 65, 128] {
            let zeros = "\0".repeat(len);
            let problem = decoded(Encoding::Raw, &zeros).unwrap_err();
            assert!(problem.contains("zero bytes"), "{len}: {problem}");
            assert!(decoded(Encoding::Hex, &"00".repeat(len)).is_err(), "{len}");
            assert!(decoded(Encoding::Raw, &format!("{zeros}a")).is_ok());
            assert!(decoded(Encoding::Raw, &format!("a{zeros}")).is_ok());
        }
        // A longer one is hashed first, which makes another key of it.
        assert!(decoded(Encoding::Raw, &"\0".repeat(129)).is_ok());
    }
}
