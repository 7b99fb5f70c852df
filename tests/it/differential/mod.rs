//! The same operations by Hermes' own functions on one board and by kanbanctl on another: every row of every table, every
//! sequence, every outcome and the JSON of every task must be equal. Three versions of Hermes, boards fresh and migrated.
//!
//! To add an operation: write a function in `operations.rs` that draws one from a [`Draw`] and returns a [`Drawn`], and add
//! a line to `OPERATIONS` there: its name, the first and the last version that has it, its weight, the function. A `Drawn`
//! has the command line of kanbanctl and the call of Hermes' function that must do the same. Where Hermes' command line
//! does more than the function (a comment before a block), say so with `Call::commented`.
//!
//! What makes two boards comparable: both begin as copies of one file that the version made; the clock of both stands at
//! the same second; kanbanctl goes first, and the ids that it drew are given to Hermes. Rows are compared after every
//! operation, so that a failure names the operation. `KANBANCTL_TEST_OPERATIONS=N` runs N operations of each version
//! (default 120), `KANBANCTL_TEST_SEED` another sequence of them; a failure prints both.

mod operations;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value, json};

use crate::support::Sandbox;
use crate::support::sandbox::NOW;
use operations::OPERATIONS;

/// Operations of each version where nothing says otherwise, and on one board.
const DEFAULT_OPERATIONS: usize = 120;
const OPERATIONS_PER_BOARD: usize = 120;

/// Hermes' tables.
const TABLES: [&str; 7] = [
    "tasks",
    "task_links",
    "task_comments",
    "task_events",
    "task_runs",
    "task_attachments",
    "kanban_notify_subs",
];

/// A version of Hermes that can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hermes {
    V19,
    V20,
    V22,
}

impl Hermes {
    /// The Python that has it, or a loud line and nothing.
    fn python(self) -> Option<PathBuf> {
        let variable = match self {
            Self::V19 => "KANBANCTL_TEST_HERMES",
            Self::V20 => "KANBANCTL_TEST_HERMES_0_20",
            Self::V22 => "KANBANCTL_TEST_HERMES_0_22",
        };
        let python = std::env::var_os(variable).map(PathBuf::from);
        if python.is_none() {
            eprintln!("!!!! SKIPPED: needs {variable}=<python with that version of hermes-agent>");
        }
        python
    }
}

/// A call of one of Hermes' functions.
#[derive(Clone, Debug)]
pub(crate) struct Call(Value);

impl Call {
    /// A function of the kernel with a task first and named arguments.
    pub(crate) fn of(function: &str, positional: &Value, named: &Value) -> Self {
        Self(json!({ "do": function, "args": positional, "named": named }))
    }

    /// The same with a comment before it, as the command line writes it for a reason.
    pub(crate) fn commented(self, task: &str, author: &str, word: &str, reason: Option<&str>) -> Self {
        let named = json!({ "task": task });
        Self(json!({ "do": "commented", "args": [author, word, reason, self.0], "named": named }))
    }

    /// The same for a function that returns nothing where it succeeds.
    pub(crate) fn succeeds(self) -> Self {
        Self(json!({ "do": "succeeds", "args": [self.0] }))
    }

    /// One statement.
    pub(crate) fn sql(statement: &str) -> Self {
        Self(json!({ "do": "sql", "args": [statement] }))
    }

    /// The call without its comment.
    fn uncommented(&self) -> Self {
        let inner = self.0["args"].get(3).filter(|_| self.0["do"] == "commented");
        Self(inner.cloned().unwrap_or_else(|| self.0.clone()))
    }
}

/// One operation for both sides.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// The command line of kanbanctl; nothing where both boards are changed by `call` and `call` is a statement.
    pub(crate) ours: Option<Vec<String>>,
    /// What Hermes does.
    pub(crate) call: Call,
}

impl Drawn {
    /// A verb of ours and a function of Hermes.
    pub(crate) fn new(ours: Vec<String>, call: Call) -> Self {
        Self { ours: Some(ours), call }
    }

    /// A statement for both boards, which sets a scene that no verb of ours makes.
    pub(crate) fn scene(statement: &str) -> Self {
        Self { ours: None, call: Call::sql(statement) }
    }
}

