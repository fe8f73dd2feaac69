//! The form of a policy file: its members, how their values are written, and the flags that an issuer
//! stands for.

use std::fmt;
use std::marker::PhantomData;

use jotmill::Algorithm;
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::{Deserialize as FromToml, Serialize as ToToml, Serializer};
use toml::Spanned;

use crate::cli::flags::{self, PolicyFlags};

/// The file's content. Its members have the names of the flags.
#[derive(FromToml, ToToml)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_token_bytes: Option<Size>,
    #[serde(default)]
    pub(super) strict_keys: bool,
    #[serde(default)]
    pub(super) accept_padding: bool,
    #[serde(default, deserialize_with = "issuers")]
    pub(super) issuer: Vec<Spanned<Issuer>>,
}

/// Reads the issuers. In single brackets the first would be the only one, and a second an error.
fn issuers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<Issuer>>, D::Error> {
    struct Issuers;

    impl<'de> Visitor<'de> for Issuers {
        type Value = Vec<Spanned<Issuer>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("[[issuer]] in double brackets, for each issuer")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
            Deserialize::deserialize(de::value::SeqAccessDeserializer::new(list))
        }
    }

    deserializer.deserialize_seq(Issuers)
}

/// The policy of one issuer, and its keys.
#[derive(FromToml, ToToml, Default)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "the members of an [[issuer]]"
)]
pub(super) struct Issuer {
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) iss: List<Iss>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) jwks: List<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) key: List<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) anchor: List<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) anchor_name: List<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) secret_file: List<Text>,
    #[serde(skip_serializing_if = "is_empty")]
    pub(super) secret_env: List<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) alg: Option<OneOrMore<Alg>>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) audience: OneOrMore<Text>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) subject: OneOrMore<Text>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) require: OneOrMore<Required>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) claim: OneOrMore<Claim>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) scope: OneOrMore<Scope>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) typ: OneOrMore<MediaType>,
    #[serde(skip_serializing_if = "OneOrMore::is_empty")]
    pub(super) crit: OneOrMore<Crit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) leeway: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_age: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_lifetime: Option<Seconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_key_tries: Option<Count>,
    pub(super) kid_hint: bool,
}

/// A list that may be left out, with its place in the file.
pub(super) type List<T> = Option<Spanned<OneOrMore<T>>>;

fn is_empty<T>(list: &List<T>) -> bool {
    list.as_ref().is_none_or(|list| list.get_ref().is_empty())
}

impl Issuer {
    /// The flags that say the same, without those of the run.
    pub(super) fn policy_flags(&self) -> PolicyFlags {
        fn all<T: AsRef<str>>(list: &OneOrMore<T>) -> Vec<String> {
            list.0.iter().map(|text| text.as_ref().to_owned()).collect()
        }
        let algorithms = self.alg.iter().flat_map(|list| &list.0);
        PolicyFlags {
            alg: algorithms.map(|alg| alg.0).collect(),
            issuer: texts(&self.iss).into_iter().map(str::to_owned).collect(),
            audience: all(&self.audience),
            subject: all(&self.subject),
            require: all(&self.require),
            claim: all(&self.claim),
            scope: all(&self.scope),
            typ: all(&self.typ),
            crit: all(&self.crit),
            leeway: self.leeway.as_ref().map(|seconds| seconds.0),
            max_age: self.max_age.as_ref().map(|seconds| seconds.0),
            max_lifetime: self.max_lifetime.as_ref().map(|seconds| seconds.0),
            max_key_tries: self.max_key_tries.as_ref().map(|count| count.0),
            kid_hint: self.kid_hint,
            ..PolicyFlags::default()
        }
    }
}

/// The texts of a list; none if it is left out.
pub(super) fn texts<T: AsRef<str>>(list: &List<T>) -> Vec<&str> {
    let list = list.as_ref().map(|list| &list.get_ref().0[..]);
    list.unwrap_or_default().iter().map(AsRef::as_ref).collect()
}

/// A list; a single value may be written for a list of one.
pub(super) struct OneOrMore<T>(pub(super) Vec<T>);

impl<T> OneOrMore<T> {
    pub(super) const fn is_empty(&self) -> bool {
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
        struct Values<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Values<T> {
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
                    // An empty list of algorithms might be taken for none; it would mean all.
                    let message = "an empty list; leave the member out to expect nothing";
                    return Err(de::Error::custom(message));
                }
                Ok(OneOrMore(values))
            }
        }

        deserializer.deserialize_any(Values(PhantomData))
    }
}

/// Declares a value that is written as text, and perhaps as a whole number.
macro_rules! value {
    ($name:ident($inner:ty), $expected:literal, text: $text:expr, number: $number:expr,
     written: $written:expr) => {
        pub(super) struct $name(pub(super) $inner);

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

/// Declares texts, each with what reads it.
macro_rules! texts {
    ($($name:ident: $read:expr;)+) => { $(
        value!($name(String), "a string",
            text: $read,
            number: |_| Err("a number where a string belongs".to_owned()),
            written: |text: &String| text.clone());

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )+ };
}

texts! {
    Text: |text: &str| match text {
        "" => Err("an empty string".to_owned()),
        _ => Ok(text.to_owned()),
    };
    Iss: flags::issuer;
    Required: flags::required;
    Claim: flags::claim;
    Scope: flags::scope;
    MediaType: flags::media_type;
    Crit: flags::crit;
}

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
