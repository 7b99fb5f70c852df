//! Flipped bits in rows that are whole otherwise: told by copies of the same page. Rows whose pages have changed since are
//! compared one by one (`vote`).
//!
//! Pages of two sources that differ in a few bits are one version of one page, with bits that have flipped in either. Where
//! there are three such versions, most of them say what a bit was (recovery.md, "What decides it", 9). Where there are two,
//! what the row then says decides, and only if it says nothing, how many sources have which: copies of a damaged file
//! repeat its damage. Of two that have as many, the one counts whose rows are likely where the other's are not.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};

use super::Merge;
use super::rank::Facts;
use super::vote::is_settled;
use crate::failure::Outcome;
use crate::ondisk::image::{Image, Site};
use crate::ondisk::record::Record;
use crate::salvage::image;
use crate::salvage::rows::row::{Odd, Row};
use crate::salvage::schema::{TableSchema, odd_characters};
use crate::salvage::source::cache::SourceCache;
use crate::work::progress::{Stage, Watch};

/// So many of the best sources are asked.
const VOICES: usize = 6;
/// Pages that differ in more bits are of different moments.
const MAX_FLIPS: u32 = 32;
/// Pages between two looks at the watch.
const STRIDE: u32 = 4096;
/// Where the content of an overflow page begins.
const LINK: usize = 4;

