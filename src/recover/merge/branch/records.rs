//! From rows by their places to rows as values, and back: what [`super::join`] is given of two sources, and what becomes of
//! its answer.
//!
//! Responsible for telling whether a source is a history of its own at all, and for reading no more of it than that asks for.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use super::{
    Alike, Branch, BranchRow, Conflict, EVENTS, Joined, OwnedValue, RowKey, SUBSCRIPTIONS, Split, Values,
    compare, decode, encode, join,
};
use crate::failure::Outcome;
use crate::ondisk::record::Record;
use crate::recover::merge::{Merge, MergedTable};
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MemoryBudget, RowSet};
use crate::salvage::schema::{TableSchema, Tree};
use crate::salvage::source::SourceKind;
use crate::salvage::source::cache::{PayloadReader, SourceCache};
use crate::salvage::{Salvage, TableRows};

/// So many of the last events that both sources have are compared to find out whether they have parted.
const LAST: usize = 3;

/// A row of the result that is not as the main line has it.
#[derive(Debug, Clone)]
pub(crate) struct Placing {
    /// Its rowid in the result.
    pub(crate) rowid: i64,
    pub(crate) side: Branch,
    /// Its rowid in the history that it is from.
    pub(crate) from: i64,
    /// Its record where that has changed.
    pub(crate) payload: Option<Vec<u8>>,
}

/// How a second history comes into the result.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// By table.
    pub(crate) placings: BTreeMap<String, Vec<Placing>>,
    pub(crate) conflicts: Vec<Conflict>,
    /// True if it is reported and not taken in: a sound board beside a copy under another name, which was not named.
    pub(crate) is_listed: bool,
}

impl History {
    /// How many rows of the second branch the result would have.
    pub(crate) fn arrivals(&self) -> u64 {
        let second = |placing: &&Placing| placing.side == Branch::Second;
        self.placings.values().map(|placings| placings.iter().filter(second).count() as u64).sum()
    }
}

/// How `salvage`, what `source` holds, comes in beside what `merge` has so far; none if it is no history of its own but an
/// older state, or the first.
///
/// # Errors
/// What a source says when it cannot be read again.
pub(crate) fn history(
    merge: &Merge,
    source: u32,
    salvage: &Salvage,
    shelf: &SourceCache<'_>,
) -> Outcome<Option<History>> {
    let Some(main_line) = merge.main_line else { return Ok(None) };
    let Some(origin) = shelf.sources.get(source as usize) else { return Ok(None) };
    let held = origin.kind == SourceKind::Held;
    let live =
        shelf.sources.iter().find(|source| source.kind == SourceKind::Live).map(|live| live.path.as_path());
    let base: Option<&Path> = origin.base.as_deref().filter(|base| live == Some(base));
    let mut pair = Pair {
        room: shelf.room(),
        main: PayloadReader::new(shelf, merge.odds()),
        second: PayloadReader::new(shelf, &salvage.odds),
        log_only: held && base.is_some(),
    };
    let events = salvage.catalog.position(EVENTS).and_then(|at| salvage.catalog.tables.get(at));
    let renumbered = events.is_some_and(|tree| merge.numbers_otherwise(&tree.table));
    let goes_on = salvage.highest_event() > main_line && !renumbered;
    if !held && !goes_on && !pair.ends_differ(merge, salvage)? {
        return Ok(None);
    }
    let mut tables = BTreeMap::new();
    for (tree, rows) in salvage.catalog.tables.iter().zip(&salvage.tables) {
        let Some(main) = merge.table_named(&tree.table.name) else { continue };
        if merge.numbers_otherwise(&tree.table) {
            continue;
        }
        let given = |sequences: &HashMap<String, i64>, last: Option<Row>| {
            sequences.get(&tree.table.name).copied().max(last.map(|row| row.rowid)).unwrap_or(0)
        };
        let last = [given(merge.sequences(), main.rows.last()), given(&salvage.sequences, rows.whole.last())];
        tables.insert(tree.table.name.clone(), pair.compare(main, tree, rows, last)?);
    }
    let parted = held || tables.values().any(|table| table.split.parted > 0);
    if !parted && !goes_on {
        return Ok(None);
    }
    // A sound board takes in what was asked for, what living processes still write, and the board that was here before it.
    let is_recreated = tables.get(EVENTS).is_none_or(|events| events.split.common == 0);
    let is_asked = !merge.is_sound() || held || origin.kind == SourceKind::Named || is_recreated;
    if !is_asked && origin.kind != SourceKind::Namesake {
        return Ok(None);
    }
    let doubted = |name: &str, rowid| merge.table_named(name).is_some_and(|table| table.doubts(rowid));
    let joined = join(&tables, parted, &doubted);
    let history = pair.placed(merge, &tables, joined)?;
    Ok(Some(History { is_listed: !is_asked, ..history }))
}

