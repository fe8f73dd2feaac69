//! The oracle against hostile lines: it judges all of them, and they reach all of it.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use crate::hostile;
use crate::oracle::{CODES, Judgement, Policy, Rules, Wanted, judge, keys_from_jwks};

const SEED: u64 = 0x6a6f_746d_696c_6c21;
const CASES: usize = 200_000;

/// Expects all that a good line has, and forbids HS384 and long lines so that those codes occur.
fn strict() -> Policy {
    Policy {
        now: (hostile::NOW, hostile::NOW_NANOS),
        leeway: hostile::LEEWAY,
        max_age: Some(hostile::MAX_AGE),
        max_lifetime: Some(hostile::MAX_LIFETIME),
        issuers: vec![hostile::ISSUER.to_owned()],
        audiences: vec![hostile::AUDIENCE.to_owned()],
        subjects: vec![hostile::SUBJECT.to_owned()],
        require: hostile::REQUIRE.map(str::to_owned).to_vec(),
        typ: vec![hostile::TYP.to_owned()],
        algs: Some(vec!["HS256".to_owned(), "HS512".to_owned()]),
        max_token_bytes: 16 << 10,
        max_key_tries: hostile::MAX_KEY_TRIES,
        rules: Rules {
            claims: vec![("sub".to_owned(), Wanted::Text(hostile::SUBJECT.to_owned()))],
            ..Rules::default()
        },
    }
}

/// The shares of what the lines come to, in per cent.
#[derive(Debug, Default)]
struct Shares {
    blank: f64,
    valid: f64,
    /// The signature held.
    verified: f64,
    codes: BTreeMap<&'static str, f64>,
}

#[test]
fn hostile_lines_reach_every_code_and_most_are_signed() {
    let (policy, keys) = (strict(), keys_from_jwks(&hostile::keys()));
    let mut shares = Shares::default();
    let one = 100.0 / CASES as f64;
    for line in hostile::cases(SEED).take(CASES) {
        let Some(judgement) = judge(&line, &policy, &keys) else {
            shares.blank += one;
            continue;
        };
        check_shape(&judgement);
        if judgement.codes.is_empty() {
            shares.valid += one;
        }
        if judgement.key.is_some() {
            shares.verified += one;
        }
        for code in judgement.codes {
            *shares.codes.entry(code).or_default() += one;
        }
    }
    println!("{shares:#.2?}");
    for code in CODES {
        // Only a policy file has issuers to choose from.
        let expected = code != "issuer-unknown";
        assert_eq!(shares.codes.contains_key(code), expected, "{code}");
    }
    assert!(shares.blank > 0.1 && shares.blank < 2.0, "{}", shares.blank);
    assert!(shares.verified > 50.0, "{}", shares.verified);
    assert!(shares.valid > 25.0, "{}", shares.valid);
}

/// What holds for any judgement: one code, or claim codes in table order, and a key only where
/// the signature held.
fn check_shape(judgement: &Judgement) {
    let place = |code: &str| {
        CODES
            .iter()
            .position(|&known| known == code)
            .expect("a known code")
    };
    let places: Vec<usize> = judgement.codes.iter().map(|code| place(code)).collect();
    assert!(places.is_sorted_by(|a, b| a < b), "{judgement:?}");
    assert!(
        places.len() <= 1 || places[0] >= place("exp-type"),
        "{judgement:?}"
    );
    let verified = places
        .first()
        .is_none_or(|&first| first >= place("payload-base64url"));
    assert_eq!(judgement.key.is_some(), verified, "{judgement:?}");
    assert_eq!(
        judgement.missing.is_empty(),
        !judgement.codes.contains(&"missing-claim")
    );
}

#[test]
fn hostile_lines_are_the_same_for_a_seed_and_hold_no_lf() {
    let hash = |seed| {
        let mut hasher = DefaultHasher::new();
        for line in hostile::cases(seed).take(20_000) {
            assert!(!line.contains(&b'\n'));
            line.hash(&mut hasher);
        }
        hasher.finish()
    };
    assert_eq!(hash(1), hash(1));
    assert_ne!(hash(1), hash(2));
}

#[test]
fn hostile_lines_are_short_with_a_few_long_ones() {
    let lengths: Vec<usize> = hostile::cases(SEED)
        .take(CASES)
        .map(|line| line.len())
        .collect();
    let mean = lengths.iter().sum::<usize>() / CASES;
    let longest = lengths.iter().max().copied().unwrap_or_default();
    println!("mean {mean}, longest {longest}");
    assert!((200..800).contains(&mean), "{mean}");
    assert!(longest > 50_000, "{longest}");
}
