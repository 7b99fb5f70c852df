//! Commits in a deleted log: named while their process lives, and brought back with those of the main line
//! (incidents.md F13 and 6.1).

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

/// incidents.md 6.1 with the real Hermes: its own length check loses its locks, a plain handle unlinks its log.
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
    // The loss that this is about: without a recovery they are gone with the process.
    drop(hermes);
    assert_eq!(ids(&sandbox.board()).len(), 1);
}
