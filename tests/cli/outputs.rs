//! Outputs: none of them is a file that is read, and none vanishes.

use std::fs::{self, File, OpenOptions};

use serde_json::Value;

use crate::program::{AUDIT, Place, SECRET, assert_cannot, code, good, stderr, stdout};

#[test]
fn an_output_that_is_also_read_is_refused_before_it_is_touched() {
    let place = Place::new();
    let log = place.write("log", good());
    fs::hard_link(&log, place.path("link")).expect("a hard link");
    std::os::unix::fs::symlink(&log, place.path("symlink")).expect("a symbolic link");
    for output in ["log", "./log", "link", "symlink"] {
        for flag in ["-o", "--rows"] {
            let refused = place.audit(&[flag, output, "log"]);
            assert_cannot(&refused, &["also read", "log"]);
        }
        assert_eq!(place.read("log"), good(), "untouched");
    }
    assert_cannot(
        &place.audit(&["-o", "secret", "log"]),
        &["secret is also read"],
    );
    assert_eq!(place.read("secret"), SECRET);
    assert_cannot(
        &place.audit(&["-o", "out", "--rows", "out", "log"]),
        &["the same file"],
    );

    let appending = OpenOptions::new().append(true).open(&log).expect("the log");
    let output = place
        .command(&[&AUDIT[..], &["log"]].concat())
        .stdout(appending)
        .output();
    assert_cannot(
        &output.expect("jotmill runs"),
        &["standard output is also read, as log"],
    );
    let input = File::open(&log).expect("the log");
    let output = place
        .command(&[&AUDIT[..], &["-o", "log"]].concat())
        .stdin(input)
        .output();
    assert_cannot(
        &output.expect("jotmill runs"),
        &["also read, as standard input"],
    );
    assert_eq!(place.read("log"), good(), "untouched");
}

#[test]
fn an_output_that_is_created_and_read_is_refused_and_removed() {
    let place = Place::new();
    place.write("log", good());
    for flag in ["-o", "--rows"] {
        let output = place.audit(&[flag, "new", "log", "new", "log"]);
        assert_cannot(&output, &["new is also read"]);
        assert!(!place.path("new").exists(), "{flag}");
        std::os::unix::fs::symlink("target", place.path("link")).expect("a symbolic link");
        let output = place.audit(&[flag, "link", "log", "target"]);
        assert_cannot(&output, &["link is also read, as target"]);
        assert!(!place.path("target").exists(), "{flag}");
        fs::remove_file(place.path("link")).expect("the link");
    }
    // Of two outputs that were created, both are removed.
    let output = place.audit(&["-o", "other", "--rows", "new", "log", "new"]);
    assert_cannot(&output, &["new is also read"]);
    assert!(!place.path("other").exists());
}

#[test]
fn an_output_in_a_folder_of_keys_is_refused() {
    let place = Place::new();
    place.write("log", good());
    fs::create_dir(place.path("keys")).expect("a folder");
    let jwk = r#"{"kty":"oct","k":"YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBieXRlcywgb2s"}"#;
    place.write("keys/a.json", jwk);
    fs::hard_link(place.path("keys/a.json"), place.path("b")).expect("a hard link");
    for output in ["keys/a.json", "keys/../keys/a.json", "b", "keys/new"] {
        for flag in ["-o", "--rows"] {
            let run = place.run(&["audit", "--key", "keys", "--now", "1", flag, output, "log"]);
            assert_cannot(&run, &["also read"]);
        }
    }
    assert_eq!(place.read("keys/a.json"), jwk, "untouched");
    assert!(!place.path("keys/new").exists());
}

#[test]
fn conflicting_outputs_leave_existing_files_unchanged() {
    let place = Place::new();
    place.write("log", good());
    place.write("report", "precious");
    assert_cannot(
        &place.audit(&["-o", "report", "--rows", "nowhere/rows", "log"]),
        &["nowhere"],
    );
    assert_eq!(place.read("report"), "precious");
    std::os::unix::fs::symlink("new", place.path("link")).expect("a symbolic link");
    for other in ["./new", "link"] {
        let output = place.audit(&["-o", "new", "--rows", other, "log"]);
        assert_cannot(&output, &["the same file"]);
    }
    let rows = File::create(place.path("rows")).expect("a file");
    let args = [&AUDIT[..], &["--format", "ndjson", "--rows", "rows", "log"]].concat();
    let output = place
        .command(&args)
        .stdout(rows)
        .output()
        .expect("jotmill runs");
    assert_cannot(&output, &["the same file"]);
    assert_cannot(&place.audit(&["-o", "-", "log"]), &["not -"]);
}

#[test]
#[cfg(target_os = "linux")]
fn a_standard_output_that_is_closed_is_an_error() {
    let place = Place::new();
    place.write("log", good());
    let jotmill = env!("CARGO_BIN_EXE_jotmill");
    let shell = |arguments: &str| {
        let mut command = std::process::Command::new("sh");
        command.current_dir(place.path(""));
        command.args(["-c", &format!("exec {jotmill} {arguments} >&-")]);
        command.output().expect("a shell")
    };
    for arguments in [
        "audit --secret-file secret --now 1 log",
        "audit --secret-file secret --now 1 --format json log",
        "inspect --secret-file secret a.b.c",
        "keys --secret-file secret",
    ] {
        assert_cannot(&shell(arguments), &["standard output is closed"]);
    }
    let run = shell("audit --secret-file secret --now 1 --format json -o report log");
    assert_eq!(code(&run), 0, "{}", stderr(&run));
    let report: Value = serde_json::from_str(&place.read("report")).expect("JSON");
    assert_eq!(report["valid"], 1);
    let run = place
        .command(&[&AUDIT[..], &["log"]].concat())
        .stdout(File::create("/dev/null").expect("it"))
        .output();
    assert_eq!(code(&run.expect("jotmill runs")), 0);
}

#[test]
#[cfg(unix)]
fn more_files_than_descriptors_are_judged_all() {
    let place = Place::new();
    let names: Vec<String> = (0..300).map(|index| format!("log-{index}")).collect();
    for name in &names {
        place.write(name, good());
    }
    let jotmill = env!("CARGO_BIN_EXE_jotmill");
    let script = format!(
        "ulimit -n 50; exec {jotmill} audit --secret-file secret --now 1 --threads 40 --format json \
         {}",
        names.join(" ")
    );
    let mut command = std::process::Command::new("sh");
    command.current_dir(place.path("")).args(["-c", &script]);
    let run = command.output().expect("a shell");
    let report: Value = serde_json::from_str(&stdout(&run)).expect("JSON");
    assert_eq!(report["complete"], true, "{}", stderr(&run));
    assert_eq!(report["valid"], 300);
}
