//! The recorded journal mode: turns WAL on and brings a board back from it (docs/architecture.md, rule 5).
//!
//! Each change runs on a connection of its own that lives only here, because `locking_mode` must be set before the first read
//! where the WAL index cannot be shared. Not here: who may be in the way (the verb) and all other statements
//! ([`crate::pool`]).

mod probe;

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::board::files::with_suffix;
use crate::failure::{Failure, Outcome};
use crate::ondisk::header::{self, Header};
use crate::pool::{confirmed, protect, rest_between_looks};
use crate::store::audit::{self, Integrity};

pub use probe::wal_obstacle;

/// What a refusal to change the mode says.
pub const MODE_KEPT: &str = "its journal mode was not changed";

/// A journal mode that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalMode {
    /// The write-ahead log.
    Wal,
    /// A rollback journal that is deleted after each transaction.
    Delete,
    /// A rollback journal that is cut to zero bytes.
    Truncate,
    /// A rollback journal whose header is zeroed.
    Persist,
}

impl JournalMode {
    /// The mode that the header records. Which kind of rollback journal is used is each connection's own choice.
    pub fn recorded(header: &Header) -> Self {
        if header.is_wal() { Self::Wal } else { Self::Delete }
    }

    /// What a file records of this mode: WAL or a rollback journal, of whatever kind.
    #[must_use]
    pub fn stored(self) -> Self {
        if self == Self::Wal { Self::Wal } else { Self::Delete }
    }

    /// SQLite's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wal => "wal",
            Self::Delete => "delete",
            Self::Truncate => "truncate",
            Self::Persist => "persist",
        }
    }
}

impl fmt::Display for JournalMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Turns WAL on for the database at `path`, which nobody else may have open and whose directory has passed
/// [`wal_obstacle`]. The mode is on when the setter's row, a read, an empty write transaction and, after the close,
/// header bytes 18 and 19 agree; otherwise the file is brought back.
///
/// # Errors
/// Exit 11 when somebody holds a lock after all; 12 where WAL does not work.
pub fn turn_wal_on(path: &Path) -> Outcome<()> {
    let connection = open(path, false)?;
    let outcome = prove_wal(&connection).map_err(|failure| confirmed(&connection, failure));
    let closed = close(connection, path);
    match outcome.and(closed) {
        Ok(()) if records_wal(path)? => Ok(()),
        Ok(()) => {
            Err(Failure::refused("WAL did not take: the header still records a rollback journal.").at(path))
        }
        Err(failure) => {
            if records_wal(path)? {
                turn_wal_off(path)?;
            }
            Err(failure.context("WAL was tried and taken back").at(path))
        }
    }
}

/// Brings the database at `path`, which nobody else may have open, back to a rollback journal; every committed frame
/// is checkpointed on the way. Where the WAL index cannot be shared, it is kept in this process's own memory.
///
/// # Errors
/// Exit 11 when somebody holds a lock after all; 1 when row, header and the absence of a `-wal` do not agree.
pub fn turn_wal_off(path: &Path) -> Outcome<()> {
    match leave(path, false) {
        Err(failure) if failure.is_shared_map() => {
            leave(path, true)?;
            // Nobody has the board open, and a rollback journal has no index: this one only misleads.
            remove_if_there(&with_suffix(path, "-shm"))?;
        }
        other => other?,
    }
    if records_wal(path)? {
        return Err(Failure::failed("the header still records WAL after the change.").at(path));
    }
    let wal = with_suffix(path, "-wal");
    if std::fs::metadata(&wal).is_ok_and(|meta| meta.len() > 0) {
        return Err(Failure::failed(format!(
            "{} is still there after the change of the mode.",
            wal.display()
        ))
        .hint("Do not delete it; look with `kanbanctl health`.")
        .at(path));
    }
    remove_if_there(&wal)
}

/// Whether header bytes 18 and 19 record WAL. Only while no connection to the file is open.
///
/// # Errors
/// When the file cannot be read.
pub fn records_wal(path: &Path) -> Outcome<bool> {
    let mut bytes = Vec::with_capacity(header::LEN);
    File::open(path)
        .and_then(|file| file.take(100).read_to_end(&mut bytes))
        .map_err(|error| Failure::io(error, format!("reading {}", path.display())).at(path))?;
    Ok(Header::read(&bytes).is_some_and(|header| header.is_wal()))
}

