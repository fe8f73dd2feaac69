//! Precedents: what a policy finds of tokens at any instant, by what it decides that on.
//!
//! Where no rows are written, nothing is told of most tokens but counts. And what a policy finds of
//! their claims hangs on little: the layout of the payload, which says which members there are and
//! of what type, the issuer and the audience. A token that agrees in these, in its policy, algorithm
//! and findings with one that was judged in full is of the same kind, and the same reasons apply to
//! it at any instant. Its dates are judged by themselves, and no other claim of it is read.

use super::SPREADING;
use super::kinds::{KindNumber, Known};
use crate::policy::Policy;
use crate::signature::Algorithm;
use crate::token::{Gist, LayoutId};
use crate::verdict::{FindingSet, ReasonSet};

/// How many there are at most; a power of two.
const MOST: usize = 64;
/// The longest issuer and audience of a token that makes one, in bytes together.
const LONGEST: usize = 512;
/// A token that finds another precedent in the place of its own leaves it there so many times:
/// where issuers take turns, setting precedents would cost more than they save. So it is where there
/// are more kinds than are told apart.
const PATIENCE: u8 = 16;

/// The precedents of one worker.
pub(super) struct Precedents<'v> {
    places: [Option<Precedent<'v>>; MOST],
    /// The issuer of each, and the audience behind it, in [`LONGEST`] bytes; empty before the first.
    names: Vec<u8>,
    /// How many tokens make none, since one before them was of no kind.
    pause: u8,
}

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
    /// The lengths of its issuer and of its audience.
    iss: usize,
    aud: usize,
    ruling: Ruling,
    patience: u8,
}

impl<'v> Precedents<'v> {
    pub(super) const fn new() -> Self {
        Self {
            places: [const { None }; MOST],
            names: Vec::new(),
            pause: 0,
        }
    }

    /// What was found of a token like this one.
    #[inline]
    pub(super) fn find(&self, case: &Case<'v, '_>) -> Option<Ruling> {
        let place = case.place();
        let precedent = self.places[place].as_ref()?;
        let (iss, names) = self.names[place * LONGEST..].split_at(precedent.iss);
        let is_like = std::ptr::eq(precedent.policy, case.policy)
            && precedent.algorithm == case.algorithm
            && precedent.findings == case.findings
            && precedent.layout == case.gist.layout
            && *iss == *case.gist.iss
            && names[..precedent.aud] == *case.gist.aud;
        is_like.then_some(precedent.ruling)
    }

    /// Takes note of the reasons that were found of a token of which there is no precedent; its kind
    /// is asked for where it is to be one.
    pub(super) fn set(
        &mut self,
        case: &Case<'v, '_>,
        reasons: ReasonSet,
        kind: impl FnOnce() -> Option<KindNumber>,
    ) {
        let Gist { iss, aud, .. } = case.gist;
        if iss.len() + aud.len() > LONGEST {
            return;
        }
        if self.pause > 0 {
            self.pause -= 1;
            return;
        }
        let place = case.place();
        if let Some(other) = &mut self.places[place]
            && other.patience > 0
        {
            other.patience -= 1;
            return;
        }
        let Some(kind) = kind() else {
            // There are as many kinds as there may be, and all were looked through.
            self.pause = PATIENCE;
            return;
        };
        // At once, since a worker is not to ask for memory again and again.
        self.names.resize(MOST * LONGEST, 0);
        let names = &mut self.names[place * LONGEST..];
        names[..iss.len()].copy_from_slice(iss);
        names[iss.len()..][..aud.len()].copy_from_slice(aud);
        self.places[place] = Some(Precedent {
            policy: case.policy,
            algorithm: case.algorithm,
            findings: case.findings,
            layout: case.gist.layout,
            iss: iss.len(),
            aud: aud.len(),
            ruling: Ruling { reasons, kind },
            patience: PATIENCE,
        });
    }
}

impl Case<'_, '_> {
    /// What is known of a token that this key verified, where this is what was found of its like.
    #[inline]
    pub(super) const fn known(&self, Ruling { reasons, kind }: Ruling, key: u32) -> Known {
        Known {
            kind,
            reasons,
            key,
            dates: self.gist.dates,
        }
    }

