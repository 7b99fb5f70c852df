//! Logs and database files of the board that were deleted and that a process still has open (F13).
//!
//! A process that lost its locks goes on writing to an unlinked log. Its commits are visible to no other process and vanish
//! when it ends. This module finds such processes and counts the commits at stake. It reads through `/proc/PID/fd`, which can
//! lead to the board's own file, so it runs before SQLite opens the board. Not here: reading the rows ([`crate::salvage`]).

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::Inspection;
use super::holders::{self, HeldFile, Holder, HolderRole, Holders};
use crate::failure::Outcome;
use crate::ondisk::wal::Wal;
use crate::ondisk::wal::index::{BACKFILL, SALTS, number};

/// One generation of the board's files in one process's hands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The process.
    pub pid: u32,
    /// Its command line: untrusted text.
    pub command: String,
    /// Where `/proc` leads to its log, when it has one.
    pub wal: Option<PathBuf>,
    /// Where `/proc` leads to its database file, when that has lost its name: otherwise the log belongs to the board's own.
    pub database: Option<PathBuf>,
    /// The name of the log where it has one that is none of the board's.
    pub other_name: Option<PathBuf>,
    indexes: Vec<PathBuf>,
}

/// What is lost when the process ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stake {
    /// Commits that are in no database file with a name.
    pub commits: u64,
    /// Length of the log in bytes.
    pub bytes: u64,
}

/// The generations in the hands of `holders`, by process id.
pub fn all(holders: &Holders) -> Vec<Generation> {
    holders.of_apart().flat_map(of_holder).collect()
}

/// What process `pid` holds of the board, by the names of its files alone: the operator has said that it is this board's,
/// and its paths can mean something else than ours (a container).
///
/// # Errors
/// Exit 13 when there is no such process, 12 when its files may not be looked at.
pub fn of_process(pid: u32, inspection: &Inspection) -> Outcome<Vec<Generation>> {
    let holder = holders::of_process(pid, &inspection.board.path, &inspection.resolved)?;
    Ok(holder.iter().flat_map(of_holder).collect())
}

fn of_holder(holder: &Holder) -> Vec<Generation> {
    let Some(pid) = holder.pid else { return Vec::new() };
    let of = |role: HolderRole| holder.files.iter().filter(move |file| file.role == role);
    let place = |file: &HeldFile| file.place.clone();
    let has_board = of(HolderRole::Db).any(|file| !file.is_apart());
    let lost = of(HolderRole::Db).find(|file| file.is_apart()).and_then(place);
    let generation = |log: Option<&HeldFile>, database: Option<PathBuf>| Generation {
        pid,
        command: holder.command.clone(),
        wal: log.and_then(place),
        database,
        other_name: log.and_then(|log| log.other_name.clone()),
        indexes: of(HolderRole::Shm).filter_map(place).collect(),
    };
    // A process with both files open could have either log for either; the board's own then has the better claim.
    let base = lost.clone().filter(|_| !has_board);
    let mut found: Vec<_> = of(HolderRole::Wal)
        .filter(|log| log.is_apart())
        .map(|log| generation(Some(log), base.clone()))
        .collect();
    if let Some(lost) = lost
        && found.iter().all(|generation| generation.database.is_none())
    {
        // The name was given to another file; the log beside it may still be the old one's.
        let log = of(HolderRole::Wal).next().filter(|_| found.is_empty());
        found.push(generation(log, Some(lost)));
    }
    found
}

impl Generation {
    /// What is lost when the process ends; `board` is the board's database file.
    ///
    /// # Errors
    /// When the log cannot be read: it is another user's, or the process has ended meanwhile.
    pub fn stake(&self, board: &Path) -> std::io::Result<Stake> {
        let Some(wal) = &self.wal else { return Ok(Stake::default()) };
        let bytes = read(wal)?;
        let indexes: Vec<_> = self.indexes.iter().filter_map(|index| read(index).ok()).collect();
        let database = File::open(self.database.as_deref().unwrap_or(board)).ok();
        let commits = at_stake(&bytes, &indexes, |number, page| {
            let at = u64::from(number).saturating_sub(1).saturating_mul(page.len() as u64);
            database.as_ref().is_some_and(|file| file.read_exact_at(page, at).is_ok())
        });
        Ok(Stake { commits, bytes: bytes.len() as u64 })
    }
}

