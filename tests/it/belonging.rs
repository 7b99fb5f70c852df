//! Pairs of files that are of one board, and pairs that are not.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use kanbanctl::board::belonging::{Relation, SourceFacts, of_journal, of_log, relation};
use kanbanctl::ondisk::header::Header;
use kanbanctl::ondisk::image::Image;

use crate::support::damage::cases::Case;
use crate::support::damage::{Score, score_since};
use crate::support::sandbox::Sandbox;

/// The Pythons that have a Hermes, by the variable that names each.
fn pythons() -> Vec<PathBuf> {
    let names = ["KANBANCTL_TEST_HERMES", "KANBANCTL_TEST_HERMES_0_20", "KANBANCTL_TEST_HERMES_0_22"];
    let found: Vec<_> = names.into_iter().filter_map(std::env::var_os).map(PathBuf::from).collect();
    if found.is_empty() {
        eprintln!("!!!! SKIPPED: needs a Python with Hermes in one of {names:?}");
    }
    found
}

fn beside(board: &Path, suffix: &str) -> Vec<u8> {
    std::fs::read(format!("{}{suffix}", board.display())).unwrap_or_default()
}

fn facts(main: &Vec<u8>) -> SourceFacts {
    let size = Header::read(main).and_then(|header| header.page_size).unwrap_or(4096);
    SourceFacts::of_image(&Image::new(main, size, size))
}

