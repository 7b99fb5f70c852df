//! Commits in a deleted log: named while their process lives, and brought back with those of the main line
//! (tests/incidents.md F13 and 6.1).

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::support::Sandbox;
use crate::support::damage::beside;
use crate::support::hermes::{self, Hermes};
use crate::support::process::Holder;

/// A task with its event, as an unnamed tool would write it.
fn task(id: &str, time: i64) -> String {
    format!(
        "BEGIN; INSERT INTO tasks(id, title, status, created_at) VALUES('{id}', 'title of {id}', 'ready', {time});
         INSERT INTO task_events(task_id, kind, payload, created_at) VALUES('{id}', 'created', NULL, {time}); COMMIT"
    )
}

/// A board on which a live process writes to a log that is gone; `t_00000001` is on the board, two more are in that log.
fn split(sandbox: &Sandbox) -> Holder {
    let mut holder = Holder::on(&sandbox.board());
    holder.execute(&task("t_00000001", 1_780_000_001));
    // What the main line's opener does who believes to be the last: everything into the file, both files gone.
    Connection::open(sandbox.board()).unwrap().execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(beside(&sandbox.board(), suffix)).unwrap();
    }
    holder.execute(&task("t_00000002", 1_780_000_002));
    holder.execute(&task("t_00000003", 1_780_000_003));
    holder
}

