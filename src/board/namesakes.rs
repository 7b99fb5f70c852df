//! Copies of a board under names that neither quarantine nor backup gives: sync conflicts, files that somebody put aside,
//! snapshots and archives of Hermes.
//!
//! Names alone decide; nothing is opened. Not here: the copies that Hermes quarantines and our backups ([`super::copies`]).

use std::ffi::OsStr;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

/// What made a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesakeKind {
    /// A synchronisation service that met two versions.
    Conflict,
    /// A person or a script, before something else was done.
    PutAside,
    /// A file that a synchronisation service has not fetched.
    Placeholder,
    /// Hermes, before an update or by `/snapshot`.
    Snapshot,
    /// Hermes, when a board of this name was archived.
    Archived,
}

impl NamesakeKind {
    /// The kind in a few words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Conflict => "a conflict copy of a synchronisation service",
            Self::PutAside => "a copy that was put aside",
            Self::Placeholder => "a file that a synchronisation service has not fetched",
            Self::Snapshot => "a snapshot of Hermes",
            Self::Archived => "an archived board of this name",
        }
    }
}

impl NamesakeKind {
    /// True if `recover` reads such a copy unasked. The others are older on purpose, or another board's life.
    pub fn is_source(self) -> bool {
        matches!(self, Self::Conflict | Self::PutAside)
    }
}

/// A copy under another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namesake {
    /// What made it.
    pub kind: NamesakeKind,
    /// The file.
    pub path: PathBuf,
}

/// Hermes' folder of snapshots, in its root.
const SNAPSHOTS: &str = "state-snapshots";
/// Hermes' folder of archived boards, among the boards.
const ARCHIVE: &str = "_archived";
/// How far above a board's file its root can be: `kanban/boards/SLUG/kanban.db`.
const LEVELS: usize = 4;

/// Find the copies of `database`, in the order of their kinds and names. Directories that cannot be listed hold none.
pub fn find(database: &Path) -> Vec<Namesake> {
    let (Some(dir), Some(name)) = (database.parent(), database.file_name()) else { return Vec::new() };
    let mut found: Vec<Namesake> = entries(dir)
        .filter(|entry| entry.metadata().is_ok_and(|meta| meta.is_file() && meta.len() > 0))
        .filter_map(|entry| Some(Namesake { kind: kind(name, &entry.file_name())?, path: entry.path() }))
        .collect();
    for root in database.ancestors().skip(1).take(LEVELS) {
        let Ok(inside) = database.strip_prefix(root) else { continue };
        let copies = entries(&root.join(SNAPSHOTS)).map(|snapshot| snapshot.path().join(inside));
        found.extend(
            copies.filter(|path| has_bytes(path)).map(|path| Namesake { kind: NamesakeKind::Snapshot, path }),
        );
    }
    if let (Some(slug), Some(boards)) = (dir.file_name().and_then(OsStr::to_str), dir.parent()) {
        let begins = format!("{slug}-");
        let of_slug = |entry: &DirEntry| {
            let rest = entry.file_name();
            rest.to_str().and_then(|name| name.strip_prefix(&begins)).is_some_and(is_moment)
        };
        let archived = entries(&boards.join(ARCHIVE)).filter(of_slug).map(|entry| entry.path().join(name));
        found.extend(
            archived
                .filter(|path| has_bytes(path))
                .map(|path| Namesake { kind: NamesakeKind::Archived, path }),
        );
    }
    found.sort_by(|a, b| (a.kind as u8, &a.path).cmp(&(b.kind as u8, &b.path)));
    found
}

/// The main file whose log was put aside at `path`: `kanban.db-wal.MARK` lies beside `kanban.db.MARK`.
pub fn log_of(database: &Path, path: &Path) -> Option<PathBuf> {
    let (board, file) = (database.file_name()?.to_str()?, path.file_name()?.to_str()?);
    let mark = file.strip_prefix(board)?.strip_prefix("-wal")?;
    (!mark.is_empty()).then(|| path.with_file_name(format!("{board}{mark}")))
}

fn entries(dir: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    std::fs::read_dir(dir).into_iter().flatten().flatten()
}

