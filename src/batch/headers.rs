//! A cache of headers by their bytes: a log has millions of tokens and a handful of headers, so what
//! a header decides, up to the choice of keys, is decided once.

use std::collections::{HashMap, hash_map};
use std::ops::Range;

use super::{GROUP, MAX_TOKENS};
use crate::hash::hash;
use crate::key::Selection;
use crate::prefetch::{CACHE_LINE, prefetch};
use crate::signature::REGISTERED;
use crate::token::{Header, JsonScratch, PayloadScratch, Token, UnverifiedIssuer};
use crate::validator::{Choice, Judged, Validator};
use crate::verdict::{FindingSet, Reason, Stage};

/// A header, and what it decides. The ranges are those of texts in the cache.
#[repr(align(64))]
struct Entry {
    choice: Choice,
    findings: FindingSet,
    /// Its `alg`, if that is a registered name.
    alg: Option<&'static str>,
    has_other_alg: bool,
    has_kid: bool,
    may_be_anchored: bool,
    /// It has a `kid` that a key is looked for by, and no key has this id.
    is_kid_unknown: bool,
    /// The encoded header.
    encoded: Range<u32>,
    kid: Range<u32>,
    /// Its `alg`, if that is no registered name.
    other_alg: Range<u32>,
}

/// The cache of one worker, and so of one validator.
///
/// Within a batch a header keeps its index. Between batches all are evicted once there are many, so
/// that a log in which every header differs costs time and no memory.
pub(crate) struct HeaderCache {
    entries: Vec<Entry>,
    /// Encoded headers, and the strings of theirs that rows show.
    texts: Vec<u8>,
    /// What a header selects under the policy of an issuer, by its index and the realm.
    by_realm: HashMap<(u32, u32), Result<Selection, Reason>>,
    /// Open addressing with linear probing: 1 + the index of a header, or 0.
    slots: Vec<u16>,
    /// The header that was looked up last: logs have runs of one header.
    last: u32,
    scratch: JsonScratch,
}

impl HeaderCache {
    /// Enough for the headers of a batch that all differ, behind those that are kept, at a load of
    /// less than two thirds; a power of two.
    const SLOTS: usize = 1 << 15;
    /// How many slots are looked at. Only headers that were chosen to collide need more.
    const PROBES: usize = 64;
    /// How many headers are kept between batches: a set of ten thousand keys, and some.
    const MAX_KEPT: usize = 12_288;
    /// How many bytes of headers are kept between batches.
    const MAX_KEPT_BYTES: usize = 4 << 20;

    pub(crate) fn new() -> Self {
        Self {
            // Reserved, since growing to ten thousand headers would copy them a dozen times; memory
            // that is never touched costs nothing.
            entries: Vec::with_capacity(Self::MAX_KEPT),
            texts: Vec::new(),
            by_realm: HashMap::new(),
            slots: vec![0; Self::SLOTS],
            last: 0,
            scratch: JsonScratch::new(),
        }
    }

    /// Evicts all headers if there are many.
    pub(crate) fn begin_batch(&mut self) {
        if self.entries.len() > Self::MAX_KEPT || self.bytes() > Self::MAX_KEPT_BYTES {
            self.entries.clear();
            self.slots.fill(0);
            // With their memory: a header may have been as long as a token may be.
            (self.texts, self.by_realm) = (Vec::new(), HashMap::new());
        }
    }

    /// About how many bytes the headers take.
    fn bytes(&self) -> usize {
        self.entries.len() * size_of::<Entry>()
            + self.by_realm.len() * size_of::<((u32, u32), Result<Selection, Reason>)>()
            + self.texts.len()
    }

