//! One set of rows from what several sources hold, folded in one after the other, best first.
//!
//! The first source is the main line: the live board if it holds any row, otherwise the newest by its events. A row that
//! only an older source has comes back where every newer one may have lost it, and not where one shows that it was
//! deleted (recovery.md, "What decides it", 3). What is to become of a source with a history of its own is decided in
//! `fork`.
//!
//! What is kept of a source that was folded in is its rows in the result and the places where it may have lost some, so
//! that ten thousand sources take no more room than one.

pub(crate) mod branch;
pub(crate) mod flips;
pub(crate) mod graft;
mod losses;
pub(crate) mod rank;
pub(crate) mod spill;
mod table;
pub(crate) mod vote;
pub(crate) mod witness;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use self::branch::{Conflict, History};
use crate::salvage::Salvage;
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::rows::set::MemoryBudget;
use crate::salvage::schema::Index;
pub(crate) use table::MergedTable;
use table::{Take, Tally};

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
    pub(crate) odds: RowExtras,
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
    room: Arc<MemoryBudget>,
    tally: Tally,
    /// The indexes of the main line.
    main_indexes: Vec<Index>,
}

/// So many rows have to tell which of two sources was altered, and so many times fewer may tell otherwise.
const ENOUGH: usize = 4;
const SURE: usize = 8;

impl Merge {
    /// Nothing folded in; rows are to be kept in `room`.
    pub(crate) fn new(room: &Arc<MemoryBudget>) -> Self {
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
        self.take_of_chosen(|table| &mut table.disputed)
    }

    /// Rows in whose place unlikely ones of a better source stood: the table, the row, the one that gave way.
    pub(crate) fn take_yielded(&mut self) -> Vec<(usize, Row, Row)> {
        self.take_of_chosen(|table| &mut table.yielded)
    }

    /// What is noted of rows in `notes`: the table, the row as it is now, the note.
    fn take_of_chosen<T>(
        &mut self,
        notes: impl Fn(&mut MergedTable) -> &mut BTreeMap<i64, T>,
    ) -> Vec<(usize, Row, T)> {
        let mut taken = Vec::new();
        for (at, table) in self.merged.tables.iter_mut().enumerate() {
            for (rowid, note) in std::mem::take(notes(table)) {
                // One that has come from elsewhere meanwhile, or was renumbered, is not what the note is of.
                if let Some(row) = table.row(rowid).filter(|row| !row.is(row::FORK)) {
                    taken.push((at, row, note));
                }
            }
        }
        taken
    }

    /// Whether rows of the two sources have their columns in the same places in the table with number `at`.
    pub(crate) fn are_alike(&self, at: usize, one: u32, other: u32) -> bool {
        let columns = |source| self.table(at).map(|table| table.shape_of(source).columns.as_slice());
        let names = |source| columns(source).into_iter().flatten().map(|column| &column.name);
        names(one).zip(names(other)).all(|(one, other)| one == other)
    }

    /// Takes `row`, with the record `payload` if there is one, in the place of the one with its rowid.
    pub(crate) fn replace(&mut self, at: usize, row: Row, payload: Option<Vec<u8>>) {
        let Some(table) = self.merged.tables.get_mut(at) else { return };
        let Ok(place) = table.rows.find(row.rowid) else { return };
        table.rows.set(place, row);
        if let Some(payload) = payload {
            self.rewrite(at, place, &payload);
        }
    }

    /// Rows that are only partly there and came from nowhere else, for a last attempt.
    pub(crate) fn missing_parts(&self) -> Vec<(usize, Row)> {
        let tables = self.merged.tables.iter().enumerate();
        tables.flat_map(|(at, table)| table.missing_parts().map(move |row| (at, *row))).collect()
    }

    /// What is odd about the rows.
    pub(crate) fn odds(&self) -> &RowExtras {
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
    pub(crate) fn complete(&mut self, at: usize, mut row: Row, odd: &Odd) {
        row.odd = self.merged.odds.push(odd);
        if let Some(table) = self.merged.tables.get_mut(at)
            && !table.rows.has(row.rowid)
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
        let odd = self.merged.odds.push(&Odd { payload: Some(payload.into()), ..Odd::default() });
        if let Some(table) = self.merged.tables.get_mut(table)
            && let Some(mut row) = table.rows.get(at)
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
