//! Ctrl-C and SIGTERM: the run has a moment to stop by itself; then the process exits.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::Exit;

/// Set when a signal arrives.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);
/// The first signal that arrived; 0 for none.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// Set once the report is being written; from then on only a second signal ends the program.
pub(crate) static REPORTING: AtomicBool = AtomicBool::new(false);

/// The exit code for the signal that arrived, if any.
pub(crate) fn exit() -> Option<Exit> {
    exit_for(FIRST.load(Ordering::SeqCst))
}

#[cfg(unix)]
const fn exit_for(signal: i32) -> Option<Exit> {
    match signal {
        signal_hook::consts::SIGINT => Some(Exit::Interrupted),
        signal_hook::consts::SIGTERM => Some(Exit::Terminated),
        _ => None,
    }
}

#[cfg(not(unix))]
const fn exit_for(_signal: i32) -> Option<Exit> {
    None
}

/// Starts a thread that waits for signals.
///
/// The first signal sets [`STOP`]. A run that does not end soon after is blocked, for example in a
/// write to a pipe that nobody reads; the process then exits without a report.
#[cfg(unix)]
pub(crate) fn watch() -> anyhow::Result<()> {
    use anyhow::Context;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::time::Duration;

    const GRACE: Duration = Duration::from_millis(900);

    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])
        .context("cannot watch for signals")?;
    std::thread::Builder::new()
        .name("jotmill-signals".to_owned())
        .spawn(move || {
            let mut signals = signals.forever();
            if let Some(signal) = signals.next() {
                FIRST.store(signal, Ordering::SeqCst);
                STOP.store(true, Ordering::SeqCst);
                std::thread::sleep(GRACE);
                if REPORTING.load(Ordering::SeqCst) {
                    signals.next();
                }
                message!("stopped without a report: reading or writing is blocked");
                let code = exit_for(signal).unwrap_or(Exit::CannotJudge).code();
                std::process::exit(code.into());
            }
        })
        .context("cannot watch for signals")?;
    Ok(())
}

#[cfg(not(unix))]
pub(crate) fn watch() -> anyhow::Result<()> {
    Ok(())
}
