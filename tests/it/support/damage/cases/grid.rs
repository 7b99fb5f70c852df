//! Files that lost or gained bytes, or whose parts stand in another order: their pages do not stand at their numbers.

use super::{Case, Scene};

/// What a failed disk loses at least.
const SECTOR: usize = 512;

pub(super) const CASES: &[Case] = &[
    Case::new("lost-byte", |scene| lose(scene, 15, 1)),
    Case::new("lost-byte-within", |scene| {
        let at = within(scene);
        lose(scene, at, 1);
    }),
    Case::new("lost-kilobytes-within", |scene| {
        let at = within(scene);
        lose(scene, at, 6000);
    })
    .reaches(99.0),
    Case::new("bom-prefix", |scene| gain(scene, 0, &[0xef, 0xbb, 0xbf])),
    Case::new("prefix-shifted", |scene| {
        let mut prefix = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n".to_vec();
        let from = prefix.len();
        prefix.resize(1337, 0);
        scene.dice.noise(&mut prefix[from..]);
        gain(scene, 0, &prefix);
    }),
    Case::new("gained-within", |scene| {
        let at = within(scene);
        let mut gained = vec![0; 100];
        scene.dice.noise(&mut gained);
        gain(scene, at, &gained);
    }),
    Case::new("sector-dropped", |scene| {
        let mut file = scene.usual();
        for _ in 0..3 {
            let sector = 8 + scene.dice.below(file.bytes.len() / SECTOR - 16);
            file.bytes.drain(sector * SECTOR..(sector + 1) * SECTOR);
        }
        scene.leave(&file);
    })
    .reaches(99.0),
    Case::new("block-doubled", |scene| {
        let mut file = scene.usual();
        let pages = file.count();
        let first = 2 + scene.dice.below(pages / 2);
        let count = (4 + scene.dice.below(30)).min(pages - first);
        let block = file.bytes[first * file.size..(first + count) * file.size].to_vec();
        let end = (first + count) * file.size;
        file.bytes.splice(end..end, block);
        scene.leave(&file);
    }),
    Case::new("halves-exchanged", |scene| {
        let mut file = scene.usual();
        let pages = file.count();
        let middle = (pages / 3 + scene.dice.below(pages / 3)) * file.size;
        file.bytes.rotate_left(middle);
        scene.leave(&file);
    }),
    Case::new("pages-lost-twice", |scene| {
        let mut file = scene.usual();
        let pages = file.count();
        for (part, count) in [(2, 3), (1, 2)] {
            let first = pages * part / 3 + scene.dice.below(pages / 8);
            file.bytes.drain(first * file.size..(first + count) * file.size);
        }
        scene.leave(&file);
    })
    .reaches(99.0),
];

/// A place in the middle half of the file.
fn within(scene: &mut Scene) -> usize {
    let len = scene.usual().bytes.len();
    len / 4 + scene.dice.below(len / 2)
}

fn lose(scene: &mut Scene, at: usize, count: usize) {
    let mut file = scene.usual();
    file.bytes.drain(at..at + count);
    scene.leave(&file);
}

fn gain(scene: &mut Scene, at: usize, bytes: &[u8]) {
    let mut file = scene.usual();
    file.bytes.splice(at..at, bytes.iter().copied());
    scene.leave(&file);
}