    /// Prefetches what the lookups of a group need, and returns the index that each header is likely
    /// to have.
    pub(crate) fn probe<'t>(
        &self,
        headers: impl Iterator<Item = &'t [u8]>,
    ) -> [Option<u32>; GROUP] {
        if self.entries.len() < GROUP {
            // They are in the first-level cache, and the last one is a good guess.
            return [None; GROUP];
        }
        // All slots first, then all entries, then all texts.
        let mut first = [None; GROUP];
        for (encoded, first) in headers.zip(&mut first) {
            let slot = first_slot(encoded);
            prefetch(&self.slots[slot]);
            *first = Some(slot);
        }
        let likely = first.map(|slot| u32::from(self.slots[slot?]).checked_sub(1));
        likely
            .iter()
            .flatten()
            .for_each(|index| prefetch(self.at(*index)));
        for index in likely.iter().flatten() {
            // Not all of a long one, since it may be another.
            let lines = self
                .text(&self.at(*index).encoded)
                .iter()
                .step_by(CACHE_LINE);
            lines.take(4).for_each(prefetch);
        }
        likely
    }

    /// The index of a header, which is read if it is not in the cache. `likely` is a guess.
    #[inline(always)]
    pub(crate) fn find(
        &mut self,
        validator: &Validator,
        encoded: &[u8],
        likely: Option<u32>,
    ) -> u32 {
        let likely = likely.unwrap_or(self.last);
        match (self.entries).get(likely as usize) {
            Some(entry) if self.text(&entry.encoded) == encoded => likely,
            _ => self.look_up(validator, encoded),
        }
    }

    /// The keys to try on a token whose header has this index. With several issuers the payload says
    /// which policy decides, and nothing else of it is read.
    #[inline]
    pub(crate) fn select(
        &mut self,
        validator: &Validator,
        index: u32,
        token: Token<'_>,
        payload: &mut PayloadScratch,
    ) -> Result<&Selection, Reason> {
        if let Choice::OfIssuer(otherwise) = self.at(index).choice {
            return match validator.realm(UnverifiedIssuer::scan(token, payload)) {
                Some(realm) => self.select_of(index, validator, realm, token.header()),
                None => Err(otherwise),
            };
        }
        match &self.at(index).choice {
            Choice::Made(selection) => selection.as_ref().map_err(|reason| *reason),
            Choice::OfIssuer(otherwise) => Err(*otherwise),
        }
    }

    /// The keys that a header selects under the policy of a realm.
    fn select_of(
        &mut self,
        index: u32,
        validator: &Validator,
        realm: u32,
        encoded: &[u8],
    ) -> Result<&Selection, Reason> {
        let selection = match self.by_realm.entry((index, realm)) {
            hash_map::Entry::Occupied(known) => known.into_mut(),
            hash_map::Entry::Vacant(place) => {
                let header = Header::read(encoded, &mut self.scratch)?;
                place.insert(validator.select(realm, &header))
            }
        };
        selection.as_ref().map_err(|reason| *reason)
    }

    /// Whether its `kid` is the id of no key.
    #[inline]
    pub(super) fn is_kid_unknown(&self, index: u32) -> bool {
        self.at(index).is_kid_unknown
    }

    /// Whether a certificate chain of it may give the key.
    #[inline]
    pub(super) fn may_be_anchored(&self, index: u32) -> bool {
        self.at(index).may_be_anchored
    }

    /// Prefetches what [`unsigned`](Self::unsigned) needs of some headers.
    pub(super) fn prefetch(&self, indices: impl Iterator<Item = u32> + Clone, wants_kid: bool) {
        if self.entries.len() < GROUP {
            return;
        }
        indices.clone().for_each(|index| prefetch(self.at(index)));
        if wants_kid {
            let kids = indices.filter_map(|index| self.text(&self.at(index).kid).first());
            kids.for_each(prefetch);
        }
    }

    /// A token with this header, if it has one that could be read, before its signature is verified.
    /// A `kid` that some key has is left out unless it is wanted.
    #[inline(always)]
    pub(super) fn unsigned(&self, header: Option<u32>, wants_kid: bool) -> Judged<'_> {
        let Some(entry) = header.map(|index| self.at(index)) else {
            return Judged::unsigned(None, None, FindingSet::EMPTY);
        };
        let text = |range: &Range<u32>| std::str::from_utf8(self.text(range)).ok();
        let alg = match entry.has_other_alg {
            true => text(&entry.other_alg),
            false => entry.alg,
        };
        let is_wanted = entry.has_kid && (wants_kid || entry.is_kid_unknown);
        let kid = is_wanted.then(|| text(&entry.kid)).flatten();
        Judged::unsigned(alg, kid, entry.findings)
    }

    fn at(&self, index: u32) -> &Entry {
        &self.entries[index as usize]
    }

    #[inline]
    fn text(&self, range: &Range<u32>) -> &[u8] {
        self.texts
            .get(range.start as usize..range.end as usize)
            .unwrap_or_default()
    }

    #[inline(never)]
    fn look_up(&mut self, validator: &Validator, encoded: &[u8]) -> u32 {
        let slots = (first_slot(encoded)..).map(|slot| slot % Self::SLOTS);
        let mut slots = slots
            .take(Self::PROBES)
            .map(|slot| (slot, self.slots[slot]));
        let is_it = |index: u16| self.text(&self.at(u32::from(index) - 1).encoded) == encoded;
        let index = match slots.find(|(_, index)| *index == 0 || is_it(*index)) {
            Some((slot, 0)) => {
                let index = self.insert(validator, encoded);
                self.slots[slot] = u16::try_from(index + 1).unwrap_or(0);
                index
            }
            Some((_, index)) => u32::from(index) - 1,
            // Without a slot it is read again each time.
            None => self.insert(validator, encoded),
        };
        self.last = index;
        index
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
        let mut keep = |text: &[u8]| {
            let start = below_4_gib(self.texts.len());
            self.texts.extend_from_slice(text);
            start..below_4_gib(self.texts.len())
        };
        let alg = header.alg.value();
        let registered = alg.and_then(|alg| REGISTERED.iter().find(|name| **name == alg));
        let other_alg = alg.filter(|_| registered.is_none());
        self.entries.push(Entry {
            choice,
            findings: header.findings,
            alg: registered.copied(),
            has_other_alg: other_alg.is_some(),
            has_kid: kid.is_some(),
            may_be_anchored: validator.may_be_anchored(&header),
            is_kid_unknown: kid.is_some_and(is_unknown),
            encoded: keep(encoded),
            kid: keep(kid.unwrap_or_default().as_bytes()),
            other_alg: keep(other_alg.unwrap_or_default().as_bytes()),
        });
        below_4_gib(self.entries.len() - 1)
    }
}

