//! Expectations of claims beyond the registered ones: exact values, scopes, and issuers with
//! placeholders.
//!
//! Owns what they mean and how they are checked: in a second reading of the decoded, authentic
//! payload, by `serde_json`, which only policies with such rules pay for. What a payload is, and
//! which claims are required, is left to [`Policy`] and the claims stage.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::decimal::Decimal;
use super::{MAX_EXTRA_CLAIMS, Policy, RegisteredClaim, policy_error};
use crate::error::Error;
use crate::token::{Claims, IssuerTemplate, Member};
use crate::verdict::{Reason, ReasonSet};

/// The rules of a policy that need the second reading.
#[derive(Clone, Debug, Default)]
pub(super) struct ClaimRules {
    claims: Vec<ClaimRule>,
    /// All of them must be in `scope` or `scp`.
    scopes: Vec<Box<str>>,
    issuers: Vec<IssuerTemplate>,
}

/// The values that a claim may have.
#[derive(Clone, Debug)]
struct ClaimRule {
    /// As it is given: a name, or a JSON Pointer.
    name: Box<str>,
    /// The name of the top-level member, and of those within it.
    path: Vec<Box<str>>,
    values: Vec<Expected>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Expected {
    Text(Box<str>),
    Number { written: Box<str>, value: Decimal },
    Bool(bool),
}

impl Policy {
    /// Expects the claim `name` to be this string, exactly. Values of one name are alternatives.
    /// The claim becomes required: absent or null it is [`Reason::MissingClaim`], or the reason of
    /// its own that a registered claim has; with any other value [`Reason::ClaimMismatch`].
    ///
    /// A name that begins with `/` is a JSON Pointer (RFC 6901), such as `/realm_access/level`. An
    /// object on its way in which a member occurs twice has no one reading, and is a mismatch. An
    /// array or object equals nothing.
    ///
    /// ```
    /// # use jotmill::Policy;
    /// # fn main() -> Result<(), jotmill::Error> {
    /// let policy = Policy::service()
    ///     .claim("client_id", "app1")?
    ///     .claim("client_id", "app2")?
    ///     .claim_json("/realm_access/level", "3")?;
    /// assert_eq!(
    ///     policy.expected_claims(),
    ///     ["client_id=app1", "client_id=app2", "/realm_access/level:=3"]
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Policy`] for an empty name, a pointer that RFC 6901 does not allow, and beyond
    /// [`MAX_EXTRA_CLAIMS`] names.
    pub fn claim(self, name: &str, text: impl Into<String>) -> Result<Self, Error> {
        self.expect_claim(name, Expected::Text(text.into().into()))
    }

    /// As [`claim`](Self::claim), for a number or a boolean in JSON. Numbers are compared by their
    /// exact decimal value: 1, 1.0 and 1e0 are equal, 9007199254740993 and 9007199254740992 are not.
    ///
    /// # Errors
    /// Those of [`claim`](Self::claim), and [`Error::Policy`] for any other JSON and for what is
    /// none.
    pub fn claim_json(self, name: &str, json: &str) -> Result<Self, Error> {
        let written = json.trim_matches([' ', '\t', '\r', '\n']);
        let why = match serde_json::from_str(written) {
            Ok(Value::Bool(value)) => return self.expect_claim(name, Expected::Bool(value)),
            Ok(Value::Number(_)) => match Decimal::parse(written) {
                Some(value) => {
                    let written = written.into();
                    return self.expect_claim(name, Expected::Number { written, value });
                }
                None => "no number that a token can have",
            },
            Ok(Value::String(_)) => "a string; for strings write NAME=TEXT, without quotes",
            Ok(Value::Null) => "null, which counts as absent; a claim cannot be expected to be so",
            Ok(Value::Array(_) | Value::Object(_)) => {
                "an array or object, which is compared with nothing; expect what is inside it by a \
                 JSON Pointer, as in /roles/0=admin"
            }
            Err(_) => "no number, true or false; for strings write NAME=TEXT",
        };
        Err(policy_error(format!(
            "the value expected of a claim is {why}"
        )))
    }

    fn expect_claim(mut self, name: &str, value: Expected) -> Result<Self, Error> {
        let path = path(name)?;
        if let [top] = &path[..]
            && !top.is_empty()
        {
            self = self.require(top)?;
        }
        let rules = self.rules.get_or_insert_default();
        let known = rules.claims.iter_mut().find(|rule| rule.path == path);
        if let Some(rule) = known {
            if !rule.values.contains(&value) {
                rule.values.push(value);
            }
        } else if rules.claims.len() == MAX_EXTRA_CLAIMS {
            return Err(policy_error(format!(
                "values are expected of more than {MAX_EXTRA_CLAIMS} claims"
            )));
        } else {
            rules.claims.push(ClaimRule {
                name: name.into(),
                path,
                values: vec![value],
            });
        }
        Ok(self)
    }

    /// Expects these scopes, separated by spaces, in `scope` or `scp`: a string that is split at
    /// spaces (RFC 8693 section 4.2), or an array of strings. Repeated calls add up. A token without
    /// either claim is [`Reason::MissingClaim`], one that lacks a scope [`Reason::ClaimMismatch`].
    /// Where a token has both claims, each must name every scope.
    ///
    /// # Errors
    /// [`Error::Policy`] where no scope is named, and for one with a control character.
    pub fn scope(mut self, scopes: &str) -> Result<Self, Error> {
        let mut names = scopes.split(' ').filter(|name| !name.is_empty()).peekable();
        if names.peek().is_none() || scopes.contains(char::is_control) {
            return Err(policy_error(
                "scopes are names with spaces between them, such as \"read write\", and without \
                 control characters",
            ));
        }
        let rules = self.rules.get_or_insert_default();
        for name in names {
            if !rules.scopes.iter().any(|known| **known == *name) {
                rules.scopes.push(name.into());
            }
        }
        Ok(self)
    }

    /// Adds an expected issuer with placeholders, such as `https://login.example.com/{tid}/v2.0`;
    /// `iss` becomes required. A placeholder matches one or more characters other than `/`, and the
    /// claim of its name must be a string equal to what it matched; otherwise the token is
    /// [`Reason::IssuerMismatch`]. Between two slashes there may be one placeholder, with text
    /// around it. Without a placeholder this is [`issuer`](Self::issuer).
    ///
    /// # Errors
    /// [`Error::Policy`] for braces that are no placeholder, and a placeholder that occurs twice.
    pub fn issuer_template(mut self, template: &str) -> Result<Self, Error> {
        let parsed = IssuerTemplate::parse(template).map_err(|why| {
            policy_error(format!(
                "an expected issuer has {why}; a placeholder is the name of a claim in \
                 braces, one at most between two slashes, as in \
                 https://login.example.com/{{tid}}/v2.0"
            ))
        })?;
        if parsed.placeholders().next().is_none() {
            return Ok(self.issuer(template));
        }
        let rules = self.rules.get_or_insert_default();
        if !rules.issuers.contains(&parsed) {
            rules.issuers.push(parsed);
        }
        self.required |= 1 << RegisteredClaim::Iss as u8;
        Ok(self)
    }

