//! Where one piece of a file ends and the next begins.

use std::ops::Range;

use super::anchors::{self, Claim, Cut};
use super::pieces::{Claims, number_at};
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::{self, Record, Value};
use crate::ondisk::store::Store;

/// More pages than this between two pieces are not weighed one by one.
const MAX_PAGES: i64 = 4096;
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
        let next = anchors::link(&head);
        let follows = next.is_some_and(|next| Some(next) == number.checked_add(1));
        let named = claims.get(&number).is_some_and(|claims| claims.contains(&Claim::Link));
        let may_be = next.is_some() || head.get(..4) == Some(&[0; 4]) && head.get(4..8) != Some(&[0; 4]);
        2 * i64::from(follows) + i64::from(named && may_be)
    };
    let is_aligned = (next_shift - shift) % size == 0;
    let in_order = start + next_shift >= end + shift;
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
    if first < last && let Some(doubtful) = &mut found.doubtful {
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
    let (low, high) = cell_seam(&ours, &theirs, usize::try_from(missing).unwrap_or(0), cut).map_or((0, missing + HEAD), |(low, high)| (bytes(low), bytes(high)));
    let place_of = |at: i64| u64::try_from(place + at).unwrap_or(0);
    let (first, next) = if low == 0 {
        // Nothing says where: the page is the next piece's, less what it lost.
        (end, (theirs_at + missing).max(end.min(start)))
    } else {
        (end + low, theirs_at + high)
    };
    Seam { end: first, start: next, doubtful: (low < high).then(|| place_of(low)..place_of(high)) }
}

/// A cell of the page with the seam, read from either side: its size, and whether its texts are texts.
struct SeamCell {
    at: usize,
    ours: Option<(usize, bool)>,
    theirs: Option<(usize, bool)>,
}

/// Where on a b-tree page that begins as `ours` and ends as `theirs`, with `missing` bytes lost in between, the one goes over into
/// the other: behind the last sound cell of the one and before the first of the other. `None` if `ours` does not begin like such a
/// page.
fn cell_seam(ours: &[u8], theirs: &[u8], missing: usize, cut: Cut) -> Option<(usize, usize)> {
    let page = Page::read(2, ours, cut.usable).ok().filter(|page| page.cell_count() > 0)?;
    let other = Page::read_as(page.kind(), 2, theirs, cut.usable).ok()?;
    let read = |page: &Page<'_>, at: usize| {
        let cell = page.cell(at).ok().filter(|cell| cell.offset + cell.size <= cut.usable)?;
        let Some(payload) = cell.payload else {
            return (page.kind() != PageKind::TableLeaf).then_some((cell.size, true));
        };
        let record = Record::prefix(payload.local).ok()?;
        (record::stated_size(payload.local) == Ok(payload.len)).then(|| (cell.size, is_clean(&record)))
    };
    let mut places: Vec<usize> = page.offsets().collect();
    places.sort_unstable();
    let cells: Vec<SeamCell> =
        places.iter().map(|at| SeamCell { at: *at, ours: read(&page, *at), theirs: read(&other, *at) }).collect();
    let ours_to = |end: usize| cells.iter().take(end).filter(|cell| cell.ours.is_some()).count();
    let theirs_from = |start: usize| cells.iter().skip(start).filter(|cell| cell.theirs.is_some()).count();
    // The seam is before cell `at`, or in it.
    let count = cells.len();
    let before = (0..=count).map(|at| (ours_to(at) + theirs_from(at), true, at));
    let within = (0..count).map(|at| (ours_to(at) + theirs_from(at + 1), false, at));
    let (sum, is_before, at) = before.chain(within).max()?;
    if sum == 0 {
        return None;
    }
    let bounds = |low: usize, high: usize| {
        let behind = low.checked_sub(1).and_then(|before| cells.get(before));
        let low = behind.map_or(page.pointers_end(), |cell| cell.at + cell.ours.map_or(4, |(size, _)| size));
        (low, cells.get(high).map_or(cut.usable, |cell| cell.at).max(low))
    };
    let width = |low: usize, high: usize| {
        let (low, high) = bounds(low, high);
        high - low
    };
    let (mut low, mut high) = (at, if is_before { at } else { at + 1 });
    let is_sure = !is_before && width(low, high) >= 2 * missing;
    let (first_low, first_high) = (low, high);
    // A cell that the seam is in has the right size all the same, but seldom texts.
    while low > 0 && cells.get(low - 1).is_some_and(|cell| cell.ours.is_none_or(|(_, clean)| !clean)) {
        low -= 1;
    }
    while cells.get(high).is_some_and(|cell| cell.theirs.is_none_or(|(_, clean)| !clean)) {
        high += 1;
    }
    let mut is_told = is_sure || (low, high) != (first_low, first_high);
    while !is_told || width(low, high) < missing && (low > 0 || high < count) {
        is_told = true;
        low = low.saturating_sub(1);
        high = (high + 1).min(count);
    }
    Some(bounds(low, high))
}

/// True if each text in `record` is one without control characters.
fn is_clean(record: &Record<'_>) -> bool {
    let is_text = |text: &[u8]| {
        std::str::from_utf8(text).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()))
    };
    record.values().all(|value| !matches!(value, Value::Text(text) if !is_text(text)))
}
