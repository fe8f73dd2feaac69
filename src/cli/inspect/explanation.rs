//! Everything that is said of a token, in one value that is built here. `text` and `json` only
//! spell it.

use jotmill::{Algorithm, Finding, Key, Policy, Reason, Stage, UnixTime, Validator};

use super::claims::{self, Time};
use super::dates::whole_duration;
use super::escape::{deceptive_count, grouped, plural, quoted};
use super::facts::{Facts, Outcome};
use super::json_text::Member;
use super::note::{MANY, Note, Notes};
use super::pasted::Place;
use super::segment::Content;
use super::{glossary, keys, reasons};
use crate::cli::args::shown;

/// How a stage ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Passed,
    Failed,
    NotReached,
    /// There is no key to do it with.
    NotDone,
}

/// What is said of a stage.
pub(super) struct StageReport {
    pub(super) stage: Stage,
    pub(super) state: State,
    /// The section that it follows, or why it was not done.
    pub(super) remark: &'static str,
    pub(super) notes: Vec<Note>,
}

/// Everything that is said of a token.
pub(super) struct Explanation<'a> {
    pub(super) facts: Facts<'a>,
    /// Where the token is in what was pasted, unless that is the token alone.
    pub(super) place: Option<Place>,
    /// The verdict in a line.
    pub(super) verdict: String,
    /// What the verdict means for the reader, and what to do next.
    pub(super) advice: Vec<Note>,
    /// Why the token was rejected, each reason with its details.
    pub(super) rejections: Vec<(Reason, Vec<Note>)>,
    pub(super) stages: Vec<StageReport>,
    pub(super) times: Vec<Time>,
}

impl<'a> Explanation<'a> {
    /// Explains `token`, exactly the bytes given. `validator` is `None` where no key was given; if
    /// there is one, `policy` is its policy.
    pub(super) fn new(
        token: &'a [u8],
        validator: Option<&'a Validator>,
        policy: &'a Policy,
        now: UnixTime,
    ) -> Self {
        let facts = Facts::new(token, validator, policy, now);
        let explained = |reason| (reason, reasons::details(&facts, reason));
        Self {
            place: None,
            verdict: verdict(&facts),
            advice: advice(&facts),
            rejections: facts.reasons.iter().map(explained).collect(),
            stages: Stage::ALL.map(|stage| report(&facts, stage)).into(),
            times: claims::times(&facts),
            facts,
        }
    }
}

/// The codes of all reasons.
fn codes(facts: &Facts<'_>) -> String {
    let codes: Vec<_> = facts.reasons.iter().map(Reason::code).collect();
    codes.join(", ")
}

fn verdict(facts: &Facts<'_>) -> String {
    match facts.outcome {
        Outcome::Valid => "VALID: the signature holds, and every rule passed".to_owned(),
        Outcome::Rejected => format!("REJECTED: {}", codes(facts)),
        Outcome::NotVerified => "NOT VERIFIED: no key was given".to_owned(),
    }
}

fn advice(facts: &Facts<'_>) -> Vec<Note> {
    let mut notes = Notes::default();
    let marked = "anyone can write what is on the lines marked with \"?\".";
    match facts.outcome {
        Outcome::NotVerified => notes.own(format!("No signature was verified: {marked}")),
        _ if facts.key.is_some() => {}
        _ => notes.own(format!("NOT VERIFIED: no signature holds, and {marked}")),
    }
    if facts.outcome == Outcome::NotVerified && facts.reasons.is_empty() {
        let keys = match facts.algorithm().map(Algorithm::is_hmac) {
            Some(true) => "the secret (--secret-file)",
            Some(false) => "its public key or certificate (--key)",
            None => "the secret (--secret-file), a key (--key)",
        };
        notes.own(format!("To verify it, give {keys} or a key set (--jwks)."));
    } else if facts.outcome == Outcome::NotVerified {
        let codes = codes(facts);
        notes.own(format!("Whatever the key, jotmill rejects it: {codes}."));
    }
    for other in &facts.other_readings {
        let key = facts.keys.and_then(|keys| keys.get(other.key));
        notes.own(format!(
            "{} does not verify it; {} it does: {}.",
            shown(key.map_or("", Key::name)),
            other.reading,
            other.advice
        ));
    }
    if let Some(hint) = facts.hint() {
        notes.own(format!("Hint: {hint}."));
    }
    notes.0
}

fn report(facts: &Facts<'_>, stage: Stage) -> StageReport {
    let state = match facts.failed_stage() {
        Some(failed) if stage == failed => State::Failed,
        _ if facts.outcome == Outcome::NotVerified && stage >= Stage::Key => State::NotDone,
        Some(failed) if stage > failed => State::NotReached,
        _ => State::Passed,
    };
    let mut notes = Notes::default();
    match (stage, state) {
        (Stage::Line, _) => line(facts, state, &mut notes),
        (Stage::Structure, _) => findings(facts, Stage::Structure, &mut notes),
        (Stage::Header, _) => header(facts, &mut notes),
        (Stage::Key, State::Passed) => keys::choice(facts, &mut notes),
        (Stage::Signature, State::Passed) => signature(facts, &mut notes),
        (Stage::Payload, _) => match &facts.payload {
            Some(payload) => content(payload, &mut notes),
            None if facts.reasons.contains(Reason::Encrypted) => notes.own("it is encrypted"),
            None => notes.own("there is none"),
        },
        (Stage::Claims, _) => checks(facts, state, &mut notes),
        _ => {}
    }
    let (remark, notes) = (remark(facts, stage, state), notes.0);
    StageReport {
        stage,
        state,
        remark,
        notes,
    }
}

