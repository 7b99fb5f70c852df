//! `restore` and `repair`: one sound copy exactly, the smallest repair, and every "no" without a trace.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::json;

use crate::support::Sandbox;
use crate::support::damage::{self, Shape, beside};
use crate::support::process::Holder;

fn board_of(tasks: usize, seed: u64) -> Sandbox {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), tasks, seed);
    sandbox
}

fn evidence(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(sandbox.root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".evidence."))
        .collect();
    found.sort();
    found
}

fn integrity(board: &Path) -> String {
    let connection = Connection::open(board).unwrap();
    connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// Every row of every table, read past the indexes.
fn content(board: &Path) -> Vec<String> {
    let connection = Connection::open(board).unwrap();
    let mut all = Vec::new();
    for table in damage::TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} NOT INDEXED")).unwrap();
        let width = statement.column_count();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let cells: Vec<_> = (0..width).map(|at| format!("{:?}", row.get_ref(at).unwrap())).collect();
            all.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    all
}

#[test]
fn a_backup_is_restored_exactly_and_undone() {
    let sandbox = board_of(40, 1);
    let made = sandbox.run(&["backup", "--json"]).success().data();
    let backup = PathBuf::from(made["path"].as_str().unwrap());
    let rows = content(&sandbox.board());
    let plain = Connection::open(sandbox.board()).unwrap();
    plain.execute_batch("DELETE FROM tasks; DELETE FROM task_events").unwrap();
    plain.close().unwrap();
    let emptied = std::fs::read(sandbox.board()).unwrap();

    let rehearsed = sandbox
        .run(&["restore", backup.to_str().unwrap(), "-n", "--assume-unused", "--json"])
        .success()
        .data();
    assert_eq!((&rehearsed["state"], &rehearsed["installed"]), (&json!("restorable"), &json!(false)));
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), emptied);
    assert!(evidence(&sandbox).is_empty());

    // By the name that `backups list` gives it.
    let id = &made["sha256"].as_str().unwrap()[..12];
    let done = sandbox.run(&["restore", id, "--yes", "--assume-unused", "--json"]).success().data();
    assert_eq!((&done["installed"], &done["verified"]), (&json!(true), &json!(true)));
    let tasks = done["tables"].as_array().unwrap().iter().find(|table| table["table"] == "tasks").unwrap();
    assert_eq!((&tasks["before"], &tasks["after"]), (&json!(0), &json!(40)));
    assert_eq!(content(&sandbox.board()), rows);
    assert_eq!(integrity(&sandbox.board()), "ok");
    let (mine, theirs) = (std::fs::read(sandbox.board()).unwrap(), std::fs::read(&backup).unwrap());
    let differ: Vec<usize> =
        (0..mine.len().max(theirs.len())).filter(|&at| mine.get(at) != theirs.get(at)).collect();
    let counter = |at: &usize| (24..28).contains(at) || (40..44).contains(at) || (92..100).contains(at);
    assert!(differ.iter().all(counter), "{differ:?}");

    let again = sandbox.run(&["restore", id, "--yes", "--assume-unused", "--json"]).success().data();
    assert_eq!(again["state"], "already");
    assert_eq!(evidence(&sandbox).len(), 1);
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), emptied);
}

/// A copy with a log is both of them, and nothing is made beside it.
#[test]
fn a_copy_with_its_log_is_restored_whole() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 50, 2);
    let copy = sandbox.work().join("copy.db");
    damage::injure(Shape::WalPending, 2, &good, &copy);
    damage::board(&sandbox.board(), 3, 9);
    let beside_it = || std::fs::read_dir(sandbox.work()).unwrap().count();
    let before =
        ([std::fs::read(&copy).unwrap(), std::fs::read(beside(&copy, "-wal")).unwrap()], beside_it());
    sandbox.run(&["restore", copy.to_str().unwrap(), "--yes", "--assume-unused"]).success();
    let after = ([std::fs::read(&copy).unwrap(), std::fs::read(beside(&copy, "-wal")).unwrap()], beside_it());
    assert_eq!(after, before);
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
}

