//! Times in logs, found a second time: every layout is tried at every position, with a calendar that
//! counts days year by year.

/// A time, where it is, and what was assumed to read it.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The position of its first byte.
    pub start: usize,
    /// The position behind its last byte.
    pub end: usize,
    /// Seconds since 1970.
    pub seconds: i64,
    /// Nanoseconds beyond.
    pub nanos: u32,
    /// It has no zone.
    pub assumed_zone: bool,
    /// It has no year.
    pub assumed_year: bool,
}

/// What is assumed.
#[derive(Debug, Clone, Copy)]
pub struct Assumed {
    /// Seconds east of UTC, for times without a zone.
    pub offset: i64,
    /// Seconds and nanoseconds since 1970, which times without a year are not after.
    pub now: (i64, u32),
}

/// The layouts, the more particular first. `W` is a weekday, `N` the name of a month, `Y` four
/// digits, `M`, `D`, `h`, `m` and `s` two, `d` and `H` one or two, `p` the same or a blank and one;
/// `L` a severity; `f` a fraction and `F` one that must be there; `A` AM or PM, `Z` a zone, `y` the
/// year at the end, which must be there. Others are themselves.
const LAYOUTS: &[&str] = &[
    "Y-M-DTh:m:sfAZ",
    "Y-M-Dth:m:sfAZ",
    "Y-M-D h:m:sfAZ",
    "Y-M-D\th:m:sfAZ",
    "Y/M/D h:m:sfAZ",
    "d/N/Y:h:m:sfAZ",
    "W d/N/Y:h:m:sfAZ",
    "W, d/N/Y:h:m:sfAZ",
    "d/N/Y h:m:sfAZ",
    "W d/N/Y h:m:sfAZ",
    "W, d/N/Y h:m:sfAZ",
    "d-N-Y h:m:sfAZ",
    "W d-N-Y h:m:sfAZ",
    "W, d-N-Y h:m:sfAZ",
    "d N Y h:m:sfAZ",
    "W d N Y h:m:sfAZ",
    "W, d N Y h:m:sfAZ",
    "W N p h:m:sfAZyZ",
    "W, N p h:m:sfAZyZ",
    "N p h:m:sfAZ",
    "W N p h:m:sfAZ",
    "W, N p h:m:sfAZ",
    "N p Y H:m:sfAZ",
    "N p, Y H:m:sfAZ",
    "N p Y, H:m:sfAZ",
    "N p, Y, H:m:sfAZ",
    "W N p Y H:m:sfAZ",
    "W N p, Y H:m:sfAZ",
    "W N p Y, H:m:sfAZ",
    "W N p, Y, H:m:sfAZ",
    "W, N p Y H:m:sfAZ",
    "W, N p, Y H:m:sfAZ",
    "W, N p Y, H:m:sfAZ",
    "W, N p, Y, H:m:sfAZ",
    "LMD h:m:sFAZ",
];

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Keys whose value is a time, in small letters and without separators.
const KEYS: &str = "@t @timestamp date datetime epoch epochmillis epochsecond eventtime \
    eventtimestamp logtime logtimestamp msec observedtimeunixnano receivedat \
    requestreceivedtimestamp requesttimestamp starteddatetime starttime starttimeunixnano time \
    timeiso8601 timelocal timemillis timems timestamp timestampmillis timestampms timestampns \
    timeunixnano ts unixtime unixtimestamp";

/// The first time in a text, of any layout.
pub fn first_in(text: &[u8], assumed: Assumed) -> Option<Found> {
    let mut start = 0;
    while start < text.len() {
        if let Some(found) = number(text, start) {
            return Some(found);
        }
        let before = start.checked_sub(1).map(|before| text[before]);
        let tried = LAYOUTS.iter().find_map(|layout| {
            let of_digits = text[start].is_ascii_digit();
            let is_alone = match before {
                Some(byte) if of_digits => !byte.is_ascii_digit(),
                Some(byte) if layout.starts_with('L') => !byte.is_ascii_alphanumeric(),
                _ => true,
            };
            is_alone.then(|| Fields::read(text, start, layout))?
        });
        if let Some(fields) = tried {
            if let Some(found) = fields.resolve(start, assumed) {
                return Some(found);
            }
            // It has the form of a time, but there is none such.
            start = fields.colon;
        }
        start += 1;
    }
    None
}

#[derive(Default)]
struct Fields {
    year: Option<i64>,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    offset: Option<i64>,
    /// An offset of a day or more.
    bad_offset: bool,
    /// The first colon between hours and minutes.
    colon: usize,
    end: usize,
}