/// Turns back the flipped bits that the best sources tell of each other.
///
/// # Errors
/// When a source cannot be opened again, and whatever `watch` stops with.
pub(crate) fn turn_back(
    merge: &mut Merge,
    ranked: &[Facts],
    shelf: &SourceCache<'_>,
    watch: &mut dyn Watch,
) -> Outcome<()> {
    let Some(main) = ranked.first() else { return Ok(()) };
    let alike = |facts: &&Facts| facts.page_size == main.page_size && facts.encoding == main.encoding;
    let open = |facts: &Facts| Ok((facts.source, shelf.stores(facts.source)?));
    if ranked.iter().filter(alike).nth(1).is_none() {
        return Ok(());
    }
    let stores = ranked.iter().filter(alike).take(VOICES).map(open).collect::<Outcome<Vec<_>>>()?;
    let layouts = stores.iter().filter_map(|(source, stores)| Some((*source, image::lay_out(stores)?.image)));
    let voices: Vec<(u32, Image<'_>)> = layouts.collect();
    if voices.len() < 2 {
        return Ok(());
    }
    for (source, image) in &voices {
        if merge.rows_of(*source).next().is_none() {
            continue;
        }
        let others: Vec<_> =
            voices.iter().filter(|(other, _)| other != source).map(|(_, image)| image).collect();
        let flips = flips_of(image, &others, watch)?;
        if !flips.is_empty() {
            let was_altered =
                voices.iter().any(|(other, _)| other != source && merge.was_altered(*source, *other));
            mend(merge, *source, &Hurt { image, flips, was_altered });
        }
    }
    Ok(())
}

/// The bits of the pages of `image` that `others` have otherwise.
fn flips_of(
    image: &Image<'_>,
    others: &[&Image<'_>],
    watch: &mut dyn Watch,
) -> Outcome<HashMap<Site, Flips>> {
    let mut flips = HashMap::new();
    for number in 1..=image.count() {
        if number % STRIDE == 0 {
            watch.step(Stage::Merge, u64::from(number), u64::from(image.count()))?;
        }
        let (Some(ours), Some(site)) = (image.page(number), image.site(number)) else { continue };
        let found = compare(&ours, others.iter().filter_map(|other| other.page(number)));
        if !found.is_empty() {
            flips.insert(site, found);
        }
    }
    Ok(flips)
}

/// Mends those rows of `source` that lie on the pages of `hurt`.
fn mend(merge: &mut Merge, source: u32, hurt: &Hurt<'_, '_>) {
    let is_hurt = |row: &Row| {
        let odd = row.oddity(merge.odds());
        odd.as_ref().is_none_or(|odd| odd.payload.is_none()) && hurt.touches(row, odd.as_ref())
    };
    let rows: Vec<_> = merge.rows_of(source).filter(|(.., row)| is_hurt(row)).collect();
    for (table, at, row) in rows {
        let odd = row.oddity(merge.odds());
        let Some(shape) = merge.table(table).map(|table| table.shape_of(row.source)) else { continue };
        if let Some(payload) = hurt.mended(&row, odd.as_ref(), shape)
            && let Ok(payload) = hurt.image.encoding().transcode(&payload)
        {
            merge.rewrite(table, at, &payload);
        }
    }
}

/// The bits of a page that other versions of it have otherwise: where, and which.
#[derive(Debug, Default)]
struct Flips {
    /// Most versions have them otherwise.
    sure: Vec<(usize, u8)>,
    /// As many versions have them so as otherwise, but fewer sources.
    likely: Vec<(usize, u8)>,
    /// As many versions have them so as otherwise.
    open: Vec<(usize, u8)>,
}

impl Flips {
    fn is_empty(&self) -> bool {
        self.sure.is_empty() && self.likely.is_empty() && self.open.is_empty()
    }
}

/// Compares `ours` with those of `theirs` that are the same version of the page.
fn compare<'p>(ours: &[u8], theirs: impl Iterator<Item = Cow<'p, [u8]>>) -> Flips {
    // Each version once, with the number of sources that have it.
    let mut near: Vec<(Cow<'_, [u8]>, usize)> = Vec::new();
    let mut same = 1;
    for page in theirs {
        if *page == *ours {
            same += 1;
        } else if let Some((_, count)) = near.iter_mut().find(|(known, _)| *known == page) {
            *count += 1;
        } else if page.len() == ours.len() && is_near(ours, &page) {
            near.push((page, 1));
        }
    }
    let sources = same + near.iter().map(|(_, count)| count).sum::<usize>();
    let mut against: BTreeMap<(usize, u8), (usize, usize)> = BTreeMap::new();
    for (page, count) in &near {
        let bytes = ours.iter().zip(page.iter()).enumerate();
        for (at, (one, other)) in bytes.filter(|(_, (one, other))| one != other) {
            for mask in (0..8).map(|bit| 1 << bit).filter(|mask| (one ^ other) & mask != 0) {
                let (versions, holders) = against.entry((at, mask)).or_default();
                *versions += 1;
                *holders += count;
            }
        }
    }
    let mut flips = Flips::default();
    for (flip, (versions, holders)) in against {
        match (2 * versions).cmp(&(near.len() + 1)) {
            Ordering::Greater => flips.sure.push(flip),
            Ordering::Equal if 2 * holders > sources => flips.likely.push(flip),
            Ordering::Equal => flips.open.push(flip),
            Ordering::Less => {}
        }
    }
    flips
}

fn is_near(one: &[u8], other: &[u8]) -> bool {
    let mut flips = 0;
    for (one, other) in one.iter().zip(other) {
        flips += (one ^ other).count_ones();
        if flips > MAX_FLIPS {
            return false;
        }
    }
    true
}

/// How hard it is to believe a row: values of the wrong sort, then what speaks for others, then characters that no text has.
type Doubt = (u32, Reverse<u32>, usize);

struct Hurt<'h, 'a> {
    image: &'h Image<'a>,
    flips: HashMap<Site, Flips>,
    /// Whether its rows are unlikely where those of another are not.
    was_altered: bool,
}

impl Hurt<'_, '_> {
    fn touches(&self, row: &Row, odd: Option<&Odd>) -> bool {
        let size = self.image.page_size();
        let chained = |odd: &Odd| {
            let own = odd.chain.iter().filter(|run| run.source == row.source);
            own.flat_map(|run| (0..run.pages).map(|index| run.site_of(index, size)))
                .any(|site| self.flips.contains_key(&site))
        };
        self.flips.contains_key(&row.site()) || odd.is_some_and(chained)
    }

    /// The record of `row` as it was before bits flipped; `None` where it is as it was, or that cannot be told.
    fn mended(&self, row: &Row, odd: Option<&Odd>, table: &TableSchema) -> Option<Vec<u8>> {
        let read = self.assemble(row, odd, &|_| Vec::new())?;
        let with = |which: &dyn Fn(&Flips) -> Vec<(usize, u8)>| {
            let payload = self.assemble(row, odd, which)?;
            Some((self.doubt(table, &payload)?, payload))
        };
        let (doubt, sure) = with(&|flips| flips.sure.clone())
            .or_else(|| Some((self.doubt(table, &read)?, read.clone())))
            .unwrap_or_else(|| ((u32::MAX, Reverse(0), 0), read.clone()));
        let likely = with(&|flips| [flips.sure.as_slice(), &flips.likely].concat());
        let open = with(&|flips| [flips.sure.as_slice(), &flips.likely, &flips.open].concat());
        let best = match (likely, open) {
            (_, Some((less, open))) if less < doubt || self.was_altered && less == doubt => open,
            (Some((as_much, likely)), _) if as_much <= doubt => likely,
            _ => sure,
        };
        let mended = keep_numbers(table, &read, best);
        (mended != read).then_some(mended)
    }

    fn doubt(&self, table: &TableSchema, payload: &[u8]) -> Option<Doubt> {
        let record = Record::read(payload).ok()?;
        let fit = table.fit(&record, self.image.encoding())?;
        Some((fit.strange, fit.sure, odd_characters(&record, self.image.encoding())))
    }

    /// The payload of `row` with those bits turned back that `which` names of a page's.
    fn assemble(
        &self,
        row: &Row,
        odd: Option<&Odd>,
        which: &dyn Fn(&Flips) -> Vec<(usize, u8)>,
    ) -> Option<Vec<u8>> {
        let mut bytes = self.page(row.page, row.site(), which)?;
        let cell = row.cell_in(&mut bytes, odd.and_then(|odd| odd.flip), self.image.usable())?;
        let part = cell.payload?;
        let len = usize::try_from(part.len).ok()?;
        let mut payload = part.local.to_vec();
        for run in odd.iter().flat_map(|odd| &odd.chain) {
            for index in 0..run.pages {
                let site = run.site_of(index, self.image.page_size());
                let link = self.at(site, which)?;
                let take = (len.checked_sub(payload.len())?).min(self.image.usable().checked_sub(LINK)?);
                payload.extend_from_slice(link.get(LINK..LINK + take)?);
            }
        }
        (payload.len() == len).then_some(payload)
    }

    fn page(
        &self,
        number: u32,
        site: Site,
        which: &dyn Fn(&Flips) -> Vec<(usize, u8)>,
    ) -> Option<Cow<'_, [u8]>> {
        Some(self.turned(self.image.page(number)?, site, which))
    }

    fn at(&self, site: Site, which: &dyn Fn(&Flips) -> Vec<(usize, u8)>) -> Option<Cow<'_, [u8]>> {
        Some(self.turned(self.image.page_at(site)?, site, which))
    }

    fn turned<'p>(
        &self,
        mut bytes: Cow<'p, [u8]>,
        site: Site,
        which: &dyn Fn(&Flips) -> Vec<(usize, u8)>,
    ) -> Cow<'p, [u8]> {
        for (at, mask) in self.flips.get(&site).map(which).unwrap_or_default() {
            if let Some(byte) = bytes.to_mut().get_mut(at) {
                *byte ^= mask;
            }
        }
        bytes
    }
}

