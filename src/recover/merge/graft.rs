//! Completes rows whose overflow chain is broken in every source that has their cell: pages of the same number from other
//! sources stand in for the lost ones.
//!
//! Such a row is pieced together from two files. It comes in only where no source has it whole and the page beside the lost
//! one is the same in both files, so that no mixture of an old and a new text passes for a row. It is marked.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::Merge;
use super::rank::ReadFacts;
use crate::failure::Outcome;
use crate::ondisk::image::Site;
use crate::ondisk::overflow;
use crate::ondisk::record::Record;
use crate::salvage::image;
use crate::salvage::image::PageImage;
use crate::salvage::passes::lost_sectors;
use crate::salvage::passes::lost_sectors::{PayloadPart, Sectors};
use crate::salvage::rows::row;
use crate::salvage::rows::row::{Odd, Row, runs};
use crate::salvage::source::cache::SourceCache;
use crate::salvage::source::open::OpenSource;
use crate::work::progress::{Stage, Watch};

/// So many of the best sources are asked for pages.
const DONORS: usize = 16;
/// Pages that may be looked at in all; a heap of crossed chains ends here.
const LOOKS: u64 = 1 << 20;

/// Bytes besides zeros that two versions of a page have alike at least.
const MIN_SAME_BYTES: usize = 128;

/// Completes what it can of the rows that `merge` has only parts of.
pub(crate) fn graft(
    merge: &mut Merge,
    ranked: &[ReadFacts],
    shelf: &SourceCache<'_>,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    let mut missing = merge.missing_parts();
    if missing.is_empty() || ranked.len() < 2 {
        return Ok(());
    }
    missing.sort_by_key(|(at, row)| (row.source, *at, row.rowid));
    let chained = merge.odds().iter().flat_map(|odd| odd.chain);
    let mut taken = HashSet::new();
    for run in chained {
        let size = ranked.iter().find(|facts| facts.source == run.source).map_or(0, |facts| facts.page_size);
        taken.extend((0..run.pages).map(|index| (run.source, run.site_of(index, size))));
    }
    let open = |source: u32| -> Outcome<(u32, Arc<OpenSource>)> { Ok((source, shelf.stores(source)?)) };
    let stores = ranked.iter().take(DONORS).map(|facts| open(facts.source)).collect::<Outcome<Vec<_>>>()?;
    let donors: Vec<(u32, PageImage<'_>)> =
        stores.iter().filter_map(|(source, stores)| Some((*source, image::lay_out(stores)?))).collect();
    let mut looks = LOOKS;
    let total = missing.len() as u64;
    let mut rows = missing.into_iter().zip(0..).peekable();
    while let Some(((_, first), _)) = rows.peek() {
        let source = first.source;
        let own = shelf.stores(source)?;
        let layout = image::lay_out(&own);
        while let Some(((at, row), done)) = rows.next_if(|((_, row), _)| row.source == source) {
            watch.step(Stage::Merge, done, total)?;
            let Some(layout) = &layout else { continue };
            let mut graft =
                Graft { own: (source, layout), donors: &donors, taken: &taken, looks: &mut looks };
            if let Some((mut row, odd)) = graft.complete(merge, at, row) {
                for run in &odd.chain {
                    let size = layout.image.page_size();
                    taken.extend((0..run.pages).map(|index| (run.source, run.site_of(index, size))));
                }
                row.mark(row::GRAFTED | row::SUSPECT, true);
                merge.complete(at, row, &odd);
            }
        }
    }
    merge.settle();
    Ok(())
}

struct Graft<'g, 'a> {
    own: (u32, &'g PageImage<'a>),
    donors: &'g [(u32, PageImage<'a>)],
    taken: &'g HashSet<(u32, Site)>,
    looks: &'g mut u64,
}

