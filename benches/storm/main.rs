//! A storm of copies (tests/incidents.md F02, F03): `cargo bench --bench storm`.
//!
//! 10,000 `.corrupt.*.bak` files of about 224 KB with 200 distinct contents, each a later state of one damaged board:
//!
//! - `backups list` against `sha256sum` over the same files on two cores (`xargs -P2`);
//! - `recover --dry-run`, `recover --output` and `backups prune -n` of the lot: seconds and peak memory (`VmHWM` in
//!   `/proc`).
//!
//! With `KANBANCTL_BENCH_DISTINCT=1` every copy has a content of its own, as in a real storm.
//!
//! Prints medians of whole processes run in turn with everything in the page cache.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints its figures and stops loudly when it cannot measure"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::Connection;

#[allow(dead_code, unused_imports, reason = "the tests use more of it")]
#[path = "../../tests/it/support/damage/mod.rs"]
mod damage;

const KANBANCTL: &str = env!("CARGO_BIN_EXE_kanbanctl");
const COPIES: u32 = 10_000;
const CONTENTS: u32 = 200;
const TASKS: usize = 33;
const ROUNDS: usize = 5;
/// Between two looks at a running process's memory.
const GLANCE: Duration = Duration::from_millis(2);

/// What happens on the board between two copies.
const STEP: &str = "INSERT INTO task_events(task_id, kind, payload, created_at) \
    SELECT id, 'heartbeat', '{\"note\": \"still there\"}', created_at + ?1 FROM tasks ORDER BY rowid LIMIT 1 OFFSET ?1 % 30";

fn main() {
    let directory = tempfile::tempdir().unwrap();
    let distinct = std::env::var_os("KANBANCTL_BENCH_DISTINCT").is_some();
    let contents = if distinct { COPIES } else { CONTENTS };
    let scene = Scene { root: directory.path().to_path_buf(), contents };
    scene.make();

    let (mut one, mut other): (Vec<_>, Vec<_>) =
        (0..ROUNDS).map(|_| (scene.run(&["backups", "list"]).0, scene.sha256sum())).unzip();
    one.sort_unstable();
    other.sort_unstable();
    let (ours, theirs) = (one[ROUNDS / 2].as_secs_f64(), other[ROUNDS / 2].as_secs_f64());
    println!("backups list: {ours:.3} s, sha256sum {theirs:.3} s, ratio {:.2}", ours / theirs);

    let output = scene.root.join("new.db");
    let output = output.to_str().unwrap();
    for args in [
        &["backups", "list"][..],
        &["recover", "--dry-run"],
        &["recover", "--output", output],
        &["backups", "prune", "-n", "--keep", "1"],
    ] {
        let (took, peak) = scene.run(args);
        println!("{}: {:.2} s, peak memory {peak} KiB (VmHWM)", args[..2].join(" "), took.as_secs_f64());
    }
}

/// A Hermes root whose board stands in a storm.
struct Scene {
    root: PathBuf,
    contents: u32,
}

impl Scene {
    fn make(&self) {
        let board = self.root.join("kanban.db");
        damage::board(&board, TASKS, 7);
        let connection = Connection::open(&board).unwrap();
        connection.execute_batch("PRAGMA journal_mode=DELETE; PRAGMA synchronous=OFF").unwrap();
        let mut bytes = 0;
        let equal = COPIES / self.contents;
        for content in 0..self.contents {
            if content % 10 == 0 || self.contents == CONTENTS {
                connection.execute(STEP, [content]).unwrap();
            }
            // Most writes of a real storm change pages and no row.
            connection.pragma_update(None, "user_version", content).unwrap();
            let mut copy = std::fs::read(&board).unwrap();
            let pages = copy.len() / damage::PAGE;
            let hurt = damage::PAGE * (pages / 2);
            copy[hurt..hurt + damage::PAGE].fill(0);
            for number in 0..equal {
                let second = content * equal + number;
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                let name = format!(".corrupt.20260501_{hour:02}{minute:02}{second:02}.bak");
                std::fs::write(damage::beside(&board, &name), &copy).unwrap();
                bytes += copy.len();
            }
        }
        println!("storm: {COPIES} copies, {} contents, {bytes} bytes", self.contents);
    }

    /// One run of `kanbanctl`: how long it took and the highest resident size in KiB.
    fn run(&self, args: &[&str]) -> (Duration, u64) {
        let mut command = Command::new(KANBANCTL);
        command.args(args).arg("--json").env("HERMES_KANBAN_HOME", &self.root).env_remove("HERMES_KANBAN_DB");
        command.stdin(Stdio::null()).stdout(self.sink()).stderr(Stdio::null());
        let start = Instant::now();
        let mut child = command.spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        let ended = loop {
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            peak = high_water(&status).unwrap_or(0).max(peak);
            std::thread::sleep(GLANCE);
        };
        assert!(matches!(ended.code(), Some(0 | 5)), "{args:?}: {ended}");
        (start.elapsed(), peak)
    }

    /// The same files hashed by coreutils on two cores.
    fn sha256sum(&self) -> Duration {
        let script = "find . -name '*.bak' -print0 | xargs -0 -P2 -n250 sha256sum";
        let mut command = Command::new("sh");
        command.args(["-c", script]).current_dir(&self.root).stdout(self.sink());
        let start = Instant::now();
        assert!(command.status().unwrap().success());
        start.elapsed()
    }

    fn sink(&self) -> std::fs::File {
        std::fs::File::create(Path::new(&self.root).join("output")).unwrap()
    }
}

fn high_water(status: &str) -> Option<u64> {
    let text = std::fs::read_to_string(status).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}
