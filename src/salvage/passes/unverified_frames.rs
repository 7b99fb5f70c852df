//! Rows of frames that are not what their checksum says, though their pages look whole.
//!
//! Something on such a page was altered, and nothing says what. A row that the page had before, just so, is as it was. One
//! that differs was changed since or is the wound's; where rows never change, it is the wound's. What is new there stands
//! alone and is suspect.

use std::collections::{HashMap, HashSet};

use crate::hermes::APPEND_ONLY_TABLES;
use crate::ondisk::btree::Range;
use crate::ondisk::image::Site;
use crate::salvage::Pass;
use crate::salvage::image::PageImage;
use crate::salvage::passes::leaf::SalvagedLeaf;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::Catalog;

/// What is to become of a row of such a frame.
enum FrameTrust {
    Stays,
    /// Nothing vouches for it.
    Doubted,
    Yields(Row),
}

impl Pass<'_, '_> {
    /// Weighs the rows of frames that nothing vouches for against those that their pages had before.
    pub(crate) fn weigh_unsure(&mut self, catalog: &Catalog, layout: &PageImage<'_>) {
        let unsure: HashMap<Site, u32> =
            layout.laid.unsure.iter().map(|&(page, offset)| (Site { in_log: true, offset }, page)).collect();
        if unsure.is_empty() {
            return;
        }
        let mut doubted = HashSet::new();
        let mut before: HashMap<Site, Option<(usize, Vec<Row>)>> = HashMap::new();
        let mut tables = std::mem::take(&mut self.tables);
        for (at, rows) in tables.iter_mut().enumerate() {
            let Some(tree) = catalog.tables.get(at) else { continue };
            let fixed = APPEND_ONLY_TABLES.contains(&tree.table.name.as_str());
            let mut weighed = |mut row: Row| {
                let site = row.site();
                let Some(&page) = unsure.get(&site) else { return row };
                let older = before.entry(site).or_insert_with(|| self.before(catalog, layout, page));
                let older = older.as_ref().filter(|(table, _)| *table == at).map(|(_, rows)| rows.as_slice());
                match self.weigh(&row, older.unwrap_or_default(), fixed) {
                    FrameTrust::Stays => {}
                    FrameTrust::Doubted => {
                        row.mark(row::SUSPECT, true);
                        doubted.insert(site);
                    }
                    FrameTrust::Yields(older) => row = older,
                }
                row
            };
            rows.whole.update(&mut weighed);
            for row in &mut rows.partial {
                *row = weighed(*row);
            }
        }
        self.tables = tables;
        for (site, page) in unsure {
            let read = self.leaf_at(catalog, page, site);
            if read.is_none_or(|(_, leaf)| leaf.unread > 0 || !leaf.hollow.is_empty()) {
                doubted.insert(site);
            }
            let older = before.remove(&site).unwrap_or_else(|| self.before(catalog, layout, page));
            let Some((table, older)) = older else { continue };
            let Some(rows) = self.tables.get_mut(table) else { continue };
            let gone: Vec<Row> = older.into_iter().filter(|row| !rows.has(row.rowid)).collect();
            for row in gone {
                // Deleted since, or hit: an index tells, if there is a whole one.
                doubted.insert(site);
                rows.gaps.add(Range { low: row.rowid.checked_sub(1), high: Some(row.rowid) });
            }
        }
        self.doubted_frames = doubted.len() as u64;
    }

    /// The rows that `page` had before the frame that stands for it, and the number of their table.
    fn before(&self, catalog: &Catalog, layout: &PageImage<'_>, page: u32) -> Option<(usize, Vec<Row>)> {
        let (_, site) = layout.earlier(true).into_iter().find(|(number, _)| *number == page)?;
        self.leaf_at(catalog, page, site).map(|(table, leaf)| (table, leaf.rows))
    }

    fn leaf_at(&self, catalog: &Catalog, page: u32, site: Site) -> Option<(usize, SalvagedLeaf)> {
        self.scan(catalog, &self.seen, &self.free).image_at(page, site)
    }

    fn weigh(&self, row: &Row, older: &[Row], fixed: bool) -> FrameTrust {
        let Some(older) = older.iter().find(|older| older.rowid == row.rowid) else {
            return FrameTrust::Doubted;
        };
        if self.in_cell(row).is_some_and(|bytes| Some(bytes) == self.in_cell(older)) {
            FrameTrust::Stays
        } else if fixed && !older.is(row::CHAINED | row::MENDED) {
            let mut older = *older;
            older.mark(row::EARLIER, true);
            FrameTrust::Yields(older)
        } else {
            FrameTrust::Doubted
        }
    }

    /// What of `row` is in its cell, and where it goes on.
    fn in_cell(&self, row: &Row) -> Option<(Vec<u8>, Option<u32>)> {
        let mut bytes = self.image.page_at(row.site())?;
        let payload = row.cell_in(&mut bytes, None, self.image.usable())?.payload?;
        Some((payload.local.to_vec(), payload.overflow))
    }
}
