//! JSON Web Keys (RFC 7517): a set, or one key.
//!
//! Owns which members are read and what they mean. A key set is trusted input and off the hot path,
//! so it is read into a plain tree (`json.rs`). One bad key never fails a set.

use super::certificate;
use super::fault::Fault;
use super::json::{self, Json, Object, Repeat};
use super::parsed::{Certificate, Content, KeyEntry, KeyFile, ParsedKey, checked};
use super::public::{self, PRIVATE_MEMBERS};
use super::secret::Encoding;
use crate::error::KeyError;
use crate::signature::public::PublicMaterial;
use crate::signature::{Algorithm, AlgorithmSet};

/// The members that are read. Messages quote no other member names, since one might be a secret in
/// the wrong place.
const MEMBERS: [&str; 22] = [
    "keys", "kty", "k", "kid", "alg", "use", "key_ops", "x5c", "n", "e", "crv", "x", "y",
    "pub", //
    "d", "p", "q", "dp", "dq", "qi", "oth", "priv",
];

/// Reads a JWK Set or a single JWK. An object with a member `keys` is a set, and its other members
/// are ignored (RFC 7517 section 5), even `kty`.
///
/// # Errors
/// [`KeyError`] for text that is neither, and for a member name that occurs twice at the top.
pub(super) fn read(text: &[u8], origin: &str) -> Result<KeyFile, KeyError> {
    let error = |problem: String| KeyError {
        origin: origin.to_owned(),
        problem,
    };
    let document = json::read(without_bom(text), &MEMBERS).map_err(|e| {
        error(if e.is_data() {
            format!("{e}; member names are unique (RFC 7517 sections 4 and 5)")
        } else {
            format!("not JSON ({e}); a JWK Set or a JWK is expected")
        })
    })?;
    let Json::Object(document) = document else {
        return Err(error(
            "not a JSON object; a JWK Set has a member \"keys\"".to_owned(),
        ));
    };
    match document.get("keys") {
        Some(Json::Array(members)) => Ok(KeyFile {
            keys: members.iter().map(read_member).collect(),
            is_set: true,
        }),
        Some(_) => Err(error(
            "\"keys\" is not an array (RFC 7517 section 5.1)".to_owned(),
        )),
        None if document.get("kty").is_some() => Ok(KeyFile {
            keys: vec![read_key(&document)],
            is_set: false,
        }),
        None => Err(error(
            "neither a JWK Set (no \"keys\") nor a JWK (no \"kty\"); RFC 7517 sections 4 and 5"
                .to_owned(),
        )),
    }
}

/// Drops a byte order mark, which RFC 8259 section 8.1 allows and some editors write.
pub(super) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn read_member(member: &Json) -> KeyEntry {
    match member {
        Json::Object(key) => read_key(key),
        _ => KeyEntry {
            id: None,
            key: Err(Fault::new("the member is not an object")),
        },
    }
}

fn read_key(key: &Object) -> KeyEntry {
    let (id, id_is_sound) = match key.get("kid") {
        Some(Json::String(id)) => (Some(String::clone(id)), true),
        Some(_) => (None, false),
        None => (None, true),
    };
    let key = match key.repeat() {
        Some(repeat) => Err(repeated(&repeat)),
        None if id_is_sound => read_content(key),
        None => Err(Fault::at("kid", "not a string (RFC 7517 section 4.5)")),
    };
    KeyEntry { id, key }
}

/// RFC 7517 section 4: member names are unique. Which of two values the signer uses is unknown.
fn repeated(repeat: &Repeat<'_>) -> Fault {
    let member = MEMBERS.into_iter().find(|name| *name == repeat.name);
    let why = match (member, repeat.is_below) {
        (Some(_), false) => "occurs twice",
        (Some(_), true) => "a member name occurs twice in it",
        (None, _) => "a member name occurs twice",
    };
    Fault::new(format!("{why} (RFC 7517 section 4)")).with_member(member)
}

fn read_content(key: &Object) -> Result<ParsedKey, Fault> {
    let kty = key
        .text("kty")?
        .ok_or_else(|| Fault::at("kty", "absent (RFC 7517 section 4.1)"))?;
    let (content, certificate, is_private) = match kty {
        "oct" => (read_secret(key)?, Certificate::None, false),
        "RSA" | "EC" | "OKP" | "AKP" => {
            let (public, certificate) = read_public(kty, key)?;
            let is_private = PRIVATE_MEMBERS.iter().any(|name| key.get(name).is_some());
            (Content::Public(checked(public)?), certificate, is_private)
        }
        _ => {
            let fault = Fault::other_type("a key of an unknown type");
            return Err(fault.with_member(Some("kty")));
        }
    };
    let of_type = match &content {
        Content::Secret(_) => AlgorithmSet::HMAC,
        Content::Public(key) => key.material().algorithms(),
    };
    let bound = match key.text("alg")? {
        None => of_type,
        // Nothing for an algorithm of another key type or one that jotmill does not verify: the key
        // is for something else.
        Some(name) => Algorithm::from_name(name).into_iter().collect(),
    };
    let algorithms = bound.intersection(of_type);
    let may_sign = is_private || matches!(content, Content::Secret(_));
    let (purpose, operations) = (purpose(key)?, operations(key)?);
    let ruled_out_by = if purpose.is_some_and(|purpose| purpose != "sig") {
        Some("use")
    } else if !allow_verifying(operations.as_deref(), may_sign) {
        Some("key_ops")
    } else if algorithms.is_empty() {
        Some("alg")
    } else {
        None
    };
    Ok(ParsedKey {
        content,
        algorithms: match ruled_out_by {
            Some(_) => AlgorithmSet::EMPTY,
            None => algorithms,
        },
        ruled_out_by,
        alg: key.text("alg")?.map(str::to_owned),
        purpose: purpose.map(str::to_owned),
        operations,
        certificate,
        is_private,
    })
}