    /// The expected values of claims, as the option `--claim` takes them: `NAME=TEXT` for a string,
    /// `NAME:=JSON` for a number or a boolean.
    #[must_use]
    pub fn expected_claims(&self) -> Vec<String> {
        let rules = self.rules.iter().flat_map(|rules| &rules.claims);
        let spelled = rules.flat_map(|ClaimRule { name, values, .. }| {
            values.iter().map(move |value| match value {
                Expected::Text(text) => format!("{name}={text}"),
                Expected::Number { written, .. } => format!("{name}:={written}"),
                Expected::Bool(value) => format!("{name}:={value}"),
            })
        });
        spelled.collect()
    }

    /// The scopes that a token must have, in the order given.
    pub fn expected_scopes(&self) -> impl Iterator<Item = &str> {
        let scopes = self.rules.iter().flat_map(|rules| &rules.scopes);
        scopes.map(AsRef::as_ref)
    }

    /// All expected issuers as they were given: those of [`issuers`](Self::issuers), then those with
    /// placeholders.
    pub fn issuer_names(&self) -> impl Iterator<Item = &str> {
        let templates = self.templates().iter().map(IssuerTemplate::text);
        self.issuers.iter().map(String::as_str).chain(templates)
    }

    pub(super) fn templates(&self) -> &[IssuerTemplate] {
        self.rules.as_ref().map_or(&[], |rules| &rules.issuers)
    }

    /// All expected issuers, those without placeholders first.
    pub(crate) fn expected_issuers(&self) -> impl Iterator<Item = IssuerTemplate> {
        let exact = self
            .issuers
            .iter()
            .map(|name| IssuerTemplate::literal(name));
        exact.chain(self.templates().iter().cloned())
    }

