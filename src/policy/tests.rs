use super::*;
use crate::time::NumericDate;
use crate::time::UnixTime;
use crate::token::{Claims, Member};
use crate::verdict::ReasonSet;

const NOW: u64 = 1_790_000_000;

/// Applies all rules at an instant.
fn check(policy: &Policy, claims: &Claims<'_>, now: u64) -> ReasonSet {
    let now = UnixTime::new(now, 0).unwrap();
    let time_invariant = policy.check_time_invariant(claims);
    time_invariant.union(policy.check_at(&claims.dates(), now))
}

fn codes(policy: &Policy, claims: &Claims<'_>) -> Vec<&'static str> {
    check(policy, claims, NOW)
        .iter()
        .map(Reason::code)
        .collect()
}

#[test]
fn only_the_rules_that_compare_with_the_instant_depend_on_it() {
    let members = [
        Member::Absent,
        Member::WrongType,
        Member::Is(NumericDate::Int(1_789_999_980)),
        Member::Is(NumericDate::Int(1_790_000_020)),
        Member::Is(NumericDate::Float(1.5)),
    ];
    let policy = Policy::new().max_age(60).unwrap().max_lifetime(30).unwrap();
    let policy = policy.require("exp").unwrap().require("tenant").unwrap();
    let of_instant = [
        Reason::Expired,
        Reason::NotYetValid,
        Reason::IssuedInFuture,
        Reason::TooOld,
    ];
    let mut differ = 0;
    for exp in members {
        for nbf in members {
            for iat in members {
                let claims = Claims {
                    exp,
                    nbf,
                    iat,
                    ..Claims::default()
                };
                let is_of_instant = |reason: Reason| of_instant.contains(&reason);
                let time_invariant = policy.check_time_invariant(&claims);
                assert!(!time_invariant.iter().any(is_of_instant));
                let [now, later] = [NOW, NOW + 1000].map(|now| {
                    let now = UnixTime::new(now, 0).unwrap();
                    policy.check_at(&claims.dates(), now)
                });
                assert!(now.union(later).iter().all(is_of_instant));
                differ += u32::from(now != later);
            }
        }
    }
    assert!(differ > 30, "{differ}");
}

#[test]
fn a_token_is_expired_on_or_after_exp() {
    for (exp, expected) in [(0, &["expired"][..]), (10, &["expired"]), (11, &[])] {
        let claims = Claims {
            exp: Member::Is(NumericDate::Int(1_789_999_980 + exp)),
            ..Claims::default()
        };
        assert_eq!(
            codes(&Policy::new().leeway(10).unwrap(), &claims),
            expected,
            "{exp}"
        );
    }
}

#[test]
fn a_leeway_longer_than_now_does_not_wrap() {
    let claims = Claims {
        exp: Member::Is(NumericDate::Int(0)),
        ..Claims::default()
    };
    assert!(
        codes(
            &Policy::new().leeway(MAX_DURATION_SECONDS).unwrap(),
            &claims
        )
        .is_empty()
    );
    assert!(Policy::new().leeway(MAX_DURATION_SECONDS + 1).is_err());
}

#[test]
fn every_reason_that_applies_is_returned() {
    let claims = Claims {
        iss: Member::Is("x"),
        aud: Member::Is(crate::token::Audience::One("other")),
        exp: Member::Is(NumericDate::Int(1)),
        iat: Member::WrongType,
        ..Claims::default()
    };
    let policy = Policy::new()
        .issuer("a")
        .audience("b")
        .max_age(1)
        .unwrap()
        .require("z")
        .unwrap();
    assert_eq!(
        codes(&policy, &claims),
        [
            "iat-type",
            "expired",
            "issuer-mismatch",
            "audience-mismatch",
            "missing-claim"
        ]
    );
}

#[test]
fn an_expected_value_makes_its_claim_required() {
    let policy = Policy::new()
        .issuer("a")
        .subject("b")
        .audience("c")
        .max_lifetime(9)
        .unwrap();
    assert_eq!(
        codes(&policy, &Claims::default()),
        [
            "missing-iss",
            "missing-sub",
            "missing-aud",
            "missing-exp",
            "missing-iat"
        ]
    );
}
