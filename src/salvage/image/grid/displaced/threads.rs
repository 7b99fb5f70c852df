//! Long rows that do not go on where they should, followed through pages that stand where they should not.
//!
//! A page is taken for one of a row when it names the next number, as pages of a row mostly follow one another, or, as the
//! last, nothing; when it has exactly as much as is wanted, and only zeros behind; and when the row is one with it: all of
//! its texts are texts, and its numbers what they should be. A way through the pages is that of the row when no other is
//! left once the other rows have theirs, or none in which pages have only changed places.

use std::collections::{BTreeMap, BTreeSet};

use super::wants::{self, Thread, Wants};
use crate::ondisk::image::Image;
use crate::ondisk::overflow::CONTENT;
use crate::ondisk::page::Page;
use crate::salvage::schema::Tree;

/// Pages that are read for one row.
const LOOKS: usize = 1 << 14;

/// Ways that a row may have before it is not asked any more.
const WAYS: usize = 64;
/// Pages of one row that stand elsewhere, at most.
const MOVES: usize = 3;

/// Pages, each with the place where it stands.
type Way = Vec<(u32, u32)>;

/// What the broken rows of `wants` say is to be read where: the number of a page, and that of the place where it stands,
/// which is one of the `displaced`.
pub(crate) fn follow(
    image: &Image<'_>,
    tables: &[Tree],
    wants: &Wants,
    displaced: &BTreeSet<u32>,
) -> BTreeMap<u32, u32> {
    let search =
        Search { image, tables, is_clean: wants.is_clean, displaced, looks: LOOKS, ways: Vec::new() };
    let ways = wants.broken.iter().map(|thread| search.ways_of(*thread));
    let mut open: Vec<Vec<Way>> = ways.filter(|ways| !ways.is_empty()).collect();
    let named: BTreeSet<(u32, u32)> = open.iter().flatten().flatten().copied().collect();
    let is_exchange = |way: &Way| {
        way.iter().all(|&(number, at)| {
            let fits = || wants.misfits.get(&at).is_some_and(|want| want.fit(image, number).is_some());
            number == at || named.contains(&(at, number)) || fits()
        })
    };
    let mut settled = Rethreaded::default();
    loop {
        for ways in &mut open {
            ways.retain(|way| settled.allows(way));
        }
        let only = |ways: &Vec<Way>| (ways.len() == 1).then(|| ways.first().cloned()).flatten();
        let mut sure: Vec<Way> = open.iter().filter_map(only).collect();
        if sure.is_empty() {
            // Two pages that changed places are likelier than more that did, and pages of a row mostly follow one another.
            let exchanges = open.iter().map(|ways| ways.iter().filter(|way| is_exchange(way)));
            sure = exchanges.filter_map(|ways| Some(straightest(ways)?.1)).collect();
        }
        if sure.is_empty() {
            let straight = open.iter().filter_map(|ways| straightest(ways.iter()));
            sure = straight.filter(|(jumps, way)| *jumps == 0 && way.len() > 1).map(|(_, way)| way).collect();
        }
        if sure.is_empty() {
            return settled.moves();
        }
        settled.take(&sure);
        open.retain(|ways| !ways.iter().any(|way| sure.contains(way)));
    }
}

/// The one of `ways` with the fewest pages that do not follow one another; how many those are.
fn straightest<'w>(ways: impl Iterator<Item = &'w Way>) -> Option<(usize, Way)> {
    let follow =
        |pair: &[(u32, u32)]| matches!(pair, [(one, _), (next, _)] if one.checked_add(1) == Some(*next));
    let jumps = |way: &Way| way.windows(2).filter(|pair| !follow(pair)).count();
    let mut ways: Vec<_> = ways.map(|way| (jumps(way), way)).collect();
    ways.sort_unstable();
    match *ways.as_slice() {
        [(least, way)] => Some((least, way.clone())),
        [(least, way), (more, _), ..] if least < more => Some((least, way.clone())),
        _ => None,
    }
}

/// What has been found to be read where.
#[derive(Default)]
struct Rethreaded {
    by_number: BTreeMap<u32, u32>,
    by_place: BTreeMap<u32, u32>,
}

