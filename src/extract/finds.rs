//! The tokens that were found in a block, where they are not one a line.
//!
//! An extractor fills these, and the stages then read them as [`Found`]. Tokens that were escaped lie in
//! a buffer of their own, so that the others can be borrowed from the block. Both are reused.

use std::ops::Range;

use super::finder::RecentHeaders;
use super::{Content, Found};
use crate::input::Block;
use crate::time::UnixTime;
use crate::token::Token;
use crate::verdict::{Finding, FindingSet};

/// What an extractor has found in a block.
#[derive(Default)]
pub(crate) struct Finds {
    finds: Vec<Find>,
    /// Tokens that were escaped, as they are without.
    pub(super) unescaped: Vec<u8>,
    /// Headers of earlier blocks.
    pub(super) recent: RecentHeaders,
    pub(crate) counts: FindCounts,
}

/// What was found besides tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FindCounts {
    /// Tokens that were cut short: they are not judged.
    pub(crate) cut: u64,
    /// Bearer credentials that are no JWTs.
    pub(crate) other_credentials: u64,
    /// Tokens whose time had no zone, so that one was assumed, and whose time had no year.
    pub(crate) assumed_zone: u64,
    pub(crate) assumed_year: u64,
    /// Where times are not wanted: whether there is one in the line of the first token. `None` without
    /// a token.
    pub(crate) has_time: Option<bool>,
}

/// A token in a block.
pub(super) struct Find {
    /// The line within the block, from 1.
    pub(super) line: u32,
    /// Where it is written, in bytes of the block.
    pub(super) written: Range<usize>,
    /// When it was used, if its record says so.
    pub(super) at: Option<UnixTime>,
    pub(super) spelled: Spelled,
    pub(super) is_sd_jwt: bool,
}

/// How a token is written.
pub(super) enum Spelled {
    /// As it is.
    Plain,
    /// Escaped; without escapes it is this range of `unescaped`.
    Escaped(Range<usize>),
    /// It is longer than a token may be.
    TooLong,
}

impl Finds {
    pub(super) fn clear(&mut self) {
        self.finds.clear();
        self.unescaped.clear();
        self.counts = FindCounts::default();
    }

    pub(super) fn push(&mut self, find: Find) {
        self.finds.push(find);
    }

    pub(super) fn len(&self) -> usize {
        self.finds.len()
    }

    /// Those from the `first` on, and the counts.
    pub(super) fn since(&mut self, first: usize) -> (&mut [Find], &mut FindCounts) {
        (&mut self.finds[first..], &mut self.counts)
    }

    /// The tokens of `block`; those without a time of their own are judged at `now`.
    pub(crate) fn found<'b>(
        &'b self,
        block: &'b Block<'_>,
        now: UnixTime,
    ) -> impl Iterator<Item = Found<'b>> {
        self.finds.iter().map(move |find| {
            let written = &block.bytes()[find.written.clone()];
            let bytes = match &find.spelled {
                Spelled::Plain | Spelled::TooLong => written,
                Spelled::Escaped(range) => &self.unescaped[range.clone()],
            };
            let offset = block.offset_of(find.written.start);
            let length = block.length_of(find.written.clone());
            let mut findings = FindingSet::EMPTY;
            if find.is_sd_jwt {
                findings.insert(Finding::SdJwt);
            }
            Found {
                line: find.line,
                offset,
                at: find.at.unwrap_or(now),
                is_timed: find.at.is_some(),
                length: Some(length),
                findings,
                content: match find.spelled {
                    Spelled::TooLong => Content::TooLong(length),
                    Spelled::Plain | Spelled::Escaped(_) => match Token::split(bytes) {
                        Ok(token) => Content::Token(token),
                        Err(reason) => Content::Malformed(bytes, reason),
                    },
                },
            }
        })
    }
}
