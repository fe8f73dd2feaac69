//! What the system reports about the machine and this process.

use std::fs;
use std::num::NonZero;

use serde::Serialize;

/// The machine that was measured.
#[derive(Serialize)]
pub(super) struct Machine {
    /// The processor's name, if the system reports it.
    pub(super) cpu: Option<String>,
    /// How many threads can run at the same time.
    pub(super) cores: usize,
    pub(super) arch: &'static str,
    pub(super) os: &'static str,
    /// The load average of the last minute, if the system reports it. On a busy machine the figures
    /// are too low.
    pub(super) load: Option<f64>,
}

impl Machine {
    /// This machine.
    pub(super) fn this() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        Self {
            cpu: value(&info, "model name").map(str::to_owned),
            cores: std::thread::available_parallelism().map_or(1, NonZero::get),
            arch: std::env::consts::ARCH,
            os: std::env::consts::OS,
            load: fs::read_to_string("/proc/loadavg")
                .ok()
                .and_then(|load| load.split(' ').next()?.parse().ok()),
        }
    }
}

/// The peak memory of this process while `work` runs, in bytes; only on Linux.
pub(super) fn peak_bytes(something: impl FnOnce()) -> Option<u64> {
    // 5 resets the peak to the current size (proc(5)). If that is not allowed, the peak would
    // belong to something else.
    let was_reset = fs::write("/proc/self/clear_refs", "5").is_ok();
    something();
    let status = was_reset.then(|| fs::read_to_string("/proc/self/status").ok());
    let peak = value(&status??, "VmHWM")?
        .strip_suffix("kB")?
        .trim()
        .parse::<u64>();
    peak.ok()?.checked_mul(1024)
}

/// The value of the first line with this name, in a file of lines like `name : value`.
fn value<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (before, value) = line.split_once(':')?;
        (before.trim() == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_whole_name() {
        let text = "model\t\t: 17\nmodel name\t: A Processor: 2\nmodel name\t: another\n";
        assert_eq!(value(text, "model name"), Some("A Processor: 2"));
        assert_eq!(value(text, "name"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_peak_covers_only_the_measured_work() {
        const BYTES: usize = 64 << 20;
        let big = || drop(std::hint::black_box(vec![1_u8; BYTES]));
        if let (Some(small), Some(large)) = (peak_bytes(|| ()), peak_bytes(big)) {
            assert!(large >= BYTES as u64, "{large}");
            assert!(small < large, "{small} {large}");
        }
    }
}
