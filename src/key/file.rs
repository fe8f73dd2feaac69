//! A key file of any form: detects the form and calls its reader.

use super::certificate;
use super::der;
use super::fault::Fault;
use super::jwk;
use super::parsed::{DerKey, KeyEntry, KeyFile, ParsedKey};
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
    } else if pem::is_pem(text) {
        pem::read(file)
    } else if file.first() == Some(&SEQUENCE) {
        vec![read_der(file)]
    } else {
        return Err(KeyError {
            origin: origin.to_owned(),
            problem: "neither PEM, DER nor a JWK Set; a public key in PEM begins with \
                      -----BEGIN PUBLIC KEY-----"
                .to_owned(),
        });
    };
    let is_set = keys.len() > 1;
    let entry = |key| KeyEntry {
        id: None,
        key: ParsedKey::from_der(key),
    };
    let keys = keys.into_iter().map(entry).collect();
    Ok(KeyFile { keys, is_set })
}

// The tags of ASN.1 types in DER (X.690 section 8).
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// Reads whatever key or certificate the DER is.
fn read_der(der: &[u8]) -> Result<DerKey, Fault> {
    let elements = der::elements(der).map_err(|_| Fault::new("not DER"))?;
    let tags = elements.into_iter().map(|element| element.first().copied());
    // The structures differ in their first elements, so that no bytes are two of them.
    match tags.collect::<Option<Vec<u8>>>().as_deref() {
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
    }
}
