//! What is said of claims: the times of a payload, and why a claim was rejected.

use jotmill::{Reason, Stage, UnixTime};
use serde_json::Value;

use super::dates::{self, relative, whole_duration};
use super::escape::{excerpt, quoted};
use super::facts::Facts;
use super::json_text::Member;
use super::note::{MANY, Notes, listed};
use super::reasons::wrong_type;

/// Claims that are times, those that are judged first; the last two are OpenID Connect's.
const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// A claim that is a time.
pub(super) struct Time {
    pub(super) name: &'static str,
    /// As it is written: a JSON number.
    pub(super) value: String,
    /// Where it lies between 1970 and 9999.
    pub(super) moment: Option<UnixTime>,
    /// Seconds from `now`, negative where it is past.
    pub(super) seconds: f64,
    /// How far from `now` it is, in words.
    pub(super) words: String,
    /// What it probably means if it counts milliseconds.
    pub(super) as_milliseconds: Option<UnixTime>,
    /// Whether the claim occurs more than once, so that none of its values counts.
    pub(super) is_repeated: bool,
}

/// The times of the payload, each as often as it occurs.
pub(super) fn times(facts: &Facts<'_>) -> Vec<Time> {
    let members = facts.claims().map_or(&[][..], |text| &text.members);
    let mut times = Vec::new();
    for name in TIMES {
        let named = || members.iter().filter(|member| member.name == name);
        let is_repeated = named().nth(1).is_some();
        let numbers = named().filter_map(|member| Some((member, dates::date(&member.value)?)));
        for (Member { value, .. }, date) in numbers {
            let seconds = date.seconds_from(facts.now);
            times.push(Time {
                name,
                value: value.clone(),
                moment: dates::moment(date),
                as_milliseconds: dates::as_milliseconds(date),
                seconds,
                words: relation(facts, name, seconds),
                is_repeated,
            });
        }
    }
    times
}

/// How far from `now` a time is, in words.
fn relation(facts: &Facts<'_>, name: &str, seconds: f64) -> String {
    // A claim that was not judged is not within anything.
    let is_judged =
        facts.key.is_some() && facts.failed_stage().is_none_or(|at| at == Stage::Claims);
    let passed = |reason| is_judged && !facts.reasons.contains(reason);
    let is_close = match name {
        "exp" => seconds <= 0.0 && passed(Reason::Expired),
        "nbf" => seconds > 0.0 && passed(Reason::NotYetValid),
        "iat" => seconds > 0.0 && passed(Reason::IssuedInFuture),
        _ => false,
    };
    let words = match relative(seconds) {
        now if name == "exp" && seconds == 0.0 => format!("expires {now}"),
        ago if name == "exp" && seconds < 0.0 => format!("expired {ago}"),
        other => other,
    };
    words + if is_close { ", within the leeway" } else { "" }
}

/// The claims that were judged and passed.
pub(super) fn passed(facts: &Facts<'_>) -> Vec<&'static str> {
    let policy = facts.policy;
    let is_judged = |name: &str| match name {
        "iss" => policy.issuer_names().next().is_some(),
        "sub" => !policy.subjects().is_empty(),
        "aud" => !policy.audiences().is_empty(),
        _ => true,
    };
    let failed: Vec<_> = facts.reasons.iter().map(claim).collect();
    let mut names = vec!["iss", "sub", "aud", "exp", "nbf", "iat"];
    names.retain(|name| is_judged(name) && !failed.contains(name));
    names.retain(|name| facts.claim(name).is_some());
    names
}

/// The claim that a reason of the claims stage is about.
fn claim(reason: Reason) -> &'static str {
    let code = reason.code().trim_start_matches("missing-");
    match reason {
        Reason::IssuerMismatch => "iss",
        Reason::SubjectMismatch => "sub",
        Reason::AudienceMismatch => "aud",
        Reason::Expired | Reason::LifetimeTooLong => "exp",
        Reason::NotYetValid => "nbf",
        Reason::IssuedInFuture | Reason::TooOld => "iat",
        _ => code.trim_end_matches("-type"),
    }
}

