//! The claims of an authentic payload (RFC 7519 section 4).

use super::json::{JsonFault, JsonScratch, Member};
use crate::policy::Policy;
use crate::signature::Authentic;
use crate::time::NumericDate;
use crate::verdict::Reason;

/// The registered claims, each absent, of the wrong type, or its value; and what the policy asks
/// about the others. Strings borrow the decoded payload.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claims<'s> {
    /// Issuer.
    pub iss: Member<&'s str>,
    /// Subject.
    pub sub: Member<&'s str>,
    /// Audience: whether it names one that the policy expects. The audience is a string or an
    /// array of strings, which need not be kept for that.
    pub aud: Member<bool>,
    /// Expiration time.
    pub exp: Member<NumericDate>,
    /// Not before.
    pub nbf: Member<NumericDate>,
    /// Issued at.
    pub iat: Member<NumericDate>,
    /// JWT ID.
    pub jti: Member<&'s str>,
    /// Bit `i` says that the policy's `i`-th extra claim is there and not null.
    pub extra: u64,
}

impl<'s> Claims<'s> {
    /// Reads the claims of a payload whose signature held; there is no other way to any.
    pub(crate) fn read(
        authentic: Authentic<'_>,
        policy: &Policy,
        scratch: &'s mut JsonScratch,
    ) -> Result<Self, Reason> {
        let object = scratch
            .read(authentic.payload())
            .map_err(|fault| match fault {
                JsonFault::Base64url => Reason::PayloadBase64url,
                JsonFault::Json => Reason::PayloadJson,
                JsonFault::NotObject => Reason::PayloadNotObject,
                JsonFault::DuplicateMember => Reason::PayloadDuplicateMember,
            })?;
        let mut claims = Self::default();
        for (name, value) in object.members() {
            match name {
                "iss" => claims.iss = value.string(),
                "sub" => claims.sub = value.string(),
                "jti" => claims.jti = value.string(),
                "exp" => claims.exp = value.number(),
                "nbf" => claims.nbf = value.number(),
                "iat" => claims.iat = value.number(),
                "aud" => {
                    claims.aud = match (value.string(), value.strings()) {
                        (Member::Is(one), _) => Member::Is(policy.expects_audience(one)),
                        (_, Member::Is(mut many)) => {
                            Member::Is(many.any(|one| policy.expects_audience(one)))
                        }
                        _ => Member::WrongType,
                    }
                }
                _ if value.is_null() => {}
                _ => {
                    let wanted = policy
                        .extra_names()
                        .iter()
                        .position(|extra| **extra == *name);
                    if let Some(index) = wanted {
                        claims.extra |= 1 << index;
                    }
                }
            }
        }
        Ok(claims)
    }
}
