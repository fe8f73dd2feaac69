//! What was typed, and what it means: flags become a policy and a key set.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::{Context, Result};
use jotmill::{Encoding, Kernel, KeyError, KeySet, Policy, UnixTime};
use zeroize::Zeroizing;

use super::flags::{KeyFlags, PolicyFlags, Secret};

/// Key files beyond this are not read: no key set needs as much.
const MAX_KEY_FILE: u64 = 64 << 20;

/// The policy that the flags describe. Without `--now` the clock is read, here and only here.
pub(crate) fn policy(flags: &PolicyFlags) -> Result<Policy> {
    let now = flags.now.map_or_else(UnixTime::now, Ok)?;
    let mut policy = Policy::new(now);
    for issuer in &flags.issuer {
        policy = policy.issuer(issuer);
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
    if let Some(typ) = &flags.typ {
        policy = policy.typ(typ);
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
    Ok(policy)
}

/// The keys that the flags name, and what is to be said about them. Secrets of files come first,
/// then those of variables, then key sets, each in the order given.
pub(crate) fn keys(flags: &KeyFlags) -> Result<(KeySet, Vec<String>)> {
    let mut keys = KeySet::new();
    let mut warnings = Vec::new();
    for secret in &flags.secret_file {
        let origin = secret.place.to_string_lossy().into_owned();
        let text = read(Path::new(&secret.place), "secret")?;
        add_secret(&mut keys, &mut warnings, secret, &text, &origin)?;
    }
    for secret in &flags.secret_env {
        let origin = format!("${}", secret.place.to_string_lossy());
        let value = std::env::var_os(&secret.place).with_context(|| {
            format!("{origin} is not set; --secret-env takes a variable's name")
        })?;
        let text = Zeroizing::new(value.into_encoded_bytes());
        add_secret(&mut keys, &mut warnings, secret, &text, &origin)?;
    }
    for path in &flags.jwks {
        let text = read(path, "key set")?;
        keys.add_jwks(&text, &path.display().to_string())?;
    }
    Ok((keys, warnings))
}

/// The kernel of the flag, else of the environment, else the fastest.
pub(crate) fn kernel(flag: Option<Kernel>) -> Result<Kernel> {
    match (flag, std::env::var("JOTMILL_KERNEL")) {
        (Some(kernel), _) => Ok(kernel),
        (None, Ok(name)) if !name.is_empty() => super::flags::kernel(&name)
            .map_err(|known| anyhow::anyhow!("$JOTMILL_KERNEL names {name:?}; {known}")),
        _ => Ok(Kernel::best()),
    }
}

fn add_secret(
    keys: &mut KeySet,
    warnings: &mut Vec<String>,
    secret: &Secret,
    text: &[u8],
    origin: &str,
) -> Result<(), KeyError> {
    keys.add_encoded_secret(text, secret.encoding, origin)?;
    if secret.encoding == Encoding::Raw && text.ends_with(b"\n") {
        warnings.push(format!(
            "{origin}: the secret ends with a newline, which is part of it; write it without one \
             (printf '%s') if signatures do not hold"
        ));
    }
    Ok(())
}

fn read(path: &Path, what: &str) -> Result<Zeroizing<Vec<u8>>> {
    use io::Read;
    let read = || {
        let mut text = Zeroizing::new(Vec::new());
        fs::File::open(path)?
            .take(MAX_KEY_FILE + 1)
            .read_to_end(&mut text)?;
        if text.len() as u64 > MAX_KEY_FILE {
            return Err(io::Error::other("larger than 64 MiB, which no key file is"));
        }
        Ok(text)
    };
    read().with_context(|| format!("cannot read the {what} {}", path.display()))
}
