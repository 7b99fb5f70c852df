//! `recover` into the board's own file, and back: from every state a board can be in, and refused where it must be.
//! `already` has the boards that are left alone, `kept` the folder of what was there before.

mod already;
mod kept;

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::support::Sandbox;
use crate::support::damage::{self, Shape, beside};
use crate::support::process::Holder;

/// An injured board in its sandbox, and the truth beside it.
fn injured(shape: Shape) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 60, 5);
    damage::injure(shape, 5, &good, &sandbox.board());
    (sandbox, good)
}

/// The shapes that have something to be recovered.
const HURT: [Shape; 10] = [
    Shape::TlsHeader,
    Shape::FirstPageZero,
    Shape::ZeroPages,
    Shape::InteriorsGone,
    Shape::Truncated,
    Shape::BitFlips,
    Shape::SchemaDuplicate,
    Shape::IndexDrift,
    Shape::WalHeaderGone,
    Shape::ManyCopies,
];

/// The evidence folders beside the board, oldest first.
fn evidence(sandbox: &Sandbox) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = entries(sandbox)
        .into_iter()
        .filter(|name| name.contains(".evidence."))
        .map(|name| sandbox.root().join(name))
        .collect();
    found.sort();
    found
}

fn entries(sandbox: &Sandbox) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(sandbox.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// The board's files as bytes: database, log and journal.
fn set(folder: &Path) -> [Option<Vec<u8>>; 3] {
    ["", "-wal", "-journal"].map(|suffix| std::fs::read(folder.join(format!("kanban.db{suffix}"))).ok())
}

/// What a plain SQLite user finds: sound, in the recorded mode.
fn sound(board: &Path) -> String {
    let connection = Connection::open_with_flags(board, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let check: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mode = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    connection.close().unwrap();
    mode
}

/// Nothing of ours is left but the evidence.
fn tidy(sandbox: &Sandbox) {
    for name in entries(sandbox) {
        assert!(!name.contains(".kanbanctl-"), "{name} was left behind");
        let sidecar = ["-wal", "-shm", "-journal"].iter().any(|suffix| name == format!("kanban.db{suffix}"));
        assert!(!sidecar, "{name} was left beside the board");
    }
}

#[test]
fn every_shape_of_damage_is_installed_over_and_put_back() {
    for shape in HURT {
        let (sandbox, good) = injured(shape);
        let before = set(&sandbox.root());
        let inode = sandbox.board().metadata().unwrap().ino();
        let output = sandbox.run(&["recover", "--yes", "--assume-unused", "--json"]);
        assert!([0, 5].contains(&output.code()), "{shape:?}\n{output}");
        let data = output.data();
        assert_eq!((&data["installed"], &data["verified"]), (&true.into(), &true.into()), "{shape:?}");
        assert_eq!(sandbox.board().metadata().unwrap().ino(), inode, "{shape:?}: another file");
        tidy(&sandbox);
        assert_eq!(sound(&sandbox.board()), "wal", "{shape:?}");
        let score = damage::score(&good, &sandbox.board());
        assert!(score.percent() >= 60.0 && score.wrong <= 60, "{shape:?}: {score:?}");
        let [folder] = evidence(&sandbox).try_into().unwrap();
        assert_eq!(data["evidence"], folder.to_str().unwrap(), "{shape:?}");
        assert_eq!(set(&folder), before, "{shape:?}: the evidence is not what was there");

        sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
        assert_eq!(set(&sandbox.root()), before, "{shape:?}: not put back byte for byte");
        assert_eq!(sandbox.board().metadata().unwrap().ino(), inode, "{shape:?}: another file");
        assert_eq!(evidence(&sandbox).len(), 2, "{shape:?}");
        // And once more: what undo replaced comes back.
        sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
        assert_eq!(damage::score(&good, &sandbox.board()), score, "{shape:?}");
    }
}

/// Rows, and what else must come through: page size, versions, encoding, sequences, the recorded mode.
#[test]
fn traits_come_through_an_install() {
    for (page_size, mode) in [(512, "delete"), (8192, "wal"), (65536, "delete"), (1024, "wal")] {
        let sandbox = Sandbox::new();
        let good = sandbox.work().join("good.db");
        damage::board(&good, 40, 5);
        let plain = Connection::open(&good).unwrap();
        plain
            .execute_batch(&format!(
                "PRAGMA journal_mode=DELETE; PRAGMA page_size={page_size}; VACUUM; PRAGMA user_version=77;
                 PRAGMA application_id=1234; PRAGMA journal_mode={mode}; UPDATE sqlite_sequence SET seq = seq + 1000;"
            ))
            .unwrap();
        plain.close().unwrap();
        let mut bytes = std::fs::read(&good).unwrap();
        let at = bytes.len() / 2 / page_size * page_size;
        bytes[at..at + page_size].fill(0);
        std::fs::write(sandbox.board(), bytes).unwrap();
        std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(0o640)).unwrap();
        let output = sandbox.run(&["recover", "--yes", "--assume-unused"]);
        assert!([0, 5].contains(&output.code()), "{page_size}\n{output}");
        assert_eq!(sound(&sandbox.board()), mode);
        assert_eq!(sandbox.board().metadata().unwrap().mode() & 0o777, 0o640);
        let traits = |path: &Path| {
            let connection = Connection::open(path).unwrap();
            ["page_size", "user_version", "application_id"]
                .map(|name| {
                    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap()
                })
                .into_iter()
                .chain(std::iter::once(
                    connection
                        .query_row("SELECT sum(seq) FROM sqlite_sequence", [], |row| row.get(0))
                        .unwrap(),
                ))
                .collect::<Vec<_>>()
        };
        assert_eq!(traits(&sandbox.board()), traits(&good), "{page_size}");
    }
}

/// A missing board comes back from its copy; a log that was left at the path does not get into it.
#[test]
fn a_missing_board_is_put_where_nothing_is() {
    let (sandbox, good) = injured(Shape::WalPending);
    damage::quarantine(&std::fs::read(&good).unwrap(), &sandbox.board());
    std::fs::remove_file(sandbox.board()).unwrap();
    sandbox.run(&["recover", "--yes", "--assume-unused"]);
    assert_eq!(sound(&sandbox.board()), "wal");
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
    let [folder] = evidence(&sandbox).try_into().unwrap();
    assert!(folder.join("kanban.db-wal").exists() && !folder.join("kanban.db").exists());
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).exits(12).says("never taken away");
}

