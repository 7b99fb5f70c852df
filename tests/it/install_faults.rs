//! Killed, out of space and failing disks at every changing system call of an install: the board is the old one or the
//! new one, whole, for whoever opens it next; the next run ends well and leaves nothing behind.
//!
//! Needs `KANBANCTL_TEST_TRACES=1` and `KANBANCTL_TEST_SLOW=1`. Between two calls that change something no state differs, so
//! it is killed at the calls that only read, and they are failed, with `KANBANCTL_TEST_EVERY_POINT=1` only.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::damage::{self, Shape, beside};
use crate::support::sandbox::{KANBANCTL, Output};
use crate::support::{Sandbox, strace, sweep};

/// What changes files, names, sizes, owners or locks.
const CHANGING: [&str; 15] = [
    "write",
    "pwrite64",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "rename",
    "renameat2",
    "mkdir",
    "fcntl",
    "flock",
    "fchown",
    "fchmod",
    "utimensat",
];
/// What looks, and changes nothing but what is open.
const READING: [&str; 7] = ["openat", "close", "read", "pread64", "statx", "newfstatat", "getdents64"];
/// What can fail for want of space or with the disk.
const FAILING: [&str; 10] = [
    "write",
    "pwrite64",
    "copy_file_range",
    "fsync",
    "fdatasync",
    "ftruncate",
    "unlink",
    "rename",
    "renameat2",
    "mkdir",
];

/// What SQLite makes of the board, on a copy: every row, or what it says instead.
type State = Result<Vec<String>, String>;

fn state(board: &Path) -> State {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("kanban.db");
    for suffix in ["", "-wal", "-journal"] {
        if beside(board, suffix).exists() {
            std::fs::copy(beside(board, suffix), beside(&copy, suffix)).unwrap();
        }
    }
    read(&copy).map_err(|error| error.to_string())
}

fn read(board: &Path) -> rusqlite::Result<Vec<String>> {
    let connection = Connection::open(board)?;
    let mut all = vec![connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?];
    for table in damage::TABLES {
        let mut statement = connection.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
        let width = statement.column_count();
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let cells: Vec<_> = (0..width).map(|at| format!("{:?}", row.get_ref(at))).collect();
            all.push(format!("{table}: {}", cells.join(" ")));
        }
    }
    Ok(all)
}

/// A sound board with a log is left alone; one whose file lacks a page that the log has not is none.
fn spoil_an_index(good: &Path, board: &Path) {
    let root: i64 = Connection::open(good)
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_master WHERE name = 'idx_runs_task'", [], |row| row.get(0))
        .unwrap();
    let (root, mut bytes) = (usize::try_from(root).unwrap(), std::fs::read(board).unwrap());
    bytes[(root - 1) * damage::PAGE..root * damage::PAGE].fill(0);
    std::fs::write(board, bytes).unwrap();
}