/// What an operation is drawn from.
pub(crate) struct Draw {
    state: u64,
    /// Ids and statuses of the board's tasks.
    pub(crate) tasks: Vec<(String, String)>,
    /// The version whose board it is.
    pub(crate) hermes: Hermes,
    /// The second at which the clock of both sides stands.
    pub(crate) now: i64,
    /// The claim that kanbanctl writes.
    pub(crate) lock: String,
    /// A process that lives as long as the test.
    pub(crate) pid: u32,
}

impl Draw {
    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        // splitmix64
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of several.
    pub(crate) fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of several, or nothing in half of the cases.
    pub(crate) fn maybe<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        self.chance(50).then(|| self.one(of))
    }

    /// A task's id; now and then one that no task has.
    pub(crate) fn task(&mut self) -> String {
        if self.tasks.is_empty() || self.chance(4) {
            return "t_00000000".to_owned();
        }
        let at = self.below(self.tasks.len());
        self.tasks[at].0.clone()
    }

    /// A task in one of these statuses more often than not, so that an operation has something to do.
    pub(crate) fn task_in(&mut self, statuses: &[&str]) -> String {
        let fitting: Vec<String> = self
            .tasks
            .iter()
            .filter(|(_, status)| statuses.contains(&status.as_str()))
            .map(|(id, _)| id.clone())
            .collect();
        if fitting.is_empty() || self.chance(25) {
            return self.task();
        }
        let at = self.below(fitting.len());
        fitting[at].clone()
    }
}

