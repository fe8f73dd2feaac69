use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::display::is_deceptive;
use crate::extract::{LogZone, TimeReader};
use crate::input::InputForm;
use crate::key::KeySet;
use crate::pipeline::RunOptions;
use crate::report::fixture::{
    NOW, OCTOBER, bare_policy, claims, example_report, judged, lenient_validator, log, mint,
    named_keys, now, options, two_issuers, validator,
};
use crate::report::{MAX_NAMES, Tally};
use crate::time::UnixTime;
use crate::validator::Validator;

fn rendered(report: &Report) -> String {
    let mut out = Vec::new();
    report.write_json(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn parsed(report: &Report) -> Value {
    serde_json::from_str(&rendered(report)).unwrap()
}

#[test]
fn the_report_reads_as_in_the_golden_file() {
    let expected = include_str!("golden.json").replace("VERSION", env!("CARGO_PKG_VERSION"));
    assert_eq!(rendered(&example_report(&validator())), expected);
}

/// An authority, made for this test.
const ROOT: &[u8] = b"-----BEGIN CERTIFICATE-----
MIIBhTCCASugAwIBAgIUYPagqRNPf9yfG0hyfcaULZtbGbowCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEcm9vdDAgFw0yNjEyMDEwMDQ2MjRaGA8yMTI2MTEwNzAwNDYy
NFowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHyf
udw1D9yyt9qZwItdncOpdOVrOHrN2vvc/609IzrV8CKcweRau1H57PihU95z//YO
cnWDQjwhY2CMyqepNWOjYzBhMB0GA1UdDgQWBBQoVF3lXUEUOBaiD3RgnKz2yUD3
8TAfBgNVHSMEGDAWgBQoVF3lXUEUOBaiD3RgnKz2yUD38TAPBgNVHRMBAf8EBTAD
AQH/MA4GA1UdDwEB/wQEAwICBDAKBggqhkjOPQQDAgNIADBFAiEAmOLF8twWxlxF
jDTi8w8FdHK/M2+8140oSIZszxfhwEICIFVFW8/mtBylgUzubYG6H1P0SnTAxqV8
d5xcNW2bsIta
-----END CERTIFICATE-----
";

/// The path of every value, with the documented placeholder where the run gives the name.
fn paths(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    let placeholder = match path {
        "reasons" | "uses.reasons_now" | "findings" | "samples" | "finding_samples" => Some("CODE"),
        "extended_key_usages" => Some("OID"),
        "algs" | "keys" | "issuers" | "unknown_kids" | "unsupported_crits" => Some("NAME"),
        "expiry.expired" | "expiry.unexpired" | "uses.after_expiry" => Some("BUCKET"),
        // Its members are those of one policy.
        "policy.by_issuer" => {
            found.insert(path.to_owned());
            return;
        }
        _ => None,
    };
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let name = placeholder.unwrap_or(name);
                let dot = if path.is_empty() { "" } else { "." };
                paths(value, &format!("{path}{dot}{name}"), found);
            }
        }
        Value::Array(values) if values.iter().any(Value::is_object) => {
            values.iter().for_each(|value| paths(value, path, found));
        }
        _ => {
            found.insert(path.to_owned());
        }
    }
}

/// A report in which nothing is left out.
fn full_report(validator: &Validator, log: &str) -> Report {
    let options = options().distinct(true);
    let mut report = judged(validator, &[("tokens.txt", log)], &options);
    report.inputs[0].grown = 1;
    report.sample = Some(crate::report::SampleReport {
        one_in: std::num::NonZero::<u64>::MIN,
        left_out: 0,
    });
    report.inputs[0].compression = Some(crate::input::Compression::Gzip);
    report.inputs[0].encoding = Some("UTF-16LE");
    report.inputs[0].has_cut_line = true;
    report.inputs[0].has_times = true;
    for number in 0..=MAX_NAMES {
        let name = format!("{number}");
        report.tally.issuers.add(&name, Counts::one(true));
        report.tally.unknown_kids.add(&name, Counts::one(false));
        (report.tally.unsupported_crits).add(&name, Counts::one(false));
    }
    (report.tally.purposes).add("1.3.6.1.5.5.7.3.3", Counts::one(true));
    report
}

