//! Tries WAL in a directory, on a scratch database there.
//!
//! The setter itself can succeed where the next statement fails, and by then no process can read the board.

use std::path::Path;

use rusqlite::Connection;

use crate::board::filesystem::{self, Suitability};
use crate::board::scratch::ScratchDir;
use crate::failure::{Failure, Outcome};
use crate::store::audit;

/// Why WAL cannot be used on boards in `directory`, as a clause that names the filesystem; nothing when it works.
///
/// What is known to be hopeless is not tried: NFS, SMB and the like share no memory and report no error (F16).
///
/// # Errors
/// Exit 12 when a scratch folder cannot be made there, or when there is no room for the trial.
pub fn wal_obstacle(directory: &Path) -> Outcome<Option<String>> {
    let under = filesystem::of(directory)?;
    if let Suitability::Hopeless { why } = under.wal {
        return Ok(Some(format!("the filesystem is {}: {why}", under.kind)));
    }
    // Nobody else knows the trial's database, so what fails once and not twice says nothing about the place.
    let mut outcome = trial(directory)?;
    if outcome.is_err() {
        outcome = trial(directory)?;
    }
    match outcome {
        Ok(()) => Ok(None),
        // A full disk says nothing about WAL.
        Err(failure) if failure.is_no_room() => Err(failure.at(directory)),
        Err(failure) => Ok(Some(format!("a trial on the filesystem ({}) failed: {failure}", under.kind))),
    }
}

/// One trial in a fresh folder; the outer error is about the folder.
fn trial(directory: &Path) -> Outcome<Outcome<()>> {
    let scratch = ScratchDir::create(directory, "wal-trial")?;
    Ok(try_wal(&scratch.path().join("scratch.db")))
}

/// A row through WAL and back through a second connection, in both directions.
fn try_wal(path: &Path) -> Outcome<()> {
    let first = Connection::open(path)?;
    let row = audit::set_journal_mode(&first, "wal")?;
    if row != "wal" {
        return Err(Failure::failed(format!("SQLite answered '{row}' to journal_mode=WAL")));
    }
    first.execute_batch("CREATE TABLE scratch(value); INSERT INTO scratch VALUES(1);")?;
    let second = Connection::open(path)?;
    let count = |connection: &Connection| -> Outcome<i64> {
        Ok(connection.query_row("SELECT count(*) FROM scratch", [], |row| row.get(0))?)
    };
    let seen = count(&second)?;
    second.execute_batch("BEGIN IMMEDIATE; INSERT INTO scratch VALUES(2); COMMIT;")?;
    if (seen, count(&first)?) == (1, 2) {
        Ok(())
    } else {
        Err(Failure::failed("one connection does not see what another one has committed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(wal_obstacle(folder.path()).unwrap(), None);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
