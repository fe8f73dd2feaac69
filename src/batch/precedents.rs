//! Precedents: what a policy finds of tokens at any instant, by what it decides that on.
//!
//! Where no rows are written, nothing is told of most tokens but counts. And what a policy finds of
//! their claims hangs on little: the layout of the payload, which says which members there are and
//! of what type, the issuer and the audience. A token that agrees in these with one that was judged
//! in full is judged like it, but for its dates, and is of the same kind; no other claim of it is
//! read.

use super::kinds::KindNumber;
use crate::policy::Policy;
use crate::signature::Algorithm;
use crate::token::{Gist, LayoutId};
use crate::verdict::{FindingSet, ReasonSet};

/// How many there are at most; a power of two.
const MOST: usize = 64;
/// The longest issuer and audience of a token that makes one, in bytes together.
const LONGEST: usize = 512;
/// A token that finds another precedent in the place of its own leaves it there so many times:
/// where issuers take turns, setting precedents would cost more than they save.
const PATIENCE: u8 = 16;

/// The precedents of one worker.
pub(super) struct Precedents<'v>([Option<Precedent<'v>>; MOST]);

/// What tokens are told apart by.
#[derive(Clone, Copy)]
pub(super) struct Case<'v, 's> {
    pub(super) policy: &'v Policy,
    pub(super) algorithm: Algorithm,
    /// Those of the header and of the signature.
    pub(super) findings: FindingSet,
    pub(super) gist: Gist<'s>,
}

/// What was found of a case, the dates apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ruling {
    pub(super) reasons: ReasonSet,
    pub(super) kind: KindNumber,
}

struct Precedent<'v> {
    policy: &'v Policy,
    algorithm: Algorithm,
    findings: FindingSet,
    layout: LayoutId,
    /// The issuer, and the audience behind it.
    names: Vec<u8>,
    iss_len: usize,
    ruling: Ruling,
    patience: u8,
}

impl<'v> Precedents<'v> {
    pub(super) const fn new() -> Self {
        Self([const { None }; MOST])
    }

    /// What was found of a token like this one.
    #[inline]
    pub(super) fn find(&self, case: &Case<'v, '_>) -> Option<Ruling> {
        let precedent = self.0[case.place()].as_ref()?;
        precedent.is_of(case).then_some(precedent.ruling)
    }

    /// Takes note of what was found of a token of which there is no precedent.
    pub(super) fn set(&mut self, case: &Case<'v, '_>, ruling: Ruling) {
        let gist = &case.gist;
        if !case.policy.is_of_issuer_and_audience() || gist.iss.len() + gist.aud.len() > LONGEST {
            return;
        }
        let place = &mut self.0[case.place()];
        let mut names = match place {
            None => Vec::new(),
            Some(other) if other.patience > 0 => {
                other.patience -= 1;
                return;
            }
            Some(other) => std::mem::take(&mut other.names),
        };
        names.clear();
        names.extend_from_slice(gist.iss);
        names.extend_from_slice(gist.aud);
        *place = Some(Precedent {
            policy: case.policy,
            algorithm: case.algorithm,
            findings: case.findings,
            layout: gist.layout,
            names,
            iss_len: gist.iss.len(),
            ruling,
            patience: PATIENCE,
        });
    }
}

impl Case<'_, '_> {
    fn place(&self) -> usize {
        let LayoutId(layout) = self.gist.layout;
        (layout as usize + 7 * self.algorithm as usize) % MOST
    }
}

impl<'v> Precedent<'v> {
    #[inline]
    fn is_of(&self, case: &Case<'v, '_>) -> bool {
        let (iss, aud) = self.names.split_at(self.iss_len);
        std::ptr::eq(self.policy, case.policy)
            && self.algorithm == case.algorithm
            && self.findings == case.findings
            && self.layout == case.gist.layout
            && *iss == *case.gist.iss
            && *aud == *case.gist.aud
    }
}
