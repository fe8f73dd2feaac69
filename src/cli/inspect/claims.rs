//! What is said of claims: the times of a payload, and why a claim was rejected.

use jotmill::{Reason, Stage, UnixTime};
use serde_json::Value;

use super::dates::{self, relative, whole_duration};
use super::escape::{excerpt, quoted};
use super::facts::Facts;
use super::json_text::Member;
use super::note::{Notes, listed};
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
        "iss" => !policy.issuers().is_empty(),
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
        Reason::IssuerMismatch => return mismatch(facts, "iss", policy.issuers(), notes),
        Reason::SubjectMismatch => return mismatch(facts, "sub", policy.subjects(), notes),
        Reason::AudienceMismatch => return mismatch(facts, "aud", policy.audiences(), notes),
        Reason::MissingClaim => return missing_claims(facts, notes),
        Reason::MissingIss if !policy.issuers().is_empty() => "--issuer",
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

fn missing_claims(facts: &Facts<'_>, notes: &mut Notes) {
    for name in facts.policy.extra_names() {
        let member = facts.claim(name);
        match member.map(|member| member.value.as_str()) {
            None => notes.own(format!("{} is absent", quoted(name))),
            Some("null") => notes.own(format!("{} is null", quoted(name))),
            Some(_) => {}
        }
    }
}
