//! Where rows can come from: the live set, the copies that Hermes put aside, files that the operator names.
//!
//! Found by plain reads, every descriptor closed again before anything else happens; no source ever meets SQLite.
//! Equal contents (main file and WAL) are one source. Listing and grouping read in pieces and keep nothing;
//! [`Source::load`] takes one source into memory for salvage.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::Watch;
use crate::failure::{Failure, Outcome};

/// What Hermes puts between a board's name and the mark of a copy.
const MARK: &[u8] = b".corrupt.";
const SUFFIX: &[u8] = b".bak";
/// How often a live board that changes while it is read is tried.
const TRIES: usize = 3;
const PIECE: usize = 1 << 20;

/// Where a source comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The board itself with its WAL.
    Live,
    /// A copy that Hermes put aside (`<db>.corrupt.*.bak`).
    Backup,
    /// A file that the operator named.
    Named,
}

/// One distinct content and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The main file; of equal copies the newest.
    pub path: PathBuf,
    /// Where it comes from.
    pub kind: Kind,
    /// All files with this content, `path` first.
    pub copies: Vec<PathBuf>,
    /// SHA-256 of the main file, in hex. Hermes names its copies by the first sixteen digits.
    pub digest: String,
    /// SHA-256 of the WAL, in hex, if there is one that is not empty.
    pub wal_digest: Option<String>,
    /// Length of the main file in bytes.
    pub size: u64,
    /// Length of the WAL in bytes, 0 for none.
    pub wal_size: u64,
    /// When the newest copy was written.
    pub modified: Option<SystemTime>,
}

/// The bytes of one source.
#[derive(Debug, Clone, Default)]
pub struct Bytes {
    /// The main file.
    pub main: Vec<u8>,
    /// The WAL, empty for none.
    pub wal: Vec<u8>,
}

/// The live set, the copies beside it and the files in `named`, grouped by content: live first, then what was named in
/// that order, then copies from the newest to the oldest.
///
/// # Errors
/// Exit 10 when there is nothing at all, 11 when the live board changes under every try, 130 when cancelled, otherwise the
/// reading error of a file.
pub fn discover(board: &Path, named: &[PathBuf], watch: &mut dyn Watch) -> Outcome<Vec<Source>> {
    let mut files = Vec::new();
    if exists(board)? || exists(&sidecar(board, "-wal"))? {
        files.push((Kind::Live, board.to_path_buf()));
    }
    for path in named {
        if !exists(path)? {
            return Err(Failure::no_board("The source does not exist.").at(path));
        }
        files.push((Kind::Named, path.clone()));
    }
    files.extend(backups_of(board)?.into_iter().map(|path| (Kind::Backup, path)));
    if files.is_empty() {
        return Err(Failure::no_board("There is no board file and no copy of one.").at(board));
    }
    group(files, watch)
}

/// The copies that Hermes put aside for `board`, each content once, from the newest to the oldest.
///
/// # Errors
/// The reading error of the directory or of a copy.
pub fn backups(board: &Path, watch: &mut dyn Watch) -> Outcome<Vec<Source>> {
    group(backups_of(board)?.into_iter().map(|path| (Kind::Backup, path)).collect(), watch)
}

/// The given files, each content once, in their order.
///
/// # Errors
/// The reading error of a file.
pub fn group_named(files: Vec<PathBuf>, watch: &mut dyn Watch) -> Outcome<Vec<Source>> {
    group(files.into_iter().map(|path| (Kind::Named, path)).collect(), watch)
}

fn group(files: Vec<(Kind, PathBuf)>, watch: &mut dyn Watch) -> Outcome<Vec<Source>> {
    let total = files.len() as u64;
    let mut sources: Vec<Source> = Vec::new();
    let mut known: HashMap<(String, Option<String>), usize> = HashMap::new();
    for (done, (kind, path)) in files.into_iter().enumerate() {
        watch.step(super::Stage::Sources, done as u64, total)?;
        let source = describe(kind, path)?;
        let key = (source.digest.clone(), source.wal_digest.clone());
        if let Some(equal) = known.get(&key).and_then(|&index| sources.get_mut(index)) {
            equal.copies.extend(source.copies);
        } else {
            known.insert(key, sources.len());
            sources.push(source);
        }
    }
    watch.step(super::Stage::Sources, total, total)?;
    Ok(sources)
}

/// Hashes one source in pieces.
fn describe(kind: Kind, path: PathBuf) -> Outcome<Source> {
    let wal = sidecar(&path, "-wal");
    for _ in 0..TRIES {
        let before = fingerprint(&path, &wal)?;
        let (digest, size) = hash(&path)?;
        let (wal_digest, wal_size) = hash(&wal)?;
        if before != fingerprint(&path, &wal)? {
            continue;
        }
        return Ok(Source {
            kind,
            copies: vec![path.clone()],
            digest,
            wal_digest: (wal_size > 0).then_some(wal_digest),
            size,
            wal_size,
            modified: fs::metadata(&path).and_then(|meta| meta.modified()).ok(),
            path,
        });
    }
    Err(moving(&path))
}

impl Source {
    /// Reads main file and WAL.
    ///
    /// # Errors
    /// Exit 11 when the files change under every try, otherwise the reading error.
    pub fn load(&self) -> Outcome<Bytes> {
        let wal = sidecar(&self.path, "-wal");
        for _ in 0..TRIES {
            let before = fingerprint(&self.path, &wal)?;
            let bytes = Bytes { main: slurp(&self.path)?, wal: slurp(&wal)? };
            if before == fingerprint(&self.path, &wal)? {
                return Ok(bytes);
            }
        }
        Err(moving(&self.path))
    }
}

