//! One source's pages into rows, each with its place.
//!
//! Walks the trees from the schema; then sweeps the pages that no walk reached and puts them into the table whose shape
//! they have. Says of each table where rows may be missing, which is what lets `merge` tell a lost row from a deleted one.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalog::{Catalog, Entry, Table};
use super::gaps::Gaps;
use super::layout::Layout;
use super::leaf::{self, Leaf, Row};
use crate::failure::Outcome;
use crate::ondisk::btree::{self, Place, Range, Seen};
use crate::ondisk::freelist;
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Kind, Page};
use crate::ondisk::record::{Record, Value};

/// A broken chain that many cells name is not followed for each of them. Mending a cell tries several lengths.
const MAX_FAILURES: u32 = 16;

/// The rows of one table in one source.
#[derive(Debug, Default)]
pub(crate) struct Rows<'a> {
    /// The whole ones by rowid.
    pub(crate) whole: BTreeMap<i64, Row<'a>>,
    /// Rowids whose payload is cut.
    pub(crate) partial: Vec<i64>,
    /// Where rows may be missing.
    pub(crate) gaps: Gaps,
    /// Cells that could not be read.
    pub(crate) unread: u64,
    /// Rows of pages that belong nowhere: deleted, stale, or of another file.
    pub(crate) stray: u64,
    /// Every rowid that an index of the table names.
    pub(crate) indexed: HashSet<i64>,
    /// Whether one of its indexes could be read from end to end, so that these are all.
    pub(crate) is_indexed: bool,
}

impl Rows<'_> {
    /// Whether a row with `rowid` may have been here and be lost.
    pub(crate) fn may_have_lost(&self, rowid: i64) -> bool {
        self.gaps.contains(rowid)
    }
}

/// What one source holds.
#[derive(Debug)]
pub(crate) struct Salvage<'a> {
    pub(crate) catalog: Catalog,
    pub(crate) tables: HashMap<String, Rows<'a>>,
    /// `sqlite_sequence` as found.
    pub(crate) sequences: HashMap<String, i64>,
    /// Pages that are damaged, lost or stray.
    pub(crate) damaged_pages: u64,
    /// Whether a schema was found.
    pub(crate) has_schema: bool,
}

impl Salvage<'_> {
    /// How many rows there are in all.
    pub(crate) fn row_count(&self) -> u64 {
        self.tables.values().map(|table| table.whole.len() as u64).sum()
    }
}

/// Reads the rows of `layout`. Broken overflow chains are mended with pages of the same number from `others`.
///
/// # Errors
/// When SQLite cannot take the `CREATE` texts apart in memory.
pub(crate) fn salvage<'a>(
    layout: &Layout<'a>,
    others: &[&Image<'a>],
    sibling: Option<&[Entry]>,
) -> Outcome<(Salvage<'a>, Vec<Entry>)> {
    let mut work = Work::new(layout, others);
    let mut entries = work.schema();
    let has_schema = !entries.is_empty();
    if !has_schema && let Some(sibling) = sibling {
        // Only the texts: the roots are those of another file.
        entries = sibling.iter().map(|entry| Entry { root: 0, ..entry.clone() }).collect();
    }
    let catalog = Catalog::build(&entries)?;
    for table in &catalog.tables {
        work.walk(table);
    }
    work.walk_indexes(&catalog);
    let sequences = work.sequences(&catalog);
    work.sweep(&catalog.tables);
    let Work { tables, damaged, .. } = work;
    let damaged_pages = damaged.len() as u64 + layout.bad_frames;
    Ok((Salvage { catalog, tables, sequences, damaged_pages, has_schema }, entries))
}

struct Work<'w, 'a> {
    image: &'w Image<'a>,
    others: &'w [&'w Image<'a>],
    seen: Seen,
    /// Pages that a chain took.
    claimed: HashSet<u32>,
    /// How often the chain that begins with a page was followed in vain.
    broken: HashMap<u32, u32>,
    free: HashSet<u32>,
    damaged: HashSet<u32>,
    tables: HashMap<String, Rows<'a>>,
}

impl<'w, 'a> Work<'w, 'a> {
    fn new(layout: &'w Layout<'a>, others: &'w [&'w Image<'a>]) -> Self {
        let image = &layout.image;
        let header = layout.header;
        let list = header.map(|header| freelist::read(image, header.freelist_trunk, header.freelist_count));
        let free = list
            .filter(|list| list.whole)
            .map_or_else(HashSet::new, |list| list.trunks.into_iter().chain(list.leaves).collect());
        Self {
            image,
            others,
            seen: Seen::new(image),
            claimed: HashSet::new(),
            broken: HashMap::new(),
            free,
            damaged: HashSet::new(),
            tables: HashMap::new(),
        }
    }

