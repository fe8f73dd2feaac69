//! The other readings of a secret: what its text would be without a final line ending, in another
//! encoding, and the like.
//!
//! None of them is ever used. A report says which of them would verify tokens, where the secret that
//! was given verified none.

use zeroize::Zeroizing;

use super::secret::Encoding;
use super::shell;
use super::text::{from_utf16, without_bom};

/// A secret as it was given.
pub(crate) struct Given {
    pub(crate) text: Zeroizing<Vec<u8>>,
    pub(crate) encoding: Encoding,
}

/// Another reading of a secret that verified nothing, with which some tokens would verify. It is
/// never used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherReading {
    /// The index of the secret in the key set.
    pub key: u32,
    /// What the reading is, for people: `` as `base64:` ``.
    pub reading: String,
    /// How many tokens it would verify.
    pub verifies: usize,
    /// How many tokens were tried.
    pub tokens: usize,
    /// The option that gives the secret so, after a command where the file has to be changed.
    pub advice: String,
}

/// Another reading of a text, and what makes a secret of it.
pub(crate) struct Reading {
    pub(crate) secret: Zeroizing<Vec<u8>>,
    /// What is done to the text before it is decoded.
    changes: Vec<Change>,
    encoding: Encoding,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    FromUtf16,
    WithoutMark,
    WithoutLineEnd,
    WithoutQuotes,
}

impl Change {
    const fn description(self) -> &'static str {
        match self {
            Self::FromUtf16 => "as UTF-8 instead of UTF-16",
            Self::WithoutMark => "without its byte order mark",
            Self::WithoutLineEnd => "without its final newline",
            Self::WithoutQuotes => "without its quotes",
        }
    }

    const fn command(self) -> &'static str {
        match self {
            Self::FromUtf16 => "iconv -f UTF-16 -t UTF-8",
            Self::WithoutMark => "tail -c +4",
            Self::WithoutLineEnd => r"tr -d '\r\n'",
            Self::WithoutQuotes => r#"tr -d "'\"""#,
        }
    }

    /// The changed text; `None` where there is nothing to change.
    fn apply(self, text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let part = match self {
            Self::FromUtf16 => return from_utf16(text),
            Self::WithoutMark => without_bom(text),
            // The commands remove all, so that a text with more of them is another matter.
            Self::WithoutLineEnd => {
                let line = text.strip_suffix(b"\n")?;
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                (!line.iter().any(|byte| b"\r\n".contains(byte))).then_some(line)?
            }
            Self::WithoutQuotes => match text {
                [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => {
                    (!inner.iter().any(|byte| b"\"'".contains(byte))).then_some(inner)?
                }
                _ => return None,
            },
        };
        (part.len() < text.len()).then(|| Zeroizing::new(part.to_vec()))
    }
}

/// In the order in which they are applied, each to what the others before it left.
const CHANGES: [Change; 4] = [
    Change::FromUtf16,
    Change::WithoutMark,
    Change::WithoutLineEnd,
    Change::WithoutQuotes,
];

const ENCODINGS: [Encoding; 4] = [
    Encoding::Raw,
    Encoding::Base64,
    Encoding::Base64url,
    Encoding::Hex,
];

impl Given {
    /// Every other reading, each secret once, from the least changed on.
    pub(crate) fn other_readings(&self) -> Vec<Reading> {
        let own = self.encoding.decode(&self.text).ok();
        let mut text = self.text.clone();
        let mut changes = Vec::new();
        let mut readings: Vec<Reading> = Vec::new();
        let mut read = |text: &[u8], changes: &[Change]| {
            for encoding in ENCODINGS {
                let Ok(secret) = encoding.decode(text) else {
                    continue;
                };
                let is_known = own.iter().any(|own| **own == *secret)
                    || readings.iter().any(|known| *known.secret == *secret);
                if !is_known {
                    readings.push(Reading {
                        secret,
                        changes: changes.to_vec(),
                        encoding,
                    });
                }
            }
        };
        read(&text, &changes);
        for change in CHANGES {
            if let Some(changed) = change.apply(&text) {
                text = changed;
                changes.push(change);
                read(&text, &changes);
            }
        }
        readings
    }
}

impl Reading {
    /// What the reading is, for messages.
    pub(crate) fn description(&self) -> String {
        let mut parts: Vec<String> = self
            .changes
            .iter()
            .map(|it| it.description().to_owned())
            .collect();
        if self.encoding != Encoding::Raw || parts.is_empty() {
            parts.push(format!("as `{}:`", self.encoding.name()));
        }
        parts.join(", ")
    }

