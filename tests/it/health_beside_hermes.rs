//! Boards that Hermes is writing to: health, quick and full, never calls them damaged.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::support::sandbox::Sandbox;

/// Writes until it is killed; each mode has another way to leave the log in motion.
const WRITER: &str = r#"
import random, sys
from hermes_cli import kanban_db as kb
try:
    from hermes_cli.kanban_db_connect import connect
except ImportError:
    connect = kb.connect
mode, conn = sys.argv[1], connect()
print("ready", flush=True)
while True:
    for _ in range(random.randint(1, 6)):
        task = kb.create_task(conn, title="t" * random.randint(1, 60), body="b" * random.randint(1, 9000))
        kb.add_comment(conn, task, "alice", "c" * random.randint(1, 4000))
        kb.complete_task(conn, task, result="done")
    if random.random() < 0.3:
        conn.execute("PRAGMA wal_checkpoint(%s)" % random.choice(["PASSIVE", "FULL", "RESTART", "TRUNCATE"])).fetchall()
    if mode == "reopens":
        conn.close()
        conn = connect()
"#;

/// The Pythons that have a Hermes, by the variable that names each.
fn pythons() -> Vec<PathBuf> {
    let names = ["KANBANCTL_TEST_HERMES", "KANBANCTL_TEST_HERMES_0_20", "KANBANCTL_TEST_HERMES_0_22"];
    names.into_iter().filter_map(std::env::var_os).map(PathBuf::from).collect()
}

/// One Hermes at work on the sandbox's board; killed when dropped.
struct Writer(Child);

impl Writer {
    fn on(sandbox: &Sandbox, python: &Path, mode: &str) -> Option<Self> {
        let mut command: Command = sandbox.program(python);
        let mut child = command
            .env("HERMES_HOME", sandbox.root())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env_remove("KANBANCTL_NOW")
            .args(["-c", WRITER, mode])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        // Hermes refuses to open a board when its own checks meet another process in the middle of a write.
        let writer = Self(child);
        (ready == "ready\n").then_some(writer)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the runs on one board came to: how many there were, how many could not look, and what each alarm said.
#[derive(Default)]
struct Runs {
    all: usize,
    unchecked: usize,
    alarms: Vec<String>,
}

fn watch(python: &Path, mode: &'static str, time: Duration) -> Runs {
    let sandbox = Sandbox::new().with_real_clock();
    sandbox.run(&["init"]).success();
    let stop = AtomicBool::new(false);
    let lives = AtomicUsize::new(0);
    let mut runs = Runs::default();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let Some(mut writer) = Writer::on(&sandbox, python, mode) else { continue };
                lives.fetch_add(1, Ordering::Relaxed);
                let born = Instant::now();
                let life = Duration::from_millis(if mode == "killed" { 700 } else { 600_000 });
                while born.elapsed() < life && !stop.load(Ordering::Relaxed) {
                    if writer.0.try_wait().unwrap().is_some() {
                        break;
                    }
                    std::thread::sleep(Duration::from_millis(7));
                }
            }
        });
        let patience = Instant::now() + Duration::from_mins(1);
        while lives.load(Ordering::Relaxed) == 0 && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(7));
        }
        let until = Instant::now() + time;
        while Instant::now() < until {
            let depth = if runs.all.is_multiple_of(4) { "full" } else { "quick" };
            let output = sandbox.run(&["health", "--json", "--depth", depth]);
            runs.all += 1;
            match output.code() {
                0 | 3 => {}
                6 => runs.unchecked += 1,
                _ => runs.alarms.push(output.to_string()),
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(lives.load(Ordering::Relaxed) > 0);
    let output = sandbox.run(&["health", "--json", "--depth", "full"]);
    assert!([0, 3].contains(&output.code()), "the board is damaged at rest: {output}");
    let tasks = output.data()["counts"]["tasks"].as_u64().unwrap();
    assert!(tasks > 0, "the writer wrote nothing: {output}");
    runs
}

/// `KANBANCTL_TEST_HEALTH_SECONDS` says how long each writer is watched.
#[test]
fn boards_that_hermes_writes_to_are_never_called_damaged() {
    if std::env::var_os("KANBANCTL_TEST_SLOW").is_none() || pythons().is_empty() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_SLOW=1 and KANBANCTL_TEST_HERMES=<python with Hermes>");
        return;
    }
    let seconds = std::env::var("KANBANCTL_TEST_HEALTH_SECONDS").ok().and_then(|text| text.parse().ok());
    let time = Duration::from_secs(seconds.unwrap_or(5));
    let mut alarms = Vec::new();
    let (mut all, mut unchecked) = (0, 0);
    for python in pythons() {
        for mode in ["keeps", "reopens", "killed"] {
            let runs = watch(&python, mode, time);
            all += runs.all;
            unchecked += runs.unchecked;
            alarms.extend(runs.alarms);
        }
    }
    eprintln!("{all} runs of health beside writers, {unchecked} unchecked, {} alarms", alarms.len());
    assert!(alarms.is_empty(), "{} of {all} runs: {}", alarms.len(), alarms[0]);
    assert!(unchecked * 50 <= all, "{unchecked} of {all} runs could not look");
}

/// A gateway opens the board for moments only: the dispatcher's lock names it.
#[test]
fn gateway_whose_sqlite_can_break_the_board_is_warned_of() {
    let Some(python) = std::env::var_os("KANBANCTL_TEST_HERMES").map(PathBuf::from) else {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_HERMES=<python with that version of hermes-agent>");
        return;
    };
    let sandbox = Sandbox::with_board().with_real_clock();
    let asked = "import sqlite3; print(int(sqlite3.sqlite_version_info < (3, 44, 6)))";
    let mut command = sandbox.program(&python);
    command.args(["-c", asked]);
    if sandbox.finish(command, b"").success().stdout != "1\n" {
        eprintln!("!!!! SKIPPED: the SQLite of that Python has no WAL-reset bug");
        return;
    }
    let journal = sandbox.run(&["journal-mode", "--json"]).success().data();
    assert_eq!(journal["after"], "wal");
    let mut gateway = sandbox.program(python.with_file_name("hermes"));
    gateway.args(["gateway", "run"]).env("HERMES_HOME", sandbox.root()).env("PYTHONDONTWRITEBYTECODE", "1");
    gateway.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let gateway = Writer(gateway.spawn().unwrap());
    let pid = gateway.0.id();
    // Ten seconds is what an operator has; a crowded machine needs longer to start a gateway.
    let end = Instant::now() + Duration::from_secs(90);
    let warned = loop {
        let looked = sandbox.run(&["health"]);
        if looked.stdout.contains(&format!("pid {pid} uses SQLite 3.")) {
            break looked;
        }
        assert!(Instant::now() < end, "{looked}");
        std::thread::sleep(Duration::from_millis(200));
    };
    let warned = warned.exits(3);
    assert!(
        warned.stdout.contains("old-sqlite") && warned.stdout.contains("hermes gateway stop"),
        "{warned}"
    );
}
