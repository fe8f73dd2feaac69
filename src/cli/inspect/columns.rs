//! Text broken into lines of a given width, in columns of a terminal.

use std::mem;

use super::escape::grouped;

/// Folds a text that is already escaped into lines of at most `width` columns. What would take
/// more than `max_lines` is cut, with a mark that says how long it is.
pub(super) fn fold(text: &str, width: usize, max_lines: usize) -> Vec<String> {
    if columns(text) <= width {
        return vec![text.to_owned()];
    }
    let width = width.max(16);
    let mark = || format!("… ({} characters)", grouped(text.chars().count()));
    let (mut lines, mut line, mut rest) = (Vec::new(), String::new(), text);
    while let Some(unit) = unit(rest) {
        // The last line keeps room for the mark, unless the rest fits without.
        let is_last = lines.len() + 1 == max_lines && columns(&line) + columns(rest) > width;
        let limit = width.saturating_sub(if is_last { columns(&mark()) } else { 0 });
        if columns(&line) + columns(unit) > limit {
            if is_last {
                line += &mark();
                break;
            }
            lines.push(mem::replace(&mut line, "  ↳ ".to_owned()));
        }
        line += unit;
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
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if columns(line) + 1 + columns(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.extend(fold(word, width, usize::MAX)),
        }
    }
    for line in &mut lines {
        line.truncate(line.trim_end().len());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

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
