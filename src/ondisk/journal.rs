//! The rollback journal ("Database File Format", section 3): the pages of an unfinished transaction as they were before.
//!
//! ```text
//!   0  magic, records, nonce, pages of the database before, sector size, page size     (28 bytes, then up to a sector)
//!  .. record: page number, page image, checksum
//!     record ...
//!     from the next whole sector: another header, its records ...
//! ```
//!
//! A journal whose header stands is *hot*: its transaction did not end, and the file is whole only with these pages put
//! back. SQLite does that when it opens the board; recovery does it in memory.

use std::borrow::Cow;

use super::field::u32_at;
use super::store::Store;

/// What a hot journal starts with; a finished one is gone, empty or begins with zeros.
pub const MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// Length of the fields of a header in bytes.
pub const HEADER_LEN: usize = 28;
/// What a record has besides its page: the number before it, the checksum behind it.
const NUMBER_LEN: usize = 4;
const CHECKSUM_LEN: usize = 4;
/// A header that leaves the number of records to the length of the file.
const UNCOUNTED: u32 = 0xffff_ffff;
/// Records that are asked for the nonce of a header that is lost.
const MAX_SAMPLE: u64 = 64;
/// Which bytes a checksum sums, from the end of the page.
const SUMMED_STEP: usize = 200;

/// A hot journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// Bytes per page.
    pub page_size: usize,
    /// Pages of the database before the transaction.
    pub pages_before: u32,
    records: Vec<JournalRecord>,
}

/// A page as it was before the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JournalRecord {
    /// The number of the page; none where it can be none of the database.
    pub page: Option<u32>,
    /// Where in the journal the image begins.
    pub offset: u64,
    /// The image has the checksum that the record states.
    pub is_sound: bool,
    /// What its checksum begins with; none where nothing but the record itself says.
    nonce: Option<u32>,
}

impl Journal {
    /// The journal in `bytes`; `None` when it is not hot.
    pub fn read(bytes: &dyn Store) -> Option<Self> {
        let first = Segment::read(bytes, 0)?;
        let mut journal =
            Self { page_size: first.page_size, pages_before: first.pages_before, records: Vec::new() };
        let mut segment = Some(first);
        while let Some(current) = segment {
            let (end, whole) = journal.take(bytes, &current);
            let next = end.checked_next_multiple_of(current.sector_size)?;
            // A later header states the same sizes; one that does not is what an earlier transaction left there.
            segment = Segment::read(bytes, next)
                .or_else(|| journal.headless(bytes, next, &current))
                .filter(|next| whole && next.page_size == journal.page_size);
        }
        Some(journal)
    }

    /// The records, in the order of the journal. SQLite writes each page once.
    pub fn records(&self) -> &[JournalRecord] {
        &self.records
    }

