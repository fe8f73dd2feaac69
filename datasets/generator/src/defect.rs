//! The defects that a token can have: one for each verdict code that applies to signed tokens, named
//! like it, and one that shares its code with another.
//!
//! Owns the names and their order; how a defect is made is left to the modules that write the part
//! of the token it sits in. The list is the generator's own: it is deliberately not derived from
//! the validator, so that the two can disagree and a test can notice.

use std::fmt;

/// Where in a token a defect sits, and so which part of the generator makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The line as a whole.
    Line,
    /// The number of segments.
    Structure,
    /// The JOSE header.
    Header,
    /// The choice of the key.
    Key,
    /// The third segment.
    Signature,
    /// The second segment, correctly signed.
    Payload,
    /// The claims in a well-formed, correctly signed payload.
    Claims,
}

macro_rules! defects {
    ($($stage:ident { $($name:ident $text:literal $doc:literal)* })*) => {
        /// One kind of defect. A token has at most one, and gives exactly its code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Defect {
            $($(#[doc = $doc] $name,)*)*
        }

        impl Defect {
            /// Every defect, in the order in which a validator meets them.
            pub const ALL: &[Defect] = &[$($(Defect::$name,)*)*];

            /// What it is called in a mix of defects.
            pub fn name(self) -> &'static str {
                match self { $($(Defect::$name => $text,)*)* }
            }

            /// Where in the token the defect sits.
            pub fn stage(self) -> Stage {
                match self { $($(Defect::$name)|* => Stage::$stage,)* }
            }
        }
    };
}

defects! {
    Line {
        TooLong "too-long" "The line is longer than the audit's limit."
    }
    Structure {
        SegmentCount "segment-count" "Not two dots, and not four."
        FiveSegments "five-segments" "Exactly four dots, and not the header of a JWE."
        Encrypted "encrypted" "Exactly four dots behind the header of a JWE (RFC 7516 section 3.1)."
    }
    Header {
        HeaderBase64url "header-base64url" "The header is not canonical base64url."
        Padded "padded" "Each segment is padded exactly, and signed as it is."
        HeaderJson "header-json" "The header is not JSON."
        HeaderNotObject "header-not-object" "The header is JSON, but not an object."
        HeaderDuplicateMember "header-duplicate-member" "A header member occurs twice."
        AlgMissing "alg-missing" "No `alg`."
        AlgType "alg-type" "`alg` is not a string."
        AlgNone "alg-none" "`alg` is `none`, in any case."
        AlgUnsupported "alg-unsupported" "`alg` names no signature algorithm."
        AlgNotAllowed "alg-not-allowed" "`alg` is a signature algorithm outside the allow-list."
        KidType "kid-type" "`kid` is not a string."
        TypType "typ-type" "`typ` is not a string."
        CtyType "cty-type" "`cty` is not a string."
        TypMismatch "typ-mismatch" "`typ` is absent or not the media type expected."
        CritInvalid "crit-invalid" "`crit` is malformed (RFC 7515 section 4.1.11)."
        B64Unsupported "b64-unsupported" "`b64` is there and not `true` (RFC 7797)."
        CritUnsupported "crit-unsupported" "`crit` names an extension nobody implements."
    }
    Key {
        IssuerUnknown "issuer-unknown" "`iss` is absent, unreadable or in no policy."
        KeyNotFound "key-not-found" "`kid` names no key of the set."
        ForeignIssuerKey "foreign-issuer-key" "A key of another issuer signed, and `kid` names it."
        KeyMismatch "key-mismatch" "`kid` names a key that is not for this algorithm or use."
        KeyUnusable "key-unusable" "`kid` names a malformed key."
        TooManyKeys "too-many-keys" "No `kid`, and more keys that fit than may be tried."
    }
    Signature {
        SignatureBase64url "signature-base64url" "The signature is not canonical base64url."
        SignatureLength "signature-length" "The signature has the wrong length."
        SignatureMismatch "signature-mismatch" "The signature has the right length and is wrong."
    }
    Payload {
        PayloadBase64url "payload-base64url" "The payload is not canonical base64url."
        PayloadJson "payload-json" "The payload is not JSON."
        PayloadNotObject "payload-not-object" "The payload is JSON, but not an object."
        PayloadDuplicateMember "payload-duplicate-member" "A claim occurs twice."
    }
    Claims {
        ExpType "exp-type" "`exp` is not a number."
        NbfType "nbf-type" "`nbf` is not a number."
        IatType "iat-type" "`iat` is not a number."
        IssType "iss-type" "`iss` is not a string."
        SubType "sub-type" "`sub` is not a string."
        AudType "aud-type" "`aud` is neither a string nor an array of strings."
        JtiType "jti-type" "`jti` is not a string."
        Expired "expired" "`now` is at or after `exp` plus the leeway."
        NotYetValid "not-yet-valid" "`now` plus the leeway is before `nbf`."
        IssuedInFuture "issued-in-future" "`now` plus the leeway is before `iat`."
        TooOld "too-old" "Issued longer ago than the greatest age allowed."
        LifetimeTooLong "lifetime-too-long" "`exp` is further from `iat` than allowed."
        IssuerMismatch "issuer-mismatch" "`iss` is not one expected."
        SubjectMismatch "subject-mismatch" "`sub` is not one expected."
        AudienceMismatch "audience-mismatch" "No member of `aud` is one expected."
        MissingIss "missing-iss" "No `iss`."
        MissingSub "missing-sub" "No `sub`, which is required."
        MissingAud "missing-aud" "No `aud`."
        MissingExp "missing-exp" "No `exp`, which is required."
        MissingNbf "missing-nbf" "No `nbf`, which is required."
        MissingIat "missing-iat" "No `iat`, which is required."
        MissingJti "missing-jti" "No `jti`, which is required."
        MissingClaim "missing-claim" "A required claim that is not registered is absent or null."
        ClaimMismatch "claim-mismatch" "A claim has another value than those expected."
    }
}

