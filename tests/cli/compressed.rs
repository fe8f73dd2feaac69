//! Compressed files and pipes, and text in UTF-16.

use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::program::{AUDIT, Place, code, good, rows, stderr, stdout};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(zstd_safe::compress_bound(text.len()));
    zstd_safe::compress(&mut packed, text, 3).expect("zstd");
    packed
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn xz(text: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn utf16(text: &str) -> Vec<u8> {
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Three good tokens, and a line that is none.
fn text() -> String {
    format!("{}\n\nnone\n{}\r\n  {}\n", good(), good(), good())
}

/// `audit` of standard input, which arrives in pieces of `piece` bytes.
fn audit_stdin(place: &Place, args: &[&str], input: &[u8], piece: usize) -> Output {
    let mut command = place.command(&[&AUDIT[..], args].concat());
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut run = command.spawn().expect("jotmill runs");
    let mut stdin = run.stdin.take().expect("a pipe");
    for piece in input.chunks(piece) {
        stdin.write_all(piece).expect("jotmill reads");
    }
    drop(stdin);
    run.wait_with_output().expect("jotmill ends")
}

fn report(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).expect("a report")
}

#[test]
fn compressed_files_and_pipes_give_the_rows_of_the_text() {
    let place = Place::new();
    let text = text();
    place.write("log", &text);
    let expected = stdout(&place.audit(&["--format", "ndjson", "log"]));
    assert_eq!(rows(&expected).len(), 4);
    for (name, packed) in [
        ("gzip", gzip(text.as_bytes())),
        ("zstd", zstd(text.as_bytes())),
        ("bzip2", bzip2(text.as_bytes())),
        ("xz", xz(text.as_bytes())),
    ] {
        place.write("packed", &packed);
        for threads in ["1", "2"] {
            for block in ["1", "100", "256K"] {
                let options = [
                    "--format",
                    "ndjson",
                    "--threads",
                    threads,
                    "--block-bytes",
                    block,
                ];
                let output = place.audit(&[&options[..], &["packed"]].concat());
                assert_eq!(code(&output), 1, "{name}: {}", stderr(&output));
                assert_eq!(stdout(&output), expected, "{name} {threads} {block}");
                let output = audit_stdin(&place, &options, &packed, 1 << 20);
                assert_eq!(stdout(&output), expected, "{name} on standard input");
            }
        }
        let output = audit_stdin(&place, &["--format", "ndjson"], &packed, 1);
        assert_eq!(stdout(&output), expected, "{name} in drops");

        let report = report(&place.audit(&["--format", "json", "packed"]));
        let input = &report["inputs"][0];
        assert_eq!(input["compression"], name);
        assert_eq!(input["packed_bytes"], packed.len());
        assert_eq!(input["bytes"], text.len());
        assert_eq!(report["complete"], true);
        let page = stdout(&place.audit(&["packed"]));
        assert!(page.contains(&format!("packed  {name}, ")), "{page}");
    }
}

#[test]
fn a_truncated_or_corrupt_file_is_an_error_and_the_others_are_judged() {
    let place = Place::new();
    let text = format!("{}\n", good());
    let mut members = gzip(text.as_bytes());
    let boundary = members.len();
    members.extend(gzip(text.as_bytes()));
    place.write("cut.gz", &members[..members.len() - 9]);
    let mut corrupt = zstd(text.as_bytes());
    corrupt.extend(zstd(text.as_bytes()));
    let last = corrupt.len() - 3;
    corrupt[last] ^= 0x55;
    corrupt.truncate(last + 1);
    place.write("corrupt.zst", corrupt);
    place.write("rest.gz", [&members[..boundary], b"more"].concat());
    place.write("good.gz", gzip(text.as_bytes()));
    place.write("plain", &text);
    let files = ["cut.gz", "corrupt.zst", "rest.gz", "good.gz", "plain"];
    for threads in ["1", "2"] {
        let options = ["--format", "json", "--threads", threads];
        let output = place.audit(&[&options[..], &files].concat());
        assert_eq!(code(&output), 2);
        let report = report(&output);
        assert_eq!(report["complete"], false);
        for (index, tokens) in [1, 1, 1, 1, 1].into_iter().enumerate() {
            let input = &report["inputs"][index];
            let lines = input["lines"].as_u64().expect("a number");
            assert!(lines >= tokens, "{input}");
            assert_eq!(input["error"].is_null(), index > 2, "{input}");
        }
        let messages = stderr(&output);
        for (file, words) in [
            ("cut.gz", "ends in the middle, at byte"),
            ("corrupt.zst", "at byte"),
            (
                "rest.gz",
                &*format!("ends at byte {boundary}, and something else follows"),
            ),
        ] {
            let line = messages.lines().find(|line| line.contains(file));
            let line = line.expect("a message for each file");
            assert!(
                line.contains(words) || line.contains("corrupt at or before byte"),
                "{line}"
            );
            assert!(line.contains("bytes were unpacked"), "{line}");
        }
    }
}

#[test]
fn forms_that_are_not_read_are_named_with_the_tool_that_unpacks_them() {
    let place = Place::new();
    let seven = b"7z\xbc\xaf\x27\x1c\0\x04";
    for (content, words) in [
        (
            &b"PK\x03\x04\x14\0\0\0"[..],
            "unzip -p FILE | jotmill audit",
        ),
        (b"\x04\x22\x4d\x18\x64", "lz4 -dc FILE"),
        (seven, "7z x -so FILE"),
        (&gzip(&gzip(good().as_bytes())), "gzip -dc FILE"),
    ] {
        place.write("archive", content);
        place.write("plain", good());
        let output = place.audit(&["--format", "json", "archive", "plain"]);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
        assert_eq!(report(&output)["valid"], 1, "the other file is judged");
        let output = audit_stdin(&place, &[], content, 1);
        assert_eq!(code(&output), 2);
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn a_large_window_needs_max_window() {
    let place = Place::new();
    let text = format!("{}\n", good());
    // A frame of zstd with a window of 256 MiB and one block that is stored.
    let mut frame = b"\x28\xb5\x2f\xfd\0\x90".to_vec();
    let header = u32::try_from((text.len() << 3) | 1).expect("short");
    frame.extend_from_slice(&header.to_le_bytes()[..3]);
    frame.extend_from_slice(text.as_bytes());
    place.write("log.zst", frame);
    let output = place.audit(&["log.zst"]);
    assert_eq!(code(&output), 2);
    let advice = "Allow it with --max-window 268435456";
    assert!(stderr(&output).contains(advice), "{}", stderr(&output));
    for window in ["268435456", "256M", "2G"] {
        let output = place.audit(&["--max-window", window, "log.zst"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    }
    for window in ["0", "3G", "x"] {
        assert_eq!(code(&place.audit(&["--max-window", window, "log.zst"])), 2);
    }
}

#[test]
fn utf16_is_read_with_places_in_the_original() {
    let place = Place::new();
    let text = format!("{}\n\u{1f600}.x.y\n{}", good(), text());
    place.write("plain", &text);
    let stored = utf16(&text);
    place.write("utf16", &stored);
    place.write("utf16.gz", gzip(&stored));
    let options = ["--format", "ndjson", "--threads", "2"];
    let plain = rows(&stdout(&place.audit(&[&options[..], &["plain"]].concat())));
    for file in ["utf16", "utf16.gz"] {
        let output = place.audit(&[&options[..], &[file]].concat());
        assert_eq!(code(&output), 1, "{}", stderr(&output));
        let found = rows(&stdout(&output));
        assert_eq!(found.len(), plain.len());
        for (found, plain) in found.iter().zip(&plain) {
            assert_eq!(found["line"], plain["line"]);
            assert_eq!(found["verdict"], plain["verdict"]);
            let at = |row: &Value| {
                let offset = row["offset"].as_u64().expect("a number");
                usize::try_from(offset).expect("small")
            };
            let units = text[..at(plain)].encode_utf16().count();
            assert_eq!(at(found), 2 + 2 * units);
        }
        let report = report(&place.audit(&["--format", "json", file]));
        assert_eq!(report["inputs"][0]["encoding"], "UTF-16LE");
        assert_eq!(report["inputs"][0]["bytes"], stored.len());
    }
    let output = audit_stdin(&place, &[], &stored, 1);
    assert_eq!(code(&output), 1, "{}", stderr(&output));

    place.write("cut", &stored[..stored.len() - 1]);
    let output = place.audit(&["cut"]);
    assert_eq!(code(&output), 2);
    let words = format!("half a character, at byte {}", stored.len() - 2);
    assert!(stderr(&output).contains(&words), "{}", stderr(&output));
}
