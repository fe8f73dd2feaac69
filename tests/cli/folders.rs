//! `--recursive`, its globs, and `--files-from`: which files are read, in which order, and what is
//! said of the others.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::program::{AUDIT, Place, assert_cannot, code, good, rows, stderr, stdout, token};

fn report(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("a report")
}

/// The names of the inputs, in order.
fn names(output: &Output) -> Vec<String> {
    let report = report(output);
    let inputs = report["inputs"].as_array().expect("an array");
    let name = |input: &Value| input["name"].as_str().expect("a name").to_owned();
    inputs.iter().map(name).collect()
}

/// A folder of logs, of which `logs/a/b` is hidden by its name alone.
fn logs(place: &Place) {
    for folder in ["logs", "logs/a", "logs/a/.b", "logs/old", "logs/empty"] {
        fs::create_dir(place.path(folder)).expect("a folder");
    }
    for file in FILES {
        place.write(file, format!("{}\n", good()));
    }
}

/// In the order of their bytes, which is not the order of a walk.
const FILES: [&str; 7] = [
    "logs/.hidden",
    "logs/a.log",
    "logs/a/.b/c.log",
    "logs/a/Z.log",
    "logs/a/a.log.1",
    "logs/old/a.log",
    "logs/z.txt",
];

const JSON: [&str; 2] = ["--format", "json"];

#[test]
fn a_folder_is_read_in_the_order_of_its_paths_for_any_number_of_threads() {
    let place = Place::new();
    logs(&place);
    let alone = place.audit(&["logs"]);
    assert_cannot(&alone, &["logs is a directory", "--recursive"]);
    let mut expected = None;
    for threads in ["1", "2", "8"] {
        let output = place.audit(&["-r", "logs", "--format", "json", "--threads", threads]);
        assert_eq!((code(&output), stderr(&output)), (0, String::new()));
        assert_eq!(names(&output), FILES);
        let args = ["-r", "logs", "--format", "ndjson", "--threads", threads];
        let output = stdout(&place.audit(&args));
        assert_eq!(*expected.get_or_insert(output.clone()), output);
        let files: Vec<Value> = rows(&output).iter().map(|it| it["file"].clone()).collect();
        assert_eq!(files, FILES);
    }
    // Given paths keep their order, and a file by its name is read whatever the globs say.
    let output = place.audit(&[&JSON[..], &["-r", "logs/z.txt", "logs/old"]].concat());
    assert_eq!(names(&output), ["logs/z.txt", "logs/old/a.log"]);
    // A row has its file also where there is only one.
    let output = place.audit(&["-r", "logs/old", "--format", "ndjson"]);
    assert_eq!(rows(&stdout(&output))[0]["file"], "logs/old/a.log");
}

#[test]
fn globs_choose_files_by_name_or_by_path() {
    let place = Place::new();
    logs(&place);
    for (globs, expected) in [
        (&["--include", "*.log"][..], &[1, 2, 3, 5][..]),
        (&["--include", "*.log*", "--exclude", "old"], &[1, 2, 3, 4]),
        (&["--include", "a/*.log"], &[3]),
        (&["--include", "a/**/*.log"], &[2, 3]),
        (&["--include", "*.txt", "--include", ".*"], &[0, 6]),
        (&["--exclude", "/a", "--exclude", "*.txt"], &[0, 1, 5]),
        (&["--exclude", ".*"], &[1, 3, 4, 5, 6]),
    ] {
        let output = place.audit(&[&JSON[..], &["-r", "logs"], globs].concat());
        let expected: Vec<&str> = expected.iter().map(|index| FILES[*index]).collect();
        assert_eq!(names(&output), expected, "{globs:?}");
    }
    let output = place.audit(&["-r", "logs", "logs/z.txt", "--include", "none"]);
    assert_eq!(code(&output), 0, "a file that is named is read");
    for (args, words) in [
        (&["-r", "logs", "--include", "*.gz"][..], "no file to read"),
        (&["-r", "logs/empty"], "empty"),
        (&["-r"], "needs the folder"),
        (&["logs", "--include", "*.gz"], "--recursive"),
        (&["-r", "logs", "--include", "a["], "--include"),
        (&["-r", "logs", "--exclude", ""], "--exclude"),
    ] {
        assert_cannot(&place.audit(args), &[words]);
    }
}

