//! Payloads that are laid out alike: an issuer writes the same members in the same order again and
//! again, with values of the same length, so how to read the next payload is known from an earlier
//! one.
//!
//! A [`Layout`] is what may differ between such payloads: bytes inside of strings that are values,
//! and digits of numbers of ten digits. All others are the same bytes. A payload of which this holds
//! has the same tokens of JSON at the same places as the one that the layout was made of; so if that
//! one was valid, with no member twice, this one is, and its claims are where they were. One
//! comparison with two bounds for each byte finds that out. Whatever fails it, the scanner walks
//! through.

use super::arch::{Scanner, Template};
use super::json::{is_space, ten_known_digits};
use crate::time::NumericDate;
use crate::token::audience::Audience;
use crate::token::claims::{Claims, Dates};
use crate::token::json::Member;

/// The longest payload that may have a layout, in bytes.
const LONGEST: usize = 16 << 10;
/// How many lengths of payloads are told apart; a power of two.
const LENGTHS: usize = 32;
/// Layouts for payloads of one length: two issuers may write tokens that are as long.
const WAYS: usize = 2;
/// Walking through so many payloads takes about as long as making a layout.
const MAKING: u32 = 10;
/// How many payloads without a layout come between two of which one is made, at least.
const SHORTEST_PAUSE: u32 = 16;
/// The same at most, in a stream where what is made serves nothing.
const LONGEST_PAUSE: u32 = 4096;

/// Bytes from `start` on, up to `end`; nothing where that is 0, since a payload begins with a brace.
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
    fn bytes(self, text: &str) -> Option<&[u8]> {
        text.as_bytes()
            .get(usize::from(self.start)..usize::from(self.end))
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

/// Tells layouts apart: of those that a worker makes, no two have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LayoutId(pub(crate) u64);

/// What decides, under nearly every policy, how the claims of a payload are judged.
#[derive(Clone, Copy)]
pub(crate) struct Gist<'s> {
    pub(crate) layout: LayoutId,
    /// The issuer as it is, or nothing where there is none, which its layout tells apart.
    pub(crate) iss: &'s [u8],
    /// The same of the audience; of an array what stands between its brackets.
    pub(crate) aud: &'s [u8],
    pub(crate) dates: Dates,
}

/// What may differ in payloads that are read alike, where the claims are in them, and what else
/// there is to know.
#[derive(Default)]
pub(crate) struct Layout {
    id: LayoutId,
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
    /// How many payloads it served lately.
    hits: u32,
}

/// The layouts of payloads seen lately, a few for each length. They belong to one worker.
pub(crate) struct Layouts {
    /// Those of one length are neighbours.
    known: Vec<[Layout; WAYS]>,
    /// How many were made.
    made: u64,
    /// How many payloads without a layout come before one is made, and how many after that.
    left: u32,
    pause: u32,
}

impl Layouts {
    pub(crate) fn new() -> Self {
        Self {
            known: (0..LENGTHS)
                .map(|_| std::array::from_fn(|_| Layout::with_room()))
                .collect(),
            made: 0,
            left: 0,
            pause: SHORTEST_PAUSE,
        }
    }

    /// Where the layout of a payload is, and the payload as text, if it has a known one. What is
    /// asked for is as for [`Scanner::scan`].
    #[inline]
    pub(crate) fn find<'s>(
        &mut self,
        scanner: Scanner,
        padded: &'s [u8],
        len: usize,
        extra: &[Box<str>],
    ) -> Option<((usize, usize), &'s str)> {
        let row = len % LENGTHS;
        for (way, layout) in self.known[row].iter_mut().enumerate() {
            if let Some(text) = scanner.matching(&layout.template, padded, len)
                && layout.extra_names == extra
            {
                layout.hits = layout.hits.saturating_add(1);
                return Some(((row, way), text));
            }
        }
        None
    }

    /// The layout that is there.
    #[inline]
    pub(crate) fn at(&self, (row, way): (usize, usize)) -> &Layout {
        &self.known[row][way]
    }

    /// Takes note of a payload that has no known layout, and that the scanner took on itself.
    #[inline]
    pub(crate) fn note(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.learn(scanner, padded, len, extra, claims),
        }
    }

    /// Makes a layout of a payload, in the place of the one of this length that served less.
    #[cold]
    fn learn(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) {
        let ways = &mut self.known[len % LENGTHS];
        let [one, other] = ways;
        let layout = if one.hits <= other.hits { one } else { other };
        let (had_one, hits) = (!layout.template.is_empty(), layout.hits);
        let has_one = layout.make(scanner, padded, len, extra, claims);
        if !has_one {
            layout.template.clear();
        }
        self.made += 1;
        layout.id = LayoutId(self.made);
        // One that saved as many walks as its making took has shown that layouts serve. Where too
        // many of one length take turns few do, and they are made the more rarely.
        if !has_one || had_one && hits < MAKING {
            self.pause = (2 * self.pause).min(LONGEST_PAUSE);
        } else if had_one {
            self.pause = (self.pause / 2).max(SHORTEST_PAUSE);
        }
        self.left = self.pause;
        ways.iter_mut().for_each(|layout| layout.hits /= 2);
    }
}

