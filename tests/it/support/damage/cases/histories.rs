//! A hurt board with many moments of it beside it, and files that are put together from several moments.

use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use super::super::board::{Age, Recipe, carry_on};
use super::super::{Dice, beside, quarantine};
use super::{Case, File, Scene, some};

/// What a failed disk loses at least.
const SECTOR: usize = 512;
/// One sector in this many is lost.
const SECTORS_PER_LOSS: usize = 150;

pub(super) const CASES: &[Case] = &[
    Case::new("chain8-walmix", chain_with_logs_of_the_copy_before),
    Case::new("chain12-live-hurt", |scene| {
        let mut live = chain(scene, 12, false);
        lose(&mut live, &mut scene.dice, 4, |_, page| page.fill(0));
        scene.leave(&live);
    }),
    Case::new("chain20-live-hurt-shuffled", |scene| {
        let mut live = chain(scene, 20, true);
        lose(&mut live, &mut scene.dice, 3, Dice::noise);
        scene.leave(&live);
    }),
    Case::new("page1024-copy-wal", |scene| copy_and_log(scene, 1024, "none")),
    Case::new("page8192-copy-wal", |scene| copy_and_log(scene, 8192, "none")),
    Case::new("page65536-copy-wal", |scene| copy_and_log(scene, 65_536, "none")),
    Case::new("autovacuum-full", |scene| copy_and_log(scene, 4096, "full")),
    Case::new("autovacuum-incremental", |scene| copy_and_log(scene, 4096, "incremental")),
    Case::new("big-bodies-copy-helps", long_rows_lost_in_both),
    Case::new("rowid-reused-hurt", rowids_used_again),
    Case::new("cp-during-checkpoint", copied_during_a_checkpoint),
    Case::new("dump-then-append", |scene| {
        let (old, mut new) = scene.two_moments();
        new.bytes.extend_from_slice(&old.bytes);
        scene.leave(&new);
    })
    .older(0),
    Case::new("same-length-edit", |scene| {
        let live = edited(
            scene,
            "UPDATE tasks SET priority = -priority, \
             status = CASE status WHEN 'blocked' THEN 'running' WHEN 'todo' THEN 'done' ELSE status END \
             WHERE rowid % 5 = 0 AND abs(priority) > 1",
        );
        scene.leave(&live);
    })
    .older(0),
    Case::new("storm-index-drift", storm).older(0),
    Case::new("rsync-mix", |scene| {
        let (old, new) = scene.two_moments();
        // Stopped at 55 %, at the end of a sector.
        let stop = new.bytes.len() * 55 / 100 / SECTOR * SECTOR;
        let mut mixed = new.bytes[..stop].to_vec();
        mixed.extend_from_slice(old.bytes.get(stop..).unwrap_or_default());
        std::fs::write(&scene.board, mixed).unwrap();
    }),
    Case::new("sector-ff-bak", |scene| {
        let (mut old, mut new) = scene.two_moments();
        lose_sectors(&mut old, &mut scene.dice, 100, 0xff);
        lose_sectors(&mut new, &mut scene.dice, 100, 0xff);
        quarantine(&old.bytes, &scene.board);
        scene.leave(&new);
    }),
    Case::new("sector-zero-everywhere-copy", |scene| {
        let (mut old, mut new) = scene.two_moments();
        lose_sectors(&mut old, &mut scene.dice, 100, 0);
        lose_sectors(&mut new, &mut scene.dice, 100, 0);
        quarantine(&old.bytes, &scene.board);
        scene.leave(&new);
    }),
    Case::new("hermes013-sectors", |scene| sectors_of(scene, Age::Legacy)),
    Case::new("hermes022-sectors", |scene| sectors_of(scene, Age::Newer)),
    Case::new("restored-older-then-on", |scene| {
        // An older copy was put back; the board went on from it. The newer state is in a copy.
        let old = scene.usual();
        let connection = scene.connect();
        carry_on(&connection, scene.seed);
        connection.close().unwrap();
        let newer = File::read(&scene.truth);
        quarantine(&newer.bytes, &scene.board);
        std::fs::write(&scene.truth, &old.bytes).unwrap();
        let connection = scene.connect();
        carry_on(&connection, scene.seed + 77);
        connection.close().unwrap();
        scene.leave(&File::read(&scene.truth));
    })
    .older(0),
    Case::new("foreign-wal-recreated", |scene| {
        // The board was made again; the log of the one before still lies there.
        let before = scene.dir.join("before.db");
        Recipe::default().make(&before, scene.tasks, scene.seed + 31);
        let connection = Connection::open(&before).unwrap();
        connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
        carry_on(&connection, scene.seed);
        connection.execute_batch("COMMIT").unwrap();
        let log = std::fs::read(beside(&before, "-wal")).unwrap();
        connection.close().unwrap();
        scene.usual();
        let later = "UPDATE tasks SET created_at = created_at + 9000000; \
                     UPDATE task_events SET created_at = created_at + 9000000; \
                     UPDATE task_comments SET created_at = created_at + 9000000";
        let connection = scene.connect();
        connection.execute_batch(later).unwrap();
        connection.close().unwrap();
        scene.leave(&File::read(&scene.truth));
        scene.leave_wal(&log);
    }),
];

