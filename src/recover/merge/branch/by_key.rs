//! Rows that are known by other columns than a number: links, subscriptions, and those of tables that we do not know.

use std::collections::{HashMap, HashSet};

use super::notify_cursor;
use super::notify_cursor::Told;
use super::rows::{BranchRow, BranchValues, RowKey};
use super::tasks::Tasks;
use super::values::encode;
use super::{Branch, CURSOR, EVENTS, Join, LINKS, OwnedValue, PING_CURSOR, Put, SUBSCRIPTIONS};

impl<'t> Join<'t> {
    /// A link of the second history, unless one of its ends is gone or the main line has cut it.
    pub(crate) fn put_links(&mut self, table: &'t BranchRow, tasks: &Tasks) {
        let known: HashSet<_> = table.rows(Branch::Main).map(|(_, row)| ends(row)).collect();
        let cut = self.tables.get(EVENTS).map(cuts).unwrap_or_default();
        let mut next = table.highest();
        for (from, row) in table.rows(Branch::Second) {
            let (parent, child) = ends(row);
            if known.contains(&(parent, child)) {
                continue;
            }
            let gone = tasks.is_deleted(parent) || tasks.is_deleted(child) || table.old.contains(&from);
            if gone || cut.contains(&(parent.map(<[u8]>::to_vec), child.map(<[u8]>::to_vec))) {
                continue;
            }
            let rowid = free(table, from, &mut next);
            self.put(LINKS, rowid, from, None);
        }
    }

    pub(crate) fn put_subscriptions(&mut self, table: &'t BranchRow, tasks: &Tasks) {
        let RowKey::Columns(key) = &table.key else { return };
        let (of_main, of_second) = (by_key(table, Branch::Main, key), by_key(table, Branch::Second, key));
        let sent = self.sent();
        let mut next = table.highest();
        for (rowid, main) in table.rows(Branch::Main) {
            let second = of_second.get(&keyed(main, key)).map(|(_, row)| *row);
            let cursor = self.cursor(&sent, Some(main), second);
            if Some(cursor) != main.integer(CURSOR) {
                let values = Some(main.with(CURSOR, OwnedValue::Integer(cursor)));
                let table = SUBSCRIPTIONS.to_owned();
                self.joined.puts.push(Put { table, rowid, side: Branch::Main, from: rowid, values });
            }
        }
        let split = self.split_time();
        for (from, row) in table.rows(Branch::Second) {
            if of_main.contains_key(&keyed(row, key)) {
                continue;
            }
            // One that is older than the split was on the main line once, and was ended there.
            let ended = split.is_some_and(|split| row.integer("created_at").is_some_and(|made| made < split));
            let ended = ended || table.old.contains(&from);
            if tasks.is_deleted(row.text("task_id")) || (ended && !(self.doubted)(SUBSCRIPTIONS, from)) {
                continue;
            }
            let values = row.with(CURSOR, OwnedValue::Integer(self.cursor(&sent, None, Some(row))));
            let values = match row.integer(PING_CURSOR) {
                Some(ping) => {
                    let values = BranchValues { columns: row.columns, values: &values };
                    values.with(PING_CURSOR, OwnedValue::Integer(self.moved_cursor(ping)))
                }
                None => values,
            };
            let rowid = free(table, from, &mut next);
            self.put(SUBSCRIPTIONS, rowid, from, Some(values));
        }
    }

