//! Every line of a data set gets the verdict of its ground truth.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jotmill_datasets::{Algorithm, AuditFlags, Dataset, Defect, Shape, Share, Spec, SpecError};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::oracle;

fn made(spec: Spec) -> Dataset {
    Dataset::new(spec).expect("the description is good")
}

/// Every defect but those left out, each with the same share.
fn mix(left_out: &[Defect], each: u32) -> Vec<(Defect, Share)> {
    let defects = Defect::OF_ONE_ISSUER
        .iter()
        .filter(|defect| !left_out.contains(defect));
    defects
        .map(|&defect| (defect, Share::from_millionths(each).expect("a share")))
        .collect()
}

/// The options of the audit, for the oracle.
fn policy(flags: &AuditFlags) -> oracle::Policy {
    let owned = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let algs: Vec<String> = flags
        .algorithms
        .iter()
        .map(|alg| alg.name().to_owned())
        .collect();
    let default = oracle::Policy::default();
    oracle::Policy {
        now: (flags.now, 0),
        leeway: flags.leeway.into(),
        max_age: flags.max_age.map(u64::from),
        max_lifetime: flags.max_lifetime.map(u64::from),
        issuers: owned(&flags.issuers),
        audiences: owned(&flags.audiences),
        subjects: owned(&flags.subjects),
        require: owned(&flags.require),
        typ: flags.typ.map(str::to_owned).into_iter().collect(),
        algs: (!algs.is_empty()).then_some(algs),
        max_token_bytes: flags
            .max_token_bytes
            .map_or(default.max_token_bytes, |n| n as usize),
        max_key_tries: flags
            .max_key_tries
            .map_or(default.max_key_tries, |n| n as usize),
        rules: oracle::Rules {
            claims: (flags.claims.iter())
                .map(|(name, value)| {
                    (
                        (*name).to_owned(),
                        oracle::Wanted::Text((*value).to_owned()),
                    )
                })
                .collect(),
            ..oracle::Rules::default()
        },
    }
}

/// Judges every line, and returns the number of lines by verdict code.
fn agree(spec: Spec) -> BTreeMap<&'static str, u64> {
    let dataset = made(spec.clone());
    let keys = oracle::keys_from_jwks(&dataset.jwks());
    let policy = policy(dataset.audit_flags());
    let mut counts = BTreeMap::new();
    let mut lines = dataset.lines();
    while let Some(line) = lines.next() {
        let judgement = oracle::judge(line.token, &policy, &keys).expect("no line is blank");
        let key = judgement.key.and_then(|index| keys[index].id.as_deref());
        let expected: Vec<&str> = line.defect.map(Defect::code).into_iter().collect();
        let text = String::from_utf8_lossy(line.token);
        assert_eq!(
            judgement.codes, expected,
            "line {} of {spec:?}:\n{text}",
            line.number
        );
        assert_eq!(key, line.key, "line {} of {spec:?}:\n{text}", line.number);
        assert!(!line.token.is_empty() && line.token == line.token.trim_ascii());
        assert!(!line.token.contains(&b'\n') && !line.token.starts_with(b"\xef\xbb\xbf"));
        *counts
            .entry(line.defect.map_or("valid", Defect::code))
            .or_default() += 1;
    }
    counts
}

#[test]
fn every_code_can_be_produced_alone() {
    let two = vec![Algorithm::Hs256, Algorithm::Hs512];
    let spec = Spec {
        count: 8_000,
        algorithms: two,
        keys: 9,
        defects: mix(&[], 15_000),
        edges: Share::from_percent(30),
        ..Spec::default()
    };
    let counts = agree(spec);
    // Two defects share their code with another.
    assert_eq!(counts.len(), Defect::OF_ONE_ISSUER.len() - 1);
    for &defect in Defect::OF_ONE_ISSUER {
        let mut same = Defect::OF_ONE_ISSUER.iter();
        let is_same = |other: &&Defect| other.code() == defect.code();
        let expected = if same.by_ref().filter(is_same).count() == 2 {
            240
        } else {
            120
        };
        assert_eq!(counts[defect.code()], expected, "{defect}");
    }
}

