//! A bounded cache of verdicts for repeated tokens.
//!
//! An entry holds a whole token, the proof of its signature, the time-invariant part of its verdict
//! and its dates; a hit is a comparison of all bytes. What depends on the instant is applied at each
//! hit, and where a row is wanted the token is decoded again, so that a row cannot show whether its
//! token was cached.
//!
//! Entries are evicted in the order in which they came (FIFO), and their tokens lie one behind the
//! other in a ring of bytes. A token with a MAC is admitted when it is seen for the second time: the
//! first time only a tag of 16 bits is noted, so that a log without repetitions stores next to
//! nothing. (A doorkeeper, as in Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache
//! Admission Policy", 2017.) An asymmetric signature costs a hundred times more to verify than to
//! store, and is admitted at once.

use super::GroupId;
use super::bypass::Bypass;
use super::{GROUP, MAX_TOKENS};
use crate::hash::FIBONACCI_HASH;
use crate::prefetch::{CACHE_LINE, prefetch};
use crate::signature::Proof;
use crate::token::Dates;
use crate::verdict::{FindingSet, Reason, ReasonSet};

/// Slots of a set: as many as fit into a cache line.
const WAYS: usize = 6;
/// Bytes of the budget per slot: somewhat more slots than tokens of usual length fit into the rest.
const BYTES_PER_SLOT: usize = 512;
/// The most sets: more than 200 MB of cache per thread gain nothing.
const MAX_SETS: usize = 1 << 16;
/// The lengths of tokens that are cached, in bytes. No signed token is shorter, and a longer one
/// would take the place of many. ML-DSA-87 makes tokens of some 6,500 bytes.
const LENGTHS: std::ops::RangeInclusive<usize> = 64..=16 << 10;

/// What is known of a token at any instant.
#[derive(Clone, Copy)]
pub(crate) struct Cached {
    pub(crate) signature: Result<Proof, Reason>,
    /// The time-invariant reasons.
    pub(crate) reasons: ReasonSet,
    pub(crate) findings: FindingSet,
    /// The dates, where the claims could be read.
    pub(crate) dates: Option<Dates>,
    /// The group that the token is counted in, where that is all there is to count.
    pub(crate) group: Option<GroupId>,
}

pub(super) enum Lookup<'c> {
    Hit(&'c Cached),
    /// The same token is in this batch already, and its signature has this number.
    Pending(u32),
    Miss,
}

/// Whether a token that missed was admitted.
pub(super) enum Admission {
    /// It was, and this entry waits for its verdict.
    New(EntryId),
    /// An earlier token of its group was the same, and its signature has this number.
    Pending(u32),
    None,
}

/// An entry: its index, and the position of its token, which no other entry has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct EntryId(usize, u64);

/// Where a token may be: its set, and a tag that few other tokens of the set have.
#[derive(Clone, Copy, Default)]
pub(super) struct Probe {
    set: u32,
    /// Not 0, but for a token that is not looked up.
    tag: u16,
    /// The slot with this tag, if there is one.
    slot: Slot,
}

impl Probe {
    /// The last characters of a token are those of its signature, which is random.
    #[inline]
    fn of(token: &[u8], sets: usize) -> Self {
        let end = token.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let product = u128::from(end ^ token.len() as u64) * u128::from(FIBONACCI_HASH);
        #[allow(clippy::cast_possible_truncation)] // the halves
        let hash = product as u64 ^ (product >> 64) as u64;
        let [a, b, c, d, _, _, tag @ ..] = hash.to_le_bytes();
        Self {
            #[allow(clippy::cast_possible_truncation)] // below the number of sets
            set: ((u64::from(u32::from_le_bytes([a, b, c, d])) * sets as u64) >> 32) as u32,
            tag: u16::from_le_bytes(tag).max(1),
            slot: Slot::EMPTY,
        }
    }
}

/// Slots of one cache line.
#[derive(Clone, Copy, Default)]
#[repr(align(64))]
struct Set {
    /// 0 where a slot is empty.
    tags: [u16; WAYS],
    slots: [Slot; WAYS],
}

/// What a slot holds: nothing, a token that was seen once, or an entry.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Slot {
    content: u32,
    /// Where the token of an entry is: beside its index, so that both can be prefetched together.
    at: u32,
}

impl Slot {
    const EMPTY: Self = Self { content: 0, at: 0 };
    const NOTED: Self = Self { content: 1, at: 0 };

    const fn of(index: u32, at: u32) -> Self {
        let content = index + 2;
        Self { content, at }
    }

    #[inline]
    fn entry(self) -> Option<usize> {
        self.content.checked_sub(2).map(|index| index as usize)
    }
}

impl Set {
    /// The slots with this tag.
    #[inline]
    fn ways(&self, tag: u16) -> impl Iterator<Item = usize> {
        (0..WAYS).filter(move |way| self.tags[*way] == tag)
    }
}