impl Fields {
    fn read(text: &[u8], start: usize, layout: &str) -> Option<Fields> {
        let mut fields = Fields::default();
        let mut at = start;
        for field in layout.bytes() {
            let rest = &text[at..];
            let digits = digits(rest);
            let pair = || (digits >= 2).then(|| value(&rest[..2]));
            at += match field {
                b'W' => {
                    let name = std::str::from_utf8(rest.get(..3)?).ok()?;
                    WEEKDAYS.contains(&name).then_some(3)?
                }
                b'N' => {
                    let name = std::str::from_utf8(rest.get(..3)?).ok()?.to_lowercase();
                    fields.month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
                    3
                }
                b'L' => b"IWEF".contains(rest.first()?).then_some(1)?,
                b'Y' => {
                    fields.year = Some((digits == 4).then(|| value(&rest[..4]))?);
                    4
                }
                b'M' => {
                    fields.month = pair()?;
                    2
                }
                b'D' => {
                    fields.day = pair()?;
                    2
                }
                b'd' | b'p' if (1..=2).contains(&digits) => {
                    fields.day = value(&rest[..digits]);
                    digits
                }
                b'p' => {
                    let [b' ', rest @ ..] = rest else {
                        return None;
                    };
                    fields.day = (self::digits(rest) == 1).then(|| value(&rest[..1]))?;
                    2
                }
                b'h' | b'H' => {
                    let few = if field == b'h' { 2 } else { 1 };
                    fields.hour = (few..=2)
                        .contains(&digits)
                        .then(|| value(&rest[..digits]))?;
                    fields.colon = at + digits;
                    digits
                }
                b'm' => {
                    fields.minute = (digits == 2).then(|| value(&rest[..2]))?;
                    2
                }
                b's' => {
                    fields.second = (digits == 2).then(|| value(&rest[..2]))?;
                    2
                }
                b'f' | b'F' => fields.fraction(rest, field == b'F')?,
                b'A' => fields.meridiem(rest),
                b'Z' if fields.offset.is_none() => fields.zone(rest),
                b'Z' => 0,
                b'y' => fields.last_year(rest)?,
                literal => (rest.first() == Some(&literal)).then_some(1)?,
            };
        }
        fields.end = at;
        Some(fields)
    }

    fn fraction(&mut self, rest: &[u8], is_needed: bool) -> Option<usize> {
        let count = match rest {
            [b'.' | b',', rest @ ..] => digits(rest),
            _ => 0,
        };
        if count == 0 {
            return (!is_needed).then_some(0);
        }
        let written = String::from_utf8_lossy(&rest[1..=count]);
        self.nanos = format!("{written:0<9}")[..9].parse().ok()?;
        Some(1 + count)
    }

    fn meridiem(&mut self, rest: &[u8]) -> usize {
        for blank in ["", " ", "\u{202f}"] {
            for half in ["AM", "PM", "am", "pm", "aM", "pM", "Am", "Pm"] {
                let written = format!("{blank}{half}");
                let Some(after) = rest.strip_prefix(written.as_bytes()) else {
                    continue;
                };
                let ends = !after.first().is_some_and(u8::is_ascii_alphanumeric);
                if ends && (1..=12).contains(&self.hour) {
                    self.hour %= 12;
                    if half.eq_ignore_ascii_case("pm") {
                        self.hour += 12;
                    }
                    return written.len();
                }
            }
        }
        0
    }

    fn zone(&mut self, rest: &[u8]) -> usize {
        for name in ["", " ", "UTC", "GMT", " UTC", " GMT"] {
            let Some(after) = rest.strip_prefix(name.as_bytes()) else {
                continue;
            };
            let sign = match after {
                [b'+', digit, ..] if digit.is_ascii_digit() => 1,
                [b'-', digit, ..] if digit.is_ascii_digit() => -1,
                _ => continue,
            };
            let after = &after[1..];
            for layout in ["hhmm", "hh:mm", "hh"] {
                let fits = layout
                    .bytes()
                    .zip(after)
                    .all(|(wanted, byte)| match wanted {
                        b':' => *byte == b':',
                        _ => byte.is_ascii_digit(),
                    });
                if !fits || after.len() < layout.len() {
                    continue;
                }
                let behind = &after[layout.len()..];
                if digits(behind) > 0 || matches!(behind, [b':', rest @ ..] if digits(rest) > 0) {
                    return 0;
                }
                if name == " " && layout == "hh" {
                    return 0;
                }
                let (hours, minutes) = match layout.len() {
                    2 => (value(&after[..2]), 0),
                    length => (value(&after[..2]), value(&after[length - 2..length])),
                };
                if hours > 23 || minutes > 59 {
                    self.bad_offset = !name.starts_with(' ');
                    return 0;
                }
                self.offset = Some(sign * (hours * 60 + minutes) * 60);
                return name.len() + 1 + layout.len();
            }
            return 0;
        }
        for name in ["Z", "z", " Z", " z", "UTC", " UTC", "GMT", " GMT"] {
            if let Some(after) = rest.strip_prefix(name.as_bytes())
                && !after.first().is_some_and(u8::is_ascii_alphanumeric)
            {
                self.offset = Some(0);
                return name.len();
            }
        }
        0
    }

