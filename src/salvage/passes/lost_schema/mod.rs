//! Tables without a schema: which trees there are by their own structure, and which table each of them is.
//!
//! An interior page that no other names as its child is a root. What table it is the root of, its rows say: of the column
//! sets that Hermes' tables have had (`ages`) the one that fits best. Trees and loose leaves that fit none are kept as tables
//! of their own under neutral names. Only pages that the schema's own trees do not reach are looked at.

mod naming;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::leaf::{self, PageFit};
use super::page_scan::{numbers, pieces, stride};
use crate::failure::Outcome;
use crate::ondisk::btree::{self, Range, VisitedPages};
use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{self, Record, Value};
use crate::salvage::schema::{Catalog, Schemas, TableSchema, column_sets};
use crate::work::threads::in_order;

/// Leaves that are asked what table they are of, in all.
const SAMPLE: usize = 512;
/// Leaves of one tree that are asked.
const SAMPLE_OF_TREE: usize = 16;
/// Columns of unknown name that a newer table may have behind the known ones.
const MAX_NEWER: usize = 16;

/// Pages that no tree of the schema reaches.
#[derive(Debug, Default)]
struct Unreached {
    /// Interior pages of tables with their children.
    interiors: Vec<(u32, Vec<u32>)>,
    /// Leaves of tables that have cells.
    leaves: Vec<u32>,
    /// Pages of indexes, and of tables without rowids, with their children.
    keys: Vec<(u32, Vec<u32>)>,
}

/// A tree that no schema names.
struct InferredTable {
    root: u32,
    /// Its leaves and the rowids that belong there.
    leaves: Vec<(u32, Range)>,
}

/// Adds to `catalog` the roots of Hermes' tables that the schema does not name, their column sets, and the tables that are
/// none of Hermes'. `seen` are the pages that the schema's trees reach.
///
/// # Errors
/// When a worker ends early.
pub(crate) fn plant(
    catalog: &mut Catalog,
    schemas: &Schemas,
    image: &Image<'_>,
    seen: &VisitedPages,
    threads: usize,
) -> Outcome<()> {
    let mut unreached = Unreached::default();
    in_order(
        pieces(image),
        threads,
        |piece| look(image, seen, piece),
        |_, more| {
            unreached.interiors.extend(more.interiors);
            unreached.leaves.extend(more.leaves);
            unreached.keys.extend(more.keys);
            Ok(())
        },
    )?;
    let trees = trees(image, seen, &unreached);
    let within: HashSet<u32> = trees.iter().flat_map(|tree| &tree.leaves).map(|(leaf, _)| *leaf).collect();
    let loose: Vec<u32> = unreached.leaves.iter().copied().filter(|leaf| !within.contains(leaf)).collect();
    let forest = InferredSchema { image, schemas };
    forest.find_sequences(catalog, &loose);
    let mut sample: Vec<u32> = trees.iter().flat_map(InferredTable::sample).collect();
    sample.extend(every(&loose, SAMPLE));
    forest.choose_ages(catalog, &sample);
    let nameless = forest.assign(catalog, trees);
    forest.name(catalog, nameless, &loose);
    forest.name_keyed(catalog, &unreached.keys);
    Ok(())
}

/// At most `most` of `all`, from everywhere.
fn every<T: Copy>(all: &[T], most: usize) -> impl Iterator<Item = T> {
    all.iter().copied().step_by(all.len().div_ceil(most).max(1))
}

fn look(image: &Image<'_>, seen: &VisitedPages, index: usize) -> Unreached {
    let numbers = numbers(image, index);
    let piece = image.piece(*numbers.start(), stride(image));
    let mut unreached = Unreached::default();
    for number in numbers.filter(|number| !seen.contains(*number)) {
        let bytes = piece.page(number).unwrap_or_default();
        let Ok(page) = Page::read(number, &bytes, image.usable()) else { continue };
        let children = || {
            let left = page.cells().flatten().filter_map(|cell| cell.left);
            left.chain(page.right_child()).collect()
        };
        match page.kind() {
            PageKind::TableInterior if page.is_sound() => unreached.interiors.push((number, children())),
            PageKind::IndexInterior | PageKind::IndexLeaf if page.cell_count() > 0 && page.is_sound() => {
                unreached.keys.push((number, children()));
            }
            PageKind::TableLeaf if page.cell_count() > 0 => unreached.leaves.push(number),
            _ => {}
        }
    }
    unreached
}

