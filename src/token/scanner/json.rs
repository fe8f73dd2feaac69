//! The productions of RFC 8259, for whatever the walk does not read by itself.
//!
//! Owns the grammar, nesting, escapes and numbers. Leaves to [`Strings`] where strings end, and to
//! [`OtherNames`] which names there were.

use super::arch::{Strings, Vector};
use super::{MAX_DEPTH, OtherNames};
use crate::time::NumericDate;
use crate::token::Claims;
use crate::token::audience::Audience;
use crate::token::json::Member;

/// [`Json::member`] as a call: it is too large to be inlined into the walk.
#[inline(always)]
pub(super) fn member<'s, V: Vector>(
    strings: &mut Strings<'s, V>,
    at: usize,
    claims: &mut Claims<'s>,
    others: &mut OtherNames<'_>,
) -> Option<usize> {
    let vector = strings.vector();
    vector.call(move || Json { strings }.member(at, claims, others))
}

/// [`Json::any_value`] as a call, for the same reason.
#[inline(always)]
pub(super) fn any_value<V: Vector>(strings: &mut Strings<'_, V>, at: usize) -> Option<usize> {
    let vector = strings.vector();
    vector.call(move || Json { strings }.any_value(at))
}

/// Productions of RFC 8259. Each reads one at a position of the text and gives the position behind
/// it; or None for what the grammar forbids or the scanner leaves to simd-json.
struct Json<'r, 's, V> {
    strings: &'r mut Strings<'s, V>,
}

