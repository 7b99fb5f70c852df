//! Which version of a row counts: of copies that are older, of copies that agree, of what a log has not written over.

use super::tasks;
use crate::support::damage;
use crate::support::sandbox::Sandbox;

/// Puts the live board's bytes aside as Hermes does.
fn set_aside(sandbox: &Sandbox) {
    let copy = damage::beside(&sandbox.board(), ".corrupt.0123456789abcdef.bak");
    std::fs::copy(sandbox.board(), copy).unwrap();
}

#[test]
fn a_deleted_row_stays_deleted_unless_it_is_asked_for() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 40, 2);
    set_aside(&sandbox);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    let gone: String = connection
        .query_row("DELETE FROM tasks WHERE rowid = 20 RETURNING id", [], |row| row.get(0))
        .unwrap();
    connection.close().unwrap();

    let (new, old) = (sandbox.work().join("new.db"), sandbox.work().join("old.db"));
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).success();
    assert_eq!((tasks(&new), &output.data()["tables"]["tasks"]["older_only"]), (39, &1.into()));
    let output = sandbox
        .run(&["recover", "--include-older", "--provenance", "--output", old.to_str().unwrap(), "--json"])
        .success();
    assert_eq!((tasks(&old), &output.data()["tables"]["tasks"]["older_only"]), (40, &0.into()));
    let data = output.data();
    let older: Vec<_> = data["provenance"]["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["confidence"] == "older")
        .collect();
    assert_eq!(older.len(), 1);
    assert_eq!(older[0]["rowid"], 20);
    let connection = rusqlite::Connection::open(&old).unwrap();
    let back: String =
        connection.query_row("SELECT id FROM tasks WHERE rowid = 20", [], |row| row.get(0)).unwrap();
    assert_eq!(back, gone);
}

#[test]
fn a_newer_row_keeps_its_key_against_an_older_one() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 40, 2);
    set_aside(&sandbox);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    // Made again under a higher rowid.
    connection
        .execute_batch(
            "CREATE TEMP TABLE again AS SELECT * FROM tasks WHERE rowid = 20;
             DELETE FROM tasks WHERE rowid = 20;
             UPDATE again SET title = 'made again';
             INSERT INTO tasks SELECT * FROM again;",
        )
        .unwrap();
    connection.close().unwrap();
    let new = sandbox.work().join("new.db");
    let output =
        sandbox.run(&["recover", "--include-older", "--output", new.to_str().unwrap(), "--json"]).success();
    assert_eq!((tasks(&new), &output.data()["tables"]["tasks"]["older_only"]), (40, &1.into()));
    let connection = rusqlite::Connection::open(&new).unwrap();
    let title: String = connection
        .query_row("SELECT title FROM tasks ORDER BY rowid DESC LIMIT 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(title, "made again");
}

/// The pages of the frames in the log at `path` that are of its current generation, and of those that are not.
fn generations(path: &std::path::Path) -> [std::collections::BTreeSet<usize>; 2] {
    let log = std::fs::read(path).unwrap();
    let mut pages = [std::collections::BTreeSet::new(), std::collections::BTreeSet::new()];
    for frame in log[32..].chunks_exact(24 + damage::PAGE) {
        let number = u32::from_be_bytes(frame[..4].try_into().unwrap());
        let old = frame[8..16] != log[16..24];
        pages[usize::from(old)].insert(usize::try_from(number).unwrap());
    }
    pages
}

#[test]
fn a_lost_page_comes_back_from_what_the_log_has_not_written_over() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 3);
    let connection = rusqlite::Connection::open(&good).unwrap();
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0;
             UPDATE task_events SET created_at = created_at + 1;
             DELETE FROM task_events WHERE id = 30;
             PRAGMA wal_checkpoint(FULL);
             UPDATE tasks SET priority = 1 WHERE rowid = 1;",
        )
        .unwrap();
    let (log, board) = (damage::beside(&good, "-wal"), sandbox.board());
    let [new, old] = generations(&log);
    std::fs::copy(&log, damage::beside(&board, "-wal")).unwrap();
    let mut bytes = std::fs::read(&good).unwrap();
    connection.close().unwrap();
    // Every leaf of events that only the earlier generation has, unless it is whole in the new one.
    let mut lost = 0;
    for page in old.difference(&new) {
        let at = (page - 1) * damage::PAGE;
        if *page > 1 && bytes[at] == 13 {
            bytes[at..at + damage::PAGE].fill(0);
            lost += 1;
        }
    }
    assert!(lost > 2, "the scene needs leaves that only the old frames have");
    std::fs::write(&board, bytes).unwrap();
    let result = sandbox.work().join("new.db");
    let output =
        sandbox.run(&["recover", "--provenance", "--output", result.to_str().unwrap(), "--json"]).success();
    let score = damage::score(&good, &result);
    assert!(score.percent() >= 100.0 && score.wrong == 0, "{score:?}");
    // The log wrote them into the file before it restarted: they are the newest version, not an earlier one.
    let events = output.data()["provenance"]["task_events"].clone();
    assert!(events.as_array().unwrap().iter().all(|row| row["confidence"] != "earlier"), "{events:#}");
}

