//! The rows in which two histories differ, read by the names of their columns.

use std::collections::{BTreeMap, BTreeSet};

use super::{Alike, Branch, EVENTS, OwnedValue, RUN_IDENTITY, RUNS, Split, TASKS, Values};

/// How the rows of a table are told apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum RowKey {
    /// By numbers that are never given out twice, or by nothing.
    #[default]
    Number,
    /// By numbers that somebody chooses.
    Chosen,
    /// By these columns.
    Columns(Vec<String>),
}

/// One table, so far as the histories differ.
#[derive(Debug, Clone, Default)]
pub(crate) struct BranchRow {
    pub(crate) key: RowKey,
    /// The names of the columns in each history's order.
    pub(crate) columns: [Vec<String>; 2],
    /// Rows that the main line alone has, or has otherwise, by rowid.
    pub(crate) main: BTreeMap<i64, Values>,
    /// The same of the second history.
    pub(crate) second: BTreeMap<i64, Values>,
    /// Those of `second` that are known to be from before the histories parted.
    pub(crate) old: BTreeSet<i64>,
    pub(crate) split: Split,
    /// The highest number given out in each.
    pub(crate) last: [i64; 2],
}

/// The row of `values` in `columns`.
#[derive(Clone, Copy)]
pub(crate) struct BranchValues<'a> {
    pub(crate) columns: &'a [String],
    pub(crate) values: &'a [OwnedValue],
}

impl<'a> BranchValues<'a> {
    pub(crate) fn get(self, column: &str) -> Option<&'a OwnedValue> {
        self.values.get(self.columns.iter().position(|name| name == column)?)
    }

    pub(crate) fn integer(self, column: &str) -> Option<i64> {
        match self.get(column)? {
            OwnedValue::Integer(number) => Some(*number),
            _ => None,
        }
    }

    pub(crate) fn text(self, column: &str) -> Option<&'a [u8]> {
        match self.get(column)? {
            OwnedValue::Text(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// When it was written, Unix seconds.
    pub(crate) fn time(self) -> Option<i64> {
        self.integer("created_at").or(self.integer("started_at"))
    }

    /// A copy with `column` set.
    pub(crate) fn with(self, column: &str, value: OwnedValue) -> Values {
        let mut values = self.values.to_vec();
        let index = self.columns.iter().position(|name| name == column);
        if let Some(place) = index.and_then(|index| values.get_mut(index)) {
            *place = value;
        }
        values
    }

    /// The same content, whatever the order of the columns; one that a row lacks counts as NULL.
    pub(crate) fn equals(self, other: BranchValues<'_>) -> bool {
        let null = OwnedValue::Null;
        let has = |row: BranchValues<'_>, of: BranchValues<'_>| {
            of.columns.iter().all(|name| row.get(name).unwrap_or(&null) == of.get(name).unwrap_or(&null))
        };
        has(self, other) && has(other, self)
    }
}

impl BranchRow {
    pub(crate) fn rows(&self, side: Branch) -> impl Iterator<Item = (i64, BranchValues<'_>)> {
        let (rows, columns) = match side {
            Branch::Main => (&self.main, self.columns.first()),
            Branch::Second => (&self.second, self.columns.get(1)),
        };
        let columns = columns.map_or(&[][..], Vec::as_slice);
        rows.iter().map(move |(&rowid, values)| (rowid, BranchValues { columns, values }))
    }

    pub(crate) fn row(&self, side: Branch, rowid: i64) -> Option<BranchValues<'_>> {
        let (rows, columns) = match side {
            Branch::Main => (&self.main, self.columns.first()),
            Branch::Second => (&self.second, self.columns.get(1)),
        };
        let values = rows.get(&rowid)?;
        Some(BranchValues { columns: columns.map_or(&[][..], Vec::as_slice), values })
    }

    /// Whether the main line has given out numbers since the histories parted.
    pub(crate) fn main_went_on(&self) -> bool {
        self.last.first().is_some_and(|&last| last > self.split.common)
    }

    pub(crate) fn highest(&self) -> i64 {
        self.last.into_iter().max().unwrap_or(0)
    }
}

/// How rows of one number in `table` compare.
pub(crate) fn compare(
    table: &str,
    columns: &[Vec<String>; 2],
    main: &[OwnedValue],
    second: &[OwnedValue],
) -> Alike {
    let [main_columns, second_columns] = columns;
    let (main, second) = (
        BranchValues { columns: main_columns, values: main },
        BranchValues { columns: second_columns, values: second },
    );
    if main.equals(second) {
        return Alike::Same;
    }
    if table == EVENTS && is_renamed(main, second) {
        return Alike::Same;
    }
    let null = OwnedValue::Null;
    let differs = |name: &&str| main.get(name).unwrap_or(&null) != second.get(name).unwrap_or(&null);
    let names: Vec<&str> = match table {
        RUNS => RUN_IDENTITY.to_vec(),
        TASKS => vec!["id"],
        _ => main_columns.iter().map(String::as_str).collect(),
    };
    let differing: Vec<&str> = names.into_iter().filter(differs).collect();
    match (table, differing.as_slice()) {
        (RUNS | TASKS, []) => Alike::Same,
        (_, []) => Alike::Nearly,
        (_, [name]) => match main.get(name).zip(second.get(name)) {
            Some((one, other)) if is_other(one, other) => Alike::Not,
            _ => Alike::Nearly,
        },
        _ => Alike::Not,
    }
}

/// The kinds of events that Hermes has renamed: on every board that a newer version opens.
const RENAMED: [(&[u8], &[u8]); 3] =
    [(b"ready", b"promoted"), (b"priority", b"reprioritized"), (b"spawn_auto_blocked", b"gave_up")];

/// The name that Hermes has given events of `kind` since.
pub(crate) fn renamed_kind(kind: &[u8]) -> Option<&'static [u8]> {
    RENAMED.iter().find(|(old, _)| *old == kind).map(|(_, new)| *new)
}

/// True if two events differ in the name of their kind alone, and the one is the name that Hermes gave the other.
fn is_renamed(one: BranchValues<'_>, other: BranchValues<'_>) -> bool {
    let name =
        |row: BranchValues<'_>| row.text("kind").map(|kind| renamed_kind(kind).unwrap_or(kind).to_vec());
    let (Some(ours), Some(theirs)) = (name(one), name(other)) else { return false };
    let with = |row: BranchValues<'_>| row.with("kind", OwnedValue::Null);
    ours == theirs
        && BranchValues { columns: one.columns, values: &with(one) }
            .equals(BranchValues { columns: other.columns, values: &with(other) })
}

/// Whether neither of two values can have come of the other by damage: both are words or numbers, and more than a flipped
/// bit lies between them.
fn is_other(one: &OwnedValue, other: &OwnedValue) -> bool {
    /// Longer texts are prose, in which a piece may be overwritten.
    const WORD: usize = 64;
    let is_word = |text: &[u8]| text.len() <= WORD && text.iter().all(u8::is_ascii_graphic);
    match (one, other) {
        (OwnedValue::Integer(one), OwnedValue::Integer(other)) => (one ^ other).count_ones() > 1,
        (OwnedValue::Text(one), OwnedValue::Text(other)) if is_word(one) && is_word(other) => {
            let flips: u32 = one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum();
            one.len() != other.len() || flips > 1
        }
        _ => false,
    }
}
