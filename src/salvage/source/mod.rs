//! Where rows can come from: the live set, the copies that Hermes put aside, our own backups, copies under other names,
//! files that the operator names.
//!
//! ```text
//!   discovery  which files there are: one listing, one `stat` each
//!   hashing    what is in them, on every core
//!   grouping   equal contents are one source
//!   appended   a board behind another in one file
//! ```
//!
//! Found by plain reads, every descriptor closed again before anything else happens; no source ever meets SQLite. Memory
//! grows with the number of files, never with what is in them; [`Source::open`] makes one source readable for salvage.

mod appended;
pub(crate) mod cache;
pub mod deleted_wal;
pub(crate) mod discovery;
mod grouping;

mod hashing;
pub(crate) mod mapped;
pub mod open;
pub mod replica;
mod separation;
mod torn_journal;
mod torn_pages;
pub(crate) mod transfer;
pub(crate) mod wal_repairs;

use std::fs::File;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::board::Stamp;
use crate::board::belonging::Relation;
use crate::board::files::with_suffix;
use crate::failure::hint;
use crate::failure::{Failure, Outcome};
use crate::work::progress::Watch;

pub use self::discovery::Member;
pub use self::grouping::Digests;
pub use self::hashing::Digest;
pub use self::separation::separate;

/// How often files that change while they are read are tried.
const TRIES: u32 = 20;
/// How much longer to wait before each try than before the last: a busy board is written to every few milliseconds, and rests
/// longer now and then.
const PAUSE: Duration = Duration::from_millis(3);

/// Where a source comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The board itself with its WAL.
    Live,
    /// A copy that Hermes put aside (`<db>.corrupt.*.bak`).
    Backup,
    /// A backup of ours (`<db>.backups/`).
    Own,
    /// A copy under another name: a conflict of a synchronisation service, a file that was put aside.
    Namesake,
    /// A file that the operator named.
    Named,
    /// A log or database file that has lost its name, in the hands of a living process.
    Held,
    /// A log that Litestream keeps beside the board.
    Replica,
}

/// Which of its files a source is read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SourcePart {
    /// Main file, log and journal, as far as they belong together.
    #[default]
    Whole,
    /// A log that does not belong over its main file.
    Log,
    /// A journal that does not belong to its main file.
    Journal,
}

/// One distinct content and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The main file; of equal copies the newest. For what a process holds, its log.
    pub path: PathBuf,
    /// Where it comes from.
    pub kind: SourceKind,
    /// The main file where `path` is the log alone, or the folder of a replica.
    pub base: Option<PathBuf>,
    /// The log, where its name is not the main file's with `-wal` behind it.
    pub log: Option<PathBuf>,
    /// All copies with this content, that of `path` first.
    pub copies: Vec<Member>,
    /// SHA-256 of the main file, where it was needed. Hermes names its copies by the first sixteen digits.
    pub digest: Option<Digest>,
    /// SHA-256 of the WAL, where it was needed and there is one that is not empty.
    pub wal_digest: Option<Digest>,
    /// The part of the main file that is this source, where another board stands behind the first.
    pub range: Option<Range<u64>>,
    /// Length of the main file in bytes.
    pub size: u64,
    /// Length of the WAL in bytes, 0 for none.
    pub wal_size: u64,
    /// Which of its files is read.
    pub part: SourcePart,
    /// How it is related to the file that it lies beside, where that is known.
    pub relation: Relation,
    /// True if its rows come in even if it is another board.
    pub is_invited: bool,
}

/// A copy that could not be read. It does not hide the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unread {
    /// Its main file.
    pub path: PathBuf,
    /// Why not.
    pub reason: String,
}

/// What a search has found.
#[derive(Debug, Clone, Default)]
pub struct Discovered {
    /// Every distinct content.
    pub sources: Vec<Source>,
    /// Copies that could not be read.
    pub unread: Vec<Unread>,
    /// What sources are read from, to be kept as long as they are.
    pub restored: Vec<replica::ReplicaState>,
}

