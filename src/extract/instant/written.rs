//! Dates and times of day as logs write them, read around a colon of `hh:mm:ss`.
//!
//! Only the layout is read here; whether such a day exists, and which instant it is, is not.

use std::ops::Range;

use jiff::civil::Time;

use super::form::Layouts;

/// A date and a time of day, as written.
#[derive(Debug)]
pub(super) struct Written {
    /// All of it, from the weekday or the date to the zone or the year.
    pub(super) range: Range<usize>,
    pub(super) year: Option<i16>,
    /// From 1 to 12.
    pub(super) month: i8,
    /// From 0 to 99.
    pub(super) day: i8,
    pub(super) time: Time,
    /// Seconds east of UTC.
    pub(super) offset: Option<i32>,
}

impl Written {
    /// The date and time whose first colon between hours and minutes this is, in one of `layouts`.
    #[inline]
    pub(super) fn around(text: &[u8], colon: usize, layouts: Layouts) -> Option<Self> {
        // Most colons in a log are none of a time, and this sees it.
        let [m1, m2, b':', s1, s2] = *text.get(colon + 1..)?.first_chunk()? else {
            return None;
        };
        let minute = number(&[m1, m2]).filter(|minute| *minute < 60)?;
        let second = number(&[s1, s2]).filter(|second| *second <= 60)?;
        Self::of_clock(text, colon, layouts, minute, second)
    }

    fn of_clock(
        text: &[u8],
        colon: usize,
        layouts: Layouts,
        minute: i16,
        second: i16,
    ) -> Option<Self> {
        let hours = trailing_digits(&text[..colon], 2)?;
        let hour = number(&text[hours..colon])?;
        let (separator, before) = text[..hours].split_last()?;
        let date = Date::at_end_of(before, *separator)?;
        if colon - hours == 1 && date.layout != Layouts::MONTH_DAY_YEAR {
            return None;
        }

        let mut rest = Rest {
            text,
            position: colon + 6,
        };
        if rest.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let nanos = rest.fraction();
        if date.layout == Layouts::KLOG && nanos.is_none() {
            return None;
        }
        let hour = rest.meridiem(hour);
        let mut offset = rest.zone().ok()?;
        let (mut layout, mut year) = (date.layout, date.year);
        if layout == Layouts::MONTH_DAY && date.has_weekday && layouts.has(Layouts::CTIME) {
            year = rest.year();
            if year.is_some() {
                layout = Layouts::CTIME;
                if offset.is_none() {
                    offset = rest.zone().ok()?;
                }
            }
        }
        if offset.is_none() && layouts.has(Layouts::IN_UTC) {
            offset = Some(0);
        }
        // A leap second is the last nanosecond before it.
        let (second, nanos) = match second {
            60 => (59, 999_999_999),
            _ => (second, nanos.unwrap_or(0)),
        };
        let small = |number: i16| i8::try_from(number).ok();
        let time = (hour < 24)
            .then(|| Time::new(small(hour)?, small(minute)?, small(second)?, nanos).ok())??;
        layouts.has(layout).then_some(Self {
            range: date.start..rest.position,
            year,
            month: small(date.month)?,
            day: small(date.day)?,
            time,
            offset,
        })
    }
}

/// A date, read from its end.
struct Date {
    layout: Layouts,
    start: usize,
    has_weekday: bool,
    year: Option<i16>,
    month: i16,
    day: i16,
}

impl Date {
    /// The date that `before` ends with, given what separates it from the time.
    fn at_end_of(before: &[u8], separator: u8) -> Option<Self> {
        let date = match separator {
            b'T' | b't' | b'\t' => Self::iso(before, b'-'),
            b':' => Self::day_month_year(before, b'/'),
            b' ' => match before.split_last_chunk::<3>()? {
                (_, [_, _, b',']) => Self::month_day_year(before),
                (_, [b'-', ..]) => Self::iso(before, b'-'),
                (_, [b'/', ..]) => Self::iso(before, b'/'),
                (_, [b' ', ..] | [_, b' ', _]) => Self::month_day(before),
                _ => Self::of_year_or_klog(before),
            },
            _ => None,
        }?;
        // A date that digits run into is a part of something else.
        let is_digit = |at: usize| before.get(at).is_some_and(u8::is_ascii_digit);
        let is_alone = !is_digit(date.start) || !date.start.checked_sub(1).is_some_and(is_digit);
        (is_alone && (1..=12).contains(&date.month)).then_some(date)
    }

