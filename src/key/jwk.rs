//! JSON Web Keys (RFC 7517): a set, or one key.
//!
//! Owns which members are read and what they mean. A key set is trusted input and off the hot path,
//! so it is read into a plain tree (`json.rs`). One bad key never fails a set. Null in an optional
//! member and an empty array that says nothing count as absent: .NET and Java write them.

use super::base64::{self, Alphabet, Decoded};
use super::certificate;
use super::fault::{Fault, shown};
use super::json::{self, Json, Object, Repeat};
use super::parsed::{Certificate, Content, KeyEntry, KeyFile, ParsedKey, checked};
use super::public::{self, Numbers};
use crate::error::KeyError;
use crate::signature::public::PublicMaterial;
use crate::signature::{Algorithm, AlgorithmSet, REGISTERED};

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
    let text = without_bom(text);
    let document = json::read_top(text, &MEMBERS).map_err(|e| {
        let is_object = text.trim_ascii_start().starts_with(b"{");
        error(if e.is_data() && !is_object {
            "not a JSON object; a JWK Set has a member \"keys\"".to_owned()
        } else if e.is_data() {
            format!("{e}; member names are unique (RFC 7517 sections 4 and 5)")
        } else {
            format!("not JSON ({e}); a JWK Set or a JWK is expected")
        })
    })?;
    if let Some(keys) = document.get("keys") {
        let members = json::elements(keys)
            .ok_or_else(|| error("\"keys\" is not an array (RFC 7517 section 5.1)".to_owned()))?;
        let keys = members.into_iter().map(read_member).collect();
        return Ok(KeyFile { keys, is_set: true });
    }
    if document.get("kty").is_none() {
        return Err(error(
            "neither a JWK Set (no \"keys\") nor a JWK (no \"kty\"); RFC 7517 sections 4 and 5"
                .to_owned(),
        ));
    }
    Ok(KeyFile {
        keys: vec![read_key(&document.read())],
        is_set: false,
    })
}

/// Drops a byte order mark, which RFC 8259 section 8.1 allows and some editors write.
pub(super) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

fn read_member(member: &str) -> KeyEntry {
    match json::read_object(member) {
        Some(key) => read_key(&key),
        None => KeyEntry {
            id: None,
            certified: None,
            key: Err(Fault::new("the member is not an object").fitting(AlgorithmSet::EMPTY)),
        },
    }
}

fn read_key(key: &Object) -> KeyEntry {
    let (id, id_is_sound) = match key.get("kid") {
        Some(Json::String(id)) => (Some(String::clone(id)), true),
        Some(_) => (None, false),
        None => (None, true),
    };
    let content = match (key.unreadable(), key.repeat()) {
        (Some(name), _) => Err(unreadable(name)),
        (None, Some(repeat)) => Err(repeated(&repeat)),
        (None, None) if id_is_sound => read_content(key),
        (None, None) => Err(Fault::at("kid", "not a string (RFC 7517 section 4.5)")),
    };
    KeyEntry {
        id,
        certified: None,
        key: content.map_err(|fault| fault.fitting(public::algorithms_of_type(key))),
    }
}

