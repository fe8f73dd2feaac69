//! The effective policy as a file that [`PolicyFile::read`](super::PolicyFile::read) takes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use jotmill::{Encoding, Policy, Validator};
use toml::Spanned;

use super::document::{
    Alg, Claim, Count, Crit, Document, Iss, Issuer, MediaType, OneOrMore, Required, Scope, Seconds,
    Size, Text,
};
use crate::cli::flags::KeyFlags;

/// The policies of a validator as a file: with every value, also where it is the default, and with
/// absolute paths. `sources` says where the keys of each policy are.
pub(crate) fn effective(
    validator: &Validator,
    sources: &[KeyFlags],
    is_strict: bool,
) -> Result<String> {
    let policies = validator.policies().iter().zip(sources);
    let issuers = policies
        .map(|(policy, keys)| Ok(Spanned::new(0..0, issuer(policy, keys)?)))
        .collect::<Result<_>>()?;
    let document = Document {
        max_token_bytes: Some(Size(validator.policy().token_limit())),
        strict_keys: is_strict,
        accept_padding: validator.policy().accepts_padding(),
        issuer: issuers,
    };
    toml::to_string(&document).context("cannot write the policy")
}

/// A policy in full, and where its keys are.
fn issuer(policy: &Policy, keys: &KeyFlags) -> Result<Issuer> {
    let texts = |texts: &[String]| OneOrMore(texts.iter().cloned().map(Text).collect());
    let issuers = policy.issuer_names().map(|name| Iss(name.to_owned()));
    let placed = |list| Some(Spanned::new(0..0, list));
    let absolute = |path: &Path| {
        if path.as_os_str() == "-" {
            bail!("a policy cannot name standard input (-); give the key as a file");
        }
        let path = std::path::absolute(path)
            .with_context(|| format!("cannot determine the path of {}", path.display()))?;
        let text = path.to_str().map(str::to_owned);
        text.with_context(|| format!("{} is not UTF-8, as TOML has to be", path.display()))
    };
    let paths = |paths: &[PathBuf]| -> Result<_> {
        let texts = paths.iter().map(|path| Ok(Text(absolute(path)?)));
        Ok(OneOrMore(texts.collect::<Result<_>>()?))
    };
    let secret_files = keys.secret_file.iter().map(|secret| {
        let path = absolute(Path::new(&secret.place))?;
        Ok(Text(format!("{}{path}", prefix(secret.encoding))))
    });
    let variables = keys.secret_env.iter().map(|secret| {
        let name = secret.place.to_string_lossy();
        Text(format!("{}{name}", prefix(secret.encoding)))
    });
    let algorithms = policy.allowed_algorithms();
    let required = policy
        .required_names()
        .map(|name| Required(name.to_owned()));
    let claims = policy.expected_claims().into_iter().map(Claim);
    let scopes = policy.expected_scopes().map(|name| Scope(name.to_owned()));
    let typs = policy.expected_typs().iter().cloned().map(MediaType);
    let crit = policy
        .understood_crit()
        .iter()
        .map(|name| Crit(name.to_string()));
    Ok(Issuer {
        iss: Some(Spanned::new(0..0, OneOrMore(issuers.collect()))),
        jwks: placed(paths(&keys.jwks)?),
        key: placed(paths(&keys.key)?),
        anchor: placed(paths(&keys.anchor)?),
        anchor_name: placed(texts(&keys.anchor_name)),
        secret_file: placed(OneOrMore(secret_files.collect::<Result<_>>()?)),
        secret_env: placed(OneOrMore(variables.collect())),
        alg: algorithms.map(|set| OneOrMore(set.iter().map(Alg).collect())),
        audience: texts(policy.audiences()),
        subject: texts(policy.subjects()),
        require: OneOrMore(required.collect()),
        claim: OneOrMore(claims.collect()),
        scope: OneOrMore(scopes.collect()),
        typ: OneOrMore(typs.collect()),
        crit: OneOrMore(crit.collect()),
        leeway: Some(Seconds(policy.leeway_seconds())),
        max_age: policy.max_age_seconds().map(Seconds),
        max_lifetime: policy.max_lifetime_seconds().map(Seconds),
        max_key_tries: Some(Count(policy.key_limit())),
        kid_hint: policy.takes_kid_as_hint(),
    })
}

const fn prefix(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Raw => "raw:",
        Encoding::Base64 => "base64:",
        Encoding::Base64url => "base64url:",
        Encoding::Hex => "hex:",
    }
}
