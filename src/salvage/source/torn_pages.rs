//! Pages of torn journal records: what stood in a lost sector, as far as the main file still has it.
//!
//! The main file has the same page as a transaction left it that never ended. A cell that this did not touch stands there in
//! its place, or, when SQLite moved cells, elsewhere with the same length. Where the record's own pointers are left, a cell is
//! believed when it takes just the room that the record leaves it, and when all that is left of it is the same. In the end the
//! checksum of the record must be right, if all that it sums is there again.
//!
//! Not here: which sectors are lost ([`super::torn_journal`]).

use std::collections::HashMap;
use std::ops::Range;

use super::torn_journal::TornPage;
use crate::ondisk::header::{self, Header};
use crate::ondisk::journal::{self, Journal};
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::ondisk::record::Record;
use crate::ondisk::store::Store;

/// Bytes that SQLite leaves between cells at most without counting them as free.
const MAX_FRAGMENT: usize = 3;
/// Rowids that a lost cell may have, and pages that are asked for it.
const MAX_ROWIDS: i64 = 64;
const MAX_PAGES: u64 = 1 << 16;

/// What is left of a page in a torn record.
pub(super) struct TornImage {
    pub(super) page: u32,
    pub(super) image: Vec<u8>,
    /// The same page as the transaction left it.
    pub(super) theirs: Vec<u8>,
    /// What is in lost sectors.
    pub(super) gone: Vec<Range<usize>>,
    /// Bytes of which one may have another bit.
    pub(super) flipped: Vec<Range<usize>>,
    /// How far the stated checksum is from that of the image, where it is left.
    pub(super) step: Option<i32>,
}

/// Fill the lost parts of the pages `torn` of `journal` from `main`.
pub(super) fn fill(torn: Vec<TornImage>, journal: &Journal, main: &dyn Store) -> Vec<TornPage> {
    let header = main.read(0, header::LEN).as_deref().and_then(Header::read).filter(Header::is_credible);
    let reserved = header.map_or(0, |header| usize::from(header.reserved));
    let usable = journal.page_size.saturating_sub(reserved);
    let mut pages: Vec<FilledPage> = torn.into_iter().map(|image| FilledPage::new(image, usable)).collect();
    let mut wanted: HashMap<i64, Vec<(usize, usize)>> = HashMap::new();
    for (at, page) in pages.iter().enumerate() {
        for (index, cell) in page.lost.iter().enumerate() {
            for rowid in cell.above + 1..cell.below {
                wanted.entry(rowid).or_default().push((at, index));
            }
        }
    }
    if !wanted.is_empty() {
        find(&mut pages, &wanted, journal, main, usable);
    }
    let place = |page: u32| u64::from(page - 1) * journal.page_size as u64;
    pages.into_iter().map(|page| page.finish(place)).collect()
}

/// Look for the `wanted` cells, by rowid, on the leaves of `main`.
fn find(
    pages: &mut [FilledPage],
    wanted: &HashMap<i64, Vec<(usize, usize)>>,
    journal: &Journal,
    main: &dyn Store,
    usable: usize,
) {
    let size = journal.page_size;
    for index in 0..(main.size() / size as u64).min(MAX_PAGES) {
        let Some(bytes) = main.read(index * size as u64, size) else { continue };
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let Ok(page) = Page::read(number, &bytes, usable) else { continue };
        if page.kind() != PageKind::TableLeaf {
            continue;
        }
        for cell in page.cells().flatten() {
            for &(at, lost) in wanted.get(&cell.rowid).into_iter().flatten() {
                if let Some(page) = pages.get_mut(at) {
                    page.offer(lost, &bytes, &cell);
                }
            }
        }
    }
}

/// A cell that a lost sector takes, with room at `start..end` for it.
struct LostCell {
    start: usize,
    end: usize,
    /// The rowids of the cells before and behind.
    above: i64,
    below: i64,
    /// What may have stood there.
    found: Option<Vec<u8>>,
    /// Whether two different cells may have.
    is_contested: bool,
}

