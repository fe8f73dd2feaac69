//! The parts of a token, which borrow its bytes: segments, header, claims.
//!
//! This module knows RFC 7515's serialization and RFC 8259's JSON. It knows no key and verifies
//! nothing: [`Claims`] can be read only from [`Authentic`](crate::signature::Authentic) bytes,
//! which `signature` creates.

mod audience;
mod claims;
mod header;
mod issuer;
mod issuer_template;
mod json;
mod payload;
mod scanner;
mod segments;
pub(crate) mod spelling;

#[cfg(test)]
pub(crate) use audience::Audience;
pub(crate) use claims::{Claims, Dates, Wanted};
pub use header::Header;
pub(crate) use header::MAX_CRIT;
pub(crate) use issuer::{Issuers, UnverifiedIssuer};
pub(crate) use issuer_template::IssuerTemplate;
pub(crate) use json::JsonScratch;
pub use json::Member;
pub(crate) use payload::{Payload, PayloadScratch};
pub use segments::Token;