impl Graft<'_, '_> {
    fn complete(&mut self, merge: &Merge, at: usize, row: Row) -> Option<(Row, Odd)> {
        let image = &self.own.1.image;
        let flip = row.oddity(merge.odds()).and_then(|odd| odd.flip);
        let mut bytes = image.page_at(row.site())?;
        let cell = row.cell_in(&mut bytes, flip, image.usable())?;
        if !image.is_whole(row.site(), cell.offset, cell.size) {
            return None;
        }
        let payload = cell.payload?;
        let need = payload.len.checked_sub(payload.local.len() as u64)?;
        *self.looks = self.looks.checked_sub(need.div_ceil(image.usable().max(1) as u64))?;
        let mut whole = payload.local.to_vec();
        let mut sites: Vec<(u32, Site)> = Vec::new();
        let mut numbers: Vec<u32> = Vec::new();
        let sources = || {
            let fits = |layout: &&PageImage<'_>| {
                let theirs = &layout.image;
                (theirs.page_size(), theirs.usable(), theirs.encoding())
                    == (image.page_size(), image.usable(), image.encoding())
            };
            let others = self.donors.iter().filter(|(source, _)| *source != self.own.0);
            std::iter::once(self.own)
                .chain(others.map(|(source, layout)| (*source, layout)))
                .filter(move |(_, layout)| fits(layout))
        };
        let mut pages: Vec<(Cow<'_, [u8]>, Site)> = Vec::new();
        overflow::follow(payload.overflow?, need, image.usable(), &mut whole, |before, number, last| {
            let held = usize::try_from(payload.len).unwrap_or(usize::MAX).saturating_sub(before.len());
            let span = overflow::CONTENT..overflow::CONTENT.saturating_add(held).min(image.usable());
            let mut links = sources().filter_map(|(source, layout)| {
                let site = layout.image.site(number)?;
                let page = layout.image.page(number)?;
                let usable = !self.taken.contains(&(source, site))
                    && overflow::is_link(&page, last, layout.image.count(), false);
                usable.then_some((source, site, page))
            });
            // Another source's page stands in for one with a hole, too. Where each seems to have one, the text may repeat
            // a pattern of its own: that is seen when all of it is there.
            let mut hollow = None;
            let sound = links.find_map(|link| {
                let is_hollow = Sectors::of(&link.2, link.1).any_lost(span.clone());
                if is_hollow {
                    hollow.get_or_insert(link);
                    return None;
                }
                Some(link)
            });
            let (source, site, page) = sound.or(hollow)?;
            sites.push((source, site));
            numbers.push(number);
            pages.push((page.clone(), site));
            Some(page)
        })
        .ok()?;
        if !self.is_of_one_text(&row, payload.local, &sites, &numbers) {
            return None;
        }
        let (start, len) = lost_sectors::place(&cell);
        let own = PayloadPart { sectors: Sectors::of(&bytes, row.site()), at: start, len };
        let parts = lost_sectors::parts(own, &pages, image.usable(), whole.len());
        if !lost_sectors::holes(&whole, &parts).is_empty() {
            return None;
        }
        let shape = merge.table(at)?.shape_of(row.source);
        shape.fit(&Record::read(&whole).ok()?, image.encoding())?;
        Some((row, Odd { flip, chain: runs(&sites, image.page_size()), ..Odd::default() }))
    }

    /// True if beside every page that another source lends, a page of our own, or the row's cell, is the same in that source, or
    /// if what is left of our own page is.
    fn is_of_one_text(&self, row: &Row, local: &[u8], sites: &[(u32, Site)], numbers: &[u32]) -> bool {
        let lent = |at: usize| sites.get(at).is_some_and(|(source, _)| *source != self.own.0);
        let is_same = |donor: &PageImage<'_>, at: usize| {
            let number = numbers.get(at).copied().filter(|_| !lent(at));
            number.is_some_and(|number| {
                let page = donor.image.page(number);
                page.is_some() && page == self.own.1.image.page(number)
            })
        };
        let has_cell = |donor: &PageImage<'_>| {
            let page = donor.image.page(row.page);
            page.is_some_and(|page| {
                !local.is_empty() && page.windows(local.len()).any(|window| window == local)
            })
        };
        (0..sites.len()).filter(|at| lent(*at)).all(|at| {
            let donor =
                sites.get(at).and_then(|(source, _)| self.donors.iter().find(|(donor, _)| donor == source));
            donor.is_some_and(|(_, donor)| {
                let before = if at == 0 { has_cell(donor) } else { is_same(donor, at - 1) };
                before
                    || is_same(donor, at + 1)
                    || numbers.get(at).is_some_and(|number| self.is_same_beside_holes(donor, *number))
            })
        })
    }

    /// True if our page `number` has lost sectors, and is that of `donor` beside them.
    fn is_same_beside_holes(&self, donor: &PageImage<'_>, number: u32) -> bool {
        let image = &self.own.1.image;
        let (Some(site), Some(ours), Some(theirs)) =
            (image.site(number), image.page(number), donor.image.page(number))
        else {
            return false;
        };
        let sectors = Sectors::of(&ours, site);
        let mut same = 0;
        ours.len() == theirs.len()
            && ours.iter().zip(theirs.iter()).enumerate().all(|(at, (own, other))| {
                same += usize::from(own == other && *own != 0);
                own == other || sectors.any_lost(at..at + 1)
            })
            && same >= MIN_SAME_BYTES
    }
}
