//! Thinning out on real files: SQLite itself reads, before and after, which rows are anywhere.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use kanbanctl::copies::inspect::Inspector;
use kanbanctl::copies::prune::{self, Rules};
use kanbanctl::copies::remove::Folder;
use kanbanctl::salvage::source::{self as sources, Digests, SourceKind};
use kanbanctl::work::progress::Unwatched;
use proptest::prelude::*;
use rusqlite::Connection;

/// What happens on a board.
#[derive(Debug, Clone)]
enum Step {
    Insert(u8),
    Update(u8, u8),
    Delete(u8),
    /// A page changes and no row.
    Touch(u8),
    /// Hermes puts a copy aside, with the log or with everything in the main file.
    Copy {
        with_log: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0_u8..12).prop_map(Step::Insert),
        2 => (0_u8..12, 0_u8..3).prop_map(|(task, state)| Step::Update(task, state)),
        1 => (0_u8..12).prop_map(Step::Delete),
        1 => any::<u8>().prop_map(Step::Touch),
        4 => any::<bool>().prop_map(|with_log| Step::Copy { with_log }),
    ]
}

/// A board in WAL mode that nobody checkpoints unasked.
fn create(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size=512; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0;
             CREATE TABLE tasks(id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL);
             CREATE TABLE task_events(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, run_id INTEGER,
                                      kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);",
        )
        .unwrap();
    connection
}

fn play(steps: &[Step], board: &Path, connection: &Connection) {
    let mut copies = 0;
    for step in steps {
        match step {
            Step::Insert(task) => {
                let sql = format!(
                    "INSERT OR IGNORE INTO tasks VALUES('t_{task:08x}', 'a title {task}', 'todo', 1780000000);
                     INSERT INTO task_events(task_id, kind, created_at) VALUES('t_{task:08x}', 'created', 1780000000)"
                );
                connection.execute_batch(&sql).unwrap();
            }
            Step::Update(task, state) => {
                let state = ["ready", "running", "done"][usize::from(*state)];
                let sql = format!("UPDATE tasks SET status = '{state}' WHERE id = 't_{task:08x}'");
                connection.execute_batch(&sql).unwrap();
            }
            Step::Delete(task) => {
                connection.execute_batch(&format!("DELETE FROM tasks WHERE id = 't_{task:08x}'")).unwrap();
            }
            Step::Touch(number) => connection.pragma_update(None, "user_version", number).unwrap(),
            Step::Copy { with_log } => {
                if !with_log {
                    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
                }
                let path = beside(board, &format!(".corrupt.20260501_{copies:06}.bak"));
                std::fs::copy(board, &path).unwrap();
                if std::fs::metadata(beside(board, "-wal")).unwrap().len() > 0 {
                    std::fs::copy(beside(board, "-wal"), beside(&path, "-wal")).unwrap();
                }
                let time =
                    std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_780_000_000 + copies * 60);
                std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
                copies += 1;
            }
        }
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Every row of the board and of all copies, as SQLite reads them from copies of its own.
fn rows(dir: &Path) -> BTreeSet<String> {
    let scratch = tempfile::tempdir().unwrap();
    let mut rows = BTreeSet::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if !(path.extension().is_some_and(|end| end == "bak") || path.ends_with("kanban.db")) {
            continue;
        }
        let copy = scratch.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let _ = std::fs::copy(beside(&path, "-wal"), beside(&copy, "-wal"));
        let connection = Connection::open(&copy).unwrap();
        for sql in [
            "SELECT quote(id)||quote(title)||quote(status)||quote(created_at) FROM tasks",
            "SELECT quote(id)||quote(task_id)||quote(kind)||quote(created_at) FROM task_events",
        ] {
            let mut statement = connection.prepare(sql).unwrap();
            rows.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
        }
        drop(connection);
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(beside(&copy, suffix));
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn no_row_version_is_lost(
        steps in prop::collection::vec(step(), 1..60),
        keep in prop::option::of(1_usize..4),
        max_bytes in prop::option::of(0_u64..100_000),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().canonicalize().unwrap().join("kanban.db");
        let connection = create(&board);
        play(&steps, &board, &connection);
        let before = rows(dir.path());
        let live = sources::live(&board).unwrap();
        let found = sources::backups(&board, Digests::All, &mut Unwatched).unwrap();
        let viewer = Inspector::new(dir.path().to_path_buf()).unwrap();
        let rules = Rules { keep, max_bytes, ..Rules::default() };
        let plan = prune::plan(live.as_ref(), &found.sources, &rules, &viewer, &mut Unwatched).unwrap();
        prop_assert!(plan.lost.is_empty());
        plan.recheck(sources::live(&board).unwrap().as_ref(), &viewer).unwrap();
        let folder = Folder::of(SourceKind::Backup, &board).unwrap();
        for (content, copy) in &plan.removed {
            folder.remove(&found.sources[*content].copies[*copy]).unwrap();
        }
        prop_assert_eq!(rows(dir.path()), before);
        let left = sources::backups(&board, Digests::All, &mut Unwatched).unwrap().sources.len();
        prop_assert_eq!(left, plan.stays.len());
        prop_assert!(left > 0 || found.sources.is_empty());
        drop(connection);
    }
}
