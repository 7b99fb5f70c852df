//! Many processes on one board at the same time, a Hermes among them (`KANBANCTL_TEST_SLOW=1`, and
//! `KANBANCTL_TEST_HERMES`): nothing lost, nothing refused that should not be, nobody starved.
//!
//! At most one Hermes writes: two stock ones corrupt a board by themselves (docs/board-format.md, 9.1).

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::support::Sandbox;
use crate::support::hermes::{self, Hermes};
use crate::support::process::Holder;
use crate::support::sandbox::Output;

/// Writers of ours at the same time.
const WRITERS: usize = 23;
/// How long the crowd works.
const LENGTH: Duration = Duration::from_secs(20);

fn wanted() -> bool {
    let wanted = std::env::var_os("KANBANCTL_TEST_SLOW").is_some();
    if !wanted {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_SLOW=1");
    }
    wanted
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Everything that was acknowledged is there, and SQLite finds nothing wrong.
fn check(board: &Path, created: &[String], done: &[String]) {
    let connection = Connection::open(board).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut statement = connection.prepare("SELECT id, status FROM tasks").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    let tasks: BTreeMap<String, String> = rows.unwrap().map(Result::unwrap).collect();
    let lost: Vec<&String> = created.iter().filter(|id| !tasks.contains_key(*id)).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    let undone: Vec<&String> = done.iter().filter(|id| tasks[*id] != "done").collect();
    assert!(undone.is_empty(), "completions lost: {undone:?}");
    let folder = std::fs::read_dir(board.parent().unwrap()).unwrap();
    let copies: Vec<_> = folder
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".corrupt."))
        .collect();
    assert!(copies.is_empty(), "{copies:?}");
}

/// What a writer did: ids created, ids completed, and the longest that one command took.
type Work = (Vec<String>, Vec<String>, Duration);

/// Short processes, one after the other, as a script would.
fn write(sandbox: &Sandbox, until: Instant) -> Work {
    let (mut created, mut done, mut longest) = (Vec::new(), Vec::new(), Duration::ZERO);
    let mut timed = |args: &[&str]| -> Output {
        let begun = Instant::now();
        let output = sandbox.run(args);
        longest = longest.max(begun.elapsed());
        output
    };
    while Instant::now() < until {
        let id = timed(&["create", "out of the crowd"]).success().line().to_owned();
        timed(&["complete", &id, "--result", "done"]).success();
        created.push(id.clone());
        done.push(id);
    }
    (created, done, longest)
}

/// Checkpoints of every kind, and changes of the journal mode that must be refused while anybody is there.
fn disturb(sandbox: &Sandbox, until: Instant) -> BTreeMap<String, usize> {
    let verbs: [(&[&str], &[i32]); 6] = [
        (&["checkpoint"], &[0]),
        // Whoever waits for all the others may go away without.
        (&["checkpoint", "--mode", "full", "--timeout", "1s"], &[0, 11]),
        (&["checkpoint", "--mode", "restart", "--timeout", "1s"], &[0, 11]),
        (&["journal-mode", "delete", "--timeout", "1s"], &[11, 12]),
        (&["checkpoint", "--mode", "truncate", "--timeout", "1s"], &[11, 12]),
        (&["health"], &[0, 3]),
    ];
    let mut codes = BTreeMap::new();
    for (verb, allowed) in verbs.iter().cycle() {
        if Instant::now() >= until {
            break;
        }
        let output = sandbox.run(verb);
        assert!(allowed.contains(&output.code()), "{verb:?}\n{output}");
        *codes.entry(format!("{}: {}", verb.join(" "), output.code())).or_default() += 1;
    }
    codes
}

/// A reader that holds its snapshot for a while and sees nothing change in it.
fn hold_snapshots(board: &Path, until: Instant) -> usize {
    let mut holder = Holder::on(board);
    let mut held = 0;
    while Instant::now() < until {
        holder.execute("BEGIN");
        let before = holder.query("SELECT count(*) FROM tasks");
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(holder.query("SELECT count(*) FROM tasks"), before, "a snapshot changed");
        holder.execute("COMMIT");
        held += 1;
    }
    held
}