/// The trees whose roots no other page names.
fn trees(image: &Image<'_>, seen: &VisitedPages, unreached: &Unreached) -> Vec<InferredTable> {
    let children: HashSet<u32> =
        unreached.interiors.iter().flat_map(|(_, children)| children).copied().collect();
    let roots = unreached.interiors.iter().map(|(number, _)| *number).filter(|root| !children.contains(root));
    let mut trees = Vec::new();
    for root in roots {
        let walk = btree::walk_table(image, root, &mut seen.clone());
        let leaves: Vec<_> = walk.leaves.iter().map(|place| (place.page, place.range)).collect();
        if !leaves.is_empty() {
            trees.push(InferredTable { root, leaves });
        }
    }
    trees
}

impl InferredTable {
    fn sample(&self) -> impl Iterator<Item = u32> {
        every(&self.leaves, SAMPLE_OF_TREE).map(|(leaf, _)| leaf)
    }
}

struct InferredSchema<'f, 'a> {
    image: &'f Image<'a>,
    schemas: &'f Schemas,
}

impl InferredSchema<'_, '_> {
    /// What `with` says of the leaf `number`.
    fn on<T>(&self, number: u32, with: impl FnOnce(&Page<'_>) -> T) -> Option<T> {
        let bytes = self.image.page(number)?;
        let page = Page::read(number, &bytes, self.image.usable()).ok()?;
        Some(with(&page))
    }

    fn fit(&self, table: &TableSchema, number: u32) -> Option<PageFit> {
        self.on(number, |page| leaf::fit(table, page, self.image.encoding()))?
    }

    /// The leaf that holds names of tables and their last numbers.
    fn find_sequences(&self, catalog: &mut Catalog, loose: &[u32]) {
        if catalog.sequence_root.is_some() {
            return;
        }
        let names: Vec<_> = catalog.tables.iter().map(|tree| tree.table.name.clone()).collect();
        let is_name = |text: &[u8]| {
            let text = self.image.encoding().decode(text);
            names.iter().any(|name| name.as_bytes() == &*text)
        };
        let holds = |page: &Page<'_>| {
            let records = page.cells().flatten().filter_map(|cell| Record::read(cell.payload?.local).ok());
            let mut known = 0;
            for record in records {
                let mut values = record.values();
                match (values.next(), values.next(), values.next()) {
                    (Some(Value::Text(name)), Some(Value::Integer(_)), None) => {
                        known += usize::from(is_name(name));
                    }
                    _ => return false,
                }
            }
            known > 0
        };
        catalog.sequence_root = loose.iter().copied().find(|leaf| self.on(*leaf, holds) == Some(true));
    }

    /// Gives each of Hermes' tables whose text is lost the column set that most of the leaves in `sample` speak for.
    fn choose_ages(&self, catalog: &mut Catalog, sample: &[u32]) {
        let mut sets: Vec<(usize, Vec<Arc<TableSchema>>)> = Vec::new();
        for (at, tree) in catalog.tables.iter().enumerate().filter(|(_, tree)| tree.root.is_none()) {
            let texts = column_sets::texts(&tree.table.name);
            let tables = texts.iter().filter_map(|text| self.schemas.table(text));
            sets.push((at, tables.collect()));
        }
        let mut tallies: HashMap<(usize, usize), FitTally> = HashMap::new();
        let mut longer: BTreeMap<usize, usize> = BTreeMap::new();
        for &leaf in sample {
            let mut fits: Vec<(PageFit, usize, usize)> = Vec::new();
            for (at, tables) in &sets {
                let of_table = tables.iter().enumerate();
                fits.extend(of_table.filter_map(|(set, table)| Some((self.fit(table, leaf)?, *at, set))));
            }
            let named = catalog.tables.iter().filter(|tree| tree.root.is_some());
            let named = named.filter_map(|tree| self.fit(&tree.table, leaf)).min();
            let Some(&(best, of, _)) = fits.iter().min_by_key(|(fit, at, set)| (*fit, *at, *set)) else {
                if named.is_none() {
                    self.note_longer(catalog, leaf, &mut longer);
                }
                continue;
            };
            if named.is_some_and(|named| named < best) {
                continue;
            }
            for (set, _) in
                sets.iter().filter(|(at, _)| *at == of).flat_map(|(_, tables)| tables.iter().enumerate())
            {
                let fit = fits.iter().find(|(_, at, other)| (*at, *other) == (of, set)).map(|(fit, ..)| *fit);
                tallies.entry((of, set)).or_default().add(fit);
            }
        }
        for (at, tables) in sets {
            let best = (0..tables.len()).filter_map(|set| Some((tallies.get(&(at, set))?, set))).min();
            let table = match (best, longer.get(&at)) {
                (Some((_, set)), _) => tables.get(set).cloned(),
                (None, Some(&more)) => self.with_unknown(catalog, at, more),
                (None, None) => None,
            };
            if let (Some(table), Some(tree)) = (table, catalog.tables.get_mut(at)) {
                tree.table = table;
            }
        }
    }

