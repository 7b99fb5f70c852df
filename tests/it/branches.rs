//! Two histories of one board: a writer whose log was deleted, and the main line. Both go on within a second; no change of either
//! is lost, and no task contradicts its own newest event. Both are written by Hermes itself.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::support::damage::{Dice, beside};
use crate::support::hermes::{self, Hermes};
use crate::support::sandbox::Sandbox;

/// What one history did.
#[derive(Default)]
struct Done {
    comments: Vec<String>,
    links: Vec<(String, String)>,
    /// The events of each task.
    events: BTreeMap<String, Value>,
    /// The tasks as it left them.
    tasks: BTreeMap<String, Value>,
}

/// Lets `hermes` do `steps` things to `ids`; `mark` tells its texts from those of the other history.
fn work(hermes: &mut Hermes, dice: &mut Dice, ids: &[String], steps: usize, mark: &str) -> Done {
    let mut done = Done::default();
    for step in 0..steps {
        let id = dice.pick(ids).clone();
        let text = format!("{mark} {step}");
        let (function, positional, named) = match dice.below(7) {
            0 | 1 => ("complete_task", json!([id]), json!({ "result": text })),
            2 => ("block_task", json!([id]), json!({ "reason": text })),
            3 => ("assign_task", json!([id, mark]), json!({})),
            4 => ("edit_completed_task_result", json!([id]), json!({ "result": text })),
            5 => ("archive_task", json!([id]), json!({})),
            _ => ("unblock_task", json!([id]), json!({})),
        };
        hermes.try_call(function, &positional, &named);
        if step % 3 == 0 {
            hermes.call("add_comment", &json!([id, "bob", text]), &json!({}));
            done.comments.push(text);
        }
        if step % 4 == 0 {
            let parent = dice.pick(ids).clone();
            if parent != id && hermes.try_call("link_tasks", &json!([parent, id]), &json!({})).is_some() {
                done.links.push((parent, id));
            }
        }
    }
    for id in ids {
        done.tasks.insert(id.clone(), hermes.call("get_task", &json!([id]), &json!({})));
        done.events.insert(id.clone(), hermes.call("list_events", &json!([id]), &json!({})));
    }
    done
}

fn texts(board: &Connection, sql: &str) -> Vec<String> {
    let mut statement = board.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// One board whose writer loses its log, with `steps` things done in both histories. Returns false where the writer has copied its
/// log into the file meanwhile, so that the main line goes on from there and there is one history.
fn scene(
    sandbox: &Sandbox,
    held: &mut Hermes,
    main: &mut Hermes,
    seed: u64,
    tasks: usize,
    steps: usize,
) -> bool {
    let mut dice = Dice::new(seed);
    let folder = sandbox.work().join(format!("board-{seed}"));
    std::fs::create_dir(&folder).unwrap();
    let board = folder.join("kanban.db");
    held.turn_to(&board);
    let ids: Vec<String> = (0..tasks).map(|number| held.create(&format!("task {number}"))).collect();
    Connection::open(&board).unwrap().execute_batch("PRAGMA wal_checkpoint(PASSIVE)").unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(beside(&board, suffix)).unwrap();
    }
    let states = |hermes: &mut Hermes| -> Vec<Value> {
        ids.iter().map(|id| hermes.call("get_task", &json!([id]), &json!({}))).collect()
    };
    let base = states(held);
    let second = work(held, &mut dice, &ids, steps, "second");
    main.turn_to(&board);
    if states(main) != base {
        return false;
    }
    let mut first = work(main, &mut dice, &ids, steps, "main");
    let made = main.create("made on the main line");
    first.tasks.insert(made.clone(), main.call("get_task", &json!([made]), &json!({})));

    let new = folder.join("new.db");
    let output = sandbox.run(&[
        "--db",
        board.to_str().unwrap(),
        "recover",
        "--output",
        new.to_str().unwrap(),
        "--json",
    ]);
    assert!([0, 5].contains(&output.code()), "{output}");
    check(seed, &new, &output.data(), &first, &second);
    std::fs::remove_dir_all(&folder).unwrap();
    true
}

