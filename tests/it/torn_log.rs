//! A log with wounds in its committed frames: what the checksums prove is undone, what they cannot is told.

use std::path::Path;

use rusqlite::Connection;

use crate::support::damage::{self, Dice, Shape};
use crate::support::sandbox::Sandbox;

const PAGE: usize = 4096;
const FRAME: usize = 24 + PAGE;

/// A board whose last third is in the log alone; and the truth.
fn pending(seed: u64) -> (Sandbox, std::path::PathBuf, Vec<u8>) {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 80, seed);
    damage::injure(Shape::WalPending, seed, &good, &sandbox.board());
    let log = std::fs::read(damage::beside(&sandbox.board(), "-wal")).unwrap();
    (sandbox, good, log)
}

/// A board that has gone on in the log: tasks changed, added and deleted; and the truth.
fn changed(seed: u64) -> (Sandbox, std::path::PathBuf, Vec<u8>) {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 80, seed);
    let connection = Connection::open(&good).unwrap();
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0").unwrap();
    std::fs::copy(&good, sandbox.board()).unwrap();
    for step in 1..8 {
        connection
            .execute_batch(&format!(
                "BEGIN; \
                 UPDATE tasks SET status = 'done', completed_at = created_at + {step} WHERE rowid % 8 = {step}; \
                 UPDATE tasks SET title = title || ' again' WHERE rowid % 16 = {step}; \
                 INSERT INTO task_events(task_id, kind, payload, created_at) \
                 SELECT id, 'completed', NULL, completed_at FROM tasks WHERE rowid % 8 = {step}; \
                 INSERT INTO task_comments(task_id, author, body, created_at) \
                 SELECT id, 'alice', title, created_at FROM tasks WHERE rowid % 9 = {step}; \
                 DELETE FROM task_links WHERE rowid % 9 = {step}; COMMIT"
            ))
            .unwrap();
    }
    let log = std::fs::read(damage::beside(&good, "-wal")).unwrap();
    connection.close().unwrap();
    (sandbox, good, log)
}

fn start(frame: usize) -> usize {
    32 + frame * FRAME
}

/// The frames that stand for their pages: no later one does.
fn standing(log: &[u8]) -> Vec<usize> {
    let frames = (log.len() - 32) / FRAME;
    let page = |frame: usize| &log[start(frame)..start(frame) + 4];
    (0..frames).filter(|&at| (at + 1..frames).all(|later| page(later) != page(at))).collect()
}

/// Recovers with `log` beside the board: the exit code, rows right, rows wrong, and those of the truth.
fn recover(sandbox: &Sandbox, good: &Path, log: &[u8]) -> (i32, damage::Score, String) {
    std::fs::write(damage::beside(&sandbox.board(), "-wal"), log).unwrap();
    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap()]);
    assert!([0, 5].contains(&output.code()), "{output}");
    let score = damage::score(good, &new);
    std::fs::remove_file(&new).unwrap();
    // What is only partly there lies beside it.
    drop(std::fs::remove_file(damage::beside(&new, ".partial.jsonl")));
    (output.code(), score, output.stderr.clone())
}

fn is_whole(score: &damage::Score) -> bool {
    score.right == score.truth && score.wrong == 0
}

#[test]
fn a_wound_that_the_checksum_proves_is_undone() {
    let (sandbox, good, log) = pending(5);
    let last = standing(&log).into_iter().rfind(|&frame| log[start(frame) + 24] == 13).unwrap();
    // Three bytes of a row that is nowhere else.
    let mut hurt = log.clone();
    for byte in &mut hurt[start(last + 1) - 40..start(last + 1) - 37] {
        *byte ^= 0x11;
    }
    let (code, score, said) = recover(&sandbox, &good, &hurt);
    assert!(code == 0 && is_whole(&score), "{code} {score:?} {said}");
    // A sector of rows that were on the page before.
    let mut hurt = log.clone();
    hurt[start(last + 1) - 300..start(last + 1)].fill(0x5a);
    let (code, score, said) = recover(&sandbox, &good, &hurt);
    assert!(code == 0 && is_whole(&score), "{code} {score:?} {said}");
}

