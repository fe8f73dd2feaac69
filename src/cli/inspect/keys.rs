//! What is said of keys: which ones a token leads to, why one does not verify it, what the one that
//! did is. Of a secret nothing is said but that it is one.

use std::collections::HashSet;

use jotmill::{Algorithm, Finding, Key, KeySet, Reason, UnusableKey};

use super::escape::{excerpt, grouped, json_string, plural, quoted};
use super::facts::{Facts, VerifyingKey};
use super::note::{MANY, Notes, listed};

/// The `kty` that an algorithm takes, the subtype where it takes only one, and the section that
/// says so.
const fn taken_by(algorithm: Algorithm) -> (&'static str, Option<&'static str>, &'static str) {
    use Algorithm as A;
    match algorithm {
        A::Hs256 | A::Hs384 | A::Hs512 => ("oct", None, "RFC 7518 section 3.2"),
        A::Rs256 | A::Rs384 | A::Rs512 => ("RSA", None, "RFC 7518 section 3.3"),
        A::Ps256 | A::Ps384 | A::Ps512 => ("RSA", None, "RFC 7518 section 3.5"),
        A::Es256 => ("EC", Some("P-256"), "RFC 7518 section 3.4"),
        A::Es384 => ("EC", Some("P-384"), "RFC 7518 section 3.4"),
        A::Es512 => ("EC", Some("P-521"), "RFC 7518 section 3.4"),
        A::Es256k => ("EC", Some("secp256k1"), "RFC 8812 section 3.2"),
        A::EdDsa => ("OKP", None, "RFC 8037 section 3.1"),
        A::Ed25519 | A::Ed448 => ("OKP", Some(algorithm.name()), "RFC 9864 section 2.2"),
        A::MlDsa44 | A::MlDsa65 | A::MlDsa87 => {
            ("AKP", Some(algorithm.name()), "FIPS 204 section 4")
        }
        _ => ("", None, "RFC 7518 section 3"),
    }
}

/// A type of key, with an article.
fn kind(kty: &str, subtype: Option<&str>) -> String {
    match (kty, subtype) {
        ("oct", _) => "a secret".to_owned(),
        ("RSA", _) => "an RSA key".to_owned(),
        ("", _) => "a key of another type".to_owned(),
        ("EC", Some(curve)) => format!("an EC key on {curve}"),
        (_, Some(name)) => format!("an {name} key"),
        (_, None) => "an Ed25519 or Ed448 key".to_owned(),
    }
}

/// What a key is, with an article.
fn description(key: &Key) -> String {
    let size = match key.kty() {
        "RSA" => format!(" of {} bits", grouped(key.bits())),
        _ => String::new(),
    };
    kind(key.kty(), key.subtype()) + &size
}

/// What an algorithm takes, as a sentence.
fn wanted(algorithm: Algorithm) -> String {
    let (kty, subtype, section) = taken_by(algorithm);
    format!("{algorithm} takes {} ({section})", kind(kty, subtype))
}

/// Why a key does not verify an algorithm.
fn misfit(key: &Key, algorithm: Algorithm) -> String {
    let (kty, subtype, _) = taken_by(algorithm);
    let is = format!("it is {}", description(key));
    if key.kty() != kty || subtype.is_some() && key.subtype() != subtype {
        return format!("{is}; {}", wanted(algorithm));
    }
    match (key.alg(), key.purpose()) {
        (Some(alg), _) if alg != algorithm.name() => {
            let alg = quoted(alg);
            format!("{is}, bound to {alg} by its alg (RFC 7517 section 4.4)")
        }
        (_, Some(purpose)) if purpose != "sig" => {
            let purpose = quoted(purpose);
            format!("{is}, for {purpose} by its use (RFC 7517 section 4.2)")
        }
        _ => format!("{is}, and its key_ops do not verify (RFC 7517 section 4.3)"),
    }
}

/// A key by its name and where it comes from.
pub(super) fn name_and_origin(key: &Key) -> String {
    format!("{} from {}", quoted(key.name()), json_string(key.origin()))
}

/// What else is known of the public key that verified the token; nothing for a secret.
pub(super) fn about(VerifyingKey { key, findings }: &VerifyingKey<'_>, notes: &mut Notes) {
    if key.is_anchor() {
        return;
    }
    let Some(thumbprint) = key.thumbprint() else {
        return;
    };
    notes.own(format!("it is {}", description(key)));
    // Without an id the thumbprint is the name already.
    if key.name() != thumbprint {
        notes.own(format!("its thumbprint is {thumbprint} (RFC 7638)"));
    }
    if let Some(validity) = key.validity() {
        let [from, to] = validity.dates();
        notes.own(format!("its certificate is valid from {from} to {to}"));
    }
    for finding in findings {
        notes.own(format!("{}: {}", finding.code(), finding.meaning()));
    }
}