fn read_secret(key: &Object) -> Result<Content, Fault> {
    let secret = key.text("k")?.ok_or_else(|| {
        Fault::at(
            "k",
            "absent, which an \"oct\" key needs (RFC 7518 section 6.4)",
        )
    })?;
    if secret.ends_with('=') || secret.ends_with(char::is_whitespace) {
        return Err(Fault::at(
            "k",
            "not base64url without padding (RFC 7518 section 6.4.1)",
        ));
    }
    let secret = Encoding::Base64url
        .decode(secret.as_bytes())
        .map_err(|why| Fault::at("k", why))?;
    Ok(Content::Secret(secret))
}

/// The key in the members or, without these, in the first certificate of `x5c` (RFC 7517 section
/// 4.7). If both are present, they must agree.
fn read_public(kty: &str, key: &Object) -> Result<(PublicMaterial, Certificate), Fault> {
    let members = public::read(kty, key)?;
    let certified = match key.get("x5c") {
        None => None,
        Some(Json::Array(chain)) => match chain.first() {
            Some(Json::String(first)) => Some(read_certificate(first)),
            _ => return Err(Fault::at("x5c", "not an array of certificates")),
        },
        Some(_) => {
            let why = "not an array of certificates (RFC 7517 section 4.7)";
            return Err(Fault::at("x5c", why));
        }
    };
    match (members, certified) {
        (None, None) => Err(Fault::new("the numbers of the key are absent")),
        (Some(members), None) => Ok((members, Certificate::None)),
        // The members alone are enough for a key.
        (Some(members), Some(Err(_))) => Ok((members, Certificate::Unreadable)),
        (Some(members), Some(Ok((certified, certificate)))) => {
            if members != certified {
                return Err(Fault::at(
                    "x5c",
                    "the certificate is for another key (RFC 7517 section 4.7)",
                ));
            }
            Ok((members, certificate))
        }
        (None, Some(certified)) => {
            let (certified, certificate) = certified?;
            let crv = key.text("crv")?;
            if certified.kty() != kty || crv.is_some_and(|crv| Some(crv) != certified.subtype()) {
                return Err(Fault::at(
                    "x5c",
                    "the certificate is for a key of another type",
                ));
            }
            Ok((certified, certificate))
        }
    }
}

/// A certificate in base64, not base64url (RFC 7517 section 4.7).
fn read_certificate(text: &str) -> Result<(PublicMaterial, Certificate), Fault> {
    let der = base64_simd::STANDARD
        .decode_to_vec(text)
        .map_err(|_| Fault::at("x5c", "not base64 (RFC 7517 section 4.7)"))?;
    let key = certificate::read(&der).map_err(|fault| fault.with_member(Some("x5c")))?;
    Ok((key.material, key.certificate))
}

/// RFC 7517 section 4.2: a key with a `use` other than `sig` does not verify.
fn purpose(key: &Object) -> Result<Option<&str>, Fault> {
    match key.get("use") {
        None => Ok(None),
        Some(Json::String(purpose)) => Ok(Some(purpose)),
        Some(_) => Err(Fault::at("use", "not a string (RFC 7517 section 4.2)")),
    }
}

fn operations(key: &Object) -> Result<Option<Vec<String>>, Fault> {
    let wrong = || Fault::at("key_ops", "not an array of strings (RFC 7517 section 4.3)");
    let text = |operation: &Json| match operation {
        Json::String(text) => Ok(String::clone(text)),
        _ => Err(wrong()),
    };
    match key.get("key_ops") {
        None => Ok(None),
        Some(Json::Array(operations)) => operations
            .iter()
            .map(text)
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(wrong()),
    }
}

