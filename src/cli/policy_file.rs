//! `--policy`: a file of policies, one for each issuer, and the effective policy as such a file.
//!
//! It owns the form of the file and where in it a mistake stands. What a value means is the flags'
//! to say: each issuer of a file becomes the flags that ask for the same. No part of a secret is in
//! a file or in a message, and so no line of the file is ever quoted.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use jotmill::{Algorithm, Encoding, KeySet, Policy, Validator};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize as FromToml, Serialize as ToToml, Serializer};
use toml::Spanned;

use super::args;
use super::flags::{self, KeyFlags, PolicyFlags, Secret};

/// A file, with what is needed to point into it.
pub(crate) struct PolicyFile {
    path: PathBuf,
    text: String,
    document: Document,
}

/// The file's content. Its members have the names of the flags.
#[derive(FromToml, ToToml)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_token_bytes: Option<Size>,
    #[serde(default)]
    strict_keys: bool,
    #[serde(default, deserialize_with = "issuers")]
    issuer: Vec<Spanned<Issuer>>,
}

/// Reads the issuers. In single brackets the first would be all there is, and a second an error.
fn issuers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<Issuer>>, D::Error> {
    struct List;

    impl<'de> Visitor<'de> for List {
        type Value = Vec<Spanned<Issuer>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("[[issuer]] in double brackets, for each issuer")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list))
        }
    }

    deserializer.deserialize_seq(List)
}

/// The policy of one issuer, and its keys.
#[derive(FromToml, ToToml, Default)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the members of an [[issuer]]"
)]
struct Issuer {
    #[serde(skip_serializing_if = "is_empty")]
    iss: Places<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    jwks: Places<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    key: Places<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    secret_file: Places<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    secret_env: Places<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alg: Option<OneOrMore<Alg>>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    audience: OneOrMore<Text>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    subject: OneOrMore<Text>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    require: OneOrMore<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    typ: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leeway: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_lifetime: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_key_tries: Option<Count>,
    kid_hint: bool,
}

/// A list, with its place where it stands in a file.
type Places<T> = Option<Spanned<OneOrMore<T>>>;

fn is_empty<T>(list: &Places<T>) -> bool {
    list.as_ref().is_none_or(|list| list.get_ref().is_empty())
}

impl PolicyFile {
    /// Reads a file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = args::read(path, "policy")?;
        let at_byte =
            |text: &str, span: Range<usize>, message: &str| place(path, text, span.start, message);
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

    /// The policies and the keys of the issuers, in the order of the file, and what is to be said
    /// about the keys. `flags` are those of the run, which go before what the file says.
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
            let names = strings(&issuer.iss);
            if names.is_empty() && issuers.len() > 1 {
                let message = "no iss; of several issuers, each needs one to be told from the \
                               others";
                return Err(self.error(span, message));
            }
            if let Some(name) = names.iter().find(|name| known.contains(name)) {
                let span = issuer.iss.as_ref().map_or(span, Spanned::span);
                return Err(self.error(span, &format!("another issuer has the iss {name:?}")));
            }
            // It may well be a slip for the name of somebody whose tokens no policy would take then.
            let mut earlier = names.iter().enumerate();
            if let Some((_, name)) = earlier.find(|(at, name)| names[..*at].contains(name)) {
                let span = issuer.iss.as_ref().map_or(span, Spanned::span);
                return Err(self.error(span, &format!("the iss {name:?} is listed twice")));
            }
            known.extend(names);
            let policy = args::policy(&PolicyFlags {
                max_token_bytes: self.max_token_bytes(flags),
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

    /// Whether the file asks for what `--strict-keys` asks for.
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
        ] {
            if let Some(list) = list {
                args::add_keys(&mut keys, warnings, &only)
                    .map_err(|error| self.error(list.span(), &format!("{error:#}")))?;
            }
        }
        Ok(keys)
    }

