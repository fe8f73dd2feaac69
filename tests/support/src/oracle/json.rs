//! JSON as the contract wants it, over `serde_json`. It owns what that crate leaves open: the
//! depth limit and members that occur twice.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// The members of an object, by their unescaped names.
pub(super) type Members = BTreeMap<String, Value>;

/// Why bytes are not an object, in the order in which the reasons are given.
#[derive(Debug, PartialEq)]
pub(super) enum Flaw {
    Json,
    NotObject,
    Duplicate,
}

/// The containers that may enclose a value; the top object is the first of them.
const MAX_DEPTH: usize = 64;

/// Reads one object.
pub(super) fn object(bytes: &[u8]) -> Result<Members, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::Json)?;
    // Into `Value` because a skipped value would not have its numbers and escapes checked. What
    // nests too deep for `serde_json` (128) is refused by it, without recursion, which is right.
    let value: Value = serde_json::from_str(text).map_err(|_| Flaw::Json)?;
    if depth(text) > MAX_DEPTH {
        return Err(Flaw::Json);
    }
    if !value.is_object() {
        return Err(Flaw::NotObject);
    }
    let Pairs(pairs) = serde_json::from_str(text).expect("an object was just read here");
    let count = pairs.len();
    let members: Members = pairs.into_iter().collect();
    if members.len() != count {
        return Err(Flaw::Duplicate);
    }
    Ok(members)
}

/// The depth of a valid JSON text. From the text, since a `Value` has lost what a later member of
/// the same name replaced.
fn depth(text: &str) -> usize {
    let (mut now, mut most) = (0, 0);
    let mut in_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' => drop(bytes.next()),
            b'{' | b'[' if !in_string => now += 1,
            b'}' | b']' if !in_string => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    most
}

/// The members of an object in their order, every one of them.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Pairs, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}
