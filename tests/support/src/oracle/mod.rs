//! The slow oracle: a second, independent reading of the verdict rules.
//!
//! It owns one question, "which codes does this line deserve?", and answers it the obvious way:
//! allocate, decode everything, walk everything, compare exactly. Nothing here is shared with the
//! program it judges, so a mistake has to be made twice, in two styles, to go unseen. Signatures
//! are verified by other crates as well. Speed, reports and reading of files are left to others,
//! and so are keys in any form but a JWK.

mod exact;
mod findings;
mod issuers;
mod json;
mod keys;
mod public;
mod rules;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Number, Value};

use exact::Exact;
pub use issuers::judge_by_issuer;
use json::{Flaw, Members};
pub use keys::{Key, Kind, keys_from_jwks};
pub use public::decode as decode_member;
pub use rules::{Rules, Wanted};

/// Every code of the verdict table in its order. `issuer-unknown` is for whoever knows several
/// issuers, and so comes of `judge_by_issuer` alone.
pub const CODES: [&str; 55] = [
    "too-long",
    "segment-count",
    "encrypted",
    "header-base64url",
    "header-json",
    "header-not-object",
    "header-duplicate-member",
    "alg-missing",
    "alg-type",
    "alg-none",
    "alg-unsupported",
    "alg-not-allowed",
    "kid-type",
    "typ-type",
    "cty-type",
    "typ-mismatch",
    "crit-invalid",
    "b64-unsupported",
    "crit-unsupported",
    "issuer-unknown",
    "key-not-found",
    "key-mismatch",
    "key-unusable",
    "too-many-keys",
    "signature-base64url",
    "signature-length",
    "signature-mismatch",
    "payload-base64url",
    "payload-json",
    "payload-not-object",
    "payload-duplicate-member",
    "exp-type",
    "nbf-type",
    "iat-type",
    "iss-type",
    "sub-type",
    "aud-type",
    "jti-type",
    "expired",
    "not-yet-valid",
    "issued-in-future",
    "too-old",
    "lifetime-too-long",
    "issuer-mismatch",
    "subject-mismatch",
    "audience-mismatch",
    "missing-iss",
    "missing-sub",
    "missing-aud",
    "missing-exp",
    "missing-nbf",
    "missing-iat",
    "missing-jti",
    "missing-claim",
    "claim-mismatch",
];

/// The findings, in their order, but for that of `--kid-hint`: here a `kid` is always a rule.
pub const FINDINGS: [&str; 13] = [
    "padded",
    "bearer-or-quoted",
    "sd-jwt",
    "detached",
    "nonce-header",
    "compressed",
    "jwk-header",
    "jku-header",
    "x5c-header",
    "x5u-header",
    "weak-key",
    "ecdsa-high-s",
    "date-in-milliseconds",
];

/// What a token is held against.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Seconds and nanoseconds since 1970; the nanoseconds count forward.
    pub now: (i64, u32),
    /// Seconds of clock difference that are forgiven.
    pub leeway: u64,
    /// Seconds that a token may have existed; requires `iat`.
    pub max_age: Option<u64>,
    /// Seconds between `iat` and `exp`; requires both.
    pub max_lifetime: Option<u64>,
    /// Expected `iss`, any of these; empty is no expectation.
    pub issuers: Vec<String>,
    /// Expected `aud`, any of these; empty is no expectation.
    pub audiences: Vec<String>,
    /// Expected `sub`, any of these; empty is no expectation.
    pub subjects: Vec<String>,
    /// Names of claims that have to be there, registered or not.
    pub require: Vec<String>,
    /// Expected `typ`, any of these, compared as a media type; empty is no expectation.
    pub typ: Vec<String>,
    /// The allow-list of `alg`.
    pub algs: Option<Vec<String>>,
    /// Bytes of a line, without its ending and before it is trimmed.
    pub max_token_bytes: usize,
    /// Keys that may be tried for one token.
    pub max_key_tries: usize,
    /// What is expected beyond all this.
    pub rules: Rules,
}

impl Default for Policy {
    /// Expects nothing, and takes 1970 for the present until a test says otherwise.
    fn default() -> Policy {
        Policy {
            now: (0, 0),
            leeway: 0,
            max_age: None,
            max_lifetime: None,
            issuers: Vec::new(),
            audiences: Vec::new(),
            subjects: Vec::new(),
            require: Vec::new(),
            typ: Vec::new(),
            algs: None,
            max_token_bytes: 1 << 20,
            max_key_tries: 1000,
            rules: Rules::default(),
        }
    }
}

