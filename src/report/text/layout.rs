//! The layout of the text report: columns, wrapped lines, bars, numbers and colours.
//!
//! Owns the width of the page and knows nothing of tokens. Callers pass untrusted names through
//! [`shown`] first.

use std::time::Duration;

use crate::display::is_deceptive;

/// The narrowest page, in columns: room for two numbers and a word.
const NARROWEST: usize = 60;
/// The longest bar, in columns.
const LONGEST_BAR: usize = 24;
/// Marks where a name was shortened.
const GAP: char = '…';

/// The meaning of a piece of text, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Plain,
    Heading,
    Good,
    Bad,
    Warning,
    Faint,
}

impl Tone {
    /// The parameters of the ANSI sequence "select graphic rendition" (ECMA-48 section 8.3.117).
    const fn sgr(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Heading => Some("1"),
            Self::Good => Some("1;32"),
            Self::Bad => Some("1;31"),
            Self::Warning => Some("33"),
            Self::Faint => Some("2"),
        }
    }
}

/// A piece of a line.
pub(super) type Span = (Tone, String);

/// The page written so far. Every row has two columns of numbers and a column of text.
pub(super) struct Page {
    text: String,
    color: bool,
    width: usize,
    number: usize,
}

impl Page {
    /// An empty page of `width` columns, for numbers up to `largest`.
    pub(super) fn new(color: bool, width: usize, largest: u64) -> Self {
        Self {
            text: String::new(),
            color,
            width: width.max(NARROWEST),
            number: grouped(largest).len().max("rejected".len()) + 1,
        }
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The column at which the text of rows begins.
    const fn text_column(&self) -> usize {
        2 * (self.number + 2)
    }

    /// The width of the text of rows, in columns.
    pub(super) fn text_width(&self) -> usize {
        self.width.saturating_sub(self.text_column()).max(16)
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// A heading over the columns, after an empty line.
    pub(super) fn heading(&mut self, numbers: [&str; 2], title: &str) {
        self.blank();
        self.row(
            numbers.map(|number| (Tone::Heading, number.to_owned())),
            &[(Tone::Heading, title.to_owned())],
        );
    }

    /// Two numbers, and text that is wrapped within its column.
    pub(super) fn row(&mut self, numbers: [Span; 2], text: &[Span]) {
        let mut lines = wrap(text, self.text_width()).into_iter();
        let mut first = Vec::new();
        for (tone, number) in numbers {
            let padding = self.number.saturating_sub(length(&number));
            first.push((Tone::Plain, " ".repeat(padding)));
            first.push((tone, number));
            first.push((Tone::Plain, "  ".to_owned()));
        }
        first.extend(lines.next().unwrap_or_default());
        self.line(first);
        self.indented(self.text_column(), lines);
    }

    /// Text under the text of a row.
    pub(super) fn below(&mut self, text: &[Span]) {
        let lines = wrap(text, self.text_width());
        self.indented(self.text_column(), lines.into_iter());
    }

    /// Text over the whole width, after a label of `indent` columns.
    pub(super) fn paragraph(&mut self, label: &str, indent: usize, text: &[Span]) {
        let mut lines = wrap(text, self.width - indent).into_iter();
        let mut first = vec![(Tone::Faint, format!("{label:indent$}"))];
        first.extend(lines.next().unwrap_or_default());
        self.line(first);
        self.indented(indent, lines);
    }

    fn indented(&mut self, indent: usize, lines: impl Iterator<Item = Vec<Span>>) {
        for mut line in lines {
            line.insert(0, (Tone::Plain, " ".repeat(indent)));
            self.line(line);
        }
    }

    fn line(&mut self, mut spans: Vec<Span>) {
        while let Some((_, last)) = spans.last_mut() {
            last.truncate(last.trim_end().len());
            if !last.is_empty() {
                break;
            }
            spans.pop();
        }
        for (tone, text) in spans {
            match tone.sgr().filter(|_| self.color && !text.trim().is_empty()) {
                Some(sgr) => {
                    let parts = ["\u{1b}[", sgr, "m", &text, "\u{1b}[0m"];
                    self.text.extend(parts);
                }
                None => self.text.push_str(&text),
            }
        }
        self.text.push('\n');
    }

    /// A bar beside labels of `label` columns; its length shows `count` in proportion to `largest`.
    pub(super) fn bar(&self, label: usize, count: u64, largest: u64) -> String {
        const EIGHTHS: [char; 8] = ['█', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
        let room = self.text_width().saturating_sub(label + 2).min(LONGEST_BAR);
        if count == 0 || largest == 0 || room < 4 {
            return String::new();
        }
        let eighths = u128::from(count) * 8 * room as u128 / u128::from(largest);
        let eighths = usize::try_from(eighths.max(1)).unwrap_or(0).min(8 * room);
        let mut bar = "█".repeat(eighths / 8);
        if eighths % 8 > 0 {
            bar.push(EIGHTHS[eighths % 8]);
        }
        bar
    }
}

/// Breaks text at spaces into lines of at most `width` characters; only a word longer than a line
/// is broken inside.
fn wrap(text: &[Span], width: usize) -> Vec<Vec<Span>> {
    let characters: Vec<(Tone, char)> = text
        .iter()
        .flat_map(|(tone, text)| text.chars().map(|c| (*tone, c)))
        .collect();
    let mut lines = Vec::new();
    let mut rest = &characters[..];
    while rest.len() > width {
        let is_end = |end: &usize| rest[*end].1 == ' ' && rest[*end - 1].1 != ' ';
        let end = (1..=width).rev().find(is_end).unwrap_or(width);
        lines.push(spans(&rest[..end]));
        rest = &rest[end..];
        let blanks = rest.iter().take_while(|(_, c)| *c == ' ').count();
        rest = &rest[blanks..];
    }
    lines.push(spans(rest));
    lines
}

/// Groups characters of one tone into spans.
fn spans(characters: &[(Tone, char)]) -> Vec<Span> {
    characters
        .chunk_by(|one, next| one.0 == next.0)
        .map(|run| (run[0].0, run.iter().map(|(_, c)| c).collect()))
        .collect()
}

/// The length in characters, which is close enough to columns for a report.
pub(super) fn length(text: &str) -> usize {
    text.chars().count()
}

/// Makes an untrusted name safe to print: deceptive and invisible characters are escaped, an empty
/// or blank name is quoted, and one of more than `room` characters is shortened in the middle.
pub(super) fn shown(name: &str, room: usize) -> String {
    let mut safe = String::new();
    for c in name.chars() {
        if is_deceptive(c) || is_invisible(c) {
            safe.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            safe.push(c);
        }
    }
    if safe.trim() != safe || safe.is_empty() {
        safe = format!("\"{safe}\"");
    }
    let length = length(&safe);
    if length <= room {
        return safe;
    }
    let kept = room.saturating_sub(1);
    let head = kept.div_ceil(2);
    let tail = kept - head;
    let middle = [GAP];
    let head = safe.chars().take(head);
    head.chain(middle)
        .chain(safe.chars().skip(length - tail))
        .collect()
}

/// Whether a character has no width, so that two different names could look the same.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{180e}'
            | '\u{200b}'..='\u{200d}'
            | '\u{2060}'..='\u{2065}'
            | '\u{206a}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

/// A number with its digits in groups of three.
pub(super) fn grouped(number: impl Into<u128>) -> String {
    let digits = number.into().to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 token`, `2 tokens`.
pub(super) fn plural(count: u64, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count))
}

/// A share in percent. Only none is shown as 0.0%, and only all as 100.0%.
pub(super) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let (part, whole) = (u128::from(part), u128::from(whole));
    match (part * 1000 + whole / 2) / whole {
        0 if part > 0 => "<0.1%".to_owned(),
        1000 if part < whole => ">99.9%".to_owned(),
        tenths => format!("{}.{}%", tenths / 10, tenths % 10),
    }
}

/// A measured time, in about three digits.
pub(super) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{:.1} ms", time.as_secs_f64() * 1e3),
        1..60 => format!("{:.2} s", time.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", grouped(seconds / 3600), seconds / 60 % 60),
    }
}

/// The rate per second; `None` where no time passed.
pub(super) fn per_second(count: u64, time: Duration) -> Option<u128> {
    (u128::from(count) * 1_000_000_000).checked_div(time.as_nanos())
}

/// A number of bytes with a decimal prefix.
pub(super) fn scaled_bytes(bytes: u128) -> String {
    let mut unit = 1;
    for name in ["kB", "MB", "GB", "TB", "PB", "EB"] {
        if bytes < 1000 {
            break;
        }
        unit *= 1000;
        let tenths = (bytes * 10 + unit / 2) / unit;
        if tenths < 10_000 || name == "EB" {
            return format!("{}.{} {name}", grouped(tenths / 10), tenths % 10);
        }
    }
    format!("{bytes} B")
}

/// A configured duration, in the largest unit that holds it exactly.
pub(super) fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "min")];
    let exact = |(unit, _): &(u64, &str)| seconds > 0 && seconds.is_multiple_of(*unit);
    let (unit, name) = units.into_iter().find(exact).unwrap_or((1, "s"));
    format!("{} {name}", grouped(seconds / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_none_rounds_to_0_and_only_all_to_100_percent() {
        assert_eq!(share(0, 7), "0.0%");
        assert_eq!(share(7, 7), "100.0%");
        assert_eq!(share(1, 3), "33.3%");
        assert_eq!(share(1, 10_000_000), "<0.1%");
        assert_eq!(share(9_999_999, 10_000_000), ">99.9%");
        assert_eq!(share(u64::MAX, u64::MAX), "100.0%");
        assert_eq!(share(0, 0), "");
    }

    #[test]
    fn numbers_are_grouped_scaled_and_timed() {
        assert_eq!(grouped(999_u64), "999");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(scaled_bytes(999), "999 B");
        assert_eq!(scaled_bytes(1000), "1.0 kB");
        assert_eq!(scaled_bytes(1362), "1.4 kB");
        assert_eq!(scaled_bytes(999_949), "999.9 kB");
        assert_eq!(scaled_bytes(999_950), "1.0 MB");
        assert_eq!(scaled_bytes(1_234_567_890), "1.2 GB");
        assert_eq!(scaled_bytes(u64::MAX.into()), "18.4 EB");
        assert_eq!(elapsed(Duration::from_micros(1_234)), "1.2 ms");
        assert_eq!(elapsed(Duration::from_millis(1_234)), "1.23 s");
        assert_eq!(elapsed(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(elapsed(Duration::from_secs(7_260)), "2 h 1 min");
        assert_eq!(per_second(3, Duration::from_millis(1500)), Some(2));
        assert_eq!(per_second(3, Duration::ZERO), None);
        let chosen = [0, 1, 90, 120, 7200, 604_800].map(duration);
        assert_eq!(chosen, ["0 s", "1 s", "90 s", "2 min", "2 h", "7 d"]);
    }

    #[test]
    fn names_are_escaped_and_shortened_in_the_middle() {
        assert_eq!(shown("https://a.example/", 20), "https://a.example/");
        assert_eq!(shown("https://a.example/", 11), "https…mple/");
        assert_eq!(shown("é".repeat(300).as_str(), 5), "éé…éé");
        assert_eq!(shown("", 20), "\"\"");
        assert_eq!(shown(" a", 20), "\" a\"");
        assert_eq!(
            shown("a\u{1b}[31m\n\u{202e}\u{200b}b", 80),
            r"a\u001b[31m\u000a\u202e\u200bb"
        );
    }

    #[test]
    fn text_wraps_at_spaces_and_inside_long_words() {
        let lines = |text: &str, width| -> Vec<String> {
            wrap(&[(Tone::Plain, text.to_owned())], width)
                .into_iter()
                .map(|line| line.into_iter().map(|(_, text)| text).collect())
                .collect()
        };
        assert_eq!(lines("", 5), [""]);
        assert_eq!(lines("one two three", 7), ["one two", "three"]);
        assert_eq!(lines("one two three", 6), ["one", "two", "three"]);
        assert_eq!(lines("a  abcdefgh", 4), ["a", "abcd", "efgh"]);
    }

    #[test]
    fn bars_grow_by_eighths_and_show_the_smallest_count() {
        let page = Page::new(false, 80, 0);
        assert_eq!(page.bar(0, 1, 1), "█".repeat(24));
        assert_eq!(page.bar(0, 1, 48), "▌");
        assert_eq!(page.bar(0, 1, u64::MAX), "▏");
        assert_eq!(page.bar(0, 0, 5), "");
        assert_eq!(page.bar(0, u64::MAX, u64::MAX).chars().count(), 24);
        assert_eq!(page.bar(56, 1, 1), "", "no room");
    }
}
