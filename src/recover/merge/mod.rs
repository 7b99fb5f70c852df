//! One set of rows from what several sources hold, folded in one after the other, best first.
//!
//! The first source is the main line: the live board if it holds any row, otherwise the newest by its events. A row that
//! only an older source has comes back where every newer one may have lost it, and not where one shows that it was
//! deleted (recovery.md, "What decides it", 3). What is to become of a source with a history of its own is decided in
//! `fork`.
//!
//! What is kept of a source that was folded in is its rows in the result and the places where it may have lost some, so
//! that ten thousand sources take no more room than one.

mod losses;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::catalog::{Index, Table};
use super::fork::{Conflict, History, Placing, Side};
use super::gaps::Gaps;
use super::roll::{Roll, Room};
use super::row::{self, Odd, Row};
use super::salvage::{Rows, Salvage};

/// So many other versions of a row are remembered.
const SAID: usize = 3;

/// One table of the result.
#[derive(Debug)]
pub(crate) struct MergedTable {
    pub(crate) table: Arc<Table>,
    pub(crate) rows: Roll,
    /// Rows that only an older source has, left out.
    pub(crate) older: Roll,
    /// Those of them that were asked for.
    pub(crate) asked: Roll,
    /// The best source that has the table.
    pub(crate) best: u32,
    /// Rows that are only partly there, in order; of one rowid the first is of the best source.
    pub(crate) partial: Vec<Row>,
    /// Rows of transactions that never ended, in order.
    pub(crate) uncommitted: Vec<Row>,
    /// Rows known to have been there that came from nowhere.
    pub(crate) lost: u64,
    /// Whether their number is an estimate.
    pub(crate) estimated: bool,
    /// Each source's own columns where they are not those of `table`.
    pub(crate) shapes: BTreeMap<u32, Arc<Table>>,
    /// Whether the text of `table` was found in a schema.
    found: bool,
    /// Where every source so far may have lost rows.
    open: Gaps,
    /// What other sources have where their row is not the chosen one, by rowid.
    disputed: BTreeMap<i64, Vec<Row>>,
    /// Rows that were given new numbers.
    pub(crate) renumbered: u64,
    /// What the main line says of its losses; the rows themselves are elsewhere.
    main: Rows,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Merged {
    pub(crate) tables: Vec<MergedTable>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) sequences: HashMap<String, i64>,
    /// Triggers, views and indexes that are not in the result.
    pub(crate) dropped: Vec<String>,
    /// Tables that are not in the result.
    pub(crate) unread: Vec<String>,
    /// What is odd about some rows.
    pub(crate) odds: Vec<Odd>,
    /// Rows that two histories have changed, and the source of the second.
    pub(crate) conflicts: Vec<(u32, Conflict)>,
}

/// A merge on its way.
#[derive(Debug)]
pub(crate) struct Merge {
    merged: Merged,
    /// The highest event number of the main line, once it is folded in.
    pub(super) main_line: Option<i64>,
    /// Whether no source so far could tell which tables there were.
    tables_unknown: bool,
    /// Where each table is in the result, by its name.
    places: HashMap<String, usize>,
    room: Arc<Room>,
    tally: Tally,
    /// The indexes of the main line.
    main_indexes: Vec<Index>,
}

/// For two sources, better first, how many rows are unlikely in the one and not in the other, and the other way round.
type Tally = HashMap<(u32, u32), (usize, usize)>;

/// So many rows have to tell which of two sources was altered, and so many times fewer may tell otherwise.
const ENOUGH: usize = 4;
const SURE: usize = 8;

impl Merge {
    /// Nothing folded in; rows are to be kept in `room`.
    pub(crate) fn new(room: &Arc<Room>) -> Self {
        Self {
            merged: Merged::default(),
            main_line: None,
            tables_unknown: true,
            places: HashMap::new(),
            room: Arc::clone(room),
            tally: Tally::new(),
            main_indexes: Vec::new(),
        }
    }