/// RFC 7517 section 4.3: `key_ops` must allow verifying. For a secret or a private key, `sign` does
/// so too.
fn allow_verifying(operations: Option<&[String]>, may_sign: bool) -> bool {
    let allows = |name: &String| name == "verify" || (name == "sign" && may_sign);
    operations.is_none_or(|operations| operations.iter().any(allows))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only_key(members: &str) -> Result<Vec<&'static str>, (&'static str, bool)> {
        let jwk = format!(r#"{{"kty":"oct","k":"c2VjcmV0"{members}}}"#);
        let mut keys = read(jwk.as_bytes(), "here").ok().unwrap().keys;
        match keys.remove(0).key {
            Ok(key) => Ok(key.algorithms.iter().map(Algorithm::name).collect()),
            Err(fault) => Err((fault.member.unwrap(), fault.is_other_type)),
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
            // Malformed, though its use rules it out as well.
            (
                r#","use":"enc","key_ops":"verify""#,
                Err(("key_ops", false)),
            ),
            (r#","kid":1"#, Err(("kid", false))),
        ] {
            let found = only_key(members);
            assert_eq!(found.as_deref().map_err(|e| *e), expected, "{members}");
        }
    }

    #[test]
    fn a_secret_of_zero_bytes_is_a_key() {
        let text = r#"{"kty":"oct","k":"AAAA"}"#;
        let key = read(text.as_bytes(), "here").ok().unwrap().keys.remove(0);
        assert!(key.key.is_ok());
    }

    #[test]
    fn malformed_members_are_named() {
        for (jwk, member, is_other_type) in [
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "n", false),
            (r#"{"kty":"RSA","e":"AQAB"}"#, "n", false),
            (r#"{"kty":"RSA","n":"AAEAAQ","e":"AQAB"}"#, "n", false),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB="}"#, "e", false),
            (
                r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}"#,
                "x",
                false,
            ),
            (
                r#"{"kty":"EC","crv":"P-192","x":"AQ","y":"AQ"}"#,
                "crv",
                true,
            ),
            (r#"{"kty":"EC","x":"AQ","y":"AQ"}"#, "crv", false),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AQ"}"#, "x", false),
            (r#"{"kty":"OKP","crv":"X25519","x":"AQ"}"#, "crv", true),
            (r#"{"kty":"AKP","pub":"AQ"}"#, "alg", false),
            (
                r#"{"kty":"AKP","pub":"AQ","alg":"ML-DSA-44"}"#,
                "pub",
                false,
            ),
            (r#"{"kty":"AKP","pub":"AQ","alg":"SLH-DSA"}"#, "alg", true),
            (r#"{"kty":"unheard-of"}"#, "kty", true),
            (r#"{"kty":1}"#, "kty", false),
            (r#"{"kty":"oct"}"#, "k", false),
            (r#"{"kty":"oct","k":""}"#, "k", false),
            (r#"{"kty":"oct","k":"c2Vjcm V0"}"#, "k", false),
            (r#"{"kty":"oct","k":"c2VjcmV0cw=="}"#, "k", false),
            (r#"{"kty":"oct","k":"c2VjcmV0\n"}"#, "k", false),
            (r#"{"kty":"oct","k":["c2VjcmV0"]}"#, "k", false),
            (r#"{"kty":"oct","k":"\ufeffc2VjcmV0"}"#, "k", false),
        ] {
            let mut keys = read(jwk.as_bytes(), "here").ok().unwrap().keys;
            let fault = keys.remove(0).key.err().unwrap();
            assert_eq!(
                (fault.member, fault.is_other_type),
                (Some(member), is_other_type),
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

    #[test]
    fn a_member_twice_at_the_top_is_an_error_with_its_place() {
        for (text, hint) in [
            (
                "{\"keys\":[],\n \"keys\":[{\"kty\":\"oct\",\"k\":\"YQ\"}]}",
                "the member \"keys\" occurs twice at line 2 column 7",
            ),
            (
                r#"{"kty":"oct","k":"YQ","\u006b":"Yg"}"#,
                "the member \"k\" occurs twice at line 1",
            ),
            // It might be a secret in the wrong place.
            (
                r#"{"S3cr3t":1,"kty":"oct","S3cr3t":2}"#,
                "a member occurs twice at line 1",
            ),
        ] {
            let problem = read(text.as_bytes(), "here").err().unwrap().problem;
            assert!(problem.contains(hint), "{problem}");
            assert!(!problem.contains("S3cr3t"), "{problem}");
        }
        let below = r#"{"kty":"oct","k":"YQ","x":{"y":1,"y":1}}"#;
        let key = read(below.as_bytes(), "here").ok().unwrap().keys.remove(0);
        assert!(key.key.is_err());
    }

    #[test]
    fn what_has_keys_is_a_set_whatever_else_it_has() {
        for text in [
            r#"{"kty":"oct","k":"YQ","keys":[]}"#,
            r#"{"keys":[],"x":{"y":1,"y":1}}"#,
        ] {
            let document = read(text.as_bytes(), "here").ok().unwrap();
            assert!(document.is_set && document.keys.is_empty(), "{text}");
        }
    }

    #[test]
    fn a_byte_order_mark_is_ignored() {
        let text = "\u{feff}{\"keys\":[{\"kty\":\"oct\",\"k\":\"YQ\"}]}";
        assert_eq!(read(text.as_bytes(), "here").ok().unwrap().keys.len(), 1);
        assert!(read("\u{feff}\u{feff}{}".as_bytes(), "here").is_err());
    }
}
