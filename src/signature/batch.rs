//! Many signatures at once: the MACs of a block's tokens, computed in lanes.
//!
//! [`BatchVerifier`] gives the same answer as [`verify`](super::verify) for each token, in the
//! same order of candidates. It tries the first candidate of every token, then the next of those
//! still unverified, so that lanes stay full however many keys there are. Asymmetric signatures are
//! verified one by one, grouped by key. Each verifier parses its own keys, so that workers share no
//! memory and take no lock.

use std::sync::atomic::{AtomicBool, Ordering};

use subtle::{Choice, ConstantTimeEq};

use super::hmac::mac_findings;
use super::lanes::{Job, Job256, Job512, Kernel, Midstate, MidstateStore, Scratch, Word};
use super::public::ParsedKeys;
use super::{
    Algorithm, AlgorithmSet, Authentic, Candidate, Candidates, Place, Proof, SigningInput,
    VerifyingKey, decode_mac, decode_signature,
};
use crate::prefetch::prefetch;
use crate::verdict::Reason;

/// A token whose signature is to be verified.
#[derive(Clone, Copy)]
pub(crate) struct Pending<'b> {
    input: SigningInput<'b>,
    /// The signature, encoded.
    signature: &'b [u8],
    /// The decoded signature, if it is a MAC.
    mac: [u8; 64],
    algorithm: Algorithm,
    candidates: Candidates<'b>,
    outcome: Result<Proof, Reason>,
    tried: u32,
}

impl<'b> Pending<'b> {
    /// Appends a token. A MAC is decoded in place, so that a malformed one fails at once.
    #[inline(always)]
    pub(crate) fn push(
        all: &mut Vec<Self>,
        input: SigningInput<'b>,
        signature: &'b [u8],
        algorithm: Algorithm,
        candidates: Candidates<'b>,
    ) {
        all.push(Self {
            input,
            signature,
            mac: [0; 64],
            algorithm,
            candidates,
            outcome: Err(Reason::SignatureMismatch),
            tried: 0,
        });
        if let (Some(token), Some(mac_len)) = (all.last_mut(), algorithm.mac_len())
            && let Err(reason) = decode_mac(signature, mac_len, &mut token.mac)
        {
            token.outcome = Err(reason);
        }
    }

    /// The outcome, once the batch is verified.
    pub(crate) fn outcome(&self) -> Result<Authentic<'b>, Reason> {
        let payload = self.input.payload();
        match self.outcome {
            Ok(proof) => Ok(Authentic { payload, proof }),
            Err(reason) => Err(self.candidates.exhausted(reason)),
        }
    }

    /// Whether a candidate is left to try.
    fn is_open(&self) -> bool {
        matches!(self.outcome, Err(Reason::SignatureMismatch))
            && (self.tried as usize) < self.candidates.len()
    }
}

/// Verifies batches of signatures; owns the buffers.
pub(crate) struct BatchVerifier {
    kernel: Kernel,
    scratch: Scratch,
    open: Vec<u32>,
    /// The token and the key of each job.
    trials: Vec<(u32, Candidate)>,
    jobs256: Vec<Job256<'static>>,
    jobs512: Vec<Job512<'static>>,
    tags256: Vec<[u8; 32]>,
    tags512: Vec<[u8; 64]>,
    public: PublicVerifier,
}

/// How many jobs keep all lanes of any kernel busy. With fewer tokens than this, several
/// candidates of each are tried at once.
const FULL: usize = 48;

/// Empties a vector and gives its memory to elements of another lifetime: the iterator is empty,
/// and collecting in place keeps the allocation.
pub(crate) fn recycle<T, U>(mut elements: Vec<T>) -> Vec<U> {
    elements.clear();
    elements.into_iter().map_while(|_| None).collect()
}

