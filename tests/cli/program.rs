//! The command line as its user runs it: exit codes, messages, files that are not what they should
//! be, signals, and readers that close the output.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tempfile::TempDir;

use crate::token_maker::{TokenMaker, encode};

pub(crate) const SECRET: &str = "a secret of thirty-two bytes, ok";
pub(crate) const NOW: &str = "1790000000";

/// A folder with a secret in `secret` and whatever a test puts there.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(TempDir::new().expect("a folder for the test"));
        place.write("secret", SECRET);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).expect("a file for the test");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file of the run")
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_jotmill"));
        command
            .current_dir(self.0.path())
            .env_clear()
            .args(args)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("jotmill runs")
    }

    /// `audit` with the secret and the time of the tests.
    pub(crate) fn audit(&self, args: &[&str]) -> Output {
        self.run(&[&AUDIT[..], args].concat())
    }
}

/// Every line is taken for a token.
const LINES: [&str; 2] = ["--input", "tokens"];

pub(crate) const AUDIT: [&str; 5] = ["audit", "--secret-file", "secret", "--now", NOW];

pub(crate) fn token(secret: &str, claims: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#);
    let signed = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .expect("any length will do")
        .chain_update(&signed)
        .finalize()
        .into_bytes();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac))
}

pub(crate) fn good() -> String {
    token(
        SECRET,
        r#"{"iss":"https://auth.example.com/","exp":1790000001}"#,
    )
}

fn expired() -> String {
    token(
        SECRET,
        r#"{"iss":"https://auth.example.com/","exp":1790000000}"#,
    )
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().expect("an exit code")
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

pub(crate) fn rows(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a row is JSON"))
        .collect()
}

/// The run could not judge, and says all of `hints`.
#[track_caller]
pub(crate) fn assert_cannot(output: &Output, hints: &[&str]) {
    let message = stderr(output);
    assert_eq!(code(output), 2, "{message}");
    for hint in hints {
        assert!(message.contains(hint), "{hint:?} is not in: {message}");
    }
    assert!(!message.contains(SECRET), "{message}");
    assert!(!message.contains("panicked"), "{message}");
}

#[test]
fn exit_codes_say_whether_all_are_valid_and_never_wrap() {
    let place = Place::new();
    for failures in [0, 1, 255, 256, 257, 512] {
        let lines = format!("{}\n{}", good(), "x\n".repeat(failures));
        place.write("log", lines);
        let output = place.audit(&["--input", "tokens", "log"]);
        assert_eq!(
            code(&output),
            i32::from(failures > 0),
            "{failures} failures"
        );
    }
}

#[test]
fn rows_come_in_order_with_line_offset_and_reasons() {
    let place = Place::new();
    let (good, expired) = (good(), expired());
    place.write(
        "log",
        format!("\u{feff}{good}\r\n\n \t{expired} \nx\n{good}"),
    );
    let output = place.audit(&["--format", "ndjson", "log"]);
    assert_eq!(code(&output), 1);
    let rows = rows(&stdout(&output));
    let place_of = |row: &Value| (row["line"].as_u64(), row["offset"].as_u64());
    let second = 3 + good.len() + 3;
    let third = second + 2 + expired.len() + 2;
    let expected = [(1, 3), (3, second + 2), (4, third), (5, third + 2)];
    for (row, (line, offset)) in rows.iter().zip(expected) {
        assert_eq!(place_of(row), (Some(line), Some(offset as u64)), "{row}");
    }
    assert_eq!(rows.len(), 4);
    assert_eq!(rows[0]["verdict"], "valid");
    assert_eq!(rows[0]["key"], "secret-1");
    assert_eq!(rows[1]["reasons"], serde_json::json!(["expired"]));
    assert_eq!(rows[1]["exp"], 1_790_000_000);
    assert_eq!(rows[2]["reasons"], serde_json::json!(["segment-count"]));
    assert_eq!(rows[0]["sha256"], rows[3]["sha256"]);
    assert!(rows[0].get("file").is_none(), "one input needs no name");
    assert!(
        stderr(&output).contains("expired"),
        "the report is on standard error"
    );
}

#[test]
fn rows_name_their_file_where_there_are_several() {
    let place = Place::new();
    place.write("a", good());
    place.write("b", "x");
    let args = ["--input", "tokens", "--format", "ndjson", "--quiet"];
    let output = place.audit(&[&args[..], &["a", "b"]].concat());
    let rows = rows(&stdout(&output));
    assert_eq!(
        (&rows[0]["file"], &rows[1]["file"]),
        (&"a".into(), &"b".into())
    );
    assert_eq!((&rows[0]["line"], &rows[1]["line"]), (&1.into(), &1.into()));
    assert_eq!(stderr(&output), "", "--quiet");
}

#[test]
fn standard_input_is_read_without_a_path_and_as_a_dash() {
    let place = Place::new();
    for args in [&[][..], &["-"]] {
        let log = File::open(place.write("log", good())).expect("the log");
        let mut command = place.command(&[&AUDIT[..], args].concat());
        let output = command.stdin(log).output().expect("jotmill runs");
        assert_eq!(code(&output), 0);
    }
    assert_cannot(&place.audit(&["-", "-"]), &["only once"]);
}

#[test]
fn rows_go_to_a_file_beside_any_format() {
    let place = Place::new();
    place.write("log", format!("{}\n{}\n", good(), expired()));
    for format in ["text", "json", "ndjson"] {
        let output = place.audit(&[
            "--format", format, "--rows", "rows", "--only", "rejected", "log",
        ]);
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let rows = rows(&place.read("rows"));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["line"], 2);
        if format == "ndjson" {
            assert_eq!(stdout(&output), place.read("rows"));
        }
    }
    let output = place.audit(&["--rows", "rows", "--only", "valid", "-o", "report", "log"]);
    assert_eq!((code(&output), stdout(&output)), (1, String::new()));
    assert_eq!(rows(&place.read("rows"))[0]["line"], 1);
    assert!(place.read("report").contains("expired"));
    assert_cannot(&place.audit(&["--only", "valid", "log"]), &["--rows"]);
}

#[test]
fn the_json_report_holds_the_totals() {
    let place = Place::new();
    place.write(
        "log",
        format!("{}\n{}\n\n{}\n", good(), expired(), token("other", "{}")),
    );
    let output = place.audit(&["--format", "json", "log"]);
    let report: Value = serde_json::from_str(&stdout(&output)).expect("the report is JSON");
    assert_eq!(report["schema"], "jotmill.report/1");
    assert_eq!(report["complete"], true);
    assert_eq!(
        (
            &report["tokens"],
            &report["valid"],
            &report["rejected"],
            &report["blank_lines"]
        ),
        (&3.into(), &1.into(), &2.into(), &1.into())
    );
    assert_eq!(
        report["reasons"],
        serde_json::json!({"expired": 1, "signature-mismatch": 1})
    );
    assert_eq!(report["issuers"]["https://auth.example.com/"]["valid"], 1);
    assert_eq!(report["samples"]["expired"][0]["line"], 2);
    assert_eq!(
        report["unchecked"],
        serde_json::json!(["issuer", "audience", "typ"])
    );
}

