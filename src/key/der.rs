//! Keys in DER: SubjectPublicKeyInfo (RFC 5280 section 4.1), PKCS #1 (RFC 8017 appendix A.1), and
//! private keys, of which the public half is taken (RFC 5958, RFC 8017, RFC 5915).
//!
//! Owns the structures around a key. Its numbers are checked in `health.rs`; certificates and PEM
//! have files of their own.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED_SIGNING,
    ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ML_DSA_44_SIGNING, ML_DSA_65_SIGNING,
    ML_DSA_87_SIGNING, PqdsaKeyPair,
};
use x509_cert::der::asn1::{AnyRef, ObjectIdentifier, OctetStringRef, UintRef};
use x509_cert::der::{self, Decode, Reader, SliceReader};
use x509_cert::spki::SubjectPublicKeyInfoRef;

use super::fault::Fault;
use super::parsed::{Certificate, DerKey};
use super::pss;
use crate::signature::public::{Curve, MlDsa, PublicMaterial};
use crate::signature::{Algorithm, AlgorithmSet};

/// Object identifiers of key types (RFC 8017 appendix A, RFC 5480 section 2.1.1, RFC 8410
/// section 3, RFC 9881 section 2) and curves (RFC 5480 section 2.1.1.1, SEC 2 section A.2).
mod oid {
    use super::ObjectIdentifier;

    const fn oid(text: &str) -> ObjectIdentifier {
        ObjectIdentifier::new_unwrap(text)
    }

    pub(super) const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");
    pub(super) const RSA_PSS: ObjectIdentifier = oid("1.2.840.113549.1.1.10");
    pub(super) const EC: ObjectIdentifier = oid("1.2.840.10045.2.1");
    pub(super) const X25519: ObjectIdentifier = oid("1.3.101.110");
    pub(super) const X448: ObjectIdentifier = oid("1.3.101.111");
    pub(super) const ED25519: ObjectIdentifier = oid("1.3.101.112");
    pub(super) const ED448: ObjectIdentifier = oid("1.3.101.113");
    pub(super) const ML_DSA_44: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.17");
    pub(super) const ML_DSA_65: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.18");
    pub(super) const ML_DSA_87: ObjectIdentifier = oid("2.16.840.1.101.3.4.3.19");
    pub(super) const P256: ObjectIdentifier = oid("1.2.840.10045.3.1.7");
    pub(super) const P384: ObjectIdentifier = oid("1.3.132.0.34");
    pub(super) const P521: ObjectIdentifier = oid("1.3.132.0.35");
    pub(super) const SECP256K1: ObjectIdentifier = oid("1.3.132.0.10");
}

const fn public(material: PublicMaterial) -> DerKey {
    DerKey {
        material,
        certificate: Certificate::None,
        is_authority: false,
        is_private: false,
        restricted_to: AlgorithmSet::ALL,
    }
}

const fn private(material: PublicMaterial) -> DerKey {
    DerKey {
        material,
        certificate: Certificate::None,
        is_authority: false,
        is_private: true,
        restricted_to: AlgorithmSet::ALL,
    }
}

/// A SubjectPublicKeyInfo.
pub(super) fn public_key_info(der: &[u8]) -> Result<DerKey, Fault> {
    read_public_key_info(der)
}

/// An RSAPublicKey.
pub(super) fn rsa_public_key(der: &[u8]) -> Result<DerKey, Fault> {
    read_rsa_public_key(der).map(public)
}

/// A private key of any type (RFC 5958).
pub(super) fn private_key_info(der: &[u8]) -> Result<DerKey, Fault> {
    read_private_key_info(der)
}

/// An RSAPrivateKey.
pub(super) fn rsa_private_key(der: &[u8]) -> Result<DerKey, Fault> {
    read_rsa_private_key(der).map(private)
}

/// An ECPrivateKey.
pub(super) fn ec_private_key(der: &[u8]) -> Result<DerKey, Fault> {
    read_ec_private_key(der).map(private)
}

