//! Keeping the WAL index of a living process whole while another connection opens.
//!
//! SQLite's first connection cuts the index (`-shm`) to nothing and builds it anew; it takes itself for the first one when
//! nobody holds byte 128 of the file. A Hermes process whose locks are lost (incidents.md F11, F13; board-format.md 9.4)
//! holds nothing and still has the index mapped: cut under it, its next look at the index ends it with SIGBUS. So where
//! the index is that of the log beside it, a lock on that byte says that there is somebody. It is a lock of the file's
//! description: SQLite, which asks for locks of other processes, would not see one of its own process.
//!
//! Responsible for that lock and for when it is right. An index of another moment is left to SQLite to make anew (F17), and
//! so is one that claims frames as written back which the database file has not, or whose tables do not lead to the log's
//! frames: through it those rows cannot be seen, and the next checkpoint would count them as done.

use std::collections::HashMap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use super::Inspection;
use super::holders::{self, Role};
use super::index_table::leads_to;
use crate::failure::{Failure, Outcome};

/// The byte by which connections to an index know of each other ("WAL-mode file format", section 2.3).
const PRESENCE_BYTE: i64 = 128;
/// How often an index that does not fit is looked at before it counts as another log's, and the pauses between.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_micros(700);
/// The two copies of the index's header, and what each holds: the log's last frame, its checksum, the log's salts.
const HEADER_LEN: usize = 48;
pub(super) const LAST_FRAME: std::ops::Range<usize> = 16..20;
pub(super) const LAST_SUM: std::ops::Range<usize> = 24..32;
const SALTS: std::ops::Range<usize> = 32..40;
/// How many frames are written back ("WAL-mode file format", section 2.1: nBackfill).
pub(super) const BACKFILL: std::ops::Range<usize> = 96..100;
/// The log's header with its salts, and a frame's header with its own and its checksum.
pub(super) const LOG_HEADER_LEN: usize = 32;
const LOG_SALTS: std::ops::Range<usize> = 16..24;
pub(super) const FRAME_HEADER_LEN: usize = 24;
const FRAME_SALTS: std::ops::Range<usize> = 8..16;
const FRAME_SUM: std::ops::Range<usize> = 16..24;

