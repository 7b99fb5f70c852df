//! Counts what a table lacks: rows that the main line says were there and that no source has.
//!
//! Not here: their names (`report::losses`).

use super::MergedTable;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::set::RowSet;
use crate::salvage::schema::TableSchema;

/// What the lost pages of the best source may have held.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Capacity {
    pub(crate) pages: u64,
    pub(crate) page_size: usize,
}

impl Capacity {
    /// The most rows of `table` that fit into the lost pages.
    fn rows(self, table: &TableSchema) -> u64 {
        let least = table.least_cell_bytes().max(1) as u64;
        // A page that is lost without a trace is one.
        self.pages.max(1).saturating_mul((self.page_size as u64).div_ceil(least))
    }
}

impl MergedTable {
    /// The rows that an index names and the result has not, and the task that the index names for each.
    pub(crate) fn lost_rows(&self) -> impl Iterator<Item = (i64, Option<&[u8]>)> {
        let lost = self.main.indexed.iter().filter(|rowid| !self.rows.has(**rowid));
        lost.map(|&rowid| {
            let named = self.main.named.binary_search_by_key(&rowid, |(rowid, _)| *rowid);
            let task = named.ok().and_then(|at| self.main.named.get(at)).map(|(_, task)| task.as_slice());
            (rowid, task)
        })
    }

    /// Count what the main line says was there and is not: by an index if one is whole, otherwise by the numbers that are missing
    /// where rows may be missing, some of which may have been deleted. No more are counted than the lost pages can hold.
    pub(super) fn count_losses(&mut self, last: Option<i64>, held: &Capacity) {
        self.older.retain(|row| !self.rows.has(row.rowid));
        self.partial.retain(|row| !self.rows.has(row.rowid));
        self.uncommitted.retain(|row| !self.rows.has(row.rowid));
        let main = &self.main;
        self.lost = main.indexed.iter().filter(|rowid| !self.rows.has(**rowid)).count() as u64;
        if main.is_indexed {
            return;
        }
        if self.table.keyed.is_some() {
            // What stands for its rowids is no count.
            let pages_lost = u64::from(!main.gaps.is_empty());
            self.lost = (self.partial.len() as u64 + main.unread).max(pages_lost);
            self.estimated = self.lost > 0;
            return;
        }
        let highest = self.rows.last().map(|row| row.rowid);
        let last = last.max(highest).max(main.highest_indexed);
        let numbers = missing_numbers(&main.gaps, last.unwrap_or(0), &self.rows);
        let elsewhere = self.rows.iter().filter(|row| main.gaps.contains(row.rowid)).count() as u64;
        let parts = self.partial.len() as u64;
        let numbers = numbers.max(u64::from(self.lacks_its_end()));
        let numbers = numbers.min(held.rows(&self.table));
        self.lost = self.lost.max(numbers).max(parts + main.unread.saturating_sub(elsewhere));
        self.estimated = self.lost > 0;
    }
}

impl MergedTable {
    /// Whether the tree's last leaves are lost and no row of theirs came from anywhere: a leaf holds one at least, though
    /// no number says so.
    fn lacks_its_end(&self) -> bool {
        let end = self.main.gaps.ranges().last().filter(|&(low, high)| low != i64::MIN && high == i64::MAX);
        end.is_some_and(|(low, _)| self.rows.last().is_none_or(|row| row.rowid <= low))
    }
}

/// How many of the numbers from 1 to `last` lie in `gaps` and have no row.
fn missing_numbers(gaps: &Gaps, last: i64, rows: &RowSet) -> u64 {
    let missing = gaps.up_to(last).map(|(low, high)| {
        high.abs_diff(low).saturating_sub(rows.up_to(high).saturating_sub(rows.up_to(low)) as u64)
    });
    missing.fold(0, u64::saturating_add)
}
