//! The memory that all rolls of one recovery share, and what becomes of it when the disk fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::failure::{Failure, Outcome};

/// The memory that rolls share, and where they go when it is full.
#[derive(Debug)]
pub(crate) struct MemoryBudget {
    pub(crate) dir: PathBuf,
    /// Bytes.
    pub(crate) limit: usize,
    pub(crate) taken: AtomicUsize,
    fault: Mutex<Option<std::io::Error>>,
}

impl MemoryBudget {
    /// Room for `limit` bytes in memory; the rest goes to the directory `dir`.
    pub(crate) fn new(dir: &Path, limit: usize) -> Arc<Self> {
        let (dir, taken, fault) = (dir.to_path_buf(), AtomicUsize::new(0), Mutex::new(None));
        Arc::new(Self { dir, limit, taken, fault })
    }

    /// Counts `now` bytes where `before` were counted.
    pub(crate) fn recount(&self, before: &mut usize, now: usize) {
        if now >= *before {
            self.taken.fetch_add(now - *before, Ordering::Relaxed);
        } else {
            self.taken.fetch_sub(*before - now, Ordering::Relaxed);
        }
        *before = now;
    }

    /// Whether no more should be held in memory.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit
    }

    pub(crate) fn note(&self, error: std::io::Error) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Fails if a roll is not what was put into it.
    ///
    /// # Errors
    /// Exit 12 when there was no room on the disk, otherwise what the disk said.
    pub(crate) fn require_whole(&self) -> Outcome<()> {
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(error) => Err(setting_aside(error, &self.dir)),
        }
    }
}

/// What is said when rows cannot be set aside in `dir`.
pub(crate) fn setting_aside(error: std::io::Error, dir: &Path) -> Failure {
    Failure::making(error, "setting rows aside")
        .at(dir)
        .hint("Name a folder with room in TMPDIR, or a destination on a filesystem that has it.")
}
