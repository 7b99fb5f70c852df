//! What went wrong, in the words and with the code that the caller sees.
//!
//! The only place that reads SQLite result codes and `io` error codes (architecture.md rule 10). It knows no board:
//! whoever has the path adds it with [`Failure::at`], and whoever chose the board says so with [`Failure::on_board`].

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::exit::Exit;
use crate::hint::Aim;

/// Extended codes of `SQLITE_IOERR` that come from the shared-memory map of the WAL index, not from the board:
/// the filesystem cannot do WAL (incidents.md F16, section 6.5).
const IOERR_SHARED_MAP: [i32; 4] = [
    rusqlite::ffi::SQLITE_IOERR_SHMOPEN,
    rusqlite::ffi::SQLITE_IOERR_SHMSIZE,
    rusqlite::ffi::SQLITE_IOERR_SHMLOCK,
    rusqlite::ffi::SQLITE_IOERR_SHMMAP,
];

/// A result whose error is ready to be shown.
pub type Outcome<T> = Result<T, Failure>;

/// An error with its exit code, the board it is about, and what to do next.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    error: anyhow::Error,
    path: Option<PathBuf>,
    board: Option<Box<Chosen>>,
    hints: Vec<String>,
    broken_pipe: bool,
    sqlite: Option<i32>,
}

/// The board that was worked on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Its file, as chosen.
    pub path: PathBuf,
    /// The rule that chose it.
    pub origin: String,
}

impl Failure {
    /// A failure with the given exit code and message (a full sentence).
    pub fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self {
            exit,
            error: anyhow::anyhow!("{message}"),
            path: None,
            board: None,
            hints: Vec::new(),
            broken_pipe: false,
            sqlite: None,
        }
    }

    /// Exit 1.
    pub fn failed(message: impl fmt::Display) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Exit 2: the command line is wrong.
    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Exit 4: damage was met.
    pub fn damaged(message: impl fmt::Display) -> Self {
        Self::new(Exit::Damaged, message)
    }

    /// Exit 10: no board there.
    pub fn no_board(message: impl fmt::Display) -> Self {
        Self::new(Exit::NoBoard, message)
    }

    /// Exit 11: somebody else has the lock.
    pub fn busy(message: impl fmt::Display) -> Self {
        Self::new(Exit::Busy, message)
    }

    /// Exit 12: a guard said no.
    pub fn refused(message: impl fmt::Display) -> Self {
        Self::new(Exit::Refused, message)
    }

    /// Exit 13: unknown task or backup.
    pub fn not_found(message: impl fmt::Display) -> Self {
        Self::new(Exit::NotFound, message)
    }

    /// Exit 14: the state does not allow it.
    pub fn conflict(message: impl fmt::Display) -> Self {
        Self::new(Exit::Conflict, message)
    }

    /// An `io` error while doing `doing` (for example `reading /path`), with the code that fits its kind.
    pub fn io(error: std::io::Error, doing: impl fmt::Display) -> Self {
        use std::io::ErrorKind as Kind;
        let next = match error.kind() {
            Kind::PermissionDenied => {
                Some("Run it as the file's owner or as root; `ls -ld` says who that is.")
            }
            Kind::StorageFull | Kind::QuotaExceeded => {
                Some("Free space there, and run it again; `df` says where.")
            }
            _ => None,
        };
        let failure = Self::of_io(error, doing);
        match next {
            Some(next) => failure.hint(next),
            None => failure,
        }
    }

    fn of_io(error: std::io::Error, doing: impl fmt::Display) -> Self {
        use std::io::ErrorKind as Kind;
        let exit = match error.kind() {
            Kind::NotFound | Kind::NotADirectory => Exit::NoBoard,
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::StorageFull
            | Kind::QuotaExceeded
            | Kind::FileTooLarge
            | Kind::AlreadyExists => Exit::Refused,
            _ => Exit::Failed,
        };
        let broken_pipe = error.kind() == Kind::BrokenPipe;
        let error = anyhow::Error::new(error).context(format!("{doing} failed"));
        Self { exit, error, path: None, board: None, hints: Vec::new(), broken_pipe, sqlite: None }
    }

    /// The same for something that is to be made: a place that is not there is no missing board, but refused (12).
    pub fn making(error: std::io::Error, doing: impl fmt::Display) -> Self {
        use std::io::ErrorKind as Kind;
        let no_place = matches!(
            error.kind(),
            Kind::NotFound | Kind::NotADirectory | Kind::IsADirectory | Kind::InvalidFilename
        );
        let failure = Self::of_io(error, doing);
        if no_place { failure.with_exit(Exit::Refused) } else { failure }
    }

    /// Adds what to do next. Hints are printed in order, each on a line of its own.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        let hint = hint.to_string();
        if !self.hints.contains(&hint) {
            self.hints.push(hint);
        }
        self
    }

    /// Names the file that the failure is about, unless one is named already.
    #[must_use]
    pub fn at(mut self, path: &Path) -> Self {
        self.path.get_or_insert_with(|| path.to_path_buf());
        self
    }

    /// Names the board that was worked on and the rule that chose it, unless one is named already.
    #[must_use]
    pub fn on_board(mut self, path: &Path, origin: impl fmt::Display) -> Self {
        let chosen = || Box::new(Chosen { path: path.to_path_buf(), origin: origin.to_string() });
        self.board.get_or_insert_with(chosen);
        self
    }

    /// Makes the commands in the hints lead to a board.
    #[must_use]
    pub fn aimed(mut self, aim: &Aim) -> Self {
        for hint in &mut self.hints {
            *hint = aim.text(hint);
        }
        self
    }

    /// Puts a sentence in front of the cause.
    #[must_use]
    pub fn context(mut self, message: impl fmt::Display) -> Self {
        self.error = self.error.context(message.to_string());
        self
    }

    /// Where SQLite met damage, says what to do about it.
    #[must_use]
    pub fn advised(self) -> Self {
        if self.sqlite.is_none() || !self.is_damage() {
            return self;
        }
        self.hint("Look closer with `kanbanctl health --depth full`.")
            .hint("See what can be brought back with `kanbanctl recover --dry-run`.")
    }

    /// The same failure under another exit code.
    #[must_use]
    pub fn with_exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// The file that the failure is about.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The board that was worked on, where one was chosen.
    pub fn board(&self) -> Option<&Chosen> {
        self.board.as_deref()
    }

    /// What to do next.
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Whether the reader of our output has gone, which is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        self.broken_pipe
    }

    /// Whether SQLite called the file corrupt or no database; to be looked at twice before it is believed.
    pub fn is_damage(&self) -> bool {
        self.exit == Exit::Damaged
    }

    /// Whether it was SQLite that said so, which is not believed at the first look.
    pub fn is_sqlite_damage(&self) -> bool {
        self.is_damage() && self.sqlite.is_some()
    }

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

    /// Whether there was no room on the disk, or for this user, or for a file of that size.
    pub fn is_no_room(&self) -> bool {
        use std::io::ErrorKind as Kind;
        let full = self.sqlite.is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_FULL);
        let io = self.error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        full || matches!(io, Some(Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge))
    }

    /// Whether the WAL index could not be mapped: every statement says so on a filesystem that cannot do WAL.
    pub fn is_shared_map(&self) -> bool {
        self.sqlite.is_some_and(|code| IOERR_SHARED_MAP.contains(&code))
    }
}

