//! Sparse files: what no disk holds is not read, however long the file says it is.

use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

use crate::support::Sandbox;
use crate::support::sandbox::KANBANCTL;

/// Bytes of hole.
const HOLE: u64 = 20 << 30;

/// To read twenty gigabytes of zeros takes the binary under test minutes.
const MOST: Duration = Duration::from_secs(30);

/// A board of some tasks beside a copy that goes on with a hole.
fn board_beside_a_sparse_copy() -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "one"]).success();
    sandbox.run(&["checkpoint", "--mode", "truncate", "--assume-unused"]).success();
    let copy = sandbox.root().join("kanban.db.corrupt.f96f8e7b74d1d06b.bak");
    std::fs::copy(sandbox.board(), &copy).unwrap();
    std::fs::File::options().write(true).open(&copy).unwrap().set_len(HOLE).unwrap();
    (sandbox, copy)
}

/// The command, ended before it has read all of a hole.
fn limited(sandbox: &Sandbox, args: &[&str]) -> std::process::Command {
    let mut command = sandbox.program("timeout");
    command.args(["-s", "KILL", "60"]).arg(KANBANCTL).args(args);
    command
}

#[test]
fn a_hole_of_twenty_gigabytes_is_passed_over() {
    let (sandbox, copy) = board_beside_a_sparse_copy();
    sandbox.run(&["create", "two"]).success();
    let copy = copy.to_str().unwrap();
    for args in [
        &["backups", "list"][..],
        &["backups", "show", copy],
        &["health", "--depth", "full"],
        &["recover", "--dry-run"],
        &["recover", "--output", "rescued.db", copy],
    ] {
        let begun = Instant::now();
        let output = sandbox.finish(limited(&sandbox, args), b"");
        let took = begun.elapsed();
        assert!(matches!(output.code(), 0 | 3), "{args:?}\n{output}");
        assert!(took < MOST, "{args:?} took {took:?}");
    }
}

#[test]
fn a_sum_that_leaves_zeros_out_says_so() {
    let (sandbox, copy) = board_beside_a_sparse_copy();
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    let sum = listed[0]["sha256"].as_str().unwrap().to_owned();
    assert!(sum.ends_with("-sparse"), "{listed}");
    // A copy with the same holes has the same sum.
    let twin = copy.with_file_name("kanban.db.corrupt.0123456789abcdef.bak");
    let done =
        std::process::Command::new("cp").arg("--sparse=always").arg(&copy).arg(&twin).status().unwrap();
    assert!(done.success());
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
    assert_eq!(listed[0]["sha256"], sum.as_str());
}

#[test]
fn evidence_of_a_sparse_board_is_sparse() {
    let sandbox = Sandbox::with_board();
    sandbox.run(&["create", "one"]).success();
    sandbox.run(&["checkpoint", "--mode", "truncate", "--assume-unused"]).success();
    let backup = sandbox.run(&["backup"]).success().line().to_owned();
    // Behind the end that the header counts.
    std::fs::File::options().write(true).open(sandbox.board()).unwrap().set_len(2 << 30).unwrap();
    sandbox.run(&["restore", &backup, "--yes", "--assume-unused"]).success();
    let folder = std::fs::read_dir(sandbox.root())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains(".evidence."))
        .unwrap();
    let kept = std::fs::metadata(folder.join("kanban.db")).unwrap();
    assert_eq!(kept.len(), 2 << 30);
    assert!(kept.blocks() * 512 < 64 << 20, "{} blocks", kept.blocks());
}
