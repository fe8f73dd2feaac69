//! Tokens that come again: logs repeat them, and what was found of a token need not be found twice.
//!
//! [`Repeats`] remembers tokens by all of their bytes, with what was found of them at any instant:
//! whose signature it is, and which rules its claims break whenever they are judged. What depends
//! on the instant is judged anew each time, so a token that is remembered is told of in the same
//! row and the same counts as one that is not.
//!
//! A token with a MAC that is seen for the first time is noted in two bytes of a hash; one that was
//! noted before is remembered. So of a stream of tokens that all differ next to none is stored. (A
//! doorkeeper, as in Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission
//! Policy", 2017.) One that is signed by a private key is remembered at once: to verify it a second
//! time costs a hundred times what it costs to remember it in vain. The memory is bounded in bytes,
//! and a stream that does not repeat is soon left alone but for a look now and then.

use super::attention::Attention;
use super::kinds::{KindNumber, Known};
use super::{AHEAD, CacheLine, MAX_LINES, SPREADING, is_same, words};
use crate::prefetch::prefetch;
use crate::time::NumericDate;
use crate::token::{Claims, Dates, Member};
use crate::validator::Judged;
use crate::verdict::{FindingSet, ReasonSet, Verdict};

/// Slots of a set: how many tokens whose ends hash alike are noted or remembered.
const WAYS: usize = 8;
/// How many sets there may be, each a line of the cache.
const SETS: std::ops::RangeInclusive<usize> = 64..=1 << 16;
/// So many bytes of memory have a slot, somewhat more slots than there is room for tokens of usual
/// length.
const BYTES_OF_SLOT: usize = 512;
/// Tokens that are shorter or longer are not remembered: none that is signed is as short as the
/// former, and one of the latter would take the place of many. ML-DSA-87 makes tokens of some 6,500
/// bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = CacheLine::BYTES..=16 << 10;
/// The most bytes of claims that are remembered of a token.
const MOST_TEXT: usize = 1024;

/// Where a token was seen before.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// The entry that it is remembered in.
    pub(super) entry: u32,
    /// The index of its header.
    pub(super) header: u32,
    /// The number of its signature among those pending, where it was seen in this block alone; what
    /// there is to know of the others is in the entry.
    pub(super) pending: Option<u32>,
}

/// Whether a token was seen before.
pub(super) enum Sighting {
    /// Yes.
    Again(Seen),
    /// No; it is remembered in this entry from now on.
    New(u32),
    /// It is not remembered.
    Unknown,
}

/// A token whose signature is pending unless it was seen before.
#[derive(Clone, Copy)]
pub(super) struct Unseen {
    /// The index of its header.
    pub(super) header: u32,
    /// The number that its signature would have among those of the block.
    pub(super) number: u32,
    /// Whether it is a MAC, which is cheap to verify.
    pub(super) is_mac: bool,
}

/// A token, and what is asked of it whenever it is found again: a line of the cache, besides the
/// token itself.
#[derive(Default)]
#[repr(align(64))]
struct Entry {
    /// The token, from the beginning of a line of the cache on, so that it has as few as it can.
    /// There may be more of them than it needs.
    lines: Box<[CacheLine]>,
    token_len: u16,
    /// Its number among the signatures that are pending in its block, if it was new there.
    pending: u16,
    /// The last block in which a line was left to this entry to tell of. In that block its place is
    /// not given away.
    block: u32,
    /// The index that its header had in that block.
    header: u32,
    is_mac: bool,
    /// Whether something was found of it, which is beside the entry.
    is_known: bool,
    /// What there is to count of it, where that is all there is to tell.
    counted: Option<Counted>,
}

const _: () = assert!(MAX_LINES < u16::MAX as usize);

/// What there is to count of a token of a kind.
#[derive(Clone, Copy)]
struct Counted {
    reasons: ReasonSet,
    key: u32,
    dates: ShortDates,
    kind: KindNumber,
}

/// The dates of nearly all tokens there are: whole seconds from 1970 to 2106, or none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct ShortDates {
    exp: u32,
    nbf: u32,
    iat: u32,
}

impl ShortDates {
    const ABSENT: u32 = u32::MAX;

    /// None for dates that are not of these.
    fn of(dates: &Dates) -> Option<Self> {
        let short = |date| match date {
            Member::Absent => Some(Self::ABSENT),
            Member::Is(NumericDate::Int(seconds)) => {
                u32::try_from(seconds).ok().filter(|it| *it != Self::ABSENT)
            }
            Member::Is(_) | Member::WrongType => None,
        };
        Some(Self {
            exp: short(dates.exp)?,
            nbf: short(dates.nbf)?,
            iat: short(dates.iat)?,
        })
    }

    #[inline]
    fn dates(self) -> Dates {
        let date = |short| match short {
            Self::ABSENT => Member::Absent,
            seconds => Member::Is(NumericDate::Int(seconds.into())),
        };
        Dates {
            exp: date(self.exp),
            nbf: date(self.nbf),
            iat: date(self.iat),
        }
    }
}

/// What was found of a token at any instant, in full, and where the token is noted: asked for where
/// more is to be told of it than counts.
struct Lasting {
    hash: Hash,
    verdict: Verdict,
    /// The claims, if its signature held and its payload could be read.
    claims: Option<StoredClaims>,
    /// Their strings.
    texts: String,
}

/// Claims whose strings are one behind the other, in this order.
struct StoredClaims {
    iss: StoredText,
    sub: StoredText,
    jti: StoredText,
    dates: Dates,
    extra: u64,
}

/// The length of a string, of [`MOST_TEXT`] bytes at most, or why there is none, in two bytes.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct StoredText(u16);

impl StoredText {
    const WRONG_TYPE: Self = Self(1);
    /// What is added to a length. 0 stands for a string that is absent.
    const OFFSET: u16 = 2;

