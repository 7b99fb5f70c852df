//! `complete`: all or nothing, runs and hand-overs, a worker's own run, ids and their beginnings.

use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create, data, status};

#[test]
fn completing_is_all_or_nothing() {
    let sandbox = Sandbox::with_board();
    let ids: Vec<String> = (0..3).map(|number| create(&sandbox, &[&format!("task {number}")])).collect();
    sandbox.run(&["complete", &ids[0]]).success();
    sandbox.run(&["complete", &ids[1], &ids[0], &ids[2]]).exits(14).says(&ids[0]);
    sandbox.run(&["complete", &ids[1], "t_00000000"]).exits(13);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks WHERE status = 'done'"), 1);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events WHERE kind = 'completed'"), 1);
    let done = sandbox.run(&["complete", &ids[1], &ids[2], "--result", "r"]).success();
    assert_eq!(done.stdout, format!("{}\n{}\n", ids[1], ids[2]));
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_runs WHERE status = 'completed'"), 2);
}

#[test]
fn handover_belongs_to_one_task() {
    let sandbox = Sandbox::with_board();
    let (a, b) = (create(&sandbox, &["a"]), create(&sandbox, &["b"]));
    sandbox.run(&["complete", &a, &b, "--summary", "s"]).exits(2);
    sandbox.run(&["complete", &a, "--metadata", "[1]"]).exits(2);
    // Hermes 0.19.0 dies on this one (docs/board-format.md, 4.4).
    sandbox.run(&["complete", &a, "--summary", " \n "]).success();
    let metadata = r#"{"n": 12345678901234567890123, "artifacts": ["/x", " "]}"#;
    sandbox.run(&["complete", &b, "--summary", "first\nsecond", "--metadata", metadata]).success();
    let shown = data(&sandbox.run(&["show", &b, "--json"]).success());
    assert_eq!(shown["latest_summary"], "first\nsecond");
    let completed = &shown["events"][1];
    assert_eq!(completed["payload"], json!({"result_len": 0, "summary": "first", "artifacts": ["/x"]}));
    assert_eq!(completed["run_id"], shown["runs"][0]["id"]);
    assert!(shown["runs"][0]["metadata"].to_string().contains("12345678901234567890123"));
}

#[test]
fn completing_from_lines() {
    let sandbox = Sandbox::with_board();
    let (a, b, c) = (create(&sandbox, &["a"]), create(&sandbox, &["b"]), create(&sandbox, &["c"]));
    let lines = format!("{a}\n{{\"id\":\"{b}\",\"result\":\"own\",\"metadata\":{{\"k\":1}}}}\n");
    sandbox.run_with(&["complete", "--from", "-", "--result", "all"], &lines).success();
    let result = |id: &str| data(&sandbox.run(&["show", id, "--json"]).success())["task"]["result"].clone();
    assert_eq!((result(&a), result(&b)), (json!("all"), json!("own")));
    let lines = format!("{c}\n{{\"id\":\"{b}\",\"reslt\":1}}\n");
    sandbox.run_with(&["complete", "--from", "-"], &lines).exits(2).says("line 2");
    let lines = format!("{c}\n\n{b}\n");
    sandbox.run_with(&["complete", "--from", "-"], &lines).exits(14).says("line 3");
    assert_eq!(status(&sandbox, &c), "ready");
}

#[test]
fn a_worker_finishes_only_its_own_run() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    change(
        &sandbox,
        "INSERT INTO task_runs (id, task_id, status, started_at, claim_lock) SELECT 7, id, 'running', 1, 'h:1' FROM tasks;
         UPDATE tasks SET status = 'running', claim_lock = 'h:1', claim_expires = 2, current_run_id = 7, worker_pid = 3",
    );
    let finish = |run: &str| {
        let mut command = sandbox.command(&["complete", &id, "--summary", "s"]);
        command.env("HERMES_KANBAN_TASK", &id).env("HERMES_KANBAN_RUN_ID", run);
        sandbox.finish(command, b"")
    };
    finish("6").exits(14);
    finish("7").success();
    let sql = "SELECT count(*) FROM task_runs WHERE id = 7 AND status = 'done' AND outcome = 'completed' \
               AND ended_at NOT NULL AND claim_lock IS NULL AND summary = 's'";
    assert_eq!(count(&sandbox, sql), 1);
    let sql = "SELECT count(*) FROM tasks WHERE claim_lock IS NULL AND current_run_id IS NULL AND worker_pid IS NULL";
    assert_eq!(count(&sandbox, sql), 1);
}

#[test]
fn prefixes_name_one_task_or_none() {
    let sandbox = Sandbox::with_board();
    change(
        &sandbox,
        "INSERT INTO tasks (id, title, status, created_at) VALUES
         ('t_1a2b3c4d', 'a', 'ready', 1), ('t_1a2b0000', 'b', 'ready', 1), ('t_99999999', 'c', 'ready', 1)",
    );
    sandbox.run(&["show", "t_1a2"]).exits(14).says("t_1a2b0000, t_1a2b3c4d");
    sandbox.run(&["complete", "1a2"]).exits(14);
    sandbox.run(&["show", "1a2b3"]).success();
    assert_eq!(sandbox.run(&["complete", "9"]).success().line(), "t_99999999");
}

#[test]
fn id_given_twice_is_a_conflict_and_a_prefix_is_no_way_around_the_worker_guard() {
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", "x"]).success().line().to_owned();
    let mut command = sandbox.command(&["complete", &id[..6]]);
    command.env("HERMES_KANBAN_TASK", &id).env("HERMES_KANBAN_RUN_ID", "99");
    sandbox.finish(command, b"").exits(14);
    let mut command = sandbox.command(&["complete", &id]);
    command.env("HERMES_KANBAN_TASK", &id).env("HERMES_KANBAN_RUN_ID", "x");
    sandbox.finish(command, b"").exits(12).says("HERMES_KANBAN_RUN_ID");
    sandbox.run(&["complete", &id, &id[2..]]).exits(14).says("named twice");
    assert_eq!(status(&sandbox, &id), "ready");
}

/// What every id begins with names no task, not even the only one: a script's empty variable must not hit it.
#[test]
fn the_beginning_of_every_id_names_none() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["complete", "t_"]).exits(13);
    let only = create(&sandbox, &["the only one"]);
    for typed in ["t_", "t"] {
        sandbox.run(&["complete", typed]).exits(14).says(&only);
        sandbox.run(&["show", typed]).exits(14).says(&only);
    }
    for verb in ["complete", "show"] {
        sandbox.run(&[verb, ""]).exits(2).says("names no task");
    }
    let lines = "{\"title\":\"x\"}\n".repeat(30);
    sandbox.run_with(&["create", "--from", "-"], lines).success();
    let many = sandbox.run(&["show", "t_"]).exits(14).says(" and more");
    assert_eq!(many.stderr.lines().next().unwrap().matches("t_").count(), 11, "{many}");
    assert_eq!(status(&sandbox, &only), "ready");
}
