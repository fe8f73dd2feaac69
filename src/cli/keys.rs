//! `jotmill keys`: lists keys and their findings.
//!
//! Owns the table and its JSON. Neither shows a part of a secret, or a hash of one (RFC 7638
//! section 7).

use std::io::{self, Write};

use anyhow::{Context, Result, bail};
use jotmill::{Key, KeySet, UnixTime, Validity};
use serde_json::{Value, json};

use super::args::shown;
use super::flags::{KeysFlags, PageFormat};
use super::{Exit, args};

/// Lists the keys that the flags name.
pub(crate) fn run(flags: &KeysFlags) -> Result<Exit> {
    let now = flags.now.map_or_else(UnixTime::now, Ok)?;
    let (keys, _) = args::keys(&flags.keys, now)?;
    if keys.is_empty() && keys.unusable_keys().is_empty() {
        bail!("no key given; use --jwks, --key, --secret-file or --secret-env");
    }
    let page = match flags.format {
        PageFormat::Text => text(&keys, now),
        PageFormat::Json => format!("{:#}\n", document(&keys, now)),
    };
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(page.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write the keys")?;
    Ok(Exit::Valid)
}

/// The columns of the table. The last ones are not padded, which keeps lines short.
const COLUMNS: [&str; 8] = [
    "key",
    "type",
    "bits",
    "algorithms",
    "use",
    "thumbprint",
    "valid",
    "findings",
];

fn text(keys: &KeySet, now: UnixTime) -> String {
    let mut rows = vec![COLUMNS.map(str::to_owned)];
    rows.extend(keys.iter().map(|key| row(keys, key, now)));
    let mut widths = [0; COLUMNS.len()];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut page = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        page.push_str(line.trim_end());
        page.push('\n');
    }
    if !keys.unusable_keys().is_empty() {
        page.push_str("\nunusable keys:\n");
    }
    for key in keys.unusable_keys() {
        let kid = match &key.kid {
            Some(kid) => format!(" ({})", shown(kid)),
            None => String::new(),
        };
        let (origin, problem) = (escaped(&key.origin), escaped(&key.problem()));
        page.push_str(&match key.index {
            Some(index) => format!("  key {index}{kid} of {origin}: {problem}\n"),
            None => format!("  {origin}: {problem}\n"),
        });
    }
    page
}

fn row(keys: &KeySet, key: &Key, now: UnixTime) -> [String; COLUMNS.len()] {
    let dash = || "-".to_owned();
    let findings: Vec<&str> = keys
        .findings(key, now)
        .iter()
        .map(|finding| finding.code())
        .collect();
    [
        // The key set has shortened it, and reports show the same name.
        escaped(key.name()),
        key.subtype().map_or_else(
            || key.kty().to_owned(),
            |subtype| format!("{} {subtype}", key.kty()),
        ),
        key.bits().to_string(),
        algorithms(key),
        key.purpose().map_or_else(dash, shown),
        key.thumbprint().unwrap_or_else(dash),
        key.validity().map_or_else(dash, |validity| {
            format!(
                "{} to {}",
                date(validity.not_before),
                date(validity.not_after)
            )
        }),
        if findings.is_empty() {
            "none".to_owned()
        } else {
            findings.join(", ")
        },
    ]
}

/// The algorithm that the key is bound to, else those of its type, or why there is none.
fn algorithms(key: &Key) -> String {
    let names: Vec<&str> = key
        .algorithms()
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let Some(member) = key.ruled_out_by() else {
        return names.join(",");
    };
    let value = match member {
        "use" => key.purpose().map(str::to_owned),
        "key_ops" => key.operations().map(|operations| operations.join(", ")),
        _ => key.alg().map(str::to_owned),
    };
    match value.as_deref() {
        None | Some("") => format!("none ({member} is empty)"),
        Some(value) => format!("none ({member}: {})", shown(value)),
    }
}

fn document(keys: &KeySet, now: UnixTime) -> Value {
    let member = |key: &Key| {
        let findings = keys.findings(key, now);
        let algorithms = key.algorithms();
        json!({
            "name": key.name(),
            "kid": key.id(),
            "origin": key.origin(),
            "kty": key.kty(),
            "subtype": key.subtype(),
            "bits": key.bits(),
            "alg": key.alg(),
            "use": key.purpose(),
            "key_ops": key.operations(),
            "algorithms": algorithms.iter().map(|algorithm| algorithm.name()).collect::<Vec<_>>(),
            "ruled_out_by": key.ruled_out_by(),
            "thumbprint": key.thumbprint(),
            "validity": key.validity().map(|Validity { not_before, not_after }| json!({
                "not_before": date(not_before),
                "not_after": date(not_after),
            })),
            "findings": findings.iter().map(|finding| finding.code()).collect::<Vec<_>>(),
        })
    };
    let aside = keys.unusable_keys().iter().map(|key| {
        json!({
            "origin": key.origin,
            "index": key.index,
            "kid": key.kid,
            "member": key.member,
            "why": key.why,
        })
    });
    json!({
        "schema": "jotmill.keys/1",
        "now": now.to_string(),
        "keys": keys.iter().map(member).collect::<Vec<_>>(),
        "set_aside": aside.collect::<Vec<_>>(),
    })
}

/// The day of a time in Unix seconds, in UTC.
fn date(seconds: u64) -> String {
    UnixTime::new(seconds, 0).map_or_else(|| seconds.to_string(), |time| time.to_string())
}

/// A text, escaped for a terminal and not shortened.
fn escaped(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).collect()
}