fn texts(board: &Path, sql: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(board, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn ids(board: &Path) -> Vec<String> {
    texts(board, "SELECT id FROM tasks ORDER BY id")
}

fn recovered(sandbox: &Sandbox, args: &[&str]) -> (PathBuf, serde_json::Value) {
    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&[&["recover", "--output", new.to_str().unwrap(), "--json"], args].concat());
    (new, output.success().data())
}

#[test]
fn commits_in_a_deleted_log_are_counted_and_brought_back_while_the_process_lives() {
    let sandbox = Sandbox::with_board();
    let mut holder = split(&sandbox);
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    let findings = data["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["id"] == "deleted-files").unwrap();
    assert_eq!(found["severity"], "error");
    assert!(found["subject"].as_str().unwrap().starts_with(&format!("pid {} (", holder.pid())), "{found}");
    assert!(found["message"].as_str().unwrap().contains("2 commits"), "{found}");
    assert_eq!(found["next"], "kanbanctl recover --output NEW.db");

    let before = sandbox.photograph();
    let (new, data) = recovered(&sandbox, &[]);
    assert_eq!(sandbox.photograph(), before);
    assert_eq!(ids(&new), ["t_00000001", "t_00000002", "t_00000003"]);
    assert_eq!(texts(&new, "SELECT task_id FROM task_events ORDER BY id").len(), 3);
    let held = data["sources"].as_array().unwrap().iter().find(|source| source["kind"] == "held").unwrap();
    assert!(held["path"].as_str().unwrap().starts_with(&format!("/proc/{}/fd/", holder.pid())), "{held}");
    // It goes on as if nothing had been.
    holder.execute(&task("t_00000004", 1_780_000_004));
    assert_eq!(holder.query("SELECT count(*) FROM tasks"), "4");
}

/// Whoever does what is advised, step by step, has every row on the board at the end; nothing advises to stop the process
/// before what it holds is saved.
#[test]
fn the_advice_leads_to_a_board_with_every_row() {
    let sandbox = Sandbox::with_board();
    let holder = split(&sandbox);
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    assert!(data["findings"][0]["next"].as_str().unwrap().ends_with("recover --output NEW.db"), "{data}");
    sandbox.run(&["recover", "-n"]).success().says("before they are stopped");
    let refused = sandbox.run(&["recover", "--yes"]).exits(12).says("Do not stop them yet");
    assert!(!refused.stderr.contains("Stop these processes first"), "{refused}");
    sandbox.run(&["recover", "--output", "NEW.db"]).success().says("kanbanctl restore");
    drop(holder);
    sandbox.run(&["restore", "NEW.db", "--yes", "--assume-unused"]).success();
    assert_eq!(ids(&sandbox.board()), ["t_00000001", "t_00000002", "t_00000003"]);
    let data = sandbox.run(&["health", "--json"]).data();
    assert!(data["verdict"] != "damaged", "{data}");
}

#[test]
fn a_process_can_be_named_and_one_that_holds_nothing_is_said_so() {
    let sandbox = Sandbox::with_board();
    let holder = split(&sandbox);
    let pid = holder.pid().to_string();
    let (new, _) = recovered(&sandbox, &["--from-pid", &pid]);
    assert_eq!(ids(&new).len(), 3);
    let me = std::process::id().to_string();
    sandbox.run(&["recover", "--dry-run", "--from-pid", &me]).exits(13).says("holds no deleted file");
    sandbox.run(&["recover", "--dry-run", "--from-pid", "4194304"]).exits(13).says("no process");
}

#[test]
fn a_board_whose_file_is_gone_comes_back_from_the_process_that_has_it() {
    let sandbox = Sandbox::with_board();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute(&task("t_00000001", 1_780_000_001));
    for suffix in ["", "-wal", "-shm"] {
        std::fs::remove_file(beside(&sandbox.board(), suffix)).unwrap();
    }
    holder.execute(&task("t_00000002", 1_780_000_002));
    let (new, _) = recovered(&sandbox, &[]);
    assert_eq!(ids(&new), ["t_00000001", "t_00000002"]);
}

/// tests/incidents.md F13 with the real Hermes: its own length check loses its locks, a plain handle unlinks its log.
#[test]
fn what_hermes_commits_to_a_log_that_is_gone_comes_back() {
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::new().with_real_clock();
    let mut hermes = Hermes::on(&sandbox, &python);
    let mut made = vec![hermes.create("task one")];
    // SQLite of today unlinks only where the index's locks are lost too, as Hermes' snapshot does.
    hermes.lose_locks(&beside(&sandbox.board(), "-shm"));
    let mut plain = Holder::on(&sandbox.board());
    plain.close();
    assert!(!hermes.unlinked().is_empty(), "nothing was unlinked: the test proves nothing");
    for title in ["task two", "task three"] {
        made.push(hermes.create(title));
    }
    made.sort();
    let output = sandbox.run(&["health"]).exits(4);
    assert!(output.stdout.contains(&format!("pid {} (", hermes.pid())), "{output}");
    assert!(output.stdout.contains("2 commits"), "{output}");
    let (new, _) = recovered(&sandbox, &[]);
    assert_eq!(ids(&new), made);
    std::fs::remove_file(&new).unwrap();
    // The main line goes on in a log of its own.
    for title in ["main one", "main two"] {
        made.push(sandbox.run(&["create", title]).success().line().to_owned());
    }
    made.sort();
    let (new, _) = recovered(&sandbox, &[]);
    assert_eq!(ids(&new), made);
    agrees(&new);
    let installing = sandbox.run(&["recover", "--yes"]).exits(12);
    installing.says(&format!("process {}", hermes.pid()));
    // The loss that this is about: without a recovery they are gone with the process.
    drop(hermes);
    assert_eq!(ids(&sandbox.board()).len(), 3);
    sandbox.run(&["recover", "--yes", "--assume-unused", new.to_str().unwrap()]).success();
    assert_eq!(ids(&sandbox.board()), made);
}

/// Every row of a table as text, by its columns.
fn rows(board: &Path, table: &str, columns: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = columns.iter().map(|column| format!("quote({column})")).collect();
    texts(board, &format!("SELECT {} FROM {table} ORDER BY 1", quoted.join(" || '|' || ")))
}

/// What both histories must have in common: no row without its task, no run or event that is named and not there.
fn agrees(board: &Path) {
    for (sql, what) in [
        (
            "SELECT 'x' FROM task_events WHERE task_id NOT IN (SELECT id FROM tasks)",
            "an event without its task",
        ),
        ("SELECT 'x' FROM task_runs WHERE task_id NOT IN (SELECT id FROM tasks)", "a run without its task"),
        (
            "SELECT 'x' FROM task_events e LEFT JOIN task_runs r ON r.id = e.run_id
             WHERE e.run_id IS NOT NULL AND r.task_id IS NOT e.task_id",
            "an event with another task's run",
        ),
        (
            "SELECT 'x' FROM tasks t LEFT JOIN task_runs r ON r.id = t.current_run_id
             WHERE t.current_run_id IS NOT NULL AND r.task_id IS NOT t.id",
            "a task with another's run",
        ),
        (
            "SELECT 'x' FROM task_events WHERE kind = 'claimed' AND json_extract(payload, '$.run_id') IS NOT run_id",
            "a payload that names another run than its event",
        ),
        (
            "SELECT 'x' FROM sqlite_sequence WHERE seq < (SELECT max(id) FROM task_events) AND name = 'task_events'",
            "a sequence below its numbers",
        ),
        ("SELECT 'x' FROM pragma_integrity_check WHERE integrity_check <> 'ok'", "damage"),
    ] {
        assert_eq!(texts(board, sql), Vec::<String>::new(), "{what}");
    }
}

/// A claimed task: run, pointer and event, as `claim` writes them.
fn claim(id: &str, time: i64) -> String {
    format!(
        "BEGIN;
         INSERT INTO task_runs(task_id, profile, status, started_at) VALUES('{id}', 'coder', 'running', {time});
         UPDATE tasks SET status = 'running', started_at = {time}, claim_lock = 'h:1', claim_expires = {time} + 900,
                current_run_id = (SELECT max(id) FROM task_runs) WHERE id = '{id}';
         INSERT INTO task_events(task_id, run_id, kind, payload, created_at)
                SELECT '{id}', max(id), 'claimed', '{{\"lock\": \"h:1\", \"run_id\": ' || max(id) || '}}', {time}
                FROM task_runs;
         COMMIT"
    )
}

#[test]
fn both_histories_survive_when_the_main_line_has_gone_on() {
    let sandbox = Sandbox::with_board();
    let mut holder = split(&sandbox);
    holder.execute(&claim("t_00000003", 1_780_000_004));
    let mut main = Holder::on(&sandbox.board());
    for sql in [
        task("t_0000000a", 1_780_000_002),
        task("t_0000000b", 1_780_000_003),
        claim("t_0000000b", 1_780_000_005),
    ] {
        main.execute(&sql);
    }
    main.execute("INSERT INTO task_comments(task_id, author, body, created_at) VALUES('t_00000001','a','main',1780000006)");
    holder.execute("INSERT INTO task_comments(task_id, author, body, created_at) VALUES('t_00000001','b','held',1780000006)");
    let events = ["task_id", "kind", "created_at"];
    let of_main =
        rows(&sandbox.board(), "task_events", &["id", "task_id", "run_id", "kind", "payload", "created_at"]);

    let (new, data) = recovered(&sandbox, &[]);
    assert_eq!(ids(&new), ["t_00000001", "t_00000002", "t_00000003", "t_0000000a", "t_0000000b"]);
    // The main line keeps its numbers.
    let kept = rows(&new, "task_events", &["id", "task_id", "run_id", "kind", "payload", "created_at"]);
    assert!(of_main.iter().all(|event| kept.contains(event)), "{of_main:#?}\n{kept:#?}");
    let all = rows(&new, "task_events", &events);
    assert_eq!(all.len(), 7, "{all:#?}");
    assert_eq!(rows(&new, "task_comments", &["body"]), ["'held'", "'main'"]);
    assert_eq!(rows(&new, "task_runs", &["task_id"]), ["'t_00000003'", "'t_0000000b'"]);
    agrees(&new);
    assert_eq!(data["tables"]["task_events"]["renumbered"], 3, "{data}");
    assert_eq!(data["tables"]["tasks"]["lost"], 0);
}

/// Many tasks with bodies, so that leaves fill and split.
fn tasks(mark: char, count: u32, time: i64) -> String {
    let one = |n: u32| {
        let (id, time) = (format!("t_{mark}{n:07}"), time + i64::from(n));
        let body = "w".repeat((n as usize * 97) % 900);
        format!(
            "INSERT INTO tasks(id, title, body, status, created_at) VALUES('{id}', 'x', '{body}', 'ready', {time});
             INSERT INTO task_events(task_id, kind, created_at) VALUES('{id}', 'created', {time});"
        )
    };
    format!("BEGIN; {} COMMIT;", (0..count).map(one).collect::<String>())
}

#[test]
fn both_histories_survive_where_pages_have_split_in_both() {
    // The main line's pages in its own log alone, and written back into the file that the held log was written for.
    for written_back in [false, true] {
        for (of_held, of_main) in [(3, 120), (120, 3), (150, 150)] {
            let sandbox = Sandbox::with_board();
            let board = sandbox.board();
            Connection::open(&board).unwrap().execute_batch(&tasks('c', 150, 1_780_000_000)).unwrap();
            let mut holder = Holder::on(&board);
            holder.execute("PRAGMA wal_autocheckpoint=0");
            holder.execute(&task("t_00000001", 1_780_001_000));
            Connection::open(&board).unwrap().execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
            for suffix in ["-wal", "-shm"] {
                std::fs::remove_file(beside(&board, suffix)).unwrap();
            }
            holder.execute(&tasks('b', of_held, 1_780_002_000));
            holder.execute(
                "UPDATE tasks SET status = 'done', completed_at = 1780003000 WHERE id = 't_c0000007'",
            );
            holder.execute(
                "INSERT INTO task_events(task_id, kind, created_at) VALUES('t_c0000007', 'completed', 1780003000)",
            );
            let mut main = Holder::on(&board);
            main.execute(&tasks('a', of_main, 1_780_002_000));
            if written_back {
                main.execute("PRAGMA wal_checkpoint(PASSIVE)");
            }
            let (new, data) = recovered(&sandbox, &[]);
            let found = ids(&new);
            let count = |mark: &str| found.iter().filter(|id| id.starts_with(mark)).count();
            let scene = format!("{written_back} {of_held} {of_main}: {data}");
            assert_eq!(
                (count("t_c"), count("t_b"), count("t_a")),
                (150, of_held as usize, of_main as usize),
                "{scene}"
            );
            assert_eq!(texts(&new, "SELECT status FROM tasks WHERE id = 't_c0000007'"), ["done"], "{scene}");
            let events = texts(&new, "SELECT count(*) || '' FROM task_events");
            assert_eq!(events, [(150 + 1 + of_held + 1 + of_main).to_string()], "{scene}");
            let bodies =
                texts(&new, "SELECT 'x' FROM tasks WHERE length(body) <> (substr(id, 4) * 97) % 900");
            assert_eq!(bodies.len(), 0, "{scene}");
            agrees(&new);
        }
    }
}

#[test]
fn nothing_is_installed_before_the_process_is_gone() {
    let sandbox = Sandbox::with_board();
    let holder = split(&sandbox);
    let before = sandbox.photograph();
    let refused = sandbox.run(&["recover", "--yes"]).exits(12);
    refused.says(&format!("process {}", holder.pid())).says("files that are deleted");
    assert_eq!(sandbox.photograph(), before);
    // First the rows, then the process, then the place.
    let (new, _) = recovered(&sandbox, &[]);
    drop(holder);
    let waiver: &[&str] = if rustix::process::geteuid().is_root() { &[] } else { &["--assume-unused"] };
    sandbox.run(&[&["recover", "--yes", new.to_str().unwrap()], waiver].concat()).success();
    assert_eq!(ids(&sandbox.board()), ["t_00000001", "t_00000002", "t_00000003"]);
}

#[test]
fn two_copies_that_parted_give_one_board() {
    let sandbox = Sandbox::with_board();
    let board = sandbox.board();
    let change = |path: &Path, sql: &[String]| {
        let connection = Connection::open(path).unwrap();
        for sql in sql {
            connection.execute_batch(sql).unwrap();
        }
    };
    let common: Vec<String> = (1..6).map(|n| task(&format!("t_0000000{n}"), 1_780_000_000 + n)).collect();
    change(&board, &common);
    change(
        &board,
        &["INSERT INTO kanban_notify_subs(task_id, platform, chat_id, created_at, last_event_id)
           VALUES('t_00000001', 'telegram', '1', 1780000000, 5)"
            .to_owned()],
    );
    sandbox.run(&["checkpoint", "--mode", "truncate", "--assume-unused"]).success();
    let copy = sandbox.work().join("copy.db");
    std::fs::copy(&board, &copy).unwrap();
    let event = |id: &str, kind: &str, time: i64| {
        format!("INSERT INTO task_events(task_id, kind, created_at) VALUES('{id}', '{kind}', {time})")
    };
    change(
        &board,
        &[
            // Changed in both, here first; changed here alone; deleted; seen by the notifier.
            "UPDATE tasks SET status = 'blocked' WHERE id = 't_00000001'".to_owned(),
            event("t_00000001", "blocked", 1_780_000_100),
            "UPDATE tasks SET status = 'done' WHERE id = 't_00000003'".to_owned(),
            event("t_00000003", "completed", 1_780_000_101),
            "DELETE FROM task_events WHERE task_id = 't_00000004'; DELETE FROM tasks WHERE id = 't_00000004'"
                .to_owned(),
            "UPDATE kanban_notify_subs SET last_event_id = 6".to_owned(),
            task("t_0000000a", 1_780_000_102),
        ],
    );
    change(
        &copy,
        &[
            "UPDATE tasks SET status = 'done', completed_at = 1780000110 WHERE id = 't_00000001'".to_owned(),
            event("t_00000001", "completed", 1_780_000_110),
            "UPDATE tasks SET status = 'blocked' WHERE id = 't_00000002'".to_owned(),
            event("t_00000002", "blocked", 1_780_000_111),
            task("t_0000000b", 1_780_000_112),
        ],
    );
    let (new, data) = recovered(&sandbox, &[copy.to_str().unwrap()]);
    let states = rows(&new, "tasks", &["id", "status"]);
    assert_eq!(
        states,
        [
            "'t_00000001'|'done'",
            "'t_00000002'|'blocked'",
            "'t_00000003'|'done'",
            "'t_00000005'|'ready'",
            "'t_0000000a'|'ready'",
            "'t_0000000b'|'ready'",
        ]
    );
    assert_eq!(rows(&new, "task_events", &["id"]).len(), 4 + 3 + 3);
    agrees(&new);
    // The version of the task that gave way is told, whole.
    let conflicts = data["conflicts"].as_array().unwrap();
    assert_eq!(conflicts.len(), 1, "{data}");
    assert_eq!(
        (&conflicts[0]["table"], &conflicts[0]["other"]["status"]),
        (&"tasks".into(), &"blocked".into())
    );
    // Of t_00000001 the main line's event 6 was sent, the copy's completion was not: it is number 9 or above by now.
    assert_eq!(rows(&new, "kanban_notify_subs", &["last_event_id"]), ["6"]);
    let sent = texts(&new, "SELECT kind FROM task_events WHERE task_id = 't_00000001' AND id > 6");
    assert_eq!(sent, ["completed"]);
}

#[test]
fn an_older_copy_is_no_history_of_its_own() {
    let sandbox = Sandbox::with_board();
    let board = sandbox.board();
    let change = |sql: &str| Connection::open(&board).unwrap().execute_batch(sql).unwrap();
    for n in 1..6 {
        change(&task(&format!("t_0000000{n}"), 1_780_000_000 + n));
    }
    let copy = sandbox.work().join("copy.db");
    sandbox.run(&["checkpoint", "--mode", "truncate", "--assume-unused"]).success();
    std::fs::copy(&board, &copy).unwrap();
    change(
        "UPDATE tasks SET status = 'done' WHERE id = 't_00000001'; DELETE FROM tasks WHERE id = 't_00000002'",
    );
    change(&task("t_0000000a", 1_780_000_100));
    let before = rows(&board, "tasks", &["id", "status"]);
    let (new, data) = recovered(&sandbox, &[copy.to_str().unwrap()]);
    assert_eq!(rows(&new, "tasks", &["id", "status"]), before);
    assert_eq!(data["tables"]["tasks"]["older_only"], 1);
    assert_eq!(data["conflicts"].as_array().unwrap().len(), 0);
}

#[test]
fn a_deleted_file_without_a_log_is_a_source() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute(&task("t_00000001", 1_780_000_001));
    std::fs::remove_file(sandbox.board()).unwrap();
    let said = sandbox.run(&["health", "--json"]).exits(4).data()["findings"].to_string();
    assert!(said.contains("deleted or replaced"), "{said}");
    let (new, data) = recovered(&sandbox, &[]);
    assert_eq!(ids(&new), ["t_00000001"], "{data}");
    drop(holder);
    sandbox.run(&["health"]).exits(10);
}
