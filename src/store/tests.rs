//! The store's rules on boards in memory.

use rusqlite::Connection;
use serde_json::json;

use super::complete::{self, Completion};
use super::create::Creator;
use super::draft::{Draft, Start};
use super::writer::TaskWriter;
use super::{query, schema, task};
use crate::failure::exit::Exit;
use crate::hermes::SchemaVersion;

const NOW: i64 = 1_780_000_000;

fn board() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    schema::create(&conn).unwrap();
    conn
}

fn draft(title: &str) -> Draft {
    Draft { title: title.to_owned(), created_by: Some("user".to_owned()), ..Draft::default() }
}

fn known(conn: &Connection) -> std::rc::Rc<schema::SchemaReport> {
    schema::SchemaComparison::default().report(conn).unwrap()
}

fn create(conn: &Connection, draft: Draft) -> String {
    Creator::new(conn, &known(conn), 1, NOW).unwrap().create(&draft.normalise().unwrap()).unwrap().id
}

fn complete(conn: &Connection, id: &str, what: &Completion) -> crate::failure::Outcome<complete::Completed> {
    let mut writer = TaskWriter::new(conn, &known(conn), NOW).unwrap();
    let id = writer.resolve(id)?;
    complete::complete(&mut writer, &id, what).map_err(|refusal| refusal.failure)
}

