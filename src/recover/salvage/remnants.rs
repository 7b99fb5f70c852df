//! Rows where no page says that there are any: in pages whose header is lost, in what a page keeps of cells that have moved
//! on, and in pages that the list of unused ones names.
//!
//! They come in only where their table has lost rows, and where an index of it that is whole names them. What an unused part
//! holds may be older than what was lost; such rows are suspect, so that a copy's row stands above them.

use std::collections::HashSet;

use super::{Stray, Work};
use crate::ondisk::page::{Cell, Kind, Page};
use crate::recover::catalog::Catalog;
use crate::recover::row::{self, Row};
use crate::recover::salvage::leaf::{self, Leaf, Spot};

impl Work<'_, '_> {
    /// Looks into the pages in `unknown`.
    pub(super) fn take_unknown(&mut self, catalog: &Catalog, unknown: &[u32]) {
        let poor: Vec<usize> = (0..self.tables.len()).filter(|table| self.is_poor(catalog, *table)).collect();
        if poor.is_empty() {
            return;
        }
        for &page in unknown {
            if !self.chains.has_claimed(page) {
                self.damaged.insert(page);
                let (rows, flags) = self.rows_anywhere(catalog, page, &poor);
                self.take(catalog, rows, flags);
            }
        }
        self.settle_adopted();
    }

    /// Looks into the unused parts of the pages of tables that have lost rows.
    pub(super) fn take_unused(&mut self, catalog: &Catalog) {
        // A root that was a leaf once keeps its rows of then.
        let leaves = self.places.iter().map(|placed| (placed.table, placed.place.page));
        let places: Vec<_> = leaves.chain(self.interiors.iter().copied()).collect();
        let poor: HashSet<usize> =
            (0..self.tables.len()).filter(|table| self.is_poor(catalog, *table)).collect();
        for (table, page) in places {
            if poor.contains(&table) {
                let (rows, flags) = self.rows_anywhere(catalog, page, &[table]);
                self.take(catalog, rows, flags);
            }
        }
        self.settle_adopted();
    }

    /// Adds leaves of pages that are said to be unused. Hermes has SQLite overwrite what it gives up, so that rows there speak
    /// against the list; where another program deleted them, an index that is whole does not name them.
    pub(super) fn adopt_free(&mut self, catalog: &Catalog, strays: Vec<Stray>) {
        for stray in strays {
            if self.chains.has_claimed(stray.page) || !self.seen.enter(stray.page) {
                continue;
            }
            let rows = stray.leaf.rows.into_iter().filter(|row| self.lacks(stray.table, row.rowid));
            let rows: Vec<_> = rows.map(|row| (stray.table, row)).collect();
            if !rows.is_empty() {
                self.damaged.insert(stray.page);
            }
            self.take(catalog, rows, row::STRAY | row::SUSPECT);
        }
        self.settle_adopted();
    }

    /// Whether rows of `table` are missing that can be told from others.
    fn is_poor(&self, catalog: &Catalog, table: usize) -> bool {
        let named = catalog
            .tables
            .get(table)
            .is_some_and(|tree| !tree.table.is_nameless() && tree.table.keyed.is_none());
        named && self.tables.get(table).is_some_and(|rows| !rows.gaps.is_empty())
    }

    /// Whether the row `rowid` of `table` may be missing.
    fn lacks(&self, table: usize, rowid: i64) -> bool {
        self.tables.get(table).is_some_and(|rows| {
            let existed = !rows.is_indexed || rows.indexed.binary_search(&rowid).is_ok();
            existed && rows.gaps.contains(rowid) && !rows.has(rowid)
        })
    }

    /// Rows of `tables` that lie anywhere on page `number`, outside the cells that it has if it is whole, and how they are to be
    /// marked: what a whole page does not use is not what it had last.
    fn rows_anywhere(&self, catalog: &Catalog, number: u32, tables: &[usize]) -> (Vec<(usize, Row)>, u8) {
        let (Some(bytes), Some(site)) = (self.image.page(number), self.image.site(number)) else {
            return (Vec::new(), 0);
        };
        let Ok(page) = Page::read_as(Kind::TableLeaf, number, &bytes, self.image.usable()) else {
            return (Vec::new(), 0);
        };
        let encoding = self.image.encoding();
        let named = Page::read(number, &bytes, self.image.usable()).ok().filter(Page::is_sound);
        let flags = if named.is_some() { row::STRAY | row::SUSPECT } else { row::STRAY };
        let known =
            named.iter().flat_map(Page::cells).flatten().map(|cell| (cell.offset, cell.size)).collect();
        let table_of = |cell: &Cell<'_>| {
            let lacking = tables.iter().filter(|table| self.lacks(**table, cell.rowid));
            let fits = lacking.filter_map(|&table| {
                Some((leaf::sure_fit(&catalog.tables.get(table)?.table, cell, encoding)?, table))
            });
            fits.min().map(|(_, table)| table)
        };
        let spot = Spot { source: self.source, page: number, site, encoding };
        let cells = page.cells_outside(known, |cell| table_of(cell).is_some());
        let row = |cell: Cell<'_>| {
            let mut row = spot.row(cell.rowid, cell.offset);
            row.mark(row::CHAINED, cell.payload.is_some_and(|payload| payload.overflow.is_some()));
            Some((table_of(&cell)?, row))
        };
        (cells.into_iter().filter_map(row).collect(), flags)
    }

    /// Adds `rows`, with the tables that they are of, if their chains are whole.
    fn take(&mut self, catalog: &Catalog, rows: Vec<(usize, Row)>, flags: u8) {
        // Chains may go through pages that are said to be unused.
        let free = HashSet::new();
        for (table, row) in rows {
            let mut leaf = Leaf { rows: vec![row], ..Leaf::default() };
            self.complete(catalog, table, &mut leaf, &free);
            let Some(rows) = self.tables.get_mut(table) else { continue };
            for mut row in leaf.rows {
                row.mark(flags, true);
                rows.adopted.push(row);
            }
        }
    }
}
