//! Names of the copies of a board: those that Hermes puts aside and our own backups. Counts how many lie beside it.
//!
//! A name that does not match is no copy and is not touched. Not here: what copies hold ([`crate::salvage::source`]).

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::files::with_suffix;

/// What Hermes puts between a board's name and the mark of a copy.
const QUARANTINE: &[u8] = b".corrupt.";
const QUARANTINE_END: &[u8] = b".bak";
/// Between a board's file name and the moment of a backup of ours.
const OURS: &str = ".backup.";
const OURS_END: &[u8] = b".db";

/// The files that may belong to a copy besides its main file.
pub const SIDECARS: [&str; 2] = ["-wal", "-shm"];

/// How many copies lie beside a board and what they take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copies {
    /// Number of main files.
    pub count: usize,
    /// Their bytes together, sidecars not counted.
    pub bytes: u64,
}

/// What a directory entry is to a board's copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyPart {
    /// A copy's main file.
    Main,
    /// A copy's write-ahead log.
    Wal,
    /// A copy's WAL index; it holds no row.
    Shm,
}

/// The `<db>.corrupt.*.bak` files beside the database, counted.
pub fn count(database: &Path) -> Copies {
    let (Some(dir), Some(name)) = (database.parent(), database.file_name()) else {
        return Copies::default();
    };
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Copies::default();
    };
    let mut found = Copies::default();
    for entry in entries.flatten() {
        if is_backup_name(name, &entry.file_name()) {
            found.count += 1;
            found.bytes += entry.metadata().map_or(0, |meta| meta.len());
        }
    }
    found
}

/// Whether `file` is how Hermes names a copy of `board`: `<board>.corrupt.<16 hex>.bak` or
/// `<board>.corrupt.<YYYYMMDD_HHMMSS>[.N].bak` (docs/board-format.md, 3.6).
pub fn is_backup_name(board: &OsStr, file: &OsStr) -> bool {
    let mark = file
        .as_bytes()
        .strip_prefix(board.as_bytes())
        .and_then(|rest| rest.strip_prefix(QUARANTINE))
        .and_then(|rest| rest.strip_suffix(QUARANTINE_END));
    mark.is_some_and(|mark| is_short_digest(mark) || is_numbered_time(mark))
}

/// The name of the copy's main file that `file` belongs to, and what it is there, if `is_main` knows the main name.
pub(crate) fn part(file: &OsStr, is_main: impl Fn(&OsStr) -> bool) -> Option<(OsString, CopyPart)> {
    if is_main(file) {
        return Some((file.to_os_string(), CopyPart::Main));
    }
    [("-wal", CopyPart::Wal), ("-shm", CopyPart::Shm)].into_iter().find_map(|(suffix, part)| {
        let main = OsStr::from_bytes(file.as_bytes().strip_suffix(suffix.as_bytes())?);
        is_main(main).then(|| (main.to_os_string(), part))
    })
}

/// The number that Hermes gave a copy of the same second as another, 0 for the first.
pub(crate) fn collision(file: &OsStr) -> u64 {
    let stem = file.as_bytes().strip_suffix(QUARANTINE_END).unwrap_or_default();
    let number = stem.rsplit(|&byte| byte == b'.').next().and_then(|last| std::str::from_utf8(last).ok());
    // A digest in this place would be a number of sixteen digits, which no counter reaches.
    number.filter(|last| last.len() < 16).and_then(|last| last.parse().ok()).unwrap_or(0)
}

/// Where a board's own backups go when no place is named.
pub fn own_directory(board: &Path) -> PathBuf {
    with_suffix(board, ".backups")
}

/// What the names of our backups of the board at `resolved` begin with. Every board's file may be called `kanban.db`, so
/// a hash of its path keeps those of several boards apart in one folder.
pub fn own_prefix(resolved: &Path) -> OsString {
    let mut prefix = resolved.file_name().unwrap_or_default().to_os_string();
    let hash = Sha256::digest(resolved.as_os_str().as_bytes());
    let hash = hash.iter().take(4).fold(0_u32, |number, &byte| number << 8 | u32::from(byte));
    prefix.push(format!(".{hash:08x}{OURS}"));
    prefix
}

/// Return the backups of ours of this board in `directory`, oldest first: the name carries the moment.
pub fn own(directory: &Path, resolved: &Path) -> Vec<PathBuf> {
    let prefix = own_prefix(resolved);
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut found: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file()))
        .filter(|entry| is_own_name(&prefix, &entry.file_name()))
        .map(|entry| entry.path())
        .collect();
    found.sort();
    found
}

