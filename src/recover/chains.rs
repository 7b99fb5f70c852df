//! Overflow chains of one source: which pages a payload goes on in, none of them twice.
//!
//! A chain has exactly the length that its payload needs, no page of it has another role or is all zeros, and a page
//! belongs to one row (recovery.md, "What decides it", 5).

use std::collections::{HashMap, HashSet};

use crate::ondisk::btree::Seen;
use crate::ondisk::image::{Image, Site};
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page};
use crate::recover::salvage::hollow;

/// A broken chain that many cells name is not followed for each of them.
const MAX_FAILURES: u32 = 16;

/// A payload that was put together.
pub(crate) struct Followed {
    pub(crate) bytes: Vec<u8>,
    /// Where its overflow pages lie, in their order.
    pub(crate) sites: Vec<Site>,
    /// Whether a sector of them that holds some of it may be lost.
    pub(crate) may_be_hollow: bool,
}

/// Which pages are taken by chains.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    claimed: HashSet<u32>,
    /// How often the chain that begins with a page was followed in vain.
    broken: HashMap<u32, u32>,
    /// Pages that may still be read only to see whether a chain is there.
    looks: Option<u64>,
}

impl Chains {
    /// For looking only: no more than `pages` pages are read.
    pub(crate) fn bounded(pages: u64) -> Self {
        Self { looks: Some(pages), ..Self::default() }
    }

    /// Gives back every page that was taken.
    pub(crate) fn release(&mut self) {
        self.claimed.clear();
    }

    /// The pages that are taken.
    pub(crate) fn claimed(&self) -> impl Iterator<Item = u32> + '_ {
        self.claimed.iter().copied()
    }

    /// Whether a chain took `page`.
    pub(crate) fn has_claimed(&self, page: u32) -> bool {
        self.claimed.contains(&page)
    }

    /// The payload of `cell`, whose chain's pages belong to it from then on; `None` when the chain is broken. No page in
    /// `seen` or `free` is part of a chain.
    pub(crate) fn claim(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &Seen,
        free: &HashSet<u32>,
    ) -> Option<Followed> {
        let (followed, pages) = self.follow(cell, image, seen, free)?;
        self.claimed.extend(pages);
        Some(followed)
    }

    /// Whether the chain of `cell` is whole; nothing is claimed.
    pub(crate) fn is_whole(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &Seen,
        free: &HashSet<u32>,
    ) -> bool {
        self.follow(cell, image, seen, free).is_some()
    }

    fn follow(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &Seen,
        free: &HashSet<u32>,
    ) -> Option<(Followed, Vec<u32>)> {
        let payload = cell.payload?;
        let mut bytes = payload.local.to_vec();
        let Some(first) = payload.overflow else {
            let followed = Followed { bytes, sites: Vec::new(), may_be_hollow: false };
            return Some((followed, Vec::new()));
        };
        let need = payload.len.checked_sub(payload.local.len() as u64)?;
        // A length that all the pages together could not hold is no length.
        if need > u64::from(image.count()) * image.usable() as u64 {
            return None;
        }
        let failures = self.broken.get(&first).copied().unwrap_or(0);
        let looks = self.looks.map(|looks| looks.checked_sub(need.div_ceil(image.usable().max(1) as u64)));
        if failures >= MAX_FAILURES || looks == Some(None) {
            return None;
        }
        self.looks = looks.flatten();
        let mut own = HashSet::new();
        let (mut left, mut may_be_hollow) = (usize::try_from(need).unwrap_or(usize::MAX), false);
        let pages = overflow::follow(first, need, image.usable(), &mut bytes, |number, last| {
            let is_free =
                !seen.contains(number) && !self.claimed.contains(&number) && !free.contains(&number);
            own.insert(number);
            image.page(number).filter(|page| {
                let held = left.min(image.usable().saturating_sub(overflow::CONTENT));
                left -= held;
                may_be_hollow |= hollow::has_lost_sector(page, overflow::CONTENT..overflow::CONTENT + held);
                // All of the payload is there when the end of its chain only names what cannot go on with it: a page of
                // the chain itself, or, with nothing behind the payload, none. A page of another row in its place names
                // one that is there.
                let is_beyond = |next: u32| next > image.count() && is_spoilt_end(next, number, page, image);
                let behind = page.get(overflow::CONTENT + held..image.usable()).unwrap_or_default();
                let is_none =
                    |next| own.contains(&next) || is_beyond(next) && behind.iter().all(|&byte| byte == 0);
                let leads_nowhere = last && overflow::next_page(page).is_some_and(is_none);
                is_free && (leads_nowhere || is_link(page, last, image.count()))
            })
        });
        let Ok(pages) = pages else {
            self.broken.insert(first, failures + 1);
            return None;
        };
        let sites = pages.iter().filter_map(|&page| image.site(page)).collect();
        Some((Followed { bytes, sites, may_be_hollow }, pages))
    }
}

/// Whether `next` can be the end of a chain with a byte spoilt, or ones over it, not the beginning of another page: of a tree, or of noise.
fn is_spoilt_end(next: u32, number: u32, page: &[u8], image: &Image<'_>) -> bool {
    let is_tree = || Page::read(number, page, image.usable()).is_ok_and(|page| page.is_sound());
    next.to_be_bytes().iter().filter(|byte| !matches!(byte, 0 | 0xff)).count() <= 1 && !is_tree()
}

/// Whether `page` can be one of a chain: not all zeros, and followed by a page that exists, or by none if it is the last.
pub(crate) fn is_link(page: &[u8], last: bool, count: u32) -> bool {
    let Some(next) = overflow::next_page(page) else { return false };
    let in_place = if last { next == 0 } else { (2..=count.max(2)).contains(&next) };
    in_place && page.iter().any(|&byte| byte != 0)
}
