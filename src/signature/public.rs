//! Asymmetric signatures: RSA, ECDSA, EdDSA and ML-DSA, one token at a time.
//!
//! Owns parsed public keys, the algorithms that fit them, and the verification. Reading keys,
//! refusing broken ones and selecting the keys to try are left to `key`.
//!
//! | algorithms | signature, in bytes | rule |
//! |---|---|---|
//! | RS256, RS384, RS512 | the length of the modulus | RFC 7518 section 3.3 |
//! | PS256, PS384, PS512 | the length of the modulus; the salt has the length of the hash | RFC 7518 section 3.5 |
//! | ES256, ES384, ES512, ES256K | r and s, 64, 96, 132 or 64; each from 1 to below the order | RFC 7518 section 3.4, RFC 8812 section 3.2 |
//! | EdDSA, Ed25519, Ed448 | 64 or 114; s below the order, points in canonical form | RFC 8032, RFC 8037, RFC 9864 |
//! | ML-DSA-44, ML-DSA-65, ML-DSA-87 | 2420, 3309 or 4627; an empty context | FIPS 204 |
//!
//! An ECDSA signature with s above half of the order is valid: RFC 7518 does not forbid it, and
//! issuers make such. It gets a warning, since anyone can compute it from the other one.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256K1_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
    ECDSA_P521_SHA512_FIXED, ED25519, ML_DSA_44, ML_DSA_65, ML_DSA_87, ParsedPublicKey,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RsaParameters,
    RsaPublicKeyComponents, VerificationAlgorithm,
};

use super::{Algorithm, AlgorithmSet};
use crate::verdict::{Finding, FindingSet};

/// The longest signature that any key verifies, in bytes: of ML-DSA-87.
pub(crate) const MAX_SIGNATURE_LEN: usize = 4627;
/// The sizes of RSA moduli in bits: from the least that RFC 7518 section 3.3 allows to the most that
/// the library verifies.
pub(crate) const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// An elliptic curve that ECDSA is used on (RFC 7518 section 6.2.1.1, RFC 8812 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    pub(crate) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// The `crv` value.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
            Self::Secp256k1 => "secp256k1",
        }
    }

    /// The length of a coordinate in bytes.
    pub(crate) const fn coordinate_len(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The size of the field in bits.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 256,
            Self::P384 => 384,
            Self::P521 => 521,
        }
    }

    /// Half of the order of the group, rounded down, big-endian, in the length of s. The order is odd,
    /// so of s and `order - s`, which are both valid, exactly one is greater.
    const fn half_order(self) -> &'static [u8] {
        match self {
            Self::P256 => {
                b"\x7f\xff\xff\xff\x80\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff\
                  \xde\x73\x7d\x56\xd3\x8b\xcf\x42\x79\xdc\xe5\x61\x7e\x31\x92\xa8"
            }
            Self::P384 => {
                b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
                  \xff\xff\xff\xff\xff\xff\xff\xff\xe3\xb1\xa6\xc0\xfa\x1b\x96\xef\
                  \xac\x0d\x06\xd9\x24\x58\x53\xbd\x76\x76\x0c\xb5\x66\x62\x94\xb9"
            }
            Self::P521 => {
                b"\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
                  \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
                  \xff\xfd\x28\xc3\x43\xc1\xdf\x97\xcb\x35\xbf\xe6\x00\xa4\x7b\x84\
                  \xd2\xe8\x1d\xda\xe4\xdc\x44\xce\x23\xd7\x5d\xb7\xdb\x8f\x48\x9c\
                  \x32\x04"
            }
            Self::Secp256k1 => {
                b"\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
                  \x5d\x57\x6e\x73\x57\xa4\x50\x1d\xdf\xe9\x2f\x46\x68\x1b\x20\xa0"
            }
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Secp256k1 => Algorithm::Es256k,
        }
    }
}

