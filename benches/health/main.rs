//! `health` and `list` against the `sqlite3` shell on the same board: `cargo bench --bench health`.
//!
//! Prints medians of whole processes and their ratios: quick and full health against `quick_check` and `integrity_check`, many
//! boards against a loop of the shell, `list` against `-json`. The shell is `KANBANCTL_PEER_SQLITE3`, or `sqlite3` on PATH.
//! `KANBANCTL_BENCH_TASKS` and `KANBANCTL_BENCH_BOARDS` give other sizes than 200,000 tasks and 2,000 boards.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops loudly when it cannot measure"
)]

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");
const ROUNDS: usize = 5;

fn main() {
    let shell = std::env::var_os("KANBANCTL_PEER_SQLITE3").unwrap_or_else(|| OsString::from("sqlite3"));
    let size =
        |name: &str, usual: u32| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual);
    one_board(&shell, size("KANBANCTL_BENCH_TASKS", 200_000));
    many_boards(&shell, size("KANBANCTL_BENCH_BOARDS", 2_000));
}

fn one_board(shell: &OsString, tasks: u32) {
    let root = tempfile::tempdir().unwrap();
    let board = root.path().join("kanban.db");
    run(ours(root.path(), &["init"]));
    fill(&board, tasks);
    println!("{tasks} tasks, {} MB", std::fs::metadata(&board).unwrap().len() / 1_000_000);
    let select = "SELECT * FROM tasks WHERE status != 'archived' ORDER BY priority DESC, created_at ASC";
    for (what, verb, sql) in [
        ("health --depth quick", &["health", "--depth", "quick"][..], "PRAGMA quick_check"),
        ("health --depth full", &["health", "--depth", "full"], "PRAGMA integrity_check"),
        ("list --format jsonl", &["list", "--format", "jsonl"], select),
        ("list --json", &["list", "--json"], select),
    ] {
        let theirs = || {
            let mut command = Command::new(shell);
            command.arg("-json").arg(&board).arg(sql);
            run(command)
        };
        contest(what, || run(ours(root.path(), verb)), theirs);
    }
}

fn many_boards(shell: &OsString, count: u32) {
    let root = tempfile::tempdir().unwrap();
    run(ours(root.path(), &["init"]));
    fill(&root.path().join("kanban.db"), 20);
    let boards = root.path().join("kanban/boards");
    for number in 1..count {
        let folder = boards.join(format!("b{number}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(root.path().join("kanban.db"), folder.join("kanban.db")).unwrap();
    }
    let script = "for board in \"$1\"/kanban.db \"$1\"/kanban/boards/*/kanban.db; do \
                  \"$2\" \"$board\" 'PRAGMA quick_check' || exit 1; done";
    let theirs = || {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).arg(root.path()).arg(shell);
        run(command)
    };
    let what = format!("--all-boards health over {count} boards");
    contest(&what, || run(ours(root.path(), &["--all-boards", "health"])), theirs);
}

fn ours(root: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(KANBANCTL);
    command.args(args).env("HERMES_KANBAN_HOME", root).env_remove("HERMES_KANBAN_DB");
    command
}

/// One process from its start to its end.
fn run(mut command: Command) -> Duration {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let output = command.output().unwrap();
    let took = start.elapsed();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    took
}

/// Tasks with bodies, each with its events, as `create` and `complete` leave them.
fn fill(board: &Path, tasks: u32) {
    let connection = Connection::open(board).unwrap();
    let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)";
    for insert in [
        "INSERT INTO tasks(id, title, body, assignee, status, priority, created_by, created_at, completed_at) \
         SELECT printf('t_%08x', i), 'Task ' || i || ': look into the queue', printf('%.*c', 850, 'x'), 'coder', \
         CASE i % 2 WHEN 0 THEN 'done' ELSE 'ready' END, i % 7, 'user', i, CASE i % 2 WHEN 0 THEN i END FROM n",
        "INSERT INTO task_events(task_id, kind, payload, created_at) \
         SELECT printf('t_%08x', i), 'created', '{\"assignee\": \"coder\"}', i FROM n",
        "INSERT INTO task_events(task_id, kind, payload, created_at) \
         SELECT printf('t_%08x', i), 'completed', '{\"result_len\": 0}', i FROM n WHERE i % 2 = 0",
    ] {
        connection.execute(&format!("{numbers} {insert}"), [tasks]).unwrap();
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// Two ways of the same work in turn, so that both meet the same load.
fn contest(what: &str, ours: impl Fn() -> Duration, theirs: impl Fn() -> Duration) {
    let (mut one, mut other): (Vec<_>, Vec<_>) = (0..ROUNDS).map(|_| (ours(), theirs())).unzip();
    one.sort_unstable();
    other.sort_unstable();
    let milliseconds = |times: &[Duration]| times[times.len() / 2].as_secs_f64() * 1000.0;
    let (ours, theirs) = (milliseconds(&one), milliseconds(&other));
    println!("{what}: {ours:.1} ms, sqlite3 {theirs:.1} ms, ratio {:.2}", ours / theirs);
}