/// Looks at every moment of a Hermes that writes by chance; how many pairs there were, and which were not called lawful.
fn watch(python: &Path, seed: u64, mode: &str, steps: u32) -> (usize, Vec<String>) {
    let sandbox = Sandbox::new().with_real_clock();
    let board = sandbox.root().join("kanban.db");
    std::fs::create_dir_all(sandbox.root()).unwrap();
    let mut child = sandbox
        .program(python)
        .env("HERMES_HOME", sandbox.root())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env_remove("KANBANCTL_NOW")
        .args(["-c", include_str!("support/moments.py")])
        .arg(&board)
        .args([&seed.to_string(), mode, &steps.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut stdin = child.stdin.take().unwrap();
    let (mut pairs, mut wrong, mut moments) = (0, Vec::new(), Vec::new());
    let mut moment = 0;
    while let Some(Ok(_)) = lines.next() {
        let (main, log, journal) = (beside(&board, ""), beside(&board, "-wal"), beside(&board, "-journal"));
        let mut note = |what: &str, relation: Relation, lawful: bool| {
            pairs += 1;
            if !lawful {
                wrong.push(format!(
                    "{} seed {seed} {mode} pair {pairs}: {what} {relation:?}",
                    python.display()
                ));
                if let Some(folder) = std::env::var_os("KANBANCTL_TEST_KEEP") {
                    let at =
                        |suffix: &str| Path::new(&folder).join(format!("{mode}-{seed}-{pairs}.db{suffix}"));
                    std::fs::write(at(""), &main).unwrap();
                    std::fs::write(at("-wal"), &log).unwrap();
                    std::fs::write(at("-journal"), &journal).unwrap();
                }
            }
        };
        if !log.is_empty() {
            let found = of_log(&main, &log);
            note("log", found, found == Relation::SameMoment);
        }
        if !journal.is_empty() {
            let found = of_journal(&main, &journal);
            note("journal", found, found == Relation::SameMoment);
        }
        moment += 1;
        if moment % 7 == 0 {
            let now = facts(&main);
            for then in &moments {
                let found = relation(&now, then, None);
                note("copy", found, found != Relation::AnotherBoard);
            }
            if moment % 49 == 0 {
                moments.push(now);
            }
        }
        writeln!(stdin).unwrap();
    }
    drop(stdin);
    child.wait().unwrap();
    (pairs, wrong)
}

fn watch_all(seeds: std::ops::Range<u64>, steps: u32) -> usize {
    let (mut all, mut wrong) = (0, Vec::new());
    for python in pythons() {
        for seed in seeds.clone() {
            for mode in ["wal", "delete"] {
                let (pairs, more) = watch(&python, seed, mode, steps);
                all += pairs;
                wrong.extend(more);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {all} lawful pairs:\n{}", wrong.len(), wrong.join("\n"));
    all
}

#[test]
fn every_moment_of_a_writing_hermes_is_lawful() {
    let pairs = watch_all(1..2, 60);
    assert!(pairs > 100 || pythons().is_empty(), "only {pairs} pairs");
}

#[test]
fn thousands_of_moments_are_lawful() {
    if std::env::var_os("KANBANCTL_TEST_LONG").is_none() {
        eprintln!("!!!! SKIPPED: needs KANBANCTL_TEST_LONG=1");
        return;
    }
    let pairs = watch_all(10..16, 250);
    eprintln!("{pairs} lawful pairs");
    assert!(pairs > 5_000 || pythons().is_empty(), "only {pairs} pairs");
}

/// SQLite writes over frames of an open transaction and corrects their checksums only when it commits.
#[test]
fn open_transaction_that_outgrew_memory_is_lawful() {
    let sandbox = Sandbox::with_board();
    for task in ["one", "two", "three"] {
        sandbox.run(&["create", task]).success();
    }
    let connection = rusqlite::Connection::open(sandbox.board()).unwrap();
    connection
        .execute_batch("PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=2; PRAGMA cache_spill=2;")
        .unwrap();
    let grow = "INSERT INTO task_events(task_id, kind, payload, created_at)
                SELECT id, 'heartbeat', hex(randomblob(900)), created_at FROM tasks, (VALUES(1),(2),(3),(4),(5),(6))";
    connection.execute_batch(grow).unwrap();
    let mut seen = 0;
    for round in 0..120 {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..=(round % 4) {
            connection.execute_batch(grow).unwrap();
            connection.execute_batch("UPDATE task_events SET created_at=created_at+1").unwrap();
        }
        let (main, log) = (beside(&sandbox.board(), ""), beside(&sandbox.board(), "-wal"));
        assert_eq!(of_log(&main, &log), Relation::SameMoment, "round {round}");
        let wal = kanbanctl::ondisk::wal::Wal::read(&log, Some(4096)).unwrap();
        assert!(wal.committed().all(|frame| frame.index < wal.visible()), "round {round}");
        seen += 1;
        connection.execute_batch("ROLLBACK").unwrap();
    }
    assert_eq!(seen, 120);
}

/// What each kind is called at each of three seeds.
fn called(name: &str, look: impl Fn(&Path) -> Relation) -> Vec<Relation> {
    let case = Case::all().into_iter().find(|case| case.name == name).unwrap();
    let one = |seed| {
        let dir = tempfile::tempdir().unwrap();
        let board = dir.path().join("kanban.db");
        case.set(&board, dir.path(), 150, seed);
        look(&board)
    };
    [3, 7, 11].map(one).into()
}

#[test]
fn log_of_another_board_or_moment_is_told_apart() {
    let log = |board: &Path| of_log(&beside(board, ""), &beside(board, "-wal"));
    for name in ["foreign-wal", "foreign-wal-small"] {
        assert_eq!(called(name, log), [Relation::AnotherBoard; 3], "{name}");
    }
    for name in ["later-log-of-same", "wal-over-older-main", "wal-beside-newer-main"] {
        assert_eq!(called(name, log), [Relation::OtherMoment; 3], "{name}");
    }
    for name in ["wal-pending", "wal-torn-tail", "wal-frame-bad", "main-empty", "wal-older-generation"] {
        assert_eq!(called(name, log), [Relation::SameMoment; 3], "{name}");
    }
}

#[test]
fn journal_of_another_moment_is_told_apart() {
    let journal = |board: &Path| of_journal(&beside(board, ""), &beside(board, "-journal"));
    assert_eq!(called("stale-journal", journal), [Relation::OtherMoment; 3]);
}

#[test]
fn copy_of_another_board_is_told_apart() {
    let copy = |board: &Path| {
        let entries = std::fs::read_dir(board.parent().unwrap()).unwrap();
        let names = entries.map(|entry| entry.unwrap().path());
        let copy = names.into_iter().find(|path| path.extension().is_some_and(|end| end == "bak")).unwrap();
        relation(&facts(&beside(board, "")), &facts(&std::fs::read(copy).unwrap()), None)
    };
    for name in ["foreign-bak", "foreign-bak-sound", "foreign-bak-newer-live-page1"] {
        assert_eq!(called(name, copy), [Relation::AnotherBoard; 3], "{name}");
    }
    for name in ["half-gone-three-older", "deleted-stays-deleted", "many-copies"] {
        assert_eq!(called(name, copy), [Relation::OtherMoment; 3], "{name}");
    }
}

/// `recover --output` of a kind: what it exits with, and its report.
fn recovered(name: &str, seed: u64, args: &[&str]) -> (i32, serde_json::Value, Score) {
    let case = Case::all().into_iter().find(|case| case.name == name).unwrap();
    let sandbox = Sandbox::new();
    let scene = case.set(&sandbox.board(), &sandbox.work(), 150, seed);
    let new = sandbox.work().join("new.db");
    let output = sandbox.run(&[&["recover", "--output", new.to_str().unwrap(), "--json"], args].concat());
    let score = score_since(&scene.truth, &scene.earlier(), &new);
    (output.code(), output.data(), score)
}

#[test]
fn rows_of_another_board_stay_out_and_are_counted() {
    for (name, file) in [
        ("foreign-wal", "kanban.db-wal"),
        ("foreign-wal-small", "kanban.db-wal"),
        ("foreign-bak-sound", ".bak"),
    ] {
        for seed in [3, 7, 11] {
            let (exit, data, score) = recovered(name, seed, &[]);
            assert_eq!((exit, score.right, score.wrong), (5, score.truth, 0), "{name} {seed}: {score:?}");
            let foreign = &data["foreign"][0];
            assert!(foreign["path"].as_str().unwrap().ends_with(file), "{name}: {data:#}");
            assert!(foreign["rows"].as_u64().unwrap() > 0, "{name}: {data:#}");
        }
    }
}

#[test]
fn rows_of_another_board_come_in_when_asked() {
    let (plain, invited) = ("home/.hermes/kanban.db-wal", "../home/.hermes/kanban.db-wal");
    let case = Case::all().into_iter().find(|case| case.name == "foreign-wal").unwrap();
    for args in [vec!["--include-foreign", invited], vec![invited]] {
        let sandbox = Sandbox::new();
        case.set(&sandbox.board(), &sandbox.work(), 60, 3);
        assert!(sandbox.path().join(plain).exists());
        let new = sandbox.work().join("new.db");
        let output =
            sandbox.run(&[&["recover", "--output", new.to_str().unwrap(), "--json"], &args[..]].concat());
        let data = output.data();
        assert_eq!(data["foreign"].as_array().unwrap().len(), 0, "{data:#}");
        let tasks = data["tables"]["tasks"]["recovered"].as_u64().unwrap();
        assert_eq!(tasks, 60 + 80, "{data:#}");
    }
}

#[test]
fn health_names_what_does_not_belong_and_changes_nothing() {
    for (name, finding) in [
        ("foreign-wal", "wal-foreign"),
        ("foreign-wal-small", "wal-foreign"),
        ("later-log-of-same", "wal-foreign"),
        ("stale-journal", "journal-foreign"),
    ] {
        let case = Case::all().into_iter().find(|case| case.name == name).unwrap();
        let sandbox = Sandbox::new();
        case.set(&sandbox.board(), &sandbox.work(), 60, 3);
        let before = sandbox.photograph();
        let data = sandbox.run(&["health", "--json"]).exits(4).data();
        let found: Vec<_> = data["findings"].as_array().unwrap().iter().map(|found| &found["id"]).collect();
        assert!(found.contains(&&serde_json::json!(finding)), "{name}: {data:#}");
        assert!(data["findings"][0]["next"].as_str().unwrap().contains("recover"), "{name}: {data:#}");
        for args in [&["list"][..], &["backup", "."]] {
            sandbox.run(args).exits(4);
        }
        sandbox.run(&["health", "--explain", finding]).success();
        assert_eq!(sandbox.photograph(), before, "{name}");
    }
}
