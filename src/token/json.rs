//! JSON objects in base64url, read strictly through `simd-json`'s tape.
//!
//! This file owns the rules that JOSE headers and payloads share: RFC 8259 and UTF-8, no byte
//! order mark, nothing after the value, no lone surrogate, no number beyond a double, at most
//! [`MAX_DEPTH`] levels, and no duplicate member at the top level (RFC 7515 section 4). What the
//! members mean is left to `header.rs` and `claims.rs`.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use simd_json::{Buffers, INPUT_PADDING, Node, StaticNode, Tape};

use crate::base64url;
use crate::time::NumericDate;

/// How deep objects and arrays may be nested; the top object is level 1.
pub(crate) const MAX_DEPTH: usize = 64;

/// In bytes. Of longer encoded segments, only one at a time is parsed in the whole process, and its
/// buffers are freed at once: a tape takes up to 24 bytes per byte of JSON.
const GIANT: usize = 64 << 10;
static ONE_GIANT: Mutex<()> = Mutex::new(());

/// A member of an object: absent, present with a type that is not allowed, or its value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Member<T> {
    /// The object has no such member.
    #[default]
    Absent,
    /// The member is present, but the RFC does not allow its type. `null` is never allowed.
    WrongType,
    /// The member's value.
    Is(T),
}

impl<T> Member<T> {
    /// Maps the value.
    #[inline]
    pub(crate) fn map<U>(self, value: impl FnOnce(T) -> U) -> Member<U> {
        match self {
            Self::Absent => Member::Absent,
            Self::WrongType => Member::WrongType,
            Self::Is(own) => Member::Is(value(own)),
        }
    }
}

impl<T> Member<T> {
    /// Whether the member is present with a type that is not allowed.
    #[inline]
    pub(crate) const fn is_wrong_type(&self) -> bool {
        matches!(self, Self::WrongType)
    }
}

impl<T> Member<T> {
    /// The value itself, if the member is present and has the right type.
    pub(crate) fn into_value(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::WrongType => None,
        }
    }
}

impl<T: Copy> Member<T> {
    /// The value, if the member is present and has the right type.
    #[must_use]
    pub const fn value(&self) -> Option<T> {
        match self {
            Self::Is(value) => Some(*value),
            Self::Absent | Self::WrongType => None,
        }
    }
}

/// Why a segment is not an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JsonFault {
    Base64url,
    Json,
    NotObject,
    DuplicateMember,
}

/// Buffers for one object at a time, reused from token to token.
pub(crate) struct JsonScratch {
    /// The segment, decoded from base64url.
    decoded: Vec<u8>,
    /// A copy of it, which the parser rewrites.
    bytes: Vec<u8>,
    buffers: Buffers,
    tape: Tape<'static>,
}

impl JsonScratch {
    pub(crate) fn new() -> Self {
        Self {
            decoded: Vec::new(),
            bytes: Vec::new(),
            buffers: new_buffers(),
            tape: Tape(Vec::new()),
        }
    }

    /// Decodes a segment and parses it as an object.
    pub(crate) fn read(&mut self, encoded: &[u8]) -> Result<Object<'_>, JsonFault> {
        let giant = (encoded.len() > GIANT)
            .then(|| ONE_GIANT.lock().unwrap_or_else(PoisonError::into_inner));
        self.decoded
            .resize(base64url::decoded_len(encoded.len()), 0);
        let len =
            base64url::decode(encoded, &mut self.decoded).map_err(|_| JsonFault::Base64url)?;
        self.decoded.truncate(len);
        self.bytes.clear();
        self.bytes.extend_from_slice(&self.decoded);
        self.bytes.resize(len + INPUT_PADDING, 0);
        let mut object = Object {
            text: &self.decoded,
            tape: std::mem::replace(&mut self.tape, Tape(Vec::new())).reset(),
            home: &mut self.tape,
            buffers: &mut self.buffers,
            giant,
        };
        simd_json::fill_tape_padded(&mut self.bytes, len, object.buffers, &mut object.tape)
            .map_err(|_| JsonFault::Json)?;
        if !matches!(object.tape.0.first(), Some(Node::Object { .. })) {
            return Err(JsonFault::NotObject);
        }
        if has_duplicates(object.members().map(|(name, _)| name)) {
            return Err(JsonFault::DuplicateMember);
        }
        Ok(object)
    }

    /// The bytes that the buffers of a segment take.
    pub(crate) fn capacity(&self) -> usize {
        self.decoded.capacity() + self.bytes.capacity()
    }

    /// The last segment, decoded.
    pub(crate) fn decoded(&self) -> &[u8] {
        &self.decoded
    }
}

fn new_buffers() -> Buffers {
    Buffers::with_max_depth(4096, MAX_DEPTH)
}

