//! What becomes of every page: it stays, is written anew, or is unused.
//!
//! Rows decide: a leaf stays where it is with those of its cells that are rows of the result, and goes where none is.
//! Interior pages are all new. Pages that nobody names are unused, whatever they hold.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::freelist;
use super::header::{self, Fields};
use super::interior;
use super::interior::Child;
use super::page_writer::b_tree_page;
use crate::ondisk::header::LOCK_BYTES_AT;
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page, PageKind};
use crate::salvage::rows::extras::RowExtras;
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::rows::set::RowSet;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PlannedUse {
    Unused,
    /// Its bytes stay.
    Kept,
    /// Its cells stay.
    Leaf,
    /// Its bytes are new.
    New,
    /// The lock page.
    Locks,
}

/// A leaf of the new file: the rows from `first` on, `count` of them, less those that are left out.
#[derive(Debug, Clone, Copy)]
struct PlannedLeaf {
    /// The page on which its cells are.
    from: u32,
    table: usize,
    first: usize,
    count: usize,
}

/// The rows of one table that are in the new file by their cells.
#[derive(Debug)]
struct Standing<'r> {
    rows: &'r RowSet,
    /// Of these, the indexes of those whose cells cannot stay.
    left_out: HashSet<usize>,
}

/// Collects what stays of one image.
#[derive(Debug)]
pub(crate) struct Planner<'p, 'a> {
    image: &'p Image<'a>,
    /// What is odd about the rows: where their chains lie.
    odds: &'p RowExtras,
    roles: Vec<PlannedUse>,
    new: BTreeMap<u32, Vec<u8>>,
    leaves: BTreeMap<u32, PlannedLeaf>,
    tables: Vec<Standing<'p>>,
    trees: Vec<(u32, Vec<Child>)>,
    /// No page below this one is unused; told once every tree has its leaves.
    lowest: usize,
}

impl<'p, 'a> Planner<'p, 'a> {
    /// Nothing stays yet, except `pages`; `roots` are taken. `None` if two of these are the same.
    pub(crate) fn new(
        image: &'p Image<'a>,
        odds: &'p RowExtras,
        pages: &[u32],
        roots: &[u32],
    ) -> Option<Self> {
        let mut planner = Self {
            image,
            odds,
            roles: vec![PlannedUse::Unused; image.count() as usize],
            new: BTreeMap::new(),
            leaves: BTreeMap::new(),
            tables: Vec::new(),
            trees: Vec::new(),
            lowest: 0,
        };
        if let Some(role) = planner.roles.get_mut(lock_page(image)) {
            *role = PlannedUse::Locks;
        }
        for page in pages {
            planner.take(*page, PlannedUse::Kept)?;
        }
        for root in roots {
            planner.take(*root, PlannedUse::New)?;
        }
        Some(planner)
    }

    fn role_mut(&mut self, page: u32) -> Option<&mut PlannedUse> {
        self.roles.get_mut((page as usize).checked_sub(1)?)
    }

    fn is_unused(&self, page: u32) -> bool {
        let index = (page as usize).checked_sub(1);
        index.and_then(|index| self.roles.get(index)) == Some(&PlannedUse::Unused)
    }

    /// Gives an unused page a role.
    fn take(&mut self, page: u32, role: PlannedUse) -> Option<()> {
        let place = self.role_mut(page).filter(|role| **role == PlannedUse::Unused)?;
        *place = role;
        Some(())
    }

    /// Makes the index with the root page `root` an empty one.
    pub(crate) fn empty_index(&mut self, root: u32) -> Option<()> {
        self.put_empty(PageKind::IndexLeaf, root)
    }

    /// Makes the table with the root page `root` an empty one.
    pub(crate) fn empty_table(&mut self, root: u32) -> Option<()> {
        self.put_empty(PageKind::TableLeaf, root)
    }

    fn put_empty(&mut self, kind: PageKind, root: u32) -> Option<()> {
        self.new.insert(root, b_tree_page::<&[u8]>(kind, &[], None, self.image.page_size())?);
        Some(())
    }

