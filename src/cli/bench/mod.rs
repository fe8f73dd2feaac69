//! `jotmill bench`: measures the speed of validation on this machine.
//!
//! Owns the order of steps: kernels, data sets, rounds, and the report in text or JSON. `data.rs`
//! generates or reads the tokens, `rounds.rs` measures, `machine.rs` queries the system,
//! `figures.rs` holds the results and `text.rs` formats them.

mod data;
mod figures;
mod machine;
mod rounds;
mod text;

use std::io::{self, IsTerminal, Write};
use std::num::NonZero;

use anyhow::{Context, Result, bail};
use jotmill::Kernel;

use super::flags::{BenchFlags, PageFormat};
use super::output::{Destination, Output, ReadFiles};
use super::{Exit, args};
use figures::{Bench, KernelState, SelfTest};

/// Runs the bench that the flags describe.
pub(crate) fn run(flags: &BenchFlags) -> Result<Exit> {
    let chosen = args::kernel(flags.kernel)?;
    let kernels = kernels(chosen);
    let is_sound = kernels
        .iter()
        .all(|kernel| kernel.self_test != SelfTest::Failed);
    let plans = if flags.list_kernels {
        Vec::new()
    } else {
        data::plans(flags)?
    };
    let mut out = open_output(flags)?;
    let mut bench = Bench::new(kernels, flags.rounds);
    if chosen.self_test().is_err() {
        bail!("kernel {chosen} computes wrong tags on this machine; choose another by --kernel");
    }
    let rounds = rounds::Rounds {
        chosen,
        kernels: Kernel::available()
            .filter(|kernel| kernel.self_test().is_ok())
            .collect(),
        threads: thread_counts(flags),
        count: flags.rounds,
        is_shown: !flags.quiet && flags.progress.or(io::stderr().is_terminal()),
    };
    let peaks: Vec<_> = plans
        .iter()
        .map(|plan| rounds.peaks(&plan.data()?))
        .collect::<Result<_>>()?;
    for (plan, peaks) in plans.iter().zip(&peaks) {
        bench.data.push(rounds.measure(&plan.data()?, peaks)?);
    }
    let written = match flags.format {
        PageFormat::Text => text::write(&bench, &mut out),
        PageFormat::Json => serde_json::to_writer_pretty(&mut out, &bench)
            .map_err(Into::into)
            .and_then(|()| out.write_all(b"\n")),
    };
    written
        .and_then(|()| out.flush())
        .with_context(|| format!("cannot write to {}", out.name()))?;
    if !is_sound {
        message!("a kernel computes wrong tags on this machine; it was not measured");
        return Ok(Exit::CannotJudge);
    }
    Ok(Exit::Valid)
}

/// Every kernel and its state on this processor.
fn kernels(chosen: Kernel) -> Vec<KernelState> {
    let state = |kernel: &Kernel| KernelState {
        name: kernel.name(),
        available: kernel.is_available(),
        chosen: *kernel == chosen,
        self_test: match (kernel.is_available(), kernel.self_test()) {
            (false, _) => SelfTest::NotAvailable,
            (true, Ok(())) => SelfTest::Passed,
            (true, Err(_)) => SelfTest::Failed,
        },
    };
    Kernel::all().iter().map(state).collect()
}

/// The numbers of threads to measure: each up to eight, then powers of two, and the largest.
fn thread_counts(flags: &BenchFlags) -> Vec<usize> {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let most = flags.threads.map_or_else(cores, usize::from);
    (1..=most)
        .filter(|threads| *threads <= 8 || threads.is_power_of_two() || *threads == most)
        .collect()
}

fn open_output(flags: &BenchFlags) -> Result<Output> {
    let Some(path) = &flags.output else {
        return Ok(Output::stdout());
    };
    let secrets = flags
        .keys
        .secret_file
        .iter()
        .map(|secret| std::path::Path::new(&secret.place));
    let read = flags.paths.iter().chain(&flags.keys.jwks);
    let read = read.map(std::path::PathBuf::as_path).chain(secrets);
    let output = Destination::open(path)?;
    if let Err(refused) = ReadFiles::new(read, false).check(&output) {
        output.discard();
        return Err(refused);
    }
    output.begin()
}