/// Over a log with pages of another size, over a board that SQLite cannot open, and where no board is.
#[test]
fn a_backup_goes_over_whatever_is_there() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 50, 2);
    let restore = |sandbox: &Sandbox| {
        sandbox.run(&["restore", good.to_str().unwrap(), "--yes", "--assume-unused"]).success();
        let score = damage::score(&good, &sandbox.board());
        assert_eq!((score.right, score.wrong), (score.truth, 0));
        assert_eq!(integrity(&sandbox.board()), "ok");
    };
    restore(&sandbox);

    let other = sandbox.work().join("other.db");
    damage::board(&other, 20, 3);
    let plain = Connection::open(&other).unwrap();
    plain
        .execute_batch(
            "PRAGMA journal_mode=DELETE; PRAGMA page_size=8192; VACUUM; PRAGMA journal_mode=WAL;
             PRAGMA wal_autocheckpoint=0; UPDATE tasks SET priority = 3;",
        )
        .unwrap();
    std::fs::copy(&other, sandbox.board()).unwrap();
    std::fs::copy(beside(&other, "-wal"), beside(&sandbox.board(), "-wal")).unwrap();
    drop(plain);
    restore(&sandbox);

    damage::injure(Shape::TlsHeader, 1, &other, &sandbox.board());
    restore(&sandbox);
}

#[test]
fn what_is_not_sound_or_not_there_is_not_restored() {
    let sandbox = board_of(30, 1);
    let bad = sandbox.work().join("bad.db");
    let before = sandbox.photograph();
    for shape in [Shape::ZeroPages, Shape::TlsHeader, Shape::IndexDrift] {
        damage::injure(shape, 1, &sandbox.board(), &bad);
        let output = sandbox.run(&["restore", bad.to_str().unwrap(), "--yes", "--assume-unused"]).exits(4);
        output.says("kanbanctl recover ");
        assert_eq!(sandbox.photograph(), before, "{shape:?}");
    }
    Connection::open(sandbox.work().join("other.db")).unwrap().execute_batch("CREATE TABLE x(y)").unwrap();
    sandbox.run(&["restore", "other.db", "--yes", "--assume-unused"]).exits(4).says("no board");
    sandbox.run(&["restore", "nothing", "--yes", "--assume-unused"]).exits(13).says("backups list");
    sandbox
        .run(&["restore", sandbox.board().to_str().unwrap(), "--yes", "--assume-unused"])
        .exits(12)
        .says("the board itself");
    std::fs::copy(sandbox.board(), sandbox.work().join("good.db")).unwrap();
    sandbox.run(&["restore", "good.db", "--assume-unused"]).exits(12).says("--yes");
    assert_eq!(sandbox.photograph(), before);
    let holder = Holder::on(&sandbox.board());
    sandbox
        .run(&["restore", "good.db", "--yes", "--assume-unused"])
        .exits(12)
        .says(&format!("process {}", holder.pid()));
}

#[test]
fn indexes_are_made_anew_and_nothing_else() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 5);
    damage::injure(Shape::IndexDrift, 5, &good, &sandbox.board());
    let before = std::fs::read(sandbox.board()).unwrap();
    let schema = |board: &Path| -> Vec<String> {
        let connection = Connection::open(board).unwrap();
        let mut rows =
            connection.prepare("SELECT type || name || sql FROM sqlite_master WHERE sql > ''").unwrap();
        rows.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (schema_before, rows) = (schema(&sandbox.board()), content(&sandbox.board()));
    let rehearsed = sandbox.run(&["repair", "--assume-unused", "-n", "--json"]).success().data();
    assert_eq!(
        (&rehearsed["status"], &rehearsed["indexes"]),
        (&json!("repairable"), &json!(["idx_events_run"]))
    );
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), before);

    let holder = Holder::on(&sandbox.board());
    sandbox.run(&["repair", "--assume-unused"]).exits(12).says(&format!("process {}", holder.pid()));
    drop(holder);
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&sandbox.board(), suffix));
    }

    let done = sandbox.run(&["repair", "--assume-unused", "--json"]).success().data();
    assert_eq!((&done["status"], &done["verified"]), (&json!("repaired"), &json!(true)));
    assert_eq!(done["findings_in_all"], done["findings"].as_array().unwrap().len());
    assert_eq!(integrity(&sandbox.board()), "ok");
    assert_eq!((schema(&sandbox.board()), content(&sandbox.board())), (schema_before, rows));
    let [folder] = evidence(&sandbox).try_into().unwrap();
    assert_eq!(std::fs::read(folder.join("kanban.db")).unwrap(), before);
    assert_eq!(sandbox.run(&["repair", "--assume-unused", "--json"]).success().data()["status"], "sound");
    assert_eq!(evidence(&sandbox).len(), 1);
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), before);
}

