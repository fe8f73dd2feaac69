//! Several issuers: which policy a token is held against. It owns the choice alone; the verdict is
//! that of the policy chosen, as if there were no other.

use super::{Judgement, Key, Policy, Rules, as_string, decode, is_padded, judge, trim};
use super::{json, rules};

/// Judges one line by the policy that expects its issuer, with the keys of that policy. The key of
/// the judgement is counted through all of them.
pub fn judge_by_issuer(line: &[u8], policies: &[(Policy, Vec<Key>)]) -> Option<Judgement> {
    let accept_padding = policies[0].0.rules.accept_padding;
    let token = trim(line.strip_suffix(b"\r").unwrap_or(line));
    let issuer = issuer(token, accept_padding);
    let expects = |(policy, _): &(Policy, _)| {
        let templates = &policy.rules.issuers;
        issuer.as_ref().is_some_and(|iss| {
            let mut templates = templates.iter();
            policy.issuers.contains(iss) || templates.any(|own| rules::matches(own, iss, None))
        })
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
        rules: Rules {
            accept_padding,
            ..Rules::default()
        },
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
fn issuer(token: &[u8], accept_padding: bool) -> Option<String> {
    let segments: Vec<&[u8]> = token.split(|&byte| byte == b'.').collect();
    let padded = accept_padding && segments.len() == 3 && is_padded(&segments);
    let payload = json::object(&decode(segments.get(1)?, padded)?).ok()?;
    payload.get("iss").and_then(as_string)
}
