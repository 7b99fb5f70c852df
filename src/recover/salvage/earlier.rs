//! Earlier images of pages, for rows that the current ones have lost: superseded frames of the log, what it has not
//! written over since it began anew, the main file's page beneath it.
//!
//! A row comes from there only where the current pages lack it and nothing shows that it was deleted: inside a gap, and
//! where an index is whole, only if that names it (recovery.md, "What decides it", 3).

use std::collections::HashSet;

use super::Work;
use crate::recover::catalog::Catalog;
use crate::recover::layout::Layout;
use crate::recover::row;

impl Work<'_, '_> {
    /// Fills gaps with rows of earlier images, from the newest image to the oldest.
    pub(super) fn look_back(&mut self, catalog: &Catalog, layout: &Layout<'_>) {
        if self.tables.iter().all(|rows| rows.gaps.is_empty()) {
            return;
        }
        let free = std::mem::take(&mut self.free);
        let seen = self.seen.clone();
        let mut filled = HashSet::new();
        for (number, site) in layout.earlier(!self.log_counts) {
            let scan = self.scan(catalog, &seen, &free);
            let Some((table, mut leaf)) = scan.image_at(number, site) else { continue };
            let Some(rows) = self.tables.get(table) else { continue };
            leaf.rows.retain(|row| {
                rows.gaps.contains(row.rowid) && !rows.has(row.rowid) && !filled.contains(&(table, row.rowid))
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
}