#[test]
fn an_input_that_cannot_be_read_leaves_the_others_judged() {
    let place = Place::new();
    place.write("log", good());
    fs::create_dir(place.path("folder")).expect("a folder");
    for (bad, hint) in [
        ("missing", "cannot open missing: No such file"),
        ("folder", "folder is a directory"),
        ("/proc/self/mem", "cannot read /proc/self/mem"),
    ] {
        if bad.starts_with('/') && !Path::new(bad).exists() {
            continue; // only Linux has it
        }
        let output = place.audit(&["--format", "json", bad, "log"]);
        assert_cannot(&output, &[hint]);
        let report: Value = serde_json::from_str(&stdout(&output)).expect("the report is JSON");
        assert_eq!(report["complete"], false, "{bad}");
        assert_eq!(report["valid"], 1, "{bad}");
        assert_eq!(report["inputs"][0]["name"], bad);
        assert!(report["inputs"][0]["error"].is_string());
        assert!(report["inputs"][1]["error"].is_null());
    }
}

#[test]
fn input_without_a_token_is_not_a_success() {
    let place = Place::new();
    for content in ["", "\n\n \r\n", "\u{feff}"] {
        place.write("log", content);
        assert_cannot(&place.audit(&["log"]), &["not one token"]);
    }
}