/// A parameter set of ML-DSA (FIPS 204 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MlDsa {
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl MlDsa {
    pub(crate) const ALL: [Self; 3] = [Self::MlDsa44, Self::MlDsa65, Self::MlDsa87];

    /// The `alg` value, which names the type of the key as well.
    pub(crate) const fn name(self) -> &'static str {
        self.algorithm().name()
    }

    /// The length of a public key in bytes.
    pub(crate) const fn key_len(self) -> usize {
        match self {
            Self::MlDsa44 => 1312,
            Self::MlDsa65 => 1952,
            Self::MlDsa87 => 2592,
        }
    }

    const fn signature_len(self) -> usize {
        match self {
            Self::MlDsa44 => 2420,
            Self::MlDsa65 => 3309,
            Self::MlDsa87 => MAX_SIGNATURE_LEN,
        }
    }

    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::MlDsa44 => Algorithm::MlDsa44,
            Self::MlDsa65 => Algorithm::MlDsa65,
            Self::MlDsa87 => Algorithm::MlDsa87,
        }
    }
}

/// The numbers that a public key consists of.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum PublicMaterial {
    /// Modulus and exponent, big-endian, without leading zero bytes.
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// The coordinates of a point, each in the full length of the curve.
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    /// A point in the encoding of RFC 8032.
    Ed25519([u8; 32]),
    /// A point in the encoding of RFC 8032.
    Ed448([u8; 57]),
    /// A key in the encoding of FIPS 204.
    MlDsa { set: MlDsa, key: Vec<u8> },
}

impl PublicMaterial {
    /// The `kty` value (RFC 7518 section 6.1, RFC 8037 section 2).
    pub(crate) const fn kty(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "RSA",
            Self::Ec { .. } => "EC",
            Self::Ed25519(_) | Self::Ed448(_) => "OKP",
            Self::MlDsa { .. } => "AKP",
        }
    }

    /// The curve or the parameter set, for types that have several.
    pub(crate) const fn subtype(&self) -> Option<&'static str> {
        match self {
            Self::Rsa { .. } => None,
            Self::Ec { curve, .. } => Some(curve.name()),
            Self::Ed25519(_) => Some("Ed25519"),
            Self::Ed448(_) => Some("Ed448"),
            Self::MlDsa { set, .. } => Some(set.name()),
        }
    }

    /// The size in bits: of the modulus, of the field, or of the whole key for ML-DSA.
    pub(crate) fn bits(&self) -> usize {
        match self {
            Self::Rsa { n, .. } => bit_len(n),
            Self::Ec { curve, .. } => curve.bits(),
            Self::Ed25519(_) => 255,
            Self::Ed448(_) => 448,
            Self::MlDsa { key, .. } => key.len() * 8,
        }
    }

    /// The algorithms that a key of this type verifies.
    pub(crate) fn algorithms(&self) -> AlgorithmSet {
        use Algorithm::{Ed448, Ed25519, EdDsa};
        match self {
            Self::Rsa { .. } => AlgorithmSet::RSA,
            Self::Ec { curve, .. } => curve.algorithm().into(),
            Self::Ed25519(_) => [EdDsa, Ed25519].into_iter().collect(),
            Self::Ed448(_) => [EdDsa, Ed448].into_iter().collect(),
            Self::MlDsa { set, .. } => set.algorithm().into(),
        }
    }

    /// The length of all its signatures, in bytes.
    pub(crate) fn signature_len(&self) -> usize {
        match self {
            Self::Rsa { n, .. } => n.len(),
            Self::Ec { curve, .. } => 2 * curve.coordinate_len(),
            Self::Ed25519(_) => 64,
            Self::Ed448(_) => 114,
            Self::MlDsa { set, .. } => set.signature_len(),
        }
    }

    /// The warnings about a signature that this key verified.
    pub(crate) fn findings(&self, signature: &[u8]) -> FindingSet {
        let mut findings = FindingSet::EMPTY;
        if let Self::Ec { curve, .. } = self {
            // Both are big-endian and of one length, so that comparing bytes compares numbers.
            let s = signature.get(curve.coordinate_len()..).unwrap_or_default();
            if s > curve.half_order() {
                findings.insert(Finding::EcdsaHighS);
            }
        }
        findings
    }

    /// Parses the key for one of its algorithms; `None` for any other algorithm and for a key that the
    /// library refuses, such as a point that is not on its curve.
    ///
    /// Each thread should parse its own: keys of the library count their users and take a lock, on
    /// which threads would contend.
    pub(crate) fn parse(&self, algorithm: Algorithm) -> Option<Parsed> {
        let library = |bytes: &[u8], algorithm: &'static dyn VerificationAlgorithm| {
            ParsedPublicKey::new(algorithm, bytes)
                .ok()
                .map(Parsed::Library)
        };
        match self {
            Self::Rsa { n, e } => RsaPublicKeyComponents { n, e }
                .to_parsed_public_key(rsa_parameters(algorithm)?)
                .ok()
                .map(Parsed::Library),
            Self::Ec { curve, x, y } if algorithm == curve.algorithm() => {
                // SEC 1 section 2.3.3: 4 and the coordinates. No other form that the library accepts
                // has this length.
                let point = [&[4], &x[..], y].concat();
                let algorithm: &'static dyn VerificationAlgorithm = match curve {
                    Curve::P256 => &ECDSA_P256_SHA256_FIXED,
                    Curve::P384 => &ECDSA_P384_SHA384_FIXED,
                    Curve::P521 => &ECDSA_P521_SHA512_FIXED,
                    Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED,
                };
                library(&point, algorithm)
            }
            Self::Ed25519(point) if matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519) => {
                library(point, &ED25519)
            }
            Self::Ed448(point) if matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed448) => {
                let key = crrl::ed448::PublicKey::decode(point)?;
                Some(Parsed::Ed448(Box::new(key)))
            }
            Self::MlDsa { set, key } if algorithm == set.algorithm() => {
                let algorithm: &'static dyn VerificationAlgorithm = match set {
                    MlDsa::MlDsa44 => &ML_DSA_44,
                    MlDsa::MlDsa65 => &ML_DSA_65,
                    MlDsa::MlDsa87 => &ML_DSA_87,
                };
                library(key, algorithm)
            }
            _ => None,
        }
    }
}

