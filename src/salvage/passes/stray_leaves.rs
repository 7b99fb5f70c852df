//! Leaves that no tree reaches: their rows come in where the table has room for them.

use std::collections::{HashMap, HashSet};

use super::leaf::SalvagedLeaf;
use crate::ondisk::btree::Range;
use crate::salvage::rows::row;
use crate::salvage::schema::Catalog;
use crate::salvage::{Pass, Stray};

impl Pass<'_, '_> {
    /// Adds the leaves that only their shape vouches for: their rows come in where rows are missing, or behind the last row of
    /// a table that has given out such numbers.
    pub(crate) fn adopt(
        &mut self,
        catalog: &Catalog,
        mut strays: Vec<Stray>,
        sequences: &HashMap<String, i64>,
    ) {
        strays.retain(|stray| !self.chains.has_claimed(stray.page) && self.seen.enter(stray.page));
        strays.sort_by_key(|stray| (stray.table, stray.low, stray.page));
        let free = std::mem::take(&mut self.free);
        let mut last: Option<(usize, i64)> = None;
        for stray in strays {
            self.damaged.insert(stray.page);
            let mut leaf =
                stray.leaf.unwrap_or_else(|| self.read_again(catalog, stray.table, stray.page, &free));
            self.complete(catalog, stray.table, &mut leaf, &free);
            self.blob_texts += leaf.blob_texts;
            let name = catalog.tables.get(stray.table).map(|tree| &tree.table.name);
            let given_out = name.and_then(|name| sequences.get(name)).copied();
            let ids = || leaf.rows.iter().map(|row| row.rowid);
            let Some(rows) = self.tables.get_mut(stray.table) else { continue };
            rows.unread += leaf.unread;
            rows.set_apart(leaf.hollow);
            let (Some(low), Some(high)) = (ids().min(), ids().max()) else { continue };
            let before = last.filter(|(table, _)| *table == stray.table).map(|(_, high)| high);
            let alone = before.is_none_or(|before| before < low)
                && !rows.has_between(low, high)
                && given_out.is_none_or(|last| high <= last);
            last = Some((stray.table, before.map_or(high, |before| before.max(high))));
            if !leaf.sound || leaf.unread > 0 {
                rows.gaps.add(Range { low: low.checked_sub(1), high: Some(high) });
            }
            for mut row in leaf.rows {
                row.mark(row::STRAY, true);
                let own = self.log_counts && row.site().in_log;
                if !own && (rows.has(row.rowid) || !(alone || rows.gaps.contains(row.rowid))) {
                    rows.stray += 1;
                } else {
                    rows.whole.push(row);
                }
            }
        }
        self.free = free;
        self.settle();
    }

    /// The rows of `table` on the stray leaf `page`.
    pub(crate) fn read_again(
        &self,
        catalog: &Catalog,
        table: usize,
        page: u32,
        free: &HashSet<u32>,
    ) -> SalvagedLeaf {
        let scan = self.scan(catalog, &self.seen, free);
        scan.stray_leaf(table, page)
    }

    /// Puts rows that came in among the others.
    pub(crate) fn settle(&mut self) {
        for rows in &mut self.tables {
            rows.settle();
        }
    }
}