    fn of(text: Member<&str>) -> Self {
        match text {
            Member::Absent => Self(0),
            Member::WrongType => Self::WRONG_TYPE,
            Member::Is(text) => Self(
                u16::try_from(text.len()).map_or(u16::MAX, |it| it.saturating_add(Self::OFFSET)),
            ),
        }
    }

    fn len(self) -> usize {
        usize::from(self.0.saturating_sub(Self::OFFSET))
    }

    /// Takes the string off the front of `texts`.
    #[inline]
    fn read<'t>(self, texts: &mut &'t str) -> Member<&'t str> {
        match self.0 {
            0 => Member::Absent,
            1 => Member::WrongType,
            _ => {
                let (text, rest) = texts.split_at(self.len());
                *texts = rest;
                Member::Is(text)
            }
        }
    }
}

/// Tokens whose ends hash alike, in a line of the cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set {
    /// A part of each one's hash, 0 where there is none: other tokens of the set need not be looked
    /// at.
    tags: [u16; WAYS],
    places: [Place; WAYS],
}

/// What a slot has: nothing, a token that was noted, or one that is remembered, with whether it was
/// found again since that was asked last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place(u32);

impl Place {
    const EMPTY: Self = Self(0);
    const NOTED: Self = Self(1);

    /// The place of an entry. There are at most as many as slots, 2^19.
    const fn of(entry: u32) -> Self {
        Self((entry + 1) << 1)
    }

    /// The number of the entry that is remembered here.
    fn entry(self) -> Option<u32> {
        (self.0 >> 1).checked_sub(1)
    }

    const fn was_found(self) -> bool {
        self.0 & 1 == 1
    }

    /// The same, found again or not.
    const fn found(self, found: bool) -> Self {
        Self(self.0 & !1 | found as u32)
    }
}

impl Set {
    /// The slots of tokens with this tag.
    #[inline]
    fn ways(&self, tag: u16) -> impl Iterator<Item = usize> + use<> {
        const ONES: u64 = 0x0001_0001_0001_0001;
        const LOW: u64 = 0x7fff_7fff_7fff_7fff;
        // Four tags at a time in a general register. The top bit of each that is the same; exact,
        // since no carry leaves a tag.
        let same = |tags: [u16; 4]| {
            let [a, b, c, d] = tags.map(u64::from);
            let other = (a | b << 16 | c << 32 | d << 48) ^ (ONES * u64::from(tag));
            !(((other & LOW) + LOW) | other | LOW)
        };
        let [a, b, c, d, e, f, g, h] = self.tags;
        // The lowest bit of each of the first four, and the bit beside it of each of the others.
        let mut bits = same([a, b, c, d]) >> 15 | same([e, f, g, h]) >> 14;
        std::iter::from_fn(move || {
            let at = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            (at < 64).then_some(at / 16 + at % 16 * (WAYS / 2))
        })
    }

    /// The slot of an entry to give up: one that was not found again since the last time that one
    /// was asked for, if there is any.
    fn least_used(&mut self) -> Option<usize> {
        let ways = |set: &Self, found| {
            let is_so = |place: Place| place.entry().is_some() && place.was_found() == found;
            (0..WAYS).find(|way| is_so(set.places[*way]))
        };
        if let Some(way) = ways(self, false) {
            return Some(way);
        }
        for place in &mut self.places {
            if place.entry().is_some() {
                *place = place.found(false);
            }
        }
        ways(self, false)
    }
}

/// Where a token is to be found.
#[derive(Clone, Copy, Default)]
struct Hash {
    set: u32,
    /// Not 0.
    tag: u16,
}

/// A token that was looked ahead at.
#[derive(Clone, Copy, Default)]
pub(super) struct Sought {
    hash: Hash,
    way: usize,
    /// The entry that is likely to be its own.
    entry: Option<u32>,
}

impl Hash {
    /// The characters of a signature are a hash already, and cheap to take. `sets` is how many there
    /// are, a power of two.
    #[inline]
    fn of(token: &[u8], sets: usize) -> Self {
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        // Both halves of the product together depend on every character everywhere.
        let product = u128::from(end ^ token.len() as u64) * u128::from(SPREADING);
        #[allow(clippy::cast_possible_truncation)] // the halves
        let hash = product as u64 ^ (product >> 64) as u64;
        let [a, b, c, d, _, _, tag @ ..] = hash.to_le_bytes();
        Self {
            #[allow(clippy::cast_possible_truncation)] // there are fewer
            set: u32::from_le_bytes([a, b, c, d]) & (sets - 1) as u32,
            tag: u16::from_le_bytes(tag).max(1),
        }
    }

    const fn set(self) -> usize {
        self.set as usize
    }
}

/// The memory of one worker.
pub(super) struct Repeats {
    /// As many as there are slots, at most.
    entries: Vec<Entry>,
    /// Beside each of them what lasts of its token's verdict.
    lasting: Vec<Lasting>,
    /// Entries that remember nothing.
    spare: Vec<u32>,
    sets: Vec<Set>,
    /// Bytes that sets, entries and what is beside them take, and how many they may.
    used: usize,
    budget: usize,
    /// The number of the block, from 1.
    block: u32,
    /// The first block in which headers had the indices that they have now.
    headers_since: u32,
    is_looking: bool,
    attention: Attention,
}

impl Repeats {
    /// A memory of about `budget` bytes; with 0 it remembers nothing.
    pub(super) fn new(budget: usize) -> Self {
        let sets = match budget {
            0 => 0,
            _ => (budget / BYTES_OF_SLOT / WAYS)
                .next_power_of_two()
                .clamp(*SETS.start(), *SETS.end()),
        };
        Self {
            entries: Vec::new(),
            lasting: Vec::new(),
            spare: Vec::new(),
            sets: vec![Set::default(); sets],
            used: sets * size_of::<Set>(),
            budget,
            block: 0,
            headers_since: 0,
            is_looking: false,
            attention: Attention::new(),
        }
    }

