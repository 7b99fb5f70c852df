//! What Hermes' `diagnostics` finds in tasks: the same findings from the same rows, one function a rule.
//!
//! Not here: `triage_aux_unavailable`, which depends on the model that Hermes' own configuration names.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;
use serde::Serialize;
use serde_json::{Value, json};

use super::field::Field;
use super::task::{self, Task};
use super::{link, run, text};
use crate::failure::Outcome;
use crate::failure::hint::quoted;
use crate::process::clock;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DiagnosticSeverity {
    /// Worth a look.
    Warning,
    /// Does not cure itself.
    Error,
    /// Goes on and on.
    Critical,
}

impl DiagnosticSeverity {
    /// The word that Hermes uses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One finding.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnostic {
    /// Hermes' word for it.
    pub kind: &'static str,
    /// How grave it is.
    pub severity: DiagnosticSeverity,
    /// One sentence for a person.
    pub message: String,
    /// Commands that help, the first one first.
    pub next: Vec<String>,
    /// Unix seconds.
    pub first_seen_at: i64,
    /// Unix seconds.
    pub last_seen_at: i64,
    /// How often.
    pub count: i64,
    /// Always null: findings are about tasks.
    pub run_id: Option<i64>,
    /// What it was found by.
    pub data: Value,
}

/// A task with its findings, the gravest first.
pub struct DiagnosedTask {
    /// The task.
    pub task: Task,
    /// What was found; empty only where one task was asked for.
    pub diagnostics: Vec<Diagnostic>,
}

/// From which values on the rules fire; Hermes reads them from its configuration.
#[derive(Clone, Copy, Debug)]
pub struct DiagnosticLimits {
    /// Unix seconds.
    pub now: i64,
    /// `kanban.failure_limit`.
    pub failures: i64,
}

/// `crash_threshold`.
const CRASHES: i64 = 2;
/// `blocked_stale_hours`, in seconds.
const BLOCKED_STALE_SECONDS: i64 = 24 * 3_600;
/// `block_cycle_threshold`.
const BLOCK_CYCLES: i64 = 3;
/// `block_cycle_window_seconds`.
const BLOCK_CYCLE_WINDOW: i64 = 86_400;
/// `stranded_threshold_seconds`.
const STRANDED_SECONDS: i64 = 1_800;

/// Columns that the rules read.
const COLUMNS: [&str; 9] = [
    "id",
    "title",
    "status",
    "assignee",
    "created_at",
    "started_at",
    "claim_lock",
    "consecutive_failures",
    "last_failure_error",
];

/// Kinds of events that a rule looks at.
const KINDS: &str = "'completion_blocked_hallucination', 'suspected_hallucinated_references', 'completed', 'edited', \
    'blocked', 'unblocked', 'commented', 'created', 'promoted', 'reclaimed', 'gave_up', 'claimed'";

struct RuleEvent {
    kind: String,
    payload: Value,
    at: i64,
}

/// What the rules see of one task.
struct TaskFacts<'a> {
    conn: &'a Connection,
    task: &'a Task,
    id: &'a str,
    status: &'a str,
    events: &'a [RuleEvent],
    limits: DiagnosticLimits,
    rules: NewerRules,
    /// True if one of its runs crashed.
    has_crashed: bool,
}

/// Which rules the board's version has beside those of 0.19.
#[derive(Clone, Copy)]
struct NewerRules {
    /// From 0.20 on.
    reviews: bool,
    /// From 0.22 on.
    open_parents: bool,
}

impl NewerRules {
    fn of(conn: &Connection) -> Outcome<Self> {
        let version = super::schema::version(conn)?;
        Ok(Self { reviews: version.has_review_lane(), open_parents: version.diagnoses_open_parents() })
    }
}

