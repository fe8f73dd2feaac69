//! Headers by their bytes: a log holds millions of tokens and a handful of headers, so what a header
//! decides, up to the choice of keys, is remembered.

use std::hint::black_box;

use super::AHEAD;
use crate::key::Selection;
use crate::token::{Header, JsonScratch, PayloadScratch, Token, UnverifiedIssuer};
use crate::validator::{Choice, Judged, Validator};
use crate::verdict::{FindingSet, Reason, Stage};

/// What a header decides, and what rows tell of it.
pub(super) struct KnownHeader {
    /// The encoded header. A hit is a comparison in full, never of a hash.
    encoded: Box<[u8]>,
    choice: Choice,
    /// What it selects under the policies of the issuers it was seen with, by their number.
    of_issuers: Vec<(u32, Result<Selection, Reason>)>,
    alg: Option<Box<str>>,
    kid: Option<Box<str>>,
    /// It has a `kid` that a key is looked for by, and no key has this id.
    pub(super) kid_is_unknown: bool,
    findings: FindingSet,
}

impl KnownHeader {
    fn read(validator: &Validator, encoded: &[u8], scratch: &mut JsonScratch) -> Self {
        let (choice, header) = match Header::read(encoded, scratch) {
            Ok(header) => (validator.choose(&header), header),
            Err(reason) => (Choice::Made(Err(reason)), Header::default()),
        };
        let text = |text: Option<&str>| text.map(Box::from);
        let kid = header.kid.value();
        let looks_for_key = match choice {
            Choice::Made(Err(reason)) => reason.stage() == Stage::Key,
            Choice::Made(Ok(_)) | Choice::OfIssuer(_) => true,
        };
        let is_unknown = |kid| looks_for_key && !validator.keys().has_id_somewhere(kid);
        Self {
            encoded: encoded.into(),
            choice,
            of_issuers: Vec::new(),
            alg: text(header.alg.value()),
            kid: text(kid),
            kid_is_unknown: kid.is_some_and(is_unknown),
            findings: header.findings,
        }
    }

    /// What it says, with no signature verified yet.
    #[inline]
    pub(super) fn unsigned(&self) -> Judged<'_> {
        Judged::unsigned(self.alg.as_deref(), self.kid.as_deref(), self.findings)
    }

    /// What it selects under the policy of this number; `bytes` grows by what that takes.
    fn select(
        &mut self,
        validator: &Validator,
        realm: u32,
        scratch: &mut JsonScratch,
        bytes: &mut usize,
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
                *bytes += size_of_val(&self.of_issuers[place]);
                place
            }
        };
        let (_, selection) = &self.of_issuers[place];
        selection.as_ref().map_err(|reason| *reason)
    }

    /// How many bytes its texts have.
    fn texts(&self) -> usize {
        let texts = [&self.alg, &self.kid].map(|text| text.as_ref().map_or(0, |it| it.len()));
        texts.iter().sum()
    }

    /// About how much memory it takes, besides what it selects for issuers.
    fn bytes(&self) -> usize {
        size_of::<Self>() + self.encoded.len() + self.texts()
    }
}

/// The headers seen lately, by their bytes. It belongs to one judge and so to one validator.
///
/// Within a block a header keeps its index. Between blocks everything is forgotten once there is
/// much of it, so that a log in which every header differs costs time and no memory.
pub(crate) struct HeaderMemo {
    known: Vec<KnownHeader>,
    /// How many bytes those take.
    bytes: usize,
    /// Open addressing with linear probing: 1 + the index of a header, 0 where there is none.
    slots: Vec<u32>,
    /// The header that was asked for last: logs have runs of one header.
    last: u32,
    scratch: JsonScratch,
}

impl HeaderMemo {
    /// Enough for a block of lines that all differ, after what is kept from earlier blocks, at a
    /// load of less than two thirds; a power of two.
    const SLOTS: usize = 1 << 15;
    /// How many headers are kept from block to block: a set of ten thousand keys, and some.
    const KEPT: usize = 12_288;
    /// How many bytes of headers are kept from block to block.
    const KEPT_BYTES: usize = 4 << 20;

