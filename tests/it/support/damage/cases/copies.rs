//! A hurt board with copies of it beside it, each from its own moment and hurt in its own places.

use super::super::board::carry_on;
use super::super::{Dice, beside, quarantine};
use super::{Case, File, Scene, some};

pub(super) const CASES: &[Case] = &[
    Case::new("half-gone-three-older", |scene| {
        let mut file = scene.usual();
        for moment in 0..3 {
            let mut copy = file.clone();
            lose(&mut copy, &mut scene.dice, 3);
            quarantine(&copy.bytes, &scene.board);
            scene.versions.push(file.bytes.clone());
            file = go_on(scene, moment);
        }
        lose(&mut file, &mut scene.dice, 2);
        scene.leave(&file);
    }),
    Case::new("six-copies-tenth-gone", |scene| {
        let good = scene.usual();
        for _ in 0..5 {
            let mut copy = good.clone();
            lose(&mut copy, &mut scene.dice, 10);
            quarantine(&copy.bytes, &scene.board);
        }
        let mut file = good;
        lose(&mut file, &mut scene.dice, 10);
        scene.leave(&file);
    }),
    Case::new("flips-good-older-copy", |scene| {
        let (old, mut new) = scene.two_moments();
        quarantine(&old.bytes, &scene.board);
        flip(&mut new, &mut scene.dice);
        scene.leave(&new);
    })
    // A flipped bit in a column that may change is as good as an edit. In what never changes, a sound copy is believed.
    .reaches(99.0)
    .wrong(30),
    Case::new("flips-everywhere-three-votes", |scene| {
        let good = scene.usual();
        for _ in 0..2 {
            let mut copy = good.clone();
            flip(&mut copy, &mut scene.dice);
            quarantine(&copy.bytes, &scene.board);
        }
        let mut file = good;
        flip(&mut file, &mut scene.dice);
        scene.leave(&file);
    })
    // A flipped bit in a column that may change is as good as an edit: it is not outvoted.
    .reaches(98.5)
    .wrong(30),
    Case::new("deleted-stays-deleted", |scene| {
        let (old, new) = scene.two_moments();
        quarantine(&old.bytes, &scene.board);
        scene.leave(&new);
    }),
    Case::new("copy-with-foreign-wal", |scene| {
        // Hermes copies a sidecar only if none is there yet: this one is from another moment.
        let (old, mut new) = scene.two_moments();
        let connection = scene.connect();
        connection.execute_batch("PRAGMA wal_autocheckpoint=0; BEGIN").unwrap();
        carry_on(&connection, scene.seed + 5);
        connection.execute_batch("ROLLBACK; BEGIN; UPDATE tasks SET priority = priority; COMMIT").unwrap();
        let log = std::fs::read(beside(&scene.truth, "-wal")).unwrap();
        connection.close().unwrap();
        let copy = quarantine(&old.bytes, &scene.board);
        std::fs::write(beside(&copy, "-wal"), log).unwrap();
        lose(&mut new, &mut scene.dice, 10);
        scene.leave(&new);
    }),
    Case::new("schema-gone-sibling-has-it", |scene| {
        let (old, mut new) = scene.two_moments();
        quarantine(&old.bytes, &scene.board);
        for number in new.schema_pages().into_iter().chain([1]) {
            new.page_mut(number).fill(0);
        }
        scene.leave(&new);
    }),
];

/// One page in `share` becomes noise.
fn lose(file: &mut File, dice: &mut Dice, share: usize) {
    for number in some(dice, &file.leaves(), share) {
        dice.noise(file.page_mut(number));
    }
}

/// One bit in 20,000 bytes turns.
fn flip(file: &mut File, dice: &mut Dice) {
    for _ in 0..file.bytes.len() / 20_000 {
        let at = 100 + dice.below(file.bytes.len() - 100);
        file.bytes[at] ^= 1 << dice.below(8);
    }
}

fn go_on(scene: &Scene, moment: u64) -> File {
    let connection = scene.connect();
    carry_on(&connection, scene.seed + moment);
    connection.close().unwrap();
    File::read(&scene.truth)
}
