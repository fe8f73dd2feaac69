use jotmill_test_support::rng::Rng;

use super::*;

fn token(number: u64) -> Vec<u8> {
    format!("header.payload-{number:030}.signature-{number:030}").into_bytes()
}

/// A verdict that shows whose it is.
fn forged(number: u64) -> Cached {
    let number = usize::try_from(number).unwrap();
    let reason = |at: usize| Reason::ALL[at % Reason::COUNT];
    Cached {
        signature: Err(reason(number)),
        reasons: [number, number / Reason::COUNT]
            .map(reason)
            .into_iter()
            .collect(),
        findings: FindingSet::EMPTY,
        dates: None,
        group: None,
    }
}

#[derive(Debug, PartialEq)]
enum Seen {
    Hit(ReasonSet),
    Pending(u32),
    New(EntryId),
    Nothing,
}

/// Looks up a token and admits it where it is missing.
fn see(cache: &mut RepeatCache, token: &[u8], number: u32, is_mac: bool) -> Seen {
    if !cache.is_active {
        return Seen::Nothing;
    }
    let probe = cache.probe(&std::array::from_fn(|at| (at == 0).then_some(token)))[0];
    match cache.look_up(Some(token), &probe) {
        Lookup::Hit(cached) => return Seen::Hit(cached.reasons),
        Lookup::Pending(number) => return Seen::Pending(number),
        Lookup::Miss => {}
    }
    match cache.admit(token, probe, number, is_mac) {
        Admission::New(id) => Seen::New(id),
        Admission::Pending(number) => Seen::Pending(number),
        Admission::None => Seen::Nothing,
    }
}

/// The entry of a token that is admitted now.
fn admit(cache: &mut RepeatCache, token: &[u8], number: u32, is_mac: bool) -> EntryId {
    match see(cache, token, number, is_mac) {
        Seen::New(id) => id,
        other => panic!("{other:?}"),
    }
}

/// A batch that looks up its tokens, whatever came before.
fn begin(cache: &mut RepeatCache) {
    cache.bypass = Bypass::new();
    cache.begin_batch();
}

#[test]
fn a_token_with_a_mac_is_noted_then_admitted_then_a_hit() {
    let mut cache = RepeatCache::new(1 << 20);
    begin(&mut cache);
    assert_eq!(see(&mut cache, &token(1), 0, true), Seen::Nothing);
    let id = admit(&mut cache, &token(1), 7, true);
    assert_eq!(see(&mut cache, &token(1), 8, true), Seen::Pending(7));
    cache.fill(id, forged(5));
    let hit = Seen::Hit(forged(5).reasons);
    assert_eq!(see(&mut cache, &token(1), 9, true), hit);
    begin(&mut cache);
    assert_eq!(see(&mut cache, &token(1), 0, true), hit);
    // An asymmetric signature, short and long; and lengths that are not cached.
    for length in [64, 6_000, 16 << 10] {
        let long = [&vec![b'x'; length - 64][..], &[b'y'; 64]].concat();
        admit(&mut cache, &long, 3, false);
    }
    for length in [0, 1, 7, 8, 63, (16 << 10) + 1] {
        let other = vec![b'x'; length];
        assert_eq!(see(&mut cache, &other, 3, false), Seen::Nothing, "{length}");
    }
}

#[test]
fn a_token_whose_batch_was_stopped_is_verified_again() {
    let mut cache = RepeatCache::new(1 << 20);
    begin(&mut cache);
    let first = admit(&mut cache, &token(1), 0, false);
    begin(&mut cache);
    assert_eq!(see(&mut cache, &token(1), 4, false), Seen::New(first));
    assert_eq!(see(&mut cache, &token(1), 5, false), Seen::Pending(4));
}

