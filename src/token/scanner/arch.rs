//! Where a JSON string ends, found in wide registers: the only `unsafe` of the scanner. It owns the
//! vector code, the choice among instruction sets, and the step from "these bytes were seen to be
//! ASCII" to `&str`; the grammar of JSON it leaves to the scanner.
//!
//! The whole walk is compiled once for each instruction set, inside a function that enables it,
//! so that the search is inlined and nothing is looked up for each string.

#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::OnceLock;

use super::json::Json;
use super::{Others, PADDING, walk};
use crate::token::Claims;

/// Which code finds the ends of strings. Every kernel gives the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// AVX-512 BW: sixty-four bytes at a time.
    Avx512,
    /// AVX2: twice thirty-two.
    Avx2,
    /// AArch64 Advanced SIMD, part of that baseline: four times sixteen.
    Neon,
    /// SSE2, part of the x86-64 baseline: four times sixteen.
    Sse2,
    /// Eight bytes at a time in a general register: always there.
    Portable,
}

impl Kernel {
    /// All kernels, the one to be preferred first. (On payloads of common size AVX-512 gains
    /// nothing over AVX2 on Zen 4, only on strings of some hundred bytes.)
    pub(crate) const ALL: [Self; 5] = [
        Self::Avx2,
        Self::Avx512,
        Self::Neon,
        Self::Sse2,
        Self::Portable,
    ];
}

/// [`walk`] compiled for one instruction set; to be called only where the processor has it.
type Entry = for<'s> unsafe fn(&'s [u8], usize, &[Box<str>], &mut Claims<'s>) -> Option<()>;

/// [`Template::is_matched`] compiled for one instruction set, under the same condition.
type Match = unsafe fn(&Template, &[u8]) -> bool;

/// A scanner compiled for a kernel that this processor has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scanner {
    entry: Entry,
    is_match: Match,
}

impl Scanner {
    /// The scanner for one kernel; None when this processor or build does not have it.
    #[must_use]
    pub(crate) fn new(kernel: Kernel) -> Option<Self> {
        let (entry, is_match): (Entry, Match) = match kernel {
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx512 if x86::has_avx512() => (x86::scan_avx512, x86::is_match_avx512),
            #[cfg(target_arch = "x86_64")]
            Kernel::Avx2 if x86::has_avx2() => (x86::scan_avx2, x86::is_match_avx2),
            #[cfg(target_arch = "x86_64")]
            Kernel::Sse2 => (x86::scan_sse2, is_match_baseline),
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Kernel::Neon => (neon::scan, is_match_baseline),
            Kernel::Portable => (scan_portable, is_match_baseline),
            _ => return None,
        };
        Some(Self { entry, is_match })
    }

    /// The scanner for the fastest kernel here, looked up once in the life of the process.
    #[must_use]
    pub(crate) fn best() -> Self {
        static BEST: OnceLock<Scanner> = OnceLock::new();
        *BEST.get_or_init(|| {
            let portable = Self {
                entry: scan_portable,
                is_match: is_match_baseline,
            };
            Kernel::ALL
                .into_iter()
                .find_map(Self::new)
                .unwrap_or(portable)
        })
    }

