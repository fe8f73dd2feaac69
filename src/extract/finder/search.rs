//! The two scans that everything else waits for: where a token may begin, and where base64url ends.
//!
//! A start is one of the few strings that a JSON object can begin with in base64url, or a piece of
//! `Bearer`. Vectors look for what is like one, and [`is_start`] decides.

mod arch;

use crate::platform::Platform;

/// Whether a byte is a character of base64url.
pub(super) const fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether a token may begin with this, or `earer` of `Bearer`.
fn is_start(rest: &[u8]) -> bool {
    match rest {
        // `{"` and `{ `, then `{` and a line end or a tab: the third character has bits of the byte
        // behind them, which is part of a name or white space.
        [b'e', b'y', b'A' | b'I'..=b'L', ..] | [b'e', b'w', b'o' | b'0' | b'k', ..] => true,
        [
            b'e' | b'E',
            b'a' | b'A',
            b'r' | b'R',
            b'e' | b'E',
            b'r' | b'R',
            ..,
        ] => true,
        _ => false,
    }
}

/// The first start at or behind `from`.
pub(super) fn next_start(platform: Platform, text: &[u8], mut from: usize) -> Option<usize> {
    loop {
        from = arch::like_start(platform, text, from)?;
        if is_start(&text[from..]) {
            return Some(from);
        }
        from += 1;
    }
}

/// Where the run of base64url from `from` on ends.
pub(super) fn run_end(platform: Platform, text: &[u8], from: usize) -> usize {
    arch::run_end(platform, text, from)
}
