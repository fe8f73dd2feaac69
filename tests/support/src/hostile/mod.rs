//! Hostile lines: endless, seeded streams of inputs for a validator, signed by HMAC with secrets of
//! its own or, in `public`, by every algorithm.
//!
//! It owns the lines and the keys that sign them, and judges nothing: whether a line is valid is
//! left to the oracle. Noise and mutants wear down the early stages; the greater part is signed
//! correctly over whatever its header and payload say, since a parser that only ever sees broken
//! signatures is not being tested.
//!
//! The constants are the values around which lines are made. Under a policy of these values about
//! a third of the lines is valid and each code of the verdict table that HMAC tokens can earn
//! occurs.

mod json;
mod keys;
mod public;
mod token;

pub use keys::keys;
pub use public::PublicTokens;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::rng::Rng;
use keys::{Route, Signers};
use token::{Temper, token};

/// The second around which moments are chosen (UTC).
pub const NOW: i64 = 1_790_000_000;
/// Half a second more: fractions are chosen around it.
pub const NOW_NANOS: u32 = 500_000_000;
/// Seconds.
pub const LEEWAY: u64 = 30;
/// Seconds.
pub const MAX_AGE: u64 = 3600;
/// Seconds.
pub const MAX_LIFETIME: u64 = 7200;
/// The `iss` of a good payload.
pub const ISSUER: &str = "https://auth.example.com/";
/// The `sub` of a good payload.
pub const SUBJECT: &str = "user-1";
/// In the `aud` of a good payload.
pub const AUDIENCE: &str = "api://orders";
/// The `typ` of a good header, up to its spelling as a media type.
pub const TYP: &str = "JWT";
/// The claims of a good payload for which there is no expected value.
pub const REQUIRE: [&str; 5] = ["exp", "nbf", "iat", "jti", "tenant"];
/// The fewest key tries with which every good line is verified; without a `kid`, HS512 is fitted
/// by one key more.
pub const MAX_KEY_TRIES: usize = 8;

/// Lines without LF, the same for the same seed.
pub fn cases(seed: u64) -> impl Iterator<Item = Vec<u8>> {
    let mut source = Source {
        rng: Rng::new(seed),
        signers: Signers::new(),
        recent: Vec::new(),
        next_recent: 0,
    };
    std::iter::repeat_with(move || source.line())
}

struct Source {
    rng: Rng,
    signers: Signers,
    /// The last good tokens, to be mutated and spliced.
    recent: Vec<String>,
    next_recent: usize,
}

const RECENT: usize = 32;

impl Source {
    fn line(&mut self) -> Vec<u8> {
        let mut line = match self.rng.below(100) {
            0..=4 => noise(&mut self.rng),
            5..=15 => self.mutant(),
            16..=25 => self.signed(Temper::Hostile, Temper::Good),
            26..=60 => self.signed(Temper::Good, Temper::Hostile),
            61..=62 => self.signed(Temper::Hostile, Temper::Hostile),
            63..=66 => {
                let route = Route::bad(&mut self.rng);
                token(
                    &mut self.rng,
                    &self.signers,
                    route,
                    Temper::Good,
                    Temper::Good,
                )
                .into_bytes()
            }
            _ => self.good(),
        };
        if self.rng.one_in(20) {
            dress(&mut self.rng, &mut line);
        }
        for byte in &mut line {
            if *byte == b'\n' {
                *byte = b'\r';
            }
        }
        line
    }

    fn signed(&mut self, header: Temper, payload: Temper) -> Vec<u8> {
        let route = Route::good(&mut self.rng);
        token(&mut self.rng, &self.signers, route, header, payload).into_bytes()
    }

    fn good(&mut self) -> Vec<u8> {
        let line = self.signed(Temper::Good, Temper::Good);
        // Long tokens would make long mutants far more common than they are.
        if line.len() < 4096 {
            let text = String::from_utf8(line.clone()).expect("base64url and dots");
            if self.recent.len() < RECENT {
                self.recent.push(text);
            } else {
                self.recent[self.next_recent % RECENT] = text;
                self.next_recent += 1;
            }
        }
        line
    }

