//! The JSON of a key file: a tree that keeps every member, repeated ones too, and wipes its strings
//! from memory when dropped.
//!
//! What the members mean is left to `jwk.rs`.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::fault::Fault;

/// A JSON value, as far as keys are concerned.
pub(super) enum Json {
    /// Null, a boolean or a number, which none of the members that are read may be.
    Other,
    String(Zeroizing<String>),
    Array(Vec<Json>),
    Object(Object),
}

/// The members of an object, in their order.
pub(super) struct Object(Vec<(String, Json)>);

/// A member name that occurs twice in an object.
pub(super) struct Repeat<'j> {
    /// The member at the top: the repeated one itself, or the one that contains it.
    pub(super) name: &'j str,
    /// Whether the repeated member is inside of `name`.
    pub(super) is_below: bool,
}

impl Object {
    /// The value of a member; the last one if the name occurs several times.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let named = |member: &&(String, Json)| member.0 == name;
        self.0.iter().rev().find(named).map(|(_, value)| value)
    }

    /// The string of a member, if it is there.
    ///
    /// # Errors
    /// [`Fault`] for a value of another type.
    pub(super) fn text(&self, name: &'static str) -> Result<Option<&str>, Fault> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(Fault::at(name, "not a string")),
        }
    }

    /// The first member name that occurs twice, at any depth.
    pub(super) fn repeat(&self) -> Option<Repeat<'_>> {
        let mut seen = HashSet::new();
        self.0.iter().find_map(|(name, value)| {
            let is_below = seen.insert(&**name);
            (!is_below || value.repeats()).then_some(Repeat { name, is_below })
        })
    }
}

impl Json {
    fn repeats(&self) -> bool {
        match self {
            Self::Other | Self::String(_) => false,
            Self::Array(values) => values.iter().any(Self::repeats),
            Self::Object(object) => object.repeat().is_some(),
        }
    }
}

/// Reads one value.
///
/// # Errors
/// Syntax errors, and a name that occurs twice in the top object. The error has the position, and the
/// name if it is in `known`; it quotes nothing else of the file.
pub(super) fn read(text: &[u8], known: &[&str]) -> serde_json::Result<Json> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let json = Reader { top: Some(known) }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(json)
}

#[derive(Clone, Copy)]
struct Reader<'k> {
    /// The names that errors may quote; only for the value at the top.
    top: Option<&'k [&'k str]>,
}

/// The reader of nested values.
const BELOW: Reader<'static> = Reader { top: None };

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// Every type is accepted, since serde's error for a wrong type would quote the value.
impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Json, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(BELOW)? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if let Some(known) = self.top
                && !seen.insert(name.clone())
            {
                return Err(A::Error::custom(
                    match known.iter().find(|known| **known == name) {
                        Some(name) => format!("the member {name:?} occurs twice"),
                        None => "a member occurs twice".to_owned(),
                    },
                ));
            }
            members.push((name, map.next_value_seed(BELOW)?));
        }
        Ok(Json::Object(Object(members)))
    }
}
