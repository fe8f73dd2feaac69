//! JSON Web Keys (RFC 7517): a set, or one key.
//!
//! A key set is trusted input and off the hot path, so it is read with `serde_json` into plain
//! values. What a member of a set is worth is decided here; a set is never failed by one member.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::secret::Encoding;
use crate::error::KeyError;
use crate::signature::{Algorithm, AlgorithmSet};

/// A member of a key set, as far as it could be read.
pub(crate) struct Jwk {
    /// `kid`, where it is a string.
    pub(crate) id: Option<String>,
    /// What the key may do, or why it is set aside.
    pub(crate) content: Result<Usable, Unusable>,
}

/// A secret that may verify.
pub(crate) struct Usable {
    pub(crate) secret: Zeroizing<Vec<u8>>,
    /// The algorithms that its `alg`, `use` and `key_ops` leave to it; may be none.
    pub(crate) algorithms: AlgorithmSet,
}

/// Why a key is set aside.
pub(crate) struct Unusable {
    /// The member at fault.
    pub(crate) member: &'static str,
    /// What is wrong with it; never any part of a key.
    pub(crate) why: String,
    /// Whether the key is sound but of a type that jotmill does not verify with: a token that
    /// names it is a mismatch, not the victim of a broken key.
    pub(crate) is_other_type: bool,
}

/// A file of keys: its keys, and whether it was a set.
pub(crate) struct Jwks {
    pub(crate) keys: Vec<Jwk>,
    pub(crate) is_set: bool,
}

/// Reads a JWK Set or a single JWK.
pub(crate) fn read(text: &[u8], origin: &str) -> Result<Jwks, KeyError> {
    let error = |problem: String| KeyError {
        origin: origin.to_owned(),
        problem,
    };
    // serde_json's message holds a position, and never text from the file.
    let document: Value = serde_json::from_slice(text)
        .map_err(|e| error(format!("not JSON ({e}); a JWK Set or a JWK is expected")))?;
    let Value::Object(mut document) = document else {
        return Err(error(
            "not a JSON object; a JWK Set has a member \"keys\"".to_owned(),
        ));
    };
    match document.remove("keys") {
        Some(Value::Array(members)) => Ok(Jwks {
            keys: members.into_iter().map(read_member).collect(),
            is_set: true,
        }),
        Some(_) => Err(error(
            "\"keys\" is not an array (RFC 7517 section 5.1)".to_owned(),
        )),
        None if document.contains_key("kty") => Ok(Jwks {
            keys: vec![read_key(document)],
            is_set: false,
        }),
        None => Err(error(
            "neither a JWK Set (no \"keys\") nor a JWK (no \"kty\"); RFC 7517 sections 4 and 5"
                .to_owned(),
        )),
    }
}

fn read_member(member: Value) -> Jwk {
    match member {
        Value::Object(key) => read_key(key),
        _ => Jwk {
            id: None,
            content: Err(malformed("keys", "the member is not an object")),
        },
    }
}

fn malformed(member: &'static str, why: impl Into<String>) -> Unusable {
    Unusable {
        member,
        why: why.into(),
        is_other_type: false,
    }
}

fn read_key(mut key: Map<String, Value>) -> Jwk {
    // Taken out first, so that the text of the secret is wiped whatever becomes of the key.
    let secret = match key.remove("k") {
        Some(Value::String(text)) => Some(Ok(Zeroizing::new(text))),
        Some(_) => Some(Err(malformed("k", "not a string"))),
        None => None,
    };
    let (id, id_is_sound) = match key.remove("kid") {
        Some(Value::String(id)) => (Some(id), true),
        Some(_) => (None, false),
        None => (None, true),
    };
    let content = if id_is_sound {
        read_content(&key, secret)
    } else {
        Err(malformed("kid", "not a string (RFC 7517 section 4.5)"))
    };
    Jwk { id, content }
}

fn read_content(
    key: &Map<String, Value>,
    secret: Option<Result<Zeroizing<String>, Unusable>>,
) -> Result<Usable, Unusable> {
    match key.get("kty") {
        Some(Value::String(kty)) if kty == "oct" => {}
        Some(Value::String(kty)) => {
            let known = ["RSA", "EC", "OKP", "AKP"].contains(&kty.as_str());
            let why = if known {
                format!("a key of type {kty}; jotmill verifies with secrets (\"oct\")")
            } else {
                "a key of an unknown type".to_owned()
            };
            return Err(Unusable {
                member: "kty",
                why,
                is_other_type: true,
            });
        }
        Some(_) => return Err(malformed("kty", "not a string (RFC 7517 section 4.1)")),
        None => return Err(malformed("kty", "absent (RFC 7517 section 4.1)")),
    }
    let secret = secret.ok_or_else(|| {
        malformed(
            "k",
            "absent, which an \"oct\" key needs (RFC 7518 section 6.4)",
        )
    })??;
    // `k` is base64url without padding (RFC 7518 section 6.4.1).
    let is_padded = secret.ends_with('=') || secret.ends_with(char::is_whitespace);
    let secret = Encoding::Base64url
        .decode(secret.as_bytes(), "k")
        .ok()
        .filter(|_| !is_padded)
        .ok_or_else(|| malformed("k", "not base64url without padding, or empty"))?;
    let bound = match key.get("alg") {
        None => AlgorithmSet::ALL,
        // A name that jotmill does not verify leaves nothing: the key is for something else.
        Some(Value::String(name)) => Algorithm::from_name(name).into_iter().collect(),
        Some(_) => return Err(malformed("alg", "not a string (RFC 7517 section 4.4)")),
    };
    let may_verify = is_for_signatures(key)? && ops_allow_verifying(key)?;
    Ok(Usable {
        secret,
        algorithms: if may_verify {
            bound
        } else {
            AlgorithmSet::EMPTY
        },
    })
}

