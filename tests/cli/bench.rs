//! `jotmill bench` as its user runs it: all figures are present, counts are right, and there are no
//! figures if they would be meaningless.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

fn jotmill(place: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_jotmill"));
    command.current_dir(place).env_clear().args(args);
    command.output().expect("jotmill runs")
}

fn place() -> TempDir {
    TempDir::new().expect("a folder for the test")
}

fn bench(args: &[&str]) -> Output {
    jotmill(place().path(), &[&["bench"], args].concat())
}

#[track_caller]
fn json(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[track_caller]
fn assert_cannot(output: &Output, hint: &str) {
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains(hint), "{hint:?} is not in: {message}");
    assert!(output.stdout.is_empty());
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().expect("an array")
}

fn names<'v>(values: &'v [Value], name: &str) -> Vec<&'v str> {
    let name = |value: &'v Value| value[name].as_str().expect("a name");
    values.iter().map(name).collect()
}

#[track_caller]
fn assert_rate(value: &Value) {
    for name in ["ns_per_token", "tokens_per_s", "gb_per_s"] {
        assert!(value[name].as_f64().is_some_and(|n| n >= 0.0), "{value}");
    }
}

const SMALL: [&str; 8] = [
    "--count",
    "400",
    "--rounds",
    "2",
    "--threads",
    "3",
    "--format",
    "json",
];

#[test]
fn json_has_every_figure_and_the_counts_of_the_data_set() {
    let defects = ["--defects", "expired=10%,signature-mismatch=5%"];
    let found = json(&bench(&[&SMALL[..], &defects, &["--repeat", "4"]].concat()));
    assert_eq!(found["schema"], "jotmill.bench/1");
    assert_eq!(found["tool"]["name"], "jotmill");
    assert_eq!(found["rounds"], 2);
    assert!(found["machine"]["cores"].as_u64() >= Some(1));
    for name in ["arch", "os"] {
        assert!(found["machine"][name].is_string());
    }

    let kernels = list(&found, "kernels");
    let chosen = |kernel: &&Value| kernel["chosen"] == true;
    assert_eq!(kernels.iter().filter(chosen).count(), 1);
    let available: Vec<_> = kernels.iter().filter(|k| k["available"] == true).collect();
    assert!(
        available
            .iter()
            .all(|kernel| kernel["self_test"] == "passed")
    );
    assert!(available.iter().any(|kernel| kernel["name"] == "portable"));

    let data = list(&found, "data");
    for name in ["HS256", "HS384", "HS512"] {
        assert!(names(data, "name").contains(&name));
    }
    for data in data {
        let count = |name: &str| data[name].as_u64().expect("a count");
        assert_eq!(count("tokens"), 400);
        assert_eq!(count("distinct"), 100);
        assert_eq!(data["repeats"]["tokens"], 300);
        assert_eq!(data["repeats"]["share"], 0.75);
        // Each token occurs four times, is cached the second time, and all of them fit.
        let recalled = data["repeats"]["recalled"].as_u64();
        assert!((150..=200).contains(&recalled.unwrap_or(0)), "{recalled:?}");
        assert_eq!(count("valid") + count("rejected"), 400);
        assert!((20..120).contains(&count("rejected")), "{data}");
        assert!(count("bytes") > 400 * 300);
        assert_eq!(data["source"]["made"]["seed"], 1);

        let threads = list(data, "threads");
        let numbers: Vec<_> = threads.iter().map(|row| row["threads"].as_u64()).collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(3)]);
        assert_eq!(threads[0]["scaling"], 1.0);
        for row in threads {
            assert_rate(row);
            if cfg!(target_os = "linux") && !row["peak_bytes"].is_null() {
                assert!(row["peak_bytes"].as_u64() > Some(1 << 20), "{row}");
            }
        }

        let stages = list(data, "stages");
        let expected = [
            "extract",
            "cache",
            "header",
            "signature-base64url",
            "signature",
            "claims",
        ];
        assert_eq!(names(stages, "stage"), expected);
        stages.iter().for_each(assert_rate);
        let shares = stages.iter().filter_map(|stage| stage["share"].as_f64());
        assert!((0.98..1.02).contains(&shares.sum::<f64>()));
        assert!(data["rest_ns_per_token"].is_number());
        assert_rate(&data["one_by_one"]);

        let kernels = list(data, "kernels");
        assert_eq!(kernels.len(), available.len());
        for kernel in kernels {
            let threads = list(kernel, "runs")
                .iter()
                .map(|run| run["threads"].as_u64());
            assert_eq!(threads.collect::<Vec<_>>(), [Some(1), Some(3)]);
            list(kernel, "runs").iter().for_each(assert_rate);
        }
        assert_rate(&data["bound"]);
        assert!(threads.iter().all(|row| row["share_of_bound"].is_number()));
        // No kernel is faster than the bound, which is that of the fastest.
        let bound = data["bound"]["ns_per_token"].as_f64();
        assert!(
            available
                .iter()
                .any(|kernel| kernel["name"] == data["bound"]["kernel"])
        );
        for kernel in kernels {
            assert_rate(&kernel["signatures"]);
            assert!(kernel["signatures"]["ns_per_token"].as_f64() >= bound);
        }
    }
}

