//! Salvage through the real binary: what comes back from every shape of damage, and that no source is touched.

use crate::support::damage::{self, Shape};
use crate::support::sandbox::Sandbox;

/// An injured board in its sandbox, and the truth beside it.
fn injured(shape: Shape, seed: u64) -> (Sandbox, std::path::PathBuf) {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 150, seed);
    damage::injure(shape, seed, &good, &sandbox.board());
    (sandbox, good)
}

/// The least share of rows that must come back, in percent, and the most rows that may be wrong. Bits that flip inside
/// a text cannot be seen from one file (recovery.md, "What decides it" 9).
fn bar(shape: Shape) -> (f64, usize) {
    match shape {
        Shape::Healthy
        | Shape::SchemaDuplicate
        | Shape::IndexDrift
        | Shape::WalPending
        | Shape::WalHeaderGone
        | Shape::InteriorsGone
        | Shape::ManyCopies => (100.0, 0),
        Shape::TlsHeader | Shape::FirstPageZero => (99.0, 0),
        Shape::ZeroPages => (90.0, 0),
        Shape::Truncated => (60.0, 0),
        Shape::BitFlips => (90.0, 60),
    }
}

#[test]
fn every_shape_of_damage_gives_back_what_is_there() {
    for shape in Shape::ALL {
        let (sandbox, good) = injured(shape, 3);
        let before = sandbox.photograph();
        let new = sandbox.work().join("new.db");
        let output = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
        assert!([0, 5].contains(&output.code()), "{shape:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{shape:?}: a source was touched");
        assert!(!damage::beside(&new, "-wal").exists() && !damage::beside(&new, "-journal").exists());
        let score = damage::score(&good, &new);
        let (percent, wrong) = bar(shape);
        assert!(score.percent() >= percent, "{shape:?}: {score:?} = {} %", score.percent());
        assert!(score.wrong <= wrong, "{shape:?}: {score:?}");
        let data = output.data();
        assert_eq!(data["verified"], true, "{shape:?}");
        assert_eq!(data["installed"], false);
        sandbox.run(&["--db", new.to_str().unwrap(), "health", "--depth", "full"]);
    }
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let (sandbox, _) = injured(Shape::ManyCopies, 1);
    let before = sandbox.photograph();
    let new = sandbox.work().join("new.db");
    let rehearsed = sandbox.run(&["recover", "--dry-run", "--output", new.to_str().unwrap(), "--json"]);
    assert!(!new.exists());
    assert_eq!(sandbox.photograph(), before);
    let done = sandbox.run(&["recover", "--output", new.to_str().unwrap(), "--json"]);
    assert_eq!(rehearsed.code(), done.code());
    assert_eq!(rehearsed.data()["tables"], done.data()["tables"]);
}

#[test]
fn rows_beside_an_empty_file_come_back_and_the_wal_stays() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 30, 4);
    let connection = rusqlite::Connection::open(&good).unwrap();
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint=0; PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL; VACUUM;",
        )
        .unwrap();
    let wal = damage::beside(&good, "-wal");
    assert!(wal.metadata().unwrap().len() > 0, "the scene needs a full WAL");
    std::fs::copy(&wal, damage::beside(&sandbox.board(), "-wal")).unwrap();
    std::fs::write(sandbox.board(), b"").unwrap();
    drop(connection);
    let before = sandbox.photograph();
    for verb in
        [&["list"][..], &["stats"], &["health"], &["create", "x"], &["backup"], &["checkpoint"], &["init"]]
    {
        let output = sandbox.run(verb);
        assert!([4, 12].contains(&output.code()), "{verb:?}\n{output}");
        assert_eq!(sandbox.photograph(), before, "{verb:?}");
    }
    let new = sandbox.work().join("new.db");
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).success();
    assert_eq!(sandbox.photograph(), before);
    let score = damage::score(&good, &new);
    assert!(score.percent() >= 100.0 && score.wrong == 0, "{score:?}");
}

#[test]
fn where_to_is_asked_for_and_nothing_is_overwritten() {
    let (sandbox, _) = injured(Shape::TlsHeader, 1);
    sandbox.run(&["recover"]).exits(12).says("--yes").says("--output NEW.db");
    let new = sandbox.work().join("new.db");
    std::fs::write(&new, b"mine").unwrap();
    sandbox.run(&["recover", "--output", new.to_str().unwrap()]).exits(12).says("exists already");
    assert_eq!(std::fs::read(&new).unwrap(), b"mine");
    let link = sandbox.work().join("link.db");
    std::os::unix::fs::symlink(sandbox.work().join("nowhere.db"), &link).unwrap();
    sandbox.run(&["recover", "--output", link.to_str().unwrap()]).exits(12);
    assert_eq!(std::fs::read_dir(sandbox.work()).unwrap().count(), 3);
}

#[test]
fn a_board_that_never_was_has_nothing_to_recover() {
    let sandbox = Sandbox::new();
    sandbox.run(&["recover", "--dry-run"]).exits(10);
    sandbox.run(&["recover", "--dry-run", "/nonexistent/kanban.db"]).exits(10);
}

#[test]
fn the_result_is_no_more_open_than_the_board() {
    use std::os::unix::fs::PermissionsExt;
    let (sandbox, _) = injured(Shape::ZeroPages, 1);
    for bits in [0o600, 0o640] {
        std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(bits)).unwrap();
        let new = sandbox.work().join(format!("{bits:o}.db"));
        sandbox.run(&["recover", "--output", new.to_str().unwrap()]);
        assert_eq!(new.metadata().unwrap().permissions().mode() & 0o777, bits);
    }
}
