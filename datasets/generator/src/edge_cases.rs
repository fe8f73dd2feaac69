//! Valid tokens of an unusual form, which validators that are too strict or too simple reject.
//!
//! Owns these variations of a good token; each stays valid under the data set's audit options. None
//! may be combined with a defect.

use super::claims::{Claim, Claims, Times};
use super::flags::AuditFlags;
use super::header::Header;
use super::malformed::{DEPTH, nest};
use super::payload::push_list;
use super::rng::Rng;
use super::text::{push_digits, push_escaped, push_i64, push_random, push_u64};

/// Which of the JSON texts gets white space once it is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spacing {
    pub(super) header: bool,
    pub(super) payload: bool,
}

/// Members of a payload that a simple parser misreads.
const ODD_CLAIMS: [&str; 24] = [
    r#","имя":"Анна","città":"Forlì""#,
    r#","nickname":"\u5c0f\u660e","mood":"\ud83d\ude00""#,
    r#","nickname":"😀 \"quoted\" \\ back""#,
    r#","note":"\b\f\n\r\t\/\u0000\u001f\u007f\"\\""#,
    r#","note":"\u202egnp.exe\u2028\ufeff""#,
    r#","note":"{\"exp\":1,\"iss\":\"x\"}""#,
    r#","note":"},\"exp\":0,{""#,
    r#","address":{"exp":1,"exp":2,"iss":7}"#,
    r#","EXP":"x","Iss":7,"aud ":null,"nbf\u0000":true"#,
    r#","big":123456789012345678901234567890"#,
    r#","big":1e308,"small":1E-400,"zero":-0,"half":0.5e+0"#,
    r#","big":9007199254740993,"most":18446744073709551615,"least":-9223372036854775808"#,
    r#","empty":[],"none":{},"text":"","":"","nothing":null,"flag":false"#,
    concat!(
        r#","_claim_names":{"groups":"src1"},"#,
        r#""_claim_sources":{"src1":{"endpoint":"https://graph.example.com/"}}"#
    ),
    r#","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
    r#","act":{"sub":"svc-proxy","act":{"sub":"svc-inner"}}"#,
    r#","https://example.com/claims/role":["admin","ops"]"#,
    r#","matrix":[[1,[2,[3,[4]]]],[],[{}]]"#,
    r#","__proto__":{"admin":true},"constructor":null"#,
    r#","alg":"none","kid":"other","crit":["exp"]"#,
    r#","\u0000":0,"\ud83d\ude00":1,"\\":2,"\"":3"#,
    r#","events":{"http://schemas.example.com/event/logout":{}}"#,
    r#","verified_claims":{"verification":{"trust_framework":"eidas","time":"2026-01-01T00:00Z"}}"#,
    r#","amr":["pwd","otp","hwk"],"loa":"urn:example:loa:3","login":1789990000.25"#,
];

/// Members of a header that are not trusted and do no harm.
const ODD_MEMBERS: [&str; 10] = [
    r#","jku":"https://keys.example.net/jwks.json""#,
    r#","x5u":"https://keys.example.net/cert.pem","x5t":"dGh1bWI""#,
    r#","jwk":{"kty":"oct","k":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","alg":"HS256"}"#,
    r#","x5c":["MIIB"]"#,
    r#","cty":"json""#,
    r#","iss":"https://other.example.com/","sub":"x""#,
    r#","nonce":"\u006eonce","ver":2,"deep":{"alg":"none","alg":"HS256"}"#,
    r#","zip":"DEF","enc":"A256GCM""#,
    r#","ключ":"значение","n":1.5e3"#,
    r#","ALG":"none","Kid":7"#,
];

