//! The three segments of a token and the two dots between them (RFC 7515 section 7.1).

use super::json::JsonScratch;
use crate::signature::SigningInput;
use crate::verdict::Reason;

/// A token in compact serialization: its bytes and the positions of its dots. Nothing is decoded
/// yet.
#[derive(Clone, Copy)]
pub struct Token<'b> {
    bytes: &'b [u8],
    /// Positions below 4 GiB: a longer token is beyond every limit.
    first_dot: u32,
    second_dot: u32,
    /// The padding characters at the end of each segment that are no part of its base64url.
    padding: [u8; 3],
}

impl<'b> Token<'b> {
    /// Splits `bytes` into three segments, each of which may be empty.
    ///
    /// # Errors
    /// [`Reason::SegmentCount`] for any number of dots but two; [`Reason::Encrypted`] for four where
    /// the first segment is the header of a JWE: an object with `enc`. The search ends at the fifth
    /// dot.
    pub fn split(bytes: &'b [u8]) -> Result<Self, Reason> {
        let mut dots = memchr::memchr_iter(b'.', bytes);
        let first_two = [dots.next(), dots.next()].map(Option::unwrap_or_default);
        let count = memchr::memchr_iter(b'.', bytes).take(5).count();
        Self::from_dots(bytes, count, first_two)
    }

    /// [`Token::split`] where the dots are known: how many are in `bytes` (five means five or
    /// more), and the positions of the first two.
    #[inline]
    pub(crate) fn from_dots(
        bytes: &'b [u8],
        count: usize,
        [first_dot, second_dot]: [usize; 2],
    ) -> Result<Self, Reason> {
        match (count, u32::try_from(first_dot), u32::try_from(second_dot)) {
            (2, Ok(first_dot), Ok(second_dot)) => Ok(Self {
                bytes,
                first_dot,
                second_dot,
                padding: [0; 3],
            }),
            (4, ..) if is_jwe_header(&bytes[..first_dot]) => Err(Reason::Encrypted),
            _ => Err(Reason::SegmentCount),
        }
    }

    /// The same token, with padding where each segment is padded exactly, to a multiple of four
    /// characters. Any other token is left as it is, and its `=` are not canonical base64url.
    pub(crate) fn accepting_padding(mut self) -> Self {
        let payload = self.unverified_payload();
        let counts = [self.header(), payload, self.signature()].map(exact_padding);
        if let [Some(header), Some(payload), Some(signature)] = counts {
            self.padding = [header, payload, signature];
        }
        self
    }

    /// The whole token.
    #[must_use]
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The bytes before a dot, without the padding in front of it.
    fn before(&self, dot: u32, padding: u8) -> &'b [u8] {
        &self.bytes[..dot as usize - usize::from(padding)]
    }

    /// The encoded header.
    #[must_use]
    pub fn header(&self) -> &'b [u8] {
        self.before(self.first_dot, self.padding[0])
    }

    /// The encoded payload before verification, for [`UnverifiedIssuer`] alone.
    ///
    /// [`UnverifiedIssuer`]: super::UnverifiedIssuer
    pub(super) fn unverified_payload(&self) -> &'b [u8] {
        &self.before(self.second_dot, self.padding[1])[self.first_dot as usize + 1..]
    }

    /// The encoded signature.
    #[must_use]
    pub fn signature(&self) -> &'b [u8] {
        &self.bytes[self.second_dot as usize + 1..self.bytes.len() - usize::from(self.padding[2])]
    }

    /// What the signature covers: the encoded header, a dot, the encoded payload
    /// (RFC 7515 section 5.1), as they stand. The payload itself is accessible only in an authentic token.
    #[must_use]
    pub fn signing_input(&self) -> SigningInput<'b> {
        SigningInput::new(
            self.before(self.second_dot, 0),
            self.first_dot,
            self.padding[1],
        )
    }
}

/// Whether a segment is the header of a JWE (RFC 7516 section 4.1.2).
#[cold]
fn is_jwe_header(encoded: &[u8]) -> bool {
    let mut scratch = JsonScratch::new();
    let object = scratch.read(encoded);
    object.is_ok_and(|object| object.members().any(|(name, _)| name == "enc"))
}

