use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::Value;

use super::*;

/// A file of a corpus, with the rows of its ground truth.
struct Made {
    text: Vec<u8>,
    truth: Vec<u8>,
    rows: Vec<Value>,
    counts: LogCounts,
}

fn spec(records: u64, formats: &[LogFormat]) -> LogSpec {
    LogSpec {
        records,
        formats: formats.to_vec(),
        tokens: Spec {
            seed: 18,
            ..Spec::default()
        },
    }
}

fn make(spec: LogSpec) -> Vec<Made> {
    let logs = Logs::new(spec, &|_| ()).unwrap();
    let made = logs.files().into_iter().map(|file| {
        let (mut text, mut truth) = (Vec::new(), Vec::new());
        let name = file.format().file();
        let counts = file.write(name, &mut text, &mut truth, |_| ()).unwrap();
        let rows = truth.split(|byte| *byte == b'\n');
        let rows = rows.filter(|row| !row.is_empty());
        let rows = rows.map(|row| serde_json::from_slice(row).unwrap());
        Made {
            rows: rows.collect(),
            text,
            truth,
            counts,
        }
    });
    made.collect()
}

fn of(format: LogFormat, records: u64) -> Made {
    make(spec(records, &[format])).remove(0)
}

fn number(row: &Value, name: &str) -> usize {
    usize::try_from(row[name].as_u64().unwrap()).unwrap()
}

/// The token as its issuer wrote it.
fn token(made: &Made, row: &Value) -> String {
    let (offset, length) = (number(row, "offset"), number(row, "length"));
    let written = String::from_utf8(made.text[offset..offset + length].to_vec()).unwrap();
    match row["shape"].as_str().unwrap() {
        "url-encoded" => written.replace("%2E", "."),
        "json-escaped" => written.replace("\\u002e", "."),
        _ => written,
    }
}

fn is_token(text: &str) -> bool {
    let segments: Vec<&str> = text.split('.').collect();
    let header = segments[0].trim_end_matches('=');
    let header = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(header);
    let header: Option<Value> = header
        .ok()
        .and_then(|header| serde_json::from_slice(&header).ok());
    header.is_some_and(|header| match segments.len() {
        3 => header.get("alg").is_some(),
        5 => header.get("enc").is_some(),
        _ => false,
    })
}

#[test]
fn the_same_seed_gives_the_same_bytes_whatever_the_other_formats_are() {
    let all = make(spec(480, LogFormat::ALL));
    for (made, format) in all.iter().zip(LogFormat::ALL) {
        let alone = of(*format, 40);
        assert!(made.text == alone.text, "{format}");
        assert!(made.truth == alone.truth, "{format}");
        let mut other = spec(40, &[*format]);
        other.tokens.seed = 19;
        assert!(make(other)[0].text != alone.text, "{format}");
    }
}

#[test]
fn the_ground_truth_has_the_place_of_every_token() {
    // Odd, and no multiple of the number of formats.
    for records in [0, 1, 2, 4_801] {
        let all = make(spec(records, LogFormat::ALL));
        let counts = all.iter().map(|made| made.counts);
        let (mut total, mut tokens) = (0, 0);
        for count in counts {
            total += count.records;
            tokens += count.tokens;
        }
        assert_eq!((total, tokens), (records, records / 2));
        for (made, format) in all.iter().zip(LogFormat::ALL) {
            assert_eq!(made.rows.len() as u64, made.counts.tokens);
            assert_eq!(made.text.len() as u64, made.counts.bytes);
            for row in &made.rows {
                assert!(is_token(&token(made, row)), "{row}");
                let before = &made.text[..number(row, "offset")];
                let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
                assert_eq!(number(row, "line"), line, "{row}");
                assert_eq!(row["file"], format.file());
            }
        }
    }
}

#[test]
fn nothing_but_the_tokens_of_the_ground_truth_is_a_token() {
    for format in LogFormat::ALL {
        let made = of(*format, 2_000);
        let spans: BTreeMap<usize, usize> = made
            .rows
            .iter()
            .map(|row| (number(row, "offset"), number(row, "length")))
            .collect();
        for start in 0..made.text.len() - 2 {
            let rest = &made.text[start..];
            let is_inside = spans
                .range(..=start)
                .next_back()
                .is_some_and(|(offset, length)| start < offset + length);
            if !rest.starts_with(b"eyJ") || is_inside {
                continue;
            }
            let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            let end = rest.iter().take_while(is_part).count();
            let text = std::str::from_utf8(&rest[..end]).unwrap();
            // What was cut has an ellipsis behind it, or the end of the line.
            let text = text.trim_end_matches("...");
            let segments = text.split('.').count();
            assert!(!is_token(text) && segments < 5, "{format}: {text}");
        }
        assert!(made.counts.cut > 100, "{format}");
    }
}

