//! Why each reason applies: at which character, which value, what was tried. The reasons are the
//! library's; nothing here adds or drops one. Those of keys and of claims are in `keys` and `claims`.

use std::collections::BTreeSet;

use jotmill::{Algorithm, Finding, Reason, Stage};

use super::escape::{excerpt, grouped, plural, quoted};
use super::facts::Facts;
use super::json_text::{JsonText, kind};
use super::note::{MANY, Note, Notes, listed};
use super::segment::Content;
use super::{claims, keys};

/// Details of a reason, beyond its meaning.
pub(super) fn details(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let mut notes = Notes::default();
    match reason.stage() {
        Stage::Line => {
            let limit = format!("the limit is {}", grouped(facts.policy.token_limit()));
            let bytes = grouped(facts.token.len());
            notes.own(format!("it has {bytes} bytes; {limit} (--max-token-bytes)"));
        }
        Stage::Structure => structure(facts, reason, &mut notes),
        Stage::Header => header(facts, reason, &mut notes),
        Stage::Key => keys::details(facts, reason, &mut notes),
        Stage::Signature => signature(facts, reason, &mut notes),
        Stage::Payload => {
            unreadable(facts.payload.as_ref(), reason, &mut notes);
            compressed(facts, reason, &mut notes);
        }
        Stage::Claims => claims::details(facts, reason, &mut notes),
    }
    notes.0
}

fn structure(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    let encrypted = "five segments are a JWE: the payload is encrypted, and cannot be shown or \
                     judged without being decrypted";
    let opaque =
        "there is no dot at all; it may be an opaque token, which only its issuer can check";
    let unsigned = "there is 1 dot; the signature is missing. Even a token without a signature \
                    ends in a second dot";
    match (reason, facts.dots) {
        (Reason::Encrypted, _) => {
            notes.own(encrypted);
            for name in ["alg", "enc"] {
                if let Some(value) = facts.header_string(name) {
                    notes.quote(format!("{name} {}", quoted(&value)));
                }
            }
        }
        (_, 4) => notes.own(
            "there are 4 dots, as in a JWE, but the first segment is not the header of one: an \
             object with enc",
        ),
        (_, 0) if facts.token.is_empty() => notes.own("there is nothing"),
        (_, 0) => notes.own(opaque),
        (_, 1) => notes.own(unsigned),
        (_, dots) => notes.own(format!("there are {} dots", grouped(dots))),
    }
}

fn header(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    match reason {
        Reason::AlgMissing => {}
        Reason::AlgNone | Reason::AlgUnsupported | Reason::AlgNotAllowed => {
            algorithm(facts, reason, notes);
        }
        Reason::TypMismatch => {
            let expected = facts.policy.expected_typs().iter().map(String::as_str);
            let expected = listed(expected, " or ", "");
            match facts.header_string("typ").as_deref().map(quoted) {
                Some(typ) => notes.quote(format!("typ is {typ}; --typ expects {expected}")),
                None => notes.own(format!("there is no typ; --typ expects {expected}")),
            }
        }
        Reason::CritInvalid | Reason::B64Unsupported | Reason::CritUnsupported => {
            for name in ["crit", "b64"] {
                let member = facts.header.text().and_then(|text| text.member(name));
                if let Some(member) = member {
                    notes.quote(format!("{name} is {}", excerpt(&member.value)));
                }
            }
            if reason == Reason::CritUnsupported {
                extensions(facts, notes);
            }
            if reason == Reason::CritInvalid {
                let rule = "crit is an array of distinct names, not empty, of members that the \
                            header has and that RFC 7515 and RFC 7518 do not define";
                notes.own(rule);
            }
        }
        _ => match reason.code().strip_suffix("-type") {
            Some(name) => wrong_type(facts.header.text(), name, notes),
            None => unreadable(Some(&facts.header), reason, notes),
        },
    }
}