    /// Folds in what `source` holds; the best source comes first. One with a `history` of its own comes in as that says.
    pub(crate) fn fold(&mut self, source: u32, salvage: Salvage, history: Option<History>) {
        let is_main = self.main_line.is_none();
        self.main_line.get_or_insert(salvage.highest_event());
        if is_main {
            self.main_indexes.clone_from(&salvage.catalog.indexes);
        }
        let merged = &mut self.merged;
        let mut indexes: HashSet<String> = merged.indexes.iter().map(|known| known.name.clone()).collect();
        for index in &salvage.catalog.indexes {
            if !index.sql.is_empty() && indexes.insert(index.name.clone()) {
                merged.indexes.push(index.clone());
            }
        }
        union(&mut merged.dropped, &salvage.catalog.dropped);
        union(&mut merged.unread, &salvage.catalog.unread);
        for (name, &last) in &salvage.sequences {
            let highest = merged.sequences.entry(name.clone()).or_insert(0);
            *highest = last.max(*highest);
        }
        let known = merged.tables.len();
        let mut met = vec![false; known];
        let places = &mut self.places;
        for (tree, rows) in salvage.catalog.tables.iter().zip(salvage.tables) {
            let found = tree.root.is_some();
            let at = places.get(&tree.table.name).copied().unwrap_or_else(|| {
                let open = if self.tables_unknown { Gaps::everything() } else { Gaps::default() };
                merged.tables.push(MergedTable::new(
                    Arc::clone(&tree.table),
                    found,
                    source,
                    open,
                    &self.room,
                ));
                places.insert(tree.table.name.clone(), merged.tables.len() - 1);
                merged.tables.len() - 1
            });
            if let Some(met) = met.get_mut(at) {
                *met = true;
            }
            if let Some(table) = merged.tables.get_mut(at) {
                table.see(source, Arc::clone(&tree.table), found);
                let take = Take { odds: &salvage.odds, all: &mut merged.odds, tally: &mut self.tally };
                match history.as_ref().and_then(|history| history.placings.get(&table.table.name)) {
                    Some(placings) => table.fold_history(rows, placings, take),
                    None => table.fold(rows, is_main, take),
                }
            }
        }
        // A whole schema without a table says that there was none.
        for (table, met) in merged.tables.iter_mut().zip(met) {
            if !met && salvage.schema_is_whole {
                table.open = Gaps::default();
            }
        }
        self.tables_unknown &= !salvage.schema_is_whole;
        let conflicts = history.into_iter().flat_map(|history| history.conflicts);
        self.merged.conflicts.extend(conflicts.map(|conflict| (source, conflict)));
    }

    /// The table `name`.
    pub(crate) fn table_named(&self, name: &str) -> Option<&MergedTable> {
        self.places.get(name).and_then(|at| self.merged.tables.get(*at))
    }

    /// The highest numbers given out so far, by table.
    pub(crate) fn sequences(&self) -> &HashMap<String, i64> {
        &self.merged.sequences
    }

    /// Whether it is `source` that was altered wherever it and `other` differ and a row can tell; then it is where none can,
    /// too.
    pub(crate) fn was_altered(&self, source: u32, other: u32) -> bool {
        let (ours, theirs) = self.tally.get(&(source, other)).copied().unwrap_or_default();
        ours >= ENOUGH && ours > SURE * theirs
    }

    /// Rows on which the sources differ: the table, the chosen row, what others have.
    pub(crate) fn take_disputes(&mut self) -> Vec<(usize, Row, Vec<Row>)> {
        let mut disputes = Vec::new();
        for (at, table) in self.merged.tables.iter_mut().enumerate() {
            for (rowid, others) in std::mem::take(&mut table.disputed) {
                // One that has come from elsewhere meanwhile, or was renumbered, is not what they differed from.
                if let Some(row) = table.row(rowid).filter(|row| !row.is(row::FORK)) {
                    disputes.push((at, row, others));
                }
            }
        }
        disputes
    }

