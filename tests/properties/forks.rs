//! Two histories of one board: no row of either is lost, no number is given twice, references agree.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use kanbanctl::recover;
use kanbanctl::salvage::source as sources;
use kanbanctl::work::progress::Unwatched;
use proptest::prelude::*;
use proptest::sample::Index;
use rusqlite::Connection;

const SCHEMA: &str = "
    PRAGMA page_size = 512;
    CREATE TABLE tasks(id TEXT PRIMARY KEY, title TEXT NOT NULL, status TEXT NOT NULL, created_at INTEGER NOT NULL,
                       started_at INTEGER, completed_at INTEGER, current_run_id INTEGER);
    CREATE TABLE task_links(parent_id TEXT NOT NULL, child_id TEXT NOT NULL, PRIMARY KEY(parent_id, child_id));
    CREATE TABLE task_comments(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, author TEXT NOT NULL,
                               body TEXT NOT NULL, created_at INTEGER NOT NULL);
    CREATE TABLE task_events(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, run_id INTEGER,
                             kind TEXT NOT NULL, payload TEXT, created_at INTEGER NOT NULL);
    CREATE TABLE task_runs(id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL, profile TEXT, step_key TEXT,
                           status TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER);
    CREATE TABLE kanban_notify_subs(task_id TEXT NOT NULL, platform TEXT NOT NULL, chat_id TEXT NOT NULL,
                                    thread_id TEXT NOT NULL DEFAULT '', created_at INTEGER NOT NULL,
                                    last_event_id INTEGER NOT NULL DEFAULT 0,
                                    PRIMARY KEY(task_id, platform, chat_id, thread_id));";

/// Kinds of events that the notifier sends (docs/board-format.md, 7.5), as far as these boards have them.
const SENT: &str = "('completed', 'blocked')";

/// What somebody does to a board.
#[derive(Debug, Clone)]
enum Deed {
    Create,
    Claim(Index),
    Complete(Index),
    Block(Index),
    Comment(Index, u16),
    Delete(Index),
    Link(Index, Index),
    Subscribe(Index),
    Notify,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => Just(Deed::Create),
        3 => any::<Index>().prop_map(Deed::Claim),
        3 => any::<Index>().prop_map(Deed::Complete),
        2 => any::<Index>().prop_map(Deed::Block),
        3 => (any::<Index>(), 0_u16..700).prop_map(|(task, len)| Deed::Comment(task, len)),
        1 => any::<Index>().prop_map(Deed::Delete),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(one, other)| Deed::Link(one, other)),
        1 => any::<Index>().prop_map(Deed::Subscribe),
        1 => Just(Deed::Notify),
    ]
}

/// A history on its way: the board, its clock, and the mark that its ids bear.
struct History {
    connection: Connection,
    mark: char,
    time: i64,
    made: u32,
    /// Tasks that may be deleted: those from before the histories parted, but for the first. A board without a row is no
    /// history.
    old: BTreeSet<String>,
}

impl History {
    fn open(path: &Path, mark: char, time: i64) -> Self {
        let connection = Connection::open(path).unwrap();
        connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
        let mut history = Self { connection, mark, time, made: 0, old: BTreeSet::new() };
        history.old = history.tasks().into_iter().skip(1).collect();
        history
    }

    fn tasks(&self) -> Vec<String> {
        let exists = texts(&self.connection, "SELECT name FROM sqlite_schema WHERE name = 'tasks'");
        if exists.is_empty() {
            exists
        } else {
            texts(&self.connection, "SELECT id FROM tasks ORDER BY rowid")
        }
    }

    fn event(&self, task: &str, run: Option<i64>, kind: &str) {
        let payload =
            run.filter(|_| kind == "claimed").map(|run| format!("{{\"lock\": \"h:1\", \"run_id\": {run}}}"));
        let sql =
            "INSERT INTO task_events(task_id, run_id, kind, payload, created_at) VALUES(?1, ?2, ?3, ?4, ?5)";
        self.connection.execute(sql, (task, run, kind, payload, self.time)).unwrap();
    }

