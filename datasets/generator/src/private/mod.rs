//! Private keys: made from the seed, signing well, and signing wrongly on purpose.
//!
//! Owns every signature that is not a MAC, good or with a fault of its algorithm, and the members
//! of a JWK that hold such a key. Signatures are deterministic: ECDSA by RFC 6979, EdDSA and ML-DSA
//! by nature or choice, and the salts of PSS come from the data set's own numbers. Faults that any
//! signature can have (a flipped bit, another token's) are left to `forged`.

mod ecdsa;
mod eddsa;
mod mldsa;
mod number;
mod rsa;
#[cfg(test)]
mod tests;

use super::algorithm::{Algorithm, KeyType};
use super::rng::Rng;
use ecdsa::Ecdsa;
use eddsa::{Ed448, Ed25519};
use mldsa::MlDsa;
use rsa::Rsa;

use super::{der, text};

/// A private key with its public half.
pub(super) struct PrivateKey(Kind);

enum Kind {
    Rsa(Box<Rsa>),
    Ecdsa(Box<Ecdsa>),
    Ed25519(Box<Ed25519>),
    Ed448(Box<Ed448>),
    MlDsa(Box<MlDsa>),
}

impl PrivateKey {
    /// Makes a key; `None` for a shared secret, which is no private key.
    pub(super) fn new(key_type: KeyType, rng: &mut Rng) -> Option<PrivateKey> {
        let kind = match key_type {
            KeyType::Secret => return None,
            KeyType::Rsa(bits) => Kind::Rsa(Box::new(Rsa::new(bits, rng))),
            KeyType::P256 | KeyType::P384 | KeyType::P521 | KeyType::Secp256k1 => {
                Kind::Ecdsa(Box::new(Ecdsa::new(key_type, rng)))
            }
            KeyType::Ed25519 => Kind::Ed25519(Box::new(Ed25519::new(rng))),
            KeyType::Ed448 => Kind::Ed448(Box::new(Ed448::new(rng))),
            KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87 => {
                Kind::MlDsa(Box::new(MlDsa::new(key_type, rng)))
            }
        };
        Some(PrivateKey(kind))
    }

    /// Its type.
    pub(super) fn key_type(&self) -> KeyType {
        match &self.0 {
            Kind::Rsa(key) => key.key_type(),
            Kind::Ecdsa(key) => key.key_type(),
            Kind::Ed25519(_) => KeyType::Ed25519,
            Kind::Ed448(_) => KeyType::Ed448,
            Kind::MlDsa(key) => key.key_type(),
        }
    }

    /// The members of a JWK that hold the public key, `kty` first, without `alg`.
    pub(super) fn public_members(&self) -> String {
        match &self.0 {
            Kind::Rsa(key) => key.public_members(),
            Kind::Ecdsa(key) => key.public_members(),
            Kind::Ed25519(key) => key.public_members(),
            Kind::Ed448(key) => key.public_members(),
            Kind::MlDsa(key) => key.public_members(),
        }
    }

    /// The members that a private JWK has besides, each with a comma in front.
    pub(super) fn private_members(&self) -> String {
        match &self.0 {
            Kind::Rsa(key) => key.private_members(),
            Kind::Ecdsa(key) => key.private_members(),
            Kind::Ed25519(key) => key.private_members(),
            Kind::Ed448(key) => key.private_members(),
            Kind::MlDsa(key) => key.private_members(),
        }
    }

    /// The public key as a SubjectPublicKeyInfo holds it: for RSA the structure of PKCS #1.
    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Rsa(key) => key.public_bytes(),
            Kind::Ecdsa(key) => key.public_bytes(),
            Kind::Ed25519(key) => key.public_bytes(),
            Kind::Ed448(key) => key.public_bytes(),
            Kind::MlDsa(key) => key.public_bytes(),
        }
    }

    /// Writes the signature over `message` to `out`, replacing what was there.
    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        out: &mut Vec<u8>,
        rng: &mut Rng,
    ) {
        out.clear();
        match &self.0 {
            Kind::Rsa(key) => key.sign(algorithm, message, out, rng),
            Kind::Ecdsa(key) => key.sign(message, out),
            Kind::Ed25519(key) => key.sign(message, out),
            Kind::Ed448(key) => key.sign(b"", message, out),
            Kind::MlDsa(key) => key.sign(b"", message, out),
        }
    }

    /// Writes something of the length of a signature that a careless verifier of this algorithm
    /// takes for one. False where the fault drawn cannot be made with this key and message.
    pub(super) fn fault(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        out: &mut Vec<u8>,
        rng: &mut Rng,
    ) -> bool {
        out.clear();
        match &self.0 {
            Kind::Rsa(key) => key.fault(algorithm, message, out, rng),
            Kind::Ecdsa(key) => key.fault(message, out, rng),
            Kind::Ed25519(key) => key.fault(message, out, rng),
            Kind::Ed448(key) => key.fault(message, out, rng),
            Kind::MlDsa(key) => {
                key.sign(rng.pick(&[b"JWT", b"jwt", b"\0\0\0"]), message, out);
                true
            }
        }
    }

    /// Turns a signature into the other one that is good for the same message and key: `n - s` for
    /// `s` in ECDSA. Other signatures stay what they are.
    pub(super) fn mirror(&self, signature: &mut [u8]) {
        if let Kind::Ecdsa(key) = &self.0 {
            key.mirror(signature);
        }
    }
}