/// A parsed object. Strings borrow the decoded segment, not the object. When it is dropped, the
/// tape returns to the scratch for reuse.
pub(crate) struct Object<'s> {
    text: &'s [u8],
    tape: Tape<'s>,
    home: &'s mut Tape<'static>,
    buffers: &'s mut Buffers,
    giant: Option<MutexGuard<'static, ()>>,
}

impl Drop for Object<'_> {
    fn drop(&mut self) {
        let tape = std::mem::replace(&mut self.tape, Tape(Vec::new()));
        if self.giant.is_some() {
            drop(tape);
            *self.buffers = new_buffers();
        } else {
            *self.home = tape.reset();
        }
    }
}

impl<'s> Object<'s> {
    /// The decoded segment.
    pub(crate) const fn text(&self) -> &'s [u8] {
        self.text
    }

    /// The top-level members, in the order of the text.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'s str, Value<'_, 's>)> + Clone {
        let mut rest = self.tape.0.get(1..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (Node::String(name), after) = rest.split_first()? else {
                return None;
            };
            let value = Value(after);
            rest = after.get(value.nodes()..)?;
            Some((*name, value))
        })
    }
}

/// A value on the tape: its first node and everything after it.
#[derive(Clone, Copy)]
pub(crate) struct Value<'t, 's>(&'t [Node<'s>]);

impl<'t, 's> Value<'t, 's> {
    /// How many nodes the value takes.
    fn nodes(self) -> usize {
        match self.0.first() {
            Some(Node::Object { count, .. } | Node::Array { count, .. }) => count + 1,
            _ => 1,
        }
    }

    pub(crate) fn string(self) -> Member<&'s str> {
        match self.0.first() {
            Some(Node::String(text)) => Member::Is(text),
            _ => Member::WrongType,
        }
    }

    pub(crate) fn number(self) -> Member<NumericDate> {
        match self.0.first() {
            Some(Node::Static(StaticNode::I64(value))) => Member::Is(NumericDate::Int(*value)),
            Some(Node::Static(StaticNode::U64(value))) => Member::Is(
                // On the tape every integer that is not negative is unsigned.
                i64::try_from(*value).map_or(NumericDate::Uint(*value), NumericDate::Int),
            ),
            Some(Node::Static(StaticNode::F64(value))) => Member::Is(NumericDate::Float(*value)),
            _ => Member::WrongType,
        }
    }

    pub(crate) fn is_true(self) -> bool {
        matches!(self.0.first(), Some(Node::Static(StaticNode::Bool(true))))
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.0.first(), Some(Node::Static(StaticNode::Null)))
    }

    /// The elements of an array of strings; the wrong type for anything else.
    pub(crate) fn strings(self) -> Member<impl Iterator<Item = &'s str> + Clone + use<'t, 's>> {
        let Some((Node::Array { len, .. }, elements)) = self.0.split_first() else {
            return Member::WrongType;
        };
        // A string takes one node, so the first element of another type begins within `len` nodes.
        let elements = elements.get(..*len).unwrap_or_default();
        if elements.iter().all(|node| matches!(node, Node::String(_))) {
            Member::Is(elements.iter().filter_map(|node| match node {
                Node::String(text) => Some(*text),
                _ => None,
            }))
        } else {
            Member::WrongType
        }
    }
}

