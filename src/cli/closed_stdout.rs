//! Whether standard output was closed when the program began.
//!
//! Rust's runtime opens /dev/null in place of a closed descriptor before `main`, so that a report
//! would vanish without an error. This looks before the runtime does.

#![allow(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether it was closed; always false where it cannot be known.
pub(crate) fn was_closed() -> bool {
    WAS_CLOSED.load(Ordering::Relaxed)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::os::fd::BorrowedFd;
    use std::sync::atomic::Ordering;

    const STDOUT: i32 = 1;

    extern "C" fn look() {
        // SAFETY: the descriptor is not kept, and one that is closed gives an error.
        let stdout = unsafe { BorrowedFd::borrow_raw(STDOUT) };
        super::WAS_CLOSED.store(rustix::io::fcntl_getfd(stdout).is_err(), Ordering::Relaxed);
    }

    // SAFETY: the section holds functions of this type, called once before `main`, and `look` needs
    // nothing that the runtime sets up.
    #[used]
    #[unsafe(link_section = ".init_array")]
    static LOOK: extern "C" fn() = look;
}