fn check(seed: u64, new: &Path, data: &Value, first: &Done, second: &Done) {
    let result = Connection::open_with_flags(new, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let comments = texts(&result, "SELECT body FROM task_comments");
    for comment in first.comments.iter().chain(&second.comments) {
        assert!(comments.contains(comment), "seed {seed}: lost comment {comment}");
    }
    let links = texts(&result, "SELECT parent_id || child_id FROM task_links");
    for (parent, child) in first.links.iter().chain(&second.links) {
        assert!(links.contains(&format!("{parent}{child}")), "seed {seed}: lost link");
    }
    let conflicts: Vec<&str> =
        data["conflicts"].as_array().unwrap().iter().filter_map(|row| row["other"]["id"].as_str()).collect();
    for (id, main) in &first.tasks {
        let version = |task: &Value| -> Vec<Value> {
            ["status", "assignee", "result", "title", "completed_at"]
                .iter()
                .map(|key| task[key].clone())
                .collect()
        };
        let sql = "SELECT json_array(status, assignee, result, title, completed_at) FROM tasks WHERE id = ?1";
        let found: String = result.query_row(sql, [id], |row| row.get(0)).unwrap();
        let found: Vec<Value> = serde_json::from_str(&found).unwrap();
        let Some(other) = second.tasks.get(id) else {
            assert_eq!(found, version(main), "seed {seed}: {id}");
            continue;
        };
        // An event that both wrote alike, down to its number, is one event.
        let changes = |ours: &Done, theirs: &Done| {
            let others = theirs.events[id].as_array().unwrap();
            let mut own = ours.events[id].as_array().unwrap().iter().filter(|event| !others.contains(event));
            own.any(|event| event["kind"] != "commented")
        };
        let (by_main, by_second) = (changes(first, second), changes(second, first));
        match (by_main, by_second) {
            (true, false) => assert_eq!(found, version(main), "seed {seed}: {id}, changed on the main line"),
            (false, true) => {
                assert_eq!(found, version(other), "seed {seed}: {id}, changed in the second history");
            }
            _ => assert!(found == version(main) || found == version(other), "seed {seed}: {id}: {found:?}"),
        }
        if by_main && by_second && version(main) != version(other) {
            let events = format!(
                "SELECT id || ' ' || kind || ' ' || created_at FROM task_events WHERE task_id = '{id}'"
            );
            assert!(
                conflicts.contains(&id.as_str()),
                "seed {seed}: {id} has two versions and no name: {:?} {:?} {:?}\n{}\n{}",
                version(main),
                version(other),
                texts(&result, &events),
                first.events[id],
                second.events[id]
            );
        }
    }
    let contradicting = texts(
        &result,
        "SELECT t.id || ' ' || t.status || ' ' || e.kind FROM tasks t JOIN task_events e ON e.task_id = t.id
         WHERE e.id = (SELECT id FROM task_events WHERE task_id = t.id AND kind IN ('completed', 'blocked', 'archived')
                       ORDER BY created_at DESC, id DESC LIMIT 1)
         AND t.status <> CASE e.kind WHEN 'completed' THEN 'done' ELSE e.kind END
         AND NOT EXISTS (SELECT 1 FROM task_events l WHERE l.task_id = t.id AND l.kind IN ('linked', 'promoted', 'unblocked')
                         AND (l.created_at, l.id) > (e.created_at, e.id))",
    );
    assert!(contradicting.is_empty(), "seed {seed}: {contradicting:?}");
    for sql in [
        "SELECT e.kind FROM task_events e LEFT JOIN task_runs r ON r.id = e.run_id WHERE e.run_id IS NOT NULL AND r.task_id IS NOT e.task_id",
        "SELECT id FROM tasks t WHERE current_run_id IS NOT NULL AND current_run_id NOT IN (SELECT id FROM task_runs WHERE task_id = t.id)",
    ] {
        assert_eq!(texts(&result, sql), Vec::<String>::new(), "seed {seed}");
    }
}

#[test]
fn changes_of_both_histories_within_a_second_come_back() {
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::new().with_real_clock();
    let (mut held, mut main) = (Hermes::on(&sandbox, &python), Hermes::on(&sandbox, &python));
    assert!(scene(&sandbox, &mut held, &mut main, 1, 40, 1));
    let scenes = (2..8).filter(|seed| scene(&sandbox, &mut held, &mut main, *seed, 12, 8)).count();
    assert!(scenes > 2, "{scenes}");
}

#[test]
fn changes_of_both_histories_come_back_for_random_seeds() {
    if std::env::var_os("KANBANCTL_TEST_LONG").is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_LONG=1");
        return;
    }
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::new().with_real_clock();
    let (mut held, mut main) = (Hermes::on(&sandbox, &python), Hermes::on(&sandbox, &python));
    let scenes = (100..300).filter(|seed| scene(&sandbox, &mut held, &mut main, *seed, 8, 8)).count();
    eprintln!("{scenes} scenes of two histories");
    assert!(scenes > 150, "{scenes}");
}
