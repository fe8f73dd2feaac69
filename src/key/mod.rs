//! Keys: secrets and public keys as they come in files, and the set that a token's `kid` and `alg`
//! select from.
//!
//! The form in which a key is loaded decides what it is; its text is never interpreted another way
//! afterwards (RFC 8725 section 3.1). `Debug` prints the name and the type of a key alone.

mod anchor;
mod base64;
mod certificate;
mod der;
mod distinguished_name;
mod document;
mod fault;
mod file;
mod foreign;
mod health;
mod json;
mod jwk;
mod parsed;
mod pem;
mod pss;
mod public;
mod readings;
mod secret;
mod set;
mod shell;
mod structure;
mod text;
mod thumbprint;
mod validity;

pub(crate) use anchor::{Anchor, NameType};
pub(crate) use certificate::{DIGITAL_SIGNATURE, KEY_CERT_SIGN, own_key, usage};
pub use health::KeyFinding;
pub use readings::OtherReading;
pub use secret::Encoding;
pub(crate) use set::Selection;
pub use set::{Key, KeySet, UnusableKey};
pub use validity::Validity;
