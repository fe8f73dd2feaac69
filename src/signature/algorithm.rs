//! The algorithms that jotmill verifies, and the names that are registered for others.

use std::fmt;

macro_rules! algorithms {
    ($($name:ident $alg:literal $meaning:literal;)+) => {
        /// A JWS algorithm that jotmill verifies (RFC 7518 section 3.1, RFC 8037, RFC 8812,
        /// RFC 9864, and ML-DSA).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Algorithm {
            $(#[doc = $meaning] $name,)+
        }

        impl Algorithm {
            /// Every algorithm, in order: the discriminant is the index.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The `alg` value, case-sensitive.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $alg,)+ }
            }

            /// The algorithm of this name, if jotmill verifies it.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($alg => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

algorithms! {
    Hs256 "HS256" "HMAC using SHA-256.";
    Hs384 "HS384" "HMAC using SHA-384.";
    Hs512 "HS512" "HMAC using SHA-512.";
    Rs256 "RS256" "RSASSA-PKCS1-v1_5 using SHA-256.";
    Rs384 "RS384" "RSASSA-PKCS1-v1_5 using SHA-384.";
    Rs512 "RS512" "RSASSA-PKCS1-v1_5 using SHA-512.";
    Ps256 "PS256" "RSASSA-PSS using SHA-256, with a salt of 32 bytes.";
    Ps384 "PS384" "RSASSA-PSS using SHA-384, with a salt of 48 bytes.";
    Ps512 "PS512" "RSASSA-PSS using SHA-512, with a salt of 64 bytes.";
    Es256 "ES256" "ECDSA on P-256 using SHA-256.";
    Es384 "ES384" "ECDSA on P-384 using SHA-384.";
    Es512 "ES512" "ECDSA on P-521 using SHA-512.";
    Es256k "ES256K" "ECDSA on secp256k1 using SHA-256 (RFC 8812).";
    EdDsa "EdDSA" "EdDSA on the curve of the key, Ed25519 or Ed448 (RFC 8037).";
    Ed25519 "Ed25519" "EdDSA on Ed25519, by its full name (RFC 9864).";
    Ed448 "Ed448" "EdDSA on Ed448, by its full name (RFC 9864).";
    MlDsa44 "ML-DSA-44" "ML-DSA with its smallest parameters (FIPS 204).";
    MlDsa65 "ML-DSA-65" "ML-DSA with its middle parameters (FIPS 204).";
    MlDsa87 "ML-DSA-87" "ML-DSA with its largest parameters (FIPS 204).";
}

impl Algorithm {
    /// The length of the MAC in bytes, which is also the shortest secret that RFC 7518 section 3.2
    /// allows; `None` where the signature is no MAC.
    #[must_use]
    pub const fn mac_len(self) -> Option<usize> {
        match self {
            Self::Hs256 => Some(32),
            Self::Hs384 => Some(48),
            Self::Hs512 => Some(64),
            _ => None,
        }
    }

    /// Whether a secret of this length in bytes is shorter than the MAC, which RFC 7518 section 3.2
    /// forbids.
    pub(crate) const fn is_short_secret(self, secret_len: usize) -> bool {
        match self.mac_len() {
            Some(mac_len) => secret_len < mac_len,
            None => false,
        }
    }

    /// Whether a shared secret both signs and verifies.
    #[must_use]
    pub const fn is_hmac(self) -> bool {
        self.mac_len().is_some()
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of [`Algorithm`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct AlgorithmSet(u32);

impl AlgorithmSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);
    /// Every algorithm that jotmill verifies.
    pub const ALL: Self = Self((1 << Algorithm::ALL.len()) - 1);
    /// The HMAC algorithms.
    pub const HMAC: Self = Self(
        1 << Algorithm::Hs256 as u8 | 1 << Algorithm::Hs384 as u8 | 1 << Algorithm::Hs512 as u8,
    );

    /// The algorithms of RSA keys.
    pub(crate) const RSA: Self = Self(
        1 << Algorithm::Rs256 as u8
            | 1 << Algorithm::Rs384 as u8
            | 1 << Algorithm::Rs512 as u8
            | 1 << Algorithm::Ps256 as u8
            | 1 << Algorithm::Ps384 as u8
            | 1 << Algorithm::Ps512 as u8,
    );

    /// Adds an algorithm.
    pub const fn insert(&mut self, algorithm: Algorithm) {
        self.0 |= 1 << algorithm as u8;
    }

    /// Whether the algorithm is in the set.
    #[must_use]
    pub const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 >> algorithm as u8 & 1 == 1
    }

    /// Whether the set is empty.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The algorithms that are in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The algorithms, in order.
    pub fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL
            .iter()
            .copied()
            .filter(move |algorithm| self.contains(*algorithm))
    }
}

impl From<Algorithm> for AlgorithmSet {
    fn from(algorithm: Algorithm) -> Self {
        let mut set = Self::EMPTY;
        set.insert(algorithm);
        set
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        let mut set = Self::EMPTY;
        algorithms
            .into_iter()
            .for_each(|algorithm| set.insert(algorithm));
        set
    }
}

/// The `alg` values registered with IANA ("JSON Web Signature and Encryption Algorithms"), sorted.
///
/// Reports count tokens by these names and all others together, so that hostile tokens cannot make a
/// report grow.
pub const REGISTERED: [&str; 47] = [
    "A128CBC-HS256",
    "A128GCM",
    "A128GCMKW",
    "A128KW",
    "A192CBC-HS384",
    "A192GCM",
    "A192GCMKW",
    "A192KW",
    "A256CBC-HS512",
    "A256GCM",
    "A256GCMKW",
    "A256KW",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "ES256",
    "ES256K",
    "ES384",
    "ES512",
    "Ed25519",
    "Ed448",
    "EdDSA",
    "HS1",
    "HS256",
    "HS384",
    "HS512",
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
    "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW",
    "PBES2-HS512+A256KW",
    "PS256",
    "PS384",
    "PS512",
    "RS1",
    "RS256",
    "RS384",
    "RS512",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "RSA1_5",
    "dir",
    "none",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_case_sensitive_and_lead_back_to_their_algorithm() {
        for &algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::from_name(algorithm.name()), Some(algorithm));
            assert!(REGISTERED.contains(&algorithm.name()));
            assert!(AlgorithmSet::ALL.contains(algorithm));
            assert_eq!(AlgorithmSet::HMAC.contains(algorithm), algorithm.is_hmac());
            assert_eq!(algorithm.is_hmac(), algorithm.name().starts_with("HS"));
        }
        assert_eq!(Algorithm::from_name("hs256"), None);
    }

    #[test]
    fn registered_names_are_sorted() {
        assert!(REGISTERED.is_sorted());
    }
}
