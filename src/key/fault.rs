//! Why a key cannot be used, and what a message may show of one.

use super::shell;
use crate::signature::AlgorithmSet;

/// What every file has to be that is given as an anchor.
pub(super) const NO_ANCHOR: &str = "an anchor is the certificate of an authority, in PEM or DER";

/// What is wrong with a key, in whatever form it came.
#[derive(Debug)]
pub(super) struct Fault {
    /// The member of the JWK at fault; none where it is the key as a whole.
    pub(super) member: Option<&'static str>,
    /// What is wrong; never quotes any part of a key.
    pub(super) why: String,
    /// Whether the key is sound, but of a type that jotmill does not verify with. A token that
    /// names such a key is a mismatch, while a broken key makes it `key-unusable`.
    pub(super) is_other_type: bool,
    /// The algorithms of its type, as far as that can be read: all where nothing is known.
    pub(super) fits: AlgorithmSet,
    /// The command that makes a key file of it; `FILE` is the file.
    command: Option<String>,
    /// Whether that command makes a certificate of it.
    makes_certificate: bool,
}

impl Fault {
    /// A key that is broken or malformed as a whole.
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self {
            member: None,
            why: why.into(),
            is_other_type: false,
            fits: AlgorithmSet::ALL,
            command: None,
            makes_certificate: false,
        }
    }

    /// A key with a member that is broken, malformed or absent.
    pub(super) fn at(member: &'static str, why: impl Into<String>) -> Self {
        Self::new(why).with_member(Some(member))
    }

    /// A sound key of a type that jotmill does not verify with.
    pub(super) fn other_type(why: impl Into<String>) -> Self {
        Self {
            is_other_type: true,
            fits: AlgorithmSet::EMPTY,
            ..Self::new(why)
        }
    }

    /// A key that is broken, of a type that fits these algorithms.
    pub(super) fn fitting(self, algorithms: AlgorithmSet) -> Self {
        Self {
            fits: self.fits.intersection(algorithms),
            ..self
        }
    }

    pub(super) fn with_member(self, member: Option<&'static str>) -> Self {
        Self { member, ..self }
    }

    /// Adds the command that makes a key file of it, in which `FILE` stands for the file.
    pub(super) fn with_command(self, command: impl Into<String>) -> Self {
        Self {
            command: Some(command.into()),
            makes_certificate: true,
            ..self
        }
    }

    /// Adds the command that makes a key file of it, but never a certificate.
    pub(super) fn with_key_command(self, command: impl Into<String>) -> Self {
        Self {
            makes_certificate: false,
            ..self.with_command(command)
        }
    }

    /// The fault of what was given as an anchor and is no certificate.
    pub(super) fn for_anchor(self) -> Self {
        if self.makes_certificate {
            return self;
        }
        Self {
            why: format!("{}; {NO_ANCHOR}", self.why),
            command: None,
            ..self
        }
    }

    /// Another command, where there is one: the file has to be converted before.
    pub(super) fn with_first_command(self, command: Option<&str>) -> Self {
        let command = self.command.and(command).map(str::to_owned);
        Self { command, ..self }
    }

    /// Completes the message for the file of this name.
    pub(super) fn for_file(self, origin: &str) -> Self {
        let Some(command) = &self.command else {
            return self;
        };
        let command = shell::with_file(command, origin);
        Self {
            why: format!("{}: {command}", self.why),
            command: None,
            ..self
        }
    }

    /// Adds the line of the file in which the key begins.
    pub(super) fn in_line(self, line: usize) -> Self {
        Self {
            why: format!("line {line}: {}", self.why),
            ..self
        }
    }

    /// What is wrong, after the member at fault.
    pub(super) fn problem(&self) -> String {
        problem(self.member, &self.why)
    }
}

/// What is wrong with a key, after the member at fault.
pub(super) fn problem(member: Option<&str>, why: &str) -> String {
    member.map_or_else(|| why.to_owned(), |member| format!("{member}: {why}"))
}

/// The value of a public member such as `alg` or `use`, quoted. One that might be a secret in the
/// wrong place is not shown.
pub(super) fn shown(value: &str) -> String {
    /// Longer than every registered value, and shorter than a token or a secret of 16 bytes in hex.
    const LONGEST: usize = 24;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._:/# ".contains(&byte);
    let is_shown = value.len() <= LONGEST && value.bytes().all(is_plain);
    if is_shown && !value.starts_with("eyJ") {
        format!("\"{value}\"")
    } else {
        format!("a value of {} bytes, not shown", value.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_unless_they_may_be_secrets() {
        for value in ["", "enc", "jwt-svid", "PBES2-HS512+A256KW", "sig "] {
            assert_eq!(shown(value), format!("\"{value}\""));
        }
        for value in [
            "eyJhbGciOi..",
            "a\u{1b}[31m",
            "0123456789abcdef0123456789abcdef",
            "pass=word!",
        ] {
            let text = shown(value);
            assert!(
                !text.contains(value) && text.contains("not shown"),
                "{text}"
            );
        }
    }
}
