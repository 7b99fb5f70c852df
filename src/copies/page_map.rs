//! What every page of a file is for: the picture of a board, healthy or not.
//!
//! Pages are followed from where SQLite follows them: the schema's trees, the chains that their cells name, the freelist.
//! What is reached and whole is told by its use; what is reached and is not whole is damaged; what nothing reaches is
//! stray when it can be read, and lost when it cannot. Drawing is `ui`'s.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ondisk::btree::{self, VisitedPages};
use crate::ondisk::freelist;
use crate::ondisk::header::LOCK_BYTES_AT;
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::page::Page;
use crate::salvage::image::PageImage;
use crate::salvage::passes::page_scan;
use crate::salvage::schema::{Catalog, SchemaEntry};

/// A header that claims more pages than this many times those that are there is not believed.
const MAX_CLAIM: u32 = 64;

/// What a page is for. From the least to the most worrying: of a range of pages the last counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Use {
    /// Nothing: it is on the freelist, or SQLite leaves it out.
    Free,
    /// The rest of a long row.
    Overflow,
    /// Keys of an index.
    Index,
    /// Rows, the schema's among them, or the way to them.
    Table,
    /// Something that can be read, but nothing leads to it.
    Stray,
    /// In use, and cannot be read or not wholly.
    Damaged,
    /// Nothing leads to it and nothing in it can be read, or it is missing from the file.
    Lost,
}

impl Use {
    /// All of them, in the order of a legend.
    pub const ALL: [Self; 7] =
        [Self::Table, Self::Index, Self::Overflow, Self::Free, Self::Damaged, Self::Stray, Self::Lost];

    /// The word for it, as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Index => "index",
            Self::Overflow => "overflow",
            Self::Free => "free",
            Self::Damaged => "damaged",
            Self::Stray => "stray",
            Self::Lost => "lost",
        }
    }
}

/// Pages that follow one another and are for the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PageRun {
    /// What they are for.
    #[serde(rename = "use")]
    pub usage: Use,
    /// The number of the first, from 1.
    pub first: u32,
    /// The number of the last.
    pub last: u32,
}

/// All pages of a file, those of its WAL laid over it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Map {
    /// Bytes per page.
    pub page_size: usize,
    /// How many pages there are or should be.
    pub pages: u32,
    /// How many of each use.
    pub counts: BTreeMap<Use, u32>,
    /// All of them in the order of the file.
    pub runs: Vec<PageRun>,
}

impl Map {
    fn of(page_size: usize, uses: &[Use], missing: u32) -> Self {
        let mut runs: Vec<PageRun> = Vec::new();
        let mut counts = BTreeMap::new();
        let mut add = |usage: Use, first: u32, last: u32| {
            *counts.entry(usage).or_insert(0) += last - first + 1;
            match runs.last_mut().filter(|run| run.usage == usage) {
                Some(run) => run.last = last,
                None => runs.push(PageRun { usage, first, last }),
            }
        };
        for (number, usage) in (1..).zip(uses) {
            add(*usage, number, number);
        }
        let present = u32::try_from(uses.len()).unwrap_or(u32::MAX);
        if missing > 0 {
            add(Use::Lost, present.saturating_add(1), present.saturating_add(missing));
        }
        Self { page_size, pages: present.saturating_add(missing), counts, runs }
    }

    /// The most worrying use in each stretch of `pages` pages, from the first page on.
    pub fn stretches(&self, pages: u32) -> Vec<Use> {
        let pages = pages.max(1);
        let mut stretches = vec![Use::Free; self.pages.div_ceil(pages) as usize];
        let mut share: Vec<BTreeMap<Use, u32>> = Vec::new();
        share.resize_with(stretches.len(), BTreeMap::new);
        for run in &self.runs {
            let (mut first, end) = (run.first, run.last);
            while first <= end {
                let stretch = (first - 1) / pages;
                let last = end.min((stretch + 1).saturating_mul(pages));
                if let Some(share) = share.get_mut(stretch as usize) {
                    *share.entry(run.usage).or_insert(0) += last - first + 1;
                }
                let Some(next) = last.checked_add(1) else { break };
                first = next;
            }
        }
        for (stretch, share) in stretches.iter_mut().zip(share) {
            let worst = share.keys().next_back().copied().filter(|worst| *worst >= Use::Stray);
            // Of healthy pages the most count.
            let most =
                share.into_iter().max_by_key(|(usage, count)| (*count, *usage)).map(|(usage, _)| usage);
            *stretch = worst.or(most).unwrap_or(Use::Lost);
        }
        stretches
    }
}

