//! The issuer that a token claims before anything is verified.
//!
//! [`UnverifiedIssuer`] has one purpose: to choose the policy of a run with several issuers. It can
//! be looked up among the issuers of the policies, and can be neither read nor printed. Once the
//! signature is verified, `iss` is checked like any other claim.

use std::collections::HashMap;
use std::fmt;

use super::claims::Claims;
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

    /// The entry with exactly this name: no case folding, no prefixes.
    pub(crate) fn look_up(self, names: &HashMap<String, u32>) -> Option<u32> {
        names.get(self.0).copied()
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
        let names = HashMap::from([("a".to_owned(), 0), ("b/".to_owned(), 1)]);
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
    fn the_issuer_is_not_printed() {
        assert_eq!(
            format!("{:?}", UnverifiedIssuer("a secret")),
            "UnverifiedIssuer"
        );
    }
}