/// A transaction that a crash cut short: the file is whole only with its journal, and so is what is recovered.
#[test]
fn a_hot_journal_is_rolled_back_before_anything_is_read() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 200, 5);
    let plain = Connection::open(&good).unwrap();
    plain.execute_batch("PRAGMA journal_mode=DELETE").unwrap();
    let torn = sandbox.work().join("torn.db");
    std::fs::copy(&good, &torn).unwrap();
    let writer = Connection::open(&torn).unwrap();
    writer
        .execute_batch("PRAGMA cache_size=5; BEGIN; UPDATE task_events SET payload='never committed'")
        .unwrap();
    std::fs::copy(&torn, sandbox.board()).unwrap();
    std::fs::copy(beside(&torn, "-journal"), beside(&sandbox.board(), "-journal")).unwrap();
    drop(writer);
    assert_ne!(std::fs::read(sandbox.board()).unwrap(), std::fs::read(&good).unwrap(), "nothing was written");
    let before = set(&sandbox.root());
    sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
    tidy(&sandbox);
    assert_eq!(sound(&sandbox.board()), "delete");
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
    assert_eq!(set(&evidence(&sandbox)[0]), before);
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(set(&sandbox.root()), before);
}

/// Rows only in the log beside a file of zero bytes: SQLite takes the log away as soon as it opens that file.
#[test]
fn rows_beside_an_empty_file_are_installed_into_it() {
    let sandbox = Sandbox::new();
    let good = sandbox.work().join("good.db");
    damage::board(&good, 30, 4);
    let connection = Connection::open(&good).unwrap();
    connection
        .execute_batch(
            "PRAGMA wal_autocheckpoint=0; PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL; VACUUM;",
        )
        .unwrap();
    std::fs::copy(beside(&good, "-wal"), beside(&sandbox.board(), "-wal")).unwrap();
    std::fs::write(sandbox.board(), b"").unwrap();
    drop(connection);
    let before = set(&sandbox.root());
    sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
    tidy(&sandbox);
    let score = damage::score(&good, &sandbox.board());
    assert_eq!((score.right, score.wrong), (score.truth, 0));
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).success();
    assert_eq!(set(&sandbox.root()), before);
}

