//! The specifics of each reason: which claim failed and by how much, at which character, what was
//! tried. The reasons themselves are the library's; nothing here can add or drop one.

use std::collections::HashSet;

use jotmill::{Algorithm, Key, KeySet, NumericDate, Reason, UnusableKey};
use serde_json::Value;

use super::Facts;
use super::escape::{excerpt, grouped, json_string, quoted};
use super::json_text::{JsonText, Member, kind_of};
use super::keys;
use super::segment::JsonSegment;
use super::words::{self, relative, whole_duration};

/// A sentence about the token.
pub(super) struct Note {
    pub(super) text: String,
    /// Whether it quotes the token, so that it is as good as its signature.
    pub(super) quotes: bool,
}

/// A sentence of our own.
pub(super) fn own(text: impl Into<String>) -> Note {
    Note {
        text: text.into(),
        quotes: false,
    }
}

/// A sentence that quotes the token.
fn quoting(text: impl Into<String>) -> Note {
    Note {
        text: text.into(),
        quotes: true,
    }
}

/// How many names, keys or values of one kind are told.
const MANY: usize = 5;

/// What there is to say about a reason.
pub(super) fn of(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    match reason {
        Reason::TooLong => vec![own(format!(
            "it has {} bytes; the limit is {} (--max-token-bytes)",
            grouped(facts.token.len()),
            grouped(facts.policy.token_limit())
        ))],
        Reason::SegmentCount => segment_count(facts),
        Reason::Encrypted => encrypted(facts),
        Reason::HeaderBase64url
        | Reason::HeaderJson
        | Reason::HeaderNotObject
        | Reason::HeaderDuplicateMember => unreadable(&facts.header, reason),
        Reason::PayloadBase64url
        | Reason::PayloadJson
        | Reason::PayloadNotObject
        | Reason::PayloadDuplicateMember => facts
            .payload
            .as_ref()
            .map_or_else(Vec::new, |payload| unreadable(payload, reason)),
        Reason::AlgMissing
        | Reason::AlgType
        | Reason::AlgNone
        | Reason::AlgUnsupported
        | Reason::AlgNotAllowed => algorithm(facts, reason),
        Reason::KidType => wrong_type(facts.header.text(), "kid"),
        Reason::TypType => wrong_type(facts.header.text(), "typ"),
        Reason::CtyType => wrong_type(facts.header.text(), "cty"),
        Reason::TypMismatch => typ_mismatch(facts),
        Reason::CritInvalid | Reason::B64Unsupported | Reason::CritUnsupported => {
            critical(facts, reason)
        }
        Reason::KeyNotFound | Reason::KeyMismatch | Reason::KeyUnusable | Reason::TooManyKeys => {
            no_key(facts, reason)
        }
        Reason::IssuerUnknown => issuer_unknown(facts),
        Reason::SignatureBase64url | Reason::SignatureLength | Reason::SignatureMismatch => {
            signature(facts, reason)
        }
        Reason::ExpType => wrong_type(claims(facts), "exp"),
        Reason::NbfType => wrong_type(claims(facts), "nbf"),
        Reason::IatType => wrong_type(claims(facts), "iat"),
        Reason::IssType => wrong_type(claims(facts), "iss"),
        Reason::SubType => wrong_type(claims(facts), "sub"),
        Reason::AudType => wrong_type(claims(facts), "aud"),
        Reason::JtiType => wrong_type(claims(facts), "jti"),
        Reason::Expired
        | Reason::NotYetValid
        | Reason::IssuedInFuture
        | Reason::TooOld
        | Reason::LifetimeTooLong => time(facts, reason),
        Reason::IssuerMismatch => mismatch(facts, "iss", facts.policy.issuers()),
        Reason::SubjectMismatch => mismatch(facts, "sub", facts.policy.subjects()),
        Reason::AudienceMismatch => mismatch(facts, "aud", facts.policy.audiences()),
        Reason::MissingIss
        | Reason::MissingSub
        | Reason::MissingAud
        | Reason::MissingExp
        | Reason::MissingNbf
        | Reason::MissingIat
        | Reason::MissingJti => missing(facts, reason),
        Reason::MissingClaim => missing_claims(facts),
        _ => Vec::new(),
    }
}

