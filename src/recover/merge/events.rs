//! What the events of the result tell about its rows: whether a row of an older source is current.
//!
//! Hermes writes an event for every edit. A row of an older source is current when every event that is newer than that source
//! is there and none names its task. Otherwise it is stale: it comes back, and the report names it.
//!
//! Not here: which source a row is from ([`super::table`]), how stale rows are shown (`report`).

use std::collections::HashMap;

use super::Merge;
use super::branch::values::{OwnedValue, decode};
use crate::failure::Outcome;
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::text::Encoding;
use crate::recover::merge::rank::ReadFacts;
use crate::salvage::image;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::source::cache::{PayloadReader, SourceCache};

/// The tables whose rows Hermes changes, and the column that names the task.
const CHANGING: [(&str, &str); 4] = [
    ("tasks", "id"),
    ("task_runs", "task_id"),
    ("kanban_notify_subs", "task_id"),
    ("task_links", "child_id"),
];
const EVENTS: &str = "task_events";
/// So many events before a source ends are read too: a source may be pieced together of several moments.
const EARLIER_EVENTS: i64 = 10_000;
/// Events that leave the row of their task as it is.
const WITHOUT_CHANGE: [&[u8]; 8] = [
    b"commented",
    b"attached",
    b"attachment_removed",
    b"unlinked",
    b"suspected_hallucinated_references",
    b"completion_blocked_hallucination",
    b"tip_scratch_workspace",
    b"reclaim_deferred",
];
/// Events that change the row of their task and leave its status as it is.
const WITHOUT_STATUS: [&[u8]; 6] =
    [b"edited", b"assigned", b"linked", b"heartbeat", b"reprioritized", b"spawned"];

/// True if an event of `kind` may change the row of its task.
pub(super) fn changes_row(kind: &[u8]) -> bool {
    !WITHOUT_CHANGE.contains(&kind)
}

/// True if an event of `kind` may change the status of its task.
pub(super) fn changes_status(kind: &[u8]) -> bool {
    changes_row(kind) && !WITHOUT_STATUS.contains(&kind)
}

/// The newest events of a task.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Newest {
    /// The number of the newest event.
    pub(super) id: i64,
    /// When it was written.
    pub(super) time: i64,
    /// The kind of the newest one that may change the status.
    pub(super) status: Option<Vec<u8>>,
}

/// The events of the result from some number on.
#[derive(Debug, Default)]
pub(super) struct EventLog {
    newest: HashMap<Vec<u8>, Newest>,
    /// The highest number that no event has although it was given out.
    last_hole: Option<i64>,
}

impl EventLog {
    /// Put `events`, in order, together: number, task, kind, time. Numbers up to `last` were given out.
    pub(super) fn of(
        events: impl Iterator<Item = (i64, Vec<u8>, Vec<u8>, i64)>,
        floor: i64,
        last: i64,
    ) -> Self {
        let mut log = Self::default();
        let mut before = floor;
        for (id, task, kind, time) in events {
            if id > before + 1 {
                log.last_hole = Some(id - 1);
            }
            before = before.max(id);
            let newest = log.newest.entry(task).or_default();
            newest.id = id;
            newest.time = time;
            if changes_status(&kind) {
                newest.status = Some(kind);
            }
        }
        if before < last {
            log.last_hole = Some(last);
        }
        log
    }

    /// True if every event behind `number` is there and none of them names `task`.
    pub(super) fn is_current(&self, task: &[u8], number: i64) -> bool {
        self.is_whole_since(number) && self.newest.get(task).is_none_or(|newest| newest.id <= number)
    }

    /// True if every event behind `number` is there.
    pub(super) fn is_whole_since(&self, number: i64) -> bool {
        self.last_hole.is_none_or(|hole| hole <= number)
    }

    /// The newest event of `task` that cannot have left it in `status`.
    pub(super) fn contradicting(&self, task: &[u8], status: &[u8]) -> Option<String> {
        let kind = self.newest.get(task)?.status.as_deref()?;
        (!may_leave(kind, status)).then(|| String::from_utf8_lossy(kind).into_owned())
    }

    /// When the newest event of `task` was written.
    fn time_of(&self, task: &[u8]) -> Option<i64> {
        self.newest.get(task).map(|newest| newest.time)
    }
}

/// True if a task may have `status` behind an event of `kind`.
pub(super) fn may_leave(kind: &[u8], status: &[u8]) -> bool {
    match kind {
        b"completed" => status == b"done",
        b"archived" => status == b"archived",
        b"blocked" => status == b"blocked",
        b"claimed" => status == b"running",
        _ => true,
    }
}

