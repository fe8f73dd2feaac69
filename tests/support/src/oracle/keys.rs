//! Keys as the oracle sees them, and the reading of a JWK Set (RFC 7517) the obvious way.

use serde_json::Value;

use super::public::{self, Public, Read};

/// One key, in the place where it was given.
#[derive(Clone, Debug)]
pub struct Key {
    /// The JWK `kid`.
    pub id: Option<String>,
    /// The one algorithm that the JWK `alg` binds it to.
    pub alg: Option<String>,
    /// False where `use` or `key_ops` rule out verification.
    pub verifies: bool,
    /// Unusable; its id still counts.
    pub broken: bool,
    /// What it is.
    pub kind: Kind,
}

/// What a key is, by its `kty`.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `oct`: the bytes of an HMAC secret.
    Secret(Vec<u8>),
    /// A public key that is sound.
    Public(Box<Public>),
    /// A key of any other type, or none that can be made out.
    Other,
}

impl Key {
    /// Whether it verifies nothing: broken, of another type, or for something else.
    pub fn is_useless(&self) -> bool {
        let of_type = match &self.kind {
            Kind::Secret(_) => &["HS256", "HS384", "HS512"][..],
            Kind::Public(key) => key.algorithms,
            Kind::Other => return true,
        };
        let alg = self.alg.as_deref();
        self.broken || !self.verifies || alg.is_some_and(|alg| !of_type.contains(&alg))
    }

    /// A secret without an id and bound to nothing; an empty one is refused, hence broken.
    pub fn secret(bytes: impl Into<Vec<u8>>) -> Key {
        let bytes = bytes.into();
        Key {
            id: None,
            alg: None,
            verifies: true,
            broken: bytes.is_empty(),
            kind: Kind::Secret(bytes),
        }
    }
}

/// The keys of a JWK Set, or of one JWK, in order. A malformed one keeps its place, broken; text
/// that is not JSON has no keys.
pub fn keys_from_jwks(json: &str) -> Vec<Key> {
    let Ok(value) = serde_json::from_str::<Value>(json) else {
        return Vec::new();
    };
    match value.get("keys") {
        Some(Value::Array(members)) => members.iter().map(key_from_jwk).collect(),
        _ => vec![key_from_jwk(&value)],
    }
}

fn key_from_jwk(jwk: &Value) -> Key {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    // Null is as good as absent.
    let given = |name: &str| jwk.get(name).filter(|value| !value.is_null());
    let mistyped = |name: &str| given(name).is_some_and(|value| !value.is_string());
    let mut broken = text("kty").is_none() || ["kid", "alg", "use"].into_iter().any(mistyped);

    let kind = match text("kty") {
        Some("oct") => {
            let secret = text("k").and_then(public::decode).unwrap_or_default();
            broken |= secret.is_empty();
            Kind::Secret(secret)
        }
        Some(kty) => match public::read(kty, jwk) {
            Read::Sound(key) => Kind::Public(key),
            Read::OtherType => Kind::Other,
            Read::Broken => {
                broken = true;
                Kind::Other
            }
        },
        None => Kind::Other,
    };

    let for_tokens = ["sig", "jwt-svid", "wit-svid"];
    let used_to_sign = text("use").is_none_or(|purpose| for_tokens.contains(&purpose));
    let may_verify = match given("key_ops") {
        None => true,
        Some(Value::Array(ops)) if ops.is_empty() => true,
        Some(Value::Array(ops)) => {
            broken |= !ops.iter().all(Value::is_string);
            // Who may sign with a key can verify with it: it is the same secret, or its other half.
            let may_sign = text("kty") == Some("oct") || public::is_private(jwk);
            ops.iter()
                .any(|op| op == "verify" || (op == "sign" && may_sign))
        }
        Some(_) => {
            broken = true;
            false
        }
    };
    Key {
        id: text("kid").map(str::to_owned),
        alg: text("alg").map(str::to_owned),
        verifies: used_to_sign && may_verify,
        broken,
        kind,
    }
}
