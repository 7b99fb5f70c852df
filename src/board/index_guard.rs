//! Keeping the WAL index of a living process whole while another connection opens.
//!
//! SQLite's first connection cuts the index (`-shm`) to nothing and builds it anew; it takes itself for the first one when
//! nobody holds byte 128 of the file. A Hermes process whose locks are lost (tests/incidents.md F11, F13; docs/board-format.md, 9.4)
//! holds nothing and still has the index mapped: cut under it, its next look at the index ends it with SIGBUS. So a lock
//! on that byte says that there is somebody, where there is somebody or may be. It is a lock of the file's description:
//! SQLite, which asks for locks of other processes, would not see one of its own process.
//!
//! ```text
//!   another process holds the byte, also once we do     that index is in use: we join it, as SQLite would
//!   it is that of the log beside it, and leads there    right for everybody who may have it
//!   a living process has it mapped                      right for that process: a commit is under way, or the log restarts
//!   else                                                left to SQLite, which rebuilds it (F17)
//! ```
//!
//! The byte is asked about before and after it is taken. Before, because a lock of ours on an index of another moment would
//! have others take it for one in use. After, because the other process can lose its lock at any time: ours alone proves
//! nothing then, but held beside theirs it stays when theirs goes, and SQLite does not cut.
//!
//! Responsible for that lock and for when it is right; what the index says is read in `wal_index` and
//! `index_table`. One that claims frames as written back which the database file has not, or whose tables do not
//! lead to the log's frames, is left to SQLite, too, or refused where it is in use: through it those rows cannot be seen,
//! and the next checkpoint would count them as done.

use std::fs::File;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::Inspection;
use super::holders::{self, Holder, HolderRole};
use super::index_table::leads_to;
use super::wal_index::{has_what_it_claims, is_of, looks};
use crate::failure::{Failure, Outcome};

/// The byte by which connections to an index know of each other ("WAL-mode file format", section 2.3).
const PRESENCE_BYTE: i64 = 128;

/// The lock, held while this lives. It must outlive the connection: closing the file here drops every lock that SQLite has
/// on it in this process.
#[derive(Debug)]
pub struct IndexGuard(#[expect(dead_code, reason = "held for its lock")] File);

impl IndexGuard {
    /// Takes the lock where the index is in use or belongs to the log; nothing where SQLite may do as it likes. Who has
    /// locks that were not lost shares that byte.
    ///
    /// # Errors
    /// Exit 4 where the index is wrong about the database file while a process uses it: with the lock rows cannot be seen,
    /// without it that process could die.
    pub fn of(inspection: &Inspection) -> Outcome<Option<Self>> {
        let (Some(shm), Some(wal)) = (&inspection.sidecars.shm, &inspection.sidecars.wal) else {
            return Ok(None);
        };
        let (true, Ok(index), Ok(log)) = (inspection.is_wal(), File::open(&shm.path), File::open(&wal.path))
        else {
            return Ok(None);
        };
        let is_joined = is_held(&index) && set_lock(&index, libc::F_RDLCK) && is_held(&index);
        let mut fault = None;
        if !is_joined {
            set_lock(&index, libc::F_UNLCK);
            let is_right = || fits(inspection, &index, &log) == Some(true);
            // In use and yet not fitting: a commit is under way.
            let is_busy = !is_right() && user(inspection)?.is_some();
            if !is_busy && !looks().any(|()| is_right()) {
                return Ok(None);
            }
            if !is_busy && !leads(inspection, &index, &log) {
                fault = Some("the log's index does not lead to the frames of the log");
            }
        }
        if fault.is_none() && has_what_it_claims(inspection) == Some(false) {
            fault = Some("the database file is older than its log's index says");
        }
        let Some(fault) = fault else {
            return Ok((is_joined || set_lock(&index, libc::F_RDLCK)).then_some(Self(index)));
        };
        let who = match user(inspection)? {
            Some(user) => user.to_string(),
            None if is_joined => "another process".to_owned(),
            None => return Ok(None),
        };
        Err(Failure::damaged(format!(
            "{fault}, and {who} uses that index: rows of the log would not be seen. Nothing was changed."
        ))
        .hint("Save every row with `kanbanctl recover --output NEW.db`, then stop that process.")
        .at(&inspection.resolved))
    }
}

/// Whether anybody else has a lock on the byte.
fn is_held(index: &File) -> bool {
    let Some(mut lock) = lock_of(libc::F_WRLCK) else { return false };
    fcntl(index, FcntlArg::F_OFD_GETLK(&mut lock)).is_ok() && i32::from(lock.l_type) != libc::F_UNLCK
}

/// Takes, changes or gives back our lock on the byte; false where that is not possible, such as beside somebody who is
/// about to cut the index.
fn set_lock(index: &File, kind: i32) -> bool {
    lock_of(kind).is_some_and(|lock| fcntl(index, FcntlArg::F_OFD_SETLK(&lock)).is_ok())
}

fn lock_of(kind: i32) -> Option<libc::flock> {
    Some(libc::flock {
        l_type: libc::c_short::try_from(kind).ok()?,
        l_whence: libc::c_short::try_from(libc::SEEK_SET).ok()?,
        l_start: PRESENCE_BYTE,
        l_len: 1,
        l_pid: 0,
    })
}

/// Whether the index is that of the log and of this boot.
fn fits(inspection: &Inspection, index: &File, log: &File) -> Option<bool> {
    let page_size = inspection.header()?.page_size?;
    let is_of_this_boot = boot_time()? <= inspection.sidecars.shm.as_ref()?.stamp.mtime_ns;
    Some(is_of_this_boot && is_of(index, log, &inspection.resolved, page_size)?)
}

/// Whether the index leads to the frames of the log. One that grows meanwhile does at another look.
fn leads(inspection: &Inspection, index: &File, log: &File) -> bool {
    let page_size = inspection.header().and_then(|header| header.page_size);
    page_size.is_some_and(|size| looks().any(|()| leads_to(index, log, size) == Some(true)))
}

/// A process that has the index mapped: it would die with it. One that has the file open and no more only looks at it, as
/// this one does.
fn user(inspection: &Inspection) -> Outcome<Option<Holder>> {
    let holders = holders::look(&inspection.board.path, &inspection.resolved)?;
    let maps = |holder: &Holder| {
        holder.files.iter().any(|file| file.role == HolderRole::Shm && file.mapped && !file.is_apart())
    };
    Ok(holders.found.into_iter().find(maps))
}

/// When the machine started, in nanoseconds since 1970: an index that nobody has written since is of nobody who lives.
fn boot_time() -> Option<i128> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime = Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i128::try_from(now.checked_sub(uptime)?.as_nanos()).ok()
}