/// The tag of a sequence (X.690 section 8.9).
const SEQUENCE: u8 = 0x30;

/// The elements of a sequence, each with its tag and length.
pub(super) fn elements(der: &[u8]) -> Option<Vec<&[u8]>> {
    all(content(der, SEQUENCE)?)
}

/// Every element of a text in DER, each with its tag and length.
pub(super) fn all(mut der: &[u8]) -> Option<Vec<&[u8]>> {
    let mut elements = Vec::new();
    while !der.is_empty() {
        let (element, rest) = first(der)?;
        elements.push(element);
        der = rest;
    }
    Some(elements)
}

/// The content of one whole element with this tag.
pub(super) fn content(der: &[u8], tag: u8) -> Option<&[u8]> {
    let (content, rest) = split(der)?;
    (der.first() == Some(&tag) && rest.is_empty()).then_some(content)
}

/// The first element of a text in DER, with its tag and length, and what follows it.
pub(super) fn first(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = split(der)?;
    Some(der.split_at(der.len() - rest.len()))
}

/// The content of the first element of a text in DER, of whatever tag in one byte, and what follows
/// the element (X.690 sections 8.1 and 10.1).
fn split(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (tag, text) = der.split_first()?;
    let (len, text) = text.split_first()?;
    let is_long_tag = tag & 0x1f == 0x1f;
    let (len, text) = match len {
        0..=0x7f => (usize::from(*len), text),
        // Up to four bytes, no more of them than are needed.
        0x81..=0x84 => {
            let (digits, text) = text.split_at_checked(usize::from(len & 0x7f))?;
            let len = digits
                .iter()
                .fold(0, |len, digit| len << 8 | usize::from(*digit));
            let is_shortest = digits.first() != Some(&0) && len > 0x7f;
            (is_shortest.then_some(len)?, text)
        }
        _ => return None,
    };
    text.split_at_checked(len).filter(|_| !is_long_tag)
}

/// RFC 5280 section 4.1.2.7, and RFC 3279, 5480, 8410 and 9881 for the types of keys.
fn read_public_key_info(der: &[u8]) -> Result<DerKey, Fault> {
    let spki = SubjectPublicKeyInfoRef::from_der(der)
        .map_err(|_| Fault::new("not a SubjectPublicKeyInfo in DER (RFC 5280 section 4.1)"))?;
    let key = spki.subject_public_key;
    let bytes = key
        .as_bytes()
        .ok_or_else(|| Fault::new("the key is not a whole number of bytes"))?;
    let exactly = || Fault::new("the key is of the wrong length for its type");
    let algorithm = spki.algorithm;
    let restricted_to = restriction(algorithm.oid, algorithm.parameters)?;
    let material = match algorithm.oid {
        oid::RSA | oid::RSA_PSS => read_rsa_public_key(bytes),
        oid::EC => {
            let curve = named_curve(algorithm.parameters)?;
            point(curve, bytes)
        }
        oid::ED25519 => bytes
            .try_into()
            .map(PublicMaterial::Ed25519)
            .map_err(|_| exactly()),
        oid::ED448 => bytes
            .try_into()
            .map(PublicMaterial::Ed448)
            .map_err(|_| exactly()),
        oid::X25519 | oid::X448 => Err(Fault::other_type("a key for key agreement")),
        other => {
            let set = ml_dsa(other)
                .ok_or_else(|| Fault::other_type(format!("a key of the unknown type {other}")))?;
            if bytes.len() != set.key_len() {
                return Err(exactly());
            }
            Ok(PublicMaterial::MlDsa {
                set,
                key: bytes.to_vec(),
            })
        }
    };
    let material = material.map_err(|fault| fault.fitting(algorithms(algorithm.oid)))?;
    Ok(DerKey {
        restricted_to,
        ..public(material)
    })
}