#[test]
fn every_defect_by_itself_is_right_under_its_own_options() {
    for (seed, &defect) in (0..).zip(Defect::OF_ONE_ISSUER) {
        let counts = agree(Spec {
            count: 80,
            seed,
            defects: vec![(defect, Share::from_percent(50))],
            edges: Share::from_percent(50),
            ..Spec::default()
        });
        assert_eq!(counts[defect.code()], 40);
    }
}

#[test]
fn any_algorithms_keys_and_clock_will_do() {
    let [hs256, hs384, hs512] = Algorithm::HMAC;
    for algorithms in [
        vec![hs256],
        vec![hs384],
        vec![hs512],
        vec![hs384, hs256],
        vec![hs512, hs384],
        vec![hs256, hs384, hs512],
    ] {
        let all = algorithms.len() == 3;
        let left_out: &[Defect] = if all { &[Defect::AlgNotAllowed] } else { &[] };
        for (keys, now, leeway) in [
            (3, 0, 0),
            (20, 1, 86_400),
            (4, 59, 60),
            (7, 1_790_000_000, 60),
            (3, 253_402_300_799, 86_400),
        ] {
            agree(Spec {
                count: 400,
                algorithms: algorithms.clone(),
                keys,
                now,
                leeway,
                defects: mix(left_out, 10_000),
                edges: Share::from_percent(50),
                ..Spec::default()
            });
        }
    }
}

#[test]
fn keys_without_an_id_verify_too() {
    for (keys, keys_without_id) in [(1, 1), (5, 2), (5, 5)] {
        agree(Spec {
            count: 3_000,
            keys,
            keys_without_id,
            defects: mix(&[Defect::KeyNotFound, Defect::TooManyKeys], 5_000),
            ..Spec::default()
        });
    }
}

#[test]
fn with_more_keys_than_are_tried_every_token_names_its_key() {
    // The default of `--max-key-tries` is 1,000.
    let spec = Spec {
        count: 500,
        keys: 1_300,
        without_kid: Share::ALL,
        ..Spec::default()
    };
    agree(spec.clone());
    agree(Spec {
        keys_without_id: 1_000,
        ..spec.clone()
    });
    agree(Spec {
        shape: "bench".parse().unwrap(),
        ..spec
    });
}

#[test]
fn valid_tokens_are_valid_whatever_else_is_in_the_mix() {
    let spec = Spec {
        count: 4_000,
        edges: Share::ALL,
        ..Spec::default()
    };
    assert_eq!(agree(spec)["valid"], 4_000);
    // One of each in a million: the options are there, and nearly all tokens are good.
    let defects = mix(&[], 1);
    let spec = Spec {
        count: 4_000,
        defects,
        edges: Share::ALL,
        ..Spec::default()
    };
    assert_eq!(agree(spec)["valid"], 4_000);
}

#[test]
fn a_bench_token_has_375_bytes() {
    let spec = Spec {
        count: 2_000,
        keys: 1,
        shape: "bench".parse().unwrap(),
        ..Spec::default()
    };
    for token in made(spec.clone()).tokens() {
        assert_eq!(token.len(), 375);
        let dots: Vec<usize> = (0..375).filter(|at| token[*at] == b'.').collect();
        // A header of 36 characters, a payload of 220 bytes, a signature of 32.
        assert_eq!(dots, [36, 36 + 1 + 294]);
    }
    agree(spec);
}

#[test]
fn bench_payloads_have_the_requested_size() {
    for payload in [
        100, 101, 113, 120, 130, 147, 180, 195, 219, 300, 301, 333, 500, 2_000, 16_384,
    ] {
        for keys in [1, 3] {
            let shape = Shape::Bench { payload };
            let spec = Spec {
                count: 50,
                keys,
                shape,
                ..Spec::default()
            };
            let sizes: BTreeSet<usize> = made(spec.clone())
                .tokens()
                .iter()
                .map(|token| token.split(|byte| *byte == b'.').nth(1).unwrap().len() * 3 / 4)
                .collect();
            assert_eq!(sizes, BTreeSet::from([payload as usize]));
            agree(spec);
        }
    }
}

