//! Earlier images of pages, for rows that the current ones have lost: superseded frames of the log, what it has not
//! written over since it restarted, the main file's page beneath it.
//!
//! A row comes from there only where the current pages lack it and nothing shows that it was deleted: inside a gap, and
//! where an index is whole, only if that names it (docs/recovery.md). Where a log lies over a main file of
//! another moment, leaves are older than the indexes over them: a row that a page of an index in the log names, and the leaf
//! in the main file has not, was there.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::tree_walk::indexes_of;
use crate::ondisk::btree;
use crate::ondisk::page::Page;
use crate::salvage::Pass;
use crate::salvage::image::PageImage;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row;
use crate::salvage::schema::Catalog;

impl Pass<'_, '_> {
    /// Fills gaps with rows of earlier images, from the newest image to the oldest.
    pub(crate) fn look_back(&mut self, catalog: &Catalog, layout: &PageImage<'_>) {
        let earlier = layout.earlier(!self.log_counts);
        if earlier.is_empty() {
            return;
        }
        let named = self.named_by_log(catalog);
        if named.is_empty() && self.tables.iter().all(|rows| rows.gaps.is_empty()) {
            return;
        }
        let free = std::mem::take(&mut self.free);
        let seen = self.seen.clone();
        let mut filled = HashSet::new();
        for (number, site) in earlier {
            let scan = self.scan(catalog, &seen, &free);
            let Some((table, mut leaf)) = scan.image_at(number, site) else { continue };
            let Some(rows) = self.tables.get(table) else { continue };
            let is_missing = |rowid: i64| {
                rows.gaps.contains(rowid) || named.get(&table).is_some_and(|named| named.contains(&rowid))
            };
            leaf.rows.retain(|row| {
                is_missing(row.rowid) && !rows.has(row.rowid) && !filled.contains(&(table, row.rowid))
            });
            if leaf.rows.is_empty() {
                continue;
            }
            self.complete(catalog, table, &mut leaf, &free);
            let Some(rows) = self.tables.get_mut(table) else { continue };
            for mut row in leaf.rows {
                // A better copy of the row is one that is of its own moment.
                row.mark(row::EARLIER | row::SUSPECT, true);
                filled.insert((table, row.rowid));
                rows.whole.push(row);
            }
        }
        self.free = free;
        self.settle();
    }

    /// By table, the rows that pages of its indexes in the log name and that a leaf in the main file should have and has not.
    fn named_by_log(&self, catalog: &Catalog) -> HashMap<usize, BTreeSet<i64>> {
        let of_table = indexes_of(catalog);
        let in_log = |page: u32| self.image.site(page).is_some_and(|site| site.in_log);
        let mut all = HashMap::new();
        for (table, tree) in catalog.tables.iter().enumerate() {
            let indexes = of_table.get(tree.table.name.as_str()).into_iter().flatten();
            let pages = indexes.filter_map(|at| self.indexes.get(*at)).flatten();
            let mut pages = pages.filter(|page| in_log(**page)).peekable();
            let Some(rows) = self.tables.get(table).filter(|_| pages.peek().is_some()) else { continue };
            let presence = rows.presence();
            let mut named = BTreeSet::new();
            for &page in pages {
                let bytes = self.image.page(page).unwrap_or_default();
                if let Ok(page) = Page::read(page, &bytes, self.image.usable())
                    && page.is_sound()
                {
                    btree::index_rowids(&page, |rowid| {
                        if !presence.has(rowid) {
                            named.insert(rowid);
                        }
                    });
                }
            }
            if !named.is_empty() {
                let mut beneath = Gaps::default();
                let leaves = self.places.iter().filter(|placed| placed.table == table);
                for placed in leaves.filter(|placed| !in_log(placed.place.page)) {
                    beneath.add(placed.place.range);
                }
                named.retain(|rowid| beneath.contains(*rowid));
            }
            if !named.is_empty() {
                all.insert(table, named);
            }
        }
        all
    }
}
