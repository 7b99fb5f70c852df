//! What Litestream keeps beside a board that it replicates: its generation, and its copy of the log.
//!
//! ```text
//!   .kanban.db-litestream/generation                          the generation that it is in
//!   .kanban.db-litestream/generations/ID/wal/INDEX.wal        its copies of the log; the last one grows with the board's
//! ```
//!
//! Not here: reading rows of those logs ([`crate::salvage`]).

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::files::{directory, with_suffix};
use super::trust;

/// Bytes of a log's header, which tell one log from the next.
const HEADER: usize = 32;

/// How far Litestream has followed a board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replication {
    /// The name of its generation: sixteen hexadecimal digits.
    pub generation: String,
    /// Bytes of the board's log that are not in its copy.
    pub behind: u64,
}

/// The folder in which Litestream keeps what it knows of the board at `database`.
pub fn folder(database: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(database.file_name().unwrap_or_default());
    name.push("-litestream");
    directory(database).join(name)
}

/// Return how far Litestream has followed the board at `database`; none where it never did, or where the folder is a
/// stranger's. Only while this process has no handle on the board.
pub fn replication(database: &Path) -> Option<Replication> {
    let folder = folder(database);
    let owner = trust::owner_of(database);
    if trust::objection(&folder, owner).is_some() {
        return None;
    }
    let generation = std::fs::read_to_string(folder.join("generation")).ok()?.trim().to_owned();
    if generation.len() != 16 || !generation.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let logs = std::fs::read_dir(folder.join("generations").join(&generation).join("wal"));
    let mut logs: Vec<PathBuf> = logs.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    logs.sort();
    let copied = logs.last().map_or((0, None), |path| first(path));
    let (len, header) = first(&with_suffix(database, "-wal"));
    let is_same_log = header.is_some() && header == copied.1;
    let behind = if is_same_log { len.saturating_sub(copied.0) } else { len };
    Some(Replication { generation, behind })
}

/// Length and header of a log; no header where it is shorter.
fn first(path: &Path) -> (u64, Option<[u8; HEADER]>) {
    let Ok(file) = File::open(path) else { return (0, None) };
    let len = file.metadata().map_or(0, |meta| meta.len());
    let mut header = [0; HEADER];
    (len, file.read_exact_at(&mut header, 0).ok().map(|()| header))
}

/// True if the process with this command line is Litestream.
pub fn is_litestream(command: &str) -> bool {
    let program = command.split_whitespace().next().unwrap_or_default();
    Path::new(program).file_name().is_some_and(|name| name == "litestream")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_what_the_copy_of_the_log_lacks() {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        std::fs::write(&board, b"x").unwrap();
        assert_eq!(replication(&board), None);
        let logs = folder(&board).join("generations/0123456789abcdef/wal");
        std::fs::create_dir_all(&logs).unwrap();
        std::fs::write(folder(&board).join("generation"), "0123456789abcdef\n").unwrap();
        let behind = |copied: &[u8], own: &[u8]| {
            std::fs::write(logs.join("00000003.wal"), copied).unwrap();
            std::fs::write(with_suffix(&board, "-wal"), own).unwrap();
            replication(&board).unwrap().behind
        };
        assert_eq!(behind(&[7; 100], &[7; 100]), 0);
        assert_eq!(behind(&[7; 100], &[7; 140]), 40);
        assert_eq!(behind(&[7; 100], &[8; 140]), 140, "another log");
        assert_eq!(behind(&[7; 100], &[]), 0);
    }

    #[test]
    fn litestream_is_known_by_its_program() {
        assert!(is_litestream("/usr/bin/litestream replicate -config x.yml"));
        assert!(!is_litestream("vim litestream.yml") && !is_litestream(""));
    }
}
