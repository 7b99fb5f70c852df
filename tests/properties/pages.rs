//! The page path writes what the row path writes: whatever the damage, the two results are told apart by nothing that
//! SQL can see.

use std::collections::BTreeMap;
use std::path::Path;

use kanbanctl::recover::{self, Built, RecoverOptions};
use kanbanctl::salvage::source as sources;
use kanbanctl::work::progress::Unwatched;
use proptest::prelude::*;
use rusqlite::Connection;

const PAGE: usize = 512;

/// A board with what makes a difference between pages and rows: sequences, unique keys, partial and expression indexes,
/// values that SQLite converts, rows that overflow, columns that came later.
fn board(path: &Path, rows: u32, seed: u32) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 512; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA user_version = 5;
             PRAGMA application_id = 77;
             BEGIN;
             CREATE TABLE tasks(id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, status TEXT NOT NULL,
                                created_at INTEGER NOT NULL, priority INTEGER DEFAULT 0);
             CREATE TABLE task_events(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, run_id INTEGER,
                                      kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);
             CREATE INDEX idx_events_task ON task_events(task_id, created_at);
             CREATE INDEX idx_tasks_status ON tasks(status COLLATE NOCASE);
             CREATE INDEX lower_title ON tasks(title COLLATE RTRIM, created_at DESC);
             CREATE TABLE mixed(number NUMERIC, real REAL, any, word TEXT UNIQUE, whole INTEGER /* AUTOINCREMENT */);
             CREATE TABLE late(a, b TEXT);",
        )
        .unwrap();
    for number in 0..rows {
        let id = format!("t_{:08x}", number.wrapping_mul(2_654_435_761).wrapping_add(seed));
        let body = "β ".repeat(((number + seed) as usize * 37) % 700);
        let time = 1_780_000_000 + number;
        connection
            .execute("INSERT INTO tasks VALUES (?1, 'Title', ?2, 'todo', ?3, 1)", (&id, &body, time))
            .unwrap();
        let event = "INSERT INTO task_events VALUES (NULL, ?1, NULL, 'created', '{\"a\":1}', ?2)";
        connection.execute(event, (&id, time)).unwrap();
        let mixed = match number % 4 {
            0 => "INSERT INTO mixed VALUES (12.0, 12, '12', ?1, 'x12')",
            1 => "INSERT INTO mixed VALUES ('12x', 1.5, 3.0, ?1, 7.5)",
            2 => "INSERT INTO mixed VALUES (x'00', NULL, -1, ?1, '9')",
            _ => "INSERT INTO mixed VALUES ('', 2e300, x'', ?1, 0)",
        };
        connection.execute(mixed, [format!("w{number}")]).unwrap();
        connection.execute("INSERT INTO late VALUES (?1, 'b')", [number]).unwrap();
    }
    connection
        .execute_batch(
            "ALTER TABLE late ADD COLUMN c INTEGER NOT NULL DEFAULT 9;
             DELETE FROM task_events WHERE id % 9 = 4;
             DELETE FROM task_events WHERE id > (SELECT max(id) - 3 FROM task_events);
             COMMIT",
        )
        .unwrap();
}

/// What SQL can see of a database: schema, sequences, settings and every row with its rowid and types.
fn seen(path: &Path) -> BTreeMap<String, Vec<String>> {
    let header = std::fs::read(path).unwrap();
    let connection = Connection::open(path).unwrap();
    let column = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let mut seen = BTreeMap::new();
    let check = column("PRAGMA ignore_check_constraints = ON");
    assert!(check.is_empty());
    seen.insert("integrity".into(), column("PRAGMA integrity_check"));
    seen.insert("mode".into(), vec![format!("{:?}", &header[18..20])]);
    seen.insert(
        "schema".into(),
        column("SELECT quote(type)||quote(name)||quote(tbl_name)||quote(sql) FROM sqlite_schema ORDER BY 1"),
    );
    for pragma in ["user_version", "application_id", "page_size", "encoding"] {
        seen.insert(pragma.into(), column(&format!("SELECT CAST({pragma} AS TEXT) FROM pragma_{pragma}")));
    }
    for table in column("SELECT name FROM sqlite_schema WHERE type = 'table'") {
        let mut statement =
            connection.prepare(&format!("SELECT rowid, * FROM \"{table}\" NOT INDEXED")).unwrap();
        let count = statement.column_count();
        let values = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
            (0..count).map(|at| Ok(format!("{:?}", row.get_ref(at)?))).collect()
        };
        let rows = statement.query_map([], values).unwrap().map(Result::unwrap).collect();
        seen.insert(format!("rows of {table}"), rows);
    }
    seen
}