    /// Gives the table with the root page `root` the rows of `rows`, by rising rowid, less those in `left_out`. Returns the
    /// indexes of all whose cells cannot stay.
    pub(crate) fn table(
        &mut self,
        root: u32,
        rows: &'p RowSet,
        left_out: HashSet<usize>,
    ) -> Option<&HashSet<usize>> {
        let table = self.tables.len();
        let mut standing = Standing { rows, left_out };
        let mut leaves: Vec<(PlannedLeaf, i64)> = Vec::new();
        let mut first = 0;
        let mut all = rows.iter().map(|row| row.page).peekable();
        while let Some(from) = all.next() {
            let count = 1 + std::iter::from_fn(|| all.next_if_eq(&from)).count();
            let leaf = PlannedLeaf { from, table, first, count };
            first += count;
            // Only the one leaf of a small table is its root.
            let alone = from == root && count == rows.len();
            if alone || self.take(from, PlannedUse::Leaf).is_some() {
                self.chains(leaf, &mut standing);
                let high = standing.of(leaf).last().map(|row| row.rowid);
                match high {
                    Some(high) => leaves.push((leaf, high)),
                    None if !alone => *self.role_mut(from)? = PlannedUse::Unused,
                    None => {}
                }
            } else {
                standing.left_out.extend(leaf.first..leaf.first + leaf.count);
            }
        }
        match leaves.as_slice() {
            [] => self.empty_table(root)?,
            [(leaf, _)] => {
                self.leaves.insert(root, *leaf);
                if leaf.from != root {
                    *self.role_mut(leaf.from)? = PlannedUse::Unused;
                }
            }
            _ => {
                self.leaves.extend(leaves.iter().map(|(leaf, _)| (leaf.from, *leaf)));
                let children = leaves.iter().map(|(leaf, high)| Child { page: leaf.from, high: *high });
                self.trees.push((root, children.collect()));
            }
        }
        self.tables.push(standing);
        self.tables.last().map(|standing| &standing.left_out)
    }

    /// Keeps the overflow pages that the rows of `leaf` name; rows whose chains cannot stay are left out.
    fn chains(&mut self, leaf: PlannedLeaf, standing: &mut Standing<'_>) {
        let rows = standing.rows.range(leaf.first, leaf.count);
        if rows.iter().all(|row| !row.is(row::CHAINED)) {
            return;
        }
        for (index, row) in (leaf.first..).zip(rows.iter()) {
            if !row.is(row::CHAINED) || standing.left_out.contains(&index) {
                continue;
            }
            if self.chain_of(row).is_none() {
                standing.left_out.insert(index);
            }
        }
    }

    /// Keeps the overflow pages of `row`; `None` if one of them is missing or is another's.
    fn chain_of(&mut self, row: &Row) -> Option<()> {
        let odd = row.oddity(self.odds);
        if let Some(pages) = odd.and_then(|odd| self.pages_of(&odd)) {
            let unused = pages.iter().all(|page| self.is_unused(*page));
            return unused.then(|| pages.iter().try_for_each(|page| self.take(*page, PlannedUse::Kept)))?;
        }
        let bytes = self.image.page(row.page)?;
        let page = Page::read_as(PageKind::TableLeaf, row.page, &bytes, self.image.usable()).ok()?;
        self.chain(&page.cell(usize::from(row.cell)).ok()?)
    }

    /// The numbers of the pages where a payload goes on, if all of them are pages of the main file.
    fn pages_of(&self, odd: &Odd) -> Option<Vec<u32>> {
        let page_size = self.image.page_size();
        let mut pages = Vec::new();
        for run in &odd.chain {
            for index in 0..run.pages {
                let site = run.site_of(index, page_size);
                let number = u32::try_from(site.offset / page_size as u64 + 1).ok()?;
                pages.push((self.image.site(number)? == site).then_some(number)?);
            }
        }
        (!pages.is_empty()).then_some(pages)
    }

    /// Keeps the overflow pages of `cell`; `None` if one of them is missing or is another's.
    fn chain(&mut self, cell: &Cell<'_>) -> Option<()> {
        let image = self.image;
        let payload = cell.payload?;
        let Some(first) = payload.overflow else { return Some(()) };
        let need = payload.len.checked_sub(payload.local.len() as u64)?;
        if need > u64::from(image.count()) * image.usable() as u64 {
            return None;
        }
        let pages = overflow::follow(first, need, image.usable(), &mut Vec::new(), |_, number, last| {
            image
                .page(number)
                .filter(|page| self.is_unused(number) && overflow::is_link(page, last, image.count(), true))
        });
        for page in pages.ok()? {
            self.take(page, PlannedUse::Kept)?;
        }
        Some(())
    }

    /// Grows the trees and lists what is unused. The counts in `fields` are set here.
    pub(crate) fn finish(mut self, mut fields: Fields) -> Option<PagePlan<'p, 'a>> {
        let page_size = self.image.page_size();
        for (root, leaves) in std::mem::take(&mut self.trees) {
            let interiors = interior::grow(&leaves, root, page_size, &mut || self.allocate())?;
            self.new.extend(interiors);
        }
        while matches!(self.roles.last(), Some(PlannedUse::Unused | PlannedUse::Locks)) {
            self.roles.pop();
        }
        let numbered = (1_u32..).zip(&self.roles);
        let unused: Vec<u32> =
            numbered.filter_map(|(number, role)| (*role == PlannedUse::Unused).then_some(number)).collect();
        let trunks = freelist::write(&unused, page_size)?;
        fields.freelist_trunk = trunks.first().map_or(0, |(number, _)| *number);
        fields.freelist_count = u32::try_from(unused.len()).ok()?;
        fields.page_count = u32::try_from(self.roles.len()).ok()?;
        for (number, _) in &trunks {
            *self.role_mut(*number)? = PlannedUse::New;
        }
        self.new.extend(trunks);
        let mut first = self.image.page(1)?.to_vec();
        header::put(&mut first, &fields)?;
        *self.role_mut(1)? = PlannedUse::New;
        self.new.insert(1, first);
        Some(PagePlan {
            image: self.image,
            roles: self.roles,
            new: self.new,
            leaves: self.leaves,
            tables: self.tables,
        })
    }

