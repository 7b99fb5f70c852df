//! A roll: the rows of one table in order, in memory while all rolls of one recovery are little, beyond that in a file
//! without a name.
//!
//! Rows are pushed in any order and count once the roll is settled, which sorts them and keeps one of each rowid. What does
//! not fit memory is written out as sorted runs and merged, so that a roll reads the same wherever it lies. The file is
//! this process's own, and gone with it however it ends.
//!
//! Reading a row cannot fail in its own words: a disk that fails is noted in the [`MemoryBudget`], the roll ends there, and whoever
//! asks [`MemoryBudget::require_whole`] before using what came of it gets the failure.

pub(crate) mod spill;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;

use self::spill::{BLOCK, Merging, SpillRun, SpillWriter};
pub(crate) use super::memory::{MemoryBudget, setting_aside};
use super::row::Row;

/// Bytes of rows that are held in memory.
pub(crate) const MEMORY: usize = 128 << 20;
/// A roll smaller than this share of the memory stays in it.
const SHARE: usize = 16;
/// Rows between two looks at how much there is.
const STRIDE: usize = 64;

/// Of two rows with one rowid the one with the lower place comes first and counts.
type Place = (i64, bool, bool, u32, u16, bool, u64);

/// Which of several rows with one rowid counts: one that is not suspect; where `log_first`, one in the log.
#[derive(Debug, Clone, Copy)]
struct RowOrder {
    log_first: bool,
}

impl RowOrder {
    fn of(self, row: &Row) -> Place {
        let site = row.site();
        let behind = self.log_first && !site.in_log;
        (row.rowid, behind, row.is_suspect(), row.page, row.cell, site.in_log, site.offset)
    }
}

/// Rows in order.
#[derive(Debug)]
pub(crate) struct RowSet {
    room: Arc<MemoryBudget>,
    order: RowOrder,
    /// The settled rows, by rising rowid, each rowid once.
    settled: StoredRows,
    /// Rows that were pushed since.
    pushed: Vec<Row>,
    /// The same, as far as they did not fit memory.
    runs: Vec<SpillRun>,
    /// Bytes that the room has counted.
    counted: usize,
}

#[derive(Debug)]
enum StoredRows {
    Here(Vec<Row>),
    Away(SpillRun),
}

impl Drop for RowSet {
    fn drop(&mut self) {
        self.room.recount(&mut self.counted, 0);
    }
}

impl RowSet {
    /// No rows.
    pub(crate) fn new(room: &Arc<MemoryBudget>) -> Self {
        Self::of(room, Vec::new())
    }

    /// No rows; of several with one rowid one in the log counts if the `log_counts`.
    pub(crate) fn ordered(room: &Arc<MemoryBudget>, log_counts: bool) -> Self {
        let mut roll = Self::new(room);
        roll.order.log_first = log_counts;
        roll
    }

    /// The given rows, which are in order, each rowid once.
    pub(crate) fn of(room: &Arc<MemoryBudget>, rows: Vec<Row>) -> Self {
        let mut roll = Self {
            room: Arc::clone(room),
            order: RowOrder { log_first: false },
            settled: StoredRows::Here(rows),
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
            StoredRows::Here(rows) => size_of_val(&**rows),
            StoredRows::Away(_) => 0,
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
        if let StoredRows::Here(rows) = &self.settled
            && !rows.is_empty()
            && let Some(away) = self.write(rows.iter().copied())
        {
            self.settled = StoredRows::Away(away);
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
    fn write(&self, rows: impl Iterator<Item = Row>) -> Option<SpillRun> {
        let written = (|| {
            let mut pen = SpillWriter::new(&self.room.dir)?;
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
        if let StoredRows::Here(rows) = &mut self.settled
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
        match std::mem::replace(&mut self.settled, StoredRows::Here(Vec::new())) {
            StoredRows::Here(rows) => runs.extend(self.write(rows.into_iter())),
            StoredRows::Away(away) => runs.push(away),
        }
        let before: usize = runs.iter().map(|run| run.len).sum();
        let merged = Merging::new(&runs, &self.room, self.order);
        if let Some(away) = self.write(merged) {
            self.settled = StoredRows::Away(away);
        }
        self.room.recount(&mut self.counted, 0);
        (before - self.len()) as u64
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        match &self.settled {
            StoredRows::Here(rows) => rows.len(),
            StoredRows::Away(away) => away.len,
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The row at `at`.
    pub(crate) fn get(&self, at: usize) -> Option<Row> {
        match &self.settled {
            StoredRows::Here(rows) => rows.get(at).copied(),
            StoredRows::Away(away) => {
                away.block(at / BLOCK, &self.room, |rows| rows.get(at % BLOCK).copied())
            }
        }
    }

    /// The row with the highest rowid.
    pub(crate) fn last(&self) -> Option<Row> {
        self.get(self.len().checked_sub(1)?)
    }

    /// Where the row with `rowid` is, or where it would be.
    pub(crate) fn find(&self, rowid: i64) -> Result<usize, usize> {
        let away = match &self.settled {
            StoredRows::Here(rows) => return rows.binary_search_by_key(&rowid, |row| row.rowid),
            StoredRows::Away(away) => away,
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
            StoredRows::Here(rows) => Cow::Borrowed(rows.get(first..end).unwrap_or_default()),
            StoredRows::Away(away) => Cow::Owned(away.read(first..end, &self.room)),
        }
    }

    /// All rows, by rising rowid.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        let blocks = match &self.settled {
            StoredRows::Here(_) => usize::MAX,
            StoredRows::Away(_) => BLOCK,
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
            StoredRows::Here(rows) => {
                if let Some(place) = rows.get_mut(at) {
                    *place = row;
                }
            }
            StoredRows::Away(away) => away.set(at, &row, &self.room),
        }
    }

    /// Puts what `change` makes of a row in its place; the rowid stays.
    pub(crate) fn update(&mut self, mut change: impl FnMut(Row) -> Row) {
        match &mut self.settled {
            StoredRows::Here(rows) => rows.iter_mut().for_each(|row| *row = change(*row)),
            StoredRows::Away(_) => {
                let changed = self.write(self.iter().map(change));
                self.settled = changed.map_or_else(|| StoredRows::Here(Vec::new()), StoredRows::Away);
            }
        }
    }

    /// Keeps only the rows that `keep` wants.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Row) -> bool) {
        match &mut self.settled {
            StoredRows::Here(rows) => rows.retain(keep),
            StoredRows::Away(_) => {
                let kept = self.write(self.iter().filter(|row| keep(row)));
                self.settled = kept.map_or_else(|| StoredRows::Here(Vec::new()), StoredRows::Away);
            }
        }
        self.weigh();
    }
}

/// The rows of a roll one by one.
struct Iter<'r> {
    roll: &'r RowSet,
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
