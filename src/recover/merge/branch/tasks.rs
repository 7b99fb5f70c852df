//! Which tasks of the second history come into the result, and in whose version.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{Branch, BranchValues, Join, RowKey, TASKS};

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

/// When one history last did something to each task since they parted, by the rows of the tables beside it.
fn work<'t>(join: &Join<'t>, side: Branch) -> HashMap<&'t [u8], i64> {
    let mut work: HashMap<&[u8], i64> = HashMap::new();
    for (name, table) in join.tables.iter().filter(|(_, table)| table.key == RowKey::Number) {
        for (rowid, row) in table.rows(side) {
            let own = match side {
                Branch::Main => rowid > table.split.common,
                Branch::Second => join.is_own(name, rowid),
            };
            if let Some(task) = row.text("task_id").filter(|_| own) {
                let last = work.entry(task).or_default();
                *last = row.time().unwrap_or(0).max(*last);
            }
        }
    }
    work
}

/// Decides about every task in which the histories differ.
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
                Some(if flawed { Branch::Second } else { newer(seen, (one, ours), (other, theirs)) })
            }
            (None, Some(other)) => {
                is_missing(join, second.unwrap_or(0), other, theirs).then_some(Branch::Second)
            }
            _ => continue,
        };
        // Where no row tells who changed it, both may have.
        let both = ours.is_some() == theirs.is_some();
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

/// The history that did something to the task last; by its events and runs where all of them were `seen`, then by the
/// times in the task itself. In doubt the main line.
fn newer(
    seen: bool,
    main: (BranchValues<'_>, Option<i64>),
    second: (BranchValues<'_>, Option<i64>),
) -> Branch {
    let evidence = |(row, last): (BranchValues<'_>, Option<i64>)| {
        let signs = SIGNS.iter().filter_map(|column| row.integer(column)).max();
        (last.filter(|_| seen), signs)
    };
    if evidence(second) > evidence(main) { Branch::Second } else { Branch::Main }
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
