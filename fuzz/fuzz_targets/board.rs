//! A whole board through the checks of health and through recovery, as files. The first two bytes say how many kilobytes the
//! main file has; the rest is the WAL.
#![no_main]
use std::path::Path;
use std::sync::OnceLock;

use kanbanctl::board::holders::{Completeness, Holders};
use kanbanctl::board::{Board, Origin, filesystem};
use kanbanctl::health::checks::{self, CheckTerms, Subject};
use kanbanctl::health::{Depth, before_opening};
use kanbanctl::recover::{self, RecoverOptions};
use kanbanctl::salvage::source as sources;
use kanbanctl::work::progress::Unwatched;
use libfuzzer_sys::fuzz_target;
use rusqlite::{Connection, OpenFlags};

/// Statements may take so many looks of this many steps; a board of some kilobytes stays far below.
const STEPS: i32 = 100_000;
const LOOKS: u32 = 200;

fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary directory")).path()
}

fn check(path: &Path) {
    let board = Board { slug: None, path: path.to_path_buf(), origin: Origin::DbOption };
    let Ok(inspection) = board.inspect() else { return };
    let Ok(filesystem) = filesystem::of(folder()) else { return };
    let holders = Holders { found: Vec::new(), complete: Completeness::Complete };
    let subject = Subject::of(inspection, filesystem, holders, CheckTerms::new(Depth::Full, 1_780_000_000));
    let Ok(subject) = subject else { return };
    drop(before_opening(&subject));
    if subject.inspection.require_sqlite().is_err() {
        return;
    }
    let Ok(mut connection) = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY) else {
        return;
    };
    let mut looks = 0;
    let tired = move || {
        looks += 1;
        looks > LOOKS
    };
    if connection.progress_handler(STEPS, Some(tired)).is_err()
        || kanbanctl::pool::protect(&connection).is_err()
    {
        return;
    }
    drop(checks::integrity(&connection, &subject));
    drop(checks::after_opening(&connection, &subject));
}

fuzz_target!(|bytes: &[u8]| {
    let [a, b, rest @ ..] = bytes else { return };
    let split = (usize::from(u16::from_be_bytes([*a, *b])) * 1024).min(rest.len());
    let (main, log) = rest.split_at(split);
    let path = folder().join("kanban.db");
    for (suffix, bytes) in [("", main), ("-wal", log)] {
        let file = folder().join(format!("kanban.db{suffix}"));
        if bytes.is_empty() && !suffix.is_empty() {
            drop(std::fs::remove_file(file));
        } else {
            std::fs::write(file, bytes).expect("the temporary directory takes files");
        }
    }
    drop(std::fs::remove_file(folder().join("kanban.db-shm")));
    let rescued = folder().join("rescued.db");
    drop(std::fs::remove_file(&rescued));
    if let Ok(found) = sources::discover(&path, &[], &mut Unwatched) {
        let options = RecoverOptions::new(folder().to_path_buf());
        drop(recover::recover(&found.sources, Some(&rescued), &options, &mut Unwatched));
    }
    check(&path);
});
