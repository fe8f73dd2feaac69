//! Audits data sets and compares each line with its ground truth, by a generator that shares no
//! code with the validator.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jotmill::{
    Input, KeySet, Policy, RowOptions, RowSink, RunOptions, UnixTime, Validator, Watch, run,
};
use jotmill_datasets::{Algorithm, Dataset, Defect, Issuer, KeyForm, Share, Spec};
use serde_json::Value;

/// The instant at which the ground truth of a data set holds.
pub fn now(dataset: &Dataset) -> UnixTime {
    let seconds = u64::try_from(dataset.audit_flags().now).expect("after 1970");
    UnixTime::new(seconds, 0).expect("a time")
}

/// The policies and keys of the data set.
pub fn validator(dataset: &Dataset) -> Validator {
    match dataset.issuers() {
        [issuer] => {
            let (policy, keys) = policy(issuer);
            Validator::new(policy, keys)
        }
        issuers => Validator::with_issuers(issuers.iter().map(policy)),
    }
    .expect("a validator")
}

/// The policy and the keys of an issuer.
fn policy(issuer: &Issuer) -> (Policy, KeySet) {
    let flags = issuer.audit_flags();
    let mut policy = Policy::new().leeway(flags.leeway.into()).expect("a leeway");
    policy = flags
        .issuers
        .iter()
        .fold(policy, |policy, issuer| policy.issuer(*issuer));
    policy = flags
        .audiences
        .iter()
        .fold(policy, |policy, audience| policy.audience(*audience));
    policy = flags
        .subjects
        .iter()
        .fold(policy, |policy, subject| policy.subject(*subject));
    for name in &flags.require {
        policy = policy.require(name).expect("a claim");
    }
    for (name, value) in &flags.claims {
        policy = policy.claim(name, *value).expect("a claim");
    }
    if !flags.algorithms.is_empty() {
        let named = |alg: &Algorithm| jotmill::Algorithm::from_name(alg.name());
        policy = policy.algorithms(flags.algorithms.iter().filter_map(named).collect());
    }
    if let Some(typ) = flags.typ {
        policy = policy.typ(typ);
    }
    if let Some(seconds) = flags.max_age {
        policy = policy.max_age(seconds.into()).expect("an age");
    }
    if let Some(seconds) = flags.max_lifetime {
        policy = policy.max_lifetime(seconds.into()).expect("a lifetime");
    }
    if let Some(tries) = flags.max_key_tries {
        policy = policy.max_key_tries(tries as usize).expect("tries");
    }
    if let Some(bytes) = flags.max_token_bytes {
        policy = policy.max_token_bytes(bytes as usize).expect("bytes");
    }
    let mut keys = KeySet::new();
    keys.add_key(issuer.jwks().as_bytes(), "keys.json")
        .expect("usable keys");
    for file in issuer.key_files() {
        keys.add_key(&file.content, &file.name)
            .expect("a usable key");
    }
    (policy, keys)
}

