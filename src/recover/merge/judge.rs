//! The one judge of rows that are whole in the best source: corrects what Hermes never changes, marks what one bit changes.
//!
//! The newest version of a row stands. Two versions of a column that is never written again cannot both be right, so there
//! the sources vote. In every other column a difference is an edit; where one bit differs and no event tells of an edit, the
//! row is marked and the other version is kept apart.
//!
//! Works on values. Not here: which rows differ ([`super::table`]), what the events tell ([`super::events`]).

use super::branch::OwnedValue;

/// The tables whose rows are never written again.
const APPEND_ONLY: [&str; 4] = ["task_events", "task_comments", "task_attachments", "task_links"];
/// The columns of a task that are never written again.
const FIXED_OF_TASKS: [&str; 3] = ["id", "created_at", "created_by"];
/// One flipped bit is believed in so many bytes of text, one more in each further piece of that length.
const BYTES_PER_FLIP: usize = 128;

/// Another version of a row, and how many sources have it.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) values: Vec<OwnedValue>,
    pub(super) sources: usize,
}

/// What becomes of the newest version.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ruling {
    /// It stands.
    Stands,
    /// It stands, and is marked: the version with this number differs in what cannot differ, or in one bit.
    Marked(usize),
    /// These values come in its place.
    Corrected(Vec<OwnedValue>),
}

/// True if Hermes never changes `column` of `table` once the row is written.
pub(super) fn is_fixed(table: &str, column: &str) -> bool {
    APPEND_ONLY.contains(&table) || (table == "tasks" && FIXED_OF_TASKS.contains(&column))
}

/// Judge `ours`, which `agreeing` sources have, against the versions of other sources. All values are in the order of `columns`.
/// `is_edited` tells whether an event may name the row that is newer than the other versions.
pub(super) fn judge(
    table: &str,
    columns: &[&str],
    (ours, agreeing): (&[OwnedValue], usize),
    others: &[Voice],
    is_edited: bool,
) -> Ruling {
    let mut result = ours.to_vec();
    let mut marked = None;
    for (at, _) in columns.iter().enumerate().filter(|(_, column)| is_fixed(table, column)) {
        let Some(own) = ours.get(at) else { continue };
        let against = |voice: &&Voice| voice.values.get(at).is_some_and(|value| flips(own, value).is_some());
        let Some(best) =
            others.iter().filter(against).max_by_key(|voice| votes(others, at, voice.values.get(at)))
        else {
            continue;
        };
        let value = best.values.get(at);
        if votes(others, at, value) > agreeing + votes(others, at, Some(own)) {
            if let (Some(place), Some(value)) = (result.get_mut(at), value) {
                *place = value.clone();
            }
        } else {
            marked = marked.or_else(|| others.iter().position(|voice| voice.values.get(at) == value));
        }
    }
    if result != ours {
        return Ruling::Corrected(result);
    }
    let one_bit = |voice: &Voice| {
        let pairs = || ours.iter().zip(&voice.values).enumerate().filter(|(_, (one, other))| one != other);
        ours.len() == voice.values.len()
            && pairs().count() == 1
            && pairs().all(|(at, (one, other))| {
                let fixed = columns.get(at).is_some_and(|column| is_fixed(table, column));
                !fixed && flips(one, other) == Some(1)
            })
    };
    if marked.is_none() && !is_edited {
        marked = others.iter().position(one_bit);
    }
    marked.map_or(Ruling::Stands, Ruling::Marked)
}

/// How many sources have `value` in the column `at`.
fn votes(others: &[Voice], at: usize, value: Option<&OwnedValue>) -> usize {
    others.iter().filter(|voice| voice.values.get(at) == value).map(|voice| voice.sources).sum()
}

/// How many bits lie between two values, if damage may have made the one of the other: both of one kind and length, and few
/// bits apart.
fn flips(one: &OwnedValue, other: &OwnedValue) -> Option<u32> {
    let (one, other) = match (one, other) {
        (OwnedValue::Integer(one), OwnedValue::Integer(other)) => {
            let bits = (one ^ other).count_ones();
            return (bits == 1).then_some(bits);
        }
        (OwnedValue::Text(one), OwnedValue::Text(other))
        | (OwnedValue::Blob(one), OwnedValue::Blob(other)) => (one, other),
        _ => return None,
    };
    let bits: u32 = one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones()).sum();
    let most = 1 + one.len() / BYTES_PER_FLIP;
    (one.len() == other.len() && bits > 0 && bits as usize <= most).then_some(bits)
}

