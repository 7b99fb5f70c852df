//! `checkpoint`: what is copied, what is cut, and what it says.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::Sandbox;
use crate::support::process::Holder;

/// A WAL board with frames waiting that nobody has open.
fn with_frames(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.board();
    let connection = Connection::open(&path).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE tasks(id); INSERT INTO tasks VALUES(0)")
        .unwrap();
    connection.close().unwrap();
    path
}

#[test]
fn every_mode_says_how_many_frames_and_bytes() {
    for mode in ["passive", "full", "restart", "truncate"] {
        let sandbox = Sandbox::new();
        let board = with_frames(&sandbox);
        let data = sandbox.run(&["checkpoint", "--mode", mode, "--json", "--assume-unused"]).success().data();
        assert_eq!(data["mode"], mode);
        assert_eq!(data["busy"], false);
        assert!(data["frames_in_wal"].as_i64().unwrap() > 1, "{data}");
        assert_eq!(data["frames_checkpointed"], data["frames_in_wal"], "{data}");
        assert!(data["wal_bytes_before"].as_u64().unwrap() > 4096);
        let cut = data["wal_bytes_after"].as_u64().unwrap() == 0;
        assert_eq!(cut, mode == "truncate", "{data}");
        // A plain copy of the file is whole now.
        let copy = sandbox.work().join("copy.db");
        std::fs::copy(&board, &copy).unwrap();
        let rows: i64 = Connection::open(copy)
            .unwrap()
            .query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
    }
}

#[test]
fn a_dry_run_counts_and_changes_nothing() {
    let sandbox = Sandbox::new();
    let board = with_frames(&sandbox);
    let before = std::fs::read(&board).unwrap();
    let data = sandbox.run(&["checkpoint", "--dry-run", "--json"]).success().data();
    assert_eq!(data["frames_checkpointed"], 0);
    assert_eq!(data["frames_left"], data["frames_in_wal"]);
    assert_eq!(std::fs::read(&board).unwrap(), before);
}

#[test]
fn off_wal_there_is_nothing_to_do() {
    let sandbox = Sandbox::new();
    Connection::open(sandbox.board()).unwrap().execute_batch("CREATE TABLE tasks(id)").unwrap();
    let before = sandbox.photograph();
    let output = sandbox.run(&["checkpoint", "--mode", "truncate", "--json", "-v"]).success();
    assert_eq!(output.data()["frames_in_wal"], 0);
    output.says("nothing to checkpoint");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_pinned_snapshot_makes_full_busy_and_passive_partial() {
    let sandbox = Sandbox::new();
    let board = with_frames(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("BEGIN");
    holder.query("SELECT count(*) FROM tasks");
    let other = Connection::open(&board).unwrap();
    other.execute_batch("INSERT INTO tasks VALUES(2)").unwrap();
    other.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    other.close().unwrap();
    let data = sandbox.run(&["checkpoint", "--json"]).success().data();
    assert!(data["frames_left"].as_i64().unwrap() > 0, "{data}");
    let full = ["checkpoint", "--mode", "full", "--timeout", "200ms"];
    sandbox.run(&full).exits(11).says("did not finish");
    let skipped = [&full[..], &["--if-busy", "skip"]].concat();
    sandbox.run(&skipped).success();
}

#[test]
fn maintenance_is_silent_for_cron() {
    let sandbox = Sandbox::new();
    with_frames(&sandbox);
    let output = sandbox.run(&["checkpoint"]).success();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("", ""));
}

#[test]
fn every_board_gets_its_turn_and_the_worst_decides() {
    let sandbox = Sandbox::new();
    with_frames(&sandbox);
    let broken = sandbox.root().join("kanban/boards/broken");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("kanban.db"), vec![7_u8; 8192]).unwrap();
    let output = sandbox.run(&["checkpoint", "--all-boards", "--json"]).exits(4);
    assert_eq!(output.data().as_array().unwrap().len(), 1);
    assert_eq!(output.data()[0]["frames_left"], 0);
}
