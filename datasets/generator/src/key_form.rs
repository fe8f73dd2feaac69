//! The forms in which the public half of a key can be handed to an audit.
//!
//! Owns SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), PKCS #1 (RFC 8017 appendix A.1.1),
//! self-signed certificates (RFC 5280) and JWKs with `x5c` (RFC 7517 section 4.7). What the bits of
//! a key are is left to `private`, and how DER is written to `der`.

use std::fmt;
use std::str::FromStr;

use super::algorithm::{Algorithm, KeyType};
use super::der;
use super::error::SpecError;
use super::private::PrivateKey;
use super::rng::Rng;

/// A form of a public key. Shared secrets are always in the key set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyForm {
    /// A JWK of the key set.
    Jwk,
    /// A JWK that holds the private key as well.
    PrivateJwk,
    /// A JWK whose key is in a certificate alone: `x5c`, and none of the key's own members.
    X5cJwk,
    /// A JWK as .NET, Java and old libraries write it: members that are null or empty, numbers with
    /// zeros in front, base64 of the other alphabet with padding.
    UnusualJwk,
    /// A file of its own: SubjectPublicKeyInfo in PEM.
    Spki,
    /// A file of its own: SubjectPublicKeyInfo in DER.
    SpkiDer,
    /// A file of its own: RSAPublicKey in PEM; for keys that are not RSA, as [`KeyForm::Spki`].
    Pkcs1,
    /// A file of its own: a self-signed certificate in PEM.
    Certificate,
    /// A file of its own: a self-signed certificate in DER.
    CertificateDer,
}

impl KeyForm {
    /// All of them.
    pub const ALL: [KeyForm; 9] = [
        KeyForm::Jwk,
        KeyForm::PrivateJwk,
        KeyForm::X5cJwk,
        KeyForm::UnusualJwk,
        KeyForm::Spki,
        KeyForm::SpkiDer,
        KeyForm::Pkcs1,
        KeyForm::Certificate,
        KeyForm::CertificateDer,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            KeyForm::Jwk => "jwk",
            KeyForm::PrivateJwk => "private-jwk",
            KeyForm::X5cJwk => "x5c-jwk",
            KeyForm::UnusualJwk => "unusual-jwk",
            KeyForm::Spki => "spki",
            KeyForm::SpkiDer => "spki-der",
            KeyForm::Pkcs1 => "pkcs1",
            KeyForm::Certificate => "certificate",
            KeyForm::CertificateDer => "certificate-der",
        }
    }

    /// Whether such a key is in a file of its own, where it has no id and is bound to no algorithm.
    pub(super) fn is_file(self) -> bool {
        !matches!(
            self,
            KeyForm::Jwk | KeyForm::PrivateJwk | KeyForm::X5cJwk | KeyForm::UnusualJwk
        )
    }
}

impl fmt::Display for KeyForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyForm {
    type Err = SpecError;

    /// # Errors
    /// Any other name.
    fn from_str(name: &str) -> Result<KeyForm, SpecError> {
        let known = KeyForm::ALL.into_iter().find(|form| form.name() == name);
        known.ok_or_else(|| SpecError::UnknownForm {
            name: name.to_owned(),
        })
    }
}

/// A key in a file of its own, beside the key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The file's name.
    pub name: String,
    /// What is in it: PEM or DER.
    pub content: Vec<u8>,
}

impl KeyFile {
    /// Whether a file of a data set's key can have this name.
    pub fn has_name(name: &str) -> bool {
        let stem = (name.strip_suffix(".pem")).or_else(|| name.strip_suffix(".der"));
        let number = stem.and_then(|stem| stem.strip_prefix("key-"));
        let is_number = |text: &str| {
            let number = text.parse::<u32>();
            number.is_ok_and(|number| format!("{number:03}") == text)
        };
        number.is_some_and(is_number)
    }

    /// The file of the key with this number.
    pub(super) fn new(number: u32, form: KeyForm, key: &PrivateKey, rng: &mut Rng) -> KeyFile {
        let is_rsa = matches!(key.key_type(), KeyType::Rsa(_));
        let (extension, content) = match form {
            KeyForm::SpkiDer => ("der", spki(key)),
            KeyForm::Pkcs1 if is_rsa => ("pem", der::pem("RSA PUBLIC KEY", &key.public_bytes())),
            KeyForm::Certificate => ("pem", der::pem("CERTIFICATE", &certificate(key, rng))),
            KeyForm::CertificateDer => ("der", certificate(key, rng)),
            _ => ("pem", der::pem("PUBLIC KEY", &spki(key))),
        };
        KeyFile {
            name: format!("key-{number:03}.{extension}"),
            content,
        }
    }
}