#[test]
fn bench_tokens_can_have_every_defect() {
    for payload in [220, 8_000] {
        let shape = Shape::Bench { payload };
        agree(Spec {
            count: 800,
            shape,
            defects: mix(&[], 15_000),
            ..Spec::default()
        });
    }
    let small = Spec {
        shape: Shape::Bench { payload: 100 },
        defects: mix(&[], 15_000),
        ..Spec::default()
    };
    let Err(SpecError::PayloadTooSmall { min, .. }) = Dataset::new(small.clone()) else {
        panic!("a payload of 100 bytes cannot have every required claim");
    };
    agree(Spec {
        shape: Shape::Bench { payload: min },
        ..small
    });
}

#[test]
fn shares_come_out_exact() {
    let defects = Spec::parse_defects("expired=5%,alg-none=0.33333,jti-type=0.001%").unwrap();
    let shape = "bench:100".parse().unwrap();
    let dataset = made(Spec {
        count: 100_000,
        shape,
        defects,
        ..Spec::default()
    });
    let summary = dataset.write(&mut io::sink(), None, |_| {}).unwrap();
    let jti = Defect::JtiType;
    let expected = vec![
        (Defect::AlgNone, 33_333),
        (jti, 1),
        (Defect::Expired, 5_000),
    ];
    assert_eq!(summary.defects, expected);
    assert_eq!(
        (summary.valid, summary.distinct),
        (100_000 - 38_334, 100_000)
    );
}

#[test]
fn what_does_not_divide_goes_to_the_largest_remainder() {
    let count = |count| {
        let defects = Spec::parse_defects("expired=0.333333").unwrap();
        let dataset = made(Spec {
            count,
            defects,
            ..Spec::default()
        });
        let summary = dataset.write(&mut io::sink(), None, |_| {}).unwrap();
        assert_eq!(summary.lines, count);
        summary.defects[0].1
    };
    assert_eq!([0, 1, 2, 3, 4, 5, 100].map(count), [0, 0, 1, 1, 1, 2, 33]);
}

#[test]
fn every_token_occurs_as_often_as_requested() {
    for (count, repeat) in [
        (10_000, 4),
        (10_001, 4),
        (3, 10),
        (2_000, 2_000),
        (0, 3),
        (700, 1),
    ] {
        let defects = mix(&[Defect::TooLong], 5_000);
        let spec = Spec {
            count,
            repeat,
            defects,
            ..Spec::default()
        };
        let tokens = made(spec.clone()).tokens();
        assert_eq!(tokens.len() as u64, count);
        let mut times: BTreeMap<&[u8], u64> = BTreeMap::new();
        tokens
            .iter()
            .for_each(|token| *times.entry(token).or_default() += 1);
        let (full, short): (Vec<u64>, Vec<u64>) = times
            .values()
            .partition(|times| **times == u64::from(repeat));
        assert_eq!(full.len() as u64, count / u64::from(repeat));
        assert_eq!(short.iter().sum::<u64>(), count % u64::from(repeat));
        assert!(short.len() <= 1);
        // Shuffled: repetitions are not all adjacent.
        let together = tokens.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(together * 10 < tokens.len() || times.len() < 20);
        agree(spec);
    }
}

#[test]
fn tokens_are_distinct() {
    for shape in ["mixed", "bench", "bench:100", "bench:140"] {
        let shape = shape.parse().unwrap();
        let tokens = made(Spec {
            count: 10_000,
            shape,
            ..Spec::default()
        })
        .tokens();
        assert_eq!(
            tokens.iter().collect::<BTreeSet<_>>().len(),
            tokens.len(),
            "{shape:?}"
        );
    }
}

#[test]
fn the_ground_truth_is_json_line_by_line() {
    let spec = Spec {
        count: 1_000,
        keys: 16,
        defects: mix(&[], 10_000),
        ..Spec::default()
    };
    let dataset = made(spec);
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    let mut seen = Vec::new();
    let summary = dataset
        .write(&mut tokens, Some(&mut truth), |done| seen.push(done))
        .unwrap();
    assert_eq!(tokens, dataset.buffer());
    assert_eq!(
        (summary.token_bytes, summary.truth_bytes),
        (tokens.len() as u64, truth.len() as u64)
    );
    assert!(seen.is_sorted() && seen.last() == Some(&1_000));
    let truth = String::from_utf8(truth).unwrap();
    let mut lines = dataset.lines();
    for text in truth.lines() {
        let line = lines.next().unwrap();
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(value["line"], line.number);
        assert_eq!(
            value["verdict"],
            if line.defect.is_some() {
                "rejected"
            } else {
                "valid"
            }
        );
        let reasons: Vec<&str> = line.defect.map(Defect::code).into_iter().collect();
        assert_eq!(value["reasons"], serde_json::json!(reasons));
        assert_eq!(value["key"].as_str(), line.key);
    }
    assert!(lines.next().is_none());
}