    /// Takes `row` in the place of the one with its rowid.
    pub(crate) fn replace(&mut self, at: usize, row: Row) {
        if let Some(table) = self.merged.tables.get_mut(at)
            && let Ok(place) = table.rows.find(row.rowid)
        {
            table.rows.set(place, row);
        }
    }

    /// Rows that are only partly there and came from nowhere else, for a last attempt.
    pub(crate) fn missing_parts(&self) -> Vec<(usize, Row)> {
        let tables = self.merged.tables.iter().enumerate();
        tables.flat_map(|(at, table)| table.missing_parts().map(move |row| (at, *row))).collect()
    }

    /// What is odd about the rows.
    pub(crate) fn odds(&self) -> &[Odd] {
        &self.merged.odds
    }

    /// The indexes of the main line, with its roots.
    pub(crate) fn main_indexes(&self) -> &[Index] {
        &self.main_indexes
    }

    /// The number of the table `name`.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.merged.tables.iter().position(|table| table.table.name == name)
    }

    /// The table with number `at`.
    pub(crate) fn table(&self, at: usize) -> Option<&MergedTable> {
        self.merged.tables.get(at)
    }

    /// Takes `row`, which was missing a part, with its parts from `odd`; it counts once [`Merge::settle`] is called.
    pub(crate) fn complete(&mut self, at: usize, mut row: Row, odd: Odd) {
        self.merged.odds.push(odd);
        row.odd = u32::try_from(self.merged.odds.len()).unwrap_or(0);
        if let Some(table) = self.merged.tables.get_mut(at)
            && !table.rows.has(row.rowid)
            && row.odd > 0
        {
            table.rows.push(row);
        }
    }

    /// Puts rows that were completed among the others.
    pub(crate) fn settle(&mut self) {
        for table in &mut self.merged.tables {
            table.rows.settle();
        }
    }

    /// The rows of the result that are from `source`: table, place among its rows, and the row.
    pub(crate) fn rows_of(&self, source: u32) -> impl Iterator<Item = (usize, usize, Row)> + '_ {
        let tables = self.merged.tables.iter().enumerate();
        let rows = tables.flat_map(|(table, merged)| {
            merged.rows.iter().enumerate().map(move |(at, row)| (table, at, row))
        });
        rows.filter(move |(.., row)| row.source == source)
    }

    /// Gives the row at `at` of the table with number `table` another record.
    pub(crate) fn rewrite(&mut self, table: usize, at: usize, payload: &[u8]) {
        self.merged.odds.push(Odd { payload: Some(payload.into()), ..Odd::default() });
        let odd = u32::try_from(self.merged.odds.len()).unwrap_or(0);
        if let Some(table) = self.merged.tables.get_mut(table)
            && let Some(mut row) = table.rows.get(at).filter(|_| odd > 0)
        {
            row.odd = odd;
            row.mark(row::MENDED, true);
            table.rows.set(at, row);
        }
    }

    /// The result, with what it lacks counted; with the rows that only older sources have if `include_older`.
    pub(crate) fn finish(mut self, include_older: bool) -> Merged {
        for table in &mut self.merged.tables {
            let last = self.merged.sequences.get(&table.table.name).copied();
            table.count_losses(last);
            if include_older {
                std::mem::swap(&mut table.asked, &mut table.older);
                table.asked.update(|mut row| {
                    row.mark(row::OLDER, true);
                    row
                });
            }
        }
        self.merged
    }
}

