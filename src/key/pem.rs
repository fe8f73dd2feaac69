//! Key files that are no JSON: PEM (RFC 7468) with any number of keys and certificates, or DER.
//!
//! Owns the text around the DER, and what the blocks of a file say of each other. A label is held
//! against what it announces, and whatever stands between the blocks is passed over, as RFC 7468
//! section 2 has it.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::certificate::{self, Names};
use super::der::{self, Fault, Found};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
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
///
/// A certificate that issued another of the file is a fault. Files of a certificate and its chain
/// are what servers have, and who issues certificates does not sign tokens: as a key it would make
/// valid what nobody meant to trust.
pub(crate) fn read(text: &[u8]) -> Vec<Result<Found, Fault>> {
    let blocks = blocks(text);
    // Who issued a certificate for itself has issued no other by that: two of the same name, as a
    // signer has whose key was replaced, are two keys.
    let issuers: HashSet<&[u8]> = (blocks.iter())
        .filter_map(|block| block.names.as_ref())
        .filter(|names| names.issuer != names.subject)
        .map(|names| &names.issuer[..])
        .collect();
    let issued: Vec<bool> = (blocks.iter())
        .map(|block| block.names.as_ref())
        .map(|names| names.is_some_and(|names| issuers.contains(&names.subject[..])))
        .collect();
    let keys = blocks.into_iter().zip(issued);
    keys.map(|(block, has_issued)| {
        let key = match block.key {
            Ok(_) if has_issued => Err(Fault::new(
                "it issued another certificate of the file, so it signs certificates and not \
                 tokens; to trust its key, give it in a file of its own",
            )),
            key => key,
        };
        key.map_err(|fault| fault.in_line(block.line))
    })
    .collect()
}

/// What a block holds.
struct Block {
    /// The line in which it begins.
    line: usize,
    key: Result<Found, Fault>,
    /// Of a certificate, its names.
    names: Option<Names>,
}

/// Every block of a PEM text that should be a key or a certificate.
fn blocks(text: &[u8]) -> Vec<Block> {
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
            None => Some((Err(Fault::new("a PEM block without an end line")), None)),
        };
        found.extend(key.map(|(key, names)| Block { line, key, names }));
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
    let end = memchr::memmem::find(text, END.as_bytes())?;
    let label = end + END.len();
    let dashes = memchr::memmem::find(&text[label..], DASHES.as_bytes())?;
    Some(label + dashes + DASHES.len())
}

/// Reads one block; `None` for one that is no key, as the parameters that OpenSSL writes in front
/// of a private key.
fn read_block(block: &[u8]) -> Option<(Result<Found, Fault>, Option<Names>)> {
    let laid_out = match laid_out(block) {
        Ok(laid_out) => laid_out,
        Err(fault) => return Some((Err(fault), None)),
    };
    let (label, der) = match pem_rfc7468::decode_vec(&laid_out) {
        Ok((label, der)) => (label, Zeroizing::new(der)),
        Err(error) => return Some((Err(ill_formed(error)), None)),
    };
    let key = match label {
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
    };
    // Under the labels of OpenSSL too: what cannot be used as a key tells of its issuer all the same.
    let names = if label.ends_with("CERTIFICATE") {
        certificate::names(&der)
    } else {
        None
    };
    Some((key, names))
}

/// The block with its base64 in lines of 64 characters and without other white space. Parsers are
/// to pass over that (RFC 7468 section 2; figure 2 in section 3), and the decoder does not.
fn laid_out(block: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // There is no colon in PEM but in the headers of RFC 1421, which tell how a key is encrypted.
    if block.contains(&b':') {
        let is_encrypted = memchr::memmem::find(block, b"ENCRYPTED").is_some();
        return Err(if is_encrypted {
            der::encrypted()
        } else {
            ill_formed(pem_rfc7468::Error::HeaderDisallowed)
        });
    }
    let parts = || {
        let label = memchr::memmem::find(&block[BEGIN.len()..], DASHES.as_bytes())?;
        let (first, rest) = block.split_at(BEGIN.len() + label + DASHES.len());
        let (base64, last) = rest.split_at(memchr::memmem::find(rest, END.as_bytes())?);
        Some((first, base64, last))
    };
    let (first, base64, last) =
        parts().ok_or_else(|| ill_formed(pem_rfc7468::Error::PreEncapsulationBoundary))?;
    // It may be a private key, of which a text that outgrows its place would leave a part behind.
    let mut text = Zeroizing::new(Vec::with_capacity(block.len() + base64.len() / 64 + 2));
    text.extend_from_slice(first);
    let is_white_space = |byte: &&u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let base64 = base64.iter().filter(|byte| !is_white_space(byte));
    for (at, byte) in base64.enumerate() {
        if at % 64 == 0 {
            text.push(b'\n');
        }
        text.push(*byte);
    }
    text.push(b'\n');
    text.extend_from_slice(last);
    Ok(text)
}

/// Why a block is no PEM.
fn ill_formed(error: pem_rfc7468::Error) -> Fault {
    use pem_rfc7468::Error;
    let why = match error {
        Error::HeaderDisallowed => "it has headers (RFC 1421)",
        Error::Base64(_) | Error::Length => {
            "what stands between its first and its last line is not base64"
        }
        Error::PostEncapsulationBoundary => "its last line has another label than its first",
        _ => "its first line has no well-formed label",
    };
    Fault::new(format!("not well-formed PEM (RFC 7468 section 3): {why}"))
}