fn claims<'f>(facts: &'f Facts<'_>) -> Option<&'f JsonText> {
    facts.payload.as_ref()?.text()
}

fn segment_count(facts: &Facts<'_>) -> Vec<Note> {
    let text = match facts.dots {
        0 if facts.token.is_empty() => "there is nothing",
        0 => "there is no dot at all; it may be an opaque token, which only its issuer can check",
        1 => {
            "there is 1 dot; the signature is missing. Even a token without a signature ends in \
             a second dot"
        }
        _ => return vec![own(format!("there are {} dots", grouped(facts.dots)))],
    };
    vec![own(text)]
}

fn encrypted(facts: &Facts<'_>) -> Vec<Note> {
    let mut notes = vec![own(
        "five segments are a JWE: the payload is encrypted, and cannot be shown or judged without \
         being decrypted",
    )];
    for name in ["alg", "enc"] {
        if let Some(value) = facts.header_string(name) {
            notes.push(quoting(format!("{name} {}", quoted(&value))));
        }
    }
    notes
}

/// Why a header or payload cannot be read.
fn unreadable(segment: &JsonSegment<'_>, reason: Reason) -> Vec<Note> {
    match reason {
        Reason::HeaderBase64url | Reason::PayloadBase64url => segment
            .segment
            .spelling
            .map(|fault| quoting(fault.words()))
            .into_iter()
            .collect(),
        Reason::HeaderJson | Reason::PayloadJson => match (segment.fault(), segment.text()) {
            (Some(fault), _) => vec![own(fault.words())],
            (
                None,
                Some(JsonText {
                    too_deep: Some((line, column)),
                    ..
                }),
            ) => vec![own(format!(
                "it is nested deeper than 64 levels, at line {line} column {column}"
            ))],
            _ => vec![],
        },
        Reason::HeaderNotObject | Reason::PayloadNotObject => segment
            .text()
            .map(|text| own(format!("it is {}", text.kind)))
            .into_iter()
            .collect(),
        _ => {
            let twice = segment.text().map_or(&[][..], |text| &text.twice);
            twice
                .iter()
                .take(MANY)
                .map(|name| duplicate(segment, name))
                .collect()
        }
    }
}

fn duplicate(segment: &JsonSegment<'_>, name: &str) -> Note {
    let same = |member: &&Member| member.name == name;
    let members = segment.text().map_or(&[][..], |text| &text.members);
    let count = members.iter().filter(same).count();
    let spelled = if members.iter().filter(same).any(|member| member.is_escaped) {
        ", once written with escapes"
    } else {
        ""
    };
    let values: Vec<_> = members
        .iter()
        .filter(same)
        .take(3)
        .map(|member| excerpt(&member.value))
        .collect();
    quoting(format!(
        "{} occurs {count} times{spelled}: {}{}",
        quoted(name),
        values.join(" and "),
        if count > values.len() { ", …" } else { "" }
    ))
}

/// The value of a member that has the wrong type.
fn wrong_type(text: Option<&JsonText>, name: &str) -> Vec<Note> {
    let Some(member) = text.and_then(|text| text.member(name)) else {
        return vec![];
    };
    let kind = serde_json::from_str::<Value>(&member.value).map_or("no value", |v| kind_of(&v));
    let hint = match (name, kind) {
        ("exp" | "nbf" | "iat", "a string") => "; a time is a number, without quotes",
        ("exp" | "nbf" | "iat", "null") => "; leave a time out where there is none",
        _ => "",
    };
    let value = if kind == "null" {
        String::new()
    } else {
        format!(": {}", excerpt(&member.value))
    };
    vec![quoting(format!("{name} is {kind}{value}{hint}"))]
}

