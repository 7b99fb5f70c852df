//! Task verbs against the `sqlite3` shell on the same work: `cargo bench --bench tasks`.
//!
//! Prints medians of whole processes and their ratios. The shell is `KANBANCTL_PEER_SQLITE3`, or `sqlite3` on PATH.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops loudly when it cannot measure"
)]

use std::ffi::OsString;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");
const ROUNDS: usize = 41;
const TASKS: usize = 1_000;
const BATCH: u32 = 40_000;

/// The query of `kanbanctl list`: the columns that it shows, in Hermes' order.
const LIST: &str = "SELECT id, status, priority, assignee, tenant, created_at, title FROM tasks WHERE status != 'archived' ORDER BY priority DESC, created_at ASC";

/// What `kanbanctl create` does on its connection: the pragmas of the pool, one transaction, one passive checkpoint.
const CREATE: &str = ".dbconfig no_ckpt_on_close on\n.dbconfig defensive on\nPRAGMA foreign_keys=ON; \
    PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=100; PRAGMA journal_size_limit=8388608; \
    PRAGMA cell_size_check=ON; PRAGMA trusted_schema=OFF; PRAGMA secure_delete=ON; PRAGMA mmap_size=0; \
    BEGIN IMMEDIATE; INSERT INTO tasks(id, title, status, created_by, created_at) \
    VALUES ('t_' || lower(hex(randomblob(4))), 'one more task', 'ready', 'user', unixepoch()) RETURNING id; \
    INSERT INTO task_events(task_id, kind, payload, created_at) SELECT id, 'created', \
    '{\"assignee\": null, \"status\": \"ready\", \"parents\": [], \"tenant\": null, \"branch_name\": null, \
    \"skills\": null, \"goal_mode\": null}', created_at FROM tasks WHERE rowid = last_insert_rowid(); COMMIT; \
    PRAGMA wal_checkpoint(PASSIVE);";

fn main() {
    let shell = std::env::var_os("KANBANCTL_PEER_SQLITE3").unwrap_or_else(|| OsString::from("sqlite3"));
    let directory = tempfile::tempdir().unwrap();
    let board = Board { root: directory.path().to_path_buf() };
    board.kanbanctl(&["init"], "");
    board.kanbanctl(&["create", "--from", "-"], &lines(u32::try_from(TASKS).unwrap()));

    let query = format!(".mode list\n.separator \"\\t\"\n{LIST};\n");
    let boxed = format!(".mode box\n{LIST};\n");
    let plain = Contest::run(
        "list, plain",
        || board.kanbanctl(&["list", "--format", "plain"], ""),
        || board.shell(&shell, &query),
    );
    let table = Contest::run(
        "list, table",
        || board.kanbanctl(&["list", "--format", "table"], ""),
        || board.shell(&shell, &query),
    );
    let drawn = Contest::run(
        "list, table against the shell's box mode",
        || board.kanbanctl(&["list", "--format", "table"], ""),
        || board.shell(&shell, &boxed),
    );
    let create = Contest::run(
        "create",
        || board.kanbanctl(&["create", "one more task"], ""),
        || board.shell(&shell, CREATE),
    );
    for contest in [plain, table, drawn, create] {
        println!("{contest}");
    }

    for (count, rounds) in [(1_000, ROUNDS), (50_000, 11)] {
        let fresh = tempfile::tempdir().unwrap();
        verbs(&Board { root: fresh.path().to_path_buf() }, &shell, count, rounds);
    }

    let input = lines(BATCH);
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let fresh = tempfile::tempdir().unwrap();
            let board = Board { root: fresh.path().to_path_buf() };
            board.kanbanctl(&["init"], "");
            f64::from(BATCH) / board.kanbanctl(&["create", "--from", "-"], &input).as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    println!("create --from: {:.0} tasks/s (median of 5 runs of {BATCH})", rates[2]);
}