/// The names in `crit` that are not understood.
fn extensions(facts: &Facts<'_>, notes: &mut Notes) {
    let member = facts.header.text().and_then(|text| text.member("crit"));
    let names = member.and_then(|member| serde_json::from_str::<Vec<String>>(&member.value).ok());
    let mut names = names.unwrap_or_default();
    let understood = facts.policy.understood_crit();
    names.retain(|name| name != "b64" && !understood.iter().any(|own| **own == **name));
    let names = listed(names.iter().map(String::as_str), ", ", "");
    notes.quote(format!("not understood: {names}"));
    notes.own("--crit NAME accepts such an extension, if you do what it demands");
}

fn algorithm(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    let name = facts.header_string("alg").unwrap_or_default();
    let alg = quoted(&name);
    if reason == Reason::AlgNotAllowed {
        let allowed = facts.policy.allowed_algorithms().unwrap_or_default();
        let allowed: Vec<_> = allowed.iter().map(Algorithm::name).collect();
        return notes.quote(format!("alg is {alg}; --alg allows {}", allowed.join(", ")));
    }
    notes.quote(format!("alg is {alg}"));
    let is_meant = |algorithm: &Algorithm| algorithm.name().eq_ignore_ascii_case(&name);
    let all: Vec<_> = Algorithm::ALL.iter().map(|it| it.name()).collect();
    let all = all.join(", ");
    notes.own(match reason {
        Reason::AlgNone => "anyone can write such a token; no key makes it valid".to_owned(),
        _ if Algorithm::ALL.iter().any(is_meant) => {
            format!("names of algorithms are case-sensitive: {all}")
        }
        _ => format!("jotmill verifies {all}"),
    });
}

/// Why a header or payload cannot be read.
fn unreadable(content: Option<&Content>, reason: Reason, notes: &mut Notes) {
    let Some(content) = content else {
        return;
    };
    let (_, problem) = reason.code().split_once('-').unwrap_or_default();
    match (problem, &content.misspelling, &content.json) {
        ("base64url", Some(fault), _) => notes.quote(fault),
        ("json", _, Err(fault)) => notes.own(&*fault.words),
        ("json", _, Ok(text)) => {
            if let Some((line, column)) = text.too_deep {
                let place = format!("at line {line} column {column}");
                notes.own(format!("it is nested deeper than 64 levels, {place}"));
            }
        }
        ("not-object", _, Ok(text)) => notes.own(format!("it is {}", text.kind())),
        ("duplicate-member", _, Ok(text)) => {
            let repeated = text.repeated.iter().take(MANY);
            repeated.for_each(|name| notes.quote(duplicate(text, name)));
        }
        _ => {}
    }
}

/// What compression explains: bytes that are no JSON.
fn compressed(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    let finding = Finding::Compressed;
    if reason == Reason::PayloadJson && facts.findings.contains(finding) {
        let (code, meaning) = (finding.code(), finding.meaning());
        notes.own(format!("{code}: {meaning}; this may be why"));
    }
}

fn duplicate(text: &JsonText, name: &str) -> String {
    let same = || text.members.iter().filter(|member| member.name == name);
    let escapes = match same().find(|member| member.is_escaped) {
        Some(_) => ", once written with escapes",
        None => "",
    };
    let values = same().take(3).map(|member| excerpt(&member.value));
    let values = values.collect::<Vec<_>>().join(" and ");
    let (name, count) = (quoted(name), same().count());
    let more = if count > 3 { ", …" } else { "" };
    format!("{name} occurs {count} times{escapes}: {values}{more}")
}

/// The value of a member that has the wrong type.
pub(super) fn wrong_type(text: Option<&JsonText>, name: &str, notes: &mut Notes) {
    let Some(member) = text.and_then(|text| text.member(name)) else {
        return;
    };
    let value = excerpt(&member.value);
    let is_time = matches!(name, "exp" | "nbf" | "iat");
    let what = match kind(&member.value) {
        "a string" if is_time => format!("a string: {value}; a time is a number, without quotes"),
        "null" if is_time => "null; leave a time out where there is none".to_owned(),
        "null" => "null".to_owned(),
        kind => format!("{kind}: {value}"),
    };
    notes.quote(format!("{name} is {what}"));
}

