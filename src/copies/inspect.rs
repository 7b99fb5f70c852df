//! What one source holds, for looking and comparing: nothing is merged, nothing written.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::page_map;
use super::page_map::Map;
use super::prune::{RowVersionId, RowVersions};
use super::row_version::{Name, Namer};
use crate::failure::Outcome;
use crate::ondisk::record::Record;
use crate::salvage;
use crate::salvage::Orders;
use crate::salvage::image;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MEMORY, MemoryBudget};
use crate::salvage::schema::{Schemas, TableSchema};
use crate::salvage::source::Source;
use crate::salvage::source::cache::{PayloadReader, SourceCache, TruncatedImage};
use crate::work::progress::Unwatched;
use crate::work::progress::Watch;
use crate::work::threads;

/// What can be read out of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceContent {
    /// Whole rows by table.
    pub rows: BTreeMap<String, u64>,
    /// Pages that are damaged, lost or unreachable.
    pub damaged_pages: u64,
    /// Whether the schema could be read.
    pub has_schema: bool,
    /// Rows of which only a part could be read.
    pub partial: u64,
    /// Tables whose rows cannot be read: virtual ones, those without rowids.
    pub unread_tables: Vec<String>,
}

impl SourceContent {
    /// Whether nothing of it is damaged or cut.
    pub fn is_whole(&self) -> bool {
        self.has_schema && self.damaged_pages == 0 && self.partial == 0
    }
}

/// Looks into sources, one or many; threads may share it.
#[derive(Debug)]
pub struct Inspector {
    schemas: Schemas,
    scratch: PathBuf,
}

/// A whole row and its payload.
pub(crate) type Visit<'v> = dyn FnMut(&TableSchema, &Row, &Record<'_>) + 'v;

impl Inspector {
    /// Nothing looked at yet. A live board that does not fit memory is copied to the directory `scratch`.
    ///
    /// # Errors
    /// When SQLite cannot make a database in memory for taking `CREATE` texts apart.
    pub fn new(scratch: PathBuf) -> Outcome<Self> {
        Ok(Self { schemas: Schemas::new()?, scratch })
    }

    /// Where copies go that do not fit memory.
    pub(crate) fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Counts what `source` holds.
    ///
    /// # Errors
    /// The reading error of its files; exit 11 when they change under every try.
    pub fn holdings(&self, source: &Source) -> Outcome<SourceContent> {
        self.look(source, threads::cores(), &mut Unwatched, None).map(|(holdings, _)| holdings)
    }

    /// Gives every whole row of `source` to `visit`, table by table in the order of their rowids, and counts them.
    ///
    /// # Errors
    /// As [`Inspector::holdings`], and whatever `watch` stops with.
    pub(crate) fn each_row(
        &self,
        source: &Source,
        watch: &mut dyn Watch,
        visit: &mut Visit<'_>,
    ) -> Outcome<SourceContent> {
        self.look(source, threads::cores(), watch, Some(visit)).map(|(holdings, _)| holdings)
    }

    /// The names of all that `source` holds, read on this thread.
    ///
    /// # Errors
    /// As [`Inspector::holdings`].
    pub(crate) fn held(&self, source: &Source) -> Outcome<RowVersions> {
        let mut held = RowVersions::default();
        let mut seen = HashSet::<Name>::new();
        let mut namer: Option<Namer> = None;
        let mut visit = |table: &TableSchema, row: &Row, record: &Record<'_>| {
            if held.tables.last() != Some(&table.name) {
                held.tables.push(table.name.clone());
                namer = Some(Namer::new(table));
            }
            let Some(namer) = &namer else { return };
            let says = namer.version(table, row.rowid, record);
            // Each once, so that a count is one of copies.
            if seen.insert(says) {
                let place = u16::try_from(held.tables.len() - 1).unwrap_or(u16::MAX);
                held.versions.push(RowVersionId {
                    table: place,
                    says,
                    row: Namer::row(table, row.rowid),
                    key: namer.key(table, row.rowid, record),
                });
            }
        };
        let (holdings, partial) = self.look(source, 1, &mut Unwatched, Some(&mut visit))?;
        held.is_opaque = !holdings.unread_tables.is_empty();
        held.partial = partial;
        Ok(held)
    }

    /// What every page of `source` is for; `None` when it has none.
    ///
    /// # Errors
    /// As [`Inspector::holdings`], and whatever `watch` stops with.
    pub fn map(&self, source: &Source, watch: &mut dyn Watch) -> Outcome<Option<Map>> {
        let stores = source.open(&self.scratch, false)?;
        let room = MemoryBudget::new(&self.scratch, MEMORY);
        let Some(layout) = image::lay_out(&stores) else { return Ok(None) };
        let salvaged = salvage::salvage(&layout, &self.schemas, &orders(threads::cores(), &room), watch)?;
        Ok(salvaged.map(|(salvage, entries)| page_map::draw(&layout, &entries, &salvage.catalog)))
    }

    /// Counts, visits, and gives the names of the rows that are only partly there.
    fn look(
        &self,
        source: &Source,
        threads: usize,
        watch: &mut dyn Watch,
        mut visit: Option<&mut Visit<'_>>,
    ) -> Outcome<(SourceContent, Vec<Name>)> {
        let single = SourceCache::new(std::slice::from_ref(source), &self.scratch, MEMORY);
        let stores = single.stores(0)?;
        let Some(layout) = image::lay_out(&stores) else { return Ok((SourceContent::default(), Vec::new())) };
        let image = &layout.image;
        let cut = TruncatedImage {
            page_size: image.page_size(),
            usable: image.usable(),
            encoding: image.encoding(),
        };
        single.note(0, cut, &stores);
        let salvaged = salvage::salvage(&layout, &self.schemas, &orders(threads, single.room()), watch)?;
        single.note(0, cut, &stores);
        let Some((salvage, _)) = salvaged else {
            return Ok((SourceContent::default(), Vec::new()));
        };
        let mut holdings = SourceContent {
            damaged_pages: salvage.damaged_pages,
            has_schema: salvage.has_schema,
            unread_tables: salvage.catalog.unread.clone(),
            ..SourceContent::default()
        };
        let mut reader = PayloadReader::new(&single, &salvage.odds);
        let mut cut_rows = HashSet::new();
        for (tree, rows) in salvage.catalog.tables.iter().zip(&salvage.tables) {
            let table = &tree.table;
            holdings.rows.insert(table.name.clone(), rows.whole.len() as u64);
            holdings.partial += rows.partial.len() as u64;
            let Some(visit) = &mut visit else { continue };
            for row in rows.whole.iter() {
                reader.payload(&row, |payload| {
                    if let Ok(record) = Record::read(payload) {
                        visit(table, &row, &record);
                    }
                })?;
            }
            let partial = rows.partial.iter().filter(|row| !rows.whole.has(row.rowid));
            cut_rows.extend(partial.map(|row| Namer::row(table, row.rowid)));
        }
        single.room().require_whole()?;
        single.require_unchanged()?;
        Ok((holdings, cut_rows.into_iter().collect()))
    }
}

/// A source on its own.
fn orders(threads: usize, room: &Arc<MemoryBudget>) -> Orders<'_> {
    Orders { source: 0, sibling: None, threads, waits: false, log_counts: false, deleted: false, room }
}
