//! The verdicts of other implementations over a data set of every algorithm, form of key and
//! defect, whose generator states the verdict of each token.
//!
//! This program judges by `jsonwebtoken`, and writes the data set down for `peers.py`, which judges
//! by joserfc and OpenSSL. Where a peer says something else than the ground truth, the class of the
//! divergence must be in the table of `DIVERGENCES.md`, with who is right; else the run fails. That
//! jotmill itself agrees with the ground truth is for jotmill's own tests.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{env, fs};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jotmill_datasets::{Algorithm, AuditFlags, Dataset, Defect, KeyForm, Share, Spec};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

/// What a peer has no option for, or what the choice of keys is about, which is made here.
const NOT_ASKED: [Defect; 11] = [
    Defect::TooLong,
    Defect::AlgNotAllowed,
    Defect::KeyNotFound,
    Defect::TooManyKeys,
    Defect::TypMismatch,
    Defect::TooOld,
    Defect::LifetimeTooLong,
    Defect::SubjectMismatch,
    Defect::MissingIat,
    Defect::MissingJti,
    Defect::MissingClaim,
];
/// Peers go by the clock, which moves on while they judge: times as near to it are not compared.
const TOO_NEAR: f64 = 60.0;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let dataset = data_set(i64::try_from(now)?)?;
    if let Some(folder) = env::args_os().nth(1) {
        write(&dataset, Path::new(&folder))?;
        return Ok(ExitCode::SUCCESS);
    }
    let keys = keys(&dataset)?;
    let mut seen: BTreeMap<(String, String), (u64, String)> = BTreeMap::new();
    let (mut agreed, mut not_judged) = (0_u64, BTreeMap::<String, u64>::new());
    // A panic of a peer is an outcome; its message is not printed.
    panic::set_hook(Box::new(|_| ()));
    let mut lines = dataset.lines();
    while let Some(line) = lines.next() {
        let truth = line.defect.map_or("valid", Defect::code);
        let said = if is_near(line.token, now) {
            Said::NotJudged("too near to the clock")
        } else {
            judge(line.token, &keys, dataset.audit_flags())
        };
        let outcome = match (said, line.defect) {
            // Whatever a peer does not know, it cannot take for valid.
            (Said::NotJudged(why), _) => {
                *not_judged.entry(why.to_owned()).or_default() += 1;
                continue;
            }
            (Said::Accepts, None) | (Said::Rejects(_), Some(_)) => {
                agreed += 1;
                continue;
            }
            (Said::Panics, _) => "panics".to_owned(),
            (Said::Accepts, Some(_)) => "accepts".to_owned(),
            (Said::Rejects(why), None) => format!("rejects: {why}"),
        };
        let class = seen.entry((truth.to_owned(), outcome)).or_default();
        class.0 += 1;
        class.1 = String::from_utf8_lossy(line.token).into_owned();
    }
    println!("jsonwebtoken 11: {agreed} verdicts agree; not judged: {not_judged:?}");
    let listed = listed("jsonwebtoken")?;
    let mut is_listed = true;
    for ((truth, outcome), (count, example)) in &seen {
        let known = listed.contains(&(truth.clone(), outcome.clone()));
        is_listed &= known;
        println!(
            "| jsonwebtoken | `{truth}` | {outcome} | {count} {}",
            if known { "" } else { "NOT LISTED" }
        );
        if !known {
            println!("    {example}");
        }
    }
    for (truth, outcome) in listed.iter().filter(|class| !seen.contains_key(class)) {
        println!("no longer seen: `{truth}` {outcome}");
    }
    Ok(if is_listed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn data_set(now: i64) -> Result<Dataset, Box<dyn Error>> {
    let share = Share::from_millionths(17_000).ok_or("a share")?;
    let defects = Defect::OF_ONE_ISSUER
        .iter()
        .filter(|defect| !NOT_ASKED.contains(defect));
    Ok(Dataset::new(Spec {
        count: 20_000,
        seed: 1,
        algorithms: Algorithm::ALL.to_vec(),
        keys: 38,
        // Most others refuse keys that are not written as the RFCs say.
        key_forms: (KeyForm::ALL.into_iter())
            .filter(|form| *form != KeyForm::UnusualJwk)
            .collect(),
        defects: defects.map(|defect| (*defect, share)).collect(),
        edges: Share::from_percent(30),
        now,
        ..Spec::default()
    })?)
}

/// The data set, for a program in another language.
fn write(dataset: &Dataset, folder: &Path) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let (mut tokens, mut truth) = (Vec::new(), Vec::new());
    dataset.write(&mut tokens, Some(&mut truth), |_| ())?;
    fs::write(folder.join("tokens.txt"), tokens)?;
    fs::write(folder.join("truth.ndjson"), truth)?;
    fs::write(folder.join("keys.json"), dataset.jwks())?;
    for file in dataset.key_files() {
        fs::write(folder.join(file.name), file.content)?;
    }
    let flags = dataset.audit_flags();
    let flags = json!({
        "now": flags.now,
        "key_files": flags.key_files,
        "issuers": flags.issuers,
        "audiences": flags.audiences,
        "require": flags.require,
    });
    fs::write(folder.join("flags.json"), flags.to_string())?;
    Ok(())
}

/// The classes of a peer in the table: what the ground truth says, and what the peer does.
fn listed(peer: &str) -> Result<BTreeSet<(String, String)>, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("DIVERGENCES.md");
    let text = fs::read_to_string(path)?;
    let rows = text.lines().filter_map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, name, truth, outcome, ..] = cells[..] else {
            return None;
        };
        let truth = truth.trim_matches('`').to_owned();
        (name == peer).then(|| (truth, outcome.to_owned()))
    });
    Ok(rows.collect())
}