    /// Notes the table whose rows the leaf has, if they only have more columns than any set that is known.
    fn note_longer(&self, catalog: &Catalog, leaf: u32, longer: &mut BTreeMap<usize, usize>) {
        let Some(Some(columns)) = self.on(leaf, columns) else { return };
        for (at, tree) in catalog.tables.iter().enumerate().filter(|(_, tree)| tree.root.is_none()) {
            let more =
                columns.checked_sub(tree.table.columns.len()).filter(|more| (1..=MAX_NEWER).contains(more));
            let Some(more) = more.filter(|_| tree.table.is_known()) else { continue };
            let table = self.with_unknown(catalog, at, more);
            if table.is_some_and(|table| self.fit(&table, leaf).is_some_and(|fit| fit.strange == 0)) {
                let known = longer.entry(at).or_default();
                *known = more.max(*known);
            }
        }
    }

    fn with_unknown(&self, catalog: &Catalog, at: usize, more: usize) -> Option<Arc<TableSchema>> {
        let name = &catalog.tables.get(at)?.table.name;
        self.schemas.table(&column_sets::text_with_unknown(name, more)?)
    }

    /// Gives the tables without a root theirs; returns the trees that are no table's.
    fn assign(&self, catalog: &mut Catalog, trees: Vec<InferredTable>) -> Vec<InferredTable> {
        let mut of_table: BTreeMap<usize, Vec<InferredTable>> = BTreeMap::new();
        let mut nameless = Vec::new();
        for tree in trees {
            match self.table_of(catalog, &tree) {
                TableMatch::Table(at) => of_table.entry(at).or_default().push(tree),
                TableMatch::None => nameless.push(tree),
                TableMatch::Unclear => {}
            }
        }
        for (at, trees) in of_table {
            let largest = trees.iter().max_by_key(|tree| tree.leaves.len());
            if let (Some(tree), Some(largest)) =
                (catalog.tables.get_mut(at).filter(|tree| tree.root.is_none()), largest)
            {
                tree.root = Some(largest.root);
            }
        }
        nameless
    }

    /// The table that most of the leaves of `tree` are of, if they hold the rowids that the tree says.
    fn table_of(&self, catalog: &Catalog, tree: &InferredTable) -> TableMatch {
        let (mut votes, mut asked, mut in_place) = (BTreeMap::<Option<usize>, usize>::new(), 0, 0);
        for (leaf, range) in every(&tree.leaves, SAMPLE_OF_TREE) {
            let Some(rowids) =
                self.on(leaf, |page| page.cells().flatten().map(|cell| cell.rowid).collect::<Vec<_>>())
            else {
                continue;
            };
            if rowids.is_empty() {
                continue;
            }
            asked += 1;
            in_place += usize::from(rowids.iter().all(|rowid| range.contains(*rowid)));
            *votes.entry(self.classify(catalog, leaf)).or_default() += 1;
        }
        let most = votes.into_iter().max_by_key(|(_, count)| *count);
        match most {
            Some((table, count)) if 5 * count >= 4 * asked && 5 * in_place >= 4 * asked => {
                table.map_or(TableMatch::None, TableMatch::Table)
            }
            _ => TableMatch::Unclear,
        }
    }

    fn classify(&self, catalog: &Catalog, leaf: u32) -> Option<usize> {
        let tables = catalog.tables.iter().enumerate();
        let fits = tables.filter_map(|(at, tree)| Some((self.fit(&tree.table, leaf)?, at)));
        fits.min().map(|(_, at)| at)
    }
}

/// What a tree is the tree of.
enum TableMatch {
    Table(usize),
    /// None of the tables.
    None,
    /// Its leaves do not agree: its root is of another file or another moment.
    Unclear,
}

/// The most columns of a row on `page`; `None` where a cell is no row.
fn columns(page: &Page<'_>) -> Option<usize> {
    let mut most = 0;
    for cell in page.cells() {
        let payload = cell.ok()?.payload?;
        if record::stated_size(payload.local) != Ok(payload.len) {
            return None;
        }
        most = most.max(Record::prefix(payload.local).ok()?.columns());
    }
    (most > 0).then_some(most)
}

/// How well a column set fits the leaves of a table: the lower the better.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct FitTally {
    unfit: usize,
    misfits: usize,
    strange: u32,
    sure: Reverse<u32>,
    missing: usize,
}

impl FitTally {
    fn add(&mut self, fit: Option<PageFit>) {
        let Some(fit) = fit else {
            self.unfit += 1;
            return;
        };
        self.misfits += fit.misfits;
        self.strange += fit.strange;
        self.sure.0 += fit.sure.0;
        self.missing += fit.missing;
    }
}
