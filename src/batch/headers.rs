//! Headers by their bytes: a log holds millions of tokens and a handful of headers, so what a header
//! decides, up to the choice of keys, is remembered.

use super::{AHEAD, CacheLine, MAX_LINES, SPREADING, is_same, words};
use crate::key::Selection;
use crate::prefetch::prefetch;
use crate::signature::REGISTERED;
use crate::token::{Header, JsonScratch, PayloadScratch, Token, UnverifiedIssuer};
use crate::validator::{Choice, Judged, Validator};
use crate::verdict::{FindingSet, Reason, Stage};

/// What a header decides, and the header: of nearly all of them, two lines of the cache side by
/// side.
#[repr(align(64))]
struct KnownHeader {
    choice: Choice,
    said: Said,
    /// The encoded header: the first bytes of it, how many these are, and where the rest is.
    first: [u8; FIRST],
    len: u8,
    rest: Span,
}

/// The most bytes of an encoded header that are beside what it decides. One with an algorithm, a
/// type and a UUID for a `kid` has 88.
const FIRST: usize = 88;

/// What rows tell of a header, besides what is [`Said`].
struct Told {
    kid: Option<Span>,
    /// Its `alg`, if that is no registered name.
    other_alg: Option<Span>,
}

/// What counts take of a header, in four bytes. It goes along with a token, since until the token is
/// told of, its header has left the nearest caches where there are many.
#[derive(Clone, Copy)]
pub(super) struct Said {
    alg: Alg,
    /// It has a `kid` that a key is looked for by, and no key has this id.
    pub(super) is_kid_unknown: bool,
    pub(super) findings: FindingSet,
}

/// The `alg` of a header.
#[derive(Clone, Copy)]
enum Alg {
    Absent,
    /// The registered name of this index.
    Registered(u8),
    Other,
}

/// A piece of what is kept one behind the other: where it starts, and how many bytes it has. A block
/// has some 2 GiB at most, and little is kept from earlier ones. What were too far behind to be
/// counted would be nowhere, and no header would be found there.
#[derive(Clone, Copy)]
struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// What is put behind `kept` bytes and has `len` of them.
    fn behind(kept: usize, len: usize) -> Self {
        let nowhere = Self {
            start: u32::MAX,
            len: u32::MAX,
        };
        match (u32::try_from(kept), u32::try_from(len)) {
            (Ok(start), Ok(len)) if kept + (len as usize) < u32::MAX as usize => {
                Self { start, len }
            }
            _ => nowhere,
        }
    }

    #[inline]
    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// What a header selects under the policies of the issuers it was seen with, by their number.
type OfIssuers = Vec<(u32, Result<Selection, Reason>)>;

/// The headers seen lately, by their bytes. It belongs to one judge and so to one validator.
///
/// Within a block a header keeps its index. Between blocks everything is forgotten once there is
/// much of it, so that a log in which every header differs costs time and no memory.
///
/// With thousands of keys the headers lie behind the nearest caches. So what each token needs of
/// its header is, of nearly all headers, in two lines of the cache that are neighbours.
pub(crate) struct HeaderMemo {
    known: Vec<KnownHeader>,
    /// Beside each of them; empty where the header decides by itself.
    of_issuers: Vec<OfIssuers>,
    /// How many selections those hold.
    selections: usize,
    /// The rest of the encoded headers.
    rests: Vec<u8>,
    /// Beside each of them what rows tell of it, and the texts of that.
    told: Vec<Told>,
    texts: String,
    /// Open addressing with linear probing.
    slots: Vec<Slot>,
    /// The header that was looked up last: logs have runs of one header.
    last: u32,
    scratch: JsonScratch,
}

impl HeaderMemo {
    /// Enough for a block of lines that all differ, after what is kept from earlier blocks, at a
    /// load of less than two thirds; a power of two.
    const SLOTS: usize = 1 << 15;
    /// How many slots are looked at for a header. There are as many headers in a row next to never
    /// but where someone chose them for that.
    const PROBES: usize = 64;
    /// How many headers are kept from block to block: a set of ten thousand keys, and some.
    const KEPT: usize = 12_288;
    /// How many bytes of headers are kept from block to block.
    const KEPT_BYTES: usize = 4 << 20;

    pub(crate) fn new() -> Self {
        Self {
            // Room takes no memory before it is used, and what grows is moved a dozen times on the
            // way to ten thousand headers.
            known: Vec::with_capacity(Self::KEPT),
            of_issuers: Vec::with_capacity(Self::KEPT),
            selections: 0,
            rests: Vec::new(),
            told: Vec::with_capacity(Self::KEPT),
            texts: String::new(),
            slots: vec![Slot::EMPTY; Self::SLOTS],
            last: 0,
            scratch: JsonScratch::new(),
        }
    }

