//! Replicas of Litestream 0.3, read without Litestream: whole, to a moment, damaged, and against the real program.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use rusqlite::Connection;

use crate::support::damage::beside;
use crate::support::rows::create;
use crate::support::sandbox::{NOW, Sandbox};

const ID: &str = "0123456789abcdef";

fn compress(path: &Path, bytes: &[u8]) {
    let mut frame = lz4_flex::frame::FrameEncoder::new(Vec::new());
    frame.write_all(bytes).unwrap();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, frame.finish().unwrap()).unwrap();
}

fn date(path: &Path, at: i64) {
    let time = UNIX_EPOCH + Duration::from_secs(at.unsigned_abs());
    std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
}

/// A replica as Litestream writes one: a snapshot, then a piece of a log for each of `tasks` tasks, `each` of them in one log.
/// Piece N is written at `NOW + N`. The board is in WAL mode, and its log is not cut.
struct Replicated {
    sandbox: Sandbox,
    replica: PathBuf,
    pieces: Vec<PathBuf>,
}

fn replicated(tasks: usize, each: usize) -> Replicated {
    let sandbox = Sandbox::with_board();
    let board = sandbox.board();
    let replica = sandbox.work().join("replica");
    let folder = replica.join("generations").join(ID);
    let holder = Connection::open(&board).unwrap();
    holder.execute_batch("PRAGMA wal_autocheckpoint=0; PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    let snapshot = folder.join("snapshots/00000000.snapshot.lz4");
    compress(&snapshot, &std::fs::read(&board).unwrap());
    date(&snapshot, NOW);
    let (mut index, mut offset, mut pieces) = (0, 0, Vec::new());
    for number in 1..=tasks {
        holder
            .execute(
                "INSERT INTO tasks (id, title, body, status, created_at, workspace_kind) VALUES (?1, ?2, ?3, 'ready', ?4, 'scratch')",
                (format!("t_{number:08x}"), format!("task {number}"), "x".repeat(700 * number), NOW),
            )
            .unwrap();
        let log = std::fs::read(beside(&board, "-wal")).unwrap();
        let piece = folder.join(format!("wal/{index:08x}_{offset:08x}.wal.lz4"));
        compress(&piece, &log[offset..]);
        date(&piece, NOW + i64::try_from(number).unwrap());
        pieces.push(piece);
        offset = log.len();
        if number % each == 0 {
            holder.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
            (index, offset) = (index + 1, 0);
        }
    }
    holder.close().unwrap();
    Replicated { sandbox, replica, pieces }
}

fn titles(board: &Path) -> Vec<String> {
    let connection = Connection::open(board).unwrap();
    let mut asked = connection.prepare("SELECT title FROM tasks ORDER BY rowid").unwrap();
    let rows = asked.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

fn expected(tasks: usize) -> Vec<String> {
    (1..=tasks).map(|number| format!("task {number}")).collect()
}

impl Replicated {
    /// As on another machine: nothing of the board is left.
    fn lose_the_board(&self) {
        for entry in std::fs::read_dir(self.sandbox.root()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    fn run(&self, args: &[&str]) -> crate::support::sandbox::Output {
        self.sandbox.run(
            &args
                .iter()
                .map(|word| if *word == "REPLICA" { self.replica.to_str().unwrap() } else { word })
                .collect::<Vec<_>>(),
        )
    }
}

#[test]
fn a_lost_board_comes_back_from_its_replica() {
    let scene = replicated(7, 3);
    scene.lose_the_board();
    let before = std::fs::read(&scene.pieces[0]).unwrap();
    let output = scene.run(&["recover", "REPLICA", "--output", "new.db"]).success();
    assert!(output.stderr.contains("everything comes back"), "{output}");
    assert_eq!(titles(&scene.sandbox.work().join("new.db")), expected(7));
    scene.run(&["restore", "REPLICA", "--yes", "--assume-unused"]).success();
    assert_eq!(titles(&scene.sandbox.board()), expected(7));
    assert_eq!(std::fs::read(&scene.pieces[0]).unwrap(), before);
    assert!(std::fs::read_dir(scene.sandbox.path().join("tmp")).unwrap().next().is_none());
}

#[test]
fn a_replica_is_read_up_to_any_moment() {
    let scene = replicated(7, 3);
    for number in 0..=7 {
        scene.lose_the_board();
        let at = format!("@{}", NOW + i64::try_from(number).unwrap());
        scene.run(&["restore", "REPLICA", "--at", &at, "--yes", "--assume-unused"]).success();
        assert_eq!(titles(&scene.sandbox.board()), expected(number), "{number}");
        let output = format!("new{number}.db");
        scene.lose_the_board();
        scene.run(&["recover", "REPLICA", "--at", &at, "--output", &output]).success();
        assert_eq!(titles(&scene.sandbox.work().join(output)), expected(number), "{number}");
    }
    let early = format!("@{}", NOW - 1);
    let refused = scene.run(&["restore", "REPLICA", "--at", &early, "--yes", "--assume-unused"]);
    let refused = refused.exits(13).says("does not reach back that far").says("Name a later time with --at");
    assert!(refused.stdout.is_empty() && !scene.sandbox.work().join("none.db").exists(), "{refused}");
    scene.run(&["recover", "REPLICA", "--at", &early, "--output", "none.db"]).exits(13);
    scene.run(&["recover", "--at", &early, "--output", "none.db"]).exits(2);
    std::fs::write(scene.sandbox.work().join("file.db"), "x").unwrap();
    scene.run(&["restore", "file.db", "--at", &early]).exits(2);
}

/// Each piece of a replica missing, cut, empty, or with a bit turned: the state ends before it, and that is said.
#[test]
fn a_replica_is_restored_up_to_its_last_whole_piece() {
    for broken in 0..7 {
        for how in ["missing", "cut", "empty", "turned"] {
            // Where a later log is there, nothing tells that the last piece of a log is missing.
            if how == "missing" && matches!(broken, 2 | 5) {
                continue;
            }
            let scene = replicated(7, 3);
            scene.lose_the_board();
            let piece = &scene.pieces[broken];
            let mut bytes = std::fs::read(piece).unwrap();
            match how {
                "missing" => std::fs::remove_file(piece).unwrap(),
                "cut" => std::fs::write(piece, &bytes[..bytes.len() / 2]).unwrap(),
                "empty" => std::fs::write(piece, b"").unwrap(),
                _ => {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 0x10;
                    std::fs::write(piece, &bytes).unwrap();
                }
            }
            // Without the last one nothing tells that there was one.
            let is_told = !(how == "missing" && broken == 6);
            let output = scene.run(&["restore", "REPLICA", "--yes", "--assume-unused"]);
            let output = output.exits(if is_told { 5 } else { 0 });
            assert_eq!(output.stderr.contains("not in the state"), is_told, "{how} {broken}\n{output}");
            assert_eq!(titles(&scene.sandbox.board()), expected(broken), "{how} {broken}\n{output}");
            scene.lose_the_board();
            scene.run(&["recover", "REPLICA", "--output", "new.db"]).exits(if is_told { 5 } else { 0 });
            assert_eq!(titles(&scene.sandbox.work().join("new.db")), expected(broken), "{how} {broken}");
        }
    }
}

#[test]
fn a_damaged_snapshot_or_a_newer_format_is_named() {
    let scene = replicated(2, 3);
    scene.lose_the_board();
    let snapshot = scene.replica.join("generations").join(ID).join("snapshots/00000000.snapshot.lz4");
    let bytes = std::fs::read(&snapshot).unwrap();
    std::fs::write(&snapshot, &bytes[..bytes.len() - 9]).unwrap();
    let output = scene.run(&["restore", "REPLICA", "--yes", "--assume-unused"]).exits(4);
    assert!(output.stderr.contains("no snapshot of"), "{output}");
    assert!(!scene.sandbox.board().exists());
    let newer = scene.sandbox.work().join("newer");
    std::fs::create_dir_all(newer.join("ltx/0")).unwrap();
    std::fs::write(newer.join("ltx/0/0000000000000001-0000000000000001.ltx"), "LTX1").unwrap();
    for args in [&["restore", "newer"][..], &["recover", "newer", "--output", "new.db"]] {
        let output = scene.run(args).exits(12);
        assert!(output.stderr.contains("Litestream 0.5"), "{output}");
    }
}

/// The log that Litestream keeps beside the board has commits that nothing else has, when the board's own log is gone.
#[test]
fn the_logs_beside_a_board_are_read_unasked() {
    let scene = replicated(5, 9);
    let board = scene.sandbox.board();
    // What SQLite wrote back when the holder closed is undone: the main file is the snapshot's, its log is deleted.
    scene.lose_the_board();
    scene.run(&["restore", "REPLICA", "--at", &format!("@{NOW}"), "--yes", "--assume-unused"]).success();
    let mut log = Vec::new();
    for piece in &scene.pieces {
        let mut decoder = lz4_flex::frame::FrameDecoder::new(std::fs::File::open(piece).unwrap());
        std::io::Read::read_to_end(&mut decoder, &mut log).unwrap();
    }
    let shadow =
        scene.sandbox.root().join(".kanban.db-litestream/generations").join(ID).join("wal/00000000.wal");
    std::fs::create_dir_all(shadow.parent().unwrap()).unwrap();
    std::fs::write(&shadow, &log).unwrap();
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(&board, suffix));
    }
    assert_eq!(titles(&board), expected(0));
    let before = scene.sandbox.photograph();
    let output = scene.run(&["recover", "--output", "new.db"]);
    assert_eq!(titles(&scene.sandbox.work().join("new.db")), expected(5), "{output}");
    assert_eq!(scene.sandbox.photograph(), before);
    // The same log beside the board adds nothing.
    std::fs::write(beside(&board, "-wal"), &log).unwrap();
    let output = scene.run(&["recover", "--dry-run", "--json"]).success();
    let sources = output.data()["sources"].as_array().unwrap().clone();
    assert!(sources.iter().all(|source| source["kind"] != "replica"), "{output}");
}

/// As Litestream leaves a board that it replicates: its folder with a generation, and its copy of the log.
fn followed(sandbox: &Sandbox) {
    let folder = sandbox.root().join(".kanban.db-litestream");
    let logs = folder.join("generations").join(ID).join("wal");
    std::fs::create_dir_all(&logs).unwrap();
    std::fs::write(folder.join("generation"), format!("{ID}\n")).unwrap();
    std::fs::copy(beside(&sandbox.board(), "-wal"), logs.join("00000000.wal")).unwrap();
}

#[test]
fn health_names_litestream_with_its_generation_and_lag() {
    let sandbox = Sandbox::with_board();
    let holder = Connection::open(sandbox.board()).unwrap();
    holder.execute_batch("PRAGMA wal_autocheckpoint=0; UPDATE sqlite_sequence SET seq = seq + 1").unwrap();
    create(&sandbox, &["x"]);
    followed(&sandbox);
    let said = |sandbox: &Sandbox| {
        let findings = sandbox.run(&["health", "--json"]).data()["findings"].as_array().unwrap().clone();
        let about =
            findings.iter().find_map(|it| it["message"].as_str().filter(|it| it.contains("Litestream")));
        about.map(str::to_owned).unwrap_or_default()
    };
    let complete = said(&sandbox);
    assert!(complete.contains(ID) && complete.contains("its copy of the log is complete"), "{complete}");
    create(&sandbox, &["more"]);
    let lacks = said(&sandbox);
    assert!(lacks.contains("its copy of the log lacks"), "{lacks}");
}

#[test]
fn verbs_that_begin_a_generation_say_so_first() {
    let warned = "makes it begin a new generation";
    for args in [
        &["journal-mode", "delete", "--assume-unused"][..],
        &["checkpoint", "--mode", "truncate", "--assume-unused"],
        &["restore", "copy.db", "--yes", "--assume-unused"],
    ] {
        for is_followed in [true, false] {
            let sandbox = Sandbox::with_board();
            std::fs::copy(sandbox.board(), sandbox.work().join("copy.db")).unwrap();
            let holder = Connection::open(sandbox.board()).unwrap();
            holder.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
            holder
                .execute_batch(
                    "PRAGMA wal_autocheckpoint=0; CREATE TABLE notes (x); INSERT INTO notes VALUES (1)",
                )
                .unwrap();
            holder.close().unwrap();
            if is_followed {
                followed(&sandbox);
            }
            let output = sandbox.run(args).success();
            assert_eq!(output.stderr.contains(warned), is_followed, "{args:?}\n{output}");
        }
    }
}

/// The real program, where `KANBANCTL_TEST_LITESTREAM` names it.
fn program() -> Option<PathBuf> {
    let named = std::env::var_os("KANBANCTL_TEST_LITESTREAM").map(PathBuf::from);
    if named.is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_LITESTREAM=<litestream 0.3.13>");
    }
    named
}

/// Every row of every table of Hermes, as text.
fn contents(board: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(board).unwrap();
    let mut asked = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let names: Vec<String> = asked.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut found = BTreeMap::new();
    for name in names {
        let mut asked = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = asked.column_count();
        let rows = asked.query_map([], |row| {
            let values: Vec<String> =
                (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap())).collect();
            Ok(values.join("|"))
        });
        let rows = rows.unwrap().map(Result::unwrap).collect();
        found.insert(name, rows);
    }
    found
}

