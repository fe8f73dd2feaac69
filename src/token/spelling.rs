//! What the text of a token that could not be read shows: why it is no token, or not one that jotmill
//! can judge.
//!
//! Owns the findings of the whole text. It decides no verdict, and is asked only where there are no
//! claims, or where padding is accepted.

use crate::verdict::{Finding, FindingSet};

/// The findings of a text: `padded`, `bearer-or-quoted`, `sd-jwt`, `detached`. `has_alg` says whether
/// its first segment is a header with an `alg`.
///
/// What is said of a token is said of what is behind `Bearer` or within quotation marks as well.
#[cold]
pub(crate) fn findings(text: &[u8], has_alg: bool) -> FindingSet {
    let mut findings = FindingSet::EMPTY;
    let token = unwrapped(text);
    if token.len() < text.len() && dots(token).nth(1).is_some() {
        findings.insert(Finding::BearerOrQuoted);
    }
    if is_sd_jwt(token) {
        findings.insert(Finding::SdJwt);
    }
    let mut dots = dots(token);
    if let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) {
        let ends = [first, second, token.len()];
        if ends.iter().any(|end| token[..*end].ends_with(b"=")) {
            findings.insert(Finding::Padded);
        }
        if has_alg && second == first + 1 {
            findings.insert(Finding::Detached);
        }
    }
    findings
}

fn dots(text: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'.', text)
}

/// The text without the quotation marks around it, and without what HTTP puts in front of a token.
fn unwrapped(text: &[u8]) -> &[u8] {
    let bare = match text {
        [first @ (b'"' | b'\'' | b'`'), bare @ .., last] if first == last => bare,
        _ => text,
    };
    let after_name = without(bare, b"authorization");
    without(after_name.unwrap_or(bare), b"bearer")
        .or(after_name)
        .unwrap_or(bare)
}

/// What is behind a word in any case and the colon, spaces or tabs after it; `None` without them.
fn without<'t>(text: &'t [u8], word: &[u8]) -> Option<&'t [u8]> {
    let (start, rest) = text.split_at_checked(word.len())?;
    let is_separator = |byte: &u8| matches!(byte, b' ' | b'\t' | b':');
    let end = rest.iter().position(|byte| !is_separator(byte))?;
    (start.eq_ignore_ascii_case(word) && end > 0).then(|| &rest[end..])
}

/// Whether three segments of base64url are in front of the first `~`. Only the signature may be empty.
fn is_sd_jwt(token: &[u8]) -> bool {
    let Some(end) = memchr::memchr(b'~', token) else {
        return false;
    };
    let signed = &token[..end];
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let mut segments = signed.split(|byte| *byte == b'.');
    let has_content = |segment: Option<&[u8]>| segment.is_some_and(|segment| !segment.is_empty());
    has_content(segments.next())
        && has_content(segments.next())
        && segments.next().is_some()
        && segments.next().is_none()
        && signed.iter().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shows_why_it_is_no_token() {
        for (text, expected) in [
            ("aa.bb.cc", &[][..]),
            ("", &[]),
            ("aa.bb", &[]),
            ("aa..cc", &["detached"]),
            ("..", &["detached"]),
            ("aa..cc=", &["padded", "detached"]),
            ("aa==.bb.cc", &["padded"]),
            ("aa.bb=.cc", &["padded"]),
            ("aa.bb.cc=", &["padded"]),
            ("aa.b=b.cc", &[]),
            ("a=.b", &[]),
            ("a=.b.c.d", &[]),
            ("Bearer aa.bb.cc", &["bearer-or-quoted"]),
            ("bEARER\taa.bb.cc", &["bearer-or-quoted"]),
            ("Bearer: aa.bb.cc", &["bearer-or-quoted"]),
            ("authorization: Bearer aa.bb.cc", &["bearer-or-quoted"]),
            ("Authorization: aa.bb.cc", &["bearer-or-quoted"]),
            ("\"aa.bb.cc\"", &["bearer-or-quoted"]),
            ("'aa.bb.cc='", &["padded", "bearer-or-quoted"]),
            ("\"Bearer aa.bb.c.d.e\"", &["bearer-or-quoted"]),
            ("Bearer opaque", &[]),
            ("\"aa.bb\"", &[]),
            ("\"aa.bb.cc", &[]),
            ("\"", &[]),
            ("Beareraa.bb.cc", &[]),
            ("Bearer ", &[]),
            ("aa.bb.cc~", &["sd-jwt"]),
            ("aa.bb.cc~dd~ee.ff.gg", &["sd-jwt"]),
            ("aa.bb.~dd~", &["sd-jwt"]),
            ("Bearer aa.bb.cc~dd~", &["bearer-or-quoted", "sd-jwt"]),
            ("aa.bb~dd.cc", &[]),
            ("aa..cc~dd", &["detached"]),
            ("a a.bb.cc~dd", &[]),
            ("~aa.bb.cc", &[]),
        ] {
            let found = findings(text.as_bytes(), true);
            let codes: Vec<_> = found.iter().map(Finding::code).collect();
            assert_eq!(codes, expected, "{text}");
        }
        assert!(findings(b"aa..cc", false).is_empty());
    }
}
