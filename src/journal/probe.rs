//! Whether WAL works in a directory, found out on a scratch database there.
//!
//! Responsible for asking before a board is touched: the setter itself can succeed where the next statement fails
//! (incidents.md 6.5), and by then the board is in a mode that nobody can read.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::Connection;

use crate::board::filesystem::{self, Suitability};
use crate::failure::{Failure, Outcome};

/// Why WAL cannot be used on boards in `directory`, as a clause that names the filesystem; nothing when it works.
///
/// What is known to be hopeless is not tried: NFS, SMB and the like share no memory and report no error (F16).
///
/// # Errors
/// Exit 12 when a scratch folder cannot be made there.
pub fn wal_obstacle(directory: &Path) -> Outcome<Option<String>> {
    let under = filesystem::of(directory)?;
    if let Suitability::Hopeless { why } = under.wal {
        return Ok(Some(format!("the filesystem is {}: {why}", under.kind)));
    }
    let scratch = Scratch::create(directory)?;
    Ok(try_wal(&scratch.0.join("scratch.db"))
        .err()
        .map(|failure| format!("a trial on the filesystem ({}) failed: {failure}", under.kind)))
}

/// A row through WAL and back through a second connection, in both directions.
fn try_wal(path: &Path) -> Outcome<()> {
    let first = Connection::open(path)?;
    let row: String = first.query_row("PRAGMA journal_mode=WAL", [], |row| row.get(0))?;
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

/// A private folder that goes away with everything in it.
struct Scratch(PathBuf);

impl Scratch {
    fn create(directory: &Path) -> Outcome<Self> {
        let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos());
        let path = directory.join(format!(".kanbanctl-wal-trial-{}-{moment:x}", std::process::id()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            Failure::io(error, format!("making a scratch folder in {}", directory.display())).at(directory)
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A leftover is empty scratch under a name that says so; there is nobody to tell on the way out.
        let _ = std::fs::remove_dir_all(&self.0);
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