/// A row that is not known to be the newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StaleRow {
    pub(crate) rowid: i64,
    /// The status of the row and the event that contradicts it.
    pub(crate) contradicts: Option<(String, String)>,
}

/// Where the history of each source ends: the highest number of an event.
pub(super) struct Ends(HashMap<u32, i64>);

impl Ends {
    /// Those of `ranked`. The numbers of a source whose events were numbered in another way tell nothing.
    pub(super) fn of(ranked: &[ReadFacts], merge: &Merge) -> Self {
        let end =
            |facts: &ReadFacts| if merge.is_renumbered(facts.source) { 0 } else { facts.highest_event() };
        Self(ranked.iter().map(|facts| (facts.source, end(facts))).collect())
    }

    pub(super) fn of_source(&self, source: u32) -> i64 {
        self.0.get(&source).copied().unwrap_or(0)
    }

    fn lowest(&self, sources: impl Iterator<Item = u32>) -> Option<i64> {
        sources.map(|source| self.of_source(source)).min()
    }
}

/// Read the events of `merge` that are newer than the oldest of `sources`.
///
/// # Errors
/// When a row can no longer be read.
pub(super) fn read(
    merge: &Merge,
    sources: impl Iterator<Item = u32>,
    ends: &Ends,
    shelf: &SourceCache<'_>,
) -> Outcome<EventLog> {
    let Some(table) = merge.table_named(EVENTS) else { return Ok(EventLog::default()) };
    let floor = ends.lowest(sources).unwrap_or(0).saturating_sub(EARLIER_EVENTS).max(0);
    let mut reader = PayloadReader::new(shelf, merge.odds());
    let mut events = Vec::new();
    // What only an older source has was collected by `hermes gc` since, or lies in a lost page: it tells as much.
    for row in table.rows.iter().chain(table.older.iter()).filter(|row| row.rowid > floor) {
        let shape = table.shape_of(row.source);
        let column = |name: &str| shape.columns.iter().position(|column| column.name == name);
        let values = reader.payload(&row, decode)?.unwrap_or_default();
        let text = |name: &str| match column(name).and_then(|at| values.get(at)) {
            Some(OwnedValue::Text(text)) => text.clone(),
            _ => Vec::new(),
        };
        let time = match column("created_at").and_then(|at| values.get(at)) {
            Some(OwnedValue::Integer(time)) => *time,
            _ => 0,
        };
        events.push((row.rowid, text("task_id"), text("kind"), time));
    }
    events.sort_by_key(|(id, ..)| *id);
    let last = if merge.events_may_go_on() { i64::MAX } else { merge.last_event() };
    Ok(EventLog::of(events.into_iter(), floor, last))
}

/// Note in `merge` which rows of older sources are not known to be the newest version.
///
/// # Errors
/// When a row can no longer be read.
pub(crate) fn mark_stale(merge: &mut Merge, ranked: &[ReadFacts], shelf: &SourceCache<'_>) -> Outcome<()> {
    let Some(best) = ranked.first().map(|facts| facts.source) else { return Ok(()) };
    let ends = Ends::of(ranked, merge);
    let substituted =
        |row: &Row| (row.source != best && !row.is(row::FORK)) || row.is(row::EARLIER | row::GRAFTED);
    let mut rows = Vec::new();
    for (name, column) in CHANGING {
        let Some(at) = merge.position(name) else { continue };
        let Some(table) = merge.table(at) else { continue };
        rows.extend(table.rows.iter().filter(substituted).map(|row| (at, column, row)));
    }
    if rows.is_empty() {
        return Ok(());
    }
    let log = read(merge, rows.iter().map(|(.., row)| row.source), &ends, shelf)?;
    let mut stale: Vec<(usize, StaleRow)> = Vec::new();
    let stores = shelf.stores(best)?;
    let layout = image::lay_out(&stores);
    let remains = Remains { image: layout.as_ref().map(|layout| &layout.image) };
    let mut reader = PayloadReader::new(shelf, merge.odds());
    for (at, column, row) in rows {
        let Some(table) = merge.table(at) else { continue };
        let shape = table.shape_of(row.source);
        let place = |name: &str| shape.columns.iter().position(|column| column.name == name);
        let values = reader.payload(&row, decode)?.unwrap_or_default();
        let text = |name: &str| match place(name).and_then(|at| values.get(at)) {
            Some(OwnedValue::Text(text)) => text.as_slice(),
            _ => b"",
        };
        let task = text(column);
        let is_task = column == "id";
        let contradicts = Some(text("status")).filter(|_| is_task).and_then(|status| {
            Some((String::from_utf8_lossy(status).into_owned(), log.contradicting(task, status)?))
        });
        // What is left of the newest version says more than the absence of an event.
        let part = table.partial.iter().find(|part| part.rowid == row.rowid && part.source == best);
        let differs = match part {
            Some(part) if row.source != best => remains.differ(part, &row, &mut reader, merge)?,
            _ => false,
        };
        let current = if differs {
            false
        } else if row.is(row::EARLIER | row::GRAFTED) {
            // Its moment is not known: its own times have to reach to the newest event.
            let times = ["completed_at", "last_heartbeat_at", "started_at", "ended_at", "created_at"];
            let reaches = times.iter().filter_map(|name| match values.get(place(name)?)? {
                OwnedValue::Integer(time) => Some(*time),
                _ => None,
            });
            log.is_whole_since(0) && log.time_of(task).is_none_or(|time| reaches.max() >= Some(time))
        } else {
            log.is_current(task, ends.of_source(row.source))
        };
        if !current || contradicts.is_some() {
            stale.push((at, StaleRow { rowid: row.rowid, contradicts }));
        }
    }
    for (at, row) in stale {
        merge.note_stale(at, row);
    }
    Ok(())
}

