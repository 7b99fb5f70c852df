//! Records of a rollback journal that are not what their checksum says: what is left of their pages.
//!
//! The page in the main file is what the transaction that never ended made of it, so that what is left of the record is better.
//! A lost sector is one repeated byte; where none is, the bytes that the main file has otherwise are in doubt. A record whose
//! number is lost is that of the page that is most like it.
//!
//! Not here: reading the journal ([`crate::ondisk::journal`]).

use std::collections::HashSet;
use std::ops::Range;

use crate::ondisk::journal::{Journal, JournalRecord};
use crate::ondisk::store::Store;

/// What a disk loses at least.
const SECTOR: u64 = 512;
/// Records without a number, and pages, that are compared at most.
const MAX_NAMELESS: usize = 64;
const MAX_PAGES: u32 = 1 << 16;

/// A page that a torn record gives.
pub(super) struct TornPage {
    pub(super) offset: u64,
    pub(super) image: Vec<u8>,
    /// Which of its bytes may be others than those that stood there.
    pub(super) doubtful: Vec<Range<u64>>,
}

/// The pages of the torn records of `journal`, which is `records`, over the file `main`; and how many records give none.
pub(super) fn torn_pages(journal: &Journal, records: &dyn Store, main: &dyn Store) -> (Vec<TornPage>, u64) {
    let mut known: HashSet<u32> = journal.records().iter().filter_map(|record| record.page).collect();
    let (mut torn, mut lost, mut compared) = (Vec::new(), 0, 0);
    let is_torn = |record: &&JournalRecord| !record.is_sound || record.page.is_none();
    for record in journal.records().iter().filter(is_torn) {
        let Some(image) = journal.image(records, record) else { continue };
        let gone = lost_sectors(record.offset, &image, records);
        let page = record.page.or_else(|| {
            compared += 1;
            (compared <= MAX_NAMELESS).then(|| likest(journal, main, &image, &gone, &known)).flatten()
        });
        let Some(page) = page else {
            lost += 1;
            continue;
        };
        known.insert(page);
        let offset = u64::from(page - 1) * journal.page_size as u64;
        if offset > main.size() + records.size() {
            lost += 1;
            continue;
        }
        let theirs = main.read(offset, journal.page_size).unwrap_or_default();
        // What SQLite does not use of a page is zeros in both, and tells nothing.
        let is_told = gone.iter().any(|range| part(&image, range) != part(&theirs, range));
        let doubtful = match (is_told, record.is_sound) {
            (false, false) => [gone, differing(&image, &theirs)].concat(),
            _ => gone,
        };
        torn.push(TornPage { offset, image: image.into_owned(), doubtful });
    }
    (torn, lost)
}

/// The parts of `image`, which begins at `offset` of the journal, that are in sectors of one repeated byte.
fn lost_sectors(offset: u64, image: &[u8], records: &dyn Store) -> Vec<Range<u64>> {
    let end = offset + image.len() as u64;
    let mut lost = Vec::new();
    for sector in offset / SECTOR..end.div_ceil(SECTOR) {
        let Some(bytes) = records.read(sector * SECTOR, 512) else { continue };
        if bytes.len() == 512 && bytes.iter().all(|byte| bytes.first() == Some(byte)) {
            let (from, to) = ((sector * SECTOR).max(offset), ((sector + 1) * SECTOR).min(end));
            lost.push(from - offset..to - offset);
        }
    }
    lost
}

fn part<'b>(bytes: &'b [u8], range: &Range<u64>) -> Option<&'b [u8]> {
    bytes.get(usize::try_from(range.start).ok()?..usize::try_from(range.end).ok()?)
}

/// Where `image` is not as `page`.
fn differing(image: &[u8], page: &[u8]) -> Vec<Range<u64>> {
    let mut runs: Vec<Range<u64>> = Vec::new();
    for (at, byte) in (0_u64..).zip(image) {
        let theirs = usize::try_from(at).ok().and_then(|at| page.get(at));
        if theirs == Some(byte) {
            continue;
        }
        match runs.last_mut() {
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// The page of `main`, not one of the `known` ones, that has most of the bytes of `image`, besides those that are `gone`.
fn likest(
    journal: &Journal,
    main: &dyn Store,
    image: &[u8],
    gone: &[Range<u64>],
    known: &HashSet<u32>,
) -> Option<u32> {
    let there: Vec<usize> = (0..image.len())
        .filter(|at| image.get(*at) != Some(&0) && !gone.iter().any(|range| range.contains(&(*at as u64))))
        .collect();
    let alike = |page: &u32| {
        let bytes = main.read(u64::from(page - 1) * journal.page_size as u64, journal.page_size)?;
        Some((there.iter().filter(|at| bytes.get(**at) == image.get(**at)).count(), *page))
    };
    let pages = (1..=journal.pages_before.min(MAX_PAGES)).filter(|page| !known.contains(page));
    let mut best: Vec<(usize, u32)> = pages.filter_map(|page| alike(&page)).collect();
    best.sort_unstable_by(|one, other| other.cmp(one));
    match *best.as_slice() {
        [(count, page)] if 2 * count > there.len() => Some(page),
        [(count, page), (next, _), ..] if 2 * count > there.len() && count > 2 * next => Some(page),
        _ => None,
    }
}