/// Everything in a folder, and in the folders in it.
fn copy_all(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().unwrap().is_dir() {
            copy_all(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// One board and one command, begun anew for every fault.
struct Scene {
    origin: PathBuf,
    sandbox: Sandbox,
    args: Vec<String>,
    old: State,
    new: State,
}

impl Scene {
    fn new(shape: Shape, args: &[&str]) -> Self {
        let sandbox = Sandbox::new();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 8, 5);
        let origin = sandbox.work().join("origin");
        std::fs::create_dir(&origin).unwrap();
        damage::injure(shape, 5, &good, &origin.join("kanban.db"));
        if shape == Shape::WalPending {
            spoil_an_index(&good, &origin.join("kanban.db"));
        }
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        let scene =
            Self { origin, sandbox, args, old: Err(String::new()), new: Err(String::new()) }.settled();
        assert!(scene.new.as_ref().is_ok_and(|rows| rows[0] == "ok"), "{:?}", scene.new);
        scene
    }

    /// A board that was recovered from one of `shape` and has gone on since, and the command that takes that back.
    fn undoing(shape: Shape) -> Self {
        let mut scene = Self::new(shape, &["recover", "--yes", "--assume-unused"]);
        scene.begin();
        scene.ends_well(&scene.again());
        let connection = Connection::open(scene.sandbox.board()).unwrap();
        connection
            .execute_batch("PRAGMA wal_autocheckpoint=0; UPDATE tasks SET title = 'written since'")
            .unwrap();
        let origin = scene.sandbox.work().join("recovered");
        copy_all(&scene.sandbox.root(), &origin);
        drop(connection);
        scene.origin = origin;
        scene.args = ["recover", "--undo", "--yes", "--assume-unused"].map(str::to_owned).to_vec();
        let scene = scene.settled();
        assert!(scene.old != scene.new, "an undo that changes nothing tells nothing");
        scene
    }

    /// With what the board is before and after the command.
    fn settled(mut self) -> Self {
        self.begin();
        self.old = state(&self.sandbox.board());
        self.ends_well(&self.again());
        self.new = state(&self.sandbox.board());
        self
    }

    /// The board as it was at first, and nothing else.
    fn begin(&self) {
        std::fs::remove_dir_all(self.sandbox.root()).unwrap();
        copy_all(&self.origin, &self.sandbox.root());
    }

    fn again(&self) -> Output {
        self.sandbox.run(&self.args)
    }

    /// Whether every evidence folder says how its work ended.
    fn is_closed(&self) -> bool {
        let entries = std::fs::read_dir(self.sandbox.root()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).all(|path| path.join("outcome.json").exists())
    }

    fn ends_well(&self, output: &Output) {
        assert!([0, 5].contains(&output.code()), "{output}");
        for entry in std::fs::read_dir(self.sandbox.root()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(!name.contains(".kanbanctl-"), "{name} was left behind\n{output}");
            assert!(!name.ends_with("-journal"), "{name} was left beside the board\n{output}");
            let finished = !name.contains(".evidence.") || path.join("outcome.json").exists();
            assert!(finished, "{name} was not closed\n{output}");
        }
    }

    /// Runs the command with `fault` at the `nth` call of `name`; nothing when there are fewer.
    fn faulted(&self, name: &str, fault: &str, nth: usize) -> Option<Output> {
        self.begin();
        let log = self.sandbox.path().join("tmp/strace.log");
        let mut command = self.sandbox.program("strace");
        command
            .args(["-f", "-qq", "-e", &format!("trace={name}")])
            .args(["-e", &format!("inject={name}:{fault}:when={nth}"), "-o"])
            .arg(&log)
            .arg(KANBANCTL)
            .args(&self.args);
        let output = self.sandbox.finish(command, b"");
        let log = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
        (log.contains("(INJECTED)") || log.contains("killed by SIGKILL")).then_some(output)
    }

    /// Killed at every call that changes something, or at every call there is.
    fn killed(&self) -> usize {
        let reading = if sweep::every_point() { &READING[..] } else { &[] };
        self.sweep(&[&CHANGING, reading].concat(), "signal=KILL")
    }

    /// Every call of every name in turn; how many there were.
    fn sweep(&self, names: &[&str], fault: &str) -> usize {
        let mut points = 0;
        for name in names {
            for nth in 1.. {
                let Some(output) = self.faulted(name, fault, nth) else { break };
                points += 1;
                let at = format!("{fault} at {name} {nth}\n{output}");
                assert_ne!(output.code(), 101, "{at}");
                let now = state(&self.sandbox.board());
                assert!(now == self.old || now == self.new, "neither the old board nor the new one: {at}");
                let claims = fault.starts_with("error") && [0, 5].contains(&output.code());
                assert!(!claims || now == self.new, "called installed and is not: {at}");
                if now == self.new && self.is_closed() {
                    // Told that it is done: once more would take an undo back.
                    continue;
                }
                self.ends_well(&self.again());
                assert!(state(&self.sandbox.board()) == self.new, "not the new board after {at}");
            }
        }
        eprintln!("{} of {:?}: {points} points", fault, self.args);
        points
    }
}

fn wanted() -> bool {
    let slow = std::env::var_os("KANBANCTL_TEST_SLOW").is_some();
    if !slow {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_SLOW=1");
    }
    slow && strace::wanted()
}

/// Through a rollback journal: no log lies beside the board.
#[test]
fn killed_at_every_change_of_an_install_through_a_journal() {
    if wanted() {
        assert!(Scene::new(Shape::ZeroPages, &["recover", "--yes", "--assume-unused"]).killed() > 100);
    }
}

/// Through the log that lies beside the board.
#[test]
fn killed_at_every_change_of_an_install_through_a_log() {
    if wanted() {
        assert!(Scene::new(Shape::WalPending, &["recover", "--yes", "--assume-unused"]).killed() > 100);
    }
}

#[test]
fn no_space_at_every_write_of_an_install() {
    if wanted() {
        for shape in [Shape::ZeroPages, Shape::WalPending] {
            assert!(
                Scene::new(shape, &["recover", "--yes", "--assume-unused"]).sweep(&FAILING, "error=ENOSPC")
                    > 50
            );
        }
    }
}

#[test]
fn a_failing_disk_at_every_write_of_an_install() {
    if wanted() {
        for shape in [Shape::ZeroPages, Shape::WalPending] {
            assert!(
                Scene::new(shape, &["recover", "--yes", "--assume-unused"]).sweep(&FAILING, "error=EIO") > 50
            );
        }
    }
}

#[test]
fn a_repair_is_whole_or_has_not_begun() {
    if wanted() {
        let scene = Scene::new(Shape::IndexDrift, &["repair", "--assume-unused"]);
        assert!(scene.killed() > 20);
        assert!(scene.sweep(&FAILING, "error=ENOSPC") > 20);
    }
}

/// What goes back is a file with a log, over a file with a log: nobody may find one of them with the other's predecessor.
#[test]
fn killed_at_every_change_of_an_undo() {
    if wanted() {
        for shape in [Shape::WalPending, Shape::ZeroPages] {
            assert!(Scene::undoing(shape).killed() > 40);
        }
    }
}

#[test]
fn no_space_at_every_write_of_an_undo() {
    if wanted() {
        assert!(Scene::undoing(Shape::WalPending).sweep(&FAILING, "error=ENOSPC") > 20);
    }
}
