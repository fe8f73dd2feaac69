//! Tokens that are signed as their route says: headers and payloads of good members, of odd ones,
//! and of damaged text.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::json;
use super::keys::{Route, Signers};
use super::{AUDIENCE, ISSUER, NOW, SUBJECT};
use crate::rng::Rng;

/// How much of one part of a token is odd.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Temper {
    /// Nothing that a policy of this module's constants would refuse.
    Good,
    /// One thing is odd, mostly; sometimes several, or the whole text.
    Hostile,
}

/// A token signed by the key of its route.
pub(super) fn token(
    rng: &mut Rng,
    signers: &Signers,
    route: Route,
    header_temper: Temper,
    payload_temper: Temper,
) -> String {
    let mut text = Vec::with_capacity(512);
    let mut line = String::with_capacity(768);

    header(rng, route, header_temper, &mut text);
    URL_SAFE_NO_PAD.encode_string(&text, &mut line);
    if header_temper == Temper::Hostile && rng.one_in(16) {
        spoil_segment(rng, &mut line);
    }
    line.push('.');

    text.clear();
    payload(rng, payload_temper, &mut text);
    let mut segment = String::with_capacity(512);
    URL_SAFE_NO_PAD.encode_string(&text, &mut segment);
    if payload_temper == Temper::Hostile && rng.one_in(24) {
        spoil_segment(rng, &mut segment);
    }
    line.push_str(&segment);
    signers.sign(route, &mut line);
    line
}

/// Makes base64url that has another canonical form, or none.
pub(super) fn spoil_segment(rng: &mut Rng, segment: &mut String) {
    match rng.below(8) {
        0 => segment.push('='),
        1 => segment.push_str("=="),
        2 => drop(segment.pop()),
        3 => segment.push(char::from(b"AQg_-"[rng.below(5)])),
        4 => *segment = segment.replace('-', "+").replace('_', "/"),
        5 => segment.insert(
            rng.below(segment.len() + 1),
            rng.pick(&["+", "/", " ", "%", "\r", "\0"])
                .chars()
                .next()
                .unwrap_or(' '),
        ),
        6 => segment.clear(),
        // Another last character, often with the same bits that count.
        _ => {
            if let Some(last) = segment.pop() {
                segment.push(char::from(last as u8 ^ 1));
            }
        }
    }
}

fn header(rng: &mut Rng, route: Route, temper: Temper, out: &mut Vec<u8>) {
    let kid = match route.kid {
        Some(kid) if rng.one_in(12) => {
            let mut text = Vec::new();
            json::escaped_name(rng, kid, &mut text);
            text
        }
        Some(kid) => format!("\"{kid}\"").into_bytes(),
        None => Vec::new(),
    };
    let alg: &[u8] = match route.alg.name() {
        "HS256" if rng.one_in(12) => b"\"HS\\u003256\"",
        "HS256" => b"\"HS256\"",
        "HS384" => b"\"HS384\"",
        _ => b"\"HS512\"",
    };
    const TYPS: [&str; 8] = [
        "\"JWT\"",
        "\"JWT\"",
        "\"JWT\"",
        "\"JWT\"",
        "\"jwt\"",
        "\"application/jwt\"",
        "\"Application/JWT\"",
        "\"\\u004aWT\"",
    ];
    let typ = rng.pick(&TYPS).as_bytes();
    let odd = Oddity::choose(rng, temper, HEADER_CHOICES);

    let mut object = Object::open(rng, out);
    let first = object.rng.below(3);
    for index in (0..3).map(|index| (index + first) % 3) {
        let (name, value) = [("alg", alg), ("typ", typ), ("kid", &kid[..])][index];
        if odd.is_on(index) {
            odd_header_member(&mut object, name, value);
        } else if !value.is_empty() {
            object.member(name, value);
        }
    }
    if odd.is_on(EXTRA_IN_HEADER) {
        extra_header_members(&mut object);
    } else if object.rng.one_in(8) {
        harmless_header_member(&mut object);
    }
    object.close();
    if odd.is_on(TEXT) {
        json::damage(rng, out);
    }
}