fn moving(path: &Path) -> Failure {
    Failure::busy("The file changed every time it was read.")
        .at(path)
        .hint("Stop the processes that write to this board, then try again.")
}

/// `path` with `suffix` behind its name.
pub fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// Device, inode, length, mtime and ctime of a file, in the units of `stat`.
type Stamp = Option<(u64, u64, u64, i64, i64, i64, i64)>;

fn fingerprint(main: &Path, wal: &Path) -> Outcome<(Stamp, Stamp)> {
    Ok((stamp(main)?, stamp(wal)?))
}

fn stamp(path: &Path) -> Outcome<Stamp> {
    match fs::metadata(path) {
        Ok(m) => Ok(Some((m.dev(), m.ino(), m.size(), m.mtime(), m.mtime_nsec(), m.ctime(), m.ctime_nsec()))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(error, "looking at the file").at(path)),
    }
}

fn exists(path: &Path) -> Outcome<bool> {
    Ok(stamp(path)?.is_some())
}

fn open(path: &Path) -> Outcome<Option<File>> {
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(error, "opening the file").at(path)),
    }
}

fn slurp(path: &Path) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(mut file) = open(path)? {
        file.read_to_end(&mut bytes).map_err(|error| Failure::io(error, "reading the file").at(path))?;
    }
    Ok(bytes)
}

/// SHA-256 in hex and length in bytes; a missing file is an empty one.
fn hash(path: &Path) -> Outcome<(String, u64)> {
    let mut hasher = Sha256::new();
    let mut size = 0;
    if let Some(mut file) = open(path)? {
        let mut piece = vec![0; PIECE];
        loop {
            let len =
                file.read(&mut piece).map_err(|error| Failure::io(error, "reading the file").at(path))?;
            if len == 0 {
                break;
            }
            hasher.update(piece.get(..len).unwrap_or_default());
            size += len as u64;
        }
    }
    Ok((hex(&hasher.finalize()), size))
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The files beside `board` that are named as copies of it, from the newest to the oldest.
fn backups_of(board: &Path) -> Outcome<Vec<PathBuf>> {
    let Some(name) = board.file_name() else { return Ok(Vec::new()) };
    let dir = match board.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::io(error, "listing the directory").at(dir)),
    };
    let mut found: Vec<(Option<SystemTime>, OsString)> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Failure::io(error, "listing the directory").at(dir))?;
        let file = entry.file_name();
        if !is_backup_name(name, &file) {
            continue;
        }
        let Ok(meta) = fs::metadata(entry.path()) else { continue };
        if meta.is_file() {
            found.push((meta.modified().ok(), file));
        }
    }
    found.sort();
    Ok(found.into_iter().rev().map(|(_, file)| dir.join(file)).collect())
}

/// Whether `file` is how Hermes names a copy of `board`: `<board>.corrupt.<16 hex>.bak` or
/// `<board>.corrupt.<YYYYMMDD_HHMMSS>[.N].bak` (board-format.md 3.6).
pub fn is_backup_name(board: &OsStr, file: &OsStr) -> bool {
    let mark = file
        .as_bytes()
        .strip_prefix(board.as_bytes())
        .and_then(|rest| rest.strip_prefix(MARK))
        .and_then(|rest| rest.strip_suffix(SUFFIX));
    mark.is_some_and(|mark| is_digest(mark) || is_time(mark))
}

fn is_digest(mark: &[u8]) -> bool {
    mark.len() == 16 && mark.iter().all(u8::is_ascii_hexdigit)
}

fn is_time(mark: &[u8]) -> bool {
    let Some((time, number)) = mark.split_at_checked(15) else { return false };
    let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
    let dated = time.iter().enumerate().all(|(at, byte)| match at {
        8 => *byte == b'_',
        _ => byte.is_ascii_digit(),
    });
    let numbered = match number {
        [] => true,
        [b'.', rest @ ..] => !rest.is_empty() && digits(rest),
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
        assert!(is("kanban.db.corrupt.0123456789abcdef.bak"));
        assert!(is("kanban.db.corrupt.20260724_101112.bak"));
        assert!(is("kanban.db.corrupt.20260724_101112.3.bak"));
        assert!(!is("kanban.db.corrupt.0123456789abcdef.bak-wal"));
        assert!(!is("kanban.db.corrupt.20260724_101112..bak"));
        assert!(!is("other.db.corrupt.0123456789abcdef.bak"));
    }

    #[test]
    fn equal_copies_are_one_source_unless_their_logs_differ() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        fs::write(&board, b"live").unwrap();
        for (mark, wal) in [("0123456789abcdef", ""), ("0123456789abcde0", ""), ("0123456789abcde1", "log")] {
            let copy = sidecar(&board, &format!(".corrupt.{mark}.bak"));
            fs::write(&copy, b"copy").unwrap();
            fs::write(sidecar(&copy, "-wal"), wal).unwrap();
        }
        let sources = discover(&board, &[], &mut super::super::Unwatched).unwrap();
        assert_eq!(sources.len(), 3);
        assert_eq!(sources[0].kind, Kind::Live);
        let mut copies: Vec<_> = sources.iter().map(|source| source.copies.len()).collect();
        copies.sort_unstable();
        assert_eq!(copies, [1, 1, 2]);
        assert_eq!(sources[0].load().unwrap().main, b"live");
    }
}
