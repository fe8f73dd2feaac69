//! Which keys a JSON file holds: a JWK, a JWK Set, or one of the other shapes that sets come in.
//!
//! Owns the shapes; what a single JWK means is left to `jwk.rs`. A shape with two readings is an
//! error, and so is JSON that only says where the keys are.

use serde::de::IgnoredAny;

use super::fault::Fault;
use super::json::{self, Json, Object, RawObject};
use super::jwk;
use super::parsed::{KeyEntry, KeyFile};
use super::pem;
use super::shell;
use super::text::without_bom;
use crate::error::KeyError;
use crate::redact::redacted;
use crate::signature::AlgorithmSet;

/// Reads the keys of a JSON text that begins with a brace or a bracket.
///
/// An object with a member `keys` is a set, and its other members are ignored (RFC 7517 section 5),
/// even `kty`.
///
/// # Errors
/// [`KeyError`] for JSON of another shape, and for a member name that occurs twice at the top.
pub(super) fn read(text: &[u8], origin: &str) -> Result<KeyFile, KeyError> {
    let error = |problem: String| KeyError {
        origin: origin.to_owned(),
        problem,
    };
    let text = without_bom(text);
    if text.trim_ascii_start().starts_with(b"[") {
        let elements = (std::str::from_utf8(text).ok()).and_then(json::elements);
        let elements = elements.ok_or_else(|| error(not_json(text, origin)))?;
        return Ok(set(elements.into_iter().map(read_element)));
    }
    let top = json::read_top(text, &jwk::MEMBERS).map_err(|e| match e.is_data() {
        true if serde_json::from_slice::<IgnoredAny>(text).is_ok() => error(format!(
            "{e}; member names are unique (RFC 7517 sections 4 and 5)"
        )),
        _ => error(not_json(text, origin)),
    })?;
    if let Some(keys) = top.get("keys") {
        return read_keys(keys).map_err(error);
    }
    if top.get("kty").is_some() {
        return Ok(KeyFile {
            keys: vec![jwk::read(&top.read())],
            is_set: false,
        });
    }
    read_other(top, origin).map_err(error)
}

/// The member `keys` of a set: an array, or an object that has the keys by name.
fn read_keys(keys: &str) -> Result<KeyFile, String> {
    if let Some(elements) = json::elements(keys) {
        return Ok(set(elements.into_iter().map(read_element)));
    }
    let wrong = "\"keys\" is neither an array nor an object of JWKs (RFC 7517 section 5.1)";
    let keys = json::read_object(keys).ok_or_else(|| wrong.to_owned())?;
    match by_name(&keys) {
        Some(Named::Jwks) => Ok(set(keys.into_members().map(read_named))),
        Some(Named::Pem) => Ok(set(keys.into_members().flat_map(read_pem))),
        None if keys.get("kty").is_some() && !keys.has_object() => Ok(set([jwk::read(&keys)])),
        None => Err(wrong.to_owned()),
    }
}

/// Objects that are neither a JWK nor have a member `keys`.
fn read_other(top: RawObject<'_>, origin: &str) -> Result<KeyFile, String> {
    let top = top.read();
    match by_name(&top) {
        Some(Named::Jwks) => Ok(set(top.into_members().map(read_named))),
        Some(Named::Pem) => Ok(set(top.into_members().flat_map(read_pem))),
        None => Err(named(&top, origin)),
    }
}

/// What the members of an object are whose names are ids.
enum Named {
    Jwks,
    /// PEM, as Google and Firebase publish certificates.
    Pem,
}

/// Whether every member of an object is a key, so that the names can only be ids.
fn by_name(object: &Object) -> Option<Named> {
    let all = |is: fn(&Json) -> bool| object.members().all(|(_, value)| is(value));
    if object.members().next().is_none() {
        None
    } else if all(|value| matches!(value, Json::Object(key) if key.get("kty").is_some())) {
        Some(Named::Jwks)
    } else {
        all(is_pem).then_some(Named::Pem)
    }
}

fn is_pem(value: &Json) -> bool {
    matches!(value, Json::String(text) if pem::is_pem(text.as_bytes()))
}

/// A JWK whose name is its id, unless it has one of its own. PHP writes an array with gaps as an
/// object, whose names are then numbers and no ids.
fn read_named((name, value): (String, Json)) -> KeyEntry {
    let Json::Object(key) = value else {
        return no_object();
    };
    let mut entry = jwk::read(&key);
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    if key.get("kid").is_none() && !is_number {
        entry.id = Some(name);
    }
    entry
}

