//! `export` and `import`: equal rows whatever they hold, between boards of different versions, beside rows that are there.

use rusqlite::Connection;
use serde_json::json;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create, data};

const TABLES: [&str; 7] = [
    "tasks",
    "task_links",
    "task_comments",
    "task_events",
    "task_runs",
    "task_attachments",
    "kanban_notify_subs",
];

/// A board with everything that a row can hold.
pub(crate) fn oddities() -> Sandbox {
    let sandbox = Sandbox::with_board();
    change(
        &sandbox,
        "ALTER TABLE tasks ADD COLUMN colour TEXT DEFAULT 'red'; ALTER TABLE tasks ADD COLUMN raw;
         ALTER TABLE task_events ADD COLUMN \"odd \"\"name\" BLOB",
    );
    let a = create(&sandbox, &["first 🦀\nline"]);
    let b = create(&sandbox, &["second", "--parent", &a]);
    sandbox.run(&["comment", &a, "a comment"]).success();
    sandbox.run(&["complete", &a, "--result", "done"]).success();
    change(
        &sandbox,
        &format!(
            "UPDATE tasks SET raw = x'00ff', colour = NULL, status = 'a new status' WHERE id = '{b}';
             UPDATE tasks SET raw = 9e999, priority = 9223372036854775807, body = CAST(x'c32800' AS TEXT) WHERE id = '{a}';
             UPDATE tasks SET raw = 0.1, claim_expires = -9223372036854775808, title = 'x' || char(0) || 'y' WHERE id = '{b}';
             INSERT INTO task_events (task_id, kind, payload, created_at, \"odd \"\"name\") VALUES
               ('{a}', 'heartbeat', '{{\"x\": NaN, \"y\": Infinity, \"n\": 123456789012345678901234567890}}', 1, x'01'),
               ('{a}', 'kind nobody knows', CAST(x'ff' AS TEXT), 'yesterday', NULL), ('gone', 'orphan', NULL, 2, 3);
             INSERT INTO kanban_notify_subs (task_id, platform, chat_id, created_at, last_event_id) VALUES ('{a}', 'p', 'c', 1, 3);
             INSERT INTO task_runs (id, task_id, status, started_at) VALUES (7, '{b}', 'running', 1);
             UPDATE tasks SET current_run_id = 7 WHERE id = '{b}';
             INSERT INTO task_attachments (task_id, filename, stored_path, created_at) VALUES ('{b}', 'f', '/nowhere/f', 1);
             DELETE FROM task_comments; INSERT INTO tasks (id, title, status, created_at) VALUES ('', '', '', '')"
        ),
    );
    sandbox
}

/// Every value with its type, in the order of the rows, and the sequences.
fn dump(sandbox: &Sandbox, columns: impl Fn(&str) -> bool) -> Vec<String> {
    dump_of(&sandbox.board(), columns)
}

/// The same of any board.
pub(crate) fn dump_of(board: &std::path::Path, columns: impl Fn(&str) -> bool) -> Vec<String> {
    let connection = Connection::open(board).unwrap();
    let mut lines = Vec::new();
    for table in TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells = names.iter().enumerate().filter(|(_, name)| columns(name));
            let cells: Vec<String> =
                cells.map(|(at, name)| format!("{name}={:?}", row.get_ref(at).unwrap())).collect();
            lines.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    let mut statement = connection.prepare("SELECT name, seq FROM sqlite_sequence ORDER BY name").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
    lines.extend(rows.map(|row| format!("{row:?}")));
    lines
}

#[test]
fn every_oddity_comes_back_as_it_was() {
    let from = oddities();
    let export = from.run(&["export"]).success();
    let to = Sandbox::with_board();
    to.run_with(&["import"], &export.bytes).success();
    assert_eq!(dump(&to, |_| true), dump(&from, |_| true));
    assert_eq!(
        to.run(&["export"]).success().stdout.lines().skip(1).collect::<Vec<_>>(),
        export.stdout.lines().skip(1).collect::<Vec<_>>()
    );
}

#[test]
fn columns_of_a_newer_hermes_stay_behind_unless_asked_for() {
    let from = Sandbox::with_board();
    change(
        &from,
        "ALTER TABLE tasks ADD COLUMN provider_override TEXT; ALTER TABLE tasks ADD COLUMN reasoning_effort TEXT",
    );
    create(&from, &["a", "--model", "m", "--provider", "p"]);
    let export = from.run(&["export"]).success();
    let to = Sandbox::with_board();
    to.run_with(&["import"], &export.bytes).exits(5).says("provider_override");
    let known = |name: &str| !["provider_override", "reasoning_effort"].contains(&name);
    assert_eq!(dump(&to, known), dump(&from, known));
    let to = Sandbox::with_board();
    to.run_with(&["import", "--add-columns"], &export.bytes).success();
    assert_eq!(dump(&to, |_| true), dump(&from, |_| true));
    // And back: a newer board takes an older board's rows.
    let older = oddities();
    from.run(&["complete", data(&from.run(&["list", "--json"]).success())[0]["id"].as_str().unwrap()])
        .success();
    let newer = Sandbox::with_board();
    change(&newer, "ALTER TABLE tasks ADD COLUMN provider_override TEXT");
    newer.run_with(&["import"], &older.run(&["export"]).success().bytes).success();
    let old_columns = |name: &str| name != "provider_override";
    let sorted = |mut lines: Vec<String>| {
        for line in &mut lines {
            let mut cells: Vec<&str> = line.split(' ').collect();
            cells.sort_unstable();
            *line = cells.join(" ");
        }
        lines
    };
    assert_eq!(sorted(dump(&newer, old_columns)), sorted(dump(&older, |_| true)));
}

#[test]
fn tasks_come_beside_others_under_new_numbers() {
    let from = oddities();
    let to = Sandbox::with_board();
    let own = create(&to, &["own"]);
    to.run(&["comment", &own, "kept"]).success();
    let export = from.run(&["export"]).success();
    let told = data(&to.run_with(&["import", "--json"], &export.bytes).success());
    assert_eq!((&told["renumbered"], &told["rows"]["tasks"]), (&json!(true), &json!(3)));
    // The run that was open is the task's, whatever its number is now.
    let open =
        "SELECT count(*) FROM tasks t JOIN task_runs r ON r.id = t.current_run_id AND r.task_id = t.id";
    assert_eq!(count(&to, open), 1);
    let cursor = "SELECT count(*) FROM kanban_notify_subs s JOIN task_events e ON e.id = s.last_event_id AND e.task_id = s.task_id";
    assert_eq!(count(&to, cursor), 1);
    assert_eq!(count(&to, "SELECT count(*) FROM task_comments WHERE body = 'kept'"), 1);
    // A second time there is nothing to do.
    let rows = dump(&to, |_| true);
    let told = data(&to.run_with(&["import", "--json"], &export.bytes).success().says("there already"));
    assert_eq!(told["unchanged"].as_array().unwrap().len(), 3);
    assert_eq!(dump(&to, |_| true), rows);
    // A task with other values is a conflict, and nothing is written.
    change(&to, "UPDATE tasks SET tenant = 'other' WHERE id = ''");
    let rows = dump(&to, |_| true);
    to.run_with(&["import"], &export.bytes).exits(14);
    assert_eq!(dump(&to, |_| true), rows);
}

#[test]
fn some_tasks_are_exported_with_their_files() {
    let from = Sandbox::with_board();
    let [a, b, c] = [create(&from, &["a"]), create(&from, &["b"]), create(&from, &["c"])];
    from.run(&["link", &a, &b]).success();
    from.run(&["link", &c, &b]).success();
    std::fs::write(from.work().join("a.bin"), [0, 255, 10]).unwrap();
    from.run(&["attach", &a, "a.bin"]).success();
    let export = from.run(&["export", &a, &b, "--attachments"]).success();
    let to = Sandbox::with_board();
    to.run_with(&["import"], &export.bytes).success();
    assert_eq!(
        (count(&to, "SELECT count(*) FROM tasks"), count(&to, "SELECT count(*) FROM task_links")),
        (2, 1)
    );
    let listed = data(&to.run(&["attachments", "--json"]).success());
    let stored = listed[0]["stored_path"].as_str().unwrap();
    assert!(std::path::Path::new(stored).starts_with(to.root().canonicalize().unwrap()), "{stored}");
    assert_eq!(std::fs::read(stored).unwrap(), [0, 255, 10]);
    // Cut short, or no export at all: nothing is imported.
    let rows = dump(&to, |_| true);
    let cut = &export.bytes[..export.bytes.len() / 2];
    to.run_with(&["import"], cut).exits(2);
    to.run_with(&["import"], "{\"id\": 1}\n").exits(2);
    to.run_with(&["import"], "").exits(2);
    assert_eq!(dump(&to, |_| true), rows);
}