/// The search for the key of a token.
struct Search<'k> {
    keys: &'k KeySet,
    algorithm: Algorithm,
    kid: Option<String>,
    /// Whether the `kid` is the id of any key, usable or not.
    is_named: bool,
}

impl<'k> Search<'k> {
    /// `None` without keys, or without an algorithm to verify.
    fn new(facts: &Facts<'k>) -> Option<Self> {
        let (keys, algorithm) = facts.keys.zip(facts.algorithm())?;
        let kid = facts.header_string("kid");
        let usable = keys.iter().map(Key::id);
        let unusable = keys.unusable_keys().iter().map(|key| key.kid.as_deref());
        let is_named = kid.is_some() && usable.chain(unusable).any(|id| id == kid.as_deref());
        Some(Self {
            keys,
            algorithm,
            kid,
            is_named,
        })
    }

    /// The keys that the `kid` names, else those without an id; every key without a `kid`.
    fn candidates(&self) -> impl Iterator<Item = &'k Key> {
        let id = self.kid.as_deref().filter(|_| self.is_named);
        self.keys
            .iter()
            .filter(move |key| !key.is_anchor() && (self.kid.is_none() || key.id() == id))
    }

    /// The candidates that may verify the algorithm.
    fn fitting(&self) -> Vec<&'k Key> {
        let fits = |key: &&Key| key.algorithms().contains(self.algorithm);
        self.candidates().filter(fits).collect()
    }

    /// Why each of a few candidates does not verify the algorithm.
    fn misfits(&self, notes: &mut Notes) {
        for key in self.candidates().take(MANY) {
            let why = misfit(key, self.algorithm);
            notes.own(format!("key {}: {why}", name_and_origin(key)));
        }
    }

    /// A few of the unusable keys that could have signed the token.
    fn unusable(&self, notes: &mut Notes) {
        // What rules these out is said of them as candidates.
        let is_said = |unusable: &UnusableKey| {
            let is_it = |key: &Key| {
                key.ruled_out_by() == unusable.member
                    && key.origin() == unusable.origin
                    && key.id() == unusable.kid.as_deref()
            };
            unusable.member.is_some() && self.candidates().any(is_it)
        };
        let unusable = self
            .keys
            .unusable_for(0, self.kid.as_deref(), self.algorithm);
        for key in unusable.filter(|key| !is_said(key)).take(MANY) {
            notes.own(format!(
                "{} is unusable: {}",
                place(key),
                excerpt(&key.problem())
            ));
        }
    }
}

/// Where an unusable key is.
fn place(key: &UnusableKey) -> String {
    let index = key.index.map(|index| format!("keys[{index}] of "));
    index.unwrap_or_default() + &quoted(&key.origin)
}

/// The unusable keys that could have made a signature which no key verifies, and what to do. Returns
/// whether there are any: then nothing is known of the token.
pub(super) fn could_have_signed(facts: &Facts<'_>, notes: &mut Notes) -> bool {
    let Some(search) = Search::new(facts) else {
        return false;
    };
    let kid = search.kid.as_deref();
    let kid = kid.filter(|_| !facts.policy.takes_kid_as_hint());
    let mut unusable = search
        .keys
        .unusable_for(0, kid, search.algorithm)
        .peekable();
    let is_any = unusable.peek().is_some();
    for key in unusable.take(MANY) {
        let (place, problem) = (place(key), excerpt(&key.problem()));
        notes.own(format!(
            "{place} may have made it, but cannot be used: {problem}. Correct or replace that key \
             before you judge the token"
        ));
    }
    is_any
}

/// The key that would verify the token if `kid` were a hint. Returns whether there is one.
pub(super) fn by_kid_hint(facts: &Facts<'_>, notes: &mut Notes) -> bool {
    let Some(key) = facts.key_by_kid_hint else {
        return false;
    };
    notes.own(format!(
        "with --kid-hint, its signature holds: the key {} made it, which kid does not name",
        name_and_origin(key)
    ));
    true
}

/// A `kid` that is the id of no key that was given. Returns whether it is: then the keys that were
/// tried say nothing of the token.
pub(super) fn has_unknown_kid(facts: &Facts<'_>, notes: &mut Notes) -> bool {
    let search = Search::new(facts).filter(|search| !search.is_named);
    let Some(kid) = search.and_then(|search| search.kid) else {
        return false;
    };
    notes.quote(format!(
        "kid {} is the id of no key that was given: the key of this id may have made the \
         signature. Give that key",
        quoted(&kid)
    ));
    true
}

