//! Measures the stages of a run on given tokens, for `jotmill bench`.
//!
//! [`stages`] runs the stages over a text with a clock between them, and [`Signatures`] computes
//! only the signatures, the bound of any run. The time of a whole run, and how often to measure, is
//! left to the caller.
//!
//! ```
//! use jotmill::{Kernel, KeySet, Policy, UnixTime, Validator, measure};
//!
//! # fn main() -> Result<(), jotmill::Error> {
//! let mut keys = KeySet::new();
//! keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
//! let validator = Validator::new(Policy::new(), keys)?;
//! let stages = measure::stages(&validator, UnixTime::now()?, b"a.b.c\nd\n", Kernel::best(), 0);
//! assert_eq!(stages.tokens.rejected, 2);
//! println!("{:?} for the claims", stages.time(measure::Stage::Claims));
//! # Ok(())
//! # }
//! ```

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::base64url;
use crate::batch::{BatchJudge, HeaderCache, MAX_TOKENS};
use crate::extract::LineTokens;
use crate::input::{Block, DEFAULT_BLOCK_BYTES, SliceReader, lines};
use crate::key::{KeySet, Selection};
use crate::record::{Outcome, Recorder};
use crate::report::Counts;
use crate::signature::lanes::{Job, Job256, Job512, Scratch};
use crate::signature::public::{Parsed, ParsedKeys, PublicKey};
use crate::signature::{self, Algorithm, Candidate, Kernel, VerifyingKey};
use crate::stage::Clock;
pub use crate::stage::Stage;
use crate::time::UnixTime;
use crate::token::{PayloadScratch, Token};
use crate::validator::Validator;

/// The time of each stage, and the counts.
#[derive(Clone, Debug)]
pub struct Stages {
    /// The counts of verdicts; those of [`run`](crate::run) over the same text.
    pub tokens: Counts,
    times: [Duration; Stage::ALL.len()],
}

impl Stages {
    /// The time of a stage, over the whole text.
    #[must_use]
    pub fn time(&self, stage: Stage) -> Duration {
        self.times[stage as usize]
    }
}

/// Validates every line of a text at `now` on the calling thread, without rows and with a cache of
/// `cache_bytes`, and measures the stages.
#[must_use]
pub fn stages(
    validator: &Validator,
    now: UnixTime,
    text: &[u8],
    kernel: Kernel,
    cache_bytes: usize,
) -> Stages {
    let mut judge = BatchJudge::new(validator.clone(), kernel, cache_bytes, false);
    let mut recorder = Recorder::new(validator.clone(), None, now);
    let mut clock = StageClock {
        times: [Duration::ZERO; Stage::ALL.len()],
        last: Instant::now(),
    };
    let mut tokens = Counts::default();
    let never = AtomicBool::new(false);
    each_block(validator, now, text, |mut lines| {
        let mut outcome = Outcome::new(now, false, false);
        clock.last = Instant::now();
        let mut sink = recorder.record(0, &mut outcome);
        judge.judge(&mut lines, &never, &mut sink, &mut clock);
        recorder.end_batch(&mut outcome);
        clock.lap(Stage::Claims);
        tokens.add(outcome.tally.tokens);
        lines.consumed()
    });
    Stages {
        tokens,
        times: clock.times,
    }
}

/// Sums the time of each stage.
struct StageClock {
    times: [Duration; Stage::ALL.len()],
    last: Instant,
}

impl Clock for StageClock {
    fn lap(&mut self, stage: Stage) {
        let now = Instant::now();
        self.times[stage as usize] += now - self.last;
        self.last = now;
    }
}

/// Calls `each` for the blocks of a text, as a run takes them. `each` returns how many bytes of the
/// block it consumed.
fn each_block<'t>(
    validator: &Validator,
    now: UnixTime,
    text: &'t [u8],
    mut each: impl FnMut(LineTokens<'_>) -> usize,
) {
    let limit = validator.policy().token_limit();
    let mut reader = SliceReader::new(text, 0);
    let mut block: Block<'t> = Block::default();
    while reader.fill(&mut block, DEFAULT_BLOCK_BYTES) {
        while !block.bytes().is_empty() {
            let consumed = each(LineTokens::new(&block, limit, now));
            block.resume(consumed);
        }
    }
}

/// Only the signatures of a text, with their messages and keys, ready to be verified.
///
/// They are the bound of a run. No validation is faster than the MAC of the token in a given
/// kernel, computed from the precomputed pad states of the key (RFC 2104 section 4), or than the
/// library's verification of an asymmetric signature by a parsed key.
pub struct Signatures<'m> {
    jobs256: Vec<Job256<'m>>,
    jobs512: Vec<Job512<'m>>,
    tags256: Vec<[u8; 32]>,
    tags512: Vec<[u8; 64]>,
    scratch: Scratch,
    public: Vec<Signed<'m>>,
    ready: ParsedKeys,
}

