use std::sync::atomic::AtomicBool;

use super::*;
use crate::extract::LineTokens;
use crate::input::{Block, SliceReader};
use crate::record::{Outcome, Recorder};
use crate::report::fixture::{OCTOBER, bare_policy, claims, mint, named_keys, now};
use crate::report::tally::{Placed, Tally};
use crate::stage::NoClock;

/// A judge and a recorder without rows, as a worker has them.
struct Worker {
    judge: BatchJudge,
    recorder: Recorder,
}

impl Worker {
    fn new(validator: &Validator, cache_bytes: usize) -> Self {
        Self {
            judge: BatchJudge::new(validator.clone(), Kernel::best(), cache_bytes, false),
            recorder: Recorder::new(validator.clone(), None, now()),
        }
    }

    /// Judges a block; how many of its tokens were known from the cache.
    fn judge(&mut self, block: &Block<'_>, outcome: &mut Outcome) -> u64 {
        let never = AtomicBool::new(false);
        let mut tokens = LineTokens::new(block, 1 << 20, now());
        let mut sink = self.recorder.record(0, outcome);
        assert!((self.judge).judge(&mut tokens, &never, &mut sink, &mut NoClock));
        self.recorder.end_batch(outcome);
        self.judge.repeated()
    }
}

fn block(text: &[u8]) -> Block<'_> {
    let mut block = Block::default();
    assert!(SliceReader::new(text, 0).fill(&mut block, usize::MAX));
    block
}

/// The counts of a batch, drained.
fn counts(validator: &Validator, outcome: &mut Outcome) -> Tally {
    let mut tally = Tally::new(now(), validator.keys()).with_distinct(true);
    tally.drain(&mut outcome.tally, 0);
    tally
}

fn shown(tally: &Tally) -> String {
    let distinct = tally.distinct.as_ref().map(|it| it.estimate());
    let crits = tally.unsupported_crits.sorted();
    let names = (tally.issuers.sorted(), tally.unknown_kids.sorted(), crits);
    let fixed = (tally.tokens, tally.blank_lines, tally.reasons, tally.algs);
    let rest = (tally.expiry, tally.no_expiry, &tally.keys, tally.findings);
    format!(
        "{distinct:?} {names:?} {fixed:?} {rest:?} {:?} {:?}",
        tally.samples, tally.finding_samples
    )
}

#[test]
fn repeated_tokens_are_hits_for_as_long_as_they_repeat() {
    let validator = Validator::new(bare_policy(), named_keys()).unwrap();
    let header = r#"{"alg":"HS256"}"#;
    let lines: Vec<String> = (10..40)
        .map(|number| mint(header, &claims("one", 90, number), OCTOBER))
        .collect();
    let every_third = lines.iter().step_by(3).map(|line| &**line).collect();
    let texts: [Vec<&str>; 2] = [every_third, lines.iter().map(|line| &**line).collect()];
    // One of them is not text.
    let end = [b"\n", lines[0].as_bytes(), b"\xff"].concat();
    let texts = texts.map(|lines| [lines.join("\n").as_bytes(), &end].concat());
    let mut worker = Worker::new(&validator, 1 << 20);
    let mut outcome = Outcome::new(now(), false, false);
    outcome.placed = Placed::everything();
    for (text, (times, tokens)) in texts.iter().zip([(3, 10), (400, 30)]) {
        let repeated = (0..times).map(|_| worker.judge(&block(text), &mut outcome));
        assert_eq!(repeated.last(), Some(tokens + 1));
        let found = counts(&validator, &mut outcome).tokens;
        assert_eq!((found.valid, found.rejected), (times * tokens, times));
    }
}

fn mixed_log() -> String {
    let mut lines = Vec::new();
    for (kid, ahead, number) in [
        ("2026-10", 90, 1),
        ("2026-10", 90, 2),
        ("2026-10", -90, 3),
        // The id of no key, and that of another key than the one that signed.
        ("2026-12", 90, 4),
        ("2026-11", 90, 5),
        ("2026-11", -90, 5),
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#);
        let token = mint(&header, &claims("one", ahead, number), OCTOBER);
        // Forged, and not a token at all.
        let forged = format!("{}AA", &token[..token.len() - 2]);
        lines.extend([token, forged, format!("x{number}")]);
    }
    lines.join("\n")
}

#[test]
fn tokens_from_the_cache_are_counted_like_all_others() {
    let validator = Validator::new(bare_policy().kid_as_hint(), named_keys()).unwrap();
    let log = mixed_log();
    for placed in [Placed::default(), Placed::everything()] {
        let mut worker = Worker::new(&validator, 1 << 20);
        let mut first = None;
        for round in 0..5 {
            let mut outcome = Outcome::new(now(), true, false);
            outcome.placed = placed;
            let repeated = worker.judge(&block(log.as_bytes()), &mut outcome);
            // Noted, then admitted, then hits: all but those that are no tokens.
            assert_eq!(repeated, if round < 2 { 0 } else { 12 }, "{round}");
            let shown = shown(&counts(&validator, &mut outcome));
            let expected = first.get_or_insert_with(|| shown.clone());
            assert_eq!(*expected, shown, "{round}");
        }
        let first = first.unwrap();
        assert!(first.contains(r#"("2026-12", "#), "{first}");
    }
}
