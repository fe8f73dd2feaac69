//! Tokens in memory: a reusable judge, and many tokens on several threads.
//!
//! A [`Judge`] validates by the stages of a run and gives the verdicts of its [`Validator`]. It keeps
//! buffers and caches between calls, so that a call allocates nothing.

use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;

use rayon::iter::{IndexedParallelIterator as _, ParallelIterator as _};
use rayon::slice::ParallelSlice as _;
use serde::de::DeserializeOwned;

use crate::batch::{BatchJudge, Cached, GroupId, MAX_TOKENS, Sink};
use crate::error::{AcceptError, Error};
use crate::extract::{Content, Found};
use crate::input::DEFAULT_BLOCK_BYTES;
use crate::signature::Kernel;
use crate::stage::NoClock;
use crate::time::UnixTime;
use crate::token::Token;
use crate::validator::{Judged, Validator};
use crate::verdict::{FindingSet, ReasonSet, Verdict};

/// The size of the cache of repeated tokens.
const CACHE_BYTES: usize = 2 << 20;

/// Validates tokens in memory, one or many at a time, with buffers and caches of its own. It belongs
/// to one thread: each worker of a service has one, and makes another when keys are rotated.
///
/// ```
/// use jotmill::{Judge, KeySet, Policy, Reason, Validator};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
/// let validator = Validator::new(Policy::service(), keys)?;
/// let mut judge = Judge::new(&validator)?;
///
/// assert!(!judge.validate(b"not a token")?.is_valid());
///
/// let log = vec!["a.b.c".to_owned(), "eyJhbGciOiJub25lIn0.e30.".to_owned()];
/// let verdicts = judge.validate_all(&log)?;
/// assert_eq!(verdicts.len(), 2);
/// assert!(verdicts[1].reasons.contains(Reason::AlgNone));
/// # Ok(())
/// # }
/// ```
pub struct Judge {
    validator: Validator,
    batch: BatchJudge,
    never: AtomicBool,
}

impl Judge {
    /// A judge for the policy and keys of this validator.
    ///
    /// # Errors
    /// [`Error::Kernel`] if the code that computes MACs gives wrong answers on this processor.
    pub fn new(validator: &Validator) -> Result<Self, Error> {
        Ok(Self {
            batch: BatchJudge::new(validator.clone(), kernel()?, CACHE_BYTES, false)
                .always_look_up(),
            validator: validator.clone(),
            never: AtomicBool::new(false),
        })
    }

    /// Validates one token at the time of the system clock.
    ///
    /// # Errors
    /// [`Error::Clock`] when the clock is before 1970 or after 9999.
    pub fn validate(&mut self, token: &[u8]) -> Result<Verdict, Error> {
        Ok(self.validate_at(token, UnixTime::now()?))
    }

    /// Validates one token at a given instant.
    pub fn validate_at(&mut self, token: &[u8], now: UnixTime) -> Verdict {
        let mut verdict = [UNDECIDED];
        let mut sink = Verdicts::new(&mut verdict, true);
        self.judge(std::iter::once((token, now)), &mut sink);
        verdict[0]
    }

    /// The claims of a token that is valid at the time of the system clock, as a type of the
    /// caller's.
    ///
    /// ```
    /// use jotmill::{Judge, KeySet, Policy, Validator};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims {
    ///     sub: String,
    /// }
    ///
    /// fn user(judge: &mut Judge, token: &[u8]) -> Result<String, jotmill::AcceptError> {
    ///     let claims: Claims = judge.accept(token)?;
    ///     Ok(claims.sub)
    /// }
    /// # fn main() -> Result<(), jotmill::Error> {
    /// # let mut keys = KeySet::new();
    /// # keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
    /// # let validator = Validator::new(Policy::service(), keys)?;
    /// # let error = user(&mut Judge::new(&validator)?, b"not a token").unwrap_err();
    /// # assert_eq!(error.to_string(), "rejected: segment-count");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AcceptError::Rejected`] for a token that is not valid, [`AcceptError::Claims`] where its
    /// claims do not fit the type, [`AcceptError::Clock`] when the clock cannot be used.
    pub fn accept<T: DeserializeOwned>(&mut self, token: &[u8]) -> Result<T, AcceptError> {
        let now = UnixTime::now().map_err(AcceptError::Clock)?;
        self.accept_at(token, now)
    }

    /// [`accept`](Self::accept) at a given instant.
    ///
    /// # Errors
    /// Those of [`accept`](Self::accept), but for the clock.
    pub fn accept_at<T: DeserializeOwned>(
        &mut self,
        token: &[u8],
        now: UnixTime,
    ) -> Result<T, AcceptError> {
        let payload = self.payload_at(token, now)?;
        serde_json::from_slice(payload).map_err(AcceptError::Claims)
    }

