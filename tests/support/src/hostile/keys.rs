//! The fixed keys of the hostile lines: their JWK Set, and the signing of lines with them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::rng::Rng;

/// A JWK Set of everything that a line may name. The order matters: it is the order of trying.
///
/// Bindings are such that the program's choices all have to be made: without a `kid`, eight keys
/// fit HS256 and eight HS384, but nine fit HS512; and no key without an id fits HS512.
pub fn keys() -> String {
    let mut members = vec![UNUSABLE[0].to_owned()];
    for (index, key) in SECRETS.iter().enumerate() {
        let kid = key
            .kid
            .map(|kid| format!(r#","kid":"{kid}""#))
            .unwrap_or_default();
        let alg = key
            .alg
            .map(|alg| format!(r#","alg":"{}""#, alg.name()))
            .unwrap_or_default();
        let k = URL_SAFE_NO_PAD.encode(key.secret);
        members.push(format!(
            r#"{{"kty":"oct"{kid}{alg}{},"k":"{k}"}}"#,
            key.more
        ));
        if index == 2 {
            members.push(UNUSABLE[1].to_owned());
        }
    }
    members.extend(UNUSABLE[2..].iter().map(|&jwk| jwk.to_owned()));
    format!("{{\"keys\":[\n{}\n]}}\n", members.join(",\n"))
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Alg {
    Hs256,
    Hs384,
    Hs512,
}

impl Alg {
    pub(super) fn name(self) -> &'static str {
        match self {
            Alg::Hs256 => "HS256",
            Alg::Hs384 => "HS384",
            Alg::Hs512 => "HS512",
        }
    }

    fn any(rng: &mut Rng) -> Alg {
        match rng.below(10) {
            0 => Alg::Hs384,
            1 | 2 => Alg::Hs512,
            _ => Alg::Hs256,
        }
    }
}

/// A key that verifies.
struct Secret {
    /// Free of anything that JSON would escape.
    kid: Option<&'static str>,
    alg: Option<Alg>,
    /// More members of the JWK.
    more: &'static str,
    secret: &'static [u8],
}

const SECRETS: [Secret; 13] = [
    Secret {
        kid: Some("hs256"),
        alg: Some(Alg::Hs256),
        more: r#","use":"sig""#,
        secret: b"the first of the hostile secrets, bound to HS256",
    },
    Secret {
        kid: Some("hs384"),
        alg: Some(Alg::Hs384),
        more: r#","key_ops":["sign","verify"]"#,
        secret: b"the second of the hostile secrets, long enough to be bound to HS384",
    },
    Secret {
        kid: Some("hs512"),
        alg: Some(Alg::Hs512),
        more: r#","use":"sig","key_ops":["verify"]"#,
        secret: b"the third of the hostile secrets, and it is bound to HS512, so longer",
    },
    // Two keys with one id are both tried, in this order.
    Secret {
        kid: Some("twin"),
        alg: None,
        more: "",
        secret: b"the elder twin, thirty-two bytes",
    },
    Secret {
        kid: Some("twin"),
        alg: None,
        more: "",
        secret: b"the younger one, thirty-two byte",
    },
    // RFC 2104: longer than any block, so the hash of it is the key.
    Secret {
        kid: Some("long"),
        alg: None,
        more: "",
        secret: &[0xa5; 200],
    },
    // Weak, which is reported, but a key.
    Secret {
        kid: Some("short"),
        alg: None,
        more: r#","key_ops":["sign"]"#,
        secret: b"\x01",
    },
    Secret {
        kid: Some(""),
        alg: None,
        more: "",
        secret: b"the key whose id is the empty string",
    },
    Secret {
        kid: Some("cl\u{e9} \u{1f511}/../'"),
        alg: None,
        more: "",
        secret: b"the key whose id is hard to spell, in any file",
    },
    Secret {
        kid: None,
        alg: Some(Alg::Hs256),
        more: "",
        secret: b"anonymous, bound to HS256 only",
    },
    Secret {
        kid: None,
        alg: Some(Alg::Hs384),
        more: "",
        secret: b"anonymous, bound to HS384 only",
    },
    Secret {
        kid: Some("hs512-b"),
        alg: Some(Alg::Hs512),
        more: "",
        secret: b"one more bound to HS512, so that too many keys fit it without a kid",
    },
    Secret {
        kid: Some("hs512-c"),
        alg: Some(Alg::Hs512),
        more: "",
        secret: b"and one more bound to HS512, so that too many keys fit it without a kid",
    },
];

/// Keys that never verify an HMAC, each with the id by which a line may name it. The RSA
/// modulus is that of RFC 7517, A.1.
const UNUSABLE: [&str; 6] = [
    concat!(
        r#"{"kty":"RSA","kid":"rsa","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2ai"#,
        r#"AFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64"#,
        r#"tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs"#,
        r#"8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4l"#,
        r#"Fd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
    ),
    r#"{"kty":"oct","kid":"broken","k":"not base64url="}"#,
    r#"{"kty":"oct","kid":"empty","k":""}"#,
    concat!(
        r#"{"kty":"oct","kid":"enc","use":"enc","k":"dGhlIGtleSB0aGF0IGVuY3J5cHRzLCBhbmQgbm"#,
        r#"8gbW9yZQ"}"#,
    ),
    concat!(
        r#"{"kty":"oct","kid":"wrap","key_ops":["wrapKey"],"k":"dGhlIGtleSB0aGF0IHdyYXBzIGt"#,
        r#"leXMsIG5vIG1vcmU"}"#,
    ),
    concat!(
        r#"{"kty":"oct","kid":"rs256","alg":"RS256","k":"YW4gSE1BQyBzZWNyZXQgdGhhdCBpcyBib3"#,
        r#"VuZCB0byBSUzI1Ng"}"#,
    ),
];

/// Names of keys that never verify a line, whatever it is signed with.
pub(super) const USELESS_KIDS: [&str; 6] = ["rsa", "broken", "empty", "enc", "wrap", "rs256"];

/// What a line says of its key, and what it is signed with.
#[derive(Clone, Copy)]
pub(super) struct Route {
    pub(super) kid: Option<&'static str>,
    pub(super) alg: Alg,
    secret: usize,
}

impl Route {
    /// A route that leads to the key that signed.
    pub(super) fn good(rng: &mut Rng) -> Route {
        let alg = Alg::any(rng);
        let fits = |key: &Secret| key.alg.is_none_or(|bound| bound == alg);
        let way = rng.below(10);
        loop {
            let secret = rng.below(SECRETS.len());
            let key = &SECRETS[secret];
            let kid = match way {
                // Any key will do, if not too many fit.
                0 if alg != Alg::Hs512 => None,
                // A kid of nobody leads to the keys without an id.
                1 if alg != Alg::Hs512 => match key.kid {
                    None => Some("nobody"),
                    Some(_) => continue,
                },
                _ if key.kid.is_none() => continue,
                _ => key.kid,
            };
            if fits(key) {
                return Route { kid, alg, secret };
            }
        }
    }

    /// A route that leads nowhere, or to another key.
    pub(super) fn bad(rng: &mut Rng) -> Route {
        let mut route = Route::good(rng);
        match rng.below(8) {
            0..=2 => route.kid = Some(USELESS_KIDS[rng.below(USELESS_KIDS.len())]),
            3 => {
                route = Route {
                    kid: Some("nobody"),
                    alg: Alg::Hs512,
                    ..route
                }
            }
            4 => {
                route = Route {
                    kid: None,
                    alg: Alg::Hs512,
                    ..route
                }
            }
            5 => {
                route = Route {
                    kid: Some("hs256"),
                    alg: Alg::Hs512,
                    ..route
                }
            }
            6 => route.kid = Some("twin"),
            _ => route.secret = rng.below(SECRETS.len()),
        }
        route
    }
}

/// The secrets, each keyed for each hash: half of the work of a short HMAC is its key.
pub(super) struct Signers(Vec<Signer>);

struct Signer {
    hs256: Hmac<Sha256>,
    hs384: Hmac<Sha384>,
    hs512: Hmac<Sha512>,
}

impl Signers {
    pub(super) fn new() -> Signers {
        let signer = |key: &Secret| Signer {
            hs256: Hmac::new_from_slice(key.secret).expect("any length is a key"),
            hs384: Hmac::new_from_slice(key.secret).expect("any length is a key"),
            hs512: Hmac::new_from_slice(key.secret).expect("any length is a key"),
        };
        Signers(SECRETS.iter().map(signer).collect())
    }

    /// Appends a dot and the signature of all that is in `input`.
    pub(super) fn sign(&self, route: Route, input: &mut String) {
        let signer = &self.0[route.secret];
        match route.alg {
            Alg::Hs256 => append_mac(signer.hs256.clone(), input),
            Alg::Hs384 => append_mac(signer.hs384.clone(), input),
            Alg::Hs512 => append_mac(signer.hs512.clone(), input),
        }
    }
}

fn append_mac(mut mac: impl Mac, input: &mut String) {
    mac.update(input.as_bytes());
    let mac = mac.finalize().into_bytes();
    input.push('.');
    URL_SAFE_NO_PAD.encode_string(mac, input);
}
