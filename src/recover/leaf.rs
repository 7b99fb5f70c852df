//! Rows of one leaf page: by its cell pointers, and where those fail, by what lies in its content area. One bad cell costs
//! one cell (recovery.md, "What decides it", 4).

use std::borrow::Cow;

use super::catalog::{Fit, Table};
use super::mend;
use crate::ondisk::page::{Cell, Kind, Page};
use crate::ondisk::record::{self, Record};

/// A page with more unreadable cells than this is not one with a flipped bit or two.
const MAX_MENDED: usize = 4;

/// A row as it lies in a source.
#[derive(Debug, Clone)]
pub(crate) struct Row<'a> {
    pub(crate) rowid: i64,
    /// The whole record.
    pub(crate) payload: Cow<'a, [u8]>,
    /// The page of its cell.
    pub(crate) page: u32,
    /// Where on the page the cell begins.
    pub(crate) cell: usize,
    /// Whether something about it is strange: text that is not UTF-8, an unlikely value, a place out of order.
    pub(crate) suspect: bool,
}

/// What a leaf page gave.
#[derive(Debug, Default)]
pub(crate) struct Leaf<'a> {
    pub(crate) rows: Vec<Row<'a>>,
    /// Rowids of cells that are whole but whose overflow chain is not.
    pub(crate) partial: Vec<i64>,
    /// Cells that could not be read.
    pub(crate) unread: u64,
    /// Whether the page is whole.
    pub(crate) sound: bool,
}

/// Takes the rest of a payload from its overflow chain; `None` when the chain is broken.
pub(crate) type Chains<'c> = dyn FnMut(&Cell<'_>) -> Option<Vec<u8>> + 'c;

/// The rows of `table` on the leaf page `number`.
pub(crate) fn read<'a>(table: &Table, number: u32, page: &Page<'a>, chains: &mut Chains<'_>) -> Leaf<'a> {
    let mut leaf = Leaf { sound: page.is_sound(), ..Leaf::default() };
    let mut taken = Vec::new();
    let mut failed = Vec::new();
    for offset in page.offsets() {
        let cell = page.cell(offset).ok();
        let cell = cell.filter(|cell| leaf.sound || !taken.contains(&(cell.offset, cell.size)));
        match cell {
            Some(cell) if leaf.take(table, number, &cell, chains) => taken.push((cell.offset, cell.size)),
            _ => failed.push((offset, leaf.rows.len())),
        }
    }
    leaf.mend(table, number, page, &failed, &mut taken, chains);
    mend::order(&mut leaf.rows);
    if !leaf.sound {
        let strays = page.stray_cells(&taken, |cell| is_row(table, cell));
        for cell in strays {
            if leaf.take(table, number, &cell, chains) {
                leaf.unread = leaf.unread.saturating_sub(1);
            }
        }
    }
    leaf
}

impl<'a> Leaf<'a> {
    /// Tries the cells that no row came from once more. `failed` has, for each, its offset and the number of rows before it.
    fn mend(
        &mut self,
        table: &Table,
        number: u32,
        page: &Page<'a>,
        failed: &[(usize, usize)],
        taken: &mut Vec<(usize, usize)>,
        chains: &mut Chains<'_>,
    ) {
        self.unread += failed.len() as u64;
        if failed.is_empty() || failed.len() > MAX_MENDED {
            return;
        }
        let mut starts: Vec<usize> = page.offsets().collect();
        starts.extend(page.free_blocks().unwrap_or_default().iter().map(|(start, _)| *start));
        let mut mended = 0;
        for &(offset, index) in failed {
            let index = index + mended;
            let end = starts.iter().filter(|&&start| start > offset).min().copied().unwrap_or(page.usable());
            let low = index.checked_sub(1).and_then(|index| self.rows.get(index)).map(|row| row.rowid);
            let high = self.rows.get(index).map(|row| row.rowid);
            let row = mend::cell(table, number, page, offset, end.min(page.usable()), (low, high), chains);
            if let Some(row) = row {
                taken.push((offset, end.saturating_sub(offset)));
                self.rows.insert(index, row);
                self.unread -= 1;
                mended += 1;
            }
        }
    }

    /// Adds the row in `cell`; false if the cell holds no row of `table`.
    fn take(&mut self, table: &Table, number: u32, cell: &Cell<'a>, chains: &mut Chains<'_>) -> bool {
        let Some(payload) = cell.payload else { return false };
        let stated = record::stated_size(payload.local);
        if stated != Ok(payload.len) {
            return false;
        }
        let bytes = if payload.overflow.is_none() {
            Cow::Borrowed(payload.local)
        } else if let Some(bytes) = chains(cell) {
            Cow::Owned(bytes)
        } else {
            self.partial.push(cell.rowid);
            return true;
        };
        let fit = Record::read(&bytes).ok().and_then(|record| table.fit(&record));
        let Some(fit) = fit else { return false };
        self.rows.push(Row {
            rowid: cell.rowid,
            payload: bytes,
            page: number,
            cell: cell.offset,
            suspect: fit.strange > 0,
        });
        true
    }
}

/// Whether `cell` is a row of `table` beyond doubt: for readings that no pointer vouches for.
pub(crate) fn is_row(table: &Table, cell: &Cell<'_>) -> bool {
    let Some(payload) = cell.payload else { return false };
    if cell.rowid <= 0 || record::stated_size(payload.local) != Ok(payload.len) {
        return false;
    }
    let Ok(record) = Record::prefix(payload.local) else { return false };
    if payload.overflow.is_some() {
        return record.columns() == table.columns.len();
    }
    table.fit(&record).is_some_and(|fit| fit.strange == 0)
}

/// How the rows on `page` fit `table`: the worst of their fits and how many fit; `None` if half of them or more do not.
pub(crate) fn fit(table: &Table, page: &Page<'_>) -> Option<(Fit, usize)> {
    let mut fits = 0;
    let mut cells = 0;
    let mut worst = Fit { strange: 0, missing: 0 };
    for cell in page.cells() {
        cells += 1;
        let Some(payload) = cell.ok().and_then(|cell| cell.payload) else { continue };
        let Ok(record) = Record::prefix(payload.local) else { continue };
        if payload.overflow.is_some() {
            // The values that are cut off cannot be judged, the number of columns can.
            fits += usize::from(record.columns() == table.columns.len());
            continue;
        }
        if record::stated_size(payload.local) != Ok(payload.len) {
            continue;
        }
        if let Some(fit) = table.fit(&record) {
            fits += 1;
            worst = Fit { strange: worst.strange + fit.strange, missing: worst.missing.max(fit.missing) };
        }
    }
    (page.kind() == Kind::TableLeaf && fits > 0 && 2 * fits > cells).then_some((worst, fits))
}
