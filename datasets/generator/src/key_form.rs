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
    /// A file of its own: SubjectPublicKeyInfo in base64, without the lines of PEM.
    SpkiBase64,
    /// A file of its own: SubjectPublicKeyInfo in PEM, with `\n` in place of line ends.
    SpkiEscaped,
    /// A file of its own: SubjectPublicKeyInfo in PEM as the value of a variable, in quotes.
    SpkiVariable,
    /// A file of its own: SubjectPublicKeyInfo in PEM, in UTF-16.
    SpkiUtf16,
    /// A file of its own: an object of ids and certificates in PEM, so that the key has an id.
    PemById,
    /// A file of its own: an array of JWKs. The key has an id and may be bound to an algorithm.
    JwkArray,
    /// A file of its own: a JWK Set whose `keys` is an object of ids and JWKs, else as
    /// [`KeyForm::JwkArray`].
    JwkById,
}

impl KeyForm {
    /// Those that a standard describes or that providers publish.
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

    /// Forms that a key has after it went through other tools.
    pub const WRAPPED: [KeyForm; 7] = [
        KeyForm::SpkiBase64,
        KeyForm::SpkiEscaped,
        KeyForm::SpkiVariable,
        KeyForm::SpkiUtf16,
        KeyForm::PemById,
        KeyForm::JwkArray,
        KeyForm::JwkById,
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
            KeyForm::SpkiBase64 => "spki-base64",
            KeyForm::SpkiEscaped => "spki-escaped",
            KeyForm::SpkiVariable => "spki-variable",
            KeyForm::SpkiUtf16 => "spki-utf16",
            KeyForm::PemById => "pem-by-id",
            KeyForm::JwkArray => "jwk-array",
            KeyForm::JwkById => "jwk-by-id",
        }
    }

    /// Whether such a key is in a file of its own.
    pub(super) fn is_file(self) -> bool {
        !matches!(
            self,
            KeyForm::Jwk | KeyForm::PrivateJwk | KeyForm::X5cJwk | KeyForm::UnusualJwk
        )
    }
}

impl KeyForm {
    /// Whether such a key can have an id.
    pub(super) fn has_id(self) -> bool {
        self == KeyForm::PemById || self.has_alg()
    }

    /// Whether such a key can be bound to an algorithm.
    pub(super) fn has_alg(self) -> bool {
        matches!(self, KeyForm::JwkArray | KeyForm::JwkById) || !self.is_file()
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
        let known =
            (KeyForm::ALL.into_iter().chain(KeyForm::WRAPPED)).find(|form| form.name() == name);
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
    /// What is in it: its key in one of the forms.
    pub content: Vec<u8>,
}

impl KeyFile {
    /// Whether a file of a data set's key can have this name.
    pub fn has_name(name: &str) -> bool {
        let endings = [".pem", ".der", ".txt", ".json"];
        let stem = endings.iter().find_map(|ending| name.strip_suffix(ending));
        let number = stem.and_then(|stem| stem.strip_prefix("key-"));
        let is_number = |text: &str| {
            let number = text.parse::<u32>();
            number.is_ok_and(|number| format!("{number:03}") == text)
        };
        number.is_some_and(is_number)
    }

    /// The file of the key with this number. `id_json` is its id as a JSON string, if it has one.
    pub(super) fn new(
        number: u32,
        form: KeyForm,
        id_json: &[u8],
        key: &PrivateKey,
        rng: &mut Rng,
    ) -> KeyFile {
        let pem = || der::pem("PUBLIC KEY", &spki(key));
        let is_rsa = matches!(key.key_type(), KeyType::Rsa(_));
        let (extension, content) = match form {
            KeyForm::SpkiDer => ("der", spki(key)),
            KeyForm::Pkcs1 if is_rsa => ("pem", der::pem("RSA PUBLIC KEY", &key.public_bytes())),
            KeyForm::Certificate => ("pem", der::pem("CERTIFICATE", &certificate(key, rng))),
            KeyForm::CertificateDer => ("der", certificate(key, rng)),
            KeyForm::SpkiBase64 => {
                let base64 = base64_simd::STANDARD.encode_to_string(spki(key));
                ("txt", base64.into_bytes())
            }
            KeyForm::SpkiEscaped => ("txt", escaped(&pem())),
            KeyForm::SpkiVariable => {
                let value = escaped(&pem());
                ("txt", [b"JWT_KEY=\"", &value[..], b"\"\n"].concat())
            }
            // A byte order mark, then the text, which is ASCII.
            KeyForm::SpkiUtf16 => {
                let units = pem().into_iter().flat_map(|byte| [byte, 0]);
                ("txt", [0xff, 0xfe].into_iter().chain(units).collect())
            }
            KeyForm::PemById => {
                let pem = escaped(&der::pem("CERTIFICATE", &certificate(key, rng)));
                ("json", [b"{", id_json, b": \"", &pem, b"\"}\n"].concat())
            }
            _ => ("pem", pem()),
        };
        KeyFile {
            name: format!("key-{number:03}.{extension}"),
            content,
        }
    }
}

impl KeyFile {
    /// The file of a JWK in one of the shapes that sets have.
    pub(super) fn of_jwk(number: u32, form: KeyForm, id_json: &[u8], jwk: &[u8]) -> KeyFile {
        let content = match form {
            KeyForm::JwkById => [b"{\"keys\": {", id_json, b": ", jwk, b"}}\n"].concat(),
            _ => [b"[", jwk, b"]\n"].concat(),
        };
        KeyFile {
            name: format!("key-{number:03}.json"),
            content,
        }
    }
}

/// Text with its line ends escaped.
fn escaped(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    lines.join(&b"\\n"[..])
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
        for form in KeyForm::ALL.into_iter().chain(KeyForm::WRAPPED) {
            assert_eq!(form.name().parse(), Ok(form));
        }
        assert!("pem".parse::<KeyForm>().is_err());
    }

    #[test]
    fn names_of_key_files_are_known_and_no_others() {
        for name in [
            "key-000.pem",
            "key-099.der",
            "key-12345.pem",
            "key-001.txt",
            "key-001.json",
        ] {
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
