//! The machine says no: no room, nothing may be written, few descriptors, short files, a clock that jumps. The board
//! stays sound, what was acknowledged is there, and the exit status says which it was.
//!
//! Mounts need `KANBANCTL_TEST_MOUNTS=1` and root; another user needs root and setpriv.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rusqlite::Connection;

use crate::support::Sandbox;
use crate::support::sandbox::{KANBANCTL, NOW, Output};

/// Integrity, and a row for each acknowledged id.
fn check(board: &Path, ids: &[String]) {
    let connection = Connection::open(board).unwrap();
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    for id in ids {
        let there: i64 =
            connection.query_row("SELECT count(*) FROM tasks WHERE id = ?1", [id], |row| row.get(0)).unwrap();
        assert_eq!(there, 1, "{id} was acknowledged");
    }
}

/// A failure has a code that is none of a crash, and a message that is no panic.
#[track_caller]
fn is_an_answer(output: &Output) {
    assert!(!output.stderr.contains("panicked"), "{output}");
    assert!(output.code() < 100, "{output}");
    // What health finds is data, and goes to stdout.
    let said = !output.stderr.trim().is_empty() || !output.stdout.trim().is_empty();
    assert!(output.code() == 0 || said, "{output}");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A mount over a sandbox's Hermes root, gone when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `mount ARGS ROOT`, where mounts are wanted.
    fn over(sandbox: &Sandbox, args: &[&str]) -> Option<Self> {
        if std::env::var_os("KANBANCTL_TEST_MOUNTS").is_none() || !is_root() {
            eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1 and root");
            return None;
        }
        let root = sandbox.root();
        assert!(Command::new("mount").args(args).arg(&root).status().unwrap().success(), "mount {args:?}");
        Some(Self(root))
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_refused_and_loses_nothing() {
    let sandbox = Sandbox::new();
    let Some(_mount) = Mount::over(&sandbox, &["-t", "tmpfs", "-o", "size=1m", "tmpfs"]) else { return };
    sandbox.run(&["init"]).success();
    let body = "x".repeat(20_000);
    let mut ids = Vec::new();
    let full = loop {
        let output = sandbox.run(&["create", "fills the disk", "--body", &body]);
        if output.code() != 0 {
            break output;
        }
        ids.push(output.line().to_owned());
        assert!(ids.len() < 100, "the disk does not fill up");
    };
    full.exits(12).says("the disk is full; nothing was written").says("df");
    assert!(ids.len() > 3);
    for verb in [
        &["complete", ids[0].as_str()][..],
        &["checkpoint"],
        &["checkpoint", "--mode", "truncate", "--assume-unused"],
        &["journal-mode", "delete", "--assume-unused"],
        &["backup"],
        &["recover", "--output", "../rescued.db"],
        &["stress", "--seconds", "1"],
        &["list"],
        &["health"],
    ] {
        let mut command = sandbox.command(verb);
        command.current_dir(sandbox.root());
        let output = sandbox.finish(command, b"");
        is_an_answer(&output);
        assert!(matches!(output.code(), 0 | 3 | 12), "{verb:?}\n{output}");
        check(&sandbox.board(), &ids);
    }
    let left: Vec<_> = std::fs::read_dir(sandbox.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // With room again everything goes on.
    let grown = Command::new("mount").args(["-o", "remount,size=8m"]).arg(sandbox.root()).status().unwrap();
    assert!(grown.success());
    ids.push(sandbox.run(&["create", "room again"]).success().line().to_owned());
    check(&sandbox.board(), &ids);
}

/// The task is on the board when its id finds no room: whoever ran it again would have it twice.
#[test]
fn an_output_file_without_room_is_told_behind_the_commit() {
    let sandbox = Sandbox::new();
    let Some(_mount) = Mount::over(&sandbox, &["-t", "tmpfs", "-o", "size=4k", "tmpfs"]) else { return };
    let (board, out) = (sandbox.work().join("kanban.db"), sandbox.root().join("out"));
    std::fs::write(sandbox.root().join("filler"), [0; 4096]).unwrap();
    let [board, out] = [&board, &out].map(|path| path.to_str().unwrap());
    sandbox.run(&["--db", board, "init"]).success();
    let created =
        sandbox.run(&["--db", board, "create", "x", "-o", out]).exits(1).says("is on the board, but");
    assert!(!created.stderr.contains("again"), "{created}");
    let listed = sandbox.run(&["--db", board, "list"]).success();
    let id = listed.line().split('\t').next().unwrap();
    assert!(created.stderr.contains(id), "{created}");
    let completed = sandbox.run(&["--db", board, "complete", id, "-o", out]).exits(1);
    completed.says("1 task is completed, but");
}

/// No room from the start: no half a board, and the directory as it was.
#[test]
fn a_full_disk_gets_no_board() {
    let sandbox = Sandbox::new();
    let Some(_mount) = Mount::over(&sandbox, &["-t", "tmpfs", "-o", "size=16k", "tmpfs"]) else { return };
    std::fs::write(sandbox.root().join("filler"), [0; 16_384]).unwrap();
    sandbox.run(&["init"]).exits(12).says("full");
    let names = std::fs::read_dir(sandbox.root()).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| Path::new(name).extension().is_none()).collect();
    assert_eq!(names, ["filler"]);
}

#[test]
fn a_read_only_mount_is_read_and_refused() {
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", "there"]).success().line().to_owned();
    let root = sandbox.root();
    let Some(_mount) = Mount::over(&sandbox, &["--bind", root.to_str().unwrap()]) else { return };
    let locked = Command::new("mount").args(["-o", "remount,bind,ro"]).arg(&root).status().unwrap();
    assert!(locked.success());
    let before = sandbox.photograph();
    for verb in [
        &["create", "no"][..],
        &["complete", &id],
        &["checkpoint"],
        &["journal-mode", "delete", "--assume-unused"],
        &["repair", "--assume-unused"],
        &["stress", "--seconds", "1", "--dir", root.to_str().unwrap()],
    ] {
        let output = sandbox.run(verb);
        is_an_answer(&output);
        // A sound board needs no repair, and a checkpointed one no checkpoint.
        let nothing_to_do = matches!(verb.first(), Some(&("repair" | "checkpoint")));
        assert!(output.code() == 12 || nothing_to_do && output.code() == 0, "{verb:?}\n{output}");
    }
    for verb in [&["list"][..], &["show", &id], &["stats"], &["health"], &["journal-mode"]] {
        let output = sandbox.run(verb);
        assert!(matches!(output.code(), 0 | 3), "{verb:?}\n{output}");
    }
    assert!(sandbox.run(&["list"]).stdout.contains(&id));
    assert_eq!(sandbox.photograph(), before);
}

/// As nobody, in a directory of root's.
#[test]
fn a_directory_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    if !is_root() || Command::new("setpriv").arg("true").stderr(Stdio::null()).status().is_err() {
        eprintln!("!!!! SKIPPED: needs root and setpriv");
        return;
    }
    let sandbox = Sandbox::with_board();
    let id = sandbox.run(&["create", "there"]).success().line().to_owned();
    let mode = |path: &Path, bits| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(bits)).unwrap();
    };
    for path in [sandbox.path(), &sandbox.path().join("home"), &sandbox.root(), &sandbox.work()] {
        mode(path, 0o755);
    }
    mode(&sandbox.path().join("tmp"), 0o1777);
    // Somewhere that another user may run it from.
    let program = sandbox.path().join("kanbanctl");
    std::fs::copy(KANBANCTL, &program).unwrap();
    let as_nobody = |verb: &[&str]| {
        let mut command = sandbox.program("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&program).args(verb);
        sandbox.finish(command, b"")
    };
    for suffix in ["", "-wal", "-shm"] {
        mode(&PathBuf::from(format!("{}{suffix}", sandbox.board().display())), 0o644);
    }
    let before = sandbox.photograph();
    for verb in [
        &["create", "no"][..],
        &["complete", &id],
        &["journal-mode", "delete", "--assume-unused"],
        &["stress", "--seconds", "1", "--dir", sandbox.root().to_str().unwrap()],
        &["backup", sandbox.root().to_str().unwrap()],
        &["recover", "--output", "rescued.db"],
    ] {
        let output = as_nobody(verb);
        is_an_answer(&output);
        assert_eq!(output.code(), 12, "{verb:?}\n{output}");
    }
    let listed = as_nobody(&["list"]).success();
    assert!(listed.stdout.contains(&id), "{listed}");
    mode(&sandbox.board(), 0o600);
    for verb in [&["list"][..], &["create", "no"], &["recover", "--dry-run"]] {
        let output = as_nobody(verb);
        is_an_answer(&output);
        assert!(output.code() != 0, "{verb:?}\n{output}");
        assert!(output.stderr.contains("owner"), "nothing is said to be done: {verb:?}\n{output}");
    }
    mode(&sandbox.board(), 0o644);
    mode(&sandbox.root(), 0o700);
    for verb in [&["list"][..], &["create", "no"], &["init"], &["health"]] {
        let output = as_nobody(verb);
        is_an_answer(&output);
        assert!(matches!(output.code(), 6 | 12), "{verb:?}\n{output}");
    }
    assert_eq!(sandbox.photograph(), before);
}

