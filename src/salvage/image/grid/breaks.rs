//! Where one piece of a file ends and the next begins.

use std::ops::Range;

use super::anchors::{self, Claim, Cut};
use super::pieces::{Claims, number_at};
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record;
use crate::ondisk::store::Store;

/// More pages than this between two pieces are not weighed one by one.
const MAX_PAGES: i64 = 4096;
/// What a b-tree page that does not account for its bytes says of being whole.
const BROKEN: i64 = -4;
/// Of a page whose beginning is lost so many bytes may be others' than those that are missing.
const HEAD: i64 = 64;

/// The seam between two pieces.
#[derive(Debug)]
pub(super) struct Seam {
    /// Where in the file the first piece ends, and where the next begins.
    pub(super) end: i64,
    pub(super) start: i64,
    /// The part of the database whose bytes may be others.
    pub(super) doubtful: Option<Range<u64>>,
}

/// Find the seam between the piece that reaches to `one.0` in the file and the one that begins at `other.0`, at the latest; how
/// far on their bytes belong is `one.1` and `other.1`.
pub(super) fn between(
    file: &dyn Store,
    cut: Cut,
    (end, shift): (i64, i64),
    (start, next_shift): (i64, i64),
    claims: &Claims,
) -> Seam {
    let size = i64::try_from(cut.size).unwrap_or(i64::MAX);
    let read = |at: i64, len: usize| u64::try_from(at).ok().and_then(|at| file.read(at, len));
    let link = |at: i64, shift: i64| -> i64 {
        let Some((head, number)) = read(at, 8).zip(number_at(at + shift, size)) else { return 0 };
        // A whole b-tree page would be one of a piece.
        if Page::read(2, &head, cut.usable).is_ok_and(|page| page.cell_count() > 0) {
            return BROKEN;
        }
        let next = anchors::link(&head);
        let follows = next.is_some_and(|next| Some(next) == number.checked_add(1));
        let named = claims.get(&number).is_some_and(|claims| claims.contains(&Claim::Link));
        let may_be = next.is_some() || head.get(..4) == Some(&[0; 4]) && head.get(4..8) != Some(&[0; 4]);
        2 * i64::from(follows) + i64::from(named && may_be)
    };
    let is_aligned = (next_shift - shift) % size == 0;
    let in_order = start + next_shift >= end + shift;
    let (mut end, mut start) = (end, start);
    if !is_aligned && in_order {
        // The break may be in the last cell of a page that accounts for its bytes all the same. Then the next page begins before
        // that one ends, or at once.
        let is_page = |at: i64| {
            let bytes = read(at, cut.size).unwrap_or_default();
            Page::read(2, &bytes, cut.usable).is_ok_and(|page| page.cell_count() > 0 && page.is_sound())
        };
        if start - size < end && is_page(start - size) {
            (end, start) = (end - size, start - size);
        } else if start + next_shift == end + shift {
            end -= size;
        }
    }
    // Whole pages of either that fit in between. If the two are cut otherwise, one more is broken.
    let room = (start - end).max(0) / size;
    let wanted = (start + next_shift - (end + shift)) / size - i64::from(!is_aligned);
    let room = if in_order { room.min(wanted) } else { room };
    let pages = room.min(MAX_PAGES);
    let ours: Vec<i64> = (0..pages).map(|page| link(end + page * size, shift)).collect();
    let theirs: Vec<i64> = (0..pages).map(|page| link(start - (page + 1) * size, next_shift)).collect();
    let score = |ours_count: i64| {
        let ours_count = usize::try_from(ours_count).unwrap_or(0);
        let theirs_count = usize::try_from(pages).unwrap_or(0).saturating_sub(ours_count);
        let sum = |all: &[i64], count: usize| all.iter().take(count).sum::<i64>();
        sum(&ours, ours_count) + sum(&theirs, theirs_count)
    };
    let most = pages.max(0);
    let last = (0..=most).max_by_key(|count| score(*count)).unwrap_or(0);
    let seam = |count: i64| {
        let end = end + count * size;
        let start = if room > MAX_PAGES { start } else { start - (most - count) * size };
        if is_aligned || !in_order || start + next_shift - (end + shift) > size {
            return Seam { end, start: start.max(end), doubtful: None };
        }
        broken(cut, (end, shift), (start, next_shift), &read)
    };
    let mut found = seam(last);
    // Pages of one row name the next one whichever of them is broken: all of them are doubtful.
    let first = (0..=last).find(|count| score(*count) == score(last)).unwrap_or(last);
    if first < last
        && let Some(doubtful) = &mut found.doubtful
    {
        let from = end + first * size + shift;
        doubtful.start = doubtful.start.min(u64::try_from(from).unwrap_or(0));
    }
    found
}