/// The lock, held while this lives. It must outlive the connection: closing the file here drops every lock that SQLite has
/// on it in this process.
#[derive(Debug)]
pub struct IndexGuard(#[expect(dead_code, reason = "held for its lock")] File);

impl IndexGuard {
    /// Takes the lock where the index belongs to the log; nothing where SQLite may do as it likes. Who has locks that were
    /// not lost shares that byte.
    ///
    /// # Errors
    /// Exit 4 where the index is wrong about the database file while a process uses it: with the lock rows cannot be seen,
    /// without it that process could die.
    pub fn of(inspection: &Inspection) -> Outcome<Option<Self>> {
        let Some(index) = Self::fitting(inspection) else { return Ok(None) };
        let leads = leads_to_its_log(&index, inspection);
        if leads && has_what_it_claims(inspection) == Some(true) {
            return Ok(Self::lock(index));
        }
        let holders = holders::look(&inspection.board.path, &inspection.resolved)?;
        let mut users =
            holders.found.iter().filter(|holder| holder.files.iter().any(|file| file.role == Role::Shm));
        match users.next() {
            None => Ok(None),
            Some(user) => Err(Failure::damaged(format!(
                "{}, and {user} uses that index: rows of the log would not be seen. Nothing was changed.",
                if leads {
                    "the database file is older than its log's index says"
                } else {
                    "the log's index does not lead to the frames of the log"
                }
            ))
            .hint("Save every row with `kanbanctl recover --output NEW.db`, then stop that process.")
            .at(&inspection.resolved)),
        }
    }

    /// The index, where it is that of the log and of this boot.
    fn fitting(inspection: &Inspection) -> Option<File> {
        let (shm, wal) = (inspection.sidecars.shm.as_ref()?, inspection.sidecars.wal.as_ref()?);
        if !inspection.is_wal() {
            return None;
        }
        let (index, log) = (File::open(&shm.path).ok()?, File::open(&wal.path).ok()?);
        let page_size = inspection.header()?.page_size?;
        // A commit under way is between log and index for a moment.
        let fits = looks().any(|()| is_of(&index, &log, page_size) == Some(true))
            && boot_time()? <= shm.stamp.mtime_ns;
        fits.then_some(index)
    }

    fn lock(index: File) -> Option<Self> {
        let byte = libc::flock {
            l_type: libc::c_short::try_from(libc::F_RDLCK).ok()?,
            l_whence: libc::c_short::try_from(libc::SEEK_SET).ok()?,
            l_start: PRESENCE_BYTE,
            l_len: 1,
            l_pid: 0,
        };
        fcntl(&index, FcntlArg::F_OFD_SETLK(&byte)).ok()?;
        Some(Self(index))
    }
}

/// Whether the index speaks of this log and of all of it: same generation, its last frame is the one that it names, and
/// nothing of that generation comes after. Frames beyond are a commit under way, or one that an older index does not
/// know: read through that, it would be lost.
fn is_of(index: &File, log: &File, page_size: usize) -> Option<bool> {
    let mut headers = [0; 2 * HEADER_LEN];
    index.read_exact_at(&mut headers, 0).ok()?;
    let (first, second) = headers.split_at(HEADER_LEN);
    let mut log_header = [0; LOG_HEADER_LEN];
    log.read_exact_at(&mut log_header, 0).ok()?;
    let salts = first.get(SALTS)?;
    if first != second || salts != log_header.get(LOG_SALTS)? {
        return Some(false);
    }
    // The index is in the host's byte order: it never leaves the machine. Salts stand in it as they stand in the log.
    let count = u64::from(u32::from_ne_bytes(first.get(LAST_FRAME)?.try_into().ok()?));
    let frame = |number: u64| -> Option<[u8; FRAME_HEADER_LEN]> {
        let len = u64::try_from(FRAME_HEADER_LEN + page_size).ok()?;
        let at = u64::try_from(LOG_HEADER_LEN).ok()? + number.checked_mul(len)?;
        let mut header = [0; FRAME_HEADER_LEN];
        log.read_exact_at(&mut header, at).ok().map(|()| header)
    };
    let goes_on = frame(count).is_some_and(|next| next.get(FRAME_SALTS) == Some(salts));
    let last = match count.checked_sub(1) {
        Some(number) => frame(number)?,
        None => return Some(!goes_on),
    };
    let mut sum = last.get(FRAME_SUM)?.to_vec();
    // Checksums are big-endian in the log.
    if cfg!(target_endian = "little") {
        sum.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    }
    Some(!goes_on && first.get(LAST_SUM)? == sum && last.get(FRAME_SALTS)? == salts)
}

/// Whether the index leads to the frames of the board's log. One that grows meanwhile does at another look.
fn leads_to_its_log(index: &File, inspection: &Inspection) -> bool {
    let log = inspection.sidecars.wal.as_ref().and_then(|wal| File::open(&wal.path).ok());
    let page_size = inspection.header().and_then(|header| header.page_size);
    log.zip(page_size).is_some_and(|(log, size)| looks().any(|()| leads_to(index, &log, size) == Some(true)))
}

/// Whether the database file has every page that the index of the board claims to be written back; true where it claims
/// none. Read before SQLite opens the board.
pub fn has_what_it_claims(inspection: &Inspection) -> Option<bool> {
    let (shm, wal) = (inspection.sidecars.shm.as_ref()?, inspection.sidecars.wal.as_ref()?);
    let (index, log) = (File::open(&shm.path).ok()?, File::open(&wal.path).ok()?);
    let page_size = inspection.header()?.page_size?;
    let answer = looks().find_map(|()| is_written_back(&index, &log, &inspection.resolved, page_size));
    // An index that never stands still is in use, and right for those who use it.
    Some(answer.unwrap_or(true))
}

/// The times to look at an index that may be in use, with the pauses between them.
fn looks() -> impl Iterator<Item = ()> {
    (0..LOOKS).map(|look| sleep(if look == 0 { Duration::ZERO } else { BETWEEN_LOOKS }))
}

/// Whether each page's last image among the frames that count as written back is the page of the database file, unless a
/// later frame has the page; nothing where the index moved on meanwhile.
fn is_written_back(index: &File, log: &File, database: &Path, page_size: usize) -> Option<bool> {
    let mut head = [0; BACKFILL.end];
    index.read_exact_at(&mut head, 0).ok()?;
    let number = |range: std::ops::Range<usize>| Some(u32::from_ne_bytes(head.get(range)?.try_into().ok()?));
    let (last, done) = (number(LAST_FRAME)?, number(BACKFILL)?);
    if done == 0 {
        return Some(true);
    }
    let len = u64::try_from(FRAME_HEADER_LEN + page_size).ok()?;
    let at = |frame: u32| u64::try_from(LOG_HEADER_LEN).ok().map(|start| start + u64::from(frame) * len);
    let mut frames = HashMap::new();
    for frame in 0..last {
        let mut page = [0; 4];
        log.read_exact_at(&mut page, at(frame)?).ok()?;
        frames.insert(u32::from_be_bytes(page), frame);
    }
    let file = File::open(database).ok()?;
    let (mut logged, mut stored) = (vec![0; page_size], vec![0; page_size]);
    for (page, frame) in frames.into_iter().filter(|&(_, frame)| frame < done) {
        log.read_exact_at(&mut logged, at(frame)? + u64::try_from(FRAME_HEADER_LEN).ok()?).ok()?;
        let offset = u64::from(page.checked_sub(1)?) * u64::try_from(page_size).ok()?;
        if file.read_exact_at(&mut stored, offset).is_err() || logged != stored {
            let mut now = [0; BACKFILL.end];
            index.read_exact_at(&mut now, 0).ok()?;
            return (now == head).then_some(false);
        }
    }
    Some(true)
}

/// When the machine started, in nanoseconds since 1970: an index that nobody has written since is of nobody who lives.
fn boot_time() -> Option<i128> {
    let uptime = std::fs::read_to_string("/proc/uptime").ok()?;
    let uptime = Duration::try_from_secs_f64(uptime.split_whitespace().next()?.parse().ok()?).ok()?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    i128::try_from(now.checked_sub(uptime)?.as_nanos()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::config::DbConfig;

    #[test]
    fn an_index_fits_its_log_until_the_log_goes_on_without_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection
            .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1)")
            .unwrap();
        // Read by their bytes while the connection lives: its locks do not matter here.
        let fits = |index: &str| {
            let open = |name: &str| File::open(folder.path().join(name)).unwrap();
            is_of(&open(index), &open("x.db-wal"), 4096)
        };
        assert_eq!(fits("x.db-shm"), Some(true));
        std::fs::copy(folder.path().join("x.db-shm"), folder.path().join("older")).unwrap();
        connection.execute_batch("INSERT INTO t VALUES (2)").unwrap();
        assert_eq!((fits("x.db-shm"), fits("older")), (Some(true), Some(false)));
        std::fs::write(folder.path().join("empty"), vec![0; 32_768]).unwrap();
        assert_eq!(fits("empty"), Some(false));
    }

    #[test]
    fn an_index_that_claims_more_than_the_file_has_is_not_believed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch("PRAGMA wal_autocheckpoint=0; PRAGMA journal_mode=WAL; CREATE TABLE t(a); INSERT INTO t VALUES (1)")
            .unwrap();
        std::fs::copy(&path, folder.path().join("older")).unwrap();
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
        let open = |name: &str| File::open(folder.path().join(name)).unwrap();
        let has = |name: &str| {
            is_written_back(&open("x.db-shm"), &open("x.db-wal"), &folder.path().join(name), 4096)
        };
        assert_eq!((has("x.db"), has("older")), (Some(true), Some(false)));
    }
}