fn has_bytes(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() > 0)
}

/// True if `text` is Unix seconds, with a counter perhaps.
fn is_moment(text: &str) -> bool {
    text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
}

/// What `file` is to a board called `board` in the same directory.
fn kind(board: &OsStr, file: &OsStr) -> Option<NamesakeKind> {
    let (board, file) = (board.to_str()?, file.to_str()?);
    let (stem, extension) = board.rsplit_once('.').unwrap_or((board, ""));
    if file == format!(".{board}.icloud") {
        return Some(NamesakeKind::Placeholder);
    }
    let is_conflict = file.strip_prefix(stem).is_some_and(|rest| {
        let rest = rest.strip_suffix(extension).unwrap_or(rest).to_lowercase();
        let begins = [".sync-conflict-", "_conflict-", " (", "-conflict-"];
        begins.iter().any(|begin| rest.starts_with(begin)) && rest.contains("conflict")
    });
    if is_conflict {
        return Some(NamesakeKind::Conflict);
    }
    let rest = ["-wal", ""].iter().find_map(|part| file.strip_prefix(board)?.strip_prefix(part))?;
    if rest.starts_with(".corrupt.") {
        return None;
    }
    let words = ["bak", "backup", "old", "orig", "save", "saved", "copy", "broken", "prev"];
    let put_aside = rest == "~"
        || rest.strip_prefix('.').is_some_and(|rest| {
            rest.starts_with("pre-") || rest.split(['.', '-', '_']).any(|word| words.contains(&word))
        });
    // Our own backups and the folders beside them are known by their names.
    let is_ours = rest.contains(".backup.") || rest.ends_with(".backups") || rest.contains(".evidence.");
    (put_aside && !is_ours).then_some(NamesakeKind::PutAside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies_are_known_and_others_are_not() {
        let of = |file: &str| kind(OsStr::new("kanban.db"), OsStr::new(file));
        for conflict in [
            "kanban.sync-conflict-20261130-101112-ABCDEFG.db",
            "kanban (desktop's conflicted copy 2026-11-30).db",
            "kanban (Case Conflict 1).db",
            "kanban_conflict-20261130-101112.db",
        ] {
            assert_eq!(of(conflict), Some(NamesakeKind::Conflict), "{conflict}");
        }
        for aside in [
            "kanban.db.pre-recover.20260524T101112.bak",
            "kanban.db-wal.pre-recover.20260524T101112.bak",
            "kanban.db.bak",
            "kanban.db.20261130.bak",
            "kanban.db.old",
            "kanban.db~",
        ] {
            assert_eq!(of(aside), Some(NamesakeKind::PutAside), "{aside}");
        }
        assert_eq!(of(".kanban.db.icloud"), Some(NamesakeKind::Placeholder));
        for none in [
            "kanban.db",
            "kanban.db-wal",
            "kanban.db-shm",
            "kanban.db.init.lock",
            "kanban.db.corrupt.0123456789abcdef.bak",
            "kanban.db.corrupt.0123456789abcdef.bak-wal",
            "kanban.db.0123abcd.backup.20261124T093000Z.0123456789abcdef.db",
            "kanban.db.evidence.20261124T093000Z",
            "kanban.db.backups",
            "kanban (draft).db",
            "state.db",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }

    #[test]
    fn snapshots_and_archives_of_hermes_are_found_from_the_board() {
        let root = tempfile::tempdir().unwrap();
        let board = root.path().join("kanban/boards/team/kanban.db");
        let snapshot = root.path().join("state-snapshots/20261130-101112/kanban/boards/team/kanban.db");
        let archived = root.path().join("kanban/boards/_archived/team-1790000000/kanban.db");
        let other = root.path().join("kanban/boards/_archived/team-two-1790000000/kanban.db");
        for path in [&board, &snapshot, &archived, &other] {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        let found: Vec<_> = find(&board).into_iter().map(|found| (found.kind, found.path)).collect();
        assert_eq!(found, [(NamesakeKind::Snapshot, snapshot), (NamesakeKind::Archived, archived)]);
    }
}
