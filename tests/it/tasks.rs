//! `init`, `create`, `complete`, `list`, `show` and `stats`: rows, ids, formats, refusals, and what must not change.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::Sandbox;
use crate::support::sandbox::{NOW, Output};

fn data(output: &Output) -> Value {
    let envelope: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(envelope["schema_version"], 1);
    envelope["data"].clone()
}

fn count(sandbox: &Sandbox, sql: &str) -> i64 {
    let connection = Connection::open(sandbox.board()).unwrap();
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn change(sandbox: &Sandbox, sql: &str) {
    Connection::open(sandbox.board()).unwrap().execute_batch(sql).unwrap();
}

fn create(sandbox: &Sandbox, args: &[&str]) -> String {
    let args: Vec<&str> = ["create"].iter().chain(args).copied().collect();
    sandbox.run(&args).success().line().to_owned()
}

fn status(sandbox: &Sandbox, id: &str) -> String {
    data(&sandbox.run(&["show", id, "--json"]).success())["task"]["status"].as_str().unwrap().to_owned()
}

#[test]
fn init_makes_one_board_and_then_says_so() {
    let sandbox = Sandbox::new();
    let made = sandbox.run(&["init", "--json"]).success().says("Created the board");
    assert_eq!(data(&made)["created"], true);
    let header = std::fs::read(sandbox.board()).unwrap();
    let version = if data(&made)["journal_mode"] == "wal" { 2 } else { 1 };
    assert_eq!((header[18], header[19]), (version, version));
    let before = sandbox.photograph();
    sandbox.run(&["init"]).success().says("there already");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn init_makes_the_directories_on_the_way() {
    let sandbox = Sandbox::new();
    std::fs::remove_dir(sandbox.root()).unwrap();
    sandbox.run(&["init", "--dry-run"]).success().says("would create");
    assert!(!sandbox.root().exists());
    sandbox.run(&["init"]).success();
    assert!(sandbox.board().exists());
}

#[test]
fn init_refuses_where_a_board_was_lost() {
    for leftover in ["kanban.db-wal", "kanban.db-journal", "kanban.db.corrupt.0123456789abcdef.bak"] {
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.root().join(leftover), b"rows").unwrap();
        let before = sandbox.photograph();
        sandbox.run(&["init"]).exits(4).says("recover");
        assert_eq!(sandbox.photograph(), before, "{leftover}");
    }
}

#[test]
fn init_leaves_other_files_alone() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), b"").unwrap();
    sandbox.run(&["init"]).exits(10);
    std::fs::write(sandbox.board(), vec![7; 4096]).unwrap();
    sandbox.run(&["init"]).exits(4);
    std::fs::remove_file(sandbox.board()).unwrap();
    change(&sandbox, "CREATE TABLE mine (x)");
    for verb in [
        vec!["init"],
        vec!["list"],
        vec!["stats"],
        vec!["show", "x"],
        vec!["create", "x"],
        vec!["complete", "x"],
    ] {
        sandbox.run(&verb).exits(10).says("holds no board");
    }
}

#[test]
fn create_prints_the_id_alone() {
    let sandbox = Sandbox::with_board();
    let created =
        sandbox.run(&["create", "  a title ", "--assignee", " Coder "]).success().says("Created t_");
    let id = created.line().to_owned();
    assert_eq!(created.stdout, format!("{id}\n"));
    assert!(id.len() == 10 && id.starts_with("t_"), "{id}");
    let task = data(&sandbox.run(&["create", "b", "--json", "--skill", "x"]).success());
    assert_eq!(
        (&task["title"], &task["skills"], &task["created_by"]),
        (&json!("b"), &json!(["x"]), &json!("user"))
    );
    assert_eq!((&task["created_at"], &task["created_at_utc"]), (&json!(NOW), &json!("2026-05-28T20:26:40Z")));
    let shown = data(&sandbox.run(&["show", &id, "--json"]).success());
    assert_eq!((&shown["task"]["title"], &shown["task"]["assignee"]), (&json!("a title"), &json!("coder")));
    assert_eq!(shown["events"][0]["kind"], "created");
}

