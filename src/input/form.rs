//! How tokens lie in an input, and how that is found out.
//!
//! Owns the look at the beginning of an input. What an extractor does with a form is left to `extract`.

use super::block::BYTE_ORDER_MARK;

/// The form that inputs are read in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputForm {
    /// Decided for each input by its first [`SNIFFED_BYTES`] bytes.
    Auto,
    /// One token a line: every line that is not blank is a token or is rejected.
    #[default]
    Tokens,
    /// Tokens anywhere in text.
    Text,
}

/// How many bytes of an input, unpacked, decide on its form.
pub const SNIFFED_BYTES: usize = 64 << 10;

/// The form that an input was read in, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormChoice {
    /// The form; never [`InputForm::Auto`].
    pub form: InputForm,
    /// What decided: a clause without a full stop.
    pub why: &'static str,
}

impl InputForm {
    /// Every form.
    pub const ALL: &'static [Self] = &[Self::Auto, Self::Tokens, Self::Text];

    /// Why a form was taken that was not looked for.
    pub(crate) const AS_GIVEN: &'static str = "as given";

    /// The name on the command line and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Tokens => "tokens",
            Self::Text => "text",
        }
    }

    /// How many bytes of an input [`choose`](Self::choose) wants: one more than it looks at, so that it
    /// knows whether there are more.
    pub(crate) const fn wanted_bytes(self) -> usize {
        match self {
            Self::Auto => SNIFFED_BYTES + 1,
            Self::Tokens | Self::Text => 0,
        }
    }

    /// The form of an input that begins with `start`: all of it, or at least the bytes that are wanted.
    pub(crate) fn choose(self, start: &[u8]) -> FormChoice {
        let choice = |form, why| FormChoice { form, why };
        let is_whole = start.len() <= SNIFFED_BYTES;
        let start = &start[..start.len().min(SNIFFED_BYTES)];
        match self {
            Self::Auto if begins_with_tokens(start, is_whole) => choice(
                Self::Tokens,
                "most lines of its beginning are one token each",
            ),
            Self::Auto => choice(Self::Text, "most lines of its beginning are no token alone"),
            form => choice(form, Self::AS_GIVEN),
        }
    }
}

/// Whether more than half of the lines that are not blank are one token each.
fn begins_with_tokens(start: &[u8], is_whole: bool) -> bool {
    let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    let (mut tokens, mut others) = (0_u64, 0_u64);
    let mut lines = start.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        // A line that the look cuts counts by its beginning.
        let is_cut = lines.peek().is_none() && !is_whole;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = trim_blanks(line);
        if line.is_empty() {
            continue;
        }
        match is_token(line, is_cut) {
            true => tokens += 1,
            false => others += 1,
        }
    }
    tokens > others
}

fn trim_blanks(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// How an object begins in base64url: a brace, and a quote, white space or another brace behind it.
const BEGINNINGS: [&[u8]; 6] = [b"eyJ", b"eyA", b"ewo", b"ew0", b"ewk", b"e30"];

/// Whether a line is base64url and dots alone, and begins as an encoded object does.
fn is_token(line: &[u8], is_cut: bool) -> bool {
    let begins = |with: &&[u8]| line.starts_with(with) || is_cut && with.starts_with(line);
    BEGINNINGS.iter().any(begins)
        && line
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && (is_cut || line.contains(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_what_most_lines_are() {
        for (text, form) in [
            ("eyJhbGciOiJIUzI1NiJ9.e30.c2ln\n", InputForm::Tokens),
            ("\u{feff}eyJh.e30.c2ln", InputForm::Tokens),
            ("\n\n  eyJh.e30.c2ln\t\r\nx\neyJi.e30.\n", InputForm::Tokens),
            ("ewo.a\new0.b\newk.c\neyA.d\nx\ny\nz", InputForm::Tokens),
            ("eyJh.e30.c2ln\nnone\n", InputForm::Text),
            ("Bearer eyJh.e30.c2ln\n", InputForm::Text),
            ("\"eyJh.e30.c2ln\"\n", InputForm::Text),
            ("eyJh.e30.c2ln,\n", InputForm::Text),
            ("eyJh\n", InputForm::Text),
            ("example.com\n", InputForm::Text),
            ("elephant.example.com\n", InputForm::Text),
            ("", InputForm::Text),
            ("\n \n", InputForm::Text),
        ] {
            let choice = InputForm::Auto.choose(text.as_bytes());
            assert_eq!(choice.form, form, "{text:?}");
            for explicit in [InputForm::Tokens, InputForm::Text] {
                let choice = explicit.choose(text.as_bytes());
                assert_eq!((choice.form, choice.why), (explicit, "as given"));
            }
        }
    }

    #[test]
    fn a_line_that_the_look_cuts_counts_by_its_beginning() {
        for text in [
            "e",
            "ey",
            "eyJhbGciOiJIUzI1NiJ9",
            "eyJh.e30.c",
            "x\neyJh.b.c\ney",
        ] {
            assert!(begins_with_tokens(text.as_bytes(), false), "{text}");
        }
        assert!(!begins_with_tokens(b"GET /ey", false));
        // One byte decides whether the last line is whole.
        let mut text = vec![b'\n'; SNIFFED_BYTES - 2];
        text.extend_from_slice(b"ey");
        assert_eq!(InputForm::Auto.choose(&text).form, InputForm::Text);
        text.push(b'J');
        assert_eq!(InputForm::Auto.choose(&text).form, InputForm::Tokens);
    }
}
