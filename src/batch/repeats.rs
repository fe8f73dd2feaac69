//! Tokens that come again: logs repeat them, and what was found of a token need not be found twice.
//!
//! [`Repeats`] remembers tokens by all of their bytes, with what their signature and their payload
//! came to. It holds nothing that depends on the instant: claims are judged anew each time, so a
//! token that is remembered is told of in the same row and the same counts as one that is not.
//!
//! A token that is seen for the first time is noted in four bytes of a hash; one that was noted
//! before is remembered. So a stream of tokens that all differ stores none of them. (A doorkeeper,
//! as in Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", 2017.)
//! The memory is bounded in bytes, and a stream that does not repeat is soon left alone but for a
//! look now and then.

use std::hint::black_box;

use super::AHEAD;
use crate::signature::Proof;
use crate::time::NumericDate;
use crate::token::{Audience, Claims, Member};
use crate::verdict::Reason;

/// Slots of a set: how many tokens whose ends hash alike are noted or remembered.
const WAYS: usize = 8;
/// How many sets there are; a power of two. With their ways, somewhat more slots than the memory
/// has room for tokens of usual length.
const SETS: usize = 4096;
/// Tokens that are shorter or longer are not remembered: the ends of the former are no hash, and
/// one of the latter would take the place of many.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=4096;
/// The most bytes of claims that are remembered of a token.
const MOST_TEXT: usize = 1024;
/// Over how many blocks the share of tokens that come again is taken.
const WINDOW: u32 = 16;
/// For how many blocks a stream is looked at, at its beginning, to see whether it repeats.
const FIRST_PROBE: u32 = 4;
/// The longest time without a look, in blocks.
const LONGEST_REST: u32 = 256;

/// What a signature and a payload came to.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// Whose signature it is, or why it is no one's.
    pub(super) proof: Result<Proof, Reason>,
    /// Whether the payload could be read, or why not.
    pub(super) payload: Result<(), Reason>,
}

impl Known {
    /// No one's signature.
    pub(super) const fn unsigned(reason: Reason) -> Self {
        Self {
            proof: Err(reason),
            payload: Ok(()),
        }
    }
}

/// Whether a token was seen before.
pub(super) enum Sighting {
    /// Yes, in an earlier block: what is known is in this entry.
    Known(u32),
    /// Yes, in this block: its signature is the one of this number among those pending.
    Pending(u32, usize),
    /// No; it is remembered in this entry from now on.
    New(u32),
    /// It was not looked for.
    Unknown,
}

/// A token, and what was found of it.
#[derive(Default)]
struct Entry {
    token: Vec<u8>,
    /// The block that it occurred in last, in which its place is not given away.
    block: u64,
    /// Its number among the signatures that are pending in that block, if it was new there.
    pending: usize,
    known: Option<Known>,
    claims: StoredClaims,
}

/// Claims that own their strings, each of them in a buffer of its own: whoever does not ask for a
/// string does not wait for the memory that it lies in.
#[derive(Default)]
struct StoredClaims {
    iss: Member<String>,
    sub: Member<String>,
    jti: Member<String>,
    aud: Member<bool>,
    exp: Member<NumericDate>,
    nbf: Member<NumericDate>,
    iat: Member<NumericDate>,
    extra: u64,
}

/// Tokens whose ends hash alike, in a line of the cache.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set {
    /// A part of each one's hash, 0 where there is none: other tokens of the set need not be looked
    /// at.
    tags: [u32; WAYS],
    places: [Place; WAYS],
}

/// What a slot has: nothing, a token that was noted, or one that is remembered, with whether it was
/// found again since that was asked last.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Place(u32);

impl Place {
    const EMPTY: Self = Self(0);
    const NOTED: Self = Self(1);

