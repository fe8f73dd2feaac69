//! The explanation as one JSON object, for programs.
//!
//! It is written by hand, so that header and payload are in it as the token has them: in order,
//! with numbers as they are spelled, and with members that occur twice.

use std::fmt::Display;

use jotmill::{Finding, KeyFinding, Reason, Validity};

use super::claims::Time;
use super::dates::unix;
use super::escape::json_string;
use super::explanation::Explanation;
use super::facts::{Outcome, VerifyingKey};
use super::json_text::JsonText;
use super::note::Note;
use super::pasted::Place;
use super::segment::{Content, Segment};

/// The members of an object, with values that are JSON already.
macro_rules! members {
    ($($name:literal: $value:expr),+ $(,)?) => { [$(member($name, &$value)),+] };
}

/// The object and a line end.
pub(super) fn document(explanation: &Explanation<'_>) -> String {
    let facts = &explanation.facts;
    let verdict = match facts.outcome {
        Outcome::Valid => "valid",
        Outcome::Rejected => "rejected",
        Outcome::NotVerified => "not-verified",
    };
    let mut all = Vec::from(members! {
        "schema": json_string("jotmill.inspect/1"),
        // The strictest of what the word may be taken for: an expired token is not "verified".
        "verified": facts.outcome == Outcome::Valid,
        "verdict": json_string(verdict),
        "reasons": array(&explanation.rejections, rejection),
        "findings": array(facts.findings.iter(), finding),
    });
    all.extend(facts.hint().map(|hint| member("hint", &json_string(hint))));
    all.extend(
        explanation
            .place
            .as_ref()
            .map(|place| member("found", &found(place))),
    );
    all.extend(members! {
        "bytes": facts.token.len(),
        "sha256": json_string(&facts.sha256()),
        "segments": array(&facts.segments, segment),
        "key": or_null(facts.key.as_ref().map(key)),
        "covered_by_signature": facts.key.is_some(),
    });
    all.extend(content("header", Some(&facts.header)));
    all.extend(content("payload", facts.payload.as_ref()));
    all.extend(members! {
        "times": times(explanation),
        "unchecked": array(facts.policy.unchecked(), json_string),
    });
    object(&all) + "\n"
}

fn rejection((reason, details): &(Reason, Vec<Note>)) -> String {
    object(&members! {
        "code": json_string(reason.code()),
        "meaning": json_string(reason.meaning()),
        "rule": json_string(reason.rule()),
        "stage": json_string(reason.stage().name()),
        "details": array(details, |note| json_string(&note.text)),
    })
}

fn found(place: &Place) -> String {
    object(&members! {
        "in": json_string(&place.surroundings),
        "line": place.line,
        "offset": place.offset,
        "length": place.length,
        "other_offsets": array(&place.others, usize::to_string),
    })
}

fn finding(finding: Finding) -> String {
    object(&members! {
        "code": json_string(finding.code()),
        "meaning": json_string(finding.meaning()),
    })
}

fn segment(segment: &Segment) -> String {
    object(&members! {
        "name": json_string(segment.name),
        "characters": segment.characters,
        "bytes": or_null(segment.bytes()),
    })
}

fn key(VerifyingKey { key, findings }: &VerifyingKey<'_>) -> String {
    let mut all = Vec::from(members! {
        "name": json_string(key.name()),
        "id": or_null(key.id().map(json_string)),
        "origin": json_string(key.origin()),
        "kty": json_string(key.kty()),
    });
    // No size and no hash of a secret.
    if let Some(thumbprint) = key.thumbprint() {
        all.extend(members! {
            "subtype": or_null(key.subtype().map(json_string)),
            "bits": key.bits(),
            "thumbprint": json_string(&thumbprint),
            "validity": or_null(key.validity().map(validity)),
        });
    }
    let code = |finding: &KeyFinding| json_string(finding.code());
    all.extend(members! { "findings": array(findings, code) });
    object(&all)
}

fn validity(validity: Validity) -> String {
    let [not_before, not_after] = validity.dates();
    object(&members! {
        "not_after": json_string(&not_after),
        "not_before": json_string(&not_before),
    })
}

/// A header or payload as the JSON that it is, or as null, and what is wrong with it.
fn content(name: &str, content: Option<&Content>) -> Vec<String> {
    let text = content.and_then(Content::text);
    // Other readers would refuse the whole document for one that is nested too deep.
    let json = text
        .filter(|text| text.too_deep.is_none())
        .map(JsonText::compact);
    let mut problems = content.map(Content::problems).unwrap_or_default();
    let repeated = text.map_or(&[][..], |text| &text.repeated);
    let twice = |name| format!("a member occurs twice: {name}");
    problems.extend(repeated.iter().take(16).map(twice));
    let mut members = vec![member(name, &or_null(json))];
    if !problems.is_empty() {
        let problems = array(&problems, |problem| json_string(problem));
        members.push(member(&format!("{name}_problems"), &problems));
    }
    members
}

fn times(explanation: &Explanation<'_>) -> String {
    let (now, policy) = (explanation.facts.now, explanation.facts.policy);
    let now = object(&members! {
        "value": unix(now),
        "utc": json_string(&now.to_string()),
        "leeway_seconds": policy.leeway_seconds(),
    });
    let mut all = vec![member("now", &now)];
    let times = explanation.times.iter().filter(|time| !time.is_repeated);
    all.extend(times.map(|time| member(time.name, &self::time(time))));
    object(&all)
}

fn time(time: &Time) -> String {
    object(&members! {
        "value": time.value,
        "utc": or_null(time.moment.map(|moment| json_string(&moment.to_string()))),
        "seconds_from_now": format!("{:?}", time.seconds),
        "words": json_string(&time.words),
    })
}

fn member(name: &str, value: &dyn Display) -> String {
    format!("\"{name}\":{value}")
}

fn object(members: &[String]) -> String {
    format!("{{{}}}", members.join(","))
}

fn array<T>(values: impl IntoIterator<Item = T>, json: impl Fn(T) -> String) -> String {
    let values: Vec<String> = values.into_iter().map(json).collect();
    format!("[{}]", values.join(","))
}

fn or_null(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}
