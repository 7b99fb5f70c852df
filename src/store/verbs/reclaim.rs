//! `reclaim`: a claim taken back, and the worker's process ended where that is asked for.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::failure::{Failure, Outcome};
use crate::process::worker::{self, Ending};
use crate::store::run::RunEnd;
use crate::store::task::{self, Task};
use crate::store::writer::{Refusal, TaskChange, TaskWriter};

/// Seconds without a heartbeat after which a worker counts as stuck although it lives.
const SILENCE: i64 = 3_600;

/// True if a claim is this machine's.
pub fn is_of_this_host(lock: &str) -> bool {
    lock.strip_prefix(&worker::host()).is_some_and(|rest| rest.starts_with(':'))
}

/// Return the report that Hermes keeps of the end of a worker.
pub fn termination(pid: Option<i64>, lock: &str, ended: Ending) -> Value {
    let local = pid.is_some_and(|pid| pid > 0) && is_of_this_host(lock);
    let mut report = json!({
        "prev_pid": pid,
        "host_local": local,
        "termination_attempted": ended.attempted,
        "terminated": ended.gone,
        "sigkill": ended.killed,
    });
    if let Some(keys) = report.as_object_mut() {
        for (key, there) in [("signal_refused", ended.refused), ("pid_recycled", ended.recycled)] {
            if there {
                keys.insert(key.to_owned(), json!(true));
            }
        }
    }
    report
}

/// A worker as it was before the transaction, and what ending it came to.
#[derive(Clone, Debug)]
pub struct EndedWorker {
    /// The claim that was seen.
    pub lock: Option<String>,
    /// What ending it came to.
    pub ending: Ending,
}

/// Take the claim of a task back: it can be claimed again, out of the status from which it was. `ended` is the worker that
/// was ended before.
///
/// # Errors
/// Exit 14 for a task that nobody has claimed, and where the claim is another one than that of the worker that was ended.
pub fn reclaim(
    writer: &TaskWriter<'_>,
    id: &str,
    reason: Option<&str>,
    ended: Option<&EndedWorker>,
) -> Result<TaskChange, Refusal> {
    let before = writer.task(id)?;
    require_claimed(&before, id)?;
    let lock = before.field("claim_lock");
    if ended.is_some_and(|ended| ended.lock.as_deref() != lock.text()) {
        return Err(Failure::conflict(format!("task {id} was claimed again meanwhile.")).into());
    }
    let named = writer.worker_of(&before);
    let shown = lock.text().unwrap_or_default();
    let alive = named.as_ref().filter(|(pid, start)| is_of_this_host(shown) && worker::is_alive(*pid, start));
    let mut notes = Vec::new();
    if let Some((pid, _)) = alive {
        notes
            .push(format!("the worker of {id}, process {pid}, lives on; reclaim --terminate ends a worker."));
    }
    let ending = ended.map(|ended| ended.ending).unwrap_or_default();
    let report = termination(named.map(|(pid, _)| pid), shown, ending);
    let retry = writer.retry_status(id)?;
    writer.release_whole(id, retry)?;
    let error = match reason.filter(|reason| !reason.is_empty()) {
        Some(reason) => format!("manual_reclaim: {reason}"),
        None => format!("manual_reclaim lock={}", lock.text().unwrap_or("None")),
    };
    let end = RunEnd {
        error: Some(&error),
        metadata: Some(&report),
        ..RunEnd::new("reclaimed", "reclaimed", None)
    };
    let run = writer.end_run(id, &end)?;
    let mut payload = json!({ "manual": true, "reason": reason, "prev_lock": lock });
    if let (Some(keys), Value::Object(report)) = (payload.as_object_mut(), report) {
        if writer.version().has_review_lane() {
            keys.insert("retry_status".to_owned(), json!(retry));
        }
        keys.extend(report);
    }
    writer.event(id, "reclaimed", Some(&payload), run)?;
    writer.clear_failures(id)?;
    Ok(TaskChange { run, notes, ..writer.changed(id)? })
}

/// Refuse a task that nobody has claimed.
///
/// # Errors
/// Exit 14.
pub fn require_claimed(task: &Task, id: &str) -> Outcome<()> {
    let status = task.field("status").show();
    if status != "running" && task.field("claim_lock").is_null() {
        return Err(Failure::conflict(format!("task {id} is {status} and nobody has claimed it.")));
    }
    if !matches!(status.as_str(), "running" | "ready" | "blocked") {
        return Err(Failure::conflict(format!("task {id} is {status}: its claim cannot be taken back.")));
    }
    Ok(())
}

/// End the worker of a claimed task, if it is this machine's; nothing where the task names none.
pub fn end_worker(task: &Task) -> EndedWorker {
    let lock = task.field("claim_lock").text().map(str::to_owned);
    let local = lock.as_deref().is_some_and(is_of_this_host);
    let named = crate::store::writer::worker_of(task).filter(|(pid, _)| local && *pid > 0);
    let ending = named.map(|(pid, start)| worker::end(pid, &start)).unwrap_or_default();
    EndedWorker { lock, ending }
}

/// Return the tasks that nobody can be working on: their claim has run out or was never there, and no living worker of
/// this machine keeps them.
///
/// # Errors
/// What SQLite says.
pub fn stale(conn: &Connection, now: i64) -> Outcome<Vec<String>> {
    let mut statement =
        conn.prepare("SELECT id FROM tasks WHERE status = 'running' ORDER BY created_at, id")?;
    let ids = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut stale = Vec::new();
    for id in ids {
        let id = id?;
        if task::get(conn, &id)?.is_some_and(|task| is_stale(&task, now)) {
            stale.push(id);
        }
    }
    Ok(stale)
}

/// True if nobody can be working on a running task. A living worker that gives no sign is stuck, as Hermes' dispatcher has it.
pub fn is_stale(task: &Task, now: i64) -> bool {
    let expires = task.field("claim_expires").integer();
    let lock = task.field("claim_lock").text();
    let (Some(expires), Some(lock)) = (expires, lock) else { return true };
    if expires >= now {
        return false;
    }
    let alive = is_of_this_host(lock)
        && crate::store::writer::worker_of(task).is_some_and(|(pid, start)| worker::is_alive(pid, &start));
    let heard = task.field("last_heartbeat_at").integer();
    !alive || heard.is_some_and(|heard| now.saturating_sub(heard) >= SILENCE)
}
