//! Whether Hermes' dispatcher would start a task at its next tick, and what keeps it from that.
//!
//! Not here: limits that only a running gateway knows (tasks in progress at once, its own configuration).

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;

use super::field::Field;
use super::task::{self, Task};
use super::text;
use crate::failure::Outcome;
use crate::failure::hint::quoted;
use crate::process::clock;

/// Failures after which a task stays blocked, where it sets no `max_retries`.
const FAILURE_LIMIT: i64 = 2;
/// Seconds for which a completed run keeps its task from being started again.
const SUCCESS_WINDOW: i64 = 3_600;
/// Seconds for which a pull request named in a comment does.
const PULL_REQUEST_WINDOW: i64 = 86_400;

/// Columns of a task that the answer depends on.
pub const COLUMNS: [&str; 12] = [
    "id",
    "title",
    "status",
    "assignee",
    "priority",
    "created_at",
    "claim_lock",
    "claim_expires",
    "consecutive_failures",
    "max_retries",
    "last_failure_error",
    "block_kind",
];

/// What stands outside the board.
pub struct PickupContext<'a> {
    /// Unix seconds.
    pub now: i64,
    /// Seconds for which a quota wall keeps a task back.
    pub rate_limit_cooldown: i64,
    /// True if a profile of this name exists.
    pub has_profile: &'a dyn Fn(&str) -> bool,
    /// False where only the kinds of reasons are shown: their messages are empty then.
    pub with_words: bool,
}

/// One reason why a task is not picked up.
#[derive(Clone, Debug, Serialize)]
pub struct PickupReason {
    /// A stable word.
    pub kind: &'static str,
    /// One clause for a person.
    pub message: String,
    /// The command that changes it, where there is one.
    pub next: Option<String>,
}

/// The message of a reason, and the command that changes it.
type ReasonWords = (String, Option<String>);

/// A task and what keeps it from being picked up; nothing does where there are no reasons.
#[derive(Clone)]
pub struct Pickup {
    /// The task, with [`COLUMNS`].
    pub task: Task,
    /// Why not.
    pub reasons: Vec<PickupReason>,
}

/// The ready tasks in the dispatcher's order; with `all`, every task that is not done or archived.
pub fn board(conn: &Connection, around: &PickupContext<'_>, all: bool) -> Outcome<Vec<Pickup>> {
    let which = if all {
        "WHERE status NOT IN ('done', 'archived') ORDER BY (status != 'ready'), priority DESC, created_at ASC"
    } else {
        "WHERE status = 'ready' ORDER BY priority DESC, created_at ASC"
    };
    let newer = is_newest(conn)?;
    let related = Related::of(conn)?;
    task::select(conn, &COLUMNS, which, &[])?
        .into_iter()
        .map(|task| Ok(Pickup { reasons: reasons(conn, &task, around, newer, &related)?, task }))
        .collect()
}

/// The tasks that have rows in other tables: most have none, and are not looked up there one by one.
struct Related {
    waiting: HashSet<String>,
    ran: HashSet<String>,
    commented: HashSet<String>,
}

impl Related {
    fn of(conn: &Connection) -> Outcome<Self> {
        Ok(Self {
            waiting: ids(conn, "SELECT DISTINCT child_id FROM task_links")?,
            ran: ids(conn, "SELECT DISTINCT task_id FROM task_runs")?,
            commented: ids(conn, "SELECT DISTINCT task_id FROM task_comments")?,
        })
    }

    fn only(id: &str) -> Self {
        let one = HashSet::from([id.to_owned()]);
        Self { waiting: one.clone(), ran: one.clone(), commented: one }
    }
}

fn ids(conn: &Connection, sql: &str) -> Outcome<HashSet<String>> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get::<_, Field>(0).map(|id| id.show()))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One task by its id in full.
pub fn of_task(conn: &Connection, around: &PickupContext<'_>, id: &str) -> Outcome<Option<Pickup>> {
    let newer = is_newest(conn)?;
    let Some(task) = task::select(conn, &COLUMNS, "WHERE id = ?1", &[&id])?.pop() else { return Ok(None) };
    Ok(Some(Pickup { reasons: reasons(conn, &task, around, newer, &Related::only(id))?, task }))
}

