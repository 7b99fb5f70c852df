//! Rows that were deleted and whose bytes are still there: in superseded frames of the log, in the main file's pages beneath
//! it, in cells that a page has given up, in pages on the freelist.
//!
//! Hermes overwrites what it deletes in the main file (`secure_delete`); other programs do not. These rows are older than
//! the result and come in only when they are asked for. Not here: rows that were lost ([`super::older_images`],
//! [`super::freed_cells`]).

use std::collections::HashSet;

use crate::salvage::Pass;
use crate::salvage::image::PageImage;
use crate::salvage::passes::leaf::SalvagedLeaf;
use crate::salvage::rows::row;
use crate::salvage::schema::Catalog;

impl Pass<'_, '_> {
    /// Collect deleted rows, the newest version of each.
    pub(crate) fn take_deleted(&mut self, catalog: &Catalog, layout: &PageImage<'_>) {
        let named: Vec<usize> =
            (0..self.tables.len()).filter(|table| is_told_apart(catalog, *table)).collect();
        let mut taken = HashSet::new();
        let images = layout.earlier(!self.log_counts);
        let mut freed: Vec<u32> = self.unused.iter().copied().collect();
        freed.sort_unstable();
        let freed = freed.into_iter().filter_map(|page| Some((page, self.image.site(page)?)));
        let images: Vec<_> = images.into_iter().chain(freed).collect();
        let seen = self.seen.clone();
        let free = HashSet::new();
        for (number, site) in images {
            let found = self.scan(catalog, &seen, &free).image_at(number, site);
            if let Some((table, leaf)) = found.filter(|(table, _)| named.contains(table)) {
                self.set_deleted(catalog, table, leaf, &mut taken);
            }
        }
        let leaves = self.places.iter().map(|placed| (placed.table, placed.place.page));
        let places: Vec<_> =
            leaves.chain(self.interiors.iter().copied()).filter(|(table, _)| named.contains(table)).collect();
        for (table, page) in places {
            let bytes = self.image.page(page).unwrap_or_default();
            let is_gone = |table: usize, rowid| self.tables.get(table).is_some_and(|rows| !rows.has(rowid));
            for (table, row) in self.rows_anywhere(catalog, page, &bytes, &[table], &is_gone).0 {
                let leaf = SalvagedLeaf { rows: vec![row], ..SalvagedLeaf::default() };
                self.set_deleted(catalog, table, leaf, &mut taken);
            }
        }
    }

    /// Keep the rows of `leaf` that the table has not and that were not taken before.
    fn set_deleted(
        &mut self,
        catalog: &Catalog,
        table: usize,
        mut leaf: SalvagedLeaf,
        taken: &mut HashSet<(usize, i64)>,
    ) {
        let Some(rows) = self.tables.get(table) else { return };
        leaf.rows.retain(|row| !rows.has(row.rowid) && !taken.contains(&(table, row.rowid)));
        if leaf.rows.is_empty() {
            return;
        }
        // One whose overflow chain is gone is not lost: it was deleted.
        let (gaps, partial) = (rows.gaps.clone(), rows.partial.len());
        self.complete(catalog, table, &mut leaf, &HashSet::new());
        let Some(rows) = self.tables.get_mut(table) else { return };
        rows.gaps = gaps;
        rows.partial.truncate(partial);
        for mut row in leaf.rows {
            row.mark(row::EARLIER | row::SUSPECT, true);
            taken.insert((table, row.rowid));
            rows.older.push(row);
        }
    }
}

/// True if rows of the table can be told from those of others, and its rowids are numbers of rows.
fn is_told_apart(catalog: &Catalog, table: usize) -> bool {
    catalog.tables.get(table).is_some_and(|tree| !tree.table.is_nameless() && tree.table.keyed.is_none())
}