/// The number of bits of a big-endian number.
pub(crate) fn bit_len(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match number.get(zeros) {
        Some(first) => (number.len() - zeros) * 8 - first.leading_zeros() as usize,
        None => 0,
    }
}

const fn rsa_parameters(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &RSA_PSS_2048_8192_SHA512,
        _ => return None,
    })
}

/// A key that was parsed for one algorithm.
pub(crate) enum Parsed {
    Library(ParsedPublicKey),
    Ed448(Box<crrl::ed448::PublicKey>),
}

impl Parsed {
    /// Whether the signature is valid for the message. It may have any length and content.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Library(key) => key.verify_sig(message, signature).is_ok(),
            Self::Ed448(key) => key.verify_raw(signature, message),
        }
    }
}

/// The capacity of a thread's cache of parsed keys, each for one algorithm. A parsed RSA key takes
/// 2 kB with 2048 bits and 7 kB with 8192, so the cache stays within a few megabytes.
pub(crate) const MAX_PARSED: usize = 1024;

/// One thread's cache of parsed keys. It is filled on demand and needs no lock.
#[derive(Default)]
pub(crate) struct ParsedKeys {
    /// By the number of the key. `None` would be a key that the library accepted once and then
    /// refused.
    parsed: HashMap<(u32, Algorithm), Option<Parsed>>,
}

impl ParsedKeys {
    /// Looks up a key, or parses and admits it; `None` where the algorithm is not one of the key's.
    ///
    /// A full cache is cleared: parsing the keys in use again costs about a verification each.
    pub(crate) fn get(
        &mut self,
        number: u32,
        key: &PublicKey,
        algorithm: Algorithm,
    ) -> Option<&Parsed> {
        let place = (number, algorithm);
        if self.parsed.len() >= MAX_PARSED && !self.parsed.contains_key(&place) {
            self.parsed.clear();
        }
        let parsed = self.parsed.entry(place);
        parsed
            .or_insert_with(|| key.material.parse(algorithm))
            .as_ref()
    }
}

/// A public key, with a cache of its parsed form for single tokens.
pub struct PublicKey {
    material: PublicMaterial,
    /// Parsed on demand for each of its algorithms, in their order: an RSA key has six and rarely
    /// needs two.
    parsed: Box<[OnceLock<Option<Parsed>>]>,
}

impl PublicKey {
    /// A key of these numbers; `None` if the library refuses them. The parsed form is dropped again,
    /// since most keys of a large set verify no token.
    pub(crate) fn new(material: PublicMaterial) -> Option<Self> {
        let algorithms = material.algorithms();
        material.parse(algorithms.iter().next()?)?;
        let parsed = algorithms.iter().map(|_| OnceLock::new()).collect();
        Some(Self { material, parsed })
    }

