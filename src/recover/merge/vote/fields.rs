//! Two records of one row, field by field: where they differ as flipped bits do, whatever else has changed between them.

use crate::ondisk::record::Record;
use crate::salvage::schema::APPEND_ONLY_TABLES;
use crate::salvage::schema::TableSchema;

/// What it never changes in tables whose rows change (board-format.md 2 and 4).
const FIXED_COLUMNS: [(&str, &str); 5] = [
    ("tasks", "id"),
    ("tasks", "created_at"),
    ("task_runs", "task_id"),
    ("task_runs", "started_at"),
    ("task_attachments", "created_at"),
];
/// A text of so many bytes may have flipped bits in one more of them.
const SPARSE: usize = 128;

/// `ours` with those fields as `theirs` has them where the two differ by flipped bits; `None` where they do so nowhere. Both
/// are rows of `table`.
pub(crate) fn turned(table: &TableSchema, ours: &[u8], theirs: &[u8]) -> Option<Vec<u8>> {
    let (one, other) = (Record::read(ours).ok()?, Record::read(theirs).ok()?);
    let pairs = || one.fields().zip(other.fields());
    let alone = one.columns() == other.columns() && pairs().filter(|(one, other)| one != other).count() == 1;
    let mut mended = ours.to_vec();
    let mut at = ours.len() - one.fields().map(|(_, content)| content.len()).sum::<usize>();
    for (column, ((serial, content), (their_serial, their_content))) in pairs().enumerate() {
        let field = at..at + content.len();
        at = field.end;
        let fixed = is_fixed(table, column);
        let flipped = if is_text(serial) {
            is_flipped_text(content, their_content, alone || fixed)
        } else {
            fixed && is_flipped_number(content, their_content)
        };
        if let Some(field) = mended.get_mut(field).filter(|_| flipped && serial == their_serial) {
            field.copy_from_slice(their_content);
        }
    }
    (mended != ours).then_some(mended)
}

/// Whether a bit of byte `at` of the record that is `payload`, a row of `table`, changes by damage alone: it is in a text, or
/// in a number that stays as it is.
pub(crate) fn is_settled(table: &TableSchema, payload: &[u8], at: usize) -> bool {
    let Ok(record) = Record::read(payload) else { return false };
    let values: usize = record.fields().map(|(_, content)| content.len()).sum();
    let mut start = payload.len() - values;
    for (column, (serial, content)) in record.fields().enumerate() {
        if (start..start + content.len()).contains(&at) {
            return is_text(serial) || is_fixed(table, column);
        }
        start += content.len();
    }
    APPEND_ONLY_TABLES.contains(&table.name.as_str())
}

fn is_text(serial: u64) -> bool {
    serial >= 13 && serial % 2 == 1
}

/// Whether no value in this column ever changes.
fn is_fixed(table: &TableSchema, column: usize) -> bool {
    let name = table.columns.get(column).map(|column| column.name.as_str());
    APPEND_ONLY_TABLES.contains(&table.name.as_str())
        || FIXED_COLUMNS.iter().any(|(of, fixed)| table.name == *of && name == Some(*fixed))
}

/// One bit in few bytes. From digit to digit is a bit in many an edit, so that counts only in
/// what is `settled`: the rows differ nowhere else, or the column never changes.
fn is_flipped_text(one: &[u8], other: &[u8], settled: bool) -> bool {
    let mut flips = 0;
    for (one, other) in one.iter().zip(other).filter(|(one, other)| one != other) {
        let counted = one.is_ascii_digit() && other.is_ascii_digit() && !settled;
        if counted || !(one ^ other).is_power_of_two() {
            return false;
        }
        flips += 1;
    }
    flips > 0 && flips <= 1 + one.len() / SPARSE
}

fn is_flipped_number(one: &[u8], other: &[u8]) -> bool {
    one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum::<u32>() == 1
}