#[test]
fn create_refuses_what_hermes_refuses() {
    let sandbox = Sandbox::with_board();
    for (args, code) in [
        (vec!["create", "  "], 2),
        (vec!["create"], 2),
        (vec!["create", "x", "--branch", "b"], 2),
        (vec!["create", "x", "--workspace", "cloud"], 2),
        (vec!["create", "x", "--max-retries", "0"], 2),
        (vec!["create", "x", "--max-runtime", "soon"], 2),
        (vec!["create", "x", "--skill", "a,b"], 2),
        (vec!["create", "x", "--skill", "Terminal"], 2),
        (vec!["create", "x", "--assignee", " "], 2),
        (vec!["create", "x", "--initial-status", "done"], 2),
        (vec!["create", "x", "--parent", "t_00000000"], 13),
    ] {
        let refused = sandbox.run(&args).exits(code);
        assert_eq!(refused.stdout, "", "{args:?}");
    }
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 0);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), 0);
}

#[test]
fn status_follows_the_parents() {
    let sandbox = Sandbox::with_board();
    let parent = create(&sandbox, &["parent"]);
    let child = create(&sandbox, &["child", "--parent", &parent[2..7]]);
    let triage = create(&sandbox, &["raw", "--triage", "--parent", &parent]);
    let blocked = create(&sandbox, &["held", "--initial-status", "blocked"]);
    assert_eq!([&child, &triage, &blocked].map(|id| status(&sandbox, id)), ["todo", "triage", "blocked"]);
    sandbox.run(&["complete", &parent]).success().says("became ready");
    // The cascade frees the blocked one too: nobody has asked for its block with an event (board-format.md 4.2).
    assert_eq!([&child, &triage, &blocked].map(|id| status(&sandbox, id)), ["ready", "triage", "ready"]);
    let after = create(&sandbox, &["late child", "--parent", &parent]);
    assert_eq!(status(&sandbox, &after), "ready");
}

#[test]
fn an_idempotency_key_makes_one_task() {
    let sandbox = Sandbox::with_board();
    let first = create(&sandbox, &["x", "--idempotency-key", "k"]);
    let again = sandbox.run(&["create", "y", "--idempotency-key", "k"]).success().says("exists already");
    assert_eq!(again.line(), first);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 1);
}

#[test]
fn dry_runs_write_nothing_and_exit_alike() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    let before = dump(&sandbox);
    let dry = sandbox.run(&["create", "y", "-n"]).success().says("Dry run");
    assert_eq!(dry.stdout, "");
    sandbox.run(&["create", "y", "--parent", "zzz", "-n"]).exits(13);
    sandbox.run(&["complete", &id, "-n"]).success().says("Dry run");
    sandbox.run(&["complete", "zzz", "-n"]).exits(13);
    assert_eq!(dump(&sandbox), before);
}

fn dump(sandbox: &Sandbox) -> Vec<String> {
    let connection = Connection::open(sandbox.board()).unwrap();
    let mut lines = Vec::new();
    for table in ["tasks", "task_events", "task_runs", "task_links"] {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = (0..width).map(|at| format!("{:?}", row.get_ref(at).unwrap()));
            lines.push(format!("{table} {}", cells.collect::<Vec<_>>().join(" ")));
        }
    }
    lines
}