/// Every verb that people wait for on a board of `count` tasks, against the shell with the same statements, and against
/// Hermes where `KANBANCTL_PEER_HERMES` names a Python that has it.
fn verbs(board: &Board, shell: &OsString, count: u32, rounds: usize) {
    board.kanbanctl(&["init"], "");
    board.kanbanctl(&["create", "--from", "-"], &lines(count));
    let ids = board.ids();
    let id = ids.first().unwrap().clone();
    let show = format!(
        "SELECT * FROM tasks WHERE id = '{id}'; SELECT parent_id FROM task_links WHERE child_id = '{id}'; \
         SELECT child_id FROM task_links WHERE parent_id = '{id}'; SELECT * FROM task_comments WHERE task_id = '{id}' \
         ORDER BY created_at; SELECT * FROM task_events WHERE task_id = '{id}' ORDER BY created_at, id; \
         SELECT * FROM task_runs WHERE task_id = '{id}' ORDER BY started_at, id;"
    );
    let search = "SELECT id, title FROM tasks WHERE title LIKE '%task 77%' OR body LIKE '%task 77%' OR result LIKE '%task 77%'; \
                  SELECT task_id, body FROM task_comments WHERE body LIKE '%task 77%'; \
                  SELECT task_id, summary FROM task_runs WHERE summary LIKE '%task 77%' OR error LIKE '%task 77%';";
    let ready = "SELECT id, status, priority, assignee, title FROM tasks WHERE status = 'ready' ORDER BY priority DESC, \
                 created_at ASC;";
    let write = |statements: &str| {
        let prelude = CREATE.split("BEGIN IMMEDIATE;").next().unwrap_or_default();
        format!("{prelude}BEGIN IMMEDIATE; {statements} COMMIT; PRAGMA wal_checkpoint(PASSIVE);")
    };
    let comment = write(&format!(
        "INSERT INTO task_comments(task_id, author, body, created_at) VALUES ('{id}', 'user', 'a remark', unixepoch()); \
         INSERT INTO task_events(task_id, kind, payload, created_at) VALUES ('{id}', 'commented', \
         '{{\"author\": \"user\", \"len\": 8}}', unixepoch());"
    ));
    let next = std::cell::Cell::new(1_usize);
    let fresh = || {
        next.set(next.get() + 1);
        ids.get(next.get()).unwrap().clone()
    };
    let complete = |id: &str| {
        write(&format!(
            "UPDATE tasks SET status = 'done', completed_at = unixepoch(), claim_lock = NULL, claim_expires = NULL, \
             worker_pid = NULL, block_kind = NULL, block_recurrences = 0, consecutive_failures = 0 WHERE id = '{id}'; \
             INSERT INTO task_events(task_id, kind, payload, created_at) VALUES ('{id}', 'completed', \
             '{{\"result_len\": 0, \"summary\": null}}', unixepoch()); \
             SELECT id FROM tasks WHERE status IN ('todo', 'blocked');"
        ))
    };
    let list = format!(".mode list\n.separator \"\\t\"\n{LIST};\n");
    let ours = |args: &[&str]| board.kanbanctl(args, "");
    for contest in [
        Contest::over(rounds, "list", || ours(&["list", "--format", "plain"]), || board.shell(shell, &list)),
        Contest::over(rounds, "show", || ours(&["show", &id]), || board.shell(shell, &show)),
        Contest::over(rounds, "search", || ours(&["search", "task 77"]), || board.shell(shell, search)),
        Contest::over(rounds, "ready", || ours(&["ready"]), || board.shell(shell, ready)),
        Contest::over(rounds, "create", || ours(&["create", "one more"]), || board.shell(shell, CREATE)),
        Contest::over(
            rounds,
            "comment",
            || ours(&["comment", &id, "a remark"]),
            || board.shell(shell, &comment),
        ),
        Contest::over(
            rounds,
            "complete",
            || ours(&["complete", &fresh()]),
            || board.shell(shell, &complete(&fresh())),
        ),
    ] {
        println!("{count} tasks, {contest}");
    }
    beside_hermes(board, count, &id, &fresh);
}