    /// The reasons that these rules give for a payload, of which `claims` are known.
    #[cold]
    pub(super) fn check_rules(&self, rules: &ClaimRules, claims: &Claims<'_>) -> ReasonSet {
        let Some(payload) = Payload::read(claims.text) else {
            // Unreachable: the claims were read from it.
            return Reason::ClaimMismatch.into();
        };
        let mut reasons = ReasonSet::EMPTY;
        for rule in &rules.claims {
            match payload.at(&rule.path) {
                Found::Absent if rule.is_counted_as_required() => {}
                Found::Absent => reasons.insert(Reason::MissingClaim),
                Found::Ambiguous => reasons.insert(Reason::ClaimMismatch),
                Found::Value(_) if rule.has_wrong_type(claims) => {}
                Found::Value(value) if rule.values.iter().any(|own| own.equals(value)) => {}
                Found::Value(_) => reasons.insert(Reason::ClaimMismatch),
            }
        }
        if !rules.scopes.is_empty() {
            match payload
                .scopes()
                .map(|claim| has_all(claim, &rules.scopes))
                .reduce(|a, b| a && b)
            {
                None => reasons.insert(Reason::MissingClaim),
                Some(false) => reasons.insert(Reason::ClaimMismatch),
                Some(true) => {}
            }
        }
        if let (Member::Is(iss), [_, ..]) = (&claims.iss, &rules.issuers[..]) {
            let is_exact = self.issuers.iter().any(|name| name == iss);
            let is_match = |template: &IssuerTemplate| {
                let captures = template.captures(iss);
                captures.is_some_and(|mut all| {
                    all.drain(..)
                        .all(|(name, own)| payload.text_of(name).is_some_and(|claim| claim == own))
                })
            };
            if !is_exact && !rules.issuers.iter().any(is_match) {
                reasons.insert(Reason::IssuerMismatch);
            }
        }
        reasons
    }

    /// The required claims that are absent or null and not registered: those of
    /// [`Reason::MissingClaim`].
    pub(crate) fn missing_names(&self, claims: &Claims<'_>) -> impl Iterator<Item = &str> {
        let is_missing = |(index, _): &(usize, _)| claims.extra >> index & 1 == 0;
        let required = self.extra_names().iter().enumerate().filter(is_missing);
        let required: Vec<&str> = required.map(|(_, name)| &**name).collect();
        let payload = self.rules.as_ref().and_then(|_| Payload::read(claims.text));
        let mut further = Vec::new();
        if let (Some(rules), Some(payload)) = (&self.rules, payload) {
            let absent = rules.claims.iter().filter(|rule| {
                !rule.is_counted_as_required() && matches!(payload.at(&rule.path), Found::Absent)
            });
            further.extend(absent.map(|rule| &*rule.name));
            if !rules.scopes.is_empty() && payload.scopes().next().is_none() {
                further.push("scope");
            }
        }
        required.into_iter().chain(further)
    }
}

/// The names of the members on the way to a claim.
fn path(name: &str) -> Result<Vec<Box<str>>, Error> {
    let Some(pointer) = name.strip_prefix('/') else {
        return match name {
            "" => Err(policy_error("a claim has an empty name")),
            _ => Ok(vec![name.into()]),
        };
    };
    let unescape = |token: &str| {
        let mut parts = token.split('~');
        let mut text = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (character, rest) = match part.as_bytes().first() {
                Some(b'0') => ('~', &part[1..]),
                Some(b'1') => ('/', &part[1..]),
                _ => {
                    return Err(policy_error(
                        "the name of a claim begins with / and is no JSON Pointer: in one, ~ is \
                         written ~0, and / within a name ~1 (RFC 6901)",
                    ));
                }
            };
            text.push(character);
            text.push_str(rest);
        }
        Ok(text.into())
    };
    pointer.split('/').map(unescape).collect()
}

impl ClaimRule {
    /// Whether the claim is among those that the policy requires, so that its absence has a reason
    /// already.
    fn is_counted_as_required(&self) -> bool {
        matches!(&self.path[..], [top] if !top.is_empty())
    }

    /// Whether it is a registered claim of the wrong type, which has a reason already.
    fn has_wrong_type(&self, claims: &Claims<'_>) -> bool {
        let [top] = &self.path[..] else {
            return false;
        };
        match &**top {
            "iss" => claims.iss.is_wrong_type(),
            "sub" => claims.sub.is_wrong_type(),
            "aud" => claims.aud.is_wrong_type(),
            "exp" => claims.exp.is_wrong_type(),
            "nbf" => claims.nbf.is_wrong_type(),
            "iat" => claims.iat.is_wrong_type(),
            "jti" => claims.jti.is_wrong_type(),
            _ => false,
        }
    }
}

impl Expected {
    /// Whether a JSON value equals this one.
    fn equals(&self, json: &str) -> bool {
        match self {
            Self::Text(text) => text_of(json).is_some_and(|own| own == **text),
            Self::Number { value, .. } => Decimal::parse(json).is_some_and(|own| own == *value),
            Self::Bool(value) => json == if *value { "true" } else { "false" },
        }
    }
}

