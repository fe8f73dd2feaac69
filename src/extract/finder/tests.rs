//! The finder against the naive one, on every platform; and that its work is linear.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::naive::{self, Found};
use super::*;

const LIMIT: usize = 400;

pub(super) fn encode(json: &str) -> String {
    URL_SAFE_NO_PAD.encode(json)
}

/// All finds, as the naive finder lists them.
pub(super) fn finds(platform: Platform, text: &[u8], limit: usize) -> Vec<Found> {
    finds_of(Finder::on(platform, text, limit, false))
}

fn finds_of(mut finder: Finder<'_>) -> Vec<Found> {
    let (text, mut scratch, mut all) = (finder.text, Vec::new(), Vec::new());
    while let Some(Find { start, end, kind }) = finder.next(&mut scratch) {
        let (name, bytes) = match kind {
            FindKind::Cut => ("cut", Vec::new()),
            FindKind::TooLong => ("too-long", Vec::new()),
            FindKind::OtherCredential => ("other", Vec::new()),
            FindKind::Token { spelled, is_sd_jwt } => {
                let bytes = match spelled {
                    Spelled::AsIs => text[start..end].to_vec(),
                    Spelled::Unescaped(range) => scratch[range].to_vec(),
                };
                (if is_sd_jwt { "sd-jwt" } else { "token" }, bytes)
            }
        };
        all.push((start, end, name, bytes));
    }
    all
}

/// Compares every platform with the naive finder, and returns what it finds.
pub(super) fn check(text: &[u8], limit: usize) -> Vec<Found> {
    let expected = naive::finds(text, limit);
    for platform in Platform::each() {
        let found = finds(platform, text, limit);
        assert_eq!(
            found,
            expected,
            "{platform:?} {:?}",
            String::from_utf8_lossy(text)
        );
    }
    expected
}

struct Random(u64);

impl Random {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        &of[self.below(of.len())]
    }
}

fn pieces() -> Vec<Vec<u8>> {
    let headers = [
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"at+jwt", "kid":"ключ?>~","alg":"RS256"}"#,
        "{\n  \"alg\": \"none\"\r\n}",
        r#"{ "alg":null}"#,
        r#"{"alg":"dir","enc":"A128GCM"}"#,
        r#"{"enc":"A128GCM"}"#,
        r#"{"\u0061lg":1,"alg":[1.5e3,-0,true,{"x":[]}]}"#,
        r#"{"0":{"alg":"x"}}"#,
        r#"{"sub":"a","exp":1}"#,
        r#"{"a":{"alg":"x"}"#,
        r#"{"algo":"HS256"}"#,
        "{\t\"alg\":\"\u{fffd}\"}",
    ];
    let mut pieces: Vec<Vec<u8>> = headers
        .iter()
        .map(|json| encode(json).into_bytes())
        .collect();
    let texts: [&[u8]; 55] = [
        b".",
        b".",
        b".",
        b".",
        b"..",
        b"...",
        b"....",
        "…".as_bytes(),
        b"\\u2026",
        b"%E2%80%a6",
        b"=",
        b"==",
        b"===",
        b"~",
        b"%7E",
        b"%2E",
        b"%2e",
        b"%252E",
        b"\\u002e",
        b"\\\\u002E",
        b"\\x2e",
        b"%3D",
        b"%3d",
        b"%2D",
        b"%5f",
        b"\\u005f",
        b"\n",
        b"\r\n",
        b" ",
        b"\"",
        b"\\\"",
        b"\\/",
        b"&",
        b"%26",
        b"token",
        b"key",
        b"eyJ",
        b"eyI",
        b"ewo",
        b"eyJhIjoi",
        b"e",
        b"ey",
        b"Bearer ",
        b"bearer%20",
        b"BEARER: ",
        b"Bearer+",
        b"earer ",
        b"0123456789abcdef",
        b"abcdefghijklmnop",
        b"realm=\"",
        b"/+",
        b"\0",
        b"\xff",
        b"c2lnbmF0dXJl",
        b"eyJzdWIiOiJtZSJ9",
    ];
    pieces.extend(texts.map(<[u8]>::to_vec));
    pieces
}

