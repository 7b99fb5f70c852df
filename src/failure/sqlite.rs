//! SQLite's result codes as failures: exit code, reason and next step of each (docs/architecture.md, rule 10).

use rusqlite::ErrorCode;

use super::Failure;
use super::exit::Exit;

/// Extended codes of `SQLITE_IOERR` that come from the shared-memory map of the WAL index, not from the board:
/// the filesystem cannot do WAL (tests/incidents.md F16, section 6.5). That the index cannot grow is no such sign: the disk is full.
const IOERR_SHARED_MAP: [i32; 3] = [
    rusqlite::ffi::SQLITE_IOERR_SHMOPEN,
    rusqlite::ffi::SQLITE_IOERR_SHMLOCK,
    rusqlite::ffi::SQLITE_IOERR_SHMMAP,
];

impl Failure {
    /// Whether SQLite found a lock in the way, or lost a race for one.
    pub fn is_sqlite_busy(&self) -> bool {
        let primary = self.sqlite.map(|code| code & 0xff);
        matches!(
            primary,
            Some(rusqlite::ffi::SQLITE_BUSY | rusqlite::ffi::SQLITE_LOCKED | rusqlite::ffi::SQLITE_PROTOCOL)
        )
    }

    /// SQLite's extended result code, where the failure came from SQLite.
    pub fn sqlite_code(&self) -> Option<i32> {
        self.sqlite
    }

    /// Whether somebody else's interrupted transaction must be rolled back before anything is read, which a reader may not.
    pub fn is_interrupted_transaction(&self) -> bool {
        self.sqlite == Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK)
    }

    /// Whether the WAL index could not be mapped: every statement says so on a filesystem that cannot do WAL.
    pub fn is_shared_map(&self) -> bool {
        self.sqlite.is_some_and(|code| IOERR_SHARED_MAP.contains(&code))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let (exit, sqlite, said) = match &error {
            rusqlite::Error::SqliteFailure(cause, said) => {
                (classify(*cause), Some(cause.extended_code), said.clone())
            }
            rusqlite::Error::SqlInputError { error: cause, msg, .. } => {
                (classify(*cause), Some(cause.extended_code), Some(msg.clone()))
            }
            _ => (Exit::Failed, None, None),
        };
        let reason = match exit {
            Exit::Damaged if sqlite == Some(rusqlite::ffi::SQLITE_IOERR_SHORT_READ) => {
                "the file ends before a page that it names"
            }
            Exit::Damaged => "SQLite finds the file damaged",
            _ if sqlite.is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_INTERRUPT) => {
                "SQLite was stopped"
            }
            Exit::Busy => "another process holds the lock",
            Exit::Refused => refusal(sqlite),
            _ => "SQLite failed",
        };
        // SQLite's own words once, with the number by which its documentation knows them.
        let error = match (said, sqlite) {
            (Some(said), Some(code)) => anyhow::anyhow!("{said} (SQLite {code})"),
            _ => anyhow::Error::new(error),
        };
        let mut failure = Self {
            exit,
            error: error.context(reason),
            path: None,
            board: None,
            hints: Vec::new(),
            broken_pipe: false,
            sqlite,
        };
        if let Some(hint) = next_step(sqlite) {
            failure = failure.hint(hint);
        }
        if failure.is_shared_map() {
            failure = failure
                .context("the filesystem cannot share memory between processes, which WAL needs")
                .hint("Bring the board back with `kanbanctl journal-mode delete`, or move it to a local filesystem.");
        }
        failure
    }
}

/// Why SQLite was refused: by its extended code where that says more, else by its primary one.
fn refusal(code: Option<i32>) -> &'static str {
    match code {
        Some(rusqlite::ffi::SQLITE_READONLY_ROLLBACK) => {
            return "an interrupted transaction must be rolled back first, and the board may not be written from here";
        }
        Some(rusqlite::ffi::SQLITE_READONLY_DBMOVED) => {
            return "the board's file was moved or replaced meanwhile";
        }
        Some(rusqlite::ffi::SQLITE_IOERR_SHMSIZE) => {
            return "the WAL's index could not be given its size, as on a full disk; nothing was written";
        }
        Some(rusqlite::ffi::SQLITE_READONLY_DIRECTORY) => {
            return "the board's directory may not be written from here";
        }
        _ => {}
    }
    match code.map(|code| code & 0xff) {
        Some(rusqlite::ffi::SQLITE_FULL) => "the disk is full; nothing was written",
        Some(rusqlite::ffi::SQLITE_READONLY) => "the board may not be written from here",
        Some(rusqlite::ffi::SQLITE_CANTOPEN) => {
            "the board or the files beside it may not be opened from here"
        }
        Some(rusqlite::ffi::SQLITE_NOMEM) => "the board asks for more memory than it is given",
        Some(rusqlite::ffi::SQLITE_TOOBIG) => "a value on the board is longer than is read at once",
        _ => "SQLite was not allowed to do it",
    }
}