    /// The decoded payload of a token that is valid at a given instant.
    ///
    /// # Errors
    /// The [`Verdict`] on a token that is not.
    pub fn payload_at(&mut self, token: &[u8], now: UnixTime) -> Result<&[u8], Verdict> {
        let mut verdict = [UNDECIDED];
        let mut sink = Verdicts::new(&mut verdict, false);
        self.judge(std::iter::once((token, now)), &mut sink);
        match verdict[0] {
            verdict if verdict.is_valid() => Ok(self.batch.last_payload()),
            verdict => Err(verdict),
        }
    }

    /// Validates many tokens at the time of the system clock, and gives their verdicts in order.
    ///
    /// # Errors
    /// [`Error::Clock`] when the clock is before 1970 or after 9999.
    pub fn validate_all<T: AsRef<[u8]>>(&mut self, tokens: &[T]) -> Result<Vec<Verdict>, Error> {
        Ok(self.validate_all_at(tokens, UnixTime::now()?))
    }

    /// Validates many tokens at a given instant.
    pub fn validate_all_at<T: AsRef<[u8]>>(&mut self, tokens: &[T], now: UnixTime) -> Vec<Verdict> {
        self.judge_all(tokens, |token| (token.as_ref(), now))
    }

    /// Validates many tokens, each at an instant of its own, such as the time of its request.
    pub fn validate_each_at<T: AsRef<[u8]>>(&mut self, tokens: &[(T, UnixTime)]) -> Vec<Verdict> {
        self.judge_all(tokens, |(token, at)| (token.as_ref(), *at))
    }

    fn judge_all<T>(
        &mut self,
        tokens: &[T],
        parts: impl Fn(&T) -> (&[u8], UnixTime),
    ) -> Vec<Verdict> {
        let mut verdicts = vec![UNDECIDED; tokens.len()];
        let (mut rest, mut unset) = (tokens, &mut verdicts[..]);
        while !rest.is_empty() {
            // About as many bytes as a block of a run has, whose buffers stay in the cache.
            let mut bytes = 0;
            let is_in_batch = |token: &&T| {
                bytes += parts(token).0.len();
                bytes <= DEFAULT_BLOCK_BYTES
            };
            let count = rest
                .iter()
                .take(MAX_TOKENS)
                .take_while(is_in_batch)
                .count()
                .max(1);
            let (batch, further) = rest.split_at(count);
            let (own, others) = unset.split_at_mut(count);
            let mut sink = Verdicts::new(own, true);
            self.judge(batch.iter().map(&parts), &mut sink);
            (rest, unset) = (further, others);
        }
        verdicts
    }

    fn judge<'t>(
        &mut self,
        tokens: impl Iterator<Item = (&'t [u8], UnixTime)>,
        sink: &mut Verdicts<'_>,
    ) {
        let limit = self.validator.policy().token_limit();
        let mut found = tokens.zip(1..).map(|((bytes, at), line)| {
            let content = match Token::split(bytes) {
                _ if bytes.len() > limit => Content::TooLong(bytes.len() as u64),
                Ok(token) => Content::Token(token),
                Err(reason) => Content::Malformed(bytes, reason),
            };
            Found::plain(line, 0, at, content)
        });
        self.batch
            .judge(&mut found, &self.never, sink, &mut NoClock);
    }
}

impl Validator {
    /// Validates many tokens at a given instant on the threads of the current rayon pool, and gives
    /// their verdicts in order.
    ///
    /// ```
    /// # use jotmill::{KeySet, Policy, UnixTime, Validator};
    /// # fn main() -> Result<(), jotmill::Error> {
    /// # let mut keys = KeySet::new();
    /// # keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
    /// # let validator = Validator::new(Policy::service(), keys)?;
    /// let tokens: Vec<String> = (0..1000).map(|number| format!("{number}.b.c")).collect();
    /// let verdicts = validator.validate_all_at(&tokens, UnixTime::now()?)?;
    /// assert!(verdicts.iter().all(|verdict| !verdict.is_valid()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Judge::new`].
    pub fn validate_all_at<T: AsRef<[u8]> + Sync>(
        &self,
        tokens: &[T],
        now: UnixTime,
    ) -> Result<Vec<Verdict>, Error> {
        self.in_parallel(tokens, |judge, tokens| judge.validate_all_at(tokens, now))
    }

    /// Validates many tokens, each at an instant of its own, on the threads of the current rayon
    /// pool.
    ///
    /// # Errors
    /// Those of [`Judge::new`].
    pub fn validate_each_at<T: AsRef<[u8]> + Sync>(
        &self,
        tokens: &[(T, UnixTime)],
    ) -> Result<Vec<Verdict>, Error> {
        self.in_parallel(tokens, Judge::validate_each_at)
    }

