//! Tokens that come again: logs repeat them, and what was found of a token need not be found twice.
//!
//! [`Repeats`] remembers tokens by all of their bytes, with what their signature and their payload
//! came to. It holds nothing that depends on the instant: claims are judged anew each time, so a
//! token that is remembered is told of in the same row and the same counts as one that is not.
//!
//! It is bounded in bytes, and a stream that does not repeat is soon left alone but for a look now
//! and then.

use crate::signature::Proof;
use crate::time::NumericDate;
use crate::token::{Audience, Claims, Member};
use crate::verdict::Reason;

/// Slots of a set: how many tokens whose ends hash alike are remembered.
const WAYS: usize = 4;
/// How many sets there are; a power of two.
const SETS: usize = 4096;
/// Tokens that are shorter or longer are not remembered: the ends of the former are no hash, and
/// one of the latter would take the place of many.
const LENGTHS: std::ops::RangeInclusive<usize> = 32..=4096;
/// The most bytes of claims that are remembered of a token.
const MOST_TEXT: usize = 1024;
/// Over how many blocks the share of tokens that come again is taken.
const WINDOW: u32 = 16;
/// The same at the start: few, so that a stream that does not repeat costs little memory.
const FIRST_WINDOW: u32 = 4;
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

/// Claims that own their strings.
#[derive(Default)]
struct StoredClaims {
    text: String,
    iss: Member<Span>,
    sub: Member<Span>,
    jti: Member<Span>,
    aud: Member<bool>,
    exp: Member<NumericDate>,
    nbf: Member<NumericDate>,
    iat: Member<NumericDate>,
    extra: u64,
}

/// A part of the text of [`StoredClaims`].
#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
}

/// Where an entry is to be found.
#[derive(Clone, Copy, Default)]
struct Slot {
    /// A part of the hash: other entries of the set need not be looked at.
    tag: u32,
    /// 1 + the number of an entry, 0 where there is none.
    taken: u32,
}

/// The memory of one worker.
pub(super) struct Repeats {
    entries: Vec<Entry>,
    slots: Vec<[Slot; WAYS]>,
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
            slots: vec![[Slot::default(); WAYS]; sets],
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

    /// Looks for a token. A new one is remembered as the `pending`-th signature of the block.
    #[inline]
    pub(super) fn see(&mut self, token: &[u8], pending: usize) -> Sighting {
        if !self.is_looking || !LENGTHS.contains(&token.len()) {
            return Sighting::Unknown;
        }
        self.attention.looked += 1;
        // The characters of a signature are a hash already, and cheap to take.
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let hash = (end ^ token.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [.., a, b, c, d] = hash.to_le_bytes();
        let tag = u32::from_le_bytes([a, b, c, d]);
        let set = (tag >> 8) as usize % SETS;
        for slot in self.slots[set] {
            if slot.tag != tag || slot.taken == 0 {
                continue;
            }
            let number = slot.taken - 1;
            let entry = &mut self.entries[number as usize];
            // A hit is a comparison in full.
            if entry.token == token {
                if entry.known.is_some() {
                    entry.block = self.block;
                    self.attention.hits += 1;
                    return Sighting::Known(number);
                }
                if entry.block == self.block {
                    self.attention.hits += 1;
                    return Sighting::Pending(number, entry.pending);
                }
                // Its block came to no end. It is new.
                (entry.block, entry.pending) = (self.block, pending);
                return Sighting::New(number);
            }
        }
        match self.make_room(set, tag, token.len()) {
            Some(number) => {
                let entry = &mut self.entries[number as usize];
                (entry.known, entry.block, entry.pending) = (None, self.block, pending);
                entry.token.clear();
                entry.token.extend_from_slice(token);
                self.used += entry.bytes();
                Sighting::New(number)
            }
            None => Sighting::Unknown,
        }
    }

    /// An entry of the set for a token of `len` bytes, its own bytes not counted as used: a new one
    /// while there is room, else that of the token that was not seen for longest.
    fn make_room(&mut self, set: usize, tag: u32, len: usize) -> Option<u32> {
        let least = size_of::<Entry>() + len;
        let slots = &mut self.slots[set];
        if self.used + least <= self.budget
            && let Some(slot) = slots.iter_mut().find(|slot| slot.taken == 0)
        {
            let taken = u32::try_from(self.entries.len() + 1).ok()?;
            *slot = Slot { tag, taken };
            self.entries.push(Entry::default());
            return Some(taken - 1);
        }
        let slot = slots
            .iter_mut()
            .filter(|slot| slot.taken > 0)
            .min_by_key(|slot| self.entries[slot.taken as usize - 1].block)?;
        let number = slot.taken - 1;
        let entry = &mut self.entries[number as usize];
        if entry.block == self.block {
            return None;
        }
        self.used -= entry.bytes();
        let buffers = entry.bytes() - size_of::<Entry>();
        if buffers > 2 * len || self.used + least.max(entry.bytes()) > self.budget {
            *entry = Entry::default();
        }
        if self.used + least > self.budget {
            // Its place was that of a smaller one, which is forgotten.
            self.used += entry.bytes();
            return None;
        }
        slot.tag = tag;
        Some(number)
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
        size_of::<Self>() + self.token.capacity() + self.claims.text.capacity()
    }
}

impl StoredClaims {
    /// Copies claims, unless their strings are too long to be kept.
    fn write(&mut self, claims: &Claims<'_>, expected_audiences: &[String]) -> bool {
        self.text.clear();
        let strings = [claims.iss, claims.sub, claims.jti];
        let length = strings.iter().filter_map(|it| it.value()).map(str::len);
        if length.sum::<usize>() > MOST_TEXT {
            return false;
        }
        let [iss, sub, jti] = strings.map(|member| {
            member.map(|string| {
                let start = self.text.len();
                self.text.push_str(string);
                let end = self.text.len();
                Span { start, end }
            })
        });
        (self.iss, self.sub, self.jti) = (iss, sub, jti);
        self.aud = claims.aud.map(|aud| aud.is_expected(expected_audiences));
        (self.exp, self.nbf, self.iat) = (claims.exp, claims.nbf, claims.iat);
        self.extra = claims.extra;
        true
    }