    /// Makes sure that the secrets of a list are where it says. What stands there instead of a name
    /// might well be a secret, and is not told.
    fn find_secrets(
        &self,
        list: &Places<Text>,
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

    /// Where the keys of an issuer are: its files stand beside this one.
    fn key_flags(&self, issuer: &Issuer) -> KeyFlags {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let paths = |list: &Places<Text>| {
            let names = strings(list).into_iter();
            names.map(|name| folder.join(name)).collect()
        };
        let secrets = |list: &Places<Text>| -> Vec<Secret> {
            let names = strings(list).into_iter();
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
        place(&self.path, &self.text, span.start, message)
    }
}

/// The reader's message without the text of the file that it quotes: in the wrong place, any of it
/// may be a secret. The place says what is meant.
fn without_values(message: &str) -> Cow<'_, str> {
    let told = |kind: &str| {
        let rest = message.strip_prefix(kind)?;
        let (found, expected) = rest.rsplit_once(", expected ")?;
        let found = found.split(['`', '"']).next().unwrap_or_default().trim();
        Some(format!("{kind}{found}, expected {expected}"))
    };
    if let Some(told) = told("invalid type: ").or_else(|| told("invalid value: ")) {
        return told.into();
    }
    let unknown = message.strip_prefix("unknown field `");
    match unknown.and_then(|rest| rest.split_once('`')) {
        Some((name, rest)) if !is_like_a_member(name) => format!("unknown field{rest}").into(),
        _ => message.into(),
    }
}

/// Whether a name is like those of the members of a file, so that it is a slip and no secret.
fn is_like_a_member(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || b"_-".contains(&byte);
    name.len() <= 20 && name.bytes().all(is_plain)
}

/// A message with the line and the column, in characters from 1, of a byte of a file.
fn place(path: &Path, text: &str, at: usize, message: &str) -> anyhow::Error {
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

fn strings(list: &Places<Text>) -> Vec<&str> {
    let list = list.as_ref().map(|list| &list.get_ref().0[..]);
    let texts = list.unwrap_or_default().iter();
    texts.map(|text| text.0.as_str()).collect()
}

impl Issuer {
    /// The flags that expect the same, but for what belongs to the run.
    fn policy_flags(&self) -> PolicyFlags {
        let texts = |list: &OneOrMore<Text>| list.0.iter().map(|text| text.0.clone()).collect();
        let algorithms = self.alg.iter().flat_map(|list| &list.0);
        PolicyFlags {
            alg: algorithms.map(|alg| alg.0).collect(),
            issuer: strings(&self.iss).into_iter().map(str::to_owned).collect(),
            audience: texts(&self.audience),
            subject: texts(&self.subject),
            require: texts(&self.require),
            typ: self.typ.as_ref().map(|typ| typ.0.clone()),
            leeway: self.leeway.as_ref().map(|seconds| seconds.0),
            max_age: self.max_age.as_ref().map(|seconds| seconds.0),
            max_lifetime: self.max_lifetime.as_ref().map(|seconds| seconds.0),
            max_key_tries: self.max_key_tries.as_ref().map(|count| count.0),
            kid_hint: self.kid_hint,
            ..PolicyFlags::default()
        }
    }

    /// A policy in full, and where its keys are.
    fn effective(policy: &Policy, keys: &KeyFlags) -> Result<Self> {
        let texts = |texts: &[String]| OneOrMore(texts.iter().cloned().map(Text).collect());
        let placed = |list| Some(Spanned::new(0..0, list));
        let absolute = |path: &Path| {
            let path = std::path::absolute(path)
                .with_context(|| format!("cannot tell where {} is", path.display()))?;
            let text = path.to_str().map(str::to_owned);
            text.with_context(|| format!("{} is not UTF-8, as TOML has to be", path.display()))
        };
        let paths = |paths: &[PathBuf]| -> Result<_> {
            let texts = paths.iter().map(|path| Ok(Text(absolute(path)?)));
            Ok(OneOrMore(texts.collect::<Result<_>>()?))
        };
        let secret_files = keys.secret_file.iter().map(|secret| {
            let path = absolute(Path::new(&secret.place))?;
            Ok(Text(format!("{}{path}", prefix(secret.encoding))))
        });
        let variables = keys.secret_env.iter().map(|secret| {
            let name = secret.place.to_string_lossy();
            Text(format!("{}{name}", prefix(secret.encoding)))
        });
        let algorithms = policy.allowed_algorithms();
        let required = policy.required_names().map(|name| Text(name.to_owned()));
        Ok(Self {
            iss: placed(texts(policy.issuers())),
            jwks: placed(paths(&keys.jwks)?),
            key: placed(paths(&keys.key)?),
            secret_file: placed(OneOrMore(secret_files.collect::<Result<_>>()?)),
            secret_env: placed(OneOrMore(variables.collect())),
            alg: algorithms.map(|set| OneOrMore(set.iter().map(Alg).collect())),
            audience: texts(policy.audiences()),
            subject: texts(policy.subjects()),
            require: OneOrMore(required.collect()),
            typ: policy.expected_typ().map(|typ| Text(typ.to_owned())),
            leeway: Some(Seconds(policy.leeway_seconds())),
            max_age: policy.max_age_seconds().map(Seconds),
            max_lifetime: policy.max_lifetime_seconds().map(Seconds),
            max_key_tries: Some(Count(policy.key_limit())),
            kid_hint: policy.takes_kid_as_hint(),
        })
    }
}

/// What a validator judges by, as a file that [`PolicyFile::read`] takes: every value is said, also
/// where it is the default, and paths are absolute. `sources` are the places of the keys of each
/// policy.
pub(crate) fn effective(
    validator: &Validator,
    sources: &[KeyFlags],
    is_strict: bool,
) -> Result<String> {
    let policies = validator.policies().iter().zip(sources);
    let issuers = policies
        .map(|(policy, keys)| Ok(Spanned::new(0..0, Issuer::effective(policy, keys)?)))
        .collect::<Result<_>>()?;
    let document = Document {
        max_token_bytes: Some(Size(validator.policy().token_limit())),
        strict_keys: is_strict,
        issuer: issuers,
    };
    toml::to_string(&document).context("cannot write the policy")
}

const fn prefix(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Raw => "raw:",
        Encoding::Base64 => "base64:",
        Encoding::Base64url => "base64url:",
        Encoding::Hex => "hex:",
    }
}

/// A list; a single value stands for a list of one.
struct OneOrMore<T>(Vec<T>);

impl<T> OneOrMore<T> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for OneOrMore<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: serde::Serialize> serde::Serialize for OneOrMore<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMore<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = OneOrMore<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(OneOrMore(vec![T::deserialize(text.into_deserializer())?]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(value) = list.next_element()? {
                    values.push(value);
                }
                if values.is_empty() {
                    // Of algorithms it might be taken for none at all, and means all of them.
                    let message = "an empty list; leave the member out to expect nothing";
                    return Err(de::Error::custom(message));
                }
                Ok(OneOrMore(values))
            }
        }

