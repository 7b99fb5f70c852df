//! Rows of a transaction that never ended: in frames behind the last commit of the log, and nowhere else.
//!
//! They were never on the board, or the frame that committed them is lost; which of the two nothing says. So they are told
//! and offered apart, whole as they may be, and never brought back (docs/recovery.md).

use std::collections::HashSet;

use crate::salvage::Pass;
use crate::salvage::image::PageImage;
use crate::salvage::rows::row;
use crate::salvage::schema::Catalog;

impl Pass<'_, '_> {
    /// Looks for rows that only frames behind the last commit have.
    pub(crate) fn look_ahead(&mut self, catalog: &Catalog, layout: &PageImage<'_>) {
        let scan = self.scan(catalog, &self.seen, &self.free);
        let mut met = HashSet::new();
        for (number, site) in layout.uncommitted() {
            let Some((table, leaf)) = scan.image_at(number, site) else { continue };
            let Some(rows) = self.tables.get_mut(table) else { continue };
            for row in leaf.rows {
                let new =
                    !row.is(row::MENDED) && !rows.whole.has(row.rowid) && met.insert((table, row.rowid));
                rows.uncommitted.extend(new.then_some(row));
            }
        }
    }
}
