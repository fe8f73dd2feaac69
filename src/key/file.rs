//! A key file of any form: detects the form and calls its reader.
//!
//! Every key option takes the same forms, and that for anchors the certificates in them. A file that is one whole element of DER is DER and nothing
//! else: a comment inside it may be the PEM of another key. PEM is looked for only in text. What is
//! none of the forms is named (`foreign.rs`), and never guessed at.

use super::der;
use super::document;
use super::fault::{Fault, NO_ANCHOR};
use super::foreign;
use super::parsed::{Certified, KeyEntry, KeyFile};
use super::pem;
use super::structure::{Container, Structure};
use super::text::{self, Layer, without_bom};
use crate::error::KeyError;

/// How many layers a text may have, such as base64 in quotes. UTF-16 around them is none of them, so
/// that it changes no result; its own depth is bounded, since each layer halves the text.
const MAX_LAYERS: usize = 3;

/// Reads the keys of a file.
///
/// # Errors
/// [`KeyError`] for a file that holds no key in any of the forms, with the way to get one.
pub(super) fn read(file: &[u8], origin: &str) -> Result<KeyFile, KeyError> {
    read_layers(file, origin, Wanted::Keys, &mut Vec::new())
}

/// Reads the certificates of a file that holds nothing else, each in DER.
///
/// # Errors
/// [`KeyError`] for a file in which anything is no certificate or a broken one.
pub(super) fn certificates(file: &[u8], origin: &str) -> Result<Vec<Vec<u8>>, KeyError> {
    let file = read_layers(file, origin, Wanted::Certificates, &mut Vec::new())?;
    let error = |problem| KeyError {
        origin: origin.to_owned(),
        problem,
    };
    let certificate = |entry: KeyEntry| match (entry.key, entry.der) {
        (Err(fault), _) => Err(error(fault.problem())),
        (Ok(_), Some(der)) => Ok(der),
        (Ok(key), None) => {
            let what = if key.is_private { "private" } else { "public" };
            Err(error(format!("it has a {what} key; {NO_ANCHOR}")))
        }
    };
    let certificates: Vec<_> =
        (file.keys.into_iter().map(certificate)).collect::<Result<_, _>>()?;
    match certificates.is_empty() {
        true => Err(error(format!("it has no certificate; {NO_ANCHOR}"))),
        false => Ok(certificates),
    }
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Keys,
    Certificates,
}

fn read_layers(
    file: &[u8],
    origin: &str,
    wanted: Wanted,
    layers: &mut Vec<Layer>,
) -> Result<KeyFile, KeyError> {
    let error = |problem: String| KeyError {
        origin: origin.to_owned(),
        problem,
    };
    let text = without_bom(file).trim_ascii_start();
    let keys = if is_der(file) {
        vec![read_der(file)]
    } else if let Some((layer, inner)) = text::unwrap(file)
        && (layer == Layer::Utf16 || depth(layers) < MAX_LAYERS)
    {
        layers.push(layer);
        return read_layers(&inner, origin, wanted, layers);
    } else if matches!(text, [b'{' | b'[', ..]) {
        let keys = document::read(file, origin);
        let has_certificate = |file: &KeyFile| file.keys.iter().any(|key| key.der.is_some());
        if wanted == Wanted::Certificates && !keys.as_ref().is_ok_and(has_certificate) {
            return Err(error(format!("JSON without a certificate; {NO_ANCHOR}")));
        }
        return keys.map(|file| completed(file, origin, wanted, layers));
    } else if pem::is_pem(text) {
        pem::read(file)
    } else if file.first() == Some(&SEQUENCE) && !text.is_ascii() {
        vec![KeyEntry::from_der(Err(not_der(file)))]
    } else {
        let fault = foreign::binary(file).unwrap_or_else(|| foreign::text(text));
        return Err(error(complete(fault, origin, wanted, layers).problem()));
    };
    let is_set = keys.len() > 1;
    Ok(completed(KeyFile { keys, is_set }, origin, wanted, layers))
}

fn depth(layers: &[Layer]) -> usize {
    let is_own = |layer: &&Layer| **layer != Layer::Utf16;
    layers.iter().filter(is_own).count()
}

/// The tag of a sequence (X.690 section 8.9).
const SEQUENCE: u8 = 0x30;

/// Whether a file is one sequence in DER from its first byte to its last.
fn is_der(file: &[u8]) -> bool {
    let is_whole = der::first(file).is_some_and(|(_, rest)| rest.is_empty());
    file.first() == Some(&SEQUENCE) && is_whole || Structure::of(file).is_some()
}

/// Reads whatever key or certificate the DER is.
fn read_der(der: &[u8]) -> KeyEntry {
    let key = match Structure::of(der) {
        Some(structure) => structure.read(der, Container::Der),
        None => Err(Fault::new(
            "neither a public key, a private key nor a certificate in DER",
        )),
    };
    let entry = KeyEntry::from_der(key);
    match Certified::new(der, None) {
        Some(certified) => entry.certified(certified, der.to_vec()),
        None => entry,
    }
}

/// Why a file is no DER that begins as if it were.
fn not_der(file: &[u8]) -> Fault {
    if let Some(structure) = Structure::of_ber(file)
        && let Err(fault) = structure.read(file, Container::Der)
    {
        return fault;
    }
    match der::first(file) {
        Some((_, rest)) => Fault::new(format!(
            "not DER: {} bytes follow the first element; several keys go into one file as PEM",
            rest.len()
        )),
        None => Fault::new("not DER: its length is not that of the file, which may have been cut"),
    }
}

/// Completes the messages of a file with its name.
fn completed(mut file: KeyFile, origin: &str, wanted: Wanted, layers: &[Layer]) -> KeyFile {
    for entry in &mut file.keys {
        if let Err(fault) = &mut entry.key {
            let wanted = match entry.der {
                // What is wrong with a certificate is all that is wrong.
                Some(_) => Wanted::Keys,
                None => wanted,
            };
            let taken = std::mem::replace(fault, Fault::new(""));
            *fault = complete(taken, origin, wanted, layers);
        }
    }
    file
}

fn complete(fault: Fault, origin: &str, wanted: Wanted, layers: &[Layer]) -> Fault {
    let fault = match wanted {
        Wanted::Keys => fault,
        Wanted::Certificates => fault.for_anchor(),
    };
    match layers.first() {
        Some(outermost) => fault.with_first_command(outermost.command()),
        None => fault,
    }
    .for_file(origin)
}
