//! `journal-mode`: shown without a trace, changed with proof, and brought back where WAL cannot work.

use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::Sandbox;
use crate::support::damage;

const READ_VERSION: usize = 19;

fn make(path: &Path, mode: &str) {
    let connection = Connection::open(path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let sql = format!("PRAGMA journal_mode={mode}; CREATE TABLE tasks(id); INSERT INTO tasks VALUES(0)");
    connection.execute_batch(&sql).unwrap();
    connection.close().unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_none_or(|extension| extension != "lock"))
        .collect();
    names.sort();
    names
}

fn rows(path: &Path) -> i64 {
    Connection::open(path).unwrap().query_row("SELECT count(*) FROM tasks", [], |row| row.get(0)).unwrap()
}

/// Only root can look at everybody's processes; others must say that no process has the board.
fn waiver() -> &'static [&'static str] {
    if rustix::process::geteuid().is_root() { &[] } else { &["--assume-unused"] }
}

#[test]
fn without_proof_nothing_is_changed() {
    if rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    make(&sandbox.board(), "WAL");
    let before = sandbox.photograph();
    sandbox.run(&["journal-mode", "delete"]).exits(12).says("--assume-unused");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn showing_leaves_no_trace() {
    let sandbox = Sandbox::new();
    make(&sandbox.board(), "WAL");
    let before = sandbox.photograph();
    let data = sandbox.run(&["journal-mode", "--json"]).success().data();
    assert_eq!((data["before"].as_str(), data["after"].as_str()), (Some("wal"), Some("wal")));
    assert!(data["filesystem"].is_string());
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn there_and_back_with_frames_waiting() {
    let sandbox = Sandbox::new();
    let board = sandbox.board();
    make(&board, "WAL");
    let args = [&["journal-mode", "delete", "--json"][..], waiver()].concat();
    let data = sandbox.run(&args).success().data();
    assert_eq!((data["before"].as_str(), data["after"].as_str()), (Some("wal"), Some("delete")));
    assert_eq!(std::fs::read(&board).unwrap()[READ_VERSION], 1);
    assert_eq!(names(&sandbox.root()), ["kanban.db"]);
    assert_eq!(rows(&board), 1);
    sandbox.run(&[&["journal-mode", "wal"][..], waiver()].concat()).success();
    assert_eq!(std::fs::read(&board).unwrap()[READ_VERSION], 2);
    assert_eq!(rows(&board), 1);
}

#[test]
fn already_there_is_a_success_that_changes_nothing() {
    let sandbox = Sandbox::new();
    make(&sandbox.board(), "DELETE");
    let before = sandbox.photograph();
    sandbox.run(&["journal-mode", "delete"]).success();
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_dry_run_changes_nothing() {
    let sandbox = Sandbox::new();
    make(&sandbox.board(), "WAL");
    // A look at waiting frames may write the index, and nothing else.
    let index = damage::beside(&sandbox.board(), "-shm");
    let still = || {
        let _ = std::fs::remove_file(&index);
        sandbox.photograph()
    };
    let before = still();
    sandbox.run(&["journal-mode", "delete", "--dry-run", "--assume-unused"]).success().says("Dry run");
    assert_eq!(still(), before);
}

#[test]
fn a_held_lock_file_is_waited_for_and_then_busy() {
    let sandbox = Sandbox::new();
    make(&sandbox.board(), "WAL");
    let lock = std::fs::File::create(sandbox.root().join("kanban.db.init.lock")).unwrap();
    lock.lock().unwrap();
    let output = sandbox.run(&["journal-mode", "delete", "--timeout", "200ms", "--assume-unused"]).exits(11);
    output.says("kanban.db.init.lock");
    assert_eq!(std::fs::read(sandbox.board()).unwrap()[READ_VERSION], 2);
}

#[test]
fn a_log_beside_a_board_that_is_not_in_wal_is_never_replayed() {
    let sandbox = Sandbox::new();
    let other = sandbox.work().join("other.db");
    make(&other, "WAL");
    make(&sandbox.board(), "DELETE");
    std::fs::copy(sandbox.work().join("other.db-wal"), sandbox.root().join("kanban.db-wal")).unwrap();
    let before = std::fs::read(sandbox.board()).unwrap();
    sandbox.run(&["journal-mode", "wal", "--assume-unused"]).exits(4).says("replay");
    assert_eq!(std::fs::read(sandbox.board()).unwrap(), before);
}

/// A filesystem where the WAL index cannot be mapped; unmounted when dropped.
struct DirectIo(PathBuf);

impl DirectIo {
    fn over(real: &Path, at: PathBuf) -> Self {
        std::fs::create_dir_all(&at).unwrap();
        let status = Command::new("bindfs").args(["-o", "direct_io"]).arg(real).arg(&at).status().unwrap();
        assert!(status.success(), "bindfs failed");
        Self(at)
    }
}

impl Drop for DirectIo {
    fn drop(&mut self) {
        let _ = Command::new("fusermount3").args(["-u", "-z"]).arg(&self.0).status();
    }
}

#[test]
fn where_the_index_cannot_be_shared_wal_is_refused_and_left() {
    if std::env::var_os("KANBANCTL_TEST_MOUNTS").is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1, bindfs and fuse3");
        return;
    }
    let sandbox = Sandbox::new();
    let real = sandbox.work();
    let mount = DirectIo::over(&real, sandbox.path().join("mount"));
    let board = mount.0.join("kanban.db");
    let db = ["--db", board.to_str().unwrap()];
    let run = |args: &[&str]| sandbox.run(&[&db[..], args].concat());

    make(&real.join("kanban.db"), "DELETE");
    run(&["journal-mode", "wal"]).exits(12).says("WAL does not work here");
    assert_eq!(names(&real), ["kanban.db"]);
    assert_eq!(rows(&board), 1);

    // As Hermes leaves it: recorded as WAL, with a commit that is only in the log.
    std::fs::remove_file(real.join("kanban.db")).unwrap();
    make(&real.join("kanban.db"), "WAL");
    run(&["checkpoint"]).exits(12).says("journal-mode delete");
    run(&["journal-mode", "wal"]).exits(12).says("journal-mode delete");
    run(&["journal-mode", "delete", "--assume-unused"]).success();
    assert_eq!(names(&real), ["kanban.db"]);
    assert_eq!(rows(&board), 1);
}

#[test]
fn a_damaged_board_keeps_its_mode() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 2);
    damage::injure(damage::Shape::InteriorsGone, 1, &good, &sandbox.board());
    let before = std::fs::read(sandbox.board()).unwrap();
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).exits(4).says("kanbanctl recover --dry-run");
    assert!(std::fs::read(sandbox.board()).unwrap() == before, "the board was changed");
}

