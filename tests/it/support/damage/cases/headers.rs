//! Fields of the header that lie, lists of unused pages that lie, and files that end too soon.

use super::{Case, File, Scene};

pub(super) const CASES: &[Case] = &[
    Case::new("page-size-wrong", |scene| header(scene, 16, &[0x20, 0])),
    Case::new("page-size-impossible", |scene| header(scene, 16, &[0x12, 0x34])),
    Case::new("reserved-wrong", |scene| header(scene, 20, &[200])),
    Case::new("encoding-wrong", |scene| header(scene, 59, &[2])),
    Case::new("versions-wrong", |scene| header(scene, 18, &[9, 9])),
    Case::new("header-noise", |scene| {
        let mut file = scene.usual();
        scene.dice.noise(&mut file.bytes[..100]);
        scene.leave(&file);
    }),
    Case::new("page-count-small", |scene| header(scene, 28, &[0, 0, 0, 3])),
    Case::new("freelist-loop", |scene| {
        let mut file = with_free_pages(scene);
        let trunk = u32::from_be_bytes(file.page(1)[32..36].try_into().unwrap());
        file.page_mut(trunk as usize)[..4].copy_from_slice(&trunk.to_be_bytes());
        scene.leave(&file);
    }),
    Case::new("freelist-names-live", |scene| {
        let mut file = scene.usual();
        let live = file.leaves();
        let mut trunk = vec![0; file.size];
        trunk[4..8].copy_from_slice(&u32::try_from(live.len()).unwrap().to_be_bytes());
        for (at, &leaf) in live.iter().enumerate().take(file.size / 4 - 2) {
            trunk[8 + 4 * at..12 + 4 * at].copy_from_slice(&u32::try_from(leaf).unwrap().to_be_bytes());
        }
        file.bytes.extend_from_slice(&trunk);
        let (count, last) = (u32::try_from(live.len() + 1).unwrap(), u32::try_from(file.count()).unwrap());
        let page = file.page_mut(1);
        page[28..32].copy_from_slice(&last.to_be_bytes());
        page[32..36].copy_from_slice(&last.to_be_bytes());
        page[36..40].copy_from_slice(&count.to_be_bytes());
        for root in file.pages_of(&[2, 5]) {
            file.page_mut(root).fill(0);
        }
        scene.leave(&file);
    }),
    Case::new("freelist-names-chains", |scene| {
        let mut file = with_free_pages(scene);
        let trunk = u32::from_be_bytes(file.page(1)[32..36].try_into().unwrap()) as usize;
        let links: Vec<usize> =
            (2..=file.count()).filter(|&number| !matches!(file.page(number)[0], 2 | 5 | 10 | 13)).collect();
        let trunk = file.page_mut(trunk);
        let count = usize::try_from(u32::from_be_bytes(trunk[4..8].try_into().unwrap())).unwrap();
        for (at, &link) in links.iter().enumerate().take(count) {
            trunk[8 + 4 * at..12 + 4 * at].copy_from_slice(&u32::try_from(link).unwrap().to_be_bytes());
        }
        scene.leave(&file);
    }),
    Case::new("truncated-90", |scene| truncated(scene, |len| len * 9 / 10 / 4096 * 4096)),
    Case::new("truncated-half", |scene| truncated(scene, |len| len / 2 + 777)),
    Case::new("truncated-10", |scene| truncated(scene, |len| len / 10)),
    Case::new("truncated-last-page", |scene| truncated(scene, |len| len - 4096)),
    Case::new("page-shifted", |scene| {
        // Eight lost sectors in the middle: all behind them stands one page number too low.
        let mut file = scene.usual();
        let at = file.bytes.len() / 2 / 4096 * 4096;
        file.bytes.drain(at..at + 4096);
        scene.leave(&file);
    }),
];

fn header(scene: &mut Scene, at: usize, bytes: &[u8]) {
    let mut file = scene.usual();
    file.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    scene.leave(&file);
}

fn truncated(scene: &mut Scene, end: fn(usize) -> usize) {
    let mut file = scene.usual();
    let end = end(file.bytes.len());
    file.bytes.truncate(end);
    scene.leave(&file);
}

/// A board some of whose pages are unused.
fn with_free_pages(scene: &mut Scene) -> File {
    scene.usual();
    let connection = scene.connect();
    connection.execute_batch("DELETE FROM task_comments WHERE length(body) > 4000").unwrap();
    connection.close().unwrap();
    File::read(&scene.truth)
}
