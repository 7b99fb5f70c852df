//! Tables without a schema: which trees there are by their own structure, and which table each of them is.
//!
//! An interior page that no other names as its child is a root. What table it is the root of, its rows say: of the orders of
//! columns that Hermes' tables can have, the one that fits best. Trees and loose leaves that fit none are kept as tables
//! of their own under neutral names. Only pages that the schema's own trees do not reach are looked at.
//!
//! Not here: the orders, and which of them some rows speak for ([`column_sets`](crate::salvage::schema::column_sets)).

mod naming;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::leaf;
use super::page_scan::{numbers, pieces, stride};
use crate::failure::Outcome;
use crate::hermes::{self, SchemaVersion};
use crate::ondisk::btree::{self, Range, VisitedPages};
use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{self, Record, Value};
use crate::salvage::schema::column_sets::{KnownOrders, OrderVotes};
use crate::salvage::schema::{Catalog, Plausibility, Schemas, TableSchema, TextOrigin};
use crate::work::threads::in_order;

/// Leaves that are asked what table they are of, in all.
const SAMPLE: usize = 512;
/// Leaves of one tree that are asked.
const SAMPLE_OF_TREE: usize = 16;

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
    forest.choose_orders(catalog, &sample);
    let nameless = forest.assign(catalog, trees);
    forest.name(catalog, nameless, &loose);
    forest.name_damaged(catalog);
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

    fn fit(&self, table: &TableSchema, number: u32) -> Option<Plausibility> {
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

    /// Give each of Hermes' tables whose text is lost the order of columns that its leaves and those in `sample` speak for.
    fn choose_orders(&self, catalog: &mut Catalog, sample: &[u32]) {
        let mut guesses: Vec<GuessedTable> = Vec::new();
        for (at, tree) in catalog.tables.iter().enumerate().filter(|(_, tree)| tree.is_guess()) {
            let Some(mut orders) = KnownOrders::of(self.schemas, &tree.table.name) else { continue };
            let mut votes = OrderVotes::default();
            if let TextOrigin::Copy(remains) | TextOrigin::Lost(remains) = &tree.text {
                orders.restrict(remains);
            }
            for leaf in tree.root.into_iter().flat_map(|root| self.leaves(root)) {
                if let Some(more) = self.votes(&orders, leaf) {
                    votes.add(&more);
                }
            }
            guesses.push(GuessedTable { at, orders, votes, longer: OrderVotes::default() });
        }
        for &leaf in sample {
            self.ask(catalog, &mut guesses, leaf);
        }
        let release = Self::release(catalog, &guesses);
        for guess in guesses {
            let Some(tree) = catalog.tables.get_mut(guess.at) else { continue };
            let copy = matches!(tree.text, TextOrigin::Copy(_)).then(|| Arc::clone(&tree.table));
            let chosen = guess.orders.choose(&guess.votes, copy.as_deref(), release);
            let known = chosen.and_then(|chosen| guess.orders.table(self.schemas, chosen));
            let unknown = || {
                let all = [&guess.votes, &guess.longer].into_iter().find(|votes| votes.width() > 0)?;
                guess.orders.with_unknown(self.schemas, all)
            };
            let table = if guess.longer.width() > 0 { unknown().or(known) } else { known.or_else(unknown) };
            if let Some(table) = table {
                tree.table = table;
            }
        }
    }

    /// Add what the rows on `leaf` say to the table that they are most likely of.
    fn ask(&self, catalog: &Catalog, guesses: &mut [GuessedTable], leaf: u32) {
        let named = catalog.tables.iter().filter(|tree| !tree.is_guess());
        let named = named.filter_map(|tree| self.fit(&tree.table, leaf)).min();
        let fits = guesses.iter().enumerate().filter_map(|(at, guess)| {
            let votes = self.votes(&guess.orders, leaf)?;
            Some((guess.orders.choose(&votes, None, SchemaVersion::Early)?.fit, at, votes))
        });
        let best = fits.min_by_key(|(fit, at, _)| (*fit, *at));
        match (best, named) {
            (Some((fit, at, votes)), named) => {
                if let Some(guess) = guesses.get_mut(at).filter(|_| named.is_none_or(|named| fit <= named)) {
                    guess.votes.add(&votes);
                }
            }
            (None, None) => {
                // Rows that only have more columns than any order.
                let longer = guesses.iter_mut().find_map(|guess| {
                    let votes = self.votes(&guess.orders, leaf)?;
                    guess.orders.with_unknown(self.schemas, &votes)?;
                    Some((guess, votes))
                });
                if let Some((guess, votes)) = longer {
                    guess.longer.add(&votes);
                }
            }
            (None, Some(_)) => {}
        }
    }

    /// The newest release that any table of the board shows. Hermes migrates all of them at once.
    fn release(catalog: &Catalog, guesses: &[GuessedTable]) -> SchemaVersion {
        let of_texts = catalog.tables.iter().filter(|tree| !tree.is_guess()).filter_map(|tree| {
            let facts = hermes::table(&tree.table.name)?;
            let known = tree.table.columns.iter().filter_map(|column| facts.column(&column.name));
            known.map(|column| column.since).max()
        });
        let of_rows = guesses.iter().filter(|guess| guess.votes.width() > 0).filter_map(|guess| {
            let chosen = guess.orders.choose(&guess.votes, None, SchemaVersion::Early)?;
            Some(guess.orders.release(chosen, &guess.votes))
        });
        of_texts.chain(of_rows).max().unwrap_or(SchemaVersion::Early)
    }

    fn votes(&self, orders: &KnownOrders, leaf: u32) -> Option<OrderVotes> {
        self.on(leaf, |page| orders.votes(page, self.image.encoding()))?
    }

    /// Some leaves of the tree at `root`.
    fn leaves(&self, root: u32) -> Vec<u32> {
        let walk = btree::walk_table(self.image, root, &mut VisitedPages::new(self.image));
        every(&walk.leaves, SAMPLE).map(|place| place.page).collect()
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

/// A table of Hermes whose columns must be guessed.
struct GuessedTable {
    /// Its place in the catalog.
    at: usize,
    orders: KnownOrders,
    votes: OrderVotes,
    /// What rows say that have more columns than any order.
    longer: OrderVotes,
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
