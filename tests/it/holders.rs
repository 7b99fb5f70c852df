//! Who has the board open: found although its locks are lost, and left unharmed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rusqlite::Connection;

use crate::support::Sandbox;
use crate::support::process::Holder;
use crate::support::pty::Terminal;

/// A WAL board of one table, cleanly closed.
fn make(sandbox: &Sandbox) -> PathBuf {
    let path = sandbox.board();
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch("PRAGMA journal_mode=WAL; CREATE TABLE tasks(id); INSERT INTO tasks VALUES(0)")
        .unwrap();
    connection.close().unwrap();
    path
}

fn sidecar(board: &Path, suffix: &str) -> PathBuf {
    PathBuf::from(format!("{}{suffix}", board.display()))
}

/// Rows as another process sees them while the holder lives.
fn rows(board: &Path) -> i64 {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    Connection::open_with_flags(board, flags)
        .unwrap()
        .query_row("SELECT count(*) FROM tasks", [], |row| row.get(0))
        .unwrap()
}

/// Both refusals, then a commit of the holder's that everybody must see.
fn refused_and_unharmed(sandbox: &Sandbox, board: &Path, holder: &mut Holder) {
    let name = format!("process {}", holder.pid());
    let before = rows(board);
    for args in [&["journal-mode", "delete"][..], &["checkpoint", "--mode", "truncate"]] {
        sandbox.run(args).exits(12).says(&name).says("Nothing was changed");
    }
    sandbox.run(&["checkpoint"]).success();
    holder.execute("INSERT INTO tasks VALUES(9)");
    assert_eq!(rows(board), before + 1);
    let links: Vec<_> = std::fs::read_dir(format!("/proc/{}/fd", holder.pid()))
        .unwrap()
        .filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok())
        .filter(|link| link.to_string_lossy().contains("kanban.db"))
        .collect();
    assert!(links.iter().all(|link| !link.to_string_lossy().ends_with(" (deleted)")), "{links:?}");
}

#[test]
fn an_idle_holder_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_whose_database_locks_are_lost_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_whose_locks_are_all_lost_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    holder.lose_locks(&sidecar(&board, "-shm"));
    refused_and_unharmed(&sandbox, &board, &mut holder);
}

#[test]
fn a_holder_of_a_deleted_wal_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    holder.lose_locks(&board);
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(sidecar(&board, suffix)).unwrap();
    }
    let output = sandbox.run(&["journal-mode", "delete"]).exits(12);
    output.says(&format!("process {}", holder.pid())).says("deleted");
}

#[test]
fn a_holder_through_another_name_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(&board, &link).unwrap();
    let holder = Holder::on(&board);
    let output = sandbox.run(&["--db", link.to_str().unwrap(), "journal-mode", "delete"]).exits(12);
    output.says(&format!("process {}", holder.pid()));
}

/// Any program, fed nothing and killed when dropped.
struct Bystander(Child);

