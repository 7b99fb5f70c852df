//! Rows with a hole: sectors that were lost and read as a filler, where a row has a text or a number.
//!
//! A lost sector reads as zeros, as 0xFF, as spaces, as a marker text, as the sector before it: as one short pattern again
//! and again, or as its neighbour. The row is still a row to SQLite, with the filler for content. A text may repeat a
//! pattern of its own; but that does not begin and end where sectors do. Blobs are left alone: they may hold anything.
//!
//! Not here: pages and cells that a lost sector makes unreadable ([`super::leaf`]).

use std::borrow::Cow;
use std::ops::Range;

use crate::ondisk::image::Site;
use crate::ondisk::overflow::CONTENT;
use crate::ondisk::page::{Cell, Page};
use crate::ondisk::record::{Record, Value};
use crate::ondisk::text::Encoding;

/// What is lost at least ("Atomic Commit In SQLite", section 2).
const SECTOR: usize = 512;
/// The longest pattern that a filler repeats; it fits a sector twice.
const MAX_PATTERN_BYTES: usize = SECTOR / 2;
/// Bytes beside a sector that must go on with its pattern, if the pattern is to be the text's own.
const EDGE_BYTES: usize = 8;

/// A page and where its first sector begins: those of a log, or of a file that was shifted, do not begin with the page.
#[derive(Clone, Copy)]
pub(crate) struct Sectors<'p> {
    page: &'p [u8],
    first: usize,
}

impl<'p> Sectors<'p> {
    /// The sectors of `page`, which lies at `site`.
    pub(crate) fn of(page: &'p [u8], site: Site) -> Self {
        let into = usize::try_from(site.offset % SECTOR as u64).unwrap_or(0);
        Self { page, first: (SECTOR - into) % SECTOR }
    }

    /// True if a lost sector reaches into `range`.
    pub(crate) fn any_lost(self, range: Range<usize>) -> bool {
        self.starts(range).any(|start| self.filler(start).is_some())
    }

    /// Return where the sectors begin that reach into `range`.
    fn starts(self, range: Range<usize>) -> impl Iterator<Item = usize> {
        let skipped = range.start.saturating_sub(self.first) / SECTOR;
        (self.first + skipped * SECTOR..range.end).step_by(SECTOR)
    }

    /// Return after how many bytes the sector at `start` repeats, if it is a filler.
    fn filler(self, start: usize) -> Option<usize> {
        let sector = self.page.get(start..start + SECTOR)?;
        let before = start.checked_sub(SECTOR).and_then(|before| self.page.get(before..start));
        pattern(sector).or_else(|| (before == Some(sector)).then_some(SECTOR))
    }

    /// True if the sector at `start` goes on with the `pattern` of that before it, or begins it once more.
    fn is_one(self, start: usize, pattern: usize) -> bool {
        let word = |at: Option<usize>| at.and_then(|at| self.page.get(at..at + EDGE_BYTES));
        let head = word(Some(start));
        head == word(start.checked_sub(pattern)) || head == word(start.checked_sub(SECTOR))
    }

    /// Return the lost parts of `range`, each with the length of its pattern.
    fn lost(self, range: &Range<usize>) -> Vec<(Range<usize>, usize)> {
        let mut runs: Vec<(Range<usize>, usize)> = Vec::new();
        for start in self.starts(range.clone()) {
            let Some(pattern) = self.filler(start) else { continue };
            let end = start + SECTOR;
            match runs.last_mut() {
                Some((run, last)) if run.end == start && *last == pattern && self.is_one(start, pattern) => {
                    run.end = end;
                }
                _ => runs.push((start..end, pattern)),
            }
        }
        let clip = |(run, pattern): (Range<usize>, usize)| {
            (run.start.max(range.start)..run.end.min(range.end), pattern)
        };
        runs.into_iter().map(clip).collect()
    }
}