    pub(crate) const fn material(&self) -> &PublicMaterial {
        &self.material
    }

    /// Whether a signature of any length and content is valid for the message.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let slot = (self.material.algorithms().iter()).position(|known| known == algorithm);
        slot.and_then(|slot| self.parsed.get(slot))
            .and_then(|slot| slot.get_or_init(|| self.material.parse(algorithm)).as_ref())
            .is_some_and(|key| key.verify(message, signature))
    }
}

/// Prints the type alone.
impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.material.kty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys without a known private half: any points will do.
    fn keys(count: usize) -> Vec<PublicKey> {
        let points = (0_u32..).filter_map(|number| {
            let mut point = [0; 32];
            point[..4].copy_from_slice(&number.to_le_bytes());
            PublicKey::new(PublicMaterial::Ed25519(point))
        });
        points.take(count).collect()
    }

    /// The order of a curve (SEC 2 version 2), in the length of s.
    fn order(curve: Curve) -> Vec<u8> {
        let digits = match curve {
            Curve::P256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
            Curve::P384 => concat!(
                "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf",
                "581a0db248b0a77aecec196accc52973",
            ),
            Curve::P521 => concat!(
                "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa",
                "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            ),
            Curve::Secp256k1 => "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
        };
        let pairs = digits.as_bytes().chunks(2).map(str::from_utf8);
        pairs
            .map(|pair| u8::from_str_radix(pair.unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn s_is_high_above_half_of_the_order_and_not_on_it() {
        for curve in Curve::ALL {
            let half = curve.half_order();
            assert_eq!(half.len(), curve.coordinate_len());
            // Twice the half and one is the order.
            let mut carry = 1;
            let mut doubled: Vec<u8> = Vec::new();
            for byte in half.iter().rev() {
                let digit = 2 * u16::from(*byte) + carry;
                carry = digit >> 8;
                doubled.push(digit.to_le_bytes()[0]);
            }
            doubled.reverse();
            let order = order(curve);
            assert_eq!(doubled, order, "{}", curve.name());

            let len = curve.coordinate_len();
            let key = PublicMaterial::Ec {
                curve,
                x: vec![0; len],
                y: vec![0; len],
            };
            let mut above = half.to_vec();
            above[len - 1] += 1;
            let mut least = vec![0; len];
            least[len - 1] = 1;
            for (s, is_high) in [
                (&least[..], false),
                (half, false),
                (&above, true),
                (&order, true),
            ] {
                // r is greater than any s and must not matter.
                let signature = [&vec![0xff; len][..], s].concat();
                let found = key.findings(&signature).contains(Finding::EcdsaHighS);
                assert_eq!(found, is_high, "{} {s:02x?}", curve.name());
            }
        }
        let other = PublicMaterial::Ed25519([0; 32]);
        assert!(other.findings(&[0xff; 64]).is_empty());
    }

    #[test]
    fn the_cache_of_parsed_keys_is_bounded() {
        let keys = keys(MAX_PARSED / 2 + 3);
        let mut cache = ParsedKeys::default();
        let mut most = 0;
        for _ in 0..3 {
            for algorithm in [Algorithm::EdDsa, Algorithm::Ed25519] {
                for (number, key) in (0..).zip(&keys) {
                    let found = cache.get(number, key, algorithm);
                    assert!(found.is_some_and(|key| !key.verify(b"message", &[0; 64])));
                    most = most.max(cache.parsed.len());
                }
            }
        }
        assert_eq!(most, MAX_PARSED);
        assert!(
            cache.get(0, &keys[0], Algorithm::Rs256).is_none(),
            "not for that"
        );
    }

    #[test]
    fn a_key_is_parsed_on_demand() {
        let key = keys(1).remove(0);
        let parsed = || {
            key.parsed
                .iter()
                .filter(|slot| slot.get().is_some())
                .count()
        };
        assert_eq!(parsed(), 0, "it was only checked");
        assert!(!key.verify(Algorithm::Ed25519, b"message", &[0; 64]));
        assert_eq!(parsed(), 1);
    }
}