    /// Begins a block, and decides whether it is looked at. `are_headers_new`: the indices that
    /// headers had before mean nothing any more.
    pub(super) fn begin_block(&mut self, are_headers_new: bool) {
        if self.block == u32::MAX {
            // Blocks are told apart by their number. After 2^32 of them it begins anew.
            *self = Self::new(self.budget);
        }
        self.block += 1;
        if are_headers_new {
            self.headers_since = self.block;
        }
        self.is_looking = self.budget > 0 && self.attention.next_block();
    }

    /// Whether tokens of this block are looked for.
    #[inline]
    pub(super) const fn is_looking(&self) -> bool {
        self.is_looking
    }

    /// Looks ahead at tokens that are to be looked for, and asks for what [`find`](Self::find)
    /// needs of each; only while tokens [are looked for](Self::is_looking).
    pub(super) fn look_ahead(
        &mut self,
        tokens: &[Option<&[u8]>; AHEAD],
        all: &mut [Sought; AHEAD],
    ) {
        // All sets first, then all entries, then all tokens.
        for (token, sought) in tokens.iter().zip(&mut *all) {
            *sought = Sought::default();
            if let Some(token) = token {
                sought.hash = Hash::of(token, self.sets.len());
                prefetch(&self.sets[sought.hash.set()]);
            }
        }
        for sought in all.iter_mut().filter(|it| it.hash.tag != 0) {
            self.attention.look();
            let set = &self.sets[sought.hash.set()];
            for way in set.ways(sought.hash.tag) {
                if let Some(number) = set.places[way].entry() {
                    (sought.way, sought.entry) = (way, Some(number));
                }
            }
        }
        let entries = || {
            let numbers = all.iter().zip(tokens);
            numbers.filter_map(|(it, token)| Some((&self.entries[it.entry? as usize], (*token)?)))
        };
        for (entry, _) in entries() {
            prefetch(entry);
        }
        for (entry, token) in entries() {
            // No more of them than the token itself has: the entry may be that of a long one.
            let lines = token.len().div_ceil(CacheLine::BYTES);
            entry.lines.iter().take(lines).for_each(prefetch);
        }
    }

    /// Asks for what [`recall`](Self::recall) needs of these entries, and the first line of their
    /// texts.
    pub(super) fn prefetch_lasting(&self, numbers: impl Iterator<Item = u32> + Clone) {
        for number in numbers.clone() {
            prefetch(&self.entries[number as usize]);
            prefetch(&self.lasting[number as usize]);
        }
        for number in numbers {
            if let Some(byte) = self.lasting[number as usize].texts.as_bytes().first() {
                prefetch(byte);
            }
        }
    }

    /// The entry of a token that was looked ahead at, if it is in the one that was likely.
    #[inline]
    pub(super) fn find(&self, token: &[u8], sought: &Sought) -> Option<u32> {
        // A hit is a comparison in full.
        (sought.entry).filter(|number| self.entries[*number as usize].is_of(token))
    }

    /// What there is to count of the token of an entry, if that is all there is to tell of it.
    #[inline]
    pub(super) fn known(&self, number: u32) -> Option<Known> {
        let counted = self.entries[number as usize].counted?;
        Some(Known {
            kind: counted.kind,
            reasons: counted.reasons,
            key: counted.key,
            dates: counted.dates.dates(),
        })
    }

    /// Notes that the token of this entry was found and counted.
    #[inline]
    pub(super) fn hit(&mut self, sought: &Sought, number: u32) {
        let place = &mut self.sets[sought.hash.set()].places[sought.way];
        if !place.was_found() {
            *place = place.found(true);
        }
        self.attention.hit(self.entries[number as usize].is_mac);
    }

    /// A token that was [found](Self::find) and is to be told of. None where its header has another
    /// index by now.
    pub(super) fn meet(&mut self, sought: &Sought, number: u32) -> Option<Seen> {
        let entry = &mut self.entries[number as usize];
        if entry.block < self.headers_since {
            return None;
        }
        let seen = entry.meet(number, self.block, entry.header)?;
        self.hit(sought, number);
        Some(seen)
    }

    /// Looks for a token that was not found so far in all slots of its set, and notes or remembers
    /// it if it is in none.
    #[inline]
    pub(super) fn see(&mut self, token: &[u8], sought: &Sought, unseen: Unseen) -> Sighting {
        if !self.is_looking || !LENGTHS.contains(&token.len()) {
            return Sighting::Unknown;
        }
        self.search(token, sought.hash, unseen)
    }

    #[inline(never)]
    fn search(&mut self, token: &[u8], hash: Hash, unseen: Unseen) -> Sighting {
        let (set, tag) = (hash.set(), hash.tag);
        let mut noted = None;
        for way in self.sets[set].ways(tag) {
            match self.sets[set].places[way].entry() {
                None => noted = Some(way),
                Some(number) if self.entries[number as usize].is_of(token) => {
                    let (entry, block) = (&mut self.entries[number as usize], self.block);
                    let Some(seen) = entry.meet(number, block, unseen.header) else {
                        entry.await_verdict(unseen, block);
                        return Sighting::New(number);
                    };
                    let entry = Some(number);
                    self.hit(&Sought { hash, way, entry }, number);
                    return Sighting::Again(seen);
                }
                Some(_) => {}
            }
        }
        let remembered = match noted {
            Some(way) => {
                self.attention.see_again();
                self.remember(token, hash, way, unseen)
            }
            None => self.free_way(hash).and_then(|way| {
                self.sets[set].tags[way] = tag;
                self.sets[set].places[way] = Place::NOTED;
                match unseen.is_mac {
                    true => None,
                    false => self.remember(token, hash, way, unseen),
                }
            }),
        };
        remembered.map_or(Sighting::Unknown, Sighting::New)
    }

