//! base64url without padding (RFC 7515 section 2), canonical only.
//!
//! Two spellings of one value would make two tokens of one signature, so everything but the one
//! canonical spelling is refused: `=`, `+`, `/`, white space, trailing bits that are not zero, and
//! lengths of 1 modulo 4.

mod arch;

use base64_simd::{Out, URL_SAFE_NO_PAD};

use crate::platform::Platform;

/// The text is not canonical base64url.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotCanonical;

/// The number of bytes that `len` characters decode to, or more where `len` is impossible.
pub(crate) const fn decoded_len(len: usize) -> usize {
    len / 4 * 3 + len % 4 * 3 / 4
}

/// Decodes `text` to the front of `out`, which must hold [`decoded_len`] bytes, and gives the
/// number of bytes written. What `out` has beyond them may be overwritten, and is best 64 bytes
/// more.
#[inline]
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Result<usize, NotCanonical> {
    match arch::decode(Platform::detect(), text, out) {
        true => Ok(decoded_len(text.len())),
        false => Err(NotCanonical),
    }
}

/// The same on every processor: whether `text` is canonical, and what it decodes to. A call, so that
/// [`decode`] is small enough to be inlined.
#[inline(never)]
fn decode_by_crate(text: &[u8], out: &mut [u8]) -> bool {
    URL_SAFE_NO_PAD.decode(text, Out::from_slice(out)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD as OTHER;

    /// By every path, with and without room to spare.
    fn decoded(text: &[u8]) -> Option<Vec<u8>> {
        let len = decoded_len(text.len());
        let mut answers = Platform::each().into_iter().flat_map(|platform| {
            [0, 1, 8, 63, 64, 200].map(|spare| {
                let mut out = vec![0; len + spare];
                arch::decode(platform, text, &mut out).then(|| out[..len].to_vec())
            })
        });
        let first = answers.next()?;
        assert!(answers.all(|answer| answer == first));
        first
    }

    #[test]
    fn every_length_decodes_like_another_implementation() {
        let bytes: Vec<u8> = (0..=255)
            .cycle()
            .take(600)
            .map(|byte: u8| byte ^ 0xa5)
            .collect();
        for len in 0..bytes.len() {
            let text = OTHER.encode(&bytes[..len]);
            assert_eq!(
                decoded(text.as_bytes()).as_deref(),
                Some(&bytes[..len]),
                "{len}"
            );
        }
    }

    #[test]
    fn only_the_canonical_spelling_is_accepted() {
        for text in [
            "QQ=", "QQ==", "Q", "QUFBQ", "QR", "QUF", "+_8A", "/_8A", "QU A", "QUFB\n",
        ] {
            // By itself, and behind what the vectors decode.
            for before in [0, 32, 64, 68] {
                let text = "A".repeat(before) + text;
                let expected = OTHER.decode(&text).ok();
                assert_eq!(decoded(text.as_bytes()), expected, "{text}");
                assert_eq!(expected, None, "{text}");
            }
        }
    }

    #[test]
    fn every_byte_is_judged_alike_at_every_position() {
        // 198 to 200 characters cross every vector width, and every length of what is behind them.
        for len in [24, 25, 26, 148, 149, 150] {
            let good = OTHER.encode(vec![0x5a; len]);
            for position in 0..good.len() {
                for byte in 0..=u8::MAX {
                    let mut text = good.clone().into_bytes();
                    text[position] = byte;
                    assert_eq!(
                        decoded(&text),
                        OTHER.decode(&text).ok(),
                        "{len} {position} {byte}"
                    );
                }
            }
        }
    }
}
