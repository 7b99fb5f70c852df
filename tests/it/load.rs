//! Many processes on one board, one after another and at the same time (`KANBANCTL_TEST_SLOW=1`).

use std::time::{Duration, Instant};

use crate::support::Sandbox;

fn wanted() -> bool {
    let wanted = std::env::var_os("KANBANCTL_TEST_SLOW").is_some();
    if !wanted {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_SLOW=1");
    }
    wanted
}

/// Integrity, the count of done tasks, and no quarantined copy.
fn check(sandbox: &Sandbox, done: i64) {
    sandbox.run(&["health", "--depth", "full"]).success();
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    let integrity: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM tasks WHERE status = 'done'"), done);
    assert_eq!(count("SELECT count(*) FROM task_events WHERE kind = 'completed'"), done);
    let copies = std::fs::read_dir(sandbox.root()).unwrap();
    let names: Vec<_> = copies.map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().contains(".corrupt")), "{names:?}");
}

#[test]
fn a_thousand_creates_and_completes_each_its_own_process() {
    if !wanted() {
        return;
    }
    let sandbox = Sandbox::with_board();
    for number in 0..1000 {
        let id = sandbox.run(&["create", &format!("task {number}")]).success();
        sandbox.run(&["complete", id.line()]).success();
    }
    check(&sandbox, 1000);
}

#[test]
fn two_processes_at_a_time_for_fifteen_seconds() {
    if !wanted() {
        return;
    }
    let sandbox = Sandbox::with_board();
    let until = Instant::now() + Duration::from_secs(15);
    let hammer = || {
        let mut done = 0;
        while Instant::now() < until {
            let id = sandbox.run(&["create", "hammered"]).success();
            sandbox.run(&["complete", id.line(), "--result", "done"]).success();
            done += 1;
        }
        done
    };
    let done: i64 = std::thread::scope(|scope| {
        let other = scope.spawn(hammer);
        hammer() + other.join().unwrap()
    });
    assert!(done > 0);
    eprintln!("two processes for 15 s: {done} tasks created and completed");
    check(&sandbox, done);
}
