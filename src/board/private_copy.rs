//! A board that may be read but whose `-shm` may not be made: its bytes, copied to where SQLite can make one.
//!
//! Responsible for a coherent copy of database and WAL in a fresh private folder, and for removing it again
//! (architecture.md rule 8, incidents.md F33). Whether it is needed is [`crate::pool`]'s question; that it is used is
//! said to the operator.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::files::{Sidecars, Stamp, with_suffix};
use crate::failure::{Failure, Outcome};

/// How often a board that changes while it is copied is tried.
const TRIES: usize = 3;

/// The copied files, removed when this goes out of scope.
#[derive(Debug)]
pub struct PrivateCopy {
    folder: PathBuf,
    database: PathBuf,
}

impl PrivateCopy {
    /// Copies the database and its WAL into a new folder below `scratch` that only this user may enter.
    ///
    /// # Errors
    /// Exit 11 when the board changes under every try, 12 when there is no room; reading errors.
    pub fn of(database: &Path, scratch: &Path) -> Outcome<Self> {
        let folder = scratch.join(format!("kanbanctl-{}", std::process::id()));
        std::fs::DirBuilder::new().mode(0o700).create(&folder).map_err(|error| {
            Failure::io(error, format!("making the private folder {}", folder.display()))
                .hint("Name a folder that you may write to in TMPDIR.")
        })?;
        let copy = Self { database: folder.join("board.db"), folder };
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

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // Our own folder; what cannot be removed is named after this process.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn state(database: &Path) -> Outcome<(Option<Stamp>, Option<Stamp>)> {
    let wal = Sidecars::beside(database)?.wal.map(|wal| wal.stamp);
    Ok((Stamp::of(database)?, wal))
}
