//! INT, TERM and HUP: sets a flag that long work and SQLite's progress handler read.
//!
//! Once everything is rolled back, the process ends by the same signal. Not here: restoring the cursor ([`crate::ui`]).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};

/// Which of the caught signals has arrived, if any. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Signals(Arc<AtomicUsize>);

impl Signals {
    /// Catches INT, TERM and HUP from now on, but for those that this process was started to ignore (`nohup`, a shell's
    /// background jobs).
    ///
    /// # Errors
    /// When the operating system refuses a handler.
    pub fn install() -> std::io::Result<Self> {
        let signals = Self::default();
        let ignored = ignored();
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0)
        {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&signals.0), number)?;
        }
        // Without a handler, writing past `ulimit -f` kills the process in the middle; with one, the write fails.
        signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false)))?;
        Ok(signals)
    }

    /// The signal that arrived, if one did.
    pub fn received(&self) -> Option<i32> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            signal => i32::try_from(signal).ok(),
        }
    }

    /// Ends the process as the signal itself would have, so that shells and supervisors see a signal death.
    pub fn raise(signal: i32) {
        // The default action terminates; an error leaves the caller to exit with 128 + signal.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}

/// The set of ignored signals, signal N as bit N - 1 (proc(5), SigIgn). Without `/proc` nothing is taken to be ignored.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok()).unwrap_or(0)
}
