//! How pages are cut, judged by the pages themselves: for files whose header is lost or lies.
//!
//! A sound page accounts for every byte of its content area, up to the last byte that SQLite uses ("Database File Format",
//! section 1.6). So one sound page says where its usable part ends, and pages of the right size are the only ones of which
//! many are sound.

use super::page::Page;

/// The smallest part of a page that SQLite accepts ("Database File Format", section 1.3.4).
const MIN_USABLE: usize = 480;
/// Bytes at the end of a page that can be set aside at most.
const MAX_RESERVED: usize = 255;

/// The number of used bytes with which the page `number` in `bytes` is sound; `None` when there is none, or no cell to tell it.
pub fn usable(number: u32, bytes: &[u8]) -> Option<usize> {
    let plain = Page::read(number, bytes, bytes.len()).ok().filter(|page| page.cell_count() > 0)?;
    if plain.is_sound() {
        return Some(bytes.len());
    }
    // The first cell of a page is written at its end, so the content reaches it unless that one was deleted.
    let least = bytes.len().saturating_sub(MAX_RESERVED).max(MIN_USABLE);
    (least..bytes.len()).rev().find(|&usable| {
        bytes.get(usable..).is_some_and(|rest| rest.len() <= MAX_RESERVED)
            && Page::read(number, bytes, usable).is_ok_and(|page| page.is_sound())
    })
}

/// The number of used bytes that most of `pages`, given as number and bytes, are sound with; `None` when none is.
pub fn usable_of<'p>(pages: impl Iterator<Item = (u32, &'p [u8])>) -> Option<usize> {
    let mut votes: Vec<(usize, u32)> = Vec::new();
    for (number, bytes) in pages {
        let Some(usable) = usable(number, bytes) else { continue };
        match votes.iter_mut().find(|(known, _)| *known == usable) {
            Some((_, count)) => *count += 1,
            None => votes.push((usable, 1)),
        }
    }
    votes.into_iter().max_by_key(|&(usable, count)| (count, usable)).map(|(usable, _)| usable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A leaf with one cell at the end of what is used.
    fn leaf(size: usize, usable: usize) -> Vec<u8> {
        let mut bytes = vec![0; size];
        let cell = [3, 1, 2, 1, 7];
        let start = usable - cell.len();
        bytes[..8].copy_from_slice(&[13, 0, 0, 0, 1, 0, 0, 0]);
        bytes[5..7].copy_from_slice(&u16::try_from(start).unwrap().to_be_bytes());
        bytes[8..10].copy_from_slice(&u16::try_from(start).unwrap().to_be_bytes());
        bytes[start..usable].copy_from_slice(&cell);
        bytes
    }

    #[test]
    fn a_sound_page_says_how_much_of_it_is_used() {
        assert_eq!(usable(2, &leaf(512, 512)), Some(512));
        assert_eq!(usable(2, &leaf(1024, 992)), Some(992));
        assert_eq!(usable(2, &leaf(512, 400)), None, "less than SQLite accepts");
        assert_eq!(usable(2, &[0; 512]), None);
        assert_eq!(usable(2, &[]), None);
    }

    #[test]
    fn most_pages_decide() {
        let pages = [leaf(512, 480), leaf(512, 512), leaf(512, 480)];
        assert_eq!(usable_of(pages.iter().map(|page| (2, page.as_slice()))), Some(480));
    }
}
