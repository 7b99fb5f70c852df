//! `list`, `show` and `stats`: Hermes' filters and orders, counts, unknown columns, several boards.

use std::io::{BufRead, BufReader, Read};
use std::process::{ChildStdout, Stdio};
use std::sync::PoisonError;

use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, create, data};
use crate::support::sandbox::{FORKS, NOW};

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

/// A board of `count` tasks with bodies, written behind kanbanctl's back in the given journal mode and closed.
fn long_board(count: u32, mode: &str) -> Sandbox {
    let sandbox = Sandbox::with_board();
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    let set: String =
        connection.query_row(&format!("PRAGMA journal_mode={mode}"), [], |row| row.get(0)).unwrap();
    assert_eq!(set, mode);
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
               INSERT INTO tasks(id, title, body, status, created_at) \
               SELECT printf('t_%08x', i), 'task ' || i, printf('%.*c', 1000, 'x'), 'ready', i FROM n";
    connection.execute(sql, [count]).unwrap();
    drop(connection);
    sandbox
}

/// Starts `kanbanctl ARGS`, and the reader of its stdout.
fn started(sandbox: &Sandbox, args: &[&str]) -> (std::process::Child, BufReader<ChildStdout>) {
    let mut command = sandbox.command(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let _alone = FORKS.write().unwrap_or_else(PoisonError::into_inner);
    let mut child = command.spawn().unwrap();
    let out = BufReader::with_capacity(16, child.stdout.take().unwrap());
    (child, out)
}

/// The most memory that a process had, in bytes.
fn most_memory(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

#[test]
fn a_long_list_takes_little_memory_and_no_lock_while_its_reader_rests() {
    const TASKS: u32 = 40_000;
    let sandbox = long_board(TASKS, "delete");
    for (args, lines) in [
        (&["list", "--format", "jsonl"][..], TASKS as usize),
        (&["list", "--json"], 1),
        (&["export"], TASKS as usize + 2),
    ] {
        let (mut child, mut out) = started(&sandbox, args);
        let mut first = vec![0; 16];
        out.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"{\"schema_version"));
        // A reader that held its lock would let no commit through, and this one is not read from.
        sandbox.run(&["comment", "t_00000001", "beside a long list", "--timeout", "60s"]).success();
        let most = most_memory(child.id());
        assert!(most < 40 << 20, "{args:?}: {most} bytes");
        let mut rest = Vec::new();
        out.read_to_end(&mut rest).unwrap();
        assert!(child.wait().unwrap().success());
        let ends = rest.split(|&byte| byte == b'\n').count() - 1;
        let comments = if args[0] == "export" { ends - lines } else { 0 };
        assert_eq!(ends, lines + comments, "{args:?}");
        if args[1..] == ["--json"] {
            let whole: serde_json::Value = serde_json::from_slice(&[first, rest].concat()).unwrap();
            assert_eq!(whole["data"].as_array().unwrap().len(), TASKS as usize);
        }
    }
}

/// The board is read as immutable and written to in the middle: the lines that are out stand for one state of it.
#[test]
fn a_board_that_changes_under_a_long_list_is_never_mixed() {
    const TASKS: u32 = 60_000;
    for (priority, code, lines) in [("0", 0, Some(TASKS as usize + 1)), ("9", 11, None)] {
        let sandbox = long_board(TASKS, "wal");
        let (mut child, mut out) = started(&sandbox, &["list", "--format", "jsonl"]);
        let mut text = String::new();
        out.read_line(&mut text).unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
        sandbox.run(&["create", "new", "--priority", priority]).success();
        rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
        out.read_to_string(&mut text).unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(code), "{said}");
        assert!(text.ends_with('\n'));
        let got = text.lines().count();
        assert!(lines.is_none_or(|lines| got == lines), "{got} lines");
        let mut ids = std::collections::HashSet::new();
        for line in text.lines() {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(ids.insert(line["data"]["id"].as_str().unwrap().to_owned()), "twice: {line}");
        }
        if code == 11 {
            assert!(said.contains("the board changed while it was read"), "{said}");
        }
    }
}
