//! The rules of the one connection (docs/architecture.md, "The pool"), each in a scene where breaking it shows.

use std::time::{Duration, Instant};

use crate::support::damage;
use crate::support::process::Holder;
use crate::support::sandbox::Sandbox;

/// Verbs that only look.
const READING: [&[&str]; 8] = [
    &["list"],
    &["stats"],
    &["health"],
    &["journal-mode"],
    &["backups", "list"],
    &["boards", "list"],
    &["recover", "--dry-run"],
    &[],
];

fn insert(id: &str) -> String {
    format!("INSERT INTO tasks(id,title,status,created_at) VALUES('{id}','x','ready',1)")
}

#[test]
fn a_holder_that_lost_its_locks_keeps_its_wal_and_its_commits() {
    for both in [false, true] {
        let sandbox = Sandbox::new();
        damage::board(&sandbox.board(), 20, 1);
        let mut holder = Holder::on(&sandbox.board());
        holder.execute(&insert("t_00000001"));
        holder.lose_locks(&sandbox.board());
        if both {
            holder.lose_locks(&damage::beside(&sandbox.board(), "-shm"));
        }
        let writing: [&[&str]; 4] =
            [&["create", "ours"], &["checkpoint"], &["backup"], &["show", "t_00000001"]];
        for verb in READING.into_iter().chain(writing) {
            sandbox.run(verb);
        }
        holder.execute(&insert("t_00000002"));
        let ids = sandbox.run(&["list", "--json"]).success().stdout;
        for id in ["t_00000001", "t_00000002"] {
            assert!(ids.contains(id), "{id} was lost (both: {both})");
        }
    }
}

#[test]
fn a_plain_handle_in_the_same_scene_loses_them() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    let mut holder = Holder::on(&sandbox.board());
    holder.execute(&insert("t_00000001"));
    holder.lose_locks(&sandbox.board());
    holder.lose_locks(&damage::beside(&sandbox.board(), "-shm"));
    let mut bystander = Holder::on(&sandbox.board());
    bystander.close();
    holder.execute(&insert("t_00000002"));
    let ids = sandbox.run(&["list", "--json"]).stdout;
    assert!(!ids.contains("t_00000002"), "the control has lost its teeth");
}

#[test]
fn no_verb_creates_a_board_by_accident() {
    let sandbox = Sandbox::new();
    let before = sandbox.photograph();
    for verb in
        READING.into_iter().chain([&["create", "x"][..], &["complete", "t_1"], &["checkpoint"], &["backup"]])
    {
        if verb.first() == Some(&"boards") {
            continue;
        }
        sandbox.run(verb).exits(if verb == ["backups", "list"] { 0 } else { 10 });
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
}

#[test]
fn a_lock_that_is_not_had_is_busy_within_the_budget() {
    let sandbox = Sandbox::with_board();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("BEGIN IMMEDIATE");
    let begun = Instant::now();
    sandbox.run(&["create", "x", "--timeout", "300ms"]).exits(11).says("nothing was changed");
    assert!(begun.elapsed() < Duration::from_secs(20), "the budget was not kept");
    sandbox.run(&["create", "x", "--timeout", "100ms", "--if-busy", "skip"]).success();
    sandbox.run(&["list"]).success();
    holder.execute("ROLLBACK");
    sandbox.run(&["create", "x"]).success();
}

#[test]
fn reading_verbs_leave_no_trace_of_a_closed_board() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    let before = sandbox.photograph();
    for verb in READING {
        sandbox.run(verb);
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
}

#[test]
fn the_same_board_by_every_spelling_of_its_path() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(sandbox.board(), &link).unwrap();
    let odd = sandbox.work().join("a b?c#d%20e.db");
    std::os::unix::fs::symlink(sandbox.board(), &odd).unwrap();
    let dotted = sandbox.root().join("../.hermes/./kanban.db");
    for path in [&link, &odd, &dotted] {
        let data = sandbox.run(&["--db", path.to_str().unwrap(), "health", "--json"]).success().data();
        assert_eq!(data["counts"]["tasks"], 1, "{}", path.display());
        assert_eq!(data["path"], sandbox.board().canonicalize().unwrap().to_str().unwrap());
    }
}

#[test]
fn a_rehearsal_writes_nothing() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x", "--dry-run"]).success();
    assert_eq!(sandbox.run(&["list"]).success().stdout, "");
}

