//! The claim scanner: one walk over a decoded payload that finds the seven registered claims.
//!
//! It owns the fast reading of usual payloads, and accepts one only where all rules hold: RFC 8259
//! and UTF-8 in full, an object at the top, no member twice there, at most [`MAX_DEPTH`] levels.
//! Whatever is wrong or merely unusual it leaves to simd-json, which also says what is wrong. It
//! allocates nothing and does not recurse.
//!
//! [`layouts`] saves the walk for payloads with the layout of an earlier one.

mod arch;
mod json;
mod layouts;
mod other_names;

use arch::{Cursor, Portable, Strings, Vector};
use json::{inside, is_space, space, ten_digits};
pub(crate) use layouts::{Layout, Layouts};
use other_names::OtherNames;

use super::audience::Audience;
use super::claims::Claims;
use super::json::Member;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use crate::platform::Neon;
use crate::platform::Platform;
#[cfg(target_arch = "x86_64")]
use crate::platform::{Avx2, Sse2};
use crate::time::NumericDate;

/// Bytes of any content that must follow a payload, so that a wide load at its end stays inside.
pub(crate) const PADDING: usize = 64;

/// Levels of nesting that are accepted, counting the top object.
const MAX_DEPTH: u32 = 64;

/// A scanner for one instruction set; all give the same answers. (AVX-512 gains nothing: most
/// strings are shorter than its registers.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanner {
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Sse2(Sse2),
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    Neon(Neon),
    Portable(Portable),
}

/// An expression in which `$vector` is the instruction set of a scanner.
macro_rules! with_vector {
    ($scanner:expr, $vector:ident => $expression:expr) => {
        match $scanner {
            #[cfg(target_arch = "x86_64")]
            Scanner::Avx2($vector) => $expression,
            #[cfg(target_arch = "x86_64")]
            Scanner::Sse2($vector) => $expression,
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Scanner::Neon($vector) => $expression,
            Scanner::Portable($vector) => $expression,
        }
    };
}
use with_vector;

impl Scanner {
    /// The fastest on this processor.
    pub(crate) fn best() -> Self {
        Self::new(Platform::detect())
    }

    /// The fastest on a platform.
    fn new(platform: Platform) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = platform.avx2 {
            return Self::Avx2(avx2);
        } else if let Some(sse2) = platform.sse2 {
            return Self::Sse2(sse2);
        }
        #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
        if let Some(neon) = platform.neon {
            return Self::Neon(neon);
        }
        let _ = platform; // other architectures do not ask it
        Self::Portable(Portable)
    }

    /// All that this processor can run.
    #[cfg(test)]
    pub(crate) fn each() -> Vec<Self> {
        let mut scanners: Vec<_> = Platform::each().into_iter().map(Self::new).collect();
        scanners.dedup();
        scanners
    }

    /// Puts the claims of the payload `padded[..len]` into `claims`, which has none; or None: not
    /// for this scanner to judge.
    ///
    /// `padded` has [`PADDING`] bytes more than `len`, of any content. Some means that the payload
    /// is valid by all rules that jotmill has for a payload. None means nothing, neither do `claims`
    /// then, and simd-json decides. `extra` are the names, none of them registered, whose presence
    /// [`Claims::extra`] says: with more than 64 of them the answer is None.
    #[inline]
    #[must_use]
    pub(crate) fn scan<'s>(
        self,
        padded: &'s [u8],
        len: usize,
        extra: &[Box<str>],
        claims: &mut Claims<'s>,
    ) -> Option<()> {
        debug_assert_eq!(*claims, Claims::none());
        with_vector!(self, vector => {
            vector.call(move || walk(vector, padded, len, extra, claims))
        })
    }
}

/// `"xyz":` as a little-endian word: how a registered name is nearly always written.
const fn named(name: [u8; 3]) -> u64 {
    u64::from_le_bytes([b'"', name[0], name[1], name[2], b'"', b':', 0, 0])
}

const ISS: u64 = named(*b"iss");
const SUB: u64 = named(*b"sub");
const AUD: u64 = named(*b"aud");
const EXP: u64 = named(*b"exp");
const NBF: u64 = named(*b"nbf");
const IAT: u64 = named(*b"iat");
const JTI: u64 = named(*b"jti");

