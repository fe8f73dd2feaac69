//! One token at a time: the path that reads like the RFC.
//!
//! [`Validator`] holds what a run judges by, and judges a single token through plain crates, stage
//! by stage. `batch.rs` judges whole blocks by the same rules and is fast; every test of the one is
//! run against the other.

use crate::error::Error;
use crate::key::{KeySet, Selection};
use crate::policy::Policy;
use crate::signature::{self, Proof};
use crate::token::{Claims, Header, JsonScratch, Token, base64url};
use crate::verdict::{Finding, FindingSet, Reason, ReasonSet, Verdict};

/// The policy and the keys that tokens are judged by. It can be shared between threads.
///
/// ```
/// use jotmill::{KeySet, Policy, UnixTime, Validator};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
/// let validator = Validator::new(Policy::new(UnixTime::now()?), keys)?;
///
/// let verdict = validator.validate(b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.");
/// assert!(!verdict.is_valid());
/// let codes: Vec<_> = verdict.reasons.iter().map(|reason| reason.code()).collect();
/// assert_eq!(codes, ["alg-none"]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Validator {
    policy: Policy,
    keys: KeySet,
}

/// What judging a token brought to light: the verdict, and what may be told of the token.
///
/// `alg` and `kid` are what the header says, whether anything covers them or not; claims are there
/// only where the signature held.
pub(crate) struct Judged<'s> {
    pub(crate) verdict: Verdict,
    pub(crate) alg: Option<&'s str>,
    pub(crate) kid: Option<&'s str>,
    pub(crate) claims: Option<&'s Claims<'s>>,
}

impl<'s> Judged<'s> {
    /// Rejected before anything could be read.
    pub(crate) const fn rejected(reason: Reason) -> Self {
        Self {
            verdict: Verdict::rejected(reason),
            alg: None,
            kid: None,
            claims: None,
        }
    }

    /// What a header says, with no signature verified yet.
    pub(crate) const fn unsigned(
        alg: Option<&'s str>,
        kid: Option<&'s str>,
        findings: FindingSet,
    ) -> Self {
        let verdict = Verdict {
            reasons: ReasonSet::EMPTY,
            findings,
            key: None,
        };
        Self {
            verdict,
            alg,
            kid,
            claims: None,
        }
    }

    pub(crate) const fn with(mut self, reason: Reason) -> Self {
        self.verdict.reasons.insert(reason);
        self
    }
}

/// The buffers that judging one token needs.
pub(crate) struct Scratch {
    header: JsonScratch,
    payload: JsonScratch,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            header: JsonScratch::new(),
            payload: JsonScratch::new(),
        }
    }
}

impl Validator {
    /// A validator for this policy and these keys.
    ///
    /// # Errors
    /// [`Error::Policy`] when there is no key to verify with: every verdict would be a rejection
    /// that says nothing about the tokens.
    pub fn new(policy: Policy, keys: KeySet) -> Result<Self, Error> {
        if keys.is_empty() {
            return Err(Error::Policy {
                message: "no key to verify with; give a secret, a public key or a JWK Set"
                    .to_owned(),
            });
        }
        Ok(Self { policy, keys })
    }

    /// The policy.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The keys.
    #[must_use]
    pub const fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// Judges one token in compact serialization (RFC 7515 section 7.1, RFC 7519 section 7.2),
    /// exactly the bytes given.
    pub fn validate(&self, token: &[u8]) -> Verdict {
        let (mut scratch, mut claims) = (Scratch::new(), Claims::NONE);
        self.judge(token, &mut scratch, &mut claims).verdict
    }

    /// The decoded payload of a valid token, for the caller to deserialize.
    ///
    /// ```
    /// # use jotmill::{KeySet, Policy, UnixTime, Validator};
    /// # fn main() -> Result<(), jotmill::Error> {
    /// # let mut keys = KeySet::new();
    /// # keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
    /// # let validator = Validator::new(Policy::new(UnixTime::now()?), keys)?;
    /// match validator.accept(b"not a token") {
    ///     Ok(payload) => println!("{} bytes of JSON", payload.len()),
    ///     Err(verdict) => println!("rejected: {:?}", verdict.reasons),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The [`Verdict`], for a token that is rejected.
    pub fn accept(&self, token: &[u8]) -> Result<Vec<u8>, Verdict> {
        let verdict = self.validate(token);
        if !verdict.is_valid() {
            return Err(verdict);
        }
        // The stages work on a copy of their own and may have rewritten it.
        let encoded = token.split(|byte| *byte == b'.').nth(1).unwrap_or_default();
        let mut payload = vec![0; base64url::decoded_len(encoded.len())];
        let len = base64url::decode(encoded, &mut payload)
            .map_err(|_| Verdict::rejected(Reason::PayloadBase64url))?;
        payload.truncate(len);
        Ok(payload)
    }

