//! Certificates to order, signed: any names, dates, extensions and keys.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::der::{common_name, sequence, tlv};
use crate::token_maker::encode;

/// The instant of the tokens: 2026-09-21T14:13:20Z.
pub const NOW: u64 = 1_790_000_000;

/// A key pair that signs certificates and tokens.
pub enum Pair {
    P256(Vec<u8>),
    Ed25519(Vec<u8>),
}

impl Pair {
    pub fn p256() -> Self {
        let rng = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng);
        Self::P256(pkcs8.expect("a key").as_ref().to_vec())
    }

    pub fn ed25519() -> Self {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
        Self::Ed25519(pkcs8.expect("a key").as_ref().to_vec())
    }

    fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match self {
            Self::P256(key) => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key);
                key.expect("a key").public_key().as_der()
            }
            Self::Ed25519(key) => {
                let key = Ed25519KeyPair::from_pkcs8(key);
                key.expect("a key").public_key().as_der()
            }
        }
        .expect("a public key");
        der.as_ref().to_vec()
    }

    pub const fn alg(&self) -> &'static str {
        match self {
            Self::P256(_) => "ES256",
            Self::Ed25519(_) => "EdDSA",
        }
    }

    /// The signature of a token.
    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key);
                let signature = key.expect("a key").sign(&SystemRandom::new(), message);
                signature.expect("a signature").as_ref().to_vec()
            }
            Self::Ed25519(key) => {
                let key = Ed25519KeyPair::from_pkcs8(key).expect("a key");
                key.sign(message).as_ref().to_vec()
            }
        }
    }

    /// The algorithm of certificates, and the signature of one.
    fn certify(&self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::P256(key) => {
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key);
                let signature = key.expect("a key").sign(&SystemRandom::new(), content);
                signature.expect("a signature").as_ref().to_vec()
            }
            Self::Ed25519(_) => self.sign(content),
        }
    }

    fn certificate_algorithm(&self) -> Vec<u8> {
        sequence(&[match self {
            Self::P256(_) => tlv(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]),
            Self::Ed25519(_) => tlv(6, &[0x2b, 0x65, 0x70]),
        }])
    }
}

/// A name of one attribute, the common name.
pub fn name(text: &str) -> Vec<u8> {
    common_name(0x0c, text.as_bytes())
}

/// A certificate in the making: from 2026 to 2036.
#[derive(Clone)]
pub struct Certificate {
    pub subject: String,
    pub from: &'static str,
    pub to: &'static str,
    extensions: Vec<(u8, Vec<u8>)>,
}

pub const KEY_USAGE: u8 = 15;
pub const SUBJECT_ALT_NAME: u8 = 17;
pub const BASIC_CONSTRAINTS: u8 = 19;
pub const NAME_CONSTRAINTS: u8 = 30;
const UNKNOWN: u8 = 99;
pub const EXTENDED_KEY_USAGE: u8 = 37;

impl Certificate {
    fn new(subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            from: "260101000000Z",
            to: "360101000000Z",
            extensions: Vec::new(),
        }
    }

    /// One that may sign certificates.
    pub fn authority(subject: &str) -> Self {
        let ca = sequence(&[tlv(1, &[0xff])]);
        Self::new(subject)
            .with(BASIC_CONSTRAINTS, &ca)
            .with(KEY_USAGE, &tlv(3, &[1, 0x06]))
    }

    /// One that may sign tokens, with a DNS name.
    pub fn signer(subject: &str, dns: &str) -> Self {
        Self::new(subject)
            .with(KEY_USAGE, &tlv(3, &[7, 0x80]))
            .with(SUBJECT_ALT_NAME, &sequence(&[tlv(0x82, dns.as_bytes())]))
    }

    /// With an extension of id-ce of this number in place of any other.
    pub fn with(mut self, number: u8, value: &[u8]) -> Self {
        self = self.without(number);
        self.extensions.push((number, value.to_vec()));
        self
    }

    /// With a critical extension that nobody knows.
    pub fn with_unknown(self) -> Self {
        self.with(UNKNOWN, &tlv(5, &[]))
    }

    pub fn without(mut self, number: u8) -> Self {
        self.extensions.retain(|(other, _)| *other != number);
        self
    }

    /// In DER, issued by this name and key.
    pub fn issue(&self, key: &Pair, issuer: &str, by: &Pair) -> Vec<u8> {
        let extension = |(number, value): &(u8, Vec<u8>)| {
            let critical = match *number {
                UNKNOWN => tlv(1, &[0xff]),
                _ => Vec::new(),
            };
            sequence(&[tlv(6, &[0x55, 0x1d, *number]), critical, tlv(4, value)])
        };
        let extensions: Vec<_> = self.extensions.iter().map(extension).collect();
        let time = |text: &str| match text.len() {
            13 => tlv(0x17, text.as_bytes()),
            _ => tlv(0x18, text.as_bytes()),
        };
        let content = sequence(&[
            tlv(0xa0, &tlv(2, &[2])),
            tlv(2, &[7]),
            by.certificate_algorithm(),
            name(issuer),
            sequence(&[time(self.from), time(self.to)]),
            name(&self.subject),
            key.spki(),
            tlv(0xa3, &sequence(&extensions)),
        ]);
        let signature = [&[0], &by.certify(&content)[..]].concat();
        sequence(&[content, by.certificate_algorithm(), tlv(3, &signature)])
    }
}

/// A certificate as `x5c` has it.
pub fn base64(der: &[u8]) -> Value {
    STANDARD.encode(der).into()
}

/// A chain as `x5c` has it.
pub fn x5c(chain: &[&[u8]]) -> Value {
    chain.iter().map(|der| base64(der)).collect()
}

/// A certificate in PEM.
pub fn pem(der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
}

/// A token with this `x5c` and these claims, signed by a key.
pub fn token(x5c: &Value, claims: &Value, key: &Pair) -> String {
    token_of(&json!({"alg": key.alg(), "x5c": x5c}), claims, key)
}

/// A token with this header.
pub fn token_of(header: &Value, claims: &Value, key: &Pair) -> String {
    let input = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let signature = encode(key.sign(input.as_bytes()));
    format!("{input}.{signature}")
}
