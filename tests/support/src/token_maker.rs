//! Tokens to order: any header, any payload, signed with any secret.
//!
//! It owns the making of tokens and uses nothing of the library. The given text is signed as it
//! is, however wrong, so that a test sees the rule it is about and never a broken signature.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};

/// Long enough for every hash: HS512 takes 64 bytes.
pub const SECRET: &[u8] = b"a secret of sixty-four bytes, so that it is not weak for HS512..";
/// The plainest header that is accepted.
pub const HEADER: &str = r#"{"alg":"HS256"}"#;
/// The HMAC algorithms, each with the bytes of its MAC.
pub const ALGORITHMS: [(&str, usize); 3] = [("HS256", 32), ("HS384", 48), ("HS512", 64)];

/// base64url without padding.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The MAC of a message; HS256 for a name that is none of [`ALGORITHMS`].
pub fn mac(alg: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    macro_rules! mac_with {
        ($hash:ty) => {
            Hmac::<$hash>::new_from_slice(secret)
                .expect("HMAC takes a key of any length")
                .chain_update(message)
                .finalize()
                .into_bytes()
                .to_vec()
        };
    }
    match alg {
        "HS384" => mac_with!(sha2::Sha384),
        "HS512" => mac_with!(sha2::Sha512),
        _ => mac_with!(sha2::Sha256),
    }
}

/// A token in the making.
#[derive(Clone)]
pub struct TokenMaker {
    header: Vec<u8>,
    payload: Vec<u8>,
    alg: String,
    secret: Vec<u8>,
}

impl Default for TokenMaker {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenMaker {
    /// `{"alg":"HS256"}` over `{}`, signed accordingly with [`SECRET`].
    pub fn new() -> Self {
        Self {
            header: encode(HEADER).into_bytes(),
            payload: encode("{}").into_bytes(),
            alg: "HS256".to_owned(),
            secret: SECRET.to_vec(),
        }
    }

    /// The header as it is before it is encoded.
    pub fn header(self, header: impl AsRef<[u8]>) -> Self {
        self.header_segment(encode(header))
    }

    /// The header as in the token.
    pub fn header_segment(mut self, segment: impl Into<Vec<u8>>) -> Self {
        self.header = segment.into();
        self
    }

    /// The payload as it is before it is encoded.
    pub fn payload(self, payload: impl AsRef<[u8]>) -> Self {
        self.payload_segment(encode(payload))
    }

    /// The payload as in the token.
    pub fn payload_segment(mut self, segment: impl Into<Vec<u8>>) -> Self {
        self.payload = segment.into();
        self
    }

    /// The algorithm that signs, whatever the header says.
    pub fn alg(mut self, alg: &str) -> Self {
        alg.clone_into(&mut self.alg);
        self
    }

    /// The secret that signs.
    pub fn secret(mut self, secret: impl Into<Vec<u8>>) -> Self {
        self.secret = secret.into();
        self
    }

    /// What the signature covers.
    pub fn signing_input(&self) -> Vec<u8> {
        [&self.header[..], b".", &self.payload].concat()
    }

    /// The signature's bytes.
    pub fn mac(&self) -> Vec<u8> {
        mac(&self.alg, &self.secret, &self.signing_input())
    }

    /// The token.
    pub fn sign(&self) -> Vec<u8> {
        self.with_signature(encode(self.mac()))
    }

    /// The token with something else where its signature should be.
    pub fn with_signature(&self, signature: impl AsRef<[u8]>) -> Vec<u8> {
        [&self.signing_input(), &b"."[..], signature.as_ref()].concat()
    }
}

/// A token with this header and payload, signed as HS256 with [`SECRET`].
pub fn token(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> Vec<u8> {
    TokenMaker::new().header(header).payload(payload).sign()
}
