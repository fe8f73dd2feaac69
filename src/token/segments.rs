//! The three segments of a token and the two dots between them (RFC 7515 section 7.1).

use crate::signature::SigningInput;
use crate::verdict::Reason;

/// A token in compact serialization: its bytes and the positions of its dots. Nothing is decoded
/// yet.
#[derive(Clone, Copy)]
pub struct Token<'b> {
    bytes: &'b [u8],
    first_dot: usize,
    second_dot: usize,
}

impl<'b> Token<'b> {
    /// Splits `bytes` into three segments, each of which may be empty.
    ///
    /// # Errors
    /// [`Reason::Encrypted`] for exactly four dots, [`Reason::SegmentCount`] for any other number
    /// but two. The search ends at the fifth dot.
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
        match count {
            2 => Ok(Self {
                bytes,
                first_dot,
                second_dot,
            }),
            4 => Err(Reason::Encrypted),
            _ => Err(Reason::SegmentCount),
        }
    }

    /// The whole token.
    #[must_use]
    pub fn bytes(&self) -> &'b [u8] {
        self.bytes
    }

    /// The encoded header.
    #[must_use]
    pub fn header(&self) -> &'b [u8] {
        &self.bytes[..self.first_dot]
    }

    /// The encoded payload before verification, for [`UnverifiedIssuer`] alone.
    ///
    /// [`UnverifiedIssuer`]: super::UnverifiedIssuer
    pub(super) fn unverified_payload(&self) -> &'b [u8] {
        &self.bytes[self.first_dot + 1..self.second_dot]
    }

    /// The encoded signature.
    #[must_use]
    pub fn signature(&self) -> &'b [u8] {
        &self.bytes[self.second_dot + 1..]
    }

    /// What the signature covers: the encoded header, a dot, the encoded payload
    /// (RFC 7515 section 5.1). The payload itself is accessible only in an authentic token.
    #[must_use]
    pub fn signing_input(&self) -> SigningInput<'b> {
        SigningInput::new(&self.bytes[..self.second_dot], self.first_dot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_dots_decides() {
        for (line, expected) in [
            ("", Err(Reason::SegmentCount)),
            ("a", Err(Reason::SegmentCount)),
            ("a.b", Err(Reason::SegmentCount)),
            ("a.b.c.d", Err(Reason::SegmentCount)),
            ("a.b.c.d.e", Err(Reason::Encrypted)),
            ("....", Err(Reason::Encrypted)),
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
}
