//! What the values of Hermes' columns look like: tells rows of one table from those of another
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
    /// A process id, the number of another row, a length in seconds.
    Number,
    /// The start of a process: Hermes writes text such as `BOOT:24|237460` into an INTEGER column.
    Start,
    /// An absolute path.
    Path,
    /// Who has claimed a task: a host and a process.
    Lock,
    /// `local-only`, or a repository.
    Contract,
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
    Effort,
    Delivery,
    Chat,
}

/// How hard a model thinks.
const EFFORTS: [&str; 6] = ["none", "minimal", "low", "medium", "high", "xhigh"];
/// How a subscription is told.
const DELIVERIES: [&str; 3] = ["notify", "wake", "notify+wake"];
/// Where a subscription goes.
const CHATS: [&str; 6] = ["dm", "group", "supergroup", "channel", "thread", "private"];

impl Domain {
    /// Return that of the column `name` of Hermes' table `table`.
    pub(crate) fn of(table: &str, name: &str) -> Self {
        match name {
            // Old boards number their events in text.
            "id" if table != "tasks" => Self::Any,
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
            "reasoning_effort" => Self::Word(Words::Effort),
            "delivery_mode" => Self::Word(Words::Delivery),
            "chat_type" => Self::Word(Words::Chat),
            "worker_pid"
            | "current_run_id"
            | "run_id"
            | "last_event_id"
            | "last_ping_event_id"
            | "max_runtime_seconds" => Self::Number,
            "worker_started_at" => Self::Start,
            "workspace_path" | "stored_path" => Self::Path,
            "claim_lock" => Self::Lock,
            "completion_contract" => Self::Contract,
            "payload" | "metadata" | "delivery_metadata" => Self::Object,
            "skills" => Self::Array,
            _ => Self::Any,
        }
    }

    /// True if `text` is a known word of the column with one flipped bit.
    pub(crate) fn is_flipped_word(self, text: &[u8]) -> bool {
        matches!(self, Self::Word(words) if words.one_flip_from(text).is_some())
    }

    /// What `value` looks like. NULL says nothing: whether it may stand there is the table's business.
    pub(crate) fn judge(self, value: Value<'_>) -> Likelihood {
        let either = |good: bool| if good { Likelihood::Sure } else { Likelihood::Strange };
        match (self, value) {
            (Self::Task, Value::Text(text)) => either(is_task_id(text)),
            (Self::Time, Value::Integer(time)) => either(TIMES.contains(&time)),
            (Self::Count, Value::Integer(count)) if COUNTS.contains(&count) => Likelihood::Plain,
            (Self::Word(words), Value::Text(text)) if words.has(text) => Likelihood::Sure,
            (Self::Word(words), Value::Text(text)) if may_be_newer(words, text) => Likelihood::Plain,
            (Self::Count, Value::Integer(_)) | (Self::Word(_), Value::Text(_)) => Likelihood::Strange,
            // A moment where a small number belongs: the columns are shifted.
            (Self::Number, Value::Integer(number)) if TIMES.contains(&number) => Likelihood::Strange,
            (Self::Start, Value::Text(text)) => either(text.contains(&b'|') || text == b"unverified"),
            (Self::Path, Value::Text(text)) if text.starts_with(b"/") => Likelihood::Sure,
            (Self::Lock, Value::Text(text)) if is_token(text) && text.contains(&b':') => Likelihood::Sure,
            (Self::Contract, Value::Text(text))
                if text == b"local-only" || is_token(text) && text.contains(&b'/') =>
            {
                Likelihood::Sure
            }
            (Self::Object, Value::Text(text)) => either(text.starts_with(b"{") && text.ends_with(b"}")),
            (Self::Array, Value::Text(text)) => either(text.starts_with(b"[") && text.ends_with(b"]")),
            _ => Likelihood::Plain,
        }
    }
}

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Likelihood {
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
            Self::Effort => (&EFFORTS, &[]),
            Self::Delivery => (&DELIVERIES, &[]),
            Self::Chat => (&CHATS, &[]),
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

/// True if `text` is one word of printable ASCII.
fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_graphic)
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
        let kind = |text| Domain::of("task_events", "kind").judge(Value::Text(text));
        assert_eq!(kind(b"claimed"), Likelihood::Sure);
        assert_eq!(kind(b"levitated"), Likelihood::Plain, "a newer word");
        assert_eq!(kind(b"clailed"), Likelihood::Strange, "one bit from a known word");
        assert_eq!(kind(b"Claimed"), Likelihood::Strange);
        assert_eq!(Words::Kind.one_flip_from(b"clained"), None, "two bits");
        assert_eq!(Words::Kind.one_flip_from(b"clailed"), Some("claimed"));
        assert_eq!(Words::Kind.one_flip_from(b"claimed"), None);
    }

    #[test]
    fn values_of_newer_columns() {
        let judge = |column, value| Domain::of("tasks", column).judge(value);
        assert_eq!(judge("worker_pid", Value::Integer(4711)), Likelihood::Plain);
        assert_eq!(judge("worker_pid", Value::Integer(1_780_000_000)), Likelihood::Strange);
        assert_eq!(judge("worker_started_at", Value::Text(b"0123abcd:24|237460")), Likelihood::Sure);
        assert_eq!(judge("worker_started_at", Value::Text(b"scratch")), Likelihood::Strange);
        assert_eq!(judge("worker_started_at", Value::Integer(1_780_000_000)), Likelihood::Plain);
        assert_eq!(judge("completion_contract", Value::Text(b"owner/repo")), Likelihood::Sure);
        assert_eq!(judge("completion_contract", Value::Text(b"a session")), Likelihood::Plain);
        assert_eq!(judge("delivery_mode", Value::Text(b"notify+wake")), Likelihood::Sure);
        assert_eq!(judge("delivery_mode", Value::Text(b"42 Main St")), Likelihood::Strange);
        assert_eq!(judge("reasoning_effort", Value::Text(b"extreme")), Likelihood::Plain, "a newer word");
        assert_eq!(judge("claim_lock", Value::Text(b"host:12")), Likelihood::Sure);
        assert_eq!(judge("workspace_path", Value::Text(b"C:\\x")), Likelihood::Plain);
    }

    #[test]
    fn ids_times_and_json() {
        assert_eq!(Domain::Task.judge(Value::Text(b"t_00ff")), Likelihood::Sure);
        assert_eq!(Domain::Task.judge(Value::Text(b"t_00fg")), Likelihood::Strange);
        assert_eq!(Domain::Time.judge(Value::Integer(1_780_000_000)), Likelihood::Sure);
        assert_eq!(Domain::Time.judge(Value::Integer(3)), Likelihood::Strange);
        assert_eq!(Domain::Object.judge(Value::Text(b"{\"a\": NaN}")), Likelihood::Sure);
        assert_eq!(Domain::Object.judge(Value::Text(b"{\"a\": 1")), Likelihood::Strange);
        assert_eq!(Domain::Object.judge(Value::Null), Likelihood::Plain);
    }
}
