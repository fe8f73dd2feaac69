//! Tokens that bring their key in a certificate chain.
//!
//! Owns when such a key is tried, and for which reason it is not. Whether a chain leads to an anchor is
//! left to `anchor`.

use super::{Authenticated, Judged, Scratch, Validator};
use crate::anchor::{Chain, ChainError};
use crate::signature::{self, Algorithm, Candidate, Candidates};
use crate::time::UnixTime;
use crate::token::{Header, JsonScratch, Token};
use crate::verdict::{Finding, Reason, Stage};

impl Validator {
    /// Verifies a token by the key of its chain. `reason` is why no key of the set verified it.
    pub(super) fn authenticate_by_chain<'t>(
        &self,
        token: Token<'t>,
        header: &Header<'_>,
        realm: u32,
        reason: Reason,
        now: UnixTime,
        scratch: &mut JsonScratch,
    ) -> Result<Authenticated<'t>, Reason> {
        let algorithm = self.policies[realm as usize].check_header(header)?;
        if !is_open(reason) || algorithm.is_hmac() {
            return Err(reason);
        }
        let leaf = match self.chains.leaf(token, realm, now, scratch) {
            Ok(leaf) if leaf.fits(algorithm) => leaf,
            Err(_) if reason == Reason::KeyNotFound => return Err(Reason::ChainInvalid),
            _ => return Err(reason),
        };
        let only = Some(Candidate {
            key: leaf.chain.anchor,
            states: None,
        });
        let candidates = Candidates {
            only,
            ..Candidates::default()
        };
        let authentic = signature::verify(
            token.signing_input(),
            token.signature(),
            algorithm,
            candidates,
            |_| &leaf.key,
        )?;
        Ok(Authenticated {
            authentic,
            leaf: Some(leaf),
        })
    }

    /// [`authenticate`](Self::authenticate) for a token of a batch whose header may bring its key.
    pub(crate) fn authenticate_alone<'t>(
        &self,
        token: Token<'t>,
        now: UnixTime,
    ) -> Result<Authenticated<'t>, Reason> {
        let mut scratch = Scratch::take();
        let header = Header::read(token.header(), &mut scratch.header);
        let authenticated =
            header.and_then(|header| self.authenticate(token, &header, now, &mut scratch.payload));
        scratch.put_back();
        authenticated
    }

    /// Whether a token with this header may bring a key along that an anchor vouches for, or a chain up
    /// to a certificate that is a key. What is found of it then depends on the instant.
    pub(crate) fn may_be_anchored(&self, header: &Header<'_>) -> bool {
        let is_any = !self.chains.is_empty() || !self.root_chains.is_empty();
        is_any && header.findings.contains(Finding::X5cHeader)
    }

    /// Adds the finding of a chain that leads to a certificate given as a key, to a token that no key
    /// verified. Only tokens that [may be anchored](Self::may_be_anchored) have it.
    #[inline(always)]
    pub(crate) fn judge_chain(&self, judged: &mut Judged<'_>, token: &[u8], now: UnixTime) {
        if judged.verdict.key.is_none()
            && !self.root_chains.is_empty()
            && judged.verdict.findings.contains(Finding::X5cHeader)
            && self.has_chain_to_root(judged, token, now)
        {
            (judged.verdict.findings).insert(Finding::X5cChainToGivenRoot);
        }
    }

    #[cold]
    fn has_chain_to_root(&self, judged: &Judged<'_>, token: &[u8], now: UnixTime) -> bool {
        let is_asymmetric = (judged.alg.and_then(Algorithm::from_name))
            .is_some_and(|algorithm| !algorithm.is_hmac());
        if !is_asymmetric || !judged.verdict.reasons.iter().all(is_open) {
            return false;
        }
        let Ok(token) = self.split(token) else {
            return false;
        };
        let mut scratch = Scratch::take();
        let realm = match self.policies.len() {
            1 => Some(0),
            _ => self.realm_for(token, &mut scratch.payload),
        };
        let leads_to_root = realm.is_some_and(|realm| {
            let chains = &self.root_chains;
            !self.chains.has_anchor(realm)
                && chains.leads_to_root(token, realm, now, &mut scratch.header)
        });
        scratch.put_back();
        leads_to_root
    }

    /// The chain of a token at an instant, or why it gives no key; `None` for a token without `x5c`,
    /// and where its policy has no anchor ([`KeySet::add_anchor`](crate::KeySet::add_anchor)). A chain
    /// is no proof that its key signed the token.
    #[must_use]
    pub fn chain_at(&self, token: &[u8], now: UnixTime) -> Option<Result<Chain, ChainError>> {
        let token = self.split(token).ok()?;
        let mut scratch = JsonScratch::new();
        let header = Header::read(token.header(), &mut scratch).ok()?;
        if !self.may_be_anchored(&header) {
            return None;
        }
        let realm = match self.policies.len() {
            1 => 0,
            _ => self.realm_for(token, &mut scratch)?,
        };
        if !self.chains.has_anchor(realm) {
            return None;
        }
        let leaf = self.chains.leaf(token, realm, now, &mut scratch);
        Some(leaf.map(|leaf| leaf.chain.clone()))
    }
}

/// Whether another key might still verify a token that was rejected for this reason.
const fn is_open(reason: Reason) -> bool {
    match reason.stage() {
        Stage::Key => true,
        Stage::Signature => !matches!(reason, Reason::SignatureBase64url),
        _ => false,
    }
}