    /// Puts the claims of the payload `padded[..len]` into `claims`, which has none; or None: not
    /// for this scanner to judge.
    ///
    /// `padded` must have [`PADDING`] bytes more than `len`, of any content. Some means that the
    /// payload is valid by all rules that jotmill has for a payload; None means nothing at all,
    /// `claims` mean nothing then, and simd-json decides. `extra` are the names, none of them
    /// registered, whose presence [`Claims::extra`] tells: at most 64, and with more of them the
    /// answer is None.
    #[inline]
    #[must_use]
    pub(crate) fn scan<'s>(
        &self,
        padded: &'s [u8],
        len: usize,
        extra: &[Box<str>],
        claims: &mut Claims<'s>,
    ) -> Option<()> {
        debug_assert_eq!(*claims, Claims::none());
        // SAFETY: the only requirement of an entry is its instruction set. `new` took it after
        // asking the processor for that set, `best` from `new` or the one that needs none, and
        // the field is private.
        unsafe { (self.entry)(padded, len, extra, claims) }
    }

    /// The payload `padded[..len]` as text, if it matches a template. `padded` is as for
    /// [`scan`](Self::scan).
    #[inline]
    pub(super) fn matching<'s>(
        &self,
        template: &Template,
        padded: &'s [u8],
        len: usize,
    ) -> Option<&'s str> {
        if len != template.len || len == 0 {
            return None;
        }
        let bytes = padded.get(..len)?;
        // SAFETY: as in `scan`.
        if unsafe { (self.is_match)(template, padded) } {
            // SAFETY: ASCII is UTF-8. These bytes match, so each is at most what its bound allows,
            // and no bound of the first `template.len` bytes is above 0x7f: see the field.
            Some(unsafe { core::str::from_utf8_unchecked(bytes) })
        } else {
            None
        }
    }
}

/// What the bytes of a text may be for it to be read like another one.
#[derive(Debug, Default)]
pub(super) struct Template {
    len: usize,
    /// One for every sixty-four bytes, the last of which may be padding. Only `fix` and the
    /// `allow`s set them: in the first `len` bytes nothing above 0x7f is allowed.
    blocks: Vec<Bounds>,
}

/// What each of sixty-four bytes may be.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Bounds {
    least: [u8; 64],
    most: [u8; 64],
    /// All bits set where it may not be `"` or `\`, which are between the bounds of a text.
    text: [u8; 64],
}

impl Bounds {
    const ANY: Self = Self {
        least: [0; 64],
        most: [0xff; 64],
        text: [0; 64],
    };
}

impl Template {
    /// One that nothing matches, with room for a text of so many bytes.
    pub(super) fn with_room(len: usize) -> Self {
        Self {
            len: 0,
            blocks: Vec::with_capacity(len.div_ceil(64)),
        }
    }

    /// Whether nothing matches.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Lets nothing match.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.len = 0;
    }

    /// Allows exactly a text, which must be ASCII.
    pub(super) fn fix(&mut self, text: &str) -> Option<()> {
        self.clear();
        if !text.is_ascii() {
            return None;
        }
        self.blocks.resize(text.len().div_ceil(64), Bounds::ANY);
        self.len = text.len();
        for (bounds, bytes) in self.blocks.iter_mut().zip(text.as_bytes().chunks(64)) {
            bounds.least[..bytes.len()].copy_from_slice(bytes);
            bounds.most[..bytes.len()].copy_from_slice(bytes);
        }
        Some(())
    }

    /// Allows any text without escapes in the place of this one.
    pub(super) fn allow_text(&mut self, place: Range<usize>) {
        self.allow(place, b' ', 0x7f, 0xff);
    }

    /// Allows any number of as many digits in the place of this one.
    pub(super) fn allow_number(&mut self, place: Range<usize>) {
        let first = place.start;
        self.allow(place, b'0', b'9', 0);
        self.allow(first..first + 1, b'1', b'9', 0);
    }

    fn allow(&mut self, place: Range<usize>, least: u8, most: u8, text: u8) {
        debug_assert!(most <= 0x7f && place.end <= self.len);
        for at in place {
            if let Some(bounds) = self.blocks.get_mut(at / 64) {
                bounds.least[at % 64] = least;
                bounds.most[at % 64] = most;
                bounds.text[at % 64] = text;
            }
        }
    }

    /// Whether a padded text matches, as far as its bytes go. The compiler makes vectors of this,
    /// as wide as the caller has them.
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "the index is one of four arrays"
    )]
    fn is_matched(&self, padded: &[u8]) -> bool {
        let blocks = padded.as_chunks::<64>().0;
        blocks.len() >= self.blocks.len()
            && self.blocks.iter().zip(blocks).all(|(bounds, bytes)| {
                let mut wrong = 0;
                for i in 0..64 {
                    let byte = bytes[i];
                    let nearest = byte.max(bounds.least[i]).min(bounds.most[i]);
                    let ends_text = (byte == b'"') | (byte == b'\\');
                    let all_or_none = u8::from(ends_text).wrapping_neg();
                    wrong |= byte ^ nearest | all_or_none & bounds.text[i];
                }
                wrong == 0
            })
    }
}

