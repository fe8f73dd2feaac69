//! `--sample`: the same tokens in every run and shard, and all of the others counted.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use crate::program::{Place, SECRET, assert_cannot, code, rows, stderr, stdout, token};

const TOKENS: usize = 2000;

fn report(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("a report")
}

/// The hashes in the rows, and how many rows there are.
fn sampled(place: &Place, args: &[&str]) -> (BTreeSet<String>, usize) {
    let output = place.audit(&[&["--format", "ndjson", "--quiet"], args].concat());
    let rows = rows(&stdout(&output));
    let hash = |row: &Value| row["sha256"].as_str().expect("a hash").to_owned();
    (rows.iter().map(hash).collect(), rows.len())
}

#[test]
fn a_sample_has_the_same_tokens_in_every_form_shard_and_run() {
    let place = Place::new();
    let tokens: Vec<String> = (0..TOKENS)
        .map(|index| token(SECRET, &format!("{{\"jti\":\"{index}\"}}")))
        .collect();
    place.write("all", tokens.join("\n"));
    place.write("one", tokens[..700].join("\n"));
    place.write("two", tokens[700..].join("\n"));
    let log: String = tokens
        .iter()
        .map(|it| format!("GET /?t={it}&u={} x\n", it.replace('.', "%2E")))
        .collect();
    place.write("log", log);
    let (expected, count) = sampled(&place, &["--sample", "1/10", "all"]);
    assert_eq!(expected.len(), count);
    assert!((120..280).contains(&count), "{count}");
    for args in [
        &["--threads", "1", "all"][..],
        &["--threads", "2", "--block-bytes", "1", "all"],
        &["one", "two"],
        &["--input", "text", "all"],
    ] {
        let args = [&["--sample", "1/10"], args].concat();
        assert!(
            sampled(&place, &args) == (expected.clone(), count),
            "{args:?}"
        );
    }
    // Each token twice on a line, once escaped.
    assert!(sampled(&place, &["--sample", "1/10", "log"]) == (expected, 2 * count));
    let (half, _) = sampled(&place, &["--sample", "1/2", "all"]);
    let (quarter, _) = sampled(&place, &["--sample", "1/4", "all"]);
    assert!(quarter.is_subset(&half) && quarter.len() < half.len());

    let found = report(&place.audit(&["--sample", "1/10", "--format", "json", "all"]));
    let left_out = TOKENS - count;
    assert_eq!(
        found["sample"],
        serde_json::json!({"one_in": 10, "left_out": left_out})
    );
    assert_eq!(
        (&found["tokens"], &found["complete"]),
        (&count.into(), &true.into())
    );
    let page = stdout(&place.audit(&["--sample", "1/10", "all"]));
    assert!(
        page.contains("a sample of 1 in 10 tokens, by their hash"),
        "{page}"
    );
    let found = report(&place.audit(&["--sample", "1/1", "--format", "json", "all"]));
    assert_eq!(found["tokens"], TOKENS);
    let found = report(&place.audit(&["--format", "json", "all"]));
    assert!(found["sample"].is_null());
}

#[test]
fn a_sample_without_a_token_or_of_another_form_is_an_error() {
    let place = Place::new();
    place.write("log", crate::program::good());
    let output = place.audit(&["--sample", "1/18446744073709551615", "log"]);
    assert_cannot(&output, &["not one token is in the sample"]);
    assert!(stdout(&output).contains("none is in the sample"));
    for wrong in ["0", "10", "1/0", "2/3", "1/-1", "1/x", "0.1"] {
        assert_cannot(&place.audit(&["--sample", wrong, "log"]), &["1/100"]);
    }
    let output = place.audit(&["--sample", "1/1", "log"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}
