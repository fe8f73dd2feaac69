//! The command line: flags in, exit code out.
//!
//! `flags` holds what was typed, `args` what it means; each subcommand has a file. Validation is
//! left to the library.

/// Writes a message to standard error, in which tokens and keys are masked. A failure to write is
/// ignored.
macro_rules! message {
    ($($arguments:tt)*) => {{
        use std::io::Write as _;
        let message = format!($($arguments)*);
        let message = jotmill::redacted(&message);
        let _ = writeln!(std::io::stderr().lock(), "jotmill: {message}");
    }};
}

mod args;
mod audit;
mod bench;
mod closed_stdout;
pub(crate) mod flags;
mod generate;
mod input_form;
mod inputs;
mod inspect;
mod keys;
mod output;
mod policy_file;
mod progress;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

/// The outcome of a command, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Every token is valid.
    Valid,
    /// At least one token was rejected.
    Rejected,
    /// jotmill could not judge the input: usage, key, I/O, a lost worker, or no token.
    CannotJudge,
    /// Ctrl-C.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The reader of the output closed it.
    OutputGone,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Rejected => 1,
            Self::CannotJudge => 2,
            Self::Interrupted => 130,
            Self::OutputGone => 141,
            Self::Terminated => 143,
        }
    }
}

/// Runs the command; errors go to standard error.
pub(crate) fn run() -> ExitCode {
    let cli = flags::Cli::try_parse().unwrap_or_else(|error| {
        let message = error.to_string();
        let shown = jotmill::redacted(&message);
        if shown == message {
            // Help and version are errors of clap, too.
            error.exit();
        }
        let _ = write!(io::stderr().lock(), "{shown}");
        std::process::exit(Exit::CannotJudge.code().into())
    });
    if closed_stdout::was_closed() && cli.command.writes_to_stdout() {
        message!(
            "standard output is closed, so that nothing could be written; open it, or use -o FILE"
        );
        return Exit::CannotJudge.into();
    }
    let outcome = match cli.command {
        flags::Command::Audit(flags) => audit::run(&flags),
        flags::Command::Inspect(flags) => inspect::run(&flags),
        flags::Command::Keys(flags) => keys::run(&flags),
        flags::Command::Gen(flags) => generate::run(&flags),
        flags::Command::Bench(flags) => bench::run(&flags),
        flags::Command::Completions { shell } => completions(shell),
        flags::Command::Man => man(),
    };
    let exit = outcome.unwrap_or_else(|error| {
        if is_broken_pipe(&error) {
            return Exit::OutputGone;
        }
        message!("{error:#}");
        Exit::CannotJudge
    });
    exit.into()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut flags::Cli::command(), "jotmill", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Valid)
}

fn man() -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    let command = flags::Cli::command();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
    {
        let name = format!("jotmill-{}", subcommand.get_name());
        clap_mangen::Man::new(subcommand.clone().name(name)).render(&mut page)?;
    }
    io::stdout().write_all(&page)?;
    Ok(Exit::Valid)
}
