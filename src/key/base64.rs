//! Base64 in the members of a JWK: base64url without padding (RFC 7515 section 2), and the standard
//! alphabet with padding in `x5c` (RFC 7517 section 4.7).
//!
//! Key files are the auditor's own, so that text with exactly one reading is read: the other
//! alphabet, padding, and white space. Whether it is canonical is told with the bytes. Tokens are
//! never read this way.

use base64_simd::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

/// How a member is written where it is canonical.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alphabet {
    /// `-` and `_`, without padding.
    UrlSafe,
    /// `+` and `/`, with padding.
    Standard,
}

/// The bytes of a text, and whether the text is canonical.
pub(super) struct Decoded {
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) is_canonical: bool,
}

/// Decodes a text. `is_public` if a message may quote a character of it.
///
/// # Errors
/// What is wrong, and at which byte of the text.
pub(super) fn decode(text: &str, alphabet: Alphabet, is_public: bool) -> Result<Decoded, String> {
    let mut unified = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut padding = 0;
    let mut is_canonical = true;
    for (at, c) in text.char_indices() {
        let wrong = || match c {
            ' '..='~' if is_public => format!("{c:?} at byte {at} is not base64url"),
            _ => format!("the character at byte {at} is not base64url"),
        };
        let other = match c {
            '\t'..='\r' | ' ' => {
                is_canonical = false;
                continue;
            }
            '=' => {
                padding += 1;
                continue;
            }
            _ if padding > 0 => return Err(wrong()),
            '0'..='9' | 'a'..='z' | 'A'..='Z' => None,
            '-' | '_' => Some(Alphabet::UrlSafe),
            '+' | '/' => Some(Alphabet::Standard),
            _ => return Err(wrong()),
        };
        is_canonical &= other.is_none_or(|other| other == alphabet);
        unified.push(match c {
            '+' => b'-',
            '/' => b'_',
            // ASCII, as matched above.
            _ => c as u8,
        });
    }
    let full = (4 - unified.len() % 4) % 4;
    if full == 3 {
        return Err("one character of base64url is missing, or one too many is there".to_owned());
    }
    if padding != 0 && padding != full {
        return Err("its padding (=) does not complete a group of four".to_owned());
    }
    is_canonical &= padding
        == match alphabet {
            Alphabet::UrlSafe => 0,
            Alphabet::Standard => full,
        };
    let bytes = (URL_SAFE_NO_PAD.decode_to_vec(&*unified))
        .map_err(|_| "its last character has bits that belong to no byte".to_owned())?;
    Ok(Decoded {
        bytes: Zeroizing::new(bytes),
        is_canonical,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, alphabet: Alphabet) -> Result<(Vec<u8>, bool), String> {
        let decoded = decode(text, alphabet, true)?;
        Ok((decoded.bytes.to_vec(), decoded.is_canonical))
    }

    #[test]
    fn text_of_one_reading_is_read_and_known_to_be_canonical_or_not() {
        for (text, is_url_safe, is_standard) in [
            ("-_8", true, false),
            ("+/8=", false, true),
            ("-_8=", false, false),
            ("+/8", false, false),
            ("+_8", false, false),
            (" -_8", false, false),
            ("-_8\n", false, false),
            ("+/\r\n8=", false, false),
        ] {
            let bytes = vec![0xfb, 0xff];
            let expected = Ok((bytes.clone(), is_url_safe));
            assert_eq!(read(text, Alphabet::UrlSafe), expected, "{text:?}");
            let expected = Ok((bytes, is_standard));
            assert_eq!(read(text, Alphabet::Standard), expected, "{text:?}");
        }
        assert_eq!(read("", Alphabet::UrlSafe), Ok((Vec::new(), true)));
    }

    #[test]
    fn other_characters_are_named_with_their_place() {
        for (text, why) in [
            ("AQ*B", "'*' at byte 2"),
            ("A\u{e9}QB", "the character at byte 1"),
            ("AQ\0B", "the character at byte 2"),
            ("AQ==AQ", "'A' at byte 4"),
            ("AQ=", "padding"),
            ("AQAB=", "padding"),
            ("AQ===", "padding"),
            ("AQABA", "missing"),
            ("AR", "bits"),
        ] {
            let problem = read(text, Alphabet::UrlSafe).unwrap_err();
            assert!(problem.contains(why), "{text}: {problem}");
        }
        let problem = decode("AQ*B", Alphabet::UrlSafe, false).err().unwrap();
        assert_eq!(problem, "the character at byte 2 is not base64url");
    }
}