/// A token with an asymmetric signature.
struct Signed<'m> {
    message: &'m [u8],
    signature: Vec<u8>,
    number: u32,
    key: &'m PublicKey,
    algorithm: Algorithm,
}

impl<'m> Signatures<'m> {
    /// The number of MACs per batch: about those of a block.
    const LOT: usize = 1024;

    /// One signature for each token whose header selects candidate keys: with the key that verifies
    /// it, or else the first candidate.
    #[must_use]
    pub fn new(validator: &'m Validator, text: &'m [u8]) -> Self {
        let mut all = Self {
            jobs256: Vec::new(),
            jobs512: Vec::new(),
            tags256: vec![[0; 32]; Self::LOT],
            tags512: vec![[0; 64]; Self::LOT],
            scratch: Scratch::new(),
            public: Vec::new(),
            ready: ParsedKeys::default(),
        };
        let (mut headers, mut payload) = (HeaderCache::new(), PayloadScratch::new());
        for (index, line) in lines(text).enumerate() {
            if index % MAX_TOKENS == 0 {
                headers.begin_batch();
            }
            let Ok(token) = Token::split(line.token) else {
                continue;
            };
            let header = headers.find(validator, token.header(), None);
            if let Ok(selection) = headers.select(validator, header, token, &mut payload) {
                all.push(validator.keys(), token, *selection);
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

    /// The number of signatures.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.jobs256.len() + self.jobs512.len() + self.public.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether one of them is a MAC, so that the kernel matters.
    #[must_use]
    pub const fn has_macs(&self) -> bool {
        !self.jobs256.is_empty() || !self.jobs512.is_empty()
    }

    /// Computes or verifies all of them, and returns the time.
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
    use crate::policy::Policy;
    use crate::time::UnixTime;
    use crate::{KeySet, audit};
    use jotmill_datasets::{Dataset, Defect, Share, Spec};

    /// The instant that data sets are generated for.
    fn now() -> UnixTime {
        UnixTime::new(Spec::default().now.cast_unsigned(), 0).unwrap()
    }

    /// Tokens of every algorithm, many of them rejected at various stages, in more than one block;
    /// with blank lines, and no line feed at the end.
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
        keys.add_key(dataset.jwks().as_bytes(), "here").unwrap();
        let policy = Policy::new().max_token_bytes(limit).unwrap();
        let validator = Validator::new(policy, keys).unwrap();
        let mut text = b"\n  \n".to_vec();
        text.extend(dataset.buffer());
        text.pop();
        (validator, text)
    }

    /// Short lines, each with its own header: a block has more of them than a run takes at a time,
    /// and more than the cache of headers can hold.
    #[test]
    fn more_lines_than_a_block_has_are_judged_all_the_same() {
        let (validator, _) = mixed(1000);
        let lines = 40_000;
        let text: String = (0..lines).map(|line| format!("{line:x}..\n")).collect();
        let stages = stages(&validator, now(), text.as_bytes(), Kernel::best(), 1 << 20);
        assert_eq!(stages.tokens.rejected, lines);
        assert!(Signatures::new(&validator, text.as_bytes()).is_empty());
    }

    #[test]
    fn stages_come_to_the_verdicts_of_a_run() {
        let (validator, text) = mixed(1 << 20);
        assert!(text.len() > 2 * DEFAULT_BLOCK_BYTES);
        let expected = audit(&validator, now(), &text[..]).report.tally.tokens;
        assert!(expected.valid > 0 && expected.rejected > 0);
        for kernel in Kernel::available() {
            let stages = stages(&validator, now(), &text, kernel, 1 << 20);
            assert_eq!(stages.tokens, expected, "{kernel}");
            let all: Duration = Stage::ALL.iter().map(|stage| stages.time(*stage)).sum();
            assert!(!all.is_zero());
        }
    }

    #[test]
    fn a_line_beyond_the_limit_counts_as_in_a_run() {
        let (validator, text) = mixed(600);
        let expected = audit(&validator, now(), &text[..]).report.tally.tokens;
        let stages = stages(&validator, now(), &text, Kernel::best(), 1 << 20);
        assert_eq!(stages.tokens, expected);
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
        // One in twenty lacks two dots, one in twenty a header.
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
        keys.add_key(dataset.jwks().as_bytes(), "here").unwrap();
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
}