fn odd_header_member(object: &mut Object<'_>, name: &str, good: &[u8]) {
    const ALGS: [&str; 30] = [
        "\"none\"",
        "\"None\"",
        "\"nOnE\"",
        "\"NONE\"",
        "\"\\u006eone\"",
        "\"hs256\"",
        "\"HS256 \"",
        "\"HS256\\u0000\"",
        "\"HS257\"",
        "\"HS25\"",
        "\"\"",
        "\"RS256\"",
        "\"ES256\"",
        "\"EdDSA\"",
        "\"PS512\"",
        "\"ML-DSA-44\"",
        "\"dir\"",
        "null",
        "256",
        "true",
        "[\"HS256\"]",
        "{\"alg\":\"HS256\"}",
        "[]",
        "\"HS256\"",
        "\"HS384\"",
        "\"HS512\"",
        "\"HS1\"",
        "\"none \"",
        "\"n\u{f6}ne\"",
        "\"HS384\"",
    ];
    const TYPS: [&str; 18] = [
        "\"JWT\"",
        "\"jwt\"",
        "\"application/jwt\"",
        "\"APPLICATION/JWT\"",
        "\"at+jwt\"",
        "\"application/at+jwt\"",
        "\"JWT \"",
        "\"/JWT\"",
        "\"text/JWT\"",
        "\"\"",
        "\"JW\"",
        "null",
        "1",
        "[\"JWT\"]",
        "{}",
        "false",
        "\"\\u004AWT\"",
        "\"application\\/jwt\"",
    ];
    const KIDS: [&str; 28] = [
        "\"hs256\"",
        "\"HS256\"",
        "\"hs256 \"",
        "\"hs25\"",
        "\"\\u0068s256\"",
        "\"twin\"",
        "\"long\"",
        "\"short\"",
        "\"\"",
        "\"nobody\"",
        "\"broken\"",
        "\"rsa\"",
        "\"enc\"",
        "\"empty\"",
        "\"wrap\"",
        "\"rs256\"",
        "\"../../dev/null\"",
        "\"' OR 1=1 --\"",
        "\"\\u0000\"",
        "\"hs256\\u0000\"",
        "\"cl\u{e9} \u{1f511}\\/..\\/'\"",
        "null",
        "1",
        "[\"hs256\"]",
        "{}",
        "true",
        "0.5",
        "[]",
    ];
    match object.rng.below(12) {
        0 => {}
        1 => duplicate(object, name, good),
        2 => misnamed(object, name, good),
        3 => object.member_with(name, json::value),
        _ => {
            let value = match name {
                "alg" => object.rng.pick(&ALGS),
                "typ" => object.rng.pick(&TYPS),
                _ => object.rng.pick(&KIDS),
            };
            object.member(name, value.as_bytes());
        }
    }
}

/// Members of `crit` and `b64`, together because they speak of each other; others to be ignored;
/// and some that are wrong whatever their name.
fn extra_header_members(object: &mut Object<'_>) {
    const CRITICAL: [&str; 34] = [
        r#""crit":["b64"],"b64":true"#,
        r#""crit":["\u006264"],"b64":true"#,
        r#""crit":["b64"]"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":["b64"],"b64":null"#,
        r#""b64":true"#,
        r#""b64":false"#,
        r#""b64":"true""#,
        r#""b64":1"#,
        r#""b64":[true]"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":{}"#,
        r#""crit":"b64","b64":true"#,
        r#""crit":["b64","b64"],"b64":true"#,
        r#""crit":["b64","\u0062\u0036\u0034"],"b64":true"#,
        r#""crit":["exp"],"exp":1790003600"#,
        r#""crit":["exp"]"#,
        r#""crit":["exp","b64"],"exp":1,"b64":true"#,
        r#""crit":["exp","b64"],"exp":1,"b64":false"#,
        r#""crit":["alg"]"#,
        r#""crit":["crit"]"#,
        r#""crit":["cty"],"cty":"JWT""#,
        r#""crit":["x5t#S256"],"x5t#S256":"""#,
        r#""crit":["enc"],"enc":"A128GCM""#,
        r#""crit":["zip"],"zip":"DEF""#,
        r#""crit":["p2c"],"p2c":1"#,
        r#""crit":[""],"":1"#,
        r#""crit":[1],"1":1"#,
        r#""crit":[null]"#,
        r#""crit":[["b64"]],"b64":true"#,
        r#""crit":["http://example.invalid/x"],"http://example.invalid/x":true"#,
        r#""crit":["http:\/\/example.invalid\/x"],"http://example.invalid/x":null"#,
        r#""crit":["B64"],"b64":true"#,
    ];
    match object.rng.below(8) {
        0..=3 => {
            let text = object.rng.pick(&CRITICAL);
            object.raw(text.as_bytes());
        }
        4 => object.member_with("cty", json::value),
        5 => object.member_with("x", json::value),
        6 => object.member_with("deep", json::nested),
        _ => harmless_header_member(object),
    }
}

