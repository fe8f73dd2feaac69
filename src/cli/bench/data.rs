//! The tokens to measure with: generated from a seed, or the user's own.

use std::collections::HashSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};

use anyhow::{Context, Result, bail};
use jotmill::{Counts, Input, KeySet, Policy, UnixTime, Validator};
use jotmill_datasets::{Algorithm, Dataset, Spec};

use super::figures::Source;
use crate::cli::args;
use crate::cli::flags::{BenchFlags, PolicyFlags};

/// A data set that is not loaded yet, so that only one at a time is in memory.
pub(super) enum Plan<'f> {
    /// Generated.
    Made(Box<Spec>),
    /// The user's own.
    Own(&'f BenchFlags),
}

/// Tokens in memory, so that no figure includes the disk.
pub(super) struct Data {
    pub(super) name: String,
    pub(super) source: Source,
    /// One token per line.
    pub(super) text: Vec<u8>,
    pub(super) validator: Validator,
    /// The instant at which the tokens are validated.
    pub(super) now: UnixTime,
    /// The number of distinct tokens.
    pub(super) distinct: u64,
    /// The expected counts, if known.
    pub(super) expected: Option<Counts>,
}

impl Data {
    /// The text as an input in memory: the time to read a disk or a pipe says nothing about an
    /// algorithm or a kernel.
    pub(super) fn input(&self) -> Input<'_> {
        Input::Bytes {
            name: self.name.clone(),
            bytes: &self.text,
        }
    }
}

/// The data sets that the flags name.
pub(super) fn plans(flags: &BenchFlags) -> Result<Vec<Plan<'_>>> {
    if !flags.paths.is_empty() {
        let (_, warnings) = args::Rules::new(&flags.policy, &flags.keys)?.validator()?;
        if !flags.quiet {
            warnings
                .iter()
                .for_each(|warning| message!("warning: {warning}"));
        }
        return Ok(vec![Plan::Own(flags)]);
    }
    let only_alg = PolicyFlags {
        alg: flags.policy.alg.clone(),
        ..PolicyFlags::default()
    };
    let keys = &flags.keys;
    let has_keys = !(keys.jwks.is_empty() && keys.key.is_empty() && keys.secret_file.is_empty());
    let has_keys = has_keys || !(keys.secret_env.is_empty() && keys.anchor.is_empty());
    if has_keys || flags.policy != only_alg {
        bail!("keys and a policy are for tokens of your own; give their files");
    }
    let algorithms: Vec<Algorithm> = match &flags.policy.alg[..] {
        [] => Algorithm::HMAC.to_vec(),
        some => {
            let made = some.iter().map(|algorithm| algorithm.name().parse());
            made.collect::<Result<_, _>>()?
        }
    };
    let made = &flags.made;
    let plan = |algorithm| {
        let spec = Spec {
            count: made.count,
            seed: made.seed,
            algorithms: vec![algorithm],
            keys: made.keys,
            defects: Spec::parse_defects(&made.defects)?,
            keys_without_id: made.keys_without_id,
            shape: made.shape,
            repeat: made.repeat,
            ..Spec::default()
        };
        Ok(Plan::Made(Box::new(spec)))
    };
    algorithms.into_iter().map(plan).collect()
}

impl Plan<'_> {
    /// Generates or reads it.
    pub(super) fn data(&self) -> Result<Data> {
        match self {
            Self::Made(spec) => made(spec),
            Self::Own(flags) => own(flags),
        }
    }
}

fn made(spec: &Spec) -> Result<Data> {
    let name = spec.algorithms[0].name().to_owned();
    let source = Source::Made {
        seed: spec.seed,
        shape: spec.shape.to_string(),
        keys: spec.keys,
        keys_without_id: spec.keys_without_id,
        repeat: spec.repeat,
    };
    let dataset = Dataset::new(spec.clone())?;
    let mut text = Vec::new();
    let summary = dataset.write(&mut text, None, |_| ())?;
    text.shrink_to_fit();
    let mut keys = KeySet::new();
    keys.add_key(dataset.jwks().as_bytes(), "the data set's keys")?;
    Ok(Data {
        name,
        source,
        text,
        validator: Validator::new(policy(&dataset)?, keys)?,
        now: now(&dataset)?,
        distinct: summary.distinct,
        expected: Some(Counts {
            valid: summary.valid,
            rejected: summary.lines - summary.valid,
        }),
    })
}

/// The instant for which the ground truth of a generated data set holds.
fn now(dataset: &Dataset) -> Result<UnixTime> {
    let now = u64::try_from(dataset.audit_flags().now).ok();
    now.and_then(|now| UnixTime::new(now, 0))
        .context("the data set's time is out of range")
}

/// The policy for which the ground truth of a generated data set holds.
fn policy(dataset: &Dataset) -> Result<Policy> {
    let flags = dataset.audit_flags();
    let mut policy = Policy::new().leeway(flags.leeway.into())?;
    for issuer in &flags.issuers {
        policy = policy.issuer(*issuer);
    }
    for audience in &flags.audiences {
        policy = policy.audience(*audience);
    }
    for subject in &flags.subjects {
        policy = policy.subject(*subject);
    }
    for name in &flags.require {
        policy = policy.require(name)?;
    }
    for (name, value) in &flags.claims {
        policy = policy.claim(name, *value)?;
    }
    if let Some(typ) = flags.typ {
        policy = policy.typ(typ);
    }
    if !flags.algorithms.is_empty() {
        let known = flags.algorithms.iter();
        let known = known.filter_map(|alg| jotmill::Algorithm::from_name(alg.name()));
        policy = policy.algorithms(known.collect());
    }
    if let Some(seconds) = flags.max_age {
        policy = policy.max_age(seconds.into())?;
    }
    if let Some(seconds) = flags.max_lifetime {
        policy = policy.max_lifetime(seconds.into())?;
    }
    if let Some(bytes) = flags.max_token_bytes {
        policy = policy.max_token_bytes(usize::try_from(bytes)?)?;
    }
    if let Some(keys) = flags.max_key_tries {
        policy = policy.max_key_tries(usize::try_from(keys)?)?;
    }
    Ok(policy)
}

fn own(flags: &BenchFlags) -> Result<Data> {
    let rules = args::Rules::new(&flags.policy, &flags.keys)?;
    let now = rules.now();
    let (validator, _) = rules.validator()?;
    let paths = &flags.paths;
    let mut text = Vec::new();
    for path in paths {
        let bytes =
            fs::read(path).with_context(|| format!("cannot read the tokens {}", path.display()))?;
        text.extend_from_slice(&bytes);
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
    }
    text.shrink_to_fit();
    let distinct = {
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let tokens = lines.filter(|line| !line.is_empty());
        tokens.map(hash).collect::<HashSet<u64>>().len() as u64
    };
    Ok(Data {
        name: paths[0].display().to_string(),
        source: Source::Own {
            files: paths.iter().map(|p| p.display().to_string()).collect(),
        },
        text,
        validator,
        now,
        distinct,
        expected: None,
    })
}

/// A collision only makes the count of distinct tokens slightly too low.
fn hash(line: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.hash(&mut hasher);
    hasher.finish()
}
