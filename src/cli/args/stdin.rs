//! Standard input, which can be read only once: for the tokens, for a list of files or for one key.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, bail};

static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes standard input for one use, before it is read.
///
/// # Errors
/// It is taken already.
pub(crate) fn take() -> Result<()> {
    if IS_TAKEN.swap(true, Ordering::SeqCst) {
        bail!(
            "standard input can be read only once, for the tokens, a list of files or one key (-); give \
             the other as a file"
        );
    }
    Ok(())
}
