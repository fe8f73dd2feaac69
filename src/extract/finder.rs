//! Finds the tokens in arbitrary bytes.
//!
//! **What is found.** A *token* is three segments of base64url with dots between them, of which the
//! first decodes to a JSON object with a member `alg`, or five, of which the first decodes to one
//! with `enc`. All but the first may be empty: `h.p.` is a token, and `h..s`. Up to two `=` at the
//! end of a segment are part of it. A token begins at the first place that gives such a header,
//! whatever is before it, and ends with its last segment, whatever is behind it; one more dot there
//! ends a sentence, and `~` makes it an SD-JWT. Its characters may be percent-encoded or escaped as
//! in JSON. A token is *cut* where there is such a header and a dot, and then too few segments, or
//! an ellipsis (three dots in a row are one); a bare `h.` is cut only at the end of a line. A
//! header that begins with white space is not sought. Behind `Bearer`, what is no token is *another
//! credential* where it has sixteen characters or more and a digit among them: so that prose is
//! none.
//!
//! This module knows neither lines nor blocks, and judges nothing: a header with an unknown
//! algorithm or with `alg` twice is a header. `search` finds where a token may begin, `header`
//! decides, `spelling` reads escapes, and `layer` decodes base64 around tokens. All of it takes
//! time linear in the text, whatever the text: a segment's end is searched once for all that may
//! begin in it, and `header` says how it reads.

mod header;
mod layer;
#[cfg(test)]
mod naive;
mod search;
#[cfg(test)]
mod shapes;
mod spelling;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::Range;

use header::{HeaderReader, Members};
use search::is_base64url;
use spelling::{character, is_ellipsis};

use crate::hash::hash;
use crate::platform::Platform;

/// What was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Find {
    /// Where its first byte is in the text.
    pub(crate) start: usize,
    /// Where its bytes end, as the text spells them.
    pub(crate) end: usize,
    pub(crate) kind: FindKind,
}

/// The kinds of finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FindKind {
    /// Three segments, or five.
    Token {
        spelled: Spelled,
        /// Whether `~` is behind it. The find ends before it.
        is_sd_jwt: bool,
    },
    /// The beginning of a token whose rest is not there.
    Cut,
    /// A token of more bytes than the limit.
    TooLong,
    /// What is behind `Bearer`, and no token.
    OtherCredential,
}

/// Where the bytes of a token are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spelled {
    /// In the text.
    AsIs,
    /// In the scratch, since the text escapes some of them.
    Unescaped(Range<usize>),
}

/// The fewest characters of a credential that is no token.
const MIN_CREDENTIAL: usize = 16;
/// How many headers are kept.
const RECENT: usize = 64;
/// The longest header that is kept, in bytes.
const MAX_RECENT_BYTES: usize = 1 << 10;

/// Headers that were read, so that they need not be read each time they occur. Each has one place.
#[derive(Default)]
pub(crate) struct RecentHeaders(Vec<(Vec<u8>, Members)>);

impl RecentHeaders {
    /// The place of a header, unless it is too long to be kept.
    fn place(header: &[u8]) -> Option<usize> {
        let is_kept = header.len() <= MAX_RECENT_BYTES;
        is_kept.then(|| usize::try_from(hash(header) >> 32).unwrap_or(0) % RECENT)
    }

    fn get(&self, header: &[u8]) -> Option<Members> {
        let (kept, members) = self.0.get(Self::place(header)?)?;
        (kept == header).then_some(*members)
    }

    fn keep(&mut self, header: &[u8], members: Members) {
        if let Some(place) = Self::place(header) {
            self.0.resize_with(RECENT, Default::default);
            let (kept, its_members) = &mut self.0[place];
            kept.clear();
            kept.extend_from_slice(header);
            *its_members = members;
        }
    }
}

/// Finds in a text, in order of position; no two overlap.
///
/// A text may be a piece of a longer one that is cut where no token is.
pub(crate) struct Finder<'b> {
    platform: Platform,
    text: &'b [u8],
    token_limit: usize,
    decodes_base64: bool,
    /// Where the search goes on.
    at: usize,
    /// The segment that was searched last.
    segment: Segment,
    headers: HeaderReader,
    recent: RecentHeaders,
    /// Behind `Bearer`, until it is known to hold no token.
    credential: Option<Range<usize>>,
    /// Where base64 is decoded: the next find that is not within it, the next ones that are, and
    /// how far it was decoded.
    bare: Option<Find>,
    decoded: VecDeque<Find>,
    decoded_to: usize,
    /// How many bytes of segments were searched.
    #[cfg(test)]
    scanned: std::cell::Cell<usize>,
}

/// A run of base64url, in whatever spelling, and its padding.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    start: usize,
    /// Where the padding begins.
    content_end: usize,
    end: usize,
    is_escaped: bool,
}

