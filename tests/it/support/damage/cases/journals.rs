//! Rollback journals of transactions that a crash cut short, hurt themselves.

use rusqlite::Connection;

use super::super::beside;
use super::{Case, File, Scene};

const SECTOR: usize = 512;

pub(super) const CASES: &[Case] = &[
    Case::new("hot-journal", |scene| {
        let journal = crash(scene);
        leave(scene, &journal);
    }),
    // The page of a record of which nothing is left is as the transaction left it.
    Case::new("hot-journal-torn", |scene| {
        let mut journal = crash(scene);
        let sectors = journal.len() / SECTOR;
        for _ in 0..(sectors / 100).max(2) {
            let sector = 1 + scene.dice.below(sectors - 1);
            journal[sector * SECTOR..(sector + 1) * SECTOR].fill(0);
        }
        leave(scene, &journal);
    })
    .wrong(2)
    .reaches(99.0),
    Case::new("hot-journal-flipped", |scene| {
        let mut journal = crash(scene);
        for _ in 0..4 {
            let at = SECTOR + scene.dice.below(journal.len() - SECTOR);
            journal[at] ^= 1 << scene.dice.below(8);
        }
        leave(scene, &journal);
    })
    // The checksum of a record sums one byte in two hundred.
    .wrong(4)
    .reaches(99.5),
    Case::new("hot-journal-header-lost", |scene| {
        let mut journal = crash(scene);
        let headers: Vec<usize> = (SECTOR..journal.len())
            .step_by(SECTOR)
            .filter(|at| journal[*at..].starts_with(&[0xd9, 0xd5, 0x05, 0xf9]))
            .collect();
        assert!(!headers.is_empty(), "the scene needs a journal of two segments");
        let at = *scene.dice.pick(&headers);
        journal[at..at + SECTOR].fill(0);
        leave(scene, &journal);
    }),
];

/// Begins a transaction that outgrows its cache over the truth, and leaves the board as it is in the middle of it. Returns the
/// journal.
fn crash(scene: &mut Scene) -> Vec<u8> {
    scene.usual();
    let busy = scene.dir.join("busy.db");
    let convert = Connection::open(&scene.truth).unwrap();
    convert.execute_batch("PRAGMA journal_mode=DELETE").unwrap();
    convert.close().unwrap();
    std::fs::copy(&scene.truth, &busy).unwrap();
    let connection = Connection::open(&busy).unwrap();
    connection
        .execute_batch(
            "PRAGMA synchronous=FULL; PRAGMA cache_size=5; BEGIN; \
             UPDATE tasks SET title = 'never ' || title, status = 'done' WHERE rowid % 3 = 0; \
             DELETE FROM task_events WHERE id % 4 = 0; \
             UPDATE task_comments SET body = 'never' WHERE id % 5 = 0; \
             INSERT INTO task_comments(task_id, author, body, created_at) SELECT id, 'nobody', title, 1 FROM tasks",
        )
        .unwrap();
    std::fs::copy(&busy, &scene.board).unwrap();
    std::fs::read(beside(&busy, "-journal")).unwrap()
}

fn leave(scene: &Scene, journal: &[u8]) {
    std::fs::write(beside(&scene.board, "-journal"), journal).unwrap();
    assert_ne!(
        File::read(&scene.board).bytes,
        File::read(&scene.truth).bytes,
        "the scene needs a cache that overflowed"
    );
}
