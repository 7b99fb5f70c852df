//! The board's file and its sidecars, as bytes and `stat` results.
//!
//! Tells "missing", "empty", "not SQLite" and "SQLite" apart (docs/architecture.md, rule 3). Not here: whether the schema is
//! Hermes' ([`crate::store`]) and whether the pages are sound ([`crate::health`]).

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use rustix::io::Errno;

use super::copies::{self, Copies};
use super::foreign_file::ForeignFile;
use super::namesakes::{self, Namesake};
use super::trust;
use super::{Board, Stamp};
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::ondisk::header::{self, Header};

/// The smallest page, so the smallest file that SQLite may be handed: at or under it, SQLite unlinks a WAL beside
/// an empty file (docs/architecture.md, rule 3).
pub const SMALLEST_PAGE: u64 = 512;

/// The suffixes of Hermes' two lock files, in the order in which they are taken.
pub const LOCK_SUFFIXES: [&str; 2] = [".init.lock", ".dispatch.lock"];

/// What a finished look at the bytes says.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The board that was looked at.
    pub board: Board,
    /// The database file with symbolic links followed; sidecars and backups lie beside this one.
    pub resolved: PathBuf,
    /// What kind of file is there.
    pub state: FileState,
    /// Identity, size and times of the database file, when there is one.
    pub stamp: Option<Stamp>,
    /// The files that SQLite keeps beside it.
    pub sidecars: Sidecars,
    /// The copies beside it (`<db>.corrupt.*.bak`); looked for only where the file itself is missing or empty.
    pub backups: Copies,
    /// The copies of it under other names; looked for only where the file itself is missing or empty.
    pub namesakes: Vec<Namesake>,
}

/// The four answers to "what is there".
#[derive(Clone, Debug)]
pub enum FileState {
    /// No file.
    Missing,
    /// A file of zero bytes; SQLite would take it for a fresh database and unlink the WAL beside it.
    Empty,
    /// A file that does not start as SQLite files do.
    NotSqlite {
        /// Its first bytes, at most 32.
        first: Vec<u8>,
        /// Where a TLS record starts, when one does.
        tls_at: Option<usize>,
        /// What it is instead, where its first bytes say so.
        foreign: Option<ForeignFile>,
    },
    /// A file with SQLite's magic and a page's length.
    Sqlite(Header),
}

/// One file that SQLite keeps beside a database.
#[derive(Clone, Debug)]
pub struct Sidecar {
    /// Its path, beside the resolved database.
    pub path: PathBuf,
    /// Its `stat`.
    pub stamp: Stamp,
}

/// The files that SQLite keeps beside a database.
#[derive(Clone, Debug, Default)]
pub struct Sidecars {
    /// The write-ahead log.
    pub wal: Option<Sidecar>,
    /// The WAL index.
    pub shm: Option<Sidecar>,
    /// The rollback journal: an interrupted transaction when it is there.
    pub journal: Option<Sidecar>,
}

impl Sidecars {
    /// The sidecars that lie beside `database` now.
    ///
    /// # Errors
    /// When `stat` fails for another reason than absence.
    pub fn beside(database: &Path) -> Outcome<Self> {
        let look = |suffix: &str| -> Outcome<Option<Sidecar>> {
            let path = with_suffix(database, suffix);
            Ok(Stamp::of(&path)?.map(|stamp| Sidecar { path, stamp }))
        };
        Ok(Self { wal: look("-wal")?, shm: look("-shm")?, journal: look("-journal")? })
    }

    /// Whether a WAL with anything in it is there.
    pub fn wal_has_bytes(&self) -> bool {
        self.wal.as_ref().is_some_and(|wal| wal.stamp.len > 0)
    }

    /// Whether a `-wal` or `-journal` is there, whatever is in it.
    pub fn any_log(&self) -> bool {
        self.wal.is_some() || self.journal.is_some()
    }
}

impl Inspection {
    /// The header, when the file is SQLite's.
    pub fn header(&self) -> Option<&Header> {
        match &self.state {
            FileState::Sqlite(header) => Some(header),
            _ => None,
        }
    }

    /// What database and log really take on the disk: holes, which anybody can make for nothing, are left out.
    pub fn bytes_on_disk(&self) -> u64 {
        let of = |path: &Path| std::fs::metadata(path).map_or(0, |meta| meta.blocks().saturating_mul(512));
        let log = self.sidecars.wal.as_ref().map_or(0, |wal| of(&wal.path));
        of(&self.resolved).saturating_add(log)
    }

    /// Whether the header says WAL (bytes 18 and 19).
    pub fn is_wal(&self) -> bool {
        self.header().is_some_and(Header::is_wal)
    }

