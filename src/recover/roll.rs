//! A roll: the rows of one table in order, in memory while all rolls of one recovery are little, beyond that in a file
//! without a name.
//!
//! Rows are pushed in any order and count once the roll is settled, which sorts them and keeps one of each rowid. What does
//! not fit memory is written out as sorted runs and merged, so that a roll reads the same wherever it lies. The file is
//! this process's own, and gone with it however it ends.
//!
//! Reading a row cannot fail in its own words: a disk that fails is noted in the [`Room`], the roll ends there, and whoever
//! asks [`Room::require_whole`] before using what came of it gets the failure.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::row::Row;
use super::store::nameless;
use crate::failure::{Failure, Outcome};

/// Bytes of rows that are held in memory.
pub(crate) const MEMORY: usize = 128 << 20;
/// A roll smaller than this share of the memory stays in it.
const SHARE: usize = 16;
/// Rows between two looks at how much there is.
const STRIDE: usize = 64;
/// Rows that are read or written at once.
const BLOCK: usize = 2048;
/// Bytes of a row.
const ROW: usize = size_of::<Row>();

/// The memory that rolls share, and where they go when it is full.
#[derive(Debug)]
pub(crate) struct Room {
    dir: PathBuf,
    /// Bytes.
    limit: usize,
    taken: AtomicUsize,
    fault: Mutex<Option<std::io::Error>>,
}

impl Room {
    /// Room for `limit` bytes in memory; the rest goes to the directory `dir`.
    pub(crate) fn new(dir: &Path, limit: usize) -> Arc<Self> {
        let (dir, taken, fault) = (dir.to_path_buf(), AtomicUsize::new(0), Mutex::new(None));
        Arc::new(Self { dir, limit, taken, fault })
    }

    /// Counts `now` bytes where `before` were counted.
    pub(crate) fn recount(&self, before: &mut usize, now: usize) {
        if now >= *before {
            self.taken.fetch_add(now - *before, Ordering::Relaxed);
        } else {
            self.taken.fetch_sub(*before - now, Ordering::Relaxed);
        }
        *before = now;
    }

    /// Whether no more should be held in memory.
    pub(crate) fn is_full(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.limit
    }

    fn note(&self, error: std::io::Error) {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }

    /// Fails if a roll is not what was put into it.
    ///
    /// # Errors
    /// Exit 12 when there was no room on the disk, otherwise what the disk said.
    pub(crate) fn require_whole(&self) -> Outcome<()> {
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            None => Ok(()),
            Some(error) => Err(setting_aside(error, &self.dir)),
        }
    }
}

/// What is said when rows cannot be set aside in `dir`.
pub(crate) fn setting_aside(error: std::io::Error, dir: &Path) -> Failure {
    Failure::making(error, "setting rows aside")
        .at(dir)
        .hint("Name a folder with room in TMPDIR, or a destination on a filesystem that has it.")
}

/// Of two rows with one rowid the one with the lower place comes first and counts.
type Place = (i64, bool, bool, u32, u16, bool, u64);

/// Which of several rows with one rowid counts: one that is not suspect; where `log_first`, one in the log.
#[derive(Debug, Clone, Copy)]
struct Order {
    log_first: bool,
}

impl Order {
    fn of(self, row: &Row) -> Place {
        let site = row.site();
        let behind = self.log_first && !site.in_log;
        (row.rowid, behind, row.is_suspect(), row.page, row.cell, site.in_log, site.offset)
    }
}

/// Rows in order.
#[derive(Debug)]
pub(crate) struct Roll {
    room: Arc<Room>,
    order: Order,
    /// The settled rows, by rising rowid, each rowid once.
    settled: Settled,
    /// Rows that were pushed since.
    pushed: Vec<Row>,
    /// The same, as far as they did not fit memory.
    runs: Vec<Away>,
    /// Bytes that the room has counted.
    counted: usize,
}

#[derive(Debug)]
enum Settled {
    Here(Vec<Row>),
    Away(Away),
}

