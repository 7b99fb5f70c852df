//! Two histories of one board: the main line, and one that went on beside it (a deleted log, a copy that was written to).
//!
//! ```text
//!   1 2 3 ... common | main line:  its rows keep their numbers
//!                    | second:     its own rows get numbers above both sequences, in their order; what names them moves
//! ```
//!
//! Works on values alone: it is given the rows in which the two differ and says which rows of the second come into the
//! result, at which number, with which values changed. A row of a number up to `common` that the main line has not was
//! deleted there and stays so, with all of its task if that is gone, unless the main line may have lost it. A task that the
//! main line has deleted and that has no number up to `common` looks like a new one: it comes back rather than that a new
//! one is lost. Tasks that both changed are taken from the history that worked on them last; the other's version is
//! reported. [`records`] makes values of rows in files, and places of the answer.

pub(crate) mod branch_point;
pub(crate) mod by_key;
pub(crate) mod by_number;
pub(crate) mod notify_cursor;
pub(crate) mod records;
mod rows;
mod tasks;
pub(crate) mod values;

use std::collections::{BTreeMap, HashMap, HashSet};

use self::rows::{BranchRow, BranchValues, RowKey, compare};
use self::tasks::Tasks;
use self::values::{decode, encode};

pub(crate) use self::branch_point::{Alike, Split};
pub(crate) use self::records::{History, Placing, history};
pub(crate) use self::rows::renamed_kind;
pub(crate) use self::values::OwnedValue;

const TASKS: &str = "tasks";
const EVENTS: &str = "task_events";
const RUNS: &str = "task_runs";
const LINKS: &str = "task_links";
const SUBSCRIPTIONS: &str = "kanban_notify_subs";

/// Cursors into the events; the second is one of newer boards (docs/board-format.md, 10).
const CURSOR: &str = "last_event_id";
const PING_CURSOR: &str = "last_ping_event_id";

/// What a run is known by; the rest of it changes while it is open.
const RUN_IDENTITY: [&str; 4] = ["task_id", "profile", "step_key", "started_at"];

/// The values of a row in the order of its columns.
pub(crate) type Values = Vec<OwnedValue>;

/// One of the two histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Branch {
    /// The one whose rows keep their numbers.
    Main,
    /// The other.
    Second,
}

/// A row of the result that is not as the main line has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Put {
    pub(crate) table: String,
    /// Its rowid in the result, where it replaces what the main line has there.
    pub(crate) rowid: i64,
    /// Whose row it is, and its rowid there.
    pub(crate) side: Branch,
    pub(crate) from: i64,
    /// Its values where they have changed.
    pub(crate) values: Option<Values>,
}

/// A row that both histories have changed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Conflict {
    pub(crate) table: String,
    /// Its rowid in the result.
    pub(crate) rowid: i64,
    /// Whose version is in the result.
    pub(crate) kept: Branch,
    /// The other version.
    pub(crate) other: Vec<(String, OwnedValue)>,
}

/// What comes of it.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    pub(crate) puts: Vec<Put>,
    pub(crate) conflicts: Vec<Conflict>,
}

/// Joins the second history to the main line. `parted` says whether they are known to have parted; otherwise the second is
/// an older or newer state of the same, and rows of one number are one row. `doubted` says of a table and rowid whether the
/// main line may have lost that row, or has it with a flaw.
pub(crate) fn join(
    tables: &BTreeMap<String, BranchRow>,
    parted: bool,
    doubted: &dyn Fn(&str, i64) -> bool,
) -> Joined {
    let absent = absent(tables);
    let mut join = Join {
        tables,
        over: over(tables, &absent, doubted),
        absent,
        parted,
        doubted,
        joined: Joined::default(),
        numbers: HashMap::new(),
        met: HashSet::new(),
    };
    let mut numbered: Vec<_> =
        tables.iter().filter(|(name, table)| table.key == RowKey::Number && name.as_str() != TASKS).collect();
    // Other rows name runs by their numbers.
    numbered.sort_by_key(|(name, _)| name.as_str() != RUNS);
    for (name, table) in numbered {
        let mut numbers = join.give_numbers(name, table);
        if let Some(there) = join.there_already(name, table, &numbers) {
            numbers = there;
            join.met.insert(name);
        }
        join.numbers.insert(name, numbers);
    }
    let tasks = tasks::decide(&join);
    join.put_tasks(&tasks);
    for (name, table) in tables {
        match name.as_str() {
            TASKS => {}
            LINKS => join.put_links(table, &tasks),
            SUBSCRIPTIONS => join.put_subscriptions(table, &tasks),
            _ if table.key == RowKey::Number => join.put_numbered(name, table, &tasks),
            _ => join.put_unknown(name, table),
        }
    }
    join.joined.puts.sort_by(|one, other| (&one.table, one.rowid).cmp(&(&other.table, other.rowid)));
    join.joined
}

