//! Salvage through the real binary: what comes back from every shape of damage, and that no source is touched.

mod displaced;
mod legal;
mod lost_schema;
mod silence;
mod text;
mod versions;

use crate::support::damage::{self, Shape};
use crate::support::sandbox::Sandbox;

/// An injured board in its sandbox, and the truth beside it.
fn injured(shape: Shape, seed: u64) -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 150, seed);
    damage::injure(shape, seed, &good, &sandbox.board());
    (sandbox, good)
}

fn tasks(board: &std::path::Path) -> i64 {
    let connection = rusqlite::Connection::open(board).unwrap();
    connection.query_row("SELECT count(*) FROM tasks", [], |row| row.get(0)).unwrap()
}

/// The least share of rows that must come back, in percent, and the most rows that may be wrong. Bits that flip inside
/// a text cannot be seen from one file (docs/recovery.md).
fn bar(shape: Shape) -> (f64, usize) {
    match shape {
        Shape::Healthy
        | Shape::SchemaDuplicate
        | Shape::IndexDrift
        | Shape::WalPending
        | Shape::WalHeaderGone
        | Shape::InteriorsGone
        | Shape::ManyCopies => (100.0, 0),
        Shape::TlsHeader | Shape::FirstPageZero => (99.0, 0),
        Shape::ZeroPages => (90.0, 0),
        Shape::Truncated => (60.0, 0),
        Shape::BitFlips => (90.0, 60),
    }
}

#[test]
fn every_shape_of_damage_gives_back_what_is_there() {
    for shape in Shape::ALL {
        let (sandbox, good) = injured(shape, 3);
        let before = sandbox.photograph();
        let new = sandbox.work().join("new.db");
        let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
        assert!([0, 5].contains(&output.code()), "{shape:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{shape:?}: a source was touched");
        assert!(!damage::beside(&new, "-wal").exists() && !damage::beside(&new, "-journal").exists());
        let score = damage::score(&good, &new);
        let (percent, wrong) = bar(shape);
        assert!(score.percent() >= percent, "{shape:?}: {score:?} = {} %", score.percent());
        assert!(score.wrong <= wrong, "{shape:?}: {score:?}");
        let data = output.data();
        assert_eq!(data["verified"], true, "{shape:?}");
        assert_eq!(data["installed"], false);
        sandbox.run(&["--db", new.to_str().unwrap(), "health", "--depth", "full"]);
    }
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let (sandbox, _) = injured(Shape::ManyCopies, 1);
    let before = sandbox.photograph();
    let new = sandbox.work().join("new.db");
    let rehearsed = sandbox.run(&["recover", "--dry-run", "--output", new.to_str().unwrap(), "--json"]);
    assert!(!new.exists());
    assert_eq!(sandbox.photograph(), before);
    let done = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
    assert_eq!(rehearsed.code(), done.code());
    assert_eq!(rehearsed.data()["tables"], done.data()["tables"]);
}

#[test]
fn rows_beside_an_empty_file_come_back_and_the_wal_stays() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 30, 4);
    let connection = rusqlite::Connection::open(&good).unwrap();
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint=0; PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL; VACUUM;",
        )
        .unwrap();
    let wal = damage::beside(&good, "-wal");
    assert!(wal.metadata().unwrap().len() > 0, "the scene needs a full WAL");
    std::fs::copy(&wal, damage::beside(&sandbox.board(), "-wal")).unwrap();
    std::fs::write(sandbox.board(), b"").unwrap();
    drop(connection);
    let before = sandbox.photograph();
    for verb in
        [&["list"][..], &["stats"], &["health"], &["create", "x"], &["backup"], &["checkpoint"], &["init"]]
    {
        let output = sandbox.run(verb);
        assert!([4, 12].contains(&output.code()), "{verb:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    assert_eq!(sandbox.photograph(), before);
    let score = damage::score(&good, &new);
    assert!(score.percent() >= 100.0 && score.wrong == 0, "{score:?}");
}

#[test]
fn where_to_is_asked_for_and_nothing_is_overwritten() {
    let (sandbox, _) = injured(Shape::TlsHeader, 1);
    sandbox.run(&["recover"]).exits(12).says("--yes").says("--output NEW.db");
    let new = sandbox.work().join("new.db");
    std::fs::write(&new, b"mine").unwrap();
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).exits(12).says("exists already");
    assert_eq!(std::fs::read(&new).unwrap(), b"mine");
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(sandbox.work().join("nowhere.db"), &link).unwrap();
    sandbox.run(&["recover", "--output", link.to_str().unwrap()]).exits(12);
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 3);
}

