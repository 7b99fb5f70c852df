//! Each deliberate difference from Hermes in `docs/differences.md`, held by a test of its name.

use crate::support::Sandbox;
use crate::support::rows::{change, count, create, status};

/// The headings of the document and the functions that hold them, in its order.
const DIFFERENCES: &[(&str, fn())] = &[
    ("all-or-nothing", all_or_nothing),
    ("refusal-without-comment", refusal_without_comment),
    ("repeated-id", repeated_id),
    ("listing-writes-nothing", listing_writes_nothing),
    ("key-in-transaction", key_in_transaction),
    ("blank-text", blank_text),
    ("strict-json", strict_json),
    ("no-guessing-of-boards", no_guessing_of_boards),
    ("unknown-project", unknown_project),
    ("lost-columns", lost_columns),
    ("processes-live-on", processes_live_on),
    ("whole-deletion", whole_deletion),
    ("claim-without-workspace", claim_without_workspace),
    ("worker-guard", worker_guard),
    ("delegated-children", delegated_children),
    ("pull-requests", pull_requests),
    ("files-left-to-hermes", files_left_to_hermes),
    ("odd-skills", odd_skills),
    ("boards-are-kept", boards_are_kept),
    ("board-color", board_color),
    ("boards-as-lines", boards_as_lines),
    ("context-in-own-words", context_in_own_words),
    ("diagnostics-of-tasks", diagnostics_of_tasks),
    ("shared-attachment-file", shared_attachment_file),
    ("worktrees-stay", worktrees_stay),
];

#[test]
fn every_difference_is_written_down_and_held() {
    let text = include_str!("../../docs/differences.md");
    let written: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    let held: Vec<&str> = DIFFERENCES.iter().map(|(name, _)| *name).collect();
    assert_eq!(written, held);
    for (name, hold) in DIFFERENCES {
        assert!(std::panic::catch_unwind(hold).is_ok(), "{name} does not hold");
    }
}

fn board() -> (Sandbox, String) {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    (sandbox, id)
}

/// Makes the board one of Hermes 0.22.2.
fn newer(sandbox: &Sandbox) {
    for column in [
        "provider_override TEXT",
        "reasoning_effort TEXT",
        "completion_contract TEXT",
        "worker_started_at INTEGER",
    ] {
        change(sandbox, &format!("ALTER TABLE tasks ADD COLUMN {column}"));
    }
}

fn all_or_nothing() {
    let (sandbox, id) = board();
    sandbox.run(&["archive", &id, "t_00000000"]).exits(13);
    assert_eq!(status(&sandbox, &id), "ready");
    sandbox.run(&["archive", &id, "t_00000000", "--keep-going"]).exits(5);
    assert_eq!(status(&sandbox, &id), "archived");
}

fn refusal_without_comment() {
    let (sandbox, id) = board();
    sandbox.run(&["archive", &id]).success();
    sandbox.run(&["block", &id, "why"]).exits(14);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_comments"), 0);
}

fn repeated_id() {
    let (sandbox, id) = board();
    sandbox.run(&["complete", &id, &id[..7]]).exits(14);
}

fn listing_writes_nothing() {
    let (sandbox, id) = board();
    change(&sandbox, "UPDATE tasks SET status = 'todo'");
    sandbox.run(&["list"]).success();
    assert_eq!(status(&sandbox, &id), "todo");
    sandbox.run(&["promote", "--due"]).success();
    assert_eq!(status(&sandbox, &id), "ready");
}

fn key_in_transaction() {
    let sandbox = Sandbox::with_board();
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| sandbox.run(&["create", "x", "--idempotency-key", "k"]).success());
        }
    });
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 1);
}

fn blank_text() {
    let (sandbox, id) = board();
    sandbox.run(&["complete", &id, "--summary", " \n "]).success();
}

fn strict_json() {
    let (sandbox, id) = board();
    sandbox.run(&["complete", &id, "--metadata", "{\"a\": NaN}"]).exits(2);
    sandbox.run(&["complete", &id, "--metadata", ""]).success();
}

fn no_guessing_of_boards() {
    let (sandbox, _) = board();
    let mut command = sandbox.command(&["--board", "default", "list"]);
    command.env("HERMES_KANBAN_DB", sandbox.work().join("other.db"));
    sandbox.finish(command, b"").exits(12).says("0.22.2 the named board");
    sandbox.run(&["--board", "nowhere", "list"]).exits(12);
}

