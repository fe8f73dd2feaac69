//! Messages about a mistake in a policy file: where it is, and nothing that may be a secret.

use std::borrow::Cow;
use std::path::Path;

use anyhow::anyhow;

/// The TOML reader's message without the values that it quotes: any text in a wrong place may be a
/// secret. The line and column say what is meant.
pub(super) fn without_values(message: &str) -> Cow<'_, str> {
    let shortened = |kind: &str| {
        let rest = message.strip_prefix(kind)?;
        let (found, expected) = rest.rsplit_once(", expected ")?;
        let found = found.split(['`', '"']).next().unwrap_or_default().trim();
        Some(format!("{kind}{found}, expected {expected}"))
    };
    let shortened = shortened("invalid type: ").or_else(|| shortened("invalid value: "));
    if let Some(shortened) = shortened {
        return shortened.into();
    }
    let unknown = message.strip_prefix("unknown field `");
    match unknown.and_then(|rest| rest.split_once('`')) {
        Some((name, rest)) if !is_like_a_member(name) => format!("unknown field{rest}").into(),
        _ => message.into(),
    }
}

/// Whether a name looks like the members of a file, so that it is a slip and no secret.
fn is_like_a_member(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || b"_-".contains(&byte);
    name.len() <= 20 && name.bytes().all(is_plain)
}

/// A message with the line and the column, in characters from 1, of a byte of a file.
pub(super) fn mistake(path: &Path, text: &str, at: usize, message: &str) -> anyhow::Error {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let mut shown = String::new();
    for c in message.trim().chars() {
        match c {
            '\n' => shown.push_str("; "),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    anyhow!("{}:{line}:{column}: {shown}", path.display())
}