impl<'b> Finder<'b> {
    /// Tokens of more than `token_limit` bytes are too long. `decodes_base64` finds the tokens
    /// within one more layer of base64, too.
    pub(crate) fn new(text: &'b [u8], token_limit: usize, decodes_base64: bool) -> Self {
        Self::on(Platform::detect(), text, token_limit, decodes_base64)
    }

    /// With the headers of an earlier finder.
    pub(crate) fn with_recent(mut self, recent: RecentHeaders) -> Self {
        self.recent = recent;
        self
    }

    /// The headers, for a later finder.
    pub(crate) fn into_recent(self) -> RecentHeaders {
        self.recent
    }

    fn on(platform: Platform, text: &'b [u8], token_limit: usize, decodes_base64: bool) -> Self {
        Self {
            platform,
            text,
            token_limit,
            decodes_base64,
            at: 0,
            segment: Segment::default(),
            headers: HeaderReader::default(),
            recent: RecentHeaders::default(),
            credential: None,
            bare: None,
            decoded: VecDeque::new(),
            decoded_to: 0,
            #[cfg(test)]
            scanned: std::cell::Cell::default(),
        }
    }

    /// The next find. A token that is escaped in the text is appended to `scratch`.
    pub(crate) fn next(&mut self, scratch: &mut Vec<u8>) -> Option<Find> {
        if !self.decodes_base64 {
            return self.next_bare(scratch);
        }
        if self.bare.is_none() {
            self.bare = self.next_bare(scratch);
        }
        let all = self.text.len();
        loop {
            let bare = self.bare.as_ref();
            let (start, end) = bare.map_or((all, all), |find| (find.start, find.end));
            // A token in base64 is preferred to a credential that is none, and to nothing else.
            let is_credential = bare.is_some_and(|find| find.kind == FindKind::OtherCredential);
            let until = if is_credential { end } else { start };
            match self.decoded.pop_front() {
                Some(find) if find.end <= start => return Some(find),
                Some(find) if find.start < end && is_credential => {
                    self.bare = self.next_bare(scratch);
                    self.decoded.push_front(find);
                }
                Some(find) if find.start < end => {}
                Some(find) => {
                    self.decoded.push_front(find);
                    return self.bare.take();
                }
                None => match layer::next_run(self.text, self.decoded_to, until) {
                    Some(run) => {
                        self.decoded_to = run.0.end;
                        let limit = self.token_limit;
                        let finds = layer::finds(self.platform, self.text, &run, limit, scratch);
                        self.decoded.extend(finds);
                    }
                    None => {
                        self.decoded_to = self.decoded_to.max(end);
                        return self.bare.take();
                    }
                },
            }
        }
    }

    /// The next find that is not within another layer of base64.
    fn next_bare(&mut self, scratch: &mut Vec<u8>) -> Option<Find> {
        loop {
            let start = search::next_start(self.platform, self.text, self.at);
            let is_behind = |range: &mut Range<usize>| start.is_none_or(|at| range.end <= at);
            if let Some(Range { start, end }) = self.credential.take_if(is_behind) {
                self.at = end;
                let kind = FindKind::OtherCredential;
                return Some(Find { start, end, kind });
            }
            let Some(start) = start else {
                self.at = self.text.len();
                return None;
            };
            self.at = start + 1;
            let is_bearer = matches!(self.text.get(start + 1), Some(b'a' | b'A'));
            // Behind `Bearer` is nearly always a token, and then the credential need not be read.
            let begin = match is_bearer {
                true if self.credential.is_some() => continue,
                true => begin_of_credential(self.text, start)
                    .filter(|begin| self.text[*begin..].starts_with(b"ey")),
                false => Some(start),
            };
            if let Some(find) = begin.and_then(|begin| self.token(begin, scratch)) {
                self.credential = None;
                self.at = find.end;
                return Some(find);
            }
            if is_bearer {
                self.credential = credential(self.text, start);
            }
        }
    }