/// The keys of a PEM text whose name is their id.
fn read_pem((name, value): (String, Json)) -> Vec<KeyEntry> {
    let Json::String(text) = value else {
        return vec![no_object()];
    };
    let mut entries = pem::read(text.as_bytes());
    for entry in &mut entries {
        entry.id = Some(name.clone());
    }
    entries
}

/// An element of an array.
fn read_element(element: &str) -> KeyEntry {
    match json::read_object(element) {
        Some(key) => jwk::read(&key),
        None => no_object(),
    }
}

fn no_object() -> KeyEntry {
    KeyEntry {
        id: None,
        certified: None,
        der: None,
        key: Err(Fault::new("the member is not an object").fitting(AlgorithmSet::EMPTY)),
    }
}

fn set(keys: impl IntoIterator<Item = KeyEntry>) -> KeyFile {
    KeyFile {
        keys: keys.into_iter().collect(),
        is_set: true,
    }
}

/// Why a text is no JSON.
fn not_json(text: &[u8], origin: &str) -> String {
    let Err(e) = serde_json::from_slice::<IgnoredAny>(text) else {
        return "JSON that cannot be read".to_owned();
    };
    let mut values = serde_json::Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let is_several = matches!((values.next(), values.next()), (Some(Ok(_)), Some(Ok(_))));
    if is_several {
        let command = shell::with_file("jq -s . FILE > FILE.json", origin);
        return format!(
            "several JSON values, where one is expected; make an array of them: {command}"
        );
    }
    format!("not JSON ({e}); a JWK Set or a JWK is expected")
}

/// What an object is that holds no keys by itself, and how to get them.
fn named(top: &Object, origin: &str) -> String {
    let command = |command: &str| shell::with_file(command, origin);
    let text = |name| match top.get(name) {
        Some(Json::String(text)) => Some(&***text),
        _ => None,
    };
    let fetch = |url: &str, ending: &str| {
        let file = shell::name(origin, ending);
        format!("curl -fsSL -o {file} {}", shell::quoted(url))
    };
    if let Some(Json::Object(_)) = top.get("jwks") {
        let command = command("jq .jwks FILE > FILE.json");
        return format!("the key set is in the member \"jwks\" of it; take it out: {command}");
    }
    if let Some(url) = text("jwks_uri") {
        return match shown_url(url) {
            Some(url) => format!(
                "a discovery document, which only says where the keys are (jwks_uri); jotmill fetches \
                 nothing: {}",
                fetch(url, ".jwks.json")
            ),
            None => {
                "a discovery document, whose jwks_uri is no plain URL; fetch the keys from where \
                     the issuer publishes them"
                    .to_owned()
            }
        };
    }
    if text("type") == Some("service_account") {
        return match text("client_x509_cert_url").and_then(shown_url) {
            Some(url) => format!(
                "a service account of Google, which holds a private key; its public keys: {}",
                fetch(url, ".keys.json")
            ),
            None => "a service account of Google, which holds a private key; give its public keys"
                .to_owned(),
        };
    }
    if text("public_key").is_some() {
        let command = command("jq -r .public_key FILE > FILE.txt");
        return format!(
            "a document with one key in the member \"public_key\", as Keycloak has for a realm; take \
             it out: {command}"
        );
    }
    if top.members().any(|(_, value)| is_pem(value)) {
        return "some members are PEM and others are not, so that the names may be ids or not; give \
                the PEM in a file of its own, or an object of ids and PEM alone"
            .to_owned();
    }
    if top.get("error").is_some() {
        return "an error that a server answered, and no keys; see what it says, and fetch the keys \
                again"
            .to_owned();
    }
    "neither a JWK Set (no \"keys\") nor a JWK (no \"kty\"); RFC 7517 sections 4 and 5".to_owned()
}

/// A URL that a message may show: short, plain, and without a credential.
fn shown_url(url: &str) -> Option<&str> {
    const LONGEST: usize = 512;
    let is_plain = |byte: u8| byte.is_ascii_graphic();
    let has_scheme = ["https://", "http://", "file:///"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    let is_shown = url.len() <= LONGEST && url.bytes().all(is_plain) && *redacted(url) == *url;
    (has_scheme && is_shown && !url.contains('@')).then_some(url)
}