#[test]
fn tokens_are_used_in_time_too_late_too_early_and_again() {
    for format in LogFormat::ALL {
        let made = of(*format, 2_000);
        let mut seen = BTreeSet::new();
        let mut uses: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for row in &made.rows {
            let (at, now) = (&row["reasons"], &row["reasons_now"]);
            for (verdict, reasons) in [("verdict", at), ("verdict_now", now)] {
                let is_valid = reasons.as_array().unwrap().is_empty();
                assert_eq!(row[verdict] == "valid", is_valid, "{row}");
            }
            seen.insert(format!("{at} {now}"));
            seen.insert(row["token"].as_str().unwrap().to_owned());
            uses.entry(token(&made, row))
                .or_default()
                .insert(at.to_string());
        }
        for wanted in [
            r#"[] []"#,
            r#"[] ["expired"]"#,
            r#"["expired"] ["expired"]"#,
            r#"["not-yet-valid"] ["expired"]"#,
            r#"["issued-in-future"] ["expired"]"#,
            r#"["not-yet-valid","issued-in-future"] ["expired"]"#,
            r#"["signature-mismatch"] ["signature-mismatch"]"#,
            r#"["expired","issuer-mismatch"] ["expired","issuer-mismatch"]"#,
            r#"["encrypted"] ["encrypted"]"#,
            "detached",
            "sd-jwt",
            "padded",
        ] {
            assert!(seen.contains(wanted), "{format}: {wanted} in {seen:?}");
        }
        assert!(
            uses.len() < made.rows.len(),
            "{format}: tokens are used again"
        );
        let changes = uses.values().any(|verdicts| verdicts.len() > 1);
        assert!(changes, "{format}: with another verdict");
    }
}

#[test]
fn each_format_has_every_shape_that_it_lists() {
    for format in LogFormat::ALL {
        let shapes = of(*format, 1_000).rows;
        let shapes: BTreeSet<&str> = shapes
            .iter()
            .map(|row| row["shape"].as_str().unwrap())
            .collect();
        let listed = format.layout().places.iter().map(Place::to_string);
        assert_eq!(shapes.len(), listed.clone().count());
        assert!(
            listed.into_iter().all(|name| shapes.contains(&*name)),
            "{format}"
        );
    }
}

/// Every string of a JSON document.
fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
        Value::Object(members) => members.values().for_each(|value| strings(value, found)),
        _ => {}
    }
}

/// Whether a string has the token, in a URL or not.
fn has(text: &str, token: &str) -> bool {
    text.contains(token) || text.replace("%2E", ".").contains(token)
}

#[test]
fn json_lines_are_json_and_have_their_tokens() {
    for format in [LogFormat::Json, LogFormat::K8sAudit] {
        let made = of(format, 600);
        let lines: Vec<&[u8]> = made.text.split(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 601);
        for line in &lines[..600] {
            assert!(serde_json::from_slice::<Value>(line).unwrap().is_object());
        }
        for row in &made.rows {
            let record: Value = serde_json::from_slice(lines[number(row, "line") - 1]).unwrap();
            let mut found = Vec::new();
            strings(&record, &mut found);
            let token = token(&made, row);
            let having = found.iter().filter(|text| has(text, &token)).count();
            assert_eq!(having, 1, "{row}");
            if format == LogFormat::K8sAudit {
                assert_eq!(record["stageTimestamp"], row["at"]);
            }
        }
    }
}