impl Rethreaded {
    /// Whether no page of `way` is another's.
    fn allows(&self, way: &Way) -> bool {
        way.iter().all(|(number, at)| {
            self.by_number.get(number).is_none_or(|known| known == at)
                && self.by_place.get(at).is_none_or(|known| known == number)
        })
    }

    /// Takes those of `ways` with which no other disagrees.
    fn take(&mut self, ways: &[Way]) {
        for (index, way) in ways.iter().enumerate() {
            let others =
                || ways.iter().enumerate().filter(|(other, _)| *other != index).flat_map(|(_, way)| way);
            let disagrees = |(number, at): &(u32, u32)| others().any(|it| it.0 == *number || it.1 == *at);
            if !way.iter().any(disagrees) {
                self.by_number.extend(way.iter().copied());
                self.by_place.extend(way.iter().map(|(number, at)| (*at, *number)));
            }
        }
    }

    fn moves(self) -> BTreeMap<u32, u32> {
        self.by_number.into_iter().filter(|(number, at)| number != at).collect()
    }
}

#[derive(Clone)]
struct Search<'s, 'a> {
    image: &'s Image<'a>,
    tables: &'s [Tree],
    /// Whether only zeros are behind the end of a row.
    is_clean: bool,
    displaced: &'s BTreeSet<u32>,
    looks: usize,
    ways: Vec<Way>,
}

impl Search<'_, '_> {
    /// The ways in which the row of `thread` can go on; none where there are too many to tell.
    fn ways_of(&self, thread: Thread) -> Vec<Way> {
        let Some(bytes) = self.image.page(thread.page) else { return Vec::new() };
        let page = Page::read(thread.page, &bytes, self.image.usable()).ok();
        let cell = page.and_then(|page| page.cell(thread.cell).ok());
        let Some((cell, payload)) = cell.and_then(|cell| Some((cell, cell.payload?))) else {
            return Vec::new();
        };
        let first = payload.overflow.unwrap_or(0);
        let mut search = self.clone();
        search.go(first, wants::rest_of(&cell), &mut payload.local.to_vec(), &mut Vec::new());
        if search.looks == 0 || search.ways.len() > WAYS { Vec::new() } else { search.ways }
    }

    /// Goes on with page `number`, of a row of which `need` bytes are missing behind `payload`, after the pages in `way`.
    fn go(&mut self, number: u32, need: usize, payload: &mut Vec<u8>, way: &mut Way) {
        if way.iter().any(|(before, _)| *before == number) {
            return;
        }
        let is_own = !self.displaced.contains(&number) && self.read(number, number, need).is_some();
        let others = self.displaced.iter().copied().filter(|other| *other != number && !is_own);
        for at in std::iter::once(number).chain(others) {
            if self.looks == 0 || self.ways.len() > WAYS {
                return;
            }
            let moved = way.iter().filter(|(number, at)| number != at).count() + usize::from(at != number);
            if moved > MOVES || way.iter().any(|(_, taken)| *taken == at) {
                continue;
            }
            self.looks -= 1;
            let Some((next, content)) = self.read(number, at, need) else { continue };
            let len = payload.len();
            payload.extend_from_slice(&content);
            way.push((number, at));
            let left = need.saturating_sub(content.len());
            if left > 0 {
                self.go(next, left, payload, way);
            } else if wants::is_row(self.tables, payload, self.image.encoding()) {
                self.ways.push(way.clone());
            }
            way.pop();
            payload.truncate(len);
        }
    }

    /// What the page at place `at` holds of `need` bytes if it is page `number`, and what follows it.
    fn read(&self, number: u32, at: u32, need: usize) -> Option<(u32, Vec<u8>)> {
        let bytes = self.image.page(at)?;
        let next = wants::link(self.image, at, &bytes, need)?;
        let held = need.min(self.image.usable().saturating_sub(CONTENT));
        let content = bytes.get(CONTENT..CONTENT + held)?;
        let behind = bytes.get(CONTENT + held..self.image.usable())?;
        let is_clean = number == at && !self.is_clean || behind.iter().all(|byte| *byte == 0);
        let follows = number == at || next == 0 || number.checked_add(1) == Some(next);
        (is_clean && follows).then(|| (next, content.to_vec()))
    }
}