#[test]
fn a_board_that_never_was_has_nothing_to_recover() {
    let sandbox = Sandbox::new();
    sandbox.run(&["recover", "--dry-run"]).exits(10);
    sandbox.run(&["recover", "--dry-run", "/nonexistent/kanban.db"]).exits(10);
}

#[test]
fn the_result_is_no_more_open_than_the_board() {
    use std::os::unix::fs::PermissionsExt;
    let (sandbox, _) = injured(Shape::ZeroPages, 1);
    for bits in [0o600, 0o640] {
        std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(bits)).unwrap();
        let new = sandbox.work().join(format!("{bits:o}.db"));
        sandbox.run(&["recover", "--output", new.to_str().unwrap()]);
        assert_eq!(new.metadata().unwrap().permissions().mode() & 0o777, bits);
    }
}

#[test]
fn every_row_has_a_provenance_that_leads_back_to_it() {
    let (sandbox, _) = injured(Shape::ManyCopies, 4);
    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&["recover", "--provenance", "--output", new.to_str().unwrap(), "--json"]);
    let data = output.data();
    let connection = rusqlite::Connection::open(&new).unwrap();
    let mut places = 0;
    for (table, rows) in data["provenance"].as_object().unwrap() {
        let rows = rows.as_array().unwrap();
        assert_eq!(rows.len() as u64, data["tables"][table]["recovered"].as_u64().unwrap(), "{table}");
        if table != "task_events" {
            continue;
        }
        for row in rows {
            let number = |key: &str| usize::try_from(row[key].as_u64().unwrap()).unwrap();
            let bytes = std::fs::read(data["sources"][number("source")]["path"].as_str().unwrap()).unwrap();
            let at = (number("page") - 1) * damage::PAGE + number("cell");
            let kind: String = connection
                .query_row("SELECT kind FROM task_events WHERE id = ?1", [row["rowid"].as_i64()], |row| {
                    row.get(0)
                })
                .unwrap();
            let near = &bytes[at..(at + 200).min(bytes.len())];
            assert!(near.windows(kind.len()).any(|window| window == kind.as_bytes()), "{row}");
            places += 1;
        }
    }
    assert!(places > 100);
}

#[test]
fn what_is_left_of_a_cut_row_is_offered_apart() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 40, 2);
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    let body = "Z".repeat(20_000);
    connection.execute("UPDATE tasks SET body = ?1 WHERE rowid = 7", [&body]).unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    connection.close().unwrap();
    let mut bytes = std::fs::read(sandbox.board()).unwrap();
    let full = bytes
        .chunks_exact(damage::PAGE)
        .rposition(|page| page[4..].iter().all(|&byte| byte == b'Z'))
        .expect("a page that is all body");
    bytes[full * damage::PAGE..][..damage::PAGE].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();

    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).exits(5);
    let path = damage::beside(&new, ".partial.jsonl");
    assert_eq!(output.data()["partial_rows"], path.to_str().unwrap());
    assert_eq!(tasks(&new), 39, "a cut row is not among the whole ones");
    let lines = std::fs::read_to_string(&path).unwrap();
    let line: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((lines.lines().count(), &line["table"], &line["rowid"]), (1, &"tasks".into(), &7.into()));
    assert!(line["values"]["id"].as_str().unwrap().starts_with("t_"));
    let cut = &line["cut"];
    assert_eq!((&cut["column"], &cut["of"]), (&"body".into(), &20_000.into()));
    let left = cut["value"].as_str().unwrap();
    assert!(!left.is_empty() && left.len() < body.len() && body.starts_with(left), "{}", left.len());

    // Neither file is ever overwritten.
    std::fs::remove_file(&new).unwrap();
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).exits(12).says("exists already");
    assert!(!new.exists());
}

