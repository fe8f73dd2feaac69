//! The rules that tokens are validated by, and the limits of the work.
//!
//! A [`Policy`] has no clock. Its rules form two groups: time-invariant ones, and those that
//! compare dates with an instant, which is an argument. A token whose proof is cached needs only
//! the second group. This module knows neither keys nor bytes.

mod check;
mod claim_rules;
mod decimal;

use crate::error::Error;
use crate::signature::{Algorithm, AlgorithmSet};
use crate::token::Header;
use crate::verdict::Reason;
pub(crate) use check::time_dependent;
use claim_rules::ClaimRules;

/// The default limit on the length of a token: 1 MiB.
pub const DEFAULT_MAX_TOKEN_BYTES: usize = 1 << 20;
/// The default limit on the keys that are tried on one token.
pub const DEFAULT_MAX_KEY_TRIES: usize = 1000;
/// The longest leeway, age or lifetime in seconds: ten thousand years.
pub const MAX_DURATION_SECONDS: u64 = 10_000 * 366 * 86_400;
/// The most claims beyond the registered ones that a policy can require.
pub const MAX_EXTRA_CLAIMS: usize = 64;

/// The most extensions in `crit` that a policy can declare understood.
pub const MAX_CRIT: usize = crate::token::MAX_CRIT;

/// The claims that RFC 7519 section 4.1 registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RegisteredClaim {
    /// Issuer.
    Iss,
    /// Subject.
    Sub,
    /// Audience.
    Aud,
    /// Expiration time.
    Exp,
    /// Not before.
    Nbf,
    /// Issued at.
    Iat,
    /// JWT ID.
    Jti,
}

impl RegisteredClaim {
    /// Every registered claim: the discriminant is the index.
    pub const ALL: [Self; 7] = [
        Self::Iss,
        Self::Sub,
        Self::Aud,
        Self::Exp,
        Self::Nbf,
        Self::Iat,
        Self::Jti,
    ];

    /// The claim's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Sub => "sub",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
            Self::Jti => "jti",
        }
    }

    const fn missing(self) -> Reason {
        match self {
            Self::Iss => Reason::MissingIss,
            Self::Sub => Reason::MissingSub,
            Self::Aud => Reason::MissingAud,
            Self::Exp => Reason::MissingExp,
            Self::Nbf => Reason::MissingNbf,
            Self::Iat => Reason::MissingIat,
            Self::Jti => Reason::MissingJti,
        }
    }
}

/// What a token must satisfy to be valid, and limits on the work for one token.
///
/// ```
/// use jotmill::Policy;
///
/// # fn main() -> Result<(), jotmill::Error> {
/// let policy = Policy::service()
///     .issuer("https://auth.example.com/")
///     .audience("api://orders")
///     .leeway(60)?;
/// # assert_eq!(policy.issuers(), ["https://auth.example.com/"]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Policy {
    leeway: u64,
    max_age: Option<u64>,
    max_lifetime: Option<u64>,
    issuers: Vec<String>,
    subjects: Vec<String>,
    audiences: Vec<String>,
    required: u8,
    extra: Vec<Box<str>>,
    typ: Vec<String>,
    crit: Vec<Box<str>>,
    rules: Option<Box<ClaimRules>>,
    accepts_padding: bool,
    algorithms: Option<AlgorithmSet>,
    max_token_bytes: usize,
    max_key_tries: usize,
    kid_is_hint: bool,
}

impl Default for Policy {
    /// [`Policy::new`].
    fn default() -> Self {
        Self::new()
    }
}

impl Policy {
    /// The policy for audits: a valid token has a signature that verifies and dates that fit the
    /// instant. Nothing else is required; a token without `exp` never expires.
    pub const fn new() -> Self {
        Self {
            leeway: 0,
            max_age: None,
            max_lifetime: None,
            issuers: Vec::new(),
            subjects: Vec::new(),
            audiences: Vec::new(),
            required: 0,
            extra: Vec::new(),
            typ: Vec::new(),
            crit: Vec::new(),
            rules: None,
            accepts_padding: false,
            algorithms: None,
            max_token_bytes: DEFAULT_MAX_TOKEN_BYTES,
            max_key_tries: DEFAULT_MAX_KEY_TRIES,
            kid_is_hint: false,
        }
    }

    /// The policy for services: [`Policy::new`], and `exp` is required.
    pub const fn service() -> Self {
        let mut policy = Self::new();
        policy.required = 1 << RegisteredClaim::Exp as u8;
        policy
    }

