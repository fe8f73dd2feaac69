//! EdDSA (RFC 8032, RFC 8037) on Ed25519 and Ed448, and what is wrong with `R || S`.
//!
//! Owns keys on both curves, and faults in signatures of the right length.

use ed448_goldilocks as ed448;
use ed25519_dalek::Signer as _;
use sha2::{Digest as _, Sha512};

use super::Rng;
use super::number::{add, from_hex};
use super::text::base64url;

/// The order of the group of Ed25519.
const ORDER_25519: &str = "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed";
/// The order of the group of Ed448, with the byte more that `S` has.
const ORDER_448: &str = "003fffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                         7cca23e9c44edb49aed63690216cc2728dc58f552378c292ab5844f3";

/// An Ed25519 key.
pub(super) struct Ed25519(ed25519_dalek::SigningKey);

/// An Ed448 key.
pub(super) struct Ed448(ed448::SigningKey);

fn members(crv: &str, x: &[u8]) -> String {
    format!(r#""kty":"OKP","crv":"{crv}","x":"{}""#, base64url(x))
}

/// What both curves have in common: faults in `R || S`, both of them little-endian.
fn spoil(signature: &mut [u8], order: &str, rng: &mut Rng) -> bool {
    let half = signature.len() / 2;
    let (r, s) = signature.split_at_mut(half);
    match rng.below(5) {
        // S beyond the order (RFC 8032 section 5.1.7): the same signature a second time, for who
        // does not compare.
        0 | 1 => {
            s.reverse();
            let fits = add(s, &from_hex(order));
            s.reverse();
            return fits;
        }
        // The sign of the point's x.
        2 => {
            if let Some(last) = r.last_mut() {
                *last ^= 0x80;
            }
        }
        // The neutral element and zero: good under a key of small order, and under no other.
        3 => {
            s.fill(0);
            r.fill(0);
            if let Some(first) = r.first_mut() {
                *first = 1;
            }
        }
        _ => r.swap_with_slice(s),
    }
    true
}

impl Ed25519 {
    pub(super) fn new(rng: &mut Rng) -> Ed25519 {
        let mut seed = [0; 32];
        rng.fill(&mut seed);
        Ed25519(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    pub(super) fn public_members(&self) -> String {
        members("Ed25519", &self.public_bytes())
    }

    pub(super) fn private_members(&self) -> String {
        format!(r#","d":"{}""#, base64url(&self.0.to_bytes()))
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        self.0.verifying_key().to_bytes().to_vec()
    }

    pub(super) fn sign(&self, message: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.sign(message).to_bytes());
    }

    pub(super) fn fault(&self, message: &[u8], out: &mut Vec<u8>, rng: &mut Rng) -> bool {
        if rng.percent(15) {
            // Hashed first, and signed as if it were not: neither Ed25519 nor Ed25519ph.
            self.sign(&Sha512::digest(message), out);
            return true;
        }
        self.sign(message, out);
        spoil(out, ORDER_25519, rng)
    }
}

impl Ed448 {
    pub(super) fn new(rng: &mut Rng) -> Ed448 {
        let mut seed = ed448::SecretKey::default();
        rng.fill(&mut seed);
        Ed448(ed448::SigningKey::from(seed))
    }

    pub(super) fn public_members(&self) -> String {
        members("Ed448", &self.public_bytes())
    }

    pub(super) fn private_members(&self) -> String {
        format!(r#","d":"{}""#, base64url(&self.0.to_bytes()))
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        self.0.verifying_key().to_bytes().to_vec()
    }

    /// Appends a signature under a context, which for JWS is empty (RFC 8037 section 3.1).
    pub(super) fn sign(&self, context: &[u8], message: &[u8], out: &mut Vec<u8>) {
        // Fails for contexts beyond 255 bytes alone.
        if let Ok(signature) = self.0.sign_ctx(context, message) {
            out.extend_from_slice(&signature.to_bytes());
        }
    }

    pub(super) fn fault(&self, message: &[u8], out: &mut Vec<u8>, rng: &mut Rng) -> bool {
        if rng.percent(20) {
            self.sign(b"JWT", message, out);
            return true;
        }
        self.sign(b"", message, out);
        spoil(out, ORDER_448, rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ed448_signs_as_rfc_8032_has_it() {
        // Section 7.4, "Blank".
        let mut seed = ed448::SecretKey::default();
        seed.copy_from_slice(&from_hex(
            "6c82a562cb808d10d632be89c8513ebf6c929f34ddfa8c9f63c9960ef6e348a3\
             528c8a3fcc2f044e39a3fc5b94492f8f032e7549a20098f95b",
        ));
        let mut signature = Vec::new();
        Ed448(ed448::SigningKey::from(seed)).sign(b"", b"", &mut signature);
        let expected = from_hex(
            "533a37f6bbe457251f023c0d88f976ae2dfb504a843e34d2074fd823d41a591f\
             2b233f034f628281f2fd7a22ddd47d7828c59bd0a21bfd3980ff0d2028d4b18a\
             9df63e006c5d1c2d345b925d8dc00b4104852db99ac5c7cdda8530a113a0f4db\
             b61149f05a7363268c71d95808ff2e652600",
        );
        assert_eq!(signature, expected);
    }
}