#[test]
fn twenty_four_writers_a_hermes_among_them() {
    if !wanted() {
        return;
    }
    let Some(python) = hermes::python() else { return };
    let sandbox = Sandbox::with_board().with_real_clock();
    let mut hermes = Hermes::on(&sandbox, &python);
    let until = Instant::now() + LENGTH;
    let (ours, theirs, codes, held) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(|| write(&sandbox, until))).collect();
        let disturber = scope.spawn(|| disturb(&sandbox, until));
        let board = sandbox.board();
        let reader = scope.spawn(move || hold_snapshots(&board, until));
        let mut theirs = Vec::new();
        while Instant::now() < until {
            theirs.extend(hermes.create_among_others("by Hermes"));
        }
        let ours: Vec<Work> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        (ours, theirs, disturber.join().unwrap(), reader.join().unwrap())
    });
    assert!(hermes.unlinked().is_empty(), "{:?}", hermes.unlinked());
    hermes.close();
    let shares: Vec<usize> = ours.iter().map(|(created, ..)| created.len()).collect();
    let longest = ours.iter().map(|(.., longest)| *longest).max().unwrap();
    eprintln!(
        "{} tasks created and completed by {WRITERS} processes at a time, {} to {} each, the longest command {} ms; \
         {} created by Hermes; {held} snapshots held; {codes:?}",
        shares.iter().sum::<usize>(),
        shares.iter().min().unwrap(),
        shares.iter().max().unwrap(),
        longest.as_millis(),
        theirs.len(),
    );
    assert!(shares.iter().all(|share| *share > 0), "a writer starved: {shares:?}");
    assert!(!theirs.is_empty() && held > 0);
    let mut created: Vec<String> = ours.iter().flat_map(|(created, ..)| created.clone()).collect();
    let done: Vec<String> = ours.into_iter().flat_map(|(_, done, _)| done).collect();
    created.extend(theirs);
    check(&sandbox.board(), &created, &done);
}

#[test]
fn stress_beside_a_hermes_loses_nothing_of_either() {
    if !wanted() {
        return;
    }
    let Some(python) = hermes::python() else { return };
    let seconds = std::env::var("KANBANCTL_TEST_STRESS_SECONDS").unwrap_or_else(|_| "15".to_owned());
    let sandbox = Sandbox::new().with_real_clock();
    let args = ["stress", "--processes", "24", "--seconds", &seconds, "--keep", "--json"];
    let mut command = sandbox.command(&args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let board = PathBuf::from(line.trim_end().strip_prefix("Scratch board: ").unwrap());
    let over = AtomicBool::new(false);
    let (theirs, report) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut hermes = Hermes::in_root(&sandbox, &python, board.parent().unwrap());
            let mut ids = Vec::new();
            while !over.load(Ordering::Relaxed) {
                ids.extend(hermes.create_among_others("by Hermes"));
            }
            assert!(hermes.unlinked().is_empty(), "{:?}", hermes.unlinked());
            hermes.close();
            ids
        });
        let mut report = String::new();
        child.stdout.take().unwrap().read_to_string(&mut report).unwrap();
        over.store(true, Ordering::Relaxed);
        (writer.join().unwrap(), report)
    });
    let status = child.wait().unwrap();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    assert!(status.success(), "{report}{said}");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    eprintln!("beside {} tasks by Hermes: {}", theirs.len(), report["data"]);
    assert_eq!((&report["data"]["lost"], &report["data"]["errors"]), (&0.into(), &0.into()));
    assert!(theirs.len() > 3);
    check(&board, &theirs, &[]);
    let connection = Connection::open(&board).unwrap();
    let done = report["data"]["latency_us"]["complete"]["count"].as_i64().unwrap();
    assert_eq!(count(&connection, "SELECT count(*) FROM tasks WHERE status = 'done'"), done);
}

/// Waiting ends with --timeout, however many wait.
#[test]
fn waiting_is_bounded_for_everybody_in_a_crowd() {
    let sandbox = Sandbox::with_board();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("BEGIN IMMEDIATE");
    let longest = std::thread::scope(|scope| {
        let waiters: Vec<_> = (0..12)
            .map(|_| {
                scope.spawn(|| {
                    let begun = Instant::now();
                    sandbox.run(&["create", "x", "--timeout", "1s"]).exits(11).says("within 1 s");
                    begun.elapsed()
                })
            })
            .collect();
        waiters.into_iter().map(|waiter| waiter.join().unwrap()).max().unwrap()
    });
    assert!(longest < Duration::from_secs(20), "{longest:?}");
    holder.execute("ROLLBACK");
    sandbox.run(&["create", "x"]).success();
}
