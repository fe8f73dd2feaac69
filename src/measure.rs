//! What each step of judging costs, on tokens of one's own: the clock of `jotmill bench`.
//!
//! Owns the walk over a text block by block, one step after the other, and the signatures by
//! themselves.
//! The steps are those of a run, through the same code, but each over a whole block before the
//! next, so that a clock can stand between them. Leaves to others what a run costs as a whole,
//! how often to measure, and what to make of the figures.
//!
//! ```
//! use jotmill::{Kernel, KeySet, Policy, UnixTime, Validator, measure};
//!
//! # fn main() -> Result<(), jotmill::Error> {
//! let mut keys = KeySet::new();
//! keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
//! let validator = Validator::new(Policy::new(), keys)?;
//! let steps = measure::steps(&validator, UnixTime::now()?, b"a.b.c\nd\n", Kernel::best());
//! assert_eq!(steps.tokens.rejected, 2);
//! println!("{:?} for finding lines and dots", steps.time(measure::Step::Split));
//! # Ok(())
//! # }
//! ```

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::batch::{AHEAD, HeaderMemo, MAX_LINES, split};
use crate::input::{DEFAULT_BLOCK_BYTES, lines};
use crate::key::{KeySet, Selection};
use crate::report::Counts;
use crate::signature::lanes::{Job, Job256, Job512, Scratch};
use crate::signature::public::{Parsed, PublicKey, ReadyKeys};
use crate::signature::{
    self, Algorithm, Authentic, BatchVerifier, Candidate, Kernel, Pending, VerifyingKey,
};
use crate::time::UnixTime;
use crate::token::{Claims, Payload, PayloadScratch, Token, base64url};
use crate::validator::{Judged, Validator};
use crate::verdict::FindingSet;

/// A step of judging a block of tokens, in the order in which they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Finding the lines, and the two dots of each token.
    Split,
    /// Looking up each header among those known, and with it the keys to try; with several issuers,
    /// decoding each payload and reading its issuer, too.
    Header,
    /// Decoding each signature from base64url.
    SignatureBase64url,
    /// Computing and comparing the signatures, in lanes where there are any.
    Signature,
    /// Decoding each payload from base64url.
    PayloadBase64url,
    /// Reading the claims of each payload and holding them against the policy. A payload is decoded
    /// and read at one go, while it is in the nearest cache; so this is the time of both, less that
    /// of decoding alone. A run that writes no rows reads less of most payloads.
    Claims,
}

impl Step {
    /// Every step, in order: the discriminant is the index.
    pub const ALL: [Self; 6] = [
        Self::Split,
        Self::Header,
        Self::SignatureBase64url,
        Self::Signature,
        Self::PayloadBase64url,
        Self::Claims,
    ];

    /// A name for tables and data.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Split => "split",
            Self::Header => "header",
            Self::SignatureBase64url => "signature-base64url",
            Self::Signature => "signature",
            Self::PayloadBase64url => "payload-base64url",
            Self::Claims => "claims",
        }
    }
}

/// What a walk over a text cost, and what it came to.
#[derive(Clone, Debug)]
pub struct Steps {
    /// The verdicts. They are those of [`run`](crate::run) over the same text.
    pub tokens: Counts,
    /// That of the claims with the decoding of payloads in it.
    times: [Duration; Step::ALL.len()],
}

impl Steps {
    /// What a step took, over all blocks.
    #[must_use]
    pub fn time(&self, step: Step) -> Duration {
        let time = self.times[step as usize];
        match step {
            Step::Claims => time.saturating_sub(self.times[Step::PayloadBase64url as usize]),
            _ => time,
        }
    }
}

/// Validates every line of a text at `now` on the calling thread, step by step.
#[must_use]
pub fn steps(validator: &Validator, now: UnixTime, text: &[u8], kernel: Kernel) -> Steps {
    let mut walk = Walk::new(validator, now, kernel);
    for block in blocks(text) {
        walk.judge(block);
    }
    walk.steps
}

/// A text in blocks of whole lines, about as long as those of a run, and of as many at most.
fn blocks(mut text: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let least = DEFAULT_BLOCK_BYTES.min(text.len()).checked_sub(1)?;
        let last = memchr::memchr_iter(b'\n', &text[..least]).nth(MAX_LINES - 1);
        let ending = || memchr::memchr(b'\n', &text[least..]).map(|at| least + at);
        let end = last.or_else(ending).map_or(text.len(), |at| at + 1);
        let (block, rest) = text.split_at(end);
        text = rest;
        Some(block)
    })
}

