//! The schema table as it stands: only a whole one lets pages stay where they are.

use std::collections::HashSet;

use crate::ondisk::btree::{VisitedPages, walk_table};
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page};
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::salvage::schema::SchemaEntry;

/// The schema's rows, and every page that they take.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) entries: Vec<SchemaEntry>,
    pub(crate) pages: Vec<u32>,
}

/// The schema of `image`, which is in UTF-8; `None` when any page of it, any chain or any row is not whole, or two rows share a name or a
/// root page.
pub(crate) fn read(image: &Image<'_>) -> Option<Schema> {
    let walk = walk_table(image, 1, &mut VisitedPages::new(image));
    if !walk.lost.is_empty() {
        return None;
    }
    let mut schema = Schema { entries: Vec::new(), pages: walk.interiors };
    for number in &schema.pages {
        let bytes = image.page(*number)?;
        Page::read(*number, &bytes, image.usable()).ok().filter(Page::is_sound)?;
    }
    for place in walk.leaves {
        schema.pages.push(place.page);
        let bytes = image.page(place.page)?;
        let page = Page::read(place.page, &bytes, image.usable()).ok().filter(Page::is_sound)?;
        for cell in page.cells() {
            let payload = payload(image, &cell.ok()?, &mut schema.pages)?;
            let record = Record::read(&payload).ok()?;
            if !record.values().all(is_text) {
                return None;
            }
            schema.entries.push(SchemaEntry::read(&record, Encoding::Utf8)?);
        }
    }
    schema.is_consistent().then_some(schema)
}

/// Whether `value` is UTF-8 if it is a text: others are read as what they are not.
fn is_text(value: Value<'_>) -> bool {
    !matches!(value, Value::Text(bytes) if std::str::from_utf8(bytes).is_err())
}

/// The payload of `cell`; the overflow pages that it takes are added to `pages`.
fn payload(image: &Image<'_>, cell: &Cell<'_>, pages: &mut Vec<u32>) -> Option<Vec<u8>> {
    let payload = cell.payload?;
    let mut bytes = payload.local.to_vec();
    if let Some(first) = payload.overflow {
        let need = payload.len.checked_sub(payload.local.len() as u64)?;
        if need > u64::from(image.count()) * image.usable() as u64 {
            return None;
        }
        let is_link = |page: &[u8], last| overflow::is_link(page, last, image.count(), false);
        let fetch = |_: &[u8], number, last| image.page(number).filter(|page| is_link(page, last));
        let chain = overflow::follow(first, need, image.usable(), &mut bytes, fetch).ok()?;
        pages.extend(chain);
    }
    Some(bytes)
}

impl Schema {
    fn is_consistent(&self) -> bool {
        let mut names = HashSet::new();
        let mut taken: HashSet<u32> = HashSet::new();
        self.pages.iter().all(|page| taken.insert(*page))
            && self.entries.iter().all(|entry| names.insert(&entry.name))
            && self.entries.iter().all(|entry| entry.root == 0 || taken.insert(entry.root))
    }
}
