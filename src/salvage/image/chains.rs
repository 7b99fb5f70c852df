//! Overflow chains of one source: which pages a payload goes on in, none of them twice.
//!
//! A chain has exactly the length that its payload needs, no page of it has another role or is all zeros, and a page
//! belongs to one row (docs/recovery.md).

use std::collections::{HashMap, HashSet};

use crate::ondisk::btree::VisitedPages;
use crate::ondisk::image::{Image, Site};
use crate::ondisk::overflow;
use crate::ondisk::page::{Cell, Page};
use crate::ondisk::record;
use crate::salvage::passes::lost_sectors::Sectors;

/// A broken chain that many cells name is not followed for each of them.
const MAX_FAILURES: u32 = 16;

/// A payload that was put together.
pub(crate) struct Followed {
    pub(crate) bytes: Vec<u8>,
    /// Where its overflow pages lie, in their order.
    pub(crate) sites: Vec<Site>,
    /// Whether a sector of them that holds some of it may be lost.
    pub(crate) may_be_hollow: bool,
    /// Whether only zeros are behind its last page's part.
    is_clean: bool,
}

/// Whether chains that end as `some` do are so few against `others` that they are not as they were written.
pub(crate) fn is_rare(some: u32, others: u32) -> bool {
    /// One page in so many stands elsewhere at most.
    const SHARE: u32 = 8;
    some.saturating_mul(SHARE) <= others
}

/// Whether a chain goes from `page` to `next` while another goes from the one before that to the one behind `page`. Pages
/// of a chain mostly follow one another, so two that cross have changed places.
pub(crate) fn is_crossed(page: u32, next: u32, after: impl Fn(u32) -> Option<u32>) -> bool {
    let own = page.saturating_add(1);
    next > 1 && next != own && next - 1 != page && after(next - 1) == Some(own)
}

/// Which pages are taken by chains.
#[derive(Debug, Default)]
pub(crate) struct Chains {
    /// The page after each that is taken, 0 for none.
    claimed: HashMap<u32, u32>,
    /// How often the chain that begins with a page was followed in vain.
    broken: HashMap<u32, u32>,
    /// Whether something stood in the place of a page of a chain that was none of it.
    met_others: bool,
    /// Chains that end with only zeros behind them, and others.
    ends: (u32, u32),
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
        self.claimed.keys().copied()
    }

    /// Notes that what a chain gave is not what it should be.
    pub(crate) fn doubt(&mut self) {
        self.met_others = true;
    }

    /// Whether pages of chains may stand in each other's place: something else is in that of one, two go on just where the
    /// other should, or few end otherwise than the rest.
    pub(crate) fn are_doubtful(&self) -> bool {
        let (clean, other) = self.ends;
        let after = |page: u32| self.claimed.get(&page).copied();
        let is_crossed = |(&page, &next): (&u32, &u32)| is_crossed(page, next, after);
        self.met_others || other > 0 && is_rare(other, clean) || self.claimed.iter().any(is_crossed)
    }

    /// Whether a chain took `page`.
    pub(crate) fn has_claimed(&self, page: u32) -> bool {
        self.claimed.contains_key(&page)
    }

    /// The payload of `cell`, whose chain's pages belong to it from then on; `None` when the chain is broken. No page in
    /// `seen` or `free` is part of a chain.
    pub(crate) fn claim(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &VisitedPages,
        free: &HashSet<u32>,
    ) -> Option<Followed> {
        let (followed, pages) = self.follow(cell, image, seen, free)?;
        let after = pages.iter().skip(1).copied().chain([0]);
        self.claimed.extend(pages.iter().copied().zip(after));
        if followed.is_clean {
            self.ends.0 += 1;
        } else {
            self.ends.1 += 1;
        }
        Some(followed)
    }

    /// Whether the chain of `cell` is whole; nothing is claimed.
    pub(crate) fn is_whole(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &VisitedPages,
        free: &HashSet<u32>,
    ) -> bool {
        self.follow(cell, image, seen, free).is_some()
    }

    fn follow(
        &mut self,
        cell: &Cell<'_>,
        image: &Image<'_>,
        seen: &VisitedPages,
        free: &HashSet<u32>,
    ) -> Option<(Followed, Vec<u32>)> {
        let payload = cell.payload?;
        let mut bytes = payload.local.to_vec();
        let Some(first) = payload.overflow else {
            let followed = Followed { bytes, sites: Vec::new(), may_be_hollow: false, is_clean: true };
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
        let (mut left, mut may_be_hollow, mut is_clean) =
            (usize::try_from(need).unwrap_or(usize::MAX), false, true);
        let pages = overflow::follow(first, need, image.usable(), &mut bytes, |before, number, last| {
            let is_free =
                !seen.contains(number) && !self.claimed.contains_key(&number) && !free.contains(&number);
            own.insert(number);
            let site = image.site(number);
            image.page(number).filter(|page| {
                let held = left.min(image.usable().saturating_sub(overflow::CONTENT));
                left -= held;
                may_be_hollow |= image.site(number).is_some_and(|site| {
                    Sectors::of(page, site).any_lost(overflow::CONTENT..overflow::CONTENT + held)
                });
                // All of the payload is there when the end of its chain only names what cannot go on with it: a page of
                // the chain itself, or, with nothing behind the payload, none. A page of another row in its place names
                // one that is there.
                let is_beyond = |next: u32| next > image.count() && is_spoilt_end(next, number, page, image);
                let behind = page.get(overflow::CONTENT + held..image.usable()).unwrap_or_default();
                let is_blank = || behind.iter().all(|&byte| byte == 0);
                is_clean &= !last || is_blank();
                let is_none = |next| own.contains(&next) || is_beyond(next) && is_blank();
                let leads_nowhere = last && overflow::next_page(page).is_some_and(is_none);
                let is_blob = || last && record::is_blob(before, before.len()..before.len() + held);
                let is_written = site.is_some_and(|site| image.is_whole(site, 0, overflow::CONTENT + held));
                let is_of_it = is_written
                    && is_free
                    && (leads_nowhere || overflow::is_link(page, last, image.count(), is_blob()));
                self.met_others |= !is_of_it && page.iter().any(|&byte| byte != 0);
                is_of_it
            })
        });
        let Ok(pages) = pages else {
            self.broken.insert(first, failures + 1);
            return None;
        };
        let sites = pages.iter().filter_map(|&page| image.site(page)).collect();
        Some((Followed { bytes, sites, may_be_hollow, is_clean }, pages))
    }
}

/// Whether `next` can be the end of a chain with a byte spoilt, or ones over it, not the beginning of another page: of a tree, or of noise.
fn is_spoilt_end(next: u32, number: u32, page: &[u8], image: &Image<'_>) -> bool {
    let is_tree = || Page::read(number, page, image.usable()).is_ok_and(|page| page.is_sound());
    next.to_be_bytes().iter().filter(|byte| !matches!(byte, 0 | 0xff)).count() <= 1 && !is_tree()
}