impl Drop for Roll {
    fn drop(&mut self) {
        self.room.recount(&mut self.counted, 0);
    }
}

impl Roll {
    /// No rows.
    pub(crate) fn new(room: &Arc<Room>) -> Self {
        Self::of(room, Vec::new())
    }

    /// No rows; of several with one rowid one in the log counts if the `log_counts`.
    pub(crate) fn ordered(room: &Arc<Room>, log_counts: bool) -> Self {
        let mut roll = Self::new(room);
        roll.order.log_first = log_counts;
        roll
    }

    /// The given rows, which are in order, each rowid once.
    pub(crate) fn of(room: &Arc<Room>, rows: Vec<Row>) -> Self {
        let mut roll = Self {
            room: Arc::clone(room),
            order: Order { log_first: false },
            settled: Settled::Here(rows),
            pushed: Vec::new(),
            runs: Vec::new(),
            counted: 0,
        };
        roll.weigh();
        roll
    }

    /// Adds `row`, which counts once the roll is settled.
    pub(crate) fn push(&mut self, row: Row) {
        self.pushed.push(row);
        if self.pushed.len().is_multiple_of(STRIDE) {
            self.weigh();
        }
    }

    /// Bytes in memory.
    pub(crate) fn memory(&self) -> usize {
        let settled = match &self.settled {
            Settled::Here(rows) => size_of_val(&**rows),
            Settled::Away(_) => 0,
        };
        settled + size_of_val(&*self.pushed)
    }

    /// Counts what is in memory, and writes it out where all together is too much.
    fn weigh(&mut self) {
        let bytes = self.memory();
        self.room.recount(&mut self.counted, bytes);
        if !self.room.is_full() || bytes < self.room.limit / SHARE {
            return;
        }
        if let Settled::Here(rows) = &self.settled
            && !rows.is_empty()
            && let Some(away) = self.write(rows.iter().copied())
        {
            self.settled = Settled::Away(away);
        }
        self.put_away_pushed();
        self.room.recount(&mut self.counted, 0);
    }

    fn put_away_pushed(&mut self) {
        let mut pushed = std::mem::take(&mut self.pushed);
        if pushed.is_empty() {
            return;
        }
        pushed.sort_unstable_by_key(|row| self.order.of(row));
        let run = self.write(pushed.into_iter());
        self.runs.extend(run);
    }

    /// `rows` in a file of their own; `None` where that is not to be had, which is noted.
    fn write(&self, rows: impl Iterator<Item = Row>) -> Option<Away> {
        let written = (|| {
            let mut pen = Pen::new(&self.room.dir)?;
            rows.into_iter().try_for_each(|row| pen.write(&row))?;
            pen.finish()
        })();
        written.map_err(|error| self.room.note(error)).ok()
    }