#[test]
fn keys_that_cannot_be_used_are_explained() {
    let place = Place::new();
    place.write("log", good());
    place.write("empty", "");
    place.write("bad", "not base64!");
    place.write("unknown.json", r#"{"kty":"unheard-of"}"#);
    place.write(
        "none.json",
        r#"{"keys":[{"kty":"RSA","kid":"r"},{"kty":"oct"}]}"#,
    );
    place.write("text.json", "{\"keys\"");
    place.write("words", "keys");
    place.write(
        "twice.json",
        "{\"kty\":\"oct\",\"k\":\"YQ\",\n\"k\":\"YQ\"}",
    );
    place.write("ec.pem", EC_PUBLIC);
    place.write("rsa.der", b"\x30\x82\x01\x22\x30");
    for (args, hints) in [
        (&[][..], &["no key given", "--jwks", "--secret-file"][..]),
        (
            &["--secret-file", "nowhere"],
            &["there is no such file", "not shown"],
        ),
        (&["--secret-file", "."], &["cannot read the secret ."]),
        (&["--secret-file", "empty"], &["empty", "is empty"]),
        (&["--secret-file", "base64:bad"], &["bad", "is not base64"]),
        (
            &["--secret-file", "hex:bad"],
            &["bad", "is not hexadecimal"],
        ),
        (
            &["--secret-env", "NOWHERE"],
            &["--secret-env names is not set"],
        ),
        (
            &["--secret-file", "./nowhere"],
            &["cannot read the secret ./nowhere"],
        ),
        (
            &["--jwks", "unknown.json"],
            &["unknown.json", "kty", "unknown type"],
        ),
        (&["--jwks", "rsa.der"], &["rsa.der", "not DER"]),
        (
            &["--jwks", "none.json"],
            &[
                "none.json",
                "no key of the set",
                "keys[0]: the numbers of the key",
            ],
        ),
        (
            &["--jwks", "text.json"],
            &["text.json", "not JSON", "line 1"],
        ),
        (
            &["--jwks", "words"],
            &["words", "neither PEM", "--secret-file"],
        ),
        (&["--jwks", "nowhere"], &["cannot read the key nowhere"]),
        (
            &["--jwks", "twice.json"],
            &["twice.json", "\"k\" occurs twice", "line 2 column 3"],
        ),
        (
            &["--secret-file", "b64:secret"],
            &["there is no such file", "base64:, base64url:, hex:"],
        ),
        (
            &["--secret-env", "b64:KEY"],
            &["is not set", "base64:, base64url:, hex:"],
        ),
        (
            &["--secret-file", ""],
            &["--secret-file", "a file is missing"],
        ),
        (
            &["--secret-file", "raw:"],
            &["--secret-file", "a file is missing"],
        ),
        (
            &["--secret-env", ""],
            &["--secret-env", "a variable is missing"],
        ),
        (
            &["--secret-env", "hex:"],
            &["--secret-env", "a variable is missing"],
        ),
        (&["--jwks", ""], &["--jwks", "a value is required"]),
    ] {
        let output = place.run(&[&["audit", "--now", NOW, "log"], args].concat());
        assert_cannot(&output, hints);
        assert_eq!(stdout(&output), "", "nothing is reported without a key");
    }
}

#[test]
fn a_secret_comes_from_a_variable_in_any_encoding() {
    let place = Place::new();
    place.write("log", good());
    let base64 = base64::engine::general_purpose::STANDARD.encode(SECRET);
    for (flag, value) in [
        ("KEY", SECRET),
        ("raw:KEY", SECRET),
        ("base64:KEY", &base64),
    ] {
        let mut command = place.command(&["audit", "--now", NOW, "--secret-env", flag, "log"]);
        let output = command.env("KEY", value).output().expect("jotmill runs");
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
}

#[test]
fn a_secret_in_the_place_of_a_variable_is_not_shown() {
    let place = Place::new();
    place.write("log", good());
    for secret in [
        SECRET,
        "c2VjcmV0LXNlY3JldA==",
        "raw:9f86d081884c7d659a2feaa0c55ad015",
        "TopSecretTopSecretTopSecret",
    ] {
        for flag in ["--secret-env", "--secret-file"] {
            let output = place.run(&["audit", "--now", NOW, flag, secret, "log"]);
            assert_cannot(&output, &["not shown"]);
            let secret = secret.trim_start_matches("raw:");
            assert!(!stderr(&output).contains(secret), "{}", stderr(&output));
        }
    }
}

#[test]
fn the_help_says_that_a_secret_is_no_argument() {
    let output = Place::new().run(&["audit", "--help"]);
    let help = stdout(&output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    for said in [
        "never an argument: other users",
        "by its name and never by its value",
    ] {
        assert!(help.contains(said), "{help}");
    }
}

#[test]
fn keys_of_one_id_are_counted_apart() {
    let place = Place::new();
    let key = |secret: &str| {
        let k = URL_SAFE_NO_PAD.encode(secret);
        format!(r#"{{"kty":"oct","kid":"secret-1","k":"{k}"}}"#)
    };
    let set = [key("one"), key("two")].join(",");
    // With a byte order mark, as some editors write it.
    place.write("keys.json", format!("\u{feff}{{\"keys\":[{set}]}}"));
    place.write(
        "log",
        [good(), token("two", "{}"), token("one", "{}")].join("\n"),
    );
    let output = place.audit(&[
        "--jwks",
        "keys.json",
        "--format",
        "json",
        "--rows",
        "rows",
        "log",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let names: Vec<_> = rows(&place.read("rows"))
        .iter()
        .map(|row| row["key"].as_str().map(str::to_owned))
        .collect();
    let expected = ["secret-1", "secret-1#3", "secret-1#2"];
    assert_eq!(names, expected.map(|name| Some(name.to_owned())));
    let report: Value = serde_json::from_str(&stdout(&output)).expect("the report is JSON");
    for name in expected {
        assert_eq!(report["keys"][name]["valid"], 1, "{name}");
    }
}

#[test]
fn a_secret_that_looks_like_a_public_key_is_warned_of() {
    let place = Place::new();
    place.write("log", good());
    place.write("pem", "-----BEGIN PUBLIC KEY-----");
    place.write("jwk", r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#);
    for (name, form) in [("pem", "a PEM file"), ("jwk", "a JWK; --jwks takes those")] {
        let args = ["audit", "--now", NOW, "--secret-file", name, "log"];
        let output = place.run(&args);
        assert_eq!(code(&output), 1, "it is a secret all the same");
        let printed = format!("warning: {name}: the secret looks like {form}; with a public key");
        assert!(stderr(&output).contains(&printed), "{}", stderr(&output));
        let output = place.run(&[&args[..], &["--quiet"]].concat());
        assert_eq!(stderr(&output), "");
    }
}

#[test]
fn a_byte_order_mark_in_front_of_a_secret_is_skipped_or_warned_of() {
    let place = Place::new();
    place.write("log", good());
    let base64 = base64::engine::general_purpose::STANDARD.encode(SECRET);
    place.write("encoded", format!("\u{feff}{base64}\r\n"));
    place.write("raw", format!("\u{feff}{SECRET}"));
    let run = |secret| place.run(&["audit", "--now", NOW, "--secret-file", secret, "log"]);
    let output = run("base64:encoded");
    assert_eq!((code(&output), stderr(&output)), (0, String::new()));
    let output = run("raw");
    assert_eq!(code(&output), 1, "raw is exact");
    assert!(stderr(&output).contains("begins with a byte order mark"));
}

#[test]
fn inspect_passes_over_a_byte_order_mark_and_sends_several_lines_to_audit() {
    let place = Place::new();
    let inspect = |input: String| {
        let input = File::open(place.write("input", input)).expect("the input");
        let mut command = place.command(&["inspect", "--secret-file", "secret", "--now", NOW]);
        command.stdin(input).output().expect("jotmill runs")
    };
    let output = inspect(format!("\u{feff}{}\r\n", good()));
    assert_eq!(code(&output), 0, "{}", stdout(&output));
    for first in [good(), format!("Bearer {}", good())] {
        let output = inspect(format!("{first}\n{}\n", good()));
        assert_eq!(code(&output), 0, "the first token is valid");
        let page = stdout(&output)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        assert!(page.contains("first of 2 tokens"), "{page}");
        assert!(page.contains("audit takes many"), "{page}");
    }
    assert_cannot(&inspect("\u{feff}\n".to_owned()), &["no token"]);
}

#[test]
fn a_raw_secret_with_a_final_newline_is_warned_of() {
    let place = Place::new();
    place.write("log", good());
    place.write("newline", format!("{SECRET}\n"));
    let args = ["audit", "--now", NOW, "--secret-file", "newline", "log"];
    let output = place.run(&args);
    assert_eq!(code(&output), 1, "the newline is part of the secret");
    assert!(stderr(&output).contains("warning: newline: the secret ends with a newline"));
    let output = place.run(&[&args[..], &["--quiet"]].concat());
    assert_eq!(stderr(&output), "");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    let place = Place::new();
    place.write("log", good());
    for (args, hint) in [
        (&["--alg", "HS257"][..], "HS256, HS384, HS512"),
        (&["--alg", "hs256"], "case matters"),
        (&["--now", "1790000000000"], "milliseconds; try 1790000000"),
        (&["--now", "yesterday"], "RFC 3339"),
        (&["--leeway", "soon"], "a duration is like"),
        (&["--max-token-bytes", "0"], "a size is like"),
        (&["--threads", "0"], "1..=1024"),
        (&["--max-key-tries", "0"], "at least one key"),
        (&["--require", ""], "empty name"),
        (&["--issuer", ""], "a value is required"),
        (&["--kernel", "steam"], "this processor can run"),
        (&["--format", "xml"], "possible values"),
        (&["--unheard-of"], "unexpected argument"),
    ] {
        // --now may be given once, so these do without the usual one.
        let output = place.run(&[&["audit", "--secret-file", "secret", "log"], args].concat());
        assert_cannot(&output, &[hint]);
    }
    assert_eq!(code(&place.run(&[])), 2, "no command");
}

#[test]
fn a_standard_error_that_is_full_changes_no_exit_code() {
    if !Path::new("/dev/full").exists() {
        return; // only Linux has it
    }
    let place = Place::new();
    place.write("log", good());
    for (args, expected) in [
        (&["missing"][..], 2),
        (&["log", "missing"], 2),
        (&["log"], 0),
    ] {
        let full = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("the device");
        let mut command = place.command(&[&AUDIT[..], args].concat());
        let output = command.stderr(full).output().expect("jotmill runs");
        assert_eq!(code(&output), expected, "{args:?}");
    }
}

#[test]
fn a_signal_stops_a_run_whose_input_arrives_in_drops() {
    let place = Place::new();
    for threads in ["1", "2"] {
        let args = ["--format", "json", "--threads", threads];
        let args = [&AUDIT[..], &LINES, &args].concat();
        let mut run = start(place.command(&args), Stdio::piped());
        let mut input = run.stdin.take().expect("a pipe");
        let drops = std::thread::spawn(move || {
            writeln!(input, "{}", good()).expect("it reads");
            // Until the reader closes the pipe.
            while input.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        std::thread::sleep(Duration::from_millis(500));
        send(&run, "-INT");
        let output = run.wait_with_output().expect("it ends");
        drops.join().expect("the writer ends");
        assert_eq!(code(&output), 130, "{}", stderr(&output));
        let report: Value = serde_json::from_str(&stdout(&output)).expect("the report is JSON");
        assert_eq!(
            (&report["complete"], &report["valid"]),
            (&false.into(), &1.into())
        );
    }
}

#[test]
fn a_full_disk_is_an_error() {
    if !Path::new("/dev/full").exists() {
        return; // only Linux has it
    }
    let place = Place::new();
    place.write("log", good());
    for args in [
        &["-o", "/dev/full", "log"][..],
        &["-o", "/dev/full", "--format", "json", "log"],
        &["-o", "/dev/full", "--format", "ndjson", "log"],
        &["--rows", "/dev/full", "log"],
    ] {
        assert_cannot(&place.audit(args), &["cannot write", "No space left"]);
    }
    for (args, message) in [
        (
            &["-o", "/dev/full"][..],
            "cannot write the report to /dev/full: No space",
        ),
        (
            &["-o", "/dev/full", "--format", "ndjson"],
            "cannot write rows to /dev/full: No space",
        ),
        (
            &["-o", "/dev/full", "--format", "ndjson", "--rows", "rows"],
            "cannot write rows to /dev/full: No space",
        ),
        (
            &["--format", "ndjson", "--rows", "/dev/full"],
            "cannot write rows to /dev/full: No space",
        ),
    ] {
        assert_cannot(&place.audit(&[args, &["log"]].concat()), &[message]);
    }
    for (format, what) in [("ndjson", "rows"), ("json", "the report")] {
        let full = OpenOptions::new().write(true).open("/dev/full");
        let output = place
            .command(&[&AUDIT[..], &["--format", format, "log"]].concat())
            .stdout(full.expect("the device"))
            .output();
        let message = format!("cannot write {what} to standard output: No space");
        assert_cannot(&output.expect("jotmill runs"), &[&message]);
    }
    let output = place.audit(&["--rows", "/dev/full", "--format", "json", "log"]);
    assert!(
        stdout(&output).contains("\"complete\": false"),
        "{}",
        stdout(&output)
    );
}

/// Starts a run whose standard output is a pipe that nobody reads yet.
fn start(mut command: Command, stdin: Stdio) -> Child {
    command
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().expect("jotmill starts")
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let place = Place::new();
    place.write("log", "x\n".repeat(100_000));
    let mut run = start(
        place.command(&[&AUDIT[..], &LINES, &["--format", "ndjson", "log"]].concat()),
        Stdio::null(),
    );
    let mut first = [0; 10];
    let mut out = run.stdout.take().expect("a pipe");
    out.read_exact(&mut first).expect("a row");
    drop(out);
    let output = run.wait_with_output().expect("it ends");
    assert_eq!((code(&output), stderr(&output)), (141, String::new()));
}

fn send(run: &Child, signal: &str) {
    let status = Command::new("kill")
        .args([signal, &run.id().to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

#[test]
fn a_signal_stops_a_run_whose_input_is_silent_and_reports_what_was_found() {
    for (signal, expected) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let args = ["--format", "json", "--rows", "rows", "-"];
        let args = [&AUDIT[..], &LINES, &args].concat();
        let mut run = start(place.command(&args), Stdio::piped());
        let mut input = run.stdin.take().expect("a pipe");
        // Two whole lines, and one that the interrupt cuts.
        write!(input, "{}\n{}\n{}", good(), expired(), good()).expect("it reads");
        wait_for(|| place.path("rows").exists() && place.read("rows").lines().count() == 2);
        let asked = Instant::now();
        send(&run, signal);
        let output = run.wait_with_output().expect("it ends");
        assert!(asked.elapsed() < Duration::from_secs(5), "it hangs");
        assert_eq!(code(&output), expected, "{}", stderr(&output));
        let report: Value = serde_json::from_str(&stdout(&output)).expect("the report is JSON");
        assert_eq!(report["complete"], false);
        assert_eq!(
            (&report["valid"], &report["rejected"]),
            (&1.into(), &1.into())
        );
        drop(input);
    }
}

#[test]
fn a_signal_stops_a_run_whose_output_is_blocked() {
    let place = Place::new();
    place.write("log", "x\n".repeat(1_000_000));
    let mut run = start(
        place.command(&[&AUDIT[..], &LINES, &["--format", "ndjson", "log"]].concat()),
        Stdio::null(),
    );
    let mut first = [0; 10];
    run.stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut first)
        .expect("a row");
    std::thread::sleep(Duration::from_millis(200));
    send(&run, "-INT");
    let status = run.wait().expect("it ends though nobody reads");
    assert_eq!(status.code(), Some(130));
}

fn wait_for(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs over a log that changes while the run waits for its rows to be read.
fn audit_while_changing(change: impl FnOnce(&Path)) -> Output {
    audit_of_changing("x\n".repeat(2_000_000), change)
}

fn audit_of_changing(content: String, change: impl FnOnce(&Path)) -> Output {
    let place = Place::new();
    let log = place.write("log", content);
    let args = ["--format", "ndjson", "--threads", "2", "log"];
    let args = [&AUDIT[..], &LINES, &args].concat();
    let mut run = start(place.command(&args), Stdio::null());
    let mut first = [0; 10];
    run.stdout
        .as_mut()
        .expect("a pipe")
        .read_exact(&mut first)
        .expect("a row");
    change(&log);
    run.wait_with_output().expect("it ends")
}

#[test]
fn a_file_that_shrinks_is_an_error_and_one_that_grows_is_noted() {
    let output = audit_while_changing(|log| {
        OpenOptions::new()
            .write(true)
            .open(log)
            .and_then(|log| log.set_len(1 << 20))
            .expect("cut");
    });
    assert_cannot(
        &output,
        &["log shrank while it was read: 4000000 bytes when it was opened"],
    );
    let output = audit_while_changing(|log| {
        let mut log = OpenOptions::new().append(true).open(log).expect("the log");
        log.write_all(b"more\n").expect("it grows");
    });
    assert_eq!(code(&output), 1);
    assert_eq!(
        stdout(&output).lines().count(),
        2_000_000,
        "not the line that came later"
    );
    assert!(stderr(&output).contains("grew"), "{}", stderr(&output));
    assert!(!stderr(&output).contains("half-written"));
}

#[test]
fn a_last_line_that_was_half_written_is_reported() {
    let output = audit_of_changing("x\n".repeat(2_000_000) + "half", |log| {
        let mut log = OpenOptions::new().append(true).open(log).expect("the log");
        log.write_all(b" and the rest\n").expect("it grows");
    });
    let report = stderr(&output)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let expected = "its last line, 2,000,001, was judged half-written";
    assert!(report.contains(expected), "{report}");
}

#[test]
fn a_named_pipe_is_read_to_its_end() {
    let place = Place::new();
    let pipe = place.path("pipe");
    let made = Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .expect("mkfifo runs");
    assert!(made.success());
    let run = start(
        place.command(&[&AUDIT[..], &["pipe"]].concat()),
        Stdio::null(),
    );
    // Opening waits for the run to open the other end.
    let mut input = OpenOptions::new()
        .write(true)
        .open(&pipe)
        .expect("the pipe");
    std::thread::sleep(Duration::from_millis(120));
    writeln!(input, "{}", good()).expect("it reads");
    drop(input);
    let output = run.wait_with_output().expect("it ends");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn every_kernel_gives_the_same_rows() {
    let place = Place::new();
    let log: Vec<String> = (0..300)
        .map(|n| token(["x", SECRET][n % 2], "{}"))
        .collect();
    place.write("log", log.join("\n"));
    let rows = |kernel: &str| {
        let args = [&AUDIT[..], &["--format", "ndjson", "--quiet", "log"]].concat();
        let output = place.command(&args).env("JOTMILL_KERNEL", kernel).output();
        stdout(&output.expect("jotmill runs"))
    };
    let first = rows("portable");
    assert_eq!(first.lines().count(), 300);
    for kernel in jotmill::Kernel::available() {
        assert!(rows(kernel.name()) == first, "{kernel}");
    }
    let output = place
        .command(&[&AUDIT[..], &["log"]].concat())
        .env("JOTMILL_KERNEL", "x")
        .output();
    assert_cannot(
        &output.expect("jotmill runs"),
        &["$JOTMILL_KERNEL", "portable"],
    );
}

#[test]
fn colour_is_only_for_terminals_by_default() {
    let place = Place::new();
    place.write("log", good());
    let escapes = |output: &Output| stdout(output).contains('\u{1b}');
    assert!(!escapes(&place.audit(&["log"])));
    assert!(escapes(&place.audit(&["--color", "always", "log"])));
    assert!(!escapes(&place.audit(&["--color", "never", "log"])));
}

#[test]
fn completions_and_manual_are_printed() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let output = place.run(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("--secret-file"), "{shell}");
    }
    let output = place.run(&["man"]);
    assert!(
        stdout(&output).contains(".TH jotmill"),
        "{}",
        stdout(&output)
    );
}

const EC_PUBLIC: &[u8] = include_bytes!("../keyfiles/ec.pub");
const EC_PRIVATE: &[u8] = include_bytes!("../keyfiles/ec.p8");
const EC_CERTIFICATE: &[u8] = include_bytes!("../keyfiles/ec.crt");

/// A token that the key in `keyfiles/ec.p8` signs.
fn signed_by_ec(kid: &str) -> String {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let text = String::from_utf8_lossy(EC_PRIVATE);
    let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    let der = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body);
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der.expect("base64"));
    let input = format!(
        "{}.{}",
        encode(format!(r#"{{"alg":"ES256"{kid}}}"#)),
        encode("{}")
    );
    let signature = (pair.expect("a key"))
        .sign(&aws_lc_rs::rand::SystemRandom::new(), input.as_bytes())
        .expect("a signature");
    format!("{input}.{}\n", encode(signature))
}

#[test]
fn public_keys_are_taken_from_files_and_folders() {
    let place = Place::new();
    place.write("log", signed_by_ec(""));
    place.write("ec.pub", EC_PUBLIC);
    place.write("ec.crt", EC_CERTIFICATE);
    fs::create_dir(place.path("keys")).expect("a folder");
    fs::write(place.path("keys/ec.pem"), EC_PUBLIC).expect("a key");
    fs::write(place.path("keys/README"), "Keys of ours.").expect("a file");
    let now = ["audit", "--now", "1800000000", "log", "--key"];
    for (path, warning) in [
        ("ec.pub", ""),
        ("ec.crt", ""),
        ("keys", "keys/README: neither PEM, DER nor a JWK Set"),
    ] {
        let output = place.run(&[&now[..], &[path]].concat());
        assert_eq!(output.status.code(), Some(0), "{path}: {output:?}");
        assert!(stdout(&output).contains("1 token, valid"), "{path}");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(printed.contains(warning), "{printed}");
        assert_eq!(printed.is_empty(), warning.is_empty(), "{printed}");
    }
    fs::create_dir(place.path("empty")).expect("a folder");
    fs::create_dir(place.path("other")).expect("a folder");
    place.write("other/notes", "Nothing yet.");
    for (path, hints) in [
        ("empty", &["no key in the folder empty can be used"][..]),
        (
            "other",
            &[
                "no key in the folder other can be used",
                "other/notes: neither PEM",
            ],
        ),
        ("secret", &["neither PEM, DER nor a JWK Set"]),
        ("nowhere", &["cannot read the key nowhere"]),
    ] {
        assert_cannot(&place.run(&[&now[..], &[path]].concat()), hints);
    }
}

/// A file without a usable key is listed once and warned of. One that cannot be read is an error,
/// since it might hold the key of any token.
#[cfg(unix)]
#[test]
fn a_folder_of_keys_is_read_whole_or_not_at_all() {
    let place = Place::new();
    place.write("log", signed_by_ec(""));
    for folder in ["keys", "keys/older", "keys/.git"] {
        fs::create_dir(place.path(folder)).expect("a folder");
    }
    for (name, content) in [
        (".DS_Store", "\0\0\0\u{1}Bud1"),
        (
            "README",
            "A key begins with -----BEGIN PUBLIC KEY-----, they say.",
        ),
        ("older/ec.pem", "not a key"),
        (".git/config", "[core]"),
        (
            "set.json",
            r#"{"keys":[{"kty":"oct","k":"?","kid":"a"},{"kty":"oct","k":"!"}]}"#,
        ),
        ("theirs.json", r#"{"access_token":"x"}"#),
    ] {
        place.write(&format!("keys/{name}"), content);
    }
    place.write("keys/ec.pem", EC_PUBLIC);
    // A pipe would block forever.
    let made = Command::new("mkfifo").arg(place.path("keys/pipe")).status();
    assert!(made.is_ok_and(|status| status.success()));
    let large = File::create(place.path("keys/large.bin")).expect("a file");
    large.set_len((64 << 20) + 1).expect("a large file");

    let output = place.run(&["audit", "--now", "1800000000", "log", "--key", "keys"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let printed = [
        ("keys/.DS_Store: neither PEM, DER nor a JWK Set", None),
        ("keys/README: line 1: a PEM block without an end", None),
        ("keys/large.bin: larger than 64 MiB", None),
        ("keys/older: a folder in a folder of keys", None),
        ("keys/pipe: no regular file", None),
        ("keys[0] of keys/set.json (a): k: ", Some(0)),
        ("keys[1] of keys/set.json", Some(1)),
        ("keys/theirs.json: neither a JWK Set", None),
    ];
    let warnings = stderr(&output);
    for (warning, (expected, _)) in warnings.lines().zip(printed) {
        assert!(warning.contains(expected), "{warning}");
        assert!(warning.ends_with("; it is not used"), "{warning}");
    }
    assert_eq!(warnings.lines().count(), printed.len(), "{warnings}");

    let keys = ["keys", "--key", "keys"];
    let listed = place.run(&[&keys[..], &["--format", "json"]].concat());
    let listed: Value = serde_json::from_str(&stdout(&listed)).expect("JSON");
    let aside = listed["set_aside"].as_array().expect("an array");
    let found: Vec<_> = (aside.iter())
        .map(|key| {
            (
                key["origin"].as_str().unwrap_or_default(),
                key["index"].as_u64(),
            )
        })
        .collect();
    let file = |text: &'static str| {
        let place = text.split([':', '(']).next().unwrap_or_default();
        place
            .rsplit(' ')
            .find(|word| word.contains('/'))
            .unwrap_or_default()
    };
    // The members of the set, one by one, and not the file once more.
    let expected: Vec<_> = (printed.iter())
        .map(|(text, index)| (file(text), *index))
        .collect();
    assert_eq!(found, expected);
    let text = stdout(&place.run(&keys));
    assert!(text.contains("\n  keys/.DS_Store: neither"), "{text}");
    assert!(
        text.contains("\n  keys[0] of keys/set.json (a): k: "),
        "{text}"
    );

    // A mount that was taken away, a link to a disk that is gone.
    std::os::unix::fs::symlink("nowhere", place.path("keys/zz.pem")).expect("a link");
    for command in [&["audit", "log", "--key", "keys"][..], &keys] {
        assert_cannot(&place.run(command), &["cannot read the key keys/zz.pem"]);
    }
}

#[test]
fn weak_keys_are_warned_of_and_refused_with_strict_keys() {
    let place = Place::new();
    place.write("log", signed_by_ec(""));
    place.write("ec.p8", EC_PRIVATE);
    place.write("ec.crt", EC_CERTIFICATE);
    for (path, now, code, words) in [
        (
            "ec.p8",
            "1800000000",
            "private-material",
            "holds the private key",
        ),
        ("ec.crt", "2200000000", "certificate-expired", "has expired"),
        (
            "ec.crt",
            "1700000000",
            "certificate-not-yet-valid",
            "not valid yet",
        ),
    ] {
        let args = ["audit", "log", "--key", path, "--now", now];
        let output = place.run(&args);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            printed.contains(code) && printed.contains(words),
            "{printed}"
        );
        assert!(stdout(&output).contains(code), "{}", stdout(&output));
        let output = place.run(&[&args[..], &["--strict-keys"]].concat());
        assert_cannot(&output, &["--strict-keys refuses weak keys", code]);
    }
}

/// A secret of zero bytes verifies what it signed, and so what an empty one signed; --strict-keys
/// refuses it.
#[test]
fn a_secret_of_zero_bytes_is_reported_and_refused_like_any_that_attackers_try_first() {
    let place = Place::new();
    let zeros = [0; 64];
    let named = TokenMaker::new().payload("{}");
    place.write("log", named.clone().secret(zeros).sign());
    place.write("zeros", zeros);
    place.write("zeros.hex", "00".repeat(64));
    let k = encode(zeros);
    place.write("zeros.json", format!(r#"{{"kty":"oct","k":"{k}"}}"#));
    for key in [
        ["--secret-file", "zeros"],
        ["--secret-file", "hex:zeros.hex"],
        ["--secret-env", "base64url:ZEROS"],
        ["--jwks", "zeros.json"],
    ] {
        let run = |args: &[&str]| {
            let mut command = place.command(&[args, &key[..]].concat());
            command.env("ZEROS", &k).output().expect("the binary runs")
        };
        let audit = ["audit", "--now", NOW, "--format", "json", "log"];
        let output = run(&audit);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        assert!(stderr(&output).contains("notorious-secret"), "{key:?}");
        let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
        let found = &report["keys"]["secret-1"];
        assert_eq!(found["valid"], 1, "{found}");
        assert_eq!(
            found["findings"],
            serde_json::json!(["notorious-secret"]),
            "{found}"
        );
        let listed = run(&["keys"]);
        assert!(stdout(&listed).contains("notorious-secret"), "{key:?}");
        let strict = run(&[&audit[..], &["--strict-keys"]].concat());
        assert_cannot(
            &strict,
            &["refuses weak keys", "secret-1", "notorious-secret"],
        );
    }
}

/// RFC 7518 section 3.2 requires a secret as long as the hash of the algorithm that is used.
#[test]
fn a_secret_is_weak_by_the_algorithms_that_the_policy_leaves_to_it() {
    let place = Place::new();
    place.write("log", good());
    place.write(
        "bound.json",
        r#"{"kty":"oct","alg":"HS256","k":"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgb2s"}"#,
    );
    let audit = |args: &[&str]| place.run(&[&["audit", "--now", NOW, "log"], args].concat());
    let secret = ["--secret-file", "secret", "--strict-keys"];
    for alg in [&[][..], &["--alg", "HS512"], &["--alg", "HS256,HS384"]] {
        let output = audit(&[&secret[..], alg].concat());
        assert_cannot(&output, &["refuses weak keys", "secret-1", "short-secret"]);
    }
    for alg in ["HS256", "HS256,RS512"] {
        let output = audit(&[&secret[..], &["--alg", alg, "--format", "json"]].concat());
        assert_eq!(code(&output), 0, "{alg}: {}", stderr(&output));
        let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
        let key = &report["keys"]["secret-1"];
        assert_eq!(
            (&key["findings"], &key["weak_for"]),
            (&Value::Null, &Value::Null)
        );
    }
    assert_eq!(code(&audit(&["--jwks", "bound.json", "--strict-keys"])), 0);
    // A list of keys has no policy.
    let listed = place.run(&["keys", "--secret-file", "secret"]);
    assert!(
        stdout(&listed).contains("short-secret"),
        "{}",
        stdout(&listed)
    );
    assert_cannot(
        &place.run(&[&["keys"], &secret[..]].concat()),
        &["short-secret"],
    );
}

#[test]
fn a_kid_that_names_no_key_is_reported_whatever_the_verdict() {
    let place = Place::new();
    place.write("secret", SECRET);
    let k = encode(SECRET);
    place.write(
        "named.json",
        format!(r#"{{"keys":[{{"kty":"oct","kid":"known","k":"{k}"}}]}}"#),
    );
    let header = |kid| TokenMaker::new().header(format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
    let good = |kid| header(kid).payload("{}").secret(SECRET).sign();
    let forged = |kid| header(kid).payload("{}").secret("another").sign();
    let log = [
        good("known"),
        good("a"),
        forged("known"),
        forged("b"),
        forged("b"),
    ];
    place.write("log", log.join(&b'\n'));
    let unknown = |keys: &[&str]| {
        let options = ["audit", "--now", NOW, "--format", "json", "log"];
        let output = place.run(&[&options[..], keys].concat());
        let report: Value = serde_json::from_str(&stdout(&output)).expect("a report");
        report["unknown_kids"].to_string()
    };
    assert_eq!(unknown(&["--jwks", "named.json"]), r#"{"a":1,"b":2}"#);
    // A key of another id than the one named verifies "a".
    assert_eq!(
        unknown(&["--jwks", "named.json", "--kid-hint"]),
        r#"{"a":1,"b":2}"#
    );
    // A key without an id may verify a token of any kid; those that it did not verify name none.
    assert_eq!(
        unknown(&["--secret-file", "secret"]),
        r#"{"b":2,"known":1}"#
    );
    let both = ["--secret-file", "secret", "--jwks", "named.json"];
    assert_eq!(unknown(&both), r#"{"b":2}"#);
}

#[test]
fn a_short_secret_is_reported_even_if_it_verified_nothing() {
    let place = Place::new();
    place.write("log", good());
    place.write("secret", SECRET);
    place.write("short", "a short one");
    let output = place.audit(&["--secret-file", "short", "log"]);
    let printed = stdout(&output);
    let words: Vec<&str> = printed.split_whitespace().collect();
    let words = words.join(" ");
    assert!(
        words.contains("short-secret: the secret is shorter than the hash: secret-2"),
        "{printed}"
    );
}

#[test]
fn keys_are_listed_without_a_secret_or_a_hash_of_one() {
    let place = Place::new();
    place.write("ec.crt", EC_CERTIFICATE);
    place.write(
        "set.json",
        r#"{"keys":[{"kty":"oct","kid":"s","k":"c2VjcmV0","use":"sig"},{"kty":"EC","kid":"b\u001bx"}]}"#,
    );
    let args = [
        "keys",
        "--jwks",
        "set.json",
        "--key",
        "ec.crt",
        "--now",
        "1800000000",
    ];
    let output = place.run(&args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output);
    for part in [
        "EC P-256",
        "2026-11-23T23:02:44Z to 2036-11-20T23:02:44Z",
        "short-secret, notorious-secret",
        "unusable keys:",
        "the numbers of the key are absent",
        r"b\u{1b}x",
    ] {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    assert!(!text.contains("c2VjcmV0"));
    let output = place.run(&[&args[..], &["--format", "json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(value["schema"], "jotmill.keys/1");
    assert_eq!(value["keys"][0]["thumbprint"], serde_json::Value::Null);
    assert_eq!(value["keys"][1]["kty"], "EC");
    assert_eq!(value["keys"][1]["name"], value["keys"][1]["thumbprint"]);
    assert_eq!(value["set_aside"][0]["index"], 1);
    assert_cannot(&place.run(&["keys"]), &["no key given"]);
}

#[test]
fn the_list_of_keys_shows_why_a_key_never_verifies() {
    let place = Place::new();
    for (members, said, by) in [
        (r#""use":"sig","key_ops":["verify","x"]"#, "HS256", None),
        (
            r#""use":"sig","key_ops":["encrypt","decrypt"]"#,
            "none (key_ops: encrypt, decrypt)",
            Some("key_ops"),
        ),
        (r#""key_ops":[]"#, "HS256,HS384,HS512", None),
        (r#""use":null"#, "HS256,HS384,HS512", None),
        (
            r#""key_ops":["verify "]"#,
            "none (key_ops: verify )",
            Some("key_ops"),
        ),
        (r#""use":"enc""#, "none (use: enc)", Some("use")),
        (r#""use":"""#, "none (use is empty)", Some("use")),
        (r#""alg":"A256KW""#, "none (alg: A256KW)", Some("alg")),
        (
            r#""alg":"RS256","key_ops":["sign"]"#,
            "none (alg: RS256)",
            Some("alg"),
        ),
    ] {
        let jwk = format!(r#"{{"kty":"oct","k":"c2VjcmV0",{members}}}"#);
        place.write("key.json", &jwk);
        let text = stdout(&place.run(&["keys", "--jwks", "key.json"]));
        assert!(text.contains(said), "{said} is not in:\n{text}");
        let output = place.run(&["keys", "--jwks", "key.json", "--format", "json"]);
        let listed: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        let jwk: Value = serde_json::from_str(&jwk).expect("JSON");
        let key = &listed["keys"][0];
        assert_eq!(key["ruled_out_by"].as_str(), by);
        assert_eq!(key["algorithms"] == serde_json::json!([]), by.is_some());
        for member in ["use", "key_ops", "alg"] {
            // An empty array says nothing.
            let said = Some(&jwk[member]).filter(|value| **value != serde_json::json!([]));
            assert_eq!(key.get(member), said.or(Some(&Value::Null)), "{members}");
        }
    }
}

/// Every token would be rejected, and nobody would know that a key set is to blame.
#[test]
fn keys_that_can_verify_nothing_are_an_error_where_there_is_no_other() {
    let place = Place::new();
    place.write("log", good());
    let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T";
    for (members, said) in [
        (r#""use":"enc""#, &["use: \"enc\" is for encryption"][..]),
        (r#""use":"x509-svid""#, &["use: \"x509-svid\""]),
        (
            r#""use":"signature""#,
            &["use: \"signature\" is no registered use"],
        ),
        (r#""alg":"dir""#, &["alg: \"dir\""]),
        (
            r#""alg":"hs256""#,
            &["alg: \"hs256\" is no registered algorithm"],
        ),
        (
            r#""key_ops":["encrypt","decrypt"]"#,
            &["key_ops: [\"encrypt\", \"decrypt\"]"],
        ),
    ] {
        let key = format!(r#"{{"kty":"oct","kid":"k1","k":"{k}",{members}}}"#);
        place.write("one.json", &key);
        place.write("set.json", format!(r#"{{"keys":[{key}]}}"#));
        let other = format!(r#"{{"kty":"oct","k":"{k}","use":"enc"}}"#);
        place.write("two.json", format!(r#"{{"keys":[{key},{other}]}}"#));
        for (file, prefix) in [
            ("one.json", "no key can verify anything: one.json (k1): "),
            (
                "set.json",
                "no key can verify anything: keys[0] of set.json (k1): ",
            ),
            ("two.json", "no other of 2 keys can"),
        ] {
            let hints = [said, &[prefix]].concat();
            for command in [&["audit", "log"][..], &["inspect", "e30.e30."]] {
                let args = [command, &["--now", NOW, "--jwks", file]].concat();
                assert_cannot(&place.run(&args), &hints);
            }
        }
        // Beside another one it is a warning, and a line in the report.
        let good = format!(r#"{{"kty":"oct","k":"{k}"}}"#);
        place.write("both.json", format!(r#"{{"keys":[{good},{key}]}}"#));
        let args = ["audit", "log", "--now", NOW, "--jwks", "both.json"];
        let output = place.run(&args);
        let warning = format!("warning: keys[1] of both.json (k1): {}", said[0]);
        assert_eq!(stderr(&output).matches(&warning).count(), 1, "{output:?}");
        let report = place.run(&[&args[..], &["--format", "json"]].concat());
        let report: Value = serde_json::from_str(&stdout(&report)).expect("JSON");
        assert_eq!(report["set_aside"][0]["index"], 1);
        assert_eq!(report["set_aside"][0]["kid"], "k1");
        let text = stdout(&output).replace("\n                      ", " ");
        assert!(
            text.contains("unusable key: keys[1] (k1) of both.json: "),
            "{text}"
        );
    }
    // The policy rules it out.
    place.write("es.pem", EC_PUBLIC);
    let args = [
        "audit",
        "log",
        "--now",
        NOW,
        "--key",
        "es.pem",
        "--alg",
        "RS256,HS256",
    ];
    let hints = ["is for ES256, and --alg allows HS256, RS256 alone"];
    assert_cannot(&place.run(&args), &hints);
    // Secrets of the wrong alphabet are not quoted.
    place.write(
        "bad.json",
        r#"{"keys":[{"kty":"oct","kid":"a","k":"S3cr3t*S3cr3t"}]}"#,
    );
    let output = place.run(&["audit", "log", "--jwks", "bad.json"]);
    assert_cannot(&output, &["k: the character at byte 6 is not base64url"]);
    assert!(!stderr(&output).contains("S3cr3t"));
}

/// A token is not called changed where a key that was set aside may have signed it.
#[test]
fn a_key_that_may_have_signed_a_rejected_token_is_named() {
    let place = Place::new();
    place.write("log", signed_by_ec(""));
    let other = concat!(
        r#"{"kty":"EC","kid":"other","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9u"#,
        r#"PHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let token = signed_by_ec("");
    for (key, names) in [
        (r#"{"kty":"EC","crv":"P-256","x":"AQ","y":"A*"}"#, true),
        (
            r#"{"kty":"EC","crv":"P-256","kid":7,"x":"AQ","y":"AQ"}"#,
            true,
        ),
        (
            r#"{"kty":"EC","kid":"k","use":"enc","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
            true,
        ),
        (r#"{"kty":"RSA","kid":"r","n":"AQ","e":"AQAB"}"#, false),
        (r#"{"kty":"OKP","kid":"x","crv":"X25519","x":"AQ"}"#, false),
    ] {
        place.write("set.json", format!(r#"{{"keys":[{other},{key}]}}"#));
        let of = |args: &[&str]| {
            let output = place.run(&[args, &["--jwks", "set.json", "--now", NOW]].concat());
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            stdout(&output)
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        };
        let page = of(&["inspect", token.trim()]);
        let report = of(&["audit", "log"]);
        assert!(page.contains("signature-mismatch"), "{page}");
        assert_eq!(page.contains("the token was changed"), !names, "{page}");
        let said = "keys[1] of \"set.json\" may have made it, but cannot be used: ";
        assert_eq!(page.contains(said), names, "{page}");
        let said = "keys[1] of set.json may have signed some, but cannot be used: ";
        assert_eq!(report.contains(said), names, "{report}");
    }
}

/// The forms in which .NET and Java write keys do not make them weak, and others do.
#[test]
fn strict_keys_take_empty_members_and_refuse_numbers_that_are_not_canonical() {
    let place = Place::new();
    place.write("log", signed_by_ec(""));
    let vector = jotmill_test_support::rfc_vectors::ES256_OF_RFC_7515;
    place.write("token", vector.token);
    let jwk: Value = serde_json::from_str(vector.key).expect("JSON");
    let x = jwk["x"].as_str().expect("a coordinate").to_owned();
    for (member, value, code) in [
        ("x5c", serde_json::json!([]), "empty-member"),
        ("oth", serde_json::json!([]), "empty-member"),
        ("use", Value::Null, "empty-member"),
        ("x5t", Value::Null, "empty-member"),
        ("x", format!("{x}=").into(), "not-canonical"),
        ("x", format!("AA{x}").into(), ""),
        (
            "x",
            format!("{}\n{}", &x[..9], &x[9..]).into(),
            "not-canonical",
        ),
    ] {
        let mut jwk = jwk.clone();
        jwk["d"] = Value::Null;
        jwk[member] = value.clone();
        place.write("key.json", jwk.to_string());
        let args = [
            "audit",
            "token",
            "--jwks",
            "key.json",
            "--now",
            "1300819379",
        ];
        let output = place.run(&args);
        let strict = place.run(&[&args[..], &["--strict-keys"]].concat());
        match code {
            // 34 bytes with a first one that is no zero.
            "" => assert_cannot(&output, &["x: "]),
            "empty-member" => {
                assert_eq!(strict.status.code(), Some(0), "{strict:?}");
                assert!(stdout(&strict).contains(code), "{strict:?}");
                assert_eq!(stderr(&output), "");
            }
            _ => {
                assert_eq!(output.status.code(), Some(0), "{output:?}");
                assert!(stderr(&output).contains("(not-canonical)"), "{output:?}");
                assert_cannot(&strict, &["--strict-keys refuses weak keys", code]);
            }
        }
    }
}

/// A set of many keys is listed one by one, and not held as a whole in another form.
#[test]
fn many_keys_of_one_id_are_listed_in_both_forms() {
    let place = Place::new();
    let key = r#"{"kty":"oct","kid":"a","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"}"#;
    place.write(
        "set.json",
        format!(r#"{{"keys":[{}]}}"#, vec![key; 2000].join(",")),
    );
    let args = ["keys", "--jwks", "set.json"];
    assert_eq!(stdout(&place.run(&args)).lines().count(), 2001);
    let listed = place.run(&[&args[..], &["--format", "json"]].concat());
    let listed: Value = serde_json::from_str(&stdout(&listed)).expect("JSON");
    assert_eq!(listed["keys"][1999]["name"], "a#2000");
    assert_eq!(listed["set_aside"], serde_json::json!([]));
}

/// A key set is written by others, and may have names of any length.
#[test]
fn no_name_in_a_key_set_makes_a_line_long() {
    let place = Place::new();
    let long = "x".repeat(5000);
    for members in [
        format!(r#""kid":"{long}","k":"?""#),
        format!(r#""kid":"{long}","k":"c2VjcmV0""#),
        format!(r#""use":"{long}","k":"c2VjcmV0""#),
        format!(r#""alg":"{long}","k":"c2VjcmV0""#),
    ] {
        let good = r#"{"kty":"oct","k":"c2VjcmV0"}"#;
        let set = format!(r#"{{"keys":[{good},{{"kty":"oct",{members}}}]}}"#);
        place.write("set.json", set);
        let text = stdout(&place.run(&["keys", "--jwks", "set.json"]));
        let longest = text.lines().map(|line| line.chars().count()).max();
        assert!(longest.is_some_and(|longest| longest < 400), "{text}");
        assert!(text.contains("xxxx…"), "{text}");
    }
}

#[test]
fn the_greater_s_of_ecdsa_is_counted_and_changes_no_exit_code() {
    let place = Place::new();
    let vector = jotmill_test_support::rfc_vectors::ES256_OF_RFC_7515;
    place.write("log", vector.token);
    place.write("keys.json", vector.key);
    let args = ["audit", "log", "--jwks", "keys.json", "--now", "1300819379"];
    let output = place.run(&args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = stdout(&output);
    assert!(
        text.contains("ecdsa-high-s: of two ECDSA signatures"),
        "{text}"
    );
    let output = place.run(&[&args[..], &["--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(report["findings"]["ecdsa-high-s"], 1, "{report}");
}

#[test]
fn a_kid_hint_finds_the_key_that_signed_and_says_so() {
    let place = Place::new();
    place.write("log", signed_by_ec(r#","kid":"other""#));
    place.write("ec.pub", EC_PUBLIC);
    place.write(
        "other.json",
        concat!(
            r#"{"kty":"EC","kid":"other","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9u"#,
            r#"PHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
        ),
    );
    let args = [
        "audit",
        "log",
        "--jwks",
        "other.json",
        "--key",
        "ec.pub",
        "--now",
        NOW,
    ];
    assert_eq!(place.run(&args).status.code(), Some(1));
    let output = place.run(&[&args[..], &["--kid-hint"]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(stdout(&output).contains("kid-of-another-key"));
    let token = signed_by_ec(r#","kid":"other""#);
    let args = [
        "inspect",
        token.trim(),
        "--jwks",
        "other.json",
        "--key",
        "ec.pub",
        "--kid-hint",
    ];
    let output = place.run(&[&args[..], &["--now", NOW]].concat());
    let page = stdout(&output);
    assert_eq!(page.matches("kid-of-another-key").count(), 1, "{page}");
}
