//! `create`: ids, rows, refusals, many at once, and dry runs that write nothing.

use std::collections::BTreeSet;
use std::process::Stdio;
use std::sync::PoisonError;

use rusqlite::Connection;
use serde_json::json;

use crate::support::rows::{count, create, data, status};
use crate::support::sandbox::{FORKS, NOW};
use crate::support::{Sandbox, damage};

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
    // The cascade frees the blocked one too: nobody has asked for its block with an event (docs/board-format.md, 4.2).
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
fn a_number_below_the_range_is_told_the_range() {
    let sandbox = Sandbox::with_board();
    for args in [
        &["create", "x", "--max-retries", "-1"][..],
        &["list", "--limit", "-1"],
        &["backup", "--keep", "-1"],
        &["list", "--timeout", "-1"],
    ] {
        let refused = sandbox.run(args).exits(2).says("invalid value '-1'");
        assert!(!refused.stderr.contains("unexpected argument"), "{refused}");
    }
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 0);
}

/// Hermes says so too; the lock is the one that a dispatching gateway holds.
#[test]
fn an_assigned_task_without_a_gateway_is_told_to_wait() {
    let sandbox = Sandbox::with_board();
    let hint = "No gateway dispatches";
    sandbox.run(&["create", "x", "--assignee", "coder"]).success().says(hint);
    for args in [&["create", "x"][..], &["create", "x", "--assignee", "coder", "--triage"]] {
        let made = sandbox.run(args).success();
        assert!(!made.stderr.contains(hint), "{made}");
    }
    std::fs::create_dir_all(sandbox.root().join("kanban")).unwrap();
    let lock = std::fs::File::create(sandbox.root().join("kanban/.dispatcher.lock")).unwrap();
    lock.lock().unwrap();
    let made = sandbox.run(&["create", "x", "--assignee", "coder"]).success();
    assert!(!made.stderr.contains(hint), "{made}");
}

/// SQLite appends behind the last leaf without a look at the keys above it; who looks for the row goes by them. And where the
/// last leaf is another's copy, the number that comes next is one that a task has already.
#[test]
fn what_cannot_be_found_again_is_not_acknowledged() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 60, 5);
    let board = Connection::open(sandbox.board()).unwrap();
    let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'tasks'";
    let root = board.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize;
    board.close().unwrap();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    let at = (root - 1) * 4096;
    let short = |place: usize| usize::from(u16::from_be_bytes([bytes[place], bytes[place + 1]]));
    let page = |place: usize| u32::from_be_bytes(bytes[place..place + 4].try_into().unwrap()) as usize;
    let (first, last) = (at + short(at + 12), at + short(at + 10 + 2 * short(at + 3)));
    assert!(bytes[at] == 5 && bytes[last + 4] < 61, "no interior page with small keys");
    let mut keys = bytes.clone();
    keys[last + 4] = 0x7f;
    let (from, to) = ((page(first) - 1) * 4096, (page(at + 8) - 1) * 4096);
    let mut leaves = bytes.clone();
    leaves.copy_within(from..from + 4096, to);
    for hurt in [keys, leaves] {
        std::fs::write(sandbox.board(), &hurt).unwrap();
        for args in [&["create", "one more"][..], &["create", "one more", "--json"]] {
            let output = sandbox.run(args).exits(4);
            assert!(output.stderr.contains("recover --dry-run"), "{output}");
            assert!(std::fs::read(sandbox.board()).unwrap() == hurt, "the board was changed");
        }
    }
}

/// What another program pipes in has bounds, each with an error that says which.
#[test]
fn input_is_read_in_pieces_within_its_bounds() {
    let sandbox = Sandbox::with_board();
    let bom = sandbox.run_with(&["create", "--from", "-"], b"\xef\xbb\xbf{\"title\": \"one\"}\n").success();
    assert!(bom.line().starts_with("t_"), "{bom}");
    let mut long = b"{\"title\": \"two\"}\n".to_vec();
    long.extend(vec![b'x'; 33 << 20]);
    sandbox
        .run_with(&["create", "--from", "-"], &long)
        .exits(2)
        .says("line 2 of the input is longer than 32 MiB");
    let body = "b".repeat(17 << 20);
    let line = format!("{{\"title\": \"three\", \"body\": \"{body}\"}}\n");
    sandbox.run_with(&["create", "--from", "-"], line).exits(2).says("longer than 16 MiB");
    assert_eq!(sandbox.run(&["list"]).success().stdout.lines().count(), 1);
    let mut command = sandbox.command(&["list"]);
    command.env("KANBANCTL_NOW", "yesterday");
    sandbox.finish(command, b"").exits(2).says("KANBANCTL_NOW");
}

/// Two hundred processes at once with one key: one task, and each prints its id.
#[test]
fn two_hundred_racing_creates_with_one_key_make_one_task() {
    let sandbox = Sandbox::with_board();
    let mut racing = Vec::new();
    for number in 0..200 {
        let mut command = sandbox.command(&[
            "create",
            &format!("racer {number}"),
            "--idempotency-key",
            "k",
            "--timeout",
            "5m",
        ]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let _alone = FORKS.write().unwrap_or_else(PoisonError::into_inner);
        racing.push(command.spawn().unwrap());
    }
    let mut ids = BTreeSet::new();
    for racer in racing {
        let output = racer.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        ids.insert(String::from_utf8(output.stdout).unwrap());
    }
    assert_eq!(ids.len(), 1, "{ids:?}");
    assert_eq!(count(&sandbox, "SELECT count(*) FROM tasks"), 1);
    assert_eq!(count(&sandbox, "SELECT count(*) FROM task_events WHERE kind = 'created'"), 1);
}
