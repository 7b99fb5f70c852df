//! The table of operations, and how each is drawn. The head of `mod.rs` says how to add one.

use serde_json::{Value, json};

use super::Hermes::{self, V19, V20, V22};
use super::{Call, Draw, Drawn};

/// One kind of operation.
pub(super) struct Operation {
    pub(super) name: &'static str,
    pub(super) since: Hermes,
    pub(super) until: Hermes,
    /// How often it is drawn, against the others.
    pub(super) weight: usize,
    pub(super) draw: fn(&mut Draw) -> Drawn,
}

/// An operation of every version.
const fn always(name: &'static str, weight: usize, draw: fn(&mut Draw) -> Drawn) -> Operation {
    Operation { name, since: V19, until: V22, weight, draw }
}

/// An operation since a version.
const fn since(since: Hermes, name: &'static str, weight: usize, draw: fn(&mut Draw) -> Drawn) -> Operation {
    Operation { name, since, until: V22, weight, draw }
}

pub(super) const OPERATIONS: &[Operation] = &[
    always("create", 24, create),
    always("complete", 14, complete),
    always("claim", 10, claim),
    always("heartbeat", 3, heartbeat),
    always("reclaim", 5, reclaim),
    always("block", 8, block),
    always("unblock", 8, unblock),
    always("schedule", 4, schedule),
    always("promote", 5, promote),
    always("promote --due", 4, promote_due),
    always("archive", 6, archive),
    always("delete", 2, delete),
    always("assign", 5, assign),
    always("reassign", 3, reassign),
    since(V20, "set-model", 3, set_model),
    since(V20, "request-review", 8, request_review),
    since(V20, "request-changes", 4, request_changes),
    since(V20, "reopen-review", 4, reopen_review),
    since(V20, "a reviewer claims", 5, reviewer_claims),
    since(V22, "a worker lives", 4, worker_lives),
    since(V22, "a worker gives up", 3, worker_gives_up),
    since(V20, "somebody subscribes", 3, somebody_subscribes),
    always("failures are counted", 3, failures),
    always("edit", 8, edit),
    always("comment", 4, comment),
    always("link", 8, link),
    always("unlink", 6, unlink),
    always("somebody attaches", 3, somebody_attaches),
    always("attach-rm", 3, attach_rm),
    always("subscriptions add", 4, subscribe),
    always("subscriptions remove", 3, unsubscribe),
    always("gc", 1, gc),
];

/// Words for a command line.
fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

const TEXTS: [&str; 6] = ["short", "two\nlines", "ünïcödé 🦀", " padded ", "see t_0badcafe1", "x\u{2028}y"];
const PROFILES: [&str; 4] = ["coder", " Reviewer ", "WRITER", "default"];

fn create(draw: &mut Draw) -> Drawn {
    let title = draw.one(&["Write it", " padded title ", "T\u{fc}r \u{201e}auf\u{201c}", "  ", "t_deadbeef"]);
    let mut ours = words(&["create", title]);
    let mut named = json!({ "title": title, "created_by": "user" });
    let mut add = |option: &str, key: &str, word: String, value: Value| {
        ours.push(format!("{option}={word}"));
        named[key] = value;
    };
    if let Some(body) = draw.maybe(&TEXTS) {
        add("--body", "body", body.to_owned(), json!(body));
    }
    if let Some(profile) = draw.maybe(&["coder", " Reviewer ", "WRITER", " "]) {
        add("--assignee", "assignee", profile.to_owned(), json!(profile));
    }
    if let Some(tenant) = draw.maybe(&["acme", ""]).filter(|_| draw.chance(40)) {
        add("--tenant", "tenant", tenant.to_owned(), json!(tenant));
    }
    if draw.chance(30) {
        let priority = draw.below(9).to_string();
        add("--priority", "priority", priority.clone(), json!(priority.parse::<i64>().unwrap()));
    }
    if draw.chance(15) {
        let key = draw.one(&["k1", "k2", "k3"]);
        add("--idempotency-key", "idempotency_key", key.to_owned(), json!(key));
    }
    if draw.chance(15) {
        add("--max-runtime", "max_runtime_seconds", "2m".to_owned(), json!(120));
    }
    if draw.chance(15) {
        add("--max-retries", "max_retries", "3".to_owned(), json!(3));
    }
    if draw.chance(20) {
        let skill =
            draw.one(&["translation", " trim ", "a,b", "Web", "\u{fb01}le", "spotify", "mqtt", "bfl"]);
        add("--skill", "skills", skill.to_owned(), json!([skill]));
    }
    if draw.chance(10) {
        add("--initial-status", "initial_status", "blocked".to_owned(), json!("blocked"));
    }
    if draw.hermes >= V20 && draw.chance(15) {
        add("--model", "model_override", "m-1".to_owned(), json!("m-1"));
    }
    if draw.hermes >= V20 && draw.chance(10) {
        add("--provider", "provider_override", "p".to_owned(), json!("p"));
    }
    if draw.hermes >= V22 && draw.chance(8) {
        let contract = draw.one(&["local-only", "a/b", "https://github.com/a/b/pull/3", "bad contract"]);
        add("--completion-contract", "completion_contract", contract.to_owned(), json!(contract));
    }
    let mut parents = Vec::new();
    for _ in 0..draw.below(3) {
        let parent = draw.task();
        ours.push(format!("--parent={parent}"));
        parents.push(parent);
    }
    named["parents"] = json!(parents);
    place(draw, &mut ours, &mut named);
    Drawn::new(ours, Call::of("create_task", &json!([]), &named))
}

