//! `init`: one board, made once, never where one was lost, and never over what is there.

use crate::support::Sandbox;
use crate::support::rows::{change, data};

#[test]
fn init_makes_one_board_and_then_says_so() {
    let sandbox = Sandbox::new();
    let made = sandbox.run(&["init", "--json"]).success().says("Created the board");
    assert_eq!(data(&made)["created"], true);
    let header = std::fs::read(sandbox.board()).unwrap();
    let version = if data(&made)["journal_mode"] == "wal" { 2 } else { 1 };
    assert_eq!((header[18], header[19]), (version, version));
    let before = sandbox.photograph();
    sandbox.run(&["init"]).success().says("there already");
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn init_makes_the_directories_on_the_way() {
    let sandbox = Sandbox::new();
    std::fs::remove_dir(sandbox.root()).unwrap();
    sandbox.run(&["init", "--dry-run"]).success().says("would create");
    assert!(!sandbox.root().exists());
    sandbox.run(&["init"]).success();
    assert!(sandbox.board().exists());
}

#[test]
fn init_refuses_where_a_board_was_lost() {
    for leftover in ["kanban.db-wal", "kanban.db-journal", "kanban.db.corrupt.0123456789abcdef.bak"] {
        let sandbox = Sandbox::new();
        std::fs::write(sandbox.root().join(leftover), b"rows").unwrap();
        let before = sandbox.photograph();
        sandbox.run(&["init"]).exits(4).says("recover");
        assert_eq!(sandbox.photograph(), before, "{leftover}");
    }
}

#[test]
fn init_leaves_other_files_alone() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.board(), b"").unwrap();
    sandbox.run(&["init"]).exits(10);
    std::fs::write(sandbox.board(), vec![7; 4096]).unwrap();
    sandbox.run(&["init"]).exits(4);
    std::fs::remove_file(sandbox.board()).unwrap();
    change(&sandbox, "CREATE TABLE mine (x)");
    for verb in [
        vec!["init"],
        vec!["list"],
        vec!["stats"],
        vec!["show", "x"],
        vec!["create", "x"],
        vec!["complete", "x"],
    ] {
        sandbox.run(&verb).exits(10).says("holds no board");
    }
}

/// A dry run ends as the real run would.
#[test]
fn a_rehearsal_refuses_where_init_would() {
    use std::os::unix::fs::PermissionsExt;
    // No right stops root.
    if rustix::process::geteuid().is_root() {
        return;
    }
    let sandbox = Sandbox::new();
    std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(0o555)).unwrap();
    for verb in [&["init"][..], &["init", "-n"]] {
        let refused = sandbox.run(verb).exits(12);
        assert!(refused.stderr.contains(sandbox.root().to_str().unwrap()), "{refused}");
    }
}

#[test]
fn a_rehearsal_leaves_no_trace() {
    let sandbox = Sandbox::new();
    let before = sandbox.photograph();
    let modified = sandbox.root().metadata().unwrap().modified().unwrap();
    sandbox.run(&["init", "-n"]).success().says("would create");
    assert_eq!(sandbox.photograph(), before);
    assert_eq!(sandbox.root().metadata().unwrap().modified().unwrap(), modified);
}