/// The algorithms that an algorithm identifier restricts a key to, beside those of its type.
fn restriction(
    oid: ObjectIdentifier,
    parameters: Option<AnyRef<'_>>,
) -> Result<AlgorithmSet, Fault> {
    match oid {
        oid::RSA_PSS => pss::algorithms(parameters),
        _ => Ok(AlgorithmSet::ALL),
    }
}

/// The algorithms of keys with this object identifier.
fn algorithms(oid: ObjectIdentifier) -> AlgorithmSet {
    match oid {
        oid::RSA | oid::RSA_PSS => AlgorithmSet::RSA,
        oid::EC => Curve::ALL.into_iter().map(Curve::algorithm).collect(),
        oid::ED25519 => [Algorithm::EdDsa, Algorithm::Ed25519].into_iter().collect(),
        oid::ED448 => [Algorithm::EdDsa, Algorithm::Ed448].into_iter().collect(),
        other => ml_dsa(other).map(MlDsa::algorithm).into_iter().collect(),
    }
}

fn ml_dsa(oid: ObjectIdentifier) -> Option<MlDsa> {
    match oid {
        oid::ML_DSA_44 => Some(MlDsa::MlDsa44),
        oid::ML_DSA_65 => Some(MlDsa::MlDsa65),
        oid::ML_DSA_87 => Some(MlDsa::MlDsa87),
        _ => None,
    }
}

fn named_curve(parameters: Option<AnyRef<'_>>) -> Result<Curve, Fault> {
    let curve = parameters
        .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok())
        .ok_or_else(|| Fault::new("the curve is not named (RFC 5480 section 2.1.1)"))?;
    match curve {
        oid::P256 => Ok(Curve::P256),
        oid::P384 => Ok(Curve::P384),
        oid::P521 => Ok(Curve::P521),
        oid::SECP256K1 => Ok(Curve::Secp256k1),
        other => Err(Fault::other_type(format!(
            "a key on the curve {other}, which no JWS algorithm uses"
        ))),
    }
}

/// A point in the uncompressed form of SEC 1 section 2.3.3.
fn point(curve: Curve, bytes: &[u8]) -> Result<PublicMaterial, Fault> {
    let len = curve.coordinate_len();
    match bytes {
        [4, coordinates @ ..] if coordinates.len() == 2 * len => {
            let (x, y) = coordinates.split_at(len);
            Ok(PublicMaterial::Ec {
                curve,
                x: x.to_vec(),
                y: y.to_vec(),
            })
        }
        [2 | 3, x @ ..] if x.len() == len => Err(Fault::new(
            "the point is compressed; write it with both coordinates: openssl ec -pubin \
             -conv_form uncompressed",
        )),
        _ => Err(Fault::new("the point is of the wrong length for its curve")),
    }
}

/// RFC 8017 appendix A.1.1.
fn read_rsa_public_key(der: &[u8]) -> Result<PublicMaterial, Fault> {
    let numbers = || -> der::Result<_> {
        let mut reader = SliceReader::new(der)?;
        let numbers = reader.sequence(|reader| -> der::Result<_> {
            Ok((UintRef::decode(reader)?, UintRef::decode(reader)?))
        })?;
        reader.finish()?;
        Ok(numbers)
    };
    let (n, e) = numbers()
        .map_err(|_| Fault::new("not an RSAPublicKey in DER (RFC 8017 appendix A.1.1)"))?;
    Ok(rsa(n, e))
}

/// RFC 8017 appendix A.1.2.
fn read_rsa_private_key(der: &[u8]) -> Result<PublicMaterial, Fault> {
    let numbers = || -> der::Result<_> {
        let mut reader = SliceReader::new(der)?;
        let numbers = reader.sequence(|reader| -> der::Result<_> {
            let _version = u8::decode(reader)?;
            let numbers = (UintRef::decode(reader)?, UintRef::decode(reader)?);
            while !reader.is_finished() {
                reader.tlv_bytes()?;
            }
            Ok(numbers)
        })?;
        reader.finish()?;
        Ok(numbers)
    };
    let (n, e) = numbers()
        .map_err(|_| Fault::new("not an RSAPrivateKey in DER (RFC 8017 appendix A.1.2)"))?;
    Ok(rsa(n, e))
}