    /// Remembers a token that was noted in this slot, if there is room.
    fn remember(&mut self, token: &[u8], hash: Hash, way: usize, unseen: Unseen) -> Option<u32> {
        self.attention.store();
        let number = self.make_room(hash.set(), token.len())?;
        self.sets[hash.set()].places[way] = Place::of(number);
        self.used -= self.bytes(number);
        let entry = &mut self.entries[number as usize];
        entry.store(token);
        entry.await_verdict(unseen, self.block);
        self.lasting[number as usize].hash = hash;
        self.used += self.bytes(number);
        Some(number)
    }

    /// A slot that has nothing or a note of another token; where all have more than that, the slot
    /// of one that did not come again for a while.
    fn free_way(&mut self, hash: Hash) -> Option<usize> {
        let (set, tag) = (hash.set(), hash.tag);
        let places = &self.sets[set].places;
        // From another slot on for each token, so that notes take turns.
        let ways = || (0..WAYS).map(|way| (way + tag as usize) % WAYS);
        let has = |wanted| ways().find(|way| places[*way] == wanted);
        has(Place::EMPTY).or_else(|| has(Place::NOTED)).or_else(|| {
            let (way, number) = self.give_up(set)?;
            self.forget(number);
            Some(way)
        })
    }

    /// A slot of the set that is given up, and the entry it had; none where that occurs in this
    /// block.
    fn give_up(&mut self, set: usize) -> Option<(usize, u32)> {
        let way = self.sets[set].least_used()?;
        let number = self.sets[set].places[way].entry()?;
        if self.entries[number as usize].block == self.block {
            return None;
        }
        self.sets[set].tags[way] = 0;
        self.sets[set].places[way] = Place::EMPTY;
        Some((way, number))
    }

    /// Empties an entry that has no slot any more.
    fn forget(&mut self, number: u32) {
        self.used -= self.bytes(number);
        self.entries[number as usize] = Entry::default();
        self.lasting[number as usize] = Lasting::EMPTY;
        self.used += self.bytes(number);
        self.spare.push(number);
    }

    /// The bytes that an entry takes, with what is beside it.
    fn bytes(&self, number: u32) -> usize {
        let (entry, own) = (
            &self.entries[number as usize],
            &self.lasting[number as usize],
        );
        EMPTY + size_of_val(&*entry.lines) + own.texts.capacity()
    }

    /// An entry for a token of `len` bytes: an empty one while there is room, else that of another
    /// token of the set.
    fn make_room(&mut self, set: usize, len: usize) -> Option<u32> {
        let len = len.next_multiple_of(CacheLine::BYTES);
        if self.used + len <= self.budget
            && let Some(number) = self.spare.pop()
        {
            return Some(number);
        }
        let most = self.sets.len() * WAYS;
        if self.used + EMPTY + len <= self.budget && self.entries.len() < most {
            if self.entries.is_empty() {
                // At once, since a vector that grows takes up to three times what is in it. What is
                // not in use is memory that was promised and not given.
                self.entries.reserve_exact(most);
                self.lasting.reserve_exact(most);
            }
            let number = u32::try_from(self.entries.len()).ok()?;
            self.entries.push(Entry::default());
            self.lasting.push(Lasting::EMPTY);
            self.used += EMPTY;
            return Some(number);
        }
        let (_, number) = self.give_up(set)?;
        // Its buffers serve again, unless they are too large or too small.
        let buffer = size_of_val(&*self.entries[number as usize].lines);
        if (len..=2 * len).contains(&buffer) {
            return Some(number);
        }
        self.forget(number);
        if self.used + len > self.budget {
            return None;
        }
        self.spare.pop()
    }

    /// Whether anything is known of the token of an entry.
    #[inline]
    pub(super) fn is_known(&self, number: u32) -> bool {
        self.entries[number as usize].is_known
    }

    /// Puts what was found at any instant of a token of which something is known into `judged`, with
    /// its claims in `claims` if its signature held and its payload could be read. The audience is
    /// not among them: it is judged already, and no row tells it.
    #[inline]
    pub(super) fn recall<'s>(
        &'s self,
        number: u32,
        judged: &mut Judged<'s>,
        claims: &'s mut Claims<'s>,
    ) {
        let own = &self.lasting[number as usize];
        judged.verdict = own.verdict;
        judged.claims = own.recall(claims);
    }

    /// Remembers what was found of a token that is new, at any instant. One that takes too much is
    /// forgotten; says whether it is not.
    pub(super) fn learn(&mut self, number: u32, judged: &Judged<'_>) -> bool {
        if self.entries[number as usize].token_len == 0 {
            // An earlier line of the block was the same token, and took too much.
            return false;
        }
        self.used -= self.bytes(number);
        let own = &mut self.lasting[number as usize];
        let (is_short, hash) = (own.learn(judged), own.hash);
        self.used += self.bytes(number);
        let is_kept = is_short && self.used <= self.budget;
        if is_kept {
            self.entries[number as usize].is_known = true;
        } else {
            let set = &mut self.sets[hash.set()];
            for way in set.ways(hash.tag) {
                if set.places[way].entry() == Some(number) {
                    (set.tags[way], set.places[way]) = (0, Place::EMPTY);
                }
            }
            self.forget(number);
        }
        is_kept
    }

    /// Says of which kind the token of an entry is, of which something is known: from now on it may
    /// be counted and no more, unless its dates are unusual ones.
    pub(super) fn set_kind(&mut self, number: u32, kind: KindNumber) {
        let Lasting {
            verdict, claims, ..
        } = &self.lasting[number as usize];
        let dates = claims.as_ref().and_then(|it| ShortDates::of(&it.dates));
        if let (Some(key), Some(dates)) = (verdict.key, dates) {
            self.entries[number as usize].counted = Some(Counted {
                reasons: verdict.reasons,
                key,
                dates,
                kind,
            });
        }
    }
}

/// The bytes of an entry that remembers nothing, with what is beside it.
const EMPTY: usize = size_of::<Entry>() + size_of::<Lasting>();