/// A Hermes process with one connection.
struct Theirs {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Theirs {
    fn start(sandbox: &Sandbox, python: &Path) -> Self {
        let mut child = sandbox
            .program(python)
            .env("HERMES_HOME", sandbox.root())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .args(["-c", include_str!("hermes.py")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Self { child, stdin, stdout }
    }

    fn ask(&mut self, call: &Value) -> Result<Value, String> {
        writeln!(self.stdin, "{call}").unwrap();
        let mut reply = String::new();
        self.stdout.read_line(&mut reply).unwrap();
        assert!(!reply.is_empty(), "Hermes died at {call}");
        serde_json::from_str(&reply).unwrap()
    }

    fn must(&mut self, function: &str) -> Value {
        self.ask(&json!({ "do": function })).unwrap_or_else(|error| panic!("Hermes at {function}: {error}"))
    }
}

impl Drop for Theirs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two boards that began as one.
struct Pair {
    ours: Sandbox,
    /// Holds their board's directory.
    _theirs: Sandbox,
    hermes: Theirs,
    our_rows: Connection,
    their_rows: Connection,
}

impl Pair {
    /// A board made by `maker` and opened by `python`, for both sides.
    fn made_by(maker: &Path, python: &Path) -> Self {
        let (ours, theirs) = (Sandbox::new(), Sandbox::new());
        for python in [maker, python] {
            let mut hermes = Theirs::start(&theirs, python);
            hermes.must("open");
            hermes.must("close");
        }
        let whole = Connection::open(theirs.board()).unwrap();
        whole.execute("VACUUM INTO ?1", [ours.board().to_str().unwrap()]).unwrap();
        drop(whole);
        let mut hermes = Theirs::start(&theirs, python);
        hermes.must("open");
        let read = |sandbox: &Sandbox| {
            Connection::open_with_flags(sandbox.board(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
        };
        let (our_rows, their_rows) = (read(&ours), read(&theirs));
        Self { ours, _theirs: theirs, hermes, our_rows, their_rows }
    }

    /// Runs one operation on both sides and compares what became of it.
    fn run(&mut self, drawn: &Drawn, now: i64) -> Result<(), String> {
        let Some(args) = &drawn.ours else {
            let statement = drawn.call.0["args"][0].as_str().unwrap();
            Connection::open(self.ours.board()).unwrap().execute_batch(statement).unwrap();
            self.hermes.ask(&drawn.call.0).unwrap();
            return self.compare();
        };
        let mut command = self.ours.command(args);
        command.env("KANBANCTL_NOW", now.to_string()).env("HERMES_PROFILE", "tester");
        let output = self.ours.finish(command, b"");
        let did = output.code() == 0;
        let ids: Vec<&str> = if did && args.first().is_some_and(|verb| verb == "create") {
            output.stdout.lines().filter_map(|id| id.strip_prefix("t_")).collect()
        } else {
            Vec::new()
        };
        // A refusal of ours leaves no comment; Hermes' is asked without one.
        let call = if did { drawn.call.clone() } else { drawn.call.uncommented() };
        let mut call = call.0;
        call["now"] = json!(now);
        call["ids"] = json!(ids);
        let reply = self.hermes.ask(&call);
        let they_did = match &reply {
            Err(_) | Ok(Value::Null | Value::Bool(false)) => false,
            Ok(Value::Array(pair)) => pair.first() != Some(&json!(false)),
            Ok(_) => true,
        };
        // The listed difference whole-deletion: Hermes leaves the rows of a deleted task's attachments.
        if drawn.call.0["do"].as_str().is_some_and(|function| function.starts_with("delete_")) {
            let orphans = "DELETE FROM task_attachments WHERE task_id NOT IN (SELECT id FROM tasks)";
            self.hermes.ask(&Call::sql(orphans).0)?;
        }
        if did != they_did && drawn.call.0["do"] != "recompute_ready" {
            return Err(format!("ours ended with {}:\n{output}\nHermes said {reply:?}", output.code()));
        }
        self.compare().map_err(|error| format!("{error}\n{output}\nHermes said {reply:?}"))
    }

    /// Compares every row of every table, and the sequences.
    fn compare(&self) -> Result<(), String> {
        for table in TABLES {
            let (ours, theirs) = (rows(&self.our_rows, table), rows(&self.their_rows, table));
            if ours != theirs {
                let lines = ours.iter().zip(&theirs).find(|(ours, theirs)| ours != theirs);
                let (ours_line, their_line) = lines.map_or_else(
                    || (ours.get(theirs.len()), theirs.get(ours.len())),
                    |(ours, theirs)| (Some(ours), Some(theirs)),
                );
                return Err(format!("{table} differs:\n ours   {ours_line:?}\n theirs {their_line:?}"));
            }
        }
        let sequences = "SELECT name, seq FROM sqlite_sequence ORDER BY name";
        let (ours, theirs) = (query(&self.our_rows, sequences), query(&self.their_rows, sequences));
        if ours == theirs {
            Ok(())
        } else {
            Err(format!("sequences differ: ours {ours:?}, theirs {theirs:?}"))
        }
    }

    /// Has Hermes open what kanbanctl wrote: nothing may change by that, not even the schema.
    fn reopen(&mut self, python: &Path) -> Result<(), String> {
        let look = |rows: &Connection| {
            let mut seen = query(rows, "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name");
            seen.extend(query(rows, "SELECT name, seq FROM sqlite_sequence ORDER BY name"));
            for table in TABLES {
                seen.extend(query(rows, &format!("SELECT * FROM {table} ORDER BY rowid")));
            }
            seen
        };
        let before = look(&self.our_rows);
        let mut hermes = Theirs::start(&self.ours, python);
        hermes.must("open");
        hermes.must("close");
        if look(&self.our_rows) == before {
            Ok(())
        } else {
            Err("Hermes changed our board by opening it".to_owned())
        }
    }

    /// Compares the JSON of every task, for the keys that both have.
    fn compare_json(&mut self, now: i64) -> Result<(), String> {
        let theirs = self.hermes.must("json");
        let output = self.ours.run(&["list", "--archived", "--json"]).success();
        let ours = output.data();
        let by_id = |tasks: &Value| -> std::collections::BTreeMap<String, Map<String, Value>> {
            let tasks = tasks.as_array().unwrap().iter();
            tasks
                .map(|task| (task["id"].as_str().unwrap().to_owned(), task.as_object().unwrap().clone()))
                .collect()
        };
        let (ours, theirs) = (by_id(&ours), by_id(&theirs));
        if ours.keys().ne(theirs.keys()) {
            return Err("other tasks are listed".to_owned());
        }
        for (id, task) in &theirs {
            for (key, value) in task {
                let own = ours[id].get(key);
                if own.is_some_and(|own| own != value) {
                    return Err(format!("{id}: {key} is {own:?}, and {value} for Hermes"));
                }
            }
        }
        self.compare_printed(&["stats"], "stats", &json!({}), now)?;
        self.compare_printed(
            &["diagnostics"],
            "diagnostics",
            &json!({ "task": null, "severity": null }),
            now,
        )?;
        self.compare_printed(&["assignees"], "assignees", &json!({}), now)?;
        for id in theirs.keys() {
            let named = json!({ "task_id": id, "state_type": null, "state_name": null });
            self.compare_printed(&["show", id], "show", &named, now)?;
            self.compare_printed(&["runs", id], "runs", &named, now)?;
        }
        Ok(())
    }

    /// Compares what both print as JSON for one command, for the keys that both have.
    fn compare_printed(
        &mut self,
        ours: &[&str],
        command: &str,
        named: &Value,
        now: i64,
    ) -> Result<(), String> {
        let ask = json!({ "do": "printed", "args": [command], "named": named, "now": now });
        let theirs = self.hermes.ask(&ask).map_err(|error| format!("{ours:?}: Hermes said {error}"))?;
        let mut run = self.ours.command(&[ours, &["--json"]].concat());
        run.env("KANBANCTL_NOW", now.to_string());
        let ours_said = self.ours.finish(run, b"").success().data();
        let theirs = if command == "diagnostics" { of_tasks(&theirs) } else { theirs };
        differ(&ours_said, &theirs).map_err(|error| format!("{ours:?}: {error}"))
    }
}

/// Hermes' diagnostics without what is about its configuration: the listed difference diagnostics-of-tasks.
fn of_tasks(diagnostics: &Value) -> Value {
    let mut rows = diagnostics.as_array().unwrap().clone();
    for row in &mut rows {
        let found = row["diagnostics"].as_array_mut().unwrap();
        found.retain(|one| one["kind"] != "triage_aux_unavailable");
    }
    rows.retain(|row| !row["diagnostics"].as_array().unwrap().is_empty());
    Value::Array(rows)
}

/// Compares two values for the keys that both have; rows of tasks in any order.
fn differ(ours: &Value, theirs: &Value) -> Result<(), String> {
    match (ours, theirs) {
        (Value::Object(own), Value::Object(other)) => {
            let shared = other.iter().filter_map(|(key, value)| Some((key, own.get(key)?, value)));
            let mut found = 0;
            for (key, own, value) in shared {
                found += 1;
                differ(own, value).map_err(|error| format!("{key}: {error}"))?;
            }
            let none = found == 0 && !other.is_empty();
            if none { Err(format!("no key in common: {ours} and {theirs}")) } else { Ok(()) }
        }
        (Value::Array(own), Value::Array(other)) if own.len() == other.len() => {
            let by_task = |rows: &[Value]| {
                let mut rows = rows.to_vec();
                rows.sort_by_key(|row| row.get("task_id").map(ToString::to_string));
                rows
            };
            by_task(own).iter().zip(by_task(other)).try_for_each(|(own, other)| differ(own, &other))
        }
        _ if ours == theirs => Ok(()),
        _ => Err(format!("{ours}, and {theirs} for Hermes")),
    }
}

/// Rows as text, each value with its type.
fn query(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare_cached(sql).unwrap();
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let cells = names.iter().enumerate().filter_map(|(at, name)| match row.get::<_, Sql>(at).unwrap() {
            Sql::Null => None,
            value => Some(format!("{name}={value:?}")),
        });
        Ok(cells.collect::<Vec<_>>().join(" "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn rows(connection: &Connection, table: &str) -> Vec<String> {
    query(connection, &format!("SELECT * FROM {table} ORDER BY rowid"))
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Draws operations and runs them, on one board after the other.
fn differential(hermes: Hermes) {
    let Some(python) = hermes.python() else { return };
    let maker = Hermes::V19.python();
    let total = usize::try_from(number("KANBANCTL_TEST_OPERATIONS", DEFAULT_OPERATIONS as u64)).unwrap();
    let seed = number("KANBANCTL_TEST_SEED", 20_261_201);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut draw = Draw {
        state: seed,
        tasks: Vec::new(),
        hermes,
        now: NOW,
        lock: format!("{host}:{}", std::process::id()),
        pid: std::process::id(),
    };
    let possible: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.since <= hermes && hermes <= operation.until)
        .collect();
    let weights: usize = possible.iter().map(|operation| operation.weight).sum();
    let mut done = 0;
    let mut board = 0;
    while done < total {
        // Every second board of a newer version was migrated from 0.19.0.
        let made_by = maker.as_deref().filter(|_| board % 2 == 1).unwrap_or(&python);
        let mut pair = Pair::made_by(made_by, &python);
        board += 1;
        for _ in 0..OPERATIONS_PER_BOARD.min(total - done) {
            done += 1;
            draw.now += 1;
            draw.tasks = tasks(&pair.our_rows);
            let mut at = draw.below(weights);
            let operation = possible
                .iter()
                .find(|operation| {
                    let found = at < operation.weight;
                    at = at.wrapping_sub(operation.weight);
                    found
                })
                .unwrap();
            let drawn = (operation.draw)(&mut draw);
            if let Err(error) = pair.run(&drawn, draw.now) {
                panic!(
                    "{hermes:?}, seed {seed}, board {board}, operation {done} ({}): {drawn:#?}\n{error}",
                    operation.name
                );
            }
        }
        if let Err(error) = pair.compare_json(draw.now) {
            panic!("{hermes:?}, seed {seed}, board {board}: {error}");
        }
        if let Err(error) = pair.reopen(&python) {
            panic!("{hermes:?}, seed {seed}, board {board}: {error}");
        }
    }
    eprintln!("{hermes:?}: {done} operations on {board} boards, no difference");
}

fn tasks(connection: &Connection) -> Vec<(String, String)> {
    let mut statement = connection.prepare_cached("SELECT id, status FROM tasks ORDER BY rowid").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

/// The run of a task that was completed with --force still names the worker, so Hermes' reaper finds and ends it.
#[test]
fn worker_of_a_task_that_was_completed_is_ended_by_the_reaper() {
    let Some(python) = Hermes::V22.python() else { return };
    let sandbox = Sandbox::new();
    let mut hermes = Theirs::start(&sandbox, &python);
    hermes.must("open");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut call = |function: &str, positional: Value, named: Value| {
        let ask = json!({ "do": function, "args": positional, "named": named, "now": now });
        hermes.ask(&ask).unwrap_or_else(|error| panic!("Hermes at {function}: {error}"))
    };
    let id = call("create_task", json!([]), json!({ "title": "x", "assignee": "default" }));
    let id = id.as_str().unwrap();
    call("claim_task", json!([id]), json!({}));
    let mut worker = std::process::Command::new("sleep").arg("120").spawn().unwrap();
    call("_set_worker_pid", json!([id, worker.id()]), json!({}));
    let sandbox = sandbox.with_real_clock();
    sandbox.run(&["complete", id, "--result", "r"]).exits(14).says("living worker");
    sandbox.run(&["complete", id, "--result", "r", "--force"]).success();
    assert!(worker.try_wait().unwrap().is_none());
    // The reaper waits out a grace period after the run has ended.
    let later = now + 3_600;
    let ask = json!({ "do": "reap_terminal_workers", "now": later });
    let reaped = std::thread::scope(|scope| {
        // A process that has ended stays until its parent, this test, has waited for it.
        scope.spawn(|| worker.wait().unwrap());
        hermes.ask(&ask).unwrap()
    });
    assert_eq!(reaped, json!([id]));
    assert!(worker.wait().unwrap().code().is_none(), "no signal ended it");
}

#[test]
fn operations_on_0_19_equal_hermes() {
    differential(Hermes::V19);
}

#[test]
fn operations_on_0_20_equal_hermes() {
    differential(Hermes::V20);
}

#[test]
fn operations_on_0_22_equal_hermes() {
    differential(Hermes::V22);
}