/// The seam within the page that begins at `end` in the file and of which `start`, of the next piece, is behind the end.
fn broken<'f>(
    cut: Cut,
    (end, shift): (i64, i64),
    (start, next_shift): (i64, i64),
    read: &impl Fn(i64, usize) -> Option<std::borrow::Cow<'f, [u8]>>,
) -> Seam {
    let size = i64::try_from(cut.size).unwrap_or(i64::MAX);
    let place = end + shift;
    let missing = (next_shift - shift).max(0);
    if start + next_shift <= place {
        return Seam { end, start, doubtful: None };
    }
    let theirs_at = place - next_shift;
    // The second piece may begin before the page does.
    let lead = usize::try_from((-theirs_at).max(0)).unwrap_or(0);
    let ours = read(end, cut.size).unwrap_or_default();
    let theirs = [
        vec![0; lead.min(cut.size)],
        read(theirs_at.max(0), cut.size.saturating_sub(lead)).unwrap_or_default().into_owned(),
    ]
    .concat();
    let bytes = |number: usize| i64::try_from(number).unwrap_or(size);
    let (low, high) =
        cell_seam(&ours, &theirs, cut).map_or((0, missing + HEAD), |(low, high)| (bytes(low), bytes(high)));
    let place_of = |at: i64| u64::try_from(place + at).unwrap_or(0);
    let (first, next) = if low == 0 {
        // Nothing says where: the page is the next piece's, less what it lost.
        (end, (theirs_at + missing).max(end.min(start)))
    } else {
        (end + low, theirs_at + high)
    };
    Seam { end: first, start: next, doubtful: (low < high).then(|| place_of(low)..place_of(high)) }
}

/// Where on a b-tree page that begins as `ours` and ends as `theirs` the one goes over into the other: before the cell with the
/// break and behind it. `None` if `ours` does not begin like such a page.
///
/// A cell begins with what says how long it is. So the last one that can be read as `ours` is the one with the break, and the
/// first that can be read as `theirs` has none.
fn cell_seam(ours: &[u8], theirs: &[u8], cut: Cut) -> Option<(usize, usize)> {
    let page = Page::read(2, ours, cut.usable).ok().filter(|page| page.cell_count() > 0)?;
    let other = Page::read_as(page.kind(), 2, theirs, cut.usable).ok()?;
    let is_cell = |page: &Page<'_>, at: usize| {
        let cell = page.cell(at).ok().filter(|cell| cell.offset + cell.size <= cut.usable);
        cell.is_some_and(|cell| match cell.payload {
            Some(payload) => record::stated_size(payload.local) == Ok(payload.len),
            None => page.kind() == PageKind::TableInterior,
        })
    };
    let mut places: Vec<usize> = page.offsets().collect();
    places.sort_unstable();
    let ours_count = places.iter().take_while(|at| is_cell(&page, **at)).count();
    let theirs_count = places.iter().rev().take_while(|at| is_cell(&other, **at)).count();
    if ours_count + theirs_count == 0 {
        return None;
    }
    let start = |at: usize| places.get(at).copied().unwrap_or(cut.usable);
    let low = ours_count.checked_sub(1).map_or(page.pointers_end(), start);
    Some((low, start(places.len() - theirs_count).max(low)))
}
