//! How far a source reaches: rows by table and the newest events, with the titles of their tasks.
//!
//! Read page by page, as everything in this room; a damaged source has the events that can be read.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::inspect::{Inspector, SourceContent};
use super::row_version::Namer;
use crate::failure::Outcome;
use crate::ondisk::record::{Record, Value};
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::Source;
use crate::work::progress::Watch;

const TASKS: &str = "tasks";
const EVENTS: &str = "task_events";

/// An event as it stands in a source: untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceEvent {
    /// Its number.
    pub id: i64,
    /// Unix seconds.
    pub at: i64,
    /// What happened.
    pub kind: String,
    /// The task's id.
    pub task: String,
    /// The task's title, where the source has it.
    pub title: Option<String>,
}

/// What a source holds, and up to when.
#[derive(Debug, Clone, Default)]
pub struct SourceReach {
    /// Rows and damage.
    pub content: SourceContent,
    /// The events with the highest numbers, the newest last.
    pub events: Vec<SourceEvent>,
}

/// Reads how far `source` reaches; of its events the newest `limit` are kept.
///
/// # Errors
/// As [`Inspector::holdings`], and whatever `watch` stops with.
pub fn reach(
    source: &Source,
    limit: usize,
    viewer: &Inspector,
    watch: &mut dyn Watch,
) -> Outcome<SourceReach> {
    let mut events: BTreeMap<i64, SourceEvent> = BTreeMap::new();
    let mut titles: HashMap<String, String> = HashMap::new();
    let mut current: Option<(String, Namer)> = None;
    let mut visit = |table: &TableSchema, row: &Row, record: &Record<'_>| {
        if table.name != TASKS && table.name != EVENTS {
            return;
        }
        let namer = match current.take().filter(|(name, _)| *name == table.name) {
            Some((_, namer)) => namer,
            None => Namer::new(table),
        };
        if table.name == TASKS {
            let (id, title) = columns(&namer, table, record, ["id", "title"]);
            titles.insert(id, title);
        } else if !row.is_suspect() {
            let (task, kind) = columns(&namer, table, record, ["task_id", "kind"]);
            let mut at = 0;
            namer.each(table, record, &mut |name, value| {
                if let ("created_at", Value::Integer(time)) = (name, value) {
                    at = time;
                }
            });
            events.insert(row.rowid, SourceEvent { id: row.rowid, at, kind, task, title: None });
            if events.len() > limit {
                events.pop_first();
            }
        }
        current = Some((table.name.clone(), namer));
    };
    let content = viewer.each_row(source, watch, &mut visit)?;
    let mut events: Vec<SourceEvent> = events.into_values().collect();
    for event in &mut events {
        event.title = titles.get(&event.task).cloned();
    }
    Ok(SourceReach { content, events })
}

/// The texts of two columns; empty where one is none.
fn columns(namer: &Namer, table: &TableSchema, record: &Record<'_>, wanted: [&str; 2]) -> (String, String) {
    let mut found = [String::new(), String::new()];
    namer.each(table, record, &mut |name, value| {
        let place = wanted.iter().position(|column| *column == name);
        if let (Some(place), Value::Text(text)) = (place.and_then(|place| found.get_mut(place)), value) {
            *place = String::from_utf8_lossy(text).into_owned();
        }
    });
    let [first, second] = found;
    (first, second)
}
