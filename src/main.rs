//! The door: parse what was typed, run it, and leave with the exit code that says how it went.

mod cli;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The message of a panic may quote a token, so only the place is printed.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        // A print that fails would panic again.
        let _ = writeln!(std::io::stderr(), "jotmill: internal error{place}");
    }));
    // Whatever goes wrong, the code of a verdict is given only for a verdict.
    std::panic::catch_unwind(cli::run).unwrap_or(cli::Exit::CannotJudge.into())
}
