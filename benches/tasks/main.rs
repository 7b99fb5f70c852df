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
        let (mut one, mut other): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (ours(), theirs())).unzip();
        one.sort_unstable();
        other.sort_unstable();
        Self { what, ours: one[ROUNDS / 2], theirs: other[ROUNDS / 2] }
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