    /// A good token with something done to it, or between it and another.
    fn mutant(&mut self) -> Vec<u8> {
        if self.recent.is_empty() {
            return self.good();
        }
        let rng = &mut self.rng;
        let token = &self.recent[rng.below(self.recent.len())];
        let other = &self.recent[rng.below(self.recent.len())];
        let mut segments: Vec<String> = token.split('.').map(str::to_owned).collect();
        let others: Vec<&str> = other.split('.').collect();
        match rng.below(13) {
            0 => {
                let (one, two) = (rng.below(3), rng.below(3));
                segments.swap(one, two);
            }
            1 | 2 => {
                let at = rng.below(3);
                segments[at] = others[at].to_owned();
            }
            3..=5 => {
                let at = rng.below(3);
                token::spoil_segment(rng, &mut segments[at]);
            }
            6 => drop(segments.remove(rng.below(3))),
            7 => {
                for _ in 0..1 + rng.below(3) {
                    let at = rng.below(segments.len() + 1);
                    let more = others[rng.below(3)];
                    segments.insert(
                        at,
                        if rng.one_in(2) {
                            more.to_owned()
                        } else {
                            String::new()
                        },
                    );
                }
                if rng.one_in(2) {
                    // Five segments are a JWE only behind a header with `enc`.
                    let headers = [
                        r#"{"alg":"dir","enc":"A128GCM"}"#,
                        r#"{"\u0065nc":{}}"#,
                        r#"["enc"]"#,
                    ];
                    segments[0] = URL_SAFE_NO_PAD.encode(rng.pick(&headers));
                }
            }
            8 => {
                // Signatures of other lengths, zero included.
                let at = 4 * rng.below(segments[2].len() / 4 + 1);
                segments[2].truncate(at);
            }
            9 => segments[2] += "AAAA",
            10 => {
                if rng.one_in(3) {
                    segments[1].clear();
                }
                return wrapped(rng, &segments.join(".")).into_bytes();
            }
            _ => {
                let mut line = token.clone().into_bytes();
                match rng.below(6) {
                    0 => line.truncate(rng.below(token.len())),
                    1 => drop(line.drain(..rng.below(token.len()))),
                    2 => {
                        // Two tokens spliced at any place.
                        line.truncate(rng.below(token.len()));
                        line.extend_from_slice(&other.as_bytes()[rng.below(other.len())..]);
                    }
                    3 => {
                        line.push(b". ,\t"[rng.below(4)]);
                        line.extend_from_slice(other.as_bytes());
                    }
                    _ => json::bytes(rng, &mut line),
                }
                return line;
            }
        }
        segments.join(".").into_bytes()
    }
}

/// A token in what it was taken from, or with something behind it.
fn wrapped(rng: &mut Rng, token: &str) -> String {
    const BEFORE: [&str; 10] = [
        "Bearer ",
        "bearer\t",
        "BEARER: ",
        "Bearer",
        "Authorization: Bearer ",
        "authorization:",
        "\"",
        "'",
        "`",
        "",
    ];
    const AFTER: [&str; 10] = [
        "~",
        "~WyJhIiwiYiJd~",
        "~~eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
        "=",
        "==",
        "\"",
        "'",
        "`",
        "~\"",
        "",
    ];
    let before = rng.below(BEFORE.len());
    let after = match before {
        // Quotation marks that belong together.
        6..=8 if rng.one_in(2) => before - 1,
        _ => rng.below(AFTER.len()),
    };
    format!("{}{token}{}", BEFORE[before], AFTER[after])
}

/// Lines that were never a token.
fn noise(rng: &mut Rng) -> Vec<u8> {
    const LINES: [&str; 12] = [
        "",
        " ",
        "\t \t",
        "\r",
        ".",
        "..",
        "...",
        "....",
        "e30.e30.",
        "eyJhbGciOiJub25lIn0.e30.",
        r#"{"protected":"eyJhbGciOiJIUzI1NiJ9","payload":"e30","signature":"AAAA"}"#,
        "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
    ];
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let count = rng.length(65_536);
    match rng.below(4) {
        0 => (0..count).map(|_| rng.byte()).collect(),
        1 => (0..count).map(|_| b' ' + (rng.byte() % 95)).collect(),
        2 => {
            let dots = 1 + rng.below(40);
            let mut draw = |_| match rng.one_in(dots) {
                true => b'.',
                false => ALPHABET[rng.below(64)],
            };
            (0..count).map(&mut draw).collect()
        }
        _ => rng.pick(&LINES).as_bytes().to_vec(),
    }
}

/// What may surround a token on its line.
fn dress(rng: &mut Rng, line: &mut Vec<u8>) {
    for _ in 0..1 + rng.below(2) {
        match rng.below(8) {
            0 => line.insert(0, b' '),
            1 => line.insert(0, b'\t'),
            2 => line.push(b' '),
            3 => line.push(b'\t'),
            4..=6 => line.push(b'\r'),
            _ => line.insert(0, b'\r'),
        }
    }
}