/// True for a board of Hermes 0.22, whose guard looks at less.
fn is_newest(conn: &Connection) -> Outcome<bool> {
    Ok(super::schema::version(conn)?.respawns_sooner())
}

fn reasons(
    conn: &Connection,
    task: &Task,
    around: &PickupContext<'_>,
    newest: bool,
    related: &Related,
) -> Outcome<Vec<PickupReason>> {
    let id = task.id();
    let mut found = Vec::new();
    let with_words = around.with_words;
    let mut add = |kind: &'static str, words: &dyn Fn() -> ReasonWords| {
        let (message, next) = if with_words { words() } else { ReasonWords::default() };
        found.push(PickupReason { kind, message, next });
    };
    let status = task.field("status").show();
    let named = || quoted(&id);
    match status.as_str() {
        "ready" | "todo" => {}
        "done" | "archived" => {
            add("status", &|| (format!("it is {status}"), None));
            return Ok(found);
        }
        "blocked" => blocked(conn, task, &named, &mut add)?,
        "scheduled" => {
            add("status", &|| ("it is scheduled until it is unblocked".to_owned(), Some(unblock(&named()))));
        }
        "triage" => {
            add("status", &|| {
                let next = Some(format!("hermes kanban specify {}", named()));
                ("it is in triage and has to be specified".to_owned(), next)
            });
        }
        "running" => add("status", &|| ("it is running".to_owned(), None)),
        "review" => add("status", &|| ("it waits for its review".to_owned(), None)),
        other => add("status", &|| (format!("its status {other:?} is none that Hermes starts"), None)),
    }
    let open = if related.waiting.contains(&id) { open_parents(conn, &id)? } else { Vec::new() };
    if !open.is_empty() && matches!(status.as_str(), "ready" | "todo" | "blocked") {
        add("parents", &|| {
            let next = format!("kanbanctl tree {} --parents", named());
            (format!("it waits for {}", open.join(", ")), Some(next))
        });
    } else if status == "todo" {
        add("promotion", &|| ("it becomes ready when the dispatcher next looks".to_owned(), None));
    }
    if status == "ready" && !task.field("claim_lock").is_null() {
        add("claim", &|| {
            let until = task.field("claim_expires").integer().and_then(clock::rfc3339);
            let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
            let message = format!("{} has claimed it{until}", task.field("claim_lock").show());
            (message, Some(format!("kanbanctl reclaim {}", named())))
        });
    }
    if matches!(status.as_str(), "ready" | "todo" | "blocked") {
        let assignee = task.field("assignee").show();
        if text::strip(&assignee).is_empty() {
            add("assignee", &|| {
                ("it has no assignee".to_owned(), Some(format!("kanbanctl assign {} PROFILE", named())))
            });
        } else if !(around.has_profile)(&assignee) {
            add("profile", &|| {
                let next = format!("hermes profile create {}", quoted(&assignee));
                (format!("there is no profile {assignee}"), Some(next))
            });
        }
    }
    if status == "ready"
        && let Some((kind, message)) = guard(conn, &id, task, around, newest, related)?
    {
        add(kind, &|| (message.clone(), None));
    }
    Ok(found)
}

fn unblock(named: &str) -> String {
    format!("kanbanctl unblock {named}")
}