/// What is known of a token: two cache lines.
#[repr(align(64))]
struct Entry {
    /// Where its token begins, counted in bytes from the first one on.
    position: u64,
    len: u16,
    /// Its slot; the way is [`NO_WAY`] once that was given to another token.
    set: u32,
    way: u8,
    is_mac: bool,
    /// The batch in which its signature is pending, and its number there.
    batch: u64,
    pending: u16,
    cached: Option<Cached>,
}

const NO_WAY: u8 = u8::MAX;

const _: () = assert!(size_of::<Set>() == CACHE_LINE && size_of::<Entry>() == 2 * CACHE_LINE);
const _: () = assert!(MAX_TOKENS < u16::MAX as usize);

pub(super) struct RepeatCache {
    sets: Vec<Set>,
    /// A ring: the `n`-th entry is at `n % capacity`.
    entries: Vec<Entry>,
    capacity: usize,
    /// The ring of tokens, none of which wraps around its end.
    bytes: Vec<u8>,
    /// The numbers of the oldest entry and of the next one.
    oldest: u64,
    next: u64,
    /// Where the next token may begin.
    position: u64,
    batch: u64,
    /// Whether the tokens of this batch are looked up.
    pub(super) is_active: bool,
    bypass: Bypass,
}

impl RepeatCache {
    /// A cache of at most `budget` bytes; with few or none it caches nothing.
    pub(super) fn new(budget: usize) -> Self {
        let sets = (budget / (BYTES_PER_SLOT * WAYS)).min(MAX_SETS);
        let capacity = sets * WAYS;
        let fixed = sets * (size_of::<Set>() + WAYS * size_of::<Entry>());
        let ring = if sets == 0 { 0 } else { budget - fixed };
        Self {
            // Memory that is reserved or zeroed takes no pages before it is touched.
            sets: vec![Set::default(); sets],
            entries: Vec::with_capacity(capacity),
            capacity,
            bytes: vec![0; ring.min(u32::MAX as usize)],
            oldest: 0,
            next: 0,
            position: 0,
            batch: 0,
            is_active: false,
            bypass: Bypass::new(),
        }
    }

    /// From now on all tokens are looked up.
    pub(super) fn always_look_up(&mut self) {
        self.bypass = Bypass::never();
    }

    /// Begins a batch, and decides whether its tokens are looked up.
    pub(super) fn begin_batch(&mut self) {
        self.batch += 1;
        self.is_active = !self.bytes.is_empty() && self.bypass.next_batch();
    }

    /// Prefetches what the lookups of a group need.
    pub(super) fn probe(&mut self, tokens: &[Option<&[u8]>; GROUP]) -> [Probe; GROUP] {
        // All sets first, then all entries and tokens.
        let mut probes = [Probe::default(); GROUP];
        for (token, probe) in tokens.iter().zip(&mut probes) {
            if let Some(token) = token.filter(|token| LENGTHS.contains(&token.len())) {
                *probe = Probe::of(token, self.sets.len());
                self.bypass.count_lookup();
                prefetch(&self.sets[probe.set as usize]);
            }
        }
        for (token, probe) in tokens.iter().zip(&mut probes) {
            let set = self.sets.get(probe.set as usize).filter(|_| probe.tag != 0);
            let slots = set.and_then(|set| set.ways(probe.tag).map(|way| set.slots[way]).last());
            if let (Some(slot), Some(token)) = (slots, token)
                && let Some(index) = slot.entry()
            {
                probe.slot = slot;
                prefetch(&self.entries[index]);
                let own = self.token(slot, token.len()).unwrap_or_default();
                own.iter().step_by(CACHE_LINE).for_each(prefetch);
            }
        }
        probes
    }

    /// The bytes of the token of a slot, if it has `len` of them.
    #[inline]
    fn token(&self, slot: Slot, len: usize) -> Option<&[u8]> {
        self.bytes.get(slot.at as usize..)?.get(..len)
    }

