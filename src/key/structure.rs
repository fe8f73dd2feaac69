//! Which structure some DER is, by the types of its elements.
//!
//! Owns the list of structures that hold keys, the PEM label of each, and what is done with it: keys
//! and certificates are read, the others are named with the command that converts them.

use super::certificate;
use super::der;
use super::fault::Fault;
use super::parsed::DerKey;
use crate::signature::AlgorithmSet;

/// A structure of X.509, PKCS or SEC 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structure {
    PublicKeyInfo,
    RsaPublicKey,
    Certificate,
    PrivateKeyInfo,
    RsaPrivateKey,
    EcPrivateKey,
    EncryptedPrivateKey,
    /// A certificate with trust settings of OpenSSL behind it.
    TrustedCertificate,
    CertificateRequest,
    RevocationList,
    Pkcs7,
    Pkcs12,
}

// Tags of ASN.1 types in DER (X.690 section 8).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// The context-specific tag of attributes (RFC 2986 section 4.1) and of contents (RFC 5652 section 3).
const FIRST_OF_CONTEXT: u8 = 0xa0;

/// The start of every content type of PKCS #7 (RFC 2315 section 14), with its tag and length.
const PKCS7_CONTENT: [u8; 10] = [
    OBJECT_IDENTIFIER,
    9,
    0x2a,
    0x86,
    0x48,
    0x86,
    0xf7,
    0x0d,
    1,
    7,
];

impl Structure {
    /// The structure of some DER; `None` for any other. The structures differ in their first
    /// elements, so that no bytes are two of them.
    pub(super) fn of(der: &[u8]) -> Option<Self> {
        let (whole, rest) = der::first(der)?;
        if !rest.is_empty() {
            let is_certificate = Self::of(whole) == Some(Self::Certificate);
            let is_alone = der::first(rest).is_some_and(|(_, rest)| rest.is_empty());
            return (is_certificate && is_alone).then_some(Self::TrustedCertificate);
        }
        let elements = der::elements(der)?;
        let tags = tags(&elements);
        let is_pkcs7 = |element: &&[u8]| element.starts_with(&PKCS7_CONTENT);
        Some(match &tags[..] {
            [SEQUENCE, BIT_STRING] => Self::PublicKeyInfo,
            [SEQUENCE, SEQUENCE, BIT_STRING] => Self::signed(elements[0])?,
            [INTEGER, INTEGER] => Self::RsaPublicKey,
            [INTEGER, SEQUENCE, OCTET_STRING, ..] => Self::PrivateKeyInfo,
            [INTEGER, OCTET_STRING, ..] => Self::EcPrivateKey,
            [INTEGER, INTEGER, INTEGER, ..] => Self::RsaPrivateKey,
            [SEQUENCE, OCTET_STRING] => Self::EncryptedPrivateKey,
            [OBJECT_IDENTIFIER, FIRST_OF_CONTEXT] if is_pkcs7(&elements[0]) => Self::Pkcs7,
            [INTEGER, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE] => {
                let content = der::elements(elements[1])?;
                content
                    .first()
                    .is_some_and(is_pkcs7)
                    .then_some(Self::Pkcs12)?
            }
            _ => return None,
        })
    }

    /// What is signed: a certificate, a request for one (RFC 2986) or a revocation list (RFC 5280
    /// section 5.1).
    fn signed(content: &[u8]) -> Option<Self> {
        let members = der::elements(content)?;
        let is_time = |tag: Option<&u8>| matches!(tag, Some(&UTC_TIME | &GENERALIZED_TIME));
        let tags = tags(&members);
        Some(match &tags[..] {
            [INTEGER, SEQUENCE, SEQUENCE] | [INTEGER, SEQUENCE, SEQUENCE, FIRST_OF_CONTEXT] => {
                Self::CertificateRequest
            }
            // The version is optional.
            [INTEGER, SEQUENCE, SEQUENCE, ..] if is_time(tags.get(3)) => Self::RevocationList,
            [SEQUENCE, SEQUENCE, ..] if is_time(tags.get(2)) => Self::RevocationList,
            _ => Self::Certificate,
        })
    }

    /// Whether a file in BER is one of these structures: PKCS #12 and PKCS #7 need not be DER.
    pub(super) fn of_ber(file: &[u8]) -> Option<Self> {
        const INDEFINITE: [u8; 2] = [SEQUENCE, 0x80];
        let content = file.strip_prefix(&INDEFINITE)?;
        if content.starts_with(&PKCS7_CONTENT) {
            Some(Self::Pkcs7)
        } else {
            // The version of PKCS #12 (RFC 7292 section 4).
            content
                .starts_with(&[INTEGER, 1, 3])
                .then_some(Self::Pkcs12)
        }
    }

