//! Recovery: total on damaged boards, exact on whole ones, and never richer than the truth.

use std::collections::BTreeSet;
use std::path::Path;

use kanbanctl::recover;
use kanbanctl::salvage::source as sources;
use kanbanctl::work::progress::Unwatched;
use proptest::prelude::*;
use rusqlite::Connection;

/// A board with Hermes' events and comments in it, in pages of 512 bytes.
fn board(path: &Path, events: u32) {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA page_size = 512;
             PRAGMA synchronous = OFF;
             BEGIN;
             CREATE TABLE tasks(id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, status TEXT NOT NULL,
                                created_at INTEGER NOT NULL);
             CREATE TABLE task_events(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, run_id INTEGER,
                                      kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);
             CREATE INDEX idx_events_task ON task_events(task_id, created_at);
             CREATE TABLE notes(n INTEGER PRIMARY KEY, words TEXT, size REAL);",
        )
        .unwrap();
    for number in 0..events {
        let id = format!("t_{number:08x}");
        let body = "β ".repeat((number as usize * 37) % 700);
        let time = 1_780_000_000 + number;
        connection
            .execute("INSERT INTO tasks VALUES (?1, 'title', ?2, 'todo', ?3)", (&id, &body, time))
            .unwrap();
        connection
            .execute(
                "INSERT INTO task_events VALUES (NULL, ?1, NULL, 'created', '{\"a\":1}', ?2)",
                (&id, time),
            )
            .unwrap();
        connection
            .execute("INSERT INTO notes VALUES (NULL, ?1, ?2)", (&body, f64::from(number) / 3.0))
            .unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

/// Every row of the three tables as text.
fn rows(path: &Path) -> BTreeSet<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = BTreeSet::new();
    for sql in [
        "SELECT quote(id)||quote(title)||quote(body)||quote(status)||quote(created_at) FROM tasks",
        "SELECT quote(id)||quote(task_id)||quote(run_id)||quote(kind)||quote(payload)||quote(created_at) FROM task_events",
        "SELECT quote(n)||quote(words)||quote(size) FROM notes",
    ] {
        let Ok(mut statement) = connection.prepare(sql) else { continue };
        let found = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.extend(found.map(Result::unwrap));
    }
    rows
}

fn recovered(path: &Path, output: &Path) -> Option<recover::Report> {
    let found = sources::discover(path, &[], &mut Unwatched).unwrap();
    let options = recover::RecoverOptions::new(output.parent().unwrap().to_path_buf());
    recover::recover(&found.sources, Some(output), &options, &mut Unwatched).ok()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_whole_board_comes_back_whole(events in 0_u32..120) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, events);
        let report = recovered(&path, &output).unwrap();
        prop_assert!(!report.is_partial());
        prop_assert_eq!(rows(&path), rows(&output));
    }

    #[test]
    fn lost_pages_cost_rows_and_invent_none(
        events in 20_u32..120,
        lost in prop::collection::vec(any::<prop::sample::Index>(), 1..8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, events);
        let truth = rows(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        for page in lost {
            let at = page.index(bytes.len() / 512) * 512;
            bytes[at..at + 512].fill(0);
        }
        std::fs::write(&path, bytes).unwrap();
        prop_assert!(recovered(&path, &output).is_some());
        let found = rows(&output);
        prop_assert!(found.is_subset(&truth), "{:?}", found.difference(&truth).collect::<Vec<_>>());
    }

    #[test]
    fn rows_that_do_not_fit_memory_come_back_the_same(
        events in 70_u32..300,
        injuries in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..10), 1..4),
        memory in 0_usize..9000,
        by_rows in any::<bool>(),
        include_older in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, events);
        for (number, lost) in (0_u32..).zip(&injuries) {
            let mut bytes = std::fs::read(&path).unwrap();
            for page in lost {
                let at = page.index(bytes.len() / 512) * 512;
                bytes[at..at + 512].fill(0);
            }
            let name = if number == 0 { "hurt.db".to_owned() } else { format!("kanban.db.corrupt.{number}.bak") };
            std::fs::write(dir.path().join(name), bytes).unwrap();
            let connection = Connection::open(&path).unwrap();
            connection.execute("DELETE FROM task_events WHERE id % 50 = ?1", [number]).unwrap();
            connection.execute("UPDATE notes SET words = 'again' WHERE n % 40 = ?1", [number]).unwrap();
        }
        std::fs::rename(dir.path().join("hurt.db"), &path).unwrap();
        let found = sources::discover(&path, &[], &mut Unwatched).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let run = |memory| {
            let usual = recover::RecoverOptions::new(scratch.path().to_path_buf());
            let options = recover::RecoverOptions { memory, by_rows, include_older, provenance: true, ..usual };
            let report = recover::recover(&found.sources, Some(&output), &options, &mut Unwatched).ok()?;
            let written = std::fs::read(&output).unwrap();
            std::fs::remove_file(&output).unwrap();
            let partial = output.with_file_name("new.db.partial.jsonl");
            let parts = std::fs::read(&partial).unwrap_or_default();
            let _ = std::fs::remove_file(&partial);
            Some((serde_json::to_string(&report).unwrap(), written, parts))
        };
        let (away, here) = (run(memory), run(usize::MAX));
        prop_assert_eq!(away.as_ref().map(|run| &run.0), here.as_ref().map(|run| &run.0));
        prop_assert!(away == here, "the files differ");
        prop_assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0);
    }

    #[test]
    fn any_damage_ends_in_a_report_or_a_failure(
        events in 0_u32..60,
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..200),
        cut in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, events);
        let mut bytes = std::fs::read(&path).unwrap();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(bytes.len() / 2 + cut.index(bytes.len() / 2 + 1));
        std::fs::write(&path, bytes).unwrap();
        if let Some(report) = recovered(&path, &output) {
            prop_assert_eq!(report.verified, Some(true));
        }
        let left = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let strange: Vec<_> =
            left.filter(|name| !["kanban.db", "new.db", "new.db.partial.jsonl"].contains(&name.as_str())).collect();
        prop_assert!(strange.is_empty(), "{:?}", strange);
    }

    #[test]
    fn the_order_in_which_sources_are_found_decides_nothing(
        events in 20_u32..100,
        injuries in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 1..12), 2..5),
        growth in prop::collection::vec(0_u32..3, 5),
        turn in any::<prop::sample::Index>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("kanban.db");
        board(&path, events);
        let truth = rows(&path);
        let mut all = truth;
        for (number, (lost, grown)) in injuries.iter().zip(&growth).enumerate() {
            // Histories of one line: each copy is a moment of it, and hurt in its own way.
            let connection = Connection::open(&path).unwrap();
            for _ in 0..*grown {
                connection
                    .execute("INSERT INTO task_events SELECT NULL, task_id, NULL, 'later', NULL, max(created_at) + 1 FROM task_events", [])
                    .unwrap();
            }
            connection.close().unwrap();
            all.extend(rows(&path));
            let mut bytes = std::fs::read(&path).unwrap();
            for page in lost {
                let at = page.index(bytes.len() / 512) * 512;
                bytes[at..at + 512].fill(0);
            }
            std::fs::write(dir.path().join(format!("copy{number}.db")), bytes).unwrap();
        }
        std::fs::remove_file(&path).unwrap();
        let mut names: Vec<_> = (0..injuries.len()).map(|number| dir.path().join(format!("copy{number}.db"))).collect();
        let options = recover::RecoverOptions::new(dir.path().to_path_buf());
        let mut results = Vec::new();
        for output in ["one.db", "other.db"] {
            let found = sources::discover(&path, &names, &mut Unwatched).unwrap();
            let output = dir.path().join(output);
            let report = recover::recover(&found.sources, Some(&output), &options, &mut Unwatched);
            results.push(report.ok().map(|report| (rows(&output), serde_json::to_value(&report.tables).unwrap())));
            let by = turn.index(names.len());
            names.rotate_left(by);
            names.reverse();
        }
        prop_assert_eq!(&results[0], &results[1]);
        if let Some((found, _)) = &results[0] {
            prop_assert!(found.is_subset(&all), "{:?}", found.difference(&all).collect::<Vec<_>>());
        }
    }
}

