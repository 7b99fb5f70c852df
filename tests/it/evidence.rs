//! How recovery decides between a board and copies of its earlier moments: the newest sound version of a row counts, and what
//! is substituted is said. Boards are written by Hermes itself.

use crate::support::hermes;
use crate::support::story::{Hurt, Story};

/// Every edit of a live board stands, however many older copies agree against it.
#[test]
fn edits_beside_older_sound_copies_stay() {
    let Some(python) = hermes::python() else { return };
    for (seed, copies) in [(1, 1), (2, 2), (3, 3), (4, 10)] {
        for hurt in [Hurt::Nothing, Hurt::IndexPage, Hurt::IndexEntry, Hurt::Leaf] {
            let mut story = Story::begin(&python, seed, 18);
            for number in 0..copies {
                story.copy();
                let id = story.tasks[number].clone();
                story.call(
                    "add_comment",
                    &serde_json::json!([id, "bob", "one more"]),
                    &serde_json::json!({}),
                );
            }
            story.edit();
            let ended = story.end(hurt);
            let scene = format!("{copies} copies, {hurt:?}");
            let (output, score) = ended.holds(&scene);
            let data = output.data();
            if hurt != Hurt::Leaf {
                // Equal in every row, whatever lies beside it.
                assert_eq!((score.right, score.older + score.wrong), (score.truth, 0), "{scene}\n{output}");
                assert_eq!(output.code(), 0, "{scene}\n{output}");
            }
            if hurt == Hurt::Nothing {
                assert_eq!(data["suspects"], serde_json::json!([]), "{scene}\n{output}");
            }
        }
    }
}

/// What comes from an older copy may be out of date: then it is counted and named, and the exit is 5.
#[test]
fn substituted_rows_are_right_or_said_to_be_stale() {
    let Some(python) = hermes::python() else { return };
    for seed in [1, 2, 3] {
        for (copies, hurt) in [(1, Hurt::Leaves(5)), (4, Hurt::Leaves(3)), (3, Hurt::FirstPageAndLeaves(4))] {
            let mut story = Story::begin(&python, seed, 40);
            for _ in 0..copies {
                story.copy();
                story.work(12);
            }
            let (output, score) = story.end(hurt).holds(&format!("seed {seed}, {copies} copies, {hurt:?}"));
            let data = output.data();
            let stale: u64 = data["tables"]
                .as_object()
                .unwrap()
                .values()
                .map(|table| table["stale"].as_u64().unwrap())
                .sum();
            let tasks =
                data["losses"].as_array().unwrap().iter().filter(|row| row["what"] == "stale").count();
            assert_eq!(tasks as u64, stale, "every stale row has a name\n{output}");
            assert!(score.wrong == 0 || output.code() == 5, "{score:?}\n{output}");
            assert!(output.stderr.trim_end().ends_with('.') && output.stderr.contains("come"), "{output}");
        }
    }
}

/// What no copy knows as it was last: gone events, deleted tasks, texts of one length.
#[test]
fn what_changed_without_a_trace_is_not_said_to_be_all_there() {
    let Some(python) = hermes::python() else { return };
    for seed in [1, 2, 3] {
        let mut story = Story::begin(&python, seed, 40);
        story.copy();
        story.work(20);
        story.sql("UPDATE task_events SET created_at = 1000000000 WHERE id % 3 = 0");
        story.call("gc_events", &serde_json::json!([]), &serde_json::json!({ "older_than_seconds": 1000 }));
        story.end(Hurt::Leaves(6)).holds(&format!("gc, seed {seed}"));

        let mut story = Story::begin(&python, seed, 40);
        story.copy();
        for number in 0..5 {
            let id = story.tasks[number * 3].clone();
            story.call("delete_task", &serde_json::json!([id]), &serde_json::json!({}));
        }
        story.work(5);
        story.end(Hurt::Leaves(4)).holds(&format!("deleted, seed {seed}"));

        let mut story = Story::begin(&python, seed, 20);
        let body = |letter: char| letter.to_string().repeat(200_000);
        story.sql(&format!("UPDATE tasks SET body = '{}' WHERE rowid = 7", body('a')));
        story.copy();
        story.sql(&format!("UPDATE tasks SET body = '{}' WHERE rowid = 7", body('b')));
        let (output, score) = story.end(Hurt::Chain).holds(&format!("body, seed {seed}"));
        assert_eq!((score.wrong, output.code()), (0, 5), "{output}");
    }
}

/// Hermes' own migrations rename and renumber; that makes no second history.
#[test]
fn migrated_boards_and_their_older_copies_are_one_history() {
    let Some(python) = hermes::python() else { return };
    for seed in [1, 2, 3] {
        for hurt in [Hurt::Nothing, Hurt::Leaves(6)] {
            let mut story = Story::begin(&python, seed, 40);
            story.work(10);
            story.sql("UPDATE task_events SET kind = 'ready' WHERE kind IN ('promoted', 'assigned')");
            story.copy();
            story.sql("UPDATE task_events SET kind = 'promoted' WHERE kind = 'ready'");
            story.work(5);
            let (_, score) = story.end(hurt).holds(&format!("renamed, seed {seed}, {hurt:?}"));
            assert_eq!(score.wrong, 0, "renamed, seed {seed}, {hurt:?}: {score:?}");

            let mut story = Story::begin(&python, seed, 40);
            story.sql(
                "CREATE TABLE old(id TEXT, task_id TEXT NOT NULL, run_id INTEGER, kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);
                 INSERT INTO old SELECT * FROM task_events WHERE id % 4 > 0;
                 DROP TABLE task_events; ALTER TABLE old RENAME TO task_events",
            );
            story.copy();
            story.restart();
            story.work(5);
            let (_, score) = story.end(hurt).holds(&format!("rebuilt, seed {seed}, {hurt:?}"));
            assert_eq!(score.wrong, 0, "rebuilt, seed {seed}, {hurt:?}: {score:?}");
        }
    }
}
