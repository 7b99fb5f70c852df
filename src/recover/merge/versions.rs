//! Reads the versions of rows on which sources differ, and applies what the judge says of them.
//!
//! Not here: the judgement itself ([`super::judge`]), which works on values.

use super::branch::OwnedValue;
use super::branch::values::{decode, encode};
use super::events::{self, Ends};
use super::judge::{self, Ruling, Voice};
use super::rank::ReadFacts;
use super::{EVENTS, Merge, MergedTable, branch};
use crate::failure::Outcome;
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;
use crate::salvage::rows::row;
use crate::salvage::rows::row::Row;
use crate::salvage::schema::TableSchema;
use crate::salvage::source::cache::{PayloadReader, SourceCache};
use crate::work::progress::{Stage, Watch};

/// Rows between two steps of the progress.
const ROWS_PER_STEP: usize = 1024;

/// What is to be done with a row.
enum Change {
    /// Another record takes its place.
    Rewrite(Row, Option<Vec<u8>>),
    /// It is marked; the other version is kept apart.
    Mark(Row, Row),
}

/// Decide about the rows of `merge` on which sources differ.
///
/// # Errors
/// When a row can no longer be read, and whatever `watch` stops with.
pub(crate) fn decide(
    merge: &mut Merge,
    ranked: &[ReadFacts],
    shelf: &SourceCache<'_>,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    rename_kinds(merge, ranked, shelf)?;
    let disputes = merge.take_disputes();
    let yielded = merge.take_yielded();
    if disputes.is_empty() && yielded.is_empty() {
        return Ok(());
    }
    let total = (disputes.len() + yielded.len()) as u64;
    let ends = Ends::of(ranked, merge);
    let sources =
        disputes.iter().flat_map(|(.., dispute)| dispute.versions.iter().map(|(row, _)| row.source));
    let log = events::read(merge, sources, &ends, shelf)?;
    let mut changes = Vec::new();
    let mut reader = PayloadReader::new(shelf, merge.odds());
    for (done, (at, chosen, dispute)) in disputes.iter().enumerate() {
        if done % ROWS_PER_STEP == 0 {
            watch.step(Stage::Merge, done as u64, total)?;
        }
        let Some(table) = merge.table(*at) else { continue };
        let names: Vec<&str> =
            table.shape_of(chosen.source).columns.iter().map(|column| column.name.as_str()).collect();
        let ours = stored(table, chosen, chosen.source, &mut reader)?;
        let mut voices = Vec::new();
        for (row, votes) in &dispute.versions {
            voices.push(Voice { values: stored(table, row, chosen.source, &mut reader)?, votes: *votes });
        }
        let name = table.table.name.as_str();
        let task = names.iter().position(|column| *column == if name == "tasks" { "id" } else { "task_id" });
        let task = match task.and_then(|at| ours.get(at)) {
            Some(OwnedValue::Text(task)) => task.as_slice(),
            _ => b"",
        };
        let is_edited =
            dispute.versions.iter().any(|(row, _)| !log.is_current(task, ends.of_source(row.source)));
        match judge::judge(name, &names, (&ours, dispute.agreeing), &voices, is_edited) {
            Ruling::Stands => {}
            Ruling::Marked(other) => {
                changes.extend(
                    dispute.versions.get(other).map(|(other, _)| (*at, Change::Mark(*chosen, *other))),
                );
            }
            Ruling::Corrected(values) => {
                changes.push((*at, Change::Rewrite(*chosen, Some(encode(&values)))));
            }
        }
    }
    for (done, (at, chosen, newer)) in yielded.iter().enumerate() {
        if done % ROWS_PER_STEP == 0 {
            watch.step(Stage::Merge, (disputes.len() + done) as u64, total)?;
        }
        let Some(table) = merge.table(*at) else { continue };
        let shape = table.shape_of(newer.source);
        let ours = stored(table, newer, newer.source, &mut reader)?;
        let older = stored(table, chosen, newer.source, &mut reader)?;
        changes.extend(returned(*newer, &ours, &older, shape).map(|change| (*at, change)));
    }
    for (at, change) in changes {
        match change {
            Change::Rewrite(row, payload) => merge.replace(at, row, payload),
            Change::Mark(row, other) => merge.mark(at, &row, other),
        }
    }
    Ok(())
}

