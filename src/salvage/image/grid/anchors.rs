//! The b-tree pages of a file, at whatever offset they stand: a page that accounts for each of its bytes hardly comes about
//! by chance.

use std::hash::{DefaultHasher, Hasher};

use crate::ondisk::header;
use crate::ondisk::overflow;
use crate::ondisk::page::{Page, PageKind};
use crate::ondisk::record::Record;
use crate::ondisk::store::Store;
use crate::ondisk::text::Encoding;
use crate::salvage::schema::SchemaEntry;

/// Bytes that are read at once.
const PIECE: usize = 1 << 20;
/// More spare bytes than this SQLite does not leave in a page ("Database File Format", section 1.6).
const MAX_FRAGMENTS: u8 = 60;

/// What a page says that another one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// A page of a table; the highest rowid in it where that is known.
    Table(Option<i64>),
    /// A page of an index.
    Index,
    /// An overflow page.
    Link,
}

/// A sound b-tree page in a file.
#[derive(Debug, Clone)]
pub(super) struct Anchor {
    /// Where it begins, in bytes; below zero where the beginning of page 1 is lost.
    pub(super) at: i64,
    pub(super) kind: PageKind,
    pub(super) is_first: bool,
    /// The highest rowid of a leaf of a table.
    pub(super) last: Option<i64>,
    /// A digest of its bytes: a page that stands twice has one.
    pub(super) digest: u64,
    /// The pages that it names.
    pub(super) claims: Vec<(u32, Claim)>,
}

/// How pages are cut.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) size: usize,
    pub(super) usable: usize,
}

/// Find the sound pages of `file`: at the stride of the page size behind each other, elsewhere at every byte.
pub(super) fn find(file: &dyn Store, cut: Cut) -> Vec<Anchor> {
    let mut anchors = Vec::new();
    let mut start = 0_u64;
    let mut skip = 0_usize;
    // Page 1 may have lost bytes of its header.
    if let Some(bytes) = file.read(0, 2 * cut.size) {
        for lost in 1..=header::LEN.min(bytes.len()) {
            let padded = [&vec![0; lost], bytes.get(..cut.size - lost).unwrap_or_default()].concat();
            if is_first(&padded, cut) {
                anchors.push(Anchor::of(1, &padded, -i64::try_from(lost).unwrap_or(0), cut));
                skip = cut.size - lost;
                break;
            }
        }
    }
    loop {
        if file.is_hole(start, PIECE + cut.size) {
            (start, skip) = (start + PIECE as u64, 0);
            continue;
        }
        let Some(bytes) = file.read(start, PIECE + cut.size).filter(|bytes| bytes.len() > skip) else {
            break;
        };
        let end = if bytes.len() < PIECE + cut.size { bytes.len() } else { PIECE };
        let mut at = skip;
        while at < end {
            at = next(&bytes, at, end, cut, |number, at| {
                let page = bytes.get(at..at + cut.size).unwrap_or_default();
                let place =
                    i64::try_from(start).unwrap_or(i64::MAX).saturating_add(i64::try_from(at).unwrap_or(0));
                anchors.push(Anchor::of(number, page, place, cut));
            });
        }
        skip = at - end;
        if end == bytes.len() {
            break;
        }
        start += end as u64;
    }
    anchors
}

/// Look for the next sound page from `at` on, give its number (1, or 2 for any other) and place to `found`, and return where
/// to look on.
fn next(bytes: &[u8], mut at: usize, end: usize, cut: Cut, mut found: impl FnMut(u32, usize)) -> usize {
    while at < end {
        let Some(page) = bytes.get(at..at + cut.size) else { return end };
        if is_page(page, cut) {
            found(2, at);
            return at + cut.size;
        }
        if is_first(page, cut) {
            found(1, at);
            return at + cut.size;
        }
        at += 1;
    }
    at.max(end)
}

/// True if `page` may begin a b-tree page at `start`, by its header.
fn is_likely(page: &[u8], start: usize, cut: Cut) -> bool {
    let Some(&[kind, free, free_low, count, count_low, content, content_low, fragments]) =
        page.get(start..start + 8).and_then(<[u8]>::first_chunk)
    else {
        return false;
    };
    if !matches!(kind, 2 | 5 | 10 | 13) || fragments > MAX_FRAGMENTS {
        return false;
    }
    let number = |high: u8, low: u8| usize::from(u16::from_be_bytes([high, low]));
    let (free, count, content) =
        (number(free, free_low), number(count, count_low), number(content, content_low));
    let content = if content == 0 { 65_536 } else { content };
    let head = start + if kind < 8 { 12 } else { 8 };
    count > 0 && head + 2 * count <= content && content < cut.usable && (free == 0 || free >= content)
}

fn is_page(page: &[u8], cut: Cut) -> bool {
    is_likely(page, 0, cut) && Page::read(2, page, cut.usable).is_ok_and(|page| page.is_sound())
}

/// True if `page` is page 1 of a database.
fn is_first(page: &[u8], cut: Cut) -> bool {
    const FRACTIONS: std::ops::Range<usize> = 21..24;
    page.get(FRACTIONS) == Some(&[64, 32, 32])
        && is_likely(page, header::LEN, cut)
        && Page::read(1, page, cut.usable).is_ok_and(|page| page.is_sound())
}

impl Anchor {
    fn of(number: u32, bytes: &[u8], at: i64, cut: Cut) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        let mut anchor = Self {
            at,
            kind: PageKind::TableLeaf,
            is_first: number == 1,
            last: None,
            digest: hasher.finish(),
            claims: Vec::new(),
        };
        let Ok(page) = Page::read(number, bytes, cut.usable) else { return anchor };
        anchor.kind = page.kind();
        for cell in page.cells().flatten() {
            if let Some(left) = cell.left {
                let claim =
                    if page.kind().is_table() { Claim::Table(Some(cell.rowid)) } else { Claim::Index };
                anchor.claims.push((left, claim));
            }
            if page.kind() == PageKind::TableLeaf {
                anchor.last = anchor.last.max(Some(cell.rowid));
            }
            let Some(payload) = cell.payload else { continue };
            anchor.claims.extend(payload.overflow.map(|first| (first, Claim::Link)));
            if page.kind() == PageKind::TableLeaf
                && let Ok(record) = Record::prefix(payload.local)
                && SchemaEntry::is_likely(&record, Encoding::Utf8)
            {
                let root = SchemaEntry::root_and_kind(&record);
                anchor.claims.extend(root.map(|(root, is_table)| {
                    (root, if is_table { Claim::Table(None) } else { Claim::Index })
                }));
            }
        }
        let right = if page.kind().is_table() { Claim::Table(None) } else { Claim::Index };
        anchor.claims.extend(page.right_child().map(|child| (child, right)));
        anchor
    }

    /// True if it may be what another page says.
    pub(super) fn is(&self, claim: Claim) -> bool {
        match claim {
            Claim::Table(None) => self.kind.is_table(),
            Claim::Table(Some(last)) => {
                self.kind == PageKind::TableInterior || self.last.is_some_and(|own| own <= last)
            }
            Claim::Index => !self.kind.is_table(),
            Claim::Link => false,
        }
    }

    /// True if it is what another page says beyond chance.
    pub(super) fn is_exactly(&self, claim: Claim) -> bool {
        matches!(claim, Claim::Table(Some(_))) && claim == Claim::Table(self.last)
    }
}

/// The page that follows the one in `bytes` if that is one of a chain.
pub(super) fn link(bytes: &[u8]) -> Option<u32> {
    overflow::next_page(bytes).filter(|next| *next > 1)
}
