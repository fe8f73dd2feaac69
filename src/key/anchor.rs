//! Anchors: certificates of authorities that the caller trusts to vouch for keys in tokens.
//!
//! Owns what an anchor has to be, and the names that its leaf certificates may have. The forms of
//! its file are left to `file.rs`, and chains of certificates to `crate::anchor`.

use rustls_pki_types::CertificateDer;
use webpki::anchor_from_trusted_cert;

use super::certificate;
use super::der;
use super::fault::Fault;
use super::parsed::{self, Certificate};
use super::validity::Validity;
use crate::signature::PublicKey;

/// The certificate of an authority, and the names of which its leaves must have one.
pub(crate) struct Anchor {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) validity: Validity,
    names: Vec<Name>,
}

/// The type of a name in a certificate. Names of different types never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameType {
    /// The subject as RFC 4514 writes it, the most specific attribute first.
    Subject,
    Uri,
    Email,
    Dns,
}

struct Name {
    text: String,
    kind: NameType,
}

impl Anchor {
    /// The anchor of a certificate, and its key.
    pub(super) fn new(der: Vec<u8>, names: &[&str]) -> Result<(Self, PublicKey), Fault> {
        let key = certificate::read(&der)?;
        let Certificate::Valid(validity) = key.certificate else {
            return Err(Fault::new("the dates of the certificate cannot be read"));
        };
        if !certificate::may_issue(&der) {
            return Err(Fault::new(
                "it may not issue certificates, by its basicConstraints or keyUsage; an anchor is \
                 the certificate of an authority, and one that signs tokens itself is a key",
            ));
        }
        let certificate = CertificateDer::from(der);
        if anchor_from_trusted_cert(&certificate).is_err() {
            return Err(Fault::new(
                "not a certificate of RFC 5280 that can be an anchor",
            ));
        }
        let names = names.iter().map(|name| Name::new(name));
        let anchor = Self {
            names: names.collect::<Result<_, _>>()?,
            certificate,
            validity,
        };
        if anchor.names.is_empty() {
            return Err(Fault::new(
                "no name is given that the certificates of its signers have",
            ));
        }
        let key = parsed::checked(key.material).map_err(|fault| fault.with_member(None))?;
        Ok((anchor, key))
    }

    /// The certificate of a key, if it may issue others. It vouches for no key of a token: no leaf has
    /// a name that belongs to it.
    pub(super) fn of_key(der: &[u8]) -> Option<Self> {
        // OpenSSL writes trust settings behind a certificate.
        let (der, _) = der::first(der)?;
        let certificate = CertificateDer::from(der.to_vec());
        let can_issue =
            certificate::may_issue(der) && anchor_from_trusted_cert(&certificate).is_ok();
        can_issue.then_some(())?;
        Some(Self {
            validity: Validity::of_certificate(der)?,
            names: Vec::new(),
            certificate,
        })
    }

    /// The names of its leaves.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &*name.text)
    }

    /// Whether a leaf with this name is one of its own: the same bytes, of the same type.
    pub(crate) fn has_name(&self, kind: NameType, text: &str) -> bool {
        (self.names.iter()).any(|name| name.kind == kind && name.text == text)
    }
}

impl Name {
    /// A name, whose form says its type.
    fn new(text: &str) -> Result<Self, Fault> {
        if text.is_empty() {
            return Err(Fault::new("a name of its signers is empty"));
        }
        let kind = NameType::of(text);
        if kind == NameType::Dns && text.contains('*') {
            return Err(Fault::new(
                "a name of its signers has a *; names are compared as they are, so give each in full",
            ));
        }
        let text = text.to_owned();
        Ok(Self { text, kind })
    }
}

impl NameType {
    /// `CN=…` is a subject, `scheme:…` a URI, and what else has an @ an email address.
    fn of(text: &str) -> Self {
        let before = |mark: char| text.split_once(mark).map(|(before, _)| before);
        let is_word = |word: &str, more: &[char]| {
            !word.is_empty()
                && (word.chars()).all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
        };
        if before('=').is_some_and(|word| is_word(word, &['.'])) {
            Self::Subject
        } else if before(':').is_some_and(|word| is_word(word, &['.', '+', '-'])) {
            Self::Uri
        } else if text.contains('@') {
            Self::Email
        } else {
            Self::Dns
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_name_says_its_type() {
        for (text, kind) in [
            ("CN=leaf", NameType::Subject),
            ("CN=a@b,O=x:y", NameType::Subject),
            ("1.2.3=#0401", NameType::Subject),
            ("spiffe://example.org/a?b=c", NameType::Uri),
            ("urn:uuid:1", NameType::Uri),
            ("signer@example.com", NameType::Email),
            ("signer.example.com", NameType::Dns),
        ] {
            assert_eq!(NameType::of(text), kind, "{text}");
        }
        assert!(Name::new("*.example.com").is_err() && Name::new("").is_err());
    }
}