/// Put in a board's place, another program's database would be an empty board that everybody believes in.
#[test]
fn the_database_of_another_program_is_no_board() {
    let sandbox = Sandbox::new();
    let other = rusqlite::Connection::open(sandbox.board()).unwrap();
    other
        .execute_batch(
            "CREATE TABLE invoices(id INTEGER PRIMARY KEY, text); INSERT INTO invoices VALUES(1, 'x')",
        )
        .unwrap();
    drop(other);
    let before = sandbox.photograph();
    for args in
        [&["recover", "--yes", "--assume-unused"][..], &["recover", "--output", "new.db"], &["recover", "-n"]]
    {
        sandbox.run(args).exits(4).says("table of a board");
        assert_eq!(sandbox.photograph(), before, "{args:?}");
    }
    // A board that nobody has used yet is one.
    std::fs::remove_file(sandbox.board()).unwrap();
    sandbox.run(&["init"]).success();
    sandbox.run(&["recover", "--output", "new.db"]).success();
}

#[test]
fn rows_that_were_never_committed_are_offered_apart() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 40, 4);
    let connection = rusqlite::Connection::open(&good).unwrap();
    let body = "long ".repeat(4000);
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = 2;
             INSERT INTO task_comments(task_id, author, body, created_at) SELECT id, 'alice', 'kept', 1780000000 FROM tasks;
             BEGIN",
        )
        .unwrap();
    let last: i64 = connection.query_row("SELECT max(id) FROM task_comments", [], |row| row.get(0)).unwrap();
    let committed = std::fs::metadata(damage::beside(&good, "-wal")).unwrap().len();
    for number in 0..200 {
        let body = if number == 3 { body.as_str() } else { "never told" };
        connection
            .execute(
                "INSERT INTO task_comments(task_id, author, body, created_at) \
                 SELECT id, 'bob', ?1, 1780000001 FROM tasks WHERE rowid = 5",
                [body],
            )
            .unwrap();
    }
    let log = std::fs::read(damage::beside(&good, "-wal")).unwrap();
    assert!(log.len() as u64 > committed, "nothing of the transaction is in the log");
    std::fs::copy(&good, sandbox.board()).unwrap();
    std::fs::write(damage::beside(&sandbox.board(), "-wal"), log).unwrap();
    connection.execute_batch("ROLLBACK").unwrap();
    connection.close().unwrap();

    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]).exits(0);
    let path = damage::beside(&new, ".partial.jsonl");
    assert_eq!(output.data()["partial_rows"], path.to_str().unwrap());
    let lines = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let comments = &output.data()["tables"]["task_comments"];
    assert_eq!((comments["recovered"].as_i64(), comments["lost"].as_i64()), (Some(last), Some(0)));
    assert_eq!(comments["uncommitted"].as_u64(), Some(lines.len() as u64));
    assert!(lines.len() > 100, "{}", lines.len());
    for line in &lines {
        assert_eq!((&line["table"], &line["uncommitted"]), (&"task_comments".into(), &true.into()));
        assert!(line["rowid"].as_i64().unwrap() > last && line["cut"].is_null(), "{line}");
        assert_eq!(line["values"]["author"], "bob");
    }
    let chained = lines.iter().find(|line| line["rowid"] == last + 4).unwrap();
    assert_eq!(chained["values"]["body"], body, "its chain lies behind the commit, too");
    assert_eq!(damage::score(&good, &new).wrong, 0);
}

/// What a program of somebody's writes is no damage, however odd it looks.
#[test]
fn rows_with_values_of_another_sort_are_whole_rows() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 6);
    rusqlite::Connection::open(&good)
        .unwrap()
        .execute_batch(
            "UPDATE tasks SET body = hex(zeroblob(6000)), created_at = created_at * 1000, started_at = 17,
             completed_at = created_at * 1000 WHERE rowid IN (5, 17, 40);
             UPDATE tasks SET body = hex(zeroblob(4000)), status = 'In Progress' WHERE rowid = 20",
        )
        .unwrap();
    let mut bytes = std::fs::read(&good).unwrap();
    bytes[..100].fill(0);
    std::fs::write(sandbox.board(), bytes).unwrap();
    let result = sandbox.work().join("new.db");
    let output = sandbox.run(&["recover", "--output", result.to_str().unwrap(), "--json"]).success();
    let score = damage::score(&good, &result);
    assert!(score.percent() >= 100.0 && score.wrong == 0, "{score:?} {output}");
}