    fn run(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    fn create(&mut self, time: i64) {
        self.made += 1;
        let id = format!("t_{}{:07}", self.mark, self.made);
        self.run(&format!(
            "INSERT INTO tasks(id, title, status, created_at) VALUES('{id}', 'x', 'ready', {time})"
        ));
        self.event(&id, None, "created");
    }

    fn delete(&self, task: &str) {
        self.run(&format!(
            "DELETE FROM task_links WHERE parent_id = '{task}' OR child_id = '{task}';
             DELETE FROM task_comments WHERE task_id = '{task}'; DELETE FROM task_events WHERE task_id = '{task}';
             DELETE FROM task_runs WHERE task_id = '{task}'; DELETE FROM tasks WHERE id = '{task}';
             DELETE FROM kanban_notify_subs WHERE task_id = '{task}';"
        ));
    }

    fn perform(&mut self, deed: &Deed) {
        self.time += 1;
        let (time, tasks) = (self.time, self.tasks());
        let pick = |index: &Index| (!tasks.is_empty()).then(|| index.get(&tasks).clone());
        let open = |task: &str| {
            let sql = format!("SELECT current_run_id FROM tasks WHERE id = '{task}'");
            self.connection.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0)).unwrap()
        };
        match deed {
            Deed::Create => {
                self.create(time);
            }
            Deed::Claim(task) => {
                let Some(task) = pick(task).filter(|task| open(task).is_none()) else { return };
                self.run(&format!(
                    "INSERT INTO task_runs(task_id, status, started_at) VALUES('{task}', 'running', {time});
                     UPDATE tasks SET status = 'running', started_at = {time},
                            current_run_id = (SELECT max(id) FROM task_runs) WHERE id = '{task}';"
                ));
                self.event(&task, open(&task), "claimed");
            }
            Deed::Complete(task) | Deed::Block(task) => {
                let Some(task) = pick(task) else { return };
                let run = open(&task);
                let (status, kind) = match deed {
                    Deed::Complete(_) => ("done", "completed"),
                    _ => ("blocked", "blocked"),
                };
                self.run(&format!(
                    "UPDATE task_runs SET status = '{status}', ended_at = {time} WHERE id = {};
                     UPDATE tasks SET status = '{status}', completed_at = {time}, current_run_id = NULL WHERE id = '{task}';",
                    run.unwrap_or(0)
                ));
                self.event(&task, run, kind);
            }
            Deed::Comment(task, len) => {
                let Some(task) = pick(task) else { return };
                let body = format!("{}{time}{}", self.mark, "w".repeat(usize::from(*len)));
                self.run(&format!(
                    "INSERT INTO task_comments(task_id, author, body, created_at) VALUES('{task}', 'a', '{body}', {time})"
                ));
                self.event(&task, None, "commented");
            }
            Deed::Delete(task) => {
                let Some(task) = pick(task).filter(|task| self.old.contains(task)) else { return };
                self.delete(&task);
            }
            Deed::Link(parent, child) => {
                let (Some(parent), Some(child)) = (pick(parent), pick(child)) else { return };
                if parent != child {
                    self.run(&format!("INSERT OR IGNORE INTO task_links VALUES('{parent}', '{child}')"));
                    self.event(&child, None, "linked");
                }
            }
            Deed::Subscribe(task) => {
                let Some(task) = pick(task) else { return };
                self.run(&format!(
                    "INSERT OR IGNORE INTO kanban_notify_subs(task_id, platform, chat_id, created_at)
                     VALUES('{task}', 'chat', '1', {time})"
                ));
            }
            Deed::Notify => self.run(&format!(
                "UPDATE kanban_notify_subs AS s SET last_event_id = max(last_event_id, coalesce(
                    (SELECT max(id) FROM task_events e WHERE e.task_id = s.task_id AND e.kind IN {SENT}), 0))"
            )),
        }
    }
}