    fn read(&self) -> Claims<'_> {
        let string = |span: Span| self.text.get(span.start..span.end).unwrap_or_default();
        Claims {
            iss: self.iss.map(string),
            sub: self.sub.map(string),
            aud: self.aud.map(Audience::Known),
            exp: self.exp,
            nbf: self.nbf,
            iat: self.iat,
            jti: self.jti.map(string),
            extra: self.extra,
        }
    }
}

/// Whether it pays to look for tokens that come again.
struct Attention {
    state: State,
    /// For how many blocks to rest the next time that it does not pay.
    next_rest: u32,
    /// How many tokens were looked for since the state began, and how many were found.
    looked: u32,
    hits: u32,
}

enum State {
    /// Looks at every block; so many are left until it is asked whether that pays.
    Looking(u32),
    /// Looks at one block, to see whether a closer look is worth it.
    Probing,
    /// Looks at nothing for so many blocks.
    Resting(u32),
}

impl Attention {
    const fn new() -> Self {
        Self {
            state: State::Looking(FIRST_WINDOW),
            next_rest: WINDOW,
            looked: 0,
            hits: 0,
        }
    }

    /// Whether to look at the next block.
    fn next_block(&mut self) -> bool {
        // A hit saves a few times what a miss costs, so one in four pays for the others. In a
        // probe most tokens had no chance to be seen before, and one in fifty is a sign.
        let found = |share: u32| self.hits > 0 && self.hits >= self.looked / share;
        match &mut self.state {
            State::Looking(0) if found(4) => {
                self.next_rest = WINDOW;
                self.begin(State::Looking(WINDOW - 1))
            }
            State::Probing if found(50) => self.begin(State::Looking(WINDOW - 1)),
            State::Looking(0) | State::Probing => {
                let rest = self.next_rest;
                self.next_rest = (2 * rest).min(LONGEST_REST);
                self.begin(State::Resting(rest))
            }
            State::Resting(0) => self.begin(State::Probing),
            State::Looking(left) => {
                *left -= 1;
                true
            }
            State::Resting(left) => {
                *left -= 1;
                false
            }
        }
    }

    fn begin(&mut self, state: State) -> bool {
        self.state = state;
        (self.looked, self.hits) = (0, 0);
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
        repeats.learn(number, forged, &Claims::NONE, &[]);
    }

    #[test]
    fn a_token_is_new_then_pending_then_known() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block();
        let Sighting::New(entry) = repeats.see(&token(1), 7) else {
            panic!("never seen before");
        };
        assert!(matches!(repeats.see(&token(1), 9), Sighting::Pending(e, 7) if e == entry));
        learn(&mut repeats, entry);
        repeats.begin_block();
        assert!(matches!(repeats.see(&token(1), 0), Sighting::Known(e) if e == entry));
        assert!(matches!(repeats.see(&token(2), 0), Sighting::New(_)));
        assert!(matches!(repeats.see(b"a.b.c", 0), Sighting::Unknown));
    }

    #[test]
    fn what_a_block_left_unfinished_is_new_again() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block();
        assert!(matches!(repeats.see(&token(1), 3), Sighting::New(_)));
        repeats.begin_block();
        assert!(matches!(repeats.see(&token(1), 4), Sighting::New(_)));
        assert!(matches!(repeats.see(&token(1), 5), Sighting::Pending(_, 4)));
    }

    #[test]
    fn tokens_whose_ends_are_alike_are_told_apart() {
        let mut repeats = Repeats::new(1 << 20);
        repeats.begin_block();
        let one = b"header.payload-one.the-same-signature".to_vec();
        for at in 0..one.len() {
            let mut other = one.clone();
            other[at] ^= 1;
            repeats.begin_block();
            if let Sighting::New(entry) = repeats.see(&other, 0) {
                learn(&mut repeats, entry);
            }
            assert!(!matches!(repeats.see(&one, 0), Sighting::Known(_)), "{at}");
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
                if let Sighting::New(entry) = repeats.see(&token, 0) {
                    new.push((entry, token));
                }
            }
            for (entry, token) in &new {
                assert!(repeats.entries[*entry as usize].token == *token);
                learn(&mut repeats, *entry);
            }
            let bytes: usize = repeats.entries.iter().map(Entry::bytes).sum();
            assert_eq!(bytes, repeats.used);
            assert!(bytes <= budget, "{bytes}");
        }
        assert!(repeats.entries.len() > 20);
    }

    #[test]
    fn it_rests_while_nothing_repeats_and_wakes_when_something_does() {
        let mut repeats = Repeats::new(8 << 20);
        let mut number = 0;
        let mut looked_at = |repeats: &mut Repeats, distinct: u64, blocks: u64| {
            let mut looked = 0;
            for _ in 0..blocks {
                repeats.begin_block();
                looked += u64::from(repeats.is_looking);
                for _ in 0..100 {
                    number += 1;
                    if let Sighting::New(entry) = repeats.see(&token(number % distinct), 0) {
                        learn(repeats, entry);
                    }
                }
            }
            looked
        };
        assert!(looked_at(&mut repeats, u64::MAX, 10_000) < 100);
        let again = looked_at(&mut repeats, 1000, 2000);
        assert!(again > 1500, "{again}");
    }
}
