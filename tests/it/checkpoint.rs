//! `checkpoint`: what is copied, what is cut, and what it says.

use std::path::PathBuf;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::support::Sandbox;
use crate::support::damage::{self, beside};
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
fn what_was_done_is_data_and_status_and_quiet_drops_the_status() {
    let sandbox = Sandbox::new();
    with_frames(&sandbox);
    let output = sandbox.run(&["checkpoint"]).success().says("frames are in the board's file");
    assert!(output.stdout.starts_with("passive\tdone\t"), "{output}");
    let output = sandbox.run(&["checkpoint", "-q"]).success();
    assert_eq!((output.stdout.lines().count(), output.stderr.as_str()), (1, ""));
}

#[test]
fn every_board_gets_its_turn_and_the_worst_decides() {
    let sandbox = Sandbox::new();
    with_frames(&sandbox);
    let broken = sandbox.root().join("kanban/boards/broken");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("kanban.db"), vec![7_u8; 8192]).unwrap();
    let output = sandbox.run(&["checkpoint", "--all-boards", "--json"]).exits(4);
    assert_eq!(output.json()["kind"], "checkpoint.list");
    assert_eq!(output.data().as_array().unwrap().len(), 1);
    assert_eq!(output.data()[0]["frames_left"], 0);
}

/// A board with commits in its log, whose main file then loses `cut` of its pages.
fn with_frames_and_a_cut_file(sandbox: &Sandbox, cut: usize) {
    let whole = sandbox.work().join("whole.db");
    damage::board(&whole, 60, 4);
    let connection = Connection::open(&whole).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint=0; UPDATE tasks SET priority = 9").unwrap();
    let mut bytes = std::fs::read(&whole).unwrap();
    bytes.truncate(bytes.len() - cut * damage::PAGE);
    std::fs::write(sandbox.board(), bytes).unwrap();
    std::fs::copy(beside(&whole, "-wal"), beside(&sandbox.board(), "-wal")).unwrap();
}

#[test]
fn a_file_that_lost_pages_is_not_written_to() {
    let sandbox = Sandbox::new();
    with_frames_and_a_cut_file(&sandbox, 9);
    let before = sandbox.photograph();
    for verb in [
        &["checkpoint"][..],
        &["checkpoint", "-n"],
        &["checkpoint", "--mode", "truncate", "--assume-unused"],
        &["checkpoint", "--all-boards"],
        &["journal-mode", "delete", "--assume-unused"],
        &["create", "x"],
        &["repair", "--assume-unused"],
    ] {
        sandbox.run(verb).exits(4).says("recover --dry-run");
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    let findings = data["findings"].as_array().unwrap();
    let found = |id: &str| findings.iter().find(|finding| finding["id"] == id);
    assert!(
        found("page-count").unwrap()["message"].as_str().unwrap().contains("neither in the file"),
        "{data}"
    );
    // Nothing invites to write the log back into it.
    assert_eq!(found("wal-pending").unwrap()["next"], "", "{data}");
    assert!(!data.to_string().contains("kanbanctl checkpoint"), "{data}");
}

/// In WAL mode the file is lawfully short of pages that the log has.
#[test]
fn a_file_that_lags_behind_its_log_is_whole() {
    let sandbox = Sandbox::new();
    let whole = sandbox.work().join("whole.db");
    damage::board(&whole, 30, 4);
    let connection = Connection::open(&whole).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint=0; UPDATE tasks SET body = hex(randomblob(9000)) WHERE status<>'running'")
        .unwrap();
    std::fs::copy(&whole, sandbox.board()).unwrap();
    std::fs::copy(beside(&whole, "-wal"), beside(&sandbox.board(), "-wal")).unwrap();
    let data = sandbox.run(&["health", "--json"]).data();
    assert!(data["verdict"] != "damaged" && data["wal_frames_pending"].as_u64().unwrap() > 50, "{data}");
    let done = sandbox.run(&["checkpoint", "--json"]).success().data();
    assert_eq!(done["frames_left"], 0, "{done}");
}

/// A log that is cut takes its versions of the pages along.
#[test]
fn the_log_of_a_damaged_board_is_not_cut() {
    let sandbox = Sandbox::new();
    with_frames_and_a_cut_file(&sandbox, 0);
    let root: isize = Connection::open(sandbox.work().join("whole.db"))
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_master WHERE name='task_events'", [], |row| row.get(0))
        .unwrap();
    let root = root.unsigned_abs();
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    bytes[(root - 1) * damage::PAGE..root * damage::PAGE].fill(0x5a);
    std::fs::write(sandbox.board(), &bytes).unwrap();
    for verb in [&["checkpoint", "--mode", "truncate", "--assume-unused"][..], &["health"]] {
        sandbox.run(verb).exits(4);
    }
    assert!(std::fs::read(sandbox.board()).unwrap() == bytes);
    assert!(std::fs::metadata(beside(&sandbox.board(), "-wal")).unwrap().len() > 0);
}

/// SQLite's busy handler is not asked while somebody else checkpoints.
#[test]
fn another_checkpoint_is_waited_for() {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;
    let sandbox = Sandbox::new();
    let board = with_frames(&sandbox);
    // Somebody who is not in the way keeps the index as it is.
    let mut idle = Holder::on(&board);
    idle.execute("PRAGMA wal_autocheckpoint=0");
    idle.execute("INSERT INTO tasks VALUES(7)");
    let index = std::fs::OpenOptions::new().read(true).write(true).open(beside(&board, "-shm")).unwrap();
    // The byte by which checkpoints exclude each other ("WAL-mode file format", section 2.3).
    let lock = |kind: libc::c_int| libc::flock {
        l_type: libc::c_short::try_from(kind).unwrap(),
        l_whence: 0,
        l_start: 121,
        l_len: 1,
        l_pid: 0,
    };
    fcntl(&index, FcntlArg::F_SETLK(&lock(libc::F_WRLCK))).unwrap();
    sandbox.run(&["checkpoint", "--mode", "restart", "--timeout", "200ms"]).exits(11);
    let mut command = sandbox.command(&["checkpoint", "--mode", "restart", "--timeout", "60s"]);
    let mut waiting = command.spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    fcntl(&index, FcntlArg::F_SETLK(&lock(libc::F_UNLCK))).unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
}

/// A reader that stays keeps frames back: writers go on meanwhile, and the answer comes early and names the reader.
#[test]
fn full_beside_a_reader_that_stays_lets_writers_through_and_gives_up() {
    for mode in ["full", "restart"] {
        let sandbox = Sandbox::new();
        let board = with_frames(&sandbox);
        let mut reader = Holder::on(&board);
        reader.execute("BEGIN");
        reader.query("SELECT count(*) FROM tasks");
        let writer = Connection::open(&board).unwrap();
        writer.execute_batch("INSERT INTO tasks VALUES(2)").unwrap();
        writer.busy_timeout(std::time::Duration::from_secs(1)).unwrap();
        let begun = std::time::Instant::now();
        let command = sandbox.command(&["checkpoint", "--mode", mode, "--timeout", "60s"]);
        let output = std::thread::scope(|scope| {
            let running = scope.spawn(|| sandbox.finish(command, b""));
            for number in 100..120 {
                writer.execute("INSERT INTO tasks VALUES(?)", [number]).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            running.join().unwrap()
        });
        output.exits(11).says(&format!("process {}", reader.pid()));
        assert!(
            begun.elapsed() < std::time::Duration::from_secs(30),
            "{mode}: it waited for a reader that stays"
        );
        reader.execute("COMMIT");
        sandbox.run(&["checkpoint", "--mode", mode]).success();
    }
}