/// [`Scanner::scan`] for one instruction set.
///
/// The loop reads members as nearly every writer writes them, without white space about the colon
/// and with a value of the usual type; every other member goes to [`json::member`]. Positions only
/// grow, so a walk into the padding shows at the end: the object must end at `len`.
#[inline(always)]
fn walk<'s, V: Vector>(
    vector: V,
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    let bytes = padded.get(..len.checked_add(PADDING)?)?;
    let mut strings = Strings::new(vector, bytes);
    let mut others = OtherNames::new(bytes, extra)?;
    let mut cursor = Cursor::new(bytes)?;
    cursor.go(inside(bytes, space(bytes, 0)?, b'{')?)?;
    if cursor.peek::<0, 1>() == *b"}" {
        cursor.go(cursor.at() + 1)?;
    } else {
        loop {
            let usual = match cursor.word::<0>() & 0xffff_ffff_ffff {
                ISS => usual_text(&mut strings, cursor, &mut claims.iss),
                SUB => usual_text(&mut strings, cursor, &mut claims.sub),
                AUD => usual_audience(&mut strings, cursor, &mut claims.aud),
                EXP => usual_date(cursor, &mut claims.exp),
                NBF => usual_date(cursor, &mut claims.nbf),
                IAT => usual_date(cursor, &mut claims.iat),
                JTI => usual_text(&mut strings, cursor, &mut claims.jti),
                _ => usual_other(&mut strings, cursor, &mut others),
            };
            match usual {
                Some(after) => cursor = after,
                None => cursor.go(json::member(
                    &mut strings,
                    cursor.at(),
                    claims,
                    &mut others,
                )?)?,
            }
            if cursor.peek::<0, 2>() == *b",\"" {
                cursor.go(cursor.at() + 1)?;
            } else if cursor.peek::<0, 3>() == *b", \"" {
                cursor.go(cursor.at() + 2)?;
            } else {
                let at = space(bytes, cursor.at())?;
                match bytes.get(at)? {
                    b',' => cursor.go(space(bytes, at + 1)?)?,
                    b'}' => {
                        cursor.go(at + 1)?;
                        break;
                    }
                    _ => return None,
                }
            }
        }
    }
    if bytes
        .get(cursor.at()..len)?
        .iter()
        .all(|&byte| is_space(byte))
    {
        claims.extra = others.present;
        Some(())
    } else {
        None
    }
}

/// Passes the colon `OFFSET` bytes behind the cursor, which the caller has checked, and perhaps a
/// space.
#[inline(always)]
fn usual_colon<const OFFSET: usize>(mut cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let at = cursor.at() + OFFSET + 1;
    cursor.go(at)?;
    if cursor.peek::<0, 1>() == *b" " {
        cursor.go(at + 1)?;
    }
    Some(cursor)
}

/// Passes `"…"`, a string without escapes.
#[inline(always)]
fn usual_string<'s, V: Vector>(
    strings: &mut Strings<'s, V>,
    mut cursor: Cursor<'s>,
) -> Option<(&'s str, Cursor<'s>)> {
    if cursor.peek::<0, 1>() != *b"\"" {
        return None;
    }
    let start = cursor.at() + 1;
    let text = strings.plain(start)?.text()?;
    cursor.pass_quote(start + text.len())?;
    Some((text, cursor))
}

/// Reads `"xyz":"…"` into a claim that is absent so far; None, and nothing done, where something else
/// is there.
#[inline(always)]
fn usual_text<'s, V: Vector>(
    strings: &mut Strings<'s, V>,
    cursor: Cursor<'s>,
    claim: &mut Member<&'s str>,
) -> Option<Cursor<'s>> {
    if !matches!(claim, Member::Absent) {
        return None;
    }
    let (text, after) = usual_string(strings, usual_colon::<5>(cursor)?)?;
    *claim = Member::Is(text);
    Some(after)
}

/// As [`usual_text`], for an audience that is one string.
#[inline(always)]
fn usual_audience<'s, V: Vector>(
    strings: &mut Strings<'s, V>,
    cursor: Cursor<'s>,
    claim: &mut Member<Audience<'s>>,
) -> Option<Cursor<'s>> {
    if !matches!(claim, Member::Absent) {
        return None;
    }
    let (text, after) = usual_string(strings, usual_colon::<5>(cursor)?)?;
    *claim = Member::Is(Audience::One(text));
    Some(after)
}

/// As [`usual_text`], for a date of ten digits.
#[inline(always)]
fn usual_date<'s>(cursor: Cursor<'s>, claim: &mut Member<NumericDate>) -> Option<Cursor<'s>> {
    if !matches!(claim, Member::Absent) {
        return None;
    }
    let mut value = usual_colon::<5>(cursor)?;
    let date = ten_digits(value.word::<0>(), value.peek::<8, 3>())?;
    value.go(value.at() + 10)?;
    *claim = Member::Is(NumericDate::Int(date));
    Some(value)
}

/// Passes `"…":` and a value; None, and nothing done, where something else is there.
#[inline(always)]
fn usual_other<'s, V: Vector>(
    strings: &mut Strings<'s, V>,
    cursor: Cursor<'s>,
    others: &mut OtherNames<'_>,
) -> Option<Cursor<'s>> {
    let (name, after) = usual_string(strings, cursor)?;
    if after.peek::<0, 1>() != *b":" {
        return None;
    }
    let mut value = usual_colon::<0>(after)?;
    let [first] = value.peek::<0, 1>();
    if first == b'"'
        && let Some((_, after)) = usual_string(strings, value)
    {
        value = after;
    } else if ten_digits(value.word::<0>(), value.peek::<8, 3>()).is_some() {
        value.go(value.at() + 10)?;
    } else if value.peek::<0, 4>() == *b"true" || value.peek::<0, 4>() == *b"null" {
        value.go(value.at() + 4)?;
    } else if first > b' ' {
        value.go(json::any_value(strings, value.at())?)?;
    } else {
        return None;
    }
    others.add(name.as_bytes(), cursor.word::<1>(), cursor.at() + 1, first)?;
    Some(value)
}