/// Return when the newest backup of ours beside the board was last found to be its content, Unix seconds.
pub fn newest_own(resolved: &Path) -> Option<i64> {
    let found = own(&own_directory(resolved), resolved);
    found.iter().filter_map(|path| Some(path.symlink_metadata().ok()?.mtime())).max()
}

/// Whether `file` is a backup of ours: `prefix`, then `20261124T093000Z.0123456789abcdef.db` and nothing else.
pub fn is_own_name(prefix: &OsStr, file: &OsStr) -> bool {
    let rest = file.as_bytes().strip_prefix(prefix.as_bytes());
    let Some(rest) = rest.and_then(|rest| rest.strip_suffix(OURS_END)) else { return false };
    let Some((moment, digest)) = rest.split_at_checked(16) else { return false };
    let dated = moment.iter().enumerate().all(|(at, byte)| match at {
        8 => *byte == b'T',
        15 => *byte == b'Z',
        _ => byte.is_ascii_digit(),
    });
    dated && digest.strip_prefix(b".").is_some_and(is_short_digest)
}

/// The first sixteen digits of a SHA-256, as Hermes and we write them.
fn is_short_digest(mark: &[u8]) -> bool {
    mark.len() == 16 && mark.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_numbered_time(mark: &[u8]) -> bool {
    let Some((time, number)) = mark.split_at_checked(15) else { return false };
    let dated = time.iter().enumerate().all(|(at, byte)| match at {
        8 => *byte == b'_',
        _ => byte.is_ascii_digit(),
    });
    let numbered = match number {
        [] => true,
        [b'.', first, rest @ ..] => matches!(first, b'1'..=b'9') && rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    dated && numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_copies() {
        let is = |file: &str| is_backup_name(OsStr::new("kanban.db"), OsStr::new(file));
        for good in [
            "kanban.db.corrupt.0123456789abcdef.bak",
            "kanban.db.corrupt.20260724_101112.bak",
            "kanban.db.corrupt.20260724_101112.3.bak",
            "kanban.db.corrupt.20260724_101112.88500.bak",
        ] {
            assert!(is(good), "{good}");
        }
        for bad in [
            "kanban.db.corrupt.0123456789abcdef.bak-wal",
            "kanban.db.corrupt.0123456789ABCDEF.bak",
            "kanban.db.corrupt.0123456789abcde.bak",
            "kanban.db.corrupt.20260724_101112..bak",
            "kanban.db.corrupt.20260724_101112.0.bak",
            "kanban.db.corrupt.20260724_101112.03.bak",
            "kanban.db.corrupt.20260724_101112.1.2.bak",
            "kanban.db.corrupt.20260724-101112.bak",
            "other.db.corrupt.0123456789abcdef.bak",
            "kanban.db.corrupt..bak",
            "kanban.db.corrupt.bak",
            "kanban.db",
            "",
        ] {
            assert!(!is(bad), "{bad}");
        }
    }

    #[test]
    fn copies_of_one_second_are_numbered() {
        let number = |mark: &str| collision(OsStr::new(&format!("kanban.db.corrupt.{mark}.bak")));
        assert_eq!(number("20260724_101112"), 0);
        assert_eq!(number("20260724_101112.7861"), 7861);
        assert_eq!(number("0123456789012345"), 0);
    }

    #[test]
    fn companions_belong_to_a_copy() {
        let board = OsStr::new("kanban.db");
        let of =
            |file: &str| part(OsStr::new(file), |name| is_backup_name(board, name)).map(|(_, part)| part);
        assert_eq!(of("kanban.db.corrupt.0123456789abcdef.bak"), Some(CopyPart::Main));
        assert_eq!(of("kanban.db.corrupt.0123456789abcdef.bak-wal"), Some(CopyPart::Wal));
        assert_eq!(of("kanban.db.corrupt.20260724_101112.bak-shm"), Some(CopyPart::Shm));
        assert_eq!(of("kanban.db-wal"), None);
        assert_eq!(of("kanban.db.corrupt.0123456789abcdef.bak-wal-wal"), None);
    }

    #[test]
    fn our_names_are_told_by_board() {
        let (one, other) = (own_prefix(Path::new("/a/kanban.db")), own_prefix(Path::new("/b/kanban.db")));
        assert_ne!(one, other);
        let name = |rest: &str| {
            let mut name = one.clone();
            name.push(rest);
            name
        };
        assert!(is_own_name(&one, &name("20261124T093000Z.0123456789abcdef.db")));
        assert!(!is_own_name(&other, &name("20261124T093000Z.0123456789abcdef.db")));
        for bad in ["20261124T093000Z.0123456789abcdef.db-wal", "20261124T093000Z.db", "x", ""] {
            assert!(!is_own_name(&one, &name(bad)), "{bad}");
        }
    }
}
