//! Tokens and keys in texts that are printed: names of files, messages, members that a token chose.
//!
//! Owns what looks like a credential. A name that holds one keeps its first characters, which tell
//! what it was and give nothing away.

use std::borrow::Cow;
use std::ops::Range;

/// The JSON objects that headers of tokens are begin with one of these in base64url: `{"`, or `{` and
/// white space.
const OBJECT_BEGINS: [&[u8]; 5] = [b"eyJ", b"eyA", b"ewo", b"ew0", b"ewk"];
/// In bytes. The header of a token alone has twenty, and a JWK or PEM is longer still.
const SHORTEST_TEXT: usize = 24;
/// How many characters of a token are shown: of most, `{"alg":`.
const SHOWN: usize = 10;

const PEM_BEGINS: &str = "-----BEGIN ";
const PEM_ENDS: &str = "-----END ";
const DASHES: &str = "-----";
/// The fewest characters of base64 that may be a part of a key.
const SHORTEST: usize = 8;

/// The member that every JWK has (RFC 7517 section 4.1), as far as quoting changes nothing of it.
const JWK_MEMBER: &str = "kty";

/// The text, in which everything that looks like a token, PEM or a JWK is replaced by its beginning
/// and `…`. Reports, rows and messages are made of such texts.
///
/// ```
/// let text = "no file Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";
/// assert_eq!(jotmill::redacted(text), "no file Bearer eyJhbGciOi…");
/// assert_eq!(jotmill::redacted("access.log"), "access.log");
/// ```
#[must_use]
pub fn redacted(text: &str) -> Cow<'_, str> {
    if text.len() < SHORTEST_TEXT || !may_hold_a_credential(text.as_bytes()) {
        return text.into();
    }
    // One kind after the other: the dashes of PEM could be a part of a token in front of them.
    [pem, jwk, token].into_iter().fold(text.into(), masked)
}

/// Whether the text has what every credential of a kind has: the beginning of PEM, the brace of a
/// JWK, or a dot and an object of a token. Most names are done with here, and rows have several.
fn may_hold_a_credential(text: &[u8]) -> bool {
    let begins_pem = |at| text[at..].starts_with(b"---");
    match memchr::memchr2(b'.', b'{', text) {
        None => memchr::memchr_iter(b'-', text).any(begins_pem),
        Some(_) => text.windows(3).any(|three| match three[0] {
            b'e' => begins_object(three),
            b'-' => three == b"---",
            first => first == b'{',
        }),
    }
}

/// The text with every credential that `find` finds masked.
fn masked<'t>(text: Cow<'t, str>, find: fn(&str) -> Option<Credential>) -> Cow<'t, str> {
    let mut shown = String::new();
    let mut rest = &*text;
    while let Some(Credential { range, kept }) = find(rest) {
        shown.push_str(&rest[..range.start + kept]);
        shown.push('…');
        rest = &rest[range.end..];
    }
    if shown.is_empty() {
        return text;
    }
    shown.push_str(rest);
    shown.into()
}

/// Something that must not be shown, and how many of its first bytes may be.
struct Credential {
    range: Range<usize>,
    kept: usize,
}

/// The first token: an object in base64url with two dots after it, or with one and another object.
fn token(text: &str) -> Option<Credential> {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.=".contains(byte);
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'e', &bytes[from..]).map(|at| from + at) {
        from = at + 1;
        if !begins_object(&bytes[at..]) {
            continue;
        }
        let len = bytes[at..].iter().take_while(|byte| is_part(byte)).count();
        let run = &bytes[at..at + len];
        let mut segments = run.split(|byte| *byte == b'.');
        let (second, third) = (segments.nth(1), segments.next());
        if third.is_some() || second.is_some_and(begins_object) {
            return Some(Credential {
                range: at..at + len,
                kept: SHOWN.min(len),
            });
        }
        from = at + len;
    }
    None
}

fn begins_object(bytes: &[u8]) -> bool {
    OBJECT_BEGINS.iter().any(|begin| bytes.starts_with(begin))
}

/// The first block of PEM: up to its end line, or all the rest. A first line without base64 behind it
/// is only spoken of.
fn pem(text: &str) -> Option<Credential> {
    let is_label = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == ' ';
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=-_".contains(c);
    for (start, _) in text.match_indices(PEM_BEGINS) {
        let label = start + PEM_BEGINS.len();
        let after_label = text[label..].trim_start_matches(is_label);
        let (kept, content) = match after_label.strip_prefix(DASHES) {
            Some(content) => (text.len() - content.len() - start, content),
            None => (PEM_BEGINS.len(), &text[label..]),
        };
        // A line end may have been escaped.
        let content = content.trim_start_matches(|c: char| c.is_whitespace() || c == '\\');
        let content = content.trim_start_matches(['n', 'r']);
        let end = match text[label..].find(PEM_ENDS) {
            Some(end) => {
                let last = label + end + PEM_ENDS.len();
                text[last..]
                    .find(DASHES)
                    .map(|dashes| last + dashes + DASHES.len())
            }
            None if content.chars().take_while(|c| is_base64(*c)).count() < SHORTEST => continue,
            None => None,
        };
        return Some(Credential {
            range: start..end.unwrap_or(text.len()),
            kept,
        });
    }
    None
}

