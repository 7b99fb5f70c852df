//! The rows of one table in one source, and what is known of those that are missing.

use crate::recover::gaps::Gaps;
use crate::recover::row::Row;

/// The rows of one table in one source.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The whole ones in the order of their rowids, each rowid once.
    pub(crate) whole: Vec<Row>,
    /// Those whose payload is cut.
    pub(crate) partial: Vec<Row>,
    /// Where rows may be missing.
    pub(crate) gaps: Gaps,
    /// Cells that could not be read.
    pub(crate) unread: u64,
    /// Rows of pages that belong nowhere: deleted, stale, or of another file.
    pub(crate) stray: u64,
    /// Every rowid that an index of the table names, in order, where rows are missing.
    pub(crate) indexed: Vec<i64>,
    /// Whether one of its indexes could be read from end to end, so that these are all.
    pub(crate) is_indexed: bool,
    /// Rows of stray leaves that are not among the whole ones yet.
    pub(in crate::recover) adopted: Vec<Row>,
}

impl Rows {
    /// Puts the rows in order. Of several with one rowid the first that is not suspect counts; where the `log_counts`, one
    /// in the log.
    pub(super) fn settle(&mut self, log_counts: bool) {
        let before = self.whole.len();
        let behind = |row: &Row| log_counts && !row.site().in_log;
        self.whole.sort_unstable_by_key(|row| (row.rowid, behind(row), row.is_suspect(), row.page, row.cell));
        self.whole.dedup_by_key(|row| row.rowid);
        self.whole.shrink_to_fit();
        self.stray += (before - self.whole.len()) as u64;
    }

    pub(super) fn has(&self, rowid: i64) -> bool {
        self.whole.binary_search_by_key(&rowid, |row| row.rowid).is_ok()
    }

    /// Whether there is a row from `low` up to and with `high`.
    pub(super) fn has_between(&self, low: i64, high: i64) -> bool {
        let first = self.whole.partition_point(|row| row.rowid < low);
        self.whole.get(first).is_some_and(|row| row.rowid <= high)
    }

    /// Whether rows are missing, or may be.
    pub(super) fn is_damaged(&self) -> bool {
        !self.gaps.is_empty() || self.unread > 0 || self.stray > 0 || !self.partial.is_empty()
    }
}