/// What one line deserves, and what its row may show.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// In table order; empty is valid.
    pub codes: Vec<&'static str>,
    /// Warnings, in the order of [`FINDINGS`].
    pub findings: Vec<&'static str>,
    /// The index of the key that verified the signature: the first that does.
    pub key: Option<usize>,
    /// As the header says, where the header is an object without duplicates and `alg` a string.
    pub alg: Option<String>,
    /// As the header says, under the same conditions.
    pub kid: Option<String>,
    /// A claim, where the signature held, the payload could be read and the type is right.
    pub iss: Option<String>,
    /// Like `iss`.
    pub sub: Option<String>,
    /// Like `iss`.
    pub jti: Option<String>,
    /// Like `iss`; exact for 64-bit integers, else the nearest double.
    pub exp: Option<Number>,
    /// Like `exp`.
    pub nbf: Option<Number>,
    /// Like `exp`.
    pub iat: Option<Number>,
    /// Unregistered names that the policy requires and the token lacks, each once, in policy order.
    pub missing: Vec<String>,
}

/// Judges one line, given without its LF. `None` is a blank line.
pub fn judge(line: &[u8], policy: &Policy, keys: &[Key]) -> Option<Judgement> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut out = Judgement::default();
    if line.len() > policy.max_token_bytes {
        out.codes.push("too-long");
        return Some(out);
    }
    let token = trim(line);
    if token.is_empty() {
        return None;
    }
    if let Err(code) = run_stages(token, policy, keys, &mut out) {
        out.codes.push(code);
    }
    (out.findings).extend(findings::of_text(token, out.alg.is_some()));
    findings::sort(&mut out.findings);
    Some(out)
}

type Code = &'static str;

