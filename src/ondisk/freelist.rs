//! The list of unused pages ("Database File Format", section 1.4).
//!
//! ```text
//!   trunk:  0 next trunk, 0 on the last   4 number of leaves   8 leaf, leaf, ...
//! ```

use super::field::u32_at;
use super::image::Image;

const COUNT: usize = 4;
const LEAVES: usize = 8;

/// The unused pages.
#[derive(Debug, Clone, Default)]
pub struct Freelist {
    /// Pages that hold the list.
    pub trunks: Vec<u32>,
    /// Pages that hold nothing.
    pub leaves: Vec<u32>,
    /// Whether the list could be read to its end, named no page twice, and has the stated length.
    pub whole: bool,
}

/// The list that begins at page `first` (0: empty) and is said to have `stated` pages.
pub fn read(image: &Image<'_>, first: u32, stated: u32) -> Freelist {
    let mut list = Freelist::default();
    let mut seen = std::collections::HashSet::new();
    let mut trunk = first;
    while trunk != 0 {
        let Some(page) = image.page(trunk).filter(|_| seen.insert(trunk)) else { return list };
        let (Some(next), Some(count)) = (u32_at(&page, 0), u32_at(&page, COUNT)) else { return list };
        list.trunks.push(trunk);
        let Some(leaves) = page.get(LEAVES..).and_then(|rest| rest.get(..4 * (count as usize))) else {
            return list;
        };
        for leaf in leaves.chunks_exact(4).filter_map(|field| u32_at(field, 0)) {
            if leaf == 0 || leaf > image.count() || !seen.insert(leaf) {
                return list;
            }
            list.leaves.push(leaf);
        }
        trunk = next;
    }
    list.whole = list.trunks.len() + list.leaves.len() == stated as usize;
    list
}