/// Members that a validator may report but must not act on.
fn harmless_header_member(object: &mut Object<'_>) {
    const MEMBERS: [&str; 12] = [
        r#""nonce":"AQABAAAA""#,
        r#""zip":"DEF""#,
        r#""cty":"JWT""#,
        r#""cty":"""#,
        r#""jwk":{"kty":"oct","k":"c2VjcmV0"}"#,
        r#""jku":"https://example.invalid/keys""#,
        r#""x5u":"https://example.invalid/chain""#,
        r#""x5c":["MIIB"]"#,
        r#""x":{"alg":"none","alg":"none"}"#,
        r#""ALG":"none""#,
        r#""":null"#,
        r#""b64":true"#,
    ];
    let text = object.rng.pick(&MEMBERS);
    object.raw(text.as_bytes());
}

/// The names whose good members make a valid payload. `tenant` is an unregistered one.
const CLAIMS: [&str; 8] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "tenant"];

fn payload(rng: &mut Rng, temper: Temper, out: &mut Vec<u8>) {
    let odd = Oddity::choose(rng, temper, PAYLOAD_CHOICES);
    let issued = NOW - rng.below(3000) as i64;
    let expires = NOW + 1 + rng.below(3000) as i64;
    let mut good = Vec::with_capacity(64);

    let mut object = Object::open(rng, out);
    let first = object.rng.below(CLAIMS.len());
    for index in (0..CLAIMS.len()).map(|index| (index + first) % CLAIMS.len()) {
        let name = CLAIMS[index];
        good.clear();
        good_claim(object.rng, name, issued, expires, &mut good);
        if odd.is_on(index) {
            odd_claim(&mut object, name, &good);
        } else {
            object.member(name, &good);
        }
    }
    if odd.is_on(EXTRA_IN_PAYLOAD) {
        for _ in 0..1 + object.rng.below(2) {
            match object.rng.below(5) {
                0 => object.member_with("deep", json::nested),
                1 => object.member_with("deeper", |rng, out| {
                    out.extend_from_slice(b"{\"x\":");
                    json::nested(rng, out);
                    // The later of two names must not hide how deep the earlier one was.
                    out.extend_from_slice(b",\"x\":0}");
                }),
                2 => {
                    object.comma();
                    json::string(object.rng, object.out);
                    object.out.push(b':');
                    json::value(object.rng, object.out);
                }
                _ => object.member_with("x", json::value),
            }
        }
    } else if object.rng.one_in(4) {
        let text = object.rng.pick(&[
            r#""name":"Ren\u00e9 \ud83d\ude00""#,
            r#""scope":"read write""#,
            r#""":{"exp":1,"exp":2}"#,
            r#""EXP":1"#,
            r#""roles":["a","b",["c"]]"#,
            r#""https://example.invalid/claim":-1.5e-3"#,
        ]);
        object.raw(text.as_bytes());
    }
    if object.rng.one_in(3000) {
        object.member_with("long", |rng, out| {
            let count = rng.below(45_000);
            out.push(b'"');
            out.extend((0..count).map(|at| b'a' + (at % 26) as u8));
            out.push(b'"');
        });
    }
    object.close();
    if odd.is_on(TEXT) {
        json::damage(rng, out);
    }
}

