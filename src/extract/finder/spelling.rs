//! How a text spells the characters of a token: as they are, percent-encoded (`%2E`, `%252e`), or
//! escaped as in JSON and JavaScript (`\u002e`, `\x2e`, with any number of backslashes).

/// The character at `at`, and how many bytes spell it. A character that is not ASCII is its first
/// byte; an escape of one is no escape.
#[inline]
pub(super) fn character(text: &[u8], at: usize) -> Option<(u8, usize)> {
    match text.get(at)? {
        b'%' | b'\\' => escaped(text, at).or(Some((text[at], 1))),
        byte => Some((*byte, 1)),
    }
}

/// The character that an escape at `at` stands for, and the length of the escape.
#[cold]
fn escaped(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (code, end) = code(text, at)?;
    let byte = u8::try_from(code).ok().filter(u8::is_ascii)?;
    Some((byte, end - at))
}

/// The number in an escape at `at`, and where the escape ends.
fn code(text: &[u8], at: usize) -> Option<(u16, usize)> {
    let rest = &text[at..];
    let (mark, digits) = match rest.first()? {
        b'%' => {
            // Encoded twice, the `%` is `%25`.
            let pairs = rest[1..].chunks_exact(2);
            (1 + 2 * pairs.take_while(|pair| pair == b"25").count(), 2)
        }
        b'\\' => {
            let mark = rest.iter().take_while(|byte| **byte == b'\\').count();
            match rest.get(mark)? {
                b'u' => (mark + 1, 4),
                b'x' => (mark + 1, 2),
                _ => return None,
            }
        }
        _ => return None,
    };
    let digits = rest.get(mark..mark + digits)?;
    let mut code = 0;
    for digit in digits {
        code = code << 4 | u16::try_from(char::from(*digit).to_digit(16)?).ok()?;
    }
    Some((code, at + mark + digits.len()))
}

/// Whether three dots or `…` are at `at`, in whatever spelling.
pub(super) fn is_ellipsis(text: &[u8], at: usize) -> bool {
    let mut end = at;
    let mut is_next = |wanted: u8| match character(text, end) {
        Some((byte, length)) if byte == wanted => {
            end += length;
            true
        }
        _ => false,
    };
    if (0..3).all(|_| is_next(b'.')) {
        return true;
    }
    let rest = &text[at..];
    let percent = rest.first_chunk::<9>();
    rest.starts_with("…".as_bytes())
        || percent.is_some_and(|bytes| bytes.eq_ignore_ascii_case(b"%E2%80%A6"))
        || (rest.first() == Some(&b'\\') && code(text, at).is_some_and(|(code, _)| code == 0x2026))
}
