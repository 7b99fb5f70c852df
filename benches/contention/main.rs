//! `kanbanctl stress` against plain prepared statements from as many processes: `cargo bench --bench contention`.
//!
//! The peer is this program, started again: one rusqlite connection with the same pragmas, statements prepared once,
//! SQLite's own busy timeout, the same round of create, show, complete and list, the same rows, one line to the parent
//! for each. Prints operations per second of both and their ratio; above 1 the verb is faster. Both run in turn.
//! `KANBANCTL_BENCH_SECONDS` sets how long each turn takes, `KANBANCTL_BENCH_PROCESSES` for how many (`1,8,24`).
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops loudly when it cannot measure"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");
const PEER: &str = "KANBANCTL_BENCH_PEER";
const TURNS: usize = 5;

/// The statements of a round, in its order.
const CREATE: &str = "INSERT INTO tasks (id, title, body, assignee, status, priority, created_by, created_at, \
    workspace_kind, workspace_path, branch_name, tenant, idempotency_key, max_runtime_seconds, skills, max_retries, \
    goal_mode, goal_max_turns, session_id) VALUES (?1, ?2, NULL, NULL, 'ready', 0, NULL, ?3, 'scratch', NULL, NULL, \
    NULL, NULL, NULL, NULL, NULL, 0, NULL, NULL)";
const EVENT: &str =
    "INSERT INTO task_events (task_id, run_id, kind, payload, created_at) VALUES (?1, ?2, ?3, ?4, ?5)";
const SHOW: &str = "SELECT * FROM tasks WHERE id = ?1";
const STATUS: &str = "SELECT status, goal_mode, current_run_id FROM tasks WHERE id = ?1";
const COMPLETE: &str = "UPDATE tasks SET status = 'done', completed_at = ?1, claim_lock = NULL, claim_expires = NULL, \
    result = ?3, worker_pid = NULL, block_kind = NULL, block_recurrences = 0, consecutive_failures = 0, \
    last_failure_error = NULL WHERE id = ?2";
const RUN: &str = "INSERT INTO task_runs (task_id, profile, step_key, status, outcome, summary, started_at, ended_at) \
    SELECT id, assignee, current_step_key, 'completed', 'completed', ?2, ?3, ?3 FROM tasks WHERE id = ?1";
const WAITING: &str = "SELECT id, status, consecutive_failures, max_retries FROM tasks \
    WHERE status IN ('todo', 'blocked') ORDER BY status, rowid";
const LIST: &str = "SELECT id, status, priority, title FROM tasks WHERE status = 'ready' \
    ORDER BY priority DESC, created_at ASC LIMIT 50";

fn main() {
    if let Some(seconds) = std::env::var_os(PEER) {
        let board = std::env::args_os().nth(1).unwrap();
        peer(Path::new(&board), seconds.to_str().unwrap().parse().unwrap());
        return;
    }
    let number = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let seconds: u64 = number("KANBANCTL_BENCH_SECONDS", "4").parse().unwrap();
    for processes in number("KANBANCTL_BENCH_PROCESSES", "1,8,24").split(',') {
        let processes: usize = processes.parse().unwrap();
        let mut turns: Vec<(f64, f64)> =
            (0..TURNS).map(|_| (ours(processes, seconds), theirs(processes, seconds))).collect();
        turns.sort_by(|one, other| (one.0 / one.1).total_cmp(&(other.0 / other.1)));
        let (ours, theirs) = turns[TURNS / 2];
        let spread: Vec<String> =
            turns.iter().map(|(ours, theirs)| format!("{:.2}", ours / theirs)).collect();
        println!(
            "{processes} processes: stress {ours:.0} operations/s, prepared statements {theirs:.0}, ratio {:.2} ({})",
            ours / theirs,
            spread.join(" ")
        );
    }
}

/// Operations per second of `stress` in a fresh directory.
fn ours(processes: usize, seconds: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(KANBANCTL)
        .args(["stress", "--json", "--processes", &processes.to_string(), "--seconds", &seconds.to_string()])
        .arg("--dir")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    report["data"]["operations_per_second"].as_f64().unwrap()
}

/// The same of as many peers.
fn theirs(processes: usize, seconds: u64) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let board = folder.path().join("kanban.db");
    let made = Command::new(KANBANCTL).arg("init").arg("--db").arg(&board).stderr(Stdio::null()).status();
    assert!(made.unwrap().success());
    let begun = Instant::now();
    let peers: Vec<_> = (0..processes)
        .map(|_| {
            let mut peer = Command::new(std::env::current_exe().unwrap())
                .arg(&board)
                .env(PEER, seconds.to_string())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let lines = BufReader::new(peer.stdout.take().unwrap()).lines();
            (peer, std::thread::spawn(move || lines.map_while(Result::ok).count()))
        })
        .collect();
    let operations: usize = peers
        .into_iter()
        .map(|(mut peer, lines)| {
            assert!(peer.wait().unwrap().success());
            lines.join().unwrap()
        })
        .sum();
    f64::from(u32::try_from(operations).unwrap()) / begun.elapsed().as_secs_f64()
}

/// One peer: rounds until its time is over.
fn peer(board: &Path, seconds: u64) {
    let until = Instant::now() + Duration::from_secs(seconds);
    let connection = Connection::open(board).unwrap();
    connection.busy_timeout(Duration::from_secs(30)).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    connection
        .execute_batch(
            "PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;
             PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=100;
             PRAGMA journal_size_limit=8388608;",
        )
        .unwrap();
    let mut number = 0_u32;
    while Instant::now() < until {
        number += 1;
        round(&connection, &format!("t_{:08x}", (std::process::id() << 16) ^ number)).unwrap();
    }
}

fn round(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    let mut stdout = std::io::stdout().lock();
    let mut tell = |what: &str| writeln!(stdout, "{what} {id}").and_then(|()| stdout.flush()).unwrap();
    let now = 1_780_000_000_i64;
    let payload = "{\"assignee\": null, \"status\": \"ready\", \"parents\": [], \"tenant\": null, \
                   \"branch_name\": null, \"skills\": null, \"goal_mode\": null}";
    let txn = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    txn.prepare_cached(CREATE)?.execute(params![
        id,
        format!("Load of process {}", std::process::id()),
        now
    ])?;
    txn.prepare_cached(EVENT)?.execute(params![id, None::<i64>, "created", payload, now])?;
    txn.commit()?;
    tell("create");
    let read = |sql: &str, parameters: &[&dyn rusqlite::ToSql]| -> rusqlite::Result<usize> {
        let mut statement = connection.prepare_cached(sql)?;
        let width = statement.column_count();
        let rows = statement.query_map(parameters, |row| {
            (0..width)
                .map(|at| row.get::<_, rusqlite::types::Value>(at))
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        Ok(rows.collect::<rusqlite::Result<Vec<_>>>()?.len())
    };
    assert_eq!(read(SHOW, &[&id])?, 1);
    tell("show");
    let txn = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    read(STATUS, &[&id])?;
    txn.prepare_cached(COMPLETE)?.execute(params![now, id, "done under load"])?;
    txn.prepare_cached(RUN)?.execute(params![id, "done under load", now])?;
    let run = txn.last_insert_rowid();
    let payload = "{\"result_len\": 15, \"summary\": \"done under load\"}";
    txn.prepare_cached(EVENT)?.execute(params![id, run, "completed", payload, now])?;
    read(WAITING, &[])?;
    txn.commit()?;
    tell("complete");
    read(LIST, &[])?;
    tell("list");
    Ok(())
}
