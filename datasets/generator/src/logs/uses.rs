//! The uses of tokens: which token a record has, and what a validator must say of it.
//!
//! Owns the times of tokens relative to their use, the mix of defects, and the ground truth at any
//! instant. Tokens are made in `token`; where they are written is left to the formats.

use std::fmt;

use super::calendar::Instant;
use crate::claims::Times;
use crate::defect::{Defect, Stage};
use crate::rng::Rng;
use crate::share::Share;
use crate::text::push_random;
use crate::token::{Plan, TokenMaker};

/// How many tokens of a file may be used again.
const POOL: usize = 16;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;

/// The defects of tokens in logs, in thousandths of the tokens. All of them leave the header
/// readable, without which there is no token to find.
const DEFECTS: [(Defect, u16); 9] = [
    (Defect::SignatureMismatch, 60),
    (Defect::KeyNotFound, 30),
    (Defect::AlgNone, 30),
    (Defect::AlgUnsupported, 20),
    (Defect::IssuerMismatch, 20),
    (Defect::AudienceMismatch, 20),
    (Defect::PayloadJson, 15),
    (Defect::Encrypted, 30),
    (Defect::Padded, 15),
];
const DETACHED: u16 = 20;
const SD_JWT: u16 = 60;

/// The defects as a description of a data set takes them.
pub(super) fn defects() -> Vec<(Defect, Share)> {
    let mut defects: Vec<(Defect, Share)> = Vec::new();
    defects.extend(DEFECTS.map(|(defect, _)| (defect, Share::from_percent(1))));
    defects
}

/// What kind of text a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Three segments.
    Signed,
    /// Each segment with its padding.
    Padded,
    /// Three segments, the payload left out.
    Detached,
    /// Five segments.
    Encrypted,
    /// Three segments, with disclosures behind them.
    SdJwt,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Form::Signed => "signed",
            Form::Padded => "padded",
            Form::Detached => "detached",
            Form::Encrypted => "encrypted",
            Form::SdJwt => "sd-jwt",
        })
    }
}

/// A token, and all that its verdicts follow from.
#[derive(Debug, Clone)]
pub(super) struct Token<'p> {
    pub(super) text: Vec<u8>,
    /// What is behind it and no part of it: the disclosures of an SD-JWT (RFC 9901).
    pub(super) tail: Vec<u8>,
    pub(super) form: Form,
    /// The id of the key that signed it, where the signature holds and the key has one.
    pub(super) key: Option<&'p str>,
    defect: Option<Defect>,
    times: Times,
}

impl Token<'_> {
    /// The reasons against it at this instant, in the order of [`Defect`]; none where it is valid.
    pub(super) fn reasons(&self, at: Instant, leeway: u32) -> Vec<Defect> {
        let mut reasons: Vec<Defect> = self.defect.into_iter().collect();
        if reasons.iter().any(|defect| defect.stage() < Stage::Claims) {
            // The claims of such a token are not read.
            return reasons;
        }
        let leeway = i64::from(leeway);
        // The times of tokens are whole seconds, so that the fraction decides nothing.
        let Instant { seconds, .. } = at;
        let times = [
            (Defect::Expired, seconds >= self.times.exp + leeway),
            (Defect::NotYetValid, seconds + leeway < self.times.nbf),
            (Defect::IssuedInFuture, seconds + leeway < self.times.iat),
        ];
        let broken = times.into_iter().filter(|(_, is_broken)| *is_broken);
        reasons.extend(broken.map(|(defect, _)| defect));
        reasons.sort();
        reasons
    }
}

/// The tokens of one file, in the order of their uses.
pub(super) struct Uses<'p> {
    maker: TokenMaker<'p>,
    now: i64,
    leeway: i64,
    /// The number of the next token, which no other file has.
    next: u64,
    pool: Vec<Token<'p>>,
}

impl<'p> Uses<'p> {
    /// `first` is the number of the first token.
    pub(super) fn new(plan: &'p Plan, first: u64) -> Uses<'p> {
        Uses {
            maker: TokenMaker::new(plan),
            now: plan.spec.now,
            leeway: plan.spec.leeway.into(),
            next: first,
            pool: Vec::new(),
        }
    }

    /// A token that is used at this instant: a new one, or one that was used before.
    pub(super) fn draw(&mut self, at: Instant, rng: &mut Rng) -> Token<'p> {
        if self.pool.len() > 2 && rng.percent(30) {
            let place = rng.index(self.pool.len());
            if let Some(token) = self.pool.get(place) {
                return token.clone();
            }
        }
        let token = self.make(at.seconds, rng);
        if self.pool.len() < POOL {
            self.pool.push(token.clone());
        } else {
            let place = rng.index(POOL);
            if let Some(oldest) = self.pool.get_mut(place) {
                *oldest = token.clone();
            }
        }
        token
    }

