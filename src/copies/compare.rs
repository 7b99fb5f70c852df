//! Task by task, what one source holds against another: a copy against the board.
//!
//! Rows are compared as versions (`versions`), so neither the order of columns nor a value that the schema gives by
//! itself makes a difference. Which side is newer is read from the rows themselves: the latest time in anything that belongs
//! to the task, then the highest event number; never from the files.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::inspect::{Inspector, SourceContent};
use super::row_version::{Name, Namer};
use crate::failure::Outcome;
use crate::ondisk::record::{Record, Value};
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::Source;
use crate::work::progress::Watch;

const TASKS: &str = "tasks";
const EVENTS: &str = "task_events";

/// The whole of it.
#[derive(Debug, Clone, Default)]
pub struct Comparison {
    /// Tasks that are not the same on both sides: those that only the copy has, then those of which the copy may know more,
    /// then the others.
    pub tasks: Vec<Difference>,
    /// Tasks with all their rows equal.
    pub same_tasks: u64,
    /// Every table of either side.
    pub tables: BTreeMap<String, TableDifference>,
    /// What can be read of the copy.
    pub copy: SourceContent,
    /// What can be read of the board.
    pub board: SourceContent,
}

/// Rows of one table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct TableDifference {
    /// Row versions that both sides hold.
    pub same: u64,
    /// Row versions that only the copy holds.
    pub only_in_copy: u64,
    /// Row versions that only the board holds.
    pub only_on_board: u64,
}

/// How a task stands on the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ComparedState {
    /// The board does not have the task; it may have rows that belonged to it.
    OnlyInCopy,
    /// Both have it and not the same, or both have only rows that belong to it.
    Differs,
    /// The copy does not have the task.
    OnlyOnBoard,
}

/// Which side knows the later state of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Newer {
    /// The copy.
    Copy,
    /// The rows do not say.
    Unknown,
    /// The board.
    Board,
}

/// One task that is not the same.
#[derive(Debug, Clone, Serialize)]
pub struct Difference {
    /// Its id: untrusted text, as is everything from a board.
    pub id: String,
    /// Its title, the board's where there is one.
    pub title: Option<String>,
    /// Where it is.
    pub state: ComparedState,
    /// Which side is newer.
    pub newer: Newer,
    /// Its status in the copy.
    pub copy_status: Option<String>,
    /// Its status on the board.
    pub board_status: Option<String>,
    /// Columns of the task itself that are not equal; empty where one side does not have the task's own row.
    pub columns: Vec<String>,
    /// Rows of other tables that belong to it and are on one side only.
    pub rows: BTreeMap<String, TableDifference>,
}

/// Compares `copy` with `board`; without one, with nothing.
///
/// # Errors
/// The reading errors of both, and whatever `watch` stops with.
pub fn compare(
    copy: &Source,
    board: Option<&Source>,
    viewer: &Inspector,
    watch: &mut dyn Watch,
) -> Outcome<Comparison> {
    let (copy, copy_holds) = CompareSide::read(copy, viewer, watch)?;
    let (board, board_holds) =
        board.map(|board| CompareSide::read(board, viewer, watch)).transpose()?.unwrap_or_default();
    let mut comparison = Comparison { copy: copy_holds, board: board_holds, ..Comparison::default() };
    let mut apart: HashMap<&str, BTreeMap<String, TableDifference>> = HashMap::new();
    let names: BTreeSet<&String> = copy.tables.keys().chain(board.tables.keys()).collect();
    for name in names {
        let of = |side: &'_ CompareSide| side.tables.get(name).map_or(0, |rows| rows.len() as u64);
        let mut total = TableDifference::default();
        copy.without(&board, name, &mut |task| {
            total.only_in_copy += 1;
            apart.entry(task).or_default().entry(name.clone()).or_default().only_in_copy += 1;
        });
        board.without(&copy, name, &mut |task| {
            total.only_on_board += 1;
            apart.entry(task).or_default().entry(name.clone()).or_default().only_on_board += 1;
        });
        total.same = of(&copy).saturating_sub(total.only_in_copy);
        comparison.tables.insert(name.clone(), total);
    }
    let ids: BTreeSet<&String> = copy.tasks.keys().chain(board.tasks.keys()).collect();
    for id in ids {
        match apart.remove(id.as_str()) {
            Some(rows) => comparison.tasks.push(differ(id, copy.tasks.get(id), board.tasks.get(id), rows)),
            None => comparison.same_tasks += 1,
        }
    }
    comparison.tasks.sort_by(|a, b| (a.state, a.newer, &a.id).cmp(&(b.state, b.newer, &b.id)));
    Ok(comparison)
}