    /// The structure that a PEM label stands for (RFC 7468 sections 5 to 13, and OpenSSL's own).
    pub(super) fn labelled(label: &str) -> Option<Self> {
        Some(match label {
            "PUBLIC KEY" => Self::PublicKeyInfo,
            "RSA PUBLIC KEY" => Self::RsaPublicKey,
            "CERTIFICATE" | "X509 CERTIFICATE" => Self::Certificate,
            "TRUSTED CERTIFICATE" => Self::TrustedCertificate,
            "PRIVATE KEY" => Self::PrivateKeyInfo,
            "RSA PRIVATE KEY" => Self::RsaPrivateKey,
            "EC PRIVATE KEY" => Self::EcPrivateKey,
            "ENCRYPTED PRIVATE KEY" => Self::EncryptedPrivateKey,
            "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            "X509 CRL" => Self::RevocationList,
            "PKCS7" => Self::Pkcs7,
            _ => return None,
        })
    }

    /// Its label, and how it is called in messages.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::PublicKeyInfo => ("PUBLIC KEY", "a SubjectPublicKeyInfo"),
            Self::RsaPublicKey => ("RSA PUBLIC KEY", "an RSAPublicKey"),
            Self::Certificate => ("CERTIFICATE", "a certificate"),
            Self::PrivateKeyInfo => ("PRIVATE KEY", "a private key in PKCS #8"),
            Self::RsaPrivateKey => ("RSA PRIVATE KEY", "an RSAPrivateKey"),
            Self::EcPrivateKey => ("EC PRIVATE KEY", "an ECPrivateKey"),
            Self::EncryptedPrivateKey => ("ENCRYPTED PRIVATE KEY", "an encrypted private key"),
            Self::TrustedCertificate => (
                "TRUSTED CERTIFICATE",
                "a certificate with trust settings of OpenSSL behind it",
            ),
            Self::CertificateRequest => ("CERTIFICATE REQUEST", "a certificate request (CSR)"),
            Self::RevocationList => ("X509 CRL", "a certificate revocation list"),
            Self::Pkcs7 => ("PKCS7", "PKCS #7"),
            Self::Pkcs12 => ("PKCS12", "PKCS #12"),
        }
    }

    /// Reads the key, or says how to get one out of it.
    pub(super) fn read(self, der: &[u8], container: Container) -> Result<DerKey, Fault> {
        let (what, command) = match self {
            Self::PublicKeyInfo => return der::public_key_info(der),
            Self::RsaPublicKey => return der::rsa_public_key(der),
            Self::Certificate => return certificate::read(der),
            Self::PrivateKeyInfo => return der::private_key_info(der),
            Self::RsaPrivateKey => return der::rsa_private_key(der),
            Self::EcPrivateKey => return der::ec_private_key(der),
            Self::EncryptedPrivateKey => return Err(encrypted(container)),
            Self::TrustedCertificate => ("a certificate with trust settings of OpenSSL", "x509"),
            Self::CertificateRequest => {
                let why = "a certificate request (CSR), whose key no one has certified";
                return Err(
                    Fault::new(why).with_key_command(container.openssl("req -pubkey -noout"))
                );
            }
            Self::RevocationList => {
                let why = "a certificate revocation list, which holds no key";
                return Err(Fault::new(why).fitting(AlgorithmSet::EMPTY));
            }
            Self::Pkcs7 => ("certificates in PKCS #7", "pkcs7 -print_certs"),
            Self::Pkcs12 => {
                let why = "a key store in PKCS #12; take its certificates out (an old store needs \
                           -legacy as well)";
                let command = "openssl pkcs12 -in FILE -nokeys -out FILE.pem";
                return Err(Fault::new(why).with_command(command));
            }
        };
        Err(Fault::new(what).with_command(container.openssl(command)))
    }
}

/// How the DER is kept, which OpenSSL has to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    Pem,
    Der,
}

impl Container {
    fn openssl(self, command: &str) -> String {
        let form = match self {
            Self::Pem => "",
            Self::Der => "-inform DER ",
        };
        format!("openssl {command} {form}-in FILE -out FILE.pem")
    }
}

/// An encrypted private key, in PKCS #8 or the form of RFC 1421.
pub(super) fn encrypted(container: Container) -> Fault {
    let why = "an encrypted private key; give the public key, or a certificate";
    Fault::new(why).with_key_command(container.openssl("pkey -pubout"))
}

/// Why a PEM block is not read whose label is that of another structure than its DER.
pub(super) fn mislabelled(label: &str, is: Structure) -> Fault {
    let (right, what) = is.names();
    let why = format!("labelled {label}, but it is {what}, which is labelled {right}");
    let command = format!("sed 's/{label}-----/{right}-----/' FILE > FILE.pem");
    match is {
        // What is converted is not relabelled first.
        Structure::TrustedCertificate => {
            Fault::new(why).with_command(Container::Pem.openssl("x509"))
        }
        // OpenSSL reads it in DER alone.
        Structure::Pkcs12 => {
            Fault::new(why).with_command("grep -v -e ----- FILE | base64 -d > FILE.p12")
        }
        _ => Fault::new(why).with_command(command),
    }
}

fn tags(elements: &[&[u8]]) -> Vec<u8> {
    let tags = elements.iter().filter_map(|element| element.first());
    tags.copied().collect()
}