#[test]
fn documents_are_json_and_have_their_tokens() {
    for records in [0, 1, 601] {
        let made = of(LogFormat::Otlp, records);
        let document: Value = serde_json::from_slice(&made.text).unwrap();
        let logs = &document["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
        let logs = logs.as_array().unwrap();
        assert_eq!(logs.len() as u64, records);
        for (row, log) in made.rows.iter().zip(logs.iter().skip(1).step_by(2)) {
            let body = log["body"]["stringValue"].as_str().unwrap();
            assert!(has(body, &token(&made, row)), "{row}");
        }

        let made = of(LogFormat::Har, records);
        let document: Value = serde_json::from_slice(&made.text).unwrap();
        assert_eq!(
            document["log"]["entries"].as_array().unwrap().len() as u64,
            records
        );
        for row in &made.rows {
            let pointer = row["pointer"].as_str().unwrap();
            let text = document.pointer(pointer).unwrap().as_str().unwrap();
            assert!(has(text, &token(&made, row)), "{row}");
            let entry: Vec<&str> = pointer.split('/').take(4).collect();
            let time = document.pointer(&format!("{}/startedDateTime", entry.join("/")));
            assert_eq!(time, Some(&row["at"]));
        }
    }
}

#[test]
fn the_export_is_csv_and_has_its_tokens() {
    let made = of(LogFormat::Csv, 600);
    let mut reader = csv::Reader::from_reader(&*made.text);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 600);
    let with_token = records.iter().skip(1).step_by(2);
    for (row, record) in made.rows.iter().zip(with_token) {
        let unescaped = record[4].replace("\\u002e", ".");
        assert!(has(&unescaped, &token(&made, row)), "{row}");
    }
    let breaks = records.iter().filter(|record| record[4].contains('\n'));
    assert!(breaks.count() > 100);
}

#[test]
fn records_have_their_time_in_the_form_of_their_format() {
    for (format, form) in [
        (LogFormat::Envoy, "[{}] "),
        (LogFormat::Alb, "h2 {} app/"),
        (LogFormat::Har, "\"{}\","),
        (LogFormat::K8sAudit, "\"stageTimestamp\":\"{}\""),
    ] {
        let made = of(format, 200);
        for row in &made.rows {
            let time = form.replace("{}", row["at"].as_str().unwrap());
            let found = made
                .text
                .windows(time.len())
                .any(|text| text == time.as_bytes());
            assert!(found, "{format}: {row}");
        }
    }
}

#[test]
fn descriptions_of_no_corpus_are_refused() {
    let refused = |spec| Logs::new(spec, &|_| ()).unwrap_err().to_string();
    assert_eq!(
        refused(spec(10, &[])),
        "no format of logs: give nginx, for example"
    );
    assert_eq!(
        refused(spec(10, &[LogFormat::Csv, LogFormat::Har, LogFormat::Csv])),
        "csv is given twice"
    );
    let mut early = spec(10, &[LogFormat::Csv]);
    early.tokens.now = 86_400;
    assert!(refused(early).starts_with("now: 86400 is not between "));
    let mut several = spec(10, &[LogFormat::Csv]);
    several.tokens.issuers = 2;
    assert!(refused(several).starts_with("issuers of logs: 2 "));
    let unknown = "iis".parse::<LogFormat>().unwrap_err().to_string();
    assert!(unknown.starts_with("`iis` is no format of logs; known are: nginx, apache, envoy, "));
    for format in LogFormat::ALL {
        assert_eq!(format.name().parse(), Ok(*format));
    }
}

/// What `jotmill gen --logs` writes, by the names of its files but that of the counts.
fn sample(spec: LogSpec) -> BTreeMap<String, Vec<u8>> {
    let logs = Logs::new(spec, &|_| ()).unwrap();
    let mut files = BTreeMap::new();
    let mut truth = Vec::new();
    for file in logs.files() {
        let name = file.format().file();
        let mut text = Vec::new();
        file.write(name, &mut text, &mut truth, |_| ()).unwrap();
        files.insert(name.to_owned(), text);
    }
    files.insert("truth.ndjson".to_owned(), truth);
    files.insert("keys.json".to_owned(), logs.dataset().jwks().into_bytes());
    files
}

#[test]
fn the_samples_are_generated_from_their_seed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../logs");
    let mut small = spec(96, LogFormat::ALL);
    small.tokens.keys = 2;
    let small = sample(small);
    for (name, text) in &small {
        assert!(std::fs::read(folder.join(name)).unwrap() == *text, "{name}");
    }
    assert!(small.values().map(Vec::len).sum::<usize>() < 100_000);

    let mut access = spec(60, &[LogFormat::Nginx]);
    access.tokens.keys = 2;
    let packed = std::fs::File::open(folder.join("access.log.gz")).unwrap();
    let mut text = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(packed);
    std::io::Read::read_to_end(&mut reader, &mut text).unwrap();
    assert!(text == sample(access)["nginx.log"]);
}
