//! What a run costs by the size of tokens, the number of keys and the verdict, and of that what is
//! not MACs.
//!
//!     cargo bench --bench shapes
//!
//! The cost of a token is to grow with the bytes that are hashed and with the MACs that are tried,
//! and with nothing else. So each mix has its bound beside it, the same MACs alone in the same
//! kernel, and what is left is given per token and per byte. No verdict is to cost much more
//! than another; repeated tokens are to cost less, and lookups next to nothing where no token
//! is repeated.
//!
//! The rounds are interleaved, one of each subject and then the next of each, so that whatever else
//! the machine does falls on all of them; the figures are medians of five. Each mix has the same
//! number of bytes, read from memory, and every run must come to the verdicts that the maker of the
//! mix promised. With `--test`, as with the other benches, there are few tokens and one round.

#![allow(
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    reason = "a bench that cannot be set up, or that counts wrongly, must end loudly"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jotmill::measure::Signatures;
use jotmill::{Finished, Kernel};
use jotmill_datasets::Spec;

use jotmill_benches::{self as mixes, Mix};

/// The rounds of each subject, after one that warms up and does not count.
const ROUNDS: usize = 5;
/// About how many bytes of tokens a mix has: enough that what a run costs once is lost in them.
const BYTES: u64 = 32 << 20;
/// The same where it is only seen whether all of it works.
const TEST_BYTES: u64 = 128 << 10;

/// The mix of the headline figure, which the others are compared with.
const USUAL: &str = "all-valid";
/// The mix in which every token comes a hundred times.
const REPEATED: &str = "repeated";
/// The mixes with a bound.
const SHAPES: [&str; 9] = [
    USUAL,
    "payload-100",
    "payload-500",
    "payload-2000",
    "payload-16000",
    "keys-10",
    "keys-100",
    "many-keys",
    "keys-10-no-kid",
];
/// Those that differ from the usual one in their verdicts.
const VERDICTS: [&str; 4] = ["one-in-100-expired", "expired", "forged", "garbage"];

fn main() {
    let is_test = std::env::args().any(|arg| arg == "--test");
    let (bytes, rounds) = if is_test {
        (TEST_BYTES, 1)
    } else {
        (BYTES, ROUNDS)
    };
    let mixes = mixes(bytes);
    let mut bench = Bench::new(&mixes);
    for round in 0..=rounds {
        bench.round(round > 0);
    }
    println!(
        "{}, 1 thread where no other number is given; {:.1} MB of tokens a mix, medians of {rounds}",
        Kernel::best(),
        bytes as f64 / 1e6
    );
    bench.print_shapes();
    bench.print_verdicts();
    bench.print_repeats();
    bench.print_threads();
}

/// The mixes by their names, of about so many bytes each.
fn mixes(bytes: u64) -> BTreeMap<String, Mix> {
    let wanted: Vec<&str> = [&SHAPES[..], &VERDICTS, &[REPEATED]].concat();
    let usual = (USUAL.to_owned(), mixes::bench());
    let mixes: BTreeMap<_, _> = std::iter::once(usual)
        .chain(mixes::descriptions())
        .filter(|(name, _)| wanted.contains(&&**name))
        .map(|(name, spec)| (name.clone(), sized(name, spec, bytes)))
        .collect();
    assert_eq!(mixes.len(), wanted.len(), "a mix has another name now");
    mixes
}

/// A mix of about so many bytes.
fn sized(name: String, spec: Spec, bytes: u64) -> Mix {
    let sample = Spec {
        count: 100,
        ..spec.clone()
    };
    let sample = Mix::new("sample", sample);
    let count = bytes * sample.lines / sample.tokens.len() as u64;
    Mix::new(name, Spec { count, ..spec })
}

/// How a mix is judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// As by default.
    Usual,
    /// Without a cache of repeated tokens.
    Uncached,
    /// By two threads.
    TwoThreads,
    /// Not at all: the MACs alone, one for each token whose header says by which key.
    Macs,
}

/// What was measured of a mix judged in one way.
struct Subject<'m> {
    mix: &'m Mix,
    how: How,
    signatures: Option<Signatures<'m>>,
    times: Vec<Duration>,
    /// What the last run came to.
    finished: Option<Finished>,
}

