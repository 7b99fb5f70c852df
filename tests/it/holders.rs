//! Who has the board open: found although its locks are lost, and left unharmed.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::Sandbox;
use crate::support::process::Holder;

/// A WAL board of one table, cleanly closed.
fn make(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.board();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE tasks(id); INSERT INTO tasks VALUES(0)")
        .unwrap();
    connection.close().unwrap();
    path
}

fn sidecar(board: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", board.display()))
}

/// Rows as another process sees them while the holder lives.
fn rows(board: &Path) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(board, flags)
        .unwrap()
        .query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))
        .unwrap()
}

/// Both refusals, then a commit of the holder's that everybody must see.
fn refused_and_unharmed(sandbox: &Sandbox, board: &Path, holder: &mut Holder) {
    let name = format!("process {}", holder.pid());
    let before = rows(board);
    for args in [&["journal-mode", "delete"][..], &["checkpoint", "--mode", "truncate"]] {
        sandbox.run(args).exits(12).says(&name).says("Nothing was changed");
    }
    sandbox.run(&["checkpoint"]).success();
    holder.execute("INSERT INTO tasks VALUES(9)");
    assert_eq!(rows(board), before + 1);
    let links: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", holder.pid()))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|link| link.to_string_lossy().contains("kanban.db"))
        .collect();
    assert!(links.iter().all(|link| !link.to_string_lossy().ends_with(" (deleted)")), "{links:?}");
}

#[test]
fn an_idle_holder_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_whose_database_locks_are_lost_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_whose_locks_are_all_lost_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    holder.lose_locks(&sidecar(&board, "-shm"));
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_of_a_deleted_wal_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(sidecar(&board, suffix)).unwrap();
    }
    let output = sandbox.run(&["journal-mode", "delete"]).exits(12);
    output.says(&format!("process {}", holder.pid())).says("deleted");
}

#[test]
fn a_holder_through_another_name_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(&board, &link).unwrap();
    let holder = Holder::on(&board);
    let output = sandbox.run(&["--db", link.to_str().unwrap(), "journal-mode", "delete"]).exits(12);
    output.says(&format!("process {}", holder.pid()));
}
