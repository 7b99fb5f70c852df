//! Progress of long work, reported to the caller, who may stop it.
//!
//! Not here: how progress is shown ([`crate::ui`]).

use crate::failure::Outcome;

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding and hashing files; counted in bytes.
    Sources,
    /// Reading rows out of pages; counted in sources, or in pieces of the only one.
    Salvage,
    /// Deciding between sources; counted in sources.
    Merge,
    /// Writing the new file; counted in rows.
    Rebuild,
    /// Checking the new file; counted in checks.
    Verify,
    /// Comparing what copies hold; counted in copies.
    Compare,
}

/// Who watches the work: shows progress, and stops it by returning an error (interrupted, out of time).
pub trait Watch {
    /// `done` of `total` in `stage`.
    ///
    /// # Errors
    /// The failure to stop with.
    fn step(&mut self, stage: Stage, done: u64, total: u64) -> Outcome<()>;
}

/// Nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn step(&mut self, _: Stage, _: u64, _: u64) -> Outcome<()> {
        Ok(())
    }
}