/// The message with its causes, on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
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
        Some(rusqlite::ffi::SQLITE_READONLY | rusqlite::ffi::SQLITE_CANTOPEN) => {
            Some("Run it as the board's owner, or make the board's directory and files writable (`ls -ld`).")
        }
        Some(rusqlite::ffi::SQLITE_IOERR) if !code.is_some_and(|code| IOERR_SHARED_MAP.contains(&code)) => {
            Some("The disk or a limit refused it: see `dmesg`, `df` and `ulimit -f`, then run it again.")
        }
        Some(rusqlite::ffi::SQLITE_NOMEM | rusqlite::ffi::SQLITE_TOOBIG) => {
            Some("Read it without SQLite: `kanbanctl recover --dry-run` says what it holds.")
        }
        _ => None,
    }
}

/// The table of architecture.md rule 10.
fn classify(error: rusqlite::ffi::Error) -> Exit {
    match error.code {
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
        ErrorCode::SystemIoFailure if IOERR_SHARED_MAP.contains(&error.extended_code) => Exit::Refused,
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
            (ffi::SQLITE_IOERR_READ, Exit::Failed),
            (ffi::SQLITE_CONSTRAINT, Exit::Failed),
        ];
        for (code, exit) in table {
            assert_eq!(from_code(code).exit(), exit, "code {code}");
        }
    }

    #[test]
    fn a_closed_pipe_is_recognised() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(Failure::io(closed, "writing to stdout").is_broken_pipe());
    }
}
