//! The times of a payload, and how each stands to `now`.

use jotmill::{NumericDate, Reason, Stage};

use super::json_text::JsonText;
use super::{Facts, words};

/// Claims that are times, the ones that are judged first; the last two are OpenID Connect's.
pub(super) const TIMES: [&str; 5] = ["iat", "nbf", "exp", "auth_time", "updated_at"];

/// The times of a payload, each as often as it occurs: name, value as it is written, and moment.
pub(super) fn times(text: &JsonText) -> impl Iterator<Item = (&'static str, &str, NumericDate)> {
    TIMES.into_iter().flat_map(|name| {
        let occurrences = text
            .members
            .iter()
            .filter(move |member| member.name == name);
        occurrences.filter_map(move |member| {
            Some((name, member.value.as_str(), words::date(&member.value)?))
        })
    })
}

/// A time relative to `now`, in words.
pub(super) fn time_words(name: &str, date: NumericDate, facts: &Facts<'_>) -> String {
    let seconds = date.seconds_from(facts.now);
    let relative = words::relative(seconds);
    let is_leeway_used = facts.is_covered
        && match name {
            "exp" => seconds <= 0.0 && !facts.reasons.contains(Reason::Expired),
            "nbf" => seconds > 0.0 && !facts.reasons.contains(Reason::NotYetValid),
            "iat" => seconds > 0.0 && !facts.reasons.contains(Reason::IssuedInFuture),
            _ => false,
        };
    // A claim that was not judged is not said to be within anything.
    let is_judged = facts.reasons.is_empty() || facts.failed_stage() == Some(Stage::Claims);
    let leeway = if is_leeway_used && is_judged {
        ", within the leeway"
    } else {
        ""
    };
    match name {
        "exp" if seconds == 0.0 => format!("expires now{leeway}"),
        "exp" if seconds < 0.0 => format!("expired {relative}{leeway}"),
        _ => format!("{relative}{leeway}"),
    }
}