/// Writes one more event to the board when the rows are about to be written: too late for a reading that went before.
struct Meddler<'m> {
    board: &'m Path,
    done: bool,
}

impl kanbanctl::work::progress::Watch for Meddler<'_> {
    fn step(
        &mut self,
        stage: kanbanctl::work::progress::Stage,
        _: u64,
        _: u64,
    ) -> kanbanctl::failure::Outcome<()> {
        if stage == kanbanctl::work::progress::Stage::Rebuild && !std::mem::replace(&mut self.done, true) {
            let event = "INSERT INTO task_events VALUES (NULL, 't_late', NULL, 'created', NULL, 1780000000)";
            Connection::open(self.board).unwrap().execute(event, []).unwrap();
        }
        Ok(())
    }
}

#[test]
fn a_board_that_changes_while_it_is_read_in_place_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
    board(&path, 10);
    let connection = Connection::open(&path).unwrap();
    let large = "INSERT INTO notes(words) SELECT hex(randomblob(4000000)) FROM tasks LIMIT 5";
    connection.execute_batch(&format!("PRAGMA synchronous = OFF; {large}")).unwrap();
    connection.close().unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(long_ago).unwrap();
    let found = sources::discover(&path, &[], &mut Unwatched).unwrap();
    let options = recover::RecoverOptions::new(dir.path().to_path_buf());
    let mut meddler = Meddler { board: &path, done: false };
    let report = recover::recover(&found.sources, Some(&output), &options, &mut meddler).unwrap();
    assert_eq!(report.verified, Some(true));
    let late = |path: &Path| -> i64 {
        let count = "SELECT count(*) FROM task_events WHERE task_id = 't_late'";
        Connection::open(path).unwrap().query_row(count, [], |row| row.get(0)).unwrap()
    };
    assert!(meddler.done);
    assert_eq!((late(&path), late(&output)), (1, 1));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
}

#[test]
fn rows_that_find_no_room_end_in_a_failure_that_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
    board(&path, 200);
    let found = sources::discover(&path, &[], &mut Unwatched).unwrap();
    let absent = dir.path().join("absent");
    let options = recover::RecoverOptions { memory: 0, ..recover::RecoverOptions::new(absent.clone()) };
    let before = std::fs::read(&path).unwrap();
    let failure = recover::recover(&found.sources, Some(&output), &options, &mut Unwatched).unwrap_err();
    assert!(failure.to_string().contains("setting rows aside"), "{failure}");
    assert_eq!(failure.path(), Some(absent.as_path()));
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["kanban.db"]);
}