#[test]
fn what_litestream_wrote_is_restored_as_litestream_restores_it() {
    let Some(program) = program() else { return };
    let sandbox = Sandbox::with_board();
    let (board, replica) = (sandbox.board(), sandbox.work().join("replica"));
    let config = sandbox.work().join("litestream.yml");
    let text = format!(
        "dbs:\n  - path: {}\n    monitor-interval: 20ms\n    checkpoint-interval: 1s\n    min-checkpoint-page-count: 20\n    replicas:\n      - type: file\n        path: {}\n        sync-interval: 50ms\n",
        board.display(),
        replica.display()
    );
    std::fs::write(&config, text).unwrap();
    let log = std::fs::File::create(sandbox.work().join("litestream.log")).unwrap();
    let mut running = sandbox
        .program(&program)
        .args(["replicate", "-config", config.to_str().unwrap()])
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    for number in 0..25 {
        create(&sandbox, &[&format!("task {number}"), "--body", &"x".repeat(900 * (number % 7))]);
        if number % 8 == 0 {
            sandbox.run(&["checkpoint"]);
        }
        std::thread::sleep(Duration::from_millis(120));
    }
    std::thread::sleep(Duration::from_millis(800));
    rustix::process::kill_process(rustix::process::Pid::from_child(&running), rustix::process::Signal::TERM)
        .unwrap();
    running.wait().unwrap();
    let theirs = sandbox.work().join("theirs.db");
    let restored = sandbox
        .program(&program)
        .args(["restore", "-o", theirs.to_str().unwrap(), &format!("file://{}", replica.display())])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    // The machine is gone with the board.
    std::fs::remove_dir_all(sandbox.root()).unwrap();
    std::fs::create_dir_all(sandbox.root()).unwrap();
    sandbox.run(&["recover", "replica", "--output", "ours.db"]).success();
    sandbox.run(&["restore", "replica", "--yes", "--assume-unused"]).success();
    let truth = contents(&theirs);
    assert_eq!(truth["tasks"].len(), 25);
    assert_eq!(contents(&board), truth);
    assert_eq!(contents(&sandbox.work().join("ours.db")), truth);
}