#[test]
fn kinds_of_rollback_journals_are_not_stored() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&[&["journal-mode", "delete"][..], waiver()].concat()).success();
    for kind in ["truncate", "persist"] {
        let asked = sandbox.run(&[&["journal-mode", kind, "--json"][..], waiver()].concat()).success();
        let data = asked.says("is not stored").data();
        assert_eq!((data["before"].as_str(), data["after"].as_str()), (Some("delete"), Some("delete")));
    }
    sandbox.run(&[&["journal-mode", "wal"][..], waiver()].concat()).success();
    let asked = sandbox.run(&[&["journal-mode", "persist", "--json"][..], waiver()].concat()).success();
    assert_eq!(asked.data()["after"], "delete");
    assert_eq!(names(&sandbox.root()), ["kanban.db"]);
}

/// A dry run ends as the real run would, and says what would be.
#[test]
fn a_rehearsal_looks_at_the_board_as_the_change_does() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 5);
    damage::injure(damage::Shape::IndexDrift, 1, &good, &sandbox.board());
    let now = std::fs::read(sandbox.board()).unwrap()[READ_VERSION];
    let other = if now == 2 { "delete" } else { "wal" };
    for rehearsal in [&["-n"][..], &[]] {
        let before = std::fs::read(sandbox.board()).unwrap();
        let args = [&["journal-mode", other][..], waiver(), rehearsal].concat();
        sandbox.run(&args).exits(4).says("kanbanctl recover");
        assert!(std::fs::read(sandbox.board()).unwrap() == before);
    }
    let sandbox = Sandbox::with_board();
    let before = sandbox.photograph();
    let args = [&["journal-mode", "delete", "-n", "--json"][..], waiver()].concat();
    let data = sandbox.run(&args).success().says("would be changed").data();
    assert_eq!((&data["before"], &data["after"]), (&"wal".into(), &"delete".into()));
    assert_eq!(sandbox.photograph(), before);
}
