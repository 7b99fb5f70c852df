//! Names what a result lacks or cannot vouch for: lost, missing, stale, partial and conflicting rows, by task and title where any
//! surviving row, event or index knows them.
//!
//! Not here: how many there are (`summary`), the one sentence about them ([`super::verdict`]).

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use crate::failure::Outcome;
use crate::ondisk::record::{Record, Value};
use crate::recover::merge::{Merged, MergedTable};
use crate::recover::rebuild::insert::InsertedRows;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::cache::{PayloadReader, SourceCache};

/// Rows that are named; all of them are counted.
const MAX_NAMED: usize = 100_000;
/// The tables whose rows name a task, and the columns that do.
const NAMING: [(&str, &[&str]); 6] = [
    ("task_events", &["task_id"]),
    ("task_runs", &["task_id"]),
    ("task_comments", &["task_id"]),
    ("task_attachments", &["task_id"]),
    ("kanban_notify_subs", &["task_id"]),
    ("task_links", &["parent_id", "child_id"]),
];
const TASKS: &str = "tasks";

/// Why a row is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LossKind {
    /// An index names it and no row has its number.
    Lost,
    /// Only other rows name the task: it is lost, or another program deleted it.
    Missing,
    /// It is in the result and may be out of date.
    Stale,
    /// Only a part of it is left; it is not in the result.
    Partial,
    /// Another version of it is in the result.
    Conflicting,
}

impl NamedRow {
    /// The row for people: its task and title where they are known, otherwise its table and number.
    pub fn label(&self) -> String {
        let number = self.rowid.map_or(String::new(), |rowid| format!(" {rowid}"));
        let place = if self.table == TASKS && self.task.is_some() {
            String::new()
        } else {
            format!("{}{number} ", self.table)
        };
        let task = self.task.as_deref().map_or(String::new(), |task| format!("{task} "));
        let title = self.title.as_deref().map_or(String::new(), |title| format!("\"{title}\" "));
        let contradicts = self.contradicts.as_deref().map_or(String::new(), |what| format!("({what})"));
        format!("{place}{task}{title}{contradicts}").trim_end().to_owned()
    }
}

impl LossKind {
    /// The word for people and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Missing => "missing",
            Self::Stale => "stale",
            Self::Partial => "partial",
            Self::Conflicting => "conflicting",
        }
    }
}

/// A row that the result lacks or cannot vouch for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NamedRow {
    /// Why it is named.
    pub what: LossKind,
    /// Its table.
    pub table: String,
    /// Its rowid, where it is known.
    pub rowid: Option<i64>,
    /// Its task, where that is known.
    pub task: Option<String>,
    /// The title of that task, where any row tells.
    pub title: Option<String>,
    /// What contradicts it: its status, and the newest event.
    pub contradicts: Option<String>,
}

/// What is named, and how many tasks are missing.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    pub(crate) named: Vec<NamedRow>,
    pub(crate) missing: u64,
}

/// Name what `merged` lacks or cannot vouch for. `written` has the rows that a constraint keeps out.
///
/// # Errors
/// When a row can no longer be read.
pub(crate) fn name(
    merged: &Merged,
    written: &HashMap<String, InsertedRows>,
    shelf: &SourceCache<'_>,
) -> Outcome<Losses> {
    let mut naming = Naming { reader: PayloadReader::new(shelf, &merged.odds), named: Vec::new() };
    for table in &merged.tables {
        let name = table.table.name.as_str();
        for (rowid, task) in table.lost_rows() {
            naming.add(LossKind::Lost, name, Some(rowid), task.map(<[u8]>::to_vec), None);
        }
        for stale in &table.stale {
            let Some(row) = table.row(stale.rowid) else { continue };
            let task = naming.task_of(table, &row)?;
            let contradicts = stale.contradicts.as_ref();
            let contradicts =
                contradicts.map(|(status, event)| format!("status {status}, newest event {event}"));
            naming.add(LossKind::Stale, name, Some(row.rowid), task, contradicts);
        }
        for row in &table.partial {
            let task = naming.task_of(table, row)?;
            naming.add(LossKind::Partial, name, Some(row.rowid), task, None);
        }
        for rowid in written.get(name).into_iter().flat_map(|written| &written.missing) {
            let Some(row) = table.row(*rowid).filter(|row| !row.is(row::OLDER)) else { continue };
            let task = naming.task_of(table, &row)?;
            naming.add(LossKind::Conflicting, name, Some(*rowid), task, None);
        }
    }
    for (_, conflict) in &merged.conflicts {
        let key = if conflict.table == TASKS { "id" } else { "task_id" };
        let task =
            conflict.other.iter().find(|(column, _)| column == key).map(|(_, value)| value.text().to_vec());
        naming.add(LossKind::Conflicting, &conflict.table, Some(conflict.rowid), task, None);
    }
    let missing = if merged.may_lack_rows() { naming.missing(merged)? } else { BTreeSet::new() };
    let count = missing.len() as u64;
    let lost: HashSet<Vec<u8>> = naming.tasks_of(LossKind::Lost);
    let partial: HashSet<Vec<u8>> = naming.tasks_of(LossKind::Partial);
    for task in missing.into_iter().filter(|task| !lost.contains(task) && !partial.contains(task)) {
        naming.add(LossKind::Missing, TASKS, None, Some(task), None);
    }
    let wanted: HashSet<Vec<u8>> = naming.named.iter().filter_map(|(_, task)| task.clone()).collect();
    let titles = if wanted.is_empty() { HashMap::new() } else { naming.titles(merged, &wanted)? };
    let mut named: Vec<NamedRow> = naming
        .named
        .into_iter()
        .map(|(row, task)| NamedRow {
            title: task.as_ref().and_then(|task| titles.get(task)).cloned(),
            task: task.map(|task| String::from_utf8_lossy(&task).into_owned()),
            ..row
        })
        .collect();
    // Tasks first: they are what people look for.
    named.sort_by(|one, other| {
        (one.what, one.table != TASKS, one).cmp(&(other.what, other.table != TASKS, other))
    });
    Ok(Losses { named, missing: count })
}