impl Layout {
    /// One that no payload has, with room for any that is made.
    fn with_room() -> Self {
        Self {
            template: Template::with_room(LONGEST),
            ..Self::default()
        }
    }

    /// The gist of a payload with this layout.
    #[inline(always)]
    pub(crate) fn gist<'s>(&self, text: &'s str) -> Option<Gist<'s>> {
        Some(Gist {
            layout: self.id,
            iss: self.iss.bytes(text)?,
            aud: self.aud.bytes(text)?,
            dates: Dates {
                exp: self.exp.date(text)?,
                nbf: self.nbf.date(text)?,
                iat: self.iat.date(text)?,
            },
        })
    }

    /// The claims of a payload with this layout.
    #[inline]
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

    /// Makes the layout of a payload that is valid and has these claims; says whether it has one.
    fn make(
        &mut self,
        scanner: Scanner,
        padded: &[u8],
        len: usize,
        extra: &[Box<str>],
        claims: &Claims<'_>,
    ) -> bool {
        let text = padded.get(..len).map(str::from_utf8);
        let Some(Ok(text)) = text else {
            return false;
        };
        let mut template = std::mem::take(&mut self.template);
        let is_usual = self.find(text, &mut template).is_some();
        self.template = template;
        extra.clone_into(&mut self.extra_names);
        self.extra = claims.extra;
        self.hits = 0;
        let mut again = Claims::none();
        is_usual
            && scanner.matching(&self.template, padded, len).is_some()
            // Whatever is unusual about a claim shows here.
            && self.read(text, &mut again).is_some()
            && again == *claims
    }

    /// Finds out what may differ in payloads like this one, which is valid, and where the claims
    /// are. None where this is not a usual payload: one of ASCII without escapes.
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

    /// The value of a top-level member that may differ is here.
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

#[cfg(test)]
mod tests {
    use super::super::PADDING;
    use super::super::arch::Kernel;
    use super::*;

    /// What goes on behind the end of a payload must make no difference.
    fn padded(payload: &[u8]) -> Vec<u8> {
        let mut padded = payload.to_vec();
        padded.resize(payload.len() + PADDING, b"\"}0\x80"[payload.len() % 4]);
        padded
    }

    fn kernels() -> impl Iterator<Item = (Kernel, Scanner)> {
        let all = Kernel::ALL.into_iter();
        all.filter_map(|kernel| Some((kernel, Scanner::new(kernel)?)))
    }

    fn names() -> Vec<Box<str>> {
        ["tenant".into(), "n".into()].to_vec()
    }

    /// Takes note of a payload, if the scanner takes it on itself, and says whether it does.
    fn note(layouts: &mut Layouts, scanner: Scanner, payload: &[u8], extra: &[Box<str>]) -> bool {
        let (padded, mut claims) = (padded(payload), Claims::none());
        let scan = scanner.scan(&padded, payload.len(), extra, &mut claims);
        if scan.is_some() {
            layouts.note(scanner, &padded, payload.len(), extra, &claims);
        }
        scan.is_some()
    }

    /// Whether a payload has a known layout; if so, its claims are those that the scanner finds.
    fn is_known(
        layouts: &mut Layouts,
        scanner: Scanner,
        payload: &[u8],
        extra: &[Box<str>],
    ) -> bool {
        let (padded, len) = (padded(payload), payload.len());
        let found = layouts.find(scanner, &padded, len, extra);
        let is_known = found.is_some();
        if let Some((index, text)) = found {
            let mut claims = Claims::none();
            layouts.at(index).read(text, &mut claims).unwrap();
            let mut scanned = Claims::none();
            let scan = scanner.scan(&padded, len, extra, &mut scanned);
            let shown = String::from_utf8_lossy(payload);
            assert!(scan.is_some(), "{shown}");
            assert_eq!(claims, scanned, "{shown}");
            let gist = layouts.at(index).gist(text).unwrap();
            let iss = claims.iss.value().unwrap_or_default();
            let aud = match claims.aud.value() {
                Some(Audience::One(one)) => one.as_bytes(),
                Some(Audience::Plain(inside)) => inside,
                Some(Audience::Known(_)) | None => b"",
            };
            assert_eq!((gist.iss, gist.aud), (iss.as_bytes(), aud), "{shown}");
            assert_eq!(gist.dates, claims.dates(), "{shown}");
        }
        is_known
    }

