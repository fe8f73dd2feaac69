//! Text from a token or key file made safe to show: escaped, quoted and cut.
//!
//! Every such text goes through here on its way to the user. Escapes are those of JSON, so that
//! what is shown in quotes reads back as what was written.

use std::fmt::Write as _;

/// Whether a character could deceive whoever reads it on a terminal. Rows escape controls, changes
/// of the writing direction and line separators; here a token is read by eye, so that invisible
/// characters are escaped too.
const fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}'
        | '\u{115f}' | '\u{1160}' | '\u{1680}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}'
        | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{10ffff}')
}

/// Appends a text, with JSON escapes in the place of characters that deceive.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    for c in text.chars() {
        if is_deceptive(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
}

/// A text with escapes in the place of characters that deceive.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_escaped(&mut out, text);
    out
}

/// How many characters of a text are shown as escapes.
pub(super) fn deceptive_count(text: &str) -> usize {
    // JSON allows line ends and tabs only between its pieces, where they are white space.
    text.chars()
        .filter(|c| is_deceptive(*c) && !matches!(c, '\t' | '\n' | '\r'))
        .count()
}

/// A string as JSON, in full.
pub(super) fn json_string(text: &str) -> String {
    quoted_with(text, "")
}

/// A string in quotes, in the middle of a sentence; a long one is cut, with a mark.
pub(super) fn quoted(text: &str) -> String {
    let (shown, mark) = cut(text);
    quoted_with(shown, mark)
}

fn quoted_with(text: &str, mark: &str) -> String {
    let escaped = escaped(&text.replace('\\', "\\\\").replace('"', "\\\""));
    format!("\"{escaped}{mark}\"")
}

/// A JSON value as it is written, in the middle of a sentence; a long one is cut, with a mark.
pub(super) fn excerpt(value: &str) -> String {
    let (shown, mark) = cut(value);
    escaped(shown) + mark
}

fn cut(text: &str) -> (&str, &'static str) {
    const MAX_CHARS: usize = 64;
    match text.char_indices().nth(MAX_CHARS) {
        None => (text, ""),
        Some((end, _)) => (text.get(..end).unwrap_or_default(), "…"),
    }
}

/// A number with a comma at every third digit.
pub(super) fn grouped(number: usize) -> String {
    match number / 1000 {
        0 => number.to_string(),
        thousands => format!("{},{:03}", grouped(thousands), number % 1000),
    }
}

/// `1 key`, `2 keys`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_escaped_everywhere() {
        let text = "\u{1b}[31m\u{202e}\u{200b}\u{feff}\u{e0041}\u{7f}\u{9b}\u{a0}";
        assert_eq!(
            escaped(text),
            r"\u001b[31m\u202e\u200b\ufeff\udb40\udc41\u007f\u009b\u00a0"
        );
        assert_eq!(
            serde_json::from_str::<String>(&json_string(text)).unwrap(),
            text
        );
        assert_eq!(quoted(&"a".repeat(65)), format!("\"{}…\"", "a".repeat(64)));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(
            [0, 999, 1000, 1_048_576].map(grouped),
            ["0", "999", "1,000", "1,048,576"]
        );
    }
}
