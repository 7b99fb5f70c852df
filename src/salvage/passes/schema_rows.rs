//! What a source says of itself: its schema, the numbers that it has given out, how far its history has come.

use std::borrow::Cow;
use std::collections::HashMap;

use super::lost_sectors::{self, PayloadPart};
use super::page_scan;
use crate::failure::Outcome;
use crate::ondisk::btree;
use crate::ondisk::image::Site;
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::salvage::Pass;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::column_sets::TextRemains;
use crate::salvage::schema::{Catalog, SchemaEntry, TextOrigin};
use crate::work::threads::in_order;

const EVENTS: &str = "task_events";
/// The column of a schema row that holds its text.
const SQL: usize = 4;
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
        let mut whole = page.is_sound();
        for cell in page.cells().flatten() {
            let Some(payload) = cell.payload else { continue };
            // A chain is followed, and its pages taken, for a schema row only.
            if !Record::prefix(payload.local).is_ok_and(|record| SchemaEntry::is_likely(&record, encoding)) {
                whole = false;
                continue;
            }
            let entry = self.entry_of(&bytes, number, &cell);
            whole &= entry.as_ref().is_some_and(|entry| entry.text == TextOrigin::Whole);
            entries.extend(entry);
        }
        (entries, whole)
    }

    /// The schema row in `cell` of page `number`, as far as its text is there.
    fn entry_of(&mut self, bytes: &[u8], number: u32, cell: &Cell<'_>) -> Option<SchemaEntry> {
        let (image, encoding) = (self.image, self.image.encoding());
        let payload = cell.payload?;
        let followed = self.chains.claim(cell, image, &self.seen, &self.free);
        let is_whole = followed.is_some();
        let (left, pages) = if let Some(followed) = followed {
            let page = |site: Site| (image.page_at(site).unwrap_or_default(), site);
            (followed.bytes, followed.sites.into_iter().map(page).collect())
        } else {
            let (mut left, mut pages) = (payload.local.to_vec(), Vec::new());
            let need = payload.len.saturating_sub(left.len() as u64);
            // An error leaves what came before it, which is what is wanted.
            let _ = overflow::follow(payload.overflow?, need, image.usable(), &mut left, |_, next, last| {
                let is_link = |page: &Cow<'_, [u8]>| overflow::is_link(page, last, image.count(), false);
                let page = image.page(next).filter(is_link)?;
                pages.push((page.clone(), image.site(next)?));
                Some(page)
            });
            (left, pages)
        };
        let own = PayloadPart::of(bytes, image.site(number)?, cell);
        let parts = lost_sectors::parts(own, &pages, image.usable(), left.len());
        let holes = lost_sectors::holes(&left, &parts);
        let record = Record::prefix(&left).ok()?;
        if is_whole && holes.is_empty() {
            return SchemaEntry::read(&Record::read(&left).ok()?, encoding);
        }
        if holes.iter().any(|hole| hole.column != SQL) {
            return None;
        }
        let whole_text = record.values().nth(SQL).or_else(|| record.cut().map(|cut| cut.value));
        let remains = match whole_text {
            Some(Value::Text(text)) => {
                let start = holes.iter().map(|hole| hole.at).min().unwrap_or(text.len());
                let end = holes.iter().map(|hole| hole.at + hole.bytes).max();
                let end = end.filter(|_| is_whole).unwrap_or(text.len());
                let text_of = |bytes: Option<&[u8]>| {
                    String::from_utf8_lossy(&encoding.decode(bytes.unwrap_or_default())).into_owned()
                };
                TextRemains::read(&text_of(text.get(..start)), &text_of(text.get(end..)))
            }
            _ => TextRemains::default(),
        };
        SchemaEntry::read_damaged(&record, encoding, remains)
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
