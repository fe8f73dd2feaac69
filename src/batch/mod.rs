//! Many tokens at once: the fast path.
//!
//! [`BatchJudge`] validates tokens by the same rules as the validator and gives the same verdicts. It
//! belongs to one thread and owns every buffer that the work needs. Tokens pass the stages in order:
//!
//! 1. *cache*: tokens that were verified before ([`repeats`]);
//! 2. *header*: what each header decides, up to the keys to try ([`headers`]);
//! 3. *signature*: all signatures of the batch, MACs in lanes;
//! 4. *claims*: payload, claims, rules, and the verdict to the [`Sink`].
//!
//! Stages 1 and 2 take tokens in groups, so that their cache misses overlap. Where tokens come from
//! is left to [`extract`](crate::extract), what is kept of verdicts to [`record`](crate::record).

mod bypass;
mod headers;
mod repeats;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(crate) use headers::HeaderCache;
pub(crate) use repeats::Cached;

use repeats::{Admission, EntryId, Lookup, Probe, RepeatCache};

use crate::anchor::Chain;
use crate::extract::{Content, Found, MAX_LINES};
use crate::key::KeySet;
use crate::policy::Policy;
use crate::signature::{BatchVerifier, Kernel, Pending, Proof, recycle};
use crate::stage::{Clock, Stage};
use crate::time::UnixTime;
use crate::token::{Claims, Payload, PayloadScratch, Token};
use crate::validator::{Judged, Validator};
use crate::verdict::{Reason, Verdict};

/// The most tokens of a batch.
pub(crate) const MAX_TOKENS: usize = MAX_LINES as usize;

/// Tokens per group: few enough that what they touch stays in the first-level cache.
pub(crate) const GROUP: usize = 16;

/// The number of a group of tokens that a sink counts together. The cache keeps it for the sink.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GroupId(pub(crate) u8);

/// What takes the verdicts. Those from the cache come before the others of their group, all others in
/// the order of the tokens.
pub(crate) trait Sink {
    /// Takes the verdict on a token from the cache. Returns false where more of the token is needed:
    /// it then comes once more by [`take`](Self::take).
    fn take_cached(&mut self, found: &Found<'_>, verdict: &Verdict, cached: &Cached) -> bool;

    /// Takes the verdict on a token. Returns the group that it was counted in, if any.
    fn take(
        &mut self,
        found: &Found<'_>,
        judged: &Judged<'_>,
        is_kid_unknown: bool,
    ) -> Option<GroupId>;

    /// Takes the chain that the key of the token before came from.
    fn take_chain(&mut self, _: &Chain, _is_valid: bool) {}
}

/// Validates batches under one validator.
pub(crate) struct BatchJudge {
    /// Its counter is no other thread's, so that cloning it for each batch costs no cache miss.
    validator: Arc<Validator>,
    headers: HeaderCache,
    repeats: RepeatCache,
    in_flight: Vec<InFlight<'static>>,
    pending: Vec<Pending<'static>>,
    verifier: BatchVerifier,
    payload: PayloadScratch,
    /// Whether every `kid` is needed, and not only those that no key has.
    wants_kid: bool,
    repeated: u64,
}

/// A token between the stages.
#[derive(Clone, Copy)]
struct InFlight<'b> {
    found: Found<'b>,
    /// The index of its header.
    header: Option<u32>,
    /// The entry of the cache that waits for its verdict.
    entry: Option<EntryId>,
    signature: Signature,
}

/// What is known of a token's signature.
#[derive(Clone, Copy)]
enum Signature {
    /// Nothing yet.
    Unknown,
    /// It is the one of this number among those pending.
    Pending(u32),
    /// The same token was verified before.
    Cached(Result<Proof, Reason>),
    /// Its header may bring a chain that matters, so that it is judged by itself, at its instant.
    Alone,
    /// The token was rejected at an earlier stage.
    NotReached(Reason),
}

impl<'b> InFlight<'b> {
    const fn new(found: Found<'b>) -> Self {
        let signature = match found.content {
            Content::Token(_) => Signature::Unknown,
            Content::Malformed(_, reason) => Signature::NotReached(reason),
            Content::TooLong(_) => Signature::NotReached(Reason::TooLong),
        };
        Self {
            found,
            header: None,
            entry: None,
            signature,
        }
    }

    /// The token, if its header is still to be looked at.
    const fn token(&self) -> Option<Token<'b>> {
        match (self.found.content, self.signature) {
            (_, Signature::NotReached(_)) => None,
            (Content::Token(token), _) => Some(token),
            _ => None,
        }
    }
}

