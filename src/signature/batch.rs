//! Many signatures at once: the MACs of a block's tokens, computed in lanes.
//!
//! [`BatchVerifier`] gives the same answer as [`verify`](super::verify) for each token, in the
//! same order of candidates. It tries the first candidate of every token, then the next of those
//! that are left, so that lanes stay full however many keys there are.

use std::sync::atomic::{AtomicBool, Ordering};

use subtle::ConstantTimeEq;

use super::lanes::{Job, Job256, Job512, Kernel, Midstate, Scratch, Word};
use super::{Algorithm, Authentic, MacKey, Proof, SigningInput, decode_mac};
use crate::verdict::Reason;

/// A token whose signature is to be verified.
#[derive(Clone, Copy)]
pub(crate) struct Pending<'b> {
    input: SigningInput<'b>,
    mac: [u8; 64],
    algorithm: Algorithm,
    /// The numbers of the keys to try, in order.
    candidates: &'b [u32],
    outcome: Result<u32, Reason>,
    tried: u32,
}

impl<'b> Pending<'b> {
    /// Decodes the signature, and says at once what is wrong with it.
    pub(crate) fn new(
        input: SigningInput<'b>,
        signature: &[u8],
        algorithm: Algorithm,
        candidates: &'b [u32],
    ) -> Self {
        let mut mac = [0; 64];
        let outcome = match decode_mac(signature, &mut mac[..algorithm.mac_len()]) {
            Ok(()) => Err(Reason::SignatureMismatch),
            Err(reason) => Err(reason),
        };
        Self {
            input,
            mac,
            algorithm,
            candidates,
            outcome,
            tried: 0,
        }
    }

    /// What came of it, once the batch was verified.
    pub(crate) fn outcome(&self) -> Result<Authentic<'b>, Reason> {
        let payload = &self.input.bytes[self.input.dot + 1..];
        self.outcome.map(|key| Authentic {
            payload,
            proof: Proof {
                key,
                algorithm: self.algorithm,
            },
        })
    }

    /// Whether there is a candidate left that may have made the signature.
    fn is_open(&self) -> bool {
        self.outcome == Err(Reason::SignatureMismatch)
            && (self.tried as usize) < self.candidates.len()
    }
}

/// Verifies signatures in lots; owns the buffers that this needs.
pub(crate) struct BatchVerifier {
    kernel: Kernel,
    scratch: Scratch,
    open: Vec<u32>,
    /// For each job the token and the key that it tries.
    trials: Vec<(u32, u32)>,
    jobs256: Vec<Job256<'static>>,
    jobs512: Vec<Job512<'static>>,
    tags256: Vec<[u8; 32]>,
    tags512: Vec<[u8; 64]>,
}

/// How many jobs keep all lanes of any kernel busy. With fewer tokens than this, several
/// candidates of each are tried at once.
const FULL: usize = 48;

/// Empties a vector and gives its memory to elements of another lifetime: the iterator is empty,
/// and collecting in place keeps the allocation.
fn recycle<'a, W: Word>(mut jobs: Vec<Job<'_, W>>) -> Vec<Job<'a, W>> {
    jobs.clear();
    jobs.into_iter().map_while(|_| None).collect()
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
        }
    }

    /// Settles the outcome of every token, unless `stop` turns true first: trying a thousand keys
    /// on every token of a block takes a while. `key` gives the secret of a number. Says whether
    /// all are settled.
    pub(crate) fn verify<'k>(
        &mut self,
        tokens: &mut [Pending<'_>],
        key: impl Fn(u32) -> &'k MacKey + Copy,
        stop: &AtomicBool,
    ) -> bool {
        for algorithm in Algorithm::ALL {
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
                    Algorithm::Hs256 => self.round256(tokens, |number| key(number).hs256()),
                    Algorithm::Hs384 => self.round512(tokens, 48, |number| key(number).hs384()),
                    Algorithm::Hs512 => self.round512(tokens, 64, |number| key(number).hs512()),
                }
                self.open.retain(|index| tokens[*index as usize].is_open());
            }
        }
        true
    }

    /// Tries the next candidates of every open token.
    fn round256<'k>(&mut self, tokens: &mut [Pending<'_>], key: impl Fn(u32) -> &'k Midstate<u32>) {
        let mut jobs = recycle(std::mem::take(&mut self.jobs256));
        fill(&mut jobs, &mut self.trials, &self.open, tokens, key);
        self.tags256.resize(jobs.len(), [0; 32]);
        self.kernel
            .hmac_sha256(&jobs, &mut self.scratch, &mut self.tags256);
        self.jobs256 = recycle(jobs);
        settle(tokens, &self.trials, &self.tags256, 32);
    }

    fn round512<'k>(
        &mut self,
        tokens: &mut [Pending<'_>],
        mac_len: usize,
        key: impl Fn(u32) -> &'k Midstate<u64>,
    ) {
        let mut jobs = recycle(std::mem::take(&mut self.jobs512));
        fill(&mut jobs, &mut self.trials, &self.open, tokens, key);
        self.tags512.resize(jobs.len(), [0; 64]);
        self.kernel
            .hmac_sha512(&jobs, &mut self.scratch, &mut self.tags512);
        self.jobs512 = recycle(jobs);
        settle(tokens, &self.trials, &self.tags512, mac_len);
    }
}

