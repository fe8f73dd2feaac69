//! A key file of any form: detects the form and calls its reader.
//!
//! Every key option takes the same forms. A file that is one whole element of DER is DER and nothing
//! else: a comment inside it may be the PEM of another key. PEM is looked for only in text. What is
//! none of the forms is named (`foreign.rs`), and never guessed at.

use super::certificate;
use super::der;
use super::document;
use super::fault::Fault;
use super::foreign;
use super::parsed::{Certified, KeyEntry, KeyFile};
use super::pem;
use super::structure::{Container, Structure};
use super::text::{self, Layer, without_bom};
use crate::error::KeyError;

/// How many layers a file may have, such as base64 in quotes in UTF-16.
const MAX_LAYERS: usize = 3;

/// Reads the keys of a file.
///
/// # Errors
/// [`KeyError`] for a file that holds no key in any of the forms, with the way to get one.
pub(super) fn read(file: &[u8], origin: &str) -> Result<KeyFile, KeyError> {
    read_layers(file, origin, &mut Vec::new())
}

fn read_layers(file: &[u8], origin: &str, layers: &mut Vec<Layer>) -> Result<KeyFile, KeyError> {
    let text = without_bom(file).trim_ascii_start();
    let keys = if is_der(file) {
        vec![read_der(file)]
    } else if layers.len() < MAX_LAYERS
        && let Some((layer, inner)) = text::unwrap(file)
    {
        layers.push(layer);
        return read_layers(&inner, origin, layers);
    } else if matches!(text, [b'{' | b'[', ..]) {
        return document::read(file, origin).map(|file| completed(file, origin, layers));
    } else if pem::is_pem(text) {
        pem::read(file)
    } else if file.first() == Some(&SEQUENCE) && !text.is_ascii() {
        vec![KeyEntry::from_der(Err(not_der(file)), None)]
    } else {
        let fault = foreign::binary(file).unwrap_or_else(|| foreign::text(text));
        return Err(KeyError {
            origin: origin.to_owned(),
            problem: complete(fault, origin, layers).problem(),
        });
    };
    let is_set = keys.len() > 1;
    Ok(completed(KeyFile { keys, is_set }, origin, layers))
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
    let certified = certificate::names(der).map(|names| Certified { names, line: None });
    KeyEntry::from_der(key, certified)
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
fn completed(mut file: KeyFile, origin: &str, layers: &[Layer]) -> KeyFile {
    for entry in &mut file.keys {
        if let Err(fault) = &mut entry.key {
            let taken = std::mem::replace(fault, Fault::new(""));
            *fault = complete(taken, origin, layers);
        }
    }
    file
}

fn complete(fault: Fault, origin: &str, layers: &[Layer]) -> Fault {
    match layers.first() {
        Some(outermost) => fault.with_first_command(outermost.command()),
        None => fault,
    }
    .for_file(origin)
}