#[test]
fn every_platform_finds_what_is_found_by_decoding_at_every_position() {
    let pieces = pieces();
    let mut random = Random(18);
    let mut kinds = std::collections::BTreeMap::new();
    for _ in 0..6_000 {
        let mut text = Vec::new();
        for _ in 0..1 + random.below(30) {
            match random.below(9) {
                // Most of a token, so that whole ones are frequent.
                0..3 => {
                    text.extend(&pieces[random.below(12)]);
                    text.extend(*random.pick(&[&b"."[..], b".", b"%2E", b"\\u002e"]));
                    text.extend(b"eyJzdWIiOiJtZSJ9");
                    text.extend(*random.pick(&[&b"."[..], b".", b"%2E", b""]));
                    text.extend(*random.pick(&[&b"c2ln"[..], b"", b"a-_b", b"a%2Db%5F"]));
                }
                _ => text.extend(random.pick(&pieces)),
            }
        }
        for _ in 0..random.below(3) {
            let at = random.below(text.len());
            match random.below(3) {
                0 => text.truncate(at),
                1 => drop(text.remove(at)),
                _ => text[at] ^= 1 << random.below(8),
            }
            if text.is_empty() {
                break;
            }
        }
        let limit = *random.pick(&[60, LIMIT]);
        for (_, _, kind, _) in check(&text, limit) {
            *kinds.entry(kind).or_insert(0) += 1;
        }
    }
    for kind in ["token", "sd-jwt", "cut", "too-long", "other"] {
        assert!(
            kinds.get(kind).is_some_and(|count| *count > 20),
            "{kinds:?}"
        );
    }
}

