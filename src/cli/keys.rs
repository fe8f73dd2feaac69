//! `jotmill keys`: lists keys and their findings.
//!
//! Owns the table and its JSON. Neither shows a part of a secret, or a hash of one (RFC 7638
//! section 7).

use std::io::{self, BufWriter, Write};
use std::iter;

use anyhow::{Context, Result, bail};
use jotmill::{Key, KeySet, UnixTime, UnusableKey};
use serde::ser::{Serialize, SerializeMap, Serializer};
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
    // A set may have hundreds of thousands of keys, so that no page is held as a whole.
    let mut out = BufWriter::new(io::stdout().lock());
    let written = match flags.format {
        PageFormat::Text => write_text(&mut out, &keys, now),
        PageFormat::Json => write_json(&mut out, &keys, now),
    };
    written
        .and_then(|()| out.flush())
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

fn write_text(out: &mut impl Write, keys: &KeySet, now: UnixTime) -> io::Result<()> {
    // The rows are made twice: for the widths of their columns, and to be written.
    let titles = || iter::once(COLUMNS.map(str::to_owned));
    let rows = || titles().chain(keys.iter().map(|key| row(keys, key, now)));
    let mut widths = [0; COLUMNS.len()];
    for row in rows() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    if !keys.unusable_keys().is_empty() {
        out.write_all(
            b"
unusable keys:
",
        )?;
    }
    for key in keys.unusable_keys() {
        let kid = match &key.kid {
            Some(kid) => format!(" ({})", shown(kid)),
            None => String::new(),
        };
        let (place, problem) = (escaped(&key.place()), escaped(&key.problem()));
        writeln!(out, "  {place}{kid}: {problem}")?;
    }
    Ok(())
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
        key.validity()
            .map_or_else(dash, |validity| validity.to_string()),
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
    if key.is_anchor() {
        let names: Vec<String> = key.anchor_names().map(shown).collect();
        return format!("none (anchor of {})", names.join(", "));
    }
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

fn write_json(out: &mut impl Write, keys: &KeySet, now: UnixTime) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &Document { keys, now })?;
    out.write_all(b"\n")
}

/// The keys, which are serialized one by one.
struct Document<'k> {
    keys: &'k KeySet,
    now: UnixTime,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let members = |key| key_members(self.keys, key, self.now);
        let unusable = self.keys.unusable_keys().iter();
        // The names in their order, as everywhere in this JSON.
        let mut document = serializer.serialize_map(None)?;
        document.serialize_entry("keys", &Elements(|| self.keys.iter().map(members)))?;
        document.serialize_entry("now", &self.now.to_string())?;
        document.serialize_entry("schema", "jotmill.keys/1")?;
        document.serialize_entry(
            "set_aside",
            &Elements(|| unusable.clone().map(unusable_members)),
        )?;
        document.end()
    }
}

/// An array whose elements are made while it is written.
struct Elements<F>(F);

impl<I: Iterator<Item = Value>, F: Fn() -> I> Serialize for Elements<F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0())
    }
}

fn key_members(keys: &KeySet, key: &Key, now: UnixTime) -> Value {
    let findings = keys.findings(key, now);
    let algorithms = key.algorithms();
    let mut members = json!({
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
        "validity": key.validity().map(|validity| {
            let [not_before, not_after] = validity.dates();
            json!({ "not_before": not_before, "not_after": not_after })
        }),
        "findings": findings.iter().map(|finding| finding.code()).collect::<Vec<_>>(),
    });
    if key.is_anchor() {
        members["anchor_names"] = key.anchor_names().collect();
    }
    members
}

fn unusable_members(key: &UnusableKey) -> Value {
    json!({
        "origin": key.origin,
        "index": key.index,
        "kid": key.kid,
        "member": key.member,
        "why": key.why,
    })
}

/// A text, escaped for a terminal and not shortened.
fn escaped(text: &str) -> String {
    text.chars().flat_map(char::escape_debug).collect()
}
