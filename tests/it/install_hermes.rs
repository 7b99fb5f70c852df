//! The real Hermes 0.19.0 on a board that was recovered in place, restored or repaired; and beside one that is to be.
//! Runs where `KANBANCTL_TEST_HERMES` names a Python that has it.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::damage::{self, Shape};
use crate::support::hermes::{self, Hermes};
use crate::support::sandbox::KANBANCTL;
use crate::support::{Sandbox, strace};

/// A board of Hermes' own making, cleanly closed; a copy of it, and a task that can be completed.
fn made_by_hermes(python: &Path) -> (Sandbox, PathBuf, String) {
    let sandbox = Sandbox::new().with_real_clock();
    let mut hermes = Hermes::on(&sandbox, python);
    let mut ids: Vec<String> = (0..12).map(|number| hermes.create(&format!("task {number}"))).collect();
    hermes.call("claim_task", &json!([ids[0]]), &json!({}));
    hermes.call("complete_task", &json!([ids[1]]), &json!({ "result": "done before" }));
    hermes.close();
    let good = sandbox.work().join("good.db");
    std::fs::copy(sandbox.board(), &good).unwrap();
    (sandbox, good, ids.remove(2))
}

fn schema(board: &Path) -> Vec<String> {
    let connection = Connection::open(board).unwrap();
    let mut rows =
        connection.prepare("SELECT type || name || ifnull(sql, '') FROM sqlite_master ORDER BY 1").unwrap();
    rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn pragma(board: &Path, name: &str) -> String {
    let connection = Connection::open(board).unwrap();
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)).unwrap()
}

/// Hermes lists every task, completes one, and leaves the schema as it is.
fn is_hermes_own(sandbox: &Sandbox, python: &Path, good: &Path, id: &str) {
    assert_eq!(schema(&sandbox.board()), schema(good));
    let listed: Vec<Value> =
        serde_json::from_str(&hermes::command_line(sandbox, python, &["list", "--json"])).unwrap();
    assert_eq!(listed.len(), 12, "{listed:?}");
    let said = hermes::command_line(sandbox, python, &["complete", id, "--result", "by Hermes"]);
    assert!(said.contains("Completed"), "{said}");
    assert_eq!(schema(&sandbox.board()), schema(good));
    assert_eq!(pragma(&sandbox.board(), "integrity_check"), "ok");
    assert_eq!(pragma(&sandbox.board(), "journal_mode"), "wal");
}

#[test]
fn hermes_works_on_with_a_board_that_was_recovered_in_place() {
    let Some(python) = hermes::python() else { return };
    for shape in [Shape::FirstPageZero, Shape::TlsHeader, Shape::SchemaDuplicate] {
        let (sandbox, good, id) = made_by_hermes(&python);
        damage::injure(shape, 1, &good, &sandbox.board());
        sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
        is_hermes_own(&sandbox, &python, &good, &id);
    }
}

#[test]
fn hermes_works_on_with_a_board_that_was_restored() {
    let Some(python) = hermes::python() else { return };
    let (sandbox, good, id) = made_by_hermes(&python);
    let made = sandbox.run(&["backup", "--json"]).success().data();
    damage::injure(Shape::TlsHeader, 1, &good, &sandbox.board());
    sandbox.run(&["restore", made["path"].as_str().unwrap(), "--yes", "--assume-unused"]).success();
    is_hermes_own(&sandbox, &python, &good, &id);
    // What Hermes has done since is not lost with it.
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    let shown = sandbox.run(&["show", &id, "--json"]).success().data();
    assert_eq!(shown["task"]["result"], "by Hermes");
}

#[test]
fn hermes_works_on_with_a_board_that_was_repaired() {
    let Some(python) = hermes::python() else { return };
    let (sandbox, good, id) = made_by_hermes(&python);
    damage::injure(Shape::IndexDrift, 1, &good, &sandbox.board());
    let drifted = schema(&sandbox.board());
    sandbox.run(&["repair", "--assume-unused"]).success();
    assert_eq!(schema(&sandbox.board()), drifted);
    is_hermes_own(&sandbox, &python, &good, &id);
}

#[test]
fn nothing_is_installed_beside_a_living_hermes() {
    let Some(python) = hermes::python() else { return };
    let (sandbox, good, id) = made_by_hermes(&python);
    let mut hermes = Hermes::on(&sandbox, &python);
    hermes.create("while it lives");
    let name = format!("process {}", hermes.pid());
    let good = good.to_str().unwrap();
    for args in [&["recover", "--yes", "--assume-unused"][..], &["restore", good, "--yes", "--assume-unused"]]
    {
        sandbox.run(args).exits(12).says(&name);
    }
    assert_eq!(hermes.call("complete_task", &json!([id]), &json!({})), json!(true));
    hermes.close();
    let left: Vec<String> = std::fs::read_dir(sandbox.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("evidence") || name.contains(".kanbanctl-"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Beside a board, a copy that has gone on by a comment: something to bring back without which the board is whole, too.
fn gone_on(sandbox: &Sandbox, good: &Path, id: &str) -> PathBuf {
    let other = sandbox.work().join("other.db");
    std::fs::copy(good, &other).unwrap();
    let connection = Connection::open(&other).unwrap();
    let sql = "INSERT INTO task_comments(task_id, author, body, created_at) VALUES (?1, 'alice', 'seen', 1780000000)";
    connection.execute(sql, [id]).unwrap();
    let sql = "INSERT INTO task_events(task_id, kind, created_at) VALUES (?1, 'commented', 1780000000)";
    connection.execute(sql, [id]).unwrap();
    connection.close().unwrap();
    other
}

/// Killed in the middle of the write: whoever comes next is Hermes, and it finds every task.
#[test]
fn hermes_finds_the_board_whole_after_an_install_was_killed() {
    let Some(python) = hermes::python() else { return };
    if !strace::wanted() {
        return;
    }
    // The pages go into the board with the last writes before the journal is cut to nothing.
    let under = |sandbox: &Sandbox, other: &Path, call: &str, more: &[String]| {
        let mut command = sandbox.program("strace");
        command.args(["-f", "-qq", "-e", &format!("trace={call}"), "-o"]).arg(sandbox.work().join("trace"));
        command.args(more).arg(KANBANCTL).args(["recover", "--yes", "--assume-unused"]).arg(other);
        sandbox.finish(command, b"")
    };
    let (sandbox, good, id) = made_by_hermes(&python);
    under(&sandbox, &gone_on(&sandbox, &good, &id), "pwrite64", &[]).success();
    let writes = std::fs::read_to_string(sandbox.work().join("trace")).unwrap().lines().count();
    for (call, nth) in [
        ("pwrite64", writes),
        ("pwrite64", writes - 5),
        ("pwrite64", writes - 20),
        ("ftruncate", 1),
        ("ftruncate", 2),
    ] {
        let (sandbox, good, id) = made_by_hermes(&python);
        let kill = ["-e".to_owned(), format!("inject={call}:signal=KILL:when={nth}")];
        under(&sandbox, &gone_on(&sandbox, &good, &id), call, &kill).exits(137);
        is_hermes_own(&sandbox, &python, &good, &id);
        sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
        assert_eq!(pragma(&sandbox.board(), "integrity_check"), "ok", "{call} {nth}");
    }
}
