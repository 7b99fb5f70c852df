//! A row by its place: what is kept of it until the new file is written.
//!
//! Some thirty bytes a row, whatever it holds; its bytes are read again when they are needed (`shelf`). The few rows whose
//! bytes are not simply those of their cell say so in an [`Odd`].

use std::borrow::Cow;

use super::extras::RowExtras;
use crate::ondisk::image::Site;
use crate::ondisk::page::{Cell, Page, PageKind};

/// Its values are unlikely, or its place is out of order.
pub(crate) const SUSPECT: u8 = 1;
/// Its payload goes on in overflow pages.
pub(crate) const CHAINED: u8 = 2;
/// A flipped bit in its bookkeeping was turned back.
pub(crate) const MENDED: u8 = 4;
/// It lies on a page that no tree reaches.
pub(crate) const STRAY: u8 = 8;
/// It is from a history that went on beside the main line's.
pub(crate) const FORK: u8 = 16;
/// Overflow pages of another source stand in for its own.
pub(crate) const GRAFTED: u8 = 32;
/// It is in a source that is older than one that shows it gone.
pub(crate) const OLDER: u8 = 64;
/// It is from an earlier image of its page than the current one.
pub(crate) const EARLIER: u8 = 128;

/// The bit of a packed place that says that it is one in the WAL.
const IN_LOG: u64 = 1 << 63;
/// The bit of a packed place that says that the row is of a table without rowids: its rowid stands for its key.
const BY_KEY: u64 = 1 << 62;

/// A row as it lies in a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) rowid: i64,
    /// Where its page lies: see [`Row::site`].
    place: u64,
    /// The page of its cell.
    pub(crate) page: u32,
    /// The source, as an index into the list of sources.
    pub(crate) source: u32,
    /// What is odd about its bytes, by its name in the [`RowExtras`] that go with the rows; 0 for nothing.
    pub(crate) odd: u32,
    /// Where on the page the cell begins.
    pub(crate) cell: u16,
    /// What is to be known about it, in bits.
    pub(crate) flags: u8,
    /// All bytes of its record, one over the other ([`parity`]): two versions that differ in one bit differ here.
    pub(crate) parity: u8,
}

/// The exclusive or of all `bytes`.
pub(crate) fn parity(bytes: &[u8]) -> u8 {
    let (words, rest) = bytes.as_chunks::<8>();
    let word = words.iter().fold(0, |sum, word| sum ^ u64::from_ne_bytes(*word));
    word.to_ne_bytes().iter().chain(rest).fold(0, |sum, byte| sum ^ byte)
}

impl Row {
    /// What of `odds` is odd about this row.
    pub(crate) fn oddity(&self, odds: &RowExtras) -> Option<Odd> {
        odds.get(self.odd)
    }

    /// The row of the cell at `cell` on `page` of `source`, which lies at `site`.
    pub(crate) fn new(rowid: i64, source: u32, page: u32, site: Site, cell: usize) -> Self {
        let place = site.offset & !(IN_LOG | BY_KEY) | if site.in_log { IN_LOG } else { 0 };
        Self {
            rowid,
            place,
            page,
            source,
            odd: 0,
            cell: u16::try_from(cell).unwrap_or(u16::MAX),
            flags: 0,
            parity: 0,
        }
    }

    /// Where its page lies.
    pub(crate) fn site(&self) -> Site {
        Site { in_log: self.place & IN_LOG != 0, offset: self.place & !(IN_LOG | BY_KEY) }
    }

    /// The same row, of a table without rowids, with what stands for its rowid.
    #[must_use]
    pub(crate) fn by_key(self, key: i64) -> Self {
        Self { rowid: key, place: self.place | BY_KEY, ..self }
    }

