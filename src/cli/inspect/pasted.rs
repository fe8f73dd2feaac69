//! The token in what was pasted: a header line, a cookie, a URL, a JSON document, or a token alone.
//!
//! The library finds tokens; this module chooses the first, and says where it is. A text that is one
//! token alone, also a broken or wrapped one, is taken as it is, so that it is explained whole.

use std::borrow::Cow;

use anyhow::Result;
use jotmill::{FoundToken, find_tokens};
use serde::de::IgnoredAny;

use super::escape::{grouped, plural};
use super::note::{MANY, Note, Notes};
use super::only_line;

/// The longest name of a header, cookie, parameter or member that is shown.
const MAX_NAME: usize = 64;

/// A token that was found in a text.
pub(super) struct Place {
    /// What is around it, in words.
    pub(super) surroundings: String,
    /// Its line in the text, from 1.
    pub(super) line: usize,
    /// Its offset and length in the text, in bytes.
    pub(super) offset: usize,
    pub(super) length: usize,
    /// The offsets of the other tokens.
    pub(super) others: Vec<usize>,
}

/// The token to explain, and its place unless the text is one token alone. A line of more than `limit`
/// bytes is not trimmed.
///
/// # Errors
/// The text is blank.
pub(super) fn token(text: &[u8], limit: usize) -> Result<(Cow<'_, [u8]>, Option<Place>)> {
    let line = only_line(text, limit)?;
    let mut found = find_tokens(text).into_iter();
    let Some(first) = found.next().filter(|it| !is_alone(text, it)) else {
        // Of several tokens alone, one a line, the first is explained.
        return Ok((line.into(), None));
    };
    let place = Place {
        surroundings: surroundings(text, first.offset),
        line: text[..first.offset].split(|byte| *byte == b'\n').count(),
        offset: first.offset,
        length: first.length,
        others: found.map(|other| other.offset).collect(),
    };
    Ok((first.token, Some(place)))
}

impl Place {
    pub(super) fn notes(&self) -> Vec<Note> {
        let mut notes = Notes::default();
        notes.own(format!(
            "Found in {}: line {}, byte {} of the text.",
            self.surroundings,
            grouped(self.line),
            grouped(self.offset)
        ));
        if !self.others.is_empty() {
            let mut places: Vec<String> = self
                .others
                .iter()
                .take(MANY)
                .map(|it| grouped(*it))
                .collect();
            if let Some(more @ 1..) = self.others.len().checked_sub(MANY) {
                places.push(format!("{} more", grouped(more)));
            }
            notes.own(format!(
                "It is the first of {}; the others are at byte {}. jotmill audit takes many.",
                plural(self.others.len() + 1, "token"),
                places.join(", ")
            ));
        }
        notes.0
    }
}

/// Whether a text is one token alone, whole or with more segments, line breaks or characters of
/// base64 than a token has: what is found in it may be only its beginning.
fn is_alone(text: &[u8], first: &FoundToken<'_>) -> bool {
    let before = text.get(..first.offset).unwrap_or_default();
    let behind = text.get(first.offset + first.length..).unwrap_or_default();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.=~+/% \t\r\n".contains(byte);
    before.trim_ascii().is_empty()
        && matches!(first.token, Cow::Borrowed(_))
        && behind.iter().all(is_part)
        // Behind white space there may be the rest of it, or another. In one word, the last part of an
        // SD-JWT is a token too.
        && (!behind.trim_ascii_end().iter().any(u8::is_ascii_whitespace) || find_tokens(behind).is_empty())
}

