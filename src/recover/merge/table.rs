//! Folds the rows of one source after the other into one table of the result: which row of a rowid counts, which ones stay
//! behind, and where versions differ.
//!
//! Not here: what becomes of differing versions ([`super::judge`]), and of a second history ([`super::branch`]).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::branch::{Branch, Placing};
use super::events::StaleRow;
use super::judge::VersionVotes;
use crate::salvage::TableRows;
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::gaps::Gaps;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::rows::set::{MemoryBudget, RowSet};
use crate::salvage::schema::TableSchema;

/// Other versions of one row that are remembered.
const MAX_VERSIONS: usize = 3;

/// How the rows of a source come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoldMode {
    /// It is the best source.
    Main,
    /// Its rows stand in where better sources may have lost theirs.
    Older,
    /// The best source is sound: no row of this one comes in.
    Listed,
}

/// Versions of a row that differ from the chosen one.
#[derive(Debug, Default)]
pub(super) struct Dispute {
    /// Each version, and the sources that have it.
    pub(super) versions: Vec<(Row, VersionVotes)>,
    /// The sources that have the chosen one, the best source among them.
    pub(super) agreeing: VersionVotes,
}

/// One table of the result.
#[derive(Debug)]
pub(crate) struct MergedTable {
    pub(crate) table: Arc<TableSchema>,
    pub(crate) rows: RowSet,
    /// Rows that only an older source or an unused part of a page has, left out.
    pub(crate) older: RowSet,
    /// Those of them that were asked for.
    pub(crate) asked: RowSet,
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
    pub(crate) shapes: BTreeMap<u32, Arc<TableSchema>>,
    /// Whether the text of `table` was found in a schema.
    found: bool,
    /// Where every source so far may have lost rows.
    pub(super) open: Gaps,
    /// What other sources have where their row is not the chosen one, by rowid.
    pub(super) disputed: BTreeMap<i64, Dispute>,
    /// Rows of better sources that were unlikely and gave way, by rowid.
    pub(super) yielded: BTreeMap<i64, Row>,
    /// Sources that were folded in, the main line among them.
    folded: VersionVotes,
    /// Whether the main line has the table.
    is_of_main: bool,
    /// Rows of the result that are not known to be the newest version, in order.
    pub(crate) stale: Vec<StaleRow>,
    /// Versions of marked rows that are not in the result.
    pub(crate) versions: Vec<Row>,
    /// Rows of the result that the judge corrected.
    pub(crate) corrected: u64,
    /// Rows that were given new numbers.
    pub(crate) renumbered: u64,
    /// What the main line says of its losses; the rows themselves are elsewhere.
    pub(super) main: TableRows,
}

impl MergedTable {
    pub(super) fn new(
        table: Arc<TableSchema>,
        found: bool,
        best: u32,
        open: Gaps,
        room: &Arc<MemoryBudget>,
    ) -> Self {
        Self {
            table,
            rows: RowSet::new(room),
            older: RowSet::new(room),
            asked: RowSet::new(room),
            best,
            partial: Vec::new(),
            uncommitted: Vec::new(),
            lost: 0,
            estimated: false,
            shapes: BTreeMap::new(),
            found,
            open,
            disputed: BTreeMap::new(),
            yielded: BTreeMap::new(),
            folded: VersionVotes::default(),
            is_of_main: false,
            stale: Vec::new(),
            versions: Vec::new(),
            corrected: 0,
            renumbered: 0,
            main: TableRows::new(room, false),
        }
    }