fn is_match_baseline(template: &Template, padded: &[u8]) -> bool {
    template.is_matched(padded)
}

/// The plain beginning of a string: its bytes up to the first `"`, `\` or control byte.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'s> {
    bytes: &'s [u8],
    /// No byte of `bytes` is above 0x7f. [`Run::text`] relies on it, so only `run`, in the
    /// kernels of this file, may make a `Run`.
    ascii: bool,
}

impl<'s> Run<'s> {
    /// The bytes before the one that ended it, as text; None when it is not UTF-8.
    #[inline(always)]
    pub(super) fn text(self) -> Option<&'s str> {
        if self.ascii {
            // SAFETY: ASCII is UTF-8, and `ascii` is true only where the kernel that made this
            // Run has seen the top bit of each byte of `bytes` to be clear.
            Some(unsafe { core::str::from_utf8_unchecked(self.bytes) })
        } else {
            core::str::from_utf8(self.bytes).ok()
        }
    }
}

/// Bit i for byte i of a block.
#[derive(Clone, Copy)]
pub(super) struct Masks {
    /// `"`, `\` and the bytes below 0x20.
    stop: u64,
    /// The bytes above 0x7f.
    high: u64,
}

/// One instruction set. A value of an implementing type is proof that it is enabled where the value
/// is: outside this file none can be made.
pub(super) trait Vector: Copy {
    fn masks(self, block: &[u8; 64]) -> Masks;

    /// [`Json::member`], called: too large to be inlined into the walk, which has better uses for
    /// the registers. So it is with the others.
    fn member<'s>(
        self,
        runs: &mut Runs<'s, Self>,
        at: usize,
        claims: &mut Claims<'s>,
        others: &mut Others<'_>,
    ) -> Option<usize>;

    /// [`Json::any_value`], called.
    fn any_value(self, runs: &mut Runs<'_, Self>, at: usize) -> Option<usize>;

    /// [`Runs::mark`], called.
    fn mark(self, runs: &mut Runs<'_, Self>, from: usize) -> Option<()>;

    /// [`Runs::long_run`], called.
    fn long_run<'s>(self, runs: &Runs<'s, Self>, from: usize) -> Option<Run<'s>>;
}

/// The calls of [`Vector`], with `$features` enabled in them.
macro_rules! calls {
    ($type:ty $(, #[$features:meta])?) => {
        #[inline(always)]
        fn member<'s>(
            self,
            runs: &mut Runs<'s, Self>,
            at: usize,
            claims: &mut Claims<'s>,
            others: &mut Others<'_>,
        ) -> Option<usize> {
            $(#[$features])?
            #[inline(never)]
            fn call<'s>(
                runs: &mut Runs<'s, $type>,
                at: usize,
                claims: &mut Claims<'s>,
                others: &mut Others<'_>,
            ) -> Option<usize> {
                Json { runs }.member(at, claims, others)
            }
            // SAFETY: `self` is the proof that the features are there.
            #[allow(unused_unsafe, reason = "the baseline kernels have no features to enable")]
            unsafe {
                call(runs, at, claims, others)
            }
        }

        #[inline(always)]
        fn any_value(self, runs: &mut Runs<'_, Self>, at: usize) -> Option<usize> {
            $(#[$features])?
            #[inline(never)]
            fn call(runs: &mut Runs<'_, $type>, at: usize) -> Option<usize> {
                Json { runs }.any_value(at)
            }
            // SAFETY: `self` is the proof that the features are there.
            #[allow(unused_unsafe, reason = "the baseline kernels have no features to enable")]
            unsafe {
                call(runs, at)
            }
        }

        #[inline(always)]
        fn mark(self, runs: &mut Runs<'_, Self>, from: usize) -> Option<()> {
            $(#[$features])?
            #[inline(never)]
            fn call(runs: &mut Runs<'_, $type>, from: usize) -> Option<()> {
                runs.mark(from)
            }
            // SAFETY: `self` is the proof that the features are there.
            #[allow(unused_unsafe, reason = "the baseline kernels have no features to enable")]
            unsafe {
                call(runs, from)
            }
        }

        #[inline(always)]
        fn long_run<'s>(self, runs: &Runs<'s, Self>, from: usize) -> Option<Run<'s>> {
            $(#[$features])?
            #[inline(never)]
            fn call<'s>(runs: &Runs<'s, $type>, from: usize) -> Option<Run<'s>> {
                runs.long_run(from)
            }
            // SAFETY: `self` is the proof that the features are there.
            #[allow(unused_unsafe, reason = "the baseline kernels have no features to enable")]
            unsafe {
                call(runs, from)
            }
        }
    };
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Blocks that are marked at a time: most payloads need no more.
const BLOCKS: usize = 8;

