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
    /// Keys, certificates and URLs in the header.
    pub findings: FindingSet,
    crit: Crit,
    b64_is_not_true: bool,
}

/// What `crit` demands (RFC 7515 section 4.1.11).
#[derive(Clone, Copy, Debug, Default)]
enum Crit {
    /// It is absent, or names only `b64`.
    #[default]
    Understood,
    /// It names an extension that jotmill does not support.
    Unsupported,
    /// It breaks the rules of the RFC.
    Invalid,
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

    /// Applies the rules of the header stage, in the order of the codes, and returns the algorithm.
    /// `allows` is the allow-list of algorithms, `typ` the expected media type, if any.
    pub(crate) fn check(
        &self,
        allows: impl Fn(Algorithm) -> bool,
        typ: Option<&str>,
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
        if let Some(expected) = typ
            && !self
                .typ
                .value()
                .is_some_and(|typ| is_same_media_type(typ, expected))
        {
            return Err(Reason::TypMismatch);
        }
        match self.crit {
            Crit::Invalid => Err(Reason::CritInvalid),
            _ if self.b64_is_not_true => Err(Reason::B64Unsupported),
            Crit::Unsupported => Err(Reason::CritUnsupported),
            Crit::Understood => Ok(algorithm),
        }
    }
}

impl Crit {
    /// Checks `crit` against the names of the header's members, which are distinct.
    fn read<'s>(value: Value<'_, 's>, members: impl Iterator<Item = &'s str> + Clone) -> Self {
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
            Self::Invalid
        } else if names.clone().all(|name| name == "b64") {
            Self::Understood
        } else {
            Self::Unsupported
        }
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
        typ: Option<&str>,
    ) -> Result<Algorithm, Reason> {
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        Header::read(encoded.as_bytes(), &mut JsonScratch::new())?.check(allows, typ)
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
            assert_eq!(checked(json, only_hs256, None), expected, "{json}");
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
                let outcome = checked(&json, |_| true, Some(expected));
                assert_eq!(outcome.is_ok(), is_expected, "{typ} {expected} {outcome:?}");
            }
        }
        assert_eq!(
            checked(r#"{"alg":"HS256"}"#, |_| true, Some("JWT")),
            Err(Reason::TypMismatch)
        );
    }

    #[test]
    fn keys_in_a_header_are_findings() {
        let json = r#"{"alg":"HS256","jwk":{},"jku":"x","x5c":[],"x5u":null}"#;
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json);
        let mut scratch = JsonScratch::new();
        let header = Header::read(encoded.as_bytes(), &mut scratch).unwrap();
        let codes: Vec<_> = header.findings.iter().map(Finding::code).collect();
        assert_eq!(
            codes,
            ["jwk-header", "jku-header", "x5c-header", "x5u-header"]
        );
    }
}
