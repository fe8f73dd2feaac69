//! What the scanner finds in a payload, borrowed from its bytes.

use crate::time::NumericDate;
use crate::token::json::Member;

/// The `aud` claim (RFC 7519 section 4.1.3): one string, or an array of strings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Audience<'s> {
    /// A single string.
    One(&'s str),
    /// The text between the brackets of an array that holds only strings without escapes: so
    /// every `"` in it begins or ends one.
    Plain(&'s [u8]),
}

impl<'s> Audience<'s> {
    /// Whether one of the audiences is exactly `wanted`: no folding, no substrings.
    #[must_use]
    pub(crate) fn contains(&self, wanted: &str) -> bool {
        match self {
            Self::One(only) => *only == wanted,
            Self::Plain(inside) => PlainStrings(inside).any(|one| one == wanted.as_bytes()),
        }
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

/// The registered claims of one payload, borrowed from its decoded bytes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found<'s> {
    /// RFC 7519 section 4.1.1.
    pub(crate) iss: Member<&'s str>,
    /// RFC 7519 section 4.1.2.
    pub(crate) sub: Member<&'s str>,
    /// RFC 7519 section 4.1.3.
    pub(crate) aud: Member<Audience<'s>>,
    /// RFC 7519 section 4.1.4.
    pub(crate) exp: Member<NumericDate>,
    /// RFC 7519 section 4.1.5.
    pub(crate) nbf: Member<NumericDate>,
    /// RFC 7519 section 4.1.6.
    pub(crate) iat: Member<NumericDate>,
    /// RFC 7519 section 4.1.7.
    pub(crate) jti: Member<&'s str>,
    /// Bit i: the i-th of the extra names that the policy requires is present and not null.
    pub(crate) extra: u64,
}

impl Found<'_> {
    /// No claim at all, as in the payload `{}`.
    pub(crate) const NONE: Self = Self {
        iss: Member::Absent,
        sub: Member::Absent,
        aud: Member::Absent,
        exp: Member::Absent,
        nbf: Member::Absent,
        iat: Member::Absent,
        jti: Member::Absent,
        extra: 0,
    };
}