    /// An unused page for a new interior page, at the end of the file if there is no other.
    fn allocate(&mut self) -> Option<u32> {
        while self.roles.get(self.lowest).is_some_and(|role| *role != PlannedUse::Unused) {
            self.lowest += 1;
        }
        if self.lowest == self.roles.len() {
            if self.lowest == lock_page(self.image) {
                self.roles.push(PlannedUse::Locks);
                self.lowest += 1;
            }
            self.roles.push(PlannedUse::Unused);
        }
        let number = u32::try_from(self.lowest + 1).ok()?;
        self.take(number, PlannedUse::New)?;
        Some(number)
    }
}

impl<'r> Standing<'r> {
    /// The rows of `leaf` that stay.
    fn of(&self, leaf: PlannedLeaf) -> Cow<'r, [Row]> {
        let rows = self.rows.range(leaf.first, leaf.count);
        let stays = |index: usize| !self.left_out.contains(&index);
        if self.left_out.is_empty() || (leaf.first..leaf.first + leaf.count).all(stays) {
            return rows;
        }
        let numbered = (leaf.first..).zip(rows.iter());
        numbered.filter(|(index, _)| stays(*index)).map(|(_, row)| *row).collect()
    }
}

/// The index of the lock page.
fn lock_page(image: &Image<'_>) -> usize {
    usize::try_from(LOCK_BYTES_AT).map_or(usize::MAX, |byte| byte / image.page_size())
}

/// The new file, page by page.
#[derive(Debug)]
pub(crate) struct PagePlan<'p, 'a> {
    pub(crate) image: &'p Image<'a>,
    roles: Vec<PlannedUse>,
    new: BTreeMap<u32, Vec<u8>>,
    leaves: BTreeMap<u32, PlannedLeaf>,
    tables: Vec<Standing<'p>>,
}

impl PagePlan<'_, '_> {
    /// How many pages the new file has.
    pub(crate) fn page_count(&self) -> u32 {
        u32::try_from(self.roles.len()).unwrap_or(u32::MAX)
    }

    /// How many of them hold nothing.
    pub(crate) fn unused(&self) -> usize {
        self.roles.iter().filter(|role| **role == PlannedUse::Unused).count()
    }

    /// Puts page `number` into `out`, a page of zeros; `old` gives pages of the image. `None` if what should be there is not.
    pub(crate) fn page<B: AsRef<[u8]>>(
        &self,
        number: u32,
        old: impl Fn(u32) -> Option<B>,
        out: &mut [u8],
    ) -> Option<()> {
        if let Some(leaf) = self.leaves.get(&number) {
            return self.leaf(*leaf, old(leaf.from)?.as_ref(), out);
        }
        match self.roles.get((number as usize).checked_sub(1)?)? {
            PlannedUse::Unused | PlannedUse::Locks => Some(()),
            PlannedUse::Kept => copy(old(number)?.as_ref(), out),
            PlannedUse::New => copy(self.new.get(&number)?, out),
            PlannedUse::Leaf => None,
        }
    }

    /// A leaf whose page was `bytes`: the same page if all its cells stay, otherwise one with those that do.
    fn leaf(&self, leaf: PlannedLeaf, bytes: &[u8], out: &mut [u8]) -> Option<()> {
        let usable = self.image.usable();
        let standing = self.tables.get(leaf.table)?;
        let rows = standing.of(leaf);
        let offsets = rows.iter().map(|row| usize::from(row.cell));
        let named =
            Page::read(leaf.from, bytes, usable).ok().filter(|page| page.kind() == PageKind::TableLeaf);
        if named.is_some_and(|page| page.is_sound() && page.offsets().eq(offsets)) {
            return copy(bytes, out);
        }
        let page = Page::read_as(PageKind::TableLeaf, leaf.from, bytes, usable).ok()?;
        let mut cells = Vec::with_capacity(leaf.count);
        for row in &*rows {
            let start = usize::from(row.cell);
            let cell = page.cell(start).ok().filter(|cell| cell.rowid == row.rowid)?;
            cells.push(bytes.get(start..(start + cell.size).min(bytes.len()))?);
        }
        copy(&b_tree_page(PageKind::TableLeaf, &cells, None, self.image.page_size())?, out)
    }
}

/// Copies `bytes`, which may be shorter at the end of a file, to the start of `out`.
fn copy(bytes: &[u8], out: &mut [u8]) -> Option<()> {
    out.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(())
}