    fn in_parallel<T: Sync>(
        &self,
        tokens: &[T],
        judge: impl Fn(&mut Judge, &[T]) -> Vec<Verdict> + Sync + Send,
    ) -> Result<Vec<Verdict>, Error> {
        /// Fewer tokens of a part are not worth a judge of their own.
        const MIN_PART: usize = 256;
        // Two parts for each thread, so that none is left with much work when the others are done.
        let parts = 2 * rayon::current_num_threads();
        let size = tokens.len().div_ceil(parts).max(MIN_PART);
        let parts = tokens.par_chunks(size).with_max_len(1);
        let verdicts = parts.map(|tokens| Ok(judge(&mut Judge::new(self)?, tokens)));
        let verdicts: Result<Vec<_>, Error> = verdicts.collect();
        Ok(verdicts?.concat())
    }
}

/// A verdict that was not given. It is not valid, since no key verified anything.
const UNDECIDED: Verdict = Verdict {
    reasons: ReasonSet::EMPTY,
    findings: FindingSet::EMPTY,
    key: None,
};

/// The fastest kernel, tested once.
fn kernel() -> Result<Kernel, Error> {
    static KERNEL: OnceLock<(Kernel, bool)> = OnceLock::new();
    let (kernel, is_right) = *KERNEL.get_or_init(|| {
        let kernel = Kernel::best();
        (kernel, kernel.self_test().is_ok())
    });
    let name = kernel.name();
    is_right
        .then_some(kernel)
        .ok_or(Error::Kernel { kernel: name })
}

/// Keeps the verdicts in the order of the tokens.
struct Verdicts<'v> {
    verdicts: &'v mut [Verdict],
    /// Whether a verdict from the cache will do, or the payload is wanted too.
    takes_cached: bool,
}

impl<'v> Verdicts<'v> {
    const fn new(verdicts: &'v mut [Verdict], takes_cached: bool) -> Self {
        Self {
            verdicts,
            takes_cached,
        }
    }

    fn set(&mut self, found: &Found<'_>, verdict: Verdict) {
        self.verdicts[found.line as usize - 1] = verdict;
    }
}

impl Sink for Verdicts<'_> {
    fn take_cached(&mut self, found: &Found<'_>, verdict: &Verdict, _: &Cached) -> bool {
        if self.takes_cached {
            self.set(found, *verdict);
        }
        self.takes_cached
    }

    fn take(&mut self, found: &Found<'_>, judged: &Judged<'_>, _: bool) -> Option<GroupId> {
        self.set(found, judged.verdict);
        None
    }
}

#[cfg(test)]
mod tests {
    use jotmill_test_support::rng::Rng;

    use super::*;
    use crate::report::fixture::{OCTOBER, bare_policy, claims, mint, named_keys, now};
    use crate::verdict::Reason;