    /// The place of an entry. There are fewer than 2^30: each takes a hundred bytes and more.
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
    fn ways(&self, tag: u32) -> impl Iterator<Item = usize> + use<> {
        let mut bits = (self.tags.iter().enumerate()).fold(0_u32, |bits, (way, other)| {
            bits | u32::from(*other == tag) << way
        });
        std::iter::from_fn(move || {
            let way = bits.trailing_zeros() as usize;
            bits &= bits.wrapping_sub(1);
            (way < WAYS).then_some(way)
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
    set: usize,
    /// Not 0.
    tag: u32,
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
    /// The characters of a signature are a hash already, and cheap to take.
    #[inline]
    fn of(token: &[u8]) -> Self {
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let hash = (end ^ token.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [.., a, b, c, d] = hash.to_le_bytes();
        let tag = u32::from_le_bytes([a, b, c, d]);
        Self {
            set: (tag >> 8) as usize % SETS,
            tag: tag.max(1),
        }
    }
}

/// The memory of one worker.
pub(super) struct Repeats {
    entries: Vec<Entry>,
    /// Entries that remember nothing.
    spare: Vec<u32>,
    sets: Vec<Set>,
    /// Bytes that entries take, and how many they may.
    used: usize,
    budget: usize,
    /// The number of the block.
    block: u64,
    is_looking: bool,
    attention: Attention,
}

impl Repeats {
    /// A memory of about `budget` bytes; with 0 it remembers nothing.
    pub(super) fn new(budget: usize) -> Self {
        let sets = if budget == 0 { 0 } else { SETS };
        Self {
            entries: Vec::new(),
            spare: Vec::new(),
            sets: vec![Set::default(); sets],
            used: 0,
            budget,
            block: 0,
            is_looking: false,
            attention: Attention::new(),
        }
    }

    /// Begins a block, and decides whether it is looked at.
    pub(super) fn begin_block(&mut self) {
        self.block += 1;
        self.is_looking = self.budget > 0 && self.attention.next_block();
    }

    /// Looks ahead at tokens that are to be looked for, at most [`AHEAD`] of them, and touches what
    /// [`see`](Self::see) needs of each.
    pub(super) fn look_ahead<'t>(&self, tokens: impl Iterator<Item = &'t [u8]>) -> [Sought; AHEAD] {
        let mut all = [Sought::default(); AHEAD];
        if !self.is_looking {
            return all;
        }
        for (token, sought) in tokens.zip(&mut all) {
            sought.hash = Hash::of(token);
            let set = &self.sets[sought.hash.set];
            for way in set.ways(sought.hash.tag) {
                (sought.way, sought.entry) = (way, set.places[way].entry());
            }
        }
        let entries = || {
            let numbers = all.iter().filter_map(|sought| sought.entry);
            numbers.map(|number| &self.entries[number as usize])
        };
        let ends = entries().map(|entry| entry.block ^ entry.claims.extra);
        black_box(ends.fold(0, |all, end| all ^ end));
        let lines = entries().flat_map(|entry| entry.token.iter().step_by(64));
        black_box(lines.fold(0, |all, byte| all ^ byte));
        all
    }

    /// Looks for a token that was looked ahead at. One that was noted before is remembered, as the
    /// `pending`-th signature of the block.
    #[inline]
    pub(super) fn see(&mut self, token: &[u8], sought: &Sought, pending: usize) -> Sighting {
        if !self.is_looking || !LENGTHS.contains(&token.len()) {
            return Sighting::Unknown;
        }
        self.attention.looked += 1;
        if let Some(number) = sought.entry
            && let Some(sighting) =
                self.compare(token, sought.hash.set, sought.way, number, pending)
        {
            return sighting;
        }
        self.search(token, sought.hash, pending)
    }

    /// A token that is the one of an entry, in this slot.
    #[inline(always)]
    fn compare(
        &mut self,
        token: &[u8],
        set: usize,
        way: usize,
        number: u32,
        pending: usize,
    ) -> Option<Sighting> {
        let entry = &mut self.entries[number as usize];
        // A hit is a comparison in full.
        if entry.token != token {
            return None;
        }
        let place = &mut self.sets[set].places[way];
        if place.entry() != Some(number) {
            // Another token has the slot by now.
            return None;
        }
        *place = place.found(true);
        Some(if entry.known.is_some() {
            entry.block = self.block;
            self.attention.hits += 1;
            Sighting::Known(number)
        } else if entry.block == self.block {
            self.attention.hits += 1;
            Sighting::Pending(number, entry.pending)
        } else {
            // Its block came to no end. It is new.
            (entry.block, entry.pending) = (self.block, pending);
            Sighting::New(number)
        })
    }

    /// Looks for a token in all slots of its set, and notes or remembers it if it is in none.
    #[inline(never)]
    fn search(&mut self, token: &[u8], Hash { set, tag }: Hash, pending: usize) -> Sighting {
        let mut noted = None;
        for way in self.sets[set].ways(tag) {
            match self.sets[set].places[way].entry() {
                None => noted = Some(way),
                Some(number) => {
                    if let Some(sighting) = self.compare(token, set, way, number, pending) {
                        return sighting;
                    }
                }
            }
        }
        let Some(way) = noted else {
            self.note(set, tag);
            return Sighting::Unknown;
        };
        self.attention.stored += 1;
        match self.make_room(set, token.len()) {
            Some(number) => {
                self.sets[set].places[way] = Place::of(number);
                let entry = &mut self.entries[number as usize];
                self.used -= entry.bytes();
                (entry.known, entry.block, entry.pending) = (None, self.block, pending);
                entry.token.clear();
                entry.token.extend_from_slice(token);
                self.used += entry.bytes();
                Sighting::New(number)
            }
            None => Sighting::Unknown,
        }
    }

    /// Notes that a token was seen, in a slot that has nothing or a note of another one; where all
    /// have more than that, in the slot of one that did not come again for a while.
    fn note(&mut self, set: usize, tag: u32) {
        let places = &self.sets[set].places;
        let has = |wanted| places.iter().position(|place| *place == wanted);
        let way = has(Place::EMPTY).or_else(|| has(Place::NOTED)).or_else(|| {
            let (way, number) = self.give_up(set)?;
            self.forget(number);
            Some(way)
        });
        if let Some(way) = way {
            self.sets[set].tags[way] = tag;
            self.sets[set].places[way] = Place::NOTED;
        }
    }

    /// A slot of the set to give up, and its entry; none where that occurs in this block.
    fn give_up(&mut self, set: usize) -> Option<(usize, u32)> {
        let way = self.sets[set].least_used()?;
        let number = self.sets[set].places[way].entry()?;
        (self.entries[number as usize].block != self.block).then_some((way, number))
    }

    /// Empties an entry that has no slot any more.
    fn forget(&mut self, number: u32) {
        let entry = &mut self.entries[number as usize];
        self.used -= entry.bytes();
        *entry = Entry::default();
        self.used += entry.bytes();
        self.spare.push(number);
    }

    /// An entry for a token of `len` bytes: an empty one while there is room, else that of another
    /// token of the set.
    fn make_room(&mut self, set: usize, len: usize) -> Option<u32> {
        if self.used + len <= self.budget
            && let Some(number) = self.spare.pop()
        {
            return Some(number);
        }
        if self.used + size_of::<Entry>() + len <= self.budget {
            let number = u32::try_from(self.entries.len()).ok()?;
            self.entries.push(Entry::default());
            self.used += size_of::<Entry>();
            return Some(number);
        }
        let (way, number) = self.give_up(set)?;
        self.sets[set].tags[way] = 0;
        self.sets[set].places[way] = Place::EMPTY;
        // Its buffers serve again, unless they are too large or too small.
        let buffer = self.entries[number as usize].token.capacity();
        if (len..=2 * len).contains(&buffer) {
            return Some(number);
        }
        self.forget(number);
        if self.used + len > self.budget {
            return None;
        }
        self.spare.pop()
    }

    /// What is known of an entry.
    #[inline]
    pub(super) fn known(&self, number: u32) -> Option<Known> {
        self.entries[number as usize].known
    }

    /// The claims of an entry whose payload could be read.
    #[inline]
    pub(super) fn claims(&self, number: u32) -> Claims<'_> {
        self.entries[number as usize].claims.read()
    }

    /// Remembers what was found of a token that is new: `claims` where its payload could be read.
    pub(super) fn learn(
        &mut self,
        number: u32,
        known: Known,
        claims: &Claims<'_>,
        expected_audiences: &[String],
    ) {
        let entry = &mut self.entries[number as usize];
        self.used -= entry.bytes();
        let is_kept = known.proof.is_err()
            || known.payload.is_err()
            || entry.claims.write(claims, expected_audiences);
        entry.known = is_kept.then_some(known);
        if self.used + entry.bytes() > self.budget {
            *entry = Entry::default();
        }
        self.used += entry.bytes();
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.token.capacity() + self.claims.bytes()
    }
}

impl StoredClaims {
    /// Copies claims, unless their strings are too long to be kept.
    fn write(&mut self, claims: &Claims<'_>, expected_audiences: &[String]) -> bool {
        let strings = [claims.iss, claims.sub, claims.jti];
        let length = strings.iter().filter_map(|it| it.value()).map(str::len);
        if length.sum::<usize>() > MOST_TEXT {
            return false;
        }
        for (own, string) in [&mut self.iss, &mut self.sub, &mut self.jti]
            .into_iter()
            .zip(strings)
        {
            match (own, string) {
                (Member::Is(own), Member::Is(string)) => {
                    own.clear();
                    own.push_str(string);
                }
                (own, string) => *own = string.map(str::to_owned),
            }
        }
        self.aud = claims.aud.map(|aud| aud.is_expected(expected_audiences));
        (self.exp, self.nbf, self.iat) = (claims.exp, claims.nbf, claims.iat);
        self.extra = claims.extra;
        true
    }

    #[inline]
    fn read(&self) -> Claims<'_> {
        Claims {
            iss: self.iss.as_deref(),
            sub: self.sub.as_deref(),
            aud: self.aud.map(Audience::Known),
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
            jti: self.jti.as_deref(),
            extra: self.extra,
        }
    }

    /// The bytes of its strings' buffers.
    fn bytes(&self) -> usize {
        [&self.iss, &self.sub, &self.jti]
            .into_iter()
            .map(|string| match string {
                Member::Is(string) => string.capacity(),
                Member::Absent | Member::WrongType => 0,
            })
            .sum()
    }
}

/// Whether it pays to look for tokens that come again.
struct Attention {
    state: State,
    /// For how many blocks to rest the next time that it does not pay.
    next_rest: u32,
    /// Since the state began: how many tokens were looked for, how many of them were remembered
    /// then because they had been noted before, and how many were found.
    looked: u32,
    stored: u32,
    hits: u32,
}

enum State {
    /// Looks, to see whether a closer look is worth it; so many blocks are left.
    Probing(u32),
    /// Looks at every block; so many are left until it is asked whether that pays.
    Looking(u32),
    /// Looks at nothing for so many blocks.
    Resting(u32),
}

impl Attention {
    const fn new() -> Self {
        Self {
            state: State::Probing(FIRST_PROBE),
            next_rest: WINDOW,
            looked: 0,
            stored: 0,
            hits: 0,
        }
    }