    /// Forgets, if there is much to forget, and says whether it did.
    pub(crate) fn begin_block(&mut self) -> bool {
        let is_much = self.known.len() > Self::KEPT || self.bytes() > Self::KEPT_BYTES;
        if is_much {
            self.known.clear();
            self.of_issuers.clear();
            self.selections = 0;
            self.told.clear();
            self.slots.fill(Slot::EMPTY);
            // With their memory: one block may have had a header as long as a token may be.
            (self.rests, self.texts) = (Vec::new(), String::new());
        }
        is_much
    }

    /// About how many bytes the headers take.
    fn bytes(&self) -> usize {
        let each = size_of::<KnownHeader>() + size_of::<Told>() + size_of::<OfIssuers>();
        self.known.len() * each
            + self.selections * size_of::<(u32, Result<Selection, Reason>)>()
            + self.rests.len()
            + self.texts.len()
    }

    /// Looks ahead at headers that are to be looked for, at most [`AHEAD`] of them, and says which
    /// index each is likely to have. What [`select`](Self::select) needs of that is asked for; a
    /// few headers are in the nearest cache anyway, and the last one looked up is a good guess.
    pub(crate) fn look_ahead<'t>(
        &self,
        headers: impl Iterator<Item = &'t [u8]> + Clone,
    ) -> [Option<u32>; AHEAD] {
        if self.known.len() < AHEAD {
            return [None; AHEAD];
        }
        // All slots first, then all headers. Where there are fewer headers than that, slot 0 is
        // looked at in vain.
        let mut hashes = [Hash::default(); AHEAD];
        for (encoded, hash) in headers.clone().zip(&mut hashes) {
            *hash = Hash::of(encoded);
            prefetch(&self.slots[hash.slot]);
        }
        let likely = hashes.map(|hash| self.probe(hash, |_| true)?.1.index());
        for index in likely.iter().flatten() {
            prefetch(self.at(*index));
        }
        let long = headers.zip(likely).filter(|(it, _)| it.len() > FIRST);
        for index in long.filter_map(|(_, index)| index) {
            let rest = self.rests.get(self.at(index).rest.range());
            // Of one as long as a token may be not all, since it may not be the one.
            let rest = rest.unwrap_or_default();
            let lines = rest.iter().step_by(CacheLine::BYTES).take(AHEAD);
            lines.chain(rest.last()).for_each(prefetch);
        }
        likely
    }

    /// The index of a token's header, which `likely` may foretell, and which keys may have signed it.
    /// With several issuers the payload says which policy decides, and nothing else of it is looked
    /// at.
    ///
    /// The selection is lent where it is kept: what is put together from small pieces is slow to
    /// copy soon after.
    #[inline]
    pub(crate) fn select(
        &mut self,
        validator: &Validator,
        token: Token<'_>,
        likely: Option<u32>,
        payload: &mut PayloadScratch,
    ) -> (u32, Result<&Selection, Reason>) {
        let index = self.get(validator, token.header(), likely);
        if let Choice::OfIssuer(otherwise) = self.at(index).choice {
            let selection = match validator.realm(UnverifiedIssuer::scan(token, payload)) {
                Some(realm) => self.select_of(index, validator, realm, token.header()),
                None => Err(otherwise),
            };
            return (index, selection);
        }
        match &self.at(index).choice {
            Choice::Made(selection) => (index, selection.as_ref().map_err(|reason| *reason)),
            Choice::OfIssuer(otherwise) => (index, Err(*otherwise)),
        }
    }

    /// What the header of this index selects under the policy of this number.
    fn select_of(
        &mut self,
        index: u32,
        validator: &Validator,
        realm: u32,
        encoded: &[u8],
    ) -> Result<&Selection, Reason> {
        let known = &mut self.of_issuers[index as usize];
        let place = match known.binary_search_by_key(&realm, |(realm, _)| *realm) {
            Ok(place) => place,
            Err(place) => {
                let header = Header::read(encoded, &mut self.scratch)?;
                known.insert(place, (realm, validator.select(realm, &header)));
                self.selections += 1;
                place
            }
        };
        let (_, selection) = &known[place];
        selection.as_ref().map_err(|reason| *reason)
    }

    /// What counts take of the header of this index.
    #[inline]
    pub(super) fn said(&self, index: u32) -> Said {
        self.at(index).said
    }

    /// Asks for what [`unsigned`](Self::unsigned) needs of some headers: where their texts are, and
    /// the first line of each `kid`.
    pub(super) fn prefetch_told(&self, indices: impl Iterator<Item = u32> + Clone) {
        let told = || indices.clone().map(|index| &self.told[index as usize]);
        told().for_each(prefetch);
        let kids = told().filter_map(|told| self.texts.as_bytes().get(told.kid?.start as usize));
        kids.for_each(prefetch);
    }

    /// What the header of this index said, or that there is none to tell of, with no signature
    /// verified yet. A `kid` that some key has is left out unless it is wanted.
    #[inline]
    pub(super) fn unsigned(&self, header: Option<(u32, Said)>, wants_kid: bool) -> Judged<'_> {
        let Some((index, said)) = header else {
            return Judged::unsigned(None, None, FindingSet::EMPTY);
        };
        let text = |span: Option<Span>| self.texts.get(span?.range());
        let alg = match said.alg {
            Alg::Absent => None,
            Alg::Registered(index) => REGISTERED.get(usize::from(index)).copied(),
            Alg::Other => text(self.told[index as usize].other_alg),
        };
        let kid = match wants_kid || said.is_kid_unknown {
            true => text(self.told[index as usize].kid),
            false => None,
        };
        Judged::unsigned(alg, kid, said.findings)
    }

    fn at(&self, index: u32) -> &KnownHeader {
        &self.known[index as usize]
    }

    /// Whether this is the encoded header of this index: a comparison in full.
    #[inline(always)]
    fn is_at(&self, index: u32, encoded: &[u8]) -> bool {
        let known = self.at(index);
        let (first, rest) = encoded.split_at(encoded.len().min(FIRST));
        usize::from(known.len) == first.len()
            && is_same_text(&known.first[..first.len()], first)
            && known.rest.len as usize == rest.len()
            && (rest.is_empty() || self.rests.get(known.rest.range()) == Some(rest))
    }

    #[inline(always)]
    fn get(&mut self, validator: &Validator, encoded: &[u8], likely: Option<u32>) -> u32 {
        let likely = likely.unwrap_or(self.last);
        if (likely as usize) < self.known.len() && self.is_at(likely, encoded) {
            return likely;
        }
        self.look_up(validator, encoded)
    }

    #[inline(never)]
    fn look_up(&mut self, validator: &Validator, encoded: &[u8]) -> u32 {
        let hash = Hash::of(encoded);
        let found = self.probe(hash, |index| self.is_at(index, encoded));
        let index = match found.map(|(at, slot)| (at, slot.index())) {
            Some((_, Some(index))) => index,
            Some((at, None)) => {
                let index = self.insert(validator, encoded);
                self.slots[at] = Slot::new(index, hash.tag);
                index
            }
            // It has no slot, and is made anew whenever it is asked for.
            None => self.insert(validator, encoded),
        };
        self.last = index;
        index
    }

    /// The first slot in which a header with this hash is or may be put: that of one that has its
    /// tag and `is_it`, or an empty one; none where it has to do without.
    #[inline(always)]
    fn probe(&self, hash: Hash, is_it: impl Fn(u32) -> bool) -> Option<(usize, Slot)> {
        let slots = (0..Self::PROBES).map(|step| (hash.slot + step) % Self::SLOTS);
        let mut slots = slots.map(|at| (at, self.slots[at]));
        slots.find(|(_, slot)| {
            (slot.index()).is_none_or(|index| slot.tag() == hash.tag && is_it(index))
        })
    }

    fn insert(&mut self, validator: &Validator, encoded: &[u8]) -> u32 {
        let (choice, header) = match Header::read(encoded, &mut self.scratch) {
            Ok(header) => (validator.choose(&header), header),
            Err(reason) => (Choice::Made(Err(reason)), Header::default()),
        };
        let looks_for_key = match choice {
            Choice::Made(Err(reason)) => reason.stage() == Stage::Key,
            Choice::Made(Ok(_)) | Choice::OfIssuer(_) => true,
        };
        let is_unknown = |kid| looks_for_key && !validator.keys().has_id_somewhere(kid);
        let kid = header.kid.value();
        let mut keep = |text: &str| {
            let span = Span::behind(self.texts.len(), text.len());
            self.texts.push_str(text);
            span
        };
        let (alg, other_alg) = match header.alg.value() {
            None => (Alg::Absent, None),
            Some(alg) => match REGISTERED.binary_search(&alg).map(u8::try_from) {
                Ok(Ok(index)) => (Alg::Registered(index), None),
                _ => (Alg::Other, Some(keep(alg))),
            },
        };
        self.told.push(Told {
            kid: kid.map(keep),
            other_alg,
        });
        let (first, rest) = encoded.split_at(encoded.len().min(FIRST));
        let mut known = KnownHeader {
            choice,
            said: Said {
                alg,
                is_kid_unknown: kid.is_some_and(is_unknown),
                findings: header.findings,
            },
            first: [0; FIRST],
            len: u8::try_from(first.len()).unwrap_or(u8::MAX),
            rest: Span::behind(self.rests.len(), rest.len()),
        };
        known.first[..first.len()].copy_from_slice(first);
        self.known.push(known);
        self.rests.extend_from_slice(rest);
        self.of_issuers.push(OfIssuers::new());
        // A block has at most MAX_LINES of them, so this is far from a u32's end.
        u32::try_from(self.known.len() - 1).unwrap_or(u32::MAX)
    }
}