/// How many commits in `log` the database does not have. `page` reads a page of it.
///
/// A commit is there when it was written back, which the index remembers, or when each of its pages has in the database
/// the image that it wrote or one that the log wrote later.
fn at_stake(log: &[u8], indexes: &[Vec<u8>], mut page: impl FnMut(u32, &mut [u8]) -> bool) -> u64 {
    let Some(wal) = Wal::read(&log, None) else { return 0 };
    let written_back = indexes.iter().filter_map(|index| backfilled(index, wal.salts)).max().unwrap_or(0);
    let frames: Vec<_> = wal.committed().collect();
    let mut image = vec![0; wal.page_size];
    let mut present: HashMap<u32, usize> = HashMap::new();
    for (at, frame) in frames.iter().enumerate() {
        if page(frame.page, &mut image) && frame.image(log, wal.page_size) == Some(image.as_slice()) {
            present.insert(frame.page, at);
        }
    }
    let mut commits = 0;
    let mut lacks = false;
    for (at, frame) in frames.iter().enumerate() {
        lacks |= at >= written_back && present.get(&frame.page).is_none_or(|&newest| newest < at);
        if frame.commit != 0 {
            commits += u64::from(std::mem::take(&mut lacks));
        }
    }
    commits
}

/// Frames written back, where `index` speaks of the log with `salts`.
fn backfilled(index: &[u8], salts: [u32; 2]) -> Option<usize> {
    let same = index.get(SALTS)? == salts.map(u32::to_be_bytes).concat();
    let frames = number(index, BACKFILL)?;
    same.then(|| usize::try_from(frames).unwrap_or(usize::MAX))
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with three commits of a real database, its index, and the database file before and after them.
    fn scene() -> (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let beside = |suffix: &str| std::fs::read(crate::board::files::with_suffix(&path, suffix)).unwrap();
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA journal_mode=WAL; CREATE TABLE t(x); CREATE TABLE u(x);
                 PRAGMA wal_checkpoint(TRUNCATE);",
            )
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        connection
            .execute_batch("INSERT INTO t VALUES(1); INSERT INTO u VALUES(1); INSERT INTO t VALUES(2);")
            .unwrap();
        let (log, index) = (beside("-wal"), beside("-shm"));
        connection.execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
        (log, index, before, std::fs::read(&path).unwrap())
    }

    fn count(log: &[u8], indexes: &[Vec<u8>], database: &[u8]) -> u64 {
        at_stake(log, indexes, |number, page| {
            let at = (number as usize - 1) * page.len();
            let Some(bytes) = database.get(at..at + page.len()) else { return false };
            page.copy_from_slice(bytes);
            true
        })
    }

    #[test]
    fn commits_that_no_file_has_are_counted() {
        let (log, index, before, after) = scene();
        assert_eq!(count(&log, &[], &before), 3);
        assert_eq!(count(&log, &[], &after), 0);
        assert_eq!(count(&log, &[index], &before), 3);
        assert_eq!(count(&[], &[], &before), 0);
        assert_eq!(count(&log, &[], &[]), 3);
    }

    #[test]
    fn what_was_written_back_and_then_changed_by_others_is_not_at_stake() {
        let (log, mut index, _, mut after) = scene();
        // The main line has gone on: the page of table t is another by now.
        let last = after.len() - 1;
        after[4096..8192].fill(7);
        after[last] ^= 1;
        assert_eq!(count(&log, &[], &after), 3);
        index[BACKFILL].copy_from_slice(&2_u32.to_ne_bytes());
        assert_eq!(count(&log, &[index.clone()], &after), 1);
        index[SALTS.start] ^= 1;
        assert_eq!(count(&log, &[index], &after), 3, "an index of another log says nothing");
    }
}
