//! The stages of one token, in the order of the RFCs: split, header, keys, signature, claims, dates.
//!
//! Owns what passes between them. `batch` calls the same ones, each for many tokens.

use std::sync::Arc;

use super::{Scratch, Validator};
use crate::anchor::Leaf;
use crate::key::{Key, Selection};
use crate::policy::Policy;
use crate::signature::{self, Authentic, Proof};
use crate::time::UnixTime;
use crate::token::{Claims, Header, JsonScratch, Token, spelling};
use crate::verdict::{Finding, FindingSet, Reason, ReasonSet, Verdict};

/// A token whose signature is valid.
pub(crate) struct Authenticated<'t> {
    pub(crate) authentic: Authentic<'t>,
    /// Where its key came from, if that is the token.
    pub(crate) leaf: Option<Arc<Leaf>>,
}

/// What a header decides before the rest of the token is read.
#[derive(Clone, Copy)]
pub(crate) enum Choice {
    /// The same for every issuer.
    Made(Result<Selection, Reason>),
    /// The policy of the issuer decides; if it has none, this is the reason.
    OfIssuer(Reason),
}

/// The verdict on a token, and the parts of it that may be shown.
///
/// `alg` and `kid` come from the header, verified or not; claims are present only if the signature
/// was verified.
pub(crate) struct Judged<'s> {
    pub(crate) verdict: Verdict,
    pub(crate) alg: Option<&'s str>,
    pub(crate) kid: Option<&'s str>,
    pub(crate) claims: Option<&'s Claims<'s>>,
}

impl<'s> Judged<'s> {
    /// Rejected before anything was parsed.
    pub(crate) const fn rejected(reason: Reason) -> Self {
        Self {
            verdict: Verdict::rejected(reason),
            alg: None,
            kid: None,
            claims: None,
        }
    }

    /// With the header parsed, before the signature is verified.
    pub(crate) const fn unsigned(
        alg: Option<&'s str>,
        kid: Option<&'s str>,
        findings: FindingSet,
    ) -> Self {
        let verdict = Verdict {
            reasons: ReasonSet::EMPTY,
            findings,
            key: None,
        };
        Self {
            verdict,
            alg,
            kid,
            claims: None,
        }
    }

    pub(crate) const fn with(mut self, reason: Reason) -> Self {
        self.verdict.reasons.insert(reason);
        self
    }
}