        deserializer.deserialize_any(List(PhantomData))
    }
}

/// Declares a value that is written as text, and perhaps as a whole number.
macro_rules! value {
    ($name:ident($inner:ty), $expected:literal, text: $text:expr, number: $number:expr,
     written: $written:expr) => {
        struct $name($inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct One;

                impl Visitor<'_> for One {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        let parsed: Result<$inner, String> = $text(text);
                        parsed.map($name).map_err(E::custom)
                    }

                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        let parsed: Result<$inner, String> = $number(number);
                        parsed.map($name).map_err(E::custom)
                    }
                }

                deserializer.deserialize_any(One)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $written(&self.0).serialize(serializer)
            }
        }
    };
}

value!(Text(String), "a string",
    text: |text: &str| match text {
        "" => Err("an empty string".to_owned()),
        _ => Ok(text.to_owned()),
    },
    number: |_| Err("a number where a string belongs".to_owned()),
    written: |text: &String| text.clone());

value!(Alg(Algorithm), "the name of an algorithm",
    text: flags::algorithm,
    number: |_| Err("a number where the name of an algorithm belongs".to_owned()),
    written: |algorithm: &Algorithm| algorithm.name());

value!(Seconds(u64), "a duration",
    text: flags::duration,
    number: |number: i64| flags::duration(&number.to_string()),
    written: |seconds: &u64| *seconds);