fn trim(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Everything from structure to claims. An error is the one code of a stage before the claims.
fn run_stages(
    token: &[u8],
    policy: &Policy,
    keys: &[Key],
    out: &mut Judgement,
) -> Result<(), Code> {
    let segments: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
    let [header, payload, signature] = segments[..] else {
        let header = decode(segments[0], false).and_then(|header| json::object(&header).ok());
        let is_encrypted = header.is_some_and(|header| header.contains_key("enc"));
        return Err(match segments.len() {
            5 if is_encrypted => "encrypted",
            _ => "segment-count",
        });
    };
    let padded = policy.rules.accept_padding && is_padded(&segments);
    let signed = [header, b".", payload].concat();

    let header = decode(header, padded).ok_or("header-base64url")?;
    let header = json::object(&header).map_err(|flaw| match flaw {
        Flaw::Json => "header-json",
        Flaw::NotObject => "header-not-object",
        Flaw::Duplicate => "header-duplicate-member",
    })?;
    out.alg = header.get("alg").and_then(as_string);
    out.kid = header.get("kid").and_then(as_string);
    let brings = |finding: &Code| {
        let name = match *finding {
            "compressed" => Some("zip"),
            other => other.strip_suffix("-header"),
        };
        name.is_some_and(|name| header.contains_key(name))
    };
    out.findings = FINDINGS.into_iter().filter(brings).collect();
    let alg = check_header(&header, policy)?;

    let candidates = choose_keys(out.kid.as_deref(), &alg, policy, keys)?;

    let signature = decode(signature, padded).ok_or("signature-base64url")?;
    let fits = |&index: &usize| match keys[index].kind {
        Kind::Secret(_) => signature.len() == mac(&alg, b"any", b"").len(),
        Kind::Public(ref key) => signature.len() == key.signature_len,
        Kind::Other => false,
    };
    if !candidates.iter().any(fits) {
        return Err("signature-length");
    }
    let verifies = |&index: &usize| match &keys[index].kind {
        Kind::Secret(secret) => mac(&alg, secret, &signed) == signature,
        Kind::Public(key) => key.verifies(&alg, &signed, &signature),
        Kind::Other => false,
    };
    let index = candidates
        .into_iter()
        .find(verifies)
        .ok_or("signature-mismatch")?;
    out.key = Some(index);
    match &keys[index].kind {
        Kind::Secret(secret) if secret.len() < signature.len() => out.findings.push("weak-key"),
        Kind::Public(key) if key.is_high(&signature) => out.findings.push("ecdsa-high-s"),
        _ => {}
    }

    let text = decode(payload, padded).ok_or("payload-base64url")?;
    let payload = json::object(&text).map_err(|flaw| match flaw {
        Flaw::Json => "payload-json",
        Flaw::NotObject => "payload-not-object",
        Flaw::Duplicate => "payload-duplicate-member",
    })?;
    let text = std::str::from_utf8(&text).expect("JSON is UTF-8");
    check_claims(&payload, text, policy, out);
    Ok(())
}

/// Canonical base64url: these engines refuse other alphabets and non-zero trailing bits; the one
/// refuses padding, the other demands it.
fn decode(segment: &[u8], padded: bool) -> Option<Vec<u8>> {
    match padded {
        true => URL_SAFE.decode(segment).ok(),
        false => URL_SAFE_NO_PAD.decode(segment).ok(),
    }
}

/// Whether every segment is as long, and ends in as many `=`, as padding makes it.
fn is_padded(segments: &[&[u8]]) -> bool {
    segments
        .iter()
        .all(|segment| segment.len() % 4 == 0 && !segment.ends_with(b"==="))
}

fn mac(alg: &str, secret: &[u8], message: &[u8]) -> Vec<u8> {
    macro_rules! mac_with {
        ($hash:ty) => {{
            let mut mac = Hmac::<$hash>::new_from_slice(secret).expect("any length is a key");
            mac.update(message);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match alg {
        "HS256" => mac_with!(sha2::Sha256),
        "HS384" => mac_with!(sha2::Sha384),
        "HS512" => mac_with!(sha2::Sha512),
        other => unreachable!("{other} does not pass the header stage"),
    }
}

const HMAC: [&str; 3] = ["HS256", "HS384", "HS512"];
const PUBLIC: [&str; 16] = [
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512", //
    "ES256",
    "ES384",
    "ES512",
    "ES256K",
    "EdDSA",
    "Ed25519",
    "Ed448", //
    "ML-DSA-44",
    "ML-DSA-65",
    "ML-DSA-87",
];

/// The names that RFC 7515 (4.1) and RFC 7518 (4.6.1, 4.7.1, 4.8.1) register, and the two of
/// RFC 7516 (`enc`, `zip`) whose values RFC 7518 registers. `crit` may name none of them.
const REGISTERED_HEADER_NAMES: [&str; 20] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", //
    "epk", "apu", "apv", "iv", "tag", "p2s", "p2c", //
    "enc", "zip",
];

/// The header stage after its JSON. Returns `alg`.
fn check_header(header: &Members, policy: &Policy) -> Result<String, Code> {
    let alg = header.get("alg").ok_or("alg-missing")?;
    let alg = as_string(alg).ok_or("alg-type")?;
    if alg.eq_ignore_ascii_case("none") {
        return Err("alg-none");
    }
    if !HMAC.contains(&alg.as_str()) && !PUBLIC.contains(&alg.as_str()) {
        return Err("alg-unsupported");
    }
    if policy
        .algs
        .as_ref()
        .is_some_and(|allowed| !allowed.contains(&alg))
    {
        return Err("alg-not-allowed");
    }
    for (name, code) in [
        ("kid", "kid-type"),
        ("typ", "typ-type"),
        ("cty", "cty-type"),
    ] {
        if header.get(name).is_some_and(|value| !value.is_string()) {
            return Err(code);
        }
    }
    if !policy.typ.is_empty() {
        let actual = header.get("typ").and_then(as_string);
        let is_expected = |actual: String| {
            let mut expected = policy.typ.iter();
            expected.any(|expected| media_type(&actual) == media_type(expected))
        };
        if !actual.is_some_and(is_expected) {
            return Err("typ-mismatch");
        }
    }
    let critical = critical_names(header)?;
    if header
        .get("b64")
        .is_some_and(|value| *value != Value::Bool(true))
    {
        return Err("b64-unsupported");
    }
    let is_understood = |name: &String| name == "b64" || policy.rules.crit.contains(name);
    if !critical.iter().all(is_understood) {
        return Err("crit-unsupported");
    }
    Ok(alg)
}

fn media_type(text: &str) -> String {
    let prefix = if text.contains('/') {
        ""
    } else {
        "application/"
    };
    format!("{prefix}{text}").to_ascii_lowercase()
}

/// The names that `crit` lists: none where it is absent.
fn critical_names(header: &Members) -> Result<Vec<String>, Code> {
    let Some(crit) = header.get("crit") else {
        return Ok(Vec::new());
    };
    let names = as_strings(crit.as_array().ok_or("crit-invalid")?).ok_or("crit-invalid")?;
    let mut distinct = names.clone();
    distinct.sort();
    distinct.dedup();
    let may_be_named = |name: &String| {
        !name.is_empty()
            && header.contains_key(name)
            && !REGISTERED_HEADER_NAMES.contains(&name.as_str())
    };
    if names.is_empty() || distinct.len() != names.len() || !names.iter().all(may_be_named) {
        return Err("crit-invalid");
    }
    Ok(names)
}

/// The keys to try, in their order: never an empty list.
fn choose_keys(
    kid: Option<&str>,
    alg: &str,
    policy: &Policy,
    keys: &[Key],
) -> Result<Vec<usize>, Code> {
    let fits = |&index: &usize| {
        let key = &keys[index];
        !key.broken
            && key.verifies
            && match key.kind {
                Kind::Secret(_) => HMAC.contains(&alg),
                Kind::Public(ref key) => key.algorithms.contains(&alg),
                Kind::Other => false,
            }
            && key.alg.as_ref().is_none_or(|bound| bound == alg)
    };
    let all = 0..keys.len();
    let named: Vec<usize> = all
        .clone()
        .filter(|&index| kid.is_some() && keys[index].id.as_deref() == kid)
        .collect();

    let candidates: Vec<usize> = if !named.is_empty() {
        named.iter().copied().filter(fits).collect()
    } else if kid.is_some() {
        all.filter(|&index| keys[index].id.is_none())
            .filter(fits)
            .collect()
    } else {
        all.filter(fits).collect()
    };

    if candidates.is_empty() {
        return Err(if named.is_empty() {
            "key-not-found"
        } else if named.iter().any(|&index| !keys[index].broken) {
            "key-mismatch"
        } else {
            "key-unusable"
        });
    }
    // The limit bounds work, so it holds however the candidates were found.
    if candidates.len() > policy.max_key_tries {
        return Err("too-many-keys");
    }
    Ok(candidates)
}

/// A registered claim as a check sees it. Mistyped is neither absent nor a value, so that a claim
/// with a `-type` code gets no other.
enum Claim<T> {
    Absent,
    Mistyped,
    Is(T),
}

impl<T> Claim<T> {
    fn read(payload: &Members, name: &str, typed: impl Fn(&Value) -> Option<T>) -> Claim<T> {
        match payload.get(name).map(typed) {
            None => Claim::Absent,
            Some(None) => Claim::Mistyped,
            Some(Some(value)) => Claim::Is(value),
        }
    }

    fn value(&self) -> Option<&T> {
        match self {
            Claim::Is(value) => Some(value),
            Claim::Absent | Claim::Mistyped => None,
        }
    }

    fn is_absent(&self) -> bool {
        matches!(self, Claim::Absent)
    }

    fn is_mistyped(&self) -> bool {
        matches!(self, Claim::Mistyped)
    }
}

/// The claims stage: every code that applies, in table order.
fn check_claims(payload: &Members, text: &str, policy: &Policy, out: &mut Judgement) {
    let exp = Claim::read(payload, "exp", as_number);
    let nbf = Claim::read(payload, "nbf", as_number);
    let iat = Claim::read(payload, "iat", as_number);
    let iss = Claim::read(payload, "iss", as_string);
    let sub = Claim::read(payload, "sub", as_string);
    let aud = Claim::read(payload, "aud", as_audience);
    let jti = Claim::read(payload, "jti", as_string);

    out.exp = exp.value().cloned();
    out.nbf = nbf.value().cloned();
    out.iat = iat.value().cloned();
    out.iss = iss.value().cloned();
    out.sub = sub.value().cloned();
    out.jti = jti.value().cloned();

    let mut apply = |code: Code, applies: bool| {
        if applies {
            out.codes.push(code);
        }
    };
    let dates = [&exp, &nbf, &iat].map(|date| date.value().and_then(Number::as_f64));
    let is_in_milliseconds = |date: f64| (1e12..1e13).contains(&date);
    if dates.into_iter().flatten().any(is_in_milliseconds) {
        out.findings.push("date-in-milliseconds");
    }
    apply("exp-type", exp.is_mistyped());
    apply("nbf-type", nbf.is_mistyped());
    apply("iat-type", iat.is_mistyped());
    apply("iss-type", iss.is_mistyped());
    apply("sub-type", sub.is_mistyped());
    apply("aud-type", aud.is_mistyped());
    apply("jti-type", jti.is_mistyped());

    // Each rule of the contract with its subtractions moved across, so that only exact sums are
    // compared.
    let now = Exact::now(policy.now);
    let leeway = Exact::seconds(policy.leeway);
    let exp_at = exp.value().map(Exact::date);
    let nbf_at = nbf.value().map(Exact::date);
    let iat_at = iat.value().map(Exact::date);
    apply("expired", exp_at.is_some_and(|exp| now >= exp + leeway));
    apply(
        "not-yet-valid",
        nbf_at.is_some_and(|nbf| now + leeway < nbf),
    );
    apply(
        "issued-in-future",
        iat_at.is_some_and(|iat| now + leeway < iat),
    );
    if let (Some(max_age), Some(iat)) = (policy.max_age, iat_at) {
        apply("too-old", now > Exact::seconds(max_age) + leeway + iat);
    }
    if let (Some(max), Some(exp), Some(iat)) = (policy.max_lifetime, exp_at, iat_at) {
        apply("lifetime-too-long", exp > Exact::seconds(max) + iat);
    }

    let differs = |expected: &[String], actual: Option<&[String]>| {
        !expected.is_empty()
            && actual.is_some_and(|actual| !actual.iter().any(|one| expected.contains(one)))
    };
    let templates = &policy.rules.issuers;
    let fits = |iss: &String| {
        policy.issuers.contains(iss)
            || (templates.iter()).any(|template| rules::matches(template, iss, Some(payload)))
    };
    apply(
        "issuer-mismatch",
        !(policy.issuers.is_empty() && templates.is_empty())
            && iss.value().is_some_and(|iss| !fits(iss)),
    );
    apply(
        "subject-mismatch",
        differs(&policy.subjects, sub.value().map(std::slice::from_ref)),
    );
    apply(
        "audience-mismatch",
        differs(&policy.audiences, aud.value().map(Vec::as_slice)),
    );

    let required = [&policy.require[..], &rules::required(&policy.rules)].concat();
    let requires = |name: &str| {
        required.iter().any(|required| required == name)
            || match name {
                "iss" => !policy.issuers.is_empty() || !templates.is_empty(),
                "sub" => !policy.subjects.is_empty(),
                "aud" => !policy.audiences.is_empty(),
                "exp" => policy.max_lifetime.is_some(),
                "iat" => policy.max_lifetime.is_some() || policy.max_age.is_some(),
                _ => false,
            }
    };
    apply("missing-iss", iss.is_absent() && requires("iss"));
    apply("missing-sub", sub.is_absent() && requires("sub"));
    apply("missing-aud", aud.is_absent() && requires("aud"));
    apply("missing-exp", exp.is_absent() && requires("exp"));
    apply("missing-nbf", nbf.is_absent() && requires("nbf"));
    apply("missing-iat", iat.is_absent() && requires("iat"));
    apply("missing-jti", jti.is_absent() && requires("jti"));

    for name in &required {
        let registered = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"].contains(&name.as_str());
        let lacks = payload.get(name).is_none_or(Value::is_null);
        if !registered && lacks && !out.missing.contains(name) {
            out.missing.push(name.clone());
        }
    }
    let mistyped = |name: &str| match name {
        "exp" => exp.is_mistyped(),
        "nbf" => nbf.is_mistyped(),
        "iat" => iat.is_mistyped(),
        "iss" => iss.is_mistyped(),
        "sub" => sub.is_mistyped(),
        "aud" => aud.is_mistyped(),
        "jti" => jti.is_mistyped(),
        _ => false,
    };
    let found = rules::check(text, &policy.rules, mistyped);
    out.missing.extend(found.missing);
    if !out.missing.is_empty() {
        out.codes.push("missing-claim");
    }
    if found.claim_mismatch {
        out.codes.push("claim-mismatch");
    }
}

fn as_string(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn as_strings(values: &[Value]) -> Option<Vec<String>> {
    values.iter().map(as_string).collect()
}

fn as_number(value: &Value) -> Option<Number> {
    value.as_number().cloned()
}

fn as_audience(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(several) => as_strings(several),
        _ => None,
    }
}