/// Why the claims stage rejected the token.
pub(super) fn details(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    let policy = facts.policy;
    let option = match reason {
        Reason::IssuerMismatch => {
            let issuers: Vec<String> = policy.issuer_names().map(str::to_owned).collect();
            mismatch(facts, "iss", &issuers, notes);
            return placeholders(facts, &issuers, notes);
        }
        Reason::SubjectMismatch => return mismatch(facts, "sub", policy.subjects(), notes),
        Reason::AudienceMismatch => return mismatch(facts, "aud", policy.audiences(), notes),
        Reason::ClaimMismatch => return values(facts, notes),
        Reason::MissingClaim => return missing_claims(facts, notes),
        Reason::MissingIss if policy.issuer_names().next().is_some() => "--issuer",
        Reason::MissingSub if !policy.subjects().is_empty() => "--subject",
        Reason::MissingAud if !policy.audiences().is_empty() => "--audience",
        Reason::MissingIat if policy.max_age_seconds().is_some() => "--max-age",
        Reason::MissingIat | Reason::MissingExp if policy.max_lifetime_seconds().is_some() => {
            "--max-lifetime"
        }
        _ if reason.code().starts_with("missing-") => "--require",
        _ if reason.code().ends_with("-type") => {
            return wrong_type(facts.claims(), claim(reason), notes);
        }
        _ => return time(facts, reason).map_or((), |text| notes.quote(text)),
    };
    notes.own(format!("{option} asks for it"));
}

/// How far off a time is.
fn time(facts: &Facts<'_>, reason: Reason) -> Option<String> {
    let policy = facts.policy;
    let from_now = |name| {
        let date = dates::date(&facts.claim(name)?.value)?;
        Some(date.seconds_from(facts.now))
    };
    let when = |name| from_now(name).map(relative);
    let leeway = match policy.leeway_seconds() {
        0 => String::new(),
        _ if reason == Reason::LifetimeTooLong => String::new(),
        seconds => format!("; the leeway of {} does not reach", whole_duration(seconds)),
    };
    let limit = |seconds: Option<u64>| whole_duration(seconds.unwrap_or_default());
    let text = match reason {
        Reason::Expired => match when("exp")?.as_str() {
            "now" => "it expires right now, and that is too late".to_owned(),
            ago => format!("it expired {ago}"),
        },
        Reason::NotYetValid => format!("it becomes valid {}", when("nbf")?),
        Reason::IssuedInFuture => format!("it says that it was issued {}", when("iat")?),
        Reason::TooOld => {
            let limit = limit(policy.max_age_seconds());
            format!("it was issued {}; --max-age is {limit}", when("iat")?)
        }
        Reason::LifetimeTooLong => {
            let lifetime = dates::duration(from_now("exp")? - from_now("iat")?);
            let limit = limit(policy.max_lifetime_seconds());
            format!("exp is {lifetime} after iat; --max-lifetime is {limit}")
        }
        _ => return None,
    };
    Some(text + &leeway)
}

fn mismatch(facts: &Facts<'_>, name: &str, expected: &[String], notes: &mut Notes) {
    let Some(member) = facts.claim(name) else {
        return;
    };
    let value: Value = serde_json::from_str(&member.value).unwrap_or_default();
    let found: Vec<&str> = match &value {
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        value => value.as_str().into_iter().collect(),
    };
    let is = match &found[..] {
        [] => excerpt(&member.value),
        _ => listed(found.iter().copied(), ", ", ""),
    };
    let wanted = listed(expected.iter().map(String::as_str), " or ", "");
    notes.quote(format!("{name} is {is}; expected {wanted}"));
    // Names are compared exactly, so that two which look alike may differ.
    let fold = |text: &str| text.trim().trim_end_matches('/').to_lowercase();
    let is_near = |value: &&str| expected.iter().any(|other| fold(other) == fold(value));
    if found.iter().take(100).any(is_near) {
        let why = "they differ only in case, a final slash or white space; names are compared \
                   exactly";
        notes.own(why);
    }
}

