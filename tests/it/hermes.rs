//! Beside the real Hermes 0.19.0: boards of either opened by the other, and no harm to a process that goes on writing.
//! Runs where `KANBANCTL_TEST_HERMES` names a Python that has it.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::support::Sandbox;
use crate::support::damage::{TABLES, beside};
use crate::support::hermes::{self, Hermes};
use crate::support::process::Holder;
use crate::support::sandbox::Output;

/// Rows of one query as text.
fn rows(board: &Path, sql: &str) -> Vec<String> {
    let connection = Connection::open_with_flags(board, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: Vec<String> =
            (0..width).map(|at| format!("{:?}", row.get::<_, Value>(at).unwrap())).collect();
        Ok(cells.join(" | "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn schema(board: &Path) -> Vec<String> {
    rows(board, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name")
}

fn sequences(board: &Path) -> Vec<String> {
    rows(board, "SELECT name, seq FROM sqlite_sequence ORDER BY name")
}

/// Every table with its columns by name; ids become numbers in order of appearance, times become `<time>`.
fn dump(board: &Path) -> Vec<String> {
    let connection = Connection::open_with_flags(board, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut ids = BTreeMap::new();
    for (number, row) in rows(board, "SELECT id FROM tasks ORDER BY rowid").into_iter().enumerate() {
        ids.insert(
            row.trim_start_matches("Text(\"").trim_end_matches("\")").to_owned(),
            format!("task{number}"),
        );
    }
    let mut lines = Vec::new();
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([]).unwrap();
        while let Some(row) = found.next().unwrap() {
            let mut line = format!("{table}:");
            for (at, name) in names.iter().enumerate() {
                let text = match row.get::<_, Value>(at).unwrap() {
                    Value::Null => continue,
                    Value::Integer(time) if time > 1_700_000_000 => "<time>".to_owned(),
                    Value::Text(text) => {
                        // JSON key order and spacing are free (docs/board-format.md, 8.23).
                        let canonical = serde_json::from_str::<BTreeMap<String, serde_json::Value>>(&text);
                        canonical.map_or(text, |object| serde_json::to_string(&object).unwrap())
                    }
                    other => format!("{other:?}"),
                };
                let text = ids.iter().fold(text, |text, (id, name)| text.replace(id, name));
                write!(line, " {name}={text}").unwrap();
            }
            lines.push(line);
        }
    }
    lines
}

#[test]
fn hermes_opens_lists_and_completes_our_board_and_changes_no_schema() {
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::with_board().with_real_clock();
    let first =
        sandbox.run(&["create", "made by kanbanctl", "--assignee", "coder", "--body", "text"]).success();
    let second = sandbox.run(&["create", "its child", "--parent", first.line()]).success();
    sandbox.run(&["create", "done here"]).success();
    let (schema_before, sequences_before) = (schema(&sandbox.board()), sequences(&sandbox.board()));

    let listed = hermes::command_line(&sandbox, &python, &["list", "--json"]);
    let listed: Vec<serde_json::Value> = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert_eq!(schema(&sandbox.board()), schema_before);
    assert_eq!(sequences(&sandbox.board()), sequences_before);

    let said = hermes::command_line(&sandbox, &python, &["complete", first.line(), "--result", "by Hermes"]);
    assert!(said.contains("Completed"), "{said}");
    assert_eq!(schema(&sandbox.board()), schema_before);
    // Hermes' cascade has reached our child.
    let child = rows(&sandbox.board(), &format!("SELECT status FROM tasks WHERE id = '{}'", second.line()));
    assert_eq!(child, ["Text(\"ready\")"]);
    assert_eq!(rows(&sandbox.board(), "PRAGMA integrity_check"), ["Text(\"ok\")"]);
}

#[test]
fn our_schema_is_the_one_that_hermes_makes() {
    let Some(python) = hermes::python() else { return };
    let (ours, theirs) = (Sandbox::with_board(), Sandbox::new());
    Hermes::on(&theirs, &python).close();
    let columns = "SELECT m.type, m.name, p.cid, p.name, p.type, p.\"notnull\", p.dflt_value, p.pk \
                   FROM sqlite_master m LEFT JOIN pragma_table_info(m.name) p ORDER BY m.name, p.cid";
    assert_eq!(rows(&ours.board(), columns), rows(&theirs.board(), columns));
    let indexes = "SELECT m.name, i.name, i.\"unique\", x.seqno, x.name FROM sqlite_master m, \
                   pragma_index_list(m.name) i, pragma_index_xinfo(i.name) x WHERE x.key ORDER BY 1, 2, 4";
    assert_eq!(rows(&ours.board(), indexes), rows(&theirs.board(), indexes));
    for pragma in ["page_size", "encoding", "user_version", "application_id", "auto_vacuum", "journal_mode"] {
        let pragma = format!("PRAGMA {pragma}");
        assert_eq!(rows(&ours.board(), &pragma), rows(&theirs.board(), &pragma), "{pragma}");
    }
}

/// A board with tasks in the states that matter to `complete`, made by Hermes; the ids.
fn scene(hermes: &mut Hermes) -> Vec<String> {
    let open = hermes.create("never claimed");
    let claimed = hermes.create("claimed");
    hermes.call("claim_task", &json!([claimed]), &json!({}));
    let blocked = hermes.create("blocked");
    hermes.call("block_task", &json!([blocked]), &json!({ "reason": "waits", "kind": "needs_input" }));
    let child = hermes.call(
        "create_task",
        &json!([]),
        &json!({ "title": "child of two", "parents": [open, claimed], "assignee": "coder", "skills": ["x"] }),
    );
    vec![open, claimed, blocked, child.as_str().unwrap().to_owned()]
}

fn copy_board(from: &Sandbox, to: &Sandbox) {
    for suffix in ["", "-wal"] {
        let file = beside(&from.board(), suffix);
        if file.exists() {
            std::fs::copy(file, beside(&to.board(), suffix)).unwrap();
        }
    }
}

#[test]
fn completing_writes_what_hermes_writes() {
    let Some(python) = hermes::python() else { return };
    let theirs = Sandbox::new().with_real_clock();
    let ours = Sandbox::new().with_real_clock();
    let mut hermes = Hermes::on(&theirs, &python);
    let tasks = scene(&mut hermes);
    hermes.close();
    copy_board(&theirs, &ours);

    let mut hermes = Hermes::on(&theirs, &python);
    hermes.call("complete_task", &json!([tasks[0]]), &json!({}));
    let named =
        json!({ "result": "line one\nline two", "summary": "über ✓", "metadata": { "files": [1, 2] } });
    hermes.call("complete_task", &json!([tasks[1]]), &named);
    hermes.call("complete_task", &json!([tasks[2]]), &json!({ "result": "no summary" }));
    hermes.close();

    ours.run(&["complete", &tasks[0]]).success();
    ours.run(&[
        "complete",
        &tasks[1],
        "--result",
        "line one\nline two",
        "--summary",
        "über ✓",
        "--metadata",
        r#"{"files": [1, 2]}"#,
    ])
    .success();
    ours.run(&["complete", &tasks[2], "--result", "no summary"]).success();
    assert_eq!(dump(&ours.board()), dump(&theirs.board()));
    assert_eq!(sequences(&ours.board()), sequences(&theirs.board()));
}

#[test]
fn creating_writes_what_hermes_writes() {
    let Some(python) = hermes::python() else { return };
    let theirs = Sandbox::new().with_real_clock();
    let mut hermes = Hermes::on(&theirs, &python);
    let plain = json!({ "title": "plain", "created_by": "user" });
    let parent = hermes.call("create_task", &json!([]), &plain);
    let named = json!({
        "title": "  everything  ", "body": "b", "assignee": "Coder ", "created_by": "me", "tenant": "acme",
        "priority": 3, "parents": [parent], "idempotency_key": "k", "max_runtime_seconds": 90,
        "skills": ["one", "zwei ü"], "max_retries": 4, "goal_mode": true, "goal_max_turns": 5
    });
    hermes.call("create_task", &json!([]), &named);
    hermes.call("create_task", &json!([]), &json!({ "title": "raw", "triage": true, "created_by": "user" }));
    hermes.close();

    let ours = Sandbox::with_board().with_real_clock();
    let parent = ours.run(&["create", "plain"]).success();
    ours.run(&[
        "create",
        "  everything  ",
        "--body",
        "b",
        "--assignee",
        "Coder ",
        "--created-by",
        "me",
        "--tenant",
        "acme",
        "--priority",
        "3",
        "--parent",
        parent.line(),
        "--idempotency-key",
        "k",
        "--max-runtime",
        "90s",
        "--skill",
        "one",
        "--skill",
        "zwei ü",
        "--max-retries",
        "4",
        "--goal",
        "--goal-max-turns",
        "5",
    ])
    .success();
    ours.run(&["create", "raw", "--triage"]).success();
    assert_eq!(dump(&ours.board()), dump(&theirs.board()));
    assert_eq!(sequences(&ours.board()), sequences(&theirs.board()));
}

/// Which locks the Hermes process has lost when a verb comes along.
#[derive(Clone, Copy, Debug)]
enum Scene {
    /// It has written: its own length check dropped the database's locks (tests/incidents.md F11).
    DatabaseLocks,
    /// It has opened and closed both files, as its snapshot does (docs/board-format.md, 9.4).
    AllLocks,
}

fn writing_hermes(sandbox: &Sandbox, python: &Path, scene: Scene) -> (Hermes, Vec<String>) {
    let mut hermes = Hermes::on(sandbox, python);
    let ids = vec![hermes.create("the first"), hermes.create("the second")];
    lose_locks(&mut hermes, sandbox, scene);
    (hermes, ids)
}

fn lose_locks(hermes: &mut Hermes, sandbox: &Sandbox, scene: Scene) {
    if matches!(scene, Scene::AllLocks) {
        hermes.lose_locks(&sandbox.board());
        hermes.lose_locks(&beside(&sandbox.board(), "-shm"));
    }
}

/// The ids that a newcomer sees who opens the board after everybody has gone.
fn seen_afterwards(sandbox: &Sandbox) -> Vec<String> {
    assert_eq!(rows(&sandbox.board(), "PRAGMA integrity_check"), ["Text(\"ok\")"]);
    rows(&sandbox.board(), "SELECT id FROM tasks ORDER BY rowid")
        .into_iter()
        .map(|row| row.trim_start_matches("Text(\"").trim_end_matches("\")").to_owned())
        .collect()
}

/// Runs a verb while Hermes commits without a pause, from before the verb begins until after it has ended, losing its
/// locks anew after each commit; the ids that it acknowledged.
fn while_it_writes(
    sandbox: &Sandbox,
    hermes: &mut Hermes,
    scene: Scene,
    args: &[String],
) -> (Output, Vec<String>) {
    let (over, (tell, start)) = (AtomicBool::new(false), channel());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut ids = Vec::new();
            let mut last = false;
            // One more commit when the verb has ended.
            while !last {
                last = over.load(Ordering::Acquire);
                ids.extend(hermes.create_among_others("meanwhile"));
                lose_locks(hermes, sandbox, scene);
                let _ = tell.send(());
            }
            ids
        });
        start.recv().unwrap();
        let output = sandbox.run(args);
        over.store(true, Ordering::Release);
        (output, writer.join().unwrap())
    })
}

/// Every verb beside a writing Hermes; those that must refuse name it.
#[test]
fn a_hermes_process_goes_on_writing_beside_every_verb() {
    let Some(python) = hermes::python() else { return };
    let verbs: [(&[&str], i32); 18] = [
        (&[], 0),
        (&["list"], 0),
        (&["show", "ID"], 0),
        (&["stats"], 0),
        (&["health"], 0),
        (&["health", "--depth", "full"], 0),
        (&["create", "ours"], 0),
        (&["complete", "ID"], 0),
        (&["checkpoint"], 0),
        (&["checkpoint", "--mode", "truncate"], 12),
        (&["journal-mode"], 0),
        (&["journal-mode", "delete"], 12),
        (&["init"], 0),
        (&["backup", "OUT"], 0),
        (&["backups", "list"], 0),
        (&["recover", "--dry-run"], 0),
        (&["recover", "--output", "OUT/new.db"], 0),
        (&["boards", "list"], 0),
    ];
    for scene in [Scene::DatabaseLocks, Scene::AllLocks] {
        for (verb, code) in verbs {
            let sandbox = Sandbox::new().with_real_clock();
            let out = sandbox.work().join("out");
            std::fs::create_dir(&out).unwrap();
            let (mut hermes, mut ids) = writing_hermes(&sandbox, &python, scene);
            let args: Vec<String> = verb
                .iter()
                .map(|word| word.replace("ID", &ids[0]).replace("OUT", out.to_str().unwrap()))
                .collect();
            let (output, meanwhile) = while_it_writes(&sandbox, &mut hermes, scene, &args);
            assert!(meanwhile.len() > 1, "{scene:?} {verb:?} met no commit");
            ids.extend(meanwhile);
            // Health and the overview may warn about the process (its locks, its SQLite), and must not call the board damaged.
            let is_look = verb.first().is_none_or(|verb| *verb == "health");
            let expected = output.code() == code || (is_look && output.code() == 3);
            assert!(expected, "{scene:?} {verb:?} should have ended with {code}\n{output}");
            if code == 12 {
                assert!(
                    output.stderr.contains(&hermes.pid().to_string()),
                    "{verb:?} does not name it\n{output}"
                );
            }
            assert_eq!(hermes.unlinked(), Vec::<String>::new(), "{scene:?} {verb:?}\n{output}");
            for title in ["after the verb", "and once more"] {
                ids.push(hermes.create(title));
            }
            assert_eq!(hermes.unlinked(), Vec::<String>::new(), "{scene:?} {verb:?}\n{output}");
            hermes.close();
            let seen = seen_afterwards(&sandbox);
            for id in &ids {
                assert!(seen.contains(id), "{scene:?} {verb:?} lost {id} of {ids:?}\n{output}");
            }
        }
    }
}

/// The control: in the second scene a plain SQLite handle does lose what Hermes commits afterwards.
#[test]
fn a_plain_handle_loses_what_our_verbs_keep() {
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::new().with_real_clock();
    let (mut hermes, mut ids) = writing_hermes(&sandbox, &python, Scene::AllLocks);
    let mut plain = Holder::on(&sandbox.board());
    plain.close();
    assert!(!hermes.unlinked().is_empty(), "the control did not unlink the WAL: the test proves nothing");
    ids.push(hermes.create("lost"));
    drop(hermes);
    assert_eq!(seen_afterwards(&sandbox), ids[..2]);
}