impl BatchVerifier {
    pub(crate) fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            scratch: Scratch::new(),
            open: Vec::new(),
            trials: Vec::new(),
            jobs256: Vec::new(),
            jobs512: Vec::new(),
            tags256: Vec::new(),
            tags512: Vec::new(),
            public: PublicVerifier::default(),
        }
    }

    /// Determines the outcome of every token and returns true, or false if `stop` turns true first,
    /// since trying a thousand keys on every token of a block takes a while. `states` are those of
    /// the secrets, `key` looks up any key by its number.
    pub(crate) fn verify<'k>(
        &mut self,
        tokens: &mut [Pending<'_>],
        states: &MidstateStore,
        key: impl Fn(u32) -> &'k VerifyingKey + Copy,
        stop: &AtomicBool,
    ) -> bool {
        const HMAC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
        // Most blocks have one algorithm; skip the passes for the others.
        let present: AlgorithmSet = tokens.iter().map(|token| token.algorithm).collect();
        for algorithm in HMAC.into_iter().filter(|it| present.contains(*it)) {
            self.open.clear();
            for (index, token) in (0..).zip(&*tokens) {
                if token.algorithm == algorithm && token.is_open() {
                    self.open.push(index);
                }
            }
            while !self.open.is_empty() {
                if stop.load(Ordering::Relaxed) {
                    return false;
                }
                match algorithm {
                    Algorithm::Hs256 => self.round256(tokens, states),
                    Algorithm::Hs384 => {
                        self.round512(tokens, algorithm, |place| states.hs384(place));
                    }
                    _ => self.round512(tokens, algorithm, |place| states.hs512(place)),
                }
                self.open.retain(|index| tokens[*index as usize].is_open());
            }
        }
        let has_public = Algorithm::ALL
            .iter()
            .any(|it| !it.is_hmac() && present.contains(*it));
        !has_public || self.public.verify(tokens, key, stop)
    }

    /// Tries the next candidates of every open token.
    fn round256(&mut self, tokens: &mut [Pending<'_>], states: &MidstateStore) {
        let key = |place| states.hs256(place);
        let mut jobs = recycle(std::mem::take(&mut self.jobs256));
        fill(&mut jobs, &mut self.trials, &self.open, tokens, key);
        self.tags256.resize(jobs.len(), [0; 32]);
        self.kernel
            .hmac_sha256(&jobs, &mut self.scratch, &mut self.tags256);
        self.jobs256 = recycle(jobs);
        settle(tokens, &self.trials, &self.tags256, Algorithm::Hs256);
    }

    fn round512<'k>(
        &mut self,
        tokens: &mut [Pending<'_>],
        algorithm: Algorithm,
        key: impl Fn(Place) -> &'k Midstate<u64>,
    ) {
        let mut jobs = recycle(std::mem::take(&mut self.jobs512));
        fill(&mut jobs, &mut self.trials, &self.open, tokens, key);
        self.tags512.resize(jobs.len(), [0; 64]);
        self.kernel
            .hmac_sha512(&jobs, &mut self.scratch, &mut self.tags512);
        self.jobs512 = recycle(jobs);
        settle(tokens, &self.trials, &self.tags512, algorithm);
    }
}

/// Verifies asymmetric signatures one by one; owns its parsed keys and buffers.
#[derive(Default)]
struct PublicVerifier {
    parsed: ParsedKeys,
    /// The tokens in the order in which they are verified.
    order: Vec<u32>,
    signature: Vec<u8>,
}

impl PublicVerifier {
    /// As [`BatchVerifier::verify`], for asymmetric signatures.
    fn verify<'k>(
        &mut self,
        tokens: &mut [Pending<'_>],
        key: impl Fn(u32) -> &'k VerifyingKey + Copy,
        stop: &AtomicBool,
    ) -> bool {
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        let signed = (0..)
            .zip(&*tokens)
            .filter(|(_, token)| !token.algorithm.is_hmac() && token.is_open());
        order.extend(signed.map(|(index, _)| index));
        // Grouped by key, for cache hits.
        order.sort_unstable_by_key(|index| {
            let token = &tokens[*index as usize];
            (token.candidates.keys().next(), token.algorithm, *index)
        });
        let is_done = order.iter().all(|index| {
            let token = &mut tokens[*index as usize];
            match self.verify_one(token, key, stop) {
                Some(outcome) => {
                    token.outcome = outcome;
                    true
                }
                None => false,
            }
        });
        self.order = order;
        is_done
    }

