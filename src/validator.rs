//! One token at a time: the path that reads like the RFC.
//!
//! [`Validator`] owns the policy and the keys, or those of several issuers, and validates a single
//! token with plain crates, stage by stage ([`stages`]). `batch` validates many tokens by the same rules, fast;
//! tests compare the two.

use std::cell::Cell;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::anchor::Chains;
use crate::error::{AcceptError, Error};
use crate::key::{Key, KeyFinding, KeySet};
use crate::policy::Policy;
use crate::signature::AlgorithmSet;
use crate::time::UnixTime;
use crate::token::{Claims, Header, Issuers, JsonScratch, Token, UnverifiedIssuer};
use crate::verdict::{Reason, Verdict};
pub(crate) use stages::{Authenticated, Choice, Judged};

/// The policy and the keys that tokens are validated by.
///
/// It is immutable, can be shared between threads, and is cheap to clone. To rotate keys, create a
/// new one by [`with_keys`](Self::with_keys) and replace the old one; work that began with the old
/// one finishes with it.
///
/// ```
/// use jotmill::{KeySet, Policy, Validator};
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let mut keys = KeySet::new();
/// keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
/// let validator = Validator::new(Policy::service(), keys)?;
///
/// let verdict = validator.validate(b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.")?;
/// assert!(!verdict.is_valid());
/// let codes: Vec<_> = verdict.reasons.iter().map(|reason| reason.code()).collect();
/// assert_eq!(codes, ["alg-none"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Validator {
    /// At least one. Each applies to the tokens verified by the keys whose realm is its index.
    policies: Arc<[Policy]>,
    keys: Arc<KeySet>,
    /// The index of the policy of each issuer; empty if there is only one policy.
    issuers: Arc<Issuers>,
    /// The chains of tokens that bring their key along.
    chains: Arc<Chains>,
    /// The chains of tokens up to certificates that are keys.
    root_chains: Arc<Chains>,
}

