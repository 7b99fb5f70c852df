//! Rows that are known by a number: events, runs, comments, attachments, and those of tables that we do not know.

use std::collections::BTreeMap;

use super::rows::{BranchRow, BranchValues};
use super::tasks::Tasks;
use super::{Branch, EVENTS, Join, OwnedValue, RUN_IDENTITY, RUNS, Values};

impl<'t> Join<'t> {
    /// The numbers that the second history's own rows get: their own where the main line has not gone on, otherwise new ones
    /// above both sequences, in their order.
    pub(crate) fn give_numbers(&mut self, name: &str, table: &BranchRow) -> BTreeMap<i64, i64> {
        let mut numbers = BTreeMap::new();
        let mut next = table.highest();
        for (rowid, row) in table.rows(Branch::Second).filter(|(rowid, _)| *rowid > table.split.common) {
            let known = table.row(Branch::Main, rowid);
            let task = row.text("task_id");
            let over = task.is_some_and(|task| self.over.contains(task));
            let left = name != EVENTS && task.is_some_and(|task| self.absent.contains(task));
            if over || table.old.contains(&rowid) || (left && row.time() < self.split_time()) {
                continue;
            }
            if name == RUNS && known.is_some_and(|known| is_same_run(known, row)) {
                continue;
            }
            if !self.parted && known.is_some() {
                continue;
            }
            if self.parted && (table.main_went_on() || known.is_some()) {
                next += 1;
                numbers.insert(rowid, next);
            } else {
                numbers.insert(rowid, rowid);
            }
        }
        numbers
    }

    /// Where the main line has the second history's own rows, which are to get `numbers`, if it has every one of them, in
    /// their order: an earlier recovery brought them in. A few that are alike may have come about in both.
    pub(crate) fn there_already(
        &self,
        name: &str,
        table: &BranchRow,
        numbers: &BTreeMap<i64, i64>,
    ) -> Option<BTreeMap<i64, i64>> {
        let mut main = table.rows(Branch::Main).filter(|(rowid, _)| *rowid > table.split.common);
        let mut there = BTreeMap::new();
        for &rowid in numbers.keys() {
            let row = table.row(Branch::Second, rowid)?;
            let moved = self.moved(name, row);
            let row = BranchValues { columns: row.columns, values: moved.as_deref().unwrap_or(row.values) };
            let (number, _) = main.find(|(_, known)| match name {
                RUNS => is_same_run(*known, row),
                _ => known.equals(row),
            })?;
            there.insert(rowid, number);
        }
        (!there.is_empty()).then_some(there)
    }

    /// Rows that are known by their number: events, runs, comments, attachments, and those of tables that we do not know.
    pub(crate) fn put_numbered(&mut self, name: &'t str, table: &'t BranchRow, tasks: &Tasks) {
        for (rowid, row) in table.rows(Branch::Second) {
            let main = table.row(Branch::Main, rowid);
            let task = row.text("task_id");
            if self.met.contains(name) && self.is_numbered(name, rowid) {
                continue;
            }
            if self.is_own(name, rowid) {
                let values = self.moved(name, row);
                self.put(name, self.number(name, rowid), rowid, values);
            } else if let Some(main) = main.filter(|main| name == RUNS && is_same_run(*main, row)) {
                let newer = tasks.keeps(task).unwrap_or_else(|| newer_run(main, row));
                if newer == Branch::Second {
                    self.put(name, rowid, rowid, None);
                }
            } else if (self.doubted)(name, rowid) && !tasks.is_deleted(task) {
                self.put(name, rowid, rowid, None);
            } else if main.is_none() && tasks.is_revived(task) {
                let values = self.moved(name, row);
                self.put(name, rowid, rowid, values);
            }
        }
    }

    /// `row` of the second history with the runs that it names moved; none if nothing moves.
    fn moved(&self, name: &str, row: BranchValues<'_>) -> Option<Values> {
        if name == RUNS {
            return None;
        }
        let moved = self.moved_run(row, "run_id");
        let after = BranchValues { columns: row.columns, values: moved.as_deref().unwrap_or(row.values) };
        let payload = after.text("payload").filter(|_| name == EVENTS);
        let payload = payload.and_then(|payload| moved_payload(payload, |run| self.number(RUNS, run)));
        match payload {
            Some(payload) => Some(after.with("payload", OwnedValue::Text(payload))),
            None => moved,
        }
    }
}

fn is_same_run(one: BranchValues<'_>, other: BranchValues<'_>) -> bool {
    RUN_IDENTITY.iter().all(|column| one.get(column) == other.get(column))
}

/// Which of two versions of a run is the later one: an ended one, then the one with the later sign of life.
fn newer_run(main: BranchValues<'_>, second: BranchValues<'_>) -> Branch {
    let life = |row: BranchValues<'_>| (row.integer("ended_at"), row.integer("last_heartbeat_at"));
    if life(second) > life(main) { Branch::Second } else { Branch::Main }
}

/// A payload whose `run_id` (docs/board-format.md, 5: `claimed`) is moved, every other byte as it was; none if it names none, or
/// one that stays.
pub(crate) fn moved_payload(payload: &[u8], number: impl Fn(i64) -> i64) -> Option<Vec<u8>> {
    const NAME: &str = "\"run_id\"";
    let text = std::str::from_utf8(payload).ok()?;
    let named = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok()?.get("run_id")?.as_i64();
    let run = named(text)?;
    let moved = number(run);
    if moved == run {
        return None;
    }
    text.match_indices(NAME).find_map(|(at, _)| {
        let start = at + NAME.len();
        let rest = text.get(start..)?;
        let digits = rest.find(|char: char| char.is_ascii_digit() || char == '-')?;
        let len = rest.get(digits..)?.find(|char: char| !char.is_ascii_digit() && char != '-')?;
        let changed = format!("{}{moved}{}", text.get(..start + digits)?, text.get(start + digits + len..)?);
        (named(&changed) == Some(moved)).then(|| changed.into_bytes())
    })
}