    /// Puts the rows in order and keeps one of each rowid; returns how many went.
    pub(crate) fn settle(&mut self) -> u64 {
        if self.pushed.is_empty() && self.runs.is_empty() {
            return 0;
        }
        if let Settled::Here(rows) = &mut self.settled
            && self.runs.is_empty()
        {
            let order = self.order;
            if rows.is_empty() {
                *rows = std::mem::take(&mut self.pushed);
                rows.sort_unstable_by_key(|row| order.of(row));
            } else {
                rows.append(&mut self.pushed);
                // Most of it is in order.
                rows.sort_by_key(|row| order.of(row));
            }
            let before = rows.len();
            rows.dedup_by_key(|row| row.rowid);
            rows.shrink_to_fit();
            let gone = before - rows.len();
            self.pushed = Vec::new();
            self.weigh();
            return gone as u64;
        }
        self.put_away_pushed();
        let mut runs = std::mem::take(&mut self.runs);
        match std::mem::replace(&mut self.settled, Settled::Here(Vec::new())) {
            Settled::Here(rows) => runs.extend(self.write(rows.into_iter())),
            Settled::Away(away) => runs.push(away),
        }
        let before: usize = runs.iter().map(|run| run.len).sum();
        let merged = Merging::new(&runs, &self.room, self.order);
        if let Some(away) = self.write(merged) {
            self.settled = Settled::Away(away);
        }
        self.room.recount(&mut self.counted, 0);
        (before - self.len()) as u64
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        match &self.settled {
            Settled::Here(rows) => rows.len(),
            Settled::Away(away) => away.len,
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at `at`.
    pub(crate) fn get(&self, at: usize) -> Option<Row> {
        match &self.settled {
            Settled::Here(rows) => rows.get(at).copied(),
            Settled::Away(away) => away.block(at / BLOCK, &self.room, |rows| rows.get(at % BLOCK).copied()),
        }
    }

    /// The row with the highest rowid.
    pub(crate) fn last(&self) -> Option<Row> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Where the row with `rowid` is, or where it would be.
    pub(crate) fn find(&self, rowid: i64) -> Result<usize, usize> {
        let away = match &self.settled {
            Settled::Here(rows) => return rows.binary_search_by_key(&rowid, |row| row.rowid),
            Settled::Away(away) => away,
        };
        let Some(block) = away.firsts.partition_point(|first| *first <= rowid).checked_sub(1) else {
            return Err(0);
        };
        let found =
            away.block(block, &self.room, |rows| Some(rows.binary_search_by_key(&rowid, |row| row.rowid)));
        let place = |at: usize| block * BLOCK + at;
        found.unwrap_or(Err(0)).map(place).map_err(place)
    }

    /// Whether there is a row with `rowid`.
    pub(crate) fn has(&self, rowid: i64) -> bool {
        self.find(rowid).is_ok()
    }

    /// How many rows have a rowid up to and with `rowid`.
    pub(crate) fn up_to(&self, rowid: i64) -> usize {
        self.find(rowid).map_or_else(|at| at, |at| at + 1)
    }

    /// The rows from `first` on, at most `count`.
    pub(crate) fn range(&self, first: usize, count: usize) -> Cow<'_, [Row]> {
        let end = first.saturating_add(count).min(self.len());
        match &self.settled {
            Settled::Here(rows) => Cow::Borrowed(rows.get(first..end).unwrap_or_default()),
            Settled::Away(away) => Cow::Owned(away.read(first..end, &self.room)),
        }
    }

    /// All rows, by rising rowid.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        let blocks = match &self.settled {
            Settled::Here(_) => usize::MAX,
            Settled::Away(_) => BLOCK,
        };
        Iter { roll: self, block: self.range(0, blocks), start: 0, next: 0 }
    }

    /// All rows, by falling rowid: for a look at the last few.
    pub(crate) fn iter_back(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.len()).rev().map_while(|at| self.get(at))
    }

    /// Puts `row` at `at`, where one with its rowid is.
    pub(crate) fn set(&mut self, at: usize, row: Row) {
        match &mut self.settled {
            Settled::Here(rows) => {
                if let Some(place) = rows.get_mut(at) {
                    *place = row;
                }
            }
            Settled::Away(away) => away.set(at, &row, &self.room),
        }
    }

    /// Puts what `change` makes of a row in its place; the rowid stays.
    pub(crate) fn update(&mut self, mut change: impl FnMut(Row) -> Row) {
        match &mut self.settled {
            Settled::Here(rows) => rows.iter_mut().for_each(|row| *row = change(*row)),
            Settled::Away(_) => {
                let changed = self.write(self.iter().map(change));
                self.settled = changed.map_or_else(|| Settled::Here(Vec::new()), Settled::Away);
            }
        }
    }

    /// Keeps only the rows that `keep` wants.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Row) -> bool) {
        match &mut self.settled {
            Settled::Here(rows) => rows.retain(keep),
            Settled::Away(_) => {
                let kept = self.write(self.iter().filter(|row| keep(row)));
                self.settled = kept.map_or_else(|| Settled::Here(Vec::new()), Settled::Away);
            }
        }
        self.weigh();
    }
}

/// The rows of a roll one by one.
struct Iter<'r> {
    roll: &'r Roll,
    block: Cow<'r, [Row]>,
    /// Where in the roll the block begins.
    start: usize,
    /// The next row in the block.
    next: usize,
}

