//! PEM (RFC 7468) with any number of keys and certificates.
//!
//! Owns the text around the DER. The label of a block decides how its DER is read, and text between
//! the blocks is ignored (RFC 7468 section 2).

use zeroize::Zeroizing;

use super::fault::Fault;
use super::foreign;
use super::parsed::{Certified, DerKey, KeyEntry};
use super::structure::{self, Container, Structure};
use crate::signature::AlgorithmSet;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// Whether this is text that has a PEM block.
pub(crate) fn is_pem(text: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !byte.is_ascii_whitespace() && *byte != b'\x0b';
    memchr::memmem::find(text, BEGIN.as_bytes()).is_some() && !text.iter().any(is_control)
}

/// Reads every key and certificate of a PEM text, in order. A fault has the line in which its block
/// begins.
///
/// A block without an end line ends where the next one begins, so that it spoils no other.
pub(crate) fn read(text: &[u8]) -> Vec<KeyEntry> {
    let entry = |(line, block): (usize, Result<&[u8], Fault>)| {
        let (key, certificate) = match block {
            Ok(block) => read_block(block, line)?,
            Err(fault) => (Err(fault), None),
        };
        let entry = KeyEntry::from_der(key.map_err(|fault| fault.in_line(line)));
        Some(match certificate {
            Some((certified, mut der)) => entry.certified(certified, std::mem::take(&mut der)),
            None => entry,
        })
    };
    blocks(text).filter_map(entry).collect()
}

/// The blocks of a text, up to the end of their end lines, each with the line in which it begins.
fn blocks(text: &[u8]) -> impl Iterator<Item = (usize, Result<&[u8], Fault>)> {
    let (mut rest, mut line) = (text, 1);
    std::iter::from_fn(move || {
        let begin = memchr::memmem::find(rest, BEGIN.as_bytes())?;
        line += lines(&rest[..begin]);
        rest = &rest[begin..];
        let next = memchr::memmem::find(&rest[BEGIN.len()..], BEGIN.as_bytes());
        let next = next.map_or(rest.len(), |next| BEGIN.len() + next);
        let (block, after) = rest.split_at(next);
        let first_line = line;
        line += lines(block);
        rest = after;
        let ended = end(block).ok_or_else(|| Fault::new("a PEM block without an end line"));
        Some((first_line, ended.map(|end| &block[..end])))
    })
}

/// How many lines end in the text.
fn lines(text: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', text).count()
}

/// Where the block at the start of a text ends, after its end line.
fn end(text: &[u8]) -> Option<usize> {
    let end = memchr::memmem::find(text, END.as_bytes())?;
    let label = end + END.len();
    let dashes = memchr::memmem::find(&text[label..], DASHES.as_bytes())?;
    Some(label + dashes + DASHES.len())
}

/// What is known of a certificate, and its DER.
type Certificate = (Certified, Zeroizing<Vec<u8>>);

/// Reads one block; `None` for one that is no key, such as the parameters that OpenSSL writes in
/// front of a private key.
fn read_block(block: &[u8], line: usize) -> Option<(Result<DerKey, Fault>, Option<Certificate>)> {
    let block = match rewrapped(block) {
        Ok(block) => block,
        Err(fault) => return Some((Err(fault), None)),
    };
    let (label, der) = match pem_rfc7468::decode_vec(&block) {
        Ok((label, der)) => (label, Zeroizing::new(der)),
        Err(error) => return Some((Err(ill_formed(error)), None)),
    };
    let key = match (Structure::labelled(label), Structure::of(&der)) {
        _ if label == "EC PARAMETERS" => return None,
        (Some(_), _) if label == "X509 CERTIFICATE" => Err(Fault::new(
            "a certificate under an old label of OpenSSL; write it under CERTIFICATE (RFC 7468 \
             section 5)",
        )
        .with_command("sed 's/X509 CERTIFICATE-----/CERTIFICATE-----/' FILE > FILE.pem")),
        (Some(labelled), Some(is)) if labelled != is => Err(structure::mislabelled(label, is)),
        (Some(labelled), _) => labelled.read(&der, Container::Pem),
        (None, _) if label == "OPENSSH PRIVATE KEY" => Err(foreign::openssh_private(&der)),
        (None, _) => Err(
            Fault::new("a PEM block that is neither a key nor a certificate").fitting(
                // It may be a key in a form of its own.
                match label.contains("KEY") {
                    true => AlgorithmSet::ALL,
                    false => AlgorithmSet::EMPTY,
                },
            ),
        ),
    };
    // A certificate under a label of OpenSSL cannot be used as a key, but names its issuer too.
    let certified = if label.ends_with("CERTIFICATE") {
        Certified::new(&der, Some(line))
    } else {
        None
    };
    Some((key, certified.map(|certified| (certified, der))))
}

/// The block with its base64 in lines of 64 characters and without other white space. RFC 7468
/// (section 2; figure 2 in section 3) allows any white space, but the decoder does not.
fn rewrapped(block: &[u8]) -> Result<Zeroizing<Vec<u8>>, Fault> {
    // A colon occurs only in the headers of RFC 1421, which say how a key is encrypted.
    if block.contains(&b':') {
        let is_encrypted = memchr::memmem::find(block, b"ENCRYPTED").is_some();
        return Err(if is_encrypted {
            structure::encrypted(Container::Pem)
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
    // Reserved in full, since a growing vector would leave parts of a private key unwiped.
    let mut text = Zeroizing::new(Vec::with_capacity(block.len() + base64.len() / 64 + 2));
    text.extend_from_slice(first);
    for (at, byte) in base64_of(base64).enumerate() {
        if at % 64 == 0 {
            text.push(b'\n');
        }
        text.push(byte);
    }
    text.push(b'\n');
    text.extend_from_slice(last);
    Ok(text)
}

/// The base64 of a block, without white space. That may be escaped, as JSON, .env files and source
/// code have it, since base64 has no backslash.
fn base64_of(mut text: &[u8]) -> impl Iterator<Item = u8> {
    std::iter::from_fn(move || {
        loop {
            let (&byte, rest) = text.split_first()?;
            text = rest;
            match byte {
                b' ' | b'\t'..=b'\r' => {}
                b'\\' => match rest {
                    [b'\\', ..] => {}
                    [b'n' | b'r' | b't' | b'\n' | b'\r', rest @ ..] => text = rest,
                    _ => return Some(byte),
                },
                _ => return Some(byte),
            }
        }
    })
}

/// Why a block is no PEM.
fn ill_formed(error: pem_rfc7468::Error) -> Fault {
    use pem_rfc7468::Error;
    let why = match error {
        Error::HeaderDisallowed => "it has headers (RFC 1421)",
        Error::Base64(_) | Error::Length => {
            "the text between its first and its last line is not base64"
        }
        Error::PostEncapsulationBoundary => "its last line has another label than its first",
        _ => "its first line has no well-formed label",
    };
    Fault::new(format!("not well-formed PEM (RFC 7468 section 3): {why}"))
}
