//! The folder of what was there before: what it says, how it is closed, what is put back from it.

use std::os::unix::fs::MetadataExt;

use rusqlite::Connection;

use super::{evidence, injured, set};
use crate::support::damage::{self, Shape, beside};

#[test]
fn the_manifest_says_what_was_there_and_what_came() {
    let (sandbox, _) = injured(Shape::TlsHeader);
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let [folder] = evidence(&sandbox).try_into().unwrap();
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["operation"], "recover");
    assert_eq!(manifest["kanbanctl"], env!("CARGO_PKG_VERSION"));
    assert!(manifest["reasons"][0].as_str().unwrap().contains("TLS record"), "{manifest}");
    assert_eq!(manifest["files"][0]["bytes"], folder.join("kanban.db").metadata().unwrap().len());
    assert_eq!(manifest["installing"]["sha256"].as_str().unwrap().len(), 64);
    let outcome: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.join("outcome.json")).unwrap()).unwrap();
    assert_eq!(outcome["outcome"], "installed");
    assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
}

/// An evidence folder without an outcome holds what an interrupted install had in its hands: its rows are not lost, and
/// the folder is closed by the next one.
#[test]
fn evidence_of_an_interrupted_install_is_a_source() {
    let (sandbox, good) = injured(Shape::ZeroPages);
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let [folder] = evidence(&sandbox).try_into().unwrap();
    std::fs::remove_file(folder.join("outcome.json")).unwrap();
    std::fs::copy(&good, folder.join("kanban.db")).unwrap();
    std::fs::write(sandbox.board(), b"").unwrap();
    sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
    assert!(folder.join("outcome.json").exists());
}

/// An attempt that was stopped behind its last change is closed when nothing is left to be done; one that had not begun is
/// not called done, so that nobody takes it back.
#[test]
fn interrupted_attempts_are_closed_as_what_they_were() {
    for (begun, outcome) in [(true, "installed"), (false, "interrupted")] {
        let (sandbox, _) = injured(Shape::ZeroPages);
        sandbox.run(&["recover", "--yes", "--assume-unused"]);
        let [folder] = evidence(&sandbox).try_into().unwrap();
        std::fs::remove_file(folder.join("outcome.json")).unwrap();
        if !begun {
            std::fs::remove_file(folder.join("begun.json")).unwrap();
        }
        sandbox.run(&["recover", "--yes", "--assume-unused"]).success().says("nothing was changed");
        let said: serde_json::Value =
            serde_json::from_slice(&std::fs::read(folder.join("outcome.json")).unwrap()).unwrap();
        assert_eq!(said["outcome"], outcome);
    }
}

#[test]
fn an_altered_evidence_folder_is_not_put_back() {
    let (sandbox, _) = injured(Shape::ZeroPages);
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let [folder] = evidence(&sandbox).try_into().unwrap();
    let mut bytes = std::fs::read(folder.join("kanban.db")).unwrap();
    bytes[5000] ^= 1;
    std::fs::write(folder.join("kanban.db"), bytes).unwrap();
    let before = set(&sandbox.root());
    sandbox
        .run(&["recover", "--undo", "--yes", "--assume-unused"])
        .exits(12)
        .says("not what its manifest says");
    assert_eq!(set(&sandbox.root()), before);
}

/// An install that waited in vain replaced nothing: undo goes back behind the one before, and keeps what was written since.
#[test]
fn an_install_that_never_began_is_not_taken_back() {
    let (sandbox, good) = injured(Shape::FirstPageZero);
    let before = set(&sandbox.root());
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let lock =
        std::fs::OpenOptions::new().append(true).create(true).open(beside(&sandbox.board(), ".init.lock"));
    let lock = lock.unwrap();
    lock.lock().unwrap();
    let good = good.to_str().unwrap();
    let mut waiting = sandbox.command(&["restore", good, "--yes", "--assume-unused", "--timeout", "5s"]);
    let mut waiting =
        waiting.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
    while evidence(&sandbox).len() < 2 {
        assert!(waiting.try_wait().unwrap().is_none(), "it did not wait");
        std::thread::yield_now();
    }
    let connection = Connection::open(sandbox.board()).unwrap();
    connection
        .execute(
            "INSERT INTO tasks(id, title, status, created_at) VALUES ('t_0000beef', 'kept', 'todo', 1)",
            [],
        )
        .unwrap();
    connection.close().unwrap();
    assert_eq!(waiting.wait().unwrap().code(), Some(11));
    drop(lock);
    assert_eq!(evidence(&sandbox).len(), 1, "the folder of nothing stayed");
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(set(&sandbox.root())[0], before[0]);
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    sandbox.run(&["show", "t_0000beef"]).success();
}