#[test]
fn two_cached_tokens_that_differ_in_one_byte_keep_their_verdicts() {
    let one = token(1);
    for at in 0..=one.len() {
        let mut other = one.clone();
        match other.get_mut(at) {
            Some(byte) => *byte ^= 0x80,
            None => drop(other.remove(0)),
        }
        let mut cache = RepeatCache::new(1 << 20);
        begin(&mut cache);
        let mut hits = 0;
        for (token, of) in [(&one, 1), (&other, 2)].repeat(3) {
            match see(&mut cache, token, 0, false) {
                Seen::New(id) => cache.fill(id, forged(of)),
                Seen::Hit(reasons) => {
                    assert_eq!(reasons, forged(of).reasons, "{at}");
                    hits += 1;
                }
                seen => panic!("{seen:?}"),
            }
        }
        // Only the length and the last eight bytes are hashed. Of two tokens with one hash, only the
        // one in the later slot is a hit.
        assert_eq!(
            (cache.next, hits),
            (2, if at < one.len() - 8 { 2 } else { 4 })
        );
    }
}

/// Entries that are not evicted have their slot, unless another token took it, and a place of their
/// own in the ring.
fn check(cache: &RepeatCache) {
    let mut places = Vec::new();
    for number in cache.oldest..cache.next {
        let index = usize::try_from(number).unwrap() % cache.capacity;
        let entry = &cache.entries[index];
        let begin = usize::try_from(entry.position).unwrap() % cache.bytes.len();
        places.push((begin, begin + usize::from(entry.len)));
        if entry.way != NO_WAY {
            let slot = cache.sets[entry.set as usize].slots[usize::from(entry.way)];
            assert_eq!((slot.entry(), slot.at as usize), (Some(index), begin));
        }
    }
    places.sort_unstable();
    places.push((cache.bytes.len(), 0));
    assert!(places.windows(2).all(|pair| pair[0].1 <= pair[1].0));
    let slots = cache.sets.iter().flat_map(|set| set.slots);
    let used = slots.filter_map(Slot::entry).count() as u64;
    assert!(used <= cache.next - cache.oldest);
}

#[test]
fn memory_is_bounded_and_no_entry_is_taken_for_another() {
    for budget in [0, 1, 5000, 20_000, 200 << 10, 1 << 20] {
        let mut cache = RepeatCache::new(budget);
        let (mut hits, mut waiting, mut rng) = (0, Vec::new(), Rng::new(budget as u64));
        for number in 0..20_000 {
            if number % 100 == 0 {
                for (id, of) in waiting.drain(..) {
                    cache.fill(id, forged(of));
                }
                begin(&mut cache);
                check(&cache);
            }
            // Some of many, and some again and again.
            let of = if rng.one_in(3) {
                rng.below(128) as u64
            } else {
                number
            };
            let longest = if of % 50 == 0 { 16_000 } else { 900 };
            let padding = Rng::new(of).below(longest);
            let token = [&vec![b'p'; padding][..], &token(of)].concat();
            match see(&mut cache, &token, 0, of % 2 == 0) {
                Seen::Hit(reasons) => {
                    assert_eq!(reasons, forged(of).reasons);
                    hits += 1;
                }
                Seen::New(id) => waiting.push((id, of)),
                Seen::Pending(_) | Seen::Nothing => {}
            }
        }
        assert_eq!(hits > 1000, budget >= 200 << 10, "{budget}: {hits}");
        assert!(cache.entries.len() <= cache.capacity);
        let capacity = cache.entries.capacity() * size_of::<Entry>();
        let bytes = capacity + size_of_val(&*cache.sets) + cache.bytes.len();
        assert!(bytes <= budget, "{budget}: {bytes}");
    }
}

#[test]
fn an_entry_that_was_evicted_is_not_filled() {
    let mut cache = RepeatCache::new(300 << 10);
    begin(&mut cache);
    let first = admit(&mut cache, &token(0), 0, false);
    let last = cache.capacity as u64;
    for number in 1..=last {
        see(&mut cache, &token(number), 1, false);
    }
    cache.fill(first, forged(3));
    let hit = see(&mut cache, &token(last), 0, false);
    assert_eq!(hit, Seen::Pending(1), "not what was found of another");
}

#[test]
fn a_log_without_repetitions_stores_nothing() {
    let mut cache = RepeatCache::new(8 << 20);
    for number in 0..100_000 {
        if number % 100 == 0 {
            cache.begin_batch();
        }
        see(&mut cache, &token(number), 0, true);
    }
    assert_eq!(cache.next, 0);
}
