//! Rows of one leaf page: by its cell pointers, and where those fail, by what lies in its content area. One bad cell costs
//! one cell (docs/recovery.md).

use super::cell_repair;
use super::lost_sectors;
use super::lost_sectors::PayloadPart;
use crate::ondisk::image::Site;
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::{self, Record};
use crate::ondisk::text::Encoding;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{Plausibility, TableSchema};

/// A page with more unreadable cells than this is not one with a flipped bit or two.
const MAX_MENDED: usize = 4;

/// Where a leaf page lies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    pub(crate) source: u32,
    pub(crate) page: u32,
    pub(crate) site: Site,
    /// How its text is encoded.
    pub(crate) encoding: Encoding,
}

impl Spot {
    /// The row `rowid` of the cell at `offset`.
    pub(crate) fn row(self, rowid: i64, offset: usize) -> Row {
        Row::new(rowid, self.source, self.page, self.site, offset)
    }
}

/// What a leaf page gave. A mended row has the code of its flip for its `odd`; of a chained one, the chain has not been
/// followed.
#[derive(Debug, Default)]
pub(crate) struct SalvagedLeaf {
    pub(crate) rows: Vec<Row>,
    /// Rows with a hole in them.
    pub(crate) hollow: Vec<Row>,
    /// Cells that could not be read.
    pub(crate) unread: u64,
    /// Rows in which a text is stored as a BLOB.
    pub(crate) blob_texts: u64,
    /// Whether the page is whole.
    pub(crate) sound: bool,
    /// Whether it is whole and has nothing besides its cells.
    pub(crate) blank: bool,
}

/// Whether the overflow chain of a cell is whole.
pub(crate) type Chains<'c> = dyn FnMut(&Cell<'_>) -> bool + 'c;

/// The rows of `table` on the leaf page at `spot`.
pub(crate) fn read(
    table: &TableSchema,
    spot: Spot,
    page: &Page<'_>,
    chains: &mut Chains<'_>,
) -> SalvagedLeaf {
    let sound = page.is_sound();
    let mut leaf = SalvagedLeaf {
        rows: Vec::with_capacity(page.offsets().count()),
        hollow: Vec::new(),
        unread: 0,
        blob_texts: 0,
        sound,
        blank: sound && page.is_blank_beside_cells(),
    };
    let mut taken = Vec::new();
    let mut failed = Vec::new();
    for offset in page.offsets() {
        let cell = page.cell(offset).ok();
        let cell = cell.filter(|cell| leaf.sound || !taken.contains(&(cell.offset, cell.size)));
        match cell {
            Some(cell) if leaf.take(table, spot, &cell) => taken.push((cell.offset, cell.size)),
            _ => failed.push((offset, leaf.rows.len())),
        }
    }
    if table.keyed.is_some() {
        leaf.unread += failed.len() as u64;
        return leaf;
    }
    leaf.mend(table, spot, page, &failed, &mut taken, chains);
    cell_repair::order(&mut leaf.rows);
    if !leaf.sound {
        let strays = page.stray_cells(&taken, |cell| is_row(table, cell, spot.encoding));
        for cell in strays {
            if leaf.take(table, spot, &cell) {
                leaf.unread = leaf.unread.saturating_sub(1);
            }
        }
    }
    if lost_sectors::is_likely(page, spot.site) {
        leaf.hollow = leaf.rows.extract_if(.., |row| is_hollow(page, row)).collect();
    }
    leaf
}

/// Whether `row`, which lies on `page` from end to end, has a hole.
fn is_hollow(page: &Page<'_>, row: &Row) -> bool {
    if row.is(row::CHAINED | row::MENDED) {
        return false;
    }
    page.cell(usize::from(row.cell)).is_ok_and(|cell| has_hole(page.bytes(), row.site(), &cell))
}

/// True if what `cell` has on its `page`, which lies at `site`, has a hole.
pub(crate) fn has_hole(page: &[u8], site: Site, cell: &Cell<'_>) -> bool {
    let payload = cell.payload.map(|payload| payload.local).unwrap_or_default();
    !lost_sectors::holes(payload, &[PayloadPart::of(page, site, cell)]).is_empty()
}

