//! INT, TERM and HUP at any moment: rolled back, nothing left, and the status is the signal's.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use crate::support::Sandbox;
use crate::support::rows::{change, count};
use crate::support::sandbox::{KANBANCTL, Output};
use crate::support::sweep::{self, Fault, Scene};

#[test]
fn a_signal_ends_the_wait_for_input_and_for_hermes_locks() {
    let sandbox = Sandbox::with_board();
    let lock = std::fs::File::open(format!("{}.init.lock", sandbox.board().display())).unwrap();
    lock.lock().unwrap();
    for args in [&["create", "--from", "-"][..], &["journal-mode", "delete"]] {
        let mut command = sandbox.command(args);
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(400));
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        // Its input stays open: only the signal can end it.
        let input = child.stdin.take();
        let status = child.wait().unwrap();
        drop(input);
        let code = std::os::unix::process::ExitStatusExt::signal(&status);
        // Without the right to see every process, the change is refused before it waits.
        assert!(code == Some(15) || status.code() == Some(12), "{args:?}: {status}");
    }
    let mode = sandbox.run(&["journal-mode", "--json"]).success().data();
    assert_eq!(mode["after"], "wal");
}

/// `nohup` and a shell's background jobs start processes that are to ignore a signal.
#[test]
fn a_signal_that_is_to_be_ignored_is_ignored() {
    let sandbox = Sandbox::with_board();
    let mut command = sandbox.program("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" create --from -", KANBANCTL]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"{\"title\":\"kept\"}\n").unwrap();
    std::thread::sleep(Duration::from_millis(400));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    assert!(output.stdout.starts_with(b"t_"));
}

/// A board of three tasks, whose last commits wait in the WAL.
fn board(sandbox: &Sandbox) {
    sandbox.run(&["init"]).success();
    sandbox.run_with(&["create", "--from", "-"], "{\"title\":\"one\"}\n{\"title\":\"two\"}\n").success();
    change(
        sandbox,
        "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA wal_autocheckpoint=0;
         INSERT INTO tasks(id, title, status, created_at) VALUES ('t_00000001', 'three', 'ready', 1)",
    );
}

/// Three tasks, and what was printed is whole lines.
fn whole(sandbox: &Sandbox, output: &Output) -> Result<(), String> {
    let tasks = count(sandbox, "SELECT count(*) FROM tasks");
    if tasks != 3 {
        return Err(format!("{tasks} of 3 tasks are left"));
    }
    if output.stdout.is_empty() || output.stdout.ends_with('\n') {
        Ok(())
    } else {
        Err("half a line".to_owned())
    }
}

/// Verbs that read, at every system call; those that write are in `faults`.
#[test]
fn a_signal_at_any_moment_of_reading_ends_it_and_leaves_nothing() {
    if !sweep::wanted() {
        return;
    }
    let verbs: [(&'static str, &'static [&'static str]); 6] = [
        ("list, signalled", &["list", "--json"]),
        ("show, signalled", &["show", "t_00000001"]),
        ("health, signalled", &["health", "--depth", "full"]),
        ("recover -n, signalled", &["recover", "--dry-run"]),
        ("list -o, signalled", &["list", "-o", "list.txt"]),
        ("overview, signalled", &[]),
    ];
    for (name, args) in verbs {
        let scene = Scene {
            name,
            build: board,
            args,
            input: "",
            check: whole,
            again: &[0],
            keeps: |name| name == "list.txt",
            also: &[],
        };
        sweep::run_faults(&scene, &[Fault::CtrlC, Fault::Terminate]);
    }
}