/// Finds runs by marks that are made for [`BLOCKS`] blocks at a time.
///
/// A search at the start of each string would be simpler, but it could begin only when the string
/// before has been found: some twenty cycles each, one after the other. The marks leave eleven.
pub(super) struct Runs<'s, V> {
    vector: V,
    bytes: &'s [u8],
    /// Where the marks begin. Only `mark` sets the fields from here on, from `bytes`.
    base: usize,
    /// The stops of each block that is not all padding, up to the padding; and a word of zeros.
    stop: [u64; BLOCKS + 1],
    /// The bytes that are not ASCII, the same way.
    high: [u64; BLOCKS + 1],
    /// Not zero: there are some of the latter.
    any_high: u64,
}

impl<'s, V: Vector> Runs<'s, V> {
    /// Without marks: the first run makes them.
    #[inline(always)]
    pub(super) fn new(vector: V, bytes: &'s [u8]) -> Self {
        let none = [0; BLOCKS + 1];
        Self {
            vector,
            bytes,
            base: usize::MAX / 2,
            stop: none,
            high: none,
            any_high: 0,
        }
    }

    #[inline(always)]
    pub(super) fn vector(&self) -> V {
        self.vector
    }

    /// All of the text, padding included.
    #[inline(always)]
    pub(super) fn bytes(&self) -> &'s [u8] {
        self.bytes
    }

    /// The run at `at`; None where no stop is found before sixty-four bytes of padding are left.
    #[inline(always)]
    pub(super) fn run(&mut self, at: usize) -> Option<Run<'s>> {
        let mut offset = at.wrapping_sub(self.base);
        if offset >= 64 * BLOCKS {
            self.vector.mark(self, at & !63)?;
            offset = at & 63;
        }
        let (i, shift) = (offset / 64 % BLOCKS, offset % 64);
        let stop = window(self.stop[i], self.stop[i + 1], shift);
        if stop == 0 {
            return self.vector.long_run(self, at);
        }
        let len = stop.trailing_zeros() as usize;
        // SAFETY: `mark` sets bits of `stop` only for bytes of `bytes`, bit j of word i for the one
        // at `base + 64 * i + j`; the lowest bit of the window is for the one at `at`, for its
        // offset from `base` is in the marks. So there is a byte at `at + len`, and these are
        // before it.
        let bytes = unsafe { self.bytes.get_unchecked(at..at + len) };
        let before = stop ^ (stop - 1); // up to the stop itself, which is ASCII
        let ascii =
            self.any_high == 0 || window(self.high[i], self.high[i + 1], shift) & before == 0;
        Some(Run { bytes, ascii })
    }

    /// Makes the marks of the blocks from `from` on.
    #[inline(always)]
    fn mark(&mut self, from: usize) -> Option<()> {
        let part = self.bytes.get(from..)?;
        let len = part.len().checked_sub(PADDING)?;
        (self.base, self.any_high) = (from, u64::MAX); // until it is known
        (self.stop, self.high) = ([0; _], [0; _]);
        let (blocks, full) = (part.as_chunks::<64>().0, (len / 64).min(BLOCKS));
        let mut any_high = 0;
        for (i, block) in blocks.iter().enumerate().take(full) {
            let Masks { stop, high } = self.vector.masks(block);
            (self.stop[i], self.high[i]) = (stop, high);
            any_high |= high;
        }
        // One that is in part padding, or all of it.
        if full < BLOCKS {
            let before = !(u64::MAX << (len % 64));
            let Masks { stop, high } = self.vector.masks(blocks.get(full)?);
            (self.stop[full], self.high[full]) = (stop & before, high & before);
            any_high |= high & before;
        }
        self.any_high = any_high;
        Some(())
    }

    /// The run at `from`, without marks.
    #[inline(always)]
    fn long_run(&self, from: usize) -> Option<Run<'s>> {
        let text = self.bytes.get(from..)?;
        let (mut at, mut seen) = (0, 0);
        loop {
            let Masks { stop, high } = self.vector.masks(text.get(at..)?.first_chunk()?);
            if stop != 0 {
                let before = stop ^ (stop - 1);
                let bytes = text.get(..at + stop.trailing_zeros() as usize)?;
                return Some(Run {
                    bytes,
                    ascii: (seen | (high & before)) == 0,
                });
            }
            seen |= high;
            at += 64;
        }
    }
}

