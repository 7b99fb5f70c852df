//! `watch`: every event once and in order, whatever happens to the log, the journal mode and the board meanwhile.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::support::Sandbox;
use crate::support::rows::{change, count, create};

/// A running `watch` and its lines.
struct Watch {
    child: Child,
    lines: Receiver<String>,
    said: Receiver<String>,
}

impl Watch {
    fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.command(&[&["watch", "--json", "-v"][..], args].concat());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = follow(child.stdout.take().unwrap());
        let said = follow(child.stderr.take().unwrap());
        let watch = Self { child, lines, said };
        watch.says("Following");
        watch
    }

    /// Waits for a message.
    fn says(&self, text: &str) {
        let until = Instant::now() + Duration::from_mins(1);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.said.recv_timeout(left).unwrap_or_else(|_| panic!("watch never says {text:?}"));
            if line.contains(text) {
                return;
            }
        }
    }

    fn next(&self) -> Value {
        let line = self.lines.recv_timeout(Duration::from_mins(1)).expect("an event");
        serde_json::from_str::<Value>(&line).unwrap()["data"].clone()
    }

    fn is_silent(&self) {
        assert!(self.lines.recv_timeout(Duration::from_millis(300)).is_err());
    }

    /// Ends it as Ctrl-C does; its exit status as a shell shows it.
    fn end(mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let status = self.child.wait().unwrap();
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn follow(stream: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

#[test]
fn events_are_told_as_they_are_committed() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["before"]);
    let watch = Watch::start(&sandbox, &[]);
    watch.is_silent();
    let id = create(&sandbox, &["x", "--assignee", "coder"]);
    let event = watch.next();
    assert_eq!((event["task_id"].as_str(), event["kind"].as_str()), (Some(id.as_str()), Some("created")));
    assert_eq!((&event["assignee"], &event["payload"]["status"]), (&"coder".into(), &"ready".into()));
    // A checkpoint, and one that cuts the log.
    sandbox.run(&["checkpoint"]).success();
    change(&sandbox, "PRAGMA wal_checkpoint(TRUNCATE)");
    sandbox.run(&["complete", &id]).success();
    assert_eq!(watch.next()["kind"], "completed");
    watch.is_silent();
    assert_eq!(watch.end(), 130);
}

#[test]
fn filters_choose_and_since_begins_earlier() {
    let sandbox = Sandbox::with_board();
    let id = create(&sandbox, &["x", "--assignee", "coder"]);
    create(&sandbox, &["y", "--assignee", "other"]);
    let kinds =
        Watch::start(&sandbox, &["--since", "0", "--kinds", "completed,created", "--assignee", "CODER"]);
    sandbox.run(&["comment", &id, "not this"]).success();
    sandbox.run(&["complete", &id]).success();
    assert_eq!(
        (kinds.next()["kind"].clone(), kinds.next()["kind"].clone()),
        ("created".into(), "completed".into())
    );
    kinds.is_silent();
    let limited = sandbox.run(&["watch", "--since", "0", "--limit", "2"]).success();
    assert_eq!(limited.stdout.lines().count(), 2, "{limited}");
    let one = sandbox.run(&["watch", &id, "--since", "0", "--limit", "3", "--json"]).success();
    assert!(one.stdout.lines().all(|line| line.contains(&id)), "{one}");
    let told = sandbox
        .run(&["watch", "--since", "0", "--limit", "2", "-q", "--exec", "cat; echo $KANBANCTL_KIND >&2"])
        .success();
    assert_eq!(told.stderr, "created\ncreated\n", "{told}");
    assert_eq!(told.stdout.matches("\"kind\":\"event\"").count(), 2, "{told}");
    sandbox
        .run(&["watch", "--since", "0", "--limit", "1", "--exec", "exit 3"])
        .success()
        .says("exit status: 3");
}

#[test]
fn restored_board_and_another_journal_mode_are_told() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["journal-mode", "delete", "--assume-unused"]).success();
    create(&sandbox, &["x"]);
    let old = std::fs::read(sandbox.board()).unwrap();
    for title in ["y", "z"] {
        create(&sandbox, &[title]);
    }
    let watch = Watch::start(&sandbox, &[]);
    change(&sandbox, "PRAGMA journal_mode = WAL");
    create(&sandbox, &["in the log"]);
    watch.says("journal mode is wal");
    assert_eq!(watch.next()["kind"], "created");
    // The installer writes into the same file through SQLite, and so does this.
    std::fs::write(sandbox.work().join("old.db"), old).unwrap();
    let from = Connection::open(sandbox.work().join("old.db")).unwrap();
    let mut to = Connection::open(sandbox.board()).unwrap();
    rusqlite::backup::Backup::new(&from, &mut to)
        .unwrap()
        .run_to_completion(1_000, Duration::from_millis(1), None)
        .unwrap();
    drop(to);
    watch.says("was restored");
    let id = create(&sandbox, &["after"]);
    assert_eq!(watch.next()["task_id"], id.as_str());
}

#[test]
fn another_file_in_the_boards_place_ends_it() {
    let sandbox = Sandbox::with_board();
    create(&sandbox, &["x"]);
    let mut watch = Watch::start(&sandbox, &[]);
    let other = sandbox.work().join("other.db");
    std::fs::copy(sandbox.board(), &other).unwrap();
    std::fs::rename(&other, sandbox.board()).unwrap();
    assert_eq!(watch.child.wait().unwrap().code(), Some(12));
}

/// Two dozen writers: every event once, in the order of their numbers (`KANBANCTL_TEST_LONG=1` for a minute, else some
/// seconds).
#[test]
fn nothing_is_missed_or_told_twice_beside_many_writers() {
    let slow = std::env::var_os("KANBANCTL_TEST_LONG").is_some();
    let sandbox = Sandbox::with_board();
    let watch = Watch::start(&sandbox, &[]);
    let until = Instant::now() + Duration::from_secs(if slow { 60 } else { 4 });
    std::thread::scope(|scope| {
        for writer in 0..24 {
            let sandbox = &sandbox;
            scope.spawn(move || {
                while Instant::now() < until {
                    sandbox.run(&["create", &format!("writer {writer}"), "--timeout", "60s"]).success();
                }
            });
        }
    });
    let events = count(&sandbox, "SELECT count(*) FROM task_events");
    let mut last = 0;
    for _ in 0..events {
        let id = watch.next()["id"].as_i64().unwrap();
        assert_eq!(id, last + 1);
        last = id;
    }
    watch.is_silent();
    eprintln!("watch: {events} events of 24 writers, each once");
    // At rest it takes next to no time.
    let ticks = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<u64> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .filter_map(|field| field.parse().ok())
            .collect();
        // utime and stime, behind the state, which is no number.
        fields[10] + fields[11]
    };
    let before = ticks(watch.child.id());
    std::thread::sleep(Duration::from_secs(5));
    let spent = ticks(watch.child.id()) - before;
    eprintln!("watch: {spent} ticks of 500 at rest");
    assert!(spent <= 5, "{spent} of 500 ticks");
}