fn rsa(n: UintRef<'_>, e: UintRef<'_>) -> PublicMaterial {
    PublicMaterial::Rsa {
        n: n.as_bytes().to_vec(),
        e: e.as_bytes().to_vec(),
    }
}

/// A PKCS #8 private key (RFC 5958).
fn read_private_key_info(der: &[u8]) -> Result<DerKey, Fault> {
    let parts = || -> der::Result<_> {
        let mut reader = SliceReader::new(der)?;
        let parts = reader.sequence(|reader| -> der::Result<_> {
            let _version = u8::decode(reader)?;
            let algorithm = x509_cert::spki::AlgorithmIdentifierRef::decode(reader)?;
            let key = <&OctetStringRef>::decode(reader)?;
            while !reader.is_finished() {
                reader.tlv_bytes()?;
            }
            Ok((algorithm, key.as_bytes()))
        })?;
        reader.finish()?;
        Ok(parts)
    };
    let refused = || Fault::new("not a sound private key (RFC 5958)");
    let (algorithm, key) = parts().map_err(|_| refused())?;
    let restricted_to = restriction(algorithm.oid, algorithm.parameters)?;
    let material = match algorithm.oid {
        oid::RSA | oid::RSA_PSS => read_rsa_private_key(key),
        oid::EC => {
            let curve = named_curve(algorithm.parameters)?;
            let pair = EcdsaKeyPair::from_pkcs8(signing(curve), der).map_err(|_| refused())?;
            point(curve, pair.public_key().as_ref())
        }
        oid::ED25519 => {
            let seed = <&OctetStringRef>::from_der(key).map_err(|_| refused())?;
            let seed: &[u8; 32] = seed.as_bytes().try_into().map_err(|_| refused())?;
            let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| refused())?;
            let key = pair.public_key().as_ref().try_into();
            key.map(PublicMaterial::Ed25519).map_err(|_| refused())
        }
        oid::ED448 => {
            let seed = <&OctetStringRef>::from_der(key).map_err(|_| refused())?;
            let key = crrl::ed448::PrivateKey::decode(seed.as_bytes()).ok_or_else(refused)?;
            Ok(PublicMaterial::Ed448(key.public_key.encode()))
        }
        oid::X25519 | oid::X448 => Err(Fault::other_type("a key for key agreement")),
        other => {
            let set = ml_dsa(other)
                .ok_or_else(|| Fault::other_type(format!("a key of the unknown type {other}")))?;
            let algorithm = match set {
                MlDsa::MlDsa44 => &ML_DSA_44_SIGNING,
                MlDsa::MlDsa65 => &ML_DSA_65_SIGNING,
                MlDsa::MlDsa87 => &ML_DSA_87_SIGNING,
            };
            let pair = PqdsaKeyPair::from_pkcs8(algorithm, der).map_err(|_| refused())?;
            Ok(PublicMaterial::MlDsa {
                set,
                key: pair.public_key().as_ref().to_vec(),
            })
        }
    };
    Ok(DerKey {
        restricted_to,
        ..private(material?)
    })
}

/// A private key on a curve (RFC 5915). It may not name its curve, so each is tried.
fn read_ec_private_key(der: &[u8]) -> Result<PublicMaterial, Fault> {
    Curve::ALL
        .into_iter()
        .find_map(|curve| {
            let pair = EcdsaKeyPair::from_private_key_der(signing(curve), der).ok()?;
            point(curve, pair.public_key().as_ref()).ok()
        })
        .ok_or_else(|| Fault::new("not a sound private key on a curve of JWS (RFC 5915)"))
}

const fn signing(curve: Curve) -> &'static EcdsaSigningAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
        Curve::Secp256k1 => &ECDSA_P256K1_SHA256_FIXED_SIGNING,
    }
}
