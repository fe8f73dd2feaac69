//! Applying a policy: to a header, to claims at any instant, and to dates at one.

use std::cmp::Ordering;

use super::{Policy, RegisteredClaim};
use crate::signature::Algorithm;
use crate::time::UnixTime;
use crate::token::{Claims, Dates, Header, Member, Wanted};
use crate::verdict::{Reason, ReasonSet};

/// The reasons that depend on the instant: those of [`Policy::check_at`].
pub(crate) fn time_dependent() -> ReasonSet {
    let reasons = [
        Reason::Expired,
        Reason::NotYetValid,
        Reason::IssuedInFuture,
        Reason::TooOld,
    ];
    reasons.into_iter().collect()
}

impl Policy {
    /// Applies the rules of the header stage and returns the algorithm.
    pub(crate) fn check_header(&self, header: &Header<'_>) -> Result<Algorithm, Reason> {
        header.check(|algorithm| self.allows(algorithm), &self.typ, &self.crit)
    }

    /// What the policy needs from a payload besides the registered claims.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            audiences: &self.audiences,
            extra: &self.extra,
        }
    }

    /// Applies the time-invariant rules to the claims of an authentic token (RFC 7519 section 4),
    /// and returns every reason that applies.
    #[inline]
    pub(crate) fn check_time_invariant(&self, claims: &Claims<'_>) -> ReasonSet {
        let mut reasons = ReasonSet::EMPTY;
        let one_of = |expected: &[String], value: &str| {
            expected.is_empty() || expected.iter().any(|name| name == value)
        };
        let mut check = |claim, state: State, wrong_type, mismatch| match state {
            State::Absent if self.requires(claim) => reasons.insert(claim.missing()),
            State::WrongType => reasons.insert(wrong_type),
            State::Mismatch => reasons.insert(mismatch),
            State::Absent | State::Good => {}
        };
        for (claim, date, wrong_type) in [
            (RegisteredClaim::Exp, &claims.exp, Reason::ExpType),
            (RegisteredClaim::Nbf, &claims.nbf, Reason::NbfType),
            (RegisteredClaim::Iat, &claims.iat, Reason::IatType),
        ] {
            check(claim, State::of(date, |_| true), wrong_type, wrong_type);
        }
        check(
            RegisteredClaim::Iss,
            // Templates are compared below, by the rules that read the payload again.
            State::of(&claims.iss, |iss| {
                one_of(&self.issuers, iss) || !self.templates().is_empty()
            }),
            Reason::IssType,
            Reason::IssuerMismatch,
        );
        check(
            RegisteredClaim::Sub,
            State::of(&claims.sub, |sub| one_of(&self.subjects, sub)),
            Reason::SubType,
            Reason::SubjectMismatch,
        );
        check(
            RegisteredClaim::Aud,
            State::of(&claims.aud, |aud| {
                self.audiences.is_empty() || aud.is_expected(&self.audiences)
            }),
            Reason::AudType,
            Reason::AudienceMismatch,
        );
        let present = State::of(&claims.jti, |_| true);
        check(
            RegisteredClaim::Jti,
            present,
            Reason::JtiType,
            Reason::JtiType,
        );
        if let (Some(limit), Member::Is(exp), Member::Is(iat)) =
            (self.max_lifetime, &claims.exp, &claims.iat)
            && exp.is_later_by_more_than(limit, *iat)
        {
            reasons.insert(Reason::LifetimeTooLong);
        }
        if claims.extra.count_ones() as usize != self.extra.len() {
            reasons.insert(Reason::MissingClaim);
        }
        match &self.rules {
            Some(rules) => reasons.union(self.check_rules(rules, claims)),
            None => reasons,
        }
    }

    /// Applies the rules that depend on the instant, and returns every reason that applies at
    /// `now`.
    #[inline(always)]
    pub(crate) fn check_at(&self, dates: &Dates, now: UnixTime) -> ReasonSet {
        let mut reasons = ReasonSet::EMPTY;
        let now = now.point();
        let (earliest, latest) = (now.minus(self.leeway), now.plus(self.leeway));
        // RFC 7519 section 4.1.4 says "on or after".
        if let Member::Is(exp) = dates.exp
            && !exp.is_after(earliest)
        {
            reasons.insert(Reason::Expired);
        }
        if let Member::Is(nbf) = dates.nbf
            && nbf.is_after(latest)
        {
            reasons.insert(Reason::NotYetValid);
        }
        if let Member::Is(iat) = dates.iat {
            if iat.is_after(latest) {
                reasons.insert(Reason::IssuedInFuture);
            }
            if let Some(age) = self.max_age
                && iat.compare(earliest.minus(age)) == Ordering::Less
            {
                reasons.insert(Reason::TooOld);
            }
        }
        reasons
    }
}

/// The outcome of comparing a claim with its expected values.
enum State {
    Absent,
    WrongType,
    Mismatch,
    Good,
}

impl State {
    fn of<T>(claim: &Member<T>, is_expected: impl FnOnce(&T) -> bool) -> Self {
        match claim {
            Member::Absent => Self::Absent,
            Member::WrongType => Self::WrongType,
            Member::Is(value) if is_expected(value) => Self::Good,
            Member::Is(_) => Self::Mismatch,
        }
    }
}
