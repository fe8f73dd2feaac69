//! Several issuers: which policy a token is held against. It owns the choice alone; the verdict is
//! that of the policy chosen, as if there were no other.

use super::json;
use super::{Judgement, Key, Policy, as_string, decode, judge, trim};

/// Judges one line by the policy that expects its issuer, with the keys of that policy. The key of
/// the judgement is counted through all of them.
pub fn judge_by_issuer(line: &[u8], policies: &[(Policy, Vec<Key>)]) -> Option<Judgement> {
    let issuer = issuer(trim(line.strip_suffix(b"\r").unwrap_or(line)));
    let expects = |(policy, _): &(Policy, _)| {
        issuer
            .as_ref()
            .is_some_and(|iss| policy.issuers.contains(iss))
    };
    if let Some(place) = policies.iter().position(expects) {
        let (policy, keys) = &policies[place];
        let mut judgement = judge(line, policy, keys)?;
        let before: usize = policies[..place].iter().map(|(_, keys)| keys.len()).sum();
        judgement.key = judgement.key.map(|key| before + key);
        return Some(judgement);
    }
    // No issuer's policy: the rules of every policy, and no keys.
    let nobodys = Policy {
        now: policies[0].0.now,
        max_token_bytes: policies[0].0.max_token_bytes,
        ..Policy::default()
    };
    let mut judgement = judge(line, &nobodys, &[])?;
    for code in &mut judgement.codes {
        if *code == "key-not-found" {
            *code = "issuer-unknown";
        }
    }
    Some(judgement)
}

/// The issuer that a payload names, if it is an object without flaw and `iss` a string in it.
fn issuer(token: &[u8]) -> Option<String> {
    let payload = token.split(|&byte| byte == b'.').nth(1)?;
    let payload = json::object(&decode(payload)?).ok()?;
    payload.get("iss").and_then(as_string)
}