/// What is left in the best source of rows that an older source stands in for.
struct Remains<'r, 'a> {
    image: Option<&'r Image<'a>>,
}

impl Remains<'_, '_> {
    /// True if what is left of a row, `part`, is not what the older version `row` has there: in its cell, or on the overflow
    /// pages that both have at the same numbers.
    fn differ(
        &self,
        part: &Row,
        row: &Row,
        reader: &mut PayloadReader<'_, '_>,
        merge: &Merge,
    ) -> Outcome<bool> {
        let Some(image) = self.image else { return Ok(false) };
        if image.encoding() != Encoding::Utf8 {
            return Ok(false);
        }
        let left = reader.beginning(part, <[u8]>::to_vec)?;
        let older = reader.payload(row, <[u8]>::to_vec)?;
        let local = reader.beginning(row, <[u8]>::len)?;
        if !older.starts_with(&left) || local != left.len() {
            return Ok(true);
        }
        let content = image.usable().saturating_sub(overflow::CONTENT);
        let chain = row.oddity(merge.odds()).map(|odd| odd.chain).unwrap_or_default();
        let pages =
            chain.iter().flat_map(|run| (0..run.pages).map(|index| run.site_of(index, image.page_size())));
        let pieces = older.get(local..).unwrap_or_default().chunks(content.max(1));
        let differs = pages.zip(pieces).filter(|(site, _)| !site.in_log).any(|(site, piece)| {
            let number = u32::try_from(site.offset / image.page_size() as u64 + 1).unwrap_or(u32::MAX);
            let Some(page) = image.page(number) else { return false };
            let is_lost = page.iter().all(|byte| *byte == 0);
            !is_lost && page.get(overflow::CONTENT..overflow::CONTENT + piece.len()) != Some(piece)
        });
        Ok(differs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(ids: &[(i64, &str, &str)], last: i64) -> EventLog {
        let events =
            ids.iter().map(|(id, task, kind)| (*id, task.as_bytes().to_vec(), kind.as_bytes().to_vec(), *id));
        EventLog::of(events, 0, last)
    }

    #[test]
    fn a_row_is_current_where_no_newer_event_names_its_task() {
        let log = log(&[(1, "t_1", "created"), (2, "t_2", "created"), (3, "t_1", "completed")], 3);
        assert!(log.is_current(b"t_2", 2) && !log.is_current(b"t_1", 2) && log.is_current(b"t_1", 3));
    }

    #[test]
    fn a_missing_event_leaves_no_older_row_current() {
        let behind = log(&[(1, "t_1", "created"), (2, "t_2", "created")], 3);
        assert!(!behind.is_current(b"t_2", 2) && behind.is_current(b"t_2", 3));
        let between = log(&[(1, "t_1", "created"), (4, "t_2", "created")], 4);
        assert!(!between.is_current(b"t_1", 2) && between.is_current(b"t_1", 3));
    }

    #[test]
    fn the_newest_event_that_sets_a_status_contradicts_another_one() {
        let log = log(&[(1, "t_1", "created"), (2, "t_1", "completed"), (3, "t_1", "commented")], 3);
        assert_eq!(log.contradicting(b"t_1", b"ready"), Some("completed".to_owned()));
        assert_eq!(log.contradicting(b"t_1", b"done"), None);
        assert_eq!(log.contradicting(b"t_2", b"ready"), None);
    }
}