impl SalvagedLeaf {
    /// The lowest rowid on it.
    pub(crate) fn lowest(&self) -> Option<i64> {
        self.rows.iter().map(|row| row.rowid).min()
    }

    /// Tries the cells that no row came from once more. `failed` has, for each, its offset and the number of rows before it.
    fn mend(
        &mut self,
        table: &TableSchema,
        spot: Spot,
        page: &Page<'_>,
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
            let row =
                cell_repair::cell(table, spot, page, offset, end.min(page.usable()), (low, high), chains);
            if let Some(row) = row {
                taken.push((offset, end.saturating_sub(offset)));
                self.rows.insert(index, row);
                self.unread -= 1;
                mended += 1;
            }
        }
    }

    /// Adds the row in `cell`; false if the cell holds no row of `table`.
    fn take(&mut self, table: &TableSchema, spot: Spot, cell: &Cell<'_>) -> bool {
        let Some(payload) = cell.payload else { return false };
        if record::stated_size(payload.local) != Ok(payload.len) {
            return false;
        }
        let mut row = spot.row(cell.rowid, cell.offset);
        if table.keyed.is_some() {
            let key = Record::prefix(payload.local).ok().and_then(|record| table.key_of(&record));
            row = row.by_key(key.unwrap_or(0));
        }
        if payload.overflow.is_some() {
            let fit = Record::prefix(payload.local).ok().and_then(|row| table.fit_start(&row, spot.encoding));
            if fit.is_none() {
                return false;
            }
            row.mark(row::CHAINED, true);
        } else {
            let Ok(record) = Record::read(payload.local) else { return false };
            let Some(fit) = table.fit(&record, spot.encoding) else { return false };
            self.blob_texts += u64::from(table.has_blob_text(&record));
            row.mark(row::SUSPECT, fit.strange > 0);
            row.parity = row::parity(payload.local);
        }
        self.rows.push(row);
        true
    }
}

/// Whether `cell` is a row of `table` beyond doubt: for readings that no pointer vouches for.
pub(crate) fn is_row(table: &TableSchema, cell: &Cell<'_>, encoding: Encoding) -> bool {
    sure_fit(table, cell, encoding).is_some()
}

/// Whether `cell` may be a row of any table: it has a number above 0 and a record of the length that it states.
pub(crate) fn may_be_row(cell: &Cell<'_>) -> bool {
    cell.rowid > 0
        && cell.payload.is_some_and(|payload| {
            record::stated_size(payload.local) == Ok(payload.len)
                && Record::prefix(payload.local).is_ok_and(|record| !record.has_reserved_types())
        })
}

/// How `cell` fits `table`, if it does beyond doubt.
pub(crate) fn sure_fit(table: &TableSchema, cell: &Cell<'_>, encoding: Encoding) -> Option<Plausibility> {
    let payload = cell.payload.filter(|_| may_be_row(cell))?;
    let record = Record::prefix(payload.local).ok()?;
    let fit = match payload.overflow {
        Some(_) => table.fit_start(&record, encoding),
        None => table.fit(&record, encoding),
    };
    fit.filter(|fit| fit.strange == 0)
}

/// How the rows on `page` fit `table`; `None` if more than half of them do not.
pub(crate) fn fit(table: &TableSchema, page: &Page<'_>, encoding: Encoding) -> Option<Plausibility> {
    let mut fits = 0;
    let mut cells = 0;
    let mut whole = Plausibility::default();
    for cell in page.cells() {
        cells += 1;
        let Some(payload) = cell.ok().and_then(|cell| cell.payload) else { continue };
        let Ok(record) = Record::prefix(payload.local) else { continue };
        if record::stated_size(payload.local) != Ok(payload.len) {
            continue;
        }
        let fit = match payload.overflow {
            Some(_) => table.fit_start(&record, encoding),
            None => table.fit(&record, encoding),
        };
        if let Some(fit) = fit {
            fits += 1;
            whole.add(fit);
        }
    }
    whole.misfits = cells - fits;
    let is_its_kind = (page.kind() == PageKind::TableLeaf) == table.keyed.is_none();
    (is_its_kind && fits > 0 && 2 * fits >= cells).then_some(whole)
}
