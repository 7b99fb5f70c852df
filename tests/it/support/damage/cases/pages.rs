//! Pages hurt one by one.

use super::super::Dice;
use super::super::board::board;
use super::{Case, File, Scene, some};

pub(super) const CASES: &[Case] = &[
    Case::new("noise-pages", |scene| {
        hurt(scene, 30, Dice::noise);
    }),
    Case::new("pointers-garbage", |scene| {
        hurt(scene, 12, |dice, page| {
            let cells = usize::from(u16::from_be_bytes([page[3], page[4]]));
            dice.noise(&mut page[8..8 + 2 * cells]);
        });
    }),
    Case::new("page-headers-garbage", |scene| {
        hurt(scene, 12, |dice, page| dice.noise(&mut page[..8]));
    }),
    Case::new("page-starts-gone", |scene| {
        hurt(scene, 12, |_, page| page[..512].fill(0));
    }),
    Case::new("holes", |scene| {
        hurt(scene, 6, |dice, page| {
            let at = 64 + dice.below(page.len() - 400);
            dice.noise(&mut page[at..at + 200]);
        });
    })
    // A task that is left in what its table's root no longer uses may have changed since: it stands aside.
    .reaches(99.9)
    .wrong(20),
    Case::new("sectors-zero", sectors_zero).wrong(2),
    Case::new("torn-pages", |scene| mix(scene, torn)).reaches(99.9).wrong(8),
    Case::new("stale-pages", |scene| mix(scene, |_, page, old| page.copy_from_slice(old))),
    Case::new("swapped-pages", |scene| {
        let mut file = scene.usual();
        for _ in 0..6 {
            let one = 2 + scene.dice.below(file.count() - 1);
            let other = 2 + scene.dice.below(file.count() - 1);
            swap(&mut file, one, other);
        }
        scene.leave(&file);
    }),
    Case::new("swapped-links", |scene| {
        // Pages on which long rows go on: only their ends and what they name tell them apart.
        let mut file = scene.usual();
        let links = file.pages_of(&[0]);
        for _ in 0..6 {
            let (one, other) = (*scene.dice.pick(&links), *scene.dice.pick(&links));
            swap(&mut file, one, other);
        }
        scene.leave(&file);
    }),
    Case::new("swapped-leaves", |scene| {
        let mut file = scene.usual();
        let leaves = file.leaves();
        for _ in 0..6 {
            let (one, other) = (*scene.dice.pick(&leaves), *scene.dice.pick(&leaves));
            swap(&mut file, one, other);
        }
        scene.leave(&file);
    }),
    Case::new("page1-and-interiors", |scene| {
        let mut file = scene.usual();
        for number in file.pages_of(&[2, 5]).into_iter().chain([1]) {
            let page = file.page_mut(number);
            scene.dice.noise(page);
        }
        scene.leave(&file);
    }),
    Case::new("foreign-inside", foreign_inside),
    Case::new("foreign-appended", |scene| {
        let mut file = scene.usual();
        let foreign = foreign(scene);
        file.bytes.extend_from_slice(&foreign.bytes[foreign.size..]);
        scene.leave(&file);
    }),
];

/// Hurts one in `share` of the leaves of tables.
fn hurt(scene: &mut Scene, share: usize, injury: fn(&mut Dice, &mut [u8])) {
    let mut file = scene.usual();
    let leaves = file.leaves();
    for number in some(&mut scene.dice, &leaves, share) {
        injury(&mut scene.dice, file.page_mut(number));
    }
    scene.leave(&file);
}

/// Runs of lost sectors that begin and end inside pages.
fn sectors_zero(scene: &mut Scene) {
    let mut file = scene.usual();
    let sectors = file.bytes.len() / 512;
    for _ in 0..sectors / 100 {
        let first = 8 + scene.dice.below(sectors - 12);
        let count = 1 + scene.dice.below(4);
        file.bytes[first * 512..(first + count) * 512].fill(0);
    }
    scene.leave(&file);
}

/// Lets some pages that have changed between two moments be, wholly or in part, as they were.
fn mix(scene: &mut Scene, injury: fn(&mut Dice, &mut [u8], &[u8])) {
    let (old, mut new) = scene.two_moments();
    let changed: Vec<usize> = (2..=old.count())
        .filter(|&number| old.page(number) != new.page(number) && new.page(number)[0] == 13)
        .collect();
    for number in some(&mut scene.dice, &changed, 15) {
        injury(&mut scene.dice, new.page_mut(number), old.page(number));
    }
    scene.leave(&new);
}

/// A write that stopped within the page: as far as a whole number of sectors it is new, the rest is old.
fn torn(dice: &mut Dice, page: &mut [u8], old: &[u8]) {
    let at = 512 * (1 + dice.below(page.len() / 512 - 1));
    page[at..].copy_from_slice(&old[at..]);
}

fn swap(file: &mut File, one: usize, other: usize) {
    let kept = file.page(one).to_vec();
    let moved = file.page(other).to_vec();
    file.page_mut(one).copy_from_slice(&moved);
    file.page_mut(other).copy_from_slice(&kept);
}

/// Another board.
fn foreign(scene: &Scene) -> File {
    let path = scene.dir.join("foreign.db");
    board(&path, scene.tasks / 4, scene.seed + 1000);
    File::read(&path)
}

fn foreign_inside(scene: &mut Scene) {
    let mut file = scene.usual();
    let foreign = foreign(scene);
    for number in some(&mut scene.dice, &(2..=file.count()).collect::<Vec<_>>(), 20) {
        let stray = 2 + scene.dice.below(foreign.count() - 1);
        file.page_mut(number).copy_from_slice(foreign.page(stray));
    }
    scene.leave(&file);
}
