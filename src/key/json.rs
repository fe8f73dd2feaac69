//! The JSON of a key file: a tree that keeps every member, repeated ones too, and wipes its strings
//! from memory when dropped.
//!
//! Each member is read by itself, so that a value which cannot be read spoils no other. What the
//! members mean is left to `jwk.rs`.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::fault::Fault;

/// A JSON value, as far as keys are concerned.
pub(super) enum Json {
    /// Says nothing in an optional member.
    Null,
    /// A boolean or a number, which none of the members that are read may be.
    Other,
    /// JSON that readers do not take alike, if at all.
    Unreadable,
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
    /// The value of a member, unless it is null; the last one if the name occurs several times.
    pub(super) fn get(&self, name: &str) -> Option<&Json> {
        let named = |member: &&(String, Json)| member.0 == name;
        let (_, value) = self.0.iter().rev().find(named)?;
        (!matches!(value, Json::Null)).then_some(value)
    }

    /// The members, in their order.
    pub(super) fn members(&self) -> impl Iterator<Item = &(String, Json)> {
        self.0.iter()
    }

    pub(super) fn into_members(self) -> impl Iterator<Item = (String, Json)> {
        self.0.into_iter()
    }

    /// Whether a member is an object.
    pub(super) fn has_object(&self) -> bool {
        let is_object = |(_, value): &(String, Json)| matches!(value, Json::Object(_));
        self.0.iter().any(is_object)
    }

    /// The array of a member; none where it is empty, or another value.
    pub(super) fn array(&self, name: &str) -> Option<&[Json]> {
        match self.get(name) {
            Some(Json::Array(values)) if !values.is_empty() => Some(values),
            _ => None,
        }
    }

    /// Whether a member is null, or one of `arrays` is an empty array.
    pub(super) fn has_empty(&self, arrays: &[&str]) -> bool {
        self.0.iter().any(|(name, value)| match value {
            Json::Null => true,
            Json::Array(values) => values.is_empty() && arrays.contains(&&**name),
            _ => false,
        })
    }

    /// The first member whose value cannot be read.
    pub(super) fn unreadable(&self) -> Option<&str> {
        let is_unreadable = |member: &&(String, Json)| matches!(member.1, Json::Unreadable);
        self.0.iter().find(is_unreadable).map(|(name, _)| &**name)
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
            Self::Null | Self::Other | Self::Unreadable | Self::String(_) => false,
            Self::Array(values) => values.iter().any(Self::repeats),
            Self::Object(object) => object.repeat().is_some(),
        }
    }
}

/// An object whose member names are read, and whose values are not yet.
pub(super) struct RawObject<'j>(Vec<(String, &'j RawValue)>);

impl<'j> RawObject<'j> {
    /// The text of a member, if it is there.
    pub(super) fn get(&self, name: &str) -> Option<&'j str> {
        let member = self.0.iter().rev().find(|member| member.0 == name);
        member.map(|(_, value)| value.get())
    }

    /// Reads the values. One that serde does not take (a lone surrogate, a number beyond doubles,
    /// deep nesting) is [`Json::Unreadable`], so that it spoils nothing but itself.
    pub(super) fn read(self) -> Object {
        let read = |value: &RawValue| {
            let mut deserializer = serde_json::Deserializer::from_str(value.get());
            Reader.deserialize(&mut deserializer)
        };
        let members = (self.0.into_iter())
            .map(|(name, value)| (name, read(value).unwrap_or(Json::Unreadable)))
            .collect();
        Object(members)
    }
}

/// Reads the object at the top of a file, whose names have to be unique.
///
/// # Errors
/// Syntax errors, and a name that occurs twice. The error has the position, and the name if it is in
/// `known`; it quotes nothing else of the file.
pub(super) fn read_top<'j>(text: &'j [u8], known: &[&str]) -> serde_json::Result<RawObject<'j>> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let known = Some(known);
    let object = deserializer.deserialize_any(Members { known })?;
    deserializer.end()?;
    Ok(object)
}

/// The elements of an array; `None` for another value.
pub(super) fn elements(array: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

/// Reads an object that may have a name twice; `None` for another value.
pub(super) fn read_object(text: &str) -> Option<Object> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let object = deserializer.deserialize_map(Members { known: None });
    object.ok().map(RawObject::read)
}

/// The names of an object and the texts of their values.
struct Members<'k> {
    /// Names have to be unique, and an error may quote one of these.
    known: Option<&'k [&'k str]>,
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = RawObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject<'de>, A::Error> {
        let mut members = Vec::new();
        let mut seen = HashSet::new();
        while let Some(name) = map.next_key_seed(Name)? {
            if let Some(known) = self.known
                && !seen.insert(name.clone())
            {
                return Err(A::Error::custom(
                    match known.iter().find(|known| **known == name) {
                        Some(name) => format!("the member {name:?} occurs twice"),
                        None => "a member occurs twice".to_owned(),
                    },
                ));
            }
            members.push((name, map.next_value()?));
        }
        Ok(RawObject(members))
    }
}

/// A member name. It is read as bytes, since a string could not hold a lone surrogate.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for Name {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<String, E> {
        Ok(String::from_utf8_lossy(name).into_owned())
    }
}

/// Reads a value.
#[derive(Clone, Copy)]
struct Reader;

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

// Every type is accepted, since serde's error for a wrong type would quote the value.
impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
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
        while let Some(value) = sequence.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Json::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(name) = map.next_key()? {
            members.push((name, map.next_value_seed(self)?));
        }
        Ok(Json::Object(Object(members)))
    }
}