    /// The option that gives the secret so, after a command where the file has to be changed.
    /// `origin` is a path, or the name of a variable after a `$`.
    pub(crate) fn advice(&self, origin: &str) -> String {
        let encoding = match self.encoding {
            Encoding::Raw => String::new(),
            other => format!("{}:", other.name()),
        };
        let raw = format!("{}:", self.encoding.name());
        match (origin.strip_prefix('$'), &self.changes[..]) {
            (Some(name), []) => format!("--secret-env {raw}{name}"),
            (Some(_), _) => "set the variable so".to_owned(),
            (None, []) => format!("--secret-file {raw}{}", shell::name(origin, "")),
            (None, [first, rest @ ..]) => {
                let rest: String = rest
                    .iter()
                    .map(|it| format!(" | {}", it.command()))
                    .collect();
                let (file, new) = (shell::name(origin, ""), shell::name(origin, ".secret"));
                let first = first.command();
                format!("{first} < {file}{rest} > {new}; then --secret-file {encoding}{new}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &[u8], encoding: Encoding, secret: &[u8]) -> Option<(String, String)> {
        let given = Given {
            text: Zeroizing::new(text.to_vec()),
            encoding,
        };
        let readings = given.other_readings();
        let own = encoding.decode(text).ok();
        assert!(
            readings
                .iter()
                .all(|it| own.iter().all(|own| **own != *it.secret))
        );
        let found = readings.into_iter().find(|it| *it.secret == secret)?;
        Some((found.description(), found.advice("my secret")))
    }

    #[test]
    fn a_secret_has_the_readings_that_tools_and_editors_leave_of_it() {
        use Encoding::{Base64, Base64url, Hex, Raw};
        let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(*b"a\0b\0\r\0\n\0").collect();
        for (text, encoding, secret, description, advice) in [
            (
                &b"ab\n"[..],
                Raw,
                &b"ab"[..],
                "without its final newline",
                "tr -d '\\r\\n' < 'my secret' > 'my secret.secret'; then --secret-file 'my secret.secret'",
            ),
            (
                b"'ab'\r\n",
                Raw,
                b"ab",
                "without its final newline, without its quotes",
                "tr -d '\\r\\n' < 'my secret' | tr -d",
            ),
            (
                b"\"ab\"",
                Raw,
                b"ab",
                "without its quotes",
                "> 'my secret.secret'",
            ),
            (
                &utf16,
                Raw,
                b"ab",
                "as UTF-8 instead of UTF-16, without its final newline",
                "iconv -f UTF-16 -t UTF-8 < 'my secret' | tr -d",
            ),
            (
                b"\xef\xbb\xbfab",
                Raw,
                b"ab",
                "without its byte order mark",
                "tail -c +4 < 'my secret' > 'my secret.secret'",
            ),
            (
                b"Zm9v/+8=",
                Raw,
                b"foo\xff\xef",
                "as `base64:`",
                "--secret-file base64:'my secret'",
            ),
            (
                b"Zm9v_-8",
                Raw,
                b"foo\xff\xef",
                "as `base64url:`",
                "--secret-file base64url:'my secret'",
            ),
            (
                b"666f\n6f",
                Raw,
                b"foo",
                "as `hex:`",
                "--secret-file hex:'my secret'",
            ),
            (
                b"\"Zm9v\"",
                Raw,
                b"foo",
                "without its quotes, as `base64:`",
                "--secret-file base64:'my secret.secret'",
            ),
            (
                b"Zm9v",
                Base64,
                b"Zm9v",
                "as `raw:`",
                "--secret-file raw:'my secret'",
            ),
            (
                b"Zm9v\n",
                Base64url,
                b"Zm9v",
                "without its final newline",
                "--secret-file 'my secret.secret'",
            ),
            (
                b"abcd",
                Hex,
                b"abcd",
                "as `raw:`",
                "--secret-file raw:'my secret'",
            ),
        ] {
            let (found, command) = reading(text, encoding, secret).unwrap();
            assert_eq!(found, description, "{text:?}");
            assert!(command.contains(advice), "{command}");
        }
        for text in [&b"ab"[..], b"a'b", b"'ab\"", b"a\nb\n"] {
            assert!(reading(text, Encoding::Raw, b"ab").is_none(), "{text:?}");
        }
    }
}
