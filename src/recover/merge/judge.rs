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

/// The sources that have a version of a row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionVotes {
    /// How many of them are sound from end to end.
    pub(super) sound: usize,
    pub(super) all: usize,
}

impl VersionVotes {
    /// That of one source.
    pub(super) fn one(is_sound: bool) -> Self {
        Self { sound: usize::from(is_sound), all: 1 }
    }

    /// Add those of `other`.
    pub(super) fn add(&mut self, other: Self) {
        self.sound += other.sound;
        self.all += other.all;
    }

    /// True if these are better than `others`: a bit flips in a file that is damaged elsewhere rather than in a sound one.
    fn beat(self, others: Self) -> bool {
        (self.sound > 0, self.all) > (others.sound > 0, others.all)
    }
}

/// Another version of a row, and which sources have it.
#[derive(Debug, Clone)]
pub(super) struct Voice {
    pub(super) values: Vec<OwnedValue>,
    pub(super) votes: VersionVotes,
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
    (ours, agreeing): (&[OwnedValue], VersionVotes),
    others: &[Voice],
    is_edited: bool,
) -> Ruling {
    let mut result = ours.to_vec();
    let mut marked = None;
    for (at, _) in columns.iter().enumerate().filter(|(_, column)| is_fixed(table, column)) {
        let Some(own) = ours.get(at) else { continue };
        let against = |voice: &&Voice| voice.values.get(at).is_some_and(|value| flips(own, value).is_some());
        let Some(best) = others.iter().filter(against).max_by_key(|voice| {
            let votes = votes(others, at, voice.values.get(at));
            (votes.sound > 0, votes.all)
        }) else {
            continue;
        };
        let value = best.values.get(at);
        let mut for_ours = votes(others, at, Some(own));
        for_ours.add(agreeing);
        let is_beaten = votes(others, at, value).beat(for_ours);
        let better = value.filter(|_| is_beaten).cloned();
        if let Some(better) = better.or_else(|| by_bytes(own, for_ours, others, at)) {
            if let Some(place) = result.get_mut(at) {
                *place = better;
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

/// The sources that have `value` in the column `at`.
fn votes(others: &[Voice], at: usize, value: Option<&OwnedValue>) -> VersionVotes {
    let mut votes = VersionVotes::default();
    others.iter().filter(|voice| voice.values.get(at) == value).for_each(|voice| votes.add(voice.votes));
    votes
}

/// `own`, which the sources `agreeing` have in the column `at`, with each byte as most sources have it; none where that is what it
/// is, or where the sources have no majority for a byte. In a long text every source may have another flipped bit.
fn by_bytes(own: &OwnedValue, agreeing: VersionVotes, others: &[Voice], at: usize) -> Option<OwnedValue> {
    let bytes = |value: &OwnedValue| match value {
        OwnedValue::Text(bytes) | OwnedValue::Blob(bytes) => Some(bytes.clone()),
        _ => None,
    };
    let mut texts = vec![(bytes(own)?, agreeing.all)];
    for voice in others {
        let value = voice.values.get(at)?;
        if flips(own, value).is_some() {
            texts.push((bytes(value)?, voice.votes.all));
        }
    }
    let all: usize = texts.iter().map(|(_, votes)| votes).sum();
    let mut result = texts.first()?.0.clone();
    for (place, byte) in result.iter_mut().enumerate() {
        let votes_of = |byte: u8| -> usize {
            texts.iter().filter(|(text, _)| text.get(place) == Some(&byte)).map(|(_, votes)| votes).sum()
        };
        let is_clear = |byte: &u8| 2 * votes_of(*byte) > all;
        *byte = texts.iter().filter_map(|(text, _)| text.get(place).copied()).find(is_clear)?;
    }
    let result =
        if matches!(own, OwnedValue::Text(_)) { OwnedValue::Text(result) } else { OwnedValue::Blob(result) };
    (result != *own).then_some(result)
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

    fn damaged(all: usize) -> VersionVotes {
        VersionVotes { sound: 0, all }
    }

    fn voice(values: &[OwnedValue], sources: usize) -> Voice {
        Voice { values: values.to_vec(), votes: damaged(sources) }
    }

    #[test]
    fn edits_stand_however_many_copies_agree() {
        let older = row(["t_1", "v2", "todo"], 8);
        for newer in
            [row(["t_1", "v3", "todo"], 8), row(["t_1", "v2", "done"], 8), row(["t_1", "other", "todo"], 8)]
        {
            assert_eq!(
                judge("tasks", &TASK, (&newer, damaged(1)), &[voice(&older, 9)], true),
                Ruling::Stands
            );
        }
    }

    #[test]
    fn one_bit_without_an_event_is_marked() {
        let (older, newer) = (row(["t_1", "v2", "todo"], 8), row(["t_1", "v3", "todo"], 8));
        assert_eq!(
            judge("tasks", &TASK, (&newer, damaged(1)), &[voice(&older, 9)], false),
            Ruling::Marked(0)
        );
        let newer = row(["t_1", "v5", "todo"], 8);
        assert_eq!(judge("tasks", &TASK, (&newer, damaged(1)), &[voice(&older, 9)], false), Ruling::Stands);
    }

    #[test]
    fn what_never_changes_is_voted_on() {
        let (right, wrong) = (row(["t_1", "completed", "{}"], 8), row(["t_1", "complered", "{}"], 8));
        let flipped = row(["t_1", "completee", "{}"], 8);
        assert_eq!(
            judge("task_events", &EVENT, (&flipped, damaged(1)), &[voice(&right, 2)], true),
            Ruling::Corrected(right.clone())
        );
        assert_eq!(
            judge("task_events", &EVENT, (&flipped, damaged(1)), &[voice(&right, 1)], true),
            Ruling::Marked(0)
        );
        assert_eq!(
            judge("task_events", &EVENT, (&flipped, damaged(3)), &[voice(&right, 2)], true),
            Ruling::Marked(0)
        );
        // Another row, not another version of this one.
        assert_eq!(
            judge("task_events", &EVENT, (&wrong, damaged(1)), &[voice(&right, 5)], true),
            Ruling::Stands
        );
        let moved = row(["t_1", "completed", "{}"], 9);
        assert_eq!(
            judge("task_events", &EVENT, (&moved, damaged(1)), &[voice(&right, 2)], true),
            Ruling::Corrected(right)
        );
    }

    #[test]
    fn one_sound_source_is_believed_above_damaged_ones_in_what_never_changes() {
        let (right, flipped) = (row(["t_1", "completed", "{}"], 8), row(["t_1", "completee", "{}"], 8));
        let sound = Voice { values: right.clone(), votes: VersionVotes::one(true) };
        let others = [sound];
        let ruling = judge("task_events", &EVENT, (&flipped, damaged(2)), &others, true);
        assert_eq!(ruling, Ruling::Corrected(right.clone()));
        let agreeing = VersionVotes { sound: 1, all: 1 };
        assert_eq!(judge("task_events", &EVENT, (&flipped, agreeing), &others, true), Ruling::Marked(0));
        let older = Voice { values: row(["t_1", "v2", "todo"], 8), votes: VersionVotes::one(true) };
        let newer = row(["t_1", "v3", "todo"], 8);
        assert_eq!(judge("tasks", &TASK, (&newer, damaged(1)), &[older], true), Ruling::Stands);
    }

    #[test]
    fn text_that_is_flipped_in_every_source_is_what_most_say_of_each_byte() {
        let right = row(["t_1", "created", &"queue retry ".repeat(60)], 8);
        let flipped = |at: usize| {
            let mut values = right.clone();
            if let Some(OwnedValue::Text(text)) = values.get_mut(2) {
                text[at] ^= 1;
            }
            values
        };
        let others = [voice(&flipped(500), 1), voice(&flipped(700), 1)];
        let ruling = judge("task_events", &EVENT, (&flipped(9), damaged(1)), &others, true);
        assert_eq!(ruling, Ruling::Corrected(right.clone()));
        // Two of two sources are no majority.
        let ruling = judge("task_events", &EVENT, (&flipped(9), damaged(1)), &others[..1], true);
        assert_eq!(ruling, Ruling::Marked(0));
    }

    #[test]
    fn a_task_keeps_its_edits_when_its_id_is_corrected() {
        let (older, newer) = (row(["t_1a", "v2", "todo"], 8), row(["t_1c", "v9", "done"], 8));
        let corrected =
            judge("tasks", &TASK, (&newer, damaged(1)), &[voice(&older, 1), voice(&older, 1)], true);
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
