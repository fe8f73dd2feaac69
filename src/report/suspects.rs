//! The first tokens that no key verified and another way of using the keys may explain.
//!
//! They are kept so that a report can say which other reading of a secret would verify them, or that
//! `--kid-hint` would. They are wiped from memory, and never shown.

use std::fmt;

use base64_simd::URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use super::tally::Sample;
use crate::key::{Key, KeySet, OtherReading};
use crate::policy::Policy;
use crate::signature::{Algorithm, MacKey};
use crate::time::UnixTime;
use crate::validator::{Judged, Validator};
use crate::verdict::{Reason, Stage};

/// How many of each kind are kept.
const MOST: usize = 40;
/// The longest that is kept, in bytes; more would be a lot of memory for each block.
const LONGEST: usize = 4 << 10;
/// How many secrets are tried in other readings.
const MOST_SECRETS: usize = 16;

/// The first tokens of a run, or of a block.
#[derive(Clone)]
struct FirstTokens {
    most: usize,
    tokens: Vec<(Sample, Zeroizing<Vec<u8>>)>,
}

impl FirstTokens {
    /// Of a kind that is wanted or not.
    const fn new(is_wanted: bool) -> Self {
        Self {
            most: if is_wanted { MOST } else { 0 },
            tokens: Vec::new(),
        }
    }

    const fn is_full(&self) -> bool {
        self.tokens.len() >= self.most
    }

    fn add(&mut self, sample: impl Fn() -> Sample, token: &[u8]) {
        if token.len() <= LONGEST && !self.is_full() {
            let token = Zeroizing::new(token.to_vec());
            self.tokens.push((sample(), token));
        }
    }

    fn drain(&mut self, later: &mut Self, line_base: u64) {
        let free = self.most - self.tokens.len();
        for (mut sample, token) in later.tokens.drain(..).take(free) {
            sample.line += line_base;
            self.tokens.push((sample, token));
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&Sample, &[u8])> {
        let tokens = self.tokens.iter();
        tokens.map(|(sample, token)| (sample, &token[..]))
    }
}

/// The first tokens of each kind.
#[derive(Clone)]
pub(crate) struct Suspects {
    /// With an HMAC algorithm and a signature that does not hold.
    macs: FirstTokens,
    /// With a `kid` that is the id of no key.
    kids: FirstTokens,
}

/// What `--kid-hint` would do for tokens of a run whose `kid` names no key.
pub(crate) struct KidHint {
    /// How many signatures would hold.
    pub(crate) verifies: usize,
    /// Of how many tokens that were tried.
    pub(crate) tokens: usize,
    /// The place of the first that would.
    pub(crate) first: Sample,
}

impl Suspects {
    /// Those of a run with these keys.
    pub(crate) fn new(keys: &KeySet) -> Self {
        let has_id = |key: &Key| key.id().is_some();
        Self {
            macs: FirstTokens::new(keys.has_other_readings()),
            kids: FirstTokens::new(keys.iter().any(has_id)),
        }
    }

    /// Those of a block.
    pub(crate) const fn of_block() -> Self {
        Self {
            macs: FirstTokens::new(true),
            kids: FirstTokens::new(true),
        }
    }

    /// Whether no later token with a signature that does not hold can be among them.
    pub(crate) const fn has_all_macs(&self) -> bool {
        self.macs.is_full()
    }

    /// Keeps a token that no key verified, if it is among the first with a MAC.
    pub(crate) fn add_mac(&mut self, alg: Option<&str>, sample: impl Fn() -> Sample, token: &[u8]) {
        if alg.is_some_and(|alg| alg.starts_with("HS")) {
            self.macs.add(sample, token);
        }
    }

    /// Keeps a token whose `kid` is the id of no key, if it was rejected for that and is among the
    /// first.
    pub(crate) fn add_unknown_kid(
        &mut self,
        judged: &Judged<'_>,
        sample: impl Fn() -> Sample,
        token: &[u8],
    ) {
        if is_open(judged.verdict.reasons.iter().next()) {
            self.kids.add(sample, token);
        }
    }

    /// Takes those of a later block, whose lines come after `line_base`.
    pub(crate) fn drain(&mut self, later: &mut Self, line_base: u64) {
        self.macs.drain(&mut later.macs, line_base);
        self.kids.drain(&mut later.kids, line_base);
    }

    /// The other readings of secrets that verified nothing, with which some of these would verify.
    pub(crate) fn other_readings(
        &self,
        validator: &Validator,
        verified: impl Fn(usize) -> bool,
    ) -> Vec<OtherReading> {
        let tokens: Vec<&[u8]> = self.macs.iter().map(|(_, token)| token).collect();
        let mut readings = validator.other_secret_readings(&tokens);
        readings.retain(|reading| !verified(reading.key as usize));
        readings
    }

    /// What `--kid-hint` would do; `None` where it would verify none of these.
    pub(crate) fn kid_hint(&self, validator: &Validator, now: UnixTime) -> Option<KidHint> {
        let verifies =
            |(_, token): &(&Sample, &[u8])| validator.key_by_kid_hint(token, now).is_some();
        let mut verified = self.kids.iter().filter(verifies);
        let (first, _) = verified.next()?;
        Some(KidHint {
            first: *first,
            verifies: 1 + verified.count(),
            tokens: self.kids.tokens.len(),
        })
    }
}

impl fmt::Debug for Suspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (macs, kids) = (self.macs.tokens.len(), self.kids.tokens.len());
        write!(f, "Suspects({macs}, {kids})")
    }
}

/// Whether another key might verify a token that was rejected for this reason first.
fn is_open(reason: Option<Reason>) -> bool {
    reason.is_some_and(|reason| match reason {
        Reason::IssuerUnknown | Reason::SignatureBase64url => false,
        reason => matches!(reason.stage(), Stage::Key | Stage::Signature),
    })
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
    /// The index of the key that would verify the signature of this token if its policy took `kid` as
    /// a hint ([`Policy::kid_as_hint`]); `None` where none would, where a key verifies it as it is, and
    /// where the policy takes it so already.
    ///
    /// Nothing is judged by such a key: it is a hint for people.
    #[must_use]
    pub fn key_by_kid_hint(&self, token: &[u8], now: UnixTime) -> Option<u32> {
        let policies = self.policies();
        if policies.iter().all(Policy::takes_kid_as_hint) {
            return None;
        }
        let verdict = self.validate_at(token, now);
        if !is_open(verdict.reasons.iter().next()) {
            return None;
        }
        self.with_kid_as_hint().validate_at(token, now).key
    }

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
