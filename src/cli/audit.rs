//! `jotmill audit`: validates every token of the inputs, and reports.

use std::io::{self, IsTerminal, Write};
use std::num::NonZero;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow, bail};
use jotmill::{
    Finished, Input, InputForm, Kernel, LogZone, Only, Progress, Report, RowOptions, RowSink,
    RunOptions, TextOptions, TimeReader, UnixTime, Validator, Watch,
};

use super::flags::{AuditFlags, Format, InputFlags, OnlyRows, TimeSource};
use super::inputs::{Inputs, reads_stdin};
use super::output::{Destination, Output, ReadFiles, RowOutputs, share_a_file};
use super::progress::Bar;
use super::{Exit, args, input_form, signals};

/// How many files that are no lists of tokens are named.
const MAX_NAMED: usize = 10;

/// Runs the audit that the flags describe.
pub(crate) fn run(flags: &AuditFlags) -> Result<Exit> {
    if reads_stdin(flags) && !flags.print_policy {
        args::stdin::take()?;
    }
    let rules = args::Rules::new(&flags.policy, &flags.keys)?;
    if flags.print_policy {
        return print(&rules.print()?);
    }
    let files = rules.files();
    let now = rules.now();
    let (validator, warnings) = rules.validator()?;
    let times = times(&flags.input, now)?;
    let kernel = args::kernel(flags.kernel)?;
    let (found, mut main, mut rows) = open_outputs(flags, &files)?;
    let Inputs {
        inputs,
        paths,
        warnings: skipped,
        ..
    } = found;
    if !flags.output.quiet {
        (warnings.iter())
            .chain(&skipped)
            .for_each(|warning| message!("warning: {warning}"));
        if io::stdin().is_terminal() && inputs.iter().any(|input| matches!(input, Input::Stdin)) {
            message!("reading tokens from the terminal, one a line; end with Ctrl-D");
        }
    }
    signals::watch()?;

    let finished = {
        let options = row_options(flags, inputs.len());
        let main = (flags.output.format == Format::Ndjson).then_some(&mut main);
        let outputs: Vec<&mut Output> = main.into_iter().chain(&mut rows).collect();
        let has_rows = !outputs.is_empty();
        let mut out = RowOutputs(outputs);
        judge(
            &validator,
            now,
            inputs,
            flags,
            kernel,
            times,
            has_rows.then_some(RowSink {
                out: &mut out,
                options,
            }),
        )
    };
    conclude(&finished, flags, &paths, &mut main)
}

fn print(policy: &str) -> Result<Exit> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(policy.as_bytes())
        .and_then(|()| stdout.flush())
        .context("cannot write the policy")?;
    Ok(Exit::Valid)
}

/// What reads the times of lines, if tokens are judged at the time of their use.
fn times(flags: &InputFlags, now: UnixTime) -> Result<Option<TimeReader>> {
    if flags.time == TimeSource::None {
        if flags.time_format.is_some() || flags.time_zone.is_some() {
            bail!("--time-format and --time-zone are about --time auto, which was not given");
        }
        return Ok(None);
    }
    if flags.input == InputForm::Tokens {
        bail!("--time auto needs text with times; with --input tokens a line is a token alone");
    }
    let zone = flags.time_zone.clone().unwrap_or(LogZone::UTC);
    Ok(Some(TimeReader::new(flags.time_format, zone, now)))
}

fn row_options(audit: &AuditFlags, inputs: usize) -> RowOptions {
    let (flags, files) = (&audit.output, &audit.files);
    RowOptions {
        only: flags.only.map(|only| match only {
            OnlyRows::Valid => Only::Valid,
            OnlyRows::Rejected => Only::Rejected,
        }),
        show_tokens: flags.show_tokens,
        // Rows do not depend on how many files a folder or a list has.
        with_file: inputs > 1 || files.recursive || files.files_from.is_some(),
    }
}

/// Finds the inputs and opens the outputs, after checking that none of them overwrites a file that is
/// read.
fn open_outputs(flags: &AuditFlags, rules: &[PathBuf]) -> Result<(Inputs, Output, Option<Output>)> {
    let output = &flags.output;
    let writes_rows = output.format == Format::Ndjson || output.rows.is_some();
    if !writes_rows && (output.only.is_some() || output.show_tokens) {
        let flag = if output.show_tokens {
            "--show-tokens"
        } else {
            "--only"
        };
        bail!("{flag} is about rows, and none are written; add --rows PATH or --format ndjson");
    }
    let open = |path: &Option<PathBuf>| path.as_deref().map(Destination::open).transpose();
    let (main, rows) = (open(&output.output)?, open(&output.rows)?);
    // Only now, since an output may be an input that did not exist before.
    let find = || {
        let found = Inputs::find(flags)?;
        let read = (found.paths.iter())
            .chain(&flags.files.files_from)
            .chain(rules);
        let reads_stdin = reads_stdin(flags) || rules.iter().any(|path| path.as_os_str() == "-");
        let files = ReadFiles::new(read.map(PathBuf::as_path), reads_stdin);
        main.iter()
            .chain(&rows)
            .try_for_each(|opened| files.check(opened))
            .and_then(|()| match main {
                None => files.check_stdout(),
                Some(_) => Ok(()),
            })
            .map_err(|refused| match flags.files.recursive {
                true => anyhow!("{refused}, or leave it out with --exclude"),
                false => refused,
            })?;
        let is_shared = |rows| share_a_file(main.as_ref(), rows);
        if rows.as_ref().is_some_and(is_shared) {
            bail!("the rows of --rows and the other output go to the same file");
        }
        Ok(found)
    };
    let found = match find() {
        Ok(found) => found,
        Err(refused) => {
            main.into_iter().chain(rows).for_each(Destination::discard);
            return Err(refused);
        }
    };
    let main = main.map_or_else(|| Ok(Output::stdout()), Destination::begin)?;
    Ok((found, main, rows.map(Destination::begin).transpose()?))
}

