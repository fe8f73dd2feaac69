//! Keys that can verify nothing: an error where there is no other key, else one warning each.

use anyhow::{Result, bail};
use jotmill::{AlgorithmSet, Key, KeySet, Policy, UnusableKey};

use super::shown;

/// How many warnings there are at most.
const MANY: usize = 10;

/// An error if no key of a run can verify anything, which would reject every token. It says why for
/// the first key.
pub(super) fn refuse_if_useless(policies: &[(Policy, KeySet)]) -> Result<()> {
    let allowed = |policy: &Policy| policy.allowed_algorithms().unwrap_or(AlgorithmSet::ALL);
    let can_verify = |(policy, keys): &(Policy, KeySet)| {
        let algorithms = allowed(policy);
        let by_chain = algorithms.iter().any(|algorithm| !algorithm.is_hmac());
        let verifies = |key: &Key| match key.is_anchor() {
            true => by_chain,
            false => !key.algorithms().intersection(algorithms).is_empty(),
        };
        keys.iter().any(verifies)
    };
    if policies.iter().any(can_verify) {
        return Ok(());
    }
    let unusable = || policies.iter().flat_map(|(_, keys)| keys.unusable_keys());
    let not_allowed = policies.iter().find_map(|(policy, keys)| {
        let key = keys.iter().find(|key| key.ruled_out_by().is_none())?;
        let able = match key.is_anchor() {
            true => "chains of asymmetric keys".to_owned(),
            false => names(key.algorithms()),
        };
        Some((key, able, allowed(policy)))
    });
    let first = match (unusable().next(), not_allowed) {
        (Some(key), _) => described(key),
        (None, Some((key, able, algorithms))) => format!(
            "{} of {} is for {}, and --alg allows {} alone",
            shown(key.name()),
            key.origin(),
            able,
            names(algorithms),
        ),
        (None, None) => bail!("no key given; use --jwks, --key, --secret-file or --secret-env"),
    };
    let keys = policies.iter().map(|(_, keys)| keys.len()).sum::<usize>();
    let more = match keys.max(unusable().count()) {
        0 | 1 => String::new(),
        several => format!("; and no other of {several} keys can"),
    };
    bail!("no key can verify anything: {first}{more}")
}

/// One warning for each key that can verify nothing, beside others that can.
pub(super) fn warn(keys: &KeySet, warnings: &mut Vec<String>) {
    let unusable = keys.unusable_keys();
    let each = |key| format!("{}; it is not used", described(key));
    warnings.extend(unusable.iter().take(MANY).map(each));
    if unusable.len() > MANY {
        let more = unusable.len() - MANY;
        warnings.push(format!(
            "{more} more keys can verify nothing; they are not used"
        ));
    }
}

/// Which key it is, and what is wrong with it.
fn described(key: &UnusableKey) -> String {
    let kid = key.kid.as_deref().map(|kid| format!(" ({})", shown(kid)));
    format!(
        "{}{}: {}",
        key.place(),
        kid.unwrap_or_default(),
        key.problem()
    )
}

fn names(algorithms: AlgorithmSet) -> String {
    let names: Vec<&str> = algorithms
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    names.join(", ")
}