impl BatchJudge {
    /// A judge with a cache of repeated tokens of about `cache_bytes`. `shows_kid` says whether the
    /// sink shows the `kid` of tokens.
    pub(crate) fn new(
        validator: Validator,
        kernel: Kernel,
        cache_bytes: usize,
        shows_kid: bool,
    ) -> Self {
        // As a hint it decides on a finding; with several issuers it may be unknown to one of them.
        let policies = validator.policies();
        let is_needed = policies.len() > 1 || policies.iter().any(Policy::takes_kid_as_hint);
        Self {
            wants_kid: shows_kid || is_needed,
            validator: Arc::new(validator),
            headers: HeaderCache::new(),
            repeats: RepeatCache::new(cache_bytes),
            in_flight: Vec::new(),
            pending: Vec::new(),
            verifier: BatchVerifier::new(kernel),
            payload: PayloadScratch::new(),
            repeated: 0,
        }
    }

    /// The payload that was decoded last: that of the only token of a batch, if it is valid and was
    /// not taken from the cache.
    pub(crate) fn last_payload(&self) -> &[u8] {
        self.payload.decoded()
    }

    /// From now on all tokens are looked up in the cache, whether that pays or not.
    pub(crate) fn always_look_up(mut self) -> Self {
        self.repeats.always_look_up();
        self
    }