    /// Judges one token, stage by stage, and tells what was found on the way.
    pub(crate) fn judge<'s>(
        &self,
        token: &[u8],
        scratch: &'s mut Scratch,
        claims: &'s mut Claims<'s>,
    ) -> Judged<'s> {
        if token.len() > self.policy.token_limit() {
            return Judged::rejected(Reason::TooLong);
        }
        let token = match Token::split(token) {
            Ok(token) => token,
            Err(reason) => return Judged::rejected(reason),
        };
        let header = match Header::read(token.header(), &mut scratch.header) {
            Ok(header) => header,
            Err(reason) => return Judged::rejected(reason),
        };
        let selection = self.select(&header);
        let judged = Judged::unsigned(header.alg.value(), header.kid.value(), header.findings);
        self.judge_from_signature(token, selection, judged, &mut scratch.payload, claims)
    }

    /// The header and key stages: which keys may have signed a token with this header.
    pub(crate) fn select(&self, header: &Header<'_>) -> Result<Selection, Reason> {
        let algorithm = header.judge(&self.policy)?;
        self.keys
            .select(header.kid.value(), algorithm, &self.policy)
    }

    /// The stages from the signature on, for a token whose header selected keys, or did not.
    fn judge_from_signature<'s>(
        &self,
        token: Token<'_>,
        selection: Result<Selection, Reason>,
        judged: Judged<'s>,
        scratch: &'s mut JsonScratch,
        claims: &'s mut Claims<'s>,
    ) -> Judged<'s> {
        let authentic = selection.and_then(|selection| {
            signature::verify(
                token.signing_input(),
                token.signature(),
                selection.algorithm(),
                self.keys.candidates(selection),
                |key| self.keys.verifying(key),
            )
        });
        match authentic {
            Ok(authentic) => {
                let payload = claims.read(authentic, &self.policy, scratch);
                self.judge_claims(authentic.proof(), judged, payload.map(|()| &*claims))
            }
            Err(reason) => judged.with(reason),
        }
    }

    /// The stages after the signature held, given the claims, or why they could not be read.
    #[inline]
    pub(crate) fn judge_claims<'s>(
        &self,
        proof: Proof,
        mut judged: Judged<'s>,
        claims: Result<&'s Claims<'s>, Reason>,
    ) -> Judged<'s> {
        judged.verdict.key = Some(proof.key());
        if let Some(key) = self.keys.get(proof.key()) {
            if key.is_weak_for(proof.algorithm()) {
                judged.verdict.findings.insert(Finding::WeakKey);
            }
            if self.policy.takes_kid_as_hint()
                && let Some(kid) = judged.kid
                && key.id() != Some(kid)
                && (key.id().is_some() || self.keys.has_id(kid))
            {
                judged.verdict.findings.insert(Finding::KidOfAnotherKey);
            }
        }
        match claims {
            Ok(claims) => {
                judged.verdict.reasons = self.policy.judge(claims);
                judged.claims = Some(claims);
                judged
            }
            Err(reason) => judged.with(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::UnixTime;

    /// RFC 7515 appendix A.1: HS256, with the key as a JWK.
    const RFC_7515_A1: &str = concat!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9",
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt",
        "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
        ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
    const RFC_7515_A1_KEY: &str = concat!(
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75"#,
        r#"aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#,
    );

    fn validator(now: u64) -> Validator {
        let mut keys = KeySet::new();
        keys.add_jwks(RFC_7515_A1_KEY.as_bytes(), "RFC 7515 A.1")
            .unwrap();
        Validator::new(Policy::new(UnixTime::new(now, 0).unwrap()), keys).unwrap()
    }

    #[test]
    fn the_token_of_rfc_7515_is_valid_until_it_expires() {
        let verdict = validator(1_300_819_379).validate(RFC_7515_A1.as_bytes());
        assert!(verdict.is_valid());
        assert_eq!(verdict.key, Some(0));
        let verdict = validator(1_300_819_380).validate(RFC_7515_A1.as_bytes());
        assert_eq!(verdict.reasons, Reason::Expired.into());
        assert_eq!(verdict.key, Some(0), "the signature held all the same");
    }

    #[test]
    fn accept_gives_the_payload_as_it_was_signed() {
        let payload = validator(0).accept(RFC_7515_A1.as_bytes()).unwrap();
        let expected = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \
                        \"http://example.com/is_root\":true}";
        assert_eq!(std::str::from_utf8(&payload).unwrap(), expected);
        let verdict = validator(1 << 31)
            .accept(RFC_7515_A1.as_bytes())
            .unwrap_err();
        assert_eq!(verdict.reasons, Reason::Expired.into());
    }

    #[test]
    fn every_single_change_to_a_token_is_noticed() {
        let validator = validator(0);
        for position in 0..RFC_7515_A1.len() {
            let mut token = RFC_7515_A1.as_bytes().to_vec();
            token[position] ^= 1;
            assert!(!validator.validate(&token).is_valid(), "{position}");
            token[position] ^= 1;
            token.remove(position);
            assert!(!validator.validate(&token).is_valid(), "{position} removed");
        }
    }

    #[test]
    fn a_validator_without_keys_is_an_error() {
        let policy = Policy::new(UnixTime::new(0, 0).unwrap());
        assert!(Validator::new(policy, KeySet::new()).is_err());
    }
}
