//! Whether the tables of a WAL index lead to the frames of its log.
//!
//! The index's header can be right while its tables are not: nobody syncs the file, and a copy of it can be cut. Read
//! through such tables, older pages pass for the board's, and what is written on top of them is damage.
//!
//! Responsible for comparing bytes; when to compare, and what follows, is [`super::index_guard`]'s.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::index_guard::{FRAME_HEADER_LEN, LAST_FRAME, LOG_HEADER_LEN};

/// The index comes in blocks, each with page numbers and the hash table that finds them ("WAL-mode file format", section
/// 2.2); the first one begins with the header.
const BLOCK: usize = 32_768;
const HASH_AT: usize = 16_384;
const SLOTS: usize = 8_192;
const HEAD: usize = 136;
/// What a page number is multiplied with for its slot.
const FACTOR: usize = 383;

/// Whether for every frame that counts the index names the page that the log says, and its hash table finds it; nothing
/// where one of the files is too short for that.
pub(super) fn leads_to(index: &File, log: &File, page_size: usize) -> Option<bool> {
    let mut last = [0; 4];
    index.read_exact_at(&mut last, u64::try_from(LAST_FRAME.start).ok()?).ok()?;
    let last = usize::try_from(u32::from_ne_bytes(last)).ok()?;
    let mut block = vec![0; BLOCK];
    let (mut first, mut number) = (0, 0);
    while first < last {
        let names_at = if number == 0 { HEAD } else { 0 };
        let held = ((HASH_AT - names_at) / 4).min(last - first);
        index.read_exact_at(&mut block, u64::try_from(number * BLOCK).ok()?).ok()?;
        for place in 0..held {
            let page = page_of(log, first + place, page_size)?;
            let at = names_at + place * 4;
            let named = u32::from_ne_bytes(block.get(at..at + 4)?.try_into().ok()?);
            if named != page || !is_found(&block, page, place + 1)? {
                return Some(false);
            }
        }
        (first, number) = (first + held, number + 1);
    }
    Some(true)
}

/// The page whose image frame `number` (from 0) of the log is.
fn page_of(log: &File, number: usize, page_size: usize) -> Option<u32> {
    let at = number.checked_mul(FRAME_HEADER_LEN + page_size)?.checked_add(LOG_HEADER_LEN)?;
    let mut page = [0; 4];
    log.read_exact_at(&mut page, u64::try_from(at).ok()?).ok()?;
    Some(u32::from_be_bytes(page))
}

/// Whether the slots that begin at that of `page` have `entry` before an empty one.
fn is_found(block: &[u8], page: u32, entry: usize) -> Option<bool> {
    let start = usize::try_from(page).ok()?.wrapping_mul(FACTOR);
    for step in 0..SLOTS {
        let at = HASH_AT + (start.wrapping_add(step) % SLOTS) * 2;
        let slot = usize::from(u16::from_ne_bytes(block.get(at..at + 2)?.try_into().ok()?));
        if slot == 0 || slot == entry {
            return Some(slot == entry);
        }
    }
    Some(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;
    use rusqlite::config::DbConfig;

    #[test]
    fn every_frame_of_several_blocks_is_found_until_a_byte_of_its_tables_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.db");
        let connection = Connection::open(&path).unwrap();
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
        connection
            .execute_batch(
                "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9000)
                 INSERT INTO t SELECT zeroblob(400) FROM n",
            )
            .unwrap();
        let whole = std::fs::read(folder.path().join("x.db-shm")).unwrap();
        assert!(whole.len() > 2 * BLOCK, "one block is not several");
        let leads = |index: &[u8]| {
            std::fs::write(folder.path().join("index"), index).unwrap();
            let open = |name: &str| File::open(folder.path().join(name)).unwrap();
            leads_to(&open("index"), &open("x.db-wal"), 512)
        };
        assert_eq!(leads(&whole), Some(true));
        assert_eq!(leads(&whole[..whole.len() - BLOCK]), None);
        for at in [HEAD, HEAD + 401, BLOCK, 2 * BLOCK + 7] {
            let mut other = whole.clone();
            other[at] ^= 0x20;
            assert_eq!(leads(&other), Some(false), "byte {at}");
        }
        let mut hashes = whole;
        hashes[BLOCK + HASH_AT..2 * BLOCK].fill(0);
        assert_eq!(leads(&hashes), Some(false));
    }
}
