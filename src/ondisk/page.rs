//! B-tree pages and their cells ("Database File Format", section 1.6).
//!
//! ```text
//!   0 (page 1: 100)  kind, first free block, cell count, content start, fragments [, right child]
//!   8 or 12          cell pointers, two bytes each, in key order
//!                    unallocated
//!   content start    cells and free blocks, to the end of the usable bytes
//! ```
//!
//! A page may be shorter than its size says (the end of a truncated file): the cells inside what is there are read.

use super::Corrupt;
use super::field::{u8_at, u16_at, u32_at};
use super::header;
use super::varint;

const FREE_BLOCK: usize = 1;
const CELL_COUNT: usize = 3;
const CONTENT_START: usize = 5;
const FRAGMENTS: usize = 7;
const RIGHT_CHILD: usize = 8;
/// The smallest space that SQLite gives to a cell, in bytes.
const MIN_CELL: usize = 4;

/// What a b-tree page holds, by its first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageKind {
    /// 2: keys of an index with children between them.
    IndexInterior,
    /// 5: rowids with children between them.
    TableInterior,
    /// 10: keys of an index.
    IndexLeaf,
    /// 13: rows.
    TableLeaf,
}

impl PageKind {
    /// The kind that the first byte of a page names.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            2 => Some(Self::IndexInterior),
            5 => Some(Self::TableInterior),
            10 => Some(Self::IndexLeaf),
            13 => Some(Self::TableLeaf),
            _ => None,
        }
    }

    /// The first byte of such a page.
    pub const fn byte(self) -> u8 {
        match self {
            Self::IndexInterior => 2,
            Self::TableInterior => 5,
            Self::IndexLeaf => 10,
            Self::TableLeaf => 13,
        }
    }

    /// Whether the page has children.
    pub const fn is_interior(self) -> bool {
        matches!(self, Self::IndexInterior | Self::TableInterior)
    }

    /// Whether the page belongs to a table's tree (of the rowid sort).
    pub const fn is_table(self) -> bool {
        matches!(self, Self::TableInterior | Self::TableLeaf)
    }
}

/// A row's or key's bytes, as far as the page holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload<'a> {
    /// Length of the whole payload in bytes.
    pub len: u64,
    /// The part that is on this page.
    pub local: &'a [u8],
    /// The first overflow page, where the payload is longer than that part.
    pub overflow: Option<u32>,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Where it starts in the page.
    pub offset: usize,
    /// How many bytes of the page it takes.
    pub size: usize,
    /// The child with the keys up to this one, on interior pages.
    pub left: Option<u32>,
    /// The rowid, 0 on index pages.
    pub rowid: i64,
    /// The payload; none on interior pages of tables.
    pub payload: Option<Payload<'a>>,
}

/// The longest header of a b-tree page, in bytes ("Database File Format", section 1.6).
pub const HEADER: usize = 12;

/// A b-tree page whose header could be read.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    bytes: &'a [u8],
    usable: usize,
    start: usize,
    kind: PageKind,
    cell_count: usize,
}

impl<'a> Page<'a> {
    /// The page `number` in `bytes`, of which SQLite uses the first `usable`.
    ///
    /// # Errors
    /// [`Corrupt`] when the first byte names no kind or the header is cut off.
    pub fn read(number: u32, bytes: &'a [u8], usable: usize) -> Result<Self, Corrupt> {
        let start = if number == 1 { header::LEN } else { 0 };
        let kind = u8_at(bytes, start)
            .and_then(PageKind::from_byte)
            .ok_or(Corrupt::new("the first byte names no b-tree page", start))?;
        Self::read_as(kind, number, bytes, usable)
    }

    /// The same, taking the page to be of `kind` whatever its first byte says.
    ///
    /// # Errors
    /// [`Corrupt`] when the header is cut off.
    pub fn read_as(kind: PageKind, number: u32, bytes: &'a [u8], usable: usize) -> Result<Self, Corrupt> {
        let start = if number == 1 { header::LEN } else { 0 };
        let cell_count =
            u16_at(bytes, start + CELL_COUNT).ok_or(Corrupt::new("a page's header is cut off", start))?;
        Ok(Self { bytes, usable, start, kind, cell_count: usize::from(cell_count) })
    }

    /// The bytes that it was read from.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// How many of them SQLite uses.
    pub fn usable(&self) -> usize {
        self.usable
    }