    /// The beginning of a good token, up to somewhere in its payload.
    pub(super) fn cut(&mut self, at: Instant, rng: &mut Rng) -> Vec<u8> {
        let times = self.times(at.seconds, rng);
        self.maker.make_at(self.next, None, times);
        self.next += 1;
        let mut text = self.maker.token.clone();
        let mut dots = text.iter().enumerate().filter(|(_, byte)| **byte == b'.');
        let first = dots.next().map_or(0, |(at, _)| at);
        let second = dots.next().map_or(0, |(at, _)| at);
        text.truncate(first + 9 + rng.index(second.saturating_sub(first + 9)));
        text
    }

    fn make(&mut self, at: i64, rng: &mut Rng) -> Token<'p> {
        let times = self.times(at, rng);
        let mut ticket = rng.below(1_000);
        let mut is_drawn = |share: u16| {
            let drawn = ticket < u64::from(share);
            ticket = ticket.wrapping_sub(share.into());
            drawn
        };
        let mut defect = DEFECTS
            .into_iter()
            .find(|(_, share)| is_drawn(*share))
            .map(|(defect, _)| defect);
        let is_good = defect.is_none();
        let form = match defect {
            Some(Defect::Encrypted) => Form::Encrypted,
            Some(Defect::Padded) => Form::Padded,
            None if is_drawn(DETACHED) => Form::Detached,
            None if is_drawn(SD_JWT) => Form::SdJwt,
            _ => Form::Signed,
        };
        let key = self.maker.make_at(self.next, defect, times);
        self.next += 1;
        let mut text = self.maker.token.clone();
        let mut tail = Vec::new();
        if form == Form::Detached && is_good {
            let mut dots = text.iter().enumerate().filter(|(_, byte)| **byte == b'.');
            let (first, second) = (dots.next(), dots.next());
            if let (Some((first, _)), Some((second, _))) = (first, second) {
                text.drain(first + 1..second);
            }
            // What was signed is not there.
            defect = Some(Defect::SignatureMismatch);
        }
        if form == Form::SdJwt {
            for _ in 0..=rng.below(3) {
                tail.extend_from_slice(b"~WyJ");
                push_random(&mut tail, rng, 40);
            }
            tail.push(b'~');
        }
        let is_authentic = defect.is_none_or(Defect::is_authentic);
        Token {
            text,
            tail,
            form,
            key: key.filter(|_| is_authentic),
            defect,
            times,
        }
    }

    /// The times of a token that is used at `at`, on time or not.
    fn times(&self, at: i64, rng: &mut Rng) -> Times {
        let lifetime = rng.pick(&[300, HOUR, HOUR, 2 * HOUR, DAY]);
        let age = rng.range(0, lifetime - 1);
        match rng.below(100) {
            // Still valid at `now`.
            0..25 => Times {
                iat: at - age,
                nbf: at - age,
                exp: self.now + 1 + rng.range(0, 90 * DAY),
            },
            // Used after its expiry: in that very second, soon after, or long after.
            25..40 => {
                let late = match rng.below(4) {
                    0 => 0,
                    1 => rng.range(1, HOUR),
                    2 => rng.range(HOUR, DAY),
                    _ => rng.range(DAY, 20 * DAY),
                };
                let exp = at - self.leeway - late;
                Times {
                    iat: exp - lifetime,
                    nbf: exp - lifetime,
                    exp,
                }
            }
            // Used before `nbf`.
            40..48 => {
                let nbf = at + self.leeway + 1 + rng.range(0, HOUR);
                Times {
                    iat: at - age.min(HOUR),
                    nbf,
                    exp: nbf + lifetime,
                }
            }
            // Issued after its use: by a clock that is fast, or a forger.
            48..56 => {
                let iat = at + self.leeway + 1 + rng.range(0, 2 * HOUR);
                Times {
                    iat,
                    nbf: if rng.percent(50) { iat } else { at - age },
                    exp: iat + lifetime,
                }
            }
            _ => Times {
                iat: at - age,
                nbf: at - age,
                exp: at - age + lifetime,
            },
        }
    }
}