/// The verbs that are tried under limits of the process.
const VERBS: [&[&str]; 9] = [
    &["create", "one more"],
    &["list"],
    &["health", "--depth", "full"],
    &["checkpoint"],
    &["journal-mode", "delete", "--assume-unused"],
    &["journal-mode", "wal", "--assume-unused"],
    &["backup", "saved"],
    &["recover", "--output", "rescued.db"],
    &["stress", "--processes", "1", "--seconds", "1"],
];

fn limited(sandbox: &Sandbox, limit: &str, verb: &[&str]) -> Output {
    let mut command = sandbox.program("prlimit");
    command.arg(limit).arg(KANBANCTL).args(verb);
    sandbox.finish(command, b"")
}

fn has_prlimit() -> bool {
    let has = Command::new("prlimit").arg("--version").stdout(Stdio::null()).status().is_ok();
    if !has {
        eprintln!("!!!! SKIPPED: needs prlimit");
    }
    has
}

#[test]
fn files_that_may_not_grow_lose_nothing() {
    if !has_prlimit() {
        return;
    }
    for bytes in [0, 4_096, 40_000, 90_000] {
        let sandbox = Sandbox::with_board();
        let mut ids = vec![sandbox.run(&["create", "before"]).success().line().to_owned()];
        for verb in VERBS {
            let output = limited(&sandbox, &format!("--fsize={bytes}"), verb);
            is_an_answer(&output);
            if verb.first() == Some(&"create") && output.code() == 0 {
                ids.push(output.line().to_owned());
            }
            check(&sandbox.board(), &ids);
        }
    }
}

