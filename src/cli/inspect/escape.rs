//! Text of strangers made fit to be shown: escaped, quoted, cut, and folded into columns.
//!
//! Everything of a token goes through here on its way to a page. Escapes are those of JSON, so that
//! what is shown inside of quotes reads back as what was written.

use std::fmt::Write as _;

/// Whether a character could deceive whoever reads it on a terminal. Beside controls, turns of the
/// writing direction and line separators, which rows escape, these are the invisible ones: a
/// token under inspection is read by eye.
const fn is_deceptive(c: char) -> bool {
    matches!(
        c,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}' | '\u{1160}'
            | '\u{1680}'
            | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{2000}'..='\u{200f}'
            | '\u{2028}'..='\u{202f}'
            | '\u{205f}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{10ffff}'
    )
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
    // Line ends and tabs between the pieces are white space, and no more than that; inside of
    // strings JSON does not allow them.
    text.chars()
        .filter(|c| is_deceptive(*c) && !matches!(c, '\t' | '\n' | '\r'))
        .count()
}

/// A string as JSON, in full.
pub(super) fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            _ => push_escaped(&mut out, c.encode_utf8(&mut [0; 4])),
        }
    }
    out.push('"');
    out
}

/// A string in quotes, in the middle of a sentence; a long one is cut, with a mark.
pub(super) fn quoted(text: &str) -> String {
    const MAX_CHARS: usize = 64;
    match text.char_indices().nth(MAX_CHARS) {
        None => json_string(text),
        Some((end, _)) => {
            let shown = json_string(text.get(..end).unwrap_or_default());
            format!("{}…\"", shown.strip_suffix('"').unwrap_or(&shown))
        }
    }
}

/// A JSON value as it is written, in the middle of a sentence; a long one is cut, with a mark.
pub(super) fn excerpt(value: &str) -> String {
    const MAX_CHARS: usize = 64;
    match value.char_indices().nth(MAX_CHARS) {
        None => escaped(value),
        Some((end, _)) => format!("{}…", escaped(value.get(..end).unwrap_or_default())),
    }
}

/// A number with a comma at every third digit.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Folds a text that is already escaped into lines of at most `width` columns. What would take
/// more than `max_lines` is cut, with a mark that says how long it is.
pub(super) fn fold(text: &str, width: usize, max_lines: usize) -> Vec<String> {
    const CONTINUED: &str = "  ↳ ";
    if columns(text) <= width {
        return vec![text.to_owned()];
    }
    let width = width.max(16);
    let mark = || format!("… ({} characters)", grouped(text.chars().count()));
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    let mut rest = text;
    let mut limit = width;
    while let Some(unit) = unit(rest) {
        let wide = columns(unit);
        if used + wide > limit {
            if limit < width || max_lines < 2 {
                line.push_str(&mark());
                break;
            }
            lines.push(std::mem::replace(&mut line, CONTINUED.to_owned()));
            used = columns(CONTINUED);
            // The last line keeps room for the mark, unless the rest fits without.
            if lines.len() + 1 == max_lines && used + columns(rest) > width {
                limit = width.saturating_sub(columns(&mark()));
            }
        }
        line.push_str(unit);
        used += wide;
        rest = rest.get(unit.len()..).unwrap_or_default();
    }
    lines.push(line);
    lines
}

/// The first character of a text, or the whole escape that it begins with.
fn unit(text: &str) -> Option<&str> {
    let first = text.chars().next()?;
    let len = match text.as_bytes() {
        [b'\\', b'u', ..] => 6,
        [b'\\', _, ..] => 2,
        _ => first.len_utf8(),
    };
    text.get(..len).or_else(|| text.get(..first.len_utf8()))
}

/// About how many columns a text takes on a terminal.
pub(super) fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let is_wide = |c| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}'
            | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}'
            | '\u{ffe0}'..='\u{ffe6}' | '\u{1f000}'..='\u{1faff}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Breaks a text at spaces into lines of at most `width` columns, and folds longer words.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line: Option<String> = None;
    for word in text.split(' ') {
        let mut next = match line.take() {
            Some(line) if columns(&line) + 1 + columns(word) <= width => format!("{line} {word}"),
            Some(full) => {
                lines.push(full.trim_end().to_owned());
                word.to_owned()
            }
            None => word.to_owned(),
        };
        if columns(&next) > width {
            let mut folded = fold(&next, width, usize::MAX);
            next = folded.pop().unwrap_or_default();
            lines.append(&mut folded);
        }
        line = Some(next);
    }
    lines.extend(line.map(|line| line.trim_end().to_owned()));
    lines
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

    #[test]
    fn a_long_string_is_cut_with_a_mark() {
        let lines = fold(&"a".repeat(10_000), 40, 3);
        assert_eq!(lines.len(), 3);
        assert!(lines[2].ends_with("… (10,000 characters)"), "{lines:?}");
        assert!(lines.iter().all(|line| columns(line) <= 40));
        assert_eq!(fold(&"a".repeat(40 + 36 + 36), 40, 3).len(), 3);
        assert!(fold(&"a".repeat(40 + 36 + 36), 40, 3)[2].ends_with("aaa"));
    }
}
