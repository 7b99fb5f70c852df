//! The verbs of a task's life through the binary: many ids, files, all or nothing, what is said, and dry runs. Whether
//! rows equal Hermes' is for `differential`.

use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create, status};

/// Command lines that set the scene.
type Scene = &'static [&'static [&'static str]];

/// What is done before, the verb, and the kind of its JSON. `ID` is a task that is ready before.
pub(crate) const VERBS: [(Scene, &[&str], &str); 17] = [
    (&[], &["archive", "ID"], "task.archive.list"),
    (&[&["archive", "ID"]], &["archive", "--rm", "ID"], "task.delete.list"),
    (&[], &["delete", "--any-status", "ID"], "task.delete.list"),
    (&[], &["assign", "ID", "coder"], "task.assign.list"),
    (&[&["claim", "ID"]], &["reassign", "--reclaim", "ID", "coder"], "task.reassign.list"),
    (&[], &["block", "ID", "for", "a", "reason"], "task.block.list"),
    (&[&["block", "ID"]], &["unblock", "ID", "--reason", "answered"], "task.unblock.list"),
    (&[], &["schedule", "ID", "later"], "task.schedule.list"),
    (&[&["block", "ID"]], &["promote", "ID"], "task.promote.list"),
    (&[], &["claim", "ID"], "task.claim.list"),
    (&[&["claim", "ID"]], &["heartbeat", "ID"], "task.heartbeat.list"),
    (&[&["claim", "ID"]], &["reclaim", "ID"], "task.reclaim.list"),
    (&[&["claim", "ID", "--ttl", "-1"]], &["reclaim", "--stale"], "task.reclaim.list"),
    (&[], &["set-model", "ID", "m"], "task.set-model.list"),
    (&[], &["request-review", "ID", "--summary", "s"], "task.request-review.list"),
    (&[&["request-review", "ID"]], &["reopen-review", "ID"], "task.reopen-review.list"),
    (&[REVIEW], &["request-changes", "ID", "again"], "task.request-changes.list"),
];

/// Stands for a reviewer's claim, which only Hermes' dispatcher makes.
const REVIEW: &[&str] = &["REVIEW"];

/// A board of Hermes 0.22.2 with one ready task.
fn newer_board() -> (Sandbox, String) {
    let sandbox = Sandbox::with_board();
    for column in [
        "provider_override TEXT",
        "reasoning_effort TEXT",
        "completion_contract TEXT",
        "worker_started_at INTEGER",
    ] {
        change(&sandbox, &format!("ALTER TABLE tasks ADD COLUMN {column}"));
    }
    let id = create(&sandbox, &["x"]);
    (sandbox, id)
}

fn words<'a>(id: &'a str, args: &[&'a str]) -> Vec<&'a str> {
    args.iter().map(|word| if *word == "ID" { id } else { word }).collect()
}

fn set(scene: Scene) -> (Sandbox, String) {
    let (sandbox, id) = newer_board();
    for args in scene {
        if *args == REVIEW {
            sandbox.run(&["assign", &id, "coder"]).success();
            sandbox.run(&["request-review", &id, "--reviewer", "reviewer"]).success();
            change(
                &sandbox,
                &format!(
                    "UPDATE tasks SET status = 'running', claim_lock = 'h:1', claim_expires = 9;
                     INSERT INTO task_runs (task_id, status, started_at) VALUES ('{id}', 'running', 1);
                     UPDATE tasks SET current_run_id = last_insert_rowid();
                     INSERT INTO task_events (task_id, run_id, kind, payload, created_at)
                        SELECT id, current_run_id, 'claimed', '{{\"source_status\": \"review\"}}', 1 FROM tasks"
                ),
            );
        } else {
            sandbox.run(&words(&id, args)).success();
        }
    }
    (sandbox, id)
}

#[test]
fn every_verb_says_what_it_did_and_a_dry_run_changes_nothing() {
    for (scene, verb, kind) in VERBS {
        let (sandbox, id) = set(scene);
        let args = words(&id, verb);
        let before = sandbox.photograph();
        let dry = sandbox.run(&[&args[..], &["-n", "--json"]].concat()).success();
        assert_eq!((&dry.json()["kind"], &dry.data()[0]["dry_run"]), (&json!(kind), &json!(true)), "{dry}");
        sandbox.run(&[&args[..], &["-n"]].concat()).success().says("nothing was written");
        let events = |sandbox: &Sandbox| count(sandbox, "SELECT count(*) FROM task_events");
        let told = events(&sandbox);
        drop(before);
        let done = sandbox.run(&[&args[..], &["--json", "--yes"]].concat()).success();
        assert_eq!((&done.json()["kind"], &done.data()[0]["id"]), (&json!(kind), &json!(id)), "{done}");
        assert_ne!(events(&sandbox), told, "{args:?} wrote no event");
    }
}

#[test]
fn one_task_that_cannot_stops_all_unless_told_to_keep_going() {
    let sandbox = Sandbox::with_board();
    let ids: Vec<String> = (0..3).map(|_| create(&sandbox, &["x"])).collect();
    sandbox.run(&["archive", &ids[1]]).success();
    let list = format!("{}\n{{\"id\": \"{}\"}}\n{}\n", ids[0], ids[1], &ids[2][..8]);
    sandbox.run_with(&["archive", "--from", "-"], &list).exits(14).says("line 2").says("--keep-going");
    assert_eq!(status(&sandbox, &ids[0]), "ready");
    let part = sandbox.run_with(&["archive", "--from", "-", "--keep-going", "--json"], &list).exits(5);
    assert_eq!(part.data().as_array().unwrap().len(), 3, "{part}");
    assert_eq!(part.data()[2]["error"]["name"], "conflict", "{part}");
    assert_eq!(
        (status(&sandbox, &ids[0]), status(&sandbox, &ids[2])),
        ("archived".into(), "archived".into())
    );
    sandbox.run(&["archive", &ids[0], "--keep-going"]).exits(14);
    sandbox.run_with(&["archive", "--from", "-"], "{\"id\": \"t_1\", \"colour\": 1}").exits(2).says("colour");
    sandbox.run(&["archive"]).exits(2);
}

#[test]
fn refusal_that_hermes_records_leaves_its_record_and_nothing_else() {
    let (sandbox, id) = newer_board();
    let other = create(&sandbox, &["y"]);
    sandbox.run(&["complete", &other, &id, "--result", " "]).exits(14).says("nothing says what was done");
    assert_eq!(status(&sandbox, &other), "ready");
    let recorded = "SELECT count(*) FROM task_events WHERE kind = 'completion_blocked_empty_result'";
    assert_eq!(count(&sandbox, recorded), 1);
    sandbox.run(&["complete", &other, "-n"]).exits(14);
    assert_eq!(count(&sandbox, recorded), 1);
    let child = create(&sandbox, &["z", "--parent", &id]);
    change(&sandbox, &format!("UPDATE tasks SET status = 'ready' WHERE id = '{child}'"));
    sandbox.run(&["claim", &child]).exits(14).says(&id);
    assert_eq!(status(&sandbox, &child), "todo");
}

#[test]
fn way_back_is_said_and_works() {
    let sandbox = Sandbox::with_board();
    let ids: Vec<String> = (0..2).map(|_| create(&sandbox, &["x", "--assignee", "old"])).collect();
    let both = format!("{} {}", ids[0], ids[1]);
    let said = sandbox.run(&["assign", &ids[0], &ids[1], "new"]).success();
    let lines: Vec<&str> = said.stderr.lines().filter(|line| line.starts_with("Undo")).collect();
    assert!(lines == [format!("Undo with `kanbanctl assign {both} old`.")] || ids[0] > ids[1], "{said}");
    let said = sandbox.run(&["block", &ids[0], "why", "--kind", "needs_input"]).success();
    assert!(said.stderr.contains(&format!("`kanbanctl unblock {}`", ids[0])), "{said}");
    let said = sandbox.run(&["unblock", &ids[0]]).success();
    assert!(
        said.stderr.contains(&format!("`kanbanctl block --kind needs_input --ids {}`", ids[0])),
        "{said}"
    );
    sandbox.run(&["block", "--kind", "needs_input", "--ids", &ids[0]]).success().says("triage");
    let comments = "SELECT count(*) FROM task_comments WHERE body = 'BLOCKED: why'";
    assert_eq!(count(&sandbox, comments), 1);
}

#[test]
fn many_tasks_are_deleted_only_with_a_confirmation() {
    let sandbox = Sandbox::with_board();
    let ids: String = (0..11).map(|_| create(&sandbox, &["x"]) + "\n").collect();
    sandbox.run_with(&["block", "--from", "-"], &ids).success();
    sandbox.run_with(&["archive", "--from", "-"], &ids).success();
    sandbox.run_with(&["delete", "--from", "-"], &ids).exits(12).says("--yes");
    sandbox.run_with(&["delete", "--from", "-", "--yes"], &ids).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 0);
}

#[test]
fn live_worker_bars_completion_and_is_named() {
    let (sandbox, id) = newer_board();
    sandbox.run(&["claim", &id]).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks WHERE worker_pid IS NOT NULL"), 0);
    let pid = std::process::id();
    change(&sandbox, &format!("UPDATE tasks SET worker_pid = {pid}"));
    sandbox.run(&["complete", &id, "--result", "r"]).exits(14).says("living worker");
    sandbox.run(&["reclaim", &id, "-n"]).success().says(&pid.to_string());
    change(&sandbox, "UPDATE tasks SET worker_started_at = 'boot:24|1'");
    // The number is another process's now: no signal, and no bar.
    sandbox.run(&["reclaim", &id, "--terminate"]).success();
    let report = "SELECT count(*) FROM task_events WHERE kind = 'reclaimed' AND payload LIKE '%\"pid_recycled\": true%'";
    assert_eq!(count(&sandbox, report), 1);
}

#[test]
fn worker_that_is_reclaimed_is_ended_only_when_asked() {
    let (sandbox, id) = newer_board();
    let mut worker = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    sandbox.run(&["claim", &id]).success();
    change(&sandbox, &format!("UPDATE tasks SET worker_pid = {}", worker.id()));
    sandbox.run(&["reclaim", &id]).success().says("lives on");
    assert!(worker.try_wait().unwrap().is_none());
    sandbox.run(&["claim", &id]).success();
    change(&sandbox, &format!("UPDATE tasks SET worker_pid = {}", worker.id()));
    sandbox.run(&["reclaim", &id, "--terminate"]).success();
    assert!(worker.wait().unwrap().code().is_none(), "it was not a signal that ended it");
}

#[test]
fn no_worker_is_ended_before_many_are_confirmed() {
    let sandbox = Sandbox::with_board();
    let ids: String = (0..11).map(|_| create(&sandbox, &["x"]) + "\n").collect();
    sandbox.run_with(&["claim", "--from", "-"], &ids).success();
    let mut worker = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    change(&sandbox, &format!("UPDATE tasks SET worker_pid = {} WHERE rowid = 1", worker.id()));
    sandbox.run_with(&["reclaim", "--terminate", "--from", "-"], &ids).exits(12).says("--yes");
    sandbox.run_with(&["reclaim", "--terminate", "--from", "-", "-n"], &ids).success();
    assert!(worker.try_wait().unwrap().is_none());
    sandbox.run_with(&["reclaim", "--terminate", "--from", "-", "--yes"], &ids).success();
    assert!(worker.wait().unwrap().code().is_none());
}

#[test]
fn older_board_has_no_reviews_and_says_so() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    sandbox.run(&["request-review", &id]).exits(12).says("0.18 to 0.19");
    sandbox.run(&["set-model", &id, "m"]).exits(12);
    sandbox.run(&["create", "y", "--model", "m", "--provider", "p"]).exits(12).says("provider_override");
}