impl<'m> Subject<'m> {
    fn new(mix: &'m Mix, how: How) -> Subject<'m> {
        let signatures = || Signatures::new(&mix.validator, &mix.tokens);
        Subject {
            mix,
            how,
            signatures: (how == How::Macs).then(signatures),
            times: Vec::with_capacity(ROUNDS),
            finished: None,
        }
    }

    fn measure(&mut self) -> Duration {
        if let Some(signatures) = &mut self.signatures {
            return signatures.compute(Kernel::best());
        }
        let begun = Instant::now();
        let finished = audit(self.mix, self.how);
        let elapsed = begun.elapsed();
        self.finished = Some(finished);
        elapsed
    }

    /// The median time of a token, in nanoseconds.
    fn nanos(&self) -> f64 {
        let mut times = self.times.clone();
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e9 / self.mix.lines as f64
    }

    fn finished(&self) -> &Finished {
        self.finished.as_ref().expect("it was judged")
    }

    /// The share of the tokens that were taken from the cache, in percent.
    fn hits(&self) -> f64 {
        self.finished().repeated as f64 / self.mix.lines as f64 * 100.0
    }
}

fn audit(mix: &Mix, how: How) -> Finished {
    let mut options = mix.options();
    match how {
        How::Uncached => options.cache_bytes = 0,
        How::TwoThreads => options.threads = 2,
        How::Usual | How::Macs => {}
    }
    mix.audit(&options, None)
}

/// All that is measured.
struct Bench<'m> {
    subjects: BTreeMap<(&'m str, How), Subject<'m>>,
}

impl<'m> Bench<'m> {
    fn new(mixes: &'m BTreeMap<String, Mix>) -> Bench<'m> {
        let all = mixes.keys().map(|name| (&**name, How::Usual));
        let bounds = SHAPES.map(|name| (name, How::Macs));
        let others = [
            (USUAL, How::Uncached),
            (USUAL, How::TwoThreads),
            (REPEATED, How::Uncached),
        ];
        let subjects = all.chain(bounds).chain(others);
        let subjects = subjects.map(|(name, how)| ((name, how), Subject::new(&mixes[name], how)));
        Bench {
            subjects: subjects.collect(),
        }
    }

    /// Measures each subject once.
    fn round(&mut self, counts: bool) {
        for subject in self.subjects.values_mut() {
            let time = subject.measure();
            subject.times.extend(counts.then_some(time));
        }
    }

    fn of(&self, name: &'static str, how: How) -> &Subject<'m> {
        &self.subjects[&(name, how)]
    }

    /// How often as long as a usual token in a usual run.
    fn times_usual(&self, subject: &Subject<'_>) -> f64 {
        subject.nanos() / self.of(USUAL, How::Usual).nanos()
    }

    fn print_shapes(&self) {
        println!(
            "\n{:22}{:>8}{:>10}{:>8}{:>12}{:>10}{:>10}{:>14}",
            "sizes and keys",
            "bytes",
            "ns/token",
            "MACs",
            "ns of MACs",
            "of bound",
            "ns rest",
            "ns rest/byte"
        );
        for name in SHAPES {
            let subject = self.of(name, How::Usual);
            let mix = subject.mix;
            let macs = macs(subject);
            let (nanos, alone) = (subject.nanos(), self.of(name, How::Macs).nanos() * macs);
            let bytes = mix.tokens.len() as f64 / mix.lines as f64 - 1.0;
            println!(
                "{name:22}{bytes:>8.0}{nanos:>10.0}{macs:>8.2}{alone:>12.0}{:>8.0} %{:>10.0}{:>14.3}",
                alone / nanos * 100.0,
                nanos - alone,
                (nanos - alone) / bytes
            );
        }
    }

    fn print_verdicts(&self) {
        println!(
            "\n{:22}{:>8}{:>10}{:>10}{:>14}",
            "verdicts", "valid", "rejected", "ns/token", "of all-valid"
        );
        for name in std::iter::once(USUAL).chain(VERDICTS) {
            let subject = self.of(name, How::Usual);
            println!(
                "{name:22}{:>8}{:>10}{:>10.0}{:>12.2} x",
                subject.mix.valid,
                subject.mix.rejected(),
                subject.nanos(),
                self.times_usual(subject)
            );
        }
    }

    fn print_repeats(&self) {
        println!(
            "\n{:22}{:>12}{:>10}{:>10}{:>14}",
            "repeats", "cache", "hits", "ns/token", "of all-valid"
        );
        for name in [USUAL, REPEATED] {
            for (how, cache) in [(How::Usual, "usual"), (How::Uncached, "none")] {
                let subject = self.of(name, how);
                println!(
                    "{name:22}{cache:>12}{:>8.0} %{:>10.0}{:>12.2} x",
                    subject.hits(),
                    subject.nanos(),
                    self.times_usual(subject)
                );
            }
        }
    }

    fn print_threads(&self) {
        println!(
            "\n{:22}{:>8}{:>10}{:>14}",
            "threads", "", "ns/token", "scaling"
        );
        for (how, threads) in [(How::Usual, 1), (How::TwoThreads, 2)] {
            let subject = self.of(USUAL, how);
            println!(
                "{USUAL:22}{threads:>8}{:>10.0}{:>12.2} x",
                subject.nanos(),
                1.0 / self.times_usual(subject)
            );
        }
    }
}

/// How many MACs a token takes. Keys without an id are tried in their order on every token, so
/// that the number of tries follows from the key that made a signature.
fn macs(subject: &Subject<'_>) -> f64 {
    let mix = subject.mix;
    if mix.validator.keys().iter().any(|key| key.id().is_some()) {
        return 1.0;
    }
    assert_eq!(mix.rejected(), 0, "{}: tried in vain", mix.name);
    let keys = &subject.finished().report.tally.keys;
    let tried = (1..).zip(keys).map(|(tries, key)| tries * key.valid);
    tried.sum::<u64>() as f64 / mix.lines as f64
}
