//! What rows say about the board that they are of, read by their shape, so that a lost schema costs nothing.
//!
//! ```text
//!   tasks                           text id, text title, ... (many columns)
//!   events, comments, attachments   NULL (the rowid), text task id, ..., a time
//!   sqlite_sequence                 text name, integer
//! ```

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::ondisk::image::Image;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;

/// What Hermes' secure_delete leaves of a page.
pub(super) const FREE: u8 = 0;
/// The columns of the oldest `tasks` table are more than those of any other table with text ids.
const MIN_TASK_COLUMNS: usize = 14;
/// Earlier seconds are no time of a board: numbers of retries, sizes.
const EARLIEST: i64 = 1_000_000_000;
const LATEST: i64 = 100_000_000_000;
/// Every number up to this one is kept, and one in [`NUMBER_STEP`] above it: two sources keep the same ones.
const LOW_NUMBERS: i64 = 1 << 15;
const NUMBER_STEP: i64 = 16;
/// What task ids of Hermes begin with.
const TASK_PREFIX: &[u8] = b"t_";
/// The tables whose numbers are never given out twice.
const NUMBERED: [&[u8]; 4] = [b"task_events", b"task_comments", b"task_runs", b"task_attachments"];

/// What a row on a leaf is told by, whatever its table is called: whether it begins with NULL, its columns, its rowid.
pub(super) type LeafRow = (bool, usize, i64);

/// What is known of a board by the rows of one source.
#[derive(Debug, Clone, Default)]
pub struct SourceFacts {
    /// Tasks that have a row.
    tasks: HashSet<u64>,
    /// Tasks that other rows name.
    named: HashSet<u64>,
    /// Task and time of each numbered row, by its columns and its number. None where two rows have the same.
    numbered: HashMap<(usize, i64), Option<u64>>,
    sequences: HashMap<Vec<u8>, i64>,
    oldest: Option<i64>,
    newest: Option<i64>,
}

/// What two sources have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Common {
    /// Tasks that both know.
    pub(super) tasks: usize,
    /// Numbers that mean one row in both.
    pub(super) agreeing: usize,
    /// Numbers that mean different rows.
    pub(super) differing: usize,
}

impl SourceFacts {
    /// Read the facts off every leaf in `image`, whether a tree leads to it or not.
    pub fn of_image(image: &Image<'_>) -> Self {
        let mut facts = Self::default();
        for number in 1..=image.count() {
            let is_leaf = image
                .head(number)
                .is_some_and(|head| Page::read(number, &head, image.usable()).is_ok_and(is_table_leaf));
            if is_leaf && let Some(bytes) = image.page(number) {
                facts.add_page(number, &bytes, image);
            }
        }
        facts
    }

    /// Add the rows on page `number`, if it is a leaf of a table.
    pub(super) fn add_page(&mut self, number: u32, bytes: &[u8], image: &Image<'_>) {
        let Some(page) = Page::read(number, bytes, image.usable()).ok().filter(|page| is_table_leaf(*page))
        else {
            return;
        };
        for cell in page.cells().flatten() {
            let record = cell.payload.and_then(|payload| Record::prefix(payload.local).ok());
            if let Some(record) = record {
                self.add_row(cell.rowid, &record, image.encoding());
            }
        }
    }

    fn add_row(&mut self, rowid: i64, record: &Record<'_>, encoding: Encoding) {
        let columns = record.columns();
        let mut values = record.values();
        match (values.next(), values.next()) {
            (Some(Value::Text(name)), Some(Value::Integer(last))) if columns == 2 => {
                let name = encoding.decode(name);
                if NUMBERED.contains(&name.as_ref()) {
                    let known = self.sequences.entry(name.into_owned()).or_insert(last);
                    *known = last.max(*known);
                }
            }
            (Some(Value::Text(id)), Some(Value::Text(_))) if columns >= MIN_TASK_COLUMNS => {
                self.tasks.insert(hash(&encoding.decode(id)));
                self.see_time(first_time(values));
            }
            (Some(Value::Null), Some(Value::Text(task))) => {
                let task = encoding.decode(task);
                let Some(time) = first_time(values) else { return };
                self.see_time(Some(time));
                if task.starts_with(TASK_PREFIX) {
                    self.named.insert(hash(&task));
                }
                if rowid <= LOW_NUMBERS || rowid % NUMBER_STEP == 0 {
                    let row = Some(hash(&(task, time)));
                    let known = self.numbered.entry((columns, rowid)).or_insert(row);
                    if *known != row {
                        *known = None;
                    }
                }
            }
            _ => {}
        }
    }