#[test]
fn version_of_a_board_is_shown() {
    let (sandbox, id) = newer_board();
    let shown = sandbox.run(&["boards", "show", "--json"]).success().data();
    assert_eq!(shown["version"], json!({ "hermes": "0.22.2", "created_by": "0.18 to 0.19", "newer": false }));
    for verb in [&["list", "-v"][..], &["assign", &id, "x", "-v"]] {
        sandbox.run(verb).success().says("belongs to Hermes 0.22.2, created by 0.18 to 0.19");
    }
    change(&sandbox, "ALTER TABLE tasks ADD COLUMN worker_scope TEXT");
    sandbox.run(&["boards", "show", "--format", "plain"]).success();
    sandbox.run(&["list", "-v"]).success().says("newer than Hermes 0.22.2");
}

#[test]
fn words_of_newer_versions_are_known_to_health() {
    let (sandbox, id) = newer_board();
    change(
        &sandbox,
        &format!(
            "INSERT INTO task_runs (task_id, status, outcome, started_at, ended_at) VALUES
                ('{id}', 'review', 'review_requested', 1, 2), ('{id}', 'todo', 'changes_requested', 1, 2);
             INSERT INTO task_events (task_id, kind, created_at) VALUES ('{id}', 'imported', 1),
                ('{id}', 'completion_blocked_empty_result', 1), ('{id}', 'pr_acceptance', 1), ('{id}', 'dependency_wait', 1)"
        ),
    );
    let health = sandbox.run(&["health", "--json"]);
    assert!(!health.stdout.contains("unknown-value"), "{health}");
}

