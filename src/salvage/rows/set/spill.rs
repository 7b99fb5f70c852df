//! Rows in a file without a name: written one behind the other, read in blocks, several of them merged into one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::{Place, RowOrder};
use crate::salvage::rows::memory::MemoryBudget;
use crate::salvage::rows::row::Row;
use crate::work::unnamed::nameless;

/// Rows that are read or written at once.
pub(crate) const BLOCK: usize = 2048;
/// Bytes of a row.
const ROW: usize = size_of::<Row>();

/// Rows in a file.
#[derive(Debug)]
pub(crate) struct SpillRun {
    file: File,
    pub(crate) len: usize,
    /// The rowid of the first row in each block.
    pub(crate) firsts: Vec<i64>,
    /// The block that was read last.
    last: Mutex<Option<(usize, Vec<Row>)>>,
}

impl SpillRun {
    /// The rows in `range`; none, which is noted in `room`, where they cannot be read.
    pub(crate) fn read(&self, range: Range<usize>, room: &MemoryBudget) -> Vec<Row> {
        let mut bytes = vec![0; range.len() * ROW];
        if let Err(error) = self.file.read_exact_at(&mut bytes, (range.start * ROW) as u64) {
            room.note(error);
            return Vec::new();
        }
        bytes.as_chunks().0.iter().map(Row::from_bytes).collect()
    }

    /// What `with` says of the block `number`.
    pub(crate) fn block<T>(
        &self,
        number: usize,
        room: &MemoryBudget,
        with: impl FnOnce(&[Row]) -> Option<T>,
    ) -> Option<T> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|(known, _)| *known != number) {
            let end = (number + 1).saturating_mul(BLOCK).min(self.len);
            *last = Some((number, self.read((number * BLOCK).min(end)..end, room)));
        }
        last.as_ref().and_then(|(_, rows)| with(rows))
    }

    /// Puts `row` at `at`.
    pub(crate) fn set(&mut self, at: usize, row: &Row, room: &MemoryBudget) {
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
pub(crate) struct SpillWriter {
    file: File,
    bytes: Vec<u8>,
    written: u64,
    pub(crate) len: usize,
    pub(crate) firsts: Vec<i64>,
}

impl SpillWriter {
    /// Into a file of its own in `dir`.
    pub(crate) fn new(dir: &Path) -> std::io::Result<Self> {
        let bytes = Vec::with_capacity(BLOCK * ROW);
        Ok(Self { file: nameless(dir)?, bytes, written: 0, len: 0, firsts: Vec::new() })
    }

    /// Writes one more row.
    pub(crate) fn write(&mut self, row: &Row) -> std::io::Result<()> {
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

    /// The rows that were written.
    pub(crate) fn finish(mut self) -> std::io::Result<SpillRun> {
        self.flush()?;
        Ok(SpillRun { file: self.file, len: self.len, firsts: self.firsts, last: Mutex::new(None) })
    }
}

/// Several runs as one, one row of each rowid.
pub(crate) struct Merging<'m> {
    room: &'m MemoryBudget,
    order: RowOrder,
    runs: Vec<Reading<'m>>,
    /// The next row of each run.
    heads: BinaryHeap<Reverse<(Place, usize)>>,
    last: Option<i64>,
}

/// A run, and what has been read of it.
struct Reading<'m> {
    run: &'m SpillRun,
    block: std::vec::IntoIter<Row>,
    next: Option<Row>,
    read: usize,
}

impl Reading<'_> {
    fn advance(&mut self, room: &MemoryBudget) -> Option<Row> {
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
    /// All rows of `runs`, which are in `order`.
    pub(super) fn new(runs: &'m [SpillRun], room: &'m MemoryBudget, order: RowOrder) -> Self {
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