/// Whether two texts are the same, of at most [`FIRST`] bytes and of one length: in two pieces, which
/// overlap as the length demands.
#[inline(always)]
fn is_same_text(one: &[u8], other: &[u8]) -> bool {
    const END: usize = 32;
    const { assert!(FIRST <= CacheLine::BYTES + END) };
    let line = |text: &[u8]| text.first_chunk().map(words::<{ CacheLine::BYTES }, 4>);
    let start = |text: &[u8]| text.first_chunk().map(words::<END, 2>);
    let end = |text: &[u8]| text.last_chunk().map(words::<END, 2>);
    let is_end = || Some(is_same(&end(one)?, &end(other)?));
    let is_line = || Some(is_same(&line(one)?, &line(other)?) & is_end()?);
    let is_short = || Some(is_same(&start(one)?, &start(other)?) & is_end()?);
    is_line().or_else(is_short).unwrap_or_else(|| one == other)
}

/// What a slot has: nothing, or a header's index, and a part of its hash by which other headers need
/// not be looked at.
#[derive(Clone, Copy)]
struct Slot(u32);

impl Slot {
    const EMPTY: Self = Self(0);

    /// Of an index that is too large to be kept, nothing.
    fn new(index: u32, tag: u16) -> Self {
        match u16::try_from(index + 1) {
            Ok(taken) => Self(u32::from(taken) | u32::from(tag) << 16),
            Err(_) => Self::EMPTY,
        }
    }