impl<'s, V: Vector> Json<'_, 's, V> {
    #[inline(always)]
    fn bytes(&self) -> &'s [u8] {
        self.strings.bytes()
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes().get(at).copied()
    }

    /// A string without escapes.
    #[inline(always)]
    fn plain_string(&mut self, at: usize) -> Option<(&'s str, usize)> {
        if self.byte(at)? != b'"' {
            return None;
        }
        let text = self.strings.plain(at + 1)?.text()?;
        let end = at + 1 + text.len();
        if self.byte(end)? == b'"' {
            Some((text, end + 1))
        } else {
            None
        }
    }

    /// A member of the top object, in any form.
    #[inline(always)]
    fn member(
        &mut self,
        at: usize,
        claims: &mut Claims<'s>,
        others: &mut OtherNames<'_>,
    ) -> Option<usize> {
        let (name, after) = self.plain_string(at)?;
        let value = self.colon(after)?;
        match name {
            "iss" => self.text_claim(&mut claims.iss, value),
            "sub" => self.text_claim(&mut claims.sub, value),
            "aud" => self.audience_claim(&mut claims.aud, value),
            "exp" => self.date_claim(&mut claims.exp, value),
            "nbf" => self.date_claim(&mut claims.nbf, value),
            "iat" => self.date_claim(&mut claims.iat, value),
            "jti" => self.text_claim(&mut claims.jti, value),
            _ => {
                let head = u64::from_le_bytes(*self.bytes().get(at + 1..)?.first_chunk()?);
                others.add(name.as_bytes(), head, at + 1, self.byte(value)?)?;
                self.any_value(value)
            }
        }
    }

    /// A claim that has to be a string.
    #[inline(always)]
    fn text_claim(&mut self, claim: &mut Member<&'s str>, at: usize) -> Option<usize> {
        if !matches!(claim, Member::Absent) {
            return None;
        }
        let after;
        (*claim, after) = match self.byte(at)? {
            b'"' => self
                .plain_string(at)
                .map(|(text, after)| (Member::Is(text), after))?,
            _ => (Member::WrongType, any_value(self.strings, at)?),
        };
        Some(after)
    }

    /// A claim that has to be a number.
    #[inline(always)]
    fn date_claim(&mut self, claim: &mut Member<NumericDate>, at: usize) -> Option<usize> {
        if !matches!(claim, Member::Absent) {
            return None;
        }
        let after;
        (*claim, after) = if is_number_start(self.byte(at)?) {
            number(self.bytes(), at, true).map(|(date, after)| (Member::Is(date), after))?
        } else {
            (Member::WrongType, any_value(self.strings, at)?)
        };
        Some(after)
    }

    /// The claim that has to be a string or an array of strings.
    #[inline(always)]
    fn audience_claim(&mut self, claim: &mut Member<Audience<'s>>, at: usize) -> Option<usize> {
        if !matches!(claim, Member::Absent) {
            return None;
        }
        let after;
        (*claim, after) = match self.byte(at)? {
            b'"' => {
                let (text, after) = self.plain_string(at)?;
                (Member::Is(Audience::One(text)), after)
            }
            b'[' => self.audiences(at)?,
            _ => (Member::WrongType, any_value(self.strings, at)?),
        };
        Some(after)
    }

    /// The array that is the value of `aud`.
    #[inline(always)]
    fn audiences(&mut self, open: usize) -> Option<(Member<Audience<'s>>, usize)> {
        let mut at = space(self.bytes(), open + 1)?;
        if self.byte(at)? != b']' {
            loop {
                if self.byte(at)? != b'"' {
                    return Some((Member::WrongType, any_value(self.strings, open)?));
                }
                let (_, after) = self.plain_string(at)?;
                at = space(self.bytes(), after)?;
                match self.byte(at)? {
                    b',' => at = space(self.bytes(), at + 1)?,
                    b']' => break,
                    _ => return None,
                }
            }
        }
        let inside = self.bytes().get(open + 1..at)?;
        Some((Member::Is(Audience::Plain(inside)), at + 1))
    }

    /// Any value: numbers must only not overflow a double.
    #[inline(always)]
    fn any_value(&mut self, at: usize) -> Option<usize> {
        match self.byte(at)? {
            b'"' => self.string(at),
            b'{' | b'[' => self.nested(at),
            byte if is_number_start(byte) => Some(number(self.bytes(), at, false)?.1),
            _ => literal(self.bytes(), at),
        }
    }

    /// A colon with the white space about it.
    #[inline(always)]
    fn colon(&self, at: usize) -> Option<usize> {
        inside(self.bytes(), space(self.bytes(), at)?, b':')
    }

    /// A string, escapes and all.
    #[inline(always)]
    fn string(&mut self, at: usize) -> Option<usize> {
        if self.byte(at)? != b'"' {
            return None;
        }
        let mut at = at + 1;
        loop {
            at += self.strings.plain(at)?.text()?.len();
            match self.byte(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at = escape(self.bytes(), at)?,
                _ => return None,
            }
        }
    }

    /// An object or array, however it is nested, with a bit for the kind of each level.
    #[inline(always)]
    fn nested(&mut self, open: usize) -> Option<usize> {
        const OBJECT: u64 = 1;
        let mut at = open;
        let mut kinds = 0_u64;
        let mut depth = 1; // the top object
        loop {
            // At the first byte of a value.
            match self.byte(at)? {
                b'"' => {
                    at = self.string(at)?;
                    // Arrays of strings are the most common of what is nested.
                    while kinds & OBJECT == 0 && self.bytes().get(at..at + 2) == Some(b",\"") {
                        at = self.string(at + 1)?;
                    }
                }
                bracket @ (b'{' | b'[') => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return None;
                    }
                    kinds = kinds << 1 | u64::from(bracket == b'{');
                    at = space(self.bytes(), at + 1)?;
                    // `{` and `}`, `[` and `]` are two apart.
                    if self.byte(at)? != bracket + 2 {
                        if bracket == b'{' {
                            at = self.name(at)?;
                        }
                        continue;
                    }
                }
                byte if is_number_start(byte) => at = number(self.bytes(), at, false)?.1,
                _ => at = literal(self.bytes(), at)?,
            }
            // Behind a value, or at the end of an empty object or array.
            loop {
                at = space(self.bytes(), at)?;
                match self.byte(at)? {
                    b',' => {
                        at = space(self.bytes(), at + 1)?;
                        if kinds & OBJECT != 0 {
                            at = self.name(at)?;
                        }
                        break;
                    }
                    close @ (b'}' | b']') => {
                        if (close == b'}') != (kinds & OBJECT != 0) {
                            return None;
                        }
                        at += 1;
                        kinds >>= 1;
                        depth -= 1;
                        if depth == 1 {
                            return Some(at);
                        }
                    }
                    _ => return None,
                }
            }
        }
    }

    /// The name of a member below the top, and its colon.
    #[inline(always)]
    fn name(&mut self, at: usize) -> Option<usize> {
        let after = self.string(at)?;
        self.colon(after)
    }
}

pub(super) const fn is_number_start(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'-')
}

/// RFC 8259 section 2.
pub(super) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Passes white space; at least one byte follows it.
#[inline(always)]
pub(super) fn space(text: &[u8], at: usize) -> Option<usize> {
    if *text.get(at)? > b' ' {
        Some(at)
    } else {
        some_space(text, at)
    }
}

/// Passes one byte that has to be there, and white space behind it.
#[inline(always)]
pub(super) fn inside(text: &[u8], at: usize, byte: u8) -> Option<usize> {
    if *text.get(at)? == byte {
        space(text, at + 1)
    } else {
        None
    }
}

#[inline(never)]
fn some_space(text: &[u8], at: usize) -> Option<usize> {
    Some(at + text.get(at..)?.iter().position(|&byte| !is_space(byte))?)
}

/// Passes true, false or null. The caller checks what follows.
#[inline(always)]
fn literal(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at..)? {
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => Some(at + 4),
        [b'f', b'a', b'l', b's', b'e', ..] => Some(at + 5),
        _ => None,
    }
}