impl Bystander {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Waits until the process or a child of its own has `file` open or mapped.
    fn until_it_holds(self, file: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        let ino = format!(" {} ", file.metadata().unwrap().ino());
        for _ in 0..1000 {
            let maps = std::fs::read_to_string(format!("/proc/{}/maps", self.pid())).unwrap_or_default();
            if maps.contains(&ino) || !open_by_anyone(file).is_empty() {
                return self;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        panic!("{} is not held", file.display());
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Every other process that has a descriptor of `file`.
fn open_by_anyone(file: &Path) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter(|pid| {
            let links = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
            links.filter_map(|link| std::fs::read_link(link.path()).ok()).any(|link| link == file)
        })
        .collect()
}

/// Both verbs that need proof refuse and name `pid`.
fn refused(sandbox: &Sandbox, pid: u32) {
    for args in [&["journal-mode", "delete"][..], &["checkpoint", "--mode", "truncate"]] {
        sandbox.run(args).exits(12).says(&format!("process {pid}")).says("Nothing was changed");
    }
}

#[test]
fn a_holder_of_the_index_alone_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let shm = sidecar(&board, "-shm");
    std::fs::write(&shm, b"").unwrap();
    let holder = Bystander::start(Command::new("tail").arg("-f").arg(&shm)).until_it_holds(&shm);
    refused(&sandbox, holder.pid());
}

#[test]
fn a_holder_that_only_has_the_index_mapped_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    // A program runs from a map of its file, without a descriptor of it.
    let shm = sidecar(&board, "-shm");
    let cat = ["/usr/bin/cat", "/bin/cat"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    std::fs::copy(cat, &shm).unwrap();
    let holder = Bystander::start(&mut Command::new(&shm)).until_it_holds(&shm);
    assert_eq!(open_by_anyone(&shm), Vec::<u32>::new(), "the scene needs a map without a descriptor");
    refused(&sandbox, holder.pid());
}

#[test]
fn a_holder_under_a_hard_link_is_named_and_its_log_told_apart() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let link = sandbox.work().join("link.db");
    std::fs::hard_link(&board, &link).unwrap();
    let mut holder = Holder::on(&link);
    holder.execute("INSERT INTO tasks VALUES(1)");
    let output = sandbox.run(&["checkpoint", "--mode", "truncate"]).exits(12);
    output.says(&format!("process {}", holder.pid())).says("a log under another name");
    let said = sandbox.run(&["health", "--json"]).exits(4).data()["findings"].to_string();
    assert!(said.contains("link.db-wal") && said.contains("1 commit in"), "{said}");
}

#[test]
fn a_holder_of_a_board_that_was_renamed_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    let moved = sandbox.work().join("moved.db");
    std::fs::rename(&board, &moved).unwrap();
    let name = format!("process {}", holder.pid());
    sandbox.run(&["--db", moved.to_str().unwrap(), "journal-mode", "delete"]).exits(12).says(&name);
    // And at the old name, where the log has stayed and somebody has put another board.
    std::fs::copy(&moved, &board).unwrap();
    refused(&sandbox, holder.pid());
}

#[test]
fn a_holder_of_a_board_that_was_replaced_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut holder = Holder::on(&board);
    holder.execute("INSERT INTO tasks VALUES(1)");
    let other = sandbox.work().join("other.db");
    std::fs::copy(&board, &other).unwrap();
    for suffix in ["-wal", "-shm"] {
        std::fs::remove_file(sidecar(&board, suffix)).unwrap();
    }
    std::fs::rename(&other, &board).unwrap();
    refused(&sandbox, holder.pid());
    let data = sandbox.run(&["health", "--json"]).exits(4).data();
    assert!(data["findings"].to_string().contains("deleted or replaced"), "{data}");
}

#[test]
fn a_holder_in_a_pid_namespace_of_its_own_is_named() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let Some(mut container) = container(&["tail", "-f"]) else { return };
    let container = Bystander::start(container.arg(&board)).until_it_holds(&board);
    let holders = open_by_anyone(&board);
    assert_eq!(holders.len(), 1);
    refused(&sandbox, holders[0]);
    drop(container);
}

#[test]
fn inside_a_pid_namespace_nothing_is_proven() {
    let sandbox = Sandbox::new();
    make(&sandbox);
    let before = sandbox.photograph();
    let Some(container) = container(&[crate::support::sandbox::KANBANCTL]) else { return };
    let verb = |args: &[&str]| {
        let mut command = sandbox.program(container.get_program());
        command.args(container.get_args()).args(args);
        sandbox.finish(command, b"")
    };
    verb(&["journal-mode", "delete"]).exits(12).says("pid namespace").says("--assume-unused");
    assert_eq!(sandbox.photograph(), before);
    let said = verb(&["health", "--json"]).data()["findings"].to_string();
    assert!(said.contains("not every process could be seen"), "{said}");
    verb(&["journal-mode", "delete", "--assume-unused"]).success();
}

/// A command that runs `program` in a pid namespace of its own, as a container does; a loud line and nothing where that
/// is not allowed.
fn container(program: &[&str]) -> Option<Command> {
    let with = |program: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]).args(program);
        command
    };
    let works = with(&["true"]).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("!!!! SKIPPED: needs unshare(1) and the right to make a pid namespace");
    }
    works.then(|| with(program))
}