    /// What ends with a year of four digits, and klog.
    fn of_year_or_klog(before: &[u8]) -> Option<Self> {
        match before.split_last_chunk::<5>()?.1 {
            [b'I' | b'W' | b'E' | b'F', ..] => Self::klog(before),
            [separator @ (b'/' | b'-'), ..] => Self::day_month_year(before, *separator),
            [b' ', ..] => {
                Self::day_month_year(before, b' ').or_else(|| Self::month_day_year(before))
            }
            _ => None,
        }
    }

    /// `2025-10-10` or `2025/10/10`.
    fn iso(before: &[u8], separator: u8) -> Option<Self> {
        let (head, date) = before.split_last_chunk::<10>()?;
        if date[4] != separator || date[7] != separator {
            return None;
        }
        Some(Self {
            layout: match separator {
                b'-' => Layouts::ISO,
                _ => Layouts::SLASHES,
            },
            start: head.len(),
            has_weekday: false,
            year: Some(number(&date[..4])?),
            month: number(&date[5..7])?,
            day: number(&date[8..])?,
        })
    }

    /// `10/Oct/2025`, `6 Nov 1994`, `Sun, 06 Nov 1994`.
    fn day_month_year(before: &[u8], separator: u8) -> Option<Self> {
        let (head, date) = before.split_last_chunk::<9>()?;
        let [s1, m1, m2, m3, s2, year @ ..] = date;
        if *s1 != separator || *s2 != separator {
            return None;
        }
        let start = trailing_digits(head, 2)?;
        let weekday = weekday_before(head, start);
        Some(Self {
            layout: Layouts::DAY_MONTH_YEAR,
            start: weekday.unwrap_or(start),
            has_weekday: weekday.is_some(),
            year: Some(number(year)?),
            month: month([*m1, *m2, *m3])?,
            day: number(&head[start..])?,
        })
    }

    /// `Oct 10`, `Oct  6`, `Oct 6`, `Fri Oct 10`.
    fn month_day(before: &[u8]) -> Option<Self> {
        let day = trailing_digits(before, 2)?;
        let (head, b" ") = before[..day].split_last_chunk()? else {
            return None;
        };
        let head = match head {
            [head @ .., b' '] if before.len() - day == 1 => head,
            _ => head,
        };
        let (head, name) = head.split_last_chunk()?;
        let weekday = weekday_before(head, head.len());
        Some(Self {
            layout: Layouts::MONTH_DAY,
            start: weekday.unwrap_or(head.len()),
            has_weekday: weekday.is_some(),
            year: None,
            month: month(*name)?,
            day: number(&before[day..])?,
        })
    }

    /// `Oct 10, 2025`, `Oct 10, 2025,` or `Oct 10 2025`.
    fn month_day_year(before: &[u8]) -> Option<Self> {
        let before = before.strip_suffix(b",").unwrap_or(before);
        let (head, [b' ', year @ ..]) = before.split_last_chunk::<5>()? else {
            return None;
        };
        let head = head.strip_suffix(b",").unwrap_or(head);
        Some(Self {
            layout: Layouts::MONTH_DAY_YEAR,
            year: Some(number(year)?),
            ..Self::month_day(head)?
        })
    }

    /// `I1010`: the severity, month and day.
    fn klog(before: &[u8]) -> Option<Self> {
        let (head, [_, m1, m2, d1, d2]) = before.split_last_chunk()?;
        if head.last().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        Some(Self {
            layout: Layouts::KLOG,
            start: head.len(),
            has_weekday: false,
            year: None,
            month: number(&[*m1, *m2])?,
            day: number(&[*d1, *d2])?,
        })
    }
}

/// What follows `hh:mm:ss`.
struct Rest<'t> {
    text: &'t [u8],
    position: usize,
}

impl<'t> Rest<'t> {
    fn bytes(&self) -> &'t [u8] {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<&'t u8> {
        self.bytes().first()
    }