/// What is kept from block to block: memory, and the headers seen.
struct Walk<'v, 'b> {
    validator: &'v Validator,
    now: UnixTime,
    headers: HeaderMemo,
    verifier: BatchVerifier,
    payload: PayloadScratch,
    steps: Steps,
    tokens: Vec<Token<'b>>,
    selected: Vec<(Token<'b>, Selection)>,
    pending: Vec<Pending<'b>>,
    decoded: Vec<u8>,
}

impl<'v: 'b, 'b> Walk<'v, 'b> {
    fn new(validator: &'v Validator, now: UnixTime, kernel: Kernel) -> Self {
        Self {
            validator,
            now,
            headers: HeaderMemo::new(),
            verifier: BatchVerifier::new(kernel),
            payload: PayloadScratch::new(),
            steps: Steps {
                tokens: Counts::default(),
                times: [Duration::ZERO; Step::ALL.len()],
            },
            tokens: Vec::new(),
            selected: Vec::new(),
            pending: Vec::new(),
            decoded: Vec::new(),
        }
    }

    fn judge(&mut self, block: &'b [u8]) {
        self.make_room(block);
        let limit = self.validator.policy().token_limit();
        let mut all = 0;
        let mut begun = Instant::now();
        for line in lines(block) {
            let is_too_long = line.length > limit;
            if is_too_long || !line.token.is_empty() {
                all += 1;
            }
            if !is_too_long {
                self.tokens.extend(split(&line));
            }
        }
        self.end(Step::Split, &mut begun);

        self.headers.begin_block();
        for tokens in self.tokens.chunks(AHEAD) {
            let likely = self.headers.look_ahead(tokens.iter().map(|it| it.header()));
            for (token, likely) in tokens.iter().zip(likely) {
                let payload = &mut self.payload;
                let (_, selection) = (self.headers).select(self.validator, *token, likely, payload);
                self.selected.extend(selection.map(|keys| (*token, *keys)));
            }
        }
        self.end(Step::Header, &mut begun);

        for (token, selection) in &self.selected {
            Pending::push(
                &mut self.pending,
                token.signing_input(),
                token.signature(),
                selection.algorithm(),
                self.validator.keys().candidates(*selection),
            );
        }
        self.end(Step::SignatureBase64url, &mut begun);

        let keys = self.validator.keys();
        let never = AtomicBool::new(false);
        self.verifier.verify(
            &mut self.pending,
            keys.states(),
            |key| keys.verifying(key),
            &never,
        );
        self.end(Step::Signature, &mut begun);

        for authentic in authentic(&self.pending) {
            let _ = black_box(base64url::decode(authentic.payload(), &mut self.decoded));
        }
        self.end(Step::PayloadBase64url, &mut begun);

        let mut valid = 0;
        for authentic in authentic(&self.pending) {
            let mut claims = Claims::none();
            let unsigned = Judged::unsigned(None, None, FindingSet::EMPTY);
            let policy = self.validator.policy_of(Some(authentic.proof().key()));
            let payload = Payload::decode(authentic, policy.wanted(), &mut self.payload);
            let read = payload.and_then(|payload| payload.read(&mut claims));
            let judged = self.validator.judge_claims(
                authentic.proof(),
                unsigned,
                read.map(|()| &claims),
                self.now,
            );
            valid += u64::from(judged.verdict.is_valid());
        }
        self.end(Step::Claims, &mut begun);
        self.steps.tokens.valid += valid;
        self.steps.tokens.rejected += all - valid;
    }

    /// Empties everything, and sees to it that no step has to ask for memory.
    fn make_room(&mut self, block: &[u8]) {
        self.tokens.clear();
        self.selected.clear();
        self.pending.clear();
        let most = memchr::memchr_iter(b'\n', block).count() + 1;
        self.tokens.reserve(most);
        self.selected.reserve(most);
        self.pending.reserve(most);
        if self.decoded.len() < block.len() {
            self.decoded.resize(block.len(), 0);
        }
    }

    fn end(&mut self, step: Step, begun: &mut Instant) {
        let now = Instant::now();
        self.steps.times[step as usize] += now - *begun;
        *begun = now;
    }
}

/// Those tokens of a block whose signature holds.
fn authentic<'b>(pending: &[Pending<'b>]) -> impl Iterator<Item = Authentic<'b>> {
    pending.iter().filter_map(|token| token.outcome().ok())
}

/// The signatures of a text and nothing else: messages found, keys chosen, ready to be verified.
///
/// They are the bound of a run: no way of judging a token is faster than its MAC in a given kernel,
/// computed from the state that the key's pads leave behind (RFC 2104 section 4), or than the
/// library's verification of its signature by a key that was parsed before.
pub struct Signatures<'m> {
    jobs256: Vec<Job256<'m>>,
    jobs512: Vec<Job512<'m>>,
    tags256: Vec<[u8; 32]>,
    tags512: Vec<[u8; 64]>,
    scratch: Scratch,
    public: Vec<Signed<'m>>,
    ready: ReadyKeys,
}