impl Iterator for Iter<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        if self.next == self.block.len() {
            self.start += self.block.len();
            self.block = self.roll.range(self.start, BLOCK);
            self.next = 0;
        }
        let row = self.block.get(self.next).copied();
        self.next += usize::from(row.is_some());
        row
    }
}

/// Rows in a file.
#[derive(Debug)]
struct Away {
    file: File,
    len: usize,
    /// The rowid of the first row in each block.
    firsts: Vec<i64>,
    /// The block that was read last.
    last: Mutex<Option<(usize, Vec<Row>)>>,
}

impl Away {
    fn read(&self, range: std::ops::Range<usize>, room: &Room) -> Vec<Row> {
        let mut bytes = vec![0; range.len() * ROW];
        if let Err(error) = self.file.read_exact_at(&mut bytes, (range.start * ROW) as u64) {
            room.note(error);
            return Vec::new();
        }
        bytes.as_chunks().0.iter().map(Row::from_bytes).collect()
    }

    fn block<T>(&self, number: usize, room: &Room, with: impl FnOnce(&[Row]) -> Option<T>) -> Option<T> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(known, _)| *known != number) {
            let end = (number + 1).saturating_mul(BLOCK).min(self.len);
            *last = Some((number, self.read((number * BLOCK).min(end)..end, room)));
        }
        last.as_ref().and_then(|(_, rows)| with(rows))
    }

    fn set(&mut self, at: usize, row: &Row, room: &Room) {
        if let Err(error) = self.file.write_all_at(&row.to_bytes(), (at * ROW) as u64) {
            room.note(error);
        }
        let last = self.last.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, rows)) = last
            && *number == at / BLOCK
            && let Some(place) = rows.get_mut(at % BLOCK)
        {
            *place = *row;
        }
    }
}

/// Writes rows into a file, one behind the other.
struct Pen {
    file: File,
    bytes: Vec<u8>,
    written: u64,
    len: usize,
    firsts: Vec<i64>,
}

impl Pen {
    fn new(dir: &Path) -> std::io::Result<Self> {
        let bytes = Vec::with_capacity(BLOCK * ROW);
        Ok(Self { file: nameless(dir)?, bytes, written: 0, len: 0, firsts: Vec::new() })
    }

    fn write(&mut self, row: &Row) -> std::io::Result<()> {
        if self.len.is_multiple_of(BLOCK) {
            self.flush()?;
            self.firsts.push(row.rowid);
        }
        self.bytes.extend_from_slice(&row.to_bytes());
        self.len += 1;
        Ok(())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.write_all_at(&self.bytes, self.written)?;
        self.written += self.bytes.len() as u64;
        self.bytes.clear();
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<Away> {
        self.flush()?;
        Ok(Away { file: self.file, len: self.len, firsts: self.firsts, last: Mutex::new(None) })
    }
}

/// Several runs as one, one row of each rowid.
struct Merging<'m> {
    room: &'m Room,
    order: Order,
    runs: Vec<Reading<'m>>,
    /// The next row of each run.
    heads: BinaryHeap<Reverse<(Place, usize)>>,
    last: Option<i64>,
}

/// A run, and what has been read of it.
struct Reading<'m> {
    run: &'m Away,
    block: std::vec::IntoIter<Row>,
    next: Option<Row>,
    read: usize,
}

impl Reading<'_> {
    fn advance(&mut self, room: &Room) -> Option<Row> {
        if self.block.len() == 0 && self.read < self.run.len {
            let end = (self.read + BLOCK).min(self.run.len);
            self.block = self.run.read(self.read..end, room).into_iter();
            self.read = end;
        }
        self.next = self.block.next();
        self.next
    }
}

impl<'m> Merging<'m> {
    fn new(runs: &'m [Away], room: &'m Room, order: Order) -> Self {
        let block = || Vec::new().into_iter();
        let runs = runs.iter().map(|run| Reading { run, block: block(), next: None, read: 0 }).collect();
        let mut merging = Self { room, order, runs, heads: BinaryHeap::new(), last: None };
        for run in 0..merging.runs.len() {
            merging.advance(run);
        }
        merging
    }