#[test]
fn every_statement_of_the_one_connection_is_logged_on_demand() {
    let sandbox = Sandbox::with_board();
    let said = sandbox.run(&["list", "-vv"]).success();
    assert!(said.stderr.contains("SQL: PRAGMA foreign_keys=ON;"), "{said}");
    assert!(said.stderr.contains("SQL: SELECT "), "{said}");
    assert!(!sandbox.run(&["list", "-v"]).success().stderr.contains("SQL: "));
}

#[test]
fn a_board_whose_index_cannot_be_made_is_read_from_a_private_copy() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "x"]).success();
    std::fs::remove_file(damage::beside(&sandbox.board(), "-shm")).unwrap();
    let mode =
        |bits| std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(bits)).unwrap();
    mode(0o555);
    if std::fs::write(sandbox.root().join("probe"), b"").is_ok() {
        // Root writes everywhere; the scene needs another user.
        std::fs::remove_file(sandbox.root().join("probe")).unwrap();
        mode(0o755);
        return;
    }
    let before = sandbox.photograph();
    let listed = sandbox.run(&["list"]);
    let same = sandbox.photograph() == before;
    mode(0o755);
    let listed = listed.success().says("a private copy was read");
    assert_eq!(listed.stdout.lines().count(), 1);
    assert!(same, "the board was touched");
    assert_eq!(std::fs::read_dir(sandbox.path().join("tmp")).unwrap().count(), 0, "the copy was left behind");
}

#[test]
fn a_torn_log_is_never_written_over() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 5);
    damage::injure(damage::Shape::WalHeaderGone, 1, &good, &sandbox.board());
    let bytes =
        || ["", "-wal"].map(|suffix| std::fs::read(damage::beside(&sandbox.board(), suffix)).unwrap());
    let before = bytes();
    let verbs: [&[&str]; 4] = [
        &["create", "x"],
        &["checkpoint"],
        &["checkpoint", "--mode", "truncate"],
        &["journal-mode", "delete"],
    ];
    for verb in verbs {
        // Without proof that no process has the board open, truncate is refused before anything is looked at.
        let code = sandbox.run(verb).code();
        assert!(code == 4 || (code == 12 && verb.len() == 3), "{verb:?}: {code}");
        assert!(bytes() == before, "{verb:?}");
    }
    sandbox.run(&["create", "x"]).exits(4).says("kanbanctl recover --output NEW.db");
    let found = sandbox.run(&["health", "--json"]).exits(4).stdout;
    assert!(found.contains("\"wal-torn\""), "{found}");
}

/// The chain of checksums is broken at a frame whose own header was hit, however well it can be restored.
#[test]
fn a_log_with_a_spoilt_frame_header_is_never_written_over() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "in the log"]).success();
    let wal = damage::beside(&sandbox.board(), "-wal");
    let mut log = std::fs::read(&wal).unwrap();
    log[32 + 17] ^= 0xff;
    std::fs::write(&wal, &log).unwrap();
    for index in [true, false] {
        if !index {
            std::fs::remove_file(damage::beside(&sandbox.board(), "-shm")).unwrap();
        }
        let found = sandbox.run(&["health", "--json"]).exits(4).stdout;
        assert!(found.contains("\"wal-torn\""), "{found}");
        sandbox.run(&["create", "x"]).exits(4).says("torn");
        assert!(std::fs::read(&wal).unwrap() == log, "the log was written");
    }
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    let listed = sandbox.run(&["--db", new.to_str().unwrap(), "list"]).success();
    assert!(listed.stdout.contains("in the log"), "{listed}");
}

/// A writer that was killed after its last frame and before it told the WAL index leaves a commit that nobody has seen.
/// The next, shorter transaction begins at the same place: the rest of the first lies behind it, and is no tear.
#[test]
fn the_rest_of_a_killed_writers_transaction_is_no_tear() {
    let sandbox = Sandbox::with_board();
    let wal = damage::beside(&sandbox.board(), "-wal");
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("PRAGMA wal_autocheckpoint=0");
    holder.execute(&insert("t_00000001"));
    let (board, history) = (std::fs::read(sandbox.board()).unwrap(), std::fs::read(&wal).unwrap());
    // The same history up to here on another board, where the long transaction ends.
    let other = Sandbox::new();
    std::fs::write(other.board(), board).unwrap();
    std::fs::write(damage::beside(&other.board(), "-wal"), history).unwrap();
    let mut killed = Holder::on(&other.board());
    killed.execute("PRAGMA wal_autocheckpoint=0");
    let body = "x".repeat(20_000);
    killed.execute(&format!("UPDATE tasks SET body = '{body}'"));
    let abandoned = std::fs::read(damage::beside(&other.board(), "-wal")).unwrap();
    holder.execute("UPDATE tasks SET priority = 1");
    let short = std::fs::metadata(&wal).unwrap().len();
    assert!(short + 3 * 4_120 < u64::try_from(abandoned.len()).unwrap());
    let file = std::fs::OpenOptions::new().write(true).open(&wal).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, &abandoned[usize::try_from(short).unwrap()..], short)
        .unwrap();

    assert!(!sandbox.run(&["health", "--json"]).stdout.contains("wal-torn"));
    let id = sandbox.run(&["create", "written over the rest"]).success();
    let ids = sandbox.run(&["list", "--json"]).success().stdout;
    assert!(ids.contains(id.line()) && ids.contains("t_00000001"), "{ids}");
    assert_eq!(holder.query("SELECT count(*) FROM tasks"), "2");
    assert_eq!(holder.query("PRAGMA integrity_check"), "ok");
}

