//! Healthy boards with a history, of every age and make.

use std::path::Path;

use rusqlite::{Connection, params};

use super::Dice;

/// What a board is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recipe {
    /// Bytes per page.
    pub(crate) page_size: usize,
    /// Bytes at the end of each page that SQLite leaves alone.
    pub(crate) reserved: u8,
    /// The text encoding, as the pragma names it.
    pub(crate) encoding: &'static str,
    /// Which Hermes made it.
    pub(crate) age: Age,
    /// Whether another program keeps tables of its own in it.
    pub(crate) plugin: bool,
}

/// Which Hermes made a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    /// 0.19.0 from the start.
    Usual,
    /// A much older one; 0.19.0 added its columns when half of the tasks were there (docs/board-format.md, 2.9).
    Legacy,
    /// 0.19.0; a newer one added its columns when half of the tasks were there (docs/board-format.md, 10).
    Newer,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { page_size: super::PAGE, reserved: 0, encoding: "UTF-8", age: Age::Usual, plugin: false }
    }
}

/// Makes a healthy board of `tasks` tasks with their history, in WAL mode, cleanly closed.
pub(crate) fn board(path: &Path, tasks: usize, seed: u64) {
    Recipe::default().make(path, tasks, seed);
}

/// The same with text in `encoding`, as the pragma names it.
pub(crate) fn board_in(encoding: &'static str, path: &Path, tasks: usize, seed: u64) {
    Recipe { encoding, ..Recipe::default() }.make(path, tasks, seed);
}

impl Recipe {
    /// Makes a healthy board of `tasks` tasks with their history, in WAL mode, cleanly closed.
    pub(crate) fn make(self, path: &Path, tasks: usize, seed: u64) {
        let mut connection = self.open(path);
        connection
            .execute_batch(match self.age {
                Age::Usual | Age::Newer => include_str!("schema.sql"),
                Age::Legacy => include_str!("legacy.sql"),
            })
            .unwrap();
        let transaction = connection.transaction().unwrap();
        let mut dice = Dice::new(seed);
        let mut ids: Vec<String> = Vec::new();
        for number in 0..tasks {
            let id = format!("t_{:08x}", dice.next() >> 32);
            let at = 1_780_000_000 + i64::try_from(number).unwrap() * 60;
            if number == tasks / 2 {
                transaction.execute_batch(self.migration()).unwrap();
            }
            if self.age == Age::Legacy && number < tasks / 2 {
                old_task(&transaction, &mut dice, &id, at);
            } else {
                task(&transaction, &mut dice, &id, at);
            }
            history(&transaction, &mut dice, &id, at);
            if !ids.is_empty() && dice.chance(30) {
                let link = params![dice.pick(&ids), id];
                transaction.execute("INSERT OR IGNORE INTO task_links VALUES (?, ?)", link).unwrap();
            }
            ids.push(id);
        }
        if self.age == Age::Newer {
            let fill = "UPDATE tasks SET reasoning_effort = 'high', worker_started_at = created_at + 5 \
                        WHERE rowid % 3 = 0; \
                        UPDATE kanban_notify_subs SET chat_type = 'group' WHERE rowid % 2 = 0";
            transaction.execute_batch(fill).unwrap();
        }
        if self.plugin {
            plugin(&transaction, &mut dice, tasks);
        }
        transaction.commit().unwrap();
        connection.close().unwrap();
    }

    fn open(self, path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        let Self { page_size, encoding, .. } = self;
        connection
            .execute_batch(&format!(
                "PRAGMA page_size={page_size}; PRAGMA encoding='{encoding}'; PRAGMA synchronous=OFF"
            ))
            .unwrap();
        if self.reserved > 0 {
            connection.execute_batch("CREATE TABLE gone(x); DROP TABLE gone; VACUUM").unwrap();
            connection.close().unwrap();
            reserve(path, self.reserved);
            return Self { reserved: 0, ..self }.open(path);
        }
        connection.execute_batch("PRAGMA journal_mode=WAL").unwrap();
        connection
    }

    fn migration(self) -> &'static str {
        match self.age {
            Age::Usual => "",
            Age::Legacy => include_str!("migrated.sql"),
            Age::Newer => include_str!("newer.sql"),
        }
    }
}