/// Return the length of the shortest pattern that `sector` repeats from end to end.
fn pattern(sector: &[u8]) -> Option<usize> {
    let word = |bytes: &[u8]| bytes.iter().fold(0_u64, |word, byte| word << 8 | u64::from(*byte));
    let head = word(sector.get(..8)?);
    let mut last = head;
    for (length, byte) in (1..=MAX_PATTERN_BYTES).zip(sector.get(8..)?) {
        last = last << 8 | u64::from(*byte);
        if last == head && sector.get(length..) == sector.get(..sector.len() - length) {
            return Some(length);
        }
    }
    None
}

/// A part of a payload and where it lies.
pub(crate) struct PayloadPart<'p> {
    pub(crate) sectors: Sectors<'p>,
    /// Where on the page it begins.
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl<'p> PayloadPart<'p> {
    /// The part of its payload that `cell` has on `page`, which lies at `site`.
    pub(crate) fn of(page: &'p [u8], site: Site, cell: &Cell<'_>) -> Self {
        let (at, len) = place(cell);
        Self { sectors: Sectors::of(page, site), at, len }
    }
}

/// Return where on its page the payload of `cell` begins, and how much of it is there.
pub(crate) fn place(cell: &Cell<'_>) -> (usize, usize) {
    let (len, link) = cell.payload.map_or((0, 0), |payload| {
        (payload.local.len(), if payload.overflow.is_some() { CONTENT } else { 0 })
    });
    ((cell.offset + cell.size).saturating_sub(len + link), len)
}

/// What is missing of one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) column: usize,
    /// Where in the value it begins, in bytes.
    pub(crate) at: usize,
    pub(crate) bytes: usize,
}

/// Return the parts of a payload of `len` bytes that begins with `own` and goes on in overflow `pages`.
pub(crate) fn parts<'p>(
    own: PayloadPart<'p>,
    pages: &'p [(Cow<'_, [u8]>, Site)],
    usable: usize,
    len: usize,
) -> Vec<PayloadPart<'p>> {
    let mut rest = len.saturating_sub(own.len);
    let links = pages.iter().map(|(page, site)| {
        let len = rest.min(usable.saturating_sub(CONTENT));
        rest -= len;
        PayloadPart { sectors: Sectors::of(page, *site), at: CONTENT, len }
    });
    let links: Vec<_> = links.collect();
    std::iter::once(own).chain(links).collect()
}

/// True if the leaf `page` at `site` may have a hole where its cells are.
pub(crate) fn is_likely(page: &Page<'_>, site: Site) -> bool {
    Sectors::of(page.bytes(), site).any_lost(page.content_start()..page.usable())
}

