//! A policy file as its user meets it: several issuers in one run, mistakes reported with their
//! place, and the effective policy printed as a file that reads back.

use serde_json::Value;

use crate::program::{Place, assert_cannot, code, stderr, stdout, token};
use crate::token_maker::{SECRET, encode};

const OUR_SECRET: &str = "a secret of thirty-two bytes, ok";
const THEIR_SECRET: &str = "one more secret, of 32 bytes too";
const FILE: &str = r#"
[[issuer]]
iss = "https://auth.example.com/"
secret_file = "secret"
audience = "api://orders"
leeway = "1m"

[[issuer]]
iss = ["https://sts.example.net/", "https://sts.example.org/"]
jwks = "theirs.json"
alg = ["HS256"]
require = ["exp"]
"#;

/// A folder with the policy file and its keys in `rules`, and a log beside it.
fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("rules")).expect("a folder");
    place.write("rules/policy.toml", FILE);
    place.write("rules/secret", OUR_SECRET);
    let k = encode(THEIR_SECRET);
    place.write("rules/theirs.json", format!(r#"{{"kty":"oct","k":"{k}"}}"#));
    let ours = r#"{"iss":"https://auth.example.com/","aud":"api://orders","exp":1789999941}"#;
    let theirs = r#"{"iss":"https://sts.example.org/","exp":1790000001}"#;
    let lines = [
        token(OUR_SECRET, ours),
        token(THEIR_SECRET, theirs),
        token(THEIR_SECRET, ours),
        token(OUR_SECRET, r#"{"iss":"https://evil.example/"}"#),
    ];
    place.write("log", lines.join("\n"));
    place
}

const AUDIT: [&str; 5] = [
    "audit",
    "--policy",
    "rules/policy.toml",
    "--now",
    "1790000000",
];

#[test]
fn a_policy_file_judges_each_issuer_by_its_own() {
    let place = place();
    let output = place.run(&[&AUDIT[..], &["--format", "ndjson", "log"]].concat());
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let rows: Vec<Value> = (stdout(&output).lines())
        .map(|row| serde_json::from_str(row).expect("a row is JSON"))
        .collect();
    assert_eq!(rows[0]["key"], "secret-1");
    assert_eq!(rows[1]["key"], "secret-2");
    assert_eq!(
        rows[2]["reasons"],
        serde_json::json!(["signature-mismatch"])
    );
    assert_eq!(rows[3]["reasons"], serde_json::json!(["issuer-unknown"]));
    let report = stderr(&output);
    assert!(
        report.contains("issuer https://sts.example.net/ or"),
        "{report}"
    );
    let output = place.run(&[&AUDIT[..], &["--format", "json", "log"]].concat());
    let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
    assert_eq!(report["policy"]["by_issuer"][0]["leeway_s"], 60);
}

#[test]
fn a_secret_is_weak_by_the_algorithms_of_its_own_issuer() {
    let place = place();
    // Both secrets have 32 bytes; the second issuer allows HS256 alone.
    let strict = |file: &str| {
        place.write("rules/policy.toml", format!("strict_keys = true\n{file}"));
        place.run(&[&AUDIT[..], &["--quiet", "log"]].concat())
    };
    let output = strict(FILE);
    assert_cannot(&output, &["refuses weak keys: secret-1 of", "short-secret"]);
    assert!(!stderr(&output).contains("secret-2"), "{}", stderr(&output));
    let both = strict(&FILE.replace("leeway = \"1m\"", "alg = \"HS256\""));
    assert_eq!(code(&both), 1, "{}", stderr(&both));
    let loose = strict(&FILE.replace("alg = [\"HS256\"]", "alg = [\"HS256\", \"HS384\"]"));
    assert_cannot(&loose, &["secret-1 of", "secret-2 of"]);
}

#[test]
fn a_mistake_in_a_policy_file_is_reported_with_its_place() {
    let place = place();
    for (from, to, hints) in [
        (
            "leeway = \"1m\"",
            "leway = 1",
            &["policy.toml:6:1", "leway", "leeway"][..],
        ),
        (
            "theirs.json",
            "gone.json",
            &["policy.toml:10:8", "gone.json"],
        ),
        (
            "\"https://sts.example.net/\"",
            "\"https://auth.example.com/\"",
            &[":9:7", "another"],
        ),
        (
            "\"https://sts.example.net/\"",
            "\"https://sts.example.org/\"",
            &[":9:7", "https://sts.example.org/", "listed twice"],
        ),
        (
            "jwks = \"theirs.json\"\n",
            "",
            &["policy.toml:8:1", "no key"],
        ),
        (
            "iss = \"https://auth.example.com/\"\n",
            "",
            &["policy.toml:2:1", "no iss"],
        ),
        (FILE, "", &["policy.toml:1:1", "no [[issuer]]"]),
    ] {
        place.write("rules/policy.toml", FILE.replace(from, to));
        assert_cannot(&place.run(&[&AUDIT[..], &["log"]].concat()), hints);
    }
}

/// A secret may be written in place of its name, or of anything else: the message has its line and
/// column, and not its text.
#[test]
fn no_message_quotes_what_may_be_a_secret_in_a_policy_file() {
    let place = place();
    let secret = "hunter2xyz";
    let number = "1234567890123";
    for (line, hints) in [
        (
            "secret_env = \"hunter2xyz\"",
            &[":4:14:", "variable", "not set"][..],
        ),
        ("secret_env = \"hex:hunter2xyz\"", &[":4:14:", "not set"]),
        (
            "secret_env = \"b64:hunter2xyz\"",
            &[":4:14:", "encoding", "base64url:"],
        ),
        (
            "secret_file = [\"secret\", \"HUNTER2xyz\"]",
            &[":4:15:", "file 2 of those"],
        ),
        (
            "secret_file = \"hunter2xyz\"",
            &[":4:15:", "file", "No such file"],
        ),
        (
            "secret_file = \"hex:a/hunter2xyz\"",
            &[":4:15:", "No such file"],
        ),
        (
            "secret_env = 1234567890123",
            &[":4:14:", "integer, expected a string"],
        ),
        (
            "secret_env = [1234567890123.0]",
            &[":4:15:", "floating point, expected"],
        ),
        (
            "secret_file = 12345678901231234567890123",
            &[":4:15:", "integer, expected"],
        ),
        ("secret_env = hunter2xyz", &[":4:14:", "must be quoted"]),
        (
            "secret_env = \"hunter2xyz",
            &[":4:25:", "invalid basic string"],
        ),
        (
            "secret_env = \"a\"\nsecret_env = \"hunter2xyz\"",
            &[":5:1:", "duplicate"],
        ),
        (
            "secret_env = { hunter2xyz = 1 }",
            &[":4:14:", "map, expected"],
        ),
        ("hunter2xyz = 1", &[":4:1:", "unknown field, expected"]),
        (
            "kid_hint = \"a, expected hunter2xyz\"",
            &[":4:12:", "string, expected a boolean"],
        ),
        (
            "max_age = 1234567890123.0",
            &[":4:11:", "expected a duration"],
        ),
        ("leeway = \"hunter2xyz\"", &[":4:10:", "a duration is like"]),
        (
            "jwks = '{\"kty\":\"oct\",\"k\":\"hunter2xyz\"}'",
            &[":4:8:", "the key itself"],
        ),
        (
            "key = \"-----BEGIN PRIVATE KEY-----hunter2xyz\"",
            &[":4:7:", "the key itself"],
        ),
    ] {
        place.write(
            "rules/policy.toml",
            format!("\n[[issuer]]\niss = \"a\"\n{line}\n"),
        );
        let output = place.run(&[&AUDIT[..], &["log"]].concat());
        assert_cannot(&output, hints);
        let shown = stderr(&output);
        for hidden in [secret, &secret.to_uppercase(), "HUNTER2xyz", number] {
            assert!(!shown.contains(hidden), "{line}: {shown}");
        }
    }
    // A setting whose name can be read is named.
    place.write(
        "rules/policy.toml",
        "[[issuer]]\nsecret_file = \"short\"\nsecret_envs = 1\n",
    );
    let output = place.run(&[&AUDIT[..], &["log"]].concat());
    assert_cannot(&output, &[":3:1:", "unknown field `secret_envs`"]);
    let output = place.run(&["audit", "--jwks", "{\"k\":\"hunter2xyz\"}", "log"]);
    assert_cannot(&output, &["the key itself"]);
    assert!(!stderr(&output).contains(secret));
}

#[test]
fn a_policy_file_replaces_the_options_of_an_issuer() {
    let place = place();
    for flag in [
        "--issuer",
        "--audience",
        "--jwks",
        "--secret-file",
        "--leeway",
        "--alg",
    ] {
        let value = if flag == "--alg" { "HS256" } else { "1" };
        let output = place.run(&[&AUDIT[..], &[flag, value, "log"]].concat());
        assert_cannot(&output, &["--policy", "cannot be used with", flag]);
    }
    let limited = place.run(&[&AUDIT[..], &["--max-token-bytes", "9", "log"]].concat());
    assert!(
        stdout(&limited).contains("too-long"),
        "a limit is the run's"
    );
    let output = place.run(&[&AUDIT[..], &["-o", "rules/theirs.json", "log"]].concat());
    assert_cannot(&output, &["also read"]);
}

#[test]
fn the_effective_policy_is_printed_as_a_file_that_reads_back() {
    let place = place();
    let print = |args: &[&str]| {
        let output = place.run(&[args, &["--print-policy"]].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let text = stdout(&output);
        for secret in [OUR_SECRET, THEIR_SECRET, &encode(THEIR_SECRET)] {
            assert!(!text.contains(secret), "{text}");
        }
        text
    };
    // Long enough for HS512, or --strict-keys would refuse it.
    place.write("long", SECRET);
    let flags = "audit --secret-file long --issuer a --audience b --alg HS256,HS512 \
                 --require exp,tenant --typ JWT --leeway 5 --max-age 1h --max-lifetime 2h \
                 --max-key-tries 7 --max-token-bytes 64K --subject d --kid-hint --strict-keys";
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let twice = "audit --secret-file secret --issuer a --issuer b --issuer a";
    let twice: Vec<&str> = twice.split_whitespace().collect();
    for args in [
        &AUDIT[..],
        &flags,
        &twice,
        &["audit", "--secret-file", "secret"],
    ] {
        let printed = print(args);
        place.write("printed.toml", &printed);
        assert_eq!(print(&["audit", "--policy", "printed.toml"]), printed);
    }
}

/// A file with one policy gives the same verdicts as its options: nothing is chosen.
#[test]
fn a_file_of_one_issuer_is_the_same_as_the_options() {
    let place = place();
    let options = [
        "--secret-file",
        "rules/secret",
        "--issuer",
        "https://auth.example.com/",
    ];
    let printed = place.run(&[&["audit"], &options[..], &["--print-policy"]].concat());
    place.write("one.toml", stdout(&printed));
    let rest = [
        "--now",
        "1790000000",
        "--format",
        "ndjson",
        "--quiet",
        "log",
    ];
    let by_options = place.run(&[&["audit"], &options[..], &rest].concat());
    let by_file = place.run(&[&["audit", "--policy", "one.toml"], &rest[..]].concat());
    assert_eq!(stdout(&by_file), stdout(&by_options));
    assert!(stdout(&by_file).contains("issuer-mismatch"));
    assert_eq!(code(&by_file), code(&by_options));
}

#[test]
fn inspect_explains_a_token_by_the_policy_of_its_issuer() {
    let place = place();
    let log = place.read("log");
    let inspect = |line: usize| {
        let token = log.lines().nth(line).expect("a line of the log");
        place.run(&[
            "inspect",
            "--policy",
            "rules/policy.toml",
            "--now",
            "1790000000",
            token,
        ])
    };
    assert_eq!(code(&inspect(0)), 0);
    assert_eq!(code(&inspect(1)), 0);
    let unknown = inspect(3);
    assert_eq!(code(&unknown), 1);
    let page = stdout(&unknown);
    assert!(page.contains("issuer-unknown"), "{page}");
    assert!(page.contains("https://sts.example.net/"), "{page}");
}

/// `gen --issuers` writes what `audit --policy` takes, and each row is what the ground truth says.
#[test]
fn a_data_set_of_several_issuers_is_audited_by_its_policy_file() {
    let place = Place::new();
    let gen_args = [
        "gen",
        "data",
        "--issuers",
        "3",
        "--count",
        "900",
        "--keys",
        "7",
        "--alg",
        "HS256,ES256",
        "--key-forms",
        "jwk,spki,x5c-jwk",
        "--leeway",
        "30",
        "--quiet",
        "--defects",
        "issuer-unknown=10%,signature-mismatch=5%,expired=5%,too-long=1%,missing-jti=2%,\
         typ-mismatch=1%,key-mismatch=2%",
    ];
    let output = place.run(&gen_args);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let args = [
        "audit",
        "--policy",
        "data/policy.toml",
        "--now",
        "1790000000",
        "--format",
        "ndjson",
        "data/tokens.txt",
    ];
    let output = place.run(&args);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let truth = std::fs::read_to_string(place.path("data/truth.ndjson")).expect("ground truth");
    let rows = stdout(&output);
    assert_eq!((rows.lines().count(), truth.lines().count()), (900, 900));
    let mut keys = std::collections::BTreeSet::new();
    let mut unknown = 0;
    for (row, truth) in rows.lines().zip(truth.lines()) {
        let row: Value = serde_json::from_str(row).expect("a row is JSON");
        let truth: Value = serde_json::from_str(truth).expect("truth is JSON");
        assert_eq!(row["verdict"], truth["verdict"], "{row} {truth}");
        let reasons = row["reasons"].as_array().cloned().unwrap_or_default();
        assert_eq!(Some(&reasons), truth["reasons"].as_array(), "{row} {truth}");
        if let Some(key) = truth["key"].as_str() {
            assert_eq!(row["key"], key, "{row} {truth}");
            keys.insert(key.to_owned());
        }
        unknown += usize::from(reasons == ["issuer-unknown"]);
    }
    assert_eq!(unknown, 90);
    assert!(keys.len() > 12, "keys of all three: {keys:?}");
    // Nothing is replaced without --force, and with it everything is.
    assert_cannot(&place.run(&gen_args), &["exists"]);
    assert_eq!(code(&place.run(&[&gen_args[..], &["--force"]].concat())), 0);
    assert_eq!(stdout(&place.run(&args)), rows);
    let several = [
        "gen",
        "other",
        "--issuers",
        "2",
        "--defects",
        "missing-iss=1%",
    ];
    assert_cannot(&place.run(&several), &["ask for `issuer-unknown`"]);
    assert_cannot(
        &place.run(&["gen", "other", "--issuers", "7"]),
        &["issuers: 7"],
    );
}