/// Makes a good token unusual.
pub(super) fn vary(
    header: &mut Header,
    claims: &mut Claims,
    flags: &AuditFlags,
    rng: &mut Rng,
) -> Spacing {
    let mut spacing = Spacing::default();
    match rng.below(24) {
        0 | 1 => fraction(claims, rng),
        2 | 3 => exponent(claims, rng),
        4 | 5 => escaped_names(claims, rng),
        6 => escaped_values(claims, rng),
        7..11 => claims
            .extra
            .extend_from_slice(rng.pick(&ODD_CLAIMS).as_bytes()),
        11 | 12 => groups(claims, rng),
        13 | 14 => audiences(claims, rng),
        15 => header.reorder(rng),
        16 => header
            .extra
            .extend_from_slice(rng.pick(&ODD_MEMBERS).as_bytes()),
        17 => header.escape_names(rng),
        18 => {
            spacing = rng
                .pick(&[(true, false), (false, true), (true, true)])
                .into()
        }
        19 => borders(claims, flags, rng),
        20 => far_times(claims, flags, rng),
        21 => {
            claims.extra.push(b',');
            nest(&mut claims.extra, DEPTH - 1, rng);
        }
        22 => long_values(claims, rng),
        _ if flags.typ.is_some() => header.respell_typ(rng),
        _ => {
            claims.extra.extend_from_slice(b",\"labels\":[]");
            claims.get_mut(Claim::Jti).set(b"\"\"");
        }
    }
    spacing
}

impl From<(bool, bool)> for Spacing {
    fn from((header, payload): (bool, bool)) -> Spacing {
        Spacing { header, payload }
    }
}

/// Times with a fraction.
fn fraction(claims: &mut Claims, rng: &mut Rng) {
    let forms: [&[u8]; 5] = [b".5", b".0", b".25", b".999", b".123456"];
    claims
        .get_mut(Claim::Exp)
        .value
        .extend_from_slice(rng.pick(&forms));
    if rng.percent(50) {
        let Times { iat, .. } = claims.times;
        let value = &mut claims.get_mut(Claim::Iat).value;
        value.clear();
        push_i64(value, iat);
        value.extend_from_slice(b".000");
    }
}

/// An `exp` in the form with an exponent, of exactly the same value.
fn exponent(claims: &mut Claims, rng: &mut Rng) {
    let exp = claims.times.exp;
    let value = &mut claims.get_mut(Claim::Exp).value;
    match (rng.below(4), value.as_slice()) {
        (0, _) => value.extend_from_slice(b"e0"),
        (1, _) => value.extend_from_slice(b"00E-2"),
        (2, [first @ b'1'..=b'9', rest @ ..]) if !rest.is_empty() => {
            let mut text = vec![*first, b'.'];
            text.extend_from_slice(rest);
            text.extend_from_slice(b"e+");
            push_u64(&mut text, u64::try_from(rest.len()).unwrap_or(0));
            *value = text;
        }
        _ => {
            // A tenth of it, times ten: the last digit is the one after the point.
            value.clear();
            push_i64(value, exp / 10);
            value.push(b'.');
            push_u64(value, (exp % 10).unsigned_abs());
            value.extend_from_slice(b"E1");
        }
    }
}

/// Some claim names with an escape.
fn escaped_names(claims: &mut Claims, rng: &mut Rng) {
    let certain = rng.index(4);
    for (at, claim) in Claim::ALL.into_iter().enumerate() {
        if at == certain || rng.percent(40) {
            let name = &mut claims.get_mut(claim).name;
            name.clear();
            push_escaped(name, claim.name().as_bytes(), rng);
        }
    }
}

/// An issuer, and sometimes an audience, with escapes in it.
fn escaped_values(claims: &mut Claims, rng: &mut Rng) {
    let iss = &mut claims.get_mut(Claim::Iss).value;
    if rng.percent(50) {
        let slashes = iss.iter().flat_map(|&byte| {
            let escape = (byte == b'/').then_some(b'\\');
            escape.into_iter().chain([byte])
        });
        *iss = slashes.collect();
    } else {
        let old = std::mem::take(iss);
        push_escaped(iss, &old, rng);
    }
    if rng.percent(50) {
        let aud = &mut claims.get_mut(Claim::Aud).value;
        let old = std::mem::take(aud);
        push_escaped(aud, &old, rng);
    }
}