    fn tokens(count: u64) -> Vec<String> {
        (10..10 + count)
            .map(|number| mint(r#"{"alg":"HS256"}"#, &claims("one", 90, number), OCTOBER))
            .collect()
    }

    #[test]
    fn each_token_is_validated_at_its_own_instant_whether_cached_or_not() {
        let validator = Validator::new(bare_policy(), named_keys()).unwrap();
        let tokens = tokens(20);
        let mut judge = Judge::new(&validator).unwrap();
        let exp = now().seconds() + 90;
        for round in 0..6 {
            let timed: Vec<(&String, UnixTime)> = (tokens.iter().zip(0..))
                .map(|(token, at)| (token, UnixTime::new(exp - 10 + at, 0).unwrap()))
                .collect();
            let verdicts = judge.validate_each_at(&timed);
            for ((token, at), verdict) in timed.iter().zip(&verdicts) {
                assert_eq!(verdict.is_valid(), at.seconds() < exp, "{round}");
                assert_eq!(*verdict, validator.validate_at(token.as_bytes(), *at));
            }
            let cached = if round < 2 { 0 } else { 20 };
            assert_eq!(judge.batch.repeated(), cached, "{round}");
            assert_eq!(validator.validate_each_at(&timed).unwrap(), verdicts);
        }
    }

    /// Tokens of every kind of verdict and, for each, changed copies; and lines that are no tokens.
    fn hostile_tokens(rng: &mut Rng) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> = [
            "",
            ".",
            "..",
            "a.b.c",
            "a.b.c.d.e",
            "e30.e30.",
            "\u{0}.\u{ff}",
        ]
        .map(|line| line.as_bytes().to_vec())
        .into();
        for number in 0..60_usize {
            let kid = ["2026-10", "2026-11", "2026-12", "broken"][number % 4];
            let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
            let ahead = [90, 95, -5][number % 3];
            let token = mint(&header, &claims("one", ahead, number as u64), OCTOBER).into_bytes();
            for _ in 0..6 {
                let mut changed = token.clone();
                let at = rng.below(token.len());
                match rng.below(4) {
                    0 => changed.truncate(at),
                    1 => changed[at] = b'.',
                    2 => changed[at] ^= 1,
                    _ => changed[at] = rng.byte(),
                }
                all.push(changed);
            }
            all.push(token);
        }
        all
    }

    #[test]
    fn repeated_hostile_tokens_have_the_verdicts_of_the_validator() {
        let validator = Validator::new(bare_policy(), named_keys()).unwrap();
        let mut rng = Rng::new(1);
        let all = hostile_tokens(&mut rng);
        let mut judge = Judge::new(&validator).unwrap();
        let (mut valid, mut repeated) = (0, 0);
        for _ in 0..5 {
            let timed: Vec<(&Vec<u8>, UnixTime)> = (0..4000)
                .map(|_| {
                    let token = &all[rng.below(all.len())];
                    let seconds = now().seconds() + rng.below(100) as u64;
                    (token, UnixTime::new(seconds, 0).unwrap())
                })
                .collect();
            let verdicts = judge.validate_each_at(&timed);
            repeated += judge.batch.repeated();
            for ((token, at), verdict) in timed.iter().zip(&verdicts) {
                let shown = String::from_utf8_lossy(token);
                assert_eq!(*verdict, validator.validate_at(token, *at), "{shown}");
                valid += u64::from(verdict.is_valid());
            }
            assert_eq!(validator.validate_each_at(&timed).unwrap(), verdicts);
        }
        assert!(valid > 300 && repeated > 500, "{valid} {repeated}");
    }

    #[test]
    fn single_calls_use_the_cache_too() {
        let validator = Validator::new(bare_policy(), named_keys()).unwrap();
        let tokens = tokens(100);
        let mut judge = Judge::new(&validator).unwrap();
        for round in 0..3 {
            for token in &tokens {
                assert!(judge.validate_at(token.as_bytes(), now()).is_valid());
                assert_eq!(judge.batch.repeated(), u64::from(round == 2));
            }
        }
    }

    #[test]
    fn the_payload_of_a_cached_token_is_its_own() {
        #[derive(serde::Deserialize)]
        struct Claims {
            iss: String,
            exp: u64,
        }
        let validator = Validator::new(bare_policy(), named_keys()).unwrap();
        let tokens = tokens(3);
        let mut judge = Judge::new(&validator).unwrap();
        for _ in 0..4 {
            for token in &tokens {
                let payload = validator.payload_at(token.as_bytes(), now()).unwrap();
                assert_eq!(judge.payload_at(token.as_bytes(), now()), Ok(&payload[..]));
                let claims: Claims = judge.accept_at(token.as_bytes(), now()).unwrap();
                assert_eq!((&*claims.iss, claims.exp), ("one", now().seconds() + 90));
                let error = judge.accept_at::<u8>(token.as_bytes(), now()).unwrap_err();
                assert!(matches!(error, AcceptError::Claims(_)));
            }
            let late = UnixTime::new(now().seconds() + 90, 0).unwrap();
            let error = judge
                .accept_at::<Claims>(tokens[0].as_bytes(), late)
                .err()
                .unwrap();
            assert_eq!(error.to_string(), "rejected: expired");
            // Nothing is left of an earlier token.
            let error = judge.payload_at(b"a.b.c", now()).unwrap_err();
            assert_eq!(error, Verdict::rejected(Reason::HeaderBase64url));
        }
    }

    #[test]
    fn many_tokens_are_cut_into_batches_and_keep_their_order() {
        let validator = Validator::new(bare_policy().max_token_bytes(2000).unwrap(), named_keys());
        let validator = validator.unwrap();
        let own = tokens(100);
        let mut all: Vec<Vec<u8>> = Vec::new();
        for number in 0..20_000_usize {
            all.push(match number % 7 {
                0 => vec![b'x'; number % 3000],
                1 => Vec::new(),
                2 => b"a.b.c.d.e".to_vec(),
                _ => own[number * 31 % 100].clone().into_bytes(),
            });
        }
        let verdicts = Judge::new(&validator).unwrap().validate_all_at(&all, now());
        for (token, verdict) in all.iter().zip(&verdicts) {
            assert_eq!(*verdict, validator.validate_at(token, now()));
        }
        assert!(
            verdicts
                .iter()
                .any(|it| it.reasons.contains(Reason::TooLong))
        );
        assert_eq!(validator.validate_all_at(&all, now()).unwrap(), verdicts);
        assert!(
            Judge::new(&validator)
                .unwrap()
                .validate_all_at::<&str>(&[], now())
                .is_empty()
        );
    }
}
