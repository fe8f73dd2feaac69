//! The claim scanner: one walk over a decoded payload that finds the seven registered claims. It
//! owns the fast judgement of payloads as they usually are, and gives one only where all rules
//! hold: RFC 8259 and UTF-8 in full, an object at the top, no member twice there, at most
//! [`MAX_DEPTH`] levels. Everything else, wrong or merely unusual, it leaves to simd-json, which
//! also says what is wrong. It allocates nothing and does not recurse.
//!
//! [`layouts`] spares the walk for payloads that are laid out as an earlier one was.

mod arch;
mod json;
mod layouts;

#[cfg(test)]
pub(crate) use arch::Kernel;
pub(crate) use arch::Scanner;
use arch::{Cursor, Runs, Vector};
use json::{inside, is_space, space, ten_digits};
pub(crate) use layouts::{Gist, Layout, LayoutId, Layouts};

use super::audience::Audience;
use super::claims::Claims;
use super::json::Member;
use crate::time::NumericDate;

/// Bytes of any content that must follow a payload, so that a wide load at its end stays inside.
pub(crate) const PADDING: usize = 64;

/// Levels of nesting that are taken, counting the top object.
const MAX_DEPTH: u32 = 64;

/// Members besides the registered ones that are taken; a payload with more goes to simd-json, so
/// that looking for duplicates stays linear.
const MAX_OTHERS: usize = 64;

/// `"xyz":` as a little-endian word: a registered name as it nearly always stands.
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

/// [`Scanner::scan`] for one kernel.
///
/// The loop takes members as nearly every writer puts them, without white space about the colon and
/// with a value of the usual type; whatever else it meets, it leaves to `Json::member`, which
/// does the same for all members. Positions only grow, so that nothing has to ask whether the
/// padding was entered until the end: the object must then end at `len`.
#[inline(always)]
fn walk<'s, V: Vector>(
    vector: V,
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    let bytes = padded.get(..len.checked_add(PADDING)?)?;
    let mut runs = Runs::new(vector, bytes);
    let mut others = Others::new(bytes, extra)?;
    let mut cursor = Cursor::new(bytes)?;
    cursor.go(inside(bytes, space(bytes, 0)?, b'{')?)?;
    if cursor.peek::<0, 1>() == *b"}" {
        cursor.go(cursor.at() + 1)?;
    } else {
        loop {
            let usual = match cursor.word::<0>() & 0xffff_ffff_ffff {
                ISS => usual_text(&mut runs, cursor, &mut claims.iss),
                SUB => usual_text(&mut runs, cursor, &mut claims.sub),
                AUD => usual_audience(&mut runs, cursor, &mut claims.aud),
                EXP => usual_date(cursor, &mut claims.exp),
                NBF => usual_date(cursor, &mut claims.nbf),
                IAT => usual_date(cursor, &mut claims.iat),
                JTI => usual_text(&mut runs, cursor, &mut claims.jti),
                _ => usual_other(&mut runs, cursor, &mut others),
            };
            match usual {
                Some(after) => cursor = after,
                None => cursor.go(vector.member(&mut runs, cursor.at(), claims, &mut others)?)?,
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

/// Passes a colon and perhaps a space, `OFFSET` bytes behind the cursor, which the caller has seen
/// to be a colon.
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
    runs: &mut Runs<'s, V>,
    mut cursor: Cursor<'s>,
) -> Option<(&'s str, Cursor<'s>)> {
    if cursor.peek::<0, 1>() != *b"\"" {
        return None;
    }
    let start = cursor.at() + 1;
    let text = runs.run(start)?.text()?;
    cursor.pass_quote(start + text.len())?;
    Some((text, cursor))
}

/// Passes `"xyz":"…"` into a claim that is still absent; None, and nothing done, where that is not
/// what is there.
#[inline(always)]
fn usual_text<'s, V: Vector>(
    runs: &mut Runs<'s, V>,
    cursor: Cursor<'s>,
    claim: &mut Member<&'s str>,
) -> Option<Cursor<'s>> {
    if !matches!(claim, Member::Absent) {
        return None;
    }
    let (text, after) = usual_string(runs, usual_colon::<5>(cursor)?)?;
    *claim = Member::Is(text);
    Some(after)
}

