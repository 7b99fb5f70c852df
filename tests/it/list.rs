//! `list`, `show` and `stats`: Hermes' filters and orders, counts, unknown columns, several boards.

use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, create, data};
use crate::support::sandbox::NOW;

#[test]
fn the_list_filters_and_sorts_as_hermes_does() {
    let sandbox = Sandbox::with_board();
    change(
        &sandbox,
        "INSERT INTO tasks (id, title, status, created_at, priority, assignee, tenant, session_id, started_at) VALUES
         ('a', 'z', 'ready', 3, 0, 'bob', NULL, 's', NULL), ('b', 'y', 'todo', 2, 5, 'ann', 'acme', NULL, 9),
         ('c', 'x', 'done', 1, 0, 'bob', 'acme', NULL, 8), ('d', 'w', 'archived', 0, 9, NULL, NULL, NULL, NULL);
         INSERT INTO task_links VALUES ('c', 'a')",
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
        (vec!["--status", "ready", "--status", "done"], "ca"),
        (vec!["--assignee", "ann", "--assignee", "bob", "--tenant", "acme"], "bc"),
        (vec!["--no-assignee", "--archived"], "d"),
        (vec!["--no-assignee", "--assignee", "ann", "--archived"], "db"),
        (vec!["--since", "@2"], "ba"),
        (vec!["--before", "1970-01-01T00:00:02Z"], "c"),
        (vec!["--text", "Y"], "b"),
        (vec!["--text", "%"], ""),
        (vec!["--parent", "c"], "a"),
        (vec!["--sort", "completed-desc"], "cba"),
    ] {
        assert_eq!(ids(&args), expected, "{args:?}");
    }
    let mut mine = sandbox.command(&["list", "--mine"]);
    mine.env("HERMES_PROFILE", "ann");
    assert!(sandbox.finish(mine, b"").success().stdout.starts_with("b\t"));
    let chosen = sandbox.run(&["list", "--columns", "created_at,id", "--limit", "1"]).success();
    assert_eq!(chosen.stdout, "1970-01-01T00:00:02Z\tb\n");
    sandbox.run(&["list", "--columns", "colour"]).exits(2);
    sandbox.run(&["list", "--parent", "nothing"]).exits(13);
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
fn a_column_whose_name_is_not_utf8_is_shown_like_any_other() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x", "--branch", "b", "--workspace", "worktree"]);
    sandbox.run(&["checkpoint"]).success();
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    let name = b"branch_name";
    for at in 0..bytes.len() - name.len() {
        if bytes[at..].starts_with(name) {
            bytes[at + 3] = 0x94;
        }
    }
    std::fs::write(sandbox.board(), bytes).unwrap();
    sandbox.run(&["list"]).success();
    let shown = data(&sandbox.run(&["show", &id, "--json"]).success())["task"].clone();
    assert_eq!(shown["extra"], json!({"bra\u{fffd}ch_name": "b"}));
    sandbox.run(&["create", "y", "--json"]).success();
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
fn a_filter_that_is_repeated_is_a_union() {
    let sandbox = Sandbox::with_board();
    let one = sandbox.run(&["create", "one", "--assignee", "alice"]).success().line().to_owned();
    sandbox.run(&["create", "two", "--assignee", "bob"]).success();
    sandbox.run(&["create", "three", "--assignee", "carol"]).success();
    sandbox.run(&["complete", &one, "--result", "done"]).success();
    let listed =
        |args: &[&str]| sandbox.run(&[&["list"][..], args].concat()).success().stdout.lines().count();
    assert_eq!(listed(&["--status", "ready", "--status", "done"]), 3);
    assert_eq!(listed(&["--status", "done"]), 1);
    assert_eq!(listed(&["--assignee", "alice", "--assignee", "bob", "--status", "ready"]), 1);
}