#[test]
fn processes_of_other_users_make_the_answer_unknown() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    if !rustix::process::geteuid().is_root() {
        // `journal::without_proof_nothing_is_changed` is this test for everybody else.
        return;
    }
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    for path in [sandbox.path().to_path_buf(), sandbox.path().join("home"), sandbox.root(), board.clone()] {
        open(&path);
    }
    let as_nobody = || {
        let mut command = sandbox.command(&["journal-mode", "delete"]);
        command.uid(65_534).gid(65_534);
        sandbox.finish(command, b"").exits(12)
    };
    let mut holder = Holder::on(&board);
    // The kernel tells everybody about locks, so this one is named although its files cannot be read.
    as_nobody().says(&format!("process {}", holder.pid()));
    holder.close();
    as_nobody().says("cannot be read").says("--assume-unused");
}

/// Opens the board in a second thread that has a table of descriptors of its own (`unshare(CLONE_FILES)`); the first thread
/// ends if it is told to, and leaves a zombie with a living thread.
const THREADED: &str = "
import ctypes, os, sys, threading, time
libc = ctypes.CDLL(None)
ready = threading.Event()
def work():
    if libc.unshare(0x400):
        os._exit(3)
    held = os.open(sys.argv[1], os.O_RDONLY)
    ready.set()
    while True:
        time.sleep(1)
threading.Thread(target=work).start()
ready.wait()
print('ready', flush=True)
if sys.argv[2] == 'leave':
    libc.pthread_exit(None)
time.sleep(60)
";

#[test]
fn a_thread_with_a_table_of_its_own_is_named() {
    use std::io::Read;
    let Some(python) = crate::support::hermes::python() else { return };
    for first_thread in ["stay", "leave"] {
        let sandbox = Sandbox::new();
        let board = make(&sandbox);
        let mut command = Command::new(&python);
        command.args(["-c", THREADED]).arg(&board).arg(first_thread).stdout(Stdio::piped());
        let mut holder = Bystander(command.spawn().unwrap());
        holder.0.stdout.as_mut().unwrap().read_exact(&mut [0; 5]).unwrap();
        if first_thread == "leave" {
            let status = format!("/proc/{}/status", holder.pid());
            while !std::fs::read_to_string(&status).unwrap().contains("zombie") {
                std::thread::yield_now();
            }
        }
        assert_eq!(open_by_anyone(&board), Vec::<u32>::new(), "the scene needs a table of the thread's own");
        refused(&sandbox, holder.pid());
    }
}

#[test]
fn who_is_waited_for_is_shown_on_a_terminal() {
    let sandbox = Sandbox::with_board();
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("BEGIN IMMEDIATE");
    let mut terminal = Terminal::start(&sandbox, &["create", "patience", "--timeout", "2m"], 200);
    terminal.expect(format!("process {}", holder.pid()).as_str());
    terminal.expect("is writing for at least 1 s");
    holder.execute("COMMIT");
    let (text, code) = terminal.finish();
    assert_eq!(code, 0, "{text:?}");
    assert_eq!(rows(&sandbox.board()), 1);
    // A lock file is waited for in the same words.
    let lock = std::fs::File::open(sidecar(&sandbox.board(), ".init.lock")).unwrap();
    lock.lock().unwrap();
    // Beside a holder the verb refuses at once.
    drop(holder);
    let mut terminal =
        Terminal::start(&sandbox, &["journal-mode", "delete", "--assume-unused", "--timeout", "2m"], 200);
    let (text, code) = {
        terminal.expect(format!("process {}", std::process::id()).as_str());
        terminal.expect("holds its lock file");
        drop(lock);
        terminal.finish()
    };
    assert_eq!(code, 0, "{text:?}");
    // Off a terminal nobody is told.
    let mut holder = Holder::on(&sandbox.board());
    holder.execute("BEGIN IMMEDIATE");
    let output = sandbox.run(&["create", "x", "--timeout", "1500ms"]).exits(11);
    assert!(!output.stderr.contains("Waiting"), "{output}");
}

#[test]
fn a_zombie_holds_nothing() {
    let sandbox = Sandbox::new();
    let board = make(&sandbox);
    let mut zombie = Command::new("true").spawn().unwrap();
    let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
    let pid = rustix::process::Pid::from_child(&zombie);
    rustix::process::waitid(rustix::process::WaitId::Pid(pid), options).unwrap();
    let found = kanbanctl::board::holders::look(&board, &board).unwrap();
    assert!(found.found.is_empty(), "{found:?}");
    zombie.wait().unwrap();
}