    fn see_time(&mut self, time: Option<i64>) {
        let Some(time) = time else { return };
        self.oldest = Some(self.oldest.map_or(time, |oldest| oldest.min(time)));
        self.newest = Some(self.newest.map_or(time, |newest| newest.max(time)));
    }

    /// True if there is no row to tell the board by.
    pub(super) fn is_bare(&self) -> bool {
        self.tasks.is_empty() && self.numbered.is_empty()
    }

    /// How many tasks are known.
    pub(super) fn task_count(&self) -> usize {
        self.tasks.union(&self.named).count()
    }

    /// True if every task that a row names has its row here.
    pub(super) fn names_own_tasks_alone(&self) -> bool {
        self.named.is_subset(&self.tasks)
    }

    /// True if everything here is younger than everything in `other`.
    pub(super) fn begins_after(&self, other: &Self) -> bool {
        matches!((self.oldest, other.newest), (Some(oldest), Some(newest)) if oldest > newest)
    }

    /// True if a number that was given out in `other` was not yet given out here.
    pub(super) fn is_behind(&self, other: &Self) -> bool {
        self.sequences.iter().any(|(name, last)| other.sequences.get(name).is_some_and(|known| known > last))
    }

    /// Count what both know.
    pub(super) fn compare(&self, other: &Self) -> Common {
        let (small, large) =
            if self.numbered.len() <= other.numbered.len() { (self, other) } else { (other, self) };
        let mut common = Common::default();
        for (number, row) in &small.numbered {
            match (row, large.numbered.get(number)) {
                (Some(row), Some(Some(known))) if row == known => common.agreeing += 1,
                (Some(_), Some(Some(_))) => common.differing += 1,
                _ => {}
            }
        }
        let knows = |facts: &Self, task: &u64| facts.tasks.contains(task) || facts.named.contains(task);
        let few = if self.tasks.len() + self.named.len() <= other.tasks.len() + other.named.len() {
            (self, other)
        } else {
            (other, self)
        };
        common.tasks = few.0.tasks.union(&few.0.named).filter(|task| knows(few.1, task)).count();
        common
    }
}

fn is_table_leaf(page: Page<'_>) -> bool {
    page.kind() == PageKind::TableLeaf
}

/// The first value that can be a time: what a row is created with stands before what happens to it later.
fn first_time<'v>(mut values: impl Iterator<Item = Value<'v>>) -> Option<i64> {
    values.find_map(|value| match value {
        Value::Integer(time @ EARLIEST..LATEST) => Some(time),
        _ => None,
    })
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The rows on page `number`, if it is a leaf of a table.
pub(super) fn rows_of(number: u32, bytes: &[u8], usable: usize) -> Vec<LeafRow> {
    let Some(page) = Page::read(number, bytes, usable).ok().filter(|page| is_table_leaf(*page)) else {
        return Vec::new();
    };
    let row = |cell: crate::ondisk::page::Cell<'_>| {
        let record = Record::prefix(cell.payload?.local).ok()?;
        let is_numbered = record.values().next() == Some(Value::Null);
        Some((is_numbered, record.columns(), cell.rowid))
    };
    page.cells().flatten().filter_map(row).collect()
}

#[cfg(test)]
impl SourceFacts {
    /// The facts of a board with these `tasks` and these events, each a number, a task and a time.
    pub(super) fn made(tasks: &[&str], events: &[(i64, &str, i64)]) -> Self {
        let mut facts = Self::default();
        facts.tasks.extend(tasks.iter().map(|task| hash(&task.as_bytes())));
        for (number, task, time) in events {
            facts.see_time(Some(*time));
            facts.named.insert(hash(&task.as_bytes()));
            facts.numbered.insert((6, *number), Some(hash(&(task, time))));
        }
        facts
    }
}