/// Sixty-four bits of two words, from bit `shift`, below 64, of the first on.
#[inline(always)]
fn window(word: u64, next: u64, shift: usize) -> u64 {
    let next = (next << (63 - shift)) << 1;
    word >> shift | next
}

/// A position in a padded text, with bytes behind it that can be read without a check each.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'s> {
    bytes: &'s [u8],
    /// At most `bytes.len() - PADDING`: `new` and `go` see to it.
    at: usize,
}

impl<'s> Cursor<'s> {
    /// At the start of `bytes`, padding included; None if they are fewer than the padding.
    #[inline(always)]
    pub(super) fn new(bytes: &'s [u8]) -> Option<Self> {
        if bytes.len() >= PADDING {
            Some(Self { bytes, at: 0 })
        } else {
            None
        }
    }

    #[inline(always)]
    pub(super) fn at(self) -> usize {
        self.at
    }

    /// Goes to `at`; None, and nothing done, when that is in the padding.
    #[inline(always)]
    pub(super) fn go(&mut self, at: usize) -> Option<()> {
        if at > self.bytes.len() - PADDING {
            return None;
        }
        self.at = at;
        Some(())
    }

    /// Goes behind the quote at `at`; None, and nothing done, when that is in the padding or there
    /// is none.
    #[inline(always)]
    pub(super) fn pass_quote(&mut self, at: usize) -> Option<()> {
        let mut quote = *self;
        quote.go(at)?;
        if quote.peek::<0, 1>() != *b"\"" || at >= self.bytes.len() - PADDING {
            return None;
        }
        self.at = at + 1;
        Some(())
    }

    /// `N` bytes, `OFFSET` bytes behind the position.
    #[inline(always)]
    pub(super) fn peek<const OFFSET: usize, const N: usize>(self) -> [u8; N] {
        const { assert!(OFFSET + N <= PADDING) }
        // SAFETY: `at` is at most `bytes.len() - PADDING` (see the field), so PADDING bytes from
        // there are in `bytes`, and with them the N at OFFSET, as was just asserted. An array of
        // bytes has no alignment.
        unsafe { *self.bytes.as_ptr().add(self.at + OFFSET).cast::<[u8; N]>() }
    }

    /// Eight bytes, the first the lowest, `OFFSET` bytes behind the position.
    #[inline(always)]
    pub(super) fn word<const OFFSET: usize>(self) -> u64 {
        u64::from_le_bytes(self.peek::<OFFSET, 8>())
    }
}

