//! Rows: one for each token of a run.
//!
//! [`Row`] owns what may be shown of a token. A [`RowWriter`] owns a text format and only spells
//! what the row holds; [`json`] is the first. Opening and flushing the output is left to the run.

mod json;

pub(crate) use json::JsonLines;

use std::borrow::Cow;
use std::io::{self, Write};

use sha2::{Digest, Sha256};

use crate::display::shown;
use crate::extract::{Content, Found};
use crate::time::{NumericDate, UnixTime};
use crate::validator::{Judged, Validator};
use crate::verdict::{Reason, ReasonSet, Verdict};

/// Which rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Only {
    /// Rows of valid tokens.
    Valid,
    /// Rows of rejected tokens.
    Rejected,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct RowOptions {
    /// Which rows are written; `None` for all.
    pub only: Option<Only>,
    /// Adds the whole token to its row. Whoever reads the row can then use the token.
    pub show_tokens: bool,
    /// Adds the name of the input to each row.
    pub with_file: bool,
}

impl RowOptions {
    pub(crate) const fn wants(&self, verdict: &Verdict) -> bool {
        match self.only {
            None => true,
            Some(Only::Valid) => verdict.is_valid(),
            Some(Only::Rejected) => !verdict.is_valid(),
        }
    }
}

/// All that may be shown of a token, but for its line number, which a worker does not know. Strings
/// that the token chose are cut, and not yet escaped.
pub(crate) struct Row<'r> {
    /// The byte offset of the token in its input.
    offset: u64,
    /// When it was used, if its record says so: the instant of the verdict.
    at: Option<UnixTime>,
    /// Whether it is valid at the instant of the run, if the verdict is at the time of its use.
    is_valid_now: Option<bool>,
    /// Why it was rejected; empty for a valid token.
    reasons: ReasonSet,
    /// From the header, whether or not a signature covers it.
    alg: Option<Cow<'r, str>>,
    kid: Option<Cow<'r, str>>,
    /// The name of the key that verified the signature. Claims are shown only where there is one.
    key: Option<&'r str>,
    iss: Option<Cow<'r, str>>,
    sub: Option<Cow<'r, str>>,
    exp: Option<NumericDate>,
    nbf: Option<NumericDate>,
    iat: Option<NumericDate>,
    jti: Option<Cow<'r, str>>,
    /// The required claims that are absent or null. Registered claims are not among them: each has a
    /// reason of its own.
    missing: Vec<Cow<'r, str>>,
    /// The first bytes of the token's SHA-256; `None` for a line that was too long to keep.
    sha256: Option<[u8; 8]>,
    /// The whole token, if rows show tokens.
    token: Option<Cow<'r, str>>,
    /// The length in bytes of what is written at its place, where that is not a line of its own; or of a
    /// line that was too long to be a token.
    length: Option<u64>,
}

impl<'r> Row<'r> {
    pub(crate) fn new(
        found: &'r Found<'_>,
        judged: &'r Judged<'_>,
        validator: &'r Validator,
        options: &RowOptions,
        is_valid_now: Option<bool>,
    ) -> Self {
        let verdict = &judged.verdict;
        let key = verdict.key.and_then(|key| validator.keys().get(key));
        let claims = judged.claims;
        let bytes = found.content.bytes();
        Self {
            offset: found.offset,
            at: found.is_timed.then_some(found.at),
            is_valid_now,
            reasons: verdict.reasons,
            alg: judged.alg.map(shown),
            kid: judged.kid.map(shown),
            // Names of keys are cut when keys are loaded; they would not be unique if cut again.
            key: key.map(|key| key.name()),
            iss: claims.and_then(|claims| claims.iss.value()).map(shown),
            sub: claims.and_then(|claims| claims.sub.value()).map(shown),
            exp: claims.and_then(|claims| claims.exp.value()),
            nbf: claims.and_then(|claims| claims.nbf.value()),
            iat: claims.and_then(|claims| claims.iat.value()),
            jti: claims.and_then(|claims| claims.jti.value()).map(shown),
            missing: claims
                .filter(|_| verdict.reasons.contains(Reason::MissingClaim))
                .map(|claims| validator.policy_of(verdict.key).missing_names(claims))
                .map_or_else(Vec::new, |names| names.map(shown).collect()),
            sha256: bytes.map(digest),
            token: bytes
                .filter(|_| options.show_tokens)
                .map(String::from_utf8_lossy),
            length: match found.content {
                Content::TooLong(length) => Some(length),
                Content::Token(_) | Content::Malformed(..) => found.length,
            },
        }
    }
}

/// A text format of rows. A row is what precedes its line number, the number in decimal, and what
/// follows it: workers render the last part, and the run adds the others once the number is known.
pub(crate) trait RowWriter: Sync {
    /// Appends what precedes the line number, the same for all rows of an input. `file` is the name
    /// of the input, where rows show it.
    fn before_line(&self, text: &mut String, file: Option<&str>);

    /// Appends what follows the line number, with the end of the row.
    fn after_line(&self, text: &mut String, row: &Row<'_>);
}

/// The rows of a block, rendered from behind their line numbers. Its buffers are reused.
pub(crate) struct Rows {
    writer: &'static dyn RowWriter,
    text: String,
    /// For each row its line, counted from the start of the block, and where its text ends.
    ends: Vec<(u64, usize)>,
}

impl Rows {
    pub(crate) const fn new(writer: &'static dyn RowWriter) -> Self {
        Self {
            writer,
            text: String::new(),
            ends: Vec::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Renders the row of the `line`-th line of the block.
    pub(crate) fn push(&mut self, line: u64, row: &Row<'_>) {
        self.writer.after_line(&mut self.text, row);
        self.ends.push((line, self.text.len()));
    }

    /// Writes the rows of a block that begins after line `line_base` of its input. `file` is the
    /// name of the input, where rows show it.
    pub(crate) fn write(
        &self,
        out: &mut dyn Write,
        file: Option<&str>,
        line_base: u64,
    ) -> io::Result<()> {
        let mut place = String::with_capacity(64 + file.map_or(0, str::len));
        self.writer.before_line(&mut place, file);
        let before_line = place.len();
        let mut start = 0;
        for (line, end) in &self.ends {
            place.truncate(before_line);
            push_number(&mut place, line_base + line);
            out.write_all(place.as_bytes())?;
            out.write_all(&self.text.as_bytes()[start..*end])?;
            start = *end;
        }
        Ok(())
    }
}

/// The first bytes of a token's SHA-256: enough to find the token again without showing it.
pub(crate) fn digest(token: &[u8]) -> [u8; 8] {
    let digest: [u8; 32] = Sha256::digest(token).into();
    std::array::from_fn(|index| digest[index])
}

/// Appends a number in decimal, several times as fast as `write!`.
fn push_number(text: &mut String, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10).to_le_bytes()[0];
        number /= 10;
        if number == 0 {
            break;
        }
    }
    text.extend(digits[first..].iter().map(|digit| char::from(*digit)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_full() {
        let mut text = String::new();
        for number in [0, 7, 10, u64::MAX] {
            push_number(&mut text, number);
            text.push(' ');
        }
        assert_eq!(text, "0 7 10 18446744073709551615 ");
    }
}