/// Draw where a task is worked on, and how.
fn place(draw: &mut Draw, ours: &mut Vec<String>, named: &mut Value) {
    match draw.below(12) {
        0 => {
            ours.push("--triage".to_owned());
            named["triage"] = json!(true);
        }
        1 => {
            ours.push("--goal".to_owned());
            named["goal_mode"] = json!(true);
        }
        2 => {
            ours.extend(words(&["--workspace", "worktree:/srv/w", "--branch", "b1"]));
            named["workspace_kind"] = json!("worktree");
            named["workspace_path"] = json!("/srv/w");
            named["branch_name"] = json!("b1");
        }
        3 => {
            ours.extend(words(&["--workspace", "dir:/srv/d"]));
            named["workspace_kind"] = json!("dir");
            named["workspace_path"] = json!("/srv/d");
        }
        _ => {}
    }
}

fn complete(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["ready", "running", "blocked", "review"]);
    let mut ours = words(&["complete", &id]);
    let mut named = json!({});
    // Hermes 0.19.0 fails on a blank text; that is a difference of its own.
    let texts: &[&str] =
        if draw.hermes == V19 { &TEXTS } else { &["done", "", "  ", "see t_0badcafe1\nmore", " x "] };
    if let Some(result) = draw.maybe(texts) {
        ours.push(format!("--result={result}"));
        named["result"] = json!(result);
    }
    if let Some(summary) = draw.maybe(texts) {
        ours.push(format!("--summary={summary}"));
        named["summary"] = json!(summary);
    }
    if draw.chance(25) {
        let metadata = draw.one(&[
            r#"{"a": [1, "ü"], "b": null}"#,
            "{}",
            r#"{"artifacts": ["/x/y", "  "]}"#,
            r#"{"published_pr": "https://github.com/a/b/pull/9"}"#,
            r#"{"published_pr": "https://github.com/c/d/pull/1"}"#,
        ]);
        ours.push(format!("--metadata={metadata}"));
        named["metadata"] = serde_json::from_str(metadata).unwrap();
    }
    if draw.hermes >= V22 && draw.chance(15) {
        ours.push("--force".to_owned());
        named["force"] = json!(true);
    }
    Drawn::new(ours, Call::of("complete_task", &json!([id]), &named))
}

fn claim(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["ready"]);
    let ttl = draw.one(&[60, 900]);
    let named = json!({ "ttl_seconds": ttl, "claimer": draw.lock });
    Drawn::new(
        words(&["claim", &id, "--ttl", &ttl.to_string()]),
        Call::of("claim_task", &json!([id]), &named),
    )
}

fn heartbeat(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running"]);
    let note = draw.maybe(&["half way", ""]);
    let mut ours = words(&["heartbeat", &id]);
    ours.extend(note.map(|note| format!("--note={note}")));
    Drawn::new(ours, Call::of("heartbeat_worker", &json!([id]), &json!({ "note": note })))
}

fn reclaim(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running"]);
    let reason = draw.maybe(&["stuck", ""]);
    let mut ours = words(&["reclaim", &id]);
    ours.extend(reason.map(|reason| format!("--reason={reason}")));
    Drawn::new(ours, Call::of("reclaim_task", &json!([id]), &json!({ "reason": reason })))
}