/// What helps against a refusal, by its primary code.
fn next_step(code: Option<i32>) -> Option<&'static str> {
    match code.map(|code| code & 0xff) {
        Some(rusqlite::ffi::SQLITE_FULL) => {
            Some("Free space on the board's filesystem and run the command again; `df` names it.")
        }
        Some(rusqlite::ffi::SQLITE_READONLY | rusqlite::ffi::SQLITE_CANTOPEN) => Some(
            "Run it as the board's owner, or make the board's directory and files writable; `findmnt` says whether the filesystem is.",
        ),
        // The shared map and a file that is too short have their own next steps.
        Some(rusqlite::ffi::SQLITE_IOERR)
            if code != Some(rusqlite::ffi::SQLITE_IOERR_SHORT_READ)
                && !code.is_some_and(|code| IOERR_SHARED_MAP.contains(&code)) =>
        {
            Some("The disk or a limit refused it: see `dmesg`, `df` and `ulimit -f`, then run it again.")
        }
        Some(rusqlite::ffi::SQLITE_NOMEM | rusqlite::ffi::SQLITE_TOOBIG) => {
            Some("Read it without SQLite: `kanbanctl recover --dry-run` says what it holds.")
        }
        _ => None,
    }
}

/// The table of docs/architecture.md, rule 10.
fn classify(error: rusqlite::ffi::Error) -> Exit {
    match error.code {
        // The file ends before a page that it names: no disk fails so.
        _ if error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ => Exit::Damaged,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Exit::Damaged,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Exit::Busy
        }
        ErrorCode::ReadOnly
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::DiskFull
        | ErrorCode::OutOfMemory
        | ErrorCode::TooBig => Exit::Refused,
        ErrorCode::SystemIoFailure
            if error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
                || IOERR_SHARED_MAP.contains(&error.extended_code) =>
        {
            Exit::Refused
        }
        ErrorCode::OperationInterrupted => Exit::Busy,
        _ => Exit::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_code(code: i32) -> Failure {
        Failure::from(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None))
    }

    #[test]
    fn sqlite_codes_map_to_the_exit_table() {
        use rusqlite::ffi;
        let table = [
            (ffi::SQLITE_CORRUPT, Exit::Damaged),
            (ffi::SQLITE_NOTADB, Exit::Damaged),
            (ffi::SQLITE_BUSY, Exit::Busy),
            (ffi::SQLITE_BUSY_SNAPSHOT, Exit::Busy),
            (ffi::SQLITE_LOCKED, Exit::Busy),
            (ffi::SQLITE_PROTOCOL, Exit::Busy),
            (ffi::SQLITE_READONLY, Exit::Refused),
            (ffi::SQLITE_CANTOPEN, Exit::Refused),
            (ffi::SQLITE_PERM, Exit::Refused),
            (ffi::SQLITE_AUTH, Exit::Refused),
            (ffi::SQLITE_FULL, Exit::Refused),
            (ffi::SQLITE_NOMEM, Exit::Refused),
            (ffi::SQLITE_TOOBIG, Exit::Refused),
            (ffi::SQLITE_IOERR_SHMMAP, Exit::Refused),
            (ffi::SQLITE_IOERR_SHMSIZE, Exit::Refused),
            (ffi::SQLITE_IOERR_READ, Exit::Failed),
            (ffi::SQLITE_IOERR_SHORT_READ, Exit::Damaged),
            (ffi::SQLITE_CONSTRAINT, Exit::Failed),
        ];
        for (code, exit) in table {
            assert_eq!(from_code(code).exit(), exit, "code {code}");
        }
    }

    #[test]
    fn an_index_that_finds_no_room_is_no_filesystem_without_shared_memory() {
        let full = from_code(rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        assert!(!full.is_shared_map() && full.to_string().contains("full disk"), "{full}");
        assert!(full.hints().iter().all(|hint| !hint.contains("journal-mode")), "{:?}", full.hints());
        assert!(from_code(rusqlite::ffi::SQLITE_IOERR_SHMMAP).is_shared_map());
    }
}
