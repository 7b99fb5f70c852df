//! Rows with a hole: sectors of a page that were lost and read as zeros, where a row has a text or a number.
//!
//! The row is still a row to SQLite, with zeros for content, and nothing else says that it is not whole. A text may hold
//! zeros of its own; but those do not begin and end where sectors do, and a number that is zero takes no bytes. Blobs are
//! left alone: they may hold anything.

use std::borrow::Cow;
use std::ops::Range;

use crate::ondisk::overflow::CONTENT;
use crate::ondisk::page::{Cell, Page};
use crate::ondisk::record::Record;
use crate::ondisk::text::Encoding;

/// What is lost at least ("Atomic Commit In SQLite", section 2).
const SECTOR: usize = 512;

/// A part of a payload and where it lies.
pub(crate) struct ZeroedRange<'p> {
    pub(crate) page: &'p [u8],
    /// Where on the page it begins.
    pub(crate) at: usize,
    pub(crate) len: usize,
}

impl<'p> ZeroedRange<'p> {
    /// The part of its payload that `cell` has on `page`.
    pub(crate) fn of(page: &'p [u8], cell: &Cell<'_>) -> Self {
        let (at, len) = place(cell);
        Self { page, at, len }
    }
}

/// Where on its page the payload of `cell` begins, and how much of it is there.
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

/// The parts of a payload of `len` bytes that begins with `own` and goes on in overflow `pages`.
pub(crate) fn parts<'p>(
    own: ZeroedRange<'p>,
    pages: &'p [Cow<'_, [u8]>],
    usable: usize,
    len: usize,
) -> Vec<ZeroedRange<'p>> {
    let mut rest = len.saturating_sub(own.len);
    let links = pages.iter().map(|page| {
        let len = rest.min(usable.saturating_sub(CONTENT));
        rest -= len;
        ZeroedRange { page, at: CONTENT, len }
    });
    let links: Vec<_> = links.collect();
    std::iter::once(own).chain(links).collect()
}

/// Whether a leaf may have a hole where its cells are.
pub(crate) fn is_likely(page: &Page<'_>) -> bool {
    has_lost_sector(page.bytes(), page.content_start()..page.usable())
}

/// Whether a lost sector of `page` reaches into `range`.
pub(crate) fn has_lost_sector(page: &[u8], range: Range<usize>) -> bool {
    let first = range.start / SECTOR;
    (first..range.end.div_ceil(SECTOR)).any(|sector| is_lost(page, sector))
}

fn is_lost(page: &[u8], sector: usize) -> bool {
    let bytes = page.get(sector * SECTOR..(sector + 1) * SECTOR);
    // Nearly all end with the first word.
    bytes.is_some_and(|bytes| bytes.starts_with(&[0; 8]) && bytes.iter().all(|byte| *byte == 0))
}

/// Runs of lost sectors of `page` that reach into `range`, as bytes of the page.
fn lost_runs(page: &[u8], range: &Range<usize>) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for sector in 0..page.len() / SECTOR {
        if is_lost(page, sector) {
            let (start, end) = (sector * SECTOR, (sector + 1) * SECTOR);
            match runs.last_mut() {
                Some(run) if run.end == start => run.end = end,
                _ => runs.push(start..end),
            }
        }
    }
    runs.retain(|run| run.start < range.end && range.start < run.end);
    runs
}

/// The holes in the values of the record `payload`, which lies in `parts`.
pub(crate) fn holes(payload: &[u8], parts: &[ZeroedRange<'_>]) -> Vec<Hole> {
    let Ok(record) = Record::read(payload) else { return Vec::new() };
    let values: usize = record.fields().map(|(_, content)| content.len()).sum();
    let mut start = payload.len().saturating_sub(values);
    let mut holes = Vec::new();
    for (column, (serial, content)) in record.fields().enumerate() {
        let value = start..start + content.len();
        start = value.end;
        let is_number = (1..=6).contains(&serial);
        if is_number && content.iter().any(|byte| *byte != 0)
            || serial >= 12 && serial % 2 == 0
            || serial == 7
        {
            continue;
        }
        let mut from = 0;
        for part in parts {
            let piece = from..from + part.len;
            from = piece.end;
            let within = value.start.max(piece.start)..value.end.min(piece.end);
            if within.is_empty() {
                continue;
            }
            let on_page = part.at + within.start - piece.start..part.at + within.end - piece.start;
            for run in lost_runs(part.page, &on_page) {
                let lost = run.start.max(on_page.start)..run.end.min(on_page.end);
                // Zeros that go on beyond the sectors are the text's own.
                let own = |at: Option<usize>| {
                    at.filter(|at| on_page.contains(at)).is_some_and(|at| part.page.get(at) == Some(&0))
                };
                // Every second byte of a text in UTF-16 may be zero.
                let is_half = lost.len() < 2
                    && matches!(Encoding::of(content), Some(Encoding::Utf16le | Encoding::Utf16be));
                if is_half {
                    continue;
                }
                if is_number || !own(run.start.checked_sub(1)) && !own(Some(run.end)) {
                    let at = within.start + (lost.start - on_page.start) - value.start;
                    holes.push(Hole { column, at, bytes: lost.len() });
                }
            }
        }
    }
    holes
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn found(page: &[u8], len: usize) -> Vec<Hole> {
        let at = page.len() - len;
        let payload = page[at..].to_vec();
        holes(&payload, &[ZeroedRange { page, at, len }])
    }

    #[test]
    fn a_lost_sector_is_a_hole_in_what_it_takes() {
        let (mut page, record) = page(&[b'a'; 1500], [1; 4]);
        assert!(found(&page, record.len()).is_empty());
        page[3072..3584].fill(0);
        let start = 4096 - 4 - 1500;
        assert_eq!(found(&page, record.len()), [Hole { column: 0, at: 3072 - start, bytes: 512 }]);
        page[3584..].fill(0);
        let holes = found(&page, record.len());
        assert_eq!(holes.len(), 2, "{holes:?}");
        assert_eq!(holes[1], Hole { column: 1, at: 0, bytes: 4 });
    }

    #[test]
    fn zeros_of_a_text_are_its_own() {
        let mut text = vec![b'a'; 1500];
        text[100..1400].fill(0);
        let (page, record) = page(&text, [1; 4]);
        assert!(has_lost_sector(&page, 2600..4096));
        assert!(found(&page, record.len()).is_empty());
    }

    #[test]
    fn a_text_over_two_pages_is_looked_at_on_both() {
        let (whole, record) = page(&[b'a'; 1500], [1; 4]);
        let at = 4096 - record.len();
        let mut second = vec![0; 4096];
        second[4..4 + record.len() - 600].copy_from_slice(&record[600..]);
        second[512..].fill(0);
        let mut payload = record[..600].to_vec();
        payload.extend_from_slice(&second[4..4 + record.len() - 600]);
        let parts = [
            ZeroedRange { page: &whole, at, len: 600 },
            ZeroedRange { page: &second, at: 4, len: record.len() - 600 },
        ];
        let holes = holes(&payload, &parts);
        assert_eq!(
            holes.first(),
            Some(&Hole { column: 0, at: 600 - 5 + 508, bytes: 1500 - (600 - 5 + 508) })
        );
        assert_eq!(holes.len(), 2);
    }
}
