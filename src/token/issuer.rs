//! The issuer that a token claims before anything is verified.
//!
//! [`UnverifiedIssuer`] has one purpose: to choose the policy of a run with several issuers. It can
//! be looked up among the issuers of the policies, and can be neither read nor printed. Once the
//! signature is verified, `iss` is checked like any other claim.

use std::collections::HashMap;
use std::fmt;

use super::claims::Claims;
use super::issuer_template::IssuerTemplate;
use super::json::JsonScratch;
use super::payload::{Decoded, PayloadScratch};
use super::segments::Token;

/// The `iss` of an unverified payload.
#[derive(Clone, Copy)]
pub(crate) struct UnverifiedIssuer<'s>(&'s str);

impl<'s> UnverifiedIssuer<'s> {
    /// The issuer in the payload, if `iss` is a string and the payload would pass the payload
    /// stage.
    pub(crate) fn read(token: Token<'_>, scratch: &'s mut JsonScratch) -> Option<Self> {
        let object = scratch.read(token.unverified_payload()).ok()?;
        let mut members = object.members();
        let (_, value) = members.find(|(name, _)| *name == "iss")?;
        value.string().value().map(Self)
    }

    /// [`UnverifiedIssuer::read`], by the scanner if it can read the payload.
    pub(crate) fn scan(token: Token<'_>, scratch: &'s mut PayloadScratch) -> Option<Self> {
        let mut claims = Claims::none();
        let decoded = Decoded::new(token.unverified_payload(), &[], &mut scratch.scan).ok()?;
        match decoded.scan(&[], &mut claims) {
            Some(()) => claims.iss.value().map(Self),
            None => Self::read(token, &mut scratch.json),
        }
    }

    /// The number of the issuer with exactly this name, or whose template matches it: no case
    /// folding, no prefixes.
    pub(crate) fn look_up(self, issuers: &Issuers) -> Option<u32> {
        let exact = issuers.exact.get(self.0).copied();
        exact.or_else(|| {
            let mut templates = issuers.templates.iter();
            let found = templates.find(|(template, _)| template.captures(self.0).is_some());
            found.map(|(_, number)| *number)
        })
    }
}

/// The issuers of several policies, each with the number of its policy. At most one policy fits a
/// name.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    exact: HashMap<String, u32>,
    templates: Vec<(IssuerTemplate, u32)>,
}

impl Issuers {
    /// Adds an issuer of the policy `number`.
    ///
    /// # Errors
    /// The issuer of another policy that can match the same name.
    pub(crate) fn add(&mut self, issuer: &IssuerTemplate, number: u32) -> Result<(), String> {
        let is_exact = issuer.placeholders().next().is_none();
        if is_exact
            && self
                .exact
                .get(issuer.text())
                .is_some_and(|it| *it != number)
        {
            return Err(issuer.text().to_owned());
        }
        let is_other =
            |(other, own): &&(IssuerTemplate, u32)| *own != number && other.overlaps(issuer);
        if let Some((other, _)) = self.templates.iter().find(is_other) {
            return Err(other.text().to_owned());
        }
        if is_exact {
            self.exact.insert(issuer.text().to_owned(), number);
            return Ok(());
        }
        let mut exact = self.exact.iter().filter(|(_, own)| **own != number);
        if let Some((name, _)) = exact.find(|(name, _)| issuer.captures(name).is_some()) {
            return Err(name.clone());
        }
        self.templates.push((issuer.clone(), number));
        Ok(())
    }
}

/// Prints no part of the issuer.
impl fmt::Debug for UnverifiedIssuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedIssuer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// The index of the payload's issuer among `a` and `b/`; both ways of reading must agree.
    fn chosen(payload: &str) -> Option<u32> {
        let mut names = Issuers::default();
        for (name, number) in [("a", 0), ("b/", 1), ("c/{x}/", 2)] {
            let name = IssuerTemplate::parse(name).unwrap();
            names.add(&name, number).unwrap();
        }
        let text = format!("e30.{payload}.AAAA");
        let token = Token::split(text.as_bytes()).unwrap();
        let (mut json, mut scratch) = (JsonScratch::new(), PayloadScratch::new());
        let read = UnverifiedIssuer::read(token, &mut json).and_then(|iss| iss.look_up(&names));
        let scan = UnverifiedIssuer::scan(token, &mut scratch).and_then(|iss| iss.look_up(&names));
        assert_eq!(read, scan, "{payload}");
        read
    }

    #[test]
    fn an_issuer_is_looked_up_exactly_if_the_payload_can_be_read() {
        for (payload, expected) in [
            (r#"{"iss":"a"}"#, Some(0)),
            (r#"{"iss":"b/"}"#, Some(1)),
            (r#"{"exp":1,"iss":"b\/"}"#, Some(1)),
            (r#"{"\u0069ss":"\u0061"}"#, Some(0)),
            (r#"{"iss":"c/1/"}"#, Some(2)),
            (r#"{"iss":"c/1/","x":"2"}"#, Some(2)),
            (r#"{"iss":"c//"}"#, None),
            (r#"{"iss":"c/1/2/"}"#, None),
            (r#"{"iss":"A"}"#, None),
            (r#"{"iss":"b"}"#, None),
            (r#"{"iss":"a "}"#, None),
            (r#"{"ISS":"a"}"#, None),
            (r#"{"iss":["a"]}"#, None),
            (r#"{"iss":null}"#, None),
            (r#"{"x":{"iss":"a"}}"#, None),
            (r#"{"iss":"a","iss":"a"}"#, None),
            (r#"{"iss":"a","\u0069ss":"b/"}"#, None),
            (r#"{"iss":"a","x":1,"x":1}"#, None),
            (r#"{"iss":"a"}x"#, None),
            (r#"["iss","a"]"#, None),
            ("{}", None),
        ] {
            assert_eq!(
                chosen(&URL_SAFE_NO_PAD.encode(payload)),
                expected,
                "{payload}"
            );
        }
        for unreadable in ["", "!", "e30=", "eyJpc3MiOiJhIn0="] {
            assert_eq!(chosen(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn issuers_of_two_policies_that_match_one_name_are_refused() {
        let add = |names: &[(&str, u32)]| {
            let mut issuers = Issuers::default();
            let mut parsed = names
                .iter()
                .map(|(name, at)| (IssuerTemplate::parse(name), at));
            parsed.try_for_each(|(name, at)| issuers.add(&name.unwrap(), *at))
        };
        for (names, expected) in [
            ([("a", 0), ("a", 1)], Err("a")),
            ([("a/{x}", 0), ("a/b", 1)], Err("a/{x}")),
            ([("a/b", 0), ("a/{x}", 1)], Err("a/b")),
            ([("a/{x}", 0), ("{y}/b", 1)], Err("a/{x}")),
            ([("a/{x}", 0), ("a/{x}", 1)], Err("a/{x}")),
            ([("a/{x}", 0), ("a/b", 0)], Ok(())),
            ([("a/{x}", 0), ("b/{x}", 1)], Ok(())),
            ([("a/{x}", 0), ("a/{x}/c", 1)], Ok(())),
            ([("a/{x}", 0), ("a/", 1)], Ok(())),
        ] {
            assert_eq!(add(&names), expected.map_err(str::to_owned), "{names:?}");
        }
    }

    #[test]
    fn the_issuer_is_not_printed() {
        assert_eq!(
            format!("{:?}", UnverifiedIssuer("a secret")),
            "UnverifiedIssuer"
        );
    }
}