    #[inline]
    const fn index(self) -> Option<u32> {
        (self.0 & 0xffff).checked_sub(1)
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation)] // the upper half
    const fn tag(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

const _: () = assert!(HeaderMemo::KEPT + MAX_LINES < u16::MAX as usize);
const _: () = assert!(HeaderMemo::KEPT + MAX_LINES < HeaderMemo::SLOTS / 3 * 2);

/// Where a header is to be found. Headers that collide cost time and nothing else.
#[derive(Clone, Copy, Default)]
struct Hash {
    slot: usize,
    tag: u16,
}

impl Hash {
    #[inline]
    fn of(encoded: &[u8]) -> Self {
        let (words, rest) = encoded.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let mixed = words
            .iter()
            .chain([&last])
            .fold(encoded.len() as u64, |mixed, word| {
                (mixed ^ u64::from_le_bytes(*word))
                    .wrapping_mul(SPREADING)
                    .rotate_left(29)
            });
        let [.., a, b, c, d] = mixed.wrapping_mul(SPREADING).to_le_bytes();
        Self {
            slot: usize::from(u16::from_le_bytes([a, b])) % HeaderMemo::SLOTS,
            tag: u16::from_le_bytes([c, d]),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::key::KeySet;
    use crate::policy::Policy;

    fn validator() -> Validator {
        let mut keys = KeySet::new();
        keys.add_secret(&[b'k'; 32], "a test").unwrap();
        let policy = Policy::new();
        Validator::new(policy, keys).unwrap()
    }

    /// A token with this header, before that is encoded.
    fn token(header: &str) -> String {
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        format!("{header}.e30.c2ln")
    }

    #[test]
    fn headers_are_told_apart_at_every_length() {
        let validator = validator();
        let (mut memo, mut payload) = (HeaderMemo::new(), PayloadScratch::new());
        // Some begin as others do, some differ in the last byte alone. None of them is a header, and
        // that is remembered as well.
        let headers: Vec<_> = (0..200)
            .flat_map(|len| ["x", "y"].map(|last| format!("{}{last}", "x".repeat(len))))
            .collect();
        for _ in 0..2 {
            for (header, index) in headers.iter().zip(0..) {
                let token = format!("{header}.e30.c2ln");
                let token = Token::split(token.as_bytes()).unwrap();
                let [likely, ..] = memo.look_ahead([token.header()].into_iter());
                let (found, selection) = memo.select(&validator, token, likely, &mut payload);
                assert!(selection.is_err());
                assert_eq!(found, index, "{header}");
                assert_eq!(
                    memo.unsigned(Some((found, memo.said(found))), true).alg,
                    None
                );
            }
        }
        assert_eq!(memo.known.len(), headers.len());
    }

    #[test]
    fn a_header_is_no_other_that_differs_in_a_byte_or_in_length() {
        let validator = validator();
        let mut memo = HeaderMemo::new();
        for len in 0..=200 {
            let mut encoded: Vec<u8> = (b'!'..=b'~').cycle().take(len).collect();
            let index = memo.get(&validator, &encoded, None);
            assert!(memo.is_at(index, &encoded), "{len}");
            for at in 0..len {
                encoded[at] ^= 0x80;
                assert!(!memo.is_at(index, &encoded), "{len} {at}");
                encoded[at] ^= 0x80;
            }
            for other in 0..=200 {
                let other: Vec<u8> = (b'!'..=b'~').cycle().take(other).collect();
                assert_eq!(memo.is_at(index, &other), encoded == other, "{len}");
            }
        }
    }

    #[test]
    fn long_headers_that_begin_alike_keep_what_each_of_them_says() {
        let validator = validator();
        let (mut memo, mut payload) = (HeaderMemo::new(), PayloadScratch::new());
        let typ = "x".repeat(100);
        let algs = [
            Some("HS256"),
            Some("HS512"),
            Some("hs256"),
            Some("A128KW"),
            None,
        ];
        for _ in 0..2 {
            for (alg, kid) in algs.iter().zip(["a", "", "ä", "d", "e"]) {
                let alg_member = alg.map_or_else(String::new, |alg| format!(r#","alg":"{alg}""#));
                let header = format!(r#"{{"typ":"{typ}","kid":"{kid}"{alg_member}}}"#);
                let token = token(&header);
                let token = Token::split(token.as_bytes()).unwrap();
                let (index, selection) = memo.select(&validator, token, None, &mut payload);
                let algorithm = selection.map(|selection| selection.algorithm().name()).ok();
                assert_eq!(algorithm, alg.filter(|alg| alg.starts_with("HS")));
                let judged = memo.unsigned(Some((index, memo.said(index))), true);
                assert_eq!((judged.alg, judged.kid), (*alg, Some(kid)));
            }
        }
        assert_eq!(memo.known.len(), algs.len());
    }

    #[test]
    fn more_headers_than_there_are_slots_are_told_apart_as_well() {
        let validator = validator();
        let (mut memo, mut payload) = (HeaderMemo::new(), PayloadScratch::new());
        for _ in 0..2 {
            for number in 0..HeaderMemo::SLOTS + 100 {
                let token = format!("{number:x}..");
                let token = Token::split(token.as_bytes()).unwrap();
                let (index, selection) = memo.select(&validator, token, None, &mut payload);
                assert!(selection.is_err());
                assert!(memo.is_at(index, token.header()));
            }
        }
        // Most are remembered, and some without a slot were made again.
        let made_again = memo.known.len() - HeaderMemo::SLOTS - 100;
        assert!(
            (100..HeaderMemo::SLOTS / 4).contains(&made_again),
            "{made_again}"
        );
    }

    #[test]
    fn headers_that_all_differ_take_no_more_than_their_bound() {
        let validator = validator();
        for padding in [0, 2000] {
            let mut memo = HeaderMemo::new();
            let (mut payload, mut most) = (PayloadScratch::new(), 0);
            for block in 0..12 {
                memo.begin_block();
                assert!(memo.known.len() <= HeaderMemo::KEPT);
                assert!(memo.bytes() <= HeaderMemo::KEPT_BYTES);
                for line in 0..4000 {
                    let kid = format!("{block}-{line}-{}", "x".repeat(padding));
                    let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
                    let token = token(&header);
                    let token = Token::split(token.as_bytes()).unwrap();
                    for _ in 0..2 {
                        let (index, _) = memo.select(&validator, token, None, &mut payload);
                        let said = memo.said(index);
                        assert!(said.is_kid_unknown);
                        assert_eq!(memo.unsigned(Some((index, said)), false).kid, Some(&*kid));
                    }
                }
                let selections: usize = memo.of_issuers.iter().map(Vec::len).sum();
                assert_eq!(memo.selections, selections);
                let taken = memo
                    .slots
                    .iter()
                    .filter(|slot| slot.index().is_some())
                    .count();
                assert_eq!(taken, memo.known.len());
                most = most.max(taken);
            }
            // Some blocks follow upon others that are not forgotten yet.
            assert!(most == 16_000 || padding > 0 && most == 4000, "{most}");
        }
    }
}
