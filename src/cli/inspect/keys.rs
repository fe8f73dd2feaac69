//! What is said of a key: what it is, what there is to know of it, and why it does not verify an
//! algorithm. Which keys a token leads to is left to `details`.
//!
//! Of a secret nothing is said but that it is one.

use jotmill::{Algorithm, Key, KeyFinding, UnixTime, Validity};
use serde_json::{Value, json};

use super::details::{Note, own};
use super::escape::{grouped, quoted};

/// What a key is, with an article.
pub(super) fn kind(key: &Key) -> String {
    match (key.kty(), key.subtype()) {
        ("RSA", _) => format!("an RSA key of {} bits", grouped(key.bits())),
        ("EC", Some(curve)) => format!("an EC key on {curve}"),
        (_, Some(name)) => format!("an {name} key"),
        _ => "a secret".to_owned(),
    }
}

/// The key that an algorithm takes, with an article, and the section that says so.
const fn taken_by(algorithm: Algorithm) -> (&'static str, &'static str) {
    match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => {
            ("a secret", "RFC 7518 section 3.2")
        }
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => {
            ("an RSA key", "RFC 7518 section 3.3")
        }
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => {
            ("an RSA key", "RFC 7518 section 3.5")
        }
        Algorithm::Es256 => ("an EC key on P-256", "RFC 7518 section 3.4"),
        Algorithm::Es384 => ("an EC key on P-384", "RFC 7518 section 3.4"),
        Algorithm::Es512 => ("an EC key on P-521", "RFC 7518 section 3.4"),
        Algorithm::Es256k => ("an EC key on secp256k1", "RFC 8812 section 3.2"),
        Algorithm::EdDsa => ("an Ed25519 or Ed448 key", "RFC 8037 section 3.1"),
        Algorithm::Ed25519 => ("an Ed25519 key", "RFC 9864 section 2.2"),
        Algorithm::Ed448 => ("an Ed448 key", "RFC 9864 section 2.2"),
        Algorithm::MlDsa44 => ("an ML-DSA-44 key", "FIPS 204 section 4"),
        Algorithm::MlDsa65 => ("an ML-DSA-65 key", "FIPS 204 section 4"),
        Algorithm::MlDsa87 => ("an ML-DSA-87 key", "FIPS 204 section 4"),
        _ => ("a key of another type", "RFC 7518 section 3"),
    }
}

/// What an algorithm takes, as a sentence.
pub(super) fn wanted(algorithm: Algorithm) -> String {
    let (kind, section) = taken_by(algorithm);
    format!("{algorithm} takes {kind} ({section})")
}

/// Whether a key of this type can verify an algorithm, whatever its JWK binds it to.
fn is_of_type(key: &Key, algorithm: Algorithm) -> bool {
    let name = algorithm.name();
    match (key.kty(), key.subtype()) {
        ("RSA", _) => name.starts_with("RS") || name.starts_with("PS"),
        ("EC", Some(curve)) => taken_by(algorithm).0 == format!("an EC key on {curve}"),
        ("OKP", Some(curve)) => name == "EdDSA" || name == curve,
        (_, Some(set)) => name == set,
        _ => algorithm.is_hmac(),
    }
}

/// Why a key that the token names does not verify its algorithm.
pub(super) fn misfit(key: &Key, algorithm: Algorithm) -> String {
    let kind = kind(key);
    if !is_of_type(key, algorithm) {
        return format!("it is {kind}; {}", wanted(algorithm));
    }
    match (key.alg(), key.purpose()) {
        (Some(alg), _) if alg != algorithm.name() => format!(
            "it is {kind}, bound to {} by its alg (RFC 7517 section 4.4)",
            quoted(alg)
        ),
        (_, Some(purpose)) if purpose != "sig" => format!(
            "it is {kind}, for {} by its use (RFC 7517 section 4.2)",
            quoted(purpose)
        ),
        _ => format!("it is {kind}, and its key_ops do not verify (RFC 7517 section 4.3)"),
    }
}

/// What there is to know of the public key that verified a token; nothing for a secret.
pub(super) fn notes(key: &Key, findings: &[KeyFinding]) -> Vec<Note> {
    let Some(thumbprint) = key.thumbprint() else {
        return vec![];
    };
    let mut notes = vec![own(format!("it is {}", kind(key)))];
    // Where the thumbprint is the name already, it is not told twice.
    if key.name() != thumbprint {
        notes.push(own(format!("its thumbprint is {thumbprint} (RFC 7638)")));
    }
    if let Some(Validity {
        not_before,
        not_after,
    }) = key.validity()
    {
        notes.push(own(format!(
            "its certificate is valid from {} to {}",
            date(not_before),
            date(not_after)
        )));
    }
    notes.extend(
        findings
            .iter()
            .map(|finding| own(format!("{}: {}", finding.code(), finding.meaning()))),
    );
    notes
}

/// The same for programs.
pub(super) fn members(key: &Key, findings: &[KeyFinding]) -> Vec<(&'static str, Value)> {
    let mut members = vec![("kty", key.kty().into())];
    if let Some(thumbprint) = key.thumbprint() {
        let validity = key.validity().map(|validity| {
            json!({
                "not_before": date(validity.not_before),
                "not_after": date(validity.not_after),
            })
        });
        members.extend([
            ("subtype", key.subtype().into()),
            ("bits", key.bits().into()),
            ("thumbprint", thumbprint.into()),
            ("validity", validity.into()),
        ]);
    }
    let codes = findings.iter().map(|finding| finding.code());
    members.push(("findings", codes.collect()));
    members
}

/// A moment in seconds, in UTC.
fn date(seconds: u64) -> String {
    UnixTime::new(seconds, 0).map_or_else(|| seconds.to_string(), |time| time.to_string())
}
