//! Opens and sets up the one connection: flags, URI, switches and pragmas (docs/architecture.md, rules 2, 3, 8 and 9).
//!
//! Not here: when it is opened ([`super::Pool`]).

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use super::Access;
use crate::failure::Outcome;

/// What a board may ask of SQLite. A text of 128 MiB is beyond everything that Hermes writes (attachments are files), and
/// a claim in a record's header must not make us reserve a gigabyte.
const LIMITS: [(Limit, i32); 4] = [
    (Limit::SQLITE_LIMIT_LENGTH, 128 << 20),
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];
/// The most memory that SQLite takes for a board, in bytes; pages and sorting stay far below, and a schema of a million
/// tables does not get more.
pub(super) const MEMORY: u64 = 512 << 20;

/// Opens without CREATE; `immutable` also without locks and without a look at the WAL.
pub(super) fn connect(path: &Path, access: Access, immutable: bool) -> Outcome<Connection> {
    let mode = match access {
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let uri = if immutable { immutable_uri(path) } else { format!("file:{}", percent_encoded(path)) };
    Ok(Connection::open_with_flags(uri, flags)?)
}

/// The URI of a file that nobody writes to: no locks, no look at a WAL, nothing made beside it.
pub(crate) fn immutable_uri(path: &Path) -> String {
    format!("file:{}?immutable=1", percent_encoded(path))
}

/// Everything that is not safe in a URI's path as `%XX`, so that `?`, `#` and `%` in a name mean themselves.
fn percent_encoded(path: &Path) -> String {
    let mut text = String::new();
    for &byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// The switches of every connection to a board: nothing is checkpointed or unlinked on close, nothing that the board
/// brings along is run, and it cannot ask for more than its limits (docs/architecture.md, rules 2 and 9). None of them reads the
/// file.
///
/// # Errors
/// What SQLite says.
pub fn protect(connection: &Connection) -> Outcome<()> {
    let switches = [
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        // Plans that wait for the values are rebuilt at every run, statements that are kept or not.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
    ];
    for (switch, on) in switches {
        connection.set_db_config(switch, on)?;
    }
    for (limit, most) in LIMITS {
        connection.set_limit(limit, most)?;
    }
    Ok(())
}

/// Sets every switch and pragma (docs/architecture.md, rules 2 and 9). The journal mode is read, never set.
pub(super) fn configure(connection: &Connection, access: Access) -> Outcome<()> {
    protect(connection)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(&format!("PRAGMA hard_heap_limit={MEMORY}"))?;
    connection.execute_batch(
        "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;",
    )?;
    if access == Access::Write {
        connection.execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=100;
             PRAGMA journal_size_limit=8388608;",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_uri_characters_mean_themselves() {
        assert_eq!(percent_encoded(Path::new("/a b/c?d#e%f")), "/a%20b/c%3Fd%23e%25f");
    }
}
