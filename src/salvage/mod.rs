//! One source's pages into rows, each with its place.
//!
//! First the structure: the schema, the trees of tables and indexes down to their leaves, so that it is known what every
//! page is meant to be. Then one pass over all pages (`scan`), whose readings are put together here: rows that a tree
//! vouches for, then stray leaves where rows are missing. Says of each table where rows may be missing, which is what lets
//! `merge` tell a lost row from a deleted one.

pub(crate) mod image;
pub(crate) mod passes;
pub(crate) mod rows;
pub(crate) mod schema;
pub mod source;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use self::image::PageImage;
use self::image::chains::Chains;
use self::passes::leaf::SalvagedLeaf;
use self::passes::page_scan::{PageFinding, PageOrigin, PageRole, Placed, Scan};
pub(crate) use self::passes::table_rows::TableRows;
use self::rows::extras::RowExtras;
use self::rows::row;
use self::rows::set::MemoryBudget;
use self::schema::column_sets::TextRemains;
use self::schema::{Catalog, SchemaEntry, Schemas, TextOrigin, Tree};
use crate::failure::Outcome;
use crate::ondisk::btree::{Place, VisitedPages};
use crate::ondisk::freelist;
use crate::ondisk::image::Image;
use crate::work::progress::{Stage, Watch};
use crate::work::threads::in_order;

/// What one source holds.
#[derive(Debug)]
pub(crate) struct Salvage {
    pub(crate) catalog: Arc<Catalog>,
    /// For each table of the catalog, in its order.
    pub(crate) tables: Vec<TableRows>,
    /// What is odd about some rows.
    pub(crate) odds: RowExtras,
    /// `sqlite_sequence` as found.
    pub(crate) sequences: HashMap<String, i64>,
    /// Pages that are damaged, lost or stray.
    pub(crate) damaged_pages: u64,
    /// Frames of its log that are not what their checksum says and hold rows for which nothing vouches.
    pub(crate) doubted_frames: u64,
    /// Whether a schema was found.
    pub(crate) has_schema: bool,
    /// Whether it was found whole, so that a table that is not in it did not exist.
    pub(crate) schema_is_whole: bool,
    /// Rows in which a text is stored as a BLOB.
    pub(crate) blob_texts: u64,
    /// How far the history has come: the time of its newest events and their highest number.
    pub(crate) evidence: (i64, i64),
}

impl Salvage {
    /// How many rows there are in all.
    pub(crate) fn row_count(&self) -> u64 {
        self.tables.iter().map(|table| table.whole.len() as u64).sum()
    }

    /// Whether one of Hermes' tables is there, in the schema or by its rows.
    pub(crate) fn is_of_board(&self) -> bool {
        let found = |(tree, rows): (&Tree, &TableRows)| {
            tree.table.is_known()
                && (tree.root.is_some() || !(rows.whole.is_empty() && rows.partial.is_empty()))
        };
        self.catalog.tables.iter().zip(&self.tables).any(found)
    }

    /// True if nothing of it is damaged: every page is in order, and its indexes name no row that is not there.
    pub(crate) fn is_sound(&self) -> bool {
        let is_whole = |rows: &TableRows| {
            !rows.is_damaged() && rows.indexed.is_empty() && rows.older.iter().all(|row| row.is(row::EARLIER))
        };
        self.has_schema && self.schema_is_whole && self.damaged_pages == 0 && self.tables.iter().all(is_whole)
    }

    /// What its rows take in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        let rows: usize = self.tables.iter().map(TableRows::memory).sum();
        rows + self.odds.memory()
    }

    /// The highest number that an event has or had.
    pub(crate) fn highest_event(&self) -> i64 {
        self.evidence.1
    }
}