fn unknown_project() {
    let (sandbox, _) = board();
    sandbox.run(&["create", "y", "--project", "none"]).exits(13);
    sandbox.run(&["create", "y", "--project", ""]).success();
}

fn lost_columns() {
    let (sandbox, id) = board();
    sandbox.run(&["create", "y", "--model", "m", "--provider", "p"]).exits(12);
    sandbox.run(&["set-model", &id, "m"]).exits(12);
}

fn processes_live_on() {
    let (sandbox, id) = board();
    newer(&sandbox);
    let mut worker = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    sandbox.run(&["claim", &id]).success();
    change(&sandbox, &format!("UPDATE tasks SET worker_pid = {}", worker.id()));
    sandbox.run(&["archive", &id]).success().says("lives on");
    let record = "SELECT count(*) FROM task_events WHERE kind = 'archive_worker_termination' \
                  AND payload LIKE '%\"termination_attempted\": false%'";
    assert_eq!(count(&sandbox, record), 1);
    assert!(worker.try_wait().unwrap().is_none());
    worker.kill().unwrap();
    worker.wait().unwrap();
}

fn whole_deletion() {
    let (sandbox, id) = board();
    change(
        &sandbox,
        &format!(
            "INSERT INTO task_attachments (task_id, filename, stored_path, created_at) VALUES ('{id}', 'f', '/srv/f', 1)"
        ),
    );
    sandbox.run(&["delete", "--any-status", &id]).success().says("/srv/f");
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_attachments"), 0);
}

fn claim_without_workspace() {
    let (sandbox, id) = board();
    sandbox.run(&["claim", &id]).success();
    let nothing = "SELECT count(*) FROM tasks WHERE workspace_path IS NULL AND worker_pid IS NULL";
    assert_eq!(count(&sandbox, nothing), 1);
    let caller = format!("SELECT count(*) FROM tasks WHERE claim_lock LIKE '%:{}'", std::process::id());
    assert_eq!(count(&sandbox, &caller), 1);
}

fn worker_guard() {
    let (sandbox, id) = board();
    let mut command = sandbox.command(&["complete", &id]);
    command.env("HERMES_KANBAN_TASK", &id).env("HERMES_KANBAN_RUN_ID", "x");
    sandbox.finish(command, b"").exits(12).says("HERMES_KANBAN_RUN_ID");
}

fn delegated_children() {
    let (sandbox, id) = board();
    let root = sandbox.root().display().to_string();
    for (marker, code) in [(root.as_str(), 12), ("1", 12), ("/elsewhere", 0)] {
        let mut command = sandbox.command(&["archive", &id]);
        command.env("HERMES_DELEGATED_CHILD_CONTEXT", marker);
        sandbox.finish(command, b"").exits(code);
    }
    for (args, code) in
        [(&["list"][..], 0), (&["complete", "x", "-n"], 13), (&["init"], 0), (&["create", "y"], 12)]
    {
        let mut command = sandbox.command(args);
        command.env("HERMES_DELEGATED_CHILD_CONTEXT", &root);
        sandbox.finish(command, b"").exits(code);
    }
}

fn pull_requests() {
    let sandbox = Sandbox::with_board();
    newer(&sandbox);
    let id = create(&sandbox, &["x", "--completion-contract", "a/b"]);
    sandbox.run(&["complete", &id, "--result", "r", "--force"]).exits(14).says("does not ask GitHub");
    let receipt =
        "SELECT count(*) FROM task_events WHERE kind = 'pr_acceptance' AND payload LIKE '%\"ok\": false%'";
    assert_eq!(count(&sandbox, receipt), 1);
}

fn files_left_to_hermes() {
    let (sandbox, id) = board();
    sandbox.run(&["complete", &id]).success().says("`hermes kanban gc`");
}

fn odd_skills() {
    let (sandbox, id) = board();
    change(&sandbox, "UPDATE tasks SET skills = 'garbage'");
    let task = sandbox.run(&["show", &id, "--json"]).success().data()["task"].clone();
    assert_eq!((&task["skills"], &task["extra"]["skills"]), (&serde_json::json!([]), &"garbage".into()));
}

