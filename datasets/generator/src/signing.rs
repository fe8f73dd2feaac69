//! What signs a token: a keyed MAC or a private key.
//!
//! Owns the choice between the two; `mac` and `private` sign.

use std::sync::Arc;

use super::algorithm::Algorithm;
use super::mac::Mac;
use super::private::PrivateKey;
use super::rng::Rng;

/// A key made ready for signing.
#[expect(
    clippy::large_enum_variant,
    reason = "most are MACs, and are read for every token"
)]
pub(super) enum Signing {
    Mac(Mac),
    Private(Arc<PrivateKey>),
}

impl Signing {
    /// Writes the signature over `message` to `out`, replacing what was there. A keyed MAC is for
    /// one algorithm, and ignores `algorithm` and `rng`.
    pub(super) fn sign(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        out: &mut Vec<u8>,
        rng: &mut Rng,
    ) {
        match self {
            Signing::Mac(mac) => mac.sign(message, out),
            Signing::Private(key) => key.sign(algorithm, message, out, rng),
        }
    }
}