#[test]
fn signatures_by_private_keys_have_a_bound_of_no_kernel() {
    let args = "--count 40 --rounds 1 --threads 1 --alg ES256,PS256 --format json";
    let found = json(&bench(&args.split(' ').collect::<Vec<_>>()));
    for data in list(&found, "data") {
        assert_rate(&data["bound"]);
        assert!(data["bound"]["kernel"].is_null());
        assert!(list(data, "threads")[0]["share_of_bound"].is_number());
        let kernels = list(data, "kernels").iter();
        let measured = kernels.filter(|kernel| !kernel["signatures"].is_null());
        assert_eq!(measured.count(), 1, "they differ in nothing");
    }
}

#[test]
fn text_has_the_same_in_tables() {
    let args = "--count 200 --rounds 1 --threads 2 --alg HS256,HS512 --kernel portable";
    let output = bench(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    for expected in [
        "portable              passed, chosen",
        "HS256: 200 tokens, 0.0 % of them repeated",
        "HS512: 200 tokens",
        "200 valid, 0 rejected in every round",
        "whole run",
        "2 threads",
        "the bound, 1 thread",
        "signature-base64url",
        "Validator::validate",
        "tokens/s by threads",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in: {text}");
    }
    assert!(!text.contains("HS384"));
}

#[test]
fn tokens_of_ones_own_are_measured_by_their_keys() {
    let place = place();
    let made = "gen data --count 300 --alg HS256,HS384 --edges 0% -q";
    let made = jotmill(place.path(), &made.split(' ').collect::<Vec<_>>());
    assert_eq!(made.status.code(), Some(0), "{made:?}");
    // Blank lines and blanks are no tokens, and the same token twice is not two.
    let tokens = fs::read_to_string(place.path().join("data/tokens.txt")).expect("tokens");
    let first = tokens.lines().next().expect("a token");
    let text = format!("\n{tokens}  {first}\t\r\n \nnot a token\n{first}");
    fs::write(place.path().join("more.txt"), text).expect("a file");

    let args = "bench --jwks data/keys.json --now 1790000000 --rounds 1 --threads 1 --format json \
                -o out.json more.txt";
    let output = jotmill(place.path(), &args.split(' ').collect::<Vec<_>>());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stdout.is_empty());
    let found = fs::read(place.path().join("out.json")).expect("the figures");
    let found: Value = serde_json::from_slice(&found).expect("JSON");
    let [data] = list(&found, "data") else {
        panic!("one data set: {found}");
    };
    assert_eq!(data["source"]["own"]["files"][0], "more.txt");
    assert_eq!(data["tokens"], 303);
    assert_eq!(data["distinct"], 301);
    assert_eq!(data["valid"], 302);
    assert_eq!(data["rejected"], 1);
}

#[test]
fn the_kernels_can_be_listed_alone() {
    let found = json(&bench(&["--list-kernels", "--format", "json"]));
    assert!(list(&found, "data").is_empty());
    let names = names(list(&found, "kernels"), "name");
    assert_eq!(
        names,
        ["shani", "avx512", "avx2", "aarch64-sha2", "portable"]
    );
}

#[test]
fn meaningless_measurements_are_refused() {
    assert_cannot(&bench(&["--secret-env", "NONE"]), "tokens of your own");
    assert_cannot(&bench(&["--issuer", "someone"]), "tokens of your own");
    assert_cannot(&bench(&["--kernel", "abacus"]), "portable");
    assert_cannot(&bench(&["--count", "0"]), "--count");
    assert_cannot(&bench(&["--shape", "round"]), "--shape");
    assert_cannot(&bench(&["--count", "5", "tokens.txt"]), "cannot be used");

    let place = place();
    fs::write(
        place.path().join("secret"),
        "a secret of thirty-two bytes, ok",
    )
    .expect("a file");
    fs::write(place.path().join("empty.txt"), "\n \n").expect("a file");
    let own = |args: &[&str]| jotmill(place.path(), &[&["bench"], args].concat());
    assert_cannot(&own(&["empty.txt"]), "no key given");
    let keyed = ["--secret-file", "secret", "--threads", "1"];
    assert_cannot(&own(&[&keyed[..], &["none.txt"]].concat()), "none.txt");
    assert_cannot(
        &own(&[&keyed[..], &["empty.txt"]].concat()),
        "not one token",
    );
    let same = ["-o", "empty.txt", "empty.txt"];
    assert_cannot(&own(&[&keyed[..], &same].concat()), "is also read");
}