struct Naming<'r, 's> {
    reader: PayloadReader<'r, 's>,
    named: Vec<(NamedRow, Option<Vec<u8>>)>,
}

impl Naming<'_, '_> {
    fn add(
        &mut self,
        what: LossKind,
        table: &str,
        rowid: Option<i64>,
        task: Option<Vec<u8>>,
        contradicts: Option<String>,
    ) {
        if self.named.len() < MAX_NAMED {
            let row = NamedRow { what, table: table.to_owned(), rowid, task: None, title: None, contradicts };
            self.named.push((row, task));
        }
    }

    fn tasks_of(&self, what: LossKind) -> HashSet<Vec<u8>> {
        let named = self.named.iter().filter(|(row, _)| row.what == what && row.table == TASKS);
        named.filter_map(|(_, task)| task.clone()).collect()
    }

    /// The task that `row` names, as far as its cell tells.
    fn task_of(&mut self, table: &MergedTable, row: &Row) -> Outcome<Option<Vec<u8>>> {
        let shape = table.shape_of(row.source);
        let columns = ["task_id", "child_id", "id"].map(|name| position(shape, name));
        let column = columns.into_iter().flatten().next();
        self.reader.beginning(row, |local| text_of(local, column))
    }

    /// The tasks that other rows name and the result has not.
    fn missing(&mut self, merged: &Merged) -> Outcome<BTreeSet<Vec<u8>>> {
        let table = |name: &str| merged.tables.iter().find(|table| table.table.name == name);
        let mut known = HashSet::new();
        let Some(tasks) = table(TASKS) else { return Ok(BTreeSet::new()) };
        for row in tasks.chosen() {
            known.extend(self.task_of(tasks, &row)?);
        }
        let mut missing = BTreeSet::new();
        for (name, columns) in NAMING {
            let Some(table) = table(name) else { continue };
            for row in table.chosen() {
                let shape = table.shape_of(row.source);
                for column in columns {
                    let column = position(shape, column);
                    let reader = &mut self.reader;
                    let is_known = |local: &[u8]| match text_of(local, column) {
                        Some(task) if !known.contains(&task) => Some(task),
                        _ => None,
                    };
                    missing.extend(reader.beginning(&row, is_known)?);
                }
            }
        }
        Ok(missing)
    }

    /// The titles of the tasks `wanted`, from whatever row has one.
    fn titles(&mut self, merged: &Merged, wanted: &HashSet<Vec<u8>>) -> Outcome<HashMap<Vec<u8>, String>> {
        let mut titles = HashMap::new();
        let Some(table) = merged.tables.iter().find(|table| table.table.name == TASKS) else {
            return Ok(titles);
        };
        let rows = table.chosen().chain(table.older.iter());
        for row in rows.chain(table.partial.iter().copied()).chain(table.versions.iter().copied()) {
            let shape = table.shape_of(row.source);
            let columns = (position(shape, "id"), position(shape, "title"));
            let found = self.reader.beginning(&row, |local| {
                let task = text_of(local, columns.0).filter(|task| wanted.contains(task))?;
                Some((task, text_of(local, columns.1)?))
            })?;
            if let Some((task, title)) = found {
                titles.entry(task).or_insert_with(|| String::from_utf8_lossy(&title).into_owned());
            }
        }
        Ok(titles)
    }
}

fn position(shape: &TableSchema, name: &str) -> Option<usize> {
    shape.columns.iter().position(|column| column.name == name)
}

/// The text in the column `at` of a record of which the beginning is `local`.
fn text_of(local: &[u8], at: Option<usize>) -> Option<Vec<u8>> {
    match Record::prefix(local).ok()?.values().nth(at?)? {
        Value::Text(text) => Some(text.to_vec()),
        _ => None,
    }
}

/// The rows of `merged` that have the key of another one: what a constraint will keep out, known before anything is written.
///
/// # Errors
/// When a row can no longer be read.
pub(crate) fn refused(merged: &Merged, shelf: &SourceCache<'_>) -> Outcome<HashMap<String, InsertedRows>> {
    let mut written = HashMap::new();
    let mut reader = PayloadReader::new(shelf, &merged.odds);
    for table in &merged.tables {
        let mut counts = InsertedRows { rows: table.chosen_count(), ..InsertedRows::default() };
        if table.table.rowid_column.is_none()
            && !table.table.key.is_empty()
            && !table.is_of_one_sound_source()
        {
            counts.rows = 0;
            let mut keys = HashSet::new();
            for row in table.in_order_of_insertion() {
                let shape = table.shape_of(row.source);
                let names = table.table.key.iter().filter_map(|&at| table.table.columns.get(at));
                let columns: Vec<_> = names.map(|column| position(shape, &column.name)).collect();
                let key = reader.payload(&row, |payload| key_of(payload, &columns))?;
                counts.count(&row, key.is_none_or(|key| keys.insert(key)));
            }
        }
        written.insert(table.table.name.clone(), counts);
    }
    Ok(written)
}

/// The values of a key, one behind the other.
fn key_of(payload: &[u8], columns: &[Option<usize>]) -> Option<Vec<u8>> {
    let record = Record::read(payload).ok()?;
    let mut key = Vec::new();
    for column in columns {
        let (serial, content) = record.fields().nth((*column)?)?;
        // NULL is no key.
        if serial == 0 {
            return None;
        }
        key.extend(serial.to_be_bytes());
        key.extend(content);
    }
    Some(key)
}
