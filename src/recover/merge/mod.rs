//! Makes one set of rows of what several sources hold. Sources are folded in one after the other, best first.
//!
//! The first source is the main line: the live board if it holds any row, otherwise the newest by its events. A row that the
//! main line holds whole is the row. A row that only an older source has comes back where every newer one may have lost it,
//! and not where one shows that it was deleted. Beside a sound live board no other source adds a row, unless it is a second
//! history that was asked for. [`branch`] merges second histories, [`judge`] decides between versions of one row, and
//! [`events`] tells which rows may be out of date.
//!
//! Of a source that was folded in, only its rows in the result and the places where it may have lost some are kept. Ten
//! thousand sources take no more memory than one.
//!
//! Not here: reading a source ([`crate::salvage`]), writing the result ([`mod@crate::recover::rebuild`]).

pub(crate) mod branch;
pub(crate) mod events;
pub(crate) mod graft;
mod judge;
pub(crate) mod losses;
pub(crate) mod rank;
pub(crate) mod spill;
mod table;
pub(crate) mod versions;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use self::branch::{Conflict, History};
use self::events::StaleRow;
use self::losses::Capacity;
use crate::recover::rebuild::insert::InsertedRows;
use crate::salvage::Salvage;
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::rows::set::MemoryBudget;
use crate::salvage::schema::{Index, TableSchema};
pub(crate) use table::MergedTable;
use table::{Dispute, FoldMode, Take};

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
    /// What each source holds that the result has not.
    pub(crate) beyond: HashMap<u32, Beyond>,
    /// Whether the best source is a sound live board.
    pub(crate) is_sound: bool,
}

impl Merged {
    /// Add what `salvage` has besides rows: indexes, names of what is not read, numbers given out.
    fn add_schema(&mut self, salvage: &Salvage) {
        let mut indexes: HashSet<String> = self.indexes.iter().map(|known| known.name.clone()).collect();
        for index in &salvage.catalog.indexes {
            if !index.sql.is_empty() && indexes.insert(index.name.clone()) {
                self.indexes.push(index.clone());
            }
        }
        union(&mut self.dropped, &salvage.catalog.dropped);
        union(&mut self.unread, &salvage.catalog.unread);
        for (name, &last) in &salvage.sequences {
            let highest = self.sequences.entry(name.clone()).or_insert(0);
            *highest = last.max(*highest);
        }
    }

    /// True if rows of the main line may be lost, so that a task without a row may be one of them.
    pub(crate) fn may_lack_rows(&self) -> bool {
        let tasks = self.tables.iter().find(|table| table.table.name == "tasks");
        !self.is_sound
            && tasks.is_some_and(|table| table.main.is_damaged() || table.lost > 0 || !table.open.is_empty())
    }

    /// Put rows that a constraint kept out of the new file among the other versions.
    pub(crate) fn set_refused_apart(&mut self, written: &HashMap<String, InsertedRows>) {
        for table in &mut self.tables {
            let Some(written) = written.get(&table.table.name) else { continue };
            let refused = written.missing.iter().filter_map(|rowid| table.row(*rowid));
            let refused: Vec<Row> = refused.filter(|row| !row.is(row::OLDER)).collect();
            table.versions.extend(refused);
        }
    }
}

/// What a source holds that the result has not.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Beyond {
    /// How many rows.
    pub(crate) rows: u64,
    /// Whether the source has gone on where the main line ends, or beside it: then they are not rows that were deleted since.
    pub(crate) is_later: bool,
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
    /// What the main line's `sqlite_sequence` says of the events.
    main_events_sequence: Option<i64>,
    /// Whether the main line is a sound live board, to which nothing is added unasked.
    is_sound: bool,
    /// Sources whose events have other numbers than the main line's.
    renumbered: HashSet<u32>,
}

const EVENTS: &str = "task_events";
/// The tables that Hermes makes again, with new numbers, where their `id` is no INTEGER PRIMARY KEY.
const NUMBERED: [&str; 3] = [EVENTS, "task_comments", "task_runs"];

impl Merge {
    /// Nothing folded in; rows are to be kept in `room`.
    pub(crate) fn new(room: &Arc<MemoryBudget>) -> Self {
        Self {
            merged: Merged::default(),
            main_line: None,
            tables_unknown: true,
            places: HashMap::new(),
            room: Arc::clone(room),
            main_events_sequence: None,
            is_sound: false,
            renumbered: HashSet::new(),
        }
    }

    /// Declare the main line a sound live board: of the sources that follow only second histories that are given come in.
    pub(crate) fn hold_sound(&mut self) {
        self.is_sound = true;
    }

    /// True if the main line is a sound live board.
    pub(crate) fn is_sound(&self) -> bool {
        self.is_sound
    }