/// How a source is to be salvaged.
pub(crate) struct Orders<'o> {
    /// Its number.
    pub(crate) source: u32,
    /// The schema of another source, for one that has lost its own. Only the texts count: its roots are those of another file.
    pub(crate) sibling: Option<&'o [SchemaEntry]>,
    /// Threads to read with.
    pub(crate) threads: usize,
    /// Whether a source that has lost some of its schema is left for later.
    pub(crate) waits: bool,
    /// Whether the main file has gone on without the log: then the log's rows are the source's, wherever they lie.
    pub(crate) log_counts: bool,
    /// Whether rows are wanted that were deleted and are still there.
    pub(crate) deleted: bool,
    /// Where its rows are kept.
    pub(crate) room: &'o Arc<MemoryBudget>,
}

/// Reads the rows of `layout`; gives also the schema that it found. `None` when the source waits for another's.
///
/// # Errors
/// Whatever `watch` stops with.
pub(crate) fn salvage(
    layout: &PageImage<'_>,
    schemas: &Schemas,
    orders: &Orders<'_>,
    watch: &mut dyn Watch,
) -> Outcome<Option<(Salvage, Vec<SchemaEntry>)>> {
    let mut found = read(layout, schemas, orders, watch)?;
    for is_first in [true, false] {
        let catalog = found.as_ref().filter(|found| found.lost_ends).map(|found| &found.salvage.catalog);
        if !catalog.is_some_and(|catalog| layout.put_displaced(&catalog.tables, is_first)) {
            break;
        }
        drop(found);
        found = read(layout, schemas, orders, watch)?;
    }
    Ok(found.map(|found| (found.salvage, found.entries)))
}

struct FoundRows {
    salvage: Salvage,
    entries: Vec<SchemaEntry>,
    /// Whether rows do not go on in a page that they name, though something stands there.
    lost_ends: bool,
}

/// The same with every page where it stands in `layout`.
fn read(
    layout: &PageImage<'_>,
    schemas: &Schemas,
    orders: &Orders<'_>,
    watch: &mut dyn Watch,
) -> Outcome<Option<FoundRows>> {
    let mut work = Pass::new(layout, orders);
    let (mut entries, schema_is_whole) = work.schema()?;
    work.schema_chains = work.chains.claimed().collect();
    let has_schema = !entries.is_empty();
    if orders.waits && !schema_is_whole {
        return Ok(None);
    }
    if let Some(sibling) = orders.sibling.filter(|_| !schema_is_whole) {
        borrow(&mut entries, sibling);
    }
    let mut catalog = schemas.catalog(&entries);
    work.walk(&catalog);
    work.walk_indexes(&catalog);
    if !schema_is_whole || catalog.has_damaged_text() {
        let known: Vec<bool> = catalog.tables.iter().map(|tree| tree.root.is_some()).collect();
        crate::salvage::passes::lost_schema::plant(
            &mut catalog,
            schemas,
            work.image,
            &work.seen,
            orders.threads,
        )?;
        work.walk_found(&catalog, &known);
    }
    work.give_up_rootless(&catalog);
    let sequences = work.sequences(&catalog);
    let Unplaced { strays, unknown, mut counted } = work.read_pages(&catalog, watch)?;
    work.weigh_unsure(&catalog, layout);
    work.doubt_empty(&catalog);
    let (free, lost): (Vec<_>, Vec<_>) =
        strays.into_iter().partition(|stray| work.unused.contains(&stray.page));
    work.adopt(&catalog, lost, &sequences);
    work.room.recount(&mut counted, 0);
    work.settle_contests(&catalog);
    work.ask_indexes(&catalog)?;
    work.take_unknown(&catalog, &unknown);
    work.look_back(&catalog, layout);
    work.take_unused(&catalog, watch)?;
    work.adopt_free(&catalog, free);
    work.look_ahead(&catalog, layout);
    let lost_ends = work.chains.are_doubtful();
    if orders.deleted {
        work.take_deleted(&catalog, layout);
    }
    let evidence = work.evidence(&catalog, &sequences);
    work.room.require_whole()?;
    let damaged_pages = work.damaged.len() as u64 + layout.laid.bad_frames + layout.displaced_count();
    let Pass { tables, odds, doubted_frames, blob_texts, .. } = work;
    let salvage = Salvage {
        catalog: Arc::new(catalog),
        tables,
        odds,
        sequences,
        damaged_pages,
        doubted_frames,
        has_schema,
        schema_is_whole,
        blob_texts,
        evidence,
    };
    Ok(Some(FoundRows { salvage, entries, lost_ends }))
}

