//! A progress bar on standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows the progress of a run, or nothing.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar that counts to `total`, or an endless one; `template` chooses the unit.
    fn new(is_shown: bool, total: Option<u64>, bounded: &str, endless: &str) -> Self {
        if !is_shown {
            return Self(ProgressBar::hidden());
        }
        let target = ProgressDrawTarget::stderr_with_hz(10);
        let bar = ProgressBar::with_draw_target(total, target);
        let template = if total.is_some() { bounded } else { endless };
        // If the template cannot be parsed, the bar keeps its default style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        Self(bar)
    }

    /// A bar over the bytes of the inputs, if their sum is known.
    pub(crate) fn of_bytes(is_shown: bool, total: Option<u64>) -> Self {
        Self::new(
            is_shown,
            total,
            "{bar:24} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left; {msg}",
            "{spinner} {bytes} {bytes_per_sec}; {msg}",
        )
    }

    /// A bar over generated keys.
    pub(crate) fn of_keys(is_shown: bool, total: u64) -> Self {
        const TEMPLATE: &str = "{bar:24} {human_pos}/{human_len} keys, {eta} left";
        Self::new(is_shown, Some(total), TEMPLATE, TEMPLATE)
    }

    /// A bar over tokens.
    pub(crate) fn of_tokens(is_shown: bool, total: u64) -> Self {
        const TEMPLATE: &str = "{bar:24} {human_pos}/{human_len} tokens, {per_sec}, {eta} left";
        Self::new(is_shown, Some(total), TEMPLATE, TEMPLATE)
    }

    /// A bar over records of logs.
    pub(crate) fn of_records(is_shown: bool, total: u64) -> Self {
        const TEMPLATE: &str = "{bar:24} {human_pos}/{human_len} records, {per_sec}, {eta} left";
        Self::new(is_shown, Some(total), TEMPLATE, TEMPLATE)
    }

    /// A bar over measurements.
    pub(crate) fn of_measurements(is_shown: bool, total: u64) -> Self {
        const TEMPLATE: &str = "{bar:24} {pos}/{len} measurements, {eta} left; {msg}";
        Self::new(is_shown, Some(total), TEMPLATE, TEMPLATE)
    }

    /// Moves the bar.
    pub(crate) fn set(&self, position: u64, message: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_position(position);
            self.0.set_message(message());
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }
}