/// The findings of every task that is not archived, in the order of the rows.
pub fn of_board(conn: &Connection, limits: DiagnosticLimits) -> Outcome<Vec<DiagnosedTask>> {
    let tasks = task::select(conn, &COLUMNS, "WHERE status != 'archived' ORDER BY rowid", &[])?;
    let mut events: HashMap<String, Vec<RuleEvent>> = HashMap::with_capacity(tasks.len());
    let sql = format!(
        "SELECT task_id, kind, created_at, CASE WHEN kind IN ('completion_blocked_hallucination', \
         'suspected_hallucinated_references', 'blocked', 'gave_up') THEN payload END \
         FROM task_events WHERE kind IN ({KINDS}) ORDER BY id"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let event = rule_event(row)?;
        events.entry(row.get::<_, Field>(0)?.show()).or_default().push(event);
    }
    let (rules, mut found) = (NewerRules::of(conn)?, Vec::new());
    let mut statement = conn.prepare("SELECT DISTINCT task_id FROM task_runs WHERE outcome = 'crashed'")?;
    let crashed = statement.query_map([], |row| row.get::<_, Field>(0).map(|id| id.show()))?;
    let crashed: HashSet<String> = crashed.collect::<Result<_, _>>()?;
    for task in tasks {
        let events = events.remove(&task.id()).unwrap_or_default();
        let diagnostics = diagnose(conn, &task, &events, limits, rules, crashed.contains(&task.id()))?;
        if !diagnostics.is_empty() {
            found.push(DiagnosedTask { task, diagnostics });
        }
    }
    Ok(found)
}

/// The findings of one task, which may be none.
pub fn of_task(conn: &Connection, id: &str, limits: DiagnosticLimits) -> Outcome<Option<DiagnosedTask>> {
    let Some(task) = task::select(conn, &COLUMNS, "WHERE id = ?1", &[&id])?.pop() else { return Ok(None) };
    let sql = format!(
        "SELECT task_id, kind, created_at, payload FROM task_events WHERE task_id = ?1 AND kind IN ({KINDS}) \
         ORDER BY created_at, id"
    );
    let mut statement = conn.prepare(&sql)?;
    let mut rows = statement.query([id])?;
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        events.push(rule_event(row)?);
    }
    let rules = NewerRules::of(conn)?;
    let diagnostics = diagnose(conn, &task, &events, limits, rules, true)?;
    Ok(Some(DiagnosedTask { task, diagnostics }))
}

fn rule_event(row: &rusqlite::Row<'_>) -> rusqlite::Result<RuleEvent> {
    Ok(RuleEvent {
        kind: row.get::<_, Field>(1)?.show(),
        at: row.get::<_, Field>(2)?.integer().unwrap_or(0),
        payload: row.get::<_, Field>(3)?.json(),
    })
}

fn diagnose(
    conn: &Connection,
    task: &Task,
    events: &[RuleEvent],
    limits: DiagnosticLimits,
    rules: NewerRules,
    has_crashed: bool,
) -> Outcome<Vec<Diagnostic>> {
    let (id, status) = (task.id(), task.field("status").show());
    let facts = TaskFacts { conn, task, id: &id, status: &status, events, limits, rules, has_crashed };
    let mut found = Vec::new();
    for rule in RULES {
        found.extend(match rule {
            DiagnosticRule::Seen(rule) => rule(&facts),
            DiagnosticRule::Read(rule) => rule(&facts)?,
        });
    }
    // Stable: the rules' order decides between equals, as in Hermes.
    found.sort_by_key(|one| std::cmp::Reverse((one.severity, one.last_seen_at)));
    Ok(found)
}