#[test]
fn few_descriptors_lose_nothing() {
    if !has_prlimit() {
        return;
    }
    let sandbox = Sandbox::with_board();
    let mut ids = vec![sandbox.run(&["create", "before"]).success().line().to_owned()];
    for descriptors in 4..14 {
        for verb in VERBS {
            let output = limited(&sandbox, &format!("--nofile={descriptors}"), verb);
            if output.stderr.contains("error while loading shared libraries") {
                continue;
            }
            is_an_answer(&output);
            if verb.first() == Some(&"create") && output.code() == 0 {
                ids.push(output.line().to_owned());
            }
            check(&sandbox.board(), &ids);
        }
    }
    assert!(ids.len() > 1, "no number of descriptors was enough");
}

#[test]
fn a_clock_that_jumps_loses_nothing() {
    let sandbox = Sandbox::with_board();
    let mut ids = Vec::new();
    let moments = [NOW, NOW - 86_400 * 365, NOW + 86_400 * 365 * 30, 0, -1, i64::MIN, i64::MAX, NOW];
    for moment in moments {
        let run = |verb: &[&str]| {
            let mut command = sandbox.command(verb);
            command.env("KANBANCTL_NOW", moment.to_string());
            let output = sandbox.finish(command, b"");
            is_an_answer(&output);
            output
        };
        let id = run(&["create", "at some time"]).success().line().to_owned();
        run(&["complete", &id, "--result", "done"]).success();
        run(&["show", &id]).success();
        ids.push(id);
        for verb in [&["list"][..], &["list", "--json"], &["stats"], &["list", "--format", "table"]] {
            run(verb).success();
        }
        for verb in [&["health"][..], &["backup", "saved"], &["recover", "--dry-run"], &["backups", "list"]] {
            run(verb);
        }
        check(&sandbox.board(), &ids);
    }
    let listed = sandbox.run(&["list", "--status", "done"]).success();
    assert_eq!(listed.stdout.lines().count(), moments.len());
}
