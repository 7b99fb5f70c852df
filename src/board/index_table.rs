//! The hash tables of a WAL index: which page each frame of the log has.
//!
//! The header of the index can be right while its tables are not, because no process syncs the file. Wrong tables make older
//! pages look current, and a write on top of them is damage. This module finds, reads and compares the tables, one block at a
//! time. Not here: when to compare and what follows ([`super::index_guard`]).

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use crate::ondisk::wal::index::{HEAD, LAST_FRAME, number};

/// The index comes in blocks, each with page numbers and the hash table that finds them ("WAL-mode file format", section
/// 2.2); the first one begins with the header.
const BLOCK: usize = 32_768;
const HASH_AT: usize = 16_384;
const SLOTS: usize = 8_192;
/// What a page number is multiplied with for its slot.
const FACTOR: usize = 383;
/// The length of the log's header, and of a frame's before its page.
pub(super) const LOG_HEADER_LEN: usize = 32;
pub(super) const FRAME_HEADER_LEN: usize = 24;
/// Frames of the log that are read at once.
const PIECE: usize = 64;

/// Whether for every frame that counts the index names the page that the log says, and its hash table finds it; nothing
/// where one of the files is too short for that.
pub(super) fn leads_to(index: &File, log: &File, page_size: usize) -> Option<bool> {
    let mut head = [0; HEAD];
    index.read_exact_at(&mut head, 0).ok()?;
    let last = number(&head, LAST_FRAME)?;
    let mut pages = Pages { log, page_size, piece: Vec::new() };
    for block in (0..).map(Block).take_while(|block| block.frames().start < last) {
        let bytes = block.read(index)?;
        for frame in block.frames().start..block.frames().end.min(last) {
            let page = pages.of(frame, last)?;
            if block.named(&bytes, frame)? != page || !is_found(&bytes, page, block.entry(frame)?)? {
                return Some(false);
            }
        }
    }
    Some(true)
}

/// The frames below `end` with their pages as the index names them, the last one first; no page where it cannot be read.
pub(super) fn named_backwards(index: &File, end: u32) -> impl Iterator<Item = (u32, Option<u32>)> {
    let mut loaded: Option<(Block, Option<Vec<u8>>)> = None;
    (0..end).rev().map(move |frame| {
        let block = Block::of(frame);
        if loaded.as_ref().is_none_or(|(known, _)| *known != block) {
            loaded = Some((block, block.read(index)));
        }
        let bytes = loaded.as_ref().and_then(|(_, bytes)| bytes.as_deref());
        (frame, bytes.and_then(|bytes| block.named(bytes, frame)))
    })
}

/// A block by its number. Its page numbers end where its hash table begins.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Block(u32);

impl Block {
    const FRAMES: u32 = 4096;
    const FRAMES_OF_FIRST: u32 = 4062;

    fn of(frame: u32) -> Self {
        Self(frame.checked_sub(Self::FRAMES_OF_FIRST).map_or(0, |beyond| beyond / Self::FRAMES + 1))
    }

    /// The frames that it names.
    fn frames(self) -> Range<u32> {
        let end = Self::FRAMES_OF_FIRST.saturating_add(self.0.saturating_mul(Self::FRAMES));
        self.0.checked_sub(1).map_or(0, |_| end - Self::FRAMES)..end
    }

    fn read(self, index: &File) -> Option<Vec<u8>> {
        let mut bytes = vec![0; BLOCK];
        index.read_exact_at(&mut bytes, u64::from(self.0) * u64::try_from(BLOCK).ok()?).ok()?;
        Some(bytes)
    }

    /// The page of one of its frames.
    fn named(self, bytes: &[u8], frame: u32) -> Option<u32> {
        let names_at = if self.0 == 0 { HEAD } else { 0 };
        let at = names_at + (self.entry(frame)? - 1) * 4;
        number(bytes, at..at + 4)
    }

    /// What its hash table calls one of its frames.
    fn entry(self, frame: u32) -> Option<usize> {
        usize::try_from(frame.checked_sub(self.frames().start)? + 1).ok()
    }
}

/// The pages of a log's frames, asked for in their order.
struct Pages<'a> {
    log: &'a File,
    page_size: usize,
    piece: Vec<u8>,
}

impl Pages<'_> {
    /// The page whose image a frame below `end` is.
    fn of(&mut self, frame: u32, end: u32) -> Option<u32> {
        let len = FRAME_HEADER_LEN + self.page_size;
        let place = usize::try_from(frame).ok()? % PIECE;
        if place == 0 {
            let frames = usize::try_from(end - frame).ok()?.min(PIECE);
            // Of the last one no more than its header is needed.
            self.piece.resize((frames - 1) * len + FRAME_HEADER_LEN, 0);
            self.log.read_exact_at(&mut self.piece, frame_at(frame, self.page_size)?).ok()?;
        }
        let page = self.piece.get(place * len..place * len + 4)?;
        Some(u32::from_be_bytes(page.try_into().ok()?))
    }
}

/// Where a frame (counted from 0) begins in the log.
pub(super) fn frame_at(frame: u32, page_size: usize) -> Option<u64> {
    let len = u64::try_from(FRAME_HEADER_LEN + page_size).ok()?;
    u64::from(frame).checked_mul(len)?.checked_add(u64::try_from(LOG_HEADER_LEN).ok()?)
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
