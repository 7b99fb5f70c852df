//! The verb that qualifies a filesystem: what it reports, what it leaves, and that its workers never outlive it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::support::Sandbox;

fn entries(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// `stress` in the sandbox's working directory, up to the moment at which it names its board.
fn started(sandbox: &Sandbox, args: &[&str]) -> (Child, PathBuf, BufReader<impl Read + use<>>) {
    let mut command = sandbox.command(&[&["stress", "--processes", "3"], args].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    let board = line.trim_end().strip_prefix("Scratch board: ").unwrap_or_else(|| panic!("{line:?}"));
    (child, PathBuf::from(board), stderr)
}

/// The process ids of the workers: those that have the scratch board open.
fn workers(parent: &Child) -> Vec<Pid> {
    let task = parent.id();
    for _ in 0..4_000 {
        let path = format!("/proc/{task}/task/{task}/children");
        let children = std::fs::read_to_string(path).unwrap_or_default();
        let found: Vec<Pid> =
            children.split_whitespace().filter_map(|pid| Pid::from_raw(pid.parse().ok()?)).collect();
        if found.len() == 3 {
            return found;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the workers did not start");
}

/// Waits until none of them is running; a zombie of another parent does not run.
fn wait_until_gone(pids: &[Pid]) {
    let runs = |pid: &Pid| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
        test_kill_process(*pid).is_ok() && stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    while pids.iter().any(runs) {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_sound_directory_is_called_so_and_left_as_it_was() {
    let sandbox = Sandbox::new();
    let output = sandbox.run(&["stress", "--processes", "3", "--seconds", "1", "--json"]).success();
    let data = output.data();
    assert_eq!(output.json()["kind"], "stress");
    assert_eq!((&data["verdict"], &data["journal_mode"]), (&"sound".into(), &"wal".into()), "{data}");
    assert!(data["operations"].as_u64().unwrap() > 10, "{data}");
    for key in ["errors", "lost", "corrupt_copies", "vanished", "killed"] {
        assert_eq!(data[key], 0, "{key}: {data}");
    }
    assert_eq!(data["integrity"], "ok");
    let create = &data["latency_us"]["create"];
    let ranks: Vec<u64> =
        ["p50", "p95", "p99", "max"].iter().map(|rank| create[rank].as_u64().unwrap()).collect();
    assert!(ranks[0] > 0 && ranks.is_sorted(), "{create}");
    assert_eq!(entries(&sandbox.work()), [""; 0]);
    assert_eq!(entries(&sandbox.root()), [""; 0], "another board was touched");
}

#[test]
fn killed_workers_lose_nothing() {
    let sandbox = Sandbox::new();
    let args = ["stress", "--processes", "4", "--seconds", "2", "--crash", "--json"];
    let data = sandbox.run(&args).success().data();
    assert!(data["killed"].as_u64().unwrap() > 2, "{data}");
    assert_eq!((&data["lost"], &data["errors"], &data["integrity"]), (&0.into(), &0.into(), &"ok".into()));
    assert_eq!(entries(&sandbox.work()), [""; 0]);
}

#[test]
fn the_report_is_there_for_people_and_for_scripts() {
    let sandbox = Sandbox::new();
    let table = ["stress", "--processes", "1", "--seconds", "1", "--format", "table"];
    let table = sandbox.run(&table).success();
    assert!(table.stdout.starts_with("sound\n  Boards can be kept here: "), "{table}");
    assert!(table.stdout.contains("MICROSECONDS  COUNT"), "{table}");
    let plain = sandbox.run(&["stress", "--processes", "1", "--seconds", "1"]).success();
    assert!(plain.stdout.starts_with("verdict\tsound\nsays\tBoards can be kept here: "), "{plain}");
    let latency = plain.stdout.lines().find(|line| line.starts_with("latency\tcreate\t")).unwrap();
    assert_eq!(latency.split('\t').count(), 7, "{latency}");
}

#[test]
fn the_board_can_be_kept_and_is_an_ordinary_one() {
    let sandbox = Sandbox::new();
    let data =
        sandbox.run(&["stress", "--processes", "2", "--seconds", "1", "--keep", "--json"]).success().data();
    let board = data["board"].as_str().unwrap();
    sandbox.run(&["--db", board, "health", "--depth", "full"]).success();
    let done = sandbox.run(&["--db", board, "list", "--status", "done"]).success().stdout.lines().count();
    assert_eq!(u64::try_from(done).unwrap(), data["latency_us"]["complete"]["count"].as_u64().unwrap());
}

#[test]
fn an_interruption_leaves_neither_workers_nor_a_board() {
    let sandbox = Sandbox::new();
    let (mut child, board, mut stderr) = started(&sandbox, &["--seconds", "60"]);
    let workers = workers(&child);
    assert!(board.exists());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let mut said = String::new();
    stderr.read_to_string(&mut said).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(2), "{said}");
    wait_until_gone(&workers);
    assert_eq!(entries(&sandbox.work()), [""; 0]);
}

#[test]
fn workers_end_with_a_killed_parent_and_the_next_run_cleans_up() {
    let sandbox = Sandbox::new();
    let (mut child, board, _) = started(&sandbox, &["--seconds", "60"]);
    let workers = workers(&child);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until_gone(&workers);
    assert!(board.exists());
    sandbox.run(&["stress", "--processes", "1", "--seconds", "1"]).success();
    assert_eq!(entries(&sandbox.work()), [""; 0]);
}

#[test]
fn a_worker_works_on_no_board_but_a_scratch_board() {
    let sandbox = Sandbox::with_board();
    let root = sandbox.root();
    let before = sandbox.photograph();
    let mut command = sandbox.command(&["stress", "--dir", root.to_str().unwrap()]);
    command.env("KANBANCTL_STRESS_WORKER", "100");
    sandbox.finish(command, b"").exits(2);
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn places_that_are_none_are_told_apart() {
    let sandbox = Sandbox::new();
    sandbox.run(&["stress", "--dir", "nowhere"]).exits(12);
    std::fs::write(sandbox.work().join("file"), b"").unwrap();
    sandbox.run(&["stress", "--dir", "file"]).exits(12);
    sandbox.run(&["stress", "--seconds", "0"]).exits(2);
    sandbox.run(&["stress", "--processes", "0"]).exits(2);
    let dry = sandbox.run(&["stress", "-n"]).success();
    assert!(dry.stderr.contains("would try"), "{dry}");
    assert_eq!(entries(&sandbox.work()), ["file"]);
}
