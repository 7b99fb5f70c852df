//! New interior pages above the leaves of a table that stay where they are.

use super::page_writer::{b_tree_page, varint};
use crate::ondisk::page::PageKind;

/// The page header and the right child, in bytes.
const FIXED: usize = 12;
/// A pointer to a cell and the number of a child, in bytes; the key comes on top.
const PER_CELL: usize = 6;

/// A page of a table's tree and the highest rowid below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Child {
    pub(crate) page: u32,
    pub(crate) high: i64,
}

/// The interior pages above `leaves` (two or more, by rising rowid) with the topmost at `root`, each with its number.
/// `allocate` gives the number of an unused page.
///
/// SQLite wants a key on every interior page, so children are spread evenly and none is left with a single one.
pub(crate) fn grow(
    leaves: &[Child],
    root: u32,
    page_size: usize,
    allocate: &mut dyn FnMut() -> Option<u32>,
) -> Option<Vec<(u32, Vec<u8>)>> {
    let mut pages = Vec::new();
    let mut level = leaves.to_vec();
    loop {
        let most = fan_out(&level, page_size);
        if level.len() <= most {
            pages.push((root, interior(&level, page_size)?));
            return Some(pages);
        }
        let mut above = Vec::new();
        for group in spread(&level, most) {
            let number = allocate()?;
            pages.push((number, interior(group, page_size)?));
            above.push(Child { page: number, high: group.last()?.high });
        }
        level = above;
    }
}

/// How many children fit a page, whatever their keys.
fn fan_out(level: &[Child], page_size: usize) -> usize {
    let key = level.iter().map(|child| varint(child.high.cast_unsigned()).len()).max().unwrap_or(1);
    page_size.saturating_sub(FIXED) / (PER_CELL + key) + 1
}

/// `level` in as few groups of at most `most` as can be, of nearly equal size.
fn spread(level: &[Child], most: usize) -> impl Iterator<Item = &[Child]> {
    let groups = level.len().div_ceil(most);
    (0..groups)
        .filter_map(move |index| level.get(level.len() * index / groups..level.len() * (index + 1) / groups))
}

fn interior(children: &[Child], page_size: usize) -> Option<Vec<u8>> {
    let (right, left) = children.split_last()?;
    if left.is_empty() {
        return None;
    }
    let cells: Vec<Vec<u8>> = left
        .iter()
        .map(|child| [&child.page.to_be_bytes()[..], &varint(child.high.cast_unsigned())].concat())
        .collect();
    b_tree_page(PageKind::TableInterior, &cells, Some(right.page), page_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ondisk::btree::{VisitedPages, walk_table};
    use crate::ondisk::image::Image;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_walk_finds_the_leaves_in_order(
            count in 2_usize..3000,
            start in any::<i32>(),
            stride in prop::sample::select(vec![1_i64, 2, 1 << 20, 1 << 40]),
            size in prop::sample::select(vec![512_usize, 1024, 4096]),
        ) {
            let leaf = b_tree_page(PageKind::TableLeaf, &[[4_u8, 1, 2, 0, 0, 0]], None, size).unwrap();
            let leaves: Vec<Child> = (0..count)
                .map(|index| Child {
                    page: u32::try_from(index).unwrap() + 3,
                    high: i64::from(start) + stride * i64::try_from(index).unwrap(),
                })
                .collect();
            let mut next = u32::try_from(count).unwrap() + 2;
            let mut allocate = || { next += 1; Some(next) };
            let pages = grow(&leaves, 2, size, &mut allocate).unwrap();
            let mut file = vec![0; (next as usize) * size];
            for child in &leaves {
                file[(child.page as usize - 1) * size..][..size].copy_from_slice(&leaf);
            }
            for (number, bytes) in &pages {
                file[(*number as usize - 1) * size..][..size].copy_from_slice(bytes);
            }
            let image = Image::new(&file, size, size);
            let walk = walk_table(&image, 2, &mut VisitedPages::new(&image));
            prop_assert!(walk.lost.is_empty());
            prop_assert_eq!(walk.interiors.len(), pages.len());
            let found: Vec<u32> = walk.leaves.iter().map(|place| place.page).collect();
            prop_assert_eq!(found, leaves.iter().map(|child| child.page).collect::<Vec<_>>());
            for (place, child) in walk.leaves.iter().zip(&leaves).take(count - 1) {
                prop_assert_eq!(place.range.high, Some(child.high));
            }
        }
    }

    #[test]
    fn no_interior_page_is_left_without_a_key() {
        for count in 2..600_u32 {
            let leaves: Vec<Child> =
                (0..count).map(|index| Child { page: index + 3, high: index.into() }).collect();
            let mut next = 10_000;
            let mut allocate = || {
                next += 1;
                Some(next)
            };
            for (number, bytes) in grow(&leaves, 2, 512, &mut allocate).unwrap() {
                assert!(bytes[4] > 0, "page {number} of {count} leaves");
            }
        }
    }
}
