//! Lines that the pool records for the operator.

use std::sync::{Arc, Mutex};

/// Lines for the operator that gather while the pool works. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    /// What was added since the last call.
    pub fn take(&self) -> Vec<String> {
        self.0.lock().map(|mut log| std::mem::take(&mut *log)).unwrap_or_default()
    }

    /// Move the lines of another list behind these.
    pub(crate) fn extend(&self, other: &Self) {
        let lines = other.take();
        if let Ok(mut log) = self.0.lock() {
            log.extend(lines);
        }
    }

    pub(crate) fn add(&self, line: &str) {
        if let Ok(mut log) = self.0.lock() {
            log.push(line.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
}