fn blocked(
    conn: &Connection,
    task: &Task,
    named: &dyn Fn() -> String,
    add: &mut impl FnMut(&'static str, &dyn Fn() -> ReasonWords),
) -> Outcome<()> {
    let failures = task.field("consecutive_failures").integer().unwrap_or(0);
    let limit = task.field("max_retries").integer().unwrap_or(FAILURE_LIMIT);
    if is_blocked_by_request(conn, &task.id())? {
        let kind = task.field("block_kind").show();
        let what = if kind.is_empty() { String::new() } else { format!(" ({kind})") };
        add("blocked", &|| (format!("it was blocked by request{what}"), Some(unblock(&named()))));
    } else if failures >= limit {
        add("failures", &|| (format!("it failed {failures} times of {limit}"), Some(unblock(&named()))));
    } else {
        add("promotion", &|| ("it is blocked without a request and becomes ready again".to_owned(), None));
    }
    Ok(())
}

/// True if the newest of `blocked` and `unblocked` is `blocked`: then only `unblock` ends it.
fn is_blocked_by_request(conn: &Connection, id: &str) -> Outcome<bool> {
    let kind: Option<String> = conn
        .prepare_cached(
            "SELECT kind FROM task_events WHERE task_id = ?1 AND kind IN ('blocked', 'unblocked') \
             ORDER BY id DESC LIMIT 1",
        )?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(kind.as_deref() == Some("blocked"))
}

/// Parents that are there and neither done nor archived, each with its status.
fn open_parents(conn: &Connection, child: &str) -> Outcome<Vec<String>> {
    let mut statement = conn.prepare_cached(
        "SELECT t.id, t.status FROM task_links l JOIN tasks t ON t.id = l.parent_id \
         WHERE l.child_id = ?1 AND t.status NOT IN ('done', 'archived') ORDER BY t.id",
    )?;
    let rows = statement.query_map([child], |row| {
        Ok(format!("{} ({})", row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?.show()))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the dispatcher's respawn guard says of a ready task.
fn guard(
    conn: &Connection,
    id: &str,
    task: &Task,
    around: &PickupContext<'_>,
    newest: bool,
    related: &Related,
) -> Outcome<Option<(&'static str, String)>> {
    let error = task.field("last_failure_error").show();
    let (ran, commented) = (related.ran.contains(id), related.commented.contains(id));
    if !ran && !commented && error.is_empty() {
        return Ok(None);
    }
    let latest = conn
        .prepare_cached(
            "SELECT outcome, ended_at FROM task_runs WHERE task_id = ?1 AND ended_at IS NOT NULL \
             ORDER BY ended_at DESC LIMIT 1",
        )?
        .query_row([id], |row| Ok((row.get::<_, Field>(0)?.show(), row.get::<_, Field>(1)?)))
        .optional()?;
    let (outcome, ended) = latest.unwrap_or((String::new(), Field::Null));
    if outcome == "rate_limited" {
        let left = ended
            .integer()
            .map_or(0, |ended| around.rate_limit_cooldown.saturating_sub(around.now.saturating_sub(ended)));
        let waits = left > 0 && around.rate_limit_cooldown > 0;
        let message = || format!("its last run met a quota; it waits for {} more", clock::span(left));
        return Ok(waits.then(|| ("rate_limit_cooldown", message())));
    }
    if is_blocker(&error, newest) && !(newest && outcome == "crashed") {
        return Ok(Some(("blocker_auth", format!("its last error looks like a quota or login: {error}"))));
    }
    let success: Option<Field> = conn
        .prepare_cached(
            "SELECT ended_at FROM task_runs WHERE task_id = ?1 AND outcome = 'completed' AND ended_at >= ?2 \
             ORDER BY ended_at DESC LIMIT 1",
        )?
        .query_row(rusqlite::params![id, around.now.saturating_sub(SUCCESS_WINDOW)], |row| row.get(0))
        .optional()?;
    if let Some(success) = success.and_then(|ended| ended.integer()) {
        let asked_again = conn
            .prepare_cached(
                "SELECT 1 FROM task_events WHERE task_id = ?1 AND created_at >= ?2 \
                 AND kind IN ('status', 'promoted', 'unblocked', 'reclaimed') LIMIT 1",
            )?
            .exists(rusqlite::params![id, success])?;
        if !asked_again {
            let ago = clock::span(around.now.saturating_sub(success));
            return Ok(Some(("recent_success", format!("a run completed it {ago} ago"))));
        }
    }
    Ok(pull_request(conn, id, around, newest)?
        .then(|| ("active_pr", "a comment of the last 24 hours names a pull request".to_owned())))
}

fn pull_request(conn: &Connection, id: &str, around: &PickupContext<'_>, newest: bool) -> Outcome<bool> {
    let mut statement = conn.prepare_cached(
        "SELECT body, created_at FROM task_comments WHERE task_id = ?1 AND created_at >= ?2",
    )?;
    let since = around.now.saturating_sub(PULL_REQUEST_WINDOW);
    let mut rows = statement.query(rusqlite::params![id, since])?;
    let mut newest_comment = None;
    while let Some(row) = rows.next()? {
        let (body, at) = (row.get::<_, Field>(0)?, row.get::<_, Field>(1)?);
        if body.text().is_some_and(names_pull_request) {
            newest_comment = newest_comment.max(Some(at.integer().unwrap_or(0)));
        }
    }
    let Some(at) = newest_comment else { return Ok(false) };
    // From 0.22 a hand-over behind the comment is a request to go on with that pull request.
    let handed_over = newest
        && conn
            .prepare_cached(
                "SELECT 1 FROM task_events WHERE task_id = ?1 AND created_at > ?2 \
                 AND kind IN ('assigned', 'changes_requested', 'review_reopened') LIMIT 1",
            )?
            .exists(rusqlite::params![id, at])?;
    Ok(!handed_over)
}

/// Words of an error that another try does not cure.
const BLOCKERS: [&str; 22] = [
    "quota",
    "rate limit",
    "rate_limit",
    "rate-limit",
    "ratelimit",
    "429",
    "403",
    "unauthorized",
    "forbidden",
    "billing",
    "subscription",
    "access denied",
    "access_denied",
    "permission denied",
    "permission_denied",
    "invalid api key",
    "invalid_api key",
    "invalid api_key",
    "invalid_api_key",
    "auth",
    "authz",
    "authn",
];

/// Endings of words that begin with `auth` and are blockers in 0.22; in earlier versions every ending is.
const AUTH_WORDS: [(&str, &[&str]); 3] = [
    ("authenticat", &["e", "es", "ed", "ing", "ion"]),
    ("authoriz", &["e", "es", "ed", "ing", "ation"]),
    ("authoris", &["e", "es", "ed", "ing", "ation"]),
];

/// True if Hermes' guard takes the error for one of quota or login.
fn is_blocker(error: &str, newest: bool) -> bool {
    let lower: String =
        error.to_lowercase().chars().map(|c| if text::is_space(c) { ' ' } else { c }).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let bounded = |phrase: &str| {
        lower.match_indices(phrase).any(|(at, _)| {
            let (before, after) = (lower.get(..at), lower.get(at + phrase.len()..));
            !before.is_some_and(|text| text.ends_with(is_word))
                && !after.is_some_and(|text| text.starts_with(is_word))
        })
    };
    if BLOCKERS.iter().filter(|word| !newest || **word != "authn").any(|phrase| bounded(phrase)) {
        return true;
    }
    lower.split(|c: char| !is_word(c)).filter(|word| word.starts_with("auth")).any(|word| {
        let listed =
            |(stem, ends): &(&str, &[&str])| word.strip_prefix(stem).is_some_and(|end| ends.contains(&end));
        !newest || AUTH_WORDS.iter().any(listed)
    })
}

/// True if the text has the address of a pull request on GitHub.
fn names_pull_request(body: &str) -> bool {
    let lower = body.to_lowercase();
    ["https://github.com/", "http://github.com/"].iter().any(|begin| {
        lower.match_indices(begin).any(|(at, _)| {
            let rest = lower.get(at + begin.len()..).unwrap_or_default();
            let address = rest.split(text::is_space).next().unwrap_or_default();
            let mut parts = address.split('/');
            let named = |part: Option<&str>| part.is_some_and(|part| !part.is_empty());
            named(parts.next())
                && named(parts.next())
                && parts.next() == Some("pull")
                && parts.next().is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quota_and_login_errors_are_blockers() {
        for error in ["HTTP 429", "Rate-Limit hit", "rate\tlimit", "Invalid API_key", "AUTHENTICATION failed"]
        {
            assert!(is_blocker(error, false) && is_blocker(error, true), "{error}");
        }
        for error in ["", "1429", "quotas", "no author", "rate of limit"] {
            assert!(!is_blocker(error, true), "{error}");
        }
        assert!(is_blocker("no author", false), "0.19 takes every word that begins with auth");
    }

    #[test]
    fn pull_requests_are_found_in_prose() {
        assert!(names_pull_request("see HTTPS://GitHub.com/a/b/pull/7."));
        for body in
            ["https://github.com/a/pull/7", "https://github.com/a/b/issues/7", "github.com/a/b/pull/7"]
        {
            assert!(!names_pull_request(body), "{body}");
        }
    }
}