/// The map of `layout`, whose schema is `entries`, taken apart as `catalog`.
pub(crate) fn draw(layout: &PageImage<'_>, entries: &[SchemaEntry], catalog: &Catalog) -> Map {
    let image = &layout.image;
    let mut survey = Survey {
        image,
        uses: vec![None; image.count() as usize + 1],
        seen: VisitedPages::new(image),
        beyond: 0,
    };
    survey.table(1);
    let known = catalog.tables.iter().filter_map(|tree| tree.root);
    for root in known.chain(catalog.sequence_root) {
        survey.tree(root, Use::Table);
    }
    for entry in entries {
        let usage = if entry.kind == "index" { Use::Index } else { Use::Table };
        survey.tree(entry.root, usage);
    }
    for index in &catalog.indexes {
        survey.tree(index.root, Use::Index);
    }
    if let Some(header) = layout.header {
        let list = freelist::read(image, header.freelist_trunk, header.freelist_count);
        for page in list.trunks.into_iter().chain(list.leaves) {
            survey.mark(page, Use::Free);
        }
        // A page count holds for the change counter that stands with it.
        let counted = header.valid_for == header.change_counter;
        let claimed = if counted { header.page_count } else { 0 };
        if claimed <= image.count().saturating_mul(MAX_CLAIM) {
            survey.beyond = survey.beyond.max(claimed);
        }
        if header.largest_root > 0 {
            survey.pointer_maps();
        }
    }
    survey.sweep();
    let missing = survey.beyond.saturating_sub(image.count());
    let uses: Vec<Use> = survey.uses.into_iter().skip(1).map(|usage| usage.unwrap_or(Use::Lost)).collect();
    Map::of(image.page_size(), &uses, missing)
}

struct Survey<'i, 'a> {
    image: &'i Image<'a>,
    /// By page number.
    uses: Vec<Option<Use>>,
    seen: VisitedPages,
    /// The highest number that anything names within reason.
    beyond: u32,
}

impl Survey<'_, '_> {
    /// Sets the use of a page that has none yet.
    fn mark(&mut self, page: u32, usage: Use) -> bool {
        match self.uses.get_mut(page as usize) {
            Some(place) if page > 0 && place.is_none() => {
                *place = Some(usage);
                true
            }
            _ => false,
        }
    }

    /// Something leads to `page`, which is not what it should be, or not there.
    fn mark_broken(&mut self, page: u32) {
        if page > self.image.count() {
            if page <= self.image.count().saturating_mul(MAX_CLAIM) {
                self.beyond = self.beyond.max(page);
            }
            return;
        }
        if let Some(place) = self.uses.get_mut(page as usize) {
            *place = Some(Use::Damaged);
        }
    }

    /// The tree from `root`: of a table, of an index, or of a table that is kept like an index.
    fn tree(&mut self, root: u32, usage: Use) {
        if root < 2 || self.seen.contains(root) {
            return;
        }
        let bytes = self.image.page(root).unwrap_or_default();
        let of_index =
            Page::read(root, &bytes, self.image.usable()).is_ok_and(|page| !page.kind().is_table());
        if of_index || usage == Use::Index { self.index(root, usage) } else { self.table(root) }
    }

    fn table(&mut self, root: u32) {
        let walk = btree::walk_table(self.image, root, &mut self.seen);
        for page in walk.interiors.into_iter().chain(walk.leaves.iter().map(|place| place.page)) {
            self.mark(page, Use::Table);
        }
        for place in walk.lost {
            self.mark_broken(place.page);
        }
        for place in walk.leaves {
            self.look(place.page);
        }
    }

