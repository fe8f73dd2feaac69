//! The binary's entry point. It owns what happens on a panic; everything else is left to `cli`.

mod cli;

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic's message may quote a token or a secret, so only its location is printed.
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map_or_else(String::new, |place| format!(" at {place}"));
        // `eprintln!` would panic again where standard error is closed.
        let _ = writeln!(std::io::stderr(), "jotmill: internal error{place}");
    }));
    // A panic must not end with an exit code that means a verdict.
    std::panic::catch_unwind(cli::run).unwrap_or(cli::Exit::CannotJudge.into())
}
