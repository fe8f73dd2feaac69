//! The thumbprint of a public key (RFC 7638): its name where it has no other.
//!
//! Of a shared secret there is none: whoever saw it could try secrets until one fits
//! (RFC 7638 section 7).

use base64_simd::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::signature::public::PublicMaterial;

/// The SHA-256 thumbprint in base64url.
pub(crate) fn thumbprint(key: &PublicMaterial) -> String {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode_to_string(bytes);
    // RFC 7638 section 3.1: the required members alone, in the order of their names, without white
    // space. None of the values needs an escape.
    let json = match key {
        PublicMaterial::Rsa { n, e } => {
            format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n))
        }
        PublicMaterial::Ec { curve, x, y } => format!(
            r#"{{"crv":"{}","kty":"EC","x":"{}","y":"{}"}}"#,
            curve.name(),
            encode(x),
            encode(y),
        ),
        // RFC 8037 section 2.
        PublicMaterial::Ed25519(x) => {
            format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x))
        }
        PublicMaterial::Ed448(x) => {
            format!(r#"{{"crv":"Ed448","kty":"OKP","x":"{}"}}"#, encode(x))
        }
        PublicMaterial::MlDsa { set, key } => {
            format!(
                r#"{{"alg":"{}","kty":"AKP","pub":"{}"}}"#,
                set.name(),
                encode(key)
            )
        }
    };
    encode(&Sha256::digest(json))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode_to_vec(text).unwrap()
    }

    #[test]
    fn the_example_of_rfc_7638_comes_out() {
        // Section 3.1.
        let n = concat!(
            "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_",
            "BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0",
            "_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWh",
            "AI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        );
        let key = PublicMaterial::Rsa {
            n: decode(n),
            e: decode("AQAB"),
        };
        let expected = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(thumbprint(&key), expected);
    }

    #[test]
    fn the_example_of_rfc_8037_comes_out() {
        // Appendix A.3.
        let x = decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
        let key = PublicMaterial::Ed25519(x.try_into().unwrap());
        assert_eq!(
            thumbprint(&key),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
