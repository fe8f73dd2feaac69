//! A key file of any form: detects the form and calls its reader.

use super::certificate;
use super::der;
use super::fault::Fault;
use super::jwk;
use super::parsed::{Certified, KeyEntry, KeyFile};
use super::pem;
use crate::error::KeyError;

/// Reads the keys of a file that is JSON, PEM or DER.
///
/// # Errors
/// [`KeyError`] for a file of another form, and for JSON that is neither a JWK nor a JWK Set.
pub(super) fn read(file: &[u8], origin: &str) -> Result<KeyFile, KeyError> {
    let text = jwk::without_bom(file).trim_ascii_start();
    let keys = if text.starts_with(b"{") {
        return jwk::read(file, origin);
    } else if is_der(file) {
        vec![read_der(file)]
    } else if pem::is_pem(text) {
        pem::read(file)
    } else if file.first() == Some(&SEQUENCE) {
        vec![KeyEntry::from_der(Err(Fault::new("not DER")), None)]
    } else {
        return Err(KeyError {
            origin: origin.to_owned(),
            problem: "neither PEM, DER nor a JWK Set; a public key in PEM begins with \
                      -----BEGIN PUBLIC KEY-----"
                .to_owned(),
        });
    };
    let is_set = keys.len() > 1;
    Ok(KeyFile { keys, is_set })
}

/// Whether a file is one sequence in DER from its first byte to its last. Then it is nothing else: a
/// comment inside it may be the PEM of another key.
fn is_der(file: &[u8]) -> bool {
    let is_whole = der::first(file).is_some_and(|(_, rest)| rest.is_empty());
    file.first() == Some(&SEQUENCE) && is_whole
}

// The tags of ASN.1 types in DER (X.690 section 8).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Reads whatever key or certificate the DER is.
fn read_der(der: &[u8]) -> KeyEntry {
    let elements = der::elements(der).unwrap_or_default();
    let tags = elements.into_iter().map(|element| element.first().copied());
    // The structures differ in their first elements, so that no bytes are two of them.
    let key = match tags.collect::<Option<Vec<u8>>>().as_deref() {
        Some([SEQUENCE, BIT_STRING]) => der::public_key_info(der),
        Some([SEQUENCE, SEQUENCE, BIT_STRING]) => certificate::read(der),
        Some([INTEGER, INTEGER]) => der::rsa_public_key(der),
        Some([INTEGER, SEQUENCE, OCTET_STRING, ..]) => der::private_key_info(der),
        Some([INTEGER, OCTET_STRING, ..]) => der::ec_private_key(der),
        Some([INTEGER, INTEGER, INTEGER, ..]) => der::rsa_private_key(der),
        Some([SEQUENCE, OCTET_STRING]) => Err(der::encrypted()),
        _ => Err(Fault::new(
            "neither a public key, a private key nor a certificate in DER",
        )),
    };
    let certified = certificate::names(der).map(|names| Certified { names, line: None });
    KeyEntry::from_der(key, certified)
}