fn block(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["ready", "running", "blocked"]);
    let reason = draw.maybe(&["waiting for input", "ünïcode"]);
    let kind = draw.maybe(&["dependency", "needs_input", "capability", "transient"]);
    let mut ours = words(&["block", &id]);
    ours.extend(reason.map(str::to_owned));
    ours.extend(kind.map(|kind| format!("--kind={kind}")));
    let call = Call::of("block_task", &json!([id]), &json!({ "reason": reason, "kind": kind }));
    Drawn::new(ours, call.commented(&id, "tester", "BLOCKED", reason))
}

fn unblock(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["blocked", "scheduled"]);
    let reason = draw.maybe(&["answered"]);
    let mut ours = words(&["unblock", &id]);
    ours.extend(reason.map(|reason| format!("--reason={reason}")));
    Drawn::new(
        ours,
        Call::of("unblock_task", &json!([id]), &json!({})).commented(&id, "tester", "UNBLOCK", reason),
    )
}

fn schedule(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["todo", "ready", "running", "blocked"]);
    let reason = draw.maybe(&["next week"]);
    let mut ours = words(&["schedule", &id]);
    ours.extend(reason.map(str::to_owned));
    let call = Call::of("schedule_task", &json!([id]), &json!({ "reason": reason }));
    Drawn::new(ours, call.commented(&id, "tester", "SCHEDULED", reason))
}

fn promote(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["todo", "blocked"]);
    let reason = draw.maybe(&["because"]);
    let mut ours = words(&["promote", &id]);
    ours.extend(reason.map(str::to_owned));
    let mut named = json!({ "actor": "tester", "reason": reason });
    if draw.hermes < V22 && draw.chance(40) {
        ours.push("--force".to_owned());
        named["force"] = json!(true);
    }
    Drawn::new(ours, Call::of("promote_task", &json!([id]), &named))
}

fn promote_due(_: &mut Draw) -> Drawn {
    Drawn::new(words(&["promote", "--due"]), Call::of("recompute_ready", &json!([]), &json!({})))
}

fn archive(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    Drawn::new(words(&["archive", &id]), Call::of("archive_task", &json!([id]), &json!({})))
}

fn delete(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["archived"]);
    if draw.chance(30) {
        let ours = words(&["delete", &id, "--any-status"]);
        return Drawn::new(ours, Call::of("delete_task", &json!([id]), &json!({})));
    }
    Drawn::new(words(&["archive", "--rm", &id]), Call::of("delete_archived_task", &json!([id]), &json!({})))
}

/// A profile as it is typed and as Hermes' command line hands it on.
fn profile(draw: &mut Draw) -> (&'static str, Option<&'static str>) {
    if draw.chance(25) {
        (draw.one(&["none", "-", "NULL"]), None)
    } else {
        let name = draw.one(&PROFILES);
        (name, Some(name))
    }
}

fn assign(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    let (typed, name) = profile(draw);
    Drawn::new(words(&["assign", "--", &id, typed]), Call::of("assign_task", &json!([id, name]), &json!({})))
}

fn reassign(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running"]);
    let (typed, name) = profile(draw);
    let reclaims = draw.chance(60);
    let mut ours = words(&["reassign"]);
    ours.extend(reclaims.then(|| "--reclaim".to_owned()));
    ours.extend(words(&["--", &id, typed]));
    let named = json!({ "reclaim_first": reclaims });
    Drawn::new(ours, Call::of("reassign_task", &json!([id, name]), &named))
}

fn set_model(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    let (model, provider) = (draw.maybe(&["m-1", " m-2 "]), draw.maybe(&["p"]));
    let mut ours = words(&["set-model", &id]);
    ours.extend(model.map(str::to_owned));
    ours.extend(provider.map(|provider| format!("--provider={provider}")));
    Drawn::new(ours, Call::of("set_model_override", &json!([id, model]), &json!({ "provider": provider })))
}

fn request_review(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running", "ready"]);
    let (summary, reviewer) =
        (draw.maybe(&["built\nand tested", "ok"]), draw.maybe(&["reviewer", " CODER "]));
    let mut ours = words(&["request-review", &id]);
    ours.extend(summary.map(|summary| format!("--summary={summary}")));
    ours.extend(reviewer.map(|reviewer| format!("--reviewer={reviewer}")));
    let mut named = json!({ "summary": summary, "reviewer": reviewer, "with_reason": true });
    if draw.chance(25) {
        ours.push(r#"--metadata={"tests": 12}"#.to_owned());
        named["metadata"] = json!({ "tests": 12 });
    }
    if draw.chance(50) {
        ours.push("--force".to_owned());
        named["force"] = json!(true);
    }
    Drawn::new(ours, Call::of("request_review", &json!([id]), &named))
}

fn request_changes(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running"]);
    let ours = words(&["request-changes", &id, "do", "it again"]);
    Drawn::new(ours, Call::of("request_changes", &json!([id]), &json!({ "reason": "do it again" })))
}

fn reopen_review(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["review"]);
    Drawn::new(words(&["reopen-review", &id]), Call::of("reopen_review_task", &json!([id]), &json!({})))
}

