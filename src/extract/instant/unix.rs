//! Times as numbers: seconds, milliseconds, microseconds or nanoseconds since 1970.

use std::ops::Range;

use super::form::Layouts;
use crate::time::UnixTime;

/// The units, with the digits that their integers have from 2001 to 2286, and how many there are in
/// a second.
const UNITS: [(Layouts, usize, u128); 4] = [
    (Layouts::SECONDS, 10, 1),
    (Layouts::MILLIS, 13, 1_000),
    (Layouts::MICROS, 16, 1_000_000),
    (Layouts::NANOS, 19, 1_000_000_000),
];

const BILLION: u128 = 1_000_000_000;

/// The time that a number is, of any size. Among several units it counts those that put it nearest
/// to the present.
pub(super) fn parse(value: &[u8], layouts: Layouts) -> Option<UnixTime> {
    let billionths = billionths(value)?;
    let units = UNITS.iter().filter(|(unit, ..)| layouts.has(*unit));
    let mut last = None;
    for (_, digits, per_second) in units {
        last = Some(*per_second);
        // Of the next unit there are a thousand times as many, so the border is between the two.
        if billionths / BILLION < 10_u128.pow(u32::try_from(*digits).ok()? + 1) {
            break;
        }
    }
    unix_time(billionths, last?)
}

/// The first number in `text` that is a time, of those that start before `end`.
pub(super) fn first_in(
    text: &[u8],
    end: usize,
    layouts: Layouts,
) -> Option<(Range<usize>, UnixTime)> {
    // Of ten digits in a row, one is at a multiple of ten from wherever the search starts.
    const STEP: usize = 10;
    if !UNITS.iter().any(|(unit, ..)| layouts.has(*unit)) {
        return None;
    }
    let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
    let mut at = STEP - 1;
    while at < text.len() {
        if !is_digit(at) {
            at += STEP;
            continue;
        }
        let before = text[..at].iter().rev().take(STEP);
        let start = at - before.take_while(|byte| byte.is_ascii_digit()).count();
        if start >= end {
            return None;
        }
        while is_digit(at) {
            at += 1;
        }
        if let Some(found) = number_at(text, start..at, layouts) {
            return Some(found);
        }
        at += STEP;
    }
    None
}

/// The time that a number is whose digits before the point are these.
fn number_at(
    text: &[u8],
    integer: Range<usize>,
    layouts: Layouts,
) -> Option<(Range<usize>, UnixTime)> {
    let (unit, _, per_second) = *UNITS
        .iter()
        .find(|(unit, digits, _)| *digits == integer.len() && layouts.has(*unit))?;
    let decimals = match &text[integer.end..] {
        [b'.', rest @ ..] => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let end = integer.end + if decimals > 0 { 1 + decimals } else { 0 };
    let before = &text[..integer.start];
    let is_alone = before.last().is_none_or(may_precede) && text.get(end).is_none_or(may_follow);
    if !is_alone || text[integer.start] == b'0' {
        return None;
    }
    let is_time = if layouts != Layouts::ALL {
        true
    } else if let Some(key) = key_before(before) {
        names_a_time(key)
    } else {
        unit == Layouts::SECONDS && matches!(decimals, 3 | 6 | 9)
    };
    if !is_time {
        return None;
    }
    let range = integer.start..end;
    let at = unix_time(billionths(&text[range.clone()])?, per_second)?;
    Some((range, at))
}

const fn may_precede(byte: &u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'['
            | b'('
            | b'{'
            | b'<'
            | b'>'
            | b'"'
            | b'\''
            | b'|'
            | b','
            | b';'
            | b'='
            | b':'
            | b'#'
    )
}

const fn may_follow(byte: &u8) -> bool {
    matches!(
        byte,
        b' ' | b'\t'
            | b'\r'
            | b'\n'
            | b']'
            | b')'
            | b'}'
            | b'<'
            | b'>'
            | b'"'
            | b'\''
            | b'\\'
            | b'|'
            | b','
            | b';'
            | b'&'
            | b':'
    )
}

