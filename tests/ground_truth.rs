//! Data sets against the audit: the generator says what every line must get, and was written
//! without the validator. Each line of a mix of every defect must get exactly that.

use std::sync::atomic::AtomicBool;

use jotmill::dataset::{Algorithm, Dataset, Defect, Share, Spec};
use jotmill::{
    Input, KeySet, Policy, RowOptions, RowSink, RunOptions, UnixTime, Validator, Watch, run,
};
use serde_json::Value;

/// The policy and keys that the data set asks for.
fn validator(dataset: &Dataset) -> Validator {
    let flags = dataset.audit_flags();
    let now = UnixTime::new(u64::try_from(flags.now).expect("after 1970"), 0).expect("a time");
    let mut policy = Policy::new(now)
        .leeway(flags.leeway.into())
        .expect("a leeway");
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
    keys.add_jwks(dataset.jwks().as_bytes(), "keys.json")
        .expect("usable keys");
    Validator::new(policy, keys).expect("a validator")
}

/// Audits the data set and holds every row against its line of ground truth.
pub fn check(spec: Spec) {
    let dataset = Dataset::new(spec).expect("a data set");
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    let summary = dataset
        .write(&mut tokens, Some(&mut truth), |_| ())
        .expect("in memory");
    let validator = validator(&dataset);
    let mut first_rows = None;
    for threads in [1, 2] {
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
        let options = RunOptions {
            threads,
            ..RunOptions::default()
        };
        let finished = run(&validator, vec![input], &options, Some(sink), watch);
        assert!(finished.report.complete);
        assert_eq!(finished.report.tally.tokens.valid, summary.valid);
        assert_eq!(finished.report.tally.tokens.total(), summary.lines);
        assert!(first_rows.get_or_insert_with(|| rows.clone()) == &rows);
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
fn every_line_of_a_mix_of_every_defect_gets_what_its_maker_says() {
    let share = Share::from_millionths(15_000).expect("a share");
    let defects: Vec<_> = Defect::ALL.iter().map(|defect| (*defect, share)).collect();
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

#[test]
fn each_defect_alone_gets_its_code() {
    for defect in Defect::ALL {
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