    /// The events behind the split that the notifier sends, by task: whose they are and their number there.
    fn sent(&self) -> HashMap<&'t [u8], Vec<(Branch, i64)>> {
        let mut sent: HashMap<&[u8], Vec<(Branch, i64)>> = HashMap::new();
        let Some(events) = self.tables.get(EVENTS) else { return sent };
        for side in [Branch::Main, Branch::Second] {
            for (rowid, row) in events.rows(side).filter(|(rowid, _)| *rowid > events.split.common) {
                let own = side == Branch::Main || self.is_own(EVENTS, rowid);
                if let Some(task) = row.text("task_id")
                    && own
                    && row.text("kind").is_some_and(notify_cursor::is_sent)
                {
                    sent.entry(task).or_default().push((side, rowid));
                }
            }
        }
        sent
    }

    /// How far the subscriber has been told, over both histories.
    fn cursor(
        &self,
        sent: &HashMap<&[u8], Vec<(Branch, i64)>>,
        main: Option<BranchValues<'_>>,
        second: Option<BranchValues<'_>>,
    ) -> i64 {
        let cursors = [main, second].map(|row| row.and_then(|row| row.integer(CURSOR)));
        let Some(events) = self.tables.get(EVENTS) else {
            return cursors.into_iter().flatten().max().unwrap_or(0);
        };
        let task = main.or(second).and_then(|row| row.text("task_id"));
        let sent = task.and_then(|task| sent.get(task)).map_or(&[][..], Vec::as_slice);
        let told = sent.iter().map(|&(side, rowid)| {
            let [of_main, of_second] = cursors;
            let (number, cursor) = match side {
                Branch::Main => (rowid, of_main),
                Branch::Second => (self.number(EVENTS, rowid), of_second),
            };
            Told { number, seen: cursor.is_some_and(|cursor| cursor >= rowid) }
        });
        notify_cursor::joined(cursors, events.split.common, &told.collect::<Vec<_>>())
    }

    /// A cursor of the second history in the numbers of the result.
    fn moved_cursor(&self, cursor: i64) -> i64 {
        let common = self.tables.get(EVENTS).map_or(i64::MAX, |events| events.split.common);
        let moved = self.numbers.get(EVENTS).and_then(|numbers| numbers.range(..=cursor).next_back());
        moved.map_or(cursor.min(common), |(_, &number)| number)
    }

    /// Rows of a table whose keys mean something that we do not know: they come in where their key is free.
    pub(crate) fn put_unknown(&mut self, name: &'t str, table: &'t BranchRow) {
        let columns = match &table.key {
            RowKey::Columns(columns) => columns.as_slice(),
            _ => &[],
        };
        let of_main = by_key(table, Branch::Main, columns);
        let mut next = table.highest();
        for (from, row) in table.rows(Branch::Second) {
            let main = if columns.is_empty() {
                table.row(Branch::Main, from).map(|row| (from, row))
            } else {
                of_main.get(&keyed(row, columns)).copied()
            };
            match main {
                Some((rowid, main)) if !main.equals(row) => self.conflict(name, rowid, Branch::Main, row),
                None if (from > table.split.common && !table.old.contains(&from))
                    || (self.doubted)(name, from) =>
                {
                    let rowid = if columns.is_empty() { from } else { free(table, from, &mut next) };
                    self.put(name, rowid, from, None);
                }
                _ => {}
            }
        }
    }
}

/// The values of `row` in the columns of its key, as a record.
fn keyed(row: BranchValues<'_>, key: &[String]) -> Vec<u8> {
    encode(&key.iter().map(|column| row.get(column).cloned().unwrap_or(OwnedValue::Null)).collect::<Vec<_>>())
}

/// The rows of one history by their key.
fn by_key<'t>(
    table: &'t BranchRow,
    side: Branch,
    key: &[String],
) -> HashMap<Vec<u8>, (i64, BranchValues<'t>)> {
    table.rows(side).map(|(rowid, row)| (keyed(row, key), (rowid, row))).collect()
}

/// A rowid for a row that is known by other columns: its own where the main line has nothing and has not gone on.
fn free(table: &BranchRow, from: i64, next: &mut i64) -> i64 {
    if table.main_went_on() || table.main.contains_key(&from) {
        *next += 1;
        return *next;
    }
    from
}

fn ends(row: BranchValues<'_>) -> (Option<&[u8]>, Option<&[u8]>) {
    (row.text("parent_id"), row.text("child_id"))
}

/// Parent and child of a link.
type Cut = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Parent and child of every link that the main line has cut since the histories parted.
fn cuts(events: &BranchRow) -> HashSet<Cut> {
    let main = events.rows(Branch::Main).filter(|(rowid, _)| *rowid > events.split.common);
    main.filter(|(_, row)| row.text("kind") == Some(b"unlinked"))
        .filter_map(|(_, row)| serde_json::from_slice::<serde_json::Value>(row.text("payload")?).ok())
        .map(|payload| {
            let end = |name: &str| payload.get(name)?.as_str().map(|end| end.as_bytes().to_vec());
            (end("parent"), end("child"))
        })
        .collect()
}
