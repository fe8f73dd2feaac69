//! What the names in a header mean.

use super::json_text::JsonText;

/// The members of a header that are explained, each with what it means.
pub(super) fn header(text: &JsonText) -> Vec<(&'static str, &'static str)> {
    let names = ["alg", "enc", "typ", "cty", "kid", "crit", "b64", "zip"];
    let explained = names.into_iter().filter_map(|name| {
        let member = text.member(name)?;
        let value = member.string().unwrap_or_default();
        let words = match name {
            "alg" => algorithm(&value),
            "enc" => "how the payload is encrypted (RFC 7518 section 5)",
            "typ" => media_type(&value),
            "cty" if value.eq_ignore_ascii_case("jwt") => {
                "the payload is a token itself, signed or encrypted once more"
            }
            "cty" => "the type of the payload",
            "kid" => "the id of the key to verify with",
            "crit" => "what a verifier must understand, or reject the token",
            "b64" if member.value == "true" => "the payload is encoded, as without b64 (RFC 7797)",
            "b64" => "false means a payload that is not encoded (RFC 7797)",
            _ => "the payload is compressed",
        };
        Some((name, words))
    });
    explained.collect()
}

/// What an `alg` means.
fn algorithm(name: &str) -> &'static str {
    match name {
        "HS256" => "HMAC with SHA-256; one shared secret signs and verifies",
        "HS384" => "HMAC with SHA-384; one shared secret signs and verifies",
        "HS512" => "HMAC with SHA-512; one shared secret signs and verifies",
        "RS256" => "RSA (PKCS #1 v1.5) with SHA-256; a public key verifies",
        "RS384" => "RSA (PKCS #1 v1.5) with SHA-384; a public key verifies",
        "RS512" => "RSA (PKCS #1 v1.5) with SHA-512; a public key verifies",
        "PS256" => "RSA (PSS) with SHA-256; a public key verifies",
        "PS384" => "RSA (PSS) with SHA-384; a public key verifies",
        "PS512" => "RSA (PSS) with SHA-512; a public key verifies",
        "ES256" => "ECDSA on P-256 with SHA-256; a public key verifies",
        "ES384" => "ECDSA on P-384 with SHA-384; a public key verifies",
        "ES512" => "ECDSA on P-521 with SHA-512; a public key verifies",
        "ES256K" => "ECDSA on secp256k1 with SHA-256; a public key verifies",
        "EdDSA" => "an Edwards-curve signature; a public key verifies",
        "Ed25519" => "EdDSA on Ed25519; a public key verifies",
        "Ed448" => "EdDSA on Ed448; a public key verifies",
        "ML-DSA-44" | "ML-DSA-65" | "ML-DSA-87" => {
            "a module-lattice signature (FIPS 204); a public key verifies"
        }
        "HS1" | "RS1" => "based on SHA-1, which is broken",
        "dir" => "a shared key encrypts directly",
        "RSA1_5" | "RSA-OAEP" | "RSA-OAEP-256" | "RSA-OAEP-384" | "RSA-OAEP-512" => {
            "the content key is encrypted with RSA"
        }
        "A128KW" | "A192KW" | "A256KW" => "the content key is wrapped with AES",
        "A128GCMKW" | "A192GCMKW" | "A256GCMKW" => "the content key is encrypted with AES-GCM",
        "ECDH-ES" => "the content key is agreed by elliptic-curve Diffie-Hellman",
        "ECDH-ES+A128KW" | "ECDH-ES+A192KW" | "ECDH-ES+A256KW" => {
            "the content key is wrapped under one agreed by elliptic-curve Diffie-Hellman"
        }
        "PBES2-HS256+A128KW" | "PBES2-HS384+A192KW" | "PBES2-HS512+A256KW" => {
            "the content key is wrapped under a password"
        }
        _ if name.eq_ignore_ascii_case("none") => {
            "no signature at all; anyone can write this token"
        }
        _ => "a name that is not known",
    }
}

/// What a `typ` means.
fn media_type(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    match name.strip_prefix("application/").unwrap_or(&name) {
        "jwt" => "a JSON Web Token (RFC 7519)",
        "at+jwt" => "an OAuth 2.0 access token (RFC 9068)",
        "dpop+jwt" => "a proof of possession (RFC 9449)",
        "secevent+jwt" => "a security event (RFC 8417)",
        "logout+jwt" => "a logout token (OpenID Connect Back-Channel Logout)",
        "token-introspection+jwt" => "an answer to token introspection (RFC 9701)",
        "oauth-authz-req+jwt" => "an authorization request (RFC 9101)",
        "jose" => "a JOSE object in compact serialization",
        "jose+json" => "a JOSE object in JSON serialization",
        _ => "the type of the token",
    }
}