#[test]
fn a_token_is_found_at_every_distance_from_the_ends_of_vectors() {
    let token = format!("{}.e30.c2ln", encode(r#"{"alg":"HS256"}"#));
    for before in 0..140 {
        for behind in [0, 1, 2, 3, 62, 63, 64, 65, 66, 67] {
            let mut text = vec![b'x'; before];
            text.extend(token.as_bytes());
            text.extend(vec![b' '; behind]);
            let found = check(&text, LIMIT);
            assert_eq!(
                found,
                [(
                    before,
                    before + token.len(),
                    "token",
                    token.clone().into_bytes()
                )]
            );
        }
    }
}

#[test]
fn no_byte_is_mistaken_for_another() {
    let token = format!("{}.e30.c2ln", encode(r#"{"alg":"HS256"}"#));
    for at in 0..token.len() {
        for byte in 0..=u8::MAX {
            let mut text = format!(" {token} {token}").into_bytes();
            text[1 + at] = byte;
            check(&text, LIMIT);
        }
    }
    for (at, byte) in (0..140).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
        let text = [byte; 1];
        let mut run = vec![b'a'; 150];
        run[at] = byte;
        for platform in Platform::each() {
            let expected = if is_base64url(text[0]) { 150 } else { at };
            assert_eq!(search::run_end(platform, &run, 0), expected);
        }
    }
}

#[test]
fn every_object_with_alg_that_the_grammar_allows_is_a_header() {
    for (json, is_header) in [
        (r#"{"alg":1,"alg":2}"#, true),
        (r#"{"a":{"b":[[],{}]},"alg":{}}"#, true),
        (r#"{"alg":"\ud800"}"#, true),
        (r#"{"alg":1e999}"#, true),
        (r#"{"ALG":1}"#, false),
        (r#"{"alg":1,}"#, false),
        (r#"{"alg":01}"#, false),
        (r#"{"alg":"HS256"} x"#, false),
        (r#"{"alg":"HS256"}{}"#, false),
        ("{\"alg\":\"\u{1}\"}", false),
        (r#"{"x":{"alg":1}}"#, false),
        (r#"{"alg"}"#, false),
        (r#"{"alg":tru}"#, false),
    ] {
        let text = format!("{}.e30.c2ln", encode(json));
        let found = finds(Platform::detect(), text.as_bytes(), LIMIT);
        assert_eq!(found.len(), usize::from(is_header), "{json}");
    }
    let deep = format!(
        r#"{{"a":{}{},"alg":1}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let text = format!("{}.e30.c2ln", encode(&deep));
    assert_eq!(finds(Platform::detect(), text.as_bytes(), 1 << 20).len(), 1);
}

#[test]
fn hostile_texts_are_read_in_linear_time() {
    let member = encode(r#"{"a":{"bb":"#);
    assert_eq!(member.len() % 4, 3);
    let nested = encode(&r#"{"a":{"alg":"#.repeat(40_000)[..480_000]);
    let strings = encode(&format!(
        r#"{{"a":["{{",{}"#,
        r#"":1,","{","#.repeat(50_000)
    ));
    let texts = [
        "eyJ".repeat(350_000),
        "eyJ".repeat(350_000) + ".",
        "eyJ.".repeat(260_000),
        "eyA".repeat(350_000) + ".",
        encode(&"{ ".repeat(260_000)) + ".",
        encode(&r#"{"a":"#.repeat(150_000)) + ".",
        encode(&(r#"{"aa":"#.repeat(100_000) + "1" + &"}".repeat(99_999))) + ".",
        nested + ".e30.",
        strings + ".",
        "A".repeat(1 << 20),
        "%25".repeat(300_000),
        "\\".repeat(1 << 20),
        "eyJ%2E".repeat(150_000),
        format!("{}.", encode(r#"{"alg":1}"#)).repeat(50_000),
        "Bearer 0123456789abcdef ".repeat(40_000),
    ];
    for text in &texts {
        let (mut finder, mut scratch) = (Finder::new(text.as_bytes(), 1 << 20, false), Vec::new());
        while finder.next(&mut scratch).is_some() {}
        let steps = finder.headers.steps + finder.scanned.get();
        assert!(steps <= 16 * text.len(), "{} {steps}", &text[..40]);
    }
}

#[test]
fn tokens_in_one_more_layer_of_base64_are_found_where_they_are() {
    let token = format!("{}.e30.c2lnPz8_", encode(r#"{"alg":"HS256"}"#));
    let check = |text: &str, count| {
        let found = finds_of(Finder::new(text.as_bytes(), LIMIT, true));
        let is_token = |find: &Found| find.2 == "token" && find.3 == token.as_bytes();
        assert_eq!(found.len(), count, "{text}");
        assert!(found.iter().all(is_token), "{found:?}");
        assert!(found.windows(2).all(|two| two[0].1 <= two[1].0));
        found
    };
    let standard = &base64::engine::general_purpose::STANDARD;
    let engines = [&URL_SAFE_NO_PAD, standard];
    for (engine, before, glued) in engines
        .into_iter()
        .flat_map(|engine| (0..7).map(move |before| (engine, before)))
        .flat_map(|(engine, before)| (0..5).map(move |glued| (engine, before, glued)))
    {
        let inner = format!("{}{token}{}", "?".repeat(before), "\n>".repeat(before));
        let wrapped = engine.encode(inner);
        let plain = format!("key: \"{}{wrapped}\", ", "x".repeat(glued));
        let found = check(&plain, 1);
        // Exactly the characters that have bits of it.
        let begin = "key: \"".len() + glued;
        let last = ((before + token.len()) * 8 - 1) / 6;
        let expected = (begin + before * 8 / 6, begin + last + 1);
        assert_eq!((found[0].0, found[0].1), expected, "{plain}");
        check(&plain.replace('/', "\\/"), 1);
        check(&plain.replace('+', "%2B").replace('/', "%2f"), 1);
        assert!(finds_of(Finder::new(plain.as_bytes(), LIMIT, false)).is_empty());
    }
    let wrapped = URL_SAFE_NO_PAD.encode(format!("user:{token}"));
    let two = URL_SAFE_NO_PAD.encode(format!("{token} and {token}"));
    check(&format!("Basic {wrapped} {token} {two}"), 4);
    check(&format!("{token} {token}"), 2);
    // A token is preferred to a credential that is none.
    check(&format!("Bearer {wrapped}"), 1);
    // Not in two layers more.
    check(&URL_SAFE_NO_PAD.encode(&wrapped), 0);
    // A token within a token is part of it.
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"inner":"{token}"}}"#));
    let outer = format!("{}.{claims}.c2ln", encode(r#"{"alg":"HS256"}"#));
    let found = finds_of(Finder::new(outer.as_bytes(), LIMIT, true));
    let expected = (0, outer.len(), "token", outer.clone().into_bytes());
    assert_eq!(found, [expected]);
}