/// A page whose lost parts are filled.
struct FilledPage {
    torn: TornImage,
    /// The image with what the transaction left in its lost parts.
    filled: Vec<u8>,
    /// Parts of those that stood there.
    restored: Vec<Range<usize>>,
    lost: Vec<LostCell>,
    /// Columns of the rows on the page.
    columns: Option<usize>,
    /// Where its pointers to cells end.
    pointers_end: usize,
}

impl FilledPage {
    fn new(torn: TornImage, usable: usize) -> Self {
        let mut filled = torn.image.clone();
        if torn.theirs.len() == filled.len() {
            for range in &torn.gone {
                if let (Some(part), Some(theirs)) =
                    (filled.get_mut(range.clone()), torn.theirs.get(range.clone()))
                {
                    part.copy_from_slice(theirs);
                }
            }
        }
        let mut page =
            Self { torn, filled, restored: Vec::new(), lost: Vec::new(), columns: None, pointers_end: 0 };
        page.compare(usable);
        page
    }

    /// True if a lost sector reaches into `range`.
    fn is_gone(&self, range: &Range<usize>) -> bool {
        self.torn.gone.iter().any(|gone| gone.start < range.end && range.start < gone.end)
    }

    /// True if all that is left of `range` is the same in `bytes`, which begin there.
    fn is_alike(&self, range: Range<usize>, bytes: &[u8]) -> bool {
        range.len() == bytes.len()
            && range.zip(bytes).all(|(at, byte)| {
                self.torn.image.get(at) == Some(byte) || self.torn.gone.iter().any(|gone| gone.contains(&at))
            })
    }

    /// Find the cells in lost sectors that the transaction left in their places, and those that it did not.
    fn compare(&mut self, usable: usize) {
        let number = self.torn.page;
        let theirs = std::mem::take(&mut self.torn.theirs);
        let filled = std::mem::take(&mut self.filled);
        let (mut restored, mut lost, mut columns, mut pointers_end) = (Vec::new(), Vec::new(), None, 0);
        if let Ok(after) = Page::read(number, &theirs, usable)
            && let Ok(page) = Page::read(number, &filled, usable)
            && page.kind() == after.kind()
        {
            pointers_end = page.pointers_end();
            let has_pointers = !self.is_gone(&(0..pointers_end));
            let own: Vec<usize> = page.offsets().collect();
            let mut starts = own.clone();
            starts.extend(page.free_blocks().unwrap_or_default().iter().map(|(start, _)| *start));
            let end_of =
                |start: usize| starts.iter().copied().filter(|at| *at > start).min().unwrap_or(usable);
            let fits = |start: usize, end: usize| {
                let room = end_of(start);
                end <= room && room - end <= MAX_FRAGMENT
            };
            for cell in after.cells().flatten() {
                let range = cell.offset..cell.offset + cell.size;
                let bytes = theirs.get(range.clone()).unwrap_or_default();
                let stands = !has_pointers || own.contains(&range.start) && fits(range.start, range.end);
                if self.is_gone(&range) && stands && self.is_alike(range.clone(), bytes) {
                    restored.push(range);
                }
            }
            let is_whole = |start: usize| {
                let cell = page.cell(start).ok()?;
                (!self.is_gone(&(start..start + cell.size))).then_some(cell)
            };
            columns = own.iter().find_map(|start| columns_of(&is_whole(*start)?));
            if has_pointers && page.kind() == PageKind::TableLeaf {
                let known = |start: &usize| {
                    let is_restored = restored.iter().any(|range: &Range<usize>| range.start == *start);
                    let cell = if is_restored { page.cell(*start).ok() } else { is_whole(*start) };
                    cell.map(|cell| cell.rowid)
                };
                let rowids: Vec<Option<i64>> = own.iter().map(known).collect();
                for (index, start) in own.iter().enumerate().filter(|(at, _)| rowids.get(*at) == Some(&None))
                {
                    let before = rowids.iter().take(index).rev().flatten().next();
                    let behind = rowids.iter().skip(index).flatten().next();
                    let (Some(&above), Some(&below)) = (before, behind) else { continue };
                    if below.saturating_sub(above) <= MAX_ROWIDS {
                        let end = end_of(*start);
                        let (found, is_contested) = (None, false);
                        lost.push(LostCell { start: *start, end, above, below, found, is_contested });
                    }
                }
            }
        }
        (self.torn.theirs, self.filled) = (theirs, filled);
        (self.restored, self.lost, self.columns, self.pointers_end) = (restored, lost, columns, pointers_end);
    }