/// The keys that the signature was checked with; `None` without a key set.
pub(super) fn tried<'k>(facts: &Facts<'k>) -> Option<Vec<&'k Key>> {
    let mut search = Search::new(facts)?;
    search.kid = search.kid.filter(|_| !facts.policy.takes_kid_as_hint());
    Some(search.fitting())
}

/// A few keys by their names.
pub(super) fn names(keys: &[&Key]) -> String {
    listed(keys.iter().map(|key| key.name()), ", ", "and ")
}

/// What is known of the chain of a token, and of the anchor.
pub(super) fn chain(facts: &Facts<'_>, notes: &mut Notes) {
    let chain = match &facts.chain {
        None => return,
        Some(Err(error)) => return notes.own(format!("its certificate chain: {error}")),
        Some(Ok(chain)) => chain,
    };
    let anchor = facts.keys.and_then(|keys| keys.get(chain.anchor));
    if let Some(anchor) = anchor {
        let anchor = name_and_origin(anchor);
        notes.own(format!(
            "its certificate chain leads to the anchor {anchor}"
        ));
    }
    let [from, to] = chain.validity.dates();
    notes.own(format!(
        "the chain is valid from {from} to {to}; revocation is not checked"
    ));
    if !chain.purposes.is_empty() {
        let purposes = listed(chain.purposes.iter().map(String::as_str), ", ", "and ");
        notes.own(format!(
            "extended key usage, which is not checked: {purposes}"
        ));
    }
}

/// How the key was chosen, for a token that passed the header stage.
pub(super) fn choice(facts: &Facts<'_>, notes: &mut Notes) {
    chain(facts, notes);
    if facts
        .key
        .as_ref()
        .is_some_and(|found| found.key.is_anchor())
    {
        return;
    }
    let Some(search) = Search::new(facts) else {
        return;
    };
    let (fitting, algorithm) = (search.fitting(), search.algorithm);
    let (count, names) = (plural(fitting.len(), "key"), names(&fitting));
    let are = if fitting.len() == 1 { "is" } else { "are" };
    let Some(kid) = search.kid.as_deref().map(quoted) else {
        let count = format!("{count} that may verify {algorithm} {are} tried");
        return notes.own(format!("the header has no kid; {count}: {names}"));
    };
    notes.quote(if search.is_named {
        format!("kid {kid} names {count} to try: {names}")
    } else {
        format!("kid {kid} is the id of no key; {count} without an id {are} tried: {names}")
    });
}

/// Why the key stage rejected the token.
pub(super) fn details(facts: &Facts<'_>, reason: Reason, notes: &mut Notes) {
    if reason == Reason::IssuerUnknown {
        let issuers = listed(facts.issuers.iter().copied(), ", ", "and ");
        return notes.own(format!("there are policies for {issuers}"));
    }
    chain(facts, notes);
    if reason == Reason::ChainInvalid {
        return;
    }
    let Some(search) = Search::new(facts) else {
        return;
    };
    let algorithm = search.algorithm;
    match (search.kid.as_deref().map(quoted), reason) {
        (_, Reason::TooManyKeys) => {
            let count = plural(search.fitting().len(), "key");
            let limit = grouped(facts.policy.key_limit());
            return notes.own(format!("{count} fit {algorithm}; the limit is {limit}"));
        }
        (Some(kid), Reason::KeyNotFound) => {
            let no_key = format!("no key without an id may verify {algorithm}");
            notes.quote(format!("kid {kid} is the id of no key, and {no_key}"));
            let mut seen = HashSet::new();
            let ids = search.keys.iter().filter_map(Key::id);
            let ids = listed(ids.filter(|id| seen.insert(*id)), ", ", "and ");
            if !ids.is_empty() {
                notes.own(format!("there are keys of the ids {ids}"));
            }
        }
        (Some(kid), _) => notes.quote(format!("kid {kid}")),
        (None, _) => {
            let keys = search.keys.iter().filter(|key| !key.is_anchor());
            let all = plural(keys.count(), "key");
            let none = format!("none of {all} may verify {algorithm}");
            notes.own(format!("the header has no kid, and {none}"));
            notes.own(wanted(algorithm));
        }
    }
    search.misfits(notes);
    search.unusable(notes);
    by_kid_hint(facts, notes);
    if facts.findings.contains(Finding::X5cChainToGivenRoot) {
        let finding = Finding::X5cChainToGivenRoot;
        notes.own(format!("{}: {}", finding.code(), finding.meaning()));
    }
}
