//! The rows of one table in one source, and what is known of those that are missing.

use std::sync::Arc;

use crate::ondisk::btree::Range;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MemoryBudget, RowSet};

/// The rows of one table in one source.
#[derive(Debug)]
pub(crate) struct TableRows {
    /// The whole ones. Of several with one rowid the first that is not suspect counts.
    pub(crate) whole: RowSet,
    /// Those whose payload is cut.
    pub(crate) partial: Vec<Row>,
    /// Those of a transaction that never ended, which no committed page has.
    pub(crate) uncommitted: Vec<Row>,
    /// Those of which an earlier version may be all that is left.
    pub(crate) older: Vec<Row>,
    /// Where rows may be missing.
    pub(crate) gaps: Gaps,
    /// Cells that could not be read.
    pub(crate) unread: u64,
    /// Rows of pages that belong nowhere: deleted, stale, or of another file.
    pub(crate) stray: u64,
    /// The rowids that indexes of the table name and no row had when they were asked, in order; only where rows are missing.
    pub(crate) indexed: Vec<i64>,
    /// The task that an index names for rows of `indexed`, by rowid, where one does.
    pub(crate) named: Vec<(i64, Vec<u8>)>,
    /// The highest that they name, whether there is a row or not.
    pub(crate) highest_indexed: Option<i64>,
    /// Whether one of its indexes could be read from end to end, so that these are all.
    pub(crate) is_indexed: bool,
}

impl TableRows {
    /// No rows: to be kept in `room`. Where the `log_counts`, one in the log stands above others with its rowid.
    pub(crate) fn new(room: &Arc<MemoryBudget>, log_counts: bool) -> Self {
        Self {
            whole: RowSet::ordered(room, log_counts),
            partial: Vec::new(),
            uncommitted: Vec::new(),
            older: Vec::new(),
            gaps: Gaps::default(),
            unread: 0,
            stray: 0,
            indexed: Vec::new(),
            named: Vec::new(),
            highest_indexed: None,
            is_indexed: false,
        }
    }

    /// Puts the rows in order.
    pub(crate) fn settle(&mut self) {
        self.stray += self.whole.settle();
    }

    /// Adds rows that are only partly there; where they are, rows are missing.
    pub(crate) fn set_apart(&mut self, parts: Vec<Row>) {
        for row in &parts {
            self.gaps.add(Range { low: row.rowid.checked_sub(1), high: Some(row.rowid) });
        }
        self.partial.extend(parts);
    }

    /// What they take in memory, in bytes.
    pub(crate) fn memory(&self) -> usize {
        let apart = [&self.partial, &self.uncommitted, &self.older];
        self.whole.memory() + apart.iter().map(|rows| size_of_val(rows.as_slice())).sum::<usize>()
    }

    pub(crate) fn has(&self, rowid: i64) -> bool {
        self.whole.has(rowid)
    }

    /// The same, for many questions.
    pub(crate) fn presence(&self) -> Presence<'_> {
        let highest = self.whole.last().map_or(0, |row| row.rowid);
        // Numbers that are given out one after the other leave few unused.
        let most = self.whole.len().saturating_mul(SPARSE);
        let words = usize::try_from(highest).unwrap_or(0).min(most) / 64 + 1;
        let mut bits = vec![0_u64; words];
        for row in self.whole.iter() {
            if let Some((word, bit)) = place_of(row.rowid)
                && let Some(word) = bits.get_mut(word)
            {
                *word |= bit;
            }
        }
        Presence { rows: self, bits }
    }

    /// Whether there is a row from `low` up to and with `high`.
    pub(crate) fn has_between(&self, low: i64, high: i64) -> bool {
        self.whole.up_to(high) > low.checked_sub(1).map_or(0, |below| self.whole.up_to(below))
    }

    /// Whether rows are missing, or may be.
    pub(crate) fn is_damaged(&self) -> bool {
        !self.gaps.is_empty() || self.unread > 0 || self.stray > 0 || !self.partial.is_empty()
    }
}

/// So many numbers for every row are worth a bit each.
const SPARSE: usize = 64;

/// Which rowids have a row: a bit for each of the lower ones.
pub(crate) struct Presence<'r> {
    rows: &'r TableRows,
    bits: Vec<u64>,
}

impl Presence<'_> {
    pub(crate) fn has(&self, rowid: i64) -> bool {
        let bit = place_of(rowid).and_then(|(word, bit)| Some(self.bits.get(word)? & bit != 0));
        bit.unwrap_or_else(|| self.rows.has(rowid))
    }
}

/// The word with the bit of `rowid`, and that bit.
fn place_of(rowid: i64) -> Option<(usize, u64)> {
    let rowid = usize::try_from(rowid).ok()?;
    Some((rowid / 64, 1 << (rowid % 64)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::image::Site;

    #[test]
    fn presence_is_what_has_says() {
        let rowids = [-5, 1, 2, 64, 300, i64::MAX];
        let row = |rowid| Row::new(rowid, 0, 2, Site { in_log: false, offset: 4096 }, 100);
        let room = MemoryBudget::new(std::path::Path::new("."), usize::MAX);
        let rows =
            TableRows { whole: RowSet::of(&room, rowids.map(row).to_vec()), ..TableRows::new(&room, false) };
        let presence = rows.presence();
        for rowid in rowids.into_iter().chain([i64::MIN, -1, 0, 3, 63, 65, 299, 301, 100_000, i64::MAX - 1]) {
            assert_eq!(presence.has(rowid), rows.has(rowid), "{rowid}");
        }
    }
}