    /// Refuses everything but a SQLite file, each with its own answer and next step.
    ///
    /// # Errors
    /// Exit 10 where no board is, 4 where one was lost or is something else.
    pub fn require_sqlite(&self) -> Outcome<()> {
        let shown = self.resolved.display();
        match &self.state {
            FileState::Sqlite(_) => Ok(()),
            FileState::Missing if self.leftovers() => Err(Failure::damaged(format!(
                "{shown} is missing, but {} beside it: the board was lost, not never made.",
                self.leftover_words()
            ))
            .hint(format_args!("See what can be brought back with `{}`.", self.way_back()))
            .at(&self.resolved)),
            FileState::Missing => Err(Failure::no_board(format!("there is no board at {shown}."))
                .hint("Create it with `kanbanctl init`, or name another with --board or --db.")
                .at(&self.resolved)),
            FileState::Empty if self.leftovers() => Err(Failure::damaged(format!(
                "{shown} has zero bytes, but {} beside it: rows may be there.",
                self.leftover_words()
            ))
            .hint(
                "Do not open the board with anything else: SQLite would delete the WAL beside an empty file.",
            )
            .hint(format_args!("See what can be brought back with `{}`.", self.way_back()))
            .at(&self.resolved)),
            FileState::Empty => {
                Err(Failure::no_board(format!("{shown} has zero bytes; a board was expected."))
                    .hint("If nothing was ever on it, remove the empty file and run `kanbanctl init`.")
                    .at(&self.resolved))
            }
            FileState::NotSqlite { foreign: Some(foreign), .. } => {
                Err(Failure::damaged(format!("{shown} is no database but {}.", foreign.words()))
                    .hint(format_args!("Get at the board with `{}`.", foreign.next(&self.resolved)))
                    .at(&self.resolved))
            }
            FileState::NotSqlite { first, tls_at, .. } => {
                Err(self.not_sqlite(first, *tls_at).at(&self.resolved))
            }
        }
    }

    /// The command that shows what can be brought back. Snapshots and archived boards are read when they are named.
    pub fn way_back(&self) -> String {
        let is_read = self.backups.count > 0
            || self.sidecars.any_log()
            || self.namesakes.iter().any(|found| found.kind.is_source());
        match self.namesakes.first().filter(|_| !is_read) {
            Some(found) => format!("kanbanctl recover --dry-run {}", hint::quoted(&found.path)),
            None => "kanbanctl recover --dry-run".to_owned(),
        }
    }

    /// Whether anything beside the path says that a board was here.
    pub fn leftovers(&self) -> bool {
        self.sidecars.any_log() || self.backups.count > 0 || !self.namesakes.is_empty()
    }

    fn leftover_words(&self) -> String {
        let mut words = Vec::new();
        if self.sidecars.wal.is_some() {
            words.push("a -wal".to_owned());
        }
        if self.sidecars.journal.is_some() {
            words.push("a -journal".to_owned());
        }
        match self.backups.count {
            0 => {}
            1 => words.push("a .corrupt backup".to_owned()),
            many => words.push(format!("{many} .corrupt backups")),
        }
        if let Some(first) = self.namesakes.first() {
            let more = match self.namesakes.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            words.push(format!("{} ({}){more}", first.path.display(), first.kind.words()));
        }
        let many = words.len() > 1 || self.backups.count > 1 || self.namesakes.len() > 1;
        let verb = if many { "lie" } else { "lies" };
        format!("{} {verb}", words.join(" and "))
    }

    fn not_sqlite(&self, first: &[u8], tls_at: Option<usize>) -> Failure {
        let shape = match tls_at {
            Some(offset) => {
                format!(" A TLS record starts at byte {offset}: another program wrote into the file.")
            }
            None => String::new(),
        };
        let bytes = first.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        Failure::damaged(format!(
            "{} is not an SQLite database: its first bytes are {bytes}.{shape}",
            self.resolved.display()
        ))
        .hint("See what can be brought back with `kanbanctl recover --dry-run`.")
    }
}

/// The directory that `path` lies in.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// `path` with `suffix` appended to its last component.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path.as_os_str());
    name.push(suffix);
    PathBuf::from(name)
}

/// The lock files of a board: for the path as chosen, then for the resolved one where that lies elsewhere.
pub fn lock_files(chosen: &Path, resolved: &Path) -> Vec<PathBuf> {
    let real = |path: &Path| match (path.parent().map(std::fs::canonicalize), path.file_name()) {
        (Some(Ok(directory)), Some(name)) => directory.join(name),
        _ => path.to_path_buf(),
    };
    let mut spellings = vec![real(chosen)];
    let other = real(resolved);
    if !spellings.contains(&other) {
        spellings.push(other);
    }
    spellings.iter().flat_map(|path| LOCK_SUFFIXES.map(|suffix| with_suffix(path, suffix))).collect()
}

