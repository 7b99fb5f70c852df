//! What a file and its WAL hold, up to the rows. The first two bytes say how long the main file is; the rest is the WAL.
#![no_main]
use std::path::Path;
use std::sync::OnceLock;

use kanbanctl::copies::inspect::Inspector;
use kanbanctl::salvage::source as sources;
use kanbanctl::work::progress::Unwatched;
use libfuzzer_sys::fuzz_target;

fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER.get_or_init(|| tempfile::tempdir().expect("a temporary directory")).path()
}

fuzz_target!(|bytes: &[u8]| {
    let [a, b, rest @ ..] = bytes else { return };
    let split = usize::from(u16::from_be_bytes([*a, *b])).min(rest.len());
    let (main, wal) = rest.split_at(split);
    let path = folder().join("kanban.db");
    std::fs::write(&path, main).expect("the temporary directory takes files");
    std::fs::write(folder().join("kanban.db-wal"), wal).expect("the temporary directory takes files");
    let viewer = Inspector::new(folder().to_path_buf()).expect("a database in memory");
    if let Ok(found) = sources::discover(&path, &[], &mut Unwatched) {
        found.sources.iter().for_each(|source| drop(viewer.holdings(source)));
    }
});
