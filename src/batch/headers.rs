//! Headers by their bytes: a log holds millions of tokens and a handful of headers, so what a header
//! decides, up to the choice of keys, is remembered.

use std::hint::black_box;

use super::AHEAD;
use crate::key::Selection;
use crate::token::{Header, JsonScratch, PayloadScratch, Token, UnverifiedIssuer};
use crate::validator::{Choice, Validator};
use crate::verdict::{FindingSet, Reason};

/// What a header decides, and what rows tell of it.
pub(super) struct KnownHeader {
    /// The encoded header. A hit is a comparison in full, never of a hash.
    encoded: Vec<u8>,
    choice: Choice,
    /// What it selects under the policies of the issuers it was seen with, by their number.
    of_issuers: Vec<(u32, Result<Selection, Reason>)>,
    pub(super) alg: OptionalText,
    pub(super) kid: OptionalText,
    pub(super) findings: FindingSet,
}

/// An optional string that keeps its buffer.
#[derive(Default)]
pub(super) struct OptionalText {
    text: String,
    is_set: bool,
}

impl OptionalText {
    fn set(&mut self, value: Option<&str>) {
        self.text.clear();
        self.text.push_str(value.unwrap_or_default());
        self.is_set = value.is_some();
    }

    pub(super) fn get(&self) -> Option<&str> {
        self.is_set.then_some(&self.text)
    }
}

impl KnownHeader {
    fn new() -> Self {
        Self {
            encoded: Vec::new(),
            choice: Choice::Made(Err(Reason::HeaderBase64url)),
            of_issuers: Vec::new(),
            alg: OptionalText::default(),
            kid: OptionalText::default(),
            findings: FindingSet::EMPTY,
        }
    }

    fn read(&mut self, validator: &Validator, encoded: &[u8], scratch: &mut JsonScratch) {
        let (choice, header) = match Header::read(encoded, scratch) {
            Ok(header) => (validator.choose(&header), header),
            Err(reason) => (Choice::Made(Err(reason)), Header::default()),
        };
        self.choice = choice;
        self.of_issuers.clear();
        self.alg.set(header.alg.value());
        self.kid.set(header.kid.value());
        self.findings = header.findings;
    }

    /// What it selects under the policy of this number.
    fn select(
        &mut self,
        validator: &Validator,
        realm: u32,
        scratch: &mut JsonScratch,
    ) -> Result<&Selection, Reason> {
        let known = self
            .of_issuers
            .binary_search_by_key(&realm, |(realm, _)| *realm);
        let place = match known {
            Ok(place) => place,
            Err(place) => {
                let header = Header::read(&self.encoded, scratch)?;
                let selection = validator.select(realm, &header);
                self.of_issuers.insert(place, (realm, selection));
                place
            }
        };
        let (_, selection) = &self.of_issuers[place];
        selection.as_ref().map_err(|reason| *reason)
    }

    /// About how much memory it takes.
    fn bytes(&self) -> usize {
        self.encoded.len() + self.of_issuers.len() * size_of::<(u32, Result<Selection, Reason>)>()
    }
}

/// The headers seen lately, by their bytes. It belongs to one judge and so to one validator.
///
/// Within a block a header keeps its index. Between blocks everything is forgotten once there is
/// much of it, so that a log in which every header differs costs time and no memory.
pub(crate) struct HeaderMemo {
    /// The first `used` are known; the others lend their buffers.
    known: Vec<KnownHeader>,
    used: usize,
    /// Open addressing with linear probing: 1 + the index of a header, 0 where there is none.
    slots: Vec<u32>,
    /// The header that was asked for last: logs have runs of one header.
    last: u32,
    scratch: JsonScratch,
}

impl HeaderMemo {
    /// Enough for a block of lines that all differ, after what is kept from earlier blocks, at a
    /// load of less than two thirds; a power of two.
    const SLOTS: usize = 16_384;
    /// How many headers are kept from block to block: a set of a thousand keys, and some.
    const KEPT: usize = 2048;
    /// How many bytes of headers are kept from block to block.
    const KEPT_BYTES: usize = 256 << 10;

    pub(crate) fn new() -> Self {
        Self {
            known: Vec::new(),
            used: 0,
            slots: vec![0; Self::SLOTS],
            last: 0,
            scratch: JsonScratch::new(),
        }
    }

