//! The rounds: each round measures everything once, so that other load on the machine affects all
//! figures alike. The counts of every run are checked.

use std::hint::black_box;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use jotmill::measure::{self, Signatures};
use jotmill::{Counts, Kernel, RunOptions, Watch};

use super::data::Data;
use super::figures::{
    Bound, Measured, OfKernel, Rate, Repeats, Run, Stage, Threads, ratio, rounded,
};
use super::machine::peak_bytes;
use crate::cli::progress::Bar;

/// What to measure, and how often.
pub(super) struct Rounds {
    /// The kernel for the stages and whole runs.
    pub(super) chosen: Kernel,
    /// The kernels to compare.
    pub(super) kernels: Vec<Kernel>,
    /// Numbers of threads, ascending.
    pub(super) threads: Vec<usize>,
    pub(super) count: u16,
    pub(super) is_shown: bool,
}

/// Something that is measured once per round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    Run(Kernel, usize),
    Stages,
    Signatures(Kernel),
    OneByOne,
}

/// The times of a subject: one per round, or for the stages one per stage and round.
struct Times {
    subject: Subject,
    times: Vec<Vec<Duration>>,
}

impl Times {
    fn median(&mut self, index: usize) -> Duration {
        let times = &mut self.times[index];
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

impl Rounds {
    /// The peak memory of a run for each number of threads. To be called before anything is
    /// measured, since memory that stays allocated would count.
    pub(super) fn peaks(&self, data: &Data) -> Result<Vec<Option<u64>>> {
        let mut expected = data.expected;
        let mut peaks = Vec::new();
        for threads in &self.threads {
            let mut outcome = Ok(Duration::ZERO);
            let peak = peak_bytes(|| {
                outcome = run(data, self.chosen, *threads, &mut expected).map(|run| run.0)
            });
            outcome?;
            // The data set is in memory only for the measurement; a run does not need that.
            peaks.push(peak.map(|peak| peak.saturating_sub(data.text.len() as u64)));
        }
        Ok(peaks)
    }

    /// Measures with one data set, given its peaks of memory.
    pub(super) fn measure(&self, data: &Data, peaks: &[Option<u64>]) -> Result<Measured> {
        let mut expected = data.expected;
        // A round that does not count, so that pages are mapped and caches are warm.
        let (_, recalled) = run(data, self.chosen, 1, &mut expected)?;
        let mut signatures = Signatures::new(&data.validator, &data.text);
        let mut all = self.subjects(&signatures);
        let total = all.len() as u64 * u64::from(self.count);
        let bar = Bar::of_measurements(self.is_shown, total);
        let mut done = 0;
        for _ in 0..self.count {
            for Times { subject, times } in &mut all {
                match *subject {
                    Subject::Run(kernel, threads) => {
                        times[0].push(run(data, kernel, threads, &mut expected)?.0);
                    }
                    Subject::Stages => {
                        let cache_bytes = RunOptions::new(data.now).cache_bytes;
                        let stages = measure::stages(
                            &data.validator,
                            data.now,
                            &data.text,
                            self.chosen,
                            cache_bytes,
                        );
                        check(data, stages.tokens, &mut expected, "the stages")?;
                        for (stage, times) in measure::Stage::ALL.into_iter().zip(times) {
                            times.push(stages.time(stage));
                        }
                    }
                    Subject::Signatures(kernel) => times[0].push(signatures.compute(kernel)),
                    Subject::OneByOne => times[0].push(one_by_one(data, &mut expected)?),
                }
                done += 1;
                bar.set(done, || data.name.clone());
            }
        }
        bar.clear();
        let counts = expected.unwrap_or_default();
        let repeats = Repeats::new(counts.total(), data.distinct, recalled);
        let has_macs = signatures.has_macs();
        Ok(self.figures(data, counts, repeats, has_macs, &mut all, peaks))
    }

    fn subjects(&self, signatures: &Signatures<'_>) -> Vec<Times> {
        let most = self.threads.last().copied().unwrap_or(1);
        let mut subjects: Vec<Subject> = Vec::new();
        subjects.extend(self.threads.iter().map(|n| Subject::Run(self.chosen, *n)));
        subjects.push(Subject::Stages);
        for kernel in &self.kernels {
            // The kernel matters only for MACs.
            let differs = signatures.has_macs() || *kernel == self.chosen;
            if differs && !signatures.is_empty() {
                subjects.push(Subject::Signatures(*kernel));
            }
            for threads in [1, most] {
                let run = Subject::Run(*kernel, threads);
                if !subjects.contains(&run) {
                    subjects.push(run);
                }
            }
        }
        subjects.push(Subject::OneByOne);
        let times = |subject| Times {
            subject,
            times: match subject {
                Subject::Stages => vec![Vec::new(); measure::Stage::ALL.len()],
                _ => vec![Vec::new()],
            },
        };
        subjects.into_iter().map(times).collect()
    }

    fn figures(
        &self,
        data: &Data,
        counts: Counts,
        repeats: Repeats,
        has_macs: bool,
        all: &mut [Times],
        peaks: &[Option<u64>],
    ) -> Measured {
        let tokens = counts.total();
        let bytes = data.text.len() as u64;
        let rate = |time| Rate::new(time, tokens, bytes);
        let mut median = |subject, index| {
            let found = all.iter_mut().find(|times| times.subject == subject);
            found.map(|times| times.median(index))
        };

        let signatures: Vec<Option<Duration>> = self
            .kernels
            .iter()
            .map(|kernel| median(Subject::Signatures(*kernel), 0))
            .collect();
        let fastest = self.kernels.iter().zip(&signatures);
        let fastest = fastest
            .filter_map(|(kernel, time)| Some((*kernel, (*time)?)))
            .min_by_key(|(_, time)| *time);

        let mut runs = Vec::new();
        for threads in &self.threads {
            let time = median(Subject::Run(self.chosen, *threads), 0);
            runs.push((*threads, time.unwrap_or_default()));
        }
        let one = runs.first().map_or(Duration::ZERO, |(_, time)| *time);
        let threads = runs
            .iter()
            .zip(peaks)
            .map(|((threads, time), peak)| Threads {
                threads: *threads,
                rate: rate(*time),
                scaling: ratio(one, *time),
                share_of_bound: fastest
                    .map(|(_, bound)| rounded(ratio(bound, *time) / *threads as f64)),
                peak_bytes: *peak,
            });
        let threads = threads.collect();

        let measured: Vec<(measure::Stage, Duration)> = (0..)
            .zip(measure::Stage::ALL)
            .map(|(index, stage)| (stage, median(Subject::Stages, index).unwrap_or_default()))
            .collect();
        let sum: Duration = measured.iter().map(|(_, time)| *time).sum();
        let stages = measured.iter().map(|(stage, time)| Stage {
            stage: stage.name(),
            rate: rate(*time),
            share: ratio(*time, sum),
        });

        let most = self.threads.last().copied().unwrap_or(1);
        let mut kernels = Vec::new();
        for (kernel, signatures) in self.kernels.iter().zip(&signatures) {
            let mut runs = Vec::new();
            for threads in [1, most] {
                let time = median(Subject::Run(*kernel, threads), 0).unwrap_or_default();
                let rate = rate(time);
                runs.push(Run { threads, rate });
            }
            runs.dedup_by_key(|run| run.threads);
            kernels.push(OfKernel {
                kernel: kernel.name(),
                signatures: signatures.map(rate),
                runs,
            });
        }

        Measured {
            name: data.name.clone(),
            source: data.source.clone(),
            tokens,
            distinct: data.distinct,
            repeats,
            valid: counts.valid,
            rejected: counts.rejected,
            bytes,
            bound: fastest.map(|(kernel, time)| Bound {
                kernel: has_macs.then_some(kernel.name()),
                rate: rate(time),
            }),
            threads,
            stages: stages.collect(),
            rest_ns_per_token: rounded(rate(one).ns_per_token - rate(sum).ns_per_token),
            kernels,
            one_by_one: rate(median(Subject::OneByOne, 0).unwrap_or_default()),
        }
    }
}

/// A whole run without rows. Returns the time, and the hits in the cache of repeated tokens.
fn run(
    data: &Data,
    kernel: Kernel,
    threads: usize,
    expected: &mut Option<Counts>,
) -> Result<(Duration, u64)> {
    let options = RunOptions::new(data.now).threads(threads).kernel(kernel);
    let stop = AtomicBool::new(false);
    let watch = Watch {
        stop: &stop,
        progress: &mut |_| (),
    };
    let begun = Instant::now();
    let finished = jotmill::run(&data.validator, vec![data.input()], &options, None, watch);
    let elapsed = begun.elapsed();
    if let Some(error) = finished.errors.into_iter().next() {
        return Err(error.into());
    }
    let counts = finished.report.tally.tokens;
    check(data, counts, expected, kernel.name())?;
    Ok((elapsed, finished.repeated))
}

/// Validates one token per call, as a service does.
fn one_by_one(data: &Data, expected: &mut Option<Counts>) -> Result<Duration> {
    let limit = data.validator.policy().token_limit();
    let mut counts = Counts::default();
    let begun = Instant::now();
    for line in data.text.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The limit applies to a line before it is trimmed.
        let token = if line.len() > limit {
            line
        } else {
            trimmed(line)
        };
        if !token.is_empty() {
            let is_valid = black_box(data.validator.validate_at(token, data.now)).is_valid();
            counts.valid += u64::from(is_valid);
            counts.rejected += u64::from(!is_valid);
        }
    }
    let elapsed = begun.elapsed();
    check(data, counts, expected, "the validator")?;
    Ok(elapsed)
}

/// A line without the blanks around it.
fn trimmed(mut line: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = line {
        line = rest;
    }
    line
}

/// Compares counts with the expected ones, or records them as expected if none are known.
fn check(data: &Data, counts: Counts, expected: &mut Option<Counts>, who: &str) -> Result<()> {
    if counts.total() == 0 {
        bail!(
            "not one token in {}; each token needs a line of its own",
            data.name
        );
    }
    let wanted = *expected.get_or_insert(counts);
    if counts != wanted {
        bail!(
            "{}: {who} found {} valid and {} rejected tokens, but {} and {} were expected; \
             the figures would be meaningless",
            data.name,
            counts.valid,
            counts.rejected,
            wanted.valid,
            wanted.rejected
        );
    }
    Ok(())
}