fn good_claim(rng: &mut Rng, name: &str, issued: i64, expires: i64, out: &mut Vec<u8>) {
    let text = |rng: &mut Rng, plain: &str, out: &mut Vec<u8>| {
        if rng.one_in(16) {
            json::escaped_name(rng, plain, out);
        } else {
            out.push(b'"');
            out.extend_from_slice(plain.as_bytes());
            out.push(b'"');
        }
    };
    match name {
        "iss" => text(rng, ISSUER, out),
        "sub" => text(rng, SUBJECT, out),
        "aud" => match rng.below(6) {
            0 => {
                out.extend_from_slice(b"[\"other\",");
                text(rng, AUDIENCE, out);
                out.push(b']');
            }
            1 => {
                out.extend_from_slice(b"[ ");
                text(rng, AUDIENCE, out);
                out.extend_from_slice(b" , \"\"\n]");
            }
            _ => text(rng, AUDIENCE, out),
        },
        "exp" => json::moment(rng, expires, out),
        "nbf" if rng.one_in(8) => {
            out.extend_from_slice(
                rng.pick(&["0", "-0", "-1.5", "1e-400", "-1e300"])
                    .as_bytes(),
            );
        }
        "nbf" | "iat" => json::moment(rng, issued, out),
        "jti" => {
            const JTIS: [&str; 6] = [
                "\"\"",
                "\"0f8fad5b-d9cb-469f\"",
                "\"\\u0000\"",
                "\"\u{1f511}\"",
                "\"\\ud83d\\ude00\"",
                "\"a\"",
            ];
            out.extend_from_slice(rng.pick(&JTIS).as_bytes());
        }
        _ => out.extend_from_slice(
            rng.pick(&["\"acme\"", "\"\"", "[]", "{}", "0", "false", "[null]"])
                .as_bytes(),
        ),
    }
}

fn odd_claim(object: &mut Object<'_>, name: &str, good: &[u8]) {
    const ISSUERS: [&str; 16] = [
        "\"https://auth.example.com\"",
        "\"https://auth.example.com//\"",
        "\"HTTPS://auth.example.com/\"",
        "\"https://auth.example.com/\\u0000\"",
        "\" https://auth.example.com/\"",
        "\"https\"",
        "\"\"",
        "[\"https://auth.example.com/\"]",
        "[]",
        "null",
        "{}",
        "1",
        "\"https:\\/\\/auth.example.com\\/\"",
        "\"https://auth.example.co\u{43c}/\"",
        "\"https://auth.example.com/\\ud800\"",
        "true",
    ];
    const SUBJECTS: [&str; 8] = [
        "\"user-2\"",
        "\"User-1\"",
        "\"user-1 \"",
        "\"user-10\"",
        "[\"user-1\"]",
        "null",
        "1",
        "\"\"",
    ];
    const AUDIENCES: [&str; 18] = [
        "\"api://order\"",
        "\"api://orders/\"",
        "\"API://orders\"",
        "[]",
        "[\"other\"]",
        "\"\"",
        "[\"\"]",
        "[\"api://orders\",1]",
        "[1,\"api://orders\"]",
        "[\"api://orders\",null]",
        "[[\"api://orders\"]]",
        "{\"api://orders\":1}",
        "null",
        "1",
        "true",
        "[\"api://orders\",\"api://orders\"]",
        "\"other api://orders\"",
        "[\"a\",\"b\",\"c\",\"api:\\/\\/orders\"]",
    ];
    match object.rng.below(16) {
        0 => {}
        1 => object.member(name, b"null"),
        2 => object.member_with(name, json::value),
        3 => duplicate(object, name, good),
        4 => misnamed(object, name, good),
        _ => match name {
            "iss" => {
                let text = object.rng.pick(&ISSUERS);
                object.member(name, text.as_bytes());
            }
            "sub" => {
                let text = object.rng.pick(&SUBJECTS);
                object.member(name, text.as_bytes());
            }
            "aud" => {
                let text = object.rng.pick(&AUDIENCES);
                object.member(name, text.as_bytes());
            }
            "jti" | "tenant" => object.member_with(name, json::value),
            _ if object.rng.one_in(2) => object.member_with(name, json::near_an_edge),
            _ => object.member_with(name, json::number),
        },
    }
}

