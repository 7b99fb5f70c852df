//! What a source says of itself: its schema, the numbers that it has given out, how far its history has come.

use std::collections::HashMap;

use super::page_scan;
use crate::failure::Outcome;
use crate::ondisk::btree;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::salvage::Pass;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::{Catalog, SchemaEntry};
use crate::work::threads::in_order;

const EVENTS: &str = "task_events";
/// How many of the newest events tell how far a history has come.
const NEWEST: usize = 100;

impl Pass<'_, '_> {
    /// The schema rows: from page 1, and where that fails from every leaf that holds some. Also whether page 1 led to all.
    pub(crate) fn schema(&mut self) -> Outcome<(Vec<SchemaEntry>, bool)> {
        let walk = btree::walk_table(self.image, 1, &mut self.seen);
        let mut entries = Vec::new();
        let mut whole = walk.lost.is_empty();
        let mut is_misled = false;
        for place in &walk.leaves {
            let (found, sound) = self.entries_of(place.page);
            if found.is_empty() && self.has_cells(place.page) {
                // The pointer is wrong: the leaf is one of another table.
                self.seen.leave(place.page);
                is_misled = true;
            }
            entries.extend(found);
            whole &= sound;
        }
        whole &= !is_misled;
        whole &= !entries.is_empty();
        if is_misled || !walk.lost.is_empty() || entries.is_empty() {
            self.damaged.extend(walk.lost.iter().map(|place| place.page));
            let mut leaves = Vec::new();
            let image = self.image;
            let find = |piece| page_scan::schema_leaves(image, piece);
            in_order(page_scan::pieces(image), self.threads, find, |_, found| {
                leaves.extend(found);
                Ok(())
            })?;
            for number in leaves {
                let found = if self.seen.contains(number) { Vec::new() } else { self.entries_of(number).0 };
                if !found.is_empty() {
                    self.seen.enter(number);
                    entries.extend(found);
                }
            }
        }
        Ok((entries, whole))
    }

    /// The schema rows on page `number`, and whether the page is whole.
    fn entries_of(&mut self, number: u32) -> (Vec<SchemaEntry>, bool) {
        let bytes = self.image.page(number).unwrap_or_default();
        let page = Page::read(number, &bytes, self.image.usable());
        let Some(page) = page.ok().filter(|page| page.kind() == PageKind::TableLeaf) else {
            return (Vec::new(), false);
        };
        let encoding = self.image.encoding();
        let mut entries = Vec::new();
        for cell in page.cells().flatten() {
            let Some(payload) = cell.payload else { continue };
            // A chain is followed, and its pages taken, for a schema row only.
            if !Record::prefix(payload.local).is_ok_and(|record| SchemaEntry::is_likely(&record, encoding)) {
                continue;
            }
            let followed = self.chains.claim(&cell, self.image, &self.seen, &self.free);
            let Some(followed) = followed else { continue };
            let record = Record::read(&followed.bytes);
            entries.extend(record.ok().and_then(|record| SchemaEntry::read(&record, encoding)));
        }
        (entries, page.is_sound())
    }

    /// `sqlite_sequence` as found.
    pub(crate) fn sequences(&mut self, catalog: &Catalog) -> HashMap<String, i64> {
        let mut sequences = HashMap::new();
        let Some(root) = catalog.sequence_root else { return sequences };
        let walk = btree::walk_table(self.image, root, &mut self.seen);
        for place in walk.leaves {
            let bytes = self.image.page(place.page).unwrap_or_default();
            let Ok(page) = Page::read(place.page, &bytes, self.image.usable()) else { continue };
            for cell in page.cells().flatten() {
                let record = cell.payload.and_then(|payload| Record::read(payload.local).ok());
                let Some(record) = record else { continue };
                let mut values = record.values();
                if let (Some(Value::Text(name)), Some(Value::Integer(last)), None) =
                    (values.next(), values.next(), values.next())
                    && let Ok(name) = String::from_utf8(self.image.encoding().decode(name).into_owned())
                {
                    sequences.insert(name, last);
                }
            }
        }
        sequences
    }

    /// How far the history has come.
    pub(crate) fn evidence(&self, catalog: &Catalog, sequences: &HashMap<String, i64>) -> (i64, i64) {
        let events = catalog.position(EVENTS);
        let Some((tree, rows)) = events.and_then(|at| Some((catalog.tables.get(at)?, self.tables.get(at)?)))
        else {
            return (0, 0);
        };
        let column = tree.table.columns.iter().position(|column| column.name == "created_at");
        let time = |row: &Row| {
            let mut bytes = self.image.page_at(row.site())?;
            let cell = row.cell_in(&mut bytes, None, self.image.usable())?;
            match Record::prefix(cell.payload?.local).ok()?.values().nth(column?)? {
                Value::Integer(time) => Some(time),
                _ => None,
            }
        };
        let sure = rows.whole.iter_back().filter(|row| !row.is_suspect() && row.odd == 0);
        let newest = sure.take(NEWEST).filter_map(|row| time(&row)).max();
        let last = rows.whole.last().map(|row| row.rowid);
        (newest.unwrap_or(0), last.max(sequences.get(EVENTS).copied()).unwrap_or(0))
    }
}