impl Entry {
    /// Whether this is its token; none that is shorter than all of [`LENGTHS`] is anyone's.
    #[inline]
    fn is_of(&self, token: &[u8]) -> bool {
        let (pieces, end) = pieces(token);
        let own_end = self.lines.get(pieces.len());
        usize::from(self.token_len) == token.len()
            && (pieces.iter().zip(&self.lines)).all(|(piece, own)| is_same(&own.0, &words(piece)))
            && end
                .zip(own_end)
                .is_none_or(|(end, own)| is_same(&own.0, &words(end)))
    }

    /// Takes a token, whose length is one of [`LENGTHS`].
    fn store(&mut self, token: &[u8]) {
        debug_assert!(LENGTHS.contains(&token.len()));
        let (pieces, end) = pieces(token);
        let needed = pieces.len() + usize::from(end.is_some());
        if self.lines.len() < needed {
            self.lines = vec![CacheLine::EMPTY; needed].into_boxed_slice();
        }
        for (own, piece) in self.lines.iter_mut().zip(pieces.iter().chain(end)) {
            own.0 = words(piece);
        }
        self.token_len = u16::try_from(token.len()).unwrap_or(0);
    }

    /// Waits for what is found of its token, whose signature is pending.
    fn await_verdict(&mut self, unseen: Unseen, block: u32) {
        (self.block, self.header) = (block, unseen.header);
        // A block has at most MAX_LINES of them.
        self.pending = u16::try_from(unseen.number).unwrap_or(u16::MAX);
        (self.is_mac, self.is_known, self.counted) = (unseen.is_mac, false, None);
    }

    /// Its token again, in this block, with this header. None where nothing is known of it and
    /// nothing pending, since its block came to no end.
    #[inline(always)]
    fn meet(&mut self, number: u32, block: u32, header: u32) -> Option<Seen> {
        let pending = match self.is_known {
            true => None,
            false if self.block == block => Some(u32::from(self.pending)),
            false => return None,
        };
        (self.block, self.header) = (block, header);
        Some(Seen {
            entry: number,
            header,
            pending,
        })
    }
}

/// A token in pieces as long as a line, and where it does not end with one, its end: a piece that
/// begins where it has to.
#[inline]
fn pieces(token: &[u8]) -> (&[[u8; CacheLine::BYTES]], Option<&[u8; CacheLine::BYTES]>) {
    let (pieces, rest) = token.as_chunks();
    let end = token.last_chunk().filter(|_| !rest.is_empty());
    (pieces, end)
}

impl Lasting {
    const EMPTY: Self = Self {
        hash: Hash { set: 0, tag: 0 },
        verdict: Verdict {
            reasons: ReasonSet::EMPTY,
            findings: FindingSet::EMPTY,
            key: None,
        },
        claims: None,
        texts: String::new(),
    };

    /// Copies what was found, unless the claims have strings that are too long to be kept.
    fn learn(&mut self, judged: &Judged<'_>) -> bool {
        self.verdict = judged.verdict;
        self.claims = None;
        let Some(claims) = judged.claims else {
            return true;
        };
        let strings = [claims.iss, claims.sub, claims.jti];
        let length = strings.iter().filter_map(Member::value).map(str::len).sum();
        if length > MOST_TEXT {
            return false;
        }
        self.texts.clear();
        self.texts.reserve_exact(length);
        let texts = strings.iter().filter_map(Member::value);
        texts.for_each(|text| self.texts.push_str(text));
        let [iss, sub, jti] = strings.map(StoredText::of);
        self.claims = Some(StoredClaims {
            iss,
            sub,
            jti,
            dates: claims.dates(),
            extra: claims.extra,
        });
        true
    }

