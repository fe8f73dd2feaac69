//! Layouts of every scanner against the walk.

use super::super::PADDING;
use super::layout::LONGEST;
use super::*;
use jotmill_test_support::payloads;

/// The padding must make no difference.
fn padded(payload: &[u8]) -> Vec<u8> {
    let mut padded = payload.to_vec();
    padded.resize(payload.len() + PADDING, b"\"}0\x80"[payload.len() % 4]);
    padded
}

fn names() -> Vec<Box<str>> {
    ["tenant".into(), "n".into()].to_vec()
}

/// Notes a payload if the scanner accepts it, and says whether it does.
fn note(layouts: &mut Layouts, scanner: Scanner, payload: &[u8], extra: &[Box<str>]) -> bool {
    let (padded, mut claims) = (padded(payload), Claims::none());
    let scan = scanner.scan(&padded, payload.len(), extra, &mut claims);
    if scan.is_some() {
        layouts.note(scanner, &padded, payload.len(), extra, &claims);
    }
    scan.is_some()
}

/// Whether a payload has a known layout; if so, its claims are those that the scanner finds.
fn is_known(layouts: &mut Layouts, scanner: Scanner, payload: &[u8], extra: &[Box<str>]) -> bool {
    let (padded, len) = (padded(payload), payload.len());
    let found = layouts.find(scanner, &padded, len, extra);
    let is_known = found.is_some();
    if let Some((index, text)) = found {
        let mut claims = Claims::none();
        layouts.at(index).read(text, &mut claims).unwrap();
        let mut scanned = Claims::none();
        let scan = scanner.scan(&padded, len, extra, &mut scanned);
        let shown = String::from_utf8_lossy(payload);
        assert!(scan.is_some(), "{shown}");
        assert_eq!(claims, scanned, "{shown}");
    }
    is_known
}

