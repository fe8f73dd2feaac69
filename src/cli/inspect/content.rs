//! The part of the page that shows a header or a payload: JSON laid out again, or as much of it as
//! can be read, with what is unusual about it.

use std::io;

use super::escape::{columns, deceptive_count, escaped, fold, grouped, quoted};
use super::json_text::{JsonText, layout};
use super::page::{Page, Style};
use super::segment::JsonSegment;

/// How many lines are shown of JSON that is refused for its depth.
const MAX_DEEP_LINES: usize = 20;

impl Page<'_> {
    /// The content of a segment, as far as it is JSON. `is_told` says that its faults have been
    /// told as the reason of the rejection.
    pub(super) fn json(
        &mut self,
        shown: &JsonSegment<'_>,
        max_lines: usize,
        is_told: bool,
    ) -> io::Result<()> {
        let segment = &shown.segment;
        if segment.encoded.is_empty() {
            return self.line(false, Style::Plain, "it is empty");
        }
        if let (Some(fault), false) = (segment.spelling, is_told) {
            let text = format!("not canonical base64url: {}", fault.words());
            self.paragraph(true, Style::Bad, 0, &text)?;
        }
        let Some(json) = &shown.json else {
            let text = format!(
                "{} characters: too long to be shown",
                grouped(segment.encoded.len())
            );
            return self.line(false, Style::Plain, &text);
        };
        let text = match json {
            Ok(text) => text,
            Err(_) if segment.spelling.is_some() => return self.beginning(shown),
            Err(fault) => {
                if !is_told {
                    let text = format!("not JSON: {}", fault.words());
                    self.paragraph(true, Style::Bad, 0, &text)?;
                }
                return self.around_fault(shown);
            }
        };
        if segment.spelling.is_some() {
            self.paragraph(
                false,
                Style::Plain,
                0,
                "decoded in spite of that, for display only:",
            )?;
        }
        let max_lines = if text.too_deep.is_some() {
            MAX_DEEP_LINES
        } else {
            max_lines
        };
        let shown = layout(&text.text, self.width.saturating_sub(4), max_lines);
        for line in &shown.lines {
            self.line(true, Style::Plain, &format!("  {line}"))?;
        }
        if shown.is_cut {
            let text = format!(
                "cut after {} lines; it has {} bytes, and --format json shows them all",
                shown.lines.len(),
                grouped(text.text.len())
            );
            self.paragraph(false, Style::Doubt, 2, &text)?;
        }
        self.remarks(text, is_told)
    }

    /// What is unusual about JSON that can be read.
    fn remarks(&mut self, text: &JsonText, is_told: bool) -> io::Result<()> {
        let hidden = deceptive_count(&text.text);
        if hidden > 0 {
            let text = format!(
                "{} control, invisible or direction-turning character{} shown as \\u escapes",
                grouped(hidden),
                if hidden == 1 { " is" } else { "s are" }
            );
            self.paragraph(false, Style::Doubt, 2, &text)?;
        }
        for member in text
            .members
            .iter()
            .filter(|member| member.is_escaped)
            .take(5)
        {
            let text = format!(
                "a name is written with escapes: it is {}",
                quoted(&member.name)
            );
            self.paragraph(true, Style::Doubt, 2, &text)?;
        }
        if is_told {
            return Ok(());
        }
        if !text.is_object() {
            self.paragraph(
                true,
                Style::Bad,
                2,
                &format!("not an object, but {}", text.kind),
            )?;
        }
        if text.too_deep.is_some() {
            self.paragraph(true, Style::Bad, 2, "nested deeper than 64 levels")?;
        }
        for name in text.twice.iter().take(5) {
            let text = format!("{} occurs more than once", quoted(name));
            self.paragraph(true, Style::Bad, 2, &text)?;
        }
        Ok(())
    }

    /// The beginning of what could be decoded in front of a fault in base64url.
    fn beginning(&mut self, shown: &JsonSegment<'_>) -> io::Result<()> {
        let bytes = shown.segment.bytes.as_deref().unwrap_or_default();
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return self.line(false, Style::Plain, "what can be decoded is not JSON");
        }
        self.line(false, Style::Plain, "what can be decoded begins with:")?;
        // A limit far beyond what fits, so that little is escaped in vain.
        let bytes = bytes.get(..2000).unwrap_or(bytes);
        let text = String::from_utf8_lossy(bytes).replace(char::REPLACEMENT_CHARACTER, "");
        for line in fold(&escaped(&text), self.width.saturating_sub(4), 6) {
            self.line(true, Style::Plain, &format!("  {line}"))?;
        }
        Ok(())
    }

    fn around_fault(&mut self, shown: &JsonSegment<'_>) -> io::Result<()> {
        let bytes = shown.segment.bytes.as_deref().unwrap_or_default();
        let is_text = std::str::from_utf8(bytes).is_ok();
        if !is_text && !bytes.trim_ascii_start().starts_with(b"{") {
            let text = format!("{} bytes that are no text", grouped(bytes.len()));
            return self.line(false, Style::Plain, &text);
        }
        let room = self.width.saturating_sub(4);
        if let Some((text, at)) = shown.around_fault(room) {
            let before: String = text.chars().take(at).collect();
            self.line(true, Style::Plain, &format!("  {text}"))?;
            let caret = format!("  {}^", " ".repeat(columns(&before)));
            self.line(true, Style::Doubt, &caret)?;
        }
        Ok(())
    }
}