/// Whether a name occurs twice.
pub(crate) fn has_duplicates<'s>(names: impl Iterator<Item = &'s str> + Clone) -> bool {
    const FEW: usize = 24;
    let mut seen: [&str; FEW] = [""; FEW];
    for (count, name) in names.clone().enumerate() {
        if count == FEW {
            // Not quadratic: a hostile object may have half a million members.
            let mut set = HashSet::new();
            return names.into_iter().any(|name| !set.insert(name));
        }
        if seen[..count].contains(&name) {
            return true;
        }
        seen[count] = name;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn read(json: &[u8]) -> Result<usize, JsonFault> {
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        JsonScratch::new()
            .read(encoded.as_bytes())
            .map(|object| object.members().count())
    }

    fn nested(levels: usize) -> Vec<u8> {
        let inner = levels - 1;
        format!(r#"{{"a":{}{}}}"#, "[".repeat(inner), "]".repeat(inner)).into_bytes()
    }

    #[test]
    fn objects_are_read_and_members_counted() {
        assert_eq!(read(b"{}"), Ok(0));
        assert_eq!(
            read(br#" { "a" : [1,{"a":2}] , "b":{"a":{}}, "c":"x" } "#),
            Ok(3)
        );
    }

    #[test]
    fn scalars_and_arrays_are_json_but_not_objects() {
        for json in ["1", "null", "true", "\"x\"", "[]", "[{}]", " 1 ", "1.5e3"] {
            assert_eq!(read(json.as_bytes()), Err(JsonFault::NotObject), "{json}");
        }
    }

    #[test]
    fn what_rfc_8259_does_not_allow_is_refused() {
        for json in [
            &b""[..],
            b" ",
            b"{",
            b"}",
            b"{}{}",
            b"{} x",
            b"{}\0",
            b"{\"a\":1,}",
            b"{\"a\"}",
            b"{a:1}",
            b"{'a':1}",
            b"{\"a\":01}",
            b"{\"a\":+1}",
            b"{\"a\":.5}",
            b"{\"a\":1.}",
            b"{\"a\":1e}",
            b"{\"a\":-}",
            b"{\"a\":0x1}",
            b"{\"a\":NaN}",
            b"{\"a\":Infinity}",
            b"{\"a\":1e400}",
            b"{\"a\":-1e400}",
            b"{\"a\":[1e999]}",
            b"{\"a\":tru}",
            b"{\"a\":nulll}",
            b"{\"a\":\"\t\"}",
            b"{\"a\":\"\n\"}",
            b"{\"a\":\"\0\"}",
            b"{\"a\":\"\\x\"}",
            b"{\"a\":\"\\u12\"}",
            b"{\"a\":\"\\ud800\"}",
            b"{\"a\":\"\\udc00\"}",
            b"{\"a\":\"\\ud800\\u0041\"}",
            b"{\"a\":\"\\ud800\\ud800\"}",
            b"{\"\\ud800\":1}",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":\"\xc0\x80\"}",
            b"{\"a\":\"\xed\xa0\x80\"}",
            b"{\"\xff\":1}",
            b"\xef\xbb\xbf{}",
            b"{\"a\":1 /* c */}",
        ] {
            assert_eq!(
                read(json),
                Err(JsonFault::Json),
                "{}",
                String::from_utf8_lossy(json)
            );
        }
    }

    #[test]
    fn duplicate_names_are_found_however_they_are_escaped() {
        for json in [
            r#"{"a":1,"a":1}"#,
            r#"{"exp":1,"\u0065xp":2}"#,
            r#"{"":1,"":2}"#,
            r#"{"a":{"a":1},"b":2,"a":3}"#,
        ] {
            assert_eq!(
                read(json.as_bytes()),
                Err(JsonFault::DuplicateMember),
                "{json}"
            );
        }
        assert_eq!(
            read(br#"{"a":{"b":1,"b":2}}"#),
            Ok(1),
            "only the top level counts"
        );
        for count in [23, 24, 25, 26, 1000] {
            let members = |last: usize| {
                let mut names: Vec<String> = (0..count).map(|n| format!("\"n{n}\":0")).collect();
                names.push(format!("\"n{last}\":0"));
                format!("{{{}}}", names.join(","))
            };
            assert_eq!(read(members(count).as_bytes()), Ok(count + 1));
            for last in [0, count / 2, count - 1] {
                assert_eq!(
                    read(members(last).as_bytes()),
                    Err(JsonFault::DuplicateMember)
                );
            }
        }
    }

    #[test]
    fn nesting_is_accepted_to_64_levels() {
        assert_eq!(read(&nested(MAX_DEPTH)), Ok(1));
        assert_eq!(read(&nested(MAX_DEPTH + 1)), Err(JsonFault::Json));
        // Deep enough to overflow any stack, and longer than `GIANT`.
        assert_eq!(read(&nested(1_000_000)), Err(JsonFault::Json));
    }

    #[test]
    fn numbers_keep_their_value() {
        for (text, expected) in [
            ("0", 0.0_f64),
            ("-0", 0.0),
            ("-0.0", 0.0),
            ("1e-400", 0.0),
            ("9007199254740993.0", 9_007_199_254_740_992.0),
            ("18446744073709551616", 18_446_744_073_709_551_616.0),
            ("-9223372036854775809", -9_223_372_036_854_775_809.0),
            ("1.7976931348623157e308", f64::MAX),
            ("1790003600.123456789", 1_790_003_600.123_456_8),
            (
                "123456789012345678901234567890e-20",
                1_234_567_890.123_456_8,
            ),
        ] {
            let json = format!(r#"{{"n":{text}}}"#);
            let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
            let mut scratch = JsonScratch::new();
            let object = scratch.read(encoded.as_bytes()).unwrap();
            let (_, value) = object.members().next().unwrap();
            let found = match value.number() {
                Member::Is(NumericDate::Int(value)) => value as f64,
                Member::Is(NumericDate::Uint(value)) => value as f64,
                Member::Is(NumericDate::Float(value)) => value,
                other => panic!("{text}: {other:?}"),
            };
            assert!(found == expected, "{text}: {found}");
        }
    }

    #[test]
    fn buffers_of_giant_segments_are_freed() {
        let members: Vec<String> = (0..50_000).map(|n| format!("\"{n}\":[]")).collect();
        let json = format!("{{{}}}", members.join(","));
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let mut scratch = JsonScratch::new();
        assert_eq!(
            scratch.read(encoded.as_bytes()).unwrap().members().count(),
            50_000
        );
        assert_eq!(scratch.tape.0.capacity(), 0);
    }
}