#[test]
fn copies_that_agree_correct_a_flipped_comment_of_a_damaged_board_and_no_edit() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 3);
    let text: String = rusqlite::Connection::open(&good)
        .unwrap()
        .query_row(
            "SELECT body FROM task_comments WHERE length(body) BETWEEN 40 AND 400 LIMIT 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    let whole = std::fs::read(&good).unwrap();
    for mark in ["0123456789abcde1", "0123456789abcde2"] {
        let copy = damage::beside(&sandbox.board(), &format!(".corrupt.{mark}.bak"));
        // Distinct contents: the counter of changes is not asked for.
        let mut bytes = whole.clone();
        bytes[92..96].copy_from_slice(&mark.as_bytes()[12..]);
        std::fs::write(copy, bytes).unwrap();
    }
    // The live board has gone on by one edit, which is a single bit too, and then a bit flips in it.
    std::fs::copy(&good, sandbox.board()).unwrap();
    let edit = "UPDATE tasks SET consecutive_failures = 1 WHERE rowid = 5 AND consecutive_failures = 0";
    for board in [&good, &sandbox.board()] {
        assert_eq!(rusqlite::Connection::open(board).unwrap().execute(edit, []).unwrap(), 1);
    }
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    let ascii = text.bytes().position(|byte| byte.is_ascii_lowercase()).unwrap();
    bytes[at + ascii] ^= 1;
    std::fs::write(sandbox.board(), &bytes).unwrap();
    // Nothing tells beside a board that is sound otherwise: it comes back as it is.
    let output = sandbox.run(&["recover", "--dry-run", "--json"]).success();
    assert_eq!(output.data()["suspects"], serde_json::json!([]));
    let index: usize = {
        let sql = "SELECT rootpage FROM sqlite_master WHERE name = 'idx_events_run'";
        rusqlite::Connection::open(&good).unwrap().query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap()
            as usize
    };
    bytes[(index - 1) * damage::PAGE..index * damage::PAGE].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    let score = damage::score(&good, &new);
    assert!(score.percent() >= 100.0 && score.wrong == 0, "{score:?}");

    // One copy that is sound from end to end stands above a board that is damaged.
    std::fs::remove_file(damage::beside(&sandbox.board(), ".corrupt.0123456789abcde2.bak")).unwrap();
    let output = sandbox.run(&["recover", "--dry-run", "--json"]).success();
    assert_eq!(output.data()["tables"]["task_comments"]["corrected"], 1);
}

/// Rows that another program deleted: some stand in the main file beneath the log, some in the cells that a page gave up.
#[test]
fn deleted_rows_that_are_still_there_come_back_when_they_are_asked_for() {
    let sandbox = Sandbox::new();
    let board = sandbox.board();
    damage::board(&board, 60, 5);
    let truth = sandbox.work().join("truth.db");
    std::fs::copy(&board, &truth).unwrap();
    let connection = rusqlite::Connection::open(&board).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
        .execute_batch(
            "PRAGMA secure_delete=OFF; DELETE FROM task_comments WHERE id % 9 = 0;
             PRAGMA journal_mode=WAL; DELETE FROM task_events WHERE id % 7 = 0",
        )
        .unwrap();
    connection.close().unwrap();
    let new = sandbox.work().join("new.db");
    let count = |path: &std::path::Path, table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        rusqlite::Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
    };
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    assert!(count(&new, "task_events") < count(&truth, "task_events"));
    std::fs::remove_file(&new).unwrap();
    let output = sandbox
        .run(&["recover", "--include-older", "--provenance", "--json", "--output", new.to_str().unwrap()])
        .success();
    assert_eq!(count(&new, "task_events"), count(&truth, "task_events"));
    assert_eq!(damage::score(&truth, &new).wrong, 0);
    let comments = count(&truth, "task_comments") - count(&board, "task_comments");
    let found = count(&new, "task_comments") - count(&board, "task_comments");
    // A cell that was given up loses its first four bytes to the list of free blocks when it is not the last one.
    assert!(comments > 0 && found <= comments, "{found} of {comments}");
    let events = output.data()["provenance"]["task_events"].clone();
    assert!(events.as_array().unwrap().iter().any(|row| row["confidence"] == "earlier"), "{events}");
}