/// The live set, the copies beside it, our own backups and the files in `named`, grouped by content: live first, then
/// what was named in that order, then Hermes' copies and ours, each from the newest to the oldest.
///
/// # Errors
/// Exit 10 when there is nothing at all, 11 when the live board changes under every try, 130 when cancelled, otherwise the
/// reading error of the board or of a named file. A copy that cannot be read is named in the result.
pub fn discover(board: &Path, named: &[PathBuf], watch: &mut dyn Watch) -> Outcome<Discovered> {
    let mut files = Vec::new();
    let live = Member::at(board.to_path_buf())?;
    if live.is_there() {
        files.push((SourceKind::Live, live));
    }
    require_there(named)?;
    for path in named {
        files.push((SourceKind::Named, Member::at(path.clone())?));
    }
    let (backups, mut unread) = discovery::quarantined(board)?;
    files.extend(backups.into_iter().map(|member| (SourceKind::Backup, member)));
    let (own, unread_own) = discovery::own(&crate::board::copies::own_directory(board), board)?;
    files.extend(own.into_iter().map(|member| (SourceKind::Own, member)));
    unread.extend(unread_own);
    let (namesakes, unread_namesakes) = discovery::namesakes(board);
    files.extend(namesakes.into_iter().map(|member| (SourceKind::Namesake, member)));
    unread.extend(unread_namesakes);
    if files.is_empty() && unread.is_empty() {
        return Err(Failure::no_board("there is no board file and no copy of one.")
            .hint(hint::IS_IT_THE_ONE)
            .hint(hint::READ_A_COPY)
            .at(board));
    }
    let mut found = grouping::group(files, Digests::WhereNeeded, watch)?;
    found.unread.extend(unread);
    found.sources = appended::split(found.sources);
    Ok(found)
}

/// Refuses a named file that is not there.
///
/// # Errors
/// Exit 10.
pub fn require_there(named: &[PathBuf]) -> Outcome<()> {
    for path in named {
        if !exists(path)? {
            return Err(Failure::no_board(format!("the source {} does not exist.", path.display()))
                .hint(
                    "Name a file that is there; `kanbanctl backups list` shows the copies beside the board.",
                )
                .at(path));
        }
    }
    Ok(())
}

/// The board alone; none where neither it nor its WAL is there.
///
/// # Errors
/// When `stat` fails for another reason than absence.
pub fn live(board: &Path) -> Outcome<Option<Source>> {
    let member = Member::at(board.to_path_buf())?;
    Ok(member.is_there().then(|| Source {
        path: member.path.clone(),
        kind: SourceKind::Live,
        base: None,
        log: None,
        range: None,
        digest: None,
        wal_digest: None,
        size: member.main_size(),
        wal_size: member.wal_size(),
        copies: vec![member],
        part: SourcePart::Whole,
        relation: Relation::SameMoment,
        is_invited: false,
    }))
}

/// The file at `path`, which somebody named, with its log; none where there is no file.
///
/// # Errors
/// When it cannot be read, and what `watch` stops with.
pub fn named(path: &Path, watch: &mut dyn Watch) -> Outcome<Option<Source>> {
    let member = Member::at(path.to_path_buf())?;
    if member.main.is_none() {
        return Ok(None);
    }
    let found = grouped(SourceKind::Named, vec![member], Vec::new(), Digests::All, watch)?;
    match (found.sources.into_iter().next(), found.unread.into_iter().next()) {
        (None, Some(unread)) => Err(Failure::failed(unread.reason).at(path)),
        (source, _) => Ok(source),
    }
}

/// The copies that Hermes put aside for `board`, each content once, from the newest to the oldest.
///
/// # Errors
/// When the directory cannot be listed, and what `watch` stops with.
pub fn backups(board: &Path, digests: Digests, watch: &mut dyn Watch) -> Outcome<Discovered> {
    let (files, unread) = discovery::quarantined(board)?;
    grouped(SourceKind::Backup, files, unread, digests, watch)
}