/// Passes the escape whose backslash is at `at`: RFC 8259 section 7, surrogates only in pairs.
#[cold]
#[inline(never)]
fn escape(text: &[u8], at: usize) -> Option<usize> {
    let unit = |at: usize| {
        let digits: &[u8; 4] = text.get(at..)?.first_chunk()?;
        digits
            .iter()
            .try_fold(0, |unit, &d| Some(unit << 4 | char::from(d).to_digit(16)?))
    };
    match text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => match unit(at + 2)? {
            0xd800..=0xdbff => {
                let pair = text.get(at + 6..)?.starts_with(b"\\u");
                (pair && matches!(unit(at + 8)?, 0xdc00..=0xdfff)).then_some(at + 12)
            }
            0xdc00..=0xdfff => None,
            _ => Some(at + 6),
        },
        _ => None,
    }
}

/// An integer of exactly ten digits, as dates have from 2001 to 2286, with a comma or brace behind.
#[inline(always)]
pub(super) fn ten_digits(eight: u64, [nine, ten, end]: [u8; 3]) -> Option<i64> {
    // A digit less '0' has a clear top bit, and keeps it when 0x76 is added. A borrow or a carry
    // comes only from a byte that is no digit and shows it itself.
    let eight = eight.wrapping_sub(0x3030_3030_3030_3030);
    let two = u64::from(u16::from_le_bytes([nine, ten]).wrapping_sub(0x3030));
    let over = eight.wrapping_add(0x7676_7676_7676_7676) | eight | two.wrapping_add(0x7676) | two;
    if over & 0x8080_8080_8080_8080 != 0 || eight & 0xff == 0 || !matches!(end, b',' | b'}') {
        return None;
    }
    Some(value_of_ten(eight, two))
}

/// The value of eight digits and two more, each less '0', as little-endian words.
#[inline(always)]
fn value_of_ten(eight: u64, two: u64) -> i64 {
    // Pairs, then fours, then all eight.
    let pairs = (eight.wrapping_mul(10 << 8 | 1) >> 8) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs.wrapping_mul(100 << 16 | 1) >> 16) & 0x0000_ffff_0000_ffff;
    let all = fours.wrapping_mul(10_000 << 32 | 1) >> 32;
    (all * 100 + (two & 0xff) * 10 + (two >> 8)).cast_signed()
}

/// [`ten_digits`] that are known to be digits; of other bytes it makes some number.
#[inline(always)]
pub(super) fn ten_known_digits(bytes: [u8; 10]) -> i64 {
    let [a, b, c, d, e, f, g, h, two @ ..] = bytes;
    let eight = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let two = u16::from_le_bytes(two);
    value_of_ten(
        eight.wrapping_sub(0x3030_3030_3030_3030),
        two.wrapping_sub(0x3030).into(),
    )
}

/// Passes a number, with its value. An integer of more than nineteen digits is left to simd-json if
/// it has to be `exact`; else it only must not overflow a double.
#[inline(never)]
fn number(text: &[u8], at: usize, exact: bool) -> Option<(NumericDate, usize)> {
    let text = text.get(at..)?;
    let digits = |from: usize| {
        let digits = text.get(from..)?;
        match digits.iter().position(|byte| !byte.is_ascii_digit())? {
            0 => None,
            count => Some(from + count),
        }
    };
    let negative = text.first() == Some(&b'-');
    let first = usize::from(negative);
    let mut end = digits(first)?;
    if text.get(first) == Some(&b'0') && end > first + 1 {
        return None;
    }
    let whole = text.get(first..end)?;
    if text.get(end) == Some(&b'.') {
        end = digits(end + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(end) {
        let sign = usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits(end + 1 + sign)?;
    }
    let number = text.get(..end)?;
    if number.len() > first + whole.len() || whole.len() > 19 {
        let value: f64 = core::str::from_utf8(number).ok()?.parse().ok()?;
        let is_integer = number.len() == first + whole.len();
        let taken = value.is_finite() && !(is_integer && exact);
        return taken.then_some((NumericDate::Float(value), at + end));
    }
    // Nineteen nines are below 2^64.
    let value = whole
        .iter()
        .fold(0, |value, digit| value * 10 + u64::from(digit & 0xf));
    let date = match (negative, i64::try_from(value)) {
        (false, Ok(value)) => NumericDate::Int(value),
        (false, Err(_)) => NumericDate::Uint(value),
        (true, Ok(value)) => NumericDate::Int(-value),
        (true, Err(_)) if value == i64::MIN.unsigned_abs() => NumericDate::Int(i64::MIN),
        (true, Err(_)) if exact => return None,
        (true, Err(_)) => NumericDate::Float(-(value as f64)),
    };
    Some((date, at + end))
}
