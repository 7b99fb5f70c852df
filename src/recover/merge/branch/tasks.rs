//! Decides which tasks of the second history come into the result, and in whose version.
//!
//! A task that one history alone has changed since they parted comes in the version of that history. Hermes writes an event for
//! every change, so the events behind the split tell. Where both have changed it, the newer event decides, and the other
//! version is a conflict. Equal times decide nothing: the second history's events stand behind the main line's in the result,
//! so its version is the one that the result's newest event belongs to.
//!
//! Not here: the rows that belong to a task ([`super::by_number`], [`super::by_key`]).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Branch, BranchValues, EVENTS, Join, RowKey, TASKS};
use crate::recover::merge::events::{changes_row, changes_status};

/// Columns that say when somebody last did something to a task.
const SIGNS: [&str; 4] = ["completed_at", "last_heartbeat_at", "started_at", "created_at"];

/// What becomes of one task that the histories do not have alike.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskChoice {
    /// Its rowid on the main line.
    pub(crate) main: Option<i64>,
    /// Its rowid in the second history.
    pub(crate) second: Option<i64>,
    /// Whose version is kept; none if it stays deleted.
    pub(crate) kept: Option<Branch>,
    /// Whether both have changed it since they parted.
    pub(crate) both: bool,
}

/// What becomes of the tasks.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    pub(crate) choices: Vec<TaskChoice>,
    kept: HashMap<Vec<u8>, Branch>,
    deleted: HashSet<Vec<u8>>,
    revived: HashSet<Vec<u8>>,
}

impl Tasks {
    /// Whose version of the task is kept; none if both have the same.
    pub(crate) fn keeps(&self, task: Option<&[u8]>) -> Option<Branch> {
        self.kept.get(task?).copied()
    }

    /// Whether the main line has not got it and the second history brings it: with all that was of it.
    pub(crate) fn is_revived(&self, task: Option<&[u8]>) -> bool {
        task.is_some_and(|task| self.revived.contains(task))
    }

    /// Whether the main line has deleted it.
    pub(crate) fn is_deleted(&self, task: Option<&[u8]>) -> bool {
        task.is_some_and(|task| self.deleted.contains(task))
    }
}

/// What one history did to a task since they parted: the times of its newest rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Work {
    /// Of an event that sets the status.
    status: Option<i64>,
    /// Of an event that changes the row.
    change: Option<i64>,
    /// Of any row of the tables beside it.
    any: Option<i64>,
}

/// What `side` did to each task since the histories parted.
fn work<'t>(join: &Join<'t>, side: Branch) -> HashMap<&'t [u8], Work> {
    let mut work: HashMap<&[u8], Work> = HashMap::new();
    for (name, table) in join.tables.iter().filter(|(_, table)| table.key == RowKey::Number) {
        for (rowid, row) in table.rows(side) {
            let own = match side {
                Branch::Main => rowid > table.split.common,
                Branch::Second => join.is_own(name, rowid),
            };
            let Some(task) = row.text("task_id").filter(|_| own) else { continue };
            let time = Some(row.time().unwrap_or(0));
            let done = work.entry(task).or_default();
            done.any = done.any.max(time);
            let kind = row.text("kind").filter(|_| name.as_str() == EVENTS);
            if kind.is_some_and(changes_row) {
                done.change = done.change.max(time);
            }
            if kind.is_some_and(changes_status) {
                done.status = done.status.max(time);
            }
        }
    }
    work
}

/// Decide about every task in which the histories differ.
pub(crate) fn decide(join: &Join<'_>) -> Tasks {
    let mut tasks = Tasks::default();
    let Some(table) = join.tables.get(TASKS) else { return tasks };
    let mut pairs: BTreeMap<&[u8], (Option<i64>, Option<i64>)> = BTreeMap::new();
    for (rowid, row) in table.rows(Branch::Main) {
        pairs.entry(row.text("id").unwrap_or_default()).or_default().0 = Some(rowid);
    }
    for (rowid, row) in table.rows(Branch::Second) {
        pairs.entry(row.text("id").unwrap_or_default()).or_default().1 = Some(rowid);
    }
    let (done_main, done_second) = (work(join, Branch::Main), work(join, Branch::Second));
    for (id, (main, second)) in pairs {
        let row = |side, rowid: Option<i64>| table.row(side, rowid?);
        let (theirs, ours) = (done_second.get(id).copied(), done_main.get(id).copied());
        let kept = match (row(Branch::Main, main), row(Branch::Second, second)) {
            (Some(one), Some(other)) if one.equals(other) => continue,
            (Some(one), Some(other)) => {
                let flawed = main.is_some_and(|rowid| (join.doubted)(TASKS, rowid));
                let seen = !join.has_lost_events();
                let works = (ours.unwrap_or_default(), theirs.unwrap_or_default());
                Some(if flawed { Branch::Second } else { newer(seen, (one, works.0), (other, works.1)) })
            }
            (None, Some(other)) => {
                let last = theirs.and_then(|work| work.any);
                is_missing(join, second.unwrap_or(0), other, last).then_some(Branch::Second)
            }
            _ => continue,
        };
        let changed = |work: Option<Work>| work.is_some_and(|work| work.change.is_some());
        // Where no row tells who changed it, both may have.
        let both = changed(ours) == changed(theirs);
        match kept {
            Some(side) => {
                tasks.kept.insert(id.to_vec(), side);
                if main.is_none() {
                    tasks.revived.insert(id.to_vec());
                }
            }
            None => {
                tasks.deleted.insert(id.to_vec());
            }
        }
        tasks.choices.push(TaskChoice { main, second, kept, both });
    }
    tasks
}

/// The history whose version of a task counts: by the events that set its status, then by those that change it, where all of
/// them were `seen`; where none tells, by the times in the task itself. In doubt the main line.
fn newer(seen: bool, main: (BranchValues<'_>, Work), second: (BranchValues<'_>, Work)) -> Branch {
    let by_events = |main: Option<i64>, second: Option<i64>| match (main, second) {
        _ if !seen => None,
        (None, None) => None,
        // Of equal times the second's event stands behind the other.
        (main, second) => Some(if second >= main { Branch::Second } else { Branch::Main }),
    };
    let signs = |row: BranchValues<'_>| SIGNS.iter().filter_map(|column| row.integer(column)).max();
    let (ours, theirs) = (main.1, second.1);
    by_events(ours.status, theirs.status).or_else(|| by_events(ours.change, theirs.change)).unwrap_or_else(
        || {
            let any = |work: Work| work.any.filter(|_| seen);
            if (any(theirs), signs(second.0)) > (any(ours), signs(main.0)) {
                Branch::Second
            } else {
                Branch::Main
            }
        },
    )
}

/// Whether a task that only the second history has is missing on the main line, and not deleted there.
fn is_missing(join: &Join<'_>, rowid: i64, row: BranchValues<'_>, last: Option<i64>) -> bool {
    if (join.doubted)(TASKS, rowid) {
        return true;
    }
    if row.text("id").is_some_and(|id| join.over.contains(id)) {
        return false;
    }
    if last.is_some() {
        return true;
    }
    if join.tables.get(TASKS).is_some_and(|table| table.old.contains(&rowid)) {
        return false;
    }
    // No event tells: its age does, or its place among the others.
    match join.split_time().zip(row.integer("created_at")) {
        Some((split, made)) => made >= split,
        None => join.tables.get(TASKS).is_none_or(|table| rowid > table.split.common),
    }
}