/// The kernel without intrinsics.
#[derive(Clone, Copy)]
struct Portable;

fn scan_portable<'s>(
    padded: &'s [u8],
    len: usize,
    extra: &[Box<str>],
    claims: &mut Claims<'s>,
) -> Option<()> {
    walk(Portable, padded, len, extra, claims)
}

impl Vector for Portable {
    calls!(Portable);

    #[inline(always)]
    fn masks(self, block: &[u8; 64]) -> Masks {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const TOPS: u64 = 0x8080_8080_8080_8080;
        // The top bit of each byte that is below `n`, `n` up to 0x80, whatever its neighbours are.
        let below = |word: u64, n: u64| !((word & !TOPS) + ONES * (0x80 - n)) & !word & TOPS;
        // The top bits of eight bytes, moved together.
        let gather = |tops: u64| ((tops >> 7).wrapping_mul(0x0102_0408_1020_4080)) >> 56;
        let mut masks = Masks { stop: 0, high: 0 };
        for (i, &word) in block.as_chunks().0.iter().enumerate() {
            let word = u64::from_le_bytes(word);
            let quote = below(word ^ (ONES * 0x22), 1);
            let backslash = below(word ^ (ONES * 0x5c), 1);
            masks.stop |= gather(quote | backslash | below(word, 0x20)) << (8 * i);
            masks.high |= gather(word & TOPS) << (8 * i);
        }
        masks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks a kernel about every byte value at every place of a block, each among neighbours that
    /// a borrow or a carry could come from.
    pub(super) fn masks_are_those_of_each_byte(vector: impl Vector) {
        for around in [
            0, b' ', b'!', b'"', b'#', b'[', b'\\', b']', 0x7f, 0x80, 0xff,
        ] {
            for at in 0..64 {
                for byte in 0..=u8::MAX {
                    let mut block = [around; 64];
                    block[at] = byte;
                    let bits = |is: fn(u8) -> bool| {
                        (0..64).fold(0, |bits, i| bits | u64::from(is(block[i])) << i)
                    };
                    let masks = vector.masks(&block);
                    assert_eq!(masks.stop, bits(|b| b < 0x20 || b == b'"' || b == b'\\'));
                    assert_eq!(masks.high, bits(|b| b > 0x7f));
                }
            }
        }
    }

    #[test]
    fn portable_masks_are_those_of_each_byte() {
        masks_are_those_of_each_byte(Portable);
    }

    #[test]
    fn runs_end_where_a_search_byte_by_byte_ends_them() {
        let mut state = 1_u64;
        for len in (0..200).chain([440, 447, 448, 449, 511, 512, 513, 575, 576, 577, 1024, 1500]) {
            for sparse in [8, 60, 400] {
                let mut bytes: Vec<u8> = (0..len + PADDING)
                    .map(|_| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        let [.., low, high] = state.to_le_bytes();
                        let special = b"\"\\\n\xc3\xff"[usize::from(high) % 5];
                        let is_special = usize::from(low) * 2 % sparse == 0;
                        if is_special { special } else { b'a' + low % 26 }
                    })
                    .collect();
                if len % 2 == 0 {
                    bytes[len..].fill(0xff); // no stop in the padding
                }
                let mut runs = Runs::new(Portable, &bytes);
                for at in 0..=len {
                    let is_stop = |&b: &u8| b < 0x20 || b == b'"' || b == b'\\';
                    let found = runs.run(at);
                    match bytes[at..].iter().position(is_stop) {
                        Some(stop) if at + stop < len => {
                            let found = found.expect("a stop before the padding is found");
                            assert_eq!(found.bytes, &bytes[at..at + stop]);
                            assert_eq!(found.ascii, found.bytes.is_ascii());
                        }
                        // One in the padding may be found or not.
                        _ => assert!(found.is_none_or(|run| run.ascii == run.bytes.is_ascii())),
                    }
                }
            }
        }
    }
}
