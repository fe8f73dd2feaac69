//! What flags mean: they become policies and key sets. Here files, the environment and the clock are
//! read.

mod key_files;
pub(crate) mod stdin;
mod unusable_keys;
mod weak_keys;

use std::path::PathBuf;

use anyhow::{Result, anyhow};
use jotmill::{Kernel, Key, KeySet, Policy, UnixTime, Validator};

use super::flags::{self, KeyFlags, PolicyFlags};
use super::policy_file::{self, PolicyFile};
pub(crate) use key_files::{add_keys, may_encode, read};
use weak_keys::refuse_or_warn;
pub(crate) use weak_keys::shown;

/// The policy that the flags describe.
pub(crate) fn policy(flags: &PolicyFlags) -> Result<Policy> {
    let mut policy = Policy::new();
    for issuer in &flags.issuer {
        policy = policy.issuer_template(issuer)?;
    }
    for subject in &flags.subject {
        policy = policy.subject(subject);
    }
    for audience in &flags.audience {
        policy = policy.audience(audience);
    }
    for name in &flags.require {
        policy = policy.require(name)?;
    }
    for claim in &flags.claim {
        policy = flags::add_claim(policy, claim)?;
    }
    for scope in &flags.scope {
        policy = policy.scope(scope)?;
    }
    for typ in &flags.typ {
        policy = policy.typ(typ);
    }
    for name in &flags.crit {
        policy = policy.crit(name)?;
    }
    if flags.accept_padding {
        policy = policy.accept_padding();
    }
    if !flags.alg.is_empty() {
        policy = policy.algorithms(flags.alg.iter().copied().collect());
    }
    if let Some(seconds) = flags.leeway {
        policy = policy.leeway(seconds)?;
    }
    if let Some(seconds) = flags.max_age {
        policy = policy.max_age(seconds)?;
    }
    if let Some(seconds) = flags.max_lifetime {
        policy = policy.max_lifetime(seconds)?;
    }
    if let Some(bytes) = flags.max_token_bytes {
        policy = policy.max_token_bytes(bytes)?;
    }
    if let Some(keys) = flags.max_key_tries {
        policy = policy.max_key_tries(keys)?;
    }
    if flags.kid_hint {
        policy = policy.kid_as_hint();
    }
    Ok(policy)
}

/// The rules of a run, and its instant.
#[derive(Clone)]
pub(crate) struct Rules {
    now: UnixTime,
    /// The policies and their keys: one, unless a policy file has several issuers.
    policies: Vec<(Policy, KeySet)>,
    /// Where the keys of each policy are.
    sources: Vec<KeyFlags>,
    policy_file: Option<PathBuf>,
    is_strict: bool,
    warnings: Vec<String>,
}

impl Rules {
    /// The rules that the flags describe, or the policy file that they name. Without `--now` the
    /// clock is read, here and only here.
    pub(crate) fn new(flags: &PolicyFlags, keys: &KeyFlags) -> Result<Self> {
        let now = flags.now.map_or_else(UnixTime::now, Ok)?;
        let Some(path) = &flags.policy else {
            let policy = policy(flags)?;
            let (mut set, mut warnings) = (KeySet::new(), Vec::new());
            add_keys(&mut set, &mut warnings, keys)?;
            return Ok(Self {
                now,
                policies: vec![(policy, set)],
                sources: vec![keys.clone()],
                policy_file: None,
                is_strict: keys.strict_keys,
                warnings,
            });
        };
        let file = PolicyFile::read(path)?;
        let mut warnings = Vec::new();
        let policies = file.policies(flags, &mut warnings)?;
        Ok(Self {
            now,
            policies,
            sources: file.sources(),
            policy_file: Some(path.clone()),
            is_strict: keys.strict_keys || file.is_strict(),
            warnings,
        })
    }

    /// The instant of the run.
    pub(crate) const fn now(&self) -> UnixTime {
        self.now
    }

    /// Whether no key was given.
    pub(crate) fn has_no_key(&self) -> bool {
        let is_empty = |keys: &KeySet| keys.is_empty() && keys.unusable_keys().is_empty();
        self.policies.iter().all(|(_, keys)| is_empty(keys))
    }

    /// A validator, and warnings about its keys; or an error where no key can verify anything.
    pub(crate) fn validator(self) -> Result<(Validator, Vec<String>)> {
        unusable_keys::refuse_if_useless(&self.policies)?;
        self.validator_of_any()
    }

    /// A validator by the policy of this number alone, and its keys. Others may be there to verify.
    pub(crate) fn validator_of(mut self, number: usize) -> Result<Validator> {
        if number < self.policies.len() {
            self.policies = vec![self.policies.swap_remove(number)];
        }
        self.validator_of_any().map(|(validator, _)| validator)
    }

    fn validator_of_any(mut self) -> Result<(Validator, Vec<String>)> {
        let validator = Validator::with_issuers(self.policies)?;
        unusable_keys::warn(validator.keys(), &mut self.warnings);
        let findings = |key: &Key| validator.key_findings(key, self.now);
        refuse_or_warn(
            validator.keys(),
            findings,
            self.is_strict,
            &mut self.warnings,
        )?;
        Ok((validator, self.warnings))
    }

    /// The files that are read for it.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let of = |keys: &KeyFlags| {
            let secrets = keys.secret_file.iter();
            let secrets: Vec<PathBuf> = secrets.map(|secret| (&secret.place).into()).collect();
            [&keys.jwks[..], &keys.key, &keys.anchor, &secrets].concat()
        };
        let files = self.sources.iter().flat_map(of);
        files.chain(self.policy_file.clone()).collect()
    }

    /// The policy file that says the same.
    pub(crate) fn print(self) -> Result<String> {
        let (sources, is_strict) = (self.sources.clone(), self.is_strict);
        let (validator, _) = self.validator()?;
        policy_file::effective(&validator, &sources, is_strict)
    }
}

/// The keys that the flags name, and warnings about them. Certificates are judged at `now`.
pub(crate) fn keys(flags: &KeyFlags, now: UnixTime) -> Result<(KeySet, Vec<String>)> {
    let (mut keys, mut warnings) = (KeySet::new(), Vec::new());
    add_keys(&mut keys, &mut warnings, flags)?;
    let findings = |key: &Key| keys.findings(key, now);
    refuse_or_warn(&keys, findings, flags.strict_keys, &mut warnings)?;
    Ok((keys, warnings))
}

/// The kernel of the flag, else of the environment, else the fastest.
pub(crate) fn kernel(flag: Option<Kernel>) -> Result<Kernel> {
    match (flag, std::env::var("JOTMILL_KERNEL")) {
        (Some(kernel), _) => Ok(kernel),
        (None, Ok(name)) if !name.is_empty() => {
            flags::kernel(&name).map_err(|known| anyhow!("$JOTMILL_KERNEL names {name:?}; {known}"))
        }
        _ => Ok(Kernel::best()),
    }
}
