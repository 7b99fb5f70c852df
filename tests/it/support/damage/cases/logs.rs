//! Main file and WAL that do not go together, and WALs with holes.

use rusqlite::Connection;

use super::super::board::carry_on;
use super::super::{Dice, beside};
use super::{Case, File, Scene, some};

const FRAME: usize = 24 + 4096;

pub(super) const CASES: &[Case] = &[
    Case::new("main-empty", |scene| {
        let log = all_in_wal(scene);
        std::fs::write(&scene.board, b"").unwrap();
        scene.leave_wal(&log);
    }),
    Case::new("main-missing", |scene| {
        let log = all_in_wal(scene);
        scene.leave_wal(&log);
    }),
    Case::new("main-empty-wal-headless", |scene| {
        let mut log = all_in_wal(scene);
        log[..32].fill(0);
        std::fs::write(&scene.board, b"").unwrap();
        scene.leave_wal(&log);
    }),
    Case::new("wal-torn-tail", |scene| {
        // Behind the last commit a frame that was not written to its end.
        let Moments { old, mut log } = moments(scene);
        let last = log[log.len() - FRAME..log.len() - 1000].to_vec();
        log.extend(last);
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
    Case::new("wal-frame-bad", |scene| {
        let Moments { old, mut log } = moments(scene);
        let frames = (log.len() - 32) / FRAME;
        let at = 32 + frames / 2 * FRAME + 24;
        scene.dice.noise(&mut log[at..at + 4096]);
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
    Case::new("wal-frame-headers-bad", |scene| {
        let Moments { old, mut log } = moments(scene);
        let frames = (log.len() - 32) / FRAME;
        for frame in (0..frames).step_by(9) {
            let at = 32 + frame * FRAME;
            scene.dice.noise(&mut log[at..at + 24]);
        }
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
    Case::new("wal-headless-main-hurt", |scene| {
        let Moments { mut old, mut log } = moments(scene);
        log[..32].fill(0);
        zero_pages(&mut old, &mut scene.dice, 5);
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
    Case::new("wal-over-older-main", |scene| {
        // The copy that was put back is older than the state over which the log was written.
        let first = scene.usual();
        // Its rows that were changed or deleted since are older ones, not ones that never were.
        scene.versions.push(first.bytes.clone());
        let Moments { log, .. } = moments_of(scene);
        scene.leave(&first);
        scene.leave_wal(&log);
    }),
    Case::new("wal-beside-newer-main", |scene| {
        // A log from before: it was checkpointed, and the main file has gone on since.
        let Moments { log, .. } = moments(scene);
        let connection = scene.connect();
        carry_on(&connection, scene.seed + 9);
        connection.close().unwrap();
        let new = File::read(&scene.truth);
        scene.leave(&new);
        scene.leave_wal(&log);
    }),
    Case::new("wal-older-generation", older_generation),
    Case::new("wal-uncommitted-tail", |scene| {
        // Behind the last commit, frames of a transaction that was too large for memory and never ended.
        scene.usual();
        let connection = scene.connect();
        connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
        carry_on(&connection, scene.seed);
        connection.execute_batch("COMMIT").unwrap();
        let old = File::read(&scene.truth);
        scene.keep_version(&scene.truth.clone());
        connection.execute_batch("PRAGMA cache_size=5; BEGIN; UPDATE tasks SET title = 'never'").unwrap();
        let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
        connection.execute_batch("ROLLBACK").unwrap();
        connection.close().unwrap();
        scene.leave(&old);
        scene.leave_wal(&log);
    }),
];

/// A board of two moments: the older in the main file, what came since in the log.
struct Moments {
    old: File,
    log: Vec<u8>,
}

fn moments(scene: &mut Scene) -> Moments {
    scene.usual();
    moments_of(scene)
}

/// Carries on with the truth, a first time into the main file and a second time into the log alone.
fn moments_of(scene: &mut Scene) -> Moments {
    let connection = scene.connect();
    carry_on(&connection, scene.seed);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let old = File::read(&scene.truth);
    scene.versions.push(old.bytes.clone());
    connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
    carry_on(&connection, scene.seed + 1);
    connection.execute_batch("COMMIT").unwrap();
    let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
    connection.close().unwrap();
    Moments { old, log }
}

/// The log of a board that was written into it from end to end.
fn all_in_wal(scene: &mut Scene) -> Vec<u8> {
    scene.usual();
    let connection = Connection::open(&scene.truth).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=DELETE; PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; VACUUM",
        )
        .unwrap();
    let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
    connection.close().unwrap();
    log
}

/// A log that was begun anew: behind its few new frames are those of the generation before, all of them checkpointed. Pages
/// of the main file are gone whose older versions still stand there.
fn older_generation(scene: &mut Scene) {
    scene.usual();
    let connection = scene.connect();
    connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
    carry_on(&connection, scene.seed);
    connection.execute_batch("COMMIT").unwrap();
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    scene.versions.push(std::fs::read(&scene.truth).unwrap());
    connection.execute("UPDATE tasks SET priority = 9 WHERE rowid = 5", []).unwrap();
    let mut main = File::read(&scene.truth);
    let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
    connection.close().unwrap();
    zero_pages(&mut main, &mut scene.dice, 10);
    scene.leave(&main);
    scene.leave_wal(&log);
}

fn zero_pages(file: &mut File, dice: &mut Dice, share: usize) {
    for number in some(dice, &file.leaves(), share) {
        file.page_mut(number).fill(0);
    }
}