/// Recovers in both ways and holds the results against each other; says how the first was built.
fn compared(path: &Path, include_older: bool) -> Option<Built> {
    let dir = path.parent().unwrap();
    let found = sources::discover(path, &[], &mut Unwatched).unwrap();
    let build = |name: &str, by_rows: bool| {
        let output = dir.join(name);
        // Nothing of the first may be left when the second runs.
        let options = RecoverOptions { by_rows, include_older, ..RecoverOptions::new(dir.to_path_buf()) };
        let report = recover::recover(&found.sources, Some(&output), &options, &mut Unwatched).ok()?;
        let seen = seen(&output);
        if let Some(partial) = &report.partial_rows {
            std::fs::remove_file(partial).unwrap();
        }
        std::fs::remove_file(output).unwrap();
        Some((report, seen))
    };
    let (pages, rows) = (build("pages.db", false), build("rows.db", true));
    let (Some((pages, by_pages)), Some((rows, by_rows))) = (&pages, &rows) else {
        assert_eq!(pages.is_some(), rows.is_some());
        return None;
    };
    assert_eq!(rows.built, Some(Built::Rows));
    assert_eq!(by_rows["integrity"], ["ok"]);
    for (what, content) in by_rows {
        assert_eq!(by_pages.get(what), Some(content), "{what}, built of {:?}", pages.built);
    }
    assert_eq!(by_pages.len(), by_rows.len());
    let counts = |report: &recover::Report| serde_json::to_value(&report.tables).unwrap();
    assert_eq!(counts(pages), counts(rows));
    assert_eq!(pages.dropped, rows.dropped);
    pages.built
}

/// One thing that happens to a file.
#[derive(Clone, Debug)]
enum Hurt {
    Zero(prop::sample::Index),
    Noise(prop::sample::Index, u8),
    Flip(prop::sample::Index, u8),
    /// One page over another.
    Copy(prop::sample::Index, prop::sample::Index),
}

impl Hurt {
    fn apply(&self, bytes: &mut [u8]) {
        let pages = bytes.len() / PAGE;
        let start = |page: &prop::sample::Index| page.index(pages) * PAGE;
        match self {
            Self::Zero(page) => bytes[start(page)..][..PAGE].fill(0),
            Self::Noise(page, seed) => {
                let mut value = *seed;
                for byte in &mut bytes[start(page)..][..PAGE] {
                    value = value.wrapping_mul(167).wrapping_add(13);
                    *byte = value;
                }
            }
            Self::Flip(at, bit) => {
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << (bit % 8);
            }
            Self::Copy(from, to) => {
                let (from, to) = (start(from), start(to));
                bytes.copy_within(from..from + PAGE, to);
            }
        }
    }
}

fn hurt() -> impl Strategy<Value = Hurt> {
    let page = any::<prop::sample::Index>;
    prop_oneof![
        3 => page().prop_map(Hurt::Zero),
        1 => (page(), any::<u8>()).prop_map(|(page, seed)| Hurt::Noise(page, seed)),
        3 => (page(), any::<u8>()).prop_map(|(at, bit)| Hurt::Flip(at, bit)),
        1 => (page(), page()).prop_map(|(from, to)| Hurt::Copy(from, to)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pages_and_rows_agree(
        rows in 0_u32..150,
        seed in 0_u32..1000,
        hurts in prop::collection::vec(hurt(), 0..6),
        include_older in any::<bool>(),
        copy in prop::option::of(prop::collection::vec(hurt(), 0..4)),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kanban.db");
        board(&path, rows, seed);
        let healthy = std::fs::read(&path).unwrap();
        let injured = |hurts: &[Hurt]| {
            let mut bytes = healthy.clone();
            for hurt in hurts {
                hurt.apply(&mut bytes);
            }
            bytes
        };
        std::fs::write(&path, injured(&hurts)).unwrap();
        if let Some(copy) = copy {
            std::fs::write(dir.path().join("kanban.db.corrupt.0123456789abcdef.bak"), injured(&copy)).unwrap();
        }
        compared(&path, include_older);
    }
}

/// The law above says nothing if pages never stay.
#[test]
fn light_damage_is_built_of_pages() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kanban.db");
    board(&path, 400, 1);
    let healthy = std::fs::read(&path).unwrap();
    assert_eq!(compared(&path, false), Some(Built::Pages), "nothing is hurt");
    let pages = healthy.len() / PAGE;
    for first in [30, 40, 50, 60] {
        let mut bytes = healthy.clone();
        for page in (first..pages).step_by(50) {
            bytes[page * PAGE..][..PAGE].fill(0);
        }
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(compared(&path, false), Some(Built::Pages), "every fiftieth page from {first}");
    }
}

/// Rows, overflow pages and new leaves that are only in the log.
#[test]
fn pages_in_the_log_stay_too() {
    let dir = tempfile::tempdir().unwrap();
    let (made, path) = (dir.path().join("made.db"), dir.path().join("kanban.db"));
    board(&made, 200, 3);
    let connection = Connection::open(&made).unwrap();
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint = 0;
             UPDATE tasks SET body = printf('%0*d', 3 * length(body) + 9, 7) WHERE rowid % 5 = 0;
             DELETE FROM tasks WHERE rowid % 11 = 0;
             INSERT INTO task_events SELECT NULL, task_id, NULL, 'late', payload, created_at FROM task_events;",
        )
        .unwrap();
    std::fs::copy(&made, &path).unwrap();
    std::fs::copy(dir.path().join("made.db-wal"), dir.path().join("kanban.db-wal")).unwrap();
    connection.close().unwrap();
    let truth = seen(&made);
    std::fs::remove_file(&made).unwrap();
    assert_eq!(compared(&path, false), Some(Built::Pages));
    let output = dir.path().join("new.db");
    let found = sources::discover(&path, &[], &mut Unwatched).unwrap();
    let options = RecoverOptions::new(dir.path().to_path_buf());
    recover::recover(&found.sources, Some(&output), &options, &mut Unwatched).unwrap();
    let result = seen(&output);
    for (what, rows) in truth.iter().filter(|(what, _)| what.starts_with("rows of")) {
        assert_eq!(result.get(what), Some(rows), "{what}");
    }
}