/// The object of the first JWK and all that surrounds it: from the first brace to the last.
fn jwk(text: &str) -> Option<Credential> {
    let is_quoted = |at: &usize| {
        let before = text[..*at].ends_with('"');
        let after = text[at + JWK_MEMBER.len()..].trim_start_matches('\\');
        before && after.starts_with('"')
    };
    let start = text.find('{')?;
    let members = text[start..].match_indices(JWK_MEMBER);
    members.map(|(at, _)| start + at).find(is_quoted)?;
    let end = text.rfind('}').map_or(text.len(), |last| last + 1);
    Some(Credential {
        range: start..if end > start { end } else { text.len() },
        kept: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl";
    const PEM: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQ==\n-----END PRIVATE KEY-----";
    const JWK: &str = r#"{"kty":"oct","k":"c2VjcmV0"}"#;

    #[test]
    fn a_token_is_masked_wherever_it_is() {
        for (before, after) in [
            ("", ""),
            ("Bearer ", ""),
            (" ", " "),
            ("\"", "\""),
            ("--", ""),
            ("--key=", ""),
            ("hex:", ": no such file"),
            ("token=", "&x=1"),
            ("https://example.com/?t=", "#é"),
            ("é", "é"),
        ] {
            let text = format!("{before}{TOKEN}{after}");
            let expected = format!("{before}eyJhbGciOi…{after}");
            assert_eq!(redacted(&text), expected);
        }
        assert_eq!(
            redacted(&format!("{TOKEN}\n{TOKEN}")),
            "eyJhbGciOi…\neyJhbGciOi…"
        );
    }

    #[test]
    fn every_form_of_a_token_is_masked() {
        for token in [
            "eyJhbGciOiJub25lIn0.e30.",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0",
            "ewogICJhbGciOiJIUzI1NiJ9.e30.c2ln",
            "ew0KImFsZyI6IkhTMjU2In0.e30.c2ln",
            "eyAiYWxnIjoiSFMyNTYifQ.e30.c2ln",
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y2lwaGVy.dGFn",
            "eyJhbGciOiJIUzI1NiJ9.e30=.c2lnbmF0dXJl",
        ] {
            assert_eq!(redacted(token), format!("{}…", &token[..SHOWN]));
        }
    }

    #[test]
    fn keys_are_masked() {
        for (text, expected) in [
            (PEM.to_owned(), "-----BEGIN PRIVATE KEY-----…"),
            (
                format!("cannot read {PEM}: no"),
                "cannot read -----BEGIN PRIVATE KEY-----…: no",
            ),
            (PEM[..40].to_owned(), "-----BEGIN PRIVATE KEY-----…"),
            ("-----BEGIN c2VjcmV0c2VjcmV0".to_owned(), "-----BEGIN …"),
            (format!("{PEM:?}"), "\"-----BEGIN PRIVATE KEY-----…\""),
            (JWK.to_owned(), "{…"),
            (format!("a {JWK} b"), "a {… b"),
            (format!(r#"{{"keys":[{JWK},{JWK}]}}"#), "{…"),
            (format!("{JWK:?}"), "\"{…\""),
            (JWK[..26].to_owned(), "{…"),
        ] {
            assert_eq!(redacted(&text), expected);
        }
    }

    #[test]
    fn names_are_left_as_they_are() {
        for name in [
            "",
            "eyJ",
            "tokens.txt",
            "a.b.c",
            "eyJhbGciOi.txt",
            "example.tokens.txt",
            "https://issuer.example.com/realms/a",
            "4f9c7f0e-2d1b-4b57-9a35-1c9d9f7f0a11",
            "the member \"kid\" occurs twice",
            "neither a JWK Set (no \"keys\") nor a JWK (no \"kty\"); RFC 7517",
            "-----",
            "begins with -----BEGIN PUBLIC KEY-----; it is not used",
            "{name}",
        ] {
            assert!(matches!(redacted(name), Cow::Borrowed(_)), "{name}");
        }
    }

    #[test]
    fn nothing_that_was_masked_is_found_again() {
        let texts = [TOKEN, PEM, JWK, "é", " ", "."];
        for (i, first) in texts.iter().enumerate() {
            for second in texts {
                for third in &texts[i..] {
                    let text = format!("{first}{second}{third}");
                    let shown = redacted(&text);
                    for part in ["c2lnbmF0dXJl", "MC4CAQAwBQ", "c2VjcmV0"] {
                        assert!(!shown.contains(part), "{text}: {shown}");
                    }
                }
            }
        }
    }
}