#[test]
fn a_frame_that_nothing_proves_is_told_and_its_old_rows_stay() {
    let (sandbox, good, log) = pending(6);
    let last = standing(&log).into_iter().rfind(|&frame| log[start(frame) + 24] == 13).unwrap();
    let mut hurt = log.clone();
    // Two places far apart: one text of the oldest row on the page, and one of the newest.
    let page = &log[start(last) + 24..start(last + 1)];
    let newest = usize::from(u16::from_be_bytes([page[5], page[6]]));
    hurt[start(last + 1) - 12] ^= 0x01;
    hurt[start(last) + 24 + newest + 22] ^= 0x01;
    let (code, score, said) = recover(&sandbox, &good, &hurt);
    assert!(code == 5, "{code} {score:?} {said}");
    assert!(score.right + 1 >= score.truth, "{score:?}");
}

#[test]
fn a_log_that_is_shorter_than_its_index_says_is_told() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 3);
    let (board, shm) = (sandbox.board(), damage::beside(&sandbox.board(), "-shm"));
    let connection = Connection::open(&board).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; UPDATE tasks SET priority = 1; \
             UPDATE tasks SET priority = 2",
        )
        .unwrap();
    let files = [&board, &damage::beside(&board, "-wal"), &shm].map(|path| std::fs::read(path).unwrap());
    connection.close().unwrap();
    let [database, log, index] = files;
    for (path, bytes) in [(&board, &database), (&shm, &index)] {
        std::fs::write(path, bytes).unwrap();
    }
    let wal = damage::beside(&board, "-wal");
    std::fs::write(&wal, &log).unwrap();
    sandbox.run(&["recover", "--dry-run"]).success();
    for len in [0, log.len() / 2 / FRAME * FRAME + 32] {
        std::fs::write(&wal, &log[..len]).unwrap();
        // Whoever opens the board rebuilds it.
        std::fs::write(&shm, &index).unwrap();
        let output = sandbox.run(&["recover", "--dry-run"]).exits(5);
        assert!(output.stderr.contains("of the log"), "{output}");
        let output = sandbox.run(&["health"]).exits(4);
        assert!(output.stdout.contains("named by the log's index"), "{output}");
    }
}

/// SQLite reads the first page where the log has it.
#[test]
fn a_spoilt_header_under_a_whole_one_in_the_log_is_no_damage() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 3);
    let (board, wal) = (sandbox.board(), damage::beside(&sandbox.board(), "-wal"));
    let connection = Connection::open(&board).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA user_version = 0")
        .unwrap();
    let files = [&board, &wal].map(|path| std::fs::read(path).unwrap());
    connection.close().unwrap();
    let [mut database, log] = files;
    assert!(log.chunks_exact(4).skip(8).step_by(FRAME / 4).any(|number| number == [0, 0, 0, 1]));
    // The payload fractions.
    database[21..24].fill(0xff);
    let lay = |log: &[u8]| {
        std::fs::write(&board, &database).unwrap();
        std::fs::write(&wal, log).unwrap();
    };
    lay(&log);
    let output = sandbox.run(&["health"]).exits(3);
    assert!(output.stdout.contains("A whole one is in the log"), "{output}");
    sandbox.run(&["checkpoint"]).success();
    assert!(!sandbox.run(&["health"]).stdout.contains("header-invalid"));
    lay(&[]);
    sandbox.run(&["health"]).exits(4);
}

/// Whatever noise does to the log, across the borders of frames as well: exit 0 means that every row is as it was.
#[test]
fn nothing_is_called_whole_that_is_not() {
    for (sandbox, good, log) in [pending(7), changed(7)] {
        wound_everywhere(&sandbox, &good, &log);
    }
}

fn wound_everywhere(sandbox: &Sandbox, good: &Path, log: &[u8]) {
    let frames = (log.len() - 32) / FRAME;
    let mut dice = Dice::new(7);
    let mut faults = Vec::new();
    let mut undone = 0;
    for round in 0..40 {
        let mut hurt = log.to_vec();
        let frame = frames / 2 + dice.below(frames / 2 - 1);
        let at = if round % 2 == 0 { start(frame + 1) } else { start(frame) + dice.below(FRAME) };
        let most = *dice.pick(&[1, 20, 200, 1000]);
        let (before, behind) = (1 + dice.below(most), 1 + dice.below(most));
        let end = (at + behind).min(hurt.len());
        dice.noise(&mut hurt[at - before..end]);
        let (code, score, said) = recover(sandbox, good, &hurt);
        undone += usize::from(code == 0);
        if code == 0 && !is_whole(&score) {
            faults
                .push(format!("round {round}, {before} before and {behind} behind {at}: {score:?}\n{said}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(undone > 0, "nothing was undone");
}
