//! Records of a rollback journal that are not what their checksum says: what is left of their pages.
//!
//! The page in the main file is what the transaction that never ended made of it, so that what is left of the record is better.
//! A lost sector is one repeated byte; what stood in it is asked of the main file ([`super::torn_pages`]). Where no sector is
//! lost, one bit of what the checksum sums is another. A record whose number is lost is that of the page that is most like it.
//!
//! Not here: reading the journal ([`crate::ondisk::journal`]).

use std::collections::HashSet;
use std::ops::Range;

use super::torn_pages::{self, TornImage};
use crate::ondisk::journal::{self, Journal, JournalRecord};
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
    for record in journal.torn() {
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
        let is_told = gone.iter().any(|range| image.get(range.clone()) != theirs.get(range.clone()));
        let step = journal.checksum_step(records, record, &image);
        let flipped = match step {
            Some(step) if !is_told && !record.is_sound => flipped(&image, &theirs, step),
            _ => Vec::new(),
        };
        let step = step.filter(|_| is_checksum_left(journal, record, records));
        torn.push(TornImage {
            page,
            image: image.into_owned(),
            theirs: theirs.into_owned(),
            gone,
            flipped,
            step,
        });
    }
    (torn_pages::fill(torn, journal, main), lost)
}

/// True if the checksum that `record` states is in no lost sector.
fn is_checksum_left(journal: &Journal, record: &JournalRecord, records: &dyn Store) -> bool {
    let at = record.offset + journal.page_size as u64;
    let lost = |sector: u64| records.read(sector * SECTOR, 512).is_some_and(|bytes| is_filler(&bytes));
    !lost(at / SECTOR) && !lost((at + 3) / SECTOR)
}

fn is_filler(sector: &[u8]) -> bool {
    sector.len() as u64 == SECTOR && sector.iter().all(|byte| sector.first() == Some(byte))
}

/// The parts of `image`, which begins at `offset` of the journal, that are in sectors of one repeated byte.
fn lost_sectors(offset: u64, image: &[u8], records: &dyn Store) -> Vec<Range<usize>> {
    let end = offset + image.len() as u64;
    let mut lost: Vec<Range<usize>> = Vec::new();
    for sector in offset / SECTOR..end.div_ceil(SECTOR) {
        let Some(bytes) = records.read(sector * SECTOR, 512) else { continue };
        if is_filler(&bytes) {
            let (from, to) = ((sector * SECTOR).max(offset), ((sector + 1) * SECTOR).min(end));
            let place = |at: u64| usize::try_from(at - offset).unwrap_or(usize::MAX);
            lost.push(place(from)..place(to));
        }
    }
    lost
}

/// The bytes of `image`, whose checksum is `step` from the stated one, of which one may have another bit. Where that makes one
/// what stands in the same place of `theirs`, it is that one. None where the checksum itself is another.
fn flipped(image: &[u8], theirs: &[u8], step: i32) -> Vec<Range<usize>> {
    let bit = step.unsigned_abs();
    let summed = || journal::summed(image.len());
    let Some(bit) = bit.is_power_of_two().then_some(bit).and_then(|bit| u8::try_from(bit).ok()) else {
        // More than one bit is another: of the bytes, or of the checksum.
        let is_large = bit.is_power_of_two();
        return if is_large { Vec::new() } else { differing(image, theirs) };
    };
    let is_candidate = |at: &usize| image.get(*at).is_some_and(|byte| (byte & bit == 0) == (step > 0));
    let is_theirs = |at: &usize| image.get(*at).map(|byte| byte ^ bit) == theirs.get(*at).copied();
    let likely: Vec<usize> = summed().filter(is_candidate).filter(is_theirs).collect();
    let places = if likely.len() == 1 { likely } else { summed().filter(is_candidate).collect() };
    places.into_iter().map(|at| at..at + 1).collect()
}

/// Where `image` is not as `page`.
fn differing(image: &[u8], page: &[u8]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, byte) in image.iter().enumerate() {
        if page.get(at) == Some(byte) {
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
    gone: &[Range<usize>],
    known: &HashSet<u32>,
) -> Option<u32> {
    let there: Vec<usize> = (0..image.len())
        .filter(|at| image.get(*at) != Some(&0) && !gone.iter().any(|range| range.contains(at)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flipped_bit_is_looked_for_where_the_checksum_sums() {
        let theirs: Vec<u8> = (0..4096).map(|at: usize| u8::try_from(at % 251).unwrap()).collect();
        let sum = |image: &[u8]| journal::checksum(7, image).cast_signed();
        let at = journal::summed(4096).nth(5).unwrap();
        let mut image = theirs.clone();
        image[at] ^= 4;
        let places = flipped(&image, &theirs, sum(&theirs) - sum(&image));
        assert!(matches!(places.as_slice(), [place] if *place == (at..at + 1)), "{places:?}");
        // The transaction changed the page, so that nothing tells which of them it is.
        let places = flipped(&image, &[], sum(&theirs) - sum(&image));
        assert!(places.contains(&(at..at + 1)) && places.len() < 20, "{places:?}");
        // A bit of the checksum that no byte of the page has.
        assert!(flipped(&image, &theirs, 1 << 20).is_empty());
    }
}