/// Makes the one empty page of a new database end earlier; SQLite has no statement for it.
fn reserve(path: &Path, reserved: u8) {
    let mut bytes = std::fs::read(path).unwrap();
    let usable = u16::try_from(bytes.len() - usize::from(reserved)).unwrap();
    bytes[20] = reserved;
    bytes[105..107].copy_from_slice(&usable.to_be_bytes());
    std::fs::write(path, bytes).unwrap();
}

/// Tables that Hermes does not know, one of them without rowids.
fn plugin(connection: &Connection, dice: &mut Dice, rows: usize) {
    connection
        .execute_batch(
            "CREATE TABLE plugin_notes(id INTEGER PRIMARY KEY, who TEXT NOT NULL, score REAL, data BLOB, at INTEGER); \
             CREATE TABLE plugin_settings(name TEXT PRIMARY KEY, value TEXT, weight REAL) WITHOUT ROWID",
        )
        .unwrap();
    for number in 0..i64::try_from(rows).unwrap() {
        #[allow(clippy::cast_precision_loss, reason = "a small number")]
        let score = number as f64 / 7.0;
        let blob: Vec<u8> = (0..dice.below(300)).map(|_| dice.next().to_le_bytes()[0]).collect();
        connection
            .execute(
                "INSERT INTO plugin_notes(who, score, data, at) VALUES (?, ?, ?, ?)",
                params![dice.text(5, 40), score, blob, 1_780_000_000 + number],
            )
            .unwrap();
        connection
            .execute(
                "INSERT INTO plugin_settings VALUES (?, ?, ?)",
                params![format!("plugin.setting.{number:05}"), dice.text(20, 300), score],
            )
            .unwrap();
    }
}