#[test]
fn the_same_description_gives_the_same_bytes() {
    let digest = |spec: Spec| {
        let dataset = made(spec);
        let (mut tokens, mut truth) = (Vec::new(), Vec::new());
        dataset
            .write(&mut tokens, Some(&mut truth), |_| {})
            .unwrap();
        let mut hash = Sha256::new();
        for part in [&tokens, &truth, dataset.jwks().as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        hash.update(dataset.audit_flags().shell("keys.json"));
        hash.finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>()
    };
    let algorithms = vec![Algorithm::Hs256, Algorithm::Hs512];
    let mixed = Spec {
        count: 2_000,
        seed: 7,
        algorithms,
        keys: 9,
        defects: mix(&[], 10_000),
        edges: Share::from_percent(20),
        ..Spec::default()
    };
    assert_eq!(digest(mixed.clone()), digest(mixed.clone()));
    assert_ne!(
        digest(mixed.clone()),
        digest(Spec {
            seed: 8,
            ..mixed.clone()
        })
    );
    // A change of these two is a change of every data set that anyone has made from a seed.
    assert_eq!(
        digest(mixed),
        "e0da73fa216ed75724e29290023109fbda845025b66a360ca6216a6ab5150bb3"
    );
    let bench = Spec {
        count: 1_000,
        shape: "bench".parse().unwrap(),
        repeat: 3,
        ..Spec::default()
    };
    assert_eq!(
        digest(bench),
        "8312abb0d3102e3144374d08c919f82e873750666065797770afd8e6c733b8a6"
    );
}

#[test]
fn a_writer_that_fails_ends_the_writing() {
    struct Full;
    impl io::Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::from(io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let dataset = made(Spec::default());
    let error = dataset.write(&mut Full, None, |_| {}).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(
        dataset
            .write(&mut io::sink(), Some(&mut Full), |_| {})
            .is_err()
    );
}

#[test]
fn meaningless_descriptions_are_refused() {
    let base = Spec::default;
    let twice = vec![(Defect::Expired, Share::NONE); 2];
    for spec in [
        Spec {
            algorithms: vec![],
            ..base()
        },
        Spec {
            algorithms: vec![Algorithm::Hs256; 2],
            ..base()
        },
        Spec { keys: 0, ..base() },
        Spec {
            keys: u32::MAX,
            ..base()
        },
        Spec {
            keys: 2,
            algorithms: Algorithm::HMAC.to_vec(),
            ..base()
        },
        Spec {
            keys_without_id: 4,
            ..base()
        },
        Spec { now: -1, ..base() },
        Spec {
            now: i64::MAX,
            ..base()
        },
        Spec {
            leeway: u32::MAX,
            ..base()
        },
        Spec {
            repeat: 0,
            ..base()
        },
        Spec {
            defects: twice,
            ..base()
        },
        Spec {
            shape: Shape::Bench { payload: 0 },
            ..base()
        },
        Spec {
            shape: Shape::Bench { payload: u32::MAX },
            ..base()
        },
    ] {
        let error = Dataset::new(spec.clone()).err();
        let text = error
            .unwrap_or_else(|| panic!("{spec:?} was taken"))
            .to_string();
        assert!(!text.is_empty());
    }
}

#[test]
fn the_largest_numbers_are_taken() {
    let spec = Spec {
        count: u64::MAX,
        repeat: u32::MAX,
        seed: u64::MAX,
        ..Spec::default()
    };
    for spec in [
        spec.clone(),
        Spec {
            repeat: 1,
            defects: mix(&[], 1_000),
            ..spec
        },
    ] {
        let dataset = made(spec);
        let mut lines = dataset.lines();
        assert!((0..1_000).all(|_| lines.next().is_some()));
    }
}
