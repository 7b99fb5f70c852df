//! Lost sectors, in every filling that a drive, a copy tool or a controller leaves in their place.

use super::super::board::{Age, Recipe};
use super::super::quarantine;
use super::{Case, File, Scene};

const SECTOR: usize = 512;
/// One sector in so many is lost.
const SHARE: usize = 150;
const NEWER: Recipe =
    Recipe { page_size: 4096, reserved: 0, encoding: "UTF-8", age: Age::Newer, plugin: false };

/// What a lost sector reads as.
#[derive(Clone, Copy)]
enum Filling {
    Zeros,
    Ones,
    Spaces,
    Marker,
    Previous,
}

impl Filling {
    const ALL: [Self; 5] = [Self::Zeros, Self::Ones, Self::Spaces, Self::Marker, Self::Previous];

    /// Put it in the place of a sector of `bytes`.
    fn fill(self, bytes: &mut [u8], sector: usize) {
        let range = sector * SECTOR..(sector + 1) * SECTOR;
        let marker: &[u8] = match self {
            Self::Zeros => b"\0",
            Self::Ones => b"\xff",
            Self::Spaces => b" ",
            Self::Marker => b"-=BAD SECTOR=-\n",
            Self::Previous => return bytes.copy_within(range.start - SECTOR..range.start, range.start),
        };
        bytes[range].iter_mut().zip(marker.iter().cycle()).for_each(|(byte, new)| *byte = *new);
    }
}

pub(super) const CASES: &[Case] = &[
    Case::new("sector-zero", |scene| lost(scene, Recipe::default(), Filling::Zeros)),
    Case::new("sector-ff", |scene| lost(scene, Recipe::default(), Filling::Ones)),
    Case::new("sector-space", |scene| lost(scene, Recipe::default(), Filling::Spaces)),
    Case::new("sector-badtext", |scene| lost(scene, Recipe::default(), Filling::Marker)),
    Case::new("prev-sector", |scene| lost(scene, Recipe::default(), Filling::Previous)),
    Case::new("sector-newer-ff", |scene| lost(scene, NEWER, Filling::Ones)),
    Case::new("big-bodies-sector-lost", big_bodies),
    Case::new("schema-sector-zero", |scene| schema_sector(scene, Filling::Zeros)),
    Case::new("schema-sector-ff", |scene| schema_sector(scene, Filling::Ones)),
    Case::new("schema-sector-space", |scene| schema_sector(scene, Filling::Spaces)),
    Case::new("schema-sector-badtext", |scene| schema_sector(scene, Filling::Marker)),
    Case::new("schema-sector-prev", |scene| schema_sector(scene, Filling::Previous)),
    Case::new("schema-sector-ff-copy", |scene| schema_sector_beside_copy(scene, Filling::Ones)),
    Case::new("schema-sector-space-copy", |scene| schema_sector_beside_copy(scene, Filling::Spaces)),
];

/// One sector in [`SHARE`] is lost; the header is there.
fn lost(scene: &mut Scene, recipe: Recipe, filling: Filling) {
    let mut file = scene.made(recipe);
    lose(&mut file, scene, filling);
    scene.leave(&file);
}

fn lose(file: &mut File, scene: &mut Scene, filling: Filling) {
    for sector in 1..file.bytes.len() / SECTOR {
        if scene.dice.below(SHARE) == 0 {
            filling.fill(&mut file.bytes, sector);
        }
    }
}

/// Sectors within the overflow pages of long texts, each in another filling.
fn big_bodies(scene: &mut Scene) {
    scene.usual();
    let connection = scene.connect();
    for number in 0..10 {
        let text: String = (0..4000).map(|at| format!("~{:x} ", (at * 7919 + number) % 65_521)).collect();
        let sql = "UPDATE tasks SET body = ? WHERE rowid = ?";
        connection.execute(sql, rusqlite::params![text, 3 + 5 * number]).unwrap();
    }
    connection.close().unwrap();
    let mut file = File::read(&scene.truth);
    let is_text = |sector: &[u8]| sector.iter().filter(|byte| **byte == b'~').count() > SECTOR / 16;
    let sectors: Vec<usize> = file
        .bytes
        .chunks(SECTOR)
        .enumerate()
        .filter(|(at, sector)| at % 8 != 0 && is_text(sector))
        .map(|(at, _)| at)
        .collect();
    for filling in Filling::ALL {
        filling.fill(&mut file.bytes, *scene.dice.pick(&sectors));
    }
    scene.leave(&file);
}

/// A sector of the text of `CREATE TABLE tasks`, on the page that holds it.
fn schema_sector(scene: &mut Scene, filling: Filling) {
    let mut file = scene.made(NEWER);
    lose_text(&mut file, scene, filling);
    scene.leave(&file);
}

fn schema_sector_beside_copy(scene: &mut Scene, filling: Filling) {
    let (before, mut file) = scene.two_moments();
    lose_text(&mut file, scene, filling);
    scene.leave(&file);
    quarantine(&before.bytes, &scene.board);
}

fn lose_text(file: &mut File, scene: &mut Scene, filling: Filling) {
    let word = b"consecutive_failures";
    let at = file.bytes.windows(word.len()).position(|window| window == word).unwrap();
    let _ = scene.dice.below(2);
    filling.fill(&mut file.bytes, at / SECTOR);
}