/// Goes on with the board as Hermes would: tasks move and say so in events, some are deleted with all that is theirs, new
/// ones come.
pub(crate) fn carry_on(connection: &Connection, seed: u64) {
    let mut dice = Dice::new(seed ^ 0x5eed);
    let text = |sql: &str| -> Vec<String> {
        let mut statement = connection.prepare(sql).unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let ids = text("SELECT id FROM tasks ORDER BY created_at");
    let mut at: i64 =
        connection.query_row("SELECT max(created_at) + 600 FROM tasks", [], |row| row.get(0)).unwrap();
    for (number, id) in ids.iter().enumerate() {
        at += 7;
        if dice.chance(5) {
            for table in &super::TABLES[2..] {
                connection.execute(&format!("DELETE FROM {table} WHERE task_id = ?"), [id]).unwrap();
            }
            connection.execute("DELETE FROM task_links WHERE parent_id = ?1 OR child_id = ?1", [id]).unwrap();
            connection.execute("DELETE FROM tasks WHERE id = ?", [id]).unwrap();
        } else if dice.chance(30) {
            let done = "UPDATE tasks SET status = 'done', completed_at = ?2, result = ?3 WHERE id = ?1";
            connection.execute(done, params![id, at, dice.text(10, 90)]).unwrap();
            let event = "INSERT INTO task_events(task_id, kind, payload, created_at) \
                         VALUES (?, 'completed', NULL, ?)";
            connection.execute(event, params![id, at]).unwrap();
        }
        if number % 10 == 0 {
            let id = format!("t_{:08x}", dice.next() >> 32);
            task(connection, &mut dice, &id, at);
            history(connection, &mut dice, &id, at);
        }
    }
}

/// Values of columns that newer versions of Hermes have: table, column, value.
const NEWER_VALUES: [(&str, &str, &str); 7] = [
    ("tasks", "provider_override", "openrouter"),
    ("tasks", "reasoning_effort", "high"),
    ("tasks", "worker_started_at", "0b5e7a31:24|237460"),
    ("tasks", "completion_contract", "local-only"),
    ("task_runs", "worker_started_at", "0b5e7a31:24|237460"),
    ("kanban_notify_subs", "chat_type", "dm"),
    ("kanban_notify_subs", "delivery_mode", "notify+wake"),
];

/// Adds `tasks` tasks with their history to a board of any Hermes, and fills columns that only newer ones have.
pub(crate) fn fill(connection: &Connection, tasks: usize, seed: u64) {
    let mut dice = Dice::new(seed ^ 0xf111);
    let sql = "SELECT ifnull(max(created_at), 1780000000) FROM tasks";
    let from: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    connection.execute_batch("PRAGMA synchronous=OFF; BEGIN").unwrap();
    for number in 0..i64::try_from(tasks).unwrap() {
        let id = format!("t_{:08x}", dice.next() >> 32);
        task(connection, &mut dice, &id, from + 60 * (number + 1));
        history(connection, &mut dice, &id, from + 60 * (number + 1));
    }
    for (share, (table, column, value)) in (3..).zip(NEWER_VALUES) {
        if connection.column_exists(None, table, column).unwrap() {
            let sql = format!("UPDATE {table} SET {column} = ? WHERE rowid % {share} = 0");
            connection.execute(&sql, [value]).unwrap();
        }
    }
    connection.execute_batch("COMMIT").unwrap();
}

fn old_task(connection: &Connection, dice: &mut Dice, id: &str, at: i64) {
    connection
        .execute(
            "INSERT INTO tasks(id, title, body, assignee, status, created_by, created_at) \
             VALUES (?, ?, ?, 'alice', 'todo', 'user', ?)",
            params![id, dice.text(10, 80), dice.text(20, 900), at],
        )
        .unwrap();
}

fn task(connection: &Connection, dice: &mut Dice, id: &str, at: i64) {
    let status = *dice.pick(&["todo", "ready", "running", "blocked", "done", "archived", "review", "triage"]);
    let body = if dice.chance(20) { dice.text(100, 9000) } else { dice.text(20, 900) };
    let done = status == "done";
    connection
        .execute(
            "INSERT INTO tasks(id, title, body, assignee, status, priority, created_by, created_at, started_at, \
             completed_at, result, tenant, skills) VALUES (?, ?, ?, ?, ?, ?, 'user', ?, ?, ?, ?, ?, ?)",
            params![
                id,
                dice.text(10, 80),
                dice.chance(95).then_some(body),
                *dice.pick(&[Some("alice"), Some("bob"), Some("coder"), None]),
                status,
                i64::try_from(dice.below(11)).unwrap() - 5,
                at,
                (done || status == "running").then_some(at + 30),
                done.then_some(at + 300),
                done.then(|| dice.text(10, 90)),
                dice.chance(50).then_some("acme"),
                dice.chance(50).then_some(r#"["x"]"#),
            ],
        )
        .unwrap();
}

fn history(connection: &Connection, dice: &mut Dice, id: &str, at: i64) {
    let mut run = connection
        .prepare_cached(
            "INSERT INTO task_runs(task_id, profile, status, started_at, ended_at, outcome, summary, metadata) \
             VALUES (?, 'coder', 'done', ?, ?, 'completed', ?, '{\"n\": 1}')",
        )
        .unwrap();
    for _ in 0..dice.below(4) {
        run.execute(params![id, at, at + 9, dice.text(20, 300)]).unwrap();
    }
    let mut event = connection
        .prepare_cached("INSERT INTO task_events(task_id, kind, payload, created_at) VALUES (?, ?, ?, ?)")
        .unwrap();
    for step in 0..=dice.below(9) {
        let kind = *dice.pick(&["created", "claimed", "heartbeat", "completed", "blocked", "promoted"]);
        let payload =
            dice.chance(50).then(|| serde_json::json!({"k": step, "x": dice.text(5, 60)}).to_string());
        event.execute(params![id, kind, payload, at + i64::try_from(step).unwrap()]).unwrap();
    }
    let mut comment = connection
        .prepare_cached(
            "INSERT INTO task_comments(task_id, author, body, created_at) VALUES (?, 'bob', ?, ?)",
        )
        .unwrap();
    for _ in 0..dice.below(5) {
        let text = if dice.chance(97) { dice.text(20, 600) } else { dice.text(6000, 20_000) };
        comment.execute(params![id, text, at]).unwrap();
    }
    if dice.chance(10) {
        let subscription = "INSERT INTO kanban_notify_subs(task_id, platform, chat_id, created_at) \
                            VALUES (?, 'telegram', '42', ?)";
        connection.execute(subscription, params![id, at]).unwrap();
    }
}