/// The key whose value starts here: what is before `=` or `:`, without quotes. It is empty if there
/// is a separator but no key.
fn key_before(before: &[u8]) -> Option<&[u8]> {
    const QUOTES: &[u8] = b"\"'\\ ";
    const LONGEST: usize = 40;
    let before = &before[before.len().saturating_sub(LONGEST)..];
    let trimmed = trimmed_end(before, QUOTES);
    let [key @ .., b'=' | b':'] = trimmed else {
        return None;
    };
    let key = trimmed_end(key, QUOTES);
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-@.$".contains(byte);
    let length = key.iter().rev().take_while(is_part).count();
    Some(&key[key.len() - length..])
}

fn trimmed_end<'t>(bytes: &'t [u8], of: &[u8]) -> &'t [u8] {
    let count = bytes
        .iter()
        .rev()
        .take_while(|byte| of.contains(byte))
        .count();
    &bytes[..bytes.len() - count]
}

/// Whether a member, column or parameter of this name usually holds the time of its record. Case and
/// separators do not matter, nor what is before the last dot.
pub(super) fn names_a_time(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 32] = [
        b"@t",
        b"@timestamp",
        b"date",
        b"datetime",
        b"epoch",
        b"epochmillis",
        b"epochsecond",
        b"eventtime",
        b"eventtimestamp",
        b"logtime",
        b"logtimestamp",
        b"msec",
        b"observedtimeunixnano",
        b"receivedat",
        b"requestreceivedtimestamp",
        b"requesttimestamp",
        b"starteddatetime",
        b"starttime",
        b"starttimeunixnano",
        b"time",
        b"timeiso8601",
        b"timelocal",
        b"timemillis",
        b"timems",
        b"timestamp",
        b"timestampmillis",
        b"timestampms",
        b"timestampns",
        b"timeunixnano",
        b"ts",
        b"unixtime",
        b"unixtimestamp",
    ];
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let letters = || last.iter().filter(|byte| !b"_-$".contains(byte));
    NAMES.iter().any(|known| {
        letters()
            .map(u8::to_ascii_lowercase)
            .eq(known.iter().copied())
    })
}

/// `billionths` of a billionth of a unit, of which there are `per_second`.
fn unix_time(billionths: u128, per_second: u128) -> Option<UnixTime> {
    let nanos = billionths / per_second;
    let seconds = u64::try_from(nanos / BILLION).ok()?;
    UnixTime::new(seconds, u32::try_from(nanos % BILLION).ok()?)
}

/// A decimal number without a sign, such as `12`, `1.5` or `1.76E9`, times a billion; what is below
/// is cut off. `None` for anything else, and beyond 10^29.
fn billionths(text: &[u8]) -> Option<u128> {
    // So many digits with nine more are within 128 bits.
    const MOST_DIGITS: u32 = 29;
    let mut mantissa = 0_u128;
    // The power of ten that the mantissa is to be multiplied with.
    let mut power = 9_i32;
    let mut has_point = false;
    let (mut digits, mut significant) = (0, 0);
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        match byte {
            b'0'..=b'9' if significant < MOST_DIGITS => {
                mantissa = mantissa * 10 + u128::from(byte - b'0');
                significant += u32::from(mantissa > 0);
                power -= i32::from(has_point);
                digits += 1;
            }
            b'0'..=b'9' if has_point => {}
            b'.' if !has_point && digits > 0 && after.first().is_some_and(u8::is_ascii_digit) => {
                has_point = true;
            }
            b'e' | b'E' if digits > 0 => {
                power += exponent(after)?;
                break;
            }
            _ => return None,
        }
        rest = after;
    }
    if digits == 0 {
        return None;
    }
    match 10_u128.checked_pow(power.unsigned_abs()) {
        Some(scale) if power >= 0 => mantissa.checked_mul(scale),
        Some(scale) => Some(mantissa / scale),
        None if power < 0 || mantissa == 0 => Some(0),
        None => None,
    }
}

/// One or two digits, with or without a sign.
fn exponent(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'-', digits @ ..] => (-1, digits),
        [b'+', digits @ ..] => (1, digits),
        digits => (1, digits),
    };
    let is_short = (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_short.then(|| {
        sign * digits
            .iter()
            .fold(0, |sum, byte| sum * 10 + i32::from(byte - b'0'))
    })
}
