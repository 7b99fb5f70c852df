//! Recovery of a large board against the `sqlite3` shell on the same work: `cargo bench --bench recover`.
//!
//! Two injuries of one board of 50,000 tasks (about 270 MB):
//!
//! - light, one page in five hundred zeroed: `recover --output` (verification included) against copying the *healthy*
//!   board (`VACUUM INTO`) and checking it (`PRAGMA integrity_check`), and against `.recover` piped into a new file and
//!   checking that;
//! - heavy, one page in fifty zeroed and page 1 gone: against the same pipe.
//!
//! Prints medians of whole processes run in turn, their ratios, the rows that came back (and how many of them are as they
//! were), and our peak memory (`VmHWM` in `/proc`, in a run of its own). The shell is `KANBANCTL_PEER_SQLITE3`, or
//! `sqlite3` on PATH. Debian's 3.40.1 has a `.recover` that fails; a shell that brings nothing back is passed over, loudly.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops loudly when it cannot measure"
)]

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/support/damage/mod.rs"]
mod damage;

const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");
const TASKS: usize = 50_000;
const PAGE: usize = damage::PAGE;
/// Rounds of what takes a second or two.
const ROUNDS: usize = 7;
/// Rounds with the pipe of `.recover`, which takes many.
const SLOW_ROUNDS: usize = 3;
/// Between two looks at a running process's memory.
const GLANCE: Duration = Duration::from_millis(2);

const REVIEWS: &str = "PRAGMA synchronous=OFF; INSERT INTO task_comments(task_id, author, body, created_at) \
    SELECT id, 'alice', printf('%0*d', 600 + 37 * rowid % 900, rowid), created_at + 400 FROM tasks";

fn main() {
    let shell = std::env::var_os("KANBANCTL_PEER_SQLITE3").unwrap_or_else(|| OsString::from("sqlite3"));
    let directory = tempfile::tempdir().unwrap();
    let scene = Scene { root: directory.path().to_path_buf(), shell };
    println!("peer: sqlite3 {}", scene.version());
    scene.make_boards();
    let can_recover = scene.peer_can_recover();
    if !can_recover {
        println!(
            "SKIPPED: this shell's .recover brings nothing back; name one that works in KANBANCTL_PEER_SQLITE3"
        );
    }

    scene.contest(
        "light, against VACUUM INTO of the healthy board + integrity_check",
        ROUNDS,
        "light.db",
        || scene.copy_and_check("healthy.db"),
    );
    for (what, board) in [("light", "light.db"), ("heavy", "heavy.db")] {
        if can_recover {
            let what = format!("{what}, against .recover | sqlite3 + integrity_check");
            scene.contest(&what, SLOW_ROUNDS, board, || scene.pipe_and_check(board));
        } else {
            scene.recover(board);
        }
        scene.say_what_came_back(what, can_recover);
        println!("{what}: peak memory {} KiB (VmHWM)", scene.peak_memory(board));
    }
}

/// A directory with the three boards and what is made of them.
struct Scene {
    root: PathBuf,
    shell: OsString,
}

impl Scene {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn version(&self) -> String {
        let output = Command::new(&self.shell).arg("--version").output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", self.shell.display()));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn make_boards(&self) {
        let healthy = self.path("healthy.db");
        damage::board(&healthy, TASKS, 7);
        // With a review on every task it has the size of the boards that were measured before.
        let connection = Connection::open(&healthy).unwrap();
        connection.execute_batch(REVIEWS).unwrap();
        connection.close().unwrap();
        let bytes = std::fs::read(&healthy).unwrap();
        println!(
            "board: {TASKS} tasks, {} rows, {} bytes in {} pages",
            rows(&healthy),
            bytes.len(),
            bytes.len() / PAGE
        );
        std::fs::write(self.path("light.db"), zeroed(&bytes, 500)).unwrap();
        let mut heavy = zeroed(&bytes, 50);
        heavy[..PAGE].fill(0);
        std::fs::write(self.path("heavy.db"), heavy).unwrap();
    }

    /// Tried on a small board, because a `.recover` that fails may do so with exit code 0.
    fn peer_can_recover(&self) -> bool {
        damage::board(&self.path("small.db"), 20, 1);
        self.pipe("small.db");
        rows(&self.path("theirs.db")) > 0
    }

    /// Runs ours and theirs in turn, so that both meet the same weather, and prints the medians.
    fn contest(&self, what: &str, rounds: usize, board: &str, theirs: impl Fn() -> Duration) {
        let (mut one, mut other): (Vec<_>, Vec<_>) =
            (0..rounds).map(|_| (self.recover(board), theirs())).unzip();
        one.sort_unstable();
        other.sort_unstable();
        let (ours, theirs) = (one[rounds / 2].as_secs_f64(), other[rounds / 2].as_secs_f64());
        println!("{what}: {ours:.3} s, sqlite3 {theirs:.3} s, ratio {:.2} ({rounds} rounds)", ours / theirs);
    }