#[test]
fn links_and_special_files_in_folders_are_named_and_skipped() {
    let place = Place::new();
    logs(&place);
    place.write("outside", "no token");
    symlink("../outside", place.path("logs/link")).expect("a link");
    symlink("..", place.path("logs/a/loop")).expect("a link");
    let fifo = Command::new("mkfifo").arg(place.path("logs/pipe")).status();
    assert!(fifo.expect("mkfifo").success());
    let _socket = UnixListener::bind(place.path("logs/socket")).expect("a socket");
    let output = place.audit(&["-r", "logs", "--format", "json"]);
    assert_eq!(code(&output), 0);
    assert_eq!(names(&output), FILES);
    let messages = stderr(&output);
    for words in [
        "warning: logs/link is a symbolic link and was skipped",
        "warning: logs/a/loop is a symbolic link and was skipped",
        "warning: logs/pipe is a pipe and was skipped",
        "warning: logs/socket is a socket and was skipped",
    ] {
        assert!(messages.contains(words), "{messages}");
    }
    let output = place.audit(&["-r", "logs", "--quiet"]);
    assert_eq!(stderr(&output), "");
    // By its name, a link to a folder or file is read.
    symlink("logs/old", place.path("named")).expect("a link");
    let output = place.audit(&["-r", "named", "logs/a/../old", "--format", "json"]);
    assert_eq!(names(&output), ["named/a.log", "logs/a/../old/a.log"]);
    let output = place.audit(&["logs/link", "--input", "tokens"]);
    assert_eq!(code(&output), 1, "the advice");
    // Many are counted.
    for index in 0..30 {
        symlink("..", place.path(&format!("logs/empty/{index}"))).expect("a link");
    }
    let output = place.audit(&["-r", "logs/empty"]);
    assert_cannot(&output, &["no file to read", "no regular file"]);
    let output = place.audit(&["-r", "logs/empty", "logs/z.txt"]);
    assert!(stderr(&output).contains("25 more symbolic links"));
    assert_eq!(stderr(&output).lines().count(), 6);
}

#[test]
fn a_folder_or_file_without_permission_is_an_error_and_the_others_are_judged() {
    let place = Place::new();
    logs(&place);
    // Root may read everything, so the run is another user's.
    for folder in ["", "logs", "logs/a", "logs/a/.b", "logs/empty"] {
        let mode = Permissions::from_mode(0o755);
        fs::set_permissions(place.path(folder), mode).expect("its mode");
    }
    for locked in ["logs/old", "logs/z.txt"] {
        let mode = Permissions::from_mode(0o000);
        fs::set_permissions(place.path(locked), mode).expect("its mode");
    }
    let mut command = place.command(&[&AUDIT[..], &JSON, &["-r", "logs"]].concat());
    if fs::read(place.path("logs/z.txt")).is_ok() {
        command.uid(65534);
    }
    let output = command.output().expect("jotmill runs");
    let hints = [
        "cannot read logs/old: Permission denied",
        "cannot open logs/z.txt: Permission denied",
    ];
    assert_cannot(&output, &hints);
    let names = names(&output);
    assert!(names.iter().any(|name| name == "logs/old"), "{names:?}");
    let report = report(&output);
    assert_eq!(
        (&report["valid"], &report["complete"]),
        (&5.into(), &false.into())
    );
    let mode = Permissions::from_mode(0o755);
    fs::set_permissions(place.path("logs/old"), mode).expect("its mode");
}

#[test]
fn an_output_in_a_folder_that_is_read_is_refused() {
    let place = Place::new();
    logs(&place);
    place.write("logs/report", "precious");
    for output in ["logs/report", "logs/a/../report", "logs/new"] {
        for flag in ["-o", "--rows"] {
            let refused = place.audit(&["-r", "logs", flag, output]);
            assert_cannot(&refused, &["is also read", "leave it out with --exclude"]);
        }
    }
    assert_eq!(place.read("logs/report"), "precious");
    assert!(!place.path("logs/new").exists());
    let output = place.audit(&["-r", "logs", "-o", "logs/report", "--exclude", "report"]);
    assert_eq!(code(&output), 0, "the advice: {}", stderr(&output));
    place.write("list", "logs/a.log\n");
    assert_cannot(
        &place.audit(&["--files-from", "list", "-o", "list"]),
        &["also read"],
    );
}