#[test]
fn many_are_created_in_order_in_one_transaction() {
    let sandbox = Sandbox::with_board();
    let lines = "{\"title\":\"one\",\"priority\":2}\n\n{\"title\":\"two\",\"parents\":[\"#1\"],\"skills\":[\"s\"]}\n\
                 {\"title\":\"three\",\"parents\":\"#3\",\"assignee\":\"B\"}";
    let created = sandbox.run_with(&["create", "--from", "-", "--tenant", "acme"], lines).success();
    let ids: Vec<&str> = created.stdout.lines().collect();
    assert_eq!(ids.len(), 3);
    let shown = data(&sandbox.run(&["show", ids[2], "--json"]).success());
    assert_eq!((&shown["parents"], &shown["task"]["assignee"]), (&json!([ids[1]]), &json!("b")));
    assert_eq!((&shown["task"]["tenant"], &shown["task"]["status"]), (&json!("acme"), &json!("todo")));
    let events = data(&sandbox.run(&["show", ids[1], "--json"]).success())["events"].clone();
    assert_eq!(events[0]["payload"]["parents"], json!([ids[0]]));

    let file = sandbox.work().join("tasks.jsonl");
    for (bad, word) in [
        ("{\"title\":\"ok\"}\n{\"title\":\"x\",\"colour\":\"red\"}", "line 2"),
        ("{\"title\":\"ok\"}\n\n{\"title\":\" \"}", "line 3"),
        ("{\"title\":\"ok\",\"parents\":[\"#2\"]}\n{\"title\":\"b\"}", "line 1"),
        ("{\"title\":\"ok\"}\nnot json", "line 2"),
        ("{\"title\":\"\u{fc}\"}\n[1]", "line 2"),
    ] {
        std::fs::write(&file, bad).unwrap();
        let refused = sandbox.run(&["create", "--from", file.to_str().unwrap()]).exits(2).says(word);
        assert_eq!(refused.stdout, "");
    }
    std::fs::write(&file, "{\"title\":\"ok\"}\n{\"title\":\"b\",\"parents\":[\"t_00000000\"]}").unwrap();
    sandbox.run(&["create", "--from", file.to_str().unwrap()]).exits(13).says("line 2");
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 3);
}

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
    // Hermes 0.19.0 dies on this one (board-format.md 4.4).
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
fn the_list_filters_and_sorts_as_hermes_does() {
    let sandbox = Sandbox::with_board();
    change(
        &sandbox,
        "INSERT INTO tasks (id, title, status, created_at, priority, assignee, tenant, session_id, started_at) VALUES
         ('a', 'z', 'ready', 3, 0, 'bob', NULL, 's', NULL), ('b', 'y', 'todo', 2, 5, 'ann', 'acme', NULL, 9),
         ('c', 'x', 'done', 1, 0, 'bob', 'acme', NULL, 8), ('d', 'w', 'archived', 0, 9, NULL, NULL, NULL, NULL)",
    );
    let ids = |args: &[&str]| {
        let args: Vec<&str> = ["ls"].iter().chain(args).copied().collect();
        let listed = sandbox.run(&args).success();
        listed.stdout.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<String>()
    };
    for (args, expected) in [
        (vec![], "bca"),
        (vec!["--archived"], "dbca"),
        (vec!["--status", "archived"], "d"),
        (vec!["--assignee", " BOB "], "ca"),
        (vec!["--tenant", "acme"], "bc"),
        (vec!["--session", "s"], "a"),
        (vec!["--sort", "created"], "cba"),
        (vec!["--sort", "created-desc"], "abc"),
        (vec!["--sort", "priority-desc"], "cab"),
        (vec!["--sort", "title"], "cba"),
        (vec!["--sort", "status"], "cab"),
        (vec!["--sort", "assignee"], "bca"),
        (vec!["--sort", "updated"], "bca"),
        (vec!["--limit", "1"], "b"),
    ] {
        assert_eq!(ids(&args), expected, "{args:?}");
    }
    let mut mine = sandbox.command(&["list", "--mine"]);
    mine.env("HERMES_PROFILE", "ann");
    assert!(sandbox.finish(mine, b"").success().stdout.starts_with("b\t"));
    sandbox.run(&["list", "--sort", "colour"]).exits(2);
    sandbox.run(&["list", "--status", "colour"]).exits(2);
    assert_eq!(data(&sandbox.run(&["list", "--json", "--status", "review"]).success()), json!([]));
}

#[test]
fn stats_count_what_is_not_archived() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["a", "--assignee", "bob"]);
    let done = create(&sandbox, &["b"]);
    sandbox.run(&["complete", &done]).success();
    change(&sandbox, "INSERT INTO tasks (id, title, status, created_at) VALUES ('x', 'x', 'archived', 1)");
    change(&sandbox, "UPDATE tasks SET created_at = created_at - 60 WHERE status = 'ready'");
    let stats = data(&sandbox.run(&["stats", "--json"]).success());
    assert_eq!(stats["by_status"], json!({"done": 1, "ready": 1}));
    assert_eq!(stats["by_assignee"], json!({"bob": {"ready": 1}}));
    assert_eq!((&stats["oldest_ready_age_seconds"], &stats["now"]), (&json!(60), &json!(NOW)));
    let plain = sandbox.run(&["stats"]).success();
    assert_eq!(
        plain.stdout,
        "status\tdone\t1\nstatus\tready\t1\nassignee\tbob\tready\t1\noldest_ready_age_seconds\t60\n"
    );
}

#[test]
fn reading_leaves_no_trace() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    // Cut the WAL, so that the reading verbs find a board at rest.
    change(&sandbox, "PRAGMA wal_checkpoint(TRUNCATE)");
    let before = sandbox.photograph();
    for verb in [
        vec!["list"],
        vec!["stats"],
        vec!["show", &id],
        vec!["list", "--all-boards"],
        vec!["stats", "--all-boards"],
    ] {
        sandbox.run(&verb).success();
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
}