/// The number of `=` at the end of a segment whose length is a multiple of four; `None` for any
/// other length, and for more `=` than base64 has.
fn exact_padding(segment: &[u8]) -> Option<u8> {
    match segment {
        _ if !segment.len().is_multiple_of(4) => None,
        [.., b'=', b'=', b'='] => None,
        [.., b'=', b'='] => Some(2),
        [.., b'='] => Some(1),
        _ => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn the_number_of_dots_decides() {
        for (line, expected) in [
            ("", Err(Reason::SegmentCount)),
            ("a", Err(Reason::SegmentCount)),
            ("a.b", Err(Reason::SegmentCount)),
            ("a.b.c.d", Err(Reason::SegmentCount)),
            ("a.b.c.d.e", Err(Reason::SegmentCount)),
            ("....", Err(Reason::SegmentCount)),
            (".....", Err(Reason::SegmentCount)),
            ("..", Ok(("", "", ""))),
            ("a.b.c", Ok(("a", "a.b", "c"))),
        ] {
            let parts = Token::split(line.as_bytes()).map(|token| {
                let text = |bytes| std::str::from_utf8(bytes).unwrap();
                (
                    text(token.header()),
                    text(token.signing_input().bytes()),
                    text(token.signature()),
                )
            });
            let expected = match expected {
                Ok((header, _, signature)) if line == ".." => Ok((header, ".", signature)),
                other => other,
            };
            assert_eq!(parts, expected, "{line}");
        }
    }
    #[test]
    fn five_segments_are_encrypted_where_the_first_is_the_header_of_a_jwe() {
        for (header, expected) in [
            (r#"{"alg":"dir","enc":"A128GCM"}"#, Reason::Encrypted),
            (r#"{"enc":null}"#, Reason::Encrypted),
            (r#" {"\u0065nc":1}"#, Reason::Encrypted),
            (r#"{"alg":"ES256","typ":"dc+sd-jwt"}"#, Reason::SegmentCount),
            (r#"{"x":{"enc":"A128GCM"}}"#, Reason::SegmentCount),
            (r#"{"ENC":"A128GCM"}"#, Reason::SegmentCount),
            (r#"["enc"]"#, Reason::SegmentCount),
            (r#"{"enc":"#, Reason::SegmentCount),
            (r#"{"enc":1,"enc":1}"#, Reason::SegmentCount),
            ("", Reason::SegmentCount),
        ] {
            let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
            for rest in ["b.c.d.e", "..."] {
                let token = format!("{header}.{rest}");
                let dots = token.matches('.').count();
                let expected = if dots == 4 {
                    expected
                } else {
                    Reason::SegmentCount
                };
                let reason = Token::split(token.as_bytes()).err();
                assert_eq!(reason, Some(expected), "{token}");
            }
        }
        for token in ["eyJlbmMiOjF9=.b.c.d.e", "4.3.2.1.0", "....", "a.b.c.d.e.f"] {
            let reason = Token::split(token.as_bytes()).err();
            assert_eq!(reason, Some(Reason::SegmentCount), "{token}");
        }
    }

    #[test]
    fn padding_is_taken_off_where_each_segment_is_padded_exactly() {
        for (text, expected) in [
            ("YQ==.YWI=.YWJj", ["YQ", "YWI", "YWJj"]),
            ("YWJj.YWJj.YQ==", ["YWJj", "YWJj", "YQ"]),
            ("YQ.YWI.YWJj", ["YQ", "YWI", "YWJj"]),
            ("..", ["", "", ""]),
            ("YQ==.YWI=.YWI", ["YQ==", "YWI=", "YWI"]),
            ("YQ=.YWI=.YWJj", ["YQ=", "YWI=", "YWJj"]),
            ("YQ==.YWI=.YWJj====", ["YQ==", "YWI=", "YWJj===="]),
            ("Y===.YWI=.YWJj", ["Y===", "YWI=", "YWJj"]),
            ("Y=Q=.YWI=.YWJj", ["Y=Q", "YWI", "YWJj"]),
        ] {
            let token = Token::split(text.as_bytes()).unwrap().accepting_padding();
            let parts = [
                token.header(),
                token.unverified_payload(),
                token.signature(),
            ];
            assert_eq!(
                parts.map(|part| std::str::from_utf8(part).unwrap()),
                expected
            );
            // What is signed, and what names the token, is the text as it stands.
            let (signed, _) = text.rsplit_once('.').unwrap();
            assert_eq!(token.signing_input().bytes(), signed.as_bytes());
            assert_eq!(token.bytes(), text.as_bytes());
        }
    }
}