    /// What begins at `start`, where an object may.
    fn token(&mut self, start: usize, scratch: &mut Vec<u8>) -> Option<Find> {
        let header = self.segment(start);
        dot(self.text, header.end)?;
        let members = self.members(start, header.content_end)?;
        let wanted = if members.enc { 5 } else { 3 };
        let mut is_escaped = header.is_escaped;
        // Where the segments end, as far as there are any.
        let mut ends = [header.end; 5];
        let mut count = 1;
        let mut is_cut = false;
        let mut last = header;
        loop {
            is_cut |= is_ellipsis(self.text, last.end);
            let Some(length) = dot(self.text, last.end).filter(|_| !is_cut && count < wanted)
            else {
                break;
            };
            is_escaped |= length > 1;
            last = self.scan(last.end + length);
            is_escaped |= last.is_escaped;
            ends[count] = last.end;
            count += 1;
        }
        let is_last_empty = last.start == last.end;
        let (end, is_whole) = match count {
            _ if is_cut => (last.end, false),
            5 => (last.end, true),
            3 => (last.end, members.alg),
            // A sentence ends there.
            4 if is_last_empty && members.alg => (ends[2], true),
            2 if is_last_empty && !self.is_end_of_line(last.end) => return None,
            _ => (last.end, false),
        };
        let length = match is_escaped {
            true => characters(self.text, start..end).count(),
            false => end - start,
        };
        let kind = if !is_whole {
            FindKind::Cut
        } else if length > self.token_limit {
            FindKind::TooLong
        } else {
            let is_three = ends[2] == end;
            let is_tilde = matches!(character(self.text, end), Some((b'~', _)));
            FindKind::Token {
                spelled: if length < end - start {
                    let begin = scratch.len();
                    scratch.extend(characters(self.text, start..end));
                    Spelled::Unescaped(begin..scratch.len())
                } else {
                    Spelled::AsIs
                },
                is_sd_jwt: is_three && is_tilde,
            }
        };
        Some(Find { start, end, kind })
    }

    /// The members of a header, from those kept or by reading it.
    fn members(&mut self, start: usize, end: usize) -> Option<Members> {
        let bytes = &self.text[start..end];
        if let Some(members) = self.recent.get(bytes) {
            return Some(members);
        }
        let members = self.headers.read(self.text, start, end)?;
        if !members.alg && !members.enc {
            return None;
        }
        self.recent.keep(bytes, members);
        Some(members)
    }

    /// The segment that `start` is in.
    fn segment(&mut self, start: usize) -> Segment {
        if !(self.segment.start..self.segment.content_end).contains(&start) {
            self.segment = self.scan(start);
            self.headers.begin_segment();
        }
        self.segment
    }

    /// The segment from `start` on.
    fn scan(&self, start: usize) -> Segment {
        let mut is_escaped = false;
        let mut end = search::run_end(self.platform, self.text, start);
        while let Some((_, length)) = character(self.text, end).filter(|it| is_base64url(it.0)) {
            is_escaped = true;
            end = search::run_end(self.platform, self.text, end + length);
        }
        #[cfg(test)]
        self.scanned.update(|bytes| bytes + end - start);
        let content_end = end;
        for _ in 0..2 {
            if let Some((b'=', length)) = character(self.text, end) {
                is_escaped |= length > 1;
                end += length;
            }
        }
        Segment {
            start,
            content_end,
            end,
            is_escaped,
        }
    }

    fn is_end_of_line(&self, at: usize) -> bool {
        matches!(self.text.get(at), None | Some(b'\n' | b'\r'))
    }
}

/// The length of a dot at `at`.
fn dot(text: &[u8], at: usize) -> Option<usize> {
    let (byte, length) = character(text, at)?;
    (byte == b'.').then_some(length)
}

/// The characters that a range of a text spells.
fn characters(text: &[u8], range: Range<usize>) -> impl Iterator<Item = u8> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        let (byte, length) = character(text, at).filter(|_| at < range.end)?;
        at += length;
        Some(byte)
    })
}

/// Where a credential begins behind `Bearer` and a separator; the first `e` of the word is at `at`.
fn begin_of_credential(text: &[u8], at: usize) -> Option<usize> {
    let before = at.checked_sub(1)?;
    text[before].eq_ignore_ascii_case(&b'b').then_some(())?;
    let word_end = at + b"earer".len();
    let start = skip(text, word_end, |byte| {
        matches!(byte, b' ' | b'\t' | b':' | b'+')
    });
    (word_end < start).then_some(start)
}

/// Where the characters that are wanted end, from `at` on.
fn skip(text: &[u8], mut at: usize, is_wanted: impl Fn(u8) -> bool) -> usize {
    while let Some((_, length)) = character(text, at).filter(|it| is_wanted(it.0)) {
        at += length;
    }
    at
}

/// The credential behind `Bearer` (RFC 6750), whose first `e` is at `at`.
fn credential(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = begin_of_credential(text, at)?;
    let is_content = |byte| is_base64url(byte) || b".~+/".contains(&byte);
    let content_end = skip(text, start, is_content);
    let end = skip(text, content_end, |byte| byte == b'=');
    // `realm="…"` is a parameter.
    let is_name = content_end < end && matches!(character(text, end), Some((b'"', _)));
    let content = characters(text, start..content_end);
    let has_digit = characters(text, start..content_end).any(|byte| byte.is_ascii_digit());
    let is_one = content.count() >= MIN_CREDENTIAL && has_digit && !is_name;
    is_one.then_some(start..end)
}