/// Give the events of older sources the names that Hermes has given those of the main line since.
fn rename_kinds(merge: &mut Merge, ranked: &[ReadFacts], shelf: &SourceCache<'_>) -> Outcome<()> {
    let (Some(best), Some(at)) = (ranked.first(), merge.position(EVENTS)) else { return Ok(()) };
    let Some(table) = merge.table(at) else { return Ok(()) };
    let mut reader = PayloadReader::new(shelf, merge.odds());
    let kind_of =
        |row: &Row| table.shape_of(row.source).columns.iter().position(|column| column.name == "kind");
    let mut renamed = Vec::new();
    for row in table.rows.iter().filter(|row| row.source != best.source && !row.is(row::FORK)) {
        let Some(column) = kind_of(&row) else { continue };
        let is_old = |payload: &[u8]| match Record::read(payload).ok()?.values().nth(column)? {
            Value::Text(kind) => branch::renamed_kind(kind),
            _ => None,
        };
        if let Some(kind) = reader.payload(&row, is_old)? {
            let mut values = reader.payload(&row, decode)?.unwrap_or_default();
            if let Some(value) = values.get_mut(column) {
                *value = OwnedValue::Text(kind.to_vec());
            }
            renamed.push((row, encode(&values)));
        }
    }
    // A main line that still has the old names was not migrated.
    for row in table.rows.iter().filter(|row| row.source == best.source).filter(|_| !renamed.is_empty()) {
        let Some(column) = kind_of(&row) else { continue };
        let is_old = |payload: &[u8]| match Record::read(payload)
            .ok()
            .and_then(|record| record.values().nth(column))
        {
            Some(Value::Text(kind)) => branch::renamed_kind(kind).is_some(),
            _ => false,
        };
        if reader.payload(&row, is_old)? {
            return Ok(());
        }
    }
    for (row, payload) in renamed {
        merge.replace(at, row, Some(payload));
    }
    Ok(())
}

/// What becomes of `newer`, which gave way to an older version because it looked altered: it comes back where it may have been
/// written so, or where the older version tells what flipped bits made of it.
fn returned(
    mut newer: Row,
    ours: &[OwnedValue],
    older: &[OwnedValue],
    shape: &TableSchema,
) -> Option<Change> {
    let strange = strange(shape, ours);
    if strange.is_empty() {
        // Its place is strange, not its values.
        return None;
    }
    if let Some(values) = judge::mended(ours, older, &strange) {
        let mut row = newer;
        row.flags &= !row::SUSPECT;
        return Some(Change::Rewrite(row, Some(encode(&values))));
    }
    let is_possible = |at: &usize| match ours.get(*at) {
        Some(OwnedValue::Text(text)) => std::str::from_utf8(text)
            .is_ok_and(|text| !text.chars().any(|char| char.is_control() && !char.is_whitespace())),
        Some(OwnedValue::Integer(_)) => true,
        _ => false,
    };
    if strange.iter().all(is_possible) && !shape_is_flipped(shape, ours, &strange) {
        newer.mark(row::SUSPECT, true);
        return Some(Change::Rewrite(newer, None));
    }
    None
}

/// The columns whose value is allowed but hardly what was written there.
fn strange(shape: &TableSchema, values: &[OwnedValue]) -> Vec<usize> {
    let is_strange = |at: &usize| {
        let plain =
            |value: &OwnedValue, here: usize| if here == *at { value.clone() } else { OwnedValue::Null };
        let alone: Vec<OwnedValue> =
            values.iter().enumerate().map(|(here, value)| plain(value, here)).collect();
        let payload = encode(&alone);
        Record::read(&payload).is_ok_and(|record| shape.is_strange_at(&record, *at, Encoding::Utf8))
    };
    (0..values.len()).filter(is_strange).collect()
}

/// True if one of the columns `strange` holds a known word with a flipped bit.
fn shape_is_flipped(shape: &TableSchema, values: &[OwnedValue], strange: &[usize]) -> bool {
    strange.iter().any(|&at| match (shape.columns.get(at), values.get(at)) {
        (Some(column), Some(OwnedValue::Text(text))) => column.sense.is_flipped_word(text),
        _ => false,
    })
}

/// The values of `row` in the columns that rows of the source `like` are written with.
fn stored(
    table: &MergedTable,
    row: &Row,
    like: u32,
    reader: &mut PayloadReader<'_, '_>,
) -> Outcome<Vec<OwnedValue>> {
    let values = reader.payload(row, decode)?.unwrap_or_default();
    let (own, other) = (table.shape_of(row.source), table.shape_of(like));
    if own.sql == other.sql {
        return Ok(values);
    }
    let value = |name: &str| {
        let at = own.columns.iter().position(|column| column.name == name);
        at.and_then(|at| values.get(at)).cloned().unwrap_or(OwnedValue::Null)
    };
    Ok(other.columns.iter().map(|column| value(&column.name)).collect())
}