/// What is around the token that begins at `offset`, in words.
fn surroundings(text: &[u8], offset: usize) -> String {
    let before = String::from_utf8_lossy(text.get(..offset).unwrap_or_default());
    if serde_json::from_slice::<IgnoredAny>(text).is_ok() {
        return match member(&before) {
            Some(name) => format!("the member {name} of a JSON document"),
            None => "a JSON document".to_owned(),
        };
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    let word = line.rsplit(|c: char| c.is_whitespace()).next();
    let is_url = word.is_some_and(|word| word.contains("://"));
    let (value, scheme) = without_scheme(line);
    if let Some(before) = value.strip_suffix(':')
        && let Some(name) = last_name(before)
        && (scheme.is_some() || name.to_ascii_lowercase().ends_with("authorization"))
    {
        return format!("the header {name}");
    }
    if let Some(scheme) = scheme {
        return format!("a text, behind {scheme}");
    }
    if let Some(before) = line.strip_suffix('=')
        && let Some(name) = last_name(before)
    {
        let rest = &before[..before.len() - name.len()];
        if rest.ends_with(['?', '&', '#']) {
            return format!("the parameter {name} of a URL");
        }
        if line.to_ascii_lowercase().contains("cookie:") {
            return format!("the cookie {name}");
        }
    }
    let what = match line.chars().next_back() {
        _ if is_url => "a URL",
        Some('"' | '\'' | '`') => "quotes",
        _ => "a text",
    };
    what.to_owned()
}

/// The name of the JSON member whose value is a string that `before` ends in.
fn member(before: &str) -> Option<&str> {
    let (before, _) = before.rsplit_once('"')?;
    let before = before.trim_end().strip_suffix(':')?.trim_end();
    let name = last_name(before.strip_suffix('"')?)?;
    before
        .strip_suffix('"')?
        .strip_suffix(name)?
        .strip_suffix('"')?;
    Some(name)
}

/// A text without the scheme of HTTP authentication at its end, and the scheme.
fn without_scheme(text: &str) -> (&str, Option<&'static str>) {
    let text = text.trim_end();
    for scheme in ["Bearer", "DPoP", "JWT", "Token"] {
        if let Some(start) = text.len().checked_sub(scheme.len())
            && let Some((rest, word)) = text.split_at_checked(start)
            && word.eq_ignore_ascii_case(scheme)
            && !rest.ends_with(|c: char| c.is_alphanumeric())
        {
            return (rest.trim_end(), Some(scheme));
        }
    }
    (text, None)
}

/// The name that a text ends in, if it is one that can be shown.
fn last_name(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let start = text.trim_end_matches(is_part).len();
    let name = &text[start..];
    (1..=MAX_NAME).contains(&name.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";

    #[test]
    fn what_is_around_a_token_is_named() {
        for (text, expected) in [
            ("Authorization: Bearer @", "the header Authorization"),
            (
                "GET / HTTP/1.1\r\nHost: x\r\nauthorization:@\r\n",
                "the header authorization",
            ),
            (
                "curl -H 'X-Token: bearer @' https://x",
                "the header X-Token",
            ),
            (
                "-H \"proxy-authorization: JWT @\"",
                "the header proxy-authorization",
            ),
            ("Bearer @", "a text, behind Bearer"),
            ("bearer   @\n", "a text, behind Bearer"),
            ("Cookie: a=b; session=@; c=d", "the cookie session"),
            ("set-cookie: __Host-id=@; Path=/", "the cookie __Host-id"),
            (
                "https://x/cb#id_token=@&state=1",
                "the parameter id_token of a URL",
            ),
            ("/cb?token=@", "the parameter token of a URL"),
            ("https://x/reset/@/", "a URL"),
            (
                "{\"access_token\":\"@\"}",
                "the member access_token of a JSON document",
            ),
            ("[{\"a b\": \"Bearer @\"}]", "a JSON document"),
            (
                "{ \"auth\" :\n\"Bearer @\" }",
                "the member auth of a JSON document",
            ),
            ("[\"@\"]", "a JSON document"),
            ("\"@\"", "a JSON document"),
            ("'@'", "quotes"),
            ("token=\"@\";", "quotes"),
            ("<jwt>@</jwt>", "a text"),
            ("é=@,", "a text"),
        ] {
            let text = text.replace('@', TOKEN);
            let (token, place) = token(text.as_bytes(), 1 << 20).unwrap();
            assert_eq!(*token, *TOKEN.as_bytes(), "{text}");
            let place = place.unwrap();
            assert_eq!(place.surroundings, expected, "{text}");
            assert_eq!(&text[place.offset..][..place.length], TOKEN);
            assert!(place.others.is_empty());
        }
    }

    #[test]
    fn a_text_that_is_one_token_or_none_is_taken_whole() {
        let (head, tail) = TOKEN.split_at(28);
        for text in [
            TOKEN.to_owned(),
            format!("{TOKEN}.more"),
            format!("{TOKEN}~WyJh"),
            format!("{TOKEN}~WyJh~{TOKEN}"),
            format!("{TOKEN}+/=="),
            format!("{TOKEN}%2B"),
            format!("{head}\r\n{tail}"),
            format!("{TOKEN}\nbmV4dA"),
            "Bearer opaque".to_owned(),
            "a.b.c".to_owned(),
            format!("Bearer {}", &TOKEN[..20]),
        ] {
            for text in [text.clone(), format!(" \t{text}\r\n\n")] {
                let (token, place) = token(text.as_bytes(), 1 << 20).unwrap();
                assert!(place.is_none(), "{text}");
                assert_eq!(*token, *text.trim().as_bytes());
            }
        }
    }
}
