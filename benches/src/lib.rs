//! The data mixes that the benches judge, by the names they have in every table of results.
//!
//! Each is made from one fixed seed, so a figure can be measured again on the same bytes, and each
//! comes with the validator it is to be judged by and with what its maker says of it: how many
//! lines, how many of them valid. A bench holds every iteration against those numbers, so that a
//! wrong short cut fails instead of winning.
//!
//! The mixes are small (up to about 10 MB), so that each bench is quick. They are read from
//! memory: no figure has a disk in it.

#![allow(
    clippy::expect_used,
    reason = "a mix that cannot be made, or that is judged wrongly, must end loudly"
)]

pub mod plain;

use std::hint::black_box;
use std::sync::atomic::AtomicBool;

use jotmill::{
    Finished, Input, KeySet, Policy, RowSink, RunOptions, UnixTime, Validator, Watch, run,
};
use jotmill_datasets::{Algorithm, Dataset, Defect, Shape, Share, Spec};

/// Which of the data sets of each description.
const SEED: u64 = 20_260_930;
/// The lines of a mix, where its tokens are of ordinary size.
const LINES: u64 = 20_000;
/// The length of a token of [`Mix::all_valid`].
pub const TOKEN_BYTES: usize = 375;

/// Tokens, what judges them, and what must come of it.
pub struct Mix {
    /// What the mix is, as the benches name it.
    pub name: String,
    /// The tokens, a line feed behind each.
    pub tokens: Vec<u8>,
    /// How many lines.
    pub lines: u64,
    /// How many lines are valid.
    pub valid: u64,
    /// The policy and the keys under which that is so.
    pub validator: Validator,
    /// The time at which the tokens are judged, in Unix seconds.
    pub now: u64,
    /// The key set, for peers with a reader of their own.
    pub jwks: String,
}

impl Mix {
    /// The mix that a description gives.
    pub fn new(name: impl Into<String>, spec: Spec) -> Mix {
        let dataset = Dataset::new(spec).expect("a data set");
        let mut tokens = Vec::new();
        let summary = dataset.write(&mut tokens, None, |_| ());
        let summary = summary.expect("memory takes every write");
        Mix {
            name: name.into(),
            tokens,
            lines: summary.lines,
            valid: summary.valid,
            validator: validator(&dataset),
            now: now(&dataset),
            jwks: dataset.jwks(),
        }
    }

    /// HS256 tokens of 375 bytes that one key signed, all distinct, all valid: the mix of the
    /// headline figure and of the stages.
    pub fn all_valid() -> Mix {
        let mix = Mix::new("all-valid", bench());
        let mut lines = mix.tokens.split_inclusive(|byte| *byte == b'\n');
        assert!(lines.all(|line| line.len() == TOKEN_BYTES + 1));
        assert_eq!(mix.valid, LINES);
        mix
    }

    /// The instant at which the tokens are judged.
    pub fn instant(&self) -> UnixTime {
        UnixTime::new(self.now, 0).expect("a time")
    }

    /// A run at that instant.
    pub fn options(&self) -> RunOptions {
        RunOptions::new(self.instant())
    }

    /// Audits the tokens once, from memory, and holds what came of it against what their maker says.
    pub fn audit(&self, options: &RunOptions, rows: Option<RowSink<'_>>) -> Finished {
        let input = Input::Bytes {
            name: self.name.clone(),
            bytes: black_box(&self.tokens),
        };
        let stop = AtomicBool::new(false);
        let watch = Watch {
            stop: &stop,
            progress: &mut |_| (),
        };
        let finished = run(&self.validator, vec![input], options, rows, watch);
        assert!(finished.report.complete, "{}: not all judged", self.name);
        assert!(finished.errors.is_empty(), "{}: errors", self.name);
        let counts = &finished.report.tally.tokens;
        assert_eq!(
            (counts.valid, counts.rejected),
            (self.valid, self.rejected()),
            "{}: valid, rejected",
            self.name
        );
        finished
    }

    /// The lines that must be rejected.
    pub fn rejected(&self) -> u64 {
        self.lines - self.valid
    }
}