#[test]
fn a_list_of_files_is_read_in_its_order_from_a_file_or_standard_input() {
    let place = Place::new();
    logs(&place);
    let odd = "odd name\r\n\u{e9}";
    place.write(odd, good());
    place.write("-", good());
    let stdin = |args: &[&str], list: &[u8]| {
        let args = [&AUDIT[..], &JSON, args].concat();
        let mut command = place.command(&args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut run = command.spawn().expect("jotmill runs");
        let mut pipe = run.stdin.take().expect("a pipe");
        pipe.write_all(list).expect("jotmill reads");
        drop(pipe);
        run.wait_with_output().expect("jotmill ends")
    };
    let lines = b"logs/z.txt\r\n\nlogs/a.log\n-";
    let nul = [
        b"logs/z.txt\0\0logs/a.log\0".as_slice(),
        odd.as_bytes(),
        b"\0",
    ]
    .concat();
    place.write("lines", lines);
    place.write("nul", &nul);
    let expected = ["logs/z.txt", "logs/a.log", "./-"];
    let output = place.audit(&[&JSON[..], &["--files-from", "lines"]].concat());
    assert_eq!(
        (code(&output), names(&output)),
        (0, expected.map(str::to_owned).into())
    );
    let output = stdin(&["--files-from", "-"], lines);
    assert_eq!(names(&output), expected);
    for output in [
        stdin(&["--files-from", "-", "-0"], &nul),
        place.audit(&[&JSON[..], &["--files-from", "nul", "--null"]].concat()),
    ] {
        assert_eq!(
            (code(&output), names(&output).len()),
            (0, 3),
            "{}",
            stderr(&output)
        );
        assert_eq!(names(&output)[2], odd);
    }
    // Beside paths, and with folders in it.
    let output = stdin(&["logs/z.txt", "--files-from", "-", "-r"], b"logs/old\n");
    assert_eq!(names(&output), ["logs/z.txt", "logs/old/a.log"]);

    let output = stdin(&["--files-from", "-"], b"logs/a.log\nmissing\nlogs/old\n");
    assert_cannot(&output, &["cannot open missing", "logs/old is a directory"]);
    assert_eq!(report(&output)["valid"], 1);
    for (args, list, words) in [
        (&["--files-from", "-"][..], &b""[..], "no file to read"),
        (&["--files-from", "-", "-"], b"", "only once"),
        (&["--files-from", "-"], &nul, "--null"),
        (
            &["--files-from", "nothing"],
            b"",
            "cannot read the list of files, nothing",
        ),
        (&["--null"], b"", "--files-from"),
        (&["--files-from", "-", "--key", "-"], b"", "only once"),
        (
            &["--files-from", "-"],
            good().as_bytes(),
            "a token was given where",
        ),
    ] {
        let output = stdin(args, list);
        assert_cannot(&output, &[words]);
        assert!(!stderr(&output).contains(&good()));
    }
}

#[test]
fn names_of_any_bytes_are_found_and_read() {
    let place = Place::new();
    fs::create_dir(place.path("logs")).expect("a folder");
    for name in [&b"\xff\xfe"[..], b"new\nline", b" ", b"*"] {
        let name = std::ffi::OsStr::from_bytes(name);
        fs::write(place.path("logs").join(name), good()).expect("a file");
    }
    let output = place.audit(&["-r", "logs", "--format", "json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert_eq!(report(&output)["valid"], 4);
}

#[test]
fn thousands_of_files_are_read_with_few_descriptors_and_the_report_is_short() {
    let place = Place::new();
    fs::create_dir(place.path("logs")).expect("a folder");
    for index in 0..3000 {
        let folder = format!("logs/{}", index % 50);
        let _ = fs::create_dir(place.path(&folder));
        let secret = if index % 1000 == 0 {
            "another"
        } else {
            crate::program::SECRET
        };
        let line = token(secret, &format!("{{\"jti\":\"{index}\"}}"));
        place.write(&format!("{folder}/{index}.log"), line);
    }
    let jotmill = env!("CARGO_BIN_EXE_jotmill");
    let run = |options: &str| {
        let script = format!(
            "ulimit -n 64; exec {jotmill} audit --secret-file secret --now 1 -r logs {options}"
        );
        let mut command = Command::new("sh");
        command.current_dir(place.path("")).args(["-c", &script]);
        command.output().expect("a shell")
    };
    let mut expected = None;
    for threads in ["1", "2", "40"] {
        let output = run(&format!("--threads {threads} --format ndjson --quiet"));
        assert_eq!((code(&output), stderr(&output)), (1, String::new()));
        let output = stdout(&output);
        assert_eq!(rows(&output).len(), 3000);
        assert!(
            *expected.get_or_insert(output.clone()) == output,
            "{threads}"
        );
    }
    let report = report(&run("--format json"));
    assert_eq!(report["inputs"].as_array().map(Vec::len), Some(3000));
    assert_eq!(
        (&report["valid"], &report["rejected"]),
        (&2997.into(), &3.into())
    );
    let page = stdout(&run("--color never"));
    assert!(page.lines().count() < 60, "{page}");
    assert!(
        page.contains("3,000 inputs") && page.contains("2,990 more inputs"),
        "{page}"
    );
}