    /// Take `cell` of the page `bytes` for the lost one at `index`, if it can be that.
    fn offer(&mut self, index: usize, bytes: &[u8], cell: &Cell<'_>) {
        let Some(lost) = self.lost.get(index) else { return };
        let (start, room) = (lost.start, lost.end.saturating_sub(lost.start));
        let Some(content) = bytes.get(cell.offset..cell.offset + cell.size) else { return };
        let fits = cell.size <= room && room - cell.size <= MAX_FRAGMENT;
        let is_of_table = self.columns.is_some() && columns_of(cell) == self.columns;
        if !fits || !is_of_table || !self.is_alike(start..start + cell.size, content) {
            return;
        }
        if let Some(lost) = self.lost.get_mut(index) {
            lost.is_contested |= lost.found.as_ref().is_some_and(|found| found != content);
            lost.found = Some(content.to_vec());
        }
    }

    /// The page with all that was found in it; `place` says where a page stands.
    fn finish(mut self, place: impl Fn(u32) -> u64) -> TornPage {
        for lost in self.lost.iter().filter(|lost| !lost.is_contested) {
            let Some(found) = &lost.found else { continue };
            let range = lost.start..lost.start + found.len();
            if let Some(part) = self.filled.get_mut(range.clone()) {
                part.copy_from_slice(found);
                self.restored.push(range);
            }
        }
        let mut doubtful = self.torn.gone.clone();
        for restored in &self.restored {
            doubtful = doubtful.into_iter().flat_map(|range| without(&range, restored)).collect();
        }
        match self.is_right(&doubtful) {
            // All that the checksum sums is there, and the rest is as the transaction left it.
            Some(true) if self.is_untouched() => doubtful.clear(),
            Some(false) if self.torn.flipped.is_empty() => doubtful.clone_from(&self.torn.gone),
            _ => {}
        }
        doubtful.extend(self.torn.flipped.iter().cloned());
        let image = self.image(&doubtful);
        let doubtful = doubtful.into_iter().map(|range| range.start as u64..range.end as u64).collect();
        TornPage { offset: place(self.torn.page), image, doubtful }
    }

    /// The image with the bytes of the filled page, but for what is `doubtful` behind the pointers to its cells: there the
    /// transaction may have put rows that never were.
    fn image(&self, doubtful: &[Range<usize>]) -> Vec<u8> {
        let behind = |range: &Range<usize>| range.start.max(self.pointers_end)..range.end;
        let mut image = self.filled.clone();
        for range in doubtful.iter().filter(|range| self.is_gone(range)).map(behind) {
            if let (Some(part), Some(own)) = (image.get_mut(range.clone()), self.torn.image.get(range)) {
                part.copy_from_slice(own);
            }
        }
        image
    }

    /// True if the transaction changed nothing outside of the lost sectors.
    fn is_untouched(&self) -> bool {
        self.filled == self.torn.theirs
    }

    /// Whether the checksum of the record is right now; none where it is lost, or some of what it sums.
    fn is_right(&self, doubtful: &[Range<usize>]) -> Option<bool> {
        let step = self.torn.step?;
        let is_known = |at: usize| self.is_untouched() || !doubtful.iter().any(|range| range.contains(&at));
        if !journal::summed(self.filled.len()).all(is_known) {
            return None;
        }
        let sum = |image: &[u8]| journal::checksum(0, image);
        Some(sum(&self.filled).wrapping_sub(sum(&self.torn.image)).cast_signed() == step)
    }
}

/// The columns of the row in `cell`.
fn columns_of(cell: &Cell<'_>) -> Option<usize> {
    Record::prefix(cell.payload?.local).ok().map(|record| record.columns())
}

/// The parts of `range` that are not in `other`.
fn without(range: &Range<usize>, other: &Range<usize>) -> impl Iterator<Item = Range<usize>> + use<> {
    let before = range.start..range.end.min(other.start);
    let behind = range.start.max(other.end)..range.end;
    [before, behind].into_iter().filter(|part| !part.is_empty())
}