    /// How many tokens of the last batch were known from the cache.
    pub(crate) const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Validates at most [`MAX_TOKENS`] tokens, each at its instant. Returns whether all verdicts were
    /// given; none of the batch counts when `stop` turned true before.
    pub(crate) fn judge<'b>(
        &mut self,
        tokens: &mut impl Iterator<Item = Found<'b>>,
        stop: &AtomicBool,
        sink: &mut impl Sink,
        clock: &mut impl Clock,
    ) -> bool {
        // So that the keys outlive this borrow of `self`.
        let validator = Arc::clone(&self.validator);
        let mut tokens = tokens.take(MAX_TOKENS);
        let keys = validator.keys();
        let pads = validator.policy().accepts_padding();
        let mut in_flight = recycle(std::mem::take(&mut self.in_flight));
        let mut pending = recycle(std::mem::take(&mut self.pending));
        self.headers.begin_batch();
        self.repeats.begin_batch();
        self.repeated = 0;
        loop {
            let begin = in_flight.len();
            let group = tokens.by_ref().take(GROUP);
            in_flight.extend(group.map(|found| InFlight::new(found.padded(pads))));
            clock.lap(Stage::Extract);
            if in_flight.len() == begin {
                break;
            }
            let probes = self.look_up(&mut in_flight, begin, sink);
            clock.lap(Stage::Cache);
            self.select_keys(&mut in_flight[begin..], &probes, keys, &mut pending, clock);
        }
        let verifying = |key| keys.verifying(key);
        let is_done = (self.verifier).verify(&mut pending, keys.states(), verifying, stop);
        clock.lap(Stage::Signature);
        if is_done {
            for group in in_flight.chunks(GROUP) {
                let headers = group.iter().filter_map(|token| token.header);
                self.headers.prefetch(headers, self.wants_kid);
                for token in group {
                    self.finish(&validator, token, &pending, sink);
                }
            }
            clock.lap(Stage::Claims);
        }
        self.in_flight = recycle(in_flight);
        self.pending = recycle(pending);
        is_done
    }

    /// The cache stage for the tokens from `begin` on, one group: those whose verdicts the sink took
    /// are removed. Returns where the others were looked for.
    fn look_up(
        &mut self,
        in_flight: &mut Vec<InFlight<'_>>,
        begin: usize,
        sink: &mut impl Sink,
    ) -> [Probe; GROUP] {
        if !self.repeats.is_active {
            return [Probe::default(); GROUP];
        }
        let mut tokens = [None; GROUP];
        for (token, in_flight) in tokens.iter_mut().zip(&in_flight[begin..]) {
            *token = in_flight.token().map(|token| token.bytes());
        }
        let mut probes = self.repeats.probe(&tokens);
        let mut kept = begin;
        for (index, token) in tokens.iter().enumerate().take(in_flight.len() - begin) {
            let own = &mut in_flight[begin + index];
            match self.repeats.look_up(*token, &probes[index]) {
                Lookup::Hit(cached) => {
                    self.repeated += 1;
                    let mut verdict = verdict_at(&self.validator, cached, own.found.at);
                    verdict.findings = verdict.findings.union(own.found.findings);
                    if sink.take_cached(&own.found, &verdict, cached) {
                        continue;
                    }
                    own.signature = Signature::Cached(cached.signature);
                }
                Lookup::Pending(number) => {
                    self.repeated += 1;
                    own.signature = Signature::Pending(number);
                }
                Lookup::Miss => {}
            }
            if kept < begin + index {
                in_flight.swap(kept, begin + index);
                probes[kept - begin] = probes[index];
            }
            kept += 1;
        }
        in_flight.truncate(kept);
        probes
    }

    /// The header stage for one group, and the signatures to verify, each with the keys to try.
    fn select_keys<'t: 'k, 'k>(
        &mut self,
        in_flight: &mut [InFlight<'t>],
        probes: &[Probe; GROUP],
        keys: &'k KeySet,
        pending: &mut Vec<Pending<'k>>,
        clock: &mut impl Clock,
    ) {
        let tokens = || in_flight.iter().filter_map(InFlight::token);
        let likely = self.headers.probe(tokens().map(|token| token.header()));
        let mut likely = likely.into_iter();
        let mut selected = [None; GROUP];
        for (token, selected) in in_flight.iter_mut().zip(&mut selected) {
            let Some(bytes) = token.token() else {
                continue;
            };
            let likely = likely.next().flatten();
            let index = self.headers.find(&self.validator, bytes.header(), likely);
            token.header = Some(index);
            if !matches!(token.signature, Signature::Unknown) {
                continue;
            }
            if self.headers.may_be_anchored(index) {
                token.signature = Signature::Alone;
                continue;
            }
            match (self.headers).select(&self.validator, index, bytes, &mut self.payload) {
                Ok(selection) => *selected = Some(*selection),
                Err(reason) => token.signature = Signature::NotReached(reason),
            }
        }
        clock.lap(Stage::Header);
        for ((token, probe), selection) in in_flight.iter_mut().zip(probes).zip(&selected) {
            let (Some(selection), Some(bytes)) = (selection, token.token()) else {
                continue;
            };
            let algorithm = selection.algorithm();
            // A batch has at most MAX_TOKENS.
            let number = u32::try_from(pending.len()).unwrap_or(u32::MAX);
            token.signature = Signature::Pending(number);
            match (self.repeats).admit(bytes.bytes(), *probe, number, algorithm.is_hmac()) {
                Admission::Pending(earlier) => {
                    self.repeated += 1;
                    token.signature = Signature::Pending(earlier);
                    continue;
                }
                Admission::New(entry) => token.entry = Some(entry),
                Admission::None => {}
            }
            let candidates = keys.candidates(*selection);
            let (input, signature) = (bytes.signing_input(), bytes.signature());
            Pending::push(pending, input, signature, algorithm, candidates);
        }
        clock.lap(Stage::SignatureBase64url);
    }

    /// The claims stage for one token, and its verdict.
    #[inline(always)]
    fn finish(
        &mut self,
        validator: &Validator,
        token: &InFlight<'_>,
        pending: &[Pending<'_>],
        sink: &mut impl Sink,
    ) {
        let unsigned = self.headers.unsigned(token.header, self.wants_kid);
        let mut leaf = None;
        let authentic = match (token.signature, token.found.content) {
            (Signature::Pending(number), _) => pending[number as usize].outcome(),
            (Signature::Cached(signature), Content::Token(token)) => {
                // The cache compared all bytes of the token.
                signature.map(|proof| proof.of_same_token(token.signing_input()))
            }
            (Signature::Alone, Content::Token(alone)) => validator
                .authenticate_alone(alone, token.found.at)
                .map(|found| {
                    leaf = found.leaf;
                    found.authentic
                }),
            (Signature::NotReached(reason), _) => Err(reason),
            _ => unreachable!("every token was looked up, selected keys, or was rejected"),
        };
        let signature = authentic.map(|authentic| authentic.proof());
        let mut claims = Claims::none();
        let mut judged = match authentic {
            Err(reason) => unsigned.with(reason),
            Ok(authentic) => {
                let proof = authentic.proof();
                let wanted = validator.policy_of(Some(proof.key())).wanted();
                let payload = Payload::decode(authentic, wanted, &mut self.payload);
                let read = payload.and_then(|payload| payload.read(&mut claims));
                validator.judge_time_invariant(proof, unsigned, read.map(|()| &claims))
            }
        };
        if let Some(text) = token.found.content.bytes() {
            validator.judge_spelling(&mut judged, text);
            validator.judge_chain(&mut judged, text, token.found.at);
        }
        let Verdict {
            reasons, findings, ..
        } = judged.verdict;
        judged.verdict.findings = findings.union(token.found.findings);
        validator.judge_at(&mut judged, token.found.at);
        let is_kid_unknown = (token.header).is_some_and(|index| self.headers.is_kid_unknown(index));
        let group = sink.take(&token.found, &judged, is_kid_unknown);
        if let Some(leaf) = leaf {
            sink.take_chain(&leaf.chain, judged.verdict.is_valid());
        }
        if let Some(entry) = token.entry {
            let dates = judged.claims.map(Claims::dates);
            let cached = Cached {
                signature,
                reasons,
                findings,
                dates,
                group,
            };
            self.repeats.fill(entry, cached);
        }
    }
}

/// The verdict at an instant on a token from the cache.
fn verdict_at(validator: &Validator, cached: &Cached, now: UnixTime) -> Verdict {
    let key = cached.signature.ok().map(Proof::key);
    let mut reasons = cached.reasons;
    if let Some(dates) = &cached.dates {
        reasons = reasons.union(validator.policy_of(key).check_at(dates, now));
    }
    Verdict {
        reasons,
        findings: cached.findings,
        key,
    }
}

#[cfg(test)]
mod tests;
