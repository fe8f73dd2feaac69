//! A bounded cache of chains, by the digest of `x5c` and the realm of the anchors.
//!
//! A hit gives what validating again would give: a valid chain is taken only at an instant at which
//! all its certificates are valid, and a refusal only at the second for which it was given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ChainError, Leaf};
use crate::time::UnixTime;

/// The most chains. An entry takes some kilobytes: a key, parsed, and a few texts.
const MAX_CHAINS: usize = 1024;

type Outcome = Result<Arc<Leaf>, ChainError>;

/// Shared by the threads of a run: a look-up takes the lock for much less time than the signature
/// that is verified after it.
#[derive(Default)]
pub(super) struct Cache(Mutex<HashMap<(u32, [u8; 32]), Entry>>);

struct Entry {
    outcome: Outcome,
    /// The second for which it was validated.
    at: u64,
}

impl Entry {
    fn holds(&self, at: UnixTime) -> bool {
        match &self.outcome {
            Ok(leaf) => {
                let validity = leaf.chain.validity;
                !validity.is_over(at) && !validity.is_ahead(at)
            }
            Err(_) => self.at == at.seconds(),
        }
    }
}

impl Cache {
    /// The outcome for a chain, which is validated on a miss. A full cache is cleared.
    pub(super) fn get(
        &self,
        realm: u32,
        digest: [u8; 32],
        at: UnixTime,
        validate: impl FnOnce() -> Result<Leaf, ChainError>,
    ) -> Outcome {
        let chains = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (realm, digest);
        if let Some(entry) = chains().get(&place)
            && entry.holds(at)
        {
            return entry.outcome.clone();
        }
        let outcome = validate().map(Arc::new);
        let mut chains = chains();
        if chains.len() >= MAX_CHAINS && !chains.contains_key(&place) {
            chains.clear();
        }
        let entry = Entry {
            outcome: outcome.clone(),
            at: at.seconds(),
        };
        chains.insert(place, entry);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anchor::Chain;
    use crate::key::Validity;
    use crate::signature::{AlgorithmSet, VerifyingKey};

    fn at(seconds: u64) -> UnixTime {
        UnixTime::new(seconds, 0).unwrap()
    }

    /// Looks up a chain, and returns whether it is valid and whether it was validated.
    fn look_up(cache: &Cache, number: u16, seconds: u64) -> (bool, bool) {
        let (mut digest, mut is_miss) = ([0; 32], false);
        digest[..2].copy_from_slice(&number.to_be_bytes());
        let validity = Validity {
            not_before: 10,
            not_after: 20,
        };
        let found = cache.get(0, digest, at(seconds), || {
            is_miss = true;
            let chain = Chain {
                anchor: 0,
                validity,
                purposes: Vec::new(),
            };
            let leaf = Leaf {
                key: VerifyingKey::mac(b"secret").unwrap(),
                algorithms: AlgorithmSet::EMPTY,
                chain,
            };
            (10..=20)
                .contains(&seconds)
                .then_some(leaf)
                .ok_or(ChainError::Order)
        });
        (found.is_ok(), is_miss)
    }

    #[test]
    fn a_hit_is_what_validating_again_would_give() {
        let cache = Cache::default();
        for (seconds, expected) in [
            (10, (true, true)),
            (20, (true, false)),
            (21, (false, true)),
            (21, (false, false)),
            (9, (false, true)),
            (20, (true, true)),
            (10, (true, false)),
        ] {
            assert_eq!(look_up(&cache, 0, seconds), expected, "{seconds}");
        }
    }

    #[test]
    fn the_cache_is_bounded() {
        let cache = Cache::default();
        let most = (0..3000).map(|number| {
            assert_eq!(look_up(&cache, number, 15), (true, true));
            cache.0.lock().unwrap().len()
        });
        assert_eq!(most.max(), Some(MAX_CHAINS));
    }
}