    /// Payloads that have a layout. In the last, a block of sixty-four bytes ends in each kind of
    /// token somewhere.
    fn usual() -> Vec<String> {
        let usual = [
            r#"{"iss":"a","sub":"","aud":"api","exp":1790003600,"nbf":1790000000,"iat":1790000000,"jti":"x"}"#,
            r#"{"tenant":"t","n":1234567890,"a":1790000000.5,"x":[1234567890,"s",-123456789,12,1e9]}"#,
            r#"{ "aud" : [ "a" , "api" ] , "exp" : 1790003600, "x" : { "exp" : 1790003600, "y":[{}] } }"#,
            r#"{"aud":[],"tenant":null,"a":"aud","b":["iss"],"c":{"sub":"x"},"sub":"y"}"#,
        ];
        let mut all = usual.map(str::to_owned).to_vec();
        all.extend((0..64).map(|n| format!(r#"{{"x":"{}",{}"#, "x".repeat(n), &usual[0][1..])));
        all
    }

    #[test]
    fn any_byte_at_any_place_is_read_as_the_scanner_reads_it_or_left_to_it() {
        for (kernel, scanner) in kernels() {
            let (mut known, mut all) = (0_u32, 0_u32);
            for payload in usual() {
                let mut layouts = Layouts::new();
                assert!(note(&mut layouts, scanner, payload.as_bytes(), &names()));
                let mut payload = payload.into_bytes();
                let shown = String::from_utf8_lossy(&payload).into_owned();
                assert!(
                    is_known(&mut layouts, scanner, &payload, &names()),
                    "{shown}"
                );
                assert!(!is_known(&mut layouts, scanner, &payload, &[]));
                for at in 0..payload.len() {
                    let own = payload[at];
                    for byte in 0..=u8::MAX {
                        payload[at] = byte;
                        all += 1;
                        known += u32::from(is_known(&mut layouts, scanner, &payload, &names()));
                    }
                    payload[at] = own;
                }
                let longer = [&payload[..], b" "].concat();
                assert!(!is_known(&mut layouts, scanner, &longer, &names()));
                let shorter = &payload[..payload.len() - 1];
                assert!(!is_known(&mut layouts, scanner, shorter, &names()));
                assert!(!is_known(&mut layouts, scanner, b"", &names()));
            }
            assert!(known > all / 10, "{kernel:?}: {known} of {all}");
        }
    }

    /// A layout that takes the place of another is not taken for it.
    #[test]
    fn no_two_layouts_have_one_id() {
        let scanner = Scanner::best();
        let mut layouts = Layouts::new();
        let mut ids = Vec::new();
        for name in ["a", "b", "c", "d", "a"] {
            let payload = format!(r#"{{"{name}":"x"}}"#);
            let (padded, len) = (padded(payload.as_bytes()), payload.len());
            let id = |layouts: &mut Layouts| {
                let (index, text) = layouts.find(scanner, &padded, len, &[])?;
                layouts.at(index).gist(text).map(|gist| gist.layout)
            };
            assert_eq!(id(&mut layouts), None);
            layouts.left = 0;
            assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
            let new = id(&mut layouts).unwrap();
            assert_eq!(id(&mut layouts), Some(new));
            assert!(!ids.contains(&new), "{name}");
            ids.push(new);
        }
    }

    #[test]
    fn values_may_differ_and_nothing_else() {
        let extra = names();
        for (_, scanner) in kernels() {
            let mut layouts = Layouts::new();
            let one = br#"{"iss":"one","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#;
            assert!(note(&mut layouts, scanner, one, &extra));
            let mut is = |payload: &str| {
                assert_eq!(payload.len(), one.len());
                is_known(&mut layouts, scanner, payload.as_bytes(), &extra)
            };
            // Values.
            assert!(is(
                r#"{"iss":"two","n":"b","exp":9999999999,"x":{"y":","},"b":true,"c":12}"#
            ));
            for other in [
                // The names of members, also of an inner object.
                r#"{"iss":"one","m":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
                r#"{"iss":"one","n":"a","exp":1790003600,"x":{"z":"z"},"b":true,"c":12}"#,
                // Numbers, of other than ten digits, with a zero in front, with other than digits.
                r#"{"iss":"one","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":13}"#,
                r#"{"iss":"one","n":"a","exp":0790003600,"x":{"y":"z"},"b":true,"c":12}"#,
                r#"{"iss":"one","n":"a","exp":17900036.5,"x":{"y":"z"},"b":true,"c":12}"#,
                // A string that ends early, an escape, a byte that is no ASCII.
                r#"{"iss":"o"  ,"n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
                r#"{"iss":"o\n","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
                r#"{"iss":"oé","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
            ] {
                assert!(!is(other), "{other}");
            }
        }
    }

    #[test]
    fn what_is_unusual_has_no_layout() {
        let unusual = [
            r#"{"sub":"o\u006e\u0065"}"#,
            r#"{"tenant":"\\"}"#,
            "{\"tenant\":\"\u{e9}\"}",
            r#"{"exp":1790003600.5}"#,
            r#"{"exp":179000360}"#,
            r#"{"exp":-179000360}"#,
            r#"{"exp":"1790003600"}"#,
            r#"{"iss":1790003600}"#,
            r#"{"iss":null}"#,
            r#"{"sub":["x"]}"#,
            r#"{"jti":{"jti":"x"}}"#,
            r#"{"aud":["x",1790003600]}"#,
            r#"{"aud":{"x":"y"}}"#,
        ];
        let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(LONGEST));
        for (kernel, scanner) in kernels() {
            for payload in unusual.into_iter().chain([&*long]) {
                let mut layouts = Layouts::new();
                note(&mut layouts, scanner, payload.as_bytes(), &[]);
                let is_known = is_known(&mut layouts, scanner, payload.as_bytes(), &[]);
                assert!(!is_known, "{kernel:?}: {payload}");
            }
        }
    }

    #[test]
    fn many_layouts_one_after_the_other_never_mislead() {
        let extra = names();
        for (kernel, scanner) in kernels() {
            let layouts = std::cell::RefCell::new(Layouts::new());
            let known = std::cell::Cell::new(0);
            jotmill_test_support::payloads::hold(12_000, |payload| {
                let mut layouts = layouts.borrow_mut();
                if is_known(&mut layouts, scanner, payload, &extra) {
                    known.set(known.get() + 1);
                    return;
                }
                layouts.left = 0;
                if note(&mut layouts, scanner, payload, &extra) {
                    // One that has a layout is known by it from now on.
                    is_known(&mut layouts, scanner, payload, &extra);
                }
            });
            assert!(known.get() > 100, "{kernel:?}: {}", known.get());
        }
    }

    #[test]
    fn it_rests_while_nothing_is_laid_out_alike_and_wakes_when_something_is() {
        let scanner = Scanner::best();
        let mut layouts = Layouts::new();
        // No two of the same length and names within what is remembered.
        let other = |n: usize| format!(r#"{{"n{n:05}":"{}"}}"#, "x".repeat(n * 7 % 500));
        for n in 0..5000 {
            let payload = other(n);
            assert!(!is_known(&mut layouts, scanner, payload.as_bytes(), &[]));
            assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
        }
        assert!(layouts.pause >= 1024, "{}", layouts.pause);
        let mut misses = 0;
        for n in 0..20_000 {
            let payload = format!(r#"{{"sub":"{n:020}"}}"#);
            if !is_known(&mut layouts, scanner, payload.as_bytes(), &[]) {
                misses += 1;
                assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
            }
        }
        assert!(misses <= 2 * LONGEST_PAUSE, "{misses}");
    }

    #[test]
    fn making_layouts_costs_no_more_than_they_save() {
        let scanner = Scanner::best();
        for (shapes, least_known) in [(1, 19_900), (WAYS, 19_500), (WAYS + 1, 10_000), (40, 0)] {
            let mut layouts = Layouts::new();
            let (mut chance, mut known, mut made) = (1_u64, 0, 0);
            for _ in 0..20_000 {
                // A linear congruential generator, by its upper bits.
                chance = chance
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                let shape = (chance >> 33) as usize % shapes;
                let payload = format!(r#"{{"n{shape:05}":"{:010}"}}"#, chance % 1_000_000);
                if is_known(&mut layouts, scanner, payload.as_bytes(), &[]) {
                    known += 1;
                    continue;
                }
                made += u32::from(layouts.left == 0);
                assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
            }
            assert!(known >= least_known, "{shapes}: {known}");
            assert!(made * MAKING <= known + 500, "{shapes}: {made}, {known}");
        }
    }
}