    /// What the page holds.
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// How many cells the header states.
    pub fn cell_count(&self) -> usize {
        self.cell_count
    }

    /// The child with the keys above the last cell's, on interior pages.
    pub fn right_child(&self) -> Option<u32> {
        if self.kind.is_interior() { u32_at(self.bytes, self.start + RIGHT_CHILD) } else { None }
    }

    /// Where the stated cell content begins.
    pub fn content_start(&self) -> usize {
        match u16_at(self.bytes, self.start + CONTENT_START) {
            Some(0) | None => 65_536,
            Some(start) => usize::from(start),
        }
    }

    /// The offset behind the stated cell pointers, or behind the header if that many cannot be.
    pub fn pointers_end(&self) -> usize {
        let end = self.pointers_start() + 2 * self.cell_count;
        if end > self.usable { self.pointers_start() } else { end }
    }

    fn pointers_start(&self) -> usize {
        self.start + if self.kind.is_interior() { 12 } else { 8 }
    }

    /// The cell pointers in key order, as far as there are bytes for them.
    pub fn offsets(&self) -> impl Iterator<Item = usize> + use<'a> {
        let start = self.pointers_start();
        let end = (start + 2 * self.cell_count).min(self.bytes.len());
        self.bytes
            .get(start..end)
            .unwrap_or_default()
            .chunks_exact(2)
            .filter_map(|pair| u16_at(pair, 0))
            .map(usize::from)
    }

    /// The cells in key order.
    pub fn cells(&self) -> impl Iterator<Item = Result<Cell<'a>, Corrupt>> + use<'a> {
        let page = *self;
        self.offsets().map(move |offset| page.cell(offset))
    }

    /// The cell at `offset`.
    ///
    /// # Errors
    /// [`Corrupt`] when it starts before the content or does not fit the page.
    pub fn cell(&self, offset: usize) -> Result<Cell<'a>, Corrupt> {
        if offset < self.pointers_start() {
            return Err(Corrupt::new("a cell pointer points into the page header", offset));
        }
        self.parse(offset).ok_or(Corrupt::new("a cell does not fit its page", offset))
    }

    fn parse(&self, offset: usize) -> Option<Cell<'a>> {
        let bytes = self.bytes.get(..self.usable.min(self.bytes.len()))?;
        let mut at = offset;
        let mut left = None;
        if self.kind.is_interior() {
            left = Some(u32_at(bytes, at)?);
            at += 4;
        }
        if self.kind == PageKind::TableInterior {
            let (rowid, end) = varint::read_at(bytes, at)?;
            let size = (end - offset).max(MIN_CELL);
            return Some(Cell { offset, size, left, rowid: rowid.cast_signed(), payload: None });
        }
        let (len, mut at) = varint::read_at(bytes, at)?;
        let mut rowid = 0;
        if self.kind == PageKind::TableLeaf {
            let (value, end) = varint::read_at(bytes, at)?;
            rowid = value.cast_signed();
            at = end;
        }
        let local_len = local_len(self.kind, len, self.usable)?;
        let local = bytes.get(at..at.checked_add(local_len)?)?;
        at += local_len;
        let mut overflow = None;
        if local_len as u64 != len {
            overflow = Some(u32_at(bytes, at)?);
            at += 4;
        }
        let size = (at - offset).max(MIN_CELL);
        Some(Cell { offset, size, left, rowid, payload: Some(Payload { len, local, overflow }) })
    }

    /// Whether the page is whole as far as the page itself can tell: every cell can be read, and cells, free blocks and
    /// fragments together are the content area, without overlap.
    pub fn is_sound(&self) -> bool {
        self.account().is_some()
    }

    /// Whether a sound page has nothing but zeros outside its header and cells.
    pub fn is_blank_beside_cells(&self) -> bool {
        let content = self.content_start().min(self.usable);
        let unused = self.bytes.get(self.pointers_end()..content);
        u16_at(self.bytes, self.start + FREE_BLOCK) == Some(0)
            && u8_at(self.bytes, self.start + FRAGMENTS) == Some(0)
            && unused.is_some_and(|unused| unused.iter().all(|&byte| byte == 0))
    }

    fn account(&self) -> Option<()> {
        let content = self.content_start();
        if content > self.usable
            || self.bytes.len() < self.usable
            || self.pointers_start() + 2 * self.cell_count > content
        {
            return None;
        }
        let mut taken = self.free_blocks()?;
        for cell in self.cells() {
            let cell = cell.ok()?;
            taken.push((cell.offset, cell.size));
        }
        taken.sort_unstable();
        let mut end = content;
        let mut fragments = 0;
        for (offset, size) in taken {
            fragments += offset.checked_sub(end)?;
            end = offset + size;
        }
        fragments += self.usable.checked_sub(end)?;
        let stated = usize::from(u8_at(self.bytes, self.start + FRAGMENTS)?);
        (fragments == stated).then_some(())
    }

    /// The free blocks as (offset, size); `None` when their list is not credible.
    pub fn free_blocks(&self) -> Option<Vec<(usize, usize)>> {
        let mut blocks = Vec::new();
        let mut next = usize::from(u16_at(self.bytes, self.start + FREE_BLOCK)?);
        let mut floor = self.pointers_start();
        while next != 0 {
            if next < floor {
                return None;
            }
            let size = usize::from(u16_at(self.bytes, next + 2)?);
            if size < MIN_CELL || next + size > self.usable {
                return None;
            }
            blocks.push((next, size));
            floor = next + size;
            next = usize::from(u16_at(self.bytes, next)?);
        }
        Some(blocks)
    }

    /// Cells that lie in the content area but are not in `known` (as offset and size): for pages whose pointers are
    /// garbage. A reading counts when `accept` believes it. Free blocks of a credible list are left out.
    pub fn stray_cells(
        &self,
        known: &[(usize, usize)],
        accept: impl FnMut(&Cell<'a>) -> bool,
    ) -> Vec<Cell<'a>> {
        let mut taken = known.to_vec();
        taken.extend(self.free_blocks().unwrap_or_default());
        self.cells_outside(taken, accept)
    }

    /// Cells anywhere behind the header but where `taken` (as offset and size) says: for pages whose header is garbage, and for
    /// what is left of cells in the unused parts of a page. A reading counts when `accept` believes it.
    pub fn cells_outside(
        &self,
        mut taken: Vec<(usize, usize)>,
        mut accept: impl FnMut(&Cell<'a>) -> bool,
    ) -> Vec<Cell<'a>> {
        taken.sort_unstable();
        let mut found = Vec::new();
        let mut offset = self.pointers_start();
        let end = self.usable.min(self.bytes.len());
        let mut index = 0;
        while offset < end {
            if let Some(&(start, size)) = taken.get(index)
                && offset >= start
            {
                offset = offset.max(start + size);
                index += 1;
                continue;
            }
            let limit = taken.get(index).map_or(end, |&(start, _)| start);
            // Zeros are most of what a page does not use, and a cell that begins with one has no payload.
            if !self.kind.is_interior() {
                let unused = self.bytes.get(offset..limit.min(end)).unwrap_or_default();
                offset += unused.iter().position(|&byte| byte != 0).unwrap_or(unused.len());
                if offset >= limit {
                    continue;
                }
            }
            match self.parse(offset) {
                Some(cell) if offset + cell.size <= limit && accept(&cell) => {
                    offset += cell.size;
                    found.push(cell);
                }
                _ => offset += 1,
            }
        }
        found
    }
}