/// Return the holes in the values of the record `payload`, which lies in `parts`.
pub(crate) fn holes(payload: &[u8], parts: &[PayloadPart<'_>]) -> Vec<Hole> {
    let Ok(record) = Record::prefix(payload) else { return Vec::new() };
    let values: usize = record.fields().map(|(_, content)| content.len()).sum();
    let cut = record.cut().map_or(0, |cut| usize::try_from(cut.bytes).unwrap_or(0));
    let mut start = payload.len().saturating_sub(values + cut);
    let mut holes = Vec::new();
    let lost = lost_of(parts);
    if lost.is_empty() {
        return holes;
    }
    let kept = record.fields().map(|(serial, content)| (serial, content.len()));
    for (column, (serial, len)) in kept.enumerate() {
        let value = start..start + len;
        start = value.end;
        holes.extend(holes_of(payload, column, serial, &value, &lost));
    }
    if let Some(Value::Text(_)) = record.cut().map(|cut| cut.value) {
        let column = record.fields().count();
        holes.extend(holes_of(payload, column, 13, &(start..payload.len()), &lost));
    }
    holes
}

/// Return the lost parts of a payload that lies in `parts`, each with the length of its pattern.
fn lost_of(parts: &[PayloadPart<'_>]) -> Vec<(Range<usize>, usize)> {
    let mut from = 0;
    let mut all: Vec<(Range<usize>, usize)> = Vec::new();
    for part in parts {
        let on_page = part.at..part.at + part.len;
        for (run, pattern) in part.sectors.lost(&on_page) {
            all.push((from + run.start - part.at..from + run.end - part.at, pattern));
        }
        from += part.len;
    }
    all
}

/// Return the holes that the `lost` parts of `payload` make in the value of type `serial` at `value`.
fn holes_of(
    payload: &[u8],
    column: usize,
    serial: u64,
    value: &Range<usize>,
    lost: &[(Range<usize>, usize)],
) -> Vec<Hole> {
    let is_text = serial >= 13 && serial % 2 == 1;
    if !is_text && !(1..=6).contains(&serial) {
        return Vec::new();
    }
    let mut holes = Vec::new();
    for (run, pattern) in lost {
        let within = run.start.max(value.start)..run.end.min(value.end);
        // Every second byte of a text in UTF-16 may be zero.
        let is_half = || {
            let encoding = payload.get(value.clone()).and_then(Encoding::of);
            within.len() < 2 && matches!(encoding, Some(Encoding::Utf16le | Encoding::Utf16be))
        };
        let is_own = is_text && (goes_on(payload, value, &within, *pattern) || is_half());
        if !within.is_empty() && !is_own {
            holes.push(Hole { column, at: within.start - value.start, bytes: within.len() });
        }
    }
    holes
}

/// True if the text at `value` repeats the pattern of its part `run` beside that, too: then the pattern is its own.
fn goes_on(payload: &[u8], value: &Range<usize>, run: &Range<usize>, pattern: usize) -> bool {
    let is_same = |at: usize, other: usize, len: usize| {
        len > 0 && payload.get(at..at + len) == payload.get(other..other + len)
    };
    // What is equal to the sector before it begins there.
    let first = if pattern == SECTOR { run.start.saturating_sub(SECTOR) } else { run.start };
    let before = EDGE_BYTES.min(first.saturating_sub(value.start));
    let behind = EDGE_BYTES.min(value.end - run.end);
    is_same(first.saturating_sub(before), first.saturating_sub(before) + pattern, before)
        || run.end.checked_sub(pattern).is_some_and(|from| is_same(run.end, from, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SITE: Site = Site { in_log: false, offset: 8192 };

    /// A page whose last bytes are a record of a text and a number, and that record.
    fn page(text: &[u8], number: [u8; 4]) -> (Vec<u8>, Vec<u8>) {
        let serial = 13 + 2 * text.len();
        let types =
            [5, 0x80 | u8::try_from(serial >> 14).unwrap(), 0x80 | u8::try_from(serial >> 7 & 0x7f).unwrap()];
        let head = [&types[..], &[u8::try_from(serial & 0x7f).unwrap(), 4]].concat();
        let record = [&head, text, &number].concat();
        let mut page = vec![0; 4096 - record.len()];
        page.extend(&record);
        (page, record)
    }

    fn found_at(page: &[u8], len: usize, site: Site) -> Vec<Hole> {
        let at = page.len() - len;
        let payload = page[at..].to_vec();
        holes(&payload, &[PayloadPart { sectors: Sectors::of(page, site), at, len }])
    }

    fn found(page: &[u8], len: usize) -> Vec<Hole> {
        found_at(page, len, SITE)
    }

    /// Text that repeats nowhere.
    fn prose(len: usize) -> Vec<u8> {
        let mut seed = 1_u32;
        let mut next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + u8::try_from(seed >> 24).unwrap() % 26
        };
        (0..len).map(|_| next()).collect()
    }

    /// The fillers of lost sectors, over what stood at `range` of `page`.
    fn fillings(page: &[u8], range: Range<usize>) -> Vec<Vec<u8>> {
        let markers: [&[u8]; 6] = [b"\0", b"\xff", b" ", b"BAD SECTOR", b"!bad block of disk!\n", b"=-"];
        let mut all: Vec<Vec<u8>> = Vec::new();
        for marker in markers {
            let mut filled = page.to_vec();
            filled[range.clone()].iter_mut().zip(marker.iter().cycle()).for_each(|(byte, new)| *byte = *new);
            all.push(filled);
        }
        let mut previous = page.to_vec();
        previous.copy_within(range.start - 512..range.end - 512, range.start);
        all.push(previous);
        all
    }

    #[test]
    fn lost_sector_of_every_filling_is_a_hole_in_what_it_takes() {
        let (page, record) = page(&prose(1500), [1; 4]);
        assert!(found(&page, record.len()).is_empty());
        let start = 4096 - 4 - 1500;
        for filled in fillings(&page, 3072..3584) {
            let hole = Hole { column: 0, at: 3072 - start, bytes: 512 };
            assert_eq!(found(&filled, record.len()), [hole], "{:?}", &filled[3072..3082]);
        }
        for filled in fillings(&page, 3584..4096) {
            let holes = found(&filled, record.len());
            assert_eq!(holes.len(), 2, "{holes:?}");
            assert_eq!(holes[1], Hole { column: 1, at: 0, bytes: 4 });
        }
    }

    #[test]
    fn sectors_of_a_log_begin_within_its_pages() {
        let (page, record) = page(&prose(1500), [1; 4]);
        let site = Site { in_log: true, offset: 32 + 24 + 4120 };
        let first = 512 - (32 + 24 + 4120) % 512;
        for filled in fillings(&page, first + 3072..first + 3584) {
            assert_eq!(found_at(&filled, record.len(), site).len(), 1);
            assert_eq!(found(&filled, record.len()).len(), 0);
        }
    }

    #[test]
    fn pattern_of_a_text_is_its_own() {
        for pattern in [&b"\0"[..], b"-", b"=-", b"0123456789abcdef", &prose(64), &prose(300), &prose(512)] {
            for begins in 0..600 {
                let mut text = prose(1500);
                text[begins..1400]
                    .iter_mut()
                    .zip(pattern.iter().cycle())
                    .for_each(|(byte, new)| *byte = *new);
                let (page, record) = page(&text, [1; 4]);
                let holes = found(&page, record.len());
                assert!(holes.is_empty(), "{holes:?} {begins} {:?}", &pattern[..pattern.len().min(20)]);
            }
        }
    }

    #[test]
    fn text_over_two_pages_is_looked_at_on_both() {
        let (whole, record) = page(&prose(1500), [1; 4]);
        let at = 4096 - record.len();
        let mut second = vec![0; 4096];
        second[4..4 + record.len() - 600].copy_from_slice(&record[600..]);
        second[512..].fill(0);
        let mut payload = record[..600].to_vec();
        payload.extend_from_slice(&second[4..4 + record.len() - 600]);
        let parts = [
            PayloadPart { sectors: Sectors::of(&whole, SITE), at, len: 600 },
            PayloadPart { sectors: Sectors::of(&second, SITE), at: 4, len: record.len() - 600 },
        ];
        let holes = holes(&payload, &parts);
        assert_eq!(
            holes.first(),
            Some(&Hole { column: 0, at: 600 - 5 + 508, bytes: 1500 - (600 - 5 + 508) })
        );
        assert_eq!(holes.len(), 2);
    }

    #[test]
    fn long_pattern_over_many_pages_is_the_texts_own() {
        for pattern in [&b"x"[..], b"ab", &prose(128)] {
            let text: Vec<u8> = pattern.iter().copied().cycle().take(20_000).collect();
            let head = [4, 0x82, 0xb8, 0x4d];
            let record = [&head[..], &text].concat();
            let (own, rest) = record.split_at(600);
            let first = [vec![0; 4096 - 600], own.to_vec()].concat();
            let pages: Vec<_> = rest
                .chunks(4092)
                .map(|chunk| {
                    let mut page = [&[0, 0, 0, 9], chunk].concat();
                    page.resize(4096, 0);
                    (Cow::Owned(page), SITE)
                })
                .collect();
            let own = PayloadPart { sectors: Sectors::of(&first, SITE), at: 4096 - 600, len: 600 };
            assert_eq!(holes(&record, &parts(own, &pages, 4096, record.len())), []);
        }
    }
}
