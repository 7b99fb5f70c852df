//! Pages that were lost from the middle of a file, so that all behind them stand too low.
//!
//! A parent names its children by number, and the highest rowid of each. Where the leaf with that rowid stands as many pages
//! too low as the header counts more than there are, the file was drained; from which page on, those say that stand at
//! their numbers and those that do not. Between the two, whatever pages name others by number decides.

use crate::ondisk::header::Header;
use crate::ondisk::image::Image;
use crate::ondisk::overflow;
use crate::ondisk::page::{Page, PageKind};

/// More pages than this are not looked for: the file was cut, or it is another.
const MOST: u32 = 256;
/// So many places are weighed at most, each against what is named there.
const SUMS: usize = 1 << 26;
/// So many leaves at least stand where no other reason puts them.
const ENOUGH: usize = 3;

/// What a page names another as.
#[derive(Clone, Copy)]
enum ChildNames {
    Table,
    Index,
    Link,
}

/// The first page that is missing, and how many are; `None` unless every leaf that can tell says so.
pub(crate) fn find(image: &Image<'_>, header: &Header) -> Option<(u32, u32)> {
    let missing =
        header.page_count.checked_sub(image.count()).filter(|missing| (1..=MOST).contains(missing))?;
    if header.change_counter != header.valid_for {
        return None;
    }
    let (mut ends, mut named) = (Vec::new(), Vec::new());
    for number in 1..=image.count() {
        look(image, number, &mut ends, &mut named);
    }
    let (mut low, mut high, mut moved) = (1, header.page_count + 1, 0);
    for (child, key) in ends {
        let stands = ends_with(image, child, key);
        let stands_lower = child.checked_sub(missing).is_some_and(|number| ends_with(image, number, key));
        match (stands, stands_lower) {
            (true, false) => low = low.max(child),
            (false, true) => {
                high = high.min(child);
                moved += 1;
            }
            _ => {}
        }
    }
    if moved < ENOUGH || low >= high {
        return None;
    }
    named.retain(|(number, _)| (low..=high).contains(number));
    let window = low + 1..=high.saturating_sub(missing);
    if named.len() * window.clone().count() > SUMS {
        return None;
    }
    let fits = |number: u32, as_what| u32::from(is(image, number, as_what));
    let judge = |&(number, as_what): &(u32, ChildNames)| {
        let lower = number.checked_sub(missing).map_or(0, |number| fits(number, as_what));
        (number, fits(number, as_what), lower)
    };
    let judged: Vec<_> = named.iter().map(judge).collect();
    let fitting = |from: u32| -> u32 {
        let fitting = |&(number, here, lower): &(u32, u32, u32)| match number {
            _ if number < from => here,
            _ if number >= from + missing => lower,
            _ => 0,
        };
        judged.iter().map(fitting).sum()
    };
    let from = window.rev().max_by_key(|from| fitting(*from))?;
    Some((from, missing))
}

/// Adds what page `number` says of others: of which leaf it has the highest rowid, and what it names as what.
fn look(image: &Image<'_>, number: u32, ends: &mut Vec<(u32, i64)>, named: &mut Vec<(u32, ChildNames)>) {
    let bytes = image.page(number).unwrap_or_default();
    let Some(page) = Page::read(number, &bytes, image.usable()).ok().filter(Page::is_sound) else { return };
    let as_what = if page.kind().is_table() { ChildNames::Table } else { ChildNames::Index };
    for cell in page.cells().flatten() {
        named.extend(cell.left.map(|left| (left, as_what)));
        named.extend(cell.payload.and_then(|payload| payload.overflow).map(|link| (link, ChildNames::Link)));
        if page.kind() == PageKind::TableInterior {
            ends.extend(cell.left.map(|left| (left, cell.rowid)));
        }
    }
    named.extend(page.right_child().map(|right| (right, as_what)));
}

/// Whether page `number` is a leaf with `key` for its highest rowid.
fn ends_with(image: &Image<'_>, number: u32, key: i64) -> bool {
    let bytes = image.page(number).unwrap_or_default();
    let page =
        Page::read(number, &bytes, image.usable()).ok().filter(|page| page.kind() == PageKind::TableLeaf);
    page.and_then(|page| page.cells().last()?.ok()).is_some_and(|cell| cell.rowid == key)
}

fn is(image: &Image<'_>, number: u32, as_what: ChildNames) -> bool {
    let bytes = image.page(number).unwrap_or_default();
    let page = Page::read(number, &bytes, image.usable()).ok().filter(Page::is_sound);
    match as_what {
        ChildNames::Table => page.is_some_and(|page| page.kind().is_table()),
        ChildNames::Index => page.is_some_and(|page| !page.kind().is_table()),
        ChildNames::Link => {
            page.is_none() && overflow::next_page(&bytes).is_some_and(|next| next <= image.count() + MOST)
        }
    }
}