    fn advance(&mut self, run: usize) {
        let next = self.runs.get_mut(run).and_then(|reading| reading.advance(self.room));
        self.heads.extend(next.map(|row| Reverse((self.order.of(&row), run))));
    }
}

impl Iterator for Merging<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        loop {
            let Reverse((_, run)) = self.heads.pop()?;
            let row = self.runs.get(run)?.next?;
            self.advance(run);
            if self.last != Some(row.rowid) {
                self.last = Some(row.rowid);
                return Some(row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::image::Site;
    use crate::recover::row;
    use proptest::prelude::*;

    fn row(rowid: i64, page: u32, in_log: bool, suspect: bool) -> Row {
        let mut row = Row::new(rowid, 0, page, Site { in_log, offset: u64::from(page) * 4096 }, 100);
        row.mark(row::SUSPECT, suspect);
        row
    }

    fn shown(rows: impl Iterator<Item = Row>) -> Vec<[u8; 32]> {
        rows.map(Row::to_bytes).collect()
    }

    fn rows() -> impl Strategy<Value = Vec<Row>> {
        let row = (-50_i64..6000, 1_u32..9, any::<bool>(), any::<bool>())
            .prop_map(|(rowid, page, in_log, suspect)| row(rowid, page, in_log, suspect));
        prop::collection::vec(row, 0..6000)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn a_roll_reads_the_same_wherever_it_lies(
            first in rows(), second in rows(), limit in 0_usize..100_000, log_counts in any::<bool>(),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let (large, small) = (Room::new(dir.path(), usize::MAX), Room::new(dir.path(), limit));
            let mut here = Roll::ordered(&large, log_counts);
            let mut away = Roll::ordered(&small, log_counts);
            for batch in [&first, &second] {
                for row in batch {
                    here.push(*row);
                    away.push(*row);
                }
                prop_assert_eq!(here.settle(), away.settle());
            }
            for roll in [&mut here, &mut away] {
                roll.retain(|row| row.rowid % 7 != 0);
                roll.update(|mut row| { row.mark(row::STRAY, row.rowid % 2 == 0); row });
                if let Ok(at) = roll.find(5) {
                    roll.set(at, row(5, 77, true, false));
                }
            }
            prop_assert_eq!(shown(here.iter()), shown(away.iter()));
            prop_assert_eq!(shown(here.iter_back()), shown(away.iter_back()));
            prop_assert_eq!(shown(here.range(3, 5000).iter().copied()), shown(away.range(3, 5000).iter().copied()));
            for rowid in (-60..6010).step_by(13) {
                prop_assert_eq!(here.find(rowid), away.find(rowid));
                prop_assert_eq!(here.up_to(rowid), away.up_to(rowid));
            }
            prop_assert!(small.require_whole().is_ok());
            drop((here, away));
            prop_assert_eq!(small.taken.load(Ordering::Relaxed), 0);
            prop_assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_is_over_the_limit_is_not_in_memory() {
        let dir = tempfile::tempdir().unwrap();
        let room = Room::new(dir.path(), 64 << 10);
        let mut roll = Roll::new(&room);
        for rowid in 0..100_000 {
            roll.push(row(rowid, 1, false, false));
            assert!(roll.memory() <= (64 << 10) + STRIDE * ROW);
        }
        roll.settle();
        assert_eq!((roll.len(), roll.memory()), (100_000, 0));
    }

    #[test]
    fn a_disk_without_room_is_an_error_and_not_a_shorter_roll() {
        let dir = tempfile::tempdir().unwrap();
        let room = Room::new(&dir.path().join("absent"), 0);
        let mut roll = Roll::new(&room);
        (0..1000).for_each(|rowid| roll.push(row(rowid, 1, false, false)));
        roll.settle();
        assert!(room.require_whole().is_err());
    }
}
