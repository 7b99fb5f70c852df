//! A board that may be read but whose `-shm` may not be made: its bytes, copied to where SQLite can make one.
//!
//! Responsible for a coherent copy of database and WAL in a fresh private folder, and for removing it again
//! (architecture.md rule 8, incidents.md F33). Whether it is needed is [`crate::pool`]'s question; that it is used is
//! said to the operator.

use std::path::{Path, PathBuf};

use super::files::{Sidecars, Stamp, with_suffix};
use super::scratch::Scratch;
use crate::failure::{Failure, Outcome};

/// How often a board that changes while it is copied is tried.
const TRIES: usize = 3;

/// The copied files, removed when this goes out of scope.
#[derive(Debug)]
pub struct PrivateCopy {
    database: PathBuf,
    // Removed after everything that lies in it is done with.
    _folder: Scratch,
}

impl PrivateCopy {
    /// Copies the database and its WAL into a new folder below `scratch` that only this user may enter.
    ///
    /// # Errors
    /// Exit 11 when the board changes under every try, 12 when there is no room; reading errors.
    pub fn of(database: &Path, scratch: &Path) -> Outcome<Self> {
        let folder = Scratch::create(scratch, "copy")
            .map_err(|failure| failure.hint("Name a folder that you may write to in TMPDIR."))?;
        let copy = Self { database: folder.path().join("board.db"), _folder: folder };
        for _ in 0..TRIES {
            let before = state(database)?;
            copy.take(database, "")?;
            if before.1.is_some() {
                copy.take(database, "-wal")?;
            }
            if state(database)? == before {
                return Ok(copy);
            }
        }
        Err(Failure::busy("the board changed every time it was copied for reading.").hint("Try again."))
    }

    /// The copy of the database; its WAL lies beside it.
    pub fn path(&self) -> &Path {
        &self.database
    }

    fn take(&self, database: &Path, suffix: &str) -> Outcome<()> {
        let (from, to) = (with_suffix(database, suffix), with_suffix(&self.database, suffix));
        std::fs::copy(&from, to)
            .map(drop)
            .map_err(|error| Failure::io(error, format!("copying {} for reading", from.display())))
    }
}

fn state(database: &Path) -> Outcome<(Option<Stamp>, Option<Stamp>)> {
    let wal = Sidecars::beside(database)?.wal.map(|wal| wal.stamp);
    Ok((Stamp::of(database)?, wal))
}
