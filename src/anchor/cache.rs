//! A bounded cache of chains, by the digest of `x5c` and the realm of the anchors.
//!
//! A hit gives what validating again would give: a valid chain is taken only at an instant at which
//! all its certificates are valid, and a refusal only at the second for which it was given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{ChainError, Leaf};
use crate::time::UnixTime;

/// The most chains. An entry takes some kilobytes: a key, parsed, and a few texts.
pub(super) const MAX_CHAINS: usize = 1024;

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

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.lock().map_or(0, |chains| chains.len())
    }
}