fn algorithm(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let Some(name) = facts.header_string("alg") else {
        return match reason {
            Reason::AlgType => wrong_type(facts.header.text(), "alg"),
            _ => vec![],
        };
    };
    let alg = quoted(&name);
    let names = |algorithms: &mut dyn Iterator<Item = Algorithm>| {
        algorithms
            .map(Algorithm::name)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let all = || names(&mut Algorithm::ALL.into_iter());
    match reason {
        Reason::AlgNone => vec![
            quoting(format!("alg is {alg}")),
            own("anyone can write such a token; no key makes it valid"),
        ],
        Reason::AlgNotAllowed => {
            let allowed = facts.policy.allowed_algorithms();
            let allowed = allowed
                .map(|set| names(&mut set.iter()))
                .unwrap_or_default();
            vec![quoting(format!("alg is {alg}; --alg allows {allowed}"))]
        }
        _ if Algorithm::ALL
            .iter()
            .any(|algorithm| algorithm.name().eq_ignore_ascii_case(&name)) =>
        {
            vec![
                quoting(format!("alg is {alg}")),
                own(format!("names of algorithms are case-sensitive: {}", all())),
            ]
        }
        _ => vec![
            quoting(format!("alg is {alg}")),
            own(format!("jotmill verifies {}", all())),
        ],
    }
}

fn typ_mismatch(facts: &Facts<'_>) -> Vec<Note> {
    let expected = quoted(facts.policy.expected_typ().unwrap_or_default());
    vec![match facts.header_string("typ") {
        Some(typ) => quoting(format!("typ is {}; --typ expects {expected}", quoted(&typ))),
        None => own(format!("there is no typ; --typ expects {expected}")),
    }]
}

fn critical(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let member = |name| facts.header.text().and_then(|text| text.member(name));
    let mut notes = Vec::new();
    for name in ["crit", "b64"] {
        if let Some(member) = member(name) {
            notes.push(quoting(format!("{name} is {}", excerpt(&member.value))));
        }
    }
    if reason == Reason::CritInvalid {
        notes.push(own(
            "crit is an array of distinct names, not empty, of members that the header has and \
             that RFC 7515 and RFC 7518 do not define",
        ));
    }
    notes
}

/// The keys that a `kid` names, or would be tried in their place, whatever they may verify.
struct Candidates<'k> {
    keys: Vec<&'k Key>,
    /// Whether the `kid` is the id of any key, usable or set aside.
    is_named: bool,
}

fn candidates<'k>(keys: &'k KeySet, kid: Option<&str>) -> Candidates<'k> {
    let Some(kid) = kid else {
        return Candidates {
            keys: keys.iter().collect(),
            is_named: false,
        };
    };
    let named: Vec<_> = keys.iter().filter(|key| key.id() == Some(kid)).collect();
    let is_aside = || {
        keys.unusable_keys()
            .iter()
            .any(|aside| aside.kid.as_deref() == Some(kid))
    };
    if !named.is_empty() || is_aside() {
        return Candidates {
            keys: named,
            is_named: true,
        };
    }
    Candidates {
        keys: keys.iter().filter(|key| key.id().is_none()).collect(),
        is_named: false,
    }
}

/// The keys that a signature was held against; none without a key set.
fn tried<'f>(facts: &'f Facts<'_>) -> Option<Vec<&'f Key>> {
    let (keys, algorithm) = facts.keys.zip(facts.algorithm())?;
    let kid = facts.header_string("kid");
    let mut fitting = candidates(keys, kid.as_deref()).keys;
    if facts.policy.takes_kid_as_hint() {
        fitting = keys.iter().collect();
    }
    fitting.retain(|key| key.algorithms().contains(algorithm));
    Some(fitting)
}

