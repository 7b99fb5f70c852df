//! Recovery: from damaged files to a verified new one, in stages that only return values.
//!
//! ```text
//!   sources -> layout -> salvage -> merge -> rebuild + verify -> report
//!   bytes      pages     rows of     one      a new file          what came
//!                        each        row set                      from where
//! ```
//!
//! SQLite opens the new file alone, never a source. Installing the result is not done here.

pub mod sources;

use crate::failure::Outcome;

/// What is being done, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Finding and hashing files; counted in files.
    Sources,
    /// Reading rows out of pages; counted in sources.
    Salvage,
    /// Deciding between sources; counted in sources.
    Merge,
    /// Writing the new file; counted in rows.
    Rebuild,
    /// Checking the new file; counted in checks.
    Verify,
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
