//! Boards beside which a log, a journal or a copy lies that is of another board, or of another moment.

use std::path::PathBuf;

use rusqlite::Connection;

use super::super::board::{Recipe, carry_on};
use super::super::{beside, quarantine};
use super::{Case, File, Scene, some};

pub(super) const CASES: &[Case] = &[
    Case::new("foreign-wal", |scene| {
        let file = scene.usual();
        let log = whole_log(scene, scene.tasks + 20);
        scene.leave(&file);
        scene.leave_wal(&log);
    }),
    Case::new("foreign-wal-small", |scene| {
        let file = scene.usual();
        let log = small_log(scene, scene.tasks / 4);
        scene.leave(&file);
        scene.leave_wal(&log);
    }),
    Case::new("foreign-bak-sound", |scene| {
        let file = scene.usual();
        let copy = another(scene, scene.tasks);
        scene.leave(&file);
        quarantine(&std::fs::read(copy).unwrap(), &scene.board);
    }),
    Case::new("foreign-bak", |scene| {
        let mut file = scene.usual();
        let copy = another(scene, scene.tasks);
        lose(&mut file, scene, 6);
        scene.leave(&file);
        quarantine(&std::fs::read(copy).unwrap(), &scene.board);
    })
    // A few early rows are equal on both boards. They are not taken from a board that is another one.
    .reaches(99.0),
    Case::new("foreign-bak-newer-live-page1", |scene| {
        let mut file = scene.usual();
        let copy = another(scene, 2 * scene.tasks);
        file.page_mut(1).fill(0);
        scene.leave(&file);
        quarantine(&std::fs::read(copy).unwrap(), &scene.board);
    }),
    Case::new("later-log-of-same", |scene| {
        // Put back by hand: between the file and the log lies a checkpoint of 30 commits.
        let old = scene.usual();
        scene.versions.push(old.bytes.clone());
        let connection = scene.connect();
        for step in 0..3 {
            carry_on(&connection, scene.seed + step);
        }
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        scene.keep_version(&scene.truth.clone());
        connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
        carry_on(&connection, scene.seed + 9);
        connection.execute_batch("COMMIT").unwrap();
        let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
        connection.close().unwrap();
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
    Case::new("stale-journal", |scene| {
        scene.usual();
        let connection = scene.connect();
        connection.execute_batch("PRAGMA journal_mode=DELETE").unwrap();
        connection
            .execute_batch("PRAGMA cache_size=5; BEGIN; UPDATE tasks SET priority = priority + 1")
            .unwrap();
        carry_on(&connection, scene.seed);
        let journal = std::fs::read(beside(&scene.truth, "-journal")).unwrap();
        connection.execute_batch("COMMIT").unwrap();
        for step in 0..12 {
            let comment = "INSERT INTO task_comments(task_id, author, body, created_at) \
                           SELECT id, 'bob', 'later', 1790000000 FROM tasks LIMIT 1";
            connection.execute(comment, []).unwrap();
            if step % 4 == 0 {
                carry_on(&connection, scene.seed + 100 + 17 * step);
            }
        }
        connection.close().unwrap();
        let file = File::read(&scene.truth);
        scene.leave(&file);
        std::fs::write(beside(&scene.board, "-journal"), journal).unwrap();
    }),
];

/// A board of `tasks` tasks that has nothing to do with the scene's.
fn another(scene: &Scene, tasks: usize) -> PathBuf {
    let path = scene.dir.join("another.db");
    Recipe::default().make(&path, tasks, scene.seed + 4711);
    path
}

/// The log of another board that is in it from end to end.
fn whole_log(scene: &Scene, tasks: usize) -> Vec<u8> {
    let path = another(scene, tasks);
    let connection = Connection::open(&path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; VACUUM",
        )
        .unwrap();
    taken(&path, connection)
}

/// The log of another board in which a few of its tasks moved.
fn small_log(scene: &Scene, tasks: usize) -> Vec<u8> {
    let path = another(scene, tasks);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA wal_autocheckpoint=0").unwrap();
    for rowid in [3, 5, 9, 11] {
        connection.execute("UPDATE tasks SET status = 'done' WHERE rowid = ?", [rowid]).unwrap();
        let event = "INSERT INTO task_events(task_id, kind, created_at) \
                     SELECT id, 'completed', 1780009000 FROM tasks WHERE rowid = ?";
        connection.execute(event, [rowid]).unwrap();
    }
    taken(&path, connection)
}

fn taken(path: &std::path::Path, connection: Connection) -> Vec<u8> {
    let log = std::fs::read(beside(path, "-wal")).unwrap();
    connection.close().unwrap();
    std::fs::remove_file(path).unwrap();
    log
}

fn lose(file: &mut File, scene: &mut Scene, share: usize) {
    for number in some(&mut scene.dice, &file.leaves(), share) {
        file.page_mut(number).fill(0);
    }
}