#[test]
fn all_boards_are_listed_with_their_names() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["here"]);
    let folder = sandbox.root().join("kanban/boards/side");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("board.json"), b"{\"default_workdir\": \"/srv/repo\"}").unwrap();
    sandbox.run(&["--board", "side", "init"]).success();
    let there = create(&sandbox, &["there", "--board", "side", "--workspace", "worktree"]);
    let shown = data(&sandbox.run(&["show", &there, "--board", "side", "--json"]).success());
    assert_eq!(shown["task"]["workspace_path"], "/srv/repo");
    let listed = data(&sandbox.run(&["list", "--all-boards", "--json"]).success());
    let pairs: Vec<_> =
        listed.as_array().unwrap().iter().map(|task| (&task["board"], &task["title"])).collect();
    assert_eq!(pairs, [(&json!("default"), &json!("here")), (&json!("side"), &json!("there"))]);
    std::fs::write(folder.join("kanban.db"), vec![7; 4096]).unwrap();
    sandbox.run(&["list", "--all-boards"]).exits(4).says("side");
}

#[test]
fn a_boards_trigger_does_not_run_and_writing_is_refused() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x"]);
    change(&sandbox, "CREATE TRIGGER evil AFTER UPDATE ON tasks BEGIN DELETE FROM task_events; END");
    sandbox.run(&["complete", &id]).exits(12).says("trigger evil");
    sandbox.run(&["create", "y"]).exits(12);
    sandbox.run(&["list"]).success();
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events"), 1);
}

#[test]
fn unknown_columns_are_shown_and_newer_boards_refused_or_guarded() {
    let sandbox = Sandbox::with_board();
    change(
        &sandbox,
        "ALTER TABLE tasks ADD COLUMN colour TEXT DEFAULT 'red'; ALTER TABLE tasks ADD COLUMN raw BLOB",
    );
    let id = create(&sandbox, &["x"]);
    change(&sandbox, "UPDATE tasks SET raw = x'ff00', body = CAST(x'c328' AS TEXT)");
    let task = data(&sandbox.run(&["show", &id, "--json"]).success())["task"].clone();
    assert_eq!(task["extra"], json!({"colour": "red", "raw": {"bytes_hex": "ff00"}}));
    assert_eq!(task["body"], json!({"bytes_hex": "c328"}));
    change(&sandbox, "ALTER TABLE tasks ADD COLUMN provider_override TEXT");
    let child = create(&sandbox, &["child", "--parent", &id]);
    change(&sandbox, "UPDATE tasks SET status = 'ready'");
    sandbox.run(&["complete", &child]).exits(14).says("parents");
    change(&sandbox, "PRAGMA user_version = 3");
    sandbox.run(&["create", "y"]).exits(12).says("user_version");
    sandbox.run(&["list"]).success();
}

#[test]
fn hostile_text_stays_in_its_field() {
    let sandbox = Sandbox::with_board();
    let title = "a\u{1b}[31mred\u{202e}\nnext\tcell";
    let id = create(&sandbox, &[title]);
    let listed = sandbox.run(&["list"]).success();
    assert_eq!(listed.stdout.lines().count(), 1);
    assert_eq!(listed.line().split('\t').count(), 7);
    assert_eq!(data(&sandbox.run(&["show", &id, "--json"]).success())["task"]["title"], title);
}

#[test]
fn one_id_given_twice_is_one_task_and_a_prefix_is_no_way_around_the_worker_guard() {
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", "x"]).success().line().to_owned();
    let mut command = sandbox.command(&["complete", &id[..6]]);
    command.env("HERMES_KANBAN_TASK", &id).env("HERMES_KANBAN_RUN_ID", "99");
    sandbox.finish(command, b"").exits(14);
    sandbox.run(&["complete", &id, &id[2..]]).success();
}

#[test]
fn a_signal_ends_the_wait_for_input_and_for_hermes_locks() {
    let sandbox = Sandbox::with_board();
    let lock = std::fs::File::open(format!("{}.init.lock", sandbox.board().display())).unwrap();
    lock.lock().unwrap();
    for args in [&["create", "--from", "-"][..], &["journal-mode", "delete"]] {
        let mut command = sandbox.command(args);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(400));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        // Its input stays open: only the signal can end it.
        let input = child.stdin.take();
        let status = child.wait().unwrap();
        drop(input);
        let code = std::os::unix::process::ExitStatusExt::signal(&status);
        // Without the right to see every process, the change is refused before it waits.
        assert!(code == Some(15) || status.code() == Some(12), "{args:?}: {status}");
    }
    let mode = sandbox.run(&["journal-mode", "--json"]).success().data();
    assert_eq!(mode["after"], "wal");
}