    /// Nanoseconds; digits beyond are cut off.
    fn fraction(&mut self) -> Option<i32> {
        let [b'.' | b',', digits @ ..] = self.bytes() else {
            return None;
        };
        let count = digits
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return None;
        }
        self.position += 1 + count;
        let digit = |place: usize| digits[..count].get(place).map_or(0, |byte| byte - b'0');
        Some((0..9).fold(0, |nanos, place| nanos * 10 + i32::from(digit(place))))
    }

    /// The hour from 0 on, after ` AM` or ` PM`. With an hour that no such clock has, the letters
    /// are something else.
    fn meridiem(&mut self, hour: i16) -> i16 {
        // Java writes a narrow no-break space, U+202F, since version 20.
        let (blank, letters) = match self.bytes() {
            [b' ', letters @ ..] => (1, letters),
            [0xe2, 0x80, 0xaf, letters @ ..] => (3, letters),
            letters => (0, letters),
        };
        let Some(([half, b'M' | b'm'], after)) = letters.split_first_chunk() else {
            return hour;
        };
        let half = half.to_ascii_uppercase();
        if !matches!(half, b'A' | b'P') {
            return hour;
        }
        if !(1..=12).contains(&hour) || after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return hour;
        }
        self.position += blank + 2;
        hour % 12 + if half == b'P' { 12 } else { 0 }
    }

    /// Seconds east of UTC, if there is a zone that says it; an error for an offset of a day or more.
    fn zone(&mut self) -> Result<Option<i32>, ()> {
        let bytes = self.bytes();
        let (blank, zone) = match bytes {
            [b' ', zone @ ..] => (1, zone),
            zone => (0, zone),
        };
        let (name, after) = match zone {
            [b'Z' | b'z', after @ ..] => (1, after),
            [b'U', b'T', b'C', after @ ..] | [b'G', b'M', b'T', after @ ..] => (3, after),
            after => (0, after),
        };
        let is_signed = matches!(after, [b'+' | b'-', digit, ..] if digit.is_ascii_digit());
        // JavaScript writes GMT+0200.
        if name != 1 && is_signed {
            return match offset_of(after) {
                // Apart from the time, two digits may be anything.
                Some((3, _)) if blank > name => Ok(None),
                Some((_, None)) if blank == 0 => Err(()),
                Some((length, Some(offset))) => {
                    self.position += blank + name + length;
                    Ok(Some(offset))
                }
                _ => Ok(None),
            };
        }
        if name == 0 || after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return Ok(None);
        }
        self.position += blank + name;
        Ok(Some(0))
    }

    /// The year at the end, perhaps after an abbreviation of a zone.
    fn year(&mut self) -> Option<i16> {
        let bytes = self.bytes();
        let abbreviation = match bytes {
            [b' ', name @ ..] => name
                .iter()
                .take(5)
                .take_while(|b| b.is_ascii_uppercase())
                .count(),
            _ => 0,
        };
        let skipped = if abbreviation == 0 {
            0
        } else {
            1 + abbreviation
        };
        let ([b' ', year @ ..], after) = bytes.get(skipped..)?.split_first_chunk::<5>()? else {
            return None;
        };
        let year = number(year)?;
        if after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        self.position += skipped + 5;
        Some(year)
    }
}

/// `+02`, `+0200` or `+02:00` at the start of `bytes`: its length, and the seconds east of UTC
/// unless it is a day or more.
pub(super) fn offset_of(bytes: &[u8]) -> Option<(usize, Option<i32>)> {
    let (sign, digits) = match bytes {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let hours = number(digits.get(..2)?)?;
    let (length, minutes) = match digits[2..] {
        [m1, m2, ..] if m1.is_ascii_digit() => (5, number(&[m1, m2])?),
        [b':', m1, m2, ..] if m1.is_ascii_digit() && m2.is_ascii_digit() => (6, number(&[m1, m2])?),
        _ => (3, 0),
    };
    match bytes[length..] {
        [byte, ..] if byte.is_ascii_digit() => return None,
        [b':', byte, ..] if byte.is_ascii_digit() => return None,
        _ => {}
    }
    let seconds = sign * (i32::from(hours) * 60 + i32::from(minutes)) * 60;
    Some((length, (hours < 24 && minutes < 60).then_some(seconds)))
}

/// The number that these up to four bytes are, if they are digits.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0_i16, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit < 10).then(|| number * 10 + i16::from(digit))
    })
}

/// Where the digits at the end of `bytes` start: at least one, and no more than `most`.
fn trailing_digits(bytes: &[u8], most: usize) -> Option<usize> {
    let digits = bytes.iter().rev().take(most + 1);
    let count = digits.take_while(|byte| byte.is_ascii_digit()).count();
    (1..=most).contains(&count).then(|| bytes.len() - count)
}

/// From 1 to 12.
fn month(name: [u8; 3]) -> Option<i16> {
    Some(match &name.map(|byte| byte | 0x20) {
        b"jan" => 1,
        b"feb" => 2,
        b"mar" => 3,
        b"apr" => 4,
        b"may" => 5,
        b"jun" => 6,
        b"jul" => 7,
        b"aug" => 8,
        b"sep" => 9,
        b"oct" => 10,
        b"nov" => 11,
        b"dec" => 12,
        _ => return None,
    })
}

/// Where `Fri ` or `Fri, ` starts before `end`.
fn weekday_before(text: &[u8], end: usize) -> Option<usize> {
    let name = text[..end].strip_suffix(b" ")?;
    let name = name.strip_suffix(b",").unwrap_or(name);
    let (head, name) = name.split_last_chunk()?;
    let is_weekday = matches!(
        name,
        b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun"
    );
    is_weekday.then_some(head.len())
}