/// Our own backups of `board`, each content once, from the newest to the oldest.
///
/// # Errors
/// When the folder cannot be listed, and what `watch` stops with.
pub fn own_backups(board: &Path, digests: Digests, watch: &mut dyn Watch) -> Outcome<Discovered> {
    own_backups_in(&crate::board::copies::own_directory(board), board, digests, watch)
}

/// The same in the folder `directory`.
///
/// # Errors
/// As [`own_backups`].
pub fn own_backups_in(
    directory: &Path,
    board: &Path,
    digests: Digests,
    watch: &mut dyn Watch,
) -> Outcome<Discovered> {
    let (files, unread) = discovery::own(directory, board)?;
    grouped(SourceKind::Own, files, unread, digests, watch)
}

/// The copies of `board` under other names, each content once.
///
/// # Errors
/// What `watch` stops with.
pub fn namesakes(board: &Path, digests: Digests, watch: &mut dyn Watch) -> Outcome<Discovered> {
    let (files, unread) = discovery::namesakes(board);
    grouped(SourceKind::Namesake, files, unread, digests, watch)
}

fn grouped(
    kind: SourceKind,
    files: Vec<Member>,
    unread: Vec<Unread>,
    digests: Digests,
    watch: &mut dyn Watch,
) -> Outcome<Discovered> {
    let files = files.into_iter().map(|member| (kind, member)).collect();
    let mut found = grouping::group(files, digests, watch)?;
    found.unread.extend(unread);
    Ok(found)
}

impl Unread {
    pub(crate) fn new(path: PathBuf, failure: &Failure) -> Self {
        Self { path, reason: failure.to_string() }
    }
}

impl Source {
    /// Main file and WAL.
    pub fn files(&self) -> (PathBuf, PathBuf) {
        match &self.base {
            // A restored state of a replica has no log.
            Some(base) if self.kind == SourceKind::Named => (base.clone(), with_suffix(base, "-none")),
            Some(base) => (base.clone(), self.path.clone()),
            // Nothing lies beside a file that is read alone.
            None if self.part != SourcePart::Whole => (self.path.clone(), with_suffix(&self.path, "-none")),
            None => {
                let log = self.log.clone().unwrap_or_else(|| with_suffix(&self.path, "-wal"));
                (self.path.clone(), log)
            }
        }
    }
}

/// As many items as files are tried that change while they are read, with pauses before all but the first.
pub(crate) fn tries() -> impl Iterator<Item = u32> {
    (0..TRIES).inspect(|number| std::thread::sleep(PAUSE * *number))
}

pub(crate) fn moving(path: &Path) -> Failure {
    Failure::busy("the file changed every time it was read.")
        .at(path)
        .hint("Stop the processes that write to this board, then try again.")
}

/// The stamps of main file and WAL.
pub(crate) type Fingerprint = (Option<Stamp>, Option<Stamp>);

pub(crate) fn fingerprint(main: &Path, wal: &Path) -> Outcome<Fingerprint> {
    Ok((Stamp::of(main)?, Stamp::of(wal)?))
}

fn exists(path: &Path) -> Outcome<bool> {
    Ok(Stamp::of(path)?.is_some())
}

/// The file for reading; none where there is none.
pub(crate) fn open(path: &Path) -> Outcome<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(error, "opening the file").at(path)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn equal_copies_are_one_source_unless_their_logs_differ() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        fs::write(&board, b"live").unwrap();
        for (mark, wal) in [("0123456789abcdef", ""), ("0123456789abcde0", ""), ("0123456789abcde1", "log")] {
            let copy = with_suffix(&board, &format!(".corrupt.{mark}.bak"));
            fs::write(&copy, b"copy").unwrap();
            fs::write(with_suffix(&copy, "-wal"), wal).unwrap();
        }
        let sources = discover(&board, &[], &mut crate::work::progress::Unwatched).unwrap().sources;
        assert_eq!(sources.len(), 3);
        assert_eq!(sources[0].kind, SourceKind::Live);
        let mut copies: Vec<_> = sources.iter().map(|source| source.copies.len()).collect();
        copies.sort_unstable();
        assert_eq!(copies, [1, 1, 2]);
        assert_eq!(sources[0].path, board);
    }
}