/// Complete the schema `entries` of a source by those of a sound copy. A root of the copy is none of the source.
fn borrow(entries: &mut Vec<SchemaEntry>, copy: &[SchemaEntry]) {
    for theirs in copy {
        let own = entries.iter_mut().find(|own| (&own.kind, &own.name) == (&theirs.kind, &theirs.name));
        if let Some(own) = own {
            own.borrow_text(theirs);
        } else {
            let text = TextOrigin::Copy(TextRemains::default());
            entries.push(SchemaEntry { root: 0, text, ..theirs.clone() });
        }
    }
}

/// What the trees do not vouch for.
#[derive(Default)]
struct Unplaced {
    strays: Vec<Stray>,
    /// Bytes of their rows.
    counted: usize,
    /// Pages that do not say what they are.
    unknown: Vec<u32>,
}

/// A leaf that only its shape vouches for.
struct Stray {
    table: usize,
    page: u32,
    /// Its lowest rowid.
    low: Option<i64>,
    /// None where there was no room for it: it is read again when its turn comes.
    leaf: Option<SalvagedLeaf>,
}

impl Unplaced {
    fn add(&mut self, room: &MemoryBudget, mut stray: Stray) {
        let bytes = stray.leaf.as_ref().map_or(0, |leaf| size_of_val(&*leaf.rows));
        if room.is_full() {
            stray.leaf = None;
        } else {
            let held = self.counted + bytes;
            room.recount(&mut self.counted, held);
        }
        self.strays.push(stray);
    }
}

struct Pass<'w, 'a> {
    source: u32,
    threads: usize,
    log_counts: bool,
    room: Arc<MemoryBudget>,
    image: &'w Image<'a>,
    seen: VisitedPages,
    chains: Chains,
    /// Overflow pages of the schema.
    schema_chains: Vec<u32>,
    /// Pages that hold the freelist. A page that it only names is no part of this: a chain or a tree that reaches it is
    /// better evidence.
    free: HashSet<u32>,
    /// Pages that the freelist has, those that hold it and those that it names.
    unused: HashSet<u32>,
    damaged: HashSet<u32>,
    tables: Vec<TableRows>,
    odds: RowExtras,
    roles: Vec<PageRole>,
    places: Vec<Placed>,
    /// The pages of each index of the catalog.
    indexes: Vec<Vec<u32>>,
    /// Indexes of which a page is lost.
    torn: HashSet<usize>,
    /// Children that are no pages of their tables.
    lost: Vec<Placed>,
    /// Leaves that have nothing besides their cells.
    blank: VisitedPages,
    /// Interior pages of tables, with their table.
    interiors: Vec<(usize, u32)>,
    doubted_frames: u64,
    blob_texts: u64,
}

impl<'w, 'a> Pass<'w, 'a> {
    fn new(layout: &'w PageImage<'a>, orders: &Orders<'_>) -> Self {
        let image = &layout.image;
        let header = layout.header;
        let list = header.map(|header| freelist::read(image, header.freelist_trunk, header.freelist_count));
        let list = list.filter(|list| list.whole).unwrap_or_default();
        let free: HashSet<u32> = list.trunks.into_iter().collect();
        let unused = free.iter().copied().chain(list.leaves).collect();
        Self {
            source: orders.source,
            threads: orders.threads,
            log_counts: orders.log_counts,
            room: Arc::clone(orders.room),
            image,
            seen: VisitedPages::new(image),
            blank: VisitedPages::new(image),
            chains: Chains::default(),
            schema_chains: Vec::new(),
            free,
            unused,
            damaged: HashSet::new(),
            tables: Vec::new(),
            odds: RowExtras::default(),
            roles: Vec::new(),
            places: Vec::new(),
            indexes: Vec::new(),
            torn: HashSet::new(),
            lost: Vec::new(),
            interiors: Vec::new(),
            doubted_frames: 0,
            blob_texts: 0,
        }
    }

