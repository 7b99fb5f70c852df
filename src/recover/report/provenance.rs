//! Where every row of a result is from, told row by row when it is written out: a list of all of them would not fit memory
//! where the rows themselves do not.

use std::collections::HashMap;
use std::iter::Peekable;
use std::sync::Arc;

use serde::ser::{Error, SerializeMap};
use serde::{Serialize, Serializer};

use super::{Confidence, RowProvenance};
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::rows::set::{MemoryBudget, RowSet};

/// Every row of a result with its place, by table.
#[derive(Debug, Clone)]
pub struct ProvenanceWriter(Arc<Traces>);

#[derive(Debug)]
struct Traces {
    tables: Vec<Trace>,
    /// Where each source stands in the report.
    places: HashMap<u32, u32>,
    room: Arc<MemoryBudget>,
}

/// The rows of one table.
#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) table: String,
    pub(crate) rows: RowSet,
    /// Rows of older sources that were asked for.
    pub(crate) asked: RowSet,
    /// Those of both that could not be written, in order.
    pub(crate) missing: Vec<i64>,
}

impl ProvenanceWriter {
    /// Of `tables`, whose rows are kept in `room`; a source is told by its place in `places`.
    pub(crate) fn new(mut tables: Vec<Trace>, places: HashMap<u32, u32>, room: &Arc<MemoryBudget>) -> Self {
        tables.sort_by(|one, other| one.table.cmp(&other.table));
        Self(Arc::new(Traces { tables, places, room: Arc::clone(room) }))
    }
}

impl Serialize for ProvenanceWriter {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Traces { tables, places, room } = &*self.0;
        let mut map = to.serialize_map(Some(tables.len()))?;
        for trace in tables {
            map.serialize_entry(&trace.table, &RowPlaces { trace, places })?;
            // Of a roll that could not be read to its end too few rows were told.
            room.require_whole().map_err(S::Error::custom)?;
        }
        map.end()
    }
}

struct RowPlaces<'t> {
    trace: &'t Trace,
    places: &'t HashMap<u32, u32>,
}

impl Serialize for RowPlaces<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Trace { rows, asked, missing, .. } = self.trace;
        let rows = Both { ours: rows.iter().peekable(), theirs: asked.iter().peekable() };
        let written = rows.filter(|row| missing.binary_search(&row.rowid).is_err());
        to.collect_seq(written.map(|row| RowProvenance {
            rowid: row.rowid,
            source: self.places.get(&row.source).copied().unwrap_or(u32::MAX),
            page: row.page,
            cell: row.cell,
            confidence: confidence(&row),
            fork: row.is(row::FORK),
        }))
    }
}

/// The rows of two rolls as one, by rising rowid.
struct Both<O: Iterator, T: Iterator> {
    ours: Peekable<O>,
    theirs: Peekable<T>,
}

impl<O: Iterator<Item = Row>, T: Iterator<Item = Row>> Iterator for Both<O, T> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        match (self.ours.peek(), self.theirs.peek()) {
            (Some(ours), Some(theirs)) if theirs.rowid < ours.rowid => self.theirs.next(),
            (Some(_), _) => self.ours.next(),
            (None, _) => self.theirs.next(),
        }
    }
}

fn confidence(row: &Row) -> Confidence {
    [
        (row::GRAFTED, Confidence::Grafted),
        (row::MENDED, Confidence::Mended),
        (row::EARLIER, Confidence::Earlier),
        (row::SUSPECT, Confidence::Suspect),
        (row::OLDER, Confidence::Older),
        (row::STRAY, Confidence::Stray),
    ]
    .into_iter()
    .find(|(flag, _)| row.is(*flag))
    .map_or(Confidence::Whole, |(_, confidence)| confidence)
}