fn texts(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// Rows that say the same whatever their numbers are, and how many of each there are.
fn contents(connection: &Connection) -> BTreeMap<String, usize> {
    let mut contents = BTreeMap::new();
    for sql in [
        "SELECT 'event '||e.task_id||' '||e.kind||' '||e.created_at||' '||coalesce(r.task_id||r.started_at, '-')
         FROM task_events e LEFT JOIN task_runs r ON r.id = e.run_id",
        "SELECT 'comment '||task_id||' '||body||' '||created_at FROM task_comments",
        "SELECT 'run '||task_id||' '||started_at FROM task_runs",
        "SELECT 'link '||parent_id||' '||child_id FROM task_links",
        "SELECT 'task '||id FROM tasks",
    ] {
        for row in texts(connection, sql) {
            *contents.entry(row).or_insert(0) += 1;
        }
    }
    contents
}

/// The task that a row of [`contents`] is about.
fn task_of(row: &str) -> &str {
    row.split(' ').nth(1).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn both_histories_are_in_the_result(
        common in prop::collection::vec(deed(), 0..40),
        main in prop::collection::vec(deed(), 1..25),
        second in prop::collection::vec(deed(), 1..25),
        head_start in 0_i64..30,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut base = History::open(&path("kanban.db"), 'c', 1_780_000_000);
        base.run(SCHEMA);
        // Something that both have tells where they part.
        for deed in [Deed::Create].iter().chain(&common) {
            base.perform(deed);
        }
        let before = contents(&base.connection);
        let time = base.time;
        drop(base);
        std::fs::copy(path("kanban.db"), path("copy.db")).unwrap();
        let mut ours = History::open(&path("kanban.db"), 'a', time);
        for deed in &main {
            ours.perform(deed);
        }
        let mut theirs = History::open(&path("copy.db"), 'b', time + head_start);
        for deed in &second {
            theirs.perform(deed);
        }
        let (of_main, of_second) = (contents(&ours.connection), contents(&theirs.connection));
        let known: BTreeSet<String> = ours.tasks().into_iter().collect();
        // A deletion shows where later numbers are still the same in both.
        let both = "SELECT coalesce(max(e.id), 0)||'' FROM main.task_events e JOIN theirs.task_events o
                    ON (o.id, o.task_id, o.kind, o.created_at) = (e.id, e.task_id, e.kind, e.created_at)";
        ours.connection.execute("ATTACH ?1 AS theirs", [path("copy.db").to_str().unwrap()]).unwrap();
        let last: i64 = texts(&ours.connection, both)[0].parse().unwrap();
        let visible = format!("SELECT task_id FROM task_events WHERE id < {last}");
        let visible: BTreeSet<String> = texts(&theirs.connection, &visible).into_iter().collect();
        // Where no number means two events beyond doubt and none is above the main line's, the copy looks like an older state.
        let parted = texts(&ours.connection, "SELECT 'x' FROM main.task_events e JOIN theirs.task_events o USING(id)
            WHERE (o.task_id, o.kind) <> (e.task_id, e.kind)
            UNION ALL SELECT 'x' FROM theirs.task_events o WHERE o.id > (SELECT seq FROM main.sqlite_sequence
            WHERE name = 'task_events')");
        prop_assume!(!parted.is_empty());
        drop((ours, theirs));

        let found = sources::discover(&path("kanban.db"), &[path("copy.db")], &mut Unwatched).unwrap();
        let options = recover::RecoverOptions::new(dir.path().to_path_buf());
        recover::recover(&found.sources, Some(&path("new.db")), &options, &mut Unwatched).unwrap();
        let new = Connection::open(path("new.db")).unwrap();
        let result = contents(&new);

        // Every row of the main line, and none twice.
        for (row, count) in &of_main {
            prop_assert!(result.get(row) >= Some(count), "lost of the main line: {}", row);
        }
        // Every row that the second history has made.
        for (row, count) in &of_second {
            let own = count.saturating_sub(before.get(row).copied().unwrap_or(0));
            let ends = if row.starts_with("link ") { 2 } else { 1 };
            let mut tasks = row.split(' ').skip(1).take(ends);
            let deleted = tasks.any(|task| !known.contains(task) && visible.contains(task));
            let found = result.contains_key(row) || deleted;
            prop_assert!(own == 0 || found, "lost of the second history: {}", row);
        }
        // Nothing that neither has.
        for row in result.keys() {
            prop_assert!(of_main.contains_key(row) || of_second.contains_key(row), "invented: {}", row);
        }
        // What the main line deleted stays deleted.
        for row in before.keys().filter(|row| row.starts_with("task ") && !known.contains(task_of(row))) {
            let seen = visible.contains(task_of(row));
            prop_assert!(!result.contains_key(row) || !seen, "brought back although it was deleted: {}", row);
        }
        // The main line's numbers are as they were.
        new.execute("ATTACH ?1 AS ours", [path("kanban.db").to_str().unwrap()]).unwrap();
        for (table, columns) in [
            ("task_events", "id, task_id, run_id, kind, payload, created_at"),
            ("task_comments", "id, task_id, body"),
            ("task_runs", "id, task_id, started_at"),
        ] {
            let sql = format!(
                "SELECT 'x' FROM (SELECT {columns} FROM ours.{table} EXCEPT SELECT {columns} FROM main.{table})"
            );
            prop_assert!(texts(&new, &sql).is_empty(), "{} of the main line moved", table);
            let sql = format!(
                "SELECT 'x' FROM sqlite_sequence WHERE name = '{table}' AND seq < (SELECT max(id) FROM main.{table})"
            );
            prop_assert!(texts(&new, &sql).is_empty(), "the sequence of {} is too low", table);
        }
        // References agree.
        for (sql, what) in [
            ("SELECT e.kind||e.task_id FROM task_events e LEFT JOIN task_runs r ON r.id = e.run_id
              WHERE e.run_id IS NOT NULL AND r.task_id IS NOT e.task_id", "an event with another task's run"),
            ("SELECT t.id FROM tasks t LEFT JOIN task_runs r ON r.id = t.current_run_id
              WHERE t.current_run_id IS NOT NULL AND (r.task_id IS NOT t.id OR r.started_at IS NOT t.started_at)",
             "a task with another run"),
            ("SELECT task_id FROM task_events WHERE kind = 'claimed' AND json_extract(payload, '$.run_id') IS NOT run_id",
             "a payload that names another run"),
            ("SELECT task_id FROM (SELECT task_id FROM task_events UNION SELECT task_id FROM task_runs
              UNION SELECT task_id FROM task_comments UNION SELECT task_id FROM kanban_notify_subs
              UNION SELECT parent_id FROM task_links UNION SELECT child_id FROM task_links)
              WHERE task_id NOT IN (SELECT id FROM tasks)", "a row without its task"),
        ] {
            prop_assert!(texts(&new, sql).is_empty(), "{}: {:?}", what, texts(&new, sql));
        }
        // No event that its own history has not sent is passed over; what the main line has sent is not sent again.
        new.execute("ATTACH ?1 AS theirs", [path("copy.db").to_str().unwrap()]).unwrap();
        for side in ["ours", "theirs"] {
            let sql = format!(
                "SELECT s.task_id||' '||e.kind FROM main.kanban_notify_subs s
                 JOIN {side}.kanban_notify_subs o USING(task_id, platform, chat_id, thread_id)
                 JOIN {side}.task_events e ON e.task_id = s.task_id AND e.id > o.last_event_id AND e.kind IN {SENT}
                 JOIN main.task_events n ON n.task_id = e.task_id AND n.kind = e.kind AND n.created_at = e.created_at
                 WHERE n.id <= s.last_event_id
                 AND NOT EXISTS (SELECT 1 FROM ours.kanban_notify_subs p JOIN ours.task_events f USING(task_id)
                                 WHERE p.task_id = s.task_id AND f.kind = e.kind AND f.created_at = e.created_at
                                 AND f.id <= p.last_event_id)
                 AND NOT EXISTS (SELECT 1 FROM theirs.kanban_notify_subs p JOIN theirs.task_events f USING(task_id)
                                 WHERE p.task_id = s.task_id AND f.kind = e.kind AND f.created_at = e.created_at
                                 AND f.id <= p.last_event_id)"
            );
            prop_assert!(texts(&new, &sql).is_empty(), "never sent: {:?}", texts(&new, &sql));
        }
        let behind = "SELECT s.task_id FROM main.kanban_notify_subs s
                      JOIN ours.kanban_notify_subs o USING(task_id, platform, chat_id, thread_id)
                      WHERE s.last_event_id < o.last_event_id";
        prop_assert!(texts(&new, behind).is_empty(), "sent again: {:?}", texts(&new, behind));
    }
}
