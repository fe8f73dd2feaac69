//! Whether a segment is the header of a token: a JSON object in base64url that has a member `alg`
//! or `enc`.
//!
//! This is a grammar check (RFC 8259) and keeps no values. All that the strict reader of headers
//! accepts passes; what passes and is refused there (duplicate members, deep nesting, lone
//! surrogates, numbers beyond a double, unused bits) is a find, and rejected when it is judged.
//!
//! Reading is linear however many objects a hostile segment seems to begin: an object that was read
//! as part of another that failed would fail at the same place, so it is not read again. Of the
//! texts that overlap at one alignment to base64's groups, one at most then reads as names and
//! values what the other reads as punctuation, so that a character is read at most twice at each of
//! four alignments.

use std::collections::HashSet;

use super::spelling::character;

/// Which of the members that make a header an object has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Members {
    pub(super) alg: bool,
    pub(super) enc: bool,
}

/// Reads headers; keeps what need not be read again in the segment.
#[derive(Default)]
pub(super) struct HeaderReader {
    /// The containers around the present place.
    open: Vec<Container>,
    /// Where objects begin that were read as parts of others.
    read: HashSet<usize>,
    /// How many characters were decoded.
    #[cfg(test)]
    pub(super) steps: usize,
}

#[derive(Clone, Copy)]
enum Container {
    Array,
    /// An object; where it begins in the text, if a segment could begin there.
    Object(Option<usize>),
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Value,
    /// In an array that has just begun.
    ValueOrEnd,
    Name,
    /// In an object that has just begun.
    NameOrEnd,
    CommaOrEnd,
}

impl HeaderReader {
    /// Forgets what is known of a segment.
    pub(super) fn begin_segment(&mut self) {
        if !self.read.is_empty() {
            self.read = HashSet::new();
        }
    }

    /// The members of the object that `text[start..end]` is in base64url, if it is one.
    pub(super) fn read(&mut self, text: &[u8], start: usize, end: usize) -> Option<Members> {
        if self.read.contains(&start) {
            return None;
        }
        let mut bytes = Bytes::new(&text[..end], start);
        let members = self.object(&mut bytes);
        #[cfg(test)]
        {
            self.steps += bytes.characters;
        }
        members
    }

    fn object(&mut self, bytes: &mut Bytes<'_>) -> Option<Members> {
        use Expected::*;
        if bytes.now != Some(b'{') {
            return None;
        }
        self.open.clear();
        let mut members = Members::default();
        let mut expected = Value;
        // The object that ended last, with only white space behind it.
        let mut ended = None;
        loop {
            bytes.skip_white_space();
            let Some(byte) = bytes.now else {
                let is_whole = self.open.is_empty() && !bytes.is_cut;
                if let Some(start) = ended.filter(|_| !is_whole) {
                    // It reaches to the end, so that it may be a header where the one around it is
                    // not.
                    self.read.remove(&start);
                }
                return is_whole.then_some(members);
            };
            let mut ends = None;
            let top = self.open.last().copied();
            match (expected, byte, top) {
                (Value | ValueOrEnd, b'{', _) => {
                    self.read.extend(bytes.group);
                    self.open.push(Container::Object(bytes.group));
                    bytes.advance();
                    expected = NameOrEnd;
                }
                (Value | ValueOrEnd, b'[', _) => {
                    self.open.push(Container::Array);
                    bytes.advance();
                    expected = ValueOrEnd;
                }
                (ValueOrEnd | CommaOrEnd, b']', Some(Container::Array)) => {
                    self.open.pop();
                    bytes.advance();
                    expected = CommaOrEnd;
                }
                (NameOrEnd | CommaOrEnd, b'}', Some(Container::Object(start))) => {
                    self.open.pop();
                    bytes.advance();
                    ends = start;
                    expected = CommaOrEnd;
                }
                (CommaOrEnd, b',', Some(container)) => {
                    bytes.advance();
                    expected = match container {
                        Container::Array => Value,
                        Container::Object(_) => Name,
                    };
                }
                (Name | NameOrEnd, b'"', _) => {
                    let name = bytes.string()?;
                    bytes.skip_white_space();
                    bytes.take(b':')?;
                    if self.open.len() == 1 {
                        members.alg |= name == *b"alg";
                        members.enc |= name == *b"enc";
                    }
                    expected = Value;
                }
                (Value | ValueOrEnd, _, _) => {
                    bytes.scalar(byte)?;
                    expected = CommaOrEnd;
                }
                _ => return None,
            }
            ended = ends;
        }
    }
}