/// Audits the data set and compares every row with its line of ground truth.
pub fn check(spec: Spec) {
    let dataset = Dataset::new(spec).expect("a data set");
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    let summary = dataset
        .write(&mut tokens, Some(&mut truth), |_| ())
        .expect("in memory");
    let validator = validator(&dataset);
    let (mut first_rows, mut first_report) = (None, None);
    for (threads, has_rows) in [(1, true), (2, true), (2, false)] {
        let mut rows = Vec::new();
        let input = Input::Reader {
            name: "tokens".to_owned(),
            reader: Box::new(&tokens[..]),
        };
        let sink = RowSink {
            out: &mut rows,
            options: RowOptions::default(),
        };
        let stop = AtomicBool::new(false);
        let watch = Watch {
            stop: &stop,
            progress: &mut |_| (),
        };
        let options = RunOptions::new(now(&dataset)).threads(threads);
        let sink = has_rows.then_some(sink);
        let mut finished = run(&validator, vec![input], &options, sink, watch);
        assert!(finished.report.complete);
        // Whether rows are written makes no difference to the report.
        finished.report.elapsed = Duration::ZERO;
        let mut report = Vec::new();
        finished.report.write_json(&mut report).expect("in memory");
        assert!(first_report.get_or_insert_with(|| report.clone()) == &report);
        assert_eq!(finished.report.tally.tokens.valid, summary.valid);
        assert_eq!(finished.report.tally.tokens.total(), summary.lines);
        assert!(!has_rows || first_rows.get_or_insert_with(|| rows.clone()) == &rows);
    }
    let rows = String::from_utf8(first_rows.unwrap_or_default()).expect("UTF-8");
    let truth = String::from_utf8(truth).expect("UTF-8");
    assert_eq!(rows.lines().count(), truth.lines().count());
    for (row, truth) in rows.lines().zip(truth.lines()) {
        let row_value: Value = serde_json::from_str(row).expect("a row is JSON");
        let expected: Value = serde_json::from_str(truth).expect("truth is JSON");
        for member in ["line", "verdict", "reasons"] {
            let found = row_value
                .get(member)
                .filter(|reasons| **reasons != Value::Array(vec![]));
            let wanted = expected
                .get(member)
                .filter(|reasons| **reasons != Value::Array(vec![]));
            assert_eq!(found, wanted, "{member}: {row} {truth}");
        }
        if let Some(key) = expected.get("key") {
            assert_eq!(row_value.get("key"), Some(key), "{row} {truth}");
        }
    }
}

#[test]
fn every_line_of_a_mix_of_every_defect_has_the_verdict_of_its_ground_truth() {
    let share = Share::from_millionths(15_000).expect("a share");
    let defects: Vec<_> = Defect::OF_ONE_ISSUER
        .iter()
        .map(|defect| (*defect, share))
        .collect();
    for seed in [1, 2] {
        check(Spec {
            count: 40_000,
            seed,
            algorithms: vec![Algorithm::Hs256, Algorithm::Hs512],
            keys: 20,
            defects: defects.clone(),
            ..Spec::default()
        });
    }
}

/// Every defect but these, each with the same share.
fn mix(left_out: &[Defect], each: u32) -> Vec<(Defect, Share)> {
    let share = Share::from_millionths(each).expect("a share");
    let defects = Defect::OF_ONE_ISSUER.iter().copied();
    let defects = defects.filter(|defect| !left_out.contains(defect));
    defects.map(|defect| (defect, share)).collect()
}

/// The algorithms for which `picks` holds.
fn algorithms(picks: impl Fn(Algorithm) -> bool) -> Vec<Algorithm> {
    let all = Algorithm::ALL.iter().copied();
    all.filter(|algorithm| picks(*algorithm)).collect()
}

/// Whether its keys are generated quickly.
fn is_quick(algorithm: Algorithm) -> bool {
    let name = algorithm.name();
    !algorithm.is_hmac() && !name.starts_with("RS") && !name.starts_with("PS")
}

/// Defects that need keys with ids. Keys in files of their own have none, and are tried for any
/// `kid`.
const NEEDS_IDS: [Defect; 2] = [Defect::KeyNotFound, Defect::TooManyKeys];

#[test]
fn every_algorithm_with_every_form_of_key_and_every_defect() {
    // Two keys an algorithm, so that those of RSA have every form once.
    check(Spec {
        count: 6_000,
        algorithms: Algorithm::ALL.to_vec(),
        keys: 38,
        key_forms: KeyForm::ALL.to_vec(),
        // No algorithm is left that could be off the allow-list.
        defects: mix(&[&NEEDS_IDS[..], &[Defect::AlgNotAllowed]].concat(), 14_000),
        edges: Share::from_percent(20),
        ..Spec::default()
    });
}

