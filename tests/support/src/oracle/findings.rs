//! The findings of a text as a whole, by their definitions: it knows no verdict, and looks at every
//! text.

use super::{Code, FINDINGS};

/// What a text shows; `has_alg` says whether its header has an `alg`.
pub(super) fn of_text(token: &[u8], has_alg: bool) -> Vec<Code> {
    // One character a byte, so that nothing is lost.
    let text: String = token.iter().map(|&byte| char::from(byte)).collect();
    let inner = without_http(&without_quotes(&text));
    let segments: Vec<&str> = inner.split('.').collect();

    let mut found = Vec::new();
    if inner != text && segments.len() > 2 {
        found.push("bearer-or-quoted");
    }
    if inner
        .split_once('~')
        .is_some_and(|(signed, _)| is_signed(signed))
    {
        found.push("sd-jwt");
    }
    if let [_, payload, _] = segments[..] {
        if segments.iter().any(|segment| segment.ends_with('=')) {
            found.push("padded");
        }
        if payload.is_empty() && has_alg {
            found.push("detached");
        }
    }
    found
}

/// In the order of [`FINDINGS`].
pub(super) fn sort(findings: &mut [Code]) {
    findings.sort_by_key(|code| FINDINGS.iter().position(|known| known == code));
}

fn without_quotes(text: &str) -> String {
    for mark in ['"', '\'', '`'] {
        let bare = text
            .strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark));
        if let Some(bare) = bare {
            return bare.to_owned();
        }
    }
    text.to_owned()
}

/// `Authorization:` and then `Bearer`, in any case, with colons, spaces and tabs behind each.
fn without_http(text: &str) -> String {
    let mut bare = text.to_owned();
    for word in ["AUTHORIZATION", "BEARER"] {
        let Some(rest) = bare.to_ascii_uppercase().strip_prefix(word).map(str::len) else {
            continue;
        };
        let rest = &bare[bare.len() - rest..];
        let token = rest.trim_start_matches([':', ' ', '\t']);
        if token != rest && !token.is_empty() {
            bare = token.to_owned();
        }
    }
    bare
}

/// Three segments of base64url, of which the signature may be empty.
fn is_signed(text: &str) -> bool {
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let segments: Vec<&str> = text.split('.').collect();
    segments.len() == 3
        && !segments[0].is_empty()
        && !segments[1].is_empty()
        && segments.concat().chars().all(is_base64url)
}