/// Hermes' dispatcher claims out of `review`; no verb does.
fn reviewer_claims(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["review"]);
    let in_review = draw.tasks.iter().any(|(known, status)| *known == id && status == "review");
    if !in_review {
        return Drawn::scene("SELECT 1");
    }
    let (now, lock) = (draw.now, draw.lock.clone());
    let expires = now + 900;
    Drawn::scene(&format!(
        "BEGIN IMMEDIATE;
         UPDATE tasks SET status = 'running', claim_lock = '{lock}', claim_expires = {expires},
            started_at = COALESCE(started_at, {now}) WHERE id = '{id}';
         INSERT INTO task_runs (task_id, profile, status, claim_lock, claim_expires, started_at)
            SELECT id, assignee, 'running', '{lock}', {expires}, {now} FROM tasks WHERE id = '{id}';
         UPDATE tasks SET current_run_id = last_insert_rowid() WHERE id = '{id}';
         INSERT INTO task_events (task_id, run_id, kind, payload, created_at)
            SELECT id, current_run_id, 'claimed', '{{\"lock\": \"{lock}\", \"expires\": {expires}, \"run_id\": '
            || current_run_id || ', \"source_status\": \"review\"}}', {now} FROM tasks WHERE id = '{id}';
         COMMIT"
    ))
}

/// A worker on another machine whose process number lives on this one: nobody may signal it, and the task counts as claimed.
fn worker_lives(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["running"]);
    let pid = draw.pid;
    Drawn::scene(&format!(
        "UPDATE tasks SET claim_lock = 'elsewhere:1', worker_pid = {pid} WHERE id = '{id}' AND status = 'running'"
    ))
}

fn worker_gives_up(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["ready"]);
    let sticky = draw.one(&["{\"sticky\": true}", "{\"failures\": 1}"]);
    let now = draw.now;
    Drawn::scene(&format!(
        "INSERT INTO task_events (task_id, kind, payload, created_at) SELECT id, 'gave_up', '{sticky}', {now} FROM tasks \
         WHERE id = '{id}'"
    ))
}

fn somebody_subscribes(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    let (chat, now) = (draw.below(3), draw.now);
    Drawn::scene(&format!(
        "INSERT OR IGNORE INTO kanban_notify_subs (task_id, platform, chat_id, created_at) SELECT id, 'p', 'c{chat}', {now} \
         FROM tasks WHERE id = '{id}'"
    ))
}

/// A task that the breaker has put aside, or that has failed once.
fn failures(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    let (status, failures) = draw.one(&[("blocked", 1), ("blocked", 2), ("blocked", 0), ("ready", 1)]);
    Drawn::scene(&format!(
        "UPDATE tasks SET status = '{status}', consecutive_failures = {failures}, last_failure_error = 'E' WHERE id = '{id}' \
         AND status = 'ready'"
    ))
}