    /// Fold in what `source` holds; the best source comes first. One with a `history` of its own comes in as that says.
    pub(crate) fn fold(&mut self, source: u32, salvage: Salvage, history: Option<History>) {
        let is_main = self.main_line.is_none();
        let is_later = self.main_line.is_some_and(|main| salvage.highest_event() > main);
        self.main_line.get_or_insert(salvage.highest_event());
        if is_main {
            self.main_events_sequence = salvage.sequences.get(EVENTS).copied();
        }
        let mode = match () {
            () if is_main => FoldMode::Main,
            () if self.is_sound => FoldMode::Listed,
            () => FoldMode::Older,
        };
        if mode == FoldMode::Listed && history.as_ref().is_none_or(|history| history.is_listed) {
            let arrivals = history.as_ref().map_or(0, History::arrivals);
            self.list(source, salvage, is_later || history.is_some());
            if let Some(beyond) = self.merged.beyond.get_mut(&source) {
                beyond.rows = beyond.rows.max(arrivals);
            }
            return;
        }
        let is_sound = salvage.is_sound();
        let merged = &mut self.merged;
        merged.add_schema(&salvage);
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
                let renumbered = numbers_otherwise(&table.table, &tree.table);
                if renumbered && tree.table.name == EVENTS {
                    self.renumbered.insert(source);
                }
                let mode = if renumbered { FoldMode::Listed } else { mode };
                table.see(source, Arc::clone(&tree.table), found);
                let take = Take { odds: &salvage.odds, all: &mut merged.odds, is_sound };
                let placings = history.as_ref().and_then(|history| history.placings.get(&table.table.name));
                if let Some(placings) = placings {
                    table.fold_history(rows, placings, take);
                } else {
                    let beyond = merged.beyond.entry(source).or_default();
                    beyond.rows += table.fold(rows, mode, take);
                    beyond.is_later = is_later;
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

    /// True if the rows of `table` in another source have other numbers than the result's.
    pub(crate) fn numbers_otherwise(&self, table: &TableSchema) -> bool {
        self.table_named(&table.name).is_some_and(|known| numbers_otherwise(&known.table, table))
    }

    /// True if the events of `source` have other numbers than the result's.
    pub(crate) fn is_renumbered(&self, source: u32) -> bool {
        self.renumbered.contains(&source)
    }

    /// The table `name`.
    pub(crate) fn table_named(&self, name: &str) -> Option<&MergedTable> {
        self.places.get(name).and_then(|at| self.merged.tables.get(*at))
    }

    /// The highest numbers given out so far, by table.
    pub(crate) fn sequences(&self) -> &HashMap<String, i64> {
        &self.merged.sequences
    }

    /// Note what `source` holds beyond a sound main line.
    fn list(&mut self, source: u32, salvage: Salvage, is_later: bool) {
        let merged = &mut self.merged;
        let mut beyond = Beyond { rows: 0, is_later };
        for (tree, rows) in salvage.catalog.tables.iter().zip(salvage.tables) {
            let known = self.places.get(&tree.table.name).and_then(|at| merged.tables.get_mut(*at));
            let Some(table) = known else {
                beyond.rows += rows.whole.len() as u64;
                continue;
            };
            table.see(source, Arc::clone(&tree.table), tree.root.is_some());
            let take = Take { odds: &salvage.odds, all: &mut merged.odds, is_sound: false };
            beyond.rows += table.fold(rows, FoldMode::Listed, take);
        }
        merged.beyond.insert(source, beyond);
    }

    /// The highest number that an event was given, as far as anything tells.
    pub(crate) fn last_event(&self) -> i64 {
        let table = self.table_named(EVENTS);
        let rows = table.and_then(|table| table.rows.last()).map(|row| row.rowid);
        let indexed = table.and_then(|table| table.main.highest_indexed);
        let stated = self.merged.sequences.get(EVENTS).copied();
        rows.max(indexed).max(stated).unwrap_or(0)
    }

    /// True if events may be lost behind the last known one.
    pub(crate) fn events_may_go_on(&self) -> bool {
        let ends_open =
            |table: &MergedTable| table.main.gaps.ranges().last().is_some_and(|(_, high)| high == i64::MAX);
        self.main_events_sequence.is_none() && self.table_named(EVENTS).is_some_and(ends_open)
    }

    /// Note that a row of the table with number `at` may be out of date.
    pub(crate) fn note_stale(&mut self, at: usize, row: StaleRow) {
        if let Some(table) = self.merged.tables.get_mut(at) {
            table.stale.push(row);
        }
    }

    /// Note that `row` of the table with number `at` is marked, and which `other` version there is.
    pub(crate) fn mark(&mut self, at: usize, row: &Row, other: Row) {
        let Some(table) = self.merged.tables.get_mut(at) else { return };
        let Ok(place) = table.rows.find(row.rowid) else { return };
        let mut row = *row;
        row.mark(row::SUSPECT, true);
        table.rows.set(place, row);
        table.versions.push(other);
    }

    /// Rows on which the sources differ: the table, the chosen row, what others have.
    fn take_disputes(&mut self) -> Vec<(usize, Row, Dispute)> {
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

    /// Takes `row`, with the record `payload` if there is one, in the place of the one with its rowid.
    pub(crate) fn replace(&mut self, at: usize, row: Row, payload: Option<Vec<u8>>) {
        let Some(table) = self.merged.tables.get_mut(at) else { return };
        let Ok(place) = table.rows.find(row.rowid) else { return };
        table.rows.set(place, row);
        if let Some(payload) = payload {
            self.rewrite(at, place, &payload);
            if let Some(table) = self.merged.tables.get_mut(at) {
                table.corrected += 1;
            }
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

    /// Gives the row at `at` of the table with number `table` another record.
    fn rewrite(&mut self, table: usize, at: usize, payload: &[u8]) {
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
    pub(crate) fn finish(mut self, include_older: bool, held: &Capacity) -> Merged {
        for table in &mut self.merged.tables {
            let last = self.merged.sequences.get(&table.table.name).copied();
            table.count_losses(last, held);
            if include_older {
                std::mem::swap(&mut table.asked, &mut table.older);
                table.asked.update(|mut row| {
                    row.mark(row::OLDER, true);
                    row
                });
            }
        }
        self.merged.is_sound = self.is_sound;
        self.merged
    }
}

/// True if Hermes gave the rows of the one table new numbers when it made the other of it: then rows of one rowid are not one
/// row.
fn numbers_otherwise(one: &TableSchema, other: &TableSchema) -> bool {
    NUMBERED.contains(&one.name.as_str()) && one.rowid_column.is_some() != other.rowid_column.is_some()
}

fn union(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}
