//! The parts of a token, borrowed from the bytes they stand in: segments, header, claims.
//!
//! This room knows RFC 7515's serialization and RFC 8259's JSON. It knows no key and verifies
//! nothing: [`Claims`] can be read only from the [`Authentic`](crate::signature::Authentic) bytes
//! that `signature` hands out.

mod audience;
mod claims;
mod header;
mod issuer;
mod json;
mod payload;
mod scanner;
mod segments;

#[cfg(test)]
pub(crate) use audience::Audience;
pub(crate) use claims::{Claims, Dates, Wanted};
pub use header::Header;
pub(crate) use issuer::UnverifiedIssuer;
pub(crate) use json::JsonScratch;
pub use json::Member;
pub(crate) use payload::{Payload, PayloadScratch};
pub use segments::Token;
