//! The lines of a data set in their order, and writing them out.
//!
//! Owns which line has which defect, the repetitions, the ground truth's form and the buffers.
//! Memory does not grow with the number of lines.

use std::io::{self, Write};

use super::defect::Defect;
use super::rng::{Rng, Streams};
use super::text::{push_json_string, push_u64};
use super::token::{Plan, TokenMaker};

/// How many distinct tokens take part in the shuffling of repetitions at a time.
const WINDOW: usize = 512;
/// How much is gathered before it is written, in bytes.
const CHUNK: usize = 64 * 1024;

/// One line of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u64,
    /// The token, without a line ending.
    pub token: &'a [u8],
    /// What is wrong with it; `None` where it is valid.
    pub defect: Option<Defect>,
    /// The id of the key that signed it, where the signature holds and the key has one.
    pub key: Option<&'a str>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Lines, each one token.
    pub lines: u64,
    /// Different tokens among them.
    pub distinct: u64,
    /// Lines with a valid token.
    pub valid: u64,
    /// Lines with each defect of the spec, in the order of [`Defect::ALL`].
    pub defects: Vec<(Defect, u64)>,
    /// Bytes of tokens, line endings included.
    pub token_bytes: u64,
    /// Bytes of ground truth.
    pub truth_bytes: u64,
}

/// A token in the window, and how many more times it occurs.
struct Pending<'p> {
    token: Vec<u8>,
    defect: Option<Defect>,
    key: Option<&'p str>,
    left: u64,
}

/// The lines of a data set in their order. Each overwrites the one before.
pub struct Lines<'p> {
    plan: &'p Plan,
    maker: TokenMaker<'p>,
    rng: Rng,
    /// How many distinct tokens with each defect are left to make; the valid ones first.
    quotas: Vec<(Option<Defect>, u64)>,
    /// The sum of the quotas.
    unmade: u64,
    made: u64,
    emitted: u64,
    window: Vec<Pending<'p>>,
    /// The place in the window of the last line, if that was the last of its token.
    spent: Option<usize>,
}

/// How many distinct tokens the lines of a data set have.
pub(super) fn distinct(plan: &Plan) -> u64 {
    plan.spec.count.div_ceil(u64::from(plan.spec.repeat.max(1)))
}

/// Splits `total` into shares, each within one of exact: what is left after rounding down goes to
/// the largest remainders, the valid tokens and then the earlier defects first among equals.
pub(super) fn quotas(plan: &Plan, total: u64) -> Vec<(Option<Defect>, u64)> {
    let given = plan.spec.defects.iter();
    let mut shares: Vec<(Option<Defect>, u128)> = given
        .map(|&(defect, share)| (Some(defect), u128::from(share.millionths())))
        .collect();
    shares.sort_by_key(|&(defect, _)| defect);
    let spoiled: u128 = shares.iter().map(|&(_, share)| share).sum();
    shares.insert(0, (None, 1_000_000_u128.saturating_sub(spoiled)));
    let exact = |share: u128| u128::from(total) * share;
    let mut quotas: Vec<(Option<Defect>, u64)> = shares
        .iter()
        .map(|&(fate, share)| (fate, u64::try_from(exact(share) / 1_000_000).unwrap_or(0)))
        .collect();
    let whole: u64 = quotas.iter().map(|&(_, quota)| quota).sum();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    let remainder = |at: &usize| {
        shares
            .get(*at)
            .map_or(0, |&(_, share)| exact(share) % 1_000_000)
    };
    order.sort_by_key(|at| std::cmp::Reverse(remainder(at)));
    for (at, _) in order.iter().zip(whole..total) {
        if let Some((_, quota)) = quotas.get_mut(*at) {
            *quota += 1;
        }
    }
    quotas
}