#[test]
fn a_board_under_two_names_is_not_written() {
    let sandbox = Sandbox::with_board();
    std::fs::hard_link(sandbox.board(), sandbox.work().join("hard.db")).unwrap();
    sandbox.run(&["create", "x"]).exits(12).says("hard links");
    let found = sandbox.run(&["health", "--json"]).exits(4).stdout;
    assert!(found.contains("\"hard-links\""), "{found}");
}

#[test]
fn a_log_beside_a_board_that_keeps_none_is_not_replayed() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
    std::fs::write(damage::beside(&sandbox.board(), "-wal"), [7; 100]).unwrap();
    let before = sandbox.photograph();
    sandbox.run(&["create", "x"]).exits(4);
    assert_eq!(sandbox.photograph(), before);
    let found = sandbox.run(&["health", "--json"]).stdout;
    assert!(found.contains("\"stray-wal\""), "{found}");
}

#[test]
fn a_row_of_short_processes_keeps_the_log_short() {
    let sandbox = Sandbox::with_board();
    for _ in 0..40 {
        sandbox.run(&["create", "x"]).success();
    }
    let length = damage::beside(&sandbox.board(), "-wal").metadata().unwrap().len();
    assert!(length < 1_000_000, "the WAL has {length} bytes after 40 tasks");
}

/// Incident F17: an index that a power cut left behind says nothing of the log beside it.
#[test]
fn an_index_of_another_moment_is_made_anew() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "in the log"]).success();
    let index = damage::beside(&sandbox.board(), "-shm");
    let older = std::fs::read(&index).unwrap();
    sandbox.run(&["create", "later"]).success();
    let newest = std::fs::read(&index).unwrap();
    let heads = [newest[..136].to_vec(), vec![0; 32_632]].concat();
    for left in [heads, newest[..20_000].to_vec(), older, vec![0xff; 32_768], Vec::new(), vec![0; 32_768]] {
        std::fs::write(&index, left).unwrap();
        let listed = sandbox.run(&["list"]).success();
        assert!(listed.stdout.contains("in the log") && listed.stdout.contains("later"), "{listed}");
        sandbox.run(&["create", "once more"]).success();
        sandbox.run(&["health", "--depth", "full"]).success();
    }
}

/// A copy whose main file is from before a checkpoint and whose log and index are from after it: the index claims frames
/// as written back that this file has not.
#[test]
fn rows_of_a_log_are_seen_beside_an_index_that_claims_them_for_the_file() {
    let sandbox = Sandbox::new();
    let live = sandbox.work().join("live.db");
    sandbox.run(&["--db", live.to_str().unwrap(), "init"]).success();
    let connection = rusqlite::Connection::open(&live).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint=0").unwrap();
    for number in 0..50 {
        let sql =
            "INSERT INTO tasks(id, title, status, created_at) VALUES (printf('t_%08x', ?), ?, 'todo', 1)";
        connection.execute(sql, rusqlite::params![number, "x".repeat(500)]).unwrap();
    }
    let copy = sandbox.work().join("copy.db");
    let beside = |path: &std::path::Path, suffix: &str| format!("{}{suffix}", path.display());
    std::fs::copy(&live, &copy).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())).unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::copy(beside(&live, suffix), beside(&copy, suffix)).unwrap();
    }
    let board = copy.to_str().unwrap();
    let listed = sandbox.run(&["--db", board, "list", "--json"]).success().data();
    assert_eq!(listed.as_array().unwrap().len(), 50);
    sandbox.run(&["--db", board, "create", "after"]).success();
    sandbox.run(&["--db", board, "checkpoint"]).success();
    let rows: i64 = rusqlite::Connection::open(&copy)
        .unwrap()
        .query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 51);
}
