//! Tokens that come again: logs repeat them, and what was found of a token need not be found twice.
//!
//! [`Repeats`] remembers tokens by all of their bytes, with what their signature and their payload
//! came to. It holds nothing that depends on the instant: claims are judged anew each time, so a
//! token that is remembered is told of in the same row and the same counts as one that is not.
//!
//! A token with a MAC that is seen for the first time is noted in four bytes of a hash; one that was
//! noted before is remembered. So a stream of tokens that all differ stores none of them. (A
//! doorkeeper, as in Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission
//! Policy", 2017.) One that is signed by a private key is remembered at once: to verify it a second
//! time costs a hundred times what it costs to remember it in vain. The memory is bounded in bytes,
//! and a stream that does not repeat is soon left alone but for a look now and then.

use std::hint::black_box;

use super::AHEAD;
use super::attention::Attention;
use crate::signature::Proof;
use crate::time::NumericDate;
use crate::token::{Audience, Claims, Member};
use crate::verdict::Reason;

/// Slots of a set: how many tokens whose ends hash alike are noted or remembered.
const WAYS: usize = 8;
/// How many sets there may be, each a line of the cache.
const SETS: std::ops::RangeInclusive<usize> = 64..=1 << 16;
/// So many bytes of memory have a slot, somewhat more slots than there is room for tokens of usual
/// length.
const BYTES_OF_SLOT: usize = 512;
/// Tokens that are shorter or longer are not remembered: the ends of the former are no hash, and
/// one of the latter would take the place of many. ML-DSA-87 makes tokens of some 6,500 bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=16 << 10;
/// The most bytes of claims that are remembered of a token.
const MOST_TEXT: usize = 1024;

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

/// A signature that is pending unless its token is known.
#[derive(Clone, Copy)]
pub(super) struct Signature {
    /// Its number among those of the block.
    pub(super) number: usize,
    /// Whether it is a MAC, which is cheap to verify.
    pub(super) is_mac: bool,
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
    /// The characters of a signature are a hash already, and cheap to take. `sets` is how many there
    /// are, a power of two.
    #[inline]
    fn of(token: &[u8], sets: usize) -> Self {
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let hash = (end ^ token.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [.., a, b, c, d] = hash.to_le_bytes();
        let tag = u32::from_le_bytes([a, b, c, d]);
        Self {
            set: (tag >> 8) as usize & (sets - 1),
            tag: tag.max(1),
        }
    }
}

/// The memory of one worker.
pub(super) struct Repeats {
    /// As many as there are slots, at most.
    entries: Vec<Entry>,
    /// Entries that remember nothing.
    spare: Vec<u32>,
    sets: Vec<Set>,
    /// Bytes that sets and entries take, and how many they may.
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
        let sets = match budget {
            0 => 0,
            _ => (budget / BYTES_OF_SLOT / WAYS)
                .next_power_of_two()
                .clamp(*SETS.start(), *SETS.end()),
        };
        Self {
            entries: Vec::new(),
            spare: Vec::new(),
            sets: vec![Set::default(); sets],
            used: sets * size_of::<Set>(),
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
            sought.hash = Hash::of(token, self.sets.len());
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

    /// Looks for a token that was looked ahead at. One that is to be remembered is so as the
    /// `pending`-th signature of the block, of the algorithm's kind.
    #[inline]
    pub(super) fn see(&mut self, token: &[u8], sought: &Sought, pending: Signature) -> Sighting {
        if !self.is_looking || !LENGTHS.contains(&token.len()) {
            return Sighting::Unknown;
        }
        self.attention.look();
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
        pending: Signature,
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
            self.attention.hit(pending.is_mac);
            Sighting::Known(number)
        } else if entry.block == self.block {
            self.attention.hit(pending.is_mac);
            Sighting::Pending(number, entry.pending)
        } else {
            // Its block came to no end. It is new.
            (entry.block, entry.pending) = (self.block, pending.number);
            Sighting::New(number)
        })
    }

    /// Looks for a token in all slots of its set, and notes or remembers it if it is in none.
    #[inline(never)]
    fn search(&mut self, token: &[u8], hash: Hash, pending: Signature) -> Sighting {
        let Hash { set, tag } = hash;
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
        let remembered = match noted {
            Some(way) => {
                self.attention.see_again();
                self.remember(token, hash, way, pending.number)
            }
            None => self.free_way(hash).and_then(|way| {
                self.sets[set].tags[way] = tag;
                self.sets[set].places[way] = Place::NOTED;
                match pending.is_mac {
                    true => None,
                    false => self.remember(token, hash, way, pending.number),
                }
            }),
        };
        remembered.map_or(Sighting::Unknown, Sighting::New)
    }

    /// Remembers a token that was noted in this slot, if there is room.
    fn remember(&mut self, token: &[u8], hash: Hash, way: usize, pending: usize) -> Option<u32> {
        self.attention.store();
        let number = self.make_room(hash.set, token.len())?;
        self.sets[hash.set].places[way] = Place::of(number);
        let entry = &mut self.entries[number as usize];
        self.used -= entry.bytes();
        (entry.known, entry.block, entry.pending) = (None, self.block, pending);
        entry.token.clear();
        entry.token.extend_from_slice(token);
        self.used += entry.bytes();
        Some(number)
    }

