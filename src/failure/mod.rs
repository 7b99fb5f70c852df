//! What went wrong, in the words and with the exit code that the caller sees.
//!
//! The only room that reads SQLite result codes (`sqlite`) and `io` error codes (docs/architecture.md, rule 10). Callers add
//! the path with [`Failure::at`] and the board with [`Failure::on_board`].

pub mod count;
pub mod exit;
pub mod hint;
mod nearest;
mod sqlite;

pub use nearest::nearest;

use std::fmt;
use std::path::{Path, PathBuf};

use self::exit::Exit;
use self::hint::Aim;

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
    /// A failure with the given exit code and message: a full sentence that begins in lower case, as it stands after a
    /// heading or a place, and ends in a period.
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
            Kind::PermissionDenied => Some("Run it as the file's owner or as root."),
            Kind::ReadOnlyFilesystem => Some(
                "The filesystem is read-only: mount it writable, or name another place; `findmnt` says which it is.",
            ),
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

    /// Gives another command than the one in the hints.
    #[must_use]
    pub fn instead(mut self, command: &str, other: &str) -> Self {
        for hint in &mut self.hints {
            *hint = hint.replace(command, other);
        }
        self
    }

    /// Puts a sentence in front of the cause.
    #[must_use]
    pub fn context(mut self, message: impl fmt::Display) -> Self {
        self.error = self.error.context(message.to_string());
        self
    }

    /// The work is done and only telling of it failed: exit 1, and nothing is to be run again.
    #[must_use]
    pub fn behind(mut self, done: impl fmt::Display) -> Self {
        self.exit = Exit::Failed;
        self.hints.clear();
        self.context(format!("{done}, but that could not be told"))
    }

    /// Where SQLite met damage, says what to do about it.
    #[must_use]
    pub fn advised(self) -> Self {
        if self.sqlite.is_none() || !self.is_damage() {
            return self;
        }
        self.examined()
    }

    /// Says what to do about damage.
    #[must_use]
    pub fn examined(self) -> Self {
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

    /// Whether there was no room on the disk, or for this user, or for a file of that size.
    pub fn is_no_room(&self) -> bool {
        use std::io::ErrorKind as Kind;
        let full = self.sqlite.is_some_and(|code| code & 0xff == rusqlite::ffi::SQLITE_FULL);
        let io = self.error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        full || matches!(io, Some(Kind::StorageFull | Kind::QuotaExceeded | Kind::FileTooLarge))
    }
}

/// The message with its causes, on one line.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#}", self.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_recognised() {
        let closed = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(Failure::io(closed, "writing to stdout").is_broken_pipe());
    }
}