    /// The outcome of a token; `None` when stopped.
    fn verify_one<'k>(
        &mut self,
        token: &Pending<'_>,
        key: impl Fn(u32) -> &'k VerifyingKey,
        stop: &AtomicBool,
    ) -> Option<Result<Proof, Reason>> {
        let lengths = token.candidates.keys();
        let lengths = lengths.map(|number| key(number).signature_len());
        let signature = match decode_signature(token.signature, lengths, &mut self.signature) {
            Ok(signature) => signature,
            Err(reason) => return Some(Err(reason)),
        };
        for number in token.candidates.keys() {
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            let VerifyingKey::Public(public) = key(number) else {
                continue;
            };
            if public.material().signature_len() != signature.len() {
                continue;
            }
            let parsed = self.parsed.get(number, public, token.algorithm);
            if parsed.is_some_and(|key| key.verify(token.input.bytes, signature)) {
                return Some(Ok(Proof {
                    key: number,
                    findings: public.material().findings(signature),
                }));
            }
        }
        Some(Err(Reason::SignatureMismatch))
    }
}

/// Makes the jobs of a round: the next candidate of every open token, or several where there are
/// few tokens.
fn fill<'b, 'k: 'b, W: Word + 'k>(
    jobs: &mut Vec<Job<'b, W>>,
    trials: &mut Vec<(u32, Candidate)>,
    open: &[u32],
    tokens: &[Pending<'b>],
    key: impl Fn(Place) -> &'k Midstate<W>,
) {
    trials.clear();
    let each = (FULL / open.len()).max(1);
    for index in open {
        let token = &tokens[*index as usize];
        let candidates = token.candidates.iter();
        for candidate in candidates.skip(token.tried as usize).take(each) {
            let key = key(candidate.secret());
            // The states of many keys do not fit into the nearest caches. Prefetching overlaps their
            // misses, and most have arrived when the kernel reads them.
            prefetch(key);
            jobs.push(Job {
                message: token.input.bytes,
                key,
            });
            trials.push((*index, candidate));
        }
    }
}

/// Compares the tags of a round, in constant time and over their full length. The first candidate
/// that made the signature counts, in the order of the candidates.
fn settle<const N: usize>(
    tokens: &mut [Pending<'_>],
    trials: &[(u32, Candidate)],
    tags: &[[u8; N]],
    algorithm: Algorithm,
) {
    let mac_len = algorithm.mac_len().unwrap_or(N);
    for ((index, candidate), tag) in trials.iter().zip(tags) {
        let token = &mut tokens[*index as usize];
        token.tried += 1;
        if is_equal(&tag[..mac_len], &token.mac[..mac_len]) && token.outcome.is_err() {
            token.outcome = Ok(Proof {
                key: candidate.key,
                findings: mac_findings(candidate.secret().secret_len(), algorithm),
            });
        }
    }
}

/// Compares two MACs of one length, a multiple of 16, in full and in constant time: differences are
/// accumulated without a branch and compared once, since `subtle` hides each comparison from the
/// optimizer.
#[inline]
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let (one, one_rest) = one.as_chunks::<16>();
    let (other, other_rest) = other.as_chunks::<16>();
    let is_whole = one.len() == other.len() && one_rest.is_empty() && other_rest.is_empty();
    let difference = one.iter().zip(other).fold(0, |all, (one, other)| {
        all | u128::from_le_bytes(*one) ^ u128::from_le_bytes(*other)
    });
    (difference.ct_eq(&0) & Choice::from(u8::from(is_whole))).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// Too short for some of the hashes, for all, and for none.
    const SECRETS: [&[u8]; 7] = [
        b"a",
        &[b'b'; 31],
        &[b'c'; 32],
        &[b'd'; 48],
        &[b'e'; 64],
        &[b'f'; 255],
        &[b'g'; 300],
    ];

    fn keys() -> Vec<VerifyingKey> {
        SECRETS
            .iter()
            .map(|secret| VerifyingKey::mac(secret).unwrap())
            .collect()
    }

    fn states() -> (MidstateStore, Vec<Candidate>) {
        let mut states = MidstateStore::default();
        let places = SECRETS.iter().map(|secret| states.add(secret));
        let all = (0..).zip(places);
        let all = all.map(|(key, states)| Candidate { key, states }).collect();
        (states, all)
    }

    /// A MAC by the reference path.
    fn mac(secret: &[u8], algorithm: Algorithm, message: &[u8]) -> String {
        use hmac::{Hmac, KeyInit, Mac};
        fn tag<M: Mac + KeyInit>(secret: &[u8], message: &[u8]) -> Vec<u8> {
            <M as KeyInit>::new_from_slice(secret)
                .unwrap()
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec()
        }
        URL_SAFE_NO_PAD.encode(match algorithm {
            Algorithm::Hs256 => tag::<Hmac<sha2::Sha256>>(secret, message),
            Algorithm::Hs384 => tag::<Hmac<sha2::Sha384>>(secret, message),
            _ => tag::<Hmac<sha2::Sha512>>(secret, message),
        })
    }

    #[test]
    fn a_batch_gives_what_tokens_give_one_by_one() {
        let (keys, (states, all)) = (keys(), states());
        let of = |numbers: &[usize]| -> Vec<_> { numbers.iter().map(|it| all[*it]).collect() };
        let lists = [
            (None, all.clone(), vec![]),
            (None, of(&[3]), vec![]),
            (None, of(&[6, 2]), of(&[2, 0])),
            (Some(all[4]), vec![], of(&[1, 4, 5])),
            (Some(all[5]), vec![], vec![]),
            (None, vec![], vec![]),
        ];
        let candidates = lists.each_ref().map(|(only, first, then)| Candidates {
            only: *only,
            first,
            fallback: then,
            is_truncated: false,
        });
        let mut cases = Vec::new();
        for n in 0..300_usize {
            let message = format!("{}.{}", "h".repeat(n % 50), "p".repeat(n * 7 % 400));
            let algorithm = Algorithm::ALL[n % 3];
            let secret: &[u8] = if n % 5 == 0 {
                b"unknown"
            } else {
                SECRETS[n % 7]
            };
            let mut signature = mac(secret, algorithm, message.as_bytes());
            match n % 11 {
                0 => signature.truncate(40),
                1 => signature.push('='),
                _ => {}
            }
            let dot = u32::try_from(n % 50).unwrap();
            cases.push((message, dot, algorithm, signature, candidates[n / 3 % 6]));
        }
        for kernel in Kernel::available() {
            let mut verifier = BatchVerifier::new(kernel);
            for lot in [1, 2, 3, 7, 47, 48, 300] {
                for cases in cases.chunks(lot) {
                    let mut tokens = Vec::new();
                    for (message, dot, algorithm, signature, candidates) in cases {
                        let input = SigningInput::new(message.as_bytes(), *dot, 0);
                        let signature = signature.as_bytes();
                        Pending::push(&mut tokens, input, signature, *algorithm, *candidates);
                    }
                    let never = AtomicBool::new(false);
                    let key = |number: u32| &keys[number as usize];
                    assert!(verifier.verify(&mut tokens, &states, key, &never));
                    for (token, (message, dot, algorithm, signature, candidates)) in
                        tokens.iter().zip(cases)
                    {
                        let one = super::super::verify(
                            SigningInput::new(message.as_bytes(), *dot, 0),
                            signature.as_bytes(),
                            *algorithm,
                            *candidates,
                            key,
                        );
                        let [found, one] = [token.outcome(), one].map(|outcome| {
                            let proof = outcome?.proof();
                            Ok::<_, Reason>((proof.key(), proof.findings()))
                        });
                        assert_eq!(found, one, "{kernel} {lot}");
                    }
                }
            }
        }
    }

    #[test]
    fn macs_are_compared_in_full() {
        for len in [32, 48, 64] {
            let mac: Vec<u8> = (0..len).collect();
            assert!(is_equal(&mac, &mac));
            for at in 0..mac.len() {
                for bit in 0..8 {
                    let mut other = mac.clone();
                    other[at] ^= 1 << bit;
                    assert!(!is_equal(&mac, &other), "{at} {bit}");
                }
            }
            assert!(!is_equal(&mac, &mac[..mac.len() - 8]));
        }
    }
}