    fn last_year(&mut self, rest: &[u8]) -> Option<usize> {
        let letters = match rest {
            [b' ', rest @ ..] => rest.iter().take_while(|b| b.is_ascii_uppercase()).count(),
            _ => 0,
        };
        let skipped = match letters {
            0 => 0,
            1..=5 => letters + 1,
            _ => return None,
        };
        let [b' ', year @ ..] = &rest[skipped..] else {
            return None;
        };
        let ends = !year.get(4).is_some_and(u8::is_ascii_alphanumeric);
        self.year = Some((digits(year) == 4 && ends).then(|| value(&year[..4]))?);
        Some(skipped + 5)
    }

    fn resolve(&self, start: usize, assumed: Assumed) -> Option<Found> {
        if self.bad_offset || self.hour > 23 || self.minute > 59 || self.second > 60 {
            return None;
        }
        let (second, nanos) = match self.second {
            60 => (59, 999_999_999),
            second => (second, self.nanos),
        };
        let at = |year| {
            let seconds = days(year, self.month, self.day)? * 86_400
                + self.hour * 3600
                + self.minute * 60
                + second
                - self.offset.unwrap_or(assumed.offset);
            (0..=253_402_300_799).contains(&seconds).then_some(seconds)
        };
        let seconds = match self.year {
            Some(year) => at(year)?,
            None => {
                // No year is shorter than 365 days, so this is late enough.
                let latest = 1971 + assumed.now.0 / (365 * 86_400);
                (1969..=latest)
                    .rev()
                    .filter_map(at)
                    .find(|seconds| (*seconds, nanos) <= assumed.now)?
            }
        };
        Some(Found {
            start,
            end: self.end,
            seconds,
            nanos,
            assumed_zone: self.offset.is_none(),
            assumed_year: self.year.is_none(),
        })
    }
}

/// Days from 1970 to a date; `None` if there is no such date.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let february = if is_leap(year) { 29 } else { 28 };
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let before = usize::try_from(month - 1)
        .ok()
        .filter(|before| *before < 12)?;
    if day < 1 || day > lengths[before] {
        return None;
    }
    let years: i64 = match year {
        ..1970 => -(year..1970)
            .map(|year| 365 + i64::from(is_leap(year)))
            .sum::<i64>(),
        _ => (1970..year)
            .map(|year| 365 + i64::from(is_leap(year)))
            .sum(),
    };
    Some(years + lengths[..before].iter().sum::<i64>() + day - 1)
}

/// A number of seconds, milliseconds, microseconds or nanoseconds.
fn number(text: &[u8], start: usize) -> Option<Found> {
    const BEFORE: &str = " \t[({<>\"'|,;=:#";
    const AFTER: &str = " \t\r\n])}<>\"'\\|,;&:";
    let before = &text[..start];
    let is_first = before
        .last()
        .is_none_or(|byte| BEFORE.as_bytes().contains(byte));
    let integer = digits(&text[start..]);
    let scale = match integer {
        10 => 1,
        13 => 1_000,
        16 => 1_000_000,
        19 => 1_000_000_000,
        _ => return None,
    };
    if !is_first || text[start] == b'0' {
        return None;
    }
    let mut end = start + integer;
    let mut decimals = 0;
    if text.get(end) == Some(&b'.') {
        decimals = digits(&text[end + 1..]);
        end += if decimals > 0 { 1 + decimals } else { 0 };
    }
    if !text
        .get(end)
        .is_none_or(|byte| AFTER.as_bytes().contains(byte))
    {
        return None;
    }
    // Only what is near can be the key.
    let near = String::from_utf8_lossy(&before[start.saturating_sub(40)..]).into_owned();
    let quotes = ['"', '\'', '\\', ' '];
    let near = near.trim_end_matches(quotes);
    let has_key = near.ends_with(['=', ':']);
    if has_key {
        let near = near[..near.len() - 1].trim_end_matches(quotes);
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-@.$".contains(c);
        let key = near.rsplit(|c| !is_part(c)).next().unwrap_or_default();
        let key = key
            .rsplit('.')
            .next()
            .unwrap_or_default()
            .replace(['_', '-', '$'], "");
        if !KEYS
            .split_whitespace()
            .any(|known| known == key.to_lowercase())
        {
            return None;
        }
    } else if integer != 10 || !matches!(decimals, 3 | 6 | 9) {
        return None;
    }
    let billionths: String = String::from_utf8_lossy(&text[start..end])
        .chars()
        .chain(if decimals == 0 {
            ".".chars()
        } else {
            "".chars()
        })
        .chain("000000000".chars())
        .collect();
    let point = billionths.find('.')?;
    let billionths = format!(
        "{}{}",
        &billionths[..point],
        &billionths[point + 1..point + 10]
    );
    let nanos = billionths.parse::<u128>().ok()? / scale;
    Some(Found {
        start,
        end,
        seconds: (nanos / 1_000_000_000) as i64,
        nanos: (nanos % 1_000_000_000) as u32,
        assumed_zone: false,
        assumed_year: false,
    })
}

/// How many digits there are at the start.
fn digits(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count()
}

/// What these digits, at most four, say.
fn value(digits: &[u8]) -> i64 {
    digits
        .iter()
        .fold(0, |sum, byte| sum * 10 + i64::from(byte - b'0'))
}
