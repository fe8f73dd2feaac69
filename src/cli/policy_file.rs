//! `--policy`: a file of policies, one for each issuer, and the effective policy as such a file.
//!
//! Owns what a file means, and where in it a mistake is. What a value means is left to the flags:
//! each issuer of a file becomes the flags that say the same. No part of a secret belongs into a
//! file or a message, so no message quotes a line of the file.

mod document;
mod effective;
mod mistake;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use jotmill::{KeySet, Policy};
use toml::Spanned;

use super::args;
use super::flags::{self, KeyFlags, PolicyFlags, Secret};
use document::{Document, Issuer, List, Text, texts};
pub(crate) use effective::effective;
use mistake::{mistake, without_values};

/// A file, with what is needed to point into it.
pub(crate) struct PolicyFile {
    path: PathBuf,
    text: String,
    document: Document,
}

impl PolicyFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = args::read(path, "policy")?;
        let at_byte = |text: &str, span: Range<usize>, message: &str| {
            mistake(path, text, span.start, message)
        };
        let text = match std::str::from_utf8(&bytes) {
            Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            Err(error) => {
                let end = error.valid_up_to();
                let before = String::from_utf8_lossy(&bytes[..end]);
                return Err(at_byte(&before, end..end, "not UTF-8"));
            }
        };
        let document = toml::from_str(&text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            at_byte(&text, span, &without_values(error.message()))
        })?;
        Ok(Self {
            path: path.to_owned(),
            text,
            document,
        })
    }

    /// The policies and the keys of the issuers, in the order of the file; warnings about the keys
    /// go into `warnings`. The flags of the run in `flags` override the file.
    pub(crate) fn policies(
        &self,
        flags: &PolicyFlags,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<(Policy, KeySet)>> {
        let mut policies = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        let issuers = &self.document.issuer;
        if issuers.is_empty() {
            return Err(self.error(0..0, "no [[issuer]] in the file"));
        }
        for spanned in issuers {
            let (issuer, span) = (spanned.get_ref(), spanned.span());
            let names = texts(&issuer.iss);
            if names.is_empty() && issuers.len() > 1 {
                let message = "no iss; with several issuers, each needs one";
                return Err(self.error(span, message));
            }
            if let Some(name) = names.iter().find(|name| known.contains(name)) {
                let span = issuer.iss.as_ref().map_or(span, Spanned::span);
                return Err(self.error(span, &format!("another issuer has the iss {name:?}")));
            }
            // It may be a slip for another issuer, whose tokens no policy would take then.
            let mut earlier = names.iter().enumerate();
            if let Some((_, name)) = earlier.find(|(at, name)| names[..*at].contains(name)) {
                let span = issuer.iss.as_ref().map_or(span, Spanned::span);
                return Err(self.error(span, &format!("the iss {name:?} is listed twice")));
            }
            known.extend(names);
            let policy = args::policy(&PolicyFlags {
                max_token_bytes: self.max_token_bytes(flags),
                accept_padding: flags.accept_padding || self.document.accept_padding,
                ..issuer.policy_flags()
            })
            .map_err(|error| self.error(span.clone(), &format!("{error:#}")))?;
            let keys = self.keys(issuer, warnings)?;
            if keys.is_empty() {
                let message = "no key; give the issuer jwks, key, secret_file or secret_env";
                return Err(self.error(span, message));
            }
            policies.push((policy, keys));
        }
        Ok(policies)
    }

    fn max_token_bytes(&self, flags: &PolicyFlags) -> Option<usize> {
        let own = self.document.max_token_bytes.as_ref().map(|size| size.0);
        flags.max_token_bytes.or(own)
    }

    /// Whether the file says what `--strict-keys` says.
    pub(crate) const fn is_strict(&self) -> bool {
        self.document.strict_keys
    }

    /// The keys of an issuer, in the order in which flags are read.
    fn keys(&self, issuer: &Issuer, warnings: &mut Vec<String>) -> Result<KeySet> {
        let mut keys = KeySet::new();
        let sources = self.key_flags(issuer);
        let is_set = |variable: &OsStr| match std::env::var_os(variable) {
            Some(_) => Ok(()),
            None => Err("is not set".to_owned()),
        };
        let is_there = |path: &OsStr| match std::fs::symlink_metadata(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("cannot be found: {error}")),
        };
        for (given, missing, message) in [
            (
                &issuer.anchor,
                &issuer.anchor_name,
                "an anchor without anchor_name; name the signers whose certificates it may vouch for",
            ),
            (
                &issuer.anchor_name,
                &issuer.anchor,
                "anchor_name without an anchor; give the certificate of the authority as anchor",
            ),
        ] {
            if let (Some(given), None) = (given, missing) {
                return Err(self.error(given.span(), message));
            }
        }
        self.find_secrets(&issuer.secret_file, &sources.secret_file, "file", is_there)?;
        self.find_secrets(&issuer.secret_env, &sources.secret_env, "variable", is_set)?;
        for (list, only) in [
            (
                &issuer.secret_file,
                KeyFlags {
                    secret_file: sources.secret_file,
                    ..KeyFlags::default()
                },
            ),
            (
                &issuer.secret_env,
                KeyFlags {
                    secret_env: sources.secret_env,
                    ..KeyFlags::default()
                },
            ),
            (
                &issuer.jwks,
                KeyFlags {
                    jwks: sources.jwks,
                    ..KeyFlags::default()
                },
            ),
            (
                &issuer.key,
                KeyFlags {
                    key: sources.key,
                    ..KeyFlags::default()
                },
            ),
            (
                &issuer.anchor,
                KeyFlags {
                    anchor: sources.anchor,
                    anchor_name: sources.anchor_name,
                    ..KeyFlags::default()
                },
            ),
        ] {
            if let Some(list) = list {
                args::add_keys(&mut keys, warnings, &only)
                    .map_err(|error| self.error(list.span(), &format!("{error:#}")))?;
            }
        }
        Ok(keys)
    }

    /// Checks that the secrets of a list can be found. A name that cannot might be the secret
    /// itself, so no message shows it.
    fn find_secrets(
        &self,
        list: &List<Text>,
        secrets: &[Secret],
        what: &str,
        look: impl Fn(&OsStr) -> Result<(), String>,
    ) -> Result<()> {
        for (secret, number) in secrets.iter().zip(1..) {
            let Err(problem) = look(&secret.place) else {
                continue;
            };
            let which = match secrets.len() {
                1 => format!("the {what} that is named here"),
                _ => format!("{what} {number} of those that are named here"),
            };
            let hint = if args::may_encode(secret) {
                format!(
                    "; an encoding in front of its name is one of {}",
                    flags::ENCODINGS
                )
            } else {
                String::new()
            };
            let message =
                format!("{which} {problem} (its name is not shown: it might be a secret){hint}");
            let span = list.as_ref().map_or(0..0, Spanned::span);
            return Err(self.error(span, &message));
        }
        Ok(())
    }

    /// Where the keys of an issuer are. Paths are relative to the folder of this file.
    fn key_flags(&self, issuer: &Issuer) -> KeyFlags {
        // A folder that is not empty makes a file of `-`, which is standard input on the command line.
        let folder = self.path.parent().filter(|it| !it.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        let paths = |list: &List<Text>| {
            let names = texts(list).into_iter();
            names.map(|name| folder.join(name)).collect()
        };
        let secrets = |list: &List<Text>| -> Vec<Secret> {
            let names = texts(list).into_iter();
            names.map(|text| Secret::parse(text.as_ref())).collect()
        };
        KeyFlags {
            secret_file: secrets(&issuer.secret_file)
                .into_iter()
                .map(|secret| Secret {
                    place: folder.join(secret.place).into(),
                    ..secret
                })
                .collect(),
            secret_env: secrets(&issuer.secret_env),
            jwks: paths(&issuer.jwks),
            key: paths(&issuer.key),
            anchor: paths(&issuer.anchor),
            anchor_name: (texts(&issuer.anchor_name).into_iter())
                .map(str::to_owned)
                .collect(),
            strict_keys: false,
        }
    }

    /// Where the keys of all issuers are, in the order of the file.
    pub(crate) fn sources(&self) -> Vec<KeyFlags> {
        let issuers = self.document.issuer.iter();
        issuers
            .map(|issuer| self.key_flags(issuer.get_ref()))
            .collect()
    }

    fn error(&self, span: Range<usize>, message: &str) -> anyhow::Error {
        mistake(&self.path, &self.text, span.start, message)
    }
}