/// Moments of one board: each but the last is a sound copy beside it, the last is returned. The times of the copies say
/// nothing where they are `shuffled`.
fn chain(scene: &mut Scene, copies: u64, shuffled: bool) -> File {
    let mut file = scene.usual();
    for moment in 0..copies {
        let copy = quarantine(&file.bytes, &scene.board);
        if shuffled {
            let ago = Duration::from_secs(60 * (1 + scene.dice.below(5000) as u64));
            let copy = std::fs::File::options().append(true).open(copy).unwrap();
            copy.set_modified(SystemTime::now() - ago).unwrap();
        }
        scene.versions.push(file.bytes.clone());
        file = go_on(scene, moment);
    }
    file
}

fn go_on(scene: &Scene, moment: u64) -> File {
    let connection = scene.connect();
    carry_on(&connection, scene.seed + moment);
    connection.close().unwrap();
    File::read(&scene.truth)
}

/// One leaf in `share` is lost.
fn lose(file: &mut File, dice: &mut Dice, share: usize, how: impl Fn(&mut Dice, &mut [u8])) {
    for number in some(dice, &file.leaves(), share) {
        how(dice, file.page_mut(number));
    }
}

/// One sector in `share` reads as `filling`. Those of the schema are another case.
fn lose_sectors(file: &mut File, dice: &mut Dice, share: usize, filling: u8) {
    let schema = file.schema_pages();
    let size = file.size;
    for sector in size / SECTOR..file.bytes.len() / SECTOR {
        if dice.below(share) == 0 && !schema.contains(&(sector * SECTOR / size + 1)) {
            file.bytes[sector * SECTOR..(sector + 1) * SECTOR].fill(filling);
        }
    }
}

/// Eight copies, each with the log of the copy before.
fn chain_with_logs_of_the_copy_before(scene: &mut Scene) {
    scene.usual();
    let mut log_before = Vec::new();
    for moment in 0..8 {
        let connection = scene.connect();
        let main = File::read(&scene.truth);
        connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
        carry_on(&connection, scene.seed + moment);
        connection.execute_batch("COMMIT").unwrap();
        let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
        connection.close().unwrap();
        let copy = quarantine(&main.bytes, &scene.board);
        scene.versions.push(main.bytes);
        if !log_before.is_empty() {
            std::fs::write(beside(&copy, "-wal"), &log_before).unwrap();
        }
        log_before = log;
    }
    let mut live = File::read(&scene.truth);
    lose(&mut live, &mut scene.dice, 5, |_, page| page.fill(0));
    scene.leave(&live);
}

/// An older copy, and a board with a log of which a fifth of the leaves and the first page are lost.
fn copy_and_log(scene: &mut Scene, page_size: usize, auto_vacuum: &str) {
    scene.made(Recipe { page_size, ..Recipe::default() });
    if auto_vacuum != "none" {
        let connection = Connection::open(&scene.truth).unwrap();
        let set = format!(
            "PRAGMA journal_mode=DELETE; PRAGMA auto_vacuum={auto_vacuum}; VACUUM; PRAGMA journal_mode=WAL"
        );
        connection.execute_batch(&set).unwrap();
        connection.close().unwrap();
    }
    let first = File::read(&scene.truth);
    quarantine(&first.bytes, &scene.board);
    scene.versions.push(first.bytes);
    let connection = scene.connect();
    carry_on(&connection, scene.seed);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let mut main = File::read(&scene.truth);
    scene.versions.push(main.bytes.clone());
    connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
    carry_on(&connection, scene.seed + 1);
    connection.execute_batch("COMMIT").unwrap();
    let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
    connection.close().unwrap();
    lose(&mut main, &mut scene.dice, 5, |_, page| page.fill(0));
    if scene.seed.is_multiple_of(3) {
        main.page_mut(1).fill(0);
    } else {
        for number in main.pages_of(&[5]) {
            main.page_mut(number).fill(0);
        }
    }
    scene.leave(&main);
    scene.leave_wal(&log);
}