/// A key as the set has it, and as the peer takes it, if it does.
struct Key {
    kid: Option<String>,
    decoding: Option<DecodingKey>,
}

fn keys(dataset: &Dataset) -> Result<Vec<Key>, Box<dyn Error>> {
    let set: Value = serde_json::from_str(&dataset.jwks())?;
    let members = set["keys"].as_array().ok_or("no keys")?;
    let mut keys: Vec<Key> = members
        .iter()
        .map(|member| {
            let jwk = serde_json::from_value::<Jwk>(member.clone()).ok();
            let decoding = jwk.and_then(|jwk| DecodingKey::from_jwk(&jwk).ok());
            // The library leaves the key of a lone certificate to its user.
            let certificate = member["x5c"][0]
                .as_str()
                .map(|text| pem("CERTIFICATE", text));
            Key {
                kid: member["kid"].as_str().map(str::to_owned),
                decoding: decoding.or_else(|| of_pem(&certificate?)),
            }
        })
        .collect();
    for file in dataset.key_files() {
        let is_pem = file.content.starts_with(b"-----");
        let texts = if is_pem {
            vec![String::from_utf8(file.content)?]
        } else {
            let body = STANDARD.encode(&file.content);
            vec![pem("PUBLIC KEY", &body), pem("CERTIFICATE", &body)]
        };
        keys.push(Key {
            kid: None,
            decoding: texts.iter().find_map(|text| of_pem(text)),
        });
    }
    Ok(keys)
}

fn pem(label: &str, body: &str) -> String {
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn of_pem(text: &str) -> Option<DecodingKey> {
    let text = text.as_bytes();
    let rsa = DecodingKey::from_rsa_pem(text);
    let ec = rsa.or_else(|_| DecodingKey::from_ec_pem(text));
    ec.or_else(|_| DecodingKey::from_ed_pem(text)).ok()
}

enum Said {
    Accepts,
    Rejects(String),
    Panics,
    NotJudged(&'static str),
}

/// As the documentation of the library has it: the algorithm is the header's, the key is looked up
/// by `kid`, and everything that can be expected is.
fn judge(token: &[u8], keys: &[Key], flags: &AuditFlags) -> Said {
    let header = match decode_header(token) {
        Ok(header) => header,
        Err(error) => {
            // A name that is not among the library's is an error of its JSON.
            let is_unknown = named_algorithm(token).is_some_and(|alg| {
                alg.parse::<jsonwebtoken::Algorithm>().is_err() && alg.parse::<Algorithm>().is_ok()
            });
            return if is_unknown {
                Said::NotJudged("an algorithm that the library does not have")
            } else {
                Said::Rejects(kind(error.kind()))
            };
        }
    };
    let mut validation = Validation::new(header.alg);
    validation.leeway = flags.leeway.into();
    validation.validate_nbf = true;
    validation.set_issuer(&flags.issuers);
    validation.set_audience(&flags.audiences);
    let known = ["exp", "nbf", "iss", "aud", "sub"];
    let required = flags.require.iter().filter(|name| known.contains(name));
    validation
        .set_required_spec_claims(&[required.copied().collect(), vec!["iss", "aud"]].concat());
    let named = |key: &&Key| header.kid.is_some() && key.kid == header.kid;
    let mut candidates: Vec<&Key> = keys.iter().filter(named).collect();
    if candidates.is_empty() {
        let is_open = |key: &&Key| header.kid.is_none() || key.kid.is_none();
        candidates = keys.iter().filter(is_open).collect();
    }
    let mut said = Said::NotJudged("a key in a form that the library does not read");
    let loaded = candidates.iter().filter_map(|key| key.decoding.as_ref());
    for key in loaded.filter(|key| key.family() == header.alg.family()) {
        let judged = AssertUnwindSafe(|| decode::<Value>(token, key, &validation));
        match panic::catch_unwind(judged) {
            Ok(Ok(_)) => return Said::Accepts,
            // Of several keys, what the others say counts.
            Err(_) if matches!(said, Said::NotJudged(_)) => said = Said::Panics,
            Err(_) => {}
            Ok(Err(error)) => match (error.kind(), &said) {
                (ErrorKind::InvalidSignature, Said::Rejects(_)) => {}
                (kind_of, _) => said = Said::Rejects(kind(kind_of)),
            },
        }
    }
    // Of several keys one that is not loaded may have signed.
    let is_missing = candidates.iter().any(|key| key.decoding.is_none());
    match said {
        Said::Rejects(why) if why == "InvalidSignature" && is_missing => {
            Said::NotJudged("a key in a form that the library does not read")
        }
        said => said,
    }
}

/// The variant, without the token's own words.
fn kind(kind: &ErrorKind) -> String {
    let text = format!("{kind:?}");
    let end = text.find(['(', ' ']).unwrap_or(text.len());
    text[..end].to_owned()
}

/// `alg` as the header has it.
fn named_algorithm(token: &[u8]) -> Option<String> {
    let header = token.split(|byte| *byte == b'.').next()?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header["alg"].as_str()?.to_owned())
}

/// Whether a time of the token is so near to the clock that the verdict changes while it is judged.
fn is_near(token: &[u8], now: u64) -> bool {
    let payload = token.split(|byte| *byte == b'.').nth(1);
    let payload = payload.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let payload = payload.and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    payload.is_some_and(|claims| {
        ["exp", "nbf"].iter().any(|name| {
            let seconds = claims[name].as_f64();
            seconds.is_some_and(|seconds| (seconds - now as f64).abs() < TOO_NEAR)
        })
    })
}