    /// Every row of the result.
    pub(crate) fn chosen(&self) -> impl Iterator<Item = Row> + '_ {
        self.rows.iter().chain(self.asked.iter())
    }

    /// Every row of the result in the order in which it is inserted. Where two rows can have one key (a task that was made
    /// again), the row of the best source comes first; within a source the order is that of the rowids.
    pub(crate) fn in_order_of_insertion(&self) -> impl Iterator<Item = Row> + '_ {
        let is_first = |row: &Row| self.table.rowid_column.is_some() || row.source == self.best;
        let first = self.rows.iter().filter(is_first);
        let rest = self.rows.iter().filter(move |row| !is_first(row));
        first.chain(rest).chain(self.asked.iter())
    }

    /// True if every row is from the best source and its leaves are in order: then no two rows have one key.
    pub(crate) fn is_of_one_sound_source(&self) -> bool {
        self.is_of_main
            && !self.main.is_damaged()
            && self.folded.all <= 1
            && self.asked.is_empty()
            && self.main.indexed.is_empty()
    }

    /// How many they are.
    pub(crate) fn chosen_count(&self) -> u64 {
        (self.rows.len() + self.asked.len()) as u64
    }

    /// The columns that rows of `source` have.
    pub(crate) fn shape_of(&self, source: u32) -> &Arc<TableSchema> {
        self.shapes.get(&source).unwrap_or(&self.table)
    }

    /// Notes that `source` has the table as `table`, whose text was `found` in a schema or is the one that we bring.
    pub(super) fn see(&mut self, source: u32, table: Arc<TableSchema>, found: bool) {
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
    pub(super) fn fold_history(&mut self, mut rows: TableRows, placings: &[Placing], mut take: Take<'_>) {
        let whole = &rows.whole;
        let mut placed = HashSet::new();
        let mut new = Vec::new();
        for placing in placings {
            let known = self.rows.find(placing.rowid);
            let row = match placing.side {
                Branch::Main => known.ok().and_then(|at| self.rows.get(at)),
                Branch::Second => {
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

    fn fold_parts(&mut self, rows: &mut TableRows, is_main: bool, take: &mut Take<'_>) {
        let mut parts = std::mem::take(&mut rows.partial);
        parts.retain(|row| is_main || self.open.contains(row.rowid));
        parts.sort_by_key(|row| row.rowid);
        join(&mut self.partial, parts, &mut |row| take.row(row));
        let mut uncommitted = std::mem::take(&mut rows.uncommitted);
        uncommitted.sort_by_key(|row| row.rowid);
        join(&mut self.uncommitted, uncommitted, &mut |row| row);
        let mut aged = std::mem::take(&mut rows.older);
        aged.sort_by_key(|row| row.rowid);
        aged.dedup_by_key(|row| row.rowid);
        let mut older = Behind::new(&mut self.older);
        for row in aged {
            older.take(row, take);
        }
        older.settle();
    }

    /// Folds in the rows of a source; returns how many of them the result has not.
    pub(super) fn fold(&mut self, mut rows: TableRows, mode: FoldMode, mut take: Take<'_>) -> u64 {
        let vote = VersionVotes::one(take.is_sound);
        if mode == FoldMode::Main {
            self.folded.add(vote);
            self.is_of_main = true;
            self.fold_main(rows, take);
            return 0;
        }
        let mut beyond = 0;
        let mut older = Behind::new(&mut self.older);
        let mut at = 0;
        for row in rows.whole.iter() {
            while self.rows.get(at).is_some_and(|known| known.rowid < row.rowid) {
                at += 1;
            }
            let known = self.rows.get(at).filter(|known| known.rowid == row.rowid);
            match known {
                Some(_) if mode == FoldMode::Listed => {}
                Some(known) if known.is_suspect() && !row.is_suspect() => {
                    self.yielded.entry(row.rowid).or_insert(known);
                    self.rows.set(at, take.row(row));
                }
                Some(known) if !known.is_suspect() && !row.is_suspect() => {
                    if known.parity != row.parity {
                        let dispute = self
                            .disputed
                            .entry(row.rowid)
                            .or_insert_with(|| Dispute { agreeing: self.folded, ..Dispute::default() });
                        let same = dispute.versions.iter().position(|(known, _)| known.parity == row.parity);
                        if let Some((_, sources)) = same.and_then(|at| dispute.versions.get_mut(at)) {
                            sources.add(vote);
                        } else if dispute.versions.len() < MAX_VERSIONS {
                            dispute.versions.push((take.row(row), vote));
                        }
                    } else if let Some(dispute) = self.disputed.get_mut(&row.rowid) {
                        dispute.agreeing.add(vote);
                    }
                }
                Some(_) => {}
                None if mode == FoldMode::Older && self.open.contains(row.rowid) => {
                    self.rows.push(take.row(row));
                }
                None => {
                    beyond += 1;
                    older.take(row, &mut take);
                }
            }
        }
        older.settle();
        self.folded.add(vote);
        self.rows.settle();
        if mode == FoldMode::Older {
            self.fold_parts(&mut rows, false, &mut take);
            self.open = self.open.intersect(&rows.gaps);
        }
        beyond
    }

    /// Folds in the rows of the main line, which are the first.
    fn fold_main(&mut self, mut rows: TableRows, mut take: Take<'_>) {
        std::mem::swap(&mut self.rows, &mut rows.whole);
        self.rows.update(|row| take.row(row));
        self.fold_parts(&mut rows, true, &mut take);
        self.open = rows.gaps.clone();
        self.main = rows;
    }

    pub(super) fn missing_parts(&self) -> impl Iterator<Item = &Row> {
        self.partial.iter().filter(|row| !self.rows.has(row.rowid))
    }
}

/// Rows that only older sources have, in order; more come in by rising rowid.
struct Behind<'b> {
    rows: &'b mut RowSet,
    at: usize,
}

impl<'b> Behind<'b> {
    fn new(rows: &'b mut RowSet) -> Self {
        Self { rows, at: 0 }
    }

    /// Adds `row` unless one with its rowid is there. A row of a copy stands above the remains of a deleted one.
    fn take(&mut self, row: Row, take: &mut Take<'_>) {
        while self.rows.get(self.at).is_some_and(|known| known.rowid < row.rowid) {
            self.at += 1;
        }
        match self.rows.get(self.at).filter(|known| known.rowid == row.rowid) {
            None => self.rows.push(take.row(row)),
            Some(known) if known.is(row::EARLIER) && !row.is(row::EARLIER) && !row.is_suspect() => {
                self.rows.set(self.at, take.row(row));
            }
            Some(_) => {}
        }
    }

    fn settle(self) {
        self.rows.settle();
    }
}

/// Takes rows of a source over, with what is odd about them.
pub(super) struct Take<'t> {
    pub(super) odds: &'t RowExtras,
    pub(super) all: &'t mut RowExtras,
    /// Whether the source is sound from end to end.
    pub(super) is_sound: bool,
}

impl Take<'_> {
    fn row(&mut self, mut row: Row) -> Row {
        if let Some(odd) = row.oddity(self.odds) {
            row.odd = self.all.push(&odd);
        }
        row
    }

    /// Gives `row`, which was taken over, another record.
    fn rewrite(&mut self, row: &mut Row, payload: &[u8]) {
        row.odd = self.all.push(&Odd { payload: Some(payload.into()), ..Odd::default() });
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
