//! One set of rows from what several sources hold.
//!
//! The first source is the main line: the live board if it holds any row, otherwise the newest by its events. A row that
//! only an older source has comes back where every newer one may have lost it, and not where one shows that it was
//! deleted (recovery.md, "What decides it", 3). A source whose event numbers have gone on above the main line's is a
//! history of its own; its rows come in where their numbers are free.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalog::{Index, Table};
use super::gaps::Gaps;
use super::leaf::Row;
use super::salvage::{Rows, Salvage};
use crate::ondisk::record::{Record, Value};

const EVENTS: &str = "task_events";

/// A row and the source that it is from, as an index into the list of sources.
pub(crate) type Chosen<'a> = (Row<'a>, usize);

/// One table of the result.
#[derive(Debug)]
pub(crate) struct MergedTable<'a> {
    pub(crate) table: Table,
    pub(crate) rows: BTreeMap<i64, Chosen<'a>>,
    /// Rows known to have been there that came from nowhere.
    pub(crate) lost: u64,
    /// Whether their number is an estimate.
    pub(crate) estimated: bool,
    /// Rows that are only partly there.
    pub(crate) partial: u64,
    /// Rows that only an older source has, left out.
    pub(crate) older_only: u64,
}

/// What is to be written.
#[derive(Debug, Default)]
pub(crate) struct Merged<'a> {
    pub(crate) tables: Vec<MergedTable<'a>>,
    pub(crate) indexes: Vec<Index>,
    pub(crate) sequences: HashMap<String, i64>,
    /// Triggers, views and indexes that are not in the result.
    pub(crate) dropped: Vec<String>,
    /// Tables that are not in the result.
    pub(crate) unread: Vec<String>,
}

/// How far the history in a source has come: the time of its newest events and their highest number.
pub(crate) fn evidence(salvage: &Salvage<'_>) -> (i64, i64) {
    let Some(events) = salvage.tables.get(EVENTS) else { return (0, 0) };
    let table = salvage.catalog.tables.iter().find(|table| table.name == EVENTS);
    let column = table.and_then(|table| table.columns.iter().position(|column| column.name == "created_at"));
    let newest =
        events.whole.values().rev().filter(|row| !row.suspect).take(100).filter_map(
            |row| match Record::read(&row.payload).ok()?.values().nth(column?)? {
                Value::Integer(time) => Some(time),
                _ => None,
            },
        );
    (newest.max().unwrap_or(0), highest_event(salvage))
}

fn highest_event(salvage: &Salvage<'_>) -> i64 {
    let last = salvage.tables.get(EVENTS).and_then(|events| events.whole.keys().next_back().copied());
    last.unwrap_or(0).max(salvage.sequences.get(EVENTS).copied().unwrap_or(0))
}

/// Decides between `ranked`, best first, given as (number of the source, what it holds).
pub(crate) fn merge<'a>(mut ranked: Vec<(usize, Salvage<'a>)>) -> Merged<'a> {
    let mut merged = Merged::default();
    for (_, salvage) in &ranked {
        for table in &salvage.catalog.tables {
            let known = merged.tables.iter_mut().find(|known| known.table.name == table.name);
            match known {
                // A text that was found stands above the one that we bring.
                Some(known) if known.table.root.is_none() && table.root.is_some() => {
                    known.table = table.clone();
                }
                Some(_) => {}
                None => merged.tables.push(MergedTable {
                    table: table.clone(),
                    rows: BTreeMap::new(),
                    lost: 0,
                    estimated: false,
                    partial: 0,
                    older_only: 0,
                }),
            }
        }
        for index in &salvage.catalog.indexes {
            if !index.sql.is_empty() && merged.indexes.iter().all(|known| known.name != index.name) {
                merged.indexes.push(index.clone());
            }
        }
        union(&mut merged.dropped, &salvage.catalog.dropped);
        union(&mut merged.unread, &salvage.catalog.unread);
        for (name, &last) in &salvage.sequences {
            let highest = merged.sequences.entry(name.clone()).or_insert(0);
            *highest = last.max(*highest);
        }
    }
    let main_line = ranked.first().map_or(0, |(_, salvage)| highest_event(salvage));
    let forks: Vec<bool> = ranked.iter().map(|(_, salvage)| highest_event(salvage) > main_line).collect();
    for table in &mut merged.tables {
        let mut held: Vec<(usize, Rows<'a>)> = Vec::new();
        for (source, salvage) in &mut ranked {
            held.push((*source, salvage.tables.remove(&table.table.name).unwrap_or_default()));
        }
        let last = merged.sequences.get(&table.table.name).copied();
        table.fill(held, &forks, last);
    }
    merged
}

fn union(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}

impl<'a> MergedTable<'a> {
    fn fill(&mut self, held: Vec<(usize, Rows<'a>)>, forks: &[bool], last: Option<i64>) {
        let mut newer: Vec<Rows<'a>> = Vec::new();
        for (rank, (source, mut rows)) in held.into_iter().enumerate() {
            let fork = forks.get(rank).copied().unwrap_or(false);
            for (rowid, row) in std::mem::take(&mut rows.whole) {
                match self.rows.get(&rowid) {
                    Some((known, _)) if !known.suspect || row.suspect => continue,
                    Some(_) => {}
                    None if fork || newer.iter().all(|newer| newer.may_have_lost(rowid)) => {}
                    None => {
                        self.older_only += 1;
                        continue;
                    }
                }
                self.rows.insert(rowid, (row, source));
            }
            newer.push(rows);
        }
        if let Some(main) = newer.first() {
            self.count_losses(main, last);
        }
    }

    /// What the main line says was there and is not: by an index if one is whole, otherwise by the numbers that are missing
    /// where rows may be missing, some of which may have been deleted.
    fn count_losses(&mut self, main: &Rows<'a>, last: Option<i64>) {
        let missing = |rowid: &&i64| !self.rows.contains_key(rowid);
        let partial: HashSet<i64> = main.partial.iter().filter(missing).copied().collect();
        self.partial = partial.len() as u64;
        self.lost = main.indexed.iter().filter(missing).count() as u64;
        if main.is_indexed {
            return;
        }
        let last = last.max(self.rows.keys().next_back().copied()).max(main.indexed.iter().max().copied());
        let numbers = missing_numbers(&main.gaps, last.unwrap_or(0), &self.rows);
        let elsewhere = self.rows.keys().filter(|rowid| main.may_have_lost(**rowid)).count() as u64;
        self.lost = self.lost.max(numbers).max(self.partial + main.unread.saturating_sub(elsewhere));
        self.estimated = self.lost > 0;
    }
}

/// How many of the numbers from 1 to `last` lie in `gaps` and have no row.
fn missing_numbers(gaps: &Gaps, last: i64, rows: &BTreeMap<i64, Chosen<'_>>) -> u64 {
    let missing = gaps.up_to(last).map(|(low, high)| {
        let held = rows.range(low + 1..=high).count() as u64;
        high.abs_diff(low).saturating_sub(held)
    });
    missing.fold(0, u64::saturating_add)
}