    /// Adds an expected issuer; `iss` becomes required.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        let issuer = issuer.into();
        if !self.issuers.contains(&issuer) {
            self.issuers.push(issuer);
        }
        self.required |= 1 << RegisteredClaim::Iss as u8;
        self
    }

    /// Adds an expected subject; `sub` becomes required.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subjects.push(subject.into());
        self.required |= 1 << RegisteredClaim::Sub as u8;
        self
    }

    /// Adds an expected audience; `aud` becomes required.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self.required |= 1 << RegisteredClaim::Aud as u8;
        self
    }

    /// Requires a claim. An unregistered one must also not be null.
    ///
    /// # Errors
    /// [`Error::Policy`] for an empty name, and beyond [`MAX_EXTRA_CLAIMS`] unregistered names.
    pub fn require(mut self, name: &str) -> Result<Self, Error> {
        if let Some(claim) = RegisteredClaim::ALL
            .into_iter()
            .find(|claim| claim.name() == name)
        {
            self.required |= 1 << claim as u8;
        } else if name.is_empty() {
            return Err(policy_error("a required claim has an empty name"));
        } else if !self.extra.iter().any(|known| **known == *name) {
            if self.extra.len() == MAX_EXTRA_CLAIMS {
                return Err(policy_error(format!(
                    "more than {MAX_EXTRA_CLAIMS} unregistered claims are required"
                )));
            }
            self.extra.push(name.into());
        }
        Ok(self)
    }

    /// Adds an expected media type of `typ` (RFC 7515 section 4.1.9); `typ` becomes required.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        let typ = typ.into();
        if !self.typ.contains(&typ) {
            self.typ.push(typ);
        }
        self
    }

    /// Takes a name in `crit` (RFC 7515 section 4.1.11) for understood: the caller does what the
    /// extension demands. All other rules on `crit` stay.
    ///
    /// # Errors
    /// [`Error::Policy`] for an empty name, for `b64` and for a name that RFC 7515, 7516 or 7518
    /// registers, which no token may list; and beyond [`MAX_CRIT`] names.
    pub fn crit(mut self, name: &str) -> Result<Self, Error> {
        let why = match name {
            "" => "an extension in crit has an empty name".to_owned(),
            "b64" => "b64 cannot be declared understood: jotmill verifies the encoded payload and \
                      accepts b64 where it is true; a token with b64 false is b64-unsupported"
                .to_owned(),
            _ if Header::is_registered(name) => format!(
                "{name} cannot be declared understood: it is registered by the RFCs, and a token \
                 whose crit lists it is crit-invalid; name an extension that crit may list"
            ),
            _ if self.crit.iter().any(|known| **known == *name) => return Ok(self),
            _ if self.crit.len() == MAX_CRIT => {
                format!("more than {MAX_CRIT} extensions in crit are declared understood")
            }
            _ => {
                self.crit.push(name.into());
                return Ok(self);
            }
        };
        Err(policy_error(why))
    }

    /// Also accepts tokens with base64url padding: each of the three segments must be padded
    /// exactly, to a multiple of four characters, and be canonical otherwise. The signature covers
    /// the bytes as they are. Any other token with a `=` is rejected as without this.
    pub const fn accept_padding(mut self) -> Self {
        self.accepts_padding = true;
        self
    }

    /// Allows only these algorithms. Without an allow-list the keys decide.
    pub const fn algorithms(mut self, algorithms: AlgorithmSet) -> Self {
        self.algorithms = Some(algorithms);
        self
    }

    /// Tolerates this much clock skew in every comparison with the instant.
    ///
    /// # Errors
    /// [`Error::Policy`] beyond [`MAX_DURATION_SECONDS`].
    pub fn leeway(mut self, seconds: u64) -> Result<Self, Error> {
        self.leeway = duration("leeway", seconds)?;
        Ok(self)
    }

    /// Rejects tokens that were issued longer ago than this; `iat` becomes required.
    ///
    /// # Errors
    /// [`Error::Policy`] beyond [`MAX_DURATION_SECONDS`].
    pub fn max_age(mut self, seconds: u64) -> Result<Self, Error> {
        self.max_age = Some(duration("maximal age", seconds)?);
        self.required |= 1 << RegisteredClaim::Iat as u8;
        Ok(self)
    }

    /// Rejects tokens whose `exp` is more than this long after `iat`; both become required.
    ///
    /// # Errors
    /// [`Error::Policy`] beyond [`MAX_DURATION_SECONDS`].
    pub fn max_lifetime(mut self, seconds: u64) -> Result<Self, Error> {
        self.max_lifetime = Some(duration("maximal lifetime", seconds)?);
        self.required |= 1 << RegisteredClaim::Exp as u8 | 1 << RegisteredClaim::Iat as u8;
        Ok(self)
    }

    /// Limits the length of a token, or of a line without its ending; a longer one is `too-long`.
    ///
    /// # Errors
    /// [`Error::Policy`] for 0 and beyond 1 GiB: a block must hold a whole line.
    pub fn max_token_bytes(mut self, bytes: usize) -> Result<Self, Error> {
        if !(1..=1 << 30).contains(&bytes) {
            return Err(policy_error(
                "the maximal token length lies between 1 byte and 1 GiB",
            ));
        }
        self.max_token_bytes = bytes;
        Ok(self)
    }

    /// Limits the number of keys that are tried on one token.
    ///
    /// # Errors
    /// [`Error::Policy`] for 0.
    pub fn max_key_tries(mut self, keys: usize) -> Result<Self, Error> {
        if keys == 0 {
            return Err(policy_error("at least one key must be tried"));
        }
        self.max_key_tries = keys;
        Ok(self)
    }

    /// Takes `kid` only as a hint (RFC 7515 section 4.1.4): if no key with this id verifies the
    /// signature, every other key that fits the algorithm is tried.
    pub const fn kid_as_hint(mut self) -> Self {
        self.kid_is_hint = true;
        self
    }

    /// The leeway in seconds.
    #[must_use]
    pub const fn leeway_seconds(&self) -> u64 {
        self.leeway
    }

    /// The maximal age in seconds.
    #[must_use]
    pub const fn max_age_seconds(&self) -> Option<u64> {
        self.max_age
    }

    /// The maximal lifetime in seconds.
    #[must_use]
    pub const fn max_lifetime_seconds(&self) -> Option<u64> {
        self.max_lifetime
    }

    /// The expected issuers that have no placeholders.
    #[must_use]
    pub fn issuers(&self) -> &[String] {
        &self.issuers
    }

    /// The expected subjects; empty if any is accepted.
    #[must_use]
    pub fn subjects(&self) -> &[String] {
        &self.subjects
    }

    /// The expected audiences; empty if any is accepted.
    #[must_use]
    pub fn audiences(&self) -> &[String] {
        &self.audiences
    }

    /// The names of all claims that are required, the registered ones first.
    pub fn required_names(&self) -> impl Iterator<Item = &str> {
        RegisteredClaim::ALL
            .into_iter()
            .filter(move |claim| self.requires(*claim))
            .map(|claim| claim.name())
            .chain(self.extra_names().iter().map(AsRef::as_ref))
    }

    /// The required claims that are not registered, in the order given.
    #[must_use]
    pub fn extra_names(&self) -> &[Box<str>] {
        &self.extra
    }

    /// The expected media types; empty if any is accepted.
    #[must_use]
    pub fn expected_typs(&self) -> &[String] {
        &self.typ
    }

    /// The extensions in `crit` that the caller understands.
    #[must_use]
    pub fn understood_crit(&self) -> &[Box<str>] {
        &self.crit
    }

    /// Whether tokens with padding are accepted.
    #[must_use]
    pub const fn accepts_padding(&self) -> bool {
        self.accepts_padding
    }

    /// The allow-list of algorithms.
    #[must_use]
    pub const fn allowed_algorithms(&self) -> Option<AlgorithmSet> {
        self.algorithms
    }

    /// The maximal length of a token, in bytes.
    #[must_use]
    pub const fn token_limit(&self) -> usize {
        self.max_token_bytes
    }

    /// The most keys that are tried on one token.
    #[must_use]
    pub const fn key_limit(&self) -> usize {
        self.max_key_tries
    }

    /// Whether `kid` is only a hint.
    #[must_use]
    pub const fn takes_kid_as_hint(&self) -> bool {
        self.kid_is_hint
    }

    /// The checks that the policy does not make, by the name of the option that adds each.
    #[must_use]
    pub fn unchecked(&self) -> Vec<&'static str> {
        let absent = [
            (
                "issuer",
                self.issuers.is_empty() && self.templates().is_empty(),
            ),
            ("audience", self.audiences.is_empty()),
            ("typ", self.typ.is_empty()),
        ];
        absent
            .into_iter()
            .filter_map(|(name, absent)| absent.then_some(name))
            .collect()
    }

    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        self.algorithms
            .is_none_or(|allowed| allowed.contains(algorithm))
    }

    const fn requires(&self, claim: RegisteredClaim) -> bool {
        self.required >> claim as u8 & 1 == 1
    }
}

fn duration(what: &str, seconds: u64) -> Result<u64, Error> {
    if seconds > MAX_DURATION_SECONDS {
        return Err(policy_error(format!(
            "a {what} of {seconds} seconds is longer than history"
        )));
    }
    Ok(seconds)
}

fn policy_error(message: impl Into<String>) -> Error {
    Error::Policy {
        message: message.into(),
    }
}

#[cfg(test)]
mod tests;