/// A place in what the cache holds: what is kept and one block, 3 GiB at most. Behind 4 GiB a header
/// would have no text, and would be read again each time.
fn below_4_gib(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

const _: () = assert!(HeaderCache::MAX_KEPT + MAX_TOKENS < u16::MAX as usize);
const _: () = assert!(HeaderCache::MAX_KEPT + MAX_TOKENS < HeaderCache::SLOTS / 3 * 2);

/// The first slot of a header. Headers that collide cost time and nothing else.
#[inline]
fn first_slot(encoded: &[u8]) -> usize {
    let [.., a, b] = hash(encoded).to_le_bytes();
    usize::from(u16::from_le_bytes([a, b])) % HeaderCache::SLOTS
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
        Validator::new(Policy::new(), keys).unwrap()
    }

    fn encode(header: &str) -> String {
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header)
    }

    /// The index of an encoded header, the algorithm that it selects, its `alg` and its `kid`.
    fn look_up<'c>(
        cache: &'c mut HeaderCache,
        header: &str,
    ) -> (u32, Option<&'static str>, Option<&'c str>, Option<&'c str>) {
        let (validator, mut payload) = (validator(), PayloadScratch::new());
        let token = format!("{header}.e30.c2ln");
        let token = Token::split(token.as_bytes()).unwrap();
        let [likely, ..] = cache.probe([token.header()].into_iter());
        let index = cache.find(&validator, token.header(), likely);
        let selection = cache.select(&validator, index, token, &mut payload);
        let algorithm = selection.ok().map(|selection| selection.algorithm().name());
        let judged = cache.unsigned(Some(index), true);
        (index, algorithm, judged.alg, judged.kid)
    }

    #[test]
    fn headers_are_distinguished_at_every_length() {
        let mut cache = HeaderCache::new();
        // Some begin as others do, some differ in the last byte alone. None can be read, which is
        // cached as well.
        let headers: Vec<_> = (0..200)
            .flat_map(|len| ["x", "y"].map(|last| format!("{}{last}", "x".repeat(len))))
            .collect();
        for _ in 0..2 {
            for (header, index) in headers.iter().zip(0..) {
                let found = look_up(&mut cache, header);
                assert_eq!(found, (index, None, None, None), "{header}");
            }
        }
        assert_eq!(cache.entries.len(), headers.len());
    }

    #[test]
    fn long_headers_that_begin_alike_keep_their_own_strings() {
        let mut cache = HeaderCache::new();
        let typ = "x".repeat(100);
        let algs = [Some("HS256"), Some("HS512"), Some("hs256"), None];
        for _ in 0..2 {
            for (alg, kid) in algs.iter().zip(["a", "", "ä", "d"]) {
                let member = alg.map_or_else(String::new, |alg| format!(r#","alg":"{alg}""#));
                let header = encode(&format!(r#"{{"typ":"{typ}","kid":"{kid}"{member}}}"#));
                let (_, algorithm, own_alg, own_kid) = look_up(&mut cache, &header);
                assert_eq!(algorithm, alg.filter(|alg| alg.starts_with("HS")));
                assert_eq!((own_alg, own_kid), (*alg, Some(kid)));
            }
        }
        assert_eq!(cache.entries.len(), algs.len());
    }

    #[test]
    fn more_headers_than_slots_are_distinguished_as_well() {
        let validator = validator();
        let mut cache = HeaderCache::new();
        for _ in 0..2 {
            for number in 0..HeaderCache::SLOTS + 100 {
                let header = format!("{number:x}");
                let index = cache.find(&validator, header.as_bytes(), None);
                assert_eq!(cache.text(&cache.at(index).encoded), header.as_bytes());
            }
        }
        // Most are cached, and some without a slot were read again.
        let again = cache.entries.len() - HeaderCache::SLOTS - 100;
        assert!((100..HeaderCache::SLOTS / 4).contains(&again), "{again}");
    }

    #[test]
    fn headers_that_all_differ_take_no_more_than_their_bound() {
        for padding in [0, 2000] {
            let (validator, mut cache, mut most) = (validator(), HeaderCache::new(), 0);
            for batch in 0..12 {
                cache.begin_batch();
                assert!(cache.entries.len() <= HeaderCache::MAX_KEPT);
                assert!(cache.bytes() <= HeaderCache::MAX_KEPT_BYTES);
                for line in 0..4000 {
                    let kid = format!("{batch}-{line}-{}", "x".repeat(padding));
                    let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
                    let index = cache.find(&validator, encode(&header).as_bytes(), None);
                    assert!(cache.is_kid_unknown(index));
                    assert_eq!(cache.unsigned(Some(index), false).kid, Some(&*kid));
                }
                let taken = cache.slots.iter().filter(|index| **index > 0);
                assert_eq!(taken.count(), cache.entries.len());
                most = most.max(cache.entries.len());
            }
            // Some batches come before any is evicted.
            assert!(most == 16_000 || padding > 0 && most == 4000, "{most}");
        }
    }
}