fn events(conn: &Connection) -> Vec<(String, String, Option<String>)> {
    let mut statement = conn.prepare("SELECT task_id, kind, payload FROM task_events ORDER BY id").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn a_new_board_is_writable_and_complete() {
    let report = schema::check(&board()).unwrap();
    assert_eq!(report.verdict, schema::SchemaVerdict::Writable, "{report:?}");
    assert!(
        report.missing_columns.is_empty() && report.missing_indexes.is_empty() && report.drifted.is_empty()
    );
    assert_eq!(report.version.to_string(), "Hermes 0.18 to 0.19");
    assert!(!report.version.is_newer() && report.extra_tables.is_empty());
}

#[test]
fn foreign_schemas_are_not_written() {
    for (sql, word) in [
        ("CREATE TRIGGER x AFTER INSERT ON tasks BEGIN DELETE FROM task_events; END", "trigger"),
        ("ALTER TABLE tasks ADD COLUMN twice TEXT AS (title || title)", "generated"),
        ("ALTER TABLE tasks ADD COLUMN n INTEGER CHECK (n < 3)", "CHECK"),
        ("CREATE INDEX odd ON tasks (lower(title))", "expression"),
        ("CREATE INDEX part ON tasks (title) WHERE priority > 0", "WHERE"),
        ("PRAGMA user_version = 7", "user_version"),
        ("DROP TABLE task_events", "missing"),
        ("DROP INDEX idx_tasks_status; CREATE INDEX idx_tasks_status ON tasks (upper(status))", "expression"),
    ] {
        let conn = board();
        conn.execute_batch(sql).unwrap();
        let failure = schema::check(&conn).unwrap().require_writable().unwrap_err();
        assert_eq!(failure.exit(), Exit::Refused);
        assert!(failure.to_string().contains(word), "{sql}: {failure}");
    }
}

#[test]
fn unknown_columns_and_tables_are_kept_and_shown() {
    let conn = board();
    conn.execute_batch(
        "ALTER TABLE tasks ADD COLUMN colour TEXT DEFAULT 'red'; CREATE TABLE mine (x TEXT);
         CREATE INDEX more ON tasks (title)",
    )
    .unwrap();
    let id = create(&conn, draft("x"));
    let shown = serde_json::to_value(task::get(&conn, &id).unwrap().unwrap()).unwrap();
    assert_eq!(shown["extra"], json!({"colour": "red"}));
    assert_eq!(shown["created_at_utc"], "2026-05-28T20:26:40Z");
}

#[test]
fn a_comment_that_says_check_is_no_check() {
    let conn = Connection::open_in_memory().unwrap();
    for table in crate::hermes::TABLES {
        let sql = schema::create_table(table).replacen("(\n", "( -- CHECK STRICT\n /* REFERENCES */", 1);
        conn.execute_batch(&sql).unwrap();
    }
    assert_eq!(schema::check(&conn).unwrap().verdict, schema::SchemaVerdict::Writable);
}

#[test]
fn created_event_is_what_hermes_writes() {
    let conn = board();
    let id = create(
        &conn,
        Draft {
            assignee: Some(" Worker ".to_owned()),
            tenant: Some("acme".to_owned()),
            skills: Some(vec!["translation".to_owned(), " translation".to_owned()]),
            ..draft("  x ")
        },
    );
    let payload = r#"{"assignee": "worker", "status": "ready", "parents": [], "tenant": "acme", "branch_name": null, "skills": ["translation"], "goal_mode": null}"#;
    assert_eq!(events(&conn), [(id, "created".to_owned(), Some(payload.to_owned()))]);
}

#[test]
fn completing_a_parent_makes_its_child_ready() {
    let conn = board();
    let parent = create(&conn, draft("parent"));
    let child = create(&conn, Draft { parents: vec![parent.clone()], ..draft("child") });
    let stuck =
        create(&conn, Draft { start: Start::Blocked, parents: vec![child.clone()], ..draft("stuck") });
    assert_eq!(task::get(&conn, &child).unwrap().unwrap().field("status").text(), Some("todo"));
    let done = complete(
        &conn,
        &parent[2..6],
        &Completion { result: Some("see t_ffffffff0\nmore".to_owned()), ..Completion::default() },
    );
    let done = done.unwrap();
    assert_eq!(
        (done.change.promoted.as_slice(), done.phantoms.as_slice()),
        ([child].as_slice(), ["t_ffffffff0".to_owned()].as_slice())
    );
    let kinds: Vec<String> = events(&conn).into_iter().skip(3).map(|(_, kind, _)| kind).collect();
    assert_eq!(kinds, ["completed", "suspected_hallucinated_references", "promoted"]);
    assert_eq!(task::get(&conn, &stuck).unwrap().unwrap().field("status").text(), Some("blocked"));
    let shown = query::show(&conn, &parent).unwrap();
    assert_eq!(shown.runs.len(), 1);
    assert_eq!(shown.runs[0].status.text(), Some("completed"));
    assert_eq!(shown.events[1].payload["result_len"], 20);
    assert_eq!(complete(&conn, &parent, &Completion::default()).unwrap_err().exit(), Exit::Conflict);
}

#[test]
fn a_blank_summary_does_no_harm() {
    let conn = board();
    let id = create(&conn, draft("x"));
    complete(&conn, &id, &Completion { summary: Some("  \n ".to_owned()), ..Completion::default() }).unwrap();
    assert_eq!(events(&conn)[1].2.as_deref(), Some(r#"{"result_len": 0, "summary": null}"#));
}

#[test]
fn the_same_key_gives_the_same_task() {
    let conn = board();
    let keyed = || Draft { idempotency_key: Some("k".to_owned()), ..draft("x") };
    let first = create(&conn, keyed());
    assert_eq!(create(&conn, keyed()), first);
    conn.execute("UPDATE tasks SET status = 'archived'", []).unwrap();
    assert_ne!(create(&conn, keyed()), first);
}

#[test]
fn prefixes_find_one_task_or_say_why_not() {
    let conn = board();
    let row = "INSERT INTO tasks (id, title, status, created_at) VALUES (?1, 'x', 'ready', 1)";
    for id in ["t_1a2b3c4d", "t_1a2b3c4e", "t_99999999", "odd id"] {
        conn.execute(row, [id]).unwrap();
    }
    assert_eq!(task::resolve(&conn, "t_99").unwrap(), "t_99999999");
    assert_eq!(task::resolve(&conn, "9").unwrap(), "t_99999999");
    assert_eq!(task::resolve(&conn, "odd").unwrap(), "odd id");
    let ambiguous = task::resolve(&conn, "1a2").unwrap_err();
    assert_eq!(ambiguous.exit(), Exit::Conflict);
    assert!(ambiguous.to_string().contains("t_1a2b3c4d, t_1a2b3c4e"));
    for (typed, exit) in [("", Exit::Usage), ("t_", Exit::Conflict), ("zz", Exit::NotFound)] {
        assert_eq!(task::resolve(&conn, typed).unwrap_err().exit(), exit, "{typed:?}");
    }
}

#[test]
fn a_newer_board_has_newer_guards() {
    let conn = board();
    conn.execute_batch("ALTER TABLE tasks ADD COLUMN provider_override TEXT").unwrap();
    let parent = create(&conn, draft("parent"));
    let child = create(&conn, Draft { parents: vec![parent.clone()], ..draft("child") });
    conn.execute("UPDATE tasks SET status = 'ready' WHERE id = ?1", [&child]).unwrap();
    let finish = |task: &str| complete(&conn, task, &Completion::default());
    assert_eq!(finish(&child).unwrap_err().exit(), Exit::Conflict);
    conn.execute("UPDATE tasks SET status = 'review' WHERE id = ?1", [&parent]).unwrap();
    finish(&parent).unwrap();
    finish(&child).unwrap();
}

#[test]
fn an_old_board_is_written_by_the_columns_it_has() {
    let conn = Connection::open_in_memory().unwrap();
    conn.execute_batch(
        "CREATE TABLE tasks (id TEXT PRIMARY KEY, title TEXT NOT NULL, body TEXT, assignee TEXT, status TEXT NOT NULL,
         priority INTEGER DEFAULT 0, created_by TEXT, created_at INTEGER NOT NULL, started_at INTEGER,
         completed_at INTEGER, workspace_kind TEXT NOT NULL DEFAULT 'scratch', workspace_path TEXT,
         claim_lock TEXT, claim_expires INTEGER)",
    )
    .unwrap();
    for table in crate::hermes::TABLES {
        conn.execute_batch(&schema::create_table(table)).unwrap();
    }
    let id = create(&conn, draft("old"));
    complete(&conn, &id, &Completion { result: Some("r".to_owned()), ..Completion::default() }).unwrap();
    assert_eq!(task::get(&conn, &id).unwrap().unwrap().field("status").text(), Some("done"));
}

#[test]
fn a_comparison_is_good_until_the_schema_or_its_version_changes() {
    let conn = board();
    let mut compared = schema::SchemaComparison::default();
    let first = compared.report(&conn).unwrap();
    assert!(std::rc::Rc::ptr_eq(&first, &compared.report(&conn).unwrap()));
    conn.execute_batch("CREATE TRIGGER t AFTER INSERT ON tasks BEGIN DELETE FROM task_events; END").unwrap();
    assert!(compared.report(&conn).unwrap().require_writable().is_err());
    conn.execute_batch("DROP TRIGGER t; PRAGMA user_version = 7").unwrap();
    assert!(compared.report(&conn).unwrap().require_writable().is_err());
    conn.execute_batch("PRAGMA user_version = 0").unwrap();
    assert!(compared.report(&conn).unwrap().require_writable().is_ok());
}

/// The columns of a newer Hermes added to a board, in the order of its migration.
fn migrated(release: SchemaVersion) -> Connection {
    let conn = board();
    let mut columns = vec!["provider_override TEXT", "reasoning_effort TEXT"];
    if release == SchemaVersion::V0_22 {
        columns.extend(["completion_contract TEXT", "worker_started_at INTEGER"]);
    }
    for column in columns {
        conn.execute_batch(&format!("ALTER TABLE tasks ADD COLUMN {column}")).unwrap();
    }
    conn
}

#[test]
fn version_is_read_from_columns() {
    use SchemaVersion::{V0_16, V0_18, V0_20, V0_22};
    let version = |conn: &Connection| known(conn).version;
    for release in [V0_20, V0_22] {
        let found = version(&migrated(release));
        assert_eq!(found.release(), release);
        assert_eq!(found.to_string(), format!("Hermes {}, created by 0.18 to 0.19", release.label()));
    }
    let conn = board();
    for column in ["block_kind", "block_recurrences", "project_id"] {
        assert_eq!(version(&conn).release(), V0_18);
        conn.execute_batch(&format!("ALTER TABLE tasks DROP COLUMN {column}")).unwrap();
    }
    assert_eq!(version(&conn).release(), V0_16);
    let report = known(&conn);
    assert!(report.missing_columns.is_empty(), "{report:?}");
    assert_eq!(report.later, ["tasks.project_id", "tasks.block_kind", "tasks.block_recurrences"]);
    conn.execute_batch(
        "ALTER TABLE tasks ADD COLUMN block_kind TEXT; ALTER TABLE tasks ADD COLUMN colour TEXT",
    )
    .unwrap();
    assert_eq!((version(&conn).release(), version(&conn).is_newer()), (V0_18, false));
    conn.execute_batch("ALTER TABLE tasks ADD COLUMN worker_scope TEXT").unwrap();
    assert!(version(&conn).is_newer() && version(&conn).to_string().starts_with("newer than"));
}

#[test]
fn completion_without_evidence_is_refused_and_recorded_since_0_22() {
    let conn = migrated(SchemaVersion::V0_22);
    let id = create(&conn, draft("x"));
    let mut writer = TaskWriter::new(&conn, &known(&conn), NOW).unwrap();
    let blank = Completion { result: Some(" \n".to_owned()), ..Completion::default() };
    let refusal = complete::complete(&mut writer, &id, &blank).unwrap_err();
    assert_eq!(refusal.failure.exit(), Exit::Conflict);
    refusal.record.unwrap()(&writer).unwrap();
    let (_, kind, payload) = events(&conn).pop().unwrap();
    assert_eq!(kind, "completion_blocked_empty_result");
    assert_eq!(payload.as_deref(), Some(r#"{"result_preview": null, "summary_preview": null}"#));
}

#[test]
fn closed_run_keeps_its_worker_since_0_22() {
    for (release, kept) in [(SchemaVersion::V0_20, false), (SchemaVersion::V0_22, true)] {
        let conn = migrated(release);
        let id = create(&conn, draft("x"));
        conn.execute_batch(
            "INSERT INTO task_runs (task_id, status, started_at, claim_lock, claim_expires, worker_pid)
             SELECT id, 'running', 1, 'h:1', 9, 77 FROM tasks;
             UPDATE tasks SET status = 'running', current_run_id = 1, claim_lock = 'h:1'",
        )
        .unwrap();
        complete(&conn, &id, &Completion { result: Some("r".to_owned()), ..Completion::default() }).unwrap();
        let row = conn.query_row("SELECT claim_lock, claim_expires, worker_pid FROM task_runs", [], |row| {
            Ok((
                row.get::<_, Option<String>>(0)?,
                row.get::<_, Option<i64>>(1)?,
                row.get::<_, Option<i64>>(2)?,
            ))
        });
        let expected = if kept { (Some("h:1".to_owned()), None, Some(77)) } else { (None, None, None) };
        assert_eq!(row.unwrap(), expected);
    }
}