impl<'p> Lines<'p> {
    pub(super) fn new(plan: &'p Plan) -> Lines<'p> {
        let unmade = distinct(plan);
        Lines {
            plan,
            maker: TokenMaker::new(plan),
            rng: Streams::new(plan.spec.seed, 0x6f72_6465_7200).at(0),
            quotas: quotas(plan, unmade),
            unmade,
            made: 0,
            emitted: 0,
            window: Vec::new(),
            spent: None,
        }
    }

    /// The next line.
    #[expect(
        clippy::should_implement_trait,
        reason = "a line borrows from the iterator"
    )]
    pub fn next(&mut self) -> Option<Line<'_>> {
        if self.plan.spec.repeat <= 1 {
            let (defect, key) = self.make()?;
            self.emitted += 1;
            return Some(Line {
                number: self.emitted,
                token: &self.maker.token,
                defect,
                key,
            });
        }
        if let Some(place) = self.spent.take() {
            self.refill(place);
        }
        while self.window.len() < WINDOW {
            let Some(pending) = self.next_pending(Vec::new()) else {
                break;
            };
            self.window.push(pending);
        }
        let place = self.rng.index(self.window.len());
        let pending = self.window.get_mut(place)?;
        pending.left -= 1;
        if pending.left == 0 {
            self.spent = Some(place);
        }
        self.emitted += 1;
        let pending = self.window.get(place)?;
        Some(Line {
            number: self.emitted,
            token: &pending.token,
            defect: pending.defect,
            key: pending.key,
        })
    }

    /// Puts the next distinct token in the place of one that has been used up, or closes the gap.
    fn refill(&mut self, place: usize) {
        let buffer = self
            .window
            .get_mut(place)
            .map(|pending| std::mem::take(&mut pending.token));
        match (
            self.next_pending(buffer.unwrap_or_default()),
            self.window.get_mut(place),
        ) {
            (Some(pending), Some(spent)) => *spent = pending,
            (None, Some(_)) => {
                self.window.swap_remove(place);
            }
            (_, None) => {}
        }
    }

    fn next_pending(&mut self, mut buffer: Vec<u8>) -> Option<Pending<'p>> {
        let (defect, key) = self.make()?;
        buffer.clear();
        buffer.extend_from_slice(&self.maker.token);
        let repeat = u64::from(self.plan.spec.repeat);
        // The last one occurs less often where the number of lines is no multiple.
        let before = (self.made - 1).saturating_mul(repeat);
        let left = repeat
            .min(self.plan.spec.count.saturating_sub(before))
            .max(1);
        Some(Pending {
            token: buffer,
            defect,
            key,
            left,
        })
    }

    /// Makes the next distinct token. Its defect is drawn from what is left of the quotas, so
    /// that every order is equally likely and the shares come out exact.
    fn make(&mut self) -> Option<(Option<Defect>, Option<&'p str>)> {
        if self.unmade == 0 {
            return None;
        }
        let mut ticket = self.rng.below(self.unmade);
        let mut fate = None;
        for (candidate, quota) in &mut self.quotas {
            if ticket < *quota {
                *quota -= 1;
                fate = *candidate;
                break;
            }
            ticket -= *quota;
        }
        self.unmade -= 1;
        let key = self.maker.make(self.made, fate);
        self.made += 1;
        Some((fate, key))
    }
}

impl Line<'_> {
    /// Appends the line's ground truth to `out`: one line of JSON.
    pub fn push_truth(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"line\":");
        push_u64(out, self.number);
        match self.defect {
            None => out.extend_from_slice(b",\"verdict\":\"valid\",\"reasons\":[]"),
            Some(defect) => {
                out.extend_from_slice(b",\"verdict\":\"rejected\",\"reasons\":[\"");
                out.extend_from_slice(defect.code().as_bytes());
                out.extend_from_slice(b"\"]");
            }
        }
        if let Some(key) = self.key {
            out.extend_from_slice(b",\"key\":");
            push_json_string(out, key);
        }
        out.extend_from_slice(b"}\n");
    }
}