/// The same against Hermes, where there is one.
fn beside_hermes(board: &Board, count: u32, id: &str, fresh: &dyn Fn() -> String) {
    let ours = |args: &[&str]| board.kanbanctl(args, "");
    let Some(python) = std::env::var_os("KANBANCTL_PEER_HERMES") else {
        println!("!!!! SKIPPED: needs KANBANCTL_PEER_HERMES=<python with hermes-agent>");
        return;
    };
    let theirs = |args: &[&str]| board.hermes(&python, args);
    for contest in [
        Contest::over(3, "list", || ours(&["list", "--json"]), || theirs(&["list", "--json"])),
        Contest::over(3, "show", || ours(&["show", id]), || theirs(&["show", id])),
        Contest::over(3, "create", || ours(&["create", "one more"]), || theirs(&["create", "one more"])),
        Contest::over(3, "comment", || ours(&["comment", id, "x"]), || theirs(&["comment", id, "x"])),
        Contest::over(3, "complete", || ours(&["complete", &fresh()]), || theirs(&["complete", &fresh()])),
    ] {
        println!("{count} tasks, Hermes in the place of sqlite3, {contest}");
    }
}

/// `count` tasks as JSON lines, some with a body and an assignee.
fn lines(count: u32) -> String {
    let mut text = String::new();
    for number in 0..count {
        let title = format!("Task {number}: look into the queue of the gateway");
        let line = match number % 3 {
            0 => serde_json::json!({ "title": title }),
            1 => serde_json::json!({ "title": title, "assignee": "coder", "priority": number % 7 }),
            _ => {
                serde_json::json!({ "title": title, "body": "What was seen, and what to try first. ".repeat(4) })
            }
        };
        writeln!(text, "{line}").unwrap();
    }
    text
}

/// A Hermes root in a directory of its own.
struct Board {
    root: PathBuf,
}

impl Board {
    fn kanbanctl(&self, args: &[&str], input: &str) -> Duration {
        let mut command = Command::new(KANBANCTL);
        command.args(args).env("HERMES_KANBAN_HOME", &self.root).env_remove("HERMES_KANBAN_DB");
        timed(command, input, &self.root)
    }

    /// The ids of every task.
    fn ids(&self) -> Vec<String> {
        self.kanbanctl(&["list", "--columns", "id", "--format", "plain"], "");
        let listed = std::fs::read_to_string(self.root.join("output")).unwrap();
        listed.lines().map(str::to_owned).collect()
    }

    fn hermes(&self, python: &OsString, args: &[&str]) -> Duration {
        let mut command = Command::new(python);
        command.args(["-m", "hermes_cli.main", "kanban"]).args(args);
        command.env("HERMES_KANBAN_HOME", &self.root).env("HERMES_HOME", &self.root);
        timed(command, "", &self.root)
    }

    fn shell(&self, shell: &OsString, script: &str) -> Duration {
        let mut command = Command::new(shell);
        command.args(["-batch", "-bail", "-init", "/dev/null"]).arg(self.root.join("kanban.db"));
        timed(command, script, &self.root)
    }
}

/// One process from its start to its end, its output in a file.
fn timed(mut command: Command, input: &str, root: &Path) -> Duration {
    let script = root.join("input");
    std::fs::write(&script, input).unwrap();
    command.stdin(std::fs::File::open(&script).unwrap()).stderr(Stdio::piped());
    command.stdout(std::fs::File::create(root.join("output")).unwrap());
    let start = Instant::now();
    let output =
        command.output().unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
    let took = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

/// Two ways of the same work, run in turn so that both meet the same weather.
struct Contest {
    what: &'static str,
    ours: Duration,
    theirs: Duration,
}

impl Contest {
    fn run(what: &'static str, ours: impl Fn() -> Duration, theirs: impl Fn() -> Duration) -> Self {
        Self::over(ROUNDS, what, ours, theirs)
    }

    fn over(
        rounds: usize,
        what: &'static str,
        ours: impl Fn() -> Duration,
        theirs: impl Fn() -> Duration,
    ) -> Self {
        let (mut one, mut other): (Vec<_>, Vec<_>) = (0..rounds).map(|_| (ours(), theirs())).unzip();
        one.sort_unstable();
        other.sort_unstable();
        Self { what, ours: one[rounds / 2], theirs: other[rounds / 2] }
    }
}

impl std::fmt::Display for Contest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ratio = self.ours.as_secs_f64() / self.theirs.as_secs_f64();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let (ours, theirs) = (milliseconds(self.ours), milliseconds(self.theirs));
        write!(f, "{}: {ours:.2} ms, sqlite3 {theirs:.2} ms, ratio {ratio:.2}", self.what)
    }
}