/// `newer`, whose values at `strange` cannot have been written, with those columns as `older` has them; none where they differ in
/// more than flipped bits.
pub(super) fn mended(
    newer: &[OwnedValue],
    older: &[OwnedValue],
    strange: &[usize],
) -> Option<Vec<OwnedValue>> {
    let mut result = newer.to_vec();
    for &at in strange {
        let value = older.get(at)?;
        flips(newer.get(at)?, value)?;
        *result.get_mut(at)? = value.clone();
    }
    (!strange.is_empty()).then_some(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: [&str; 4] = ["task_id", "kind", "payload", "created_at"];
    const TASK: [&str; 4] = ["id", "title", "status", "created_at"];

    fn text(text: &str) -> OwnedValue {
        OwnedValue::Text(text.as_bytes().to_vec())
    }

    fn row(texts: [&str; 3], time: i64) -> Vec<OwnedValue> {
        texts.iter().map(|one| text(one)).chain([OwnedValue::Integer(time)]).collect()
    }

    fn voice(values: &[OwnedValue], sources: usize) -> Voice {
        Voice { values: values.to_vec(), sources }
    }

    #[test]
    fn edits_stand_however_many_copies_agree() {
        let older = row(["t_1", "v2", "todo"], 8);
        for newer in
            [row(["t_1", "v3", "todo"], 8), row(["t_1", "v2", "done"], 8), row(["t_1", "other", "todo"], 8)]
        {
            assert_eq!(judge("tasks", &TASK, (&newer, 1), &[voice(&older, 9)], true), Ruling::Stands);
        }
    }

    #[test]
    fn one_bit_without_an_event_is_marked() {
        let (older, newer) = (row(["t_1", "v2", "todo"], 8), row(["t_1", "v3", "todo"], 8));
        assert_eq!(judge("tasks", &TASK, (&newer, 1), &[voice(&older, 9)], false), Ruling::Marked(0));
        let newer = row(["t_1", "v5", "todo"], 8);
        assert_eq!(judge("tasks", &TASK, (&newer, 1), &[voice(&older, 9)], false), Ruling::Stands);
    }

    #[test]
    fn what_never_changes_is_voted_on() {
        let (right, wrong) = (row(["t_1", "completed", "{}"], 8), row(["t_1", "complered", "{}"], 8));
        let flipped = row(["t_1", "completee", "{}"], 8);
        assert_eq!(
            judge("task_events", &EVENT, (&flipped, 1), &[voice(&right, 2)], true),
            Ruling::Corrected(right.clone())
        );
        assert_eq!(judge("task_events", &EVENT, (&flipped, 1), &[voice(&right, 1)], true), Ruling::Marked(0));
        assert_eq!(judge("task_events", &EVENT, (&flipped, 3), &[voice(&right, 2)], true), Ruling::Marked(0));
        // Another row, not another version of this one.
        assert_eq!(judge("task_events", &EVENT, (&wrong, 1), &[voice(&right, 5)], true), Ruling::Stands);
        let moved = row(["t_1", "completed", "{}"], 9);
        assert_eq!(
            judge("task_events", &EVENT, (&moved, 1), &[voice(&right, 2)], true),
            Ruling::Corrected(right)
        );
    }

    #[test]
    fn a_task_keeps_its_edits_when_its_id_is_corrected() {
        let (older, newer) = (row(["t_1a", "v2", "todo"], 8), row(["t_1c", "v9", "done"], 8));
        let corrected = judge("tasks", &TASK, (&newer, 1), &[voice(&older, 1), voice(&older, 1)], true);
        // a and c differ in one bit.
        assert_eq!(corrected, Ruling::Corrected(row(["t_1a", "v9", "done"], 8)));
    }

    #[test]
    fn a_value_that_cannot_be_is_mended_by_an_older_one() {
        let newer =
            vec![text("t_1"), OwnedValue::Text(b"t\xe5st".to_vec()), text("done"), OwnedValue::Integer(8)];
        let older = row(["t_1", "test", "todo"], 8);
        assert_eq!(mended(&newer, &older, &[1]), Some(row(["t_1", "test", "done"], 8)));
        assert_eq!(mended(&newer, &row(["t_1", "other", "todo"], 8), &[1]), None);
    }
}