value!(Size(usize), "a size",
    text: flags::bytes,
    number: |number: i64| flags::bytes(&number.to_string()),
    written: |bytes: &usize| *bytes);

value!(Count(usize), "a number from 1 on",
    text: |_: &str| Err("a string where a number belongs".to_owned()),
    number: |number: i64| match usize::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("a number from 1 on belongs here".to_owned()),
    },
    written: |count: &usize| *count);

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PolicyFile> {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), text)?;
        PolicyFile::read(file.path())
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_column() {
        for (text, expected) in [
            (
                "[[issuer]]\niss = \"a\"\nsecret = \"x\"",
                ":3:1: unknown field `secret`",
            ),
            ("# é\nmax_token_bytes = \"1T\"", ":2:19: a size is like"),
            ("[[issuer]]\n\tleeway = \"1w\"", ":2:11: a duration is like"),
            (
                "[[issuer]]\nalg = [\"HS256\", \"HS2\"]",
                ":2:17: jotmill verifies",
            ),
            ("[[issuer]]\nalg = []", ":2:7: an empty list"),
            ("[[issuer]]\naudience = \"\"", ":2:12: an empty string"),
            (
                "[[issuer]]\niss = \"a\"\niss = \"b\"",
                ":3:1: duplicate key",
            ),
            ("[[issuer]]\ntyp = [", ":2:8: "),
            (
                "\u{feff}[[issuer]]\nmax_key_tries = 0",
                ":2:17: a number from 1 on",
            ),
            ("now = 3", ":1:1: unknown field `now`"),
            (
                "strict_keys = true\n[issuer]\niss = \"a\"",
                ":2:1: invalid type: map, expected [[issuer]] in double brackets",
            ),
            ("issuer = 3", ":1:10: invalid type: integer, expected [["),
        ] {
            let error = read(text).err().map(|error| error.to_string());
            let error = error.unwrap_or_default();
            assert!(error.contains(expected), "{expected} is not in {error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn the_flags_of_an_issuer_are_those_of_the_command_line() {
        let text = "max_token_bytes = \"4K\"\n[[issuer]]\niss = \"a\"\nalg = \"HS256\"\n\
                    audience = [\"b\", \"c\"]\nrequire = \"exp\"\ntyp = \"JWT\"\nleeway = 5\n\
                    max_age = \"1h\"\nmax_lifetime = \"2h\"\nmax_key_tries = 7\nkid_hint = true\n\
                    subject = \"d\"\nsecret_file = \"hex:s\"\nsecret_env = \"base64:E\"\njwks = \"k\"\n";
        let file = read(text).unwrap();
        let typed = [
            "jotmill",
            "audit",
            "--issuer",
            "a",
            "--alg",
            "HS256",
            "--audience",
            "b",
        ];
        let more = "--audience c --require exp --typ JWT --leeway 5 --max-age 1h --max-lifetime 2h \
                    --max-key-tries 7 --kid-hint --subject d";
        let typed = typed.into_iter().chain(more.split(' '));
        let cli = <flags::Cli as clap::Parser>::try_parse_from(typed);
        let Ok(flags::Cli {
            command: flags::Command::Audit(audit),
        }) = cli
        else {
            panic!("the flags are those of an audit");
        };
        let issuer = file.document.issuer[0].get_ref();
        assert!(issuer.policy_flags() == audit.policy);
        assert_eq!(file.max_token_bytes(&PolicyFlags::default()), Some(4096));
        let folder = file.path.parent().unwrap();
        let keys = file.key_flags(issuer);
        assert_eq!(keys.jwks, [folder.join("k")]);
        let secret = |encoding, place: &Path| Secret {
            encoding,
            place: place.into(),
        };
        assert_eq!(keys.secret_file, [secret(Encoding::Hex, &folder.join("s"))]);
        assert_eq!(keys.secret_env, [secret(Encoding::Base64, Path::new("E"))]);
    }
}