fn boards_are_kept() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["boards", "create", "side"]).success();
    sandbox.run(&["boards", "archive", "side", "--assume-unused"]).exits(12).says("--yes");
    sandbox.run(&["boards", "archive", "side", "--assume-unused", "--yes"]).success();
    sandbox.run(&["boards", "create", "side"]).exits(12).says("--again");
    sandbox.run(&["boards", "create", "side", "--again"]).success();
    sandbox.run(&["boards", "delete", "side"]).exits(2);
    sandbox.run(&["boards", "set-default-workdir", "side", "/srv"]).success();
    let unset = sandbox.run(&["boards", "set-default-workdir", "side", "--json"]).success();
    assert!(unset.data()["default_workdir"].is_null(), "{unset}");
    let file = sandbox.root().join("kanban/boards/side/board.json");
    std::fs::write(&file, "{").unwrap();
    sandbox.run(&["boards", "rename", "side", "Work"]).exits(12);
    assert_eq!(std::fs::read_to_string(file).unwrap(), "{");
}

fn board_color() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["boards", "create", "side", "--color", "#fff"]).exits(2);
    let made = sandbox.run(&["boards", "create", "side", "--board-color", "#fff", "--json"]).success();
    assert_eq!(made.data()["color"], "#fff", "{made}");
}

fn boards_as_lines() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    sandbox.run(&["claim", &id]).success();
    let lines = sandbox.run(&["boards", "export", "default", "-"]).success();
    sandbox.run_with(&["boards", "import", "-"], &lines.bytes).exits(12);
    sandbox.run_with(&["boards", "import", "-", "--as", "copy"], &lines.bytes).success();
    let copied = sandbox.run(&["--board", "copy", "show", &id, "--json"]).success().data();
    assert_eq!(copied["task"]["status"], "running", "{copied}");
}

fn context_in_own_words() {
    let sandbox = Sandbox::with_board();
    let parent = create(&sandbox, &["the parent"]);
    sandbox.run(&["complete", &parent, "--summary", "what the parent found"]).success();
    let id = create(&sandbox, &["the title", "--body", "the body", "--parent", &parent]);
    sandbox.run(&["comment", &id, "the remark"]).success();
    std::fs::write(sandbox.work().join("notes.txt"), "x").unwrap();
    sandbox.run(&["attach", &id, "notes.txt"]).success();
    let text = sandbox.run(&["context", &id]).success().stdout;
    for part in [&id, "the title", "the body", "what the parent found", "the remark", "notes.txt"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

fn diagnostics_of_tasks() {
    let (sandbox, id) = board();
    change(&sandbox, "UPDATE tasks SET consecutive_failures = 3, last_failure_error = 'e'");
    create(&sandbox, &["y", "--triage"]);
    let found = |args: &[&str]| sandbox.run(&[&["diagnostics", "--json"], args].concat()).success().data();
    let at_two = found(&[]);
    assert_eq!((at_two.as_array().unwrap().len(), &at_two[0]["task_id"]), (1, &id.as_str().into()));
    let finding = &at_two[0]["diagnostics"][0];
    assert!(finding["next"][0].as_str().unwrap().starts_with("kanbanctl "), "{finding}");
    assert_eq!(found(&["--failure-limit", "4"]).as_array().unwrap().len(), 0);
}

fn shared_attachment_file() {
    let (sandbox, id) = board();
    std::fs::write(sandbox.work().join("a.txt"), "x").unwrap();
    sandbox.run(&["attach", &id, "a.txt"]).success();
    change(
        &sandbox,
        "INSERT INTO task_attachments (task_id, filename, stored_path, created_at)
           SELECT task_id, filename, stored_path, created_at FROM task_attachments",
    );
    let stored = sandbox.root().join("kanban/attachments").join(&id).join("a.txt");
    sandbox.run(&["attach-rm", "1"]).success();
    assert!(stored.exists());
    sandbox.run(&["attach-rm", "2"]).success();
    assert!(!stored.exists());
}

fn worktrees_stay() {
    let (sandbox, id) = board();
    let other = create(&sandbox, &["y"]);
    let workspaces = sandbox.root().join("kanban/workspaces");
    let (tree, scratch) = (workspaces.join(&id), workspaces.join(&other));
    std::fs::create_dir_all(&tree).unwrap();
    std::fs::create_dir_all(&scratch).unwrap();
    sandbox.run(&["archive", &id, &other]).success();
    change(
        &sandbox,
        &format!(
            "UPDATE tasks SET workspace_kind = 'worktree', workspace_path = '{}' WHERE id = '{id}'",
            tree.display()
        ),
    );
    sandbox.run(&["gc"]).success();
    assert!(tree.exists() && !scratch.exists());
}
