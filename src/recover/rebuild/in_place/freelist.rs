//! The list of unused pages, written ("Database File Format", section 1.4).

use super::page_writer::PageWriter;

const COUNT: usize = 4;
const LEAVES: usize = 8;
/// Entries at the end of a trunk that SQLite leaves empty, for the sake of readers before 3.6.0.
const SPARE: usize = 8;

/// The trunk pages that name every page of `unused`, each with its number; the first one begins the list. Trunks are
/// taken from `unused` itself. `None` only for pages too small for a list.
pub(crate) fn write(unused: &[u32], page_size: usize) -> Option<Vec<(u32, Vec<u8>)>> {
    let most = (page_size / 4).checked_sub(SPARE)?;
    let mut trunks = Vec::new();
    let mut groups = unused.chunks(most + 1).peekable();
    while let Some(group) = groups.next() {
        let (trunk, leaves) = group.split_first()?;
        let mut sheet = PageWriter::new(page_size);
        let next = groups.peek().and_then(|group| group.first());
        sheet.put_u32(0, next.copied().unwrap_or(0))?;
        sheet.put_u32(COUNT, u32::try_from(leaves.len()).ok()?)?;
        for (index, leaf) in leaves.iter().enumerate() {
            sheet.put_u32(LEAVES + 4 * index, *leaf)?;
        }
        trunks.push((*trunk, sheet.into_bytes()));
    }
    Some(trunks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::freelist;
    use crate::ondisk::image::Image;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_unused_page_is_named_once(count in 0_u32..700, size in prop::sample::select(vec![512_usize, 4096])) {
            let unused: Vec<u32> = (2..count + 2).collect();
            let trunks = write(&unused, size).unwrap();
            let mut file = vec![0; (count as usize + 2) * size];
            for (number, bytes) in &trunks {
                file[(*number as usize - 1) * size..][..size].copy_from_slice(bytes);
            }
            let image = Image::new(&file, size, size);
            let first = trunks.first().map_or(0, |(number, _)| *number);
            let list = freelist::read(&image, first, count);
            prop_assert!(list.whole);
            let mut found = [list.trunks, list.leaves].concat();
            found.sort_unstable();
            prop_assert_eq!(found, unused);
        }
    }
}