impl Validator {
    /// Validates one token, stage by stage.
    pub(super) fn judge<'s>(
        &self,
        token: &[u8],
        now: UnixTime,
        scratch: &'s mut Scratch,
        claims: &'s mut Claims<'s>,
    ) -> Judged<'s> {
        if token.len() > self.policy().token_limit() {
            return Judged::rejected(Reason::TooLong);
        }
        let mut judged = self.judge_text(token, now, scratch, claims);
        self.judge_spelling(&mut judged, token);
        self.judge_chain(&mut judged, token, now);
        judged
    }

    /// Validates a token of a length that is allowed.
    fn judge_text<'s>(
        &self,
        token: &[u8],
        now: UnixTime,
        scratch: &'s mut Scratch,
        claims: &'s mut Claims<'s>,
    ) -> Judged<'s> {
        let token = match self.split(token) {
            Ok(token) => token,
            Err(reason) => return Judged::rejected(reason),
        };
        let header = match Header::read(token.header(), &mut scratch.header) {
            Ok(header) => header,
            Err(reason) => return Judged::rejected(reason),
        };
        let authenticated = self.authenticate(token, &header, now, &mut scratch.payload);
        let judged = Judged::unsigned(header.alg.value(), header.kid.value(), header.findings);
        match authenticated {
            Ok(Authenticated { authentic, .. }) => {
                let policy = self.policy_of(Some(authentic.proof().key()));
                let payload = claims.read(authentic, policy.wanted(), &mut scratch.payload);
                let claims = payload.map(|()| &*claims);
                self.judge_claims(authentic.proof(), judged, claims, now)
            }
            Err(reason) => judged.with(reason),
        }
    }

    /// The stages from the header to the signature: chooses the policy and the keys, and verifies.
    /// Where no key of the set verified it, the token's own key does, if a chain leads to an anchor.
    pub(super) fn authenticate<'t>(
        &self,
        token: Token<'t>,
        header: &Header<'_>,
        now: UnixTime,
        scratch: &mut JsonScratch,
    ) -> Result<Authenticated<'t>, Reason> {
        let (realm, selection) = match self.choose(header) {
            Choice::Made(selection) => (0, selection),
            Choice::OfIssuer(otherwise) => {
                let realm = self.realm_for(token, scratch).ok_or(otherwise)?;
                (realm, self.select(realm, header))
            }
        };
        let by_keys = selection.and_then(|selection| {
            signature::verify(
                token.signing_input(),
                token.signature(),
                selection.algorithm(),
                self.keys.candidates(selection),
                |key| self.keys.verifying(key),
            )
        });
        match by_keys {
            Ok(authentic) => Ok(Authenticated {
                authentic,
                leaf: None,
            }),
            Err(reason) if self.may_be_anchored(header) && self.chains.has_anchor(realm) => {
                self.authenticate_by_chain(token, header, realm, reason, now, scratch)
            }
            Err(reason) => Err(reason),
        }
    }

    /// Decides what the header decides alone, for every issuer.
    ///
    /// `alg-not-allowed` and the header reasons after it depend on the policy: its allow-list and
    /// its expected `typ` may give an earlier reason. Without a policy for the issuer there is
    /// neither, but all other rules of the header still apply.
    pub(crate) fn choose(&self, header: &Header<'_>) -> Choice {
        if self.policies.len() == 1 {
            return Choice::Made(self.select(0, header));
        }
        match Policy::new().check_header(header) {
            Err(reason) if reason < Reason::AlgNotAllowed => Choice::Made(Err(reason)),
            Err(reason) => Choice::OfIssuer(reason),
            Ok(_) => Choice::OfIssuer(Reason::IssuerUnknown),
        }
    }

    /// The header and key stages under one policy: selects the candidate keys of a header.
    pub(crate) fn select(&self, realm: u32, header: &Header<'_>) -> Result<Selection, Reason> {
        let policy = &self.policies[realm as usize];
        let algorithm = policy.check_header(header)?;
        let kid = header.kid.value();
        self.keys.select(realm, kid, algorithm, policy)
    }

    /// The stages after the signature, given the claims or why they could not be read. The verified
    /// key determines the policy; the token has no influence on it.
    #[inline]
    pub(crate) fn judge_claims<'s>(
        &self,
        proof: Proof,
        judged: Judged<'s>,
        claims: Result<&'s Claims<'s>, Reason>,
        now: UnixTime,
    ) -> Judged<'s> {
        let mut judged = self.judge_time_invariant(proof, judged, claims);
        self.judge_at(&mut judged, now);
        judged
    }

    /// The time-invariant part of those stages.
    #[inline(always)]
    pub(crate) fn judge_time_invariant<'s>(
        &self,
        proof: Proof,
        mut judged: Judged<'s>,
        claims: Result<&'s Claims<'s>, Reason>,
    ) -> Judged<'s> {
        judged.verdict.key = Some(proof.key());
        judged.verdict.findings = judged.verdict.findings.union(proof.findings());
        if self.keys.get(proof.key()).is_some_and(Key::is_anchor) {
            // The finding says that the chain is not trusted.
            judged.verdict.findings = judged.verdict.findings.without(Finding::X5cHeader);
        }
        let policy = self.policy_of(judged.verdict.key);
        if policy.takes_kid_as_hint()
            && let Some(kid) = judged.kid
            && let Some(key) = self.keys.get(proof.key())
            && key.id() != Some(kid)
            && (key.id().is_some() || self.keys.has_id(self.keys.realm_of(proof.key()), kid))
        {
            judged.verdict.findings.insert(Finding::KidOfAnotherKey);
        }
        match claims {
            Ok(claims) => {
                judged.verdict.reasons = policy.check_time_invariant(claims);
                if claims.dates().is_any_in_milliseconds() {
                    judged.verdict.findings.insert(Finding::DateInMilliseconds);
                }
                judged.claims = Some(claims);
                judged
            }
            Err(reason) => judged.with(reason),
        }
    }

    /// Adds the findings of the text as a whole, where they explain something: a token with claims
    /// has none but its padding, and that only where the policy accepts it.
    #[inline(always)]
    pub(crate) fn judge_spelling(&self, judged: &mut Judged<'_>, text: &[u8]) {
        if judged.claims.is_none() || self.policy().accepts_padding() {
            let found = spelling::findings(text, judged.alg.is_some());
            judged.verdict.findings = judged.verdict.findings.union(found);
        }
    }

    /// Adds the reasons that apply at `now`.
    #[inline(always)]
    pub(crate) fn judge_at(&self, judged: &mut Judged<'_>, now: UnixTime) {
        if let Some(claims) = judged.claims {
            let policy = self.policy_of(judged.verdict.key);
            let reasons = policy.check_at(&claims.dates(), now);
            judged.verdict.reasons = judged.verdict.reasons.union(reasons);
        }
    }
}