    /// Reads every page that may hold rows, and returns what no tree vouches for.
    fn read_pages(&mut self, catalog: &Catalog, watch: &mut dyn Watch) -> Outcome<Unplaced> {
        for (number, role) in self.roles.iter_mut().enumerate() {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            // Interior pages, the schema, sequences.
            let known = self.seen.contains(number) || self.chains.has_claimed(number);
            if *role == PageRole::Unreached && known {
                *role = PageRole::Done;
            }
        }
        let (roles, places) = (std::mem::take(&mut self.roles), std::mem::take(&mut self.places));
        let seen = self.seen.clone();
        let free = std::mem::take(&mut self.free);
        let scan = Scan { roles: &roles, places: &places, ..self.scan(catalog, &seen, &free) };
        let pieces = crate::salvage::passes::page_scan::pieces(self.image);
        let mut unplaced = Unplaced::default();
        let read = |piece| scan.piece(piece);
        in_order(pieces, self.threads, read, |piece, found| {
            watch.step(Stage::Salvage, piece as u64, pieces as u64)?;
            self.room.require_whole()?;
            for finding in found {
                self.put(catalog, finding, &mut unplaced, &free);
            }
            Ok(())
        })?;
        self.free = free;
        self.places = places;
        self.settle();
        Ok(unplaced)
    }

    /// A reading of pages of which the trees say nothing.
    fn scan<'s>(&self, catalog: &'s Catalog, seen: &'s VisitedPages, free: &'s HashSet<u32>) -> Scan<'s, 'a>
    where
        'w: 's,
    {
        let (source, image, tables) = (self.source, self.image, catalog.tables.as_slice());
        Scan { source, image, tables, roles: &[], places: &[], seen, free }
    }

    fn put(&mut self, catalog: &Catalog, finding: PageFinding, unplaced: &mut Unplaced, free: &HashSet<u32>) {
        match finding {
            PageFinding::Damaged(page) => {
                self.damaged.insert(page);
            }
            PageFinding::Unknown(page) => unplaced.unknown.push(page),
            PageFinding::Misplaced(placed) => {
                self.seen.leave(placed.place.page);
                self.damaged.insert(placed.place.page);
                self.lose(placed.table, placed.place.range);
            }
            PageFinding::Leaf { table, page, origin: PageOrigin::Shape, leaf } => {
                unplaced.add(&self.room, Stray { table, page, low: leaf.lowest(), leaf: Some(leaf) });
            }
            PageFinding::Leaf { table, origin: PageOrigin::Tree(place), leaf, .. } => {
                self.add(catalog, table, place, leaf, free);
            }
            PageFinding::Leaf { table, page, origin: PageOrigin::Lost(place), leaf } => {
                if self.seen.enter(page) {
                    self.add(catalog, table, place, leaf, free);
                }
            }
        }
    }

    /// Adds a leaf that the tree vouches for.
    fn add(
        &mut self,
        catalog: &Catalog,
        table: usize,
        place: Place,
        mut leaf: SalvagedLeaf,
        free: &HashSet<u32>,
    ) {
        self.complete(catalog, table, &mut leaf, free);
        self.blob_texts += leaf.blob_texts;
        if leaf.blank {
            self.blank.enter(place.page);
        }
        let Some(rows) = self.tables.get_mut(table) else { return };
        if !leaf.sound || leaf.unread > 0 {
            self.damaged.insert(place.page);
            rows.gaps.add(place.range);
        }
        rows.unread += leaf.unread;
        rows.set_apart(leaf.hollow);
        let mut is_of_its_place = true;
        for mut row in leaf.rows {
            let own = self.log_counts && row.site().in_log;
            let is_elsewhere = !own && !place.range.contains(row.rowid);
            is_of_its_place &= !is_elsewhere;
            row.mark(row::SUSPECT, is_elsewhere);
            rows.whole.push(row);
        }
        if !is_of_its_place {
            // The page is of another moment than its parent: what it should have, nobody has shown to be deleted.
            rows.gaps.add(place.range);
        }
    }
}
