//! ML-DSA (FIPS 204) as JWS has it (RFC 9964): the empty context, keys of type AKP.
//!
//! Owns keys of all three parameter sets. Signing is of the deterministic variant.

use ml_dsa::{ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87, Seed};

use super::KeyType;
use super::Rng;
use super::text::base64url;

/// An ML-DSA key, expanded from its seed.
#[expect(
    clippy::large_enum_variant,
    reason = "whoever holds a key boxes it as a whole"
)]
pub(super) enum MlDsa {
    MlDsa44(Seed, ExpandedSigningKey<MlDsa44>),
    MlDsa65(Seed, ExpandedSigningKey<MlDsa65>),
    MlDsa87(Seed, ExpandedSigningKey<MlDsa87>),
}

impl MlDsa {
    /// Makes a key of this type; of ML-DSA-44 for any other type.
    pub(super) fn new(key_type: KeyType, rng: &mut Rng) -> MlDsa {
        let mut seed = Seed::default();
        rng.fill(&mut seed);
        match key_type {
            KeyType::MlDsa65 => MlDsa::MlDsa65(seed, ExpandedSigningKey::from_seed(&seed)),
            KeyType::MlDsa87 => MlDsa::MlDsa87(seed, ExpandedSigningKey::from_seed(&seed)),
            _ => MlDsa::MlDsa44(seed, ExpandedSigningKey::from_seed(&seed)),
        }
    }

    pub(super) fn key_type(&self) -> KeyType {
        match self {
            MlDsa::MlDsa44(..) => KeyType::MlDsa44,
            MlDsa::MlDsa65(..) => KeyType::MlDsa65,
            MlDsa::MlDsa87(..) => KeyType::MlDsa87,
        }
    }

    pub(super) fn public_members(&self) -> String {
        format!(r#""kty":"AKP","pub":"{}""#, base64url(&self.public_bytes()))
    }

    pub(super) fn private_members(&self) -> String {
        let (MlDsa::MlDsa44(seed, _) | MlDsa::MlDsa65(seed, _) | MlDsa::MlDsa87(seed, _)) = self;
        format!(r#","priv":"{}""#, base64url(seed))
    }

    pub(super) fn public_bytes(&self) -> Vec<u8> {
        match self {
            MlDsa::MlDsa44(_, key) => key.verifying_key().encode().to_vec(),
            MlDsa::MlDsa65(_, key) => key.verifying_key().encode().to_vec(),
            MlDsa::MlDsa87(_, key) => key.verifying_key().encode().to_vec(),
        }
    }

    /// Appends a signature under a context, which for JWS is empty.
    pub(super) fn sign(&self, context: &[u8], message: &[u8], out: &mut Vec<u8>) {
        // Each fails for contexts beyond 255 bytes alone.
        match self {
            MlDsa::MlDsa44(_, key) => {
                let signature = key.sign_deterministic(message, context);
                signature.map(|signature| out.extend_from_slice(&signature.encode()))
            }
            MlDsa::MlDsa65(_, key) => {
                let signature = key.sign_deterministic(message, context);
                signature.map(|signature| out.extend_from_slice(&signature.encode()))
            }
            MlDsa::MlDsa87(_, key) => {
                let signature = key.sign_deterministic(message, context);
                signature.map(|signature| out.extend_from_slice(&signature.encode()))
            }
        }
        .unwrap_or_default();
    }
}
