//! jotmill and its peers over the same tokens, in one run.
//!
//!     cargo run --release --manifest-path benches/compare/Cargo.toml [-- ALGORITHM...]
//!
//! Owns the rounds and the table; `peers.rs` owns who takes part and how each is set up, and the
//! mixes are those of jotmill's own benches. Every round of every peer must count as many valid
//! tokens as the maker of the mix says, or the run ends: a peer that skips a check does not win.
//!
//! The rounds are interleaved, one of each peer and then the next of each, so that whatever else
//! the machine does falls on all of them. The figures are medians of five; the one to quote is the
//! ratio, since times differ from machine to machine and from hour to hour.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a comparison that cannot be set up, or that counts wrongly, must end loudly"
)]

mod peers;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jotmill_datasets::{Algorithm, Defect, Share, Spec};

use jotmill_benches::{self as mixes, Mix};
use peers::{Data, Peer};

/// The rounds of each peer, after one that warms up and does not count.
const ROUNDS: usize = 5;

/// The tokens of a mix: enough that what a run costs once is lost in what it costs a token.
const TOKENS: u64 = 100_000;

/// The same where a token takes a hundred times as long.
const PUBLIC_TOKENS: u64 = 4000;

/// How far ahead of the clock the tokens are made and judged. `jsonwebtoken` judges by the clock
/// alone; a leeway of as much gives it the same verdicts for as long.
const AHEAD: u64 = 900;

fn main() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = clock.expect("after 1970").as_secs() + AHEAD;
    let spec = |algorithm| Spec {
        count: TOKENS,
        algorithms: vec![algorithm],
        now: i64::try_from(now).expect("a time"),
        ..mixes::bench()
    };
    let forged = Spec {
        defects: vec![(Defect::SignatureMismatch, Share::from_percent(1))],
        ..spec(Algorithm::Hs256)
    };
    let public = |algorithm| Spec {
        count: PUBLIC_TOKENS,
        ..spec(algorithm)
    };
    let mixes = [
        ("all-valid", Algorithm::Hs256, spec(Algorithm::Hs256)),
        ("one-in-100-forged", Algorithm::Hs256, forged),
        ("all-valid", Algorithm::Hs384, spec(Algorithm::Hs384)),
        ("all-valid", Algorithm::Hs512, spec(Algorithm::Hs512)),
        ("all-valid", Algorithm::Rs256, public(Algorithm::Rs256)),
        ("all-valid", Algorithm::Es256, public(Algorithm::Es256)),
        ("all-valid", Algorithm::EdDsa, public(Algorithm::EdDsa)),
    ];
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_known = |name: &String| mixes.iter().any(|(_, known, _)| known.name() == name);
    assert!(wanted.iter().all(is_known), "no such algorithm: {wanted:?}");
    println!("{}", peers::TERMS);
    for (name, algorithm, spec) in mixes {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == algorithm.name()) {
            compare(name, algorithm, spec);
        }
    }
}

/// Judges one mix by every peer, with one thread and with all of them, and prints the table.
fn compare(name: &str, algorithm: Algorithm, spec: Spec) {
    let mix = Mix::new(name, spec);
    let data = Data::new(&mix);
    let peers = peers::peers(&mix, algorithm);
    let threads = rayon::current_num_threads();
    println!(
        "\n{algorithm}, {name}: {} tokens, {} valid, {:.1} MB",
        mix.lines,
        mix.valid,
        mix.tokens.len() as f64 / 1e6
    );
    let one = rounds(&mix, &data, &peers, 1);
    let all = (threads > 1).then(|| rounds(&mix, &data, &peers, threads));

    print!("{:38}{}", "", heading("1 thread"));
    if all.is_some() {
        print!("{}", heading(&format!("{threads} threads")));
    }
    println!();
    for (index, peer) in peers.iter().enumerate() {
        print!("{:38}{}", peer.name, columns(&mix, &peers, &one, index));
        if let Some(all) = &all {
            print!("{}", columns(&mix, &peers, all, index));
        }
        println!();
    }
}

/// The median time of each peer, in their order.
fn rounds(mix: &Mix, data: &Data<'_>, peers: &[Peer<'_>], threads: usize) -> Vec<Duration> {
    let mut times = vec![Vec::with_capacity(ROUNDS); peers.len()];
    for round in 0..=ROUNDS {
        for (peer, times) in peers.iter().zip(&mut times) {
            let started = Instant::now();
            let valid = peer.judge(data, threads);
            let elapsed = started.elapsed();
            assert_eq!(
                valid, mix.valid,
                "{}: valid tokens of {}",
                peer.name, mix.name
            );
            if round > 0 {
                times.push(elapsed);
            }
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

fn heading(threads: &str) -> String {
    format!(
        "{threads:>12}{:>14}{:>12}{:>14}",
        "tokens/s", "jotmill is", "jsonwebtoken"
    )
}

/// Time, rate, how much longer than jotmill in bulk, which is the first, and how many times as fast
/// as jsonwebtoken with typed claims.
fn columns(mix: &Mix, peers: &[Peer<'_>], times: &[Duration], index: usize) -> String {
    let seconds = times[index].as_secs_f64();
    let lines = mix.lines as f64;
    let reference = peers.iter().position(|peer| peer.name == peers::REFERENCE);
    let reference = times[reference.expect("it takes part")].as_secs_f64();
    let nanos = format!("{:.0} ns", seconds * 1e9 / lines);
    let ratio = format!("{:.2} x", seconds / times[0].as_secs_f64());
    let speed = format!("{:.2} x", reference / seconds);
    format!("{nanos:>12}{:>14.0}{ratio:>12}{speed:>14}", lines / seconds)
}