    /// `kanbanctl recover --output`, verification included.
    fn recover(&self, board: &str) -> Duration {
        let mut command = self.recovery(board);
        self.timed(|| {
            let output = command.output().unwrap();
            let code = output.status.code();
            assert!(matches!(code, Some(0 | 5)), "{}", String::from_utf8_lossy(&output.stderr));
        })
    }

    fn recovery(&self, board: &str) -> Command {
        self.forget("ours.db");
        let mut command = Command::new(KANBANCTL);
        command
            .arg("--db")
            .arg(self.path(board))
            .args(["--json", "recover", "--output"])
            .arg(self.path("ours.db"));
        command.env("HERMES_KANBAN_HOME", &self.root).env_remove("HERMES_KANBAN_DB");
        command.stdin(Stdio::null());
        command
    }

    fn copy_and_check(&self, board: &str) -> Duration {
        self.forget("theirs.db");
        let copy = format!("VACUUM INTO '{}'", self.path("theirs.db").display());
        self.timed(|| {
            assert!(self.sqlite3(board, &copy).status().unwrap().success());
            self.check();
        })
    }

    fn pipe_and_check(&self, board: &str) -> Duration {
        self.pipe(board) + self.timed(|| self.check())
    }

    /// `sqlite3 COPY .recover | sqlite3 theirs.db`: of a copy, because the shell writes to the file that it opens.
    fn pipe(&self, board: &str) -> Duration {
        self.forget("theirs.db");
        std::fs::copy(self.path(board), self.path("copy.db")).unwrap();
        self.timed(|| {
            let mut reader = self.sqlite3("copy.db", ".recover").stdout(Stdio::piped()).spawn().unwrap();
            let mut writer = self.sqlite3("theirs.db", "");
            writer.stdin(reader.stdout.take().unwrap());
            writer.status().unwrap();
            reader.wait().unwrap();
        })
    }

    fn check(&self) {
        let output =
            self.sqlite3("theirs.db", "PRAGMA integrity_check").stdout(Stdio::piped()).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "ok");
    }

    fn sqlite3(&self, board: &str, sql: &str) -> Command {
        let mut command = Command::new(&self.shell);
        command.args(["-batch", "-init", "/dev/null"]).arg(self.path(board));
        if !sql.is_empty() {
            command.arg(sql);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn say_what_came_back(&self, what: &str, peer: bool) {
        let told = |name: &str| format!("{} ({} as they were)", rows(&self.path(name)), self.unchanged(name));
        let theirs = if peer { format!(", .recover {}", told("theirs.db")) } else { String::new() };
        println!("{what}: {} rows came back of {}{theirs}", told("ours.db"), rows(&self.path("healthy.db")));
    }

    /// How many rows of the board `name` the healthy board has, value for value: a cut text counts as a row, too.
    fn unchanged(&self, name: &str) -> i64 {
        let connection =
            Connection::open_with_flags(self.path(name), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let healthy = self.path("healthy.db");
        connection.execute("ATTACH ?1 AS healthy", [healthy.to_str().unwrap()]).unwrap();
        let count = |table: &str| {
            let sql = format!(
                "SELECT count(*) FROM (SELECT * FROM main.{table} INTERSECT SELECT * FROM healthy.{table})"
            );
            connection.query_row(&sql, [], |row| row.get::<_, i64>(0))
        };
        damage::TABLES.iter().map(|table| count(table).unwrap_or(0)).sum()
    }

    /// The highest resident size of one run, in KiB, as `/proc` had it last.
    fn peak_memory(&self, board: &str) -> u64 {
        let mut child = self.recovery(board).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = high_water(&status).unwrap_or(0).max(peak);
            std::thread::sleep(GLANCE);
        }
        peak
    }

    /// How long `work` takes, begun when earlier writes are on the disk.
    fn timed(&self, work: impl FnOnce()) -> Duration {
        rustix::fs::syncfs(File::open(&self.root).unwrap()).unwrap();
        let start = Instant::now();
        work();
        start.elapsed()
    }

    fn forget(&self, name: &str) {
        for suffix in ["", "-wal", "-shm", "-journal", ".partial.jsonl"] {
            // Most of them are not there.
            let _ = std::fs::remove_file(damage::beside(&self.path(name), suffix));
        }
    }
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// `bytes` with one page in `share` all zeros, never the first.
fn zeroed(bytes: &[u8], share: usize) -> Vec<u8> {
    let mut hurt = bytes.to_vec();
    let pages = hurt.len() / PAGE;
    let mut dice = damage::Dice::new(11);
    for _ in 0..pages / share {
        let page = 1 + dice.below(pages - 1);
        hurt[page * PAGE..(page + 1) * PAGE].fill(0);
    }
    hurt
}

/// How many rows Hermes' tables have.
fn rows(board: &Path) -> i64 {
    let connection = Connection::open_with_flags(board, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count = |table: &str| {
        connection
            .query_row(&format!("SELECT count(*) FROM {table} NOT INDEXED"), [], |row| row.get::<_, i64>(0))
    };
    damage::TABLES.iter().map(|table| count(table).unwrap_or(0)).sum()
}
