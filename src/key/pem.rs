//! Key files that are no JSON: PEM (RFC 7468) with any number of keys and certificates, or DER.
//!
//! Owns the text around the DER. A label is held against what it announces, and whatever stands
//! between the blocks is passed over, as RFC 7468 section 2 has it.

use zeroize::Zeroizing;

use super::der::{self, Fault, Found};

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";

/// Whether the text has a PEM block.
pub(crate) fn is_pem(text: &[u8]) -> bool {
    memchr::memmem::find(text, BEGIN.as_bytes()).is_some()
}

/// Reads every key and certificate of a PEM text, in order. What is wrong with one is told with the
/// line in which it begins.
///
/// A block ends at the latest where the next begins: one whose end line is missing takes no other
/// with it.
pub(crate) fn read(text: &[u8]) -> Vec<Result<Found, Fault>> {
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(begin) = memchr::memmem::find(rest, BEGIN.as_bytes()) {
        line += lines(&rest[..begin]);
        rest = &rest[begin..];
        let next = memchr::memmem::find(&rest[BEGIN.len()..], BEGIN.as_bytes());
        let next = next.map_or(rest.len(), |next| BEGIN.len() + next);
        let (block, after) = rest.split_at(next);
        let key = match end(block) {
            Some(end) => read_block(&block[..end]),
            None => Some(Err(Fault::new("a PEM block without an end line"))),
        };
        found.extend(key.map(|key| key.map_err(|fault| fault.in_line(line))));
        line += lines(block);
        rest = after;
    }
    found
}

/// How many lines end in the text.
fn lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Where the block that a text begins with ends, its end line included.
fn end(text: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(text, b"-----END ")?;
    let label = end + "-----END ".len();
    let dashes = memchr::memmem::find(&text[label..], DASHES.as_bytes())?;
    Some(label + dashes + DASHES.len())
}

/// Reads one block; `None` for one that is no key, as the parameters that OpenSSL writes in front
/// of a private key.
fn read_block(block: &[u8]) -> Option<Result<Found, Fault>> {
    let Ok((label, der)) = pem_rfc7468::decode_vec(block) else {
        return Some(Err(if is_encrypted(block) {
            der::encrypted()
        } else {
            Fault::new("not well-formed PEM (RFC 7468 section 3)")
        }));
    };
    let der = Zeroizing::new(der);
    Some(match label {
        "PUBLIC KEY" => der::public_key_info(&der),
        "RSA PUBLIC KEY" => der::rsa_public_key(&der),
        "CERTIFICATE" => der::certificate(&der),
        "PRIVATE KEY" => der::private_key_info(&der),
        "RSA PRIVATE KEY" => der::rsa_private_key(&der),
        "EC PRIVATE KEY" => der::ec_private_key(&der),
        "ENCRYPTED PRIVATE KEY" => Err(der::encrypted()),
        "EC PARAMETERS" => return None,
        "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => Err(Fault::new(
            "a certificate under a label of OpenSSL; write it under CERTIFICATE (RFC 7468 \
             section 5)",
        )),
        _ => Err(Fault::new(
            "a PEM block that is neither a key nor a certificate",
        )),
    })
}

/// Whether the block is encrypted in the way of RFC 1421, with headers.
fn is_encrypted(block: &[u8]) -> bool {
    memchr::memmem::find(block, b"ENCRYPTED").is_some()
}
