//! Strings that tokens and keys choose, made safe to print.
//!
//! Owns how long such a string may be and which characters must be escaped. How they are escaped is
//! left to each format.

use std::borrow::Cow;

use crate::redact::redacted;

/// The longest string that is printed in full, in bytes.
const MAX_STRING: usize = 256;
/// Marks a string that was cut.
const CUT: &str = "…";

/// Cuts a string, and masks a token or a key in it.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    match cut(text) {
        Cow::Borrowed(text) => redacted(text),
        Cow::Owned(text) => redacted(&text).into_owned().into(),
    }
}

/// Cuts a string after [`MAX_STRING`] bytes, between characters, and marks the cut.
pub(crate) fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_STRING {
        return text.into();
    }
    let end = text.floor_char_boundary(MAX_STRING);
    format!("{}{CUT}", &text[..end]).into()
}

/// Whether a character could mislead a reader on a terminal or in an editor: controls, changes of
/// the writing direction, and line separators.
pub(crate) const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_strings_are_cut_between_characters() {
        assert_eq!(cut(&"a".repeat(256)), "a".repeat(256));
        assert_eq!(cut(&"a".repeat(257)), format!("{}…", "a".repeat(256)));
        assert_eq!(cut(&"é".repeat(200)), format!("{}…", "é".repeat(128)));
        assert_eq!(
            cut(&format!("a{}", "é".repeat(200))),
            format!("a{}…", "é".repeat(127))
        );
    }
}