/// How many bytes of a payload of `len` stay on a page of `kind` ("Database File Format", section 1.6).
pub fn local_len(kind: PageKind, len: u64, usable: usize) -> Option<usize> {
    let usable = usable as u64;
    let max = if kind == PageKind::TableLeaf {
        usable.checked_sub(35)?
    } else {
        (usable.checked_sub(12)? * 64 / 255).checked_sub(23)?
    };
    if len <= max {
        return usize::try_from(len).ok();
    }
    let min = (usable.checked_sub(12)? * 32 / 255).checked_sub(23)?;
    let fitting = min + (len - min) % (usable - 4);
    usize::try_from(if fitting <= max { fitting } else { min }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payload_stays_local_up_to_the_limit() {
        assert_eq!(local_len(PageKind::TableLeaf, 4061, 4096), Some(4061));
        assert_eq!(local_len(PageKind::TableLeaf, 4062, 4096), Some(489));
        assert_eq!(local_len(PageKind::IndexLeaf, 1002, 4096), Some(1002));
        assert_eq!(local_len(PageKind::TableLeaf, 10, 20), None, "a usable size that SQLite refuses");
    }

    #[test]
    fn a_page_of_zeros_is_none() {
        assert!(Page::read(2, &[0; 512], 512).is_err());
        assert!(Page::read(2, &[13], 512).is_err());
    }
}