/// The main line so far and the source beside it, open for reading.
struct Pair<'r, 's> {
    room: &'r Arc<MemoryBudget>,
    main: PayloadReader<'r, 's>,
    second: PayloadReader<'r, 's>,
    /// Whether only the second source's log is its own; its file is the main line's.
    log_only: bool,
}

impl Pair<'_, '_> {
    /// Whether the last events of the same number are different ones.
    fn ends_differ(&mut self, merge: &Merge, salvage: &Salvage) -> Outcome<bool> {
        let at = salvage.catalog.position(EVENTS);
        let second = at.and_then(|at| Some((salvage.catalog.tables.get(at)?, salvage.tables.get(at)?)));
        let (Some(main), Some((tree, rows))) = (merge.table_named(EVENTS), second) else { return Ok(false) };
        if merge.numbers_otherwise(&tree.table) {
            return Ok(false);
        }
        let columns = columns(main, tree);
        let shared = rows.whole.iter_back().filter(is_sure).filter_map(|row| {
            let known = main.row(row.rowid).filter(is_sure)?;
            Some((known, row))
        });
        for (known, row) in shared.take(LAST) {
            if self.alike(main, tree, &columns, &known, &row)? == Alike::Not {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn alike(
        &mut self,
        main: &MergedTable,
        tree: &Tree,
        columns: &[Vec<String>; 2],
        known: &Row,
        row: &Row,
    ) -> Outcome<Alike> {
        let ours = self.main.payload(known, <[u8]>::to_vec)?;
        let theirs = self.second.payload(row, <[u8]>::to_vec)?;
        if ours == theirs && main.shape_of(known.source).sql == tree.table.sql {
            return Ok(Alike::Same);
        }
        let ours = arranged(main, known.source, &ours);
        let theirs = decode(&theirs).unwrap_or_default();
        Ok(compare(&main.table.name, columns, &ours, &theirs))
    }

    /// The rows of one table in which the two differ.
    fn compare(
        &mut self,
        main: &MergedTable,
        tree: &Tree,
        rows: &TableRows,
        last: [i64; 2],
    ) -> Outcome<BranchRow> {
        let name = &main.table.name;
        let columns = columns(main, tree);
        let mut compared = BranchRow { key: key(&main.table), columns, last, ..BranchRow::default() };
        let mut known = main.rows.iter().peekable();
        let mut split = Split::default();
        let mut alone = RowSet::new(self.room);
        for row in rows.whole.iter() {
            while let Some(only) = known.next_if(|known| known.rowid < row.rowid) {
                alone.push(only);
            }
            let other = known.next_if(|known| known.rowid == row.rowid);
            if self.log_only && !row.site().in_log {
                if other.is_some() {
                    split.see(row.rowid, Alike::Same);
                    continue;
                }
                compared.old.insert(row.rowid);
            }
            let Some(other) = other else {
                let theirs = self.second.payload(&row, decode)?.unwrap_or_default();
                compared.second.insert(row.rowid, theirs);
                continue;
            };
            let ours = self.main.payload(&other, <[u8]>::to_vec)?;
            let theirs = self.second.payload(&row, <[u8]>::to_vec)?;
            if ours == theirs && main.shape_of(other.source).sql == tree.table.sql {
                split.see(row.rowid, Alike::Same);
                // Two equal cursors need not have passed the same events.
                if name != SUBSCRIPTIONS {
                    continue;
                }
            }
            let (ours, theirs) = (arranged(main, other.source, &ours), decode(&theirs).unwrap_or_default());
            if is_sure(&other) && is_sure(&row) {
                split.see(row.rowid, compare(name, &compared.columns, &ours, &theirs));
            }
            compared.main.insert(row.rowid, ours);
            compared.second.insert(row.rowid, theirs);
        }
        known.for_each(|row| alone.push(row));
        alone.settle();
        // Of numbered rows that the main line alone has, those from before the split decide nothing.
        let decides = |row: &Row| compared.key != RowKey::Number || row.rowid > split.common;
        for row in alone.iter().filter(decides) {
            let ours = self.main.payload(&row, <[u8]>::to_vec)?;
            compared.main.insert(row.rowid, arranged(main, row.source, &ours));
        }
        if let Some(last) = main.row(split.common) {
            let ours = arranged(main, last.source, &self.main.payload(&last, <[u8]>::to_vec)?);
            let [columns, _] = &compared.columns;
            split.time = super::BranchValues { columns, values: &ours }.time();
        }
        compared.split = split;
        Ok(compared)
    }

    /// The answer in terms of places and records.
    fn placed(
        &mut self,
        merge: &Merge,
        tables: &BTreeMap<String, BranchRow>,
        joined: Joined,
    ) -> Outcome<History> {
        let mut history = History { conflicts: joined.conflicts, ..History::default() };
        for name in tables.keys() {
            history.placings.insert(name.clone(), Vec::new());
        }
        for put in joined.puts {
            let payload = match (put.side, put.values) {
                (_, None) => None,
                (Branch::Second, Some(values)) => Some(encode(&values)),
                (Branch::Main, Some(values)) => self.changed(merge, &put.table, put.from, &values)?,
            };
            let placing = Placing { rowid: put.rowid, side: put.side, from: put.from, payload };
            history.placings.entry(put.table).or_default().push(placing);
        }
        Ok(history)
    }

    /// The record of the main line's row `rowid` with `values`, in the columns that it was written with.
    fn changed(
        &mut self,
        merge: &Merge,
        table: &str,
        rowid: i64,
        values: &Values,
    ) -> Outcome<Option<Vec<u8>>> {
        let Some(table) = merge.table_named(table) else { return Ok(None) };
        let Some(row) = table.row(rowid) else { return Ok(None) };
        let stored =
            self.main.payload(&row, |payload| Record::read(payload).map_or(0, |record| record.columns()))?;
        let own = table.shape_of(row.source).columns.iter().take(stored);
        let value = |name: &str| {
            let at = table.table.columns.iter().position(|column| column.name == name);
            at.and_then(|at| values.get(at)).cloned().unwrap_or(OwnedValue::Null)
        };
        Ok(Some(encode(&own.map(|column| value(&column.name)).collect::<Vec<_>>())))
    }
}

/// Whether nothing speaks against a row.
fn is_sure(row: &Row) -> bool {
    !row.is(row::SUSPECT | row::STRAY)
}

fn columns(main: &MergedTable, tree: &Tree) -> [Vec<String>; 2] {
    let names = |table: &TableSchema| table.columns.iter().map(|column| column.name.clone()).collect();
    [names(&main.table), names(&tree.table)]
}

/// The values of a record that was written with the columns of `source`, in the order of the result's columns.
fn arranged(table: &MergedTable, source: u32, payload: &[u8]) -> Values {
    let values = decode(payload).unwrap_or_default();
    let shape = table.shape_of(source);
    if shape.sql == table.table.sql {
        return values;
    }
    let value = |name: &str| {
        let at = shape.columns.iter().position(|column| column.name == name);
        at.and_then(|at| values.get(at)).cloned().unwrap_or(OwnedValue::Null)
    };
    table.table.columns.iter().map(|column| value(&column.name)).collect()
}

fn key(table: &TableSchema) -> RowKey {
    if table.rowid_column.is_some() {
        return if table.counts() { RowKey::Number } else { RowKey::Chosen };
    }
    let columns = table.key.iter().filter_map(|&at| table.columns.get(at)).map(|column| column.name.clone());
    let columns: Vec<String> = columns.collect();
    if columns.is_empty() { RowKey::Number } else { RowKey::Columns(columns) }
}