/// A token with a signature by a private key.
struct Signed<'m> {
    message: &'m [u8],
    signature: Vec<u8>,
    number: u32,
    key: &'m PublicKey,
    algorithm: Algorithm,
}

impl<'m> Signatures<'m> {
    /// How many MACs are computed at a time: about what a block holds.
    const LOT: usize = 1024;

    /// One signature of each token whose header says which keys may have made it: under the key
    /// that made it, or the first that might have.
    #[must_use]
    pub fn new(validator: &'m Validator, text: &'m [u8]) -> Self {
        let mut all = Self {
            jobs256: Vec::new(),
            jobs512: Vec::new(),
            tags256: vec![[0; 32]; Self::LOT],
            tags512: vec![[0; 64]; Self::LOT],
            scratch: Scratch::new(),
            public: Vec::new(),
            ready: ReadyKeys::default(),
        };
        let (mut headers, mut payload) = (HeaderMemo::new(), PayloadScratch::new());
        for block in blocks(text) {
            headers.begin_block();
            for line in lines(block) {
                let Ok(token) = Token::split(line.token) else {
                    continue;
                };
                if let (_, Ok(selection)) = headers.select(validator, token, None, &mut payload) {
                    all.push(validator.keys(), token, *selection);
                }
            }
        }
        all
    }