fn signature(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    if reason == Reason::SignatureBase64url {
        let signature = facts.segments.get(2);
        let misspelling = signature.and_then(|signature| signature.misspelling.as_deref());
        return misspelling.into_iter().for_each(|fault| notes.quote(fault));
    }
    if reason == Reason::SignatureLength {
        let text = signature_length(facts).into_iter();
        text.for_each(|text| notes.own(text));
        keys::could_have_signed(facts, notes);
        let _ = keys::by_kid_hint(facts, notes) || keys::has_unknown_kid(facts, notes);
        return;
    }
    if let Some(chain) = &facts.chain {
        keys::chain(facts, notes);
        if chain.is_ok() {
            notes.own("the key of its first certificate was tried");
        }
    }
    if let Some(tried) = keys::tried(facts).filter(|tried| !tried.is_empty()) {
        let (count, names) = (plural(tried.len(), "key"), keys::names(&tried));
        notes.own(format!("{count} tried: {names}"));
    }
    let is_explained = keys::could_have_signed(facts, notes)
        | explained_by_findings(facts, notes)
        | keys::by_kid_hint(facts, notes)
        | !facts.other_readings.is_empty();
    if is_explained {
        return;
    }
    let name = facts.algorithm().map_or("HS", Algorithm::name);
    let has_unknown_kid = keys::has_unknown_kid(facts, notes);
    notes.own(if has_unknown_kid && name.starts_with("HS") {
        "is the secret that was tried written in base64, base64url or hex? Then say so: \
         --secret-file base64:PATH"
    } else if has_unknown_kid {
        return;
    } else if name.starts_with("HS") {
        "the token was changed, or it was signed with another secret. Is the secret written in \
         base64, base64url or hex? Then say so: --secret-file base64:PATH"
    } else if name.starts_with("PS") {
        "the token was changed, it was signed with another private key, or its salt is not as \
         long as the hash (RFC 7518 section 3.5)"
    } else {
        "the token was changed, or it was signed with another private key"
    });
}

/// The findings that can explain a signature which no key verifies. Returns whether there are any:
/// then nothing says that the token was changed.
fn explained_by_findings(facts: &Facts<'_>, notes: &mut Notes) -> bool {
    let before = notes.0.len();
    for finding in facts.findings.iter() {
        let why = match finding {
            Finding::NonceHeader | Finding::Detached => "this may be why",
            Finding::Padded => "if it was added after signing, this is why",
            Finding::JwkHeader | Finding::JkuHeader | Finding::X5cHeader | Finding::X5uHeader => {
                "that key may have made the signature; give it with --key if you trust it"
            }
            Finding::X5cChainToGivenRoot => "that may be the key that made the signature",
            _ => continue,
        };
        notes.own(format!("{}: {}; {why}", finding.code(), finding.meaning()));
    }
    notes.0.len() > before
}

fn signature_length(facts: &Facts<'_>) -> Option<String> {
    let (len, algorithm) = facts.segments.get(2)?.bytes().zip(facts.algorithm())?;
    // Keys of one algorithm may differ in it, as those of RSA do.
    let tried = keys::tried(facts)?;
    let expected = tried.iter().filter_map(|key| key.signature_len(algorithm));
    let expected = BTreeSet::from_iter(expected);
    let guess = match len {
        0 => "it is not signed at all",
        _ if len < *expected.last()? => "is it cut short?",
        70..=72 if algorithm == Algorithm::Es256 => {
            "is it in DER, where r and s alone belong (RFC 7518 section 3.4)?"
        }
        32 | 48 | 64 => "that is the length of another algorithm's",
        128 | 256 | 384 | 512 => "that is the length of an RSA signature",
        _ => "is there something behind it?",
    };
    let expected: Vec<_> = expected.into_iter().map(grouped).collect();
    let (bytes, expected) = (grouped(len), expected.join(" or "));
    let expected = format!("{algorithm} has {expected}; {guess}");
    Some(format!("it has {bytes} bytes; {expected}"))
}
