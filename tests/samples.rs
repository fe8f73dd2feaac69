//! The samples in `datasets/` are what the generator makes, byte for byte, and an audit of them
//! agrees with their ground truth.

use std::fs;
use std::path::{Path, PathBuf};

use jotmill::{KeySet, Policy, UnixTime, Validator};
use jotmill_datasets::{Dataset, Defect, Share, Spec};
use serde_json::Value;

use crate::ground_truth;

fn folder(name: &str) -> PathBuf {
    crate::root().join("datasets").join(name)
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The folder holds exactly what `jotmill gen` writes for this description.
fn is_made_from(name: &str, spec: Spec) {
    let folder = folder(name);
    let dataset = Dataset::new(spec.clone()).expect("a data set");
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    dataset
        .write(&mut tokens, Some(&mut truth), |_| ())
        .expect("in memory");
    assert!(
        read(&folder.join("tokens.txt")) == tokens,
        "{name}/tokens.txt"
    );
    assert!(
        read(&folder.join("truth.ndjson")) == truth,
        "{name}/truth.ndjson"
    );
    assert!(
        read(&folder.join("keys.json")) == dataset.jwks().as_bytes(),
        "{name}/keys.json"
    );
    ground_truth::check(spec);
}

#[test]
fn the_sample_is_generated_from_its_seed() {
    let defects = "expired=6%,signature-mismatch=3%,not-yet-valid=1%,alg-none=1%,\
                   alg-unsupported=1.5%,key-not-found=1%,payload-json=0.5%,header-json=0.5%,\
                   segment-count=1%,exp-type=0.5%";
    let defects = Spec::parse_defects(defects).expect("a mix");
    is_made_from(
        "sample",
        Spec {
            count: 600,
            seed: 7,
            keys: 4,
            defects,
            ..Spec::default()
        },
    );
}

#[test]
fn each_defect_has_a_folder_that_its_seed_makes() {
    for defect in Defect::OF_ONE_ISSUER {
        let defects = vec![(*defect, Share::from_percent(50))];
        let spec = Spec {
            count: 8,
            seed: 7,
            defects,
            ..Spec::default()
        };
        is_made_from(&format!("defects/{}", defect.name()), spec);
    }
    let folders = fs::read_dir(folder("defects")).expect("the folder").count();
    assert_eq!(
        folders,
        Defect::OF_ONE_ISSUER.len(),
        "no folder without a defect"
    );
}

#[test]
fn the_tokens_of_the_rfcs_have_the_verdicts_of_the_rfcs() {
    let folder = folder("rfc");
    let mut keys = KeySet::new();
    keys.add_key(&read(&folder.join("keys.json")), "keys.json")
        .expect("the key");
    // A second before the token of RFC 7515 A.1 expires.
    let now = UnixTime::new(1_300_819_379, 0).expect("a time");
    let validator = Validator::new(Policy::new(), keys).expect("a validator");
    let (tokens, truth) = (
        read(&folder.join("tokens.txt")),
        read(&folder.join("truth.ndjson")),
    );
    let lines = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .lines()
            .map(str::to_owned)
            .collect()
    };
    let (tokens, truth): (Vec<String>, Vec<String>) = (lines(&tokens), lines(&truth));
    assert_eq!((tokens.len(), truth.len()), (3, 3));
    for (token, truth) in tokens.iter().zip(&truth) {
        let truth: Value = serde_json::from_str(truth).expect("JSON");
        let verdict = validator.validate_at(token.as_bytes(), now);
        let codes: Vec<&str> = verdict.reasons.iter().map(|reason| reason.code()).collect();
        assert_eq!(
            serde_json::json!(codes),
            truth["reasons"],
            "{}",
            truth["source"]
        );
        assert_eq!(
            verdict.is_valid(),
            truth["verdict"] == "valid",
            "{}",
            truth["source"]
        );
    }
}