    fn push(&mut self, keys: &'m KeySet, token: Token<'m>, selection: Selection) {
        let algorithm = selection.algorithm();
        let candidates = keys.candidates(selection);
        let (input, signature) = (token.signing_input(), token.signature());
        let key = |number| keys.verifying(number);
        let made = signature::verify(input, signature, algorithm, candidates, key).ok();
        let made = made.map(|authentic| authentic.proof().key());
        let is_made = |candidate: &Candidate| made.is_none_or(|key| candidate.key == key);
        let Some(candidate) = candidates.iter().find(is_made) else {
            return;
        };
        let number = candidate.key;
        let message = input.bytes();
        let states = keys.states();
        if let Some(place) = candidate.states {
            match algorithm {
                Algorithm::Hs256 => self.jobs256.push(Job {
                    message,
                    key: states.hs256(place),
                }),
                Algorithm::Hs384 => self.jobs512.push(Job {
                    message,
                    key: states.hs384(place),
                }),
                _ => self.jobs512.push(Job {
                    message,
                    key: states.hs512(place),
                }),
            }
        } else if let VerifyingKey::Public(key) = keys.verifying(number) {
            let mut decoded = vec![0; base64url::decoded_len(signature.len())];
            if base64url::decode(signature, &mut decoded).is_ok() {
                self.ready.get(number, key, algorithm);
                self.public.push(Signed {
                    message,
                    signature: decoded,
                    number,
                    key,
                    algorithm,
                });
            }
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.jobs256.len() + self.jobs512.len() + self.public.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a MAC among them, so that the kernel matters.
    #[must_use]
    pub const fn has_macs(&self) -> bool {
        !self.jobs256.is_empty() || !self.jobs512.is_empty()
    }

    /// Computes or verifies all of them, and tells how long it took.
    pub fn compute(&mut self, kernel: Kernel) -> Duration {
        let begun = Instant::now();
        for jobs in self.jobs256.chunks(Self::LOT) {
            let tags = &mut self.tags256[..jobs.len()];
            kernel.hmac_sha256(jobs, &mut self.scratch, black_box(tags));
        }
        for jobs in self.jobs512.chunks(Self::LOT) {
            let tags = &mut self.tags512[..jobs.len()];
            kernel.hmac_sha512(jobs, &mut self.scratch, black_box(tags));
        }
        for token in &self.public {
            let key = self.ready.get(token.number, token.key, token.algorithm);
            let verify = |key: &Parsed| key.verify(token.message, &token.signature);
            black_box(key.is_some_and(verify));
        }
        begun.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::{Dataset, Defect, Share, Spec};
    use crate::policy::Policy;
    use crate::time::UnixTime;
    use crate::{KeySet, audit};

    /// The instant that data sets are made for.
    fn now() -> UnixTime {
        UnixTime::new(Spec::default().now.cast_unsigned(), 0).unwrap()
    }

    /// Tokens of every algorithm, a good part of them wrong at one stage or another, in more than
    /// one block; blank lines, and no line feed at the end.
    fn mixed(limit: usize) -> (Validator, Vec<u8>) {
        let shares = [
            (Defect::SegmentCount, 5),
            (Defect::HeaderBase64url, 5),
            (Defect::SignatureBase64url, 5),
            (Defect::SignatureMismatch, 5),
            (Defect::PayloadBase64url, 5),
            (Defect::PayloadDuplicateMember, 5),
            (Defect::Expired, 10),
        ];
        let defects = shares.map(|(defect, percent)| (defect, Share::from_percent(percent)));
        let algorithms = ["HS256", "HS384", "HS512"].map(|name| name.parse().unwrap());
        let dataset = Dataset::new(Spec {
            count: 2_000,
            algorithms: algorithms.to_vec(),
            defects: defects.to_vec(),
            ..Spec::default()
        });
        let dataset = dataset.unwrap();
        let mut keys = KeySet::new();
        keys.add_jwks(dataset.jwks().as_bytes(), "here").unwrap();
        let policy = Policy::new().max_token_bytes(limit).unwrap();
        let validator = Validator::new(policy, keys).unwrap();
        let mut text = b"\n  \n".to_vec();
        text.extend(dataset.buffer());
        text.pop();
        (validator, text)
    }

    /// Short lines with a header each: more of them in the bytes of a block than a run judges at a
    /// time, and than headers are remembered.
    #[test]
    fn more_lines_than_a_block_has_are_judged_all_the_same() {
        let (validator, _) = mixed(1000);
        let lines = 40_000;
        let text: String = (0..lines).map(|line| format!("{line:x}..\n")).collect();
        assert!(blocks(text.as_bytes()).all(|block| {
            let lines = memchr::memchr_iter(b'\n', block).count();
            lines <= MAX_LINES && block.ends_with(b"\n")
        }));
        assert!(blocks(text.as_bytes()).flatten().eq(text.as_bytes()));
        let steps = steps(&validator, now(), text.as_bytes(), Kernel::best());
        assert_eq!(steps.tokens.rejected, lines);
        assert!(Signatures::new(&validator, text.as_bytes()).is_empty());
    }

    #[test]
    fn steps_come_to_the_verdicts_of_a_run() {
        let (validator, text) = mixed(1 << 20);
        assert!(blocks(&text).count() > 1);
        let expected = audit(&validator, now(), &text[..]).report.tally.tokens;
        assert!(expected.valid > 0 && expected.rejected > 0);
        for kernel in Kernel::available() {
            let steps = steps(&validator, now(), &text, kernel);
            assert_eq!(steps.tokens, expected, "{kernel}");
            let all: Duration = Step::ALL.iter().map(|step| steps.time(*step)).sum();
            assert!(!all.is_zero());
        }
    }

    #[test]
    fn a_line_beyond_the_limit_counts_as_in_a_run() {
        let (validator, text) = mixed(600);
        let expected = audit(&validator, now(), &text[..]).report.tally.tokens;
        let steps = steps(&validator, now(), &text, Kernel::best());
        assert_eq!(steps.tokens, expected);
        let (usual, _) = mixed(1 << 20);
        assert_ne!(
            audit(&usual, now(), &text[..]).report.tally.tokens,
            expected
        );
    }

    #[test]
    fn every_token_whose_header_selects_keys_has_one_signature() {
        let (validator, text) = mixed(1 << 20);
        let mut all = Signatures::new(&validator, &text);
        // A twentieth each has no two dots or no header.
        assert!((1_700..1_900).contains(&all.len()), "{}", all.len());
        assert!(!all.is_empty() && all.has_macs());
        for kernel in Kernel::available() {
            assert!(!all.compute(kernel).is_zero(), "{kernel}");
        }
        assert!(Signatures::new(&validator, b"a.b.c\n\nd").is_empty());
    }

    #[cfg(feature = "gen")]
    #[test]
    fn signatures_by_private_keys_are_among_them() {
        let algorithms = ["ES256", "EdDSA", "HS256"].map(|name| name.parse().unwrap());
        let dataset = Dataset::new(Spec {
            count: 60,
            algorithms: algorithms.to_vec(),
            ..Spec::default()
        });
        let dataset = dataset.unwrap();
        let mut keys = KeySet::new();
        keys.add_jwks(dataset.jwks().as_bytes(), "here").unwrap();
        let validator = Validator::new(Policy::new(), keys).unwrap();
        let text = dataset.buffer();
        let mut all = Signatures::new(&validator, &text);
        assert!(all.has_macs() && !all.public.is_empty());
        assert_eq!(all.len(), 60);
        assert!(!all.compute(Kernel::best()).is_zero());
        for token in &all.public {
            let key = all.ready.get(token.number, token.key, token.algorithm);
            let is_signed = |key: &Parsed| key.verify(token.message, &token.signature);
            assert!(key.is_some_and(is_signed), "{}", token.algorithm);
        }
    }

    #[test]
    fn blocks_are_whole_lines_and_together_the_text() {
        let (_, text) = mixed(1 << 20);
        assert_eq!(blocks(&text).collect::<Vec<_>>().concat(), text);
        let ends_well = |block: &[u8]| block.ends_with(b"\n");
        assert_eq!(blocks(&text).filter(|block| !ends_well(block)).count(), 1);
        assert_eq!(blocks(b"").count(), 0);
    }
}
