//! Laws of recovery with copies beside the board: a sound board is the result, a source more harms no row, and what is said to
//! be all there is all there.

use std::collections::BTreeSet;
use std::path::Path;

use kanbanctl::recover;
use kanbanctl::salvage::source;
use kanbanctl::work::progress::Unwatched;
use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::Connection;

/// One thing that happens to a task.
#[derive(Debug, Clone)]
enum Edit {
    /// As Hermes does it: with its event.
    Complete(Index),
    Assign(Index, bool),
    Comment(Index, String),
    /// As other programs do it: in place, without an event.
    Title(Index, char),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<Index>().prop_map(Edit::Complete),
        (any::<Index>(), any::<bool>()).prop_map(|(task, who)| Edit::Assign(task, who)),
        (any::<Index>(), "[a-z]{5,80}").prop_map(|(task, text)| Edit::Comment(task, text)),
        (any::<Index>(), prop::char::range('a', 'h')).prop_map(|(task, letter)| Edit::Title(task, letter)),
    ]
}

fn with_event() -> impl Strategy<Value = Edit> {
    edit().prop_filter("without an event", |edit| !matches!(edit, Edit::Title(..)))
}

fn board(path: &Path, tasks: usize) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA page_size = 512; PRAGMA synchronous = OFF; BEGIN").unwrap();
    connection.execute_batch(include_str!("../it/support/damage/schema.sql")).unwrap();
    for number in 0..tasks {
        let sql = format!(
            "INSERT INTO tasks(id, title, body, assignee, status, created_at)
             VALUES ('{0}', 'title', '{1}', 'alice', 'ready', 1780000000);
             INSERT INTO task_events VALUES (NULL, '{0}', NULL, 'created', NULL, 1780000000)",
            id(number),
            "w".repeat(number * 37 % 700)
        );
        connection.execute_batch(&sql).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn id(number: usize) -> String {
    format!("t_{number:08x}")
}

fn apply(path: &Path, tasks: usize, edits: &[Edit]) {
    let connection = Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; BEGIN").unwrap();
    for edit in edits {
        let event = |task: &Index, kind: &str| {
            let task = id(task.index(tasks));
            format!("INSERT INTO task_events VALUES (NULL, '{task}', NULL, '{kind}', NULL, 1780000001)")
        };
        let sql = match edit {
            Edit::Complete(task) => {
                format!(
                    "UPDATE tasks SET status = 'done' WHERE id = '{}'; {}",
                    id(task.index(tasks)),
                    event(task, "completed")
                )
            }
            Edit::Assign(task, who) => format!(
                "UPDATE tasks SET assignee = '{}' WHERE id = '{}'; {}",
                if *who { "alicd" } else { "coder" },
                id(task.index(tasks)),
                event(task, "assigned")
            ),
            Edit::Comment(task, text) => format!(
                "INSERT INTO task_comments VALUES (NULL, '{}', 'bob', '{text}', 1780000001); {}",
                id(task.index(tasks)),
                event(task, "commented")
            ),
            Edit::Title(task, letter) => {
                format!("UPDATE tasks SET title = 'titl{letter}' WHERE id = '{}'", id(task.index(tasks)))
            }
        };
        connection.execute_batch(&sql).unwrap();
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn rows(path: &Path) -> BTreeSet<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = BTreeSet::new();
    for (table, columns) in [
        ("tasks", "id, title, body, assignee, status, created_at"),
        ("task_events", "id, task_id, run_id, kind, payload, created_at"),
        ("task_comments", "id, task_id, author, body, created_at"),
    ] {
        let sql = format!("SELECT '{table} ' || json_array({columns}) FROM {table}");
        let mut statement = connection.prepare(&sql).unwrap();
        rows.extend(statement.query_map([], |row| row.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    rows
}

/// Zeroes pages of the file at `path`, never the first.
fn lose(path: &Path, pages: &[Index]) {
    let mut bytes = std::fs::read(path).unwrap();
    for page in pages {
        let at = (1 + page.index(bytes.len() / 512 - 1)) * 512;
        bytes[at..at + 512].fill(0);
    }
    std::fs::write(path, bytes).unwrap();
}

fn recovered(path: &Path, output: &Path) -> recover::Report {
    let _ = std::fs::remove_file(output);
    let _ = std::fs::remove_file(output.with_file_name("new.db.partial.jsonl"));
    let found = source::discover(path, &[], &mut Unwatched).unwrap();
    let options = recover::RecoverOptions::new(output.parent().unwrap().to_path_buf());
    recover::recover(&found.sources, Some(output), &options, &mut Unwatched).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn a_sound_board_is_the_result_whatever_lies_beside_it(
        tasks in 5_usize..60,
        moments in prop::collection::vec((prop::collection::vec(edit(), 0..8), prop::collection::vec(any::<Index>(), 0..4)), 1..5),
        last in prop::collection::vec(edit(), 0..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, tasks);
        for (number, (edits, lost)) in moments.iter().enumerate() {
            apply(&path, tasks, edits);
            let copy = dir.path().join(format!("kanban.db.corrupt.{number}.bak"));
            std::fs::copy(&path, &copy).unwrap();
            lose(&copy, lost);
        }
        apply(&path, tasks, &last);
        let report = recovered(&path, &output);
        prop_assert!(!report.is_partial(), "{:?}", report);
        prop_assert!(report.suspects.is_empty());
        prop_assert_eq!(rows(&path), rows(&output));
    }

    #[test]
    fn a_source_more_changes_no_row_that_the_best_one_has_whole(
        tasks in 5_usize..60,
        moments in prop::collection::vec((prop::collection::vec(edit(), 0..8), prop::collection::vec(any::<Index>(), 0..4)), 1..5),
        last in prop::collection::vec(edit(), 0..12),
        lost in prop::collection::vec(any::<Index>(), 1..6),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, tasks);
        let mut copies = Vec::new();
        for (number, (edits, lost)) in moments.iter().enumerate() {
            apply(&path, tasks, edits);
            let copy = dir.path().join(format!("copy-{number}"));
            std::fs::copy(&path, &copy).unwrap();
            lose(&copy, lost);
            copies.push((copy, dir.path().join(format!("kanban.db.corrupt.{number}.bak"))));
        }
        apply(&path, tasks, &last);
        lose(&path, &lost);
        recovered(&path, &output);
        let alone = rows(&output);
        for (copy, name) in copies {
            std::fs::rename(copy, name).unwrap();
            recovered(&path, &output);
            let found = rows(&output);
            prop_assert!(alone.is_subset(&found), "{:?}", alone.difference(&found).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_is_said_to_be_all_there_is_all_there(
        tasks in 5_usize..60,
        moments in prop::collection::vec((prop::collection::vec(with_event(), 0..6), prop::collection::vec(any::<Index>(), 0..3)), 1..5),
        last in prop::collection::vec(with_event(), 0..8),
        lost in prop::collection::vec(any::<Index>(), 0..4),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (path, output) = (dir.path().join("kanban.db"), dir.path().join("new.db"));
        board(&path, tasks);
        for (number, (edits, lost)) in moments.iter().enumerate() {
            apply(&path, tasks, edits);
            let copy = dir.path().join(format!("kanban.db.corrupt.{number}.bak"));
            std::fs::copy(&path, &copy).unwrap();
            lose(&copy, lost);
        }
        apply(&path, tasks, &last);
        let truth = rows(&path);
        lose(&path, &lost);
        let report = recovered(&path, &output);
        if !report.is_partial() {
            prop_assert_eq!(truth, rows(&output));
        }
    }
}