    /// The pages to put back into a file of `size` bytes, each with its offset there; `bytes` is the journal. A page so far
    /// behind the end that the journal cannot hold all pages in between is nonsense and left out.
    pub fn pages<'a>(
        &'a self,
        bytes: &'a dyn Store,
        size: u64,
    ) -> impl Iterator<Item = (u64, Cow<'a, [u8]>)> + 'a {
        let most = size + bytes.size();
        self.records.iter().filter(|record| record.is_sound).filter_map(move |record| {
            let offset = u64::from(record.page? - 1) * self.page_size as u64;
            let image = self.image(bytes, record)?;
            (offset <= most).then_some((offset, image))
        })
    }

    /// The pages to put back: the number of each, and where in the journal its image begins.
    pub fn images(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let sound = self.records.iter().filter(|record| record.is_sound);
        sound.filter_map(|record| Some((record.page?, record.offset)))
    }

    /// The image of `record` in `bytes`.
    pub fn image<'a>(&self, bytes: &'a dyn Store, record: &JournalRecord) -> Option<Cow<'a, [u8]>> {
        bytes.read(record.offset, self.page_size).filter(|image| image.len() == self.page_size)
    }

    /// How far the checksum that `record` states in `bytes` is from that of `image`.
    pub fn checksum_step(&self, bytes: &dyn Store, record: &JournalRecord, image: &[u8]) -> Option<i32> {
        let stated = bytes.read(record.offset + self.page_size as u64, CHECKSUM_LEN)?;
        Some(u32_at(&stated, 0)?.wrapping_sub(checksum(record.nonce?, image)).cast_signed())
    }

    /// The records of which a part is lost: SQLite would end its playback at the first of them.
    pub fn torn(&self) -> impl Iterator<Item = &JournalRecord> + '_ {
        self.records.iter().filter(|record| !record.is_sound || record.page.is_none())
    }

    /// Bytes of the database before the transaction.
    pub fn size_before(&self) -> u64 {
        u64::from(self.pages_before) * self.page_size as u64
    }

    fn record_len(&self) -> usize {
        NUMBER_LEN + self.page_size + CHECKSUM_LEN
    }

    /// Reads the records of one segment, each for itself; where they end, and whether another segment may follow. Records
    /// that nothing counts end with the first whose checksum is wrong.
    fn take(&mut self, bytes: &dyn Store, segment: &Segment) -> (u64, bool) {
        let length = self.record_len();
        let mut at = segment.records_at;
        for _ in 0..segment.records {
            let Some(record) = bytes.read(at, length).filter(|record| record.len() == length) else {
                return (at, segment.records == UNCOUNTED);
            };
            let is_sound = segment.nonce.is_some() && implied_nonce(&record) == segment.nonce;
            if !is_sound && segment.records == UNCOUNTED {
                return (at, false);
            }
            let page = u32_at(&record, 0).filter(|page| (1..=self.pages_before).contains(page));
            // A sound page that the database did not have before is one that it is cut by.
            let is_new = (is_sound || segment.nonce.is_none())
                && u32_at(&record, 0).is_some_and(|page| page > self.pages_before);
            if !is_new {
                let offset = at + NUMBER_LEN as u64;
                self.records.push(JournalRecord { page, offset, is_sound, nonce: segment.nonce });
            }
            at += length as u64;
        }
        (at, true)
    }

    /// The segment at `at` behind `last` whose header is lost: it goes on to the next header, and its records state one nonce.
    fn headless(&self, bytes: &dyn Store, at: u64, last: &Segment) -> Option<Segment> {
        let length = self.record_len() as u64;
        let records_at = at + last.sector_size;
        // The last segment has none when nothing of it was needed.
        if last.records == 0 || records_at >= bytes.size() {
            return None;
        }
        let sectors = (records_at..bytes.size()).step_by(usize::try_from(last.sector_size).ok()?);
        let is_next =
            |at: &u64| Segment::read(bytes, *at).is_some_and(|next| next.page_size == self.page_size);
        let next = sectors.into_iter().find(is_next);
        let count = (next.unwrap_or(bytes.size()) - records_at) / length;
        let nonce = |index: u64| {
            let record = bytes.read(records_at + index * length, self.record_len())?;
            let page = u32_at(&record, 0).filter(|page| (1..=self.pages_before).contains(page));
            page.and_then(|_| implied_nonce(&record))
        };
        let mut nonces: Vec<u32> = (0..count.min(MAX_SAMPLE)).filter_map(nonce).collect();
        nonces.sort_unstable();
        let most = nonces.chunk_by(u32::eq).max_by_key(|alike| alike.len());
        // One record alone is right by any nonce.
        let nonce = most.filter(|alike| alike.len() >= 2).and_then(|alike| alike.first().copied());
        let records = u32::try_from(count).ok()?;
        (next.is_some() || nonce.is_some()).then_some(Segment { records, nonce, records_at, ..*last })
    }
}

/// The nonce with which the checksum of `record` is right.
fn implied_nonce(record: &[u8]) -> Option<u32> {
    let image = record.get(NUMBER_LEN..record.len().checked_sub(CHECKSUM_LEN)?)?;
    let stated = u32_at(record, record.len() - CHECKSUM_LEN)?;
    Some(stated.wrapping_sub(checksum(0, image)))
}

/// One header with its place.
#[derive(Clone, Copy)]
struct Segment {
    records: u32,
    nonce: Option<u32>,
    pages_before: u32,
    sector_size: u64,
    page_size: usize,
    records_at: u64,
}