    pub(crate) fn new() -> Self {
        Self {
            known: Vec::new(),
            bytes: 0,
            slots: vec![0; Self::SLOTS],
            last: 0,
            scratch: JsonScratch::new(),
        }
    }

    /// Forgets, if there is much to forget, and says whether it did.
    pub(crate) fn begin_block(&mut self) -> bool {
        let is_much = self.known.len() > Self::KEPT || self.bytes > Self::KEPT_BYTES;
        if is_much {
            self.known.clear();
            self.bytes = 0;
            self.slots.fill(0);
        }
        is_much
    }

    /// Looks ahead at headers that are to be looked for, at most [`AHEAD`] of them, and touches what
    /// [`select`](Self::select) needs of each; a few headers are in the nearest cache anyway.
    pub(super) fn look_ahead<'t>(&self, headers: impl Iterator<Item = &'t [u8]>) {
        if self.known.len() < AHEAD {
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
        let ends = known().map(|it| it.encoded.len() ^ it.texts());
        black_box(ends.fold(0, |all, end| all ^ end));
        let texts = known().flat_map(|it| {
            let encoded = it.encoded.iter().step_by(64).chain(it.encoded.last());
            encoded.chain(it.alg.as_ref().and_then(|alg| alg.as_bytes().first()))
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
                    let known = &mut self.known[index as usize];
                    known.select(validator, realm, &mut self.scratch, &mut self.bytes)
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
            Some(last) if *last.encoded == *encoded => self.last,
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
                taken if *self.at(taken - 1).encoded == *encoded => break taken - 1,
                _ => slot = (slot + 1) % Self::SLOTS,
            }
        };
        self.last = index;
        index
    }

    fn insert(&mut self, validator: &Validator, encoded: &[u8], slot: usize) -> u32 {
        let known = KnownHeader::read(validator, encoded, &mut self.scratch);
        self.bytes += known.bytes();
        self.known.push(known);
        // A block has at most 8,192 lines, so this is far from a u32's end.
        let taken = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
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

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::*;
    use crate::key::KeySet;
    use crate::policy::Policy;
    use crate::time::UnixTime;

    #[test]
    fn headers_that_all_differ_take_no_more_than_their_bound() {
        let mut keys = KeySet::new();
        keys.add_secret(&[b'k'; 32], "a test").unwrap();
        let policy = Policy::new(UnixTime::new(1_790_000_000, 0).unwrap());
        let validator = Validator::new(policy, keys).unwrap();
        for padding in [0, 2000] {
            let mut memo = HeaderMemo::new();
            let (mut payload, mut most) = (PayloadScratch::new(), 0);
            for block in 0..12 {
                memo.begin_block();
                assert!(memo.known.len() <= HeaderMemo::KEPT);
                assert!(memo.bytes <= HeaderMemo::KEPT_BYTES);
                for line in 0..4000 {
                    let kid = format!("{block}-{line}-{}", "x".repeat(padding));
                    let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
                    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
                    let token = format!("{header}.e30.c2ln");
                    let token = Token::split(token.as_bytes()).unwrap();
                    for _ in 0..2 {
                        let (index, _) = memo.select(&validator, token, &mut payload);
                        assert_eq!(memo.at(index).unsigned().kid, Some(&*kid));
                    }
                }
                let bytes: usize = memo.known.iter().map(KnownHeader::bytes).sum();
                assert_eq!(memo.bytes, bytes);
                let taken = memo.slots.iter().filter(|slot| **slot > 0).count();
                assert_eq!(taken, memo.known.len());
                most = most.max(taken);
            }
            // Some blocks follow upon others that are not forgotten yet.
            assert!(most == 16_000 || padding > 0 && most == 4000, "{most}");
        }
    }
}
