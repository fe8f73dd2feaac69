//! Signing: the three HMAC algorithms of RFC 7518 section 3.2.
//!
//! Owns the keyed state, prepared once per key and copied per token. Which key signs which token is
//! left to the callers.

use hmac::digest::common::Key;
use hmac::{Hmac, KeyInit, Mac as _};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::algorithm::Algorithm;

/// A key made ready for one algorithm: both pads absorbed.
#[derive(Clone)]
pub(super) enum Mac {
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

/// A secret as a full block: hashed when longer (RFC 2104 section 2), filled up with zeros.
macro_rules! keyed {
    ($hash:ty, $secret:expr) => {{
        let mut block = Key::<Hmac<$hash>>::default();
        let digest;
        let bytes = if $secret.len() > block.len() {
            digest = <$hash>::digest($secret);
            digest.as_slice()
        } else {
            $secret
        };
        block
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        Hmac::new(&block)
    }};
}

impl Mac {
    /// Prepares a secret of any length, the empty one included.
    /// HS256 for any other algorithm.
    pub(super) fn new(algorithm: Algorithm, secret: &[u8]) -> Mac {
        match algorithm {
            Algorithm::Hs384 => Mac::Sha384(keyed!(Sha384, secret)),
            Algorithm::Hs512 => Mac::Sha512(keyed!(Sha512, secret)),
            _ => Mac::Sha256(keyed!(Sha256, secret)),
        }
    }

    /// The length of a signature in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Mac::Sha256(_) => 32,
            Mac::Sha384(_) => 48,
            Mac::Sha512(_) => 64,
        }
    }

    /// Writes the signature over `message` to `out`, replacing what was there.
    pub(super) fn sign(&self, message: &[u8], out: &mut Vec<u8>) {
        out.clear();
        match self {
            Mac::Sha256(mac) => {
                out.extend_from_slice(&mac.clone().chain_update(message).finalize().into_bytes());
            }
            Mac::Sha384(mac) => {
                out.extend_from_slice(&mac.clone().chain_update(message).finalize().into_bytes());
            }
            Mac::Sha512(mac) => {
                out.extend_from_slice(&mac.clone().chain_update(message).finalize().into_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|b| format!("{b:02x}")).collect()
    }

    #[test]
    fn signatures_are_those_of_rfc_4231() {
        // Test case 2.
        let mut out = Vec::new();
        let message = b"what do ya want for nothing?";
        Mac::new(Algorithm::Hs256, b"Jefe").sign(message, &mut out);
        assert_eq!(
            hex(&out),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        // Test case 6: a key longer than the block.
        let message = b"Test Using Larger Than Block-Size Key - Hash Key First";
        Mac::new(Algorithm::Hs256, &[0xaa; 131]).sign(message, &mut out);
        assert_eq!(
            hex(&out),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        );
    }

    #[test]
    fn a_prepared_key_signs_like_the_crate_given_the_secret() {
        let mut out = Vec::new();
        // 64 and 128 are the block sizes; a key one longer is hashed first.
        for len in [0, 1, 63, 64, 65, 127, 128, 129, 1_000] {
            let secret = vec![0x5c; len];
            Mac::new(Algorithm::Hs256, &secret).sign(b"m", &mut out);
            let plain = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
            assert_eq!(
                out,
                plain.chain_update(b"m").finalize().into_bytes().as_slice()
            );
            Mac::new(Algorithm::Hs384, &secret).sign(b"m", &mut out);
            let plain = Hmac::<Sha384>::new_from_slice(&secret).unwrap();
            assert_eq!(
                out,
                plain.chain_update(b"m").finalize().into_bytes().as_slice()
            );
            Mac::new(Algorithm::Hs512, &secret).sign(b"m", &mut out);
            let plain = Hmac::<Sha512>::new_from_slice(&secret).unwrap();
            assert_eq!(
                out,
                plain.chain_update(b"m").finalize().into_bytes().as_slice()
            );
        }
    }
}
