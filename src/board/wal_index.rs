//! What the header of the WAL index (`-shm`) says, compared with the log and the database file.
//!
//! Answers two questions before SQLite opens the board: does the index belong to this log, and does the database file have
//! what the index claims to be checkpointed. Not here: which process uses it ([`super::index_guard`]).

use std::collections::HashSet;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::Inspection;
use super::index_table::{FRAME_HEADER_LEN, LOG_HEADER_LEN, frame_at, named_backwards};
use crate::ondisk::wal::index::{BACKFILL, HEADER_LEN, IS_INIT, LAST_FRAME, LAST_SUM, PAGES, SALTS, number};

/// How often an index that does not fit is looked at before it counts as another log's, and the pauses between.
const LOOKS: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_micros(700);
/// What the log's header holds, and a frame's.
const LOG_SALTS: Range<usize> = 16..24;
const FRAME_PAGE: Range<usize> = 0..4;
const FRAME_SALTS: Range<usize> = 8..16;
const FRAME_SUM: Range<usize> = 16..24;

/// The times to look at an index that may be in use, with the pauses between them.
pub(super) fn looks() -> impl Iterator<Item = ()> {
    (0..LOOKS).map(|look| sleep(if look == 0 { Duration::ZERO } else { BETWEEN_LOOKS }))
}