/// Follows symbolic links; where the last component does not exist, those of its directory.
///
/// # Errors
/// When the directory cannot be resolved.
pub fn resolve(path: &Path) -> Outcome<PathBuf> {
    match std::fs::canonicalize(path) {
        Ok(resolved) => return Ok(resolved),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            return Err(Failure::no_board(format!(
                "{} leads to no file: its symbolic links go in a circle.",
                path.display()
            ))
            .hint("Repair the link, or name the board's real file with --db.")
            .at(path));
        }
        Err(error) => {
            return Err(Failure::io(error, format!("resolving {}", path.display())).at(path));
        }
    }
    if let Ok(target) = std::fs::read_link(path) {
        return Err(Failure::no_board(format!(
            "{} is a symbolic link to {}, which is not there.",
            path.display(),
            target.display()
        ))
        .hint("Repair the link, or name the board's real file with --db.")
        .at(path));
    }
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) if !parent.as_os_str().is_empty() => {
            Ok(std::fs::canonicalize(parent).map_or_else(|_| path.to_path_buf(), |dir| dir.join(name)))
        }
        _ => Ok(path.to_path_buf()),
    }
}

/// Looks at the board's bytes; see [`Board::inspect`].
pub(super) fn inspect(board: &Board) -> Outcome<Inspection> {
    let resolved = resolve(&board.path)?;
    let (state, stamp) = read_state(&resolved)?;
    let sidecars = Sidecars::beside(&resolved)?;
    for sidecar in [&sidecars.wal, &sidecars.shm, &sidecars.journal].into_iter().flatten() {
        require_plain(&sidecar.path, sidecar.stamp.mode)?;
        trust::require(&sidecar.path, &resolved)?;
    }
    let lost = matches!(state, FileState::Missing | FileState::Empty);
    let backups = if lost { copies::count(&resolved) } else { Copies::default() };
    let namesakes = if lost { namesakes::find(&resolved) } else { Vec::new() };
    Ok(Inspection { board: board.clone(), resolved, state, stamp, sidecars, backups, namesakes })
}

/// Refuses pipes, devices and directories: to open one can wait for ever or do something.
fn require_plain(path: &Path, mode: u32) -> Outcome<()> {
    if FileType::from_raw_mode(mode).is_file() {
        return Ok(());
    }
    Err(Failure::refused(format!("{} is not a regular file.", path.display()))
        .hint("A board and what SQLite keeps beside it are plain files; name another board with --db or --board.")
        .at(path))
}

fn read_state(path: &Path) -> Outcome<(FileState, Option<Stamp>)> {
    let reading = |error| Failure::io(error, format!("reading {}", path.display())).at(path);
    let Some(stamp) = Stamp::of(path)? else {
        return Ok((FileState::Missing, None));
    };
    require_plain(path, stamp.mode)?;
    if stamp.len == 0 {
        return Ok((FileState::Empty, Some(stamp)));
    }
    let file = File::open(path).map_err(reading)?;
    let mut first = Vec::with_capacity(header::LEN);
    let length = u64::try_from(header::LEN).unwrap_or(u64::MAX);
    (&file).take(length).read_to_end(&mut first).map_err(reading)?;
    // The length as of the header that was read: a writer may have made the file longer since the first look.
    let now = Stamp::from_metadata(&file.metadata().map_err(reading)?);
    let stamp = if (now.dev, now.ino) == (stamp.dev, stamp.ino) { now } else { stamp };
    let state = match Header::read(&first) {
        Some(header) if header.magic && stamp.len >= SMALLEST_PAGE => FileState::Sqlite(header),
        _ => {
            let tls_at = tls_record(&first);
            let foreign = ForeignFile::of(&first);
            first.truncate(32);
            FileState::NotSqlite { first, tls_at, foreign }
        }
    };
    Ok((state, Some(stamp)))
}

/// Where a TLS record starts, in the two places seen in the field: type 0x14 to 0x17, major version 3, minor 0 to 4,
/// a length of 1 to 18432 (docs/board-format.md, 3.5).
fn tls_record(bytes: &[u8]) -> Option<usize> {
    [0, 5].into_iter().find(|&offset| {
        let prefix_fits = offset == 0 || bytes.starts_with(b"SQLit");
        prefix_fits
            && matches!(bytes.get(offset..offset + 5),
                Some(&[0x14..=0x17, 3, 0..=4, high, low])
                    if (1..=18_432).contains(&u16::from_be_bytes([high, low])))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_records_are_told_from_other_garbage() {
        assert_eq!(tls_record(&[0x17, 3, 3, 1, 0x40, 9]), Some(0));
        assert_eq!(tls_record(b"SQLit\x17\x03\x03\x01\x40rest"), Some(5));
        assert_eq!(tls_record(b"hello\x17\x03\x03\x01\x40rest"), None);
        assert_eq!(tls_record(b"SQLite format 3\0"), None);
        assert_eq!(tls_record(b""), None);
    }

    #[test]
    fn suffixes_go_to_the_last_component() {
        assert_eq!(with_suffix(Path::new("/a/b.db"), "-wal"), Path::new("/a/b.db-wal"));
    }

    #[test]
    fn a_board_behind_a_link_has_two_sets() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real.db");
        let link = folder.path().join("link.db");
        assert_eq!(lock_files(&link, &real).len(), 4);
        assert_eq!(lock_files(&real, &real).len(), 2);
        assert_eq!(lock_files(&folder.path().join(".").join("real.db"), &real).len(), 2);
    }
}