#[test]
fn every_type_of_key_that_is_quickly_made_in_every_form() {
    let algorithms = algorithms(is_quick);
    check(Spec {
        count: 4_000,
        seed: 2,
        // `EdDSA` changes its curve from round to round, and so needs twice the rounds.
        keys: 16 * u32::try_from(algorithms.len()).expect("a few"),
        algorithms,
        key_forms: KeyForm::ALL.to_vec(),
        defects: mix(&NEEDS_IDS, 14_000),
        leeway: 30,
        ..Spec::default()
    });
}

#[test]
fn every_type_of_key_in_the_forms_that_other_tools_leave() {
    let algorithms = algorithms(is_quick);
    check(Spec {
        count: 4_000,
        seed: 3,
        keys: 14 * u32::try_from(algorithms.len()).expect("a few"),
        algorithms,
        key_forms: KeyForm::WRAPPED.to_vec(),
        defects: mix(&NEEDS_IDS, 14_000),
        keys_without_id: 5,
        ..Spec::default()
    });
}

#[test]
fn the_form_of_a_key_changes_no_token_and_no_verdict() {
    use KeyForm::{
        Certificate, Jwk, JwkArray, JwkById, PemById, Spki, SpkiBase64, SpkiEscaped, SpkiUtf16,
        SpkiVariable,
    };
    for (plain, wrapped) in [
        (
            Spki,
            &[SpkiBase64, SpkiEscaped, SpkiVariable, SpkiUtf16][..],
        ),
        (Jwk, &[JwkArray, JwkById]),
        (Certificate, &[PemById]),
    ] {
        let with = |form, defects: Vec<_>| Spec {
            count: 600,
            seed: 11,
            algorithms: vec![Algorithm::Es256, Algorithm::Ed25519, Algorithm::Hs256],
            keys: 6,
            key_forms: vec![form],
            defects,
            ..Spec::default()
        };
        let defects = mix(&NEEDS_IDS, 14_000);
        let expected = Dataset::new(with(plain, defects.clone())).expect("a data set");
        for form in wrapped {
            let spec = with(*form, defects.clone());
            let dataset = Dataset::new(spec.clone()).expect("a data set");
            if *form != PemById {
                // Whoever judges the plain data set judges this one, with the same keys.
                assert_eq!(dataset.buffer(), expected.buffer(), "{form}");
            }
            let files = dataset.key_files().into_iter().map(|file| file.content);
            assert_eq!(files.count(), 4, "{form}");
            check(spec);
        }
    }
}

#[test]
fn defects_of_keys_with_ids_among_public_keys() {
    // Each in turn is the first, which has more keys than may be tried, and each in turn is
    // missing.
    for (seed, absent) in [
        Algorithm::Ps384,
        Algorithm::EdDsa,
        Algorithm::Hs256,
        Algorithm::MlDsa65,
        Algorithm::Es256k,
    ]
    .into_iter()
    .enumerate()
    {
        let mut algorithms = algorithms(|algorithm| {
            algorithm != absent && (is_quick(algorithm) || algorithm.is_hmac())
        });
        let turn = 3 * seed % algorithms.len();
        algorithms.rotate_left(turn);
        check(Spec {
            count: 2_000,
            seed: 3 + u64::try_from(seed).expect("a few"),
            keys: 3 * u32::try_from(algorithms.len()).expect("a few"),
            algorithms,
            key_forms: vec![KeyForm::X5cJwk, KeyForm::Jwk, KeyForm::PrivateJwk],
            defects: mix(&[], 14_000),
            ..Spec::default()
        });
    }
}

#[test]
fn rsa_keys_of_several_sizes_that_no_token_names() {
    check(Spec {
        count: 2_000,
        seed: 8,
        algorithms: algorithms(|algorithm| algorithm.name().contains("S256")),
        keys: 10,
        rsa_bits: vec![2048, 3072],
        key_forms: vec![KeyForm::Jwk, KeyForm::Pkcs1, KeyForm::Certificate],
        without_kid: Share::ALL,
        defects: mix(&NEEDS_IDS, 14_000),
        ..Spec::default()
    });
}

