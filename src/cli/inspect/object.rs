//! The explanation as one JSON object, for programs: the same facts as the page.
//!
//! It is written by hand, so that header and payload stand in it as the token has them: in order,
//! with numbers as they are spelled, and with members that occur twice.

use std::io::{self, Write};

use jotmill::{Finding, Key, Reason, UnixTime};
use sha2::{Digest, Sha256};

use super::escape::json_string;
use super::json_text::JsonText;
use super::keys;
use super::segment::JsonSegment;
use super::times::{TIMES, time_words, times};
use super::{Facts, Outcome, details, words};

/// Writes the object and a line end.
pub(super) fn write(facts: &Facts<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut object = Object::new();
    object.string("schema", "jotmill.inspect/1");
    // The strictest of what the word may be taken for: an expired token is not "verified".
    object.raw("verified", bool_text(facts.outcome == Outcome::Valid));
    object.string(
        "verdict",
        match facts.outcome {
            Outcome::Valid => "valid",
            Outcome::Rejected => "rejected",
            Outcome::NotVerified => "not-verified",
        },
    );
    object.raw(
        "reasons",
        &array(
            facts
                .reasons
                .iter()
                .map(|reason| reason_object(facts, reason)),
        ),
    );
    object.raw(
        "findings",
        &array(facts.findings.iter().map(finding_object)),
    );
    if let Some(hint) = &facts.hint {
        object.string("hint", hint);
    }
    object.raw("bytes", &facts.token.len().to_string());
    object.string("sha256", &digest(facts));
    object.raw("segments", &segments(facts));
    object.raw(
        "key",
        &facts
            .key
            .map_or_else(|| "null".to_owned(), |key| key_object(facts, key)),
    );
    object.raw("covered_by_signature", bool_text(facts.is_covered));
    add_json(&mut object, "header", Some(&facts.header));
    add_json(&mut object, "payload", facts.payload.as_ref());
    object.raw("times", &times_object(facts));
    let unchecked = facts.policy.unchecked();
    object.raw("unchecked", &array(unchecked.into_iter().map(json_string)));
    writeln!(out, "{}", object.end())
}

/// The digest by which rows name a token. It is of the token, and never of a secret.
pub(super) fn digest(facts: &Facts<'_>) -> String {
    Sha256::digest(facts.token)
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A moment as seconds since the epoch, with a fraction only where there is one.
pub(super) fn unix(moment: UnixTime) -> String {
    match moment.subsec_nanos() {
        0 => moment.seconds().to_string(),
        nanos => {
            let text = format!("{}.{nanos:09}", moment.seconds());
            text.trim_end_matches('0').to_owned()
        }
    }
}

fn reason_object(facts: &Facts<'_>, reason: Reason) -> String {
    let mut object = Object::new();
    object.string("code", reason.code());
    object.string("meaning", reason.meaning());
    object.string("rule", reason.rule());
    object.string("stage", reason.stage().name());
    let details = details::of(facts, reason)
        .into_iter()
        .map(|note| json_string(&note.text));
    object.raw("details", &array(details));
    object.end()
}

fn finding_object(finding: Finding) -> String {
    let mut object = Object::new();
    object.string("code", finding.code());
    object.string("meaning", finding.meaning());
    object.end()
}

fn segments(facts: &Facts<'_>) -> String {
    array(facts.segments.iter().enumerate().map(|(index, segment)| {
        let mut object = Object::new();
        object.string("name", facts.segment_name(index));
        object.raw("characters", &segment.encoded.len().to_string());
        let bytes = segment
            .decoded_len()
            .map_or_else(|| "null".to_owned(), |len| len.to_string());
        object.raw("bytes", &bytes);
        object.end()
    }))
}

fn key_object(facts: &Facts<'_>, key: &Key) -> String {
    let mut object = Object::new();
    object.string("name", key.name());
    object.raw(
        "id",
        &key.id().map_or_else(|| "null".to_owned(), json_string),
    );
    object.string("origin", key.origin());
    for (name, value) in keys::members(key, &facts.key_findings) {
        object.raw(name, &value.to_string());
    }
    object.end()
}

/// A segment as the JSON that it is, or as null beside what is wrong with it.
fn add_json(object: &mut Object, name: &str, shown: Option<&JsonSegment<'_>>) {
    let text = shown.and_then(JsonSegment::text);
    // One that jotmill refuses for its depth, other readers would refuse with all around it.
    let fit = text.filter(|text| text.too_deep.is_none());
    object.raw(
        name,
        &fit.map_or_else(|| "null".to_owned(), JsonText::compact),
    );
    let Some(shown) = shown else { return };
    let mut problems = Vec::new();
    if let Some(fault) = shown.segment.spelling {
        problems.push(format!("base64url: {}", fault.words()));
    }
    if let Some(fault) = shown.fault() {
        problems.push(format!("JSON: {}", fault.words()));
    }
    if shown.json.is_none() {
        problems.push("too long to be shown".to_owned());
    }
    if let Some(text) = text {
        if text.too_deep.is_some() {
            problems.push("nested deeper than 64 levels".to_owned());
        }
        let twice = text.twice.iter().take(16);
        problems.extend(twice.map(|name| format!("a member occurs twice: {name}")));
    }
    if !problems.is_empty() {
        let problems = problems.iter().map(|problem| json_string(problem));
        object.raw(&format!("{name}_problems"), &array(problems));
    }
}

fn times_object(facts: &Facts<'_>) -> String {
    let mut object = Object::new();
    let now = facts.now;
    let mut moment = Object::new();
    moment.raw("value", &unix(now));
    moment.string("utc", &now.to_string());
    moment.raw("leeway_seconds", &facts.policy.leeway_seconds().to_string());
    object.raw("now", &moment.end());
    let text = facts.payload.as_ref().and_then(JsonSegment::text);
    // Of a member that occurs twice, neither is the one.
    let all_twice = text.map_or(&[][..], |text| &text.twice);
    let is_twice = |name: &&str| all_twice.iter().any(|other| other == name);
    let twice: Vec<_> = TIMES.into_iter().filter(is_twice).collect();
    for (name, value, date) in text.into_iter().flat_map(times) {
        if twice.contains(&name) {
            continue;
        }
        let mut time = Object::new();
        time.raw("value", value);
        let utc = words::moment(date).map(|moment| json_string(&moment.to_string()));
        time.raw("utc", utc.as_deref().unwrap_or("null"));
        time.raw("seconds_from_now", &format!("{:?}", date.seconds_from(now)));
        time.string("words", &time_words(name, date, facts));
        object.raw(name, &time.end());
    }
    object.end()
}

const fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// A JSON object that is being written.
struct Object(String);

impl Object {
    fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member whose value is JSON already.
    fn raw(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0 += &json_string(name);
        self.0.push(':');
        self.0 += value;
    }

    fn string(&mut self, name: &str, value: &str) {
        self.raw(name, &json_string(value));
    }

    fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
