//! What the values of Hermes' columns look like (board-format.md 2 and 5): tells rows of one table from those of another
//! where the schema is gone, and a value that was altered from one that was written.
//!
//! Nothing here refuses a row: other programs write to boards too, and newer versions have newer words.

use crate::ondisk::record::Value;
use crate::store::vocabulary::{BLOCKS, KINDS, RUN_STATUSES, STATUSES, WORKSPACES};

/// Seconds since 1970 that a board can have lived through.
const TIMES: std::ops::Range<i64> = 1_000_000_000..10_000_000_000;
/// What counters and priorities stay below, in either direction.
const COUNTS: std::ops::Range<i64> = -1_000_000..1_000_000;

/// What is written into a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Domain {
    /// Anything.
    Any,
    /// The id of a task.
    Task,
    /// A moment.
    Time,
    /// A small number.
    Count,
    /// One of a few words.
    Word(Words),
    /// A JSON object.
    Object,
    /// A JSON array.
    Array,
}

/// The words of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Words {
    Status,
    Kind,
    Workspace,
    Block,
}

impl Domain {
    /// That of the column `name` of one of Hermes' tables.
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "id" | "task_id" | "parent_id" | "child_id" => Self::Task,
            "created_at" | "started_at" | "completed_at" | "ended_at" | "last_heartbeat_at"
            | "claim_expires" => Self::Time,
            "priority"
            | "consecutive_failures"
            | "max_retries"
            | "goal_mode"
            | "goal_max_turns"
            | "block_recurrences"
            | "spawn_failures" => Self::Count,
            "status" | "outcome" => Self::Word(Words::Status),
            "kind" => Self::Word(Words::Kind),
            "workspace_kind" => Self::Word(Words::Workspace),
            "block_kind" => Self::Word(Words::Block),
            "payload" | "metadata" => Self::Object,
            "skills" => Self::Array,
            _ => Self::Any,
        }
    }

    /// True if `text` is a known word of the column with one flipped bit.
    pub(crate) fn is_flipped_word(self, text: &[u8]) -> bool {
        matches!(self, Self::Word(words) if words.one_flip_from(text).is_some())
    }

    /// What `value` looks like. NULL says nothing: whether it may stand there is the table's business.
    pub(crate) fn judge(self, value: Value<'_>) -> Plausibility {
        let either = |good: bool| if good { Plausibility::Sure } else { Plausibility::Strange };
        match (self, value) {
            (Self::Task, Value::Text(text)) => either(is_task_id(text)),
            (Self::Time, Value::Integer(time)) => either(TIMES.contains(&time)),
            (Self::Count, Value::Integer(count)) if COUNTS.contains(&count) => Plausibility::Plain,
            (Self::Word(words), Value::Text(text)) if words.has(text) => Plausibility::Sure,
            (Self::Word(words), Value::Text(text)) if may_be_newer(words, text) => Plausibility::Plain,
            (Self::Count, Value::Integer(_)) | (Self::Word(_), Value::Text(_)) => Plausibility::Strange,
            (Self::Object, Value::Text(text)) => either(text.starts_with(b"{") && text.ends_with(b"}")),
            (Self::Array, Value::Text(text)) => either(text.starts_with(b"[") && text.ends_with(b"]")),
            _ => Plausibility::Plain,
        }
    }
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plausibility {
    /// Just what is written there.
    Sure,
    /// Nothing speaks for it or against it.
    Plain,
    /// Hardly what was written there.
    Strange,
}

impl Words {
    fn known(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Status => (&STATUSES, &RUN_STATUSES),
            Self::Kind => (&KINDS, &[]),
            Self::Workspace => (&WORKSPACES, &[]),
            Self::Block => (&BLOCKS, &[]),
        }
    }

    fn all(self) -> impl Iterator<Item = &'static str> {
        let (some, more) = self.known();
        some.iter().chain(more).copied()
    }

    fn has(self, text: &[u8]) -> bool {
        self.all().any(|word| word.as_bytes() == text)
    }

    /// The one word that a single flipped bit makes of `text`.
    pub(crate) fn one_flip_from(self, text: &[u8]) -> Option<&'static str> {
        let mut near = self.all().filter(|word| is_one_flip(word.as_bytes(), text));
        let word = near.next()?;
        near.all(|other| other == word).then_some(word)
    }
}

/// Whether `text` can be a word of a version that is not known yet: a word, and not one of the known with a flipped bit.
fn may_be_newer(words: Words, text: &[u8]) -> bool {
    let is_word = text.len() > 1 && text.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_');
    is_word && words.one_flip_from(text).is_none()
}

/// Whether exactly one bit differs.
fn is_one_flip(one: &[u8], other: &[u8]) -> bool {
    let flips = || one.iter().zip(other).map(|(one, other)| (one ^ other).count_ones());
    one.len() == other.len() && flips().sum::<u32>() == 1
}

/// `t_` and lower-case hex, four digits on old boards, eight on newer ones.
fn is_task_id(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"t_").unwrap_or_default();
    digits.len() >= 4 && digits.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_today_and_of_tomorrow() {
        let kind = |text| Domain::of("kind").judge(Value::Text(text));
        assert_eq!(kind(b"claimed"), Plausibility::Sure);
        assert_eq!(kind(b"levitated"), Plausibility::Plain, "a newer word");
        assert_eq!(kind(b"clailed"), Plausibility::Strange, "one bit from a known word");
        assert_eq!(kind(b"Claimed"), Plausibility::Strange);
        assert_eq!(Words::Kind.one_flip_from(b"clained"), None, "two bits");
        assert_eq!(Words::Kind.one_flip_from(b"clailed"), Some("claimed"));
        assert_eq!(Words::Kind.one_flip_from(b"claimed"), None);
    }

    #[test]
    fn ids_times_and_json() {
        assert_eq!(Domain::Task.judge(Value::Text(b"t_00ff")), Plausibility::Sure);
        assert_eq!(Domain::Task.judge(Value::Text(b"t_00fg")), Plausibility::Strange);
        assert_eq!(Domain::Time.judge(Value::Integer(1_780_000_000)), Plausibility::Sure);
        assert_eq!(Domain::Time.judge(Value::Integer(3)), Plausibility::Strange);
        assert_eq!(Domain::Object.judge(Value::Text(b"{\"a\": NaN}")), Plausibility::Sure);
        assert_eq!(Domain::Object.judge(Value::Text(b"{\"a\": 1")), Plausibility::Strange);
        assert_eq!(Domain::Object.judge(Value::Null), Plausibility::Plain);
    }
}