/// Payloads that have a layout. In the last, a block of sixty-four bytes ends in each kind of
/// token somewhere.
fn usual() -> Vec<String> {
    let usual = [
        r#"{"iss":"a","sub":"","aud":"api","exp":1790003600,"nbf":1790000000,"iat":1790000000,"jti":"x"}"#,
        r#"{"tenant":"t","n":1234567890,"a":1790000000.5,"x":[1234567890,"s",-123456789,12,1e9]}"#,
        r#"{ "aud" : [ "a" , "api" ] , "exp" : 1790003600, "x" : { "exp" : 1790003600, "y":[{}] } }"#,
        r#"{"aud":[],"tenant":null,"a":"aud","b":["iss"],"c":{"sub":"x"},"sub":"y"}"#,
    ];
    let mut all = usual.map(str::to_owned).to_vec();
    all.extend((0..64).map(|n| format!(r#"{{"x":"{}",{}"#, "x".repeat(n), &usual[0][1..])));
    all
}

#[test]
fn any_byte_at_any_place_is_read_as_the_walk_reads_it_or_left_to_it() {
    for scanner in Scanner::each() {
        let (mut known, mut all) = (0_u32, 0_u32);
        for payload in usual() {
            let mut layouts = Layouts::new();
            assert!(note(&mut layouts, scanner, payload.as_bytes(), &names()));
            let mut payload = payload.into_bytes();
            let shown = String::from_utf8_lossy(&payload).into_owned();
            assert!(
                is_known(&mut layouts, scanner, &payload, &names()),
                "{shown}"
            );
            assert!(!is_known(&mut layouts, scanner, &payload, &[]));
            for at in 0..payload.len() {
                let own = payload[at];
                for byte in 0..=u8::MAX {
                    payload[at] = byte;
                    all += 1;
                    known += u32::from(is_known(&mut layouts, scanner, &payload, &names()));
                }
                payload[at] = own;
            }
            let longer = [&payload[..], b" "].concat();
            assert!(!is_known(&mut layouts, scanner, &longer, &names()));
            let shorter = &payload[..payload.len() - 1];
            assert!(!is_known(&mut layouts, scanner, shorter, &names()));
            assert!(!is_known(&mut layouts, scanner, b"", &names()));
        }
        assert!(known > all / 10, "{scanner:?}: {known} of {all}");
    }
}

#[test]
fn values_may_differ_and_nothing_else() {
    let extra = names();
    for scanner in Scanner::each() {
        let mut layouts = Layouts::new();
        let one = br#"{"iss":"one","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#;
        assert!(note(&mut layouts, scanner, one, &extra));
        let mut is = |payload: &str| {
            assert_eq!(payload.len(), one.len());
            is_known(&mut layouts, scanner, payload.as_bytes(), &extra)
        };
        // Values.
        assert!(is(
            r#"{"iss":"two","n":"b","exp":9999999999,"x":{"y":","},"b":true,"c":12}"#
        ));
        for other in [
            // The names of members, also of an inner object.
            r#"{"iss":"one","m":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
            r#"{"iss":"one","n":"a","exp":1790003600,"x":{"z":"z"},"b":true,"c":12}"#,
            // Numbers, of other than ten digits, with a zero in front, with other than digits.
            r#"{"iss":"one","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":13}"#,
            r#"{"iss":"one","n":"a","exp":0790003600,"x":{"y":"z"},"b":true,"c":12}"#,
            r#"{"iss":"one","n":"a","exp":17900036.5,"x":{"y":"z"},"b":true,"c":12}"#,
            // A string that ends early, an escape, a byte that is no ASCII.
            r#"{"iss":"o"  ,"n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
            r#"{"iss":"o\n","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
            r#"{"iss":"oé","n":"a","exp":1790003600,"x":{"y":"z"},"b":true,"c":12}"#,
        ] {
            assert!(!is(other), "{other}");
        }
    }
}

#[test]
fn what_is_unusual_has_no_layout() {
    let unusual = [
        r#"{"sub":"o\u006e\u0065"}"#,
        r#"{"tenant":"\\"}"#,
        "{\"tenant\":\"\u{e9}\"}",
        r#"{"exp":1790003600.5}"#,
        r#"{"exp":179000360}"#,
        r#"{"exp":-179000360}"#,
        r#"{"exp":"1790003600"}"#,
        r#"{"iss":1790003600}"#,
        r#"{"iss":null}"#,
        r#"{"sub":["x"]}"#,
        r#"{"jti":{"jti":"x"}}"#,
        r#"{"aud":["x",1790003600]}"#,
        r#"{"aud":{"x":"y"}}"#,
    ];
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(LONGEST));
    for scanner in Scanner::each() {
        for payload in unusual.into_iter().chain([&*long]) {
            let mut layouts = Layouts::new();
            note(&mut layouts, scanner, payload.as_bytes(), &[]);
            let is_known = is_known(&mut layouts, scanner, payload.as_bytes(), &[]);
            assert!(!is_known, "{scanner:?}: {payload}");
        }
    }
}

#[test]
fn many_layouts_one_after_the_other_never_mislead() {
    let extra = names();
    for scanner in Scanner::each() {
        let layouts = std::cell::RefCell::new(Layouts::new());
        let known = std::cell::Cell::new(0);
        payloads::hold(12_000, |payload| {
            let mut layouts = layouts.borrow_mut();
            if is_known(&mut layouts, scanner, payload, &extra) {
                known.set(known.get() + 1);
                return;
            }
            layouts.left = 0;
            if note(&mut layouts, scanner, payload, &extra) {
                // One that has a layout is known by it from now on.
                is_known(&mut layouts, scanner, payload, &extra);
            }
        });
        assert!(known.get() > 100, "{scanner:?}: {}", known.get());
    }
}

#[test]
fn layouts_are_made_rarely_while_none_is_hit_and_often_again_once_some_are() {
    let scanner = Scanner::best();
    let mut layouts = Layouts::new();
    // No two of the same length and names among those in the cache.
    let other = |n: usize| format!(r#"{{"n{n:05}":"{}"}}"#, "x".repeat(n * 7 % 500));
    for n in 0..5000 {
        let payload = other(n);
        assert!(!is_known(&mut layouts, scanner, payload.as_bytes(), &[]));
        assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
    }
    assert!(layouts.pause >= 1024, "{}", layouts.pause);
    let mut misses = 0;
    for n in 0..20_000 {
        let payload = format!(r#"{{"sub":"{n:020}"}}"#);
        if !is_known(&mut layouts, scanner, payload.as_bytes(), &[]) {
            misses += 1;
            assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
        }
    }
    assert!(misses <= 2 * LONGEST_PAUSE, "{misses}");
}

#[test]
fn making_layouts_costs_no_more_than_they_save() {
    let scanner = Scanner::best();
    for (shapes, least_known) in [(1, 19_900), (WAYS, 19_500), (WAYS + 1, 10_000), (40, 0)] {
        let mut layouts = Layouts::new();
        let (mut chance, mut known, mut made) = (1_u64, 0, 0);
        for _ in 0..20_000 {
            // A linear congruential generator, by its upper bits.
            chance = chance
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let shape = (chance >> 33) as usize % shapes;
            let payload = format!(r#"{{"n{shape:05}":"{:010}"}}"#, chance % 1_000_000);
            if is_known(&mut layouts, scanner, payload.as_bytes(), &[]) {
                known += 1;
                continue;
            }
            made += u32::from(layouts.left == 0);
            assert!(note(&mut layouts, scanner, payload.as_bytes(), &[]));
        }
        assert!(known >= least_known, "{shapes}: {known}");
        assert!(made * MAKING <= known + 500, "{shapes}: {made}, {known}");
    }
}