/// Refuses a damaged board: a change of mode rewrites pages, a log that is cut takes its older versions of them along, and
/// both would bury the evidence. `undone` says what was not done. Looked at twice (docs/architecture.md, rule 4).
///
/// # Errors
/// Exit 4 when both looks find damage; what SQLite says.
pub fn require_sound(connection: &Connection, undone: &str) -> Outcome<()> {
    let look = || audit::integrity(connection, Integrity::Quick);
    let suspicious = match look() {
        Ok(said) => !said.is_empty(),
        Err(failure) if failure.is_damage() => true,
        Err(failure) => return Err(failure),
    };
    if !suspicious {
        return Ok(());
    }
    rest_between_looks(connection);
    match look().map_err(Failure::examined)?.first() {
        None => Ok(()),
        Some(first) => Err(Failure::damaged(format!("the board is damaged ({first}); {undone}.")).examined()),
    }
}

fn prove_wal(connection: &Connection) -> Outcome<()> {
    require_sound(connection, MODE_KEPT)?;
    let row = audit::set_journal_mode(connection, JournalMode::Wal.name())?;
    if row != JournalMode::Wal.name() {
        return Err(Failure::refused(format!("WAL did not take: SQLite answered '{row}'.")));
    }
    read(connection)?;
    Ok(connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK;")?)
}

fn leave(path: &Path, exclusive: bool) -> Outcome<()> {
    let connection = open(path, exclusive)?;
    let outcome = prove_left(&connection).map_err(|failure| confirmed(&connection, failure));
    let closed = close(connection, path);
    outcome.and(closed).map_err(|failure| failure.at(path))
}

fn prove_left(connection: &Connection) -> Outcome<()> {
    require_sound(connection, MODE_KEPT)?;
    let row = audit::set_journal_mode(connection, JournalMode::Delete.name())?;
    if row != JournalMode::Delete.name() {
        return Err(Failure::busy(format!(
            "the journal mode stayed '{row}': another connection is in the way. Nothing was changed."
        )));
    }
    read(connection)
}

/// Opens a file that is there, with nothing that could write but the setter. `exclusive` keeps the WAL index in this
/// process's memory, which must be said before anything reads the file; some pragmas do (`synchronous`).
fn open(path: &Path, exclusive: bool) -> Outcome<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| Failure::from(error).at(path))?;
    match prepare(&connection, exclusive) {
        Ok(()) => Ok(connection),
        Err(failure) => Err(confirmed(&connection, failure).at(path)),
    }
}

fn prepare(connection: &Connection, exclusive: bool) -> Outcome<()> {
    protect(connection)?;
    if exclusive {
        connection.query_row("PRAGMA locking_mode=EXCLUSIVE", [], |_| Ok(()))?;
    }
    // Whoever is in the way was not seen by the holder scan, so waiting for it would hide it (tests/incidents.md F37).
    connection.busy_timeout(std::time::Duration::ZERO)?;
    Ok(connection.execute_batch("PRAGMA synchronous=FULL; PRAGMA mmap_size=0; PRAGMA cell_size_check=ON;")?)
}

fn close(connection: Connection, path: &Path) -> Outcome<()> {
    connection.close().map_err(|(_, error)| Failure::from(error).context("closing the board failed").at(path))
}

fn read(connection: &Connection) -> Outcome<()> {
    Ok(connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?)
}

fn remove_if_there(path: &Path) -> Outcome<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(Failure::io(error, format!("removing {}", path.display())).at(path))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_keeps_the_rows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kanban.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("CREATE TABLE t(a); INSERT INTO t VALUES(1)").unwrap();
        connection.close().unwrap();
        turn_wal_on(&path).unwrap();
        assert!(records_wal(&path).unwrap());
        turn_wal_off(&path).unwrap();
        assert!(!records_wal(&path).unwrap());
        assert!(!with_suffix(&path, "-wal").exists());
        let rows: i64 = Connection::open(&path)
            .unwrap()
            .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
    }

    #[test]
    fn a_reader_in_the_way_leaves_the_mode_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kanban.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES(1)")
            .unwrap();
        let failure = turn_wal_off(&path).unwrap_err();
        assert_eq!(failure.exit(), crate::failure::exit::Exit::Busy);
        drop(connection);
    }
}