    /// Whether to look at the next block.
    fn next_block(&mut self) -> bool {
        let (is_sign, pays) = (self.is_sign(), self.pays());
        match &mut self.state {
            State::Probing(0) if is_sign => self.begin(State::Looking(WINDOW - 1)),
            State::Looking(0) if pays => {
                self.next_rest = WINDOW;
                self.begin(State::Looking(WINDOW - 1))
            }
            State::Probing(0) | State::Looking(0) => {
                let rest = self.next_rest;
                self.next_rest = (2 * rest).min(LONGEST_REST);
                self.begin(State::Resting(rest - 1))
            }
            State::Resting(0) => self.begin(State::Probing(0)),
            State::Probing(left) | State::Looking(left) => {
                *left -= 1;
                true
            }
            State::Resting(left) => {
                *left -= 1;
                false
            }
        }
    }

    /// In a probe most tokens had no chance to be seen before, and one in fifty is a sign.
    const fn is_sign(&self) -> bool {
        let again = self.stored + self.hits;
        again > 0 && again >= self.looked / 50
    }

    /// A hit saves about twice what it costs to remember a token, and a dozen times what a look
    /// costs.
    const fn pays(&self) -> bool {
        self.hits >= self.stored / 2 + self.looked / 12
    }

    fn begin(&mut self, state: State) -> bool {
        self.state = state;
        (self.looked, self.stored, self.hits) = (0, 0, 0);
        !matches!(self.state, State::Resting(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(number: u64) -> Vec<u8> {
        format!("header.payload-{number:030}.signature-{number:030}").into_bytes()
    }

    fn learn(repeats: &mut Repeats, number: u32) {
        let forged = Known::unsigned(Reason::SignatureMismatch);
        repeats.learn(number, forged, &Claims::none(), &[]);
    }

    /// Looks for one token.
    fn see(repeats: &mut Repeats, token: &[u8], pending: usize) -> Sighting {
        let [sought, ..] = repeats.look_ahead(std::iter::once(token));
        repeats.see(token, &sought, pending)
    }

    /// Sees a token twice, so that it is remembered if there is room.
    fn see_twice(repeats: &mut Repeats, token: &[u8]) -> Sighting {
        assert!(matches!(see(repeats, token, 0), Sighting::Unknown));
        see(repeats, token, 0)
    }

    #[test]
    fn a_token_is_noted_then_new_then_pending_then_known() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block();
        assert!(matches!(see(&mut repeats, &token(1), 6), Sighting::Unknown));
        let Sighting::New(entry) = see(&mut repeats, &token(1), 7) else {
            panic!("noted and not remembered before");
        };
        assert!(matches!(see(&mut repeats, &token(1), 9), Sighting::Pending(e, 7) if e == entry));
        learn(&mut repeats, entry);
        repeats.begin_block();
        assert!(matches!(see(&mut repeats, &token(1), 0), Sighting::Known(e) if e == entry));
        assert!(matches!(see(&mut repeats, &token(2), 0), Sighting::Unknown));
        assert!(matches!(see(&mut repeats, &token(2), 0), Sighting::New(_)));
        for _ in 0..3 {
            assert!(matches!(see(&mut repeats, b"a.b.c", 0), Sighting::Unknown));
        }
    }

    #[test]
    fn what_a_block_left_unfinished_is_new_again() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block();
        assert!(matches!(
            see_twice(&mut repeats, &token(1)),
            Sighting::New(_)
        ));
        repeats.begin_block();
        assert!(matches!(see(&mut repeats, &token(1), 4), Sighting::New(_)));
        assert!(matches!(
            see(&mut repeats, &token(1), 5),
            Sighting::Pending(_, 4)
        ));
    }

    #[test]
    fn tokens_whose_ends_are_alike_are_told_apart() {
        let mut repeats = Repeats::new(1 << 20);
        let one = b"header.payload-one.the-same-signature".to_vec();
        repeats.begin_block();
        for at in 0..one.len() {
            let mut other = one.clone();
            other[at] ^= 1;
            repeats.attention = Attention::new();
            repeats.begin_block();
            let mut remembered = false;
            for _ in 0..2 {
                if let Sighting::New(entry) = see(&mut repeats, &other, 0) {
                    learn(&mut repeats, entry);
                    remembered = true;
                }
            }
            assert!(remembered, "{at}");
            assert!(
                !matches!(see(&mut repeats, &one, 0), Sighting::Known(_)),
                "{at}"
            );
        }
    }

    #[test]
    fn memory_is_bounded_and_a_place_in_use_is_not_given_away() {
        let budget = 64 << 10;
        let mut repeats = Repeats::new(budget);
        for block in 0..40 {
            repeats.attention = Attention::new();
            repeats.begin_block();
            let mut new = Vec::new();
            for number in 0..1000 {
                let mut token = token(block * 1000 + number);
                let padding = usize::try_from(number * 3).unwrap();
                token.splice(..0, b"p".repeat(padding));
                for _ in 0..2 {
                    if let Sighting::New(entry) = see(&mut repeats, &token, 0) {
                        new.push((entry, token.clone()));
                    }
                }
            }
            for (entry, token) in &new {
                assert!(repeats.entries[*entry as usize].token == *token);
                learn(&mut repeats, *entry);
            }
            let bytes: usize = repeats.entries.iter().map(Entry::bytes).sum();
            assert_eq!(bytes, repeats.used);
            assert!(bytes <= budget, "{bytes}");
            let places = repeats.sets.iter().flat_map(|set| set.places);
            let mut placed: Vec<u32> = places.filter_map(Place::entry).collect();
            placed.extend(&repeats.spare);
            placed.sort_unstable();
            let all: Vec<u32> = (0..u32::try_from(repeats.entries.len()).unwrap()).collect();
            assert!(placed == all, "an entry has one slot, or is spare");
        }
        assert!(repeats.entries.len() > 20);
    }

    #[test]
    fn a_slot_goes_to_tokens_that_come_again_and_not_to_those_that_did_not_for_long() {
        let mut repeats = Repeats::new(1 << 20);
        // Tokens of one set, by trying.
        let set = Hash::of(&token(0)).set;
        let ours = |number: &u64| Hash::of(&token(*number)).set == set;
        let numbers: Vec<u64> = (0..).filter(ours).take(WAYS + 2).collect();
        let (old, young) = numbers.split_at(WAYS);
        repeats.begin_block();
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
        repeats.begin_block();
        // One of them does not come again, and makes room.
        for number in &old[1..] {
            assert!(matches!(
                see(&mut repeats, &token(*number), 0),
                Sighting::Known(_)
            ));
        }
        repeats.begin_block();
        assert!(matches!(
            see_twice(&mut repeats, &token(young[0])),
            Sighting::New(_)
        ));
        for number in &old[1..] {
            assert!(matches!(
                see(&mut repeats, &token(*number), 0),
                Sighting::Known(_)
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
                repeats.begin_block();
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
        let again = looked_at(&mut repeats, 1000, 1, 2000);
        // It may be resting, and in the look after that see little that it saw before.
        let most = 3 * u64::from(LONGEST_REST);
        assert!(again > 2000 - most, "{again}");
    }
}