    fn page(&self, number: u32) -> Option<Page<'a>> {
        Page::read(number, self.image.page(number)?, self.image.usable()).ok()
    }

    /// The schema rows: from page 1, and where that fails from every leaf that holds some.
    fn schema(&mut self) -> Vec<Entry> {
        let walk = btree::walk_table(self.image, 1, &mut self.seen);
        let mut entries: Vec<Entry> =
            walk.leaves.iter().flat_map(|place| self.entries_of(place.page)).collect();
        if !walk.lost.is_empty() || entries.is_empty() {
            self.damaged.extend(walk.lost.iter().map(|place| place.page));
            for number in 1..=self.image.count() {
                let found = if self.seen.contains(number) { Vec::new() } else { self.entries_of(number) };
                if !found.is_empty() {
                    self.seen.enter(number);
                    entries.extend(found);
                }
            }
        }
        entries
    }

    fn entries_of(&mut self, number: u32) -> Vec<Entry> {
        let Some(page) = self.page(number).filter(|page| page.kind() == Kind::TableLeaf) else {
            return Vec::new();
        };
        let mut entries = Vec::new();
        for cell in page.cells().flatten() {
            let Some(payload) = cell.payload else { continue };
            // A chain is followed, and its pages taken, for a schema row only.
            if !Record::prefix(payload.local).is_ok_and(|record| Entry::is_likely(&record)) {
                continue;
            }
            let Some(bytes) = self.payload(&cell) else { continue };
            entries.extend(Record::read(&bytes).ok().as_ref().and_then(Entry::read));
        }
        entries
    }

    /// The whole payload of `cell`.
    fn payload(&mut self, cell: &Cell<'_>) -> Option<Vec<u8>> {
        let payload = cell.payload?;
        let mut bytes = payload.local.to_vec();
        let Some(first) = payload.overflow else { return Some(bytes) };
        let need = payload.len.checked_sub(payload.local.len() as u64)?;
        // A length that all the pages together could not hold is no length.
        if need > u64::from(self.image.count()) * self.image.usable() as u64 {
            return None;
        }
        let failures = self.broken.get(&first).copied().unwrap_or(0);
        if failures >= MAX_FAILURES {
            return None;
        }
        let usable = self.image.usable();
        let pages = overflow::follow(first, need, usable, &mut bytes, |number, last| {
            let mine = self.image.page(number).filter(|_| self.is_free_for_chain(number));
            let theirs = self.others.iter().filter_map(|image| image.page(number));
            mine.into_iter().chain(theirs).find(|page| self.is_chain_page(page, last))
        });
        let Ok(pages) = pages else {
            self.broken.insert(first, failures + 1);
            return None;
        };
        self.claimed.extend(pages);
        Some(bytes)
    }

    fn is_free_for_chain(&self, number: u32) -> bool {
        !self.seen.contains(number) && !self.claimed.contains(&number) && !self.free.contains(&number)
    }

    /// Whether `page` can be one of a chain: not all zeros, and followed by a page that exists, or by none if it is the
    /// last.
    fn is_chain_page(&self, page: &[u8], last: bool) -> bool {
        let Some(next) = overflow::next_page(page) else { return false };
        let in_place = if last { next == 0 } else { (2..=self.image.count().max(2)).contains(&next) };
        in_place && page.iter().any(|&byte| byte != 0)
    }

    /// The rows of `table` from its root.
    fn walk(&mut self, table: &Table) {
        let Some(root) = table.root.filter(|&root| root > 1) else {
            self.lose(&table.name, Range::default());
            return;
        };
        let walk = btree::walk_table(self.image, root, &mut self.seen);
        for place in walk.lost {
            self.damaged.insert(place.page);
            self.lose(&table.name, place.range);
            self.read_lost(table, place);
        }
        for place in walk.leaves {
            let Some(page) = self.page(place.page) else { continue };
            if page.cell_count() > 0 && page.is_sound() && leaf::fit(table, &page).is_none() {
                // A whole page of another table: a root or child pointer is wrong. The sweep finds its place.
                self.seen.leave(place.page);
                self.damaged.insert(place.page);
                self.lose(&table.name, place.range);
                continue;
            }
            let leaf = self.read_leaf(table, place.page, &page);
            self.add(table, place, leaf);
        }
    }

    /// A child that names itself something else than a page of a table, but reads as a leaf of this one.
    fn read_lost(&mut self, table: &Table, place: Place) {
        let Some(bytes) = self.image.page(place.page) else { return };
        let named = Page::read(place.page, bytes, self.image.usable());
        if self.seen.contains(place.page) || named.is_ok_and(|page| page.kind().is_table() || page.is_sound())
        {
            return;
        }
        let Ok(page) = Page::read_as(Kind::TableLeaf, place.page, bytes, self.image.usable()) else { return };
        if leaf::fit(table, &page).is_some() && self.seen.enter(place.page) {
            let leaf = self.read_leaf(table, place.page, &page);
            self.add(table, place, leaf);
        }
    }

    fn read_leaf(&mut self, table: &Table, number: u32, page: &Page<'a>) -> Leaf<'a> {
        leaf::read(table, number, page, &mut |cell| self.payload(cell))
    }

    fn lose(&mut self, table: &str, range: Range) {
        self.tables.entry(table.to_owned()).or_default().gaps.add(range);
    }

    /// Adds a leaf that the tree vouches for.
    fn add(&mut self, table: &Table, place: Place, leaf: Leaf<'a>) {
        let rows = self.tables.entry(table.name.clone()).or_default();
        if !leaf.sound || leaf.unread > 0 {
            self.damaged.insert(place.page);
            rows.gaps.add(place.range);
        }
        for &rowid in &leaf.partial {
            rows.gaps.add(Range { low: rowid.checked_sub(1), high: Some(rowid) });
        }
        rows.partial.extend(leaf.partial);
        rows.unread += leaf.unread;
        for mut row in leaf.rows {
            row.suspect |= !place.range.contains(row.rowid);
            match rows.whole.get(&row.rowid) {
                Some(other) if !other.suspect || row.suspect => rows.stray += 1,
                _ => {
                    rows.whole.insert(row.rowid, row);
                }
            }
        }
    }

    /// Marks the pages of indexes and learns from them which rows there were.
    fn walk_indexes(&mut self, catalog: &Catalog) {
        for index in &catalog.indexes {
            if index.root < 2 {
                continue;
            }
            let walk = btree::walk_index(self.image, index.root, &mut self.seen);
            self.damaged.extend(walk.lost);
            let rows = self.tables.entry(index.table.clone()).or_default();
            rows.is_indexed |= walk.whole;
            rows.indexed.extend(walk.rowids);
        }
    }

    fn sequences(&mut self, catalog: &Catalog) -> HashMap<String, i64> {
        let mut sequences = HashMap::new();
        let Some(root) = catalog.sequence_root else { return sequences };
        let walk = btree::walk_table(self.image, root, &mut self.seen);
        for place in walk.leaves {
            let Some(page) = self.page(place.page) else { continue };
            for cell in page.cells().flatten() {
                let record = cell.payload.and_then(|payload| Record::read(payload.local).ok());
                let Some(record) = record else { continue };
                let mut values = record.values();
                if let (Some(Value::Text(name)), Some(Value::Integer(last)), None) =
                    (values.next(), values.next(), values.next())
                    && let Ok(name) = std::str::from_utf8(name)
                {
                    sequences.insert(name.to_owned(), last);
                }
            }
        }
        sequences
    }

    /// Leaves that no walk reached.
    fn sweep(&mut self, tables: &[Table]) {
        let mut found = Vec::new();
        for number in 1..=self.image.count() {
            if !self.is_free_for_chain(number) {
                continue;
            }
            let Some(bytes) = self.image.page(number) else { continue };
            let page = match Page::read(number, bytes, self.image.usable()) {
                Ok(page) if page.kind() == Kind::TableLeaf => page,
                Ok(_) => continue,
                Err(_) => match Page::read_as(Kind::TableLeaf, number, bytes, self.image.usable()) {
                    Ok(page) if page.cell_count() > 0 && page.is_sound() => page,
                    _ => continue,
                },
            };
            if let Some(table) = classify(tables, &page) {
                found.push((number, page, table));
            }
        }
        for (number, page, table) in found {
            if !self.claimed.contains(&number) && self.seen.enter(number) {
                self.damaged.insert(number);
                let leaf = self.read_leaf(table, number, &page);
                self.adopt(table, leaf);
            }
        }
    }

    /// Adds a leaf that only its shape vouches for: its rows come in where rows are missing, or where no other row lies
    /// between them.
    fn adopt(&mut self, table: &Table, leaf: Leaf<'a>) {
        let rows = self.tables.entry(table.name.clone()).or_default();
        let low = leaf.rows.iter().map(|row| row.rowid).min();
        let high = leaf.rows.iter().map(|row| row.rowid).max();
        let (Some(low), Some(high)) = (low, high) else {
            rows.partial.extend(leaf.partial);
            return;
        };
        let alone = rows.whole.range(low..=high).next().is_none();
        if !leaf.sound || leaf.unread > 0 {
            rows.gaps.add(Range { low: low.checked_sub(1), high: Some(high) });
        }
        rows.unread += leaf.unread;
        rows.partial.extend(leaf.partial);
        for row in leaf.rows {
            if rows.whole.contains_key(&row.rowid) || !(alone || rows.may_have_lost(row.rowid)) {
                rows.stray += 1;
            } else {
                rows.whole.insert(row.rowid, row);
            }
        }
    }
}

/// The table whose shape the rows on `page` have best.
fn classify<'t>(tables: &'t [Table], page: &Page<'_>) -> Option<&'t Table> {
    let fits = tables.iter().filter_map(|table| Some((leaf::fit(table, page)?, table)));
    let (_, table) =
        fits.min_by_key(|((fit, count), table)| (*fit, usize::MAX - count, !table.is_known()))?;
    Some(table)
}