/// As [`usual_text`], for an audience that is one string.
#[inline(always)]
fn usual_audience<'s, V: Vector>(
    runs: &mut Runs<'s, V>,
    cursor: Cursor<'s>,
    claim: &mut Member<Audience<'s>>,
) -> Option<Cursor<'s>> {
    if !matches!(claim, Member::Absent) {
        return None;
    }
    let (text, after) = usual_string(runs, usual_colon::<5>(cursor)?)?;
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

/// Passes `"…":` and a value; None, and nothing done, where that is not what is there.
#[inline(always)]
fn usual_other<'s, V: Vector>(
    runs: &mut Runs<'s, V>,
    cursor: Cursor<'s>,
    others: &mut Others<'_>,
) -> Option<Cursor<'s>> {
    let (name, after) = usual_string(runs, cursor)?;
    if after.peek::<0, 1>() != *b":" {
        return None;
    }
    let mut value = usual_colon::<0>(after)?;
    let [first] = value.peek::<0, 1>();
    if first == b'"'
        && let Some((_, after)) = usual_string(runs, value)
    {
        value = after;
    } else if ten_digits(value.word::<0>(), value.peek::<8, 3>()).is_some() {
        value.go(value.at() + 10)?;
    } else if value.peek::<0, 4>() == *b"true" || value.peek::<0, 4>() == *b"null" {
        value.go(value.at() + 4)?;
    } else if first > b' ' {
        value.go(runs.vector().any_value(runs, value.at())?)?;
    } else {
        return None;
    }
    others.add(name.as_bytes(), cursor.word::<1>(), cursor.at() + 1, first)?;
    Some(value)
}

/// The names that are not registered.
struct Others<'a> {
    text: &'a [u8],
    extra: &'a [Box<str>],
    /// Bit i: the i-th of `extra` is there and not null.
    present: u64,
    /// A set of 256 hash values: a name whose bit is clear is new without a comparison.
    hashes: [u64; 4],
    /// Where each name begins, behind its quote.
    starts: [u32; MAX_OTHERS],
    count: usize,
}

impl<'a> Others<'a> {
    #[inline(always)]
    fn new(text: &'a [u8], extra: &'a [Box<str>]) -> Option<Self> {
        if extra.len() > 64 {
            return None;
        }
        let starts = [0; MAX_OTHERS];
        Some(Self {
            text,
            extra,
            present: 0,
            hashes: [0; 4],
            starts,
            count: 0,
        })
    }

    /// Adds a name, with eight bytes from its first one on, its position and the first byte of its
    /// value; None when it is there already or one too many.
    #[inline(always)]
    fn add(&mut self, name: &[u8], head: u64, start: usize, value: u8) -> Option<()> {
        let hash = hash(name, head);
        let (word, bit) = (usize::from(hash >> 6), 1 << (hash & 63));
        if self.hashes[word] & bit != 0 && self.is_repeated(name) {
            return None;
        }
        self.hashes[word] |= bit;
        *self.starts.get_mut(self.count)? = u32::try_from(start).ok()?;
        self.count += 1;
        if !self.extra.is_empty() && value != b'n' {
            self.present |= self.bits(name);
        }
        Some(())
    }

    /// Compares with each name so far; a name and its closing quote cannot begin another name.
    #[cold]
    #[inline(never)]
    fn is_repeated(&self, name: &[u8]) -> bool {
        self.starts.iter().take(self.count).any(|&start| {
            let from = self.text.get(start as usize..).unwrap_or_default();
            from.strip_prefix(name)
                .is_some_and(|rest| rest.first() == Some(&b'"'))
        })
    }

    #[inline(never)]
    fn bits(&self, name: &[u8]) -> u64 {
        let same = |wanted: &str| wanted.as_bytes() == name;
        self.extra
            .iter()
            .enumerate()
            .fold(0, |bits, (i, w)| bits | u64::from(same(w)) << i)
    }
}

/// Eight bits over the length and both ends of a name, with which the eight bytes in `head` begin.
#[inline(always)]
fn hash(name: &[u8], head: u64) -> u8 {
    let len = name.len() as u64;
    let ends = match name.last_chunk() {
        Some(&tail) => head ^ u64::from_le_bytes(tail).rotate_left(29),
        None => head & !(u64::MAX << (len * 8)),
    };
    let [.., top] = (ends ^ len.rotate_right(8))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .to_le_bytes();
    top
}
