//! HMAC with SHA-2 (RFC 2104, RFC 7518 section 3.2), one token at a time.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::Algorithm;
use crate::verdict::{Finding, FindingSet};

/// A secret with both pads absorbed for each of the three hashes, so that a MAC hashes little but
/// the message. Wiped from memory when dropped.
pub struct MacKey {
    hs256: Hmac<Sha256>,
    hs384: Hmac<Sha384>,
    hs512: Hmac<Sha512>,
    /// In bytes.
    secret_len: usize,
}

impl MacKey {
    /// Absorbs a secret; `None` for an empty one, with which anyone can sign.
    #[must_use]
    pub fn new(secret: &[u8]) -> Option<Self> {
        if secret.is_empty() {
            return None;
        }
        Some(Self {
            hs256: Hmac::new_from_slice(secret).ok()?,
            hs384: Hmac::new_from_slice(secret).ok()?,
            hs512: Hmac::new_from_slice(secret).ok()?,
            secret_len: secret.len(),
        })
    }

    /// The warnings about a MAC that it made.
    pub(crate) fn findings(&self, algorithm: Algorithm) -> FindingSet {
        mac_findings(self.secret_len, algorithm)
    }

    /// Whether `mac` is the full MAC of `message`, compared in constant time.
    #[must_use]
    pub fn verify(&self, algorithm: Algorithm, message: &[u8], mac: &[u8]) -> bool {
        fn holds<M: Mac + Clone>(keyed: &M, message: &[u8], mac: &[u8]) -> bool {
            keyed
                .clone()
                .chain_update(message)
                .verify_slice(mac)
                .is_ok()
        }
        match algorithm {
            Algorithm::Hs256 => holds(&self.hs256, message, mac),
            Algorithm::Hs384 => holds(&self.hs384, message, mac),
            Algorithm::Hs512 => holds(&self.hs512, message, mac),
            _ => false,
        }
    }
}

/// The warnings about a MAC by a secret of this length in bytes.
pub(super) fn mac_findings(secret_len: usize, algorithm: Algorithm) -> FindingSet {
    let mut findings = FindingSet::EMPTY;
    if algorithm.is_short_secret(secret_len) {
        findings.insert(Finding::WeakKey);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
        let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16);
        digits.chunks(2).map(|pair| byte(pair).unwrap()).collect()
    }

    /// RFC 4231 section 4.3, test case 2: key "Jefe".
    #[test]
    fn the_vectors_of_rfc_4231_verify() {
        let key = MacKey::new(b"Jefe").unwrap();
        let message = b"what do ya want for nothing?";
        for (algorithm, mac) in [
            (
                Algorithm::Hs256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                Algorithm::Hs384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e
                 8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                Algorithm::Hs512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554
                 9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ] {
            let mac = hex(mac);
            assert!(key.verify(algorithm, message, &mac));
            assert!(!key.verify(algorithm, b"what do ya want for nothing!", &mac));
            assert!(
                !key.verify(algorithm, message, &mac[..mac.len() - 1]),
                "never truncated"
            );
            for byte in 0..mac.len() {
                let mut wrong = mac.clone();
                wrong[byte] ^= 0x80;
                assert!(!key.verify(algorithm, message, &wrong), "{byte}");
            }
        }
    }

    #[test]
    fn an_empty_secret_is_refused() {
        assert!(MacKey::new(b"").is_none());
    }
}