/// The tasks that only the second history has.
fn absent(tables: &BTreeMap<String, BranchRow>) -> HashSet<&[u8]> {
    let ids = |side| tables.get(TASKS).into_iter().flat_map(move |table| table.rows(side));
    let main: HashSet<&[u8]> = ids(Branch::Main).filter_map(|(_, row)| row.text("id")).collect();
    ids(Branch::Second).filter_map(|(_, row)| row.text("id")).filter(|id| !main.contains(id)).collect()
}

/// Those of `absent` that were there when the histories parted: the main line lacks rows of theirs from before that. Tasks
/// that it may have lost itself are none of them.
fn over<'t>(
    tables: &'t BTreeMap<String, BranchRow>,
    absent: &HashSet<&'t [u8]>,
    doubted: &dyn Fn(&str, i64) -> bool,
) -> HashSet<&'t [u8]> {
    let Some(events) = tables.get(EVENTS) else { return HashSet::new() };
    let before = events.rows(Branch::Second).take_while(|(rowid, _)| *rowid <= events.split.common);
    let lacking =
        before.filter(|(rowid, _)| events.row(Branch::Main, *rowid).is_none() && !doubted(EVENTS, *rowid));
    let mut over: HashSet<&[u8]> =
        lacking.filter_map(|(_, row)| row.text("task_id")).filter(|task| absent.contains(task)).collect();
    let second = tables.get(TASKS).into_iter().flat_map(|table| table.rows(Branch::Second));
    for (_, row) in second.filter(|(rowid, _)| doubted(TASKS, *rowid)) {
        row.text("id").map(|id| over.remove(id));
    }
    over
}

struct Join<'t> {
    tables: &'t BTreeMap<String, BranchRow>,
    /// Tasks that the main line has not.
    absent: HashSet<&'t [u8]>,
    /// Those of them that it has deleted.
    over: HashSet<&'t [u8]>,
    parted: bool,
    doubted: &'t dyn Fn(&str, i64) -> bool,
    joined: Joined,
    /// By table, the number in the result of each row that is the second history's own.
    numbers: HashMap<&'t str, BTreeMap<i64, i64>>,
    /// Tables of which the main line has them all already, from an earlier recovery.
    met: HashSet<&'t str>,
}

impl Join<'_> {
    /// The number in the result of the second history's row `rowid` of `table`.
    fn number(&self, table: &str, rowid: i64) -> i64 {
        self.numbers.get(table).and_then(|numbers| numbers.get(&rowid)).copied().unwrap_or(rowid)
    }

    /// Whether the second history's row `rowid` of `table` is one of its own.
    fn is_own(&self, table: &str, rowid: i64) -> bool {
        !self.met.contains(table) && self.is_numbered(table, rowid)
    }

    fn is_numbered(&self, table: &str, rowid: i64) -> bool {
        self.numbers.get(table).is_some_and(|numbers| numbers.contains_key(&rowid))
    }

    /// When the last event was written that both have.
    fn split_time(&self) -> Option<i64> {
        self.tables.get(EVENTS).and_then(|events| events.split.time)
    }

    /// Whether events of the main line behind the split may be lost, so that their absence says nothing.
    fn has_lost_events(&self) -> bool {
        self.tables.get(EVENTS).is_some_and(|events| (self.doubted)(EVENTS, events.split.common + 1))
    }

    fn put(&mut self, table: &str, rowid: i64, from: i64, values: Option<Values>) {
        self.joined.puts.push(Put { table: table.to_owned(), rowid, side: Branch::Second, from, values });
    }

    fn conflict(&mut self, table: &str, rowid: i64, kept: Branch, other: BranchValues<'_>) {
        let other = other.columns.iter().cloned().zip(other.values.iter().cloned()).collect();
        self.joined.conflicts.push(Conflict { table: table.to_owned(), rowid, kept, other });
    }

    fn put_tasks(&mut self, tasks: &Tasks) {
        let Some(table) = self.tables.get(TASKS) else { return };
        let mut next = table.highest();
        for choice in &tasks.choices {
            let second = choice.second.and_then(|rowid| Some((rowid, table.row(Branch::Second, rowid)?)));
            let Some((from, row)) = second else { continue };
            if choice.kept == Some(Branch::Second) {
                let rowid = choice.main.unwrap_or_else(|| {
                    let taken = table.main_went_on() || table.main.contains_key(&from);
                    next += i64::from(taken);
                    if taken { next } else { from }
                });
                let values = self.moved_run(row, "current_run_id");
                self.put(TASKS, rowid, from, values);
                if let (true, Some(main)) =
                    (choice.both, choice.main.and_then(|id| table.row(Branch::Main, id)))
                {
                    self.conflict(TASKS, rowid, Branch::Second, main);
                }
            } else if let (Some(rowid), true) = (choice.main, choice.both) {
                self.conflict(TASKS, rowid, Branch::Main, row);
            }
        }
    }

    /// `row` with the run that `column` names moved to its number in the result; none if that is the same.
    fn moved_run(&self, row: BranchValues<'_>, column: &str) -> Option<Values> {
        let run = row.integer(column)?;
        let number = self.number(RUNS, run);
        (number != run).then(|| row.with(column, OwnedValue::Integer(number)))
    }
}

#[cfg(test)]
mod tests;
