//! JSON Web Keys (RFC 7517).
//!
//! Owns which members are read and what they mean. A key set is trusted input and off the hot path,
//! so it is read into a plain tree (`json.rs`). One bad key never fails a set. Null in an optional
//! member and an empty array that says nothing count as absent: .NET and Java write them.

use super::base64::{self, Alphabet, Decoded};
use super::certificate;
use super::fault::{Fault, shown};
use super::json::{Json, Object, Repeat};
use super::parsed::{Certificate, Content, KeyEntry, ParsedKey, checked};
use super::public::{self, Numbers};
use crate::signature::public::PublicMaterial;
use crate::signature::{Algorithm, AlgorithmSet, REGISTERED};

/// The members that are read. Messages quote no other member names, since one might be a secret in
/// the wrong place.
pub(super) const MEMBERS: [&str; 22] = [
    "keys", "kty", "k", "kid", "alg", "use", "key_ops", "x5c", "n", "e", "crv", "x", "y",
    "pub", //
    "d", "p", "q", "dp", "dq", "qi", "oth", "priv",
];

/// Reads a JWK.
pub(super) fn read(key: &Object) -> KeyEntry {
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
        der: None,
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
    let (mut is_authority, mut restricted_to) = (false, AlgorithmSet::ALL);
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
            (is_authority, restricted_to) = (public.is_authority, public.restricted_to);
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
        Content::Public(key) => key.material().algorithms().intersection(restricted_to),
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
    /// The algorithms that its certificate restricts it to, beside those of its type.
    restricted_to: AlgorithmSet,
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
            restricted_to: AlgorithmSet::ALL,
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
        restricted_to: key.restricted_to,
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
mod tests;