/// One rule.
enum DiagnosticRule {
    /// Decides by the task and its events.
    Seen(fn(&TaskFacts<'_>) -> Option<Diagnostic>),
    /// Reads more of the board.
    Read(fn(&TaskFacts<'_>) -> Outcome<Option<Diagnostic>>),
}

/// The rules in Hermes' order.
const RULES: [DiagnosticRule; 9] = [
    DiagnosticRule::Seen(hallucinated_cards),
    DiagnosticRule::Seen(prose_phantom_refs),
    DiagnosticRule::Read(repeated_failures),
    DiagnosticRule::Read(repeated_crashes),
    DiagnosticRule::Read(review_dependency_deadlock),
    DiagnosticRule::Read(running_with_open_parents),
    DiagnosticRule::Seen(stuck_in_blocked),
    DiagnosticRule::Seen(block_unblock_cycling),
    DiagnosticRule::Seen(stranded_in_ready),
];

impl TaskFacts<'_> {
    /// Commands that always help.
    fn recovery(&self) -> Vec<String> {
        let mut commands = Vec::new();
        if self.status == "running" {
            commands.push(format!("kanbanctl reclaim {}", quoted(self.id)));
        }
        commands.push(format!("kanbanctl reassign {} PROFILE", quoted(self.id)));
        commands
    }

    /// The events of this kind that no completion or edit follows.
    fn unanswered(&self, kind: &str) -> Vec<&RuleEvent> {
        let mut active = Vec::new();
        for event in self.events {
            match event.kind.as_str() {
                "completed" | "edited" => active.clear(),
                other if other == kind => active.push(event),
                _ => {}
            }
        }
        active
    }

    fn latest(&self, kinds: &[&str]) -> i64 {
        let times = self.events.iter().filter(|event| kinds.contains(&event.kind.as_str()));
        times.map(|event| event.at).max().unwrap_or(0).max(0)
    }
}

/// The ids that these events' payloads name, each once.
fn named(events: &[&RuleEvent], key: &str) -> Vec<Value> {
    let mut ids: Vec<Value> = Vec::new();
    for event in events {
        for id in event.payload.get(key).and_then(Value::as_array).into_iter().flatten() {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
    }
    ids
}

fn over(events: &[&RuleEvent]) -> (i64, i64, i64) {
    let at = |event: Option<&&RuleEvent>| event.map_or(0, |event| event.at);
    (at(events.first()), at(events.last()), i64::try_from(events.len()).unwrap_or(i64::MAX))
}

fn hallucinated_cards(facts: &TaskFacts<'_>) -> Option<Diagnostic> {
    let hits = facts.unanswered("completion_blocked_hallucination");
    if hits.is_empty() {
        return None;
    }
    let (first_seen_at, last_seen_at, count) = over(&hits);
    let mut next = vec![format!("kanbanctl comment {} TEXT", quoted(facts.id))];
    next.extend(facts.recovery());
    Some(Diagnostic {
        kind: "hallucinated_cards",
        severity: DiagnosticSeverity::Error,
        message: "the worker named tasks as its own that are not; the completion was refused".to_owned(),
        next,
        first_seen_at,
        last_seen_at,
        count,
        run_id: None,
        data: json!({ "phantom_ids": named(&hits, "phantom_cards") }),
    })
}

fn prose_phantom_refs(facts: &TaskFacts<'_>) -> Option<Diagnostic> {
    let hits = facts.unanswered("suspected_hallucinated_references");
    if hits.is_empty() {
        return None;
    }
    let (first_seen_at, last_seen_at, count) = over(&hits);
    Some(Diagnostic {
        kind: "prose_phantom_refs",
        severity: DiagnosticSeverity::Warning,
        message: "the summary of its completion names tasks that are not on this board".to_owned(),
        next: facts.recovery(),
        first_seen_at,
        last_seen_at,
        count,
        run_id: None,
        data: json!({ "phantom_refs": named(&hits, "phantom_refs") }),
    })
}

/// True if the newest of the breaker's events says that the provider will not have it, and nothing followed.
fn provider_refuses(events: &[RuleEvent]) -> bool {
    let newest = events.iter().rev().find(|event| {
        matches!(event.kind.as_str(), "gave_up" | "unblocked" | "promoted" | "completed" | "claimed")
    });
    newest.is_some_and(|event| {
        event.kind == "gave_up"
            && event.payload.get("terminal_provider").is_some_and(|value| *value == json!(true))
    })
}

fn repeated_failures(facts: &TaskFacts<'_>) -> Outcome<Option<Diagnostic>> {
    if matches!(facts.status, "done" | "archived" | "running") {
        return Ok(None);
    }
    let limit = facts.limits.failures;
    let failures = facts.task.field("consecutive_failures").integer().unwrap_or(0);
    let refused = facts.rules.open_parents && provider_refuses(facts.events);
    if failures < limit && !refused {
        return Ok(None);
    }
    let outcome = run::newest_outcome(facts.conn, facts.id, &["spawn_failed", "timed_out", "crashed"])?;
    let error = facts.task.field("last_failure_error");
    let mut next = Vec::new();
    match outcome.as_deref() {
        Some("spawn_failed") => {
            let assignee = facts.task.field("assignee").show();
            if !assignee.is_empty() && assignee != "default" {
                next.push(format!("hermes -p {} doctor", quoted(&assignee)));
            }
        }
        Some(_) => next.push(format!("kanbanctl log {}", quoted(facts.id))),
        None => {}
    }
    next.extend(facts.recovery());
    let severity =
        if failures >= limit * 2 { DiagnosticSeverity::Critical } else { DiagnosticSeverity::Error };
    let why = if refused {
        "its provider refuses the profile's credential or model"
    } else {
        "it failed again and again"
    };
    let text = text::first_line(&error.show(), 160).unwrap_or_else(|| "no error was recorded".to_owned());
    Ok(Some(Diagnostic {
        kind: "repeated_failures",
        severity,
        message: format!("{why} ({failures} times): {text}"),
        next,
        first_seen_at: facts.limits.now,
        last_seen_at: facts.limits.now,
        count: failures,
        run_id: None,
        data: json!({
            "consecutive_failures": failures,
            "most_recent_outcome": outcome,
            "last_error": error,
            "failure_threshold": limit,
            "failure_limit": limit,
        }),
    }))
}

fn repeated_crashes(facts: &TaskFacts<'_>) -> Outcome<Option<Diagnostic>> {
    let failures = facts.task.field("consecutive_failures").integer().unwrap_or(0);
    let settled = matches!(facts.status, "done" | "archived" | "running");
    if settled || failures >= facts.limits.failures || !facts.has_crashed {
        return Ok(None);
    }
    let (crashes, error) = run::trailing_crashes(facts.conn, facts.id)?;
    if crashes < CRASHES {
        return Ok(None);
    }
    let mut next = vec![format!("kanbanctl log {}", quoted(facts.id))];
    next.extend(facts.recovery());
    let severity =
        if crashes >= CRASHES * 2 { DiagnosticSeverity::Critical } else { DiagnosticSeverity::Error };
    let text = text::first_line(&error.show(), 160).unwrap_or_else(|| "no error was recorded".to_owned());
    Ok(Some(Diagnostic {
        kind: "repeated_crashes",
        severity,
        message: format!("its last {crashes} runs crashed: {text}"),
        next,
        first_seen_at: facts.limits.now,
        last_seen_at: facts.limits.now,
        count: crashes,
        run_id: None,
        data: json!({ "consecutive_crashes": crashes, "last_error": error }),
    }))
}

/// From 0.20 on: a task that waits for its review keeps children waiting that would do it.
fn review_dependency_deadlock(facts: &TaskFacts<'_>) -> Outcome<Option<Diagnostic>> {
    if facts.status != "blocked" || !facts.rules.reviews {
        return Ok(None);
    }
    let Some(block) = facts.events.iter().rev().find(|event| event.kind == "blocked") else {
        return Ok(None);
    };
    let reason = block.payload.get("reason").and_then(Value::as_str).map(text::strip).unwrap_or_default();
    if !reason.to_lowercase().starts_with("review-required:") {
        return Ok(None);
    }
    let mut waiting = Vec::new();
    for child in link::children(facts.conn, facts.id)? {
        if status_of(facts.conn, &child)?.as_deref() == Some("todo") {
            waiting.push(child);
        }
    }
    let Some(first) = waiting.first() else { return Ok(None) };
    let at = if block.at == 0 { facts.limits.now } else { block.at };
    Ok(Some(Diagnostic {
        kind: "review_dependency_deadlock",
        severity: DiagnosticSeverity::Error,
        message: format!("it is blocked for a review, and {} wait for it to be done", waiting.join(", ")),
        next: vec![
            format!("kanbanctl complete {}", quoted(facts.id)),
            format!("kanbanctl unlink {} {}", quoted(facts.id), quoted(first)),
        ],
        first_seen_at: at,
        last_seen_at: at,
        count: i64::try_from(waiting.len()).unwrap_or(i64::MAX),
        run_id: None,
        data: json!({ "blocked_parent_id": facts.id, "waiting_child_ids": waiting, "block_reason": reason }),
    }))
}

/// From 0.22 on.
fn running_with_open_parents(facts: &TaskFacts<'_>) -> Outcome<Option<Diagnostic>> {
    if facts.status != "running" || !facts.rules.open_parents {
        return Ok(None);
    }
    let mut open: Vec<(String, String)> = Vec::new();
    for parent in link::parents(facts.conn, facts.id)? {
        match status_of(facts.conn, &parent)? {
            Some(status) if status != "done" && status != "archived" => open.push((parent, status)),
            _ => {}
        }
    }
    let Some((first, _)) = open.first() else { return Ok(None) };
    let started = facts.task.field("started_at").integer().filter(|at| *at != 0);
    let names: Vec<&str> = open.iter().map(|(id, _)| id.as_str()).collect();
    let data: Vec<Value> = open.iter().map(|(id, status)| json!({ "id": id, "status": status })).collect();
    Ok(Some(Diagnostic {
        kind: "running_with_open_parents",
        severity: DiagnosticSeverity::Warning,
        message: format!("it runs while {} are not done; its completion will be refused", names.join(", ")),
        next: vec![format!("kanbanctl unlink {} {}", quoted(first), quoted(facts.id))],
        first_seen_at: started.unwrap_or(facts.limits.now),
        last_seen_at: facts.limits.now,
        count: i64::try_from(open.len()).unwrap_or(i64::MAX),
        run_id: None,
        data: json!({ "open_parents": data }),
    }))
}

fn status_of(conn: &Connection, id: &str) -> Outcome<Option<String>> {
    use rusqlite::OptionalExtension;
    let status: Option<Field> = conn
        .prepare_cached("SELECT status FROM tasks WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(status.map(|status| status.show()))
}

fn stuck_in_blocked(facts: &TaskFacts<'_>) -> Option<Diagnostic> {
    let at = facts.latest(&["blocked"]);
    let age = facts.limits.now.saturating_sub(at);
    let answered = facts
        .events
        .iter()
        .any(|event| matches!(event.kind.as_str(), "commented" | "unblocked") && event.at > at);
    if facts.status != "blocked" || at == 0 || age < BLOCKED_STALE_SECONDS || answered {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "an age in seconds is far below 2^52")]
    let hours = (age as f64 / 360.0).round_ties_even() / 10.0;
    Some(Diagnostic {
        kind: "stuck_in_blocked",
        severity: DiagnosticSeverity::Warning,
        message: format!("it has been blocked for {} without an answer", clock::span(age)),
        next: vec![
            format!("kanbanctl comment {} TEXT", quoted(facts.id)),
            format!("kanbanctl unblock {}", quoted(facts.id)),
        ],
        first_seen_at: at,
        last_seen_at: at,
        count: 1,
        run_id: None,
        data: json!({ "blocked_at": at, "age_hours": hours }),
    })
}

fn block_unblock_cycling(facts: &TaskFacts<'_>) -> Option<Diagnostic> {
    let cutoff = facts.limits.now.saturating_sub(BLOCK_CYCLE_WINDOW);
    let (mut cycles, mut unblocked, mut first, mut last) = (0, false, 0, 0);
    for event in facts.events.iter().filter(|event| event.at >= cutoff) {
        match event.kind.as_str() {
            "blocked" => {
                if first == 0 {
                    first = event.at;
                }
                if unblocked {
                    cycles += 1;
                    last = event.at;
                    unblocked = false;
                }
            }
            "unblocked" => unblocked = true,
            _ => {}
        }
    }
    if cycles < BLOCK_CYCLES {
        return None;
    }
    let or_now = |at: i64| if at == 0 { facts.limits.now } else { at };
    Some(Diagnostic {
        kind: "block_unblock_cycling",
        severity: DiagnosticSeverity::Warning,
        message: format!("it was blocked again {cycles} times in the last 24 hours"),
        next: vec![format!("kanbanctl events {}", quoted(facts.id))],
        first_seen_at: or_now(first),
        last_seen_at: or_now(last),
        count: cycles,
        run_id: None,
        data: json!({ "cycles": cycles, "window_seconds": BLOCK_CYCLE_WINDOW }),
    })
}

fn stranded_in_ready(facts: &TaskFacts<'_>) -> Option<Diagnostic> {
    let assignee = facts.task.field("assignee").show();
    let lock = facts.task.field("claim_lock");
    let claimed = !lock.is_null() && !lock.show().is_empty();
    if facts.status != "ready" || claimed || text::strip(&assignee).is_empty() {
        return None;
    }
    let event = facts.latest(&["created", "promoted", "reclaimed", "unblocked"]);
    let since = if event == 0 { facts.task.field("created_at").integer().unwrap_or(0) } else { event };
    let age = facts.limits.now.saturating_sub(since);
    if since == 0 || age < STRANDED_SECONDS {
        return None;
    }
    let severity = match age {
        age if age >= STRANDED_SECONDS * 6 => DiagnosticSeverity::Critical,
        age if age >= STRANDED_SECONDS * 2 => DiagnosticSeverity::Error,
        _ => DiagnosticSeverity::Warning,
    };
    Some(Diagnostic {
        kind: "stranded_in_ready",
        severity,
        message: format!(
            "it has been ready for {} and nobody took it; its assignee is {assignee}",
            clock::span(age)
        ),
        next: vec![
            format!("kanbanctl ready --explain {}", quoted(facts.id)),
            format!("kanbanctl reassign {} PROFILE", quoted(facts.id)),
        ],
        first_seen_at: since,
        last_seen_at: since,
        count: 1,
        run_id: None,
        data: json!({
            "ready_since": since,
            "age_seconds": age,
            "assignee": assignee,
            "threshold_seconds": STRANDED_SECONDS,
        }),
    })
}
