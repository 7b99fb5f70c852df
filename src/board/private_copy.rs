//! A private copy of a board that may be read but cannot be opened where it is.
//!
//! Copies database, WAL and journal as of one moment into a new private folder and removes it again (docs/architecture.md,
//! rule 8; F33). Not here: when a copy is needed ([`crate::pool`]).

use std::path::{Path, PathBuf};

use super::scratch::ScratchDir;
use super::snapshot_copy::copy_set;
use crate::failure::Outcome;

/// The copied files, removed when this goes out of scope.
#[derive(Debug)]
pub struct PrivateCopy {
    database: PathBuf,
    // Removed after everything that lies in it is done with.
    _folder: ScratchDir,
}

impl PrivateCopy {
    /// Copies the database with its WAL and journal into a new folder below `scratch` that only this user may enter.
    ///
    /// # Errors
    /// Exit 11 when the board changes under every try, 12 when there is no room; reading errors.
    pub fn of(database: &Path, scratch: &Path) -> Outcome<Self> {
        let folder = ScratchDir::create(scratch, "copy")
            .map_err(|failure| failure.hint("Name a folder that you may write to in TMPDIR."))?;
        let copy = Self { database: folder.path().join("board.db"), _folder: folder };
        copy_set(database, &copy.database)?;
        Ok(copy)
    }

    /// The copy of the database; its WAL and journal lie beside it.
    pub fn path(&self) -> &Path {
        &self.database
    }
}
