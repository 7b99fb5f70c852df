//! Bytes of one page as they are written: bounds-checked puts, and the pages that need nothing else.
//!
//! ```text
//!   0  kind, first free block, cell count, content start, fragments [, right child]
//!   8 or 12  cell pointers ->                                <- cells, the first one last
//! ```

use crate::ondisk::page::PageKind;

/// The smallest space that SQLite gives to a cell, in bytes.
const MIN_CELL: usize = 4;
const CELL_COUNT: usize = 3;
const CONTENT_START: usize = 5;
const RIGHT_CHILD: usize = 8;

/// A page of zeros that is being filled.
#[derive(Debug)]
pub(crate) struct PageWriter {
    bytes: Vec<u8>,
}

impl PageWriter {
    /// A page of `size` bytes.
    pub(crate) fn new(size: usize) -> Self {
        Self { bytes: vec![0; size] }
    }

    /// Puts `bytes` at `offset`; `None` if they do not fit.
    pub(crate) fn put(&mut self, offset: usize, bytes: &[u8]) -> Option<()> {
        self.bytes.get_mut(offset..offset.checked_add(bytes.len())?)?.copy_from_slice(bytes);
        Some(())
    }

    /// Puts a four-byte number.
    pub(crate) fn put_u32(&mut self, offset: usize, value: u32) -> Option<()> {
        self.put(offset, &value.to_be_bytes())
    }

    /// The finished page.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// A b-tree page of `kind` with `cells` in this order, packed to the end; `None` if they do not fit in `size` bytes.
/// `right` is the right child of an interior page.
pub(crate) fn b_tree_page<C: AsRef<[u8]>>(
    kind: PageKind,
    cells: &[C],
    right: Option<u32>,
    size: usize,
) -> Option<Vec<u8>> {
    let mut sheet = PageWriter::new(size);
    let pointers = if kind.is_interior() { RIGHT_CHILD + 4 } else { RIGHT_CHILD };
    let mut pointer = pointers;
    let mut content = size;
    let end = pointers + 2 * cells.len();
    for cell in cells {
        let cell = cell.as_ref();
        content = content.checked_sub(cell.len().max(MIN_CELL)).filter(|&content| content >= end)?;
        sheet.put(content, cell)?;
        sheet.put(pointer, &u16::try_from(content).ok()?.to_be_bytes())?;
        pointer += 2;
    }
    sheet.put(0, &[kind.byte()])?;
    sheet.put(CELL_COUNT, &u16::try_from(cells.len()).ok()?.to_be_bytes())?;
    // 65,536 is written as 0.
    sheet.put(CONTENT_START, &u16::try_from(content).unwrap_or(0).to_be_bytes())?;
    if let Some(right) = right {
        sheet.put_u32(RIGHT_CHILD, right)?;
    }
    Some(sheet.into_bytes())
}

/// `value` as SQLite writes it: as short as can be, one to nine bytes.
pub(crate) fn varint(value: u64) -> Vec<u8> {
    if value >> 56 != 0 {
        // Nine bytes: eight with seven bits each, the ninth whole.
        let mut bytes: Vec<u8> = (0..8).map(|index| low_seven(value >> (57 - 7 * index)) | 0x80).collect();
        bytes.extend(value.to_be_bytes().last());
        return bytes;
    }
    let mut bytes = vec![low_seven(value)];
    let mut rest = value >> 7;
    while rest != 0 {
        bytes.push(low_seven(rest) | 0x80);
        rest >>= 7;
    }
    bytes.reverse();
    bytes
}

fn low_seven(value: u64) -> u8 {
    (value & 0x7f).to_le_bytes().first().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::page::Page;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn varints_are_read_back(value in any::<u64>(), shift in 0_u32..64) {
            let value = value >> shift;
            let bytes = varint(value);
            prop_assert_eq!(crate::ondisk::varint::read(&bytes), Some((value, bytes.len())));
            prop_assert!(bytes.len() == 9 || bytes.len() == 1 || bytes[0] != 0x80, "not the shortest");
        }
    }

    #[test]
    fn cells_that_do_not_fit_are_refused() {
        let cell = vec![1_u8; 100];
        assert!(b_tree_page(PageKind::TableLeaf, &[&cell; 4], None, 512).is_some());
        assert!(b_tree_page(PageKind::TableLeaf, &[&cell; 5], None, 512).is_none());
    }

    #[test]
    fn a_full_page_is_sound_at_every_size() {
        for bit in 9..=16 {
            let size = 1 << bit;
            let cells = [[4, 1, 2, 0, 0, 0]; 3];
            for cells in [&cells[..], &[]] {
                let bytes = b_tree_page(PageKind::TableLeaf, cells, None, size).unwrap();
                let page = Page::read(2, &bytes, size).unwrap();
                assert!(page.is_sound() && page.cell_count() == cells.len(), "{size}");
            }
        }
    }
}
