//! A board that needs nothing is left alone; one that needs something is not called done.

use rusqlite::Connection;

use super::{HURT, injured, set};
use crate::support::Sandbox;
use crate::support::damage::{self, Shape, beside};

/// Runs it for real and as a rehearsal: both say the same, and nothing is touched.
#[track_caller]
fn is_already_so(sandbox: &Sandbox, args: &[&str]) {
    let before = sandbox.photograph();
    let real = [&["recover", "--json", "--assume-unused", "--yes"], args].concat();
    for args in [real, [&["recover", "--json", "--dry-run"], args].concat()] {
        let output = sandbox.run(&args).success().says("nothing was changed");
        let data = output.data();
        assert_eq!((&data["already"], &data["installed"]), (&true.into(), &false.into()), "{output}");
        assert_eq!((&data["evidence"], &data["output"]), (&().into(), &().into()), "{output}");
        assert_eq!(sandbox.photograph(), before, "{output}");
    }
}

/// What a rehearsal and the real thing say of a board that is not left alone.
#[track_caller]
fn is_installed(sandbox: &Sandbox, args: &[&str]) {
    let rehearsed = sandbox.run(&[&["recover", "--json", "--dry-run"], args].concat());
    assert_eq!(rehearsed.data()["already"], false, "{rehearsed}");
    let output = sandbox.run(&[&["recover", "--json", "--assume-unused", "--yes"], args].concat());
    assert_eq!((&output.data()["already"], &output.data()["installed"]), (&false.into(), &true.into()));
    assert_eq!(output.code(), rehearsed.code(), "{output}");
}

#[test]
fn a_sound_board_to_which_nothing_comes_is_left_alone() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 60, 5);
    is_already_so(&sandbox, &[]);
    // A copy with a row that was deleted since, which is told and not brought back unless it is asked for.
    damage::quarantine(&std::fs::read(sandbox.board()).unwrap(), &sandbox.board());
    let connection = Connection::open(sandbox.board()).unwrap();
    connection.execute_batch("DELETE FROM task_comments WHERE id = 7").unwrap();
    connection.close().unwrap();
    is_already_so(&sandbox, &[]);
    is_installed(&sandbox, &["--include-older"]);
    is_already_so(&sandbox, &["--include-older"]);
    // Frames in the log are part of it.
    let (sandbox, _) = injured(Shape::WalPending);
    let before = set(&sandbox.root());
    let said = sandbox.run(&["recover", "--json", "--assume-unused", "--yes"]).success().data();
    assert_eq!(said["already"], true, "{said}");
    assert_eq!(set(&sandbox.root()), before);
}

#[test]
fn whatever_a_recovery_would_change_is_installed_once() {
    for shape in HURT {
        let (sandbox, _) = injured(shape);
        is_installed(&sandbox, &[]);
        // A value with a flipped bit stays suspect, and may be better in what is named next.
        if shape != Shape::BitFlips {
            is_already_so(&sandbox, &[]);
        }
    }
    // Rows of a second history.
    let sandbox = Sandbox::with_board();
    let other = sandbox.work().join("other.db");
    std::fs::copy(sandbox.board(), &other).unwrap();
    sandbox.run(&["create", "here"]).success();
    sandbox.run(&["create", "there", "--db", other.to_str().unwrap()]).success();
    is_installed(&sandbox, &[other.to_str().unwrap()]);
    is_already_so(&sandbox, &[]);
    is_already_so(&sandbox, &[other.to_str().unwrap()]);
    // A transaction that waits to be rolled back.
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 60, 5);
    std::fs::write(beside(&sandbox.board(), "-journal"), b"not a journal, and SQLite's to look at").unwrap();
    let said = sandbox.run(&["recover", "--json", "--dry-run"]).data();
    assert_eq!(said["already"], false, "{said}");
}
