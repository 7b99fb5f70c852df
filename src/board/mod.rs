//! Where a board is and what lies beside it, by plain system calls before SQLite opens it.
//!
//! Names the file ([`location`]), reads its header and sidecars ([`files`]), names its copies ([`copies`]), finds its holders
//! (`holders`, `locks`), finds files that only a process still has ([`generation`]), and reads the filesystem ([`filesystem`]).
//!
//! Every descriptor that is opened here is closed before the pool opens: POSIX drops all locks of a process on a file when the
//! process closes any descriptor of it (F11; docs/architecture.md, rule 1). The types enforce it: a [`crate::pool::Pool`] takes
//! a finished [`Inspection`] by value. Not here: SQL statements ([`crate::pool`], [`crate::store`]).

pub mod attached_files;
pub mod belonging;
pub mod board_json;
pub mod change_notice;
pub mod copies;
pub mod dispatcher;
pub(crate) mod file_stamp;
pub mod files;
pub mod filesystem;
pub(crate) mod folder;
mod foreign_file;
pub mod generation;
pub mod getlk;
pub mod holders;
pub mod home;
pub mod index_guard;
mod index_table;
pub mod litestream;
pub mod location;
pub mod locks;
pub mod log;
pub mod namesakes;
pub mod private_copy;
pub mod profiles;
pub mod rollback;
pub mod scratch;
pub mod signs;
pub(crate) mod snapshot_copy;
mod trees;
pub(crate) mod trust;
mod wal_index;

use std::fmt;
use std::path::PathBuf;

use crate::failure::hint::Aim;
use crate::failure::{Failure, Outcome};

pub use copies::Copies;
pub use file_stamp::Stamp;
pub use files::{FileState, Inspection, Sidecar, Sidecars};
pub use foreign_file::ForeignFile;

/// A board that has been chosen: which file, and why that one.
#[derive(Clone, Debug)]
pub struct Board {
    /// The board's slug; nothing when the file was named by path.
    pub slug: Option<String>,
    /// The database file as chosen, absolute, symbolic links not followed.
    pub path: PathBuf,
    /// The rule that chose it.
    pub origin: Origin,
}

/// The rule that chose a board's file (docs/board-format.md, 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// `--db PATH`.
    DbOption,
    /// The variable `HERMES_KANBAN_DB`.
    DbVariable,
    /// `--board SLUG`.
    BoardOption,
    /// The variable `HERMES_KANBAN_BOARD`.
    BoardVariable,
    /// The file `kanban/current` under the root.
    Current,
    /// Nothing named another board.
    Default,
    /// Found by listing the root.
    Discovered,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DbOption => "--db",
            Self::DbVariable => "HERMES_KANBAN_DB",
            Self::BoardOption => "--board",
            Self::BoardVariable => "HERMES_KANBAN_BOARD",
            Self::Current => "kanban/current",
            Self::Default => "default",
            Self::Discovered => "a board under the root",
        })
    }
}

impl Board {
    /// What a person calls this board: its slug, else its path.
    pub fn name(&self) -> String {
        self.slug.clone().unwrap_or_else(|| self.path.display().to_string())
    }

    /// What leads a pasted command line here. A board that Hermes' own chain led to needs nothing; one that was come by in a
    /// list is named by its file, because a name would be refused beside a variable that pins another.
    pub fn aim(&self) -> Aim {
        match (self.origin, &self.slug) {
            (Origin::BoardOption, Some(slug)) => Aim::at_board(slug),
            (Origin::DbOption | Origin::BoardOption | Origin::Discovered, _) => Aim::at_file(&self.path),
            (Origin::DbVariable | Origin::BoardVariable | Origin::Current | Origin::Default, _) => {
                Aim::default()
            }
        }
    }

    /// The failure of work on this board: says which board that was and what chose it, and its hints lead here.
    pub fn blame(&self, failure: Failure) -> Failure {
        failure.on_board(&self.path, self.origin).aimed(&self.aim())
    }

    /// Reads header and sidecars by plain reads; every descriptor is closed on return.
    ///
    /// # Errors
    /// When the file or its directory cannot be read; a missing, empty or foreign file is an answer, not an error.
    pub fn inspect(&self) -> Outcome<Inspection> {
        files::inspect(self)
    }
}
