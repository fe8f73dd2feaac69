//! Ctrl-C and SIGTERM: the run gets a moment to stop by itself, and is then ended.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use super::Exit;

/// Set when a signal arrives.
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);
/// The signal that came first; 0 for none.
static FIRST: AtomicI32 = AtomicI32::new(0);

/// Set once the report is being written: from then on only a second signal ends the program.
pub(crate) static REPORTING: AtomicBool = AtomicBool::new(false);

/// How the run ends because of a signal, if one came.
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

/// Watches for signals in a thread of its own, which judges nothing.
///
/// The first one sets [`STOP`]. A run that has not ended soon after is blocked where it cannot see
/// that, such as in a write that nobody reads, and is ended without its report.
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
                tell!("stopped without a report: reading or writing is blocked");
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
