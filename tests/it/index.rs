//! The log's index of a living process is never cut under it, whatever became of that process's locks.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::process::Holder;
use crate::support::sandbox::KANBANCTL;
use crate::support::{Sandbox, damage, strace};

/// More frames than one block of the index has: cut, it comes back with one, and whoever has the others mapped dies.
const ROWS: u32 = 4500;

/// A holder in the middle of a transaction that has outgrown its cache: frames of it are in the log, and the index does
/// not know them yet.
fn in_a_long_transaction(board: &Path) -> Holder {
    let mut holder = Holder::on(board);
    holder
        .execute("PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=4; BEGIN IMMEDIATE");
    holder.execute(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO tasks(id, title, status, created_at) SELECT printf('t_%08x', i), zeroblob(3000), 'todo', 1 FROM n"
    ));
    holder
}

fn lose_locks(holder: &mut Holder, board: &Path) {
    holder.lose_locks(board);
    holder.lose_locks(&damage::beside(board, "-shm"));
}

/// The holder commits, and has what it should.
fn unharmed(sandbox: &Sandbox, mut holder: Holder) {
    holder.execute("COMMIT");
    assert_eq!(holder.query("SELECT count(*) FROM tasks"), ROWS.to_string());
    assert_eq!(holder.query("PRAGMA integrity_check"), "ok");
    let stats = sandbox.run(&["list", "--json"]).success().data();
    assert_eq!(stats.as_array().unwrap().len(), usize::try_from(ROWS).unwrap());
}

#[test]
fn a_transaction_under_way_survives_the_loss_of_its_locks() {
    let sandbox = Sandbox::with_board();
    let mut holder = in_a_long_transaction(&sandbox.board());
    lose_locks(&mut holder, &sandbox.board());
    assert_eq!(sandbox.run(&["list", "--json"]).success().data(), serde_json::json!([]));
    unharmed(&sandbox, holder);
}

#[test]
fn an_idle_process_on_an_empty_log_survives_the_loss_of_its_locks() {
    if !strace::wanted() {
        return;
    }
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "there"]).success();
    sandbox.run(&["checkpoint", "--mode", "truncate", "--assume-unused"]).success();
    let mut holder = Holder::on(&sandbox.board());
    lose_locks(&mut holder, &sandbox.board());
    let index = damage::beside(&sandbox.board(), "-shm");
    let cut = traced(&sandbox, &index, &["-q", "create", "beside it"], None).finished();
    assert!(!cut.contains("ftruncate("), "{cut}");
    assert_eq!(holder.query("SELECT count(*) FROM tasks"), "2");
}

/// The locks go after this program has looked and before SQLite does.
#[test]
fn locks_that_are_lost_between_our_look_and_sqlites_are_made_up_for() {
    if !strace::wanted() {
        return;
    }
    let sandbox = Sandbox::with_board();
    let index = damage::beside(&sandbox.board(), "-shm");
    let mut holder = in_a_long_transaction(&sandbox.board());
    let rehearsed = traced(&sandbox, &index, &["list"], None).finished();
    let opened: Vec<_> = rehearsed.lines().filter(|line| line.contains("openat(")).collect();
    let sqlites = opened.iter().position(|line| line.contains("O_NOFOLLOW")).unwrap() + 1;
    let run = traced(&sandbox, &index, &["list"], Some(sqlites));
    run.is_delayed();
    lose_locks(&mut holder, &sandbox.board());
    let cut = run.finished();
    assert!(cut.contains("O_NOFOLLOW") && !cut.contains("ftruncate("), "{cut}");
    unharmed(&sandbox, holder);
}

/// `kanbanctl` under strace, seen by what it does to one file.
struct Traced {
    strace: Child,
    log: PathBuf,
}

/// Runs it; its `delayed`th opening of the file waits for some seconds.
fn traced(sandbox: &Sandbox, file: &Path, args: &[&str], delayed: Option<usize>) -> Traced {
    let log = sandbox.path().join("tmp/strace.log");
    let mut command = sandbox.program("strace");
    command.args(["-f", "-qq", "-e", "trace=openat,ftruncate", "-P"]).arg(file).arg("-o").arg(&log);
    if let Some(delayed) = delayed {
        command.args(["-e", &format!("inject=openat:delay_enter=3000000:when={delayed}")]);
    }
    command.arg(KANBANCTL).args(args).stdin(Stdio::null()).stdout(Stdio::null());
    Traced { strace: command.spawn().unwrap(), log }
}

impl Traced {
    /// Waits until it stands still at the delayed call: at the others it is stopped for moments only.
    fn is_delayed(&self) {
        let me = self.strace.id();
        let is_stopped = || {
            let children = std::fs::read_to_string(format!("/proc/{me}/task/{me}/children")).unwrap();
            children.split_whitespace().next().is_some_and(|child| {
                let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
                stat.rsplit_once(") ").is_some_and(|(_, fields)| fields.starts_with('t'))
            })
        };
        let mut looks = 0;
        while looks < 40 {
            looks = if is_stopped() { looks + 1 } else { 0 };
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Its calls, once it has ended well.
    fn finished(mut self) -> String {
        assert!(self.strace.wait().unwrap().success());
        std::fs::read_to_string(&self.log).unwrap()
    }
}