/// The values of the claims that the issuers' placeholders name.
fn placeholders(facts: &Facts<'_>, issuers: &[String], notes: &mut Notes) {
    let inside = |issuer: &'_ String| -> Vec<String> {
        let names = issuer.split('{').skip(1);
        let names = names.filter_map(|rest| Some(rest.split_once('}')?.0.to_owned()));
        names.collect()
    };
    let mut names: Vec<String> = issuers.iter().flat_map(inside).collect();
    names.sort();
    names.dedup();
    for name in names.iter().take(MANY) {
        let (shown, is_bound) = (
            quoted(name),
            "a placeholder of --issuer, and must be equal to it",
        );
        match facts.claim(name) {
            Some(member) => {
                notes.quote(format!(
                    "{shown} is {}; it is {is_bound}",
                    excerpt(&member.value)
                ));
            }
            None => notes.own(format!("{shown} is absent; it is {is_bound}")),
        }
    }
}

/// The claims whose values are expected, where they have others.
fn values(facts: &Facts<'_>, notes: &mut Notes) {
    let payload = payload(facts);
    let mut by_name: Vec<(String, Vec<String>)> = Vec::new();
    for claim in facts.policy.expected_claims() {
        let (name, _) = claim.split_once('=').unwrap_or_default();
        let name = name.trim_end_matches(':');
        match by_name.iter_mut().find(|(own, _)| own == name) {
            Some((_, all)) => all.push(claim),
            None => by_name.push((name.to_owned(), vec![claim])),
        }
    }
    for (name, expected) in by_name {
        let Some(value) = at(&payload, &name).filter(|value| !value.is_null()) else {
            continue;
        };
        let is_same = |claim: &String| {
            let (name, text) = claim.split_once('=').unwrap_or_default();
            match name.ends_with(':') {
                true => serde_json::from_str(text).is_ok_and(|own: Value| own == *value),
                false => value.as_str() == Some(text),
            }
        };
        if !expected.iter().any(is_same) {
            let (shown, value) = (quoted(&name), excerpt(&value.to_string()));
            let expected = listed(expected.iter().map(String::as_str), " or ", "");
            notes.quote(format!("{shown} is {value}; --claim expects {expected}"));
        }
    }
    let scopes = listed(facts.policy.expected_scopes(), " and ", "");
    if facts.policy.expected_scopes().next().is_some() {
        for name in ["scope", "scp"] {
            if let Some(member) = facts.claim(name) {
                let value = excerpt(&member.value);
                notes.quote(format!("{name} is {value}; --scope expects {scopes}"));
            }
        }
    }
}

/// The payload for display; of members that occur twice it has the last.
fn payload(facts: &Facts<'_>) -> Value {
    let text = facts.claims().map(|text| text.text.as_str());
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// What a name or a JSON Pointer leads to.
fn at<'v>(payload: &'v Value, name: &str) -> Option<&'v Value> {
    match name.starts_with('/') {
        true => payload.pointer(name),
        false => payload.get(name),
    }
}

fn missing_claims(facts: &Facts<'_>, notes: &mut Notes) {
    let payload = payload(facts);
    let claims = facts.policy.expected_claims();
    let names = claims.iter().filter_map(|claim| claim.split_once('='));
    let pointers = names.map(|(name, _)| name.trim_end_matches(':'));
    let required = facts.policy.extra_names().iter().map(AsRef::as_ref);
    let mut names: Vec<&str> = Vec::new();
    for name in required.chain(pointers.filter(|name| name.starts_with('/'))) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        // A required claim may have a name that begins with a slash.
        let value = payload.get(name).or_else(|| at(&payload, name));
        match value {
            None => notes.own(format!("{} is absent", quoted(name))),
            Some(Value::Null) => notes.own(format!("{} is null", quoted(name))),
            Some(_) => {}
        }
    }
    let is_there = |name| payload.get(name).is_some_and(|value| !value.is_null());
    let mut scopes = facts.policy.expected_scopes();
    if scopes.next().is_some() && !["scope", "scp"].into_iter().any(is_there) {
        notes.own("neither scope nor scp is there; --scope asks for it");
    }
}
