//! Many copies beside a board: found, grouped, one bad one not hiding the others.

use std::path::PathBuf;

use crate::support::damage;
use crate::support::sandbox::Sandbox;

/// The name of a copy that Hermes put aside.
fn copy(sandbox: &Sandbox, mark: &str) -> PathBuf {
    damage::beside(&sandbox.board(), &format!(".corrupt.{mark}.bak"))
}

#[test]
fn thousands_of_copies_are_a_few_contents() {
    let sandbox = Sandbox::with_board();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    for number in 1..=2_000_u32 {
        let path = copy(&sandbox, &format!("20260501_101010.{number}"));
        // Equal lengths: only reading tells them apart.
        let mut bytes = bytes[..1024].to_vec();
        bytes[1000] = u8::try_from(number % 5).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let before = sandbox.photograph();
    let data = sandbox.run(&["backups", "list", "--json"]).success().data();
    let copies: Vec<u64> =
        data.as_array().unwrap().iter().map(|content| content["copies"].as_u64().unwrap()).collect();
    assert_eq!(copies, [400; 5]);
    let recovered = sandbox.run(&["recover", "--dry-run", "--json"]).success().data();
    assert_eq!(recovered["sources"].as_array().unwrap().len(), 6);
    assert_eq!(sandbox.photograph(), before);
}

#[test]
fn a_copy_that_cannot_be_read_is_named_and_hides_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    // Of one length, so that both have to be read.
    let bytes = std::fs::read(sandbox.board()).unwrap();
    std::fs::write(copy(&sandbox, "20260501_101010"), &bytes).unwrap();
    let locked = copy(&sandbox, "20260501_101011");
    std::fs::write(&locked, &bytes).unwrap();
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o000)).unwrap();
    if std::fs::File::open(&locked).is_ok() {
        // Root reads everything; nothing to see for it here.
        return;
    }
    let listed = sandbox.run(&["backups", "list", "--json"]).exits(5).says("20260501_101011");
    assert_eq!(listed.data().as_array().unwrap().len(), 1);
    let recovered =
        sandbox.run(&["recover", "--dry-run", "--json"]).exits(5).says("could not be read").data();
    assert_eq!(recovered["tables"]["tasks"]["recovered"], 20);
    assert_eq!(recovered["unread_sources"][0]["path"], locked.to_str().unwrap());
}

#[test]
fn a_log_that_lost_its_copy_is_still_a_source() {
    let sandbox = Sandbox::new();
    let whole = sandbox.work().join("whole.db");
    damage::board(&whole, 30, 1);
    damage::injure(damage::Shape::WalPending, 1, &whole, &sandbox.board());
    let log = damage::beside(&sandbox.board(), "-wal");
    std::fs::rename(&log, damage::beside(&copy(&sandbox, "20260501_101010"), "-wal")).unwrap();
    let listed = sandbox.run(&["backups", "list", "--json"]).success().data();
    assert_eq!(listed[0]["copies"], 1);
    assert_eq!(listed[0]["bytes"], listed[0]["wal_bytes"]);
    let id = listed[0]["id"].as_str().unwrap();
    let shown = sandbox.run(&["backups", "show", id, "--json"]).success().data();
    assert!(shown["rows"]["task_events"].as_u64().unwrap() > 0, "{shown}");
}

#[test]
fn our_own_backups_are_sources_too() {
    let sandbox = Sandbox::new();
    damage::board(&sandbox.board(), 20, 1);
    sandbox.run(&["backup"]).success();
    let bytes = std::fs::read(sandbox.board()).unwrap();
    std::fs::write(sandbox.board(), vec![0; bytes.len()]).unwrap();
    let data = sandbox.run(&["recover", "--dry-run", "--json"]).success().data();
    assert_eq!(data["tables"]["tasks"]["recovered"], 20);
    assert!(data["sources"].as_array().unwrap().iter().any(|source| source["kind"] == "own"), "{data}");
}