/// The member twice, the second with the same name or another spelling of it.
fn duplicate(object: &mut Object<'_>, name: &str, good: &[u8]) {
    let good: &[u8] = if good.is_empty() { b"null" } else { good };
    object.member(name, good);
    object.comma();
    if object.rng.one_in(2) {
        json::escaped_name(object.rng, name, object.out);
    } else {
        object.out.extend([b"\"", name.as_bytes(), b"\""].concat());
    }
    object.out.push(b':');
    if object.rng.one_in(2) {
        object.out.extend_from_slice(good);
    } else {
        json::value(object.rng, object.out);
    }
}

/// The member under its own name in escapes, or under a name that only looks like it.
fn misnamed(object: &mut Object<'_>, name: &str, good: &[u8]) {
    let good: &[u8] = if good.is_empty() { b"null" } else { good };
    object.comma();
    match object.rng.below(5) {
        0 | 1 => json::escaped_name(object.rng, name, object.out),
        2 => object
            .out
            .extend(format!("\"{}\"", name.to_uppercase()).bytes()),
        3 => object.out.extend(format!("\"{name} \"").bytes()),
        _ => object.out.extend(format!("\"{name}\\u0000\"").bytes()),
    }
    object.out.push(b':');
    object.out.extend_from_slice(good);
}

/// Which parts of a text are odd: one bit each.
#[derive(Clone, Copy)]
struct Oddity(u32);

/// The three members of a header come first, the eight of a payload.
const HEADER_CHOICES: [usize; 7] = [0, 0, 1, 2, EXTRA_IN_HEADER, EXTRA_IN_HEADER, TEXT];
const EXTRA_IN_HEADER: usize = 3;
const PAYLOAD_CHOICES: [usize; 15] = [
    0,
    1,
    2,
    3,
    3,
    4,
    4,
    5,
    5,
    6,
    7,
    EXTRA_IN_PAYLOAD,
    EXTRA_IN_PAYLOAD,
    TEXT,
    TEXT,
];
const EXTRA_IN_PAYLOAD: usize = 8;
const TEXT: usize = 9;

impl Oddity {
    fn choose<const N: usize>(rng: &mut Rng, temper: Temper, choices: [usize; N]) -> Oddity {
        if temper == Temper::Good {
            return Oddity(0);
        }
        // One, and each one more is half as likely.
        let count = 1 + rng.next_u64().trailing_ones().min(4);
        Oddity((0..count).fold(0, |odd, _| odd | 1 << choices[rng.below(N)]))
    }

    fn is_on(self, bit: usize) -> bool {
        self.0 >> bit & 1 == 1
    }
}

/// An object that is being written, with white space between its tokens or without.
struct Object<'a> {
    rng: &'a mut Rng,
    out: &'a mut Vec<u8>,
    spacious: bool,
    empty: bool,
}

impl<'a> Object<'a> {
    fn open(rng: &'a mut Rng, out: &'a mut Vec<u8>) -> Object<'a> {
        let spacious = rng.one_in(6);
        let mut object = Object {
            rng,
            out,
            spacious,
            empty: true,
        };
        object.gap();
        object.out.push(b'{');
        object.gap();
        object
    }

    fn close(mut self) {
        self.gap();
        self.out.push(b'}');
        self.gap();
    }

    fn gap(&mut self) {
        if self.spacious {
            json::gap(self.rng, self.out);
        }
    }

    fn comma(&mut self) {
        if !self.empty {
            self.gap();
            self.out.push(b',');
            self.gap();
        }
        self.empty = false;
    }

    fn member(&mut self, name: &str, value: &[u8]) {
        self.member_with(name, |_, out| out.extend_from_slice(value));
    }

    fn member_with(&mut self, name: &str, value: impl FnOnce(&mut Rng, &mut Vec<u8>)) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.push(b'"');
        self.gap();
        self.out.push(b':');
        self.gap();
        value(self.rng, self.out);
    }

    /// One or more members as they are.
    fn raw(&mut self, text: &[u8]) {
        self.comma();
        self.out.extend_from_slice(text);
    }
}