    /// By whatever tells cases apart in a log of many issuers; two in one place take turns.
    #[inline]
    fn place(&self) -> usize {
        let Gist {
            layout, iss, aud, ..
        } = self.gist;
        let end = |name: &[u8]| name.last_chunk().map_or(0, |end| u64::from_le_bytes(*end));
        let LayoutId(layout) = layout;
        let mixed = end(iss) ^ end(aud).rotate_left(29) ^ layout ^ (self.algorithm as u64) << 32;
        (mixed.wrapping_mul(SPREADING) >> 32) as usize % MOST
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds::Kinds;
    use super::*;
    use crate::time::NumericDate;
    use crate::token::{Claims, Dates, Member};
    use crate::validator::Judged;
    use crate::verdict::{Finding, Reason};

    fn kind() -> KindNumber {
        let claims = Claims::none();
        let mut judged = Judged::unsigned(Some("HS256"), None, FindingSet::EMPTY);
        judged.claims = Some(&claims);
        Kinds::new().of(&judged).unwrap()
    }

    fn policy() -> Policy {
        Policy::new()
    }

    const NO_DATES: Dates = Dates {
        exp: Member::Absent,
        nbf: Member::Absent,
        iat: Member::Absent,
    };

    /// One for every combination of two or three of each thing that tells cases apart.
    fn cases(policies: &[Policy]) -> Vec<Case<'_, 'static>> {
        let mut weak = FindingSet::EMPTY;
        weak.insert(Finding::ALL[0]);
        let mut cases = Vec::new();
        for policy in policies {
            for algorithm in [Algorithm::Hs256, Algorithm::Es256] {
                for findings in [FindingSet::EMPTY, weak] {
                    for layout in 1..4 {
                        // Together they are the same.
                        for (iss, aud) in [("ab", "c"), ("a", "bc"), ("", "abc"), ("ab", "d")] {
                            let (iss, aud) = (iss.as_bytes(), aud.as_bytes());
                            cases.push(Case {
                                policy,
                                algorithm,
                                findings,
                                gist: Gist {
                                    layout: LayoutId(layout),
                                    iss,
                                    aud,
                                    dates: NO_DATES,
                                },
                            });
                        }
                    }
                }
            }
        }
        cases
    }

    #[test]
    fn only_what_is_alike_in_everything_has_a_precedent() {
        let policies = [policy(), policy()];
        let cases = cases(&policies);
        let ruling = |number: usize| Ruling {
            reasons: [Reason::ALL[number % Reason::ALL.len()]]
                .into_iter()
                .collect(),
            kind: kind(),
        };
        for (number, case) in cases.iter().enumerate() {
            let mut precedents = Precedents::new();
            precedents.set(case, ruling(number).reasons, || Some(kind()));
            for (other_number, other) in cases.iter().enumerate() {
                let expected = (number == other_number).then(|| ruling(number));
                assert_eq!(precedents.find(other), expected, "{number} {other_number}");
            }
            // Dates tell nothing apart.
            let mut later = *case;
            later.gist.dates.exp = Member::Is(NumericDate::Int(1));
            assert_eq!(precedents.find(&later), Some(ruling(number)));
        }
    }

    #[test]
    fn one_gives_way_to_another_that_comes_often() {
        let policies = [policy()];
        let cases = cases(&policies);
        let of = |iss: &[u8], aud: &[u8]| {
            let is_it = |it: &&Case<'_, '_>| it.gist.iss == iss && it.gist.aud == aud;
            *cases.iter().find(is_it).unwrap()
        };
        let (one, other) = (of(b"ab", b"c"), of(b"ab", b"d"));
        let [first, second] = [Reason::Expired, Reason::TooOld].map(|reason| Ruling {
            reasons: [reason].into_iter().collect(),
            kind: kind(),
        });
        let mut precedents = Precedents::new();
        precedents.set(&one, first.reasons, || Some(kind()));
        for _ in 0..PATIENCE {
            precedents.set(&other, second.reasons, || {
                unreachable!("nothing gives way yet")
            });
            assert_eq!(precedents.find(&one), Some(first));
        }
        precedents.set(&other, second.reasons, || None);
        for _ in 0..PATIENCE {
            precedents.set(&other, second.reasons, || unreachable!("kinds rest"));
            assert_eq!(precedents.find(&one), Some(first));
        }
        precedents.set(&other, second.reasons, || Some(kind()));
        assert_eq!(precedents.find(&one), None);
        assert_eq!(precedents.find(&other), Some(second));
    }

    #[test]
    fn names_that_are_long_make_none() {
        let ruling = Ruling {
            reasons: ReasonSet::EMPTY,
            kind: kind(),
        };
        let (plain, long) = ([policy()], "x".repeat(LONGEST));
        let mut case = cases(&plain)[0];
        for (len, expected) in [(LONGEST - 1, Some(ruling)), (LONGEST, None)] {
            let mut precedents = Precedents::new();
            (case.gist.iss, case.gist.aud) = (&long.as_bytes()[..len], b"y");
            precedents.set(&case, ruling.reasons, || Some(kind()));
            assert_eq!(precedents.find(&case), expected, "{len}");
        }
    }
}