fn remark(facts: &Facts<'_>, stage: Stage, state: State) -> &'static str {
    match (state, stage) {
        (State::Failed, _) | (State::Passed, Stage::Line) => "",
        (State::Passed, Stage::Structure) => "RFC 7515 section 7.1",
        (State::Passed, Stage::Header) => "RFC 7515 section 4",
        (State::Passed, Stage::Key) => "RFC 7515 section 6",
        (State::Passed, Stage::Signature) => "RFC 7515 section 5.2",
        (State::Passed, Stage::Payload) => "RFC 7519 section 7.2",
        (State::Passed, Stage::Claims) => "RFC 7519 section 4",
        (_, Stage::Payload) if facts.payload.is_some() => "shown below, and not to be trusted",
        (State::NotReached, _) => "",
        (State::NotDone, Stage::Key) => "no key was given",
        (State::NotDone, Stage::Signature) => "nothing was verified",
        (State::NotDone, _) => "nothing was judged",
    }
}

fn line(facts: &Facts<'_>, state: State, notes: &mut Notes) {
    if state == State::Passed {
        let (bytes, limit) = (facts.token.len(), facts.policy.token_limit());
        notes.own(format!(
            "{} bytes, of at most {}",
            grouped(bytes),
            grouped(limit)
        ));
    }
    let digest = facts.sha256();
    notes.own(format!("sha256 {digest}, by which audit's rows name it"));
}

fn header(facts: &Facts<'_>, notes: &mut Notes) {
    content(&facts.header, notes);
    let explained = facts
        .header
        .text()
        .map(glossary::header)
        .unwrap_or_default();
    for (name, words) in explained {
        notes.quote(format!("{name:<4}  {words}"));
    }
    findings(facts, Stage::Header, notes);
}

/// The findings of a stage in their own words.
fn findings(facts: &Facts<'_>, stage: Stage, notes: &mut Notes) {
    for finding in facts.findings_at(stage) {
        let rule = match finding {
            Finding::JwkHeader | Finding::JkuHeader | Finding::X5cHeader | Finding::X5uHeader => {
                " (RFC 8725 section 3.10)"
            }
            _ => "",
        };
        notes.own(format!("{}: {}{rule}", finding.code(), finding.meaning()));
    }
}

/// What is unusual about the JSON of a header or payload, beside its problems.
fn content(content: &Content, notes: &mut Notes) {
    let Some(text) = content.text() else {
        return;
    };
    let hidden = deceptive_count(&text.text);
    if hidden > 0 {
        let hidden = plural(hidden, "control or invisible character");
        notes.own(format!("{hidden} shown as \\u escapes"));
    }
    let escaped = text.members.iter().filter(|member| member.is_escaped);
    for Member { name, .. } in escaped.take(MANY) {
        let name = quoted(name);
        notes.quote(format!("a name is written with escapes: it is {name}"));
    }
    for name in text.repeated.iter().take(MANY) {
        notes.quote(format!("{} occurs more than once", quoted(name)));
    }
    if text.kind() != "an object" {
        notes.quote(format!("not an object, but {}", text.kind()));
    }
}

/// What is said of a signature that holds.
fn signature(facts: &Facts<'_>, notes: &mut Notes) {
    let (Some(verifying), Some(algorithm)) = (&facts.key, facts.algorithm()) else {
        return;
    };
    let key = keys::name_and_origin(verifying.key);
    notes.own(if verifying.key.is_anchor() {
        let first = "the key of the first certificate of x5c";
        format!("{algorithm} holds under {first}, for which the anchor {key} vouches")
    } else {
        format!("{algorithm} holds under the key {key}")
    });
    keys::about(verifying, notes);
    notes.own("header and payload are authentic");
    let len = algorithm.mac_len().unwrap_or_default();
    for finding in facts.findings_at(Stage::Signature) {
        let words = match finding {
            Finding::WeakKey => &format!(
                "the secret is shorter than the {len} bytes that {algorithm} needs, and may be \
                 guessed (RFC 7518 section 3.2)"
            ),
            Finding::KidOfAnotherKey => "kid names another key than this one (--kid-hint)",
            Finding::EcdsaHighS => {
                "of the two signatures that anyone can make of one, this has the greater s; it is \
                 as good, and about as frequent (RFC 7518 section 3.4)"
            }
            other => other.meaning(),
        };
        notes.own(format!("{}: {words}", finding.code()));
    }
}

/// Which claims were checked, and which were not.
fn checks(facts: &Facts<'_>, state: State, notes: &mut Notes) {
    if facts.policy.leeway_seconds() > 0 {
        let leeway = whole_duration(facts.policy.leeway_seconds());
        notes.own(format!("the leeway is {leeway}"));
    }
    if !matches!(state, State::Passed | State::Failed) || facts.claims().is_none() {
        return;
    }
    findings(facts, Stage::Claims, notes);
    let passed = claims::passed(facts);
    if !passed.is_empty() {
        notes.own(format!("passed: {}", passed.join(", ")));
    }
    let unchecked = facts.policy.unchecked();
    if !unchecked.is_empty() {
        let options = unchecked.join(", --");
        notes.own(format!("not compared, for want of --{options}"));
    }
}