    /// Looks up a token in the slot that the probe found.
    #[inline]
    pub(super) fn look_up(&mut self, token: Option<&[u8]>, probe: &Probe) -> Lookup<'_> {
        let Some(index) = token.and_then(|token| self.entry_of(probe.slot, token)) else {
            return Lookup::Miss;
        };
        let entry = &self.entries[index];
        let found = match &entry.cached {
            Some(cached) => Lookup::Hit(cached),
            None if entry.batch == self.batch => Lookup::Pending(entry.pending.into()),
            None => return Lookup::Miss,
        };
        self.bypass.count_hit(entry.is_mac);
        found
    }

    /// The index of the entry in a slot, if it is that of this token: all bytes are compared.
    #[inline]
    fn entry_of(&self, slot: Slot, token: &[u8]) -> Option<usize> {
        let index = slot.entry()?;
        let is_it = usize::from(self.entries[index].len) == token.len()
            && self.token(slot, token.len()) == Some(token);
        is_it.then_some(index)
    }

    /// Notes or admits a token that missed. `number` is that of its signature in this batch; `is_mac`
    /// says whether that is a MAC, which is cheap to verify.
    pub(super) fn admit(
        &mut self,
        token: &[u8],
        probe: Probe,
        number: u32,
        is_mac: bool,
    ) -> Admission {
        if !self.is_active || probe.tag == 0 {
            return Admission::None;
        }
        let Ok(number) = u16::try_from(number) else {
            return Admission::None;
        };
        // An earlier token of the group may have been admitted since the lookup.
        let set = self.sets[probe.set as usize];
        let mut ways = set.ways(probe.tag);
        if let Some(index) = ways.find_map(|way| self.entry_of(set.slots[way], token)) {
            let entry = &mut self.entries[index];
            if entry.cached.is_none() && entry.batch == self.batch {
                self.bypass.count_hit(is_mac);
                return Admission::Pending(entry.pending.into());
            }
            // Its batch was stopped before the verdict, or another token has its tag.
            (entry.batch, entry.pending, entry.cached) = (self.batch, number, None);
            return Admission::New(EntryId(index, entry.position));
        }
        let noted = (set.ways(probe.tag)).find(|way| set.slots[*way] == Slot::NOTED);
        if noted.is_some() {
            self.bypass.count_second();
        }
        let way = noted.unwrap_or_else(|| self.free_way(probe));
        if noted.is_none() && is_mac {
            self.set_slot(probe, way, Slot::NOTED);
            return Admission::None;
        }
        (self.insert(token, probe, way, number, is_mac)).map_or(Admission::None, Admission::New)
    }

    /// A slot for another token: an empty one, else one that is only noted, else that of the oldest
    /// entry.
    fn free_way(&self, probe: Probe) -> usize {
        let set = &self.sets[probe.set as usize];
        // From another slot on for each token, so that notes take turns.
        let ways = || (0..WAYS).map(|way| (way + probe.tag as usize) % WAYS);
        let holds = |wanted| ways().find(|way| set.slots[*way] == wanted);
        let age = |way: &usize| (set.slots[*way].entry()).map(|index| self.entries[index].position);
        (holds(Slot::EMPTY).or_else(|| holds(Slot::NOTED)))
            .or_else(|| ways().min_by_key(age))
            .unwrap_or(0)
    }

    fn set_slot(&mut self, probe: Probe, way: usize, slot: Slot) {
        let set = &mut self.sets[probe.set as usize];
        if let Some(index) = set.slots[way].entry() {
            self.entries[index].way = NO_WAY;
        }
        set.tags[way] = probe.tag;
        set.slots[way] = slot;
    }

    /// Stores a token in the ring, and evicts whatever it overwrites.
    fn insert(
        &mut self,
        token: &[u8],
        probe: Probe,
        way: usize,
        number: u16,
        is_mac: bool,
    ) -> Option<EntryId> {
        let (ring, len) = (self.bytes.len() as u64, token.len() as u64);
        if len > ring {
            return None;
        }
        let mut position = self.position.next_multiple_of(CACHE_LINE as u64);
        if position % ring + len > ring {
            position = position.next_multiple_of(ring);
        }
        let capacity = self.capacity as u64;
        while self.oldest < self.next {
            #[allow(clippy::cast_possible_truncation)] // below the capacity
            let entry = &self.entries[(self.oldest % capacity) as usize];
            let is_overwritten = position + len > entry.position + ring;
            if !is_overwritten && self.next - self.oldest < capacity {
                break;
            }
            if entry.way != NO_WAY {
                let (set, way) = (&mut self.sets[entry.set as usize], usize::from(entry.way));
                (set.tags[way], set.slots[way]) = (0, Slot::EMPTY);
            }
            self.oldest += 1;
        }
        #[allow(clippy::cast_possible_truncation)]
        // the ring is in memory, and has an index below 2^32
        let (at, index) = ((position % ring) as u32, (self.next % capacity) as u32);
        self.bytes[at as usize..][..token.len()].copy_from_slice(token);
        let entry = Entry {
            position,
            // LENGTHS and WAYS are small.
            len: u16::try_from(token.len()).ok()?,
            set: probe.set,
            way: u8::try_from(way).ok()?,
            is_mac,
            batch: self.batch,
            pending: number,
            cached: None,
        };
        match self.entries.get_mut(index as usize) {
            Some(place) => *place = entry,
            None => self.entries.push(entry),
        }
        self.set_slot(probe, way, Slot::of(index, at));
        (self.next, self.position) = (self.next + 1, position + len);
        Some(EntryId(index as usize, position))
    }

    /// Fills in what was found of the token of an entry, unless it was evicted meanwhile.
    pub(super) fn fill(&mut self, EntryId(index, position): EntryId, cached: Cached) {
        let entry = self.entries.get_mut(index);
        if let Some(entry) = entry.filter(|entry| entry.position == position) {
            entry.cached = Some(cached);
        }
    }
}

#[cfg(test)]
mod tests;