/// RFC 7517 section 4.2: a key with a `use` other than `sig` does not verify.
fn is_for_signatures(key: &Map<String, Value>) -> Result<bool, Unusable> {
    match key.get("use") {
        None => Ok(true),
        Some(Value::String(purpose)) => Ok(purpose == "sig"),
        Some(_) => Err(malformed("use", "not a string (RFC 7517 section 4.2)")),
    }
}

/// RFC 7517 section 4.3: a key with `key_ops` verifies only if they say so. Who may sign with a
/// secret can verify with it.
fn ops_allow_verifying(key: &Map<String, Value>) -> Result<bool, Unusable> {
    let Some(operations) = key.get("key_ops") else {
        return Ok(true);
    };
    let wrong = || malformed("key_ops", "not an array of strings (RFC 7517 section 4.3)");
    let Value::Array(operations) = operations else {
        return Err(wrong());
    };
    let mut allowed = false;
    for operation in operations {
        let operation = operation.as_str().ok_or_else(wrong)?;
        allowed |= operation == "verify" || operation == "sign";
    }
    Ok(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_key(members: &str) -> Result<Vec<&'static str>, (&'static str, bool)> {
        let jwk = format!(r#"{{"kty":"oct","k":"c2VjcmV0"{members}}}"#);
        let mut keys = read(jwk.as_bytes(), "here").ok().unwrap().keys;
        match keys.remove(0).content {
            Ok(key) => Ok(key.algorithms.iter().map(Algorithm::name).collect()),
            Err(fault) => Err((fault.member, fault.is_other_type)),
        }
    }

    #[test]
    fn alg_use_and_key_ops_bind_a_key() {
        let all = ["HS256", "HS384", "HS512"];
        for (members, expected) in [
            ("", Ok(&all[..])),
            (r#","alg":"HS384""#, Ok(&["HS384"])),
            (r#","alg":"A256KW""#, Ok(&[])),
            (r#","alg":1"#, Err(("alg", false))),
            (r#","use":"sig""#, Ok(&all)),
            (r#","use":"enc""#, Ok(&[])),
            (r#","use":null"#, Err(("use", false))),
            (r#","key_ops":["verify"]"#, Ok(&all)),
            (r#","key_ops":["sign"],"use":"sig""#, Ok(&all)),
            (r#","key_ops":["deriveKey"]"#, Ok(&[])),
            (r#","key_ops":[]"#, Ok(&[])),
            (r#","key_ops":"verify""#, Err(("key_ops", false))),
            (r#","key_ops":["verify",1]"#, Err(("key_ops", false))),
            (r#","kid":1"#, Err(("kid", false))),
        ] {
            let found = only_key(members);
            assert_eq!(found.as_deref().map_err(|e| *e), expected, "{members}");
        }
    }

    #[test]
    fn malformed_members_are_named() {
        for (jwk, member, is_other_type) in [
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "kty", true),
            (r#"{"kty":"unheard-of"}"#, "kty", true),
            (r#"{"kty":1}"#, "kty", false),
            (r#"{"kty":"oct"}"#, "k", false),
            (r#"{"kty":"oct","k":""}"#, "k", false),
            (r#"{"kty":"oct","k":"c2Vjcm V0"}"#, "k", false),
            (r#"{"kty":"oct","k":"c2VjcmV0cw=="}"#, "k", false),
            (r#"{"kty":"oct","k":"c2VjcmV0\n"}"#, "k", false),
            (r#"{"kty":"oct","k":["c2VjcmV0"]}"#, "k", false),
        ] {
            let mut keys = read(jwk.as_bytes(), "here").ok().unwrap().keys;
            let fault = keys.remove(0).content.err().unwrap();
            assert_eq!(
                (fault.member, fault.is_other_type),
                (member, is_other_type),
                "{jwk}"
            );
            assert!(!fault.why.contains("c2Vj"), "{}", fault.why);
        }
    }

    #[test]
    fn what_is_no_key_file_is_an_error_that_helps() {
        for (text, hint) in [
            ("", "not JSON"),
            ("{", "not JSON"),
            ("[]", "keys"),
            ("{}", "kty"),
            (r#"{"keys":{}}"#, "not an array"),
        ] {
            let problem = read(text.as_bytes(), "here").err().unwrap().problem;
            assert!(problem.contains(hint), "{problem}");
        }
    }
}
