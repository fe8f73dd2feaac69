//! Finds the tokens in a block of an input.
//!
//! An extractor gives the tokens of a block, each with its place and the instant to validate it at. The
//! stages after it know tokens, and neither lines nor formats. [`LineTokens`] takes one token per line
//! and needs no memory; [`TextSearch`] fills [`Finds`] with the tokens of any text.

mod finder;
mod finds;
mod instant;
mod lines;
mod pasted;
mod text;

pub(crate) use finds::{FindCounts, Finds};
pub use instant::{LogTime, LogZone, TimeForm, TimeReader, UnknownTimeForm, UnknownZone};
pub(crate) use lines::{LineTokens, MAX_LINES};
pub use pasted::{FoundToken, find_tokens};
pub(crate) use text::TextSearch;

use crate::time::UnixTime;
use crate::token::Token;
use crate::verdict::{FindingSet, Reason};

/// How much of a block an extractor has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// How many bytes.
    pub(crate) bytes: usize,
    /// How many lines end in them; the last line of an input may lack its LF.
    pub(crate) lines: u32,
}

/// A token, or bytes in its place that are none, and where they were found.
#[derive(Clone, Copy)]
pub(crate) struct Found<'b> {
    /// The line number within the block, from 1; for tokens in memory, their number, from 1.
    pub(crate) line: u32,
    /// The byte offset of its first byte in the input.
    pub(crate) offset: u64,
    /// The instant to validate it at: that of its record, or else that of the run.
    pub(crate) at: UnixTime,
    /// Whether `at` is that of its record.
    pub(crate) is_timed: bool,
    /// The length in bytes of what is written at its place; `None` for the length of the token.
    pub(crate) length: Option<u64>,
    /// What its surroundings show.
    pub(crate) findings: FindingSet,
    pub(crate) content: Content<'b>,
}

impl<'b> Found<'b> {
    /// A token, or bytes in its place, that is written as it is and judged at the instant of the run.
    #[inline(always)]
    pub(crate) const fn plain(line: u32, offset: u64, now: UnixTime, content: Content<'b>) -> Self {
        Self {
            line,
            offset,
            at: now,
            is_timed: false,
            length: None,
            findings: FindingSet::EMPTY,
            content,
        }
    }
}

impl Found<'_> {
    /// The same; where padding is accepted, with its padding taken off.
    #[inline]
    pub(crate) fn padded(mut self, is_accepted: bool) -> Self {
        if is_accepted && let Content::Token(token) = self.content {
            self.content = Content::Token(token.accepting_padding());
        }
        self
    }
}

/// What was found. Its bytes outlive the batch: they are those of the block, or of a buffer that the
/// extractor was given.
#[derive(Clone, Copy)]
pub(crate) enum Content<'b> {
    /// Three segments.
    Token(Token<'b>),
    /// Bytes that are not a token, and the reason.
    Malformed(&'b [u8], Reason),
    /// The length of a line that is too long; its bytes may have been skipped.
    TooLong(u64),
}

impl<'b> Content<'b> {
    /// Classifies these bytes, given the number of dots in them (five means five or more) and the
    /// positions of the first two.
    #[inline]
    pub(crate) fn of(bytes: &'b [u8], (count, first_two): (usize, [usize; 2])) -> Self {
        match Token::from_dots(bytes, count, first_two) {
            Ok(token) => Self::Token(token),
            Err(reason) => Self::Malformed(bytes, reason),
        }
    }

    /// The bytes, unless they were skipped.
    #[inline]
    pub(crate) fn bytes(&self) -> Option<&'b [u8]> {
        match self {
            Self::Token(token) => Some(token.bytes()),
            Self::Malformed(bytes, _) => Some(bytes),
            Self::TooLong(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