fn union(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

impl MergedTable {
    fn new(table: Arc<Table>, found: bool, best: u32, open: Gaps, room: &Arc<Room>) -> Self {
        Self {
            table,
            rows: Roll::new(room),
            older: Roll::new(room),
            asked: Roll::new(room),
            best,
            partial: Vec::new(),
            uncommitted: Vec::new(),
            lost: 0,
            estimated: false,
            shapes: BTreeMap::new(),
            found,
            open,
            disputed: BTreeMap::new(),
            renumbered: 0,
            main: Rows::new(room, false),
        }
    }

    /// Every row of the result.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = Row> + '_ {
        self.rows.iter().chain(self.asked.iter())
    }

    /// How many they are.
    pub(crate) fn chosen_count(&self) -> u64 {
        (self.rows.len() + self.asked.len()) as u64
    }

    /// The columns that rows of `source` have.
    pub(crate) fn shape_of(&self, source: u32) -> &Arc<Table> {
        self.shapes.get(&source).unwrap_or(&self.table)
    }

    /// Notes that `source` has the table as `table`, whose text was `found` in a schema or is the one that we bring.
    fn see(&mut self, source: u32, table: Arc<Table>, found: bool) {
        if found && !self.found {
            // A text that was found stands above the one that we bring. Rows so far are of the one that we brought.
            let ours = std::mem::replace(&mut self.table, Arc::clone(&table));
            for row in self.rows.iter().chain(self.older.iter()).chain(self.partial.iter().copied()) {
                self.shapes.entry(row.source).or_insert_with(|| Arc::clone(&ours));
            }
            self.found = true;
        }
        if self.table.sql != table.sql {
            self.shapes.insert(source, table);
        }
    }

    /// The row with `rowid`.
    pub(crate) fn row(&self, rowid: i64) -> Option<Row> {
        self.rows.find(rowid).ok().and_then(|at| self.rows.get(at))
    }

    /// Whether the row with `rowid` may be lost, or is there with a flaw.
    pub(crate) fn doubts(&self, rowid: i64) -> bool {
        self.row(rowid).map_or_else(|| self.open.contains(rowid), |row| row.is_suspect())
    }

    /// Folds in the rows of a second history, as `placings` say.
    fn fold_history(&mut self, mut rows: Rows, placings: &[Placing], mut take: Take<'_>) {
        let whole = &rows.whole;
        let mut placed = HashSet::new();
        let mut new = Vec::new();
        for placing in placings {
            let known = self.rows.find(placing.rowid);
            let row = match placing.side {
                Side::Main => known.ok().and_then(|at| self.rows.get(at)),
                Side::Second => {
                    placed.insert(placing.from);
                    let at = whole.find(placing.from);
                    at.ok().and_then(|at| whole.get(at)).map(|row| take.row(row))
                }
            };
            let Some(mut row) = row else { continue };
            if let Some(payload) = &placing.payload {
                take.rewrite(&mut row, payload);
            }
            self.renumbered += u64::from(row.rowid != placing.rowid && self.table.counts());
            row.rowid = placing.rowid;
            row.mark(row::FORK, true);
            match known {
                Ok(at) => self.rows.set(at, row),
                Err(_) => new.push(row),
            }
        }
        let mut older = Behind::new(&mut self.older);
        for row in whole.iter().filter(|row| !placed.contains(&row.rowid) && !self.rows.has(row.rowid)) {
            older.take(row, &mut take);
        }
        older.settle();
        new.sort_by_key(|row: &Row| row.rowid);
        new.dedup_by_key(|row| row.rowid);
        self.fold_parts(&mut rows, false, &mut take);
        for row in new {
            self.rows.push(row);
        }
        self.rows.settle();
        self.open = self.open.intersect(&rows.gaps);
    }

    fn fold_parts(&mut self, rows: &mut Rows, is_main: bool, take: &mut Take<'_>) {
        let mut parts = std::mem::take(&mut rows.partial);
        parts.retain(|row| is_main || self.open.contains(row.rowid));
        parts.sort_by_key(|row| row.rowid);
        join(&mut self.partial, parts, &mut |row| take.row(row));
        let mut uncommitted = std::mem::take(&mut rows.uncommitted);
        uncommitted.sort_by_key(|row| row.rowid);
        join(&mut self.uncommitted, uncommitted, &mut |row| row);
    }

    fn fold(&mut self, mut rows: Rows, is_main: bool, mut take: Take<'_>) {
        if is_main {
            self.fold_main(rows, take);
            return;
        }
        let mut older = Behind::new(&mut self.older);
        let mut at = 0;
        for row in rows.whole.iter() {
            while self.rows.get(at).is_some_and(|known| known.rowid < row.rowid) {
                at += 1;
            }
            let known = self.rows.get(at).filter(|known| known.rowid == row.rowid);
            if let Some(known) = &known {
                take.count(known, &row);
            }
            match known {
                Some(known) if known.is_suspect() && !row.is_suspect() => self.rows.set(at, take.row(row)),
                Some(known) if known.parity != row.parity && !known.is_suspect() && !row.is_suspect() => {
                    let said = self.disputed.entry(row.rowid).or_default();
                    if said.len() < SAID {
                        said.push(take.row(row));
                    }
                }
                Some(_) => {}
                None if self.open.contains(row.rowid) => self.rows.push(take.row(row)),
                None => older.take(row, &mut take),
            }
        }
        older.settle();
        self.rows.settle();
        self.fold_parts(&mut rows, false, &mut take);
        self.open = self.open.intersect(&rows.gaps);
    }

    /// Folds in the rows of the main line, which are the first.
    fn fold_main(&mut self, mut rows: Rows, mut take: Take<'_>) {
        std::mem::swap(&mut self.rows, &mut rows.whole);
        self.rows.update(|row| take.row(row));
        self.fold_parts(&mut rows, true, &mut take);
        self.open = rows.gaps.clone();
        self.main = rows;
    }

    fn missing_parts(&self) -> impl Iterator<Item = &Row> {
        self.partial.iter().filter(|row| !self.rows.has(row.rowid))
    }
}