fn judge(
    validator: &Validator,
    now: UnixTime,
    inputs: Vec<Input<'_>>,
    flags: &AuditFlags,
    kernel: Kernel,
    times: Option<TimeReader>,
    rows: Option<RowSink<'_>>,
) -> Finished {
    let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
    let mut options = RunOptions::new(now)
        .threads(flags.threads.map_or_else(cores, usize::from))
        .kernel(kernel)
        .distinct(flags.distinct)
        .form(flags.input.input)
        .decodes_base64(flags.input.decode)
        .sample(flags.input.sample)
        .times(times);
    if let Some(bytes) = flags.block_bytes {
        options.block_bytes = bytes;
    }
    if let Some(bytes) = flags.max_window {
        options.max_window = bytes;
    }
    let size = |input: &Input<'_>| match input {
        Input::Path(path) => {
            let metadata = std::fs::metadata(path).ok()?;
            metadata.is_file().then_some(metadata.len())
        }
        _ => None,
    };
    let sizes = || {
        let total = inputs.iter().map(size).sum::<Option<u64>>();
        total.filter(|total| *total > 0)
    };
    let rows_on_terminal = flags.output.format == Format::Ndjson
        && flags.output.output.is_none()
        && io::stdout().is_terminal();
    let is_shown = !flags.output.quiet
        && flags
            .output
            .progress
            .or(io::stderr().is_terminal() && !rows_on_terminal);
    let bar = Bar::of_bytes(is_shown, if is_shown { sizes() } else { None });
    let mut progress = |progress: Progress| {
        bar.set(progress.bytes, || {
            format!("{} tokens, {} rejected", progress.tokens, progress.rejected)
        });
    };
    let watch = Watch {
        stop: &signals::STOP,
        progress: &mut progress,
    };
    let finished = jotmill::run(validator, inputs, &options, rows, watch);
    bar.clear();
    finished
}

/// Writes the report and the errors, and chooses the exit code.
fn conclude(
    finished: &Finished,
    audit: &AuditFlags,
    paths: &[PathBuf],
    main: &mut Output,
) -> Result<Exit> {
    let (flags, form) = (&audit.output, audit.input.input);
    if finished.errors.iter().any(jotmill::Error::is_broken_pipe) {
        return Ok(Exit::OutputGone);
    }
    signals::REPORTING.store(true, std::sync::atomic::Ordering::SeqCst);
    let report = &finished.report;
    let written = match flags.format {
        Format::Ndjson if flags.quiet => Ok(()),
        Format::Ndjson => {
            let is_colored = flags.color.or(may_color(io::stderr().is_terminal()));
            write_text(report, &mut io::stderr().lock(), is_colored)
        }
        Format::Text => {
            let is_colored = flags.color.or(may_color(main.is_terminal));
            write_text(report, main, is_colored).and_then(|()| main.flush())
        }
        Format::Json => report.write_json(main).and_then(|()| main.flush()),
    };
    let written = written.with_context(|| {
        let output = match flags.format {
            Format::Ndjson => "standard error",
            Format::Text | Format::Json => main.name(),
        };
        format!("cannot write the report to {output}")
    });
    for error in &finished.errors {
        message!("{error}");
    }
    if let Some(exit) = signals::exit() {
        return Ok(exit);
    }
    written?;
    if !finished.errors.is_empty() {
        return Ok(Exit::CannotJudge);
    }
    if report.tally.tokens.total() == 0 {
        if report.sample.is_some_and(|sample| sample.left_out > 0) {
            message!("not one token is in the sample; take a larger one (--sample)");
            return Ok(Exit::CannotJudge);
        }
        return Ok(match form {
            InputForm::Tokens => {
                message!("not one token in the input; each token needs a line of its own");
                Exit::CannotJudge
            }
            InputForm::Auto => {
                message!(
                    "not one token in the input, so that nothing was judged; jotmill finds tokens in text \
                     whose header is an encoded JSON object with alg"
                );
                Exit::CannotJudge
            }
            // Whoever says what the input is may have logs without tokens.
            _ => {
                message!("not one token in the input");
                Exit::Valid
            }
        });
    }
    // Not one header was read, so that the lines may be no tokens at all.
    if form == InputForm::Tokens && report.tally.algs.iter().all(|counts| counts.total() == 0) {
        let named = paths
            .iter()
            .filter_map(|path| Some((path, input_form::named(path)?)))
            .take(MAX_NAMED);
        let named: Vec<_> = named.collect();
        for (path, form) in &named {
            message!(
                "{}: no line is a token, and the file is {form}",
                path.display()
            );
        }
        if !named.is_empty() {
            return Ok(Exit::CannotJudge);
        }
    }
    Ok(if report.tally.tokens.rejected > 0 {
        Exit::Rejected
    } else {
        Exit::Valid
    })
}

fn write_text(report: &Report, out: &mut dyn Write, color: bool) -> io::Result<()> {
    report.write_text(
        out,
        &TextOptions {
            color,
            ..TextOptions::default()
        },
    )
}

/// Whether to use colours (<https://no-color.org>).
pub(crate) fn may_color(is_terminal: bool) -> bool {
    let is_refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    is_terminal && !is_refused && !is_dumb
}
