//! The JOSE header of a JWS (RFC 7515 section 4): which members jotmill reads, and the rules for
//! them.

use std::collections::HashSet;

use super::json::{JsonFault, JsonScratch, Member, Value, has_duplicates};
use crate::signature::Algorithm;
use crate::verdict::{Finding, FindingSet, Reason};

/// The header parameters that RFC 7515 and RFC 7518 register, which `crit` must not name.
const REGISTERED: [&str; 20] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc",
    "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c",
];

/// The members of a header that affect a verdict. Strings borrow the decoded header.
#[derive(Clone, Copy, Debug, Default)]
pub struct Header<'h> {
    /// The algorithm's name, supported or not.
    pub alg: Member<&'h str>,
    /// The key id.
    pub kid: Member<&'h str>,
    /// The media type of the token.
    pub typ: Member<&'h str>,
    /// The media type of the payload.
    pub cty: Member<&'h str>,
    /// Members that the rules do not need: keys, certificates, URLs, `nonce` and `zip`.
    pub findings: FindingSet,
    crit: Crit<'h>,
    b64_is_not_true: bool,
}

/// The most names besides `b64` that are kept of a `crit`. A policy declares no more understood, so
/// that one with more names has an unsupported one.
pub(crate) const MAX_CRIT: usize = 8;

/// What `crit` demands (RFC 7515 section 4.1.11).
#[derive(Clone, Copy, Debug)]
enum Crit<'h> {
    /// The extensions that it names besides `b64`, in front of empty strings.
    Names([&'h str; MAX_CRIT]),
    /// It names more of them, and these first.
    TooMany([&'h str; MAX_CRIT]),
    /// It breaks the rules of the RFC.
    Invalid,
}

impl Default for Crit<'_> {
    fn default() -> Self {
        Self::Names([""; MAX_CRIT])
    }
}

impl<'h> Header<'h> {
    /// Decodes and parses an encoded header.
    pub(crate) fn read(encoded: &[u8], scratch: &'h mut JsonScratch) -> Result<Self, Reason> {
        let object = scratch.read(encoded).map_err(|fault| match fault {
            JsonFault::Base64url => Reason::HeaderBase64url,
            JsonFault::Json => Reason::HeaderJson,
            JsonFault::NotObject => Reason::HeaderNotObject,
            JsonFault::DuplicateMember => Reason::HeaderDuplicateMember,
        })?;
        let mut header = Self::default();
        for (name, value) in object.members() {
            match name {
                "alg" => header.alg = value.string(),
                "kid" => header.kid = value.string(),
                "typ" => header.typ = value.string(),
                "cty" => header.cty = value.string(),
                "b64" => header.b64_is_not_true = !value.is_true(),
                "nonce" => header.findings.insert(Finding::NonceHeader),
                "zip" => header.findings.insert(Finding::Compressed),
                "jwk" => header.findings.insert(Finding::JwkHeader),
                "jku" => header.findings.insert(Finding::JkuHeader),
                "x5c" => header.findings.insert(Finding::X5cHeader),
                "x5u" => header.findings.insert(Finding::X5uHeader),
                "crit" => header.crit = Crit::read(value, object.members().map(|(name, _)| name)),
                _ => {}
            }
        }
        Ok(header)
    }

    /// Whether RFC 7515, 7516 or 7518 registers a header parameter of this name.
    pub(crate) fn is_registered(name: &str) -> bool {
        REGISTERED.contains(&name)
    }

    /// The names in a sound `crit` that are not `understood`; of more than [`MAX_CRIT`] names, those
    /// among the first.
    pub(crate) fn unsupported_crit(
        &self,
        understood: &[Box<str>],
    ) -> impl Iterator<Item = &'h str> {
        let names = match self.crit {
            Crit::Names(names) | Crit::TooMany(names) => names,
            Crit::Invalid => [""; MAX_CRIT],
        };
        let is_understood = |name: &&str| understood.iter().any(|own| **own == **name);
        (names.into_iter()).filter(move |name| !name.is_empty() && !is_understood(name))
    }

    /// Applies the rules of the header stage, in the order of the codes, and returns the algorithm.
    /// `allows` is the allow-list of algorithms, `typs` are the expected media types, if any,
    /// `understood` the names that `crit` may list.
    pub(crate) fn check(
        &self,
        allows: impl Fn(Algorithm) -> bool,
        typs: &[String],
        understood: &[Box<str>],
    ) -> Result<Algorithm, Reason> {
        let name = match self.alg {
            Member::Absent => return Err(Reason::AlgMissing),
            Member::WrongType => return Err(Reason::AlgType),
            Member::Is(name) => name,
        };
        if name.eq_ignore_ascii_case("none") {
            return Err(Reason::AlgNone);
        }
        let algorithm = Algorithm::from_name(name).ok_or(Reason::AlgUnsupported)?;
        if !allows(algorithm) {
            return Err(Reason::AlgNotAllowed);
        }
        let wrong_type = |member: &Member<_>| matches!(member, Member::WrongType);
        if wrong_type(&self.kid) {
            return Err(Reason::KidType);
        }
        if wrong_type(&self.typ) {
            return Err(Reason::TypType);
        }
        if wrong_type(&self.cty) {
            return Err(Reason::CtyType);
        }
        let is_expected = |typ| {
            let mut expected = typs.iter();
            expected.any(|expected| is_same_media_type(typ, expected))
        };
        if !typs.is_empty() && !self.typ.value().is_some_and(is_expected) {
            return Err(Reason::TypMismatch);
        }
        let is_understood =
            |name: &&str| name.is_empty() || understood.iter().any(|own| **own == **name);
        match self.crit {
            Crit::Invalid => Err(Reason::CritInvalid),
            _ if self.b64_is_not_true => Err(Reason::B64Unsupported),
            Crit::Names(names) if names.iter().all(is_understood) => Ok(algorithm),
            Crit::Names(_) | Crit::TooMany(_) => Err(Reason::CritUnsupported),
        }
    }
}

impl<'s> Crit<'s> {
    /// Checks `crit` against the names of the header's members, which are distinct.
    fn read(value: Value<'_, 's>, members: impl Iterator<Item = &'s str> + Clone) -> Self {
        let Member::Is(names) = value.strings() else {
            return Self::Invalid;
        };
        let count = names.clone().count();
        let may_be_named = |name: &str| !name.is_empty() && !REGISTERED.contains(&name);
        if count == 0
            || has_duplicates(names.clone())
            || !names.clone().all(may_be_named)
            || count_present(names.clone(), members) != count
        {
            return Self::Invalid;
        }
        let mut kept = [""; MAX_CRIT];
        let mut places = kept.iter_mut();
        for name in names.filter(|name| *name != "b64") {
            match places.next() {
                Some(place) => *place = name,
                None => return Self::TooMany(kept),
            }
        }
        Self::Names(kept)
    }
}

/// How many of `names` are among `members`, in linear time: a hostile header can have thousands of
/// either.
fn count_present<'s>(
    names: impl Iterator<Item = &'s str>,
    members: impl Iterator<Item = &'s str> + Clone,
) -> usize {
    const FEW: usize = 8;
    let mut names = names.peekable();
    let first: Vec<&str> = names.by_ref().take(FEW).collect();
    if names.peek().is_none() {
        return first
            .iter()
            .filter(|name| members.clone().any(|member| member == **name))
            .count();
    }
    let members: HashSet<&str> = members.collect();
    first
        .into_iter()
        .chain(names)
        .filter(|name| members.contains(name))
        .count()
}