/// Every refusal leaves every byte, time and entry.
#[test]
fn refusals_touch_nothing() {
    type Scene = fn(&Sandbox);
    let scenes: [(&str, &[&str], Scene); 4] = [
        ("--yes", &["recover", "--assume-unused"], |_| {}),
        ("symbolic link", &["recover", "--yes", "--assume-unused"], |sandbox| {
            std::fs::rename(sandbox.board(), sandbox.root().join("real.db")).unwrap();
            symlink("real.db", sandbox.board()).unwrap();
        }),
        ("hard links", &["recover", "--yes", "--assume-unused"], |sandbox| {
            std::fs::hard_link(sandbox.board(), sandbox.root().join("other.db")).unwrap();
        }),
        ("read-only", &["recover", "--yes", "--assume-unused"], |sandbox| {
            std::fs::set_permissions(sandbox.board(), std::fs::Permissions::from_mode(0o400)).unwrap();
        }),
    ];
    for (words, args, scene) in scenes {
        let (sandbox, _) = injured(Shape::ZeroPages);
        scene(&sandbox);
        let before = sandbox.photograph();
        sandbox.run(args).exits(12).says(words);
        assert_eq!(sandbox.photograph(), before, "{words}");
    }
    let (sandbox, _) = injured(Shape::ZeroPages);
    sandbox.run(&["recover", "--undo", "--yes", "--assume-unused"]).exits(13);
    assert!(evidence(&sandbox).is_empty());
}

#[test]
fn a_directory_that_cannot_be_written_is_refused() {
    let (sandbox, _) = injured(Shape::ZeroPages);
    std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(0o500)).unwrap();
    if std::fs::write(sandbox.root().join("probe"), b"").is_ok() {
        eprintln!("!!!! SKIPPED: this user may write everywhere");
        return;
    }
    let before = sandbox.photograph();
    sandbox.run(&["recover", "--yes", "--assume-unused"]).exits(12).says("cannot be written");
    assert_eq!(sandbox.photograph(), before);
    std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(0o700)).unwrap();
}

/// A disk that is too small is told so with figures, before anything is written (`KANBANCTL_TEST_MOUNTS`, root).
#[test]
fn a_disk_without_room_is_refused_with_figures() {
    if std::env::var_os("KANBANCTL_TEST_MOUNTS").is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_MOUNTS=1 and root");
        return;
    }
    let (sandbox, _) = injured(Shape::ZeroPages);
    let kept = sandbox.work().join("kept.db");
    std::fs::copy(sandbox.board(), &kept).unwrap();
    let mount = |program: &str, args: &[&str]| {
        let mut command = std::process::Command::new(program);
        assert!(command.args(args).arg(sandbox.root()).status().unwrap().success(), "{program}");
    };
    let size = format!("size={}", kept.metadata().unwrap().len() * 2);
    mount("mount", &["-t", "tmpfs", "tmpfs", "-o", &size]);
    std::fs::copy(&kept, sandbox.board()).unwrap();
    let before = sandbox.photograph();
    let output = sandbox.run(&["recover", "--yes", "--assume-unused"]);
    let after = sandbox.photograph();
    mount("umount", &["-l"]);
    output.exits(12).says("not enough space").says("iB are needed (").says("are free");
    assert_eq!(after, before);
}

#[test]
fn a_holder_is_named_and_nothing_is_installed_until_it_has_gone() {
    let (sandbox, _) = injured(Shape::IndexDrift);
    let holder = Holder::on(&sandbox.board());
    let name = format!("process {}", holder.pid());
    sandbox.run(&["recover", "--yes", "--assume-unused"]).exits(12).says(&name);
    sandbox.run(&["recover", "--dry-run"]).success().says(&format!("pid {}", holder.pid()));
    assert!(evidence(&sandbox).is_empty());
    drop(holder);
    sandbox.run(&["recover", "--yes", "--assume-unused"]).success();
    assert_eq!(evidence(&sandbox).len(), 1);
}

#[test]
fn locks_of_hermes_are_waited_for_and_nothing_is_left_when_they_are_not_had() {
    let (sandbox, _) = injured(Shape::ZeroPages);
    for suffix in [".init.lock", ".dispatch.lock"] {
        let path = beside(&sandbox.board(), suffix);
        let lock = std::fs::File::create(&path).unwrap();
        lock.lock().unwrap();
        let before = set(&sandbox.root());
        sandbox.run(&["recover", "--yes", "--assume-unused", "--timeout", "100ms"]).exits(11).says(suffix);
        assert_eq!(set(&sandbox.root()), before);
        assert!(evidence(&sandbox).is_empty());
        tidy_but_logs(&sandbox);
    }
}

fn tidy_but_logs(sandbox: &Sandbox) {
    assert!(entries(sandbox).iter().all(|name| !name.contains(".kanbanctl-")));
}