    /// Its cell on its page, whose bytes are `bytes`; `flip` is turned back first.
    pub(crate) fn cell_in<'p>(
        &self,
        bytes: &'p mut Cow<'_, [u8]>,
        flip: Option<Flip>,
        usable: usize,
    ) -> Option<Cell<'p>> {
        if let Some(flip) = flip {
            *bytes.to_mut().get_mut(usize::from(flip.at))? ^= flip.mask;
        }
        let page = if self.place & BY_KEY != 0 {
            Page::read(self.page, bytes, usable)
        } else {
            Page::read_as(PageKind::TableLeaf, self.page, bytes, usable)
        };
        page.ok()?.cell(usize::from(self.cell)).ok()
    }

    /// The row as bytes, for a file of our own.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let fields = [
            &self.rowid.to_le_bytes()[..],
            &self.place.to_le_bytes(),
            &self.page.to_le_bytes(),
            &self.source.to_le_bytes(),
            &self.odd.to_le_bytes(),
            &self.cell.to_le_bytes(),
            &[self.flags, self.parity],
        ];
        for (byte, value) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
            *byte = *value;
        }
        bytes
    }

    /// The row whose [`Row::to_bytes`] are `bytes`.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let number = |from: usize, len: usize| {
            bytes.iter().skip(from).take(len).rev().fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        let half = |from: usize| u32::try_from(number(from, 4)).unwrap_or(0);
        Self {
            rowid: number(0, 8).cast_signed(),
            place: number(8, 8),
            page: half(16),
            source: half(20),
            odd: half(24),
            cell: u16::try_from(number(28, 2)).unwrap_or(0),
            flags: u8::try_from(number(30, 1)).unwrap_or(0),
            parity: u8::try_from(number(31, 1)).unwrap_or(0),
        }
    }

    /// Whether something about it is strange.
    pub(crate) fn is_suspect(&self) -> bool {
        self.is(SUSPECT)
    }

    /// Whether any of `flags` is set.
    pub(crate) fn is(&self, flags: u8) -> bool {
        self.flags & flags != 0
    }

    /// Sets `flags` if `yes`.
    pub(crate) fn mark(&mut self, flags: u8, yes: bool) {
        if yes {
            self.flags |= flags;
        }
    }
}

/// How the bytes of a row differ from those of its cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Odd {
    /// The bit to turn back: where on the page its byte is, and which.
    pub(crate) flip: Option<Flip>,
    /// Where the payload goes on.
    pub(crate) chain: Vec<ByteRun>,
    /// The whole record where it is not what was read: what it names has moved.
    pub(crate) payload: Option<Box<[u8]>>,
}

/// A flipped bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flip {
    pub(crate) at: u16,
    pub(crate) mask: u8,
}

impl Flip {
    /// The flip as a number above 0.
    pub(crate) fn code(self) -> u32 {
        1 + (u32::from(self.at) << 3 | self.mask.trailing_zeros() & 7)
    }

    /// The flip whose [`Flip::code`] is `code`; none for 0.
    pub(crate) fn from_code(code: u32) -> Option<Self> {
        let code = code.checked_sub(1)?;
        Some(Self { at: u16::try_from(code >> 3).ok()?, mask: 1 << (code & 7) })
    }
}

/// Overflow pages that lie one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ByteRun {
    pub(crate) source: u32,
    /// The first.
    pub(crate) site: Site,
    pub(crate) pages: u32,
}

/// The overflow pages at `sites` of `source` as runs; in a log there is a frame header between two pages.
pub(crate) fn runs(sites: &[(u32, Site)], page_size: usize) -> Vec<ByteRun> {
    let mut runs: Vec<ByteRun> = Vec::new();
    for &(source, site) in sites {
        match runs.last_mut() {
            Some(run) if run.source == source && run.site_of(run.pages, page_size) == site => run.pages += 1,
            _ => runs.push(ByteRun { source, site, pages: 1 }),
        }
    }
    runs
}

impl ByteRun {
    /// Where the page `index` of the run lies.
    pub(crate) fn site_of(&self, index: u32, page_size: usize) -> Site {
        let between = if self.site.in_log { crate::ondisk::wal::FRAME_HEADER_LEN } else { 0 };
        Site { offset: self.site.offset + u64::from(index) * (page_size + between) as u64, ..self.site }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_32_bytes() {
        assert_eq!(size_of::<Row>(), 32);
    }

    #[test]
    fn one_bit_changes_the_parity() {
        let mut bytes: Vec<u8> = (0..29).collect();
        let before = parity(&bytes);
        for at in 0..bytes.len() {
            bytes[at] ^= 4;
            assert_ne!(parity(&bytes), before, "{at}");
            bytes[at] ^= 4;
        }
    }

    #[test]
    fn a_flip_is_its_code() {
        for flip in [Flip { at: 0, mask: 1 }, Flip { at: u16::MAX, mask: 128 }] {
            assert_eq!(Flip::from_code(flip.code()), Some(flip));
        }
        assert_eq!(Flip::from_code(0), None);
    }

    #[test]
    fn pages_in_a_row_are_one_run() {
        let main = |offset| (0, Site { in_log: false, offset });
        let log = |offset| (0, Site { in_log: true, offset });
        let runs = runs(&[main(512), main(1024), main(2048), log(56), log(56 + 536)], 512);
        assert_eq!(runs.iter().map(|run| run.pages).collect::<Vec<_>>(), [2, 1, 2]);
        assert_eq!(runs[0].site_of(1, 512), Site { in_log: false, offset: 1024 });
    }
}
