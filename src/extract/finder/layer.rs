//! Tokens within one more layer of base64, of either alphabet: secrets of Kubernetes, bodies in HAR
//! files, `Basic` credentials.
//!
//! Every run of base64 that is long enough for a token is decoded at each of the four places where
//! its groups may begin, and what that gives is searched. So a word that is glued to a run hides
//! nothing, and the time is linear.

use std::ops::Range;

use super::spelling::character;
use super::{Find, FindKind, Finder, Spelled};
use crate::platform::Platform;

/// The characters that the shortest token takes: a header of twelve, and two dots.
const SHORTEST: usize = 19;

/// The first run that begins at or behind `from` and before `until`: where it is, and the six bits
/// of each of its characters.
pub(super) fn next_run(text: &[u8], from: usize, until: usize) -> Option<(Range<usize>, Vec<u8>)> {
    let mut start = from;
    while start < until {
        let (mut end, mut count) = (start, 0);
        while let Some((_, length)) = value(text, end) {
            end += length;
            count += 1;
        }
        if count >= SHORTEST {
            return Some((start..end, values(text, start).collect()));
        }
        start = end + 1;
    }
    None
}

/// The six bits of each character of the run that begins at `at`.
fn values(text: &[u8], mut at: usize) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        let (value, length) = value(text, at)?;
        at += length;
        Some(value)
    })
}

/// The six bits of the character of base64 at `at`, and the bytes that spell it.
fn value(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (byte, length) = match text.get(at..at + 2) {
        // JSON may escape a slash.
        Some(b"\\/") => (b'/', 2),
        _ => character(text, at)?,
    };
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some((value, length))
}

/// What is found in a run, in order; tokens are appended to `scratch`.
pub(super) fn finds(
    platform: Platform,
    text: &[u8],
    (run, values): &(Range<usize>, Vec<u8>),
    limit: usize,
    scratch: &mut Vec<u8>,
) -> Vec<Find> {
    let mut all: Vec<Find> = Vec::new();
    for skipped in 0..4.min(values.len()) {
        let decoded = decode(&values[skipped..]);
        let mut finder = Finder::on(platform, &decoded, limit, false);
        while let Some(find) = finder.next(scratch) {
            let bytes = find.start..find.end;
            let kind = match find.kind {
                FindKind::Token {
                    spelled: Spelled::AsIs,
                    is_sd_jwt,
                } => {
                    let begin = scratch.len();
                    scratch.extend(&decoded[bytes.clone()]);
                    let spelled = Spelled::Unescaped(begin..scratch.len());
                    FindKind::Token { spelled, is_sd_jwt }
                }
                kind => kind,
            };
            // The characters that have bits of its first and of its last byte.
            let first = skipped + bytes.start * 8 / 6;
            let last = skipped + (bytes.end * 8 - 1) / 6;
            let (start, end) = (first, last + 1);
            all.push(Find { start, end, kind });
        }
    }
    all.sort_by_key(|find| find.start);
    all.dedup_by(|next, kept| next.start < kept.end);
    // From numbers of characters to places in the text, by one walk.
    let (mut number, mut at) = (0, run.start);
    let mut place = |wanted: usize| {
        while number < wanted {
            at += value(text, at).map_or(1, |(_, length)| length);
            number += 1;
        }
        at
    };
    for find in &mut all {
        (find.start, find.end) = (place(find.start), place(find.end));
    }
    all
}

/// The bytes that groups of four characters decode to; bits behind the last whole byte are dropped.
fn decode(values: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(values.len() * 3 / 4);
    for group in values.chunks(4) {
        let bits = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let [_, bytes @ ..] =
            (bits(0) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3)).to_be_bytes();
        decoded.extend(&bytes[..group.len() * 3 / 4]);
    }
    decoded
}
