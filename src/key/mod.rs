//! Who may verify what: secrets and public keys as they come from files and key sets, and the set
//! that a token's `kid` and `alg` choose from.
//!
//! What a key is, is decided when it is loaded, by the form it came in, and never guessed from its
//! text afterwards (RFC 8725 section 3.1). Keys print as their name and type alone.

mod certificate;
mod der;
mod group;
mod health;
mod json;
mod jwk;
mod loaded;
mod pem;
mod public;
mod secret;
mod set;
mod thumbprint;

pub use certificate::Validity;
pub use health::KeyFinding;
pub use secret::Encoding;
pub(crate) use set::Selection;
pub use set::{Key, KeySet, SetAside};