#[test]
fn archived_board_is_not_made_anew() {
    let sandbox = Sandbox::new();
    let folder = sandbox.root().join("kanban/boards/gone");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("board.json"), b"\xef\xbb\xbf{\"archived\": true}").unwrap();
    let before = sandbox.photograph();
    sandbox.run(&["--board", "gone", "init"]).exits(12).says("was archived");
    sandbox.run(&["--board", "gone", "init", "-n"]).exits(12);
    sandbox.run(&["--board", "gone", "list"]).exits(10);
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn project_gives_its_worktree_and_branch() {
    let (sandbox, _) = newer_board();
    let home = sandbox.path().join("home/.hermes");
    rusqlite::Connection::open(home.join("projects.db"))
        .unwrap()
        .execute_batch(
            "CREATE TABLE projects (id TEXT PRIMARY KEY, slug TEXT, name TEXT, primary_path TEXT);
             INSERT INTO projects VALUES ('p_1', 'site', 'Site', '/srv/site')",
        )
        .unwrap();
    let task = sandbox.run(&["create", "Fix Ünï, now", "--project", "SITE", "--json"]).success().data();
    let id = task["id"].as_str().unwrap();
    assert_eq!(task["workspace_path"], format!("/srv/site/.worktrees/{id}"));
    assert_eq!(
        (&task["branch_name"], &task["project_id"]),
        (&json!(format!("site/{id}-fix-n-now")), &json!("p_1"))
    );
    std::fs::create_dir_all(sandbox.root().join("kanban/boards/default")).unwrap();
    std::fs::write(sandbox.root().join("kanban/boards/default/board.json"), r#"{"project_id": "p_1"}"#)
        .unwrap();
    let project =
        |args: &[&str]| sandbox.run(&[args, &["--json"]].concat()).success().data()["project_id"].clone();
    assert_eq!(project(&["create", "y"]), "p_1");
    assert_eq!(project(&["create", "y", "--workspace", "scratch"]), json!(null));
    assert_eq!(project(&["create", "y", "--project", ""]), json!(null));
}

#[test]
fn body_is_read_from_a_file() {
    let sandbox = Sandbox::with_board();
    std::fs::write(sandbox.work().join("body"), "\u{feff}--flag\nline").unwrap();
    let task =
        sandbox.run(&["create", "x", "--body-file", "body", "--created-by=", "--json"]).success().data();
    assert_eq!((&task["body"], &task["created_by"]), (&json!("--flag\nline"), &json!("default")));
    sandbox.run(&["create", "x", "--body-file", "body", "--body", "b"]).exits(2);
    std::fs::write(sandbox.work().join("bytes"), b"\xff").unwrap();
    sandbox.run(&["create", "x", "--body-file", "bytes"]).exits(2).says("UTF-8");
    sandbox.run(&["create", "x", "--max-runtime=", "--skill", "\u{17f}earch"]).exits(2).says("toolset");
    sandbox.run(&["create", "x", "--max-runtime="]).success();
    sandbox.run(&["list", "--assignee="]).exits(2);
}