    fn index(&mut self, root: u32, usage: Use) {
        let walk = btree::walk_index(self.image, root, &mut self.seen);
        for &page in &walk.pages {
            self.mark(page, usage);
        }
        for page in walk.lost {
            self.mark_broken(page);
        }
        for page in walk.pages {
            self.look(page);
        }
    }

    /// Marks a page of a tree that is not whole, and the pages in which its rows go on.
    fn look(&mut self, number: u32) {
        let bytes = self.image.page(number).unwrap_or_default();
        let Ok(page) = Page::read(number, &bytes, self.image.usable()) else { return };
        let mut whole = page.is_sound();
        for cell in page.cells() {
            let Ok(cell) = cell else {
                whole = false;
                continue;
            };
            let Some(payload) = cell.payload else { continue };
            let Some(first) = payload.overflow else { continue };
            let rest = payload.len.saturating_sub(payload.local.len() as u64);
            let each = self.image.usable().saturating_sub(4).max(1) as u64;
            self.chain(first, rest.div_ceil(each));
        }
        if !whole {
            self.mark_broken(number);
        }
    }

    /// A chain of `count` pages. Where it breaks off, the page that should have been the next is damaged.
    fn chain(&mut self, first: u32, count: u64) {
        let mut next = first;
        for _ in 0..count {
            let Some(bytes) = self.image.page(next).filter(|_| next > 0) else {
                return self.mark_broken(next);
            };
            if bytes.iter().all(|&byte| byte == 0) {
                return self.mark_broken(next);
            }
            if !self.mark(next, Use::Overflow) {
                // It has another use already: one of the two is wrong, and this page can be read as the other.
                return;
            }
            next = overflow::next_page(&bytes).unwrap_or(0);
        }
    }

    /// The pages that an auto-vacuum database keeps its pointers in: page 2, then one before each that it can describe.
    fn pointer_maps(&mut self) {
        let each = u32::try_from(self.image.usable() / 5 + 1).unwrap_or(u32::MAX);
        let mut page = 2;
        while page <= self.image.count() {
            self.mark(page, Use::Table);
            let Some(next) = page.checked_add(each) else { return };
            page = next;
        }
    }

    /// What nothing leads to.
    fn sweep(&mut self) {
        let image = self.image;
        let lock = u32::try_from(LOCK_BYTES_AT / image.page_size() as u64 + 1).unwrap_or(u32::MAX);
        self.mark(lock, Use::Free);
        for index in 0..page_scan::pieces(image) {
            let numbers = page_scan::numbers(image, index);
            let piece = image.piece(*numbers.start(), page_scan::stride(image));
            for number in numbers {
                if self.uses.get(number as usize).is_none_or(Option::is_some) {
                    continue;
                }
                let bytes = piece.page(number).unwrap_or_default();
                let page = Page::read(number, &bytes, image.usable());
                let readable = page.is_ok_and(|page| page.is_sound());
                self.mark(number, if readable { Use::Stray } else { Use::Lost });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(uses: &[Use], missing: u32) -> Map {
        Map::of(512, uses, missing)
    }

    #[test]
    fn pages_of_one_use_are_one_run() {
        use Use::{Index, Lost, Table};
        let map = map(&[Table, Table, Index, Lost], 2);
        assert_eq!(map.pages, 6);
        assert_eq!(map.runs.len(), 3);
        assert_eq!(map.runs[2], PageRun { usage: Lost, first: 4, last: 6 });
        assert_eq!(map.counts, BTreeMap::from([(Table, 2), (Index, 1), (Lost, 3)]));
    }

    #[test]
    fn a_stretch_shows_its_worst_page_or_else_what_most_are() {
        use Use::{Damaged, Free, Index, Lost, Overflow, Stray, Table};
        let map = map(&[Table, Index, Index, Table, Table, Damaged, Stray, Free, Free, Overflow], 1);
        assert_eq!(map.stretches(3), [Index, Damaged, Stray, Lost]);
        assert_eq!(map.stretches(1).len(), 11);
        assert_eq!(map.stretches(100), [Lost]);
        assert_eq!(map.stretches(0), map.stretches(1));
    }
}