/// A list of groups so long that the payload has up to about 4 kB.
fn groups(claims: &mut Claims, rng: &mut Rng) {
    let most = if rng.percent(20) { 130 } else { 40 };
    let count = 20 + rng.below(most);
    let extra = &mut claims.extra;
    extra.extend_from_slice(b",\"group_ids\":");
    push_list(extra, count, |out, at| {
        out.extend_from_slice(
            rng.pick(&["team-", "dept/", "project:", "Größe-"])
                .as_bytes(),
        );
        push_u64(out, at);
        out.push(b'-');
        push_random(out, rng, 8);
    });
}

/// Several audiences, one of them the expected one, anywhere.
fn audiences(claims: &mut Claims, rng: &mut Rng) {
    let expected = rng.below(5);
    let aud = claims.get_mut(Claim::Aud);
    aud.set(b"");
    push_list(&mut aud.value, 5, |out, at| {
        if at == expected {
            out.extend_from_slice(b"api://orders");
        } else {
            let forms = [
                "api://order",
                "",
                "API://orders",
                "other",
                "https://x.example/",
                "é",
            ];
            out.extend_from_slice(rng.pick(&forms).as_bytes());
        }
    });
}

/// Times on the last second that is still good.
fn borders(claims: &mut Claims, flags: &AuditFlags, rng: &mut Rng) {
    let (now, leeway) = (flags.now, i64::from(flags.leeway));
    let max_age = flags.max_age.map(i64::from);
    let max_lifetime = flags.max_lifetime.map(i64::from);
    let Times { iat, nbf, exp } = claims.times;
    let times = match (rng.below(5), max_age, max_lifetime) {
        (0, ..) => {
            let exp = now - leeway + 1;
            Times {
                iat: exp - 300,
                nbf: exp - 300,
                exp,
            }
        }
        (1, ..) => Times {
            iat,
            nbf: now + leeway,
            exp: now + leeway + 300,
        },
        (2, ..) => Times {
            iat: now + leeway,
            nbf: now,
            exp: now + leeway + 300,
        },
        (3, Some(max_age), _) => Times {
            iat: now - max_age - leeway,
            nbf,
            exp,
        },
        (4, _, Some(longest)) => Times {
            iat,
            nbf,
            exp: iat + longest,
        },
        _ => Times {
            iat: now,
            nbf: now,
            exp: now + 1,
        },
    };
    claims.set_times(times);
    claims.get_mut(Claim::Nbf).present = true;
}

/// Times that do not fit into 64 or even 32 bits, or none at all.
fn far_times(claims: &mut Claims, flags: &AuditFlags, rng: &mut Rng) {
    let never: [&[u8]; 8] = [
        b"253402300800",
        b"9007199254740993",
        b"9223372036854775807",
        b"9223372036854775808",
        b"18446744073709551616",
        b"99999999999999999999999",
        b"1e300",
        b"4294967296000",
    ];
    let ever: [&[u8]; 7] = [
        b"0",
        b"-1",
        b"-0",
        b"-62135596800",
        b"-9223372036854775809",
        b"-1e300",
        b"1e-300",
    ];
    if rng.percent(50) || flags.max_lifetime.is_some() {
        // From ever since. At `now` = 0 even a tiny fraction lies ahead.
        let value = rng.pick(&ever);
        let value = if flags.now == 0 { b"-1" } else { value };
        claims.get_mut(Claim::Nbf).set(value);
    } else if rng.percent(50) && !flags.requires("exp") {
        claims.get_mut(Claim::Exp).present = false;
    } else {
        claims.get_mut(Claim::Exp).set(rng.pick(&never));
    }
}

/// Long texts where short ones are usual.
fn long_values(claims: &mut Claims, rng: &mut Rng) {
    let len = 200 + rng.index(400);
    let jti = claims.get_mut(Claim::Jti);
    jti.set(b"\"");
    push_random(&mut jti.value, rng, len);
    jti.value.push(b'"');
    claims.extra.extend_from_slice(b",\"session\":");
    push_digits(&mut claims.extra, rng, 18);
}
