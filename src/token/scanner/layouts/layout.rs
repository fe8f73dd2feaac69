//! The layout of a payload: where its claims are, and what another payload may differ in to be read
//! like it.
//!
//! Two payloads of one layout differ only in bytes inside of strings that are values, and in digits
//! of numbers of ten digits. All other bytes are the same. So both have the same tokens of JSON at
//! the same places: if the one that the layout was made of is valid, with no member twice, the other
//! is, and its claims are where they were. One comparison with two bounds for each byte finds out.

use super::super::arch::Template;
use super::super::json::{is_space, ten_known_digits};
use super::Scanner;
use crate::time::NumericDate;
use crate::token::audience::Audience;
use crate::token::claims::Claims;
use crate::token::json::Member;

/// The longest payload that may have a layout, in bytes.
pub(super) const LONGEST: usize = 16 << 10;

/// The bytes of a payload from `start` up to `end`; absent where that is 0.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u16,
    end: u16,
}

impl Place {
    fn new(start: usize, len: usize) -> Option<Self> {
        let (start, end) = (u16::try_from(start), u16::try_from(start + len));
        Some(Self {
            start: start.ok()?,
            end: end.ok()?,
        })
    }

    #[inline]
    fn string(self, text: &str) -> Option<Member<&str>> {
        if self.end == 0 {
            return Some(Member::Absent);
        }
        let string = text.get(usize::from(self.start)..usize::from(self.end))?;
        Some(Member::Is(string))
    }

    #[inline]
    fn date(self, text: &str) -> Option<Member<NumericDate>> {
        if self.end == 0 {
            return Some(Member::Absent);
        }
        let number = text.as_bytes().get(usize::from(self.start)..)?;
        let date = ten_known_digits(*number.first_chunk()?);
        Some(Member::Is(NumericDate::Int(date)))
    }
}

/// Where claims are in the payloads that match a template.
#[derive(Default)]
pub(crate) struct Layout {
    template: Template,
    iss: Place,
    sub: Place,
    jti: Place,
    aud: Place,
    aud_is_array: bool,
    exp: Place,
    nbf: Place,
    iat: Place,
    /// [`Claims::extra`], and for which names.
    extra: u64,
    extra_names: Vec<Box<str>>,
    /// How often it was found lately.
    pub(super) hits: u32,
}

impl Layout {
    /// One that no payload has, with memory for any.
    pub(super) fn with_room() -> Self {
        Self {
            template: Template::with_room(LONGEST),
            ..Self::default()
        }
    }

    /// Whether no payload has it.
    pub(super) fn is_empty(&self) -> bool {
        self.template.is_empty()
    }

    /// The payload as text, if it has this layout. The arguments are those of [`Scanner::scan`].
    #[inline(always)]
    pub(super) fn matching<'s>(
        &self,
        scanner: Scanner,
        padded: &'s [u8],
        len: usize,
        extra: &[Box<str>],
    ) -> Option<&'s str> {
        let text = self.template.matching(scanner, padded, len)?;
        (self.extra_names == extra).then_some(text)
    }

    /// The claims of a payload with this layout.
    #[inline(always)]
    pub(crate) fn read<'s>(&self, text: &'s str, claims: &mut Claims<'s>) -> Option<()> {
        claims.iss = self.iss.string(text)?;
        claims.sub = self.sub.string(text)?;
        claims.jti = self.jti.string(text)?;
        claims.aud = self.aud.string(text)?.map(|aud| match self.aud_is_array {
            false => Audience::One(aud),
            true => Audience::Plain(aud.as_bytes()),
        });
        claims.exp = self.exp.date(text)?;
        claims.nbf = self.nbf.date(text)?;
        claims.iat = self.iat.date(text)?;
        claims.extra = self.extra;
        Some(())
    }

    /// Makes it the layout of a payload that is valid and has these claims. False for an unusual
    /// payload: then it is empty.
    pub(super) fn make(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) -> bool {
        let mut template = std::mem::take(&mut self.template);
        let text = padded.get(..len).map(str::from_utf8);
        let is_usual = match text {
            Some(Ok(text)) => self.find(text, &mut template).is_some(),
            _ => false,
        };
        self.template = template;
        extra.clone_into(&mut self.extra_names);
        self.extra = claims.extra;
        self.hits = 0;
        // Whatever is unusual about a claim shows when it is read back.
        let mut again = Claims::none();
        let is_usual = is_usual
            && matches!(self.matching(scanner, padded, len, extra),
                Some(text) if self.read(text, &mut again).is_some())
            && again == *claims;
        if !is_usual {
            self.template.clear();
        }
        is_usual
    }

    /// Finds what may differ in payloads like this one, which is valid, and where the claims are.
    /// None for an unusual payload: one that is long, is not ASCII or has escapes.
    fn find(&mut self, text: &str, template: &mut Template) -> Option<()> {
        let bytes = text.as_bytes();
        if bytes.len() > LONGEST || bytes.contains(&b'\\') {
            return None;
        }
        template.fix(text)?;
        [self.iss, self.sub, self.jti, self.aud] = Default::default();
        [self.exp, self.nbf, self.iat] = Default::default();
        self.aud_is_array = false;
        let (mut at, mut depth, mut name) = (0, 0_u32, &bytes[..0]);
        while let Some(byte) = bytes.get(at) {
            let rest = &bytes[at + 1..];
            match byte {
                b'{' | b'[' => {
                    if depth == 1 && name == b"aud" {
                        (self.aud.start, self.aud_is_array) = (u16::try_from(at + 1).ok()?, true);
                    }
                    depth += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    if depth == 1 && name == b"aud" {
                        self.aud.end = u16::try_from(at).ok()?;
                    }
                }
                b'"' => {
                    let len = rest.iter().position(|byte| *byte == b'"')?;
                    let (string, rest) = (&rest[..len], &rest[len + 1..]);
                    let place = Place::new(at + 1, len)?;
                    at += len + 1; // the closing quote
                    if rest.iter().find(|byte| !is_space(**byte)) == Some(&b':') {
                        name = if depth == 1 { string } else { name };
                    } else {
                        template.allow_text(at - len..at);
                        if depth == 1 {
                            self.put(name, place);
                        }
                    }
                }
                b'0'..=b'9' | b'-' => {
                    let is_part =
                        |byte: &u8| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                    let number = rest.iter().take_while(|byte| is_part(byte)).count() + 1;
                    let place = Place::new(at, number)?;
                    let digits = &bytes[at..at + number];
                    at += number - 1;
                    if number == 10 && *byte != b'0' && digits.iter().all(u8::is_ascii_digit) {
                        template.allow_number(at + 1 - number..at + 1);
                        if depth == 1 {
                            self.put(name, place);
                        }
                    }
                }
                _ => {}
            }
            at += 1;
        }
        Some(())
    }

    /// Keeps the place of a top-level member's value, if it is a claim.
    fn put(&mut self, name: &[u8], place: Place) {
        match name {
            b"iss" => self.iss = place,
            b"sub" => self.sub = place,
            b"jti" => self.jti = place,
            b"aud" => self.aud = place,
            b"exp" => self.exp = place,
            b"nbf" => self.nbf = place,
            b"iat" => self.iat = place,
            _ => {}
        }
    }
}
