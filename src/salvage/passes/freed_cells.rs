//! Rows where no page says that there are any: in pages whose header is lost, in what a page keeps of cells that have moved
//! on, and in pages that the list of unused ones names.
//!
//! They come in only where their table has lost rows, and where an index of it that is whole names them. What an unused part
//! holds may be older than what was lost. Where rows change no more that is no matter; such rows are suspect, so that a copy's
//! row stands above them. Where they do, nothing tells: two boards whose only difference is what the lost row said leave the
//! same bytes. A task that was ready once would be run again, so that these are left out as those of an older copy are.

use std::collections::HashSet;

use super::page_scan;
use crate::failure::Outcome;
use crate::hermes::APPEND_ONLY_TABLES;
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::salvage::passes::leaf::{self, SalvagedLeaf, Spot};
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::Catalog;
use crate::salvage::{Pass, Stray};
use crate::work::progress::{Stage, Watch};
use crate::work::threads::in_order;

/// The table whose rows are all key: they come and go and do not change either.
const LINKS: &str = "task_links";

/// Its rows change until they have an end; of those that have, a later `edit` may only reword the summary (docs/board-format.md, 4.5).
const RUNS: &str = "task_runs";

/// Rows that were found on a page, with their tables, and how they are to be marked.
pub(crate) type Remnants = (Vec<(usize, Row)>, u8);

impl Pass<'_, '_> {
    /// Looks into the pages in `unknown`.
    pub(crate) fn take_unknown(&mut self, catalog: &Catalog, unknown: &[u32]) {
        let poor: Vec<usize> = (0..self.tables.len()).filter(|table| self.is_poor(catalog, *table)).collect();
        if poor.is_empty() {
            return;
        }
        for &page in unknown {
            if !self.chains.has_claimed(page) {
                self.damaged.insert(page);
                let bytes = self.image.page(page).unwrap_or_default();
                let lacks = |table, rowid| self.lacks(table, rowid);
                let remnants = self.rows_anywhere(catalog, page, &bytes, &poor, &lacks);
                self.take(catalog, remnants, false);
            }
        }
        self.settle();
    }

    /// Looks into the unused parts of the pages of tables that have lost rows.
    ///
    /// # Errors
    /// Whatever `watch` stops with.
    pub(crate) fn take_unused(&mut self, catalog: &Catalog, watch: &mut dyn Watch) -> Outcome<()> {
        let poor: HashSet<usize> =
            (0..self.tables.len()).filter(|table| self.is_poor(catalog, *table)).collect();
        // A root that was a leaf once keeps its rows of then.
        let leaves = self.places.iter().map(|placed| (placed.table, placed.place.page));
        let leaves = leaves.filter(|(_, page)| !self.blank.contains(*page));
        let all = leaves.chain(self.interiors.iter().copied());
        let mut places: Vec<_> = all.filter(|(table, _)| poor.contains(table)).collect();
        places.sort_unstable_by_key(|(_, page)| *page);
        let pieces: Vec<_> =
            places.chunk_by(|(_, one), (_, other)| self.piece_of(*one) == self.piece_of(*other)).collect();
        let mut found = Vec::new();
        let read = |at: usize| pieces.get(at).map_or_else(Vec::new, |piece| self.remnants_in(catalog, piece));
        in_order(pieces.len(), self.threads, read, |at, remnants| {
            watch.step(Stage::Salvage, at as u64, pieces.len() as u64)?;
            found.extend(remnants);
            Ok(())
        })?;
        for remnants in found {
            // Of a page that is not sound they may be what it had last.
            let may_be_older = remnants.1 & row::SUSPECT != 0;
            self.take(catalog, remnants, may_be_older);
        }
        self.settle();
        Ok(())
    }

    fn piece_of(&self, page: u32) -> u32 {
        page.saturating_sub(1) / page_scan::stride(self.image)
    }

    /// What the unused parts of `places` hold, which are tables and pages of one piece.
    fn remnants_in(&self, catalog: &Catalog, places: &[(usize, u32)]) -> Vec<Remnants> {
        let (Some((_, first)), Some((_, last))) = (places.first(), places.last()) else { return Vec::new() };
        let piece = self.image.piece(*first, last - first + 1);
        let remnants = places.iter().map(|(table, page)| {
            let bytes = piece.page(*page).unwrap_or_default();
            self.rows_anywhere(catalog, *page, &bytes, &[*table], &|table, rowid| self.lacks(table, rowid))
        });
        remnants.filter(|(rows, _)| !rows.is_empty()).collect()
    }

