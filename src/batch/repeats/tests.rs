use super::*;

fn token(number: u64) -> Vec<u8> {
    format!("header.payload-{number:030}.signature-{number:030}").into_bytes()
}

/// A verdict whose findings are the bits of a number.
fn forged(number: u64) -> Cached {
    let mut findings = FindingSet::EMPTY;
    for &finding in crate::verdict::Finding::ALL {
        if number >> finding as u64 & 1 == 1 {
            findings.insert(finding);
        }
    }
    Cached {
        signature: Err(Reason::SignatureMismatch),
        reasons: Reason::SignatureMismatch.into(),
        findings,
        dates: None,
        group: None,
    }
}

#[derive(Debug, PartialEq)]
enum Seen {
    Hit(FindingSet),
    Pending(u32),
    New(EntryId),
    Nothing,
}

/// Looks up a token and admits it where it is missing.
fn see(cache: &mut RepeatCache, token: &[u8], number: u32, is_mac: bool) -> Seen {
    if !cache.is_active {
        return Seen::Nothing;
    }
    let mut group = [None; GROUP];
    group[0] = Some(token);
    let probe = cache.probe(&group)[0];
    match cache.look_up(Some(token), &probe) {
        Lookup::Hit(cached) => return Seen::Hit(cached.findings),
        Lookup::Pending(number) => return Seen::Pending(number),
        Lookup::Miss => {}
    }
    match cache.admit(token, probe, number, is_mac) {
        Admission::New(id) => Seen::New(id),
        Admission::Pending(number) => Seen::Pending(number),
        Admission::None => Seen::Nothing,
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
    let Seen::New(id) = see(&mut cache, &token(1), 7, true) else {
        panic!("it is admitted")
    };
    assert_eq!(see(&mut cache, &token(1), 8, true), Seen::Pending(7));
    cache.fill(id, forged(5));
    assert_eq!(
        see(&mut cache, &token(1), 9, true),
        Seen::Hit(forged(5).findings)
    );
    begin(&mut cache);
    assert_eq!(
        see(&mut cache, &token(1), 0, true),
        Seen::Hit(forged(5).findings)
    );
    // An asymmetric signature, short and long; and lengths that are not cached.
    for length in [64, 6_000, 16 << 10] {
        let long = [&vec![b'x'; length - 64][..], &[b'y'; 64]].concat();
        assert!(
            matches!(see(&mut cache, &long, 3, false), Seen::New(_)),
            "{length}"
        );
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
    let Seen::New(first) = see(&mut cache, &token(1), 0, false) else {
        panic!("it is admitted")
    };
    begin(&mut cache);
    assert_eq!(see(&mut cache, &token(1), 4, false), Seen::New(first));
    assert_eq!(see(&mut cache, &token(1), 5, false), Seen::Pending(4));
}

#[test]
fn tokens_that_differ_in_one_byte_are_told_apart() {
    let mut cache = RepeatCache::new(1 << 20);
    begin(&mut cache);
    let one = token(1);
    let Seen::New(id) = see(&mut cache, &one, 0, false) else {
        panic!("it is admitted")
    };
    cache.fill(id, forged(1));
    let mut is_hit = |token: &[u8]| {
        let mut group = [None; GROUP];
        group[0] = Some(token);
        let probe = cache.probe(&group)[0];
        matches!(cache.look_up(Some(token), &probe), Lookup::Hit(_))
    };
    for at in 0..one.len() {
        let mut other = one.clone();
        other[at] ^= 0x80;
        assert!(!is_hit(&other), "{at}");
    }
    assert!(!is_hit(&one[1..]) && is_hit(&one));
}

#[test]
fn memory_is_bounded_and_no_entry_is_taken_for_another() {
    for budget in [0, 1, 5000, 20_000, 200 << 10, 1 << 20] {
        let mut cache = RepeatCache::new(budget);
        let (mut hits, mut waiting) = (0, Vec::new());
        for number in 0..20_000_u64 {
            if number % 100 == 0 {
                for (id, of) in waiting.drain(..) {
                    cache.fill(id, forged(of));
                }
                begin(&mut cache);
            }
            // Some of many, and some again and again.
            let of = if number % 3 == 0 {
                number % 128
            } else {
                number
            };
            let mut token = token(of);
            let padding = usize::try_from(of * 7 % 900).unwrap();
            token.splice(..0, vec![b'p'; padding]);
            match see(&mut cache, &token, 0, of % 2 == 0) {
                Seen::Hit(findings) => {
                    assert_eq!(findings, forged(of).findings);
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
        // Each entry that is not evicted has its slot, unless another token took that.
        for number in cache.oldest..cache.next {
            let index = usize::try_from(number).unwrap() % cache.capacity;
            let entry = &cache.entries[index];
            if entry.way != NO_WAY {
                let slot = cache.sets[entry.set as usize].slots[usize::from(entry.way)];
                assert_eq!(slot.entry(), Some(index));
            }
        }
        let slots = cache.sets.iter().flat_map(|set| set.slots);
        let used = slots.filter_map(Slot::entry).count() as u64;
        assert!(used <= cache.next - cache.oldest);
    }
}

#[test]
fn an_entry_that_was_evicted_is_not_filled() {
    let mut cache = RepeatCache::new(300 << 10);
    begin(&mut cache);
    let Seen::New(first) = see(&mut cache, &token(0), 0, false) else {
        panic!("it is admitted")
    };
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