impl Segment {
    fn read(bytes: &dyn Store, at: u64) -> Option<Self> {
        let header = bytes.read(at, HEADER_LEN)?;
        if !header.starts_with(&MAGIC) {
            return None;
        }
        let sector_size = u32_at(&header, 20)?;
        let page_size = u32_at(&header, 24)?;
        let power = |size: u32, least: u32| size.is_power_of_two() && (least..=65_536).contains(&size);
        if !power(page_size, 512) || !power(sector_size, 32) {
            return None;
        }
        Some(Self {
            records: u32_at(&header, 8)?,
            nonce: Some(u32_at(&header, 12)?),
            pages_before: u32_at(&header, 16)?,
            sector_size: sector_size.into(),
            page_size: page_size as usize,
            records_at: at + u64::from(sector_size),
        })
    }
}

/// A record's checksum: the nonce and every two-hundredth byte of the image, counted from its end.
pub fn checksum(nonce: u32, image: &[u8]) -> u32 {
    let byte = |at| u32::from(image.get(at).copied().unwrap_or_default());
    summed(image.len()).fold(nonce, |sum, at| sum.wrapping_add(byte(at)))
}

/// The bytes of a page of `size` bytes that a checksum sums, by their places.
pub fn summed(size: usize) -> impl Iterator<Item = usize> {
    let before = |at: &usize| at.checked_sub(SUMMED_STEP).filter(|at| *at > 0);
    std::iter::successors(before(&size), before)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A board in the middle of a transaction that outgrew its cache, as a crash would leave it.
    fn torn() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let (path, log) = (dir.path().join("a.db"), dir.path().join("a.db-journal"));
        let connection = Connection::open(&path).unwrap();
        connection
            .execute_batch(
                "PRAGMA page_size=1024; PRAGMA cache_size=5; CREATE TABLE t(a, b);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                 INSERT INTO t SELECT i, hex(zeroblob(300)) FROM n;",
            )
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        connection
            .execute_batch("BEGIN; UPDATE t SET b = hex(zeroblob(400)); DELETE FROM t WHERE a < 100;")
            .unwrap();
        (before, std::fs::read(&path).unwrap(), std::fs::read(&log).unwrap())
    }

    #[test]
    fn a_hot_journal_gives_back_the_bytes_before() {
        let (before, mut main, log) = torn();
        assert_ne!(main, before, "the scene needs a cache that overflowed");
        let journal = Journal::read(&log).unwrap();
        for (offset, image) in journal.pages(&log, main.len() as u64) {
            let at = usize::try_from(offset).unwrap();
            main.resize(main.len().max(at + image.len()), 0);
            main[at..at + image.len()].copy_from_slice(&image);
        }
        main.truncate(usize::try_from(journal.size_before()).unwrap());
        assert_eq!(main, before);
    }

    #[test]
    fn bad_record_costs_itself() {
        let (_, _, mut log) = torn();
        let good = Journal::read(&log).unwrap();
        let at = usize::try_from(good.records()[3].offset).unwrap();
        log[at + 224] ^= 1;
        let read = Journal::read(&log).unwrap();
        assert_eq!(read.records().len(), good.records().len());
        let bad: Vec<_> = read.records().iter().filter(|record| !record.is_sound).collect();
        assert_eq!((bad.len(), bad[0].page), (1, good.records()[3].page));
    }

    #[test]
    fn records_behind_a_lost_header_are_found() {
        let (_, _, mut log) = torn();
        let good = Journal::read(&log).unwrap();
        let headers = (512..log.len()).step_by(512).filter(|at| log[*at..].starts_with(&MAGIC));
        let headers: Vec<usize> = headers.collect();
        assert!(headers.len() > 4, "the scene needs a journal of many segments");
        for at in headers.into_iter().rev().skip(1).step_by(2) {
            log[at..at + 512].fill(0);
        }
        let places = |journal: &Journal| -> Vec<_> {
            journal.records().iter().map(|record| (record.page, record.offset)).collect()
        };
        assert_eq!(places(&Journal::read(&log).unwrap()), places(&good));
    }

    #[test]
    fn a_finished_journal_is_none_and_a_torn_one_ends_where_it_is_torn() {
        let (_, _, mut log) = torn();
        let whole = Journal::read(&log).unwrap().records().len();
        log.truncate(log.len() / 2);
        assert!(Journal::read(&log).unwrap().records().len() < whole);
        log[..8].fill(0);
        assert_eq!(Journal::read(&log), None);
        assert_eq!(Journal::read(&Vec::new()), None);
    }
}