/// A report on a log with times: a token that was used in time, one that was used late, one that is cut,
/// and a credential that is no token.
fn report_on_uses() -> Report {
    let token = |ahead, number| {
        let header = r#"{"alg":"HS256","kid":"2026-10"}"#;
        mint(header, &claims("one", ahead, number), OCTOBER)
    };
    let log = format!(
        "2026-09-21T14:00:00Z Bearer {}\n2026-09-21T14:01:00Z {} {}...\nBearer 0123456789abcdef\n",
        token(-60, 1),
        token(-3600, 2),
        token(60, 3),
    );
    let times = TimeReader::new(None, LogZone::UTC, now());
    let options = options().form(InputForm::Text).times(Some(times));
    let validator = Validator::new(bare_policy(), named_keys()).expect("a key");
    judged(&validator, &[("access.log", &log)], &options)
}

#[test]
fn uses_are_judged_at_their_time_and_at_now() {
    let report = parsed(&report_on_uses());
    assert_eq!(
        (&report["valid"], &report["rejected"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(report["reasons"], json!({"expired": 1}));
    let uses = &report["uses"];
    assert_eq!(uses["first"], "2026-09-21T14:00:00Z");
    assert_eq!(uses["last"], "2026-09-21T14:01:00Z");
    assert_eq!(uses["timed"], json!({"valid": 1, "rejected": 1}));
    assert_eq!(uses["now"], json!({"valid": 0, "rejected": 2}));
    assert_eq!(uses["reasons_now"], json!({"expired": 2}));
    assert_eq!(uses["after_expiry"]["within_hour"], 1);
    assert_eq!(uses["timeline"].as_array().map(Vec::len), Some(2));
    let input = &report["inputs"][0];
    assert_eq!(
        (&input["form"], &input["tokens"]),
        (&json!("text"), &json!(2))
    );
    assert_eq!(
        (&input["cut_tokens"], &input["other_credentials"]),
        (&json!(1), &json!(1))
    );
}

#[test]
fn the_documented_members_are_those_of_a_report_in_this_order() {
    let documented: Vec<&str> = include_str!("../json.rs")
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("/// | `")?.split('`').next())
        .collect();
    let mut found = BTreeSet::new();
    let validator = lenient_validator();
    let report = full_report(&validator, &log(200));
    paths(&parsed(&report), "", &mut found);
    paths(&parsed(&report_on_uses()), "", &mut found);
    let two = two_issuers();
    paths(&parsed(&example_report(&two)), "", &mut found);
    let rules = bare_policy()
        .claim("a", "b")
        .and_then(|policy| policy.scope("read"))
        .and_then(|policy| policy.crit("x"))
        .expect("rules");
    let rules = rules.typ("JWT").typ("at+jwt").accept_padding();
    let rules = Validator::new(rules, named_keys()).expect("a key");
    paths(&parsed(&example_report(&rules)), "", &mut found);
    let mut keys = named_keys();
    keys.add_anchor(ROOT, &["example.com"], "root.pem")
        .expect("a root");
    let anchored = Validator::new(bare_policy(), keys).expect("a key");
    paths(&parsed(&example_report(&anchored)), "", &mut found);
    let mut with_newline = KeySet::new();
    let secret = [OCTOBER, b"\n"].concat();
    with_newline.add_secret(&secret, "a file").expect("a key");
    let other = Validator::new(bare_policy(), with_newline).expect("a key");
    let other = example_report(&other);
    paths(&parsed(&other), "", &mut found);
    // It has no unusable key, so that its list is empty.
    found.remove("set_aside");
    let expected: BTreeSet<String> = documented.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(found, expected);
    assert_eq!(documented.len(), expected.len(), "documented twice");

    let mut top: Vec<&str> = documented
        .iter()
        .filter_map(|name| name.split('.').next())
        .collect();
    top.dedup();
    let texts = [&report, &other, &report_on_uses()].map(rendered);
    let position = |text: &str, name: &str| text.find(&format!("\n  \"{name}\": "));
    for text in &texts {
        let positions = top.iter().filter_map(|name| position(text, name));
        assert!(positions.is_sorted(), "{top:?}");
    }
    for name in top {
        let is_there = texts.iter().any(|text| position(text, name).is_some());
        assert!(is_there, "{name}");
    }
}

#[test]
fn several_policies_are_listed_one_by_one() {
    let two = two_issuers();
    let report = parsed(&example_report(&two));
    let policy = report["policy"].as_object().unwrap();
    let names: Vec<&String> = policy.keys().collect();
    assert_eq!(names, ["by_issuer", "issuers", "max_token_bytes"]);
    assert_eq!(policy["issuers"].as_array().unwrap().len(), 2);
    let one = validator();
    let alone = parsed(&example_report(&one));
    assert_eq!(policy["by_issuer"][0], alone["policy"]);
    let members = |value: &Value| value.as_object().unwrap().len();
    assert_eq!(members(&policy["by_issuer"][1]), members(&alone["policy"]));
    assert_eq!(report["unchecked"], serde_json::json!(["typ", "audience"]));
    assert!(report["reasons"]["issuer-unknown"].as_u64() > Some(0));
}

#[test]
fn threads_and_blocks_change_no_byte() {
    let validator = lenient_validator();
    let log = log(300);
    let inputs = [("a", &*log), ("b", "x\n\n"), ("c", &log[1000..])];
    let report = |threads, block_bytes| {
        let options = options()
            .threads(threads)
            .block_bytes(block_bytes)
            .distinct(true);
        rendered(&judged(&validator, &inputs, &options))
    };
    let expected = report(1, 1 << 20);
    for threads in [1, 2, 8] {
        for block_bytes in [1, 7, 4096] {
            assert_eq!(
                report(threads, block_bytes),
                expected,
                "{threads} {block_bytes}"
            );
        }
    }
}

#[test]
fn only_elapsed_s_depends_on_time() {
    let validator = validator();
    let mut report = example_report(&validator);
    let first = rendered(&report);
    report.elapsed = Duration::from_secs(90);
    let second = rendered(&report);
    let differ: Vec<_> = first
        .lines()
        .zip(second.lines())
        .filter(|(a, b)| a != b)
        .collect();
    assert_eq!(
        differ,
        [("  \"elapsed_s\": 0.0123", "  \"elapsed_s\": 90.0")]
    );
}

#[test]
fn every_key_is_listed_and_counted_under_a_name_of_its_own() {
    let validator = validator();
    let mut report = example_report(&validator);
    for (key, counts) in validator.keys().iter().zip(&mut report.tally.keys) {
        if key.id() == Some("2026-11") {
            counts.valid += 1;
        }
        counts.rejected += u64::from(key.name() == "2026-11#2");
    }
    let value = parsed(&report);
    let keys = &value["keys"];
    let counts = |name: &str| {
        (
            keys[name]["valid"].as_u64(),
            keys[name]["rejected"].as_u64(),
        )
    };
    assert_eq!(counts("2026-11"), (Some(1), Some(0)));
    assert_eq!(counts("2026-11#2"), (Some(1), Some(1)));
    assert_eq!(keys.as_object().unwrap().len(), 4);
    assert_eq!(value["duplicate_kids"], serde_json::json!(["2026-11"]));
}

#[test]
fn weak_keys_name_the_algorithms_that_they_are_too_short_for() {
    let mut keys = KeySet::new();
    keys.add_secret(&[1; 31], "a").unwrap();
    keys.add_secret(&[1; 32], "b").unwrap();
    keys.add_secret(&[1; 64], "c").unwrap();
    let validator = Validator::new(crate::Policy::new(), keys).unwrap();
    let keys = parsed(&judged(&validator, &[], &options()))["keys"].clone();
    let weak_for = |name: &str| keys[name]["weak_for"].to_string();
    assert_eq!(weak_for("secret-1"), r#"["HS256","HS384","HS512"]"#);
    assert_eq!(weak_for("secret-2"), r#"["HS384","HS512"]"#);
    assert_eq!(weak_for("secret-3"), "null", "left out");
}

#[test]
fn beyond_the_names_that_are_counted_the_rest_is_summed() {
    let validator = lenient_validator();
    let mut report = full_report(&validator, "");
    let value = parsed(&report);
    assert_eq!(value["issuers"].as_object().unwrap().len(), MAX_NAMES);
    assert_eq!(value["issuers_rest"]["valid"], 1);
    assert_eq!(value["unknown_kids_rest"], 1);
    report.tally = Tally::new(now(), validator.keys());
    let value = parsed(&report);
    assert!(value.get("issuers_rest").is_none());
    assert!(value.get("unknown_kids_rest").is_none());
}

#[test]
fn deceptive_names_are_escaped_and_read_back() {
    let name = "\u{1b}[31m\u{7f}\u{9b}\u{202e}\u{2028}\"\\\n\u{7}é😀\u{61c}\u{2069}";
    let mut keys = named_keys();
    let kid = serde_json::to_string(name).unwrap();
    let set = format!(r#"{{"keys":[{{"kty":"oct","k":"YQ","kid":{kid}}}]}}"#);
    keys.add_key(set.as_bytes(), name).unwrap();
    let policy = crate::Policy::new().issuer(name).require(name).unwrap();
    let validator = Validator::new(policy, keys).unwrap();
    let mut report = judged(&validator, &[(name, "x")], &options());
    report.inputs[0].error = Some(name.to_owned());
    report.tally.issuers.add(name, Counts::one(true));
    report.tally.unknown_kids.add(name, Counts::one(false));

    let text = rendered(&report);
    assert!(
        !text.chars().any(|c| is_deceptive(c) && c != '\n'),
        "{text}"
    );
    assert!(text.contains(r#"\u001b[31m\u007f\u009b\u202e\u2028\"\\\n\u0007é😀\u061c\u2069"#));
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["inputs"][0]["name"], name);
    assert_eq!(value["inputs"][0]["error"], name);
    assert_eq!(value["policy"]["issuers"][0], name);
    assert_eq!(value["policy"]["required"][1], name);
    assert_eq!(value["samples"]["segment-count"][0]["file"], name);
    for map in ["keys", "issuers", "unknown_kids"] {
        assert!(value[map].get(name).is_some(), "{map}");
    }
}

#[test]
fn a_report_contains_no_token_and_no_secret() {
    let validator = lenient_validator();
    let log = log(200);
    let text = rendered(&judged(&validator, &[("-", &log)], &options()));
    for token in log.lines().filter(|line| line.len() > 40) {
        assert!(
            token
                .split('.')
                .all(|part| part.len() < 9 || !text.contains(part))
        );
    }
    assert!(!text.contains("password") && !text.contains("october"));
}

#[test]
fn equal_instants_are_equal_strings() {
    for (nanos, expected) in [
        (0, "2026-09-21T14:13:20Z"),
        (500_000_000, "2026-09-21T14:13:20.5Z"),
        (1, "2026-09-21T14:13:20.000000001Z"),
    ] {
        let validator = Validator::new(crate::Policy::new(), named_keys()).unwrap();
        let options = RunOptions::new(UnixTime::new(NOW, nanos).unwrap());
        let value = parsed(&judged(&validator, &[], &options));
        assert_eq!(value["now"], expected);
    }
}

#[test]
fn an_error_of_the_writer_is_given_back() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let error = example_report(&validator())
        .write_json(&mut Full)
        .unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}