fn keys_word(count: usize) -> String {
    format!(
        "{} key{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

/// A key by its name and where it comes from.
pub(super) fn key_words(key: &Key) -> String {
    format!("{} from {}", quoted(key.name()), json_string(key.origin()))
}

fn few(names: &[&str]) -> String {
    let mut shown: Vec<_> = names.iter().take(MANY).map(|name| quoted(name)).collect();
    if names.len() > MANY {
        shown.push(format!("and {} more", grouped(names.len() - MANY)));
    }
    shown.join(", ")
}

/// How the key was chosen, for a token whose header passed.
pub(super) fn choice(facts: &Facts<'_>) -> Vec<Note> {
    let Some(keys) = facts.keys else {
        return vec![];
    };
    let Some(algorithm) = facts.algorithm() else {
        return vec![];
    };
    let kid = facts.header_string("kid");
    let candidates = candidates(keys, kid.as_deref());
    let fitting: Vec<_> = candidates
        .keys
        .into_iter()
        .filter(|key| key.algorithms().contains(algorithm))
        .map(Key::name)
        .collect();
    let count = keys_word(fitting.len());
    let names = few(&fitting);
    let verb = if fitting.len() == 1 { "is" } else { "are" };
    vec![match kid {
        Some(kid) if candidates.is_named => quoting(format!(
            "kid {} names {count} to try: {names}",
            quoted(&kid)
        )),
        Some(kid) => quoting(format!(
            "kid {} is the id of no key; {count} without an id {verb} tried: {names}",
            quoted(&kid)
        )),
        None => own(format!(
            "the header has no kid; {count} that may verify {algorithm} {verb} tried: {names}"
        )),
    }]
}

fn issuer_unknown(facts: &Facts<'_>) -> Vec<Note> {
    let names: Vec<&str> = facts.issuers.iter().map(String::as_str).collect();
    vec![own(format!("there are policies for {}", few(&names)))]
}

fn no_key(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let (Some(keys), Some(algorithm)) = (facts.keys, facts.algorithm()) else {
        return vec![];
    };
    let kid = facts.header_string("kid");
    let candidates = candidates(keys, kid.as_deref());
    let mut notes = Vec::new();
    match (&kid, reason) {
        (_, Reason::TooManyKeys) => {
            let fits = |key: &&&Key| key.algorithms().contains(algorithm);
            notes.push(own(format!(
                "{} fit {algorithm}; the limit is {}",
                keys_word(candidates.keys.iter().filter(fits).count()),
                grouped(facts.policy.key_limit())
            )));
        }
        (Some(kid), Reason::KeyNotFound) => {
            notes.push(quoting(format!(
                "kid {} is the id of no key, and no key without an id may verify {algorithm}",
                quoted(kid)
            )));
            let mut seen = HashSet::new();
            let ids = keys.iter().filter_map(Key::id);
            let ids: Vec<_> = ids.filter(|id| seen.insert(*id)).collect();
            if !ids.is_empty() {
                notes.push(own(format!("there are keys of the ids {}", few(&ids))));
            }
            notes.extend(misfits(&candidates.keys, algorithm));
        }
        (None, Reason::KeyNotFound) => {
            notes.push(own(format!(
                "the header has no kid, and none of {} may verify {algorithm}",
                keys_word(keys.len())
            )));
            notes.push(own(keys::wanted(algorithm)));
            notes.extend(misfits(&candidates.keys, algorithm));
            notes.extend(set_aside(keys, |_| true));
        }
        (Some(kid), _) => {
            notes.push(quoting(format!("kid {}", quoted(kid))));
            notes.extend(misfits(&candidates.keys, algorithm));
            notes.extend(set_aside(keys, |key| key.kid.as_ref() == Some(kid)));
        }
        (None, _) => {}
    }
    notes
}

/// Why each of a few keys does not verify an algorithm.
fn misfits(keys: &[&Key], algorithm: Algorithm) -> Vec<Note> {
    let note = |key: &&Key| {
        let why = keys::misfit(key, algorithm);
        own(format!("key {}: {why}", key_words(key)))
    };
    keys.iter().take(MANY).map(note).collect()
}

/// A few of the keys that cannot be used, with what is wrong with each.
fn set_aside(keys: &KeySet, which: impl Fn(&UnusableKey) -> bool) -> Vec<Note> {
    let note = |key: &UnusableKey| {
        let (file, problem) = (quoted(&key.origin), excerpt(&key.problem()));
        own(match key.index {
            Some(index) => format!("keys[{index}] of {file} is set aside: {problem}"),
            None => format!("{file} is set aside: {problem}"),
        })
    };
    let aside = keys.unusable_keys().iter().filter(|key| which(key));
    aside.take(MANY).map(note).collect()
}

fn signature(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let Some(signature) = facts.segments.get(2) else {
        return vec![];
    };
    match reason {
        Reason::SignatureBase64url => signature
            .spelling
            .map(|fault| quoting(fault.words()))
            .into_iter()
            .collect(),
        Reason::SignatureLength => {
            let (Some(len), Some(algorithm)) = (signature.decoded_len(), facts.algorithm()) else {
                return vec![];
            };
            // Keys of one algorithm may differ in it, as those of RSA do.
            let mut expected: Vec<usize> = tried(facts)
                .unwrap_or_default()
                .iter()
                .filter_map(|key| key.signature_len(algorithm))
                .collect();
            expected.sort_unstable();
            expected.dedup();
            let Some(longest) = expected.last().copied() else {
                return vec![];
            };
            let expected: Vec<String> = expected.into_iter().map(grouped).collect();
            let expected = expected.join(" or ");
            let guess = match len {
                0 => "; it is not signed at all",
                _ if len < longest => "; is it cut short?",
                70..=72 if algorithm == Algorithm::Es256 => {
                    "; is it in DER, where r and s alone belong (RFC 7518 section 3.4)?"
                }
                32 | 48 | 64 => "; that is the length of another algorithm's",
                128 | 256 | 384 | 512 => "; that is the length of an RSA signature",
                _ => "; is there something behind it?",
            };
            vec![own(format!(
                "it has {} bytes; {algorithm} has {expected}{guess}",
                grouped(len)
            ))]
        }
        _ => {
            let mut notes = Vec::new();
            let is_mac = facts.algorithm().is_none_or(Algorithm::is_hmac);
            if let Some(tried) = tried(facts) {
                notes.push(own(format!(
                    "{} tried: {}",
                    keys_word(tried.len()),
                    few(&tried.iter().map(|key| key.name()).collect::<Vec<_>>())
                )));
            }
            let is_pss = facts
                .algorithm()
                .is_some_and(|algorithm| algorithm.name().starts_with("PS"));
            notes.push(own(if is_mac {
                "the token was changed, or it was signed with another secret. Is the secret \
                 written in base64, base64url or hex? Then say so: --secret-file base64:PATH"
            } else if is_pss {
                "the token was changed, it was signed with another private key, or its salt is not \
                 as long as the hash (RFC 7518 section 3.5)"
            } else {
                "the token was changed, or it was signed with another private key"
            }));
            notes
        }
    }
}

fn claim_date(facts: &Facts<'_>, name: &str) -> Option<NumericDate> {
    words::date(&claims(facts)?.member(name)?.value)
}

/// How far off a time is.
fn time(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let policy = facts.policy;
    let from_now = |name| claim_date(facts, name).map(|date| date.seconds_from(facts.now));
    let leeway = match policy.leeway_seconds() {
        0 => String::new(),
        seconds => format!("; the leeway of {} does not reach", whole_duration(seconds)),
    };
    let limit = |seconds: Option<u64>| whole_duration(seconds.unwrap_or_default());
    let text = match reason {
        Reason::Expired => from_now("exp").map(|seconds| match relative(seconds).as_str() {
            "now" => format!("it expires right now, and that is too late{leeway}"),
            ago => format!("it expired {ago}{leeway}"),
        }),
        Reason::NotYetValid => {
            from_now("nbf").map(|seconds| format!("it becomes valid {}{leeway}", relative(seconds)))
        }
        Reason::IssuedInFuture => from_now("iat")
            .map(|seconds| format!("it says that it was issued {}{leeway}", relative(seconds))),
        Reason::TooOld => from_now("iat").map(|seconds| {
            let limit = limit(policy.max_age_seconds());
            format!(
                "it was issued {}; --max-age is {limit}{leeway}",
                relative(seconds)
            )
        }),
        _ => from_now("exp").zip(from_now("iat")).map(|(exp, iat)| {
            format!(
                "exp is {} after iat; --max-lifetime is {}",
                words::duration(exp - iat),
                limit(policy.max_lifetime_seconds())
            )
        }),
    };
    text.map(quoting).into_iter().collect()
}

/// The values of a string or an array of strings.
fn strings(member: &Member) -> Vec<String> {
    match serde_json::from_str(&member.value) {
        Ok(Value::String(text)) => vec![text],
        Ok(Value::Array(values)) => values
            .iter()
            .filter_map(|value| value.as_str().map(str::to_owned))
            .collect(),
        _ => vec![],
    }
}

fn list(values: &[String], between: &str) -> String {
    let mut texts: Vec<_> = values
        .iter()
        .take(MANY)
        .map(|value| quoted(value))
        .collect();
    if values.len() > MANY {
        texts.push(format!("{} more", grouped(values.len() - MANY)));
    }
    texts.join(between)
}

fn mismatch(facts: &Facts<'_>, name: &str, expected: &[String]) -> Vec<Note> {
    let Some(member) = claims(facts).and_then(|text| text.member(name)) else {
        return vec![];
    };
    let found = strings(member);
    let is = if found.is_empty() {
        excerpt(&member.value)
    } else {
        list(&found, ", ")
    };
    let mut notes = vec![quoting(format!(
        "{name} is {is}; expected {}",
        list(expected, " or ")
    ))];
    // Names are compared exactly, which is where two that look alike differ.
    let fold = |text: &str| text.trim().trim_end_matches('/').to_lowercase();
    let is_near = |value: &String| expected.iter().any(|other| fold(other) == fold(value));
    if found.iter().take(100).any(is_near) {
        notes.push(own(
            "they differ only in case, a final slash or white space; names are compared exactly",
        ));
    }
    notes
}

fn missing(facts: &Facts<'_>, reason: Reason) -> Vec<Note> {
    let policy = facts.policy;
    let age = policy.max_age_seconds().is_some();
    let lifetime = policy.max_lifetime_seconds().is_some();
    let option = match reason {
        Reason::MissingIss if !policy.issuers().is_empty() => "--issuer",
        Reason::MissingSub if !policy.subjects().is_empty() => "--subject",
        Reason::MissingAud if !policy.audiences().is_empty() => "--audience",
        Reason::MissingIat if age => "--max-age",
        Reason::MissingIat | Reason::MissingExp if lifetime => "--max-lifetime",
        _ => "--require",
    };
    vec![own(format!("{option} asks for it"))]
}

fn missing_claims(facts: &Facts<'_>) -> Vec<Note> {
    let Some(text) = claims(facts) else {
        return vec![];
    };
    let missing = facts
        .policy
        .extra_names()
        .iter()
        .filter_map(|name| match text.member(name) {
            None => Some(format!("{} is absent", quoted(name))),
            Some(member) if member.value == "null" => Some(format!("{} is null", quoted(name))),
            Some(_) => None,
        });
    missing.map(own).collect()
}