    /// Forgets, if there is much to forget.
    pub(crate) fn begin_block(&mut self) {
        let known = &self.known[..self.used];
        let bytes = || known.iter().map(KnownHeader::bytes).sum::<usize>();
        if self.used > Self::KEPT || bytes() > Self::KEPT_BYTES {
            self.used = 0;
            self.known.truncate(Self::KEPT);
            self.known
                .retain(|header| header.encoded.capacity() <= 1024);
            (self.known.iter_mut()).for_each(|header| header.of_issuers = Vec::new());
            self.slots.fill(0);
        }
    }

    /// Looks ahead at headers that are to be looked for, at most [`AHEAD`] of them, and touches what
    /// [`select`](Self::select) needs of each; a few headers are in the nearest cache anyway.
    pub(super) fn look_ahead<'t>(&self, headers: impl Iterator<Item = &'t [u8]>) {
        if self.used < AHEAD {
            return;
        }
        let mut slots = [0; AHEAD];
        for (encoded, taken) in headers.zip(&mut slots) {
            *taken = self.slots[slot_of(encoded) % Self::SLOTS];
        }
        let known = || {
            let indices = slots.iter().filter_map(|taken| taken.checked_sub(1));
            indices.map(|index| self.at(index))
        };
        let ends = known().map(|it| it.encoded.len() ^ it.alg.text.len() ^ it.kid.text.len());
        black_box(ends.fold(0, |all, end| all ^ end));
        let texts = known().flat_map(|it| {
            let encoded = it.encoded.iter().step_by(64).chain(it.encoded.last());
            encoded.chain(it.alg.text.as_bytes().first())
        });
        black_box(texts.fold(0, |all, byte| all ^ byte));
    }

    /// The index of a token's header, and which keys may have signed it. With several issuers the
    /// payload says which policy decides, and nothing else of it is looked at.
    ///
    /// The selection is lent where it is kept: what is put together from small pieces is slow to
    /// copy soon after.
    #[inline]
    pub(crate) fn select(
        &mut self,
        validator: &Validator,
        token: Token<'_>,
        payload: &mut PayloadScratch,
    ) -> (u32, Result<&Selection, Reason>) {
        let index = self.get(validator, token.header());
        if let Choice::OfIssuer(otherwise) = self.at(index).choice {
            let selection = match validator.realm(UnverifiedIssuer::scan(token, payload)) {
                Some(realm) => {
                    self.known[index as usize].select(validator, realm, &mut self.scratch)
                }
                None => Err(otherwise),
            };
            return (index, selection);
        }
        match &self.at(index).choice {
            Choice::Made(selection) => (index, selection.as_ref().map_err(|reason| *reason)),
            Choice::OfIssuer(otherwise) => (index, Err(*otherwise)),
        }
    }

    pub(super) fn at(&self, index: u32) -> &KnownHeader {
        &self.known[index as usize]
    }

    #[inline(always)]
    fn get(&mut self, validator: &Validator, encoded: &[u8]) -> u32 {
        match self.known.get(self.last as usize) {
            Some(last) if (self.last as usize) < self.used && last.encoded == encoded => self.last,
            _ => self.look_up(validator, encoded),
        }
    }

    #[inline(never)]
    fn look_up(&mut self, validator: &Validator, encoded: &[u8]) -> u32 {
        let mut slot = slot_of(encoded) % Self::SLOTS;
        let index = loop {
            match self.slots[slot] {
                0 => break self.insert(validator, encoded, slot),
                // A hit is a comparison in full.
                taken if self.at(taken - 1).encoded == encoded => break taken - 1,
                _ => slot = (slot + 1) % Self::SLOTS,
            }
        };
        self.last = index;
        index
    }

    fn insert(&mut self, validator: &Validator, encoded: &[u8], slot: usize) -> u32 {
        if self.used == self.known.len() {
            self.known.push(KnownHeader::new());
        }
        let known = &mut self.known[self.used];
        known.encoded.clear();
        known.encoded.extend_from_slice(encoded);
        known.read(validator, encoded, &mut self.scratch);
        self.used += 1;
        // A block has at most 8,192 lines, so this is far from a u32's end.
        let taken = u32::try_from(self.used).unwrap_or(u32::MAX);
        self.slots[slot] = taken;
        taken - 1
    }
}

/// Spreads headers over slots. Headers that collide cost time and nothing else.
fn slot_of(encoded: &[u8]) -> usize {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15; // 2^64 over the golden ratio
    let (words, rest) = encoded.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let mixed = words
        .iter()
        .chain([&last])
        .fold(encoded.len() as u64, |mixed, word| {
            (mixed ^ u64::from_le_bytes(*word))
                .wrapping_mul(ODD)
                .rotate_left(29)
        });
    usize::try_from(mixed.wrapping_mul(ODD) >> 40).unwrap_or(0)
}