/// The bytes that a segment decodes to, one at a time. Bits behind the last whole byte are not
/// looked at.
struct Bytes<'t> {
    /// The text up to the end of the segment.
    text: &'t [u8],
    /// Where the next character is.
    at: usize,
    /// How many characters there were.
    characters: usize,
    /// Where the group of four characters begins that the last character is in.
    group_start: usize,
    bits: u32,
    /// How many of the bits are not decoded.
    left: u32,
    /// The byte at the present place; `None` at the end.
    now: Option<u8>,
    /// Where the group begins whose first byte that is.
    group: Option<usize>,
    /// Whether a character is left over at the end, which is not base64.
    is_cut: bool,
}

impl<'t> Bytes<'t> {
    fn new(text: &'t [u8], start: usize) -> Self {
        let mut bytes = Self {
            text,
            at: start,
            characters: 0,
            group_start: start,
            bits: 0,
            left: 0,
            now: None,
            group: None,
            is_cut: false,
        };
        bytes.advance();
        bytes
    }

    fn advance(&mut self) {
        let is_first = self.left == 0;
        while self.left < 8 {
            let character = character(self.text, self.at);
            let Some((value, length)) = character.and_then(|(c, len)| Some((value(c)?, len)))
            else {
                self.is_cut = self.left == 6;
                (self.now, self.group) = (None, None);
                return;
            };
            if self.characters.is_multiple_of(4) {
                self.group_start = self.at;
            }
            self.characters += 1;
            self.at += length;
            self.bits = self.bits << 6 | u32::from(value);
            self.left += 6;
        }
        self.left -= 8;
        let [.., byte] = (self.bits >> self.left).to_be_bytes();
        self.now = Some(byte);
        self.group = is_first.then_some(self.group_start);
    }

    fn skip_white_space(&mut self) {
        while matches!(self.now, Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.advance();
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.now == Some(byte)).then(|| self.advance())
    }

    /// The string that begins here: its first three characters, and zeros where it is shorter;
    /// three zeros where it is longer.
    fn string(&mut self) -> Option<[u8; 3]> {
        let (mut name, mut length) = ([0; 3], 0);
        loop {
            self.advance();
            let byte = match self.now? {
                b'"' => {
                    self.advance();
                    return Some(if length > 3 { [0; 3] } else { name });
                }
                b'\\' => self.escape()?,
                0..0x20 => return None,
                byte @ ..0x80 => byte,
                first => self.beyond_ascii(first)?,
            };
            if let Some(place) = name.get_mut(length) {
                *place = byte;
            }
            length += 1;
        }
    }

    /// The character that an escape stands for; a zero where that is none of ASCII.
    fn escape(&mut self) -> Option<u8> {
        self.advance();
        match self.now? {
            b'u' => {
                let mut code = 0;
                for _ in 0..4 {
                    self.advance();
                    code = code << 4 | char::from(self.now?).to_digit(16)?;
                }
                Some(u8::try_from(code).unwrap_or_default())
            }
            byte @ (b'"' | b'\\' | b'/') => Some(byte),
            b'b' | b'f' | b'n' | b'r' | b't' => Some(0),
            _ => None,
        }
    }

    /// The rest of a character in UTF-8, of which this is the first byte; a zero for it.
    fn beyond_ascii(&mut self, first: u8) -> Option<u8> {
        let (second, more) = match first {
            0xc2..=0xdf => (0x80..=0xbf, 0),
            0xe0 => (0xa0..=0xbf, 1),
            0xed => (0x80..=0x9f, 1),
            0xe1..=0xef => (0x80..=0xbf, 1),
            0xf0 => (0x90..=0xbf, 2),
            0xf1..=0xf3 => (0x80..=0xbf, 2),
            0xf4 => (0x80..=0x8f, 2),
            _ => return None,
        };
        self.advance();
        second.contains(&self.now?).then_some(())?;
        for _ in 0..more {
            self.advance();
            matches!(self.now?, 0x80..=0xbf).then_some(())?;
        }
        Some(0)
    }

    /// A string, a number, or a literal name.
    fn scalar(&mut self, first: u8) -> Option<()> {
        let literal: &[u8] = match first {
            b'"' => return self.string().map(drop),
            b't' => b"true",
            b'f' => b"false",
            b'n' => b"null",
            _ => return self.number(),
        };
        literal.iter().try_for_each(|byte| self.take(*byte))
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if matches!(self.now, Some(b'e' | b'E')) {
            self.advance();
            if matches!(self.now, Some(b'+' | b'-')) {
                self.advance();
            }
            self.digits()?;
        }
        Some(())
    }

    /// One digit or more.
    fn digits(&mut self) -> Option<()> {
        self.now.filter(u8::is_ascii_digit)?;
        while self.now.is_some_and(|byte| byte.is_ascii_digit()) {
            self.advance();
        }
        Some(())
    }
}

/// The six bits of a character of base64url.
const fn value(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}
