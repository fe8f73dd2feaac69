//! Where tokens are in a block of an input.
//!
//! An extractor is an iterator over the tokens of a block, each with its place and the instant to
//! validate it at. The stages behind it know tokens and nothing of lines or
//! formats. [`LineTokens`] takes one token a line.

mod lines;

pub(crate) use lines::{LineTokens, MAX_LINES};

use crate::time::UnixTime;
use crate::token::Token;
use crate::verdict::Reason;

/// A token, or what is in its place, and where it was found.
#[derive(Clone, Copy)]
pub(crate) struct Found<'b> {
    /// Its line, from 1 at the start of the block; of tokens in memory its number, from 1.
    pub(crate) line: u32,
    /// The byte offset of its first byte in the input.
    pub(crate) offset: u64,
    /// The instant to validate it at: that of its record, or that of the run.
    pub(crate) at: UnixTime,
    pub(crate) content: Content<'b>,
}

/// What was found. Its bytes are those of the block, or of the extractor where a token had to be
/// unescaped.
#[derive(Clone, Copy)]
pub(crate) enum Content<'b> {
    /// Three segments.
    Token(Token<'b>),
    /// Bytes that are no token, and the reason.
    Malformed(&'b [u8], Reason),
    /// More bytes than a token may have; they may not have been kept.
    TooLong(u64),
}

impl<'b> Content<'b> {
    /// The content of these bytes. `dots` is how many dots are in them, five standing for more, and
    /// where the first two are.
    #[inline]
    pub(crate) fn of(bytes: &'b [u8], (count, first_two): (usize, [usize; 2])) -> Self {
        match Token::from_dots(bytes, count, first_two) {
            Ok(token) => Self::Token(token),
            Err(reason) => Self::Malformed(bytes, reason),
        }
    }

    /// The bytes, where they were kept.
    #[inline]
    pub(crate) fn bytes(&self) -> Option<&'b [u8]> {
        match self {
            Self::Token(token) => Some(token.bytes()),
            Self::Malformed(bytes, _) => Some(bytes),
            Self::TooLong(_) => None,
        }
    }
}