fn differ(
    id: &str,
    copy: Option<&ComparedTask>,
    board: Option<&ComparedTask>,
    mut rows: BTreeMap<String, TableDifference>,
) -> Difference {
    let known = |task: Option<&ComparedTask>| task.map(|task| (task.latest, task.last_event));
    let newer = match known(copy).cmp(&known(board)) {
        std::cmp::Ordering::Greater => Newer::Copy,
        std::cmp::Ordering::Equal => Newer::Unknown,
        std::cmp::Ordering::Less => Newer::Board,
    };
    rows.remove(TASKS);
    let own = |task: Option<&ComparedTask>| task.and_then(|task| task.own.clone());
    let (mine, theirs) = (own(copy), own(board));
    let state = match (&mine, &theirs) {
        (Some(_), None) => ComparedState::OnlyInCopy,
        (None, Some(_)) => ComparedState::OnlyOnBoard,
        _ => ComparedState::Differs,
    };
    let columns = match (&mine, &theirs) {
        (Some(mine), Some(theirs)) => unequal(&mine.values, &theirs.values),
        _ => Vec::new(),
    };
    Difference {
        id: id.to_owned(),
        title: theirs.as_ref().or(mine.as_ref()).and_then(|own| own.title.clone()),
        state,
        newer,
        copy_status: mine.and_then(|own| own.status),
        board_status: theirs.and_then(|own| own.status),
        columns,
        rows,
    }
}

/// The names of columns whose values are not equal.
fn unequal(one: &BTreeMap<String, Name>, other: &BTreeMap<String, Name>) -> Vec<String> {
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

/// What one side holds, by table and by task.
#[derive(Debug, Default)]
struct CompareSide {
    /// Each row version with the id of the task that it belongs to.
    tables: BTreeMap<String, HashMap<Name, String>>,
    tasks: BTreeMap<String, ComparedTask>,
}

/// What one side knows of a task.
#[derive(Debug, Clone, Default)]
struct ComparedTask {
    own: Option<Own>,
    latest: i64,
    last_event: i64,
}

/// The task's own row.
#[derive(Debug, Clone, Default)]
struct Own {
    title: Option<String>,
    status: Option<String>,
    /// Each column that says something, by a hash of what it says.
    values: BTreeMap<String, Name>,
}

impl CompareSide {
    fn read(source: &Source, viewer: &Inspector, watch: &mut dyn Watch) -> Outcome<(Self, SourceContent)> {
        let mut side = Self::default();
        let mut current: Option<(String, Namer)> = None;
        let holdings = viewer.each_row(source, watch, &mut |table, row, record| {
            let namer = match current.take().filter(|(name, _)| *name == table.name) {
                Some((_, namer)) => namer,
                None => Namer::new(table),
            };
            side.add(&namer, table, row, record);
            current = Some((table.name.clone(), namer));
        })?;
        Ok((side, holdings))
    }

    fn add(&mut self, namer: &Namer, table: &TableSchema, row: &Row, record: &Record<'_>) {
        let task_column = task_column(&table.name);
        let (mut id, mut latest, mut own) = (String::new(), 0, Own::default());
        namer.each(table, record, &mut |name, value| {
            match value {
                Value::Text(text) if name == task_column => id = shown(text),
                Value::Integer(time) if name.ends_with("_at") && !row.is_suspect() => {
                    latest = time.max(latest);
                }
                _ => {}
            }
            if table.name == TASKS {
                own.take(name, value);
            }
        });
        let version = namer.version(table, row.rowid, record);
        if !self.tables.contains_key(&table.name) {
            self.tables.insert(table.name.clone(), HashMap::new());
        }
        if let Some(versions) = self.tables.get_mut(&table.name) {
            versions.insert(version, id.clone());
        }
        if id.is_empty() {
            return;
        }
        let task = self.tasks.entry(id).or_default();
        task.latest = task.latest.max(latest);
        if table.name == TASKS {
            task.own = Some(own);
        } else if table.name == EVENTS {
            task.last_event = task.last_event.max(row.rowid);
        }
    }

    /// Gives the task of every row version of `table` that `other` does not hold to `visit`.
    fn without<'s>(&'s self, other: &Self, table: &str, visit: &mut dyn FnMut(&'s str)) {
        let theirs = other.tables.get(table);
        for (version, task) in self.tables.get(table).into_iter().flatten() {
            if theirs.is_none_or(|theirs| !theirs.contains_key(version)) {
                visit(task);
            }
        }
    }
}

impl Own {
    fn take(&mut self, name: &str, value: Value<'_>) {
        match (name, value) {
            ("title", Value::Text(text)) => self.title = Some(shown(text)),
            ("status", Value::Text(text)) => self.status = Some(shown(text)),
            _ => {}
        }
        self.values.insert(name.to_owned(), super::row_version::value(value));
    }
}

/// The column with the id of the task that a row belongs to.
fn task_column(table: &str) -> &'static str {
    match table {
        TASKS => "id",
        "task_links" => "child_id",
        _ => "task_id",
    }
}

fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}