fn edit(draw: &mut Draw) -> Drawn {
    let id = draw.task_in(&["done"]);
    let mut ours = words(&["edit", &id]);
    let mut named = json!({});
    let texts: &[&str] =
        if draw.hermes == V19 { &TEXTS } else { &["again", "see t_0badcafe1\nmore", " x ", "  "] };
    if draw.hermes < V22 || draw.chance(50) {
        let result = draw.one(texts);
        ours.push(format!("--result={result}"));
        named["result"] = json!(result);
        if let Some(summary) = draw.maybe(texts) {
            ours.push(format!("--summary={summary}"));
            named["summary"] = json!(summary);
        }
        if draw.chance(30) {
            ours.push(r#"--metadata={"b": [2, "ü"]}"#.to_owned());
            named["metadata"] = json!({ "b": [2, "ü"] });
        }
    }
    if draw.hermes < V22 {
        return Drawn::new(ours, Call::of("edit_completed_task_result", &json!([id]), &named));
    }
    if draw.chance(50) {
        let title = draw.one(&["Another", " padded ", "Tür"]);
        ours.push(format!("--title={title}"));
        named["title"] = json!(title);
    }
    if draw.chance(40) {
        let body = draw.one(&["new body", ""]);
        ours.push(format!("--body={body}"));
        named["body"] = json!(body);
    }
    if draw.chance(40) {
        ours.push("--priority=-3".to_owned());
        named["priority"] = json!(-3);
    }
    Drawn::new(ours, Call::of("edit_task", &json!([id]), &named))
}

fn comment(draw: &mut Draw) -> Drawn {
    let id = draw.task();
    let text = draw.one(&["a remark", "ünïcödé 🦀", "two\nlines", "x\u{2028}y", ""]);
    let mut ours = words(&["comment", &id]);
    ours.extend((!text.is_empty()).then(|| text.to_owned()));
    Drawn::new(ours, Call::of("add_comment", &json!([id, "tester", text]), &json!({})))
}

fn link(draw: &mut Draw) -> Drawn {
    let (parent, child) = (draw.task(), draw.task_in(&["ready", "todo"]));
    let call = Call::of("link_tasks", &json!([parent, child]), &json!({})).succeeds();
    Drawn::new(words(&["link", &parent, &child]), call)
}

fn unlink(draw: &mut Draw) -> Drawn {
    // Most pairs have no link; one is made now and then, so that there is something to end.
    let (parent, child) = (draw.task_in(&["ready", "running"]), draw.task_in(&["todo"]));
    let call = Call::of("unlink_tasks", &json!([parent, child]), &json!({}));
    Drawn::new(words(&["unlink", &parent, &child]), call)
}

fn somebody_attaches(draw: &mut Draw) -> Drawn {
    let (id, now) = (draw.task(), draw.now);
    Drawn::scene(&format!(
        "INSERT INTO task_attachments (task_id, filename, stored_path, size, created_at) SELECT id, 'a.txt', '/nowhere/a', 3, \
         {now} FROM tasks WHERE id = '{id}'"
    ))
}

fn attach_rm(draw: &mut Draw) -> Drawn {
    let number = draw.below(6) + 1;
    let call = Call::of("delete_attachment", &json!([number]), &json!({}));
    Drawn::new(words(&["attach-rm", &number.to_string()]), call)
}

/// A chat as it is typed and as Hermes' command line hands it on.
fn chat(draw: &mut Draw, id: &str, ours: &mut Vec<String>) -> Value {
    let chat = format!("c{}", draw.below(3));
    let thread = draw.maybe(&["7"]);
    ours.extend([format!("--platform={}", "p"), format!("--chat-id={chat}")]);
    ours.extend(thread.map(|thread| format!("--thread-id={thread}")));
    json!({ "task_id": id, "platform": "p", "chat_id": chat, "thread_id": thread })
}

fn subscribe(draw: &mut Draw) -> Drawn {
    let id = draw.tasks.first().map_or_else(|| "t_00000000".to_owned(), |(id, _)| id.clone());
    let mut ours = words(&["subscriptions", "add", &id]);
    let mut named = chat(draw, &id, &mut ours);
    named["notifier_profile"] = json!("tester");
    if let Some(user) = draw.maybe(&["u1", "u2"]) {
        ours.push(format!("--user-id={user}"));
        named["user_id"] = json!(user);
    }
    if draw.hermes >= V20 {
        if let Some(kind) = draw.maybe(&["group", "dm"]) {
            ours.push(format!("--chat-type={kind}"));
            named["chat_type"] = json!(kind);
        }
        if let Some(mode) = draw.maybe(&["wake", "notify+wake"]) {
            ours.push(format!("--delivery-mode={mode}"));
            named["delivery_mode"] = json!(mode);
        }
    }
    if draw.tasks.is_empty() {
        return Drawn::scene("SELECT 1");
    }
    Drawn::new(ours, Call::of("add_notify_sub", &json!([]), &named).succeeds())
}

fn unsubscribe(draw: &mut Draw) -> Drawn {
    let id = draw.tasks.first().map_or_else(|| "t_00000000".to_owned(), |(id, _)| id.clone());
    let mut ours = words(&["subscriptions", "remove", &id]);
    let named = chat(draw, &id, &mut ours);
    Drawn::new(ours, Call::of("remove_notify_sub", &json!([]), &named))
}

fn gc(draw: &mut Draw) -> Drawn {
    let days = draw.below(2);
    let call = if draw.hermes >= V22 && days == 0 {
        Call::of("gc_events", &json!([]), &json!({ "older_than_seconds": 999_999_999 }))
    } else {
        Call::of("gc_events", &json!([]), &json!({ "older_than_seconds": days * 86_400 }))
    };
    Drawn::new(words(&["gc", "--event-retention-days", &days.to_string()]), call)
}