/// Defects that make the issuer unknown if there are several. Not taken from the generator, whose
/// list is under test.
const OF_THE_CHOICE: [Defect; 7] = [
    Defect::PayloadBase64url,
    Defect::PayloadJson,
    Defect::PayloadNotObject,
    Defect::PayloadDuplicateMember,
    Defect::IssType,
    Defect::IssuerMismatch,
    Defect::MissingIss,
];

#[test]
fn tokens_of_several_issuers_are_judged_by_their_own_policy() {
    for issuers in 2..=6 {
        let mut defects = mix(&OF_THE_CHOICE, 14_000);
        defects.push((Defect::IssuerUnknown, Share::from_percent(10)));
        defects.push((Defect::ForeignIssuerKey, Share::from_percent(10)));
        check(Spec {
            count: 4_000,
            seed: issuers.into(),
            issuers,
            algorithms: vec![Algorithm::Hs256, Algorithm::Es256, Algorithm::EdDsa],
            keys: 3 + 2 * issuers,
            edges: Share::from_percent(20),
            leeway: issuers % 2 * 30,
            defects,
            ..Spec::default()
        });
    }
    check(Spec {
        count: 3_000,
        issuers: 3,
        algorithms: vec![Algorithm::Es256, Algorithm::Hs384],
        keys: 8,
        key_forms: KeyForm::ALL.to_vec(),
        defects: mix(&[&OF_THE_CHOICE[..], &NEEDS_IDS].concat(), 10_000),
        repeat: 5,
        ..Spec::default()
    });
}

/// One policy with the keys of all issuers would let such tokens pass.
#[test]
fn a_key_of_another_issuer_is_all_that_is_wrong_with_a_token() {
    for issuers in [2, 3, 6] {
        let spec = Spec {
            count: 600,
            seed: issuers.into(),
            issuers,
            algorithms: vec![Algorithm::Hs256, Algorithm::Es256, Algorithm::Ed25519],
            keys: 7,
            without_kid: Share::from_percent(50),
            defects: vec![(Defect::ForeignIssuerKey, Share::ALL)],
            ..Spec::default()
        };
        let dataset = Dataset::new(spec).expect("a data set");
        let (mut of_all, mut keys) = policy(&dataset.issuers()[0]);
        for issuer in &dataset.issuers()[1..] {
            let names = issuer.audit_flags().issuers.iter();
            of_all = names.fold(of_all, |policy, name| policy.issuer(*name));
            keys.add_key(issuer.jwks().as_bytes(), &issuer.folder())
                .expect("usable keys");
        }
        let careless = Validator::new(of_all, keys).expect("a validator");
        let (strict, now) = (validator(&dataset), now(&dataset));
        for token in dataset.tokens() {
            let shown = String::from_utf8_lossy(&token);
            assert!(careless.validate_at(&token, now).is_valid(), "{shown}");
            let reasons = strict.validate_at(&token, now).reasons;
            let codes: Vec<_> = reasons.iter().map(|reason| reason.code()).collect();
            assert_eq!(codes, ["key-not-found"], "{shown}");
        }
    }
}

#[test]
fn each_defect_alone_gets_its_code() {
    for defect in Defect::OF_ONE_ISSUER {
        let defects = vec![(*defect, Share::from_percent(50))];
        check(Spec {
            count: 400,
            keys: 4,
            leeway: 30,
            defects,
            ..Spec::default()
        });
    }
}

#[test]
fn tokens_that_repeat_or_are_all_valid_are_judged_alike() {
    check(Spec {
        count: 20_000,
        repeat: 100,
        ..Spec::default()
    });
    let shape = "bench:500".parse().expect("a shape");
    check(Spec {
        count: 20_000,
        keys: 1000,
        shape,
        ..Spec::default()
    });
    check(Spec {
        count: 20_000,
        keys: 10,
        keys_without_id: 10,
        ..Spec::default()
    });
}