/// Each long chain lost a page in the board; an older copy lost others.
fn long_rows_lost_in_both(scene: &mut Scene) {
    let (mut old, mut new) = scene.two_moments();
    for (file, at) in [(&mut old, 5), (&mut new, 2)] {
        let links = file.pages_of(&[0]);
        for (index, number) in links.into_iter().enumerate() {
            if index % 7 == at {
                file.page_mut(number).fill(0);
            }
        }
    }
    quarantine(&old.bytes, &scene.board);
    scene.leave(&new);
}

/// The newest tasks were deleted, and others came that have their rowids.
fn rowids_used_again(scene: &mut Scene) {
    let old = scene.usual();
    scene.versions.push(old.bytes.clone());
    let connection = scene.connect();
    connection
        .execute_batch(
            "CREATE TEMP TABLE gone AS SELECT id FROM tasks ORDER BY rowid DESC LIMIT (SELECT count(*) / 6 FROM tasks); \
             DELETE FROM task_links WHERE parent_id IN gone OR child_id IN gone; \
             DELETE FROM task_comments WHERE task_id IN gone; DELETE FROM task_events WHERE task_id IN gone; \
             DELETE FROM task_runs WHERE task_id IN gone; DELETE FROM kanban_notify_subs WHERE task_id IN gone; \
             DELETE FROM tasks WHERE id IN gone; DROP TABLE gone",
        )
        .unwrap();
    carry_on(&connection, scene.seed);
    carry_on(&connection, scene.seed + 1);
    connection.close().unwrap();
    quarantine(&old.bytes, &scene.board);
    let mut new = File::read(&scene.truth);
    lose(&mut new, &mut scene.dice, 3, |_, page| page.fill(0));
    scene.leave(&new);
}

/// The first half of the file from before a checkpoint, the second from after it, and the log as it has restarted.
fn copied_during_a_checkpoint(scene: &mut Scene) {
    scene.usual();
    let connection = scene.connect();
    connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
    carry_on(&connection, scene.seed);
    connection.execute_batch("COMMIT").unwrap();
    let before = File::read(&scene.truth);
    scene.versions.push(before.bytes.clone());
    connection.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
    let after = File::read(&scene.truth);
    scene.versions.push(after.bytes.clone());
    connection.execute("UPDATE tasks SET priority = 9 WHERE rowid = 5", []).unwrap();
    let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
    connection.close().unwrap();
    let half = before.count() / 2 * before.size;
    let mut mixed = before.bytes[..half].to_vec();
    mixed.extend_from_slice(&after.bytes[half..]);
    std::fs::write(&scene.board, mixed).unwrap();
    scene.leave_wal(&log);
}

/// A sound board on which `edit` was done since two copies were made.
fn edited(scene: &mut Scene, edit: &str) -> File {
    scene.usual();
    for moment in 0..2 {
        let file = go_on(scene, moment);
        quarantine(&file.bytes, &scene.board);
        scene.versions.push(file.bytes);
    }
    let connection = scene.connect();
    connection.execute_batch(edit).unwrap();
    connection.close().unwrap();
    File::read(&scene.truth)
}

/// Ten copies of a storm in which tasks were assigned and results corrected; an entry is missing from an index.
fn storm(scene: &mut Scene) {
    scene.usual();
    for step in 0..10 {
        let file = File::read(&scene.truth);
        quarantine(&file.bytes, &scene.board);
        scene.versions.push(file.bytes);
        let connection = scene.connect();
        connection
            .execute_batch(&format!(
                "UPDATE tasks SET assignee = 'coder' WHERE assignee = 'alice' AND rowid % 10 = {step}; \
                 UPDATE tasks SET result = 'tests failed' WHERE result IS NOT NULL AND rowid % 10 = {step}; \
                 INSERT INTO task_events(task_id, kind, payload, created_at) \
                 SELECT id, 'assigned', '{{\"assignee\": \"coder\"}}', 1790000000 + {step} FROM tasks \
                 WHERE rowid % 10 = {step}"
            ))
            .unwrap();
        connection.close().unwrap();
    }
    let live = scene.dir.join("live.db");
    std::fs::copy(&scene.truth, &live).unwrap();
    super::super::drift_index(&live);
    std::fs::rename(live, &scene.board).unwrap();
}

/// A board of another Hermes, of which sectors are lost.
fn sectors_of(scene: &mut Scene, age: Age) {
    let mut file = scene.made(Recipe { age, ..Recipe::default() });
    let filling = [0xff, b' ', 0][usize::try_from(scene.seed % 3).unwrap()];
    lose_sectors(&mut file, &mut scene.dice, SECTORS_PER_LOSS, filling);
    scene.leave(&file);
}
