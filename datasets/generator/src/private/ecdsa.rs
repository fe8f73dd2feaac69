//! ECDSA (RFC 7518 section 3.4, RFC 8812) with nonces by RFC 6979, and what is wrong with `r || s`.
//!
//! Owns keys on P-256, P-384, P-521 and secp256k1, and faults in signatures of the right length.

use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::KeyType;
use super::Rng;
use super::number::{add, from_hex, subtract_from};
use super::text::base64url;

/// An ECDSA key.
pub(super) enum Ecdsa {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Secp256k1(k256::ecdsa::SigningKey),
}

/// The same expression for whichever curve it is.
macro_rules! each {
    ($self:expr, $key:ident => $value:expr) => {
        match $self {
            Ecdsa::P256($key) => $value,
            Ecdsa::P384($key) => $value,
            Ecdsa::P521($key) => $value,
            Ecdsa::Secp256k1($key) => $value,
        }
    };
}

impl Ecdsa {
    /// Makes a key on the curve of this type; on P-256 for any other type.
    pub(super) fn new(key_type: KeyType, rng: &mut Rng) -> Ecdsa {
        let len = match key_type {
            KeyType::P384 => 48,
            KeyType::P521 => 66,
            _ => 32,
        };
        let mut bytes = vec![0; len];
        loop {
            rng.fill(&mut bytes);
            if key_type == KeyType::P521
                && let Some(first) = bytes.first_mut()
            {
                // 521 bits are one bit more than 65 bytes.
                *first &= 1;
            }
            let key = match key_type {
                KeyType::P384 => p384::ecdsa::SigningKey::from_slice(&bytes).map(Ecdsa::P384),
                KeyType::P521 => p521::ecdsa::SigningKey::from_slice(&bytes).map(Ecdsa::P521),
                KeyType::Secp256k1 => {
                    k256::ecdsa::SigningKey::from_slice(&bytes).map(Ecdsa::Secp256k1)
                }
                _ => p256::ecdsa::SigningKey::from_slice(&bytes).map(Ecdsa::P256),
            };
            // Zero, or not below the order: hardly ever, and then the next numbers will do.
            if let Ok(key) = key {
                return key;
            }
        }
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            Ecdsa::P256(_) => KeyType::P256,
            Ecdsa::P384(_) => KeyType::P384,
            Ecdsa::P521(_) => KeyType::P521,
            Ecdsa::Secp256k1(_) => KeyType::Secp256k1,
        }
    }

    pub(super) fn public_members(&self) -> String {
        let crv = match self {
            Ecdsa::P256(_) => "P-256",
            Ecdsa::P384(_) => "P-384",
            Ecdsa::P521(_) => "P-521",
            Ecdsa::Secp256k1(_) => "secp256k1",
        };
        let point = self.public_bytes();
        // Uncompressed: 4, x, y, each coordinate in full length (RFC 7518 section 6.2.1.2).
        let coordinates = point.get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        format!(
            r#""kty":"EC","crv":"{crv}","x":"{}","y":"{}""#,
            base64url(x),
            base64url(y)
        )
    }

    pub(super) fn private_members(&self) -> String {
        let d = each!(self, key => base64url(&key.to_bytes()));
        format!(r#","d":"{d}""#)
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        each!(self, key => key.verifying_key().to_sec1_point(false).as_bytes().to_vec())
    }

    /// Appends `r || s` over the hash that belongs to the curve.
    pub(super) fn sign(&self, message: &[u8], out: &mut Vec<u8>) {
        match self {
            Ecdsa::P256(_) | Ecdsa::Secp256k1(_) => self.sign_hash(&Sha256::digest(message), out),
            Ecdsa::P384(_) => self.sign_hash(&Sha384::digest(message), out),
            Ecdsa::P521(_) => self.sign_hash(&Sha512::digest(message), out),
        }
    }

    fn sign_hash(&self, hash: &[u8], out: &mut Vec<u8>) {
        // Fails for hashes far shorter than the order alone.
        match self {
            Ecdsa::P256(key) => {
                let signature: Result<p256::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| out.extend_from_slice(&signature.to_bytes()))
            }
            Ecdsa::P384(key) => {
                let signature: Result<p384::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| out.extend_from_slice(&signature.to_bytes()))
            }
            Ecdsa::P521(key) => {
                let signature: Result<p521::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| out.extend_from_slice(&signature.to_bytes()))
            }
            Ecdsa::Secp256k1(key) => {
                let signature: Result<k256::ecdsa::Signature, _> = key.sign_prehash(hash);
                signature.map(|signature| out.extend_from_slice(&signature.to_bytes()))
            }
        }
        .unwrap_or_default();
    }

    /// The order of the group, with the length of `r` and `s`.
    fn order(&self) -> Vec<u8> {
        from_hex(match self {
            Ecdsa::P256(_) => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            Ecdsa::P384(_) => {
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                 581a0db248b0a77aecec196accc52973"
            }
            Ecdsa::P521(_) => {
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa\
                 51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
            }
            Ecdsa::Secp256k1(_) => {
                "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
            }
        })
    }

    /// Turns `s` into `n - s`, which is as good: ECDSA signatures come in pairs.
    pub(super) fn mirror(&self, signature: &mut [u8]) {
        let half = signature.len() / 2;
        if let Some(s) = signature.get_mut(half..) {
            subtract_from(&self.order(), s);
        }
    }

    /// Appends something of the length of a signature that a careless verifier accepts.
    pub(super) fn fault(&self, message: &[u8], out: &mut Vec<u8>, rng: &mut Rng) -> bool {
        self.sign(message, out);
        let order = self.order();
        let half = order.len();
        let zero = vec![0; half];
        let mut one = zero.clone();
        if let Some(last) = one.last_mut() {
            *last = 1;
        }
        let Some((r, s)) = out.split_at_mut_checked(half) else {
            return false;
        };
        match rng.below(14) {
            // CVE-2022-21449: with r = s = 0 the equation holds for every message.
            0 => {
                r.fill(0);
                s.fill(0);
            }
            1 => r.fill(0),
            2 => s.fill(0),
            3 => {
                r.copy_from_slice(&order);
                s.copy_from_slice(&order);
            }
            4 => r.copy_from_slice(&order),
            5 => s.copy_from_slice(&order),
            6 => {
                r.copy_from_slice(&one);
                s.copy_from_slice(&one);
            }
            // Out of range by a multiple of the order, which fits where the order is short of a
            // whole number of bytes.
            7 => return add(s, &order),
            8 => return add(r, &order),
            9 => r.swap_with_slice(s),
            // The bytes in the other order.
            10 => {
                r.reverse();
                s.reverse();
            }
            // x of a point has two values of y: r of the wrong sign is another r.
            11 => return subtract_from(&order, r),
            // The right key and message with the hash of another algorithm.
            12 => {
                out.clear();
                match self {
                    Ecdsa::P256(_) | Ecdsa::Secp256k1(_) => {
                        self.sign_hash(&Sha512::digest(message), out);
                    }
                    Ecdsa::P384(_) => self.sign_hash(&Sha512::digest(message), out),
                    Ecdsa::P521(_) => self.sign_hash(&Sha384::digest(message), out),
                }
                return !out.is_empty();
            }
            // A good signature on the other curve of this length.
            _ => {
                let other = match self {
                    Ecdsa::P256(_) => KeyType::Secp256k1,
                    Ecdsa::Secp256k1(_) => KeyType::P256,
                    Ecdsa::P384(_) | Ecdsa::P521(_) => return false,
                };
                out.clear();
                Ecdsa::new(other, rng).sign(message, out);
            }
        }
        true
    }
}