    /// Adds leaves of pages that are said to be unused. Hermes has SQLite overwrite what it gives up, so that rows there speak
    /// against the list; where another program deleted them, an index that is whole does not name them.
    pub(crate) fn adopt_free(&mut self, catalog: &Catalog, strays: Vec<Stray>) {
        for stray in strays {
            if self.chains.has_claimed(stray.page) || !self.seen.enter(stray.page) {
                continue;
            }
            let leaf = stray.leaf.unwrap_or_else(|| {
                let free = HashSet::new();
                self.read_again(catalog, stray.table, stray.page, &free)
            });
            let rows = leaf.rows.into_iter().filter(|row| self.lacks(stray.table, row.rowid));
            let rows: Vec<_> = rows.map(|row| (stray.table, row)).collect();
            if !rows.is_empty() {
                self.damaged.insert(stray.page);
            }
            self.take(catalog, (rows, row::STRAY | row::SUSPECT), false);
        }
        self.settle();
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

    /// Rows of `tables` that lie anywhere in `bytes`, which are page `number`, outside the cells that it has if it is whole:
    /// what a whole page does not use is not what it had last. `wants` says which rowids of which table count.
    pub(crate) fn rows_anywhere(
        &self,
        catalog: &Catalog,
        number: u32,
        bytes: &[u8],
        tables: &[usize],
        wants: &dyn Fn(usize, i64) -> bool,
    ) -> Remnants {
        let usable = self.image.usable();
        let (Some(site), Ok(page)) =
            (self.image.site(number), Page::read_as(PageKind::TableLeaf, number, bytes, usable))
        else {
            return Remnants::default();
        };
        let encoding = self.image.encoding();
        let named = Page::read(number, bytes, usable).ok().filter(Page::is_sound);
        let flags = if named.is_some() { row::STRAY | row::SUSPECT } else { row::STRAY };
        let known =
            named.iter().flat_map(Page::cells).flatten().map(|cell| (cell.offset, cell.size)).collect();
        let table_of = |cell: &Cell<'_>| {
            // Nearly all readings end here.
            let is_whole = || self.image.is_whole(site, cell.offset, cell.size);
            if !leaf::may_be_row(cell) || leaf::has_hole(bytes, site, cell) || !is_whole() {
                return None;
            }
            let lacking = tables.iter().filter(|table| wants(**table, cell.rowid));
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

    /// Adds the rows whose chains are whole; those that `may_be_older` than what was lost only where that makes no difference.
    fn take(&mut self, catalog: &Catalog, (rows, flags): Remnants, may_be_older: bool) {
        // Chains may go through pages that are said to be unused.
        let free = HashSet::new();
        for (table, row) in rows {
            let mut leaf = SalvagedLeaf { rows: vec![row], ..SalvagedLeaf::default() };
            self.complete(catalog, table, &mut leaf, &free);
            for mut row in leaf.rows {
                row.mark(flags, true);
                let is_older = may_be_older && !self.is_final(catalog, table, &row);
                let Some(rows) = self.tables.get_mut(table) else { continue };
                if is_older {
                    rows.older.push(row);
                } else {
                    rows.whole.push(row);
                }
            }
        }
    }

    /// Whether `row` was not changed after it was as it is: no row of its table is, or it is a run that has ended.
    fn is_final(&self, catalog: &Catalog, table: usize, row: &Row) -> bool {
        let Some(table) = catalog.tables.get(table).map(|tree| &tree.table) else { return false };
        if table.name != RUNS {
            return APPEND_ONLY_TABLES.contains(&table.name.as_str()) || table.name == LINKS;
        }
        let ended = table.columns.iter().position(|column| column.name == "ended_at");
        let flip = row.oddity(&self.odds).and_then(|odd| odd.flip);
        let time = || {
            let mut bytes = self.image.page_at(row.site())?;
            let cell = row.cell_in(&mut bytes, flip, self.image.usable())?;
            let time = Record::prefix(cell.payload?.local).ok()?.values().nth(ended?)?;
            matches!(time, Value::Integer(_)).then_some(())
        };
        time().is_some()
    }
}