thread_local! {
    /// The buffers of [`Validator::validate_at`], so that a call allocates nothing.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

/// The buffers that validating one token needs.
struct Scratch {
    header: JsonScratch,
    payload: JsonScratch,
}

impl Scratch {
    /// The largest buffers that are kept for the next call, in bytes.
    const MAX_KEPT: usize = 256 << 10;

    /// The buffers of this thread, or new ones where it is ending or they are in use.
    fn take() -> Box<Self> {
        let own = SCRATCH.try_with(Cell::take).ok().flatten();
        own.unwrap_or_default()
    }

    fn put_back(self: Box<Self>) {
        if self.header.capacity() + self.payload.capacity() <= Self::MAX_KEPT {
            // A thread that is ending needs none.
            let _ = SCRATCH.try_with(|place| place.set(Some(self)));
        }
    }
}

impl Default for Scratch {
    fn default() -> Self {
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
    /// [`Error::Policy`] if there is no key: every token would be rejected.
    pub fn new(policy: Policy, keys: KeySet) -> Result<Self, Error> {
        let keys = non_empty(keys)?;
        Ok(Self {
            policies: Arc::new([policy]),
            chains: Arc::new(Chains::new(&keys)),
            root_chains: Arc::new(Chains::of_roots(&keys)),
            keys: Arc::new(keys),
            issuers: Arc::default(),
        })
    }

    /// A validator with the same policy and other keys, for example after a JWK Set was rotated.
    ///
    /// ```
    /// use std::sync::{PoisonError, RwLock};
    /// use jotmill::{Error, KeySet, Policy, Validator};
    ///
    /// /// What each request validates with. A clone is cheap, and holds no lock.
    /// fn current(shared: &RwLock<Validator>) -> Validator {
    ///     shared.read().unwrap_or_else(PoisonError::into_inner).clone()
    /// }
    ///
    /// /// When the issuer has published other keys. If they cannot be used, the old ones stay.
    /// fn rotate(shared: &RwLock<Validator>, jwks: &[u8]) -> Result<(), Error> {
    ///     let mut keys = KeySet::new();
    ///     keys.add_key(jwks, "https://auth.example.com/jwks.json")?;
    ///     let next = current(shared).with_keys(keys)?;
    ///     *shared.write().unwrap_or_else(PoisonError::into_inner) = next;
    ///     Ok(())
    /// }
    /// # fn main() -> Result<(), Error> {
    /// # let mut keys = KeySet::new();
    /// # keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
    /// # let shared = RwLock::new(Validator::new(Policy::service(), keys)?);
    /// # let next = br#"{"kty":"oct","kid":"next","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T"}"#;
    /// # assert!(rotate(&shared, b"{}").is_err());
    /// # assert_eq!(current(&shared).keys().iter().next().and_then(|key| key.id()), None);
    /// # rotate(&shared, next)?;
    /// # assert_eq!(current(&shared).keys().iter().next().and_then(|key| key.id()), Some("next"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Policy`] if there is no key, and for a validator of several issuers, where each key
    /// belongs to one policy: create a new one by [`with_issuers`](Self::with_issuers).
    pub fn with_keys(&self, keys: KeySet) -> Result<Self, Error> {
        match &*self.policies {
            [policy] => Self::new(policy.clone(), keys),
            _ => Err(Error::Policy {
                message: "the keys of several issuers are given with their policies".to_owned(),
            }),
        }
    }

    /// The same, with `kid` as a hint under every policy.
    pub(crate) fn with_kid_as_hint(&self) -> Self {
        let policies = self.policies.iter().cloned().map(Policy::kid_as_hint);
        Self {
            policies: policies.collect(),
            ..self.clone()
        }
    }

    /// A validator for several issuers, each with a policy and keys of its own.
    ///
    /// The unverified `iss` of a token chooses the policy, and is used for nothing else. A key of
    /// that policy must then verify the signature, and `iss` is checked as a claim. If `iss` is
    /// absent, unreadable or in no policy, the reason is [`Reason::IssuerUnknown`]. With one policy
    /// this is [`Validator::new`].
    ///
    /// ```
    /// use jotmill::{KeySet, Policy, Validator};
    ///
    /// # fn main() -> Result<(), jotmill::Error> {
    /// let (mut ours, mut theirs) = (KeySet::new(), KeySet::new());
    /// ours.add_secret(b"our 256-bit secret, our 256-bit!", "ours")?;
    /// theirs.add_secret(b"their 256-bit secret, 256-bit!!!", "theirs")?;
    /// let validator = Validator::with_issuers([
    ///     (Policy::service().issuer("https://auth.example.com/"), ours),
    ///     (Policy::service().issuer("https://sts.example.net/").leeway(60)?, theirs),
    /// ])?;
    /// assert_eq!(validator.policies().len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`Error::Policy`] if a policy has no key. With several policies, also if one expects no
    /// issuer, if the issuers of two can match one name, and if they differ in the maximal length of
    /// a token or in whether padding is accepted, which apply to a whole run.
    pub fn with_issuers(
        policies: impl IntoIterator<Item = (Policy, KeySet)>,
    ) -> Result<Self, Error> {
        let error = |message: String| Error::Policy { message };
        let mut all = policies.into_iter();
        let (policy, keys) = all
            .next()
            .ok_or_else(|| error("no policy to validate by".to_owned()))?;
        let (mut policies, mut keys) = (vec![policy], non_empty(keys)?);
        for (policy, further) in all {
            policies.push(policy);
            keys.append(non_empty(further)?)?;
        }
        let mut by_issuer = Issuers::default();
        let limit = policies[0].token_limit();
        for (policy, number) in policies.iter().zip(0..).filter(|_| policies.len() > 1) {
            if policy.expected_issuers().next().is_none() {
                let message = "of several policies, each must expect an issuer to be chosen by";
                return Err(error(message.to_owned()));
            }
            if policy.token_limit() != limit {
                let message = "all policies of a run have one maximal token length";
                return Err(error(message.to_owned()));
            }
            if policy.accepts_padding() != policies[0].accepts_padding() {
                let message = "all policies of a run accept padding, or none of them does";
                return Err(error(message.to_owned()));
            }
            for issuer in policy.expected_issuers() {
                by_issuer.add(&issuer, number).map_err(|other| {
                    let issuer = issuer.text();
                    error(match issuer == other {
                        true => format!("two policies expect the issuer {issuer:?}"),
                        false => format!(
                            "two policies expect one issuer: {other:?} and {issuer:?} can match \
                             the same name; make them differ in a segment without a placeholder"
                        ),
                    })
                })?;
            }
        }
        Ok(Self {
            policies: policies.into(),
            chains: Arc::new(Chains::new(&keys)),
            root_chains: Arc::new(Chains::of_roots(&keys)),
            keys: Arc::new(keys),
            issuers: Arc::new(by_issuer),
        })
    }

    /// The policy; the first of several. The maximal length of a token is the same in all.
    pub fn policy(&self) -> &Policy {
        &self.policies[0]
    }

    /// The policies, in the order given; one unless there are several issuers.
    pub fn policies(&self) -> &[Policy] {
        &self.policies
    }

    /// The policy for tokens verified by this key, an index as in [`Verdict::key`]. Without a key,
    /// the first policy.
    pub(crate) fn policy_of(&self, key: Option<u32>) -> &Policy {
        match &*self.policies {
            [only] => only,
            policies => {
                let realm = key.map_or(0, |key| self.keys.realm_of(key));
                &policies[realm as usize]
            }
        }
    }

    /// The index of the policy that the token's unverified `iss` chooses; `None` if `iss` cannot be
    /// read or is in no policy.
    #[must_use]
    pub fn policy_index(&self, token: &[u8]) -> Option<usize> {
        match self.policies.len() {
            1 => Some(0),
            _ => {
                let token = self.split(token).ok()?;
                self.realm_for(token, &mut JsonScratch::new())
                    .map(|realm| realm as usize)
            }
        }
    }

    /// The segments of a token, in the spellings that the policy accepts.
    fn split<'t>(&self, token: &'t [u8]) -> Result<Token<'t>, Reason> {
        let token = Token::split(token)?;
        Ok(match self.policy().accepts_padding() {
            true => token.accepting_padding(),
            false => token,
        })
    }

    /// Calls `each` on the names in the `crit` of a token that the policy which judges it does not
    /// understand; of a long `crit` on the first.
    #[cold]
    pub(crate) fn unsupported_crit(&self, token: Token<'_>, each: impl FnMut(&str)) {
        let mut scratch = Scratch::take();
        let policy = match self.policies.len() {
            1 => Some(0),
            _ => self.realm_for(token, &mut scratch.payload),
        };
        let policy = policy.and_then(|index| self.policies.get(index as usize));
        let understood = policy.map_or(&[][..], Policy::understood_crit);
        if let Ok(header) = Header::read(token.header(), &mut scratch.header) {
            header.unsupported_crit(understood).for_each(each);
        }
        scratch.put_back();
    }

    fn realm_for(&self, token: Token<'_>, scratch: &mut JsonScratch) -> Option<u32> {
        self.realm(UnverifiedIssuer::read(token, scratch))
    }

    /// The index of the policy, and of the realm of keys, that an unverified issuer chooses.
    pub(crate) fn realm(&self, issuer: Option<UnverifiedIssuer<'_>>) -> Option<u32> {
        issuer?.look_up(&self.issuers)
    }

    /// The keys, of all policies.
    #[must_use]
    pub fn keys(&self) -> &KeySet {
        &self.keys
    }

    /// The weaknesses of a key of this validator at `now` under its policy, in the order of
    /// [`KeyFinding::ALL`]. A secret is short if it is shorter than the hash of an algorithm that
    /// both the key and the policy allow.
    #[must_use]
    pub fn key_findings(&self, key: &Key, now: UnixTime) -> Vec<KeyFinding> {
        let policy = (self.policies.get(key.policy_index())).unwrap_or_else(|| self.policy());
        let allowed = policy.allowed_algorithms().unwrap_or(AlgorithmSet::ALL);
        self.keys.findings_under(key, now, allowed)
    }

    /// Validates one token in compact serialization (RFC 7515 section 7.1, RFC 7519 section 7.2),
    /// exactly the bytes given, at the time of the system clock.
    ///
    /// # Errors
    /// [`Error::Clock`] when the clock is before 1970 or after 9999.
    pub fn validate(&self, token: &[u8]) -> Result<Verdict, Error> {
        Ok(self.validate_at(token, UnixTime::now()?))
    }

    /// Validates one token at a given instant.
    pub fn validate_at(&self, token: &[u8], now: UnixTime) -> Verdict {
        self.with_payload(token, now, |verdict, _| verdict)
    }

    /// Validates a token at the time of the system clock, and returns its claims as a type of the
    /// caller. Whatever else a service demands of a token, it checks on them.
    ///
    /// ```
    /// use jotmill::{AcceptError, KeySet, Policy, Validator};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims {
    ///     sub: String,
    ///     #[serde(default)]
    ///     roles: Vec<String>,
    /// }
    ///
    /// /// The answer to a request: a status, and a text that is safe to log.
    /// fn handle(validator: &Validator, authorization: &str) -> (u16, String) {
    ///     let Some(token) = authorization.strip_prefix("Bearer ") else {
    ///         return (401, "no bearer token".to_owned());
    ///     };
    ///     match validator.accept::<Claims>(token.as_bytes()) {
    ///         Ok(claims) if claims.roles.iter().any(|role| role == "reader") => {
    ///             (200, format!("hello {}", claims.sub))
    ///         }
    ///         Ok(_) => (403, "the role \"reader\" is missing".to_owned()),
    ///         Err(AcceptError::Clock(error)) => (500, error.to_string()),
    ///         Err(error) => (401, error.to_string()),
    ///     }
    /// }
    /// # fn main() -> Result<(), jotmill::Error> {
    /// # let mut keys = KeySet::new();
    /// # keys.add_secret(b"your-256-bit-secret-your-256-bit", "example")?;
    /// # let validator = Validator::new(Policy::new(), keys)?;
    /// # assert_eq!(handle(&validator, "Bearer x"), (401, "rejected: segment-count".to_owned()));
    /// # let token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZSJ9.moowroLLJ2J9n459KoV_Ne71iwJ8pNGBhokH9S3oEDs";
    /// # assert_eq!(handle(&validator, &format!("Bearer {token}")).0, 403);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AcceptError::Rejected`] if the token is not valid, [`AcceptError::Claims`] if its claims
    /// do not fit the type, [`AcceptError::Clock`] if the system clock is out of range.
    pub fn accept<T: DeserializeOwned>(&self, token: &[u8]) -> Result<T, AcceptError> {
        let now = UnixTime::now().map_err(AcceptError::Clock)?;
        self.accept_at(token, now)
    }

    /// [`accept`](Self::accept) at a given instant.
    ///
    /// # Errors
    /// As for [`accept`](Self::accept), except the clock.
    pub fn accept_at<T: DeserializeOwned>(
        &self,
        token: &[u8],
        now: UnixTime,
    ) -> Result<T, AcceptError> {
        self.with_payload(token, now, |verdict, payload| match verdict.is_valid() {
            true => serde_json::from_slice(payload).map_err(AcceptError::Claims),
            false => Err(verdict.into()),
        })
    }

    /// Validates a token at a given instant, and returns its decoded payload.
    ///
    /// # Errors
    /// The [`Verdict`], if the token is not valid.
    pub fn payload_at(&self, token: &[u8], now: UnixTime) -> Result<Vec<u8>, Verdict> {
        self.with_payload(token, now, |verdict, payload| match verdict.is_valid() {
            true => Ok(payload.to_vec()),
            false => Err(verdict),
        })
    }

    /// Validates a token in the buffers of this thread, and calls `with` on the verdict and on what
    /// the payload buffer holds: the payload, if the token is valid.
    fn with_payload<T>(
        &self,
        token: &[u8],
        now: UnixTime,
        with: impl FnOnce(Verdict, &[u8]) -> T,
    ) -> T {
        // Taken out, since `with` may be the caller's code and validate another token.
        let mut scratch = Scratch::take();
        let mut claims = Claims::none();
        let verdict = self.judge(token, now, &mut scratch, &mut claims).verdict;
        let result = with(verdict, scratch.payload.decoded());
        scratch.put_back();
        result
    }
}

fn non_empty(keys: KeySet) -> Result<KeySet, Error> {
    if keys.is_empty() {
        return Err(Error::Policy {
            message: "no key to verify with; give a secret, a public key or a JWK Set".to_owned(),
        });
    }
    Ok(keys)
}

mod chains;
mod stages;

#[cfg(test)]
mod tests;