#[test]
fn a_change_and_how_to_undo_it_are_told_off_a_terminal() {
    for verb in [&["repair"][..], &["restore", "good.db", "--yes"]] {
        let sandbox = Sandbox::new();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 60, 5);
        damage::injure(Shape::IndexDrift, 5, &good, &sandbox.board());
        let connection = Connection::open(sandbox.board()).unwrap();
        // Tasks without a living worker are what one has to hear of.
        connection.execute_batch("UPDATE tasks SET status = 'todo' WHERE status = 'running'").unwrap();
        connection.close().unwrap();
        let args = [verb, &["--assume-unused"]].concat();
        let rehearsed = sandbox.run(&[&args[..], &["-n"]].concat()).success();
        assert!(!rehearsed.stdout.is_empty() && !rehearsed.stderr.is_empty(), "{rehearsed}");
        let output = sandbox.run(&args).success().says("What was there before is in ").says("recover --undo");
        assert!(!output.stdout.is_empty(), "{output}");
        assert_eq!(evidence(&sandbox).len(), 1);
        sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
        let output = sandbox.run(&[&args[..], &["-q"]].concat()).success();
        assert!(output.stderr.lines().all(|line| line.starts_with("warning: ")), "{output}");
    }
}

/// A flood of index findings does not hide the one that is worse.
#[test]
fn anything_worse_is_left_to_recover() {
    for shape in [Shape::ZeroPages, Shape::SchemaDuplicate, Shape::TlsHeader] {
        let sandbox = Sandbox::new();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 60, 5);
        damage::injure(shape, 5, &good, &sandbox.board());
        let before = std::fs::read(sandbox.board()).unwrap();
        sandbox.run(&["repair", "--assume-unused"]).exits(4).says("kanbanctl recover");
        assert_eq!(std::fs::read(sandbox.board()).unwrap(), before, "{shape:?}");
        assert!(evidence(&sandbox).is_empty(), "{shape:?}");
    }
}

/// Rows of the table that are not unique: making the index anew fails, and nothing is changed.
#[test]
fn an_index_that_cannot_be_made_anew_leaves_the_board_as_it_is() {
    let sandbox = board_of(30, 1);
    let plain = Connection::open(sandbox.board()).unwrap();
    plain
        .execute_batch(
            "CREATE TABLE notes(a, b); CREATE UNIQUE INDEX one_a ON notes(a); PRAGMA writable_schema=ON;
             CREATE TABLE kept AS SELECT * FROM sqlite_master WHERE name='one_a';
             DELETE FROM sqlite_master WHERE name='one_a';",
        )
        .unwrap();
    plain.close().unwrap();
    let plain = Connection::open(sandbox.board()).unwrap();
    plain
        .execute_batch(
            "INSERT INTO notes VALUES (1, 1), (1, 2); PRAGMA writable_schema=ON;
             INSERT INTO sqlite_master SELECT * FROM kept; DROP TABLE kept;",
        )
        .unwrap();
    plain.close().unwrap();
    let rows = content(&sandbox.board());
    sandbox.run(&["repair", "--assume-unused"]).exits(4).says("one_a");
    assert_eq!(content(&sandbox.board()), rows);
    assert!(integrity(&sandbox.board()).contains("one_a"));
}
