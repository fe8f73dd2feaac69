//! The first tokens that a shared secret may have signed, though no key verified them.
//!
//! They are kept so that a report can say which other reading of a secret would verify them. They are
//! wiped from memory, and never shown.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::key::{Key, OtherReading};
use crate::signature::{Algorithm, MacKey};
use crate::validator::Validator;

/// How many are kept.
const MOST: usize = 40;
/// The longest that is kept, in bytes; more would be a lot of memory for each block.
const LONGEST: usize = 4 << 10;
/// How many secrets are tried in other readings.
const MOST_SECRETS: usize = 16;

/// The first tokens with an HMAC algorithm and a signature that does not hold.
#[derive(Clone, Default)]
pub(crate) struct Suspects(Vec<Zeroizing<Vec<u8>>>);

impl Suspects {
    /// Whether no later token can be among them.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() == MOST
    }

    /// Keeps a token that no key verified, if it is among the first.
    pub(crate) fn add(&mut self, alg: Option<&str>, token: &[u8]) {
        let is_hmac = alg.is_some_and(|alg| alg.starts_with("HS"));
        if is_hmac && token.len() <= LONGEST && !self.is_full() {
            self.0.push(Zeroizing::new(token.to_vec()));
        }
    }

    /// Takes those of a later block.
    pub(crate) fn drain(&mut self, later: &mut Self) {
        let free = MOST - self.0.len();
        self.0.extend(later.0.drain(..).take(free));
    }

    /// The other readings of secrets that verified nothing, with which some of these would verify.
    pub(crate) fn other_readings(
        &self,
        validator: &Validator,
        verified: impl Fn(usize) -> bool,
    ) -> Vec<OtherReading> {
        let tokens: Vec<&[u8]> = self.0.iter().map(|token| &token[..]).collect();
        let mut readings = validator.other_secret_readings(&tokens);
        readings.retain(|reading| !verified(reading.key as usize));
        readings
    }
}

impl fmt::Debug for Suspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Suspects({})", self.0.len())
    }
}

/// The parts of a token that its MAC is about.
struct Signed<'t> {
    policy_index: usize,
    algorithm: Algorithm,
    message: &'t [u8],
    mac: Vec<u8>,
}

impl<'t> Signed<'t> {
    /// `None` for a token without a MAC.
    fn new(validator: &Validator, token: &'t [u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
        }
        let decode = |text: &[u8]| URL_SAFE_NO_PAD.decode_to_vec(text).ok();
        let header = decode(token.split(|byte| *byte == b'.').next()?)?;
        let Header { alg } = serde_json::from_slice(&header).ok()?;
        let dot = memchr::memrchr(b'.', token)?;
        Some(Self {
            policy_index: validator.policy_index(token)?,
            algorithm: Algorithm::from_name(&alg).filter(|it| it.is_hmac())?,
            message: &token[..dot],
            mac: decode(&token[dot + 1..])?,
        })
    }
}

impl Validator {
    /// The other readings of secrets with which some of these tokens would verify: the best one of
    /// each secret that was added with [`KeySet::add_encoded_secret`](crate::KeySet). Only the first
    /// few secrets are tried, and only on tokens that each could have signed. Give tokens that no key
    /// verified.
    ///
    /// Nothing is judged by such a reading: it is a hint for people.
    #[must_use]
    pub fn other_secret_readings(&self, tokens: &[&[u8]]) -> Vec<OtherReading> {
        let tokens: Vec<Signed<'_>> = (tokens.iter())
            .filter_map(|token| Signed::new(self, token))
            .collect();
        if tokens.is_empty() {
            return Vec::new();
        }
        let keys = (0..).zip(self.keys().iter());
        keys.filter(|(_, key)| key.given().is_some())
            .take(MOST_SECRETS)
            .filter_map(|(index, key)| self.best_reading(index, key, &tokens))
            .collect()
    }

    fn best_reading(&self, index: u32, key: &Key, tokens: &[Signed<'_>]) -> Option<OtherReading> {
        let policy = self.policies().get(key.policy_index())?;
        let could_sign = |token: &&Signed<'_>| {
            token.policy_index == key.policy_index()
                && key.algorithms().contains(token.algorithm)
                && policy.allows(token.algorithm)
        };
        let tokens: Vec<&Signed<'_>> = tokens.iter().filter(could_sign).collect();
        let mut best = None;
        for reading in key.given()?.other_readings() {
            let Some(mac_key) = MacKey::new(&reading.secret) else {
                continue;
            };
            let verifies = |it: &&&Signed<'_>| mac_key.verify(it.algorithm, it.message, &it.mac);
            let count = tokens.iter().filter(verifies).count();
            if count > best.as_ref().map_or(0, |(count, _)| *count) {
                best = Some((count, reading));
            }
        }
        let (verifies, reading) = best?;
        Some(OtherReading {
            key: index,
            reading: reading.description(),
            verifies,
            tokens: tokens.len(),
            advice: reading.advice(key.origin()),
        })
    }
}