/// Compares media types by RFC 7515 section 4.1.9: case-insensitive, with `application/` in front
/// of a name without a slash.
fn is_same_media_type(left: &str, right: &str) -> bool {
    let split = |name| match str::split_once(name, '/') {
        Some(parts) => parts,
        None => ("application", name),
    };
    let ((left_type, left_name), (right_type, right_name)) = (split(left), split(right));
    left_type.eq_ignore_ascii_case(right_type) && left_name.eq_ignore_ascii_case(right_name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    fn checked(
        json: &str,
        allows: impl Fn(Algorithm) -> bool,
        typs: &[&str],
        understood: &[&str],
    ) -> Result<Algorithm, Reason> {
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let typs: Vec<String> = typs.iter().map(|typ| (*typ).to_owned()).collect();
        let understood: Vec<Box<str>> = understood.iter().map(|name| (*name).into()).collect();
        Header::read(encoded.as_bytes(), &mut JsonScratch::new())?.check(allows, &typs, &understood)
    }

    #[test]
    fn rules_are_applied_in_the_order_of_the_codes() {
        use Reason::*;
        for (json, expected) in [
            (r#"{}"#, Err(AlgMissing)),
            (r#"{"alg":null}"#, Err(AlgType)),
            (r#"{"alg":["HS256"]}"#, Err(AlgType)),
            (r#"{"alg":"nOnE","kid":1}"#, Err(AlgNone)),
            (r#"{"alg":""}"#, Err(AlgUnsupported)),
            (r#"{"alg":"hs256"}"#, Err(AlgUnsupported)),
            (r#"{"alg":"RS1"}"#, Err(AlgUnsupported)),
            (r#"{"alg":"RS256","kid":1}"#, Err(AlgNotAllowed)),
            (r#"{"alg":"HS512","kid":1}"#, Err(AlgNotAllowed)),
            (r#"{"alg":"HS256","kid":1,"typ":1}"#, Err(KidType)),
            (r#"{"alg":"HS256","typ":null,"cty":1}"#, Err(TypType)),
            (r#"{"alg":"HS256","cty":{},"crit":1}"#, Err(CtyType)),
            (r#"{"alg":"HS256","crit":[]}"#, Err(CritInvalid)),
            (
                r#"{"alg":"HS256","crit":"b64","b64":true}"#,
                Err(CritInvalid),
            ),
            (r#"{"alg":"HS256","crit":["b64"]}"#, Err(CritInvalid)),
            (
                r#"{"alg":"HS256","crit":["b64","b64"],"b64":true}"#,
                Err(CritInvalid),
            ),
            (r#"{"alg":"HS256","crit":[""],"":1}"#, Err(CritInvalid)),
            (r#"{"alg":"HS256","crit":["alg"]}"#, Err(CritInvalid)),
            (
                r#"{"alg":"HS256","crit":["zip"],"zip":"DEF"}"#,
                Err(CritInvalid),
            ),
            (r#"{"alg":"HS256","crit":["x",1],"x":1}"#, Err(CritInvalid)),
            (
                r#"{"alg":"HS256","crit":["x",["y"]],"x":1}"#,
                Err(CritInvalid),
            ),
            (
                r#"{"alg":"HS256","crit":["x"],"x":1,"b64":false}"#,
                Err(B64Unsupported),
            ),
            (r#"{"alg":"HS256","b64":"true"}"#, Err(B64Unsupported)),
            (
                r#"{"alg":"HS256","crit":["x"],"x":1}"#,
                Err(CritUnsupported),
            ),
            (
                r#"{"alg":"HS256","crit":["b64","x"],"x":1,"b64":true}"#,
                Err(CritUnsupported),
            ),
            (
                r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
                Ok(Algorithm::Hs256),
            ),
            (r#"{"alg":"HS256","b64":true}"#, Ok(Algorithm::Hs256)),
            (r#"{"\u0061lg":"HS256"}"#, Ok(Algorithm::Hs256)),
        ] {
            let only_hs256 = |algorithm| algorithm == Algorithm::Hs256;
            assert_eq!(checked(json, only_hs256, &[], &[]), expected, "{json}");
        }
    }

    #[test]
    fn typ_is_compared_as_a_media_type() {
        for (typ, is_expected) in [
            ("at+jwt", true),
            ("AT+JWT", true),
            ("application/at+jwt", true),
            ("Application/At+Jwt", true),
            ("JWT", false),
            ("text/at+jwt", false),
            ("x/application/at+jwt", false),
            ("", false),
        ] {
            let json = format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#);
            for expected in ["at+jwt", "application/AT+jwt"] {
                let outcome = checked(&json, |_| true, &[expected], &[]);
                let other = checked(&json, |_| true, &["logout+jwt", expected], &[]);
                assert_eq!(outcome, other);
                assert_eq!(outcome.is_ok(), is_expected, "{typ} {expected} {outcome:?}");
            }
        }
        assert_eq!(
            checked(r#"{"alg":"HS256"}"#, |_| true, &["JWT"], &[]),
            Err(Reason::TypMismatch)
        );
    }

    #[test]
    fn an_extension_in_crit_is_accepted_where_it_is_understood() {
        let many: Vec<String> = (0..=MAX_CRIT).map(|at| format!("x{at}")).collect();
        let listing = |count: usize| {
            let members = many[..count].iter().map(|name| format!(r#","{name}":1"#));
            let names = many[..count].join(r#"",""#);
            let members: String = members.collect();
            format!(r#"{{"alg":"HS256","crit":["b64","{names}"],"b64":true{members}}}"#)
        };
        let all: Vec<&str> = many.iter().map(String::as_str).collect();
        for (json, understood, expected) in [
            (
                r#"{"alg":"HS256","crit":["x0"],"x0":1}"#,
                &["x0"][..],
                Ok(Algorithm::Hs256),
            ),
            (
                r#"{"alg":"HS256","crit":["x\u0030"],"x0":1}"#,
                &["x0"],
                Ok(Algorithm::Hs256),
            ),
            (
                r#"{"alg":"HS256","crit":["x0","x1"],"x0":1,"x1":1}"#,
                &["x0"],
                Err(Reason::CritUnsupported),
            ),
            (
                r#"{"alg":"HS256","crit":["X0"],"X0":1}"#,
                &["x0"],
                Err(Reason::CritUnsupported),
            ),
            (
                r#"{"alg":"HS256","crit":["x0"]}"#,
                &["x0"],
                Err(Reason::CritInvalid),
            ),
            (
                r#"{"alg":"HS256","crit":["x0","x0"],"x0":1}"#,
                &["x0"],
                Err(Reason::CritInvalid),
            ),
            (
                r#"{"alg":"HS256","crit":["x0"],"x0":1,"b64":false}"#,
                &["x0"],
                Err(Reason::B64Unsupported),
            ),
            (&listing(MAX_CRIT), &all, Ok(Algorithm::Hs256)),
            (&listing(MAX_CRIT + 1), &all, Err(Reason::CritUnsupported)),
        ] {
            assert_eq!(checked(json, |_| true, &[], understood), expected, "{json}");
        }
    }

    #[test]
    fn members_of_a_header_are_findings() {
        let json =
            r#"{"alg":"HS256","jwk":{},"jku":"x","x5c":[],"x5u":null,"zip":"DEF","n\u006fnce":1}"#;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let mut scratch = JsonScratch::new();
        let header = Header::read(encoded.as_bytes(), &mut scratch).unwrap();
        let codes: Vec<_> = header.findings.iter().map(Finding::code).collect();
        assert_eq!(
            codes,
            [
                "nonce-header",
                "compressed",
                "jwk-header",
                "jku-header",
                "x5c-header",
                "x5u-header"
            ]
        );
    }
}