    /// A slot that has nothing or a note of another token; where all have more than that, the slot
    /// of one that did not come again for a while.
    fn free_way(&mut self, Hash { set, tag }: Hash) -> Option<usize> {
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
        let most = self.sets.len() * WAYS;
        if self.used + size_of::<Entry>() + len <= self.budget && self.entries.len() < most {
            if self.entries.is_empty() {
                // At once, since a vector that grows takes up to three times what is in it. What is
                // not in use is memory that was promised and not given.
                self.entries.reserve_exact(most);
            }
            let number = u32::try_from(self.entries.len()).ok()?;
            self.entries.push(Entry::default());
            self.used += size_of::<Entry>();
            return Some(number);
        }
        let (_, number) = self.give_up(set)?;
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
    /// One that takes too much is forgotten.
    pub(super) fn learn(
        &mut self,
        number: u32,
        known: Known,
        claims: &Claims<'_>,
        expected_audiences: &[String],
    ) {
        let entry = &mut self.entries[number as usize];
        if entry.token.is_empty() {
            // An earlier line of the block was the same token, and took too much.
            return;
        }
        self.used -= entry.bytes();
        let is_kept = known.proof.is_err()
            || known.payload.is_err()
            || entry.claims.write(claims, expected_audiences);
        entry.known = Some(known);
        self.used += entry.bytes();
        if !is_kept || self.used > self.budget {
            let Hash { set, tag } = Hash::of(&entry.token, self.sets.len());
            for way in self.sets[set].ways(tag) {
                if self.sets[set].places[way].entry() == Some(number) {
                    self.sets[set].tags[way] = 0;
                    self.sets[set].places[way] = Place::EMPTY;
                }
            }
            self.forget(number);
        }
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

    /// What is known of a token that its key signed.
    fn valid() -> Known {
        Known {
            proof: Ok(Proof::claimed_by_a_test()),
            payload: Ok(()),
        }
    }

    /// Looks for one token, which has a MAC or not.
    fn see_signed(repeats: &mut Repeats, token: &[u8], number: usize, is_mac: bool) -> Sighting {
        let [sought, ..] = repeats.look_ahead(std::iter::once(token));
        repeats.see(token, &sought, Signature { number, is_mac })
    }

    /// Looks for one token with a MAC.
    fn see(repeats: &mut Repeats, token: &[u8], number: usize) -> Sighting {
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
        let (mut kept, mut forgotten) = (0, 0);
        for block in 0..40 {
            repeats.attention = Attention::new();
            repeats.begin_block();
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
                assert!(repeats.entries[*entry as usize].token == *token);
            }
            for (number, (entry, _)) in new.iter().enumerate() {
                let text = "x".repeat(number * 37 % (MOST_TEXT + 100));
                let claims = Claims {
                    sub: Member::Is(&*text),
                    jti: Member::Is(&text[text.len() / 2..]),
                    ..Claims::none()
                };
                repeats.learn(*entry, valid(), &claims, &[]);
                match repeats.known(*entry) {
                    Some(_) => {
                        assert_eq!(repeats.claims(*entry), claims);
                        kept += 1;
                    }
                    None => forgotten += 1,
                }
            }
            let entries: usize = repeats.entries.iter().map(Entry::bytes).sum();
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
        repeats.begin_block();
        let Sighting::New(entry) = see_twice(&mut repeats, &token(1)) else {
            panic!("there is room");
        };
        assert!(matches!(see(&mut repeats, &token(1), 5), Sighting::Pending(e, _) if e == entry));
        // Both lines of the block are judged, one after the other.
        for _ in 0..2 {
            repeats.learn(entry, valid(), &claims, &[]);
            assert!(repeats.known(entry).is_none());
            assert_eq!(repeats.spare, [entry]);
        }
        assert!(matches!(see(&mut repeats, &token(1), 0), Sighting::Unknown));
        // A payload that could not be read has no claims to keep.
        let Sighting::New(entry) = see(&mut repeats, &token(1), 0) else {
            panic!("there is room");
        };
        let payload = Err(Reason::PayloadJson);
        repeats.learn(entry, Known { payload, ..valid() }, &claims, &[]);
        assert!(matches!(see(&mut repeats, &token(1), 0), Sighting::Known(e) if e == entry));
    }

    #[test]
    fn a_token_signed_by_a_private_key_is_remembered_at_once() {
        let mut repeats = Repeats::new(1 << 20);
        let long = [&[b'x'; 7000][..], &token(1)].concat();
        let too_long = [&[b'x'; 20_000][..], &token(1)].concat();
        repeats.begin_block();
        for token in [token(2), long] {
            let Sighting::New(entry) = see_signed(&mut repeats, &token, 0, false) else {
                panic!("there is room");
            };
            learn(&mut repeats, entry);
            let again = see_signed(&mut repeats, &token, 1, false);
            assert!(matches!(again, Sighting::Known(e) if e == entry));
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
                repeats.begin_block();
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
        // It may be resting, and in the look after that see nothing that it saw before.
        let again = looked_at(&mut repeats, 100, 1, 2000);
        assert!(again > 2000 - 3 * 256, "{again}");
    }
}