impl Defect {
    /// Every defect that a token can have where there is one issuer, in the same order.
    pub const OF_ONE_ISSUER: &[Defect] = &{
        let mut rest = [Defect::TooLong; Defect::ALL.len() - 2];
        let (mut from, mut to) = (0, 0);
        while from < Defect::ALL.len() {
            if !matches!(
                Defect::ALL[from],
                Defect::IssuerUnknown | Defect::ForeignIssuerKey
            ) {
                rest[to] = Defect::ALL[from];
                to += 1;
            }
            from += 1;
        }
        rest
    };

    /// The verdict code that a token with this defect gives: its name, with three exceptions. A key of
    /// another issuer is `key-not-found`, since a policy knows its own keys alone; padding is
    /// `header-base64url`, since the header is read first.
    pub fn code(self) -> &'static str {
        match self {
            Defect::ForeignIssuerKey => Defect::KeyNotFound.name(),
            Defect::FiveSegments => Defect::SegmentCount.name(),
            Defect::Padded => Defect::HeaderBase64url.name(),
            other => other.name(),
        }
    }

    /// The defect with this name.
    pub fn from_name(name: &str) -> Option<Defect> {
        Defect::ALL
            .iter()
            .copied()
            .find(|defect| defect.name() == name)
    }

    /// Whether the signature of a token with this defect holds.
    pub fn is_authentic(self) -> bool {
        matches!(self.stage(), Stage::Payload | Stage::Claims)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_defect_has_a_name_of_its_own_and_some_a_code_that_is_not_their_name() {
        for &defect in Defect::ALL {
            assert_eq!(Defect::from_name(defect.name()), Some(defect));
            let expected = match defect {
                Defect::ForeignIssuerKey => "key-not-found",
                Defect::FiveSegments => "segment-count",
                Defect::Padded => "header-base64url",
                usual => usual.name(),
            };
            assert_eq!(defect.code(), expected);
        }
        assert_eq!(Defect::ALL.len(), 58);
        let of_one = Defect::ALL.iter().copied();
        let of_several = [Defect::IssuerUnknown, Defect::ForeignIssuerKey];
        let of_one = of_one.filter(|defect| !of_several.contains(defect));
        assert_eq!(Defect::OF_ONE_ISSUER, of_one.collect::<Vec<_>>());
    }

    #[test]
    fn the_list_is_in_the_order_of_the_stages() {
        assert!(Defect::ALL.is_sorted_by_key(|defect| (defect.stage(), *defect)));
    }
}