/// Whether the index speaks of this log and of all of it: same generation, its last frame is the one that it names, and
/// nothing of that generation comes after. Frames beyond are a commit under way, or one that an older index does not
/// know: read through that, it would be lost. Of an empty log it says that the board's pages are those of the file.
pub(super) fn is_of(index: &File, log: &File, database: &Path, page_size: usize) -> Option<bool> {
    let mut headers = [0; 2 * HEADER_LEN];
    index.read_exact_at(&mut headers, 0).ok()?;
    let (first, second) = headers.split_at(HEADER_LEN);
    if first != second || first.get(IS_INIT) == Some(&0) {
        return Some(false);
    }
    let count = number(first, LAST_FRAME)?;
    if log.metadata().ok()?.len() == 0 {
        let len = database.metadata().ok()?.len();
        let pages = u64::from(number(first, PAGES)?);
        let is_whole = pages == 0 || pages.checked_mul(u64::try_from(page_size).ok()?) == Some(len);
        return Some(count == 0 && is_whole);
    }
    let mut log_header = [0; LOG_HEADER_LEN];
    log.read_exact_at(&mut log_header, 0).ok()?;
    let salts = first.get(SALTS)?;
    // Salts stand in the index as they stand in the log.
    if salts != log_header.get(LOG_SALTS)? {
        return Some(false);
    }
    let frame = |number: u32| -> Option<[u8; FRAME_HEADER_LEN]> {
        let mut header = [0; FRAME_HEADER_LEN];
        log.read_exact_at(&mut header, frame_at(number, page_size)?).ok().map(|()| header)
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

/// Whether the database file has every page that the index of the board claims to be written back; true where it claims
/// none. Read before SQLite opens the board.
pub(super) fn has_what_it_claims(inspection: &Inspection) -> Option<bool> {
    let (shm, wal) = (inspection.sidecars.shm.as_ref()?, inspection.sidecars.wal.as_ref()?);
    let (index, log) = (File::open(&shm.path).ok()?, File::open(&wal.path).ok()?);
    let page_size = inspection.header()?.page_size?;
    let answer = looks().find_map(|()| is_written_back(&index, &log, &inspection.resolved, page_size));
    // An index that never stands still is in use, and right for those who use it.
    Some(answer.unwrap_or(true))
}

/// Whether each page's last image among the frames that count as written back is the page of the database file, unless a
/// later frame has the page or the board has shrunk below it; nothing where the index moved on meanwhile. Which page a
/// frame has is read in the index, a block at a time: a log can have thousands of frames for a few pages.
fn is_written_back(index: &File, log: &File, database: &Path, page_size: usize) -> Option<bool> {
    let head = || -> Option<[u8; BACKFILL.end]> {
        let mut head = [0; BACKFILL.end];
        index.read_exact_at(&mut head, 0).ok().map(|()| head)
    };
    let before = head()?;
    let (last, pages, done) =
        (number(&before, LAST_FRAME)?, number(&before, PAGES)?, number(&before, BACKFILL)?);
    if done == 0 {
        return Some(true);
    }
    let file = File::open(database).ok()?;
    let mut frame = vec![0; FRAME_HEADER_LEN + page_size];
    let mut stored = vec![0; page_size];
    let mut newer = HashSet::new();
    for (number, page) in named_backwards(index, last) {
        let Some(page) = page else { return (head()? == before).then_some(false) };
        if page > pages || !newer.insert(page) || number >= done {
            continue;
        }
        log.read_exact_at(&mut frame, frame_at(number, page_size)?).ok()?;
        let (header, logged) = frame.split_at(FRAME_HEADER_LEN);
        let offset = u64::from(page.checked_sub(1)?) * u64::try_from(page_size).ok()?;
        let is_there = file.read_exact_at(&mut stored, offset).is_ok() && logged == stored;
        if !is_there || header.get(FRAME_PAGE)? != page.to_be_bytes() {
            return (head()? == before).then_some(false);
        }
    }
    // The log can have begun anew under this look.
    (head()?.get(SALTS) == before.get(SALTS)).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::config::DbConfig;
    use tempfile::TempDir;

    /// A WAL board that writes nothing back by itself, in a folder of its own.
    fn board() -> (TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("x.db")).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection
            .execute_batch(
                "PRAGMA synchronous=OFF; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;
                 CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 1)",
            )
            .unwrap();
        (folder, connection)
    }

    fn checkpoint(connection: &Connection, mode: &str) {
        connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).unwrap();
    }

    /// Files are read by their bytes while the connection lives: its locks do not matter here.
    fn open(folder: &TempDir, name: &str) -> File {
        File::open(folder.path().join(name)).unwrap()
    }

    fn fits(folder: &TempDir, index: &str) -> Option<bool> {
        is_of(&open(folder, index), &open(folder, "x.db-wal"), &folder.path().join("x.db"), 4096)
    }

    fn has(folder: &TempDir, database: &str) -> Option<bool> {
        let database = folder.path().join(database);
        is_written_back(&open(folder, "x.db-shm"), &open(folder, "x.db-wal"), &database, 4096)
    }

    fn copy(folder: &TempDir, name: &str, to: &str) {
        std::fs::copy(folder.path().join(name), folder.path().join(to)).unwrap();
    }

    #[test]
    fn an_index_fits_its_log_until_the_log_goes_on_without_it() {
        let (folder, connection) = board();
        assert_eq!(fits(&folder, "x.db-shm"), Some(true));
        copy(&folder, "x.db-shm", "older");
        connection.execute_batch("INSERT INTO t VALUES (2, 2)").unwrap();
        assert_eq!((fits(&folder, "x.db-shm"), fits(&folder, "older")), (Some(true), Some(false)));
        std::fs::write(folder.path().join("empty"), vec![0; 32_768]).unwrap();
        assert_eq!(fits(&folder, "empty"), Some(false));
    }

    #[test]
    fn an_index_fits_an_empty_log_when_it_has_the_pages_of_the_file() {
        let (folder, connection) = board();
        checkpoint(&connection, "TRUNCATE");
        assert_eq!(open(&folder, "x.db-wal").metadata().unwrap().len(), 0);
        assert_eq!(fits(&folder, "x.db-shm"), Some(true));
        copy(&folder, "x.db-shm", "older");
        connection.execute_batch("CREATE TABLE u(a)").unwrap();
        checkpoint(&connection, "TRUNCATE");
        assert_eq!((fits(&folder, "x.db-shm"), fits(&folder, "older")), (Some(true), Some(false)));
        connection.execute_batch("INSERT INTO t VALUES (2, 2)").unwrap();
        copy(&folder, "x.db-shm", "later");
        checkpoint(&connection, "TRUNCATE");
        assert_eq!(fits(&folder, "later"), Some(false));
    }

    #[test]
    fn an_index_that_claims_more_than_the_file_has_is_not_believed() {
        let (folder, connection) = board();
        copy(&folder, "x.db", "older");
        checkpoint(&connection, "PASSIVE");
        assert_eq!((has(&folder, "x.db"), has(&folder, "older")), (Some(true), Some(false)));
    }

    /// More frames than one block of the index has, and some after those that are written back.
    #[test]
    fn long_logs_are_judged_by_the_last_image_of_each_page() {
        let (folder, connection) = board();
        for row in 0..500 {
            connection.execute("INSERT INTO t VALUES (?1, printf('%300d', 0))", [row]).unwrap();
        }
        let reader = Connection::open(folder.path().join("x.db")).unwrap();
        for turn in 0..9000 {
            connection.execute("UPDATE t SET b = printf('%300d', ?1) WHERE a = ?1 % 500", [turn]).unwrap();
        }
        reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
        copy(&folder, "x.db", "older");
        checkpoint(&connection, "PASSIVE");
        connection.execute_batch("UPDATE t SET b = 0 WHERE a = 7").unwrap();
        let index = std::fs::read(folder.path().join("x.db-shm")).unwrap();
        let (last, done) = (number(&index, LAST_FRAME).unwrap(), number(&index, BACKFILL).unwrap());
        assert!(done > 2 * 4096 && last > done, "{done} of {last}");
        assert_eq!((has(&folder, "x.db"), has(&folder, "older")), (Some(true), Some(false)));
        let log = std::fs::read(folder.path().join("x.db-wal")).unwrap();
        for (frame, page) in named_backwards(&open(&folder, "x.db-shm"), last) {
            let at = usize::try_from(frame_at(frame, 4096).unwrap()).unwrap();
            assert_eq!(page.unwrap().to_be_bytes(), log[at..at + 4], "frame {frame}");
        }
    }

    /// What was cut off the file is not missing from it.
    #[test]
    fn pages_that_a_board_has_given_back_are_not_asked_for() {
        let (folder, connection) = board();
        for row in 0..50 {
            connection.execute("INSERT INTO t VALUES (?1, zeroblob(3000))", [row]).unwrap();
        }
        connection.execute_batch("DELETE FROM t WHERE a > 5; VACUUM").unwrap();
        checkpoint(&connection, "PASSIVE");
        assert_eq!(has(&folder, "x.db"), Some(true));
    }
}