/// Writes all lines and, where there is a writer for it, the ground truth.
pub(super) fn write(
    plan: &Plan,
    tokens: &mut dyn Write,
    mut truth: Option<&mut dyn Write>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Summary> {
    let mut lines = Lines::new(plan);
    let mut summary = Summary {
        distinct: lines.unmade,
        ..Summary::default()
    };
    summary.defects = lines
        .quotas
        .iter()
        .filter_map(|&(fate, _)| fate.map(|defect| (defect, 0)))
        .collect();
    let mut token_chunk = Vec::with_capacity(2 * CHUNK);
    let mut truth_chunk = Vec::new();
    loop {
        while token_chunk.len() < CHUNK
            && let Some(line) = lines.next()
        {
            token_chunk.extend_from_slice(line.token);
            token_chunk.push(b'\n');
            if truth.is_some() {
                line.push_truth(&mut truth_chunk);
            }
            summary.count(line);
        }
        if token_chunk.is_empty() {
            break;
        }
        tokens.write_all(&token_chunk)?;
        summary.token_bytes += u64::try_from(token_chunk.len()).unwrap_or(0);
        token_chunk.clear();
        if let Some(truth) = truth.as_mut() {
            truth.write_all(&truth_chunk)?;
            summary.truth_bytes += u64::try_from(truth_chunk.len()).unwrap_or(0);
            truth_chunk.clear();
        }
        progress(summary.lines);
    }
    tokens.flush()?;
    if let Some(truth) = truth {
        truth.flush()?;
    }
    Ok(summary)
}

impl Summary {
    fn count(&mut self, line: Line<'_>) {
        self.lines = line.number;
        let Some(defect) = line.defect else {
            self.valid += 1;
            return;
        };
        if let Some((_, count)) = self.defects.iter_mut().find(|(known, _)| *known == defect) {
            *count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dataset, Spec};

    fn split(total: u64, mix: &str) -> Vec<u64> {
        let defects = Spec::parse_defects(mix).unwrap();
        let dataset = Dataset::new(Spec {
            defects,
            ..Spec::default()
        })
        .unwrap();
        quotas(&dataset.plan, total)
            .into_iter()
            .map(|(_, quota)| quota)
            .collect()
    }

    #[test]
    fn quotas_are_exact_to_a_millionth() {
        assert_eq!(split(1_000_000, "expired=0.0001%"), [999_999, 1]);
        // The defects are in the order of their stages, whatever the order in the mix.
        assert_eq!(
            split(1_000_000, "expired=5%,alg-none=33.3333%"),
            [616_667, 333_333, 50_000]
        );
        assert_eq!(split(10, "expired=100%"), [0, 10]);
        // The largest count there is, without overflow.
        assert_eq!(
            split(u64::MAX, "expired=50%"),
            [u64::MAX / 2 + 1, u64::MAX / 2]
        );
    }

    #[test]
    fn quotas_add_up_to_the_whole_and_each_is_within_one_of_exact() {
        for total in [0, 1, 2, 3, 7, 99, 1_000, 123_457] {
            let quotas = split(total, "expired=33.3333%,too-old=33.3333%,jti-type=1.5%");
            assert_eq!(quotas.iter().sum::<u64>(), total);
            for (quota, share) in quotas.iter().zip([318_334, 15_000, 333_333, 333_333]) {
                assert!((quota * 1_000_000).abs_diff(total * share) < 1_000_000);
            }
        }
    }

    #[test]
    fn ground_truth_has_its_compact_form() {
        let truth = |defect, key| {
            let mut out = Vec::new();
            Line {
                number: 7,
                token: b"",
                defect,
                key,
            }
            .push_truth(&mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            truth(Some(Defect::Expired), Some("k\"1")),
            "{\"line\":7,\"verdict\":\"rejected\",\"reasons\":[\"expired\"],\"key\":\"k\\\"1\"}\n"
        );
        assert_eq!(
            truth(None, None),
            "{\"line\":7,\"verdict\":\"valid\",\"reasons\":[]}\n"
        );
    }
}
