//! The verbs that read tasks: what they show, and that Hermes finds the same.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::hermes;
use crate::support::rows::{change, data};
use crate::support::sandbox::NOW;

/// A board with a task of every kind that these verbs tell apart.
fn scene() -> Sandbox {
    let sandbox = Sandbox::with_board();
    std::fs::create_dir_all(sandbox.root().join("profiles/coder")).unwrap();
    std::fs::write(sandbox.root().join("profiles/coder/config.yaml"), "").unwrap();
    std::fs::create_dir_all(sandbox.root().join("kanban/logs")).unwrap();
    std::fs::write(sandbox.root().join("kanban/logs/t_00000001.log"), b"first\nsecond \xff\n").unwrap();
    fill(&sandbox, NOW);
    sandbox
}

/// Rows of every state, as old as they are at `now`.
fn fill(sandbox: &Sandbox, now: i64) {
    let (hour, day, soon) = (now - 3_600, now - 86_400, now - 60);
    change(
        sandbox,
        &format!(
            "INSERT INTO tasks (id, title, body, status, assignee, priority, created_at, claim_lock, claim_expires,
               consecutive_failures, last_failure_error, max_retries, result, completed_at, started_at) VALUES
             ('t_00000001', 'taken next', 'the Queue of the gateway', 'ready', 'coder', 5, {soon}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000002', 'claimed', NULL, 'ready', 'coder', 4, {soon}, 'host:1', {now} + 60, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000003', 'no profile', NULL, 'ready', 'ghost', 3, {day}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000004', 'nobody''s', NULL, 'ready', NULL, 2, {hour}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000005', 'quota', NULL, 'ready', 'coder', 1, {soon}, NULL, NULL, 1, 'HTTP 429: rate limit', NULL, NULL, NULL, NULL),
             ('t_00000006', 'waits', NULL, 'todo', 'coder', 0, {soon}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000007', 'asked to stop', NULL, 'blocked', 'coder', 0, {day}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL),
             ('t_00000008', 'failed', NULL, 'blocked', 'coder', 0, {day}, NULL, NULL, 4, 'crash: boom', NULL, NULL, NULL, NULL),
             ('t_00000009', 'finished', NULL, 'done', 'coder', 0, {day}, NULL, NULL, 0, NULL, NULL, 'the queue is empty', {hour}, {day}),
             ('t_0000000a', 'put away', 'queue', 'archived', 'coder', 0, {day}, NULL, NULL, 9, NULL, NULL, NULL, NULL, NULL),
             ('t_0000000b', 'crashing', NULL, 'ready', 'coder', 0, {soon}, NULL, NULL, 1, 'exit 1', 9, NULL, NULL, NULL),
             ('t_0000000c', 'lied', NULL, 'running', 'coder', 0, {soon}, 'host:2', {now} + 60, 0, NULL, NULL, NULL, NULL, {soon}),
             ('t_0000000d', 'to and fro', NULL, 'ready', 'coder', 0, {soon}, NULL, NULL, 0, NULL, NULL, NULL, NULL, NULL);
             INSERT INTO task_links VALUES ('t_00000001', 't_00000006'), ('t_00000009', 't_00000006'),
               ('t_00000006', 't_00000007'), ('t_00000007', 't_00000008'), ('t_00000008', 't_00000007'),
               ('t_gone', 't_00000008');
             INSERT INTO task_comments (task_id, author, body, created_at) VALUES
               ('t_00000001', 'user', 'look at the queue first', {hour}), ('t_0000000b', 'user', 'x', {hour});
             INSERT INTO task_runs (task_id, profile, status, outcome, started_at, ended_at, summary, error, metadata) VALUES
               ('t_00000009', 'coder', 'done', 'completed', {hour} - 125, {hour}, 'emptied the queue', NULL, '{{\"n\": 1}}'),
               ('t_0000000b', 'coder', 'crashed', 'crashed', {hour}, {hour} + 5, NULL, 'exit 1', NULL),
               ('t_0000000b', 'coder', 'crashed', 'crashed', {hour} + 10, {hour} + 15, NULL, 'exit 2', NULL),
               ('t_00000008', 'coder', 'spawn_failed', 'spawn_failed', {hour}, {hour} + 5, NULL, 'no such', NULL);
             INSERT INTO task_events (task_id, kind, payload, created_at) VALUES
               ('t_00000001', 'created', '{{\"status\": \"ready\"}}', {soon}), ('t_00000003', 'created', NULL, {day}),
               ('t_00000005', 'promoted', NULL, {soon}), ('t_00000007', 'blocked', '{{\"reason\": \"review-required: x\"}}', {day} - 60),
               ('t_00000008', 'gave_up', NULL, {day}),
               ('t_0000000c', 'completion_blocked_hallucination', '{{\"phantom_cards\": [\"t_1\", \"t_2\"]}}', {soon}),
               ('t_0000000c', 'completion_blocked_hallucination', '{{\"phantom_cards\": [\"t_2\"]}}', {soon}),
               ('t_00000009', 'completed', NULL, {hour}),
               ('t_00000009', 'suspected_hallucinated_references', '{{\"phantom_refs\": [\"t_dead\"]}}', {hour}),
               ('t_0000000d', 'blocked', NULL, {hour}), ('t_0000000d', 'unblocked', NULL, {hour}),
               ('t_0000000d', 'blocked', NULL, {hour}), ('t_0000000d', 'unblocked', NULL, {hour}),
               ('t_0000000d', 'blocked', NULL, {hour}), ('t_0000000d', 'unblocked', NULL, {hour}),
               ('t_0000000d', 'blocked', NULL, {hour}), ('t_0000000d', 'unblocked', NULL, {hour});
             INSERT INTO task_attachments (task_id, filename, stored_path, content_type, size, created_at)
               VALUES ('t_00000001', 'a.pdf', '/srv/a.pdf', 'application/pdf', 12, {soon});"
        ),
    );
}