/// `best` with the numbers of `read` that change: they do so by single bits lawfully.
fn keep_numbers(table: &TableSchema, read: &[u8], best: Vec<u8>) -> Vec<u8> {
    if read.len() != best.len() {
        return best;
    }
    let bytes = read.iter().zip(&best).enumerate();
    bytes
        .map(
            |(at, (before, byte))| {
                if before == byte || is_settled(table, read, at) { *byte } else { *before }
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(flips: &[(usize, u8)]) -> Vec<u8> {
        let mut page = vec![0x55; 64];
        for (at, mask) in flips {
            page[*at] ^= mask;
        }
        page
    }

    #[test]
    fn most_versions_decide_and_equal_ones_are_one() {
        let ours = page(&[(3, 1)]);
        let vote = |others: &[&[u8]]| compare(&ours, others.iter().map(|page| Cow::Borrowed(*page)));
        let (clean, other) = (page(&[]), page(&[(9, 4)]));
        assert_eq!(vote(&[&clean, &other]).sure, [(3, 1)]);
        let tie = vote(&[&clean]);
        assert!(tie.sure.is_empty() && tie.open == [(3, 1)], "{tie:?}");
        let twice = vote(&[&clean, &clean]);
        assert!(twice.sure.is_empty() && twice.likely == [(3, 1)], "{twice:?}");
        assert!(vote(&[&ours, &[0; 64]]).is_empty(), "the same page, and another moment");
    }
}