/// A payload whose top-level members are distinct.
struct Payload<'p>(Vec<(Cow<'p, str>, &'p str)>);

/// Where a path leads.
enum Found<'p> {
    /// To nothing, or to null.
    Absent,
    /// Through an object in which a member occurs twice.
    Ambiguous,
    Value(&'p str),
}

impl<'p> Payload<'p> {
    fn read(text: &'p [u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        members(text).map(Self)
    }

    fn at(&self, path: &[Box<str>]) -> Found<'p> {
        let Some((top, rest)) = path.split_first() else {
            return Found::Absent;
        };
        let mut found = self.member(top);
        for token in rest {
            found = match found {
                Some(json) if json.starts_with('{') => {
                    let Some(members) = members(json) else {
                        return Found::Ambiguous;
                    };
                    let mut names = HashSet::new();
                    if !members.iter().all(|(name, _)| names.insert(&**name)) {
                        return Found::Ambiguous;
                    }
                    member(&members, token)
                }
                Some(json) if json.starts_with('[') => element(json, token),
                _ => return Found::Absent,
            };
        }
        match found {
            None | Some("null") => Found::Absent,
            Some(json) => Found::Value(json),
        }
    }

    fn member(&self, name: &str) -> Option<&'p str> {
        member(&self.0, name)
    }

    /// A claim that is a string.
    fn text_of(&self, name: &str) -> Option<Cow<'p, str>> {
        text_of(self.member(name)?)
    }

    /// The claims that hold scopes, unless they are null.
    fn scopes(&self) -> impl Iterator<Item = &'p str> {
        let claims = ["scope", "scp"].into_iter();
        claims
            .filter_map(|name| self.member(name))
            .filter(|json| *json != "null")
    }
}

/// Whether a claim that holds scopes names all of these.
fn has_all(json: &str, scopes: &[Box<str>]) -> bool {
    let texts: Vec<Cow<'_, str>>;
    let one = text_of(json);
    let named: HashSet<&str> = match &one {
        Some(text) => text.split(' ').collect(),
        None => {
            let Ok(all) = serde_json::from_str::<Vec<Text<'_>>>(json) else {
                return false;
            };
            texts = all.into_iter().map(|text| text.0).collect();
            texts.iter().map(AsRef::as_ref).collect()
        }
    };
    scopes.iter().all(|scope| named.contains(&**scope))
}

fn member<'p>(members: &[(Cow<'p, str>, &'p str)], name: &str) -> Option<&'p str> {
    let mut members = members.iter();
    members.find(|(own, _)| own == name).map(|(_, json)| *json)
}

/// The string that a JSON text is, if it is one.
fn text_of(json: &str) -> Option<Cow<'_, str>> {
    serde_json::from_str::<Text<'_>>(json)
        .ok()
        .map(|text| text.0)
}

/// The element that a token of a JSON Pointer names: digits without a leading zero.
fn element<'p>(json: &'p str, token: &str) -> Option<&'p str> {
    let is_index = token.bytes().all(|byte| byte.is_ascii_digit());
    if !is_index || (token.len() > 1 && token.starts_with('0')) {
        return None;
    }
    let elements: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    elements
        .get(token.parse::<usize>().ok()?)
        .map(|json| json.get())
}

/// The members of an object, each with its JSON text.
fn members(json: &str) -> Option<Vec<(Cow<'_, str>, &str)>> {
    serde_json::from_str::<Members<'_>>(json)
        .ok()
        .map(|members| members.0)
}

/// A string, borrowed unless it has escapes.
struct Text<'p>(Cow<'p, str>);

impl<'p> Deserialize<'p> for Text<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;

        impl<'p> Visitor<'p> for One {
            type Value = Text<'p>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'p str) -> Result<Text<'p>, E> {
                Ok(Text(text.into()))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'p>, E> {
                Ok(Text(text.to_owned().into()))
            }
        }

        deserializer.deserialize_str(One)
    }
}

/// The members of an object in their order, every one of them.
struct Members<'p>(Vec<(Cow<'p, str>, &'p str)>);

impl<'p> Deserialize<'p> for Members<'p> {
    fn deserialize<D: Deserializer<'p>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'p> Visitor<'p> for All {
            type Value = Members<'p>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'p>>(self, mut map: A) -> Result<Members<'p>, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Text<'p>, &'p RawValue>()? {
                    members.push((name.0, value.get()));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

#[cfg(test)]
#[path = "claim_rules/tests.rs"]
mod tests;