#[test]
fn reading_verbs_show_records() {
    let sandbox = scene();
    let mut shown = String::new();
    for verb in [
        &["ready"][..],
        &["ready", "--explain"],
        &["ready", "t_00000006", "-q"],
        &["tree"],
        &["tree", "t_00000001"],
        &["tree", "00000006", "--parents"],
        &["runs", "t_00000009"],
        &["events", "--limit", "3"],
        &["events", "t_00000007"],
        &["events", "--kinds", "created,gave_up", "--since", "1", "--assignee", "coder"],
        &["log", "t_00000001"],
        &["log", "t_00000001", "--tail", "9"],
        &["log", "t_00000002"],
        &["attachments", "t_00000001"],
        &["attachments"],
        &["assignees"],
        &["search", "QUEUE"],
        &["search", "QUEUE", "--archived", "--limit", "1"],
        &["search", "100%"],
        &["diagnostics"],
        &["diagnostics", "--severity", "critical"],
        &["diagnostics", "--task", "t_00000001"],
        &["context", "t_00000006"],
        &["context", "t_0000000b"],
    ] {
        let output = sandbox.run(verb);
        writeln!(shown, "$ kanbanctl {}\n{output}\n", verb.join(" ")).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn log_is_written_byte_for_byte_off_a_terminal() {
    let sandbox = scene();
    assert_eq!(sandbox.run(&["log", "t_00000001"]).success().bytes, b"first\nsecond \xff\n");
    let value = data(&sandbox.run(&["log", "t_00000001", "--json"]).success());
    assert_eq!(value["text"], "first\nsecond \u{fffd}\n");
}

#[test]
fn json_of_reading_verbs_has_the_keys_that_scripts_rely_on() {
    let sandbox = scene();
    let ready = data(&sandbox.run(&["ready", "--json", "--explain"]).success());
    let of = |id: &str| {
        let task = ready.as_array().unwrap().iter().find(|task| task["id"] == id).unwrap().clone();
        let kinds: Vec<String> = task["reasons"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect();
        (task["picked_up"].as_bool().unwrap(), kinds.join(","))
    };
    for (id, kinds) in [
        ("t_00000001", ""),
        ("t_00000002", "claim"),
        ("t_00000003", "profile"),
        ("t_00000004", "assignee"),
        ("t_00000005", "blocker_auth"),
        ("t_00000006", "parents"),
        ("t_00000007", "blocked,parents"),
        ("t_00000008", "failures,parents"),
        ("t_0000000c", "status"),
    ] {
        assert_eq!(of(id), (kinds.is_empty(), kinds.to_owned()), "{id}");
    }
    let tree = data(&sandbox.run(&["tree", "--json"]).success());
    assert_eq!(tree["cycles"], json!([["t_00000007", "t_00000008"]]));
    let assignees = data(&sandbox.run(&["assignees", "--json"]).success());
    assert_eq!(assignees[2], json!({"name": "ghost", "on_disk": false, "counts": {"ready": 1}}));
}

/// The keys of a finding that both have: titles and advice are in words of their own.
const SHARED: [&str; 7] = ["kind", "severity", "first_seen_at", "last_seen_at", "count", "run_id", "data"];

/// Findings as lines. What the rows say lies before `now`; what does not is the moment at which somebody looked.
fn findings(value: &Value, now: i64) -> Vec<String> {
    let mut lines = Vec::new();
    for task in value.as_array().unwrap() {
        for one in task["diagnostics"].as_array().unwrap() {
            if one["kind"] == "triage_aux_unavailable" {
                continue;
            }
            let shown = SHARED.map(|key| match (key, one[key].as_i64()) {
                ("first_seen_at" | "last_seen_at", Some(at)) if at >= now => "now".to_owned(),
                ("data", _) => {
                    let mut data = one["data"].as_object().unwrap().clone();
                    data.retain(|key, _| !key.starts_with("age_"));
                    serde_json::to_string(&data).unwrap()
                }
                _ => one[key].to_string(),
            });
            let [id, title, status, assignee] =
                ["task_id", "title", "status", "assignee"].map(|key| &task[key]);
            lines.push(format!("{id} {title} {status} {assignee}: {}", shown.join(" ")));
        }
    }
    lines
}

#[test]
fn diagnostics_are_those_of_every_hermes() {
    for (name, python) in hermes::versions() {
        let sandbox = Sandbox::new().with_real_clock();
        hermes::command_line(&sandbox, &python, &["init"]);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        fill(&sandbox, now);
        for task in [None, Some("t_0000000d"), Some("t_00000001")] {
            let flags = task.map(|id| vec!["--task", id]).unwrap_or_default();
            let args = [&["diagnostics", "--json"][..], &flags].concat();
            let theirs = serde_json::from_str(&hermes::command_line(&sandbox, &python, &args)).unwrap();
            let ours = data(&sandbox.run(&args).success());
            assert_eq!(findings(&ours, now), findings(&theirs, now), "Hermes {name}, {task:?}");
            assert_eq!(findings(&ours, now).is_empty(), task == Some("t_00000001"), "{ours}");
        }
    }
}
