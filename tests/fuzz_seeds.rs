//! The bodies of the fuzz targets, on stable: over every seed, and over mutations of it that are
//! the same in every run.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jotmill::{KeyFinding, TimeForm};
use jotmill_test_support::rng::Rng;

use crate::fuzz_bodies::{self, Seen};
use crate::oracle::CODES;

/// Seeds of a target, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = crate::root().join("fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&directory)
        .expect("a directory of seeds")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read(&path).expect("a file"))
        })
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 10, "{target} has {} seeds", seeds.len());
    seeds
}

/// Runs a body over the seeds of its target and `mutations` of each; returns what it found in the
/// seeds.
fn replay(target: &str, mutations: usize, body: fn(&[u8]) -> Seen) -> Seen {
    let seeds = seeds(target);
    let guarded = |what: &str, data: &[u8]| {
        catch_unwind(AssertUnwindSafe(|| body(data))).unwrap_or_else(|panic| {
            println!("{target}: {what}: {}", data.escape_ascii());
            resume_unwind(panic)
        })
    };
    let mut seen = Seen::new();
    for (name, data) in &seeds {
        seen.extend(guarded(name, data));
    }
    let mut rng = Rng::new(0x5eed);
    for (name, data) in &seeds {
        for number in 0..mutations {
            let other = &seeds[rng.below(seeds.len())].1;
            guarded(
                &format!("mutation {number} of {name}"),
                &mutate(&mut rng, data, other),
            );
        }
    }
    seen
}

/// One to four changes: to a bit, a byte, a length, or with a piece of another seed.
fn mutate(rng: &mut Rng, data: &[u8], other: &[u8]) -> Vec<u8> {
    const SIGNIFICANT: &[u8] = b"\n\r\t .=\"\\{}[]:,-+0123456789eEntf_/A\0\x7f\x80\xc3\xef\xff";
    let mut data = data.to_vec();
    for _ in 0..1 + rng.below(4) {
        let place = rng.below(data.len() + 1);
        let end = (place + 1 + rng.below(8)).min(data.len());
        match rng.below(8) {
            0 if place < data.len() => data[place] ^= 1 << rng.below(8),
            1 if place < data.len() => data[place] = SIGNIFICANT[rng.below(SIGNIFICANT.len())],
            2 => data.insert(place, SIGNIFICANT[rng.below(SIGNIFICANT.len())]),
            3 => drop(data.drain(place..end)),
            4 => {
                let piece = data[place..end].to_vec();
                let at = rng.below(data.len() + 1);
                data.splice(at..at, piece);
            }
            5 => {
                let from = rng.below(other.len());
                let to = (from + 1 + rng.below(40)).min(other.len());
                data.splice(place..place, other[from..to].iter().copied());
            }
            6 => data.truncate(place),
            _ => data.extend_from_slice(&other[rng.below(other.len())..]),
        }
    }
    data
}

/// The codes whose names begin with one of these, and `valid`.
fn codes_of(beginnings: &[&str]) -> BTreeSet<&'static str> {
    let begins = |code: &&str| {
        beginnings
            .iter()
            .any(|beginning| code.starts_with(beginning))
    };
    CODES.into_iter().filter(begins).chain(["valid"]).collect()
}

fn assert_reaches(seen: &Seen, wanted: &BTreeSet<&'static str>) {
    let unseen: Vec<_> = wanted.difference(seen).collect();
    assert!(unseen.is_empty(), "no seed gives {unseen:?}");
}

#[test]
fn logs_are_split_as_the_naive_splitter_does() {
    let seen = replay("split", 40, fuzz_bodies::split);
    assert_reaches(
        &seen,
        &[
            "valid",
            "too-long",
            "segment-count",
            "encrypted",
            "header-json",
        ]
        .into(),
    );
}

#[test]
fn headers_are_judged_as_the_oracle_does() {
    let seen = replay("header", 100, fuzz_bodies::header);
    let mut wanted = codes_of(&[
        "header-", "alg-", "kid-", "typ-", "cty-", "crit-", "b64-", "key-",
    ]);
    wanted.remove("header-base64url"); // the body encodes
    wanted.insert("too-many-keys");
    assert_reaches(&seen, &wanted);
}

#[test]
fn claims_are_judged_as_the_oracle_does() {
    let seen = replay("claims", 100, fuzz_bodies::claims);
    let start = CODES
        .iter()
        .position(|code| *code == "payload-json")
        .expect("a code");
    let mut wanted: BTreeSet<_> = CODES[start..].iter().copied().collect();
    wanted.insert("valid");
    assert_reaches(&seen, &wanted);
}

#[test]
fn payloads_laid_out_alike_are_judged_as_the_oracle_does() {
    let seen = replay("layouts", 200, fuzz_bodies::layouts);
    let wanted = [
        "valid",
        "payload-json",
        "expired",
        "issuer-mismatch",
        "exp-type",
    ];
    assert_reaches(&seen, &wanted.into());
}

#[test]
fn key_files_are_loaded_or_refused_and_never_quoted() {
    let seen = replay("keys", 100, fuzz_bodies::keys);
    let types = [
        "oct",
        "RSA",
        "EC",
        "P-256",
        "secp256k1",
        "OKP",
        "Ed25519",
        "Ed448",
    ];
    let mut wanted = BTreeSet::from(types);
    wanted.extend(KeyFinding::ALL.map(KeyFinding::code));
    wanted.extend(["error", "unusable-key", "anchor", "anchor-error", "utf-16"]);
    wanted.extend([
        "valid",
        "key-unusable",
        "key-mismatch",
        "signature-mismatch",
    ]);
    assert_reaches(&seen, &wanted);
}

#[test]
fn times_are_found_as_the_oracle_does() {
    let seen = replay("times", 400, fuzz_bodies::times);
    let mut wanted: BTreeSet<_> = TimeForm::ALL.iter().map(|form| form.name()).collect();
    wanted.extend([
        "none",
        "assumed-year",
        "assumed-zone",
        "number",
        "exact",
        "field",
    ]);
    assert_reaches(&seen, &wanted);
}

#[test]
fn lines_are_judged_as_the_oracle_does() {
    let seen = replay("token", 100, fuzz_bodies::token);
    let stages = codes_of(&[
        "segment-",
        "encrypted",
        "header-b",
        "alg-none",
        "signature-",
        "too-l",
    ]);
    assert_reaches(&seen, &stages);
}
