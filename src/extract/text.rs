//! Every token in arbitrary bytes: log lines, headers, URLs, whatever is written around it.
//!
//! Where tokens are is left to [`finder`](super::finder), and what a time looks like to
//! [`instant`](super::instant). This file owns what a block of a text is to them: its lines, the pieces
//! of lines that are too long, and the time of a line, which all of its tokens share.

use super::finder::{FindKind, Finder, Spelled as Written};
use super::finds::{Find, Finds, Spelled};
use super::instant::{LogTime, TimeReader};
use super::{MAX_LINES, Taken};
use crate::input::{Block, piece_end};

/// How text is searched.
#[derive(Clone, Copy)]
pub(crate) struct TextSearch<'s> {
    /// The most bytes of a token.
    pub(crate) token_limit: usize,
    /// Whether tokens in one more layer of base64 are found as well.
    pub(crate) decodes_base64: bool,
    /// What reads the times of lines.
    pub(crate) times: &'s TimeReader,
    /// Whether tokens are judged at the time of their use.
    pub(crate) is_timed: bool,
}

/// The bytes of unescaped tokens after which a block is left for later.
const MAX_UNESCAPED: usize = 4 << 20;

/// How much longer than a token a line may be before it is searched piece by piece.
const AROUND_TOKEN: usize = 64 << 10;

impl TextSearch<'_> {
    /// The length in bytes from which on a line is searched piece by piece.
    pub(crate) const fn piece_bytes(token_limit: usize) -> usize {
        token_limit.saturating_add(AROUND_TOKEN)
    }

    /// Finds the tokens of a block, and stops before its end, between lines or pieces, where there are
    /// very many.
    pub(crate) fn find(&self, block: &Block<'_>, finds: &mut Finds) -> Taken {
        finds.clear();
        let text = block.bytes();
        let limit = Self::piece_bytes(self.token_limit);
        let (mut lines, mut begin) = (0, 0);
        while begin < text.len() {
            let rest = &text[begin..];
            // As many whole lines as are shorter than a piece, or else one piece.
            let end = begin + short_lines(rest, limit).unwrap_or_else(|| piece_end(rest, limit));
            let taken = self.find_in(&text[..end], begin, lines, finds);
            lines += taken.lines;
            begin = taken.bytes;
            if begin < end || is_full(finds) {
                break;
            }
        }
        let is_whole = begin == text.len();
        // The last line of an input may lack its LF.
        if is_whole && !text.is_empty() && !text.ends_with(b"\n") && !block.cuts_line {
            lines += 1;
        }
        Taken {
            bytes: begin,
            lines,
        }
    }

    /// Finds the tokens of `text` from `begin` on, where `lines` lines have ended before. Stops at the
    /// end of a line where there are very many.
    fn find_in(&self, text: &[u8], begin: usize, lines: u32, finds: &mut Finds) -> Taken {
        let mut finder = Finder::new(&text[begin..], self.token_limit, self.decodes_base64)
            .with_recent(std::mem::take(&mut finds.recent));
        let mut line = lines;
        // Up to where line ends are counted, where the present line begins, and its first find.
        let (mut counted, mut line_begin, mut first) = (begin, begin, finds.len());
        loop {
            let unescaped = finds.unescaped.len();
            let Some(found) = finder.next(&mut finds.unescaped) else {
                break;
            };
            let (start, end) = (begin + found.start, begin + found.end);
            let between = &text[counted..start];
            if let Some(last) = memchr::memrchr(b'\n', between) {
                let next_line = counted + last + 1;
                self.set_time(&text[line_begin..], line_begin, finds, first);
                line += count_lines(between);
                line_begin = next_line;
                first = finds.len();
                if is_full(finds) {
                    finds.unescaped.truncate(unescaped);
                    finds.recent = finder.into_recent();
                    return Taken {
                        bytes: line_begin,
                        lines: line - lines,
                    };
                }
            }
            counted = start;
            let (spelled, is_sd_jwt) = match found.kind {
                FindKind::Cut => {
                    finds.counts.cut += 1;
                    continue;
                }
                FindKind::OtherCredential => {
                    finds.counts.other_credentials += 1;
                    continue;
                }
                FindKind::TooLong => (Spelled::TooLong, false),
                FindKind::Token { spelled, is_sd_jwt } => {
                    let spelled = match spelled {
                        Written::AsIs => Spelled::Plain,
                        Written::Unescaped(range) => Spelled::Escaped(range),
                    };
                    (spelled, is_sd_jwt)
                }
            };
            finds.push(Find {
                line: line + 1,
                written: start..end,
                at: None,
                spelled,
                is_sd_jwt,
            });
        }
        finds.recent = finder.into_recent();
        self.set_time(&text[line_begin..], line_begin, finds, first);
        Taken {
            bytes: text.len(),
            lines: line - lines + count_lines(&text[counted..]),
        }
    }

    /// Gives the finds from `first` on, those of the line with which `text` begins, at `begin` of the block,
    /// the first time that stands in the line outside of them.
    fn set_time(&self, text: &[u8], begin: usize, finds: &mut Finds, first: usize) {
        let (own, counts) = finds.since(first);
        if own.is_empty() || !self.is_timed && counts.has_time.is_some() {
            return;
        }
        let last = own.last().map_or(0, |find| find.written.end - begin);
        let line_end = memchr::memchr(b'\n', &text[last..]).map_or(text.len(), |end| last + end);
        let time = first_time(self.times, &text[..line_end], begin, own);
        if !self.is_timed {
            counts.has_time = Some(time.is_some());
            return;
        }
        let Some(time) = time else {
            return;
        };
        for find in own.iter_mut() {
            find.at = Some(time.at);
        }
        let count = own.len() as u64;
        counts.assumed_zone += u64::from(time.assumed_zone) * count;
        counts.assumed_year += u64::from(time.assumed_year) * count;
    }
}

/// The first time in a line outside of its tokens: before the first of them, or else between and after
/// them.
fn first_time(times: &TimeReader, line: &[u8], begin: usize, finds: &[Find]) -> Option<LogTime> {
    let mut from = 0;
    let tokens = finds
        .iter()
        .map(|find| (find.written.start - begin, find.written.end - begin));
    tokens
        .chain([(line.len(), line.len())])
        .find_map(|(start, end)| {
            let gap = line.get(from..start);
            from = end;
            times.first_in(gap?).map(|(_, time)| time)
        })
}

fn is_full(finds: &Finds) -> bool {
    finds.len() >= MAX_LINES as usize || finds.unescaped.len() >= MAX_UNESCAPED
}

/// The length of the lines at the beginning of `text` that are shorter than `limit`, the last of them
/// with or without its LF; `None` if already the first is not.
fn short_lines(text: &[u8], limit: usize) -> Option<usize> {
    if text.len() < limit {
        return Some(text.len());
    }
    let mut end = 0;
    while end < text.len() {
        let rest = &text[end..];
        let line = memchr::memchr(b'\n', rest);
        if line.unwrap_or(rest.len()) >= limit {
            break;
        }
        end += line.map_or(rest.len(), |line| line + 1);
    }
    (end > 0).then_some(end)
}

/// The number of line ends in a text, which is shorter than 4 GiB.
fn count_lines(text: &[u8]) -> u32 {
    u32::try_from(memchr::memchr_iter(b'\n', text).count()).unwrap_or(u32::MAX)
}