/// Rows that only older sources have, in order; more come in by rising rowid.
struct Behind<'b> {
    rows: &'b mut Roll,
    at: usize,
}

impl<'b> Behind<'b> {
    fn new(rows: &'b mut Roll) -> Self {
        Self { rows, at: 0 }
    }

    /// Adds `row` unless one with its rowid is there.
    fn take(&mut self, row: Row, take: &mut Take<'_>) {
        while self.rows.get(self.at).is_some_and(|known| known.rowid < row.rowid) {
            self.at += 1;
        }
        if self.rows.get(self.at).is_none_or(|known| known.rowid != row.rowid) {
            self.rows.push(take.row(row));
        }
    }

    fn settle(self) {
        self.rows.settle();
    }
}

/// Takes rows of a source over, with what is odd about them.
struct Take<'t> {
    odds: &'t [Odd],
    all: &'t mut Vec<Odd>,
    tally: &'t mut Tally,
}

impl Take<'_> {
    /// Notes which of two versions of a row is unlikely.
    fn count(&mut self, known: &Row, row: &Row) {
        if known.parity != row.parity && known.is_suspect() != row.is_suspect() {
            let (better, other) = self.tally.entry((known.source, row.source)).or_default();
            *better += usize::from(known.is_suspect());
            *other += usize::from(row.is_suspect());
        }
    }

    fn row(&mut self, mut row: Row) -> Row {
        if let Some(odd) = row.oddity(self.odds) {
            self.all.push(odd.clone());
            row.odd = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        }
        row
    }

    /// Gives `row`, which was taken over, another record.
    fn rewrite(&mut self, row: &mut Row, payload: &[u8]) {
        self.all.push(Odd { payload: Some(payload.into()), ..Odd::default() });
        row.odd = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
    }
}

/// Adds to `rows` those of `more` whose rowids it has not; both are in order.
fn join(rows: &mut Vec<Row>, mut more: Vec<Row>, take: &mut impl FnMut(Row) -> Row) {
    let mut at = 0;
    let mut last = None;
    more.retain_mut(|row| {
        while rows.get(at).is_some_and(|known| known.rowid < row.rowid) {
            at += 1;
        }
        let new = last != Some(row.rowid) && rows.get(at).is_none_or(|known| known.rowid != row.rowid);
        if new {
            last = Some(row.rowid);
            *row = take(*row);
        }
        new
    });
    if rows.is_empty() {
        *rows = more;
    } else if !more.is_empty() {
        rows.reserve_exact(more.len());
        rows.append(&mut more);
        rows.sort_by_key(|row| row.rowid);
    }
}