/// What [`Mix::all_valid`] is made of; the other mixes differ from it in what their names say.
pub fn bench() -> Spec {
    Spec {
        count: LINES,
        seed: SEED,
        keys: 1,
        shape: "bench".parse().expect("a shape"),
        ..Spec::default()
    }
}

/// The same, signed otherwise.
pub fn signed(algorithm: Algorithm) -> Spec {
    // A signature by a private key takes a hundred times as long as a MAC to verify.
    let count = if algorithm.is_hmac() {
        LINES
    } else {
        LINES / 20
    };
    Spec {
        count,
        algorithms: vec![algorithm],
        ..bench()
    }
}

/// All mixes but [`Mix::all_valid`], each made when its turn comes.
pub fn others() -> impl Iterator<Item = Mix> {
    descriptions().map(|(name, spec)| Mix::new(name, spec))
}

/// What [`others`] are made of, by their names.
pub fn descriptions() -> impl Iterator<Item = (String, Spec)> {
    let defects = |defects: &[(Defect, u32)]| Spec {
        defects: defects
            .iter()
            .map(|(defect, percent)| (*defect, Share::from_percent(*percent)))
            .collect(),
        ..bench()
    };
    let payload = |payload, count| {
        let shape = Shape::Bench { payload };
        let spec = Spec {
            count,
            shape,
            ..bench()
        };
        (format!("payload-{payload}"), spec)
    };
    let named = |name: &str, spec| (name.to_owned(), spec);
    let garbage = [(Defect::SegmentCount, 50), (Defect::HeaderBase64url, 50)];
    let repeated = Spec {
        repeat: 100,
        ..bench()
    };
    // To choose a key costs the same among ten and among 10,000. What differs with 10,000 is that
    // many headers are new and have to be parsed, and that cached headers and keys no longer fit
    // into the nearest caches of the processor.
    let keys = |keys| Spec { keys, ..bench() };
    // No key has an id, so that every token is tried on all of them in turn.
    let without_ids = Spec {
        keys_without_id: 10,
        ..keys(10)
    };
    // Shapes, times, `kid`s and unusual but valid tokens as in the wild, three keys.
    let mixed = Spec {
        count: LINES,
        seed: SEED,
        ..Spec::default()
    };
    [
        named("one-in-100-expired", defects(&[(Defect::Expired, 1)])),
        named("expired", defects(&[(Defect::Expired, 100)])),
        named("forged", defects(&[(Defect::SignatureMismatch, 100)])),
        named("garbage", defects(&garbage)),
        named("repeated", repeated),
        named("keys-10", keys(10)),
        named("keys-10-no-kid", without_ids),
        named("keys-100", keys(100)),
        named("many-keys", keys(1_000)),
        named("keys-10000", keys(10_000)),
        payload(100, LINES),
        payload(500, LINES / 2),
        payload(2_000, LINES / 5),
        payload(16_000, LINES / 40),
        named("mixed", mixed),
    ]
    .into_iter()
    .chain(
        (Algorithm::ALL.iter())
            .filter(|algorithm| **algorithm != Algorithm::Hs256)
            .map(|algorithm| (algorithm.name().to_lowercase(), signed(*algorithm))),
    )
}

fn now(dataset: &Dataset) -> u64 {
    u64::try_from(dataset.audit_flags().now).expect("after 1970")
}

/// The policy and keys for a data set. None of the mixes needs more options than these.
fn validator(dataset: &Dataset) -> Validator {
    let flags = dataset.audit_flags();
    let mut policy = Policy::new().leeway(flags.leeway.into()).expect("a leeway");
    for issuer in &flags.issuers {
        policy = policy.issuer(*issuer);
    }
    for audience in &flags.audiences {
        policy = policy.audience(*audience);
    }
    if let Some(tries) = flags.max_key_tries {
        let tries = usize::try_from(tries).expect("tries");
        policy = policy.max_key_tries(tries).expect("tries");
    }
    let mut keys = KeySet::new();
    keys.add_key(dataset.jwks().as_bytes(), "keys.json")
        .expect("usable keys");
    Validator::new(policy, keys).expect("a validator")
}
