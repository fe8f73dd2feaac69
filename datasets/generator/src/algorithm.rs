//! The algorithms that sign the tokens of a data set, and the types of key that each needs.
//!
//! Owns the names (RFC 7518 section 3.1, RFC 8037, RFC 8812, RFC 9864, RFC 9964) and which key does
//! what. How something is signed is left to `mac` and `private`.

use std::fmt;
use std::str::FromStr;

use super::error::SpecError;

macro_rules! algorithms {
    ($($name:ident $alg:literal $doc:literal)*) => {
        /// An algorithm that signs tokens.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Algorithm {
            $(#[doc = $doc] $name,)*
        }

        impl Algorithm {
            /// All of them, those with a shared secret first.
            pub const ALL: &[Algorithm] = &[$(Algorithm::$name,)*];

            /// The name in a header or a key.
            pub fn name(self) -> &'static str {
                match self { $(Algorithm::$name => $alg,)* }
            }
        }
    };
}

algorithms! {
    Hs256 "HS256" "HMAC with SHA-256."
    Hs384 "HS384" "HMAC with SHA-384."
    Hs512 "HS512" "HMAC with SHA-512."
    Rs256 "RS256" "RSASSA-PKCS1-v1_5 with SHA-256."
    Rs384 "RS384" "RSASSA-PKCS1-v1_5 with SHA-384."
    Rs512 "RS512" "RSASSA-PKCS1-v1_5 with SHA-512."
    Ps256 "PS256" "RSASSA-PSS with SHA-256 and a salt of 32 bytes."
    Ps384 "PS384" "RSASSA-PSS with SHA-384 and a salt of 48 bytes."
    Ps512 "PS512" "RSASSA-PSS with SHA-512 and a salt of 64 bytes."
    Es256 "ES256" "ECDSA on P-256 with SHA-256."
    Es384 "ES384" "ECDSA on P-384 with SHA-384."
    Es512 "ES512" "ECDSA on P-521 with SHA-512."
    Es256k "ES256K" "ECDSA on secp256k1 with SHA-256."
    EdDsa "EdDSA" "EdDSA by the curve of the key: Ed25519 and Ed448 in turn."
    Ed25519 "Ed25519" "EdDSA on Ed25519, under its fully specified name."
    Ed448 "Ed448" "EdDSA on Ed448, under its fully specified name."
    MlDsa44 "ML-DSA-44" "ML-DSA with the parameters of category 2."
    MlDsa65 "ML-DSA-65" "ML-DSA with the parameters of category 3."
    MlDsa87 "ML-DSA-87" "ML-DSA with the parameters of category 5."
}

impl Algorithm {
    /// Those with a shared secret.
    pub const HMAC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];

    /// Whether it signs with a shared secret.
    pub fn is_hmac(self) -> bool {
        Algorithm::HMAC.contains(&self)
    }

    /// Those that an allow-list of these leaves out. Where all have a shared secret, so have those.
    pub(super) fn left_out(algorithms: &[Algorithm]) -> Vec<Algorithm> {
        let only_hmac = algorithms.iter().all(|algorithm| algorithm.is_hmac());
        let others = Algorithm::ALL.iter().copied();
        others
            .filter(|other| !algorithms.contains(other) && (other.is_hmac() || !only_hmac))
            .collect()
    }

    /// The type of the key number `round` for this algorithm.
    pub(super) fn key_type(self, round: usize, rsa_bits: &[u32]) -> KeyType {
        match self {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => KeyType::Secret,
            Algorithm::Rs256
            | Algorithm::Rs384
            | Algorithm::Rs512
            | Algorithm::Ps256
            | Algorithm::Ps384
            | Algorithm::Ps512 => {
                let bits = rsa_bits.iter().cycle().nth(round % rsa_bits.len().max(1));
                KeyType::Rsa(bits.copied().unwrap_or(2048))
            }
            Algorithm::Es256 => KeyType::P256,
            Algorithm::Es384 => KeyType::P384,
            Algorithm::Es512 => KeyType::P521,
            Algorithm::Es256k => KeyType::Secp256k1,
            Algorithm::EdDsa if round % 2 == 1 => KeyType::Ed448,
            Algorithm::EdDsa | Algorithm::Ed25519 => KeyType::Ed25519,
            Algorithm::Ed448 => KeyType::Ed448,
            Algorithm::MlDsa44 => KeyType::MlDsa44,
            Algorithm::MlDsa65 => KeyType::MlDsa65,
            Algorithm::MlDsa87 => KeyType::MlDsa87,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = SpecError;

    /// # Errors
    /// Any other name, and any other case.
    fn from_str(name: &str) -> Result<Algorithm, SpecError> {
        let known = Algorithm::ALL
            .iter()
            .find(|algorithm| algorithm.name() == name);
        known.copied().ok_or_else(|| SpecError::UnknownAlgorithm {
            name: name.to_owned(),
        })
    }
}

/// A type of key, with its curve, parameters or size in bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyType {
    Secret,
    Rsa(u32),
    P256,
    P384,
    P521,
    Secp256k1,
    Ed25519,
    Ed448,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

impl KeyType {
    /// Whether a key of this type that is bound to no algorithm signs with this one.
    pub(super) fn signs(self, algorithm: Algorithm) -> bool {
        match self {
            KeyType::Rsa(bits) => algorithm.key_type(0, &[bits]) == self,
            KeyType::Ed25519 => matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed25519),
            KeyType::Ed448 => matches!(algorithm, Algorithm::EdDsa | Algorithm::Ed448),
            _ => algorithm.key_type(0, &[]) == self,
        }
    }

    /// Whether a key of this type always names its algorithm, as a JWK of type AKP does.
    pub(super) fn is_always_bound(self) -> bool {
        matches!(self, KeyType::MlDsa44 | KeyType::MlDsa65 | KeyType::MlDsa87)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive() {
        for &algorithm in Algorithm::ALL {
            assert_eq!(algorithm.name().parse(), Ok(algorithm));
        }
        assert!("hs256".parse::<Algorithm>().is_err());
        assert!("ED25519".parse::<Algorithm>().is_err());
    }

    #[test]
    fn a_key_signs_with_the_algorithm_it_was_made_for() {
        for &algorithm in Algorithm::ALL {
            for round in 0..4 {
                let key_type = algorithm.key_type(round, &[2048, 3072]);
                assert!(key_type.signs(algorithm), "{algorithm} {key_type:?}");
            }
        }
        assert!(!KeyType::P256.signs(Algorithm::Es256k));
        assert!(!KeyType::Ed25519.signs(Algorithm::Ed448));
        assert!(!KeyType::Rsa(2048).signs(Algorithm::Es256));
    }
}
