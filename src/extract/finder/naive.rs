//! The finder in the slow and obvious way: it decodes at every position. It shares no code with the
//! finder.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::Value;

/// A find: where it begins and ends, what it is called, and its bytes.
pub(super) type Found = (usize, usize, &'static str, Vec<u8>);

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// All finds in a text.
pub(super) fn finds(text: &[u8], limit: usize) -> Vec<Found> {
    let letters: Vec<Letter> = (0..=text.len()).map(|at| letter(text, at)).collect();
    let mut found: Vec<Found> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match token(text, &letters, at, limit) {
            Some(find) => {
                at = find.1;
                found.push(find);
            }
            None => at += 1,
        }
    }
    let mut credentials: Vec<Found> = Vec::new();
    for at in 0..text.len() {
        let Some((start, end)) = credential(&letters, text, at) else {
            continue;
        };
        let overlaps = |(from, to, ..): &Found| *from < end && at < *to;
        if !found.iter().any(overlaps) && !credentials.iter().any(overlaps) {
            credentials.push((start, end, "other", Vec::new()));
        }
    }
    found.extend(credentials);
    found.sort();
    found
}

/// What the text spells at a place: a character, and how long its spelling is.
type Letter = (char, usize);

fn letter(text: &[u8], at: usize) -> Letter {
    let rest: String = text[at..]
        .iter()
        .take(40)
        .map(|byte| char::from(*byte))
        .collect();
    let hex = |digits: Option<&str>| {
        let digits =
            digits.filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16)
            .ok()
            .and_then(char::from_u32)
            .filter(char::is_ascii)
    };
    if let Some(mut digits) = rest.strip_prefix('%') {
        while let Some(inner) = digits.strip_prefix("25") {
            digits = inner;
        }
        if let Some(character) = hex(digits.get(..2)) {
            return (character, rest.len() - digits.len() + 2);
        }
    }
    let behind = rest.trim_start_matches('\\');
    if behind.len() < rest.len() {
        for (mark, count) in [('u', 4), ('x', 2)] {
            let digits = behind
                .strip_prefix(mark)
                .and_then(|digits| digits.get(..count));
            if let Some(character) = hex(digits) {
                return (character, rest.len() - behind.len() + 1 + count);
            }
        }
    }
    (rest.chars().next().unwrap_or('\0'), 1)
}

fn is_ellipsis(text: &[u8], letters: &[Letter], mut at: usize) -> bool {
    let rest = &text[at..];
    let rest: String = rest.iter().take(40).map(|byte| char::from(*byte)).collect();
    let bare = rest.trim_start_matches('\\');
    if rest.starts_with("\u{e2}\u{80}\u{a6}")
        || rest.to_lowercase().starts_with("%e2%80%a6")
        || (bare.len() < rest.len() && bare.starts_with("u2026"))
    {
        return true;
    }
    for _ in 0..3 {
        if letters.get(at).is_none_or(|it| it.0 != '.') {
            return false;
        }
        at += letters[at].1;
    }
    true
}

fn token(text: &[u8], letters: &[Letter], start: usize, limit: usize) -> Option<Found> {
    if letters[start..].iter().take(3).any(|letter| letter.1 != 1) {
        return None;
    }
    // Each segment with its padding, and where it ends.
    let mut segments: Vec<(String, usize)> = Vec::new();
    let mut at = start;
    let mut is_cut = false;
    let mut wanted = 3;
    let mut object = Value::Null;
    while segments.len() < wanted {
        let mut segment = String::new();
        while letters[at].0.is_ascii_alphanumeric() || "-_".contains(letters[at].0) {
            segment.push(letters[at].0);
            at += letters[at].1;
        }
        if segments.is_empty() {
            let json = LENIENT.decode(&segment).ok()?;
            object = serde_json::from_slice(&json)
                .ok()
                .filter(|_| json[0] == b'{')?;
            let has = |name| object.get(name).is_some();
            (has("alg") || has("enc")).then_some(())?;
            wanted = if has("enc") { 5 } else { 3 };
        }
        for _ in 0..2 {
            if letters[at].0 == '=' {
                segment.push('=');
                at += letters[at].1;
            }
        }
        segments.push((segment, at));
        is_cut = is_ellipsis(text, letters, at);
        let is_dot = letters[at].0 == '.';
        if segments.len() == 1 && !is_dot {
            return None;
        }
        if is_cut || !is_dot {
            break;
        }
        if segments.len() < wanted {
            at += letters[at].1;
        }
    }
    let mut is_whole = segments.len() == 5 || segments.len() == 3 && object.get("alg").is_some();
    if segments.len() == 4 && segments[3].0.is_empty() && object.get("alg").is_some() && !is_cut {
        segments.pop();
        is_whole = true;
    }
    let (last, end) = segments[segments.len() - 1].clone();
    if is_cut || !is_whole {
        let is_line_end = text.get(end).is_none_or(|byte| b"\r\n".contains(byte));
        let is_bare = segments.len() == 2 && last.is_empty() && !is_line_end && !is_cut;
        return (!is_bare).then(|| (start, end, "cut", Vec::new()));
    }
    let texts: Vec<String> = segments.iter().map(|segment| segment.0.clone()).collect();
    let token = texts.join(".").into_bytes();
    let name = match letters[end].0 {
        _ if token.len() > limit => return Some((start, end, "too-long", Vec::new())),
        '~' if segments.len() == 3 => "sd-jwt",
        _ => "token",
    };
    Some((start, end, name, token))
}

fn credential(letters: &[Letter], text: &[u8], at: usize) -> Option<(usize, usize)> {
    let word = text.get(at..at + 6)?;
    word.eq_ignore_ascii_case(b"bearer").then_some(())?;
    let skip = |mut at: usize, set: &str| {
        while set.contains(letters[at].0) {
            at += letters[at].1;
        }
        at
    };
    let start = skip(at + 6, " \t:+");
    let set = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/";
    let content = skip(start, set);
    let end = skip(content, "=");
    let (mut count, mut has_digit, mut place) = (0, false, start);
    while place < content {
        count += 1;
        has_digit |= letters[place].0.is_ascii_digit();
        place += letters[place].1;
    }
    let is_name = content < end && letters[end].0 == '"';
    (start > at + 6 && count >= 16 && has_digit && !is_name).then_some((start, end))
}