/// Makes the jobs of a round: the next candidate of every open token, or several where there are
/// few tokens.
fn fill<'b, 'k: 'b, W: Word + 'k>(
    jobs: &mut Vec<Job<'b, W>>,
    trials: &mut Vec<(u32, u32)>,
    open: &[u32],
    tokens: &[Pending<'b>],
    key: impl Fn(u32) -> &'k Midstate<W>,
) {
    trials.clear();
    let each = (FULL / open.len()).max(1);
    for index in open {
        let token = &tokens[*index as usize];
        for candidate in token
            .candidates
            .iter()
            .skip(token.tried as usize)
            .take(each)
        {
            jobs.push(Job {
                message: token.input.bytes,
                key: key(*candidate),
            });
            trials.push((*index, *candidate));
        }
    }
}

/// Compares the tags of a round, in constant time and over their full length. The first candidate
/// that made the signature counts, in the order of the candidates.
fn settle<const N: usize>(
    tokens: &mut [Pending<'_>],
    trials: &[(u32, u32)],
    tags: &[[u8; N]],
    mac_len: usize,
) {
    for ((index, candidate), tag) in trials.iter().zip(tags) {
        let token = &mut tokens[*index as usize];
        token.tried += 1;
        if is_equal(&tag[..mac_len], &token.mac[..mac_len]) && token.outcome.is_err() {
            token.outcome = Ok(*candidate);
        }
    }
}

/// Compares two MACs of one length, a multiple of 8, in constant time and in full: eight bytes at
/// a time, since `subtle` hides each step from the optimizer.
#[inline]
fn is_equal(one: &[u8], other: &[u8]) -> bool {
    let words = |bytes: &[u8]| -> [u64; 8] {
        let (eights, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|i| eights.get(i).map_or(0, |eight| u64::from_le_bytes(*eight)))
    };
    one.len() == other.len() && words(one).ct_eq(&words(other)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    const SECRETS: [&[u8]; 7] = [b"a", b"b", b"c", b"d", b"e", b"f", b"g"];

    fn keys() -> Vec<MacKey> {
        SECRETS
            .iter()
            .map(|secret| MacKey::new(secret).unwrap())
            .collect()
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
            Algorithm::Hs512 => tag::<Hmac<sha2::Sha512>>(secret, message),
        })
    }

    #[test]
    fn a_batch_gives_what_tokens_give_one_by_one() {
        let keys = keys();
        let all: Vec<u32> = (0..7).collect();
        let candidates: [&[u32]; 4] = [&all, &[3], &[6, 2, 2, 0], &[]];
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
            cases.push((message, n % 50, algorithm, signature, candidates[n / 3 % 4]));
        }
        for kernel in Kernel::available() {
            let mut verifier = BatchVerifier::new(kernel);
            for lot in [1, 2, 3, 7, 47, 48, 300] {
                for cases in cases.chunks(lot) {
                    let mut tokens: Vec<Pending<'_>> = cases
                        .iter()
                        .map(|(message, dot, algorithm, signature, candidates)| {
                            let input = SigningInput::new(message.as_bytes(), *dot);
                            Pending::new(input, signature.as_bytes(), *algorithm, candidates)
                        })
                        .collect();
                    let never = AtomicBool::new(false);
                    assert!(verifier.verify(&mut tokens, |number| &keys[number as usize], &never));
                    for (token, (message, dot, algorithm, signature, candidates)) in
                        tokens.iter().zip(cases)
                    {
                        let one = super::super::verify(
                            SigningInput::new(message.as_bytes(), *dot),
                            signature.as_bytes(),
                            *algorithm,
                            candidates
                                .iter()
                                .map(|number| (*number, &keys[*number as usize])),
                        );
                        let found = token.outcome().map(|authentic| authentic.proof().key());
                        assert_eq!(
                            found,
                            one.map(|authentic| authentic.proof().key()),
                            "{kernel} {lot}"
                        );
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