/// A member `x5c` with the certificate of this key, a comma in front.
pub(super) fn x5c(key: &PrivateKey, rng: &mut Rng) -> String {
    let certificate = base64_simd::STANDARD.encode_to_string(certificate(key, rng));
    format!(r#","x5c":["{certificate}"]"#)
}

/// The algorithm of a public key, and the one it signs its own certificate with.
fn identifiers(key_type: KeyType) -> (Vec<u8>, Algorithm, Vec<u8>) {
    let oid = der::object_identifier;
    let sequence = |arcs: &[u32]| der::sequence(&[&oid(arcs)]);
    let ec = |curve: &[u32]| {
        let key = oid(&[1, 2, 840, 10_045, 2, 1]);
        der::sequence(&[&key, &oid(curve)])
    };
    let ecdsa = |hash| sequence(&[1, 2, 840, 10_045, 4, 3, hash]);
    let same = |algorithm, arcs: &[u32]| (sequence(arcs), algorithm, sequence(arcs));
    let mldsa = |algorithm, last| same(algorithm, &[2, 16, 840, 1, 101, 3, 4, 3, last]);
    match key_type {
        KeyType::P256 | KeyType::Secret => (
            ec(&[1, 2, 840, 10_045, 3, 1, 7]),
            Algorithm::Es256,
            ecdsa(2),
        ),
        KeyType::P384 => (ec(&[1, 3, 132, 0, 34]), Algorithm::Es384, ecdsa(3)),
        KeyType::P521 => (ec(&[1, 3, 132, 0, 35]), Algorithm::Es512, ecdsa(4)),
        KeyType::Secp256k1 => (ec(&[1, 3, 132, 0, 10]), Algorithm::Es256k, ecdsa(2)),
        KeyType::Ed25519 => same(Algorithm::Ed25519, &[1, 3, 101, 112]),
        KeyType::Ed448 => same(Algorithm::Ed448, &[1, 3, 101, 113]),
        KeyType::MlDsa44 => mldsa(Algorithm::MlDsa44, 17),
        KeyType::MlDsa65 => mldsa(Algorithm::MlDsa65, 18),
        KeyType::MlDsa87 => mldsa(Algorithm::MlDsa87, 19),
        KeyType::Rsa(_) => {
            let pkcs1 = |last| {
                let name = oid(&[1, 2, 840, 113_549, 1, 1, last]);
                der::sequence(&[&name, der::NULL])
            };
            (pkcs1(1), Algorithm::Rs256, pkcs1(11))
        }
    }
}

/// SubjectPublicKeyInfo.
pub(super) fn spki(key: &PrivateKey) -> Vec<u8> {
    let (algorithm, ..) = identifiers(key.key_type());
    der::sequence(&[&algorithm, &der::bit_string(&key.public_bytes())])
}

/// A self-signed certificate of version 3, without extensions, from 2020 to 2049.
fn certificate(key: &PrivateKey, rng: &mut Rng) -> Vec<u8> {
    let (_, algorithm, signature_algorithm) = identifiers(key.key_type());
    let mut serial = [0; 8];
    rng.fill(&mut serial);
    // Positive, and of the same length whatever the seed.
    serial[0] = serial[0] & 0x3f | 0x40;
    let common_name = der::sequence(&[
        &der::object_identifier(&[2, 5, 4, 3]),
        &der::value(der::UTF8_STRING, b"jotmill test key"),
    ]);
    let name = der::sequence(&[&der::value(der::SET, &common_name)]);
    let validity = der::sequence(&[
        &der::value(der::UTC_TIME, b"200101000000Z"),
        &der::value(der::UTC_TIME, b"491231235959Z"),
    ]);
    let to_be_signed = der::sequence(&[
        &der::value(der::CONTEXT_0, &der::integer(&[2])),
        &der::integer(&serial),
        &signature_algorithm,
        &name,
        &validity,
        &name,
        &spki(key),
    ]);
    let mut signature = Vec::new();
    key.sign(algorithm, &to_be_signed, &mut signature, rng);
    if matches!(
        key.key_type(),
        KeyType::P256 | KeyType::P384 | KeyType::P521 | KeyType::Secp256k1
    ) {
        signature = ecdsa_der(&signature);
    }
    der::sequence(&[
        &to_be_signed,
        &signature_algorithm,
        &der::bit_string(&signature),
    ])
}

/// `r || s` as X.509 and TLS have it (RFC 3279 section 2.2.3), and JWS has not.
pub(super) fn ecdsa_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    der::sequence(&[&der::integer(r), &der::integer(s)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_by_their_names() {
        for form in KeyForm::ALL {
            assert_eq!(form.name().parse(), Ok(form));
        }
        assert!("pem".parse::<KeyForm>().is_err());
    }

    #[test]
    fn names_of_key_files_are_known_and_no_others() {
        for name in ["key-000.pem", "key-099.der", "key-12345.pem"] {
            assert!(KeyFile::has_name(name), "{name}");
        }
        for name in [
            "key-1.pem",
            "key-0001.pem",
            "key-+01.pem",
            "key-.pem",
            "key-001",
            "key-001.key",
            "key-001.pem.der",
            "Key-001.pem",
            "my-key-001.pem",
            "keys.json",
            "",
        ] {
            assert!(!KeyFile::has_name(name), "{name}");
        }
    }
}
