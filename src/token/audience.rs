//! The `aud` claim (RFC 7519 section 4.1.3): a string, or an array of strings.

use super::json::{Member, Value};

/// An audience. The only question it answers is whether it is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Audience<'s> {
    /// A single string.
    One(&'s str),
    /// The text between the brackets of an array of strings without escapes, so that every `"` in
    /// it begins or ends a string.
    Plain(&'s [u8]),
    /// The answer, if the strings were not kept.
    Known(bool),
}

impl<'s> Audience<'s> {
    /// Reads a value of the tape. The tape is not kept, so an array is compared with the expected
    /// audiences at once.
    pub(crate) fn read(value: Value<'_, 's>, expected: &[String]) -> Member<Self> {
        let is_expected = |name: &str| expected.iter().any(|wanted| wanted == name);
        match (value.string(), value.strings()) {
            (Member::Is(one), _) => Member::Is(Self::One(one)),
            (_, Member::Is(mut many)) => Member::Is(Self::Known(many.any(is_expected))),
            _ => Member::WrongType,
        }
    }

    /// Whether one of the audiences equals one of these: no case folding, no substrings.
    #[must_use]
    pub(crate) fn is_expected(&self, expected: &[String]) -> bool {
        expected.iter().any(|wanted| match self {
            Self::One(only) => *only == wanted,
            Self::Plain(inside) => PlainStrings(inside).any(|one| one == wanted.as_bytes()),
            Self::Known(answer) => *answer,
        })
    }
}

/// The strings of an [`Audience::Plain`].
struct PlainStrings<'s>(&'s [u8]);

impl<'s> Iterator for PlainStrings<'s> {
    type Item = &'s [u8];

    fn next(&mut self) -> Option<&'s [u8]> {
        let open = self.0.iter().position(|&b| b == b'"')?;
        let from = self.0.get(open + 1..)?;
        let close = from.iter().position(|&b| b == b'"')?;
        let (string, rest) = (from.get(..close)?, from.get(close + 1..)?);
        self.0 = rest;
        Some(string)
    }
}