/// RFC 8259 sections 6, 8.2 and 9: readers differ in such values, so that another one might take the
/// key for something else.
fn unreadable(name: &str) -> Fault {
    let why = "holds a lone surrogate, a number beyond doubles or too many levels, which JSON readers \
               do not take alike (RFC 8259)";
    match MEMBERS.into_iter().find(|member| *member == name) {
        Some(member) => Fault::at(member, why),
        None => Fault::new(format!("a member {why}")),
    }
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
    let mut is_authority = false;
    let (content, certificate, is_canonical) = match kty {
        "oct" => {
            let Decoded {
                bytes,
                is_canonical,
            } = read_secret(key)?;
            (Content::Secret(bytes), Certificate::None, is_canonical)
        }
        "RSA" | "EC" | "OKP" | "AKP" => {
            let public = read_public(kty, key)?;
            is_authority = public.is_authority;
            let content = Content::Public(checked(public.material)?);
            (content, public.certificate, public.is_canonical)
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
    let is_private = matches!(content, Content::Public(_)) && public::is_private(key);
    let may_sign = is_private || matches!(content, Content::Secret(_));
    let (alg, purpose, operations) = (key.text("alg")?, purpose(key)?, operations(key)?);
    let algorithms = match alg {
        None => of_type,
        // Nothing for an algorithm of another key type or one that jotmill does not verify: the key
        // is for something else.
        Some(name) => {
            let bound: AlgorithmSet = Algorithm::from_name(name).into_iter().collect();
            bound.intersection(of_type)
        }
    };
    let ruled_out = if let Some(purpose) = purpose.filter(|it| !VERIFYING_USES.contains(it)) {
        Some(Fault::at("use", other_use(purpose)))
    } else if !allow_verifying(operations.as_deref(), may_sign) {
        Some(Fault::at(
            "key_ops",
            other_operations(operations.as_deref()),
        ))
    } else {
        alg.filter(|_| algorithms.is_empty())
            .map(|alg| Fault::at("alg", other_alg(alg)))
    };
    Ok(ParsedKey {
        content,
        algorithms: match ruled_out {
            Some(_) => AlgorithmSet::EMPTY,
            None => algorithms,
        },
        ruled_out: ruled_out.map(|fault| fault.fitting(could_sign(of_type, alg))),
        alg: alg.map(str::to_owned),
        purpose: purpose.map(str::to_owned),
        operations,
        certificate,
        is_authority,
        is_private,
        has_empty_member: key.has_empty(&MAY_BE_EMPTY),
        is_canonical,
    })
}

/// The arrays that say nothing where they are empty.
const MAY_BE_EMPTY: [&str; 3] = ["key_ops", "oth", "x5c"];

/// The values of `use` with which a key may verify tokens: RFC 7517 section 4.2, and those that
/// SPIFFE trust bundles have for tokens.
const VERIFYING_USES: [&str; 3] = ["sig", "jwt-svid", "wit-svid"];

/// Why a `use` rules out verifying.
fn other_use(purpose: &str) -> String {
    let value = shown(purpose);
    match purpose {
        "enc" => format!("{value} is for encryption (RFC 7517 section 4.2)"),
        "x509-svid" => format!("{value} is for X.509 certificates, and never for tokens (SPIFFE)"),
        _ => format!("{value} is no registered use; \"sig\" verifies (RFC 7517 section 4.2)"),
    }
}

/// Why `key_ops` rule out verifying.
fn other_operations(operations: Option<&[String]>) -> String {
    /// RFC 7517 section 4.3 defines no more.
    const MOST: usize = 8;
    let operations = operations.unwrap_or_default();
    let listed: Vec<String> = operations.iter().take(MOST).map(|it| shown(it)).collect();
    let more = if operations.len() > MOST { ", …" } else { "" };
    let listed = listed.join(", ");
    format!("[{listed}{more}] has no \"verify\" (RFC 7517 section 4.3)")
}

/// Why an `alg` leaves nothing to verify.
fn other_alg(alg: &str) -> String {
    let value = shown(alg);
    if Algorithm::from_name(alg).is_some() {
        format!("{value} is for keys of another type (RFC 7517 section 4.4)")
    } else if REGISTERED.contains(&alg) {
        format!("{value} is an algorithm that jotmill does not verify (RFC 7517 section 4.4)")
    } else {
        format!("{value} is no registered algorithm (RFC 7517 section 4.4)")
    }
}

/// What a key that is ruled out may have signed all the same: anything of its type, unless its `alg`
/// is registered for something else.
fn could_sign(of_type: AlgorithmSet, alg: Option<&str>) -> AlgorithmSet {
    match alg.filter(|alg| REGISTERED.contains(alg)) {
        Some(alg) => Algorithm::from_name(alg).into_iter().collect(),
        None => of_type,
    }
}

fn read_secret(key: &Object) -> Result<Decoded, Fault> {
    let secret = key.text("k")?.ok_or_else(|| {
        Fault::at(
            "k",
            "absent, which an \"oct\" key needs (RFC 7518 section 6.4)",
        )
    })?;
    let secret =
        base64::decode(secret, Alphabet::UrlSafe, false).map_err(|why| Fault::at("k", why))?;
    if secret.bytes.is_empty() {
        let why = "empty, and with an empty secret anyone can sign";
        return Err(Fault::at("k", why));
    }
    Ok(secret)
}

/// A public key, and the certificate beside it.
struct Public {
    material: PublicMaterial,
    certificate: Certificate,
    is_authority: bool,
    is_canonical: bool,
}

/// The key in the members or, without these, in the first certificate of `x5c` (RFC 7517 section
/// 4.7). If both are present, they must agree; a certificate that cannot be read does not matter
/// then, since the members alone are enough for a key.
fn read_public(kty: &str, key: &Object) -> Result<Public, Fault> {
    let numbers = public::read(kty, key)?;
    let certified = match key.get("x5c") {
        None => None,
        Some(Json::Array(chain)) => match chain.first() {
            None => None,
            Some(Json::String(first)) => Some(read_certificate(first)),
            Some(_) => Some(Err(Fault::at("x5c", "not an array of certificates"))),
        },
        Some(_) => {
            let why = "not an array of certificates (RFC 7517 section 4.7)";
            Some(Err(Fault::at("x5c", why)))
        }
    };
    match (numbers, certified) {
        (None, None) => Err(Fault::new(
            "the numbers of the key are absent, and so is an array of certificates (x5c)",
        )),
        (Some(numbers), None) => Ok(numbers.with(Certificate::None)),
        (Some(numbers), Some(Err(_))) => Ok(numbers.with(Certificate::Unreadable)),
        (Some(numbers), Some(Ok(certified))) => {
            if numbers.material != certified.material {
                return Err(Fault::at(
                    "x5c",
                    "the certificate is for another key (RFC 7517 section 4.7)",
                ));
            }
            Ok(Public {
                is_canonical: numbers.is_canonical && certified.is_canonical,
                ..certified
            })
        }
        (None, Some(certified)) => {
            let certified = certified?;
            let material = &certified.material;
            let crv = key.text("crv")?;
            if material.kty() != kty || crv.is_some_and(|crv| Some(crv) != material.subtype()) {
                return Err(Fault::at(
                    "x5c",
                    "the certificate is for a key of another type",
                ));
            }
            Ok(certified)
        }
    }
}

impl Numbers {
    /// A key of these numbers alone.
    fn with(self, certificate: Certificate) -> Public {
        Public {
            material: self.material,
            certificate,
            is_authority: false,
            is_canonical: self.is_canonical,
        }
    }
}

/// A certificate in base64, not base64url (RFC 7517 section 4.7).
fn read_certificate(text: &str) -> Result<Public, Fault> {
    let der = base64::decode(text, Alphabet::Standard, true)
        .map_err(|_| Fault::at("x5c", "not base64 (RFC 7517 section 4.7)"))?;
    let key = certificate::read(&der.bytes).map_err(|fault| fault.with_member(Some("x5c")))?;
    Ok(Public {
        material: key.material,
        certificate: key.certificate,
        is_authority: key.is_authority,
        is_canonical: der.is_canonical,
    })
}

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
        Some(Json::Array(operations)) if operations.is_empty() => Ok(None),
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
            (r#","use":"jwt-svid""#, Ok(&all)),
            (r#","use":"wit-svid""#, Ok(&all)),
            (r#","use":"x509-svid""#, Ok(&[])),
            (r#","use":"SIG""#, Ok(&[])),
            (r#","use":"""#, Ok(&[])),
            (r#","use":7"#, Err(("use", false))),
            (r#","use":["sig"]"#, Err(("use", false))),
            (r#","key_ops":["verify"]"#, Ok(&all)),
            (r#","key_ops":["sign"],"use":"sig""#, Ok(&all)),
            (r#","key_ops":["deriveKey"]"#, Ok(&[])),
            (r#","key_ops":[""]"#, Ok(&[])),
            (r#","key_ops":[null]"#, Err(("key_ops", false))),
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
            (r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#, "n", false),
            (r#"{"kty":"RSA","n":null,"e":"AQAB"}"#, "n", false),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQ\u00e9B"}"#, "e", false),
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
            (r#"{"kty":"oct","k":null}"#, "k", false),
            (r#"{"kty":null,"k":"c2VjcmV0"}"#, "kty", false),
            (r#"{"kty":"oct","k":"c2VjcmV0="}"#, "k", false),
            (r#"{"kty":"oct","k":"c2Vjcm=V0"}"#, "k", false),
            (r#"{"kty":"oct","k":"c2Vjcm?V0"}"#, "k", false),
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

    /// What is unusual about a key: an empty member, a value that is not canonical, private material.
    fn unusual(members: &str) -> [bool; 3] {
        let text = format!("{{{members}}}");
        let key = read(text.as_bytes(), "here")
            .ok()
            .unwrap()
            .keys
            .remove(0)
            .key;
        let key = key.ok().unwrap();
        [key.has_empty_member, !key.is_canonical, key.is_private]
    }

    #[test]
    fn empty_members_count_as_absent_and_are_found() {
        let secret = r#""kty":"oct","k":"c2VjcmV0""#;
        assert_eq!(unusual(secret), [false; 3]);
        for member in [
            r#""kid":null"#,
            r#""use":null"#,
            r#""alg":null"#,
            r#""key_ops":null"#,
            r#""key_ops":[]"#,
            r#""x5c":null"#,
            r#""x5c":[]"#,
            r#""oth":[]"#,
            r#""x5t":null"#,
            r#""exp":null"#,
        ] {
            let found = unusual(&format!("{secret},{member}"));
            assert_eq!(found, [true, false, false], "{member}");
        }
        // These say something.
        for member in [r#""kid":"""#, r#""x5t":"""#, r#""ext":[]"#, r#""ext":{}"#] {
            let found = unusual(&format!("{secret},{member}"));
            assert_eq!(found, [false; 3], "{member}");
        }
    }

    #[test]
    fn a_key_is_private_where_there_is_private_material() {
        let public =
            r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
        for (member, is_empty, is_private) in [
            (r#""d":null"#, true, false),
            (r#""priv":null"#, true, false),
            (r#""d":"""#, false, false),
            (r#""oth":[]"#, true, false),
            (r#""oth":null"#, true, false),
            (r#""oth":{}"#, false, false),
            (r#""d":7"#, false, false),
            (r#""d":"AQ""#, false, true),
            (r#""dq":"AQ""#, false, true),
            (r#""oth":[{"r":"AQ"}]"#, false, true),
        ] {
            let found = unusual(&format!("{public},{member}"));
            assert_eq!(found, [is_empty, false, is_private], "{member}");
        }
        // An empty d is no right to sign.
        for d in ["null", r#""""#] {
            let text = format!(r#"{{{public},"d":{d},"key_ops":["sign"]}}"#);
            let key = read(text.as_bytes(), "here")
                .ok()
                .unwrap()
                .keys
                .remove(0)
                .key;
            assert!(key.ok().unwrap().algorithms.is_empty(), "{d}");
        }
    }

    #[test]
    fn a_member_that_cannot_be_read_spoils_its_key_and_no_other() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for member in [
            r#""x":"\ud800""#,
            r#""x":1e999"#,
            r#""x":{"y":["\udfff"]}"#,
            r#""\ud800":1,"k":1e999"#,
            &format!(r#""x":{deep}"#),
        ] {
            let bad = format!(r#"{{"kty":"oct","k":"YQ","kid":"bad",{member}}}"#);
            let text = format!(r#"{{"keys":[{bad},{{"kty":"oct","k":"YQ"}}],{member}}}"#);
            let keys = read(text.as_bytes(), "here").ok().unwrap().keys;
            let usable: Vec<_> = keys.iter().map(|key| key.key.is_ok()).collect();
            assert_eq!(usable, [false, true], "{member:.40}");
            assert_eq!(keys[0].id.as_deref(), Some("bad"), "{member:.40}");
        }
        let text = r#"{"keys":[{"kty":"oct","k":"YQ","kid":"\ud800"},{"kty":"oct","k":"YQ"}]}"#;
        let keys = read(text.as_bytes(), "here").ok().unwrap().keys;
        let fault = keys[0].key.as_ref().err().unwrap();
        assert_eq!((fault.member, keys[0].id.is_none()), (Some("kid"), true));
        assert!(keys[1].key.is_ok());
    }

    #[test]
    fn values_that_rule_a_key_out_are_told() {
        for (member, value) in [
            (r#""use":"enc""#, "\"enc\" is for encryption"),
            (r#""use":"x509-svid""#, "never for tokens"),
            (r#""use":"signature""#, "\"signature\" is no registered use"),
            (
                r#""alg":"RSA-OAEP""#,
                "\"RSA-OAEP\" is an algorithm that jotmill does not verify",
            ),
            (r#""alg":"hs256""#, "\"hs256\" is no registered algorithm"),
            (r#""alg":"ES256""#, "\"ES256\" is for keys of another type"),
            (
                r#""key_ops":["deriveKey","wrapKey"]"#,
                "[\"deriveKey\", \"wrapKey\"]",
            ),
            // It may be the secret in the wrong place.
            (
                r#""alg":"0123456789abcdef0123456789abcdef""#,
                "a value of 32 bytes, not shown",
            ),
        ] {
            let text = format!(r#"{{"kty":"oct","k":"YQ",{member}}}"#);
            let key = read(text.as_bytes(), "here")
                .ok()
                .unwrap()
                .keys
                .remove(0)
                .key;
            let why = key.ok().unwrap().ruled_out.unwrap().why;
            assert!(why.contains(value), "{why}");
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