    #[inline]
    fn recall<'s>(&'s self, claims: &'s mut Claims<'s>) -> Option<&'s Claims<'s>> {
        let own = self.claims.as_ref()?;
        let mut texts = &*self.texts;
        claims.iss = own.iss.read(&mut texts);
        claims.sub = own.sub.read(&mut texts);
        claims.jti = own.jti.read(&mut texts);
        let Dates { exp, nbf, iat } = own.dates;
        (claims.exp, claims.nbf, claims.iat) = (exp, nbf, iat);
        claims.extra = own.extra;
        Some(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Reason;

    fn token(number: u64) -> Vec<u8> {
        format!("header.payload-{number:030}.signature-{number:030}").into_bytes()
    }

    /// Any one of these would do as well.
    const HEADER: u32 = 3;

    fn learn(repeats: &mut Repeats, number: u32) {
        let forged = Judged::rejected(Reason::SignatureMismatch);
        repeats.learn(number, &forged);
    }

    /// What is known of the token of an entry, if anything is.
    fn recall<'s>(
        repeats: &'s Repeats,
        entry: u32,
        claims: &'s mut Claims<'s>,
    ) -> Option<Judged<'s>> {
        let mut judged = Judged::unsigned(None, None, FindingSet::EMPTY);
        (repeats.is_known(entry)).then(|| repeats.recall(entry, &mut judged, claims))?;
        Some(judged)
    }

    /// What is found of a token that its key signed.
    fn signed<'s>(claims: &'s Claims<'s>) -> Judged<'s> {
        let mut judged = Judged::unsigned(None, None, FindingSet::EMPTY);
        judged.verdict.key = Some(0);
        judged.claims = Some(claims);
        judged
    }

    /// Looks ahead at one token.
    fn look_ahead(repeats: &mut Repeats, token: &[u8]) -> Sought {
        let mut tokens = [None; AHEAD];
        tokens[0] = Some(token);
        let mut sought = [Sought::default(); AHEAD];
        repeats.look_ahead(&tokens, &mut sought);
        sought[0]
    }

    /// Looks for a token where it is likely to be.
    fn find(repeats: &mut Repeats, token: &[u8]) -> (Sought, Option<Seen>) {
        let sought = look_ahead(repeats, token);
        let entry = repeats.find(token, &sought);
        (sought, entry.and_then(|entry| repeats.meet(&sought, entry)))
    }

    /// Looks for one token, which has a MAC or not.
    fn see_signed(repeats: &mut Repeats, token: &[u8], number: u32, is_mac: bool) -> Sighting {
        let mut sought = Sought::default();
        if repeats.is_looking() {
            let seen;
            (sought, seen) = find(repeats, token);
            if let Some(seen) = seen {
                return Sighting::Again(seen);
            }
        }
        let header = HEADER;
        let unseen = Unseen {
            header,
            number,
            is_mac,
        };
        repeats.see(token, &sought, unseen)
    }

    fn is_known(sighting: &Sighting, entry: u32) -> bool {
        matches!(sighting, Sighting::Again(seen) if seen.entry == entry && seen.pending.is_none())
    }

    fn is_pending(sighting: &Sighting, number: u32) -> bool {
        matches!(sighting, Sighting::Again(seen) if seen.pending == Some(number))
    }

    /// Looks for one token with a MAC.
    fn see(repeats: &mut Repeats, token: &[u8], number: u32) -> Sighting {
        see_signed(repeats, token, number, true)
    }

    /// Sees a token twice, so that it is remembered if there is room.
    fn see_twice(repeats: &mut Repeats, token: &[u8]) -> Sighting {
        assert!(matches!(see(repeats, token, 0), Sighting::Unknown));
        see(repeats, token, 0)
    }

    #[test]
    fn a_token_is_noted_then_new_then_pending_then_known() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block(false);
        assert!(matches!(see(&mut repeats, &token(1), 6), Sighting::Unknown));
        let Sighting::New(entry) = see(&mut repeats, &token(1), 7) else {
            panic!("noted and not remembered before");
        };
        assert!(is_pending(&see(&mut repeats, &token(1), 9), 7));
        learn(&mut repeats, entry);
        repeats.begin_block(false);
        assert!(is_known(&see(&mut repeats, &token(1), 0), entry));
        assert!(matches!(see(&mut repeats, &token(2), 0), Sighting::Unknown));
        assert!(matches!(see(&mut repeats, &token(2), 0), Sighting::New(_)));
        for _ in 0..3 {
            assert!(matches!(see(&mut repeats, b"a.b.c", 0), Sighting::Unknown));
        }
    }

    #[test]
    fn what_a_block_left_unfinished_is_new_again() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block(false);
        assert!(matches!(
            see_twice(&mut repeats, &token(1)),
            Sighting::New(_)
        ));
        repeats.begin_block(false);
        assert!(matches!(see(&mut repeats, &token(1), 4), Sighting::New(_)));
        assert!(is_pending(&see(&mut repeats, &token(1), 5), 4));
    }

    #[test]
    fn a_header_that_has_another_index_by_now_is_asked_for_again() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block(false);
        let Sighting::New(entry) = see_twice(&mut repeats, &token(1)) else {
            panic!("there is room");
        };
        learn(&mut repeats, entry);
        let find = |repeats: &mut Repeats| {
            super::tests::find(repeats, &token(1))
                .1
                .map(|seen| seen.header)
        };
        for (are_new, known) in [(false, Some(HEADER)), (true, None), (false, None)] {
            repeats.begin_block(are_new);
            assert_eq!(find(&mut repeats), known);
        }
        let sought = look_ahead(&mut repeats, &token(1));
        let (header, number, is_mac) = (8, 0, true);
        let unseen = Unseen {
            header,
            number,
            is_mac,
        };
        let again = repeats.see(&token(1), &sought, unseen);
        assert!(is_known(&again, entry));
        assert_eq!(find(&mut repeats), Some(8));
        repeats.begin_block(false);
        assert_eq!(find(&mut repeats), Some(8));
    }

    #[test]
    fn numbers_of_blocks_that_end_begin_anew_with_an_empty_memory() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block(false);
        assert!(matches!(
            see_twice(&mut repeats, &token(1)),
            Sighting::New(_)
        ));
        repeats.block = u32::MAX;
        repeats.begin_block(false);
        assert!(matches!(see(&mut repeats, &token(1), 0), Sighting::Unknown));
    }

    #[test]
    fn a_token_is_told_from_all_others_at_every_length() {
        let mut entry = Entry::default();
        assert!(!entry.is_of(&[b'x'; CacheLine::BYTES - 1]));
        for len in LENGTHS.take(200).chain([1000, *LENGTHS.end()]) {
            let mut token: Vec<u8> = (b'!'..=b'~').cycle().take(len).collect();
            entry.store(&token);
            assert!(entry.is_of(&token), "{len}");
            for at in 0..len {
                token[at] ^= 0x80;
                assert!(!entry.is_of(&token), "{len} {at}");
                token[at] ^= 0x80;
            }
            assert!(!entry.is_of(&token[..len - 1]) && !entry.is_of(&token[1..]));
            token.push(0);
            assert!(!entry.is_of(&token), "{len}");
        }
        // One that is shorter than the one before, in the same buffer.
        let mut token = [b'x'; CacheLine::BYTES + 1];
        entry.store(&token);
        assert!(entry.is_of(&token) && entry.lines.len() > 2);
        for at in 0..token.len() {
            token[at] ^= 1;
            assert!(!entry.is_of(&token), "{at}");
            token[at] ^= 1;
        }
    }

    /// An entry that is given away has nothing of the token before, though it has its buffers.
    #[test]
    fn an_entry_is_told_of_by_its_own_token_alone() {
        let mut repeats = Repeats::new(1);
        repeats.budget = repeats.used + EMPTY + 2 * CacheLine::BYTES;
        let sets = repeats.sets.len();
        let mut all = (0..).map(token);
        let one = all.next().unwrap();
        let set = |token: &[u8]| Hash::of(token, sets).set;
        let other = all.find(|token| set(token) == set(&one)).unwrap();
        let claims = Claims {
            exp: Member::Is(NumericDate::Int(1)),
            ..Claims::none()
        };
        let kind = crate::batch::kinds::Kinds::new().of(&signed(&claims));
        let mut entries = Vec::new();
        for token in [&one, &other] {
            repeats.begin_block(false);
            let mut sighting = see_twice(&mut repeats, token);
            // The place of the other one is given away once it has not come again for a while.
            while !matches!(sighting, Sighting::New(_)) {
                repeats.begin_block(false);
                sighting = see(&mut repeats, token, 0);
            }
            let Sighting::New(entry) = sighting else {
                panic!("there is room for one")
            };
            entries.push(entry);
            assert!(!repeats.is_known(entry) && repeats.known(entry).is_none());
            if entries.len() == 1 {
                assert!(repeats.learn(entry, &signed(&claims)));
                repeats.set_kind(entry, kind.unwrap());
                assert!(repeats.known(entry).is_some());
            } else {
                learn(&mut repeats, entry);
                assert!(repeats.known(entry).is_none());
                let mut claims = Claims::none();
                let recalled = recall(&repeats, entry, &mut claims).unwrap();
                assert!(recalled.verdict.reasons.contains(Reason::SignatureMismatch));
                assert!(recalled.claims.is_none() && recalled.verdict.key.is_none());
            }
        }
        assert_eq!(entries, [0, 0]);
    }

    #[test]
    fn short_dates_are_the_same_dates_again() {
        let most = i64::from(u32::MAX);
        let dates = [-1, 0, 1, 1_790_000_000, most - 1, most, most + 1].map(NumericDate::Int);
        let others = [NumericDate::Float(5.0), NumericDate::Uint(1 << 63)];
        let all: Vec<_> = (dates.into_iter().chain(others).map(Member::Is))
            .chain([Member::Absent, Member::WrongType])
            .collect();
        let mut short = 0;
        for exp in &all {
            for nbf in &all {
                for iat in &all {
                    let dates = Dates {
                        exp: *exp,
                        nbf: *nbf,
                        iat: *iat,
                    };
                    if let Some(it) = ShortDates::of(&dates) {
                        short += 1;
                        assert_eq!(it.dates(), dates);
                    }
                }
            }
        }
        assert_eq!(short, 5 * 5 * 5);
    }

    #[test]
    fn tokens_whose_ends_are_alike_are_told_apart() {
        let mut repeats = Repeats::new(1 << 20);
        let one = b"header.payload-one-of-those-that-end-alike.signature-that-is-the-same-of-all"
            .to_vec();
        repeats.begin_block(false);
        for at in 0..one.len() {
            let mut other = one.clone();
            other[at] ^= 1;
            repeats.attention = Attention::new();
            repeats.begin_block(false);
            let mut remembered = false;
            for _ in 0..2 {
                if let Sighting::New(entry) = see(&mut repeats, &other, 0) {
                    learn(&mut repeats, entry);
                    remembered = true;
                }
            }
            assert!(remembered, "{at}");
            assert!(
                !matches!(see(&mut repeats, &one, 0), Sighting::Again(_)),
                "{at}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_a_place_in_use_is_not_given_away() {
        let budget = 64 << 10;
        let mut repeats = Repeats::new(budget);
        let (mut kept, mut forgotten) = (0, 0);
        for block in 0..40 {
            repeats.attention = Attention::new();
            repeats.begin_block(false);
            let mut new = Vec::new();
            for number in 0..1000 {
                let mut token = token(block * 1000 + number);
                let padding = usize::try_from(number * 3).unwrap();
                token.splice(..0, b"p".repeat(padding));
                for _ in 0..2 {
                    if let Sighting::New(entry) = see_signed(&mut repeats, &token, 0, block < 20) {
                        new.push((entry, token.clone()));
                    }
                }
            }
            for (entry, token) in &new {
                assert!(repeats.entries[*entry as usize].is_of(token));
            }
            for (number, (entry, _)) in new.iter().enumerate() {
                let text = "x".repeat(number * 37 % (MOST_TEXT + 100));
                let claims = Claims {
                    sub: Member::Is(&*text),
                    jti: Member::Is(&text[text.len() / 2..]),
                    ..Claims::none()
                };
                repeats.learn(*entry, &signed(&claims));
                match recall(&repeats, *entry, &mut Claims::none()) {
                    Some(judged) => {
                        assert!(judged.verdict.is_valid());
                        assert_eq!(judged.claims, Some(&claims));
                        kept += 1;
                    }
                    None => forgotten += 1,
                }
            }
            let numbers = 0..u32::try_from(repeats.entries.len()).unwrap();
            let entries: usize = numbers.map(|number| repeats.bytes(number)).sum();
            let bytes = entries + size_of_val(&*repeats.sets);
            assert_eq!(bytes, repeats.used);
            assert!(bytes <= budget, "{bytes}");
            assert!(repeats.entries.capacity() <= repeats.sets.len() * WAYS);
            let places = repeats.sets.iter().flat_map(|set| set.places);
            let mut placed: Vec<u32> = places.filter_map(Place::entry).collect();
            placed.extend(&repeats.spare);
            placed.sort_unstable();
            let all: Vec<u32> = (0..u32::try_from(repeats.entries.len()).unwrap()).collect();
            assert!(placed == all, "an entry has one slot, or is spare");
        }
        assert!(repeats.entries.len() > 20);
        assert!(kept > 100 && forgotten > 100, "{kept} {forgotten}");
    }

    #[test]
    fn what_takes_too_much_is_forgotten_and_its_slot_is_free() {
        let mut repeats = Repeats::new(1 << 20);
        let long = "x".repeat(MOST_TEXT + 1);
        let claims = Claims {
            iss: Member::Is(&*long),
            ..Claims::none()
        };
        repeats.begin_block(false);
        let Sighting::New(entry) = see_twice(&mut repeats, &token(1)) else {
            panic!("there is room");
        };
        assert!(is_pending(&see(&mut repeats, &token(1), 5), 0));
        // Both lines of the block are judged, one after the other.
        for _ in 0..2 {
            repeats.learn(entry, &signed(&claims));
            assert!(!repeats.is_known(entry));
            assert_eq!(repeats.spare, [entry]);
        }
        assert!(matches!(see(&mut repeats, &token(1), 0), Sighting::Unknown));
        // A payload that could not be read has no claims to keep.
        let Sighting::New(entry) = see(&mut repeats, &token(1), 0) else {
            panic!("there is room");
        };
        let mut unread = signed(&claims).with(Reason::PayloadJson);
        unread.claims = None;
        repeats.learn(entry, &unread);
        let mut claims = Claims::none();
        let recalled = recall(&repeats, entry, &mut claims).expect("it is known");
        assert_eq!(recalled.verdict, unread.verdict);
        assert!(recalled.claims.is_none());
        assert!(is_known(&see(&mut repeats, &token(1), 0), entry));
    }

    #[test]
    fn a_token_signed_by_a_private_key_is_remembered_at_once() {
        let mut repeats = Repeats::new(1 << 20);
        let long = [&[b'x'; 7000][..], &token(1)].concat();
        let too_long = [&[b'x'; 20_000][..], &token(1)].concat();
        repeats.begin_block(false);
        for token in [token(2), long] {
            let Sighting::New(entry) = see_signed(&mut repeats, &token, 0, false) else {
                panic!("there is room");
            };
            learn(&mut repeats, entry);
            let again = see_signed(&mut repeats, &token, 1, false);
            assert!(is_known(&again, entry));
        }
        for _ in 0..3 {
            let sighting = see_signed(&mut repeats, &too_long, 0, false);
            assert!(matches!(sighting, Sighting::Unknown));
        }
    }

    #[test]
    fn with_little_memory_or_none_nothing_breaks() {
        for budget in [0, 1, 100, 1000, 4096, 5000, 10_000] {
            let mut repeats = Repeats::new(budget);
            for block in 0..10 {
                repeats.attention = Attention::new();
                repeats.begin_block(false);
                for number in 0..100 {
                    let is_mac = block < 5;
                    if let Sighting::New(entry) =
                        see_signed(&mut repeats, &token(number % 10), 0, is_mac)
                    {
                        learn(&mut repeats, entry);
                    }
                }
            }
            let table = size_of_val(&*repeats.sets);
            assert!(repeats.used <= budget.max(table), "{budget}");
        }
    }

    #[test]
    fn a_slot_goes_to_tokens_that_come_again_and_not_to_those_that_did_not_for_long() {
        let mut repeats = Repeats::new(1 << 20);
        // Tokens of one set, by trying.
        let sets = repeats.sets.len();
        let set = Hash::of(&token(0), sets).set;
        let ours = |number: &u64| Hash::of(&token(*number), sets).set == set;
        let numbers: Vec<u64> = (0..).filter(ours).take(WAYS + 2).collect();
        let (old, young) = numbers.split_at(WAYS);
        repeats.begin_block(false);
        for number in old {
            let Sighting::New(entry) = see_twice(&mut repeats, &token(*number)) else {
                panic!("there is a slot for each");
            };
            learn(&mut repeats, entry);
        }
        // No slot is taken from a token of this block.
        for _ in 0..3 {
            assert!(matches!(
                see(&mut repeats, &token(young[0]), 0),
                Sighting::Unknown
            ));
        }
        repeats.begin_block(false);
        // One of them does not come again, and makes room.
        for number in &old[1..] {
            assert!(matches!(
                see(&mut repeats, &token(*number), 0),
                Sighting::Again(_)
            ));
        }
        repeats.begin_block(false);
        assert!(matches!(
            see_twice(&mut repeats, &token(young[0])),
            Sighting::New(_)
        ));
        for number in &old[1..] {
            assert!(matches!(
                see(&mut repeats, &token(*number), 0),
                Sighting::Again(_)
            ));
        }
        assert!(matches!(
            see(&mut repeats, &token(old[0]), 0),
            Sighting::Unknown
        ));
    }

    #[test]
    fn it_rests_while_nothing_repeats_and_wakes_when_something_does() {
        let mut repeats = Repeats::new(8 << 20);
        let mut number = 0;
        let mut looked_at = |repeats: &mut Repeats, distinct: u64, times: u64, blocks: u64| {
            let mut looked = 0;
            for _ in 0..blocks {
                repeats.begin_block(false);
                looked += u64::from(repeats.is_looking);
                for _ in 0..100 {
                    number += 1;
                    let token = token((times << 40) + number / times % distinct);
                    if let Sighting::New(entry) = see(repeats, &token, 0) {
                        learn(repeats, entry);
                    }
                }
            }
            looked
        };
        assert!(looked_at(&mut repeats, u64::MAX, 1, 10_000) < 100);
        assert!(repeats.entries.is_empty(), "what comes once is not stored");
        // Each token twice: remembering it the second time gains nothing.
        let twice = looked_at(&mut repeats, u64::MAX, 2, 10_000);
        assert!(twice < 1000, "{twice}");
        // It may be resting, and in the look after that see nothing that it saw before.
        let again = looked_at(&mut repeats, 100, 1, 2000);
        assert!(again > 2000 - 3 * 256, "{again}");
    }

    #[test]
    fn the_slots_of_a_tag_are_those_that_have_it() {
        let tags = [0, 1, 2, 0x7fff, 0x8000, 0x8001, 0xfffe, u16::MAX];
        for around in tags {
            for tag in tags {
                for mask in 0..1_u32 << WAYS {
                    let mut set = Set::default();
                    let has = |way: usize| mask >> way & 1 == 1;
                    for way in 0..WAYS {
                        set.tags[way] = if has(way) { tag } else { around };
                    }
                    let mut ways: Vec<_> = set.ways(tag).collect();
                    ways.sort_unstable();
                    let is_one = |way: &usize| has(*way) || around == tag;
                    assert_eq!(ways, (0..WAYS).filter(is_one).collect::<Vec<_>>());
                }
            }
        }
    }
}
